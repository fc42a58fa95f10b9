"""Approval: somebody is asked by mail, decides once on the page, and whatever dies meanwhile, nothing is lost and
nothing is decided twice. Real hub, real mail server; a faulty one where the fault is the point."""

import concurrent.futures
import datetime
import errno
import html
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

import harness
from hub_client import request
from smtp_server import STEPS, FaultyServer, Mailbox, SecureMailbox

OPS = "ops@edge.test"
PROGRAM = """
#define SEC(name) __attribute__((section(name), used))
struct { int (*type)[6]; int (*max_entries)[4]; unsigned *key; unsigned long long *value; } packets_total SEC(".maps");
static void *(*lookup)(void *map, const void *key) = (void *)1;
SEC("xdp") int count(void *context)
{
	unsigned key = 0;
	unsigned long long *value = lookup(&packets_total, &key);
	if (value)
		*value += 1;
	return 2;
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bpf")
    (folder / "count.bpf.c").write_text(PROGRAM)
    subprocess.run(["clang", "-target", "bpf", "-g", "-O2", "-c", "count.bpf.c", "-o", "count.bpf.o"], cwd=folder,
                   check=True)
    return folder / "count.bpf.o"


def hub_with(tmp_path, url, *options):
    return harness.Hub(tmp_path / "hub", *(["--smtp-url", url, "--mail-from", "piccolo@edge.test"] if url else []),
                       *options)


def deploy(hub, url="/artifacts/count.bpf.o"):
    """For a target that takes programs too: one without bindings takes everything."""
    edge = harness.target()
    edge["spec"].pop("topologies")
    hub.apply(edge, harness.solution(harness.component("counter", url, "ebpf")), harness.instance())


def prepare(hub, program, by_mail=True):
    """An approver, and a solution with a program that needs an approval."""
    hub.ctl("approver", "add", OPS, *(["--by-mail"] if by_mail else []))
    hub.push(program)
    deploy(hub, "/artifacts/count.bpf.o")


def ask(hub, **more):
    status, answer = hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "look at the network",
                                                               "lengthSeconds": 600, **more})
    assert status == 201, answer
    return answer


def approval(hub, name):
    [found] = [one for one in hub.api("GET", "/piccolo/v1/approvals")[1]["approvals"] if one["name"] == name]
    return found


def decide(hub, name, verb="approve", **body):
    return hub.api("POST", f"/piccolo/v1/approvals/default/{name}/{verb}", body)


def parts(message):
    return [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]


def links(message):
    """All addresses of the mail, without their fragment."""
    text = html.unescape(" ".join(parts(message)))
    return {link.split("#")[0] for link in re.findall(r"https?://[^\s\"<>]+", text)}


def get_page(hub, link):
    address = urllib.parse.urlsplit(link)
    return request(hub.port, "GET", f"{address.path}?{address.query}")


def page_token(hub, link):
    status, _, body = get_page(hub, link)
    assert status == 200, body
    return re.search(r'name="token"[^>]*value="([^"]+)"', body.decode()).group(1)


def post(hub, link, token, decision="approve", comment=""):
    address = urllib.parse.urlsplit(link)
    form = urllib.parse.urlencode({"token": token, "decision": decision, "comment": comment})
    return request(hub.port, "POST", f"{address.path}?{address.query}", form,
                   {"Content-Type": "application/x-www-form-urlencoded"})


def decisions(hub, name):
    """What the journal says was decided."""
    entries = hub.api("GET", "/piccolo/v1/journal?limit=1000")[1]["entries"]
    return [entry for entry in entries if name in entry["object"] and entry["verb"] in ("approve", "reject", "revoke")]


def test_by_mail_from_request_to_decision(tmp_path, program):
    with Mailbox(tmp_path) as box, hub_with(tmp_path, box.url) as hub:
        prepare(hub, program)
        asked = ask(hub)
        message = box.message()
        assert message["To"] == OPS and message["From"] == "Piccolo <piccolo@edge.test>"
        assert "look at the network" in message["Subject"] and asked["id"] in message["Message-ID"]
        plain, rich = parts(message)
        for part in plain, rich:
            assert "counter" in part and "tiny-edge" in part and "xdp" in part and "packets" in part
        [link] = links(message)
        assert link.startswith(f"{hub.url}/approvals/{asked['id']}?key=")
        harness.wait(lambda: approval(hub, asked["name"])["mail"][0]["state"] == "Sent", 5, "the mail counts as sent")

        for _ in range(20):  # as a scanner of mails does
            assert get_page(hub, link)[0] == 200
        for fragment in "#approve", "#reject", "?choice=approve":
            get_page(hub, link + fragment.replace("?", "&"))
        assert approval(hub, asked["name"])["phase"] == "Pending"

        token = page_token(hub, link)
        before = time.time()
        assert post(hub, link, token, comment="go on")[0] in (200, 303)
        decided = approval(hub, asked["name"])
        assert (decided["phase"], decided["decidedBy"], decided["comment"]) == ("Approved", OPS, "go on")
        length = parse_time(decided["ends"]) - parse_time(decided["opens"])
        assert length == pytest.approx(600) and abs(parse_time(decided["opens"]) - before) < 5

        # once more, and the other way: nothing moves, and the answer says who has decided
        status, _, body = post(hub, link, token, "reject")
        assert status == 409 and OPS in html.unescape(body.decode())
        assert approval(hub, asked["name"])["phase"] == "Approved"
        assert len(decisions(hub, asked["name"])) == 1


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_facts_are_read_from_the_bytes(tmp_path, program):
    with hub_with(tmp_path, None) as hub:
        prepare(hub, program)
        asked = ask(hub)
        [item] = asked["items"]
        assert (item["target"], item["instance"], item["component"]) == ("tiny-edge", "tiny-app", "counter")
        assert re.fullmatch("[0-9a-f]{64}", item["sha256"]) and re.fullmatch("[0-9a-f]{64}", item["terms"])
        assert item["facts"]["programs"] == [{"name": "count", "type": "xdp", "hook": "xdp"}]
        assert "map_lookup_elem" in " ".join(item["facts"]["helpers"])
        assert item["grants"] == [] and item["facts"]["size"] == program.stat().st_size
        assert asked["mail"] == []  # nobody to send it through

        # a file that is no program is not asked about
        (tmp_path / "broken.bpf.o").write_bytes(program.read_bytes()[:300])
        hub.push(tmp_path / "broken.bpf.o", "broken.bpf.o")
        deploy(hub, "/artifacts/broken.bpf.o")
        status, answer = hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "x"})
        assert status == 400 and "counter" in answer["error"]


def test_a_foreign_address_is_fetched_and_pinned(tmp_path, program):
    with harness.WebServer() as web, hub_with(tmp_path, None) as hub:
        web.serve("/count.bpf.o", program.read_bytes())
        hub.ctl("approver", "add", OPS)
        deploy(hub, f"{web.url}/count.bpf.o")
        first = ask(hub)["items"][0]["sha256"]
        hub.push(program)
        deploy(hub, "/artifacts/count.bpf.o")
        assert ask(hub)["items"][0]["sha256"] == first
        deploy(hub, f"{web.url}/missing.bpf.o")
        status, answer = hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "x"})
        assert status >= 400 and "missing.bpf.o" in answer["error"] and "404" in answer["error"]


def test_forged_links_and_tokens(tmp_path, program):
    with Mailbox(tmp_path) as box, hub_with(tmp_path, box.url) as hub:
        prepare(hub, program)
        first, second = ask(hub), ask(hub, reason="another one")
        harness.wait(lambda: len(box.messages()) == 2, 10, "two mails")
        by_id = {first["id"]: None, second["id"]: None}
        for message in box.messages():
            [link] = links(message)
            by_id[re.search("/approvals/([0-9a-f]{32})", link).group(1)] = link
        link, other = by_id[first["id"]], by_id[second["id"]]
        token, foreign = page_token(hub, link), page_token(hub, other)
        key = link.split("key=")[1]
        flipped = key[:-1] + ("0" if key[-1] != "0" else "1")
        for wrong in (link.replace(key, flipped), link.replace(key, other.split("key=")[1]), link.split("?")[0] + "?key=",
                      link.replace(first["id"], "0" * 32)):
            assert get_page(hub, wrong)[0] in (401, 403, 404), wrong
            assert post(hub, wrong, token)[0] in (401, 403, 404), wrong
        altered = token[:-1] + ("0" if token[-1] != "0" else "1")
        later = f"{int(token[:16], 16) + 3600_000:016x}" + token[16:]
        for wrong in ("", "x", foreign, altered, later, "0" * len(token), token + "0"):
            assert post(hub, link, wrong)[0] in (400, 401, 403), wrong
        # the right one sent from another site's page
        address = urllib.parse.urlsplit(link)
        answer = request(hub.port, "POST", f"{address.path}?{address.query}",
                         urllib.parse.urlencode({"token": token, "decision": "approve"}),
                         {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.test"})
        assert answer[0] == 403
        assert approval(hub, first["name"])["phase"] == "Pending"

        # who is no approver any more has a link that decides nothing, also with a page that is open already
        hub.ctl("approver", "remove", OPS)
        assert get_page(hub, link)[0] == 403 and post(hub, link, token)[0] == 403
        hub.ctl("approver", "add", OPS)  # back, but not by mail
        assert post(hub, link, token)[0] == 403
        assert approval(hub, first["name"])["phase"] == "Pending"
        assert decisions(hub, first["name"]) == []


def test_a_mail_to_who_has_to_sign_in_holds_no_secret(tmp_path, program):
    with Mailbox(tmp_path) as box, hub_with(tmp_path, box.url) as hub:
        prepare(hub, program, by_mail=False)
        asked = ask(hub)
        [link] = links(box.message())
        assert link == f"{hub.url}/approvals/{asked['id']}"


def test_two_people_at_once(tmp_path, program):
    with hub_with(tmp_path, None) as hub:
        prepare(hub, program)
        for round in range(10):
            asked = ask(hub)
            verbs = ["approve", "reject"] * 3
            answers = [None] * len(verbs)
            start = threading.Barrier(len(verbs))

            def call(index):
                start.wait()
                answers[index] = decide(hub, asked["name"], verbs[index], comment=str(index))

            threads = [threading.Thread(target=call, args=(index,)) for index in range(len(verbs))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            won = [index for index, answer in enumerate(answers) if answer[0] == 200]
            assert len(won) == 1, answers
            done = approval(hub, asked["name"])
            assert done["comment"] == str(won[0])
            assert done["phase"] == ("Approved" if verbs[won[0]] == "approve" else "Rejected")
            for index, (status, body) in enumerate(answers):
                if index not in won:
                    assert status == 409 and "by admin" in body["error"], body
            assert len(decisions(hub, asked["name"])) == 1


def in_seconds(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_too_late(tmp_path, program):
    with hub_with(tmp_path, None) as hub:
        prepare(hub, program)
        asked = ask(hub, expires=in_seconds(2))
        harness.wait(lambda: approval(hub, asked["name"])["phase"] == "Expired", 6, "it expires")
        status, answer = decide(hub, asked["name"])
        assert status == 410 and asked["name"] in answer["error"]
        assert approval(hub, asked["name"])["phase"] == "Expired"
        # over a restart, with the time gone while the hub was not there
        asked = ask(hub, expires=in_seconds(2))
        ended = ask(hub, lengthSeconds=2)
        assert decide(hub, ended["name"])[0] == 200
        hub.kill()
        time.sleep(2.2)  # the time itself is the subject
        hub.start()
        harness.wait(lambda: approval(hub, asked["name"])["phase"] == "Expired", 3, "expired while the hub was away")
        harness.wait(lambda: approval(hub, ended["name"])["phase"] == "Ended", 3, "ended while the hub was away")
        assert decide(hub, asked["name"])[0] == 410
        for bad in ({"expires": in_seconds(-5)}, {"closes": in_seconds(-5)}, {"lengthSeconds": 0}, {"expires": "soon"},
                    {"approvers": ["nobody@edge.test"]}, {"approvers": ["a\r\nBcc: b@c"]}, {"approvers": "x"}):
            status, answer = hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "x", **bad})
            assert status == 400, (bad, answer)


def test_revoking(tmp_path, program):
    with hub_with(tmp_path, None) as hub:
        prepare(hub, program)
        asked = ask(hub)
        assert decide(hub, asked["name"], "revoke")[0] == 400  # nothing was given yet
        assert "approved" in hub.ctl("approve", asked["name"], "--comment", "fine").stdout
        assert asked["name"] in hub.ctl("requests").stdout and "Approved" in hub.ctl("requests").stdout
        assert hub.ctl("reject", asked["name"], check=False).returncode == 1
        assert "revoked" in hub.ctl("revoke", asked["name"]).stdout
        assert approval(hub, asked["name"])["phase"] == "Revoked"
        refused = hub.ctl("approve", asked["name"], check=False)
        assert refused.returncode == 1 and "revoked by admin" in refused.stderr
        assert hub.ctl("approve", "nothing", check=False).returncode == 1


EVIL = "x\r\nBcc: evil@evil.test\r\n\r\n<script>alert(1)</script> \u202e https://evil.test/approve \N{SNOWMAN}" * 3


def test_injection_through_a_reason(tmp_path, program):
    with Mailbox(tmp_path) as box, hub_with(tmp_path, box.url) as hub:
        prepare(hub, program)
        asked = ask(hub, reason=EVIL)
        message = box.message()
        assert len(box.messages()) == 1 and message["Bcc"] is None and message["X-RcptTo"] == OPS
        assert set(message.keys()) <= {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
                                       "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo"}
        plain, rich = parts(message)
        assert "<script" not in rich and "\u202e" not in plain + html.unescape(rich) and "\N{SNOWMAN}" in plain
        assert [link.split("?")[0] for link in links(message)] == [f"{hub.url}/approvals/{asked['id']}"]
        raw = next((tmp_path / "mailbox" / "new").glob("*")).read_bytes()
        assert max(map(len, raw.split(b"\n"))) < 998 and all(byte < 128 for byte in raw)


def test_the_faulty_server_ends_with_its_block():
    """One that went on would take the mails of the next, whose descriptor has the same number."""
    with FaultyServer() as server:
        port = server.listener.getsockname()[1]
    assert not server.thread.is_alive()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


@pytest.mark.parametrize("step", STEPS)
def test_mail_server_faults(tmp_path, program, step):
    """Whatever goes wrong at whatever reply, the mail arrives in the end, and the hub answers meanwhile."""
    for fault in ["close", "later", "never"]:  # noise is as good as silence: see below, and tests/unit/net/mail_test.c
        folder = tmp_path / fault
        with FaultyServer(step, fault) as server, hub_with(folder, server.url) as hub:
            prepare(hub, program)
            asked = ask(hub)
            harness.wait(lambda: approval(hub, asked["name"])["mail"][0]["state"] == "Sent", 20,
                         f"sent after {fault} at {step}: {approval(hub, asked['name'])['mail']}")
            assert len({message["Message-ID"] for _, message in server.received}) == 1
            assert len(set().union(*(links(message) for _, message in server.received))) == 1


def test_a_silent_mail_server_holds_up_nobody(tmp_path, program):
    with FaultyServer("EHLO", "silent", times=100) as server, hub_with(tmp_path, server.url) as hub:
        prepare(hub, program)
        asked = ask(hub)
        harness.wait(lambda: server.connections, 5, "the server is called")
        times = []
        for _ in range(50):
            before = time.monotonic()
            assert hub.api("GET", "/readyz")[0] == 200
            times.append(time.monotonic() - before)
        assert max(times) < 0.5 * harness.SLOW, times
        assert decide(hub, asked["name"])[0] == 200
        before = time.monotonic()
        hub.stop()
        assert time.monotonic() - before < 5 * harness.SLOW


def test_mail_server_down_then_up(tmp_path, program):
    port = harness.free_port()
    with hub_with(tmp_path, f"smtp://127.0.0.1:{port}") as hub:
        prepare(hub, program)
        asked = ask(hub)
        harness.wait(lambda: "lastError" in approval(hub, asked["name"])["mail"][0], 5, "the failure is shown")
        assert str(port) in approval(hub, asked["name"])["mail"][0]["lastError"]
        box = Mailbox(tmp_path)
        box.port = port
        with box:
            box.message()
            harness.wait(lambda: approval(hub, asked["name"])["mail"][0]["state"] == "Sent", 5, "the mail counts as sent")


def mails_about(server, reason):
    return [message for _, message in list(server.received) if reason in message["Subject"]]


def all_the_same(messages, asked):
    assert messages, "no mail at all"
    assert {message["Message-ID"] for message in messages} == {f"<approval.{asked['id']}@edge.test>"}
    found = set().union(*map(links, messages))
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("step", STEPS)
def test_hub_killed_after_each_reply(tmp_path, program, step):
    kill = threading.Event()
    hub = None

    def on_step(now, connection):
        if now == step and connection == 1:
            hub.process.send_signal(signal.SIGKILL)
            kill.set()

    with FaultyServer(on_step=on_step) as server, hub_with(tmp_path, server.url) as hub:
        prepare(hub, program)
        asked = ask(hub)
        assert kill.wait(10 * harness.SLOW)
        hub.process.wait()
        hub.start()
        harness.wait(lambda: approval(hub, asked["name"])["mail"][0]["state"] == "Sent", 15, "sent by the next one")
        link = all_the_same(mails_about(server, asked["reason"]), asked)
        assert post(hub, link, page_token(hub, link))[0] in (200, 303)
        assert approval(hub, asked["name"])["phase"] == "Approved"


def quietly(call):
    """What a client does whose hub may die: it asks again."""
    try:
        return call()
    except (OSError, http.client.HTTPException, AssertionError, ValueError, AttributeError):
        return None


def test_hub_killed_at_random(tmp_path, program):
    """Between request, mail and decision, 3 times (PICCOLO_KILLS says how often: 100 for the long form), each with a hub that is killed."""
    chance = random.Random(20261124)
    rounds = int(os.environ.get("PICCOLO_KILLS", "3"))
    with FaultyServer() as server, hub_with(tmp_path, server.url) as hub:
        prepare(hub, program)
        key = hub.ctl("requests", "--url").stdout.strip()
        for number in range(rounds):
            run = f"killed-{number:04d}"  # also the reason: a mail of the round before may come twice, and late
            stopped = threading.Event()

            def murder():
                time.sleep(chance.random() * 0.12)  # the random point
                hub.process.send_signal(signal.SIGKILL)
                stopped.set()

            thread = threading.Thread(target=murder)
            thread.start()
            # one approver who asks, reads the mail and decides, all by hand and all of it again after a failure
            key = hub.ctl("requests", "--url", check=False).stdout.strip() or key  # none from a hub that is dead
            query = f"{urllib.parse.urlsplit(key).path}?{urllib.parse.urlsplit(key).query}&id={run}&reason={run}&wait=0"
            quietly(lambda: request(hub.port, "GET", query, timeout=2))
            quietly(lambda: decide_by_mail(hub, server, run))
            thread.join()
            hub.process.wait()
            hub.start()
            assert request(hub.port, "GET", query)[0] in (200, 202)
            asked = find(hub, query)
            if asked["phase"] == "Pending":
                harness.wait(lambda: mails_about(server, run), 10,
                             f"the mail is sent by the next hub: {asked['mail']}\n{hub.tail()}\n" + "\n".join(server.log))
                assert decide_by_mail(hub, server, run) in (200, 303)
            link = all_the_same(mails_about(server, run), asked)
            assert approval(hub, asked["name"])["phase"] == "Approved"
            assert len(decisions(hub, asked["name"])) == 1
            assert post(hub, link, "0", "reject")[0] in (400, 403, 409)
            assert request(hub.port, "GET", query)[0] == 200


def find(hub, query):
    name = json.loads(request(hub.port, "GET", query)[2])["approval"]
    return approval(hub, name)


def decide_by_mail(hub, server, reason):
    harness.wait(lambda: mails_about(server, reason), 2, "a mail")
    [link] = links(mails_about(server, reason)[-1])
    return post(hub, link, page_token(hub, link))[0]


def test_address_for_http_stages(tmp_path, program):
    with hub_with(tmp_path, None, "--listen-http", f"127.0.0.1:{harness.free_port()}") as hub:
        prepare(hub, program)
        address = urllib.parse.urlsplit(hub.ctl("requests", "--url").stdout.strip())
        path = f"{address.path}?{address.query}"
        assert request(hub.port, "GET", "/approve")[0] == 401
        assert request(hub.port, "GET", "/approve?key=" + "0" * 32)[0] == 401
        assert "key=" not in json.dumps(hub.api("GET", "/piccolo/v1/approvals")[1]["approvals"])

        for verb, expected in ("approve", 200), ("reject", 403):
            answers = []
            call = threading.Thread(target=lambda: answers.append(
                request(hub.port, "GET", f"{path}&reason={verb}", timeout=60)))
            call.start()
            [asked] = harness.wait(lambda: [one for one in hub.api("GET", "/piccolo/v1/approvals")[1]["approvals"]
                                            if one["reason"] == verb], 5, "it asks")
            # a second call joins, it does not ask again
            assert request(hub.port, "GET", f"{path}&reason={verb}&wait=0")[0] == 202
            assert call.is_alive()
            assert decide(hub, asked["name"], verb)[0] == 200
            call.join(5 * harness.SLOW)
            assert answers[0][0] == expected and json.loads(answers[0][2])["by"] == "admin"
            # decided: the next call without an id is another question
            assert request(hub.port, "GET", f"{path}&reason={verb}&wait=0")[0] == 202

        # held over a kill: the caller asks again and gets the answer for the same question
        query = f"{path}&id=run-7"
        caller = threading.Thread(target=lambda: quietly(lambda: request(hub.port, "GET", query, timeout=60)))
        caller.start()
        harness.wait(lambda: request(hub.port, "GET", query + "&wait=0")[0] == 202, 5, "it asks")
        name = json.loads(request(hub.port, "GET", query + "&wait=0")[2])["approval"]
        hub.kill()
        caller.join(5 * harness.SLOW)
        hub.start()
        answers = []
        again = threading.Thread(target=lambda: answers.append(request(hub.port, "GET", query, timeout=60)))
        again.start()
        assert decide(hub, name)[0] == 200
        again.join(5 * harness.SLOW)
        assert answers[0][0] == 200
        assert request(hub.port, "GET", query)[0] == 200  # the same question, the same answer
        for bad in "&wait=x", "&namespace=../x", "&id=":
            assert request(hub.port, "GET", path + bad)[0] == 400


def test_who_has_the_address_keeps_nobody_out(tmp_path, program):
    """And wait=0 never holds anybody, many at once included."""
    with hub_with(tmp_path, None) as hub:
        prepare(hub, program)
        address = urllib.parse.urlsplit(hub.ctl("requests", "--url").stdout.strip())
        path = f"{address.path}?{address.query}&wait=0"
        with concurrent.futures.ThreadPoolExecutor(16) as callers:
            answers = list(callers.map(lambda n: request(hub.port, "GET", f"{path}&id=run-{n}")[0], range(110)))
        assert (answers.count(202), answers.count(503)) == (100, 10)
        status, _, body = request(hub.port, "GET", f"{path}&id=new&namespace=other")
        assert status == 503 and "address for http stages" in body.decode()
        name = json.loads(request(hub.port, "GET", f"{path}&id=run-{answers.index(202)}")[2])["approval"]
        ask(hub)
        assert decide(hub, name, "reject")[0] == 200
        assert request(hub.port, "GET", f"{path}&id=new")[0] == 202


def test_by_mail_on_a_hub_that_sends_none(tmp_path):
    with Mailbox(tmp_path) as box:
        for url, wanted in (None, 1), (box.url, 0):
            with hub_with(tmp_path / str(wanted), url) as hub:
                assert hub.ctl("approver", "add", "a@edge.test").stderr == ""
                told = hub.ctl("approver", "add", OPS, "--by-mail")
                assert "added" in told.stdout and told.stderr.count("--smtp-url") == wanted, told.stderr
                assert len(told.stderr.splitlines()) == wanted


def test_options_and_secrets(tmp_path):
    hub = harness.BIN / "piccolo-hub"
    for wrong, word in ((["--smtp-url", "smtp://127.0.0.1"], "--mail-from"),
                        (["--smtp-url", "smtp://127.0.0.1", "--mail-from", "a b"], "--mail-from"),
                        (["--approval-url", "https://evil"], "--approval-url"),
                        (["--smtp-ca", "x"], "--smtp-url")):
        done = harness.run(hub, "--dev", "--state", tmp_path / "s", *wrong, check=False)
        assert done.returncode == 2 and word in done.stderr, done.stderr
    done = harness.run(hub, "--dev", "--state", tmp_path / "s", "--listen", f"127.0.0.1:{harness.free_port()}",
                       "--smtp-url", "ftp://me:geheim@x", "--mail-from", "a@b", check=False)
    assert done.returncode == 1 and "smtp://" in done.stderr and "geheim" not in done.stderr
    # a password in a file; a server that wants TLS and has none is not given it
    (tmp_path / "password").write_text("geheim\n")
    port = harness.free_port()
    with hub_with(tmp_path, f"smtp://me@127.0.0.1:{port}", "--smtp-password-file", tmp_path / "password") as running:
        running.ctl("approver", "add", OPS)
        path = urllib.parse.urlsplit(running.ctl("requests", "--url").stdout.strip())
        request(running.port, "GET", f"{path.path}?{path.query}&wait=0")
        harness.wait(lambda: "mail-not-sent" in running.tail(50), 5, "a failure is logged")
        assert "geheim" not in running.log.read_text()


def test_from_request_to_mail_server(tmp_path, program):
    with FaultyServer() as server, hub_with(tmp_path, server.url) as hub:
        prepare(hub, program)
        times = []
        for _ in range(15):
            server.received.clear()
            before = time.monotonic()
            ask(hub)
            harness.wait(lambda: server.received, 5, "the mail", every=0.001)
            times.append(server.received[0][0] - before)
        # no timer stands between the two; how fast it is, `make bench` tells
        assert min(times) < 0.5 * harness.SLOW, times


def test_a_mail_server_that_wants_tls_and_a_password(tmp_path, program):
    harness.run("ip", "address", "replace", "10.77.0.1/32", "dev", "lo")
    (tmp_path / "password").write_text("geheim\n")
    (tmp_path / "wrong.password").write_text("falsch\n")
    with SecureMailbox(tmp_path, "10.77.0.1") as box:
        def outcome(name, *options):
            with hub_with(tmp_path / name, box.url, *options) as hub:
                prepare(hub, program)
                asked = ask(hub)
                harness.wait(lambda: approval(hub, asked["name"])["mail"][0]["attempts"], 10, "a first try")
                return approval(hub, asked["name"])["mail"][0], hub.log.read_text()

        password, authority = ("--smtp-password-file", tmp_path / "password"), ("--smtp-ca", box.certificate)
        mail, log = outcome("good", *password, *authority)
        assert mail["state"] == "Sent" and len(box.messages()) == 1 and "geheim" not in log
        # no trust, no password
        mail, log = outcome("untrusted", *password)
        assert mail["state"] == "Queued" and "certificate" in mail["lastError"].lower()
        mail, log = outcome("wrong", "--smtp-password-file", tmp_path / "wrong.password", *authority)
        assert mail["state"] in ("Failed", "Queued") and "falsch" not in log + json.dumps(mail)
        assert len(box.messages()) == 1
