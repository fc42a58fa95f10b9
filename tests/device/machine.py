"""A machine with a real systemd that boots in a second: systemd-nspawn on a small Debian tree. No VM: the kernel is the one
that runs the tests, everything above it is the machine's own. As root.

    with Machine(folder) as box:                      # a copy of the tree by overlay; not booted yet
        box.copy(BIN / "piccolo", "/usr/bin/piccolo")
        box.write("/etc/piccolo/piccolo.conf", "target = tiny-edge\\n")
        box.boot()
        box.run("systemctl", "enable", "--now", "piccolo").stdout
        box.journal("-u", "piccolo")                  # entries as dictionaries
        box.reboot(); box.poweroff(); box.boot(); box.cut()      # cut: the power is gone, at once

* `tree()` makes the Debian tree (30 to 60 s) and keeps it below build/device under the hash of its recipe; it is never changed.
* `Machine(first_boot=True)` has no machine-id yet: systemd applies presets and whoever waits for a first boot runs.
* `Machine(options=[...])` adds arguments to systemd-nspawn; `KERNEL_WORK` lets the inside
  do what a machine's root may and a container's may not: bpf(), perf_event_open(), pidfd_getfd().
* The machine shares the network of the caller: 127.0.0.1 is the same inside and outside. tests/device/conftest.py gives the
  whole run a private network, private mounts and private processes, so that nothing is left whoever is killed. Who does
  without (a tool for people) still loses the machine with his own process; `sweep()` takes away the empty control groups.
* What the machine cannot have here: controllers of cgroup v2 that the kernel has given to v1 (memory, pids)."""

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))

import harness  # noqa: E402
import leftovers  # noqa: E402

TREES = harness.ROOT / "build" / "device"
SUITE = os.environ.get("PICCOLO_SUITE", "trixie")  # bookworm is tried as well
CGROUP = re.compile(r"piccolo-machine-[0-9a-f]{12}")
KERNEL_WORK = ("--capability=all", "--system-call-filter=bpf perf_event_open pidfd_getfd")
SIGRTMIN = 34  # of the C library; systemd takes signals above it as orders
POWEROFF, REBOOT = SIGRTMIN + 4, SIGRTMIN + 5
RESTART = 133  # of systemd-nspawn
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)

PACKAGES = ("systemd-sysv", "udev", "dbus", "kmod", "iproute2", "passwd", "procps", "curl", "ca-certificates", "zstd",
            "libgnutls30", "libsqlite3-0", "libyaml-0-2")  # the last three: libraries of the packages of hub and piccoloctl
# What costs a second of each boot and has nothing to do here.
MASKED = ("ldconfig.service", "systemd-journal-catalog-update.service", "systemd-hwdb-update.service", "systemd-pstore.service",
          "systemd-firstboot.service", "systemd-logind.service", "console-getty.service", "getty@tty1.service",
          "e2scrub_reap.service", "e2scrub_all.timer", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "fstrim.timer", "systemd-tmpfiles-clean.timer")


def mirror():
    """Debian's mirror that this machine uses itself."""
    sites = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)", "Identifier: Packages", "Origin: Debian"],
                           capture_output=True, text=True, check=True).stdout.split()
    sites = [site for site in sites if "security" not in site]
    assert sites, "apt knows no mirror of Debian: run apt-get update"
    return sites[0]


