"""What a notation changes beyond letters: each rewritten equation still holds, of arrays laid out in its own way."""

from __future__ import annotations

import dataclasses
import itertools
from functools import lru_cache

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra import Equation, Index
from symbackprop.algebra.interpret import evaluate_equation, solve_sizes
from symbackprop.derive.matrix import matrix_form
from symbackprop.pipeline import derive_network
from symbackprop.present.convention import arranged
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.matrix import laid_out
from symbackprop.present.naming import EXTENDED, network_naming
from symbackprop.present.notation import LAYOUTS, PRESETS, notation

BATCH = 5


def chain(**options):
    layers = [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2, activation="sigmoid")]
    return sbp.Sequential(layers, loss="half_squared_error", **options)


def scores():
    layers = [sbp.Input(3), sbp.Dense(4, activation="relu"), sbp.Dense(6), sbp.Dense(2, bias=False)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy")


def residual():
    x = sbp.Input(3)
    h = sbp.Dense(3, activation="sigmoid")(x)
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.Concat()(x + h, h)), loss="huber")


def shared():
    x = sbp.Input(3)
    layer = sbp.Dense(3, activation="tanh")
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(layer(layer(x))), loss="half_squared_error")


NETWORKS = {"chain": chain, "penalty": lambda: chain(regularizer=sbp.L2(0.1)), "scores": scores, "residual": residual, "shared": shared}


@lru_cache
def case(which, per):
    """A derivation, its naming, and the engine's values at one random point."""
    record = derive_network(NETWORKS[which]().spec, target="rows", per=per)
    rng = np.random.default_rng(7)
    given = {}
    for name, tensor in record.forward_system.tensors.items():
        if name not in record.forward_system.defined:
            shape = [int(e) if e.is_Integer else BATCH for e in tensor.shape]
            given[name] = rng.standard_normal(shape)
    if which == "scores":
        given["y"] = np.abs(given["y"]) / np.abs(given["y"]).sum(axis=-1, keepdims=True)
    return record, network_naming(record.model), sbp.Derivation(record).evaluate(given)


def laid(tensor, values, naming, style, record):
    """The array that a rewritten equation means by a tensor."""
    name = tensor.name.removesuffix(EXTENDED)
    array = np.asarray(values[name], dtype=float)
    called = naming.of(name)
    weight = called.role == "weight" or (called.role == "gradient" and called.of.role == "weight")
    if tensor.name.endswith(EXTENDED):
        if weight:
            column = values[name[:-1] + "b"]
            array = np.concatenate([np.asarray(column)[:, None], array], axis=1)
        else:
            array = np.concatenate([np.ones((*array.shape[:-1], 1)), array], axis=-1)
    if array.ndim == 2 and weight and style.weight_index == "source first":
        return array.T
    if array.ndim == 2 and not weight and style.batch_samples == "columns" and record.tensors[name].role != "parameter":
        return array.T
    return array


MIXED = [
    dataclasses.replace(notation("ufldl"), name=f"{w[0]}{b[0]}{s[0]}", weight_index=w, bias_form=b, batch_samples=s)
    for w, b, s in itertools.product(("destination first", "source first"), ("separate", "folded"), ("rows", "columns"))
]


@pytest.mark.parametrize("style", MIXED, ids=lambda n: n.name)
@pytest.mark.parametrize("per", ["sample", "batch"])
@pytest.mark.parametrize("which", NETWORKS)
def test_every_rewritten_equation_holds(which, per, style):
    record, naming, values = case(which, per)
    compared = 0
    for equation in record.system.equations:
        form = matrix_form(equation)
        for shown in (equation, *([] if form is None else [form])):
            made = arranged(shown, naming, style)
            arrays = {t.name: laid(t, values, naming, style, record) for t in made.reads}
            wanted = laid(made.tensor, values, naming, style, record)
            if isinstance(made, Equation):
                tensors = {t.name: t for t in (made.tensor, *made.reads)}
                sizes = solve_sizes(tensors, {**arrays, made.tensor.name: wanted})
                np.testing.assert_allclose(evaluate_equation(made, arrays, sizes), wanted, atol=1e-12, rtol=1e-10)
                compared += 1
                continue
            for layout in LAYOUTS:
                np.testing.assert_allclose(laid_out(made, layout).evaluate(arrays), wanted, atol=1e-12, rtol=1e-10)
                compared += 1
    assert compared > 20


