"""`secure-serial migrate`: a model of Keras 0 to 2 in today's form, judged before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.cli.exits import Exit
from secure_serial.cli.files import create
from secure_serial.cli.scan_command import tell_fault
from secure_serial.cli.trouble import UsageError, tell
from secure_serial.errors import ArtifactError, ConstructionError, LoadDenied
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse

    from secure_serial.artifact.document import Document
    from secure_serial.cli.console import Console
    from secure_serial.policy.model import Policy


def run_migrate(args: argparse.Namespace, console: Console) -> Exit:
    """Write the config of a file in today's form, or with `-o X.keras` the whole model."""
    from secure_serial.policy.source import load_policy

    policy = load_policy(args.policy)
    if args.out is not None and Path(args.out).suffix.lower() in {".h5", ".hdf5"}:
        raise UsageError(f"{args.out}: what is written is a .keras file, or a config as JSON")
    try:
        if args.out is not None and args.out.endswith(".keras"):
            _whole_model(args, policy, console)
        else:
            _config(args, policy, console)
    except LoadDenied as error:
        return tell(error, console)
    except ArtifactError as error:
        return tell_fault(error, args.file, "text", "migrate", console)
    except ConstructionError as error:
        return tell(error, console)
    if args.out is not None:
        console.tell(f"written: {printable(args.out)}")
    return Exit.CLEAN


def _config(args: argparse.Namespace, policy: Policy, console: Console) -> None:
    """The config alone. Needs no Keras."""
    from secure_serial.artifact import open_artifact
    from secure_serial.construct.migration import todays_document

    with open_artifact(args.file, policy.limits) as opened:
        document = todays_document(opened, policy, args.audit)
    if document.weights:
        console.tell("the config alone; -o with a name that ends in .keras takes the weights along")
    text = _text(document)
    if args.out is None:
        console.result(text)
    else:
        create(args.out, f"{text}\n".encode())


def _text(document: Document) -> str:
    """The config as JSON; control characters in it are escaped, so that a terminal is safe."""
    return json.dumps(document.parts[0].root, indent=1)


def _whole_model(args: argparse.Namespace, policy: Policy, console: Console) -> None:
    """The model with its weights, saved by Keras."""
    if Path(args.out).exists():
        raise UsageError(f"{args.out} is there already")
    from secure_serial.cli.load_command import choose_backend
    from secure_serial.construct.load import load_result

    choose_backend(console)
    result = load_result(args.file, policy=policy, audit=args.audit, safe_mode=False, migrate=True)
    try:
        result.model.save(args.out)
    except OSError as error:  # of the new file alone: what was read is closed
        raise UsageError(f"{args.out} cannot be written: {error.strerror or error}") from error
