"""The Symphony face, as the clients of November 2023 and later know it."""

import harness
import pytest

from hub_client import Identity, apply_app, as_json, request, running


@pytest.fixture
def plain(work):
    """A hub with the open login; `call` speaks as the original's clients do."""
    port = harness.free_port()
    with harness.Hub(work / "hub", "--listen-http", f"127.0.0.1:{port}", "--insecure-demo") as hub:
        login = request(port, "POST", "/v1alpha2/users/auth", {"username": "admin", "password": ""}, tls=False)
        bearer = {"Authorization": f"Bearer {as_json(login)['accessToken']}"}

        def call(method, path, body=None, headers=bearer):
            return request(port, method, f"/v1alpha2/{path}", body, headers, tls=False)

        hub.call = call
        hub.plain_port = port
        yield hub


def test_login_answers_the_four_keys(plain):
    answer = plain.call("POST", "users/auth", {"username": "admin", "password": ""}, headers={})
    token = as_json(answer)
    assert list(token) == ["accessToken", "tokenType", "username", "roles"]
    assert (token["tokenType"], token["username"], token["roles"]) == ("Bearer", "admin", None)
    for wrong in ({"username": "reader", "password": ""}, {"username": "admin", "password": "x"}, {}, "{", "[]"):
        assert plain.call("POST", "users/auth", wrong, headers={})[0] == 403
    assert plain.call("GET", "targets/registry", headers={})[::2] == (403, b"")
    assert plain.call("GET", "greetings", headers={})[0] == 200


def agent_2023_reads(element):
    """What the original's agent insists on, in every element of the list, or it does nothing at all."""
    assert isinstance(element["id"], str)
    spec = element["spec"]
    for key in ("siteId", "name", "type", "generation"):
        assert isinstance(spec[key], str), key
    assert isinstance(spec["properties"], dict)
    for key in ("components", "removed-components"):
        for component in spec["properties"].get(key) or []:
            assert isinstance(component["name"], str) and isinstance(component["type"], str)
            assert all(isinstance(value, str) for value in component.get("properties", {}).values())
    if spec.get("objectRef") is not None:
        for key in ("siteId", "name", "group", "version", "kind", "scope"):
            assert isinstance(spec["objectRef"][key], str)
    properties = element.get("status", {}).get("properties")
    assert properties is None or all(isinstance(value, str) for value in properties.values())


def test_the_original_agents_list(plain):
    apply_app(plain, **{"wasm.dir": "/:/data"})
    assert plain.call("POST", "catalogs/registry/config", {"siteId": "hq", "name": "config", "type": "config",
                                                           "properties": {"n": 1}})[0] == 200
    catalogs = as_json(plain.call("GET", "catalogs/registry"))
    assert sorted(element["id"] for element in catalogs) == ["config", "tiny-app-tiny-edge"]
    for element in catalogs:
        agent_2023_reads(element)
    [staged] = [element for element in catalogs if element["spec"]["type"] == "staged"]
    assert [c["name"] for c in staged["spec"]["properties"]["components"]] == ["wasm-module"]
    assert staged["spec"]["properties"]["removed-components"] is None
    # the same for the agent of later years
    later = as_json(plain.call("GET", "catalogversions/registry"))
    assert later[1]["metadata"]["name"] == "tiny-app-tiny-edge" and later[1]["spec"]["type"] == "staged"
    # and for the one that asks by label
    path = "catalogs/registry?filterType=label&filterValue=staged_target=tiny-edge"
    assert [element["id"] for element in as_json(plain.call("GET", path))] == ["tiny-app-tiny-edge"]
    assert as_json(plain.call("GET", path.replace("tiny-edge", "other"))) == []
    assert plain.call("GET", "catalogs/registry?filterType=spec&filterValue=x")[0] == 400


def staged_components(hub, path="catalogs/registry/tiny-app-tiny-edge"):
    properties = as_json(hub.call("GET", path))["spec"]["properties"]
    assert properties["staged"]["components"] == properties["components"]
    return properties["components"]


