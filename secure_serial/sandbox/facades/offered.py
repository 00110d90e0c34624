"""A function of a facade: checks, sizes, computes. Whatever fails ends in `SandboxError`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from secure_serial.errors import SandboxError
from secure_serial.sandbox.facades import choices, dtypes, kind_parts, kinds, ops, unused
from secure_serial.sandbox.facades.canonical import MISSING, Row, row
from secure_serial.sandbox.facades.charges import compiled
from secure_serial.sandbox.facades.charges.rules import rule
from secure_serial.sandbox.facades.errors import failed, refused
from secure_serial.sandbox.facades.measure import take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from secure_serial.sandbox.facades.rows import Spec

    #: Where a value goes, and what checks it.
    Slot = tuple[int, Callable[[Any], Any]]

#: Facades whose numbers are NumPy's, of 64 bits; those of the others are of 32.
_WIDE = ("np.", "math.")
#: Facades in which whole numbers keep their type: TensorFlow's and old Keras's.
_OLD = ("tf.", "K.")
#: The kinds that hold arrays of a provider.
_ARRAYS = ("tensor", "tensor?", "tensors", "branch", "elements", *kind_parts.KINDS)
#: Forms of calls that a function remembers. Code has a handful; mappings could make many.
_FORMS = 64


class Operation:
    """An operation with its rule, ready to be called with all of its values."""

    __slots__ = ("arrays", "creates", "name", "native", "row", "rule")

    def __init__(self, wanted: Row) -> None:
        self.name = wanted.name
        self.row = wanted
        self.rule = rule(wanted)
        self.creates = wanted.creates
        self.arrays = tuple(i for i, p in enumerate(wanted.parameters) if p.kind in _ARRAYS)
        self.native = ops.NUMPY.find(wanted.name)

    def is_native(self, values: list[Any]) -> bool:
        """Whether NumPy does it: all arrays are its own, or there are none and it is active."""
        for place in self.arrays:
            value = values[place]
            if type(value) in ops.NATIVE:
                continue
            if type(value) is list:
                if not all(map(ops.is_native, value)):
                    return False
            elif not (ops.is_native(value) or callable(value)):
                return False
        return not self.creates or ops.active.get() is ops.NUMPY

    def __call__(self, label: str, values: list[Any], *, narrow: bool) -> Any:
        """Do it. The values have been checked, one for each parameter."""
        try:
            self.rule(values)
            if not self.is_native(values):
                self._compiled(values)
                given = _found(ops.active.get().find(self.name), label)(*values)
                # A backend's own sort of tuple is none to the guards.
                return tuple(given) if isinstance(given, tuple) else given
            made = (self.native or _found(None, label))(*values)
        except SandboxError:
            raise
        except Exception as error:
            raise failed(label, error) from error
        if type(made) is np.ndarray and made.dtype is _FLOAT32:
            return made
        return _numbers(made, values if narrow else None)

    def _compiled(self, values: list[Any]) -> None:
        """Take what a backend compiles for it."""
        if not compiled.wanted():
            return
        tensors = [values[place] for place in self.arrays]
        others = [each for place, each in enumerate(values) if place not in self.arrays]
        others += compiled.by_values(self.row, values)
        compiled.charge(self.name, tensors, others, compiled.kernels(self.row, values))

    def fixed(self, values: list[Any], places: list[int]) -> Callable[..., Any] | None:
        """The operation for arrays of float32 in these places, the others' values checked.

        Its rule is not asked: it must depend on types and shapes alone, and whoever calls must know
        what it says. Results of other types are not given, since they are looked at once more.
        """
        native = self.native
        if native is None or self.creates or self.row.makes not in _BY_SHAPE:
            return None
        if any(self.row.parameters[place].kind not in _ONE_ARRAY for place in places):
            return None
        # An array that was made of a list in the code might be handed out, and then be changed.
        if any(isinstance(each, (np.ndarray, list)) for each in values):
            return None

        def operate(*arrays: Any) -> Any:
            given = values.copy()
            for place, each in zip(places, arrays, strict=True):
                given[place] = each
            made = native(*given)
            if type(made) is not np.ndarray or made.dtype is not _FLOAT32:
                raise refused("a result of another type")
            return made

        return operate


#: Stands for an array in a call of which the other values are known.
ARRAY: Final = object()
#: Rules that depend on the types and shapes of arrays and on values that are none.
_BY_SHAPE = frozenset({"broadcast", "reduce"})
_ONE_ARRAY = frozenset({"tensor", "tensor?"})
#: NumPy has one object for each of its own types: the usual one is told at a look.
_FLOAT32 = np.dtype("float32")


def _found(function: Callable[..., Any] | None, label: str) -> Callable[..., Any]:
    if function is None:
        raise refused(f"{label} cannot be computed here: the backend has none")
    return function


def _numbers(made: Any, narrow: list[Any] | None) -> Any:
    """The result, which holds nothing but numbers; in 32 bits if none of `narrow` had more."""
    kind = type(made)
    if kind is tuple or kind is list:
        return kind(_numbers(each, narrow) for each in made)
    if kind is not np.ndarray and not isinstance(made, np.generic):
        return made
    if made.dtype.kind not in dtypes.NUMERIC and made.dtype.name not in dtypes.DTYPES:
        raise refused("a result that holds something else than numbers")
    if narrow is not None and made.dtype.itemsize >= dtypes.WIDE and not any(map(_wide, narrow)):
        take(made.size, made.dtype.itemsize // 2)  # while both are there
        return dtypes.narrowed(made)
    return made


def _wide(value: Any) -> bool:
    """Whether a value is of 64 bits, or a type's name that asks for them."""
    if type(value) is list:
        return any(map(_wide, value))
    if type(value) is str:
        return value.endswith("64") or value == "complex128"
    kind = getattr(value, "dtype", None)
    return kind is not None and getattr(kind, "itemsize", 0) >= dtypes.WIDE


