"""The agent with a real hub and a real supervisor: who may die when, what comes back, what must not go."""

import json
import pathlib
import re
import shutil
import signal
import time

import pytest

import harness
from harness import alive, http_get, wait


@pytest.fixture
def apart(hub, work):
    """Supervisor and agent as two units, so that each can be killed alone."""
    with harness.Device(work / "device", hub=hub) as device:
        device.join()
        device.start_supervisor()
        device.start_agent()
        yield device


def runs(device):
    return wait(device.module_pid, 15, "the module runs")


def serves():
    return http_get(8085)[0] == 200


def test_the_story(hub, device):
    hub.apply_sample()
    pid = runs(device)
    wait(serves, 5, "the page")
    wait(lambda: hub.is_ready("tiny-app"), 10, "the instance is ready")
    component = device.component()
    assert component["phase"] == "Running" and component["restarts"] == 0 and component["evidence"]["pid"] == pid
    listed = hub.ctl("device", "list").stdout
    assert "tiny-edge" in listed and "1/1" in listed
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: not alive(pid), 10, "the module ends")
    wait(lambda: device.leftovers() == [], 10, "nothing is left over")
    wait(lambda: device.status()["components"] == [], 5, "the status says so")


# -- somebody dies -----------------------------------------------------------------------------------------------------

def test_a_killed_module_is_back_within_a_second_and_says_why(hub, device):
    hub.apply_sample()
    import os

    pid = runs(device)
    wait(serves, 5)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    wait(lambda: device.module_pid() not in (None, pid), 10, "another pid")
    assert time.monotonic() - began < 1 * harness.SLOW
    component = device.component()
    assert component["restarts"] == 1 and "signal 9" in component["last-error"]
    wait(serves, 5, "the page is back")


def test_a_killed_agent_is_not_noticed_by_the_module(hub, apart):
    hub.apply_sample()
    pid = runs(apart)
    apart.agent.kill(signal.SIGKILL)
    assert alive(pid) and serves()
    apart.start_agent()
    wait(lambda: apart.module_pid() == pid, 10, "the same pid is known again")
    wait(lambda: apart.status()["connection"] == "connected", 10, "connected")
    assert apart.component()["restarts"] == 0
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: apart.leftovers() == [], 10, "what an earlier life started is removed")


def test_a_killed_supervisor_is_found_again(hub, apart):
    hub.apply_sample()
    pid = runs(apart)
    apart.supervisor.kill(signal.SIGKILL)
    wait(lambda: not apart.status()["supervisor"], 5, "the agent knows")
    assert "supervisor is away" in apart.status()["message"] and alive(pid)
    apart.start_supervisor()
    wait(lambda: apart.status()["supervisor"], 10, "the agent has it back")
    assert apart.module_pid() == pid and apart.component()["restarts"] == 0


def test_all_killed_at_once_come_back_with_one_module(hub, apart):
    hub.apply_sample()
    pid = runs(apart)
    for program in (apart.agent, apart.supervisor, hub):
        program.kill(signal.SIGKILL)
    hub.start()
    apart.start_supervisor()
    apart.start_agent()
    again = runs(apart)
    assert again == pid or not alive(pid)
    wait(lambda: apart.status()["connection"] == "connected", 15, "connected")
    assert [component["phase"] for component in apart.status()["components"]] == ["Running"]
    wait(serves, 5)


def test_removal_that_was_ordered_while_the_agent_was_dead(hub, apart):
    hub.apply_sample()
    pid = runs(apart)
    wait(lambda: hub.is_ready("tiny-app"), 10)
    apart.agent.kill(signal.SIGKILL)
    hub.ctl("delete", "instance/tiny-app")
    assert alive(pid)
    apart.start_agent()
    wait(lambda: not alive(pid), 10, "the module ends")
    wait(lambda: apart.leftovers() == [], 10, "nothing is left over")


# -- the hub goes --------------------------------------------------------------------------------------------------------

