"""What a person allowed for a time is gone from the kernel when the time is over: whoever died, whatever a clock says,
whatever was forgotten. The witness is outside of Piccolo (kernel_observer.py). What a ticket is worth that comes late, twice
or from before a reboot stands in test_tickets.py."""

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

import harness
from harness import FULL, SLOW, wait
from lease_station import AFTER, HOOKS, VICTIMS, Station, boot

SEED = int(os.environ.get("PICCOLO_SEED", random.SystemRandom().randrange(1 << 16)))
LEASES = 200 if FULL else 18
STATIONS = 8 if FULL else 6


def some(*all_of, short=1):
    """Of cases that take long, the first ones unless everything is asked for."""
    return list(all_of) if FULL else list(all_of)[:short]



@pytest.fixture
def say(capsys):
    def say(*words):
        with capsys.disabled():
            print("\n" + " ".join(map(str, words)), end="", flush=True)
    return say


# -- whoever dies ------------------------------------------------------------------------------------------------------

class Worker:
    """A station in a network of its own."""

    def __init__(self, folder, number, users):
        folder.mkdir()
        order = {"folder": str(folder), "tag": f"{secrets.token_hex(3)}", "seed": SEED, "users": users,
                 "indexes": list(range(number, LEASES, STATIONS))}
        self.out, self.err = open(folder / "out", "w+"), open(folder / "err", "w+")
        self.process = subprocess.Popen(["unshare", "-n", sys.executable, str(harness.ROOT / "tests/system/lease_station.py"),
                                         json.dumps(order)], stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
                                        env={**os.environ, "TMPDIR": tempfile.gettempdir()})

    def leases(self):
        status = self.process.wait(1200 * SLOW)
        for file in self.out, self.err:
            file.seek(0)
        said = self.err.read()
        self.err.close()
        assert status == 0, f"seed {SEED}:\n{said}"
        with self.out:
            return [json.loads(line) for line in self.out]

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()  # its programs end with the namespaces of this run at the latest
            self.process.wait()


def longest(leases):
    """The worst of each kind, as a table."""
    rows = []
    for victim, how in VICTIMS:
        for hook in HOOKS:
            found = [one for one in leases if (one["victim"], one["how"], one["hook"]) == (victim, how, hook)]
            times = [one["after"] for one in found if one["after"] is not None]
            if found:
                rows.append(f"  {victim:10} {how:7} {hook:6} {len(found):3} leases, {len(times):3} loaded, gone at the latest "
                            f"{max(times, default=0):+.3f} s after the end")
    return "\n".join(rows)


def test_nothing_is_left_two_seconds_after_the_end_whoever_died(work, say):
    say(f"seed {SEED}, {LEASES} leases")
    users = 1_910_000_000 + secrets.randbelow(10_000) * 1000
    workers = [Worker(work / f"s{number}", number, users + 100 * number) for number in range(STATIONS)]
    try:
        leases = [lease for worker in workers for lease in worker.leases()]
    finally:
        for worker in workers:
            worker.end()
    say(longest(leases))
    assert len(leases) == LEASES and {lease["index"] for lease in leases} == set(range(LEASES))
    late = [lease for lease in leases if lease["late"]]
    assert not late, f"seed {SEED}: {late}"
    blind = [lease for lease in leases if lease["gap"] > SLOW]
    assert not blind, f"the observer did not look: {blind}"
    missed = [lease for lease in leases if lease["hit"] != lease["victim"]]
    assert len(missed) <= LEASES / 18, f"seed {SEED}: {missed}"
    for hook in HOOKS:
        loaded = [lease["loaded"] for lease in leases if lease["hook"] == hook]
        assert sum(loaded) > 0.7 * len(loaded), f"seed {SEED}: a lease that was never in the kernel proves nothing: {leases}"


# -- clocks and memory -------------------------------------------------------------------------------------------------

CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long *moved;

