"""Writes tests/lambdas/streams.json: `python -m tools.lambdas.samples 3.8=python3.8 …`.

Each argument names a CPython to run, or `3.14=@file`, a file of streams that `dump_samples` below
made where only WebAssembly is at hand. What a row lifts to is written down, to be read by the one
who commits it.
"""

# ruff: noqa: E501 - sources stand as they are

from __future__ import annotations

import base64
import json
import subprocess  # nosec B404 - runs the interpreters that the caller names
import sys
from pathlib import Path

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas import lift

_OUT = Path(__file__).parents[2] / "tests" / "lambdas" / "streams.json"
#: Runs inside each version.
INSIDE = """
import base64, json, marshal
rows = []
for name, text in json.loads(INPUT):
    space = {}
    try:
        exec(text if text.startswith("def") else "f = " + text, space)
    except SyntaxError:
        continue
    found = [v for k, v in space.items() if k != "__builtins__"][0]
    found = found(1, 2) if name.startswith("closure") else found
    raw = marshal.dumps(found.__code__)
    rows.append([name, base64.b64encode(raw).decode("ascii")])
RESULT = json.dumps(rows)
"""
SAMPLES = {
    "scale": "lambda x: x / 127.5 - 1.0",
    "matrix": "lambda x: (x @ x.T) ** 2 % 3 // 2 << 1",
    "slices": "lambda x: x[..., 1:-1, ::2] + x[:, None, 0] + x[1:] - x[:2]",
    "call": "lambda x: K.sum(x, axis=-1, keepdims=True) + tf.nn.relu(x)",
    "stars": "lambda x, *a, **k: f(x, *a, b=1, **k)",
    "chain": "lambda x: 0 < x.ndim <= 4 and x or -x",
    "choice": "lambda x: (1 if x > 0 else 2) + (x if x is None else 3)",
    "displays": "lambda x: [x, (x, 1), {'a': x}, {x, 2}, [1, 2, 3], (1, 2), 'b']",
    "truth": "lambda x: (not not x, not x)",
    "member": "lambda x: x in [1, 2] and x not in (3, x)",
    "list": "lambda x: [i * j for i in x if i for j in range(i) if i != j]",
    "nested list": "lambda x: [[j + i for j in i] for i in [k for k in x]]",
    "generator": "lambda x: sum(t * t for t in x if t)",
    "shortcut": "lambda x: any(t > 0 for t in x) or tuple(t for t in x)",
    "lambda": "lambda x: (lambda f, y=x: f(f(y)))(lambda v: v * x)",
    "closure": "lambda a, b: lambda x: x * a + b",
    "text": "lambda x: '%s-%s' % (x, x.ndim)",
    "f-string": "lambda x: f'{x!r:>{x.n}}{x}-'",
    "walrus": "lambda x: (m := f(x)) + m",
    "arguments": "lambda a, /, b, *, c: a + b + c",
    "def": "def crop(x):\n    half = x.shape[1] // 2\n    half += 1\n    a, b = x[:half], x[half:]\n    return a * b\n",
    "rounds": "def f(x, n):\n    out = []\n    for i in range(n):\n        if i == 2:\n            continue\n        for a, b in x:\n            n += a\n            if b:\n                out.append(a * i)\n    return K.stack(out) * n\n",
    "break": "def f(x):\n    for i in x:\n        if i > 3:\n            break\n        x = g(x, i)\n    return x\n",
    "imports": "def f(x):\n    import tensorflow as tf\n    from keras import backend as K, layers\n    import a.b.c as d\n    import os.path\n    return tf.space_to_depth(x, 2) + K.sum(x) + d.e + os.x + layers.y\n",
    "dropped": "def f(x):\n    x.sort()\n    f(x) or g(x)\n    if x and y or 2:\n        pass\n    return x\n",
    "decided": "lambda x, y: (x % 3 if (x.a and y or 2) else y) + (y or (x and 0) or 3)",
    "let": "lambda x: [t + 1 for i in x if i for t in [i * 2] if t > 3]",
    "value first": "lambda x: {f(i): g(i) for i in x if i}",
    "keyword first": "lambda x: f(x, *g(x), k=h(x))",
    "negated": "lambda x: f(x is not None, not x, x not in (1, x)) or not x.a and x.b",
    "branches": "def pick(x):\n    if x.ndim > 2:\n        y = x * 2\n    elif x.ndim == 2:\n        y = x\n    else:\n        return x\n    return y + 1\n",
}


def main() -> None:
    """Write the rows."""
    rows = []
    text = json.dumps(sorted(SAMPLES.items()))
    for argument in sys.argv[1:]:
        version, _, python = argument.partition("=")
        if python.startswith("@"):
            output = Path(python[1:]).read_text("utf-8")
        else:
            script = f"INPUT = {text!r}\n{INSIDE}\nprint(RESULT)"
            output = subprocess.run(  # nosec B603 - as above
                [python, "-c", script], capture_output=True, encoding="utf-8", check=True
            ).stdout
        for name, stream in json.loads(output):
            try:
                lifted = lift(base64.b64decode(stream))
            except SecureSerialError as error:
                print(version, name, error)
                continue
            rows.append({
                "id": name, "python": version, "stream": stream, "lifted": lifted.source,
                "free": lifted.free,
            })  # fmt: skip
    lines = ",\n".join(json.dumps(row, sort_keys=True) for row in rows)
    _OUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
