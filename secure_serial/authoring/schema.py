"""The policy format as a JSON Schema, for editors, made of the model's own words.

It says what a JSON Schema can say; the reader says the rest (ids that are used twice, what
cannot be extended, a whole number written `2.0`). Nothing is decided by it. TOML has dates
and JSON has none: editors show a schema a date as text, so a day has the type `string` and
the format `date` here, and a day in quotes, which the reader refuses, passes.

The order of the keys is the one that `policy fmt` writes them in.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, TypeAlias, cast

from secure_serial.artifact.document import Format
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.policy.constraints import TYPES
from secure_serial.policy.model import (
    ABOVE,
    WAIVABLE,
    AuditDemand,
    CallerObjects,
    Effect,
    Evaluation,
    Lambdas,
    Mode,
    WaiverTerms,
)
from secure_serial.policy.reader import MAX_WAIVER_DAYS, SCHEMA
from secure_serial.policy.sandboxing import MOST_SECONDS
from secure_serial.sandbox.allowance import Allowance, Wall

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

Schema: TypeAlias = "dict[str, object]"

# As `policy.patterns` judges them, in words of ECMA-262.
_SYMBOL = r"[^.*]+(?:\.(?:[^.*]+|\*))*(?:\.\*\*)?"
_REGISTERED = r"(?:[^>*]+>(?:[^>*]+|\*)|\*>[^>*]+)"
_PACKAGE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_DIGEST = "[0-9a-f]{64}"
_KEY = "ed25519:[A-Za-z0-9+/]{43}="


def schema() -> Schema:
    """The schema of a policy file.

    >>> list(schema()["properties"])[:3]
    ['schema', 'name', 'version']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A policy of secure_serial, schema {SCHEMA}",
        "description": "What may be built from a Keras file; what no rule allows is denied.",
        **_table(_top(), ["schema"]),
        # A report ends on a day, and nothing else does.
        "if": {"properties": {"mode": {"const": Mode.REPORT.value}}, "required": ["mode"]},
        "then": {"required": ["report_until"]},
        "else": {"properties": {"report_until": False}},
        "$defs": {
            **{effect.value: _rule(effect) for effect in Effect},
            "waiver": _waiver(),
            "test": _test(),
            "condition": _table(_condition()),
            "evidence": _table(_evidence(), ["tool", "source_sha256", "date"]),
        },
    }


def schema_text() -> str:
    r"""The schema as it is printed and shipped.

    >>> schema_text().endswith("}\n")
    True
    """
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def key_order(*names: str) -> tuple[str, ...]:
    """The keys of the policy, or of a table of `$defs`, in their order.

    >>> key_order("deny")[:3]
    ('id', 'reason', 'symbols')
    """
    table = schema()
    for name in names:
        table = _inside(table, "$defs", name)
    return tuple(_inside(table, "properties"))


def _inside(table: Schema, *names: str) -> Schema:
    for name in names:
        table = cast("Schema", table[name])
    return table


def _top() -> Schema:
    return {
        "schema": {"const": SCHEMA, "description": "The version of the format."},
        "name": _text("How reports and records name the policy; else its path."),
        "version": _whole("Of this policy; counts up.", 1, 1),
        "description": _text("What it is for."),
        "expires": _day("Past this day the policy as a whole is refused."),
        "extends": _one_or_list(
            {"type": "string", "minLength": 1},
            f'Shipped policies; in a layer below the first also "{ABOVE}": what the layers '
            "above let pass.",
        ),
        "delegate": _list(
            _pattern(_SYMBOL, _REGISTERED), "Names that the layer below may allow by itself."
        ),
        "caller_objects": _word(
            CallerObjects, "Whether what the program itself registered or passed must be named."
        ),
        "audit": _word(AuditDemand, "Whether nothing loads without a durable log."),
        "lambda": _word(Lambdas, "What becomes of functions whose code stands in the file."),
        "mode": _word(Mode, "Whether what no rule allows is denied, or let pass and reported."),
        "report_until": _day('Past this day, mode = "report" is "enforce" again.'),
        "require_evidence": _flag(
            "Whether an allow rule for a class that is not Keras's needs evidence."
        ),
        **_tables(),
        **{
            name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}
            for name in (*(effect.value for effect in Effect), "waiver", "test")
        },
    }


