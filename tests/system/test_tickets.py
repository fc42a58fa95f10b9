"""Permissions with an end: what the supervisor takes for a ticket, what it starts by one, and that it ends.

A WebAssembly module stands for the kernel program: the policy here asks for an approval of the type wasm, so everything
about tickets, bindings and ends is the same."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import time

import pytest

import harness
import privileged
import ticket_maker
from fake_hub import Authority, FakeHub
from harness import alive, wait
from privileged import (HOLD, METRICS, POLICY, RELEASE, REVOKE, STAMP, START, STOP, TICKET, TO_REPLACE, UPLINK, Client, Refused,
                        Supervisor, module, sha256, wasm_spec)
from ticket_maker import Signer

NAME = "tiny-app/probe"
FILE = "tiny-app~probe"
SLEEPER = module(privileged.SLEEPER)
AGENT = 1899999998
STRICT = POLICY + "needs-approval wasm\n"


def boot_ms():
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "a")


@pytest.fixture(scope="module")
def signer(authority):
    return Signer(authority)


@pytest.fixture
def supervisor(work, authority):
    with Supervisor(work / "s", STRICT, "--target", "tiny-edge", "--ca-pin", authority.pin()) as running:
        running.client.take(SLEEPER)
        yield running


class Agent(Client):
    """Speaks as the agent's user, who needs permissions."""

    def __init__(self, supervisor):
        super().__init__(supervisor.run, user=AGENT)

    def stamp(self):
        return self.ask(STAMP).stamp

    def give(self, signed):
        return self.ask(TICKET, spec=signed)

    def permit(self, signer, length_ms, approval=None, digest=None, **other):
        """A good ticket for a fresh stamp; its approval."""
        approval = approval or os.urandom(16)
        self.end = self.give(signer.wrap(ticket_maker.pack(approval, NAME, digest or sha256(SLEEPER), self.stamp(), length_ms,
                                                           **other))).value
        return approval


@pytest.fixture
def agent(supervisor):
    with Agent(supervisor) as client:
        yield client


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as failure:
        call(*args, **more)
    assert failure.value.code == code, failure.value
    return failure.value.text


def gone_by(end_ms, pid, slack=1.0):
    """It is gone one second behind its end, and was there before."""
    assert alive(pid) and boot_ms() < end_ms
    wait(lambda: not alive(pid), (end_ms - boot_ms()) / 1000 + 10, f"process {pid} is gone")
    late = (boot_ms() - end_ms) / 1000
    assert 0 <= late <= 1 + slack * harness.SLOW, f"gone {late} s after its end"


# -- what a ticket is --------------------------------------------------------------------------------------------------

def test_without_a_permission_only_root_starts_it(supervisor, agent):
    said = refused(errno.EPERM, agent.start, NAME, SLEEPER)
    assert said == "tiny-app/probe needs an approval and its ticket from the hub"
    supervisor.client.start(NAME, SLEEPER)
    assert supervisor.client.until(NAME, "running").approval == bytes(16)


def test_a_good_ticket_binds_and_lets_it_start(supervisor, agent, signer):
    before = boot_ms()
    approval = agent.permit(signer, 60_000)
    assert before + 60_000 <= agent.end <= boot_ms() + 60_000
    bound = agent.bindings()[approval, NAME]
    assert (bound.state, bound.end, bound.digest, bound.type) == ("open", agent.end, sha256(SLEEPER), "wasm")
    agent.start(NAME, SLEEPER)
    entry = agent.until(NAME, "running")
    assert (entry.approval, entry.lease) == (approval, agent.end)


def test_the_binding_is_told_to_who_subscribed(supervisor, agent, signer):
    agent.ask(privileged.SUBSCRIBE)
    approval = agent.permit(signer, 60_000)
    agent.stop(NAME)
    assert [(each.approval, each.state) for each in agent.news] == [(approval, "open"), (approval, "closed")]


