"""The supervisor's protocol (src/protocol/supervisor.h) from Python, a supervisor to speak it with, modules to run."""

import array
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess

import harness
from harness import Program, wait

VERSION = 2
(SUBSCRIBE, LIST, STAMP, TAKE, HAS, DROP, START, STOP, LOG, TICKET, REVOKE, UPLINK, METRICS) = range(1, 14)
(HOLD, RELEASE, PURGE, RELOAD) = range(65, 69)
REPLY, ENTRY, EVENT, BINDING = 1, 2, 3, 4
TO_REPLACE = 1  # flag of STOP
STATES = {0: "gone", 1: "starting", 2: "running", 3: "stopping", 4: "ended", 5: "held"}
ENDS = {0: None, 1: "status", 2: "trap", 3: "signal", 4: "memory", 5: "invalid", 6: "unknown", 7: "lease",
        8: "rolled-back", 9: "missing"}

HEAD = struct.Struct("<IIQ64s64s16s32sQII")
ENTRY_FORM = struct.Struct("<64s64s16s32s32sIIi4xQqqq16sIIi200s120s4xQQ")
BINDING_FORM = struct.Struct("<16s64s64s16s32s32sIIqq")
MESSAGE = struct.Struct("<IIQiIq16s400s")
assert HEAD.size == 208 and ENTRY_FORM.size == 624 and BINDING_FORM.size == 248 and MESSAGE.size == 448

POLICY = """allow wasm
users 1900000000-1900000999
listen tcp 8000-8999
listen udp 8000-8999
memory-max 128M
artifact-max 1M
store-max 4M
log-max 64k
workloads-max 20
processes-max 4
"""


def text(raw):
    return raw.split(b"\0", 1)[0].decode()


class Entry:
    def __init__(self, raw):
        (instance, component, kind, self.digest, self.spec_digest, state, self.user, self.pid, self.pid_start,
         self.started, self.ended, self.lease, self.approval, self.restarts, end, self.end_value, end_text,
         evidence, self.memory, self.cpu_us) = ENTRY_FORM.unpack(raw)
        self.name = f"{text(instance)}/{text(component)}"
        self.type, self.state, self.end, self.end_text = text(kind), STATES[state], ENDS[end], text(end_text)
        self.evidence = text(evidence)

    def __repr__(self):
        return f"<{self.name} {self.state} pid {self.pid} {self.end} {self.end_text!r}>"


class Binding:
    def __init__(self, raw):
        (self.approval, instance, component, kind, self.digest, self.terms, self.grants, state, self.bound,
         self.end) = BINDING_FORM.unpack(raw[:BINDING_FORM.size])
        self.name, self.type = f"{text(instance)}/{text(component)}", text(kind)
        self.state = {1: "open", 2: "closed"}[state]

    def __repr__(self):
        return f"<{self.approval.hex()} {self.name} {self.state} until {self.end}>"


class Message:
    def __init__(self, raw, fds):
        assert len(raw) == MESSAGE.size + ENTRY_FORM.size, len(raw)
        version, self.kind, self.id, self.status, _, self.value, self.stamp, said = MESSAGE.unpack_from(raw)
        assert version == VERSION
        self.text, self.fds = text(said), fds
        body = raw[MESSAGE.size:]
        self.binding = Binding(body) if self.kind == BINDING else None
        self.entry = Entry(body) if any(body) and not self.binding else None


class Refused(AssertionError):
    def __init__(self, message):
        super().__init__(f"{os.strerror(-message.status)}: {message.text}")
        self.code, self.text = -message.status, message.text


def pack(operation, name=None, type="", digest=b"", size=0, spec=b"", id=1, version=VERSION, flags=0, spec_size=None):
    instance, component = (name or "/").split("/", 1)
    return HEAD.pack(version, operation, id, instance.encode(), component.encode(), type.encode(), digest, size, flags,
                     len(spec) if spec_size is None else spec_size) + spec


@contextlib.contextmanager
def acting_as(user):
    """None: as we are. Who connected is what the kernel tells the other side, also later."""
    if user is not None:
        os.setegid(user)
        os.seteuid(user)
    try:
        yield
    finally:
        if user is not None:
            os.seteuid(0)
            os.setegid(0)


