"""How much windows over images make: pooling, convolutions, patches, images of other sizes."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from secure_serial.sandbox.facades import measure
from secure_serial.sandbox.facades.charges.products import resized
from secure_serial.sandbox.facades.errors import refused
from secure_serial.sandbox.facades.measure import dims, item_bytes, take

if TYPE_CHECKING:
    from secure_serial.sandbox.facades.canonical import Row
    from secure_serial.sandbox.facades.charges.sizes import Rule

#: What NumPy takes for each place of a kernel, and for each item that it looks at there.
_PLACE, _LOOK = 200_000, 100


def sides(value: Any, rank: int, layout: str | None) -> tuple[int, ...]:
    """One number for each axis of an image; TensorFlow has one for samples and channels, too.

    >>> sides(2, 2, None), sides((1, 2, 3, 1), 2, None), sides((1, 1, 2, 3), 2, "channels_first")
    ((2, 2), (2, 3), (2, 3))
    """
    made = (value,) if type(value) is int else tuple(value)
    if len(made) == 1:
        made *= rank
    elif len(made) == rank + 2:
        inner = slice(2, None) if layout == "channels_first" else slice(1, -1)
        if prod(made) == prod(made[inner]):
            made = made[inner]
    if len(made) != rank or min(made, default=1) < 1:
        raise refused(f"{len(made)} sizes of a window for {rank} axes")
    return made


def pool(row: Row) -> Rule:
    """At most the whole at each stride; each item looks at its window."""
    places = [row.position(name) for name in ("pool_size", "strides", "data_format")]

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        size, steps, layout = (values[place] for place in places)
        window = sides(size, max(len(shape) - 2, 0), layout)
        steps = window if steps is None else sides(steps, len(window), layout)
        # NumPy adds one look at all for each place of the window.
        looks = max(_looks(shape, steps, axes) for axes in _images(layout))
        measure.labour(looks * prod(window), measure.visit(values[0]))
        # "same" pads each side by at most a window.
        total = prod(shape[:1]) * prod(n + max(window, default=0) for n in shape[1:])
        take(total, item_bytes(values[0]), 2)

    return rule


def _images(layout: str | None) -> list[slice]:
    """Where the axes of an image stand; without a layout it is the backend's that holds."""
    first, last = slice(2, None), slice(1, -1)
    return {"channels_first": [first], "channels_last": [last]}.get(layout or "", [first, last])


def _looks(shape: tuple[int, ...], steps: tuple[int, ...], axes: slice) -> int:
    """How many items there are at the places where a window comes to stand, at most."""
    image = shape[axes]
    beside = prod(shape) // prod(image)
    return beside * prod(-(-n // step) for n, step in zip(image, steps, strict=True))


def conv(row: Row) -> Rule:
    """At most the filters at each place of the image; each item is a sum over the kernel."""
    places = [row.position(name) for name in ("strides", "dilation_rate", "data_format")]
    depthwise = row.name.startswith("depthwise")

    def rule(values: list[Any]) -> None:
        image, kernel = dims(values[0]), dims(values[1])
        widest = _widest(image, kernel, *(values[place] for place in places))
        _convolved(values[:2], (image, kernel), widest, depthwise=depthwise)

    return rule


def separable(row: Row) -> Rule:
    """One filter of each channel after the other, and then one of all."""
    places = [row.position(name) for name in ("strides", "dilation_rate", "data_format")]

    def rule(values: list[Any]) -> None:
        image, kernel, pointwise = map(dims, values[:3])
        widest = _widest(image, kernel, *(values[place] for place in places))
        _convolved(values[:2], (image, kernel), widest, depthwise=True)
        # "same" may keep all places; whichever axis holds the channels.
        seen = max(prod(image[:-1]), image[0] * prod(image[2:]))
        several = (seen, *(1 for _ in image[2:]), prod(kernel[-2:]))
        _convolved(values[:3:2], (several, pointwise), 1, depthwise=False)

    return rule


def _widest(
    image: tuple[int, ...], kernel: tuple[int, ...], strides: Any, rate: Any, layout: str | None
) -> int:
    """The most that a kernel spans along an axis; strides and rates must fit the image."""
    rank = max(len(image) - 2, 0)
    sides(strides, rank, layout)
    apart = sides(rate, rank, layout)
    return max((k * r for k, r in zip(kernel, apart, strict=False)), default=0)


def _convolved(
    values: list[Any], shapes: tuple[tuple[int, ...], ...], widest: int, *, depthwise: bool
) -> None:
    image, kernel = shapes
    if len(image) != len(kernel) or len(kernel) < 3:  # noqa: PLR2004 - batch, space, channels
        raise refused("a convolution whose kernel does not fit")
    # Whichever axis holds the channels.
    places = max(prod(image[:-1]), image[0] * prod(image[2:]))
    *window, channels, filters = kernel
    item = measure.widest(values)
    take(places * filters * max(channels, 1) + prod(kernel), item)
    measure.work(places * prod(kernel), *values)
    if type(values[0]) is not np.ndarray:
        return
    # NumPy: a look at the padded image for each place of the kernel, and what that adds.
    each = channels * filters if depthwise else channels + filters
    measure.labour(prod(window), _PLACE)
    measure.labour(prod(window) * places, each * _LOOK * max(map(measure.slowness, values)))
    take(image[0] * prod(n + widest for n in image[1:]), item)
    take(places * each, item, 3)


def box(row: Row) -> Rule:
    """An image of another height and width, or of its own."""
    height, width = row.position("height"), row.position("width")

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        if len(shape) not in (3, 4):
            raise refused("an image of another number of dimensions than 3 or 4")
        tall, wide = max(values[height], shape[-3]), max(values[width], shape[-2])
        total = prod(shape[:-3]) * tall * wide * shape[-1]
        take(total, item_bytes(values[0]), 2)
        if row.name == "resize_with_pad":
            resized(values[0], (max(values[height], 1), max(values[width], 1)))

    return rule


def patches(row: Row) -> Rule:
    """What each window sees; rows and columns are picked one after the other."""
    places = [row.position(name) for name in ("sizes", "strides", "rates")]

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        if len(shape) != 4:  # noqa: PLR2004 - images
            raise refused("patches of something else than images")
        size, steps, rate = (values[place] for place in places)
        size, rate = sides(size, 2, None), sides(rate, 2, None)
        steps = size if steps is None else sides(steps, 2, None)
        each = zip(shape[1:3], size, steps, rate, strict=True)
        many, padded = zip(*((-(-n // s), n + k * r + s) for n, k, s, r in each), strict=True)
        tall, wide = many[0] * size[0], many[1] * size[1]
        beside = shape[0] * shape[3]
        total = beside * wide * max(tall, padded[0])
        take(beside * prod(padded), item_bytes(values[0]))
        take(total, max(8, item_bytes(values[0])), 3)
        measure.labour(total, _LOOK)

    return rule


def edges(_row: Row) -> Rule:
    """Two images for one, with a border on the way."""

    def rule(values: list[Any]) -> None:
        shape = dims(values[0])
        total = prod(shape[:-3]) * prod(n + 2 for n in shape[-3:-1]) * prod(shape[-1:])
        take(total, item_bytes(values[0]), 8)
        measure.labour(total, _LOOK if not measure.emulated(values[0]) else 12 * measure.HALF)

    return rule