def test_the_device_comes_back_from_disk_without_a_hub(hub, device):
    hub.apply_sample()
    runs(device)
    hub.stop()
    device.stop()
    device.start()
    runs(device)
    wait(serves, 5)
    status = device.status()
    assert status["connection"] == "connecting" and status["reason"] == "HubUnreachable"
    assert "cannot reach" in status["problem"]
    text = device.piccolo("status").stdout
    assert "HubUnreachable" in text and all(len(line) <= 80 for line in text.splitlines() if line.startswith("tiny-app"))


def test_a_hub_that_was_away_is_found_again(hub, device):
    wait(lambda: device.status()["connection"] == "connected", 10)
    hub.kill()
    wait(lambda: device.status()["connection"] == "connecting", 5, "the loss is noticed at once")
    hub.start()
    hub.apply_sample()
    runs(device)


def test_an_empty_database_under_the_old_authority_removes_nothing(hub, device):
    hub.apply_sample()
    pid = runs(device)
    hub.stop()
    for path in hub.state.glob("hub.db*"):
        path.unlink()
    hub.start()
    wait(lambda: device.status()["connection"] == "refused", 20, "the hub does not know the device")
    status = device.status()
    assert status["problem"] and status["reason"] not in ("", "HubRefuses"), status
    assert alive(pid) and device.module_pid() == pid
    # a fresh token accepts the new epoch; what the new database does not know is an orphan, and stays
    device.join()
    wait(lambda: device.status()["connection"] == "connected", 20, "the same agent goes on with the new identity")
    assert alive(pid)
    hub.ctl("apply", "-f", harness.TINY_EDGE / "target.yaml")
    assert alive(pid) and device.module_pid() == pid


def test_another_authority_is_refused(hub, device):
    hub.apply_sample()
    pid = runs(device)
    hub.stop()
    shutil.rmtree(hub.state)
    hub.start()
    wait(lambda: device.status()["reason"] == "HubNotTrusted", 20, "the hub is not trusted")
    assert "not trusted" in device.status()["problem"] or "trust" in device.status()["problem"]
    assert alive(pid) and device.module_pid() == pid


# -- verbs ---------------------------------------------------------------------------------------------------------------

def test_logs_by_hand_and_over_the_hub(hub, device):
    hub.push(harness.SAMPLES / "test-hello.wasm", "hello.wasm")
    hub.ctl("apply", "-f", harness.TINY_EDGE / "target.yaml")
    hub.ctl("apply", "-f", "-", input="""
apiVersion: solution.symphony/v1
kind: Solution
metadata: {name: hello}
spec:
  components:
  - {name: hello, type: wasm, properties: {wasm.url: /artifacts/hello.wasm, wasm.restart: never}}
---
apiVersion: solution.symphony/v1
kind: Instance
metadata: {name: hello}
spec: {solution: hello, target: {name: tiny-edge}}
""")
    wait(lambda: (device.component("hello", "hello") or {}).get("phase") in ("Finished", "Failed"), 15, "it has run")
    by_hand = device.piccolo("logs", "hello/hello").stdout
    assert re.search(r"^\d{4}-\d\d-\d\dT[\d:.]+Z o ", by_hand, re.M), by_hand
    wait(lambda: hub.ctl("logs", "tiny-edge", "hello/hello", check=False).stdout.strip() == by_hand.strip(), 10, "the same over the hub")
    nobody = device.piccolo("logs", "hello/nobody", check=False)
    assert nobody.returncode != 0 and "hello/nobody" in nobody.stderr


def test_a_stop_by_hand_holds_until_it_is_released(hub, device):
    hub.apply_sample()
    pid = runs(device)
    device.piccolo("stop", "tiny-app/wasm-module")
    assert not alive(pid)
    wait(lambda: device.component()["phase"] == "Held", 5, "held")
    device.stop()
    device.start()
    wait(lambda: (device.component() or {}).get("phase") == "Held", 10, "still held")
    device.piccolo("start", "tiny-app/wasm-module")
    runs(device)


