"""What tests of eBPF programs need: a network interface with somebody behind it, programs to run, and a look into the
kernel's own lists by somebody else's program (bpftool, tc)."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import harness
from harness import SAMPLES, wait

HUB = 19443  # the port that the droppers in tests/objects know
XDP, TCX, CLSACT, TRACEPOINT, RAW_TRACEPOINT = range(1, 6)
INGRESS, EGRESS = 3, 4
CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF = 12, 38, 39


def object_of(name):
    return SAMPLES / f"{name}.bpf.o"


def bpftool(*words, check=True):
    """What bpftool says, as JSON; None when it fails and may."""
    done = subprocess.run(["bpftool", "-j", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        assert not check, f"bpftool {words}: {done.stdout}{done.stderr}"
        return None
    return json.loads(done.stdout or "null")


class Link:
    """`va` here with 10.9.0.1, `vb` with 10.9.0.2 in a network of its own, and a hub there that takes connections."""

    ours, theirs = "10.9.0.1", "10.9.0.2"

    def __enter__(self):
        self.there = subprocess.Popen(["unshare", "-n", "sleep", "86400"])
        own = os.readlink("/proc/self/ns/net")
        wait(lambda: os.readlink(f"/proc/{self.there.pid}/ns/net") != own, what="another network")
        harness.run("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", self.there.pid)
        harness.run("ip", "addr", "add", f"{self.ours}/24", "dev", "va")
        harness.run("ip", "link", "set", "va", "up")
        self.run_there("ip", "addr", "add", f"{self.theirs}/24", "dev", "vb")
        self.run_there("ip", "link", "set", "vb", "up")
        self.run_there("ip", "link", "set", "lo", "up")
        harness.run("ip", "route", "add", "default", "dev", "va")
        self.hub = subprocess.Popen(
            ["nsenter", "-n", "-t", str(self.there.pid), "python3", "-c",
             "import socket\n"
             "s = socket.create_server(('0.0.0.0', %d), backlog=128)\n"
             "print('ready', flush=True)\n"
             "while True: s.accept()[0].close()" % HUB], stdout=subprocess.PIPE)
        assert self.hub.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_):
        for process in (self.hub, self.there):
            process.kill()
            process.wait()
        self.hub.stdout.close()
        subprocess.run(["ip", "link", "del", "va"], check=False)

    def run_there(self, *command):
        return harness.run("nsenter", "-n", "-t", self.there.pid, *command)

    def packets_come(self, port=9, count=5):
        self.run_there("python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range({count}): s.sendto(b'packet', ('{self.ours}', {port}))""")

    def packets_go(self, count=5):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for _ in range(count):
                out.sendto(b"packet", (self.theirs, 9))

    def programs(self):
        """Names of what sits on `va`: XDP, tcx and clsact."""
        found = bpftool("net", "show", "dev", "va")[0]
        return sorted(str(one.get("id", one.get("prog_id"))) for kind in ("xdp", "tc") for one in found[kind])

    def filters(self):
        """Names of the clsact filters."""
        return sorted(one["name"] for one in bpftool("net", "show", "dev", "va")[0]["tc"]
                      if one["kind"].startswith("clsact"))

    def qdiscs(self):
        return harness.run("tc", "qdisc", "show", "dev", "va").stdout

    def is_clean(self):
        return self.programs() == [] and "clsact" not in self.qdiscs()

    @contextlib.contextmanager
    def traffic(self):
        """Packets both ways and system calls, until it is left."""
        over = threading.Event()

        def work():
            while not over.wait(0.05):
                with contextlib.suppress(OSError):
                    self.packets_go()
                self.packets_come()
                os.getppid()

        worker = threading.Thread(target=work)
        worker.start()
        try:
            yield
        finally:
            over.set()
            worker.join()


class Traces:
    """Private trace instances of Piccolo, as the kernel lists them."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        harness.run("mount", "-t", "tracefs", "tracefs", self.folder)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=False)

    def ours(self, name):
        return [one.name for one in (self.folder / "instances").iterdir()
                if one.name.startswith("piccolo-") and one.name.endswith(name)]


def ids(evidence):
    """Numbers of programs and links in "program 12 hello at xdp:va (native), link 7; ..."."""
    return ([int(number) for number in re.findall(r"program (\d+) ", evidence)],
            [int(number) for number in re.findall(r"link (\d+)", evidence)])


class Residue:
    """What a run had in the kernel, and that nothing of it is there any more."""

    def __init__(self, evidence):
        self.programs, self.links = ids(evidence)
        assert self.programs, evidence
        self.maps = set()
        for one in self.programs:
            self.maps |= set(bpftool("prog", "show", "id", one).get("map_ids", []))
        for one in self.links:
            assert bpftool("link", "show", "id", one) is not None

    def left(self):
        return [(kind, one) for kind, all_of in (("prog", self.programs), ("link", self.links), ("map", self.maps))
                for one in all_of if bpftool(kind, "show", "id", one, check=False) is not None]

    def gone(self, seconds=2):
        wait(lambda: not self.left(), seconds, f"nothing left in the kernel of {self.programs}")


class ByHand:
    """`piccolo ebpf run`."""

    def __init__(self, name, *options, lease="20s"):
        self.command = [harness.BIN / "piccolo", "ebpf", "run", object_of(name) if "/" not in str(name) else name,
                        "--for", lease, *options]
        self.process, self.out, self.err = None, "", ""

    def __enter__(self):
        self.process = subprocess.Popen([str(part) for part in self.command], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def read(self):
        other = threading.Thread(target=self.read_errors)
        other.start()
        for line in self.process.stdout:
            self.out += line
        other.join()

    def read_errors(self):
        for line in self.process.stderr:
            self.err += line

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.end()

    def evidence(self, seconds=15):
        """Waits until it runs; what it said of it."""
        def look():
            assert self.process.poll() is None, self.err
            found = re.search(r"^piccolo: (?:\S+: )?(program \d+ .*)$", self.err, re.M)
            return found and found[1]
        return wait(look, seconds, "it runs")

    def end(self, seconds=30):
        """Its exit status."""
        self.process.wait(seconds * harness.SLOW)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode

    def runner(self):
        """Process number of its child."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return int(children.read().split()[0])

    def figure(self, name):
        """Value of a series at the end."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.out, re.M)
        return float(found[1]) if found else None


def run(name, *options, lease="20s", seconds=40):
    """One run to its end: (exit status, standard output, standard error)."""
    with ByHand(name, *options, lease=lease) as one:
        status = one.end(seconds)
    return status, one.out, one.err


def attach(program="", hook=XDP, mode=0, target="va"):
    return struct.pack("64sII128s", program.encode(), hook, mode, target.encode())


def spec(*hooks, program="", prefix="", confirm=15, lease=7200):
    """struct pic_ebpf_spec (src/workload/ebpf/spec.h)."""
    made = struct.pack("<II64sI", 1, 0, program.encode(), len(hooks)) + b"".join(hooks).ljust(8 * 200, b"\0")
    made += struct.pack("<64sII4xq", prefix.encode(), confirm, lease, 0)
    assert len(made) == 1760
    return made


def capabilities(pid):
    """Sets of a process by name, as numbers."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return {name: int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, fields


def descriptors(pid):
    folder = f"/proc/{pid}/fd"
    return sorted(re.sub(r"\[\d+\]|/.*\.", "", os.readlink(f"{folder}/{fd}")) for fd in os.listdir(folder))


def sleep_until(seconds_after, begin):
    """For tests about time itself: not a wait for something else."""
    time.sleep(max(0, begin + seconds_after - time.monotonic()))
