"""Names of members: relative, plain on every system, known, and each only once."""

import pytest

from secure_serial.artifact.member_names import check_members, check_path, check_weights
from secure_serial.errors import UnsafeArtifact, UnsupportedFormat


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "//host/share",
        "../x",
        "assets/../../x",
        "assets/..",
        "./x",
        "assets/./x",
        "assets//x",
        "C:/x",
        "C:x",
        "c:",
        "..\\x",
        "assets\\x",
        "assets/a:stream",
        "assets/a\nb",
        "assets/a\x00b",
        "assets/\x1b[2J",
        "assets/\x7f",
        "assets/\x85",
        "assets/\u202egnp.txt",
        "assets/\ud800",
        "assets/nul",
        "assets/COM1.txt",
        "assets/a.",
        "assets/a ",
        "assets/" + "x" * 1025,
    ],
    ids=ascii,
)
def test_a_name_that_could_lead_elsewhere_is_refused(name):
    with pytest.raises(UnsafeArtifact) as caught:
        check_path(name)
    assert caught.value.code == "SS123"
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    "name",
    ["config.json", "assets/", "assets/layer/vocabulary.txt", "assets/naïve name (1)..txt", "a.b"],
)
def test_ordinary_names_pass(name):
    check_path(name)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("config.json", "config.json"),
        ("assets/a", "assets/A"),
        ("assets/\u00e9", "assets/e\u0301"),
        ("assets/\u00df", "assets/SS"),
        ("assets/\ufb01", "assets/fi"),
        ("assets/a", "assets/a/"),
        ("assets/\u212a", "assets/k"),
    ],
    ids=ascii,
)
def test_names_that_some_file_system_confuses_are_duplicates(one, two):
    with pytest.raises(UnsafeArtifact) as caught:
        check_members([one, two])
    assert caught.value.code == "SS124"


@pytest.mark.parametrize("name", ["evil.py", "Config.json", "config.json.bak", "asset", "data.pkl"])
def test_only_the_members_that_keras_writes_are_known(name):
    with pytest.raises(UnsafeArtifact) as caught:
        check_members([name])
    assert caught.value.code == "SS128"


def test_two_files_of_weights_are_ambiguous():
    check_weights(["model.weights.npz", "config.json"])
    with pytest.raises(UnsupportedFormat):
        check_weights(["model.weights.npz", "model.weights.h5"])
