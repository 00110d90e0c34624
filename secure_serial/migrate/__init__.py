"""Configs of Keras 0 to 2 in today's form, on the tree that was judged. Pure.

A migration renames and rearranges what the catalogue knows, by tables with their sources
(docs/migrations.md), and refuses what has no exact form of today. What nobody knows, code and
classes of the program's own come out as they went in. Whoever migrates judges twice: the tree
as it was, where nothing but a class of an earlier Keras that no rule speaks of may be denied,
and the tree that comes out, which decides.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from secure_serial.artifact.content import wrapper_of
from secure_serial.artifact.document import Format, Part, Role
from secure_serial.migrate.context import CannotMigrate, Context, plain
from secure_serial.migrate.models import migrate_root
from secure_serial.migrate.objects import refuse_unsettled
from secure_serial.migrate.training import migrate_training
from secure_serial.plan.forms import is_keras0

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secure_serial.artifact.document import Document, Json
    from secure_serial.migrate.tables import Tables
    from secure_serial.plan.catalogue import Catalogue
    from secure_serial.plan.request import CallerObject

__all__ = ["CannotMigrate", "Migrated", "migrate"]

_FIRST_OF_TODAY = "3"


@dataclass(frozen=True, slots=True)
class Migrated:
    """A document in today's form.

    `changed` is false if the document was in today's form, which then comes out as it is.
    """

    document: Document
    changed: bool


def migrate(
    document: Document,
    *,
    catalogue: Catalogue,
    tables: Tables,
    callers: Mapping[str, CallerObject],
    compile: bool = True,
) -> Migrated:
    """The document in today's form.

    Args:
        document: What was read, and judged.
        catalogue: What is known of Keras.
        tables: The migrations.
        callers: The names of the program's own objects, which come before Keras's.
        compile: Whether what the model was compiled with is wanted, too.

    Raises:
        CannotMigrate: something has no exact form of today.

    """
    first = document.parts[0]
    root = _unwrapped(first.root)
    context = Context(
        catalogue, tables, callers, document.name, is_of_earlier_keras(document), is_keras0(root),
        first.member,
    )  # fmt: skip
    before = plain(root)
    made = migrate_root(before, context)
    refuse_unsettled(made, context)
    parts = [replace(first, root=made if made != before else root)]
    for part in document.parts[1:]:
        if part.role is Role.TRAINING and compile and context.legacy:
            context.member = part.member
            part = replace(part, root=migrate_training(part.root, context))  # noqa: PLW2901
        parts.append(part)
    if made == before and not context.legacy:
        return Migrated(document, changed=False)
    return Migrated(_document(document, parts, context), changed=True)


def _unwrapped(root: Json) -> Json:
    while isinstance(root, dict) and (wrapper := wrapper_of(root)) is not None:
        root = root[wrapper]
    return root


def is_of_earlier_keras(document: Document) -> bool:
    """Whether a document was written before Keras 3, as far as it tells."""
    root = _unwrapped(document.parts[0].root)
    version = document.keras_version
    if version is not None:
        return not version.startswith(f"{_FIRST_OF_TODAY}.")
    return not (isinstance(root, dict) and "module" in root)


def _document(document: Document, parts: list[Part], context: Context) -> Document:
    text = json.dumps([part.root for part in parts], sort_keys=True, separators=(",", ":"))
    # The weights of a TensorFlow.js model stand in files of their own, which nobody reads.
    form = Format.JSON if document.format is Format.TFJS else document.format
    return replace(
        document,
        format=form,
        judged_sha256=hashlib.sha256(text.encode()).hexdigest(),
        parts=tuple(parts),
        keras_version=context.catalogue.version,
        layouts=context.layouts,
    )
