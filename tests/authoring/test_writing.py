"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from secure_serial.authoring.writing import create, replace


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_written(tmp_path):
    create(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"
    assert names(tmp_path) == ["a"]


def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").touch()
    create(tmp_path / "a", b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("there", ["file", "folder", "link", "dangling"])
def test_nothing_is_overwritten(tmp_path, there):
    path = tmp_path / "a"
    if there == "file":
        path.write_bytes(b"0")
    elif there == "folder":
        path.mkdir()
    else:
        if there == "link":
            (tmp_path / "other").write_bytes(b"0")
        path.symlink_to("other")
    before = names(tmp_path)
    with pytest.raises(FileExistsError):
        create(path, b"1")
    assert names(tmp_path) == before
    assert not path.is_file() or path.read_bytes() == b"0"


def test_a_file_that_cannot_be_filled_is_not_left(tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        create(tmp_path / "a", b"1")
    assert names(tmp_path) == []


def test_a_file_is_as_it_was_where_it_cannot_be_written_anew(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"0")

    def full(_handle):
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        replace(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"0"
    assert names(tmp_path) == ["a"]


def test_mode_and_link_stay(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"0")
    real.chmod(0o640)
    mode = stat.S_IMODE(real.stat().st_mode)
    link.symlink_to("real")
    replace(link, b"1")
    assert link.is_symlink()
    assert real.read_bytes() == b"1"
    assert stat.S_IMODE(real.stat().st_mode) == mode


def test_what_is_not_there_is_not_replaced(tmp_path):
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "a", b"1")
    assert names(tmp_path) == []
