"""What each instruction of any version becomes, as operations of `micro`."""

# ruff: noqa: D102 - a method for each instruction of the same name; what it does is the name

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.lambdas import code as c
from secure_serial.lambdas.decode import Instruction, is_jump
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.simple import COUNTED, FIXED, Op
from secure_serial.lambdas.values import NULL, Const

if TYPE_CHECKING:
    from secure_serial.lambdas.tables import Table

_BYTE = 0xFF
#: The low bits of COMPARE_OP since 3.12 (Include/internal/pycore_code.h, COMPARISON_…).
_MASKS = {"<": 2, "<=": 10, "==": 8, "!=": 7, ">": 4, ">=": 12}


def _modern(value: object) -> object:
    """A constant of Python 2: its byte strings are text, which only ASCII surely is."""
    if isinstance(value, tuple):
        return tuple(_modern(item) for item in value)
    if isinstance(value, c.FrozenSet):
        return c.FrozenSet(tuple(_modern(item) for item in value.items))
    if isinstance(value, bytes):
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise CannotLift("a byte string of Python 2 that is not ASCII") from None
    return value


def _global(name: str) -> Op:
    """A look-up by name. Before 3.9 `assert` looked up AssertionError, too."""
    return ("assertion",) if name == "AssertionError" else ("global", name)


