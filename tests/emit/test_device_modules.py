"""CUDA modules run in lock-step: what every entry gives, beside the interpreter of equations, and training beside the processor's module.

The threads of every kernel come in three orders and must give the same bits; a race, a read of what was never written and an index out
of range are errors; workspace and results are NaN before each call. float32 is allowed 2e-6 of the largest entry, float64 1e-10, and a
gradient that is a difference of large numbers is measured by them (`device_measure`).

A larger sweep: ``SYMBACKPROP_TEST_DEVICE=10 pytest tests/emit/test_device_modules.py`` takes ten times as many random networks.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import zoo
from device_measure import TOLERANCE, Expected, errors
from device_modules import Lock, computed, drawn, expected, host_of, network, single, text_of, trained
from device_orders import Orders

import symbackprop as sbp
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.declare.layers import LAYERS
from symbackprop.declare.losses import LOSSES
from symbackprop.declare.optimizers import OPTIMIZERS
from symbackprop.plan.device import lower, product
from symbackprop.plan.device import make as device_make
from symbackprop.plan.device.records import Product, Sweep, Team

sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))
from cases import CASES

MORE = int(os.environ.get("SYMBACKPROP_TEST_DEVICE", "1"))
SMALL = product.Speed(product.Tile(16, 16, 4, 4, 4), 1, 8)


def judge(made, data, folder, *, dtypes=tuple(TOLERANCE), optimizer=None, batch=8, schedule="auto", training_only=False):
    """Compare all that the entries of a network's module give, or those of training only; return the plan."""
    host = host_of(made, optimizer) if optimizer else None
    after = Expected(trained(host, host.plan, data, optimizer.hyper, "float64") if optimizer else {})
    wanted = None
    for dtype in dtypes:
        plan = made.plan(dtype, batch, optimizer, schedule)
        lock = Lock(text_of(plan), folder / dtype, Orders())
        largest = {}
        if not training_only:
            wanted = wanted or expected(made, plan, data)
            found = computed(lock, plan, data, dtype)
            assert found.keys() == wanted.results.keys()
            largest |= errors(found, wanted, dtype)
        if optimizer:
            found = trained(lock, plan, data, optimizer.hyper, dtype)
            assert found.keys() == after.results.keys()
            largest |= errors(found, after, dtype)
        wrong = {name: error for name, error in largest.items() if not error <= TOLERANCE[dtype]}
        assert not wrong, (dtype, wrong)
    return plan


def kinds(plan):
    return {type(k.phase).__name__ for k in plan.device.kernels}


@pytest.fixture
def eager(monkeypatch):
    """Let teams share whatever they can, and let every sum that is a product be tiled, at sizes of a few entries."""
    for name in ("LONG", "SHORT"):
        monkeypatch.setattr(lower, name, 1)
    whole = product.tiled
    monkeypatch.setattr(device_make, "tiled", lambda *args, **given: whole(*args, **{**given, "tiles": (SMALL,), "least": 1}))


# --- every entry of every kind of network -----------------------------------------------------------------------------------

ZOO = zoo.covering(8 * MORE, range(60 * MORE))


def of_the_zoo(seed):
    case = zoo.case(seed)
    made = network(case.net, case.form)
    data = drawn(made, len(case.target), np.random.default_rng(seed), params=case.params)
    return case, made, replace(data, arrays=tuple(single(a) for a in case.inputs.values()), y=single(case.target))


@pytest.mark.parametrize("seed", ZOO)
def test_a_random_network(seed, tmp_path):
    case, made, data = of_the_zoo(seed)
    print(case)
    judge(made, data, tmp_path)


@pytest.mark.parametrize("seed", ZOO[: 2 * MORE])
def test_a_random_network_whose_threads_share_all_that_they_can(seed, tmp_path, eager):
    case, made, data = of_the_zoo(seed)
    print(case)
    judge(made, data, tmp_path)


def of_the_table(name, number):
    # The smallest of five, for most of them show as much as a large one.
    five = [CASES[name](np.random.default_rng([0, number, k, *map(ord, name)])) for k in range(5)]
    case = min(five, key=lambda c: sum(int(np.prod(shape)) for shape in c.shape))
    inputs = [sbp.Input(shape, dtype="int64" if case.tokens else None) for shape in case.shape]
    made = network(sbp.Network(inputs=inputs, outputs=case.layer()(*inputs), loss="mse", name=f"one_{name.lower()}"), "rows")
    return case, made, drawn(made, 3, np.random.default_rng(number))


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_of_the_table(name, tmp_path):
    for number in range(MORE):
        case, made, data = of_the_table(name, number)
        print(case.words)
        judge(made, data, tmp_path / str(number))


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_whose_threads_share_all_that_they_can(name, tmp_path, eager):
    for number in range(1, 1 + MORE):
        case, made, data = of_the_table(name, number)
        print(case.words)
        judge(made, data, tmp_path / str(number))


