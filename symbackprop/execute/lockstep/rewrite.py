"""The rewriting of a kernel: barriers become ``yield``, names of the device become the emulator's, int32 arithmetic is checked.

What a kernel's text says is kept line by line, so that errors and tracebacks show the lines that were written. Changed are:

- calls of ``cuda.syncthreads``, ``cuda.syncwarp``, ``cuda.shfl_*_sync`` and votes, and ``.sync()`` on a name bound to
  ``cuda.cg.this_grid()``: ``yield`` of a `Site` (with arguments: of a tuple that begins with one); a called device function that
  holds barriers is entered by ``yield from``;
- ``cuda`` itself: a hidden first parameter, one object a thread;
- ``cuda.shared.array`` and ``cuda.local.array``: a request for the array of that place in the text;
- float literals: float64, as they are to a compiler; an integer beside a float32 likewise;
- sums, differences, products and shifts of int32 values: checked once at the root of such an expression. That finds every overflow
  that changes a value, since these operations are exact modulo 2^32; a root that is an index is left to the check of the bounds.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

import numpy as np

from symbackprop.execute.lockstep.arrays import Constant
from symbackprop.execute.lockstep.errors import MARK, IntegerOverflowError, KernelTextError, SharedMemoryError, place, quote
from symbackprop.execute.lockstep.numbers import MATH, TYPES, IntegerType, type_named
from symbackprop.execute.lockstep.vectors import TILES, ld4, st4

__all__ = ["SHARED_LIMIT", "STATIC_LIMIT", "Kernel", "Place", "Site", "kernel"]

#: Bytes of static shared memory that a block may have.
STATIC_LIMIT: Final = 49_152
#: Bytes of shared memory that a block may have in all (compute capability 9.0, opted in).
SHARED_LIMIT: Final = 232_448

_BLOCK = {"syncthreads", "syncthreads_count", "syncthreads_and", "syncthreads_or"}
_WARP = {
    "syncwarp",
    "shfl_sync",
    "shfl_up_sync",
    "shfl_down_sync",
    "shfl_xor_sync",
    "ballot_sync",
    "all_sync",
    "any_sync",
}
_PLAIN = {
    "threadIdx",
    "blockIdx",
    "blockDim",
    "gridDim",
    "grid",
    "gridsize",
    "laneid",
    "warpsize",
    "threadfence",
    "threadfence_block",
    "threadfence_system",
    "atomic",
    "const",
    "cg",
}
_RING = (ast.Add, ast.Sub, ast.Mult, ast.LShift)
_DEVICE = "_lockstep_cuda"


@dataclass(frozen=True)
class Site:
    """A barrier in the text of a kernel: what is called, where, and who has to arrive (``block``, ``warp`` or ``grid``)."""

    call: str
    scope: str
    function: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.call}() in line {self.line}"

    @property
    def removable(self) -> bool:
        """Whether it only orders: a shuffle or a vote carries values, so a kernel without it means nothing."""
        return self.call in ("syncthreads", "syncwarp", "sync")


@dataclass(frozen=True)
class Place:
    """A ``cuda.shared.array`` or ``cuda.local.array`` in the text of a kernel; shape ``(0,)`` is dynamic shared memory."""

    name: str
    space: str
    function: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    line: int
    column: int

    @property
    def bytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def overflow(value: int) -> int:
    """Raise for a value that int32 arithmetic cannot hold."""
    raise IntegerOverflowError(f"{place()}: int32 arithmetic gives {value}{quote()}")


def _dotted(node: ast.expr) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def _is_cuda(name: str, value: object) -> bool:
    """Whether a global name means the module ``cuda``: it is called so, or is bound to one of Numba's modules of that name."""
    return name == "cuda" or (isinstance(value, ModuleType) and value.__name__.startswith("numba") and value.__name__.endswith(".cuda"))


@dataclass
class _Text:
    """One function: its tree and the names it sees."""

    name: str
    tree: ast.FunctionDef
    file: str
    names: dict[str, Any]


def _plain(function: Any) -> FunctionType:
    plain = getattr(function, "py_func", function)
    if not isinstance(plain, FunctionType):
        raise KernelTextError(f"{function!r} is no kernel: a Python function, or what cuda.jit makes of one, is wanted")
    return plain