class Client:
    """One connection."""

    def __init__(self, run, seconds=10, user=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(seconds * harness.SLOW)
        with acting_as(user):
            self.socket.connect(str(pathlib.Path(run) / "supervisor.sock"))
        self.last, self.events, self.early, self.news = 0, [], {}, []

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def receive(self):
        raw, ancillary, flags, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        if not raw:
            raise ConnectionResetError("the supervisor closed the connection")
        assert not flags & socket.MSG_TRUNC
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data)
        return Message(raw, list(fds))

    def send(self, operation, *args, fd=None, **more):
        self.last += 1
        raw = pack(operation, *args, id=self.last, **more)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
        self.socket.sendmsg([raw], rights)
        return self.last

    def answer(self, id):
        """The reply to that request; entries before it are in its `entries`, events are kept."""
        entries, bindings = [], []
        while id not in self.early:
            message = self.receive()
            if message.kind == EVENT:
                self.events.append(message.entry)
            elif message.kind == ENTRY:
                entries.append(message.entry)
            elif message.kind == BINDING:
                (bindings if message.id else self.news).append(message.binding)
            else:
                self.early[message.id] = message  # replies come in any order
        message = self.early.pop(id)
        message.entries, message.bindings = entries, bindings
        if message.status < 0:
            raise Refused(message)
        return message

    def ask(self, operation, *args, **more):
        return self.answer(self.send(operation, *args, **more))

    def list(self):
        reply = self.ask(LIST)
        assert reply.value == len(reply.entries)
        return {entry.name: entry for entry in reply.entries}

    def bindings(self):
        return {(binding.approval, binding.name): binding for binding in self.ask(LIST).bindings}

    def take(self, content, digest=None, size=None):
        with memory_file(content) as fd:
            return self.ask(TAKE, digest=digest or sha256(content), size=len(content) if size is None else size, fd=fd)

    def start(self, name, module, **spec):
        return self.ask(START, name, "wasm", sha256(module), spec=wasm_spec(**spec))

    def stop(self, name):
        return self.ask(STOP, name)

    def until(self, name, *states, seconds=10):
        """Waits until the ledger says so; the entry."""
        def look():
            entry = self.list().get(name)
            return entry if entry and entry.state in states else None
        return wait(look, seconds, f"{name} is {' or '.join(states)}")


def sha256(content):
    return hashlib.sha256(content).digest()


@contextlib.contextmanager
def memory_file(content):
    fd = os.memfd_create("artifact")
    try:
        os.write(fd, content)
        yield fd
    finally:
        os.close(fd)


def ports(text):
    """"tcp 8085 127.0.0.1" or "udp 8000-8010" as struct pic_policy_ports."""
    transport, numbers, *address = text.split()
    first, _, last = numbers.partition("-")
    network = bytes(18)
    if address:
        six = ":" in address[0]
        raw = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address[0])
        network = struct.pack("BB16s", 6 if six else 4, 128 if six else 32, raw)
    return struct.pack("<BxHH18sI", {"tcp": 6, "udp": 17}[transport], int(first), int(last or first), network, 0)


def wasm_spec(memory=8 << 20, folders=(), listen=(), connect=(), args=(), env=(), restart=0):
    """struct pic_wasm_spec (src/workload/wasm/spec.h)."""
    places = b"".join(struct.pack("128s256s??", guest.encode(), host.encode(), writable, False)
                      for guest, host, writable in folders)
    texts = b"".join(each.encode() + b"\0" for each in (*args, *env))
    spec = struct.pack("<IIQI", 1, restart, memory, len(folders)) + places.ljust(8 * 386, b"\0")
    for declared in (listen, connect):
        spec += struct.pack("<I", len(declared)) + b"".join(map(ports, declared)).ljust(8 * 28, b"\0")
    spec += struct.pack("<III", len(args), len(env), len(texts)) + texts.ljust(4096, b"\0")
    assert len(spec) == 7672
    return spec


