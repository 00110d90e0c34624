"""Compiles sources in one CPython, as Keras would store them, and notes what they give there.

    python3.8 tools/lambdas/dump.py sources.json streams.json

Runs in CPython 2.7 and later; where a version is at hand only as WebAssembly, set INPUT to the
text of the sources, evaluate the file and take RESULT. Each row is None for a syntax error, or
the stream in base64 and what the function gave for each of ARGUMENTS.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, D103, PTH123
# This runs in Python 2.7, too.

import base64
import json
import marshal
import sys
import warnings

ARGUMENTS = [(0, 0), (1, 2), (3, -1), (-7, 5), (2, 2)]


def f3(a, *b, **k):
    return a + sum(b) * 2 + k.get("k", 0) * 3


def answers(function):
    found = []
    for arguments in ARGUMENTS:
        try:
            found.append(repr(function(*arguments)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other one must raise it
            found.append(type(error).__name__)
    return found


def dumped(text):
    rows = []
    warnings.simplefilter("ignore")
    for source in json.loads(text):
        try:
            function = eval(compile(source, "/home/user/train.py", "eval"), {"f3": f3})  # noqa: S307
        except SyntaxError:
            rows.append(None)
            continue
        stream = base64.b64encode(marshal.dumps(function.__code__)).decode("ascii")
        rows.append([stream, answers(function)])
    return json.dumps(rows)


if "INPUT" in globals():
    RESULT = dumped(INPUT)  # noqa: F821 - given by whoever evaluates this
elif __name__ == "__main__":
    with open(sys.argv[1]) as file:
        RESULT = dumped(file.read())
    with open(sys.argv[2], "w") as file:
        file.write(RESULT)
else:
    RESULT = None
RESULT  # noqa: B018 - what an evaluation of the whole file gives back
