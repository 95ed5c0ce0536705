"""Every line of a lecture's derivation is true: both sides have the same value at a random point.

The derivatives that a line names (∂L/∂z, ∂z/∂a) come from complex steps through the forward equations, which know nothing of
the derivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra import Equation, Sum, System, indices, sizes
from symbackprop.algebra.interpret import evaluate_equation, interpret, solve_sizes
from symbackprop.algebra.tensor import tensor
from symbackprop.derive.lecture import general_ways, way_to
from symbackprop.derive.network import recursion
from symbackprop.errors import DerivationError

STEP = 1e-30


def slope(equations: Sequence[Equation], of: str, at: str, env: Mapping[str, np.ndarray], sizes_: Mapping) -> np.ndarray:
    """The derivative of one tensor with respect to another through these equations, by complex steps."""
    out = np.zeros((*np.shape(env[of]), *np.shape(env[at])))
    for place in np.ndindex(*np.shape(env[at])):
        moved = np.asarray(env[at]).astype(complex)
        moved[place] += STEP * 1j
        now = {**env, at: moved}
        for e in equations:
            if e.tensor.name != at:
                now[e.tensor.name] = evaluate_equation(e, {t.name: now[t.name] for t in e.reads}, sizes_, np.complex128)
        out[(..., *place)] = now[of].imag / STEP
    return out


def lines_hold(record, values, *, entry: bool = False) -> int:
    """Compare every line with the value of its left side; return how many there were."""
    env = interpret(record.system, values)
    tensors = {name: record.tensors[name] for name in env}
    known = solve_sizes(tensors, env)
    forward = record.forward_system.equations
    count = 0
    for name in record.cotangents.values():
        way = way_to(record, name, entry=entry)
        named = {}
        for jacobian, (_, between) in way.local.items():
            top, _, bottom = jacobian.removeprefix("d ").partition("/d ")
            named[jacobian] = slope(between, top, bottom, env, known)
        for passage in way.lecture:
            given = {}
            for t in passage.index.reads:
                if t.name in named:
                    given[t.name] = named[t.name]
                elif t.name in env:
                    given[t.name] = env[t.name]
                else:
                    prefix, _, of = t.name.partition(".")
                    assert prefix in ("grad", "hvp")
                    given[t.name] = slope(forward, record.loss, of, env, known)
            # Sums over a few terms round in another order: some units in the last place of numbers of size 1.
            np.testing.assert_allclose(
                evaluate_equation(passage.index, given, known), env[name], rtol=1e-9, atol=1e-12, err_msg=passage.rule
            )
            if passage.matrix is not None and not entry:
                np.testing.assert_allclose(passage.matrix.evaluate(given), env[name], rtol=1e-9, atol=1e-12, err_msg=passage.rule)
            count += 1
        assert way.lecture[-1].index.rhs == way.result.rhs
    return count


def networks():
    x = sbp.Input(3)
    first = sbp.Dense(3, activation="tanh", name="first")(x)
    second = sbp.Dense(3, activation="sigmoid", name="second")(first)
    residual = sbp.Dense(2, name="out")(sbp.Add()(first, second))
    S, D = sbp.Sequential, sbp.Dense
    return {
        "squares": S([sbp.Input(2), D(3, activation="sigmoid"), D(2, activation="tanh")], loss="half_squared_error"),
        "softmax": S([sbp.Input(2), D(3, activation="relu"), D(4)], loss="softmax_cross_entropy"),
        "penalty": S(
            [sbp.Input(2), D(3, activation="softplus"), D(4, activation="softmax")], loss="cross_entropy", regularizer=sbp.L2(0.1)
        ),
        "gelu": S([sbp.Input(2), D(3, activation="gelu"), D(4, activation="elu")], loss="mse"),
        "hinge": S([sbp.Input(2), D(3, activation="leaky_relu"), D(4)], loss="multiclass_hinge"),
        "residual": sbp.Network(x, residual, loss="half_squared_error"),
    }


def some_values(record):
    rng = np.random.default_rng(3)
    values = {}
    for name in record.forward_system.free:
        t = record.tensors[name]
        shape = [int(e) if e.is_Integer else 3 for e in t.shape]
        values[name] = rng.integers(0, 3, shape) if t.integer else rng.normal(size=shape)
    if record.forward_system.facts or "loss.S" in record.tensors:
        values["y"] = np.abs(values["y"]) / np.abs(values["y"]).sum(-1, keepdims=True)
    return values


@pytest.mark.parametrize("per", ["sample", "batch"])
@pytest.mark.parametrize("name", sorted(networks()))
def test_every_line_is_true(name, per):
    record = networks()[name].derive(per=per).record
    assert lines_hold(record, some_values(record)) > 15


@pytest.mark.parametrize("name", ["squares", "residual"])
def test_every_line_of_single_entries_is_true(name):
    record = networks()[name].derive(per="sample").record
    assert lines_hold(record, some_values(record), entry=True) > 15


def square_of_norm(extra: bool = False):
    i, j = indices("i j", *sizes("m n"))
    W, x, q, f = tensor("W", i, j), tensor("x", j), tensor("q", i), tensor("f")
    total = Sum(q[i] ** 2, i) + (Sum(W[i, j] ** 2, i, j) if extra else 0)
    return sbp.derive(System([Equation(q[i], Sum(W[i, j] * x[j], j)), Equation(f[()], total)]), of="f", wrt=["W", "x"])


VALUES = {"W": [[0.1, 0.5], [-0.3, 0.8]], "x": [0.2, 0.4]}


@pytest.mark.parametrize("extra", [False, True], ids=["q alone", "a penalty beside it"])
def test_lines_of_a_system_are_true(extra):
    # With the penalty, f reads W directly and through q: the parts are added.
    derivation = square_of_norm(extra)
    assert lines_hold(derivation.record, VALUES) > 5
    assert any("add the parts" in p.rule for p in derivation.gradients["W"].way.lecture) == extra


def test_a_wrong_line_is_found():
    # The check bites: a derivative that is read as its transpose has another value.
    record = square_of_norm().record
    way = way_to(record, "grad.x")
    chain = way.lecture[0]
    assert chain.rule == "chain rule"
    (name,) = (t.name for t in chain.index.reads if t.name.startswith("d "))
    env = interpret(record.system, VALUES)
    jacobian = np.asarray(VALUES["W"])
    sizes_ = solve_sizes({n: record.tensors[n] for n in env}, env)
    q = {"grad.q": 2 * env["q"]}
    right = evaluate_equation(chain.index, {**q, name: jacobian}, sizes_)
    wrong = evaluate_equation(chain.index, {**q, name: jacobian.T}, sizes_)
    np.testing.assert_allclose(right, [-0.112, 0.636], rtol=1e-12)
    assert np.abs(wrong - right).max() > 0.1


def test_a_general_layer_is_derived_like_the_layers_that_it_stands_for():
    f = sbp.Activation("f")
    net = sbp.Sequential(
        [sbp.Input(5), *(sbp.Dense(7, activation=f) for _ in range(5)), sbp.Dense(3, activation=f)], loss="half_squared_error"
    )
    record = net.derive(per="sample").record
    ways = general_ways(record)
    assert [rung.kind for rung, _ in ways] == [rung.kind for rung in recursion(record)]
    for rung, way in ways:
        # Widths are symbols, and each belongs to a layer.
        assert all(axis.extent.is_Symbol and axis.extent in rung.widths for axis in way.result.tensor.axes)
        assert len(way.lecture) >= 3


def test_lines_of_a_second_order_are_true():
    # There the gradients of first order are values of the forward pass; their names are not taken for derivatives.
    record = networks()["squares"].derive(per="sample").hvp().record
    rng = np.random.default_rng(7)
    values = {n: rng.normal(size=[int(e) for e in record.tensors[n].shape]) for n in record.forward_system.free}
    assert lines_hold(record, values) > 10


def convolution():
    n, k = sizes("n k")
    y = indices("y", n - k + 1)
    u, r = indices("u r", k, n)
    W, A, Z, f = tensor("W", u), tensor("A", r), tensor("Z", y), tensor("f")
    equations = [Equation(Z[y], Sum(W[u] * A[y + u], u)), Equation(f[()], Sum(Z[y] ** 2, y))]
    return sbp.derive(System(equations), of="f", wrt=["W", "A"])


def test_lines_with_reckoned_indices_are_true():
    rng = np.random.default_rng(9)
    derivation = convolution()
    assert lines_hold(derivation.record, {"W": rng.normal(size=3), "A": rng.normal(size=7)}) > 4
    # A single entry of a kernel has no short form in numbers that start at 1.
    with pytest.raises(DerivationError, match="reckoned with"):
        derivation.weight("W", 2).lines()
