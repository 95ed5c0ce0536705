"""Optimizer equations, iterated by the interpreter, against update loops written here as the frameworks document them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.algebra.interpret import interpret
from symbackprop.declare.optimizers import OPTIMIZERS

RNG = np.random.default_rng(5)
START = RNG.standard_normal(6)
GRADIENTS = [RNG.standard_normal(6) for _ in range(7)]


def iterate(optimizer):
    """All parameters after each of the gradients, by the declared equations."""
    system = optimizer.system()
    values = {"w": START.copy(), **optimizer.hyper}
    values |= {name: np.zeros(6) if kind == "parameter" else np.zeros(()) for name, kind in optimizer.state}
    path = []
    for g in GRADIENTS:
        env = interpret(system, {**values, "g": g})
        values["w"] = env["w_next"]
        values |= {name: env[f"{name}_next"] for name, _ in optimizer.state}
        path.append(env["w_next"])
    return np.array(path)


def sgd(w, g, s, k, lr=0.1):
    return w - lr * g


def momentum(w, g, s, k, lr=0.1, mu=0.9):
    s["v"] = mu * s.get("v", 0) + g
    return w - lr * s["v"]


def nesterov(w, g, s, k, lr=0.1, mu=0.9):
    s["v"] = mu * s.get("v", 0) + g
    return w - lr * (g + mu * s["v"])


def adagrad(w, g, s, k, lr=0.1, eps=1e-10):
    s["s"] = s.get("s", 0) + g * g
    return w - lr * g / (np.sqrt(s["s"]) + eps)


def rmsprop(w, g, s, k, lr=0.1, rho=0.99, eps=1e-8):
    s["s"] = rho * s.get("s", 0) + (1 - rho) * g * g
    return w - lr * g / (np.sqrt(s["s"]) + eps)


def adam(w, g, s, k, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    return w - lr * (s["m"] / (1 - beta1 ** (k + 1))) / (np.sqrt(s["v"] / (1 - beta2 ** (k + 1))) + eps)


def loop(rule, rate=lambda k: 0.1, clip=None, decay=0.0, decoupled=False):
    w, s, path = START.copy(), {}, []
    for k, g in enumerate(GRADIENTS):
        if clip is not None:
            g = g * min(1.0, clip / (np.linalg.norm(g) + 1e-6))
        lr = rate(k)
        if decay and decoupled:
            w = w * (1 - lr * decay)
        elif decay:
            g = g + decay * w
        w = rule(w, g, s, k, lr=lr)
        path.append(w)
    return np.array(path)


RULES = {
    "GradientDescent": sgd,
    "SGD": sgd,
    "Momentum": momentum,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "Adam": adam,
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_optimizer_is_its_update_loop(name):
    np.testing.assert_allclose(iterate(OPTIMIZERS[name](0.1)), loop(RULES[name]), rtol=1e-12)


def test_every_optimizer_is_covered():
    assert set(OPTIMIZERS) == {*RULES, "AdamW"}


@pytest.mark.parametrize("name", sorted(RULES))
def test_clipping_comes_first_then_decay_of_all_parameters(name):
    made = OPTIMIZERS[name](0.1, weight_decay=0.3, clip_norm=0.7)
    np.testing.assert_allclose(iterate(made), loop(RULES[name], clip=0.7, decay=0.3), rtol=1e-12)


@pytest.mark.parametrize("name", sorted(RULES))
def test_decoupled_decay_leaves_the_gradient_alone(name):
    made = OPTIMIZERS[name](0.1, weight_decay=0.3, decoupled=True)
    np.testing.assert_allclose(iterate(made), loop(RULES[name], decay=0.3, decoupled=True), rtol=1e-12)


def test_adamw_is_adam_with_decoupled_decay_of_one_percent():
    np.testing.assert_allclose(iterate(sbp.AdamW(0.1)), loop(adam, decay=0.01, decoupled=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        (sbp.StepDecay(0.1, every=2, factor=0.5), lambda k: 0.1 * 0.5 ** (k // 2)),
        (sbp.ExponentialDecay(0.1, 0.8), lambda k: 0.1 * 0.8**k),
        (sbp.CosineDecay(0.1, 4, 0.01), lambda k: 0.01 + 0.09 * (1 + math.cos(math.pi * min(k, 4) / 4)) / 2),
    ],
)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_schedules_count_updates_from_zero(name, schedule, rate):
    np.testing.assert_allclose(iterate(OPTIMIZERS[name](schedule)), loop(RULES[name], rate=rate), rtol=1e-12)


def test_defaults_are_those_of_pytorch():
    assert sbp.Adam().hyper == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert sbp.RMSProp().hyper == {"lr": 1e-2, "rho": 0.99, "eps": 1e-8}
    assert sbp.AdaGrad().hyper == {"lr": 1e-2, "eps": 1e-10}
    assert sbp.AdamW().hyper["weight_decay"] == 1e-2 and sbp.AdamW().decoupled


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_lr_is_the_first_hyper_parameter_and_every_one_is_read(name):
    made = OPTIMIZERS[name](sbp.ExponentialDecay(0.1, 0.9), weight_decay=0.1, clip_norm=1.0)
    assert next(iter(made.hyper)) == "lr"
    state = {n for n, _ in made.state}
    assert set(made.system().free) == {"w", "g", *made.hyper, *state}
    assert {"w_next", *(f"{n}_next" for n in state)} <= set(made.system().defined)


def test_equal_structure_means_equal_key():
    assert sbp.Adam(0.1).key == sbp.Adam(0.2, eps=1e-6).key != sbp.Adam(0.1, clip_norm=1.0).key


@pytest.mark.parametrize(
    "make",
    [
        lambda: sbp.SGD(0),
        lambda: sbp.SGD(-0.1),
        lambda: sbp.SGD("0.1"),
        lambda: sbp.SGD(float("nan")),
        lambda: sbp.Momentum(0.1, 1.5),
        lambda: sbp.Adam(0.1, beta1=-0.1),
        lambda: sbp.Adam(0.1, eps=0),
        lambda: sbp.SGD(0.1, weight_decay=-1),
        lambda: sbp.SGD(0.1, clip_norm=0),
        lambda: sbp.SGD(0.1, decoupled=1),
        lambda: sbp.StepDecay(0.1, 0),
        lambda: sbp.CosineDecay(0.1, 10, -1),
    ],
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(sbp.DeclarationError):
        make()
