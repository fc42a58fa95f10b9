"""A mail server that fails in one way at one reply, then behaves: what a real one does on a bad day. The real one,
aiosmtpd, is used wherever nothing has to fail."""

import collections
import email
import email.policy
import pathlib
import socket
import subprocess
import threading
import time

import harness

STEPS = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "text", "QUIT"]
GOOD = {"greeting": "220 hello", "EHLO": "250 hub", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on",
        "text": "250 taken", "QUIT": "221 bye"}


# For each connection aiosmtpd asks who it is itself; where no name server answers, that takes ten seconds.
NAMED_SERVER = """
import socket
socket.getfqdn = lambda name="": "mail.edge.test"
from aiosmtpd.main import main
main()
"""


class Mailbox:
    """aiosmtpd with a Maildir."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = harness.free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", NAMED_SERVER, "-n", "-l", f"127.0.0.1:{self.port}", "-c",
             "aiosmtpd.handlers.Mailbox", str(self.folder / "mailbox")], stdin=subprocess.DEVNULL)
        harness.wait(self.answers, 10, "the mail server is there")
        return self

    def answers(self):
        assert self.process.poll() is None, "aiosmtpd has ended; is python3-aiosmtpd installed?"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def messages(self):
        return [parse(path.read_bytes()) for path in sorted((self.folder / "mailbox" / "new").glob("*"))]

    def message(self):
        harness.wait(self.messages, 10, "a mail has arrived")
        return self.messages()[0]


def parse(data):
    return email.message_from_bytes(data, policy=email.policy.default)


class FaultyServer:
    """`fault` at `step`, for the first `times` connections that get there: close, later (451), never (550), silent,
    noise. `on_step(step, connection)` is called after each reply has been sent."""

    def __init__(self, step=None, fault=None, times=1, on_step=None):
        self.step, self.fault, self.left, self.on_step = step, fault, times, on_step
        self.received = []
        self.connections = 0
        self.log = collections.deque(maxlen=200)  # what was said, for the report of a failure
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.stopping = False

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Its thread must be out of accept() before the descriptor is closed. The number is the next listener's, and
        the kernel asks again by number after a signal: a child that ends while the main thread starts another one
        (signals are blocked then) sends its SIGCHLD here, and the old server takes the new one's mail."""
        self.stopping = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        assert not self.thread.is_alive(), "the mail server still listens"
        self.listener.close()

    def serve(self):
        while not self.stopping:
            try:
                peer, _ = self.listener.accept()
            except OSError:  # stopping, or a caller that was killed before it was let in
                continue
            self.connections += 1
            threading.Thread(target=self.talk, args=(peer, self.connections), daemon=True).start()

    def note(self, *words):
        self.log.append(" ".join([f"{time.monotonic():.4f}", *map(str, words)]))

    def talk(self, peer, number):
        self.note(number, "is there")
        try:
            with peer, peer.makefile("rb") as stream:
                self.converse(peer, stream)
        except (OSError, ValueError) as failure:
            self.note(number, repr(failure))

    def reply(self, peer, stream, step):
        """False: the connection is over."""
        line = GOOD[step]
        if step == self.step and self.left > 0:
            self.left -= 1
            if self.fault == "close":
                return False
            if self.fault == "silent":
                peer.settimeout(40)
                stream.read()
                return False
            line = {"later": "451 not now", "never": "550 never", "noise": "\x01\x02 what"}[self.fault]
        peer.sendall(line.encode() + b"\r\n")
        self.note("at", step, "said", line)
        if self.on_step:
            self.on_step(step, self.connections)
        return True

    def converse(self, peer, stream):
        if not self.reply(peer, stream, "greeting"):
            return
        for line in stream:
            word = line[:4].decode(errors="replace").upper()
            step = word if word in GOOD else "QUIT"
            failed = step == "DATA" and self.step == "DATA" and self.left > 0
            if not self.reply(peer, stream, step) or step == "QUIT":
                return
            if step == "DATA" and not failed and not self.take(peer, stream):
                return

    def take(self, peer, stream):
        text = b""
        for line in stream:
            if line == b".\r\n":
                # kept before the reply: whoever dies now may send it again
                message = parse(text)
                self.note("has", message["Message-ID"])
                self.received.append((time.monotonic(), message))
                return self.reply(peer, stream, "text")
            text += line[1:] if line.startswith(b".") else line
        return False


SECURE = """
import ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult, LoginPassword

host, port, folder, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)

def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"me", b"geheim")
    return AuthResult(success=good, handled=good)

Controller(Mailbox(folder), hostname=host, port=int(port), authenticator=login, auth_required=True,
           tls_context=context, require_starttls=True).start()
print("ready", flush=True)
time.sleep(86400)
"""


class SecureMailbox(Mailbox):
    """aiosmtpd that wants STARTTLS and a password, on an address that is not a loopback one."""

    def __init__(self, folder, host):
        super().__init__(folder)
        self.host = host
        self.url = f"smtp://me@{host}:{self.port}"
        self.certificate, self.key = self.folder / "mail.pem", self.folder / "mail.key"

    def __enter__(self):
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=mail", "-addext", f"subjectAltName=IP:{self.host}",
                    "-keyout", self.key, "-out", self.certificate)
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", SECURE, self.host, str(self.port), str(self.folder / "mailbox"),
             str(self.certificate), str(self.key)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        return self
