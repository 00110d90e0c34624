"""The static half: a stored function's tree, checked and compiled, before anything of it runs.

The tree comes in as a tree and is never text here. What is compiled computes nothing by itself:
every operation is a call of a hook (see `transform`), and every global name is one of those, a
builtin of ours, a facade or a plain value of the closure.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING

from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.tree import copied, placed
from secure_serial.sandbox.names import BUILTINS, HOOK, RESULT, checked, forbidden, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from secure_serial.lambdas.understood import Understood

#: Where the code says it stands, in tracebacks.
_FILE = "<restricted function>"


@dataclass(frozen=True, slots=True)
class Checked:
    """A function that may be built: nothing of it has run yet."""

    understood: Understood
    #: Of the function itself: nothing runs to make it one.
    code: CodeType
    #: The global names that it uses: builtins and facades. Those of the closure are not among them.
    builtins: frozenset[str]
    facades: frozenset[str]
    signature: inspect.Signature


def restrict(understood: Understood) -> Checked:
    """Check a function and compile it.

    Raises:
        SandboxError: Something in it is not run here (SS503), or is not in a facade (SS504).

    >>> from secure_serial.lambdas.understood import from_source
    >>> sorted(restrict(from_source("lambda x: max(x, 0) + K.epsilon()")).facades)
    ['K']

    """
    try:
        return _restrict(understood)
    except (RecursionError, MemoryError):
        # Whoever calls has used up the stack; `_bounded` keeps within what is usual.
        raise forbidden("nesting, for what is left of the stack") from None


def _restrict(understood: Understood) -> Checked:
    # RestrictedPython takes a twentieth of a second to import.
    from secure_serial.sandbox.transform import Restricting

    bound = _bound(_bounded(understood.tree)[1:]).union(understood.closure)
    function = definition(copied(understood.tree))
    signature = _signature(function.args, understood)
    closed = frozenset(understood.closure)
    visitor = Restricting(_module, lambda path: path[0] not in bound and is_new(path), closed)
    visitor.visit(function)
    if visitor.raised & bound:
        raise forbidden(f"a variable of the name {min(visitor.raised & bound)}")
    code = compiled(ast.Module([function], []))
    closure = {checked(name, "the variable") for name in understood.closure}
    wanted = {name for name in _globals(code) if not name.startswith(HOOK)} - closure
    builtins = wanted & BUILTINS
    facades = wanted - BUILTINS
    for name in sorted(facades):
        _root(name)
    for path in visitor.paths:
        if path[0] in facades - visitor.own:
            _members(path)
    return Checked(understood, code, frozenset(builtins), frozenset(facades), signature)


def _bounded(tree: ast.AST) -> list[ast.AST]:
    """All nodes of a tree; one that is too large or too deep to be visited is refused."""
    bounds = Bounds()
    level: list[ast.AST] = [tree]
    nodes: list[ast.AST] = []
    depth = 0
    while level:
        nodes += level
        depth += 1
        # Signs and contexts, of which each node has one, are nodes for `ast`, not for `lambdas`.
        if len(nodes) > 2 * bounds.nodes or depth > bounds.tree_depth + 1:
            raise forbidden("an expression that is too large or nested too deep")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return nodes


def _bound(nodes: list[ast.AST]) -> set[str]:
    """Every name that is set anywhere in the function."""
    found: set[str] = set()
    for node in nodes:
        if type(node) is ast.arg:
            found.add(node.arg)
        elif type(node) is ast.Name and type(node.ctx) is ast.Store:
            found.add(node.id)
        elif type(node) is ast.alias:
            found.add(node.asname or node.name.partition(".")[0])
        elif type(node) is ast.FunctionDef:
            found.add(node.name)
    return found


def definition(tree: ast.AST) -> ast.FunctionDef:
    """The tree as a definition under a name that nothing else can have."""
    if type(tree) is ast.Lambda:
        made = ast.FunctionDef(RESULT, tree.args, [ast.Return(tree.body)], [], None, None)
    elif type(tree) is ast.FunctionDef:
        checked(tree.name, "the function name")
        made = tree
        made.name = RESULT
    else:
        raise forbidden(f"{type(tree).__name__}, which is no function,")
    # Python 3.12 and later demand it; a `def` that has any is refused by `transform`.
    made.type_params = getattr(tree, "type_params", [])  # type: ignore[attr-defined,unused-ignore]
    given = made.args
    if given.defaults or any(each is not None for each in given.kw_defaults):
        # They would run when the function is made, outside of every budget.
        raise forbidden("a default in the tree; defaults stand beside it as values")
    return made


def _signature(args: ast.arguments, understood: Understood) -> inspect.Signature:
    """As `inspect.signature` would have it: Keras looks there for `mask` and `training`."""
    made: list[inspect.Parameter] = []
    positional = [*args.posonlyargs, *args.args]
    values = understood.defaults
    if len(values) > len(positional):
        raise forbidden(f"{len(values)} defaults for {len(positional)} parameters")
    stray = set(understood.kwdefaults) - {each.arg for each in args.kwonlyargs}
    if stray:
        raise forbidden(f"a default for {min(stray)[:40]!a}, which is no parameter")
    missing = (inspect.Parameter.empty,) * (len(positional) - len(values))
    for place, (each, value) in enumerate(zip(positional, missing + values, strict=True)):
        only = place < len(args.posonlyargs)
        kind = inspect.Parameter.POSITIONAL_ONLY if only else _POSITIONAL
        made.append(inspect.Parameter(checked(each.arg), kind, default=value))
    if args.vararg is not None:
        made.append(inspect.Parameter(checked(args.vararg.arg), inspect.Parameter.VAR_POSITIONAL))
    made += [_keyword(each.arg, understood.kwdefaults) for each in args.kwonlyargs]
    if args.kwarg is not None:
        made.append(inspect.Parameter(checked(args.kwarg.arg), inspect.Parameter.VAR_KEYWORD))
    try:
        return inspect.Signature(made)
    except ValueError as error:
        raise forbidden(f"parameters that cannot be: {error}") from None


_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _keyword(name: str, values: Mapping[str, object]) -> inspect.Parameter:
    default = values.get(name, inspect.Parameter.empty)
    return inspect.Parameter(checked(name), inspect.Parameter.KEYWORD_ONLY, default=default)


def compiled(module: ast.Module) -> CodeType:
    """The code of the one function of a module."""
    try:
        code = compile(placed(module), _FILE, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, TypeError) as error:
        raise forbidden(f"a tree that does not compile ({type(error).__name__})") from None
    found: CodeType = next(value for value in code.co_consts if type(value) is CodeType)
    return found


def _globals(code: CodeType) -> Iterator[str]:
    """Every name that is looked up, outside of functions' own variables, in all nested code.

    Attributes would be among them, and imports: restricted code has none, all are hooks.
    """
    yield from code.co_names
    for value in code.co_consts:
        if type(value) is CodeType:
            yield from _globals(value)


def _root(name: str) -> None:
    """Refuse a name for which no facade stands."""
    from secure_serial.sandbox.facades.facade import root

    if root(name) is None:
        raise unknown(name)


def _members(path: list[str]) -> None:
    """Refuse `tf.nn.name` where `tf` and `nn` are facades, and `name` is not in the last."""
    from secure_serial.sandbox.facades.facade import root

    found = root(path[0])
    for name in path[1:]:
        if found is None:
            return
        if not found.has(name):
            raise found.missing(name)
        found = found.inner(name)


def is_new(path: list[str]) -> bool:
    """Whether the function of a path is one of a facade that always makes a new array."""
    from secure_serial.sandbox.facades.canonical import NEW

    return operation_of(path) in NEW


def operation_of(path: list[str]) -> str:
    """The operation that the function of a path does, if it is one of a facade; or none."""
    from secure_serial.sandbox.facades.facade import root

    found = root(path[0])
    for name in path[1:-1]:
        if found is None or not found.has(name):
            return ""
        found = found.inner(name)
    return "" if found is None else found.operation(path[-1])


def _module(name: str, member: str | None) -> None:
    """Refuse an import for which no facade stands."""
    from secure_serial.sandbox.facades.facade import module

    if member is not None and module(f"{name}.{member}") is not None:
        return
    found = module(name)
    if found is None:
        raise forbidden(f"an import of {name}, for which nothing stands")
    if member is not None and not found.has(member):
        raise found.missing(member)