def written(which, name, style, form="matrix", per="sample", **options):
    record, naming, _ = case(which, per)
    equation = next(e for e in record.system.equations if e.tensor.name == name)
    return plain_equation(matrix_form(equation) if form == "matrix" else equation, naming, notation=style, **options)


def mix(**changes):
    return dataclasses.replace(notation("ufldl"), name="mine", **changes)


def test_the_deck_that_folds_the_bias_drops_column_0_on_the_way_back():
    # E22: the bias unit has no error term, and its weight's gradient is the error term, because its input is 1.
    assert written("chain", "dense_1.z", "ng") == "z^(2) = w^(1) x"
    assert written("chain", "dense_1.z", "ng", "index") == "z_i^(2) = Σ_{j≥0} w_ij^(1) x_j"
    assert written("chain", "delta.dense_1", "ng") == "δ^(2) = ((w̄^(2))ᵀ δ^(3)) ∘ (1 - ā^(2) ∘ ā^(2))"
    assert written("chain", "grad.dense_2.W", "ng") == "∂E/∂w^(2) = δ^(3) (a^(2))ᵀ"
    assert written("chain", "grad.dense_2.b", "ng", "index") == "∂E/∂w_i0^(2) = δ_i^(3)"
    assert written("chain", "grad.dense_2.b", "ng") == "∂E/∂w_{·0}^(2) = δ^(3)"


def test_a_penalty_leaves_column_0_alone():
    # The bias is not regularised: the gradient of the rest of the matrix is written, with its bar.
    assert written("penalty", "grad.dense_2.W", mix(bias_form="folded"), per="batch") == ("∇_{W̄^(2)} L = (Δ^(3))ᵀ Ā^(2) + 0.1 W̄^(2)")

    assert written("penalty", "grad.dense_2.W", mix(bias_form="folded"), "index", per="batch") == (
        "∂L/∂W_ij^(2) = Σ_n δ_ni^(3) a_nj^(2) + 0.1 W_ij^(2) [j ≥ 1]"
    )


def test_a_layer_without_bias_has_no_column_0():
    assert written("scores", "dense_3.z", "ng") == "z^(4) = w^(3) z^(3)"
    assert written("scores", "dense_2.z", "ng") == "z^(3) = w^(2) a^(2)"


@pytest.mark.deck("E1")
def test_weights_that_lead_from_i_to_j():
    style = mix(weight_index="source first")
    assert written("chain", "dense_2.z", style) == "z^(3) = (W^(2))ᵀ a^(2) + b^(2)"
    assert written("chain", "dense_2.z", style, "index") == "z_i^(3) = Σ_j W_ji^(2) a_j^(2) + b_i^(2)"
    assert written("chain", "delta.dense_1", style) == "δ^(2) = (W^(2) δ^(3)) ∘ (1 - a^(2) ∘ a^(2))"
    assert written("chain", "delta.dense_1", style, "index") == "δ_i^(2) = (Σ_j W_ij^(2) δ_j^(3)) (1 - (a_i^(2))²)"
    assert written("chain", "grad.dense_2.W", style) == "∇_{W^(2)} L = a^(2) (δ^(3))ᵀ"
    assert written("chain", "grad.dense_2.W", style, "index") == "∂L/∂W_ij^(2) = δ_j^(3) a_i^(2)"