def sequence(*layers, loss="mse", name="net", **options):
    return sbp.Sequential(list(layers), loss=loss, name=name, **options)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation(name, tmp_path):
    made = network(sequence(sbp.Input(3), sbp.Dense(5, activation=name), sbp.Dense(2)))
    judge(made, drawn(made, 3, np.random.default_rng(4)), tmp_path)


#: What is planned for: three blocks of eight samples, which the data do not fill.
BATCH = {"layered": 8, "single": 8, "grid": 24}
#: Some activations a network: each makes a layer of its own of the same inputs.
TOGETHER = 7
GROUPS = [sorted(ACTIVATIONS)[k : k + TOGETHER] for k in range(0, len(ACTIVATIONS), TOGETHER)]


def beside(names):
    x = sbp.Input(2)
    made = [sbp.Dense(2, activation=name)(x) for name in names]
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.Add()(*made)), loss="mse", name="beside")


@pytest.mark.parametrize("schedule", ["single", "grid"])
@pytest.mark.parametrize("names", GROUPS, ids="-".join)
def test_activations_in_a_training_step_of_one_launch(names, schedule, tmp_path):
    """The first velocity is the gradient itself, so that it can be judged as one."""
    made, optimizer = network(beside(names)), sbp.Momentum(0.05)
    data = drawn(made, 3 if schedule == "single" else 11, np.random.default_rng(4))
    for dtype in TOLERANCE:
        plan = made.plan(dtype, BATCH[schedule], optimizer, schedule)
        assert plan.device.schedule == schedule
        wanted = expected(made, plan, data)
        lock = Lock(text_of(plan), tmp_path / dtype, Orders())
        params, x, y = (a.astype(dtype) for a in (data.params, *data.values))
        grads, state = np.full(len(params), np.nan, dtype), np.zeros(lock.space["STATE_SIZE"], dtype)
        rates = np.array(list(optimizer.hyper.values()))
        work = lock.memory(lock.space["workspace"](len(x)), dtype)
        with np.errstate(all="ignore"):
            found = {"loss": lock.space["train_step"](params, x, y, grads, state, rates, work)}
        found |= {f"gradient of {p.name}": state[p.offset : p.offset + int(np.prod(p.shape))] for p in plan.parameters}
        wrong = {name: error for name, error in errors(found, wanted, dtype, found).items() if not error <= TOLERANCE[dtype]}
        assert not wrong, (dtype, wrong)
        moved = data.params - 0.05 * state
        assert np.max(np.abs(params - moved)) <= TOLERANCE[dtype] * np.max(np.abs(moved))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss(name, tmp_path):
    wanted, kind = zoo.LOSSES[name]
    for number, reduction in enumerate(("mean", "sum")):
        rng = np.random.default_rng([number, *map(ord, name)])
        y = zoo.draw_target(kind, 5, 3, rng)
        net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation=wanted)], loss=sbp.Loss(name, reduction=reduction), name="loss")
        made = network(net, "labels" if y.ndim == 1 else "rows")
        judge(made, replace(drawn(made, 5, rng), y=single(y)), tmp_path / reduction)


def several():
    """Several inputs, one of them of integers, a shared layer, a frozen one, and a penalty."""
    words, values = sbp.Input(3, dtype="int64", name="words"), sbp.Input((3, 2), name="values")
    shared = sbp.Dense(4, activation="tanh")
    first, second = shared(values), shared(sbp.Embedding(5, 2)(words))
    end = sbp.Dense(3)(sbp.Flatten()(sbp.Dense(3, trainable=False)(first * second)))
    return sbp.Network(
        inputs=(words, values), outputs=end, loss="softmax_cross_entropy", regularizer=sbp.ElasticNet(0.01, 0.02), name="several"
    )


def modes():
    layers = (sbp.Conv2D(3, 2), sbp.BatchNorm(), sbp.Activation("relu"), sbp.Dropout(0.4), sbp.Flatten(), sbp.Dense(2))
    return sequence(sbp.Input((2, 3, 3)), *layers, name="modes")


def outputs():
    x = sbp.Input(3)
    hidden = sbp.Dense(4, activation="softplus")(x)
    return sbp.Network(inputs=x, outputs=(sbp.Dense(2)(hidden), hidden), name="outputs")


def own():
    x = sbp.Input(4)
    hidden = sbp.Activation("wave", "sin(rate*z)/(1 + exp(-z)) + shift", learned={"rate": 1.5, "shift": 0.2}, per_channel=True)(
        sbp.Dense(5)(x)
    )
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(hidden), loss="mse", name="own")


