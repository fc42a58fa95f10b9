"""A hub, a device and an interface with programs that a person has approved for a short time, and somebody outside who
watches the kernel. Run as a program it is one of several that work at once, each in a network of its own:

    lease_station.py JSON     {"folder", "tag", "seed", "users", "indexes"}; a line of JSON for each lease"""

import contextlib
import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import harness
from harness import alive, wait

INTERFACE = "va"
VICTIMS = [("hub", "killed"), ("hub", "stopped"), ("agent", "killed"), ("agent", "stopped"), ("supervisor", "killed"),
           ("supervisor", "stopped"), ("runner", "killed"), ("runner", "stopped"), ("all", "killed")]
HOOKS = ("xdp", "clsact")
ATTACH = {"xdp": f"xdp:{INTERFACE}", "clsact": f"clsact:{INTERFACE}:ingress"}
AFTER = 2.0  # so long after its end nothing of it is in the kernel
PROGRAM = """
#define SEC(name) __attribute__((section(name), used))
struct { int (*type)[2]; int (*max_entries)[1]; unsigned *key; unsigned long long *value; } MAP SEC(".maps");
static void *(*lookup)(void *map, const void *key) = (void *)1;
SEC(SECTION) int PROGRAM(void *context)
{
	unsigned key = 0;
	unsigned long long *value = lookup(&MAP, &key);
	if (value)
		*value += 1;
	return VERDICT;
}
char program_license[] SEC("license") = "GPL";
"""


def boot():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Watch:
    """The observer; what it has said so far."""

    def __init__(self, folder, tag):
        self.file = pathlib.Path(folder) / f"{tag}.seen"
        with open(self.file, "wb") as out:
            self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("kernel_observer.py"), tag,
                                             INTERFACE], stdin=subprocess.DEVNULL, stdout=out)
        wait(self.said, 10, "the observer says something")

    def close(self):
        self.process.kill()
        self.process.wait()

    def said(self):
        lines = self.file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def now(self):
        assert self.process.poll() is None, "the observer has ended"
        return self.said()[-1]["seen"]

    def until(self, when):
        """Waits until that time, and until the observer has seen it."""
        time.sleep(max(0, when - boot()))
        return wait(lambda: (lambda said: said if said[-1]["boot"] > when else None)(self.said()), 10, "the observer looks")

    def seen_after(self, when):
        """What was there at any time later than that."""
        return [one for one in self.until(max(when, boot())) if one["seen"] and one["boot"] > when]

    def attended(self, begin, end):
        """The longest time between two looks."""
        times = [one["boot"] for one in self.said() if begin - 1 <= one["boot"] <= end + 1]
        return max(b - a for a, b in zip(times, times[1:]))


class Lease:
    def __init__(self, name, opens, ends, components):
        self.name, self.components = name, components
        self.begin, self.length = boot(), ends - opens
        self.end = self.begin + ends - time.time()


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Station:
    def __init__(self, folder, tag, users=None):
        self.folder, self.tag, self.cgroups = harness.walkable(pathlib.Path(folder)), tag, []
        policy = (harness.ROOT / "etc" / "policy.conf").read_text()
        if users:
            assert "users 1900000000-1900000999" in policy
            policy = policy.replace("users 1900000000-1900000999", f"users {users}-{users + 89}")
        self.hub = harness.Hub(self.folder / "hub")
        self.device = harness.Device(self.folder / "device", hub=self.hub, policy=policy)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            harness.run("ip", "link", "add", INTERFACE, "type", "veth", "peer", "name", "vb")
            stack.callback(subprocess.run, ["ip", "link", "del", INTERFACE])
            for name in INTERFACE, "vb":
                harness.run("ip", "link", "set", name, "up")
            self.watch = Watch(self.folder, self.tag)
            stack.callback(self.watch.close)
            stack.enter_context(self.hub)
            stack.enter_context(self.device)
            stack.callback(self.wake)
            self.device.join()
            self.device.start_apart()
            edge = harness.target()
            edge["spec"].pop("topologies")  # takes everything
            self.hub.apply(edge)
            for hook, section, verdict in (("xdp", "xdp", 2), ("clsact", "tc", 0)):
                self.hub.push(self.compile(hook, section, verdict))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def compile(self, hook, section, verdict):
        source, made = self.folder / f"{hook}.c", self.folder / f"{hook}.bpf.o"
        source.write_text(PROGRAM)
        harness.run("clang", "-target", "bpf", "-g", "-O2", f'-DSECTION="{section}"', f"-DPROGRAM={hook[0]}_{self.tag}",
                    f"-DMAP=m_{self.tag}", f"-DVERDICT={verdict}", "-c", source, "-o", made)
        return made

    def deploy(self, *hooks):
        """A component for each, called as its hook."""
        self.hub.apply(harness.solution(*(harness.component(hook, f"/artifacts/{hook}.bpf.o", "ebpf", attach=ATTACH[hook])
                                          for hook in hooks)), harness.instance())
        self.hooks = hooks

    def permit(self, seconds):
        """Asks and, as a person does at a terminal, approves."""
        status, asked = self.hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "a look",
                                                                       "lengthSeconds": seconds})
        assert status == 201, asked
        self.hub.ctl("approve", asked["name"])
        found = self.approval(asked["name"])
        assert found["decidedBy"] == "admin", found
        return Lease(asked["name"], parse_time(found["opens"]), parse_time(found["ends"]), self.hooks)

    def approval(self, name):
        [found] = [one for one in self.hub.api("GET", "/piccolo/v1/approvals")[1]["approvals"] if one["name"] == name]
        return found

    def loaded(self):
        """All of the approved components, as the observer sees them."""
        seen = self.watch.now()
        programs = sum(one.startswith("prog") for one in seen)
        hooked = sum(one.startswith(("link", "filter")) for one in seen)
        return seen if programs == hooked == len(self.hooks) else None

    def runners(self):
        """First processes in the cgroups of its workloads; a loader is a child of one."""
        self.cgroups = self.cgroups or [*pathlib.Path("/sys/fs/cgroup").rglob(harness.cgroup_name(self.device))]
        pids = set()
        for file in [file for base in self.cgroups for file in base.glob("*~*/cgroup.procs")]:
            with contextlib.suppress(OSError):
                pids |= {int(pid) for pid in file.read_text().split()}
        return sorted(pid for pid in pids if parent(pid) not in pids)

    def program(self, victim):
        return {"hub": self.hub, "agent": self.device.agent, "supervisor": self.device.supervisor}[victim]

    def wake(self):
        """Nobody stays stopped."""
        programs = [self.program(victim) for victim in ("hub", "agent", "supervisor")]
        for pid in [program.pid for program in programs if program.process] + self.runners():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill_all(self, runners=True):
        pids = self.runners() if runners else []
        programs = [self.program(victim) for victim in ("hub", "agent", "supervisor")]
        for pid in [program.pid for program in programs if program.process.poll() is None] + pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for program in programs:
            program.process.wait()
        wait(lambda: not any(map(alive, pids)), 5, "all are dead")

    def mend(self):
        """Who is dead is started again, as an init does."""
        self.wake()
        for victim, start in (("hub", self.hub.start), ("supervisor", self.device.start_supervisor),
                              ("agent", self.device.start_agent)):
            if self.program(victim).process.poll() is not None:
                start()

    def is_over(self):
        """Connected again, and nothing runs."""
        status = self.device.status() or {}
        phases = {part["component"]: part["phase"] for part in status.get("components", [])}
        assert status.get("connection") == "connected" and status["supervisor"], status
        assert set(phases.values()) <= {"Expired", "Removed"}, phases
        assert not set().union(*self.device.processes().values()), self.device.processes()
        return True


