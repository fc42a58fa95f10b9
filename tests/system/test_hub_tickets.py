"""What the real hub answers to a poll of a device that may start something: tickets, for whom, how long, how often. The
device's side is spoken by the test, so that it can withhold and lie."""

import base64
import os
import time

import pytest

import harness
import ticket_maker
from harness import wait
from hub_client import Identity
from test_approvals import approval, ask, decide, prepare, program  # noqa: F401 (a fixture)

NAME = "tiny-app/counter"


class Taker(Identity):
    """Polls as an agent does whose supervisor gives stamps."""

    approvals = ""

    def poll_path(self, wait=0, session=None):
        self.stamp = os.urandom(16)
        path = super().poll_path(wait, session).replace("stamp=" + "0" * 32, "stamp=" + self.stamp.hex())
        return path if self.approvals is None else f"{path}&approvals={self.approvals}"

    def tickets(self, wait=0):
        """Those of one poll, unpacked."""
        answer = self.poll(wait)[1] or {}
        self.answered = answer
        return [Ticket(base64.b64decode(each["ticket"]), each) for each in answer.get("tickets", [])]

    def next_tickets(self, seconds=10):
        return wait(lambda: self.tickets(), seconds, "tickets")


class Ticket:
    def __init__(self, raw, member):
        (magic, self.approval, device, instance, component, kind, self.digest, self.terms, self.grants, self.stamp,
         self.length_ms) = ticket_maker.TICKET.unpack(raw)
        self.device, kind = device.split(b"\0", 1)[0].decode(), kind.split(b"\0", 1)[0].decode()
        self.name = "/".join(each.split(b"\0", 1)[0].decode() for each in (instance, component))
        assert magic == b"pictkt1\0" and kind == "ebpf" and self.approval.hex() == member["approval"]


@pytest.fixture
def hub(work, program):  # noqa: F811
    with harness.Hub(work / "hub") as running:
        prepare(running, program)
        yield running


@pytest.fixture
def taker(hub, work):
    made = Taker(hub, work / "taker", "tiny-edge")
    made.join()
    made.poll()
    return made


@pytest.fixture
def asked(hub):
    return ask(hub, lengthSeconds=60)["name"]


def component_of(answer):
    return next((each for each in (answer.get("document") or {}).get("components", [])), None)


def test_nothing_is_staged_before_somebody_said_yes(hub, taker, asked):
    assert taker.tickets() == [] and component_of(taker.answered) is None
    wait(lambda: hub.part("counter").get("reason") == "AwaitingApproval", 5, "the status says so")
    assert decide(hub, asked, "reject")[0] == 200
    wait(lambda: hub.part("counter").get("reason") == "NotApproved", 5, "rejected")
    assert taker.tickets() == [] and component_of(taker.answered) is None


def test_a_held_poll_gets_document_and_ticket_at_once(hub, taker, asked):
    poll = taker.poll_in_background(20)
    wait(lambda: "\npiccolo_hub_polls_held 1\n" in hub.api("GET", "/metrics")[1], 5, "the hub holds the poll")
    time.sleep(0.5)  # the poll is old when the answer is made
    stamp = taker.stamp
    assert not poll.is_done()
    assert decide(hub, asked)[0] == 200
    started = time.monotonic()
    answer = poll.result()[1]
    assert time.monotonic() - started < 2 * harness.SLOW
    entry = component_of(answer)
    assert entry["approval"] == {"id": approval(hub, asked)["id"]} and answer["ticket-epoch"] == taker.epoch
    [member] = answer["tickets"]
    ticket = Ticket(base64.b64decode(member["ticket"]), member)
    assert (ticket.device, ticket.name, ticket.stamp) == ("tiny-edge", NAME, stamp)
    assert ticket.digest.hex() == entry["sha256"]
    # counted from the poll's arrival: longer than what is left now, by what the poll has waited
    assert 60_000 < ticket.length_ms < 62_000 * harness.SLOW


