"""Source text to a tree, as bounded and as narrow as the lifter's own trees.

The text may be a stranger's: how deep it nests is told from its tokens before CPython's parser
sees it, and of what that makes only what the lifter itself could have made is taken.
"""

# ruff: noqa: N802 - methods are named after the nodes that they check

from __future__ import annotations

import ast
import tokenize
from typing import Any

from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.machine import DIVIDE
from secure_serial.lambdas.nesting import check_tokens
from secure_serial.lambdas.nodes import Maker, identifier
from secure_serial.lambdas.tree import check_scopes

_STATEMENTS = (
    ast.Assert, ast.Assign, ast.AugAssign, ast.Break, ast.Expr, ast.For, ast.FunctionDef, ast.If,
    ast.Import, ast.ImportFrom, ast.Pass, ast.Raise, ast.Return,
)  # fmt: skip
_EXPRESSIONS = (
    ast.Attribute, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant, ast.Dict,
    ast.DictComp, ast.FormattedValue, ast.GeneratorExp, ast.IfExp, ast.JoinedStr, ast.Lambda,
    ast.List, ast.ListComp, ast.Name, ast.NamedExpr, ast.Set, ast.SetComp, ast.Slice,
    ast.Starred, ast.Subscript, ast.Tuple, ast.UnaryOp,
)  # fmt: skip
_OTHERS = (
    ast.alias, ast.arg, ast.arguments, ast.boolop, ast.cmpop, ast.comprehension, ast.expr_context,
    ast.keyword, ast.operator, ast.unaryop,
)  # fmt: skip
_KNOWN = (*_STATEMENTS, *_EXPRESSIONS, *_OTHERS)
#: Where a name is given a value, and what may stand there.
_TARGETS = {"Assign": "targets", "AugAssign": "target", "NamedExpr": "target",
            "comprehension": "target", "For": "target"}  # fmt: skip
#: What the parser leaves in a tree beside what it means.
_DROPPED = frozenset({"annotation", "kind", "returns", "type_comment", "type_params"})
#: `x is 1` depends on how a Python keeps its constants; these are what they are.
_SINGLE = (bool, type(None), type(...))


def parsed(text: str, bounds: Bounds | None = None) -> ast.Lambda | ast.FunctionDef:
    """The tree of a text that is one lambda or one `def`, its defaults included.

    Raises:
        CannotLift: It is anything else, or holds what the lifter does not make.
        TooMuch: A bound was reached.

    >>> type(parsed("lambda x, i=2: x[i]")).__name__
    'Lambda'

    """
    bounds = bounds or Bounds()
    _check_text(text, bounds)
    try:
        check_tokens(text, bounds.nodes)
        module = ast.parse(text)
    except (CannotLift, TooMuch):
        raise
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        raise CannotLift(f"a text that is no Python ({type(error).__name__})") from None
    except (RecursionError, MemoryError, OverflowError):
        raise TooMuch("nesting, for the parser") from None
    root: Any = module.body[0] if len(module.body) == 1 else None
    root = root.value if isinstance(root, ast.Expr) else root
    if not isinstance(root, (ast.Lambda, ast.FunctionDef)):
        raise CannotLift("a text of anything but one function")
    _check_depth(root, bounds)
    tree: ast.Lambda | ast.FunctionDef = _Taker(bounds).root(root)
    check_scopes(tree)
    return tree


def _check_text(text: str, bounds: Bounds) -> None:
    if len(text) > bounds.string_bytes:
        raise TooMuch(f"a source of more than {bounds.string_bytes} characters")
    # Nothing that could show as other text than it is: controls, marks of direction, surrogates.
    if not all(line.isprintable() for line in text.replace("\t", " ").split("\n")):
        raise CannotLift("a source with characters that cannot be shown")


def _check_depth(root: ast.AST, bounds: Bounds) -> None:
    """Before anything here walks the tree by recursion."""
    level = [root]
    for _ in range(bounds.tree_depth + 1):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise TooMuch(f"an expression nested more than {bounds.tree_depth} deep")


