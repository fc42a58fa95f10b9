"""A hub that can be told to misbehave: what a real one never does (a captive portal's page, half an answer, a wrong
digest, an old revision) has to come from somewhere. It speaks the device routes over TLS with its own authority."""

import contextlib
import http.server
import json
import pathlib
import re
import secrets
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

from harness import free_port, run

SIGN = """
[ca]
default_ca = here
[here]
new_certs_dir = {folder}/issued
database = {folder}/index.txt
serial = {folder}/serial
unique_subject = no
default_md = sha256
policy = names
x509_extensions = {kind}
[names]
commonName = supplied
organizationName = optional
[device]
extendedKeyUsage = clientAuth
[server]
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth
[ticket]
keyUsage = digitalSignature
extendedKeyUsage = codeSigning
"""
DAY = 86400


def when(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "issued").mkdir(parents=True)
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        self.key, self.pem = self.folder / "ca.key", self.folder / "ca.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
            "-out", self.pem, "-days", "30", "-subj", "/CN=fake hub")

    def pin(self):
        public = run("openssl", "x509", "-in", self.pem, "-pubkey", "-noout").stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public.encode(), capture_output=True,
                             check=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, capture_output=True, check=True).stdout
        return "sha256:" + digest.decode().split()[0]

    def sign(self, request, kind="device", start=-60, end=30 * DAY):
        name = secrets.token_hex(8)
        csr, out, config = (self.folder / f"{name}.{suffix}" for suffix in ("csr", "pem", "cnf"))
        csr.write_text(request)
        config.write_text(SIGN.format(folder=self.folder, kind=kind))
        run("openssl", "ca", "-config", config, "-in", csr, "-out", out, "-keyfile", self.key, "-cert", self.pem, "-batch",
            "-notext", "-startdate", when(start), "-enddate", when(end))
        return out.read_text()

    def server(self, name="server", start=-60, end=30 * DAY):
        """Certificate and key files for 127.0.0.1."""
        key, csr = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
            "-subj", "/CN=127.0.0.1")
        pem = self.folder / f"{name}.pem"
        pem.write_text(self.sign(csr.read_text(), "server", start, end))
        return pem, key


