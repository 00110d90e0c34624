"""Files to reports: finds models, judges them under a policy, and never loads one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_serial.report.model import FileReport, Finding, Report, Status
    from secure_serial.scan.scan import inspect, scan, verdict_on

__all__ = ["FileReport", "Finding", "Report", "Status", "inspect", "scan", "verdict_on"]

_MODEL = ("FileReport", "Finding", "Report", "Status")


def __getattr__(name: str) -> object:
    # Late, so that a module of this package can be had without the whole pipeline.
    from importlib import import_module

    if name in __all__:
        module = "secure_serial.report.model" if name in _MODEL else "secure_serial.scan.scan"
        return getattr(import_module(module), name)
    raise AttributeError(name)
