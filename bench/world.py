"""A hub and a device of its own for each figure, apart as under systemd."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import harness


def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="piccolo-bench-"))
    path.chmod(0o755)
    return path


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
        status, answer = self.hub.api("POST", "/piccolo/v1/approvals", asked)
        if status != 201:
            raise AssertionError(f"{status}: {answer}")
        self.hub.ctl("approve", answer["name"])
        return harness.wait(lambda: self.device.module_pid(component["name"]), 20, f"{component['name']} runs")

    def __exit__(self, *_):
        self.device.destroy()
        self.hub.kill()
        shutil.rmtree(self.path, ignore_errors=True)
