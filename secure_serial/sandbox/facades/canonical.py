"""The operations that stand behind every facade, from the data file beside this one.

A row of `canonical.json` says what an operation takes, and which rule of `sizes` says how much it
makes. The parameters stand in the order of the function of that name in `keras.ops`, where there
is one, and mean what they mean there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE = Path(__file__).parent / "canonical.json"

#: Operations each of which is one function of NumPy's that computes item by item, so that what it
#: gives is a new array, never its argument or a view.
NEW: Final = frozenset(
    """
    abs exp expm1 log log1p log2 log10 sqrt square sin cos tan sinh cosh tanh arctan
    """.split()  # noqa: SIM905 - a name a line would hide the rest
)
#: Operations that compute each item of their result of the items in that place alone.
ITEMWISE: Final = NEW | frozenset(
    """
    add subtract multiply divide true_divide maximum minimum negative sign relu relu6 sigmoid silu
    softsign
    """.split()  # noqa: SIM905 - as above
)
#: Operations that compute each item of their result of the items that differ from it in place along
#: their axes alone. Those with `keepdims` take these axes away.
ROWWISE: Final = frozenset(
    """
    sum mean max min amax amin prod std var ptp l2_normalize norm_of clip_by_norm softmax
    log_softmax logsumexp std_of var_of
    """.split()  # noqa: SIM905 - as above
)
#: Of both, those that are exact but for the last rounding, wherever an item stands. Others are
#: computed for several items at a time, and for what is left at the end in another way.
EXACT: Final = frozenset(
    """
    abs add subtract multiply divide true_divide maximum minimum negative relu sign sqrt square
    sum mean max min amax amin prod std var std_of var_of l2_normalize norm_of clip_by_norm
    """.split()  # noqa: SIM905 - as above
)


class _Missing:
    """Stands for a value that was not given; None is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, the kind of value (see `kinds`), and what stands if it is left out.

    >>> Parameter.parse("axis:int?=-1")
    Parameter(name='axis', kind='int?', default=-1)
    >>> Parameter.parse("x:tensor").default
    MISSING
    """

    name: str
    kind: str
    default: Any

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """Read one word of a row's `takes`."""
        head, given, default = text.partition("=")
        name, _, kind = head.partition(":")
        return cls(name, kind, literal(default) if given else MISSING)


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    >>> [parameter.name for parameter in row("mean").parameters]
    ['x', 'axis', 'keepdims']
    """

    name: str
    parameters: tuple[Parameter, ...]
    makes: str
    times: int
    creates: bool
    #: Multiplications that one item costs where it is more than a look: 0.1 ns each.
    work: int
    #: How many kernels a backend compiles for it: see `compiled`; `tools.sandbox.kernels` measures.
    kernels: int
    #: What stands for it in the facades of TensorFlow and old Keras, where the array is of whole
    #: numbers, which keep their type there.
    whole: str

    def position(self, name: str) -> int:
        """Where a parameter stands."""
        return [parameter.name for parameter in self.parameters].index(name)


def literal(text: str) -> Any:
    """A value as the data files write it: JSON, or a bare word; lists become tuples.

    >>> literal("[1,[2,3]]"), literal("valid")
    ((1, (2, 3)), 'valid')
    """
    try:
        return _frozen(json.loads(text))
    except ValueError:
        return text


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@cache
def rows() -> dict[str, Row]:
    """Every operation, by name."""
    raw = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: Row(
            name,
            tuple(map(Parameter.parse, entry["takes"].split())),
            entry["makes"],
            entry.get("times", 1),
            entry.get("creates", False),
            entry.get("work", 0),
            entry.get("kernels", 1),
            entry.get("whole", ""),
        )
        for name, entry in raw.items()
    }


def row(name: str) -> Row:
    """One operation that the data files name."""
    return rows()[name]
