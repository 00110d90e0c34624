"""Whether a rule that names a symbol means this request of it. Pure.

What cannot be known is an error and not a "no": the engine takes an error in a deny rule
as a denial, and in an allow rule as nothing allowed.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from secure_serial.lazy import lazy
from secure_serial.plan.fields import ACCEPTS
from secure_serial.plan.path import is_elided, pointer
from secure_serial.plan.request import Action, Origin
from secure_serial.policy.constraints import ABSENT, given, holds
from secure_serial.policy.model import Effect
from secure_serial.policy.patterns import registered_matches, symbol_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from secure_serial.artifact.document import Format
    from secure_serial.plan.owner import Owner
    from secure_serial.plan.request import Plan, Request
    from secure_serial.policy.model import Constraint, Owned, Rule

#: The packages that symbols of the catalogue begin with, by all their spellings.
KERAS = frozenset({"keras", "tf_keras", "tensorflow", "tf"})
#: Members of an enumeration take long to look up in Python 3.11, and this is asked often.
_ALLOW, _LAMBDA = Effect.ALLOW, Action.LAMBDA
_KERAS, _LEGACY, _CALLER = Origin.KERAS, Origin.LEGACY, Origin.CALLER
_TOLD = (_KERAS, _LEGACY, _CALLER)
#: Of any place, its first 500 characters are spelled out.
_LONG = 500


class UnknownFactError(LookupError):
    """A rule asks for something that nobody knows of this request."""


class Context:
    """What the requests of one document have in common.

    Args:
        format: The document's format; None where there is no document.
        digests: The SHA-256 of what was judged, and of the file where it is known.
        plan: The plan that the requests are of, for rules on nested objects.

    """

    def __init__(
        self,
        format: Format | None = None,
        digests: frozenset[str] = frozenset(),
        plan: Plan | None = None,
    ) -> None:
        self.format = format
        self.digests = digests
        self._plan = plan

    def nested(self, request: Request, argument: str) -> list[str]:
        """The symbols of the outermost objects in an argument, however deep in lists they stand.

        Raises:
            UnknownFactError: something may stand there whose place is not spelled out.

        """
        below = "".join(pointer((None, key)) for key in argument.split("."))
        inside = self._objects.get((request.member, request.pointer), ())
        found: list[str] = []
        for between in ("/config", ""):  # Keras 0.x has the arguments beside the class's name
            place = request.pointer + between + below
            unsure = is_elided(place) or len(place) >= _LONG
            if self._plan is None or unsure or (request.member, place) in self._elided:
                raise UnknownFactError("what is nested there is not known")
            found += [symbol for at, symbol in inside if f"{at}/".startswith(f"{place}/")]
        return found

    @lazy
    def _objects(self) -> Mapping[tuple[str, str], list[tuple[str, str]]]:
        """By an object's place: the places and symbols of the objects right below it."""
        places = {(request.member, request.pointer) for request in self._requests}
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for request in self._requests:
            above = request.pointer
            while above:
                above = above.rpartition("/")[0]
                if (request.member, above) in places:
                    holder = (request.member, above)
                    found.setdefault(holder, []).append((request.pointer, request.symbol))
                    break
        return found

    @lazy
    def _elided(self) -> frozenset[tuple[str, str]]:
        """Every place above one that is not spelled out in full."""
        found: set[tuple[str, str]] = set()
        for request in self._requests:
            above = request.pointer
            if is_elided(above):
                while above:
                    above = above.rpartition("/")[0]
                    found.add((request.member, above))
        return frozenset(found)

    @property
    def _requests(self) -> tuple[Request, ...]:
        return self._plan.requests if self._plan is not None else ()


def context_of(plan: Plan, file_sha256: str | None = None) -> Context:
    """What is known of a plan's document."""
    document = plan.document
    digests = frozenset(d for d in (document.judged_sha256, file_sha256) if d)
    return Context(document.format, digests, plan)


def mismatch(rule: Rule, request: Request, context: Context) -> str:
    """Why a rule whose names fit does not mean this request; empty where it does.

    One condition that surely does not hold is enough, whatever cannot be told of the others:
    in which order they stand in the file changes nothing.

    Raises:
        UnknownFactError: it asks for something that is not known.
        TypeError: a bound on something that has no order or no length.

    """
    why = by_names(rule, request) or ("" if rule.on_names_alone else _unmet(rule, request, context))
    if not why and rule.kinds and request.kind is None:
        raise UnknownFactError("its kind is not known")
    return why


def by_names(rule: Rule, request: Request) -> str:
    """Why a rule does not mean a request for its kind, field, action or origin; or nothing."""
    if rule.effect is _ALLOW and not rule.lambdas:
        if request.action is _LAMBDA:
            return "code in a file is allowed by its digest alone"
        origin = request.origin
        # What is not Keras's must be named. And a text in a file that merely reads like a name
        # of Keras's, or one that the catalogue does not know, is never let in by a pattern.
        if (
            origin is not _KERAS
            and origin is not _LEGACY
            and (feigned(request) or not (rule.symbols or rule.registered))
        ):
            return "it is for Keras's own symbols, and this is not one that is known"
    if rule.kinds and request.kind not in rule.kinds and not _may_be_of(rule, request):
        return f"it is for {_list(rule.kinds)}"
    if rule.fields and request.field not in rule.fields:
        return f"it is for the fields {_list(rule.fields)}, and this one holds {request.field}"
    return ""


