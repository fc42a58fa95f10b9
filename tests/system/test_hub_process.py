"""The hub as a process: options, first start, stop, kill -9, a full disk, what it weighs."""

import ctypes
import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from hub_client import Identity, apply_app, as_json, request

HUB = harness.BIN / "piccolo-hub"


def refused(*options, code=None):
    done = harness.run(HUB, *options, check=False)
    assert done.returncode != 0 and (code is None or done.returncode == code), done
    *log, sentence = done.stderr.splitlines()
    assert sentence.startswith(("piccolo-hub: ", "piccolo-hub has ")) and all(line.startswith("time=") for line in log), done.stderr
    return sentence


# options

def test_options_that_need_each_other(work):
    state = ["--state", work / "state"]
    assert "give both" in refused(*state, "--tls-cert", "x", code=2)
    assert "loopback" in refused(*state, "--listen-http", "0.0.0.0:8082", code=2)
    assert "loopback" in refused(*state, "--listen-http", ":8082", code=2)
    assert "--listen-http" in refused(*state, "--insecure-demo", code=2)
    assert "https://" in refused(*state, "--public-url", "http://x", code=2)
    assert "log-level" in refused(*state, "--log-level", "loud", code=2)
    assert "--listne" in refused(*state, "--listne", "x", code=2)
    assert not (work / "state").exists()


def test_what_cannot_be_used(work):
    state = ["--state", work / "state"]
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert f"127.0.0.1:{port}" in refused(*state, "--listen", f"127.0.0.1:{port}", code=1)
    assert "nowhere" in refused(*state, "--listen", "nowhere:1", code=1)
    (work / "bad.pem").write_text("no certificate")
    message = refused(*state, "--tls-cert", work / "bad.pem", "--tls-key", work / "bad.pem", code=1)
    assert "--tls-cert" in message
    (work / "file").write_text("")
    refused("--state", work / "file", code=1)


def test_one_hub_to_a_state_folder(hub):
    message = refused("--state", hub.state, "--listen", "127.0.0.1:0", code=1)
    assert "another piccolo-hub is running" in message and str(hub.state) in message


def test_a_configuration_file_and_the_environment(work):
    port = harness.free_port()
    (work / "hub.conf").write_text(f"# a comment\nlisten = 127.0.0.1:{port}\nstate = {work}/state\n")
    hub = harness.Program(work / "log")
    hub.launch(HUB, "--config", work / "hub.conf", env={**os.environ, "PICCOLO_LOG_FORMAT": "json"})
    try:
        harness.wait(lambda: request(port, "GET", "/healthz")[0] == 200, 10)
        assert json.loads(hub.log.read_text().splitlines()[0])["event"]
    finally:
        hub.kill(signal.SIGTERM)


# first start

def test_the_first_token_goes_to_a_file_without_a_terminal(work):
    hub = harness.Program(work / "log")
    port = harness.free_port()
    hub.launch(HUB, "--state", work / "state", "--listen", f"127.0.0.1:{port}")
    try:
        harness.wait(lambda: request(port, "GET", "/readyz")[0] == 200, 10)
    finally:
        hub.kill(signal.SIGTERM)
    file = work / "state" / "admin.token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in hub.log.read_text()
    assert not (work / "state" / "kubeconfig").exists()


