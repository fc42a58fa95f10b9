"""Anything may be killed at any time. What is asked for runs afterwards, once; what is not wanted is gone."""

import contextlib
import datetime
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

import harness
from harness import BIN, FULL, SLOW, TITLE, alive, instance, server, solution, target, wait, workload_processes


def kill(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def settled(device, *names):
    """Exactly one process and one cgroup for each of these components, and nothing else of any workload."""
    processes = device.processes()
    assert set(processes) == {f"tiny-app~{name}" for name in names}, processes
    assert all(len(pids) == 1 for pids in processes.values()), processes
    assert workload_processes() == set().union(*processes.values())
    return True


def told(hub, **wanted):
    """What the hub says of the module, once that is as wanted."""
    return wait(lambda: (part := hub.part()) and all(part[key] == value for key, value in wanted.items()) and part, 10,
                f"the hub says {wanted}")


def test_a_killed_module_is_back_within_a_second_and_status_says_why(hub, deployed):
    before = deployed.module_pid()
    began = time.monotonic()
    kill(before)
    after = wait(lambda: TITLE in (deployed.page() or "") and deployed.module_pid(), 3, "it is back")
    took = time.monotonic() - began
    assert after != before and took < 1 * SLOW, f"{took:.2f} s"
    here = deployed.component()
    assert here["restarts"] == 1 and "killed by signal 9" in here["last-error"], here
    now = datetime.datetime.now(datetime.timezone.utc)
    assert 0 <= (now - datetime.datetime.fromisoformat(here["last-error-at"].replace("Z", "+00:00"))).total_seconds() < 5 * SLOW
    ours = [line for line in deployed.piccolo("logs", "tiny-app/wasm-module").stdout.splitlines() if " p " in line]
    assert re.search(r"Z p started again; the run before: killed by signal 9 \(Killed\), at " + here["last-error-at"][:-2], ours[-1]), ours
    assert ours[-1] in hub.ctl("logs", "tiny-edge", "tiny-app/wasm-module").stdout
    there = told(hub, restarts=1, phase="Running")
    assert there["evidence"]["pid"] == after and "killed by signal 9" in there["lastError"], there
    assert "killed by signal 9" in hub.kubectl("describe", "instance", "tiny-app").stdout
    # what happened last stands last, and each event says what it is about
    events = json.loads(hub.kubectl("get", "events", "-o", "json").stdout)["items"]
    assert [event["lastTimestamp"] for event in events] == sorted(event["lastTimestamp"] for event in events)
    assert events[-1]["reason"] in ("Running", "Restarted"), events[-1]
    # told as what was waited for, or, when no report came in between, as a restart
    assert {event["reason"] for event in events if "killed by signal 9" in event["message"]} <= {"Backoff", "Restarted"}
    assert any("killed by signal 9" in event["message"] and event["type"] == "Warning" for event in events)
    assert [event["message"] for event in events if event["reason"] == "Running"] == ["wasm-module on tiny-edge: it runs"]
    listed = [line.split()[2] for line in hub.ctl("events").stdout.splitlines()[1:]]
    assert listed == [event["reason"] for event in events]
    described = hub.ctl("describe", "instance/tiny-app").stdout
    assert "restarts 1" in described and re.search(r"last error, [0-9]+s ago: it was killed", described), described
    text = deployed.piccolo("status").stdout
    assert re.search(r"last error, [0-9]+s ago: it was killed by signal 9 \(Killed\)", text), text
    assert hub.is_ready("tiny-app") and settled(deployed, "wasm-module")
    assert f'piccolo_workload_restarts_total{{instance="tiny-app",component="wasm-module",type="wasm"}} 1\n' in \
        harness.http_get(deployed.metrics_port, "/metrics")[1]


def test_a_module_that_keeps_dying_is_given_more_time(hub, deployed):
    pauses = []
    for restarts in range(1, 5):
        kill(deployed.module_pid())
        began = time.monotonic()
        wait(lambda: (deployed.component() or {}).get("restarts") == restarts and deployed.module_pid(), 10, f"restart {restarts}")
        pauses.append(time.monotonic() - began)
    assert pauses[3] > pauses[0] + 0.4 and pauses[3] > 0.8, pauses  # 100 ms, doubled each time
    assert settled(deployed, "wasm-module")


def test_a_killed_agent_does_not_touch_the_module(hub, deployed):
    before = deployed.component()
    deployed.agent.kill()
    assert alive(before["evidence"]["pid"]) and TITLE in deployed.page()
    deployed.start_agent()
    after = wait(deployed.component, 5, "the status")
    for key in ("phase", "reason", "restarts", "message"):
        assert after[key] == before[key], (key, after)
    assert after["evidence"]["pid"] == before["evidence"]["pid"]
    wait(lambda: deployed.status()["connection"] == "connected", 10, "connected again")
    assert told(hub, phase="Running")["restarts"] == 0 and settled(deployed, "wasm-module")


def test_what_happened_while_the_agent_was_dead_is_done_when_it_is_back(hub, deployed):
    pid = deployed.module_pid()
    deployed.agent.kill()
    hub.apply(solution(server(port=8086)))
    kill(pid)
    wait(lambda: not alive(pid), 5, "the module is dead")
    deployed.start_agent()
    deployed.serves(8086)
    assert deployed.page(8085) is None and settled(deployed, "wasm-module")


def test_a_killed_supervisor_is_followed_by_one_that_takes_over(hub, deployed):
    pid = deployed.module_pid()
    deployed.supervisor.kill()
    assert alive(pid) and TITLE in deployed.page()
    # the agent says so and does not lose its head
    wait(lambda: deployed.status()["supervisor"] is False, 5, "the agent knows that it is alone")
    deployed.start_supervisor()
    wait(lambda: deployed.status()["supervisor"] is True, 10, "the agent has found the new one")
    assert deployed.module_pid() == pid and deployed.component()["restarts"] == 0
    assert settled(deployed, "wasm-module")
    # the death of a process that is not its child is seen, and the next one gets its listener from the new broker
    kill(pid)
    began = time.monotonic()
    after = wait(lambda: TITLE in (deployed.page() or "") and deployed.module_pid(), 3, "it is back")
    assert after != pid and time.monotonic() - began < 1 * SLOW
    assert deployed.component()["restarts"] == 1 and settled(deployed, "wasm-module")


def test_a_module_that_died_while_nobody_supervised_is_started_again(hub, deployed):
    pid = deployed.module_pid()
    deployed.supervisor.kill()
    kill(pid)
    deployed.start_supervisor()
    after = deployed.serves()
    assert after != pid and deployed.component()["restarts"] == 1 and settled(deployed, "wasm-module")


def test_all_killed_at_once(hub, deployed):
    pid = deployed.module_pid()
    kill(deployed.supervisor.pid, deployed.agent.pid, pid)
    deployed.supervisor.process.wait(), deployed.agent.process.wait()
    deployed.start_apart()
    after = deployed.serves()
    assert after != pid and settled(deployed, "wasm-module")
    told(hub, phase="Running")
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: deployed.leftovers() == [] and not workload_processes(), 10, "nothing is left over")


