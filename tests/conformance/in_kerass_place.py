"""A pytest plugin: our functions stand in the place of Keras's before its tests are imported.

Environment: `SECURE_SERIAL_SUITE` (the suite's file), `SECURE_SERIAL_REPLACE` (which functions,
comma-separated; `enforcing` is none, but has each test run under a policy instead) and
`SECURE_SERIAL_REPORT` (where to write what happened, as JSON).
"""

from __future__ import annotations

import builtins
import functools
import json
import os
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

SUITE = tomllib.loads(Path(os.environ["SECURE_SERIAL_SUITE"]).read_text("utf-8"))
REPLACE = [part for part in os.environ["SECURE_SERIAL_REPLACE"].split(",") if part]

#: What is replaced: where Keras defines it, where ours is, and the names.
PLACES = {
    "registry": (
        "keras.src.saving.object_registration",
        "secure_serial.registry",
        (
            "CustomObjectScope",
            "custom_object_scope",
            "get_custom_objects",
            "get_registered_name",
            "get_registered_object",
            "register_keras_serializable",
        ),
    ),
    "serialize": (
        "keras.src.saving.serialization_lib",
        "secure_serial.serialize",
        ("serialize_keras_object",),
    ),
    "deserialize": (
        "keras.src.saving.serialization_lib",
        "secure_serial",
        ("deserialize_keras_object",),
    ),
}

calls: Counter[str] = Counter()
outcomes: dict[str, dict[str, str]] = {}


def counted(name, function):
    """Ours, and a note each time it is called: a stand-in nobody calls proves nothing."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        calls[name] += 1
        return function(*args, **kwargs)

    return wrapper


def replace(theirs, ours):
    """Put `ours` wherever a module of Keras holds `theirs`, by whatever name."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "keras" and module is not None:
            for attribute, value in list(vars(module).items()):
                if value is theirs:
                    setattr(module, attribute, ours)


def pytest_configure():
    import keras.src.testing  # noqa: F401 - so that all the modules are there

    for part in PLACES.keys() & REPLACE:
        home, our_home, names = PLACES[part]
        __import__(our_home)
        before = {name: getattr(sys.modules[home], name) for name in names}
        for name, theirs in before.items():
            ours = getattr(sys.modules[our_home], name)
            replace(theirs, ours if isinstance(ours, type) else counted(name, ours))


def short(nodeid):
    return nodeid.partition("::")[2]


def pytest_collection_modifyitems(config, items):
    from secure_serial import errors

    left_out = {entry["test"] for entry in SUITE["left_out"]}
    refused = {entry["test"]: entry for entry in SUITE["refused"]}
    refuses = bool({"deserialize", "enforcing"} & set(REPLACE))
    for item in items:
        outcomes.setdefault(str(item.path), {})[short(item.nodeid)] = "left out"
        entry = refused.get(short(item.nodeid)) if refuses else None
        if entry:
            error = entry.get("error", "LoadDenied")
            raises = getattr(errors, error, None) or getattr(builtins, error)
            item.add_marker(pytest.mark.xfail(reason=entry["reason"], raises=raises, strict=True))
    dropped = [item for item in items if short(item.nodeid) in left_out]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """With `enforcing`, every test runs in a block of its own."""
    if "enforcing" not in REPLACE:
        yield
        return
    from secure_serial import enforcing

    log = Recorded()
    with enforcing("keras-core", log):
        yield
    calls.update(log.events)


class Recorded:
    """An audit log that counts what was recorded."""

    durable = True

    def __init__(self):
        self.events = Counter()

    def write(self, record):
        self.events[record["event"]] += 1


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" or report.outcome != "passed":
        outcome = "refused" if hasattr(report, "wasxfail") and report.skipped else report.outcome
        outcomes[str(item.path)][short(item.nodeid)] = outcome


def pytest_sessionfinish():
    result = {"outcomes": outcomes, "calls": calls}
    Path(os.environ["SECURE_SERIAL_REPORT"]).write_text(json.dumps(result), "utf-8")
