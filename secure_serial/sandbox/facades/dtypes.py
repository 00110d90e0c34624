"""The numeric types that arrays may have, and the names by which restricted code knows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from secure_serial.sandbox.facades.errors import kind_of, refused
from secure_serial.sandbox.values import Builtin

#: NumPy's and ml_dtypes' plain numeric types. Never text, never `object`, which runs code.
DTYPES = frozenset({
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "bfloat16", "complex64", "complex128",
})  # fmt: skip
#: Other names of the same: NumPy's, TensorFlow's and Python's.
DTYPE_NAMES = {
    "bool_": "bool", "half": "float16", "single": "float32", "float": "float32",
    "double": "float64", "int": "int32", "uint": "uint32",
}  # fmt: skip
#: Kinds of NumPy's types that are numbers; "V" of bfloat16 is looked up by name.
NUMERIC = frozenset("biufc")
#: Bytes of one number in the wide types.
WIDE = 8
#: What stands for a type besides its name, in `dtype_name`.
TYPES: set[type] = {Builtin}
_NARROW = {"float64": np.float32, "int64": np.int32, "complex128": np.complex64}


def narrowed(value: Any) -> Any:
    """An array or scalar of 64 bits in 32."""
    wanted = _NARROW.get(value.dtype.name)
    return value if wanted is None else value.astype(wanted)


def dtype(value: Any) -> str:
    """The name of a numeric type: a text, a member as np.float32, or a builtin type's name."""
    name = value.dtype_name if type(value) in TYPES else value
    if type(name) is str:
        name = DTYPE_NAMES.get(name, name)
        if name in DTYPES:
            return name
        raise refused(f"the type {name[:40]!r}, which is none of plain numbers")
    raise refused(f"a value of type {kind_of(value)} where a type's name stands")
