"""Writing the configs of an `.h5` file anew, in a copy of it. Nothing else in the copy changes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, BinaryIO

from secure_serial.errors import ConstructionError

if TYPE_CHECKING:
    from collections.abc import Mapping


def copy_with_configs(file: BinaryIO, configs: Mapping[str, str], out: BinaryIO) -> None:
    """Copy a file that was read strictly, and write these attributes of its root in the copy.

    Raises:
        ConstructionError: h5py is not installed, or cannot write the copy.

    """
    try:
        import h5py
    except ImportError as error:
        raise ConstructionError(
            "h5py is not installed, which writes .h5 files", help="pip install h5py"
        ) from error
    file.seek(0)
    shutil.copyfileobj(file, out)
    out.seek(0)
    try:
        with h5py.File(out, "r+") as copy:
            for name, text in configs.items():
                copy.attrs[name] = text.encode()
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ConstructionError(f"the copy cannot be written: {error}") from error
