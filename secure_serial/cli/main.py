"""Arguments in, exit code out. Each command is imported when it is asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from secure_serial.cli.console import Console, Unwritable
from secure_serial.cli.parser import make_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

#: The codes of `secure_serial.cli.exits`, which is not imported before it is needed.
_USAGE = 2
_INTERRUPTED = 130
_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code of the process.

    >>> main(["rule", "SS108", "--format", "yaml"])
    2

    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        parser = make_parser(argv)
        args = parser.parse_args(argv)
    except SystemExit as end:  # argparse has printed help or a mistake
        return end.code if isinstance(end.code, int) else 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    console = Console(args.color, args.quiet, args.verbose)
    try:
        code = _run(args, console, parser)
        console.finish()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return _PIPE
    except Unwritable as error:
        _drop_stdout()
        console.warn(f"secure-serial: stdout cannot be written: {error}")
        return _USAGE
    except Exception as error:  # noqa: BLE001 - whatever it is must end in an exit code
        from secure_serial.cli.trouble import tell

        return int(tell(error, console))
    return code


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


def _run(args: argparse.Namespace, console: Console, parser: argparse.ArgumentParser) -> int:
    if args.version:
        from secure_serial.cli.version import version

        console.result(f"secure-serial {version()}")
        return 0
    if args.command is None:
        parser.print_usage(sys.stderr)
        console.warn("secure-serial: a command is needed; see secure-serial --help")
        return 2
    if args.command in ("scan", "inspect"):
        from secure_serial.cli import scan_command

        run = scan_command.run_scan if args.command == "scan" else scan_command.run_inspect
        return int(run(args, console))
    if args.command == "load":
        from secure_serial.cli.load_command import run_load

        return int(run_load(args, console))
    if args.command == "run":
        from secure_serial.cli.run_command import run_program

        return int(run_program(args, console))
    if args.command == "migrate":
        from secure_serial.cli.migrate_command import run_migrate

        return int(run_migrate(args, console))
    if args.command == "lambda":
        from secure_serial.cli import lambda_command

        run = lambda_command.run_show if args.action == "show" else lambda_command.run_convert
        return int(run(args, console))
    if args.command == "policy":
        return int(_policy_command(args.action)(args, console))
    from secure_serial.cli import text_commands

    run = text_commands.run_rule if args.command == "rule" else text_commands.run_rules
    return int(run(args, console))


def _policy_command(action: str) -> Callable[[argparse.Namespace, Console], int]:
    from importlib import import_module

    from secure_serial.cli.policy_parser import RUNS

    module, function = RUNS[action]
    run: Callable[[argparse.Namespace, Console], int]
    run = getattr(import_module(f"secure_serial.cli.{module}"), function)
    return run


def _drop_stdout() -> None:
    """Point stdout to nowhere, so that the flush at exit does not fail once more."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (AttributeError, OSError, ValueError):  # no stdout, or no file: nothing will be flushed
        return
