"""gradcheck: any function, no false alarms, and no wrong gradient that passes."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.errors import DataError, ShapeError
from symbackprop.validate.gradcheck import gradcheck

RNG = np.random.default_rng(7)
VALUES = {"W": RNG.standard_normal((4, 3)), "b": RNG.standard_normal(4), "x": RNG.standard_normal((5, 3))}


def dense(values, spoil=lambda g: None):
    """Mean of tanh(W x + b)² over a batch, with its gradients."""
    W, b, x = values["W"], values["b"], values["x"]
    a = np.tanh(x @ W.T + b)
    delta = 2 * a * (1 - a * a) / len(x)
    grads = {"W": delta.T @ x, "b": delta.sum(0), "x": delta @ W}
    spoil(grads)
    return float(np.sum(a * a) / len(x)), grads


def spoiler(name, change):
    def spoil(grads):
        grads[name] = change(grads[name])

    return spoil


def test_right_gradients_pass():
    report = gradcheck(dense, VALUES)
    assert report.ok, str(report)
    assert [row.tensor for row in report.rows] == ["W", "b", "x"]


@pytest.mark.parametrize("name", ["W", "b", "x"])
@pytest.mark.parametrize("factor", [1.0001, 1 + 1e-5, 0.5, -1.0, 0.0, float("nan")])
def test_a_wrong_factor_in_one_tensor_is_caught_and_named(name, factor):
    report = gradcheck(lambda v: dense(v, spoiler(name, lambda g: g * factor)), VALUES)
    assert [row.tensor for row in report.failures] == [name]
    assert report.worst.tensor == name and report.worst.index is not None


def test_a_single_wrong_entry_is_named_with_its_index():
    def spoil(grads):
        grads["W"][2, 1] *= 1.0001

    report = gradcheck(lambda v: dense(v, spoil), VALUES)
    assert report.worst.index == (2, 1)


def test_gradients_far_below_the_loss_raise_no_false_alarm():
    """A loss of 1e6 drowns a gradient of 1e-3 in rounding at the default step; Ridders' larger steps still see it."""

    def f(values):
        w = values["w"]
        return 1e6 + 1e-3 * float(np.sum(np.sin(w))), {"w": 1e-3 * np.cos(w)}

    assert gradcheck(f, {"w": np.linspace(-2, 2, 9)}).ok


def test_scales_from_tiny_to_huge_pass():
    for scale in (1e-12, 1e-6, 1.0, 1e6, 1e12):
        report = gradcheck(
            lambda v, s=scale: (s * float(np.sum(np.exp(v["w"]))), {"w": s * np.exp(v["w"])}), {"w": np.array([-1.0, 0.2, 2.0])}
        )
        assert report.ok, (scale, str(report))
        report = gradcheck(
            lambda v, s=scale: (s * float(np.sum(np.exp(v["w"]))), {"w": 1.0001 * s * np.exp(v["w"])}), {"w": np.array([-1.0, 0.2, 2.0])}
        )
        assert not report.ok, scale


def test_a_gradient_that_is_zero_passes_and_a_zero_that_should_not_be_fails():
    assert gradcheck(lambda v: (3.0, {"w": np.zeros(3)}), {"w": np.ones(3)}).ok
    assert not gradcheck(lambda v: (float(v["w"].sum()), {"w": np.zeros(3)}), {"w": np.ones(3)}).ok


def relu(slope_at_zero):
    def f(values):
        w = values["w"]
        return float(np.sum(np.maximum(w, 0) * np.arange(1, 4))), {
            "w": np.where(w > 0, 1.0, np.where(w == 0, slope_at_zero, 0.0)) * np.arange(1, 4)
        }

    return f


def test_an_entry_on_a_kink_passes_between_the_one_sided_slopes_and_is_counted():
    values = {"w": np.array([0.5, 0.0, -2.0])}
    for slope in (0.0, 0.4, 1.0):
        report = gradcheck(relu(slope), values)
        assert report.ok and report.kinks_skipped == 1
    for slope in (-0.01, 1.01, 7.0, float("nan")):
        assert not gradcheck(relu(slope), values).ok


@pytest.mark.parametrize("near", [1e-3, 1e-5, 1e-7])
def test_an_entry_next_to_a_kink_is_judged_on_its_own_side(near):
    assert gradcheck(relu(0.0), {"w": np.array([0.5, near, -near])}).ok or near < 1e-6
    if near > 1e-6:
        wrong = {"w": np.array([0.5, near, -2.0])}
        assert not gradcheck(lambda v: (relu(0.0)(v)[0], {"w": relu(0.0)(v)[1]["w"] * np.array([1, 1.0001, 1])}), wrong).ok


def test_large_tensors_are_judged_at_seeded_entries():
    values = {"w": np.linspace(-1, 1, 5000)}
    calls = 0

    def f(v):
        nonlocal calls
        calls += 1
        return float(np.sum(np.sin(v["w"]))), {"w": np.cos(v["w"])}

    report = gradcheck(f, values, entries=50)
    assert report.ok and report.rows[0].entries == 50 and calls < 150
    assert str(gradcheck(f, values, entries=50, seed=1)) == str(gradcheck(f, values, entries=50, seed=1))


def test_float32_values_are_judged_by_differences_in_float64():
    single = {name: v.astype(np.float32) for name, v in VALUES.items()}
    assert gradcheck(dense, single).ok
    report = gradcheck(lambda v: dense(v, spoiler("b", lambda g: g * g.dtype.type(1.0001))), single)
    assert [row.tensor for row in report.failures] == ["b"]


def test_a_function_that_computes_in_float32_is_refused():
    def single(values):
        loss, grads = dense({name: v.astype(np.float32) for name, v in values.items()})
        return loss, {name: g.astype(np.float32) for name, g in grads.items()}

    for values in (VALUES, {name: v.astype(np.float32) for name, v in VALUES.items()}):
        with pytest.raises(DataError, match="differences in float32 cannot judge"):
            gradcheck(single, values)


def test_integers_pass_through():
    def f(values):
        w, lab = values["w"], values["lab"]
        grad = np.zeros_like(w)
        grad[lab] = 2 * w[lab]
        return float(w[lab] ** 2), {"w": grad}

    assert gradcheck(f, {"w": np.array([1.0, 2.0, 3.0]), "lab": np.array(1)}).ok


def test_bad_answers_are_refused_by_name():
    with pytest.raises(ShapeError, match=r"gradient of w has shape \(2,\)"):
        gradcheck(lambda v: (1.0, {"w": np.zeros(2)}), {"w": np.ones(3)})
    with pytest.raises(DataError, match="v, which is not among the values"):
        gradcheck(lambda v: (1.0, {"w": np.zeros(3), "v": np.zeros(3)}), {"w": np.ones(3)})
    with pytest.raises(DataError, match="none of which"):
        gradcheck(lambda v: (1.0, {}), {"w": np.ones(3)})
