"""What the sample's process is on a device as a newcomer has it: nothing of root, nothing of the machine. (What the
supervisor does for each property of a workload is in test_sandbox.py.)"""

import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

import harness
from harness import SAMPLES, USERS, component, server, wait


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The sample, deployed from its YAML by kubectl, on the shipped policy."""
    work = harness.walkable(tmp_path_factory.mktemp("process"))
    with harness.Hub(work / "hub") as hub, harness.Device(work / "device", hub=hub) as device:
        device.join()
        device.start_apart()
        hub.push()
        hub.kubectl("apply", "-f", harness.TINY_APP)
        yield hub, device, device.serves()


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_it_has_no_privileges(world):
    _, device, pid = world
    status = status_of(pid)
    assert {key: int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
        "CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0}
    assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")


def test_its_user_is_a_number_of_its_own(world):
    _, device, pid = world
    status = status_of(pid)
    user = int(status["Uid"].split()[0])
    assert user in USERS and status["Uid"].split() == status["Gid"].split() == [str(user)] * 4
    assert status["Groups"].strip() == ""
    assert device.component()["evidence"]["user"] == user
    assert sum(folder.stat().st_uid == user for folder in pathlib.Path("/proc").glob("[0-9]*")) == 1


def test_its_root_is_empty_and_read_only(world):
    _, _, pid = world
    root = f"/proc/{pid}/root"
    assert os.listdir(root) == [] and os.path.samefile(f"/proc/{pid}/cwd", root)
    assert not os.path.samefile(root, "/")
    assert os.statvfs(root).f_flag & os.ST_RDONLY
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert len(mounts) == 1, mounts
    assert os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")


def sockets_of_port(port):
    """Inodes of the sockets that listen on a port."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {row[9] for row in fields if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


def test_its_descriptors_are_these_and_no_others(world):
    hub, device, pid = world
    folder = f"/proc/{pid}/fd"
    found = {int(fd): os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    sockets = {fd: re.fullmatch(r"socket:\[(\d+)\]", path)[1] for fd, path in found.items() if path.startswith("socket:")}
    broker, listener = sorted(sockets)
    assert sockets.pop(listener) in sockets_of_port(8085)
    unix = pathlib.Path("/proc/net/unix").read_text()
    assert f" {sockets[broker]}" in unix
    digest = hub.part()["evidence"]["sha256"]
    expected = {0: "/dev/null", 1: "/dev/null", 2: "/dev/null",
                4: f"{device.state}/store/{digest}",
                5: f"{device.state}/log/tiny-app~wasm-module.0", 6: f"{device.state}/log/tiny-app~wasm-module.1",
                7: f"{device.run_dir}/w/tiny-app~wasm-module/end",
                8: "/"}  # the instance's own folder, in place of the kernel's tracing folder that its YAML asks for
    assert {fd: path for fd, path in found.items() if fd not in (broker, listener)} == expected
    assert (broker, listener) == (3, 9)
    # that folder is its own: empty, with no way up
    assert os.listdir(f"{folder}/8") == [] and os.path.samefile(f"{folder}/8", f"{folder}/8/..")
    assert not os.path.exists(f"{folder}/8/trace_pipe")


def test_its_limits_are_set(world):
    _, device, pid = world
    memory = tasks = None
    for path in harness.cgroups_of(device):
        group = pathlib.Path(path)
        assert group.name == "tiny-app~wasm-module" and (group / "cgroup.procs").read_text().split() == [str(pid)]
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (group / name).exists():
                memory = int((group / name).read_text())
        if (group / "pids.max").exists():
            tasks = (group / "pids.max").read_text().strip()
    assert 64 << 20 <= memory <= 96 << 20  # the default of 64 MB for the module, and the runner's own
    assert tasks == "1"
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_its_answer_does_not_wait_for_more(world):
    """Small answers over one connection: Nagle's algorithm together with delayed acknowledgements would cost 40 ms each."""
    with socket.create_connection(("127.0.0.1", 8085), timeout=10) as client:
        began = time.monotonic()
        for _ in range(25):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"</html>\n"):
                part = client.recv(65536)
                assert part, answer
                answer += part
        assert time.monotonic() - began < 0.6 * harness.SLOW


