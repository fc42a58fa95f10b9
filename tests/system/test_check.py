"""`piccolo check` on machines where something is really wrong: each test takes one thing away and finds it by its number."""

import json
import os
import shlex

import pytest

import harness
from harness import wait

CHECK = ("-o", "json")


class Findings(dict):
    """By code; and how the program ended."""

    def __init__(self, done):
        said = json.loads(done.stdout)
        super().__init__((finding["code"], finding) for finding in said["findings"])
        assert len(self) == len(said["findings"])
        states = [finding["state"] for finding in said["findings"]]
        assert (said["errors"], said["warnings"]) == (states.count("error"), states.count("warning"))
        assert done.returncode == (1 if said["errors"] else 0), done
        for finding in self.values():
            assert finding["message"] and (finding["advice"] or finding["state"] in ("ok", "unseen")), finding

    def state(self, code):
        return self[code]["state"] if code in self else None


def check(device, *more, before=None, env=None):
    """With `before`, a shell's words in mounts of their own that go with the command."""
    command = [harness.BIN / "piccolo", "check", *CHECK, *device.options, *more]
    if before:
        words = " ".join(shlex.quote(str(word)) for word in command)
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c", f"set -e; {before}; exec {words}"]
    return Findings(harness.run(*command, check=False, env=env))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return harness.walkable(tmp_path_factory.mktemp("check"))


