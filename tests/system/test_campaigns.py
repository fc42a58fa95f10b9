"""Campaigns on a real hub: approvals, windows, requests that are answered late, and kill -9 everywhere."""

import http.server
import json
import random
import threading
import time

import pytest

import harness
from harness import wait


def stage(provider, **more):
    return {"provider": f"providers.stage.{provider}", **more}


def patch(component, action="add", solution="tiny-app", **more):
    inputs = {"objectType": "solution", "objectName": solution, "patchSource": "inline", "patchContent": component,
              "patchAction": action}
    return stage("patch", inputs=inputs, **more)


def campaign(name="c", first=None, **stages):
    return {"apiVersion": "workflow.symphony/v1", "kind": "Campaign", "metadata": {"name": name},
            "spec": {"firstStage": first or next(iter(stages)), "selfDriving": True, "stages": stages}}


def activation(name="a", of="c", **spec):
    return {"apiVersion": "workflow.symphony/v1", "kind": "Activation", "metadata": {"name": name},
            "spec": {"campaign": of, **spec}}


EXTRA = {"name": "extra", "type": "wasm", "properties": {"wasm.sha256": "ab" * 32}}
IF_APPROVED = "${{$if($equal($output(ask,status), 200),'change','')}}"


def status(hub, name="a"):
    return hub.get("activation", name).get("status", {})


def ended(hub, name="a", seconds=15):
    return wait(lambda: (lambda s: s if s.get("status") and not s.get("isActive") else None)(status(hub, name)),
                seconds, f"the end of activation {name}")


def components(hub, solution="tiny-app"):
    return [c["name"] for c in hub.get("solution", solution)["spec"].get("components") or []]


def approval(hub, seconds=10):
    def pending():
        found = json.loads(hub.kubectl("get", "approvals", "-o", "json").stdout)["items"]
        return next((a["metadata"]["name"] for a in found if a["status"]["phase"] == "Pending"), None)
    return wait(pending, seconds, "a request for approval")


@pytest.fixture
def hub(work):
    with harness.Hub(work / "hub") as hub:
        hub.apply(harness.target(), harness.solution(harness.component()), harness.instance())
        yield hub


class Answers:
    """A server whose answers come when the test says so."""

    def __init__(self, status=200):
        self.status, self.open, self.seen = status, threading.Event(), []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with outer.lock:
                    outer.seen.append((self.command, self.path))
                outer.open.wait(60)
                body = json.dumps({"state": "over" if len(outer.seen) > 2 else "busy"}).encode()
                try:
                    self.send_response(outer.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

            do_POST = do_OPTIONS = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/approve?sig=secret"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


# Approval


def asking(length="2h", **more):
    return campaign(ask=stage("approval", config={"approves": {"stage": "change"}, "reason": "why not"},
                              stageSelector=IF_APPROVED),
                    change=patch(EXTRA, **({"window": {"length": length}} if length else {}), **more))


def test_a_person_is_asked_and_the_patch_follows(hub):
    hub.apply(asking(length=None), activation())
    name = approval(hub)
    asked = hub.get("approval", name)["spec"]
    assert (asked["campaign"], asked["activation"], asked["stage"]) == ("c", "a", "ask")
    assert asked["reason"] == "why not"
    assert components(hub) == ["wasm-module"]
    hub.ctl("approve", name)
    done = ended(hub)
    assert done["statusMessage"] == "Done" and components(hub) == ["wasm-module", "extra"]
    history = done["stageHistory"]
    assert [(e["stage"], e["nextStage"], e["statusMessage"]) for e in history] == [("ask", "change", "Done"),
                                                                                  ("change", "", "Done")]
    assert history[0]["outputs"]["decision"] == "Approved" and history[0]["outputs"]["by"] == "admin"
    listed = hub.kubectl("get", "activations").stdout
    assert "change" in listed and "Done" in listed


def test_a_no_is_an_end_and_no_failure_of_the_hub(hub):
    hub.apply(asking(), activation())
    hub.ctl("reject", approval(hub), "--comment", "not today", check=False)
    if status(hub).get("isActive"):
        hub.ctl("reject", approval(hub))
    done = ended(hub)
    assert done["statusMessage"] == "Forbidden" and "rejected by admin" in done["statusDetails"]
    assert done["outputs"]["status"] == 403 and components(hub) == ["wasm-module"]


def test_what_is_nowhere_is_not_asked(hub):
    hub.apply(asking(), activation("ok"))
    approval(hub)
    lost = asking()
    lost["metadata"]["name"] = "lost"
    lost["spec"]["stages"]["change"]["inputs"]["objectName"] = "none"
    hub.apply(lost, activation("early", of="lost"))
    gone = ended(hub, "early")
    assert gone["statusMessage"] == "Not Found" and "stage change patches solution none" in gone["statusDetails"]
    hub.apply(harness.solution(harness.component(), name="far"), harness.instance("far-away", "nobody"))
    far = hub.get("instance", "far-away")
    far["spec"]["solution"] = "far"
    hub.apply({k: far[k] for k in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "far-away"}})
    lost["spec"]["stages"]["change"]["inputs"]["objectName"] = "far"
    lost["metadata"]["name"] = "far"
    hub.apply(lost, activation("nowhere", of="far"))
    assert "no target nobody" in ended(hub, "nowhere")["statusDetails"]


