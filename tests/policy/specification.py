"""What policies mean, said a second time and as plainly as Python can: no index, no memory.

`docs/policy.md` says it in words. The engine must give the same answers (tests/property),
and shares nothing with this file but the words of the data model. An answer is True, False
or UNKNOWN; an allow rule counts only if it is True, a deny rule unless it is False.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from secure_serial.plan.fields import ACCEPTS
from secure_serial.plan.path import is_elided, pointer
from secure_serial.policy.model import Effect

UNKNOWN = None


class World(NamedTuple):
    """What is known beside the request: the document, its other requests, the day."""

    format: object = None
    digests: frozenset = frozenset()
    requests: tuple | None = None
    today: object = None


class Outcome(NamedTuple):
    """What became of a request, and by which rules of which layer."""

    effect: str
    code: str
    rules: frozenset
    layer: str
    lifted: str = ""


def decide(policy, request, world):
    """The decision: what any layer denies is denied, the rest is asked of each from the top."""
    denies = [(layer, rule.id) for layer in policy.layers for rule in layer.rules
              if rule.effect is Effect.DENY and meant(rule, request, world) is not False]  # fmt: skip
    if denies:
        return Outcome("deny", "SS302", frozenset(rule for _, rule in denies), denies[0][0].source)
    passed, steps = False, []
    for number, layer in enumerate(policy.layers):
        by, code, faults = asked(layer, request, world)
        waiver = waiver_for(policy.layers[number:], policy.layers[:number], request, faults, world)
        if not faults:
            passed = True
            steps.append(Outcome("allow", "", by, layer.source))
        elif passed and "@above" in layer.extends and not forbids(layer, request):
            pass  # what those above let pass, it does not stop
        elif means_one(layer.delegate, request.symbol):
            passed = False  # the layer below must say yes itself
        elif waiver is not None:
            passed = True
            steps.append(Outcome("allow", code, frozenset({waiver.id}), waiver.source, "waiver"))
        elif number == 0 and reports(layer, request, faults, world):
            passed = True
            rules = frozenset({"builtin:report-mode"})
            steps.append(Outcome("allow", code, rules, layer.source, "report"))
        else:
            return Outcome("deny", code, by, layer.source)
    if not passed:  # the last one left it to one that is not there
        return Outcome("deny", "SS301", frozenset({"builtin:default"}), policy.layers[-1].source)
    shown = next((step for step in steps if step.lifted), steps[0])
    return shown._replace(rules=frozenset().union(*(step.rules for step in steps)))


def asked(layer, request, world):
    """By what one layer lets a request pass or not, the code, and every fault that it finds."""
    allows = [rule for rule in layer.rules if rule.effect is Effect.ALLOW
              and meant(rule, request, world) is True and vetted(layer, rule, request)]  # fmt: skip
    paths = {c.argument for rule in allows for c in rule.arguments if c.path}
    wrong = [o.code for o in request.objections if not (o.code == "SS320" and o.argument in paths)]
    missing = ""
    if request.action == "decode":
        by = {"builtin:value-encoding"}
    elif allows:
        by = {rule.id for rule in allows}
    elif runs(layer, request):
        by = {"builtin:sandbox"}
    elif request.action == "lambda":
        by, missing = {"builtin:lambda"}, "SS303"
    elif request.origin == "caller" and layer.caller_objects == "allow":
        by = {"builtin:caller-objects"}
    else:
        by, missing = {"builtin:default"}, "SS301"
    of_it = wrong and (missing != "SS303" or layer.lambdas == "sandbox")
    first = wrong[0] if of_it else missing
    if of_it:
        by = {f"builtin:{wrong[0]}"}
    faults = {*wrong, missing} - {""}
    return frozenset(by), first, faults


def forbids(layer, request):
    """Whether a layer's own word denies it; others that inherit say nothing of it."""
    if request.action == "lambda":
        return "lambda" in layer.said and layer.lambdas == "deny"
    own = request.origin == "caller" and "caller_objects" in layer.said
    return own and layer.caller_objects == "listed"


