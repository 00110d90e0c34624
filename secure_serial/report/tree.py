"""The picture of what a file would build: one line an object, with the policy's word on it.

Objects that only parameterize a layer (initializers, policies of types) are counted, not
drawn, unless they are denied or all is asked for; runs of equal lines are drawn once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from secure_serial.plan.fields import Kind
from secure_serial.plan.request import Action, Origin
from secure_serial.report.model import Status
from secure_serial.report.printable import printable
from secure_serial.report.style import Style
from secure_serial.report.weights import assets_line, size, weights_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secure_serial.artifact.document import Json
    from secure_serial.policy.engine import Decision, Verdict

#: Arguments that tell layers apart at a glance, in the order in which they are shown.
_KEY_ARGUMENTS = (
    "units", "filters", "kernel_size", "strides", "pool_size", "size", "input_dim",
    "output_dim", "num_heads", "key_dim", "rate", "axis", "target_shape", "batch_shape",
    "batch_input_shape", "activation", "padding", "learning_rate", "l1", "l2", "function",
)  # fmt: skip
_MOST_ARGUMENTS = 4
_VALUE_WIDTH = 40
_SOURCE_WIDTH = 160
#: What is drawn by default; other kinds are parameters of these.
_DRAWN = frozenset({Kind.LAYER, Kind.MODEL, Kind.OPERATION, Kind.OPTIMIZER, Kind.LOSS, Kind.METRIC})
#: Equal neighbours from this number on are drawn once.
_RUN = 3


class _Node(NamedTuple):
    """One line of the picture, and what is below it."""

    decision: Decision
    text: str
    children: list[_Node]
    shape: tuple[object, ...]  # equal for nodes that would look the same but for their names


class Options(NamedTuple):
    """What to draw."""

    depth: int | None = None  # levels below the root; None for all
    everything: bool = False  # initializers and their like, too, and no runs drawn once


def render(verdict: Verdict, style: Style | None = None, options: Options | None = None) -> str:
    """The whole picture, with the file's own facts above and what is stored below."""
    style, options = style or Style(), options or Options()
    document = verdict.plan.document
    lines = [style.paint(printable(document.name, 400), "bold"), f"  {_facts(verdict)}"]
    for member in dict.fromkeys(d.request.member for d in verdict.decisions):
        decisions = [d for d in verdict.decisions if d.request.member == member]
        if member:
            lines.append(f"  {printable(member)}")
        roots = _roots(decisions, style, options)
        lines += (f"  {line}" for line in _draw(roots, style, options))
    lines += [f"  {line}" for line in (weights_line(document), assets_line(document)) if line]
    denied = style.mark(Status.DENIED)
    lines += (f"  {denied} {o.code} {printable(o.detail)}" for o in verdict.plan.objections)
    lines.append(_closing(verdict, style))
    return "\n".join(lines)


def _facts(verdict: Verdict) -> str:
    document, plan = verdict.plan.document, verdict.plan
    facts = [document.format.value, size(document.size)]
    if document.keras_version:
        facts.append(f"Keras {printable(document.keras_version)}")
    facts.append(f"{plan.layers} layers")
    if plan.allocation:
        facts.append(f"about {size(plan.allocation)} to build")
    return ", ".join(facts)


def _closing(verdict: Verdict, style: Style) -> str:
    policy = printable(verdict.policy.name)
    total = len(verdict.decisions)
    if verdict.allowed:
        return f"{style.mark(Status.ALLOWED)} {total} requests, all allowed by {policy}"
    wrong = len(verdict.denied) + len(verdict.objections)
    return f"{style.mark(Status.DENIED)} {total} requests, {wrong} denied by {policy}"


# The tree.


def _roots(decisions: Sequence[Decision], style: Style, options: Options) -> list[_Node]:
    """Requests come in document order with their depth, which is a tree written flat."""
    roots: list[_Node] = []
    path: list[tuple[int, _Node]] = []
    for decision in decisions:
        depth = decision.request.depth
        while path and path[-1][0] >= depth:
            path.pop()
        if not _is_drawn(decision, options):
            continue
        node = _Node(decision, _line(decision, style), [], _shape(decision))
        (path[-1][1].children if path else roots).append(node)
        path.append((depth, node))
    return roots


