"""`lambda show` and `lambda convert`: functions of files as source, and files that hold them so."""

import base64
import json
import marshal
import sys
import zipfile
from pathlib import Path

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.cli.main import main
from secure_serial.errors import SandboxError
from secure_serial.lambdas.found import find, understood

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "models"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def dump(function, defaults=None, closure=None):
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    return [code, defaults, closure]


def node(*parts, **more):
    return {"class_name": "__lambda__", "config": {"value": list(parts), **more}}


def layer(function, **more):
    return {"class_name": "Lambda", "config": {"name": "f", "function": function, **more}}


def model(*layers):
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}


SCALE = dump(lambda x, k=2: x / k - 1.0, [127.5])
POOL = dump(lambda x: K.mean(x, axis=-1))  # noqa: F821 - nothing calls it
OPEN = dump(lambda x: eval(x) + 1)
UNSEEN = dump(lambda x: (yield x))
OTHER = {"schema": 1, "source": "lambda x, k: x / k", "defaults": [127.5]}
BENIGN = model(
    layer(node(*SCALE)), layer(node(*POOL)), layer(SCALE, function_type="lambda"),
)  # fmt: skip


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(root, name="m.json"):
        Path(name).write_text(json.dumps(root))
        return name

    return written


def here():
    return [each.name for each in Path().iterdir()]