def forgeries(authority, signer, stamp, work):
    good = ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), stamp, 60_000)
    other = Authority(work / "other")
    device = Signer(authority, "device")
    stranger = Signer(other)
    bent = bytearray(good)
    bent[150] ^= 1  # inside of the component's name
    longer = bytearray(good)
    longer[-8:] = (10**9).to_bytes(8, "little")
    return {
        "a byte was altered": (signer.wrap(bytes(bent), signer.sign(good)), errno.EBADMSG, "signature is wrong"),
        "it was made longer": (signer.wrap(bytes(longer), signer.sign(good)), errno.EBADMSG, "signature is wrong"),
        "no signature": (signer.wrap(good, b""), errno.EBADMSG, "signature is wrong"),
        "signed by a device": (device.wrap(good), errno.EBADMSG, "not for this use"),
        "signed by a device, with the signer's certificate": (signer.wrap(good, device.sign(good)), errno.EBADMSG,
                                                              "signature is wrong"),
        "another hub": (stranger.wrap(good), errno.EBADMSG, "not the one that this device has pinned"),
        "another hub's signer beside our authority": (stranger.wrap(good, chain=stranger.certificate +
                                                                    authority.pem.read_text()),
                                                      errno.EBADMSG, "the ticket's certificate"),
        "no authority": (signer.wrap(good, chain=signer.certificate), errno.EBADMSG, "two certificates"),
        "garbage": (os.urandom(len(signer.wrap(good))), errno.EBADMSG, ""),
        "another target": (signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), stamp, 60_000,
                                                         device="other-edge")), errno.EPERM, "for the device other-edge"),
        "a stamp that nobody gave out": (signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), os.urandom(16),
                                                                       60_000)), errno.ESTALE, "answers no poll"),
        "zeros for a stamp": (signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), bytes(16), 60_000)),
                              errno.ESTALE, "answers no poll"),
        "a length of nothing": (signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), stamp, 0)), errno.EPROTO,
                                "no length"),
        "an unknown grant": (signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), stamp, 60_000, grants=64)),
                             errno.EPROTO, "grants 0x40"),
        "a name that is a path": (signer.wrap(ticket_maker.pack(os.urandom(16), "../probe", sha256(SLEEPER), stamp, 60_000)),
                                  errno.EPROTO, "a name"),
    }


def test_forged_and_foreign_tickets_are_worth_nothing(supervisor, agent, authority, signer, work):
    stamp = agent.stamp()
    for what, (signed, code, words) in forgeries(authority, signer, stamp, work).items():
        said = refused(code, agent.give, signed)
        assert words in said, f"{what}: {said}"
    assert agent.bindings() == {}
    refused(errno.EPERM, agent.start, NAME, SLEEPER)
    assert agent.list() == {}


def test_a_device_that_pinned_no_hub_takes_no_ticket(work, signer):
    with Supervisor(work / "unpinned", STRICT) as supervisor, Agent(supervisor) as agent:
        said = refused(errno.EPERM, agent.permit, signer, 60_000)
        assert "piccolo join" in said


# -- never longer ------------------------------------------------------------------------------------------------------

def test_replayed_withheld_and_renewed_tickets_lengthen_nothing(supervisor, agent, signer):
    approval, stamp = os.urandom(16), agent.stamp()
    stamped = boot_ms()
    signed = signer.wrap(ticket_maker.pack(approval, NAME, sha256(SLEEPER), stamp, 20_000))
    time.sleep(1.2)  # withheld
    end = agent.give(signed).value
    assert abs(end - (stamped + 20_000)) < 500 * harness.SLOW, "it counts from the poll, not from its delivery"
    assert agent.give(signed).value == end
    assert agent.permit(signer, 90_000, approval) and agent.end == end, "the same approval again: the same end"
    agent.permit(signer, 90_000)
    assert agent.end > end + 60_000, "only a new approval lengthens"


