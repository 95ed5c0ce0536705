"""Emitted modules beside the interpreter: every way to schedule, both targets, several runs of the text."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import zoo
from modules import DIRECT, DOTS, JOINED, PARALLEL, PARTS, ROWS, SHARED, SWAPPED, Options, differences, module_of, plan_of

import symbackprop as sbp
from symbackprop.declare.lower import lower
from symbackprop.emit.render import render
from symbackprop.plan import make as planner

#: Rounding of a few hundred operations in float64.
TOLERANCE = 1e-12


def form_of(case):
    return "labels" if case.target.ndim == 1 else "rows"


@pytest.mark.parametrize("machine", [DIRECT, SWAPPED, DOTS, ROWS, PARALLEL, SHARED, JOINED, PARTS], ids=lambda machine: machine.name)
@pytest.mark.parametrize("seed", range(12))
def test_tiled_products_agree_with_the_interpreter_in_every_orientation(seed, machine, tmp_path, monkeypatch):
    case = zoo.case(seed)
    plan = plan_of(case.net, form_of(case), machine=machine, monkeypatch=monkeypatch)
    found = differences(case.net, form_of(case), case.values, plan, module_of(plan, "cpu", tmp_path))
    assert max(found.values()) < TOLERANCE, found


@pytest.mark.parametrize("kind", ["numpy", "cpu"])
@pytest.mark.parametrize("seed", range(12, 30))
def test_the_plain_schedule_agrees_with_the_interpreter(seed, kind, tmp_path):
    case = zoo.case(seed)
    plan = plan_of(case.net, form_of(case), Options(schedule="plain"))
    assert all(kernel.reason == "plain loops" for kernel in plan.kernels)
    found = differences(case.net, form_of(case), case.values, plan, module_of(plan, kind, tmp_path))
    assert max(found.values()) < TOLERANCE, found


def sample(net, batch, rng, target):
    values = zoo.draw_parameters(net, rng)
    return values | {"x": rng.standard_normal((batch, 5)), "y": target}


def test_a_short_last_batch_runs_in_the_same_module(tmp_path):
    net = sbp.Sequential([sbp.Input(5), sbp.Dense(7, activation="tanh"), sbp.Dense(3)], loss="softmax_cross_entropy", name="short")
    plan = plan_of(net, "labels", Options(batch=64))
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(0)
    for batch in (1, 3, 64):
        found = differences(net, "labels", sample(net, batch, rng, rng.integers(0, 3, batch)), plan, module)
        assert max(found.values()) < TOLERANCE, found


@pytest.mark.parametrize("machine", [SWAPPED, PARALLEL, SHARED, JOINED, PARTS], ids=lambda machine: machine.name)
def test_compiled_tiles_keep_float32_and_give_the_same_bits_for_any_number_of_threads(machine, tmp_path, monkeypatch):
    import numba

    net = sbp.Sequential([sbp.Input(5), sbp.Dense(70, activation="relu"), sbp.Dense(3)], loss="softmax_cross_entropy", name="tiles")
    plan = plan_of(net, "labels", Options("float32", 67, optimizer=sbp.Adam(0.01)), machine=machine, monkeypatch=monkeypatch)
    module = module_of(plan, "cpu", tmp_path, compiled=True)
    rng = np.random.default_rng(0)
    values = sample(net, 67, rng, rng.integers(0, 3, 67))
    found = differences(net, "labels", values, plan, module)
    assert max(found.values()) < 2e-5, found
    params = np.concatenate([values[name].ravel() for name, _, _ in module.PARAMETERS]).astype(np.float32)
    work = np.zeros(module.workspace(67), np.float32)
    results = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        grads = np.empty_like(params)
        module.value_and_grad(params, values["x"].astype(np.float32), values["y"], grads, work)
        results.append(grads.tobytes())
    assert results[0] == results[1]
    for kernel in plan.kernels:
        compiled = getattr(module, kernel.name)
        assert not compiled.signatures or all(getattr(a, "dtype", a) != numba.float64 for s in compiled.signatures for a in s)
        for llvm in compiled.inspect_llvm().values():
            arithmetic = [line for line in llvm.splitlines() if " double " in line and (" fmul " in line or " fadd " in line)]
            assert not arithmetic, (kernel.name, arithmetic[:3])


def test_a_training_step_is_the_gradient_and_then_the_update_and_a_loss_that_is_not_finite_changes_nothing(tmp_path):
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="tanh"), sbp.Dense(1)], loss="mse", name="step")
    plan = plan_of(net, "rows", Options(optimizer=sbp.Momentum(0.1, 0.9)))
    for kind in ("cpu", "numpy"):
        module = module_of(plan, kind, tmp_path)
        rng = np.random.default_rng(1)
        params = rng.standard_normal(13)
        x, y = rng.standard_normal((4, 2)), rng.standard_normal((4, 1))
        state, grads, work = np.ones(module.STATE_SIZE), np.empty(13), np.empty(module.workspace(4))
        hyper = np.array([value for _, value in module.HYPER])
        expected = np.empty(13)
        value = module.value_and_grad(params, x, y, expected, work)
        before = params.copy()
        assert module.train_step(params, x, y, grads, state, hyper, work) == value
        np.testing.assert_allclose(state, 0.9 + expected, rtol=1e-14)
        np.testing.assert_allclose(params, before - 0.1 * state, rtol=1e-14)
        kept = params.copy(), state.copy()
        x[0, 0] = np.nan
        assert np.isnan(module.train_step(params, x, y, grads, state, hyper, work))
        assert np.array_equal(params, kept[0]) and np.array_equal(state, kept[1])


def test_frozen_parameters_have_zero_gradients_and_stay_whatever_the_optimizer(tmp_path):
    layers = [sbp.Input(3), sbp.Dense(2, activation="tanh"), sbp.Dense(2, trainable=False), sbp.Dense(2)]
    net = sbp.Sequential(layers, loss="mse", name="frozen")
    plan = plan_of(net, "rows", Options(optimizer=sbp.AdamW(0.1)))
    frozen = slice(8, 14)
    for kind in ("cpu", "numpy"):
        module = module_of(plan, kind, tmp_path)
        rng = np.random.default_rng(1)
        params, grads = rng.standard_normal(20), np.full(20, np.nan)
        before = params.copy()
        state, hyper = np.zeros(module.STATE_SIZE), np.array([value for _, value in module.HYPER])
        x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
        module.train_step(params, x, y, grads, state, hyper, np.empty(module.workspace(4)))
        assert not grads[frozen].any() and np.array_equal(params[frozen], before[frozen])
        assert (np.delete(params, range(8, 14)) != np.delete(before, range(8, 14))).all()


def test_a_network_without_a_loss_has_a_forward_pass_only(tmp_path):
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="relu")], name="lossless")
    plan = plan_of(net, None)
    for kind in ("cpu", "numpy"):
        module = module_of(plan, kind, tmp_path)
        out = np.empty((2, 3))
        module.forward(np.arange(9.0), np.ones((2, 2)), out, np.empty(module.workspace(2)))
        np.testing.assert_array_equal(out, np.tile([7.0, 12.0, 17.0], (2, 1)))
        assert not hasattr(module, "loss")


def test_nan_goes_through_every_activation():
    import written

    from symbackprop.declare.activations import ACTIVATIONS

    for name in sorted(ACTIVATIONS):
        net = sbp.Sequential([sbp.Input(2), sbp.Activation(name)], name="nan")
        for kind in ("numpy", "cpu"):
            text = render(plan_of(net, None), kind)[0].text
            space = written.executed(text)
            out = np.zeros((2, 2))
            with np.errstate(all="ignore"):
                space["forward"](np.empty(0), np.array([[np.nan, 1.0], [0.5, -0.5]]), out, np.empty(space["workspace"](2)))
            assert np.isnan(out[0, 0]) and np.isfinite(out[1]).all(), (name, kind)


def test_names_that_clash_with_the_modules_own_are_kept_apart(tmp_path):
    x = sbp.Input(3, name="np")
    h = sbp.Dense(3, activation="tanh", name="work")(x)
    h = h + sbp.Dense(3, name="loss_p")(h)
    net = sbp.Network(inputs=x, outputs=sbp.Dense(3, name="params")(h), loss="softmax_cross_entropy", name="value_and_grad")
    rng = np.random.default_rng(0)
    values = zoo.draw_parameters(net, rng) | {"np": rng.standard_normal((4, 3)), "y": rng.integers(0, 3, 4)}
    for kind in ("cpu", "numpy"):
        plan = plan_of(net, "labels")
        found = differences(net, "labels", values, plan, module_of(plan, kind, tmp_path))
        assert max(found.values()) < TOLERANCE, found


HASHES = """
import hashlib, sys
sys.path[:0] = {paths!r}
import zoo
from modules import Options, plan_of
from symbackprop.emit.render import render
import symbackprop as sbp
total = hashlib.sha256()
for seed in range(8):
    case = zoo.case(seed)
    plan = plan_of(case.net, "labels" if case.target.ndim == 1 else "rows", Options(optimizer=sbp.Adam(0.1, clip_norm=1.0)))
    for kind in ("numpy", "cpu"):
        total.update(render(plan, kind)[0].text.encode())
