"""What a stranger, or a device that has fallen, cannot do to a hub that others use."""

import contextlib
import pathlib
import resource
import socket
import time

import pytest

import harness
import hub_client
from harness import wait

FILES = 700  # descriptors the hub may have


class SmallHub(harness.Hub):
    def launch(self, *command, **more):
        limit = (FILES, FILES)
        return super().launch(*command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit), **more)


@pytest.fixture
def small(work):
    with SmallHub(work / "hub") as running:
        yield running


@contextlib.contextmanager
def crowd(port, addresses, each):
    """Connections that say half of something and then nothing."""
    sockets = []
    try:
        for address in addresses:
            for _ in range(each):
                try:
                    sockets.append(socket.create_connection(("127.0.0.1", port), 0.3, source_address=(address, 0)))
                    sockets[-1].send(b"\x16\x03\x01")
                except TimeoutError:
                    break  # no room in the queue
                except OSError:
                    pass  # turned away
        yield sockets
    finally:
        for one in sockets:
            one.close()


def open_ones(sockets):
    for one in sockets:
        one.setblocking(False)

    def is_open(one):
        try:
            return one.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
    return sum(map(is_open, sockets))


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def test_one_address_locks_nobody_out(small):
    with crowd(small.port, ["127.0.0.2"], 1000) as sockets:
        began = time.monotonic()
        assert small.api("GET", "/readyz")[0] == 200
        small.push()
        assert small.kubectl("get", "targets").returncode == 0
        assert time.monotonic() - began < 10 * harness.SLOW
        wait(lambda: 0 < open_ones(sockets) <= 64, what="few of the crowd are left")
    assert "connections-refused from=127.0.0.2" in small.tail(1000)


def test_many_addresses_leave_the_hub_its_files(small):
    """The connections are full then, but what is connected is served, from the disk too."""
    device = hub_client.Identity(small, small.folder / "device", "tiny-edge")
    device.join()
    kept = hub_client.connect(small.port, (device.certificate, device.key))
    admin = hub_client.connect(small.port)
    head = {"Authorization": f"Bearer {small.token}"}
    admin.request("GET", "/readyz", headers=head)
    assert admin.getresponse().read() is not None
    with crowd(small.port, [f"127.0.1.{n}" for n in range(1, 60)], 25):
        wait(lambda: descriptors(small.pid) > FILES / 2, what="it is full")
        admin.request("POST", "/piccolo/v1/artifacts?name=x", body=harness.MODULE.read_bytes(), headers=head)
        answer = admin.getresponse()
        assert answer.status in (200, 201), answer.read()
        answer.read()
        assert descriptors(small.pid) < FILES
    admin.close(), kept.close()


def test_a_device_has_only_so_many_connections(hub, work):
    device = hub_client.Identity(hub, work / "device", "tiny-edge")
    device.join()
    path = "/artifacts/" + 64 * "0"  # nobody names it
    connections, statuses = [], []
    for _ in range(140):
        connections.append(hub_client.connect(hub.port, (device.certificate, device.key)))
        connections[-1].request("GET", path)
        answer = connections[-1].getresponse()
        answer.read()
        statuses.append(answer.status)
    assert statuses[0] == 404 and statuses.count(404) == 128 and set(statuses[128:]) == {429}
    assert hub.api("GET", "/readyz")[0] == 200
    for each in connections:
        each.close()
    def again():
        return hub_client.request(hub.port, "GET", path, certificate=(device.certificate, device.key))[0] == 404
    wait(again, what="there is room again")
