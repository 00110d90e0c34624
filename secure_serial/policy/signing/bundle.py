"""The payload that is signed: a policy and every shipped policy it extends, as one text. Pure.

The shipped texts travel along so that one signature gives one verdict: a later release may
ship another `keras-core`. The form is canonical JSON (RFC 8785), so that a bundle has one
digest; whatever can be derived from the policy's own text is derived again on reading, and
must come out the same to the byte. What stands beside the text is for readers, never a
second opinion.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from secure_serial.artifact.json_text import parse_json
from secure_serial.errors import ArtifactError, InvalidPolicy, UntrustedPolicy, Where
from secure_serial.limits import Limits
from secure_serial.policy.model import ABOVE
from secure_serial.policy.reader import toml
from secure_serial.policy.signing.dsse import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_serial.artifact.document import Json
    from secure_serial.policy.signing.dsse import Envelope

PAYLOAD_TYPE = "application/vnd.secure-serial.policy.v1+json"
SCHEMA = 1
#: A policy extends one or two; every file is parsed.
MAX_FILES = 32
#: Names are written into records and the memory of versions.
MAX_NAME = 200
#: The largest whole number that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3).
MAX_VERSION = 2**53 - 1
_LIMITS = Limits(config_bytes=MAX_PAYLOAD, depth=3, nodes=8 + 4 * MAX_FILES)
_FIELDS = {"schema", "name", "version", "expires", "files"}
_FILE_FIELDS = {"name", "sha256", "text"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class BundledFile:
    """The text of one policy."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The digest of the text, as UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A policy with all that it takes to read it. `files[0]` is the policy itself.

    `signed_by` holds the trusted keys that signed it, and is empty where nobody has checked.
    """

    name: str
    version: int
    expires: str | None
    files: tuple[BundledFile, ...]
    signed_by: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The policy's own text."""
        return self.files[0].text

    @property
    def sha256(self) -> str:
        """The digest of the canonical form: the same, whoever signed it."""
        return hashlib.sha256(dump(self)).hexdigest()

    def shipped(self, name: str) -> str:
        """The text of a policy that this one extends. Raises KeyError for any other name.

        It takes the place of `secure_serial.data.policy_text` when the policy is read.
        """
        for file in self.files[1:]:
            if file.name == name:
                return file.text
        raise KeyError(f"the bundle holds no policy {name!r}")


def collect(text: str, source: str, shipped: Callable[[str], str]) -> Bundle:
    r"""The bundle of a policy.

    Args:
        text: The policy. What is signed needs a name and a version of its own.
        source: Where it stands, for messages.
        shipped: The text of a shipped policy by name; KeyError for any other name.

    Raises:
        InvalidPolicy: with all problems at once.

    >>> collect('schema = 1\nname = "acme"\nversion = 7', "acme.toml", {}.__getitem__).version
    7

    """
    head = _read_head(text, source)
    files = [BundledFile(head.name, text)]
    problems: list[str] = []
    wanted = list(head.extends)
    seen = set(wanted)
    for name in wanted:  # grows while it is walked: what these extend comes behind them
        if len(wanted) >= MAX_FILES:
            problems.append(f"extends: more than {MAX_FILES - 1} policies")
            break
        try:
            base = shipped(name)
        except KeyError as error:
            problems.append(f"extends: {error.args[0]}")
            continue
        files.append(BundledFile(name, base))
        more = _extends(toml(base, name), problems)
        wanted += [each for each in more if each not in seen]
        seen.update(more)
    if problems:
        raise InvalidPolicy("the policy cannot be bundled", problems=problems, where=Where(source))
    bundle = Bundle(head.name, head.version, head.expires, tuple(files))
    if len(dump(bundle)) > MAX_PAYLOAD:
        raise InvalidPolicy(f"a bundle of more than {MAX_PAYLOAD} bytes", where=Where(source))
    return bundle


