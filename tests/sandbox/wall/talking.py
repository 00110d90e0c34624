"""A worker whose child is a thread of the tests' own process: what both sides say is the same."""

from __future__ import annotations

import itertools
import os
import threading
from types import SimpleNamespace

import numpy as np

from secure_serial.sandbox.division import Division
from secure_serial.sandbox.wall import child, frames, segment
from secure_serial.sandbox.wall.worker import Spec, Worker

SIZE = 16 << 20
_numbers = itertools.count()


class Talking:
    """Both sides, and the pipes between them."""

    def __init__(self):
        fd = segment.create(SIZE, SIZE)
        self.memory = segment.Segment(fd, SIZE, SIZE)
        os.close(fd)
        (inlet, ours_out), (ours_in, outlet) = os.pipe(), os.pipe()
        self._line = frames.Line(ours_in, ours_out)
        self._theirs = frames.Inner(inlet, outlet)
        self._opened = [inlet, outlet, self._theirs._glance]
        self.worker = Worker()
        self.worker._child = SimpleNamespace(
            line=self._line, segment=self.memory, patience=lambda *_: frames.clock(60)
        )
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with np.errstate(all="ignore"):
            child.serve(self._theirs, self.memory, lambda _: self.function)

    def call(self, function, args):
        """As a `Walled` function is called."""
        self.function = function
        return self.worker.call(Spec({"n": next(_numbers)}, division_of(function)), args)

    def by_blocks(self, function, args):
        """The result, if it is computed in blocks."""
        self.function = function
        spec = Spec({"n": next(_numbers)}, division_of(function))
        return self.worker._by_blocks(self.worker._child, frames.clock(60), spec, args, {})

    def close(self):
        self._line.close()
        self._thread.join()
        for fd in filter(None, self._opened):
            os.close(fd)
        self.memory.close()


def division_of(function):
    return Division(function.understood)
