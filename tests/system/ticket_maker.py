"""Tickets (src/protocol/ticket.h) as a hub makes them, and as somebody else would."""

import base64
import os
import struct
import subprocess

from harness import run

TICKET = struct.Struct("<8s16s64s64s64s16s32s32sI16sq")
SIGNATURE_MAX, CERTIFICATE_MAX = 80, 2048
assert TICKET.size == 324


def pack(approval, name, digest, stamp, length_ms, device="tiny-edge", type="wasm", terms=bytes(32), grants=0):
    instance, component = name.split("/")
    return TICKET.pack(b"pictkt1\0", approval, device.encode(), instance.encode(), component.encode(), type.encode(), digest,
                       terms, grants, stamp, length_ms)


class Signer:
    """A key with a certificate of `authority` (fake_hub.Authority), for tickets unless `kind` says otherwise."""

    def __init__(self, authority, kind="ticket"):
        self.authority = authority
        self.key = authority.folder / f"{kind}-{os.urandom(4).hex()}.key"
        csr = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                  self.key, "-subj", "/CN=tickets").stdout
        self.certificate = authority.sign(csr, kind)

    @property
    def chain(self):
        return self.certificate + self.authority.pem.read_text()

    def sign(self, ticket):
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=ticket, capture_output=True,
                              check=True).stdout

    def wrap(self, ticket, signature=None, chain=None):
        """struct pic_signed_ticket, what the supervisor takes."""
        signature = self.sign(ticket) if signature is None else signature
        return ticket + struct.pack(f"<H{SIGNATURE_MAX}s{CERTIFICATE_MAX}s", len(signature), signature,
                                    (chain or self.chain).encode())

    def members(self, epoch, *tickets):
        """What a poll's answer carries."""
        def one(ticket):
            instance, component = (part.split(b"\0", 1)[0].decode() for part in TICKET.unpack(ticket)[3:5])
            return {"approval": ticket[8:24].hex(), "instance": instance, "component": component,
                    "ticket": base64.b64encode(ticket).decode(), "signature": base64.b64encode(self.sign(ticket)).decode()}

        return {"ticket-epoch": epoch, "ticket-certificate": self.chain, "tickets": [one(ticket) for ticket in tickets]}


def key(approval, name):
    """pic_ticket_key: what a poll calls an approval."""
    hash = 0xCBF29CE484222325
    for byte in approval + name.replace("/", "\0").encode() + b"\0":
        hash = (hash ^ byte) * 0x100000001B3 % 2**64
    return f"{hash:016x}"
