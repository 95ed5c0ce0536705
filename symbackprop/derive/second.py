"""Products with derivatives: the engine applied to a network, and once more to its own result.

A vector-Jacobian product is the gradient of s = Σ u · a, one more scalar of the system. A Hessian-vector product is the gradient
of s = Σ v · ∂L/∂w (reverse over reverse), or the tangent of ∂L/∂w as w moves along v (forward over reverse): two derivations of
one vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from symbackprop.algebra.equation import Block, Equation, System, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.model import Model
from symbackprop.derive.network import derive_model
from symbackprop.derive.records import Derivation, Products
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
    made = _all_moving(tangent_system(first.system, computed, first.wrt), first.cotangents.values())
    return Derivation(
        forward_system=first.system,
        system=made.system,
        forward=computed,
        backward=made.tangents,
        cotangents={name: made.names[first.cotangents[name]] for name in first.wrt},
        traces=made.traces,
        places=first.places,
        loss=first.loss,
        wrt=first.wrt,
    )


def derive_tangents(system: System, of: tuple[str, ...], wrt: tuple[str, ...]) -> Tangents:
    """Derive the tangents of some tensors of a system, as printed and as computed.

    Args:
        system: the equations; those that ``of`` does not need are left out.
        of: names of the tensors whose tangents are asked for; what does not move has the tangent 0.
        wrt: names of the tensors that move.
    """
    whole = needed(system, of)
    return _all_moving(tangent_system(whole, stable_forward(whole), wrt), of)


def derive_motion(first: Derivation) -> Derivation:
    """Derive the tangents of a derivation's forward equations, as the tensors of ``wrt`` move along ``v_<tensor>``.

    ``cotangents`` of the result names the tangent of every tensor that moves.
    """
    made = derive_tangents(first.forward_system, first.forward_system.defined, first.wrt)
    return Derivation(
        forward_system=first.forward_system,
        system=made.system,
        forward=made.forward,
        backward=made.tangents,
        cotangents=made.names,
        traces=made.traces,
        loss=first.loss,
        wrt=first.wrt,
    )


def needed(system: System, names: Iterable[str]) -> System:
    """Return a system without the blocks that some of its tensors do not need."""
    wanted = set(names)
    kept = []
    for block in reversed(system.blocks):
        if any(block.names[slot] in wanted for slot in block.template.defined):
            kept.append(block)
            wanted.update(block.names[slot] for slot in block.template.free)
    return System(blocks=tuple(reversed(kept)), tensors=system.tensors)


def derive_product(model: Model, kind: str, wrt: tuple[str, ...], route: str = "reverse") -> Products:
    """Derive what a program of products computes.

    Args:
        model: the network.
        kind: "jvp" or "vjp" of its outputs, or "hvp" of its loss.
        wrt: names of parameters and inputs.
        route: to a Hessian-vector product: "reverse" or "forward".
    """
    if kind == "jvp":
        moved = derive_tangents(model.system, model.outputs, wrt)
        results = {name: moved.names[name] for name in model.outputs}
        return Products(kind, (*moved.forward, *moved.tangents), moved.system.tensors, {w: DIRECTION + w for w in wrt}, results)
    if kind == "vjp":
        made = derive_pullback(model.system, model.outputs, wrt)
        given = {name: WEIGHT + name for name in model.outputs}
    else:
        made = derive_products(derive_model(model, wrt), route)
        given = {w: DIRECTION + w for w in wrt}
    return Products(kind, (*made.forward, *made.backward), made.tensors, given, {w: made.cotangents[w] for w in wrt})


def derive_pullback(system: System, of: tuple[str, ...], wrt: tuple[str, ...]) -> Derivation:
    """Derive the gradients of s = Σ u · a over some tensors a; the weights are inputs named ``u_<tensor>``, the results ``vjp.<tensor>``.

    Args:
        system: the equations.
        of: names of the tensors a.
        wrt: names of the tensors to differentiate with respect to.
    """
    whole, total = weighted(needed(system, of), {name: WEIGHT + name for name in of})
    made = derive_system(whole, total, wrt, prefix="vjp.")
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


def samples_apart(model: Model) -> bool:
    """Whether no sample of a batch has to do with the output of another one: nothing is summed over the batch or read across it."""
    size = model.batch
    for e in needed(model.system, model.outputs).equations:
        own = {i for i in e.lhs.index if i.extent == size}
        across = {p for a in e.rhs.atoms(Access) for axis, p in zip(a.tensor.axes, a.index, strict=True) if axis.extent == size}
        if not across <= own:
            return False
    return True


@lru_cache(maxsize=32)
def _inner_product(rank: int, more: bool) -> tuple[Template, tuple[Size, ...]]:
    sizes = tuple(Size(f"s_{k}") for k in range(rank))
    axes = tuple(Index(f"i_{k}", s) for k, s in enumerate(sizes))
    v, g, s, r = Tensor("v", axes, "input"), Tensor("g", axes, "cotangent"), Tensor("s"), Tensor("r")
    rhs = Sum(v[axes] * g[axes], *axes)
    return Template(f"inner product:{rank}:{more}", (Equation(s[()], rhs + r[()] if more else rhs),)), sizes


def _all_moving(made: Tangents, names: Iterable[str]) -> Tangents:
    """Give the tangents that are asked for, and that are 0 whatever moves, equations too."""
    still = [name for name in names if name not in made.names]
    if not still:
        return made
    tensors, called = dict(made.system.tensors), {**made.names, **{name: made.prefix + name for name in still}}
    tensors.update((called[name], Tensor(called[name], tensors[name].axes, "tangent")) for name in still)
    zeros = tuple(_zero(called[name], tensors[name], name) for name in still)
    system = System(blocks=(*made.system.blocks, *zeros), tensors=tensors)
    return replace(made, system=system, tangents=(*made.tangents, *zeros), names=called)


def _zero(name: str, like: Tensor, owner: str) -> Block:
    sizes = tuple(Size(f"s_{k}") for k in range(like.rank))
    axes = tuple(Index(f"i_{k}", s) for k, s in enumerate(sizes))
    template = Template(f"zero:{like.rank}", (Equation(Tensor("t", axes)[axes], 0),))
    return Block(template, {"t": name}, dict(zip(sizes, like.shape, strict=True)), owner)


__all__ = [
    "ROUTES",
    "WEIGHT",
    "derive_motion",
    "derive_product",
    "derive_products",
    "derive_pullback",
    "derive_tangents",
    "needed",
    "samples_apart",
    "weighted",
]
