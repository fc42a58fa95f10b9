"""`piccolo wasm run`: modules of C, Go and Rust in the foreground, and the sample server under odd clients."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

import harness

PICCOLO = harness.BIN / "piccolo"
MODULES = harness.ROOT / "tests" / "modules"


def module(name):
    path = harness.SAMPLES / f"{name}.wasm"
    assert path.exists(), f"{path} is not built"
    return path


def run(path, *flags, arguments=(), **more):
    return subprocess.run([PICCOLO, "wasm", "run", path, *flags, "--", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=30 * harness.SLOW, **more)


@contextlib.contextmanager
def server(*flags, port=None, path=None):
    """The sample server, listening."""
    port = port or harness.free_port()
    process = subprocess.Popen([PICCOLO, "wasm", "run", path or harness.MODULE, "--listen", f"127.0.0.1:{port}",
                                "--listen", f"0.0.0.0:{port}", *flags, "--", str(port)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        harness.wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close() or True, 10, "the module listens")
        yield port, process
        assert process.poll() is None, f"it ended by itself: {process.stdout.read()}"
    finally:
        process.terminate()
        process.communicate(timeout=5 * harness.SLOW)


def child_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def talk(port, data, timeout=3):
    """Sends bytes, answers everything that comes until the other side closes or is quiet."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(data)
        connection.settimeout(0.5 * harness.SLOW)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
        return answer


def test_arguments_environment_and_status():
    done = run(module("test-hello"), "--env", "WHO=you", arguments=("a", "b c"))
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["hello you", "argument 0: test-hello", "argument 1: a", "argument 2: b c",
                                        "standard input: empty"]
    assert done.stderr == "to standard error\n"
    assert run(module("test-exit"), arguments=("7",)).returncode == 7


def test_a_trap_names_its_function():
    done = run(module("test-trap"), arguments=("memory",))
    assert done.returncode == 134
    assert done.stderr == f"piccolo: {module('test-trap')}: ended: trap: out of bounds memory access in read_far_away\n"


def test_what_cannot_run_says_why():
    done = run(module("test-missing"))
    assert done.returncode == 1
    assert "env.open_the_pod_bay_doors" in done.stderr
    done = run(harness.ROOT / "LICENSE")
    assert done.returncode == 1
    assert done.stderr.startswith(f"piccolo: {harness.ROOT / 'LICENSE'}: cannot run: it is no WebAssembly module"), done.stderr
    done = run("/nowhere/x.wasm")
    assert done.returncode == 1
    assert "/nowhere/x.wasm" in done.stderr
    done = run(module("test-hello"), "--listen", "eighty")
    assert done.returncode == 2
    assert "--listen" in done.stderr and "eighty" in done.stderr
    done = run(module("test-hello"), "--dir", "/d:/nowhere")
    assert done.returncode == 1
    assert "/nowhere" in done.stderr


def test_files(tmp_path):
    (tmp_path / "file").write_text("inside\n")
    files = module("test-files")
    assert run(files, "--dir", f"/d:{tmp_path}", arguments=("read", "/d/file")).stdout == "inside\n"
    done = run(files, "--dir", f"/d:{tmp_path}", arguments=("read", "/d/../../etc/passwd"))
    assert done.returncode == 1 and "root" not in done.stdout
    assert "Read-only" in run(files, "--dir", f"/d:{tmp_path}", arguments=("write", "/d/new", "x")).stdout
    assert run(files, "--dir", f"/d:{tmp_path}:rw", arguments=("write", "/d/new", "x")).returncode == 0
    assert (tmp_path / "new").read_text() == "x"
    done = run(files, "--dir", f"/w:{tmp_path}:rw", arguments=("tour",))
    assert done.returncode == 0 and done.stdout.endswith("tour done\n")


def test_a_memory_limit_is_the_guests_to_handle():
    assert run(module("test-hog"), "--memory", "8M").stdout == "7 megabytes\n"