class Instructions:
    """Translates one instruction after the other; a few look at the one before."""

    def __init__(self, code: c.Code, table: Table) -> None:
        self.code = code
        self.table = table
        self.version = table.number
        self.keywords: tuple[str, ...] | None = None
        self.cells = code.slots or code.cellvars + code.freevars
        self.locals = code.slots or code.varnames

    def ops(self, each: Instruction) -> list[Op]:
        """What one instruction becomes."""
        if self.keywords is not None and each.name not in {"PRECALL", "CALL"}:
            raise CannotLift("names of arguments that belong to no call")
        if each.name in FIXED:
            return FIXED[each.name]
        if each.name in COUNTED:
            return [(*COUNTED[each.name], each.arg)]
        if each.name == "BREAK_LOOP":
            return [("pop_iter",), ("unblock",), ("jump", each.target)]
        if is_jump(each.name):
            return self.jump(each)
        method = getattr(self, "op_" + each.name.lower(), None)
        if method is None:
            raise CannotLift(f"the instruction {each.name}")
        made: list[Op] = method(each.arg)
        return made

    def jump(self, each: Instruction) -> list[Op]:
        """A jump of any version: `test` takes the value it looks at off the stack."""
        name, to = each.name, each.target
        if name == "FOR_ITER":
            return [("for", to)]
        if "NONE" in name:
            return [("test_none", "NOT_NONE" not in name, to)]
        if name in {"JUMP_IF_FALSE_OR_POP", "JUMP_IF_TRUE_OR_POP"}:
            return [("copy", 1), ("test", "TRUE" in name, to), ("pop",)]
        if name.startswith("POP_JUMP_"):
            return [("test", "TRUE" in name, to)]
        if name in {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD"}:
            return [("jump", to)]
        raise CannotLift(f"the instruction {name}")

    @staticmethod
    def pick(table: tuple[Any, ...], index: int) -> Any:
        if index >= len(table):
            raise CannotLift("an argument that is out of range")
        return table[index]

    def op_load_const(self, arg: int) -> list[Op]:
        value = self.pick(self.code.consts, arg)
        return [("push", Const(_modern(value) if self.version < (3, 0) else value))]

    def op_load_small_int(self, arg: int) -> list[Op]:
        if arg > 255:  # noqa: PLR2004 - the range that the instruction has in CPython
            raise CannotLift("a small integer that is none")
        return [("push", Const(arg))]

    def op_load_common_constant(self, arg: int) -> list[Op]:
        values = {"None": None, "''": "", "True": True, "False": False, "-1": -1}
        name = self.pick(self.table.commons, arg)
        if name == "AssertionError":
            return [("assertion",)]
        if name not in values:
            raise CannotLift(f"the built-in {name} that no program can replace")
        return [("push", Const(values[name]))]

    def op_load_fast(self, arg: int) -> list[Op]:
        name = self.pick(self.locals, arg)
        if self.code.kinds and self.code.kinds[arg] & (c.KIND_CELL | c.KIND_FREE):
            if self.version < (3, 13):
                raise CannotLift("a cell read as a local variable")
            return [("closure", name)]
        self.check_local(name)
        return [("fast", name)]

    op_load_fast_check = op_load_fast_borrow = op_load_fast

    def op_load_fast_and_clear(self, arg: int) -> list[Op]:
        return [("save", self.pick(self.locals, arg))]

    def op_store_fast(self, arg: int) -> list[Op]:
        name = self.pick(self.locals, arg)
        if self.code.kinds and self.code.kinds[arg] & (c.KIND_CELL | c.KIND_FREE):
            # Over a cell only the one that was there before is written.
            return [("restore", name)]
        self.check_local(name)
        return [("store", name)]

    def check_local(self, name: str) -> None:
        """Before 3.11 a cell and a local of one name are two variables, which no source makes."""
        if not self.code.slots and name in self.code.cellvars:
            raise CannotLift("a cell read as a local variable")

    def op_load_fast_load_fast(self, arg: int) -> list[Op]:
        return self.op_load_fast(arg >> 4) + self.op_load_fast(arg & 15)

    op_load_fast_borrow_load_fast_borrow = op_load_fast_load_fast

    def op_store_fast_load_fast(self, arg: int) -> list[Op]:
        return self.op_store_fast(arg >> 4) + self.op_load_fast(arg & 15)

    def op_store_fast_store_fast(self, arg: int) -> list[Op]:
        return self.op_store_fast(arg >> 4) + self.op_store_fast(arg & 15)

    def cell(self, arg: int) -> str:
        name: str = self.pick(self.cells, arg)
        if self.code.kinds and not self.code.kinds[arg] & (c.KIND_CELL | c.KIND_FREE):
            raise CannotLift("a local variable read as a cell")
        return name

    def op_load_deref(self, arg: int) -> list[Op]:
        return [("deref", self.cell(arg))]

    def op_store_deref(self, arg: int) -> list[Op]:
        return [("store_deref", self.cell(arg))]

    def op_load_closure(self, arg: int) -> list[Op]:
        return [("closure", self.cell(arg))]

    def nulls(self) -> str:
        """On which side of a callable the mark stands, if at all."""
        if self.version < (3, 11):
            return ""
        return "first" if self.version < (3, 13) else "last"

    def op_load_global(self, arg: int) -> list[Op]:
        if self.version < (3, 11):
            name = self.pick(self.code.names, arg)
            if self.version < (3, 0) and name in {"True", "False"}:
                return [("push", Const(name == "True"))]
            return [_global(name)]
        ops: list[Op] = [_global(self.pick(self.code.names, arg >> 1))]
        if arg & 1:
            ops.insert(0 if self.nulls() == "first" else 1, ("push", NULL))
        return ops

    def op_load_attr(self, arg: int) -> list[Op]:
        if self.version < (3, 12):
            return [("attr", self.pick(self.code.names, arg))]
        ops: list[Op] = [("attr", self.pick(self.code.names, arg >> 1))]
        if arg & 1:
            ops.append(("push", NULL))
            if self.nulls() == "first":
                ops.append(("swap", 2))
        return ops

    def op_load_method(self, arg: int) -> list[Op]:
        return [("attr", self.pick(self.code.names, arg)), ("push", NULL), ("swap", 2)]

    def op_binary_op(self, arg: int) -> list[Op]:
        sign = self.pick(self.table.operators, arg)
        return [("subscript",)] if sign == "[]" else [("binary", sign)]

    def op_compare_op(self, arg: int) -> list[Op]:
        shift = 0 if self.version < (3, 12) else 4 if self.version < (3, 13) else 5
        sign = self.pick(self.table.comparisons, arg >> shift)
        if shift and arg & 15 != _MASKS[sign]:
            raise CannotLift("a comparison whose mask is not its operator's")
        if sign in {"exception match", "BAD"}:
            raise CannotLift("the comparison of exceptions")
        made: list[Op] = [("compare", sign)]
        return [*made, ("bool",)] if shift == 5 and arg & 16 else made  # noqa: PLR2004

    def op_is_op(self, arg: int) -> list[Op]:
        return [("compare", self.pick(("is", "is not"), arg))]

    def op_contains_op(self, arg: int) -> list[Op]:
        return [("compare", self.pick(("in", "not in"), arg))]

    @staticmethod
    def op_dup_topx(arg: int) -> list[Op]:
        return [("copy", arg)] * arg

    def op_build_map(self, arg: int) -> list[Op]:
        # Python 2's argument is only a guess at the size, and STORE_MAP adds each pair.
        return [("build", "dict", 0 if self.version < (3, 5) else arg)]

    def op_build_string(self, arg: int) -> list[Op]:
        return [("build", "str", arg)]

    def op_build_const_key_map(self, arg: int) -> list[Op]:
        return [("const_map", arg)]

    def op_build_slice(self, arg: int) -> list[Op]:
        if arg not in {2, 3}:
            raise CannotLift("a slice of unknown size")
        return [("slice", arg)]

    def op_store_map(self, _arg: int) -> list[Op]:
        # Python 2 and 3.4: [dict, value, key].
        return [("swap", 2), ("append", "dict", 1)]

    def op_list_append(self, arg: int) -> list[Op]:
        return [("append", "list", arg)]

    def op_set_add(self, arg: int) -> list[Op]:
        return [("append", "set", arg)]

    def op_map_add(self, arg: int) -> list[Op]:
        # Before 3.8 the key is on top, since then the value.
        return [*([("swap", 2)] if self.version < (3, 8) else []), ("append", "dict", arg)]

    def op_list_extend(self, arg: int) -> list[Op]:
        return [("extend", "list", arg)]

    def op_set_update(self, arg: int) -> list[Op]:
        return [("extend", "set", arg)]

    def op_dict_update(self, arg: int) -> list[Op]:
        return [("extend", "dict", arg)]

    def op_dict_merge(self, arg: int) -> list[Op]:
        return [("merge", arg)]

    def unpacked(self, kind: str, arg: int) -> list[Op]:
        # 3.5 puts into the high byte where the function stands.
        return [("join", kind, arg & 0xFF if self.version < (3, 6) else arg)]

    def op_build_list_unpack(self, arg: int) -> list[Op]:
        return self.unpacked("list", arg)

    def op_build_tuple_unpack(self, arg: int) -> list[Op]:
        return self.unpacked("tuple", arg)

    op_build_tuple_unpack_with_call = op_build_tuple_unpack

    def op_build_set_unpack(self, arg: int) -> list[Op]:
        return self.unpacked("set", arg)

    def op_build_map_unpack(self, arg: int) -> list[Op]:
        return self.unpacked("dict", arg)

    def op_build_map_unpack_with_call(self, arg: int) -> list[Op]:
        return self.unpacked("keywords", arg)

    def op_call_intrinsic_1(self, arg: int) -> list[Op]:
        name = self.pick(self.table.intrinsics, arg)
        known: dict[str, list[Op]] = {
            "INTRINSIC_UNARY_POSITIVE": [("unary", "+")],
            "INTRINSIC_LIST_TO_TUPLE": [("to_tuple",)],
        }
        if name not in known:
            raise CannotLift(f"the instruction {name}")
        return known[name]

    def op_kw_names(self, arg: int) -> list[Op]:
        self.keywords = self.pick(self.code.consts, arg)
        return []

    def op_call(self, arg: int) -> list[Op]:
        if self.keywords is not None:
            names, self.keywords = self.keywords, None
            return [("push", Const(names)), ("call_kw", arg, self.nulls())]
        return [("call", arg, self.nulls())]

    def op_call_method(self, arg: int) -> list[Op]:
        return [("call", arg, "first")]

    def op_call_kw(self, arg: int) -> list[Op]:
        return [("call_kw", arg, self.nulls())]

    def op_call_function(self, arg: int) -> list[Op]:
        if self.version < (3, 6):
            return [("call_old", arg & 0xFF, arg >> 8, False, False)]
        return [("call", arg, "")]

    def op_call_function_var(self, arg: int) -> list[Op]:
        self.check_order(arg)
        return [("call_old", arg & 0xFF, arg >> 8, True, False)]

    def check_order(self, arg: int) -> None:
        if self.version >= (3, 0) and arg > _BYTE:
            raise CannotLift("keywords beside a star in Python 3.5")

    def op_call_function_kw(self, arg: int) -> list[Op]:
        if self.version < (3, 6):
            return [("call_old", arg & 0xFF, arg >> 8, False, True)]
        return [("call_kw", arg, "")]

    def op_call_function_var_kw(self, arg: int) -> list[Op]:
        self.check_order(arg)
        return [("call_old", arg & 0xFF, arg >> 8, True, True)]

    def op_call_function_ex(self, arg: int) -> list[Op]:
        return [("call_ex", self.version >= (3, 14) or bool(arg & 1), self.nulls())]

    def op_make_function(self, arg: int) -> list[Op]:
        if self.version >= (3, 13):
            return [("make", False, 0)]
        if self.version >= (3, 6):
            return [("make", self.version < (3, 11), arg)]
        if arg > _BYTE:
            raise CannotLift("keyword-only defaults of Python 3.5")
        return [("make_old", self.version >= (3, 5), arg, False)]

    def op_make_closure(self, arg: int) -> list[Op]:
        if arg > _BYTE:
            raise CannotLift("keyword-only defaults of Python 3.5")
        return [("make_old", self.version >= (3, 5), arg, True)]

    def op_set_function_attribute(self, arg: int) -> list[Op]:
        return [("set_function", arg)]

    def op_format_value(self, arg: int) -> list[Op]:
        return [("format", arg & 3, bool(arg & 4))]

    def op_convert_value(self, arg: int) -> list[Op]:
        if arg not in {1, 2, 3}:
            raise CannotLift("an unknown conversion")
        return [("convert", arg)]

    def op_get_iter(self, _arg: int) -> list[Op]:
        return [("iter", 2 if self.version >= (3, 15) else 1)]

    def op_unpack_sequence(self, arg: int) -> list[Op]:
        return [("unpack", arg)]

    def op_unpack_ex(self, arg: int) -> list[Op]:
        return [("unpack_ex", arg & 0xFF, arg >> 8)]

    def op_import_name(self, arg: int) -> list[Op]:
        if self.version >= (3, 15):
            # The low bits say whether the import may be lazy (PEP 810); 2 is what functions have.
            if arg & 3 != 2:  # noqa: PLR2004
                raise CannotLift("a lazy import")
            arg >>= 2
        return [("import", self.pick(self.code.names, arg))]

    def op_import_from(self, arg: int) -> list[Op]:
        return [("import_from", self.pick(self.code.names, arg))]

    @staticmethod
    def op_raise_varargs(arg: int) -> list[Op]:
        if arg != 1:
            raise CannotLift("a raise of anything but one exception")
        return [("raise",)]

    def op_return_const(self, arg: int) -> list[Op]:
        return [("push", Const(self.pick(self.code.consts, arg))), ("return",)]
