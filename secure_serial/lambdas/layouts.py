"""The layouts of a marshalled code object, and what must hold in each.

From `w_complex_object` and `r_object` in CPython's Python/marshal.c of each version.
"""

from __future__ import annotations

from typing import Any, cast

from secure_serial.lambdas import code as c
from secure_serial.lambdas.errors import BadStream

_OLD = ("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name")
_ENDS = ("FIRSTLINENO", "linetable")
#: A field in capitals is a plain 32-bit integer, another is a value.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "2.7": ("ARGCOUNT", "NLOCALS", "STACKSIZE", "FLAGS", *_OLD, *_ENDS),
    "3.5": ("ARGCOUNT", "KWONLY", "NLOCALS", "STACKSIZE", "FLAGS", *_OLD, *_ENDS),
    "3.8": ("ARGCOUNT", "POSONLY", "KWONLY", "NLOCALS", "STACKSIZE", "FLAGS", *_OLD, *_ENDS),
    "3.11": (
        *("ARGCOUNT", "POSONLY", "KWONLY", "STACKSIZE", "FLAGS"),
        *("code", "consts", "names", "slots", "kinds", "filename", "name", "qualname"),
        *_ENDS,
        "exceptiontable",
    ),
}
#: Which versions write which layout, oldest first.
VERSIONS: dict[str, tuple[str, ...]] = {
    "2.7": ("2.7",),
    "3.5": ("3.5", "3.6", "3.7"),
    "3.8": ("3.8", "3.9", "3.10"),
    "3.11": ("3.11", "3.12", "3.13", "3.14", "3.15"),
}
_COUNTS = ("ARGCOUNT", "POSONLY", "KWONLY", "NLOCALS", "STACKSIZE", "FLAGS")
#: More arguments or locals than any function has (CPython allows more since 3.7).
_MOST = 1000


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise BadStream("a field of the code is no byte string")
    return value


def _text(value: object, layout: str) -> str:
    if layout == "2.7" and isinstance(value, bytes):
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise BadStream("a name of the code is not ASCII") from None
    if not isinstance(value, str):
        raise BadStream("a name of the code is no text")
    return value


def _names(value: object, layout: str) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise BadStream("a field of the code is no tuple of names")
    return tuple(_text(name, layout) for name in value)


def _path(value: object) -> str:
    """A path, which is only shown; Python 2 writes whatever bytes it has."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return _text(value, "")


def make_code(layout: str, raw: dict[str, Any]) -> c.Code:
    """The code object that the fields say."""
    counts = {name: cast("int", raw.get(name, 0)) for name in _COUNTS}
    if min(counts.values()) < 0 or max(counts[name] for name in _COUNTS[:4]) > _MOST:
        raise BadStream("a count of the code is out of range")
    if not isinstance(raw["consts"], tuple):
        raise BadStream("the constants are no tuple")
    made: dict[str, Any] = {
        "layout": layout,
        "code": _bytes(raw["code"]),
        "consts": raw["consts"],
        "names": _names(raw["names"], layout),
        "filename": _path(raw["filename"]),
        "name": _text(raw["name"], layout),
        "firstlineno": cast("int", raw["FIRSTLINENO"]),
        "linetable": _bytes(raw["linetable"]),
        "exceptiontable": _bytes(raw.get("exceptiontable", b"")),
        "nested": tuple(value for value in raw["consts"] if isinstance(value, c.Code)),
        **{name.lower(): value for name, value in counts.items()},
        **(_variables(raw) if layout == "3.11" else _variables_before(raw, layout)),
    }
    code = c.Code(**made)
    _check(code)
    return code


def _variables_before(raw: dict[str, Any], layout: str) -> dict[str, object]:
    names = {key: _names(raw[key], layout) for key in ("varnames", "cellvars", "freevars")}
    if len(names["varnames"]) != raw["NLOCALS"]:
        raise BadStream("the number of local variables is not that of their names")
    return dict(names)


def _variables(raw: dict[str, Any]) -> dict[str, object]:
    slots, kinds = _names(raw["slots"], "3.11"), _bytes(raw["kinds"])
    _text(raw["qualname"], "3.11")
    if len(slots) != len(kinds):
        raise BadStream("the kinds of variables are not as many as the variables")
    known = c.KIND_ARGUMENT | c.KIND_HIDDEN | c.KIND_LOCAL | c.KIND_CELL | c.KIND_FREE
    if any(kind & ~known or not kind & ~(c.KIND_ARGUMENT | c.KIND_HIDDEN) for kind in kinds):
        raise BadStream("a variable is of no known kind")

    def of(kind: int) -> tuple[str, ...]:
        return tuple(slot for slot, own in zip(slots, kinds, strict=True) if own & kind)

    # Locals come first, then cells that are no arguments, then free variables.
    order = [2 if kind & c.KIND_FREE else 0 if kind & c.KIND_LOCAL else 1 for kind in kinds]
    if order != sorted(order):
        raise BadStream("the variables are not in their order")
    local, free = of(c.KIND_LOCAL), of(c.KIND_FREE)
    return {
        "varnames": local,
        "cellvars": of(c.KIND_CELL),
        "freevars": free,
        "slots": slots,
        "kinds": kinds,
        "nlocals": len(local),
    }


def _check(code: c.Code) -> None:
    if code.posonly > code.argcount or code.arguments > len(code.varnames):
        raise BadStream("more arguments than variables")
    for names in (code.varnames, code.cellvars, code.freevars):
        if len(set(names)) != len(names):
            raise BadStream("two variables of the code have one name")
    if set(code.freevars) & (set(code.varnames) | set(code.cellvars)):
        raise BadStream("a variable is both free and local")
