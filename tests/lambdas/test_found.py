"""Functions are found wherever they stand in a tree, and can be put there in our own form."""

import base64
import copy
import json
import marshal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas.errors import BadStream
from secure_serial.lambdas.found import find, in_own_form, put, understood
from secure_serial.lambdas.understood import from_own, from_source
from secure_serial.lambdas.uses import uses

SHARED = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "real" / "configs"
DATA = marshal.dumps((lambda x, i=2: x * i).__code__)
CODE = base64.encodebytes(DATA).decode("ascii")
RAW = DATA.decode("latin-1")
DUMP = [CODE, [2], None]
OWN = {"schema": 1, "source": "lambda x: x"}


def spelled(path):
    keys = []
    while path is not None:
        path, key = path
        keys.append(str(key))
    return "/".join(reversed(keys))


def node(**config):
    return {"class_name": "__lambda__", "config": config}


TREE = {
    "config": {
        "layers": [
            {"class_name": "Lambda", "config": {"function": node(value=DUMP), "name": "lambda"}},
            {"config": {"function": DUMP, "function_type": "lambda", "mask": [RAW, None, None]}},
            {"config": {"activation": node(secure_serial=OWN), "loss": CODE, "metric": "relu"}},
            {"config": {"function": "broken", "function_type": "lambda", "output_shape": None,
                        "output_shape_type": "lambda", "mask_type": "lambda", "k_type": "raw"}},
            {"f": {"class_name": "__tuple__", "items": [CODE, None, None]}, "g": ["crop", 1, 2]},
        ]
    },
    "vocabulary": ["crop", "cat", "4wd", "Ywca", 1, None, {"class_name": "__tuple__"}],
}  # fmt: skip
PLACES = [
    "config/layers/0/config/function",
    "config/layers/1/config/function",
    "config/layers/1/config/mask",
    "config/layers/2/config/activation",
    "config/layers/2/config/loss",
    "config/layers/3/config/function",
    "config/layers/4/f",
]


def test_every_function_is_found_in_its_order():
    assert [spelled(each.path) for each in find(TREE)] == PLACES


@pytest.mark.parametrize("place", [0, 1, 2, 3, 70])
@pytest.mark.parametrize("blank", [" ", "\t", "\r\n", " \n "])
def test_blanks_in_base64_hide_nothing(place, blank):
    """Keras's reader skips them."""
    code = CODE.replace("\n", "")
    code = code[:place] + blank + code[place:]
    for hidden in (code, [code, [2], None], {"function": code, "function_type": "lambda"}):
        root = [hidden]
        (each,) = find(root)
        made = put(root, each, in_own_form(each.value, drop_bytecode=True))
        assert ascii(code)[1:-1] not in ascii(made)


@pytest.mark.parametrize("root", [DUMP, CODE, RAW, node(value=DUMP), node()])
def test_the_root_itself_may_be_one(root):
    [found] = find(root)
    assert (found.path, found.container) == (None, None)
    assert put(root, found, "new") == "new"


@pytest.mark.parametrize(
    "root", ["relu", {}, [], None, 3, {"lambda_type": "lambda"}, {"name": "lambda"}]
)
def test_a_tree_without_any_has_none(root):
    assert find(root) == []


@pytest.mark.parametrize("drop", [False, True])
def test_our_own_form_stands_in_the_place_of_each(drop):
    root = copy.deepcopy(TREE)
    root["config"]["layers"][3]["config"]["function"] = DUMP
    before = [understood(each.value) for each in find(root)]
    for each in find(root):
        root = put(root, each, in_own_form(each.value, drop_bytecode=drop))
    after = find(root)
    assert [spelled(each.path) for each in after] == PLACES
    for each, old in zip(after, before, strict=True):
        now = understood(each.value)
        assert (now.digest, now.source) == (old.digest, old.source)
        had_code = old.origin != "source"
        assert now.origin == ("both" if had_code and not drop else "source")
        if drop:
            assert set(each.value["config"]) == {"secure_serial"}


def test_a_node_keeps_what_else_it_holds():
    given = {**node(value=DUMP), "registered_name": None}
    made = in_own_form(given, drop_bytecode=False)
    assert made["registered_name"] is None
    assert made["config"]["value"] == DUMP
    assert set(given["config"]) == {"value"}
    assert in_own_form(made, drop_bytecode=True) == {
        **node(secure_serial=made["config"]["secure_serial"]), "registered_name": None
    }  # fmt: skip


def test_to_convert_twice_changes_nothing():
    once = in_own_form(DUMP, drop_bytecode=False)
    assert in_own_form(once, drop_bytecode=False) == once


def test_what_is_in_no_form_is_refused():
    for value in ("broken", {}, 3, ["a", 1]):
        with pytest.raises(BadStream, match="none of the forms"):
            understood(value)


@given(
    st.recursive(
        st.none()
        | st.integers()
        | st.sampled_from([CODE, RAW, "lambda", "__lambda__", "__tuple__"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["class_name", "config", "items", "f", "f_type", "value"]), inner
            )
        ),
        max_leaves=15,
    )
)
def test_any_tree_is_searched_and_each_find_is_understood_or_our_error(root):
    for each in find(root):
        try:
            in_own_form(each.value, drop_bytecode=False)
        except SecureSerialError:
            continue


def test_a_deep_tree_takes_no_stack():
    root = node(value=DUMP)
    for _ in range(100_000):
        root = [root]
    assert len(find(root)) == 1
    while isinstance(root, list):  # taken apart by hand: freeing it at once would take stack
        root = root[0]


def test_the_names_that_a_function_uses():
    source = (
        "lambda x, k=1, *a, b, **c: [K.sum(t, axis=b) for t in x.parts if (y := t.T.shape) and a] "
        "+ tf.nn.relu(k, c, y) + abs(f(x).mean) + tf.nn.relu"
    )
    assert uses(from_source(source)) == [
        ".T.shape",
        ".mean",
        ".parts",
        "K.sum",
        "abs",
        "f",
        "tf.nn.relu",
    ]
    source = "def f(x):\n    import a.b as c\n    from d import e\n    return c.g(e(x))"
    assert uses(from_source(source)) == ["c.g", "e", "from d import e", "import a.b as c"]
    form = {"schema": 1, "source": "lambda x: x * k.real + j", "closure": {"k": 1}}
    assert uses(from_own(form)) == [".real", "j"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared configs are not here")
def test_the_functions_of_real_files_are_shown():
    sources, unknown = [], []
    for path in sorted(SHARED.glob("*.json")):
        text = path.read_bytes()
        if b"lambda" not in text.lower():
            continue
        for each in find(json.loads(text)):
            try:
                known = understood(each.value)
            except SecureSerialError as error:
                unknown.append(str(error))
                continue
            sources.append(known.source)
            assert from_own(known.own_form()).digest == known.digest
    assert len(sources) + len(unknown) == 40
    assert {"lambda x: x / 127.5 - 1.0", "lambda x: x ** 2", "lambda x: K.l2_normalize(x, axis=1)",
            "def scaling(x, scale):\n    return x * scale"} <= set(sources)  # fmt: skip
    assert all("import" in each for each in unknown)
