"""Whatever is wrong: one sentence that names the object and the cause, in the status and where a person types. The other
components go on, what ran before keeps running, and when the trouble is over nobody has to do anything more."""

import datetime
import hashlib
import json
import os
import re
import signal
import socket
import time

import pytest

import harness
from harness import (MODULE, SAMPLES, TITLE, WebServer, alive, component, instance, server, solution, target, wait,
                     workload_processes)

GOOD = MODULE.read_bytes()
DIGEST = hashlib.sha256(GOOD).hexdigest()
PORTAL = b"<!DOCTYPE html><html><body>Please accept our terms</body></html>"


@pytest.fixture(scope="module")
def web():
    with WebServer() as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One hub and one device for all; a component `good` runs all the time."""
    work = harness.walkable(tmp_path_factory.mktemp("bad"))
    with harness.Hub(work / "hub") as hub, harness.Device(work / "device", hub=hub) as device:
        device.join()
        device.start()
        hub.push()
        for name in ("missing", "trap", "exit"):
            hub.push(SAMPLES / f"test-{name}.wasm")
        yield hub, device


def sentence(text, *words):
    assert text and "\n" not in text and len(text) < 420, text
    assert all(word in text for word in words), (text, words)
    return True


def shown(hub, device, words, name="x", phases=("Failed", "Refused", "Backoff")):
    """The same sentence on the device, in the instance and in its condition; the hub's copy names the device, too."""
    def here():
        part = device.component(name)
        assert part and part["phase"] in phases, part
        return sentence(part["message"], *words)

    def there():
        part = hub.part(name)
        assert part["phase"] in phases, part
        ready = hub.condition("instance", "tiny-app", "Ready")
        assert ready["status"] == "False" and re.fullmatch("[A-Z][A-Za-z]+", ready["reason"]), ready
        return sentence(part["message"], f"{name} on tiny-edge", *words) and sentence(ready["message"], name, *words)

    def both():  # while it starts once more, the last error is what has gone wrong in this life so far
        described = hub.kubectl("describe", "instance", "tiny-app").stdout
        assert words[0] in device.piccolo("status").stdout
        assert all(word in described for word in words), described
        return True

    wait(here, 10, "the device says so")
    wait(there, 10, "the hub says so")
    wait(both, 10, "the two commands say so")


def unharmed(device, pid, port=8085, name="good"):
    assert device.component(name)["evidence"]["pid"] == pid and alive(pid) and TITLE in device.page(port)


# -- what never gets in -------------------------------------------------------------------------------------------------------

TYPED = {
    "an unknown type": (component(type="wasmm"), "spec.components[0].type", 'did you mean "wasm"?'),
    "an unknown property": (component(lisen="8085"), "spec.components[0].properties[wasm.lisen]", 'did you mean "wasm.listen"?'),
    "a property of another type": ({**component(), "properties": {"wasm.url": "/artifacts/a", "ebpf.hook": "x"}},
                                   "spec.components[0].properties[ebpf.hook]", "belongs to type ebpf"),
    "a port that does not exist": (component(listen="0.0.0.0:99999"), "spec.components[0].properties[wasm.listen]",
                                   "ports from 1 to 65535"),
    "an address that is none": (component(listen="localhost:8085"), "spec.components[0].properties[wasm.listen]",
                                "'localhost:8085' is not a port"),
    "a quote that is not closed": (component(args="'open"), "spec.components[0].properties[wasm.args]", "quote"),
    "a URL of another kind": (component(url="ftp://example.org/a.wasm"), "spec.components[0].properties[wasm.url]", "http://"),
    "a URL without a host": (component(url="https:///a.wasm"), "spec.components[0].properties[wasm.url]", "host"),
    "no URL": (component(url=None), "spec.components[0].properties[wasm.url]", "required"),
    "a digest that is none": (component(sha256="abc"), "spec.components[0].properties[wasm.sha256]", "64 hexadecimal digits"),
    "a size that is none": (component(memory="plenty"), "spec.components[0].properties[wasm.memory]", "64M"),
    "a restart that is none": (component(restart="sometimes"), "spec.components[0].properties[wasm.restart]", "on-failure"),
    "a number where text belongs": (component(listen=8085), "spec.components[0].properties[wasm.listen]", "quotes"),
    "a name that is no file name": (component("../x"), "spec.components[0].name", "lower-case"),
    "an unknown field": ({**component(), "propertees": {}}, "spec.components[0].propertees", 'did you mean "properties"?'),
}


