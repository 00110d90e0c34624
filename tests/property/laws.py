"""What holds for every stack of policies and every plan, checked on one random case each.

    python tests/property/laws.py COUNT [--first NUMBER]

A case that breaks a law is made again by its number: `check(NUMBER)`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import sys
import time
from collections import Counter
from copy import copy
from pathlib import Path

if __name__ == "__main__":  # as a script it stands outside of what pytest finds by itself
    tests = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(tests.parent), str(tests)]

from policy import specification
from policy.specification import Outcome
from property.random_cases import Maker, case, parts

from secure_serial.audit.log import encode
from secure_serial.audit.record import decision_record
from secure_serial.authoring.replay import replay
from secure_serial.policy.conditions import context_of
from secure_serial.policy.engine import Engine, Verdict
from secure_serial.policy.model import Effect, WaiverTerms

_BLOCK = 2_000


def check(number: int) -> None:
    """All laws, on the case of this number."""
    given, maker = case(number), Maker(f"more {number}")
    engine = Engine(given.stack, given.today)
    context = context_of(given.plan)
    first = [engine.decide(request, context) for request in given.plan.requests]
    outcomes = [_outcome(decision) for decision in first]
    for request, outcome in zip(given.plan.requests, outcomes, strict=True):
        wanted = specification.decide(given.stack, request, given.world)
        assert outcome == wanted, f"not as specified: {number}"
    again = [engine.decide(request, context) for request in given.plan.requests]
    assert first == again, f"what is remembered differs: {number}"
    # One of the requests will do for what compares two engines: making them takes the time.
    at = maker.choice(range(len(outcomes)))
    request, outcome = given.plan.requests[at], outcomes[at]
    _check_more_denies_in_another_order(number, given, request, outcome, maker)
    _check_order_of_layers(number, given, request, maker)
    for request, outcome in zip(given.plan.requests, outcomes, strict=True):
        if outcome.effect == "allow":
            _check_fewer_layers(number, given, request, outcome)
    _check_replay(number, given, first)


def _check_more_denies_in_another_order(number, given, request, before, maker):
    """Shuffling rules and conditions changes nothing, and a deny rule more denies or changes nothing."""
    deny = maker.choice(parts().rules)._replace(id="more", effect=Effect.DENY)
    place = maker.choice(range(len(given.stack.layers)))
    layers = [
        _changed(
            layer, rules=_shuffled((*layer.rules, deny) if at == place else layer.rules, maker)
        )
        for at, layer in enumerate(given.stack.layers)
    ]
    after = _decided(given, layers, request)
    if "more" not in after.rules:
        assert after == before, f"the order of rules: {number}"
    elif before.code == "SS302":
        both = before.rules | {"more"}
        assert (after.code, after.rules) == ("SS302", both), f"a deny rule is left out: {number}"
    else:
        denied = Outcome("deny", "SS302", frozenset({"more"}), layers[place].source)
        assert after == denied, f"a deny rule that does not deny: {number}"


def _check_fewer_layers(number, given, request, outcome):
    """The last layer lets in nothing but what those above delegate to it or let it waive."""
    *above, last = given.stack.layers
    if not above:
        return
    old = _decided(given, above, request)
    if old.effect == "deny":
        delegated = specification.means_one(above[-1].delegate, request.symbol)
        waivable = any(layer.waiver_terms.below for layer in above)
        waived = waivable and outcome.rules & {waiver.id for waiver in last.waivers}
        assert old.code != "SS302", f"a layer lifts a deny above: {number}"
        assert delegated or waived, f"a layer widens: {number}"


def _check_order_of_layers(number, given, request, maker):
    """Layers below the top may change places, where none delegates and none waives for another.

    Then each but the top only narrows. Which of several that deny is named hangs on their
    order, and so does who of several that lifted something is shown first.
    """
    top, *below = [
        _changed(each, delegate=(), waiver_terms=WaiverTerms(max_days=1))
        for each in given.stack.layers
    ]
    if len(below) < 2:
        return
    one = specification.decide(_changed(top, below=tuple(below)), request, given.world)
    other = _decided(given, [top, *maker.sample(below, len(below))], request)
    same = (one.effect, one.lifted) == (other.effect, other.lifted)
    if one.effect == "allow" or one.code == "SS302":
        same = same and one.rules == other.rules
    assert same, f"the order of layers: {number}"


def _check_replay(number, given, decisions):
    """Every decision is made again from its record, and by another policy as from the file."""
    verdict = Verdict(given.plan, given.stack, tuple(decisions), (), given.today)
    record = json.loads(encode(decision_record(verdict, load="", time="", action="load")))
    for difference in replay(record, given.stack):
        assert difference.now is None, f"decided otherwise from the record: {number}"
        values = (difference.request.arguments or {}).values()
        assert any("sha256" in str(value) for value in values), f"not recorded: {number}"
    if number % 4:
        return
    other = _changed(case(number + 1).stack, sha256="1" * 64)
    engine, context = Engine(other, given.today), context_of(given.plan)
    replayed = {id_(row.request): row for row in replay(record, other)}
    counted = Counter(id_(decision.request) for decision in decisions)
    for decision in decisions:
        if counted[id_(decision.request)] > 1:
            continue  # which of them a difference is about cannot be told
        fresh, row = engine.decide(decision.request, context), replayed.get(id_(decision.request))
        if row is None:
            assert _outcome(fresh) == _outcome(decision), f"a difference is missed: {number}"
        elif row.now is not None:
            assert Outcome(*row.now) == _outcome(fresh) != _outcome(decision), f"replayed: {number}"
        else:
            assert fresh.looked_at, f"it could have been told: {number}"


def id_(request):
    """What tells the requests of one plan apart, but for arguments that nobody looks at."""
    objections = tuple((each.code, each.argument) for each in request.objections)
    return *request[:7], tuple(request.effects), objections, request.owner, request.digest


def _decided(given, layers, request):
    stack = _changed(layers[0], below=tuple(layers[1:]))
    return _outcome(Engine(stack, given.today).decide(request, context_of(given.plan)))


def _changed(policy, **changes):
    """A copy of a policy with some things changed; `dataclasses.replace` takes ten times as long."""
    made = copy(policy)
    vars(made).update(changes)
    return made


def _outcome(decision):
    rules, lifted = frozenset(decision.rules), decision.lifted.value
    return Outcome(decision.effect.value, decision.code, rules, decision.layer, lifted)


def _shuffled(rules, maker):
    """The same rules, and the conditions in each, in another order."""
    return tuple([
        rule._replace(arguments=rule.arguments[::-1]) if rule.arguments else rule
        for rule in maker.sample(rules, len(rules))
    ])  # fmt: skip


def check_all(numbers) -> int:
    """Every law on every one of these cases; how many there were."""
    return sum(check(number) is None for number in numbers)


def main() -> None:
    """Check many cases on all cores, and say how it went."""
    parser = argparse.ArgumentParser(description="Check the laws of policies on random cases.")
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.count)
    blocks = [numbers[at : at + _BLOCK] for at in range(0, len(numbers), _BLOCK)]
    start = time.monotonic()
    with multiprocessing.Pool() as pool:
        done = itertools.accumulate(pool.imap_unordered(check_all, blocks))
        for count in done:
            if count % (_BLOCK * 50) == 0 or count == options.count:
                print(f"{count:,} cases, {time.monotonic() - start:,.0f} s", flush=True)  # noqa: T201
    print("every law holds")  # noqa: T201


if __name__ == "__main__":
    main()
