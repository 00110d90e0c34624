"""Whose a symbol is."""

from __future__ import annotations

from typing import NamedTuple


class Owner(NamedTuple):
    """The installed distribution that a symbol comes from."""

    distribution: str  # normalised as PEP 503 has it
    version: str
    source_sha256: str = ""  # of the class's source, where a policy asks for it
