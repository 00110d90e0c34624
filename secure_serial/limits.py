"""Bounds on hostile input, each with its reason. Checked before the work they bound."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of a load. A policy may set each one; the defaults suit real models.

    >>> Limits().depth
    200
    """

    # A 5,000-layer config is 4.75 MB; the largest real one seen (EfficientNetB7) is 0.76 MB.
    # Inline vocabularies are what makes a config large.
    config_bytes: int = 64 * MIB
    # Real configs nest at most some 30 deep; the interpreter's own stack ends near 1,000.
    depth: int = 200
    # 5,000 layers make about 300,000 nodes.
    nodes: int = 5_000_000
    # One string: a whole JSON text may stand inside a JSON string (Keras 1's to_json).
    string_bytes: int = 64 * MIB
    # Numerals longer than this are no hyperparameter; int() is quadratic in the length.
    number_chars: int = 400
    # Archive: Keras writes three members, and one per asset.
    archive_members: int = 10_000
    # Declared uncompressed bytes, one member and all (weights of a large model included).
    member_bytes: int = 64 * GIB
    archive_bytes: int = 128 * GIB
    # Keras stores members uncompressed; DEFLATE cannot exceed 1032:1. Keras's own floor is 100.
    compression_ratio: int = 100
    # Below this many bytes a high ratio is harmless (a config of a thousand equal layers).
    ratio_floor_bytes: int = 16 * MIB
    # HDF5: groups, datasets and attributes together. EfficientNetB7 has about 2,500; each
    # one costs the walker some hundred bytes.
    hdf5_objects: int = 200_000
    # HDF5: elements x itemsize over all datasets, declared.
    hdf5_bytes: int = 128 * GIB
    # One extent of one argument (units, filters, a shape's entry). The largest vocabularies
    # in real embeddings are a few million words.
    extent: int = 1 << 24
    # Bytes that building the model may allocate for its variables, summed over the layers.
    allocation_bytes: int = 16 * GIB
    # Layers and operations, nested ones included.
    layers: int = 50_000
    # Everything that a decision is made on. A layer makes some seven: its initializers, its
    # activation, its dtype policy, its inputs.
    requests: int = 500_000
    # Different functions whose code stands in the file. The most in a real file is 5; each takes
    # about a millisecond to read, and a hostile one up to a second.
    functions: int = 100


def least(several: Sequence[Limits]) -> Limits:
    """The least of each bound.

    >>> least([Limits(depth=9), Limits(layers=7)]).depth
    9
    """
    return Limits(
        **{each.name: min(getattr(one, each.name) for one in several) for each in fields(Limits)}
    )
