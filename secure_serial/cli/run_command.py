"""`secure-serial run`: a program, and the Pythons that it starts, sealed by a policy."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.cli.load_command import log_path
from secure_serial.cli.state import run_folder
from secure_serial.cli.trouble import UsageError
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from secure_serial.cli.console import Console
    from secure_serial.cli.exits import Exit

#: Python's options whose value is the next argument.
_TAKES_ONE = ("-W", "-X", "--check-hash-based-pycs")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*w?(?:\.exe)?")


def run_program(args: argparse.Namespace, console: Console) -> Exit:
    """Become the program. Its exit code is then this command's."""
    from secure_serial.policy.source import load_policy
    from secure_serial.startup.told import prepare

    command = args.program[1:] if args.program[:1] == ["--"] else args.program
    if not command:
        raise UsageError("which program? For example: secure-serial run -- python train.py")
    deaf = deaf_option(command)
    if deaf:
        raise UsageError(
            f"Python's option {deaf} makes it deaf to the seal: it would run without one"
        )
    policy = load_policy(args.policy)
    log = log_path(args.audit, console)
    folder = prepare(run_folder(os.environ), args.policy, policy, log)
    environ = {**os.environ, "PYTHONPATH": first_on_path(str(folder), os.environ)}
    console.tell(f"sealed by {printable(policy.name)}: {printable(' '.join(command), 200)}")
    console.finish()
    try:
        # What the user asked for, word by word, and no shell.
        os.execvpe(command[0], command, environ)  # noqa: S606  # nosec B606
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror or error}") from None


def first_on_path(folder: str, environ: os._Environ[str] | dict[str, str]) -> str:
    """PYTHONPATH with a folder before all others.

    >>> first_on_path("/seal", {"PYTHONPATH": "/ours"}).split(os.pathsep)
    ['/seal', '/ours']
    """
    before = environ.get("PYTHONPATH", "")
    return os.pathsep.join([folder, before]) if before else folder


def deaf_option(command: Sequence[str]) -> str:
    """The option that makes a Python ignore PYTHONPATH or `sitecustomize`; empty if there is none.

    >>> deaf_option(["python3", "-Bs", "-I", "train.py"]), deaf_option(["python", "x.py", "-I"])
    ('-I', '')
    """
    if not _PYTHON.fullmatch(Path(command[0]).name):
        return ""
    arguments = iter(command[1:])
    for argument in arguments:
        if argument in _TAKES_ONE:
            next(arguments, None)
        elif argument.startswith("--"):
            continue
        elif not argument.startswith("-") or argument == "-":
            return ""
        else:
            letters = re.split("[cmWX]", argument[1:], maxsplit=1)[0]
            for letter in letters:
                if letter in "IES":
                    return f"-{letter}"
            if len(letters) < len(argument) - 1 and argument[1 + len(letters)] in "cm":
                return ""
    return ""
