"""`secure-serial load`: really load with Keras, under a policy and on the record."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from secure_serial.cli.exits import Exit
from secure_serial.cli.scan_command import tell_fault
from secure_serial.cli.trouble import tell
from secure_serial.errors import ArtifactError, ConstructionError, LoadDenied
from secure_serial.policy.engine import Lifted
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse

    from secure_serial.cli.console import Console
    from secure_serial.policy.engine import Decision, Verdict

#: What a person calls the kinds, where it is not the kind's own word.
_PLURALS = {"dtype_policy": "dtype policies", "loss": "losses", "class": "classes"}
#: A summary's line is as wide as its names; longer than this is no name.
_LINE_WIDTH = 500


def run_load(args: argparse.Namespace, console: Console) -> Exit:
    """Load one model and say what it is."""
    from secure_serial.policy.source import load_policy

    policy = load_policy(args.policy)  # before Keras is looked for: it is the cheaper mistake
    choose_backend(console)
    log = log_path(args.audit, console)
    from secure_serial.construct.load import load_result

    try:
        result = load_result(args.file, policy=policy, audit=log, safe_mode=False)
    except LoadDenied as error:
        return _denied(error, args, console)
    except ArtifactError as error:
        fields = {"path": args.file, "loaded": False}
        return tell_fault(error, args.file, args.format, "load", console, fields)
    except ConstructionError as error:
        if args.format == "json":
            _report(args, console, Exit.UNREADABLE, {"loaded": False, "error": error.message})
        return tell(error, console)
    console.tell(overview(result.verdict))
    for decision in (*result.verdict.waived, *result.verdict.reported):
        console.warn(lifted(decision))
    if args.format == "json":
        _report(
            args, console, Exit.CLEAN, {"loaded": True, **_object(result.model, result.verdict)}
        )
    else:
        console.result(summary(result.model))
    return Exit.CLEAN


def overview(verdict: Verdict) -> str:
    """The decisions in one line: how many, by whom, of what."""
    kinds = Counter(_word(d.request.kind or d.request.action) for d in verdict.decisions)
    parts = ", ".join(
        f"{count} {_plural(word) if count > 1 else word.replace('_', ' ')}"
        for word, count in kinds.most_common()
    )
    total = len(verdict.decisions)
    policy = printable(verdict.policy.name)
    counted = "1 request" if total == 1 else f"{total} requests"
    if verdict.allowed:
        return f"{counted}, all allowed by {policy}: {parts or 'nothing to build'}"
    wrong = len(verdict.denied) + len(verdict.objections)
    return f"{counted}, {wrong} denied by {policy}: {parts or 'nothing to build'}"


def lifted(decision: Decision) -> str:
    """What passed though the rules do not let it: by a waiver, or until a policy is enforced."""
    word = "waived" if decision.lifted is Lifted.WAIVED else "would be denied"
    where = printable(decision.request.pointer or "/", _LINE_WIDTH)
    about = printable(f"{decision.request.symbol}: {decision.reason}", _LINE_WIDTH)
    return f"{word}: {where}: {about}"


def summary(model: Any) -> str:
    """Keras's own summary, with every name in it made printable."""
    lines: list[str] = []

    def take(text: str, line_break: bool = False) -> None:  # noqa: FBT001, FBT002 - Keras's own
        del line_break
        lines.extend(text.split("\n"))

    model.summary(print_fn=take)
    return "\n".join(printable(line, _LINE_WIDTH) for line in lines).strip("\n")


def choose_backend(console: Console) -> None:
    """Settle which backend Keras is to use, and say so."""
    from secure_serial.cli.backend import choose

    name, why = choose(os.environ)
    console.tell(f"Keras backend: {printable(name)} ({why})")


def log_path(given: str | None, console: Console) -> str:
    """The log that was asked for, or the user's own; the story says which."""
    if given is not None:
        console.tell(f"audit log: {printable(given)}")
        return given
    from secure_serial.cli.state import default_log, make_folder

    log = default_log(os.environ)
    make_folder(log)
    console.tell(f"audit log: {printable(str(log))}")
    return str(log)


def _denied(error: LoadDenied, args: argparse.Namespace, console: Console) -> Exit:
    """Say it as a scan would; a refusal while building is in no verdict and said as it is."""
    verdict = error.verdict
    if verdict is None or verdict.allowed:
        if args.format == "json":
            fields = {"loaded": False, "error": error.message, "code": error.code}
            _report(args, console, Exit.FINDINGS, fields)
        return tell(error, console)
    from secure_serial.scanner.judge import Judge

    file = Judge(verdict.policy).report(verdict, args.file)
    console.tell(overview(verdict))
    if args.format == "json":
        from secure_serial.report import json_text

        _report(
            args, console, Exit.FINDINGS, {"loaded": False, "file": json_text.file_object(file)}
        )
    else:
        from secure_serial.report import text

        lines = text.file_lines(file, console.style(), verbose=console.verbose)
        console.result("\n".join(lines))
    return Exit.FINDINGS


def _object(model: Any, verdict: Verdict) -> dict[str, object]:
    kinds = Counter(_word(d.request.kind or d.request.action) for d in verdict.decisions)
    document = verdict.plan.document
    return {
        "file": {
            "name": document.name,
            "format": document.format.value,
            "judged_sha256": document.judged_sha256,
            "keras_version": document.keras_version,
        },
        "policy": {
            "name": verdict.policy.name,
            "version": verdict.policy.version,
            "sha256": verdict.policy.sha256,
        },
        "decisions": {"requests": len(verdict.decisions), "kinds": dict(sorted(kinds.items()))},
        "model": _model_object(model),
    }


def _model_object(model: Any) -> dict[str, object]:
    built = bool(getattr(model, "built", False))
    return {
        "name": str(model.name),
        "class": f"{type(model).__module__}.{type(model).__qualname__}",
        "layers": len(getattr(model, "layers", ())),
        "parameters": int(model.count_params()) if built else None,
        "input_shape": _shape(model, "input_shape"),
        "output_shape": _shape(model, "output_shape"),
    }


def _shape(model: Any, name: str) -> object:
    """A shape as JSON can hold it; None where the model has none yet."""
    try:
        return _plain(getattr(model, name))
    except (AttributeError, ValueError):
        return None


def _plain(shape: Any) -> object:
    """Shapes nest as the inputs do, which is as deep as the planner lets configs be."""
    if isinstance(shape, dict):
        return {str(key): _plain(item) for key, item in shape.items()}
    if isinstance(shape, list | tuple):
        return [_plain(item) for item in shape]
    return None if shape is None else int(shape)


def _report(
    args: argparse.Namespace, console: Console, code: Exit, fields: dict[str, object]
) -> None:
    console.report("load", code, {"path": args.file, **fields})


def _word(kind: Any) -> str:
    return str(kind.value)


def _plural(word: str) -> str:
    return _PLURALS.get(word, f"{word.replace('_', ' ')}s")