print(total.hexdigest())
"""


def test_the_text_does_not_depend_on_the_hash_seed():
    here = os.path.dirname(__file__)
    code = HASHES.format(paths=[here, os.path.dirname(here), os.path.dirname(os.path.dirname(here))])
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, text=True, check=True
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1 and len(found.pop().strip()) == 64


def test_the_header_names_network_template_and_equations_and_nothing_else():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="tanh")], loss="mse", name="header")
    plan = plan_of(net, "rows")
    assert len(plan.digest) == len(hashlib.sha256().hexdigest())
    for kind in ("numpy", "cpu"):
        head = render(plan, kind)[0].text.split('"""')[1]
        assert "header" in head and plan.digest in head and "module.py.jinja" in head
        assert sbp.__version__ not in head and os.getcwd() not in head
    other = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="sigmoid")], loss="mse", name="header")
    assert plan_of(other, "rows").digest != plan.digest


def test_emitted_text_is_clean(tmp_path, require_tool):
    require_tool("ruff")
    for seed in range(20):
        case = zoo.case(seed)
        plan = plan_of(case.net, form_of(case), Options(optimizer=sbp.AdamW(0.1, clip_norm=1.0)))
        for kind in ("numpy", "cpu"):
            module_of(plan, kind, tmp_path)
    config = os.path.join(os.path.dirname(__file__), "..", "..", "pyproject.toml")
    command = [sys.executable, "-m", "ruff", "check", "--config", config, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]


def test_an_unspecified_function_is_refused_by_name():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation=sbp.Activation("f"))], name="open")
    model = lower(net.spec)
    plan = planner.make(model, None, Options())
    for kind in ("numpy", "cpu"):
        with pytest.raises(sbp.EmissionError, match="the function f has no expression"):
            render(plan, kind)
