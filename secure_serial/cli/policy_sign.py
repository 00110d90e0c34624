"""`secure-serial policy keygen`, `sign` and `verify`: policies that show whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.cli.day import today
from secure_serial.cli.exits import Exit
from secure_serial.cli.trouble import UsageError, tell
from secure_serial.report.printable import printable

if TYPE_CHECKING:
    import argparse
    from datetime import date

    from secure_serial.cli.console import Console
    from secure_serial.policy.signing import Bundle, Trust

_SUFFIX = ".dsse.json"
#: How a bundle begins, and neither TOML nor a key does.
_BRACE = b"{"


def run_keygen(args: argparse.Namespace, console: Console) -> Exit:
    """Make a key pair, or read one; stdout gets the public key."""
    from secure_serial.policy.signing.keys import generate, load

    if args.show is not None:
        console.result(load(args.show).public)
        return Exit.CLEAN
    public = generate(args.out)
    console.tell(f"private key: {printable(args.out)} (keep it secret, and keep a copy)")
    console.result(public)
    return Exit.CLEAN


def run_sign(args: argparse.Namespace, console: Console) -> Exit:
    """Sign a policy, or add a signature to a bundle; stdout gets the path of the bundle."""
    from secure_serial.data import policy_text
    from secure_serial.policy.reader import parse
    from secure_serial.policy.signing import add_signature, read_unverified, sign_policy
    from secure_serial.policy.signing.keys import load

    data = _read(args.policy)
    is_bundle = data.lstrip().startswith(_BRACE)
    key = load(args.key)
    if is_bundle:
        signed = add_signature(data, key)
    else:
        signed = sign_policy(_text(data, args.policy), args.policy, policy_text, key)
    bundle = read_unverified(signed)
    parse(bundle.text, args.policy, bundle.shipped)  # what nobody can use must not be signed
    out = args.out or (args.policy if is_bundle else f"{_stem(args.policy)}{_SUFFIX}")
    _write(out, signed, over=is_bundle and out == args.policy)
    for line in _about(bundle):  # so that whoever signs sees what was signed
        console.tell(line)
    console.tell(f"  signed by {key.public}")
    console.result(printable(out))
    return Exit.CLEAN


def run_verify(args: argparse.Namespace, console: Console) -> Exit:
    """Check a bundle; stdout gets what it is, or nothing."""
    from secure_serial.errors import PolicyError
    from secure_serial.policy.signing import verify_bundle
    from secure_serial.policy.signing.keys import require

    require()
    trust = _trust(args)
    data = _read(args.bundle)
    day = today()
    try:
        bundle = verify_bundle(data, trust, day, (), args.bundle)
    except PolicyError as error:  # it was judged, and is refused: not a fault of the arguments
        tell(error, console)
        return Exit.FINDINGS
    for line in _about(bundle):
        console.result(line)
    _tell_seen(data, trust, day, console)
    return Exit.CLEAN


def _tell_seen(data: bytes, trust: Trust, day: date, console: Console) -> None:
    """Say so if a load by this user would refuse what is signed well: a newer one was seen."""
    from secure_serial.errors import PolicyError
    from secure_serial.policy.signing import verify_bundle
    from secure_serial.policy.signing.versions import recall
    from secure_serial.policy.source import memory_file

    try:
        verify_bundle(data, trust, day, recall(memory_file()))
    except PolicyError as error:
        console.warn(f"a load by this user would refuse it: {printable(error.message)}")
    except (LookupError, RuntimeError):  # a user without a home has loaded none
        return


def _trust(args: argparse.Namespace) -> Trust:
    """What is demanded: of several keys one must have signed, if a file does not say more."""
    import dataclasses

    from secure_serial.errors import InvalidPolicy, Where
    from secure_serial.policy.reader import toml
    from secure_serial.policy.signing import Trust, parse_trust
    from secure_serial.policy.signing.trust import PREFIX

    if args.trust is None:
        for key in args.key:
            if not key.startswith(PREFIX):
                raise UsageError(
                    f"--key {key}: takes the public key, {PREFIX}…, that keygen printed; "
                    "`policy keygen --show KEY` prints it again"
                )
        trust = Trust(tuple(args.key))
    else:
        table = toml(_text(_read(args.trust), args.trust), args.trust).get("trust")
        if table is None:
            raise InvalidPolicy("it has no [trust] table", where=Where(args.trust))
        trust = parse_trust(table, args.trust)
    floor = max(trust.minimum_version, args.at_least or 0)
    return dataclasses.replace(trust, minimum_version=floor)


def _about(bundle: Bundle) -> list[str]:
    """What a bundle is, in lines: the policy, its digest, the texts in it, and who signed."""
    until = f", expires {bundle.expires}" if bundle.expires else ""
    return [
        f"{printable(bundle.name)}, version {bundle.version}{until}",
        f"  bundle {bundle.sha256}",
        *(f"  holds {printable(file.name)} {file.sha256}" for file in bundle.files),
        *(f"  signed by {key}" for key in bundle.signed_by),
    ]


def _stem(path: str) -> str:
    return path.removesuffix(".toml")


def _read(path: str) -> bytes:
    from secure_serial.policy.signing.dsse import MAX_BYTES

    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unusable(path, error) from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: more than {MAX_BYTES} bytes")
    return data


def _text(data: bytes, path: str) -> str:
    from secure_serial.errors import InvalidPolicy, Where

    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidPolicy(f"not UTF-8: {error.reason}", where=Where(path)) from None


def _write(path: str, data: bytes, *, over: bool) -> None:
    """Write a bundle, in the place of none but an older one: what is there would be lost."""
    from secure_serial.authoring.writing import create, replace
    from secure_serial.errors import PolicyError, Where
    from secure_serial.policy.signing import merged

    out = Path(path)
    try:
        if out.is_file() and out.stat().st_size and not over:
            there = _read(path)
            if not there.startswith(_BRACE):
                raise UsageError(f"{path}: is there already, and no bundle; it is not overwritten")
            data = merged(there, data)
        replace(out, data) if out.exists() else create(out, data)  # whole or not at all
    except PolicyError as error:
        error.where = Where(path)
        raise
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from None


def _unusable(path: str, error: Exception) -> UsageError:
    return UsageError(f"{path}: {getattr(error, 'strerror', None) or error}")
