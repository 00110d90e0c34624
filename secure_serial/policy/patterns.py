"""Which names a pattern means. Whole segments only, no regular expressions. Pure."""

from __future__ import annotations


def symbol_matches(pattern: str, symbol: str) -> bool:
    """Whether a dotted pattern means a dotted name: `*` is one segment, a last `**` the rest.

    >>> symbol_matches("keras.layers.Dense", "keras.layers.Dense")
    True
    >>> symbol_matches("keras.layers.*", "keras.layers.Dense")
    True
    >>> symbol_matches("keras.layers.*", "keras.layers.experimental.Dense")
    False
    >>> symbol_matches("acme.**", "acme.vision.Block")
    True
    """
    if pattern == symbol:
        return True
    if "*" not in pattern:
        return False
    wanted, given = pattern.split("."), symbol.split(".")
    if wanted[-1] == "**":
        wanted.pop()
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want in ("*", have) for want, have in zip(wanted, given, strict=True)
    )


def registered_matches(pattern: str, name: str) -> bool:
    """Whether `package>name` is meant; `*` stands for a whole side.

    >>> registered_matches("acme>*", "acme>Block"), registered_matches("acme>*", "acme2>Block")
    (True, False)
    """
    if pattern == name:
        return True
    wanted_package, arrow, wanted = pattern.partition(">")
    package, found, rest = name.partition(">")
    return (
        bool(arrow) and bool(found) and wanted_package in ("*", package) and wanted in ("*", rest)
    )


def problem_with(pattern: str, *, registered: bool) -> str:
    """Why a pattern cannot be used; empty where it can."""
    if registered:
        sides = pattern.split(">")
        if len(sides) != 2 or not all(sides):  # noqa: PLR2004 - package and name
            return "is not of the form package>name"
        if sides == ["*", "*"]:
            return "would match every registered name"
        bad = any("*" in side and side != "*" for side in sides)
        return "has a * that does not stand for a whole side" if bad else ""
    segments = pattern.split(".")
    if not all(segments):
        return "has an empty segment"
    if any("*" in s and s not in ("*", "**") for s in segments) or "**" in segments[:-1]:
        return "has a * that does not stand for whole segments (** only at the end)"
    return "would match everything" if segments[0] in ("*", "**") else ""
