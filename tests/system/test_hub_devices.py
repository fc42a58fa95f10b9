"""How devices and the hub talk: joining, polls, epochs, sessions, asks."""

import json
import time

import pytest

import harness
from hub_client import Background, Identity, apply_app, as_json, request, running


@pytest.fixture
def edge(hub, work):
    identity = Identity(hub, work / "edge", "tiny-edge")
    identity.join()
    return identity


def device_of(hub, name="tiny-edge"):
    for device in hub.api("GET", "/piccolo/v1/devices")[1]["devices"]:
        if device["name"] == name:
            return device
    return None


# joining

def test_a_token_works_once_and_for_its_target(hub, work):
    edge = Identity(hub, work / "edge", "tiny-edge")
    token = edge.enroll()["token"]
    wrong = edge.try_join("pice_" + "0" * 64)
    assert wrong[0] == 403 and "not one of this hub's" in as_json(wrong)["error"]
    other = edge.try_join(token, target="other", request_pem=edge.make_request("other"))
    assert other[0] == 403 and "another target" in as_json(other)["error"]
    stolen = edge.try_join(token, request_pem=edge.make_request("other"))
    assert stolen[0] == 403 and "names other" in as_json(stolen)["error"]
    assert edge.try_join(token)[0] == 200  # what was refused used nothing up
    again = edge.try_join(token)
    assert again[0] == 403 and "was used at" in as_json(again)["error"]
    assert as_json(again)["reason"] == "TokenRefused"


def test_a_token_expires(hub, work):
    edge = Identity(hub, work / "edge", "tiny-edge")
    token = edge.enroll(**{"valid-seconds": 1})["token"]
    expired = harness.wait(lambda: (lambda a: a if a[0] == 403 else None)(edge.try_join(token, request_pem="no")), 10)
    assert "expired at" in as_json(expired)["error"]


def test_tokens_are_not_kept(hub, work):
    edge = Identity(hub, work / "edge", "tiny-edge")
    token = edge.enroll()["token"]
    edge.try_join(token)
    kept = b"".join(path.read_bytes() for path in hub.state.glob("hub.db*"))
    assert token.encode() not in kept and hub.token.encode() not in kept
    log = hub.log.read_text()
    assert token not in log and hub.token not in log


def test_enrolling_says_what_to_run(hub, work):
    answer = Identity(hub, work / "edge", "tiny-edge").enroll()
    assert answer["join"] == (f"piccolo join {hub.url} --target tiny-edge --ca-pin {answer['ca-pin']} --token-file -")
    assert hub.api("POST", "/piccolo/v1/enroll", {"target": "Not A Name"})[0] == 400
    assert hub.api("POST", "/piccolo/v1/enroll", {"target": "a", "valid-seconds": 0})[0] == 400


@pytest.mark.parametrize("body", [
    "", "[]", "{", '{"protocol":1}', '{"protocol":9,"target":"a","token":"b","request":"c"}',
    '{"protocol":1,"target":"../x","token":"b","request":"c"}', '{"protocol":1,"target":"a","token":1,"request":"c"}',
    "\0" * 100, "<html>" * 1000,
])
def test_bad_joins_get_a_sentence(hub, body):
    answer = request(hub.port, "POST", "/device/v1/join", body)
    assert answer[0] in (400, 403)
    assert as_json(answer)["error"]


def test_renewing(edge):
    """The old key counts until the new one is used."""
    old = (edge.folder / "old.key", edge.folder / "old.pem")
    old[0].write_bytes(edge.key.read_bytes())
    old[1].write_bytes(edge.certificate.read_bytes())
    fresh = edge.folder / "fresh.key"
    answer = edge.ask("POST", "/device/v1/renew", {"request": edge.make_request(key=fresh)})
    assert answer[0] == 200
    assert edge.report()[0] == 200  # still with the old one
    edge.certificate.write_text(as_json(answer)["certificate"])
    edge.key = fresh
    assert edge.report()[0] == 200
    late = request(edge.hub.port, "GET", edge.poll_path(), certificate=(old[1], old[0]))
    assert late[0] == 403