def test_a_ticket_that_comes_after_its_time(supervisor, agent, signer):
    signed = signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), agent.stamp(), 300))
    wait(lambda end=boot_ms() + 400: boot_ms() > end, 5, "the time is over")
    assert "after its time was over" in refused(errno.EPERM, agent.give, signed)


def test_another_digest_under_a_bound_approval(supervisor, agent, signer):
    other = module(privileged.SLEEPER + "(nop)")
    supervisor.client.take(other)
    approval = agent.permit(signer, 60_000)
    assert "other bytes" in refused(errno.EPERM, agent.start, NAME, other)
    assert "bound to other bytes" in refused(errno.EPERM, agent.permit, signer, 60_000, approval, sha256(other))
    assert "bound to other bytes" in refused(errno.EPERM, agent.permit, signer, 60_000, approval, terms=bytes(31) + b"x")
    assert agent.list() == {}


def test_a_crash_of_the_runner_costs_no_ticket_and_wins_no_time(supervisor, agent, signer):
    agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)
    first = agent.until(NAME, "running")
    os.kill(first.pid, signal.SIGKILL)
    agent.until(NAME, "ended")
    agent.start(NAME, SLEEPER)
    again = agent.until(NAME, "running")
    assert again.pid != first.pid and (again.lease, again.approval) == (first.lease, first.approval)


def test_a_stamp_from_before_a_reboot_is_unknown_after_it(work, authority, signer):
    with Supervisor(work / "s", STRICT, "--target", "tiny-edge", "--ca-pin", authority.pin()) as supervisor:
        supervisor.client.take(SLEEPER)
        with Agent(supervisor) as agent:
            signed = signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), agent.stamp(), 60_000))
            agent.permit(signer, 60_000)
            agent.start(NAME, SLEEPER)
            pid = agent.until(NAME, "running").pid
        supervisor.crash()
        assert alive(pid)
        shutil.rmtree(supervisor.run)  # as a reboot does, but that the runner is still there
        supervisor.start()
        wait(lambda: not alive(pid), 5, "a runner that no ledger knows is ended")
        with Agent(supervisor) as agent:
            assert agent.bindings() == {}
            assert "before a restart" in refused(errno.ESTALE, agent.give, signed)
            refused(errno.EPERM, agent.start, NAME, SLEEPER)


# -- the end -----------------------------------------------------------------------------------------------------------

def test_it_is_ended_and_not_started_again(supervisor, agent, signer):
    agent.permit(signer, 1500)
    agent.start(NAME, SLEEPER)
    pid = agent.until(NAME, "running").pid
    gone_by(agent.end, pid)
    entry = agent.until(NAME, "ended")
    assert (entry.end, entry.end_value, entry.end_text) == ("lease", 0, "its time is over")
    assert "the time of the one it had is over" in refused(errno.EPERM, agent.start, NAME, SLEEPER)


def test_policy_has_the_shorter_word(work, authority, signer):
    with Supervisor(work / "s", STRICT + "lease-max 2s\n", "--target", "tiny-edge", "--ca-pin", authority.pin()) as supervisor:
        supervisor.client.take(SLEEPER)
        with Agent(supervisor) as agent:
            agent.permit(signer, 60_000)
            bound = boot_ms()
            agent.start(NAME, SLEEPER)
            entry = agent.until(NAME, "running")
            assert entry.lease <= bound + 2000 < agent.end
            gone_by(entry.lease, entry.pid)
            refused(errno.EPERM, agent.start, NAME, SLEEPER)