@cache
def operation(name: str) -> Operation:
    """An operation by the name that `canonical.json` has for it."""
    return Operation(row(name))


class Offered:
    """A function of a facade, as restricted code holds it. It has nothing but its call."""

    __slots__ = (
        "__weakref__",
        "_bound",
        "_call",
        "_label",
        "_named",
        "_narrow",
        "_order",
        "_required",
        "_rest",
        "_start",
        "_whole",
    )

    def __init__(self, label: str, spec: Spec) -> None:
        self._label = label
        self._narrow = not label.startswith(_WIDE)
        self._call = operation(spec.op)
        whole = self._call.row.whole if label.startswith(_OLD) else ""
        self._whole = operation(whole) if whole else None
        parameters = self._call.row.parameters
        places = {p.name: i for i, p in enumerate(parameters)}
        checks = {p.name: kinds.check(p.kind, narrow=self._narrow) for p in parameters}
        start = {p.name: p.default for p in parameters} | spec.fixed
        order: list[Slot] = []
        self._named: dict[str, Slot] = {}
        self._rest = -1
        for taken in spec.takes:
            slot: Slot
            if taken.goes_to is None:
                check = unused.check(taken.names[0])
                if taken.only is not MISSING:
                    check = choices.nothing_but(taken.only)
                slot = (len(parameters), check)
            else:
                check = checks[taken.goes_to]
                if taken.none:
                    check = _unless_none(check, taken.default)
                slot = (places[taken.goes_to], check)
                if taken.default is not MISSING:
                    start[taken.goes_to] = taken.default
            if taken.rest:
                self._rest = slot[0]
                continue
            if not taken.keyword:
                order.append(slot)
            self._named.update(dict.fromkeys(taken.names, slot))
        self._order = tuple(order)
        # One place more than there are parameters: for what has no bearing.
        self._start = [*(start[p.name] for p in parameters), None]
        self._required = {i for i, v in enumerate(self._start) if v is MISSING}
        #: Where values go, by how many have no name and the names of the others.
        self._bound: dict[tuple[Any, ...], tuple[Slot, ...]] = {}

    def __repr__(self) -> str:
        return f"<function {self._label}>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Check, size, compute."""
        values = self._start.copy()
        if self._rest >= 0 and len(args) > len(self._order):
            values[self._rest] = kinds.tensors(args[len(self._order) :])
            args = args[: len(self._order)]
        form = (len(args), *named)
        slots = self._bound.get(form) or self._slots(form)
        given = (*args, *named.values()) if named else args
        try:
            for (place, check), value in zip(slots, given, strict=False):
                values[place] = check(value)
        except SandboxError as error:
            message = f"{self._label}: {error.message}"
            raise SandboxError(message, code=error.code, help=error.help) from None
        values.pop()
        if self._whole is not None and kinds.is_whole(values[0]):
            return self._whole(self._label, values, narrow=self._narrow)
        return self._call(self._label, values, narrow=self._narrow)

    @property
    def operation(self) -> Row:
        """What it does."""
        return self._call.row

    def fixed(self, args: Sequence[Any], named: dict[str, Any]) -> Callable[..., Any] | None:
        """What is left to do of calls with these values, where only arrays take ARRAY's place.

        Raises:
            SandboxError: one of the values may not stand where it does.

        """
        laid = self.laid(args, named)
        return None if laid is None else self._call.fixed(*laid)

    def laid(
        self, args: Sequence[Any], named: dict[str, Any]
    ) -> tuple[list[Any], list[int]] | None:
        """The values of a call, one for each parameter, and the places in which ARRAY stands.

        None: it has too many, or an array where none has a bearing.

        Raises:
            SandboxError: one of the values may not stand where it does.

        """
        if len(args) > len(self._order):
            return None
        values, places = self._start.copy(), []
        slots = self._slots((len(args), *named))
        for (place, check), value in zip(slots, (*args, *named.values()), strict=True):
            if value is ARRAY:
                places.append(place)
            else:
                values[place] = check(value)
        values.pop()
        ignored = len(values)
        return None if ignored in places else (values, places)

    def _slots(self, form: tuple[Any, ...]) -> tuple[Slot, ...]:
        """Where the values of a call go, and what checks each."""
        count, *names = form
        if count > len(self._order):
            most = len(self._order)
            raise refused(f"{self._label} takes at most {most} values, not {count}")
        slots = [*self._order[:count]]
        places = {self._rest, *(place for place, _ in slots)}
        ignored = len(self._start) - 1
        for name in names:
            slot = self._named.get(name)
            if slot is None:
                raise refused(f"{self._label}: it has no parameter {name[:60]!r} here")
            if slot[0] in places and slot[0] != ignored:
                raise refused(f"{self._label}: two values for {name!r}")
            places.add(slot[0])
            slots.append(slot)
        for place in self._required - places:
            wanted = self._call.row.parameters[place].name
            raise refused(f"{self._label} is called without its {wanted}")
        if len(self._bound) < _FORMS:
            self._bound[form] = tuple(slots)
        return tuple(slots)


