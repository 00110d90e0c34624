"""A record is on the disk when `write` returns, whole and on one line, or there is an error."""

from __future__ import annotations

import errno
import importlib.util
import json
import logging
import os
import stat
import subprocess
import sys

import pytest

from secure_serial.audit import log as log_module
from secure_serial.audit.log import LOGGER, AuditLog, LoggerSink, encode, open_sink
from secure_serial.errors import AuditError

NASTY = 'a\nb\r"\\\x00\x1b[2J\x85\u2028\u2029\u202e\ud800 ö 層 </script>'


def test_a_record_is_one_ascii_line_whatever_names_are_in_it():
    line = encode({"name": NASTY, NASTY: 1})
    assert line.isascii()
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert not any(byte < 32 for byte in line[:-1])
    assert json.loads(line) == {"name": NASTY, NASTY: 1}


def test_what_json_has_no_word_for_is_not_written():
    with pytest.raises(ValueError, match="JSON"):
        encode({"x": float("nan")})


def test_records_are_appended_in_order(tmp_path):
    path = tmp_path / "log"
    for number in range(3):
        AuditLog(str(path)).write({"n": number})
    assert path.read_bytes() == b'{"n":0}\n{"n":1}\n{"n":2}\n'


def test_a_line_that_was_left_broken_spoils_no_record(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'{"n":0}\n{"n":')
    for number in (1, 2):
        AuditLog(path).write({"n": number})
    assert path.read_bytes() == b'{"n":0}\n{"n":\n{"n":1}\n{"n":2}\n'


def test_what_is_no_log_is_refused_at_once():
    with pytest.raises(TypeError, match="not True"):
        open_sink(True)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are of POSIX")
def test_a_new_log_is_its_owners_alone_and_an_old_one_stays_as_it_is(tmp_path):
    path = tmp_path / "log"
    before = os.umask(0)
    try:
        AuditLog(path).write({})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    AuditLog(path).write({})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_record_is_synced_before_write_returns(tmp_path, monkeypatch):
    seen = []
    path = tmp_path / "log"
    monkeypatch.setattr(log_module.os, "fsync", lambda _: seen.append(path.read_bytes()))
    AuditLog(path).write({"n": 1})
    assert seen[0] == b'{"n":1}\n'


@pytest.mark.parametrize("bad", ["no/such/folder/log", ".", "log/below"])
def test_a_log_that_cannot_be_opened_is_an_error(tmp_path, monkeypatch, bad):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").write_bytes(b"")
    with pytest.raises(AuditError, match="cannot be written") as caught:
        AuditLog(bad).write({})
    assert isinstance(caught.value, OSError)
    assert caught.value.where.file == bad


@pytest.mark.parametrize("taken", [0, 3])
def test_half_a_record_does_not_stay(tmp_path, monkeypatch, taken):
    path = tmp_path / "log"
    AuditLog(path).write({"n": 1})
    real = os.write
    monkeypatch.setattr(log_module.os, "write", lambda fd, data: real(fd, data[:taken]))
    with pytest.raises(AuditError, match="no space"):
        AuditLog(path).write({"n": 2})
    assert path.read_bytes() == b'{"n":1}\n'


def test_a_disk_that_does_not_sync_is_an_error(tmp_path, monkeypatch):
    def broken(_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(log_module.os, "fsync", broken)
    with pytest.raises(AuditError, match="input/output error"):
        AuditLog(tmp_path / "log").write({})


FULL = """
import resource, sys
from secure_serial.audit.log import AuditLog
from secure_serial.errors import AuditError
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
log = AuditLog(sys.argv[1])
log.write({"n": "x" * 60})
for _ in range(2):
    try:
        log.write({"n": "y" * 60})
    except AuditError as error:
        print(error.code)
"""


def run(code, *args):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, check=True
    ).stdout


def test_a_full_disk_leaves_whole_records_only(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "log"
    assert run(FULL, path).split() == ["SS401", "SS401"]
    assert [json.loads(line)["n"][0] for line in path.read_text().splitlines()] == ["x"]


MANY = """
import sys
from secure_serial.audit.log import AuditLog
log = AuditLog(sys.argv[1])
for number in range(40):
    log.write({"who": sys.argv[2], "n": number, "pad": "x" * 9000})
"""


def test_records_of_several_processes_are_not_mixed(tmp_path):
    path = tmp_path / "log"
    workers = [subprocess.Popen([sys.executable, "-c", MANY, str(path), name]) for name in "abc"]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for name in "abc":
        assert [r["n"] for r in records if r["who"] == name] == list(range(40))


def test_without_a_lock_of_the_platform_records_are_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(log_module, "fcntl", None)
    AuditLog(tmp_path / "log").write({})
    assert (tmp_path / "log").read_bytes() == b"{}\n"


# The logger, where no log was asked for.


@pytest.mark.parametrize(
    ("record", "level"),
    [({"effect": "deny"}, "WARNING"), ({"outcome": "denied"}, "WARNING"), ({"effect": "allow"}, "INFO"),
     ({"outcome": "built"}, "INFO")],
)  # fmt: skip
def test_a_record_is_logged_and_a_denial_louder(caplog, record, level):
    with caplog.at_level(logging.INFO, logger=LOGGER.name):
        LoggerSink().write(record)
    (entry,) = caplog.records
    assert entry.levelname == level
    assert json.loads(entry.getMessage()) == record


def test_a_logger_that_nobody_listens_to_costs_no_encoding(caplog):
    with caplog.at_level(logging.ERROR, logger=LOGGER.name):
        LoggerSink().write({"x": object()})
    assert not caplog.records


def test_the_sink_is_what_the_caller_means(tmp_path):
    own = AuditLog(tmp_path / "log")
    assert open_sink(own) is own
    assert isinstance(open_sink(None), LoggerSink)
    assert not open_sink(None).durable
    for path in ("log", tmp_path / "log"):
        sink = open_sink(path)
        assert isinstance(sink, AuditLog)
        assert sink.durable


def test_a_platform_without_that_lock_can_write_a_log(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    spec = importlib.util.spec_from_file_location("log_without_fcntl", log_module.__file__)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    assert other.fcntl is None
    other.AuditLog(tmp_path / "log").write({})
    assert (tmp_path / "log").read_bytes() == b"{}\n"


@pytest.mark.parametrize(
    ("level", "allowed", "refused"),
    [(logging.INFO, True, True), (logging.WARNING, False, True), (logging.ERROR, False, False)],
)
def test_the_logger_takes_what_its_level_lets_through_and_says_so(caplog, level, allowed, refused):
    sink = LoggerSink()
    with caplog.at_level(level, logger=LOGGER.name):
        assert (sink.takes(denied=False), sink.takes(denied=True)) == (allowed, refused)
        for record in ({"effect": "allow"}, {"outcome": "built"}):
            sink.write(record)
        assert len(caplog.records) == 2 * allowed
        caplog.clear()
        for record in ({"effect": "deny"}, {"outcome": "denied"}):
            sink.write(record)
        assert len(caplog.records) == 2 * refused
