"""Every mistake of the decks fails where it is said to fail, by the amount that was worked out by hand, and its correction holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp

SCRIPTS = Path(__file__).parents[2] / "examples" / "decks"
ALL = [f"E{k}" for k in range(1, 29)]


@pytest.fixture(scope="module")
def errata() -> Iterator[Any]:
    """The module of the scripts."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        import errata

        yield errata
    finally:
        sys.path.remove(str(SCRIPTS))


@pytest.mark.parametrize("name", ALL)
def test_every_erratum_says_what_is_printed_what_is_right_and_why(errata, name):
    e = errata.erratum(name)
    assert e.id == name
    assert e.printed
    assert e.right
    assert e.verdict.endswith(".")
    assert e.found
    note = errata.footnote(name)
    assert isinstance(note, sbp.Footnote)
    assert all("$" not in part for part in note.parts if isinstance(part, str)), "a formula is left open"
    assert name in note.parts[0]


READ = ("E1", "E2", "E3", "E4", "E7", "E8", "E9", "E10", "E12", "E13", "E14", "E15", "E16", "E19", "E20", "E21", "E22", "E26")


@pytest.mark.parametrize("name", READ)
def test_what_the_deck_prints_is_read_and_fails_and_what_is_right_is_read_and_holds(errata, name):
    found = errata.erratum(name).found
    assert found["refused"] in ("difference", "shape error") or "has no value" in found["refused"] or "nothing says" in found["refused"]
    assert found["accepted"] == "equal"


def test_every_other_erratum_is_about_words_counts_or_an_order(errata):
    assert set(ALL) - set(READ) == {"E5", "E6", "E11", "E17", "E18", "E23", "E24", "E25", "E27", "E28"}
    assert all("refused" not in errata.erratum(name).found for name in set(ALL) - set(READ))


@pytest.mark.deck("E1")
def test_mixed_orientation_is_a_shape_error_and_silently_wrong_for_a_square(errata):
    found = errata.erratum("E1").found
    assert found["kind"] == "shape error"
    assert not found["holds"]
    assert found["square"] > 1e-4
    right = errata.E1_PRINTED.replace("W_{ij}", "W_{ji}")
    assert errata.claim(right, "ufldl").holds
    assert errata.claim(right, "ufldl", errata.network((2, 2, 2))).holds


@pytest.mark.deck("E2")
def test_error_terms_end_at_layer_2(errata):
    found = errata.erratum("E2").found
    assert found["layers"] == [2, 3, 4]
    assert "has no value" in found["refused"]


@pytest.mark.deck("E3", "D0.3")
def test_the_mean_squared_error_has_twice_the_gradient(errata):
    assert errata.erratum("E3").found["ratio"] == 2


@pytest.mark.deck("E4")
def test_one_sample_five_times_is_not_five_samples(errata):
    assert errata.erratum("E4").found["off"] > 1e-3


@pytest.mark.deck("E5", "D0.7")
def test_the_gradient_is_never_zero_but_soon_small(errata):
    found = errata.erratum("E5").found
    assert found["gradient"] > 0
    assert found["tolerance"] < 100 < found["steps"]
    # x_k = 3 · 0.8^k: the gradient 2 x_k is below 1e-6 from this k on.
    assert found["tolerance"] == next(k for k in range(200) if 6 * 0.8**k <= 1e-6)


@pytest.mark.deck("E6", "D0.1")
def test_depth_does_not_count_the_input(errata):
    assert errata.erratum("E6").found == {"depth": 2, "n_l": 3}


@pytest.mark.deck("E7")
def test_the_input_layer_has_no_pre_activation(errata):
    found = errata.erratum("E7").found
    assert (found["hidden"], found["L"]) == (2, 3)
    assert "a_1 has no value" in found["refused"]


@pytest.mark.deck("E8", "D1.6")
def test_a_penalty_inside_the_sum_is_counted_for_every_sample(errata, numbers):
    found = errata.erratum("E8").found
    assert found["once"] == pytest.approx(numbers["D1.5"]["penalty"], rel=1e-12)
    assert found["printed"] == pytest.approx(found["samples"] * found["once"], rel=1e-12)


@pytest.mark.deck("E9")
def test_the_gradient_of_weights_is_an_outer_product(errata):
    found = errata.erratum("E9").found
    assert found["kind"] == "shape error"
    assert not found["holds"]
    assert found["bias"]
    assert errata.claim(r"\frac{\partial L}{\partial W_1} = \delta_2 h_1^\top", "larochelle").holds


@pytest.mark.deck("E10")
def test_softmax_needs_its_full_jacobian(errata, numbers, same):
    found = errata.erratum("E10").found
    same(found["wrong"], numbers["D1.8"]["wrong_elementwise"])
    same(found["right"], numbers["D1.8"]["delta"])
    same(found["jacobian"], numbers["D1.3"]["jacobian"])


