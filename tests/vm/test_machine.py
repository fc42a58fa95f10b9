"""From a bare image to a managed box, on a machine of its own: first boot by Ignition, the story, clocks that are really
set, a boot without network, power cuts. One machine with 256 MB goes through all of it, in the order below."""

import http.client
import json
import os
import pathlib
import random
import time

import pytest

import harness
from harness import SAMPLES, TINY_EDGE, TITLE, component, free_port, http_get, instance, server, solution
from machine import Machine

HOST = "10.0.2.2"  # the hub's loopback, as the machine sees it
CUTS = int(os.environ.get("PICCOLO_CUTS", "20"))
FIGURES = []  # what the run measured; printed at its end, kept in docs/


class Hub(harness.Hub):
    """Devices come from the machine's side; kubectl and piccoloctl stay on this one."""

    def __init__(self, folder):
        port = free_port()
        super().__init__(folder, "--public-url", f"https://{HOST}:{port}", port=port)

    def start(self):
        super().start()
        self.kubeconfig.write_text(self.kubeconfig.read_text().replace(HOST, "127.0.0.1"))
        return self


class World:
    def __init__(self, hub, machine, page):
        self.hub, self.machine, self.page_port = hub, machine, page

    def page(self, path="/"):
        """The body, or None: QEMU takes each connection, whether somebody listens inside or not."""
        try:
            status, body = http_get(self.page_port, path, timeout=5)
        except (OSError, EOFError, http.client.HTTPException):
            return None
        return body if status == 200 else None

    def serves(self, seconds=120):
        self.machine.wait(lambda: TITLE in (self.page() or ""), seconds, "the page answers on the forwarded port")

    def programs(self):
        """What the machine's own kernel lists of ours."""
        return [one for one in json.loads(self.machine.shell("bpftool -j prog show")) if one.get("name") == "hello"]

    def connected(self):
        state = self.hub.device_state()
        return state and state["online"]

    def allow(self, length):
        """The sample campaign with its window, approved."""
        self.hub.kubectl("delete", "activation/ebpf-approval", "campaign/ebpf-approval", "--ignore-not-found")
        text = (TINY_EDGE / "campaign.yaml").read_text()
        assert text.count("length: 2h") == 1
        self.hub.ctl("apply", "-f", "-", input=text.replace("length: 2h", f"length: {length}"))
        self.hub.ctl("apply", "-f", TINY_EDGE / "activation.yaml")

        def pending():
            items = json.loads(self.hub.kubectl("get", "approvals", "-o", "json").stdout)["items"]
            return next(one["metadata"]["name"] for one in items if one["status"]["phase"] == "Pending")

        name = harness.wait(pending, 20, "a request waits")
        self.hub.ctl("approve", name)
        self.machine.wait(self.programs, 60, "the program is in the kernel")
        return name


@pytest.fixture(scope="module")
def world(place, image, extension):
    with Hub(place / "hub") as hub:
        hub.ctl("device", "create", "tiny-edge")
        config = place / "tiny-edge.ign"
        hub.ctl("ignition", "tiny-edge", "--extension", extension, "--pointer", "--to", config)
        page = free_port()
        with Machine(place / "machine", image, ignition=config, forward={page: 8085}) as machine:
            yield World(hub, machine, page)
    print("\n" + "\n".join(FIGURES))


def test_first_boot_makes_a_device(world):
    hub, machine = world.hub, world.machine
    machine.start()
    FIGURES.append(f"first boot to root's shell: {machine.wait_for_shell(600):.0f} s")
    assert "piccolo" in machine.shell("systemd-sysext status")
    machine.wait(world.connected, 120, "the device has joined")
    FIGURES.append(f"start to joined: {time.monotonic() - machine.started:.0f} s")
    assert machine.shell("systemctl --failed --quiet") == ""
    assert "pice_" not in machine.shell("grep -rs pice_ /etc/piccolo /var/lib/piccolo /run/piccolo; true"), "the token is gone"
    hub.apply_sample()
    hub.push(SAMPLES / "hello.bpf.o")
    world.serves()
    FIGURES.append(f"start to the page: {time.monotonic() - machine.started:.0f} s")
    harness.wait(lambda: hub.is_ready("tiny-app"), 30, "the instance is Ready")
    free = machine.shell("awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo").strip()
    FIGURES.append(f"memory: {machine.memory} MB, {free} MB of it free with the page served")


