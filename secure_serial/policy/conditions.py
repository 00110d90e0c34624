"""Whether a rule that names a symbol means this request of it. Pure.

What cannot be known is an error and not a "no": the engine takes an error in a deny rule
as a denial, and in an allow rule as nothing allowed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from secure_serial.plan.path import is_elided, pointer
from secure_serial.plan.request import Action, Origin
from secure_serial.policy.constraints import holds
from secure_serial.policy.model import Effect
from secure_serial.policy.patterns import registered_matches, symbol_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from secure_serial.artifact.document import Format
    from secure_serial.plan.request import Plan, Request
    from secure_serial.policy.model import Constraint, Rule

#: The packages that symbols of the catalogue begin with, by all their spellings.
KERAS = frozenset({"keras", "tf_keras", "tensorflow", "tf"})


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
        """The symbols of the objects in an argument, itself or one level down in a list."""
        below = pointer((None, argument))
        if self._plan is None or is_elided(request.pointer + below):
            raise UnknownFactError("what is nested there is not known")
        found: list[str] = []
        for inside in ("/config", ""):  # Keras 0.x has the arguments beside the class's name
            found += self._symbols.get((request.member, request.pointer + inside + below), ())
        return found

    @cached_property
    def _symbols(self) -> Mapping[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for request in self._plan.requests if self._plan is not None else ():
            parent, _, last = request.pointer.rpartition("/")
            found.setdefault((request.member, request.pointer), []).append(request.symbol)
            if last.isdecimal():
                found.setdefault((request.member, parent), []).append(request.symbol)
        return found


def context_of(plan: Plan, file_sha256: str | None = None) -> Context:
    """What is known of a plan's document."""
    document = plan.document
    digests = frozenset(d for d in (document.judged_sha256, file_sha256) if d)
    return Context(document.format, digests, plan)


def mismatch(rule: Rule, request: Request, context: Context) -> str:
    """Why a rule whose names fit does not mean this request; empty where it does.

    Raises:
        UnknownFactError: it asks for something that is not known.
        TypeError: a bound on something that has no order or no length.

    """
    if rule.effect is Effect.ALLOW and request.action is Action.LAMBDA and not rule.lambdas:
        return "code in a file is allowed by its digest alone"
    if rule.effect is Effect.ALLOW and not _may_allow(rule, request):
        return "it is for Keras's own symbols, and this is not one that is known"
    if rule.kinds and request.kind not in rule.kinds:
        return f"it is for {_list(rule.kinds)}"
    if rule.fields and request.field not in rule.fields:
        return f"it is for the fields {_list(rule.fields)}, and this one holds {request.field}"
    if rule.on_names_alone:
        return ""
    return (
        _of_the_artefact(rule, context)
        or _of_the_owner(rule, request)
        or _of_what_it_is(rule, request, context)
    )


def _of_the_artefact(rule: Rule, context: Context) -> str:
    if rule.formats:
        if context.format is None:
            raise UnknownFactError("the format is not known")
        if context.format not in rule.formats:
            return f"it is for the formats {_list(rule.formats)}"
    if rule.sha256:
        if not context.digests:
            raise UnknownFactError("the digest is not known")
        if not rule.sha256 & context.digests:
            return "it is for other artefacts, by their digests"
    return ""


def _of_the_owner(rule: Rule, request: Request) -> str:
    if rule.owner is None:
        return ""
    owner = request.owner
    if owner is None:
        raise UnknownFactError("the distribution that owns it is not known")
    if owner.distribution != rule.owner.distribution:
        return f"it is for {rule.owner.distribution}, and this is {owner.distribution}'s"
    if not rule.owner.versions.contains(owner.version, prereleases=True):
        return f"it is for {rule.owner.versions}, and this is {owner.version}"
    return ""


def _of_what_it_is(rule: Rule, request: Request, context: Context) -> str:
    if rule.lambdas and request.digest not in rule.lambdas:
        return "it is for other lambdas, by their digests"
    # One of several is enough to deny, and all of them are needed to allow.
    each = any if rule.effect is Effect.DENY else all
    arguments = request.arguments or {}
    for constraint in rule.arguments:
        if not (
            holds(constraint, arguments, each) and _nested_holds(constraint, request, context, each)
        ):
            return f"its condition on the argument {constraint.argument!r} does not hold"
    if rule.allocation and not holds(rule.allocation, {"allocation": request.allocation}, each):
        return f"its bound on what is allocated does not hold ({request.allocation:,} bytes)"
    return ""


def _nested_holds(
    constraint: Constraint,
    request: Request,
    context: Context,
    each: Callable[[Iterable[bool]], bool],
) -> bool:
    """Whether the objects in an argument are among those named; where there is none, they are."""
    arguments = request.arguments or {}
    if not constraint.symbols or arguments.get(constraint.argument) is None:
        return True
    nested = context.nested(request, constraint.argument)
    return bool(nested) and each(named(constraint.symbols, symbol) for symbol in nested)


def named(patterns: Iterable[str], symbol: str) -> bool:
    """Whether one of several patterns, dotted or registered, means a symbol.

    >>> named(["acme>*", "keras.layers.*"], "acme>Block")
    True
    """
    return any(
        registered_matches(pattern, symbol) if ">" in pattern else symbol_matches(pattern, symbol)
        for pattern in patterns
    )


def _may_allow(rule: Rule, request: Request) -> bool:
    """Whether an allow rule may let in something that is not Keras's, as the catalogue has it.

    It must name it. And a text in a file that merely reads like a name of Keras's, or a
    name there that the catalogue does not know, is never let in by a pattern.
    """
    if request.origin in (Origin.KERAS, Origin.LEGACY):
        return True
    if rule.lambdas:
        return True
    if not (rule.symbols or rule.registered):
        return False
    return request.origin is Origin.CALLER or request.symbol.partition(".")[0] not in KERAS


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