__attribute__((constructor)) static void begin(void)
{
	moved = mmap(NULL, sizeof(*moved), PROT_READ, MAP_SHARED, open(FILE_NAME, O_RDONLY | O_CLOEXEC), 0);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int r = (int)syscall(SYS_clock_gettime, clock, out);

	if (r == 0 && clock == CLOCK_REALTIME && moved != MAP_FAILED && moved)
		out->tv_sec += *moved;
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

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}
"""
DAY = 86400
no_clock = pytest.mark.skipif("asan" in harness.BUILD.name, reason="the sanitizer's runtime must be loaded first, a clock cannot")


class Clock:
    """The wall clock of whoever is started within `worn`."""

    def __init__(self, folder):
        self.file, self.library = folder / "moved", folder / "clock.so"
        (folder / "clock.c").write_text(CLOCK)
        self.move(0)
        harness.run("cc", "-shared", "-fPIC", "-O2", f'-DFILE_NAME="{self.file}"', "-o", self.library, folder / "clock.c")

    def move(self, seconds):
        if not self.file.exists():
            self.file.write_bytes(bytes(8))
        with open(self.file, "r+b") as file:  # in place: it is mapped
            file.write(int(seconds).to_bytes(8, "little", signed=True))


@pytest.fixture
def clock(work):
    return Clock(work)


@pytest.fixture
def station(work):
    (work / "station").mkdir()
    with Station(work / "station", secrets.token_hex(3)) as running:
        running.deploy(*HOOKS)
        yield running


def worn(monkeypatch, clock, *programs):
    """Those, killed and started again with that clock."""
    with monkeypatch.context() as patched:
        patched.setenv("LD_PRELOAD", str(clock.library))
        for program, start in programs:
            program.kill(signal.SIGTERM)
            start()


def gone_for_good(station, lease, seconds=1):
    """At its end, and never again."""
    early = station.watch.until(lease.end + AFTER + seconds)
    assert any(one["seen"] for one in early), "it has been there"
    assert station.watch.seen_after(lease.end + AFTER) == []


def connected(station):
    return wait(lambda: (station.device.status() or {}).get("connection") == "connected", 20, "the device is connected")


@no_clock
@pytest.mark.parametrize("days", some(1, -1))
def test_the_devices_wall_clock_plays_no_part(station, clock, monkeypatch, days):
    device = station.device
    worn(monkeypatch, clock, (device.agent, device.start_agent), (device.supervisor, device.start_supervisor))
    connected(station)
    lease = station.permit(5)
    wait(station.loaded, 4, "both are in the kernel")
    clock.move(days * DAY)
    gone_for_good(station, lease)
    seen = [one["boot"] for one in station.watch.said() if one["seen"]]
    assert seen[-1] > lease.end - 0.5 * SLOW, "and it had its whole time"
    device.supervisor.kill()
    device.start_supervisor()
    clock.move(0)
    gone_for_good(station, lease, boot() - lease.end)


@no_clock
@pytest.mark.parametrize("days", [1, -1])
def test_a_hub_whose_clock_is_set_lengthens_nothing(station, clock, monkeypatch, days):
    worn(monkeypatch, clock, (station.hub, station.hub.start))
    connected(station)
    lease = station.permit(6)
    wait(station.loaded, 5, "both are in the kernel")
    clock.move(days * DAY)
    forget(station, "run")  # the device remembers nothing, and asks again
    gone_for_good(station, lease)
    clock.move(-days * DAY)
    forget(station, "run")
    connected(station)
    gone_for_good(station, lease, boot() - lease.end)


def forget(station, *what, runners=False):
    """The device dies, and something of its memory with it: "run" as by a reboot."""
    pids = station.runners() if runners else []
    for program in station.device.agent, station.device.supervisor:
        program.kill()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for folder in what:
        shutil.rmtree(station.device.folder / folder)
    station.device.start_supervisor()
    if "state" in what:  # without its key it is nobody; a new one makes the same device of it
        station.device.join()
    station.device.start_agent()


@pytest.mark.parametrize("runners, what", some((False, ["run"]), (True, ["run", "state"]), (False, ["state"]), (True, ["run"]),
                                               (False, ["run", "state"]), (True, ["state"]), short=2))
def test_a_device_that_forgot_gains_nothing(station, what, runners):
    lease = station.permit(6)
    wait(station.loaded, 5, "both are in the kernel")
    forget(station, *what, runners=runners)
    connected(station)
    gone_for_good(station, lease)
    assert station.approval(lease.name)["phase"] == "Ended"


def test_a_filter_of_a_runner_that_no_ledger_knows(station):
    station.permit(60)
    wait(station.loaded, 5, "both are in the kernel")
    station.hub.kill()
    for program in station.device.agent, station.device.supervisor:
        program.kill()
    assert len(station.runners()) == 2
    shutil.rmtree(station.device.run_dir)
    station.device.start_supervisor()
    wait(lambda: station.watch.now() == [], 2, "its owner is ended, and what the kernel would keep goes with it")


def test_folders_that_vanish_under_a_living_device(station):
    lease = station.permit(5)
    wait(station.loaded, 4, "both are in the kernel")
    for folder in station.device.run_dir, station.device.state:
        shutil.rmtree(folder, ignore_errors=True)
    gone_for_good(station, lease)


@pytest.mark.parametrize("asleep", some("the device without its hub", "all", "the device"))
def test_who_wakes_after_the_end_loads_nothing(station, asleep):
    lease = station.permit(4)
    wait(station.loaded, 3, "both are in the kernel")
    station.kill_all()
    if asleep == "the device":
        station.hub.start()
    time.sleep(max(0, lease.end + 0.5 - boot()))
    filters = [one for one in station.watch.now() if one.startswith("filter")]
    assert len(filters) == 1, "what the kernel keeps without an owner"
    begin = boot()
    station.device.start_supervisor()
    assert station.watch.until(begin + AFTER)[-1]["seen"] == []
    if asleep != "the device without its hub":
        station.mend()
        connected(station)
        wait(station.is_over, 10, "it is over")
    else:
        station.device.start_agent()
    assert station.watch.seen_after(begin + AFTER + 1) == []


# -- a hub that was restored -------------------------------------------------------------------------------------------

def saved(station, folder):
    """A backup of the hub, made while it stands still."""
    station.hub.stop()
    shutil.copytree(station.hub.state, folder, symlinks=True)
    station.hub.start()
    connected(station)


def restored(station, folder):
    station.hub.stop()
    shutil.rmtree(station.hub.state)
    shutil.copytree(folder, station.hub.state, symlinks=True)
    station.hub.start()


@pytest.mark.parametrize("taken", some("running", "pending"))
def test_a_restored_hub_arms_nothing_that_was_taken_back(station, work, taken):
    lease = station.permit(60)
    wait(station.loaded, 5, "both are in the kernel")
    if taken == "running":
        saved(station, work / "backup")
    station.hub.ctl("revoke", lease.name)
    wait(lambda: station.watch.now() == [], 5, "gone at once")
    if taken == "pending":  # the next request is open in the backup; it is rejected afterwards
        status, asked = station.hub.api("POST", "/piccolo/v1/approvals", {"solution": "tiny-app", "reason": "again"})
        assert status == 201, asked
        saved(station, work / "backup")
        station.hub.ctl("reject", asked["name"])
    quiet = boot()
    restored(station, work / "backup")
    wait(lambda: station.hub.device_state()["online"], 20, "the device is back")
    if taken == "running":
        assert station.approval(lease.name)["phase"] == "Approved", "the hub has forgotten"
        wait(lambda: "accept-epoch" in json.dumps(station.device.status()), 20, "the device takes no orders of this memory")
    else:
        assert station.approval(asked["name"])["phase"] == "Pending", "the hub has forgotten"
    forget(station, "run")
    time.sleep(2)  # nothing comes: there is nothing to wait for
    assert station.watch.seen_after(quiet) == []


def test_a_restored_hub_and_a_lease_that_has_ended(station, work):
    lease = station.permit(6)
    wait(station.loaded, 5, "both are in the kernel")
    saved(station, work / "backup")
    gone_for_good(station, lease, 0)
    restored(station, work / "backup")
    wait(lambda: station.hub.device_state()["online"], 20, "the device is back")
    station.hub.ctl("device", "accept-epoch", "tiny-edge")
    forget(station, "run")
    connected(station)
    gone_for_good(station, lease, boot() - lease.end)
    assert station.approval(lease.name)["phase"] == "Ended"


# -- again and again ---------------------------------------------------------------------------------------------------

def descriptors(station):
    return {victim: len(os.listdir(f"/proc/{station.program(victim).pid}/fd")) for victim in ("hub", "agent", "supervisor")}


def test_deployed_and_removed_again_and_again(station, say):
    def cycle():
        station.deploy(*HOOKS)
        lease = station.permit(5)  # what was bound is remembered until its end, and there is room for 64
        wait(station.loaded, 4, "both are in the kernel")
        station.hub.ctl("delete", "instance/tiny-app")
        wait(lambda: station.watch.now() == [] and boot() < lease.end, 4, "nothing of them is in the kernel, before the end")

    for _ in range(3):  # what is made once and kept
        cycle()
    wait(lambda: station.device.leftovers() == [], 10, "nothing on the device")
    before = wait(lambda: settled(station), 10, "the descriptors are counted")
    count = 200 if FULL else 36  # more than 64 permissions in either case
    begin = time.monotonic()
    for _ in range(count):
        cycle()
    say(f"{count} cycles of two programs, {(time.monotonic() - begin) / count:.2f} s each; descriptors {before}")
    wait(lambda: station.device.leftovers() == [], 10, f"nothing on the device: {station.device.leftovers()}")
    wait(lambda: descriptors(station) == before, 20, f"descriptors as before: {before}, now {descriptors(station)}")
    assert station.watch.now() == []


def settled(station):
    """Two counts that agree, half a second apart."""
    first = descriptors(station)
    time.sleep(0.5)
    return first if descriptors(station) == first else None
