"""The recursion over layers, from the declaration to the printed line."""

from __future__ import annotations

import dataclasses

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


LINES = {
    "cs231n": (
        r"\nabla_{s_F} L_i = (h_F - y) \odot f'(s_F)",
        r"\nabla_{s_l} L_i = \left( W_{l+1}^T (\nabla_{s_{l+1}} L_i) \right) \odot f'(s_l)",
        r"\nabla_{W_l} L_i = (\nabla_{s_l} L_i) h_{l-1}^T",
        r"\nabla_{b_l} L_i = \nabla_{s_l} L_i",
    ),
    "tuwien": (
        r"\frac{\partial L}{\partial v_K} = (a_K - y) \odot \varphi'(v_K)",
        r"\frac{\partial L}{\partial v_k} = \left( W_{k+1}^T \frac{\partial L}{\partial v_{k+1}} \right) \odot \varphi'(v_k)",
        r"\frac{\partial L}{\partial W_k} = \frac{\partial L}{\partial v_k} a_{k-1}^T",
        r"\frac{\partial L}{\partial b_k} = \frac{\partial L}{\partial v_k}",
    ),
    "ng": (
        r"\delta^{(L)} = (a^{(L)} - y) \circ g'(z^{(L)})",
        r"\delta^{(l)} = \left( (\bar{w}^{(l)})^T \delta^{(l+1)} \right) \circ g'(z^{(l)})",
        r"\frac{\partial E}{\partial w^{(l)}} = \delta^{(l+1)} (a^{(l)})^T",
        r"\frac{\partial E}{\partial w_{\cdot 0}^{(l)}} = \delta^{(l+1)}",
    ),
    "goodfellow": (
        r"\boldsymbol{g}^{(l)} = (\boldsymbol{h}^{(l)} - \boldsymbol{y}) \odot f'(\boldsymbol{a}^{(l)})",
        r"\boldsymbol{g}^{(k)} = \left( (\boldsymbol{W}^{(k+1)})^{\top} \boldsymbol{g}^{(k+1)} \right) \odot f'(\boldsymbol{a}^{(k)})",
        r"\nabla_{\boldsymbol{W}^{(k)}} L = \boldsymbol{g}^{(k)} (\boldsymbol{h}^{(k-1)})^{\top}",
        r"\nabla_{\boldsymbol{b}^{(k)}} L = \boldsymbol{g}^{(k)}",
    ),
    "bishop": (
        r"\boldsymbol{\delta}^{(L)} = (\mathbf{y} - \mathbf{t}) \odot h'(\mathbf{a}^{(L)})",
        r"\boldsymbol{\delta}^{(l)} = \left( (\bar{\mathbf{W}}^{(l+1)})^T \boldsymbol{\delta}^{(l+1)} \right) \odot h'(\mathbf{a}^{(l)})",
        r"\frac{\partial E_n}{\partial \mathbf{W}^{(l)}} = \boldsymbol{\delta}^{(l)} (\mathbf{z}^{(l-1)})^T",
        r"\frac{\partial E_n}{\partial \mathbf{w}_{\cdot 0}^{(l)}} = \boldsymbol{\delta}^{(l)}",
    ),
    "nielsen": (
        r"\delta^L = (a^L - y) \odot \sigma'(z^L)",
        r"\delta^l = \left( (w^{l+1})^T \delta^{l+1} \right) \odot \sigma'(z^l)",
        r"\frac{\partial C_x}{\partial w^l} = \delta^l (a^{l-1})^T",
        r"\frac{\partial C_x}{\partial b^l} = \delta^l",
    ),
}


@pytest.mark.deck("D4.12", "D4.13", "E21", "E22")
@pytest.mark.parametrize("preset", LINES)
def test_the_recursion_in_every_other_notation(preset):
    # E21: ∘ is not the matrix product. E22: the way back leaves column 0 out.
    assert network("half_squared_error").derive().recursion.latex(notation=preset) == tuple(LINES[preset])


def test_entries_in_the_letters_of_bishop_and_nielsen():
    recursion = network("half_squared_error").derive().recursion
    assert recursion.text(notation="bishop", form="index")[1].startswith("δ_j^(l) = (Σ_k w_kj^(l+1) δ_k^(l+1)) h'(a_j^(l))")
    assert recursion.text(notation="bishop", form="index")[2].startswith("∂E_n/∂w_ji^(l) = δ_j^(l) z_i^(l-1)")
    assert recursion.text(notation="nielsen", form="index")[1].startswith("δ_j^l = (Σ_k w_kj^{l+1} δ_k^{l+1}) σ'(z_j^l)")
    assert recursion.text(notation="nielsen", form="index")[2].startswith("∂C_x/∂w_jk^l = δ_j^l a_k^{l-1}")


@pytest.mark.deck("D4.15")
def test_gradients_of_the_fifth_deck():
    lines = network("half_squared_error").derive().recursion.text(notation="ng", form="index")
    assert lines[2].startswith("∂E/∂w_ij^(l) = δ_i^(l+1) a_j^(l)    (weight; l = 3, ..., 1)")
    assert lines[3].startswith("∂E/∂w_i0^(l) = δ_i^(l+1)")


@pytest.mark.deck("D0.12", "E1")
def test_both_readings_of_a_weight():
    # E1: W_ij leads to i in the formulas of the deck; if it is to lead from i, every product turns with it.
    recursion = network("half_squared_error").derive().recursion
    other = dataclasses.replace(sbp.notation("ufldl"), name="mine", weight_index="source first")
    assert recursion.latex(notation=other, form="index")[1] == (
        r"\delta_i^{(l)} = \left( \sum_{j=1}^{s_{l+1}} W_{ij}^{(l)} \delta_j^{(l+1)} \right) f'(z_i^{(l)})"
    )
    assert recursion.latex(notation=other)[1:3] == (
        r"\delta^{(l)} = (W^{(l)} \delta^{(l+1)}) \circ f'(z^{(l)})",
        r"\nabla_{W^{(l)}} L = a^{(l)} (\delta^{(l+1)})^{\top}",
    )


def test_layers_without_bias_have_no_column_0():
    layers = [sbp.Input(3), *(sbp.Dense(4, activation="tanh", bias=False) for _ in range(3)), sbp.Dense(2, bias=False)]
    lines = sbp.Sequential(layers, loss="half_squared_error").derive().recursion.text(notation="ng")
    assert lines[1].startswith("δ^(l) = ((w^(l))ᵀ δ^(l+1)) ∘ (1 - a^(l) ∘ a^(l))") and len(lines) == 3


@pytest.mark.deck("D3.4")
def test_activations_as_layers_count_twice():
    own = dataclasses.replace(sbp.notation("tuwien"), name="mine", activation_layer="own", error_term="letter")
    lines = network("half_squared_error").derive().recursion.text(notation=own)
    assert lines[1].startswith("δ_k = (W_{k+2}ᵀ δ_{k+2}) ⊙ φ'(v_k)")
    assert lines[2] == "∂L/∂W_k = δ_k a_{k-1}ᵀ    (weight; k = 5, 3, ..., 1)"
