"""One private network for the whole run: its loopback is nobody else's, no port can collide, and it is gone with
this process even when it is killed."""

import ctypes
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402

CLONE_NEWNET = 0x40000000


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("system tests make namespaces, users and cgroups: run them as root (sudo tools/test system)")
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise pytest.UsageError(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"skipped: {report.nodeid}: {reason}")


@pytest.fixture
def work(tmp_path_factory):
    """A folder whose path other users may walk (the agent is another user)."""
    path = tmp_path_factory.mktemp("piccolo")
    for parent in [path, *path.parents]:
        if str(parent) in ("/", "/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    return path


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
