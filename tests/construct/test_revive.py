"""What is built, from what, and what is refused while building. None of this needs Keras."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import threading

import pytest
from construct.parts import Part, make, part

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.session import current
from secure_serial.errors import ArtifactError, ConstructionError, LoadDenied, PolicyError
from secure_serial.policy.source import parse_policy
from secure_serial.registry import (
    CustomObjectScope,
    get_custom_objects,
    register_keras_serializable,
)
from secure_serial.serialize import serialize_keras_object
from secure_serial.sharing import ObjectSharingScope

LISTED = 'schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]'


@pytest.fixture(autouse=True)
def _nothing_built():
    Part.built.clear()


def load(tree, *classes, **options):
    objects = {f"acme>{cls.__name__}": cls for cls in (classes or (make(),))}
    return deserialize_keras_object(tree, objects, **options)


def nested(config):
    """What a class does that revives what its config holds."""
    return deserialize_keras_object(config["inner"])


# Round trips.


def test_a_registered_object_comes_back_as_it_went():
    cls = register_keras_serializable("trip")(make("Trip"))
    try:
        node = serialize_keras_object(cls(a=1, b=[1, 2], c={"d": None}))
        back = deserialize_keras_object(node)
        assert type(back) is cls
        assert back.config == {"a": 1, "b": [1, 2], "c": {"d": None}}
    finally:
        get_custom_objects().pop("trip>Trip")


def test_objects_in_lists_and_dicts_come_back_in_their_places():
    got = load([part(config={"n": 1}), {"a": part(config={"n": 2}), "b": 3}])
    assert got[0].config == {"n": 1}
    assert got[1]["a"].config == {"n": 2}
    assert got[1]["b"] == 3


def test_a_scope_or_an_argument_may_say_what_a_name_means():
    scoped, passed = make(), make()
    with CustomObjectScope({"acme>Part": scoped}):
        assert type(deserialize_keras_object(part(), {"acme>Part": passed})) is scoped
    assert type(deserialize_keras_object(part(), {"acme>Part": passed})) is passed


def swish(x):
    return x


def test_a_function_is_handed_over_and_not_called():
    node = {
        "module": "builtins",
        "class_name": "function",
        "config": "swish",
        "registered_name": "function",
    }
    assert deserialize_keras_object(node, {"swish": swish}) is swish
    assert deserialize_keras_object("swish", {"swish": swish}) is swish
    assert deserialize_keras_object("other", {"swish": swish}) == "other"


@pytest.mark.parametrize(
    ("encoding", "value"),
    [({"class_name": "__bytes__", "config": {"value": "ö"}}, "ö".encode()),
     ({"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": -1}}, slice(1, None, -1)),
     ({"class_name": "__ellipsis__", "config": {}}, ...), ({"class_name": "__ellipsis__", "config": None}, ...)],
)  # fmt: skip
def test_value_encodings_are_decoded(encoding, value):
    assert deserialize_keras_object(encoding) == value
    assert deserialize_keras_object([encoding]) == [value]


def test_an_encoded_array_is_decoded():
    numpy = pytest.importorskip("numpy")
    got = deserialize_keras_object(
        {"class_name": "__numpy__", "config": {"value": [[1, 2]], "dtype": "int8"}}
    )
    assert got.dtype == numpy.int8
    assert got.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "config",
    [
        {"value": [[1], [1, 2]], "dtype": "int8"},
        {"value": [1], "dtype": "string"},
        {"value": [300], "dtype": "int8"},
    ],
)
def test_an_array_that_numpy_will_not_have_is_an_error_of_ours(config):
    pytest.importorskip("numpy")
    with pytest.raises(ConstructionError):
        deserialize_keras_object({"class_name": "__numpy__", "config": config})


def test_what_a_table_explains_is_judged_like_any_other():
    cls = make()
    assert (
        type(
            deserialize_keras_object(
                {"class_name": "Thing", "config": {"a": 1}}, module_objects={"Thing": cls}
            )
        )
        is cls
    )
    assert deserialize_keras_object("swish", module_objects={"swish": swish}) is swish
    assert deserialize_keras_object("other", module_objects={"swish": swish}) == "other"
    with pytest.raises(LoadDenied):
        deserialize_keras_object("swish", module_objects={"swish": swish}, policy=LISTED_POLICY)


LISTED_POLICY = parse_policy(LISTED)


# What the program's own objects may do.


def test_a_policy_that_lists_names_builds_only_those():
    objects = make(), make("Other")
    assert load(part(), *objects, policy=LISTED_POLICY)
    Part.built.clear()
    with pytest.raises(LoadDenied):
        load([part(), part("Other")], *objects, policy=LISTED_POLICY)
    assert not Part.built


def test_an_object_that_the_plan_did_not_hold_may_be_asked_for_only_where_the_program_is_vouched_for():
    outer, other = (
        make(action=lambda _config: deserialize_keras_object("acme>Other")),
        make("Other"),
    )
    assert load(part(), outer, other).config["made"] is other
    with pytest.raises(LoadDenied) as caught:
        load(part(), outer, other, policy=LISTED_POLICY)
    assert caught.value.code == "SS340"


def test_a_node_of_an_object_that_the_plan_did_not_hold_is_refused_in_any_case():
    outer = make(action=lambda _config: deserialize_keras_object(part("Other")))
    with pytest.raises(LoadDenied) as caught:
        load(part(), outer, make("Other"))
    assert caught.value.code == "SS340"
    assert [b.config for b in Part.built] == []


def test_a_deny_rule_holds_for_what_is_asked_for_while_building():
    rules = parse_policy(
        'schema = 1\ncaller_objects = "allow"\n[[deny]]\nid = "d"\nregistered = ["acme>Other"]'
    )
    outer = make(action=lambda _config: deserialize_keras_object("acme>Other"))
    with pytest.raises(LoadDenied) as caught:
        load(part(), outer, make("Other"), policy=rules)
    assert caught.value.code == "SS340"


def test_an_object_registered_while_loading_is_not_in_the_load():
    def register(_config):
        register_keras_serializable("late")(make("Late"))
        return deserialize_keras_object(part("Late", registered="late>Late"))

    try:
        with pytest.raises(LoadDenied):
            load(part(), make(action=register))
    finally:
        get_custom_objects().pop("late>Late")


# Nested deserialization.


def test_what_a_class_revives_itself_belongs_to_the_load():
    got = load(part(config={"inner": part("Other", {"n": 2})}), make(action=nested), make("Other"))
    assert got.config["made"].config == {"n": 2}
    assert current() is None


def test_a_class_cannot_bring_a_policy_of_its_own():
    wide = parse_policy('schema = 1\ncaller_objects = "allow"')
    outer = make(
        action=lambda _config: deserialize_keras_object(
            part("Other"), {"acme>Other": make("Other")}, policy=wide
        )
    )
    with pytest.raises(LoadDenied):
        load(part(), outer, policy=LISTED_POLICY)


@pytest.mark.parametrize(
    "hidden",
    [{"class_name": "system", "module": "os", "config": {}}, {"class_name": "__lambda__", "config": {}},
     {"class_name": "__typespec__", "config": []}, {"class_name": "function", "module": "os", "config": "system"},
     {"class_name": "Part", "module": "subprocess", "config": {}, "registered_name": "acme>Part"},
     {"class_name": "Layer", "module": "keras.layers", "config": {}}, [{"a": {"class_name": "X", "config": {}}}]],
)  # fmt: skip
def test_what_a_class_makes_up_is_refused(hidden):
    with pytest.raises(LoadDenied):
        load(part(), make(action=lambda _config: deserialize_keras_object(hidden)))


def test_what_a_class_reads_out_of_a_text_is_judged_with_its_arguments():
    import json

    outer = make(action=lambda config: deserialize_keras_object(json.loads(config["text"])))
    text = json.dumps(part("Other", {"code": "a1" * 40}))
    with pytest.raises(LoadDenied):
        load([part(config={"text": text}), part("Other")], outer, make("Other"))


# No side ways.


def test_a_text_that_equals_a_registered_name_stays_a_text():
    got = load(part(config={"a": "acme>Part", "b": ["acme>Part"], "c": {"d": "acme>Part"}}))
    assert got.config == {"a": "acme>Part", "b": ["acme>Part"], "c": {"d": "acme>Part"}}
    assert load({"a": "acme>Part", "b": ["acme>Part"]}) == {"a": "acme>Part", "b": ["acme>Part"]}


def test_a_shared_object_id_is_no_short_cut_past_the_name():
    first = part(shared_object_id=7)
    with pytest.raises(LoadDenied):
        load([first, {"class_name": "system", "module": "os", "config": {}, "shared_object_id": 7}])
    assert not Part.built
    one, other = load([first, part("Other", shared_object_id=7)], make(), make("Other"))
    assert type(one) is not type(other)


def test_equal_nodes_of_one_id_are_one_object_and_others_are_not():
    nodes = [part(config={"n": n}, shared_object_id=7) for n in (1, 1, 2)]
    one, same, other = load(nodes)
    assert one is same
    assert other.config == {"n": 2}
    again = load([part(config={"n": 1}), part(config={"n": 1})])
    assert again[0] is not again[1]


def test_an_id_that_cannot_be_a_key_shares_nothing():
    one, other = load([part(shared_object_id=[7]), part(shared_object_id=[7])])
    assert one is not other


def test_objects_that_were_shared_when_written_are_shared_again():
    cls = make()
    shared = cls(n=1)
    with CustomObjectScope({"acme>Part": cls}):
        register_keras_serializable("acme")(cls)
        try:
            with ObjectSharingScope():
                tree = serialize_keras_object([shared, shared, cls(n=1)])
            one, same, other = deserialize_keras_object(tree)
        finally:
            get_custom_objects().pop("acme>Part")
    assert one is same
    assert one is not other


# What is judged is what is built.


def test_a_config_that_is_changed_while_it_is_loaded_changes_nothing():
    tree = [part(config={"n": 1}), part(config={"n": 2})]

    def change(_config):
        tree[1]["config"]["n"] = "/etc/passwd"
        tree[1]["class_name"] = "Evil"

    assert [p.config["n"] for p in load(tree, make(action=change))] == [1, 2]


def test_a_class_that_takes_its_config_apart_changes_neither_the_callers_nor_anothers():
    def empty(config):
        config.clear()

    one = {"list": [1]}
    tree = [part(config=one), part(config=one)]
    before = copy.deepcopy(tree)
    cls = make(action=empty)
    load(tree, cls)
    assert tree == before

    def reach(config):
        config["list"].append(2)

    got = load(tree, make(action=reach))
    assert got[1].config["list"] == [1, 2]  # its own copy, changed once


# Errors.


def test_a_denial_is_a_value_error_and_nothing_is_built():
    with pytest.raises(ValueError, match="denied by the policy keras-core") as caught:
        load([part(), {"class_name": "system", "module": "os", "config": {}}])
    assert isinstance(caught.value, LoadDenied)
    assert caught.value.verdict.denied[0].request.symbol == "os.system"
    assert caught.value.where.pointer == "/1"
    assert not Part.built


def test_a_denial_shows_a_few_reasons_and_counts_the_others():
    tree = [{"class_name": f"C{n}", "module": "os", "config": {}} for n in range(9)]
    with pytest.raises(LoadDenied, match="and 4 more") as caught:
        load(tree)
    assert len(caught.value.verdict.denied) == 9


def test_a_denial_of_the_whole_says_so():
    rules = parse_policy('schema = 1\ncaller_objects = "allow"\nlimits = { allocation_bytes = 7 }')
    array = {"class_name": "__numpy__", "config": {"value": [1], "dtype": "int8"}}
    with pytest.raises(LoadDenied, match="SS330") as caught:
        load(array, policy=rules)
    assert caught.value.code == "SS330"


def test_a_denial_offers_the_lines_that_allow_it():
    objects = make(), make("Other")
    with pytest.raises(LoadDenied) as caught:
        load(part("Other"), *objects, policy=LISTED_POLICY)
    assert "put this into <text>" in caught.value.help
    assert load(
        part("Other"),
        *objects,
        policy=parse_policy(LISTED + caught.value.help.partition("\n")[2].join("\n\n")),
    )
    with pytest.raises(LoadDenied) as caught:
        load(part("Other"), *objects, policy="strict")
    text = caught.value.help.partition("\n")[2]
    assert load(part("Other"), *objects, policy=parse_policy(text))


def test_a_constructor_that_fails_is_a_type_error_that_keeps_its_cause():
    def fail(_config):
        raise KeyError("inside")

    with pytest.raises(TypeError, match="could not be deserialized properly") as caught:
        load(part(), make(action=fail))
    assert isinstance(caught.value, ConstructionError)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_constructors_value_error_can_be_caught_as_one():
    def fail(_config):
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside") as caught:
        load(part(), make(action=fail))
    assert isinstance(caught.value, ConstructionError)


def test_a_class_without_from_config_is_an_error_of_ours():
    class Bare:
        def get_config(self):
            return {}

    with pytest.raises(ConstructionError, match="from_config"):
        deserialize_keras_object(part("Bare"), {"acme>Bare": Bare})


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), [object()], {"a": b"x"}, {"a": float}])
def test_what_is_no_config_is_a_type_error(value):
    with pytest.raises(TypeError) as caught:
        deserialize_keras_object(value)
    assert isinstance(caught.value, ArtifactError)


def test_a_class_that_recurses_for_ever_ends_in_an_error_of_ours():
    def again(config):
        return deserialize_keras_object(part(config=dict(config)))

    with pytest.raises(ConstructionError):
        load(part(), make(action=again))


def test_a_policy_that_cannot_be_used_loads_nothing():
    with pytest.raises(PolicyError):
        load(part(), policy="no-such-policy")
    assert not Part.built


def test_building_and_compiling_are_done_as_the_node_says():
    seen = []
    methods = {
        "built": False,
        "build_from_config": lambda self, config: seen.append(("build", config)),
        "compile_from_config": lambda self, config: seen.append(("compile", config)),
    }
    got = load(
        part(build_config={"input_shape": [1]}, compile_config={"loss": "mse"}), make(**methods)
    )
    assert seen == [("build", {"input_shape": [1]}), ("compile", {"loss": "mse"})]
    assert (got.built, got.compiled) == (True, True)


# Loads beside each other.


def test_threads_do_not_see_each_others_load():
    barrier = threading.Barrier(2, timeout=30)
    found = {}

    def both_inside(_config):
        barrier.wait()
        found[threading.get_ident()] = current()
        barrier.wait()
        return deserialize_keras_object("acme>Other")

    outcomes = {}

    def run(name, rules):
        try:
            outcomes[name] = load(part(), make(action=both_inside), make("Other"), policy=rules)
        except LoadDenied as error:
            outcomes[name] = error

    threads = [
        threading.Thread(target=run, args=a) for a in (("wide", None), ("narrow", LISTED_POLICY))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, other = found.values()
    assert one is not None
    assert one is not other
    assert isinstance(outcomes["wide"], Part)
    assert isinstance(outcomes["narrow"], LoadDenied)


@pytest.mark.parametrize("other", [None, ValueError("something else"), TypeError()])
def test_who_swallows_a_refusal_gets_no_object_either(other):
    def swallow(_config):
        with contextlib.suppress(LoadDenied):
            deserialize_keras_object(part("Unknown"))
        if other is not None:
            raise other

    with pytest.raises(LoadDenied, match="acme>Unknown was asked for") as caught:
        load(part(), make(action=swallow))
    assert caught.value.code == "SS340"
    outcome = caught.value.records[-1]
    assert (outcome["event"], outcome["outcome"]) == ("outcome", "failed")
    assert [each["symbol"] for each in outcome["refused"]] == ["acme>Unknown"]


def test_a_thread_without_a_load_of_its_own_sees_none():
    def look(_config):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
        return seen

    assert load(part(), make(action=look)).config["made"] == [None]


def test_a_task_that_waits_does_not_leave_its_load_to_another():
    async def loading(rules):
        await asyncio.sleep(0)
        outer = make(action=lambda _config: deserialize_keras_object("acme>Other"))
        try:
            return load(part(), outer, make("Other"), policy=rules)
        except LoadDenied as error:
            return error
        finally:
            assert current() is None

    async def together():
        return await asyncio.gather(loading(None), loading(LISTED_POLICY), loading(None))

    wide, narrow, again = asyncio.run(together())
    assert isinstance(wide, Part)
    assert isinstance(narrow, LoadDenied)
    assert isinstance(again, Part)


def test_a_load_that_fails_leaves_none_behind():
    with pytest.raises(LoadDenied):
        load(
            part(),
            make(
                action=lambda _config: deserialize_keras_object({"class_name": "X", "config": {}})
            ),
        )
    assert current() is None
