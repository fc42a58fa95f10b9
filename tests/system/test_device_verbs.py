"""What a person at the device can do without the hub: hold and release, run a file, ask policy, check the machine."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import harness
from harness import BIN, MODULE, TITLE, alive, component, server, solution, wait, workload_processes

NAME = "tiny-app/wasm-module"


# -- stop and start -----------------------------------------------------------------------------------------------------------

def is_held(hub, device):
    """On the device and at the hub, and nothing runs."""
    part = wait(lambda: (found := device.component()) and found["phase"] == "Held" and found, 10, "held, says the device")
    assert part["reason"] == "StoppedByHand" and "piccolo start" in part["message"] and "pid" not in part["evidence"], part
    assert not workload_processes() and device.page() is None
    if hub:
        wait(lambda: (there := hub.part())["phase"] == "Held" and "stopped by hand" in there["message"], 10, "held, says the hub")
        assert hub.condition("instance", "tiny-app", "Ready")["status"] == "False"
        assert re.search(r"^tiny-app +Stopped +1 +0 ", hub.kubectl("get", "instances").stdout, re.MULTILINE)
        assert re.search(r"^tiny-app-tiny-edge +staged +tiny-edge +Stopped ", hub.kubectl("get", "catalogs").stdout, re.MULTILINE)
    return True


def test_stop_says_what_is_gone_and_is_told_upwards(hub, deployed):
    pid = deployed.module_pid()
    said = deployed.piccolo("stop", NAME).stdout
    assert f"process {pid}" in said and "piccolo start" in said
    assert not alive(pid) and is_held(hub, deployed)
    told = [line.split() for line in hub.kubectl("get", "events").stdout.splitlines()[1:]]
    assert told[-1][1:3] == ["Normal", "Held"] and not any("Warning" in line for line in told), told
    assert "Held" in deployed.piccolo("status").stdout


def test_a_hold_stays_over_everything_but_start(hub, deployed):
    deployed.piccolo("stop", NAME)
    is_held(hub, deployed)
    # another desired state
    hub.apply(solution(server(port=8086)))
    wait(lambda: deployed.status()["revision"] == 2, 10, "the new document is here")
    assert is_held(hub, deployed) and deployed.page(8086) is None
    # restarts of each half, of both, and a reboot
    deployed.agent.kill()
    deployed.start_agent()
    is_held(hub, deployed)
    deployed.supervisor.kill()
    deployed.start_supervisor()
    wait(lambda: deployed.status()["supervisor"], 10, "the agent has found the new one")
    is_held(hub, deployed)
    deployed.stop()
    shutil.rmtree(deployed.run_dir)
    deployed.start_apart()
    is_held(hub, deployed)
    # offline, too
    hub.stop()
    deployed.stop()
    deployed.start_apart()
    is_held(None, deployed)
    assert "may run again" in deployed.piccolo("start", NAME).stdout
    deployed.serves(8086)
    part = deployed.component()
    assert part["phase"] == "Running" and "last-error" not in part, part  # a person's wish is no error
    hub.start()
    wait(lambda: hub.is_ready("tiny-app"), 30, "Ready")


def test_a_hold_stays_over_delete_and_apply(hub, deployed):
    deployed.piccolo("stop", NAME)
    is_held(hub, deployed)
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: deployed.status()["components"] == [], 10, "removed")
    wait(lambda: hub.ctl("get", "catalogs").stderr == "no catalogs\n", 10, "a hold does not hinder a removal")
    hub.ctl("apply", "-f", harness.TINY_APP)
    is_held(hub, deployed)
    deployed.piccolo("start", NAME)
    deployed.serves()


def test_other_components_do_not_care(hub, deployed):
    hub.apply(solution(component(listen="0.0.0.0:8085", dir="/:/sys/kernel/debug/tracing"), server("other", 8086)))
    pid = deployed.serves(8086, "other")
    deployed.piccolo("stop", NAME)
    wait(lambda: deployed.component()["phase"] == "Held", 5, "held")
    assert deployed.module_pid("other") == pid and deployed.page(8086)


def test_wrong_names_are_told(deployed):
    for verb in ("stop", "start", "logs"):
        done = deployed.piccolo(verb, "tiny-app", check=False)
        assert done.returncode in (1, 2) and "INSTANCE/COMPONENT" in done.stderr and done.stderr.count("\n") == 1, done
    done = deployed.piccolo("start", NAME, check=False)
    assert done.returncode in (0, 1), done
    if done.returncode == 1:
        assert NAME in done.stderr and "not" in done.stderr, done


def test_only_root_may_stop(deployed):
    pid = deployed.module_pid()
    piccolo = harness.program_for_anybody("piccolo", deployed.folder)
    done = subprocess.run([str(piccolo), "stop", NAME, *map(str, deployed.options)], user=65534, group=65534,
                          extra_groups=[], capture_output=True, text=True)
    assert done.returncode != 0 and done.stderr.count("\n") == 1, done
    assert alive(pid)


# -- run FILE.json ------------------------------------------------------------------------------------------------------------

class FileDevice(harness.Device):
    """Without a hub; its configuration is empty."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.folder / "piccolo.conf").touch()

    def start_file(self, path):
        self.launch(BIN / "piccolo", "run", path, *self.options, "--metrics", f"127.0.0.1:{self.metrics_port}")
        wait(self.status, 10, f"the device answers (log: {self.log})")

    def serves_of(self, port, name, instance="local"):
        return wait(lambda: TITLE in (self.page(port) or "") and self.module_pid(name, instance), 10, f"{name} on {port}")


