"""Tests of the device on a real system: Debian's systemd in a machine of its own (machine.py). The run is as private as that
of the system tests, whose conftest makes it so; /run, where systemd-nspawn keeps its notes, is ours as well."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

SYSTEM = pathlib.Path(__file__).parents[1] / "system"
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(SYSTEM)]

import harness  # noqa: E402
import machine  # noqa: E402


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("device tests boot machines: run them as root (sudo tools/test device)")
    for program in ("systemd-nspawn", "mmdebstrap"):
        if not shutil.which(program):
            raise pytest.UsageError(f"{program} is missing: tools/setup device")
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    if config.option.collectonly:
        return
    machine.sweep()
    machine.tree()  # here, where the network is that of this machine
    if not os.path.basename(tempfile.gettempdir()).startswith("piccolo-test-"):
        system_conftest().enter_own_machine()
    subprocess.run(["mount", "-t", "tmpfs", "run", "/run"], check=True)


def system_conftest():
    spec = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for one file of tests."""
    return harness.walkable(tmp_path_factory.mktemp("machine"))
