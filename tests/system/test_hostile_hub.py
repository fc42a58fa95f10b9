"""What a hub that has fallen, or somebody between it and a device, cannot do to a device."""

import contextlib
import hashlib
import pathlib
import re
import socket
import threading

import pytest

import harness
import privileged
from fake_hub import Answer, FakeHub
from harness import wait

MIB = 1024 * 1024
POLICY = (harness.ROOT / "etc" / "policy.conf").read_text()
for key, size in (("artifact-max", "1M"), ("store-max", "4M")):
    POLICY = re.sub(rf"(?m)^{key} .*", f"{key} {size}", POLICY)


def name_of(number):
    """A digest that nothing has."""
    return hashlib.sha256(f"nothing {number}".encode()).hexdigest()


def component(name, sha256, url=None):
    return {"component": name, "sha256": sha256, "properties": {}, **({"url": url} if url else {})}


class Stream:
    """A server that answers everything with the same head, and then with `unit` until its peer has had enough."""

    def __init__(self, head, unit=bytes(65536)):
        self.head, self.unit, self.sent, self.answers, self.done = head.encode(), unit, 0, 0, False

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer):
        with contextlib.suppress(OSError), peer:
            peer.recv(65536)
            self.answers += 1
            peer.sendall(self.head)
            while not self.done:
                peer.sendall(self.unit)
                self.sent += len(self.unit)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/x"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.listener.shutdown(socket.SHUT_RDWR)  # a close alone leaves accept() to take the next listener's callers
        self.thread.join(10)
        self.listener.close()


@pytest.fixture
def fake(work):
    with FakeHub(work / "hub") as hub:
        yield hub


@pytest.fixture
def device(fake, work):
    with harness.Device(work / "device", hub=fake, policy=POLICY) as running:
        running.join(fake.enrolled())
        running.start()
        yield running


def reason(device, name):
    return (device.component(name, "app") or {}).get("reason")


def test_no_second_authority_comes_in_beside_the_pinned_one(fake, work):
    """Its certificate is public: who stands in between can show it, with one of his own behind it."""
    real = fake.authority.pem.read_text()
    with FakeHub(work / "between") as between:
        for text in (real + between.authority.pem.read_text(), between.authority.pem.read_text() + real):
            between.fault("/device/v1/authority", Answer(200, text, "application/x-pem-file"))
            device = harness.Device(work / "device", hub=between)
            done = device.join(fake.enrolled(), check=False)
            assert done.returncode != 0 and "nothing was sent" in done.stderr, done.stdout + done.stderr
            assert between.seen("/device/v1/join") == [], "the token was given away"
        assert not (device.state / "agent" / "identity.json").exists()


@pytest.mark.parametrize("stream", [
    Stream("HTTP/1.1 404 Not Found\r\n\r\n"),
    Stream("HTTP/1.1 503 Later\r\nContent-Length: 999999999999\r\n\r\n"),
    Stream("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 999999999999\r\n\r\n"),
    Stream("HTTP/1.1 200 OK\r\n\r\n"),
    Stream("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/2\r\n\r\n"),
    Stream("HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    Stream("HTTP/1.1 200 OK\r\n", b"X-Some: thing\r\n" * 4000),
    Stream("", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    Stream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Some: thing\r\n" * 4000),
], ids=["missing", "failing", "redirect", "good", "part", "line", "head", "interim", "trailers"])
def test_an_answer_without_end_is_left(fake, device, stream):
    with stream:
        fake.say([component("web", name_of(0), stream.url)])
        reasons = ("DownloadFailed", "NotFound", "TooLarge")

        def given_up():  # in one look: a moment later it begins again, and has no message
            part = device.component("web", "app")
            return part and part["reason"] in reasons and part

        found = wait(given_up, 10, "it is given up")
        assert "127.0.0.1" in found["message"]
        assert stream.sent < 32 * MIB * stream.answers, f"{stream.sent} bytes in {stream.answers} answers"


def test_downloads_take_no_more_room_than_the_store_may(fake, device):
    """Each breaks off just before its end, and what has come of it waits to be resumed."""
    folder = device.state / "agent" / "downloads"
    for number in range(12):
        path = f"/artifacts/{name_of(number)}"
        fake.fault(path, *[Answer(200, bytes(MIB - 1000), "application/wasm", cut=MIB - 2000) for _ in range(50)])
    fake.say([component(f"c{number}", name_of(number)) for number in range(12)])

    def room():
        return sum(path.stat().st_size for path in folder.glob("*"))

    most = 0
    def all_tried():
        nonlocal most
        most = max(most, room())
        return len({request.path for request in fake.seen("/artifacts/")}) == 12 and \
            all(reason(device, f"c{number}") == "DownloadFailed" for number in range(12))
    wait(all_tried, 30, "each was tried")
    assert most <= 4 * MIB, f"{most} bytes in {folder}"


def test_whole_downloads_wait_for_the_store(fake, device):
    """The store is full: what does not fit is not fetched in advance."""
    folder = device.state / "agent" / "downloads"
    bodies = [privileged.SLEEPER.encode() + bytes([number]) * (MIB - 5000) for number in range(12)]
    for body in bodies:
        fake.artifacts[hashlib.sha256(body).hexdigest()] = body
    fake.say([component(f"c{number}", hashlib.sha256(body).hexdigest()) for number, body in enumerate(bodies)])

    def full():
        return [reason(device, f"c{number}") for number in range(12)].count("StoreFull") >= 8

    wait(full, 30, "the store is full")
    assert sum(path.stat().st_size for path in (device.state / "store").glob("*")) <= 4 * MIB
    assert sum(path.stat().st_size for path in folder.glob("*")) <= 4 * MIB


@pytest.mark.parametrize("lie", [
    lambda request, body: Answer(206, bytes(len(body)), "application/wasm"),  # other bytes
    lambda request, body: Answer(206, body, "application/wasm", {"Content-Range": f"bytes 0-9/{len(body)}"}),
    lambda request, body: Answer(206, b"", "application/wasm"),
    lambda request, body: Answer(200, b"", "application/wasm"),
    lambda request, body: Answer(416, b""),
    lambda request, body: Answer(206, body[300_000:], "application/wasm", {"Content-Length": "7"}),
], ids=["bytes", "start", "empty", "nothing", "beyond", "length"])
def test_a_range_that_lies_costs_one_more_download(fake, device, lie):
    body = privileged.module(privileged.SLEEPER)
    body += b"\x00\xa9\xd2\x24\x03pad" + bytes(600_357)  # a custom section
    sha256 = hashlib.sha256(body).hexdigest()
    path = f"/artifacts/{sha256}"
    fake.artifacts[sha256] = body
    fake.fault(path, Answer(200, body, "application/wasm", cut=300_000), lambda request: lie(request, body))
    fake.say([component("web", sha256)])
    wait(lambda: device.module_pid("web", "app"), 20, "it runs")
    asked = [request.headers.get("Range") for request in fake.seen(path)]
    assert asked[1] == "bytes=300000-", asked
    assert list((device.state / "agent" / "downloads").iterdir()) == []
