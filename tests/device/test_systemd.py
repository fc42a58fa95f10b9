"""Life under a real systemd: the two units, what they leave alone, what they write, what a boot and an end are like."""

import contextlib
import json
import os
import re
import statistics

import pytest

import harness
import kernel_programs
from harness import ROOT, TITLE, wait
from machine import KERNEL_WORK, SUITE, Machine
from privileged import START, Client, sha256

UNITS = ("piccolo.service", "piccolo-agent.service")
PORT = 8085
AGENT_EXPOSURE, SUPERVISOR_EXPOSURE = 1.5, 6.7  # what systemd-analyze security may say at most
ADDED_MS = 100


class Box(Machine):
    """A machine with the build's `piccolo` as a package would install it."""

    def install(self):
        self.copy(harness.BIN / "piccolo", "/usr/bin/piccolo")
        for unit in UNITS:
            self.copy(ROOT / "image/systemd" / unit, f"/usr/lib/systemd/system/{unit}", 0o644)
        if SUITE == "bookworm":
            self.copy(ROOT / "image/systemd/piccolo.service.d/systemd-before-254.conf",
                      "/usr/lib/systemd/system/piccolo.service.d/systemd-before-254.conf", 0o644)
        self.copy(ROOT / "image/sysusers.d/piccolo.conf", "/usr/lib/sysusers.d/piccolo.conf", 0o644)
        self.copy(ROOT / "etc/policy.conf", "/etc/piccolo/policy.conf", 0o644)

    def enable(self):
        self.run("systemd-sysusers")
        self.run("systemctl", "enable", *UNITS)

    def join(self, hub, target="tiny-edge"):
        enrolled = json.loads(hub.ctl("enroll", target, "-o", "json").stdout)
        self.run("piccolo", "join", hub.url, "--target", target, "--ca-pin", enrolled["ca-pin"], "--token-file", "-",
                 input=enrolled["token"] + "\n")

    def status(self):
        said = self.run("piccolo", "status", "-o", "json", check=False)
        return json.loads(said.stdout) if said.returncode == 0 else None

    def workload(self):
        """The module's number inside; None while it does not run."""
        for component in (self.status() or {}).get("components", []):
            if component["phase"] == "Running":
                return component["evidence"]["pid"]
        return None

    def serves(self):
        def answer():
            with contextlib.suppress(OSError):
                return TITLE in harness.http_get(PORT)[1] and self.workload()
        return wait(answer, 20, f"the page (journal: {self.told()})")

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID")["MainPID"])

    def active(self, unit):
        facts = self.show(unit, "ActiveState", "MainPID")
        return int(facts["MainPID"]) if facts["ActiveState"] == "active" else None

    def told(self):
        with contextlib.suppress(AssertionError):
            return "\n".join(entry["MESSAGE"] for entry in self.journal("-t", "piccolo")[-20:])
        return "none"


