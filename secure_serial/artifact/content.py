"""What a parsed value is: a Keras config, something that wraps one, or neither.

Keras 1 to 3 write an object with `class_name`, Keras 0.x one with `layers`, an early
Sequential is a list of layers. TensorFlow.js and some HDF5 converters wrap the config; a
config saved by `json.dump(model.to_json())` is JSON within a JSON string.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from secure_serial.artifact.document import Format
from secure_serial.artifact.faults import Fault, located
from secure_serial.artifact.json_text import parse_json
from secure_serial.artifact.member_names import check_path
from secure_serial.errors import MalformedArtifact, UnsafeArtifact, UnsupportedFormat, Where

if TYPE_CHECKING:
    from secure_serial.artifact.document import Json
    from secure_serial.limits import Limits

# to_json() gives a text; json.dump of it a string with a text; the .h5 of a converter wraps
# that once more. Nobody was seen to do it a third time.
_MAX_UNWRAPPED = 2
# Keys whose value is the config: in a TensorFlow.js model, and in its copy of what an HDF5
# file's attributes held.
_WRAPPERS = ("modelTopology", "model_config")
# "2.2.4-tf", "3.15.1", "3.0.0.dev2024010203"
_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,64}")

# Objects that are often met where a Keras config is looked for.
_OTHERS = {
    "weight_map": "the index of sharded weights",
    "model_type": "a Hugging Face transformers config",
    "architectures": "a Hugging Face transformers config",
    "node": "a TensorFlow graph",
    "scripts": "a package.json",
    "nbformat": "a Jupyter notebook",
    "openapi": "an OpenAPI description",
    "$schema": "a document with a JSON Schema",
}


class Content(NamedTuple):
    """A config found in a value; `base` is the JSON pointer of the config in the text.

    `whole` is the value that the planner gets, with what stands beside the config (the
    training_config of a tfjs file); `base` leads from there to the config. It is None if
    the config came from a string inside the text: no position of it is one of the text.
    """

    root: Json
    whole: Json
    base: str | None
    keras_version: str | None
    is_tfjs: bool


def find_config(value: Json, limits: Limits) -> Content:
    """The Keras config in a parsed value.

    >>> from secure_serial.limits import Limits
    >>> value = {"modelTopology": {"model_config": {"class_name": "Model", "config": {}}}}
    >>> found = find_config(value, Limits())
    >>> found.root, found.base
    ({'class_name': 'Model', 'config': {}}, '/modelTopology/model_config')

    Raises:
        UnsupportedFormat: there is none.
        UnsafeArtifact: a tfjs manifest that names files elsewhere.

    """
    base: str | None = ""
    version: str | None = None
    unwrapped = 0
    wrappers: list[str] = []
    whole = value
    while True:
        with located(pointer=base or ""):
            if isinstance(value, str):
                unwrapped += 1
                whole = value = _unwrap_text(value, unwrapped, limits)
                base = None
                continue
            if not isinstance(value, dict):
                break
            version = _version(value) or version
            _refuse_two_models(value)
            wrapper = wrapper_of(value, kinds=(dict, str))
            if wrapper is None or wrapper in wrappers:
                break
            if wrapper == "modelTopology":
                _check_tfjs(value)
            wrappers.append(wrapper)
            value = value[wrapper]
            base = None if base is None else f"{base}/{wrapper}"
    with located(pointer=base or ""):
        return Content(check_config(value), whole, base, version, "modelTopology" in wrappers)


def wrapper_of(value: dict[str, Json], *, kinds: tuple[type, ...] = (dict,)) -> str | None:
    """The key that holds the config, if this object only wraps one; the first, if several do.

    Args:
        value: What may be a wrapper.
        kinds: What the wrapped config may be written as.

    >>> wrapper_of({"modelTopology": {}, "format": "layers-model"})
    'modelTopology'
    >>> wrapper_of({"class_name": "Model", "model_config": {}}) is None
    True

    """
    if "class_name" in value:
        return None
    return next((key for key in _WRAPPERS if isinstance(value.get(key), kinds)), None)


def check_object(value: Json) -> Json:
    """The value, if it is an object with the shape of a config: never a bare list of layers."""
    if not isinstance(value, dict):
        raise UnsupportedFormat(
            f"no Keras config: the text holds {_kind(value)}", code=Fault.NOT_A_CONFIG
        )
    return check_config(value)


def check_config(value: Json) -> Json:
    """The value, if it has the shape of a Keras config; what it holds is for the planner."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            return value
        layers = value.get("layers")
        if isinstance(layers, list) and all(isinstance(layer, dict) for layer in layers):
            return value
        raise UnsupportedFormat(f"no Keras config: {_describe(value)}", code=Fault.NOT_A_CONFIG)
    if isinstance(value, list) and value and all(map(_is_layer, value)):
        return value
    raise UnsupportedFormat(
        f"no Keras config: the text holds {_kind(value)}", code=Fault.NOT_A_CONFIG
    )


