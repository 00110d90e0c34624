"""Tables of policies, as short as a test wants to write them."""

from __future__ import annotations

import json


def allow(*names, more="", id="a"):
    """An allow rule for some names, all dotted or all registered."""
    key = "registered" if ">" in names[0] else "symbols"
    return f'[[allow]]\nid = "{id}"\n{key} = {json.dumps(names)}\n{more}\n'


def deny(*names, more="", id="d"):
    """A deny rule."""
    return allow(*names, more=more, id=id).replace("[[allow]]", "[[deny]]")


def waiver(*names, expires="2027-01-01", more="", id="w"):
    """A waiver."""
    head = allow(*names, id=id).replace("[[allow]]", "[[waiver]]")
    return f'{head}who = "J"\nreason = "r"\nexpires = {expires}\n{more}\n'


def asks(symbol, expect, more="", id="t"):
    """A test of one name or of several."""
    return f'[[test]]\nid = "{id}"\nsymbol = {json.dumps(symbol)}\nexpect = "{expect}"\n{more}\n'


def asks_file(path, expect, more="", id="f"):
    """A test of a file."""
    return f'[[test]]\nid = "{id}"\nfile = {json.dumps(path)}\nexpect = "{expect}"\n{more}\n'
