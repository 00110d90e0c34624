"""Parameters that are texts, or numbers that stand for some. See `kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def choice_of(allowed: frozenset[str]) -> Callable[[Any], Any]:
    """The check of a parameter that is one of several words."""

    def choice(value: Any) -> Any:
        if type(value) is str and value.lower() in allowed:
            return value.lower()
        raise refused(f"something else than one of {', '.join(sorted(allowed))}")

    return choice


def nothing_but(wanted: Any) -> Callable[[Any], None]:
    """The check of a parameter that may only be what it is without being given."""

    def check_it(value: Any) -> None:
        if not (type(value) is type(wanted) and value == wanted):
            raise refused(f"something else than {wanted!r}, which is all that there is here")

    return check_it


#: TensorFlow's names, and Keras 1's, for where the channels stand.
_LAYOUTS = {
    "NWC": "channels_last", "NHWC": "channels_last", "NDHWC": "channels_last",
    "NCW": "channels_first", "NCHW": "channels_first", "NCDHW": "channels_first",
    "tf": "channels_last", "th": "channels_first",
}  # fmt: skip


def layout(value: Any) -> str:
    """Where the channels of images stand, in Keras's words or in TensorFlow's."""
    named = _LAYOUTS.get(value, value) if type(value) is str else value
    made: str = choice_of(frozenset(_LAYOUTS.values()))(named)
    return made


#: TensorFlow's numbers for ways to resize.
_METHODS = ("bilinear", "nearest", "bicubic", "area")


def method(value: Any) -> str:
    """A way to resize, by its name or by TensorFlow's number."""
    named = _METHODS[value] if type(value) is int and 0 <= value < len(_METHODS) else value
    made: str = choice_of(frozenset(_METHODS[:2]))(named)
    return made


#: Letters, the arrow, commas and blanks; numpy's own einsum takes 52 letters.
_EQUATION_LENGTH = 200
_EQUATION = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ->,. ")


def equation(value: Any) -> str:
    """The equation of einsum."""
    if type(value) is not str or len(value) > _EQUATION_LENGTH or not _EQUATION.issuperset(value):
        raise refused("something else than an equation such as 'ij,jk->ik' in einsum")
    return value.replace(" ", "")
