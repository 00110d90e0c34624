"""Strings that would open a file or fetch an address.

CVE-2025-12058 (a vocabulary that is a path), and rule 5: a string is a label, an enum or a
symbol by its schema; a path, URL or scheme in it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack.case import EITHER, Case, Gadget, expand
from attack.configs import dense, functional, layer, obj, sequential

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "paths"
ALL = ("keras", "h5", "json", "yaml", "tfjs", "dict")

#: What a path can look like.
PATHS: dict[str, Callable[[Stage], str]] = {
    "absolute": lambda s: str(s.bait()),
    "relative": lambda _s: "../../etc/passwd",
    "bare-name": lambda _s: "vocab.txt",
    "no-extension": lambda _s: "vocabulary",
    "home": lambda _s: "~/.ssh/id_rsa",
    "proc": lambda _s: "/proc/self/environ",
    "device": lambda _s: "/dev/zero",
    "windows": lambda _s: "C:\\Windows\\win.ini",
    "unc": lambda _s: "\\\\server\\share\\words",
    "file-url": lambda s: s.bait().as_uri(),
    "http": lambda s: s.url,
    "https": lambda _s: "https://example.invalid/words.txt",
    "ftp": lambda _s: "ftp://example.invalid/words.txt",
    "hf": lambda _s: "hf://someone/words",
    "gs": lambda _s: "gs://bucket/words",
    "s3": lambda _s: "s3://bucket/words",
    "ram": lambda _s: "ram://words",
    "upper-scheme": lambda _s: "FILE:///etc/passwd",
    "asset": lambda _s: "assets/layers/vocabulary.txt",
    "empty": lambda _s: "",
}

LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization")

#: (class, argument) pairs that hold no path, whatever Keras would make of the string.
FIELDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "idf-weights": ("TextVectorization", "idf_weights", {"output_mode": "tf_idf"}),
    "lookup-idf": ("StringLookup", "idf_weights", {"output_mode": "tf_idf"}),
    "mean": ("Normalization", "mean", {}),
    "boundaries": ("Discretization", "bin_boundaries", {}),
    "units": ("Dense", "units", {}),
    "activation": ("Dense", "activation", {"units": 2}),
    "initializer": ("Dense", "kernel_initializer", {"units": 2}),
    "dtype": ("Dense", "dtype", {"units": 2}),
    "data-format": ("Conv2D", "data_format", {"filters": 1, "kernel_size": 1}),
    "padding": ("Conv2D", "padding", {"filters": 1, "kernel_size": 1}),
    "interpolation": ("Resizing", "interpolation", {"height": 2, "width": 2}),
    "weights": ("Embedding", "weights", {"input_dim": 4, "output_dim": 2}),
    "unknown": ("Dense", "filepath", {"units": 2}),
    "scale": ("Rescaling", "scale", {}),
    "merge-mode": ("Bidirectional", "merge_mode", {"layer": layer("LSTM", "i", units=2)}),
    "standardize": ("TextVectorization", "standardize", {"vocabulary": ["a"]}),
    "split": ("TextVectorization", "split", {"vocabulary": ["a"]}),
    "output-mode": ("StringLookup", "output_mode", {"vocabulary": ["a"]}),
    "mode": ("RandomFlip", "mode", {}),
}


def vocabulary(class_name: str, path: str) -> Callable[[Stage], object]:
    """A lookup layer whose vocabulary is a path."""

    def make(stage: Stage) -> object:
        config: dict[str, object] = {"vocabulary": PATHS[path](stage), "max_tokens": None}
        return sequential(layer(class_name, "victim", **config), shape=(None, 1))

    return make


def vocabulary_of(module: str | None, key: str = "vocabulary") -> Callable[[Stage], object]:
    """The same by another name of the class, or without a module."""

    def make(stage: Stage) -> object:
        entry = obj(module, "StringLookup", {"name": "victim", key: str(stage.bait())})
        if module is None:
            del entry["module"], entry["registered_name"]
        return sequential(entry, shape=(None, 1))

    return make


def encoded(kind: str) -> Callable[[Stage], object]:
    """A path, dressed as an object that turns into a string."""

    def make(stage: Stage) -> object:
        path = str(stage.bait())
        values: dict[str, object] = {
            "bytes": {"class_name": "__bytes__", "config": {"value": path}},
            "tensor": {"class_name": "__tensor__", "config": {"value": path, "dtype": "string"}},
            "numpy": {"class_name": "__numpy__", "config": {"value": path, "dtype": "str"}},
            "config-dict": {"path": path},
        }
        return sequential(layer("StringLookup", "victim", vocabulary=values[kind]), shape=(None, 1))

    return make


def field(name: str, path: str) -> Callable[[Stage], object]:
    """A path in a field that takes none."""

    def make(stage: Stage) -> object:
        class_name, argument, config = FIELDS[name]
        return sequential(layer(class_name, "victim", **config, **{argument: PATHS[path](stage)}))

    return make


def nested(stage: Stage) -> object:
    """A vocabulary path in a model in a model."""
    victim = layer("StringLookup", "victim", vocabulary=str(stage.bait()))
    return functional(functional(victim, name="inner"))


def feature_space(stage: Stage) -> object:
    """A vocabulary path in the preprocessor of a FeatureSpace."""
    lookup = layer("StringLookup", "victim", vocabulary=str(stage.bait()))
    feature = obj("keras.utils", "Feature", {"dtype": "string", "preprocessor": lookup})
    return obj("keras.utils", "FeatureSpace", {"features": {"a": feature}, "name": "space"})


def applications(stage: Stage) -> object:
    """The layer entry of a function that fetches weights."""
    config = {"weights": stage.url, "include_top": True}
    return sequential(obj("keras.applications", "ResNet50", config))


GADGETS = [
    *(
        Gadget(
            f"{class_name}-{path}",
            "CVE-2025-12058",
            FAMILY,
            vocabulary(class_name, path),
            "/config/layers/1",
            ALL if path in ("absolute", "http") else ("keras", "dict"),
        )
        for class_name in LOOKUPS
        for path in PATHS
    ),
    *(
        Gadget(f"vocabulary-{name}", "CVE-2025-12058", FAMILY, vocabulary_of(module), "/config/layers/1")
        for name, module in (
            ("src", "keras.src.layers.preprocessing.string_lookup"),
            ("experimental", "keras.layers.experimental.preprocessing"),
            ("tf-keras", "tf_keras.layers"),
            ("keras-tf-keras", "keras._tf_keras.keras.layers"),
            ("module-less", None),
        )
    ),
    *(
        Gadget(f"vocabulary-{key}", "CVE-2025-12058", FAMILY, vocabulary_of("keras.layers", key), "/config/layers/1")
        for key in ("vocabulary_file", "lookup_file", "Vocabulary")
    ),
    *(
        Gadget(f"vocabulary-{kind}", "CVE-2025-12058", FAMILY, encoded(kind), "/config/layers/1")
        for kind in ("bytes", "tensor", "numpy", "config-dict")
    ),
    *(
        Gadget(f"{name}-{path}", "rule-5", FAMILY, field(name, path), "/config/layers/1", ("keras", "dict"), EITHER)
        for name in FIELDS
        for path in ("absolute", "http")
    ),
    Gadget("nested-vocabulary", "CVE-2025-12058", FAMILY, nested, "/config/layers/1", ALL),
    Gadget("feature-space-vocabulary", "CVE-2025-12058", FAMILY, feature_space),
    Gadget("application-weights", "rule-5", FAMILY, applications, "/config/layers/1"),
    Gadget(
        "policy-name",
        "rule-5",
        FAMILY,
        lambda s: sequential(dense(dtype=obj("keras", "DTypePolicy", {"name": str(s.bait())}))),
        "/config/layers/1",
        errors=EITHER,
    ),
]  # fmt: skip

CASES: list[Case] = expand(GADGETS)
