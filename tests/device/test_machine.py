"""The machine that the other tests boot does what they rely on."""

import subprocess

import pytest

from machine import Machine


@pytest.fixture(scope="module")
def box(place):
    with Machine(place) as machine:
        yield machine.boot()


def test_it_is_a_machine_of_its_own(box):
    assert box.state() == "running", box.run("systemctl", "--failed").stdout
    assert box.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert box.run("id", "-u", user="nobody").stdout == "65534\n"
    assert box.show("systemd-journald.service", "ActiveState") == {"ActiveState": "active"}


def test_files_go_in_and_entries_come_out(box):
    box.write("/etc/hello", "hello\n")
    box.write("/run/hello", "mounted inside\n")
    assert box.run("cat", "/etc/hello", "/run/hello").stdout == "hello\nmounted inside\n"
    box.run("logger", "-t", "hello", "world")
    assert [entry["MESSAGE"] for entry in box.journal("-t", "hello")] == ["world"]


def test_it_reboots_loses_power_and_ends(box):
    box.write("/var/kept", "")
    box.reboot()
    assert not box.path("/run/hello").exists()
    box.run("test", "-e", "/var/kept")
    box.cut()
    assert not box.runs() and not box.cgroup.exists()
    box.boot()
    box.run("test", "-e", "/var/kept")
    box.poweroff()
    assert not box.runs() and not box.cgroup.exists()
    with pytest.raises(AssertionError, match="does not run"):
        box.run("true")
    assert not subprocess.run(["pgrep", "-f", str(box.root)], capture_output=True).stdout
