"""Every loss, interpreted, against a formula written here by hand, for both reductions and forms of target."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra.interpret import interpret
from symbackprop.declare.losses import LOSSES
from symbackprop.declare.lower import lower

RNG = np.random.default_rng(7)
SCORES = RNG.standard_normal((5, 4))
TARGETS = RNG.standard_normal((5, 4))
PROBABILITIES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
DISTRIBUTIONS = RNG.dirichlet(np.ones(4), size=5)
LABELS = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[LABELS]
SIGNS = np.sign(TARGETS)
BINARY = (TARGETS > 0).astype(float)


def logsumexp(z):
    return np.log(np.exp(z).sum(axis=1))


def hinge(z, labels, power):
    total = np.zeros(len(z))
    for n, right in enumerate(labels):
        for j in range(z.shape[1]):
            if j != right:
                total[n] += max(0.0, z[n, j] - z[n, right] + 1) ** power
    return total


ELEMENTWISE = {
    "mse": (SCORES, TARGETS, (SCORES - TARGETS) ** 2),
    "mae": (SCORES, TARGETS, np.abs(SCORES - TARGETS)),
    "huber": (
        SCORES,
        TARGETS,
        np.where(np.abs(SCORES - TARGETS) <= 1, 0.5 * (SCORES - TARGETS) ** 2, np.abs(SCORES - TARGETS) - 0.5),
    ),
    "log_cosh": (SCORES, TARGETS, np.log(np.cosh(SCORES - TARGETS))),
    "binary_cross_entropy": (PROBABILITIES, BINARY, np.where(BINARY == 1, -np.log(PROBABILITIES), -np.log(1 - PROBABILITIES))),
    "bce_with_logits": (SCORES, BINARY, np.where(BINARY == 1, np.logaddexp(0, -SCORES), np.logaddexp(0, SCORES))),
    "poisson_nll": (SCORES, np.abs(TARGETS), np.exp(SCORES) - np.abs(TARGETS) * SCORES),
    "squared_hinge": (SCORES, SIGNS, np.maximum(0, 1 - SIGNS * SCORES) ** 2),
}

PER_SAMPLE = {
    ("half_squared_error", "rows"): (SCORES, TARGETS, 0.5 * ((SCORES - TARGETS) ** 2).sum(axis=1)),
    ("cross_entropy", "rows"): (PROBABILITIES, DISTRIBUTIONS, -(DISTRIBUTIONS * np.log(PROBABILITIES)).sum(axis=1)),
    ("cross_entropy", "labels"): (PROBABILITIES, LABELS, -np.log(PROBABILITIES[np.arange(5), LABELS])),
    ("softmax_cross_entropy", "rows"): (SCORES, DISTRIBUTIONS, logsumexp(SCORES) - (DISTRIBUTIONS * SCORES).sum(axis=1)),
    ("softmax_cross_entropy", "labels"): (SCORES, LABELS, logsumexp(SCORES) - SCORES[np.arange(5), LABELS]),
    ("kl_divergence", "rows"): (PROBABILITIES, DISTRIBUTIONS, (DISTRIBUTIONS * np.log(DISTRIBUTIONS / PROBABILITIES)).sum(axis=1)),
    ("kl_divergence", "labels"): (PROBABILITIES, LABELS, -np.log(PROBABILITIES[np.arange(5), LABELS])),
    ("multiclass_hinge", "labels"): (SCORES, LABELS, hinge(SCORES, LABELS, 1)),
    ("multiclass_hinge", "rows"): (SCORES, ONE_HOT, hinge(SCORES, LABELS, 1)),
    ("squared_hinge", "labels"): (SCORES, LABELS, hinge(SCORES, LABELS, 2)),
}


def value(loss, outputs, target, form=None, regularizer=None):
    """The loss of a network that passes its input through."""
    net = sbp.Sequential([sbp.Input(outputs.shape[1:]), sbp.Activation("identity")], loss=loss, regularizer=regularizer)
    model = lower(net.spec, form)
    assert model.loss == "loss"
    return float(interpret(model.system, {"x": outputs, "y": target})["loss"])


def test_every_loss_is_covered():
    assert set(LOSSES) == set(ELEMENTWISE) | {name for name, _ in PER_SAMPLE}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", sorted(ELEMENTWISE))
def test_elementwise_loss_averages_over_samples_and_outputs(name, reduction):
    outputs, target, entries = ELEMENTWISE[name]
    assert value(sbp.Loss(name, reduction=reduction), outputs, target, "rows") == pytest.approx(getattr(entries, reduction)(), rel=1e-13)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("name", "form"), sorted(PER_SAMPLE))
def test_per_sample_loss_averages_over_the_batch(name, form, reduction):
    outputs, target, entries = PER_SAMPLE[name, form]
    assert value(sbp.Loss(name, reduction=reduction), outputs, target, form) == pytest.approx(getattr(entries, reduction)(), rel=1e-13)


@pytest.mark.parametrize("name", ["mse", "mae", "half_squared_error"])
def test_losses_without_classes_take_outputs_of_any_rank(name):
    a, y = RNG.standard_normal((2, 3, 2, 4)), RNG.standard_normal((2, 3, 2, 4))
    expected = {"mse": ((a - y) ** 2).mean(), "mae": np.abs(a - y).mean(), "half_squared_error": ((a - y) ** 2).sum() / 4}[name]
    assert value(name, a, y) == pytest.approx(expected, rel=1e-13)


def test_huber_delta_moves_the_joint():
    a, y = np.array([[3.0, 0.2]]), np.zeros((1, 2))
    assert value(sbp.Loss("huber", delta=0.5, reduction="sum"), a, y) == pytest.approx(0.5 * (3 - 0.25) + 0.02)


def test_kl_divergence_of_a_one_hot_row_is_finite():
    assert value("kl_divergence", PROBABILITIES, ONE_HOT, "rows") == pytest.approx(PER_SAMPLE["cross_entropy", "labels"][2].mean())


def test_softmax_cross_entropy_with_rows_declares_that_they_sum_to_one():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4)], loss="softmax_cross_entropy")
    (fact,) = lower(net.spec, "rows").system.facts
    assert str(fact) == "Sum(y[n, i], i) = 1"
    assert lower(net.spec, "labels").system.facts == ()


@pytest.mark.parametrize(
    ("regularizer", "penalty"),
    [
        (sbp.L1(0.3), lambda w: 0.3 * np.abs(w).sum()),
        (sbp.L2(0.3), lambda w: 0.15 * (w**2).sum()),
        (sbp.ElasticNet(0.1, 0.4), lambda w: 0.1 * np.abs(w).sum() + 0.2 * (w**2).sum()),
    ],
)
def test_regularizer_is_added_once_over_weights_only(regularizer, penalty):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(5, activation="tanh"), sbp.Dense(2)], loss="mse", regularizer=regularizer)
    params = net.init(1, "float64")
    params["dense_1.b"] = RNG.standard_normal(5)
    values = {**params, "x": RNG.standard_normal((6, 3)), "y": RNG.standard_normal((6, 2))}
    env = interpret(lower(net.spec).system, values)
    expected = penalty(params["dense_1.W"]) + penalty(params["dense_2.W"])
    assert float(env["loss"] - env["loss.data"]) == pytest.approx(expected, rel=1e-12)


def test_a_regularizer_of_a_deep_network_keeps_its_equations_short():
    net = sbp.Sequential([sbp.Input(2), *(sbp.Dense(2) for _ in range(40))], loss="mse", regularizer=sbp.L2(0.5))
    system = lower(net.spec).system
    assert max(len(e.reads) for e in system.equations) <= 16
    params = net.init(0, "float64")
    env = interpret(system, {**params, "x": np.zeros((1, 2)), "y": np.zeros((1, 2))})
    assert float(env["loss"]) == pytest.approx(0.25 * sum((params[k] ** 2).sum() for k in params if k.endswith("W")))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sbp.Loss("mean_squared"), "unknown loss"),
        (lambda: sbp.Loss("softmax_cross_entrpy"), "did you mean 'softmax_cross_entropy'"),
        (lambda: sbp.Loss("mse", reduction="none"), "'mean' or 'sum'"),
        (lambda: sbp.Loss("mse", delta=1.0), "no option 'delta'"),
        (lambda: sbp.Loss("huber", delta=-1), "positive"),
        (lambda: sbp.L2(-1.0), "not negative"),
        (lambda: sbp.L1(float("inf")), "finite"),
        (lambda: sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss=3), "must be a name"),
        (lambda: sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="mse", regularizer=0.1), "regularizer must be"),
        (lambda: sbp.Sequential([sbp.Input(2), sbp.Dense(2)], regularizer=sbp.L2(0.1)), "give loss="),
    ],
)
def test_bad_losses_are_refused_in_one_line(make, said):
    with pytest.raises(sbp.DeclarationError, match=said) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_loss_refuses_targets_of_the_wrong_form():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="mse")
    with pytest.raises(sbp.DeclarationError, match="takes targets as rows"):
        lower(net.spec, "labels")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("name", "form"), sorted(key for key in PER_SAMPLE if key[0] != "half_squared_error"))
def test_positions_count_like_samples(name, form, reduction):
    outputs, target, entries = PER_SAMPLE[name, form]
    first, second = np.array([0, 2, 4, 1]), np.array([3, 1, 0, 2])  # four samples of two positions, or eight samples
    pairs = [np.stack([array[first], array[second]], axis=1) for array in (outputs, target)]
    expected = getattr(entries[np.concatenate([first, second])], reduction)()
    assert value(sbp.Loss(name, reduction=reduction), *pairs, form) == pytest.approx(expected, rel=1e-13)


def test_labels_of_the_wrong_shape_are_refused():
    net = sbp.Sequential([sbp.Input((3, 4)), sbp.Dense(2)], loss="softmax_cross_entropy")
    program, params, x = net.compile(target="numpy", dtype="float64"), net.init(0, "float64"), np.zeros((5, 3, 4))
    with pytest.raises(sbp.ShapeError, match=r"y: expected labels of shape \(batch, 3\), got \(5,\)"):
        program.loss(params, x, np.zeros(5, np.int64))
    with pytest.raises(sbp.DataError, match=r"labels must lie in 0..1, got 2 at index \(4, 1\)"):
        program.loss(params, x, np.repeat([[0, 1, 0]], 5, axis=0) + np.eye(5, 3, -3, dtype=np.int64))
    with pytest.raises(sbp.DataError, match=r"row \(0, 0\) sums to 0"):
        program.loss(params, x, np.zeros((5, 3, 2)))