def test_a_batch_in_rows_and_in_columns():
    rows, columns = mix(), mix(batch_samples="columns")
    assert written("chain", "dense_2.z", rows, per="batch") == "Z^(3) = A^(2) (W^(2))ᵀ + 𝟏 (b^(2))ᵀ"
    assert written("chain", "dense_2.z", columns, per="batch") == "Z^(3) = W^(2) A^(2) + b^(2) 𝟏ᵀ"
    assert written("chain", "dense_1.a", columns, per="batch") == "A^(2) = tanh(Z^(2))"
    assert written("chain", "delta.dense_1", columns, per="batch") == "Δ^(2) = ((W^(2))ᵀ Δ^(3)) ∘ (1 - A^(2) ∘ A^(2))"
    assert written("chain", "grad.dense_2.W", columns, per="batch") == "∇_{W^(2)} L = Δ^(3) (A^(2))ᵀ"
    assert written("chain", "grad.dense_2.b", columns, per="batch") == "∇_{b^(2)} L = Δ^(3) 𝟏"
    source = mix(weight_index="source first")
    assert written("chain", "dense_1.z", source, per="batch") == "Z^(2) = X W^(1) + 𝟏 (b^(1))ᵀ"
    assert written("chain", "grad.dense_2.W", source, per="batch") == "∇_{W^(2)} L = (A^(2))ᵀ Δ^(3)"
    folded = mix(weight_index="source first", bias_form="folded")
    assert written("chain", "dense_1.z", folded, per="batch") == "Z^(2) = X W^(1)"


@pytest.mark.parametrize("style", MIXED, ids=lambda n: n.name)
def test_sums_over_samples_hold(style):
    record, naming, values = case("chain", "batch")
    for equation in record.system.equations:
        first = next(iter(equation.lhs.index), None)
        sample = first if first is not None and first.extent == naming.batch else Index("n", naming.batch)
        form = matrix_form(equation, sample=sample)
        if form is not None:
            made = arranged(form, naming, style)
            arrays = {t.name: laid(t, values, naming, style, record) for t in made.reads}
            wanted = laid(made.tensor, values, naming, style, record)
            for layout in LAYOUTS:
                np.testing.assert_allclose(laid_out(made, layout).evaluate(arrays), wanted, atol=1e-12, rtol=1e-10)


def test_the_mark_of_a_sample():
    lines = {
        "ufldl": "∇_{W^(2)} L = Σ_i δ^(3)(i) (a^(2)(i))ᵀ",
        "larochelle": "∂L/∂W_2 = Σ_n δ_3^n (h_2^n)ᵀ",
        "cs231n": "∇_{W_2} L = Σ_i (∇_{s[2,i]} L) (h[1,i])ᵀ",
        "ng": "∂E/∂w^(2) = Σ_i δ^(3)(i) (a^(2)(i))ᵀ",
        "bishop": "∂E/∂W^(2) = Σ_n δ_n^(2) (z_n^(1))ᵀ",
        "nielsen": "∂C/∂w^3 = Σ_i δ_i^3 (a_i^2)ᵀ",
    }
    record, naming, _ = case("chain", "batch")
    form = matrix_form(record.equation("grad.dense_2.W"), sample=Index("n", naming.batch))
    assert {preset: plain_equation(form, naming, notation=preset) for preset in lines} == lines


def test_activations_that_are_layers_of_their_own_move_the_numbers():
    # D3.4: both views of one network.
    same = mix(first=0, weight_of="destination")
    own = dataclasses.replace(same, activation_layer="own")
    assert written("chain", "dense_2.z", same) == "z^(2) = W^(2) a^(1) + b^(2)"
    assert written("chain", "dense_2.z", own) == "z^(3) = W^(3) a^(2) + b^(3)"
    assert written("chain", "delta.dense_1", own) == "δ^(1) = ((W^(3))ᵀ δ^(3)) ∘ (1 - a^(2) ∘ a^(2))"
    source = mix(activation_layer="own")
    assert written("chain", "dense_2.z", source) == "z^(4) = W^(3) a^(3) + b^(3)"


@pytest.mark.parametrize("preset", PRESETS)
def test_error_terms_are_rows_in_numerator_layout(preset):
    record, naming, _ = case("chain", "sample")
    shapes = {}
    for layout in LAYOUTS:
        for equation in record.system.equations:
            if equation.tensor.role == "cotangent" and equation.tensor.rank:
                made = laid_out(arranged(matrix_form(equation), naming, notation(preset)), layout)
                assert made.lhs.shape == made.rhs.shape
                shapes.setdefault(equation.tensor.name, []).append(made.lhs.shape)
                latex_equation(matrix_form(equation), naming, notation=preset, layout=layout, shapes=True)
    for gradient, numerator, denominator in shapes.values():
        assert denominator == gradient and numerator == gradient[::-1]
