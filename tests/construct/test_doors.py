"""The gates at Keras's doors: shut inside a load, not there outside one."""

from __future__ import annotations

import functools
import subprocess
import sys
from importlib import metadata

import pytest
from construct.parts import inside, refused
from plan.plans import layer, sequential

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.session import current
from secure_serial.data import catalogue
from secure_serial.errors import ConstructionError, LimitExceeded, LoadDenied
from secure_serial.plan.fields import Field
from secure_serial.policy.source import parse_policy

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

from keras.src.legacy.saving import json_utils  # noqa: E402
from keras.src.saving import object_registration, serialization_lib  # noqa: E402
from keras.src.utils import python_utils  # noqa: E402

from secure_serial.construct.keras import doors, gates, versions  # noqa: E402


@pytest.fixture(autouse=True)
def _doors():
    doors.install()


DENSE = layer("Dense", units=2, name="d")


def test_a_text_that_equals_a_function_of_keras_layers_stays_a_text():
    found = inside(
        lambda: [object_registration.get_registered_object("add", None, vars(keras.layers))]
    )
    assert found == [None]


def test_a_class_of_a_table_must_have_been_planned():
    def look_up():
        return object_registration.get_registered_object("Dense", None, vars(keras.layers))

    assert inside(look_up, beside=[DENSE]) is keras.layers.Dense
    assert refused(look_up) == "SS340"
    assert (
        refused(lambda: object_registration.get_registered_object("x", None, {"x": dict}))
        == "SS340"
    )


def test_code_is_not_unmarshalled():
    dumped = python_utils.func_dump(lambda x: x)
    assert refused(lambda: python_utils.func_load(*dumped)) == "SS303"
    assert python_utils.func_load(*dumped)(3) == 3


def test_keras_resolves_nothing_past_the_gate():
    def resolve():
        return serialization_lib._retrieve_class_or_fn(
            "Flatten", None, "keras.layers", "class", {}, None
        )

    assert refused(resolve, beside=[DENSE]) == "SS340"


def test_keras_resolves_a_function_that_was_planned():
    def resolve(name):
        return lambda: serialization_lib._retrieve_class_or_fn(
            name, None, "keras.activations", "function", {"module": "keras.activations"}, None
        )

    planned = layer("Dense", units=2, name="d", activation="relu")
    assert inside(resolve("relu"), beside=[planned]) is keras.activations.relu
    assert refused(resolve("sparsemax"), beside=[planned]) == "SS340"


def test_a_class_may_make_up_a_config_of_what_an_allowed_class_has_by_default():
    """No rule allows the initializer; Embedding makes one without being asked, and so may others."""
    rules = parse_policy(
        'schema = 1\ncaller_objects = "allow"\n[[allow]]\nid = "a"\nsymbols = ["keras.layers.Embedding"]'
    )
    embedding = layer("Embedding", input_dim=3, output_dim=2)
    default, another = (
        {"module": "keras.initializers", "class_name": name, "config": {}}
        for name in ("RandomUniform", "HeNormal")
    )

    def make_up(node):
        return lambda: keras.saving.deserialize_keras_object(node)

    got = inside(make_up(default), beside=[embedding], policy=rules)
    assert type(got) is keras.initializers.RandomUniform
    assert refused(make_up(another), beside=[embedding], policy=rules) == "SS340"
    assert refused(make_up(default), policy=rules) == "SS340"


def test_a_text_that_was_not_judged_is_not_parsed():
    assert refused(lambda: json_utils.decode("{}")) == "SS340"
    assert json_utils.decode("{}") == {}


@pytest.mark.parametrize(
    "hidden",
    [{"module": "os", "class_name": "system", "config": {}, "registered_name": None},
     {"module": "keras.layers", "class_name": "Lambda", "config": {}, "registered_name": None},
     {"class_name": "__lambda__", "config": {"value": ["", None, None]}}],
)  # fmt: skip
def test_what_keras_revives_inside_goes_through_the_gate(hidden):
    for entry in (
        keras.saving.deserialize_keras_object,
        serialization_lib.deserialize_keras_object,
        keras.utils.deserialize_keras_object,
    ):
        assert refused(lambda entry=entry: entry(hidden, safe_mode=False)) in {"SS340", "SS303"}


