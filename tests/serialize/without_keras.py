"""A pytest plugin that stands for a machine without Keras, NumPy and every backend."""

from __future__ import annotations

import sys

BLOCKED = frozenset({"keras", "numpy", "jax", "jaxlib", "tensorflow", "torch", "scipy", "h5py"})


class Absent:
    """Finds none of the blocked packages, as if they were not installed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())


def pytest_sessionfinish(session):
    present = BLOCKED & set(sys.modules)
    assert not present, f"loaded all the same: {sorted(present)}"
