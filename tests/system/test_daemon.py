"""Plain `piccolo`, as in a terminal: supervisor and agent together, which begin and end as one."""

import os
import re
import pathlib
import signal

import pytest

import harness
import privileged
from harness import alive, wait
from privileged import Supervisor, module

NAME = "tiny-app/wasm-module"
SLEEPER = module(privileged.SLEEPER)
AGENT = 1899999998


class Daemon(Supervisor):
    verb = []

    def __init__(self, folder):
        super().__init__(folder, privileged.POLICY, "--metrics", "off")

    def children(self, pid):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                status = privileged.status_of(path.parent.name)
            except OSError:
                continue
            if status.get("PPid") == str(pid) and not status["State"].startswith("Z"):
                found.append(int(path.parent.name))
        return found

    def agents(self):
        """The processes of the agent's user below the supervisor: the keeper and its agents."""
        keepers = [pid for pid in self.children(self.pid) if privileged.status_of(pid)["Uid"].split()[0] == str(AGENT)]
        return keepers, [agent for keeper in keepers for agent in self.children(keeper)]

    def agent(self):
        return wait(lambda: len(self.agents()[1]) == 1 and self.agents()[1][0], what="one agent runs")


@pytest.fixture
def daemon(work):
    with Daemon(work / "d") as running:
        yield running


@pytest.fixture
def running(daemon):
    daemon.client.take(SLEEPER)
    daemon.client.start(NAME, SLEEPER)
    return daemon.client.until(NAME, "running")


def test_the_agent_has_no_privileges(daemon):
    agent = daemon.agent()
    for pid in (agent, daemon.agents()[0][0]):
        status = privileged.status_of(pid)
        assert status["Uid"].split() == [str(AGENT)] * 4
        assert all(int(status[key], 16) == 0 for key in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"))
        assert status["NoNewPrivs"] == "1" and status["Groups"].strip() == ""
    assert (daemon.state / "agent").stat().st_uid == AGENT
    assert (daemon.state / "agent").stat().st_mode & 0o7777 == 0o700
    wait(lambda: daemon.verb_run("status").returncode == 0, what="`piccolo status` answers")


def test_a_killed_agent_comes_again_and_workloads_do_not_notice(daemon, running):
    first = daemon.agent()
    os.kill(first, signal.SIGKILL)
    second = wait(lambda: daemon.agents()[1] and daemon.agents()[1][0] != first and daemon.agents()[1][0],
                  what="another agent runs")
    assert second != first
    assert daemon.client.list()[NAME].pid == running.pid and alive(running.pid)


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM])
def test_its_end_is_the_end_of_all_it_started(daemon, running, signo):
    agent, keeper = daemon.agent(), daemon.agents()[0][0]
    daemon.kill(signo)
    assert daemon.process.returncode == 0
    assert not any(map(alive, (agent, keeper, running.pid)))
    assert daemon.cgroups() == []
    assert not daemon.run.exists()
    assert (daemon.state / "store" / running.digest.hex()).exists()  # what it knows it still knows
    assert (daemon.state / "log" / "tiny-app~wasm-module.0").exists()
    daemon.start()
    assert daemon.client.list() == {}


def test_ctrl_c_reaches_the_whole_group(daemon, running):
    agent = daemon.agent()
    os.killpg(daemon.pid, signal.SIGINT)
    daemon.process.wait(20 * harness.SLOW)
    assert daemon.process.returncode == 0
    assert not alive(agent) and not alive(running.pid) and daemon.cgroups() == []


def test_a_killed_supervisor_takes_its_agent_along_and_leaves_workloads(daemon, running):
    agent, keeper = daemon.agent(), daemon.agents()[0][0]
    daemon.crash()
    wait(lambda: not alive(agent) and not alive(keeper), what="agent and keeper are gone")
    assert alive(running.pid)
    daemon.start()
    assert daemon.client.list()[NAME].pid == running.pid
    daemon.agent()


def test_replaced_in_place_there_is_still_one_agent(daemon, running):
    first = daemon.agent()
    os.kill(daemon.pid, signal.SIGUSR2)
    daemon.client.close()
    wait(lambda: not alive(first), what="the former agent is gone")
    daemon.client = wait(daemon.connect, what="it answers again")
    daemon.agent()
    assert len(daemon.agents()[0]) == 1
    assert daemon.client.list()[NAME].pid == running.pid


def test_verbs_say_what_is_wrong(daemon, running):
    done = daemon.verb_run("start", NAME)
    assert done.returncode == 1 and "not stopped by hand" in done.stderr, done
    done = daemon.verb_run("stop", "no-slash")
    assert done.returncode == 2 and "INSTANCE/COMPONENT" in done.stderr, done
    done = daemon.verb_run("policy", "why", "tiny-app/absent")
    assert done.returncode == 1 and "tiny-app/absent" in done.stderr, done
    done = daemon.verb_run("check")
    assert "ok       supervisor" in done.stdout and re.search(r"runs, with 1 workload$", done.stdout, re.M), done
    daemon.kill(signal.SIGTERM)
    done = daemon.verb_run("stop", NAME)
    assert done.returncode == 4 and "supervisor" in done.stderr, done