def dump(bundle: Bundle) -> bytes:
    """The canonical form. Without floats, and with ASCII keys, `json` writes it as RFC 8785 does.

    >>> dump(Bundle("a", 1, None, ()))
    b'{"expires":null,"files":[],"name":"a","schema":1,"version":1}'
    """
    data = {
        "schema": SCHEMA,
        "name": bundle.name,
        "version": bundle.version,
        "expires": bundle.expires,
        "files": [{"name": f.name, "sha256": f.sha256, "text": f.text} for f in bundle.files],
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def unpack(envelope: Envelope) -> Bundle:
    """The bundle in an envelope. Says nothing on who signed it.

    Raises:
        UntrustedPolicy: the envelope is one of something else.
        InvalidPolicy: as `parse`.

    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise UntrustedPolicy(f"what is signed is no policy but {envelope.payload_type!r:.80}")
    return parse(envelope.payload)


def parse(payload: bytes) -> Bundle:
    r"""The bundle that a payload is, checked against what its first text says.

    Raises:
        InvalidPolicy: it is none, says other than its text, or is not in the canonical form.

    >>> made = collect('name = "acme"\nversion = 7', "acme.toml", {}.__getitem__)
    >>> parse(dump(made)) == made
    True

    """
    data, files = _shape(payload)
    # Derived anew, from the texts alone; all else in the payload can but agree, or be refused.
    given = Bundle("", 0, None, files)
    bundle = collect(given.text, "", given.shipped)
    problems = [
        f"{key}: {data[key]!r:.80} is not what the policy's text says"
        for key in ("name", "version", "expires")
        if data[key] != getattr(bundle, key)
    ]
    if files != bundle.files:
        problems.append("files: not the policy and what it extends, in this order")
    elif not problems and dump(bundle) != payload:
        problems.append("it is not written in the canonical form, or a digest is wrong")
    if problems:
        raise InvalidPolicy("the bundle cannot be used", problems=problems)
    return bundle


class _Head(NamedTuple):
    name: str
    version: int
    expires: str | None
    extends: list[str]


def _read_head(text: str, source: str) -> _Head:
    data = toml(text, source)
    problems: list[str] = []
    name, version, expires = data.get("name"), data.get("version"), data.get("expires")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(
            f"name: what is signed needs one, of at most {MAX_NAME} printable characters"
        )
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        problems.append("version: what is signed needs one, a whole number from 1")
    # A TOML date is known by how it writes itself: the core imports no clock.
    date = str(getattr(expires, "isoformat", str)())
    if expires is not None and not _DATE.fullmatch(date):
        problems.append("expires: must be a date, as 2027-06-30 without quotes")
    extends = _extends(data, problems)
    if problems:
        raise InvalidPolicy("the policy cannot be bundled", problems=problems, where=Where(source))
    return _Head(cast("str", name), cast("int", version), date or None, extends)


def _extends(data: dict[str, Json], problems: list[str]) -> list[str]:
    """The policies that one extends, each once."""
    value = data.get("extends", [])
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problems.append("extends: must be a list of texts")
        return []
    return [name for name in dict.fromkeys(names) if name != ABOVE]  # which is no policy


def _shape(payload: bytes) -> tuple[dict[str, Json], tuple[BundledFile, ...]]:
    """The fields of a payload and the files among them, if it is of the shape of a bundle."""
    try:
        tree = parse_json(payload, _LIMITS)
    except ArtifactError as error:
        raise InvalidPolicy(f"the payload is no bundle: {error.message}") from None
    if not isinstance(tree, dict) or set(tree) != _FIELDS:
        raise InvalidPolicy(f"the payload must hold {', '.join(sorted(_FIELDS))}, and no more")
    if type(tree["schema"]) is not int or tree["schema"] != SCHEMA:
        raise InvalidPolicy(f"schema: must be {SCHEMA}, the version that this release reads")
    files = tree["files"]
    if not isinstance(files, list) or not files:
        raise InvalidPolicy("files: must be a list that starts with the policy itself")
    for file in files:
        if not isinstance(file, dict) or set(file) != _FILE_FIELDS:
            raise InvalidPolicy(f"files: each must hold {', '.join(sorted(_FILE_FIELDS))}")
        if not all(isinstance(value, str) for value in file.values()):
            raise InvalidPolicy("files: all that they hold must be text")
    return tree, tuple(BundledFile(file["name"], file["text"]) for file in files)
