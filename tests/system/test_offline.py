"""Without the hub, with another hub, with a hub that lost its memory: what runs goes on, status says why, and nothing is
removed that nobody listed as removed."""

import os
import re
import shutil
import signal
import time

import harness
from harness import TITLE, alive, server, solution, wait, workload_processes


def says(device, *words, seconds=20):
    """The device's status in a person's words, once they are all in it."""
    def look():
        text = " ".join(device.piccolo("status").stdout.split())
        assert all(word in text for word in words), text
        return text
    return wait(look, seconds, f"status says {words}")


def connected(device, seconds=30):
    return wait(lambda: device.status()["connection"] == "connected" and device.status()["problem"] == "", seconds,
                lambda: f"connected; status says {device.status()}")


def lose_database(hub):
    """The authority stays, the memory is gone."""
    hub.stop()
    for path in hub.state.glob("hub.db*"):
        path.unlink()
    hub.start()


def backup(hub):
    hub.stop()
    saved = {path.name: path.read_bytes() for path in hub.state.glob("hub.db*")}
    hub.start()
    return saved


def restore(hub, saved):
    hub.stop()
    for path in hub.state.glob("hub.db*"):
        path.unlink()
    for name, content in saved.items():
        (hub.state / name).write_bytes(content)
    hub.start()


def reboot(device):
    """What a reboot leaves: the state folder. Processes, cgroups and the run folder are gone."""
    device.stop()
    for pid in workload_processes():
        os.kill(pid, signal.SIGKILL)
    wait(lambda: not workload_processes(), 5, "all workloads are dead")
    shutil.rmtree(device.run_dir)
    device.start_apart()


# -- no hub -------------------------------------------------------------------------------------------------------------------

def test_a_rebooted_device_brings_everything_back_from_disk(hub, deployed):
    before = deployed.module_pid()
    hub.stop()
    reboot(deployed)
    after = deployed.serves()
    assert after != before
    status = deployed.status()
    assert status["connection"] != "connected" and status["revision"] == 1
    assert status["reason"] == "HubUnreachable" and f"127.0.0.1:{hub.port}" in status["problem"], status
    says(deployed, "HubUnreachable", "tiny-app/wasm-module wasm Running")
    # and it is still a device of that hub
    hub.start()
    connected(deployed)
    wait(lambda: hub.is_ready("tiny-app") and hub.part()["evidence"]["pid"] == after, 20, "the hub knows the new process")


def test_without_the_hub_the_module_still_heals(hub, deployed):
    hub.stop()
    wait(lambda: deployed.status()["connection"] != "connected", 10, "the hub is away")
    before = deployed.module_pid()
    os.kill(before, signal.SIGKILL)
    after = wait(lambda: TITLE in (deployed.page() or "") and deployed.module_pid(), 5, "it is back")
    assert after != before
    # what happened meanwhile is told later
    hub.start()
    wait(lambda: hub.part()["restarts"] == 1 and "signal 9" in hub.part()["lastError"], 20, "the hub is told")


def test_a_hub_that_is_away_for_long_costs_nothing(hub, deployed):
    """The agent asks less and less often, and the module never notices."""
    pid = deployed.module_pid()
    hub.stop()
    wait(lambda: deployed.status()["connection"] != "connected", 10, "the hub is away")

    def polls():
        text = harness.http_get(deployed.metrics_port, "/metrics")[1]
        return int(re.search(r"^piccolo_agent_polls_total (\d+)$", text, re.MULTILINE)[1])

    before, began = polls(), time.monotonic()
    time.sleep(3)  # what is measured is a rate
    assert polls() - before <= 3 * (time.monotonic() - began) + 2
    assert deployed.module_pid() == pid and TITLE in deployed.page()


# -- removed while away -------------------------------------------------------------------------------------------------------

def test_what_was_deleted_while_the_agent_was_stopped_is_removed_when_it_starts(hub, deployed):
    pid = deployed.module_pid()
    deployed.agent.kill(signal.SIGTERM)
    hub.ctl("delete", "instance/tiny-app")
    assert alive(pid)
    deployed.start_agent()
    wait(lambda: deployed.leftovers() == [] and not workload_processes(), 15, "everything of it is gone")
    assert deployed.status()["components"] == [] and not alive(pid) and deployed.page() is None
    wait(lambda: hub.ctl("get", "catalogs").stderr == "no catalogs\n", 10, "the hub has been told")


def test_what_was_deleted_while_the_device_was_off_is_removed_when_it_starts(hub, deployed):
    deployed.stop()
    hub.ctl("delete", "instance/tiny-app")
    hub.stop()
    # first from disk, as it does not know better
    deployed.start_apart()
    pid = deployed.serves()
    hub.start()
    wait(lambda: deployed.leftovers() == [] and not alive(pid), 30, "everything of it is gone")


