"""Damaged copies of a module, the same ones each time, and the facts a test needs to judge them."""

import random

CUSTOM = 0


def leb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 35:
            raise IndexError("no number")


def without_custom_sections(data):
    """The module without its custom sections; None when its sections cannot be followed."""
    kept, at = data[:8], 8
    try:
        while at < len(data):
            start, kind = at, data[at]
            size, at = leb(data, at + 1)
            at += size
            if at > len(data):
                return None
            if kind != CUSTOM:
                kept += data[start:at]
    except IndexError:
        return None
    return kept


def mutate(data, rng):
    """One to three small changes behind the header."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(8, len(changed))
        how = rng.randrange(6)
        if how == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            changed[at] = rng.randrange(256)
        elif how == 2:
            del changed[at:at + rng.randrange(1, 5)]
        elif how == 3:
            changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4)))
        elif how == 4:
            changed[at] = changed[rng.randrange(8, len(changed))]
        else:
            changed[at] = (changed[at] + rng.choice((1, 255))) & 255
    return bytes(changed)


def mutants(data, seed):
    rng = random.Random(seed)
    while True:
        yield mutate(data, rng)
