"""Loads untrusted Keras-format configs behind an allowlist: plan, decide, record, then build.

The names below are the whole public API. They are looked up on first use, so that
importing the package costs nothing and scanning never imports Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_serial.audit.log import AuditLog
    from secure_serial.construct.guard import enforcing, seal
    from secure_serial.construct.load import deserialize_keras_object, load_model, load_result
    from secure_serial.construct.load_lambda import load_lambda
    from secure_serial.construct.one_load import LoadResult
    from secure_serial.errors import (
        ArtifactError,
        AuditError,
        ConstructionError,
        InvalidPolicy,
        LimitExceeded,
        LoadDenied,
        MalformedArtifact,
        PolicyError,
        SandboxError,
        SecureSerialError,
        UnsafeArtifact,
        UnsupportedFormat,
        UntrustedPolicy,
    )
    from secure_serial.limits import Limits
    from secure_serial.policy.model import Policy
    from secure_serial.policy.source import load_policy, parse_policy
    from secure_serial.registry import (
        CustomObjectScope,
        custom_object_scope,
        get_custom_objects,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
    )
    from secure_serial.scanner.scan import scan
    from secure_serial.serialize import serialize_keras_object

__version__ = "0.1.0"

_HOMES = {
    "secure_serial.audit.log": ("AuditLog",),
    "secure_serial.construct.guard": ("enforcing", "seal"),
    "secure_serial.construct.load": ("deserialize_keras_object", "load_model", "load_result"),
    "secure_serial.construct.load_lambda": ("load_lambda",),
    "secure_serial.construct.one_load": ("LoadResult",),
    "secure_serial.errors": (
        "ArtifactError",
        "AuditError",
        "ConstructionError",
        "InvalidPolicy",
        "LimitExceeded",
        "LoadDenied",
        "MalformedArtifact",
        "PolicyError",
        "SandboxError",
        "SecureSerialError",
        "UnsafeArtifact",
        "UnsupportedFormat",
        "UntrustedPolicy",
    ),
    "secure_serial.limits": ("Limits",),
    "secure_serial.policy.model": ("Policy",),
    "secure_serial.policy.source": ("load_policy", "parse_policy"),
    "secure_serial.registry": (
        "CustomObjectScope",
        "custom_object_scope",
        "get_custom_objects",
        "get_registered_name",
        "get_registered_object",
        "register_keras_serializable",
    ),
    "secure_serial.scanner.scan": ("scan",),
    "secure_serial.serialize": ("serialize_keras_object",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ArtifactError",
    "AuditError",
    "AuditLog",
    "ConstructionError",
    "CustomObjectScope",
    "InvalidPolicy",
    "LimitExceeded",
    "Limits",
    "LoadDenied",
    "LoadResult",
    "MalformedArtifact",
    "Policy",
    "PolicyError",
    "SandboxError",
    "SecureSerialError",
    "UnsafeArtifact",
    "UnsupportedFormat",
    "UntrustedPolicy",
    "__version__",
    "custom_object_scope",
    "deserialize_keras_object",
    "enforcing",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_lambda",
    "load_model",
    "load_policy",
    "load_result",
    "parse_policy",
    "register_keras_serializable",
    "scan",
    "seal",
    "serialize_keras_object",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
