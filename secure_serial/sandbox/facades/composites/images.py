"""Operations on images of those that `keras.ops` has: see `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def space_to_depth(xp: Any, x: Any, block_size: Any, data_format: Any) -> Any:
    if data_format == "channels_first":
        made = space_to_depth(xp, xp.transpose(x, (0, 2, 3, 1)), block_size, "channels_last")
        return xp.transpose(made, (0, 3, 1, 2))
    _, height, width, depth = xp.shape(x)
    rows, columns = _blocks(height, block_size), _blocks(width, block_size)
    x = xp.reshape(x, (-1, rows, block_size, columns, block_size, depth))
    x = xp.transpose(x, (0, 1, 3, 2, 4, 5))
    return xp.reshape(x, (-1, rows, columns, block_size * block_size * depth))


def _blocks(extent: Any, block: Any) -> int:
    if extent is None or block < 1 or extent % block:
        raise refused(f"an axis of {extent} that blocks of {block} do not divide")
    return int(extent // block)


def depth_to_space(xp: Any, x: Any, block_size: Any, data_format: Any) -> Any:
    if data_format == "channels_first":
        made = depth_to_space(xp, xp.transpose(x, (0, 2, 3, 1)), block_size, "channels_last")
        return xp.transpose(made, (0, 3, 1, 2))
    _, height, width, depth = xp.shape(x)
    left = _blocks(depth, block_size * block_size) if block_size > 0 else _blocks(depth, 0)
    x = xp.reshape(x, (-1, height, width, block_size, block_size, left))
    x = xp.transpose(x, (0, 1, 3, 2, 4, 5))
    return xp.reshape(x, (-1, height * block_size, width * block_size, left))


def resize(
    xp: Any, images: Any, size: Any, interpolation: Any, antialias: Any, data_format: Any
) -> Any:
    """With the centres of pixels half a pixel inside, as TensorFlow 2 and Keras 3 have it."""
    if antialias:
        raise refused("resizing with antialias")
    first = data_format == "channels_first"
    rows = -2 if first else -3
    made = _resized(xp, images, size, interpolation, rows, _half_pixel)
    kind = xp.dtype(images)
    if kind == xp.dtype(made):
        return made
    return xp.cast(xp.round(made, 0) if kind.startswith(("int", "uint")) else made, kind)


def resize_2(
    xp: Any, images: Any, size: Any, interpolation: Any, antialias: Any, data_format: Any
) -> Any:
    """TensorFlow 2's: but for the nearest pixel, the result is float32."""
    images = images if interpolation == "nearest" else xp.cast(images, "float32")
    return xp.resize(images, size, interpolation, antialias, data_format)


def resize_old(
    xp: Any, images: Any, size: Any, interpolation: Any, align_corners: Any, half_pixel_centers: Any
) -> Any:
    """TensorFlow 1's: pixels stand for their upper left corner, unless corners are aligned."""
    if align_corners and half_pixel_centers:
        raise refused("resizing with corners aligned and centres of pixels")
    where = _half_pixel if half_pixel_centers else _aligned if align_corners else _corner
    return _resized(xp, images, size, interpolation, -3, where)


def resize_by(
    xp: Any, x: Any, height_factor: Any, width_factor: Any, data_format: Any, interpolation: Any
) -> Any:
    """Keras 1's and 2's resize_images."""
    shape = xp.shape(x)
    if len(shape) != _IMAGES:
        raise refused(f"resize_images of {len(shape)} dimensions")
    rows = -2 if data_format == "channels_first" else -3
    size = (shape[rows] * height_factor, shape[rows + 1] * width_factor)
    return _resized(xp, x, size, interpolation, rows, _half_pixel)


#: Images, rows, columns and channels.
_IMAGES = 4


def _half_pixel(new: int, old: int, nearest: bool) -> Any:  # noqa: FBT001 - one of two methods
    places = (np.arange(new) + 0.5) * (old / new)
    return np.floor(places) if nearest else places - 0.5


