"""Mazur's 2-2-2 network, the worked example that many lectures end with: one round of gradient descent, number by number."""

import numpy as np

import symbackprop as sbp

net = sbp.Sequential(
    [sbp.Input(2), sbp.Dense(2, activation="sigmoid"), sbp.Dense(2, activation="sigmoid")],
    loss="half_squared_error",
    name="mazur",
)
OPTIMIZER = sbp.GradientDescent(0.5)
BATCH = 1
DTYPE = "float64"

WEIGHTS = {
    "dense_1.W": np.array([[0.15, 0.20], [0.25, 0.30]]),
    "dense_1.b": np.array([0.35, 0.35]),
    "dense_2.W": np.array([[0.40, 0.45], [0.50, 0.55]]),
    "dense_2.b": np.array([0.60, 0.60]),
}


def data() -> tuple[np.ndarray, np.ndarray]:
    """The one sample."""
    return np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])


if __name__ == "__main__":
    x, y = data()
    params = net.parameters(WEIGHTS)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    loss, gradients = program.value_and_grad(params, x, y)
    print(f"E = {loss:.9f}")  # 0.298371109
    print(f"w5 - 0.5 dE/dw5 = {params['dense_2.W'][0, 0] - 0.5 * gradients['dense_2.W'][0, 0]:.9f}")  # 0.358916480