UNKNOWN = ("an unknown property", "a property of another type", "an unknown field")  # kubectl's own rules for these: below


@pytest.fixture(scope="module")
def sample(world):
    hub, device = world
    hub.apply(target(), instance())
    hub.kubectl("apply", "-f", "-", input=json.dumps(solution(server("good"))))
    return hub, device, device.serves(name="good")


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_wrong_is_refused_with_its_path(sample, name):
    hub, device, pid = sample
    wrong, path, words = TYPED[name]
    text = json.dumps(solution(wrong))
    before = hub.get("solution", "tiny-app")["metadata"]["generation"]
    done = hub.ctl("apply", "-f", "-", check=False, input=text)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done
    assert f"standard input:1: {path}: " in done.stderr and words in done.stderr, done.stderr
    if name not in UNKNOWN:
        done = hub.kubectl("apply", "-f", "-", check=False, input=text)
        assert done.returncode == 1 and done.stdout == "", done
        assert "tiny-app" in done.stderr and path in done.stderr and words in done.stderr, done.stderr
    assert hub.get("solution", "tiny-app")["metadata"]["generation"] == before
    unharmed(device, pid)


def test_an_old_kubectl_is_warned_of_an_unknown_property_and_the_status_tells(sample):
    """It sends no wish for strict validation, so it gets Kubernetes' default: a warning."""
    hub, device, pid = sample
    if "v1.20" not in hub.kubectl("version", "--client", "--short").stdout:
        pytest.skip("this kubectl asks for strict validation")
    done = hub.kubectl("apply", "-f", "-", input=json.dumps(solution(component("good", lisen="8085"))))
    assert 'Warning: unknown field "spec.components[0].properties[wasm.lisen]" (did you mean "wasm.listen"?)' in done.stderr
    shown(hub, device, ["wasm.lisen: there is no such property; did you mean wasm.listen?"], name="good")
    unharmed(device, pid)
    done = hub.kubectl("apply", "-f", "-", check=False, input=json.dumps(solution({**component("good"), "propertees": {}})))
    assert done.returncode == 1 and 'Solution.spec.components[0]): unknown field "propertees"' in done.stderr
    hub.apply(solution(server("good")))
    wait(lambda: hub.is_ready("tiny-app"), 5, "Ready")
    unharmed(device, pid)


