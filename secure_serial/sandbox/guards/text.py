"""Texts: f-strings, `%` and methods. Widths and sizes are known before a text is made.

There is no `str.format`, whose fields read attributes (CVE-2023-41039, CVE-2024-47532,
CVE-2026-76825), and no text of a function or another object, which would show an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.guards.measure import parts
from secure_serial.sandbox.meter import current
from secure_serial.sandbox.values import CONTAINERS, NUMBERS, PLAIN, called, refused

if TYPE_CHECKING:
    from secure_serial.sandbox.meter import Meter

#: The format specification mini-language of Python's documentation, with numbers of few digits.
_SPEC = re.compile(
    r"(?:.?[<>=^])?[+\- ]?z?#?0?(?P<width>\d{0,7})[,_]?(?:\.(?P<precision>\d{1,7}))?[,_]?"
    r"[bcdeEfFgGnosxX%]?",
    re.DOTALL | re.ASCII,
)
#: One directive of printf-style formatting, without `*`, which takes its width from a value.
_DIRECTIVE = re.compile(
    r"%(?:\((?P<key>[^()%]*)\))?[#0\- +]*(?P<width>\d{0,7})(?:\.(?P<precision>\d{0,7}))?[hlL]?"
    r"(?P<kind>[diouxXeEfFgGcrsa%])",
    re.ASCII,
)
#: Characters of a float or complex number: 1e308 with an `f` has 309 and its precision.
_FLOAT = 700
#: Characters that one may become: `\U0001f600` in a repr.
_ESCAPED = 10
#: From so many characters on CPython's search takes time by the length of the text alone.
_LONG = 128


def plain(value: Any) -> Any:
    """A number of NumPy's as Python's, everything else as it is."""
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        return value.item()
    return value


def shown(account: Meter, value: Any, *, quoted: bool = False) -> int:
    """How many characters a value has as text, at most; refuses what must not be shown."""
    total = 0
    for each in parts(account, value):
        kind = type(each)
        if kind is str:
            simple = each is value and not quoted
            total += len(each) if simple else 2 + len(each) * (1 if _easy(each) else _ESCAPED)
        elif kind is int:
            # A digit of `b` is a bit, with a separator for every four.
            total += 2 * each.bit_length() + 4
        elif kind in NUMBERS:
            total += _FLOAT if each is value else 60
        elif kind in CONTAINERS:
            total += 10 + 2 * len(each)
        elif kind in PLAIN:
            total += 200
        else:
            raise refused(f"the text of a value of type {called(each)}")
        if total > account.allowance.characters:
            break
    account.text(total)
    return total


def _easy(text: str) -> bool:
    return text.isascii() and text.isprintable()


def formatted(value: Any, conversion: int, spec: Any, /) -> str:
    """`{value!r:spec}` in an f-string."""
    account = current()
    value = plain(value)
    size = shown(account, value, quoted=conversion in _QUOTED)
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise refused(f"the format {spec[:20]!a}")
    account.text(size + int(match["width"] or 0) + int(match["precision"] or 0))
    if conversion == _STR:
        value = str(value)
    elif conversion == _REPR:
        value = repr(value)
    elif conversion == _ASCII:
        value = ascii(value)
    return format(value, spec)


_STR, _REPR, _ASCII = ord("s"), ord("r"), ord("a")
_QUOTED = frozenset({_REPR, _ASCII})


def joined(*several: str) -> str:
    """The parts of an f-string, put together."""
    current().text(sum(map(len, several)))
    return "".join(several)


def percent(account: Meter, template: str, given: Any) -> str:
    """`template % given`."""
    account.text(len(template))
    if type(given) is tuple:
        given = tuple(map(plain, given))
    elif type(given) is dict:
        given = {name: plain(value) for name, value in given.items()}
    else:
        given = plain(given)
    total = len(template)
    place = end = 0
    while (start := template.find("%", end)) >= 0:
        account.step()
        match = _DIRECTIVE.match(template, start)
        if match is None:
            raise refused(f"the format {template[start : start + 20]!a}")
        end = match.end()
        total += int(match["width"] or 0) + int(match["precision"] or 0)
        if match["kind"] == "%":
            continue
        value = given
        if match["key"] is not None and type(given) is dict:
            value = given.get(match["key"])
        elif type(given) is tuple:
            value = given[place] if place < len(given) else None
            place += 1
        total += shown(account, value, quoted=match["kind"] in "ra")
        account.text(total)
    # Refuses what no directive takes, too: Python looks at it to say that it is too much.
    shown(account, given)
    made: str = template % given
    return made


def made_text(value: Any = "", /) -> str:
    """`str(value)`."""
    account = current()
    value = plain(value)
    shown(account, value)
    return str(value)


def upper(account: Meter, text: str) -> str:
    """Three times as many characters at most: U+0390 becomes three."""
    account.text(3 * len(text))
    return text.upper()


def lower(account: Meter, text: str) -> str:
    """As `upper`."""
    account.text(3 * len(text))
    return text.lower()


def strip(account: Meter, text: str, characters: Any = None) -> str:
    """Without the characters at both ends."""
    if characters is not None:
        # Each character of the text is looked for among the others, one by one if they are alike.
        account.step(len(text) * len(_text(characters)) // 64)
    account.text(len(text))
    return text.strip(characters)


def starts(account: Meter, text: str, first: Any) -> bool:
    """One text, not a tuple of them."""
    account.text(len(text))
    return text.startswith(_text(first))


def ends(account: Meter, text: str, last: Any) -> bool:
    """As `starts`."""
    account.text(len(text))
    return text.endswith(_text(last))


def split(account: Meter, text: str, by: Any = None) -> list[str]:
    """The parts; there are no more than characters."""
    account.text(len(text))
    account.container(len(text) if by is None else _found(account, text, by) + 1)
    return text.split(by)


def join(account: Meter, text: str, several: Any) -> str:
    """Texts with this between them."""
    from secure_serial.sandbox.guards.iteration import gathered

    items = gathered(account, several)
    account.text(sum(len(_text(item)) for item in items) + len(text) * len(items))
    return text.join(items)


def replace(account: Meter, text: str, old: Any, new: Any) -> str:
    """Every occurrence."""
    account.text(len(text))
    times = _found(account, text, old)
    account.text(len(text) + times * len(_text(new)))
    return text.replace(old, new)


def searched(account: Meter, text: str, part: str) -> None:
    """Take the search for a part. CPython compares each beginning, unless the part is long."""
    account.step(len(text) * min(len(part), _LONG) // 4096)


def _found(account: Meter, text: str, part: Any) -> int:
    """How often a part stands in a text."""
    searched(account, text, _text(part))
    return text.count(part) if part else len(text) + 1


def _text(value: Any) -> str:
    if type(value) is not str:
        raise refused(f"a value of type {called(value)} where a text stands")
    return value
