"""Loads beside each other: nobody sees another's policy, audit or scope, nor waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import threading

import pytest
from construct import workers
from construct.parts import make, part

from secure_serial.audit import log as log_module
from secure_serial.audit.log import AuditLog
from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.session import current
from secure_serial.construct.setup_lock import SETUP
from secure_serial.construct.tripwire import hook
from secure_serial.errors import LoadDenied
from secure_serial.policy.source import parse_policy
from secure_serial.registry import (
    get_custom_objects,
    get_registered_object,
    register_keras_serializable,
)

#: Longer than any step takes; a test that waits so long fails.
WAIT = 60
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def records(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


class Loads:
    """Loads that are all inside their constructors at the same time, and look around there."""

    def __init__(self, folder, count):
        self.folder = folder
        self.names = [f"Part{number}" for number in range(count)]
        self.barrier = threading.Barrier(count)
        self.seen = {}

    def policy(self, name):
        """Each allows one class, its own."""
        return parse_policy(
            f'schema = 1\nname = "{name}"\n[[allow]]\nid = "own"\nregistered = ["acme>{name}"]\n'
            'reason = "test"', f"{name}.toml",
        )  # fmt: skip

    def run(self, name):
        def look(_config):
            self.barrier.wait(WAIT)
            session = current()
            self.seen[name] = (
                session.verdict.policy.name,
                sorted(session.visible),
                [n for n in self.names if get_registered_object(f"acme>{n}") is not None],
                session.sink.path.name,
            )
            self.barrier.wait(WAIT)
            with contextlib.suppress(LoadDenied):  # ends this load alone
                deserialize_keras_object(part(f"{name}Unknown"))
            self.barrier.wait(WAIT)

        objects = {f"acme>{name}": make(name, action=look)}
        with contextlib.suppress(LoadDenied):
            deserialize_keras_object(
                part(name), objects, policy=self.policy(name), audit=self.folder / f"{name}.jsonl"
            )

    def check(self):
        for name in self.names:
            own = f"acme>{name}"
            assert self.seen[name] == (name, [own], [name], f"{name}.jsonl")
            decision, outcome = records(self.folder / f"{name}.jsonl")
            assert decision["policy"]["name"] == name
            assert next(d["symbol"] for d in decision["decisions"]).endswith(name)
            assert [r["symbol"] for r in outcome["refused"]] == [f"acme>{name}Unknown"]
        assert current() is None
        assert hook._armed == []


def test_loads_in_threads_have_policy_audit_and_scope_of_their_own(tmp_path):
    loads = Loads(tmp_path, 4)
    threads = [threading.Thread(target=loads.run, args=(name,)) for name in loads.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    loads.check()


def test_loads_in_tasks_have_policy_audit_and_scope_of_their_own(tmp_path):
    loads = Loads(tmp_path, 4)

    async def task(name):
        await asyncio.sleep(0)
        assert current() is None
        await asyncio.to_thread(loads.run, name)
        assert current() is None

    async def all_of_them():
        await asyncio.gather(*map(task, loads.names))

    asyncio.run(all_of_them())
    loads.check()


def test_a_task_that_waits_keeps_its_own_load_when_another_one_runs(tmp_path):
    """Loads do not wait, but what holds the context of one may."""
    seen = []

    async def waits(inside, go_on):
        def enter(_config):
            inside.set()

        deserialize_keras_object(part(), {"acme>Part": make(action=enter)})
        await go_on.wait()
        seen.append(current())

    async def both():
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def other():
            await inside.wait()
            deserialize_keras_object(
                part(), {"acme>Part": make(action=lambda _config: seen.append(current()))}
            )
            go_on.set()

        await asyncio.gather(waits(inside, go_on), other())

    asyncio.run(both())
    assert seen[0] is not None
    assert seen[1] is None


# Processes.


@pytest.mark.parametrize(
    "method",
    [m for m in ("spawn", "forkserver", "fork") if m in multiprocessing.get_all_start_methods()],
)
def test_worker_processes_share_a_log_and_nothing_else(tmp_path, method):
    log = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context(method)
    names = ["One", "Two", "Onedenied", "Threedenied"]
    with context.Pool(2) as pool:
        found = dict(pool.starmap(workers.load_many, [(log, name) for name in names]))
    assert found == {name: ["denied" if name.endswith("denied") else name] for name in names}
    written = records(log)
    assert len(written) == 2 * workers.LOADS * len(names)
    by_load = {}
    for record in written:
        by_load.setdefault(record["load"], []).append(record["event"])
    assert set(map(tuple, by_load.values())) == {("decision", "outcome")}


def fork(action):
    """The number that an action gives in a forked child, after its end."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(action())
        except BaseException:  # noqa: BLE001 - nothing of pytest may run here
            os._exit(99)
    return child


