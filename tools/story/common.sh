# shellcheck shell=bash
# What tools/demo stands on: saying what happens, waiting for conditions, processes, the device's network, cleaning up.
# Sourced; sets work, bin, netns, host_address and device_address.

work=${TMPDIR:-/tmp}/piccolo-demo
bin=$PWD/build/release/bin
steps=7 passed=0 step="start" expected="" log=""

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# --- saying what happens -----------------------------------------------------------------------------

exec 9>&1 # for the last words, wherever a signal comes
if [ -t 1 ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' green='' red='' plain=''; fi
begin() { step=$1; printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
did() { printf '  %s\n' "$*"; }
evidence() { sed 's/^/    | /'; }
pass() { passed=$((passed + 1)); printf '  %sok%s\n' "$green" "$plain"; }
expect() { expected=$1; log=$2; }
fail() {
	printf '\n%sstep failed: %s%s\n  expected: %s\n  came:     %s\n' "$red" "$step" "$plain" "$expected" "$1"
	printf '  log:      %s\n' "${log/#"$work"/$work.failed}"
	[ -f "$log" ] && tail -n 15 "$log" | evidence
	exit 1
}
show() { printf '  $ %s\n' "$*"; "$@" 2>&1 | evidence; } # the command as a person would type it, and what it says

# wait_for SECONDS COMMAND...: polls a condition, no longer than told
wait_for() {
	local end=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
now_ms() { date +%s%3N; }

# --- processes: a number alone could be somebody else's after a reboot, so its start is kept with it --------

start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; } # one that is dead has none
keep_process() { echo "$2 $(start_of "$2")" >"$work/$1.pid"; } # NAME PID
pid_of() { # NAME: its number, nothing when it is gone
	local pid started
	read -r pid started 2>/dev/null <"$work/$1.pid" || return 0
	[ -n "$started" ] && [ "$(start_of "$pid")" = "$started" ] && echo "$pid" || true
}
is_gone() { [ -z "$(pid_of "$1")" ]; }
kill_process() { # NAME: as a power cut would
	local pid; pid=$(pid_of "$1")
	[ -z "$pid" ] || as_root kill -KILL "$pid" 2>/dev/null || true
	wait_for 5 is_gone "$1"
	rm -f "$work/$1.pid"
}
end_process() { # NAME: SIGTERM, then SIGKILL after 5 s
	local pid; pid=$(pid_of "$1")
	[ -z "$pid" ] || as_root kill -TERM "$pid" 2>/dev/null || true
	wait_for 5 is_gone "$1" || kill_process "$1"
	rm -f "$work/$1.pid"
}
in_background() { # NAME COMMAND...: its log is $work/NAME.log
	local name=$1; shift
	"$@" >>"$work/$name.log" 2>&1 </dev/null 9>&- &
	keep_process "$name" $!
	disown $! # what becomes of it is told here, not by the shell
}
# What takes minutes is waited for, not run in front: so a signal ends this script at once, and that as well.
patiently() { # LOG COMMAND...
	local file=$1; shift
	setsid "$@" >>"$file" 2>&1 </dev/null &
	building=$!
	wait $building && building=
}

# --- the device's network: a namespace and a veth pair, the first number that nobody has ---------------

in_device() { as_root nsenter "--net=/run/netns/$netns" "$@"; } # `ip netns exec` would hide /sys/fs/cgroup

name_network() { # NUMBER
	number=$1 netns=piccolo-demo-$1 link=pic-demo-$1
	host_address=10.94.$((7 + $1)).1 device_address=10.94.$((7 + $1)).2
}
make_network() {
	local candidate
	for candidate in $(seq 0 63); do
		name_network "$candidate"
		as_root ip netns add "$netns" 2>>"$work/device.log" || continue
		# another root folder has other names of namespaces, but the same links
		if as_root ip link add "$link" type veth peer name eth0 netns "$netns" 2>>"$work/device.log"; then
			echo "$candidate" >"$work/number"
			as_root ip address add "$host_address/30" dev "$link" && as_root ip link set "$link" up &&
				as_root ip -n "$netns" address add "$device_address/30" dev eth0 &&
				as_root ip -n "$netns" link set eth0 up && as_root ip -n "$netns" link set lo up
			return
		fi
		as_root ip netns delete "$netns"
	done
	return 1
}
delete_network() {
	[ -f "$work/number" ] || return 0
	name_network "$(cat "$work/number")"
	as_root ip netns delete "$netns" 2>/dev/null || true
	as_root ip link delete "$link" 2>/dev/null || true
	rm -f "$work/number"
}

# Ports of this machine: each run has its own sixty-fourth of them.
is_free() { [ -z "$(ss -Hltn "sport = :$1")" ]; }
free_port() { # FROM
	local port
	for port in $(seq $(($1 + number)) 64 65000); do
		is_free "$port" && echo "$port" && return
	done
	return 1
}

# --- cleaning up, whatever happened -------------------------------------------------------------------

building=
clean_up() {
	[ -z "$building" ] || kill -TERM -- "-$building" 2>/dev/null || true
	for name in look elsewhere prometheus forward device hub mail; do
		end_process $name
	done
	if [ -x "$bin/piccolo" ] && [ -d "$work/device" ]; then
		as_root "$bin/piccolo" purge --all --state "$work/device/state" --run-dir "$work/device/run" >/dev/null 2>&1 || true
	fi
	delete_network
	as_root rm -rf "$work/device"
}

finish() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	exec >&9
	if [ "${stay:-0}" = 1 ] && [ $status = 0 ]; then exit 0; fi
	if [ $status != 0 ] && [ -d "$work" ]; then
		rm -rf "$work.failed"; mkdir -p "$work.failed"
		as_root cp "$work"/*.log "$work.failed/" 2>/dev/null || true
	fi
	clean_up
	rm -rf "$work"
	if [ $status != 0 ]; then
		printf '\n%d of %d steps passed; logs are kept in %s\n' "$passed" "$steps" "$work.failed"
	fi
	exit "$status"
}