def desired(**ports):
    return json.dumps({"components": [
        {"name": name, "type": "wasm", "properties": {"wasm.url": "tiny-http.wasm", "wasm.args": str(port)}}
        for name, port in ports.items()]})


def test_run_a_file_without_a_hub(work):
    folder = harness.walkable(work)
    (folder / "app").mkdir()
    (folder / "app").chmod(0o755)
    shutil.copy(MODULE, folder / "app" / "tiny-http.wasm")
    (folder / "app" / "tiny-http.wasm").chmod(0o644)
    path = folder / "app" / "app.json"
    path.write_text(desired(one=8085, two=8086))
    with FileDevice(folder / "device") as device:
        device.start_file(path)
        one, two = device.serves_of(8085, "one"), device.serves_of(8086, "two")
        text = device.piccolo("status").stdout
        assert f"file        {path}" in text and "local/one" in text, text
        # here absence removes; who stays is not touched
        path.write_text(desired(one=8085))
        wait(lambda: not alive(two) and device.component("two", "local") is None, 10, "two is gone")
        assert device.module_pid("one", "local") == one
        # a mistake changes nothing and is told
        path.write_text("{")
        wait(lambda: "app.json" in json.dumps(device.status()) and (device.status()["problem"] or device.status()["message"]), 10,
             lambda: f"the mistake is told: {device.status()}")
        assert device.module_pid("one", "local") == one
        path.write_text(desired(one=8087))
        again = device.serves_of(8087, "one")
        assert again != one and not alive(one)
        path.write_text(desired())
        wait(lambda: device.status()["components"] == [] and not workload_processes(), 10, "all of it is gone")
        path.write_text(desired(one=8085))
        last = device.serves_of(8085, "one")
        device.kill(signal.SIGINT)  # Ctrl-C
        assert device.process.returncode == 0 and not alive(last) and not workload_processes()


@pytest.mark.parametrize("text, words", [
    ("{", ["app.json"]),
    ("[]", ["app.json"]),
    ("{}", ["app.json", "components"]),
    ('{"components": [{"name": "x"}]}', ["app.json", "components[0]", "type"]),
    ('{"components": [{"name": "X y", "type": "wasm"}]}', ["app.json", "components[0]"]),
    ('{"components": [{"name": "x", "type": "wasm", "properties": {"wasm.url": "missing.wasm"}}]}', ["app.json", "missing.wasm"]),
    ('{"components": [{"name": "x", "type": "wasm", "properties": {"wasm.url": "https://example.org/x.wasm"}}]}',
     ["app.json", "https://example.org/x.wasm", "wasm.sha256"]),
])
def test_a_file_that_makes_no_sense_is_refused_before_anything_starts(work, text, words):
    path = work / "app.json"
    path.write_text(text)
    device = FileDevice(work / "device")
    done = device.piccolo("run", path, check=False)
    assert done.returncode != 0 and done.stdout == "" and done.stderr.count("\n") == 1, done
    assert all(word in done.stderr for word in words), done.stderr
    assert not device.run_dir.exists()


