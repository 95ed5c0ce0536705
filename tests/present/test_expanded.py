"""Sums written out: one line for each entry, as the decks show the forward pass."""

from __future__ import annotations

from functools import lru_cache

import pytest

import symbackprop as sbp
from symbackprop.errors import DeclarationError
from symbackprop.present.expanded import expanded, plain_expanded
from symbackprop.present.naming import network_naming
from symbackprop.present.notation import PRESETS


@lru_cache
def deck():
    """The 3-3-1 network of the fifth deck."""
    g = [sbp.Activation("g") for _ in range(2)]
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(3, activation=g[0]), sbp.Dense(1, activation=g[1])], loss="half_squared_error")
    record = sbp.pipeline.derive_network(net.spec, target="rows", per="sample")
    return {e.tensor.name: e for e in record.system.equations}, network_naming(record.model)


@pytest.mark.deck("D4.5")
def test_the_forward_pass_of_the_deck():
    equations, naming = deck()
    z, a = equations["dense_1.z"], equations["dense_1.a"]
    assert expanded(z, naming, notation="ng")[0].latex == (
        "z_1^{(2)} = w_{10}^{(1)} + w_{11}^{(1)} x_1 + w_{12}^{(1)} x_2 + w_{13}^{(1)} x_3"
    )
    lines = [line.latex for line in expanded(a, naming, notation="ng", inside=[z], units=True)]
    assert lines[1] == (
        r"a_2^{(2)} = g(\underbrace{w_{20}^{(1)} x_0 + w_{21}^{(1)} x_1 + w_{22}^{(1)} x_2 + w_{23}^{(1)} x_3}_{z_2^{(2)}})"
    )
    assert len(lines) == 3
    (last,) = expanded(equations["dense_2.a"], naming, notation="ng", inside=[equations["dense_2.z"]], units=True)
    assert last.latex.startswith(r"a_1^{(3)} = g(\underbrace{w_{10}^{(2)} a_0^{(2)} + w_{11}^{(2)} a_1^{(2)}")


@pytest.mark.deck("D4.14", "D4.15", "E22")
def test_error_terms_and_gradients_of_the_deck():
    equations, naming = deck()
    assert plain_expanded(equations["delta.dense_1"], naming, notation="ng")[0] == "δ_1^(2) = w_11^(2) δ_1^(3) g'(z_1^(2))"
    gradient = plain_expanded(equations["grad.dense_2.W"], naming, notation="ng")
    assert gradient == (
        "∂E/∂w_10^(2) = δ_1^(3)",
        "∂E/∂w_11^(2) = δ_1^(3) a_1^(2)",
        "∂E/∂w_12^(2) = δ_1^(3) a_2^(2)",
        "∂E/∂w_13^(2) = δ_1^(3) a_3^(2)",
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_writes_every_equation_out(preset):
    equations, naming = deck()
    for equation in equations.values():
        lines = expanded(equation, naming, notation=preset)
        entries = 1
        for extent in equation.tensor.shape:
            entries *= int(extent)
        # A folded bias is column 0 of the gradient of its weights.
        assert len(lines) >= entries
        assert not any(r"\sum" in line.latex for line in lines)


def test_entries_are_counted_as_in_print():
    equations, naming = deck()
    gradient = equations["grad.dense_1.W"]
    assert plain_expanded(gradient, naming, entries=[(1, 3)]) == ("∂L/∂W_13^(1) = δ_1^(2) x_3",)
    assert plain_expanded(gradient, naming, notation="ng", entries=[(2, 0)]) == ("∂E/∂w_20^(1) = δ_2^(2)",)
    for entry in ((0, 1), (1, 4), (1,)):
        with pytest.raises(DeclarationError, match="3 × 3 entries"):
            plain_expanded(gradient, naming, entries=[entry])


def test_long_sums_have_dots():
    net = sbp.Sequential([sbp.Input(30), sbp.Dense("n", activation="tanh"), sbp.Dense(1)], loss="half_squared_error")
    model = sbp.pipeline.derive_network(net.spec, per="sample")
    naming = network_naming(model.model)
    first, *_, last = expanded(model.system.equations[0], naming)
    assert first.latex == r"z_1^{(2)} = W_{11}^{(1)} x_1 + W_{12}^{(1)} x_2 + \dots + W_{1, 30}^{(1)} x_{30} + b_1^{(1)}"
    assert last.latex.startswith("z_n^{(2)} = W_{n1}^{(1)} x_1 + ")


def test_a_penalty_leaves_the_biases_alone():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(1)], loss="half_squared_error", regularizer=sbp.L2(0.5))
    model = sbp.pipeline.derive_network(net.spec)
    lines = plain_expanded(model.equation("grad.dense_1.W"), network_naming(model.model), notation="ng")
    assert lines == (
        "∂E/∂w_10^(1) = δ_11^(2) + δ_21^(2) + … + δ_m1^(2)",
        "∂E/∂w_11^(1) = δ_11^(2) x_11 + δ_21^(2) x_21 + … + δ_m1^(2) x_m1 + 1/2 w_11^(1)",
        "∂E/∂w_12^(1) = δ_11^(2) x_12 + δ_21^(2) x_22 + … + δ_m1^(2) x_m2 + 1/2 w_12^(1)",
    )
