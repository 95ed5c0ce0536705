"""Tangents: forward and backward derivations of one derivative, by the interpreter, in float64.

For every layer of the table ⟨u, J v⟩ = ⟨Jᵀ u, v⟩, both routes to a Hessian-vector product give the complex-step derivative of the
gradient, and what is computed stays finite where the textbook form overflows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

import symbackprop as sbp
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import tensor
from symbackprop.derive.second import derive_products, derive_pullback, derive_tangents
from symbackprop.derive.sweep import derive_system
from symbackprop.derive.tangent import tangent_system

sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))
from cases import CASES

#: Cases of each layer for first-order products, and of them those for second-order ones, which are derived for much longer.
FIRST, SECOND = 2, 1
#: A complex step: its square is below the smallest number, so the imaginary part is the derivative to the last digit.
STEP = 1e-30


def drawn(name, number, seed):
    """Return a network of one layer, values for its parameters, inputs and target, and a direction for all that is real."""
    rng = np.random.default_rng([seed, number, *map(ord, name)])
    case = CASES[name](rng)
    inputs = [sbp.Input(shape, dtype="int64" if case.tokens else None) for shape in case.shape]
    net = sbp.Network(inputs=inputs, outputs=case.layer()(*inputs), loss="mse", name=f"moving_{name.lower()}")
    model = net.model()
    values = {p.name: rng.standard_normal(tuple(map(int, p.shape))) for p in model.parameters}
    for x, shape in zip(model.inputs, case.shape, strict=True):
        values[x] = rng.integers(0, case.tokens, (2, *shape)) if case.tokens else rng.standard_normal((2, *shape))
    for mask in model.masks:
        values[mask] = rng.integers(0, 2, (2, *(int(e) for e in model.system.tensors[mask].shape[1:])))
    values["y"] = rng.standard_normal((2, *(int(e) for e in model.system.tensors[model.outputs[0]].shape[1:])))
    wrt = (*(p.name for p in model.parameters), *(x for x in model.inputs if not case.tokens))
    along = {w: rng.standard_normal(values[w].shape) for w in wrt}
    return case, model, values, wrt, along


def stepped(values, along):
    return {name: value + 1j * STEP * along[name] if name in along else value for name, value in values.items()}


def close(found, expected, what, rtol=1e-12):
    scale = max(1e-300, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * max(1.0, scale), err_msg=what)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_layer_pushes_forward_what_it_pulls_back(name, seed):
    for number in range(FIRST):
        case, model, values, wrt, along = drawn(name, number, seed)
        words = f"{case.words}, seed {seed}, case {number}"
        (output,) = model.outputs
        if not wrt:
            continue
        moved = derive_tangents(model.system, model.outputs, wrt)
        directions = {f"v_{w}": v for w, v in along.items()}
        given = {**values, **directions}
        computed = System(blocks=(*moved.forward, *moved.tangents), tensors=moved.system.tensors)
        pushed = [interpret(system, given, want=[moved.names[output]])[moved.names[output]] for system in (moved.system, computed)]
        exact = interpret(model.system, stepped(values, along), want=[output])[output].imag / STEP
        # The same few terms in another order; the scale is that of the largest entry, for terms may cancel.
        for form in pushed:
            close(form, exact, words)
        u = np.random.default_rng([seed, number]).standard_normal(exact.shape)
        pulled = derive_pullback(model.system, model.outputs, wrt)
        back = interpret(pulled.stable, {**values, f"u_{output}": u}, want=[pulled.cotangents[w] for w in wrt])
        left, right = float(np.sum(u * pushed[1])), sum(float(np.sum(along[w] * back[pulled.cotangents[w]])) for w in wrt)
        size = float(np.sum(np.abs(u * pushed[1]))) + sum(float(np.sum(np.abs(along[w] * back[pulled.cotangents[w]]))) for w in wrt)
        assert abs(left - right) <= 1e-12 * max(1.0, size), words


@pytest.mark.parametrize("name", sorted(CASES))
def test_both_routes_give_the_change_of_the_gradient(name, seed):
    for number in range(SECOND):
        case, model, values, wrt, along = drawn(name, number, seed)
        words = f"{case.words}, seed {seed}, case {number}"
        if not wrt:
            continue
        first = derive_system(model.system, model.loss, wrt)
        exact = interpret(first.stable, stepped(values, along), want=[first.cotangents[w] for w in wrt])
        given = {**values, **{f"v_{w}": v for w, v in along.items()}}
        for route in ("reverse", "forward"):
            second = derive_products(first, route)
            found = interpret(second.stable, given, want=[second.cotangents[w] for w in wrt])
            for w in wrt:
                close(found[second.cotangents[w]], exact[first.cotangents[w]].imag / STEP, f"{route}, {w} of {words}", rtol=1e-10)


def test_the_tangent_of_a_recurrence_runs_the_same_way():
    net = sbp.Sequential([sbp.Input((4, 2)), sbp.LSTM(3), sbp.Dense(2)], loss="mse", name="in_time")
    model = net.model()
    first = derive_system(model.system, model.loss, ("x",))
    second = derive_products(first, "forward")
    ways = {}
    for strand in strands(second.stable.equations):
        if isinstance(strand, Recurrence):
            kind = "tangent" if strand.defined[0].startswith("tangent.") else "value"
            about = "gradient" if "grad." in strand.defined[0] else "state"
            ways[kind, about] = strand.descending
    assert ways == {("value", "state"): False, ("tangent", "state"): False, ("value", "gradient"): True, ("tangent", "gradient"): True}


def test_scores_that_overflow_have_finite_tangents():
    """Scores of ±2,000: exp overflows, the class probabilities are 0 and 1, and every product is still exact."""
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(3, activation="softmax")], loss="cross_entropy", name="steep")
    logits = sbp.Sequential([sbp.Input(3), sbp.Dense(3)], loss="softmax_cross_entropy", name="steep_scores")
    values = {"dense_1.W": 2000 * np.eye(3), "dense_1.b": np.zeros(3), "x": np.array([[1.0, -1, 0], [0, 0, 1]]), "y": np.eye(3)[[0, 0]]}
    for one in (net, logits):
        model = one.model("rows")
        moved = derive_tangents(model.system, (model.loss,), ("x",))
        computed = System(blocks=(*moved.forward, *moved.tangents), tensors=moved.system.tensors)
        v = np.array([[0.5, 1, -1], [1.0, 2, 3]])
        found = interpret(computed, {**values, "v_x": v}, want=[moved.names[model.loss]])[moved.names[model.loss]]
        # dL = (p − y) · 2000 v / N: the first sample is right for certain, the second takes class 2 for class 0.
        assert float(found) == pytest.approx(2000 * (v[1, 2] - v[1, 0]) / 2, rel=1e-12)


def test_a_softmax_moves_as_the_lecture_says():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4)], loss="softmax_cross_entropy", name="said")
    tangents = net.derive("sample", "rows").jvp().tangents
    assert str(tangents["loss.p"].index.rhs) == "(tangent.dense_1.z[i] - Sum(loss.p[@0]*tangent.dense_1.z[@0], @0))*loss.p[i]"
    assert tangents["dense_1.z"].latex() == r"\dot{z}^{(2)} = W^{(1)} v_x + v_{W^{(1)}} x + v_{b^{(1)}}"


def test_what_stands_still_has_the_tangent_zero():
    i = Index("i", 3)
    x, a, f = tensor("x", i), tensor("a", i), tensor("f")
    system = System([Equation(f[()], Sum(x[i] * a[i], i))])
    second = derive_products(derive_system(system, "f", ("x",)), "forward")
    found = interpret(second.stable, {"x": np.ones(3), "a": np.ones(3), "v_x": np.ones(3)})
    np.testing.assert_array_equal(found[second.cotangents["x"]], 0)


def test_tangents_of_tangents_are_symmetric():
    """d(df · v) · w = d(df · w) · v: forward over forward, the third way to second derivatives."""
    i, j = Index("i", 3), Index("j", 3)
    W, x, z, f = tensor("W", i, j), tensor("x", j), tensor("z", i), tensor("f")
    system = System([Equation(z[i], sympy.tanh(Sum(W[i, j] * x[j], j))), Equation(f[()], Sum(z[i] ** 3, i))])
    once = tangent_system(system, system.blocks, ("x",))
    twice = tangent_system(once.system, once.system.blocks, ("x",))
    rng = np.random.default_rng(5)
    values = {"W": rng.standard_normal((3, 3)), "x": rng.standard_normal(3)}
    v, w = rng.standard_normal((2, 3))
    one, other = (interpret(twice.system, {**values, "v_x": a, "v2_x": b})[twice.names["tangent.f"]] for a, b in ((v, w), (w, v)))
    assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(
    ("wrt", "words"), [("nothing", "no tensor of this system"), ("lab", "holds integers"), ("z", "computed by an equation")]
)
def test_what_cannot_move_is_named(wrt, words):
    i = Index("i", 3)
    a, lab, z = tensor("a", i), tensor("lab", i, integer=True), tensor("z", i)
    system = System([Equation(z[i], a[lab[i]])])
    with pytest.raises(sbp.DerivationError, match=words):
        tangent_system(system, system.blocks, (wrt,))
    with pytest.raises(sbp.DerivationError, match="known: reverse, forward"):
        derive_products(derive_system(System([*system.equations, Equation(tensor("f")[()], Sum(z[i], i))]), "f", ("a",)), "sideways")
