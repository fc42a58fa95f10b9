"""The same programs as workloads of a supervisor: what it says of them, what its modules see of their lines, and that they
go when their time is over, whoever dies."""

import contextlib
import os
import pathlib
import select
import signal
import struct
import time

import pytest

import harness
from harness import MODULE, http_get, wait
from kernel_programs import (CAP_NET_ADMIN, CLSACT, EGRESS, HUB, INGRESS, TCX, Link, Residue, Traces, attach, bpftool,
                             capabilities, object_of, spec)
from privileged import LOG, METRICS, POLICY, START, UPLINK, Supervisor, sha256, wasm_spec

APART = "kernel"  # run.py: programs of the same name and lines of the same words are seen by all

RULES = POLICY.replace("allow wasm", "allow wasm\nallow ebpf\nlease-max 1h") + "needs-approval ebpf\n"


@pytest.fixture(scope="module")
def link():
    with Link() as made:
        yield made


@pytest.fixture
def supervisor(work, link):
    with Supervisor(work / "s", RULES) as running:
        yield running
    wait(link.is_clean, 2, f"nothing is attached: {link.programs()} {link.qdiscs()}")


@pytest.fixture
def traces(work):
    with Traces(work / "trace") as made:
        yield made


def start(supervisor, name, what, **terms):
    """Takes the object over and starts it as root does by hand; its entry when it runs."""
    content = object_of(what).read_bytes()
    supervisor.client.take(content)
    hooks = terms.pop("hooks", [attach()])
    supervisor.client.ask(START, name, "ebpf", sha256(content), spec=spec(*hooks, **terms))
    entry = supervisor.client.until(name, "running", "ended")
    assert entry.state == "running", entry
    return entry


def ended(supervisor, name, seconds=10):
    return supervisor.client.until(name, "ended", seconds=seconds)


def tell_uplink(supervisor, address, port):
    supervisor.client.ask(UPLINK, spec=struct.pack("=BxH4s12x", 4, port, bytes(map(int, address.split(".")))))


def figures(supervisor, name):
    message = supervisor.client.ask(METRICS, name)
    (fd,) = message.fds
    text = b""
    try:
        while select.select([fd], [], [], 5)[0]:
            piece = os.read(fd, 65536)
            if not piece:
                return text.decode()
            text += piece
    finally:
        os.close(fd)
    raise AssertionError(f"the figures do not end: {text!r}")


def test_it_runs_its_lease_and_says_so(supervisor, link):
    entry = start(supervisor, "app/packets", "packets", lease=3)
    residue = Residue(entry.evidence)
    assert "packets at xdp:va (native), link" in entry.evidence
    assert 0 < entry.lease - entry.started <= 3100
    link.packets_come(count=5)
    text = figures(supervisor, "app/packets")
    assert 'packets_total{protocol="UDP"} 5' in text
    assert f'piccolo_ebpf_program_info{{program="packets",id="{residue.programs[0]}"' in text
    entry = ended(supervisor, "app/packets")
    assert entry.end == "lease" and "its time" in entry.end_text
    assert entry.ended - entry.lease < 300 * harness.SLOW, "by itself, not by the supervisor a second later"
    residue.gone()


def test_figures_of_many_at_once_and_of_nobody(supervisor, link):
    start(supervisor, "app/packets", "packets", lease=30)
    for _ in range(20):
        assert "piccolo_ebpf_lease_seconds" in figures(supervisor, "app/packets")
    message = supervisor.client.ask(METRICS, "app/packets")
    os.close(message.fds[0])  # a reader that goes away
    assert "piccolo_ebpf_lease_seconds" in figures(supervisor, "app/packets")


def test_it_is_stopped(supervisor, link, traces):
    entry = start(supervisor, "app/hello", "hello")
    residue = Residue(entry.evidence)
    assert len(traces.ours("app~hello")) == 1
    supervisor.client.stop("app/hello")
    assert residue.left() == [] and traces.ours("app~hello") == []
    assert supervisor.client.list() == {}


