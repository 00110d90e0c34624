"""Parameters that have no bearing: what may stand in them without changing a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.dtypes import dtype
from secure_serial.sandbox.facades.errors import kind_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable


def name(value: Any) -> None:
    """A name for what is computed: a text. Another value stands in the place of something else."""
    if value is not None and type(value) is not str:
        raise refused(f"a value of type {kind_of(value)} where a name stands")


def _only(*allowed: Any) -> Callable[[Any], None]:
    def only(value: Any) -> None:
        if type(value) not in (int, type(None)) or value not in allowed:
            raise refused(f"another value than {allowed[-1]}")

    return only


def ignored(value: Any) -> None:
    """A parameter that has no bearing here, such as `back_prop`."""
    if value is not None and type(value) not in (str, bool, int, float):
        dtype(value)


#: Parameters that have none only as long as they say what is usual.
_UNUSUAL = {
    "name": name, "batch_dims": _only(0), "batch_shape": _only(None), "axis": _only(None, 3, -1),
}  # fmt: skip


def check(name: str) -> Callable[[Any], None]:
    """The check for a parameter that is taken and not used."""
    return _UNUSUAL.get(name, ignored)
