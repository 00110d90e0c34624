"""Evaluates functions that compute row by row in blocks that stay in the processor's cache.

Each operation on the whole of a large array is a pass over memory; in blocks, all operations
together are one. The parent copies the blocks of the arguments into a few places, which it uses in
turns, and those of the result out of as many; so the copies of some blocks are made while others
are computed. `turns` is its side, this is the child's.

The blocks are computed by the same guards, in one account, which takes from it at least what the
whole would: each operation costs as much for all blocks together, and no less than a step for
each. So what a budget allows in blocks it allows at once. Whatever goes wrong in a block is
forgotten, and the whole is computed: that answer counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import ndarray

from secure_serial.sandbox.facades.ops import active
from secure_serial.sandbox.function import Restricted, admitted
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.wall.codec import NotPlain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from secure_serial.sandbox.wall.codec import Writer

    Array = ndarray[Any, Any]
    Given = tuple[Any, ...]


class Blockwise(Restricted):
    """A restricted function that can be asked to compute in blocks: `division` says of which."""

    def by_blocks(
        self,
        places: Sequence[Given],
        size: int,
        wait: Callable[[], None],
        outgoing: Callable[[], Writer],
    ) -> Iterator[Any]:
        """Compute one block after the other.

        Args:
            places: The arguments of the first blocks; those of later ones come to stand there.
            size: Rows of the whole.
            wait: Returns when the next block stands in its place; the first does.
            outgoing: Writes results: the whole must fit, and so do some blocks of it.

        Yields:
            When a block is computed, how the places are described where the results come to stand.

        """
        meter = Meter(self.allowance)
        opened, provider = _meter.set(meter), active.set(self.ops)
        try:
            given = [tuple(map(admitted, place)) for place in places]
            rows = len(_first(given[0]))
            raw = self._raw_for(given[0], size)
            made = _array(raw(*given[0]), rows)
            if not meter.lasts(-(-size // rows)):
                raise NotPlain("more than an account holds, a block at a time")
            described, targets = _rooms(len(places), size, made, outgoing)
            targets[0][:] = made
            yield described
            raw = self._next(raw, given[0])
            for number, first in enumerate(range(rows, size, rows), 1):
                wait()
                place, left = number % len(places), min(rows, size - first)
                made = _array(raw(*_shortened(given[place], left)), left)
                if made.dtype != targets[place].dtype or made.shape[1:] != targets[0].shape[1:]:
                    raise NotPlain("blocks of several types")
                targets[place][:left] = made
                yield described
        finally:
            active.reset(provider)
            _meter.reset(opened)

    def _raw_for(self, args: Given, size: int) -> Callable[..., Any]:
        """The code without guards, if a call may use up what it takes for that many rows."""
        first = _first(args)
        items = size * (first.size // len(first))
        plain = self._plain.for_all(args, items) if self._plain is not None else None
        return plain or self.raw()

    def _next(self, raw: Callable[..., Any], args: Given) -> Callable[..., Any]:
        """What computes the blocks after the first, for which the account lasts."""
        straight = self._straight
        if straight is None:
            return raw
        straight.learn(args)

        def quick(*args: Any) -> Any:
            made = straight(args)
            return raw(*args) if made is None else made

        return quick


def _first(args: Given) -> Array:
    return next(each for each in args if type(each) is ndarray)


def _shortened(args: Given, rows: int) -> Given:
    return tuple(each[:rows] if type(each) is ndarray else each for each in args)


def _array(made: Any, rows: int) -> Array:
    if type(made) is not ndarray or made.shape[:1] != (rows,):
        raise NotPlain("a result that has no rows as the arguments have")
    return made


def _rooms(
    count: int, size: int, like: Array, outgoing: Callable[[], Writer]
) -> tuple[list[Any], list[Array]]:
    """Room for the results of some blocks, if there is room for the whole."""
    outgoing().room((size, *like.shape[1:]), like.dtype)
    writer = outgoing()
    rooms = [writer.room(like.shape, like.dtype) for _ in range(count)]
    return ["l", *(described for described, _ in rooms)], [target for _, target in rooms]
