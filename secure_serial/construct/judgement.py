"""What was decided of one document, as far as building it needs to know.

Of a value of the usual kind everything is known beforehand that building asks for. Its verdict
takes longer, and is found once somebody wants it: for a record that is taken, or for a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import LISTS
from secure_serial.construct.tripwire import exempt
from secure_serial.lazy import lazy
from secure_serial.plan.fields import Field
from secure_serial.plan.path import Path, pointer
from secure_serial.plan.request import Origin
from secure_serial.plan.walker import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from secure_serial.artifact.document import Document, Json
    from secure_serial.construct.callers import Callers
    from secure_serial.construct.standing import Own
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.plan.usual import Usual
    from secure_serial.policy.engine import Engine, Verdict
    from secure_serial.sandbox.restrict import Checked


class Judge(NamedTuple):
    """The decision point of one load: by what it is decided, and what is known."""

    engine: Engine
    catalogue: Catalogue
    callers: Callers
    safe_mode: bool

    def verdict(
        self, document: Document, *, file_sha256: str | None = None, root: Field = Field.ROOT
    ) -> Verdict:
        """The verdict on a document that stands in a field."""
        plan = make_plan(
            document, catalogue=self.catalogue, callers=self.callers,
            limits=self.engine.policy.limits, root=root, safe_mode=self.safe_mode,
        )  # fmt: skip
        return self.engine.judge(plan, file_sha256)


class Judgement:
    """A verdict, which must allow, and what follows from it.

    Args:
        find: Gives the verdict.
        usual: What is known without it.

    """

    def __init__(self, find: Callable[[], Verdict], usual: Usual[Own] | None = None) -> None:
        self._find = find
        self.usual = usual

    @lazy
    def verdict(self) -> Verdict:
        """All decisions."""
        with exempt():  # ours, even where a class that is being built makes it necessary
            return self._find()

    @property
    def document(self) -> Document:
        """What was judged."""
        return self.verdict.plan.document

    @lazy
    def symbols(self) -> frozenset[str]:
        """Every symbol that was allowed."""
        if self.usual is None:
            return self.verdict.symbols
        return frozenset({own.symbol for own in self.usual.means})

    @lazy
    def identifiers(self) -> frozenset[str]:
        """The texts that name something, in quotes."""
        if self.usual is not None:
            return frozenset()
        written = (request.written for request in self.verdict.plan.requests)
        return frozenset(text for text in written if text.startswith(("'", '"')))

    @property
    def functions(self) -> Mapping[tuple[str, str], Checked]:
        """The functions whose code stands in it, by their places."""
        return self.verdict.plan.functions if self.usual is None else {}

    @lazy
    def holds_own(self) -> bool:
        """Whether something of the program's own is built."""
        if self.usual is not None:
            return True
        return any(request.origin is Origin.CALLER for request in self.verdict.plan.requests)

    def field_at(self, member: str, path: Path) -> Field | None:
        """The field that the plan saw a node in, by its place; None where it saw none."""
        return self._fields.get((member, pointer(path)))

    @lazy
    def _fields(self) -> Mapping[tuple[str, str], Field]:
        return {(r.member, r.pointer): r.field for r in self.verdict.plan.requests}

    @lazy
    def texts(self) -> frozenset[str]:
        """Every text that stands in it as a value."""
        found: set[str] = set()
        waiting: list[Json] = [part.root for part in self.document.parts]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                found.add(value)
            elif isinstance(value, dict):
                waiting += value.values()
            elif isinstance(value, LISTS):
                waiting += value
        return frozenset(found)
