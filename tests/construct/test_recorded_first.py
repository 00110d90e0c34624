"""Nothing is built that was not decided and recorded first."""

from __future__ import annotations

import json
import logging

import pytest
from construct.parts import Part, make, part

from secure_serial.audit import log as log_module
from secure_serial.audit.log import AuditLog
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.tripwire import exempt
from secure_serial.errors import AuditError, ConstructionError, LoadDenied
from secure_serial.policy.source import parse_policy


@pytest.fixture
def log(tmp_path):
    return tmp_path / "audit.jsonl"


@pytest.fixture(autouse=True)
def _nothing_built():
    Part.built.clear()


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def load(tree, objects=None, **options):
    return deserialize_keras_object(tree, objects or {"acme>Part": make()}, **options)


def test_the_decision_is_in_the_file_before_anything_is_built(log):
    seen = []

    def look(_config):
        with exempt():  # a load reads no files
            seen.extend(records(log))

    cls = make(action=look)
    load(part(), {"acme>Part": cls}, audit=log)
    (record,) = seen
    assert (record["event"], record["effect"], record["action"]) == (
        "decision",
        "allow",
        "deserialize",
    )


def test_what_was_built_has_a_decision_and_an_outcome_that_belong_together(log):
    load(part(), audit=str(log))
    decision, outcome = records(log)
    assert (outcome["event"], outcome["outcome"], outcome["error"]) == ("outcome", "built", "")
    assert decision["load"] == outcome["load"]
    assert decision["time"] <= outcome["time"]
    assert decision["time"].endswith("Z")


def test_each_load_has_an_id_of_its_own(log):
    load(part(), audit=log)
    load(part(), audit=log)
    assert len({record["load"] for record in records(log)}) == 2


def test_a_denied_load_is_recorded_and_builds_nothing(log):
    with pytest.raises(LoadDenied) as caught:
        load([part(), {"module": "os", "class_name": "system", "config": {}}], audit=log)
    decision, outcome = records(log)
    assert (decision["effect"], outcome["outcome"]) == ("deny", "denied")
    assert list(caught.value.records) == [decision, outcome]
    assert not Part.built


def test_a_load_that_fails_while_building_is_recorded_with_its_error(log):
    def fail(_config):
        raise KeyError("inside")

    with pytest.raises(ConstructionError):
        load(part(), {"acme>Part": make(action=fail)}, audit=log)
    outcome = records(log)[-1]
    assert outcome["outcome"] == "failed"
    assert outcome["error"].startswith("ConstructionError: ")
    assert "inside" in outcome["error"]


def test_a_long_error_is_cut(log):
    def fail(_config):
        raise KeyError("x" * 100_000)

    with pytest.raises(ConstructionError):
        load(part(), {"acme>Part": make(action=fail)}, audit=log)
    assert len(records(log)[-1]["error"]) == 2000


def test_a_log_that_cannot_be_written_means_that_nothing_is_built(tmp_path):
    with pytest.raises(AuditError):
        load(part(), audit=tmp_path / "none" / "log")
    assert not Part.built


def test_a_disk_that_is_full_means_that_nothing_is_built(log, monkeypatch):
    monkeypatch.setattr(log_module.os, "write", lambda _fd, data: len(data) - 1)
    with pytest.raises(AuditError):
        load(part(), audit=log)
    assert not Part.built
    assert log.read_bytes() == b""


def test_a_denial_that_cannot_be_recorded_is_an_error_and_builds_nothing(tmp_path):
    with pytest.raises(AuditError):
        load(
            {"module": "os", "class_name": "system", "config": {}}, audit=tmp_path / "none" / "log"
        )
    assert not Part.built


REQUIRED = parse_policy('schema = 1\nextends = "keras-core"\naudit = "required"')


class Memory:
    durable = False

    def write(self, record):
        raise AssertionError("nothing is to be written")


@pytest.mark.parametrize("audit", [None, Memory()])
def test_a_policy_that_demands_a_log_refuses_a_load_without_one(audit):
    with pytest.raises(AuditError, match="demands"):
        load(part(), policy=REQUIRED, audit=audit)
    assert not Part.built


def test_a_policy_that_demands_a_log_is_content_with_one(log):
    assert load(part(), policy=REQUIRED, audit=AuditLog(log)) is Part.built[0]
    assert len(records(log)) == 2


def test_a_plain_value_asks_for_nothing_and_needs_no_record(log):
    for value in (None, True, 3, 2.5, "text"):
        assert deserialize_keras_object(value, audit=log) is value
    assert not log.exists()


def test_a_name_that_is_refused_while_building_is_in_the_outcome(log):
    hidden = {"class_name": "Hidden", "config": {}, "module": "evil", "registered_name": None}
    cls = make(action=lambda _config: deserialize_keras_object(hidden))
    with pytest.raises(LoadDenied) as caught:
        load(part(), {"acme>Part": cls}, audit=log)
    outcome = records(log)[-1]
    assert [(r["symbol"], r["code"]) for r in outcome["refused"]] == [("evil.Hidden", "SS340")]
    assert caught.value.code == "SS340"
    assert list(caught.value.records) == records(log)


def told(caplog):
    return [json.loads(line.getMessage()) for line in caplog.records]


def trip(_config):
    import os

    os.system("true")


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        (logging.INFO, ["decision", "outcome"] * 2 + ["decision", "tripwire", "outcome"]),
        (logging.WARNING, ["decision", "outcome", "tripwire"]),
        (logging.CRITICAL, []),
    ],
)
def test_without_a_log_the_logger_has_every_record_that_it_takes(caplog, level, seen):
    with caplog.at_level(level, logger=log_module.LOGGER.name):
        load(part())
        with pytest.raises(LoadDenied):
            load({"module": "os", "class_name": "system", "config": {}})
        with pytest.raises(LoadDenied):
            load(part(), {"acme>Part": make(action=trip)})
    assert [record["event"] for record in told(caplog)] == seen


def test_an_error_has_all_records_though_nobody_took_them(caplog):
    with caplog.at_level(logging.CRITICAL, logger=log_module.LOGGER.name):
        with pytest.raises(LoadDenied) as quiet:
            load(part(), {"acme>Part": make(action=trip)})
        sink = Kept()
        with pytest.raises(LoadDenied) as loud:
            load(part(), {"acme>Part": make(action=trip)}, audit=sink)
    unlike = {"load": "", "time": ""}
    assert [{**r, **unlike} for r in quiet.value.records] == [{**r, **unlike} for r in sink.kept]
    assert list(loud.value.records) == sink.kept


class Kept:
    """A sink that keeps what it is given."""

    durable = False

    def __init__(self):
        self.kept = []

    def write(self, record):
        self.kept.append(record)
