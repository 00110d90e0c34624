"""Marshalled functions read, shown and checked, and never run.

Keras stores a lambda as marshalled bytecode of whatever Python saved it. `lift` reads that
without `marshal`, turns it into an expression tree of today's Python, and proves that the tree
does the same. Whatever it does not understand it refuses, naming what it was.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from secure_serial.lambdas import own
from secure_serial.lambdas.bounds import Account, Bounds
from secure_serial.lambdas.code import Code, names_of
from secure_serial.lambdas.decode import OtherVersion
from secure_serial.lambdas.errors import BadStream, CannotLift, TooMuch
from secure_serial.lambdas.flow import SHAPES, Shape
from secure_serial.lambdas.layouts import VERSIONS
from secure_serial.lambdas.lift import Lifter
from secure_serial.lambdas.machine import DIVIDE
from secure_serial.lambdas.micro import Reading
from secure_serial.lambdas.nodes import Maker, identifier
from secure_serial.lambdas.prove import Prover
from secure_serial.lambdas.refusals import refusal
from secure_serial.lambdas.stream import Stream, read
from secure_serial.lambdas.tables import table
from secure_serial.lambdas.tree import check_scopes, check_slices, chooses_method, digest, source
from secure_serial.lambdas.values import Function

__all__ = ["BadStream", "Bounds", "CannotLift", "Lifted", "TooMuch", "lift", "read"]


@dataclass(frozen=True, slots=True)
class Lifted:
    """A stored function, understood."""

    #: A `Lambda`, or the `FunctionDef` of a `def`. Without defaults: those are stored beside it.
    tree: ast.Lambda | ast.FunctionDef
    #: The Python versions that it may come from, all of which mean this by it.
    versions: tuple[str, ...]
    #: The variables that the closure supplies.
    free: tuple[str, ...]
    digest: str

    @property
    def source(self) -> str:
        """The tree as text for a person. Nothing ever compiles it."""
        return source(self.tree)


def lift(data: bytes, bounds: Bounds | None = None, account: Account | None = None) -> Lifted:
    """The tree of a marshalled function.

    Args:
        data: The stream.
        bounds: What it may take.
        account: What it may take together with others.

    Raises:
        BadStream: The bytes are no code of a CPython that is known.
        CannotLift: The code is more than can be shown; `construct` says what.
        TooMuch: A bound was reached.

    >>> import marshal
    >>> lift(marshal.dumps((lambda x: x / 127.5 - 1.0).__code__)).source
    'lambda x: x / 127.5 - 1.0'

    """
    bounds = bounds or Bounds()
    spent = [0]
    if account is None:
        return _lifted(data, bounds, spent)
    account.take(0)
    try:
        most = min(bounds.proof_steps, account.left)
        return _lifted(data, replace(bounds, proof_steps=most), spent)
    finally:
        account.left -= spent[0]


def _lifted(data: bytes, bounds: Bounds, spent: list[int]) -> Lifted:
    found: list[Lifted] = []
    #: What stood in the way: of versions that do not write such code, of those whose rules it
    #: does not keep, and of the others.
    faults: tuple[list[CannotLift | TooMuch], ...] = ([], [], [])
    for stream in read(data, bounds):
        _check_damage(stream)
        meanings: list[tuple[object, Lifted]] = []
        for version in VERSIONS[stream.code.layout]:
            reading = Reading(table(version), bounds, spent)
            try:
                reading(stream.code)
                meaning = reading.meaning(stream.code)
            except (CannotLift, TooMuch) as error:
                faults[not isinstance(error, OtherVersion)].append(
                    _named(error, stream.code, reading)
                )
                continue
            same = next((lifted for other, lifted in meanings if other == meaning), None)
            if same is not None:
                found.append(replace(same, versions=(version,)))
                continue
            try:
                found.append(_lift(stream.code, reading))
            except (CannotLift, TooMuch) as error:
                faults[2].append(_named(error, stream.code, reading))
            except RecursionError:
                # Whoever calls has used up the stack; `Bounds` keeps within what is usual.
                faults[2].append(TooMuch("nesting, for what is left of the stack"))
            else:
                meanings.append((meaning, found[-1]))
    if not found:
        failures = [each for kind in faults for each in kind]
        raise ([each for each in failures if each.help] or failures)[-1]
    first = found[0]
    if any((other.digest, other.free) != (first.digest, first.free) for other in found):
        raise CannotLift("bytecode that means different things to different versions of Python")
    versions = tuple(version for each in found for version in each.versions)
    return Lifted(first.tree, versions, first.free, first.digest)


def _named(error: CannotLift | TooMuch, code: Code, reading: Reading) -> CannotLift | TooMuch:
    """The error, or one that says by its word in source what no lift takes."""
    if isinstance(error, (OtherVersion, TooMuch)):
        return error
    return refusal(code, reading.table, reading.bounds) or error


def _check_damage(stream: Stream) -> None:
    """Keras on Windows wrote `/` for every backslash byte, in code and constants, too."""
    path = stream.code.filename
    if path[1:3] == ":/" and path[:1].isalpha() and stream.slashes:
        raise CannotLift(
            "saved on Windows, where Keras replaced bytes of the code; "
            "which ones cannot be told any more"
        )


def _lift(code: Code, reading: Reading) -> Lifted:
    if reading(code).kind:
        raise CannotLift("a comprehension without the function around it")
    if {DIVIDE} & {*code.names, *code.varnames, *code.freevars, *code.cellvars}:
        raise CannotLift(f"the name {DIVIDE}, which has a meaning here")
    failure = CannotLift("nothing")
    odd: Lifted | None = None
    for shape in SHAPES:
        try:
            found = _proved(code, reading, shape)
        except CannotLift as error:
            failure = error if shape is SHAPES[0] else failure
            continue
        if not chooses_method(found.tree):
            return found
        odd = odd or found
    if odd is None:
        raise failure
    return odd


def _proved(code: Code, reading: Reading, shape: Shape) -> Lifted:
    bounds = reading.bounds
    maker = Maker(bounds)
    maker.taken = names_of(code)
    lifter = Lifter(reading, code, maker, 0, shape=shape)
    body = lifter.body()
    arguments = lifter.arguments(Function(code))
    tree: ast.Lambda | ast.FunctionDef
    if isinstance(body, list) or code.name != "<lambda>":
        stmts: list[ast.stmt] = body if isinstance(body, list) else [ast.Return(body)]
        tree = ast.FunctionDef(identifier(code.name), arguments, stmts, [], None, None)
        tree.type_params = []  # type: ignore[attr-defined,unused-ignore]
    else:
        tree = ast.Lambda(arguments, body)
    free = tuple(identifier(name) for name in code.freevars)
    check_scopes(tree)
    check_slices(tree)
    here = Reading(table(own.version()), bounds)
    Prover(bounds, reading, here).prove(code, own.compiled(tree, free))
    return Lifted(tree, (reading.table.version,), free, digest(tree))
