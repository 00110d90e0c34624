"""Settings that must be there before Keras is imported for the first time."""

from __future__ import annotations

import os

# The light backend; whoever runs the tests with another one says so.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
