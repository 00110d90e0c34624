"""Messages in a pipe: four bytes that say how long each is, and the message.

Between the messages of a call in blocks (`turns`) single bytes go to and fro.
"""

from __future__ import annotations

import os
import select
import struct
import time
from typing import TYPE_CHECKING

from secure_serial.sandbox.meter import EXCEEDED

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = struct.Struct("<I")
#: Of one message. The longest that an honest one can be holds 100,000 numbers of 20 digits;
#: reading a hostile one this long takes less than 100 MiB.
MOST = 4 << 20
_CHUNK = 1 << 16
#: How the request of a call in blocks begins. Others begin with a key, in hexadecimal digits.
BLOCKS = "blocks"
ASKED = f'["{BLOCKS}",'.encode("ascii")
#: The parent: a block stands in its place. The child: the result of one does.
NEXT = DONE = b"\x01"
#: The child: it cannot be computed so. The parent, after that: no more blocks come.
FAILED = STOP = b"\x00"


#: Before one sleeps: some 200 microseconds of them.
_LOOKS = 200


class Ended(Exception):
    """The other side is gone."""


class TooLong(Exception):
    """A message that is longer than any may be."""

    code = EXCEEDED


def framed(message: bytes) -> bytes:
    r"""A message as it goes into the pipe.

    >>> framed(b"[1]")
    b'\x03\x00\x00\x00[1]'
    """
    if len(message) > MOST:
        raise TooLong("values of too many bytes of text")
    return _LENGTH.pack(len(message)) + message


class Inner:
    """The child's way: both pipes to the parent, waiting for however long it takes.

    It may not ask the system to wait with a bound: whoever may open no file may not `poll` either.
    """

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._glance = _glancing(inlet)

    def send(self, message: bytes) -> None:
        """Send bytes."""
        rest = memoryview(message)
        while rest:
            rest = rest[os.write(self._outlet, rest) :]

    def receive(self) -> bytes:
        """The next message, and nothing behind it."""
        return _whole(lambda: self.some(_CHUNK))

    def some(self, most: int) -> bytes:
        """The next bytes: one at least."""
        got = None if self._glance is None else _soon(self._glance, most)
        return _longer(b"", os.read(self._inlet, most) if got is None else got)


class Line:
    """The parent's way: both pipes to a child, never waiting for longer than it is told."""

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet, self._outlet = inlet, outlet
        for fd in (inlet, outlet):
            os.set_blocking(fd, False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(inlet, select.POLLIN)
        self._writable.register(outlet, select.POLLOUT)

    def send(self, message: bytes, patience: Callable[[], float]) -> None:
        """Send a framed message. `patience` says how many seconds to wait, or raises."""
        rest = memoryview(message)
        while rest:
            try:
                rest = rest[os.write(self._outlet, rest) :]
            except BlockingIOError:
                self._writable.poll(_milliseconds(patience()))
            except BrokenPipeError as error:
                raise Ended from error

    def receive(self, patience: Callable[[], float]) -> bytes:
        """The next message, and nothing behind it."""
        return _whole(lambda: self.some(_CHUNK, patience))

    def some(self, most: int, patience: Callable[[], float]) -> bytes:
        """The next bytes: one at least."""
        left = patience()
        got = _soon(self._inlet, most)
        if got is None:
            while not self._readable.poll(_milliseconds(left)):
                left = patience()
            got = os.read(self._inlet, most)
        return _longer(b"", got)

    def is_quiet(self) -> bool:
        """Whether there is nothing to read, and nobody has hung up."""
        return not self._readable.poll(0)

    def close(self) -> None:
        """Close both pipes."""
        os.close(self._inlet)
        os.close(self._outlet)


def clock(seconds: float) -> Callable[[], float]:
    """What is left of these seconds, each time it is asked.

    Raises:
        TimeoutError: when asked, if nothing is left.

    """
    end = time.monotonic() + seconds

    def left() -> float:
        rest = end - time.monotonic()
        if rest <= 0:
            raise TimeoutError("it took too long")
        return rest

    return left


def _glancing(fd: int) -> int | None:
    """Another descriptor of a pipe, which never waits; None: this system has none."""
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None


def _soon(fd: int, most: int) -> bytes | None:
    """What comes within a moment.

    Who sleeps takes some 50 microseconds to wake up, which is as long as a block is computed.
    """
    for _ in range(_LOOKS):
        try:
            return os.read(fd, most)
        except BlockingIOError:
            os.sched_yield()  # whom it waits for may want this core
    return None


def _milliseconds(seconds: float) -> float:
    return min(seconds, 3600) * 1000 + 1


def _whole(chunk: Callable[[], bytes]) -> bytes:
    got = chunk()
    while len(got) < _LENGTH.size:
        got = _longer(got, chunk())
    (length,) = _LENGTH.unpack_from(got)
    if length > MOST:
        raise TooLong(f"a message of {length:,} bytes")
    end = _LENGTH.size + length
    if len(got) < end:
        parts, have = [got], len(got)
        while have < end:
            parts.append(_longer(b"", chunk()))
            have += len(parts[-1])
        got = b"".join(parts)
    if len(got) > end:
        # One at a time: each is an answer, or is answered.
        raise TooLong("more than one message")
    return got[_LENGTH.size :]


def _longer(got: bytes, more: bytes) -> bytes:
    if not more:
        raise Ended
    return got + more
