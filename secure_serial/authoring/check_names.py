"""What is wrong with the names in a policy: unknown ones, too wide ones, dangerous ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from secure_serial.authoring.comparing.regions import covered, regions_named
from secure_serial.authoring.known import head
from secure_serial.plan.foreign import is_taken
from secure_serial.policy.conditions import KERAS
from secure_serial.policy.model import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.authoring.checked import Checked, Name
    from secure_serial.authoring.comparing.regions import Region
    from secure_serial.authoring.finding import Finding
    from secure_serial.authoring.known import Known

#: Packages that are somebody else's, whoever writes the policy: `*` over them lets in what
#: their authors will add. `Custom` is Keras's word for what was registered without a package.
_OTHERS = sys.stdlib_module_names | KERAS | {
    "Custom", "flax", "jax", "keras_cv", "keras_hub", "keras_nlp", "keras_rs", "numpy", "pandas",
    "scipy", "sklearn", "tensorflow_addons", "tensorflow_hub", "torch", "torchvision",
    "transformers",
}  # fmt: skip
#: Where a name lets something in.
_LETS_IN = frozenset({"allow", "waiver", "delegate"})
_FEW = 5


def check_names(checked: Checked, known: Known) -> Iterator[Finding]:
    """What is wrong with the names that a file holds itself."""
    denied = _denied(checked)
    for name in checked.names():
        unmatched = _unmatched(checked, name, known)
        if unmatched is not None:
            yield unmatched
            continue
        if name.use in _LETS_IN:
            yield from _let_in(checked, name, known, denied)


def _unmatched(checked: Checked, name: Name, known: Known) -> Finding | None:
    """A pattern that means nothing that is known, of a package that is."""
    pattern = name.pattern
    if ">" in pattern and head(pattern) in KERAS:
        return None
    meant = known.meant(pattern)
    if meant:
        return None
    other = known.other_name(pattern)
    if meant is None and not other:
        return None
    if other:
        text = f"{pattern!r} is another name of {other}, and no rule matches by it"
        return checked.say(name.path, "not-canonical", text)
    near = known.nearest(pattern)
    guess = f"; did you mean {near}?" if near else ""
    text = f"{pattern!r} means nothing that the catalogue has{guess}"
    return checked.say(name.path, "unmatched-pattern", text)


def _let_in(
    checked: Checked, name: Name, known: Known, denied: tuple[Region, ...]
) -> Iterator[Finding]:
    """What is dubious about letting in, or delegating, what a pattern means."""
    pattern, path, use, reason = name
    wide = _wide(pattern, use)
    if wide:
        yield checked.say(path, "wide-pattern", f"{pattern!r} {wide}")
    elif is_taken(pattern) and not (head(pattern) in KERAS and ">" not in pattern):
        text = f"{pattern!r} begins as only names of Keras or of Python's library do, and is none"
        yield checked.say(path, "foreign-name", text)
    if use == "delegate" or (reason and "*" not in pattern):
        return  # who names one thing, and says why, has looked at it
    effects: dict[str, tuple[str, ...]] = {}
    for symbol in known.meant(pattern) or ():
        entry = known.entry(symbol)
        if entry is not None and entry.effects and not covered(regions_named((symbol,))[0], denied):
            effects[symbol] = entry.effects
    if effects:
        yield checked.say(path, "effects", _effects(pattern, effects))


def _wide(pattern: str, use: str) -> str:
    """Why a pattern lets in more than anybody can have looked at; empty where it does not."""
    if "*" not in pattern:
        return ""
    if pattern.startswith("*>"):
        return "means a class of that name in anybody's package"
    first = head(pattern)
    if first in _OTHERS:
        return f"means whatever {first} holds now and later, and that is not yours to vouch for"
    if use != "delegate" and pattern.endswith(".**") and pattern.count(".") == 1:
        return "means every name of a whole package, whatever is added to it"
    return ""


def _effects(pattern: str, effects: dict[str, tuple[str, ...]]) -> str:
    if "*" not in pattern:
        (words,) = effects.values()
        return f"{pattern} does more than compute: {', '.join(words)}"
    shown = [f"{symbol} ({', '.join(words)})" for symbol, words in effects.items()]
    more = f" and {len(shown) - _FEW} more" if len(shown) > _FEW else ""
    return f"{pattern!r} means what does more than compute: {', '.join(shown[:_FEW])}{more}"


def _denied(checked: Checked) -> tuple[Region, ...]:
    """What deny rules on names alone deny, in this layer or one above."""
    rules = [
        rule
        for layer in checked.stack
        for rule in layer.policy.rules
        if rule.effect is Effect.DENY and rule.on_names_alone and not (rule.kinds or rule.fields)
    ]
    return regions_named(p for rule in rules for p in (*rule.symbols, *rule.registered))
