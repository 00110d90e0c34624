"""The parent's side of `blocks`: hands over arrays block by block, and takes the result back so.

While the child computes a block, the next is copied into its place, and the result of one before
is copied out. Few places are used in turns, so that they stay in the processor's cache: each array
is read or written once, where a whole would be copied to memory and read from there again.

A byte in the pipe says that a block stands in its place, another that its result does. The child
says once where its results come to stand, and that is read as every answer is. Nothing that it may
have changed in the meantime is looked at but the results, which are copied into an array that it
does not see.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from secure_serial.sandbox.wall import answers
from secure_serial.sandbox.wall.codec import Garbled, Reader, Writer, taken
from secure_serial.sandbox.wall.frames import DONE, FAILED, NEXT, STOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.division import Divided
    from secure_serial.sandbox.wall.frames import Line
    from secure_serial.sandbox.wall.segment import Segment

    Array = np.ndarray[Any, Any]

#: Items of a block, unless one row has more: to be told of one takes little of the time to copy and
#: to compute it, and all places of a few arrays of four bytes an item fit the cache.
ITEMS = 1 << 17
#: Blocks on their way. One is copied in, one computed, one copied out; one is to spare.
PLACES = 4


class Turns:
    """One call in blocks of `rows` rows."""

    def __init__(self, divided: Divided, rows: int, segment: Segment) -> None:
        whole = Writer(segment, 0, segment.incoming)  # what is too large at once is so in blocks
        arrays = divided.arrays
        for each in arrays:
            whole.room(each.shape, each.dtype)
        incoming = Writer(segment, 0, segment.incoming)
        self._segment = segment
        self._shape, self._rows = divided.shape, rows
        #: Rows of the whole.
        self.size = len(arrays[0])
        self._count = -(-self.size // rows)
        self._given = arrays
        self._into: list[list[Array]] = []
        #: What stands for the arguments of the first blocks.
        self.places = [self._place(divided.args, incoming) for _ in range(PLACES)]
        #: Bytes of the shared memory that they take up, or their results.
        self.room = incoming.end

    def _place(self, args: list[Any], incoming: Writer) -> list[Any]:
        described: list[Any] = ["t"]
        targets: list[Array] = []
        for each in args:
            if type(each) is np.ndarray:
                part, target = incoming.room((self._rows, *each.shape[1:]), each.dtype)
                targets.append(target)
            else:
                part = incoming.value(each)
            described.append(part)
        self._into.append(targets)
        return described

    def run(self, line: Line, request: bytes, patience: Callable[[], float]) -> Array | None:
        """The result, or None: it is to be computed at once.

        Raises:
            Garbled: the child answers what none would.

        """
        self._put(0)
        line.send(request, patience)
        sent = min(PLACES, self._count)
        for number in range(1, sent):
            self._put(number)
        found = self._found(line.receive(patience))
        if found is None:
            return None
        line.send(NEXT * (sent - 1), patience)
        made = np.empty((self.size, *found[0].shape[1:]), found[0].dtype)
        done = 1
        for number in range(self._count):
            while done <= number:
                said = line.some(sent - done, patience)
                if not _all_done(said):
                    line.send(STOP, patience)
                    return None
                done += len(said)
            part = made[self._block(number)]
            taken(found[number % PLACES][: len(part)], part)
            if sent < self._count:
                self._put(sent)
                line.send(NEXT, patience)
                sent += 1
        return made if self._shape is None else made.reshape(self._shape)

    def _put(self, number: int) -> None:
        """Copy a block of each array into its place."""
        for each, target in zip(self._given, self._into[number % PLACES], strict=True):
            part = each[self._block(number)]
            np.copyto(target[: len(part)], part)

    def _found(self, answer: bytes) -> list[Array] | None:
        """Where results come to stand. The child may be anybody's."""
        segment = self._segment
        reader = Reader(segment, segment.incoming, segment.size, copy=False)
        found = answers.read(reader, answer)
        self.room = max(self.room, reader.end - segment.incoming)
        if found is None or isinstance(found, Exception):
            return None  # which is said again when it is computed at once
        if not _are_places(found, self._rows):
            raise Garbled("no places for blocks")
        if self._shape is not None and found[0].ndim > 1:
            raise Garbled("rows of a result that has none")
        room = self.size * prod(found[0].shape[1:]) * found[0].itemsize
        if room > segment.size - segment.incoming:
            raise Garbled("a result that no worker has room for")
        return found

    def _block(self, number: int) -> slice:
        return slice(number * self._rows, (number + 1) * self._rows)


def begun(divided: Divided, segment: Segment) -> Turns | None:
    """A call in blocks, if it is large enough for some.

    Raises:
        NotPlain: the arguments do not fit, or not all of them pass.

    """
    first = divided.arrays[0]
    width = prod(first.shape[1:])
    if not width:
        return None
    rows = max(1, ITEMS // width // divided.step) * divided.step
    return None if len(first) < PLACES * rows else Turns(divided, rows, segment)


def _all_done(said: bytes) -> bool:
    """Whether all that the child says is that blocks are done. If not, the last did not succeed."""
    done = said.rstrip(FAILED)
    if len(said) - len(done) > 1 or done.strip(DONE):
        raise Garbled("no word of ours")
    return done == said


def _are_places(found: Any, rows: int) -> TypeGuard[list[Array]]:
    if type(found) is not list or len(found) != PLACES:
        return False
    if not all(type(each) is np.ndarray and each.size for each in found):
        return False  # and no extent is larger than the memory
    if not all(each.shape[:1] == (rows,) for each in found):
        return False
    return len({(each.dtype, each.shape) for each in found}) == 1
