"""`piccolo wasm inspect` against another implementation's verdict (wabt's wasm-validate), on damaged copies of the
sample; and what the copies that are still valid do when they run.

The usual run takes 200 mutants; PICCOLO_FULL=1 takes 2,000, half of them still valid."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import harness
from wasm_mutants import mutants, without_custom_sections

FULL = os.environ.get("PICCOLO_FULL") == "1"
EACH = 1000 if FULL else 100  # as many valid ones as invalid ones
RUNS = 1000 if FULL else 30
SEED = 20261124
ASAN = harness.ROOT / "build" / "asan" / "bin" / "piccolo"
PICCOLO = harness.BIN / "piccolo"


def wabt_says(path):
    """True, or what is wrong. Its defaults: everything of WebAssembly 2.0, SIMD among them, nothing newer."""
    done = subprocess.run(["wasm-validate", path], capture_output=True, text=True, timeout=20)
    return True if done.returncode == 0 else (done.stderr.splitlines() or ["no reason"])[0]


def we_say(path):
    done = subprocess.run([PICCOLO, "wasm", "inspect", path, "-o", "json"], capture_output=True, timeout=20 * harness.SLOW)
    assert done.returncode in (0, 1), f"inspect ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"
    assert done.stderr == b"", done.stderr.decode(errors="replace")[-2000:]
    report = json.loads(done.stdout)
    assert report["runnable"] == (done.returncode == 0)
    assert report["valid"] or report["reason"], report
    return report


def leaves_a_block_open(path):
    """By wabt's own disassembly: some function has fewer `end` than it opened blocks. The specification wants each
    closed; wasm-validate 1.0.32 looks at the last byte of the function alone."""
    text = subprocess.run(["wasm-objdump", "-d", path], capture_output=True, text=True, timeout=20).stdout
    depth = 0
    for line in text.splitlines():
        if re.match(r"[0-9a-f]+ func\[", line):
            if depth > 0:
                return True
            depth = 1
        elif instruction := re.match(r" [0-9a-f]+: [0-9a-f ]+\|\s*(\S+)", line):
            depth += {"block": 1, "loop": 1, "if": 1, "end": -1}.get(instruction[1], 0)
    return depth > 0


def explanation(data, wabt, report, scratch):
    """Why the two may differ, or None. Each is proved on the bytes, not believed."""
    if report["valid"]:
        # The specification ignores damage inside custom sections; wasm-validate reads their names.
        bare = without_custom_sections(data)
        if bare is not None and bare != data:
            scratch.write_bytes(bare)
            if wabt_says(scratch) is True:
                return "damage in a custom section, which the specification ignores"
        return None
    reason = report["reason"]
    if "SIMD" in reason or "unsupported opcode fd" in reason:
        return "SIMD, which wasm-validate knows and this engine is built without"
    if "invalid UTF-8 encoding" in reason and b"\0" in data:
        return "a NUL in a name: allowed by the specification, not by the engine"
    if "unbalanced control flow" in reason:
        scratch.write_bytes(data)
        if leaves_a_block_open(scratch):
            return "a block that nobody closes, which wasm-validate does not see"
    return None


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """(valid mutants, differences by explanation, unexplained ones)"""
    if not shutil.which("wasm-validate"):
        pytest.fail("wasm-validate is missing; tools/setup installs the package wabt")
    folder = tmp_path_factory.mktemp("mutants")
    original = harness.MODULE.read_bytes()
    valid, wanted = [], {True: EACH, False: EACH}
    explained, unexplained = {}, []
    for number, data in enumerate(mutants(original, SEED)):
        if not wanted[True] and not wanted[False]:
            break
        path = folder / f"{number}.wasm"
        path.write_bytes(data)
        wabt = wabt_says(path)
        if not wanted[wabt is True]:
            path.unlink()
            continue
        wanted[wabt is True] -= 1
        report = we_say(path)
        if report["valid"] and wabt is True:
            valid.append(path)
        if report["valid"] == (wabt is True):
            continue
        why = explanation(data, wabt, report, folder / "scratch.wasm")
        if why:
            explained.setdefault(why, []).append(number)
        else:
            unexplained.append((number, wabt, report.get("reason")))
    return valid, explained, unexplained


def test_the_sample_itself_is_valid_and_runs_here():
    assert wabt_says(harness.MODULE) is True
    report = we_say(harness.MODULE)
    assert report["valid"] and report["runnable"]
    assert report["dialect"] == "preview1+wasmedge"
    assert all(one["served"] for one in report["imports"])


def test_the_verdict_is_that_of_wasm_validate(verdicts):
    valid, explained, unexplained = verdicts
    for why, numbers in explained.items():
        print(f"{len(numbers)} of {2 * EACH} differ: {why}")
    assert not unexplained, f"{len(unexplained)} of {2 * EACH} differ and nobody knows why: {unexplained[:5]}"
    assert sum(map(len, explained.values())) <= 2 * EACH // 20
    assert len(valid) >= EACH * 9 // 10


def ended(process, within):
    try:
        output, _ = process.communicate(timeout=within)
        return output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError(f"still there {within} s after it was told to end: {process.args}") from None


def run_once(program, path, port):
    """Starts the module, asks it for a page when it listens, tells it to end."""
    process = subprocess.Popen([program, "wasm", "run", path, "--listen", f"127.0.0.1:{port}", "--memory", "16M", "--", str(port)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    end = time.monotonic() + 1.5
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.3) as connection:
                connection.settimeout(0.3)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /trace HTTP/1.1\r\n\r\nbad\r\n\r\n")
                connection.recv(65536)
            break
        except OSError:
            time.sleep(0.02)
    told = process.poll() is None
    if told:
        process.terminate()
    output = ended(process, 5 * harness.SLOW)
    return process.returncode, told, output.decode(errors="replace")


def test_valid_mutants_run_without_harm(verdicts):
    """With the sanitizers where such a build is there: no crash, no hang; a trap or a status is the module's own."""
    program = PICCOLO if "asan" in harness.BUILD.name or not ASAN.exists() else ASAN
    print(f"run by {program.relative_to(harness.ROOT) if program.is_relative_to(harness.ROOT) else program}")
    port = harness.free_port()
    for path in verdicts[0][:RUNS]:
        status, told, output = run_once(program, path, port)
        assert "Sanitizer" not in output and "runtime error" not in output, f"{path}:\n{output[-4000:]}"
        if told and status == -signal.SIGTERM:
            continue
        assert 0 <= status <= 134, f"{path} ended with {status}:\n{output[-2000:]}"


@pytest.mark.parametrize("verb", [("ebpf", "inspect"), ("ebpf", "run"), ("wasm", "inspect"), ("wasm", "run")])
def test_a_sentence_names_its_file_once_and_nothing_raw(tmp_path, verb):
    """A file that is not there, and one that is nothing, with a name that would colour a terminal."""
    odd = tmp_path / "a\x1b[31mb.o"
    odd.write_bytes(b"\x7fELF no object, no module")
    for name, shown in ((tmp_path / "nope.o", "nope.o"), (odd, "a\\x1b[31mb.o")):
        done = subprocess.run([PICCOLO, *verb, name], capture_output=True, timeout=20 * harness.SLOW)
        said = done.stderr.decode()
        assert done.returncode != 0 and b"\x1b" not in done.stdout + done.stderr, done
        if not done.stdout:  # else it is a report, which has its own form
            assert said.startswith("piccolo: ") and said.count("\n") == 1 and said.count(shown) == 1, said
