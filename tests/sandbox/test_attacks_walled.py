"""The hostile functions of `attacks.txt` and hostile streams, with the wall up and without it.

Each goes the way that a program takes: `load_lambda`, and then a call. Most end before anything is
built. What is built is called in a worker, and the worker must still be there for the next one.
"""

import base64
import json
import marshal
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from secure_serial import load_lambda, parse_policy
from secure_serial.errors import SecureSerialError

from .test_attacks import cases

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no worker elsewhere")

#: As the default, but that the worker dies of more than two seconds or half a gigabyte.
POLICY = parse_policy(
    'schema = 1\nextends = "sandbox"\nsandbox.memory_bytes = 536870912\nsandbox.cpu_seconds = 2',
    "p.toml",
)
STREAMS = [
    base64.b64decode(row["stream"])
    for row in json.loads(
        (Path(__file__).parents[1] / "lambdas" / "streams.json").read_text("utf-8")
    )
]


@pytest.fixture(autouse=True)
def _trap(tmp_path, monkeypatch, caplog):
    """A canary, and doors of this process that must stay shut; the worker's start is by Popen."""
    touched = []
    caplog.set_level("CRITICAL", "secure_serial.audit")
    monkeypatch.chdir(tmp_path)
    for owner, name in [(os, "system"), (os, "popen"), (subprocess, "run")]:
        monkeypatch.setattr(owner, name, lambda *a, **k: touched.append(a))
    loads = marshal.loads

    def watched(data, **options):
        if not str(sys._getframe(1).f_globals.get("__name__")).startswith("importlib"):
            touched.append("marshal.loads")
        return loads(data, **options)

    monkeypatch.setattr(marshal, "loads", watched)
    yield
    assert touched == []
    assert list(tmp_path.iterdir()) == []


