"""The values that have an encoding of their own: bytes, arrays, tensors, lambdas, ...

`encode` tries them in Keras's order, which matters: with its NumPy backend an array is a
tensor. All of them are leaves but for the slice, which the walker takes.
"""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any

from secure_serial.loaded import loaded
from secure_serial.serialize.lambdas import lambda_config, restored_config
from secure_serial.serialize.naming import is_lambda

if TYPE_CHECKING:
    from types import ModuleType

#: What `encode` answers where the value has no special encoding (None is an encoding).
ORDINARY = object()

# Keras's own list (keras/src/backend/common/dtypes.py); used where Keras is not loaded.
_DTYPES = frozenset(
    {
        "float16",
        "float32",
        "float64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "bfloat16",
        "bool",
        "string",
        "float8_e4m3fn",
        "float8_e5m2",
        "complex64",
        "complex128",
    }
)


def encode(obj: object) -> Any:
    """The encoding of a value that has a special one, else `ORDINARY`.

    Raises:
        UnicodeDecodeError: bytes that are not UTF-8 text; the format has no place for them.
        ValueError: an array whose dtype the format has no name for.

    """
    if isinstance(obj, bytes):
        return _node("__bytes__", value=obj.decode("utf-8"))
    if isinstance(obj, EllipsisType):
        return _node("__ellipsis__")
    backend = loaded("keras.src.backend", "KerasTensor", "is_tensor", "convert_to_numpy")
    if backend is not None and isinstance(obj, backend.KerasTensor):
        return _keras_tensor(obj)
    tensorflow = loaded("tensorflow", "TensorShape", "DType", "TypeSpec")
    if tensorflow is not None and isinstance(obj, tensorflow.TensorShape):
        return None if obj._dims is None else obj.as_list()  # noqa: SLF001 - as Keras asks it
    if backend is not None and backend.is_tensor(obj):
        value = backend.convert_to_numpy(obj).tolist()
        return _node("__tensor__", value=value, dtype=_dtype_name(obj, backend))
    numpy = loaded("numpy", "ndarray")
    if numpy is not None and type(obj).__module__ == "numpy":
        return _numpy(obj, numpy, backend)
    if tensorflow is not None and isinstance(obj, tensorflow.DType):
        return obj.name
    dump = lambda_config(obj) if is_lambda(obj) else restored_config(obj)
    if dump is not None:
        return _lambda(*dump)
    if tensorflow is not None and isinstance(obj, tensorflow.TypeSpec):
        return _type_spec(obj, tensorflow)
    return ORDINARY


def _node(class_name: str, **config: object) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _lambda(dump: tuple[Any, ...] | None, form: dict[str, Any] | None) -> dict[str, Any]:
    """A function as Keras writes it, with our own form under a key that Keras ignores."""
    node = _node("__lambda__") if dump is None else _node("__lambda__", value=dump)
    if form is not None:
        from secure_serial.lambdas.stored import OWN

        node["config"][OWN] = form
    return node


def restored_node(function: object, *, in_layer: bool = False) -> dict[str, Any] | None:
    """A function that was restored from a file, written down again; None for anything else.

    Args:
        function: Any object.
        in_layer: Whether a `Lambda` layer holds it: there Keras wants the parts by their names.

    """
    dump = restored_config(function)
    if dump is None:
        return None
    node = _lambda(*dump)
    value = node["config"].pop("value", None) if in_layer else None
    if value is not None:
        node["config"].update(zip(("code", "defaults", "closure"), value, strict=True))
    return node


def _keras_tensor(obj: Any) -> dict[str, Any]:
    history = getattr(obj, "_keras_history", None)
    if history:
        operation, *indices = history
        history = [operation.name, *indices]
    return _node("__keras_tensor__", shape=obj.shape, dtype=obj.dtype, keras_history=history)


def _numpy(obj: Any, numpy: ModuleType, backend: ModuleType | None) -> Any:
    if isinstance(obj, numpy.ndarray) and obj.ndim > 0:
        return _node("__numpy__", value=obj.tolist(), dtype=_dtype_name(obj, backend))
    return obj.item()


def _dtype_name(obj: Any, backend: ModuleType | None) -> str:
    if backend is not None:
        name: str = backend.standardize_dtype(obj.dtype)
        return name
    name = obj.dtype.name
    if name not in _DTYPES:
        raise ValueError(f"Invalid dtype: {name}")
    return name


def _type_spec(obj: Any, tensorflow: ModuleType) -> dict[str, Any]:
    def plain(part: Any) -> Any:
        if isinstance(part, tensorflow.TensorShape):
            return part.as_list()
        return part.name if isinstance(part, tensorflow.DType) else part

    return {
        "class_name": "__typespec__",
        "spec_name": obj.__class__.__name__,
        "module": obj.__class__.__module__,
        "config": [plain(part) for part in obj._serialize()],  # noqa: SLF001 - as Keras asks it
        "registered_name": None,
    }
