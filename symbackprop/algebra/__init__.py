"""The language of equations; its names are loaded on first use, so that declaring a network does not import SymPy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy as sympy

    from symbackprop.algebra.equation import Block as Block
    from symbackprop.algebra.equation import Equation as Equation
    from symbackprop.algebra.equation import Fact as Fact
    from symbackprop.algebra.equation import System as System
    from symbackprop.algebra.equation import Template as Template
    from symbackprop.algebra.equation import apart as apart
    from symbackprop.algebra.equation import in_full as in_full
    from symbackprop.algebra.equation import reads as reads
    from symbackprop.algebra.index import Index as Index
    from symbackprop.algebra.index import Size as Size
    from symbackprop.algebra.index import indices as indices
    from symbackprop.algebra.index import sizes as sizes
    from symbackprop.algebra.nodes import Abs as Abs
    from symbackprop.algebra.nodes import ArgMax as ArgMax
    from symbackprop.algebra.nodes import Divides as Divides
    from symbackprop.algebra.nodes import Floor as Floor
    from symbackprop.algebra.nodes import Indicator as Indicator
    from symbackprop.algebra.nodes import InRange as InRange
    from symbackprop.algebra.nodes import Max as Max
    from symbackprop.algebra.nodes import Sign as Sign
    from symbackprop.algebra.nodes import Sum as Sum
    from symbackprop.algebra.nodes import unspecified as unspecified
    from symbackprop.algebra.tensor import Tensor as Tensor
    from symbackprop.algebra.text import marked as marked

_HOME = {
    "equation": ("Block", "Equation", "Fact", "System", "Template", "apart", "in_full", "reads"),
    "index": ("Index", "Size", "indices", "sizes"),
    "nodes": ("Abs", "ArgMax", "Divides", "Floor", "InRange", "Indicator", "Max", "Sign", "Sum", "unspecified"),
    "tensor": ("Tensor",),
    "text": ("marked",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "sympy":
        return importlib.import_module("sympy")
    if name in _MODULE:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