# -- another hub --------------------------------------------------------------------------------------------------------------

def test_an_empty_database_removes_nothing(hub, deployed):
    pid = deployed.module_pid()
    lose_database(hub)
    said = says(deployed, "UnknownDevice")
    assert "does not know this device" in said and "piccoloctl enroll" in said, said
    # nor over a restart of the device
    deployed.stop()
    assert alive(pid)
    deployed.start_apart()
    says(deployed, "UnknownDevice")
    assert deployed.serves() == pid
    # enrolled afresh it follows again: what nobody names is kept and called an orphan ...
    deployed.join()
    connected(deployed)
    hub.apply(harness.target())
    wait(lambda: deployed.component()["orphaned"], 5, "an orphan")
    assert deployed.module_pid() == pid
    # ... what is named belongs again, and what is deleted goes
    hub.apply_sample()
    wait(lambda: hub.is_ready("tiny-app") and not deployed.component()["orphaned"], 20, "it belongs again")
    assert deployed.module_pid() == pid
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: deployed.leftovers() == [] and not alive(pid), 15, "everything of it is gone")


def test_a_restored_backup_removes_nothing_until_it_is_confirmed(hub, deployed):
    """Restored: a database of before the instance, then one of an older revision."""
    saved = backup(hub)
    connected(deployed)
    hub.apply(solution(server(port=8086)))
    deployed.serves(8086)
    hub.apply(solution(server(port=8087)))
    pid = deployed.serves(8087)
    restore(hub, saved)
    said = says(deployed, "accept-epoch tiny-edge")
    assert "memory is another one" in said
    assert deployed.module_pid() == pid and TITLE in deployed.page(8087)
    assert "accept-epoch tiny-edge" in hub.device_state()["message"]
    part = wait(lambda: (c := hub.condition("instance", "tiny-app", "Ready"))["status"] == "False" and c, 5, "not Ready")
    assert "accept-epoch" in part["message"], part
    # nothing changes that by itself
    deployed.agent.kill()
    deployed.start_agent()
    says(deployed, "accept-epoch tiny-edge")
    assert deployed.module_pid() == pid
    hub.ctl("device", "accept-epoch", "tiny-edge")
    deployed.serves(8085, seconds=20)  # as it was when the backup was made
    assert not alive(pid) and deployed.page(8087) is None
    connected(deployed)
    wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")


def test_an_old_backup_that_knew_the_module_as_deleted_does_not_remove_it(hub, deployed):
    hub.ctl("delete", "instance/tiny-app")
    wait(lambda: deployed.status()["components"] == [], 10, "removed")
    saved = backup(hub)
    connected(deployed)
    hub.apply_sample()
    pid = deployed.serves()
    restore(hub, saved)
    says(deployed, "accept-epoch tiny-edge")
    assert deployed.module_pid() == pid
    hub.ctl("device", "accept-epoch", "--all")
    wait(lambda: deployed.component()["orphaned"], 20, "kept as an orphan")
    assert deployed.module_pid() == pid and TITLE in deployed.page()
    reboot(deployed)
    assert deployed.serves() != pid and deployed.component()["orphaned"]


def test_another_authority_is_refused(hub, deployed):
    pid = deployed.module_pid()
    hub.stop()
    shutil.rmtree(hub.state)
    hub.start()
    said = says(deployed, "HubNotTrusted", "not signed by the trusted authority")
    assert f"127.0.0.1:{hub.port}" in said
    deployed.stop()
    deployed.start_apart()
    says(deployed, "HubNotTrusted")
    assert deployed.serves() == pid
    # joining it needs its new pin
    enrolled = deployed.enroll()
    config = (deployed.folder / "piccolo.conf").read_text()
    old = re.search(r"ca-pin\W+(sha256:[0-9a-f]+)", config)[1]
    assert old != enrolled["ca-pin"]
    done = deployed.join({**enrolled, "ca-pin": old}, check=False)
    assert done.returncode == 3 and enrolled["ca-pin"] in done.stderr, done
    assert deployed.module_pid() == pid
    deployed.join(enrolled)
    connected(deployed)
    hub.apply_sample()
    wait(lambda: hub.is_ready("tiny-app"), 20, "the new hub has it")
    assert deployed.module_pid() == pid


def test_a_retired_device_keeps_what_it_runs(hub, deployed):
    """Retiring is a word of the hub about the hub: who gives a machine away says `piccolo purge` there."""
    pid = deployed.module_pid()
    hub.ctl("device", "retire", "tiny-edge")
    says(deployed, "UnknownDevice")
    assert deployed.module_pid() == pid and TITLE in deployed.page()
