"""Copies of functions that were restored from a file stay restricted, whoever makes them.

`clone_model`, `copy.deepcopy`, `pickle` and `Layer.from_config` write a layer down and read it
back, long after its load has ended. What is written holds bytecode of ours, so that Keras alone
can read a saved file; Keras would unmarshal it here, and the copy would run as its bytecode.
"""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from secure_serial.sandbox.restored import Restored

    Original = Callable[..., Any]

#: Functions that are remembered as they are, with their worker and bounds; models have a handful.
_REMEMBERED = 1_000
_written: OrderedDict[str, Restored] = OrderedDict()


def remember(function: Any, node: Mapping[str, Any]) -> None:
    """A restored function was written down as this node."""
    config = node["config"]
    parts = config.get("value") or [config.get(key) for key in ("code", "defaults", "closure")]
    if parts[0] is None:
        return
    _written[_key(parts)] = function
    while len(_written) > _REMEMBERED:
        _written.popitem(last=False)


def function(original: Original) -> Original:
    """Door G where no policy is in force: only what stems from a restored function is ours."""

    def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
        parts = list(code) if isinstance(code, list | tuple) else [code, defaults, closure]
        if not parts or not _is_ours(parts[0]):
            return original(code, defaults, closure, globs)
        known = _written.get(_key(parts))
        if known is not None:
            return known
        from secure_serial.construct.load_lambda import load_lambda

        return load_lambda(parts)  # of another process, or long ago

    return func_load


def _is_ours(code: Any) -> bool:
    """Whether this is code that was compiled of a tree. To say so of other code gains nothing."""
    from secure_serial.lambdas.own import FILE

    try:
        return FILE.encode("ascii") in base64.b64decode(code)
    except (TypeError, ValueError):
        return False


def _key(parts: Any) -> str:
    return json.dumps(list(parts), sort_keys=True, default=repr)
