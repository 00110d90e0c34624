"""What the planner may know of the objects that the program itself registered or passed.

Live objects stay on this side: the plan and the decision see names, kinds and bases only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_serial.plan.fields import Kind
from secure_serial.plan.request import CallerObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.policy.model import Policy
    from secure_serial.registry import Snapshot

#: A function may be any of these; which one it is, only its author knows.
_FUNCTION_KINDS = frozenset(
    {
        Kind.ACTIVATION,
        Kind.INITIALIZER,
        Kind.REGULARIZER,
        Kind.CONSTRAINT,
        Kind.LOSS,
        Kind.METRIC,
        Kind.FUNCTION,
    }
)


def describe(names: Snapshot, catalogue: Catalogue, policy: Policy) -> Mapping[str, CallerObject]:
    """A description of every known custom object, by the key it is known under.

    Whose it is costs a look at the file system, and is told only where the policy asks.
    """
    found = {
        name: describe_one(name, names[name], str(names.origin(name)), catalogue)
        for name in names
        if isinstance(name, str)
    }
    if not found or not policy.owners_matter:
        return found
    from secure_serial.construct.owners import owner_of

    with_source = policy.sources_matter
    return {
        name: caller._replace(owner=owner_of(caller.module, with_source=with_source))
        for name, caller in found.items()
    }


def describe_one(name: str, obj: object, source: str, catalogue: Catalogue) -> CallerObject:
    """A description of one custom object. Its own code is not run."""
    is_class = isinstance(obj, type)
    bases = _bases(obj, catalogue) if isinstance(obj, type) else ()
    kinds = frozenset(catalogue.entry(base).kind for base in bases)
    return CallerObject(
        name=name,
        qualname=str(getattr(obj, "__name__", type(obj).__name__)),
        module=str(getattr(obj, "__module__", "")),
        is_class=is_class,
        kinds=kinds if is_class else _FUNCTION_KINDS,
        bases=bases,
        source=source,
    )


def _bases(cls: type, catalogue: Catalogue) -> tuple[str, ...]:
    found = []
    for base in type.mro(cls):
        module = base.__module__
        if isinstance(module, str) and module.partition(".")[0] == "keras":
            symbol = catalogue.canonical(f"{module}.{base.__qualname__}")
            if symbol is not None:
                found.append(symbol)
    return tuple(found)
