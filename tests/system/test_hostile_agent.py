"""What an agent or a runner that has fallen cannot do to root's side of a device."""

import contextlib
import errno
import os
import pathlib
import signal

import pytest

import harness
import privileged
from harness import wait
from privileged import HOLD, LIST, RELOAD, STOP, Client, Refused, Supervisor, module

NAME = "tiny-app/wasm-module"
AGENT = 1899999998  # the user that privileged.Supervisor takes for the agent
SLEEPER = module(privileged.SLEEPER)


@pytest.fixture
def supervisor(work):
    with Supervisor(work / "s") as running:
        yield running


@contextlib.contextmanager
def as_agent():
    os.setegid(AGENT)
    os.seteuid(AGENT)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_an_agent_with_all_connections_leaves_root_its_own(supervisor):
    crowd = []
    try:
        for _ in range(40):
            with as_agent():
                crowd.append(wait(lambda: Client(supervisor.run), what="there is room in the queue"))
        with wait(lambda: Client(supervisor.run), what="there is room in the queue") as root:
            assert root.list() == {}
        assert supervisor.verb_run("status").returncode in (0, 4)  # it is answered; no agent runs here
    finally:
        for each in crowd:
            each.close()


def test_a_stop_that_takes_long_collects_only_so_many_who_wait(supervisor):
    root = supervisor.client
    root.take(SLEEPER)
    root.start(NAME, SLEEPER)
    root.until(NAME, "running")
    inner = [os.path.join(folder, "inner") for folder in supervisor.cgroups() if "~" in folder]
    for folder in inner:
        os.mkdir(folder)  # the cgroup cannot go, as with a process that the kernel holds on to
    try:
        with as_agent():
            agent = Client(supervisor.run)
        waiting = {agent.send(STOP, NAME) for _ in range(200)}
        agent.send(LIST)
        early = {}
        while True:
            message = agent.receive()
            if message.kind == privileged.ENTRY:
                break
            early[message.id] = message
        assert 100 < len(early) < 200 and {each.status for each in early.values()} == {-errno.EAGAIN}
        assert "too many wait" in next(iter(early.values())).text
        of_root = root.send(HOLD, NAME)  # root can still wait
    finally:
        for folder in inner:
            os.rmdir(folder)
    assert root.answer(of_root).status == 0
    waiting -= set(early)
    while waiting:
        message = agent.receive()
        if message.kind == privileged.REPLY and message.id in waiting:
            assert message.status == 0
            waiting.remove(message.id)
    agent.close()


def test_a_runner_that_is_refused_again_and_again_does_not_fill_the_log(supervisor):
    prober = module("""(local $fd i32) (local $port i32)
      (local.set $fd (call $socket (i32.const 2)))
      (local.set $port (i32.const 9000))
      (loop $again
        (drop (call $connect (local.get $fd) (i32.const 16) (local.get $port)))
        (local.set $port (i32.add (local.get $port) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $port) (i32.const 11000))))
      (call $exit (i32.const 7))""")
    client = supervisor.client
    client.take(prober)
    client.start(NAME, prober)
    entry = client.until(NAME, "ended", seconds=30)
    assert entry.end_value == 7 and "10999" in entry.end_text  # the last one is why it gave up
    lines = [line for line in supervisor.log.read_text().splitlines() if "socket-refused" in line]
    assert 1 <= len(lines) <= 16, f"{len(lines)} lines"
    assert "9000" in lines[0]


def test_a_runner_can_fill_no_disk_it_was_not_given(supervisor, work):
    """Natively, past the module's interface: its log, its note, or nothing."""
    given = work / "given"
    given.mkdir()
    supervisor.policy.write_text(privileged.POLICY + f"folder {given} writable\n")
    client = supervisor.client
    client.ask(RELOAD)
    client.take(SLEEPER)
    for name, folders, wanted in (("a/none", (), str(128 * 1024)),
                                  ("a/read", [("/d", str(given), False)], str(128 * 1024)),
                                  ("a/write", [("/d", str(given), True)], "unlimited")):
        client.start(name, SLEEPER, folders=folders)
        entry = client.until(name, "running")
        limits = pathlib.Path(f"/proc/{entry.pid}/limits").read_text().splitlines()
        assert next(line for line in limits if line.startswith("Max file size")).split()[3:5] == [wanted] * 2, name


def memory_of(pid):
    """What the process can read, a piece at a time."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            bounds, rights = line.split()[:2]
            start, end = (int(number, 16) for number in bounds.split("-"))
            if rights[0] != "r" or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            with contextlib.suppress(OSError):
                memory.seek(start)
                yield memory.read(end - start)


@pytest.mark.skipif(harness.SLOW > 1, reason="the sanitizer's address space is terabytes, too much to read through")
def test_a_runner_cannot_read_what_the_supervisor_was_started_with(work, monkeypatch):
    secret = b"correct-horse-battery-staple"
    monkeypatch.setenv("DEPLOY_TOKEN", secret.decode())
    monkeypatch.setenv("TMPDIR", "/nowhere" * 1000)  # more than a page of it
    with Supervisor(work / "s") as supervisor:
        client = supervisor.client
        client.take(SLEEPER)
        client.start(NAME, SLEEPER)
        pid = client.until(NAME, "running").pid
        assert any(b"hello from inside" in piece for piece in memory_of(pid)), "its memory was read"
        assert not any(secret in piece for piece in memory_of(pid))
        assert secret not in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        # a successor in place gets all of it
        supervisor.process.send_signal(signal.SIGUSR2)
        wait(lambda: "replaced-in-place" in supervisor.tail(50), what="it says so")
        client.close()
        supervisor.client = client = wait(supervisor.connect, what="the successor answers")
        assert any(secret in piece for piece in memory_of(supervisor.pid))
        client.start("other/one", SLEEPER)
        assert not any(secret in piece for piece in memory_of(client.until("other/one", "running").pid))
