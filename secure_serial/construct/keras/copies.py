"""Copies of functions that were restored from a file stay restricted, whoever makes them.

`clone_model`, `copy.deepcopy`, `pickle` and `Layer.from_config` write a layer down and read it
back, long after its load has ended. What is written holds bytecode of ours, so that Keras alone
can read a saved file; Keras would unmarshal it here, and the copy would run as its bytecode.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from secure_serial.construct import kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.sandbox.restored import Restored

    Original = Callable[..., Any]


def function(original: Original) -> Original:
    """Door G where no policy is in force: only what stems from a restored function is ours."""

    def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
        parts = list(code) if isinstance(code, list | tuple) else [code, defaults, closure]
        content = _content(parts[0]) if parts else None
        if content is None:
            return original(code, defaults, closure, globs)
        return _copy(content) or _again(parts)

    return func_load


def _copy(content: str) -> Restored | None:
    """A function that was made in this process, in the strictest way that anybody asked for."""
    known = kept.known(content)
    if known is None or known.function is not None:
        return known and known.function
    from secure_serial.construct.restricted import in_model

    return kept.remade(known, in_model(known.checked, known.sandbox))


def _again(parts: list[Any]) -> Restored:
    """A function of another process, or of long ago: judged anew."""
    from secure_serial.construct.load_lambda import restored

    return restored(parts, floor=kept.floor())


def _content(code: Any) -> str | None:
    """What code says that it is of, if it was written by `restored_config`.

    To say so of other code gains nothing: it comes to a function that was judged, or is.
    """
    from secure_serial.lambdas.own import FILE

    try:
        found = re.search(rb"%s ?([0-9a-f]*)" % FILE.encode("ascii"), base64.b64decode(code))
    except (TypeError, ValueError):
        return None
    return None if found is None else found[1].decode("ascii")
