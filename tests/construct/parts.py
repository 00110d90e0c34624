"""Classes of a program that loads configs, without Keras."""

from __future__ import annotations

import copy


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
