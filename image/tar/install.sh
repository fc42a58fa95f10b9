#!/bin/sh
# Installs Piccolo from this folder, on a system without dpkg. Can be repeated; what a person has changed stays.
#
#   ./install.sh                 programs, units and the first configuration; starts the device where systemd runs
#   ./install.sh --uninstall     ends every workload, removes the programs; configuration and identity stay
#   ./install.sh --purge         the same, and nothing is left: no file, no user
#   --prefix DIR                 in place of /usr/local; programs go to DIR/bin
#   --root DIR                   into the tree of another system: starts nothing, makes no user
#   --only PROGRAM               piccolo, piccolo-hub or piccoloctl; may be given several times
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local root='' mode=install only=''

say() { printf 'install.sh: %s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
	case $1 in
	--uninstall) mode=uninstall ;;
	--purge) mode=purge ;;
	--prefix) prefix=${2:?--prefix wants a folder}; shift ;;
	--root) root=${2:?--root wants a folder}; shift ;;
	--only) only="$only ${2:?--only wants a program}"; shift ;;
	-h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) die "unknown option $1 (see --help)" ;;
	esac
	shift
done
case $prefix in /*) ;; *) die "--prefix $prefix: give the whole path, beginning with /" ;; esac
case $prefix in *[!A-Za-z0-9/._+-]*) die "--prefix $prefix: letters, digits and . _ + - only; units name it" ;; esac
prefix=${prefix%/}
[ "$(id -u)" -eq 0 ] || [ -n "$root" ] || die "needs root: sudo ./install.sh"

units=$root/etc/systemd/system
[ "$prefix" != /usr ] || units=$root/usr/lib/systemd/system

# The tree of --root may be anybody's: a link in it must not lead us into this system.
if [ -n "$root" ]; then
	[ "$mode" != install ] || mkdir -p "$root"
	real=$(cd "$root" && pwd -P)
	for folder in "$root$prefix/bin" "$root$prefix/share/man/man1" "$root$prefix/share/bash-completion/completions" \
		"$root$prefix/share/piccolo" "$units/piccolo.service.d" "$root/etc/piccolo" "$root/var/lib" "$root/run"; do
		there=$folder
		while [ ! -d "$there" ]; do there=$(dirname "$there"); done
		case $(cd -P "$there" && pwd -P)/ in
		"${real%/}"/*) ;;
		*) die "$folder leads out of $root by a link; nothing was changed" ;;
		esac
	done
fi

running=''
[ -n "$root" ] || [ ! -d /run/systemd/system ] || running=yes

programs=''
for program in ${only:-piccolo piccolo-hub piccoloctl}; do
	if [ -f "$here/bin/$program" ]; then
		programs="$programs $program"
	elif [ -n "$only" ]; then
		die "$program is not in this archive"
	fi
done
has() { case " $programs " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

units_of() {
	case $1 in
	piccolo) echo piccolo-agent.service piccolo.service ;;
	piccolo-hub) echo piccolo-hub.service ;;
	esac
}

# put MODE SOURCE TARGET: by a rename, so that a program that runs is replaced and not written into.
put() {
	mkdir -p "$(dirname "$3")"
	rm -f "$3.new" # a link there would be written through
	cp "$2" "$3.new"
	chmod "$1" "$3.new"
	mv -f "$3.new" "$3"
}

have_user() { grep -q "^$1:" /etc/passwd 2>/dev/null; }

make_user() { # NAME HOME
	have_user "$1" && return 0
	if command -v useradd >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir "$2" --shell /usr/sbin/nologin "$1"
	elif command -v adduser >/dev/null; then # busybox
		addgroup -S "$1" 2>/dev/null || true
		adduser -S -D -H -h "$2" -s /sbin/nologin -G "$1" "$1"
	else
		die "no useradd and no adduser here: make the system user $1 by hand, then run this again"
	fi
}

drop_user() {
	have_user "$1" || return 0
	if command -v userdel >/dev/null; then
		userdel "$1"
	elif command -v deluser >/dev/null; then
		deluser "$1"
	fi
	! grep -q "^$1:" /etc/group || groupdel "$1" 2>/dev/null || delgroup "$1" 2>/dev/null || true
}

install_program() {
	put 755 "$here/bin/$1" "$root$prefix/bin/$1"
	put 644 "$here/share/man/man1/$1.1" "$root$prefix/share/man/man1/$1.1"
	put 644 "$here/share/bash-completion/completions/$1" "$root$prefix/share/bash-completion/completions/$1"
	for unit in $(units_of "$1"); do
		mkdir -p "$units"
		rm -f "$units/$unit.new"
		sed "s,/usr/bin/,$prefix/bin/,g" "$here/systemd/$unit" >"$units/$unit.new"
		mv -f "$units/$unit.new" "$units/$unit"
	done
	case $1 in
	piccolo)
		for file in "$here"/systemd/piccolo.service.d/*.conf; do
			put 644 "$file" "$units/piccolo.service.d/${file##*/}"
		done
		put 644 "$here/share/piccolo/piccolo.conf.example" "$root$prefix/share/piccolo/piccolo.conf.example"
		put 644 "$here/share/piccolo/policy.conf" "$root$prefix/share/piccolo/policy.conf"
		[ -e "$root/etc/piccolo/policy.conf" ] || put 644 "$here/share/piccolo/policy.conf" "$root/etc/piccolo/policy.conf"
		[ -n "$root" ] || make_user piccolo /var/lib/piccolo/agent
		;;
	piccolo-hub)
		[ -e "$root/etc/piccolo/hub.conf" ] || put 644 "$here/share/piccolo/hub.conf" "$root/etc/piccolo/hub.conf"
		[ -n "$root" ] || make_user piccolo-hub /var/lib/piccolo-hub
		;;
	esac
}

