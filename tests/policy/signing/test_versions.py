"""The memory of versions: it never goes down, is never lost, and never starts anew by itself."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace

import pytest
from policy.signing.parts import A, B, policy, shipped

from secure_serial.errors import UntrustedPolicy
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing import versions
from secure_serial.policy.signing.trust import Seen
from secure_serial.policy.signing.versions import remembering


def bundle(version=7, *keys, **fields):
    made = bundles.collect(policy(version=version, **fields), "p", shipped)
    return replace(made, signed_by=keys or (A,))


def remember(path, *noted):
    with remembering(path) as memory:
        for each in noted:
            memory.note(each)


def read(path):
    with remembering(path) as memory:
        return memory.seen


def refusal(path):
    with pytest.raises(UntrustedPolicy) as caught:
        read(path)
    assert caught.value.where.file == str(path)
    return caught.value.message


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "seen.json"


def test_what_is_noted_is_there_the_next_time(path):
    assert read(path) == ()
    assert not path.exists()
    remember(path, bundle(7, A, B))
    digest = bundle(7).sha256
    assert read(path) == (Seen("acme", A, 7, digest), Seen("acme", B, 7, digest))


def test_a_version_goes_up_and_never_down(path):
    remember(path, bundle(7))
    remember(path, bundle(9), bundle(8))
    assert read(path) == (Seen("acme", A, 9, bundle(9).sha256),)
    remember(path, bundle(9, more="# other\n"))
    assert read(path) == (Seen("acme", A, 9, bundle(9).sha256),)


def test_each_policy_and_each_key_has_its_own(path):
    remember(path, bundle(7, A), bundle(3, B), bundle(1, A, name="other"))
    assert {(s.name, s.key): s.version for s in read(path)} == {
        ("acme", A): 7,
        ("acme", B): 3,
        ("other", A): 1,
    }


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_memory_is_its_owners_alone(path):
    before = os.umask(0)
    try:
        remember(path, bundle())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.with_name("seen.json.lock").stat().st_mode) == 0o600


def test_the_file_is_replaced_whole_and_only_where_something_changed(path):
    remember(path, bundle(7))
    path.with_name("seen.json.new").write_text("left by a process that ended half-way")
    first = path.stat().st_ino
    remember(path, bundle(7))
    remember(path)
    assert path.stat().st_ino == first
    with path.open("rb") as old:
        remember(path, bundle(8))
        assert json.loads(old.read())["seen"][0]["version"] == 7
    assert read(path)[0].version == 8
    assert not path.with_name("seen.json.new").exists()


def test_nothing_is_remembered_where_the_block_fails(path):
    def failing():
        with remembering(path) as memory:
            memory.note(bundle())
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert read(path) == ()


GOOD = {"name": "acme", "key": A, "version": 7, "sha256": "0" * 64}


def state(*records, **more):
    return json.dumps({"schema": 1, "seen": list(records), **more}, indent=1).encode() + b"\n"


def test_a_good_file_is_read(path):
    path.parent.mkdir()
    path.write_bytes(state(GOOD))
    assert read(path) == (Seen(**GOOD),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"\xff",
        b"null",
        state(GOOD)[:-1],
        state(GOOD)[:-20],
        b" " * (versions.MAX_BYTES + 1),
        b"[" * 1000,
        state(GOOD) + b" ",
        state(GOOD, more=1),
        state(GOOD, schema=2),
        state(GOOD, schema=True),
        state(GOOD, schema=1.0),
        state(GOOD, GOOD),  # of two, the lower could be the one that counts
        state(GOOD, {**GOOD, "version": 1}),
        state({**GOOD, "version": True}),
        state({**GOOD, "version": 7.0}),
        state({**GOOD, "version": "7"}),
        state({**GOOD, "version": None}),
        state({**GOOD, "name": 1}),
        state({**GOOD, "more": ""}),
        state({"name": "acme"}),
        state("acme"),
        json.dumps({"schema": 1, "seen": {"acme": 7}}).encode(),
        json.dumps({"schema": 1, "seen": None}).encode(),
        b'{"schema": 1, "seen": [], "seen": []}',
    ],
)
def test_a_damaged_memory_is_a_refusal_and_stays_as_it_is(path, data):
    path.parent.mkdir()
    path.write_bytes(data)
    assert refusal(path).startswith("the memory of versions is damaged")
    assert path.read_bytes() == data


def test_a_memory_that_cannot_be_used_is_a_refusal(path, tmp_path):
    path.mkdir(parents=True)
    assert refusal(path).startswith("the memory of versions cannot be used")
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "seen.json"
    assert refusal(below).startswith("the memory of versions cannot be used")


def test_what_cannot_be_written_is_a_refusal(path, monkeypatch):
    remember(path, bundle(7))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UntrustedPolicy, match="No space left"):
        remember(path, bundle(8))
    monkeypatch.undo()
    assert read(path)[0].version == 7


def test_a_memory_that_is_full_is_a_refusal(path, monkeypatch):
    remember(path, bundle(7))
    monkeypatch.setattr(versions, "MAX_BYTES", path.stat().st_size)
    with pytest.raises(UntrustedPolicy, match="full"):
        remember(path, bundle(7, B))
    remember(path, bundle(8))


def test_one_at_a_time(path, monkeypatch):
    monkeypatch.setattr(versions, "_PAUSE", 0)
    with remembering(path) as memory:
        memory.note(bundle(7))
        assert refusal(path) == "another process holds the memory of versions"
    assert read(path)[0].version == 7


def test_a_waiting_process_sees_what_was_written_before_it(path, monkeypatch):
    """Checked and noted under one lock: an older bundle cannot slip in between."""
    waiting = threading.Event()
    monkeypatch.setattr(versions.time, "sleep", lambda _: waiting.set())
    monkeypatch.setattr(versions, "_TRIES", 10**9)
    found = []
    with remembering(path) as memory:
        other = threading.Thread(target=lambda: found.append(read(path)))
        other.start()
        assert waiting.wait(60)
        memory.note(bundle(8))
    other.join(60)
    assert found == [(Seen("acme", A, 8, bundle(8).sha256),)]


def test_no_update_is_lost_between_many(path):
    names = [f"policy-{n}" for n in range(12)]
    workers = [
        threading.Thread(target=remember, args=(path, bundle(1, A, name=name))) for name in names
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(old.name for old in read(path)) == sorted(names)
