"""The check can fail: every planted fault is caught, and the row that fails names it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hand import network, program, spoiled

from symbackprop.algebra.nodes import Sum
from symbackprop.errors import CheckError
from symbackprop.validate.check import check_network

GRADIENTS = ("dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b", "x")
COTANGENTS = ("delta.dense_1", "delta.dense_2", "grad.dense_1.a", *(f"grad.{name}" for name in GRADIENTS))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", ["tanh", "relu"])
@pytest.mark.parametrize("widths", [(3, 4, 2), (1, 1, 1), (30, 20, 7)])
def test_right_gradients_pass(dtype, hidden, widths):
    model, derived = network(widths, hidden)
    for seed in range(5):
        report = check_network(model, derived, program(derived, dtype), dtype=dtype, seed=seed)
        assert report.ok, str(report)
        assert {row.proof for row in report.rows} == {"maths", "code"}


@pytest.mark.parametrize("factor", [1 + 1e-6, 1.0001, 0.5, -1.0, 0.0, float("nan")])
@pytest.mark.parametrize("tensor", GRADIENTS)
def test_a_factor_in_one_gradient_of_a_program_is_caught_and_named(tensor, factor):
    model, derived = network()

    def wrong(grads):
        grads[tensor] = grads[tensor] * factor

    report = check_network(model, derived, program(derived, change=wrong))
    assert not report.ok
    assert [(row.proof, row.tensor) for row in report.failures] == [("code", f"grad.{tensor}")]
    assert report.worst.layer == tensor.rpartition(".")[0]
    with pytest.raises(CheckError, match=f"grad.{tensor}"):
        report.raise_for_failure()


@pytest.mark.parametrize("widths", [(3, 4, 2), (30, 20, 7)])
@pytest.mark.parametrize("tensor", GRADIENTS)
def test_a_factor_of_1_0001_is_caught_in_float32(tensor, widths):
    model, derived = network(widths)

    def wrong(grads):
        grads[tensor] = grads[tensor] * np.float32(1.0001)

    for seed in range(3):
        report = check_network(model, derived, program(derived, np.float32, wrong), dtype=np.float32, seed=seed)
        assert [row.tensor for row in report.failures] == [f"grad.{tensor}"]


@pytest.mark.parametrize("cotangent", COTANGENTS)
@pytest.mark.parametrize("factor", [1 + sympy.Float(1e-6), sympy.Float(1.0001), sympy.Integer(2)])
def test_a_factor_in_one_derived_equation_is_caught_and_only_that_equation_is_blamed(cotangent, factor):
    model, derived = network()
    wrong = spoiled(derived, cotangent, lambda rhs: rhs * factor)
    report = check_network(model, wrong, None)
    by_chain = [row.tensor for row in report.failures if row.method == "complex step"]
    assert by_chain == [cotangent]


@pytest.mark.parametrize(("size", "tensor"), [(30, "grad.dense_1.W"), (30, "grad.x"), (30, "delta.dense_1")])
def test_a_wrong_entry_outside_the_chosen_ones_is_seen_along_random_directions(size, tensor):
    model, derived = network((size, size, 3))
    wrong = spoiled(derived, tensor, lambda rhs: rhs * sympy.Float(1.0001))
    assert tensor in [row.tensor for row in check_network(model, wrong, None).failures]


def test_a_dropped_bias_gradient_a_stale_activation_and_a_lost_slope_are_caught():
    model, derived = network()
    tensors = derived.tensors
    a1, z1, W2, d2 = (tensors[name] for name in ("dense_1.a", "dense_1.z", "dense_2.W", "delta.dense_2"))
    n, j = a1.axes
    k = W2.axes[0]
    faults = {
        "grad.dense_1.b": lambda rhs: sympy.Integer(0),
        "grad.dense_2.W": lambda rhs: rhs.xreplace({a1: z1}),  # the pre-activation in place of the activation
        "delta.dense_1": lambda rhs: rhs / (1 - a1[n, j] ** 2),  # f' forgotten
        "grad.dense_1.a": lambda rhs: Sum(W2[k, j] * d2[n, k] ** 2, k),
    }
    for cotangent, change in faults.items():
        report = check_network(model, spoiled(derived, cotangent, change), None)
        assert [row.tensor for row in report.failures if row.method == "complex step"] == [cotangent]


def test_a_transposed_gradient_and_one_wrong_entry_are_caught():
    model, derived = network((3, 3, 3))

    def transposed(grads):
        grads["dense_1.W"] = grads["dense_1.W"].T.copy()

    def entry(grads):
        grads["dense_2.W"][1, 2] *= 1.0001

    report = check_network(model, derived, program(derived, change=transposed))
    assert [row.tensor for row in report.failures] == ["grad.dense_1.W"]
    report = check_network(model, derived, program(derived, change=entry))
    assert [(row.tensor, row.index) for row in report.failures] == [("grad.dense_2.W", (1, 2))]
    assert "grad.dense_2.W" in str(report) and "[1, 2]" in str(report)


def test_a_gradient_of_another_shape_and_a_missing_one_are_named():
    model, derived = network()

    def flat(grads):
        grads["dense_1.W"] = grads["dense_1.W"].ravel()
        del grads["dense_2.b"]

    report = check_network(model, derived, program(derived, change=flat))
    assert {row.tensor: row.note for row in report.failures} == {
        "grad.dense_1.W": "shape (12,), expected (4, 3)",
        "grad.dense_2.b": "the program returns no gradient for it",
    }


def test_a_wrong_loss_is_caught():
    model, derived = network()
    honest = program(derived)

    def halved(params, inputs, target):
        loss, grads = honest(params, inputs, target)
        return loss / 2, grads

    report = check_network(model, derived, halved)
    assert [row.tensor for row in report.failures] == ["loss"]


def test_the_same_seed_gives_the_same_report():
    model, derived = network()
    assert str(check_network(model, derived, program(derived), seed=4)) == str(check_network(model, derived, program(derived), seed=4))
