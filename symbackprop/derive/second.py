"""Products with derivatives: the engine applied to a network, and once more to its own result.

A vector-Jacobian product is the gradient of s = Σ u · a, one more scalar of the system. A Hessian-vector product is the gradient
of s = Σ v · ∂L/∂w (reverse over reverse), or the tangent of ∂L/∂w as w moves along v (forward over reverse): two derivations of
one vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from symbackprop.algebra.equation import Block, Equation, System, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.derive.records import Derivation
from symbackprop.derive.sweep import derive_system, stable_forward
from symbackprop.derive.tangent import DIRECTION, Tangents, tangent_system
from symbackprop.errors import DerivationError

#: The two ways to a Hessian-vector product.
ROUTES = ("reverse", "forward")
#: What the names of given cotangents begin with: ``u_a`` weighs the entries of ``a``.
WEIGHT = "u_"


def derive_products(first: Derivation, route: str = "reverse") -> Derivation:
    """Derive H v for the tensors of a derivation; the vectors are inputs named ``v_<tensor>``.

    Args:
        first: gradients of a scalar.
        route: "reverse" (the gradient of Σ v · ∂L/∂w) or "forward" (the tangent of ∂L/∂w along v).

    Raises:
        DerivationError: there is no such route.
    """
    if route not in ROUTES:
        raise DerivationError(f"unknown route {route!r} to Hessian-vector products (known: {', '.join(ROUTES)})")
    if route == "forward":
        return _forward_over_reverse(first)
    weights = {first.cotangents[name]: DIRECTION + name for name in first.wrt}
    system, total = weighted(first.system, weights)
    return derive_system(system, total, first.wrt, prefix="hvp.")


def _forward_over_reverse(first: Derivation) -> Derivation:
    computed = (*first.forward, *first.backward)
    made = tangent_system(first.system, computed, first.wrt)
    names = {}
    blocks, stable, tensors = list(made.system.blocks), list(made.tangents), dict(made.system.tensors)
    for name in first.wrt:
        found = made.names.get(first.cotangents[name])
        if found is None:
            # ∂L/∂w does not change at all: the loss is affine in everything that moves.
            found = f"tangent.{first.cotangents[name]}"
            tensors[found] = Tensor(found, tensors[name].axes, "tangent")
            blocks.append(_zero(found, tensors[name], name))
            stable.append(blocks[-1])
        names[name] = found
    return Derivation(
        forward_system=first.system,
        system=System(blocks=tuple(blocks), tensors=tensors),
        forward=computed,
        backward=tuple(stable),
        cotangents=names,
        traces=made.traces,
        loss=first.loss,
        wrt=first.wrt,
    )


def derive_tangents(system: System, wrt: tuple[str, ...]) -> Tangents:
    """Derive the tangents of a system, in the form in which they are printed and in that in which they are computed."""
    return tangent_system(system, stable_forward(system), wrt)


def derive_pullback(system: System, of: tuple[str, ...], wrt: tuple[str, ...], labels: Mapping[str, str]) -> Derivation:
    """Derive the gradients of s = Σ u · a over some tensors a; the weights are inputs named ``u_<tensor>``.

    Args:
        system: the equations.
        of: names of the tensors a.
        wrt: names of the tensors to differentiate with respect to.
        labels: names of cotangents that are not called ``grad.<tensor>``.
    """
    whole, total = weighted(system, {name: WEIGHT + name for name in of})
    made = derive_system(whole, total, wrt, labels=labels)
    return replace(made, forward_system=system)


def weighted(system: System, weights: Mapping[str, str]) -> tuple[System, str]:
    """Return a system with one more scalar, Σ weight · tensor over some of its tensors, and the name of that scalar.

    Args:
        system: the equations.
        weights: tensor name -> name of its weight, which becomes an input.
    """
    tensors = dict(system.tensors)
    blocks = list(system.blocks)
    total: str | None = None
    for name, weight in weights.items():
        t = tensors[name]
        tensors[weight] = Tensor(weight, t.axes, "input")
        template, axes = _inner_product(t.rank, total is not None)
        scalar = f"product.{name}"
        tensors[scalar] = Tensor(scalar)
        names = {"v": weight, "g": name, "s": scalar}
        if total is not None:
            names["r"] = total
        blocks.append(Block(template, names, dict(zip(axes, t.shape, strict=True)), name))
        total = scalar
    if total is None:
        raise DerivationError("a product needs at least one tensor")
    return System(blocks=tuple(blocks), tensors=tensors), total


@lru_cache(maxsize=32)
def _inner_product(rank: int, more: bool) -> tuple[Template, tuple[Size, ...]]:
    sizes = tuple(Size(f"s_{k}") for k in range(rank))
    axes = tuple(Index(f"i_{k}", s) for k, s in enumerate(sizes))
    v, g, s, r = Tensor("v", axes, "input"), Tensor("g", axes, "cotangent"), Tensor("s"), Tensor("r")
    rhs = Sum(v[axes] * g[axes], *axes)
    return Template(f"inner product:{rank}:{more}", (Equation(s[()], rhs + r[()] if more else rhs),)), sizes


def _zero(name: str, like: Tensor, owner: str) -> Block:
    sizes = tuple(Size(f"s_{k}") for k in range(like.rank))
    axes = tuple(Index(f"i_{k}", s) for k, s in enumerate(sizes))
    template = Template(f"zero:{like.rank}", (Equation(Tensor("t", axes)[axes], 0),))
    return Block(template, {"t": name}, dict(zip(sizes, like.shape, strict=True)), owner)


__all__ = ["ROUTES", "WEIGHT", "derive_products", "derive_pullback", "derive_tangents", "weighted"]
