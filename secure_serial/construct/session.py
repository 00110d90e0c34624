"""One gated load: what may be resolved while it builds, and what was refused.

A session exists from the moment everything was decided and recorded until the object is
built. Whatever is resolved meanwhile, by us or by Keras itself, is matched against the
plan: a symbol that the plan did not hold and the policy did not allow is refused and
recorded. Sessions belong to a context (`contextvars`), so loads beside each other in
threads and tasks never see one another's.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

from secure_serial.artifact.content import wrapper_of
from secure_serial.artifact.document import Document, Part, Role
from secure_serial.construct.callers import implied
from secure_serial.construct.handed import Handed
from secure_serial.construct.restricted import Made
from secure_serial.construct.tripwire import exempt
from secure_serial.errors import (
    ConstructionError,
    LimitExceeded,
    LoadDenied,
    SecureSerialError,
    Where,
)
from secure_serial.lazy import lazy
from secure_serial.plan.encodings import CONTAINERS
from secure_serial.plan.fields import Field
from secure_serial.plan.names import (
    Names,
    Resolution,
    caller_symbol,
    resolve_class,
    resolve_function,
)
from secure_serial.plan.request import Action, Origin, Request
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import DEFAULT_DENY, DENY_RULE
from secure_serial.registry import CustomObjectScope

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from secure_serial.artifact.document import Json
    from secure_serial.audit.log import Sink
    from secure_serial.audit.record import Record
    from secure_serial.construct.judgement import Judge, Judgement
    from secure_serial.plan.path import Path
    from secure_serial.plan.request import CallerObject
    from secure_serial.policy.conditions import Context
    from secure_serial.policy.engine import Verdict
    from secure_serial.registry import Snapshot

UNPLANNED = "SS340"
_TOP: Path = None
_MADE = "<made while building>"

_current: ContextVar[Session | None] = ContextVar("secure_serial_session", default=None)


def current() -> Session | None:
    """The gated load that is under way in this context, if any."""
    return _current.get()


class Session:
    """The authority of one load. It is made after the verdict and dies with the load.

    Args:
        judgement: What was decided; it must allow.
        judge: By what it was decided.
        names: The program's own objects, as they were when the plan was made.
        sink: Where its records go, and those of loads within it.

    """

    def __init__(
        self,
        judgement: Judgement,
        judge: Judge,
        names: Snapshot,
        sink: Sink | None = None,
    ) -> None:
        self.judgement = judgement
        self.policy = judge.engine.policy
        self.sink = sink
        self.names = names
        self.callers = judge.callers
        self.catalogue = judge.catalogue
        self.refused: list[Record] = []
        self._refusal: LoadDenied | None = None
        self.shared: dict[object, tuple[object, Json]] = {}
        self._engine = judge.engine
        self._allocated = 0
        self.functions = Made(judgement.functions, self.policy)
        self.handed = Handed(judgement, self.functions)

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _current.reset(self._token)
        ends = error is None or isinstance(error, Exception)
        if self._refusal is not None and ends and not isinstance(error, LoadDenied):
            raise self._refusal  # whoever swallowed it: the load ends refused
        if ends and not isinstance(error, SecureSerialError):
            self.functions.check()

    @property
    def verdict(self) -> Verdict:
        """What was decided."""
        return self.judgement.verdict

    @property
    def document(self) -> Document:
        """The document that this load builds."""
        return self.judgement.document

    @lazy
    def _context(self) -> Context:
        return self.verdict.context

    @lazy
    def _implied(self) -> frozenset[str]:
        return frozenset(implied(self.judgement.symbols, self.callers, self.catalogue))

    # The judged tree.

    def is_identifier(self, text: str) -> bool:
        """Whether a text that is to be revived names one of the program's objects.

        It does where the plan saw it as a name. Where the file has it as plain text it stays
        text; a text that the file does not have at all is the program's own to ask by.
        """
        if text not in self.callers:
            return False
        judgement = self.judgement
        return repr(text[:200]) in judgement.identifiers or text not in judgement.texts

    def judge_again(self, config: object) -> None:
        """Judge what does not come from the judged tree: a config that a class made itself.

        A class may read one out of a text, where the planner saw only text. Its names,
        places and arguments are held to the same policy, and its names to the plan.

        Raises:
            LoadDenied: it asks for something that may not be.

        """
        fresh = self.handed.fresh(config)
        if fresh is None or not isinstance(config, dict | list | tuple):
            return
        given, part = self.document, Part(Role.MODEL, "", fresh)
        document = Document(_MADE, given.format, given.judged_sha256, (part,))
        limits = self.policy.limits
        with exempt():  # of a function it compiles the tree, and runs nothing
            plan = make_plan(
                document,
                catalogue=self.catalogue,
                callers=self.callers,
                limits=limits,
                reader=self.functions.reader,
            )
        verdict = self._engine.judge(plan, self.verdict.file_sha256)
        for objection in verdict.objections:
            self.refuse(document.name, objection.detail)
        for decision in verdict.denied:
            symbol = decision.request.symbol
            if decision.code != DEFAULT_DENY or not self.may_use(symbol):
                self.refuse(symbol, decision.reason)

    def root(self, *, compile: bool) -> Json:
        """The judged model config, to be built; without its compilation if that is not wanted."""
        part = self.document.parts[0]
        root, path = part.root, _TOP
        while isinstance(root, dict) and (wrapper := wrapper_of(root)) is not None:
            root, path = root[wrapper], (path, wrapper)
        if not compile and isinstance(root, dict):
            root = {**root, "compile_config": None}
        return self.handed.copy(root, part.member, path)

    def legacy_part(self, text: str | bytes) -> Json:
        """The judged tree of a JSON text in an `.h5` file, in Keras 2's own notation read out.

        Raises:
            LoadDenied: no such text was judged.

        """
        data = text.encode("utf-8") if isinstance(text, str) else text
        for part in self.document.parts:
            if part.text == data:
                # Keras before 3.11 writes it as JSON again: functions come into it later.
                return plain_containers(self.handed.copy(part.root, part.member, whole=False))
        return self.refuse("JSON text", "a text that was not judged")

    # Resolutions.

    def resolve_class(self, names: Names, field: Field = Field.ROOT) -> Resolution:
        """What a node's names mean in this load; refused unless planned and allowed."""
        resolution = resolve_class(names, field, self.catalogue, self.callers)
        return self._authorise(resolution, str(names.class_name))

    def resolve_function(self, names: Names, field: Field = Field.ROOT) -> Resolution:
        """The same for a `class_name: "function"` node."""
        resolution = resolve_function(names, field, self.catalogue, self.callers)
        return self._authorise(resolution, str(names.function))

    def may_use(self, symbol: str) -> bool:
        """Whether a symbol was planned and allowed, or is implied by one that was."""
        if symbol in self.judgement.symbols:
            return True
        return symbol in self._implied and not self._denied(symbol)

    def require(self, symbol: str, written: str) -> None:
        """Refuse and record a symbol that may not be used."""
        if not self.may_use(symbol):
            self.refuse(symbol, written)

    def require_default(self, found: Resolution, field: Field, written: str) -> None:
        """Refuse a name of Keras's own that a constructor looks up, as `require` does.

        Where classes of the program's own are built, they may have defaults that no list
        can have: for these the policy decides alone.
        """
        if self.may_use(found.symbol):
            return
        if found.entry is None or not self.judgement.holds_own:
            self.refuse(found.symbol, written)
        request = Request(
            "", "", field, Action.REFER, found.symbol, found.entry.kind, found.origin, written,
            effects=found.entry.effects,
        )  # fmt: skip
        decision = self._engine.decide(request, self._context)
        if not decision.allowed:
            self.refuse(found.symbol, written)

    def caller_object(self, key: str) -> object:
        """A live object of the program's own, which must have been allowed."""
        if not self._may_look_up(key):
            self.refuse(caller_symbol(self.callers[key]), key)
        return self.names[key]

    @lazy
    def scope(self) -> CustomObjectScope:
        """The scope that objects are built in."""
        return CustomObjectScope(self.visible)

    @lazy
    def visible(self) -> dict[str, object]:
        """The passed objects, of `custom_objects` or a scope, that code may look up while building.

        What is registered is found by its name in any scope.
        """
        passing = [key for key in self.names.passing if key in self.callers]
        return {key: self.names[key] for key in passing if self._may_look_up(key)}

    def _may_look_up(self, key: str) -> bool:
        """Whether code may ask for an object by its name while building.

        It may for those that the plan held, and where the policy lets the program's own objects
        in without naming them, for the others too: their classes may ask for one another.
        """
        caller = self.callers[key]
        return self.may_use(caller_symbol(caller)) or self._is_own(caller)

    def _is_own(self, caller: CallerObject) -> bool:
        symbol = caller_symbol(caller)
        request = Request(
            "", "", Field.OBJECT, Action.REFER, symbol, caller.kind, Origin.CALLER, caller.name,
            owner=caller.owner,
        )  # fmt: skip
        return self._engine.decide(request, self._context).allowed

    def refuse(self, symbol: str, written: str) -> NoReturn:
        """Record an unplanned resolution and end the load."""
        text = f"{symbol} was asked for while building, and the plan did not hold it"
        self.refused.append({"symbol": symbol[:400], "written": written[:400], "code": UNPLANNED})
        error = LoadDenied(
            text,
            verdict=self.verdict,
            code=UNPLANNED,
            where=Where(self.document.name),
            help="nothing that a file did not openly ask for is built; if this is a class's own "
            "default, please report it",
        )
        self._refusal = self._refusal or error
        raise error

    def count(self, allocated: int) -> None:
        """Count the bytes of a variable that is about to be made.

        Raises:
            LimitExceeded: it would be more than the policy's limit.

        """
        self._allocated += allocated
        limit = self.policy.limits.allocation_bytes
        if self._allocated > limit:
            raise LimitExceeded(
                f"building takes more than the {limit:,} bytes of variables that are allowed",
                code="SS330",
                where=Where(self.document.name),
                help="raise limits.allocation_bytes in the policy if it is meant to be so large",
            )

    def _authorise(self, resolution: Resolution, written: str) -> Resolution:
        if resolution.code:
            self.refuse(resolution.symbol, resolution.problem)
        if resolution.origin is Origin.UNKNOWN:
            if resolution.symbol in self.judgement.symbols:
                raise ConstructionError(
                    f"the policy allows {resolution.symbol}, and this program has not got it",
                    where=Where(self.document.name),
                    help="import the module that registers it, or pass it in custom_objects",
                )
            self.refuse(resolution.symbol, written)
        self.require(resolution.symbol, written)
        return resolution

    def _denied(self, symbol: str) -> bool:
        """Whether a deny rule forbids what no file asked for, but a class's default does."""
        entry = self.catalogue.entry(symbol)
        request = Request(
            "", "", Field.OBJECT, Action.CONSTRUCT, symbol, entry.kind, Origin.KERAS, symbol
        )
        return self._engine.decide(request, self._context).code == DENY_RULE


def plain_containers(value: Json) -> Json:
    """Keras 2's `{"class_name": "__tuple__", "items": […]}` as the tuple it stands for."""
    if isinstance(value, dict):
        if value.get("class_name") in CONTAINERS and isinstance(value.get("items"), list):
            return tuple(plain_containers(item) for item in value["items"])
        if value.get("class_name") == "__ellipsis__":
            return ...
        for key, item in value.items():
            value[key] = plain_containers(item)
    elif isinstance(value, list):
        value[:] = map(plain_containers, value)
    return value
