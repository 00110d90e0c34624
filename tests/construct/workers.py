"""What the worker processes of the tests do. It stands alone, so that each can import it."""

from __future__ import annotations

from construct.parts import make, part

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.errors import LoadDenied
from secure_serial.policy.source import parse_policy

NOTHING = parse_policy("schema = 1", "nothing.toml")
LOADS = 10


def load_many(log, name):
    """Loads under a policy of the worker's own, into a log that all share; what became of them."""
    policy = NOTHING if name.endswith("denied") else "keras-core"
    found = set()
    for _ in range(LOADS):
        objects = {f"acme>{name}": make(name, action=lambda _config: name)}
        try:
            made = deserialize_keras_object(part(name), objects, policy=policy, audit=log)
            found.add(made.config["made"])
        except LoadDenied:
            found.add("denied")
    return name, sorted(found)