def wat(source):
    """A module out of its text form, by wabt."""
    done = subprocess.run(["wat2wasm", "-", "--output=-"], input=source.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


IMPORTS = """
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "sock_bind" (func $bind (param i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "sock_listen" (func $listen (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
 (memory (export "memory") 1 2000)
 (data (i32.const 64) "hello from inside\\n")
 (data (i32.const 128) "\\7f\\00\\00\\01")          ;; 127.0.0.1
 (func $sleep (local $i i32)                          ;; an hour on the monotonic clock, again and again
  (i32.store (i32.const 1040) (i32.const 1))
  (i64.store (i32.const 1048) (i64.const 3600000000000))
  (loop $again (drop (call $poll (i32.const 1024) (i32.const 1100) (i32.const 1) (i32.const 1200))) (br $again)))
 (func $say
  (i32.store (i32.const 0) (i32.const 64))
  (i32.store (i32.const 4) (i32.const 18))
  (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
 (func $socket (param $type i32) (result i32)
  (i32.store (i32.const 16) (i32.const 128))
  (i32.store (i32.const 20) (i32.const 4))
  (drop (call $open (i32.const 1) (local.get $type) (i32.const 24)))
  (i32.load (i32.const 24)))
"""


def module(body):
    return wat(f"(module {IMPORTS} (func (export \"_start\") {body}))")


SLEEPER = "(call $say) (call $sleep)"


def listener(port):
    """Listens on 127.0.0.1:port; its exit status is the errno when that fails."""
    return module(f"""(local $fd i32) (local $r i32)
      (local.set $fd (call $socket (i32.const 2)))
      (local.set $r (call $bind (local.get $fd) (i32.const 16) (i32.const {port})))
      (if (i32.eqz (local.get $r)) (then (local.set $r (call $listen (local.get $fd) (i32.const 8)))))
      (if (local.get $r) (then (call $exit (local.get $r))))
      (call $sleep)""")


def connector(port):
    return module(f"""(local $fd i32)
      (local.set $fd (call $socket (i32.const 2)))
      (call $exit (call $connect (local.get $fd) (i32.const 16) (i32.const {port})))""")


class Supervisor(Program):
    """`piccolo supervise` with folders of its own."""

    def __init__(self, folder, policy=POLICY, *options, under=()):
        folder = pathlib.Path(folder)
        super().__init__(folder / "supervisor.log")
        self.folder, self.state, self.run, self.policy = folder, folder / "state", folder / "run", folder / "policy.conf"
        self.options, self.under = options, under
        folder.mkdir(parents=True, exist_ok=True)
        self.policy.write_text(policy)
        self.client = None

    @property
    def verb(self):
        return ["supervise"]

    def command(self, *verb):
        return [harness.BIN / "piccolo", *verb, "--state", self.state, "--run-dir", self.run, "--policy", self.policy,
                "--user", "1899999998", *self.options]

    def start(self):
        self.launch(*self.under, *self.command(*self.verb))
        self.client = wait(self.connect, 10, f"the supervisor answers (log: {self.log})")
        return self.client

    def connect(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the supervisor ended with {self.process.returncode}:\n{self.tail()}")
        client = Client(self.run)
        client.list()  # a socket that a dying child still holds takes connections, but never answers
        return client

    def verb_run(self, *verb):
        return harness.run(*self.command(*verb), check=False)

    def crash(self):
        self.kill(signal.SIGKILL)
        self.client.close()

    def purge(self):
        with contextlib.suppress(AssertionError):
            self.kill(signal.SIGTERM)
        done = self.verb_run("purge")
        assert done.returncode == 0, done.stdout + done.stderr

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.client:
            self.client.close()
        self.purge()
        assert not self.cgroups(), f"cgroups stayed: {self.cgroups()}"
        assert not self.processes(), f"processes stayed: {self.processes()}"
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def base(self):
        """Name of its cgroup folder."""
        return f"piccolo-{hashlib.sha256(os.path.realpath(self.run).encode()).hexdigest()[:12]}"

    def cgroups(self):
        found = subprocess.run(["find", "/sys/fs/cgroup", "-path", f"*/{self.base}*", "-type", "d"],
                               capture_output=True, text=True).stdout.split()
        return sorted(found)

    def workload_cgroups(self):
        return sorted({pathlib.Path(path).name for path in self.cgroups() if "~" in pathlib.Path(path).name})

    def processes(self):
        """Every process in its cgroups."""
        pids = set()
        for path in self.cgroups():
            with contextlib.suppress(OSError):
                pids |= {int(pid) for pid in pathlib.Path(path, "cgroup.procs").read_text().split()}
        return pids

    def files(self):
        """Every file and socket below its two folders."""
        return sorted(str(path.relative_to(self.folder)) for top in (self.state, self.run) for path in top.rglob("*")
                      if not path.is_dir())


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def start_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


def become(user, *groups):
    """For preexec_fn: that user and nothing more."""
    def change():
        os.setgroups(list(groups))
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    return change

