"""Figures of hub, device and module, one function each."""

import http.client
import re
import shutil
import subprocess
import time

import harness
from measure import cpu_ms, memory, wakeups
from world import Caller, World, folder


def size(report):
    piccolo = harness.BIN / "piccolo"
    report.count("piccolo, stripped", [piccolo.stat().st_size], 1.6e6, "bytes")
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", subprocess.run(["readelf", "-d", piccolo], capture_output=True, text=True).stdout)
    report.count("libraries besides libc", [len([n for n in needed if not n.startswith("libc.so")])], 0, "")
    for name in ("piccolo-hub", "piccoloctl"):
        report.note(f"{name}: {(harness.BIN / name).stat().st_size} bytes")


def idle_device(report):
    seconds = 20 if report.quick else 60
    rows = []
    for _ in range(report.runs):
        with World() as world:
            pids = world.supervisor_and_agent()
            # Settled: nothing has run for three seconds.
            last = [None]

            def quiet():
                now = [wakeups(pid) for pid in pids]
                time.sleep(3)
                same, last[0] = [wakeups(pid) for pid in pids] == now, now
                return same

            harness.wait(quiet, 60, "the device is idle")
            before = [(wakeups(pid), cpu_ms(pid)) for pid in pids]
            time.sleep(seconds)  # the time that is measured
            after = [(wakeups(pid), cpu_ms(pid)) for pid in pids]
            figures = [memory(pid) for pid in pids]
            rows.append((sum(f[0] for f in figures), sum(f[1] for f in figures),
                         sum(a[0] - b[0] for a, b in zip(after, before)) * 60 / seconds,
                         sum(a[1] - b[1] for a, b in zip(after, before)) * 60 / seconds))
    report.count("supervisor + agent, PSS", [r[0] for r in rows], 1.8 * 1024, "KiB")
    report.count("supervisor + agent, private dirty", [r[1] for r in rows], 0.6 * 1024, "KiB")
    report.count("wake-ups a minute", [r[2] for r in rows], 2, "")
    report.count("CPU a minute", [round(r[3], 2) for r in rows], 1, "ms")


def idle_hub(report):
    values = []
    for _ in range(report.runs):
        with World() as world:
            values.append(memory(world.hub.pid)[0])
    report.count("hub with TLS, one device, PSS", values, 8 * 1024, "KiB")


def module(report):
    values = []
    for _ in range(report.runs):
        with World() as world:
            pid = world.deploy()
            harness.wait(lambda: harness.http_get(8085)[0] == 200, 10, "the module answers")
            time.sleep(1)  # idle is: nothing asked for a second
            values.append(memory(pid)[0])
    report.count("one idle module's process, PSS", values, 400, "KiB")


def wrk(port, seconds):
    done = harness.run("wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{port}/", timeout=seconds + 30)
    errors = re.search(r"Socket errors:.*", done.stdout)
    if errors or "Non-2xx" in done.stdout:
        raise AssertionError(f"wrk saw errors:\n{done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def load(report):
    seconds = 2 if report.quick else 5
    native = harness.BUILD / "samples" / "tiny-http-native"
    ours, peer = [], []
    with World() as world:
        world.deploy()
        harness.wait(lambda: harness.http_get(8085)[0] == 200, 10, "the module answers")
        port = harness.free_port()
        process = subprocess.Popen([native, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            harness.wait(lambda: harness.http_get(port)[0] == 200, 10, "the native server answers")
            for _ in range(1 if report.quick else 5):
                ours.append(wrk(8085, seconds))
                peer.append(wrk(port, seconds))
        finally:
            process.kill()
            process.wait()
    report.ratio("requests/s at 16 connections, the module", ours, peer, "the same C server, native", at_least=0.5)


def first_answer(started, seconds=10):
    """Time from `started` until the module's first 200."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", 8085, timeout=1)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return time.monotonic() - started
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() - started > seconds:
            raise AssertionError("the module did not answer")
        time.sleep(0.0005)


def closed():
    try:
        harness.http_get(8085, timeout=1)
    except OSError:
        return True
    return False


def apply(report):
    kubectl, to_answer = [], []
    with World() as world:
        world.hub.push()
        for name in ("target.yaml", "solution.yaml"):
            world.hub.ctl("apply", "-f", harness.TINY_EDGE / name)
        instance = (harness.TINY_EDGE / "instance.yaml").read_text()
        body = {"apiVersion": "solution.symphony/v1", "kind": "Instance", "metadata": {"name": "tiny-app"},
                "spec": {"solution": "tiny-app", "target": {"name": "tiny-edge"}}}
        path = "/apis/solution.symphony/v1/namespaces/default/instances"
        for _ in range(5 if report.quick else 20):
            with Caller(world.hub) as caller:
                caller.call("POST", path, body)
                to_answer.append(first_answer(caller.started))
            world.hub.api("DELETE", path + "/tiny-app")
            harness.wait(closed, 10, "the module is gone")
            harness.wait(lambda: not world.device.component(), 10, "the component is gone")
        for _ in range(3 if report.quick else 5):
            started = time.monotonic()
            world.hub.kubectl("apply", "-f", "-", input=instance)
            kubectl.append(time.monotonic() - started)
            world.hub.api("DELETE", path + "/tiny-app")
    report.time("apply (POST) to the module's first HTTP 200", to_answer, target=30)
    report.time("kubectl apply by itself, for comparison", kubectl)


def hub_start(report):
    ours, peer = [], []
    path = folder()
    try:
        hub = harness.Hub(path / "hub").start()  # makes the CA and the database once
        hub.stop()
        database = path / "peer.db"
        subprocess.run(["sqlite3", database, "create table t(a); insert into t values(1);"], check=True)
        for _ in range(5 if report.quick else 15):
            started = time.monotonic()
            hub.launch(harness.BIN / "piccolo-hub", "--dev", "--state", hub.state, "--listen", f"127.0.0.1:{hub.port}")
            while True:
                try:
                    if hub.api("GET", "/healthz", token=False)[0] == 200:
                        break
                except OSError:
                    time.sleep(0.0005)
            ours.append(time.monotonic() - started)
            hub.stop()
            started = time.monotonic()
            subprocess.run(["sqlite3", database, "select * from t;"], check=True, capture_output=True)
            peer.append(time.monotonic() - started)
    finally:
        shutil.rmtree(path, ignore_errors=True)
    report.ratio("hub start to first answer over TLS, seconds", ours, peer, "sqlite3 start and one query")
    report.time("hub start to first answer", ours)


ALL = {"size": size, "idle-device": idle_device, "idle-hub": idle_hub, "module": module, "load": load, "apply": apply,
       "hub-start": hub_start}
