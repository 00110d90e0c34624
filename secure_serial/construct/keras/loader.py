"""Real Keras models from judged files: Keras reads the weights, the session gives the names.

The file was opened once; Keras reads the weights from that same handle, and its own
reading of the config is replaced by the tree that was judged (`doors`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

from secure_serial.artifact.document import Format
from secure_serial.artifact.faults import located
from secure_serial.artifact.member_names import WEIGHTS_H5
from secure_serial.artifact.source import Window
from secure_serial.construct.keras import doors
from secure_serial.construct.keras.old_weights import in_todays_layout
from secure_serial.construct.live import SafeMode
from secure_serial.construct.revive import revive
from secure_serial.construct.tripwire import exempt
from secure_serial.errors import ConstructionError, UnsafeArtifact, UnsupportedFormat, Where

if TYPE_CHECKING:
    from secure_serial.artifact.opening import Opened
    from secure_serial.construct.session import Session


def load(opened: Opened, session: Session, *, compile: bool) -> Any:
    """A Keras model, weights and all, from an opened artifact under an entered session.

    Raises:
        ConstructionError: Keras cannot build it.
        UnsupportedFormat: the format holds no weights that Keras 3 could read.

    """
    loaders = {
        Format.KERAS: _archive,
        Format.KERAS_DIR: _directory,
        Format.HDF5: _hdf5,
        Format.JSON: _config,
        Format.YAML: _config,
    }
    form = opened.document.format
    if form not in loaders:
        raise UnsupportedFormat(
            f"a {form} artifact can be scanned, but Keras 3 cannot load a model from it",
            where=Where(opened.document.name),
        )
    with exempt():  # it looks all over Keras, once
        doors.install()
    with SafeMode():
        return loaders[form](opened, session, compile)


def _archive(opened: Opened, session: Session, compile: bool) -> Any:
    from keras.src.saving import saving_lib

    if opened.file is None:
        raise ConstructionError("the archive is not open")
    stored = opened.document.stored
    if stored is not None:
        # Keras would make a copy of the weights before it reads them.
        weights = Window(opened.file, stored)
        with located(opened.document.name, member=WEIGHTS_H5):
            weights.check()
        return _with_weights(weights, session, compile)
    opened.file.seek(0)
    return doors.behind(saving_lib._load_model_from_fileobj)(
        opened.file, custom_objects=None, compile=compile, safe_mode=True
    )


def _directory(opened: Opened, session: Session, compile: bool) -> Any:
    """As Keras reads a directory, but from the weights file that was opened and judged."""
    if opened.document.assets or opened.weights is None:
        raise ConstructionError(
            "a directory with assets or without weights is not loaded: save it as one .keras file",
            where=Where(opened.document.name),
        )
    opened.weights.seek(0)
    return _with_weights(opened.weights, session, compile)


def _with_weights(weights: BinaryIO | Window, session: Session, compile: bool) -> Any:
    """As Keras loads a model without assets, from its tree and its weights as they were judged."""
    from keras.src.saving import saving_lib

    model = revive(session.root(compile=compile), session)
    store = saving_lib.H5IOStore("model.weights.h5", archive=_Handed(weights), mode="r")
    failed: set[Any] = set()
    errors: dict[Any, str] = {}
    try:
        saving_lib._load_state(
            model,
            weights_store=store,
            assets_store=None,
            inner_path="",
            visited_saveables=set(),
            failed_saveables=failed,
            error_msgs=errors,
        )
    finally:
        store.close()
    if failed:
        saving_lib._raise_loading_failure(errors)
    return model


class _Handed:
    """The open file of weights, in the form of an archive: Keras takes a path or an archive."""

    def __init__(self, file: BinaryIO | Window) -> None:
        self._file = file

    def open(self, name: str, mode: str) -> BinaryIO | Window:
        """The file, whatever it is asked by. Keras closes what it gets, and not the file itself."""
        try:
            number = self._file.fileno()
        except OSError:  # held in memory
            return self._file
        return os.fdopen(number, "rb", closefd=False)


def _hdf5(opened: Opened, session: Session, compile: bool) -> Any:
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    if opened.file is None:
        raise ConstructionError("the file is not open")
    opened.file.seek(0)
    with h5py.File(opened.file, "r") as stored:
        _check_lists(stored, opened.document.name)
        with in_todays_layout(stored, opened.document) as file:
            return doors.behind(legacy_h5_format.load_model_from_hdf5)(
                file, custom_objects=None, compile=compile
            )


def _check_lists(file: Any, name: str) -> None:
    """The lists of names that Keras reads weights by: one dataset read a thousand times is a bomb.

    Raises:
        UnsafeArtifact: a list names something twice.

    """
    from keras.src.legacy.saving.legacy_h5_format import load_attributes_from_hdf5_group

    weights = file.get("model_weights")
    groups = [weights, file.get("optimizer_weights")]
    groups += [weights[key] for key in weights] if weights is not None else []
    for group in filter(None, groups):
        for listed in ("layer_names", "weight_names"):
            names = load_attributes_from_hdf5_group(group, listed)
            if len(set(names)) != len(names):
                raise UnsafeArtifact(
                    f"{listed} names something twice", where=Where(name, pointer=str(group.name))
                )


def _config(opened: Opened, session: Session, compile: bool) -> Any:
    """A config alone: the model with fresh weights, as `model_from_json` gives it."""
    from keras.src.legacy.saving import saving_utils

    root = session.root(compile=compile)
    if isinstance(root, dict) and "module" not in root:
        return saving_utils.model_from_config(root)
    return revive(root, session)
