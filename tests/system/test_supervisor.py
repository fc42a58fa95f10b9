"""The supervisor, spoken to as the agent does: artifacts, starts, ends, crashes, refusals, and what is left over."""

import array
import errno
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

import harness
import privileged
from harness import alive, wait
from privileged import (DROP, HAS, HOLD, LIST, LOG, PURGE, RELEASE, RELOAD, START, STAMP, STOP, SUBSCRIBE, TAKE, Client,
                        Refused, Supervisor, connector, listener, memory_file, module, pack, sha256, wasm_spec)

NAME = "tiny-app/wasm-module"
FILE = "tiny-app~wasm-module"
SLEEPER = module(privileged.SLEEPER)


@pytest.fixture
def supervisor(work):
    with Supervisor(work / "s") as running:
        yield running


@pytest.fixture
def client(supervisor):
    return supervisor.client


@pytest.fixture
def running(client):
    """The sleeper, up."""
    client.take(SLEEPER)
    client.start(NAME, SLEEPER)
    return client.until(NAME, "running")


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as failure:
        call(*args, **more)
    assert failure.value.code == code, failure.value
    assert failure.value.text
    return failure.value.text


# -- artifacts ---------------------------------------------------------------------------------------------------------

def test_an_artifact_is_kept_under_its_digest_and_is_roots(supervisor, client):
    assert client.ask(HAS, digest=sha256(SLEEPER)).value == 0
    client.take(SLEEPER)
    client.take(SLEEPER)  # twice is once
    assert client.ask(HAS, digest=sha256(SLEEPER)).value == 1
    path = supervisor.state / "store" / sha256(SLEEPER).hex()
    facts = path.stat()
    assert path.read_bytes() == SLEEPER
    assert (facts.st_mode & 0o7777, facts.st_uid) == (0o444, 0)
    client.ask(DROP, digest=sha256(SLEEPER))
    client.ask(DROP, digest=sha256(SLEEPER))
    assert client.ask(HAS, digest=sha256(SLEEPER)).value == 0
    assert list((supervisor.state / "store").iterdir()) == []


def test_other_bytes_than_promised_are_not_kept(supervisor, client):
    said = refused(errno.EBADMSG, client.take, SLEEPER, digest=sha256(b"else"))
    assert sha256(SLEEPER).hex() in said and sha256(b"else").hex() in said
    assert list((supervisor.state / "store").iterdir()) == []


def test_what_is_too_large_is_refused_before_a_byte_is_copied(supervisor, client):
    big = bytes(1024 * 1024 + 1)
    assert "artifact-max" in refused(errno.EFBIG, client.take, big)
    # a size that is not the file's
    refused(errno.EINVAL, client.take, SLEEPER, size=len(SLEEPER) + 1)
    refused(errno.EINVAL, client.take, SLEEPER, size=0)
    # things that are not files
    read_end, write_end = os.pipe()
    refused(errno.EINVAL, client.ask, TAKE, digest=sha256(b""), size=0, fd=read_end)
    os.close(read_end), os.close(write_end)
    assert list((supervisor.state / "store").iterdir()) == []


def test_the_store_as_a_whole_has_a_limit(supervisor, client):
    contents = [bytes([i]) * (1024 * 1024) for i in range(5)]
    for content in contents[:4]:
        client.take(content)
    assert "store-max" in refused(errno.EDQUOT, client.take, contents[4])
    client.ask(DROP, digest=sha256(contents[0]))
    client.take(contents[4])
    assert len(list((supervisor.state / "store").iterdir())) == 4


def test_an_artifact_that_changes_while_it_is_copied_is_what_was_copied(supervisor, client):
    """The sender writes to the file all the time; only bytes of the promised digest may get its name."""
    first, second = b"a" * 1000000, b"b" * 1000000
    with memory_file(first) as fd:
        for round in range(30):
            os.pwrite(fd, first, 0)
            request = client.send(TAKE, digest=sha256(first), size=len(first), fd=fd)
            os.pwrite(fd, second, 0)
            try:
                client.answer(request)
            except Refused as failure:
                assert failure.code == errno.EBADMSG
    for path in (supervisor.state / "store").iterdir():
        assert sha256(path.read_bytes()).hex() == path.name


def test_takes_in_flight_are_few_and_none_is_lost(client):
    contents = [bytes([i]) * 300000 for i in range(12)]
    asked = []
    for content in contents:
        with memory_file(content) as fd:
            asked.append((client.send(TAKE, digest=sha256(content), size=len(content), fd=fd), content))
    answers = {}
    while len(answers) < len(asked):
        message = client.receive()
        answers[message.id] = message.status
    assert set(answers.values()) <= {0, -errno.EAGAIN}
    assert list(answers.values()).count(0) >= 4
    for id, content in asked:
        assert client.ask(HAS, digest=sha256(content)).value == (answers[id] == 0)


def test_an_artifact_in_use_stays(client, running):
    assert NAME in refused(errno.EBUSY, client.ask, DROP, digest=sha256(SLEEPER))
    client.stop(NAME)
    client.ask(DROP, digest=sha256(SLEEPER))