@pytest.mark.parametrize("when", ["before the end", "after the end"])
def test_a_new_supervisor_keeps_the_end(supervisor, agent, signer, when):
    approval = agent.permit(signer, 2500)
    agent.start(NAME, SLEEPER)
    pid = agent.until(NAME, "running").pid
    os.kill(pid, signal.SIGSTOP)  # it does nothing by itself any more
    supervisor.crash()
    if when == "after the end":
        wait(lambda: boot_ms() > agent.end + 1100, 10, "the end and a second more")
        assert alive(pid)
    client = supervisor.start()
    if when == "before the end":
        entry = client.until(NAME, "running")
        assert (entry.pid, entry.lease, entry.approval) == (pid, agent.end, approval)
        gone_by(agent.end, pid)
    wait(lambda: not alive(pid), 3, "what is overdue is ended at once")
    entry = client.until(NAME, "ended")
    assert entry.end == "lease"
    with Agent(supervisor) as again:
        refused(errno.EPERM, again.start, NAME, SLEEPER)


def test_sweep_ends_what_is_overdue_and_nothing_else(supervisor, agent, signer):
    agent.permit(signer, 5000)
    agent.start(NAME, SLEEPER)
    supervisor.client.start("tiny-app/stays", SLEEPER)
    pid, stays = agent.until(NAME, "running").pid, supervisor.client.until("tiny-app/stays", "running").pid
    assert supervisor.verb_run("sweep").returncode == 0, "a supervisor that runs does it itself"
    assert alive(pid)
    os.kill(pid, signal.SIGSTOP)
    supervisor.crash()
    done = supervisor.verb_run("sweep")
    assert done.returncode == 0 and alive(pid), done.stderr
    wait(lambda: boot_ms() > agent.end + 1100, 10, "the end and a second more")
    done = supervisor.verb_run("sweep")
    assert done.returncode == 0 and not alive(pid) and alive(stays), done.stderr
    client = supervisor.start()
    assert client.list()[NAME].end == "lease" and client.until("tiny-app/stays", "running").pid == stays


# -- taken back --------------------------------------------------------------------------------------------------------

def test_a_removal_closes_the_permission(supervisor, agent, signer):
    approval = agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)
    agent.until(NAME, "running")
    agent.stop(NAME)
    assert agent.bindings()[approval, NAME].state == "closed"
    assert "taken back" in refused(errno.EPERM, agent.start, NAME, SLEEPER)
    assert "taken back" in refused(errno.EPERM, agent.permit, signer, 60_000, approval)
    agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)


def test_a_replacement_does_not(supervisor, agent, signer):
    approval = agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)
    agent.until(NAME, "running")
    agent.ask(STOP, NAME, flags=TO_REPLACE)
    assert agent.bindings()[approval, NAME].state == "open"
    agent.ask(START, NAME, "wasm", sha256(SLEEPER), spec=wasm_spec(memory=9 << 20))
    assert agent.until(NAME, "running").approval == approval


def test_revoking_ends_it(supervisor, agent, signer):
    agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)
    pid = agent.until(NAME, "running").pid
    agent.ask(REVOKE, NAME)
    assert not alive(pid)
    entry = agent.list()[NAME]
    assert (entry.state, entry.end, entry.end_value) == ("ended", "lease", 1)
    refused(errno.EPERM, agent.start, NAME, SLEEPER)
    agent.ask(REVOKE, NAME)
    agent.ask(REVOKE, "tiny-app/nothing")


@pytest.mark.parametrize("operation", [REVOKE, STOP, HOLD])
def test_what_is_taken_back_while_its_ticket_is_looked_at_is_not_bound(supervisor, agent, signer, operation):
    root = supervisor.client
    stamp, other = agent.stamp(), os.urandom(16)
    pid = supervisor.process.pid
    os.kill(pid, signal.SIGSTOP)  # so that all three are there before the first child has looked
    ours = root.send(TICKET, spec=signer.wrap(ticket_maker.pack(os.urandom(16), NAME, sha256(SLEEPER), stamp, 60_000)))
    theirs = root.send(TICKET, spec=signer.wrap(ticket_maker.pack(other, "tiny-app/else", sha256(SLEEPER), stamp, 60_000)))
    closing = root.send(operation, NAME)
    os.kill(pid, signal.SIGCONT)
    root.answer(closing)
    assert "while its ticket was looked at" in refused(errno.EPERM, root.answer, ours)
    root.answer(theirs)
    assert list(agent.bindings()) == [(other, "tiny-app/else")]
    if operation == HOLD:
        root.ask(RELEASE, NAME)
    refused(errno.EPERM, agent.start, NAME, SLEEPER)