def test_an_agent_elsewhere_finds_what_was_pushed(plain):
    """`/artifacts/NAME` is an address only at this hub; an agent gets one that it can use as it stands."""
    apply_app(plain)  # by the address that a push answers with
    plain.apply(harness.solution(harness.component("wasm-module", "/artifacts/app.wasm"),
                                 harness.component("other", f"{plain.url}/artifacts/app.wasm")))
    component, other = harness.wait(lambda: len(found := staged_components(plain)) == 2 and found, 5, "staged")
    assert other["properties"] == component["properties"]
    url, digest = component["properties"]["wasm.url"], component["properties"]["wasm.sha256"]
    assert url == f"http://127.0.0.1:{plain.plain_port}/artifacts/{digest}"
    assert request(plain.plain_port, "GET", url.split(str(plain.plain_port), 1)[1], tls=False)[::2] == (200, b"\0asm\1\0\0\0")
    listed = as_json(plain.call("GET", "catalogs/registry?filterType=label&filterValue=staged_target=tiny-edge"))
    assert listed[0]["spec"]["properties"]["components"][0]["properties"]["wasm.url"] == url
    status, state = plain.api("GET", "/v1alpha2/catalogs/registry/tiny-app-tiny-edge")
    assert state["spec"]["properties"]["components"][0]["properties"]["wasm.url"] == f"{plain.url}/artifacts/{digest}"
    # what the user wrote stays as it was written
    assert as_json(plain.call("GET", "solutions/tiny-app"))["spec"]["components"][0]["properties"]["wasm.url"] == "/artifacts/app.wasm"


def test_an_agent_that_reports_by_catalog_counts(plain):
    def ready():
        return plain.condition("instance", "tiny-app", "Ready")

    def report(components):
        assert plain.call("POST", "catalogs/status/tiny-app-tiny-edge", components)[0] == 200

    apply_app(plain)
    harness.wait(lambda: staged_components(plain) and ready()["reason"] == "NotEnrolled", 5, "staged, and nobody is there")
    report([])
    harness.wait(lambda: ready()["reason"] == "NotReported", 5, "the agent is there, the component is not")
    report(staged_components(plain))
    harness.wait(lambda: plain.is_ready("tiny-app"), 5, "Ready")
    assert "Succeeded" in plain.kubectl("get", "instances").stdout
    generation = as_json(plain.call("GET", "catalogs/registry/tiny-app-tiny-edge"))["spec"]["generation"]
    # something else is wanted: what was reported is no longer it
    plain.kubectl("patch", "solution", "tiny-app", "--type=json",
                  "-p", '[{"op":"add","path":"/spec/components/0/properties/wasm.args","value":"-v"}]')
    harness.wait(lambda: ready()["reason"] == "OtherReported", 5, "the old one is reported")
    report(staged_components(plain))
    harness.wait(lambda: plain.is_ready("tiny-app"), 5, "Ready again")
    assert as_json(plain.call("GET", "catalogs/registry/tiny-app-tiny-edge"))["spec"]["generation"] == str(int(generation) + 1)
    assert plain.call("POST", "catalogs/status/tiny-app-tiny-edge", {"name": "wasm-module"})[0] == 500


def test_both_shapes_of_a_body(plain):
    spec = {"components": [{"name": "a", "type": "wasm", "properties": {"wasm.url": "http://x/y.wasm"}}]}
    assert plain.call("POST", "solutions/bare", spec)[0::2] == (200, b"")
    assert plain.call("POST", "solutionversions/full", {"metadata": {"name": "full", "labels": {"a": "b"}},
                                                        "spec": spec})[0::2] == (200, b"")
    for name in ("bare", "full"):
        state = as_json(plain.call("GET", f"solutions/{name}"))
        assert state["id"] == state["metadata"]["name"] == name
        assert state["spec"]["components"] == spec["components"]
    assert plain.call("POST", "solutions/other", {"metadata": {"name": "full"}, "spec": spec})[0] == 500
    assert plain.call("POST", "solutionversions/other", {"metadata": {"name": "full"}, "spec": spec})[0] == 400


