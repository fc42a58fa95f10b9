"""What a killed run left is taken away by the next one, and nothing that is anybody's."""

import os
import pathlib
import re
import subprocess
import time

import pytest

import leftovers

TREE = next((path for path in (pathlib.Path("/sys/fs/cgroup/unified"), pathlib.Path("/sys/fs/cgroup"))
             if (path / "cgroup.procs").exists()), None)


def test_folders_without_an_owner_go(tmp_path):
    old = time.time() - 2 * leftovers.READ_FOR

    def make(name, changed=old):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "log").write_text("x")
        os.utime(tmp_path / name, (changed, changed))
        return tmp_path / name

    ownerless = [make("piccolo-test-a1b2c3d4"), make("pic-hub-Ab3xYz")]
    kept = [make("piccolo-test-justnow1", time.time()), make("piccolo-demo"), make("something-else-abcdef"),
            make("piccolo-test-heldheld"), make("pic-log-WorkIn"), make("piccolo-run-Opened"), make("piccolo-run-Mount1")]
    (tmp_path / "piccolo-test-linkedto").symlink_to(tmp_path / "piccolo-demo")
    held = leftovers.hold(kept[3])
    working = subprocess.Popen(["sleep", "60"], cwd=kept[4])
    subprocess.run(["mount", "-t", "tmpfs", "none", kept[6] / "inner"], check=True)
    try:
        with open(kept[5] / "inner" / "log"):
            assert sorted(leftovers.sweep_folders(tmp_path)) == sorted(ownerless)
    finally:
        os.close(held)
        working.kill(), working.wait()
        subprocess.run(["umount", kept[6] / "inner"], check=True)
    assert all((path / "inner").is_dir() for path in kept) and not any(path.exists() for path in ownerless)
    assert sorted(leftovers.sweep_folders(tmp_path)) == sorted(kept[3:])


@pytest.mark.skipif(TREE is None, reason="no unified cgroup tree here")
def test_cgroups_without_an_owner_go():
    names = {what: TREE / f"piccolo-{os.urandom(6).hex()}" for what in ("ownerless", "held", "busy")}
    ours = re.compile("|".join(path.name for path in names.values()))
    for path in names.values():
        (path / "tiny-app~wasm-module").mkdir(parents=True)
    sleeper = subprocess.Popen(["sleep", "60"])
    (names["busy"] / "tiny-app~wasm-module" / "cgroup.procs").write_text(str(sleeper.pid))
    held = leftovers.hold(names["held"])
    try:
        assert all(leftovers.CGROUP.fullmatch(path.name) for path in names.values())
        leftovers.sweep_cgroups(pattern=ours)
        assert all(path.exists() for path in names.values()), "new ones may be somebody's in a moment"
        gone = leftovers.sweep_cgroups(older_than=0, pattern=ours)
        assert names["ownerless"] in gone and not names["ownerless"].exists()
        assert names["held"].exists() and names["busy"].exists()
    finally:
        os.close(held)
        sleeper.kill(), sleeper.wait()
        for path in names.values():
            for inner in (path / "tiny-app~wasm-module", path):
                inner.exists() and inner.rmdir()