def _tables() -> Schema:
    days = _whole("How many days ahead a waiver may expire.", 0, WaiverTerms().max_days)
    return {
        "limits": _table(_limits()) | {"description": "Bounds that hold before any rule."},
        "sandbox": _table(_sandbox()) | {"description": "How functions from the file run."},
        "waivers": _table(
            {
                "max_days": days | {"maximum": MAX_WAIVER_DAYS},
                "below": _flag("Whether layers below may waive what this one denies by default."),
            }
        )
        | {"description": "What waivers may do."},
        "trust": _table(_trust(), ["keys"])
        | {"description": "Who must have signed the policies that are given by path."},
    }


def _limits() -> Schema:
    return {
        each.name: {"type": "integer", "minimum": 1, "default": each.default}
        for each in dataclasses.fields(Limits)
    }


def _sandbox() -> Schema:
    count: Schema = {"type": "integer", "minimum": 1}
    seconds: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SECONDS}
    bounds: Schema = {
        each.name: {
            **(seconds if isinstance(each.default, float) else count),
            "default": each.default,
        }
        for each in dataclasses.fields(Allowance)
    }
    return {
        "evaluation": _word(Evaluation, "In the program's own process, or behind walls."),
        "demand": _list({"enum": [wall.value for wall in Wall]}, "Walls that must be there."),
        **bounds,
    }


def _trust() -> Schema:
    keys = _list(_matching(_KEY), "The public keys of those whose signatures count.")
    return {
        "keys": keys | {"minItems": 1},
        "threshold": _whole("How many of them must have signed.", 1, 1),
        "minimum_version": _whole("An older policy than this is refused.", 0, 0),
    }


def _rule(effect: Effect) -> Schema:
    allow = effect is Effect.ALLOW
    properties: Schema = {
        "id": _identifier(),
        "reason": _text("Why, and who looked."),
        "symbols": _symbols(),
        "registered": _registered(),
        "from": _matching(rf"\s*{_PACKAGE}\s*(?:\(?\s*[<>=!~].*)?")
        | {"description": "The distribution that owns the symbol, such as keras>=3.10,<4."},
        "kinds": _list({"enum": _values(Kind)}, "What the symbol is."),
        "fields": _list({"enum": _values(Field)}, "Where it stands."),
        "formats": _list({"enum": _values(Format)}, "How the file was stored."),
        "sha256": _digests("Digests of the artefact."),
        "lambdas": _digests("Digests of the lambdas that may run."),
        "arguments": {
            "type": "object",
            "propertyNames": {"pattern": r"^[^.]+(?:\.[^.]+)*$"},
            "additionalProperties": {"$ref": "#/$defs/condition"},
            "description": "What the arguments must be.",
        },
        "allocation": _table({"min": _number("In bytes."), "max": _number("In bytes.")})
        | {"minProperties": 1, "description": "The bytes of variables that it would make."},
        "evidence": {"$ref": "#/$defs/evidence"},
    }
    if not allow:
        del properties["lambdas"]
    given = ["lambdas"] if allow else ["kinds", "fields", "sha256"]
    return _table(_filled(properties), ["id"]) | _any_of(["symbols", "registered", *given])


def _condition() -> Schema:
    properties: Schema = {
        "type": _one_or_list({"enum": list(TYPES)}, "The JSON type of the value."),
        "min": _number("The least that the number, or each of a list, may be."),
        "max": _number("The most that the number, or each of a list, may be."),
        "max_length": _whole("Of a text, a list or an object.", 0),
        "one_of": {"type": "array", "description": "The values that are meant."},
        "path": _flag("In an allow rule: the argument may look like a path or a URL."),
        "symbol": _one_or_list(
            _pattern(_SYMBOL, _REGISTERED), "The object that is nested there is one of these."
        ),
    }
    return _filled(properties, but="one_of")


def _evidence() -> Schema:
    return {
        "tool": _text("What looked at the source, with its version.") | {"pattern": r"\S"},
        "source_sha256": _matching(_DIGEST) | {"description": "The digest of the source."},
        "findings": _whole("How much it found.", 0, 0),
        "date": _day("On which day."),
    }


def _waiver() -> Schema:
    properties: Schema = {
        "id": _identifier(),
        "who": _text("Who answers for it.") | {"pattern": r"\S"},
        "reason": _text("Why.") | {"pattern": r"\S"},
        "expires": _day("The last day on which it counts."),
        "symbols": _symbols(),
        "registered": _registered(),
        "sha256": _digests("Digests of the artefact."),
        "codes": _list({"enum": list(WAIVABLE)}, "What is waived."),
    }
    needed = ["id", "who", "reason", "expires"]
    return _table(_filled(properties), needed) | _any_of(("symbols", "registered", "sha256"))


