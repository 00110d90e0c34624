"""What was restored in this process, so that no copy of it is looser than it was itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.policy.model import Sandbox, strictest

if TYPE_CHECKING:
    from secure_serial.sandbox.restored import Restored
    from secure_serial.sandbox.restrict import Checked

#: Functions that are known by what they are: a file may hold as many, models have a handful. The
#: tree of one may take eight megabytes.
_MOST = 100
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


def remade(known: Kept, function: Restored) -> Restored:
    """What is known was made again, as strict as it asks; every copy is the same one."""
    content = known.checked.understood.content
    with _lock:
        now = _kept.get(content)
        # Meanwhile it may have become stricter, which this function is not.
        if now is None or now.sandbox != known.sandbox:
            return function
        _kept[content] = now = now._replace(function=now.function or function)
        return now.function or function


def floor() -> Sandbox | None:
    """What a function runs under at least of which nobody knows where it came from."""
    return _floor[0] if _floor else None