# -- start, end, restart -----------------------------------------------------------------------------------------------

def test_a_module_runs_and_its_entry_says_so(supervisor, client, running):
    assert running.type == "wasm" and running.digest == sha256(SLEEPER)
    assert running.spec_digest == sha256(b"wasm".ljust(16, b"\0") + sha256(SLEEPER) + wasm_spec())
    assert 1900000000 <= running.user <= 1900000999
    assert running.pid_start == privileged.start_time(running.pid)
    assert running.restarts == 0 and running.end is None
    assert supervisor.processes() == {running.pid}
    assert supervisor.workload_cgroups() == [FILE]
    assert running.memory > 0 or not os.path.exists("/sys/fs/cgroup/memory")


def test_kill_9_is_an_event_with_its_reason_and_the_next_start_counts(client, running):
    client.ask(SUBSCRIBE)
    os.kill(running.pid, signal.SIGKILL)
    message = client.receive()
    assert message.kind == privileged.EVENT
    ended = message.entry
    assert (ended.state, ended.end, ended.end_value) == ("ended", "signal", 9)
    assert "signal 9" in ended.end_text
    client.start(NAME, SLEEPER)
    again = client.until(NAME, "running")
    assert again.restarts == 1 and again.end == "signal"  # the last end stays known
    assert again.user == running.user and again.pid != running.pid
    client.stop(NAME)
    client.start(NAME, SLEEPER)
    assert client.until(NAME, "running").restarts == 0


def test_ways_to_end(client):
    endings = {
        "status": (module("(call $exit (i32.const 7))"), "status", 7),
        "trap": (module("(unreachable)"), "trap", 0),
        "garbage": (b"\0asm\1\0\0\0 not a module", "invalid", 1),
    }
    for name, (content, end, value) in endings.items():
        client.take(content)
        client.start(f"a/{name}", content)
        entry = client.until(f"a/{name}", "ended")
        assert (entry.end, entry.end_value) == (end, value), entry
        assert entry.end_text
        client.stop(f"a/{name}")


def test_the_memory_limit_of_the_cgroup_is_told(supervisor, client):
    """Not by a guest, which its own limit stops: by touching memory in the runner's cgroup from outside."""
    tree = pathlib.Path("/sys/fs/cgroup/memory", supervisor.base, FILE)
    client.take(SLEEPER)
    client.start(NAME, SLEEPER)
    client.until(NAME, "running")
    if not tree.exists():
        tree = next((pathlib.Path(path) for path in supervisor.cgroups() if path.endswith(FILE) and
                     pathlib.Path(path, "memory.max").exists()), None)
    if tree is None:
        pytest.skip("no memory controller on this machine")
    eater = subprocess.Popen([sys.executable, "-c", f"open('{tree}/cgroup.procs', 'w').write('0')\n"
                                                    "block = bytearray(256 << 20)"])
    assert eater.wait(30 * harness.SLOW) != 0
    entry = client.list()[NAME]
    if alive(entry.pid):  # the kernel may choose either of the two
        os.kill(entry.pid, signal.SIGKILL)
    assert client.until(NAME, "ended").end == "memory"


def test_a_start_replaces_only_what_has_ended(client, running):
    refused(errno.EEXIST, client.start, NAME, SLEEPER)
    assert client.list()[NAME].pid == running.pid


def test_each_has_its_own_user(client):
    client.take(SLEEPER)
    for i in range(12):
        client.start(f"many/w{i}", SLEEPER)
    users = [client.until(f"many/w{i}", "running").user for i in range(12)]
    assert len(set(users)) == 12
    client.stop("many/w3")
    client.start("many/w3", SLEEPER)
    assert client.until("many/w3", "running").user == users[3]  # the same name, the same number


def test_the_number_of_workloads_and_users_is_limited(work):
    policy = privileged.POLICY.replace("workloads-max 20", "workloads-max 3").replace("1900000000-1900000999",
                                                                                     "1900000000-1900000001")
    with Supervisor(work / "few", policy) as few:
        few.client.take(SLEEPER)
        few.client.start("a/one", SLEEPER)
        few.client.start("a/two", SLEEPER)
        assert "users" in refused(errno.EAGAIN, few.client.start, "a/three", SLEEPER)
        assert set(few.client.list()) == {"a/one", "a/two"}
        few.policy.write_text(policy.replace("workloads-max 3", "workloads-max 2"))
        few.client.ask(RELOAD)
        assert "workloads-max" in refused(errno.EAGAIN, few.client.start, "a/three", SLEEPER)


def test_bad_starts_are_refused_and_leave_nothing(supervisor, client):
    client.take(SLEEPER)
    start = client.ask
    digest, spec = sha256(SLEEPER), wasm_spec()
    assert "store" in refused(errno.ENOENT, client.start, NAME, b"not taken")
    assert "allow ebpf" in refused(errno.EPERM, start, START, NAME, "ebpf", digest, spec=spec)
    refused(errno.EINVAL, start, START, NAME, "wasm", digest, spec=spec[:-1])
    refused(errno.EINVAL, start, START, NAME, "wasm", digest, spec=b"\xff" * len(spec))
    assert "memory-max" in refused(errno.EPERM, client.start, NAME, SLEEPER, memory=1 << 30)
    assert "listen tcp 80`" in refused(errno.EPERM, client.start, NAME, SLEEPER, listen=["tcp 80"])
    assert "folder /etc" in refused(errno.EPERM, client.start, NAME, SLEEPER, folders=[("/etc", "/etc", False)])
    assert client.list() == {}
    assert supervisor.workload_cgroups() == []
    assert [path for path in supervisor.files() if FILE in path] == []


