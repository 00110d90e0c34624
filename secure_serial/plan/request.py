"""What a config asks for, one entry each, in the order it stands in the document.

These are the nouns of the decision: the planner makes them, the policy judges them, the
audit log records them and the gate builds nothing else. All are immutable values.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Document, Json
    from secure_serial.plan.fields import Field
    from secure_serial.plan.owner import Owner
    from secure_serial.sandbox.restrict import Checked


_NARROW = (Kind.MODEL, Kind.LAYER, *(k for k in Kind if k not in (Kind.MODEL, Kind.LAYER)))


class Action(StrEnum):
    """What would happen to the symbol."""

    CONSTRUCT = "construct"  # a class is built from a config
    REFER = "refer"  # a function is handed over by name
    DECODE = "decode"  # one of Keras's value encodings: a tensor, a slice, bytes
    LAMBDA = "lambda"  # code that stands in the file itself


class Origin(StrEnum):
    """Where the symbol comes from."""

    KERAS = "keras"  # the catalogue of today's Keras
    LEGACY = "legacy"  # known of an earlier Keras, gone from today's
    CALLER = "caller"  # the program itself registered or passed it
    ENCODING = "encoding"  # not a name at all: a value in Keras's own notation
    UNKNOWN = "unknown"  # a stranger's


class Objection(NamedTuple):
    """Something wrong with a request whatever the policy allows.

    `argument` is set where a policy may name the argument and permit it.
    """

    code: str
    detail: str
    pointer: str
    argument: str = ""


class Request(NamedTuple):
    """One thing that the config would make happen."""

    member: str
    pointer: str
    field: Field
    action: Action
    symbol: str
    kind: Kind | None
    origin: Origin
    written: str
    name: str = ""  # the instance's own name, for people
    effects: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    notes: tuple[str, ...] = ()
    arguments: Mapping[str, Json] | None = None
    allocation: int = 0  # bytes, estimated from above where shapes are known
    depth: int = 0  # nesting, for the picture
    owner: Owner | None = None  # None where nobody knows
    digest: str = ""  # of a lambda's normalised tree


class Plan(NamedTuple):
    """Every request of a document. `objections` concern the whole, not one request."""

    document: Document
    requests: tuple[Request, ...]
    objections: tuple[Objection, ...] = ()
    layers: int = 0
    allocation: int = 0  # bytes
    #: The functions that were understood, by member and pointer: ready to be built.
    functions: Mapping[tuple[str, str], Checked] = {}


class CallerObject(NamedTuple):
    """What the planner may know of an object that the program registered or passed."""

    name: str  # the key it is known under
    qualname: str  # its own __name__
    module: str
    is_class: bool
    kinds: frozenset[Kind]  # empty: a class of no known base
    bases: tuple[str, ...]  # the catalogue's symbols that a class derives from, nearest first
    source: str  # "scope" | "global" | "argument"
    owner: Owner | None = None

    @property
    def kind(self) -> Kind | None:
        """The one kind that rules know it by; None for a function or a class of no known base.

        A model is a layer, too, and a layer an operation: the narrowest counts.
        """
        if not self.is_class or not self.kinds:
            return None
        return min(self.kinds, key=_NARROW.index, default=None)