# polls

def test_a_poll_is_held_until_the_document_changes(hub, edge):
    poll = edge.poll_in_background(wait=30)
    harness.wait(lambda: device_of(hub)["online"], 5)
    assert not poll.is_done()
    before = time.monotonic()
    apply_app(hub)
    status, answer = poll.result()
    assert status == 200
    assert poll.ended - before < 2 * harness.SLOW
    document = answer["document"]
    assert document["revision"] == 1 and document["removed"] == []
    [component] = document["components"]
    assert component["properties"]["wasm.sha256"] == component["sha256"]
    assert component["url"] == f"{hub.url}/artifacts/{component['sha256']}"
    assert edge.poll()[0] == 304
    assert hub.api("DELETE", "/v1alpha2/instances/tiny-app") == (200, "")
    status, answer = edge.poll(wait=10)
    assert status == 200 and answer["document"]["components"] == []
    assert [entry["component"] for entry in answer["document"]["removed"]] == ["wasm-module"]


def test_the_end_of_a_wait_is_304(edge):
    started = time.monotonic()
    assert edge.poll(wait=1) == (304, None)
    assert 0.9 < time.monotonic() - started < 5 * harness.SLOW


def test_the_digest_is_of_the_documents_bytes(hub, edge):
    import hashlib

    apply_app(hub)
    status, _, body = edge.ask("GET", edge.poll_path(5))
    assert status == 200
    start = body.index(b'"document":') + len(b'"document":')
    end = body.index(b',"digest":')
    assert hashlib.sha256(body[start:end]).hexdigest() == json.loads(body)["digest"]
    # the same again, byte for byte, while it was not taken
    assert edge.ask("GET", edge.poll_path(5))[2] == body


@pytest.mark.parametrize("query", [
    "", "protocol=2&session=" + "0" * 32, "protocol=1", "protocol=1&session=short", "protocol=1&session=" + "g" * 32,
    "protocol=1&session=" + "0" * 32 + "&wait=x", "protocol=1&session=" + "0" * 32 + "&epoch=zz",
    "protocol=1&session=" + "0" * 32 + "&epoch=" + "0" * 32,
    "protocol=1&session=" + "0" * 32 + "&epoch=" + "0" * 32 + "&revision=-1&digest=" + "0" * 64,
    "protocol=1&session=" + "0" * 32 + "&epoch=" + "0" * 32 + "&revision=1&digest=00",
])
def test_bad_polls_get_a_sentence(edge, query):
    answer = edge.ask("GET", "/device/v1/document?" + query)
    assert answer[0] == 400 and as_json(answer)["error"]


def test_removed_through_lets_the_catalog_go(hub, edge):
    apply_app(hub)
    edge.poll(wait=10)
    edge.report([running("wasm-module")])
    assert hub.api("GET", "/v1alpha2/catalogs/registry/tiny-app-tiny-edge")[0] == 200
    hub.api("DELETE", "/v1alpha2/instances/tiny-app")
    edge.poll(wait=10)
    status, catalog = hub.api("GET", "/v1alpha2/catalogs/registry/tiny-app-tiny-edge")
    assert status == 200  # the device has not let go
    edge.report(removed_through=edge.revision)
    harness.wait(lambda: hub.api("GET", "/v1alpha2/catalogs/registry/tiny-app-tiny-edge")[0] == 404, 5)
    assert hub.api("DELETE", "/v1alpha2/catalogs/registry/tiny-app-tiny-edge") == (200, "")


def test_a_device_that_went_away_leaves_no_poll_behind(hub, edge):
    import http.client

    connection = None
    from hub_client import connect
    connection = connect(hub.port, (edge.certificate, edge.key))
    connection.request("GET", edge.poll_path(60))
    polls = lambda: metric(hub, "piccolo_hub_polls_held")
    harness.wait(lambda: polls() == 1, 5)
    connection.sock.close()
    connection.close()
    harness.wait(lambda: polls() == 0, 5)
    with pytest.raises((http.client.HTTPException, OSError, AttributeError)):
        connection.getresponse()


