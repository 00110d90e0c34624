"""The command line as argparse sees it. Imports nothing else, so that `--help` is quick."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, TypeAlias

    # argparse has no public name for what add_subparsers returns.
    _Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001

_PROG = "secure-serial"

_EXITS = """\
exit codes, the same for every format:
  0    all that was judged is allowed
  1    something is denied
  2    the arguments, the policy or the environment cannot be used
  3    nothing was there to be judged
  4    some input could not be read (or, by `load`, not be built)
  101  a fault of this program
  130  interrupted; 141  whoever read the output went away
Where several hold: 101, then 2, 1, 4, 3, 0."""

_EXAMPLES = """\
examples:
  secure-serial scan models/                       judge every model in a folder
  secure-serial scan model.keras --format json     the same for programs
  secure-serial scan m.h5 --policy our-policy.toml judge by a policy of your own
  secure-serial inspect model.keras                see what a file would build
  secure-serial load model.keras --audit a.jsonl   load it under the policy, on the record
  secure-serial lambda show model.h5               read what its lambdas do
  secure-serial run -- python train.py             a program of yours, sealed by the policy
  secure-serial rule SS303                         what a code means, offline"""

_POLICY = (
    "the name of a shipped policy, or the path of a TOML file; several are layers, the first "
    "on top (default: the system-wide file, else keras-core)"
)
_FORMAT = "what stdout gets (default: text)"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Asks for the width itself: argparse would import shutil and all its compressors."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns())


def _columns() -> int:
    """The width to format for, as argparse has it: two less than the terminal's."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and len(given) < 5:  # noqa: PLR2004
        return max(int(given) - 2, 20)
    try:
        return max(os.get_terminal_size(1).columns - 2, 20)
    except (OSError, ValueError, AttributeError):
        return 78


class Parser(argparse.ArgumentParser):
    """A parser that guesses what a mistyped command was meant to be."""

    def error(self, message: str) -> NoReturn:
        """End with usage, the message and exit code 2."""
        super().error(message + _did_you_mean(message))


def _did_you_mean(message: str) -> str:
    import difflib
    import re

    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if found is None:
        return ""
    choices = re.findall(r"[\w-]+", found[2])
    near = difflib.get_close_matches(found[1], choices, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def make_parser(argv: Sequence[str] | None = None) -> Parser:
    """The command line; what is below `policy` and `lambda` is added where it is asked for."""
    parser = Parser(
        prog=_PROG,
        description="Judge Keras models by an allowlist before anything of them is built.",
        epilog=f"{_EXAMPLES}\n\n{_EXITS}",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    _common(parser, main=True)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", prog=_PROG
    )
    _scan(commands)
    _inspect(commands)
    _load(commands)
    _migrate(commands)
    _lambda(commands, whole=argv is None or "lambda" in argv)
    _run(commands)
    _rules(commands)
    _policy(commands, whole=argv is None or "policy" in argv)
    return parser


def _command(commands: _Commands, name: str, help: str, epilog: str) -> Parser:
    parser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"{epilog}\n\n{_EXITS}",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    _common(parser, main=False)
    return parser


def _common(parser: argparse.ArgumentParser, *, main: bool) -> None:
    """Options that may stand before the command and behind it."""

    def default(value: object) -> object:
        # A command's own default must not undo what stood before it.
        return value if main else argparse.SUPPRESS

    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default=default("auto"),
        help="colours: auto heeds NO_COLOR and FORCE_COLOR, and whether stdout is a terminal",
    )  # fmt: skip
    parser.add_argument(
        "-q", "--quiet", action="count", default=default(0),
        help="print less: once, what needs attention; twice, the summary",
    )  # fmt: skip
    parser.add_argument(
        "-v", "--verbose", action="count", default=default(0),
        help="print more: every place, digests; the traceback of an internal error",
    )  # fmt: skip


def _judging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", metavar="POLICY", action="append", help=_POLICY)
    parser.add_argument("--audit", metavar="PATH", help="append a record of each decision here")
    _format(parser)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help=_FORMAT)