def run_files(world, *arguments, folders=None, name="files"):
    """What test-files prints of the machine, as a component beside the sample."""
    hub, device, pid = world
    hub.push(SAMPLES / "test-files.wasm")
    hub.deploy(component(name, "/artifacts/test-files.wasm", args=" ".join(f"'{part}'" for part in arguments), restart="never",
                         **({"dir": folders} if folders else {})), name="files-app")
    try:
        wait(lambda: (device.component(name, "files-app") or {}).get("phase") in ("Finished", "Failed", "Refused"), 10, "it has run")
        if device.component(name, "files-app")["phase"] == "Refused":
            return device.component(name, "files-app")["message"]
        return device.piccolo("logs", f"files-app/{name}").stdout
    finally:
        hub.ctl("delete", "instance/files-app")
        wait(lambda: device.component(name, "files-app") is None, 10, "it is gone")


@pytest.mark.parametrize("arguments", [("read", "/etc/passwd"), ("read", "../../etc/passwd"), ("list", "/"), ("list", "/proc"),
                                       ("write", "/tmp/x", "text")])
def test_a_module_without_folders_sees_none(world, arguments):
    said = run_files(world, *arguments)
    assert "root:" not in said and arguments[1] + ": " in said, said
    assert re.search("No such file|Bad file|not permitted|Capabilities insufficient|Permission denied|Not capable", said, re.I), said


def test_a_granted_folder_shows_what_is_in_it_and_nothing_beside_it(world, work):
    hub, device, _ = world
    (work / "data").mkdir()
    (work / "secret").write_text("the secret")
    (work / "data" / "plain").write_text("the plain text")
    (work / "data" / "way-out").symlink_to("../secret")
    (work / "data" / "way-up").symlink_to("/")
    before = device.policy.read_text()
    try:
        device.policy.write_text(before + f"folder {work}/data read-only\n")
        device.supervisor.process.send_signal(harness.signal.SIGHUP)
        folders = f"/d:{work}/data"
        wait(lambda: "the plain text" in run_files(world, "read", "/d/plain", folders=folders), 10, "the grant is in force")
        assert " 3 names\n" in run_files(world, "list", "/d", folders=folders)
        for path in ("/d/way-out", "/d/../secret", "/d/way-up/etc/passwd"):
            said = run_files(world, "read", path, folders=folders)
            assert "secret" not in said.replace(path, "") and "root:" not in said, said
        run_files(world, "write", "/d/plain", "other", folders=folders)
        assert (work / "data" / "plain").read_text() == "the plain text"
        assert "for writing" in run_files(world, "write", "/d/plain", "other", folders=folders + ":rw")  # refused, by policy
    finally:
        device.policy.write_text(before)
        device.supervisor.process.send_signal(harness.signal.SIGHUP)


def test_two_modules_are_strangers(world):
    hub, device, pid = world
    hub.deploy(server("other", 8086), name="other-app")
    try:
        other = wait(lambda: device.page(8086) and device.module_pid("other", "other-app"), 10, "the other one runs")
        mine, its = status_of(pid)["Uid"].split()[0], status_of(other)["Uid"].split()[0]
        assert mine != its
        done = subprocess.run(["kill", "-9", str(other)], user=int(mine), group=int(mine), extra_groups=[], capture_output=True)
        assert done.returncode != 0 and harness.alive(other)
        assert os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink(f"/proc/{other}/ns/mnt")
    finally:
        hub.ctl("delete", "instance/other-app")
        wait(lambda: device.component("other", "other-app") is None, 10, "it is gone")
    assert device.module_pid() == pid
