"""Operations on the colours of images, and what models make of them first. See `composites`."""

# ruff: noqa: D103 - they are what the names in `names/*.json` mean there

from __future__ import annotations

from typing import Any

import numpy as np

from secure_serial.sandbox.facades.errors import refused

#: Means and deviations of ImageNet's colours, as Keras's `imagenet_utils` has them.
_CAFFE = (103.939, 116.779, 123.68)
_TORCH = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_COLOURS = 3


def _floats(xp: Any, x: Any) -> Any:
    """An image of floats: of whole numbers TensorFlow makes floats, and rounds them back."""
    if "float" not in xp.dtype(x):
        raise refused("an image of something else than floats; convert_image_dtype makes them")
    return x


def adjust_contrast(xp: Any, images: Any, contrast_factor: Any) -> Any:
    mean = xp.mean(_floats(xp, images), (-3, -2), True)  # noqa: FBT003 - keepdims
    return (images - mean) * contrast_factor + mean


def adjust_gamma(xp: Any, image: Any, gamma: Any, gain: Any) -> Any:
    if gamma < 0:
        raise refused("a gamma below zero")
    return xp.power(_floats(xp, image), gamma) * gain


def adjust_saturation(xp: Any, image: Any, saturation_factor: Any) -> Any:
    hue, saturation, value = _hsv(xp, _floats(xp, image))
    return _rgb(xp, hue, xp.clip(saturation * saturation_factor, 0.0, 1.0), value)


def adjust_hue(xp: Any, image: Any, delta: Any) -> Any:
    hue, saturation, value = _hsv(xp, _floats(xp, image))
    turned = hue + delta
    return _rgb(xp, turned - xp.floor(turned), saturation, value)


def rgb_to_hsv(xp: Any, images: Any) -> Any:
    return xp.concatenate(list(_hsv(xp, _floats(xp, images))), -1)


def hsv_to_rgb(xp: Any, images: Any) -> Any:
    _of_colours(xp, _floats(xp, images))
    return _rgb(xp, images[..., 0:1], images[..., 1:2], images[..., 2:3])


def _of_colours(xp: Any, x: Any) -> None:
    if xp.shape(x)[-1] != _COLOURS:
        raise refused("an image of another number of channels than 3")


def _hsv(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    _of_colours(xp, x)
    red, green, blue = x[..., 0:1], x[..., 1:2], x[..., 2:3]
    value = xp.max(x, -1, True)  # noqa: FBT003 - keepdims
    span = value - xp.min(x, -1, True)  # noqa: FBT003 - keepdims
    saturation = xp.where(value > 0, span / xp.where(value > 0, value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * xp.where(span > 0, span, 1.0))
    of_blue = sixth * (red - green) + 4.0 / 6.0
    hue = xp.where(green == value, sixth * (blue - red) + 2.0 / 6.0, of_blue)
    hue = xp.where(red == value, sixth * (green - blue), hue)
    hue = xp.where(span > 0, hue, 0.0)
    return xp.where(hue < 0, hue + 1.0, hue), saturation, value


def _rgb(xp: Any, hue: Any, saturation: Any, value: Any) -> Any:
    six = hue * 6.0
    parts = (xp.abs(six - 3.0) - 1.0, 2.0 - xp.abs(six - 2.0), 2.0 - xp.abs(six - 4.0))
    made = [(1.0 - saturation + saturation * xp.clip(each, 0.0, 1.0)) * value for each in parts]
    return xp.concatenate(made, -1)


def convert_image_dtype(xp: Any, image: Any, dtype: Any, saturate: Any) -> Any:
    """Whole numbers up to their largest one are floats up to 1."""
    kind = xp.dtype(image)
    if kind == dtype:
        return image
    if "float" in dtype and "float" in kind:
        return xp.cast(image, dtype)
    if "float" in dtype and kind.startswith(("int", "uint")):
        return xp.cast(image, dtype) * (1.0 / int(np.iinfo(kind).max))
    if "float" in kind and dtype == "uint8":
        del saturate  # what lies outside is not defined without it
        return xp.cast(xp.clip(image * 255.5, 0.0, 255.0), dtype)
    raise refused(f"converting an image of {kind} to {dtype}")


def sobel_edges(xp: Any, image: Any) -> Any:
    """How the colours change downwards, and to the right."""
    if len(xp.shape(image)) != 4:  # noqa: PLR2004 - images
        raise refused("edges of something else than images")
    x = xp.pad(_floats(xp, image), ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect", None)
    across = x[:, :, :-2] + 2.0 * x[:, :, 1:-1] + x[:, :, 2:]
    down = x[:, :-2] + 2.0 * x[:, 1:-1] + x[:, 2:]
    return xp.stack([across[:, 2:] - across[:, :-2], down[:, :, 2:] - down[:, :, :-2]], -1)


def total_variation(xp: Any, images: Any) -> Any:
    down = images[..., 1:, :, :] - images[..., :-1, :, :]
    across = images[..., :, 1:, :] - images[..., :, :-1, :]
    axes = (-3, -2, -1)
    one, other = (xp.sum(xp.abs(each), axes, False) for each in (down, across))  # noqa: FBT003
    return one + other


def image_psnr(xp: Any, one: Any, other: Any, max_val: Any) -> Any:
    """In decibels, for each image."""
    apart = _floats(xp, one) - _floats(xp, other)
    mean = xp.mean(apart * apart, (-3, -2, -1), False)  # noqa: FBT003 - keepdims
    return 20.0 * float(np.log10(max_val)) - 10.0 * xp.log10(mean)


def preprocess_input(xp: Any, x: Any, data_format: Any, mode: Any) -> Any:
    """What the models of `keras.applications` make of an image's numbers from 0 to 255."""
    if "float" not in xp.dtype(x):
        x = xp.cast(x, "float32")
    if mode == "none":
        return x
    if mode == "tf":
        return x / 127.5 - 1.0
    first = data_format == "channels_first"
    axis = -3 if first else -1
    shape = (_COLOURS, 1, 1) if first else (_COLOURS,)
    if xp.shape(x)[axis] != _COLOURS:
        raise refused("an image of another number of channels than 3")
    kind = xp.dtype(x) if xp.dtype(x) != "bfloat16" else "float32"
    mean, spread = (np.asarray(each, kind).reshape(shape) for each in _TORCH)
    if mode == "torch":
        return (x / 255.0 - mean) / spread
    return xp.flip(x, axis) - np.asarray(_CAFFE, kind).reshape(shape)


COLOURS = {
    each.__name__: each
    for each in (
        adjust_contrast, adjust_gamma, adjust_saturation, adjust_hue, rgb_to_hsv, hsv_to_rgb,
        convert_image_dtype, sobel_edges, total_variation, image_psnr, preprocess_input,
    )
}  # fmt: skip
