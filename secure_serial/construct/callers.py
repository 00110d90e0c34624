"""What the planner may know of the objects that the program itself registered or passed.

Live objects stay on this side: the plan and the decision see names, kinds and bases only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from secure_serial.lazy import lazy
from secure_serial.plan.fields import Kind
from secure_serial.plan.names import caller_symbol
from secure_serial.plan.request import CallerObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


class Callers(Mapping[str, CallerObject]):
    """The descriptions of the custom objects of one load, each made when it is first asked for.

    A program may have registered thousands of names, and a config names a few of them. Whose
    an object is costs a look at the file system, and is told only where the policy asks.

    Args:
        names: The live objects, as they were when the load began.
        catalogue: What is known of Keras.
        policy: Says whether owners, and the sources of classes, matter.

    """

    def __init__(self, names: Snapshot, catalogue: Catalogue, policy: Policy) -> None:
        self._names = names
        self._catalogue = catalogue
        self._policy = policy
        self._known: dict[str, CallerObject] = {}

    @lazy
    def _objects(self) -> Mapping[str, object]:
        return self._names.table

    def __getitem__(self, name: str) -> CallerObject:
        known = self._known.get(name)
        if known is None:
            if name not in self:
                raise KeyError(name)
            known = self._known[name] = self._describe(name)
        return known

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's: most names that are asked for are none of the program's."""
        known = self._known.get(name)
        if known is None and name in self:
            return self[name]
        return default if known is None else known

    def __contains__(self, name: object) -> bool:
        return name in self._objects and isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if isinstance(name, str))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def by_symbol(self, symbol: str) -> CallerObject | None:
        """The description of the object that policies know by a symbol."""
        known = self.get(symbol) if ">" in symbol else None
        return known or self._unregistered.get(symbol)

    @lazy
    def _unregistered(self) -> Mapping[str, CallerObject]:
        """By their dotted paths, those that were passed by a name without a package."""
        found = [self[name] for name in self if ">" not in name]
        return {caller_symbol(caller): caller for caller in found}

    def _describe(self, name: str) -> CallerObject:
        source = str(self._names.origin(name))
        found = describe_one(name, self._names[name], source, self._catalogue)
        if not self._policy.owners_matter:
            return found
        from secure_serial.construct.owners import owner_of

        with_source = self._policy.sources_matter
        return found._replace(owner=owner_of(found.module, with_source=with_source))


def describe_one(name: str, obj: object, source: str, catalogue: Catalogue) -> CallerObject:
    """A description of one custom object. Its own code is not run."""
    is_class = isinstance(obj, type)
    bases = _bases(obj, catalogue) if isinstance(obj, type) else ()
    kinds = frozenset([catalogue.entry(base).kind for base in bases])
    return CallerObject(
        name,
        str(getattr(obj, "__name__", type(obj).__name__)),
        str(getattr(obj, "__module__", "")),
        is_class,
        kinds if is_class else _FUNCTION_KINDS,
        bases,
        source,
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


def implied(symbols: Iterable[str], callers: Callers, catalogue: Catalogue) -> Iterator[str]:
    """What allowed classes resolve by themselves while they are built: their own defaults."""
    yield from catalogue.implied("*")
    for symbol in symbols:
        caller = callers.by_symbol(symbol)
        bases: tuple[str, ...] = (symbol,) if symbol in catalogue else ()
        for base in bases if caller is None else caller.bases:
            yield from catalogue.entry(base).defaults.values()
            yield from catalogue.implied(base)