def runs(layer, request):
    """Whether it is a function in the file that was understood, or Keras's layer for one."""
    if request.action == "lambda":
        return layer.lambdas == "sandbox" and request.digest != ""
    shell = request.symbol == "keras.layers.Lambda" and request.origin == "keras"
    approves = any(rule.lambdas for rule in layer.rules if rule.effect is Effect.ALLOW)
    return shell and (layer.lambdas == "sandbox" or approves)


def vetted(layer, rule, request):
    """Whether a rule has the evidence that its layer requires for what is not Keras's."""
    if not layer.require_evidence or request.origin in ("keras", "legacy"):
        return True
    if rule.evidence is None:
        return False
    source = request.owner.source_sha256 if request.owner is not None else ""
    return request.origin != "caller" or source == rule.evidence.source_sha256


def waiver_for(here, above, request, faults, world):
    """The first waiver in force: of the layer itself or, where it says so, of those below."""
    days = [layer.waiver_terms.max_days for layer in above]
    for layer in here if here[0].waiver_terms.below else here[:1]:
        days.append(layer.waiver_terms.max_days)
        for waiver in layer.waivers:
            left = (waiver.expires - world.today).days if world.today is not None else -1
            if (
                names(waiver, request.symbol)
                and 0 <= left <= min(days)
                and (not waiver.sha256 or waiver.sha256 & world.digests)
                and faults <= waiver.codes & {"SS301", "SS320"}
                and not feigned(request)
            ):
                return waiver
    return None


def reports(layer, request, faults, world):
    """Whether a policy that is being introduced lets a request pass, and reports it."""
    running = layer.mode == "report" and None not in (world.today, layer.report_until)
    running = running and world.today <= layer.report_until
    return running and faults == {"SS301"} and not request.effects and not poses(request)


def feigned(request):
    """Whether a stranger's name reads like one of Keras's."""
    known = request.origin in ("keras", "legacy", "caller")
    return not known and package_of(request.symbol) in ("keras", "tf_keras", "tensorflow", "tf")


def poses(request):
    """Whether a stranger's name is no package's: Python's own, nearly Keras's, or no name."""
    if request.origin in ("keras", "legacy", "caller"):
        return False
    name = package_of(request.symbol)
    odd = name == "" or name[0] in "'\"" or any(ord(letter) > 127 for letter in name)
    known = name.lower() in ("keras", "tf_keras", "tensorflow", "tf")
    return odd or known or name in sys.stdlib_module_names


def package_of(symbol):
    """The package at the start of a dotted or a registered name."""
    return symbol.split(">")[0].split(".")[0]


def meant(rule, request, world):
    """Whether a rule means a request: every condition, in no order; one False is enough."""
    each = any if rule.effect is Effect.DENY else all
    answers = [
        names(rule, request.symbol),
        of_kind(rule, request),
        not rule.fields or request.field in rule.fields,
        rule.effect is Effect.DENY or may_allow(rule, request),
        not rule.lambdas or request.digest in rule.lambdas,
    ]
    if rule.formats:
        answers.append(UNKNOWN if world.format is None else world.format in rule.formats)
    if rule.sha256:
        answers.append(bool(rule.sha256 & world.digests) if world.digests else UNKNOWN)
    if rule.owner is not None:
        answers.append(owned(rule.owner, request.owner))
    answers += [argument(c, request, each, world) for c in rule.arguments]
    if rule.allocation is not None:
        strange = request.action == "construct" and request.origin not in ("keras", "legacy")
        value = request._replace(arguments={"allocation": request.allocation})
        unknown = strange and request.allocation == 0
        answers.append(UNKNOWN if unknown else argument(rule.allocation, value, each, world))
    return False if False in answers else UNKNOWN if UNKNOWN in answers else True


def of_kind(rule, request):
    """Whether it is of a rule's kinds; of what nobody knows, a deny cannot tell where it may be."""
    if not rule.kinds or request.kind in rule.kinds:
        return True
    untold = rule.effect is Effect.DENY and request.origin == "unknown" and request.kind is None
    possible = ACCEPTS.get(request.field, frozenset()) & rule.kinds
    return UNKNOWN if untold and possible else False


def may_allow(rule, request):
    """What is not Keras's must be named; code is allowed by its digest alone."""
    if rule.lambdas or request.action == "lambda":
        return bool(rule.lambdas)
    named = bool(rule.symbols or rule.registered) and not feigned(request)
    return request.origin in ("keras", "legacy") or named