@pytest.mark.deck("E11")
def test_the_velocity_comes_first(errata, numbers, same):
    found = errata.erratum("E11").found
    same(found["printed"], numbers["D1.12"]["E11_printed_gradient_once_per_step"])
    same(found["right"], numbers["D1.12"]["right"])


@pytest.mark.deck("E12")
def test_decay_by_the_absolute_value_lets_a_negative_weight_grow(errata, numbers):
    found, row = errata.erratum("E12").found, numbers["D1.13"]
    assert found["printed"] == pytest.approx(row["E12_printed"], rel=1e-12)
    assert found["l2"] == pytest.approx(row["l2"], rel=1e-12)
    assert found["decoupled"] == pytest.approx(row["decoupled"], rel=1e-12)


@pytest.mark.deck("E13")
def test_the_index_of_the_hinge_loss_is_that_of_the_classes(errata, numbers):
    found = errata.erratum("E13").found
    assert found["right"] == pytest.approx(numbers["D2.1"]["loss"], rel=1e-12)
    assert all(abs(v - found["right"]) > 0.5 for v in found["printed"])
    assert "nothing says over which values i runs" in found["refused"]


@pytest.mark.deck("E14")
def test_a_free_class_gives_every_value(errata, numbers):
    found = errata.erratum("E14").found
    assert found["right"] == found["each"][0] == pytest.approx(numbers["D2.3"]["loss"], rel=1e-12)
    assert len({round(v, 6) for v in found["each"]}) == 3
    assert found["refused"] == "shape error"


@pytest.mark.deck("E15")
def test_a_sign_in_the_exponent(errata, numbers):
    found, row = errata.erratum("E15").found, numbers["D2.11"]
    assert found["printed"] == pytest.approx(row["E15_printed"], rel=1e-12)
    assert found["right"] == pytest.approx(row["dsigma"], rel=1e-12)
    assert sbp.check_claim(r"\sigma'(x) = \frac{e^{-x}}{(1 + e^{-x})^2}", {"x": 1.0}).holds
    assert not sbp.check_claim(r"\sigma'(x) = \frac{e^{-x}}{(1 + e^x)^2}", {"x": 1.0}).holds


@pytest.mark.deck("E16")
def test_a_quotient_that_should_be_a_product(errata, numbers):
    found, row = errata.erratum("E16").found, numbers["D2.11"]
    assert found["printed"] == pytest.approx(row["E16_printed_quotient"], rel=1e-12)
    assert found["right"] == pytest.approx(row["E16_right_product"], rel=1e-12)


@pytest.mark.deck("E17")
def test_the_padded_image_has_nine_rows_and_its_one(errata):
    assert errata.erratum("E17").found == {"shape": (9, 9), "rows": [4, 5, 6], "sum": 1}


@pytest.mark.deck("E18")
def test_parents_and_children_are_each_others_words(errata):
    found = errata.erratum("E18").found
    assert found["cs231n"] == found["tuwien"][::-1]
    assert found["ufldl"] == ("input", "consumer")


@pytest.mark.deck("E19", "D4.9")
def test_a_rounded_factor_prints_another_number(errata, numbers):
    found, row = errata.erratum("E19").found, numbers["D4.9"]
    assert found["exact"] == pytest.approx(row["exact"], rel=1e-15)
    assert found["rounded"] == pytest.approx(row["from_rounded_minus_0_53"], rel=1e-12)
    assert found["shown"] == "-0.20"
    assert f"{found['rounded']:.2f}" == "-0.19"
    assert found["inputs"] == [6, 5]


@pytest.mark.deck("E20")
def test_round_three_and_the_loss(errata, numbers, same):
    found = errata.erratum("E20").found
    same(found["round"], numbers["D4.11"]["rounds"][2][:3])
    assert found["shown"] == ["2.15", "-2.70", "-3.15"]
    assert found["loss"] == pytest.approx(found["error"] ** 2 / 2, rel=1e-12)
    assert round(found["error"], 1) == 0.3
    assert round(found["loss"], 3) == 0.045


@pytest.mark.deck("E21")
def test_one_dot_for_two_products_has_no_single_meaning(errata):
    found = errata.erratum("E21").found
    assert found["mixed"]
    assert found["matrix"] == found["elementwise"] == "shape error"
    assert any("matrix product" in note for note in found["notes"])
    assert any("elementwise product" in note for note in found["notes"])


