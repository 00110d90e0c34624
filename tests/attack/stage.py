"""A stage to run an attack on: traps that tell whether anything ran, opened or connected.

Every hostile file is built for one `Stage`. What it would do on a vulnerable loader is
harmless and leaves a trace here: a marker file, an environment variable, an opened bait, a
connection to a local socket, an audit event. `Stage.fired()` names the traces found.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import socket
import sys
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENV = "SECURE_SERIAL_CANARY"
# Imported by nothing else; importing it prints the Zen of Python and does no more.
MODULE = "this"

IN_ACCESS, IN_OPEN = 0x1, 0x20  # <sys/inotify.h>

_armed: list[Stage] = []
_hooked: list[bool] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    """A PEP 578 hook: it cannot be removed, so it does nothing unless a stage is armed."""
    if _armed and event in _WATCHED:
        _armed[-1].on_event(event, args)


_WATCHED = frozenset(
    {"marshal.loads", "pickle.find_class", "os.system", "subprocess.Popen", "import"}
    | {"socket.connect", "socket.getaddrinfo", "urllib.Request", "os.exec", "os.posix_spawn"}
    | {"ctypes.dlopen", "compile", "open"}
)


class Stage:
    """Builds payloads and baits below `root`, then watches them between `arm` and `close`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.marker = root / "canary-was-executed"
        self.events: list[str] = []
        self._codes: set[bytes] = set()
        self._baits: list[Path] = []
        self._before: set[Path] = set()
        self._socket: socket.socket | None = None
        self._inotify = -1

    # Payloads: all of them write the marker, set the variable, or touch bait or socket.

    def lambda_code(self, source: str = "") -> str:
        """The base64 of a marshalled lambda that writes the marker when called."""
        source = source or (
            f"lambda *a, **k: (open({str(self.marker)!r}, 'w').close(), "
            f"__import__('os').environ.__setitem__({ENV!r}, 'fired'), a[0] if a else None)[-1]"
        )
        function = eval(source)  # our own text, above
        raw = marshal.dumps(function.__code__)
        self._codes.add(raw)
        return b64encode(raw).decode("ascii")

    @property
    def command(self) -> str:
        """A shell command that writes the marker."""
        return f"echo fired > '{self.marker}'"

    @property
    def statement(self) -> str:
        """A Python statement that writes the marker."""
        return f"open({str(self.marker)!r}, 'w').close()"

    @property
    def url(self) -> str:
        """The address of a socket that only listens."""
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.bind(("127.0.0.1", 0))
            self._socket.listen(8)
            self._socket.setblocking(False)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/canary"

    def bait(self, name: str = "bait.txt", content: bytes = b"secret\nwords\n") -> Path:
        """A file that nothing may open."""
        path = self.root / "bait" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.watch(path)
        return path

    def watch(self, path: Path) -> None:
        """Counts `path` among the baits."""
        self._baits.append(path)

    # The watch.

    def arm(self) -> None:
        """From here on every trace counts."""
        os.environ.pop(ENV, None)
        if not _hooked:
            sys.addaudithook(_audit)
            _hooked.append(True)
        self._before = set(self.root.rglob("*"))
        self._open_inotify()
        _armed.append(self)

    def _open_inotify(self) -> None:
        """The kernel's own word on who opens a bait: it sees C libraries and children, too."""
        if not self._baits or not sys.platform.startswith("linux"):
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for path in self._baits:
            libc.inotify_add_watch(self._inotify, os.fsencode(path), IN_OPEN | IN_ACCESS)

    def on_event(self, event: str, args: tuple[object, ...]) -> None:
        """Judges one audit event."""
        first = args[0] if args else None
        if event == "marshal.loads":
            hit = bytes(first) in self._codes if isinstance(first, bytes | bytearray) else False
        elif event == "import":
            hit = first == MODULE
        elif event == "compile":
            hit = str(self.marker) in str(first)
        elif event == "open":
            hit = any(os.fspath(bait) == first for bait in self._baits)
        elif event == "ctypes.dlopen":
            hit = self.root.name in str(first)
        else:
            hit = True
        if hit:
            self.events.append(f"{event} {str(first)[:80]}")

    def fired(self) -> list[str]:
        """Each trace that was left since `arm`; empty when all is quiet."""
        traces = list(self.events)
        traces += [f"file {path.name}" for path in set(self.root.rglob("*")) - self._before]
        if os.environ.get(ENV):
            traces.append(f"variable {ENV}")
        if self._inotify >= 0:
            with suppress(BlockingIOError):
                traces.append(f"bait opened ({len(os.read(self._inotify, 4096))} bytes of events)")
        if self._socket is not None:
            with suppress(BlockingIOError):
                self._socket.accept()[0].close()
                traces.append("connection")
        return traces

    def close(self) -> None:
        """Stops watching."""
        if self in _armed:
            _armed.remove(self)
        if self._inotify >= 0:
            os.close(self._inotify)
            self._inotify = -1
        if self._socket is not None:
            self._socket.close()
        os.environ.pop(ENV, None)