def test_check_finds_nothing_wrong(world):
    report = json.loads(world.machine.shell("piccolo check -o json"))
    assert report, report


def test_approved_program_in_the_kernel(world):
    hub, machine = world.hub, world.machine
    name = world.allow("30s")
    machine.wait(lambda: "Hello, World!" in (world.page("/trace") or ""), 20, "the page shows its lines")
    end = harness.wait(lambda: hub.get("approval", name)["status"]["ends"], 5, "it has an end")
    machine.wait(lambda: not world.programs(), 60, "it is gone")
    machine.wait(lambda: hub.get("approval", name)["status"]["phase"] == "Ended", 20, f"the approval has ended ({end})")
    assert machine.shell("bpftool -j net show dev $(ls /sys/class/net | grep -v lo) | grep -c hello", check=False).strip() == "0"
    world.serves(10)


@pytest.mark.parametrize("by", ["+1 day", "-1 day"])
def test_clock_is_really_set(world, by):
    """Whatever the clock says, a program does not outlive the length it was given, and does not come back."""
    machine = world.machine
    world.allow("40s")
    begun = time.monotonic()
    machine.shell(f"date -s '{by}' >/dev/null")
    try:
        machine.wait(lambda: not world.programs(), 60, "it is gone")
        assert time.monotonic() - begun < 45
        for _ in range(5):
            assert not world.programs(), "it came back"
            time.sleep(1)
        world.serves(20)
    finally:
        machine.shell(f"date -s '{'-' if by[0] == '+' else '+'}{by[1:]}' >/dev/null")
    machine.wait(world.connected, 60, "the hub and the device go on")


def test_reboot_without_network(world):
    machine = world.machine
    machine.power_off()
    machine.start(network=False)
    machine.wait_for_shell(300)
    machine.wait(lambda: TITLE in machine.shell("curl -s http://127.0.0.1:8085/", check=False), 60, "the module is back from disk")
    told = machine.shell("piccolo status")
    assert "HubUnreachable" in told and "Running" in told, told
    assert not world.programs()
    machine.power_off()
    machine.start()
    machine.wait_for_shell(300)
    machine.wait(world.connected, 120, "it is connected again")


def test_power_cuts(world):
    """At random moments of boot, of work and of changes: the disk can be read, the desired state is back, nothing of what
    was taken away."""
    hub, machine = world.hub, world.machine
    chance = random.Random(20261124)
    if not machine.is_running():
        machine.cut()
        machine.start()
    longest = 0
    for number in range(CUTS):
        other = number % 2 == 0
        parts = [server("wasm-module", 8085)] + ([server("second", 8086)] if other else [])
        hub.apply(solution(*parts), instance())
        time.sleep(chance.uniform(0.5, 45))  # the random moment; not what is waited for
        machine.cut()
        machine.check_disk()
        machine.start()
        if number % 5 == 4 or number == CUTS - 1:
            machine.wait_for_shell(300)
            world.serves()
            longest = max(longest, time.monotonic() - machine.started)
            harness.wait(lambda: hub.is_ready("tiny-app"), 120, "the instance is Ready")
            running = json.loads(machine.shell("piccolo status -o json"))
            names = sorted(part["component"] for part in running["components"])
            assert names == (["second", "wasm-module"] if other else ["wasm-module"]), running
            assert machine.shell("systemctl --failed --quiet") == ""
            assert not world.programs()
    FIGURES.append(f"power cuts: {CUTS}, each disk clean after its journal; longest from power to page {longest:.0f} s")
