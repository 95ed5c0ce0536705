"""Hessian-vector products: the engine applied to its own result.

s = Σ_w Σ v_w · ∂L/∂w is one more scalar of the derived system; its gradient is H v.
"""

from __future__ import annotations

from functools import lru_cache

from symbackprop.algebra.equation import Block, Equation, System, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.derive.records import Derivation
from symbackprop.derive.sweep import derive_system


def derive_products(first: Derivation) -> Derivation:
    """Derive H v for the tensors of a derivation; the vectors are inputs named ``v_<tensor>``."""
    tensors = dict(first.system.tensors)
    blocks = list(first.system.blocks)
    total: str | None = None
    for name in first.wrt:
        w = tensors[name]
        direction = Tensor(f"v_{name}", w.axes, "input")
        tensors[direction.name] = direction
        template, axes = _inner_product(w.rank, total is not None)
        scalar = f"product.{name}"
        tensors[scalar] = Tensor(scalar)
        names = {"v": direction.name, "g": first.cotangents[name], "s": scalar}
        if total is not None:
            names["r"] = total
        blocks.append(Block(template, names, dict(zip(axes, w.shape, strict=True)), name))
        total = scalar
    assert total is not None
    return derive_system(System(blocks=tuple(blocks), tensors=tensors), total, first.wrt, prefix="hvp.")


@lru_cache(maxsize=32)
def _inner_product(rank: int, more: bool) -> tuple[Template, tuple[Size, ...]]:
    sizes = tuple(Size(f"s_{k}") for k in range(rank))
    axes = tuple(Index(f"i_{k}", s) for k, s in enumerate(sizes))
    v, g, s, r = Tensor("v", axes, "input"), Tensor("g", axes, "cotangent"), Tensor("s"), Tensor("r")
    rhs = Sum(v[axes] * g[axes], *axes)
    return Template(f"inner product:{rank}:{more}", (Equation(s[()], rhs + r[()] if more else rhs),)), sizes