def test_a_removal_that_nobody_lived_to_see_is_done_afterwards(hub, deployed):
    pid = deployed.module_pid()
    kill(deployed.supervisor.pid, deployed.agent.pid)
    deployed.supervisor.process.wait(), deployed.agent.process.wait()
    hub.ctl("delete", "instance/tiny-app")
    assert alive(pid)
    deployed.start_apart()
    wait(lambda: deployed.leftovers() == [] and not workload_processes(), 10, "all of it is gone")
    wait(lambda: hub.ctl("get", "catalogs").stderr == "no catalogs\n", 10, "the hub has been told")


def test_a_killed_hub_comes_back_as_it_was(hub, deployed):
    pid, before = deployed.module_pid(), hub.get("instance", "tiny-app")
    staged = hub.get("catalog", "tiny-app-tiny-edge")
    hub.kill()
    wait(lambda: deployed.status()["connection"] != "connected", 10, "the device sees that it is gone")
    hub.start()
    wait(lambda: deployed.status()["connection"] == "connected" and deployed.status()["problem"] == "", 20, "connected again")
    assert deployed.module_pid() == pid and settled(deployed, "wasm-module")
    after = hub.get("instance", "tiny-app")
    assert after["metadata"]["uid"] == before["metadata"]["uid"] and after["spec"] == before["spec"]
    assert hub.get("catalog", "tiny-app-tiny-edge")["spec"] == staged["spec"]
    assert wait(lambda: hub.is_ready("tiny-app"), 5, "Ready")
    # and it is the old life that goes on: a change arrives
    hub.apply(solution(server(port=8086)))
    deployed.serves(8086)
    assert deployed.status()["revision"] == 2 and settled(deployed, "wasm-module")


def test_what_was_acknowledged_is_there_after_a_kill(hub, deployed):
    """The answer comes after the commit: a kill right behind it loses nothing."""
    for port in (8086, 8087, 8088):
        hub.apply(solution(server(port=port)))
        hub.kill()
        hub.start()
        assert hub.get("solution", "tiny-app")["spec"]["components"][0]["properties"]["wasm.listen"] == str(port)
    deployed.serves(8088, seconds=20)
    assert settled(deployed, "wasm-module")


