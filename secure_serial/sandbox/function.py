"""A restricted function as a callable: admits arguments, opens an account, bounds the result."""

from __future__ import annotations

from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from numpy import dtype, ndarray

from secure_serial.errors import SandboxError
from secure_serial.sandbox import arithmetic, straight
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades import kinds
from secure_serial.sandbox.facades.facade import root
from secure_serial.sandbox.facades.ops import active
from secure_serial.sandbox.guards import builtins, hooks
from secure_serial.sandbox.guards.arrays import is_array
from secure_serial.sandbox.guards.measure import DEEPEST, keys, parts
from secure_serial.sandbox.meter import EXCEEDED, Meter, _meter, current
from secure_serial.sandbox.restored import Restored
from secure_serial.sandbox.values import (
    ATOMS,
    CONTAINERS,
    PLAIN,
    Function,
    Stream,
    called,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.arithmetic import Arithmetic
    from secure_serial.sandbox.facades.ops import Ops
    from secure_serial.sandbox.restrict import Checked
    from secure_serial.sandbox.straight import Straight

#: Characters of another error's message that ours repeats.
_SHOWN = 200
#: Types of arrays that need no closer look.
_USUAL = frozenset({dtype("float32"), dtype("float64")})


class Budgeted:
    """What runs restricted code: in the account of the call under way, or in one of its own."""

    def __init__(self, ops: Ops, allowance: Allowance) -> None:
        self.ops = ops
        self.allowance = allowance
        #: The function, if all calls may share it.
        self._kept: Function | None = None
        #: The same without guards, where it needs none, or where a call like it went well.
        self._plain: Arithmetic | None = None
        self._straight: Straight | None = None

    def _made(self) -> Function:
        """The function, for one call alone."""
        raise AssertionError

    def raw(self) -> Callable[..., Any]:
        """The code with its guards, to be called with values that were admitted, in an account."""
        return (self._kept or self._made()).raw

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function.

        Raises:
            SandboxError: A bound was reached (SS502), a value may not stand where it does (SS504),
                or the function itself failed (SS501): then `__cause__` is the error that it made.

        """
        outer = _meter.get()
        if outer is not None:
            if outer.allowance == self.allowance:
                return self._run(args, kwargs)
            with outer.within(self.allowance):
                return self._run(args, kwargs)
        quick = None if kwargs else self._plain or self._straight
        if quick is not None:
            made = quick(args)
            if made is not None:
                return made
        opened = _meter.set(Meter(self.allowance))
        # Setting a variable of the context takes longer than a look at it.
        provider = None if active.get() is self.ops else active.set(self.ops)
        try:
            made = self._run(args, kwargs) if kwargs else self._outermost(args)
            return made if type(made) is ndarray else self._given(made)
        except SandboxError:
            raise
        except RecursionError:
            raise self._failed("it uses up the stack", EXCEEDED) from None
        except MemoryError:
            raise self._failed("it uses up the memory", EXCEEDED) from None
        except Exception as error:
            # A KeyError would write out the whole of what is not there.
            reason = "" if type(error) is KeyError else ascii(str(error)[:_SHOWN])[1:-1]
            raise self._failed(f"{type(error).__name__}: {reason}") from error
        finally:
            if provider is not None:
                active.reset(provider)
            _meter.reset(opened)

    def _failed(self, reason: str, code: str = "SS501") -> SandboxError:
        return SandboxError(f"the restricted function failed: {reason}", code=code)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        named = {name: admitted(value) for name, value in kwargs.items()}
        return (self._kept or self._made())(*map(admitted, args), **named)

    def _outermost(self, args: tuple[Any, ...]) -> Any:
        made = self.raw()(*map(admitted, args))
        if self._straight is not None and type(made) is ndarray:
            self._straight.learn(args)
        return made

    def _given(self, value: Any) -> Any:
        """A result that may leave: values and arrays, and a function with a budget of its own."""
        if type(value) in ATOMS or is_array(value):
            return value
        if type(value) is Function:
            if not _is_constant(value):
                raise refused("a function that keeps what can be changed, as a result")
            return Inner(value, self.ops, self.allowance)
        for each in parts(current(), value):
            if type(each) is Stream:
                raise refused("a generator as a result", "list(…) of it can be given back")
            if type(each) not in PLAIN and not is_array(each):
                raise refused(f"a result that holds a value of type {called(each)}")
        return value


class Inner(Budgeted):
    """A function that a restricted function gave back. Each call of it is an outermost call."""

    def __init__(self, function: Function, ops: Ops, allowance: Allowance) -> None:
        super().__init__(ops, allowance)
        self._kept = function


class Restricted(Budgeted, Restored):
    """A stored function, ready to be called."""

    def __init__(self, checked: Checked, ops: Ops, allowance: Allowance) -> None:
        Budgeted.__init__(self, ops, allowance)
        Restored.__init__(self, checked.understood, checked.signature)
        self._code = checked.code
        self._globals: dict[str, Any] = {**hooks.table()}
        # Python looks here for names that no code of ours has; there are none.
        self._globals["__builtins__"] = {}
        self._globals.update((name, builtins.TABLE[name]) for name in checked.builtins)
        self._globals.update((name, root(name)) for name in checked.facades)
        values = (self.understood.defaults, self.understood.kwdefaults, self.understood.closure)
        # What can be changed is made anew for each call, so that no call sees another.
        if not any(map(_mutable, values)):
            self._kept = self._made()
            self._plain = arithmetic.found(self.understood, allowance)
            if self._plain is None:
                self._straight = straight.found(self.understood, allowance)

    def _made(self) -> Function:
        """Put code, names and stored values together. Nothing runs."""
        known = self.understood
        closure = {name: _stored(value) for name, value in known.closure.items()}
        defaults = tuple(map(_stored, known.defaults))
        raw = FunctionType(self._code, self._globals | closure, self.__name__, defaults)
        raw.__kwdefaults__ = {name: _stored(value) for name, value in known.kwdefaults.items()}
        return Function(raw)


def build(checked: Checked, ops: Ops, allowance: Allowance | None = None) -> Restricted:
    """A callable of a checked function; `ops` computes what is not NumPy's.

    Raises:
        SandboxError: A default or a value of the closure is no plain value.

    >>> from secure_serial.lambdas.understood import from_source
    >>> from secure_serial.sandbox.facades.ops import NUMPY
    >>> from secure_serial.sandbox.restrict import restrict
    >>> build(restrict(from_source("lambda x, n=2: x ** n")), NUMPY)(3)
    9

    """
    return Restricted(checked, ops, allowance or Allowance())


def _is_constant(function: Function) -> bool:
    """Whether a function is the same at every call: nothing that it carries can be changed.

    A list in the closure of a function that is given back would outlive the call and its budget.
    """
    seen: set[int] = set()
    todo: list[Any] = [function]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if type(value) is Stream or (type(value) in CONTAINERS and type(value) is not tuple):
            return False
        if type(value) is tuple:
            todo += value
        elif type(value) is Function and type(value.raw) is FunctionType:
            todo += _carried(value.raw)
    return True


def _carried(raw: FunctionType) -> list[Any]:
    """What a function refers to that is not its own: defaults, its closure, and what it names."""
    names: set[str] = set()
    codes = [raw.__code__]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [each for each in code.co_consts if type(each) is CodeType]
    cells = [cell for cell in raw.__closure__ or () if cell != CellType()]
    return [
        *(raw.__defaults__ or ()),
        *(raw.__kwdefaults__ or {}).values(),
        *(cell.cell_contents for cell in cells),
        *(raw.__globals__[name] for name in names if name in raw.__globals__),
    ]


def _mutable(value: Any) -> bool:
    """Whether a stored value can be changed; the outer tuple or mapping of several is ours."""
    each = value if isinstance(value, tuple) else tuple(value.values())
    return any(type(item) not in ATOMS for item in each)


def _stored(value: Any, depth: int = 0) -> Any:
    """A default or a closure's value as a value of its own."""
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind not in {tuple, list, dict} or depth >= DEEPEST:
        raise refused(f"a default or a closure with a value of type {called(value)}")
    if kind is dict:
        return {_stored(name): _stored(item, depth + 1) for name, item in value.items()}
    return kind(_stored(item, depth + 1) for item in value)


def admitted(value: Any, depth: int = 0) -> Any:
    """An argument as restricted code may have it: arrays, plain values, copies of containers."""
    kind = type(value)
    if kind is ndarray:
        return value if value.dtype in _USUAL else kinds.array(value)
    if kind is str:
        current().text(len(value))
    elif kind is int:
        current().integer(value.bit_length())
    elif kind in ATOMS:
        pass
    elif isinstance(value, Budgeted):
        # Its calls are parts of this one.
        return Function(value)
    elif isinstance(value, (list, tuple, dict)):
        return _copied(value, depth)
    elif kind is not slice:
        return kinds.array(value)
    return value


def _copied(value: Any, depth: int) -> Any:
    """A container as one of Python's own type, so that nothing of another is ever called."""
    account = current()
    account.container(len(value))
    if depth >= DEEPEST:
        raise refused(f"an argument nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        keys(len(value))
        made = {}
        for name, item in value.items():
            if type(name) not in {str, int}:
                raise refused(f"an argument with a key of type {called(name)}")
            made[admitted(name)] = admitted(item, depth + 1)
        return made
    items = [admitted(item, depth + 1) for item in value]
    return items if isinstance(value, list) else tuple(items)
