"""Plans of values, as short as a test wants to write them."""

from __future__ import annotations

from secure_serial.artifact.document import Document, Format, Part, Role
from secure_serial.data import catalogue
from secure_serial.limits import Limits
from secure_serial.plan.fields import Field, Kind
from secure_serial.plan.request import CallerObject
from secure_serial.plan.walker import make_plan

FUNCTION_KINDS = frozenset(
    {Kind.ACTIVATION, Kind.INITIALIZER, Kind.REGULARIZER, Kind.CONSTRAINT, Kind.LOSS, Kind.METRIC,
     Kind.FUNCTION}
)  # fmt: skip


def document(*roots, role=Role.MODEL):
    """A document of these values."""
    parts = tuple(Part(role, "", root) for root in roots)
    return Document("<test>", Format.DICT, "0" * 64, parts)


def plan(root, *callers, limits=None, field=Field.ROOT, role=Role.MODEL, safe_mode=False):
    """The plan of one value, where the program has these objects of its own."""
    known = {caller.name: caller for caller in callers}
    return make_plan(
        document(root, role=role),
        catalogue=catalogue(),
        callers=known,
        limits=limits or Limits(),
        root=field,
        safe_mode=safe_mode,
    )


def only(root, *callers, **options):
    """The one request of a value."""
    (request,) = plan(root, *callers, **options).requests
    return request


def at(root, pointer, *callers, **options):
    """The request that the node at a pointer makes."""
    (found,) = [r for r in plan(root, *callers, **options).requests if r.pointer == pointer]
    return found


def codes(root, *callers, **options):
    """Every objection's code, the document's own included."""
    found = plan(root, *callers, **options)
    own = [o.code for o in found.objections]
    return own + [o.code for request in found.requests for o in request.objections]


def node(module, class_name, config=None, registered=None, **rest):
    """A node as Keras 3 writes it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": {} if config is None else config,
        "registered_name": registered,
        **rest,
    }


def layer(class_name, **config):
    """A layer of Keras 3."""
    return node("keras.layers", class_name, config)


def sequential(*layers):
    """A stack of layers."""
    return node("keras", "Sequential", {"name": "stack", "layers": list(layers)})


def caller_class(name="acme>Block", *bases, kinds=(), module="acme.blocks"):
    """A class that the program registered."""
    qualname = name.rpartition(">")[2]
    return CallerObject(name, qualname, module, True, frozenset(kinds), bases, "global")


def caller_function(name="acme>swish", module="acme.functions"):
    """A function that the program registered."""
    qualname = name.rpartition(">")[2]
    return CallerObject(name, qualname, module, False, FUNCTION_KINDS, (), "global")


BLOCK = caller_class("acme>Block")
LAYER = caller_class("acme>Layer", "keras.Layer", kinds=(Kind.LAYER, Kind.OPERATION))
SWISH = caller_function("acme>swish")
