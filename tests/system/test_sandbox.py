"""What a running module's process is, in the kernel's own words: nothing of root, nothing of the machine."""

import hashlib
import os
import pathlib
import subprocess

import pytest

import harness
import privileged
from harness import alive
from privileged import Supervisor, module

NAME = "tiny-app/wasm-module"
SLEEPER = module(privileged.SLEEPER)


@pytest.fixture
def supervisor(work):
    with Supervisor(work / "s", privileged.POLICY + f"folder {work}/data read-only\nfolder {work}/out writable\n") as s:
        yield s


@pytest.fixture
def running(supervisor):
    supervisor.client.take(SLEEPER)
    supervisor.client.start(NAME, SLEEPER)
    return supervisor.client.until(NAME, "running")


def test_no_privileges(running):
    status = privileged.status_of(running.pid)
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[key], 16) == 0, key
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split() == [str(running.user)] * 4
    assert status["Gid"].split() == [str(running.user)] * 4
    assert status["Groups"].strip() == ""
    assert status["Threads"] == "1"
    assert int(status["SigBlk"], 16) == 0
    limits = pathlib.Path(f"/proc/{running.pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")] == [["0", "0"]]


def test_an_empty_root(running):
    root = f"/proc/{running.pid}/root"
    assert os.listdir(root) == []
    assert os.statvfs(root).f_flag & os.ST_RDONLY
    assert os.path.samefile(f"/proc/{running.pid}/cwd", root)  # its name is another one for a test in a chroot
    mounts = pathlib.Path(f"/proc/{running.pid}/mountinfo").read_text().splitlines()
    assert len(mounts) == 1 and " / / ro," in mounts[0] and " - tmpfs " in mounts[0], mounts


EXPECTED = {
    0: "/dev/null", 1: "/dev/null", 2: "/dev/null",
    3: "socket:",     # the broker
    4: "store/{digest}",
    5: "log/tiny-app~wasm-module.0", 6: "log/tiny-app~wasm-module.1",
    7: "w/tiny-app~wasm-module/end",
}


def descriptors(pid):
    folder = f"/proc/{pid}/fd"
    return {int(fd): os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def test_only_the_descriptors_of_the_list(running):
    found = descriptors(running.pid)
    assert set(found) == set(EXPECTED), found
    for fd, end in EXPECTED.items():
        end = end.format(digest=running.digest.hex())
        assert found[fd].startswith(end) if end == "socket:" else found[fd].endswith(end), (fd, found[fd])
    flags = {fd: int(pathlib.Path(f"/proc/{running.pid}/fdinfo/{fd}").read_text().split("flags:\t")[1].split()[0], 8)
             for fd in found}
    assert flags[4] & os.O_ACCMODE == os.O_RDONLY  # the store's copy cannot be written through it
    assert flags[5] & os.O_APPEND and flags[6] & os.O_APPEND


def test_a_granted_folder_is_one_more_descriptor_without_a_way_up(supervisor, work):
    (work / "data").mkdir()
    (work / "out").mkdir()
    (work / "data" / "file").write_text("x")
    client = supervisor.client
    client.take(SLEEPER)
    client.start(NAME, SLEEPER, folders=[("/data", f"{work}/data", False), ("/out", f"{work}/out", True)])
    running = client.until(NAME, "running")
    found = descriptors(running.pid)
    assert set(found) == set(EXPECTED) | {8, 9}
    # a mount of its own: what the process sees above it is itself
    for fd in (8, 9):
        assert os.path.samefile(f"/proc/{running.pid}/fd/{fd}", f"/proc/{running.pid}/fd/{fd}/..")
    assert os.statvfs(f"/proc/{running.pid}/fd/8").f_flag & os.ST_RDONLY
    assert not os.statvfs(f"/proc/{running.pid}/fd/9").f_flag & os.ST_RDONLY
    for fd in (8, 9):
        assert os.statvfs(f"/proc/{running.pid}/fd/{fd}").f_flag & (os.ST_NOSUID | os.ST_NODEV) == os.ST_NOSUID | os.ST_NODEV
    client.stop(NAME)
    assert (work / "data" / "file").read_text() == "x"


def test_its_own_session_and_cgroup(supervisor, running):
    assert os.getsid(running.pid) == running.pid
    lines = pathlib.Path(f"/proc/{running.pid}/cgroup").read_text()
    assert f"/{supervisor.base}/tiny-app~wasm-module\n" in lines
    for line in lines.splitlines():
        controllers = line.split(":")[1]
        if controllers in ("memory", "pids"):
            assert line.endswith(f"/{supervisor.base}/tiny-app~wasm-module"), line


def test_the_supervisor_has_no_file_of_a_workload_open(supervisor, running):
    kinds = sorted(descriptors(supervisor.pid).values())
    assert not [path for path in kinds if "store/" in path or ".0" in path or path.endswith("/end")], kinds


def test_a_stranger_cannot_signal_or_trace_it(running):
    done = subprocess.run(["sh", "-c", f"kill -9 {running.pid}; cat /proc/{running.pid}/maps"],
                          preexec_fn=privileged.become(running.user - 1), capture_output=True, text=True)
    assert done.returncode != 0 and alive(running.pid)
    # nor can one of the same number: not dumpable
    done = subprocess.run(["cat", f"/proc/{running.pid}/maps"], preexec_fn=privileged.become(running.user),
                          capture_output=True, text=True)
    assert done.returncode != 0, done


class Chrooted(Supervisor):
    """A supervisor in a bare root, with or without the bind mount that pivot_root needs."""

    def __init__(self, folder, root, bind):
        super().__init__(folder)
        program = folder / "piccolo"
        program.write_bytes((harness.BIN / "piccolo").read_bytes())
        program.chmod(0o755)
        (root / "t").mkdir(parents=True, exist_ok=True)
        places = [place for place in ("usr", "bin", "lib", "lib64", "etc", "dev", "proc", "sys") if os.path.isdir(f"/{place}")]
        for place in places:
            (root / place).mkdir(exist_ok=True)
        mounts = "".join(f"mount --rbind /{place} {root}/{place}\n" for place in places)
        self.under = ["unshare", "-m", "--propagation", "private", "sh", "-ec", f"""
            {f"mount --bind {root} {root}" if bind else ""}
            {mounts}
            mount --bind {folder} {root}/t
            exec chroot {root} "$@" """, "sh"]

    def command(self, *verb):
        inside = [str(part).replace(str(self.folder), "/t") for part in super().command(*verb)]
        return ["/t/piccolo", *inside[1:]]

    def verb_run(self, *verb):
        return harness.run(*self.under, *self.command(*verb), check=False)

    @property
    def base(self):
        return f"piccolo-{hashlib.sha256(b'/t/run').hexdigest()[:12]}"


def test_in_a_chroot_whose_root_is_a_mount(work):
    """The bare root of a new machine."""
    with Chrooted(work / "c", work / "root", bind=True) as s:
        s.client.take(SLEEPER)
        s.client.start(NAME, SLEEPER)
        entry = s.client.until(NAME, "running")
        assert os.listdir(f"/proc/{entry.pid}/root") == []
        assert "ok       empty root" in s.verb_run("check").stdout


def test_in_a_plain_chroot_the_remedy_is_told(work):
    with Chrooted(work / "c", work / "root", bind=False) as s:
        with pytest.raises(privileged.Refused) as failure:
            s.client.take(SLEEPER)
        assert "bind-mount" in failure.value.text
        done = s.verb_run("check")
        assert done.returncode == 1 and "bind-mount" in done.stdout, done
