"""The hub's page, with a plain client and, where there is one, with Chromium."""

import html
import re
import time
import urllib.parse

import pytest

import browser
import harness
import smtp_server
from hub_client import Background, Identity, connect, request, running

FORM = "application/x-www-form-urlencoded"
COOKIE = "__Host-piccolo"


class Mailbox(smtp_server.FaultyServer):
    """A mail server without a fault; it keeps what it is given."""

    def link_to(self, mail, reason):
        """The address in the mail about that reason."""
        for _, message in list(self.received):
            text = " ".join(message.get_body(("plain",)).get_content().split())
            if mail in message["To"] and reason in text:
                return re.search(r"https://\S+/approvals/\S+", text).group().split("#")[0]
        return None


class Person:
    """What a browser does with cookies and forms, without one."""

    def __init__(self, port):
        self.port = port
        self.cookie = None

    def ask(self, method, path, body=None, headers=None, own=True):
        sent = {"Accept": "text/html", "Host": f"127.0.0.1:{self.port}", **(headers or {})}
        if own and self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
            sent.setdefault("Content-Type", FORM)
        connection = connect(self.port)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def sign_in(self, token, **more):
        answer, page = self.ask("POST", "/sign-in", {"token": token, **more})
        if answer.status == 303:
            self.cookie = re.match(f"{COOKIE}=([^;]+);", answer.getheader("Set-Cookie")).group(1)
        return answer, page

    def get(self, path, status=200):
        answer, page = self.ask("GET", path)
        assert answer.status == status, (answer.status, page)
        return page

    def form_token(self, path):
        return token_in(self.get(path))


def token_in(page):
    return html.unescape(re.search(r'name="token" value="([^"]+)"', page).group(1))


