"""Classes of a program that loads configs, without Keras, and what it sees while it does."""

from __future__ import annotations

import copy

import pytest

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.errors import LoadDenied


class Part:
    """Keeps what it was built from; counts what was built."""

    built: list[Part] = []  # noqa: RUF012 (a log that tests empty)

    def __init__(self, **config):
        self.config = config
        Part.built.append(self)

    def get_config(self):
        return self.config

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def make(name="Part", action=None, **methods):
    """A class of its own, whose from_config may run something first."""

    def from_config(cls, config):
        made = action(config) if action is not None else None
        return cls(**{**copy.copy(config), **({} if made is None else {"made": made})})

    return type(
        name, (Part,), {"from_config": classmethod(from_config), "__module__": "acme", **methods}
    )


def part(name="Part", config=None, registered=None, **rest):
    """The node of such a class."""
    return {
        "module": "acme",
        "class_name": name,
        "config": {} if config is None else config,
        "registered_name": f"acme>{name}" if registered is None else registered,
        **rest,
    }


def inside(action, *, policy=None, beside=()):
    """What an action gives when it is done while a load builds."""
    objects = {"acme>Part": make(action=lambda _config: action())}
    tree = [part(), *beside]
    return deserialize_keras_object(tree, objects, policy=policy)[0].config.get("made")


def refused(action, **options):
    with pytest.raises(LoadDenied) as caught:
        inside(action, **options)
    return caught.value.code
