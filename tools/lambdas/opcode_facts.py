"""Prints one CPython's opcode facts as JSON, from its own modules: run it inside that CPython.

Runs in any CPython from 2.7 on, so it is written in what all of them understand:

    python3.8 tools/lambdas/opcode_facts.py > secure_serial/lambdas/opcodes/3.8.json

Versions that are at hand only as WebAssembly evaluate the file and take RESULT.
"""

# ruff: noqa: ANN201, C402, D103, PLR2004
# This runs in Python 2.7, too.

import json
import opcode
import sys


def caches():
    entries = getattr(opcode, "_inline_cache_entries", {})
    if isinstance(entries, list):
        entries = dict((opcode.opname[code], n) for code, n in enumerate(entries))
    return dict((name, n) for name, n in entries.items() if n)


def facts():
    table = dict((name, code) for name, code in opcode.opmap.items() if code < 256)
    for name in list(table):
        # What a debugger or the optimiser writes into running code is in no file.
        if name.startswith("INSTRUMENTED_") or name in ("ENTER_EXECUTOR", "TRACE_RECORD"):
            del table[name]
    return {
        "source": "CPython " + sys.version.split()[0] + ", its module opcode",
        "codes": table,
        "have_argument": opcode.HAVE_ARGUMENT,
        "caches": caches(),
        "comparisons": list(opcode.cmp_op),
        "operators": [sign for _, sign in getattr(opcode, "_nb_ops", [])],
        "intrinsics": list(getattr(opcode, "_intrinsic_1_descs", [])),
        "commons": [
            getattr(value, "__name__", repr(value))
            for value in getattr(opcode, "_common_constants", [])
        ],
    }


RESULT = json.dumps(facts(), indent=1, sort_keys=True) + "\n"
if __name__ == "__main__":
    sys.stdout.write(RESULT)
RESULT  # noqa: B018 - what an evaluation of the whole file gives back