def test_the_runner_has_no_privileges(supervisor, link):
    entry = start(supervisor, "app/packets", "packets")
    sets, status = capabilities(entry.pid)
    assert set(sets.values()) == {0} and (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    entry = start(supervisor, "app/filter", "test-hooks", hooks=[attach("on_tc", CLSACT, INGRESS)])
    sets, status = capabilities(entry.pid)
    assert sets == {"CapInh": 0, "CapPrm": 1 << CAP_NET_ADMIN, "CapEff": 1 << CAP_NET_ADMIN,
                    "CapBnd": 1 << CAP_NET_ADMIN, "CapAmb": 0}
    assert int(status["Uid"].split()[0]) == entry.user


def test_what_cannot_run_is_not_tried_again(supervisor, link):
    content = object_of("packets").read_bytes()[:-300]
    supervisor.client.take(content)
    supervisor.client.ask(START, "app/broken", "ebpf", sha256(content), spec=spec(attach()))
    entry = ended(supervisor, "app/broken")
    assert entry.end == "invalid" and entry.end_text, entry


def test_a_filter_goes_with_a_killed_runner(supervisor, link):
    hooks = [attach("on_tc", CLSACT, INGRESS), attach("on_tc", CLSACT, EGRESS)]
    entry = start(supervisor, "app/filter", "test-hooks", hooks=hooks)
    residue = Residue(entry.evidence)
    assert len(link.filters()) == 2
    os.kill(entry.pid, signal.SIGKILL)
    ended(supervisor, "app/filter")
    residue.gone()
    assert link.is_clean()


def test_a_filter_goes_though_all_died(supervisor, link):
    entry = start(supervisor, "app/filter", "test-hooks", hooks=[attach("on_tc", CLSACT, INGRESS)], lease=3)
    residue = Residue(entry.evidence)
    supervisor.crash()
    os.kill(entry.pid, signal.SIGKILL)
    wait(lambda: not harness.alive(entry.pid))
    assert len(link.filters()) == 1, "nobody is left who could undo it"
    supervisor.start()
    wait(link.is_clean, 5)
    residue.gone()


@pytest.mark.parametrize("hook", [attach("on_xdp"), attach("on_tc", CLSACT, INGRESS), attach("on_ingress", TCX, INGRESS)])
def test_a_stopped_runner_is_ended_a_second_later(supervisor, link, hook):
    entry = start(supervisor, "app/one", "test-hooks", hooks=[hook], lease=2)
    residue = Residue(entry.evidence)
    os.kill(entry.pid, signal.SIGSTOP)
    left = entry.lease / 1000 - time.clock_gettime(time.CLOCK_BOOTTIME)
    wait(lambda: residue.left() == [], left + 2, "it is gone 2 s after its end")
    assert ended(supervisor, "app/one").end == "lease"


def test_it_ends_itself_without_a_supervisor(supervisor, link):
    entry = start(supervisor, "app/filter", "test-hooks", hooks=[attach("on_tc", CLSACT, INGRESS)], lease=3)
    residue = Residue(entry.evidence)
    supervisor.crash()
    left = entry.lease / 1000 - time.clock_gettime(time.CLOCK_BOOTTIME)
    wait(lambda: residue.left() == [], left + 1, "it ends itself")
    assert link.is_clean()
    supervisor.start()
    assert ended(supervisor, "app/filter").end == "lease"


# -- why it does not start --------------------------------------------------------------------------


def test_the_verifiers_words_are_in_the_log(supervisor, link):
    content = object_of("test-bad-packet").read_bytes()
    supervisor.client.take(content)
    supervisor.client.ask(START, "app/bad", "ebpf", sha256(content), spec=spec(attach()))
    entry = ended(supervisor, "app/bad")
    assert entry.end == "invalid" and "reads beyond the packet" in entry.end_text, entry
    lines = b"".join(os.pread(fd, 65536, 0) for fd in supervisor.client.ask(LOG, "app/bad").fds).decode().splitlines()
    assert any("verifier refused it; what it said last:" in line for line in lines), lines
    said = [line.split(" ", 2)[2] for line in lines if " e " in line]
    assert any("invalid access to packet" in line for line in said) and 1 < len(said) <= 40, lines


def test_a_missing_interface_is_a_reason_of_its_own(supervisor, link):
    content = object_of("packets").read_bytes()
    supervisor.client.take(content)
    supervisor.client.ask(START, "app/lost", "ebpf", sha256(content), spec=spec(attach(target="nowhere")))
    entry = ended(supervisor, "app/lost")
    assert entry.end == "missing" and "no network interface nowhere; this device has: va" in entry.end_text, entry


# -- the way to the hub -----------------------------------------------------------------------------


def test_the_hub_must_answer(supervisor, link):
    tell_uplink(supervisor, link.theirs, HUB)
    content = object_of("test-drop-hidden").read_bytes()
    supervisor.client.take(content)
    supervisor.client.ask(START, "app/drop", "ebpf", sha256(content), spec=spec(attach(), confirm=3))
    entry = ended(supervisor, "app/drop")
    assert entry.end == "rolled-back" and entry.end_text.startswith("rolled back: the hub's address did not answer"), entry
    assert link.is_clean()


def test_a_later_dropper_is_off_within_15_s(supervisor, link):
    tell_uplink(supervisor, link.theirs, HUB)
    start(supervisor, "app/drop", "test-drop-later")
    with link.traffic():
        begin = time.monotonic()
        entry = ended(supervisor, "app/drop", 21)  # it begins after five
    assert entry.end == "rolled-back" and time.monotonic() - begin < 20 * harness.SLOW, entry


def test_a_supervisor_that_is_away_rolls_nothing_back(supervisor, link):
    tell_uplink(supervisor, link.theirs, HUB)
    entry = start(supervisor, "app/packets", "packets", lease=60)
    supervisor.crash()
    with pytest.raises(AssertionError):  # two rounds and more
        wait(lambda: not harness.alive(entry.pid), 16 / harness.SLOW)
    supervisor.start()
    assert supervisor.client.list()["app/packets"].state == "running"


# -- what its lines are for -------------------------------------------------------------------------


def trace_folder_spec(port):
    """A module with the instance's trace folder as its root."""
    made = bytearray(wasm_spec(folders=[("/", "/sys/kernel/debug/tracing", False)], listen=[f"tcp {port}"], args=[str(port)]))
    flags = struct.calcsize("<IIQI128s256s?")
    made[flags] = 1  # struct pic_wasm_folder.trace
    return bytes(made)


def test_a_module_shows_its_lines_live(supervisor, link):
    content = MODULE.read_bytes()
    supervisor.client.take(content)
    supervisor.client.ask(START, "app/web", "wasm", sha256(content), spec=trace_folder_spec(8085))
    page = lambda: http_get(8085, "/trace")[1]  # noqa: E731
    wait(lambda: "Nothing is traced" in page(), 10, "the page is there")
    module = supervisor.client.list()["app/web"].pid
    start(supervisor, "app/hello", "hello", lease=4)
    link.packets_come()
    wait(lambda: "Hello, World!" in page(), 5, "its lines are in the page")
    assert "Hello, World!" in page(), "and stay there"
    link.packets_come()
    ended(supervisor, "app/hello")
    wait(lambda: "Nothing is traced" in page() and "Hello" not in page(), 5, "the page says that it is over")
    assert supervisor.client.list()["app/web"].pid == module


def test_the_pipe_ends_with_its_owner(supervisor, link):
    start(supervisor, "app/hello", "hello", lease=3)
    pipe = supervisor.run / "i" / "app" / "trace_pipe"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        link.packets_come(count=3)
        wait(lambda: b"Hello, World!\n" in os.read(reader, 4096), 5, "a line")
        ended(supervisor, "app/hello")
        wait(lambda: os.read(reader, 4096) == b"", 2, "its end")
    finally:
        os.close(reader)


def test_a_pipe_that_nobody_reads_keeps_the_newest(supervisor, link):
    start(supervisor, "app/hello", "hello", lease=60)
    for _ in range(8):  # 100 lines a second
        link.packets_come(count=150)
        with contextlib.suppress(AssertionError):
            wait(lambda: False, 1 / harness.SLOW)
    reader = os.open(supervisor.run / "i" / "app" / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
    lines = os.read(reader, 65536).decode().splitlines()
    os.close(reader)
    times = [float(line.split(":")[0]) for line in lines if "Hello" in line]
    now = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert len(lines) > 200 and times == sorted(times)
    assert now - times[-1] < 3 * harness.SLOW, "the newest are there"
