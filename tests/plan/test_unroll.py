"""Small networks written out in scalars: what takes that schedule, and that it computes what the interpreter says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import sympy
import zoo

import symbackprop as sbp
from symbackprop.emit.render import render

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import Options, differences, module_of, plan_of

#: Rounding of a few hundred operations in float64.
TOLERANCE = 1e-12


def xor():
    return sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation="tanh"), sbp.Dense(1)], loss="mse", name="xor")


def two_inputs():
    u, v = sbp.Input(2, name="u"), sbp.Input(3, name="v")
    hidden = sbp.Concat()(sbp.Dense(2, activation="relu")(u), v)
    return sbp.Network([u, v], sbp.Dense(2)(hidden), loss="softmax_cross_entropy", name="two_inputs")


class Bumps(sbp.Layer):
    """a_i = exp(−Σ_j (x_j − c_ij)²)."""

    initial: ClassVar[dict[str, str]] = {"c": "normal"}

    def parameters(self, x):
        return sbp.tensor("c", sbp.indices("i", 2), x.axes[1])

    def equations(self, x):
        c = self.parameters(x)
        (n, j), i = x.axes, c.axes[0]
        a = sbp.tensor("a", n, i)
        return [sbp.Equation(a[n, i], sympy.exp(-sbp.Sum((x[n, j] - c[i, j]) ** 2, j)))]


def own_layer():
    return sbp.Sequential([sbp.Input(2), Bumps(), sbp.Dense(1)], loss="huber", name="own_layer")


def sequential(name, loss, *layers, **options):
    return lambda: sbp.Sequential(list(layers), loss=loss, name=name, **options)


#: Networks, the form of their targets, and how an input and a target of ``n`` samples are drawn.
NETWORKS = {
    "dense": (xor, "rows", (2,), 1),
    "labels": (sequential("labels", "softmax_cross_entropy", sbp.Input(3), sbp.Dense(4)), "labels", (3,), 4),
    "hinge": (sequential("hinge", "multiclass_hinge", sbp.Input(3), sbp.Dense(4)), "labels", (3,), 4),
    "probabilities": (
        sequential("probabilities", "cross_entropy", sbp.Input(3), sbp.Dense(4), sbp.Activation("softmax")),
        "labels",
        (3,),
        4,
    ),
    "penalty": (
        sequential("penalty", "mse", sbp.Input(2), sbp.Dense(2, activation="elu"), sbp.Dense(1), regularizer=sbp.ElasticNet(0.1, 0.2)),
        "rows",
        (2,),
        1,
    ),
    "frozen": (sequential("frozen", "mae", sbp.Input(2), sbp.Dense(2, trainable=False), sbp.Dense(2)), "rows", (2,), 2),
    "convolution": (
        sequential(
            "convolution", "mse", sbp.Input((1, 4, 4)), sbp.Conv2D(2, 2, activation="tanh"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(1)
        ),
        "rows",
        (1, 4, 4),
        1,
    ),
    "recurrence": (
        sequential("recurrence", "mse", sbp.Input((3, 2)), sbp.SimpleRNN(2, return_sequences=False), sbp.Dense(1)),
        "rows",
        (3, 2),
        1,
    ),
    "norm": (sequential("norm", "mse", sbp.Input(3), sbp.LayerNorm(), sbp.Dense(1)), "rows", (3,), 1),
}


def drawn(name, n, seed=0):
    make, form, shape, outputs = NETWORKS[name]
    net, rng = make(), np.random.default_rng([seed, n])
    y = rng.integers(0, outputs, n) if form == "labels" else rng.standard_normal((n, outputs))
    return net, form, zoo.draw_parameters(net, rng) | {"x": rng.standard_normal((n, *shape)), "y": y}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_written_out_agrees_with_the_interpreter_for_every_batch(name, tmp_path):
    net, form, _ = drawn(name, 1)
    plan = plan_of(net, form, Options(schedule="unrolled"))
    assert plan.straight.entries, plan.straight.reason
    module = module_of(plan, "cpu", tmp_path)
    assert module.workspace(8) == 0
    for n in range(1, 10):
        net, form, values = drawn(name, n)
        found = differences(net, form, values, plan, module)
        assert max(found.values()) < TOLERANCE, (n, found)


@pytest.mark.parametrize("seed", range(20))
def test_random_networks_written_out_agree_with_the_interpreter(seed, tmp_path):
    case = zoo.case(seed)
    plan = plan_of(case.net, case.form, Options(schedule="unrolled"))
    assert plan.straight.entries, plan.straight.reason
    found = differences(case.net, case.form, case.values, plan, module_of(plan, "cpu", tmp_path))
    assert max(found.values()) < TOLERANCE, f"{case}: {found}"


def test_several_inputs_and_an_own_layer_are_written_out(tmp_path):
    rng = np.random.default_rng(3)
    net = two_inputs()
    values = zoo.draw_parameters(net, rng) | {"u": rng.standard_normal((5, 2)), "v": rng.standard_normal((5, 3))}
    plan = plan_of(net, "labels")
    assert plan.straight.entries
    found = differences(net, "labels", values | {"y": rng.integers(0, 2, 5)}, plan, module_of(plan, "cpu", tmp_path))
    assert max(found.values()) < TOLERANCE, found
    net = own_layer()
    values = zoo.draw_parameters(net, rng) | {"x": rng.standard_normal((5, 2)), "y": rng.standard_normal((5, 1))}
    plan = plan_of(net, "rows")
    assert plan.straight.entries
    found = differences(net, "rows", values, plan, module_of(plan, "cpu", tmp_path))
    assert max(found.values()) < TOLERANCE, found


def test_the_choice_is_made_by_size_and_said():
    assert "written out in scalars" in str(plan_of(xor(), "rows"))
    large = sbp.Sequential([sbp.Input(8), sbp.Dense(32, activation="tanh"), sbp.Dense(1)], loss="mse", name="large")
    plan = plan_of(large, "rows")
    assert not plan.straight.entries
    assert "not written out in scalars: more than 600 operations a sample" in str(plan)
    assert plan_of(large, "rows", Options(schedule="unrolled")).straight.entries
    assert plan_of(xor(), "rows", Options(schedule="plain")).straight is None


def test_samples_that_mix_are_not_written_out():
    net = sbp.Sequential([sbp.Input(2), sbp.BatchNorm(), sbp.Dense(1)], loss="mse", name="mixed")
    plan = plan_of(net, "rows", Options(schedule="unrolled"))
    assert not plan.straight.entries
    assert "mix the samples" in plan.straight.reason


def test_nothing_finite_comes_of_what_is_not(tmp_path):
    net, _, values = drawn("dense", 3)
    straight = module_of(plan_of(net, "rows"), "cpu", tmp_path / "straight")
    plain = module_of(plan_of(net, "rows", Options(schedule="plain")), "cpu", tmp_path / "plain")
    params = np.concatenate([values[name].ravel() for name, _, _ in plain.PARAMETERS])
    for bad in (np.nan, np.inf, -np.inf):
        for place in range(params.size):
            given = params.copy()
            given[place] = bad
            found = []
            for module in (straight, plain):
                grads = np.zeros_like(params)
                with np.errstate(all="ignore"):
                    value = module.value_and_grad(given, values["x"], values["y"], grads, np.zeros(module.workspace(3)))
                found.append((value, *grads))
            np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("name", ["dense", "labels"])
def test_compiled_in_float32_the_error_is_that_of_plain_loops(name, tmp_path):
    net, form, values = drawn(name, 9)
    modules = {
        s: module_of(plan_of(net, form, Options("float32", schedule=s)), "cpu", tmp_path / s, compiled=True) for s in ("plain", "auto")
    }
    exact = module_of(plan_of(net, form), "cpu", tmp_path / "exact")
    params = np.concatenate([values[name].ravel() for name, _, _ in exact.PARAMETERS])
    wanted, errors = np.zeros_like(params), {}
    labels = values["y"].dtype.kind == "i"
    exact.value_and_grad(params, values["x"], values["y"], wanted, np.zeros(0))
    for schedule, module in modules.items():
        grads, y = np.zeros(params.size, np.float32), values["y"] if labels else values["y"].astype(np.float32)
        work = np.zeros(module.workspace(9), np.float32)
        module.value_and_grad(params.astype(np.float32), values["x"].astype(np.float32), y, grads, work)
        errors[schedule] = np.abs(grads - wanted).max()
    # Four times that of plain loops, and no less than one rounding of the largest entry.
    assert errors["auto"] <= max(4 * errors["plain"], np.finfo(np.float32).eps * np.abs(wanted).max())


def test_masks_are_read_and_a_step_of_the_optimizer_follows():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, activation="tanh"), sbp.Dropout(0.5), sbp.Dense(1)], loss="mse", name="masked")
    program = net.compile(dtype="float64", batch=4)
    assert program.check(seed=1).ok
    assert "written out in scalars" in program.plan
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 1))
    found = []
    for schedule in ("unrolled", "plain"):
        params = net.init(seed=0, dtype="float64")
        net.compile(dtype="float64", batch=4, schedule=schedule).fit(params, x, y, optimizer=sbp.Adam(0.01), epochs=3, batch_size=2, seed=5)
        found.append(params.flat.copy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


def test_the_text_is_the_same_in_every_process():
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/emit', 'tests/plan']\n"
        "from test_unroll import xor, two_inputs, plan_of, render\n"
        "print(render(plan_of(xor(), 'rows'), 'cpu')[0].text, render(plan_of(two_inputs(), 'labels'), 'cpu')[0].text)"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }
    assert len(texts) == 1
    assert "delta_1_0 = " in texts.pop()


def test_no_array_stands_between_the_equations():
    module, *_ = render(plan_of(xor(), "rows"), "cpu")
    assert "work[" not in module.text
    assert "view_" not in module.text


def test_every_entry_gives_the_loss_with_the_same_bits(tmp_path):
    # Parts that only the gradient shares with the loss must not change in what order the loss is computed.
    for seed in range(8):
        case = zoo.case(seed)
        module = module_of(plan_of(case.net, case.form, Options(schedule="unrolled")), "cpu", tmp_path / str(seed))
        params = np.concatenate([case.params[name].ravel() for name, _, _ in module.PARAMETERS])
        data, none = (*case.inputs.values(), case.target), np.zeros(0)
        slots = [np.zeros_like(x) for x in case.inputs.values()]
        with np.errstate(all="ignore"):
            value = module.value_and_grad(params, *data, np.zeros_like(params), none)
            assert value == module.loss(params, *data, none) == module.input_gradients(params, *data, *slots, none), case
