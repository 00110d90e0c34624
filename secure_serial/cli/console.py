"""The two streams: stdout is the result, stderr the story. Nothing else here prints."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_serial.cli.exits import Exit
    from secure_serial.report.style import Style

#: A line of progress every so often is enough, and drawing one is not free.
_SECONDS_BETWEEN = 0.1
_PROGRESS_WIDTH = 60
_CLEAR_LINE = "\r\x1b[K"


class Unwritable(Exception):
    """Stdout cannot take the result: a full disk, or none is open."""


class Console:
    """What a command writes to."""

    def __init__(self, colour: str = "auto", quiet: int = 0, verbose: int = 0) -> None:
        self.colour = colour
        self.quiet = quiet
        self.verbose = verbose
        self._drawn_at = 0.0
        self._count = 0
        self._drawn = False

    def style(self) -> Style:
        """How stdout is to be dressed."""
        from secure_serial.report.style import Style, shows_unicode

        return Style(
            colour=wants_colour(self.colour, sys.stdout, os.environ),
            unicode=shows_unicode(getattr(sys.stdout, "encoding", None)),
        )

    def result(self, text: str) -> None:
        """Write a part of the result to stdout."""
        self._clear()
        with _result_stream():
            _write(sys.stdout, text)

    def report(self, command: str, code: Exit, fields: dict[str, object]) -> None:
        """Write the result as one JSON object: what every report begins with, and these."""
        from secure_serial.cli.version import version
        from secure_serial.report import json_text

        self.result(json_text.dump({**json_text.head(command, version(), code), **fields}))

    def tell(self, text: str) -> None:
        """Tell on stderr what happens, unless asked to be quiet."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Say on stderr what must not be missed."""
        if sys.stderr is None:  # closed by the shell: `2>&-`; the exit code still tells
            return
        self._clear()
        _write(sys.stderr, text)

    def progress(self, name: str) -> None:
        """Show on a terminal which file is being judged."""
        if self.quiet or not _is_terminal(sys.stderr) or _is_dumb(os.environ):
            return
        import time

        self._count += 1
        now = time.monotonic()
        if now - self._drawn_at < _SECONDS_BETWEEN:
            return
        from secure_serial.report.printable import printable

        self._drawn_at, self._drawn = now, True
        shown = printable(name if len(name) <= _PROGRESS_WIDTH else f"…{name[-_PROGRESS_WIDTH:]}")
        sys.stderr.write(f"{_CLEAR_LINE}{self._count} files, now {_fitting(shown, sys.stderr)}")
        sys.stderr.flush()

    def finish(self) -> None:
        """Write out what is buffered, so that a closed pipe is noticed here."""
        self._clear()
        with _result_stream():
            sys.stdout.flush()
        if sys.stderr is not None:
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._drawn:
            self._drawn = False
            sys.stderr.write(_CLEAR_LINE)


def wants_colour(choice: str, stream: TextIO, environ: os._Environ[str] | dict[str, str]) -> bool:
    """Whether to colour: the option first, then NO_COLOR, FORCE_COLOR and the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return _is_terminal(stream) and not _is_dumb(environ)


def _is_dumb(environ: os._Environ[str] | dict[str, str]) -> bool:
    """Whether the terminal knows no escape sequences."""
    return environ.get("TERM") == "dumb"


@contextlib.contextmanager
def _result_stream() -> Iterator[None]:
    """Tell a stdout that cannot be written from a fault of ours."""
    if sys.stdout is None:  # closed by the shell: `>&-`
        raise Unwritable("it is closed")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from error


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no stream at all, or a closed one
        return False


def _write(stream: TextIO, text: str) -> None:
    line = _fitting(text, stream) + "\n"
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        stream.write(line)
        return
    # Under PYTHONUNBUFFERED a text stream forgets what one system call did not take.
    left = memoryview(
        line.replace("\n", os.linesep).encode(stream.encoding, stream.errors or "strict")
    )
    while left:
        left = left[raw.write(left) or 0 :]


def _fitting(text: str, stream: TextIO) -> str:
    if text.isascii():
        return text
    from secure_serial.report.printable import encodable

    return encodable(text, stream.encoding)