def test_a_variable_is_counted_before_its_memory_is_taken():
    small = parse_policy(
        'schema = 1\nextends = "keras-core"\nlimits = { allocation_bytes = 1_000_000 }'
    )
    # 64 GiB: taking them would fail in another way, or end the process.
    wide = keras.layers.Dense(1 << 22)
    with pytest.raises(LimitExceeded) as caught:
        inside(lambda: wide.build((None, 1 << 12)), policy=small)
    assert caught.value.code == "SS330"
    assert inside(lambda: keras.layers.Dense(10).build((None, 10)), policy=small) is None


def test_variables_are_counted_together():
    small = parse_policy(
        'schema = 1\nextends = "keras-core"\nlimits = { allocation_bytes = 100_000 }'
    )

    def one():
        keras.layers.Dense(100, use_bias=False).build((None, 100))

    def many():
        for _ in range(3):
            one()

    inside(one, policy=small)
    with pytest.raises(LimitExceeded):
        inside(many, policy=small)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float32", 4), ("float64", 8), ("int64", 8), ("bfloat16", 2), ("float16", 2), ("uint8", 1), ("int8", 1),
     ("bool", 1), (None, 4)],
)  # fmt: skip
def test_a_variables_items_have_the_size_of_their_type(dtype, size):
    assert gates._item_bytes(dtype) == size


@pytest.mark.parametrize("count", [1, 7])
def test_a_graph_in_the_worst_order_is_joined(count):
    """Each round joins one node, so the last one is tried as often as there are nodes."""
    inputs = x = keras.Input((2,))
    for number in range(count):
        x = keras.layers.Dense(2, name=f"d{number}")(x)
    config = keras.Model(inputs, x).get_config()
    config["layers"].reverse()
    module = "keras.src.models.functional"
    node = {"module": module, "class_name": "Functional", "config": config}
    made = deserialize_keras_object({**node, "registered_name": "Functional"})
    assert len(made.layers) == count + 1


def test_a_node_that_never_can_be_joined_ends_the_load():
    """3.15 sees a loop itself; 3.8, 3.10 and 3.13 go on for ever."""
    layers, tries = {}, []

    def never(*_):
        tries.append(1)
        raise IndexError

    join = gates.node(None, never)
    for _ in range(2):
        with pytest.raises(IndexError):
            join(tries, layers)
    with pytest.raises(ConstructionError, match="loop"):
        join(tries, layers)
    assert len(tries) == 2


def test_outside_a_load_keras_is_as_it_was():
    dense = keras.layers.Dense(2, activation="relu")
    back = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(dense))
    assert type(back) is keras.layers.Dense
    with keras.saving.custom_object_scope({"mine": len}):
        assert keras.saving.get_registered_object("mine") is len


def test_doors_are_installed_once():
    gated = serialization_lib.deserialize_keras_object
    doors.install()
    assert serialization_lib.deserialize_keras_object is gated


@pytest.mark.parametrize("version", ["3.5.0", "3.7.0", "2.15.0", "main"])
def test_a_keras_that_is_not_known_is_refused(monkeypatch, version):
    monkeypatch.setattr(doors, "_installed", [])
    monkeypatch.setattr(keras, "__version__", version)
    before = serialization_lib.deserialize_keras_object
    with pytest.raises(ConstructionError, match=version.replace(".", r"\.")):
        doors.install()
    assert serialization_lib.deserialize_keras_object is before


@pytest.fixture
def not_installed(monkeypatch):
    """As if no gate were there yet; what an installation replaces is put back afterwards."""
    monkeypatch.setattr(doors, "_installed", [])
    monkeypatch.setattr(doors, "_replace_copies", lambda *_: None)
    for place in versions.places(versions.NEWEST).values():
        holder, original = versions.find(place)
        monkeypatch.setattr(holder, place.name, original)