@pytest.mark.parametrize("net", [several, modes, outputs, own])
def test_a_network_with(net, tmp_path):
    made = network(net())
    judge(made, drawn(made, 5, np.random.default_rng(2)), tmp_path)


def frozen_end():
    return sequence(sbp.Input((3, 2)), sbp.GRU(3), sbp.Dense(2, activation="relu"), sbp.Dense(2, trainable=False), name="frozen_end")


LARGER = {
    # Each row by a block, which goes on with what is made of it.
    "rows": lambda: sequence(sbp.Input(70), sbp.LayerNorm(), sbp.Dense(66), loss="softmax_cross_entropy", name="rows"),
    "wide": lambda: sequence(sbp.Input(70), sbp.Dense(11, activation="gelu"), sbp.Dense(5), loss="softmax_cross_entropy"),
    "image": lambda: sequence(
        sbp.Input((2, 8, 8)), sbp.Conv2D(3, 3, padding=1), sbp.BatchNorm(), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(3)
    ),
    "time": lambda: sequence(sbp.Input((4, 5)), sbp.LSTM(9), sbp.Dense(3), loss="softmax_cross_entropy"),
    "attending": lambda: sequence(sbp.Input((9, 6)), sbp.Attention(heads=2, causal=True), sbp.LayerNorm(), sbp.Flatten(), sbp.Dense(3)),
}


@pytest.mark.parametrize("name", LARGER)
def test_a_network_of_more_entries_than_threads(name, tmp_path):
    made = network(LARGER[name]())
    data = drawn(made, 9, np.random.default_rng(6))
    plan = judge(made, data, tmp_path)
    assert len(kinds(plan)) > 1


def test_the_networks_hold_every_kind_of_phase(eager):
    found = set().union(*(kinds(network(LARGER[name]()).plan()) for name in LARGER))
    assert found == {t.__name__ for t in (Sweep, Team, Product)}


# --- optimizers --------------------------------------------------------------------------------------------------------------

SCHEDULES = (0.05, sbp.StepDecay(0.05, 2, 0.5), sbp.ExponentialDecay(0.05, 0.9), sbp.CosineDecay(0.05, 4, 0.01))
OPTIONS = (
    {},
    {"weight_decay": 0.01},
    {"weight_decay": 0.01, "decoupled": True},
    {"clip_norm": 0.5},
    {"weight_decay": 0.01, "clip_norm": 0.5},
)


@lru_cache(maxsize=1)
def small():
    return network(sequence(sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)))


@pytest.mark.parametrize("schedule", ["layered", "single", "grid"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_an_optimizer_with_every_option(name, schedule, tmp_path):
    made = small()
    data = drawn(made, 7 if schedule != "grid" else 11, np.random.default_rng(5))
    # A sum over all gradients before the step is done by launches of their own.
    options = [o for o in OPTIONS if not ("decoupled" in o and name == "AdamW") and not ("clip_norm" in o and schedule != "layered")]
    pairs = [(rate, option) for rate in SCHEDULES for option in options]
    if MORE == 1 and schedule != "layered":
        options = [options[0], options[-1]]
    if MORE == 1:
        # Each rate and each option once.
        pairs = [(SCHEDULES[(number + len(name)) % len(SCHEDULES)], option) for number, option in enumerate(options)]
    for number, (rate, option) in enumerate(pairs):
        optimizer = OPTIMIZERS[name](lr=rate, **option)
        dtypes = tuple(TOLERANCE) if MORE > 1 else (tuple(TOLERANCE)[number % 2],)
        judge(
            made,
            data,
            tmp_path / str(number),
            optimizer=optimizer,
            batch=BATCH[schedule],
            schedule=schedule,
            dtypes=dtypes,
            training_only=True,
        )


@pytest.mark.parametrize(
    ("net", "schedule"),
    [(several, "layered"), (several, "single"), (modes, "layered"), (frozen_end, "layered"), (frozen_end, "single"), (frozen_end, "grid")],
    ids=lambda given: given if isinstance(given, str) else given.__name__,
)
def test_training_of_a_network_with(net, schedule, tmp_path):
    made = network(net())
    data = drawn(made, 5 if schedule != "grid" else 11, np.random.default_rng(2))
    judge(
        made,
        data,
        tmp_path,
        optimizer=sbp.Nesterov(0.01),
        batch=BATCH[schedule],
        schedule=schedule,
    )


# --- the gradients by differences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [several, own, LARGER["attending"]])
def test_gradients_are_those_of_numerical_differentiation(net):
    report = net().compile(target="cuda", dtype="float64", device="lockstep").check(batch=3)
    assert report.ok, str(report)
