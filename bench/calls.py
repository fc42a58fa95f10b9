"""The kernel asked directly, without Piccolo and without the time that starting bpftool takes."""

import contextlib
import ctypes
import os
import pathlib
import platform
import re
import struct
import subprocess

LOOKUP, OBJ_GET, MAP_NEXT, MAP_BY_ID, INFO, LINK_CREATE = 1, 7, 12, 14, 15, 28
XDP = 37
NUMBER = {"x86_64": 321, "aarch64": 280}
LIBC = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    """bpf(2); its result, or an OSError. `attributes` is what union bpf_attr holds, and holds the answer afterwards."""
    answer = LIBC.syscall(NUMBER[platform.machine()], command, ctypes.byref(attributes), ctypes.sizeof(attributes))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


def attributes(form, *values):
    return ctypes.create_string_buffer(struct.pack(form, *values).ljust(64, b"\0"), 64)


def pinned(path):
    name = ctypes.create_string_buffer(str(path).encode())
    return bpf(OBJ_GET, attributes("=QII", ctypes.addressof(name), 0, 0))


def attach_xdp(program_fd, interface):
    """Descriptor of a link."""
    return bpf(LINK_CREATE, attributes("=IIII", program_fd, interface, XDP, 0))


def next_map(number):
    """Number of the next map, None when there is none."""
    asked = attributes("=II", number, 0)
    try:
        bpf(MAP_NEXT, asked)
    except FileNotFoundError:
        return None
    return struct.unpack_from("=I", asked, 4)[0]


def newest_map():
    number = 0
    while (following := next_map(number)) is not None:
        number = following
    return number


def map_by_number(number):
    """Descriptor and name."""
    fd = bpf(MAP_BY_ID, attributes("=III", number, 0, 0))
    info = ctypes.create_string_buffer(256)
    bpf(INFO, attributes("=IIQ", fd, len(info), ctypes.addressof(info)))
    return fd, info.raw[24:40].split(b"\0")[0].decode()


class Counter:
    """Waits for an array of that name that comes, and looks at its first number."""

    def __init__(self, name):
        self.name, self.last, self.fds = name[:15], newest_map(), []
        self.key, self.value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(8)

    def look(self):
        while (number := next_map(self.last)) is not None:
            self.last = number
            with contextlib.suppress(FileNotFoundError):  # gone again
                fd, name = map_by_number(number)
                if name == self.name:
                    self.fds.append(fd)
                else:
                    os.close(fd)

    def counted(self):
        """True once one of them has counted something; there is one of a dry run too."""
        self.look()
        for fd in self.fds:
            bpf(LOOKUP, attributes("=IIQQQ", fd, 0, ctypes.addressof(self.key), ctypes.addressof(self.value), 0))
            if any(self.value.raw):
                return True
        return False

    def close(self):
        while self.fds:
            os.close(self.fds.pop())


class Bookkeeper:
    """CPU time of commands and all that they start, by a cgroup: the scheduler's own microseconds."""

    def __enter__(self):
        lines = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        top = next((line[1] for line in lines if line[2] == "cgroup2"), None)
        if top is None:
            raise AssertionError("no cgroup2 is mounted, so nobody counts the CPU time of a group of processes")
        self.folder = pathlib.Path(top) / f"piccolo-bench-{os.getpid()}"
        self.folder.mkdir()
        return self

    def __exit__(self, *_):
        self.folder.rmdir()

    def command(self, *command):
        """The same command, in the group; the shell that moves itself there is counted from then on: one exec."""
        return ["sh", "-c", f'echo $$ >"{self.folder}/cgroup.procs" && exec "$@"', "sh", *map(str, command)]

    def cpu(self):
        """Seconds so far."""
        return int(re.search(r"^usage_usec (\d+)", (self.folder / "cpu.stat").read_text(), re.M).group(1)) / 1e6

    def run(self, *command):
        before = self.cpu()
        subprocess.run(self.command(*command), check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return self.cpu() - before


class Closes:
    """When one process begins and ends close(2), on the boot-time clock, as the kernel traces it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", self.folder], check=True)
        self.instance = self.folder / "instances" / f"bench-{os.getpid()}"
        self.instance.mkdir()
        (self.instance / "trace_clock").write_text("boot")
        return self

    def events(self):
        return [self.instance / "events" / "syscalls" / f"sys_{side}_close" for side in ("enter", "exit")]

    def watch(self, pid):
        (self.instance / "trace").write_text("")
        for event in self.events():
            (event / "filter").write_text(f"common_pid == {pid}")
            (event / "enable").write_text("1")

    def after(self, seconds):
        """(begin, end) of the first close after that time, None when there was none."""
        text = (self.instance / "trace").read_text()
        found = [(float(at), what) for at, what in re.findall(r" (\d+\.\d+): (sys_close\(|sys_close ->)", text)]
        later = [one for one in found if one[0] >= seconds]
        while later and later[0][1] != "sys_close(":
            later.pop(0)
        return (later[0][0], later[1][0]) if len(later) > 1 else None

    def __exit__(self, *_):
        for event in self.events():
            (event / "enable").write_text("0")
        self.instance.rmdir()
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()


def sees_all_processes():
    """Whether the numbers that the kernel traces are those that we see: the first space of process numbers has always
    this inode."""
    return os.stat("/proc/self/ns/pid").st_ino == 0xEFFFFFFC
