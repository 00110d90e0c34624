"""The parent's side: a process that evaluates restricted functions, and what it may use up.

Whatever the child does, `call` ends: in a value, in the error that the function raised, or
in a `SandboxError` after which the child is dead and the next call starts another.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from secure_serial.errors import SandboxError
from secure_serial.sandbox.allowance import Allowance, Wall
from secure_serial.sandbox.meter import EXCEEDED
from secure_serial.sandbox.wall import answers, frames
from secure_serial.sandbox.wall.codec import Garbled, NotPlain, Reader, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from secure_serial.sandbox.division import Division
    from secure_serial.sandbox.wall.process import Child

    Patience = Callable[[], float]
    Given = tuple[Any, ...]
    Named = dict[str, Any]

#: The worker died, or did not answer in time.
DIED = "SS505"
#: A wall that is demanded is missing.
MISSING = "SS506"
#: Whether this system has what a worker is made of. Windows has not.
_POSIX = os.name == "posix"
#: Of a start: Python and NumPy from a cold disk. It takes half a second.
_START_SECONDS = 60.0
#: Seconds for a process that hung up to be gone, so that the error can say why.
_MOMENT = 0.5
#: Functions that one child keeps; a model has a handful.
_FUNCTIONS = 1000
#: Bytes of shared memory each way that stay taken between calls.
_KEPT = 64 << 20

_all: weakref.WeakSet[Worker] = weakref.WeakSet()
_shared: dict[tuple[Allowance, frozenset[str]], Worker] = {}


class Spec:
    """What the child makes a function of, as plain values, and a name for that.

    >>> Spec({"a": 1}).key == Spec({"a": 1}).key
    True
    """

    __slots__ = ("division", "key", "values")

    def __init__(self, values: Mapping[str, Any], division: Division | None = None) -> None:
        self.values = dict(values)
        #: In which blocks the function may be computed.
        self.division = division
        text = json.dumps(self.values, sort_keys=True)
        self.key = hashlib.sha256(text.encode("ascii")).hexdigest()


class Worker:
    """A process behind walls. It starts at the first call, and again after each death.

    One call at a time: those of other threads wait. A fork of this process gets a child of
    its own.

    Args:
        allowance: What one call may take. The bytes of arrays bound the shared memory.
        demand: Walls without which nothing runs.

    """

    _module = "secure_serial.sandbox.wall.child"
    _paths: tuple[str, ...] = ()

    def __init__(
        self, allowance: Allowance | None = None, demand: Iterable[str] = frozenset()
    ) -> None:
        self.allowance = allowance or Allowance()
        self.demand = frozenset(map(str, demand))
        self._walls: frozenset[Wall] = frozenset()
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._ending: weakref.finalize[..., Worker] | None = None
        _all.add(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def walls(self) -> frozenset[Wall]:
        """What keeps the child in on this system; it is started to be asked."""
        self.start()
        return self._walls

    def start(self) -> None:
        """Start the child now, unless it runs.

        Raises:
            SandboxError: it cannot be started (SS505), or a wall is missing (SS506).

        """
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the child. A later call starts another."""
        with self._lock:
            self._end()

    def call(
        self,
        spec: Spec | Mapping[str, Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Evaluate the function that `spec` describes.

        Raises:
            SandboxError: the function broke a bound, the worker died or took too long, or a
                value is of a kind that does not pass.

        """
        spec = spec if isinstance(spec, Spec) else Spec(spec)
        given = (tuple(args), dict(kwargs or {}))
        with self._lock:
            child = self._running()
            with self._watched(child) as patience:
                outcome = self._by_blocks(child, patience, spec, *given)
                if outcome is None:
                    outcome = self._at_once(child, patience, spec, *given)
            if not isinstance(outcome, Exception):  # no value is one
                self._known.add(spec.key)  # of this child's: another thread may start the next
                return outcome
        raise outcome

    def _at_once(
        self, child: Child, patience: Patience, spec: Spec, args: Given, kwargs: Named
    ) -> Any:
        shared = child.segment
        writer = Writer(shared, 0, shared.incoming)
        request = self._request(writer, spec, args, kwargs)
        child.line.send(request, patience)
        reader = Reader(shared, shared.incoming, shared.size, copy=True)
        outcome = answers.read(reader, child.line.receive(patience))
        if max(writer.end, reader.end - shared.incoming) > _KEPT:
            shared.trim(_KEPT)
        return outcome

    def _request(self, writer: Writer, spec: Spec, args: Given, kwargs: Named) -> bytes:
        try:
            given = (self._described(spec, writer), writer.value(args), writer.value(kwargs))
            return frames.framed(writer.message(spec.key, *given))
        except (NotPlain, frames.TooLong) as error:
            text = f"a restricted function cannot be given this: {error}"
            raise SandboxError(text, code=error.code) from error

    def _by_blocks(
        self, child: Child, patience: Patience, spec: Spec, args: Given, kwargs: Named
    ) -> Any:
        """The result of a function that computes row by row, or None: it is for all at once."""
        divided = None if kwargs or spec.division is None else spec.division.of(args)
        if divided is None:
            return None
        from secure_serial.sandbox.wall import turns

        try:
            turn = turns.begun(divided, child.segment)
            if turn is None:
                return None
            writer = Writer(child.segment, 0, 0)
            described = self._described(spec, writer)
            parts = (frames.BLOCKS, spec.key, described, turn.places, turn.size)
            request = frames.framed(writer.message(*parts))
        except (NotPlain, frames.TooLong):
            return None  # said when it is all written at once
        try:
            return turn.run(child.line, request, patience)
        finally:
            if turn.room > _KEPT:
                child.segment.trim(_KEPT)

    def _described(self, spec: Spec, writer: Writer) -> Any:
        return None if spec.key in self._known else writer.value(spec.values)

    @contextmanager
    def _watched(self, child: Child) -> Iterator[Patience]:
        """How long to wait for the child. Whatever goes wrong in the meantime ends it."""
        wall, cpu = self.allowance.wall_seconds, self.allowance.cpu_seconds
        try:
            yield child.patience(wall, cpu)
        except SandboxError:
            raise  # said before anything was sent
        except TimeoutError as error:
            self._dead(
                f"it took more than the {wall:g} s, or {cpu:g} s of computing, of a call", error
            )
        except (frames.TooLong, Garbled) as error:
            self._dead(f"it said what no worker says ({error})", error)
        except (frames.Ended, OSError) as error:
            self._dead("", error)
        except RecursionError as error:
            self._end()
            text = "too little of the stack is left to ask the worker"
            raise SandboxError(text, code=EXCEEDED) from error
        except BaseException:
            self._end()  # whatever interrupts leaves an answer that nobody waits for
            raise

    def _running(self) -> Child:
        child = self._child
        if child is not None and (len(self._known) > _FUNCTIONS or not child.line.is_quiet()):
            self._end()  # it died while nobody asked it, or says what nobody asked for
        return self._child or self._start()

    def _start(self) -> Child:
        from secure_serial.sandbox.wall.process import Child, Plan

        if not _POSIX and self.demand:
            raise lacking(self.demand)
        if not _POSIX:
            raise SandboxError("there is no worker for the sandbox on this system", code=DIED)
        size = self.allowance.array_bytes
        memory = self.allowance.memory_bytes
        try:
            child = Child(Plan(size, size, memory, self._module, self._paths))
        except (OSError, ImportError) as error:
            text = f"the worker of the sandbox cannot be started: {error}"
            raise SandboxError(text, code=DIED) from error
        self._child, self._known = child, set()
        self._ending = weakref.finalize(self, child.end)
        try:
            self._walls = self._greeted(child)
        except BaseException:
            self._end()
            raise
        missing = self.demand - self._walls
        if missing:
            self._end()
            raise lacking(missing)
        return child

    def _greeted(self, child: Child) -> frozenset[Wall]:
        try:
            text = child.line.receive(frames.clock(_START_SECONDS))
            kind, *parts = Reader(child.segment, 0, 0, copy=True).message(text)
            if kind == "ready":
                return frozenset(map(Wall, parts))
            why = answers.shown(str(parts))
        except (frames.Ended, frames.TooLong, OSError, Garbled, ValueError) as error:
            why = str(error) or self._end(_MOMENT)
        raise SandboxError(f"the worker of the sandbox did not start: {why}", code=DIED)

    def _end(self, moment: float = 0.0) -> str:
        child, self._child = self._child, None
        if child is None or self._ending is None or self._ending.detach() is None:
            return ""
        return child.end(moment)

    def _dead(self, why: str, error: BaseException) -> NoReturn:
        how = self._end(0.0 if why else _MOMENT)
        raise SandboxError(
            f"the worker of the sandbox is gone: {why or how}",
            code=DIED,
            help="the function may be hostile, or need more than [sandbox] of the policy lets it",
        ) from error

    def _forget(self) -> None:
        """In a copy of this process: the child is the original's."""
        self._lock = threading.Lock()
        if self._ending is not None:
            self._ending.detach()
        if self._child is not None:
            self._child.forget()
        self._child = self._ending = None


def lacking(missing: Iterable[str]) -> SandboxError:
    """The error for walls that are demanded and missing."""
    return SandboxError(
        f"this system lacks what is demanded of the sandbox: {', '.join(sorted(missing))}",
        code=MISSING,
        help="run it where the kernel has that, or let the policy demand less",
    )


def shared_worker(
    allowance: Allowance | None = None, demand: Iterable[str] = frozenset()
) -> Worker:
    """The worker of this process for that allowance and these walls."""
    key = (allowance or Allowance(), frozenset(map(str, demand)))
    return _shared.setdefault(key, Worker(*key))


def _after_fork() -> None:
    for worker in list(_all):
        worker._forget()  # noqa: SLF001 - its own kind


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
