"""Handwritten digits by a small convolutional network: every layer is its equations."""

import symbackprop as sbp
from symbackprop.data import digits, every_fifth

net = sbp.Sequential(
    [
        sbp.Input((1, 8, 8)),
        sbp.Conv2D(6, 3, padding=1, activation="relu"),
        sbp.MaxPool2D(2),
        sbp.Conv2D(12, 3, padding=1, activation="relu"),
        sbp.MaxPool2D(2),
        sbp.Flatten(),
        sbp.Dense(10),
    ],
    loss="softmax_cross_entropy",
    name="lenet",
)
OPTIMIZER = sbp.Adam(0.005)
BATCH = 32
DTYPE = "float32"


def data() -> tuple:
    """The training images and their labels; every fifth image is held out."""
    x, y, _, _ = every_fifth(*digits(DTYPE))
    return x.reshape(-1, 1, 8, 8), y


if __name__ == "__main__":
    x, y, x_test, y_test = every_fifth(*digits(DTYPE))
    params = net.init(seed=0, dtype=DTYPE)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    program.fit(params, x.reshape(-1, 1, 8, 8), y, optimizer=OPTIMIZER, epochs=8, batch_size=BATCH, seed=0)
    right = program.predict(params, x_test.reshape(-1, 1, 8, 8)).argmax(axis=1) == y_test
    print(f"test accuracy {right.mean():.3f}")
