"""Parts of images, and what stands around them: cropping, padding, patches. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np

from secure_serial.sandbox.facades.charges.windows import sides
from secure_serial.sandbox.facades.composites.images import resize
from secure_serial.sandbox.facades.errors import refused


def _height_and_width(xp: Any, x: Any) -> tuple[int, int]:
    shape = xp.shape(x)
    if len(shape) not in (3, 4):
        raise refused("an image of another number of dimensions than 3 or 4")
    height, width = shape[-3:-1]
    if type(height) is not int or type(width) is not int:
        raise refused("a part of an image whose size is not known")
    return height, width


def crop_box(xp: Any, x: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    rows, columns = _height_and_width(xp, x)
    if min(height, width) < 1 or top + height > rows or left + width > columns:
        raise refused("a part that is not inside the image")
    return x[..., top : top + height, left : left + width, :]


def central_crop(xp: Any, x: Any, central_fraction: Any) -> Any:
    rows, columns = _height_and_width(xp, x)
    if not 0 < central_fraction <= 1:
        raise refused("a fraction of an image that is not between 0 and 1")
    top = int((rows - rows * central_fraction) / 2)
    left = int((columns - columns * central_fraction) / 2)
    return crop_box(xp, x, top, left, rows - 2 * top, columns - 2 * left)


def pad_box(xp: Any, x: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    rows, columns = _height_and_width(xp, x)
    around = ((top, height - top - rows), (left, width - left - columns))
    if min(map(min, around)) < 0:
        raise refused("an image that is not inside the part")
    before = ((0, 0),) * (len(xp.shape(x)) - 3)
    return xp.pad(x, (*before, *around, (0, 0)), "constant", None)


def crop_or_pad(xp: Any, x: Any, height: Any, width: Any) -> Any:
    """To a size about the centre; what is odd stands before in padding."""
    rows, columns = _height_and_width(xp, x)
    x = crop_box(
        xp, x, max((rows - height) // 2, 0), max((columns - width) // 2, 0),
        min(rows, height), min(columns, width),
    )  # fmt: skip
    top, left = max((height - rows) // 2, 0), max((width - columns) // 2, 0)
    return pad_box(xp, x, top, left, height, width)


def resize_with_pad(
    xp: Any, x: Any, height: Any, width: Any, interpolation: Any, antialias: Any
) -> Any:
    """As large as fits, in its own proportions, in the middle of zeros."""
    rows, columns = _height_and_width(xp, x)
    ratio = max(columns / width, rows / height)
    tall, wide = rows / ratio, columns / ratio
    x = resize(xp, x, (floor(tall), floor(wide)), interpolation, antialias, "channels_last")
    top, left = max(floor((height - tall) / 2), 0), max(floor((width - wide) / 2), 0)
    return pad_box(xp, x, top, left, height, width)


def patches(xp: Any, x: Any, sizes: Any, strides: Any, rates: Any, padding: Any) -> Any:
    """What each window sees, as the channels of a place."""
    _height_and_width(xp, x)
    depth = xp.shape(x)[-1]
    size = sides(sizes, 2, None)
    steps = size if strides is None else sides(strides, 2, None)
    rate = sides(rates, 2, None)
    places = []
    around = []
    for n, k, step, every in zip(xp.shape(x)[1:3], size, steps, rate, strict=True):
        window = (k - 1) * every + 1
        many = -(-n // step) if padding == "same" else (n - window) // step + 1
        if many < 1:
            raise refused("a window that is larger than the image")
        missing = max((many - 1) * step + window - n, 0)
        around.append((missing // 2, missing - missing // 2))
        places.append(np.arange(many)[:, None] * step + np.arange(k) * every)
    if padding == "same":
        x = xp.pad(x, ((0, 0), *around, (0, 0)), "constant", None)
    made = xp.take(xp.take(x, places[1], 2), places[0], 1)
    made = xp.transpose(made, (0, 1, 3, 2, 4, 5))
    return xp.reshape(made, (-1, *(len(each) for each in places), size[0] * size[1] * depth))


CROPS = {
    each.__name__: each
    for each in (crop_box, central_crop, pad_box, crop_or_pad, resize_with_pad, patches)
}
