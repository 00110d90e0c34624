"""What is spelled out of a hostile file stays short, whatever the file holds."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from itertools import combinations

from secure_serial.artifact import read_artifact
from secure_serial.data import catalogue
from secure_serial.limits import Limits
from secure_serial.plan.path import is_elided, pointer
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import decide
from secure_serial.policy.source import load_policy

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}


def plan(config, limits):
    return make_plan(read_artifact(config), catalogue=catalogue(), callers={}, limits=limits)


def path_of(keys):
    path = None
    for key in keys:
        path = (path, key)
    return path


def test_a_long_key_is_elided():
    assert pointer((None, "k" * 1_000_000)) == "/" + "k" * 120 + "…"


def test_a_long_pointer_keeps_its_two_ends():
    text = pointer(path_of(f"key{number}" for number in range(500)))
    assert len(text) == 1001
    assert text.startswith("/key0/key1/")
    assert text.endswith("/key498/key499")


def test_paths_that_are_spelled_alike_are_known_to_be():
    """Who takes a pointer for a place asks this first: another place may have the same one."""
    middles = [["k" * 400] * 30, ["k" * 400] * 31, ["k" * 121] * 30]
    tricks = [["\n"], ["\\n"], ["k" * 120 + "…"], ["k" * 130], ["k" * 140], *middles]
    plain = [["a/b"], ["a~1b"], ["a", "b"], ["a~b"], ["a~0b"], [], [""], ["", ""], ["k" * 120]]
    alike = [
        (one, other)
        for one, other in combinations(tricks + plain, 2)
        if pointer(path_of(one)) == pointer(path_of(other))
    ]
    assert len(alike) >= 5
    assert all(is_elided(pointer(path_of(one))) for one, _ in alike)
    assert not any(is_elided(pointer(path_of(keys))) for keys in plain)


def test_too_many_requests_are_refused_as_a_whole():
    limits = replace(Limits(), requests=3)
    made = plan([DENSE] * 10, limits)
    assert [o.code for o in made.objections] == ["SS332"]
    assert not decide(made, load_policy()).allowed
    assert not plan([DENSE] * 3, limits).objections


def test_a_walk_ends_where_a_limit_is_passed():
    made = plan([DENSE] * 1000, replace(Limits(), layers=10))
    assert len(made.requests) == 11
    assert [o.code for o in made.objections] == ["SS331"]


def test_thousands_of_unknown_arguments_make_few_notes():
    config = {**DENSE, "config": {"units": 3, **{f"new{n}": n for n in range(5000)}}}
    (request,) = plan(config, Limits()).requests
    assert len(request.notes) == 10
    assert not request.objections


def test_patterns_that_may_take_for_ever_are_refused_as_keys_and_as_texts():
    sgd = {"module": "keras.optimizers", "class_name": "SGD", "config": {}}
    for pattern, codes in (("block_1/.*", []), ("(.+)+!", ["SS327"])):
        mapped = {
            "module": "keras.optimizers",
            "class_name": "OptimizerMap",
            "config": {"default_optimizer": sgd, "optimizer_map": {pattern: sgd}},
        }
        muon = {
            "module": "keras.optimizers",
            "class_name": "Muon",
            "config": {"exclude_layers": [pattern]},
        }
        for config in (mapped, muon):
            made = plan(config, Limits())
            assert [o.code for r in made.requests for o in r.objections] == codes


def test_a_call_that_the_graph_does_not_feed_is_refused():
    tensor = {"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}}
    fed = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["in", 0, 0]},
    }
    for args, codes in (([fed], []), ([[fed, 2]], []), ([tensor], ["SS310"]), ([], ["SS310"])):
        node = {**DENSE, "inbound_nodes": [{"args": args, "kwargs": {}}]}
        made = plan(node, Limits())
        assert [o.code for r in made.requests for o in r.objections] == codes


def test_nothing_of_a_document_is_kept_when_its_plan_is_gone():
    """A program that judges many files would come to hold the largest text of each."""
    texts = [f"{number}{'k' * 100_000}" for number in range(3)]
    key, value, name = texts
    inner = {"class_name": name, "config": {key: {"a": {"class_name": "X", "config": {}}}}}
    tree = {**DENSE, "config": {"units": 1, key: inner, "activation": value}}
    del inner
    before = [sys.getrefcount(text) for text in texts]
    plan(tree, Limits())
    gc.collect()
    assert [sys.getrefcount(text) for text in texts] == before
