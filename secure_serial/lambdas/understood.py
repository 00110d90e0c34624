"""A stored function, understood: its tree, what stands beside it, and our own form of both.

Our own form is the tree's source text with defaults and closure as plain values. It does not
depend on the Python that saved it. Where it stands beside bytecode, both are read and must be one
function: Keras runs the bytecode, whatever the source says.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from secure_serial.lambdas import Lifted, lift, own
from secure_serial.lambdas.bounds import Account, Bounds
from secure_serial.lambdas.errors import BadStream, CannotLift, Disagree, TooMuch
from secure_serial.lambdas.nodes import identifier
from secure_serial.lambdas.plain import Plain, alike, plain, written
from secure_serial.lambdas.text import parsed
from secure_serial.lambdas.tree import DEEP, STACK, copied, digest, exact, normal, source, walked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.lambdas.stored import Stored

__all__ = ["Disagree", "Understood", "from_own", "from_source", "understand"]

#: Of our own form; another one is of a later release.
SCHEMA = 1
#: Characters of a default or of a closure's value that `source` shows.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Understood:
    """What one stored function does, whichever form it stood in."""

    #: The normal form, without defaults: those stand beside it.
    tree: ast.Lambda | ast.FunctionDef
    #: Of the last positional parameters.
    defaults: tuple[Plain, ...]
    kwdefaults: Mapping[str, Plain]
    #: The value of each free variable.
    closure: Mapping[str, Plain]
    #: The Python versions that the bytecode may be of; none where there is no bytecode.
    versions: tuple[str, ...]
    #: Of the tree: what a policy approves.
    digest: str
    origin: Literal["bytecode", "source", "both"]

    @property
    def content(self) -> str:
        """A digest of all that the function is: its tree, and the values that it carries."""
        named = sorted(self.kwdefaults.items()), sorted(self.closure.items())
        text = ascii((self.digest, self.defaults, *named))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def source(self) -> str:
        """Readable text, with defaults and closure. Nothing ever compiles it."""
        try:
            return self._source()
        except RecursionError:
            return DEEP

    def _source(self) -> str:
        tree = copied(self.tree)
        tree.args.defaults = [_shown(value) for value in self.defaults]
        tree.args.kw_defaults = [
            _shown(self.kwdefaults[each.arg]) if each.arg in self.kwdefaults else None
            for each in tree.args.kwonlyargs
        ]
        notes = [f"# {name} = {_short(value)}\n" for name, value in sorted(self.closure.items())]
        return "".join(notes) + source(tree)

    def own_form(self) -> dict[str, Json]:
        """The function as JSON, which `from_own` reads on any Python.

        Raises:
            CannotLift: An f-string in it cannot be written as text by the running Python.

        >>> from_source("lambda x, i=2: x[i]").own_form()["source"]
        'lambda x, i: x[i]'

        """
        return {
            "schema": SCHEMA,
            "source": exact(self.tree),
            "defaults": [written(value) for value in self.defaults],
            "kwdefaults": {name: written(value) for name, value in self.kwdefaults.items()},
            "closure": {name: written(value) for name, value in self.closure.items()},
        }


def understand(
    stored: Stored, bounds: Bounds | None = None, account: Account | None = None
) -> Understood:
    """What a stored function does, from its bytecode, its source, or both.

    Args:
        stored: Its parts.
        bounds: What reading it may take.
        account: What reading it and others may take together.

    Raises:
        BadStream: A form is broken.
        CannotLift: It is more than can be shown; `Disagree` where its two forms differ.
        TooMuch: A bound was reached.

    >>> import marshal
    >>> from secure_serial.lambdas.stored import Stored
    >>> code = marshal.dumps((lambda x, k: x * k).__code__)
    >>> understand(Stored(code, defaults=(2.0,))).source
    'lambda x, k=2.0: x * k'

    """
    try:
        return _understood(stored, bounds or Bounds(), account or Account())
    except RecursionError:
        raise TooMuch(STACK) from None


def _understood(stored: Stored, bounds: Bounds, account: Account) -> Understood:
    if stored.own is not None:
        account.source(stored.own.get("source"))
    ours = None if stored.own is None else from_own(stored.own, bounds)
    if stored.code is None:
        if ours is None:
            raise BadStream("a stored function without code and without source")
        return ours
    lifted = lift(stored.code, bounds, account)
    if len(stored.closure) != len(lifted.free):
        raise CannotLift(
            f"a closure of {len(stored.closure)} values for {len(lifted.free)} variables"
        )
    closure = dict(zip(lifted.free, stored.closure, strict=True))
    theirs = _made(lifted, stored.defaults, stored.kwdefaults, closure)
    return theirs if ours is None else _agreed(theirs, ours)


def _agreed(theirs: Understood, ours: Understood) -> Understood:
    """Both forms as one: the source's values, which keep tuples apart from lists."""
    if theirs.digest != ours.digest:
        raise Disagree(f"{_one_line(theirs.tree)} against {_one_line(ours.tree)}")
    if not alike(theirs.defaults, ours.defaults):
        raise Disagree("they have other defaults")
    if theirs.kwdefaults and not alike(dict(theirs.kwdefaults), dict(ours.kwdefaults)):
        raise Disagree("they have other keyword-only defaults")
    if not alike(dict(theirs.closure), dict(ours.closure)):
        raise Disagree("they have other values in their closures")
    return Understood(
        ours.tree, ours.defaults, ours.kwdefaults, ours.closure,
        theirs.versions, ours.digest, "both",
    )  # fmt: skip


