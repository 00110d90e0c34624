"""Objects that a project wrote itself."""

from __future__ import annotations

from models.zoo import Specimen, keras_, numbers, specimen


@specimen(custom=True)
def registered_layer() -> Specimen:
    """A layer that a project registered."""
    keras = keras_()
    from models import custom

    model = keras.Sequential([keras.Input((4,)), custom.Scale(2.0), keras.layers.Dense(1)])
    return Specimen(model, numbers(2, 4), {"zoo>Scale": custom.Scale})


@specimen(custom=True)
def custom_activation() -> Specimen:
    """A function passed as a custom object."""
    keras = keras_()
    from models.custom import bent

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation=bent)])
    return Specimen(model, numbers(2, 4), {"bent": bent})


@specimen(custom=True)
def custom_loss() -> Specimen:
    """A loss passed as a custom object."""
    keras = keras_()
    from models.custom import huge_loss

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=huge_loss)
    return Specimen(model, numbers(2, 4), {"huge_loss": huge_loss})


@specimen(custom=True)
def custom_cell() -> Specimen:
    """An RNN of a cell that a project wrote."""
    keras = keras_()
    from models import custom

    model = keras.Sequential([keras.Input((5, 3)), keras.layers.RNN(custom.Leaky(4))])
    return Specimen(model, numbers(2, 5, 3), {"zoo>Leaky": custom.Leaky})


@specimen(custom=True, h5=False)
def subclassed_model() -> Specimen:
    """A model that is a class of its own."""
    keras_()
    from models import custom

    model = custom.Twice(3)
    model(numbers(2, 4))
    return Specimen(model, numbers(2, 4), {"zoo>Twice": custom.Twice})
