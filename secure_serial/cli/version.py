"""The version of this package, cheaply where it can be had."""

from __future__ import annotations


def version() -> str:
    """The version, from the package or else from the installed metadata."""
    import secure_serial

    known = getattr(secure_serial, "__version__", None)
    if isinstance(known, str):
        return known
    from importlib import metadata  # slow: it loads the e-mail parser

    try:
        return metadata.version("secure-serial")
    except metadata.PackageNotFoundError:
        return "unknown"
