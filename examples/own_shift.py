"""Your own layer with an indirect index: every image is turned back by a number that comes with it.

The columns of each digit are rotated by a random number of places; the network is told by how many. One equation undoes it: it
reads column (w + s[n]) mod W, an address that holds a value of another tensor. The derived gradient with respect to the image
sends each error to the column that was read. No value of s can lead outside the image, so none is refused; an address that a
number could carry outside, such as E[s[n]], would make that number an error before anything is computed.
"""

from typing import Any

import numpy as np
import sympy

import symbackprop as sbp
from symbackprop.data import digits, every_fifth


@sbp.layer
def turned_back(x: Any, s: Any) -> Any:
    """a[n, h, w] = x[n, h, (w + s[n]) mod W]."""
    n, h, w = x.axes
    (k,) = s.axes[1:]
    a, place = sbp.tensor("a", n, h, w), w + s[n, 0 * k]
    yield sbp.Equation(a[n, h, w], x[n, h, place - w.extent * sympy.floor(place / w.extent)])


image, shift = sbp.Input((8, 8), name="image"), sbp.Input(1, dtype="int64", name="shift")
straight = turned_back()(sbp.Activation("identity")(image), shift)
net = sbp.Network(
    inputs=[image, shift],
    outputs=sbp.Dense(10)(sbp.Dense(48, activation="relu")(sbp.Flatten()(straight))),
    loss="softmax_cross_entropy",
    name="own_shift",
)
OPTIMIZER = sbp.Momentum(0.1, 0.9)
BATCH = 32
DTYPE = "float32"


def rotated(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images with their columns rotated, and by how many places."""
    s = rng.integers(0, 8, (len(x), 1))
    columns = (np.arange(8) - s) % 8
    return np.ascontiguousarray(np.take_along_axis(x.reshape(-1, 8, 8), columns[:, None, :], axis=2)), s


if __name__ == "__main__":
    derivation = net.derive()
    print(next(str(e) for e in derivation.equations if str(e).startswith("turned_back_1.a")))
    print(derivation.gradients["image"].text())
    x, y, x_test, y_test = every_fifth(*digits(DTYPE))
    rng = np.random.default_rng(0)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    print("check passed" if program.check().ok else program.check())
    params = net.init(seed=0, dtype=DTYPE)
    program.fit(params, rotated(x, rng), y, optimizer=OPTIMIZER, epochs=15, batch_size=BATCH, seed=0)
    print(f"test accuracy {program.evaluate(params, rotated(x_test, rng), y_test)['accuracy']:.3f}")
