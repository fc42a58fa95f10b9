"""A hub and a device of its own for each figure, apart as under systemd."""

import http.client
import json
import os
import pathlib
import shutil
import ssl
import tempfile
import time

import harness


def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="piccolo-bench-"))
    path.chmod(0o755)
    return path


class Caller:
    """A connection to the hub's API that is there before the clock starts: Python alone takes longer to read the
    machine's certificates than the hub for its whole answer."""

    def __init__(self, hub):
        self.token = hub.token
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection("127.0.0.1", hub.port, context=context, timeout=10)
        self.connection.connect()

    def call(self, method, path, body=None):
        """The answer; the moment when it was asked for is kept in `started`."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        self.started = time.monotonic()
        self.connection.request(method, path, text, headers)
        answer = self.connection.getresponse()
        said = answer.read().decode()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status}: {said}")
        return json.loads(said)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class World:
    """A hub, with these options, and a joined device; gone afterwards."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        # The kernel counts a page of a program that was just built, and is not on the disk yet, as dirty memory of
        # whoever runs it.
        os.sync()
        self.path = folder()
        self.hub = harness.Hub(self.path / "hub", *self.options).start()
        self.device = harness.Device(self.path / "device", hub=self.hub)
        self.device.join()
        self.device.start_apart()  # as under systemd: a supervisor and an agent, nothing besides
        harness.wait(lambda: self.device_online(), 20, "the device is online")
        return self

    def device_online(self):
        return any(d["online"] for d in json.loads(self.hub.ctl("device", "list", "-o", "json").stdout)["devices"])

    def supervisor_and_agent(self):
        return [self.device.supervisor.pid, self.device.agent.pid]

    def deploy(self):
        self.hub.apply_sample()
        harness.wait(lambda: self.device.module_pid(), 20, "the module runs")
        return self.device.module_pid()

    def allow(self, component, seconds):
        """Deploys a component that needs an approval, and gives it; its process number when it runs."""
        edge = harness.target()
        edge["spec"].pop("topologies")  # without bindings it takes every type
        self.hub.apply(edge, harness.solution(component), harness.instance())
        asked = {"solution": "tiny-app", "reason": "a measurement", "lengthSeconds": seconds}
        with Caller(self.hub) as caller:
            answer = caller.call("POST", "/piccolo/v1/approvals", asked)
            caller.call("POST", f"/piccolo/v1/approvals/default/{answer['name']}/approve", {})
        return harness.wait(lambda: self.device.module_pid(component["name"]), 20, f"{component['name']} runs")

    def __exit__(self, *_):
        self.device.destroy()
        self.hub.kill()
        shutil.rmtree(self.path, ignore_errors=True)