def x():
    return np.arange(6, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize("text", list(cases()))
def test_attack_ends_in_one_of_our_errors_behind_the_wall(text):
    with pytest.raises(SecureSerialError):
        load_lambda(text, policy=POLICY, sandbox="process")(x())


def test_the_worker_is_well_after_attacks_that_reach_it():
    for text in ("lambda x: x / 'a'", "lambda x: [0] * 10 ** 9", "lambda x: x.tofile('CANARY')"):
        with pytest.raises(SecureSerialError):
            load_lambda(text, policy=POLICY, sandbox="process")(x())
    assert load_lambda("lambda x: x + 1", policy=POLICY, sandbox="process")(x())[0, 0] == 1


def code(**changes):
    """A live code object's stream, changed as told. It is never run."""
    return marshal.dumps((lambda x: x + 1).__code__.replace(**changes))


def hostile_marshal():
    """By the technique: depth, sizes, references, types that no code holds, text of no code."""
    yield "depth", b"(" * 100_000
    yield "depth of short tuples", b")\x01" * 5_000
    yield "depth of references", b"\xe3" + b"\0" * 20 + b"\xa9\x01" * 5_000 + b"N"
    yield "depth of code", b"c" * 200_000
    yield "depth of frozen sets", b">\1\0\0\0" * 4_000
    yield "depth of dicts", b"{" * 100_000
    for kind in b"(<>[suatAz":
        for size in (-1, 2**31 - 1, -(2**31), 2**30):
            yield f"size {size} of {chr(kind)}", bytes([kind]) + struct.pack("<i", size)
    for size in (2**31 - 1, -(2**31), 0, 70_000):
        yield f"size {size} of a number", b"l" + struct.pack("<i", size)
    yield "a reference to itself", b"\xa9\x01r\0\0\0\0"
    yield "a reference to nothing", b"r\0\0\0\0"
    yield "a text's reference to nothing", b"R\0\0\0\0"
    yield "a negative reference", b"r\xff\xff\xff\xff"
    for kind in b"0NTFS.igIfyxl":
        yield f"no code but {chr(kind)}", bytes([kind]) + b"\0" * 16
    yield "an unknown type", b"\x7f"
    yield "a flag alone", b"\x80"
    yield "nothing", b""
    yield "what follows the code", code() + b"N"
    yield "two codes", code() * 2
    yield "large", b"\0" * (1 << 21)
    yield "a name of a constant's type", code(co_consts=(None, b"a" * 100))
    yield "a number of many bits", code(co_consts=(None, 1 << 100_000))
    yield "a long text", code(co_consts=(None, "a" * (1 << 20)))
    yield "a wide tuple", code(co_consts=(None, (0,) * 200_000))
    yield "a deep tuple", code(co_consts=(None, deep(400)))
    yield "many constants", code(co_consts=(None, *range(100_000)))
    for name in ("x)", "x y", "import", "x\n", "\u017f", "a" * 2_000, "", "__class__", "\ud800"):
        yield (
            f"the name {name[:9]!a}",
            (marshal.dumps((lambda x: x.abc).__code__.replace(co_names=(name,)))),
        )
        yield f"the variable {name[:9]!a}", code(co_varnames=(name,))
    for data in STREAMS[::40]:
        yield f"cut off {len(data)}", data[: len(data) * 2 // 3]


def deep(levels):
    made = ()
    for _ in range(levels):
        made = (made,)
    return made


def crafted_bytecode():
    """Code that no compiler writes, and code that does what no function here may do."""
    import opcode

    ops = opcode.opmap

    def op(name, arg=0):
        return bytes([ops[name], arg])

    if "RESUME" in ops:
        start, end = op("RESUME"), op("RETURN_VALUE")
        body = {
            "an empty stack": op("POP_TOP") + op("LOAD_FAST") + end,
            "no end": op("LOAD_FAST"),
            "a jump inside": op("JUMP_FORWARD", 200) + end,
            "a constant that is not there": op("LOAD_CONST", 99) + end,
            "a name that is not there": op("LOAD_NAME", 77) + end,
            "a variable that is not there": op("LOAD_FAST", 200) + end,
            "a wide argument": op("EXTENDED_ARG", 255) * 4 + op("LOAD_FAST", 255) + end,
            "an unknown instruction": bytes([255, 0]) + op("LOAD_FAST") + end,
            "a cache alone": bytes([0, 0]) + op("LOAD_FAST") + end,
            "many copies": op("LOAD_FAST") + (op("COPY", 1) + op("BUILD_TUPLE", 2)) * 60 + end,
        }
        if "JUMP_BACKWARD" in ops:
            body["a loop without end"] = op("JUMP_BACKWARD", 2) + op("LOAD_FAST") + end
        for what, raw in body.items():
            yield what, code(co_code=start + raw)
    for flag in (0x20, 0x80, 0x100, 0x200):  # generators, coroutines
        live = (lambda x: x + 1).__code__
        yield f"flags {flag:#x}", marshal.dumps(live.replace(co_flags=live.co_flags | flag))
    for text in (
        "lambda x: x.__class__.__base__.__subclasses__()",
        "lambda x: __import__('os').system('touch CANARY')",
        "lambda x: eval('1')",
        "lambda x: exec('1')",
        "lambda x: compile('1', '', 'eval')",
        "lambda x: open('CANARY', 'w')",
        "lambda x: globals()",
        "lambda x: getattr(x, 'shape')",
        "lambda x: (yield x)",
        "lambda x: (yield from x)",
        "lambda x: (i.gi_frame for i in [x])",
        "lambda x: x.tofile('CANARY')",
        "lambda x: '{0.shape}'.format(x)",
        "lambda x: keras.utils.get_file('a', 'http://localhost/a')",
        "lambda x: np.load('CANARY')",
        "lambda x: np.save('CANARY', x)",
        "lambda x: tf.py_function(x, [x], x)",
        "lambda x: tf.io.write_file('CANARY', 'a')",
        "lambda x: (lambda f: f(f))(lambda f: f(f))",
        "lambda x: [0 for i in range(10 ** 9)]",
        "lambda x, __builtins__=None: x.y",
    ):
        yield f"of {text[10:50]}", marshal.dumps(eval(text).__code__)
    rng = random.Random(8)
    live = (lambda x, y=1: [x * i for i in range(y) if i]).__code__
    for number in range(20):
        raw = bytearray(live.co_code)
        rng.shuffle(raw)
        yield f"shuffled {number}", marshal.dumps(live).replace(live.co_code, bytes(raw), 1)


HOSTILE = [
    *(pytest.param(data, id=f"hostile marshal: {what}") for what, data in hostile_marshal()),
    *(pytest.param(data, id=f"crafted bytecode: {what}") for what, data in crafted_bytecode()),
]


@pytest.mark.parametrize("sandbox", ["in-process", "process"])
@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_stream_ends_in_one_of_our_errors(data, sandbox):
    for text in (base64.encodebytes(data).decode("ascii"), data.decode("latin-1")):
        with pytest.raises(SecureSerialError):
            load_lambda([text, None, None], policy=POLICY, sandbox=sandbox)(x())


CARRIED = {
    "a class": {"class_name": "Dense", "config": {"units": 1}},
    "a code": {"class_name": "__lambda__", "config": {"value": ["4wE=", None, None]}},
    "a function": {"class_name": "function", "config": "print"},
    "bytes": {"class_name": "__bytes__", "config": {"value": "a"}},
    "depth": json.loads("[" * 60 + "]" * 60),
    "width": [0] * 200_000,
    "a text": "a" * 2_000_000,
    "a dunder": {"__class__": 1, "__reduce__": [1]},
}


@pytest.mark.parametrize("sandbox", ["in-process", "process"])
@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("what", CARRIED)
def test_what_defaults_and_closures_carry_ends_in_one_of_our_errors(what, place, sandbox):
    """A value that lives nowhere but in plain data: calling it, walking it, or showing it fails."""
    k = 1

    def used(x, k=k):
        return k(x).__dict__

    function = used if place == 1 else (lambda x: k(x).shape)
    parts = [base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"), None, None]
    parts[place] = [CARRIED[what]]
    with pytest.raises(SecureSerialError):
        load_lambda(parts, policy=POLICY, sandbox=sandbox)(x())


def test_there_are_many_with_the_wall_up():
    assert len(list(cases())) + len(HOSTILE) + 2 * len(CARRIED) >= 650