def _scan(commands: _Commands) -> None:
    parser = _command(
        commands,
        "scan",
        "judge files, and the models in folders, without loading any",
        "Folders are searched in the order of names; links in them are not followed. A file\n"
        "that you name must be a Keras config; one in a folder that is none is skipped, and\n"
        "counted.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    _judging(parser)


def _inspect(commands: _Commands) -> None:
    parser = _command(
        commands,
        "inspect",
        "show all that a file would build, with the policy's word on each object",
        "examples:\n  secure-serial inspect model.keras --depth 1\n"
        "  secure-serial inspect model.keras --all",
    )
    parser.add_argument("file", metavar="FILE", help="a model, a config or a saved folder")
    parser.add_argument(
        "--depth", type=_depth, metavar="N", help="draw N levels below the model (default: all)"
    )
    parser.add_argument(
        "--all", action="store_true", help="draw initializers and their like, and every repeat"
    )
    _judging(parser)


def _load(commands: _Commands) -> None:
    parser = _command(
        commands,
        "load",
        "load a model with Keras under a policy, on the record, and print its summary",
        "The decisions are always written to an audit log before anything is built: to --audit,\n"
        "or to a file of yours whose path is printed. KERAS_BACKEND is heeded.",
    )
    parser.add_argument("file", metavar="FILE", help="a .keras or .h5 model, or a config")
    _judging(parser)


def _run(commands: _Commands) -> None:
    parser = _command(
        commands,
        "run",
        "run a program in which Keras itself obeys a policy, from its start to its end",
        "Every Python that the program starts is sealed, too, as long as it inherits PYTHONPATH\n"
        "and is not started with -I, -E or -S. What is denied raises LoadDenied in the program.\n"
        "The exit code is the program's.\n\n"
        "examples:\n  secure-serial run -- python train.py --epochs 3\n"
        "  secure-serial run --policy ours.toml --audit a.jsonl -- pytest",
    )
    parser.add_argument("--policy", metavar="POLICY", action="append", help=_POLICY)
    parser.add_argument("--audit", metavar="PATH", help="append a record of each decision here")
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="-- PROGRAM ARGS", help="what to run"
    )


def _migrate(commands: _Commands) -> None:
    parser = _command(
        commands,
        "migrate",
        "bring a model of Keras 0 to 2 into today's form, judged before and after",
        "What has no exact form of today is refused. With `-o NAME.keras` the model is built and\n"
        "saved with its weights; else its config is written as JSON, for which no Keras is needed.",
    )
    parser.add_argument("file", metavar="FILE", help="a .h5 model, or a config")
    parser.add_argument("-o", "--out", metavar="OUT", help="a new file (default: stdout)")
    parser.add_argument("--policy", metavar="POLICY", action="append", help=_POLICY)
    parser.add_argument("--audit", metavar="PATH", help="append a record of each decision here")


def _lambda(commands: _Commands, *, whole: bool) -> None:
    parser = commands.add_parser(
        "lambda",
        help="read the functions whose code stands in a file, without running any",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    _common(parser, main=False)
    if not whole:
        return
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", prog=f"{_PROG} lambda", required=True
    )
    show = _command(
        actions,
        "show",
        "print each function as source, with what it uses and whether the sandbox runs it",
        "4 is for a function that cannot be shown, 1 for one that the sandbox does not run, that\n"
        "the policy denies, or whose two forms differ, 3 where there is none.\n\n"
        "examples:\n  secure-serial lambda show model.h5\n"
        "  secure-serial lambda show model.keras /config/layers/1/config/function\n"
        "  secure-serial lambda show model.keras --policy sandbox",
    )
    show.add_argument("file", metavar="FILE", help="a model, a config or a saved folder")
    show.add_argument("pointer", metavar="POINTER", nargs="?", help="of one of them (default: all)")
    show.add_argument("--policy", metavar="POLICY", action="append", help="what it says to each")
    _format(show)
    convert = _command(
        actions,
        "convert",
        "write a copy in which each function stands as source, so that any Python reads it",
        "The copy is of the same format; weights and assets are copied bit for bit. Where one\n"
        "function cannot be shown, nothing is written.",
    )
    convert.add_argument("file", metavar="FILE", help="a .keras or .h5 model, or config JSON")
    convert.add_argument("-o", "--out", metavar="OUT", required=True, help="a new file")
    convert.add_argument(
        "--drop-bytecode", action="store_true",
        help="leave out the bytecode, so that nothing but this package can run the functions",
    )  # fmt: skip


def _rules(commands: _Commands) -> None:
    one = _command(
        commands, "rule", "explain one code of a finding, offline",
        "examples:\n  secure-serial rule SS303\n  secure-serial rule wrong-kind",
    )  # fmt: skip
    one.add_argument("code", metavar="CODE", help="a code (SS303) or its short name (code-in-file)")
    _format(one)
    every = _command(commands, "rules", "list all codes of findings", "")
    _format(every)


def _policy(commands: _Commands, *, whole: bool) -> None:
    parser = _command(
        commands, "policy", "write, check, test, compare and sign policies",
        "examples:\n  secure-serial policy init --out ours.toml\n"
        "  secure-serial policy check ours.toml\n  secure-serial policy show keras-core",
    )  # fmt: skip
    if not whole:  # seventeen parsers would cost each scan some milliseconds
        return
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", prog=f"{_PROG} policy", required=True
    )

    def add(name: str, help: str) -> Parser:
        return _command(actions, name, help, "")

    from secure_serial.cli.policy_parser import add_policy_commands

    add_policy_commands(add, _POLICY)


def _depth(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"not a number of levels: {text!r:.40}")
    return int(text)
