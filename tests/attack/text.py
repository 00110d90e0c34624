"""JSON and YAML that two readers could read differently, or that would run while being read.

Rule 6 (JSON is parsed once and strictly) and CVE-2021-37678 (YAML with object tags).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attack import carriers
from attack.case import EITHER, Case
from attack.configs import dense, sequential
from attack.stage import MODULE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attack.stage import Stage

FAMILY = "text"
GOOD = json.dumps(sequential(dense()))
EVIL = '{"module": "os", "class_name": "system", "config": {}, "registered_name": null}'


def _doubled(key: str, value: str) -> str:
    """The good config, with `key` twice wherever it stands (once in front, hidden)."""
    return GOOD.replace(f'"{key}": ', f'"{key}": {value}, "{key}": ', 1)


#: Texts that are refused as config.json, as a bare .json and as an attribute of an .h5.
JSON: dict[str, str | bytes] = {
    "duplicate-class": _doubled("class_name", '"Lambda"'),
    "duplicate-module": _doubled("module", '"os"'),
    "duplicate-config": _doubled("config", "{}"),
    "duplicate-units": _doubled("units", "2000000000"),
    "duplicate-escaped": GOOD.replace('"units": 2', r'"units": 2, "\u0075nits": 3'),
    "duplicate-layers": _doubled("layers", f"[{EVIL}]"),
    "bom": b"\xef\xbb\xbf" + GOOD.encode(),
    "utf-16": GOOD.encode("utf-16"),
    "utf-32": GOOD.encode("utf-32"),
    "latin-1": GOOD.replace("seq", "s\u00e9q").encode("latin-1"),
    "invalid-utf-8": GOOD.encode().replace(b"seq", b"s\xff\xfeq"),
    "overlong": GOOD.encode().replace(b"seq", b"s\xc0\xafq"),
    "encoded-surrogate": GOOD.encode().replace(b"seq", b"s\xed\xa0\x80q"),
    "trailing-garbage": GOOD + "x",
    "trailing-document": GOOD + EVIL,
    "trailing-nul": GOOD + "\0",
    "leading-garbage": "x" + GOOD,
    "truncated": GOOD[:-2],
    "empty": "",
    "blank": "   ",
    "comment": "/* c */" + GOOD,
    "line-comment": GOOD.replace("{", "{// c\n", 1),
    "trailing-comma": GOOD[:-1] + ",}",
    "single-quotes": GOOD.replace('"', "'"),
    "bare-keys": GOOD.replace('"units"', "units"),
    "raw-newline": GOOD.replace("seq", "s\nq"),
    "raw-nul": GOOD.replace("seq", "s\0q"),
    "raw-tab-in-key": GOOD.replace("units", "un\tits"),
    "hex-number": GOOD.replace('"units": 2', '"units": 0x2'),
    "octal-number": GOOD.replace('"units": 2', '"units": 02'),
    "plus-number": GOOD.replace('"units": 2', '"units": +2'),
    "dot-number": GOOD.replace('"units": 2', '"units": .2e1'),
    "underscored": GOOD.replace('"units": 2', '"units": 2_0'),
    "nan-units": GOOD.replace('"units": 2', '"units": NaN'),
    "infinite-units": GOOD.replace('"units": 2', '"units": Infinity'),
    "overflowing": GOOD.replace('"units": 2', '"units": 1e999'),
    "long-integer": GOOD.replace('"units": 2', '"units": ' + "9" * 100_000),
    "long-fraction": GOOD.replace('"units": 2', '"units": 2.' + "0" * 100_000),
    "nan-name": GOOD.replace('"name": "seq"', '"name": NaN'),
    "nan-class": GOOD.replace('"Sequential"', "NaN"),
    "nan-shape": GOOD.replace("[null, 4]", "[null, NaN]"),
    "lone-surrogate": GOOD.replace("seq", r"s\ud800q"),
    "bad-escape": GOOD.replace("seq", r"s\xq"),
    "short-escape": GOOD.replace("seq", r"s\u12"),
    "deep-lists": "[" * 100_000 + "]" * 100_000,
    "deep-dicts": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep-open": "[" * 1_000_000,
    "deep-inside": GOOD.replace('"units": 2', '"units": ' + "[" * 5_000 + "]" * 5_000),
    "scalar": "42",
    "null": "null",
    "list": f"[{GOOD}]",
    "empty-dict": "{}",
    "python": GOOD.replace("null", "None").replace("true", "True"),
    "fullwidth-key": GOOD.replace("class_name", "\uff43lass_name"),
    "key-with-space": GOOD.replace('"class_name"', '"class_name "'),
    "thrice-encoded": json.dumps(json.dumps(json.dumps(json.dumps(GOOD)))),
}


def _text(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def json_case(name: str, form: str) -> Case:
    """The text `name`, in a file of the format `form`."""

    def build(stage: Stage) -> Path:
        raw = _text(JSON[name])
        if form == "h5" and not raw:
            raw = b" "  # HDF5 has no empty string of fixed length
        return carriers.write(form, stage.root, raw, as_is=True)

    return Case(f"rule-6/{name}.{form}", "rule-6", FAMILY, build, EITHER)


def many_nodes(stage: Stage) -> Path:
    """More values than Limits allow, in few bytes."""
    return carriers.write_keras(stage.root / "model.keras", b"[" + b"0," * 5_000_100 + b"0]")


#: YAML that PyYAML's unsafe loaders would run, or that grows while being read.
YAML: dict[str, Callable[[Stage], str]] = {
    "apply": lambda s: f"!!python/object/apply:os.system [{json.dumps(s.command)}]",
    "apply-exec": lambda s: f"!!python/object/apply:builtins.exec [{json.dumps(s.statement)}]",
    "apply-in-slot": lambda s: _yaml(f"!!python/object/apply:os.system [{json.dumps(s.command)}]"),
    "apply-as-key": lambda s: f"? !!python/object/apply:os.system [{json.dumps(s.command)}]\n: 1",
    "new": lambda s: _yaml(f"!!python/object/new:os.system [{json.dumps(s.command)}]"),
    "object": lambda _s: _yaml("!!python/object:subprocess.Popen {args: id}"),
    "name": lambda _s: _yaml("!!python/name:os.system"),
    "module": lambda _s: _yaml(f"!!python/module:{MODULE}"),
    "name-import": lambda _s: _yaml(f"!!python/name:{MODULE}.s"),
    "verbatim": lambda s: _yaml(
        f"!<tag:yaml.org,2002:python/object/apply:os.system> [{json.dumps(s.command)}]"
    ),
    "directive": lambda s: (
        "%TAG !p! tag:yaml.org,2002:python/\n---\n"
        + _yaml(f"!p!object/apply:os.system [{json.dumps(s.command)}]")
    ),
    "escaped-tag": lambda s: _yaml(
        f"!!python/object%2Fapply:os.system [{json.dumps(s.command)}]"
    ),
    "in-tuple": lambda s: _yaml(
        f"!!python/tuple [!!python/object/apply:os.system [{json.dumps(s.command)}]]"
    ),
    "list-extend": lambda s: _yaml(
        "!!python/object/new:type\n        args: [z, !!python/tuple [], "
        f"{{extend: !!python/name:exec }}]\n        listitems: {json.dumps(s.statement)}"
    ),
    "bytes": lambda _s: _yaml("!!python/bytes aGk="),
    "complex": lambda _s: _yaml("!!python/complex 1+2j"),
    "binary": lambda _s: _yaml("!!binary aGk="),
    "set": lambda _s: _yaml("!!set {a, b}"),
    "unknown-tag": lambda _s: _yaml("!acme {a: 1}"),
    "second-document": lambda s: (
        _yaml("2") + f"\n---\n!!python/object/apply:os.system [{json.dumps(s.command)}]\n"
    ),
    "laughs": lambda _s: _laughs(),
    "self-alias": lambda _s: "a: &a [*a]\n",
    "self-merge": lambda _s: "a: &a\n  <<: *a\n",
    "duplicate-key": lambda _s: _yaml("2\n      units: 2000000000"),
    "deep": lambda _s: "[" * 20_000 + "]" * 20_000,
    "deep-blocks": lambda _s: "\n".join(" " * n + "a:" for n in range(3_000)),
    "deep-json-in-yaml": lambda _s: "{a: " * 20_000 + "1" + "}" * 20_000,
    "long-number": lambda _s: _yaml("9" * 100_000),
    "sexagesimal": lambda _s: _yaml("1:" + "59:" * 5_000 + "59"),
    "unclosed": lambda _s: "{a: [1, 2",
    "tab": lambda _s: "a:\n\t- 1",
    "control": lambda _s: 'a: "\x01"',
}  # fmt: skip


def _yaml(units: str) -> str:
    """A model in YAML; `units` is the value of the units of its layer."""
    return (
        "backend: tensorflow\nclass_name: Sequential\nkeras_version: 2.4.0\nconfig:\n"
        "  name: seq\n  layers:\n  - class_name: Dense\n    config:\n      name: d\n"
        f"      batch_input_shape: [null, 4]\n      units: {units}\n"
    )


def _laughs() -> str:
    """A thousand million laughs: aliases of aliases."""
    first = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    row = "a{0}: &a{0} [" + ", ".join(["*a{1}"] * 10) + "]\n"
    return first + "".join(row.format(level, level - 1) for level in range(1, 10))


def yaml_case(name: str) -> Case:
    """The YAML text `name`, as a file."""

    def build(stage: Stage) -> Path:
        path = stage.root / "model.yaml"
        path.write_text(YAML[name](stage))
        return path

    return Case(f"CVE-2021-37678/{name}.yaml", "CVE-2021-37678", FAMILY, build, EITHER)


# A config that is only a number, a null, a list or an empty dict is JSON, and no model; as
# a bare .json it may be any other tool's file, so it is refused where it must be a config.
NOT_A_CONFIG = {"scalar", "null", "list", "empty-dict", "thrice-encoded"}
NOT_A_CONFIG |= {"fullwidth-key", "key-with-space"}

CASES: list[Case] = [
    *(json_case(name, "keras") for name in JSON),
    *(json_case(name, "json") for name in JSON if name not in NOT_A_CONFIG | {"empty", "blank"}),
    *(
        json_case(name, "h5")
        for name in JSON
        # HDF5 attributes end at 64 KiB, and cannot hold a NUL.
        if len(JSON[name]) < 60_000 and b"\0" not in _text(JSON[name])
    ),
    Case("rule-10/many-nodes.keras", "rule-10", FAMILY, many_nodes, EITHER),
    *(yaml_case(name) for name in YAML),
]