def test_a_folder_that_is_missing_is_an_end_with_its_sentence(work):
    with Supervisor(work / "f", privileged.POLICY + "folder /nowhere writable\n") as s:
        s.client.take(SLEEPER)
        s.client.start(NAME, SLEEPER, folders=[("/data", "/nowhere/here", True)])
        entry = s.client.until(NAME, "ended")
        assert entry.end == "status" and "/nowhere/here" in entry.end_text


def test_stop_leaves_no_process_no_cgroup_no_mount_no_file(supervisor, client, running):
    before = set(supervisor.files())
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    assert {f"state/log/{FILE}.0", f"state/log/{FILE}.1", f"run/w/{FILE}/spec", f"run/w/{FILE}/end"} <= before
    reply = client.stop(NAME)
    assert reply.entry.pid == running.pid and reply.entry.digest == running.digest  # the evidence
    assert not os.path.exists(f"/proc/{running.pid}")
    assert supervisor.workload_cgroups() == [] and supervisor.processes() == set()
    assert [path for path in supervisor.files() if "tiny-app" in path] == []
    assert list((supervisor.run / "w").iterdir()) == [] and list((supervisor.run / "i").iterdir()) == []
    assert pathlib.Path("/proc/self/mountinfo").read_text() == mounts
    assert client.list() == {}
    client.stop(NAME)  # what is gone can be stopped again


def test_two_of_one_instance_share_its_folder_until_the_last_goes(supervisor, client):
    client.take(SLEEPER)
    client.start("a/x", SLEEPER)
    client.start("a/y", SLEEPER)
    client.stop("a/x")
    assert [path.name for path in (supervisor.run / "i").iterdir()] == ["a"]
    client.stop("a/y")
    assert list((supervisor.run / "i").iterdir()) == []


def test_a_stop_asked_for_twice_is_answered_twice(client, running):
    first, second = client.send(STOP, NAME), client.send(STOP, NAME)
    client.answer(first)
    client.answer(second)


def test_a_stop_right_after_a_start(supervisor, client):
    client.take(SLEEPER)
    for _ in range(20):
        client.send(START, NAME, "wasm", sha256(SLEEPER), spec=wasm_spec())
        client.answer(client.send(STOP, NAME))
        assert client.list() == {}
        assert supervisor.processes() == set()
    assert supervisor.workload_cgroups() == []


def test_events_come_to_those_who_subscribed(supervisor, client):
    with Client(supervisor.run) as listening, Client(supervisor.run) as deaf:
        listening.ask(SUBSCRIBE)
        client.take(SLEEPER)
        client.start(NAME, SLEEPER)
        assert listening.receive().entry.state == "starting"
        assert listening.receive().entry.state == "running"
        client.stop(NAME)
        assert listening.receive().entry.state == "stopping"
        assert listening.receive().entry.state == "gone"
        assert deaf.list() == {} and deaf.events == []


def test_the_log_is_handed_out_for_reading(supervisor, client, running):
    reply = client.ask(LOG, NAME)
    assert len(reply.fds) == 2
    content = b"".join(os.pread(fd, 65536, 0) for fd in reply.fds)
    assert b" o hello from inside\n" in content
    for fd in reply.fds:
        with pytest.raises(OSError):
            os.write(fd, b"x")
        os.close(fd)
    refused(errno.ENOENT, client.ask, LOG, "no/such")


def test_stamps_are_fresh_and_the_ledger_keeps_them(supervisor, client):
    stamps = [client.ask(STAMP).stamp for _ in range(70)]
    assert len(set(stamps)) == 70 and not any(stamp == bytes(16) for stamp in stamps)
    kept = (supervisor.run / "ledger").read_bytes()
    assert all(stamp in kept for stamp in stamps[-64:]) and stamps[0] not in kept
    supervisor.crash()
    supervisor.start()
    assert (supervisor.run / "ledger").read_bytes().count(stamps[-1]) == 1


# -- sockets -----------------------------------------------------------------------------------------------------------

