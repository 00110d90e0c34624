"""Candidates are told by their first bytes, whatever they are called."""

from __future__ import annotations

import io

import pytest

from secure_serial.scanner.sniff import kind_of, may_be_keras

HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"PK\x03\x04rest", "weights.bin", "zip"),
        (b"PK\x05\x06", "empty.docx", "zip"),
        (HDF5, "model.txt", "hdf5"),
        (b"\0" * 512 + HDF5, "x", "hdf5"),
        (b"\0" * 4096 + HDF5, "x", "hdf5"),
        (b' \n{ "class_name"', "LICENSE", "json"),
        (b'[ {"class_name"', "x", "json"),
        (b'"{\\"class_name', "x", "json"),
        (b'"\\u007b', "x", "json"),
        (b"\xef\xbb\xbf{}", "x", "json"),
        ('{"a"'.encode("utf-16"), "x", "json"),
        (b"not json", "broken.json", "json"),
        (b"class_name: Sequential\nconfig:", "x", "yaml"),
        (b"# note\nbackend: tensorflow\n", "x", "yaml"),
        (b"a: 1", "values.YML", "yaml"),
        (b"# Title\n", "README.md", ""),
        (b'"""Docstring."""', "module.py", ""),
        (b"[tool]\n", "setup.cfg", ""),
        (b"[1, 2]", "data", ""),
        (b"", "empty", ""),
    ],
)
def test_kind(head, name, kind):
    assert kind_of(head, name) == kind


@pytest.mark.parametrize(
    ("kind", "data", "may"),
    [
        ("json", b'{"class_name"', True),
        ("json", b'{"class\\u005fname": 1', True),
        ("json", '{"class_name"'.encode("utf-16"), True),
        ("json", b'{"name": "Sequential", "layers": [', True),
        ("json", b'{"type": "FeatureCollection"', False),
        ("yaml", b"a: &x 1\nb: *x", False),
        ("yaml", b'"\\x63lass_name": Sequential', True),
        ("zip", b"...config.json...", True),
        ("zip", b"...word/document.xml...", False),
        ("hdf5", b"anything", True),
        ("", b"anything", True),
    ],
)
def test_only_what_cannot_be_keras_is_let_go(kind, data, may):
    assert may_be_keras(io.BytesIO(data), kind) is may


@pytest.mark.parametrize("before", [(1 << 20) - 5, (1 << 20) - 1, (1 << 20)])
def test_a_word_across_two_pieces_is_seen(before):
    assert may_be_keras(io.BytesIO(b" " * before + b"class_name"), "json")