def _corner(new: int, old: int, nearest: bool) -> Any:  # noqa: FBT001
    places = np.arange(new) * (old / new)
    return np.floor(places) if nearest else places


def _aligned(new: int, old: int, nearest: bool) -> Any:  # noqa: FBT001
    places = np.arange(new) * ((old - 1) / max(new - 1, 1))
    return np.floor(places + 0.5) if nearest else places


def _resized(xp: Any, x: Any, size: Any, interpolation: Any, rows: int, where: Any) -> Any:
    size = (size, size) if type(size) is int else size
    nearest = interpolation == "nearest"
    x = x if nearest else xp.cast(x, "float32")  # differences of bytes would wrap round
    for axis, new in zip((rows, rows + 1), size, strict=True):
        old = xp.shape(x)[axis]
        if old is None:
            raise refused("resizing an image whose size is not known")
        x = _along(xp, x, where(new, old, nearest), axis, old, nearest)
    return x


def _along(xp: Any, x: Any, places: Any, axis: int, old: int, nearest: bool) -> Any:  # noqa: FBT001
    places = np.clip(places, 0, old - 1)
    low = np.floor(places).astype("int32")
    if nearest:
        return xp.take(x, low, axis)
    high = np.minimum(low + 1, old - 1)
    weight = (places - low).astype("float32").reshape((-1, *([1] * (-axis - 1))))
    below, above = xp.take(x, low, axis), xp.take(x, high, axis)
    return below + (above - below) * weight


def flip_image(xp: Any, x: Any, axis: Any) -> Any:
    return xp.flip(x, axis)


def rgb_to_grayscale(xp: Any, images: Any, data_format: Any) -> Any:
    """With the weights of luma in ITU-R BT.601, as TensorFlow and Keras."""
    weights = np.asarray((0.2989, 0.587, 0.114), "float32")
    if data_format == "channels_first":
        return xp.sum(images * weights.reshape((3, 1, 1)), -3, True)  # noqa: FBT003 - keepdims
    return xp.sum(images * weights, -1, True)  # noqa: FBT003 - keepdims


def grayscale(xp: Any, images: Any) -> Any:
    """TensorFlow's rgb_to_grayscale: of whole numbers they are whole numbers again."""
    return _as_floats(xp, images, lambda x: rgb_to_grayscale(xp, x, None), saturate=False)


def brighten(xp: Any, image: Any, delta: Any) -> Any:
    """TensorFlow's adjust_brightness: whole numbers are shares of the largest of their type."""
    return _as_floats(xp, image, lambda x: x + delta, saturate=True)


def _as_floats(xp: Any, x: Any, function: Callable[[Any], Any], *, saturate: bool) -> Any:
    kind = xp.dtype(x)
    if not kind.startswith(("int", "uint")):
        return function(x)
    if kind not in _PIXELS:
        raise refused(f"an image of {kind}")
    most = int(np.iinfo(kind).max)
    made = function(xp.cast(x, "float32") * np.float32(1.0 / most)) * np.float32(most + 0.5)
    if saturate:
        made = xp.maximum(xp.minimum(made, np.float32(most)), np.float32(np.iinfo(kind).min))
    return xp.cast(made, kind)


#: Types of whole numbers all of which float32 holds.
_PIXELS = frozenset({"uint8", "int8", "uint16", "int16"})


def standardize_image(xp: Any, image: Any) -> Any:
    """To mean 0 and variance 1 for each image; the deviation is at least one of equal pixels."""
    axes = (-3, -2, -1)
    extents = xp.shape(image)[-3:]
    mean = xp.mean(image, axes, True)  # noqa: FBT003 - keepdims
    spread = xp.std(image, axes, True)  # noqa: FBT003 - keepdims
    least = 1 / float(np.sqrt(np.prod(extents)))
    return (image - mean) / xp.maximum(spread, least)


IMAGES = {
    each.__name__: each
    for each in (
        space_to_depth, depth_to_space, resize, resize_2, resize_old, grayscale, brighten,
        resize_by, flip_image, rgb_to_grayscale, standardize_image,
    )
}  # fmt: skip
