"""Whose a module is, and the digest of its source, without importing it."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from secure_serial.construct import sources
from secure_serial.construct.owners import canonical_name, forget, owner_of
from secure_serial.construct.sources import (
    Unit,
    UnknownSourceError,
    digest_of,
    file_of,
    files_of,
    modules_of,
    unit_of,
)
from secure_serial.plan.owner import Owner

ROOT = Path(__file__).resolve().parents[2]
TRAP = "raise SystemExit('imported')\n"


@pytest.fixture(autouse=True)
def _ask_again():
    forget()
    yield
    forget()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def put(folder, *paths, text=TRAP):
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def install(folder, name, version, *files, **metadata):
    """What an installer writes beside a package."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = "".join(f"{file},sha256=abc,12\n" for file in files)
    (info / "RECORD").write_text(f"{lines}{info.name}/RECORD,,\n")
    for file, text in metadata.items():
        (info / file.replace("__", ".")).write_text(text)


# Whose.


def test_a_module_is_of_the_distribution_that_lists_its_file(site):
    put(site, "sspk_a/__init__.py", "sspk_a/sub/__init__.py", "sspk_a/sub/layers.py")
    files = ["sspk_a/__init__.py", "sspk_a/sub/__init__.py", "sspk_a/sub/layers.py"]
    install(site, "SSPK_A.nn", "1.2.0", *files)
    for module in ("sspk_a", "sspk_a.sub", "sspk_a.sub.layers"):
        assert owner_of(module) == Owner("sspk-a-nn", "1.2.0")
    assert not any(name.startswith("sspk_a") for name in sys.modules)


def test_a_file_that_nobody_lists_is_of_no_distribution(site):
    put(site, "sspk_b/__init__.py", "sspk_b/smuggled.py")
    install(site, "sspk-b", "1", "sspk_b/__init__.py")
    assert owner_of("sspk_b") == Owner("sspk-b", "1")
    assert owner_of("sspk_b.smuggled") == Owner("", "")


def test_what_two_distributions_list_is_nobodys(site):
    put(site, "sspk_c.py")
    install(site, "sspk-c", "1", "sspk_c.py")
    install(site, "sspk-c-nightly", "2", "sspk_c.py")
    assert owner_of("sspk_c") is None


def test_a_package_called_like_another_folders_is_not_of_its_distribution(
    site, tmp_path, monkeypatch
):
    put(site, "sspk_d.py")
    install(site, "sspk-d", "1", "sspk_d.py")
    assert owner_of("sspk_d") == Owner("sspk-d", "1")
    forget()
    put(tmp_path / "earlier", "sspk_d.py")
    monkeypatch.syspath_prepend(str(tmp_path / "earlier"))
    assert owner_of("sspk_d") == Owner("", "")


def in_place(folder, editable=True):
    return json.dumps({"url": folder.as_uri(), "dir_info": {"editable": editable}})


def test_what_is_installed_in_place_is_of_the_project_around_it(site, tmp_path, monkeypatch):
    project = tmp_path / "my project"
    put(project, "src/sspk_e/__init__.py", "venv/site-packages/sspk_f.py")
    install(site, "sspk-e", "0.1", direct_url__json=in_place(project))
    monkeypatch.syspath_prepend(str(project / "src"))
    monkeypatch.syspath_prepend(str(project / "venv" / "site-packages"))
    assert owner_of("sspk_e") == Owner("sspk-e", "0.1")
    assert owner_of("sspk_f") == Owner("", "")


def test_of_projects_in_one_another_the_inner_one_counts(site, tmp_path, monkeypatch):
    put(tmp_path / "repo" / "nn", "sspk_g.py")
    install(site, "sspk-whole", "1", direct_url__json=in_place(tmp_path / "repo"))
    install(site, "sspk-inner", "2", direct_url__json=in_place(tmp_path / "repo" / "nn"))
    monkeypatch.syspath_prepend(str(tmp_path / "repo" / "nn"))
    assert owner_of("sspk_g") == Owner("sspk-inner", "2")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"url": 7}', '{"url": "file:///", "dir_info": {}}']
)
def test_what_tells_of_no_project_in_place_claims_nothing(site, tmp_path, monkeypatch, text):
    put(tmp_path / "repo", "sspk_h.py")
    install(
        site, "sspk-h", "1", direct_url__json=text or in_place(tmp_path / "repo", editable=False)
    )
    monkeypatch.syspath_prepend(str(tmp_path / "repo"))
    assert owner_of("sspk_h") == Owner("", "")


def test_an_older_form_of_installation_says_which_names_are_its(site):
    put(site, "sspk_i/__init__.py")
    info = site / "sspk_i.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: sspk-i\nVersion: 3\n")
    (info / "top_level.txt").write_text("sspk_i\n")
    assert owner_of("sspk_i") == Owner("sspk-i", "3")


