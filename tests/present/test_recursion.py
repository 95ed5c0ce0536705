"""The recursion over layers, from the declaration to the printed line."""

from __future__ import annotations

import pytest

import symbackprop as sbp


def network(loss, last=None):
    def f():
        return sbp.Activation("f")

    layers = [sbp.Input("n_1"), sbp.Dense("n_2", activation=f()), sbp.Dense("n_3", activation=f())]
    return sbp.Sequential([*layers, sbp.Dense("n_4", activation=last or f())], loss=loss)


@pytest.mark.deck("D0.10", "D0.11", "D0.12", "D0.13")
def test_first_deck():
    recursion = network("half_squared_error").derive().recursion
    assert recursion.latex(notation="ufldl") == (
        r"\delta^{(n_l)} = -(y - a^{(n_l)}) \circ f'(z^{(n_l)})",
        r"\delta^{(l)} = \left( (W^{(l)})^{\top} \delta^{(l+1)} \right) \circ f'(z^{(l)})",
        r"\nabla_{W^{(l)}} L = \delta^{(l+1)} (a^{(l)})^{\top}",
        r"\nabla_{b^{(l)}} L = \delta^{(l+1)}",
    )
    assert recursion.latex(notation="ufldl", form="index")[:2] == (
        r"\delta_i^{(n_l)} = -(y_i - a_i^{(n_l)}) f'(z_i^{(n_l)})",
        r"\delta_i^{(l)} = \left( \sum_{j=1}^{s_{l+1}} W_{ji}^{(l)} \delta_j^{(l+1)} \right) f'(z_i^{(l)})",
    )


@pytest.mark.deck("D1.8", "D1.9", "D1.10")
def test_second_deck():
    recursion = network("half_squared_error").derive().recursion
    assert recursion.latex(notation="larochelle") == (
        r"\delta_K = (h_K - y) \bullet g'(a_K)",
        r"\delta_k = (W_k^{\top} \delta_{k+1}) \bullet g'(a_k)",
        r"\frac{\partial L}{\partial W_k} = \delta_{k+1} h_k^{\top}",
        r"\frac{\partial L}{\partial b_k} = \delta_{k+1}",
    )


@pytest.mark.deck("D1.8")
def test_softmax_output_with_the_full_jacobian():
    # E10: the elementwise formula of the deck is wrong for softmax; the difference p − y is what the Jacobian gives.
    scores = network("softmax_cross_entropy", last="identity").derive().recursion
    assert scores.latex(notation="larochelle")[0] == r"\delta_K = p - y"