def from_own(form: Mapping[str, Json], bounds: Bounds | None = None) -> Understood:
    r"""The function that our own form holds.

    Raises:
        BadStream: A part of the form is missing, or is of another type.
        CannotLift: Its source is more than the lifter would have made.
        TooMuch: A bound was reached.

    >>> from_own({"schema": 1, "source": "lambda x: x * k", "closure": {"k": 2}}).source
    '# k = 2\nlambda x: x * k'

    """
    try:
        return _from_own(form, bounds or Bounds())
    except RecursionError:
        raise TooMuch(STACK) from None


def _from_own(form: Mapping[str, Json], bounds: Bounds) -> Understood:
    schema, text = form.get("schema"), form.get("source")
    if type(schema) is not int or schema != SCHEMA:
        raise BadStream(f"a function in a form of schema {str(schema)[:20]!a}; known is {SCHEMA}")
    if not isinstance(text, str):
        raise BadStream("a function in our own form without its source")
    defaults = form.get("defaults") or []
    if type(defaults) not in {list, tuple}:
        raise BadStream("defaults that stand in no list")
    values = plain(list(cast("Sequence[Json]", defaults)), "a default", bounds)
    tree = parsed(text, bounds)
    if tree.args.defaults or any(tree.args.kw_defaults):
        raise CannotLift("defaults in the source and not beside it")
    closure = _named(form.get("closure"), "a closure's value", bounds)
    return _made(
        _as_lifted(tree, tuple(closure)),
        tuple(cast("list[Plain]", values)),
        _named(form.get("kwdefaults"), "a keyword-only default", bounds),
        closure,
    )


def from_source(text: str, bounds: Bounds | None = None) -> Understood:
    """The function that a source text is: a lambda or a simple `def`, its defaults plain values.

    Raises:
        CannotLift: It is more than the lifter would have made.
        TooMuch: A bound was reached.

    >>> from_source("lambda x, *, axis=-1: K.sum(x, axis=axis)").kwdefaults
    {'axis': -1}

    """
    try:
        return _from_source(text, bounds or Bounds())
    except RecursionError:
        raise TooMuch(STACK) from None


def _from_source(text: str, bounds: Bounds) -> Understood:
    tree = parsed(text, bounds)
    arguments = tree.args
    defaults = tuple(_literal(node) for node in arguments.defaults)
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    named = {each.arg: _literal(node) for each, node in pairs if node is not None}
    arguments.defaults, arguments.kw_defaults = [], [None for _ in arguments.kwonlyargs]
    return _made(_as_lifted(tree, ()), defaults, named, {})


def _as_lifted(tree: ast.Lambda | ast.FunctionDef, free: tuple[str, ...]) -> Lifted:
    """A tree that was source, as if it had been lifted."""
    # What no compiler takes is found here and not at the first call.
    own.compiled(tree, free)
    return Lifted(tree, (), free, digest(tree))


def _made(
    lifted: Lifted,
    defaults: tuple[Plain, ...],
    kwdefaults: Mapping[str, Plain],
    closure: Mapping[str, Plain],
) -> Understood:
    arguments = lifted.tree.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if len(defaults) > len(positional):
        raise CannotLift("more defaults than parameters")
    if kwdefaults.keys() - {each.arg for each in arguments.kwonlyargs}:
        raise CannotLift("defaults of keyword-only parameters that it has not")
    tree = cast("ast.Lambda | ast.FunctionDef", normal(lifted.tree))
    if closure:  # it may hold what only code used that compilers have since dropped
        used = {node.id for node in walked(tree) if isinstance(node, ast.Name)}
        closure = {name: value for name, value in closure.items() if name in used}
    return Understood(
        tree, defaults, dict(kwdefaults), dict(closure), lifted.versions, lifted.digest,
        "bytecode" if lifted.versions else "source",
    )  # fmt: skip


def _named(value: Json, what: str, bounds: Bounds) -> dict[str, Plain]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadStream(f"{what} that stands under no name")
    made = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise BadStream(f"{what} under a name that is no text")
        made[identifier(name)] = plain(item, what, bounds)
    if len(made) > bounds.branches:
        raise TooMuch(f"more than {bounds.branches} of {what}")
    return made


def _literal(node: ast.expr) -> Plain:
    """The plain value that an expression is, without evaluating it."""
    if isinstance(node, ast.Constant) and type(node.value) in {bool, int, float, str, type(None)}:
        return cast("Plain", node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand)
        if type(value) in {int, float}:
            return -cast("float", value)
    if isinstance(node, ast.Tuple):
        return tuple(_literal(item) for item in node.elts)
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _literal(key) for key in node.keys]
        if all(isinstance(key, str) for key in keys):
            return dict(zip(keys, map(_literal, node.values), strict=True))
    raise CannotLift("a default that is no plain value")


def _shown(value: Plain) -> ast.expr:
    """A value as it is written; a long one is cut, since nothing reads it again."""
    return ast.Name(_short(value), ast.Load())


def _short(value: Plain) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _one_line(tree: Any) -> str:
    text = " ".join(source(tree).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
