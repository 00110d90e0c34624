"""The enforcement point: read, plan, decide, record, and only then build.

Both entries share it, the seed's `deserialize_keras_object` and `load_model`, so the
verdict of one cannot differ from the other's, nor either from the scanner's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from secure_serial.construct.keras.versions import catalogue
from secure_serial.construct.one_load import Load, LoadResult
from secure_serial.construct.revive import revive, revive_document
from secure_serial.construct.session import current
from secure_serial.construct.tables import spell_out
from secure_serial.registry import snapshot

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from secure_serial.audit.log import Sink
    from secure_serial.construct.session import Session
    from secure_serial.policy.model import Policy
    from secure_serial.policy.source import Given
    from secure_serial.registry import Snapshot

#: How a value that was passed is called in records and messages.
_NAME = "<config>"
_ACTION = "deserialize"


def load_model(
    path: str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, object] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    migrate: bool = False,
) -> Any:
    """A real Keras model from a file, behind a policy.

    Args:
        path: A `.keras` archive or directory, a legacy `.h5` file, or a bare config
            (which gives a model with fresh weights).
        policy: A shipped name ("keras-core", "strict"), the path of a TOML file, a
            `Policy`, or a list of these for a stack of layers, the first on top; None is
            the system-wide file or, where there is none, "keras-core".
        audit: The path of an audit log or an `AuditLog`; None keeps the records in memory
            and sends them to the logger `secure_serial.audit`.
        custom_objects: The program's own classes and functions, by name.
        compile: Whether to compile the model as the file says.
        safe_mode: Whether functions whose code stands in the file are refused. If not, the
            policy decides, and what it lets pass runs restricted (docs/sandbox.md).
        migrate: Whether to bring a config of Keras 0 to 2 into today's form, and judge it again.

    Raises:
        LoadDenied: the policy denies something that the file asks for; nothing was built.
        CannotMigrate: (a ConstructionError) something has no exact form of today.
        ArtifactError: the file cannot be read, or misuses its format.
        InvalidPolicy: the policy cannot be used.
        AuditError: the audit log cannot be written; nothing was built.
        ConstructionError: it is allowed, and Keras could not build it.

    """
    return load_result(
        path,
        policy=policy,
        audit=audit,
        custom_objects=custom_objects,
        compile=compile,
        safe_mode=safe_mode,
        migrate=migrate,
    ).model


def load_result(
    path: str | os.PathLike[str],
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, object] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    migrate: bool = False,
) -> LoadResult:
    """As `load_model`, with the verdict and the records beside the model."""
    from secure_serial.artifact import open_artifact

    load = Load(policy, audit, snapshot(custom_objects), safe_mode=safe_mode)
    with open_artifact(path, load.policy.limits, hold=True) as opened:
        return load.model(opened, compile=compile, migrate=migrate)


def load_stream(
    file: BinaryIO,
    *,
    name: str,
    custom_objects: Mapping[str, object] | None,
    compile: bool,
    safe_mode: bool = True,
    within: Session | None = None,
) -> Any:
    """As `load_model`, from a file that is open already. Raises as it does.

    `within` is the load that this one is a part of: its policy and its log hold.
    """
    from secure_serial.artifact import opened_stream

    load = Load(*_of(within), snapshot(custom_objects), safe_mode=safe_mode)
    return load.model(opened_stream(file, name, load.policy.limits), compile=compile).model


def model_from_text(
    text: bytes,
    custom_objects: Mapping[str, object] | None,
    *,
    compile: bool,
    safe_mode: bool = True,
    within: Session | None = None,
) -> Any:
    """The model of a config in text, with fresh weights. Raises as `load_model` does."""
    from secure_serial.artifact import Opened, read_artifact

    load = Load(*_of(within), snapshot(custom_objects), safe_mode=safe_mode)
    document = read_artifact(text, load.policy.limits, name=_NAME)
    return load.model(Opened(document, None, len(text)), compile=compile).model


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, object] | None = None,
    safe_mode: bool = True,  # noqa: FBT001, FBT002 - Keras's signature
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    **kwargs: Any,
) -> Any:
    """The object that a config dictionary describes, behind a policy.

    Drop-in for `keras.saving.deserialize_keras_object`; works without Keras for classes
    that the program registered. Called while a gated load builds (from a class's own
    `from_config`), it takes part in that load, whatever `policy` says.

    Args:
        config: What `serialize_keras_object` gave: a dict, or a plain value.
        custom_objects: The program's own classes and functions, by name.
        safe_mode: Whether functions whose code stands in the file are refused. If not, the
            policy decides, and what it lets pass runs restricted (docs/sandbox.md).
        policy: As for `load_model`.
        audit: As for `load_model`.
        **kwargs: `module_objects`, as in Keras; others are ignored, as Keras does.

    Raises:
        LoadDenied: (a ValueError) the policy denies something; nothing was built.
        ConstructionError: (a TypeError) a class is missing, or its constructor failed.
        ArtifactError: (a ValueError) it is no config, or exceeds the limits.

    >>> from secure_serial import register_keras_serializable
    >>> @register_keras_serializable("doc")
    ... class Point:
    ...     def __init__(self, x): self.x = x
    ...     def get_config(self): return {"x": self.x}
    ...     @classmethod
    ...     def from_config(cls, config): return cls(**config)
    >>> node = {"class_name": "Point", "config": {"x": 3}, "registered_name": "doc>Point"}
    >>> deserialize_keras_object(node).x
    3

    """
    return _deserialize(
        config,
        lambda names: Load(policy, audit, names, safe_mode=safe_mode),
        custom_objects,
        kwargs.get("module_objects"),
    )


def deserialize_own(
    config: Any,
    custom_objects: Mapping[str, object] | None,
    recorded: set[tuple[str, str]],
    *,
    modules: Mapping[str, object] | None = None,
    safe_mode: bool = True,
) -> Any:
    """As `deserialize_keras_object`, for what a program does by itself, dozens of times a layer.

    It has a plan of its own under the policy that is in force. It is recorded if it is
    denied or fails, or if a symbol in it was not recorded before.
    """
    return _deserialize(
        config,
        lambda names: Load(None, None, names, recorded, safe_mode=safe_mode),
        custom_objects,
        modules,
    )


def _deserialize(
    config: Any,
    begin: Callable[[Snapshot], Load],
    custom_objects: Mapping[str, object] | None,
    modules: Mapping[str, object] | None,
) -> Any:
    session = current()
    if session is not None:
        return revive(config, session, modules=modules)
    own: dict[str, object] = dict(custom_objects or {})
    if modules:
        config, found = spell_out(config, modules, catalogue())
        own = {**found, **own}
    names = snapshot(own, whole=False)
    if config is None or isinstance(config, bool | int | float):
        return config
    if isinstance(config, str) and config not in names:
        return config
    from secure_serial.artifact.dict_value import read_value

    load = begin(names)
    session = load.at_once(config, name=_NAME, action=_ACTION)
    if session is None:
        document = read_value(config, load.policy.limits, name=_NAME)
        session = load.judge(document, action=_ACTION, file_sha256=None)
    return load.built(session, partial(revive_document, session))


def _of(session: Session | None) -> tuple[Policy | None, Sink | None]:
    return (None, None) if session is None else (session.policy, session.sink)
