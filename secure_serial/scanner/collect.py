"""From paths to candidates: which files are to be judged, and why others are not.

The order is that of the paths given and, inside a folder, of the names. Symbolic links in
a folder are not followed, nothing but a regular file is opened, and nothing is left out
without a word.
"""

from __future__ import annotations

import os
import stat
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.scanner.sniff import HEAD, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What Keras writes into a directory; with anything else in it, its files are judged one by one.
_MODEL_ENTRIES = frozenset(
    {"config.json", "metadata.json", "model.weights.h5", "model.weights.npz", "assets"}
)
_MODEL_NEEDS = frozenset({"config.json", "metadata.json"})


class Take(StrEnum):
    """What to do with a path."""

    JUDGE = "judge"
    SKIP = "skip"  # with a reason
    OTHER = "other"  # of no format that Keras reads
    FAIL = "fail"  # a folder that cannot be listed, with a reason


class Candidate(NamedTuple):
    """One path, and what to do with it."""

    path: str
    take: Take = Take.JUDGE
    reason: str = ""
    kind: str = ""  # as sniffed; empty where nobody looked
    explicit: bool = False  # the caller named this very path

    @property
    def name(self) -> str:
        """The path as it is reported: with slashes on every system."""
        return self.path.replace(os.sep, "/") if os.sep != "/" else self.path


def collect(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Candidate]:
    """Everything that the paths lead to. A path given twice counts once."""
    seen: set[str] = set()
    for given in paths:
        path = os.fspath(given)
        if path in seen:
            continue
        seen.add(path)
        if os.path.isdir(path) and not _is_model(path):  # noqa: PTH112  (as all here: plain text)
            yield from _walk(path)
        else:
            yield Candidate(path, explicit=True)


def _is_model(path: str) -> bool:
    """Whether a directory is one saved model."""
    try:
        names = set(os.listdir(path))  # noqa: PTH208
    except OSError:
        return False
    if "config.json" not in names:
        return False
    if path.rstrip("/\\").lower().endswith(".keras"):
        return True
    return names >= _MODEL_NEEDS and names <= _MODEL_ENTRIES


def _walk(top: str) -> Iterator[Candidate]:
    """A folder, depth first, by name; with a stack, since hostile trees are deep."""
    stack: list[os.DirEntry[str] | str] = [top]
    while stack:
        item = stack.pop()
        if not isinstance(item, str):
            if not item.is_dir(follow_symlinks=False):
                yield _file(item)
                continue
            if _is_model(item.path):
                yield Candidate(item.path)
                continue
        path = item if isinstance(item, str) else item.path
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            reason = f"cannot be listed: {error.strerror or error}"
            yield Candidate(path, Take.FAIL, reason)
            continue
        stack += entries


def _file(entry: os.DirEntry[str]) -> Candidate:
    path = entry.path
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            return Candidate(path, Take.SKIP, "symbolic link")
        if not stat.S_ISREG(mode):
            return Candidate(path, Take.SKIP, "not a regular file")
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            kind = kind_of(file.read(HEAD) or b"", entry.name)
    except OSError as error:
        return Candidate(path, Take.FAIL, f"cannot be read: {error.strerror or error}")
    return Candidate(path, Take.JUDGE if kind else Take.OTHER, kind=kind)