def parent(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])
    return 0


class Fault:
    """What befalls one lease."""

    def __init__(self, seed, index):
        self.dice = random.Random(f"{seed}/{index}")
        self.index = index
        self.victim, self.how = VICTIMS[index % len(VICTIMS)]
        self.hook = HOOKS[index // len(VICTIMS) % len(HOOKS)]
        self.length = self.dice.randint(2, 6)
        early = self.dice.random() < 0.2  # while it is being loaded
        self.moment = self.dice.uniform(0, 0.3 if early else self.length)
        self.back = self.dice.uniform(self.moment, self.length + 1) if self.dice.random() < 0.5 else None

    def strike(self, station, lease):
        """Who was hit."""
        when = lease.begin + self.moment
        if self.victim == "runner":
            when = min(when, lease.end - 0.5)  # to be found, it has to be there; the lease began before it was asked
        time.sleep(max(0, when - boot()))
        if self.victim == "all":
            station.kill_all()
            station.device.start_supervisor()
            return "all"
        number = signal.SIGKILL if self.how == "killed" else signal.SIGSTOP
        if self.victim != "runner":
            os.kill(station.program(self.victim).pid, number)
            return self.victim
        while boot() < lease.end:
            for pid in station.runners():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                    return "runner"
            time.sleep(0.01)
        return "nobody"

    def come_back(self, station, lease):
        """Half of them return before the end or right after it."""
        if self.back is None or self.victim in ("all", "runner"):
            return
        time.sleep(max(0, lease.begin + self.back - boot()))
        if self.how == "stopped":
            os.kill(station.program(self.victim).pid, signal.SIGCONT)
            return
        station.program(self.victim).process.wait()
        start = {"hub": station.hub.start, "agent": station.device.start_agent,
                 "supervisor": station.device.start_supervisor}[self.victim]
        start()


def one_lease(station, fault):
    """The facts of it; raises when the kernel had something of it too late."""
    station.deploy(fault.hook)
    lease = station.permit(fault.length)
    hit = fault.strike(station, lease)
    fault.come_back(station, lease)
    station.watch.until(lease.end + AFTER)
    station.mend()
    wait(station.is_over, 30, "all is well again")
    said = [one for one in station.watch.until(boot()) if one["boot"] > lease.begin]
    there = [one["boot"] for one in said if one["seen"]]
    gone = min((one["boot"] for one in said if there and one["boot"] > there[-1]), default=None)
    return {"index": fault.index, "hook": fault.hook, "victim": fault.victim, "how": fault.how, "hit": hit,
            "length": lease.length, "moment": round(fault.moment, 3), "back": fault.back and round(fault.back, 3),
            "loaded": any(one.startswith(("link", "filter")) for each in said for one in each["seen"]),
            "after": round(gone - lease.end, 3) if there else None,
            "late": [one for one in said if one["seen"] and one["boot"] > lease.end + AFTER],
            "gap": round(station.watch.attended(lease.begin, lease.end + AFTER), 3)}


def main(order):
    folder = pathlib.Path(order["folder"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with all that it has started
    harness.run("ip", "link", "set", "lo", "up")
    with Station(folder, order["tag"], order["users"]) as station:
        for index in order["indexes"]:
            fault = Fault(order["seed"], index)
            try:
                print(json.dumps(one_lease(station, fault)), flush=True)
            except AssertionError as failure:
                raise AssertionError(f"lease {index}, {vars(fault)}: {failure}\n{station.device.tail()}\n{station.hub.tail()}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