# -- anything, in any order ---------------------------------------------------------------------------------------------------

class Storm:
    """Changes of the desired state while anything is killed at random; whoever was killed comes back a bit later, as
    under systemd. `wanted` is what has to run in the end: port by component, or None when there is no instance."""

    def __init__(self, hub, device, seed):
        self.hub, self.device, self.random = hub, device, random.Random(seed)
        self.wanted, self.said = None, []

    def say(self, text):
        self.said.append(text)

    def change(self):
        """The next desired state, and the command that asks for it."""
        if self.wanted is not None and self.random.random() < 0.2:
            self.wanted = None
            return ["delete", "instance/tiny-app"], ""
        names = self.random.sample(("a", "b", "c"), self.random.randint(1, 3))
        self.wanted = {name: 8100 + 10 * "abc".index(name) + self.random.randint(0, 1) for name in sorted(names)}
        objects = [target(), solution(*(server(name, port) for name, port in self.wanted.items())), instance()]
        return ["apply", "-f", "-"], "\n---\n".join(map(harness.json.dumps, objects))

    def kill_something(self):
        device = self.device
        victims = {"agent": [device.agent], "supervisor": [device.supervisor], "hub": [self.hub],
                   "device": [device.agent, device.supervisor], "all": [self.hub, device.agent, device.supervisor]}
        name = self.random.choice([*victims, "module", "modules"])
        self.say(f"kill {name}")
        for program in victims.get(name, []):
            if program.process.poll() is None:
                os.kill(program.pid, signal.SIGKILL)
        for program in victims.get(name, []):
            program.process.wait()  # a signal takes its time to work
        if name not in victims or name == "all":
            modules = sorted(workload_processes())
            for pid in modules if name != "module" else self.random.sample(modules, min(1, len(modules))):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def bring_back(self, always=False):
        for program, start in ((self.hub, self.hub.start), (self.device.supervisor, self.device.start_supervisor),
                               (self.device.agent, self.device.start_agent)):
            if program.process.poll() is not None and (always or self.random.random() < 0.6):
                program.process.wait()
                start()

    def ask(self, command, text):
        """Until it is acknowledged; kills fall between and into it."""
        while True:
            self.say(f"{command[0]} {self.wanted}")
            asked = subprocess.Popen([str(BIN / "piccoloctl"), *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, env={**os.environ, **self.hub.environment}, text=True)
            asked.stdin.write(text)
            asked.stdin.close()
            time.sleep(self.random.uniform(0, 0.15))  # chance, not hope: where in the work the kill falls
            self.kill_something()
            said = asked.stderr.read()
            if asked.wait() == 0 or "lists them" in said:
                return
            self.say(f"not done: {said.strip()}")
            self.bring_back(always=self.hub.process.poll() is not None)

    def is_over(self):
        wanted = self.wanted or {}
        settled(self.device, *wanted)
        pids = [self.device.module_pid(name) for name in wanted]
        assert all(pids) and set(pids) == workload_processes(), pids
        for port in (8100, 8101, 8110, 8111, 8120, 8121):
            assert (TITLE in (self.device.page(port) or "")) == (port in wanted.values()), port
        return True


def run_storm(hub, device, seed, rounds):
    hub.push()
    storm = Storm(hub, device, seed)
    try:
        for _ in range(rounds):
            storm.ask(*storm.change())
            storm.bring_back()
        storm.bring_back(always=True)
        wait(storm.is_over, 60, f"{storm.wanted} runs, and nothing else")
        if storm.wanted is not None:
            wait(lambda: hub.is_ready("tiny-app"), 20, "Ready")
            hub.ctl("delete", "instance/tiny-app")
        wait(lambda: device.leftovers() == [] and not workload_processes(), 20, "nothing is left over")
        wait(lambda: hub.ctl("get", "catalogs").stderr == "no catalogs\n", 20, "no catalog is left over")
    except AssertionError as failure:
        status = device.piccolo("status", check=False)
        raise AssertionError("\n".join([f"seed {seed}: {failure}", *storm.said, status.stdout, status.stderr, device.tail(),
                                        hub.tail()])) from None


@pytest.mark.parametrize("seed", range(40) if FULL else [int(os.environ.get("PICCOLO_SEED", "1"))])
def test_a_storm_of_kills_ends_in_what_was_asked_for(hub, apart, seed):
    run_storm(hub, apart, seed, 40 if FULL else 12)
