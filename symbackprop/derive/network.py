"""The derivation of a network's loss, and the recursion that its layers repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from sympy import Expr

from symbackprop.algebra.equation import Block, Equation
from symbackprop.declare.model import LayerRecord, Model
from symbackprop.derive.records import Derivation
from symbackprop.derive.sweep import derive_system
from symbackprop.errors import DerivationError


def derive_model(model: Model, wrt: tuple[str, ...] | None = None) -> Derivation:
    """Derive the gradients of a network's loss.

    Args:
        model: the network.
        wrt: names of parameters and inputs; None takes all trainable parameters and all real inputs.

    Raises:
        DerivationError: the network has no loss.
    """
    if model.loss is None:
        raise DerivationError(f"network {model.name} has no loss, so there is nothing to derive; give one with loss=")
    if wrt is None:
        trained = tuple(p.name for p in model.parameters if p.trainable)
        wrt = (*trained, *(x for x in model.inputs if not model.system.tensors[x].integer))
    made = derive_system(model.system, model.loss, wrt, labels=error_labels(model))
    return replace(made, model=model)


def error_labels(model: Model) -> dict[str, str]:
    """Return the names of the error terms: tensor of the pre-activation -> ``delta.layer``."""
    return {r.pre: f"delta.{called(r)}" for r in model.layers if r.pre is not None}


def called(record: LayerRecord) -> str:
    """Return the name of one use of a layer: the layer's own, with a number from the second use on."""
    return record.name if record.use == 1 else f"{record.name}_{record.use}"


@dataclass(frozen=True)
class Rung:
    """One line of the recursion over layers.

    Attributes:
        kind: "output", "hidden", "weight" or "bias".
        first: number of the first layer that it holds for, counting layers with parameters from 1.
        last: of the last.
        equation: in index form; its sizes are symbols where layers differ in width.
        slots: tensor name -> role and layer, counted from the layer that the equation is about: "weight:1".
        widths: symbolic size -> the layer whose width it is, counted in the same way.
        biases: whether all layers have biases.
    """

    kind: str
    first: int
    last: int
    equation: Equation
    slots: Mapping[str, str]
    widths: Mapping[Expr, int]
    biases: bool = True


def recursion(derivation: Derivation) -> tuple[Rung, ...]:
    """Return δ at the output, δ in hidden layers, ∇W and ∇b for a general layer, where layers repeat one pattern.

    A rung holds for a whole run of layers because they use one and the same derived template. Layers that differ (in their
    activation, say) give rungs of their own.

    Raises:
        DerivationError: the network is no chain of layers with weights.
    """
    model = derivation.model
    if model is None:
        raise DerivationError("a recursion over layers needs a network; this is a derivation of a plain system")
    chain = _chain(model)
    producer: dict[str, Block] = {}
    for block in derivation.system.blocks[len(derivation.forward_system.blocks) :]:
        for slot in block.template.defined:
            producer[block.names[slot]] = block
    rungs: list[Rung] = []
    depth = len(chain)
    errors = [(k, f"delta.{called(r)}") for k, r in enumerate(chain, start=1)]
    rungs += _runs(errors[-1:], "output", producer, model, chain, depth)
    rungs += _runs(errors[:-1][::-1], "hidden", producer, model, chain, depth)
    for position, kind in enumerate(("weight", "bias")):
        named = [
            (k, derivation.cotangents.get(r.parameters[position], "")) for k, r in enumerate(chain, start=1) if position < len(r.parameters)
        ]
        rungs += _runs([(k, n) for k, n in named if n in producer][::-1], kind, producer, model, chain, depth)
    return tuple(rungs)


def _chain(model: Model) -> tuple[LayerRecord, ...]:
    chain = tuple(r for r in model.layers if r.pre is not None and r.parameters)
    simple = len(model.layers) == len(chain) and all(r.use == 1 and not r.others for r in chain)
    linked = all(b.inputs == (a.output,) for a, b in pairwise(chain))
    # A recurrent layer has weights for its input and for its state: its rules are not those of a layer in a chain.
    affine = all(tuple(p.rpartition(".")[2] for p in r.parameters) in (("W",), ("W", "b")) for r in chain)
    if not chain or not simple or not linked or not affine:
        raise DerivationError(
            f"the layers of {model.name} do not repeat one pattern in a chain; see error_terms and gradients, layer by layer"
        )
    return chain


def _runs(
    named: list[tuple[int, str]], kind: str, producer: Mapping[str, Block], model: Model, chain: tuple[LayerRecord, ...], depth: int
) -> list[Rung]:
    """Group layers whose equation is the same template."""
    out: list[Rung] = []
    runs: list[list[tuple[int, str]]] = []
    for k, name in named:
        if name not in producer:
            continue
        if runs and producer[runs[-1][-1][1]].template == producer[name].template:
            runs[-1].append((k, name))
        else:
            runs.append([(k, name)])
    for run in runs:
        k, name = run[0]
        block = producer[name]
        slots: dict[str, str] = {}
        roles = _roles(model, chain)
        for slot in block.template.tensors:
            role = roles.get(block.names[slot])
            if role is None:
                continue
            word, layer = role
            slots[slot] = word if layer is None else f"{word}:{layer - k}"
        widths: dict[Expr, int] = {}
        for slot, t in block.template.tensors.items():
            role = roles.get(block.names[slot])
            if role is None or role[1] is None:
                continue
            here = role[1] - k
            word = role[0].removeprefix("gradient ")
            layers = {"weight": (here, here - 1), "bias": (here,), "pre": (here,), "activation": (here,), "error": (here,)}.get(word, ())
            axes = [a for a in t.axes if a.extent.is_Symbol and a.extent.name != model.batch.name]
            for axis, where in zip(axes, layers, strict=False):
                widths.setdefault(axis.extent, where)
        numbers = [k for k, _ in run]
        biases = all(len(r.parameters) > 1 for r in chain)
        out.append(Rung(kind, min(numbers), max(numbers), block.template.equations[0], slots, widths, biases))
    return out


def _roles(model: Model, chain: tuple[LayerRecord, ...]) -> dict[str, tuple[str, int | None]]:
    """Return tensor name -> (role, number of its layer)."""
    roles: dict[str, tuple[str, int | None]] = {x: ("activation", 0) for x in model.inputs}
    if model.target:
        roles[model.target] = ("target", None)
    roles["loss.p"] = ("probability", None)
    for k, r in enumerate(chain, start=1):
        assert r.pre is not None
        roles[r.pre] = ("pre", k)
        roles[f"delta.{called(r)}"] = ("error", k)
        if r.output != r.pre:
            roles[r.output] = ("activation", k)
        elif k == len(chain) or r.activation is None:
            roles[r.pre] = ("pre", k)
        for name in r.parameters:
            own = name.rpartition(".")[2]
            role = {"W": "weight", "b": "bias"}.get(own, own)
            roles[name] = (role, k)
            roles[f"grad.{name}"] = (f"gradient {role}", k)
    return roles


__all__ = ["Rung", "called", "derive_model", "error_labels", "recursion"]
