"""Real files of Keras 0 to 2: none is refused that a migration can bring into today's form.

On trees alone; `python -m benchmarks.legacy_corpus` builds the models.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from secure_serial.artifact import read_artifact
from secure_serial.construct.migration import may_migrate
from secure_serial.data import catalogue, migrations
from secure_serial.migrate import CannotMigrate, migrate
from secure_serial.plan.walker import make_plan
from secure_serial.policy.engine import decide
from secure_serial.policy.source import load_policy

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus" / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the corpus of real files is not here")
#: What Keras 3 cannot do, and the text that the refusal names it by.
IMPOSSIBLE = (
    "LocallyConnected",
    "MaxoutDense",
    "W_learning_rate_multiplier",
    "hard_sigmoid beside",
)


def verdict(document, policy):
    plan = make_plan(document, catalogue=catalogue(), callers={}, limits=policy.limits)
    return decide(plan, policy, today=date(2026, 1, 1))


@pytest.mark.parametrize("name", ["keras-core", "legacy-keras2"])
def test_no_false_refusal(name):
    policy = load_policy(name)
    rows = json.loads((REAL / "index.json").read_text())["rows"]
    wrong, came = {}, 0
    for row in rows:
        document = read_artifact(REAL / row.get("file", row["config"]))
        if not may_migrate(verdict(document, policy)):
            if not (row["has_lambda"] or row["has_custom"]):
                wrong[row["config"]] = "denied before"
            continue
        try:
            done = migrate(document, catalogue=catalogue(), tables=migrations(), callers={})
        except CannotMigrate as error:
            if not any(text in str(error) for text in IMPOSSIBLE):
                wrong[row["config"]] = str(error)
            continue
        if not verdict(done.document, policy).allowed:
            wrong[row["config"]] = "denied after"
        again = migrate(done.document, catalogue=catalogue(), tables=migrations(), callers={})
        assert not again.changed, row["config"]
        came += 1
    assert wrong == {}
    assert came >= 0.8 * len(rows)
