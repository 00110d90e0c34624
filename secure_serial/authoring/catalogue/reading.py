"""Catalogue files of packages, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from secure_serial.artifact.json_text import parse_json
from secure_serial.data import catalogue
from secure_serial.errors import ArtifactError, InvalidPolicy, Where
from secure_serial.limits import Limits

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from secure_serial.artifact.document import Json
    from secure_serial.plan.catalogue import Catalogue

#: The catalogue of Keras has some 600 KB; one of keras_hub about the same.
_MOST_BYTES = 32 * 1024 * 1024


def catalogue_with(files: Iterable[str | os.PathLike[str]]) -> Catalogue:
    """The shipped catalogue of Keras, with those of other packages.

    Raises:
        InvalidPolicy: one of them cannot be read or used.

    >>> list(catalogue_with([]).foreign_symbols())
    []

    """
    found = catalogue()
    for file in files:
        try:
            found = found.with_extra(read(file))
        except InvalidPolicy as error:
            where = error.where if error.where.file else Where(str(file))
            raise InvalidPolicy(error.message, problems=error.problems, where=where) from None
    return found


def read(file: str | os.PathLike[str]) -> Json:
    """The parsed catalogue of a package.

    Raises:
        InvalidPolicy: it cannot be read.

    """
    where = Where(str(file))
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise InvalidPolicy(f"more than {_MOST_BYTES} bytes", where=where)
        return parse_json(data, Limits())
    except ArtifactError as error:
        raise InvalidPolicy(f"not a catalogue: {error.message}", where=where) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidPolicy(f"the catalogue cannot be read: {reason}", where=where) from None
