"""What a decision costs, and reading a policy: this engine, and Cedar's where it is installed.

    python -m benchmarks.policy_engine [--rules N] [--load N] [--repeat N]

Both engines get the same rules and must give the same answers before anything is measured.
CPU times, the best of several. `pip install cedarpy` brings Cedar, which decides in Rust and is
asked through Python with its policies and entities parsed beforehand.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import random
import time
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from secure_serial import parse_policy
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import Action, Origin, Request
from secure_serial.policy.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MICRO, MILLI = 1e6, 1e3
#: What issue and documentation promise: of a decision in µs, of reading a policy in ms.
CACHED_BAR, NEW_BAR, LOAD_BAR = 2.0, 10.0, 80.0
_ASKED = 2_000
_CLASSES = 25  # of a package


class Told(NamedTuple):
    """A rule, as both engines are told it."""

    effect: str
    name: str
    bound: int | None = None


def rules(count: int) -> list[Told]:
    """An organisation's list: most name one class, some a whole package; a few bound or deny."""
    found = []
    for number in range(count):
        name = f"acme.p{number // _CLASSES}.C{number % _CLASSES}"
        if number % 30 == 0:
            found.append(Told("allow", f"acme.whole{number}.*"))
        elif number % 50 == 1:
            found.append(Told("deny", name, 100))
        else:
            found.append(Told("allow", name, None if number % 11 else 1_000))
    return found


def as_toml(told: Sequence[Told]) -> str:
    """The rules as a policy of ours."""
    tables = ['schema = 1\nname = "acme"\n']
    for number, (effect, name, bound) in enumerate(told):
        key = "min" if effect == "deny" else "max"
        more = f"arguments.units = {{ {key} = {bound} }}\n" if bound is not None else ""
        tables.append(
            f'[[{effect}]]\nid = "rule-{number}"\nsymbols = ["{name}"]\n{more}'
            f'reason = "Reviewed in March by the platform team."\n'
        )
    return "\n".join(tables)


def as_cedar(told: Sequence[Told]) -> str:
    """The same for Cedar, with a package as what its classes are in."""
    tables = []
    for effect, name, bound in told:
        sign = ">=" if effect == "deny" else "<="
        when = f" when {{ context.units {sign} {bound} }}" if bound is not None else ""
        target = f'in Package::"{name[:-2]}"' if name.endswith("*") else f'== Symbol::"{name}"'
        word = "forbid" if effect == "deny" else "permit"
        tables.append(f'{word}(principal, action == Action::"construct", resource {target}){when};')
    return "\n".join(tables)


def asked(told: Sequence[Told]) -> list[Request]:
    """Requests for different symbols, of which a fifth are in no list."""
    some = random.Random(1).sample(told, min(_ASKED, len(told)))  # noqa: S311 - no secret
    names = [each.name.replace("*", "C0") for each in some]
    names = [f"{name}x" if number % 5 == 0 else name for number, name in enumerate(names)]
    return [
        Request(
            "", "", Field.LAYER, Action.CONSTRUCT, name, Kind.LAYER, Origin.UNKNOWN, name,
            arguments={"units": number % 2_000},
        )
        for number, name in enumerate(names)
    ]  # fmt: skip


def best(action: Callable[[], object], repeat: int, before: Callable[[], object]) -> float:
    """The least CPU seconds that an action takes: more is what others do to the machine."""
    taken = []
    for _ in range(repeat):
        before()
        start = time.process_time()
        action()
        taken.append(time.process_time() - start)
    return min(taken)


def row(title: str, ours: float, bar: float | None, cedar: float | None, unit: str) -> None:
    """Print one row."""
    limit = f"{bar:,.0f}" if bar is not None else ""
    other = f"{cedar:,.1f} | {cedar / ours:,.1f}" if cedar is not None else "not installed | "
    print(f"| {title}, {unit} | {ours:,.2f} | {limit} | {other} |", flush=True)


class Ours:
    """Our engine, asked for many symbols."""

    def __init__(self, told: Sequence[Told], requests: Sequence[Request]) -> None:
        self._policy = parse_policy(as_toml(told))
        self._requests = requests
        self.fresh()

    def fresh(self) -> None:
        """Forget what was decided."""
        self._engine = Engine(self._policy)

    def answers(self) -> list[bool]:
        """Every decision."""
        return [self._engine.decide(request).allowed for request in self._requests]

    def decide(self) -> None:
        """Every decision, for its time."""
        decide = self._engine.decide
        for request in self._requests:
            decide(request)


class Cedar:
    """Cedar, asked the same."""

    def __init__(self, told: Sequence[Told], requests: Sequence[Request]) -> None:
        import cedarpy

        self._ask = cedarpy.is_authorized
        self.parse = cedarpy.PolicySet.from_str
        self._policies = self.parse(as_cedar(told))
        names = [request.symbol for request in requests]
        packages = sorted({name.rpartition(".")[0] for name in names})
        entities = [{"uid": _uid("Package", name), "attrs": {}, "parents": []} for name in packages]
        entities += [
            {"uid": _uid("Symbol", name), "attrs": {},
             "parents": [_uid("Package", name.rpartition(".")[0])]}
            for name in names
        ]  # fmt: skip
        self._entities = cedarpy.Entities.from_json_str(json.dumps(entities))
        self._requests = [
            {"principal": _uid("Program", "p"), "action": _uid("Action", "construct"),
             "resource": _uid("Symbol", request.symbol), "context": dict(request.arguments or {})}
            for request in requests
        ]  # fmt: skip

    def answers(self, most: int | None = None) -> list[bool]:
        """Every decision, or so many of them."""
        some = itertools.islice(self._requests, most)
        return [self._ask(each, self._policies, self._entities).allowed for each in some]


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_engine")
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--load", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=25)
    options = parser.parse_args()
    told = rules(options.rules)
    requests = asked(told)
    ours = Ours(told, requests)
    cedar = None
    if importlib.util.find_spec("cedarpy") is not None:
        cedar = Cedar(told, requests)
        if cedar.answers() != ours.answers():
            raise SystemExit("the engines do not agree")
    print("| case | ours | bar | Cedar | Cedar / ours |\n|---|---|---|---|---|")
    repeat, many = options.repeat, len(requests)
    some = min(200, many)
    slow = None
    if cedar is not None:
        slow = best(lambda: cedar.answers(some), repeat, lambda: None) / some * MICRO
    new = best(ours.decide, repeat, ours.fresh) / many * MICRO
    row(f"a new symbol, {options.rules:,} rules", new, NEW_BAR, slow, "µs")
    plain = [request._replace(symbol=f"acme.q.C{n}") for n, request in enumerate(requests)]
    cached = Ours(told, plain)
    cached.decide()
    again = best(cached.decide, repeat, lambda: None) / many * MICRO
    row("the same symbol again", again, CACHED_BAR, slow, "µs")
    ours.decide()
    again = best(ours.decide, repeat, lambda: None) / many * MICRO
    row("again, a tenth with bounds on arguments", again, None, slow, "µs")
    text, policies = as_toml(told[: options.load]), as_cedar(told[: options.load])
    load = best(lambda: parse_policy(text), repeat, lambda: None) * MILLI
    share = best(lambda: tomllib.loads(text), repeat, lambda: None) * MILLI
    parsed = best(lambda: cedar.parse(policies), repeat, lambda: None) * MILLI if cedar else None
    row(f"read {options.load:,} rules", load, LOAD_BAR, parsed, "ms")
    row("of which `tomllib`", share, None, parsed, "ms")


if __name__ == "__main__":
    main()
