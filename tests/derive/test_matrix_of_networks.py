"""The derived equations of networks: the matrix form, where there is one, has the value of the index form."""

from __future__ import annotations

import numpy as np
import pytest
import zoo

import symbackprop as sbp
from symbackprop.algebra.interpret import evaluate_equation, interpret, solve_sizes
from symbackprop.derive.matrix import matrix_form


def compare(derivation, values):
    """Compare both forms of every equation, forward and backward; return how many had a matrix form."""
    system = derivation.system
    env = interpret(system, values)
    tensors = {name: system.tensors[name] for name in env}
    sizes = solve_sizes(tensors, env)
    count = 0
    for equation in system.equations:
        samples = [axis for axis in equation.tensor.axes[:1] if axis.name == "n"]
        for sample in (None, *samples):
            form = matrix_form(equation, sample=sample)
            if form is None or not {s for e in equation.tensor.shape for s in e.free_symbols} <= {
                s for t in equation.reads for e in t.shape for s in e.free_symbols
            }:
                continue
            count += 1
            want = evaluate_equation(equation, env, sizes)
            got = form.evaluate({t.name: env[t.name] for t in form.reads})
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10 * max(1.0, np.abs(want).max()), err_msg=str(form))
    return count


@pytest.mark.parametrize("seed", range(24))
def test_random_networks(seed):
    case = zoo.case(seed)
    target = "labels" if case.target.ndim == 1 else "rows"
    assert compare(case.net.derive(target=target), case.values) > 0


def test_every_gradient_of_dense_layers_has_a_matrix_form():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="softmax_cross_entropy")
    for per in ("batch", "sample"):
        d = net.derive(per=per)
        for result in (*d.error_terms.values(), *d.gradients.values()):
            assert result.matrix is not None
    assert str(d.gradients["dense_1.W"].matrix) == "grad.dense_1.W = delta.dense_1 xᵀ"
    assert str(d.error_terms["dense_2"].matrix) == "delta.dense_2 = loss.p - y"


def test_the_softmax_jacobian_is_a_diagonal_minus_an_outer_product():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="softmax")], loss="cross_entropy")
    jacobian = net.derive(per="sample").jacobian("dense_1.a", "dense_1.z")
    assert str(jacobian.matrix.rhs) == "diag(dense_1.a) - dense_1.a dense_1.aᵀ"
    assert jacobian.latex(notation="larochelle") == r"\frac{\partial h_2}{\partial a_2} = \operatorname{diag}(h_2) - h_2 h_2^{\top}"