def test_a_request_goes_with_its_activation(hub):
    hub.apply(asking(), activation())
    name = approval(hub)
    hub.kubectl("delete", "activation", "a")
    wait(lambda: hub.get("approval", name)["status"]["phase"] == "Rejected", 5, "the withdrawal")
    assert "its activation was deleted" in hub.get("approval", name)["status"]["comment"]


def published_campaign(url, method="GET"):
    """The original's campaign.yaml with nothing but the addresses changed."""
    return campaign("ebpf-approval", "approval",
                    approval=stage("http", name="approval", config={"url": url, "method": method, "successCodes": [200]},
                                   stageSelector="${{$if($equal($output(approval,status), 200),'patch','')}}"),
                    patch=patch({"name": "ebpf-module", "type": "ebpf",
                                 "properties": {"ebpf.url": "/artifacts/hello.bpf.o", "ebpf.name": "hello",
                                                "ebpf.event": "xdp"}},
                                name="patch", stageSelector="",
                                config={"baseUrl": "http://symphony-service:8080/v1alpha2/", "user": "admin",
                                        "password": ""}))


def test_the_answer_of_a_listed_address_is_an_approval(work):
    with Answers() as server:
        server.open.set()
        listed = server.url.split("approve?")[0]
        for begins, method, approved in (("approve", "GET", True), ("other", "GET", False),
                                         ("approve", "OPTIONS", False)):  # servers say 200 to that unasked
            with harness.Hub(work / f"hub-{begins}-{method}", "--approval-url", f"{listed}{begins}") as hub:
                target = harness.target()
                target["spec"] = {"topologies": [{"bindings": [
                    {"role": role, "provider": "providers.target.staging",
                     "config": {"inCluster": "true", "targetName": "tiny-edge"}} for role in ("wasm", "ebpf")]}]}
                hub.push(harness.BUILD / "samples" / "test-hello.bpf.o", "hello.bpf.o")
                hub.apply(target, harness.solution(harness.component()), harness.instance(),
                          published_campaign(server.url, method), activation("ebpf-approval", of="ebpf-approval"))
                assert ended(hub, "ebpf-approval")["statusMessage"] == "Done"
                assert components(hub) == ["wasm-module", "ebpf-module"]
                found = json.loads(hub.kubectl("get", "approvals", "-o", "json").stdout)["items"]
                assert bool(found) == approved
                for one in found:
                    assert one["status"]["phase"] == "Approved"
                    assert one["status"]["decidedBy"] == server.url.split("?")[0]  # without what may be a secret
                    assert [(i["component"], i["target"]) for i in one["spec"]["items"]] == [("ebpf-module", "tiny-edge")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_yes_of_a_listed_address_is_for_what_it_was_asked(work, method):
    """Bytes that come under the same name while the question is open are not approved; killed meanwhile or not."""
    with Answers() as server, harness.Hub(work / "hub", "--approval-url", server.url.split("?")[0]) as hub:
        target = harness.target()
        target["spec"].pop("topologies")
        hub.push(harness.BUILD / "samples" / "test-hello.bpf.o", "hello.bpf.o")
        hub.apply(target, harness.solution(harness.component()), harness.instance(),
                  published_campaign(server.url, method), activation("ebpf-approval", of="ebpf-approval"))
        wait(lambda: len(server.seen) == 1, 5, "the question")
        hub.push(harness.BUILD / "samples" / "hello.bpf.o", "hello.bpf.o")
        if method == "GET":
            hub.kill()
            hub.start()
            wait(lambda: len(server.seen) == 2, 10, "the same question again")
        server.open.set()
        done = ended(hub, "ebpf-approval")
        assert done["statusMessage"] == "Conflict" and "is not what http" in done["errorMessage"]
        assert components(hub) == ["wasm-module"]
        assert json.loads(hub.kubectl("get", "approvals", "-o", "json").stdout)["items"] == []
        # asked anew, about what stands there now
        hub.kubectl("delete", "activation", "ebpf-approval")
        hub.apply(activation("ebpf-approval", of="ebpf-approval"))
        assert ended(hub, "ebpf-approval")["statusMessage"] == "Done"
        assert components(hub) == ["wasm-module", "ebpf-module"]


# Windows


def test_a_window_takes_its_change_back(hub):
    hub.apply(asking("3s"), activation())
    hub.ctl("approve", approval(hub))
    wait(lambda: "extra" in components(hub), 5, "the patch")
    assert "the window is open" in status(hub)["statusDetails"]
    done = ended(hub)
    assert components(hub) == ["wasm-module"] and done["statusMessage"] == "Done"
    assert "removed" in done["stageHistory"][-1]["outputs"]["window"]


def taken_back(hub, name):
    done = ended(hub)
    assert done["statusMessage"] == "Forbidden" and done["stage"] == "change"
    assert f"taken back: approval {name} was revoked by admin" in done["errorMessage"]
    assert components(hub) == ["wasm-module"]
    return done


@pytest.mark.parametrize("killed", [False, True])
def test_revoking_closes_the_window_at_once(hub, killed):
    """Never tried again either, and not forgotten when the hub dies with the revocation."""
    hub.apply(asking("1h", retry={"maxRetries": 3, "interval": "1s"}), activation())
    name = approval(hub)
    hub.ctl("approve", name)
    wait(lambda: "extra" in components(hub), 5, "the patch")
    assert "the window is open" in status(hub)["statusDetails"]
    hub.ctl("revoke", name)
    if killed:
        hub.kill()
        hub.start()
    assert "removed" in taken_back(hub, name)["errorMessage"]
    assert "WindowClosed" in hub.kubectl("get", "events").stdout


def test_revoking_before_the_window_opens(hub):
    changed = asking()
    changed["spec"]["stages"]["change"]["window"] = {"opens": "2099-01-01T10:00:00Z", "length": "1h"}
    hub.apply(changed, activation())
    name = approval(hub)
    hub.ctl("approve", name)
    wait(lambda: "the window opens at" in status(hub)["statusDetails"], 5, "the wait for the window")
    hub.ctl("revoke", name)
    taken_back(hub, name)


def test_a_window_closes_at_the_next_start(hub):
    hub.apply(campaign(change=patch(EXTRA, window={"length": "2s"})), activation())
    wait(lambda: "extra" in components(hub), 5, "the patch")
    hub.kill()
    time.sleep(2.2)  # the window's own time, with nobody there
    hub.start()
    assert ended(hub)["statusMessage"] == "Done"
    assert components(hub) == ["wasm-module"]


def test_deleting_the_activation_closes_its_window(hub):
    hub.apply(campaign(change=patch(EXTRA, window={"length": "1h"})), activation())
    wait(lambda: "extra" in components(hub), 5, "the patch")
    hub.kubectl("delete", "activation", "a")
    wait(lambda: components(hub) == ["wasm-module"], 5, "the way back")
    assert "WindowClosed" in hub.kubectl("get", "events").stdout


def test_a_window_is_closed_when_its_activation_went_just_before_a_crash(hub):
    """The deletion and the way back are two changes; a crash between them loses neither."""
    for _ in range(5):
        hub.apply(campaign(change=patch(EXTRA, window={"length": "1h"})), activation())
        wait(lambda: "extra" in components(hub), 5, "the patch")
        hub.api("DELETE", "/apis/workflow.symphony/v1/namespaces/default/activations/a")
        hub.kill()
        hub.start()
        wait(lambda: components(hub) == ["wasm-module"], 5, "the way back")


def test_what_a_user_changes_meanwhile_stays(hub):
    hub.apply(campaign(change=patch(EXTRA, window={"length": "3s"})), activation())
    wait(lambda: "extra" in components(hub), 5, "the patch")
    mine = {**EXTRA, "properties": {"wasm.sha256": "cd" * 32}}
    hub.apply(harness.solution(harness.component(), mine))
    done = ended(hub)
    assert "changed by somebody else" in done["stageHistory"][-1]["outputs"]["window"]
    assert components(hub) == ["wasm-module", "extra"]


def test_a_window_replaces_and_restores(hub):
    before = hub.get("solution", "tiny-app")["spec"]["components"]
    hub.apply(campaign(change=patch({"name": "wasm-module", "type": "wasm", "properties": {"wasm.sha256": "ab" * 32}},
                                    window={"length": "2s"})), activation())
    wait(lambda: hub.get("solution", "tiny-app")["spec"]["components"] != before, 5, "the patch")
    ended(hub)
    assert hub.get("solution", "tiny-app")["spec"]["components"] == before


# HTTP


def test_an_answer_may_come_late_and_survives_a_restart(hub):
    with Answers() as server:
        hub.apply(campaign(ask=stage("http", config={"url": server.url, "method": "GET", "successCodes": [200]},
                                     stageSelector=IF_APPROVED), change=patch(EXTRA)), activation())
        wait(lambda: len(server.seen) == 1, 5, "the question")
        hub.kill()
        hub.start()
        wait(lambda: len(server.seen) == 2, 10, "the same question again")
        server.open.set()
        assert ended(hub)["statusMessage"] == "Done"
        assert len(server.seen) == 2 and components(hub) == ["wasm-module", "extra"]


def test_the_published_way_to_say_no(hub):
    with Answers(status=403) as server:
        server.open.set()
        hub.apply(campaign(approval=stage("http", name="approval",
                                          config={"url": server.url, "method": "GET", "successCodes": [200]},
                                          stageSelector="${{$if($equal($output(approval,status), 200),'patch','end')}}"),
                           patch=patch(EXTRA, name="patch", config={"baseUrl": "http://x/", "user": "admin",
                                                                    "password": ""}),
                           end=stage("mock", name="end", stageSelector="")), activation())
        done = ended(hub)
        assert done["statusMessage"] == "Done" and done["stage"] == "end"
        assert done["stageHistory"][0]["statusMessage"] == "Forbidden"
        assert components(hub) == ["wasm-module"]


def test_a_post_is_never_sent_twice(hub):
    with Answers() as server:
        hub.apply(campaign(tell=stage("http", config={"url": server.url, "method": "POST"}, inputs={"body": {"a": 1}})),
                  activation())
        wait(lambda: len(server.seen) == 1, 5, "the request")
        hub.kill()
        hub.start()
        done = ended(hub)
        assert "not sent twice" in done["statusDetails"] and server.seen == [("POST", "/approve?sig=secret")]


def test_a_first_answer_and_then_looks(hub):
    with Answers() as server:
        server.open.set()
        config = {"url": server.url, "method": "POST", "wait.url": server.url, "wait.interval": 1, "wait.count": 5,
                  "wait.start": [200], "wait.success": [200], "wait.expression": "${{$equal($val(state), over)}}"}
        hub.apply(campaign(tell=stage("http", config=config)), activation())
        done = ended(hub)
        assert done["statusMessage"] == "Done", done
        assert [method for method, _ in server.seen] == ["POST", "GET", "GET"]
        assert "secret" not in json.dumps(done["outputs"])


def test_nobody_there(hub):
    port = harness.free_port()
    hub.apply(campaign(ask=stage("http", config={"url": f"http://127.0.0.1:{port}/", "method": "GET"})), activation())
    done = ended(hub)
    assert done["statusMessage"] == "Internal Error" and str(port) in done["statusDetails"]


# What is refused


@pytest.mark.parametrize("broken, path, text", [
    ({"first": "z", "a": stage("mock")}, "spec.firstStage", "there is no stage"),
    ({"a": stage("mokc")}, "spec.stages.a.provider", "did you mean"),
    ({"a": stage("mock", stageSelector="b")}, "spec.stages.a.stageSelector", "there is no stage"),
    ({"a": stage("mock", stageSelector="a")}, "spec.stages.a.stageSelector", "leads to itself"),
    ({"a": stage("mock", schedule="soon")}, "spec.stages.a.schedule", "must be a time"),
    ({"a": stage("approval", config={"approves": {"stage": "b"}}), "b": stage("mock")},
     "spec.stages.a.config.approves.stage", "is no patch"),
])
def test_bad_references_name_the_stage(hub, broken, path, text):
    refused = hub.apply(campaign(**broken), check=False)
    assert refused.returncode != 0 and path in refused.stderr and text in refused.stderr


def test_approvals_are_not_written_through_kubectl(hub):
    hub.apply(asking(), activation())
    name = approval(hub)
    for arguments in (("patch", "approval", name, "--type=merge", "-p", '{"spec":{"items":[]}}'),
                      ("patch", "approval", name, "--type=merge", "--subresource=status", "-p",
                       '{"status":{"phase":"Approved"}}')):
        refused = hub.kubectl(*arguments, check=False)
        assert refused.returncode != 0, arguments
    answer = hub.api("PATCH", f"/apis/approval.piccolo/v1/namespaces/default/approvals/{name}/status",
                     {"status": {"phase": "Approved"}}, headers={"Content-Type": "application/merge-patch+json"})
    assert answer[0] == 403 and "piccoloctl approve" in json.dumps(answer[1])
    answer = hub.api("PATCH", "/apis/workflow.symphony/v1/namespaces/default/activations/a/status",
                     {"status": {"run": {}}}, headers={"Content-Type": "application/merge-patch+json"})
    assert answer[0] == 403
    assert "not finished" in hub.kubectl("delete", "approval", name, check=False).stderr
    hub.ctl("reject", name)
    hub.kubectl("delete", "approval", name)


def test_an_approval_in_force_is_not_deleted(hub):
    hub.apply(asking("1h"), activation())
    name = approval(hub)
    hub.ctl("approve", name)
    wait(lambda: "extra" in components(hub), 5, "the patch")
    for arguments in (("approval", name), ("approvals", "--all")):
        refused = hub.kubectl("delete", *arguments, check=False)
        assert refused.returncode != 0 and f"piccoloctl revoke {name}" in refused.stderr, (arguments, refused.stderr)
        assert hub.get("approval", name)["status"]["phase"] == "Approved"
    hub.ctl("revoke", name)
    hub.kubectl("delete", "approval", name)


def test_an_activation_waits_for_its_campaign_and_runs_once(hub):
    hub.apply(activation())
    wait(lambda: "waits for campaign c" in status(hub).get("statusDetails", ""), 5, "the reason")
    hub.apply(campaign(a=stage("mock", inputs={"foo": 1})))
    done = ended(hub)
    assert done["outputs"]["foo"] == 2
    changed = activation()
    changed["spec"]["inputs"] = {"x": 1}
    assert "runs once" in hub.apply(changed, check=False).stderr
    hub.apply(activation())
    assert status(hub)["updateTime"] == done["updateTime"]


def test_symphonys_own_routes(hub):
    stages = {"a": stage("mock", inputs={"foo": "${{$trigger(n, 0)}}"})}
    assert hub.api("POST", "/v1alpha2/campaigns/c", {"firstStage": "a", "selfDriving": True, "stages": stages})[0] == 200
    assert hub.api("POST", "/v1alpha2/activations/registry/a", {"campaign": "c", "inputs": {"n": 41}})[0] == 200
    ended(hub)
    state = hub.api("GET", "/v1alpha2/activations/registry/a")[1]
    assert state["id"] == "a" and state["spec"]["campaignversion"] == "c"
    assert state["status"]["status"] == 9996 and state["status"]["outputs"]["foo"] == 42
    assert state["metadata"]["labels"]["statusMessage"] == "Done" and "run" not in state["status"]
    assert [c["id"] for c in hub.api("GET", "/v1alpha2/campaigns")[1]] == ["c"]
    assert hub.api("GET", "/v1alpha2/campaignversions/none")[0] == 404
    bad = hub.api("POST", "/v1alpha2/campaignversions/x", {"metadata": {"name": "x"},
                                                          "spec": {"firstStage": "b", "stages": stages}})
    assert bad[0] == 400
    assert hub.api("POST", "/v1alpha2/activations/status/a", {"status": 9994})[0] == 400
    assert hub.api("DELETE", "/v1alpha2/activations/registry/a")[0] == 200


# kill -9


def append(number):
    return stage("patch", inputs={"objectType": "solution", "objectName": "log", "patchSource": "inline",
                                  "component": "book", "property": "lines", "patchContent": {"n": number},
                                  "patchAction": "add"})


def lines(hub):
    found = hub.get("solution", "log")["spec"]["components"][0]["properties"]["lines"]
    return [line["n"] for line in found]


def test_killed_at_a_hundred_moments(hub):
    """Every line is appended exactly once, in order, whatever the moment: a repeat would show as a second line."""
    chance = random.Random(5)
    hub.apply({"apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": "log"},
               "spec": {"components": [{"name": "book", "type": "docker", "properties": {"lines": []}}]}})
    stages, rounds = {}, 12
    for i in range(rounds):
        following = f"p{i + 1}" if i + 1 < rounds else "last"
        stages |= {f"p{i}": append(i) | {"stageSelector": f"d{i}"},
                   f"d{i}": stage("delay", inputs={"delay": "30ms"}, stageSelector=f"m{i}"),
                   f"m{i}": stage("mock", inputs={"foo": i}, stageSelector=following)}
    stages["last"] = stage("mock")
    hub.apply(campaign(**stages))
    kills = number = 0
    while kills < 100:
        name, number = f"run-{number}", number + 1
        before = lines(hub)
        hub.apply(activation(name))
        while kills < 100 and status(hub, name).get("statusMessage") != "Done":
            time.sleep(chance.uniform(0, 0.06))
            hub.kill()
            kills += 1
            hub.start()
        assert ended(hub, name, 30)["statusMessage"] == "Done"
        assert lines(hub) == before + list(range(rounds)), f"after {kills} kills"
    assert number >= 2