def words(page):
    """What a person reads of it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


@pytest.fixture(scope="module")
def mailbox():
    with Mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def world(tmp_path_factory, mailbox):
    """A hub with a device, two approvers and a mail server."""
    folder = harness.walkable(tmp_path_factory.mktemp("web"))
    with harness.Hub(folder / "hub", "--smtp-url", mailbox.url, "--mail-from", "hub@example.org") as hub:
        for mail, by_mail in (("grace@example.org", True), ("ada@example.org", False)):
            assert hub.api("POST", "/piccolo/v1/approvers", {"mail": mail, "byMail": by_mail})[0] < 300
        hub.edge = Identity(hub, folder / "device", "tiny-edge")
        hub.edge.join()
        module = hub.push(name="app.wasm")["url"]
        hub.push(harness.SAMPLES / "test-hello.bpf.o", "hello.bpf.o")
        edge = harness.target()
        edge["spec"].pop("topologies")  # one without bindings takes everything
        hub.apply(edge, harness.instance(), harness.solution(
            harness.component("wasm-module", module), harness.component("ebpf-module", "/artifacts/hello.bpf.o", "ebpf")))
        harness.wait(lambda: hub.edge.poll()[0] == 200, 10, "the device has its document")
        hub.edge.report([running("wasm-module", evidence={"pid": 4711, "memory-bytes": 2097152})])
        yield hub


@pytest.fixture
def person(world):
    somebody = Person(world.port)
    assert somebody.sign_in(world.token)[0].status == 303
    return somebody


def approvals(hub):
    return {one["name"]: one for one in hub.api("GET", "/piccolo/v1/approvals")[1]["approvals"]}


def ask_approval(hub, reason):
    """A request of a person for the program of the fixture."""
    status, answer = hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": reason,
                                                               "lengthSeconds": 600})
    assert status == 201, answer
    return answer


def phase(hub, approval):
    return approvals(hub)[approval["name"]]["phase"]


PAGES = ["/", "/devices/tiny-edge", "/devices/tiny-edge/tiny-app/wasm-module", "/campaigns", "/approvals"]


# Headers


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/approvals/" + "0" * 32, "/nothing"])
def test_what_the_browser_is_told(world, person, path):
    for own in (True, False):
        answer, page = person.ask("GET", path, own=own)
        policy = dict(part.strip().split(" ", 1) for part in answer.getheader("Content-Security-Policy").split(";"))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'" and policy["form-action"] == "'self'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in answer.getheader("Content-Security-Policy")
        assert answer.getheader("X-Frame-Options") == "DENY"
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "same-origin"
        assert answer.getheader("Cache-Control") == "no-store"
        assert answer.getheader("Access-Control-Allow-Origin") is None
        if answer.status != 303:
            assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
        # nothing inline, nothing from elsewhere
        assert not re.search(r"<script(?![^>]*\ssrc=\"/assets/)", page) and "<style" not in page
        assert not re.search(r"\s(on\w+|style)=", re.sub(r'"[^"]*"', '""', page))
        assert not re.search(r'(href|src|action)="(?!/|#)', page)


def test_files_are_kept_by_their_digest(world, person):
    page = person.get("/")
    paths = set(re.findall(r'"(/assets/[^"]+)"', page))
    assert {path.rsplit("/", 1)[1] for path in paths} == {"style.css", "live.js", "icon.svg"}
    kinds = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    for path in paths:
        answer, body = person.ask("GET", path, own=False)
        assert answer.status == 200 and "immutable" in answer.getheader("Cache-Control")
        assert answer.getheader("Content-Type") == kinds[path.rsplit(".", 1)[1]]
        source = harness.ROOT / "src" / "hub" / "web" / "page" / path.rsplit("/", 1)[1]
        assert body == source.read_text()
        assert not re.search(r"\beval\b|innerHTML|document\.write|https?://(?!www\.w3\.org)", body)
        wrong = re.sub(r"/assets/\w+/", "/assets/" + "0" * 16 + "/", path)
        assert person.ask("GET", wrong)[0].status == 404
    assert person.ask("GET", "/assets/0000000000000000/..%2f..%2fetc%2fpasswd")[0].status in (400, 404)


# Signing in and out


def test_signing_in_and_out(world):
    somebody = Person(world.port)
    answer, page = somebody.ask("GET", "/devices/tiny-edge")
    assert answer.status == 401 and 'name="next" value="/devices/tiny-edge"' in page and "4711" not in page
    answer, page = somebody.sign_in("pica_" + "0" * 64)
    assert answer.status == 403 and answer.getheader("Set-Cookie") is None and "not the admin token" in page
    for wrong in world.token + "x", world.token[:9] + " " + world.token[9:], "\n" + "0" * 5000:
        assert Person(world.port).sign_in(wrong)[0].status == 403
    # as it comes out of a terminal or a file
    for copied in world.token + "\n", f"  {world.token}\r\n", f"\t{world.token} ":
        assert Person(world.port).sign_in(copied)[0].status == 303

    answer, _ = somebody.sign_in(world.token, next="/devices/tiny-edge")
    assert answer.status == 303 and answer.getheader("Location") == "/devices/tiny-edge"
    cookie = answer.getheader("Set-Cookie")
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith(COOKIE + "=") and flags == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert world.token not in cookie
    assert "wasm-module" in somebody.get("/devices/tiny-edge")

    # the cookie is worth nothing as a token, and the token nothing as a cookie
    assert world.api("GET", "/piccolo/v1/devices", token=somebody.cookie)[0] == 401
    other = Person(world.port)
    other.cookie = world.token
    assert other.ask("GET", "/")[0].status == 401
    assert request(world.port, "GET", "/piccolo/v1/devices", headers={"Cookie": f"{COOKIE}={somebody.cookie}"})[0] == 401

    token = somebody.form_token("/")
    assert somebody.ask("GET", "/sign-out")[0].status == 405
    assert somebody.ask("POST", "/sign-out", {"token": "wrong"})[0].status == 403
    assert somebody.ask("GET", "/")[0].status == 200
    answer, _ = somebody.ask("POST", "/sign-out", {"token": token})
    assert answer.status == 303 and "Max-Age=0" in answer.getheader("Set-Cookie")
    assert somebody.ask("GET", "/")[0].status == 401  # the cookie as it was, kept by somebody


def test_one_is_sent_nowhere_else(world):
    for place in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
        somebody = Person(world.port)
        answer, _ = somebody.sign_in(world.token, next=place)
        assert answer.status == 303 and answer.getheader("Location") == "/", place
        assert answer.getheader("X") is None
        page = Person(world.port).get("/sign-in?" + urllib.parse.urlencode({"next": place}))
        assert 'name="next" value="/"' in page


def test_tries_are_limited(work):
    with harness.Hub(work / "hub") as hub:
        somebody = Person(hub.port)
        for _ in range(10):
            assert somebody.sign_in("pica_" + "1" * 64)[0].status == 403
        answer, page = somebody.sign_in(hub.token)
        assert answer.status == 429 and 0 < int(answer.getheader("Retry-After")) <= 60 and "Too many tries" in page
        assert hub.api("GET", "/piccolo/v1/devices")[0] == 200  # programs are not locked out


def test_sessions_are_bounded(work):
    with harness.Hub(work / "hub") as hub:
        people = [Person(hub.port) for _ in range(70)]
        for somebody in people:
            assert somebody.sign_in(hub.token)[0].status == 303
        assert people[0].ask("GET", "/")[0].status == 401
        assert people[-1].ask("GET", "/")[0].status == 200


# Other sites


def test_another_sites_page_can_do_nothing(world, person):
    approval = ask_approval(world, "another site")
    path, token = "/approvals/" + approval["id"], person.form_token("/")
    form = {"token": token, "decision": "approve"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site"}, {"Content-Type": "text/plain"},
                    {"Content-Type": "application/json"}, {"Host": "evil.example"}):
        answer, _ = person.ask("POST", path, form, headers=headers)
        assert answer.status in (403, 415, 421), headers
    # a form without its token, with another session's, with an empty one
    other = Person(world.port)
    other.sign_in(world.token)
    for bad in ({}, {"token": ""}, {"token": other.form_token("/")}, {"token": token[:-1]}):
        assert person.ask("POST", path, {**bad, "decision": "approve"})[0].status == 403, bad
    assert person.ask("POST", path, form, own=False)[0].status == 401
    assert phase(world, approval) == "Pending"
    own = {"Origin": f"https://127.0.0.1:{world.port}", "Sec-Fetch-Site": "same-origin"}
    assert person.ask("POST", path, {**form, "decision": "reject"}, headers=own)[0].status == 303
    assert phase(world, approval) == "Rejected"


def test_a_strict_cookie_survives_a_foreign_link(world, person):
    """The first request of a link in a web mail has no cookie: the page asks again by itself, once."""
    answer, page = person.ask("GET", "/approvals", headers={"Sec-Fetch-Site": "cross-site"}, own=False)
    assert answer.status == 200 and 'http-equiv="refresh" content="0; url=/approvals"' in page
    assert person.ask("GET", "/approvals", headers={"Sec-Fetch-Site": "same-origin"}, own=False)[0].status == 401


# Deciding


def test_a_get_decides_nothing(world, mailbox, person):
    approval = ask_approval(world, "scanners follow links")
    link = harness.wait(lambda: mailbox.link_to("grace@example.org", "scanners follow links"), 20, "the mail")
    path = link[len(world.url):]
    nobody = Person(world.port)
    for round in range(20):
        answer, page = nobody.ask("HEAD" if round % 2 else "GET", path)
        assert answer.status == 200
    token = token_in(nobody.get(path))
    for more in ("&decision=approve", f"&decision=approve&token={token}"):
        nobody.get(path + more)
    person.get(f"/approvals/{approval['id']}?decision=approve&token={person.form_token('/')}")
    assert phase(world, approval) == "Pending"


def test_the_mails_link_decides_once(world, mailbox):
    approval = ask_approval(world, "by mail")
    link = harness.wait(lambda: mailbox.link_to("grace@example.org", "by mail"), 20, "the mail")
    path = link[len(world.url):]
    nobody = Person(world.port)
    page = nobody.get(path)
    assert "You decide as grace@example.org." in words(page) and "<nav" not in page and "data-topic" not in page
    assert "by mail" in words(page) and "Approve" in words(page) and "Reject" in words(page)
    token = token_in(page)

    # not without the page's token, not with that of another request, not by another key, no other verb
    other = ask_approval(world, "by mail, another")
    other_link = harness.wait(lambda: mailbox.link_to("grace@example.org", "by mail, another"), 20, "the mail")
    other_token = token_in(nobody.get(other_link[len(world.url):]))
    for bad in ({}, {"token": ""}, {"token": "0" * len(token)}, {"token": other_token}):
        assert nobody.ask("POST", path, {**bad, "decision": "approve"})[0].status == 403
    assert nobody.ask("POST", path.split("?")[0], {"token": token, "decision": "approve"})[0].status == 401
    for wrong in ("0" * 64, "", urllib.parse.parse_qs(other_link.split("?")[1])["key"][0]):
        wrong_path = f"{path.split('?')[0]}?key={wrong}"
        assert nobody.ask("GET", wrong_path)[0].status in (401, 403)
        assert nobody.ask("POST", wrong_path, {"token": token, "decision": "approve"})[0].status in (401, 403)
    for verb in ("revoke", "", "Approve", "approve\0"):
        assert nobody.ask("POST", path, {"token": token, "decision": verb})[0].status == 400
    assert phase(world, approval) == phase(world, other) == "Pending"

    answer, _ = nobody.ask("POST", path, {"token": token, "decision": "reject", "comment": "not <b>today</b>"})
    assert answer.status == 303 and answer.getheader("Location") == path
    page = nobody.get(path)
    assert "Rejected by grace@example.org" in words(page) and "<form" not in page
    assert "not &lt;b&gt;today&lt;/b&gt;" in page and "<b>" not in page
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", words(page))
    answer, page = nobody.ask("POST", path, {"token": token, "decision": "approve"})
    assert answer.status == 409 and "grace@example.org" in page
    assert phase(world, approval) == "Rejected" and phase(world, other) == "Pending"


def test_an_approver_without_by_mail_signs_in(world, mailbox):
    ask_approval(world, "sign in for it")
    link = harness.wait(lambda: mailbox.link_to("ada@example.org", "sign in for it"), 20, "the mail")
    assert "key=" not in link
    nobody = Person(world.port)
    answer, page = nobody.ask("GET", link[len(world.url):])
    assert answer.status == 401 and "sign in for it" not in page
    answer, _ = nobody.sign_in(world.token, next=re.search(r'name="next" value="([^"]+)"', page).group(1))
    assert world.url + answer.getheader("Location") == link
    assert "sign in for it" in words(nobody.get(answer.getheader("Location")))


def test_two_decide_at_once(world, person):
    for round in range(5):
        approval = ask_approval(world, f"two at once {round}")
        path, token = "/approvals/" + approval["id"], person.form_token("/")
        calls = [Background(lambda verb=verb: person.ask("POST", path, {"token": token, "decision": verb}))
                 for verb in ("approve", "reject", "approve", "reject")]
        answers = [call.result() for call in calls]
        assert sorted(answer.status for answer, _ in answers) == [303, 409, 409, 409]
        for answer, page in answers:
            assert answer.status == 303 or "by admin" in words(page)
        assert phase(world, approval) in ("Approved", "Rejected")


def test_approved_and_taken_back(world, person):
    approval = ask_approval(world, "yes, and then no")
    path, token = "/approvals/" + approval["id"], person.form_token("/")
    page = words(person.get(path))
    for said in ("ebpf-module on tiny-edge", "yes, and then no", "10 minutes", "It may read the kernel's memory",
                 "May be decided by", "Nobody has decided yet"):
        assert said in page, (said, page)
    assert "Take it back" not in page
    assert person.ask("POST", path, {"token": token, "decision": "approve"})[0].status == 303
    page = words(person.get(path))
    assert "Approved by admin" in page and re.search(r"It ends 20\S+ \S+ UTC \(in (10m|9m)", page), page
    assert "Take it back" in page and "Reject" not in page
    assert person.ask("POST", path, {"token": token, "decision": "reject"})[0].status == 409
    assert person.ask("POST", path, {"token": token, "decision": "revoke", "comment": "enough"})[0].status == 303
    page = words(person.get(path))
    assert "Taken back by admin" in page and "enough" in page and "<form" not in person.get(path).split("<main")[1]


def test_a_stranger_learns_nothing(world):
    approval = ask_approval(world, "a secret reason")
    nobody = Person(world.port)
    there = nobody.ask("GET", "/approvals/" + approval["id"])
    not_there = nobody.ask("GET", "/approvals/" + "f" * 32)
    assert there[0].status == not_there[0].status == 401
    assert there[1].replace(approval["id"], "f" * 32) == not_there[1]
    there = nobody.ask("GET", f"/approvals/{approval['id']}?key={'0' * 64}")
    not_there = nobody.ask("GET", f"/approvals/{'f' * 32}?key={'0' * 64}")
    assert there[0].status == not_there[0].status == 403 and there[1] == not_there[1]


# What strangers write


def test_strangers_words_are_text(world, person):
    attack = "<script>steal()</script>\"'><img src=x onerror=steal()>\u202e\x1b[31m"
    approval = ask_approval(world, attack)
    world.edge.report([running("wasm-module", message=attack, **{"last-error": attack}, evidence={"text": attack}),
                       running("other", instance="second", phase="Failed", reason="X", message=attack)], message=attack)
    try:
        pages = [person.get(path) for path in [*PAGES, "/approvals/" + approval["id"]]]
        found = [page for page in pages if "steal()" in page]
        assert len(found) >= 4
        for page in pages:
            assert "<script>steal" not in page and "<img src=x" not in page
            assert "\u202e" not in page and "\x1b" not in page
        for path in ("/devices/%3Cscript%3Esteal()", "/devices/tiny-edge/%22%3E%3Cimg%20src=x/y", "/nothing%3Cb%3E",
                     "/campaigns/%3Cb%3E/%3Cb%3E", "/?find=%22%3E%3Cscript%3Esteal()%3C/script%3E"):
            answer, page = person.ask("GET", path)
            assert "<script>steal" not in page and "<img src=x" not in page and "<b>" not in page, path
    finally:
        world.edge.report([running("wasm-module", evidence={"pid": 4711, "memory-bytes": 2097152})])


# What is shown


def test_devices_and_components(world, person):
    page = words(person.get("/"))
    assert "tiny-edge" in page and "1 running" in page
    page = words(person.get("/devices/tiny-edge"))
    assert "wasm-module" in page and "Running" in page and "wasm of tiny-app" in page
    page = words(person.get("/devices/tiny-edge/tiny-app/wasm-module"))
    assert "4711" in page and "2.0 MB" in page
    assert "no device of that name" in person.get("/devices/nowhere", status=404)
    person.get("/devices/tiny-edge/tiny-app/nothing", status=404)


def test_lines_and_metrics_are_asked_for(world, person):
    def serve(status, body):
        ask = harness.wait(lambda: (world.edge.poll(wait=5)[1] or {}).get("asks"), 10, "the device is asked")[0]
        query = f"?status={status}" if status != 200 else ""
        world.edge.ask("POST", f"/device/v1/asks/{ask['id']}{query}", body, {"Content-Type": "text/plain"})
        return ask

    base = "/devices/tiny-edge/tiny-app/wasm-module"
    wanted = Background(lambda: person.ask("GET", base + "/lines"))
    ask = serve(200, "first line\n<script>steal()</script>\n")
    answer, page = wanted.result()
    assert (ask["kind"], ask["instance"], ask["component"]) == ("logs", "tiny-app", "wasm-module")
    assert answer.status == 200 and "first line\n&lt;script&gt;steal()" in page

    wanted = Background(lambda: person.ask("GET", base + "/metrics"))
    serve(200, 'up 1\npackets{instance="tiny-app",component="wasm-module",protocol="<b>"} 17\n'
               'packets{instance="other",component="wasm-module"} 99\n')
    answer, page = wanted.result()
    assert answer.status == 200 and "packets" in page and "<td>17</td>" in page and "<td>99</td>" not in page
    assert "protocol=&lt;b&gt;" in page

    wanted = Background(lambda: person.ask("GET", base + "/lines"))
    serve(404, "there is no such <component>")
    answer, page = wanted.result()
    assert answer.status == 404 and "no such &lt;component&gt;" in page


def test_news_come_by_themselves_and_idle_costs_nothing(world, person):
    connection = connect(world.port)
    connection.request("GET", "/events?topic=device/tiny-edge", headers={"Cookie": f"{COOKIE}={person.cookie}"})
    stream = connection.getresponse()
    assert stream.status == 200 and stream.getheader("Content-Type") == "text/event-stream"
    assert stream.readline().startswith(b"retry: ") and stream.readline() == b"\n"
    read = Background(lambda: stream.readline())
    browser.rest(2)
    assert not read.is_done(), "nothing is sent while nothing changes"
    started = time.monotonic()
    world.edge.report([running("wasm-module", message="news")])
    assert read.result() == b"data: changed\n" and time.monotonic() - started < 1 * harness.SLOW
    # a change of another device is none of this page's
    other = Identity(world, world.folder / "another", "another-edge")
    assert stream.readline() == b"\n"
    read = Background(lambda: stream.readline())
    other.join()
    browser.rest(1.5)
    assert not read.is_done()
    # who signs out is told nothing more
    person.ask("POST", "/sign-out", {"token": person.form_token("/")})
    assert read.result() == b""
    connection.close()


# In a browser

with_browser = pytest.mark.skipif(not browser.CHROMIUM, reason="no Chromium on this machine")


@with_browser
def test_a_person_in_a_browser(world):
    approval = ask_approval(world, "a browser decides")
    with browser.Browser() as tab:
        browser.sign_in(tab, world)
        tab.open(world.url + "/devices/tiny-edge")
        tab.shows("wasm-module")
        # live: the same page, not loaded again
        tab.run("window.mark = 1")
        world.edge.report([running("wasm-module", phase="Backoff", reason="Crashed", message="it fell over")])
        tab.shows("it fell over")
        world.edge.report([running("wasm-module")])
        harness.wait(lambda: "it fell over" not in tab.text(), 10, "the page follows")
        assert tab.run("window.mark") == 1

        tab.open(world.url + "/approvals/" + approval["id"])
        tab.shows("a browser decides")
        assert tab.run("document.cookie") == ""
        tab.fill("#comment", "looked at")
        tab.press("button[value=approve]")
        tab.shows("Approved by admin")
        tab.shows("looked at")
        assert phase(world, approval) == "Approved"
        # somebody else takes it back: the open page says so
        assert world.api("POST", f"/piccolo/v1/approvals/default/{approval['name']}/revoke", {})[0] == 200
        tab.shows("Taken back by admin")
        assert tab.run("document.querySelector('button[value=revoke]') === null")
        complaints = [line for line in tab.complaints() if "401" not in line]  # the page before signing in
        assert complaints == []


@with_browser
def test_without_scripts_on_a_phone(world, mailbox):
    approval = ask_approval(world, "no scripts")
    link = harness.wait(lambda: mailbox.link_to("grace@example.org", "no scripts"), 20, "the mail")
    with browser.Browser(width=360, height=740, scale=2, phone=True, dark=True, scripts=False) as tab:
        tab.open(link)
        tab.shows("no scripts")
        assert tab.run("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
        assert tab.run("[...document.querySelectorAll('main button')].every(b => b.getBoundingClientRect().height >= 44)")
        tab.press("button[value=reject]")
        tab.shows("Rejected by grace@example.org")
    assert phase(world, approval) == "Rejected"


@with_browser
def test_with_the_keyboard_alone(world):
    with browser.Browser() as tab:
        tab.open(world.url + "/")
        tab.call("Input.insertText", text=world.token)  # the field has the focus
        tab.key("Enter", 13, "\r")
        tab.shows("Devices")
        tab.key("Tab", 9)
        assert tab.run("document.activeElement.textContent") == "Skip to the content"
        tab.key("Enter", 13, "\r")
        harness.wait(lambda: tab.run("document.activeElement.id") == "main", 5, "the focus is on the content")
        # what a screen reader is told: a name for everything that can be used
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        roles = {node["role"]["value"] for node in nodes if not node["ignored"]}
        assert {"banner", "navigation", "main", "heading", "list"} <= roles
        for node in nodes:
            if not node["ignored"] and node["role"]["value"] in ("link", "button", "textbox", "searchbox"):
                assert node["name"]["value"].strip(), node
