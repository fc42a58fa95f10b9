"""The real programs under test, started and ended by context managers. Nothing here sleeps in hope: `wait` polls a
condition with an end and says what it saw last."""

import atexit
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PICCOLO_BUILD", ROOT / "build" / "dev"))
BIN = pathlib.Path(os.environ.get("PICCOLO_BIN", BUILD / "bin"))
SAMPLES = BUILD / "samples"
FULL = bool(os.environ.get("PICCOLO_FULL"))  # what takes minutes is run too
SLOW = 4 if "asan" in BUILD.name else 1  # sanitizers cost time; limits here are limits, not measurements
MODULE = SAMPLES / "tiny-http.wasm"
TINY_EDGE = ROOT / "samples" / "tiny-edge"
TINY_APP = pathlib.Path(tempfile.mkdtemp(prefix="tiny-app-"))  # the application of it alone, without its campaign
for sample in ("target.yaml", "solution.yaml", "instance.yaml"):
    shutil.copy(TINY_EDGE / sample, TINY_APP)
atexit.register(shutil.rmtree, TINY_APP)
TITLE = "Web server inside WebAssembly"  # of the sample's page
USERS = range(1900000000, 1900001000)  # of workloads, in the shipped policy


def program_for_anybody(name, folder):
    """A copy that another user can start: the build may lie in a folder that is closed to others."""
    copy = pathlib.Path(folder) / name
    if not copy.exists():
        shutil.copy(BIN / name, copy)
    copy.chmod(0o755)
    return copy


def wait(condition, seconds=10, what="the condition", every=0.02):
    """Calls `condition` until it answers something true; returns that. What it raised or answered last is told."""
    end = time.monotonic() + seconds * SLOW
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError) as failure:
            last = failure
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {seconds * SLOW} s; last: {last!r}")
        time.sleep(every)


def walkable(path):
    """Lets other users come through to what is in `path`: the agent is one."""
    for parent in [path, *path.parents]:
        if str(parent) in ("/", "/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_get(port, path="/", address="127.0.0.1", timeout=3):
    """Status and body of a plain HTTP GET."""
    import http.client

    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Program:
    """One process with its log."""

    def __init__(self, log):
        self.log = pathlib.Path(log)
        self.process = None

    def launch(self, *command, **more):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        out = open(self.log, "ab")
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=out, start_new_session=True, **more)
        out.close()
        return self.process

    @property
    def pid(self):
        return self.process.pid

    def kill(self, signo=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signo)
            try:
                self.process.wait(20 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.process.args[0]} did not end after {signal.Signals(signo).name}; log: {self.log}")

    def tail(self, lines=30):
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def run(*command, check=True, env=None, input=None, timeout=60):
    done = subprocess.run([str(part) for part in command], env={**os.environ, **(env or {})}, input=input,
                          stdin=None if input is not None else subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout * SLOW)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def component(name="wasm-module", url="/artifacts/tiny-http.wasm", type="wasm", **properties):
    """A component; `listen="8090"` is its property `wasm.listen`."""
    dotted = {f"{type}.{key}": value for key, value in properties.items()}
    return {"name": name, "type": type, "properties": {**({f"{type}.url": url} if url else {}), **dotted}}


def server(name="wasm-module", port=8085):
    """The sample's server on another port."""
    return component(name, listen=str(port), args=str(port))


def solution(*components, name="tiny-app"):
    return {"apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": name},
            "spec": {"components": list(components)}}


def instance(name="tiny-app", target="tiny-edge"):
    return {"apiVersion": "solution.symphony/v1", "kind": "Instance", "metadata": {"name": name},
            "spec": {"solution": name, "target": {"name": target}}}


def target(name="tiny-edge"):
    config = {"inCluster": "true", "targetName": name}
    return {"apiVersion": "fabric.symphony/v1", "kind": "Target", "metadata": {"name": name},
            "spec": {"topologies": [{"bindings": [{"role": "wasm", "provider": "providers.target.staging", "config": config}]}]}}