def _is_drawn(decision: Decision, options: Options) -> bool:
    kind = decision.request.kind
    return options.everything or not decision.allowed or kind is None or kind in _DRAWN


def _shape(decision: Decision) -> tuple[object, ...]:
    request = decision.request
    return (
        request.symbol, decision.effect, decision.code, request.origin, _arguments(decision),
        request.digest,
    )  # fmt: skip


def _draw(roots: Sequence[_Node], style: Style, options: Options) -> Iterator[str]:
    """The lines, with a stack: hostile configs nest as deep as the limits allow."""
    tee, corner = style.symbol("├─ ", "|- "), style.symbol("└─ ", "`- ")
    bar, gap = style.symbol("│  ", "|  "), "   "
    stack: list[tuple[_Node | str, str, str, int]] = []

    def push(nodes: Sequence[_Node], prefix: str, level: int) -> None:
        rows = _rows(nodes, style, options)
        for index in range(len(rows) - 1, -1, -1):
            mine, below = (corner, gap) if index == len(rows) - 1 else (tee, bar)
            stack.append((rows[index], prefix + mine, prefix + below, level))

    push(roots, "", 0)
    while stack:
        row, lead, prefix, level = stack.pop()
        yield lead + (row if isinstance(row, str) else row.text)
        if isinstance(row, str) or not row.children:
            continue
        if options.depth is not None and level >= options.depth:
            more = style.symbol("…", "...")
            yield f"{prefix}{corner}{more} {_size(row)} more below"
        else:
            push(row.children, prefix, level + 1)


def _rows(nodes: Sequence[_Node], style: Style, options: Options) -> list[_Node | str]:
    """Neighbours that look the same, drawn once and counted."""
    rows: list[_Node | str] = []
    start = 0
    while start < len(nodes):
        end = start + 1
        while end < len(nodes) and _alike(nodes[start], nodes[end]):
            end += 1
        more = end - start - 1
        if more + 1 >= _RUN and not options.everything:
            rows += [nodes[start], f"{style.symbol('…', '...')} {more} more like it"]
        else:
            rows += nodes[start:end]
        start = end
    return rows


def _alike(one: _Node, other: _Node) -> bool:
    """Whether two nodes would be drawn the same. Those with children are drawn, each."""
    return not one.children and not other.children and one.shape == other.shape


def _size(node: _Node) -> int:
    count = 0
    stack = list(node.children)
    while stack:
        child = stack.pop()
        count += 1
        stack += child.children
    return count


# One line.


def _line(decision: Decision, style: Style) -> str:
    request = decision.request
    mark = style.mark(Status.ALLOWED if decision.allowed else Status.DENIED)
    symbol = style.paint(printable(request.symbol), "bold" if request.kind else "yellow")
    name = f"{printable(request.name, 80)}  " if request.name else ""
    arguments = _arguments(decision)
    text = f"{mark} {name}{symbol}" + (f"  {arguments}" if arguments else "")
    if request.action is Action.LAMBDA:
        text += "".join(f"  {printable(note, _SOURCE_WIDTH)}" for note in request.notes)
    elif request.origin is not Origin.KERAS:
        text += f"  [{request.origin.value}]"
    if not decision.allowed:
        reason = f"{decision.code} {printable(decision.reason, 120)}"
        text += f"  {style.paint(reason, 'red')}"
    return text


def _arguments(decision: Decision) -> str:
    given = decision.request.arguments or {}
    shown = []
    for name in _KEY_ARGUMENTS:
        text = _value(given.get(name))
        if text:
            shown.append(f"{name}={text}")
        if len(shown) == _MOST_ARGUMENTS:
            break
    return ", ".join(shown)


def _value(value: Json) -> str:
    """A short value as text; objects by their class; empty for what says nothing."""
    if value is None or isinstance(value, bool) or value in ("linear", "valid"):
        return ""
    if isinstance(value, dict):
        name = value.get("class_name")
        return printable(name, _VALUE_WIDTH) if isinstance(name, str) else ""
    if isinstance(value, list | tuple):
        items = list(value[:6])
        if any(isinstance(item, dict | list | tuple) for item in items):
            return ""
        inner = ", ".join("None" if i is None else printable(str(i), 12) for i in items)
        return f"({inner}{', …' if len(value) > len(items) else ''})"
    return printable(str(value), _VALUE_WIDTH)
