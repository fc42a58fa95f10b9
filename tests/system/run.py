#!/usr/bin/python3
"""Runs the files of system tests, several at the same time: they wait more than they compute. Each file is a pytest of its
own in a private machine of its own (conftest.py), so all that two of them share is the kernel. A file says so itself:

    ALONE = "why"       nothing else runs at the same time
    APART = "kernel"    no other file with the same word runs at the same time

    run.py [--jobs N] [--seconds N] [--counts FILE] [--slowest N] [-k EXPRESSION] [FILE...]

What a file says is printed when it has ended. Ends as pytest does: 0 all passed, 1 not, 2 interrupted, 5 no test fits."""

import argparse
import ast
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--no-header", "-q"]
GOOD, FAILED, INTERRUPTED, NOTHING = 0, 1, 2, 5  # of pytest
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)  # each ends the run
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)

# What takes longest begins first, so that no worker is left with it at the end; the others follow by name. After each run
# the times are printed: put a file here that takes more than 30 s. (What has a word in APART is longer together.)
LONGEST = ("test_ebpf", "test_leases", "test_campaigns", "test_ebpf_supervised", "test_agent_faults", "test_story_permission",
           "test_kubectl", "test_tickets", "test_approvals", "test_offline", "test_hub_devices")


class Over(BaseException):
    """No file is started any more; raised by a signal."""


def marks(file):
    """ALONE and APART of a file, which is not imported; of one that cannot be read pytest says why."""
    try:
        tree = ast.parse(file.read_text())
    except SyntaxError:
        return {}
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id in ("ALONE", "APART"):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def die_with_the_runner():
    """Then the namespaces of the file are ended (conftest.py), and its cleaner does its work."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class File:
    """One file of tests, and what came of it."""

    def __init__(self, path):
        self.path = path
        found = marks(path)
        self.alone, self.apart = found.get("ALONE"), found.get("APART")
        self.process, self.passed, self.failed, self.skipped, self.cases = None, 0, 0, 0, []

    def may_run_with(self, others):
        if any(other.alone for other in others) or self.alone and others:
            return False
        return not self.apart or all(other.apart != self.apart for other in others)

    def start(self, folder, more):
        self.out = folder / f"{self.path.stem}.out"
        self.report = folder / f"{self.path.stem}.xml"
        self.began = time.monotonic()
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([*PYTEST, f"--junitxml={self.report}", *more, str(self.path)],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                            env={**os.environ, "PICCOLO_SWEPT": "yes"}, preexec_fn=die_with_the_runner)

    def end(self, status, stopped):
        """The file has ended: counts, and shows what it said."""
        self.seconds = time.monotonic() - self.began
        with contextlib.suppress(OSError, xml.etree.ElementTree.ParseError):
            for case in xml.etree.ElementTree.parse(self.report).iter("testcase"):
                self.count(case)
        print(f"\n-- {self.path.name} ({self.seconds:.0f} s)", flush=True)
        said = self.out.read_bytes().splitlines(keepends=True)
        sys.stdout.buffer.writelines(line for line in said if b"- generated xml file: " not in line)  # an older pytest's
        if status not in (GOOD, NOTHING) and not self.failed and not stopped:
            self.failed = 1  # it could not even begin, or died
            print(f"\n{self.path.name} ended with status {status} and no test that failed")
        sys.stdout.flush()

    def count(self, case):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            self.failed += 1
        elif "skipped" in kinds:
            self.skipped += 1
        else:
            self.passed += 1
        self.cases.append((float(case.get("time", 0)), f"{self.path.name}::{case.get('name')}"))


def selected(files, expression):
    """The files that have a test which fits."""
    done = subprocess.run([*PYTEST, "--collect-only", "-k", expression, *map(str, files)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode == NOTHING:
        return []
    if done.returncode != GOOD:
        sys.exit(f"{done.stdout}{done.stderr}")
    names = {pathlib.Path(line.split("::")[0]).name for line in done.stdout.splitlines() if "::" in line}
    return [file for file in files if file.name in names]


class Runner:
    def __init__(self, jobs, folder, more):
        self.jobs, self.folder, self.more = jobs, folder, more
        self.running, self.stopped = [], False

    def run(self, files):
        """Greedy: whoever is free takes the first file that may run now. What must be alone comes last."""
        waiting = sorted(files, key=lambda file: bool(file.alone))
        while waiting or self.running:
            for file in [*waiting]:
                if len(self.running) < self.jobs and file.may_run_with(self.running):
                    waiting.remove(file)
                    file.start(self.folder, self.more)
                    self.running.append(file)
            self.reap()

    def reap(self):
        pid, status = os.wait()
        for file in [file for file in self.running if file.process.pid == pid]:
            file.process.returncode = os.waitstatus_to_exitcode(status)
            self.running.remove(file)
            file.end(file.process.returncode, self.stopped)

    def stop(self, gently):
        """The terminal's Ctrl-C has reached the files as well: they tell where they were, and clean up."""
        self.stopped = True
        try:
            signal.alarm(20 if gently else 0)
            if not gently:
                raise Over
            self.finish()
        except Over:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            for file in self.running:
                file.process.terminate()
            self.finish()

    def finish(self):
        while self.running:
            self.reap()