def owned(wanted, owner):
    """Whether a symbol is a distribution's, in one of the versions."""
    if owner is None:
        return UNKNOWN
    if owner.distribution != wanted.distribution or not str(wanted.versions):
        return owner.distribution == wanted.distribution
    try:
        return wanted.versions.contains(Version(owner.version), prereleases=True)
    except InvalidVersion:
        return UNKNOWN


def argument(wanted, request, each, world):
    """Whether an argument is what it should be; one that the file leaves out always is."""
    value, keys = request.arguments or {}, wanted.argument.split(".")
    if keys[0] not in value:
        return True
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    holds = shaped(wanted, value) and bounded(wanted, value, each)
    if not holds or not wanted.symbols or value is None:
        return holds
    objects = nested(request, keys, world.requests)
    if objects is UNKNOWN:
        return UNKNOWN
    return bool(objects) and each([means_one(wanted.symbols, symbol) for symbol in objects])


def shaped(wanted, value):
    """Whether a value has the type, is one of those listed, and is not too long."""
    if wanted.types and not types(value) & wanted.types:
        return False
    if wanted.one_of is not None and typed(value) not in map(typed, wanted.one_of):
        return False
    if wanted.max_length is None:
        return True
    has_length = isinstance(value, str | list | tuple | dict)
    return len(value) <= wanted.max_length if has_length else UNKNOWN


def bounded(wanted, value, each):
    """Whether a number is within the bounds; of a list, in an allow rule all, in a deny any."""
    if wanted.minimum is None and wanted.maximum is None:
        return True
    numbers = value if isinstance(value, list | tuple) else [value]
    if not all("number" in types(item) and item == item for item in numbers):  # noqa: PLR0124
        return UNKNOWN
    least = float("-inf") if wanted.minimum is None else wanted.minimum
    most = float("inf") if wanted.maximum is None else wanted.maximum
    return each([least <= item <= most for item in numbers])


def nested(request, keys, requests):
    """The objects in an argument that are in no other object there, in lists however deep."""
    found = []
    for holder in ("/config", ""):
        place = request.pointer + holder + "".join(pointer((None, key)) for key in keys)
        inside = [r for r in requests or () if r.member == request.member]
        there = [r for r in inside if f"{r.pointer}/".startswith(f"{place}/")]
        if requests is None or len(place) >= 500 or any(map(is_elided, [place, *(r.pointer for r in there)])):  # fmt: skip
            return UNKNOWN
        found += [r.symbol for r in there if not any(
            len(request.pointer) < len(other.pointer) and r.pointer.startswith(f"{other.pointer}/")
            for other in inside)]  # fmt: skip
    return found


def types(value):
    """The names that JSON Schema has for a value's type."""
    if value is None or isinstance(value, bool):
        return {"null" if value is None else "boolean"}
    if isinstance(value, int | float):
        return {"integer", "number"} if isinstance(value, int) else {"number"}
    names = {str: "string", list: "array", tuple: "array", dict: "object"}
    return {names[type(value)]}


def typed(value):
    """A value that is equal only to one of its own type: True is not 1."""
    if isinstance(value, list | tuple):
        return ("array", [typed(item) for item in value])
    if isinstance(value, dict):
        return ("object", {key: typed(item) for key, item in value.items()})
    return (isinstance(value, bool), value)


def names(rule, symbol):
    """Whether a rule or waiver names a symbol; one that names nothing names everything."""
    patterns = (*rule.symbols, *rule.registered)
    return not patterns or means_one(patterns, symbol)


def means_one(patterns, symbol):
    """Whether one of several patterns means a symbol."""
    return any(means(pattern, symbol) for pattern in patterns)


def means(pattern, symbol):
    """`package>name` with `*` for a side; or dotted, `*` for a segment, a last `**` for the rest."""
    if ">" in pattern:
        sides = zip(pattern.split(">"), symbol.split(">", 1), strict=False)
        return ">" in symbol and all(want in ("*", have) for want, have in sides)
    wanted, given = pattern.split("."), symbol.split(".")
    if wanted[-1] == "**" and len(given) >= len(wanted):
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    same_length = len(wanted) == len(given)
    return same_length and all(
        want in ("*", have) for want, have in zip(wanted, given, strict=True)
    )
