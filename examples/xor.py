"""XOR with two hidden units: the smallest problem that needs a hidden layer."""

import numpy as np

import symbackprop as sbp

net = sbp.Sequential(
    [sbp.Input(2), sbp.Dense(2, activation="tanh"), sbp.Dense(1, activation="sigmoid")],
    loss="binary_cross_entropy",
    name="xor",
)
OPTIMIZER = sbp.GradientDescent(0.5)
BATCH = 4
DTYPE = "float64"


def data() -> tuple[np.ndarray, np.ndarray]:
    """The truth table."""
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


if __name__ == "__main__":
    x, y = data()
    params = net.init(seed=2, dtype=DTYPE)  # two hidden units are just enough: from some starts they end in a local minimum
    program = net.compile(dtype=DTYPE, batch=BATCH)
    program.fit(params, x, y, optimizer=OPTIMIZER, epochs=2000, batch_size=None)
    print(np.round(program.predict(params, x).ravel(), 2))
