"""Whatever stands in a policy, the tools answer: with findings, or with one `InvalidPolicy`."""

from __future__ import annotations

import copy
import datetime as dt
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.authoring.check import check
from secure_serial.authoring.coverage import coverage
from secure_serial.authoring.mutation import mutate
from secure_serial.authoring.testing import run_tests
from secure_serial.errors import InvalidPolicy

TODAY = dt.date(2026, 11, 22)
#: A policy in which every key stands once, or nearly.
WHOLE = {
    "schema": 1, "name": "x", "version": 3, "expires": dt.date(2027, 1, 1),
    "extends": ["keras-core"], "delegate": ["acme.**"], "caller_objects": "listed",
    "audit": "optional", "lambda": "deny", "mode": "report", "report_until": dt.date(2027, 1, 1),
    "require_evidence": True, "limits": {"layers": 9}, "waivers": {"max_days": 40, "below": True},
    "allow": [
        {
            "id": "a", "symbols": ["keras.layers.Dense", "acme.*", "acme.x"],
            "registered": ["acme>B"], "kinds": ["layer"], "fields": ["layer", "root"],
            "arguments": {
                "units": {"type": ["integer", "null"], "min": 1, "max": 9, "one_of": [1, [2]]},
                "x.y": {"path": True, "max_length": 3, "symbol": ["keras.layers.*"]},
            },
            "from": "keras>=3", "sha256": ["a" * 64], "formats": ["json"], "lambdas": ["b" * 64],
            "allocation": {"max": 9}, "reason": "r",
            "evidence": {
                "tool": "b", "source_sha256": "c" * 64, "findings": 1, "date": dt.date(2026, 1, 1)
            },
        },
        {"id": "c", "symbols": ["acme.x"]},
    ],
    "deny": [
        {"id": "d", "symbols": ["keras.layers.LSTM"], "arguments": {"units": {"max": 3}}},
        {"id": "e", "kinds": ["loss"]},
    ],
    "waiver": [
        {
            "id": "w", "who": "w", "reason": "r", "expires": dt.date(2026, 12, 1),
            "symbols": ["acme.q"], "codes": ["SS301", "SS320"],
        }
    ],
    "test": [
        {"id": "t", "symbol": ["keras.layers.Dense", "acme.x"], "expect": "deny", "rules": ["a"]},
        {
            "id": "u", "config": {"class_name": "Dense", "config": {"units": 3}}, "bytes": 300,
            "expect": "deny", "code": "SS301",
        },
        {"id": "v", "file": "none.json", "expect": "deny", "today": dt.date(2026, 12, 1)},
        {
            "id": "s", "symbol": "acme.k", "registered": "acme>K", "kind": "layer",
            "field": "layer", "arguments": {"a": [1, {"class_name": "Dense", "config": {}}]},
            "from": "acme==1", "source_sha256": "c" * 64, "format": "h5", "sha256": "d" * 64,
            "expect": "allow",
        },
    ],
}  # fmt: skip
VALUES = [
    0, -1, 2**70, 1.5, float("nan"), float("inf"), True, "", "x", "acme.**", "*", "**", "a>b>c",
    ">", "keras.layers.Dens", "keras.**", "*>B", "keras>=", "\u202e\x1b[2J", "x" * 5000, [], [1],
    ["x"], [[]], {}, {"a": 1}, {"id": "z"}, [{}], [{"id": "a"}], dt.date(1, 1, 1),
    dt.date(9999, 12, 31), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.time(1), "allow", "@above", ["@above"],
    ["strict", "keras-core"], "../x", "a" * 64, "__lambda__", "os.system", ["a.b"] * 3,
    [float("nan")], "builtin:x", "..", "a..b",
]  # fmt: skip


def places(value, path=()):
    """The path of everything in a value but itself."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


PLACES = list(places(WHOLE))


def changed(changes):
    """The whole policy with other values in some places; None takes out what stands there."""
    policy = copy.deepcopy(WHOLE)
    for path, value in changes:
        inside = policy
        try:
            for key in path[:-1]:
                inside = inside[key]
            if value is None:
                del inside[path[-1]]
            else:
                inside[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has left nothing there
    return policy


def toml(value):
    """A value as TOML writes it inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


def document(policy, *, inline):
    """A policy as TOML, its tables inline or below headers."""
    text = ""
    headers = ""
    for key, value in policy.items():
        tables = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        if inline or not tables:
            text += f"{json.dumps(key)} = {toml(value)}\n"
            continue
        for table in value:
            headers += f"[[{json.dumps(key)}]]\n"
            headers += "".join(f"{json.dumps(k)} = {toml(v)}\n" for k, v in table.items())
    return text + headers


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from([None, *VALUES])), min_size=1, max_size=3
    ),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_a_changed_policy_ends_in_findings_or_in_invalid_policy(tmp_path_factory, changes, inline):
    folder = tmp_path_factory.mktemp("p")
    path, top = folder / "p.toml", folder / "top.toml"
    path.write_text(document(changed(changes), inline=inline), encoding="utf-8")
    top.write_text(
        'schema = 1\ndelegate = ["acme.*"]\ncaller_objects = "allow"\n', encoding="utf-8"
    )
    for files in ([str(path)], [str(top), str(path)], [str(path), str(top)]):
        refused = any(f.severity == "error" for f in check(files, TODAY).findings)
        try:
            run = run_tests(files, TODAY)
        except InvalidPolicy:
            assert refused, "what cannot be used must not pass a check"
            continue
        assert all(isinstance(each.problem, str) for each in run.failed)
        coverage(run)


def test_every_mutant_can_be_made_of_a_policy_that_says_everything(tmp_path):
    path = tmp_path / "p.toml"
    untested = {key: value for key, value in WHOLE.items() if key != "test"}
    path.write_text(document(untested, inline=False), encoding="utf-8")
    done = mutate(run_tests([str(path)], TODAY))
    assert len(done.survivors) == done.made
    said = {survivor.what.partition(": ")[2] or survivor.what for survivor in done.survivors}
    keys = ("kinds", "fields", "from", "sha256", "formats", "lambdas", "evidence", "expires")
    assert {f"without {key}" for key in keys} <= said
    settings_dropped = {
        "without require_evidence",
        "without limits.layers",
        "without caller_objects",
    }
    assert settings_dropped <= said
    assert {"arguments.units with max = 10", "allocation with max = 10", "made deny"} <= said
    assert all(survivor.line and survivor.column for survivor in done.survivors)