class _Taker:
    """Makes a tree of its own of a parsed one, node by node, as the lifter would make it."""

    def __init__(self, bounds: Bounds) -> None:
        self.make = Maker(bounds)
        self.bounds = bounds
        #: The callees that are the helper for Python 2's division.
        self.helpers: set[int] = set()
        #: The `break`s that stand in a loop.
        self.breaks: set[int] = set()
        #: The statements that are all of a body.
        self.empty: set[int] = set()

    def root(self, node: ast.Lambda | ast.FunctionDef) -> Any:
        if isinstance(node, ast.Lambda):
            return self.taken(node)
        self.check_FunctionDef(node)
        made = ast.FunctionDef(
            self.bind(node.name), self.taken(node.args), self.taken(node.body), [], None, None
        )
        made.type_params = []  # type: ignore[attr-defined,unused-ignore]
        return self.make(made)

    def taken(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.taken(item) for item in value]
        if not isinstance(value, ast.AST):
            return value
        if not isinstance(value, _KNOWN):
            raise CannotLift(f"a construct that is not known here ({type(value).__name__})")
        check = getattr(self, "check_" + type(value).__name__, None)
        if check is not None:
            check(value)
        if isinstance(value, ast.JoinedStr):
            value = ast.JoinedStr(_joined(value.values))
        where = _TARGETS.get(type(value).__name__)
        if where is not None:
            items = (ast.Assign, ast.AugAssign)
            _check_target(getattr(value, where), item=isinstance(value, items))
        fields = [name for name in value._fields if hasattr(value, name)]
        given = {
            name: None if name in _DROPPED else self.taken(getattr(value, name)) for name in fields
        }
        if "type_params" in given:
            given["type_params"] = []
        if isinstance(value, (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)):
            return type(value)()
        made: Any = type(value)
        return self.make(made(**given))

    # What a node must be besides known.

    def check_alias(self, node: ast.alias) -> None:
        for name in node.name.split("."):
            self.bind(name)
        if node.asname is not None:
            self.bind(node.asname)

    def check_arg(self, node: ast.arg) -> None:
        if node.annotation is not None:
            raise CannotLift("an annotation")
        self.bind(node.arg)

    def check_Assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise CannotLift("an assignment to several targets")

    def check_AugAssign(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, (ast.Name, ast.Subscript)):
            raise CannotLift("an augmented assignment to anything but a variable or an item")

    def check_Attribute(self, node: ast.Attribute) -> None:
        identifier(node.attr)

    def check_Break(self, node: ast.Break) -> None:
        if id(node) not in self.breaks:
            raise CannotLift("a break outside of a loop")

    def check_Call(self, node: ast.Call) -> None:
        callee = node.func
        if isinstance(callee, ast.Name) and callee.id == DIVIDE:
            plain = not any(isinstance(each, ast.Starred) for each in node.args)
            if len(node.args) != 2 or node.keywords or not plain:  # noqa: PLR2004 - by what
                raise CannotLift(f"{DIVIDE} called with anything but two values")
            self.helpers.add(id(callee))

    def check_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for at, sign in enumerate(node.ops):
            if isinstance(sign, (ast.Is, ast.IsNot)):
                for side in operands[at : at + 2]:
                    if isinstance(side, ast.Constant) and not isinstance(side.value, _SINGLE):
                        raise CannotLift("`is` with a literal")

    def check_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, int) and value.bit_length() > self.bounds.integer_bits:
            raise TooMuch(f"an integer of {value.bit_length()} bits")

    def check_comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            raise CannotLift("async")

    def check_For(self, node: ast.For) -> None:
        if node.orelse:
            raise CannotLift("a for statement with else")
        self.breaks |= {id(each) for each in ast.walk(node) if isinstance(each, ast.Break)}
        self.check_If(node)

    def check_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.decorator_list or node.returns or getattr(node, "type_params", None):
            raise CannotLift("a decorator or an annotation")
        self.bind(node.name)

    def check_If(self, node: ast.If | ast.For) -> None:
        """`pass` stands where a body is empty, and nowhere else."""
        self.empty |= {id(node.body[0])} if len(node.body) == 1 else set()

    def check_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            raise CannotLift("a relative import")
        for name in node.module.split("."):
            self.bind(name)

    def check_keyword(self, node: ast.keyword) -> None:
        if node.arg is not None:
            identifier(node.arg)

    def check_Name(self, node: ast.Name) -> None:
        if id(node) in self.helpers:
            return
        self.bind(node.id)

    def check_Pass(self, node: ast.Pass) -> None:
        if id(node) not in self.empty:
            raise CannotLift("a pass that stands in for nothing")

    def check_Raise(self, node: ast.Raise) -> None:
        if node.exc is None or node.cause is not None:
            raise CannotLift("a raise of anything but one exception")

    def check_Return(self, node: ast.Return) -> None:
        if node.value is None:
            raise CannotLift("a return of nothing")

    def bind(self, name: str) -> str:
        if identifier(name) == DIVIDE:
            raise CannotLift(f"the name {DIVIDE}, which has a meaning here")
        return name


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string as every Python has them: 3.12 leaves empty texts among them."""
    parts: list[ast.expr] = []
    for value in values:
        last = parts[-1] if parts else None
        if not isinstance(value, ast.Constant):
            parts.append(value)
        elif isinstance(last, ast.Constant):
            parts[-1] = ast.Constant(str(last.value) + str(value.value))
        elif value.value:
            parts.append(value)
    return parts


def _check_target(target: Any, *, item: bool) -> None:
    """Names, tuples of them, and one item: the lifter stores nowhere else."""
    todo = list(target) if isinstance(target, list) else [target]
    if item and len(todo) == 1 and isinstance(todo[0], ast.Subscript):
        return
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Tuple) and node.elts:
            todo += node.elts
        elif isinstance(node, ast.Starred):
            todo.append(node.value)
        elif not isinstance(node, ast.Name):
            raise CannotLift("an assignment to what is no name")