def metric(hub, name):
    for line in hub.api("GET", "/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def test_stopping_answers_who_waits(hub, edge):
    poll = edge.poll_in_background(wait=60)
    harness.wait(lambda: metric(hub, "piccolo_hub_polls_held") == 1, 5)
    scrape = Background(lambda: hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics"))
    poll.result()
    hub.stop()
    assert hub.process.returncode == 0
    assert scrape.result()[0] == 503


def test_stopping_answers_a_held_poll(hub, edge):
    poll = edge.poll_in_background(wait=60)
    harness.wait(lambda: metric(hub, "piccolo_hub_polls_held") == 1, 5)
    hub.stop()
    status, answer = poll.result()
    assert status == 503 and answer["reason"] == "Stopping"


# epochs

def empty_store(hub):
    """Another database under the old authority, as after a lost disk; the admin token is made anew."""
    hub.stop()
    for path in hub.state.glob("hub.db*"):
        path.unlink()
    hub.start()


def test_an_empty_database_knows_no_device(hub, edge):
    apply_app(hub)
    edge.poll(wait=10)
    empty_store(hub)
    status, answer = edge.poll()
    assert status == 403 and answer["reason"] == "UnknownDevice"
    assert edge.report()[0] == 403
    edge.join()  # enrolled afresh: another epoch, which the token has accepted
    apply_app(hub)
    status, answer = edge.poll(wait=10)
    assert status == 200 and "accept-epoch" not in answer


def backup_and_restore(hub, between):
    """The store of now comes back after `between`."""
    hub.stop()
    saved = {path.name: path.read_bytes() for path in hub.state.glob("hub.db*")}
    hub.start()
    between()
    hub.stop()
    for path in hub.state.glob("hub.db*"):
        path.unlink()
    for name, content in saved.items():
        (hub.state / name).write_bytes(content)
    hub.start()


def test_a_restored_backup_begins_a_new_epoch(hub, edge):
    apply_app(hub)
    edge.poll(wait=10)
    edge.report([running("wasm-module")])
    epoch = edge.epoch

    def later():
        apply_app(hub, **{"wasm.args": "later"})
        status, _ = edge.poll(wait=10)
        assert status == 200 and edge.revision == 2

    backup_and_restore(hub, later)
    status, answer = edge.poll(wait=10, take=False)
    assert status == 200 and answer["document"]["epoch"] != epoch
    assert answer["document"]["components"] and not answer["document"]["removed"]
    assert "accept-epoch" not in answer
    # Not taken: the device says so and waits for an administrator.
    edge.report([running("wasm-module")], message="the document is of another epoch")
    held = edge.poll_in_background(wait=30)
    harness.wait(lambda: metric(hub, "piccolo_hub_polls_held") == 1, 5)
    assert "accept-epoch" in device_of(hub)["message"]
    assert hub.api("POST", "/piccolo/v1/devices/tiny-edge/accept-epoch")[0] == 200
    status, answer = held.result()
    assert status == 200 and answer["accept-epoch"] is True
    assert edge.report([running("wasm-module")])[0] == 200
    assert edge.poll()[0] == 304
    assert device_of(hub)["message"] == ""


def test_a_claim_the_store_never_gave(hub, edge):
    """The right numbers with other bytes are another document."""
    apply_app(hub)
    edge.poll(wait=10)
    epoch, edge.digest, edge.etag = edge.epoch, "ab" * 32, None
    status, answer = edge.poll(wait=10, take=False)
    assert status == 200 and answer["document"]["epoch"] != epoch


def test_a_hub_killed_right_after_giving_knows_what_it_gave(hub, edge):
    apply_app(hub)
    for i in range(10):
        status, answer = edge.poll(wait=10)
        assert status == 200
        epoch = edge.epoch
        hub.kill()
        hub.start()
        assert edge.poll()[0] == 304
        assert edge.epoch == epoch
        apply_app(hub, **{"wasm.args": str(i)})


# sessions

def test_the_older_of_two_sessions_is_a_quarantine(hub, edge):
    first, second = "1" * 32, "2" * 32
    assert edge.poll(session=first)[0] == 304
    assert edge.poll(session=second)[0] == 304  # a restart: normal
    status, answer = edge.poll(session=first)
    assert (status, answer["reason"]) == (409, "Quarantined")
    assert edge.poll(session=second)[0] == 304  # that may have been on its way still
    assert edge.poll(session=first)[0] == 409
    status, answer = edge.poll(session=second)
    assert (status, answer["reason"]) == (409, "Quarantined")
    assert edge.report(session=second)[0] == 409
    assert device_of(hub)["quarantined"] and "two machines" in device_of(hub)["message"]
    hub.stop()
    hub.start()
    assert edge.poll(session=second)[0] == 409  # kept over a restart
    hub.ctl("device", "release", "tiny-edge")
    assert edge.poll(session=second)[0] == 304
    assert not device_of(hub)["quarantined"]


def test_a_quarantine_is_an_event_and_a_condition(hub, edge):
    apply_app(hub)
    for session in ("1" * 32, "2" * 32, "1" * 32, "1" * 32):
        edge.poll(session=session)
    harness.wait(lambda: "Quarantined" in hub.kubectl("get", "events").stdout, 10)
    condition = harness.wait(lambda: hub.condition("target", "tiny-edge", "Ready"), 10)
    assert condition["reason"] == "Quarantined"


def test_a_newer_session_ends_the_held_poll_of_the_older(hub, edge):
    poll = edge.poll_in_background(wait=60, session="1" * 32)
    harness.wait(lambda: metric(hub, "piccolo_hub_polls_held") == 1, 5)
    assert edge.poll(session="2" * 32)[0] == 304
    assert poll.result()[0] == 409


# asks

def test_logs_come_through_the_device(hub, edge):
    edge.poll()
    wanted = Background(lambda: hub.api("GET", "/piccolo/v1/devices/tiny-edge/logs/tiny-app/wasm-module?lines=7"))
    status, answer = edge.poll(wait=10)
    [ask] = answer["asks"]
    assert (ask["kind"], ask["instance"], ask["component"], ask["lines"]) == ("logs", "tiny-app", "wasm-module", 7)
    assert edge.ask("POST", f"/device/v1/asks/{ask['id']}?position=12", "hello world\n")[0] == 200
    assert wanted.result() == (200, "hello world\n")


def test_a_device_can_say_that_it_cannot(hub, edge):
    edge.poll()
    wanted = Background(lambda: hub.api("GET", "/piccolo/v1/devices/tiny-edge/logs/tiny-app/none"))
    [ask] = edge.poll(wait=10)[1]["asks"]
    edge.ask("POST", f"/device/v1/asks/{ask['id']}?status=404", "there is no tiny-app/none here")
    assert wanted.result() == (404, {"error": "there is no tiny-app/none here"})


def test_what_a_device_says_is_never_a_page(hub, edge):
    """Whatever type the device claims, a browser gets plain text."""
    edge.poll()
    path = "/piccolo/v1/devices/tiny-edge/logs/tiny-app/wasm-module"
    wanted = Background(lambda: request(hub.port, "GET", path, headers={"Authorization": f"Bearer {hub.token}"}))
    [ask] = edge.poll(wait=10)[1]["asks"]
    edge.ask("POST", f"/device/v1/asks/{ask['id']}", "<script>", headers={"Content-Type": "text/html"})
    status, headers, body = wanted.result()
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_following_a_log(hub, edge):
    from hub_client import connect
    edge.poll()
    connection = connect(hub.port)
    connection.request("GET", "/piccolo/v1/devices/tiny-edge/logs/tiny-app/wasm-module?follow=1",
                       headers={"Authorization": f"Bearer {hub.token}"})
    seen, position = "", 0
    answers = iter(["one\n", "", "two\n"])
    response = Background(connection.getresponse)
    for text in answers:
        status, answer = edge.poll(wait=10)
        [ask] = answer["asks"]
        assert ask.get("after", 0) == position
        position += len(text)
        assert edge.ask("POST", f"/device/v1/asks/{ask['id']}?position={position}", text)[0] == 200
    stream = response.result()
    while len(seen) < 8:
        seen += stream.read1(100).decode()
    assert seen == "one\ntwo\n"
    connection.close()
    # the follower is gone: no further ask comes
    harness.wait(lambda: metric(hub, "piccolo_hub_asks_waiting") == 0, 5)
    assert edge.poll(wait=3)[0] in (200, 304)
    assert edge.poll(wait=3) == (304, None)


def test_a_device_that_is_away_is_said_so_at_once(hub, edge):
    started = time.monotonic()
    status, answer = hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics")
    assert status == 503 and "tiny-edge is not connected" in answer["error"]
    assert time.monotonic() - started < 3 * harness.SLOW
    assert hub.api("GET", "/piccolo/v1/devices/none/metrics")[0] == 404


def test_an_ask_without_an_answer_ends(hub, edge):
    edge.poll()
    status, answer = hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics",
                             headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
    assert status == 504 and "did not answer within 1 s" in answer["error"]


def test_prometheus_finds_every_device(hub, edge):
    [group] = hub.api("GET", "/prometheus/sd")[1]
    assert group["targets"] == [f"127.0.0.1:{hub.port}"]
    assert group["labels"] == {"__scheme__": "https", "device": "tiny-edge",
                               "__metrics_path__": "/piccolo/v1/devices/tiny-edge/metrics"}


# administrators

def test_retiring(hub, edge):
    poll = edge.poll_in_background(wait=60)
    harness.wait(lambda: metric(hub, "piccolo_hub_polls_held") == 1, 5)
    assert hub.api("DELETE", "/piccolo/v1/devices/tiny-edge")[0] == 200
    status, answer = poll.result()
    assert (status, answer["reason"]) == (403, "UnknownDevice")
    assert edge.poll()[0] == 403
    assert hub.api("DELETE", "/piccolo/v1/devices/tiny-edge")[0] == 404
    assert device_of(hub) is None


def test_reports_are_shown(hub, edge):
    assert edge.report([running("a"), running("b", phase="Failed", reason="BadModule")])[0] == 200
    device = device_of(hub)
    assert device["online"] and (device["running"], device["components"]) == (1, 2)
    assert edge.report([running("a")], device="other")[0] == 403
    for bad in ("", "{}", "[1]", "x" * 600000):
        assert edge.ask("POST", "/device/v1/report", bad)[0] in (400, 413)


def test_an_overtaken_report_changes_nothing(hub, edge):
    edge.report([running("a")])
    edge.sequence -= 2
    assert edge.report([])[0] == 200
    assert device_of(hub)["components"] == 1


def test_who_did_what(hub, edge):
    edge.report()
    hub.api("POST", "/piccolo/v1/devices/tiny-edge/accept-epoch")
    entries = hub.api("GET", "/piccolo/v1/journal?limit=100")[1]["entries"]
    said = [(entry["who"], entry["verb"], entry["object"]) for entry in entries]
    for wanted in (("admin", "accept-epoch", "device tiny-edge"), ("device:tiny-edge", "report", "device tiny-edge"),
                   ("device:tiny-edge", "join", "device tiny-edge")):
        assert wanted in said
    assert [entry["seq"] for entry in entries] == sorted((entry["seq"] for entry in entries), reverse=True)
    assert all(entry["where"].startswith("127.0.0.1:") for entry in entries if entry["verb"] == "report")
    [older] = hub.api("GET", f"/piccolo/v1/journal?limit=1&before={entries[0]['seq']}")[1]["entries"]
    assert older == entries[1]
    assert harness.run(harness.BIN / "piccolo-hub", "check", "--state", hub.state).stdout.startswith("the journal")
