"""Figures of programs in the kernel: what loading one costs, what holding it costs, how exact its end is."""

import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import harness
from calls import Bookkeeper, Closes, attach_xdp, pinned, sees_all_processes
from kernel_programs import Link, attach, object_of, spec
from measure import memory
from privileged import EVENT, POLICY, START, SUBSCRIBE, Supervisor, sha256
from world import World, folder

HERE = pathlib.Path(__file__).resolve().parent
RULES = POLICY.replace("allow wasm", "allow wasm\nallow ebpf\nlease-max 1h")


class Pins:
    """A place where bpftool may pin what it loads."""

    def __enter__(self):
        self.path = folder()
        subprocess.run(["mount", "-t", "bpf", "bpf", self.path], check=True)
        return self.path / "program"

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)
        self.path.rmdir()


class Loaded:
    """`packets` on `va`, by bpftool; its CPU time."""

    def __init__(self, pin, books):
        self.pin = pin
        self.cpu = books.run("bpftool", "prog", "load", object_of("packets"), pin)
        self.cpu += books.run("bpftool", "net", "attach", "xdp", "pinned", pin, "dev", "va")

    def remove(self):
        subprocess.run(["bpftool", "net", "detach", "xdp", "dev", "va"], check=True)
        self.pin.unlink()


class Runs:
    """Programs of a supervisor of their own, started as root does by hand."""

    def __init__(self, under=()):
        self.path = folder()
        self.supervisor = Supervisor(self.path / "s", RULES, under=under)

    def __enter__(self):
        os.sync()  # see World
        self.client = self.supervisor.start()
        self.client.ask(SUBSCRIBE)
        return self

    def __exit__(self, *_):
        self.supervisor.__exit__()
        shutil.rmtree(self.path, ignore_errors=True)

    def start(self, **terms):
        """From handing the file over until it is attached; its entry."""
        content = object_of("packets").read_bytes()
        self.client.take(content)
        self.client.ask(START, "app/packets", "ebpf", sha256(content), spec=spec(attach(), **terms))
        return self.until("running")

    def until(self, state):
        """Waits for news, without asking."""
        while True:
            while self.client.events:
                entry = self.client.events.pop(0)
                if entry and entry.state == state:
                    return entry
                if entry and entry.state == "ended" and state == "running":
                    raise AssertionError(f"it does not run: {entry}")
            message = self.client.receive()
            if message.kind == EVENT:
                self.client.events.append(message.entry)

    def stop(self):
        self.client.stop("app/packets")
        self.client.events.clear()


def is_counted(books, pid):
    return str(pid) in (books.folder / "cgroup.procs").read_text().split()


def supervised(runs, books):
    """CPU time of loader and runner, and that with the supervisor's part: it stores the file and writes its ledger."""
    before = books.cpu()
    entry = runs.start()
    whole = books.cpu() - before
    group = runs.client.list()["app/packets"].cpu_us / 1e6
    if not is_counted(books, entry.pid):
        whole += group
    runs.stop()
    return group, whole


def floor_program(where):
    """bench/floor.c, with the libbpf that piccolo is linked with; None where that is not to be had."""
    libraries = HERE.parent / "build" / "third_party" / "install"
    if not shutil.which("cc") or not (libraries / "lib" / "libbpf.a").exists():
        return None
    subprocess.run(["cc", "-O2", f"-I{libraries}/include", HERE / "floor.c", "-o", where, libraries / "lib" / "libbpf.a",
                    "-lelf", "-lz"], check=True)
    return where


def attach_cost(report):
    if not shutil.which("bpftool"):
        report.note("left out: there is no bpftool to compare with (Debian's package bpftool)")
        return
    group, whole, peer, starts, bare = [], [], [], [], []
    with Link(), Pins() as pin, Bookkeeper() as books, Runs(under=books.command()) as runs:
        floor = floor_program(runs.path / "floor")
        for _ in range(3 if report.quick else 15):
            ours = supervised(runs, books)
            group.append(ours[0])
            whole.append(ours[1])
            loaded = Loaded(pin, books)
            peer.append(loaded.cpu)
            loaded.remove()
            starts.append(2 * books.run("bpftool", "version"))
            if floor:
                bare.append(float(subprocess.run([floor, object_of("packets"), "va"], check=True, capture_output=True).stdout))
    if not any(group):
        report.note("loader and runner by themselves: no cgroup tree of this machine counts their CPU time")
    else:
        report.ratio("load + attach, CPU s of loader and runner", group, peer, "bpftool prog load + net attach", at_most=0.25)
    report.ratio("the same and the supervisor's part", whole, peer, "the same")
    if bare:
        report.ratio("libbpf in process, no sandbox", bare, peer, "the same")
    else:
        report.note("libbpf in process, no sandbox: left out, there is no cc or no built libbpf")
    report.time("CPU of starting bpftool twice, in the above", starts)


def idle_runner(report):
    values = []
    for _ in range(report.runs):
        with World() as world:
            world.hub.push(object_of("packets"))
            pid = world.allow(harness.component("counter", "/artifacts/packets.bpf.o", "ebpf", attach="xdp:lo:skb"), 600)
            time.sleep(1)  # idle is: nothing asked for a second
            values.append(memory(pid)[1])
    report.count("one idle eBPF runner, private dirty", values, 300, "KiB")


def close_by_ourselves(pin):
    """What the kernel takes for closing the same link, without Piccolo."""
    program = pinned(pin)
    link = attach_xdp(program, socket.if_nametoindex("va"))
    started = time.monotonic()
    os.close(link)
    took = time.monotonic() - started
    os.close(program)
    return took


def late(deadline, found):
    """How late this process wakes for the same moment: what a machine with work to do takes for that."""
    left = deadline - time.clock_gettime(time.CLOCK_BOOTTIME)
    time.sleep(max(0, left))
    found.append(time.clock_gettime(time.CLOCK_BOOTTIME) - deadline)


def end(report):
    if not sees_all_processes():
        report.note("left out: the kernel's trace has other process numbers than this container")
        return
    begun, gone, woken, kernel = [], [], [], []
    with Link(), Pins() as pin, Runs() as runs, Closes(folder()) as closes:
        subprocess.run(["bpftool", "prog", "load", object_of("packets"), pin], check=True)
        for _ in range(3 if report.quick else 15):
            entry = runs.start(lease=1)
            closes.watch(entry.pid)
            deadline = entry.lease / 1000
            other = threading.Thread(target=late, args=(deadline, woken))
            other.start()
            runs.until("ended")
            other.join()
            begin, done = harness.wait(lambda: closes.after(deadline), 2, "the kernel has seen the link closed")
            begun.append(begin - deadline)
            gone.append(done - deadline)
            runs.stop()
            kernel.append(close_by_ourselves(pin))
        pin.unlink()
    report.time("the end of a lease to the first link's close(2)", begun, target=5, every=True)
    report.time("the same moment to a plain process awake", woken)
    report.time("the end of a lease to XDP gone", gone, target=25, every=True)
    report.time("close(2) of such a link without Piccolo", kernel)


ALL = {"attach": attach_cost, "runner": idle_runner, "end": end}