def ended(child):
    """How a child ended; one that does not is ended, and the test fails."""
    timer = threading.Timer(WAIT, os.kill, (child, 9))
    timer.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        timer.cancel()


@forks
def test_a_child_that_is_forked_while_a_record_is_written_locks_nobody_out(tmp_path, monkeypatch):
    log = AuditLog(tmp_path / "audit.jsonl")
    writing, forked = threading.Event(), threading.Event()
    sync = os.fsync

    def slow(descriptor):
        writing.set()
        assert forked.wait(WAIT)
        sync(descriptor)

    monkeypatch.setattr(log_module.os, "fsync", slow)
    writer = threading.Thread(target=log.write, args=({"event": "first"},))
    writer.start()
    assert writing.wait(WAIT)
    read, write = os.pipe()
    child = fork(lambda: len(os.read(read, 1)))  # lives on, with a copy of the open log
    forked.set()
    writer.join(WAIT)
    second = threading.Thread(target=log.write, args=({"event": "second"},), daemon=True)
    second.start()
    second.join(WAIT)
    locked_out = second.is_alive()
    os.write(write, b"x")
    assert ended(child) == 1
    assert not locked_out
    assert [r["event"] for r in records(log.path)] == ["first", "second"]


@forks
def test_a_fork_waits_until_what_is_done_once_is_done(tmp_path):
    """Or the child would have a lock that nobody lets go."""
    held, release = threading.Event(), threading.Event()

    def set_up():
        with SETUP:
            held.set()
            release.wait(WAIT)

    def in_child():
        with SETUP:
            return 7

    thread = threading.Thread(target=set_up)
    thread.start()
    assert held.wait(WAIT)
    timer = threading.Timer(0.05, release.set)
    timer.start()
    assert ended(fork(in_child)) == 7
    thread.join(WAIT)
    with SETUP:  # and the parent can have it again
        pass


@forks
def test_a_fork_waits_until_a_name_is_registered():
    held, release = threading.Event(), threading.Event()

    class Slow:
        def __hash__(self):
            held.set()
            release.wait(WAIT)
            return 1

        __name__ = "Slow"

    def in_child():
        register_keras_serializable("forked")(make("InChild"))
        return 7 if get_registered_object("forked>InChild") is not None else 8

    slow = Slow()
    thread = threading.Thread(target=register_keras_serializable("forked"), args=(slow,))
    thread.start()
    assert held.wait(WAIT)
    timer = threading.Timer(0.05, release.set)
    timer.start()
    assert ended(fork(in_child)) == 7
    thread.join(WAIT)
    assert get_custom_objects().pop("forked>Slow") is slow


@forks
def test_a_child_that_is_forked_beside_a_load_is_not_in_it(tmp_path):
    inside, done = threading.Event(), threading.Event()

    def wait(_config):
        inside.set()
        assert done.wait(WAIT)

    objects = {"acme>Part": make(action=wait)}
    thread = threading.Thread(target=deserialize_keras_object, args=(part(), objects))
    thread.start()
    assert inside.wait(WAIT)

    def in_child():
        assert current() is None
        (tmp_path / "beside").write_text("x", encoding="utf-8")  # no tripwire is here
        log = tmp_path / "audit.jsonl"
        name, found = workers.load_many(log, "Own")
        return 3 if found == [name] and len(records(log)) == 2 * workers.LOADS else 4

    code = ended(fork(in_child))
    done.set()
    thread.join(WAIT)
    assert code == 3


ENFORCED = """
import os, sys
import keras, secure_serial
from secure_serial import LoadDenied, enforcing, parse_policy
deny = parse_policy('schema = 1\\nextends = "keras-core"\\n[[deny]]\\nid = "no"\\nsymbols = ["keras.activations.relu"]')
def child(name):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)
    try:
        keras.activations.get("relu")
        print(name, "allowed", flush=True)
    except LoadDenied:
        print(name, "denied", flush=True)
    os._exit(0)
with enforcing(deny):
    child("within the block")
child("after the block")
secure_serial.seal(deny)
child("under the seal")
"""


@forks
@pytest.mark.keras
def test_a_forked_child_has_the_policy_that_was_in_force_where_it_was_forked():
    pytest.importorskip("keras")
    done = subprocess.run(
        [sys.executable, "-c", ENFORCED], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "within the block denied", "after the block allowed", "under the seal denied",
    ], done.stderr  # fmt: skip
