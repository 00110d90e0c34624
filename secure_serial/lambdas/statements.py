"""Assignments, unpacking and imports: what a simple `def` does besides expressions."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.nodes import identifier
from secure_serial.lambdas.values import (
    Block,
    Cell,
    Const,
    Function,
    Iter,
    Member,
    Module,
    Null,
    Saved,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secure_serial.lambdas.express import Express
    from secure_serial.lambdas.micro import Program
    from secure_serial.lambdas.nodes import Maker
    from secure_serial.lambdas.simple import Op


class Statements:
    """The part of the lifter that stores."""

    ops: tuple[Op, ...]
    stack: list[Any]
    stmts: list[ast.stmt]
    pending: list[tuple[ast.expr, Any]]
    #: What stood on the stack, in this order, before the first of several values was stored.
    placed: list[Any]
    make: Maker
    express: Express
    pop: Any
    statements: bool
    program: Program
    tested: list[Any]
    #: How many ways out of a loop are being followed, on which its iterator is dropped.
    leaving: int
    definition: Any
    operand: Any
    use: Any
    replace: Any

    def do_store(self, name: str) -> None:
        value = self.pop()
        if isinstance(value, Saved):
            if value.name != name:
                raise CannotLift("a hidden variable put back under another name")
            return
        if isinstance(value, (Module, Member)):
            self.imported(name, value)
            return
        inplace = self.express.inplace.pop(id(value), None)
        if inplace is not None and self.clear():
            self.augment(name, inplace)
            return
        if isinstance(value, Function) and value.code.name == name and self.clear():
            self.stmts.append(self.definition(value))
            return
        used = self.use(value)
        target = self.make(ast.Name(identifier(name), ast.Store()))
        if any(each is used or each is value for each in self.stack) and not self.pending:
            made = self.make(ast.NamedExpr(target, self.express.of(used)))
            self.replace(value, made)
            self.replace(used, made)
            return
        self.assign(target, used)

    def do_store_deref(self, name: str) -> None:
        if name in self.program.code.freevars and not self.program.kind:
            raise CannotLift("nonlocal: an assignment to a variable of the function around")
        self.do_store(name)

    def do_store_item(self) -> None:
        """`x[i] = v`, or `x[i] += v`, of which the place is worked out once."""
        index, owner, value = self.operand(), self.operand(), self.pop()
        inplace = self.express.inplace.pop(id(value), None)
        if not self.clear() or self.pending or not self.statements:
            raise CannotLift("an assignment to an item beside another assignment")
        where = (self.express.of(owner), self.express.of(index))
        target = self.make(ast.Subscript(*where, ast.Store()))
        if inplace is None:
            value = self.express.of(self.use(value))
            self.stmts.append(self.make(ast.Assign([target], value)))
            return
        left = inplace.left
        if not isinstance(left, ast.Subscript) or left.value is not where[0]:
            raise CannotLift("an augmented assignment to another item")
        if ast.dump(left.slice) != ast.dump(where[1]):
            raise CannotLift("an augmented assignment to another item")
        self.stmts.append(self.make(ast.AugAssign(target, inplace.op, inplace.right)))

    def clear(self, stack: Sequence[Any] | None = None) -> bool:
        """Whether no value is half worked out, so that a statement may stand here."""
        stack = self.stack if stack is None else stack
        return all(isinstance(each, (Saved, Cell, Null, Iter, Block)) for each in stack)

    def do_pop(self) -> None:
        """A value that is dropped: an expression statement, unless a test was made of it."""
        value = self.pop()
        if isinstance(value, (Module, Member)):
            self.dropped(value)
        elif isinstance(value, (Iter, Null)):
            if not self.leaving:
                raise CannotLift("a loop that is left in the middle")
        elif self.statements and not any(value is each for each in [*self.tested, *self.stack]):
            if not self.clear():
                raise CannotLift("a value that is dropped inside an expression")
            if not isinstance(value, Const):
                self.stmts.append(self.make(ast.Expr(self.express.of(self.use(value)))))

    def augment(self, name: str, value: ast.BinOp) -> None:
        if not isinstance(value.left, ast.Name) or value.left.id != name:
            raise CannotLift("an augmented assignment to another variable")
        target = self.make(ast.Name(identifier(name), ast.Store()))
        self.stmts.append(self.make(ast.AugAssign(target, value.op, value.right)))

    def assign(self, target: ast.expr, value: Any) -> None:
        """One assignment, or one part of `a, b = c, d`, whose parts stand on the stack."""
        self.pending.append((target, self.express.of(value)))
        if not self.clear():
            return
        done, self.pending = self.pending, []
        if len(done) == 1:
            self.stmts.append(self.make(ast.Assign([target], done[0][1])))
            return
        places = {id(value): place for place, value in enumerate(self.placed)}
        if any(id(value) not in places for _, value in done):
            raise CannotLift("an assignment of several values")
        order = sorted(done, key=lambda pair: places[id(pair[1])])
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
            elif op[0] == "pop" and open_:
                # Since 3.13 of `_, _, x = y` the first is dropped, as the second is stored over it.
                done = self.make(ast.Name(identifier(self.next_name(at)), ast.Store()))
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

    def next_name(self, at: int) -> str:
        """The variable that the next value is stored in."""
        while self.ops[at : at + 1] == (("pop",),):
            at += 1
        op = self.ops[at] if at < len(self.ops) else ("end",)
        if op[0] != "store":
            raise CannotLift("an unpacking to what is no name")
        return str(op[1])

    # Imports.

    def do_import(self, name: str) -> None:
        fromlist, level = self.pop(), self.pop()
        plain = isinstance(fromlist, Const) and isinstance(level, Const)
        # Python 2 says -1: relative first, then absolute.
        old = self.program.table.number < (3, 0)
        if not plain or level.value not in ({0, -1} if old else {0}) or not self.statements:
            raise CannotLift("a relative import")
        names = fromlist.value if fromlist.value is not None else ()
        if not isinstance(names, tuple) or not all(isinstance(each, str) for each in names):
            raise CannotLift("an import of what are no names")
        for part in name.split("."):
            identifier(part)
        self.stack.append(Module(name, names))

    def do_import_from(self, name: str) -> None:
        module = self.stack[-1] if self.stack else None
        path = module.path if isinstance(module, Member) else ()
        module = module.module if isinstance(module, Member) else module
        if not isinstance(module, Module):
            raise CannotLift("an import from what is no module")
        self.stack.append(Member(module, (*path, identifier(name))))

    def do_attr(self, name: str) -> None:
        if self.stack and isinstance(self.stack[-1], (Module, Member)):
            # Before 3.7, `import a.b as c` looks up the attribute.
            self.do_import_from(name)
            del self.stack[-2]
        else:
            super().do_attr(name)  # type: ignore[misc]

    def imported(self, name: str, value: Module | Member) -> None:
        """One name that an import binds."""
        identifier(name)
        module = value if isinstance(value, Module) else value.module
        whole = module.name.split(".")
        if module.names:
            if isinstance(value, Module) or len(value.path) != 1:
                raise CannotLift("an import that binds something else")
            module.taken.append((value.path[0], name))
            return
        path = [] if isinstance(value, Module) else list(value.path)
        if path != whole[1:] and (path or name != whole[0]):
            raise CannotLift("an import that binds something else")
        given = name if path or name != module.name else None
        if len(whole) > 1 and not path:
            given = None
        module.taken.append((module.name, name))
        self.bound(ast.Import([self.make(ast.alias(module.name, given))]))

    def dropped(self, value: Module | Member) -> None:
        """The end of `from a import b, c`, or a step of `import a.b as c`."""
        if isinstance(value, Member) or not value.names:
            if isinstance(value, Module) and value.taken:
                return  # since 3.7, behind `import a.b as c`
            if any(isinstance(each, (Module, Member)) for each in self.stack) or isinstance(
                value, Member
            ):
                return
            raise CannotLift("an import that binds nothing")
        if tuple(each for each, _ in value.taken) != value.names:
            raise CannotLift("an import that binds something else")
        names = [
            self.make(ast.alias(each, given if given != each else None))
            for each, given in value.taken
        ]
        self.bound(ast.ImportFrom(value.name, names, 0))

    def bound(self, node: ast.stmt) -> None:
        if not self.clear([x for x in self.stack if not isinstance(x, (Module, Member))]):
            raise CannotLift("an import inside an expression")
        self.stmts.append(self.make(node))
