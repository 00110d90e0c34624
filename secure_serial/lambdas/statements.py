"""Assignments, unpacking and imports: what a simple `def` does besides expressions."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.nodes import identifier
from secure_serial.lambdas.values import Cell, Const, Null, Saved

if TYPE_CHECKING:
    from secure_serial.lambdas.express import Express
    from secure_serial.lambdas.instructions import Op
    from secure_serial.lambdas.nodes import Maker


class Statements:
    """The part of the lifter that stores."""

    ops: tuple[Op, ...]
    stack: list[Any]
    stmts: list[ast.stmt]
    pending: list[tuple[ast.expr, Any]]
    make: Maker
    express: Express
    pop: Any
    use: Any
    replace: Any

    def do_store(self, name: str) -> None:
        value = self.pop()
        if isinstance(value, Saved):
            if value.name != name:
                raise CannotLift("a hidden variable put back under another name")
            return
        inplace = self.express.inplace.pop(id(value), None)
        if inplace is not None and not self.stack:
            self.augment(name, inplace)
            return
        used = self.use(value)
        target = self.make(ast.Name(identifier(name), ast.Store()))
        if any(each is used or each is value for each in self.stack) and not self.pending:
            made = self.make(ast.NamedExpr(target, self.express.of(used)))
            self.replace(value, made)
            self.replace(used, made)
            return
        self.assign(target, used)

    do_store_deref = do_store

    def augment(self, name: str, value: ast.BinOp) -> None:
        if not isinstance(value.left, ast.Name) or value.left.id != name:
            raise CannotLift("an augmented assignment to another variable")
        target = self.make(ast.Name(identifier(name), ast.Store()))
        self.stmts.append(self.make(ast.AugAssign(target, value.op, value.right)))

    def assign(self, target: ast.expr, value: Any) -> None:
        """One assignment, or one part of `a, b = c, d`, whose parts stand on the stack."""
        self.pending.append((target, self.express.of(value)))
        if any(not isinstance(each, (Saved, Cell, Null)) for each in self.stack):
            return
        done, self.pending = self.pending, []
        if len(done) == 1:
            self.stmts.append(self.make(ast.Assign([target], done[0][1])))
            return
        order = sorted(done, key=lambda pair: self.make.kept.index(pair[1]))
        targets = self.make(ast.Tuple([each for each, _ in order], ast.Store()))
        values = self.make(ast.Tuple([each for _, each in order], ast.Load()))
        self.stmts.append(self.make(ast.Assign([targets], values)))

    def target(self, at: int) -> tuple[ast.expr, int]:
        """The target that the top value goes to, and the operation behind it."""
        op = self.ops[at] if at < len(self.ops) else ("end",)
        if op[0] in {"store", "store_deref"}:
            self.pop()
            return self.make(ast.Name(identifier(op[1]), ast.Store())), at + 1
        if op[0] not in {"unpack", "unpack_ex"}:
            raise CannotLift("a loop variable that is no name")
        self.pop()
        return self.unpacked(at)

    def unpacked(self, at: int) -> tuple[ast.expr, int]:
        """The targets of one unpacking, nested ones included, without recursion."""
        open_: list[tuple[int, int, list[ast.expr]]] = []
        while True:
            op = self.ops[at] if at < len(self.ops) else ("end",)
            at += 1
            done: ast.expr | None = None
            if op[0] == "unpack" and op[1] > 0:
                open_.append((op[1], -1, []))
            elif op[0] == "unpack_ex":
                open_.append((op[1] + op[2] + 1, op[1], []))
            elif op[0] in {"store", "store_deref"}:
                done = self.make(ast.Name(identifier(op[1]), ast.Store()))
            else:
                raise CannotLift("an unpacking to what is no name")
            while done is not None:
                size, star, items = open_[-1]
                if len(items) == star:
                    done = self.make(ast.Starred(done, ast.Store()))
                items.append(done)
                done = None
                if len(items) == size:
                    open_.pop()
                    done = self.make(ast.Tuple(items, ast.Store()))
                    if not open_:
                        return done, at

    def do_import(self, name: str) -> None:
        fromlist, level = self.pop(), self.pop()
        plain = isinstance(fromlist, Const) and isinstance(level, Const)
        # Python 2 says -1: relative first, then absolute.
        if not plain or level.value not in {0, -1}:
            raise CannotLift("a relative import")
        raise CannotLift(f"an import of {name!a}")