class WebServer:
    """Somebody else's HTTP server on loopback: each path answers what `pages` holds, (status, content type, body)."""

    def __init__(self):
        self.pages, self.seen = {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.seen.append(self.path)
                status, kind, body = web.pages.get(self.path, (404, "text/plain", b"nothing here"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, path, body, kind="application/wasm", status=200):
        self.pages[path] = (status, kind, body)
        return self.url + path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Hub(Program):
    def __init__(self, folder, *options, port=None):
        super().__init__(pathlib.Path(folder) / "hub.log")
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.port = port or free_port()
        self.options = options
        self.home = self.folder / "home"

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self):
        return self.state / "kubeconfig"

    @property
    def token(self):
        return (self.state / "admin.token").read_text().strip()

    @property
    def environment(self):
        return {"HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        self.launch(BIN / "piccolo-hub", "--dev", "--state", self.state, "--listen", f"127.0.0.1:{self.port}", *self.options)
        wait(self.ready, 15, f"the hub is ready (log: {self.log}):\n{self.tail()}")
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"piccolo-hub ended with {self.process.returncode}; log {self.log}:\n{self.tail()}")
        return self.kubeconfig.exists() and self.api("GET", "/readyz")[0] == 200

    def stop(self):
        self.kill(signal.SIGTERM)

    def api(self, method, path, body=None, token=True, headers=None, timeout=10):
        """Status and body (JSON when it is) over the TLS listener, as administrator unless told otherwise."""
        import http.client
        import ssl

        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # tests of trust use the real programs
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout * SLOW)
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {self.token if token is True else token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text
        finally:
            connection.close()

    def kubectl(self, *arguments, check=True, input=None, timeout=60):
        return run("kubectl", *arguments, check=check, env=self.environment, input=input, timeout=timeout)

    def ctl(self, *arguments, check=True, input=None, timeout=60):
        return run(BIN / "piccoloctl", *arguments, check=check, env=self.environment, input=input, timeout=timeout)

    def get(self, kind, name):
        return json.loads(self.kubectl("get", kind, name, "-o", "json").stdout)

    def condition(self, kind, name, wanted):
        for condition in self.get(kind, name).get("status", {}).get("conditions", []):
            if condition["type"] == wanted:
                return condition
        return None

    def is_ready(self, name, kind="instance"):
        condition = self.condition(kind, name, "Ready")
        return condition is not None and condition["status"] == "True"

    def push(self, module=MODULE, name=None):
        return json.loads(self.ctl("push", module, *(["--name", name] if name else []), "-o", "json").stdout)

    def apply(self, *objects, check=True):
        return self.ctl("apply", "-f", "-", check=check, input="\n---\n".join(json.dumps(item) for item in objects))

    def deploy(self, *components, name="tiny-app", to="tiny-edge"):
        """The whole of an application in one apply."""
        self.apply(target(to), solution(*components, name=name), instance(name, to))

    def part(self, component="wasm-module", instance="tiny-app"):
        """What the instance's status says of one component."""
        for part in self.get("instance", instance).get("status", {}).get("components", []):
            if part["name"] == component:
                return part
        return None

    def device_state(self, name="tiny-edge"):
        for device in json.loads(self.ctl("device", "list", "-o", "json").stdout)["devices"]:
            if device["name"] == name:
                return device
        return None

    def apply_sample(self):
        self.push()
        self.ctl("apply", "-f", TINY_APP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class Device(Program):
    """A supervisor and an agent, as `piccolo` in a terminal, or apart (start_supervisor, start_agent)."""

    def __init__(self, folder, hub=None, target="tiny-edge", policy=None):
        super().__init__(pathlib.Path(folder) / "device.log")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hub = hub
        self.target = target
        self.policy = self.folder / "policy.conf"
        self.policy.write_text(policy or (ROOT / "etc" / "policy.conf").read_text())
        self.state = self.folder / "state"
        self.run_dir = self.folder / "run"
        self.metrics_port = free_port()
        self.supervisor = Program(self.log)
        self.agent = Program(self.log)

    @property
    def options(self):
        return ["--config", self.folder / "piccolo.conf", "--policy", self.policy, "--state", self.state,
                "--run-dir", self.run_dir]

    def piccolo(self, *arguments, check=True, input=None, timeout=60):
        return run(BIN / "piccolo", *arguments, *self.options, check=check, input=input, timeout=timeout)

    def enroll(self):
        return json.loads(self.hub.ctl("enroll", self.target, "-o", "json").stdout)

    def join(self, enrolled=None, check=True, url=None):
        enrolled = enrolled or self.enroll()
        return self.piccolo("join", url or self.hub.url, "--target", self.target, "--ca-pin", enrolled["ca-pin"],
                            "--token-file", "-", check=check, input=enrolled["token"] + "\n")

    def start(self):
        self.launch(BIN / "piccolo", *self.options, "--metrics", f"127.0.0.1:{self.metrics_port}")
        wait(self.status, 10, f"the device answers (log: {self.log})")
        return self

    def start_supervisor(self):
        self.supervisor.launch(BIN / "piccolo", "supervise", *self.options)
        wait((self.run_dir / "supervisor.sock").exists, 10, f"the supervisor listens (log: {self.log})")

    def start_agent(self):
        self.agent.launch(BIN / "piccolo", "agent", *self.options, "--metrics", f"127.0.0.1:{self.metrics_port}")
        wait(self.status, 10, f"the agent answers (log: {self.log})")

    def start_apart(self):
        """As the two systemd units do: workloads outlive both."""
        self.start_supervisor()
        self.start_agent()

    def stop(self):
        for program in (self, self.agent, self.supervisor):
            program.kill(signal.SIGTERM)

    def status(self):
        done = self.piccolo("status", "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def component(self, name="wasm-module", instance="tiny-app"):
        status = self.status()
        for component in (status or {}).get("components", []):
            if component["component"] == name and component["instance"] == instance:
                return component
        return None

    def module_pid(self, name="wasm-module", instance="tiny-app"):
        component = self.component(name, instance)
        pid = component and component.get("evidence", {}).get("pid")
        return pid if pid and component["phase"] == "Running" and alive(pid) else None

    def page(self, port=8085, path="/"):
        """The module's page, or None while nothing answers."""
        with contextlib.suppress(OSError, EOFError):
            status, body = http_get(port, path)
            return body if status == 200 else None

    def serves(self, port=8085, name="wasm-module", seconds=10):
        """Waits for the sample's page; the pid of its module."""
        return wait(lambda: TITLE in (self.page(port) or "") and self.module_pid(name), seconds,
                    f"the page on port {port} (log: {self.log})")

    def processes(self):
        """Who is in the cgroups of workloads, by workload."""
        found = {}
        for folder in cgroups_of(self):
            with contextlib.suppress(OSError):
                pids = {int(pid) for pid in pathlib.Path(folder, "cgroup.procs").read_text().split()}
                found.setdefault(os.path.basename(folder), set()).update(pids)
        return found

    def leftovers(self):
        """What of workloads is still on the machine: processes, cgroups, files, mounts."""
        found = []
        for folder in (self.state / "store", self.state / "log", self.state / "held", self.run_dir / "w",
                       self.state / "agent" / "downloads"):
            if folder.exists():
                found += [str(path) for path in folder.rglob("*")]
        found += cgroups_of(self)
        for info in pathlib.Path("/proc").glob("[0-9]*/mountinfo"):
            with contextlib.suppress(OSError):
                if str(self.folder) in info.read_text():
                    found.append(f"mount in {info}")
        return found

    def destroy(self):
        self.stop_quietly()
        if self.folder.exists():
            self.piccolo("purge", check=False)

    def stop_quietly(self):
        for program in (self, self.agent, self.supervisor):
            with contextlib.suppress(AssertionError):
                program.kill(signal.SIGTERM)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()


def workload_processes():
    """Every process of a workload's user on this machine, whoever knows of it."""
    found = set()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid in USERS and alive(folder.name):
                found.add(int(folder.name))
    return found


def cgroups_of(device):
    """Folders of this device's workloads in every cgroup tree."""
    found = []
    for path in pathlib.Path("/sys/fs/cgroup").rglob(cgroup_name(device)):
        found += [str(inner) for inner in path.iterdir() if inner.is_dir() and inner.name != "supervisor"]
    return found


def cgroup_name(device):
    """The supervisor's folder, named after its run folder."""
    return "piccolo-" + hashlib.sha256(str(device.run_dir).encode()).hexdigest()[:12]
