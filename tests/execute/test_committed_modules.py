"""The modules in `generated/` themselves, imported as a stranger would, with NumPy alone: are their gradients right?"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbackprop.execute.lockstep import Lockstep

GENERATED = Path(__file__).parents[2] / "generated"

Batch = tuple[np.ndarray, ...]
Make = Callable[[np.random.Generator, int], Batch]

#: How to draw a batch for each network: its inputs, and a target that its loss takes.
DATA: dict[str, Make] = {
    "xor": lambda rng, n: (rng.normal(size=(n, 2)), rng.integers(0, 2, (n, 1)).astype(float)),
    "mazur": lambda rng, n: (rng.normal(size=(n, 2)), rng.uniform(size=(n, 2))),
    "digits": lambda rng, n: (rng.uniform(size=(n, 64)), rng.integers(0, 10, n)),
    "residual_concat": lambda rng, n: (rng.normal(size=(n, 6)), rng.integers(0, 4, n)),
    "own_activation": lambda rng, n: (rng.normal(size=(n, 3)), rng.normal(size=(n, 1))),
    "lenet": lambda rng, n: (rng.uniform(size=(n, 1, 8, 8)), rng.integers(0, 10, n)),
    "resnet_block": lambda rng, n: (rng.uniform(size=(n, 1, 8, 8)), rng.integers(0, 10, n)),
    "char_rnn": lambda rng, n: (rng.integers(0, 62, (n, 32)), rng.integers(0, 62, (n, 32))),
    "transformer": lambda rng, n: (rng.integers(0, 62, (n, 32)), rng.integers(0, 62, (n, 32))),
    "own_ellipse": lambda rng, n: (rng.uniform(size=(n, 64)), rng.integers(0, 10, n)),
    "own_morphology": lambda rng, n: (rng.uniform(size=(n, 1, 8, 8)), rng.integers(0, 10, n)),
    "own_shift": lambda rng, n: (rng.uniform(size=(n, 8, 8)), rng.integers(0, 8, (n, 1)), rng.integers(0, 10, n)),
}
#: Written in float32, which differences cannot judge.
SINGLE = ("digits", "lenet", "resnet_block", "char_rnn", "transformer", "own_ellipse", "own_morphology", "own_shift")
MODULES = [(name, target) for name in DATA for target in ("numpy", "cpu")]


def test_every_committed_folder_is_tried() -> None:
    assert {path.name for path in GENERATED.iterdir() if path.is_dir()} == set(DATA)


def module(name: str, target: str) -> ModuleType:
    folder = GENERATED / name
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location(f"{name}_{target}", folder / f"{name}_{target}.py")
        assert spec is not None and spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        # Numba's cache asks for the module by its name.
        sys.modules[spec.name] = made
        spec.loader.exec_module(made)
    finally:
        sys.path.remove(str(folder))
    return made


def sample(made: ModuleType, name: str, n: int, seed: int = 0) -> tuple[Any, ...]:
    """Parameters with the statistics behind them, a batch (inputs, masks, target), gradients and workspace in the module's type."""
    rng = np.random.default_rng(seed)
    *inputs, y = DATA[name](rng, n)
    real = np.dtype(made.DTYPE)
    count = sum(int(np.prod(shape)) for _, _, shape in made.PARAMETERS)
    behind = [np.full(int(np.prod(shape)), first) for _, _, shape, first in getattr(made, "STATISTICS", ())]
    params = np.concatenate([0.5 * rng.normal(size=count), *behind]).astype(real)
    masks = [rng.random((n, *shape)) < keep for _, shape, keep in getattr(made, "MASKS", ())]
    batch = tuple(a if a.dtype == np.int64 else a.astype(real) for a in (*inputs, *masks, y))
    return params, batch, np.full(count, np.nan, real), np.full(made.workspace(n), np.nan, real)


@pytest.mark.parametrize(("name", "target"), [*MODULES, *((name, "cuda") for name in DATA)])
def test_it_stands_alone(name: str, target: str) -> None:
    text = (GENERATED / name / f"{name}_{target}.py").read_text(encoding="utf-8")
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= {"numpy", "numba", "scipy", "math", "__future__", f"kernels_{target}"}


