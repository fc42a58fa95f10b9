"""Figures of a permission: from the question to the mail, from the answer to the first packet, and what is seen of it."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import harness
from calls import Counter
from smtp_server import FaultyServer
from world import Caller, World

HERE = pathlib.Path(__file__).resolve().parent
EXPERIMENTAL = 253  # the protocol that first.bpf.c counts
ACTIVATIONS = "/apis/workflow.symphony/v1/namespaces/default/activations"
COUNTER = harness.component("counter", "/artifacts/first.bpf.o", "ebpf", attach="xdp:lo:skb")
CAMPAIGN = {
    "apiVersion": "workflow.symphony/v1", "kind": "Campaign", "metadata": {"name": "look"},
    "spec": {"firstStage": "ask", "selfDriving": True, "stages": {
        "ask": {"provider": "providers.stage.approval",
                "config": {"approves": {"stage": "change"}, "reason": "a measurement"},
                "stageSelector": "${{$if($equal($output(ask,status), 200),'change','')}}"},
        "change": {"provider": "providers.stage.patch", "window": {"length": "10m"},
                   "inputs": {"objectType": "solution", "objectName": "tiny-app", "patchSource": "inline",
                              "patchContent": COUNTER, "patchAction": "add"}}}}}
ACTIVATION = {"apiVersion": "workflow.symphony/v1", "kind": "Activation", "metadata": {"name": "look"},
              "spec": {"campaign": "look"}}


def push(world, name):
    """An object of this folder, built by hand as people do it."""
    built = world.path / f"{name}.bpf.o"
    subprocess.run(["clang", "-target", "bpf", "-g", "-O2", "-idirafter", f"/usr/include/{os.uname().machine}-linux-gnu",
                    "-c", HERE / f"{name}.bpf.c", "-o", built], check=True)
    world.hub.push(built)


def prepare(world):
    """The web server runs, and a campaign waits to be activated."""
    world.hub.push()
    push(world, "first")
    edge = harness.target()
    edge["spec"].pop("topologies")  # without bindings it takes every type
    world.hub.apply(edge, harness.solution(harness.component()), harness.instance(), CAMPAIGN)
    harness.wait(lambda: world.device.module_pid(), 20, "the module runs")


def pending(caller):
    found = caller.call("GET", "/piccolo/v1/approvals")["approvals"]
    return next((one["name"] for one in found if one["phase"] == "Pending"), None)


def decide(caller, name, verb):
    caller.call("POST", f"/piccolo/v1/approvals/default/{name}/{verb}", {})


@contextlib.contextmanager
def packets():
    """One on loopback each half millisecond."""
    over = threading.Event()

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, EXPERIMENTAL) as out:
            while not over.wait(0.0005):
                out.sendto(b"packet", ("127.0.0.1", 0))

    worker = threading.Thread(target=send)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def first_counted(counter, started):
    while not counter.counted():
        if time.monotonic() - started > 10:
            raise AssertionError("nothing is counted 10 s after the decision")
        time.sleep(0.0005)
    return time.monotonic() - started


def decision_once(world, caller):
    caller.call("POST", ACTIVATIONS, ACTIVATION)
    name = harness.wait(lambda: pending(caller), 10, "somebody is asked")
    counter = Counter("bench_first_total")
    try:
        with packets():
            decide(caller, name, "approve")
            took = first_counted(counter, caller.started)
    finally:
        counter.close()
    caller.call("DELETE", ACTIVATIONS + "/look")
    harness.wait(lambda: not world.device.component("counter"), 20, "the program is gone")
    return took


def decision(report):
    with World() as world, Caller(world.hub) as caller:
        prepare(world)
        times = [decision_once(world, caller) for _ in range(5 if report.quick else 20)]
    report.time("decision (POST) to the first packet counted", times, target=150)


def mail_once(caller, server):
    caller.call("POST", ACTIVATIONS, ACTIVATION)
    started = caller.started
    harness.wait(lambda: server.received, 10, "a mail has come", every=0.001)
    took = server.received.pop()[0] - started
    decide(caller, pending(caller), "reject")
    caller.call("DELETE", ACTIVATIONS + "/look")
    return took


def mail(report):
    with FaultyServer() as server, World("--smtp-url", server.url, "--mail-from", "piccolo@edge.test") as world:
        prepare(world)
        world.hub.ctl("approver", "add", "ops@edge.test", "--by-mail")
        with Caller(world.hub) as caller:
            times = [mail_once(caller, server) for _ in range(5 if report.quick else 20)]
    report.time("activation (POST) to its mail handed to SMTP", times, target=50)


def get(port):
    """The whole answer to a scrape, headers too."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        pieces = []
        while piece := connection.recv(1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def series(port):
    return len(re.findall(rb"^bench_series_total\{", get(port), re.M))


def dump():
    """What reads the same map, and takes about the same words to say it."""
    harness.run("bpftool", "-j", "map", "dump", "name", "bench_series_total"[:15])


def scrape(report):
    ours, peer = [], []
    with World() as world:
        push(world, "series")
        world.allow(harness.component("counter", "/artifacts/series.bpf.o", "ebpf", attach="xdp:lo:skb"), 600)
        port = world.device.metrics_port
        harness.wait(lambda: series(port) == 1000, 10, "1,000 series")
        for _ in range(20 if report.quick else 100):
            started = time.monotonic()
            get(port)
            between = time.monotonic()
            dump()
            ours.append(between - started)
            peer.append(time.monotonic() - between)
    report.time("scrape of 1,000 series on the device", ours, target=5)
    report.ratio("the same, seconds", ours, peer, "bpftool map dump of the same map")


ALL = {"decision": decision, "scrape": scrape, "mail": mail}
