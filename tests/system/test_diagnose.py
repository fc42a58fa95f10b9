"""piccoloctl diagnose against a real device: asked, allowed, seen, gone. The kernel's own list is the witness."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import harness
from test_approvals import approval, decide, program  # noqa: F401 (a fixture)

APART = "kernel"  # run.py: programs of the same name and lines of the same words are seen by all


def programs():
    """XDP programs in this machine's kernel that are called like ours."""
    listed = json.loads(subprocess.run(["bpftool", "-j", "prog", "list"], check=True, capture_output=True).stdout or "[]")
    return [one for one in listed if one.get("name") == "count" and one["type"] == "xdp"]


@pytest.fixture
def pair(hub, device):
    """A device whose target takes programs: one without bindings takes everything."""
    edge = harness.target()
    edge["spec"].pop("topologies")
    hub.apply(edge)
    harness.wait(lambda: hub.device_state()["online"], 10, "the device is connected")
    return hub, device


class Diagnosis:
    def __init__(self, hub, file, *options, attach="xdp:lo:skb"):
        self.hub = hub
        self.process = subprocess.Popen(
            [harness.BIN / "piccoloctl", "diagnose", "tiny-edge", file, "--reason", "packets get lost",
             "--attach", attach, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **hub.environment})
        self.text = ""

    def request(self):
        """The name of the request, which stands in the first line."""
        descriptor = self.process.stdout.fileno()  # a reader with a buffer would keep what follows from end()
        while "\n" not in self.text and (more := os.read(descriptor, 65536)):
            self.text += more.decode()
        found = re.match(r"request (\S+) waits for a decision: (https://\S+)", self.text)
        assert found, self.text
        assert found.group(2) == approval(self.hub, found.group(1))["url"]
        return found.group(1)

    def end(self, seconds=40):
        rest, _ = self.process.communicate(timeout=seconds * harness.SLOW)
        self.text += rest
        return self.process.returncode


def nothing_left(hub):
    for kind in "instances", "solutions", "catalogs":
        assert json.loads(hub.kubectl("get", kind, "-o", "json").stdout)["items"] == []
    assert programs() == []


def test_allowed_seen_gone(pair, program):  # noqa: F811
    hub, _ = pair
    run = Diagnosis(hub, program, "--for", "8s")
    name = run.request()
    assert programs() == []
    assert decide(hub, name)[0] == 200
    harness.wait(programs, 5, "the program is in the kernel")
    before = time.monotonic()
    assert run.end() == 0, run.text
    assert time.monotonic() - before < 20 * harness.SLOW
    assert f"request {name}: Approved, ends" in run.text and "Running" in run.text
    assert re.search(r"packets_total\{.*component=\"program\".*\} \d+", run.text), run.text
    assert "tiny-edge: the program is gone" in run.text
    assert approval(hub, name)["phase"] == "Ended"
    nothing_left(hub)


def test_no_longer_than_the_device_allows(pair, program):  # noqa: F811
    hub, device = pair
    device.policy.write_text(device.policy.read_text().replace("lease-max 8h", "lease-max 6s"))
    device.process.send_signal(signal.SIGHUP)
    harness.wait(lambda: hub.device_state().get("lease-max-seconds") == 6, 5, "the hub knows it")
    run = Diagnosis(hub, program, "--for", "2h")
    name = run.request()
    assert approval(hub, name)["lengthSeconds"] == 6
    before = time.time()
    assert decide(hub, name)[0] == 200
    assert run.end() == 0, run.text
    assert time.time() - before < 20 * harness.SLOW
    assert "for 6s: the policy of tiny-edge allows no more" in run.text, run.text
    assert approval(hub, name)["phase"] == "Ended"
    nothing_left(hub)


def test_rejected(pair, program):  # noqa: F811
    hub, _ = pair
    run = Diagnosis(hub, program)
    name = run.request()
    assert decide(hub, name, "reject", comment="not now")[0] == 200
    assert run.end() == 3, run.text
    assert "Rejected" in run.text
    nothing_left(hub)


@pytest.mark.parametrize("allowed", [False, True])
def test_interrupted(pair, program, allowed):  # noqa: F811
    hub, _ = pair
    run = Diagnosis(hub, program, "--for", "10m")
    name = run.request()
    if allowed:
        assert decide(hub, name)[0] == 200
        harness.wait(programs, 5, "the program is in the kernel")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == (0 if allowed else 1), run.text
    assert approval(hub, name)["phase"] == ("Revoked" if allowed else "Rejected")
    nothing_left(hub)


def test_revoked_by_somebody_else(pair, program):  # noqa: F811
    hub, _ = pair
    run = Diagnosis(hub, program, "--for", "10m")
    name = run.request()
    assert decide(hub, name)[0] == 200
    harness.wait(programs, 5, "the program is in the kernel")
    hub.ctl("revoke", name)
    harness.wait(lambda: not programs(), 5, "the program is gone from the kernel")
    assert run.end() == 3, run.text
    nothing_left(hub)


@pytest.mark.parametrize(("name", "attach", "status", "word"), [
    ("count", "xdp:wrong0:skb", 1, "wrong0"),  # there is no such card
    ("test-loop-endless.bpf.o", "xdp:lo:skb", 1, "verifier"),  # its verifier says no
    ("forbidden", "xdp:lo:skb", 3, "policy"),  # its device does not want it
])
def test_what_cannot_run_keeps_no_permission(pair, program, name, attach, status, word):  # noqa: F811
    """The device tries and says why: the permission is given back at once, not after an hour of tries."""
    hub, device = pair
    if name == "forbidden":
        device.policy.write_text(device.policy.read_text() + "ebpf interfaces eth9\n")
        device.process.send_signal(signal.SIGHUP)
    run = Diagnosis(hub, harness.SAMPLES / name if name.endswith(".o") else program, "--for", "1h", attach=attach)
    request = run.request()
    assert decide(hub, request)[0] == 200
    assert run.end() == status, run.text
    [said] = [line for line in run.text.splitlines() if line.startswith("piccoloctl: ")]
    assert said.startswith("piccoloctl: the program does not run on tiny-edge: ") and word in said, run.text
    assert approval(hub, request)["phase"] == "Revoked"
    nothing_left(hub)


def test_wrong_words(pair, program, tmp_path):  # noqa: F811
    hub, _ = pair
    for words, status, word in ((["tiny-edge", program], 2, "--reason"), (["No!", program, "--reason", "x"], 2, "No!"),
                                (["missing", program, "--reason", "x"], 1, "missing"),
                                (["tiny-edge", tmp_path / "none", "--reason", "x"], 1, "none"),
                                (["tiny-edge", program, "--reason", "x", "--attach", "nowhere"], 1, "nowhere")):
        done = hub.ctl("diagnose", *words, check=False)
        assert done.returncode == status and word in done.stderr, (words, done.returncode, done.stderr)
    nothing_left(hub)
