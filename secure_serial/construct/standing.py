"""What a policy says of the program's own classes, where that hangs on their names alone.

It is the same each time then, and is remembered: for each way in which nodes name a class, the
class that was meant, and whether an object of it may always be built. A name that has come to
mean another class since is asked about again.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.plan.fields import Field
from secure_serial.plan.names import MISSING, Names, are_usual
from secure_serial.plan.request import Action, Origin
from secure_serial.plan.walker import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.construct.callers import Callers
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.plan.usual import Said
    from secure_serial.policy.engine import Engine
    from secure_serial.registry import Snapshot

#: Ways to name a class that are remembered. Names that may be remembered are short, so that a
#: hostile value cannot fill the memory with them.
_REMEMBERED = 2048
#: Where the nodes of a value of the usual kind stand: at its top, and in an own class's config.
_FIELDS = (Field.ROOT, Field.OBJECT)
#: What stands in a class itself, whatever its own class says.
_MEMBERS = type.__dict__["__dict__"].__get__


class Own(NamedTuple):
    """A class of the program's own, as nodes name it."""

    cls: weakref.ref[type]
    names: tuple[str, str]  # its own, when it was judged
    key: str  # among the program's names
    symbol: str  # among the policy's; empty where each object has to be judged

    def stands_for(self, now: object) -> bool:
        """Whether it is still what a name means now, and is called as it was."""
        cls = self.cls()
        return cls is not None and cls is now and self.names == (cls.__name__, cls.__module__)


class Standing:
    """The classes that one policy always lets in.

    Args:
        engine: The policy.
        catalogue: What is known of Keras.

    """

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self.engine = engine
        self._catalogue = catalogue
        self._known: dict[Said, Own] = {}

    def finder(self, names: Snapshot, callers: Callers) -> Callable[[Said], Own | None]:
        """Tells what the names of a node mean; None where they mean no such class."""
        known, now = self._known.get, names.get

        def find(said: Said) -> Own | None:
            own = known(said)
            if own is None or not own.stands_for(now(own.key)):
                own = self._learn(said, callers, names)
            return own if own is not None and own.symbol else None

        return find

    def _learn(self, said: Said, callers: Callers, names: Snapshot) -> Own | None:
        _, class_name, registered = said
        key = class_name if registered is MISSING else registered
        cls = names.get(key) if isinstance(key, str) else None
        if not isinstance(cls, type) or not are_usual(Names(*said)):
            return None
        described = callers[key]
        # Of a class that is made of Keras's the arguments matter, too.
        plain = not described.bases and _can_be_revived(cls)
        symbol = self._symbol(said, callers) if plain else ""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        called = (described.qualname, described.module)
        own = self._known[said] = Own(weakref.ref(cls), called, key, symbol)
        return own

    def _symbol(self, said: Said, callers: Callers) -> str:
        """What a policy calls it, if it is allowed wherever it stands; else nothing."""
        keys = ("module", "class_name", "registered_name")
        node = {key: name for key, name in zip(keys, said, strict=True) if name is not MISSING}
        part = Part(Role.MODEL, "", {**node, "config": {}})
        symbol = ""
        for field in _FIELDS:
            plan = make_plan(
                Document("", Format.DICT, "", (part,)),
                catalogue=self._catalogue,
                callers=callers,
                limits=self.engine.policy.limits,
                root=field,
            )
            if len(plan.requests) != 1 or plan.objections:
                return ""
            request = plan.requests[0]
            usual = request.action is Action.CONSTRUCT and request.origin is Origin.CALLER
            if not usual or not self.engine.always_allows(request):
                return ""
            symbol = request.symbol
        return symbol


def _can_be_revived(cls: type) -> bool:
    """Whether a class has a `from_config`. No code of its own is run to tell."""
    return any("from_config" in _MEMBERS(each) for each in type.mro(cls))
