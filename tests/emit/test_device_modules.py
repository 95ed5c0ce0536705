"""CUDA modules run in lock-step: what every entry gives, beside the module for the processor and the interpreter of equations.

Threads come in three orders and must give the same bits; a race, a read of what was never written and an index out of range are
errors; workspace and results are NaN before each call. float32 is allowed 2e-6 of the largest entry, float64 1e-10.

A larger sweep: ``SYMBACKPROP_TEST_DEVICE=10 pytest tests/emit/test_device_modules.py`` takes ten times as many random networks.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zoo
from device_modules import TOLERANCE, Host, Lock, computed, drawn, errors, interpreted, network, single, text_of, trained

import symbackprop as sbp
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.declare.layers import LAYERS
from symbackprop.declare.losses import LOSSES
from symbackprop.declare.optimizers import OPTIMIZERS
from symbackprop.execute.lockstep import Lockstep
from symbackprop.plan.device import lower, product
from symbackprop.plan.device import make as device_make
from symbackprop.plan.device.records import Product, Sweep, Team

sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))
from cases import CASES

MORE = int(os.environ.get("SYMBACKPROP_TEST_DEVICE", "1"))
SEEDS = (0, 1, 2)
#: Where most kernels are of threads that never meet, one order is as good as another.
FEW = SEEDS if MORE > 1 else SEEDS[:1]
ORDERS = SEEDS if MORE > 1 else SEEDS[:2]
SMALL = product.Speed(product.Tile(16, 16, 4, 4, 4), 1, 8)


def judge(made, data, folder, *, dtypes=("float32", "float64"), optimizer=None, seeds=SEEDS, batch=8, schedule="auto"):
    """Compare all that the entries of a network's module give; return the largest errors by type, and the plan."""
    host = Host(made, optimizer, batch)
    expected = computed(host, host.plan, data, "float64")
    largest = {}
    if made.model.loss:
        again = errors(expected, interpreted(made, host.plan, data))
        assert max(again.values()) <= TOLERANCE["float64"], again
    after = trained(host, host.plan, data, optimizer.hyper, "float64") if optimizer else {}
    rounded = {}
    for dtype in dtypes:
        plan = made.plan(dtype, batch, optimizer, schedule)
        lock = Lock(text_of(plan), folder / dtype)
        bits = []
        for seed in seeds:
            lock.run_on(Lockstep(seed=seed))
            found = computed(lock, plan, data, dtype) | (trained(lock, plan, data, optimizer.hyper, dtype) if optimizer else {})
            bits.append({name: value.tobytes() for name, value in found.items()})
        assert all(other == bits[0] for other in bits), [name for name in bits[0] if any(other[name] != bits[0][name] for other in bits)]
        found_errors = errors(found, expected) | errors(found, after)
        wrong = {name: error for name, error in found_errors.items() if not error <= TOLERANCE[dtype]}
        if wrong and dtype == "float32":
            # Sums that cancel lose digits on every machine: then plain loops in float32 are the measure.
            rounded = rounded or errors(computed(host, host.plan, data, dtype), expected)
            wrong = {name: error for name, error in wrong.items() if not error <= 2 * rounded.get(name, 0.0)}
        assert not wrong, (dtype, wrong)
        largest[dtype] = max(found_errors.values())
    return largest, plan


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
        judge(made, data, tmp_path / str(number), seeds=FEW)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_whose_threads_share_all_that_they_can(name, tmp_path, eager):
    for number in range(1, 1 + MORE):
        case, made, data = of_the_table(name, number)
        print(case.words)
        judge(made, data, tmp_path / str(number), seeds=ORDERS)


def sequence(*layers, loss="mse", name="net", **options):
    return sbp.Sequential(list(layers), loss=loss, name=name, **options)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation(name, tmp_path):
    made = network(sequence(sbp.Input(3), sbp.Dense(5, activation=name), sbp.Dense(2)))
    judge(made, drawn(made, 3, np.random.default_rng(4)), tmp_path, seeds=FEW)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss(name, tmp_path):
    wanted, kind = zoo.LOSSES[name]
    for number, reduction in enumerate(("mean", "sum")):
        rng = np.random.default_rng([number, *map(ord, name)])
        y = zoo.draw_target(kind, 5, 3, rng)
        net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation=wanted)], loss=sbp.Loss(name, reduction=reduction), name="loss")
        made = network(net, "labels" if y.ndim == 1 else "rows")
        judge(made, replace(drawn(made, 5, rng), y=single(y)), tmp_path / reduction, seeds=FEW)


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
    _, plan = judge(made, data, tmp_path / "orders", dtypes=("float32",), seeds=ORDERS)
    judge(made, data, tmp_path, dtypes=("float64",), seeds=(0,))
    assert len(kinds(plan)) > 1


def test_the_networks_hold_every_kind_of_phase(eager):
    found = set().union(*(kinds(network(LARGER[name]()).plan()) for name in LARGER))
    assert found == {t.__name__ for t in (Sweep, Team, Product)}


# --- optimizers --------------------------------------------------------------------------------------------------------------

SCHEDULES = (0.05, sbp.StepDecay(0.05, 2, 0.5), sbp.ExponentialDecay(0.05, 0.9), sbp.CosineDecay(0.05, 4, 0.01))
#: What is planned for: three blocks of eight samples, which the data do not fill.
BATCH = {"layered": 8, "single": 8, "grid": 24}
OPTIONS = (
    {},
    {"weight_decay": 0.01},
    {"weight_decay": 0.01, "decoupled": True},
    {"clip_norm": 0.5},
    {"weight_decay": 0.01, "clip_norm": 0.5},
)


@pytest.mark.parametrize("schedule", ["layered", "single", "grid"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_an_optimizer_with_every_option(name, schedule, tmp_path):
    made = network(sequence(sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)))
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
            seeds=SEEDS[:1],
            batch=BATCH[schedule],
            schedule=schedule,
            dtypes=dtypes,
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
        seeds=ORDERS if schedule != "grid" else FEW,
        batch=BATCH[schedule],
        schedule=schedule,
    )


# --- the gradients by differences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [several, own, LARGER["attending"]])
def test_gradients_are_those_of_numerical_differentiation(net):
    report = net().compile(target="cuda", dtype="float64", device="lockstep").check(batch=3)
    assert report.ok, str(report)
