"""Which requests of a model a person means by a place in it. Wrong places get a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.report.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.artifact.document import Document, Json
    from secure_serial.policy.engine import Decision

#: Keys of one object that a mistyped one is compared with, and how much of each.
_MOST_KEYS = 500
_KEY_CHARS = 80
#: Keys that are listed where none is much alike.
_SHOWN = 12


class NoSuchPlaceError(LookupError):
    """The model has no such place; the message says what is near it."""


class Selection(NamedTuple):
    """What a place holds: requests that are meant, and those below them."""

    meant: tuple[Decision, ...]
    below: tuple[Decision, ...]


def select(document: Document, decisions: Sequence[Decision], place: str) -> Selection:
    """The decisions on a place: an object, an argument of one, or what begins with it.

    Args:
        document: The model.
        decisions: All decisions on it.
        place: A JSON pointer, with the member and `#` before it where there are several:
            `/config/layers/1`, `config.json#/config/layers/1`.

    Raises:
        NoSuchPlaceError: the model has no such place.

    """
    member, pointer = _parts(document, place)
    here = [d for d in decisions if member is None or d.request.member == member]
    meant = tuple(d for d in here if d.request.pointer == pointer or _is_wrong_at(d, pointer))
    below = tuple(d for d in here if d.request.pointer.startswith(f"{pointer}/"))
    if meant or below:
        return Selection(meant, below)
    if not any(
        _exists(part.root, pointer) for part in document.parts if member in (None, part.member)
    ):
        raise NoSuchPlaceError(_hint(document, member, pointer))
    around = [d for d in here if pointer.startswith(f"{d.request.pointer}/")]
    if not around:
        raise NoSuchPlaceError(f"nothing is asked for at {printable(place)}, nor around it")
    return Selection((max(around, key=lambda d: len(d.request.pointer)),), ())


def _parts(document: Document, place: str) -> tuple[str | None, str]:
    """The member, if one is named, and the pointer."""
    member: str | None = None
    if not place.startswith("/"):
        before, mark, after = place.partition("#")
        if mark:
            member, place = before.rpartition("!")[2] or None, after
    members = [part.member for part in document.parts]
    if member is not None and member not in members:
        known = ", ".join(printable(each) for each in members if each) or "none"
        raise NoSuchPlaceError(f"no member is called {printable(member)} (there are: {known})")
    pointer = place.rstrip("/")
    if pointer and not pointer.startswith("/"):
        raise NoSuchPlaceError(
            f"{printable(place)} is no JSON pointer, which begins with a slash: /config/layers/0"
        )
    return member, pointer


def _is_wrong_at(decision: Decision, pointer: str) -> bool:
    return any(objection.pointer == pointer for objection in decision.request.objections)


def _keys(pointer: str) -> Iterator[str]:
    for key in pointer.split("/")[1:]:
        yield key.replace("~1", "/").replace("~0", "~")


def _inside(value: Json, key: str) -> tuple[bool, Json]:
    if isinstance(value, dict) and key in value:
        return True, value[key]
    if isinstance(value, list | tuple) and key.isascii() and key.isdigit() and len(key) < 10:  # noqa: PLR2004
        number = int(key)
        return (True, value[number]) if number < len(value) else (False, None)
    return False, None


def _exists(value: Json, pointer: str) -> bool:
    for key in _keys(pointer):
        there, value = _inside(value, key)
        if not there:
            return False
    return True


def _hint(document: Document, member: str | None, pointer: str) -> str:
    """How far a wrong pointer leads, and what it may have meant."""
    reached, hint = "", ""
    for part in document.parts:
        if member in (None, part.member):
            so_far, says = _nearest(part.root, pointer)
            if not hint or len(so_far) > len(reached):
                reached, hint = so_far, says
    return f"there is no place {printable(pointer)}; {hint}"


def _nearest(value: Json, pointer: str) -> tuple[str, str]:
    so_far = ""
    keys = list(_keys(pointer))
    for number, key in enumerate(keys):
        there, inner = _inside(value, key)
        if not there:
            return so_far, _at(value, so_far, key, keys[number + 1 :])
        value = inner
        so_far += _step(key)
    return so_far, ""


def _step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _at(value: Json, so_far: str, key: str, rest: Sequence[str]) -> str:
    """What there is instead of a key, and the place that was meant if it is much alike."""
    place = printable(so_far) or "the root"
    if isinstance(value, list | tuple):
        last = f"0 to {len(value) - 1}" if value else "nothing"
        return f"{place} is a list of {len(value)}: {last}"
    if not isinstance(value, dict):
        return f"{place} is a plain value"
    import difflib

    keys = {str(each)[:_KEY_CHARS]: each for _, each in zip(range(_MOST_KEYS), value, strict=False)}
    near = difflib.get_close_matches(key[:_KEY_CHARS], keys, n=1)
    if near:
        below = "".join(map(_step, rest))
        if not _exists(value[keys[near[0]]], below):
            below = ""
        return f"did you mean {printable(so_far + _step(near[0]) + below)}?"
    shown = ", ".join(printable(each, 40) for each in list(keys)[:_SHOWN]) or "nothing"
    return f"{place} has {shown}" + (", …" if len(keys) > _SHOWN else "")
