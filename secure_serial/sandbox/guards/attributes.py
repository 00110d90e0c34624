"""Attributes and methods, by the exact type of the value: what is not listed does not exist.

Of arrays and facades the facades say what there is. A method is looked up and called at once, so
that no bound method is ever a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from secure_serial.sandbox import facades
from secure_serial.sandbox.facades import about_types
from secure_serial.sandbox.facades.facade import Facade
from secure_serial.sandbox.facades.facade import module as facade_of
from secure_serial.sandbox.guards import text
from secure_serial.sandbox.guards.arrays import is_array
from secure_serial.sandbox.guards.calls import callee
from secure_serial.sandbox.guards.iteration import gathered
from secure_serial.sandbox.guards.measure import comparable, key
from secure_serial.sandbox.meter import current
from secure_serial.sandbox.values import FOREIGN, called, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.meter import Meter

#: Attributes that are values.
_VALUES = frozenset({
    (float, "real"), (float, "imag"), (int, "real"), (int, "imag"), (complex, "real"),
    (complex, "imag"), (bool, "real"), (bool, "imag"),
})  # fmt: skip

#: What TensorFlow's shapes, their sizes, and what `top_k` gives have; here they are tuples.
_SHAPES = frozenset({
    (tuple, "values"), (tuple, "indices"), (tuple, "ndims"), (tuple, "rank"), (tuple, "as_list"),
    (int, "value"), (type(None), "value"),
})  # fmt: skip
#: What a type has, which is its name here; of another text, `facades` refuses it.
_TYPES = frozenset((str, name) for name in about_types.ATTRIBUTES)


def attribute(value: Any, name: str, /) -> Any:
    """`value.name`."""
    current().step()
    kind = type(value)
    if kind is Facade:
        return value.member(name)
    if (kind, name) in _VALUES:
        return getattr(value, name)
    if is_array(value) or (kind, name) in _SHAPES or (kind, name) in _TYPES:
        return facades.attribute(value, name)
    raise missing(value, name)


def method(value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """`value.name(*args, **kwargs)`."""
    account = current()
    account.step()
    kind = type(value)
    if kind is Facade:
        return callee(value.member(name))(*args, **kwargs)
    found = _METHODS.get((kind, name))
    if found is not None:
        return found(account, value, *args, **kwargs)
    if is_array(value) or (kind, name) in _SHAPES:
        account.step(FOREIGN)
        return facades.method(value, name)(*args, **kwargs)
    raise missing(value, name)


def missing(value: Any, name: str) -> Exception:
    """The error for what a value does not have here."""
    return refused(f"{name} of a value of type {called(value)}, which there is not here")


def module(name: str, member: str | None, /) -> Any:
    """What an import gives: a facade, or something of one. `restrict` has seen that it is there."""
    current().step()
    found = facade_of(name if member is None else f"{name}.{member}")
    if found is not None:
        return found
    return cast("Facade", facade_of(name)).member(cast("str", member))


def _append(account: Meter, value: list[Any], item: Any, /) -> None:
    account.container(1)
    if len(value) >= account.allowance.items:
        account.container(len(value) + 1)
    value.append(item)


def _extend(account: Meter, value: list[Any], several: Any, /) -> None:
    items = gathered(account, several)
    account.container(len(value) + len(items))
    value.extend(items)


def _index(account: Meter, value: Any, item: Any, /) -> int:
    comparable(account, (value, item))
    if item not in value:
        # Python would write out the whole of what it does not find.
        msg = "the value is not there"
        raise ValueError(msg)
    found: int = value.index(item)
    return found


def _count(account: Meter, value: Any, item: Any, /) -> int:
    comparable(account, (value, item))
    found: int = value.count(item)
    return found


def _get(account: Meter, value: dict[Any, Any], name: Any, default: Any = None, /) -> Any:
    return value.get(key(account, name), default)


def _keys(account: Meter, value: dict[Any, Any], /) -> list[Any]:
    account.step(len(value))
    return list(value)


def _listed(account: Meter, value: dict[Any, Any], /) -> list[Any]:
    account.step(len(value))
    return list(value.values())


def _items(account: Meter, value: dict[Any, Any], /) -> list[tuple[Any, Any]]:
    account.step(len(value))
    return list(value.items())


def _conjugate(_: Meter, value: Any, /) -> Any:
    return value.conjugate()


def _bits(_: Meter, value: int, /) -> int:
    return value.bit_length()


def _is_integer(_: Meter, value: float, /) -> bool:
    return value.is_integer()


_METHODS: dict[tuple[type, str], Callable[..., Any]] = {
    (list, "append"): _append, (list, "extend"): _extend,
    (list, "index"): _index, (tuple, "index"): _index,
    (list, "count"): _count, (tuple, "count"): _count,
    (dict, "get"): _get, (dict, "keys"): _keys, (dict, "values"): _listed,
    (dict, "items"): _items,
    (int, "conjugate"): _conjugate, (bool, "conjugate"): _conjugate,
    (float, "conjugate"): _conjugate, (complex, "conjugate"): _conjugate,
    (int, "bit_length"): _bits, (bool, "bit_length"): _bits, (float, "is_integer"): _is_integer,
    (str, "upper"): text.upper, (str, "lower"): text.lower, (str, "strip"): text.strip,
    (str, "startswith"): text.starts, (str, "endswith"): text.ends, (str, "split"): text.split,
    (str, "join"): text.join, (str, "replace"): text.replace,
}  # fmt: skip
