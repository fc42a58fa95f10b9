"""Somebody outside of Piccolo who looks at the kernel's own lists, in a process of its own:

    kernel_observer.py TAG INTERFACE

Writes a line of JSON whenever something changes, and at least five times a second: the boot-time clock and every program,
map and link that carries TAG in its name (a link: in its program's), and every filter on the interface, whoever's. It asks
the kernel itself, by bpf() and by netlink."""

import ctypes
import json
import os
import platform
import socket
import struct
import sys
import time

SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
INFO = 15
LISTS = {"prog": (11, 13), "map": (12, 14), "link": (31, 30)}  # next number, descriptor by number
NAMES = {"prog": 64, "map": 24}  # where the name stands in struct bpf_prog_info, bpf_map_info
LINK_PROGRAM = 8
RTM_NEWTFILTER, RTM_GETTFILTER, NLMSG_ERROR, NLMSG_DONE = 44, 46, 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
EVERY, WORD = 0.03, 0.2
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(144, b"\0"), 144)
    result = libc.syscall(SYS_BPF, command, buffer, 144)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return result, buffer.raw


def numbers(kind):
    last = 0
    while True:
        try:
            last = struct.unpack_from("I", bpf(LISTS[kind][0], struct.pack("I", last))[1], 4)[0]
        except FileNotFoundError:
            return
        yield last


def info(kind, number):
    """None: it has just gone, or is just being made."""
    try:
        fd = bpf(LISTS[kind][1], struct.pack("I", number))[0]
    except (FileNotFoundError, BlockingIOError):
        return None
    try:
        found = ctypes.create_string_buffer(256)
        bpf(INFO, struct.pack("IIQ", fd, 256, ctypes.addressof(found)))
        return found.raw
    finally:
        os.close(fd)


class Objects:
    """Numbers are given out in a circle, so what a number was it stays for as long as a test runs."""

    def __init__(self, tag):
        self.tag, self.known = tag.encode(), {}

    def is_ours(self, kind, number):
        if (kind, number) not in self.known:
            facts = info(kind, number)
            if facts is None:
                return False
            if kind == "link":
                ours = self.is_ours("prog", struct.unpack_from("I", facts, LINK_PROGRAM)[0])
            else:
                ours = self.tag in facts[NAMES[kind]:NAMES[kind] + 16]
            self.known[kind, number] = ours
        return self.known[kind, number]

    def present(self):
        return [f"{kind} {number}" for kind in LISTS for number in numbers(kind) if self.is_ours(kind, number)]


class Filters:
    def __init__(self, interface):
        self.index = socket.if_nametoindex(interface)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.bind((0, 0))

    def at(self, parent):
        place = struct.pack("BxxxiIII", 0, self.index, 0, parent, 0)
        self.socket.send(struct.pack("IHHII", 16 + len(place), RTM_GETTFILTER, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + place)
        while True:
            answer = self.socket.recv(1 << 16)
            while answer:
                size, kind = struct.unpack_from("IH", answer)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("i", answer, 16)[0], "filters")
                handle, _, priority = struct.unpack_from("III", answer, 16 + 8)
                if kind == RTM_NEWTFILTER and handle:
                    yield f"filter {parent & 15:x}/{priority >> 16}/{handle}"
                answer = answer[size + 3 & ~3:]

    def present(self):
        return [found for parent in (INGRESS, EGRESS) for found in self.at(parent)]


def main(tag, interface):
    objects, filters = Objects(tag), Filters(interface)
    said, when = None, 0
    while os.getppid() != 1:
        seen = objects.present() + filters.present()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        if seen != said or now - when >= WORD:
            print(json.dumps({"boot": now, "seen": seen}), flush=True)
            said, when = seen, now
        time.sleep(EVERY)


if __name__ == "__main__":
    main(*sys.argv[1:])
