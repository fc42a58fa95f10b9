"""What earlier runs left behind: whoever is killed cleans up nothing, and a failed run keeps its folder for a reader.
The next run takes away what is ours and has no owner any more."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import time

FOLDER = re.compile(r"pic(colo)?-[a-z-]+-[A-Za-z0-9_]{6,8}")  # of system tests and of unit tests
CGROUP = re.compile(r"piccolo-([0-9a-f]{12}|(test|unit)-[0-9]+)")
CGROUP_ROOT = pathlib.Path("/sys/fs/cgroup")
READ_FOR = 3600  # a folder may be read for an hour after its last change
NEW_FOR = 60  # a supervisor makes its cgroup first and takes hold of it then


def hold(folder):
    """Marks a folder as somebody's for as long as this process or a child of it lives."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def is_held(folder):
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(fd)


def words_of_processes():
    """Every path that a process has open, works in or was started with."""
    words = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words += (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        for link in ("cwd", "root"):
            with contextlib.suppress(OSError):
                words.append(os.readlink(process / link))
        with contextlib.suppress(OSError):
            for fd in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    words.append(os.readlink(fd))
    return "\n".join(words) + "\n" + pathlib.Path("/proc/self/mountinfo").read_text()


def sweep_folders(place, older_than=READ_FOR):
    words, gone = words_of_processes(), []
    for folder in place.iterdir():
        with contextlib.suppress(OSError):  # somebody else was faster
            facts = folder.lstat()
            if (FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink() and
                    facts.st_uid == os.geteuid() and time.time() - facts.st_mtime >= older_than and
                    str(folder) not in words and not is_held(folder)):
                shutil.rmtree(folder)
                gone.append(folder)
    return gone


def is_empty(cgroup):
    return all(not pathlib.Path(inner, "cgroup.procs").read_text().split() for inner, _, _ in os.walk(cgroup))


def sweep_cgroups(older_than=NEW_FOR, pattern=CGROUP):
    """One name stands for a folder in each tree; its supervisor holds one of them."""
    found, gone = {}, []
    for inner, folders, _ in os.walk(CGROUP_ROOT):
        for name in [name for name in folders if pattern.fullmatch(name)]:
            found.setdefault(name, []).append(pathlib.Path(inner, name))
            folders.remove(name)
    for folders in found.values():
        with contextlib.suppress(OSError):
            if any(time.time() - each.stat().st_ctime < older_than or is_held(each) or not is_empty(each)
                   for each in folders):
                continue
            for each in folders:
                for inner, _, _ in os.walk(each, topdown=False):
                    os.rmdir(inner)
                gone.append(each)
    return gone


def sweep(place):
    sweep_cgroups()
    sweep_folders(pathlib.Path(place))
