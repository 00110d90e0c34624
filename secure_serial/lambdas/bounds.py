"""Bounds on a stored function, each with its reason. Checked before the work they bound."""

from __future__ import annotations

from dataclasses import dataclass

from secure_serial.lambdas.errors import TooMuch

#: Steps of 5 microseconds that reading all functions of a document may take: the limits let it
#: have a hundred, each of which may take a second.
_DOCUMENT = 500_000
#: Of each character of a source, which is parsed, compiled, digested and restricted.
_CHARACTER = 6


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every bound of reading and lifting one stored function.

    >>> Bounds().depth
    50
    """

    # The longest of 53 lambdas in real files has some 700 bytes; a long `def` a few thousand.
    stream_bytes: int = 256 * 1024
    # Values in the stream, each counted as often as it is referred to: a tuple that refers
    # twice to one that refers twice to … is two to the power of its length when written out.
    objects: int = 20_000
    # Tuples and code objects inside each other. A lambda in a lambda takes two.
    depth: int = 50
    # One name, text or byte string that the code holds.
    string_bytes: int = 64 * 1024
    # Bits of one integer: what a float can hold at all.
    integer_bits: int = 1024
    # Instructions of one code object.
    instructions: int = 4_000
    # Values on the stack; beyond what an expression within `tree_depth` can need.
    stack: int = 400
    # Branches that are turned into one expression; reducing them is quadratic.
    branches: int = 150
    # Nodes of the tree. A node takes some 400 bytes.
    nodes: int = 20_000
    # Nesting of the tree. CPython's compiler gives up at some hundreds (3.11: 6,000 C frames,
    # RecursionError from `ast` at about 900).
    tree_depth: int = 80
    # Steps of lifting and of the proof that the tree means the same as the bytecode, all versions
    # and attempts together. A step takes some 5 microseconds; the longest real function some 5,000.
    proof_steps: int = 200_000
    # States in which a proof finds the stack at some place: one or two for each branch, and twice
    # as many for each choice between a display and another value. A state takes a millisecond or
    # two, and counts as so many steps.
    states: int = 600
    state_steps: int = 400


class Account:
    """What is left for the functions of one document.

    >>> account = Account(100)
    >>> account.source("lambda x: x")
    >>> account.left
    34
    """

    __slots__ = ("left",)

    def __init__(self, steps: int = _DOCUMENT) -> None:
        self.left = steps

    def source(self, text: object) -> None:
        """Take the reading of a source."""
        self.take(len(text) * _CHARACTER if isinstance(text, str) else 0)

    def take(self, steps: int) -> None:
        """Take so many steps. Raises TooMuch where there are none left."""
        self.left -= steps
        if self.left < 0:
            raise TooMuch("more than the functions of one file may take together")