def test_text_that_is_no_yaml_or_json_names_the_line(sample, work):
    hub, device, pid = sample
    for name, text, words in (("a.yaml", "kind: Solution\nspec:\n  components: [\n", ":4:"),
                              ("b.yaml", "kind: Solution\n\tspec: x\n", ":2:"),
                              ("c.json", '{"kind": "Solution",\n "spec": {', ":3:"),
                              ("d.yaml", "just words", ""),
                              ("e.yaml", "a: &a [*a]\n", "")):
        path = work / name
        path.write_text(text)
        done = hub.ctl("apply", "-f", path, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1 and f"{path}" in done.stderr and words in done.stderr, done
        assert hub.kubectl("apply", "-f", path, check=False).returncode != 0
    unharmed(device, pid)


# -- what the hub finds out ----------------------------------------------------------------------------------------------------

RESOLVED = {
    "a page that is not there": (lambda web: web.url + "/none.wasm", ["404"]),
    "nobody listens": (lambda web: "http://127.0.0.1:1/x.wasm", ["cannot be fetched", "127.0.0.1:1"]),
    "no such host": (lambda web: "http://no-such-host.invalid/x.wasm", ["no-such-host.invalid"]),
    "the machine's own secrets": (lambda web: "http://169.254.169.254/latest/meta-data", ["169.254.169.254", "link-local"]),
    "never pushed": (lambda web: "/artifacts/nobody.wasm", ["nobody.wasm", "piccoloctl push"]),
}


@pytest.mark.parametrize("url, words", RESOLVED.values(), ids=RESOLVED.keys())
def test_an_address_that_gives_nothing_stalls_only_its_component(world, web, url, words):
    hub, device = world
    hub.deploy(server("good"), component("x", url(web)))
    pid = device.serves(name="good")

    def told():
        stalled = hub.condition("instance", "tiny-app", "Stalled")
        assert stalled["status"] == "True" and stalled["reason"] == "UrlNotResolved"
        return sentence(stalled["message"], "component x", *words) and sentence(hub.part("x")["message"], *words)

    wait(told, 15, "the hub says so")
    assert hub.part("good")["phase"] == "Running" and device.component("x") is None
    events = hub.kubectl("get", "events").stdout
    assert "UrlNotResolved" in events and words[0] in events
    # the good state of before stays when an update goes wrong like this
    hub.apply(solution(component("good", url(web))))
    wait(lambda: words[0] in hub.condition("instance", "tiny-app", "Stalled")["message"], 10, "the hub says so")
    unharmed(device, pid)


def test_what_was_missing_is_taken_as_soon_as_it_is_there(world, web):
    hub, device = world
    path = "/late.wasm"
    web.pages.pop(path, None)
    hub.deploy(component("x", web.url + path, args="8091"), component("y", "/artifacts/late-too.wasm", args="8092"))
    wait(lambda: hub.part("x")["reason"] == hub.part("y")["reason"] == "UrlNotResolved", 10, "both are missed")
    web.serve(path, GOOD)
    hub.push(name="late-too.wasm")
    device.serves(8092, "y", seconds=5)
    device.serves(8091, "x", seconds=20)
    wait(lambda: hub.is_ready("tiny-app"), 5, "Ready")


# -- what the device finds out ---------------------------------------------------------------------------------------------------

def at(data):
    """A path of their own for these bytes: a solution that did not change is not looked up again."""
    return f"/{hashlib.sha256(data).hexdigest()[:8]}/x.wasm"


def module(data, kind="application/wasm"):
    return lambda web: component("x", web.serve(at(data), data, kind))


DEVICE = {
    "another digest": (lambda web: component("x", web.serve("/x.wasm", GOOD), sha256="ab" * 32),
                       ["/x.wasm", DIGEST[:12], "instead of abababababab"]),
    "a portal's page with a digest": (lambda web: component("x", web.serve("/x.wasm", PORTAL, "text/html"), sha256="cd" * 32),
                                      ["/x.wasm", "HTML page, perhaps a captive portal"]),
    "a portal's page": (module(PORTAL, "text/html"), ["looks like a web page"]),
    "nothing": (module(b""), ["the file is empty"]),
    "half a module": (module(GOOD[:len(GOOD) // 2]), ["no valid WebAssembly module"]),
    "a damaged module": (module(GOOD[:9000] + b"\xff\xff\xff\xff" + GOOD[9004:]), ["no valid WebAssembly module"]),
    "another version": (module(b"\0asm\2\0\0\0"), ["version of WebAssembly is unknown"]),
    "a WASI 0.2 component": (module(b"\0asm\x0d\0\x01\0"), ["WASI 0.2 component", "wasm32-wasip1"]),
    "a missing import": (lambda web: component("x", "/artifacts/test-missing.wasm"), ["env.open_the_pod_bay_doors"]),
    # the hub cannot know what an expression will be
    "a port that is none": (lambda web: component("x", listen="0.0.0.0:${{$instance()}}"), ["wasm.listen", "'0.0.0.0:tiny-app'"]),
    "an open quote": (lambda web: component("x", args="'${{$instance()}}"), ["wasm.args", "quote"]),
    "a folder that is none": (lambda web: component("x", dir="here"), ["wasm.dir", "here"]),
    "a port that is not granted": (lambda web: component("x", listen="22"), ["wasm.listen", "add `listen tcp 22`"]),
    "memory over policy": (lambda web: component("x", memory="512M"), ["wasm.memory", "memory-max 536870912"]),
    "a folder that is not granted": (lambda web: component("x", dir="/d:/etc"), ["wasm.dir", "add `folder /etc read-only`"]),
    "a peer that is not granted": (lambda web: component("x", connect="10.0.0.1:443"),
                                   ["wasm.connect", "add `connect tcp 443 to 10.0.0.1`"]),
    "a port it did not declare": (lambda web: component("x", listen="8100", args="8101"),
                                  ["status 1", "wasm.listen does not name tcp:0.0.0.0:8101"]),
    "a port nobody may have": (lambda web: component("x", args="22"), ["status 1", "add `listen tcp 22"]),
    "a trap": (lambda web: component("x", "/artifacts/test-trap.wasm", args="divide"), ["integer divide by zero", "divide_by_nothing"]),
    "an exit": (lambda web: component("x", "/artifacts/test-exit.wasm", args="7"), ["ended with status 7"]),
}
POLICY = ("granted", "over policy")  # in the names above: what policy refuses


@pytest.mark.parametrize("name", DEVICE)
def test_what_cannot_run_says_why_and_stands_alone(world, web, name):
    hub, device = world
    make, words = DEVICE[name]
    hub.deploy(server("good"), make(web))
    pid = device.serves(name="good")
    shown(hub, device, words)
    unharmed(device, pid)
    assert workload_processes() >= {pid} and hub.part("good")["phase"] == "Running"
    why = device.piccolo("policy", "why", "tiny-app/x", check=False)
    if any(word in name for word in POLICY):
        assert why.returncode == 3 and sentence(why.stderr.strip(), *words), why
        assert device.component("x")["phase"] == "Refused"
    # mended, it runs, and its last error can still be looked up: the refusal, when the module was stopped before it gave up
    hub.apply(solution(server("good"), server("x", 8091)))
    device.serves(8091, "x")
    last = device.component("x")["last-error"]
    assert sentence(last) and any(word in last for word in words), last
    wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")
    unharmed(device, pid)


@pytest.mark.parametrize("name", ["another digest", "half a module", "a missing import", "a port that is not granted",
                                  "a port that is none"])
def test_a_bad_update_leaves_the_good_one_running(world, web, name):
    hub, device = world
    make, words = DEVICE[name]
    hub.deploy(server("x"))
    pid = device.serves(name="x")
    hub.apply(solution(make(web)))
    wait(lambda: (part := device.component("x"))["phase"] in ("Failed", "Refused") and sentence(part["message"], *words), 10, "refused")
    assert device.component("x")["message"].endswith("; what ran before keeps running")
    unharmed(device, pid, name="x")
    wait(lambda: hub.condition("instance", "tiny-app", "Ready")["status"] == "False", 5, "not Ready")
    hub.apply(solution(server("x")))
    wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")
    unharmed(device, pid, name="x")  # back at what runs: nothing to do


def test_a_busy_port_is_named_and_taken_when_it_is_free(world):
    hub, device = world
    with socket.socket() as other:
        other.bind(("0.0.0.0", 8099))
        other.listen()
        hub.deploy(server("good"), server("x", 8099))
        pid = device.serves(name="good")
        shown(hub, device, ["tcp:0.0.0.0:8099 is in use"], phases=("Backoff",))
        unharmed(device, pid)
    device.serves(8099, "x", seconds=30)
    wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")
    unharmed(device, pid)


def test_what_a_grant_was_missing_for_starts_with_the_grant(world):
    hub, device = world
    before = device.policy.read_text()
    hub.deploy(server("good"), server("x", 22))
    try:
        shown(hub, device, ["add `listen tcp 22`"], phases=("Refused",))
        device.policy.write_text(before + "listen tcp 22\n")
        device.process.send_signal(signal.SIGHUP)
        device.serves(22, "x")
        wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")
    finally:
        device.policy.write_text(before)
        device.process.send_signal(signal.SIGHUP)


def test_a_damaged_policy_is_told_and_the_last_good_one_stays(world):
    hub, device = world
    before = device.policy.read_text()
    hub.deploy(server("good"))
    pid = device.serves(name="good")
    try:
        device.policy.write_text(before + "alow everything\n")
        line = before.count("\n") + 1
        device.process.send_signal(signal.SIGHUP)
        said = wait(lambda: device.status()["policy-problem"], 5, "the status says so")
        assert f"{device.policy}:{line}" in said and "unknown rule" in said, said
        unharmed(device, pid)
        done = device.piccolo("check", check=False)
        assert done.returncode == 1 and f"{device.policy}:{line}" in done.stdout, done
    finally:
        device.policy.write_text(before)
        device.process.send_signal(signal.SIGHUP)
    wait(lambda: device.status()["policy-problem"] == "", 5, "it is over")


def test_a_type_that_the_device_does_not_know(world):
    hub, device = world
    config = {"inCluster": "true", "targetName": "tiny-edge"}
    wide = target()
    wide["spec"]["topologies"][0]["bindings"].append({"role": "container", "provider": "providers.target.staging", "config": config})
    box = {"name": "x", "type": "container", "properties": {"container.image": "alpine"}}
    hub.apply(target(), solution(server("good"), box), instance())
    pid = device.serves(name="good")
    wait(lambda: sentence(hub.part("x")["message"], "role container", "tiny-edge"), 5, "the hub misses the role")
    hub.apply(wide)
    shown(hub, device, ["container"])
    unharmed(device, pid)


# -- a full disk -------------------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(work):
    """A hub, and a device whose state folder is a disk of 1 MB."""
    with harness.Hub(work / "hub") as hub, harness.Device(work / "device", hub=hub) as device:
        device.state.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "none", device.state)
        try:
            device.join()
            device.start()
            hub.push()
            yield hub, device
        finally:
            device.destroy()
            harness.run("umount", device.state)


def fill(path):
    ballast = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(OSError):
            while True:
                os.write(ballast, bytes(4096))
    finally:
        os.close(ballast)


def test_a_full_disk_on_the_device(small_disk, web):
    hub, device = small_disk
    hub.deploy(server("good", 8181))
    pid = device.serves(8181, "good")
    large = GOOD + b"\0" + b"\xac\x02" + b"\x03pad" + bytes(296)  # other bytes of the same program
    fill(device.state / "ballast")
    hub.apply(solution(server("good", 8181), {**server("x", 8091), "properties": {**server("x", 8091)["properties"],
                                                                             "wasm.url": web.serve("/large.wasm", large)}}))

    def told():
        status = device.status()
        said = [status["problem"], status["message"], (device.component("x") or {}).get("message", "")]
        return any("No space left" in text for text in said)

    wait(told, 15, lambda: f"the device says so; it says {device.status()}")
    unharmed(device, pid, 8181)
    # the hub knows, too
    wait(lambda: "No space left" in json.dumps(hub.device_state()) + json.dumps(hub.get("instance", "tiny-app")["status"]), 15,
         "the hub says so")
    (device.state / "ballast").unlink()
    device.serves(8091, "x", seconds=90)
    unharmed(device, pid, 8181)


def test_logs_on_a_full_disk_do_not_stop_the_module(small_disk):
    hub, device = small_disk
    hub.push(SAMPLES / "test-hello.wasm")
    hub.deploy(server("good", 8181), component("x", "/artifacts/test-hello.wasm"))
    pid = device.serves(8181, "good")
    fill(device.state / "ballast")
    before = wait(lambda: device.component("x")["restarts"], 10, "it runs again and again")
    wait(lambda: device.component("x")["restarts"] > before, 15, "it still does")
    unharmed(device, pid, 8181)


# -- joining -----------------------------------------------------------------------------------------------------------------------

def refused(done, *words, status=1):
    assert done.returncode == status and done.stdout == "", done
    assert done.stderr.count("\n") == 1, done.stderr
    return sentence(done.stderr.strip(), *words)


def test_a_token_that_is_not_good(hub, work):
    with harness.Device(work / "device", hub=hub) as device, \
            harness.Device(work / "other", hub=hub, target="other-edge") as other:
        enrolled = device.enroll()
        refused(device.join({**enrolled, "token": "A" * len(enrolled["token"])}, check=False), "token", status=3)
        refused(device.join({**enrolled, "token": ""}, check=False), "token")
        # of somebody else
        refused(other.join(enrolled, check=False), "token", status=3)
        assert not (other.folder / "piccolo.conf").exists() and not (device.folder / "piccolo.conf").exists()
        device.join(enrolled)
        # used
        refused(device.join(enrolled, check=False), "token", status=3)
        # expired
        short = json.loads(hub.ctl("enroll", "tiny-edge", "--valid", "1s", "-o", "json").stdout)
        wait(lambda: hub.api("GET", "/readyz")[0] == 200 and time.time() > expiry(short) + 1, 5, "it is over")
        refused(device.join(short, check=False), "token", status=3)
        # what it was before it still is
        device.start()
        wait(lambda: device.status()["connection"] == "connected", 10, "connected")


def expiry(enrolled):
    return datetime.datetime.fromisoformat(enrolled["expires"].replace("Z", "+00:00")).timestamp()


def test_a_pin_that_is_not_the_hubs(hub, work):
    with harness.Device(work / "device", hub=hub) as device:
        enrolled = device.enroll()
        wrong = "sha256:" + "ab" * 32
        assert refused(device.join({**enrolled, "ca-pin": wrong}, check=False), enrolled["ca-pin"], "nothing was sent", status=3)
        refused(device.join({**enrolled, "ca-pin": "sha256:short"}, check=False), "--ca-pin must be sha256:", status=2)
        assert not (device.folder / "piccolo.conf").exists()
        device.join(enrolled)  # the token was not spent on a stranger


def test_a_hub_that_is_none(hub, work, web):
    web.serve("/device/v1/authority", PORTAL, "text/html")
    with harness.Device(work / "device", hub=hub) as device:
        enrolled = device.enroll()
        refused(device.join(enrolled, check=False, url="https://127.0.0.1:1"), "127.0.0.1:1", status=4)
        done = device.join(enrolled, check=False, url=web.url)
        assert done.returncode in (1, 2) and done.stderr.count("\n") == 1 and "http" in done.stderr, done
        done = device.join(enrolled, check=False, url=web.url.replace("http:", "https:"))
        assert done.returncode in (1, 4) and done.stderr.count("\n") == 1, done
        refused(device.join(enrolled, check=False, url="not a url"), "not a url", status=2)
        done = device.piccolo("join", hub.url, "--target", "Not_A_Name", "--ca-pin", enrolled["ca-pin"], "--token-file", "-",
                              check=False, input=enrolled["token"])
        assert done.returncode == 2 and "Not_A_Name" in done.stderr and done.stderr.count("\n") == 1, done
        device.join(enrolled)


# -- a clock that is not set -------------------------------------------------------------------------------------------------------

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
/* A machine without a battery: the wall clock began at 1970 with the boot. */
int clock_gettime(clockid_t id, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");

	return real(id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? CLOCK_BOOTTIME : id, out);
}
time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
int gettimeofday(struct timeval *out, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}
"""


@pytest.mark.skipif("asan" in harness.BUILD.name, reason="the sanitizer's runtime must be loaded first")
def test_a_device_whose_clock_is_not_set_works_all_the_same(hub, work, monkeypatch):
    (work / "clock.c").write_text(CLOCK)
    harness.run("cc", "-shared", "-fPIC", "-O2", "-o", work / "clock.so", work / "clock.c", "-ldl")
    with harness.Device(work / "device", hub=hub) as device:
        enrolled = device.enroll()
        hub.push()
        hub.deploy(server(port=8181))
        with monkeypatch.context() as patched:
            patched.setenv("LD_PRELOAD", str(work / "clock.so"))
            device.join(enrolled)
            device.start_apart()
        pid = device.serves(8181)
        status = device.status()
        assert status["agent"]["clock-set"] is False and status["connection"] == "connected"
        assert "not set" in device.piccolo("status").stdout
        wait(lambda: hub.is_ready("tiny-app"), 10, "Ready")
        hub.ctl("delete", "instance/tiny-app")
        wait(lambda: device.leftovers() == [] and not harness.alive(pid), 10, "removed")


# -- the hub's own disk ------------------------------------------------------------------------------------------------------------

def test_a_full_disk_on_the_hub(work):
    state = work / "hub" / "state"
    state.mkdir(parents=True)
    harness.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "none", state)
    try:
        with harness.Hub(work / "hub") as hub:
            hub.apply(target())
            fill(state / "ballast")
            done = hub.ctl("push", MODULE, check=False)
            refused(done, "No space left")
            for port in range(8000, 8100):  # what is free inside the database's file may still be used
                done = hub.apply(solution(*(server(f"c{index}", port) for index in range(100))), check=False)
                if done.returncode != 0:
                    break
            assert done.returncode == 1 and done.stderr.count("\n") == 1, done
            assert hub.get("target", "tiny-edge")["metadata"]["generation"] == 1  # it answers
            (state / "ballast").unlink()
            wait(lambda: hub.apply(solution(server())).returncode == 0, 10, "it takes changes again")
            hub.push()
    finally:
        harness.run("umount", state)
