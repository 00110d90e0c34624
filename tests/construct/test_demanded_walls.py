"""`[sandbox] demand`: where a wall that it names is not to be had, nothing of the file's runs."""

from __future__ import annotations

import logging

import pytest

from secure_serial import SandboxError, load_lambda, load_model, parse_policy
from secure_serial.sandbox.wall import worker as workers

pytest.importorskip("numpy")

DEMANDING = 'schema = 1\nextends = "sandbox"\nsandbox.demand = ["landlock"]\n'
POLICIES = {
    "in-process": parse_policy(DEMANDING, "demanding.toml"),
    "process": parse_policy(f'{DEMANDING}sandbox.evaluation = "process"', "walled.toml"),
}
both_ways = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)


class NoWorker(workers.Worker):
    """Its child ends before it says a word, as where the system lets no process start."""

    _module = "this_module_is_not_there"


def a_wall_too_few(allowance, demand=frozenset()):
    return workers.Worker(allowance, {*demand, "moat"} if demand else ())


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "secure_serial.audit")


@pytest.fixture(params=[(NoWorker, "SS505"), (a_wall_too_few, "SS506")], ids=["worker", "wall"])
def missing(request, monkeypatch):
    """The code of the error where the worker cannot start, and where a wall is missing."""
    made, code = request.param
    monkeypatch.setattr(workers, "shared_worker", made)
    return code


@both_ways
def test_a_function_alone_is_not_made(missing, policy):
    with pytest.raises(SandboxError) as refused:
        load_lambda("lambda x: x + 1", policy=policy)
    assert refused.value.code == missing


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore")
@both_ways
def test_no_model_is_built_with_it(missing, policy, tmp_path):
    keras = pytest.importorskip("keras")
    given = keras.Input((3,))
    path = tmp_path / "m.keras"
    keras.Model(given, keras.layers.Lambda(lambda x: x + 1)(given)).save(path)
    with pytest.raises(SandboxError) as refused:
        load_model(path, policy=policy, safe_mode=False)
    assert refused.value.code == missing


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("demand", [(), ("landlock",)])
def test_a_rehearsal_that_cannot_be_is_let_go_only_where_no_wall_is_demanded(demand):
    """A worker that could be started once may not start again."""
    pytest.importorskip("keras")
    from secure_serial.construct.keras.in_model import InModel

    function = load_lambda("lambda x: x + 1", policy="sandbox")
    in_model = InModel(function, NoWorker(demand=demand))
    if not demand:
        assert in_model(1) == 2
        return
    for _ in range(2):
        with pytest.raises(SandboxError) as refused:
            in_model(1)
        assert refused.value.code == "SS505"
        assert in_model.failure is refused.value


def test_without_a_demand_a_function_runs_where_no_worker_can(monkeypatch):
    monkeypatch.setattr(workers, "shared_worker", NoWorker)
    assert load_lambda("lambda x: x + 1", policy="sandbox")(1) == 2