def test_posting_again_replaces(plain):
    apply_app(plain)
    first = as_json(plain.call("GET", "instances/tiny-app"))
    plain.kubectl("label", "instance", "tiny-app", "kept=yes")
    spec = {"solution": "tiny-app", "target": {"name": "tiny-edge"}, "parameters": {"a": "b"}}
    assert plain.call("POST", "instances/tiny-app", spec)[0] == 200
    second = as_json(plain.call("GET", "instances/tiny-app"))
    assert second["spec"]["generation"] == "2" and first["spec"]["generation"] == "1"
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["metadata"]["labels"]["kept"] == "yes"
    plain.call("POST", "instances/tiny-app", spec)
    assert as_json(plain.call("GET", "instances/tiny-app"))["spec"]["generation"] == "2"


def test_what_is_not_there(plain):
    for path, status in (("targets/registry/x", 500), ("solutions/x", 500), ("instances/x", 500),
                         ("catalogs/registry/x", 404), ("solutionversions/x", 404), ("catalogversions/registry/x", 404)):
        answer = plain.call("GET", path)
        assert answer[0] == status and b"not found" in answer[2], path
    for path, status in (("targets/registry/x", 200), ("instances/x", 200), ("solutions/x", 500),
                         ("catalogs/registry/x", 404)):
        assert plain.call("DELETE", path)[0] == status, path
    assert as_json(plain.call("GET", "instances")) == []


@pytest.mark.parametrize("path,body", [
    ("solutions/s", ""), ("solutions/s", "{"), ("solutions/s", "[]"), ("solutions/s", "\xff"),
    ("solutions/s", {"components": [{"name": "c", "type": "nonsense"}]}),
    ("solutions/s", {"components": "no"}), ("solutions/Not_A_Name", {"components": []}),
    ("instances/i", {"solution": 7}), ("targets/registry/t", {"spec": []}),
])
def test_bad_bodies_get_a_sentence(plain, path, body):
    status, headers, text = plain.call("POST", path, body.encode("latin-1") if isinstance(body, str) else body)
    assert status == 500 and len(text) > 10 and headers["Content-Type"].startswith("text/plain")


def test_unknown_keys_are_passed_over(plain):
    """As the servers of 2023 do; kept all the same."""
    assert plain.call("POST", "targets/registry/t", {"whatIsThis": 1, "topologies": []})[0] == 200
    assert as_json(plain.call("GET", "targets/registry/t"))["spec"]["whatIsThis"] == 1


def test_staged_catalogs_are_the_hubs(plain):
    apply_app(plain)
    catalog = as_json(plain.call("GET", "catalogs/registry/tiny-app-tiny-edge"))["spec"]
    assert plain.call("POST", "catalogs/registry/tiny-app-tiny-edge", catalog)[0] == 500
    assert plain.call("POST", "catalogs/registry/mine", {**catalog, "name": "mine"})[0] == 500
    assert plain.call("DELETE", "catalogs/registry/tiny-app-tiny-edge")[0] == 500  # its instance is there


def test_no_delete_waits_for_a_device(plain, work):
    edge = Identity(plain, work / "edge", "tiny-edge")
    edge.join()
    apply_app(plain)
    edge.poll(wait=10)
    edge.report([running("wasm-module")])
    for path in ("instances/tiny-app", "targets/registry/tiny-edge", "solutions/tiny-app"):
        assert plain.call("DELETE", path)[0] == 200
        assert plain.call("GET", path)[0] == 500
    assert as_json(plain.call("GET", "catalogs/registry"))  # the device has not let go
    assert plain.call("DELETE", "catalogs/registry/tiny-app-tiny-edge")[0] == 200
    assert as_json(plain.call("GET", "catalogs/registry")) == []  # hidden
    assert plain.call("DELETE", "catalogs/registry/tiny-app-tiny-edge")[0] == 200
    status, answer = edge.poll(wait=10)  # the hub's memory of it stays
    assert [entry["component"] for entry in answer["document"]["removed"]] == ["wasm-module"]
    edge.report(removed_through=edge.revision)
    assert plain.call("DELETE", "catalogs/registry/tiny-app-tiny-edge")[0] == 200


