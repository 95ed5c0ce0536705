"""Labels and tokens are addresses: values out of range are refused by the kernels themselves, before anything is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import symbackprop as sbp

TARGETS = ("numpy", "cpu")
ROOT = Path(__file__).parents[2]


def tokens() -> Any:
    """Tokens 0..6 and labels 0..4."""
    layers = [sbp.Input(4, dtype="int64"), sbp.Embedding(7, 3), sbp.Flatten(), sbp.Dense(5)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="tokens")


class Shifted(sbp.Layer):
    """a[n, i] = Σ_k E[3 + i − x[n, k]] + [0 ≤ x[n, k] − 1 < 9] F[x[n, k] − 1]: the guarded access asks for nothing."""

    def parameters(self, x: Any) -> Any:
        return sbp.tensor("E", 6), sbp.tensor("F", 9)

    def equations(self, x: Any) -> Any:
        E, F = self.parameters(x)
        (n,) = x.axes[:1]
        i = sbp.indices("i", 3)
        (k,) = x.axes[1:]
        a = sbp.tensor("a", n, i)
        return [sbp.Equation(a[n, i], sbp.Sum(E[3 + i - x[n, k]] + sbp.InRange(x[n, k] - 1, 9) * F[x[n, k] - 1], k))]


@pytest.fixture(params=TARGETS)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    return tokens().compile(target=request.param, dtype="float64", batch=8)


def test_the_module_says_which_argument_and_writes_nothing(program: Any) -> None:
    net = tokens()
    x, y = np.zeros((6, 4), np.int64), np.zeros(6, np.int64)
    program.fit(net.init(0, "float64"), x, y, sbp.Momentum(0.1, 0.9))
    module = program._any().module
    assert module.check(x, y) == 0
    flat = net.init(0, "float64").flat
    for bad_x, bad_y, number in ((x + 7, y, 1), (x - 1, y, 1), (x, y + 5, 2), (x, y - 1, 2), (x + 7, y - 1, 1)):
        params, grads, state, out = flat.copy(), np.full(flat.size, 3.0), np.full(module.STATE_SIZE, 4.0), np.full((6, 5), 5.0)
        work = np.full(module.workspace(6), 6.0)
        hyper = np.array([value for _, value in module.HYPER])
        assert module.check(bad_x, bad_y) == number
        assert np.isnan(module.loss(params, bad_x, bad_y, work))
        assert np.isnan(module.value_and_grad(params, bad_x, bad_y, grads, work))
        assert np.isnan(module.train_step(params, bad_x, bad_y, grads, state, hyper, work))
        if number == 1:
            assert module.forward(params, bad_x, out, work) == 1
        assert (params == flat).all() and (grads == 3.0).all() and (state == 4.0).all() and (out == 5.0).all() and (work == 6.0).all()
    assert module.forward(flat, x, out, work) == 0


CALLS = {
    "value_and_grad": lambda p, w, x, y: p.value_and_grad(w, x, y),
    "loss": lambda p, w, x, y: p.loss(w, x, y),
    "predict": lambda p, w, x, y: p.predict(w, x),
    "evaluate": lambda p, w, x, y: p.evaluate(w, x, y),
    "fit": lambda p, w, x, y: p.fit(w, x, y, optimizer=sbp.SGD(0.1), batch_size=8),
    "validation": lambda p, w, x, y: p.fit(w, np.zeros_like(x), y, optimizer=sbp.SGD(0.1), batch_size=8, validation=(x, y)),
    "bind": lambda p, w, x, y: p.bind(w, x, y),
    "hvp": lambda p, w, x, y: p.hvp(w, x, y, w),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_names_tensor_place_value_and_range(program: Any, call: str) -> None:
    x, y = np.zeros((20, 4), np.int64), np.zeros(20, np.int64)
    size = 20 if call in ("predict", "evaluate", "fit", "validation") else 8
    x, y = x[:size], y[:size]
    x[size - 1, 2] = 7
    params = tokens().init(0, "float64")
    before = params.copy()
    with pytest.raises(sbp.DataError, match=rf"^x: tokens must lie in 0\.\.6, got 7 at index \({size - 1}, 2\)$"):
        CALLS[call](program, params, x, y)
    x[size - 1, 2] = 0
    y[3] = -2
    if call != "predict":
        with pytest.raises(sbp.DataError, match=r"^y: labels must lie in 0\.\.4, got -2 at index 3$"):
            CALLS[call](program, params, x, y)
    assert params == before


def test_labels_that_count_from_one_are_told(program: Any) -> None:
    x, y = np.zeros((5, 4), np.int64), np.arange(1, 6)
    with pytest.raises(sbp.DataError, match=r"got 5 at index 4; where they count from 1, pass y - 1"):
        program.loss(tokens().init(0, "float64"), x, y)


def test_numbers_beyond_int64_are_no_small_ones(program: Any) -> None:
    x, y = np.zeros((2, 4), np.int64), np.array([0, 2**64 - 1], np.uint64)
    with pytest.raises(sbp.DataError, match=r"y: labels must lie in 0\.\.4, got 9223372036854775807 at index 1"):
        program.loss(tokens().init(0, "float64"), x, y)


@pytest.mark.parametrize("target", TARGETS)
def test_a_range_follows_from_the_address(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """E[3 + i − x] with i < 3 and six entries: 0 ≤ 3 + i − x ≤ 5 for every i asks for 0 ≤ x ≤ 3."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    net = sbp.Sequential([sbp.Input(2, dtype="int64"), Shifted(), sbp.Dense(2)], loss="half_squared_error", name="shifted")
    program = net.compile(target=target, dtype="float64", batch=8)
    params, y = net.init(0, "float64"), np.zeros((4, 2))
    for value in range(4):
        assert np.isfinite(program.loss(params, np.full((4, 2), value), y))
    for value in (-1, 4):
        with pytest.raises(sbp.DataError, match=rf"x: tokens must lie in 0\.\.3, got {value} at index \(0, 0\)"):
            program.loss(params, np.full((4, 2), value), y)
    report = program.check(batch=3)
    assert report.ok, str(report)


