"""From what a caller gives for `policy=` to a policy. The only file here that reads any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.data import policy_names, policy_text
from secure_serial.errors import InvalidPolicy, Where
from secure_serial.policy.model import Policy
from secure_serial.policy.reader import MAX_BYTES, parse

if TYPE_CHECKING:
    import os

#: What holds where nobody chose: ordinary models, and the program's own classes.
DEFAULT = "keras-core"


def load_policy(given: Policy | str | os.PathLike[str] | None = None) -> Policy:
    """The policy that is meant.

    Args:
        given: A `Policy`; the name of a shipped one; the path of a TOML file (a file
            cannot stand in for a shipped name: write `./keras-core` if it is so called);
            or None for `keras-core`.

    Raises:
        InvalidPolicy: it cannot be read or used; lists all that is wrong with it.

    >>> load_policy("strict").caller_objects
    <CallerObjects.LISTED: 'listed'>

    """
    if isinstance(given, Policy):
        return given
    if given is None or (isinstance(given, str) and given in policy_names()):
        name = given or DEFAULT
        return parse(policy_text(name), name, policy_text)
    path = Path(given)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:  # a part of a policy may lack what was meant to deny
            raise ValueError(f"more than {MAX_BYTES} bytes")  # noqa: TRY301
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        known = ", ".join(policy_names())
        raise InvalidPolicy(
            f"cannot be read as a policy: {reason}",
            problems=[f"it is no shipped policy either (there are: {known})"],
            where=Where(str(given)),
        ) from None
    return parse(text, str(given), policy_text)


def parse_policy(text: str, source: str = "<text>") -> Policy:
    r"""The policy that a TOML text means.

    Raises:
        InvalidPolicy: with all problems at once.

    >>> parse_policy('schema = 1\nextends = "keras-core"').name
    '<text>'

    """
    return parse(text, source, policy_text)