def test_the_summary(plain, work):
    assert plain.call("GET", "solution/queue")[0] == 400
    assert as_json(plain.call("GET", "solution/queue")) == {"result": "400 - instance parameter is not found"}
    answer = plain.call("GET", "solution/queue?instance=tiny-app")
    assert answer[0] == 404 and as_json(answer)["summary"]["targetCount"] == 0
    edge = Identity(plain, work / "edge", "tiny-edge")
    edge.join()
    apply_app(plain)
    edge.poll(wait=10)
    edge.report([running("wasm-module")])
    summary = as_json(plain.call("GET", "solution/queue?instance=tiny-app"))
    assert summary["generation"] == "1" and "T" in summary["time"]
    assert (summary["summary"]["targetCount"], summary["summary"]["successCount"]) == (1, 1)
    assert summary["summary"]["targets"] == {
        "tiny-edge": {"status": "OK", "components": {"wasm-module": {"status": 8004, "message": ""}}}}
    edge.report([running("wasm-module", phase="Failed", reason="BadModule", message="no module")])
    target = as_json(plain.call("GET", "solution/queue?instance=tiny-app"))["summary"]["targets"]["tiny-edge"]
    assert target["status"] == "Error" and target["components"]["wasm-module"]["status"] == 8001
    assert plain.call("POST", "solution/queue?instance=tiny-app")[0] == 200
    assert plain.call("POST", "solution/queue?instance=tiny-app&delete=true")[0] == 400


def test_what_other_agents_report(plain):
    apply_app(plain)
    assert plain.call("GET", "targets/ping/tiny-edge")[::2] == (200, b"{}")
    assert plain.call("POST", "targets/ping/tiny-edge")[0] == 200
    body = {"status": {"properties": {"agent.lastReport": "2026-01-01T00:00:00Z", "mine": "x"}}}
    assert plain.call("PUT", "targets/status/tiny-edge", body)[0] == 200
    status = as_json(plain.call("GET", "targets/registry/tiny-edge"))["status"]
    assert status["mine"] == "x" and "T" in status["ping"] and status["status"]
    assert plain.call("PUT", "targets/status/none", body)[0] == 500
    assert plain.call("PUT", "targets/status/tiny-edge", {"status": {"properties": {"a": 1}}})[0] == 500
    components = [{"name": "wasm-module", "type": "wasm"}]
    assert plain.call("POST", "catalogs/status/tiny-app-tiny-edge", components)[0] == 200
    catalog = as_json(plain.call("GET", "catalogs/registry/tiny-app-tiny-edge"))
    assert catalog["spec"]["properties"]["reported"] == components
    assert plain.call("POST", "catalogs/status/none", components)[0] == 404
    assert plain.call("POST", "catalogs/status/tiny-app-tiny-edge", {})[0] == 500


def test_binding_a_target(plain):
    assert plain.call("POST", "targets/registry/t?with-binding=staging", {})[0] == 200
    spec = as_json(plain.call("GET", "targets/registry/t"))["spec"]
    assert spec["forceRedeploy"] is True
    assert spec["topologies"] == [{"bindings": [{"role": "instance", "provider": "providers.target.staging",
                                                 "config": {"inCluster": "true", "targetName": "t"}}]}]
    assert plain.call("POST", "targets/registry/t?with-binding=other", {})[0] == 400


def test_yaml(plain):
    apply_app(plain)
    status, headers, text = plain.call("GET", "instances/tiny-app?doc-type=yaml")
    assert headers["Content-Type"].startswith("application/text")
    assert b"id: tiny-app\n" in text and b"  solution: tiny-app\n" in text
    assert plain.call("GET", "instances/tiny-app?path=$.spec")[0] == 400


def test_the_plain_listener_has_nothing_else(plain):
    for path in ("/", "/api", "/piccolo/v1/devices", "/device/v1/authority", "/metrics"):
        assert request(plain.plain_port, "GET", path, tls=False)[0] == 404, path
    pushed = plain.api("POST", "/piccolo/v1/artifacts?name=a.wasm", "bytes")[1]
    got = request(plain.plain_port, "GET", f"/artifacts/{pushed['sha256']}", tls=False)
    assert got[0] == 200 and got[2] == b"bytes"
