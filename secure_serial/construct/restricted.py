"""The functions of one load, made callable: restricted, and never as bytecode."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from secure_serial.construct.kept import keep
from secure_serial.construct.tripwire import exempt
from secure_serial.lambdas.plain import alike
from secure_serial.lazy import lazy
from secure_serial.loaded import is_installed
from secure_serial.plan.functions import FunctionReader, may_be_function
from secure_serial.plan.path import Path, pointer
from secure_serial.policy.model import Evaluation, Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Json
    from secure_serial.construct.keras.in_model import InModel
    from secure_serial.lambdas.understood import Understood
    from secure_serial.policy.model import Policy
    from secure_serial.sandbox.facades.ops import Ops
    from secure_serial.sandbox.restored import Restored
    from secure_serial.sandbox.restrict import Checked
    from secure_serial.sandbox.wall.worker import Worker


class Made:
    """The functions that a load may build, by where their code stood; each is made once.

    Args:
        functions: What the plan understood, and the policy let pass.
        policy: Says how they run.

    """

    def __init__(self, functions: Mapping[tuple[str, str], Checked], policy: Policy) -> None:
        self._functions = functions
        self._sandbox = policy.sandbox
        self._limits = policy.limits
        self._made: dict[tuple[str, str], InModel] = {}

    @lazy
    def reader(self) -> FunctionReader:
        """Of what is written down and read back while the load builds."""
        return FunctionReader(self._limits)

    def __bool__(self) -> bool:
        return bool(self._functions)

    def __contains__(self, value: object) -> bool:
        return any(made is value for made in self._made.values())

    def at(self, member: str, path: Path) -> Restored | None:
        """The function whose code stood at a place; None where none did."""
        return self._at((member, pointer(path)))

    def _at(self, place: tuple[str, str]) -> InModel | None:
        checked = self._functions.get(place)
        if checked is not None and place not in self._made:
            self._made[place] = in_model(checked, self._sandbox)
            keep(checked, self._sandbox, self._made[place])
        return self._made.get(place)

    def check(self) -> None:
        """Raise what ended a call while the model was built, should Keras have swallowed it.

        Raises:
            SandboxError: a function takes too much, or a wall is missing.

        """
        for made in self._made.values():
            if made.failure is not None:
                raise made.failure

    def again(self, node: Json) -> Restored | None:
        """The function that a node stands for which was made of one while building; or None.

        Wrappers copy layers by their configs, and so write their functions down and read them
        back. What comes back is a function that was judged, or none.
        """
        if not self._functions or not may_be_function(node):
            return None
        with exempt():  # the proof compiles what it has read, and runs nothing
            read = self.reader.read(node).checked
        for place, known in self._functions.items():
            if read is not None and _same(read.understood, known.understood):
                return self._at(place)
        return None

    def in_places(self, arguments: Json) -> Json:
        """The arguments of a class, with its functions in the place of their code."""
        if not self._functions or not isinstance(arguments, dict):
            return arguments
        for key, item in arguments.items():
            function = self.again(item)
            if function is not None:
                arguments[key] = cast("Json", function)
        return arguments


def in_model(checked: Checked, sandbox: Sandbox) -> InModel:
    """The callable of a function as layers call it. Raises as `restricted` does."""
    from secure_serial.construct.keras.in_model import InModel

    return InModel(restricted(checked, sandbox), _worker(sandbox))


def restricted(checked: Checked, sandbox: Sandbox) -> Restored:
    """The callable of a function that was decided on.

    Raises:
        SandboxError: a wall that the policy demands is not to be had here.

    """
    with exempt():  # making a function is ours, and calling it is not
        if sandbox.demand:
            _worker(sandbox).start()  # tells what is missing, before anything of the file's runs
        if sandbox.evaluation is Evaluation.PROCESS:
            from secure_serial.sandbox.wall.walled import Walled

            return Walled(checked.understood, _worker(sandbox))
        from secure_serial.sandbox.function import build

        return build(checked, _ops(), sandbox.allowance)


def _ops() -> Ops:
    """Keras's operations where Keras is there; else NumPy's alone."""
    if is_installed("keras"):
        from secure_serial.construct.keras.ops import KerasOps

        return KerasOps()
    from secure_serial.sandbox.facades.ops import NUMPY

    return NUMPY


def _worker(sandbox: Sandbox) -> Worker:
    from secure_serial.sandbox.wall.worker import shared_worker

    return shared_worker(sandbox.allowance, demand=sandbox.demand)


def _same(one: Understood, other: Understood) -> bool:
    return one.digest == other.digest and all(
        alike(mine, theirs)
        for mine, theirs in (
            (one.defaults, other.defaults),
            (dict(one.kwdefaults), dict(other.kwdefaults)),
            (dict(one.closure), dict(other.closure)),
        )
    )