def over(number, _):
    raise Over(number)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=0, help="so many files at the same time; 0: as the machine allows")
    parser.add_argument("--seconds", type=int, default=2400, help="what takes longer is ended")
    parser.add_argument("--counts", help="a file for the numbers of passed, failed and skipped tests")
    parser.add_argument("--slowest", type=int, default=0, help="how many of the slowest tests to name at the end")
    parser.add_argument("-k", default="", help="which tests, as pytest takes it")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    return parser.parse_args()


def in_order(paths):
    place = {name: number for number, name in enumerate(LONGEST)}
    return sorted(paths, key=lambda path: (place.get(path.stem, len(place)), path.name))


def sweep():
    """What earlier runs left, once and not by each file: to a neighbour it may be somebody's in a moment."""
    sys.path.insert(0, str(HERE))
    import leftovers

    leftovers.sweep(tempfile.gettempdir())


def main(asked):
    paths = in_order(asked.files or HERE.glob("test_*.py"))
    if asked.k:
        paths = selected(paths, asked.k)
    if not paths:
        return NOTHING
    sweep()
    files = [File(path) for path in paths]
    ended = ""
    for number in SIGNALS:
        signal.signal(number, over)
    signal.alarm(asked.seconds)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="piccolo-run-") as folder:
        runner = Runner(asked.jobs or os.cpu_count() + 2, pathlib.Path(folder), ["-k", asked.k] if asked.k else [])
        try:
            runner.run(files)
        except Over as why:
            ended = f"ended after {time.monotonic() - began:.0f} s, before all had run"
            runner.stop(gently=why.args == (signal.SIGINT,))
    return summarize(files, asked, time.monotonic() - began, ended)


def summarize(files, asked, seconds, ended):
    passed, failed, skipped = (sum(getattr(file, what) for file in files) for what in ("passed", "failed", "skipped"))
    if ended:
        print(f"\nsystem tests: {ended}", file=sys.stderr)
    cases = sorted((case for file in files for case in file.cases), reverse=True)
    for took, name in cases[:asked.slowest]:
        print(f"{took:8.2f} s  {name}")
    print(f"\n{passed + failed + skipped} tests of {len(files)} files in {seconds:.0f} s", flush=True)
    if asked.counts:
        pathlib.Path(asked.counts).write_text(f"{passed} {failed} {skipped}\n")
    return INTERRUPTED if ended else FAILED if failed else GOOD if passed + skipped else NOTHING


if __name__ == "__main__":
    sys.exit(main(arguments()))