def test_a_keras_that_tells_no_version_is_refused(monkeypatch, not_installed):
    monkeypatch.delattr(keras, "__version__")
    with pytest.raises(ConstructionError, match="of no version"):
        doors.install()


def test_a_newer_keras_with_all_doors_in_their_places_has_gates_and_a_warning(
    monkeypatch, not_installed
):
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    before = serialization_lib.deserialize_keras_object
    with pytest.warns(versions.UnknownKerasWarning, match=r"3\.99 is newer than 3\.15"):
        doors.install()
    assert serialization_lib.deserialize_keras_object is not before
    assert versions.catalogue() is catalogue()


def test_a_known_keras_has_gates_without_a_warning(not_installed, recwarn):
    doors.install()
    assert not [each for each in recwarn if each.category is versions.UnknownKerasWarning]


def other(name, config, anything):
    """Takes something else than any door."""


def needs_more(
    name, registered_name, module, obj_type, full_config, custom_objects=None, *, safe
): ...


def goes_elsewhere(fileobj, custom_objects, compile, safe_mode):
    return serialization_lib.deserialize_keras_object(fileobj)


@pytest.mark.parametrize("version", ["3.15.1", "3.99.0"])
@pytest.mark.parametrize(
    ("door", "instead"),
    [("retrieve", other), ("retrieve", needs_more), ("retrieve", "not a function"), ("retrieve", None),
     ("retrieve", iter), ("load open", goes_elsewhere), ("load open", functools.partial(goes_elsewhere)),
     ("variable", None), ("activations", other)],
)  # fmt: skip
def test_a_keras_with_a_door_elsewhere_has_no_gate_at_any(
    monkeypatch, not_installed, version, door, instead
):
    monkeypatch.setattr(keras, "__version__", version)
    place = versions.places(versions.NEWEST)[door]
    holder = versions.find(place)[0]
    if instead is None:
        monkeypatch.delattr(holder, place.name)
    else:
        monkeypatch.setattr(holder, place.name, instead)
    before = serialization_lib.deserialize_keras_object
    with pytest.raises(ConstructionError, match="half-enforce"):
        doors.install()
    assert serialization_lib.deserialize_keras_object is before
    assert not doors._installed


@pytest.mark.parametrize("place", [{"module": "keras.src.moved"}, {"holder": "Moved"}])
def test_a_keras_without_a_module_or_class_of_a_door_is_refused(place):
    with pytest.raises(ConstructionError, match="half-enforce"):
        versions.find(versions.places(versions.NEWEST)["variable"]._replace(**place))


@pytest.mark.parametrize(
    ("distributions", "told"),
    [({"keras": "3.10.0"}, (3, 10)), ({"keras-nightly": "3.16.0.dev1"}, (3, 15)), ({"keras": "3.7.0"}, (3, 15)),
     ({}, (3, 15))],
)  # fmt: skip
def test_the_catalogue_is_that_of_the_keras_that_would_be_loaded(monkeypatch, distributions, told):
    def version(name):
        try:
            return distributions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(versions, "loaded", lambda *_: None)
    versions._distributed.cache_clear()
    try:
        assert versions.parsed(versions.catalogue().version) == told
    finally:
        versions._distributed.cache_clear()


def test_each_version_is_known_by_its_own_names():
    for version in versions.KNOWN:
        known = catalogue(version)
        assert versions.parsed(known.version) == version
        assert known.entry("keras.layers.Dense").at
        assert known.canonical("keras.initializers.Orthogonal") is not None
    oldest = catalogue((3, 6))
    assert "lora_alpha" not in oldest.entry("keras.layers.Dense").fields
    assert oldest.entry("keras.layers.RMSNormalization").at == ""


