"""Paths to candidates: in one order, with a word about everything, following no link."""

from __future__ import annotations

import os
import sys

import pytest

from secure_serial.scanner.collect import Take, collect

CONFIG = '{"class_name": "Dense", "config": {"units": 1}}'


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "m/b.json": CONFIG, "m/a/z.json": CONFIG, "m/a/notes.md": "# x", "m/.hidden": CONFIG,
        "m/model.keras/config.json": CONFIG, "m/model.keras/assets/x.json": CONFIG,
        "m/saved/config.json": CONFIG, "m/saved/metadata.json": "{}",
        "m/hub/config.json": CONFIG, "m/hub/metadata.json": "{}", "m/hub/tokenizer.json": "{}",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def named(paths):
    return [(c.name, c.take.value) for c in collect(paths)]


def test_a_folder_is_searched_in_the_order_of_names(tree):
    assert named(["m"]) == [
        ("m/.hidden", "judge"),
        ("m/a/notes.md", "other"),
        ("m/a/z.json", "judge"),
        ("m/b.json", "judge"),
        ("m/hub/config.json", "judge"),
        ("m/hub/metadata.json", "judge"),
        ("m/hub/tokenizer.json", "judge"),
        ("m/model.keras", "judge"),
        ("m/saved", "judge"),
    ]


def test_what_is_named_is_judged_whatever_it_is(tree):
    found = list(collect(["m/a/notes.md", "absent", "m/model.keras"]))
    assert [c.take for c in found] == [Take.JUDGE] * 3
    assert all(c.explicit for c in found)


def test_a_path_given_twice_counts_once(tree):
    assert named(["m/b.json", "m/b.json"]) == [("m/b.json", "judge")]


def links(tree):
    try:
        (tree / "m" / "link.json").symlink_to(tree / "m" / "b.json")
        (tree / "m" / "loop").symlink_to(tree / "m", target_is_directory=True)
    except OSError:
        pytest.skip("no right to make links here")


def test_links_in_a_folder_are_not_followed_and_said(tree):
    links(tree)
    found = {c.name: (c.take, c.reason) for c in collect(["m"])}
    assert found["m/link.json"] == (Take.SKIP, "symbolic link")
    assert found["m/loop"] == (Take.SKIP, "symbolic link")
    assert len(found) == 11


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_a_folder_is_not_opened(tree):
    os.mkfifo(tree / "m" / "pipe.json")
    assert ("m/pipe.json", "skip") in named(["m"])


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="permissions do not bind here",
)
def test_a_folder_that_cannot_be_listed_is_a_failure(tree):
    (tree / "m" / "a").chmod(0)
    try:
        assert ("m/a", "fail") in named(["m"])
    finally:
        (tree / "m" / "a").chmod(0o700)


def test_a_folder_that_vanishes_is_a_failure(tree, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("secure_serial.scanner.collect.os.scandir", refuse)
    (found,) = collect(["m"])
    assert (found.take, found.reason) == (Take.FAIL, "cannot be listed: Permission denied")


def test_a_deep_tree_needs_no_stack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    deep = tmp_path
    for _ in range(150):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x.json").write_text(CONFIG)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(120)
    try:
        found = list(collect([tmp_path]))
    finally:
        sys.setrecursionlimit(limit)
    assert len(found) == 1
