"""Tests of a whole machine: QEMU, a real kernel, a real disk, Ignition. As private as the system tests (their conftest makes
it so). Slow: `tools/test vm` runs them, nothing else does.

PICCOLO_DIST says where the system extension lies (tools/dist --only sysext), PICCOLO_CUTS how often the power is cut."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "tests/system"
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(SYSTEM)]

import harness  # noqa: E402

IMAGE = ROOT / "build/vm/image"


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("the machine's disk is made as root: sudo tools/test vm")
    for program in ("qemu-system-x86_64", "mmdebstrap"):
        if not shutil.which(program):
            raise pytest.UsageError(f"{program} is missing: tools/setup vm")
    if config.option.collectonly:
        return
    subprocess.run([ROOT / "image/vm/make", IMAGE], check=True)  # here, where the network is that of this machine
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    spec = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
    system = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(system)
    system.enter_own_machine()


@pytest.fixture(scope="session")
def image():
    return IMAGE


@pytest.fixture(scope="session")
def extension():
    """The system extension that was made for handing out."""
    found = sorted(pathlib.Path(os.environ.get("PICCOLO_DIST", ROOT / "build/dist")).glob("piccolo-*-x86-64.raw"))
    assert found, "no piccolo-*-x86-64.raw; tools/dist --only sysext makes it"
    return found[-1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return harness.walkable(tmp_path_factory.mktemp("vm"))
