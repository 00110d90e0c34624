"""The audit hook, and the wire of each load that is under way.

The hook is of the process and cannot be taken out again, so it is put in at the first gated
load. Where no load runs it costs one look at a list. A wire belongs to a context, as its
load does. What it refuses is recorded, the load ends refused even where somebody swallows
the error, and so do the loads that it is a part of.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from secure_serial.construct.setup_lock import SETUP
from secure_serial.construct.tripwire.rules import HARMLESS, PATHS, Cause, Event, Reach, is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextvars import Token
    from types import FrameType, TracebackType
    from typing import Self

    from secure_serial.errors import SecureSerialError

_current: ContextVar[Wire | None] = ContextVar("secure_serial_tripwire", default=None)
_armed: list[Wire] = []  # of the whole process: what an idle hook looks at
_installed: list[bool] = []
_busy = threading.local()  # our own work, which the hook must not see
#: Different events that one load puts on record; the rest are refused without.
_RECORDED = 100
#: Of what is shown of one argument.
_SHOWN = 200
#: Functions on the stack that are looked at; the interpreter's own bound is 1,000.
_FRAMES = 1000
_OURS = "secure_serial."
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Wire:
    """What one load may do, and what it tried.

    Args:
        report: Records an event that was refused, and gives the error to raise. It is called
            once for each event, before the error is raised.
        judged: Files that the load may read by their path, which is absolute.

    """

    def __init__(
        self, report: Callable[[str, str, str], SecureSerialError], judged: Sequence[str] = ()
    ) -> None:
        self._report = report
        self._judged = judged
        self._own: list[str] = []
        self._seen: set[tuple[str, str]] = set()
        self._outer: Wire | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        _install()
        self._outer = _current.get()
        self._token: Token[Wire | None] = _current.set(self)
        _armed.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _armed.remove(self)
        _current.reset(self._token)
        if self._error is not None and self._error is not error:
            raise self._error  # whoever swallowed it: the load ends refused

    def feel(self, event: str, args: tuple[object, ...]) -> None:
        """Let an event pass, or record it and raise."""
        cause = _cause()
        if self._allows(event, args, cause):
            if event.startswith("tempfile.") and isinstance(args[0], str):
                self._own.append(os.path.join(args[0], ""))  # noqa: PTH118 - a path as plain text
            return
        raise self._refused(event, _shown(args), cause.caller)

    def _allows(self, event: str, args: tuple[object, ...], cause: Cause) -> bool:
        try:
            given = _with_paths(event, args)
            return any(
                is_allowed(event, Event(given, cause, self._reach(packages=packages)))
                for packages in (False, True)  # the second costs more, and is seldom needed
            )
        except Exception:  # noqa: BLE001 - what cannot be judged is refused
            return False

    def _refused(self, event: str, detail: str, caller: str) -> BaseException:
        key = (event, detail)
        error = self._error
        if error is None or (key not in self._seen and len(self._seen) < _RECORDED):
            self._seen.add(key)
            try:
                error = self._report(event, detail, caller)
            except BaseException as failed:  # noqa: BLE001 - a log that fails refuses, too
                error = failed
        wire: Wire | None = self
        while wire is not None:
            wire._error = wire._error or error  # noqa: SLF001 - its own kind
            wire = wire._outer  # noqa: SLF001
        return error

    def _reach(self, *, packages: bool = False) -> Reach:
        readable, sites = _installed_code()
        if packages:
            readable += _package_folders()
        return Reach(
            readable, sites, tuple(self._own), self._judged,
            sys.modules, sys.stdlib_module_names, _WRITING,
        )  # fmt: skip


@contextmanager
def exempt() -> Iterator[None]:
    """Work of our own: writing records, and importing Keras itself. It is no part of a load."""
    before = getattr(_busy, "on", False)
    _busy.on = True
    try:
        yield
    finally:
        _busy.on = before


def _install() -> None:
    if _installed:
        return
    with SETUP:
        if not _installed:
            _installed_code()  # looks at files, which is better done before
            sys.addaudithook(_hook())
            _installed.append(True)


def _hook() -> Callable[[str, tuple[object, ...]], None]:
    """The hook; what it looks at is bound, so that it does not fail when modules are cleared."""
    armed, harmless, current, busy = _armed, HARMLESS, _current.get, _busy

    def hook(event: str, args: tuple[object, ...]) -> None:
        # `id` is nearly all there is; a comparison is quicker than a look into a set.
        if not armed or event == "builtins.id" or event in harmless:
            return
        wire = current()
        if wire is None or wire not in armed or getattr(busy, "on", False):
            return
        busy.on = True
        try:
            wire.feel(event, args)
        finally:
            busy.on = False

    return hook


@cache
def _installed_code() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders of installed code, and those among them that packages are installed to."""
    paths = sysconfig.get_paths()
    sites = {paths["purelib"], paths["platlib"], *site.getsitepackages()}
    if site.ENABLE_USER_SITE:
        sites.add(site.getusersitepackages())
    package = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120
    roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, paths["stdlib"], package, *sites}
    return _folders(roots), _folders(sites)


def _folders(paths: set[str]) -> tuple[str, ...]:
    """Each folder with a separator at its end, as it is called and as it is."""
    found = {os.path.join(p, "") for path in paths for p in (path, os.path.realpath(path))}  # noqa: PTH118
    return tuple(sorted(folder for folder in found if len(folder) > 1))


def _package_folders() -> tuple[str, ...]:
    """The folders of the packages that the program has imported: they may read their own."""
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        if "." not in name and isinstance(module, type(sys)):
            found.update(p for p in vars(module).get("__path__", ()) if isinstance(p, str) and p)
    return tuple(os.path.join(os.path.abspath(path), "") for path in found)  # noqa: PTH100, PTH118


def _cause() -> Cause:
    """Who made an event happen: the stack from the event to where this package called out."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the only way to the stack
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    caller, outer, via = "", "", []
    importing = logging = False
    for _ in range(_FRAMES):
        if frame is None:
            break
        module = str(frame.f_globals.get("__name__"))
        caller = caller or module
        if not outer:
            if module.partition(".")[0] in sys.stdlib_module_names:
                via.append(module)
            else:
                outer = module
        importing = importing or module == "importlib._bootstrap"
        logging = logging or (module == "logging" and frame.f_code.co_name == "callHandlers")
        if module.startswith(_OURS):
            break
        frame = frame.f_back
    return Cause(caller, outer, tuple(via), importing, logging)


def _with_paths(event: str, args: tuple[object, ...]) -> tuple[object, ...]:
    """The arguments with absolute paths, and with the file of the code in the place of code."""
    count = PATHS.get(event, 0)
    if count:
        return (*map(_absolute, args[:count]), *args[count:])
    if event == "exec" and args:
        return (getattr(args[0], "co_filename", ""), *args[1:])
    return args


def _absolute(path: object) -> object:
    if path is None:
        return os.getcwd()  # noqa: PTH109
    if isinstance(path, int):
        return path
    try:
        return os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type] # noqa: PTH100
    except (TypeError, ValueError, OSError):
        return ""


def _shown(args: tuple[object, ...]) -> str:
    """The arguments for the record. Only plain ones are shown: others have code of their own."""
    plain = (str, bytes, int, float, type(None))
    texts = [
        repr(arg[:_SHOWN] if isinstance(arg, str | bytes) else arg)
        if type(arg) in plain
        else f"<{type(arg).__name__}>"
        for arg in args[:3]
    ]
    return ", ".join(texts)[:_SHOWN]
