"""`secure-serial policy keygen`, `sign` and `verify`: policies that show whose they are.

Imports nothing at the start: the parser asks for `add`, and must stay light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from secure_serial.cli.console import Console
    from secure_serial.cli.exits import Exit
    from secure_serial.policy.signing import Bundle, Trust

_KEY = "a public key, as keygen prints it; of several, one must have signed"


def add(actions: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the three actions to those of `policy`; `command` makes one parser."""
    keygen = command(
        actions, "keygen", "make a key pair to sign policies with",
        "The public key is printed, to stand in a [trust] table. The private key is written to a\n"
        "new file that only you can read. Keep it where the policies are not.",
    )  # fmt: skip
    keygen.add_argument("--out", required=True, metavar="KEY", help="the file of the private key")
    sign = command(
        actions, "sign", "sign a policy, or add a signature to a signed one",
        "examples:\n  secure-serial policy sign acme.toml --key acme.key --out acme.bundle\n"
        "  secure-serial policy sign acme.bundle --key second.key --out acme.bundle",
    )  # fmt: skip
    sign.add_argument("policy", metavar="POLICY", help="a policy in TOML, or a signed bundle")
    sign.add_argument("--key", required=True, metavar="KEY", help="the file of the private key")
    sign.add_argument("--out", metavar="BUNDLE", help="where to write (default: stdout)")
    verify = command(
        actions, "verify", "check who signed a policy, its version and its date",
        "examples:\n  secure-serial policy verify acme.bundle --trust organisation.toml\n"
        "  secure-serial policy verify acme.bundle --key ed25519:... --at-least 7",
    )  # fmt: skip
    verify.add_argument("bundle", metavar="BUNDLE", help="a signed policy")
    demand = verify.add_mutually_exclusive_group(required=True)
    demand.add_argument("--key", action="append", metavar="KEY", help=_KEY)
    demand.add_argument("--trust", metavar="FILE", help="a policy with a [trust] table")
    verify.add_argument(
        "--at-least", type=_version, default=1, metavar="VERSION", help="refuse older versions"
    )
    verify.add_argument(
        "--seen", metavar="FILE", help="remember here what was verified, and refuse to go back"
    )


def run_keygen(args: argparse.Namespace, console: Console) -> Exit:
    """Make a key pair; stdout gets the public key."""
    from secure_serial.cli.exits import Exit
    from secure_serial.policy.signing.keys import generate

    public = generate(args.out)
    console.tell(f"private key: {_shown(args.out)} (keep it secret, and keep a copy)")
    console.result(public)
    return Exit.CLEAN


def run_sign(args: argparse.Namespace, console: Console) -> Exit:
    """Sign a policy, or add a signature to a bundle."""
    from secure_serial.cli.exits import Exit
    from secure_serial.data import policy_text
    from secure_serial.policy.signing import add_signature, read_unverified, sign_policy
    from secure_serial.policy.signing.dsse import MAX_BYTES
    from secure_serial.policy.signing.keys import load

    data = _read(args.policy, MAX_BYTES)
    signed_before = data.lstrip().startswith(b"{")  # which no TOML does
    _check_out(args, signed_before=signed_before)
    key = load(args.key)
    if signed_before:
        signed = add_signature(data, key)
    else:
        signed = sign_policy(_text(data, args.policy), args.policy, policy_text, key)
    if args.out is None:
        console.result(signed.decode().rstrip("\n"))
    else:
        _write(args.out, signed)
        console.tell(f"written: {_shown(args.out)}")
    for line in _about(read_unverified(signed)):  # so that a signer sees what was signed
        console.tell(line)
    console.tell(f"  signed by {key.public}")
    return Exit.CLEAN


def run_verify(args: argparse.Namespace, console: Console) -> Exit:
    """Check a bundle; stdout gets what it is, or nothing."""
    import datetime as dt

    from secure_serial.cli.exits import Exit
    from secure_serial.cli.trouble import tell
    from secure_serial.errors import PolicyError
    from secure_serial.policy.signing import verify_and_remember, verify_bundle
    from secure_serial.policy.signing.dsse import MAX_BYTES
    from secure_serial.policy.signing.keys import require

    require()
    trust = _trust(args)
    data = _read(args.bundle, MAX_BYTES)
    today = dt.datetime.now(dt.UTC).date()  # so that a policy expires everywhere at once
    try:
        if args.seen is None:
            bundle = verify_bundle(data, trust, today, (), args.bundle)
        else:
            bundle = verify_and_remember(data, trust, today, args.seen, args.bundle)
    except PolicyError as error:  # it was judged, and is refused: not a fault of the arguments
        tell(error, console)
        return Exit.FINDINGS
    for line in _about(bundle):
        console.result(line)
    return Exit.CLEAN


def _trust(args: argparse.Namespace) -> Trust:
    import dataclasses

    from secure_serial.errors import InvalidPolicy, Where
    from secure_serial.policy.signing import Trust, parse_trust
    from secure_serial.policy.signing.bundle import read_toml
    from secure_serial.policy.signing.dsse import MAX_BYTES

    if args.trust is None:
        trust = Trust(tuple(args.key))
    else:
        table = read_toml(_text(_read(args.trust, MAX_BYTES), args.trust), args.trust).get("trust")
        if table is None:
            raise InvalidPolicy("it has no [trust] table", where=Where(args.trust))
        trust = parse_trust(table, args.trust)
    return dataclasses.replace(trust, minimum_version=max(trust.minimum_version, args.at_least))


def _about(bundle: Bundle) -> list[str]:
    """What a bundle is, in lines: the policy, its digest, the texts in it, and who signed."""
    until = f", expires {bundle.expires}" if bundle.expires else ""
    return [
        f"{_shown(bundle.name)}, version {bundle.version}{until}",
        f"  bundle {bundle.sha256}",
        *(f"  holds {_shown(file.name)} {file.sha256}" for file in bundle.files),
        *(f"  signed by {key}" for key in bundle.signed_by),
    ]


def _check_out(args: argparse.Namespace, *, signed_before: bool) -> None:
    """The result may take the place of a bundle, never that of a policy's source or a key."""
    from pathlib import Path

    from secure_serial.cli.trouble import UsageError

    if args.out is None or not Path(args.out).exists():
        return
    precious = [args.key] if signed_before else [args.key, args.policy]
    if any(Path(each).exists() and Path(args.out).samefile(each) for each in precious):
        raise UsageError(f"--out would overwrite {_shown(args.out)}, which is needed")


def _read(path: str, most: int) -> bytes:
    from pathlib import Path

    from secure_serial.cli.trouble import UsageError

    try:
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > most:
        raise UsageError(f"{path}: more than {most} bytes")
    return data


def _text(data: bytes, path: str) -> str:
    from secure_serial.errors import InvalidPolicy, Where

    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidPolicy(f"not UTF-8: {error.reason}", where=Where(path)) from None


def _write(path: str, data: bytes) -> None:
    from pathlib import Path

    from secure_serial.cli.trouble import UsageError

    try:
        Path(path).write_bytes(data)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _shown(text: str) -> str:
    from secure_serial.report.printable import printable

    return printable(text)


def _version(text: str) -> int:
    import argparse

    if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) < 1:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"not a version: {text!r:.40}")
    return int(text)
