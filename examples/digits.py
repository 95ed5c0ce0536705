"""Handwritten digits, 64-64-10: what `symbackprop demo` trains."""

import symbackprop as sbp
from symbackprop.data import digits, every_fifth

net = sbp.Sequential(
    [sbp.Input(64), sbp.Dense(64, activation="relu"), sbp.Dense(10)],
    loss="softmax_cross_entropy",
    regularizer=sbp.L2(1e-4),
    name="digits",
)
OPTIMIZER = sbp.Momentum(0.1, 0.9)
BATCH = 32
DTYPE = "float32"


def data() -> tuple:
    """The training images and their labels; every fifth image is held out."""
    x, y, _, _ = every_fifth(*digits(DTYPE))
    return x, y


if __name__ == "__main__":
    x, y, x_test, y_test = every_fifth(*digits(DTYPE))
    params = net.init(seed=0, dtype=DTYPE)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    program.fit(params, x, y, optimizer=OPTIMIZER, epochs=30, batch_size=BATCH, seed=0)
    print(f"test accuracy {(program.predict(params, x_test).argmax(axis=1) == y_test).mean():.3f}")