#: What only some ways to say what is tested take.
_TAKES = {
    "file": frozenset[str](),
    "config": frozenset({"field", "format", "sha256", "bytes"}),
    "symbol": frozenset(
        {"registered", "kind", "field", "arguments", "from", "source_sha256", "format", "sha256"}
    ),
}


def _test() -> Schema:
    name = _pattern(r"[^.*>]+(?:\.[^.*>]+)*", r"[^>*]+>[^>*]+")
    properties: Schema = {
        "id": _identifier(),
        "file": _text("A model, by its path from the policy's folder.") | {"minLength": 1},
        "config": {"type": ["object", "string"], "description": "A config, or a text of JSON."},
        "symbol": _one_or_list(name, "Requests alone, by their names."),
        "registered": _matching(r"[^>*]+>[^>*]+") | {"description": "Its registered name."},
        "kind": _word(Kind, "What the program's own object is."),
        "field": _word(Field, "Where it stands."),
        "arguments": {"type": "object", "description": "What it is called with."},
        "from": _matching(rf"\s*{_PACKAGE}\s*==.+") | {"description": "Whose it is: acme==1.2."},
        "source_sha256": _digest("The digest of its source."),
        "format": _word(Format, "How the file is stored."),
        "sha256": _digest("The digest of the artefact."),
        "bytes": _whole("A config is padded to this size.", 1),
        "expect": _word(Effect, "What must come out."),
        "code": _text("The code of the denial."),
        "rules": _list({"type": "string"}, "The ids of the rules that decide."),
        "today": _day("The day on which it is asked."),
    }
    some = frozenset(_TAKES).union(*_TAKES.values())
    ways = [
        {"required": [way], "properties": dict.fromkeys(sorted(some - takes - {way}), False)}
        for way, takes in _TAKES.items()
    ]
    return _table(properties, ["id", "expect"]) | {"oneOf": ways}


# The parts that these are made of.


def _table(properties: Schema, required: Iterable[str] = ()) -> Schema:
    needed: Schema = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def _filled(properties: Schema, but: str = "") -> Schema:
    """The same, with something in every list: one of nothing is no condition, but a mistake."""
    for name, each in cast("dict[str, Schema]", properties).items():
        for form in (each, *cast("list[Schema]", each.get("anyOf", []))):
            if form.get("type") == "array" and name != but:
                form["minItems"] = 1
    return properties


def _any_of(names: Iterable[str]) -> Schema:
    """At least one of these lists is there, with something in it."""
    given = [
        {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}
        for name in names
    ]
    return {"anyOf": given}


def _text(about: str) -> Schema:
    return {"type": "string", "description": about}


def _identifier() -> Schema:
    return _text("Names it in decisions and records; unique.") | {"pattern": r"\S"}


def _flag(about: str) -> Schema:
    return {"type": "boolean", "default": False, "description": about}


def _number(about: str) -> Schema:
    return {"type": "number", "description": about}


def _whole(about: str, least: int, default: int | None = None) -> Schema:
    usual: Schema = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": least, **usual, "description": about}


def _day(about: str) -> Schema:
    return {"type": "string", "format": "date", "description": f"{about} Without quotes."}


def _values(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]


def _word(words: type[StrEnum], about: str) -> Schema:
    return {"enum": _values(words), "description": about}


def _matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _pattern(*patterns: str) -> Schema:
    return _matching(f"(?:{'|'.join(patterns)})")


def _list(items: Schema, about: str) -> Schema:
    return {"type": "array", "items": items, "description": about}


def _one_or_list(item: Schema, about: str) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}], "description": about}


def _symbols() -> Schema:
    about = "Canonical symbols: acme.layers.Block, acme.layers.*, acme.**"
    return _list(_matching(_SYMBOL), about)


def _registered() -> Schema:
    return _list(_matching(_REGISTERED), "Registered names: acme>Block, acme>*")


def _digest(about: str) -> Schema:
    return _matching(f"(?:sha256:)?{_DIGEST}") | {"description": about}


def _digests(about: str) -> Schema:
    return _list(_matching(f"(?:sha256:)?{_DIGEST}"), about)
