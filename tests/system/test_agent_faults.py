"""The agent against a hub and a network that do what they should not. Whatever comes: one sentence that says what is
wrong, the last good state stays, and when the trouble is over the device goes on by itself."""

import hashlib
import json
import pathlib
import re
import signal
import time

import pytest

import harness
import privileged
from fake_hub import DAY, PORTAL, Answer, FakeHub
from harness import wait
from privileged import module

SERVES = module(privileged.SLEEPER)


def custom_section(size):
    """A section that every engine skips, to make a module large."""
    payload = b"\x03pad" + bytes(size)

    def leb(number):
        out = b""
        while True:
            byte, number = number & 0x7F, number >> 7
            out += bytes([byte | (0x80 if number else 0)])
            if not number:
                return out

    return b"\x00" + leb(len(payload)) + payload


BIG = SERVES + custom_section(600_000)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def component(name="web", data=SERVES, **properties):
    return {"component": name, "sha256": digest(data), "properties": properties}


@pytest.fixture
def fake(work):
    with FakeHub(work / "hub") as hub:
        hub.artifacts[digest(SERVES)] = SERVES
        hub.artifacts[digest(BIG)] = BIG
        yield hub


@pytest.fixture
def device(fake, work):
    with harness.Device(work / "device", hub=fake) as running:
        running.join(fake.enrolled())
        running.start()
        yield running


def pid_of(device, name="web"):
    return wait(lambda: device.module_pid(name, "app"), 10, f"{name} runs")


def state_of(device, name="web", **wanted):
    """The component's status when all of `wanted` is so."""
    def look():
        found = device.component(name, "app") or {}
        return found if all(found.get(key) == value for key, value in wanted.items()) else None

    return wait(look, 15, f"{name} is {wanted}")


def problem(device):
    status = device.status() or {}
    return f'{status.get("reason")}: {status.get("problem")} {status.get("message")}'


def say_problem(device, *words):
    def look():
        said = problem(device)
        if all(word in said for word in words):
            return said
        raise AssertionError(f"it says {said}")

    return wait(look, 15, f"{words} in the status")


# -- joining -----------------------------------------------------------------------------------------------------------

def fail_to_join(device, fake, status, *words, **other):
    done = device.join({**fake.enrolled(), **other}, check=False)
    assert done.returncode == status, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert not (device.state / "agent" / "identity.json").exists()
    assert not (device.folder / "piccolo.conf").exists()


def test_the_token_goes_only_to_the_hub_that_was_pinned(fake, work):
    device = harness.Device(work / "device", hub=fake)
    fail_to_join(device, fake, 3, "has the pin " + fake.authority.pin(), "nothing was sent", **{"ca-pin": "sha256:" + "ab" * 32})
    assert fake.seen("/device/v1/join") == []


def test_a_wrong_token_says_what_the_hub_says(fake, work):
    fail_to_join(harness.Device(work / "device", hub=fake), fake, 3, "the token is not known, was used or has expired", token="nonsense")


def test_a_captive_portal_is_not_a_hub(fake, work):
    device = harness.Device(work / "device", hub=fake)
    fake.fault("/device/v1/authority", PORTAL)
    fail_to_join(device, fake, 4, "HTML page", "captive portal")
    fake.fault("/device/v1/join", PORTAL)
    fail_to_join(device, fake, 1, "")


def test_a_certificate_for_another_key_is_not_taken(fake, work):
    device = harness.Device(work / "device", hub=fake)
    fake.fault("/device/v1/join", lambda request: Answer(200, {
        "device": "tiny-edge", "certificate": fake.authority.pem.read_text(), "authority": "", "epoch": fake.epoch}))
    fail_to_join(device, fake, 1, "another key")


def test_nobody_there_is_said_as_that(work, fake):
    device = harness.Device(work / "device", hub=fake)
    done = device.join(fake.enrolled(), check=False, url=f"https://127.0.0.1:{harness.free_port()}")
    assert done.returncode == 4 and "cannot reach" in done.stderr


def test_joining_again_changes_only_what_it_must(fake, work):
    device = harness.Device(work / "device", hub=fake)
    (device.folder / "piccolo.conf").write_text("# ours\nmetrics = off\nhub = https://old\n")
    device.join(fake.enrolled())
    text = (device.folder / "piccolo.conf").read_text()
    assert text.startswith(f"# ours\nmetrics = off\nhub = {fake.url}\n") and "target = tiny-edge\n" in text
    assert "says so already" in device.join(fake.enrolled()).stdout