def test_a_stop_by_hand_is_for_good(supervisor, agent, signer):
    approval = agent.permit(signer, 60_000)
    agent.start(NAME, SLEEPER)
    agent.until(NAME, "running")
    supervisor.client.ask(HOLD, NAME)
    supervisor.client.ask(RELEASE, NAME)
    assert agent.bindings()[approval, NAME].state == "closed"
    assert "taken back" in refused(errno.EPERM, agent.start, NAME, SLEEPER)


def test_a_closed_permission_stays_closed_over_a_crash(supervisor, agent, signer):
    approval = agent.permit(signer, 60_000)
    agent.stop(NAME)
    supervisor.crash()
    supervisor.start()
    with Agent(supervisor) as again:
        assert again.bindings()[approval, NAME].state == "closed"
        refused(errno.EPERM, again.permit, signer, 60_000, approval)


@pytest.fixture
def small_run(work):
    """A runtime folder of few bytes; its filler."""
    run = work / "s" / "run"
    run.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", run], check=True)
    yield run / "filler"
    subprocess.run(["umount", "-l", run], check=True)


def fill(filler):
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("operation", [REVOKE, HOLD, STOP])
@pytest.mark.parametrize("runs", [True, False])
def test_what_the_full_runtime_folder_does_not_say_is_told_and_tried_again(small_run, supervisor, agent, signer, operation, runs):
    approval = agent.permit(signer, 60_000)
    if runs:
        agent.start(NAME, SLEEPER)
        pid = agent.until(NAME, "running").pid
    fill(small_run)
    said = refused(errno.ENOSPC, supervisor.client.ask, operation, NAME)
    assert said.startswith("what was taken back is not in the ledger yet, ask again: "), said
    assert agent.bindings()[approval, NAME].state == "closed"
    if runs:
        wait(lambda: not alive(pid), 5, "it is ended all the same")
    small_run.unlink()
    supervisor.client.ask(operation, NAME)
    supervisor.crash()
    supervisor.start()
    with Agent(supervisor) as again:
        assert again.bindings()[approval, NAME].state == "closed"


def test_any_change_of_the_ledger_says_what_was_taken_back(small_run, supervisor, agent, signer):
    approval = agent.permit(signer, 60_000)
    fill(small_run)
    refused(errno.ENOSPC, agent.ask, REVOKE, NAME)
    small_run.unlink()
    agent.stamp()
    supervisor.crash()
    supervisor.start()
    with Agent(supervisor) as again:
        assert again.bindings()[approval, NAME].state == "closed"


def test_a_module_has_no_figures_and_the_uplink_is_any_address(supervisor, agent):
    supervisor.client.start(NAME, SLEEPER)
    supervisor.client.until(NAME, "running")
    assert "no figures" in refused(errno.ENOTSUP, agent.ask, METRICS, NAME)
    refused(errno.ENOENT, agent.ask, METRICS, "tiny-app/nothing")
    agent.ask(UPLINK, spec=bytes([4, 0]) + (8443).to_bytes(2, "little") + bytes([127, 0, 0, 1]) + bytes(12))
    supervisor.crash()
    supervisor.start()


# -- carried by the agent ----------------------------------------------------------------------------------------------

DEVICE_POLICY = STRICT.replace("artifact-max 1M", "artifact-max 2M")
COMPONENT = {"instance": "tiny-app", "component": "probe", "sha256": sha256(SLEEPER).hex()}


