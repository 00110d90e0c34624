"""Changed streams and texts through reader, lifter and proof: `python -m tools.lambdas.fuzz 600 1`.

Arguments: seconds, a seed, then files of rows that `dump` made; without any, the committed
streams. Every case must end in a lifted function or in one of our errors, within bounds of time
and memory. What lifts must lift again, from its own code, to the same tree; and where the stream
is of the running Python, both must give the same when called, in a child process.
"""

# ruff: noqa: D102, D103, S311 - a script; its choices are no secrets

from __future__ import annotations

import base64
import collections
import json
import marshal
import os
import random
import resource
import signal
import sys
import time
import types
import warnings
from pathlib import Path

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas import Lifted, lift
from secure_serial.lambdas.own import live, version
from secure_serial.lambdas.tree import digest, exact
from secure_serial.lambdas.understood import from_source
from tools.lambdas.dump import answers, dumped, f3
from tools.lambdas.expressions import sources
from tools.lambdas.measure import divide

#: Seconds of one case, many times what the slowest honest stream takes on a busy core.
_MOST_SECONDS = 5.0
#: Seconds between two words on how it goes, for runs that are cut short.
_EVERY = 120.0
#: Bytes above what the process has when it starts.
_MOST_BYTES = 512 << 20
_ROWS = Path(__file__).parents[2] / "tests" / "lambdas" / "streams.json"
#: What a changed text gets.
_PIECES = ["(", ")", "[", "{", "'", "\n", "\0", "x", "9", ":", "lambda ", "**", "\u00e9", "\\"]
#: What the called functions find; nothing of it reaches a file or a process.
_BUILTINS = {
    name: __builtins__[name] if isinstance(__builtins__, dict) else getattr(__builtins__, name)
    for name in ("abs", "all", "any", "int", "len", "list", "max", "min", "range", "set", "sum",
                 "tuple")
}  # fmt: skip


def streams(files: list[str]) -> list[bytes]:
    """What is changed: the streams of the files."""
    found = [base64.b64decode(row["stream"]) for row in json.loads(_ROWS.read_text("utf-8"))]
    for name in files:
        rows = json.loads(Path(name).read_text("utf-8"))
        found += [base64.b64decode(row[0]) for row in rows if row is not None]
    return found


def changed(rng: random.Random, known: list[bytes]) -> bytes:
    """One stream, changed in one of several ways; sometimes not at all."""
    data = bytearray(rng.choice(known))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3, 8])):
        place = rng.randrange(len(data))
        kind = rng.randrange(7)
        if kind == 0:
            data[place] = rng.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 2:  # noqa: PLR2004 - which of the ways
            # A small step makes another operator, variable, constant or target of it.
            data[place] = (data[place] + rng.choice([-2, -1, 1, 2])) % 256
        elif kind == 3:  # noqa: PLR2004
            other = rng.choice(known)
            start = rng.randrange(len(other))
            part = other[start : start + rng.choice([1, 2, 4, 16])]
            data[place : place + len(part)] = part
        elif kind == 4 and len(data) > 8:  # noqa: PLR2004
            del data[place : place + rng.choice([1, 2, 4])]
        elif kind == 5:  # noqa: PLR2004
            one, two = place, rng.randrange(len(data))
            data[one : one + 2], data[two : two + 2] = data[two : two + 2], data[one : one + 2]
        else:
            data[place:place] = rng.randbytes(rng.choice([1, 2, 4]))
        if not data:
            return b""
    return bytes(data)


def twisted(rng: random.Random, known: list[types.CodeType]) -> bytes:
    """A function of this Python whose instructions or counts are changed, in a whole stream."""
    code = rng.choice(known)
    raw = bytearray(code.co_code)
    for _ in range(rng.choice([1, 1, 2])):
        place = rng.randrange(len(raw))
        if rng.random() < 0.5:  # noqa: PLR2004
            raw[place] = (raw[place] + rng.choice([-2, -1, 1, 2])) % 256
        else:
            other = rng.randrange(0, len(raw) - 1, 2)
            raw[place & ~1 : (place & ~1) + 2] = raw[other : other + 2]
    # In the stream, and not by `replace`: CPython writes beyond the end of some such code objects.
    return marshal.dumps(code).replace(code.co_code, bytes(raw), 1)


