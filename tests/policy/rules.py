"""Policies and decisions, as short as a test wants to write them."""

from __future__ import annotations

from plan.plans import plan

from secure_serial.policy.engine import decide
from secure_serial.policy.source import parse_policy


def policy(*rules, caller_objects="listed", extends="", settings=""):
    """A policy of these tables."""
    head = f'schema = 1\nname = "p"\ncaller_objects = "{caller_objects}"\n{settings}\n'
    if extends:
        head += f'extends = "{extends}"\n'
    return parse_policy(head + "\n".join(rules), "p.toml")


def allow(symbol, more="", id="a"):
    """An allow table."""
    key = "registered" if ">" in symbol else "symbols"
    return f'[[allow]]\nid = "{id}"\n{key} = ["{symbol}"]\n{more}'


def deny(symbol, more="", id="d"):
    """A deny table."""
    return allow(symbol, more, id).replace("[[allow]]", "[[deny]]")


def verdict(tree, rules, *callers):
    """The verdict on a value."""
    return decide(plan(tree, *callers), rules)


def first(tree, rules, *callers):
    """The decision on the outermost object of a value."""
    return verdict(tree, rules, *callers).decisions[0]
