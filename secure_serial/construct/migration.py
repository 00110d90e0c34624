"""A load of an old model in today's form: judged as it is, migrated, and judged again.

What the tree as it was may be denied for and yet be migrated is one thing only: a class of an
earlier Keras that no rule of the policy lets in and no rule forbids, with nothing wrong about
it. A migration puts another class in its place, on which the policy then decides. Code,
unknown names, arguments that are refused, what a deny rule means: the load ends there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from secure_serial.data import migrations
from secure_serial.errors import SecureSerialError
from secure_serial.migrate import migrate
from secure_serial.plan.request import Origin
from secure_serial.policy.engine import DEFAULT_DENY
from secure_serial.registry import snapshot

if TYPE_CHECKING:
    import os

    from secure_serial.artifact import Opened
    from secure_serial.artifact.document import Document
    from secure_serial.audit.log import Sink
    from secure_serial.construct.one_load import Load
    from secure_serial.policy.engine import Verdict
    from secure_serial.policy.model import Policy


def may_migrate(verdict: Verdict) -> bool:
    """Whether nothing is denied but classes of an earlier Keras that no rule speaks of."""
    return not verdict.objections and all(
        decision.code == DEFAULT_DENY
        and decision.request.origin is Origin.LEGACY
        and not decision.request.objections
        for decision in verdict.denied
    )


def migrated(load: Load, opened: Opened, *, compile: bool, file_sha256: str | None) -> Opened:
    """The artifact in today's form, to be judged again; as it was it is judged and recorded.

    Raises:
        LoadDenied: what no migration may lift is denied.
        CannotMigrate: something has no exact form of today.

    """
    before = load.judge(
        opened.document, action="migrate", file_sha256=file_sha256, unless=may_migrate
    )
    try:
        done = migrate(
            opened.document, catalogue=before.catalogue, tables=migrations(),
            callers=before.callers, compile=compile,
        )  # fmt: skip
    except SecureSerialError as error:
        load.failed(before, error)
        raise
    return replace(opened, document=done.document)


def todays_document(
    opened: Opened, policy: Policy, audit: Sink | str | os.PathLike[str] | None
) -> Document:
    """The document in today's form, judged before and after, for whoever wants it written.

    Raises:
        LoadDenied: the policy denies something, before or after.
        CannotMigrate: something has no exact form of today.

    """
    from secure_serial.construct.one_load import Load

    load = Load(policy, audit, snapshot(None), safe_mode=False)
    digest = opened.sha256()
    done = migrated(load, opened, compile=True, file_sha256=digest)
    load.judge(done.document, action="migrate", file_sha256=digest)
    return done.document
