"""One private machine for the whole run: its loopback is nobody else's, no port can collide, and its processes and
mounts are gone with it, however it ends: they live in namespaces whose first process dies with this one."""

import ctypes
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402
import leftovers  # noqa: E402

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("system tests make namespaces, users and cgroups: run them as root (sudo tools/test system)")
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    if not config.option.collectonly:
        enter_own_machine()


def enter_own_machine():
    """Returns in a grandchild. This process waits for it; the child between is the first process of the namespaces
    and reaps what is orphaned there, as an init does; a cleaner outside sees even a SIGKILL of this one."""
    if not os.environ.get("PICCOLO_SWEPT"):  # run.py has
        leftovers.sweep(tempfile.gettempdir())
    tempfile.tempdir = tempfile.mkdtemp(prefix="piccolo-test-")
    os.chmod(tempfile.tempdir, 0o711)
    leftovers.hold(tempfile.tempdir)
    cleaner, pipe = start_cleaner()
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) != 0:
        raise pytest.UsageError(f"no namespaces: {os.strerror(ctypes.get_errno())}")
    make_mounts_private()
    first = os.fork()
    if first:
        attend(first, cleaner, pipe)
    os.close(pipe)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    tests = os.fork()
    if tests:
        reap_until(tests)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def make_mounts_private():
    if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0:
        return
    for line in open("/proc/self/mountinfo"):  # a chroot: its root is no mount
        libc.mount(None, line.split()[4].encode(), None, MS_PRIVATE, None)


def start_cleaner():
    """A process that waits for the end of a pipe; the folder stays for whoever reads logs when no word came before."""
    ours, its = os.pipe()
    cleaner = os.fork()
    if cleaner:
        os.close(ours)
        return cleaner, its
    os.setsid()
    os.close(its)
    for standard in (0, 1, 2):
        os.close(standard)  # who reads the output waits for its end
    passed = os.read(ours, 1)
    harness.wait(lambda: remove_cgroups(pathlib.Path(tempfile.tempdir)), 10, "the control groups are gone")
    if passed:
        shutil.rmtree(tempfile.tempdir)
    os._exit(0)


def remove_cgroups(root):
    """Of every supervisor whose run folder is below `root`; empty once the namespace is gone."""
    for run in root.rglob("run"):
        name = "piccolo-" + hashlib.sha256(str(run).encode()).hexdigest()[:12]
        for folder in pathlib.Path("/sys/fs/cgroup").rglob(name):
            for inner, _, _ in os.walk(folder, topdown=False):
                os.rmdir(inner)
    return True


def attend(first, cleaner, pipe):
    """Ends this process as the tests ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the tests, too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(first, signal.SIGKILL))
    _, status = os.waitpid(first, 0)
    if status == 0:
        os.write(pipe, b".")
    os.close(pipe)
    os.waitpid(cleaner, 0)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def reap_until(tests):
    while True:
        pid, status = os.wait()
        if pid == tests:  # the kernel ends the others with this process
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"skipped: {report.nodeid}: {reason}")


@pytest.fixture(scope="session", autouse=True)
def no_finding_of_a_sanitizer(tmp_path_factory):
    """A daemon that reports one and goes on, or reports a leak when it ends, fails the run as well."""
    yield
    marks = ("Sanitizer", "runtime error:")
    found = [f"{log}: {line}" for log in sorted(tmp_path_factory.getbasetemp().rglob("*.log"))
             for line in log.read_text(errors="replace").splitlines() if any(mark in line for mark in marks)]
    assert not found, "\n".join(found[:20])


@pytest.fixture
def work(tmp_path_factory):
    """A folder whose path other users may walk (the agent is another user)."""
    return harness.walkable(tmp_path_factory.mktemp("piccolo"))


@pytest.fixture
def hub(work):
    with harness.Hub(work / "hub") as running:
        yield running


@pytest.fixture
def device(hub, work):
    """A device `tiny-edge` that has joined `hub`."""
    with harness.Device(work / "device", hub=hub, target="tiny-edge") as running:
        running.join()
        running.start()
        yield running


@pytest.fixture
def apart(hub, work):
    """The same device, its supervisor and agent started apart: what runs outlives both."""
    with harness.Device(work / "device", hub=hub, target="tiny-edge") as running:
        running.join()
        running.start_apart()
        yield running


@pytest.fixture
def deployed(hub, apart):
    """`apart` with the sample running."""
    hub.apply_sample()
    apart.serves()
    harness.wait(lambda: hub.is_ready("tiny-app"), 10, "the instance is Ready")
    return apart
