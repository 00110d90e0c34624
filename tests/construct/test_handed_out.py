"""What a class may do with the values that it was handed, and with those it makes up itself."""

from __future__ import annotations

import pytest
from construct.parts import Part, make, part

from secure_serial.construct.load import deserialize_keras_object
from secure_serial.construct.session import plain_containers
from secure_serial.errors import ConstructionError, LoadDenied
from secure_serial.policy.source import parse_policy


@pytest.fixture(autouse=True)
def _nothing_built():
    Part.built.clear()


def load(tree, *classes, **options):
    objects = {f"acme>{cls.__name__}": cls for cls in classes}
    return deserialize_keras_object(tree, objects, **options)


def revived(made_up, **options):
    """What comes of a config that a class makes up while it is built."""
    outer = make(action=lambda _config: deserialize_keras_object(made_up))
    return load(part(), outer, make("Other"), **options).config.get("made")


# A node that was judged, and is another one when it comes back.


def rewritten(**changes):
    """What comes of a judged node that a class writes anew before it revives it."""

    def rewrite(config):
        config["inner"].update(changes)
        return deserialize_keras_object(config["inner"])

    return load(part(config={"inner": part("Other")}), make(action=rewrite), make("Other"))


def test_a_node_that_is_written_anew_may_still_mean_what_was_planned():
    assert type(rewritten(config={"n": 1}).config["made"]).__name__ == "Other"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"class_name": "__lambda__"}, "SS303"), ({"class_name": "__typespec__"}, "SS340"),
     ({"module": "os", "class_name": "system", "registered_name": None}, "SS340"),
     ({"class_name": "function", "config": "system", "module": "os"}, "SS340"),
     ({"class_name": "Else"}, "SS340")],
)  # fmt: skip
def test_a_node_that_is_written_anew_is_refused_where_it_means_what_was_not_planned(changes, code):
    with pytest.raises(LoadDenied) as caught:
        rewritten(**changes)
    assert caught.value.code == code
    assert not Part.built


@pytest.mark.parametrize("changes", [{"config": 7}, {"class_name": "function", "config": None}])
def test_a_node_that_is_written_anew_with_no_config_is_an_error_of_ours(changes):
    with pytest.raises(ConstructionError, match="Expected 'config'"):
        rewritten(**changes)


# What was never judged.


@pytest.mark.parametrize("thing", [object(), {1, 2}, b"bytes"])
def test_what_is_no_config_is_not_revived(thing):
    with pytest.raises(ConstructionError, match="Could not parse config"):
        revived(thing)


def test_what_a_class_makes_up_is_held_to_the_limits():
    many = [{"a": n, "b": part("Other")} for n in range(5)]
    rules = 'schema = 1\ncaller_objects = "allow"\nlimits = {{ requests = {} }}'
    tree = [part(), part("Other")]

    def outer():
        return make(action=lambda _config: deserialize_keras_object(many))

    load(tree, outer(), make("Other"), policy=parse_policy(rules.format(5)))
    with pytest.raises(LoadDenied) as caught:
        load(tree, outer(), make("Other"), policy=parse_policy(rules.format(4)))
    assert caught.value.code == "SS340"
    assert "4 requests" in caught.value.records[-1]["refused"][0]["written"]


def test_a_table_that_has_another_class_under_a_planned_name_is_refused():
    """Nothing of Keras is needed: it ends before anything is looked up there."""
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}}

    def from_table(config):
        return deserialize_keras_object(config["inner"], module_objects={"Dense": Part})

    with pytest.raises(LoadDenied) as caught:
        load(part(config={"inner": dense}), make(action=from_table))
    assert caught.value.code == "SS340"
    assert caught.value.records[-1]["refused"][0]["written"] == "a table's 'Dense'"


def test_the_programs_own_class_goes_before_a_table():
    def from_table(config):
        return deserialize_keras_object(config["inner"], module_objects={"Other": dict})

    objects = {"acme>Part": make(action=from_table), "Other": make("Other")}
    inner = part("Other", registered="Other")
    got = deserialize_keras_object(part(config={"inner": inner}), objects)
    assert type(got.config["made"]) is objects["Other"]


def test_a_table_explains_no_list():
    assert deserialize_keras_object(["swish"], module_objects={"swish": len}) == ["swish"]


# What is handed out.


def test_a_tuple_is_handed_out_as_one():
    assert load(part(config={"a": (1, [2])}), make()).config == {"a": (1, [2])}


def test_nodes_with_lists_are_shared_if_the_lists_are_equal():
    nodes = [part(config={"a": items}, shared_object_id=7) for items in ([1], [1], [2])]
    one, same, other = load(nodes, make())
    assert one is same
    assert other is not one


def test_kerass_own_notation_of_tuples_is_read_out():
    tree = {
        "a": {"class_name": "__tuple__", "items": [1, {"class_name": "__tuple__", "items": []}]},
        "b": [{"class_name": "__ellipsis__"}],
        "c": {"class_name": "__tuple__"},
    }
    assert plain_containers(tree) == {"a": (1, ()), "b": [...], "c": {"class_name": "__tuple__"}}


def a_function():
    raise AssertionError  # nobody may call it


def test_a_function_where_a_class_is_named_is_handed_over_as_it_is():
    node = {"module": "acme", "class_name": "f", "config": {}, "registered_name": "f"}
    assert deserialize_keras_object(node, {"f": a_function}) is a_function


# Whose it is, and whether it is there.


def test_a_class_that_the_policy_allows_and_nobody_registered_is_missed():
    rules = parse_policy('schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]')
    with pytest.raises(ConstructionError, match="this program has not got it"):
        deserialize_keras_object(part(), policy=rules)


@pytest.mark.parametrize(("owner", "allowed"), [("pytest>=1", True), ("pytest>=999", False)])
def test_a_rule_may_ask_whose_an_object_of_the_programs_is(owner, allowed):
    rules = parse_policy(
        f'schema = 1\n[[allow]]\nid = "a"\nregistered = ["acme>Part"]\nfrom = "{owner}"'
    )
    ours = make(__module__="pytest")
    if allowed:
        assert type(load(part(), ours, policy=rules)) is ours
    else:
        with pytest.raises(LoadDenied):
            load(part(), ours, policy=rules)