class Request:
    """What came, for the test to look at."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method, self.path = handler.command, parts.path
        self.query = {key: value[0] for key, value in urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}
        self.headers, self.body, self.time = dict(handler.headers.items()), body, time.monotonic()
        self.peer = handler.connection.getpeercert()

    def json(self):
        return json.loads(self.body)


class Answer:
    def __init__(self, status=200, body=b"", content_type="application/json", headers=None, cut=None, hang=0):
        self.status, self.content_type, self.headers = status, content_type, headers or {}
        self.body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.cut = cut  # send only so many bytes, then close
        self.hang = hang  # seconds between headers and body


PORTAL = Answer(200, "<!DOCTYPE html><html><body>Please accept our terms</body></html>", "text/html")


class FakeHub:
    def __init__(self, folder, port=None):
        self.folder = pathlib.Path(folder)
        self.port = port or free_port()
        self.authority = Authority(self.folder / "authority")
        self.token = "token-" + secrets.token_hex(8)
        self.epoch = secrets.token_hex(16)
        self.target = "tiny-edge"
        self.changed = threading.Condition()
        self.document = None
        self.accept_epoch = False
        self.tickets = lambda request: {}  # members of an answer, made for the poll that it answers
        self.asks = []
        self.connections = set()
        self.requests, self.reports, self.answers = [], [], {}
        self.faults = {}  # path: list of Answer or function(Request) -> Answer or None; each is used once
        self.artifacts = {}  # sha256: bytes
        self.device_life = (-60, 30 * DAY)
        self.renewed_life = (-60, 30 * DAY)

    url = property(lambda self: f"https://127.0.0.1:{self.port}")

    def enrolled(self, **other):
        return {"ca-pin": self.authority.pin(), "token": self.token, **other}

    # -- what the test says -------------------------------------------------------------------------------------------

    def say(self, components=(), removed=(), revision=None, **other):
        """A new document. Components are dicts; what is left out is filled in."""
        with self.changed:
            revision = revision or (self.document or {"revision": 0})["revision"] + 1
            entries = [{"instance": "app", "type": "wasm", "revision": revision, "properties": {}, **component}
                       for component in components]
            gone = [{"instance": "app", "component": name, "revision": revision} for name in removed]
            self.document = {"protocol": 1, "epoch": self.epoch, "revision": revision, "device": self.target,
                             "issued-at": "2026-11-24T14:00:00Z", "components": entries, "removed": gone, **other}
            self.changed.notify_all()

    def ask(self, **ask):
        ask = {"id": secrets.token_hex(16), "seconds": 10, **ask}
        with self.changed:
            self.asks.append(ask)
            self.changed.notify_all()
        return ask["id"]

    def fault(self, path, *answers):
        with self.changed:
            self.faults.setdefault(path, []).extend(answers)
            self.changed.notify_all()

    @contextlib.contextmanager
    def always(self, path, answer):
        """Every request gets that answer until this is left."""
        class Endless(list):
            def pop(self, _):
                return answer

        with self.changed:
            before, self.faults[path] = self.faults.get(path), Endless([answer])
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.faults[path] = before or []

    def seen(self, path, method=None):
        return [request for request in list(self.requests)
                if request.path.startswith(path) and (method is None or request.method == method)]

    def report(self):
        """The newest report, and a component of it by name."""
        return self.reports[-1] if self.reports else None

    def reported(self, component):
        for item in (self.report() or {}).get("components", []):
            if item["component"] == component:
                return item
        return None

    # -- what the device gets -----------------------------------------------------------------------------------------

    def answer(self, request):
        with self.changed:
            waiting = self.faults.get(request.path)
            fault = waiting.pop(0) if waiting else None
        if callable(fault):
            fault = fault(request)
        if fault:
            return fault
        routes = {"/device/v1/authority": self.give_authority, "/device/v1/join": self.join, "/device/v1/renew": self.renew,
                  "/device/v1/document": self.poll, "/device/v1/report": self.take_report}
        if request.path in routes:
            return routes[request.path](request)
        if request.path.startswith("/device/v1/asks/"):
            self.answers[request.path.rsplit("/", 1)[1]] = request
            return Answer(200, {})
        if request.path.startswith("/artifacts/"):
            return self.artifact(request)
        return Answer(404, {"error": "there is nothing here"})

    def give_authority(self, request):
        return Answer(200, self.authority.pem.read_text(), "application/x-pem-file")

    def join(self, request):
        asked = request.json()
        if asked["token"] != self.token:
            return Answer(403, {"error": "the token is not known, was used or has expired", "reason": "BadToken"})
        return Answer(200, {"device": asked["target"], "certificate": self.authority.sign(asked["request"], "device", *self.device_life),
                            "authority": self.authority.pem.read_text(), "epoch": self.epoch})

    def renew(self, request):
        return Answer(200, {"certificate": self.authority.sign(request.json()["request"], "device", *self.renewed_life)})

    def poll(self, request):
        if not request.peer:
            return Answer(401, {"error": "a device shows its certificate", "reason": "NoCertificate"})
        until = time.monotonic() + float(request.query["wait"])
        with self.changed:
            while True:
                if self.faults.get(request.path):
                    fault = self.faults[request.path].pop(0)
                    return fault(request) if callable(fault) else fault
                body = {"protocol": 1}
                if self.document and self.etag() != request.headers.get("If-None-Match"):
                    body["document"] = self.document
                if self.accept_epoch and request.query["epoch"] != self.epoch:
                    body.update({"document": self.document, "accept-epoch": True})
                if self.asks:
                    body["asks"], self.asks = self.asks, []
                body.update(self.tickets(request))
                if len(body) > 1:
                    return Answer(200, json.dumps(body, separators=(",", ":")), headers={"ETag": self.etag()})
                left = until - time.monotonic()
                if left <= 0:
                    return Answer(304)
                self.changed.wait(left)

    def etag(self):
        return f'"{self.document["epoch"]}-{self.document["revision"]}"' if self.document else '""'

    def take_report(self, request):
        self.reports.append(request.json())
        return Answer(200, {})

    def artifact(self, request):
        body = self.artifacts.get(request.path.rsplit("/", 1)[1])
        if body is None:
            return Answer(404, {"error": "no such artifact"})
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if not asked:
            return Answer(200, body, "application/wasm", {"Accept-Ranges": "bytes"})
        start = int(asked[1])
        if start >= len(body):
            return Answer(416, b"")
        return Answer(206, body[start:], "application/wasm", {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})

    def show(self, certificate):
        """What the listener shows from the next connection on."""
        self.context.load_cert_chain(*certificate)

    def drop_connections(self):
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # -- the server ---------------------------------------------------------------------------------------------------

    def __enter__(self):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                hub.connections.add(self.connection)

            def finish(self):
                hub.connections.discard(self.connection)
                super().finish()

            def serve(self):
                request = Request(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                hub.requests.append(request)
                answer = hub.answer(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 304:
                    self.send_header("Content-Type", answer.content_type)
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                time.sleep(answer.hang)
                self.wfile.write(answer.body if answer.cut is None else answer.body[:answer.cut])
                if answer.cut is not None or self.headers.get("Connection") == "close":
                    self.close_connection = True

            do_GET = do_POST = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # devices come and go

        self.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.server())
        context.load_verify_locations(self.authority.pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        self.server = Server(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self.server.allow_reuse_address = True
        self.server.server_bind()
        self.server.server_activate()
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