def test_a_file_that_is_not_there(work):
    device = FileDevice(work / "device")
    done = device.piccolo("run", work / "nothing.json", check=False)
    assert done.returncode == 1 and f"{work}/nothing.json" in done.stderr and done.stderr.count("\n") == 1, done


# -- policy why, check ----------------------------------------------------------------------------------------------------------

def test_policy_why_answers_for_what_is_and_what_is_not(deployed):
    done = deployed.piccolo("policy", "why", NAME)
    assert str(deployed.policy) in done.stdout and "allows" in done.stdout
    done = deployed.piccolo("policy", "why", "tiny-app/nobody", check=False)
    assert done.returncode == 1 and "tiny-app/nobody" in done.stderr
    # judged by the file as it stands now, before the supervisor reads it
    deployed.policy.write_text(deployed.policy.read_text().replace("listen tcp 8000-8999", "listen tcp 9000"))
    done = deployed.piccolo("policy", "why", NAME, check=False)
    assert done.returncode == 3 and "add `listen tcp 8085" in done.stderr, done
    deployed.policy.write_text(deployed.policy.read_text().replace("allow wasm", ""))
    done = deployed.piccolo("policy", "why", NAME, check=False)
    assert done.returncode == 3 and "add `allow wasm`" in done.stderr, done


def test_policy_why_under_run(work):
    """There, the file is what should run."""
    folder = harness.walkable(work)
    path = folder / "app.json"
    shutil.copy(MODULE, folder / "tiny-http.wasm")
    path.write_text(json.dumps({"components": [component("one", "tiny-http.wasm", args="8085"),
                                               component("low", "tiny-http.wasm", listen="22")]}))
    with FileDevice(folder / "device") as device:
        device.start_file(path)
        device.serves_of(8085, "one")
        assert "allows local/one" in device.piccolo("policy", "why", "local/one").stdout
        done = device.piccolo("policy", "why", "local/low", check=False)
        assert done.returncode == 3 and "add `listen tcp 22`" in done.stderr, done
        done = device.piccolo("policy", "why", "local/nobody", check=False)
        assert done.returncode == 1 and str(path) in done.stderr and "local/nobody" in done.stderr, done


def test_purge_takes_all_and_says_so(hub, deployed):
    deployed.stop()
    said = deployed.piccolo("purge").stdout
    assert "every workload is stopped" in said
    assert not workload_processes() and deployed.leftovers() == []
    # the identity is still there: what should run comes back
    deployed.start_apart()
    deployed.serves()
    deployed.stop()
    config = deployed.folder / "piccolo.conf"
    done = deployed.piccolo("purge", "--all")
    assert done.stderr == "" and f"{config} is removed" in done.stdout and f"{deployed.policy} stays" in done.stdout, done
    assert not config.exists()
    done = deployed.piccolo("purge", "--all")  # again: there is nothing to do
    assert done.stderr == "" and str(config) not in done.stdout, done
    config.write_text(f"metrics = off\nhub = {hub.url}\n")
    assert "names no hub any more" in deployed.piccolo("purge", "--all").stdout and config.read_text() == "metrics = off\n"
    assert not deployed.state.exists() or os.listdir(deployed.state) == []
    assert not workload_processes()


# -- an agent that has forgotten who it is ------------------------------------------------------------------------------------

def test_a_wiped_agent_says_that_it_has_not_joined(hub, deployed):
    """Its folder is removed under it, as in a clean-up by hand: what runs goes on, and what to do is said."""
    pid = deployed.module_pid()
    deployed.agent.kill(signal.SIGTERM)
    shutil.rmtree(deployed.state / "agent")
    deployed.start_agent()
    said = deployed.piccolo("status").stdout
    assert "not joined; `piccoloctl enroll tiny-edge` at the hub prints the line to run here" in said, said
    assert alive(pid) and TITLE in deployed.page()
    assert (deployed.state / "agent").stat().st_mode & 0o7777 == 0o700
    deployed.agent.kill(signal.SIGTERM)
    deployed.join()
    deployed.start_agent()
    wait(lambda: deployed.status()["connection"] == "connected", 10, "it has joined again")
    assert wait(deployed.module_pid, 10, "it runs") == pid