def test_what_is_settled_is_not_sent_again_and_what_is_missing_is(hub, taker, asked):
    decide(hub, asked)
    [first] = taker.next_tickets()
    key = ticket_maker.key(first.approval, NAME)
    for state in "br":
        taker.approvals = key + state
        assert taker.tickets() == []
    taker.approvals = ""
    [again] = taker.next_tickets()
    assert again.approval == first.approval and again.stamp == taker.stamp != first.stamp
    assert again.length_ms <= first.length_ms, "no poll lengthens"


def test_a_device_that_does_not_take_tickets_is_not_answered_in_a_circle(hub, taker, asked):
    decide(hub, asked)
    taker.next_tickets()
    given, started = 0, time.monotonic()
    while time.monotonic() - started < 2.5:
        given += len(taker.tickets(wait=5))
    assert 1 <= given <= 4, given


def test_an_agent_that_knows_no_tickets_gets_none(hub, taker, asked):
    taker.approvals = None
    decide(hub, asked)
    wait(lambda: taker.poll()[1] is None and taker.revision > 0, 10, "the document, and then silence")
    assert taker.tickets(wait=1) == []


@pytest.mark.parametrize("bad", ["x", "0123456789abcdefq", "0123456789abcdefb;", ",".join(["0123456789abcdefb"] * 33)])
def test_a_list_that_is_none_is_refused(taker, bad):
    taker.approvals = bad
    status, answer = taker.poll()
    assert status == 400 and "approvals" in answer["error"]


def test_revoked_and_ended_are_removed_and_permit_nothing(hub, taker, asked):
    decide(hub, asked)
    taker.next_tickets()
    assert decide(hub, asked, "revoke")[0] == 200
    answer = wait(lambda: taker.poll()[1], 10, "another document")
    assert [each["component"] for each in answer["document"]["removed"]] == ["counter"] and "tickets" not in answer
    taker.report(removed_through=taker.revision)
    wait(lambda: (hub.part("counter").get("phase"), hub.part("counter").get("reason")) == ("Expired", "Revoked"), 5, "Revoked")


def test_the_end_comes_by_itself(hub, taker):
    name = ask(hub, lengthSeconds=2)["name"]
    decide(hub, name)
    taker.next_tickets()
    answer = wait(lambda: (taker.poll()[1] or {}).get("document"), 10, "another document")
    assert [each["component"] for each in answer["removed"]] == ["counter"]
    taker.report(removed_through=taker.revision)
    wait(lambda: (hub.part("counter").get("phase"), hub.part("counter").get("reason")) == ("Expired", "Expired"), 5, "Expired")
    assert hub.get("solution", "tiny-app")["spec"]["components"][0]["name"] == "counter", "the solution stays as written"


def test_bytes_and_hooks_that_were_not_approved_are_held_back(hub, taker, asked):
    decide(hub, asked)
    taker.next_tickets()
    hub.apply(harness.solution(harness.component("counter", "/artifacts/count.bpf.o", "ebpf", attach="xdp:lo")))
    wait(lambda: "other hooks" in hub.part("counter").get("message", ""), 5, "the status says why")
    answer = taker.poll()[1] or {}
    entry = component_of(answer)
    assert entry is None or "ebpf.attach" not in entry["properties"]


def test_yesterdays_backup_permits_nothing_until_it_is_accepted(hub, taker, asked):
    from test_hub_devices import backup_and_restore

    decide(hub, asked)
    taker.next_tickets()

    def later():
        hub.apply(harness.solution(harness.component("counter", "/artifacts/count.bpf.o", "ebpf"),
                                   harness.component("other", "/artifacts/count.bpf.o", "ebpf")))
        decide(hub, ask(hub, lengthSeconds=60)["name"])
        wait(lambda: taker.poll()[1] is None and taker.revision > 1, 10, "it has what the backup does not know")

    backup_and_restore(hub, later)
    old = taker.epoch
    answer = wait(lambda: taker.poll(take=False)[1], 10, "a document of another memory")
    assert answer["document"]["epoch"] != old and "tickets" not in answer and "accept-epoch" not in answer
    hub.ctl("device", "accept-epoch", "tiny-edge")
    answer = wait(lambda: (lambda a: a if a and a.get("accept-epoch") else None)(taker.poll()[1]), 10, "accepted")
    tickets = answer.get("tickets") or taker.next_tickets()
    assert tickets and taker.epoch != old