def results(stream: bytes) -> list[str] | None:
    """What a function answers in a child process, or None if that does not end well.

    Even reading the stream with `marshal` happens there: it may be what no compiler writes.
    """
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(into)
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(2)
        space = {"__builtins__": dict(_BUILTINS), "f3": f3, "python2_divide": divide}
        try:
            code = marshal.loads(stream)  # noqa: S302 - it was lifted, so it does what its tree does
            function = types.FunctionType(code, space)
            os.write(out, json.dumps(answers(function)).encode()[:60_000])
        finally:
            os._exit(0)
    os.close(out)
    with os.fdopen(into, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    try:
        found = json.loads(text)
    except ValueError:
        return None
    # An object's address is no answer, and running out is one of the machine.
    if any(" at 0x" in each or each in {"MemoryError", "RecursionError"} for each in found):
        return None
    return list(found)


class Fuzz:
    """Counts what came of each case."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.faults: list[tuple[str, str]] = []
        self.slowest = 0.0

    def fault(self, what: str, data: bytes | str) -> None:
        self.counts[what] += 1
        text = data if isinstance(data, str) else base64.b64encode(data).decode("ascii")
        self.faults.append((what, text))

    def stream(self, data: bytes) -> Lifted | None:
        began = time.process_time()
        lifted = None
        try:
            lifted = lift(data)
            self.counts["lifted"] += 1
        except SecureSerialError as error:
            self.counts[type(error).__name__] += 1
        except BaseException as error:  # noqa: BLE001 - any other error is what is looked for
            self.fault(f"another error: {error!r}"[:200], data)
        spent = time.process_time() - began
        self.slowest = max(self.slowest, spent)
        if spent > _MOST_SECONDS:
            self.fault("too slow", data)
        return lifted

    def again(self, data: bytes, lifted: Lifted) -> None:
        """The tree's own code lifts to the tree, and so does the tree's text."""
        try:
            again = lift(marshal.dumps(live(lifted.tree, lifted.free)))
            if digest(again.tree) != lifted.digest:
                self.counts["lifts again to another tree"] += 1
        except SecureSerialError:
            self.counts["does not lift again"] += 1
        try:
            text = exact(lifted.tree)
            if from_source(text).digest != lifted.digest:
                self.fault("the text is another tree", data)
            self.text(text)
        except SecureSerialError:
            self.counts["text refused"] += 1

    def text(self, text: str) -> None:
        rng = random.Random(text)
        broken = list(text)
        for _ in range(rng.choice([1, 2, 5])):
            broken[rng.randrange(len(broken))] = rng.choice(_PIECES)
        try:
            from_source("".join(broken))
            self.counts["changed text taken"] += 1
        except SecureSerialError:
            self.counts["changed text refused"] += 1
        except BaseException as error:  # noqa: BLE001 - as above
            self.fault(f"another error of a text: {error!r}"[:200], "".join(broken))

    def run(self, data: bytes, lifted: Lifted) -> None:
        """Where the stream is of this Python alone: both give the same."""
        if lifted.versions != (version(),) or lifted.free:
            return
        theirs = results(data)
        if theirs is None:
            self.counts["not called"] += 1
        elif results(marshal.dumps(live(lifted.tree, ()))) != theirs:
            self.fault("another answer", data)
        else:
            self.counts["same answers"] += 1

    def shown(self) -> str:
        """What came of all cases so far."""
        result = {"slowest": round(self.slowest, 2), "counts": dict(self.counts.most_common()),
                  "faults": self.faults[:50]}  # fmt: skip
        return json.dumps(result, indent=1)


def fuzz(seconds: float, seed: str, files: list[str]) -> Fuzz:
    """Go on for so many seconds."""
    rng, made = random.Random(seed), Fuzz()
    texts = sources(300, seed)
    rows = json.loads(dumped(json.dumps(texts)))
    native = [marshal.loads(base64.b64decode(row[0])) for row in rows if row]  # noqa: S302
    known = [*streams(files), *(marshal.dumps(code) for code in native)]
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + seconds
    said = time.monotonic()
    while time.monotonic() < end:
        made.counts["cases"] += 1
        if time.monotonic() - said > _EVERY:
            said = time.monotonic()
            print(made.shown(), file=sys.stderr, flush=True)
        own = rng.random() < 0.3  # noqa: PLR2004
        data = twisted(rng, native) if own else changed(rng, known)
        lifted = made.stream(data)
        if lifted is not None and rng.random() < (1.0 if own else 0.2):
            made.again(data, lifted)
            made.run(data, lifted)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - usage)
    made.counts["bytes grown"] = grown
    if grown > _MOST_BYTES:
        made.fault("too much memory", "")
    return made


def main() -> None:
    warnings.simplefilter("ignore")
    made = fuzz(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
    print(made.shown())
    sys.exit(bool(made.faults))


if __name__ == "__main__":
    main()