@pytest.mark.deck("E22")
def test_the_bias_unit_has_no_error_term(errata):
    found = errata.erratum("E22").found
    assert found["kind"] == "shape error"
    assert not found["holds"]
    assert found["bias"]
    right = r"\delta^{(3)} = ((\bar{w}^{(3)})^T \delta^{(4)}) \circ \bar{a}^{(3)} \circ (1 - \bar{a}^{(3)})"
    assert errata.claim(right, "ng", errata.network(errata.FOUR)).holds


@pytest.mark.deck("E23")
def test_the_last_index_is_the_depth_and_one(errata):
    found = errata.erratum("E23").found
    assert found["last"] == found["depth"] + 1 == 3


@pytest.mark.deck("E24")
def test_a_large_rate_increases_the_loss(errata):
    found = errata.erratum("E24").found
    assert found["after"] < found["before"] < found["wild"]


@pytest.mark.deck("E25")
def test_input_and_output_are_different_spaces(errata):
    assert errata.erratum("E25").found == {"input": (4,), "output": (2,)}


@pytest.mark.deck("E26")
def test_the_cost_of_differences_and_a_missing_parenthesis(errata, numbers):
    found = errata.erratum("E26").found
    assert found["count"] == numbers["D3.5"]["count"]
    assert found["right"] == pytest.approx(numbers["D3.7"]["derivative"], abs=1e-6)
    assert found["printed"] == pytest.approx(found["right"] * 1e-6, rel=1e-9)


@pytest.mark.deck("E27")
def test_a_sum_has_two_ones(errata):
    assert errata.erratum("E27").found["ones"] == [1, 1]


@pytest.mark.deck("E28")
def test_patterns_and_ties(errata):
    found = errata.erratum("E28").found
    assert found["patterns"] == {"+": "distributes", "max": "routes", "*": "switches"}
    assert found["relu"] == 0
    assert found["tie"] == (1, 0)


@pytest.mark.deck("D1.7", "D3.17")
def test_the_gradient_of_a_batch_is_the_mean_of_its_samples_whatever_their_number():
    """Mini-batches are batches of any size; the samples' gradients are averaged, in parallel or one after another."""
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="softmax_cross_entropy", name="mini")
    params = net.init(seed=2, dtype="float64")
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((7, 3)), rng.integers(0, 2, 7)
    program = net.compile(target="numpy", dtype="float64")
    for size in (1, 3, 7):
        _, whole = program.value_and_grad(params, x[:size], y[:size])
        each = [program.value_and_grad(params, x[k : k + 1], y[k : k + 1])[1]["dense_1.W"].copy() for k in range(size)]
        np.testing.assert_allclose(whole["dense_1.W"], np.mean(each, axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.deck("D1.14")
def test_a_layers_gradient_reads_the_error_above_and_the_output_below_only():
    net = sbp.Sequential([sbp.Input(3), *(sbp.Dense(4, activation="tanh") for _ in range(3))], loss="half_squared_error", name="deep")
    d = net.derive(per="sample")
    below = {"dense_1": "x", "dense_2": "dense_1.a", "dense_3": "dense_2.a"}
    for layer, output in below.items():
        assert {t.name for t in d.gradients[f"{layer}.W"].index.reads} == {f"delta.{layer}", output}
        assert {t.name for t in d.gradients[f"{layer}.b"].index.reads} == {f"delta.{layer}"}
    order = [e.tensor.name for e in d.system.equations if e.tensor.name.startswith("delta.")]
    assert order == ["delta.dense_3", "delta.dense_2", "delta.dense_1"]


@pytest.mark.deck("D2.13")
def test_a_jacobian_has_the_derivative_of_each_output_by_each_input():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, activation="tanh")], loss="half_squared_error", name="layer")
    params = net.init(seed=3, dtype="float64")
    d = net.derive(per="sample")
    given = {name: params[name] for name in params} | {"x": np.array([0.3, -0.2, 0.5]), "y": np.zeros(2)}
    jacobian = d.jacobian("dense_1.a", "x").evaluate(given)
    step = 1e-6
    for j in range(3):
        ends = [d.evaluate(given | {"x": given["x"] + sign * step * np.eye(3)[j]})["dense_1.a"] for sign in (1, -1)]
        np.testing.assert_allclose(jacobian[:, j], (ends[0] - ends[1]) / (2 * step), rtol=1e-8)


@pytest.mark.deck("D3.3")
def test_each_output_of_a_linear_network_is_a_row_times_the_input():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="half_squared_error", name="linear")
    lines = [line.latex for line in net.derive(per="sample").expanded("dense_1.z", notation="tuwien")]
    assert lines == [f"v_{t}^{{(1)}} = W_{{{t}1}}^{{(1)}} x_1 + W_{{{t}2}}^{{(1)}} x_2 + b_{t}^{{(1)}}" for t in (1, 2)]