def test_what_an_older_keras_has_not_got_cannot_be_built(monkeypatch):
    monkeypatch.setattr(versions, "installed", lambda: "3.6.0")
    node = {"module": "keras.layers", "class_name": "RMSNormalization", "config": {}}
    with pytest.raises(ConstructionError, match=r"3\.6\.0 is installed, and has no keras\.layers"):
        deserialize_keras_object({**node, "registered_name": None})


def test_each_door_stands_in_one_place_in_each_version():
    for version in versions.KNOWN:
        here = [each.door for each in versions.PLACES if each.since <= version < each.until]
        assert sorted(here) == sorted(door.name for door in doors.DOORS)


# Keras's own classes, without a file.


def test_a_model_is_built_from_its_config():
    model = deserialize_keras_object(
        sequential(
            layer("InputLayer", batch_shape=[None, 4]), layer("Dense", units=3, activation="relu")
        )
    )
    assert model.output_shape == (None, 3)


def test_a_tensor_is_decoded_for_the_backend():
    got = deserialize_keras_object(
        {"class_name": "__tensor__", "config": {"value": [1, 2], "dtype": "int32"}}
    )
    assert keras.ops.convert_to_numpy(got).tolist() == [1, 2]
    symbolic = deserialize_keras_object(
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 2], "dtype": "float32", "keras_history": ["a", 0, 0]},
        }
    )
    assert symbolic.shape == (None, 2)


def test_what_an_earlier_keras_had_cannot_be_built():
    with pytest.raises(ConstructionError, match="earlier Keras"):
        deserialize_keras_object({"module": "keras.layers", "class_name": "Highway", "config": {}})
    with pytest.raises(ConstructionError, match="earlier Keras"):
        deserialize_keras_object({"class_name": "Highway", "config": {}})


def test_a_symbol_that_the_installed_keras_lacks_is_an_error_of_ours(monkeypatch):
    monkeypatch.delattr("keras.src.layers.core.dense.Dense")
    with pytest.raises(ConstructionError, match=r"has no keras\.layers\.Dense"):
        deserialize_keras_object(DENSE)


class Own(keras.layers.Dense):
    """A layer of the program's own."""


def test_a_class_of_the_programs_that_derives_from_keras_has_its_fields_and_its_defaults():
    node = {
        "module": "acme",
        "class_name": "Own",
        "config": {"units": 2, "activation": "relu"},
        "registered_name": "Own",
    }
    assert deserialize_keras_object(node, {"Own": Own}).units == 2
    node["config"] = {
        "units": 2,
        "activation": {"class_name": "Adam", "config": {}, "module": "keras.optimizers"},
    }
    with pytest.raises(LoadDenied) as caught:
        deserialize_keras_object(node, {"Own": Own})
    assert caught.value.code == "SS311"


@pytest.mark.parametrize(
    "regularizer",
    [{"class_name": "L2", "config": {"l2": 0.5}}, {"name": "L2", "l2": 0.5}],
)
def test_a_node_is_remembered_with_its_field_however_it_says_its_class(regularizer):
    seen = []

    class Noting(keras.layers.Dense):
        @classmethod
        def from_config(cls, config):
            seen.extend(
                current().handed.field_of(config[key], Field.ROOT)
                for key in ("kernel_regularizer", "bias_initializer")
            )
            return cls(1)

    config = {"kernel_regularizer": regularizer, "bias_initializer": {}}
    node = {"module": "acme", "class_name": "Noting", "config": config, "registered_name": "Noting"}
    deserialize_keras_object(node, {"Noting": Noting})
    assert seen == [Field.REGULARIZER, Field.ROOT]


def test_a_keras_that_is_imported_afresh_has_gates_too():
    code = """
import sys
import secure_serial as s
from secure_serial.errors import LoadDenied

hostile = {"module": "os", "class_name": "system", "config": "true", "registered_name": None}
for _ in range(2):
    import keras
    with s.enforcing("keras-core"):
        try:
            keras.saving.deserialize_keras_object(hostile)
        except LoadDenied:
            print("denied")
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        del sys.modules[name]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["denied", "denied"], done.stderr
