"""Operations that `keras.ops` has not, of those that it has: for NumPy and every backend alike.

Each takes `xp`, which has the operations as attributes, and then the parameters of its row of
`canonical.json`. What `xp` has is called with all of its parameters, in their order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.composites.basic import BASIC
from secure_serial.sandbox.facades.composites.colours import COLOURS
from secure_serial.sandbox.facades.composites.crops import CROPS
from secure_serial.sandbox.facades.composites.functions import FUNCTIONS
from secure_serial.sandbox.facades.composites.images import IMAGES
from secure_serial.sandbox.facades.composites.loops import LOOPS
from secure_serial.sandbox.facades.composites.losses import LOSSES
from secure_serial.sandbox.facades.composites.old import OLD
from secure_serial.sandbox.facades.composites.orders import ORDERS
from secure_serial.sandbox.facades.composites.places import PLACES
from secure_serial.sandbox.facades.composites.signals import SIGNALS
from secure_serial.sandbox.facades.composites.windows import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable

_ALL = {
    name: function
    for several in (
        BASIC, IMAGES, OLD, ORDERS, WINDOWS, CROPS, COLOURS, LOSSES, FUNCTIONS, PLACES, LOOPS,
        SIGNALS,
    )
    for name, function in several.items()
}  # fmt: skip


def bound(xp: Any) -> dict[str, Callable[..., Any]]:
    """The operations for one kind of arrays."""
    return {name: partial(function, xp) for name, function in _ALL.items()}