@pytest.fixture(scope="module")
def hub(place):
    with harness.Hub(place / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def box(place, hub):
    """A booted machine that has joined and serves the sample."""
    with Box(place / "box", options=KERNEL_WORK) as machine:
        machine.install()
        machine.boot()
        machine.enable()
        machine.join(hub)
        machine.run("systemctl", "start", *UNITS)
        hub.apply_sample()
        machine.serves()
        yield machine


@pytest.fixture
def pid(box):
    """Of the sample's module; it must be the same afterwards, and no process started again."""
    before = box.serves()
    yield before
    assert box.serves() == before
    assert not box.journal("PICCOLO_EVENT=workload-half-adopted")


def renewed(box, unit, before):
    """Waits for another main process of the unit that says it is ready."""
    return wait(lambda: box.active(unit) not in (None, before) and box.active(unit), 20,
                f"{unit} has started again ({box.told()})")


def settled(box):
    """The agent has its supervisor again and the module is known as running."""
    wait(lambda: (box.status() or {}).get("supervisor") and box.workload(), 20, "the agent sees its supervisor")


# -- what outlives what


def test_nothing_is_wrong_after_the_start(box, pid):
    assert box.state() == "running", box.run("systemctl", "--failed").stdout
    for unit in UNITS:
        assert box.show(unit, "ActiveState", "Type", "NotifyAccess") == {
            "ActiveState": "active", "Type": "notify", "NotifyAccess": "main"}
    assert box.run("stat", "-c", "%U", f"/proc/{box.main_pid(UNITS[1])}").stdout == "piccolo\n"


@pytest.mark.parametrize("unit", UNITS)
def test_a_restart_leaves_workloads_alone(box, pid, unit):
    before = box.main_pid(unit)
    box.run("systemctl", "restart", unit)
    assert box.active(unit) not in (None, before)
    settled(box)


@pytest.mark.parametrize("unit", UNITS)
def test_a_crash_leaves_workloads_alone(box, pid, unit):
    before = box.main_pid(unit)
    box.run("kill", "-KILL", str(before))
    renewed(box, unit, before)
    settled(box)


def test_a_stop_leaves_workloads_alone(box, pid):
    box.run("systemctl", "stop", *UNITS)
    assert TITLE in harness.http_get(PORT)[1]
    assert box.run("ps", "-o", "pid=", "-p", str(pid)).stdout.strip() == str(pid)
    box.run("systemctl", "start", *UNITS)
    settled(box)


def test_an_upgrade_leaves_workloads_alone(box, pid):
    """As dpkg does: the new file takes the old one's name, then the services are started again."""
    with open(box.path("/usr/bin/piccolo"), "rb") as old:
        box.copy(harness.BIN / "piccolo", "/usr/bin/piccolo")
        assert os.fstat(old.fileno()).st_nlink == 0
        box.run("systemctl", "restart", *UNITS)
        for unit in UNITS:
            new = os.stat(box.path(f"/proc/{box.main_pid(unit)}/exe"))
            assert new.st_ino != os.fstat(old.fileno()).st_ino
    settled(box)


@pytest.mark.parametrize("unit", UNITS)
def test_who_hangs_is_started_again(box, pid, unit):
    box.write(f"/run/systemd/system/{unit}.d/quick.conf", "[Service]\nWatchdogSec=1s\n")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", unit)
    before = box.main_pid(unit)
    starts = int(box.show(unit, "NRestarts")["NRestarts"])
    # one that works is left alone for several of these seconds: it is fed
    fed = [box.show(unit, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"]]
    while len(fed) < 4:
        fed.append(wait(lambda: (now := box.show(unit, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"])
                        not in fed and now, 10, "the watchdog is fed"))
    assert box.main_pid(unit) == before
    box.run("kill", "-STOP", str(before))
    renewed(box, unit, before)
    assert int(box.show(unit, "NRestarts")["NRestarts"]) == starts + 1
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in box.journal("-u", unit))
    box.path(f"/run/systemd/system/{unit}.d/quick.conf").unlink()
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", unit)
    settled(box)


def test_a_program_in_the_kernel_is_loaded_and_outlives_its_supervisor(box):
    """The unit leaves the supervisor what a loader needs, and no more than that reaches the runner."""
    harness.run("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb")
    harness.run("ip", "link", "set", "va", "up")
    name, content = "test/packets", kernel_programs.object_of("packets").read_bytes()
    with Client(box.path("/run/piccolo")) as client:
        client.take(content)
        client.ask(START, name, "ebpf", sha256(content), spec=kernel_programs.spec(kernel_programs.attach(), confirm=0))
        entry = client.until(name, "running", "ended")
        assert entry.state == "running", entry
    assert "xdp" in harness.run("ip", "link", "show", "va").stdout
    box.run("systemctl", "restart", "piccolo")
    with Client(box.path("/run/piccolo")) as client:
        assert client.list()[name].pid == entry.pid
        assert "xdp" in harness.run("ip", "link", "show", "va").stdout
        client.stop(name)
    wait(lambda: "xdp" not in harness.run("ip", "link", "show", "va").stdout, 10, "it is gone from the interface")
    harness.run("ip", "link", "delete", "va")
    settled(box)


# -- what is written


def test_entries_have_fields(box):
    started = box.journal("PICCOLO_EVENT=supervisor-ready")[-1]
    assert started["_SYSTEMD_UNIT"] == "piccolo.service"
    assert started["_TRANSPORT"] == "journal"
    assert started["SYSLOG_IDENTIFIER"] == "piccolo"
    assert started["PRIORITY"] == "6"
    assert started["PICCOLO_PROGRAM"] == "supervisor"
    assert started["PICCOLO_RUN"] == "/run/piccolo"
    assert started["MESSAGE"].startswith("event=supervisor-ready run=/run/piccolo ")
    ready = box.journal("PICCOLO_EVENT=agent-ready", "PICCOLO_TARGET=tiny-edge")[-1]
    assert ready["_SYSTEMD_UNIT"] == "piccolo-agent.service"
    assert ready["PICCOLO_PROGRAM"] == "agent"


def test_what_a_workload_did_is_found_by_its_name(box):
    events = {entry["PICCOLO_EVENT"] for entry in box.journal("PICCOLO_WORKLOAD=tiny-app~wasm-module")}
    assert "workload-started" in events


# -- what the units may do


def test_systemd_has_no_complaint(box):
    said = box.run("systemd-analyze", "verify", "--man=no", *UNITS)
    lines = (said.stdout + said.stderr).splitlines()
    if SUITE == "bookworm":  # it ignores what it does not know yet
        lines = [line for line in lines if not re.search("Unknown key '(RestartSteps|RestartMaxDelaySec|DelegateSubgroup)'", line)]
    assert lines == []


@pytest.mark.parametrize("unit, most", [(UNITS[0], SUPERVISOR_EXPOSURE), (UNITS[1], AGENT_EXPOSURE)])
def test_the_units_are_not_more_exposed_than_needed(box, unit, most):
    said = box.run("systemd-analyze", "security", "--no-pager", unit).stdout
    level = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))
    print(f"{unit}: {level}")
    assert level <= most, said


def test_every_open_point_has_its_reason(box):
    """What `systemd-analyze security` counts against the supervisor's unit is named in the unit."""
    text = (ROOT / "image/systemd/piccolo.service").read_text()
    said = json.loads(box.run("systemd-analyze", "security", "--json=short", "piccolo.service").stdout)
    open_points = {point["name"] for point in said if not point["set"] and point["exposure"]}
    unnamed = []
    for point in open_points:
        setting, _, rest = point.partition("=")
        words = re.findall(r"[A-Z][A-Z_]+", rest) if setting == "CapabilityBoundingSet" else [f"{setting}="]
        if not any(word.removeprefix("CAP_") in text for word in words):
            unnamed.append(point)
    assert not unnamed, f"no reason in the unit for {sorted(unnamed)}"


# -- a disk that is not as it should be


def problems(box):
    return {problem["code"]: problem for problem in (box.status() or {}).get("problems", [])}


def started_with(box, fstab):
    box.path("/etc/fstab").write_text(fstab)
    box.reboot()


def starts(box, unit, most):
    """The seconds between the first starts of a unit since the boot."""
    def seen():
        times = [int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6 for entry in box.journal("-b", "_PID=1", f"UNIT={unit}")
                 if entry["MESSAGE"].startswith(f"Starting {unit} ")]
        return len(times) > most and times[:most + 1]
    times = wait(seen, 30, f"{unit} is tried {most} times")
    return [later - earlier for earlier, later in zip(times, times[1:])]


@pytest.fixture
def disk(box):
    """Gives the machine another /var/lib/piccolo at its next start; afterwards it has its own again."""
    yield lambda fstab: started_with(box, fstab)
    started_with(box, "")
    box.serves()


def test_on_a_read_only_disk_what_was_there_runs(box, disk):
    disk("/var/lib/piccolo /var/lib/piccolo none bind,ro 0 0\n")
    assert box.run("touch", "/var/lib/piccolo/agent/x", check=False).returncode != 0
    box.serves()
    assert box.state() == "running", box.run("systemctl", "--failed").stdout
    assert problems(box)["P13"]["state"] == "error" and "read-only" in problems(box)["P13"]["message"]
    (told,) = box.journal("-b", "PICCOLO_EVENT=check", "PICCOLO_CODE=P13")
    assert told["PRIORITY"] == "3" and "read-only" in told["PICCOLO_WHY"] and told["PICCOLO_ADVICE"]
    for unit in UNITS:
        assert box.show(unit, "NRestarts") == {"NRestarts": "0"}


def test_a_read_only_disk_without_a_state_folder_is_no_boot_loop(box, disk):
    box.run("mkdir", "-p", "/srv/lib")
    disk("/srv/lib /var/lib none bind,ro 0 0\n")
    pauses = starts(box, "piccolo.service", 4)
    if SUITE == "bookworm":
        assert min(pauses) > 0.9, pauses
    else:
        assert pauses == sorted(pauses) and pauses[-1] > 0.3, pauses  # longer and longer
    said = json.loads(box.run("piccolo", "check", "-o", "json", check=False).stdout)["findings"]
    (state,) = [finding for finding in said if finding["code"] == "P13"]
    assert state["state"] == "error" and "cannot be made" in state["message"]
    assert any("Read-only file system" in entry["MESSAGE"] for entry in box.journal("-b", "-u", "piccolo.service"))
    box.run("mount", "-o", "remount,bind,rw", "/var/lib")  # somebody repairs it: nobody has to start the service
    wait(lambda: box.active("piccolo.service"), 90, "it has come back by itself")


def test_a_full_disk_is_named_and_the_old_state_stays(box, disk):
    box.run("sh", "-c", "rm -rf /srv/small && mkdir -p /srv/small && cp -a /var/lib/piccolo/. /srv/small/")
    box.write("/usr/lib/systemd/system/small.service", "[Unit]\nDefaultDependencies=no\nAfter=var-lib-piccolo.mount\n"
              "Before=piccolo.service\n[Service]\nType=oneshot\n"
              "ExecStart=sh -c 'cp -a /srv/small/. /var/lib/piccolo/; dd if=/dev/zero of=/var/lib/piccolo/fill bs=4k || true'\n"
              "[Install]\nRequiredBy=piccolo.service\n")
    box.run("systemctl", "enable", "small.service")
    disk("tmpfs /var/lib/piccolo tmpfs size=4M,mode=755 0 0\n")
    try:
        box.serves()
        assert problems(box)["P14"]["state"] == "error" and "is full" in problems(box)["P14"]["message"]
        (told,) = box.journal("-b", "PICCOLO_EVENT=check", "PICCOLO_CODE=P14")
        assert told["PRIORITY"] == "3"
        for unit in UNITS:
            assert box.show(unit, "NRestarts") == {"NRestarts": "0"}
    finally:
        box.run("systemctl", "disable", "small.service")


def test_controllers_that_are_missing_are_named(box):
    if "memory" in box.run("cat", "/sys/fs/cgroup/cgroup.controllers").stdout.split():
        pytest.skip("this machine has its controllers")
    assert "without memory" in problems(box)["P07"]["message"]
    told = box.journal("-b", "PICCOLO_EVENT=check", "PICCOLO_CODE=P07")
    assert told and {entry["PRIORITY"] for entry in told} == {"4"}
    assert "P07" in box.run("piccolo", "status").stdout


# -- the end, and the beginning


def test_a_reboot_ends_workloads_in_order_and_brings_them_back(box):
    box.serves()
    box.reboot()
    before = box.journal("-b", "-1", "-u", "piccolo.service")
    last = max(i for i, entry in enumerate(before) if entry.get("PICCOLO_EVENT") == "ending")
    told = [entry.get("PICCOLO_EVENT") or entry["MESSAGE"] for entry in before[last:]]
    assert "workload-ended" in told, told
    assert not [said for said in told if "SIGKILL" in said or "timed out" in said], told
    agent = box.journal("-b", "-1", "PICCOLO_EVENT=agent-ending")[-1]
    assert int(agent["__MONOTONIC_TIMESTAMP"]) <= int(before[last]["__MONOTONIC_TIMESTAMP"])  # nobody starts them again
    assert box.state() == "running", box.run("systemctl", "--failed").stdout
    box.serves()


def test_nothing_is_left_when_it_is_switched_off(box):
    box.serves()
    box.poweroff()
    assert not harness.workload_processes()
    with pytest.raises(OSError):
        harness.http_get(PORT)
    assert list((box.root / "run").glob("piccolo*")) == []
    box.boot()
    box.serves()


def boot_ms(box):
    """From the start of the machine's systemd to the end of its boot, by its own clock."""
    facts = box.run("systemctl", "show", "--property=UserspaceTimestampMonotonic", "--property=FinishTimestampMonotonic")
    times = dict(line.split("=") for line in facts.stdout.split())
    return (int(times["FinishTimestampMonotonic"]) - int(times["UserspaceTimestampMonotonic"])) / 1000, \
        int(times["UserspaceTimestampMonotonic"]) / 1000


def test_a_boot_is_hardly_longer(box):
    """With and without, by turns: what the agent's first word to its hub adds to a boot without Piccolo. The shortest boots
    are compared, since what other programs of this machine take is not ours; on a busy one that wants more turns."""
    least, most = (int(number) for number in os.environ.get("PICCOLO_BOOTS", "3-40").split("-"))
    without, finished, contact = [], [], []
    while len(contact) < least or (min(contact) - min(without) > ADDED_MS * harness.SLOW and len(contact) < most):
        box.run("systemctl", "mask", *UNITS)
        box.reboot()
        without.append(boot_ms(box)[0])
        box.run("systemctl", "unmask", *UNITS)
        box.reboot()
        length, begin = boot_ms(box)
        finished.append(length)
        entry = wait(lambda: box.journal("-b", "PICCOLO_EVENT=hub-connected"), 20, "the agent has spoken with its hub")[0]
        contact.append(int(entry["__MONOTONIC_TIMESTAMP"]) / 1000 - begin)
    for what, times in (("boot without", without), ("boot with", finished), ("first contact", contact)):
        print(f"{what}: least {min(times):.0f} ms, median {statistics.median(times):.0f} ms of {len(times)}")
    assert min(contact) - min(without) <= ADDED_MS * harness.SLOW