def tree(suite=SUITE, packages=()):
    """The root of a small Debian with systemd; made when it is not there."""
    recipe = [suite, *PACKAGES, *packages, *MASKED]
    place = TREES / f"{suite}-{hashlib.sha256(' '.join(recipe).encode()).hexdigest()[:10]}"
    TREES.mkdir(parents=True, exist_ok=True)
    with open(TREES / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            make_tree(place, suite, [*PACKAGES, *packages])
    return place


def make_tree(place, suite, packages):
    half = place.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    harness.run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(packages)}",
                '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"', *left_out,
                "--dpkgopt=force-unsafe-io", suite, half, mirror(), timeout=600)
    for unit in MASKED:
        (half / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (half / "usr/lib/systemd/system-preset/89-nothing.preset").write_text("disable *\n")
    (half / "etc/hostname").write_text("machine\n")
    (half / "etc/fstab").write_text("")
    for stamp in ("etc/.updated", "var/.updated"):
        (half / stamp).touch()
    shutil.rmtree(half / "var/lib/apt/lists")
    half.rename(place)


def cgroup_root():
    """Where the tree of version 2 is mounted."""
    for line in open("/proc/self/mounts"):
        _, point, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(point)
    raise AssertionError("no cgroup2 is mounted")


def sweep():
    """Control groups of machines whose processes have all died."""
    return leftovers.sweep_cgroups(pattern=CGROUP)


class Machine:
    def __init__(self, folder, tree_of=None, first_boot=False, options=()):
        self.folder = pathlib.Path(folder)
        self.tree = tree_of or tree()
        self.options = options
        self.root = self.folder / "root"
        self.console = self.folder / "console.log"
        self.nspawn = None
        self.cgroup = cgroup_root() / f"piccolo-machine-{uuid.uuid4().hex[:12]}"
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        harness.run("mount", "-t", "overlay", "machine", "-o",
                    f"lowerdir={self.tree},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root)
        self.write("/etc/machine-id", "uninitialized\n" if first_boot else uuid.uuid4().hex + "\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        harness.run("umount", self.root)

    # -- files, booted or not

    def path(self, inside):
        """Where a file of the machine lies for us; what is mounted inside (/run, /tmp) is seen only while it runs."""
        init = self.init()
        return pathlib.Path(f"/proc/{init}/root" if init else self.root, str(inside).lstrip("/"))

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def copy(self, source, inside, mode=0o755):
        """Replaces the file as a package does: by a rename, so that who runs it keeps the old one."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        shutil.copy(source, fresh)
        fresh.chmod(mode)
        fresh.rename(path)

    # -- life

    def start(self):
        """Switches on; `boot` waits as well."""
        assert not self.runs(), "the machine runs already"
        self.cgroup.mkdir(exist_ok=True)
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--link-journal=no",
                   f"--machine=m{self.cgroup.name.removeprefix('piccolo-machine-')}", f"--directory={self.root}",
                   *self.options]
        with open(self.console, "ab") as console:
            self.nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                           env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                                           preexec_fn=self.before_nspawn, start_new_session=True)

    def before_nspawn(self):
        (self.cgroup / "cgroup.procs").write_text("0")
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # its init dies with it, and all the others with that

    def boot(self, seconds=60):
        self.start()
        self.booted(seconds)
        return self

    def booted(self, seconds=60):
        """Waits until systemd has nothing more to start; "running", or "degraded" when a unit has failed."""
        return harness.wait(self.state, seconds, f"the machine has booted (console: {self.console})\n{self.console_tail()}",
                            every=0.05)

    def state(self):
        assert self.runs(), f"systemd-nspawn has ended:\n{self.console_tail()}"
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said if said in ("running", "degraded") else None

    def runs(self):
        return self.nspawn is not None and self.nspawn.poll() is None

    def console_tail(self, lines=20):
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-lines:]) if self.console.exists() else ""

    def init(self):
        """Our number of the machine's first process; None while there is none."""
        if not self.runs():
            return None
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                facts = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
                if int(facts["PPid"]) == self.nspawn.pid and facts["NSpid"].split()[-1] == "1":
                    return int(folder.name)
        return None

    def reboot(self, seconds=60):
        """An orderly one, waited for. systemd-nspawn leaves the new start to whoever keeps it (--keep-unit)."""
        assert self.end(REBOOT, seconds) == RESTART, f"the machine did not ask for a new start:\n{self.console_tail()}"
        return self.boot(seconds)

    def poweroff(self, seconds=60):
        """An orderly end, waited for."""
        self.end(POWEROFF, seconds)

    def end(self, order, seconds):
        os.kill(self.init(), order)
        status = self.nspawn.wait(seconds * harness.SLOW)
        self.remove_cgroup()
        return status

    def cut(self):
        """The power is gone. Nothing when the machine does not run."""
        init = self.init()
        if init:
            os.kill(init, signal.SIGKILL)
        if self.nspawn:
            self.nspawn.kill()
            self.nspawn.wait()
        self.remove_cgroup()

    def remove_cgroup(self):
        def gone():
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                os.rmdir(folder)
            return not self.cgroup.exists()
        harness.wait(gone, 10, f"{self.cgroup} is empty")

    # -- inside

    def run(self, *command, check=True, input=None, timeout=60, user=None):
        """A command inside, as root or as `user`, with nothing of our environment."""
        init = self.init()
        assert init, f"the machine does not run:\n{self.console_tail()}"
        who = ["runuser", "-u", user, "--"] if user else []
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER="]
        return harness.run("nsenter", f"--target={init}", "--all", *clean, *who, *command, check=check, input=input,
                           timeout=timeout)

    def show(self, unit, *properties):
        """What systemd knows of a unit."""
        said = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties)).stdout
        return dict(line.split("=", 1) for line in said.splitlines())

    def journal(self, *options):
        said = self.run("journalctl", "--no-pager", "--output=json", *options).stdout
        return [json.loads(line) for line in said.splitlines()]