def test_the_identity_is_the_agents_alone(fake, work):
    device = harness.Device(work / "device", hub=fake)
    device.join(fake.enrolled())
    facts = (device.state / "agent" / "identity.json").stat()
    assert facts.st_mode & 0o777 == 0o600 and facts.st_uid != 0


# -- polls ---------------------------------------------------------------------------------------------------------------

def test_a_poll_carries_what_is_in_force_and_a_fresh_stamp(fake, device):
    fake.say([component()])
    pid_of(device)
    held = wait(lambda: [request for request in fake.seen("/device/v1/document") if request.query["revision"] == "1"], 5,
                "a poll that knows revision 1")[-1]
    body = json.dumps(fake.document, separators=(",", ":")).encode()
    assert held.query["digest"] == digest(body) and held.query["epoch"] == fake.epoch
    assert held.headers["If-None-Match"] == fake.etag() and float(held.query["wait"]) == 600
    stamps = [request.query["stamp"] for request in fake.seen("/device/v1/document")]
    assert all(re.fullmatch("[0-9a-f]{32}", stamp) for stamp in stamps) and len(set(stamps)) == len(stamps)
    assert len({request.query["session"] for request in fake.seen("/device/v1/document")}) == 1


@pytest.mark.parametrize("fault, words", [
    (PORTAL, ("BadAnswer", "captive portal")),
    (Answer(200, '{"protocol":1,"document":{'), ("BadAnswer", "the hub's answer")),
    (Answer(200, {"protocol": 2}), ("BadAnswer", "protocol: 2 is not known here")),
    (Answer(200, {"protocol": 1, "document": []}), ("BadAnswer", "document: an object is expected")),
    (Answer(200, {"protocol": 1, "asks": []}, cut=9), ("HubUnreachable", "broke off")),
    (Answer(403, {"error": "there is no device tiny-edge", "reason": "UnknownDevice"}), ("UnknownDevice", "no device tiny-edge")),
    (Answer(401, {"error": "a device shows its certificate", "reason": "NoCertificate"}), ("NoCertificate", "shows its certificate")),
    (Answer(410, {"error": "it was retired", "reason": "Retired"}), ("Retired", "it was retired")),
    (Answer(502, "<html>bad gateway</html>", "text/html"), ("HubRefuses", "status 502", "captive portal")),
], ids=["portal", "half", "protocol", "shape", "cut", "unknown", "no-certificate", "retired", "gateway"])
def test_an_answer_that_makes_no_sense_changes_nothing(fake, device, fault, words):
    fake.say([component()])
    pid = pid_of(device)
    with fake.always("/device/v1/document", fault):
        say_problem(device, *words)
    assert device.module_pid("web", "app") == pid
    wait(lambda: device.status()["connection"] == "connected" and device.status()["problem"] == "", 15, "it is over")
    assert device.module_pid("web", "app") == pid


def test_retry_after_is_obeyed(fake, device):
    wait(lambda: device.status()["connection"] == "connected", 10, "connected")
    refused = []

    def later(_):
        refused.append(time.monotonic())
        return Answer(503, {"error": "later"}, headers={"Retry-After": "3"})

    fake.fault("/device/v1/document", later)
    wait(lambda: refused, 15, "a poll is refused")
    [poll, *_] = wait(lambda: [one for one in fake.seen("/device/v1/document") if one.time > refused[0]], 15, "the next poll")
    assert poll.time - refused[0] >= 3


def test_a_hub_that_never_holds_is_not_hammered(fake, device):
    wait(lambda: device.status()["connection"] == "connected", 10, "connected")
    fake.fault("/device/v1/document", *[Answer(304)] * 200)
    before = len(fake.seen("/device/v1/document"))
    time.sleep(4)  # what is measured is a rate
    assert len(fake.seen("/device/v1/document")) - before < 25


def test_an_etag_that_means_nothing_does_no_harm(fake, device):
    fake.fault("/device/v1/document", lambda request: None)
    fake.say([component()])
    fake.etag = lambda: "nonsense"
    pid = pid_of(device)
    fake.say([component(), component("other")])
    pid_of(device, "other")
    assert device.module_pid("web", "app") == pid
    wait(lambda: device.status()["revision"] == 2, 5)
    before = len(fake.seen("/device/v1/document"))
    time.sleep(4)  # the hub gives the same document again and again, at once: what is measured is a rate
    assert len(fake.seen("/device/v1/document")) - before < 25


