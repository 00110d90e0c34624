"""Values to serialize, by name. Those of `PLAIN` need no package at all."""

from __future__ import annotations

import enum
import functools
from collections import OrderedDict, defaultdict, namedtuple

Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the kind that Keras flattens


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


class Configured:
    def __init__(self, **config):
        self.config = config

    def get_config(self):
        return self.config


class Built(Configured):
    def get_build_config(self):
        return {"input_shape": (None, 2)}

    def get_compile_config(self):
        return {"loss": Configured(kind=b"x")}


class NotYetBuilt(Configured):
    def get_build_config(self):
        return None

    def get_compile_config(self):
        return None


class Main(Configured):
    """As if defined in the program itself."""


Main.__module__ = "__main__"


class Named:
    """No `get_config`, but a name: taken for a function."""

    __name__ = "named"


def function(x):
    return x


PLAIN = {
    "none": None,
    "text": "text",
    "integer": 3,
    "float": 0.5,
    "nan": float("nan"),
    "true": True,
    "enum member": Colour.RED,
    "text of a subclass": Text("text"),
    "empty list": [],
    "empty tuple": (),
    "empty dict": {},
    "list": [1, "a", None, [2.0]],
    "tuple": (1, ("a", [True])),
    "named tuple": Pair(1, [2]),
    "dict": {"a": 1, "b": (2,), "c": {"d": [3]}},
    "dict with integer keys": {1: "a", (2, 3): ("b",)},
    "ordered dict": OrderedDict(b=1, a=(2,)),
    "default dict": defaultdict(list, a=[1]),
    "dict that looks like an object": {"class_name": "Dense", "config": {"units": (1,)}},
    "bytes": "bytes: \u00e9".encode(),
    "slice": slice(None, 20, 2),
    "slice of slices": slice((1,), b"a", slice(1)),
    "ellipsis": ...,
    "ellipsis class": type(...),
    "function": function,
    "function in a dict": {"fn": function},
    "builtin": len,
    "class": int,
    "class of our own": Named,
    "named object": Named(),
    "module": functools,
    "object": Configured(a=1, b=(2,), c=[b"3"]),
    "object in object": Configured(inner=[Configured(a=(1,)), {"b": Configured()}]),
    "object with build and compile configs": Built(a=1),
    "object without build and compile configs": NotYetBuilt(),
    "object of the main module": Main(a=1),
    "objects and tuples": (Configured(a=1), {"x": (Configured(b=2),)}),
}


class Wrong:
    """`get_config` does not give a dict."""

    def get_config(self):
        return [1]


class WrongBuild(Configured):
    def get_build_config(self):
        return [1]


class Raises:
    def get_config(self):
        raise KeyError("its own")


#: What cannot be serialized, and the error that says so (Keras's own).
REFUSED = {
    "set": ({1}, TypeError),
    "frozenset": (frozenset({1}), TypeError),
    "complex": (1j, TypeError),
    "range": (range(2), TypeError),
    "partial": (functools.partial(function), TypeError),
    "bare object": (object(), TypeError),
    "byte array": (bytearray(b"a"), TypeError),
    "bytes that are no text": (b"\xff", UnicodeDecodeError),
    "class with get_config": (Configured, TypeError),
    "config that is no dict": (Wrong(), TypeError),
    "build config that is no dict": (WrongBuild(), AttributeError),
    "get_config that raises": (Raises(), KeyError),
    "bad value deep down": ({"a": [(Configured(b={1}),)]}, TypeError),
}
