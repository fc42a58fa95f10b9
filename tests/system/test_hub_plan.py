"""What would change on which device, before it is applied."""

import copy

import pytest

from hub_client import Identity, apply_app

SPEC = {"components": [{"name": "wasm-module", "type": "wasm", "properties": {"wasm.url": "/artifacts/app.wasm"}}]}


def solution(**properties):
    spec = copy.deepcopy(SPEC)
    spec["components"][0]["properties"].update(properties)
    return {"apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": "tiny-app"}, "spec": spec}


def instance(target="tiny-edge"):
    return {"apiVersion": "solution.symphony/v1", "kind": "Instance", "metadata": {"name": "tiny-app"},
            "spec": {"solution": "tiny-app", "target": {"name": target}}}


def target(name="tiny-edge"):
    return {"apiVersion": "fabric.symphony/v1", "kind": "Target", "metadata": {"name": name},
            "spec": {"topologies": [{"bindings": [{"role": "wasm", "provider": "providers.target.staging",
                                                   "config": {"inCluster": "true", "targetName": name}}]}]}}


def plan(hub, *objects):
    status, answer = hub.api("POST", "/piccolo/v1/plan", list(objects))
    assert status == 200, answer
    return answer


def store_of(hub):
    """Everything a user could see, to compare."""
    return [hub.api("GET", f"/v1alpha2/{path}")[1]
            for path in ("targets/registry", "solutions", "instances", "catalogs/registry")]


def test_an_empty_hub(hub):
    before = store_of(hub)
    hub.api("POST", "/piccolo/v1/artifacts?name=app.wasm", "bytes")
    answer = plan(hub, target(), solution(), instance())
    assert answer["changes"] == [{"device": "tiny-edge", "instance": "tiny-app", "component": "wasm-module",
                                  "action": "start", "detail": "wasm, its URL is fetched first"}]
    assert store_of(hub) == before
    assert plan(hub, instance())["problems"][0]["message"]  # no solution, no target
    assert plan(hub)["changes"] == []


def test_changes_and_removals(hub):
    apply_app(hub, url="/artifacts/app.wasm")
    hub.api("POST", "/piccolo/v1/artifacts?name=app.wasm", "bytes")
    apply_app(hub, url="/artifacts/app.wasm", **{"wasm.args": "a"})
    before = store_of(hub)
    assert plan(hub, solution(**{"wasm.args": "a"}))["changes"] == []
    [change] = plan(hub, solution(**{"wasm.args": "b"}))["changes"]
    assert (change["device"], change["action"]) == ("tiny-edge", "change")
    assert change["detail"].startswith("wasm.args: a -> b")
    [change] = plan(hub, solution())["changes"]
    assert change["detail"].startswith("wasm.args: a -> nothing")
    moved = plan(hub, target("other"), instance("other"))["changes"]
    assert sorted((change["device"], change["action"]) for change in moved) == [("other", "start"),
                                                                                ("tiny-edge", "remove")]
    assert store_of(hub) == before


def test_a_device_hears_nothing_of_a_plan(hub, work):
    edge = Identity(hub, work / "edge", "tiny-edge")
    edge.join()
    apply_app(hub)
    edge.poll(wait=10)
    plan(hub, solution(**{"wasm.args": "b"}))
    assert edge.poll(wait=1)[0] == 304


@pytest.mark.parametrize("body,sentence", [
    ({}, "a list"), ([{}], "object 1"), ([{"apiVersion": "x/v1", "kind": "Y"}], "object 1"),
    ([{"apiVersion": "solution.symphony/v1", "kind": "Solution"}], "metadata.name"),
    ([{"apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": "s"},
       "spec": {"components": [{"name": "c", "type": "nonsense"}]}}], "solution s: spec.components[0].type"),
])
def test_bad_objects_get_a_sentence(hub, body, sentence):
    status, answer = hub.api("POST", "/piccolo/v1/plan", body)
    assert status == 400 and sentence in answer["error"]
