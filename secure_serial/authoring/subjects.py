"""What a `[[test]]` asks, as the planner sees it: a file, a config, or a config made of a name.

Whatever is tested goes the way of a real load, through the readers and the planner, so that
a test says what a load would.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact import open_artifact, read_artifact
from secure_serial.artifact.dict_value import NotPlainValue, read_value
from secure_serial.artifact.document import Format
from secure_serial.errors import ArtifactError
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.owner import Owner
from secure_serial.plan.request import CallerObject, Origin, Plan
from secure_serial.plan.walker import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from secure_serial.artifact.document import Document, Json
    from secure_serial.authoring.cases import PolicyTest
    from secure_serial.limits import Limits
    from secure_serial.plan.catalogue import Catalogue

#: What a class of the program's own of this kind derives from; the others are functions.
_BASES = {
    Kind.LAYER: "keras.Layer",
    Kind.MODEL: "keras.Model",
    Kind.INITIALIZER: "keras.Initializer",
    Kind.REGULARIZER: "keras.Regularizer",
    Kind.CONSTRAINT: "keras.constraints.Constraint",
    Kind.LOSS: "keras.Loss",
    Kind.METRIC: "keras.Metric",
    Kind.OPTIMIZER: "keras.Optimizer",
    Kind.SCHEDULE: "keras.optimizers.schedules.LearningRateSchedule",
    Kind.DTYPE_POLICY: "keras.DTypePolicy",
    Kind.QUANTIZER: "keras.Quantizer",
}
_FIELDS = frozenset(str(field) for field in Field)
_FUNCTIONS = frozenset({Kind.ACTIVATION, Kind.FUNCTION})


class Subject(NamedTuple):
    """One thing that a test asks about: its plan, or why there is none."""

    test: PolicyTest
    shown: str = ""  # which symbol, where a test has several
    plan: Plan | None = None
    file_sha256: str | None = None
    refused: ArtifactError | None = None  # by the readers, before any rule is asked
    broken: str = ""  # why the test cannot be run


class _BrokenTest(Exception):
    """The test asks for something that no load could come to."""


class Maker:
    """Makes subjects of tests.

    Args:
        folder: That of the policy; None where it has none.
        catalogue: What is known of Keras.
        limits: Those of the policy that the tests are judged by.
        digests: Whether the policy asks for the digests of files.

    """

    def __init__(
        self, folder: Path | None, catalogue: Catalogue, limits: Limits, *, digests: bool
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._limits = limits
        self._digests = digests

    def subjects(self, test: PolicyTest) -> Iterator[Subject]:
        """Everything that a test asks about: one thing, or one for each symbol."""
        for symbol in test.symbols or ("",):
            shown = symbol if len(test.symbols) > 1 else ""
            try:
                plan, digest = self._made(test, symbol)
            except NotPlainValue as error:
                yield Subject(test, shown, broken=error.message)
            except ArtifactError as error:
                yield Subject(test, shown, refused=error)
            except _BrokenTest as error:
                yield Subject(test, shown, broken=str(error))
            else:
                yield Subject(test, shown, plan, digest)

    def _made(self, test: PolicyTest, symbol: str) -> tuple[Plan, str | None]:
        if test.file:
            return self._of_file(test)
        if symbol:
            return self._of_symbol(test, symbol), None
        text = test.config if isinstance(test.config, str) else _json(test.config)
        document = read_artifact(text.encode().ljust(test.bytes), self._limits, name=test.id)
        return self._plan(document, test), None

    def _of_file(self, test: PolicyTest) -> tuple[Plan, str | None]:
        if self._folder is None:
            raise _BrokenTest("a shipped policy has no folder that files could stand in")
        path = self._folder / test.file
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise _BrokenTest(f"{test.file} leads out of the policy's folder")
        with open_artifact(path, self._limits, name=test.file) as opened:
            digest = opened.sha256() if self._digests else None
            return self._plan(opened.document, test), digest

    def _of_symbol(self, test: PolicyTest, symbol: str) -> Plan:
        """The plan of a config that names this symbol, in one of the ways that configs have."""
        caller = _caller(test, symbol)
        meant = test.registered or symbol
        other = ""
        for config in self._configs(test, symbol, caller):
            asked = test
            if isinstance(config, str) and test.field is Field.ROOT:
                # Only where its kind stands is a name that stands alone looked up.
                asked = test._replace(field=Field(self._catalogue.entry(symbol).kind))
            plan = self._plan(read_value(config, self._limits, name=test.id), asked, caller)
            named = plan.requests[0].symbol if plan.requests else ""
            # A name that the catalogue has, and a module that never had it, make a stranger.
            known = named not in self._catalogue or plan.requests[0].origin is not Origin.UNKNOWN
            if named == meant and known:
                if caller is not None and plan.requests[0].origin is not Origin.CALLER:
                    raise _BrokenTest(f"kind is for the program's own objects; {symbol} is Keras's")
                return _as_told(plan, test)
            other = other or named
        hint = f"; did you mean {other}?" if other in self._catalogue else ""
        raise _BrokenTest(f"no config can name {meant} in the field {test.field}{hint}")

    def _configs(
        self, test: PolicyTest, symbol: str, caller: CallerObject | None
    ) -> Iterator[Json]:
        module, _, name = symbol.rpartition(">" if ">" in symbol else ".")
        registered = symbol if ">" in symbol else test.registered
        entry = self._catalogue.entry(symbol) if symbol in self._catalogue else None
        is_class = caller.is_class if caller is not None else entry is None or entry.is_class
        names: dict[str, Json] = {"module": None if ">" in symbol else module}
        if registered:
            names["registered_name"] = registered
        if is_class:
            yield {**names, "class_name": name, "config": dict(test.arguments or {})}
            yield {"class_name": name, "config": dict(test.arguments or {})}
            return
        if test.arguments:
            raise _BrokenTest(f"{symbol} is a function, and takes no arguments from a config")
        yield {**names, "class_name": "function", "config": registered or name}
        if entry is not None and entry.kind in _FIELDS:
            yield name

    def _plan(
        self, document: Document, test: PolicyTest, caller: CallerObject | None = None
    ) -> Plan:
        if not test.file:
            document = dataclasses.replace(
                document,
                format=test.format or Format.JSON,
                judged_sha256=test.sha256 or document.judged_sha256,
            )
        return make_plan(
            document,
            catalogue=self._catalogue,
            callers={} if caller is None else {caller.name: caller},
            limits=self._limits,
            root=test.field,
        )


def _json(config: Json) -> str:
    try:
        return json.dumps(config, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:  # a date, an infinity
        raise _BrokenTest(f"config is no JSON: {error}") from None


def _caller(test: PolicyTest, symbol: str) -> CallerObject | None:
    """The object of the program's own that a test is about, if it says of what kind it is."""
    if test.kind is None:
        return None
    separator = ">" if ">" in symbol else "."
    module, _, name = symbol.rpartition(separator)
    registered = symbol if ">" in symbol else test.registered
    base = _BASES.get(test.kind)
    return CallerObject(
        name=registered or name,
        qualname=name,
        module=module,
        is_class=test.kind not in _FUNCTIONS,
        kinds=frozenset({test.kind}),
        bases=() if base is None else (base,),
        source="argument",
        owner=test.owner,
    )


def _as_told(plan: Plan, test: PolicyTest) -> Plan:
    """The plan, with what the test says of the object that it is about."""
    root, *inner = plan.requests
    owner = test.owner or root.owner
    if test.source_sha256:
        owner = (owner or Owner("", ""))._replace(source_sha256=test.source_sha256)
    return plan._replace(requests=(root._replace(owner=owner), *inner))