def test_half_an_installation_claims_nothing_and_breaks_nothing(site):
    put(site, "sspk_j.py")
    (site / "broken-1.dist-info").mkdir()
    (site / "broken-1.dist-info" / "RECORD").write_text("sspk_j.py,,\n")
    assert owner_of("sspk_j") == Owner("", "")


@pytest.mark.parametrize(
    "module",
    [
        "", ".", "..", "a..b", ".json", "json.", "../json", "json/decoder", "json\0", "a b", "x" * 600,
        "__main__", "no_such_module_here", "json.no_such", "json.decoder.no_such", "sys", None, 7,
        ["json"], b"json",
    ],
)  # fmt: skip
def test_what_is_no_modules_name_has_no_owner(module):
    assert owner_of(module) is None
    assert file_of(module) is None


def test_what_was_not_there_is_asked_for_again(site):
    assert owner_of("sspk_k") is None
    put(site, "sspk_k.py")
    importlib.invalidate_caches()
    assert owner_of("sspk_k") == Owner("", "")


def test_no_module_is_imported_to_find_its_owner():
    """In a process of its own: here much is loaded already."""
    code = (
        "import sys; from secure_serial.construct.owners import owner_of;"
        "assert owner_of('hypothesis.strategies', with_source=True).distribution == 'hypothesis';"
        "assert not [m for m in sys.modules if m.startswith('hypothesis')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=ROOT)


def test_names_of_distributions_compare_as_the_index_does():
    assert canonical_name("Keras__Hub.-x") == "keras-hub-x"


def test_a_loaded_module_is_where_it_was_loaded_from(site, tmp_path, monkeypatch):
    put(site, "sspk_l.py", text="")
    importlib.import_module("sspk_l")
    put(tmp_path / "later", "sspk_l.py", text="x = 1")
    monkeypatch.syspath_prepend(str(tmp_path / "later"))
    try:
        assert file_of("sspk_l") == site / "sspk_l.py"
    finally:
        del sys.modules["sspk_l"]
    assert file_of("sspk_l") == tmp_path / "later" / "sspk_l.py"


@pytest.mark.parametrize("thing", [7, None, object(), "text"])
def test_whatever_stands_among_the_modules_breaks_nothing(site, monkeypatch, thing):
    put(site, "sspk_m.py")
    monkeypatch.setitem(sys.modules, "sspk_m", thing)
    assert file_of("sspk_m") == site / "sspk_m.py"


def test_a_finder_that_fails_is_passed_over(site, monkeypatch):
    class Broken:
        def find_spec(self, *_):
            raise RuntimeError

    put(site, "sspk_n.py")
    monkeypatch.setattr(sys, "meta_path", [Broken(), object(), *sys.meta_path])
    assert file_of("sspk_n") == site / "sspk_n.py"


# What the digest covers.


def by_hand(root, *paths):
    lines = [f"{hashlib.sha256((root / p).read_bytes()).hexdigest()}  {p}\n" for p in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_digest_is_that_of_what_sha256sum_prints(site):
    put(
        site,
        "sspk_o/__init__.py",
        "sspk_o/b.py",
        "sspk_o/a/__init__.py",
        "sspk_o/a/c.py",
        "sspk_o/Z.py",
    )
    want = by_hand(
        site,
        "sspk_o/Z.py",
        "sspk_o/__init__.py",
        "sspk_o/a/__init__.py",
        "sspk_o/a/c.py",
        "sspk_o/b.py",
    )
    owner = owner_of("sspk_o.a.c", with_source=True)
    assert owner.source_sha256 == want
    assert owner_of("sspk_o.a.c").source_sha256 == ""


@pytest.mark.parametrize(
    "changed", ["sspk_p/util.py", "sspk_p/__init__.py", "sspk_p/nn/layers.py", "sspk_p/new.py"]
)
def test_a_change_anywhere_in_the_package_changes_the_digest(site, changed):
    put(
        site, "sspk_p/__init__.py", "sspk_p/util.py", "sspk_p/nn/__init__.py", "sspk_p/nn/layers.py"
    )
    before = owner_of("sspk_p.nn.layers", with_source=True)
    put(site, changed, text="changed = True\n")
    forget()
    after = owner_of("sspk_p.nn.layers", with_source=True)
    assert len(before.source_sha256) == 64
    assert after.source_sha256 != before.source_sha256


def test_a_module_in_no_package_has_the_digest_of_its_one_file(site):
    put(site, "sspk_0.py", "beside.py")
    assert owner_of("sspk_0", with_source=True).source_sha256 == by_hand(site, "sspk_0.py")


def test_a_renamed_module_changes_the_digest(site):
    put(site, "sspk_q/__init__.py", "sspk_q/a.py")
    before = digest_of(unit_of("sspk_q"))
    (site / "sspk_q" / "a.py").rename(site / "sspk_q" / "b.py")
    assert digest_of(unit_of("sspk_q")) != before


def test_what_no_import_runs_changes_nothing(site):
    put(site, "sspk_r/__init__.py")
    before = digest_of(unit_of("sspk_r"))
    put(
        site,
        "sspk_r/notes.txt",
        "sspk_r/__pycache__/x.pyc",
        "sspk_r/.venv/y.py",
        "sspk_r/test-data/z.py",
    )
    assert digest_of(unit_of("sspk_r")) == before


@pytest.mark.parametrize(
    "name", ["_c.so", "_c.cpython-311-x86_64-linux-gnu.so", "_c.pyd", "_c.pyc"]
)
def test_compiled_modules_count(site, name):
    put(site, "sspk_s/__init__.py", f"sspk_s/{name}")
    assert files_of(unit_of("sspk_s")) == ["sspk_s/__init__.py", f"sspk_s/{name}"]


@pytest.mark.parametrize(
    ("files", "module", "top"),
    [
        (["sspk_t.py"], "sspk_t", "sspk_t.py"),
        (["sspk_t/__init__.py", "sspk_t/a.py"], "sspk_t.a", "sspk_t"),
        # A name that several distributions share: the package is what lies below it.
        (["sspk_t/x/__init__.py", "sspk_t/x/a.py"], "sspk_t.x.a", "sspk_t/x"),
        (["sspk_t/x/y/__init__.py"], "sspk_t.x.y", "sspk_t/x/y"),
        # The __init__ files were forgotten: everything that can be imported by its name.
        (["sspk_t/a.py", "sspk_t/util.py"], "sspk_t.a", "sspk_t"),
        (["sspk_t/nn/a.py", "sspk_t/util.py"], "sspk_t.nn.a", "sspk_t"),
    ],
)
def test_the_unit_is_the_topmost_package(site, files, module, top):
    put(site, *files)
    assert unit_of(module) == Unit(str(site), top)


def test_a_module_laid_out_by_hand_is_its_file_alone(site, monkeypatch):
    put(site, "place/file.py", "place/beside.py", text="")
    spec = importlib.util.spec_from_file_location("sspk_u.deep.name", site / "place" / "file.py")
    monkeypatch.setitem(sys.modules, "sspk_u.deep.name", importlib.util.module_from_spec(spec))
    assert unit_of("sspk_u.deep.name") == Unit(str(site / "place"), "file.py")


def test_modules_are_named_by_their_files(site):
    put(
        site,
        "sspk_v/__init__.py",
        "sspk_v/a.py",
        "sspk_v/_c.cpython-311-x86_64-linux-gnu.so",
        "sspk_v/a-b.py",
        "sspk_v/n/x.py",
    )
    assert modules_of(unit_of("sspk_v")) == ["sspk_v", "sspk_v._c", "sspk_v.a", "sspk_v.n.x"]
    put(site, "sspk_w.py")
    assert modules_of(unit_of("sspk_w")) == ["sspk_w"]


# What cannot be read.


def test_a_source_without_end_has_no_digest(site, monkeypatch):
    put(site, "sspk_x/__init__.py", "sspk_x/a.py", "sspk_x/b.py")
    assert len(owner_of("sspk_x", with_source=True).source_sha256) == 64
    forget()
    monkeypatch.setattr(sources, "MOST_FILES", 2)
    assert owner_of("sspk_x", with_source=True).source_sha256 == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(site):
    put(site, "sspk_y/__init__.py")
    os.mkfifo(site / "sspk_y" / "pipe.py")
    with pytest.raises(UnknownSourceError, match="not a file"):
        digest_of(unit_of("sspk_y"))
    assert owner_of("sspk_y", with_source=True).source_sha256 == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no such names, and links need a right")
def test_links_are_followed_once_and_odd_names_have_no_digest(site):
    put(site, "sspk_z/__init__.py", "elsewhere/helper.py")
    (site / "sspk_z" / "linked").symlink_to(site / "elsewhere")
    (site / "sspk_z" / "round").symlink_to(site / "sspk_z")
    assert files_of(unit_of("sspk_z")) == ["sspk_z/__init__.py", "sspk_z/linked/helper.py"]
    put(site, "sspk_z/a\nb.py")
    with pytest.raises(UnknownSourceError, match="list of files"):
        digest_of(unit_of("sspk_z"))


def test_what_is_gone_has_no_digest(site):
    with pytest.raises(UnknownSourceError):
        digest_of(Unit(str(site), "nothing"))
    with pytest.raises(UnknownSourceError):
        sources.file_digest(site / "nothing.py")
    (site / "empty").mkdir()
    with pytest.raises(UnknownSourceError, match="no source"):
        digest_of(Unit(str(site), "empty"))