def _may_be_of(rule: Rule, request: Request) -> bool:
    """Whether something that nobody knows may be of a kind that is denied, where it stands."""
    if rule.effect is _ALLOW or request.kind is not None or request.origin is not Origin.UNKNOWN:
        return False
    return not rule.kinds.isdisjoint(ACCEPTS.get(request.field, ()))


def _unmet(rule: Rule, request: Request, context: Context) -> str:
    """Which condition beside names does not hold; raises what could not be told of the others."""
    failed: Exception | None = None
    for condition in _conditions(rule, request, context):
        try:
            why = condition()
        except Exception as error:  # noqa: BLE001 - what it means to fail is the rule's effect
            failed = failed or error
        else:
            if why:
                return why
    if failed is not None:
        raise failed
    return ""


def _conditions(rule: Rule, request: Request, context: Context) -> Iterator[Callable[[], str]]:
    """What a rule demands beside names: each says why it does not hold, or nothing."""
    # One of several is enough to deny, and all of them are needed to allow.
    each = all if rule.effect is _ALLOW else any
    if rule.formats:
        yield partial(_of_the_format, rule, context)
    if rule.sha256:
        yield partial(_of_the_digest, rule, context)
    if rule.owner is not None:
        yield partial(_of_the_owner, rule.owner, request.owner)
    if rule.lambdas:
        yield partial(_of_the_lambda, rule, request)
    for constraint in rule.arguments:
        yield partial(_of_the_argument, constraint, request, context, each)
    if rule.allocation is not None:
        yield partial(_of_the_allocation, rule.allocation, request, each)


def _of_the_format(rule: Rule, context: Context) -> str:
    if context.format is None:
        raise UnknownFactError("the format is not known")
    return "" if context.format in rule.formats else f"it is for the formats {_list(rule.formats)}"


def _of_the_digest(rule: Rule, context: Context) -> str:
    if not context.digests:
        raise UnknownFactError("the digest is not known")
    return "" if rule.sha256 & context.digests else "it is for other artefacts, by their digests"


def _of_the_owner(wanted: Owned, owner: Owner | None) -> str:
    from packaging.version import Version

    if owner is None:
        raise UnknownFactError("the distribution that owns it is not known")
    if owner.distribution != wanted.distribution:
        return f"it is for {wanted.distribution}, and this is {owner.distribution}'s"
    # Of a version that is none, `contains` would say that it is not among those wanted.
    if wanted.versions and not wanted.versions.contains(Version(owner.version), prereleases=True):
        return f"it is for {wanted.versions}, and this is {owner.version}"
    return ""


def _of_the_lambda(rule: Rule, request: Request) -> str:
    return "" if request.digest in rule.lambdas else "it is for other lambdas, by their digests"


def _of_the_argument(
    constraint: Constraint,
    request: Request,
    context: Context,
    each: Callable[[Iterable[bool]], bool],
) -> str:
    arguments = request.arguments or {}
    if holds(constraint, arguments, each) and _nested_holds(constraint, request, context, each):
        return ""
    return f"its condition on the argument {constraint.argument!r} does not hold"


def _nested_holds(
    constraint: Constraint,
    request: Request,
    context: Context,
    each: Callable[[Iterable[bool]], bool],
) -> bool:
    """Whether the objects in an argument are among those named; where there is none, they are."""
    if not constraint.symbols:
        return True
    value = given(constraint.argument, request.arguments or {})
    if value is None or value is ABSENT:
        return True
    nested = context.nested(request, constraint.argument)
    return bool(nested) and each([named(constraint.symbols, symbol) for symbol in nested])


def _of_the_allocation(
    bounds: Constraint, request: Request, each: Callable[[Iterable[bool]], bool]
) -> str:
    if (
        not request.allocation
        and request.action is Action.CONSTRUCT
        and request.origin not in (_KERAS, _LEGACY)
    ):
        raise UnknownFactError("what it allocates is not known")
    if holds(bounds, {"allocation": request.allocation}, each):
        return ""
    return f"its bound on what is allocated does not hold ({request.allocation:,} bytes)"


def named(patterns: Iterable[str], symbol: str) -> bool:
    """Whether one of several patterns, dotted or registered, means a symbol.

    >>> named(["acme>*", "keras.layers.*"], "acme>Block")
    True
    """
    return any(
        registered_matches(pattern, symbol) if ">" in pattern else symbol_matches(pattern, symbol)
        for pattern in patterns
    )


def feigned(request: Request) -> bool:
    """Whether it is a stranger's text that merely reads like a name of Keras's."""
    return request.origin not in _TOLD and _package(request.symbol) in KERAS


def poses(request: Request) -> bool:
    """Whether it is a stranger's text that no package of anybody's would have for a name.

    Python's own modules hold no class of a model, and what differs from Keras's name in case
    or script alone wants to be taken for it.
    """
    if request.origin in _TOLD:
        return False
    package = _package(request.symbol)
    return (
        not package.isascii()
        or package[:1] in ("", "'", '"')  # what is no name is quoted
        or package in sys.stdlib_module_names
        or package.casefold() in KERAS
    )


def _package(symbol: str) -> str:
    return symbol.partition(">")[0].partition(".")[0]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
