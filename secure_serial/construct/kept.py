"""What was restored in this process, so that no copy of it is looser than it was itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.policy.model import Sandbox, strictest

if TYPE_CHECKING:
    from secure_serial.sandbox.restored import Restored
    from secure_serial.sandbox.restrict import Checked

#: Functions that are known by what they are; models have a handful.
_MOST = 1_000
_lock = threading.Lock()


class Kept(NamedTuple):
    """One function, the strictest way in which it was asked to run, and how it does so already."""

    checked: Checked
    sandbox: Sandbox
    function: Restored | None


_kept: OrderedDict[str, Kept] = OrderedDict()
#: The strictest of all, for what is not known any more.
_floor: list[Sandbox] = []


def keep(checked: Checked, sandbox: Sandbox, function: Restored) -> None:
    """A function was made; one that is the same and strict in another way makes it stricter."""
    content = checked.understood.content
    with _lock:
        _floor[:] = [strictest([*_floor, sandbox])]
        known = _kept.get(content)
        together = sandbox if known is None else strictest([known.sandbox, sandbox])
        if known is None or together == sandbox:
            known = Kept(checked, sandbox, function)
        elif together != known.sandbox:
            known = Kept(checked, together, None)
        _kept[content] = known
        _kept.move_to_end(content)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)


def known(content: str) -> Kept | None:
    """The function of this content, if it was made here."""
    return _kept.get(content)


def remade(content: str, function: Restored) -> Restored:
    """It was made again, in the strictest way; every copy is the same one."""
    with _lock:
        kept = _kept.get(content)
        if kept is not None:
            _kept[content] = kept = kept._replace(function=kept.function or function)
            return kept.function or function
    return function


def floor() -> Sandbox | None:
    """What a function runs under at least of which nobody knows where it came from."""
    return _floor[0] if _floor else None