class TicketHub(FakeHub):
    """Gives a ticket for `approval` to each poll that does not call it settled, `left_ms` from then."""

    def __init__(self, folder):
        super().__init__(folder)
        self.signer = Signer(self.authority)
        self.artifacts[sha256(SLEEPER).hex()] = SLEEPER
        self.approval, self.end_ms, self.device_name, self.polls = None, 0, "tiny-edge", []
        self.tickets = self.give

    def permit(self, left_ms, approval=None, **component):
        self.approval, self.end_ms = approval or os.urandom(16), boot_ms() + left_ms
        self.say([{**COMPONENT, "approval": {"id": self.approval.hex()}, **component}])

    def give(self, request):
        self.polls.append(request.query)
        settled = {each[:-1] for each in request.query["approvals"].split(",") if each}
        if not self.approval or ticket_maker.key(self.approval, NAME) in settled or not request.query["stamp"]:
            return {}
        ticket = ticket_maker.pack(self.approval, NAME, sha256(SLEEPER), bytes.fromhex(request.query["stamp"]),
                                   max(1, self.end_ms - boot_ms()), device=self.device_name)
        return self.signer.members(self.epoch, ticket)

    def remove(self):
        self.approval = None
        with self.changed:
            revision = self.document["revision"] + 1
            gone = {"instance": "tiny-app", "component": "probe", "revision": revision}
            self.document = {**self.document, "revision": revision, "components": [], "removed": [gone]}
            self.changed.notify_all()

    def last(self):
        return self.polls[-1]["approvals"] if self.polls else ""


@pytest.fixture
def hub(work):
    with TicketHub(work / "hub") as running:
        yield running


@pytest.fixture
def device(hub, work):
    with harness.Device(work / "device", hub=hub, policy=DEVICE_POLICY) as running:
        running.join(hub.enrolled())
        running.start_apart()
        yield running


def state_of(device, seconds=15, **wanted):
    seen = {}

    def look():
        seen.update(device.component("probe", "tiny-app") or {})
        return seen if all(seen.get(key) == value for key, value in wanted.items()) else None

    try:
        return wait(look, seconds, f"the probe is {wanted}")
    except AssertionError as failure:
        raise AssertionError(f"{failure}; it is {seen}") from None


def test_a_ticket_in_the_answer_starts_it_until_its_end(hub, device):
    hub.permit(4000)
    status = state_of(device, phase="Running")
    assert status["evidence"]["ends-at"]
    wait(lambda: hub.last() == ticket_maker.key(hub.approval, NAME) + "b", 5, "polls say that it is bound")
    polls = len(hub.polls)
    gone_by(hub.end_ms, status["evidence"]["pid"])
    state_of(device, phase="Expired", reason="Expired")
    assert wait(lambda: (hub.reported("probe") or {}).get("phase") == "Expired", 5, "the hub hears of it")
    time.sleep(1)
    assert state_of(device, phase="Expired")["restarts"] == 0
    assert len(hub.polls) <= polls + 2, "nobody polls in a circle"
    shown = device.piccolo("status").stdout
    assert "Expired" in shown


def test_what_runs_says_when_it_ends(hub, device):
    hub.permit(7_000_000)
    state_of(device, phase="Running")
    shown = device.piccolo("status").stdout
    assert "ends in 1h56m" in shown, shown


def test_a_component_without_approval_is_refused_by_the_devices_policy(hub, device):
    hub.say([COMPONENT])
    status = state_of(device, phase="Refused", reason="NeedsApproval")
    assert "needs-approval" not in status["message"] and "approval" in status["message"]


def test_it_waits_for_its_ticket_with_everything_else_done(hub, device):
    hub.tickets = lambda request: {}
    hub.permit(60_000)
    status = state_of(device, phase="Pending", reason="AwaitingTicket")
    assert (device.state / "store" / sha256(SLEEPER).hex()).exists() and "ticket" in status["message"]
    with Client(device.run_dir) as client:
        assert client.list() == {}


