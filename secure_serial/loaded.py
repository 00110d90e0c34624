"""What is loaded already, and what could be: asks Python, and never imports anything.

Keras, NumPy and TensorFlow are optional here. An object of theirs can only exist where
they are loaded, so looking is enough, and a program without them pays nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

#: What Keras computes with, the lightest first.
BACKENDS = ("jax", "torch", "tensorflow")
#: What to do where Keras or a backend is missing. It names no package of ours: under that name a
#: registry may have somebody else's.
TO_INSTALL = "install it with: pip install keras h5py jax (or another backend for jax)"
#: Keras's own thread-local state: scopes, shared objects, safe mode.
_STATE = "keras.src.backend.common.global_state"


def loaded(name: str, *needs: str) -> ModuleType | None:
    """The module `name` if it is loaded and has every attribute of `needs`.

    The second condition is for a module that is still being imported (by another thread,
    or further up this very stack): it counts as absent until what is needed is there.

    >>> loaded("sys", "modules") is sys
    True
    >>> loaded("sys", "no_such_attribute") is None
    True
    """
    module = sys.modules.get(name)
    if module is None:
        return None
    for need in needs:
        if not hasattr(module, need):
            return None
    return module


def is_installed(module: str) -> bool:
    """Whether a top-level module could be imported.

    >>> is_installed("json"), is_installed("no_such_module")
    (True, False)
    """
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def keras_state(name: str) -> object:
    """The value of Keras's thread-local `name`, None where it has none or is not loaded."""
    get = getattr(sys.modules.get(_STATE), "get_global_attribute", None)
    return None if get is None else get(name)


def keras_holds(name: str, value: object) -> bool:
    """Whether Keras's thread-local `name` is this very value, or there is none to be set."""
    get = getattr(sys.modules.get(_STATE), "get_global_attribute", None)
    return get is None or get(name) is value


def set_keras_state(name: str, value: object) -> None:
    """Set Keras's thread-local `name`; nothing happens where Keras is not loaded."""
    put = getattr(sys.modules.get(_STATE), "set_global_attribute", None)
    if put is not None:
        put(name, value)
