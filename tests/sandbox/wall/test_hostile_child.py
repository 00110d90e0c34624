"""A child that was taken over cannot hurt its parent: it is killed, and the next one answers."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

import numpy as np
import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.division import Division
from secure_serial.sandbox.wall import frames, turns
from secure_serial.sandbox.wall import worker as worker_module
from secure_serial.sandbox.wall.worker import Spec

from .hostile import ITEMS

HALF = 16 << 20  # of the shared memory (conftest.ALLOWANCE): the child's begins here
IN = f"[3],{HALF}"
FRAMES = "import os\nfrom secure_serial.sandbox.wall import frames\n"


def array(dtype="<f4", shape="[3]", first=str(HALF)):
    return f'["a","{dtype}",{shape},{first}]'


#: Answers that no worker gives, as the text of a message.
ANSWERS = {
    "nothing": "",
    "no JSON": "{{{",
    "an object": '{"value": 1}',
    "an object inside": '["value", {}]',
    "a number": "1",
    "no parts": "[]",
    "no value": '["value"]',
    "two values": '["value", 1, 2]',
    "another word": '["made", 1]',
    "a list for a word": '[["value"], 1]',
    "NaN": '["value", NaN]',
    "infinity": '["value", -Infinity]',
    "text behind": '["value", 1] 2',
    "not ASCII": '["value", "\xe9"]',
    "half a character": '["value", "\\ud800"]',
    "deep": '["value", ' + "[" * 100_000 + "]" * 100_000 + "]",
    "deeper than any result": '["value", ' + '["l",' * 60 + "1" + "]" * 60 + "]",
    "a large number": '["value", ' + "9" * 5000 + "]",
    "an empty list": '["value", []]',
    "an unknown letter": '["value", ["q", 1]]',
    "no letter": '["value", [1, 2]]',
    "a list for a letter": '["value", [["l"], 2]]',
    "a special number that is none": '["value", ["f", "nan2"]]',
    "a special number that is a list": '["value", ["f", ["l"]]]',
    "a slice of four": '["value", ["c", 1, 2, 3, 4]]',
    "half a complex number": '["value", ["j", 1]]',
    "a complex text": '["value", ["j", "1", ["l"]]]',
    "more than an ellipsis": '["value", ["e", 1]]',
    "a key without a value": '["value", ["d", 1]]',
    "a list as a key": '["value", ["d", ["l"], 1]]',
    "a set of lists": '["value", ["s", ["l"]]]',
    "a set of long tuples": '["value", ["s", ["t", 1, 2, 3, 4, 5, 6, 7, 8, 9]]]',
    "keys that collide": '["value", ["s", ' + ",".join(str(i * (2**61 - 1)) for i in range(9000)) + "]]",
    "objects": f'["value", {array("|O")}]',
    "texts": f'["value", {array("<U8")}]',
    "records": f'["value", {array("<f4,<f4")}]',
    "no dtype": f'["value", ["a", 4, {IN}]]',
    "a shape that is a text": f'["value", {array(shape=chr(34) + "abc" + chr(34))}]',
    "a shape of truth": f'["value", {array(shape="[true]")}]',
    "a shape of fractions": f'["value", {array(shape="[1.0]")}]',
    "a negative shape": f'["value", {array(shape="[-1]")}]',
    "a large shape": f'["value", {array(shape="[4611686018427387904, 4]")}]',
    "a large shape of nothing": f'["value", {array(shape="[0, " + "9" * 400 + "]")}]',
    "too many dimensions": f'["value", {array(shape="[" + ",".join(["1"] * 99) + "]")}]',
    "before the memory": f'["value", {array(first="-1")}]',
    "the parent's half": f'["value", {array(first="0")}]',
    "behind the memory": f'["value", {array(first=str(2 * HALF))}]',
    "past the end": f'["value", {array(shape="[4194305]")}]',
    "no place": f'["value", {array(first="1.5")}]',
    "less than an array": '["value", ["a", "<f4"]]',
    "more than an array": f'["value", ["a", "<f4", {IN}, 1]]',
    "one place many times": '["value", ["l", ' + ",".join([array(shape="[4194304]")] * 500) + "]]",
    "a scalar of three": f'["value", ["n", "<f4", {IN}]]',
    "an error of another's": '["refused", "SS301", "a", "b"]',
    "half an error": '["refused", "SS501", "a"]',
    "an error that is no text": '["refused", "SS501", 1, "b"]',
    "an error that is a list": '["refused", ["SS501"], "a", "b"]',
}  # fmt: skip


def framed(text):
    return frames.framed(text.encode("latin-1")).decode("latin-1")


#: What is no message, or comes when none is due.
BYTES = {
    "less than a length": ("die", "\x01"),
    "less than a message": ("die", "\x09\x00\x00\x00abc"),
    "dead": ("die", ""),
    "a message that is too long": ("raw", "\xff\xff\xff\xff"),
    "one byte more than is allowed": ("raw", "\x01\x00\x40\x00"),
    "two messages": ("raw", framed('["value",1]') * 2),
    "no more pipe": ("hang up", ""),
}


@pytest.fixture(scope="module")
def hostile(make):
    with make(main="from hostile import main") as worker:
        yield worker


def ask(worker, what, raw=""):
    return worker.call({}, (what, raw))


def lives(worker):
    return ask(worker, "answer", '["value",["t",1,"a"]]') == (1, "a")


@pytest.mark.parametrize("text", ANSWERS.values(), ids=ANSWERS)
def test_answer_that_no_worker_gives(hostile, text):
    with pytest.raises(SandboxError) as refused:
        ask(hostile, "answer", text)
    assert refused.value.code == "SS505"
    assert lives(hostile)


@pytest.mark.parametrize(("what", "raw"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_message(hostile, what, raw):
    with pytest.raises(SandboxError) as refused:
        ask(hostile, what, raw)
    assert refused.value.code == "SS505"
    assert lives(hostile)


def test_how_it_died_is_said(hostile):
    with pytest.raises(SandboxError, match="exit code 3"):
        ask(hostile, "die")


@pytest.mark.parametrize("what", ["answer, then more", "flood"])
def test_what_nobody_asked_for_ends_it_before_the_next_call(hostile, what):
    lives(hostile)
    before = hostile._child.pid
    assert ask(hostile, what, "\x03\x00\x00\x00[1]") == 1
    while hostile._child.line.is_quiet():
        pass
    assert lives(hostile)
    assert hostile._child.pid != before


def test_error_text_is_one_printable_line(hostile):
    raw = '["refused", "SS502", "a\\nb\\u001b[31m' + "x" * 5000 + '", ""]'
    with pytest.raises(SandboxError) as refused:
        ask(hostile, "answer", raw)
    assert refused.value.message.startswith("a\\nb\\x1b[31mx")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 1100
    assert refused.value.code == "SS502"


def test_truth_values_are_true_or_false(hostile, make):
    """A byte of 2 would be both."""
    with make() as worker:
        worker.start()
        memory, segment = worker._child.segment.memory, worker._child.segment
        memory[segment.incoming : segment.incoming + 3] = b"\x00\x01\x02"
        from secure_serial.sandbox.wall.codec import Reader

        reader = Reader(segment, segment.incoming, segment.size, copy=True)
        found = reader.value(["a", "|b1", [3], segment.incoming])
        assert found.tobytes() == b"\x00\x01\x01"
        assert found.dtype == bool


@pytest.fixture
def quick(make):
    from .conftest import ALLOWANCE

    with make(
        main="from hostile import main", allowance=replace(ALLOWANCE, wall_seconds=1.5)
    ) as worker:
        yield worker


@pytest.mark.parametrize("what", ["be silent", "drip"])
def test_who_does_not_answer_is_killed(quick, what):
    quick.start()
    pid = quick._child.pid
    with pytest.raises(SandboxError, match=r"1\.5 s"):
        ask(quick, what, framed('["value", "' + "a" * 200 + '"]'))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert lives(quick)


def test_who_does_not_listen_is_killed(quick):
    assert ask(quick, "answer, then listen no more") == 1
    with pytest.raises(SandboxError, match=r"1\.5 s"):
        ask(quick, "answer", "a" * 1_000_000)  # more than a pipe holds


# In blocks: four are on their way, of 16 items each.

ITEMWISE = Division(from_source("lambda x: x + 1"))
ROWWISE = Division(from_source("lambda x: K.sum(x, axis=-1)"))

ROOM = [f'["a","<f4",[16],{HALF + 64 * place}]' for place in range(turns.PLACES)]


def places(*described):
    return f'["value",["l",{",".join(described)}]]'


#: Where results stand, as no worker says it.
PLACES = {
    **{name: ANSWERS[name] for name in ("nothing", "no value", "an error of another's")},
    "a number": '["value",5]',
    "a text": '["value","abcd"]',
    "an array": f'["value",{ROOM[0]}]',
    "a place too few": places(*ROOM[1:]),
    "a place too many": places(*ROOM, ROOM[0]),
    "a tuple": places(*ROOM).replace('"l"', '"t"'),
    "numbers": places("1", "2", "3", "4"),
    "other shapes": places(*ROOM[1:], array(shape="[15]")),
    "a row for each item": places(*(each.replace("[16]", "[16,1]") for each in ROOM)),
    "more dimensions": places(*(each.replace("[16]", "[4,4]") for each in ROOM)),
    "other types": places(*ROOM[1:], array("<i4", "[16]")),
    "the parent's half": places(*(each.replace(str(HALF), "0") for each in ROOM)),
    "past the end": places(*ROOM[1:], array(shape="[16]", first=str(2 * HALF - 32))),
    "objects": places(*(each.replace("<f4", "|O") for each in ROOM)),
}


def ask_by_blocks(worker, answer, then="", memory="", items=100):
    spec = Spec({"answer": answer, "then": then, "memory": memory}, ITEMWISE)
    return worker.call(spec, (np.ones(items, "f4"),))


def ask_by_rows(worker, answer, count=100):
    spec = Spec({"answer": answer, "then": "\x01" * 6, "memory": ""}, ROWWISE)
    return worker.call(spec, (np.ones((count, 1), "f4"),))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(turns, "ITEMS", ITEMS)


ROWS_OF_RESULTS = {
    **{name: PLACES[name] for name in ("a number", "a tuple", "other shapes", "the parent's half")},
    "no dimensions": places(*(each.replace("[16]", "[]") for each in ROOM)),
    "rows of another length": places(*ROOM[1:], array(shape="[16,1]")),
    "fewer rows": places(*(each.replace("[16]", "[4,4]") for each in ROOM)),
    "nothing in the rows": places(*(each.replace("[16]", "[16,0]") for each in ROOM)),
    "nothing, and that very often": places(
        *(each.replace("[16]", f"[16,0,{2**56}]") for each in ROOM)
    ),
}


ANSWERS = {
    **{f"items, {name}": (ask_by_blocks, text) for name, text in PLACES.items()},
    **{f"rows, {name}": (ask_by_rows, text) for name, text in ROWS_OF_RESULTS.items()},
}


@pytest.mark.parametrize(("ask", "text"), ANSWERS.values(), ids=ANSWERS)
def test_places_that_no_worker_names(hostile, small, ask, text):
    with pytest.raises(SandboxError) as refused:
        ask(hostile, text)
    assert refused.value.code == "SS505"
    assert lives(hostile)


def test_rows_of_a_result_may_have_any_length(hostile, small):
    wide = places(*(array(shape="[16,3,2]", first=str(HALF + 1024 * i)) for i in range(4)))
    assert ask_by_rows(hostile, wide).shape == (100, 3, 2)
    many = HALF // 16 // 4 // 8
    long = places(*(array(shape=f"[16,{many}]", first=str(HALF + HALF // 8 * i)) for i in range(4)))
    with pytest.raises(SandboxError, match="room for") as refused:
        ask_by_rows(hostile, long, count=200)
    assert refused.value.code == "SS505"


def test_a_result_larger_than_there_is_room_for_is_not_made(hostile, small):
    rooms = (each.replace("<f4", "<c16") for each in ROOM)
    with pytest.raises(SandboxError, match="no worker") as refused:
        ask_by_blocks(hostile, places(*rooms), items=HALF // 16 + 1)
    assert refused.value.code == "SS505"


@pytest.mark.parametrize(
    "then", ["\x02", "\x01\x02", "\x02\x00", "\x00\x00", "\x00\x01", "\x01\x01x", "x", "\xff"]
)
def test_words_that_no_worker_says(hostile, small, then):
    with pytest.raises(SandboxError) as refused:
        ask_by_blocks(hostile, places(*ROOM), then)
    assert refused.value.code == "SS505"
    assert lives(hostile)


def test_more_blocks_than_were_asked_for_end_it(hostile, small):
    lives(hostile)
    before = hostile._child.pid
    made = ask_by_blocks(hostile, places(*ROOM), "\x01" * 50)
    assert made.shape == (100,)  # of what it pleases: so may any function's result be
    while hostile._child.line.is_quiet():
        pass
    assert lives(hostile)
    assert hostile._child.pid != before


def test_truth_values_of_blocks_are_true_or_false(hostile, small):
    rooms = (each.replace("<f4", "|b1") for each in ROOM)
    made = ask_by_blocks(hostile, places(*rooms), "\x01" * 6, "\x00\x01\x02\xff")
    assert made.dtype == bool
    assert made.tobytes()[:4] == b"\x00\x01\x01\x01"


def test_what_was_handed_out_stays_as_it_is(hostile, small):
    made = ask_by_blocks(hostile, places(*ROOM), "\x01" * 6, "\x00" * 400)
    shared = hostile._child.segment
    shared.memory[shared.incoming : shared.incoming + 400] = b"\xff" * 400
    assert not made[:64].any()
    assert not np.shares_memory(made, np.frombuffer(shared.memory, "u1"))


@pytest.mark.parametrize("then", ["s", "\x01s", "\x00s"])
def test_who_does_not_go_on_is_killed(quick, small, then):
    quick.start()
    pid = quick._child.pid
    with pytest.raises(SandboxError, match=r"1\.5 s"):
        ask_by_blocks(quick, places(*ROOM), then)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert lives(quick)


@pytest.mark.parametrize(
    "silent",
    [
        lambda worker: ask(worker, "be silent"),
        lambda worker: ask_by_blocks(worker, places(*ROOM), "\x01s"),
    ],
)
def test_interrupted_call_leaves_no_answer_for_the_next(hostile, small, silent):
    class Interrupt(BaseException):
        pass

    def interrupt(*_):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Interrupt):
            silent(hostile)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert lives(hostile)


@pytest.mark.parametrize(
    ("main", "why"),
    [
        ("def main(given): raise ValueError", "exit code 1"),
        ("def main(given):\n import os; os.write(given['outlet'], b'hello, worlds')", "worker"),
        ("def main(given):\n import os; os.write(given['outlet'], b'\\x03\\0\\0\\0[1]')", "worker"),
        (
            FRAMES
            + "def main(given): os.write(given['outlet'], frames.framed(b'[\"ready\", \"moat\"]'))",
            "moat",
        ),
        (
            FRAMES
            + "def main(given): os.write(given['outlet'], frames.framed(b'[\"broken\", \"no NumPy\"]'))",
            "no NumPy",
        ),
    ],
)
def test_child_that_does_not_start(make, main, why):
    worker = make(main=main)
    with pytest.raises(SandboxError, match=why) as refused:
        worker.start()
    assert refused.value.code == "SS505"
    assert worker._child is None


def test_system_without_workers_says_so(make, monkeypatch):
    monkeypatch.setattr(worker_module, "_POSIX", False)
    with pytest.raises(SandboxError, match="no worker") as refused:
        make().start()
    assert refused.value.code == "SS505"
    with pytest.raises(SandboxError, match="landlock") as refused:
        make(demand=["landlock"]).start()
    assert refused.value.code == "SS506"


def test_no_interpreter(make, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxError, match="cannot be started"):
        make().start()
