"""A machine with a token in a file, as Ignition leaves it: it joins when it can, says what it waits for, and removes
the token."""

import functools
import json
import stat

import pytest

import harness
from fake_hub import DAY, FakeHub
from harness import wait


@pytest.fixture
def newborn(hub, work):
    """A device that was never joined; its configuration names hub, pin and token file."""
    with harness.Device(work / "device", hub=hub) as device:
        device.token_file = device.folder / "token"
        yield device


def configure(device, url, pin, token):
    device.token_file.write_text(token + "\n")
    device.token_file.chmod(0o600)
    (device.folder / "piccolo.conf").write_text(
        f"hub = {url}\ntarget = {device.target}\nca-pin = {pin}\ntoken-file = {device.token_file}\n")


def enrolled(device, *options):
    answer = json.loads(device.hub.ctl("enroll", device.target, "-o", "json", *options).stdout)
    configure(device, device.hub.url, answer["ca-pin"], answer["token"])
    return answer["token"]


def is_connected(device):
    return (device.status() or {}).get("connection") == "connected"


def waits_for(device, reason):
    status = device.status() or {}
    return status if (status.get("connection"), status.get("reason")) == ("joining", reason) else None


def tokens_of(device):
    return [path for path in (device.token_file, device.state / "agent" / "token") if path.exists()]


@pytest.mark.parametrize("start", ["start", "start_apart"])
def test_it_joins_by_itself(newborn, start):
    """In a terminal, and as the two units do it: the agent cannot read the file that only root can."""
    token = enrolled(newborn)
    getattr(newborn, start)()
    wait(lambda: is_connected(newborn), 15, "joined and connected")
    assert tokens_of(newborn) == []
    identity = newborn.state / "agent" / "identity.json"
    assert identity.stat().st_uid != 0 and stat.S_IMODE(identity.stat().st_mode) == 0o600
    assert token not in newborn.log.read_text() and token not in newborn.hub.log.read_text()


def test_the_hub_is_away(newborn):
    enrolled(newborn)
    newborn.hub.stop()
    newborn.start_apart()
    status = wait(lambda: waits_for(newborn, "HubUnreachable"), 15, "it says what it waits for")
    assert status["hub"] == newborn.hub.url and "127.0.0.1" in status["problem"]
    assert "HubUnreachable" in newborn.piccolo("status").stdout
    [kept] = tokens_of(newborn)
    assert kept == newborn.state / "agent" / "token" and stat.S_IMODE(kept.stat().st_mode) == 0o600
    wait(lambda: "not-joined" in newborn.log.read_text(), 5, "and the log says it")
    newborn.agent.kill()  # a crash on the way changes nothing
    newborn.start_agent()
    newborn.hub.start()
    wait(lambda: is_connected(newborn), 60, "joined once the hub was there")
    assert tokens_of(newborn) == []
    assert newborn.log.read_text().count("not-joined") <= 4  # the same trouble is told once


def test_the_token_has_expired(newborn):
    enrolled(newborn, "--valid", "1s")
    wait(lambda: _expired(newborn), 10, "the hub's clock passes its end")
    newborn.start_apart()
    status = wait(lambda: waits_for(newborn, "TokenRefused"), 15, "it says why")
    assert "expired at" in status["problem"] and "piccoloctl enroll tiny-edge" in status["problem"]
    newborn.join()  # a person brings another one; the agent runs on
    wait(lambda: is_connected(newborn), 15, "connected with the new identity")
    assert tokens_of(newborn) == []


def _expired(device):
    from hub_client import Identity
    answer = Identity(device.hub, device.folder / "probe", device.target).try_join(device.token_file.read_text().strip(),
                                                                                   request_pem="nothing")
    return answer[0] == 403 and b"expired at" in answer[2]


def test_there_is_no_token(newborn):
    enrolled(newborn)
    newborn.token_file.unlink()
    newborn.start_apart()
    status = wait(lambda: waits_for(newborn, "TokenMissing"), 15, "it says what is missing")
    assert "piccoloctl enroll tiny-edge" in status["problem"]


def test_another_hub_gets_no_token(newborn):
    token = enrolled(newborn)
    configure(newborn, newborn.hub.url, "sha256:" + "0" * 64, token)
    newborn.start_apart()
    status = wait(lambda: waits_for(newborn, "HubNotTrusted"), 15, "the pin counts")
    assert "nothing was sent" in status["problem"]
    assert len(tokens_of(newborn)) == 1


def test_a_token_that_is_left_over_is_removed(newborn):
    """A power cut between joining and removing."""
    newborn.join()
    newborn.start_apart()
    wait(lambda: is_connected(newborn), 15)
    newborn.stop()
    configure(newborn, newborn.hub.url, "sha256:" + "0" * 64, "pice_old")
    (newborn.state / "agent" / "token").write_text("pice_old")
    newborn.start_apart()
    wait(lambda: is_connected(newborn), 15)
    assert tokens_of(newborn) == []


def test_a_file_that_is_not_roots_is_not_handed_over(newborn):
    """Whoever can write there could have root read a file for him."""
    secret = newborn.folder / "secret"
    secret.write_text("of-root\n")
    secret.chmod(0o600)
    enrolled(newborn)
    newborn.token_file.unlink()
    newborn.token_file.symlink_to(secret)
    newborn.start_apart()
    wait(lambda: waits_for(newborn, "TokenMissing"), 15)
    assert not (newborn.state / "agent" / "token").exists() and secret.exists()


def test_the_clock_is_behind(work):
    """The hub lives two days ahead: its certificates are not valid yet here. The pin says that it is the right one, so it
    is the clock that is wrong."""
    fake = FakeHub(work / "hub")
    fake.authority.server = functools.partial(fake.authority.server, start=2 * DAY, end=40 * DAY)
    with fake, harness.Device(work / "device", hub=fake) as device:
        device.token_file = device.folder / "token"
        configure(device, fake.url, fake.authority.pin(), fake.token)
        device.start_apart()
        wait(lambda: is_connected(device), 15, "joined and connected")
        assert tokens_of(device) == []


def test_an_expired_hub_is_still_refused(work):
    fake = FakeHub(work / "hub")
    fake.authority.server = functools.partial(fake.authority.server, start=-20 * DAY, end=-DAY)
    with fake, harness.Device(work / "device", hub=fake) as device:
        device.token_file = device.folder / "token"
        configure(device, fake.url, fake.authority.pin(), fake.token)
        device.start_apart()
        status = wait(lambda: waits_for(device, "HubNotTrusted"), 15)
        assert "it has expired" in status["problem"]
