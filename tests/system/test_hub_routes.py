"""Who may call what: every route of the hub, by each kind of caller, on each listener. The table below is written by
hand; a route that the hub has and the table lacks, or the other way round, fails."""

import json
import os

import pytest

import harness
from hub_client import Background, Identity, announce, apply_app, as_json, request, running

OPEN, DEVICE, READER, ADMIN, PAGE = "open", "device", "reader", "admin", "page"
TLS, BOTH = ["tls"], ["tls", "plain"]

TABLE = {
    # for devices
    ("GET", "/device/v1/authority"): (OPEN, TLS),
    ("POST", "/device/v1/join"): (OPEN, TLS),
    ("POST", "/device/v1/renew"): (DEVICE, TLS),
    ("GET", "/device/v1/document"): (DEVICE, TLS),
    ("POST", "/device/v1/report"): (DEVICE, TLS),
    ("POST", "/device/v1/asks/{id}"): (DEVICE, TLS),
    # for administrators
    ("POST", "/piccolo/v1/enroll"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/devices"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/devices"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/devices/{name}/ignition"): (ADMIN, TLS),
    ("DELETE", "/piccolo/v1/devices/{name}"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/devices/{name}/accept-epoch"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/devices/{name}/release"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/devices/{name}/logs/{instance}/{component}"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/devices/{name}/metrics"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/artifacts"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/plan"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/journal"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/approvals"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/approvals"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/approvals/{namespace}/{name}/{verb}"): (ADMIN, TLS),
    ("GET", "/piccolo/v1/approvers"): (ADMIN, TLS),
    ("POST", "/piccolo/v1/approvers"): (ADMIN, TLS),
    ("DELETE", "/piccolo/v1/approvers/{mail}"): (ADMIN, TLS),
    # for a machine that boots for the first time
    ("GET", "/ignition"): (OPEN, TLS),
    ("GET", "/ignition/{device}"): (OPEN, TLS),
    # for machines around
    ("GET", "/healthz"): (OPEN, BOTH),
    ("GET", "/readyz"): (OPEN, BOTH),
    ("GET", "/metrics"): (ADMIN, TLS),
    ("GET", "/prometheus/sd"): (ADMIN, TLS),
    ("GET", "/artifacts/{digest}"): (READER, BOTH),
    ("GET", "/approve"): (OPEN, BOTH),
    ("POST", "/approve"): (OPEN, BOTH),
    # the page for people
    ("GET", "/"): (PAGE, TLS),
    ("GET", "/assets/{hash}/{name}"): (OPEN, TLS),
    ("GET", "/sign-in"): (OPEN, TLS),
    ("POST", "/sign-in"): (OPEN, TLS),
    ("POST", "/sign-out"): (PAGE, TLS),
    ("GET", "/events"): (PAGE, TLS),
    ("GET", "/devices/{name}"): (PAGE, TLS),
    ("GET", "/devices/{name}/{instance}/{component}"): (PAGE, TLS),
    ("GET", "/devices/{name}/{instance}/{component}/lines"): (PAGE, TLS),
    ("GET", "/devices/{name}/{instance}/{component}/metrics"): (PAGE, TLS),
    ("GET", "/campaigns"): (PAGE, TLS),
    ("GET", "/campaigns/{namespace}/{activation}"): (PAGE, TLS),
    ("GET", "/approvals"): (PAGE, TLS),
    ("GET", "/approvals/{id}"): (OPEN, TLS),
    ("POST", "/approvals/{id}"): (OPEN, TLS),
    # kube
    ("GET", "/version"): (ADMIN, TLS),
    ("GET", "/api"): (ADMIN, TLS),
    ("GET", "/api/v1"): (ADMIN, TLS),
    ("GET", "/apis"): (ADMIN, TLS),
    ("GET", "/apis/{group}"): (ADMIN, TLS),
    ("GET", "/apis/{group}/{version}"): (ADMIN, TLS),
    ("GET", "/openapi/v2"): (ADMIN, TLS),
    ("GET", "/openapi/v3"): (ADMIN, TLS),
    ("GET", "/openapi/v3/api/{version}"): (ADMIN, TLS),
    ("GET", "/openapi/v3/apis/{group}/{version}"): (ADMIN, TLS),
    **{(method, path): (ADMIN, TLS)
       for path in ("/api/v1/{rest...}", "/apis/{group}/{version}/{rest...}")
       for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    # Symphony
    ("POST", "/v1alpha2/users/auth"): (OPEN, BOTH),
    ("GET", "/v1alpha2/greetings"): (OPEN, BOTH),
    **{(method, f"/v1alpha2/{path}{tail}"): (ADMIN, BOTH)
       for path in ("targets/registry", "solutions", "solutionversions", "instances", "catalogs/registry",
                    "catalogversions/registry", "campaigns", "campaignversions", "activations/registry")
       for method, tail in (("GET", ""), ("GET", "/{name}"), ("POST", "/{name}"), ("DELETE", "/{name}"))},
    ("GET", "/v1alpha2/targets/ping/{name}"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/targets/ping/{name}"): (ADMIN, BOTH),
    ("PUT", "/v1alpha2/targets/status/{name}"): (ADMIN, BOTH),
    ("PUT", "/v1alpha2/targets/status/{name}/{component}"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/catalogs/status/{name}"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/catalogversions/status/{name}"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/activations/status/{name}"): (ADMIN, BOTH),
    ("GET", "/v1alpha2/solution/queue"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/solution/queue"): (ADMIN, BOTH),
    ("GET", "/v1alpha2/solutionversion/queue"): (ADMIN, BOTH),
    ("POST", "/v1alpha2/solutionversion/queue"): (ADMIN, BOTH),
}

# Open to anybody who comes with something else than credentials: a token in a form, a key in the address.
OWN_ANSWER = {"/v1alpha2/users/auth": 403, "/approvals/{id}": 401, "/assets/{hash}/{name}": 404, "/approve": 401,
              "/ignition": 403, "/ignition/{device}": 403}  # with a wrong key; without one it is 503
REFUSED = {401, 403}


def routes():
    printed = harness.run(harness.BIN / "piccolo-hub", "routes", "-o", "json").stdout
    return {(row["method"], row["pattern"]): (row["access"], row["listeners"]) for row in json.loads(printed)}


def filled(pattern):
    """A path of that pattern that names nothing there is."""
    for name, value in (("{rest...}", "namespaces/default/nothings/x"), ("{group}", "none.symphony"), ("{version}", "v1"),
                        ("{digest}", "0" * 64), ("{id}", "f" * 32), ("{name}", "nothing"), ("{instance}", "i"),
                        ("{component}", "c"), ("{hash}", "0" * 16), ("{namespace}", "default"), ("{activation}", "a"),
                        ("{verb}", "approve"), ("{device}", "nothing"), ("{mail}", "nobody@example.org")):
        pattern = pattern.replace(name, value)
    assert "{" not in pattern
    return pattern


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A hub with both listeners and two devices."""
    folder = tmp_path_factory.mktemp("routes")
    plain = harness.free_port()
    with harness.Hub(folder / "hub", "--listen-http", f"127.0.0.1:{plain}") as hub:
        hub.plain_port = plain
        hub.own = Identity(hub, folder / "own", "tiny-edge")
        hub.other = Identity(hub, folder / "other", "other-edge")
        hub.own.join()
        hub.other.join()
        status, answer = hub.api("POST", "/piccolo/v1/devices/later-edge/ignition", {"pointer": True})
        assert status == 200, answer
        [header] = answer["config"]["ignition"]["config"]["replace"]["httpHeaders"]
        hub.boot_key = header["value"]
        yield hub


def test_the_table_names_every_route():
    there = routes()
    assert set(there) == set(TABLE), "routes without a row here, or rows without a route"
    for key, wanted in TABLE.items():
        assert there[key] == wanted, key


def no_login(path):
    """What the face answers to nobody: Symphony's clients of 2023 know only 403."""
    if path.startswith("/v1alpha2/") and not path.startswith(("/v1alpha2/solutionversion", "/v1alpha2/catalogversion",
                                                                   "/v1alpha2/campaignversion")):
        return 403
    return 401


@pytest.mark.parametrize("method,pattern", sorted(TABLE))
def test_each_caller(world, method, pattern):
    access, listeners = TABLE[method, pattern]
    path = filled(pattern)
    body = {} if method in ("POST", "PUT", "PATCH") else None
    admin = {"Authorization": f"Bearer {world.token}"}
    got = {
        "nobody": request(world.port, method, path, body),
        "a wrong token": request(world.port, method, path, body, {"Authorization": "Bearer " + "0" * 69}),
        "admin": request(world.port, method, path, body, admin),
        "boot key": request(world.port, method, path, body, {"Authorization": world.boot_key}),
    }
    if pattern != "/device/v1/document":  # a device without a document would be held for its wait
        got["own device"] = world.own.ask(method, path, body)
        got["other device"] = world.other.ask(method, path, body)
    status = {caller: answer[0] for caller, answer in got.items()}
    for caller in ("nobody", "a wrong token"):
        if access == OPEN:
            assert status[caller] not in {401, 403, 404, 405} or status[caller] == OWN_ANSWER.get(pattern)
        else:
            assert status[caller] == no_login(path), caller
    if access == READER:  # what its config names; here it names nothing
        assert status["boot key"] == 404
    elif access != OPEN:
        assert status["boot key"] == no_login(path)
    if access == PAGE:  # a token for programs opens no page
        assert set(status.values()) == {401}
    if access == ADMIN:
        assert status["admin"] not in REFUSED
        refused = 403 if no_login(path) != 401 or not path.startswith("/v1alpha2") else 401
        assert status["own device"] == status["other device"] == refused
    if access == DEVICE:
        assert status["admin"] == 403
        assert status.get("own device") not in REFUSED and status.get("other device") not in REFUSED
    if access == READER:
        assert REFUSED.isdisjoint({status["admin"], status["own device"], status["other device"]})


@pytest.mark.parametrize("method,pattern", sorted(TABLE))
def test_the_plain_listener(world, method, pattern):
    access, listeners = TABLE[method, pattern]
    path = filled(pattern)
    body = {} if method in ("POST", "PUT", "PATCH") else None
    status, _, answer = request(world.plain_port, method, path, body, tls=False)
    if "plain" not in listeners:
        assert status == 404
    elif access == ADMIN:
        assert status == no_login(path) and answer == b""
    else:
        assert status not in {401, 405} or status == OWN_ANSWER.get(pattern)


def test_a_device_sees_its_own_only(world):
    """The routes of devices carry no name: what they answer depends on the certificate."""
    apply_app(world)
    own, other = world.own, world.other
    status, answer = own.poll()
    assert status == 200 and [c["component"] for c in answer["document"]["components"]] == ["wasm-module"]
    assert answer["document"]["device"] == "tiny-edge"
    assert other.poll()[0] == 304  # nothing is meant for it

    # the artifact of its component, and only of its component
    digest = answer["document"]["components"][0]["sha256"]
    assert own.ask("GET", f"/artifacts/{digest}")[0] == 200
    assert own.ask("GET", "/artifacts/app.wasm")[0] == 200
    assert other.ask("GET", f"/artifacts/{digest}")[0] == 404
    assert other.ask("GET", "/artifacts/app.wasm")[0] == 404

    # a report in another's name
    own.report([running("wasm-module")])
    forged = other.ask("POST", "/device/v1/report", {
        "protocol": 1, "device": "tiny-edge", "session": os.urandom(16).hex(), "sequence": 99, "epoch": own.epoch,
        "revision": own.revision, "digest": own.digest, "removed-through": 0,
        "agent": {"version": "forged", "boot": "0", "uptime-seconds": 1, "clock-set": True}, "message": "",
        "components": []})
    assert forged[0] == 403
    devices = {d["name"]: d for d in world.api("GET", "/piccolo/v1/devices")[1]["devices"]}
    assert devices["tiny-edge"]["version"] == "test" and devices["tiny-edge"]["running"] == 1

    # an ask of another
    scrape = Background(lambda: world.api("GET", "/piccolo/v1/devices/tiny-edge/metrics"))
    status, answer = own.poll(wait=10)
    ask = answer["asks"][0]
    assert other.ask("POST", f"/device/v1/asks/{ask['id']}", "forged 1\n")[0] == 404
    assert own.ask("POST", f"/device/v1/asks/{ask['id']}", "true 1\n")[0] == 200
    assert scrape.result() == (200, "true 1\n")
    assert own.ask("POST", f"/device/v1/asks/{ask['id']}", "again 1\n")[0] == 404

    # a certificate for another name
    refused = other.ask("POST", "/device/v1/renew",
                        {"request": other.make_request("tiny-edge", other.folder / "forged.key")})
    assert refused[0] == 403


def test_host_and_origin(world):
    admin = {"Authorization": f"Bearer {world.token}"}
    for host, wanted in (("evil.example", 421), (f"evil.example:{world.port}", 421), ("localhost", 200),
                         (f"127.0.0.1:{world.port}", 200), ("[::1]:1", 200), ("192.0.2.7", 200)):
        assert request(world.port, "GET", "/piccolo/v1/devices", headers={**admin, "Host": host})[0] == wanted, host
    for origin, wanted in (("https://evil.example", 403), ("null", 403), (f"http://127.0.0.1:{world.port}", 403),
                           (f"https://127.0.0.1:{world.port}", 200)):
        got = request(world.port, "GET", "/piccolo/v1/devices", headers={**admin, "Origin": origin})
        assert got[0] == wanted, origin
        assert not any(name.lower().startswith("access-control") for name in got[1])
    preflight = request(world.port, "OPTIONS", "/piccolo/v1/devices",
                        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"})
    assert preflight[0] == 403


def test_bad_requests_get_a_sentence(world):
    admin = {"Authorization": f"Bearer {world.token}"}
    for path in ("/piccolo/v1/devices/%00", "/piccolo/v1/devices/..%2f..", "/piccolo/v1/devices/%zz/metrics",
                 "/artifacts/..", "/artifacts/%2e%2e", "/artifacts/" + "a" * 5000):
        status, _, body = request(world.port, "GET", path, headers=admin)
        assert status in {400, 404, 405}, path
        assert as_json((status, _, body))["error"]
    status, _, body = request(world.port, "DELETE", "/healthz")
    assert status == 405 and as_json((status, _, body))["error"]


def test_large_bodies_are_for_administrators(world):
    """Refused when their length is announced, before a byte of them is sent."""
    size = 2 * 1024 * 1024
    own = (world.own.certificate, world.own.key)
    assert announce(world.port, "/device/v1/join", size) == 413
    assert announce(world.port, "/piccolo/v1/artifacts?name=x", size) == 413
    assert announce(world.port, "/device/v1/report", size, own) == 413
    assert announce(world.plain_port, "/v1alpha2/solutions/x", size, tls=False) == 413
    admin = {"Authorization": f"Bearer {world.token}"}
    assert request(world.port, "POST", "/piccolo/v1/artifacts?name=large", "x" * size, admin)[0] == 200


def test_the_open_login_needs_the_flag(world):
    login = {"username": "admin", "password": ""}
    assert request(world.plain_port, "POST", "/v1alpha2/users/auth", login, tls=False)[0] == 403
    assert request(world.port, "POST", "/v1alpha2/users/auth", login)[0] == 403
    login["password"] = world.token
    answer = request(world.plain_port, "POST", "/v1alpha2/users/auth", login, tls=False)
    assert answer[0] == 200
    bearer = {"Authorization": f"Bearer {as_json(answer)['accessToken']}"}
    assert request(world.plain_port, "GET", "/v1alpha2/targets/registry", headers=bearer, tls=False)[0] == 200
    assert request(world.port, "GET", "/v1alpha2/targets/registry", headers=bearer)[0] == 200


def test_the_open_login_is_worth_nothing_elsewhere(work):
    plain = harness.free_port()
    with harness.Hub(work / "hub", "--listen-http", f"127.0.0.1:{plain}", "--insecure-demo") as hub:
        login = {"username": "admin", "password": ""}
        assert request(hub.port, "POST", "/v1alpha2/users/auth", login)[0] == 403
        answer = request(plain, "POST", "/v1alpha2/users/auth", login, tls=False)
        assert answer[0] == 200
        bearer = {"Authorization": f"Bearer {as_json(answer)['accessToken']}"}
        assert request(plain, "GET", "/v1alpha2/catalogs/registry", headers=bearer, tls=False)[0] == 200
        assert request(hub.port, "GET", "/v1alpha2/catalogs/registry", headers=bearer)[0] == 403
        assert request(hub.port, "GET", "/piccolo/v1/devices", headers=bearer)[0] == 401
        assert request(hub.port, "GET", "/api", headers=bearer)[0] == 401
        assert request(plain, "GET", "/v1alpha2/catalogs/registry", tls=False)[0] == 403
