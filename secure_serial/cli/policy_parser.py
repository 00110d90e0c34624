"""The arguments of `secure-serial policy …`: one function a command, and where each is run.

Imports nothing heavy: the parser is built on every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

#: Which module and function runs a command; imported when it is asked for.
RUNS = {
    "list": ("text_commands", "run_list"),
    "show": ("text_commands", "run_show"),
    "init": ("policy_write", "run_init"),
    "fmt": ("policy_write", "run_fmt"),
    "schema": ("policy_write", "run_schema"),
    "check": ("policy_check", "run_check"),
    "test": ("policy_check", "run_test"),
    "explain": ("policy_explain", "run_explain"),
    "diff": ("policy_explain", "run_diff"),
    "suggest": ("policy_explain", "run_suggest"),
    "keygen": ("policy_sign", "run_keygen"),
    "sign": ("policy_sign", "run_sign"),
    "verify": ("policy_sign", "run_verify"),
    "catalogue": ("policy_vet", "run_catalogue"),
    "vet": ("policy_vet", "run_vet"),
}


_EXITS = """\
exit codes, the same for every format:
  0    nothing is wrong
  1    something is: a problem, a test that failed, a widening, a refusal, a denial
  2    the arguments, a policy or the environment cannot be used
  3    there was nothing to look at
  4    some input could not be read
  101  a fault of this program"""


def add_policy_commands(plain: Callable[..., argparse.ArgumentParser], policy: str) -> None:
    """Add every command below `policy`.

    Args:
        plain: Adds one: its name, and what it does.
        policy: The help of `--policy`.

    """

    def add(name: str, help: str) -> argparse.ArgumentParser:
        parser = plain(name, help)
        parser.epilog = _EXITS
        return parser

    add("list", "list the shipped policies, a line each")
    _one(add("show", "print the text of a shipped policy"), "name", "NAME", "as `list` has it")
    _writing(add)
    _judging(add, policy)
    _comparing(add)
    _signing(add)
    _own_code(add)


def _writing(add: Callable[..., argparse.ArgumentParser]) -> None:
    init = add("init", "write a first policy, with a comment on all that can be said")
    init.add_argument("--out", metavar="FILE", help="where to (default: stdout); never overwritten")
    init.add_argument("--name", metavar="NAME", help="the name of the policy")
    fmt = add("fmt", "bring policies into their usual form; comments stay")
    _many(fmt, "files", "FILE", "a policy")
    fmt.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if one is not"
    )
    schema = add("schema", "print the JSON Schema of policies, for editors")
    schema.add_argument("--out", metavar="FILE", help="where to (default: stdout)")


def _judging(add: Callable[..., argparse.ArgumentParser], policy: str) -> None:
    check = add("check", "list all that is wrong with policies, or dubious, with line and column")
    _many(check, "files", "FILE", "a policy; several are layers, the first on top")
    _catalogue(check)
    check.add_argument(
        "--used-by", action="append", metavar="PATH", help="models: name the rules that none needs"
    )
    check.add_argument("--strict", action="store_true", help="warnings count as errors")
    _format(check)
    test = add("test", "run the [[test]] tables of policies")
    _many(test, "files", "FILE", "a policy; several are layers, the first on top")
    test.add_argument("--coverage", action="store_true", help="name the rules that no test needs")
    test.add_argument(
        "--mutate", action="store_true", help="change each rule: exit with 1 if no test notices"
    )
    _format(test)
    explain = add("explain", "say why each thing in a file is allowed or denied, and by which line")
    _one(explain, "file", "FILE", "a model or a config")
    explain.add_argument("pointer", nargs="?", metavar="POINTER", help="one place in it")
    explain.add_argument("--policy", metavar="POLICY", action="append", help=policy)
    _format(explain)


def _comparing(add: Callable[..., argparse.ArgumentParser]) -> None:
    diff = add("diff", "list what a new policy allows or denies that an old one does not")
    _one(diff, "old", "OLD", "a policy")
    _one(diff, "new", "NEW", "another")
    diff.add_argument("--models", action="append", metavar="PATH", help="compare on these, too")
    diff.add_argument(
        "--no-widening", action="store_true", help="exit with 1 if anything may become allowed"
    )
    _catalogue(diff)
    _format(diff)
    suggest = add("suggest", "write the smallest policy that allows what was seen, riskiest first")
    suggest.add_argument("files", nargs="*", metavar="FILE", help="a model or a folder")
    suggest.add_argument("--from-audit", metavar="LOG", help="what an audit log saw denied")
    suggest.add_argument("--base", metavar="POLICY", default="keras-core", help="what to extend")
    suggest.add_argument(
        "--include-risky", action="store_true",
        help="show, commented out, what reads files, fetches or executes",
    )  # fmt: skip
    suggest.add_argument("--out", metavar="FILE", help="where to (default: stdout)")


def _signing(add: Callable[..., argparse.ArgumentParser]) -> None:
    keygen = add("keygen", "make a key pair for signing policies (Ed25519)")
    pair = keygen.add_mutually_exclusive_group(required=True)
    pair.add_argument("--out", metavar="KEY", help="the private key's file, new")
    pair.add_argument("--show", metavar="KEY", help="print the public key of a private one")
    sign = add("sign", "sign a policy, with all that it extends, as a bundle (DSSE)")
    _one(sign, "policy", "POLICY", "the policy's file, or a bundle that another key has signed")
    sign.add_argument("--key", metavar="KEY", required=True, help="the private key's file")
    sign.add_argument("--out", metavar="BUNDLE", help="where to (default: POLICY as .dsse.json)")
    verify = add("verify", "check a bundle's signatures, version and expiry")
    _one(verify, "bundle", "BUNDLE", "the bundle's file")
    trust = verify.add_mutually_exclusive_group(required=True)
    trust.add_argument("--key", metavar="ed25519:…", action="append", help="a key that is trusted")
    trust.add_argument("--trust", metavar="FILE", help="a policy with a [trust] table")
    verify.add_argument("--at-least", metavar="N", type=int, help="refuse versions below this one")


def _own_code(add: Callable[..., argparse.ArgumentParser]) -> None:
    catalogue = add(
        "catalogue",
        "list the Keras classes of an installed package, for check and diff (imports the package)",
    )
    _one(catalogue, "package", "PACKAGE", "an installed package of your own")
    catalogue.add_argument("--out", metavar="FILE", help="where to (default: stdout)")
    vet = add("vet", "look own code over with bandit and print the evidence for a policy")
    vet.add_argument(
        "modules", nargs="*", metavar="MODULE", help="a module, or a distribution; not imported"
    )
    vet.add_argument(
        "--policy", action="append", metavar="POLICY", help="what its rules let in, and whether "
        "their evidence is good",
    )  # fmt: skip
    _format(vet)


def _one(parser: argparse.ArgumentParser, name: str, shown: str, help: str) -> None:
    parser.add_argument(name, metavar=shown, help=help)


def _many(parser: argparse.ArgumentParser, name: str, shown: str, help: str) -> None:
    parser.add_argument(name, nargs="+", metavar=shown, help=help)


def _catalogue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--catalogue", action="append", metavar="FILE",
        help="what `policy catalogue` wrote of your own package",
    )  # fmt: skip


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="what stdout gets"
    )
