"""Evaluates functions that compute item by item in blocks that stay in the processor's cache.

Each operation on the whole of a large array is a pass over memory; in blocks, all operations
together are one: the arguments are read where the parent wrote them, the result is written where
it will read it. The blocks are computed by the same guards, in one account, which takes from it at
least what the whole would: each operation costs as much for all blocks together, and no less than a
step for each. So what a budget allows in blocks it allows at once. Whatever goes wrong in a block
is forgotten, and the whole is computed: that answer counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import ndarray

from secure_serial.sandbox.facades.ops import active
from secure_serial.sandbox.function import Restricted, admitted
from secure_serial.sandbox.meter import Meter, _meter
from secure_serial.sandbox.pointwise import itemwise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from secure_serial.sandbox.wall.codec import Writer

#: Items of a block: some blocks of four bytes an item fit half a megabyte, and to call the function
#: takes little of the time to compute one.
ITEMS = 1 << 16


class Blockwise(Restricted):
    """A restricted function that is `pointwise`."""

    def by_blocks(self, args: Sequence[Any], writer: Writer) -> Any:
        """The result as it stands in a message, written; or None: it is to be computed at once."""
        first = itemwise(args)
        if first is None or first.size < 2 * ITEMS:
            return None
        opened, provider = _meter.set(Meter(self.allowance)), active.set(self.ops)
        try:
            given = tuple(map(admitted, args))
            raw = self._plain.for_all(given) if self._plain is not None else None
            return self._written(raw or self.raw(), given, first, writer)
        except Exception:  # noqa: BLE001 - computed at once, it says what it is
            return None
        finally:
            active.reset(provider)
            _meter.reset(opened)

    @staticmethod
    def _written(
        raw: Callable[..., Any], args: Sequence[Any], first: ndarray[Any, Any], writer: Writer
    ) -> Any:
        flat = [each.reshape(-1) if type(each) is ndarray else each for each in args]
        described: Any = None
        whole: Any = None
        for start in range(0, first.size, ITEMS):
            part = slice(start, start + ITEMS)
            made = raw(*(each[part] if type(each) is ndarray else each for each in flat))
            if type(made) is not ndarray:
                return None
            if described is None:
                described, target = writer.room(first.shape, made.dtype)
                whole = target.reshape(-1)
            if made.dtype != whole.dtype or made.shape != whole[part].shape:
                return None
            whole[part] = made
        return described
