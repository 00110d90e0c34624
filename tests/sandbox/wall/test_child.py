"""The child's own code, run in this process: what it answers, and in which order it closes."""

from __future__ import annotations

import json
import os
import sys
import warnings

import pytest

from secure_serial.errors import SandboxError
from secure_serial.sandbox.allowance import Wall
from secure_serial.sandbox.wall import (
    child,
    closing,
    evaluator,
    frames,
    kernel,
    landlock,
    seccomp,
    segment,
)

SIZE = 1 << 16
PLAIN = ["t"], ["d"]


@pytest.fixture
def memory():
    fd = segment.create(SIZE, SIZE)
    shared = segment.Segment(fd, SIZE, SIZE)
    yield fd, shared
    shared.close()
    os.close(fd)


def fail(error):
    def function(*_):
        raise error

    return function


FUNCTIONS = {
    "one": lambda: 1,
    "twice": lambda x, y=0: [x, x, y],
    "refused": fail(SandboxError("no", code="SS504", help="do")),
    "memory": fail(MemoryError()),
    "stack": fail(RecursionError("deep")),
    "own": fail(KeyError("a")),
    "odd": object,
    "long": lambda: "a" * (frames.MOST + 1),
    "many": lambda: ["a" * 100_000] * 50,
    "loud": fail(ValueError("x" * 5000)),
}


def make(spec):
    return FUNCTIONS[spec["f"]]


def ask(memory, name, args=PLAIN[0], kwargs=PLAIN[1]):
    request = json.dumps(["key", ["d", "f", name], args, kwargs]).encode()
    return json.loads(child.answer(request, memory[1], {}, make))


def test_answers(memory):
    assert ask(memory, "one") == ["value", 1]
    assert ask(memory, "twice", ["t", 5], ["d", "y", 6]) == ["value", ["l", 5, 5, 6]]
    assert ask(memory, "refused") == ["refused", "SS504", "no", "do"]
    for name in ("memory", "stack"):
        assert ask(memory, name)[:2] == ["refused", "SS502"]
    for name, wanted, part in (
        ("own", "SS501", "KeyError: 'a'"), ("nothing", "SS501", "KeyError: 'nothing'"),
        ("twice", "SS501", "TypeError"), ("odd", "SS504", "type object"),
        ("long", "SS502", "bytes of text"), ("many", "SS502", "bytes of text"),
    ):  # fmt: skip
        kind, code, text, _ = ask(memory, name)
        assert (kind, code) == ("refused", wanted)
        assert part in text
    assert len(ask(memory, "loud")[2]) == 500


def test_function_is_kept_by_its_key(memory):
    made = {}
    first = json.dumps(["a", ["d", "f", "one"], *PLAIN]).encode()
    again = json.dumps(["a", None, *PLAIN]).encode()
    assert child.answer(first, memory[1], made, make) == b'["value",1]'
    assert child.answer(again, memory[1], made, fail(AssertionError())) == b'["value",1]'
    unknown = json.dumps(["b", None, *PLAIN]).encode()
    assert b"KeyError" in child.answer(unknown, memory[1], made, make)


@pytest.fixture
def pipes():
    request, answer = os.pipe(), os.pipe()
    yield request, answer
    for fd in {*request, *answer}:
        os.close(fd)


def test_run_closes_the_walls_says_so_and_serves_until_it_is_left(memory, pipes, monkeypatch):
    (inlet, ours_out), (ours_in, outlet) = pipes
    order = []
    monkeypatch.setattr(closing, "close_all", lambda *given: order.append(given) or {"b", "a"})
    monkeypatch.setattr(child, "forget_paths", lambda: order.append("paths"))
    monkeypatch.setattr(child.gc, "freeze", lambda: order.append("freeze"))
    monkeypatch.setattr(os, "_exit", order.append)
    # One request, and then the parent hangs up.
    steps = [fail(frames.Ended()), frames.Inner.receive]

    def receive(line):
        return steps.pop()(line)

    monkeypatch.setattr(frames.Inner, "receive", receive)
    os.write(ours_out, frames.framed(json.dumps(["k", ["d", "f", "one"], *PLAIN]).encode()))
    given = {"segment": os.dup(memory[0]), "incoming": SIZE, "outgoing": SIZE, "memory_bytes": 7}
    child.run({**given, "parent": 8, "inlet": inlet, "outlet": outlet}, make)
    assert order == ["freeze", (7, 8), "paths", 0]
    got = os.read(ours_in, 1000)
    assert got == frames.framed(b'["ready","a","b"]') + frames.framed(b'["value",1]')


def test_main_says_why_it_cannot_begin(pipes, monkeypatch):
    _, (ours_in, outlet) = pipes
    monkeypatch.setattr(evaluator, "prepare", fail(ImportError("no NumPy")))
    child.main({"outlet": outlet})
    assert os.read(ours_in, 1000) == frames.framed(b'["broken", "ImportError: no NumPy"]')
    ran = []
    monkeypatch.setattr(evaluator, "prepare", lambda: None)
    monkeypatch.setattr(child, "run", lambda *given: ran.append(given))
    child.main({"outlet": outlet})
    assert ran == [({"outlet": outlet}, evaluator.make)]


def test_paths_are_forgotten(monkeypatch):
    monkeypatch.setattr(sys, "path", ["a"])
    monkeypatch.setattr(sys, "path_importer_cache", {"a": None})
    child.forget_paths()
    assert not sys.path
    assert not sys.path_importer_cache


def test_all_that_is_needed_is_taken_in():
    with warnings.catch_warnings():
        evaluator.prepare()
    assert {"numpy.ma", "numpy.linalg", "RestrictedPython"} <= sys.modules.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("works", [True, False])
def test_walls_are_closed_in_order(monkeypatch, known, works):
    order = []

    def step(name, result=None):
        return lambda *given: order.append(name) or result

    monkeypatch.setattr(closing, "address_space", step("idle", 5))
    monkeypatch.setattr(closing, "give_up_root", step("root"))
    monkeypatch.setattr(closing, "end_with", step("end"))
    monkeypatch.setattr(closing, "_threads", lambda: 1)
    monkeypatch.setattr(closing, "limit", step("limits", works))
    monkeypatch.setattr(kernel, "prctl", step("prctl"))
    monkeypatch.setattr(kernel, "machine", lambda: kernel.tables()["x86_64"] if known else None)
    monkeypatch.setattr(landlock, "close", step("landlock", works))
    monkeypatch.setattr(seccomp, "close", step("seccomp", works))
    walls = closing.close_all(1, 2)
    before = ["idle", "root", "prctl", "prctl", "end"]
    assert order == before + (["landlock", "limits", "seccomp"] if known else ["limits"])
    wanted = set(Wall) if known else {Wall.RLIMITS}
    assert walls == (wanted if works else set())


def test_what_the_system_does_not_say(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(closing.Path, "read_text", missing)
    monkeypatch.setattr(os, "listdir", missing)
    assert closing.address_space() == 0
    assert closing._threads() == 0
