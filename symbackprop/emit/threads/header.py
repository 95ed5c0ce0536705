"""What a CUDA module says of itself, what it imports of what it uses, and its table for compilers."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping

from symbackprop.emit import wrap

#: What the runtime file offers to modules.
RUNTIME = frozenset(
    {"cuda", "device", "jit", "launch", "take", "room", "give", "number", "fill", "zeros", "repeat", "matmul", "in_range"}
    | {"ld4", "st4", "register_tile", "multiply_add", "store_row", "opaque", "sigmoid", "sign", "softplus", "tanh_softplus"}
)
#: Types of numbers in kernels.
_TYPES = frozenset({"float64", "int32", "uint32"})


def imports(body: str, dtype: str) -> str:
    """Return the statements that import what the rest of a module uses.

    Args:
        body: the rest.
        dtype: what ``real`` is there.
    """
    names, called = _used(ast.parse(body))
    types = [f"from numba import {', '.join(sorted(names & _TYPES))}"] if names & _TYPES else []
    types += [f"from numba import {dtype} as real"] if "real" in names else []
    wanted = tuple(sorted(called & RUNTIME))
    groups = (
        ["import math"] if "math" in names else [],
        # As isort has them: by what comes first from a module, a name that stays as it is before one that changes.
        [*(["import numpy as np"] if "np" in names else []), *sorted(types, key=lambda line: (line.split()[3].strip(","), " as " in line))],
        ["try:", *_from(".kernels_cuda", wanted), "except ImportError:", *_from("kernels_cuda", wanted)],
    )
    return "\n\n".join("\n".join(group) for group in groups if group)


def _used(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that are read, and those that are called, decorate or have attributes, which none of a function's own does."""
    names, called = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        there: Iterable[ast.expr] = ()
        if isinstance(node, ast.Call):
            there = (node.func,)
        elif isinstance(node, ast.Attribute):
            there = (node.value,)
        elif isinstance(node, ast.FunctionDef):
            there = node.decorator_list
        called |= {one.id for one in there if isinstance(one, ast.Name)}
    return names, called


def _from(module: str, names: tuple[str, ...]) -> list[str]:
    line = f"    from {module} import {', '.join(names)}"
    if len(line) <= wrap.LIMIT:
        return [line]
    return [f"    from {module} import (", *(f"        {name}," for name in names), "    )"]


def signatures(table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the entries of the table of kernels: the types of the arguments of each."""
    made = []
    for name, types in table.items():
        line = f'"{name}": ({", ".join(types)}),'
        if len(line) + 4 > wrap.LIMIT:
            rows = textwrap.wrap(", ".join(types) + ",", wrap.LIMIT - 8)
            line = "\n".join([f'"{name}": (', *(f"    {row}" for row in rows), "),"])
        made.append(line)
    return tuple(made)


def prose(text: str) -> str:
    """Return a line of a docstring over as many as it takes."""
    return "\n".join(textwrap.wrap(text, wrap.LIMIT, break_long_words=False, break_on_hyphens=False))


__all__ = ["RUNTIME", "imports", "prose", "signatures"]