# -- a clock that was never set ---------------------------------------------------------------------------------------------

CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <time.h>
#include <sys/time.h>
#include <unistd.h>
/* 1970, until the file is there. */
static long shift(void)
{
	struct stat facts;
	return stat(FILE_NAME, &facts) == 0 ? 0 : 1700000000;
}
int clock_gettime(clockid_t id, struct timespec *out)
{
	int r = syscall(SYS_clock_gettime, id, out);
	if (id == CLOCK_REALTIME)
		out->tv_sec -= shift();
	return r;
}
time_t time(time_t *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
int gettimeofday(struct timeval *out, void *zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
"""


@pytest.mark.skipif("asan" in harness.BUILD.name, reason="the sanitizer's library must come first, a preloaded clock cannot")
def test_dates_are_not_checked_before_the_clock_is_set_and_then_they_are(fake, work):
    source, shim, is_set = work / "clock.c", work / "clock.so", work / "clock-is-set"
    source.write_text(CLOCK)
    harness.run("gcc", "-shared", "-fPIC", f'-DFILE_NAME="{is_set}"', "-o", shim, source)
    shim.chmod(0o755)
    with harness.Device(work / "device", hub=fake) as device:
        device.join(fake.enrolled())
        device.start_supervisor()
        device.agent.launch(harness.BIN / "piccolo", "agent", *device.options, "--metrics", "off", env={"LD_PRELOAD": str(shim)})
        wait(lambda: (device.status() or {}).get("connection") == "connected", 10, "connected although every certificate is of the future")
        assert device.status()["agent"]["clock-set"] is False
        assert "not set" in device.piccolo("status").stdout
        fake.say([component()])
        pid_of(device)
        assert fake.report()["agent"]["clock-set"] is False and fake.seen("/device/v1/renew") == []
        is_set.touch()
        fake.say([component()])
        wait(lambda: fake.report()["agent"]["clock-set"], 10, "the clock is set")
        assert device.status()["connection"] == "connected"
        # and from now on a certificate has to be of its time
        fake.show(fake.authority.server("old", -10 * DAY, -DAY))
        fake.drop_connections()
        say_problem(device, "HubNotTrusted", "expired")


# -- documents -------------------------------------------------------------------------------------------------------------

def test_an_older_revision_and_other_contents_are_refused(fake, device):
    fake.say([component()])
    pid = pid_of(device)
    fake.say([component()], revision=5)
    wait(lambda: device.status()["revision"] == 5, 5, "revision 5")
    fake.say([], removed=["web"], revision=4)
    say_problem(device, "older than revision 5")
    assert wait(lambda: fake.report()["message"], 5, "a report") and "older than revision 5" in fake.report()["message"]
    fake.say([], removed=["web"], revision=5)
    say_problem(device, "revision 5 again with other contents")
    assert device.module_pid("web", "app") == pid
    fake.say([component()], revision=6)
    wait(lambda: device.status()["revision"] == 6 and device.status()["message"] == "", 15, "revision 6")
    assert device.module_pid("web", "app") == pid


def test_a_document_of_somebody_else_is_refused(fake, device):
    fake.say([component()], device="other-box")
    say_problem(device, "document for 'other-box'", "this device is 'tiny-edge'")


def test_a_document_that_breaks_the_rules_names_the_path(fake, device):
    fake.say([component(), {**component("bad"), "type": "No Type"}])
    say_problem(device, "document.components[1].type")
    assert device.status()["components"] == []


def test_another_epoch_removes_nothing_until_it_is_confirmed(fake, device):
    fake.say([component(), component("other")])
    pid, other = pid_of(device), pid_of(device, "other")
    old, fake.epoch = fake.epoch, "ee" * 16
    fake.say([], removed=["web", "other"], revision=1)
    said = say_problem(device, "memory is another one")
    assert old[:8] in said and "accept-epoch" in said
    assert (device.module_pid("web", "app"), device.module_pid("other", "app")) == (pid, other)
    # confirmed, but silent about them: absence never removes, they are orphans
    with fake.changed:
        fake.document["removed"], fake.accept_epoch = [], True
        fake.changed.notify_all()
    wait(lambda: device.status()["epoch"] == fake.epoch, 15, "the new epoch is in force")
    state_of(device, orphaned=True)
    assert (device.module_pid("web", "app"), device.module_pid("other", "app")) == (pid, other)
    # also over a reboot's loss of the ledger
    device.stop()
    device.start()
    assert pid_of(device) and device.component("web", "app")["orphaned"]
    fake.say([], removed=["web", "other"])
    wait(lambda: device.status()["components"] == [], 10, "removed by name")


def test_a_changed_component_is_replaced_once(fake, device):
    fake.say([component(), component("other")])
    pid, other = pid_of(device), pid_of(device, "other")
    fake.say([component(**{"wasm.memory": "2M"}), component("other")])
    began = time.monotonic()
    wait(lambda: device.module_pid("web", "app") not in (None, pid), 5, "another process")
    assert time.monotonic() - began < 1 * harness.SLOW
    assert not harness.alive(pid) and device.module_pid("other", "app") == other
    assert "start-failed" not in device.log.read_text()
    assert state_of(device)["restarts"] == 0


def test_removal_is_reported_when_it_is_proved(fake, device):
    fake.say([component(), component("other")])
    pid_of(device), pid_of(device, "other")
    fake.say([component("other")], removed=["web"])
    wait(lambda: fake.report()["removed-through"] == 2, 10, "removed through 2")
    assert not list((device.state / "log").glob("app~web*"))
    for report in fake.reports:
        if any(item["component"] == "web" for item in report["components"]):
            assert report["removed-through"] < 2
    fake.say([], removed=["web", "other"])
    wait(lambda: fake.report()["removed-through"] == 3, 10, "removed through 3")
    wait(lambda: device.leftovers() == [], 5, "nothing is left")


def test_a_full_disk_keeps_the_last_good_state(fake, work):
    device = harness.Device(work / "device", hub=fake)
    agent = device.state / "agent"
    with device:
        device.join(fake.enrolled())
        identity = (agent / "identity.json").read_bytes()
        harness.run("mount", "-t", "tmpfs", "-o", f"size=256k,mode=0700,uid={agent.stat().st_uid}", "none", agent)
        try:
            (agent / "identity.json").write_bytes(identity)
            harness.run("chown", f"{agent.stat().st_uid}", agent / "identity.json")
            device.start()
            fake.say([component()])
            pid = pid_of(device)
            with open(agent / "ballast", "wb", buffering=0) as ballast, pytest.raises(OSError):
                while True:
                    ballast.write(bytes(4096))
            fake.say([], removed=["web"])
            said = say_problem(device, "cannot be kept")
            assert "No space left" in said and device.status()["revision"] == 1
            assert device.module_pid("web", "app") == pid
            (agent / "ballast").unlink()
            wait(lambda: device.status()["components"] == [], 90, "it is tried again")
        finally:
            device.stop()
            harness.run("umount", agent)


# -- artifacts -------------------------------------------------------------------------------------------------------------

def test_a_download_that_breaks_off_goes_on_where_it_was(fake, device):
    path = "/artifacts/" + digest(BIG)
    fake.fault(path, Answer(200, BIG, "application/wasm", cut=200_000),
               lambda request: Answer(206, BIG[int(re.findall(r"\d+", request.headers["Range"])[0]):], "application/wasm", cut=150_000))
    fake.say([component(data=BIG)])
    pid_of(device)
    first, *rest = fake.seen(path)
    starts = [int(re.fullmatch(r"bytes=(\d+)-", request.headers["Range"])[1]) for request in rest]
    assert "Range" not in first.headers and 100_000 < starts[0] < starts[1] < len(BIG)


def test_a_download_goes_on_after_the_agent_was_killed(fake, work):
    device = harness.Device(work / "device", hub=fake)
    path = "/artifacts/" + digest(BIG)
    fake.fault(path, Answer(200, BIG, "application/wasm", cut=300_000), Answer(503, b""), Answer(503, b""))
    with device:
        device.join(fake.enrolled())
        device.start_supervisor()
        device.start_agent()
        fake.say([component(data=BIG)])
        part = device.state / "agent" / "downloads" / (digest(BIG) + ".part")
        wait(lambda: part.stat().st_size >= 100_000, 10, "a part")
        device.agent.kill(signal.SIGKILL)
        fake.faults.clear()
        before = len(fake.seen(path))
        device.start_agent()
        pid_of(device)
        assert int(re.findall(r"\d+", fake.seen(path)[before].headers["Range"])[0]) >= 100_000


def test_a_server_that_ignores_the_range_is_no_trouble(fake, device):
    path = "/artifacts/" + digest(BIG)
    fake.fault(path, Answer(200, BIG, "application/wasm", cut=200_000), Answer(200, BIG, "application/wasm"))
    fake.say([component(data=BIG)])
    pid_of(device)
    assert len(fake.seen(path)) == 2


def test_a_part_of_other_bytes_is_thrown_away_at_once(fake, device):
    path = "/artifacts/" + digest(BIG)
    fake.fault(path, Answer(200, bytes(len(BIG)), "application/wasm", cut=200_000))
    fake.say([component(data=BIG)])
    pid_of(device)
    assert [("Range" in request.headers) for request in fake.seen(path)] == [False, True, False]
    assert "DigestMismatch" not in device.log.read_text()


@pytest.mark.parametrize("fault, reason, words", [
    (Answer(200, b"\0asm other bytes", "application/wasm"), "DigestMismatch", ("16 bytes with SHA-256", "instead of " + digest(SERVES)[:12])),
    (PORTAL, "DigestMismatch", ("the answer is an HTML page, perhaps a captive portal",)),
    (Answer(404, b""), "NotFound", ("status 404",)),
    (Answer(500, b""), "DownloadFailed", ("status 500",)),
], ids=["digest", "portal", "missing", "error"])
def test_what_is_wrong_with_a_download_is_said_and_tried_again(fake, device, fault, reason, words):
    path = "/artifacts/" + digest(SERVES)
    fake.fault(path, fault, fault, fault)
    fake.say([component("good", data=BIG), component()])
    bad = state_of(device, reason=reason)
    for word in words:
        assert word in bad["message"], bad
    pid_of(device, "good")  # others go on
    wait(lambda: (fake.reported("web") or {}).get("last-error"), 5, "the hub is told")
    pid_of(device)
    assert device.component("web", "app")["last-error"]  # still to be seen what it was


def test_an_artifact_larger_than_policy_allows_is_not_loaded_whole(fake, work):
    policy = (harness.ROOT / "etc" / "policy.conf").read_text().replace("artifact-max 64M", "artifact-max 100k")
    with harness.Device(work / "device", hub=fake, policy=policy) as device:
        device.join(fake.enrolled())
        device.start()
        fake.say([component(data=BIG)])
        bad = state_of(device, reason="TooLarge")
        assert bad["phase"] == "Failed" and "artifact-max" in bad["message"]


def test_the_hubs_store_comes_first_then_the_components_own_address(fake, device):
    elsewhere = module(privileged.SLEEPER) + custom_section(10)
    fake.artifacts["mine.wasm"] = elsewhere
    fake.say([{**component(data=elsewhere), "url": fake.url + "/artifacts/mine.wasm"}])
    pid_of(device)
    assert [request.path for request in fake.seen("/artifacts/")] == ["/artifacts/" + digest(elsewhere), "/artifacts/mine.wasm"]
    assert list((device.state / "agent" / "downloads").iterdir()) == []  # the supervisor's copy is the only one


def test_what_root_has_purged_is_fetched_again(fake, device):
    fake.say([component()])
    pid = pid_of(device)
    device.piccolo("purge")
    assert not harness.alive(pid)
    wait(lambda: device.module_pid("web", "app") not in (None, pid), 15, "it is back: the document still wants it")


def test_a_module_that_cannot_run_is_found_out_before_it_starts(fake, device):
    damaged = SERVES[:len(SERVES) // 2]
    fake.artifacts[digest(damaged)] = damaged
    fake.say([component()])
    pid = pid_of(device)
    fake.say([component(data=damaged)])
    bad = state_of(device, reason="NotAdmitted")
    assert bad["phase"] == "Failed" and bad["message"].endswith("what ran before keeps running")
    assert bad["evidence"]["pid"] == pid and harness.alive(pid)


def test_what_policy_refuses_starts_when_policy_allows_it(fake, device):
    fake.say([component(**{"wasm.listen": "22"})])
    bad = state_of(device, phase="Refused")
    assert "add `listen tcp 22`" in bad["message"]
    device.policy.write_text(device.policy.read_text() + "listen tcp 22\n")
    device.process.send_signal(signal.SIGHUP)
    pid_of(device)


# -- reports, asks, certificate -----------------------------------------------------------------------------------------------

def test_a_report_that_nobody_took_is_sent_again(fake, device):
    wait(lambda: fake.reports, 10, "the first report")
    fake.fault("/device/v1/report", Answer(500, b""), Answer(500, b""))
    fake.say([component()])
    wait(lambda: (fake.reported("web") or {}).get("phase") == "Running", 15, "Running is reported")


def test_no_report_forgets_what_runs_while_the_supervisor_is_not_found_yet(fake, work):
    with harness.Device(work / "device", hub=fake) as device:
        device.join(fake.enrolled())
        device.start_supervisor()
        device.start_agent()
        fake.say([component()])
        pid_of(device)
        wait(lambda: (fake.reported("web") or {}).get("phase") == "Running", 10, "Running is reported")
        device.agent.kill(signal.SIGKILL)
        device.supervisor.kill(signal.SIGKILL)
        known = len(fake.reports)
        device.start_agent()
        wait(lambda: len(fake.reports) > known, 15, "a report without a supervisor")
        assert [item["reason"] for item in fake.reports[known]["components"]] == ["SupervisorAway"]
        assert "supervisor is away" in fake.reports[known]["message"]
        device.start_supervisor()
        wait(lambda: fake.reported("web")["phase"] == "Running", 10, "Running is reported again")


def test_a_change_of_phase_is_reported_at_once(fake, device):
    fake.say([component()])
    pid = pid_of(device)
    wait(lambda: (fake.reported("web") or {}).get("evidence", {}).get("pid") == pid, 2, "its pid is reported")
    evidence = fake.reported("web")["evidence"]
    assert evidence["sha256"] == digest(SERVES) and evidence["user"] >= 1900000000


def test_asks_are_answered(fake, device):
    fake.say([component()])
    pid_of(device)
    scrape, logs, dance, nobody = (fake.ask(kind="scrape"), fake.ask(kind="logs", instance="app", component="web", lines=5),
                                   fake.ask(kind="dance"), fake.ask(kind="logs", instance="app", component="nobody"))
    for ask in (scrape, logs, dance, nobody):
        wait(lambda: ask in fake.answers, 10, "an answer")
    assert b'piccolo_workload_up{instance="app",component="web",type="wasm"} 1' in fake.answers[scrape].body
    assert fake.answers[scrape].query["status"] == "200"
    assert int(fake.answers[logs].query["position"]) >= 0
    assert fake.answers[dance].query["status"] == "501" and fake.answers[nobody].query["status"] == "404"


def test_the_certificate_is_renewed_when_two_thirds_are_over(work):
    with FakeHub(work / "hub") as fake:
        fake.device_life = (-20 * DAY, 2 * DAY)
        with harness.Device(work / "device", hub=fake) as device:
            device.join(fake.enrolled())
            before = json.loads((device.state / "agent" / "identity.json").read_text())["certificate"]
            device.start()
            wait(lambda: fake.seen("/device/v1/renew"), 10, "a renewal")
            wait(lambda: json.loads((device.state / "agent" / "identity.json").read_text())["certificate"] != before, 5, "kept")
            wait(lambda: device.status()["connection"] == "connected", 10, "connected with it")
            assert len(fake.seen("/device/v1/renew")) == 1
            serials = {request.peer["serialNumber"] for request in fake.seen("/device/v1/document") if request.peer}
            assert len(serials) == 1  # the new one, from the first poll on


def test_a_token_given_to_the_daemon_joins_by_itself(fake, work):
    device = harness.Device(work / "device", hub=fake)
    token = work / "token"
    token.write_text(fake.token + "\n")
    token.chmod(0o644)
    with device:
        (device.folder / "piccolo.conf").write_text("")
        device.launch(harness.BIN / "piccolo", *device.options, "--metrics", "off", "--hub", fake.url, "--target", "tiny-edge",
                      "--ca-pin", fake.authority.pin(), "--token-file", token)
        wait(lambda: (device.status() or {}).get("connection") == "connected", 15, "joined and connected")