@pytest.mark.parametrize(("name", "target"), [m for m in MODULES if m[0] not in SINGLE])
def test_gradients_agree_with_central_differences(name: str, target: str) -> None:
    made = module(name, target)
    assert made.DTYPE == "float64"
    n = made.BATCH
    params, batch, grads, work = sample(made, name, n)
    loss = made.value_and_grad(params, *batch, grads, work)
    assert loss == made.loss(params, *batch, work)
    step, measured = 1e-6, np.empty_like(params)
    for k in range(params.size):
        ends = []
        for sign in (1, -1):
            moved = params.copy()
            moved[k] += sign * step
            ends.append(made.loss(moved, *batch, work))
        measured[k] = (ends[0] - ends[1]) / (2 * step)
    # Rounding of the loss over the step: about 1e-16 / 1e-6; the step squared is far below.
    for tensor, offset, shape in made.PARAMETERS:
        part = slice(offset, offset + int(np.prod(shape)))
        error = np.linalg.norm(grads[part] - measured[part])
        assert error <= 1e-7 * max(1.0, np.linalg.norm(measured[part])), tensor


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_digits_agree_with_formulas_written_by_hand(target: str) -> None:
    """float32 has no room for differences: softmax, cross-entropy, relu and L2 as anybody would write them, in float64."""
    made = module("digits", target)
    assert made.DTYPE == "float32"
    n = made.BATCH
    params, batch, grads, work = sample(made, "digits", n)
    x, y = batch
    loss = made.value_and_grad(params, *batch, grads, work)
    p = {name: params[o : o + int(np.prod(s))].reshape(s).astype(np.float64) for name, o, s in made.PARAMETERS}
    h = np.maximum(x @ p["dense_1.W"].T + p["dense_1.b"], 0)
    scores = h @ p["dense_2.W"].T + p["dense_2.b"]
    prob = np.exp(scores - scores.max(axis=1, keepdims=True))
    prob /= prob.sum(axis=1, keepdims=True)
    penalty = 0.5e-4 * sum(np.sum(p[w] ** 2) for w in ("dense_1.W", "dense_2.W"))
    assert loss == pytest.approx(-np.log(prob[np.arange(n), y]).mean() + penalty, rel=1e-5)
    delta = (prob - np.eye(10)[y]) / n
    back = (delta @ p["dense_2.W"]) * (h > 0)
    right = {
        "dense_1.W": back.T @ x + 1e-4 * p["dense_1.W"],
        "dense_1.b": back.sum(axis=0),
        "dense_2.W": delta.T @ h + 1e-4 * p["dense_2.W"],
        "dense_2.b": delta.sum(axis=0),
    }
    for tensor, offset, shape in made.PARAMETERS:
        got = grads[offset : offset + int(np.prod(shape))].reshape(shape)
        assert np.linalg.norm(got - right[tensor]) <= 1e-5 * np.linalg.norm(right[tensor]), tensor


@pytest.mark.parametrize("name", DATA)
def test_both_targets_take_the_same_training_steps(name: str) -> None:
    ends = []
    for target in ("numpy", "cpu"):
        made = module(name, target)
        n = max(1, made.BATCH - 1)
        params, batch, grads, work = sample(made, name, n)
        state, hyper = np.zeros(made.STATE_SIZE, params.dtype), np.array([value for _, value in made.HYPER], np.float64)
        losses = [made.train_step(params, *batch, grads, state, hyper, work) for _ in range(5)]
        assert losses[-1] < losses[0]
        ends.append((params, losses))
    tolerance = 1e-4 if ends[0][0].dtype == np.float32 else 1e-10
    assert np.allclose(ends[0][1], ends[1][1], rtol=tolerance)
    assert np.linalg.norm(ends[0][0] - ends[1][0]) <= tolerance * np.linalg.norm(ends[0][0])


@pytest.mark.parametrize("name", DATA)
def test_a_step_is_the_gradient_and_the_update_and_gives_the_same_bits_again(name: str) -> None:
    made = module(name, "cpu")
    n = made.BATCH
    results = []
    for whole in (True, True, False):
        params, batch, grads, work = sample(made, name, n)
        state, hyper = np.zeros(made.STATE_SIZE, params.dtype), np.array([value for _, value in made.HYPER], np.float64)
        if whole:
            made.train_step(params, *batch, grads, state, hyper, work)
        else:
            made.value_and_grad(params, *batch, grads, work)
            if hasattr(made, "STATISTICS"):
                made.update_statistics(params, *batch, work)
            made.update(params, grads, state, hyper)
        results.append((params.tobytes(), grads.tobytes(), state.tobytes()))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", DATA)
def test_a_loss_that_is_not_finite_changes_nothing(name: str) -> None:
    made = module(name, "cpu")
    params, batch, grads, work = sample(made, name, made.BATCH)
    (batch[0] if batch[0].dtype == params.dtype else params)[:1] = np.nan
    before = params.copy()
    state, hyper = np.zeros(made.STATE_SIZE, params.dtype), np.array([value for _, value in made.HYPER], np.float64)
    assert not np.isfinite(made.train_step(params, *batch, grads, state, hyper, work))
    assert np.array_equal(params, before, equal_nan=True)
    assert not state.any()


@pytest.mark.parametrize("name", DATA)
def test_kernels_of_a_gpu_do_the_same_in_lock_step(name: str) -> None:
    right, made = module(name, "numpy"), module(name, "cuda")
    made.launch.__globals__["use"](Lockstep())
    assert (made.PARAMETERS, made.DTYPE, made.BATCH, made.HYPER) == (right.PARAMETERS, right.DTYPE, right.BATCH, right.HYPER)
    params, batch, grads, _ = sample(made, name, 1)
    others, work = grads.copy(), np.empty(right.workspace(1), params.dtype)
    loss = made.value_and_grad(params, *batch, grads)
    close = 1e-12 if right.DTYPE == "float64" else 2e-5
    assert loss == pytest.approx(right.value_and_grad(params, *batch, others, work), rel=close)
    for tensor, offset, shape in made.PARAMETERS:
        part = slice(offset, offset + int(np.prod(shape)))
        assert np.linalg.norm(grads[part] - others[part]) <= close * max(1.0, np.linalg.norm(others[part])), tensor
