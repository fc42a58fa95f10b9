"""The whole story with the real programs: YAML in, a web server inside WebAssembly out, looked at from every side,
changed, deleted, and nothing left."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

import harness
from harness import BIN, FULL, SAMPLES, SLOW, TINY_APP, TINY_EDGE, TITLE, component, instance, server, solution, target, wait

# -- apply -----------------------------------------------------------------------------------------------------------------

def test_kubectl_apply_makes_a_page(hub, device):
    hub.push()
    said = hub.kubectl("apply", *(f"-f={TINY_EDGE / name}.yaml" for name in ("target", "solution", "instance"))).stdout
    assert said.count("created") == 3
    hub.kubectl("wait", "--for=condition=Ready", "instance/tiny-app", "--timeout=20s")
    body = device.serves() and device.page()
    assert '<a href="/trace">eBPF traces</a>' in body
    assert "Nothing is traced now." in device.page(path="/trace")
    catalogs = hub.kubectl("get", "catalogs").stdout
    assert re.search(r"tiny-app-tiny-edge +staged +tiny-edge +Running", catalogs), catalogs
    assert hub.kubectl("apply", "-f", TINY_APP).stdout.count("unchanged") == 3


def test_piccoloctl_apply_makes_the_same_page(hub, device):
    pushed = hub.push()
    hub.ctl("apply", "-f", TINY_APP)
    hub.ctl("wait", "instance/tiny-app", "--for", "condition=Ready", "--timeout", "20s")
    pid = device.serves()
    part = hub.part()
    assert (part["phase"], part["target"], part["restarts"]) == ("Running", "tiny-edge", 0)
    assert part["evidence"]["sha256"] == pushed["sha256"] and part["evidence"]["pid"] == pid


def test_the_order_of_the_three_objects_does_not_matter(hub, device):
    """And what is missing so far is named."""
    hub.apply(instance())
    stalled = wait(lambda: (c := hub.condition("instance", "tiny-app", "Stalled")) and c["status"] == "True" and c, 5, "Stalled")
    assert "tiny-app" in stalled["message"] and stalled["reason"] == "SolutionNotFound"
    hub.apply(solution(component(listen="8085")))
    stalled = wait(lambda: (c := hub.condition("instance", "tiny-app", "Stalled"))["reason"] == "TargetNotFound" and c, 5, "Stalled")
    assert "tiny-edge" in stalled["message"]
    hub.apply(target())
    stalled = wait(lambda: "tiny-http.wasm" in (c := hub.condition("instance", "tiny-app", "Stalled"))["message"] and c, 5, "Stalled")
    assert "piccoloctl push" in stalled["message"], stalled
    hub.push()
    device.serves()
    wait(lambda: hub.condition("instance", "tiny-app", "Stalled")["status"] == "False", 5, "no longer Stalled")


def test_a_folder_may_begin_with_the_instance(hub, device):
    """kubectl takes files by name, so the instance comes first: nobody is warned of what comes a moment later."""
    hub.push()
    assert "instance" in hub.kubectl("apply", "-f", TINY_APP).stdout.splitlines()[0]
    device.serves()
    wait(lambda: hub.is_ready("tiny-app"), 5, "Ready")
    assert "Warning" not in hub.kubectl("get", "events").stdout
    # piccoloctl puts them in order itself, both ways
    said = hub.ctl("delete", "-f", TINY_APP).stdout.split()
    assert said[::2] == ["instance/tiny-app", "solution/tiny-app", "target/tiny-edge"]
    wait(lambda: not device.status()["components"], 10, "removed")
    assert hub.ctl("apply", "-f", TINY_APP).stdout.split()[::2] == ["target/tiny-edge", "solution/tiny-app", "instance/tiny-app"]
    device.serves()
    assert "Warning" not in hub.kubectl("get", "events").stdout


def test_a_target_that_nobody_joined_says_how(hub):
    hub.apply_sample()
    said = wait(lambda: (c := hub.condition("instance", "tiny-app", "Ready"))["reason"] == "NotEnrolled" and c, 5, "NotEnrolled")
    assert said["status"] == "False" and "piccoloctl enroll tiny-edge" in said["message"]
    assert hub.kubectl("wait", "--for=condition=Ready", "instance/tiny-app", "--timeout=1s", check=False).returncode == 1


# -- looking -----------------------------------------------------------------------------------------------------------------

def test_conditions_say_what_is(hub, deployed):
    kinds = {"instance": "everything runs", "target": "the device is there"}
    for kind, words in kinds.items():
        status = hub.get(kind, "tiny-app" if kind == "instance" else "tiny-edge")["status"]
        conditions = {item["type"]: item for item in status["conditions"]}
        assert [conditions[name]["status"] for name in ("Ready", "Reconciling", "Stalled")] == ["True", "False", "False"]
        assert words in conditions["Ready"]["message"]
        assert all(re.fullmatch(r"[A-Z][A-Za-z]+", item["reason"]) for item in conditions.values())
        assert status["observedGeneration"] == conditions["Ready"]["observedGeneration"] == 1
    assert hub.get("instance", "tiny-app")["status"]["properties"] == {
        "status": "Succeeded", "targets": "1", "deployed": "1", "targets.tiny-edge": "OK - ",
        "targets.tiny-edge.wasm-module": "Running - "}


def test_the_catalog_belongs_to_its_instance(hub, deployed):
    owner = hub.get("instance", "tiny-app")["metadata"]
    catalog = hub.get("catalog", "tiny-app-tiny-edge")
    assert [(item["kind"], item["name"], item["uid"]) for item in catalog["metadata"]["ownerReferences"]] == [
        ("Instance", "tiny-app", owner["uid"])]
    assert catalog["metadata"]["labels"] == {"staged_target": "tiny-edge"}
    assert [item["name"] for item in catalog["spec"]["properties"]["components"]] == ["wasm-module"]
    assert catalog["spec"]["properties"]["removed-components"] is None


def test_events_and_describe_tell_the_story(hub, deployed):
    events = json.loads(hub.kubectl("get", "events", "-o", "json").stdout)["items"]
    told = {(event["involvedObject"]["kind"], event["reason"]) for event in events}
    assert {("Solution", "Resolved"), ("Instance", "Staged"), ("Instance", "Running")} <= told, told
    for text in (hub.kubectl("describe", "instance", "tiny-app").stdout, hub.ctl("describe", "instance/tiny-app").stdout):
        assert "wasm-module is staged for tiny-edge in revision 1" in text
        assert "everything runs as it was asked for" in text
    assert "Staged" in hub.ctl("events").stdout


def test_the_device_list_shows_who_is_there(hub, deployed):
    row = hub.ctl("device", "list").stdout.splitlines()[1].split()
    assert (row[0], row[1], row[3], row[4]) == ("tiny-edge", "yes", "1/1", "1")
    listed = hub.device_state()
    assert listed["online"] and listed["message"] == "" and listed["reported-revision"] == listed["revision"] == 1


def test_status_on_the_device_for_people_and_programs(hub, deployed):
    text = deployed.piccolo("status").stdout
    assert re.search(r"^tiny-app/wasm-module +wasm +Running +0 ", text, re.MULTILINE), text
    assert f"{hub.url}, connected" in text
    status = deployed.status()
    assert (status["device"], status["revision"], status["problem"]) == ("tiny-edge", 1, "")
    # anybody on the machine may look
    piccolo = harness.program_for_anybody("piccolo", deployed.folder)
    done = subprocess.run([str(piccolo), "status", *map(str, deployed.options)], user=65534, group=65534,
                          extra_groups=[], capture_output=True, text=True)
    assert done.returncode == 0 and "tiny-app/wasm-module" in done.stdout, done.stderr


def test_logs_are_at_both_ends(hub, device):
    hub.push(SAMPLES / "test-hello.wasm")
    hub.deploy(component(url="/artifacts/test-hello.wasm", args="'one word' two", env="WHO=everybody", restart="never"))
    wait(lambda: (device.component() or {}).get("phase") == "Finished", 10, "it has run")
    here = device.piccolo("logs", "tiny-app/wasm-module").stdout
    assert re.search(r"hello everybody\n", here), here
    for line in ("argument 1: one word", "argument 2: two", "standard input: empty", "to standard error"):
        assert line in here
    assert hub.ctl("logs", "tiny-edge", "tiny-app/wasm-module").stdout == here
    last = device.piccolo("logs", "tiny-app/wasm-module", "-n", "1").stdout
    assert last.count("\n") == 1 and here.endswith(last)
    assert hub.ctl("logs", "tiny-edge", "tiny-app/wasm-module", "--lines", "1").stdout == last
    for done in (device.piccolo("logs", "tiny-app/nobody", check=False),
                 hub.ctl("logs", "tiny-edge", "tiny-app/nobody", check=False),
                 hub.ctl("logs", "no-device", "tiny-app/wasm-module", check=False)):
        assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done


def test_following_a_log(hub, device):
    hub.push(SAMPLES / "test-hello.wasm")
    hub.deploy(component(url="/artifacts/test-hello.wasm", restart="always"))
    wait(lambda: (device.component() or {}).get("restarts", 0) >= 1, 10, "it has run twice")
    commands = [[BIN / "piccolo", "logs", "tiny-app/wasm-module", "-f", "-n", "1", *device.options],
                [BIN / "piccoloctl", "logs", "tiny-edge", "tiny-app/wasm-module", "-f", "--lines", "1"]]
    for command in commands:
        follower = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env={**os.environ, **hub.environment})
        try:
            os.set_blocking(follower.stdout.fileno(), False)
            seen = []

            def runs():
                seen.append((follower.stdout.read() or b"").decode())
                assert follower.poll() is None, follower.stderr.read()
                return "".join(seen).count("hello world") >= 1

            wait(runs, 20, f"{command[0].name} shows a run that began after it")
        finally:
            follower.kill()
            follower.communicate()


# -- metrics ------------------------------------------------------------------------------------------------------------------

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
                    r'(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (-?(?:[0-9.]+(?:[eE][+-]?\d+)?|\+Inf|NaN))')


def exposition(text):
    """Samples by name and labels, out of Prometheus' text form, read as strictly as it is defined."""
    assert text.endswith("\n")
    types, helps, samples, family = {}, {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, family, said = line.split(" ", 3)
            assert family not in helps and said[0].isupper() and said.endswith("."), line
            helps[family] = said
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and name not in types and kind in ("counter", "gauge"), line
            types[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found and found[1] == family, line
            assert (found[1], found[2]) not in samples, line
            assert found[1].endswith("_total") == (types[found[1]] == "counter"), line
            samples[found[1], found[2]] = float(found[3])
    assert set(types) == set(helps) == {name for name, _ in samples}
    return samples


WASM = '{instance="tiny-app",component="wasm-module",type="wasm"}'


def test_the_devices_metrics_are_prometheus_text(hub, deployed):
    text = harness.http_get(deployed.metrics_port, "/metrics")[1]
    samples = exposition(text)
    assert samples["piccolo_workload_up", WASM] == 1
    assert samples["piccolo_workload_restarts_total", WASM] == 0
    assert 10_000 < samples["piccolo_workload_memory_bytes", WASM] < 50_000_000
    assert samples["piccolo_agent_connected", None] == samples["piccolo_agent_supervisor_up", None] == 1
    assert abs(samples["piccolo_agent_last_contact_timestamp_seconds", None] - time.time()) < 60
    assert any(name == "piccolo_build_info" for name, _ in samples)
    before = samples["piccolo_workload_cpu_seconds_total", WASM]
    wait(lambda: [deployed.page() for _ in range(50)] and
         exposition(harness.http_get(deployed.metrics_port, "/metrics")[1])["piccolo_workload_cpu_seconds_total", WASM] > before,
         10, "work costs processor time")
    assert harness.http_get(deployed.metrics_port, "/secrets")[0] == 404
    if shutil.which("promtool"):
        harness.run("promtool", "check", "metrics", input=text)


def test_prometheus_finds_and_scrapes_the_device_through_the_hub(hub, deployed):
    status, groups = hub.api("GET", "/prometheus/sd")
    assert status == 200
    group = next(item for item in groups if item["labels"]["device"] == "tiny-edge")
    assert group["targets"] == [f"127.0.0.1:{hub.port}"] and group["labels"]["__scheme__"] == "https"
    status, text = hub.api("GET", group["labels"]["__metrics_path__"])
    assert status == 200 and exposition(text)["piccolo_workload_up", WASM] == 1
    status, text = hub.api("GET", "/metrics")
    assert status == 200 and exposition(text)


@pytest.mark.skipif(not FULL, reason="takes 90 s; PICCOLO_FULL=1 runs it")
def test_a_silent_device_is_shown_as_away(hub, deployed):
    deployed.stop()
    wait(lambda: not hub.device_state()["online"], 90, "it is seen to be away")
    assert hub.condition("target", "tiny-edge", "Ready")["status"] == "False"
    assert hub.ctl("device", "list").stdout.splitlines()[1].split()[1] == "no"
    began = time.monotonic()
    assert hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics")[0] >= 500 and time.monotonic() - began < 2 * SLOW


# -- changing -----------------------------------------------------------------------------------------------------------------

def test_a_patched_port_moves_the_module(hub, deployed):
    before = deployed.module_pid()
    change = {"spec": {"components": [server(port=8086)]}}
    hub.kubectl("patch", "solution", "tiny-app", "--type=merge", "-p", json.dumps(change))
    after = deployed.serves(8086)
    assert after != before and not harness.alive(before) and deployed.page(8085) is None
    wait(lambda: hub.is_ready("tiny-app") and hub.part()["evidence"]["pid"] == after, 10, "it is reported")
    assert len(deployed.processes()) == 1
    assert deployed.component()["restarts"] == 0  # a change is not a crash


def test_a_component_can_be_added_and_taken_out(hub, deployed):
    before = deployed.module_pid()
    hub.apply(solution(component(listen="0.0.0.0:8085", dir="/:/sys/kernel/debug/tracing"), server("second", 8086)))
    wait(lambda: TITLE in (deployed.page(8086) or ""), 10, "the second one answers")
    assert deployed.module_pid() == before
    hub.apply(solution(server("second", 8086)))
    wait(lambda: deployed.component() is None and not harness.alive(before), 10, "the first one is gone")
    assert deployed.page(8085) is None and TITLE in deployed.page(8086)
    assert set(deployed.processes()) == {"tiny-app~second"}
    names = [item["name"] for item in hub.get("catalog", "tiny-app-tiny-edge")["spec"]["properties"]["components"]]
    assert names == ["second"]


def test_new_bytes_under_a_name_need_a_new_generation(hub, deployed):
    """What runs is what was resolved when the solution was applied: bytes behind a name change nothing by themselves."""
    before = deployed.module_pid()
    pushed = hub.push(SAMPLES / "test-exit.wasm", name="tiny-http.wasm")
    assert hub.ctl("apply", "-f", TINY_APP).stdout.count("unchanged") == 3
    deployed.stop()
    deployed.start_apart()
    wait(lambda: deployed.status()["connection"] == "connected", 10, "connected again")
    wait(lambda: deployed.module_pid() == before, 10, "the same process runs on")
    listed = hub.get("catalog", "tiny-app-tiny-edge")["spec"]["properties"]["components"][0]["properties"]
    assert listed["wasm.sha256"] != pushed["sha256"]


# -- deleting -----------------------------------------------------------------------------------------------------------------

def gone(hub, kind, name):
    done = hub.kubectl("get", kind, name, check=False)
    return done.returncode == 1 and "NotFound" in done.stderr


def test_delete_leaves_nothing(hub, deployed):
    pid = deployed.module_pid()
    said = hub.kubectl("delete", "-f", TINY_APP).stdout
    assert said.count("deleted") == 3
    wait(lambda: deployed.status()["components"] == [] and deployed.leftovers() == [], 10, f"nothing is left: {deployed.leftovers()}")
    assert not harness.alive(pid) and deployed.page() is None
    wait(lambda: gone(hub, "catalog", "tiny-app-tiny-edge"), 10, "the catalog is gone")
    # the story's users delete it by hand, too
    assert "deleted" in hub.kubectl("delete", "catalog", "tiny-app-tiny-edge").stdout
    assert "deleted" in hub.ctl("delete", "catalog", "tiny-app-tiny-edge").stdout
    assert hub.device_state()["components"] == 0
    events = hub.kubectl("get", "events").stdout
    assert "tiny-edge has let go of wasm-module" in events
    # and it can all come back
    hub.ctl("apply", "-f", TINY_APP)
    assert deployed.serves() != pid


def test_delete_does_not_wait_for_a_device(hub, deployed):
    pid = deployed.module_pid()
    deployed.stop()
    began = time.monotonic()
    hub.kubectl("delete", "instance", "tiny-app", timeout=10)
    assert time.monotonic() - began < 3 * SLOW
    assert gone(hub, "instance", "tiny-app")
    catalog = hub.get("catalog", "tiny-app-tiny-edge")
    assert catalog["metadata"]["deletionTimestamp"] and "Terminating" in hub.kubectl("get", "catalogs").stdout
    assert harness.alive(pid)
    deployed.start_apart()
    wait(lambda: gone(hub, "catalog", "tiny-app-tiny-edge") and deployed.leftovers() == [], 15, "the device has let go")
    assert not harness.alive(pid)


def test_kubectl_can_wait_for_the_end(hub, deployed):
    waiting = subprocess.Popen(["kubectl", "wait", "--for=delete", "catalog/tiny-app-tiny-edge", "--timeout=20s"],
                               env={**os.environ, **hub.environment}, stdout=subprocess.PIPE, text=True)
    hub.kubectl("delete", "instance", "tiny-app")
    said, _ = waiting.communicate(timeout=25 * SLOW)
    assert waiting.returncode == 0 and "condition met" in said, said


def test_a_deleted_target_lets_go_of_what_it_ran(hub, deployed):
    hub.kubectl("delete", "target", "tiny-edge")
    wait(lambda: deployed.status()["components"] == [] and deployed.leftovers() == [], 10, "the device has let go")
    assert hub.device_state()["online"]  # its identity stays until it is retired
    hub.ctl("device", "retire", "tiny-edge")
    assert hub.device_state() is None
    hub.apply(target())
    stalled = wait(lambda: (c := hub.condition("instance", "tiny-app", "Ready"))["reason"] == "NotEnrolled" and c, 5, "not enrolled")
    assert stalled["status"] == "False"
    assert deployed.component() is None
