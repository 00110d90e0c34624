"""YAML as Keras wrote it; everything that builds or expands is refused."""

import pytest

yaml = pytest.importorskip("yaml")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from secure_serial.artifact.yaml_text import parse_yaml  # noqa: E402
from secure_serial.errors import (  # noqa: E402
    ArtifactError,
    LimitExceeded,
    MalformedArtifact,
    UnsafeArtifact,
    UnsupportedFormat,
)
from secure_serial.limits import Limits  # noqa: E402

LIMITS = Limits()


class Unshared(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_what_pyyaml_writes_is_read_with_equal_values(value):
    text = yaml.dump(value, Dumper=Unshared, allow_unicode=True)
    try:
        found = parse_yaml(text.encode("utf-8", "replace"), LIMITS)
    except UnsupportedFormat:
        assert "<<" in text
        return
    assert found == yaml.safe_load(text)


def test_a_tuple_is_the_one_tag_beyond_the_core():
    text = yaml.dump({"shape": (None, 3), "list": [1]}).encode()
    assert b"!!python/tuple" in text
    assert parse_yaml(text, LIMITS) == {"shape": (None, 3), "list": [1]}


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['id']",
        "!!python/object/new:os.system ['id']",
        "a:\n- !!python/name:os.system ''",
        "a: !!python/module:os ''",
        "!!python/object:builtins.object {}",
        "%TAG !e! tag:yaml.org,2002:python/\n--- !e!name:os.system ''",
        "!<tag:yaml.org,2002:python/object/apply:os.system> [id]",
        "a: !!python/tuple 3",
        "a: !!python/tuple {}",
        "a: !!python/unicode b",
        "a: !local b",
        "a: !!binary aGk=",
        "a: !!set {b}",
        "a: !!timestamp 2001-01-01",
    ],
)
def test_every_other_tag_is_refused_with_its_line(text):
    with pytest.raises(UnsafeArtifact, match="line") as caught:
        parse_yaml(text.encode(), LIMITS)
    assert caught.value.code == "SS141"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x 1\nb: *x", "SS142"),
        ("a: *x", "SS142"),
        ("&x [1]", "SS142"),
        ("base: {a: 1}\n<<: {b: 2}", "SS142"),
        ("--- 1\n--- 2", "SS143"),
        ("a: 1\nb: 2\na: 3", "SS112"),
        ("{a: 1, 'a': 2}", "SS112"),
        ("? [a]\n: 1", "SS140"),
        ("? {a: b}\n: 1", "SS140"),
        ("null: 1", "SS140"),
        ("true: 1", "SS140"),
        ("1.5: 1", "SS140"),
        ("{a: 1", "SS140"),
        ("a: b: c", "SS140"),
        ("- 0x_", "SS140"),
        ("a: !!int x", "SS140"),
        ("a: !!bool maybe", "SS140"),
        ('"\\U00110000"', "SS140"),
        ("a: \x00", "SS140"),
        ("\ta: 1", "SS140"),
        ('"\\ud800"', "SS113"),
        ("[" * 100_000, "SS114"),
        ("- " * 100_000, "SS114"),
        ("a: " + "9" * 100_000, "SS117"),
        ("a: " + "9" * 2_000_000, "SS118"),
    ],
    ids=lambda text: text[:24],
)
def test_hostile_text_is_refused_with_its_code(text, code):
    with pytest.raises(ArtifactError) as caught:
        parse_yaml(text.encode(), LIMITS)
    assert caught.value.code == code


def test_a_billion_laughs_stop_at_the_first():
    lines = ["a0: &a0 lol"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    with pytest.raises(UnsupportedFormat, match="anchor"):
        parse_yaml("\n".join(lines).encode(), LIMITS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2001-01-01", "2001-01-01"),
        ("yes", True),
        ("0x10", 16),
        ("'3'", "3"),
        ("! 3", 3),
        ("!!str 3", "3"),
        ("=", "="),
        ("~", None),
        ("", None),
        ("{1: a}", {1: "a"}),
    ],
)
def test_scalars_mean_what_pyyaml_made_of_them_but_dates_stay_text(text, value):
    assert parse_yaml(text.encode(), LIMITS) == value


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Limits(depth=2), "- [1]", "- [[1]]"),
        (Limits(nodes=3), "[1, 2]", "[1, 2, 3]"),
        (Limits(string_bytes=3), "abc", "abcd"),
        (Limits(config_bytes=3), "abc", "abcd"),
    ],
)
def test_each_limit_holds(limits, good, bad):
    parse_yaml(good.encode(), limits)
    with pytest.raises(LimitExceeded):
        parse_yaml(bad.encode(), limits)


@given(st.text(alphabet="ab:-?[]{}&*!|>%@#,'\"\\ \n0.<~", max_size=30))
def test_random_text_ends_in_a_value_or_in_our_error(text):
    try:
        found = parse_yaml(text.encode(), LIMITS)
    except ArtifactError:
        return
    if "!" not in text and "<<" not in text:  # PyYAML cannot read a bare merge sign itself
        assert found == yaml.safe_load(text) or "=" in text


def test_malformed_text_says_where():
    with pytest.raises(MalformedArtifact, match="line 3"):
        parse_yaml(b"a: 1\nb: 2\nc: d: e\n", LIMITS)
