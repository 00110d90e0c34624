"""Files to reports: finds models, judges them under a policy, and never loads one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from secure_serial.report.model import FileReport, Finding, PolicyRef, Report, Status

# Eager, and last: the module `scan` would otherwise take the place of its function.
from secure_serial.scan.scan import inspect, scan, verdict_on

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from secure_serial.policy.model import Policy

__all__ = [
    "FileReport",
    "Finding",
    "PolicyRef",
    "Report",
    "Status",
    "inspect",
    "scan",
    "verdict_on",
]


class _Scan(ModuleType):
    """The package itself, callable as the function of its name.

    `secure_serial.scan` is the public function, and importing anything from here makes this
    package the attribute of that name. Both must do what the caller means.
    """

    def __call__(
        self,
        paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
        *,
        policy: Policy | str | os.PathLike[str] | None = None,
        audit: str | os.PathLike[str] | None = None,
    ) -> Report:
        """As `secure_serial.scan.scan`."""
        return scan(paths, policy=policy, audit=audit)


sys.modules[__name__].__class__ = _Scan