start() {
	[ -n "$running" ] || return 0
	systemctl daemon-reload
	if has piccolo; then
		# Workloads go on: only the supervisor and the agent are replaced.
		systemctl enable --quiet piccolo.service piccolo-agent.service
		systemctl restart piccolo.service piccolo-agent.service
	fi
	! has piccolo-hub || systemctl try-restart piccolo-hub.service
}

tell() {
	say "installed:$programs"
	if has piccolo && [ -z "$running" ]; then
		say "no systemd runs here: let your init keep \`$prefix/bin/piccolo\` running as root (it is supervisor and agent in one)"
	fi
	if has piccolo; then
		say "next: \`piccolo check\` says what this machine offers; \`piccolo join\` makes it a device of a hub"
	fi
	if has piccolo-hub; then
		if [ -n "$running" ]; then
			say "the hub is not started: look at /etc/piccolo/hub.conf, then systemctl enable --now piccolo-hub"
		else
			say "the hub is not started: let your init run \`$prefix/bin/piccolo-hub\` as the user piccolo-hub, who has to own /var/lib/piccolo-hub"
		fi
	fi
}

# The agent first, it would start workloads again; then through the supervisor, which knows them; then the rest.
stop() {
	[ -z "$root" ] || return 0
	if has piccolo; then
		[ -z "$running" ] || systemctl stop piccolo-agent.service 2>/dev/null || true
		if [ -x "$prefix/bin/piccolo" ] && [ -e /run/piccolo ]; then # it has run since the machine has booted
			[ -z "$running" ] || systemctl start --job-mode=ignore-dependencies piccolo.service || true # without the agent
			"$prefix/bin/piccolo" purge >/dev/null || die "the workloads could not be ended (see above); nothing was removed"
		fi
		[ -z "$running" ] || systemctl disable --quiet --now piccolo.service piccolo-agent.service 2>/dev/null || true
	fi
	if has piccolo-hub && [ -n "$running" ]; then
		systemctl disable --quiet --now piccolo-hub.service 2>/dev/null || true
	fi
}

remove_program() {
	rm -f "$root$prefix/bin/$1" "$root$prefix/share/man/man1/$1.1" "$root$prefix/share/bash-completion/completions/$1"
	for unit in $(units_of "$1"); do
		rm -f "$units/$unit"
	done
	[ "$1" != piccolo ] || rm -rf "$units/piccolo.service.d" "$root$prefix/share/piccolo"
}

# Folders that installing made and that nobody else uses.
remove_folders() {
	for folder in share/bash-completion/completions share/bash-completion share/man/man1; do
		rmdir "$root$prefix/$folder" 2>/dev/null || true
	done
	[ -z "$running" ] || systemctl daemon-reload
}

forget() {
	case $1 in
	piccolo)
		rm -rf "$root/var/lib/piccolo" "$root/run/piccolo"
		rm -f "$root/etc/piccolo/policy.conf" "$root/etc/piccolo/piccolo.conf" "$root/etc/piccolo/token"
		[ -n "$root" ] || drop_user piccolo
		;;
	piccolo-hub)
		rm -rf "$root/var/lib/piccolo-hub"
		rm -f "$root/etc/piccolo/hub.conf"
		[ -n "$root" ] || drop_user piccolo-hub
		;;
	esac
	rmdir "$root/etc/piccolo" 2>/dev/null || true
}

if [ "$mode" = install ]; then
	for program in $programs; do
		install_program "$program"
	done
	start
	tell
	exit 0
fi
stop
for program in $programs; do
	remove_program "$program"
	[ "$mode" != purge ] || forget "$program"
done
remove_folders
say "removed:$programs"