def test_metrics(hub, device):
    hub.apply_sample()
    runs(device)

    def figures():
        status, text = http_get(device.metrics_port, "/metrics")
        assert status == 200
        return dict(re.findall(r"^(\w+(?:\{[^}]*\})?) ([\d.e+-]+)$", text, re.M))

    def of(name):
        return float(figures()[name + '{instance="tiny-app",component="wasm-module",type="wasm"}'])

    wait(lambda: of("piccolo_workload_up") == 1, 5)
    assert of("piccolo_workload_memory_bytes") > 0 and of("piccolo_workload_restarts_total") == 0
    before = of("piccolo_workload_cpu_seconds_total")
    for _ in range(50):
        http_get(8085)
    wait(lambda: of("piccolo_workload_cpu_seconds_total") > before, 5, "CPU time is counted")
    assert figures()["piccolo_agent_connected"] == "1" and http_get(device.metrics_port, "/else")[0] == 404


def test_a_file_instead_of_a_hub(work):
    file = work / "run.json"

    def want(*components):
        file.write_text(json.dumps({"components": components}))

    shutil.copy(harness.MODULE, work / "web.wasm")
    web = {"name": "web", "type": "wasm", "properties": {"wasm.url": "web.wasm", "wasm.listen": "8085"}}
    want(web, {"name": "bad", "type": "wasm", "properties": {"wasm.url": "web.wasm", "wasm.memory": "lots"}})
    with harness.Device(work / "device") as device:
        device.policy.parent.chmod(0o755)
        (device.folder / "piccolo.conf").write_text("")
        device.launch(harness.BIN / "piccolo", "run", file, *device.options, "--metrics", "off")
        pid = wait(lambda: device.module_pid("web", "local"), 15, "it runs")
        wait(serves, 5)
        assert device.component("bad", "local")["reason"] == "InvalidProperties"
        file.write_text("{")
        wait(lambda: device.status()["problem"], 5, "the mistake is said")
        assert device.module_pid("web", "local") == pid
        want()  # the file is all there is: absence removes
        wait(lambda: not alive(pid), 10, "it is removed")
        want(web)
        wait(lambda: device.module_pid("web", "local"), 10, "and back")
        device.stop()
        wait(lambda: not list((device.run_dir).glob("*")), 5, "nothing runs on after Ctrl-C")


@pytest.mark.parametrize("text, words", [
    ("{", "run.json"), ('{"components":[{}]}', "document.components[0].component: is missing"), ("{}", "components: is missing"),
    ('{"components":[{"name":"a","type":"wasm","properties":{"wasm.url":"http://x/y.wasm"}}]}', "the SHA-256 of http://x/y.wasm must be told"),
    ('{"components":[{"name":"a","type":"wasm","properties":{"wasm.url":"gone.wasm"}}]}', "gone.wasm cannot be opened"),
])
def test_a_mistake_in_the_file_is_said_at_once(work, text, words):
    (work / "run.json").write_text(text)
    device = harness.Device(work / "device")
    (device.folder / "piccolo.conf").write_text("")
    done = device.piccolo("run", work / "run.json", check=False)
    assert done.returncode != 0 and words in done.stderr, done.stderr


def test_nobody_answers(work):
    device = harness.Device(work / "device")
    (device.folder / "piccolo.conf").write_text("")
    done = device.piccolo("status", check=False)
    assert done.returncode == 4 and "no agent answers" in done.stderr
    assert device.piccolo("logs", "a/b", check=False).returncode == 4
    assert device.piccolo("config", "--effective").stdout.count("\n") > 8


def test_an_idle_agent_is_small_and_asleep(hub, apart):
    """The budget's own measure is bench/'s; this one notices a timer that was forgotten."""
    wait(lambda: apart.status()["connection"] == "connected", 10)

    def switches():
        text = pathlib.Path(f"/proc/{apart.agent.pid}/status").read_text()
        return sum(int(number) for number in re.findall(r"ctxt_switches:\s+(\d+)", text))

    def settled():
        before = switches()
        time.sleep(3)
        return switches() == before

    wait(settled, 30, "3 s without a single wake-up")