def shown(capsys, *argv):
    code = main(["lambda", "show", *argv, "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert report["exit_code"] == code
    return code, report


# show.


def test_each_function_is_shown_as_source_once(write, capsys):
    assert main(["lambda", "show", write(BENIGN)]) == 0
    out = capsys.readouterr().out
    assert out.count("lambda x, k=127.5: x / k - 1.0") == 1
    assert "#/config/layers/0/config/function\n#/config/layers/2/config/function\n" in out
    assert "lambda x: K.mean(x, axis=-1)" in out
    assert "uses     K.mean" in out
    assert "uses     nothing but its arguments" in out
    assert "sandbox  runs it" in out
    assert PYTHON in out


def test_one_function_is_shown_by_its_pointer(write, capsys):
    path = write(BENIGN)
    pointer = "/config/layers/1/config/function"
    for given in (pointer, f"#{pointer}", f"m.json#{pointer}"):
        assert main(["lambda", "show", path, given]) == 0
        out = capsys.readouterr().out
        assert "K.mean" in out
        assert "127.5" not in out


def test_the_report_for_programs(write, capsys):
    def around(k):
        return lambda x, *, axis: x * k

    form = {"schema": 1, "source": "lambda x, *, axis: x * k", "kwdefaults": {"axis": 1},
            "closure": {"k": "\x1b"}}  # fmt: skip
    path = write(layer(node(*dump(around(1), None, ["\x1b"]), secure_serial=form)))
    code, report = shown(capsys, path)
    assert code == 0
    assert report["command"] == "lambda show"
    [one] = report["lambdas"]
    assert one["digest"].startswith("sha256:")
    assert PYTHON in one.pop("python")
    assert one == {
        "member": "", "pointer": "/config/function", "origin": "both",
        "source": "# k = '\\x1b'\nlambda x, *, axis=1: x * k", "uses": [],
        "defaults": [], "kwdefaults": {"axis": "1"}, "closure": {"k": "'\\x1b'"},
        "digest": one["digest"], "sandbox": True,
    }  # fmt: skip


def test_two_forms_that_agree_are_shown_once(write, capsys):
    form = {"schema": 1, "source": "lambda x, k: x / k - 1.0", "defaults": [127.5]}
    assert main(["lambda", "show", write(layer(node(*SCALE, secure_serial=form)))]) == 0
    assert "and source that agrees" in capsys.readouterr().out


def test_what_the_sandbox_does_not_run_is_refused_with_its_code(write, capsys):
    code, report = shown(capsys, write(layer(node(*OPEN))))
    assert code == 1
    [one] = report["lambdas"]
    assert (one["sandbox"], one["source"]) == (False, "lambda x: eval(x) + 1")
    assert one["error"]["code"] == "SS503"
    assert main(["lambda", "show", "m.json"]) == 1
    assert "refused  SS503" in capsys.readouterr().out


def test_what_helps_against_a_refusal_is_said(write, capsys, monkeypatch):
    def refuses(known):
        raise SandboxError("not so", help="do this")

    monkeypatch.setattr("secure_serial.sandbox.restrict.restrict", refuses)
    assert main(["lambda", "show", write(layer(node(*SCALE)))]) == 1
    assert "  refused  SS501 not so\n           do this" in capsys.readouterr().out


def test_two_forms_that_differ_are_refused(write, capsys):
    code, report = shown(capsys, write(layer(node(*SCALE, secure_serial=OTHER))))
    assert code == 1
    assert report["lambdas"][0]["error"]["code"] == "SS306"
    assert "source" not in report["lambdas"][0]


def test_what_cannot_be_shown_says_which_construct(write, capsys):
    code, report = shown(capsys, write(model(layer(node(*UNSEEN)), layer(node(*SCALE)))))
    assert code == 4
    assert len(report["lambdas"]) == 2
    assert main(["lambda", "show", "m.json"]) == 4
    assert "unknown  SS" in capsys.readouterr().out


def test_a_denial_outranks_what_cannot_be_shown(write, capsys):
    assert shown(capsys, write(model(layer(node(*UNSEEN)), layer(node(*OPEN)))))[0] == 1


def test_a_file_without_functions_has_nothing_to_show(write, capsys):
    path = write(model({"class_name": "Dense", "config": {"units": 1}}))
    code, report = shown(capsys, path)
    assert (code, report["lambdas"]) == (3, [])
    assert main(["lambda", "show", path]) == 3
    assert capsys.readouterr().out == ""
    assert main(["lambda", "show", write(BENIGN), "/no/such"]) == 3
    assert "/no/such" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_that_cannot_be_read_ends_with_four(write, capsys, form):
    assert main(["lambda", "show", "absent.json", "--format", form]) == 4
    Path("broken.json").write_text("{")
    assert main(["lambda", "show", "broken.json", "--format", form]) == 4


def test_nothing_of_a_file_reaches_a_terminal_unseen(write, capsys):
    def around(k):
        return lambda x: x[k]

    found = [
        layer(node(*dump(around(1), None, ["\x1b[2J\u202e\n"]))),
        layer(["\x1b[2J", None, None]),
    ]
    found[1]["config"]["\x1b[2J"] = dict(found[0], **{"\x1b]": node("\x1b", None, None)})
    assert main(["lambda", "show", write(model(*found))]) in {1, 4}
    out, err = capsys.readouterr()
    assert not {"\x1b", "\u202e"} & set(out + err)


def test_the_example_that_hides_a_call_is_not_shown_as_harmless(capsys):
    assert main(["lambda", "show", str(EXAMPLES / "hostile" / "lambda_layer.keras")]) in {1, 4}
    assert "__import__" in capsys.readouterr().out


def test_many_places_of_one_function_are_counted(write, capsys):
    assert main(["lambda", "show", write(model(*[layer(node(*SCALE))] * 9))]) == 0
    out = capsys.readouterr().out
    assert out.count("config/function") == 4
    assert "and in 5 other places" in out


def test_a_file_of_too_many_different_functions_is_not_read_to_its_end(write, capsys):
    many = [layer(node(SCALE[0], [float(number)], None)) for number in range(101)]
    path = write(model(*many))
    code, report = shown(capsys, path)
    assert code == 1
    assert report["file"]["findings"][0]["code"] == "SS333"
    assert main(["lambda", "convert", path, "-o", "new.json"]) == 1
    assert here() == ["m.json"]
    assert main(["lambda", "show", write(model(*many[:100], *many[:50]))]) == 0


# convert.


def functions(path):
    return [
        understood(each.value) for part in read_artifact(path).parts for each in find(part.root)
    ]


@pytest.mark.parametrize("drop", [False, True])
def test_json_is_converted(write, capsys, drop):
    path = write(BENIGN)
    argv = ["lambda", "convert", path, "-o", "new.json", *(["--drop-bytecode"] if drop else [])]
    assert main(argv) == 0
    assert "written: new.json (3 functions)" in capsys.readouterr().err
    old, new = functions(path), functions("new.json")
    assert [each.digest for each in new] == [each.digest for each in old]
    assert {each.origin for each in new} == {"source" if drop else "both"}
    assert (SCALE[0][:40] in Path("new.json").read_text()) != drop


def keras_file(root, path="m.keras"):
    """A whole archive, with the weights of an example and an asset."""
    with (
        zipfile.ZipFile(EXAMPLES / "benign" / "mlp.keras") as old,
        zipfile.ZipFile(path, "w") as new,
    ):
        new.writestr("metadata.json", old.read("metadata.json"))
        new.writestr("config.json", json.dumps(root))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
        new.writestr("assets/words.txt", "one\ntwo\n", zipfile.ZIP_DEFLATED)
    return path


def test_an_archive_is_converted_and_all_else_is_copied(write):
    path = keras_file(BENIGN)
    assert main(["lambda", "convert", path, "-o", "new.keras", "--drop-bytecode"]) == 0
    with zipfile.ZipFile(path) as old, zipfile.ZipFile("new.keras") as new:
        assert old.namelist() == new.namelist()
        for name in set(old.namelist()) - {"config.json"}:
            assert old.read(name) == new.read(name)
        assert new.testzip() is None
    assert read_artifact("new.keras").weights == read_artifact(path).weights
    assert {each.origin for each in functions("new.keras")} == {"source"}


def test_an_h5_file_is_converted_and_its_weights_are_copied(write):
    h5py = pytest.importorskip("h5py")
    Path("m.h5").write_bytes((EXAMPLES / "benign" / "cnn.h5").read_bytes())
    # Longer than what HDF5 keeps in an object's header.
    root = model(*[layer(node(*SCALE))] * 120)
    with h5py.File("m.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(root).encode()
    assert main(["lambda", "convert", "m.h5", "-o", "new.h5"]) == 0
    assert [each.origin for each in functions("new.h5")] == ["both"] * 120
    assert read_artifact("new.h5").weights == read_artifact("m.h5").weights
    with h5py.File("m.h5") as old, h5py.File("new.h5") as new:
        names = []
        old.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
        assert names
        assert all(old[name][()].tobytes() == new[name][()].tobytes() for name in names)
        assert set(old.attrs) == set(new.attrs)


def test_a_copy_that_h5py_cannot_write_is_none(write, monkeypatch, capsys):
    h5py = pytest.importorskip("h5py")
    Path("m.h5").write_bytes((EXAMPLES / "benign" / "cnn.h5").read_bytes())
    with h5py.File("m.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(BENIGN).encode()

    def fails(*args):
        raise RuntimeError("broken")

    monkeypatch.setattr(h5py, "File", fails)
    assert main(["lambda", "convert", "m.h5", "-o", "new.h5"]) == 4
    assert "the copy cannot be written: broken" in capsys.readouterr().err
    assert here() == ["m.h5"]


def test_without_h5py_an_h5_file_is_not_converted(write, monkeypatch, capsys):
    h5py = pytest.importorskip("h5py")
    Path("m.h5").write_bytes((EXAMPLES / "benign" / "cnn.h5").read_bytes())
    with h5py.File("m.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(BENIGN).encode()
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert main(["lambda", "convert", "m.h5", "-o", "new.h5"]) == 4
    assert "pip install h5py" in capsys.readouterr().err
    assert here() == ["m.h5"]


def test_one_function_that_cannot_be_shown_keeps_all_from_being_written(write, capsys):
    path = write(model(layer(node(*SCALE)), layer(node(*UNSEEN)), layer(UNSEEN)))
    assert main(["lambda", "convert", path, "-o", "new.json"]) == 4
    out, err = capsys.readouterr()
    assert "layers/1" in out
    assert "layers/2" in out
    assert "nothing was written" in err
    assert here() == ["m.json"]
    path = write(layer(node(*SCALE, secure_serial=OTHER)))
    assert main(["lambda", "convert", path, "-o", "new.json"]) == 1
    assert here() == ["m.json"]


def test_what_the_sandbox_would_refuse_is_converted_all_the_same(write):
    # Converting says what a function is, not that it may run.
    assert main(["lambda", "convert", write(layer(node(*OPEN))), "-o", "new.json"]) == 0


def test_a_file_without_functions_is_not_converted(write):
    path = write({"class_name": "Dense", "config": {"units": 1}})
    assert main(["lambda", "convert", path, "-o", "new.json"]) == 3
    assert here() == ["m.json"]


def test_nothing_is_overwritten_and_no_link_is_followed(write, capsys):
    path = write(BENIGN)
    Path("there.json").write_text("mine")
    Path("link.json").symlink_to("nowhere.json")
    for name in ("there.json", "link.json", path):
        assert main(["lambda", "convert", path, "-o", name]) == 2
        assert "is there already" in capsys.readouterr().err
    assert Path("there.json").read_text() == "mine"
    assert not Path("nowhere.json").exists()
    assert main(["lambda", "convert", path, "-o", "no/such/folder.json"]) == 2


def test_the_copy_is_of_the_same_format(write, capsys):
    path = write(BENIGN)
    for name in ("new.keras", "new.H5"):
        assert main(["lambda", "convert", path, "-o", name]) == 2
        assert "same format" in capsys.readouterr().err
    assert main(["lambda", "convert", path, "-o", "new"]) == 0
    Path("m.yaml").write_text("class_name: Dense\nconfig: {units: 1}\n")
    assert main(["lambda", "convert", "m.yaml", "-o", "new.yaml"]) == 2
    assert "not rewritten" in capsys.readouterr().err


def test_what_fails_half_way_leaves_nothing(write, monkeypatch):
    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("secure_serial.cli.lambda_command._write", fails)
    assert main(["lambda", "convert", write(BENIGN), "-o", "new.json"]) == 2
    assert here() == ["m.json"]


def test_a_file_that_cannot_be_read_is_not_converted(write):
    assert main(["lambda", "convert", "absent.json", "-o", "new.json"]) == 4
    assert here() == []


@pytest.mark.parametrize("argv", [["lambda"], ["lambda", "shwo", "x"], ["lambda", "convert", "x"]])
def test_mistyped_commands_end_with_two(argv, capsys):
    assert main(argv) == 2


@pytest.mark.parametrize(
    ("policy", "code", "word"),
    [
        ("sandbox", 0, "allows it (builtin:sandbox)"),
        ("keras-core", 1, "denies it: code in the file (builtin:lambda)"),
        ("approving.toml", 1, "allows it (approve-scale)"),
    ],
)
def test_a_policy_that_is_asked_says_its_word_on_each(write, capsys, policy, code, word):
    """Two of the three are one function, which `approving.toml` approves; the third it does not."""
    name = write(BENIGN)
    digest = understood(SCALE).digest
    rules = f'schema = 1\nextends = "keras-core"\n\n[[allow]]\nid = "approve-scale"\nlambdas = ["{digest}"]\n'
    Path("approving.toml").write_text(rules)
    assert main(["lambda", "show", name, "--policy", policy]) == code
    assert f"  policy   {word}" in capsys.readouterr().out
    assert main(["lambda", "show", name, "--policy", policy, "--format", "json"]) == code
    told = json.loads(capsys.readouterr().out)["lambdas"]
    allowed = {"sandbox": [True] * 3, "keras-core": [False] * 3}.get(policy, [True, False, True])
    assert [each["policy"]["effect"] == "allow" for each in told] == allowed


def test_without_a_policy_none_is_asked(write, capsys):
    assert main(["lambda", "show", write(BENIGN)]) == 0
    assert "policy" not in capsys.readouterr().out