@pytest.fixture(scope="module")
def hub(place):
    with harness.Hub(place / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def device(hub, place):
    """Joined and running."""
    with harness.Device(place / "device", hub=hub) as running:
        running.join()
        running.start()
        wait(lambda: running.status()["connection"] == "connected", 10, "connected")
        yield running


@pytest.fixture
def alone(work):
    """A device of which only the files are there."""
    made = harness.Device(work / "alone")
    (made.folder / "piccolo.conf").write_text("")
    return made


# -- as it should be


def test_nothing_is_an_error_on_a_good_device(device):
    found = check(device)
    assert [finding for finding in found.values() if finding["state"] == "error"] == []
    for code in ("P01", "P02", "P03", "P07", "P10", "P11", "P13", "P14", "P15", "P16", "P17", "P19", "P20", "P21", "P22", "P23"):
        assert found.state(code) == "ok", found[code]
    assert found["P21"]["message"] == f"joined {device.hub.url} as tiny-edge"


def test_the_table_is_for_80_columns(device):
    said = device.piccolo("check").stdout.splitlines()
    assert said[0].startswith("P01 ok       kernel        Linux ")
    assert said[-1].startswith("0 errors, ")
    long = [line for line in said if len(line) > 80 and " " in line[27:].strip()]
    assert not long, long


def test_without_root_it_says_what_it_could_not_see(device):
    copy = harness.program_for_anybody("piccolo", device.folder)
    done = harness.run("runuser", "-u", "nobody", "--", copy, "check", *CHECK, *device.options, check=False)
    found = Findings(done)
    for code in ("P02", "P11", "P21"):
        assert found.state(code) == "unseen" and "root" in found[code]["advice"], found[code]
    for code in ("P01", "P03", "P13", "P14", "P16", "P20"):
        assert found.state(code) == "ok", found[code]
    assert not done.stderr


def test_it_changes_nothing(alone):
    """A folder that root makes in the agent's place would be closed to the agent."""
    check(alone)
    assert not alone.state.exists() and not alone.run_dir.exists()
    (alone.state / "agent").mkdir(parents=True)
    check(alone)
    assert list((alone.state / "agent").iterdir()) == []


# -- the kernel's mounts


def test_what_is_not_mounted(alone):
    away = "umount -l /sys/fs/bpf 2>/dev/null || true; umount -l /sys/kernel/tracing 2>/dev/null || true; " \
           "umount -l /sys/kernel/debug 2>/dev/null || true"
    found = check(alone, before=away)
    for code in ("P04", "P05"):
        assert found.state(code) == "ok" and "not mounted" in found[code]["message"], found[code]


def test_no_cgroups_at_all(alone):
    found = check(alone, before="umount -Rl /sys/fs/cgroup")
    assert found.state("P07") == "error" and "no cgroups are mounted" in found["P07"]["message"], found["P07"]


def test_a_missing_memory_controller(alone):
    """Only the tree of version 2, which has no controllers where version 1 has taken them."""
    unified = next(line.split()[1] for line in open("/proc/self/mounts") if line.split()[2] == "cgroup2")
    controllers = open(f"{unified}/cgroup.controllers").read().split()
    if "memory" in controllers:
        pytest.skip("this kernel has its memory controller in version 2")
    bring = f"mkdir -p /tmp/unified; mount --bind {unified} /tmp/unified; umount -Rl /sys/fs/cgroup; " \
            "mount --move /tmp/unified /sys/fs/cgroup"
    found = check(alone, before=bring)
    assert found.state("P07") == "warning" and "cgroups v2 without memory" in found["P07"]["message"], found["P07"]
    assert "Delegate=yes" in found["P07"]["advice"]


def test_no_sys_at_all(alone):
    found = check(alone, before="mount -t tmpfs none /sys")
    assert found.state("P03") == "warning" and found.state("P06") == "unseen", found["P03"]


# -- the disk


def test_a_state_folder_on_a_read_only_disk(device):
    found = check(device, before=f"mount --bind {device.state} {device.state}; mount -o remount,bind,ro {device.state}")
    assert found.state("P13") == "error" and f"{device.state} is read-only" in found["P13"]["message"], found["P13"]


def test_a_state_folder_that_cannot_be_made(alone):
    found = check(alone, before=f"mount --bind {alone.folder} {alone.folder}; mount -o remount,bind,ro {alone.folder}")
    assert found.state("P13") == "error" and "cannot be made" in found["P13"]["message"], found["P13"]


@pytest.mark.parametrize("options, fill, state, words", [
    ("size=2M", "dd if=/dev/zero of=$S/fill bs=64k status=none 2>/dev/null || true", "error", "is full: 0 KB"),
    ("size=8M", "true", "warning", "nearly full: 8 MB"),
    ("size=64M,nr_inodes=20", "for i in $(seq 15); do : >$S/$i; done", "error", "no room for more files"),
    ("size=64M,nr_inodes=200", "true", "warning", "more files only"),
    ("size=64M,nr_inodes=2000", "true", "ok", "64 of 64 MB are free"),
])
def test_room(alone, options, fill, state, words):
    found = check(alone, before=f"S={alone.state}; mkdir -p $S; mount -t tmpfs -o mode=755,{options} none $S; {fill}")
    assert found.state("P14") == state and words in found["P14"]["message"], found["P14"]


def test_folders_that_others_may_write(alone):
    for folder, code in ((alone.state, "P13"), (alone.run_dir, "P15")):
        folder.mkdir(mode=0o755)
        folder.chmod(0o777)
        found = check(alone)
        assert found.state(code) == "error" and "mode 0777" in found[code]["message"], found[code]
        assert f"chmod 0755 {folder}" in found[code]["advice"]
        folder.rmdir()
    alone.state.write_text("")
    assert "is no folder" in check(alone)["P13"]["message"]


# -- the clock

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
/* The wall clock goes forward by days, or began with the boot when there are none. */
int clock_gettime(clockid_t id, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	long days = atol(getenv("CLOCK_DAYS"));
	int r = real(id == CLOCK_REALTIME && days == 0 ? CLOCK_BOOTTIME : id, out);

	if (id == CLOCK_REALTIME)
		out->tv_sec += days * 86400;
	return r;
}
time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
"""


@pytest.fixture(scope="module")
def clock(place):
    (place / "clock.c").write_text(CLOCK)
    harness.run("cc", "-shared", "-fPIC", "-O2", "-o", place / "clock.so", place / "clock.c", "-ldl")

    def at(days):
        return {"LD_PRELOAD": str(place / "clock.so"), "CLOCK_DAYS": str(days)}
    return at


without_asan = pytest.mark.skipif("asan" in harness.BUILD.name, reason="the sanitizer's runtime must be loaded first")


@without_asan
def test_a_clock_that_was_never_set(device, clock):
    found = check(device, env=clock(0))
    assert found.state("P12") == "warning" and "cannot be true" in found["P12"]["message"], found["P12"]
    assert found.state("P22") == "ok" and found.state("P23") == "unseen"  # no date is judged by it


@without_asan
def test_a_certificate_that_has_ended(device, clock):
    life = check(device)["P23"]["message"]
    assert life.startswith("for tiny-edge, until 20"), life
    found = check(device, env=clock(4000))
    assert found.state("P23") == "error" and "has expired" in found["P23"]["message"], found["P23"]
    assert "enroll" in found["P23"]["advice"]
    assert found.state("P22") == "error"  # the hub's has ended as well, by this clock


# -- policy and users


def test_a_broken_line_of_the_policy(alone):
    text = alone.policy.read_text()
    alone.policy.write_text(text + "alow everything\n")
    found = check(alone)
    assert found.state("P16") == "error", found["P16"]
    assert f"{alone.policy}:{text.count(chr(10)) + 1}" in found["P16"]["message"] and "reload" in found["P16"]["advice"]
    assert found.state("P17") == "unseen"


def test_a_policy_that_others_may_write_and_none(alone):
    alone.policy.chmod(0o666)
    found = check(alone)
    assert found.state("P16") == "error" and "mode 0666" in found["P16"]["message"], found["P16"]
    alone.policy.chmod(0o644)
    os.chown(alone.policy, 65534, 65534)
    assert "of user 65534" in check(alone)["P16"]["message"]
    alone.policy.unlink()
    found = check(alone)
    assert found.state("P16") == "error" and "nothing may start" in found["P16"]["message"], found["P16"]


def test_a_range_of_users_that_somebody_is_in(alone):
    lines = [line for line in alone.policy.read_text().splitlines() if not line.startswith("users ")]
    alone.policy.write_text("\n".join(lines + ["users 65000-65600"]) + "\n")
    found = check(alone)
    assert found.state("P17") == "error" and "65534 of the workloads' range" in found["P17"]["message"], found["P17"]


# -- the hub


def test_a_device_that_is_nobodys(alone):
    found = check(alone)
    assert found.state("P21") == "warning" and "P22" not in found and "P23" not in found
    assert found.state("P19") == "warning" and str(alone.run_dir) in found["P19"]["message"]
    assert found.state("P20") == "warning"


def test_before_joining_the_pin_tells_the_hub(hub, alone):
    pin = json.loads(hub.ctl("enroll", "another", "-o", "json").stdout)["ca-pin"]
    found = check(alone, "--hub", hub.url, "--ca-pin", pin)
    assert found.state("P22") == "ok" and found.state("P21") == "error", found["P22"]
    found = check(alone, "--hub", hub.url, "--ca-pin", "sha256:" + "ab" * 32)
    assert found.state("P22") == "error" and pin in found["P22"]["message"], found["P22"]
    assert "pin" in found["P22"]["advice"]


def test_a_token_that_was_not_taken_away(device, alone):
    token = alone.folder / "token"
    token.write_text("secret\n")
    assert check(alone, "--token-file", token).state("P24") == "ok"
    found = check(device, "--token-file", token)
    assert found.state("P24") == "warning" and str(token) in found["P24"]["message"], found["P24"]
    assert "secret" not in json.dumps(found)
    token.unlink()
    assert check(device, "--token-file", token).state("P24") == "ok"


def test_another_name_in_the_configuration(device):
    found = check(device, "--target", "renamed")
    assert found.state("P23") == "error" and "renamed" in found["P23"]["message"], found["P23"]


def test_a_hub_that_is_away_and_one_that_was_made_anew(work):
    with harness.Hub(work / "hub") as first, harness.Device(work / "device", hub=first) as device:
        device.join()
        assert check(device).state("P22") == "ok"
        first.stop()
        found = check(device)
        assert found.state("P22") == "error" and "cannot reach" in found["P22"]["message"], found["P22"]
        assert "firewall" in found["P22"]["advice"]
        with harness.Hub(work / "second", port=first.port):
            found = check(device)
            assert found.state("P22") == "error" and "certificate" in found["P22"]["message"], found["P22"]
            assert "join again" in found["P22"]["advice"]
        with harness.WebServer() as web:
            identity = device.state / "agent" / "identity.json"
            known = json.loads(identity.read_text())
            known["hub"] = web.url
            identity.write_text(json.dumps(known))
            assert check(device).state("P22") in ("error", None)


# -- a system extension


def test_an_extension_that_is_not_merged(alone):
    bring = "mount -t tmpfs none /run; mkdir -p /run/extensions; : >/run/extensions/piccolo.raw"
    found = check(alone, before=bring)
    assert found.state("P25") == "error" and "/run/extensions/piccolo.raw is there, but not merged" in found["P25"]["message"]
    assert "systemd-sysext" in found["P25"]["advice"]


@pytest.mark.parametrize("name", ["piccolo-0.1.0-riscv64.raw", "piccolo"])
def test_an_extension_for_another_machine(alone, name):
    release = "/run/extensions/piccolo/usr/lib/extension-release.d"
    bring = "mount -t tmpfs none /run; mkdir -p /run/extensions; "
    if name == "piccolo":
        bring += f"mkdir -p {release}; printf 'ID=_any\\nARCHITECTURE=riscv64\\n' >{release}/extension-release.piccolo"
    else:
        bring += f"ln -s /opt/{name} /run/extensions/piccolo.raw"
    found = check(alone, before=bring)
    assert found.state("P25") == "error" and "for riscv64 machines" in found["P25"]["message"], found["P25"]


def test_no_extension_is_not_told(alone):
    assert "P25" not in check(alone, before="mount -t tmpfs none /run")


# -- what a start finds


def test_the_agent_tells_what_it_found_at_its_start(hub, work):
    small = work / "device" / "state"
    small.mkdir(parents=True)
    harness.run("mount", "-t", "tmpfs", "-o", "mode=755,size=8M", "none", small)
    try:
        with harness.Device(work / "device", hub=hub, target="small") as device:
            device.join()
            device.start()
            (problem,) = [each for each in device.status()["problems"] if each["code"] == "P14"]
            assert problem["state"] == "warning" and "nearly full" in problem["message"] and problem["advice"]
            assert "P14: the disk of" in device.piccolo("status").stdout
            told = [line for line in device.log.read_text().splitlines() if "event=check code=P14" in line]
            assert len(told) == 1 and "level=warning" in told[0] and "advice=" in told[0], told
            wait(lambda: device.status()["connection"] == "connected", 10, "it goes on")
    finally:
        harness.run("umount", "-l", small)


# -- root reads nothing of the agent's

def test_the_agents_hub_is_asked_as_the_agent(device, work):
    """The identity is the agent's own file, so whoever owns the agent says where root would go."""
    import socket
    import threading

    owners = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            peer, (_, theirs) = server.accept()
            for line in open("/proc/net/tcp").read().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(f":{theirs:04X}") and fields[2].endswith(f":{port:04X}"):
                    owners.append(int(fields[7]))
            peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        identity = device.state / "agent/identity.json"
        kept, owner = identity.read_text(), identity.stat()
        try:
            identity.write_text(json.dumps({**json.loads(kept), "hub": f"https://127.0.0.1:{port}"}))
            found = check(device)
        finally:
            identity.write_text(kept)
            if thread.is_alive():  # nobody came: it must not wait for ever
                socket.create_connection(("127.0.0.1", port)).close()
            thread.join()
    assert owners == [owner.st_uid] and owner.st_uid != 0
    assert any(finding["state"] != "ok" and str(port) in finding["message"] for finding in found.values())
