"""What restricted code has in place of modules: facades, whose members are reviewed data.

The code never holds a module. `K`, `tf`, `np`, `keras`, `ops` and `math` are facades: tables in
`names/*.json` that say which operation of ours a name stands for. An operation (`canonical.json`)
checks the type of each value, takes what it will make from the meter of the call, and is then
computed by NumPy, or by the provider of the tensors it was given.

>>> root("tf").member("nn").has("relu")
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.facade import Facade, module, root

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.arrays import Method

__all__ = ["Facade", "attribute", "is_array", "method", "module", "root"]


def is_array(value: object) -> bool:
    """Whether this is an array of numbers, or a tensor of the active provider."""
    from secure_serial.sandbox.facades import kinds

    return kinds.is_array(value)


def method(value: Any, name: str) -> Method:
    """A method of an array, or of a shape; see `arrays.method`."""
    from secure_serial.sandbox.facades import arrays

    return arrays.method(value, name)


def attribute(value: Any, name: str) -> Any:
    """An attribute of an array, or of a shape; see `arrays.attribute`."""
    from secure_serial.sandbox.facades import arrays

    return arrays.attribute(value, name)
