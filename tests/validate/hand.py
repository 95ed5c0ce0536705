"""A two-layer network with error terms written by hand: what the checks are tested on, without the engine that they judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy

from symbackprop.algebra.equation import Block, Equation, System
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.declare.model import LayerRecord, Model, ParameterRecord

N = Size("N")


@dataclass(frozen=True)
class Derived:
    """The part of a derivation record that the checks read."""

    system: System
    forward: tuple[Block, ...]
    backward: tuple[Block, ...]
    tensors: dict[str, Tensor]
    cotangents: dict[str, str]
    loss: str
    traces: dict[str, Any] = field(default_factory=dict)

    @property
    def stable(self) -> System:
        return System(blocks=(*self.forward, *self.backward), tensors=self.tensors)


def network(widths: tuple[int, int, int] = (3, 4, 2), hidden: str = "tanh") -> tuple[Model, Derived]:
    """x → dense_1 (tanh or relu) → dense_2 (identity) → half squared error, mean over the batch."""
    d, h, o = widths
    n, i, j, k = Index("n", N), Index("i", sympy.Integer(d)), Index("j", sympy.Integer(h)), Index("k", sympy.Integer(o))
    x, y = Tensor("x", (n, i), "input"), Tensor("y", (n, k), "input")
    W1, b1 = Tensor("dense_1.W", (j, i), "parameter"), Tensor("dense_1.b", (j,), "parameter")
    W2, b2 = Tensor("dense_2.W", (k, j), "parameter"), Tensor("dense_2.b", (k,), "parameter")
    z1, a1, z2 = Tensor("dense_1.z", (n, j)), Tensor("dense_1.a", (n, j)), Tensor("dense_2.z", (n, k))
    loss = Tensor("loss", ())
    u = z1[n, j]
    forward = (
        Equation(z1[n, j], Sum(W1[j, i] * x[n, i], i) + b1[j]),
        Equation(a1[n, j], sympy.tanh(u) if hidden == "tanh" else u * Indicator(u > 0)),
        Equation(z2[n, k], Sum(W2[k, j] * a1[n, j], j) + b2[k]),
        Equation(loss[()], Sum((z2[n, k] - y[n, k]) ** 2 / 2, n, k) / N),
    )
    d2, e1, d1 = (Tensor(name, t.axes, "cotangent") for name, t in (("delta.dense_2", z2), ("grad.dense_1.a", a1), ("delta.dense_1", z1)))
    gW1, gb1, gW2, gb2, gx = (Tensor(f"grad.{t.name}", t.axes, "cotangent") for t in (W1, b1, W2, b2, x))
    slope = 1 - a1[n, j] ** 2 if hidden == "tanh" else Indicator(u > 0)
    backward = (
        Equation(d2[n, k], (z2[n, k] - y[n, k]) / N),
        Equation(gW2[k, j], Sum(d2[n, k] * a1[n, j], n)),
        Equation(gb2[k], Sum(d2[n, k], n)),
        Equation(e1[n, j], Sum(W2[k, j] * d2[n, k], k)),
        Equation(d1[n, j], e1[n, j] * slope),
        Equation(gW1[j, i], Sum(d1[n, j] * x[n, i], n)),
        Equation(gb1[j], Sum(d1[n, j], n)),
        Equation(gx[n, i], Sum(W1[j, i] * d1[n, j], j)),
    )
    system = System(forward)
    both = System((*forward, *backward))
    parameters, offset = [], 0
    for t in (W1, b1, W2, b2):
        shape = tuple(int(s) for s in t.shape)
        parameters.append(ParameterRecord(t.name, shape, offset))
        offset += int(np.prod(shape))
    layers = (
        LayerRecord("dense_1", "Dense", ("x",), "dense_1.a", "dense_1.z", ("dense_1.W", "dense_1.b"), hidden),
        LayerRecord("dense_2", "Dense", ("dense_1.a",), "dense_2.z", "dense_2.z", ("dense_2.W", "dense_2.b"), None),
    )
    model = Model("hand", system, ("x",), "y", ("dense_2.z",), "loss", tuple(parameters), layers, N)
    cotangents = {
        "dense_2.z": "delta.dense_2",
        "dense_1.a": "grad.dense_1.a",
        "dense_1.z": "delta.dense_1",
        **{t.name: f"grad.{t.name}" for t in (W1, b1, W2, b2, x)},
    }
    derived = Derived(both, System(forward).blocks, System(backward).blocks, dict(both.tensors), cotangents, "loss")
    return model, derived


def spoiled(derived: Derived, cotangent: str, change: Callable[[Any], Any]) -> Derived:
    """Return the derivation with the right side of one cotangent equation changed."""
    forward = [e for block in derived.forward for e in block.equations(derived.tensors)]
    backward = [e for block in derived.backward for e in block.equations(derived.tensors)]
    assert cotangent in {e.tensor.name for e in backward}
    changed = [Equation(e.lhs, change(e.rhs)) if e.tensor.name == cotangent else e for e in backward]
    both = System((*forward, *changed))
    return replace(derived, system=both, backward=System(changed).blocks, tensors=dict(both.tensors))


Program = Callable[[dict[str, Any], dict[str, Any], Any], tuple[float, dict[str, Any]]]


def program(derived: Derived, dtype: Any = np.float64, change: Callable[[dict[str, Any]], None] | None = None) -> Program:
    """Return a program that computes what the equations say, in a dtype, with its gradients optionally spoiled."""

    def value_and_grad(params: dict[str, Any], inputs: dict[str, Any], target: Any) -> tuple[float, dict[str, Any]]:
        assert all(a.dtype == dtype for a in params.values())
        values = interpret(derived.system, {**params, **inputs, "y": target}, dtype=dtype)
        grads = {name: values[f"grad.{name}"].astype(dtype) for name in (*params, *inputs)}
        if change is not None:
            change(grads)
        return float(values["loss"]), grads

    return value_and_grad
