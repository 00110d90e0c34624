"""How many streams of one version lift, and whether each then gives what it gave there.

python -m tools.lambdas.measure sources.json streams.json 3.8
"""

# ruff: noqa: D103 - a script

from __future__ import annotations

import ast
import base64
import collections
import json
import sys
import time
import warnings
from pathlib import Path

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas import Lifted, lift
from tools.lambdas.dump import answers, f3


def divide(one: float, two: float) -> float:
    """Python 2's `/`."""
    return one // two if isinstance(one, int) and isinstance(two, int) else one / two


def function_of(lifted: Lifted) -> object:
    """The function that the tree is. The sources are our own."""
    tree = ast.fix_missing_locations(ast.Expression(lifted.tree))  # type: ignore[arg-type]
    code = compile(tree, "<lifted>", "eval")
    return eval(code, {"f3": f3, "python2_divide": divide})  # noqa: S307


def measure(sources: list[str], rows: list[list[object] | None], version: str) -> dict[str, object]:
    """What came of each row."""
    refused: collections.Counter[str] = collections.Counter()
    shortest: dict[str, str] = {}
    wrong, right, spent = [], 0, 0.0
    for source, row in zip(sources, rows, strict=True):
        if row is None:
            continue
        began = time.process_time()
        try:
            lifted = lift(base64.b64decode(str(row[0])))
        except SecureSerialError as error:
            what = str(getattr(error, "construct", error))
            refused[what] += 1
            shortest[what] = min(shortest.get(what, source), source, key=len)
            continue
        finally:
            spent += time.process_time() - began
        if version not in lifted.versions or answers(function_of(lifted)) != row[1]:
            wrong.append((source, lifted.source))
        else:
            right += 1
    total = sum(row is not None for row in rows)
    return {
        "version": version, "total": total, "lifted": right, "wrong": wrong,
        "refused": refused.most_common(), "shortest": shortest,
        "milliseconds": round(1000 * spent / max(total, 1), 2),
    }  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    sources, rows = (json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:3])
    result = measure(sources, rows, sys.argv[3])
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