def test_the_first_token_goes_to_the_terminal(work):
    port = harness.free_port()
    ours, theirs = pty.openpty()
    hub = subprocess.Popen([HUB, "--state", work / "state", "--listen", f"127.0.0.1:{port}"], stdout=theirs,
                           stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    os.close(theirs)
    try:
        harness.wait(lambda: request(port, "GET", "/readyz")[0] == 200, 10)
        shown = os.read(ours, 4096).decode()
        token = next(word for word in shown.split() if word.startswith("pica_"))
        assert request(port, "GET", "/metrics", headers={"Authorization": f"Bearer {token}"})[0] == 200
    finally:
        hub.terminate()
        log = hub.communicate(timeout=20)[1]
        os.close(ours)
    assert token not in log
    assert not (work / "state" / "admin.token").exists()


def test_everything_in_the_state_folder_is_private(hub):
    apply_app(hub)
    for path in [hub.state, *hub.state.rglob("*")]:
        mode = path.stat().st_mode & 0o077
        assert mode == 0 or path.name == "authority.pem", path
    assert hub.kubectl("get", "instances").stdout.startswith("NAME")


def test_a_new_token_ends_the_old_one(hub):
    old = hub.token
    assert "another piccolo-hub" in refused("token", "--state", hub.state)
    hub.stop()
    new = harness.run(HUB, "token", "--state", hub.state).stdout.strip()
    hub.start()
    assert hub.api("GET", "/metrics", token=old)[0] == 401
    # --dev found that its file's token is no good any more and made one more
    assert hub.api("GET", "/metrics", token=hub.token)[0] == 200
    assert hub.token not in (old, new)


def test_another_certificate_for_the_listener(work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", work / "key.pem", "-out", work / "cert.pem", "-subj", "/CN=127.0.0.1", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    pin = subprocess.run(f"openssl x509 -in {work}/cert.pem -noout -pubkey | openssl pkey -pubin -outform der | "
                         "sha256sum", shell=True, check=True, capture_output=True, text=True).stdout.split()[0]
    with harness.Hub(work / "hub", "--tls-cert", work / "cert.pem", "--tls-key", work / "key.pem") as hub:
        assert hub.kubectl("get", "targets", check=False).returncode == 0  # trusts the certificate in its kubeconfig
        edge = Identity(hub, work / "edge", "tiny-edge")
        answer = edge.enroll()
        assert f"--tls-pin sha256:{pin}" in answer["join"] and answer["ca-pin"] != answer["tls-pin"]
        edge.join()  # the device's own certificate is of the hub's authority all the same
        assert edge.poll()[0] == 304


def test_kubectl_trusts_the_hubs_own_authority(hub):
    assert "certificate" in hub.kubectl("--certificate-authority", "/etc/ssl/certs/ca-certificates.crt", "get", "targets",
                                        check=False).stderr
    assert hub.kubectl("get", "targets").returncode == 0


def test_loopback_only_cannot_enrol(work):
    """Outside --dev a hub that nobody else can reach says so, with the flag."""
    port = harness.free_port()
    hub = harness.Program(work / "log")
    hub.launch(HUB, "--state", work / "state", "--listen", f"127.0.0.1:{port}")
    try:
        harness.wait(lambda: request(port, "GET", "/readyz")[0] == 200, 10)
        token = (work / "state" / "admin.token").read_text().strip()
        answer = request(port, "POST", "/piccolo/v1/enroll", {"target": "a"}, {"Authorization": f"Bearer {token}"})
        assert answer[0] == 409 and "--listen" in as_json(answer)["error"]
    finally:
        hub.kill(signal.SIGTERM)


def test_several_listeners_and_a_public_url(work):
    with harness.Hub(work / "hub", "--listen", "[::1]:0", "--public-url", "https://hub.example:9443/") as hub:
        assert hub.api("POST", "/piccolo/v1/enroll", {"target": "a"})[1]["join"].startswith(
            "piccolo join https://hub.example:9443 ")
        names = subprocess.run(f"openssl s_client -connect 127.0.0.1:{hub.port} </dev/null 2>/dev/null | "
                               "openssl x509 -noout -ext subjectAltName", shell=True, check=True, capture_output=True,
                               text=True).stdout
        for name in ("DNS:hub.example", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1", "DNS:localhost"):
            assert name in names
        admin = {"Authorization": f"Bearer {hub.token}"}
        assert request(hub.port, "GET", "/metrics", headers={**admin, "Host": "hub.example:9443"})[0] == 200


@pytest.mark.parametrize("damage,sentence", [
    (lambda state: (state / "identity" / "authority.key").unlink(), "authority.key"),
    (lambda state: (state / "identity" / "authority.pem").write_text("x"), "authority.pem"),
    (lambda state: (state / "hub.db").write_bytes(b"no database" * 100), "hub.db"),
])
def test_a_damaged_state_is_named(hub, damage, sentence):
    hub.stop()
    for extra in hub.state.glob("hub.db-*"):
        extra.unlink()
    damage(hub.state)
    assert sentence in refused("--state", hub.state, "--listen", "127.0.0.1:0", code=1)


# systemd

def test_readiness_is_told(work):
    path = work / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(20 * harness.SLOW)
        hub = harness.Program(work / "log")
        hub.launch(HUB, "--state", work / "state", "--listen", "127.0.0.1:0",
                   env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1000000"})
        try:
            assert listener.recv(100) == b"READY=1"
            assert listener.recv(100) == b"WATCHDOG=1"
        finally:
            hub.process.send_signal(signal.SIGTERM)
            said = [listener.recv(100)]
            while said[-1] == b"WATCHDOG=1":
                said.append(listener.recv(100))
            hub.kill(signal.SIGTERM)
        assert said[-1] == b"STOPPING=1"
        assert hub.process.returncode == 0


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop(hub, signo):
    apply_app(hub)
    hub.kill(signo)
    assert hub.process.returncode == 0
    assert not list(hub.state.glob("hub.db-wal"))  # nothing left to recover
    hub.start()
    assert hub.api("GET", "/v1alpha2/instances/tiny-app")[0] == 200


# kill -9 and full disks

def solution(n):
    return {"components": [{"name": f"c{n}", "type": "wasm", "properties": {"wasm.url": "http://x.example/y"}}]}


def write_until_killed(hub, acknowledged, number):
    n = 0
    while True:
        name = f"w{number}-{n}"
        try:
            status, _ = hub.api("POST", f"/v1alpha2/solutions/{name}", solution(n))
        except (OSError, Exception):  # the hub is gone
            return
        assert status == 200
        acknowledged.append(name)
        n += 1


def test_kill_9_loses_nothing_acknowledged(hub):
    everything = []
    for life in range(5):
        acknowledged = []
        writers = [threading.Thread(target=write_until_killed, args=(hub, acknowledged, f"{life}-{i}")) for i in range(4)]
        for writer in writers:
            writer.start()
        harness.wait(lambda: len(acknowledged) >= 20, 20, "twenty writes")
        time.sleep(0.01 * life)  # another moment each time
        hub.kill(signal.SIGKILL)
        for writer in writers:
            writer.join()
        everything += acknowledged
        hub.start()
        there = {element["id"] for element in hub.api("GET", "/v1alpha2/solutions")[1]}
        assert set(everything) <= there
        assert harness.run(HUB, "check", "--state", hub.state).returncode == 0


def mount_tiny(path, size):
    path.mkdir(parents=True)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mount(b"tmpfs", str(path).encode(), b"tmpfs", 0, f"size={size},mode=0700".encode()) == 0


def fill(path):
    """Leaves no free byte on that file system."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    with pytest.raises(OSError):
        while True:
            os.write(file, b"x" * 4096)
    os.close(file)


def test_a_full_disk(work):
    state = work / "hub" / "state"
    mount_tiny(state, "2m")
    hub = harness.Hub(work / "hub")
    try:
        hub.start()
        apply_app(hub)
        filler = state / "filler"
        fill(filler)

        def fails():
            for n in range(200):
                status, answer = hub.api("POST", "/v1alpha2/solutions/tiny-app", solution(n))
                if status != 200:
                    return status, answer
            return None

        status, answer = fails()
        assert status == 507 and "free some space" in answer, answer
        before = hub.api("GET", "/v1alpha2/solutions/tiny-app")[1]
        assert hub.api("POST", "/v1alpha2/solutions/tiny-app", solution(1000))[0] == 507
        assert hub.api("GET", "/v1alpha2/solutions/tiny-app")[1] == before
        assert hub.api("POST", "/piccolo/v1/artifacts?name=b", "b" * 100000)[0] == 507
        refused_apply = hub.kubectl("create", "-f", "-", check=False, input=json.dumps({
            "apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": "other"}, "spec": solution(0)}))
        assert refused_apply.returncode != 0 and "free some space" in refused_apply.stderr
        assert hub.api("GET", "/readyz")[0] == 503
        filler.unlink()
        assert hub.api("POST", "/v1alpha2/solutions/tiny-app", solution(2000))[0] == 200
        assert hub.api("GET", "/readyz")[0] == 200
        hub.kill(signal.SIGKILL)
        hub.start()
        spec = hub.api("GET", "/v1alpha2/solutions/tiny-app")[1]["spec"]
        assert spec["components"][0]["name"] == "c2000"
    finally:
        hub.kill()
        ctypes.CDLL(None).umount2(str(state).encode(), 2)


# artifacts

def test_ranges(hub):
    data = bytes(range(256)) * 16
    status, answer = hub.api("POST", "/piccolo/v1/artifacts?name=a.bin", data)
    assert (status, answer["size"]) == (200, 4096)
    path = f"/artifacts/{answer['sha256']}"
    admin = {"Authorization": f"Bearer {hub.token}"}

    def get(headers=None, method="GET", path=path):
        return request(hub.port, method, path, headers={**admin, **(headers or {})})

    whole = get()
    assert whole[0] == 200 and whole[2] == data and whole[1]["ETag"] == f'"{answer["sha256"]}"'
    head = get(method="HEAD")
    assert head[0] == 200 and head[2] == b"" and head[1]["Content-Length"] == "4096"
    for header, first, last in (("bytes=0-0", 0, 0), ("bytes=100-", 100, 4095), ("bytes=-10", 4086, 4095),
                                ("bytes=4000-9999", 4000, 4095), ("bytes=-9999", 0, 4095)):
        status, headers, body = get({"Range": header})
        assert status == 206 and body == data[first:last + 1], header
        assert headers["Content-Range"] == f"bytes {first}-{last}/4096"
    assert get({"Range": "bytes=4096-"})[0] == 416
    assert get({"Range": "bytes=1-0"})[0] == get({"Range": "lines=1-2"})[0] == get({"Range": "bytes=0-1,3-4"})[0] == 200
    assert get({"Range": "bytes=0-9", "If-Range": whole[1]["ETag"]})[0] == 206
    assert get({"Range": "bytes=0-9", "If-Range": '"other"'})[0] == 200
    assert get({"If-None-Match": whole[1]["ETag"]})[0] == 304
    assert get(path="/artifacts/a.bin")[2] == data
    assert get(path="/artifacts/" + "0" * 64)[0] == 404


def test_artifacts_over_restarts(hub):
    digests = []
    for n in range(5):
        status, answer = hub.api("POST", f"/piccolo/v1/artifacts?name=n{n}", os.urandom(5000))
        assert status == 200
        digests.append(answer["sha256"])
    stranger = hub.state / "artifacts" / ("ab" * 32)
    stranger.write_bytes(b"half of something")
    hub.kill(signal.SIGKILL)
    hub.start()
    admin = {"Authorization": f"Bearer {hub.token}"}
    import hashlib
    for n, digest in enumerate(digests):
        assert hashlib.sha256(request(hub.port, "GET", f"/artifacts/{digest}", headers=admin)[2]).hexdigest() == digest
        assert request(hub.port, "GET", f"/artifacts/n{n}", headers=admin)[0] == 200
    assert not stranger.exists()
    for name in ("", "a/b", ".hidden", "0" * 64, "x" * 300, "a b", "<script>"):
        from urllib.parse import quote
        assert hub.api("POST", f"/piccolo/v1/artifacts?name={quote(name, safe='')}", "x")[0] == 400, name
    assert hub.api("POST", "/piccolo/v1/artifacts?name=empty", "")[0] == 400


def test_a_name_moves(hub):
    first = hub.api("POST", "/piccolo/v1/artifacts?name=app", "one")[1]
    second = hub.api("POST", "/piccolo/v1/artifacts?name=app", "two")[1]
    assert first["url"] == second["url"] == f"{hub.url}/artifacts/app"
    admin = {"Authorization": f"Bearer {hub.token}"}
    assert request(hub.port, "GET", "/artifacts/app", headers=admin)[2] == b"two"
    assert request(hub.port, "GET", f"/artifacts/{first['sha256']}", headers=admin)[2] == b"one"


def test_artifact_max(work):
    with harness.Hub(work / "hub", "--artifact-max", "100k") as hub:
        assert hub.api("POST", "/piccolo/v1/artifacts?name=a", "x" * 100 * 1024)[0] == 200
        from hub_client import connect
        connection = connect(hub.port)
        connection.putrequest("POST", "/piccolo/v1/artifacts?name=a")
        connection.putheader("Authorization", f"Bearer {hub.token}")
        connection.putheader("Content-Length", str(100 * 1024 + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


# what it weighs

def test_metrics_are_prometheus_text(hub):
    apply_app(hub)
    text = hub.api("GET", "/metrics")[1]
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    for line in text.splitlines():
        if not line.startswith("#"):
            assert line.split("{")[0].split()[0] in families
            float(line.split()[-1])
    assert 'piccolo_build_info{program="piccolo-hub"' in text


@pytest.mark.skipif("asan" in harness.BUILD.name, reason="sanitizers have their own weight")
def test_idle_memory(hub):
    """At most 8 MB proportional, idle, with TLS."""
    assert hub.kubectl("get", "targets").returncode == 0
    for line in open(f"/proc/{hub.pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            assert int(line.split()[1]) <= 8 * 1024, line