def _read(given: Any) -> _Text:
    function = _plain(given)
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise KernelTextError(f"the source of kernel {function.__name__!r} is not at hand; load it from a file") from None
    # Empty lines before it, so that its nodes have the lines of the file.
    tree = ast.parse("\n" * (first - 1) + textwrap.dedent("".join(lines))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise KernelTextError(f"kernel {function.__name__!r} is no plain def")
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        names[name] = cell.cell_contents
    return _Text(function.__name__, tree, inspect.getsourcefile(function) or "<kernel>", names)


def _assigned(tree: ast.FunctionDef) -> set[str]:
    own = {a.arg for a in (*tree.args.posonlyargs, *tree.args.args)}
    return own | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


# Kinds of values: "i32", "int" (64 bits), "literal" (an integer that takes the kind of what is beside it), "u64", "f32", "f64", "bool",
# "[f32]" and the like for arrays; None is unknown.
_NARROW = {"int32": "i32", "int64": "int", "float32": "f32", "float64": "f64", "boolean": "bool", "bool": "bool"}
_INTEGERS = {"i32", "int", "literal", "u64"}


def kind_name(value: object) -> str | None:
    """The kind of a type, for `_Kinds`."""
    if isinstance(value, IntegerType):
        return _NARROW.get(value.name, "int" if value.signed else "u64")
    if value is np.float32:
        return "f32"
    if value is np.float64:
        return "f64"
    return "bool" if value is np.bool_ else None


def _join(a: str | None, b: str | None) -> str | None:
    """The kind of a value that is of kind a here and b there, or of a sum of both; ``?`` is a name whose kind is not known yet."""
    if a == b or b == "?":
        return a
    if a == "?":
        return b
    pair = {a, b}
    if None in pair or "bool" in pair or any(k is not None and k.startswith("[") for k in pair):
        return None
    if pair <= _INTEGERS:
        if "u64" in pair:
            return "u64"
        return "int" if "int" in pair else "i32"
    return "f64"


class _Kinds:
    """What the text tells about the types of values: names by their assignments, expressions from names."""

    def __init__(
        self, text: _Text, arguments: Mapping[str, str | None], calls: dict[tuple[FunctionType, tuple[str | None, ...]], str | None]
    ) -> None:
        self.text, self.calls = text, calls
        self.local = _assigned(text.tree)
        parameters = {a.arg: arguments.get(a.arg) for a in (*text.tree.args.posonlyargs, *text.tree.args.args)}
        unknown: dict[str, str | None] = dict.fromkeys(self.local, "?")
        self.names = unknown | parameters
        nodes = [n for n in ast.walk(text.tree) if isinstance(n, (ast.Assign, ast.AugAssign, ast.For, ast.NamedExpr))]
        while True:  # kinds only widen, so this ends
            seen: dict[str, str | None] = {}
            for node in nodes:
                self.meet(node, seen)
            found = {n: _join(self.names[n], k) for n, k in seen.items() if n in self.names}
            if all(self.names[n] == k for n, k in found.items()):
                break
            self.names |= found
        self.names = {n: None if k == "?" else k for n, k in self.names.items()}

    def meet(self, node: ast.AST, seen: dict[str, str | None]) -> None:
        def bind(target: ast.expr, kind: str | None) -> None:
            if isinstance(target, ast.Name):
                seen[target.id] = _join(seen[target.id], kind) if target.id in seen else kind
            elif isinstance(target, ast.Tuple):
                for part in target.elts:
                    bind(part, kind)

        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(target.elts) == len(node.value.elts):
                    for t, v in zip(target.elts, node.value.elts, strict=True):
                        bind(t, self.of(v))
                elif isinstance(target, ast.Tuple):
                    bind(target, self.of_parts(node.value))
                else:
                    bind(target, self.of(node.value))
        elif isinstance(node, ast.AugAssign):
            bind(node.target, self.of(ast.BinOp(node.target, node.op, node.value)))
        elif isinstance(node, ast.For):
            kind: str | None = None
            if isinstance(node.iter, ast.Call) and _dotted(node.iter.func) == ("range",) and node.iter.args:
                kinds = [self.of(a) for a in node.iter.args]
                kind = kinds[0]
                for other in kinds[1:]:
                    kind = _join(kind, other)
            bind(node.target, kind)
        elif isinstance(node, ast.NamedExpr):
            bind(node.target, self.of(node.value))

    def of_parts(self, node: ast.expr) -> str | None:
        """The kind of each part of a tuple that a call gives: places in the grid, or four neighbours of an array."""
        if not isinstance(node, ast.Call):
            return None
        if self.device(_dotted(node.func))[:1] in (("grid",), ("gridsize",)):
            return "i32"
        array = self.of(node.args[0]) if len(node.args) == 2 else None
        return array[1:-1] if array is not None and array.startswith("[") and array != "[None]" else array if array == "?" else None

    def device(self, dotted: tuple[str, ...]) -> tuple[str, ...]:
        """The part of a dotted name behind ``cuda``; empty if it does not begin there."""
        if len(dotted) > 1 and dotted[0] not in self.local and _is_cuda(dotted[0], self.text.names.get(dotted[0])):
            return dotted[1:]
        return ()

    def type_of(self, dotted: tuple[str, ...]) -> Any:
        """The kernel type that a dotted name means, or None."""
        if not dotted or dotted[0] in self.local:
            return None
        if len(dotted) == 1:
            found = self.text.names.get(dotted[0])
            if found is None and dotted[0] in ("float", "int", "bool"):
                return {"float": np.float64, "int": TYPES["int64"], "bool": np.bool_}[dotted[0]]
            return None if found is None else type_named(found)
        if len(dotted) == 2 and isinstance(module := self.text.names.get(dotted[0]), ModuleType):
            return type_named(getattr(module, dotted[1], None))
        return None

    def of(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return {bool: "bool", int: "literal", float: "f64"}.get(type(node.value))
        if isinstance(node, ast.Name):
            if node.id in self.local:
                return self.names.get(node.id)
            value = self.text.names.get(node.id)
            if isinstance(value, np.ndarray):
                return f"[{kind_name(type_named(value.dtype.type))}]"
            known = {bool: "bool", int: "literal", float: "f64", np.float32: "f32", np.float64: "f64", np.int32: "i32"}
            return known.get(type(value))
        if isinstance(node, ast.Call):
            dotted = _dotted(node.func)
            if (found := self.type_of(dotted)) is not None:
                return kind_name(found)
            if (where := self.device(dotted)) in (("shared", "array"), ("local", "array")):
                for value in (*node.args[1:2], *(k.value for k in node.keywords if k.arg == "dtype")):
                    return f"[{kind_name(self.type_of(_dotted(value)))}]"
            if where in (("grid",), ("gridsize",)) and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 1:
                return "i32"
            return self.of_call(node, dotted, where)
        if isinstance(node, ast.Attribute):
            where = self.device(_dotted(node))
            if where and where[0] in ("threadIdx", "blockIdx", "blockDim", "gridDim", "laneid", "warpsize"):
                return "i32"
            return "int" if node.attr in ("size", "ndim") else None
        if isinstance(node, ast.Subscript):
            base = self.of(node.value)
            if base is not None and base.startswith("[") and not any(isinstance(n, ast.Slice) for n in ast.walk(node.slice)):
                return None if base == "[None]" else base[1:-1]
            if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
                return "int"
            return base if base is not None and base.startswith("[") else None
        if isinstance(node, ast.UnaryOp):
            return "bool" if isinstance(node.op, ast.Not) else self.of(node.operand)
        if isinstance(node, ast.BinOp):
            left, right = self.of(node.left), self.of(node.right)
            if left is None or right is None or "bool" in (left, right):
                return None
            joined = _join(left, right)
            return "f64" if isinstance(node.op, ast.Div) and joined in _INTEGERS else joined
        if isinstance(node, ast.IfExp):
            return _join(self.of(node.body), self.of(node.orelse))
        return "bool" if isinstance(node, ast.Compare) else None

    def of_call(self, node: ast.Call, dotted: tuple[str, ...], where: tuple[str, ...]) -> str | None:
        """The kind of what a function gives: of a math function, a shuffle, ``len``, ``abs``, ``min``, ``max``, or of the kernel's own."""
        if where:
            return self.of(node.args[1]) if where[0].startswith("shfl") and len(node.args) == 3 else None
        if not dotted or dotted[0] in self.local:
            return None
        value = self.text.names.get(dotted[0])
        if isinstance(value, ModuleType) and value.__name__ == "math" and len(dotted) == 2:
            value = getattr(value, dotted[1], None)
        kinds = [self.of(a) for a in node.args if not isinstance(a, ast.Starred)]
        if isinstance(value, BuiltinFunctionType) and value.__module__ == "math":
            if value.__name__ in ("floor", "ceil", "trunc"):
                return "int"
            if value.__name__.startswith("is"):
                return "bool"
            return None if None in kinds else "f32" if set(kinds) == {"f32"} else "?" if "?" in kinds else "f64"
        if len(dotted) == 1 and isinstance(plain := getattr(value, "py_func", value), FunctionType):
            return self.returned(plain, tuple(kinds))
        if dotted in (("abs",), ("min",), ("max",)) and kinds:
            return functools.reduce(_join, kinds)
        return "int" if dotted == ("len",) else None

    def returned(self, function: FunctionType, kinds: tuple[str | None, ...]) -> str | None:
        """The kind of what a device function gives for arguments of these kinds."""
        if "?" in kinds:
            return "?"
        key = (function, kinds)
        if key not in self.calls:
            self.calls[key] = None  # what a function that calls itself is taken for
            text = _read(function)
            names = [a.arg for a in (*text.tree.args.posonlyargs, *text.tree.args.args)]
            inner = _Kinds(text, dict(zip(names, kinds, strict=False)), self.calls)
            given = [inner.of(n.value) for n in ast.walk(text.tree) if isinstance(n, ast.Return) and n.value is not None]
            self.calls[key] = functools.reduce(_join, given) if given else None
        return self.calls[key]


class _Rewriter(ast.NodeTransformer):
    """Turns the tree of one function into that of a generator; collects its sites and arrays."""

    def __init__(self, text: _Text, kinds: _Kinds, owner: _Build, entry: str) -> None:
        self.text, self.kinds, self.owner, self.entry = text, kinds, owner, entry
        self.grids = {
            t.id
            for node in ast.walk(text.tree)
            if isinstance(node, ast.Assign) and self.is_grid(node.value)
            for t in node.targets
            if isinstance(t, ast.Name)
        }
        self.named: dict[int, str] = {}  # the array call's node -> the name it is bound to
        for node in ast.walk(text.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    pairs = [(target, node.value)]
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                        pairs = list(zip(target.elts, node.value.elts, strict=False))
                    self.named.update({id(v): t.id for t, v in pairs if isinstance(t, ast.Name)})
        self.checked = True  # whether a ring expression met now is the root of one that is to be checked
        self.yields = False

    def is_grid(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self.kinds.device(_dotted(node.func)) == ("cg", "this_grid")

    def refuse(self, node: ast.AST, why: str) -> KernelTextError:
        return KernelTextError(f"{self.text.name}, line {getattr(node, 'lineno', 0)}: {why}")

    def injected(self, value: object, node: ast.AST) -> ast.Name:
        return ast.copy_location(ast.Name(self.owner.inject(value), ast.Load()), node)

    def function(self) -> ast.FunctionDef:
        tree = self.text.tree
        if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
            raise self.refuse(tree, "a kernel has plain parameters")
        tree.decorator_list, tree.returns, tree.name = [], None, self.entry
        for argument in (*tree.args.posonlyargs, *tree.args.args):
            argument.annotation = None
        body = [done for statement in tree.body for done in self.statements(statement)]
        if self.owner.is_kernel(self.entry):  # a generator even if nothing in it waits
            body = ast.parse("if 0: yield").body + body
        tree.body = body
        first = ast.arg(_DEVICE)
        (tree.args.posonlyargs or tree.args.args).insert(0, first)
        return tree

    def statements(self, node: ast.stmt) -> list[ast.stmt]:
        done = self.visit(node)
        return done if isinstance(done, list) else [done]

    # Scopes in which a yield would belong to somebody else.
    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        raise self.refuse(node, "no functions within a kernel")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        raise self.refuse(node, "no functions within a kernel")

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        raise self.refuse(node, "no comprehensions in a kernel")

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        raise self.refuse(node, "no comprehensions in a kernel")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if isinstance(node.target, ast.Name) and isinstance(node.op, _RING) and self.kinds.names.get(node.target.id) in ("i32", "u64"):
            read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
            return self.visit(ast.copy_location(ast.Assign([node.target], value), node))
        whole = ast.BinOp(node.target, node.op, node.value)
        widened = self.widened(whole)
        self.generic_visit(node)
        if widened == "right":
            node.value = self.double(node.value)
        return node

    def double(self, node: ast.expr) -> ast.expr:
        call = ast.Call(self.injected(np.float64, node), [node], [])
        return ast.copy_location(call, node)

    def widened(self, node: ast.BinOp) -> str:
        """The side of a product or sum that is an integer beside a float32: a compiler makes both float64."""
        left, right = self.kinds.of(node.left), self.kinds.of(node.right)
        if isinstance(node.op, ast.Pow):
            return ""
        if left == "f32" and right in _INTEGERS:
            return "right"
        return "left" if right == "f32" and left in _INTEGERS else ""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        kind = self.kinds.of(node)
        if isinstance(node.op, _RING) and kind in ("i32", "u64"):
            root, self.checked = self.checked, False
            node.left, node.right = self.visit(node.left), self.visit(node.right)
            self.checked = root
            if not root:
                return node
            if kind == "u64":
                mask = ast.copy_location(ast.Constant((1 << 64) - 1), node)
                return ast.copy_location(ast.BinOp(node, ast.BitAnd(), mask), node)
            text = "_lockstep_v if -2147483648 <= (_lockstep_v := 0) <= 2147483647 else _lockstep_o(_lockstep_v)"
            test = ast.parse(text, mode="eval").body
            assert isinstance(test, ast.IfExp) and isinstance(test.test, ast.Compare)
            walrus = test.test.comparators[0]
            assert isinstance(walrus, ast.NamedExpr)
            for part in ast.walk(test):
                ast.copy_location(part, node)
            walrus.value = node
            return test
        widened = self.widened(node)
        quotient = isinstance(node.op, ast.Div) and kind == "f64" and self.kinds.of(node.left) in _INTEGERS
        root, self.checked = self.checked, True
        self.generic_visit(node)
        self.checked = root
        if widened == "left" or quotient:
            node.left = self.double(node.left)
        elif widened == "right":
            node.right = self.double(node.right)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        root = self.checked
        self.checked = True
        node.value = self.visit(node.value)
        if isinstance(node.slice, ast.Tuple):
            parts = []
            for part in node.slice.elts:
                self.checked = False
                parts.append(self.visit(part))
            node.slice.elts = parts
        else:
            self.checked = False
            node.slice = self.visit(node.slice)
        self.checked = root
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        root, self.checked = self.checked, True
        self.generic_visit(node)
        self.checked = root
        return node

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        self.owner.sliced = True
        root, self.checked = self.checked, True
        self.generic_visit(node)
        self.checked = root
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self.injected(np.float64(node.value), node) if type(node.value) is float else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id not in self.kinds.local:
            if _is_cuda(node.id, self.text.names.get(node.id)):
                return ast.copy_location(ast.Name(_DEVICE, ast.Load()), node)
            if (found := self.kinds.type_of((node.id,))) is not None:
                return self.injected(found, node)
            if type(value := self.text.names.get(node.id)) is float:
                return self.injected(np.float64(value), node)
            if isinstance(value, np.ndarray):
                return self.injected(Constant(node.id, value), node)
            if isinstance(value, ModuleType) and value.__name__ == "math":
                return self.injected(MATH, node)
            if isinstance(value, BuiltinFunctionType) and value.__module__ == "math":
                return self.injected(getattr(MATH, value.__name__), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        dotted = _dotted(node)
        where = self.kinds.device(dotted)
        if where and where[0] not in _PLAIN:
            raise self.refuse(node, f"{'.'.join(dotted)} is not emulated")
        if (found := self.kinds.type_of(dotted)) is not None:
            return self.injected(found, node)
        if len(dotted) == 2 and dotted[0] not in self.kinds.local and isinstance(self.text.names.get(dotted[0]), ModuleType):
            value = getattr(self.text.names[dotted[0]], dotted[1], None)
            if type(value) is float and not where and self.text.names[dotted[0]] is not MATH:
                return self.injected(np.float64(value), node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        dotted = _dotted(node.func)
        where = self.kinds.device(dotted)
        if len(where) == 1 and where[0] in _BLOCK | _WARP:
            return self.barrier(node, where[0], "block" if where[0] in _BLOCK else "warp")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "sync":
            base = node.func.value
            if (isinstance(base, ast.Name) and base.id in self.grids) or self.is_grid(base):
                return self.barrier(node, "sync", "grid")
        if where in (("shared", "array"), ("local", "array")):
            return self.array(node, where[0])
        if (found := self.kinds.type_of(dotted)) is not None:
            return self.conversion(node, found)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "view":
            self.owner.sliced = True
        if len(dotted) == 1 and dotted[0] not in self.kinds.local:
            callee = self.text.names.get(dotted[0])
            if (found := self.owner.vector.get(dotted[0])) is not None and not (dotted[0] in TILES and self.beside(callee)):
                self.arguments(node)
                node.func = self.injected(found, node)
                return node
            if isinstance(getattr(callee, "py_func", callee), FunctionType):
                kinds = tuple(self.kinds.of(a) for a in node.args)
                name, waits = self.owner.device_function(callee, kinds)
                self.arguments(node)
                node.args.insert(0, ast.copy_location(ast.Name(_DEVICE, ast.Load()), node))
                node.func = ast.copy_location(ast.Name(name, ast.Load()), node)
                if waits:
                    self.yields = True
                    return ast.copy_location(ast.YieldFrom(node), node)
                return node
        node.func = self.visit(node.func)
        self.arguments(node)
        return node

    def beside(self, callee: Any) -> bool:
        """Whether a function has another meaning here than a name of `TILES`: it stands in the kernel's own file."""
        plain = getattr(callee, "py_func", callee)
        return isinstance(plain, FunctionType) and plain.__code__.co_filename == self.text.file

    def arguments(self, node: ast.Call) -> None:
        root, self.checked = self.checked, True
        node.args = [self.visit(a) for a in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        self.checked = root

    def conversion(self, node: ast.Call, found: Any) -> ast.AST:
        value = node.args[0] if len(node.args) == 1 else None
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub) and isinstance(value.operand, ast.Constant):
            number = value.operand.value
            value = ast.Constant(-number) if isinstance(number, (int, float)) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, (int, float)):
            if isinstance(found, IntegerType):
                whole = int(value.value)
                if not found.low <= whole <= found.high:
                    raise IntegerOverflowError(f"{self.text.name}, line {node.lineno}: {whole} is outside {found.name}")
                return ast.copy_location(ast.Constant(whole), node)
            with np.errstate(all="ignore"):
                return self.injected(found(value.value), node)
        root, self.checked = self.checked, not isinstance(found, IntegerType) or found.name != "int32"
        node.args = [self.visit(a) for a in node.args]
        self.checked = root
        node.func = self.injected(found, node)
        return node

    def barrier(self, node: ast.Call, call: str, scope: str) -> ast.AST:
        site = Site(call, scope, self.text.name, node.lineno, node.col_offset)
        self.owner.sites.setdefault(site, None)
        if site in self.owner.deleted:
            return ast.copy_location(ast.Constant(None), node)
        self.yields = True
        self.arguments(node)
        if node.keywords:
            raise self.refuse(node, f"{call} takes its arguments by place")
        value: ast.expr = self.injected(site, node)
        if node.args:
            value = ast.copy_location(ast.Tuple([value, *node.args], ast.Load()), node)
        return ast.copy_location(ast.Yield(value), node)

    def literal(self, node: ast.expr) -> int:
        """An extent: a literal or a name of the module (or of the enclosing function) bound to an integer."""
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Name) and node.id not in self.kinds.local:
            value = self.text.names.get(node.id)
        if type(value) is not int or value < 0:
            shown = ast.unparse(node)
            raise self.refuse(node, f"shape {shown} of an array is no literal and no constant of the module: it would not compile")
        return value

    def array(self, node: ast.Call, space: str) -> ast.AST:
        given = dict(zip(("shape", "dtype"), node.args, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}
        if not {"shape", "dtype"} <= set(given):
            raise self.refuse(node, f"cuda.{space}.array needs a shape and a dtype")
        shape_node = given["shape"]
        name = self.text.names.get(shape_node.id) if isinstance(shape_node, ast.Name) and shape_node.id not in self.kinds.local else None
        if isinstance(name, tuple) and all(type(extent) is int for extent in name):
            shape = name
        elif isinstance(shape_node, ast.Tuple):
            shape = tuple(self.literal(e) for e in shape_node.elts)
        else:
            shape = (self.literal(shape_node),)
        found = self.kinds.type_of(_dotted(given["dtype"]))
        if found is None:
            raise self.refuse(node, f"dtype {ast.unparse(given['dtype'])} of an array is no type of a kernel")
        dtype = np.dtype(found.dtype if isinstance(found, IntegerType) else found)
        if 0 in shape and (space == "local" or shape != (0,)):
            raise self.refuse(node, f"shape {shape}: only shared memory, and with one axis, may have extent 0")
        where = Place(self.named.get(id(node), f"{space}_{node.lineno}"), space, self.text.name, shape, dtype, node.lineno, node.col_offset)
        self.owner.places[where] = None
        call = ast.Call(ast.Attribute(ast.Name(_DEVICE, ast.Load()), f"{space}_array", ast.Load()), [self.injected(where, node)], [])
        for part in ast.walk(call):
            ast.copy_location(part, node)
        return call


@dataclass
class _Build:
    """A kernel and the device functions it calls, rewritten into one namespace."""

    vector: Mapping[str, Callable[..., Any]]
    deleted: frozenset[Site]
    sites: dict[Site, None] = field(default_factory=dict)
    places: dict[Place, None] = field(default_factory=dict)
    sliced: bool = False
    injections: dict[str, Any] = field(default_factory=dict)
    functions: dict[tuple[int, tuple[str | None, ...]], tuple[str, bool]] = field(default_factory=dict)
    calls: dict[tuple[FunctionType, tuple[str | None, ...]], str | None] = field(default_factory=dict)
    open: list[int] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    spaces: list[dict[str, Any]] = field(default_factory=list)

    def inject(self, value: object) -> str:
        name = f"_lockstep_{len(self.injections)}"
        self.injections[name] = value
        return name

    def is_kernel(self, entry: str) -> bool:
        return entry == "_lockstep_kernel"

    def device_function(self, function: Any, kinds: tuple[str | None, ...]) -> tuple[str, bool]:
        """(name of the rewritten function, whether it holds barriers)."""
        plain = _plain(function)
        if id(plain) in self.open:
            raise KernelTextError(f"device function {plain.__name__!r} calls itself")
        key = (id(plain), kinds)
        if key not in self.functions:
            arguments = dict(zip(plain.__code__.co_varnames, kinds, strict=False))
            self.functions[key] = self.add(plain, f"_lockstep_{plain.__name__}_{len(self.functions)}", arguments)
        return self.functions[key]

    def add(self, function: Any, entry: str, arguments: Mapping[str, str | None]) -> tuple[str, bool]:
        text = _read(function)
        self.open.append(id(_plain(function)))
        rewriter = _Rewriter(text, _Kinds(text, arguments, self.calls), self, entry)
        tree = rewriter.function()
        self.open.pop()
        module = ast.fix_missing_locations(ast.Module([tree], []))
        # Each function keeps its own globals, so that two files may use one name for two things.
        space = {k: v for k, v in text.names.items() if k != "__builtins__"} | {
            MARK: text.name,
            "_lockstep_o": overflow,
        }
        exec(compile(module, text.file, "exec"), space)
        self.spaces.append(space)
        self.names[entry] = space[entry]
        return entry, rewriter.yields


@dataclass(frozen=True)
class Built:
    """A rewritten kernel, ready to make threads."""

    entry: Callable[..., Any]
    sliced: bool
    sites: tuple[Site, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Kernel:
    """A kernel as lock-step execution sees it; `kernel` makes one. Give it to `run` in place of the function.

    Attributes:
        function: the Python function.
        loads: the names under which it calls 128-bit loads, ``a0, a1, a2, a3 = ld4(array, index)``.
        stores: the names of 128-bit stores, ``st4(array, index, (a0, a1, a2, a3))``.
        deleted: barriers that are left out.
    """

    function: Any
    loads: tuple[str, ...] = ("ld4",)
    stores: tuple[str, ...] = ("st4",)
    deleted: frozenset[Site] = frozenset()
    _built: dict[tuple[str | None, ...], Built] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return _plain(self.function).__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        code = _plain(self.function).__code__
        return tuple(code.co_varnames[: code.co_argcount])

    @property
    def barriers(self) -> tuple[Site, ...]:
        """The barriers in the order of the text, shuffles and votes included."""
        return self._text.sites

    @property
    def static_shared(self) -> int:
        """Bytes of static shared memory a block."""
        return sum(p.bytes for p in self._text.places if p.space == "shared")

    @property
    def notes(self) -> tuple[str, ...]:
        """What other tools would do otherwise with this text, one sentence each."""
        lines = [p.line for p in self._text.places if p.space == "shared" and p.shape != (0,)]
        return tuple(
            f"{self.name}, line {line}: {lines.count(line)} shared arrays on one line; Numba's simulator makes one array of them"
            for line in sorted(set(lines))
            if lines.count(line) > 1
        )

    @property
    def _text(self) -> Built:
        """The kernel for any arguments: its barriers and arrays are the same for all."""
        return next(iter(self._built.values())) if self._built else self.build(())

    def without(self, *sites: Site) -> Kernel:
        """The kernel with these barriers left out."""
        return Kernel(self.function, self.loads, self.stores, self.deleted | frozenset(sites))

    def build(self, kinds: Iterable[str | None]) -> Built:
        """The rewritten kernel for arguments of these kinds (none given: as far as the text alone tells them).

        Raises:
            KernelTextError: the text cannot be rewritten.
            SharedMemoryError: too much static shared memory.
        """
        key = tuple(kinds)
        if key not in self._built:
            vector: dict[str, Callable[..., Any]] = TILES | dict.fromkeys(self.loads, ld4) | dict.fromkeys(self.stores, st4)
            build = _Build(vector, self.deleted)
            build.add(self.function, "_lockstep_kernel", dict(zip(self.parameters, key, strict=False)))
            for space in build.spaces:
                space.update(build.injections)
                space.update({n: f for n, f in build.names.items() if n != "_lockstep_kernel"})
            static = sum(p.bytes for p in build.places if p.space == "shared")
            if static > STATIC_LIMIT:
                raise SharedMemoryError(
                    f"{self.name}: {static} bytes of static shared memory, a block may have {STATIC_LIMIT}; take dynamic shared memory"
                )
            order = sorted(build.sites, key=lambda s: (s.function != self.name, s.function, s.line, s.column))
            self._built[key] = Built(build.names["_lockstep_kernel"], build.sliced, tuple(order), tuple(build.places))
        return self._built[key]


def kernel(function: Any, *, loads: Iterable[str] = ("ld4",), stores: Iterable[str] = ("st4",)) -> Kernel:
    """The kernel of a Python function (or of what ``cuda.jit`` made of one), for `run` and its relatives.

    Args:
        function: the kernel; its source must be at hand.
        loads: names of its 128-bit loads, called as ``a0, a1, a2, a3 = ld4(array, index)``; an index of several axes is a tuple.
        stores: names of its 128-bit stores, called as ``st4(array, index, (a0, a1, a2, a3))``.

    Raises:
        KernelTextError: it is no Python function.
    """
    if isinstance(function, Kernel):
        return function
    _plain(function)
    return Kernel(function, tuple(loads), tuple(stores))