def config_format(content: Content) -> Format:
    """The format of a text in JSON, by what was found in it."""
    return Format.TFJS if content.is_tfjs else Format.JSON


def parse_metadata(data: bytes, limits: Limits) -> str | None:
    """The Keras version that metadata.json names."""
    value = parse_json(data, limits)
    if not isinstance(value, dict):
        raise MalformedArtifact("the metadata is not an object", code=Fault.METADATA)
    return _version(value)


def check_version(version: object) -> str | None:
    """A version as text, or None if there is none."""
    if version is None:
        return None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise MalformedArtifact(
            "keras_version is not a version", code=Fault.METADATA, where=Where()
        )
    return version


def _version(value: dict[str, Json]) -> str | None:
    return check_version(value.get("keras_version"))


def _refuse_two_models(value: dict[str, Json]) -> None:
    keys = [key for key in ("class_name", *_WRAPPERS) if key in value]
    if len(keys) > 1:
        raise UnsafeArtifact(
            f"both {keys[0]} and {keys[1]}: readers disagree on which is the model",
            code=Fault.POLYGLOT,
        )


def _unwrap_text(text: str, times: int, limits: Limits) -> Json:
    if times > _MAX_UNWRAPPED or text.lstrip()[:1] not in {"{", "[", '"'}:
        raise UnsupportedFormat("no Keras config: the text holds a string", code=Fault.NOT_A_CONFIG)
    return parse_json(text.encode(), limits)


def _check_tfjs(value: dict[str, Json]) -> None:
    if value.get("format", "layers-model") != "layers-model":
        raise UnsupportedFormat(
            f"a TensorFlow.js {value['format']!r:.40}, which holds no Keras config",
            code=Fault.NOT_A_CONFIG,
        )
    manifest = value.get("weightsManifest", [])
    if not isinstance(manifest, list):
        raise MalformedArtifact("weightsManifest is not a list", code=Fault.METADATA)
    for index, group in enumerate(manifest):
        paths = group.get("paths", []) if isinstance(group, dict) else None
        if not isinstance(paths, list):
            raise MalformedArtifact(
                "an entry of weightsManifest has no list of paths", code=Fault.METADATA
            )
        for number, path in enumerate(paths):
            _check_weight_path(path, Where(pointer=f"/weightsManifest/{index}/paths/{number}"))


def _check_weight_path(path: object, where: Where) -> None:
    # A query or a fragment is no part of a file's name: the path would be fetched as a URL.
    if not isinstance(path, str) or re.search(r"[:?#%]", path):
        raise UnsafeArtifact(
            f"the weights' path {path!r:.120} is not a plain relative one",
            code=Fault.TFJS_PATH,
            where=where,
        )
    try:
        check_path(path)
    except UnsafeArtifact as error:
        raise UnsafeArtifact(
            f"the weights' path: {error.message}", code=Fault.TFJS_PATH, where=where
        ) from error


def _is_layer(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("class_name"), str)


def _describe(value: dict[str, Json]) -> str:
    for key, what in _OTHERS.items():
        if key in value:
            return f"this looks like {what}"
    keys = ", ".join(repr(key)[:40] for key in list(value)[:5])
    return f"an object with neither class_name nor layers (it has: {keys or 'nothing'})"


def _kind(value: Json) -> str:
    if isinstance(value, list):
        return "a list that is no model"
    return f"a {type(value).__name__}"
