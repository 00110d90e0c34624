"""A worker's child that someone took over: it answers what the test tells it, byte for byte."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import termios
import time

from secure_serial.sandbox.wall import frames
from secure_serial.sandbox.wall.codec import Reader
from secure_serial.sandbox.wall.segment import Segment

#: Of a block, in the tests.
ITEMS = 16


def main(given):
    segment = Segment(given["segment"], given["incoming"], given["outgoing"])
    line = frames.Inner(given["inlet"], given["outlet"])
    write(given["outlet"], b'["ready"]')
    while True:
        request = line.receive()
        if request.startswith(frames.ASKED):
            by_blocks(request, given["inlet"], given["outlet"], segment)
            continue
        _, _, args, _ = json.loads(request)
        what, raw = Reader(segment, 0, segment.incoming, copy=False).value(args)
        act(what, raw.encode("latin-1"), given["inlet"], given["outlet"])


def write(outlet, message):
    rest = frames.framed(message)
    while rest:
        rest = rest[os.write(outlet, rest) :]


def by_blocks(request, inlet, outlet, segment):
    """Say where results stand, and then what the test tells: `s` is silence, `x` the end."""
    _, _, described, _, size = json.loads(request)
    spec = Reader(segment, 0, 0, copy=False).value(described)
    first, memory = segment.incoming, spec["memory"].encode("latin-1")
    segment.memory[first : first + len(memory)] = memory
    write(outlet, spec["answer"].encode("ascii"))
    if spec["then"]:
        os.read(inlet, 1)  # the next block is there
    for letter in spec["then"]:
        if letter == "s":
            time.sleep(600)
        if letter == "x":
            os._exit(3)
        os.write(outlet, letter.encode("latin-1"))
    for _ in range(2, -(-size // ITEMS)):
        os.read(inlet, 1)


def act(what, raw, inlet, outlet):
    if what == "raw":
        os.write(outlet, raw)
    elif what == "answer":
        write(outlet, raw)
    elif what == "drip":
        for byte in raw:
            os.write(outlet, bytes([byte]))
            time.sleep(0.05)
    else:
        end(what, raw, outlet)


def unread(outlet):
    """Bytes that the parent has not taken yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(outlet, termios.FIONREAD, bytes(4)))
    return count


def end(what, raw, outlet):
    """What comes before no other answer."""
    if what == "die":
        os.write(outlet, raw)
        os._exit(3)
    if what == "hang up":
        os.close(outlet)
    elif what != "be silent":
        write(outlet, b'["value",1]')
        while unread(outlet):
            pass
    if what == "answer, then more":
        os.write(outlet, raw)
    while what == "flood":
        os.write(outlet, b"x" * 4096)
    time.sleep(600)