def test_an_address_that_no_range_makes_safe_is_refused() -> None:
    class Wild(sbp.Layer):
        def equations(self, x: Any) -> Any:
            n, i = x.axes
            E, a = sbp.tensor("E", 9), sbp.tensor("a", n, i)
            return [sbp.Equation(a[n, i], E[x[n, i] * x[n, i]])]

        def parameters(self, x: Any) -> Any:
            return sbp.tensor("E", 9)

    net = sbp.Sequential([sbp.Input(2, dtype="int64"), Wild(), sbp.Dense(2)], loss="half_squared_error", name="wild")
    with pytest.raises(sbp.DeclarationError, match=r"nothing keeps the address .* in 0\.\.8; guard it: sbp\.InRange"):
        net.compile().loss(net.init(), np.zeros((1, 2), int), np.zeros((1, 2), np.float32))


BOUND = """
import numpy as np, symbackprop as sbp
net = sbp.Sequential([sbp.Input(4), sbp.Dense(3)], loss="softmax_cross_entropy", name="bound")
x, y = np.ones((2, 4)), np.zeros(2, np.int64)
step = net.compile(dtype="float64", batch=2).bind(net.init(0, "float64"), x, y)
first = step()
kept = step.grads.flat.copy()
y[1] = 10**9
try:
    step()
except sbp.DataError as error:
    print(error)
assert (step.grads.flat == kept).all()
y[1] = 0
assert step() == first
x[0, 0] = np.nan
print(step())
"""


def test_a_bound_step_with_nonsense_in_its_labels_reads_nothing_outside(tmp_path: Path) -> None:
    """Compiled with Numba's own test of every address: one read outside would raise IndexError, not DataError."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_BOUNDSCHECK": "1", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", BOUND], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["y: labels must lie in 0..2, got 1000000000 at index 1", "nan"]
