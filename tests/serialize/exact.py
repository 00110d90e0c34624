"""Comparison that tells a tuple from a list, True from 1, and one order of keys from another."""

from __future__ import annotations


def difference(ours, theirs, at="$"):
    """Where and how two configs differ; None if they are the same down to every type."""
    if type(ours) is not type(theirs):
        return f"{at}: {type(ours).__name__} {ours!r} is not {type(theirs).__name__} {theirs!r}"
    if isinstance(ours, dict):
        if list(map(repr, ours)) != list(map(repr, theirs)):
            return f"{at}: keys {list(ours)} are not {list(theirs)}"
        pairs = [(f"{at}[{key!r}]", ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, (list, tuple)):
        if len(ours) != len(theirs):
            return f"{at}: {len(ours)} items are not {len(theirs)}"
        pairs = [(f"{at}[{i}]", a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    else:
        # repr, because nan is nan here; identity, for what has no value of its own.
        same = ours is theirs or repr(ours) == repr(theirs)
        return None if same else f"{at}: {ours!r} is not {theirs!r}"
    return next((found for place, a, b in pairs if (found := difference(a, b, place))), None)