def listens(port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_granted_port_is_listened_on(client):
    content = listener(8085)
    client.take(content)
    client.start(NAME, content)
    client.until(NAME, "running")
    wait(lambda: listens(8085), what="port 8085 is open")
    client.stop(NAME)
    assert not listens(8085)
    client.start(NAME, content)  # at once again: connections of the former one do not keep the port
    wait(lambda: listens(8085), what="port 8085 is open again")


def test_a_port_is_free_at_once_after_connections(client):
    """Connections that the ended module closed wait in the kernel for a minute; its successor does not."""
    content = harness.MODULE.read_bytes()
    client.take(content)
    client.start(NAME, content)
    client.until(NAME, "running")
    with wait(lambda: socket.create_connection(("127.0.0.1", 8085), 2), what="port 8085 is open") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(2)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        client.stop(NAME)  # the module's side closes first, so its side waits
        while connection.recv(65536):
            pass
    waiting = pathlib.Path("/proc/self/net/tcp").read_text().splitlines()
    assert any(line.split()[1].endswith(":1F95") and line.split()[3] == "06" for line in waiting[1:]), waiting
    client.start(NAME, content)
    wait(lambda: harness.http_get(8085)[0] == 200, what="the next one answers")


def test_a_port_that_policy_or_the_spec_does_not_grant_is_refused(client):
    for port, spec, word in ((7000, {}, "listen tcp 7000"), (8085, {"listen": ["tcp 8086"]}, "wasm.listen")):
        content = listener(port)
        client.take(content)
        client.start(NAME, content, **spec)
        entry = client.until(NAME, "ended")
        assert entry.end == "status" and entry.end_value == 2  # WASI: EACCES
        assert not listens(port)
        refusals = b"".join(os.pread(fd, 65536, 0) for fd in client.ask(LOG, NAME).fds)
        assert str(port).encode() in refusals
        client.stop(NAME)


def test_connections_only_where_the_spec_says(client):
    content = connector(8123)
    client.take(content)
    client.start(NAME, content)
    assert client.until(NAME, "ended").end_value == 2
    refused(errno.EPERM, client.start, NAME, content, connect=["tcp 8123"])  # policy has no connect line


def test_a_busy_port_is_named(client):
    with socket.create_server(("127.0.0.1", 8090)):
        content = listener(8090)
        client.take(content)
        client.ask(SUBSCRIBE)
        client.start(NAME, content)
        entry = client.until(NAME, "ended")
        assert entry.end_value == 3  # WASI: EADDRINUSE
        assert any("8090" in event.end_text and "in use" in event.end_text for event in client.events), client.events
    client.start(NAME, content)
    client.until(NAME, "running")


def test_the_broker_answers_nobody_else(supervisor, client):
    question = struct.pack("<IIBBH16sI", 2, 1, 6, 4, 8085, socket.inet_aton("127.0.0.1"), 8)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.bind("")
        stranger.settimeout(0.5)
        stranger.sendto(question, str(supervisor.run / "broker.sock"))  # root may send; it is no workload
        client.list()
        with pytest.raises(TimeoutError):
            stranger.recv(64)
    assert not listens(8085)
    assert (supervisor.run / "broker.sock").stat().st_mode & 0o777 == 0o700 & ~0o077
    pid = os.fork()
    if pid == 0:
        privileged.become(1899999998)()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
            try:
                agent.sendto(question, str(supervisor.run / "broker.sock"))
            except PermissionError:
                os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


# -- holds, purge, policy ----------------------------------------------------------------------------------------------

def test_a_hold_stays_over_everything_the_agent_can_do(supervisor, client, running):
    done = supervisor.verb_run("stop", NAME)
    assert done.returncode == 0 and str(running.pid) in done.stdout, done
    assert not alive(running.pid)
    assert client.list()[NAME].state == "held"
    assert (supervisor.state / "log" / f"{FILE}.0").exists()  # a stop by hand is no removal
    assert "piccolo start" in refused(errno.EBUSY, client.start, NAME, SLEEPER)
    client.stop(NAME)
    refused(errno.EBUSY, client.start, NAME, SLEEPER)
    supervisor.crash()
    client = supervisor.start()
    assert client.list()[NAME].state == "held"
    refused(errno.EBUSY, client.start, NAME, SLEEPER)
    done = supervisor.verb_run("start", NAME)
    assert done.returncode == 0, done
    assert NAME not in client.list()  # nothing was known of it any more but the hold
    client.start(NAME, SLEEPER)
    client.until(NAME, "running")
    assert supervisor.verb_run("start", NAME).returncode == 1


def test_a_released_workload_is_ended_not_forgotten(supervisor, client, running):
    client.ask(HOLD, NAME)
    client.ask(SUBSCRIBE)
    client.ask(RELEASE, NAME)
    assert client.list()[NAME].state == "ended"
    assert [event.state for event in client.events] == ["ended"]


def test_a_hold_of_something_unknown(supervisor, client):
    client.ask(HOLD, "not/yet")
    assert client.list()["not/yet"].state == "held"
    client.take(SLEEPER)
    refused(errno.EBUSY, client.start, "not/yet", SLEEPER)
    client.ask(RELEASE, "not/yet")
    assert client.list() == {}


def test_purge_leaves_nothing(supervisor, client, running):
    client.take(b"another")
    client.start("b/held", SLEEPER)
    client.ask(HOLD, "b/held")
    client.ask(PURGE)
    assert not alive(running.pid) and supervisor.processes() == set() and supervisor.workload_cgroups() == []
    assert client.list() == {}
    assert supervisor.files() == ["run/broker.sock", "run/ledger", "run/supervisor.sock"]
    client.take(SLEEPER)
    client.start(NAME, SLEEPER)  # and it goes on
    client.until(NAME, "running")


def test_purge_without_a_supervisor(supervisor, client, running):
    supervisor.crash()
    assert alive(running.pid)
    done = supervisor.verb_run("purge")
    assert done.returncode == 0, done
    assert not alive(running.pid)
    assert supervisor.files() == [] and supervisor.cgroups() == []
    supervisor.start()


def test_policy_is_read_again_on_demand_and_a_bad_one_is_not_taken(supervisor, client):
    client.take(SLEEPER)
    before = client.ask(SUBSCRIBE).text
    assert len(before) == 64
    supervisor.policy.write_text("nonsense\n")
    assert "policy.conf:1" in refused(errno.EINVAL, client.ask, RELOAD)
    assert client.ask(SUBSCRIBE).text == before
    supervisor.policy.write_text("listen tcp 1\n")
    client.ask(RELOAD)
    assert client.ask(SUBSCRIBE).text != before
    assert "allow wasm" in refused(errno.EPERM, client.start, NAME, SLEEPER)
    supervisor.policy.write_text(privileged.POLICY)
    os.kill(supervisor.pid, signal.SIGHUP)
    wait(lambda: client.ask(SUBSCRIBE).text == before, what="the policy is the first one again")
    client.start(NAME, SLEEPER)


def test_a_policy_that_others_can_write_is_not_obeyed(supervisor, client):
    client.take(SLEEPER)
    for spoil in (lambda path: path.chmod(0o666), lambda path: os.chown(path, 1234, 0)):
        supervisor.policy.write_text(privileged.POLICY)
        spoil(supervisor.policy)
        assert "chown root" in refused(errno.EPERM, client.ask, RELOAD)
        supervisor.policy.unlink()
    refused(errno.ENOENT, client.ask, RELOAD)
    supervisor.crash()
    client = supervisor.start()  # without any: it serves, and nothing starts
    assert "policy" in refused(errno.EPERM, client.start, NAME, SLEEPER)
    assert "policy" in refused(errno.EPERM, client.take, b"more")
    supervisor.policy.write_text(privileged.POLICY)


# -- crashes -----------------------------------------------------------------------------------------------------------

def same(a, b):
    return (a.pid, a.pid_start, a.user, a.digest, a.spec_digest, a.started, a.restarts, a.state) == (
        b.pid, b.pid_start, b.user, b.digest, b.spec_digest, b.started, b.restarts, b.state)


def test_workloads_outlive_a_killed_supervisor_and_are_taken_over(supervisor, client):
    content = listener(8085)
    client.take(content)
    client.start(NAME, content)
    running = client.until(NAME, "running")
    wait(lambda: listens(8085), what="port 8085 is open")
    supervisor.crash()
    assert alive(running.pid) and listens(8085)
    client = supervisor.start()
    assert same(client.list()[NAME], running)
    assert listens(8085)
    os.kill(running.pid, signal.SIGKILL)
    ended = client.until(NAME, "ended")
    assert (ended.end, ended.end_value) == ("signal", 9)


def test_an_adopted_runner_gets_sockets_from_the_new_supervisor(supervisor, client):
    """Asks for its port only when the former supervisor is gone: 3 s after its start."""
    content = module("""(local $fd i32) (local $r i32)
      (i32.store (i32.const 1040) (i32.const 1)) (i64.store (i32.const 1048) (i64.const 3000000000))
      (drop (call $poll (i32.const 1024) (i32.const 1100) (i32.const 1) (i32.const 1200)))
      (local.set $fd (call $socket (i32.const 2)))
      (local.set $r (call $bind (local.get $fd) (i32.const 16) (i32.const 8087)))
      (if (i32.eqz (local.get $r)) (then (local.set $r (call $listen (local.get $fd) (i32.const 8)))))
      (if (local.get $r) (then (call $exit (local.get $r))))
      (call $sleep)""")
    client.take(content)
    client.start(NAME, content)
    running = client.until(NAME, "running")
    supervisor.crash()
    client = supervisor.start()
    assert same(client.list()[NAME], running)
    wait(lambda: listens(8087), 15, "port 8087 is open")


def test_an_end_that_no_supervisor_saw_is_known_from_the_note(supervisor, client):
    content = module("""(i32.store (i32.const 1040) (i32.const 1)) (i64.store (i32.const 1048) (i64.const 700000000))
      (drop (call $poll (i32.const 1024) (i32.const 1100) (i32.const 1) (i32.const 1200))) (call $exit (i32.const 5))""")
    client.take(content)
    client.take(SLEEPER)
    client.start(NAME, content)
    client.start("a/killed", SLEEPER)
    pid, killed = client.until(NAME, "running").pid, client.until("a/killed", "running").pid
    supervisor.crash()
    os.kill(killed, signal.SIGKILL)
    wait(lambda: not alive(pid) and not alive(killed), what="both have ended")
    client = supervisor.start()
    entry = client.list()[NAME]
    assert (entry.state, entry.end, entry.end_value) == ("ended", "status", 5)
    assert client.list()["a/killed"].end == "unknown"
    assert supervisor.workload_cgroups() == []


def test_an_end_that_was_seen_stays_known(supervisor, client, running):
    os.kill(running.pid, signal.SIGKILL)
    ended = client.until(NAME, "ended")
    supervisor.crash()
    again = supervisor.start().list()[NAME]
    assert (again.state, again.end, again.end_value, again.ended) == ("ended", "signal", 9, ended.ended)


def test_all_killed_at_once_leaves_nothing_over(supervisor, client):
    client.take(SLEEPER)
    for i in range(5):
        client.start(f"a/w{i}", SLEEPER)
    pids = [client.until(f"a/w{i}", "running").pid for i in range(5)]
    for pid in [supervisor.pid, *pids]:
        os.kill(pid, signal.SIGKILL)
    supervisor.crash()
    client = supervisor.start()
    assert {entry.state for entry in client.list().values()} == {"ended"} and len(client.list()) == 5
    assert supervisor.processes() == set() and supervisor.workload_cgroups() == []
    client.start("a/w0", SLEEPER)
    assert client.until("a/w0", "running").restarts == 1


def test_a_process_the_ledger_does_not_know_is_ended(supervisor, client, running):
    supervisor.crash()
    (supervisor.run / "ledger").unlink()
    client = supervisor.start()
    wait(lambda: not alive(running.pid), what="the unknown one is gone")
    wait(lambda: client.list() == {}, what="nothing is listed")
    assert supervisor.workload_cgroups() == []


@pytest.mark.parametrize("damage", [lambda raw: raw[:100], lambda raw: b"", lambda raw: bytes(len(raw)),
                                    lambda raw: raw + b"x", lambda raw: raw[:-400] + b"\xff" * 400])
def test_a_damaged_ledger_is_not_believed(supervisor, client, running, damage):
    supervisor.crash()
    ledger = supervisor.run / "ledger"
    ledger.write_bytes(damage(ledger.read_bytes()))
    client = supervisor.start()
    wait(lambda: not alive(running.pid), what="what cannot be known is ended")
    wait(lambda: client.list() == {}, what="nothing is listed")


def test_a_reused_pid_is_not_mistaken(supervisor, client, running):
    """The ledger names a process that lives, but its start time is another one."""
    supervisor.crash()
    os.kill(running.pid, signal.SIGKILL)
    wait(lambda: not alive(running.pid), what="it is gone")
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        ledger = supervisor.run / "ledger"
        raw = ledger.read_bytes()
        start = struct.pack("<Q", running.pid_start)
        assert raw.count(struct.pack("<i", running.pid) + bytes(4) + start) == 1
        ledger.write_bytes(raw.replace(struct.pack("<i", running.pid) + bytes(4) + start,
                                       struct.pack("<i", stranger.pid) + bytes(4) + start))
        client = supervisor.start()
        assert client.list()[NAME].state == "ended"
        assert stranger.poll() is None
        # and one whose start time fits, but which is in another cgroup
        supervisor.crash()
        raw = ledger.read_bytes()
        entry = bytearray(raw[-privileged.ENTRY_FORM.size:])
        struct.pack_into("<I", entry, 208, 2)
        struct.pack_into("<i4xQ", entry, 216, stranger.pid, privileged.start_time(stranger.pid))
        ledger.write_bytes(raw[:-len(entry)] + bytes(entry))
        client = supervisor.start()
        assert client.list()[NAME].state == "ended"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_one_in_the_cgroup_of_another_supervisor_is_ended(supervisor, client, running):
    """As a unit leaves it to somebody's terminal: it could not be limited there, and must not run twice."""
    supervisor.crash()
    for path in supervisor.cgroups():
        if path.endswith(FILE):
            pathlib.Path(path).parent.parent.joinpath("cgroup.procs").write_text(str(running.pid))
    assert supervisor.processes() == set()
    client = supervisor.start()
    client.until(NAME, "ended")
    assert not alive(running.pid)


def test_a_wrong_start_time_is_another_process(supervisor, client, running):
    """In the right cgroup, even: it is nobody the ledger knows, so it ends."""
    supervisor.crash()
    ledger = supervisor.run / "ledger"
    raw = ledger.read_bytes()
    ledger.write_bytes(raw.replace(struct.pack("<Q", running.pid_start), struct.pack("<Q", running.pid_start - 1)))
    client = supervisor.start()
    entry = client.until(NAME, "ended")
    assert entry.end == "unknown" and not alive(running.pid)


def test_a_stop_that_a_crash_interrupted_is_carried_on(supervisor, client, running):
    supervisor.crash()
    ledger = supervisor.run / "ledger"
    raw = bytearray(ledger.read_bytes())
    struct.pack_into("<I", raw, len(raw) - privileged.ENTRY_FORM.size + 208, 3)  # STOPPING
    ledger.write_bytes(bytes(raw))
    client = supervisor.start()
    assert client.until(NAME, "ended").end is None
    assert not alive(running.pid)


def test_replaced_in_place_it_keeps_its_children(supervisor, client, running):
    os.kill(supervisor.pid, signal.SIGUSR2)
    wait(lambda: "replaced-in-place" in supervisor.tail(50), what="it says so")
    client.close()
    client = supervisor.client = wait(supervisor.connect, what="it answers again")
    assert same(client.list()[NAME], running)
    assert int(privileged.status_of(running.pid)["PPid"]) == supervisor.pid
    os.kill(running.pid, signal.SIGKILL)
    assert client.until(NAME, "ended").end == "signal"
    assert not os.path.exists(f"/proc/{running.pid}")  # and reaps them


def test_a_term_leaves_workloads_running(supervisor, client, running):
    supervisor.kill(signal.SIGTERM)
    assert supervisor.process.returncode == 0
    assert alive(running.pid)
    client = supervisor.start()
    assert same(client.list()[NAME], running)


def test_two_supervisors_do_not_share_a_run_folder(supervisor, client, running):
    second = Supervisor(supervisor.folder)
    second.log = supervisor.folder / "second.log"
    second.launch(*second.command("supervise"))
    assert second.process.wait(20 * harness.SLOW) == 1
    assert "another supervisor" in second.tail()
    assert client.list()[NAME].state == "running"


def test_random_kills(supervisor, client):
    """Operations and kill -9 in random order: what the ledger says is true, nothing is twice, nothing is left over."""
    import random

    seed = int(os.environ.get("PICCOLO_SEED", random.randrange(1 << 32)))
    rounds = int(os.environ.get("PICCOLO_ROUNDS", "150"))
    print(f"PICCOLO_SEED={seed} PICCOLO_ROUNDS={rounds}")
    chance = random.Random(seed)
    names = [f"r/w{i}" for i in range(4)]
    short = module("(call $exit (i32.const 3))")
    client.take(SLEEPER), client.take(short)
    for _ in range(rounds):
        name = chance.choice(names)
        move = chance.choice(["start", "start", "start", "short", "stop", "kill", "hold", "release", "crash", "late crash"])
        try:
            if move == "start":
                client.start(name, SLEEPER)
            elif move == "short":
                client.start(name, short)
            elif move == "stop":
                client.stop(name)
            elif move == "kill":
                entry = client.list().get(name)
                if entry and entry.pid > 0:
                    os.kill(entry.pid, signal.SIGKILL)
            elif move == "hold":
                client.ask(HOLD, name)
            elif move == "release":
                client.ask(RELEASE, name)
            else:
                if move == "late crash":  # in the middle of something
                    operation = chance.choice([START, STOP, HOLD])
                    spec = wasm_spec() if operation == START else b""
                    client.send(operation, name, "wasm" if operation == START else "",
                                sha256(SLEEPER) if operation == START else b"", spec=spec)
                    end = time.monotonic() + chance.random() * 0.004
                    while time.monotonic() < end:
                        pass
                supervisor.crash()
                client = supervisor.start()
        except Refused as failure:
            assert failure.code in (errno.EEXIST, errno.EBUSY, errno.ENOENT), failure
        except ProcessLookupError:
            pass
    def truth():
        entries = client.list()
        live = {entry.pid for entry in entries.values() if entry.state in ("starting", "running")}
        settled = all(entry.state in ("running", "ended", "held") for entry in entries.values())
        users = [entry.user for entry in entries.values() if entry.user]
        assert settled, entries
        assert supervisor.processes() == live, (supervisor.processes(), entries)
        assert supervisor.workload_cgroups() == sorted(e.name.replace("/", "~") for e in entries.values() if e.pid > 0)
        assert len(users) == len(set(users))
        assert all(alive(pid) for pid in live)
        return True
    wait(truth, what="the ledger is true")
    for name in names:
        client.ask(HOLD, name), client.ask(RELEASE, name), client.stop(name)
    assert client.list() == {} and supervisor.processes() == set() and supervisor.workload_cgroups() == []
    assert [path for path in supervisor.files() if "r~w" in path] == []


# -- the edge ----------------------------------------------------------------------------------------------------------

GARBAGE = {
    "nothing like it": b"\xff" * 300,
    "short": pack(LIST)[:100],
    "one byte": b"x",
    "another version": pack(LIST, version=privileged.VERSION + 1),
    "no operation": pack(0),
    "unknown operation": pack(14),
    "between the ranges": pack(64),
    "beyond": pack(69),
    "huge operation": pack(0xffffffff),
    "flags": pack(LIST, flags=1),
    "a spec that is not wanted": pack(LIST, spec=b"x"),
    "a spec that is not there": pack(START, NAME, "wasm", spec_size=100),
    "a spec that is larger than said": pack(START, NAME, "wasm", spec=b"xx", spec_size=1),
    "a spec beyond its room": pack(START, NAME, "wasm", spec=b"x" * 12289),
    "longer than anything": pack(START, NAME, "wasm", spec=b"x" * 60000),
    "no name": pack(STOP),
    "a name that climbs": pack(STOP, "../x"),
    "a name with a slash": pack(STOP, "a/b/c"),
    "a name with a wave": pack(STOP, "a~b/c"),
    "an upper-case name": pack(STOP, "A/b"),
    "a name without end": pack(STOP, "a" * 64 + "/b"),
    "a component without end": pack(START, "a/" + "b" * 64, "wasm"),
    "a type without end": pack(START, NAME, "w" * 16),
    "a type that climbs": pack(START, NAME, "../wasm"),
    "a take without a file": pack(TAKE, size=1),
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_closes_the_connection_and_nothing_else(supervisor, client, running, raw):
    with Client(supervisor.run) as bad:
        bad.socket.send(raw)
        with pytest.raises(ConnectionResetError):
            bad.receive()
    assert client.list()[NAME].pid == running.pid


def test_descriptors_nobody_asked_for_are_closed(supervisor, client):
    count = lambda: len(os.listdir(f"/proc/{supervisor.pid}/fd"))  # noqa: E731
    client.list()
    before = count()
    for operation, number in ((LIST, 1), (TAKE, 2), (TAKE, 4), (TAKE, 60), (STAMP, 3)):
        with Client(supervisor.run) as bad:
            fds = array.array("i", [os.open("/dev/null", os.O_RDONLY)] * number)
            bad.socket.sendmsg([pack(operation, size=1)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            os.close(fds[0])
            with pytest.raises(ConnectionResetError):
                bad.receive()
    wait(lambda: count() == before, what="as many descriptors as before")


def test_descriptors_do_not_leak_over_lives(supervisor, client):
    client.take(SLEEPER)
    counts = []
    for _ in range(12):
        client.start(NAME, SLEEPER)
        client.until(NAME, "running")
        client.stop(NAME)
        counts.append(len(os.listdir(f"/proc/{supervisor.pid}/fd")))
    assert len(set(counts)) == 1, counts


def as_user(user, call, *groups):
    """What `call` returns in a process of that user, or the name of what it raised."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            privileged.become(user, *groups)()
            said = repr(call())
        except BaseException as failure:
            said = type(failure).__name__
        os.write(write_end, said.encode())
        os._exit(0)
    os.close(write_end)
    said = os.read(read_end, 4096).decode()
    os.close(read_end), os.waitpid(pid, 0)
    return said


def test_only_root_and_the_agent_may_connect(supervisor, client, running):
    def look():
        with Client(supervisor.run) as mine:
            return len(mine.list())

    def destroy():
        with Client(supervisor.run) as mine:
            try:
                mine.ask(PURGE)
            except Refused as failure:
                return failure.code

    assert as_user(1899999998, look) == "1"
    assert as_user(1899999998, destroy) == str(errno.EPERM)
    for user in (1899999997, running.user, 65534):
        assert as_user(user, look) == "PermissionError", user
    # a member of the agent's group gets through the file's mode, and no further
    assert as_user(65534, look, 1899999998) in ("ConnectionResetError", "BrokenPipeError")
    assert alive(running.pid)


def test_connections_are_few_and_a_silent_reader_harms_nobody(supervisor, client):
    client.take(SLEEPER)
    client.start(NAME, SLEEPER)
    with Client(supervisor.run) as silent:
        silent.ask(SUBSCRIBE)
        for _ in range(600):  # more than its buffer takes, never read
            client.ask(HOLD, "x/y"), client.ask(RELEASE, "x/y")
        assert client.list()[NAME].state in ("starting", "running")
        with pytest.raises(ConnectionResetError):
            while True:
                silent.receive()
    many, refused_ones = [], 0
    for _ in range(30):
        many.append(Client(supervisor.run))
        try:
            many[-1].list()
        except (ConnectionResetError, BrokenPipeError):
            refused_ones += 1
    assert client.list()
    assert refused_ones == 30 - 15
    for each in many:
        each.close()
    assert wait(lambda: Client(supervisor.run).list(), what="there is room again")


def test_folders_that_others_can_write_are_refused(work):
    for spoil in (lambda path: path.chmod(0o777), lambda path: os.chown(path, 1234, 0)):
        for which in ("state", "run"):
            s = Supervisor(work / "open")
            folder = s.folder / which
            folder.mkdir(exist_ok=True)
            spoil(folder)
            s.launch(*s.command("supervise"))
            assert s.process.wait(20 * harness.SLOW) == 1
            assert f"{folder} must belong to root" in s.tail()
            os.chown(folder, 0, 0), folder.chmod(0o755)


def test_it_says_so_when_it_is_not_root(work):
    piccolo = harness.program_for_anybody("piccolo", work)
    done = subprocess.run([piccolo, "supervise", "--run-dir", work / "x", "--state", work / "y"],
                          preexec_fn=privileged.become(65534), capture_output=True, text=True)
    assert done.returncode == 1 and "root" in done.stderr, done


def test_idle_it_does_not_wake_up(supervisor, client, running):
    def switches(pid):
        return sum(int(privileged.status_of(pid)[key]) for key in ("voluntary_ctxt_switches",
                                                                  "nonvoluntary_ctxt_switches"))
    def both():
        return switches(supervisor.pid), switches(running.pid)

    def quiet():
        before = both()
        time.sleep(3)  # the measurement itself
        return both() == before
    client.list()
    # a periodic wake-up shows in each window; a late page or a message under way only in the first
    assert any(quiet() for _ in range(3))