def test_a_forged_ticket_is_refused_and_the_status_says_why(hub, device, work):
    hub.signer = Signer(Authority(work / "stranger"))
    hub.permit(60_000)
    status = state_of(device, phase="Refused", reason="TicketRefused")
    assert "not the one that this device has pinned" in status["message"]
    wait(lambda: hub.last() == ticket_maker.key(hub.approval, NAME) + "r", 5, "polls say that it was refused")
    polls = len(hub.polls)
    time.sleep(1)
    assert len(hub.polls) == polls, "nobody polls in a circle"


def test_a_ticket_for_another_target_is_refused(hub, device):
    hub.device_name = "other-edge"
    hub.permit(60_000)
    assert "for the device other-edge" in state_of(device, phase="Refused", reason="TicketRefused")["message"]


def test_a_new_approval_replaces_and_lengthens(hub, device):
    hub.permit(5000)
    first = state_of(device, phase="Running")["evidence"]
    hub.permit(60_000)
    second = wait(lambda: (lambda e: e if e.get("pid") not in (None, first["pid"]) else None)(
        (device.component("probe", "tiny-app") or {}).get("evidence", {})), 10, "it runs by the new approval")
    assert second["ends-at"] > first["ends-at"]


def test_removed_is_gone_and_closed(hub, device):
    hub.permit(60_000)
    pid = state_of(device, phase="Running")["evidence"]["pid"]
    approval = hub.approval
    hub.remove()
    wait(lambda: not alive(pid), 10, "it is gone")
    hub.permit(60_000, approval)
    assert "taken back" in state_of(device, phase="Expired", reason="Revoked")["message"]


def test_a_wiped_runtime_folder_gets_a_ticket_for_what_is_left(hub, device):
    hub.permit(60_000)
    pid = state_of(device, phase="Running")["evidence"]["pid"]
    device.supervisor.kill(signal.SIGKILL)
    for path in (device.run_dir / "ledger", device.run_dir / "w"):
        (shutil.rmtree if path.is_dir() else os.unlink)(path)
    device.start_supervisor()
    wait(lambda: not alive(pid), 5, "what no ledger knows is ended")
    status = wait(lambda: (lambda s: s if s.get("phase") == "Running" and s["evidence"]["pid"] != pid else None)(
        device.component("probe", "tiny-app") or {}), 15, "it runs again by a new ticket")
    assert status["evidence"]["ends-at"]
    with Client(device.run_dir) as client:
        assert abs(client.list()[NAME].lease - hub.end_ms) < 1500 * harness.SLOW, "the end did not move"


def test_a_hub_of_another_memory_permits_nothing_until_it_is_accepted(hub, device):
    hub.permit(60_000)
    state_of(device, phase="Running")
    old = hub.epoch
    with hub.changed:
        hub.epoch = os.urandom(16).hex()  # a backup of yesterday
        hub.document["epoch"] = hub.epoch
        hub.approval = os.urandom(16)
        hub.document["components"][0]["approval"] = {"id": hub.approval.hex()}
        hub.changed.notify_all()
    wait(lambda: "another one" in str((device.status() or {}).get("message")), 10, "the document is not taken")
    with Client(device.run_dir) as client:
        assert {binding.approval for binding in client.ask(privileged.LIST).bindings}.isdisjoint({hub.approval})
    assert hub.epoch != old
    with hub.changed:
        hub.accept_epoch = True
        hub.changed.notify_all()
    hub.drop_connections()

    def bound():
        with Client(device.run_dir) as client:
            return any(binding.approval == hub.approval for binding in client.ask(privileged.LIST).bindings)

    wait(bound, 15, "accepted, its ticket counts")


def test_agent_and_hub_may_be_away_when_it_ends(hub, device):
    hub.permit(4000)
    pid = state_of(device, phase="Running")["evidence"]["pid"]
    device.agent.kill(signal.SIGKILL)
    with contextlib.suppress(OSError):
        hub.drop_connections()
    gone_by(hub.end_ms, pid)
    device.start_agent()
    state_of(device, phase="Expired")
