"""One function out of its stored form, alone: judged, recorded, and restricted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from secure_serial.construct.kept import keep
from secure_serial.construct.one_load import Load
from secure_serial.construct.restricted import restricted
from secure_serial.errors import LoadDenied
from secure_serial.lambdas.errors import BadStream, CannotLift, TooMuch
from secure_serial.lambdas.stored import LAMBDA, OWN
from secure_serial.plan.fields import Field
from secure_serial.policy.model import Evaluation, strictest
from secure_serial.registry import snapshot

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from secure_serial.audit.log import Sink
    from secure_serial.policy.model import Sandbox
    from secure_serial.policy.source import Given
    from secure_serial.sandbox.restored import Restored

#: What a policy's name is where nobody gives one to `load_lambda`.
DEFAULT = "sandbox"


def load_lambda(
    config: Any,
    *,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    sandbox: str = "in-process",
) -> Callable[..., Any]:
    """A function out of its stored form, restricted.

    Args:
        config: Any form in which Keras stores one: a `__lambda__` node, `[code, defaults,
            closure]`, the code's text alone, the config or the node of a `Lambda` layer; our own
            form; or the source text of a lambda or a simple `def`.
        policy: As for `load_model`; it must say `lambda = "sandbox"`, or approve the function by
            its digest. None is what is in force, or the system-wide policy or, where there is
            none, the shipped policy "sandbox".
        audit: As for `load_model`.
        sandbox: "in-process", or "process" for a worker behind walls. A policy that demands the
            worker gets it either way.

    Returns:
        A callable with the function's own signature. What a call may use up is bounded; one
        that exceeds it, or tries anything that is not allowed, raises `SandboxError`.

    Raises:
        LoadDenied: the policy denies it, or it cannot be read, or it uses what the sandbox has
            not.
        ArtifactError: it is no stored function at all.
        ValueError: `sandbox` is neither.

    >>> load_lambda("lambda x, k=2: x * k + 1")(20)
    41

    """
    ways = [each.value for each in Evaluation]
    if sandbox not in ways:
        raise ValueError(f"sandbox is one of {', '.join(ways)}, and not {sandbox!r}")
    return restored(config, policy, audit, apart=sandbox == Evaluation.PROCESS)


def restored(
    config: Any,
    policy: Given = None,
    audit: Sink | str | os.PathLike[str] | None = None,
    *,
    apart: bool = False,
    floor: Sandbox | None = None,
) -> Restored:
    """As `load_lambda`, and no looser than the `floor`, if there is one."""
    from secure_serial.artifact.dict_value import read_value

    load = Load(policy, audit, snapshot(None), safe_mode=False, default=DEFAULT)
    document = read_value(_node(config), load.policy.limits, name="<lambda>")
    session = load.judge(document, action="load", file_sha256=None, root=Field.FUNCTION)

    def made() -> Restored:
        checked = session.verdict.plan.functions.get(("", ""))
        if checked is None:
            raise LoadDenied("it holds no function", verdict=session.verdict, code="SS305")
        sandbox = session.policy.sandbox
        if floor is not None:
            sandbox = strictest([sandbox, floor])
        if apart:
            sandbox = replace(sandbox, evaluation=Evaluation.PROCESS)
        function = restricted(checked, sandbox)
        keep(checked, sandbox, function)
        return function

    return load.built(session, made)


def _node(config: Any) -> Any:
    """One of the forms that the planner knows in a field for functions."""
    if isinstance(config, str) and config.lstrip().startswith(("lambda", "def ")):
        return {"class_name": LAMBDA, "config": {OWN: _form(config)}}
    if not isinstance(config, dict) or config.get("class_name") == LAMBDA:
        return config
    inner = config.get("config")
    if isinstance(inner, dict) and "function" in inner:  # a layer's node
        return inner["function"]
    if "function" in config:  # a layer's config
        return config["function"]
    if "code" in config:
        return {"class_name": LAMBDA, "config": config}
    return {"class_name": LAMBDA, "config": {OWN: config}} if "source" in config else config


def _form(source: str) -> dict[str, Any]:
    """Our own form of a source text, with its defaults beside it."""
    from secure_serial.lambdas.understood import SCHEMA, from_source

    try:
        return from_source(source).own_form()
    except (BadStream, CannotLift, TooMuch):
        return {"schema": SCHEMA, "source": source}  # the plan finds out why, on the record