class OfferedType(Offered):
    """A type such as np.float32: it converts, and its name stands where a type is wanted."""

    __slots__ = ("dtype_name",)

    def __init__(self, label: str, spec: Spec, name: str) -> None:
        super().__init__(label, spec)
        self.dtype_name = name

    def __eq__(self, other: object) -> bool:
        name = other.dtype_name if type(other) is OfferedType else other
        return type(name) is str and name == self.dtype_name

    def __hash__(self) -> int:
        return hash(self.dtype_name)


def _unless_none(check: Callable[[Any], Any], default: Any) -> Callable[[Any], Any]:
    return lambda value: default if value is None else check(value)


kinds.FUNCTIONS |= {Offered, OfferedType}
dtypes.TYPES |= {OfferedType}


def offered(label: str, spec: Spec) -> Offered:
    """A function of a facade."""
    return Offered(label, spec)


def of_type(label: str, name: str) -> OfferedType:
    """A type of a facade."""
    from secure_serial.sandbox.facades.rows import parse

    return OfferedType(label, parse(f"cast(x !dtype={name})"), name)


def plain(label: str, name: str) -> Any:
    """A function on Python's own numbers."""
    from secure_serial.sandbox.facades import numbers

    return numbers.Number(label, name)


def setting(label: str, name: str) -> Any:
    """A function that tells a setting of Keras."""
    from secure_serial.sandbox.facades import numbers

    return numbers.Setting(label, name)


def limits(label: str, name: str) -> Any:
    """A function that tells the limits of a type."""
    from secure_serial.sandbox.facades import about_types

    return about_types.Limits(label, name)


def offered_at(path: Sequence[str]) -> Offered | None:
    """The function of a facade that a path leads to: `["K", "mean"]`."""
    from secure_serial.sandbox.facades.facade import Facade, root

    value: Any = root(path[0])
    for name in path[1:]:
        if type(value) is not Facade:
            return None
        value = value.member(name)
    return value if type(value) is Offered else None
