"""The written gradient inside your own compiled code: a gradient-descent loop that never leaves Numba."""

import sys
import tempfile

import numpy as np
from numba import njit

import symbackprop as sbp

regression = sbp.Sequential([sbp.Input(1), sbp.Dense(6, activation="tanh"), sbp.Dense(1)], loss="half_squared_error", name="regression")

folder = tempfile.mkdtemp()
regression.generate(folder, targets=("cpu",), dtype="float64", batch=50)
sys.path.insert(0, f"{folder}/regression")
from regression_cpu import value_and_grad, workspace  # noqa: E402  (the module was written a line ago)


@njit
def descend(params, x, y, rate, rounds, work):
    """Return the losses of `rounds` rounds of gradient descent; `params` is changed in place."""
    grads, losses = np.empty_like(params), np.empty(rounds)
    for k in range(rounds):
        losses[k] = value_and_grad(params, x, y, grads, work)
        params -= rate * grads
    return losses


if __name__ == "__main__":
    x = np.linspace(-2, 2, 50).reshape(-1, 1)
    params = regression.init(seed=0, dtype="float64")
    losses = descend(params.flat, x, np.sin(x), 0.2, 3000, np.empty(workspace(50)))
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.6f}")
