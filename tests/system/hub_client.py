"""A device's side of the hub's wire, spoken by the tests themselves: join, poll, report, answer. Where the real agent
would do, harness.Device is the better one; this one can also lie."""

import hashlib
import http.client
import json
import os
import ssl
import subprocess
import threading
import time

from harness import SLOW


def connect(port, certificate=None, tls=True, timeout=20):
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * SLOW)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # tests of trust use the real programs
    if certificate:
        context.load_cert_chain(*certificate)
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=timeout * SLOW)


def announce(port, path, size, certificate=None, tls=True):
    """Says that a body of `size` comes and sends nothing of it; the status of the answer."""
    connection = connect(port, certificate, tls)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def request(port, method, path, body=None, headers=None, certificate=None, tls=True, timeout=20):
    """Status, headers, body (bytes). `certificate`: (certificate file, key file)."""
    connection = connect(port, certificate, tls, timeout)
    try:
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def as_json(answer):
    return json.loads(answer[2])


class Identity:
    """A device's key, certificate and what it has in force."""

    def __init__(self, hub, folder, name):
        self.hub = hub
        self.name = name
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = self.folder / f"{name}.key"
        self.certificate = self.folder / f"{name}.pem"
        self.session = os.urandom(16).hex()
        self.epoch, self.revision, self.digest = "", 0, ""
        self.etag = None
        self.sequence = 0

    def make_request(self, common_name=None, key=None):
        key = key or self.key
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key], check=True,
                       capture_output=True)
        return subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={common_name or self.name}"],
                              check=True, capture_output=True, text=True).stdout

    def enroll(self, **more):
        status, answer = self.hub.api("POST", "/piccolo/v1/enroll", {"target": self.name, **more})
        assert status == 200, answer
        return answer

    def try_join(self, token, target=None, request_pem=None):
        return request(self.hub.port, "POST", "/device/v1/join",
                       {"protocol": 1, "target": target or self.name, "token": token,
                        "request": request_pem or self.make_request()})

    def join(self):
        answer = self.try_join(self.enroll()["token"])
        assert answer[0] == 200, answer
        body = as_json(answer)
        assert body["device"] == self.name
        self.certificate.write_text(body["certificate"])
        return body

    def ask(self, method, path, body=None, headers=None, timeout=20):
        return request(self.hub.port, method, path, body, headers, (self.certificate, self.key), timeout=timeout)

    def poll_path(self, wait=0, session=None):
        return (f"/device/v1/document?protocol=1&epoch={self.epoch}&revision={self.revision}&digest={self.digest}"
                f"&session={session or self.session}&stamp={'0' * 32}&wait={wait}")

    def poll(self, wait=0, session=None, take=True):
        """Status and body of one poll; takes the document that came, as the agent does."""
        headers = {"If-None-Match": self.etag} if self.etag else {}
        status, sent, body = self.ask("GET", self.poll_path(wait, session), headers=headers, timeout=wait + 20)
        answer = json.loads(body) if body else None
        if status == 200 and answer.get("document"):
            self.etag = sent["ETag"]
            if take:
                self.take(answer)
        return status, answer

    def take(self, answer):
        document = answer["document"]
        self.epoch, self.revision, self.digest = document["epoch"], document["revision"], answer["digest"]

    def poll_in_background(self, wait, session=None):
        return Background(lambda: self.poll(wait, session))

    def report(self, components=(), removed_through=0, session=None, **more):
        self.sequence += 1
        body = {"protocol": 1, "device": self.name, "session": session or self.session, "sequence": self.sequence,
                "epoch": self.epoch, "revision": self.revision, "digest": self.digest or "0" * 64,
                "removed-through": removed_through,
                "agent": {"version": "test", "boot": "0", "uptime-seconds": 1, "clock-set": True}, "message": "",
                "components": list(components), **more}
        return self.ask("POST", "/device/v1/report", body)


def running(component, instance="tiny-app", **more):
    return {"instance": instance, "component": component, "type": "wasm", "phase": "Running", "reason": "Started",
            "message": "", "since": "2026-01-01T00:00:00Z", "restarts": 0, "last-error": "", "orphaned": False,
            "evidence": {}, **more}


class Background:
    """A call in a thread of its own; `result` waits for it."""

    def __init__(self, call):
        self.value = self.failure = None
        self.started = time.monotonic()
        self.ended = None

        def work():
            try:
                self.value = call()
            except Exception as failure:  # handed on by result()
                self.failure = failure
            self.ended = time.monotonic()

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def is_done(self):
        return not self.thread.is_alive()

    def result(self, seconds=20):
        self.thread.join(seconds * SLOW)
        assert not self.thread.is_alive(), f"no answer within {seconds * SLOW} s"
        if self.failure:
            raise self.failure
        return self.value


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def apply_app(hub, url=None, name="tiny-app", target="tiny-edge", component="wasm-module", **properties):
    """Target, solution and instance through the Symphony face; the module is whatever bytes."""
    if url is None:
        pushed = hub.api("POST", "/piccolo/v1/artifacts?name=app.wasm", body=b"\0asm\1\0\0\0".decode("latin-1"))
        assert pushed[0] == 200, pushed
        url = pushed[1]["url"]
    target_spec = {"topologies": [{"bindings": [{"role": "wasm", "provider": "providers.target.staging",
                                                 "config": {"inCluster": "true", "targetName": target}}]}]}
    solution = {"components": [{"name": component, "type": "wasm", "properties": {"wasm.url": url, **properties}}]}
    for path, spec in ((f"targets/registry/{target}", target_spec), (f"solutions/{name}", solution),
                       (f"instances/{name}", {"solution": name, "target": {"name": target}})):
        status, answer = hub.api("POST", f"/v1alpha2/{path}", spec)
        assert (status, answer) == (200, ""), (path, status, answer)
