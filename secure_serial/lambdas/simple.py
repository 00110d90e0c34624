"""Instructions that always become the same operations, whatever stands around them."""

from __future__ import annotations

from typing import Any

from secure_serial.lambdas.values import NULL, Const

Op = tuple[Any, ...]

_BINARY = {
    "POWER": "**", "MULTIPLY": "*", "MODULO": "%", "ADD": "+", "SUBTRACT": "-",
    "FLOOR_DIVIDE": "//", "TRUE_DIVIDE": "/", "LSHIFT": "<<", "RSHIFT": ">>", "AND": "&",
    "XOR": "^", "OR": "|", "MATRIX_MULTIPLY": "@", "DIVIDE": "python2 /",
}  # fmt: skip
#: Operations that one instruction always becomes, whatever its argument.
FIXED: dict[str, list[Op]] = {
    "NOP": [], "RESUME": [], "MAKE_CELL": [], "COPY_FREE_VARS": [], "NOT_TAKEN": [],
    "PRECALL": [], "GEN_START": [], "END_FOR": [],
    "SETUP_LOOP": [("block",)], "POP_BLOCK": [("unblock",)],
    "TO_BOOL": [("bool",)], "RETURN_GENERATOR": [("push", Const(None))],
    "POP_TOP": [("pop",)], "POP_ITER": [("pop_iter",)], "PUSH_NULL": [("push", NULL)],
    "DUP_TOP": [("copy", 1)], "ROT_TWO": [("swap", 2)], "ROT_THREE": [("rot", 3)],
    "DUP_TOP_TWO": [("copy", 2), ("copy", 2)], "ROT_FOUR": [("rot", 4)],
    "UNARY_NEGATIVE": [("unary", "-")], "UNARY_POSITIVE": [("unary", "+")],
    "UNARY_INVERT": [("unary", "~")], "UNARY_NOT": [("not",)],
    "BINARY_SUBSCR": [("subscript",)], "BINARY_SLICE": [("slice", 2), ("subscript",)],
    "SLICE+0": [("push", Const(None)), ("push", Const(None)), ("slice", 2), ("subscript",)],
    "SLICE+1": [("push", Const(None)), ("slice", 2), ("subscript",)],
    "SLICE+2": [("push", Const(None)), ("swap", 2), ("slice", 2), ("subscript",)],
    "SLICE+3": [("slice", 2), ("subscript",)],
    "STORE_SLICE+0": [
        ("push", Const(None)), ("push", Const(None)), ("slice", 2), ("store_item",),
    ],
    "STORE_SLICE+1": [("push", Const(None)), ("slice", 2), ("store_item",)],
    "STORE_SLICE+2": [("push", Const(None)), ("swap", 2), ("slice", 2), ("store_item",)],
    "STORE_SLICE+3": [("slice", 2), ("store_item",)],
    "STORE_SUBSCR": [("store_item",)], "STORE_SLICE": [("slice", 2), ("store_item",)],
    "LIST_TO_TUPLE": [("to_tuple",)], "RETURN_VALUE": [("return",)],
    "LOAD_ASSERTION_ERROR": [("assertion",)],
    "YIELD_VALUE": [("yield",)], "FORMAT_SIMPLE": [("format", 0, False)],
    "FORMAT_WITH_SPEC": [("format", 0, True)],
}  # fmt: skip
FIXED |= {f"BINARY_{word}": [("binary", sign)] for word, sign in _BINARY.items()}
FIXED |= {f"INPLACE_{word}": [("binary", f"{sign}=")] for word, sign in _BINARY.items()}

#: Operations that take the instruction's argument as it is.
COUNTED: dict[str, Op] = {
    "COPY": ("copy",), "SWAP": ("swap",), "ROT_N": ("rot",), "BUILD_TUPLE": ("build", "tuple"),
    "BUILD_LIST": ("build", "list"), "BUILD_SET": ("build", "set"),
}  # fmt: skip
