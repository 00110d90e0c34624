"""Pictures: convolutions of every kind, augmentation, real architectures."""

from __future__ import annotations

from models.zoo import Specimen, keras_, numbers, specimen


@specimen()
def cnn_batch_norm() -> Specimen:
    """Convolutions, normalization, pooling."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    return Specimen(model, numbers(2, 8, 8, 3))


@specimen()
def convolutions_1d() -> Specimen:
    """One dimension."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 3)),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
            layers.SeparableConv1D(4, 3),
            layers.DepthwiseConv1D(3),
            layers.Conv1DTranspose(3, 2, strides=2),
            layers.AveragePooling1D(2),
            layers.ZeroPadding1D(1),
            layers.Cropping1D(1),
            layers.UpSampling1D(2),
            layers.SpatialDropout1D(0.1),
            layers.GlobalMaxPooling1D(),
        ]
    )
    return Specimen(model, numbers(2, 16, 3))


@specimen()
def convolutions_2d() -> Specimen:
    """Two dimensions."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 4)),
            layers.SeparableConv2D(4, 3, depth_multiplier=2),
            layers.DepthwiseConv2D((3, 1), padding="same"),
            layers.Conv2D(8, 3, groups=2, strides=(1, 1)),
            layers.GroupNormalization(4),
            layers.Conv2DTranspose(2, 3, output_padding=1, strides=2),
            layers.ZeroPadding2D(((1, 0), (0, 1))),
            layers.Cropping2D(1),
            layers.UpSampling2D((2, 2), interpolation="bilinear"),
            layers.AveragePooling2D((2, 2), padding="same"),
            layers.GlobalMaxPooling2D(keepdims=True),
        ]
    )
    return Specimen(model, numbers(2, 12, 12, 4))


@specimen()
def convolutions_3d() -> Specimen:
    """Three dimensions."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 6, 2)),
            layers.Conv3D(2, 2),
            layers.Conv3DTranspose(2, 2),
            layers.MaxPooling3D(2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    return Specimen(model, numbers(1, 6, 6, 6, 2))


@specimen()
def image_preprocessing() -> Specimen:
    """Augmentation does nothing at inference."""
    keras = keras_()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, seed=1),
            layers.RandomZoom(0.1, seed=1),
            layers.CenterCrop(6, 6),
            layers.Resizing(4, 4),
            layers.Flatten(),
        ]
    )
    return Specimen(model, numbers(2, 8, 8, 3) * 255)


@specimen(slow=True)
def mobilenet_v2() -> Specimen:
    """A real architecture, without its weights from afar."""
    keras = keras_()
    model = keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=10, alpha=0.35)
    return Specimen(model, numbers(1, 32, 32, 3))


@specimen(slow=True)
def resnet50() -> Specimen:
    """As above."""
    keras = keras_()
    model = keras.applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=10)
    return Specimen(model, numbers(1, 32, 32, 3))


@specimen(slow=True)
def efficientnet_b0() -> Specimen:
    """As above; its preprocessing layers are part of the model."""
    keras = keras_()
    model = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=10)
    return Specimen(model, numbers(1, 32, 32, 3))
