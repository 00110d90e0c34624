"""One text for one bundle; what can be derived from the policy is never taken on trust."""

from __future__ import annotations

import hashlib
import json

import pytest
from policy.signing.parts import policy, shipped

from secure_serial.data import policy_text
from secure_serial.errors import InvalidPolicy
from secure_serial.policy.signing import bundle as bundles
from secure_serial.policy.signing.bundle import Bundle, BundledFile, collect, dump, parse

EXTENDING = policy(more='extends = ["base", "@above", "other"]\n')


def problems(call, *args):
    with pytest.raises(InvalidPolicy) as caught:
        call(*args)
    return list(caught.value.problems) or [caught.value.message]


def made(text=EXTENDING):
    return collect(text, "acme.toml", shipped)


def changed(change, text=EXTENDING):
    """The payload after `change` has worked on its tree, in the canonical form again."""
    tree = json.loads(dump(made(text)))
    change(tree)
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def test_a_bundle_holds_the_policy_and_all_that_it_extends_once():
    bundle = made()
    assert (bundle.name, bundle.version, bundle.expires) == ("acme", 7, "2027-06-30")
    assert [file.name for file in bundle.files] == ["acme", "base", "other", "root"]
    assert bundle.text == EXTENDING
    assert bundle.shipped("root") == shipped("root")
    with pytest.raises(KeyError):
        bundle.shipped("acme")
    assert bundle.signed_by == ()


def test_a_real_policy_can_be_bundled():
    text = policy(name="strict", more='extends = "strict"\n')  # its own name is no matter
    bundle = collect(text, "p.toml", policy_text)
    assert [file.name for file in bundle.files][:2] == ["strict", "strict"]
    assert bundle.shipped("strict") == policy_text("strict")
    assert parse(dump(bundle)) == bundle


def test_the_canonical_form_is_that_of_rfc_8785():
    text = '"q" \\ / \b\t\n\f\r\0\x1f\x7f \u20ac \U0001f600'
    inner = '\\"q\\" \\\\ / \\b\\t\\n\\f\\r\\u0000\\u001f\x7f \u20ac \U0001f600'
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert dump(Bundle("ä", 7, None, (BundledFile("ä", text),))).decode() == (
        f'{{"expires":null,"files":[{{"name":"ä","sha256":"{digest}","text":"{inner}"}}],'
        '"name":"ä","schema":1,"version":7}'
    )