def test_a_listener_comes_as_descriptor_3(tmp_path):
    (tmp_path / "file").write_text("x")
    port = harness.free_port()
    process = subprocess.Popen([PICCOLO, "wasm", "run", module("test-echo"), "--listen", f"127.0.0.1:{port}",
                                "--dir", f"/d:{tmp_path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    connection = harness.wait(lambda: socket.create_connection(("127.0.0.1", port), 1), 10, "the module listens")
    with connection:
        connection.sendall(b"one ")
        assert connection.recv(100) == b"one "
        connection.sendall(b"two")
        assert connection.recv(100) == b"two"
    output, errors = process.communicate(timeout=10 * harness.SLOW)
    assert (process.returncode, output, errors) == (0, "file found\n", "")


def test_a_port_that_is_not_granted():
    port = harness.free_port()
    done = run(harness.MODULE, "--listen", f"127.0.0.1:{port}", arguments=(str(port + 1),))
    assert done.returncode == 1
    assert "not granted" in done.stderr and str(port + 1) in done.stderr
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(harness.MODULE, "--listen", f"0.0.0.0:{port}", arguments=(str(port),))
        assert done.returncode == 1
        assert "in use" in done.stderr


def test_the_module_has_nothing_but_what_it_was_given():
    with server() as (_, process):
        status = pathlib.Path(f"/proc/{child_of(process.pid)}/status").read_text()
        assert re.search(r"^NoNewPrivs:\s*1$", status, re.M)
        assert re.search(r"^Seccomp:\s*2$", status, re.M)


def test_nothing_is_left_when_it_is_ended():
    with server() as (_, process):
        child = child_of(process.pid)
        process.kill()
        harness.wait(lambda: not harness.alive(child), 5, "the module's process is gone")
        process.poll = lambda: None


def test_go(tmp_path):
    if not shutil.which("go"):
        pytest.skip("no Go compiler on this machine")
    done = subprocess.run(["go", "build", "-o", tmp_path / "go.wasm", MODULES / "hello.go"], capture_output=True, text=True,
                          env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"})
    if done.returncode != 0:
        pytest.skip(f"this Go cannot build for wasip1: {done.stderr.strip()[-200:]}")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "file").write_text("inside")
    done = run(tmp_path / "go.wasm", "--dir", f"/d:{folder}", "--env", "WHO=you", "--memory", "256M", arguments=("a",))
    assert done.stdout.splitlines() == ['go [a] "you" "inside" <nil>', "1 <nil>", "true true"], done.stderr
    assert done.returncode == 5


def test_rust(tmp_path):
    if not shutil.which("rustc"):
        pytest.skip("no Rust compiler on this machine")
    done = subprocess.run(["rustc", "--target", "wasm32-wasip1", "-O", "-o", tmp_path / "rust.wasm", MODULES / "hello.rs"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this Rust cannot build for wasm32-wasip1: {done.stderr.strip()[:200]}")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "file").write_text("inside")
    done = run(tmp_path / "rust.wasm", "--dir", f"/d:{folder}", "--env", "WHO=you", arguments=("a",))
    assert done.stdout.splitlines() == ['rust ["a"] Some("you") Ok("inside")', "1", "Err(ReadOnlyFilesystem)"]
    assert "index out of bounds" in done.stderr
    assert "ended: trap: unreachable in" in done.stderr
    assert done.returncode == 134


def test_the_page(tmp_path):
    with server("--dir", f"/:{tmp_path}") as (port, _):
        status, body = harness.http_get(port)
        assert status == 200
        assert "Web server inside WebAssembly" in body and '<a href="/trace">eBPF traces</a>' in body
        assert 'name="viewport"' in body and "color-scheme:light dark" in body
        assert harness.http_get(port, "/nope")[0] == 404
        assert harness.http_get(port, "/?x=1")[0] == 200


def test_traces_are_shown_escaped_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "trace_pipe")
    with server("--dir", f"/:{tmp_path}") as (port, _):
        page = lambda: harness.http_get(port, "/trace")[1]  # noqa: E731
        assert "Nothing is traced now" in page()
        writer = os.open(tmp_path / "trace_pipe", os.O_RDWR | os.O_NONBLOCK)
        assert "it has said nothing yet" in page()
        os.write(writer, b"packet <script>alert(\"1\")</script> & more\x1b[31m\n")
        shown = "packet &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more?[31m\n"
        assert shown in page() and shown in page(), "the last lines stay"
        for number in range(2000):
            os.write(writer, b"line %d\n" % number)
            assert number % 500 or f"line {number}\n" in page()
        body = page()
        assert shown not in body and "line 1999\n" in body and body.count("line ") > 500
        os.close(writer)
        assert "Nothing is traced now" in page(), "as long as somebody writes"
    with server() as (port, _):
        assert "Nothing is traced now" in harness.http_get(port, "/trace")[1]


@pytest.mark.parametrize("request_bytes", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET / HTTP/1.1\n\n\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n",
    b"GET /a b HTTP/1.1\r\n\r\n", b"get / HTTP/1.1\r\n\r\n", b"GET http://x/ HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"A" * 5000,
])
def test_odd_requests_are_refused(request_bytes):
    with server() as (port, _):
        answer = talk(port, request_bytes)
        assert answer.startswith(b"HTTP/1.1 400 ") or answer == b"", answer[:100]
        assert b"Connection: close" in answer or answer == b""
        assert harness.http_get(port)[0] == 200


def test_keep_alive_pipelining_and_slow_clients():
    get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with server() as (port, _):
        assert talk(port, get * 5).count(b"HTTP/1.1 200 OK") == 5
        assert talk(port, b"GET / HTTP/1.0\r\n\r\n").count(b"Connection: close") == 1
        assert talk(port, b"GET / HTTP/1.1\r\ncoNNection:  CLOSE\r\n\r\n" + get).count(b"HTTP/1.1 ") == 1
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for byte in get:  # a byte at a time
                connection.sendall(bytes([byte]))
            assert connection.recv(20).startswith(b"HTTP/1.1 200")


def test_many_connections_and_one_that_does_not_read():
    with server() as (port, _), contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        deaf.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(20000):
                deaf.send(b"GET / HTTP/1.1\r\n\r\n" * 50)
        crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 3)) for _ in range(120)]
        for connection in crowd:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert all(connection.recv(15) == b"HTTP/1.1 200 OK" for connection in crowd)
        for connection in crowd[:60]:  # gone without a word
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        assert harness.http_get(port)[0] == 200
