"""Functions whose code stands in a document: read, understood and restricted, and never run. Pure.

A function that cannot be shown to do what its bytecode does, or that uses what the sandbox
has not, is an objection that no policy lifts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import LISTS
from secure_serial.errors import SandboxError
from secure_serial.plan.arguments import CODE
from secure_serial.plan.encodings import LAMBDA
from secure_serial.plan.fields import Field
from secure_serial.plan.names import Resolution
from secure_serial.plan.request import Action, Origin

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.lambdas.bounds import Account
    from secure_serial.limits import Limits
    from secure_serial.plan.collector import Collector, Visit
    from secure_serial.sandbox.restrict import Checked

#: What Keras calls if it finds a function there, and what holds any object.
PLACES = frozenset(
    {
        Field.ACTIVATION,
        Field.CONSTRAINT,
        Field.FUNCTION,
        Field.INITIALIZER,
        Field.LOSS,
        Field.METRIC,
        Field.OBJECT,
        Field.REGULARIZER,
        Field.ROOT,
    }
)
NOT_UNDERSTOOD, DISAGREES, NOT_ALLOWED = "SS305", "SS306", "SS503"
#: Characters of a function's text that a report shows on one line.
_SHOWN = 400


class Read(NamedTuple):
    """What became of one function: it is ready to be built, or something is wrong with it."""

    checked: Checked | None = None
    problem: tuple[str, str] | None = None

    @property
    def digest(self) -> str:
        """The digest of its tree, as policies have it; empty where it was not understood."""
        if self.checked is None:
            return ""
        return self.checked.understood.digest.removeprefix("sha256:")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report shows of it: its source."""
        if self.checked is None:
            return ()
        return (" ".join(self.checked.understood.source.split())[:_SHOWN],)


def as_node(value: Json) -> Json:
    """A function as a node; Keras leaves the node away where it writes an activation.

    >>> as_node({"value": ["4wE=", None, None]})["class_name"]
    '__lambda__'
    """
    if not isinstance(value, dict) or "value" not in value:
        return value
    from secure_serial.lambdas.stored import OWN  # late: most files hold no function

    return {"class_name": LAMBDA, "config": value} if value.keys() <= {"value", OWN} else value


def may_be_function(value: Json) -> bool:
    """Whether it has the shape of one of the forms; a text alone is told by its place."""
    if isinstance(value, LISTS):
        from secure_serial.lambdas.stored import is_dump

        return is_dump(value)
    node = as_node(value)
    return isinstance(node, dict) and node.get("class_name") == LAMBDA


class FunctionReader:
    """Reads functions, each different one once, and as many as a document may hold.

    Args:
        limits: How many.

    """

    def __init__(self, limits: Limits) -> None:
        self._left = limits.functions
        self._account: Account | None = None
        self._reads: dict[str, Read] = {}

    def read(self, value: Json) -> Read:
        """What a value comes to that is said to be a function, or was taken for one."""
        key = repr(value)
        if key not in self._reads:
            self._reads[key] = self._read(value)
        return self._reads[key]

    def _read(self, value: Json) -> Read:
        from secure_serial.lambdas.bounds import Account
        from secure_serial.lambdas.errors import BadStream, CannotLift, TooMuch
        from secure_serial.lambdas.stored import stored
        from secure_serial.lambdas.understood import Disagree, understand
        from secure_serial.sandbox.restrict import restrict

        self._left -= 1
        if self._left < 0:
            return Read(problem=("SS333", "more functions than are allowed"))
        self._account = self._account or Account()
        try:
            found = stored(as_node(value))
            if found is None:
                return Read(problem=(NOT_UNDERSTOOD, "code in none of the forms that are known"))
            return Read(restrict(understand(found, account=self._account)))
        except Disagree as error:
            return Read(problem=(DISAGREES, f"its two forms differ: {error.message}"))
        except (BadStream, CannotLift, TooMuch) as error:
            return Read(problem=(NOT_UNDERSTOOD, f"it cannot be read: {error.message}"))
        except SandboxError as error:
            return Read(problem=(NOT_ALLOWED, error.message))


class Functions:
    """The functions of one document.

    Args:
        reader: Reads them.
        safe_mode: Whether all are refused unread, as Keras does.

    """

    def __init__(self, reader: FunctionReader, *, safe_mode: bool) -> None:
        self._reader = reader
        self._safe_mode = safe_mode
        #: Those that were understood, by member and pointer.
        self.found: dict[tuple[str, str], Checked] = {}

    def ask(self, found: Collector, visit: Visit, what: str) -> None:
        """Write down the request that a function makes where it stands."""
        read = Read(problem=("SS303", CODE)) if self._safe_mode else self._reader.read(visit.value)
        problems = [] if read.problem is None else [read.problem]
        if visit.spec.field not in PLACES:
            problems.append(("SS311", f"a function in a field that holds {visit.spec.field}"))
        resolution = Resolution("__lambda__", Origin.UNKNOWN, digest=read.digest)
        objections = [visit.objection(code, f"{what}: {text}") for code, text in problems]
        request = found.request(
            visit, Action.LAMBDA, resolution, what, objections=objections, notes=read.notes
        )
        if read.checked is not None:
            self.found[request.member, request.pointer] = read.checked