def test_the_digest_is_of_the_content_and_not_of_who_signed():
    one = made()
    other = Bundle(one.name, one.version, one.expires, one.files, ("key",))
    assert one.sha256 == other.sha256 == hashlib.sha256(dump(one)).hexdigest()
    assert made(policy()).sha256 != one.sha256


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ["name", "version"]),
        ("name = 1\nversion = true\nexpires = 2027\nextends = 1", ["name", "version", "expires", "extends"]),
        ('name = ""\nversion = 0', ["name", "version"]),
        (f'name = "{"x" * 201}"\nversion = {2**53}', ["name", "version"]),
        ('name = "a\\nb"\nversion = 1.0', ["name", "version"]),
        ('name = "a"\nversion = 1\nexpires = "2027-06-30"', ["expires"]),
        ('name = "a"\nversion = 1\nexpires = 2027-06-30T00:00:00', ["expires"]),
        ('name = "a"\nversion = 1\nexpires = 10:00:00', ["expires"]),
        ('name = "a"\nversion = 1\nextends = [["base"]]', ["extends"]),
        ('name = "a"\nversion = 1\nextends = ["base", "x", "y"]', ["extends", "extends"]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_listed(text, wrong):
    assert [problem.partition(":")[0] for problem in problems(collect, text, "p", shipped)] == wrong


@pytest.mark.parametrize(
    "text",
    ["schema = ", "\ud800 = 1", "a = " + "[" * 100_000, "version = " + "9" * 5000, "a=1\na=2"],
)
def test_what_is_not_toml_is_refused(text):
    assert "not valid TOML" in problems(collect, text, "p", shipped)[0]


def test_what_is_extended_is_read_as_strictly():
    texts = {"x": "extends = 1", "y": "= 1"}
    assert problems(collect, policy(more='extends = "x"'), "p", texts.__getitem__) == [
        "extends: must be a list of texts"
    ]
    assert (
        "not valid TOML"
        in problems(collect, policy(more='extends = "y"'), "p", texts.__getitem__)[0]
    )


def test_a_circle_is_bundled_once_and_left_to_the_reader():
    texts = {"x": 'extends = "y"', "y": 'extends = ["x", "y"]'}
    bundle = collect(policy(more='extends = "x"'), "p", texts.__getitem__)
    assert [file.name for file in bundle.files] == ["acme", "x", "y"]


def test_the_number_of_policies_is_bounded():
    def chain(name):
        return f'extends = "{int(name) + 1}"' if int(name) < last else ""

    last = bundles.MAX_FILES - 1
    text = policy(more='extends = "1"')
    bundle = collect(text, "p", chain)
    assert len(bundle.files) == bundles.MAX_FILES
    assert parse(dump(bundle)) == bundle
    last += 1
    assert problems(collect, text, "p", chain) == ["extends: more than 31 policies"]


def test_the_size_is_bounded(monkeypatch):
    size = len(dump(made()))
    monkeypatch.setattr(bundles, "MAX_PAYLOAD", size)
    assert made()
    monkeypatch.setattr(bundles, "MAX_PAYLOAD", size - 1)
    assert problems(made) == [f"a bundle of more than {size - 1} bytes"]


def test_there_is_room_for_a_large_policy_and_a_long_name():
    bundle = made(policy(name="x" * bundles.MAX_NAME, more="# comment\n" * 300_000))
    assert parse(dump(bundle)) == bundle


def test_a_bundle_is_read_as_it_was_written():
    for text in (EXTENDING, policy(expires=""), policy(more="# ä\r\n")):
        assert parse(dump(made(text))) == made(text)


def set_(key, value):
    return lambda tree: tree.__setitem__(key, value)


def in_file(index, key, value):
    return lambda tree: tree["files"][index].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # What is said beside the text must be what the text says.
        (set_("name", "acme2"), "name: 'acme2' is not"),
        (set_("version", 8), "version: 8 is not"),
        (set_("expires", None), "expires: None is not"),
        (set_("expires", "2028-06-30"), "expires: '2028-06-30' is not"),
        (set_("version", 7.0), "canonical"),  # equal to 7, and not the same bytes
        (set_("name", ["acme"]), "name: "),
        # The files are the policy and what it extends, no more, no less, in order.
        (in_file(0, "name", "other"), "files: not the policy"),
        (lambda tree: tree["files"].append(tree["files"][1]), "files: not the policy"),
        (lambda tree: tree["files"].append({"name": "x", "sha256": "", "text": ""}), "files: not"),
        (lambda tree: tree["files"].reverse(), "version: what is signed needs one"),
        (lambda tree: tree["files"].insert(1, tree["files"].pop()), "files: not the policy"),
        (lambda tree: tree["files"].pop(), "extends: the bundle holds no policy 'root'"),
        (in_file(1, "name", "bass"), "extends: the bundle holds no policy 'base'"),
        # Digests are those of the texts.
        (in_file(0, "sha256", "0" * 64), "digest"),
        (in_file(1, "sha256", "0" * 64), "digest"),
        (in_file(3, "text", "schema = 1"), "digest"),
        # The shape.
        (set_("schema", 2), "schema: must be 1"),
        (set_("schema", True), "schema: must be 1"),
        (set_("files", []), "files: must be a list"),
        (set_("files", {}), "files: must be a list"),
        (set_("files", {"name": "acme"}), "files: must be a list"),
        (set_("files", "acme"), "files: must be a list"),
        (set_("files", [["name", "sha256", "text"]]), "files: each must hold"),
        (set_("files", ["x"]), "files: each must hold"),
        (set_("files", [{"name": "acme", "text": ""}]), "files: each must hold"),
        (in_file(1, "more", ""), "files: each must hold"),
        (in_file(0, "text", 7), "files: all that they hold must be text"),
        (in_file(0, "sha256", None), "files: all that they hold must be text"),
        (set_("more", 1), "the payload must hold"),
        (lambda tree: tree.pop("expires"), "the payload must hold"),
    ],
)  # fmt: skip
def test_a_changed_bundle_is_refused_with_its_reason(change, reason):
    found = problems(parse, changed(change))
    assert any(reason in problem for problem in found), found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload + b"\n",
        lambda payload: b" " + payload,
        lambda payload: payload.replace(b'"acme"', b'"\\u0061cme"'),
        lambda payload: payload.replace(b"\\n", b"\\u000a"),
        lambda payload: payload.replace(b'"name":"acme"', b'"name":"x","name":"acme"'),
        lambda payload: b"[1]",
        lambda payload: b'["schema","name","version","expires","files"]',
        lambda payload: b"",
        lambda payload: b"\xff",
        lambda payload: payload.replace(b"acme", b"\xc3"),
        lambda payload: json.dumps(json.loads(payload)).encode(),
    ],
)
def test_another_text_of_the_same_bundle_is_refused(spoil):
    payload = dump(made(policy()))
    assert spoil(payload) != payload
    assert problems(parse, spoil(payload))


def test_a_file_knows_its_digest():
    assert BundledFile("x", "ä").sha256 == hashlib.sha256("ä".encode()).hexdigest()
