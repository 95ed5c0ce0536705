"""A layer that no framework has: morphology with learned structuring elements, the convolution of the max-plus algebra.

A convolution sums products; put max for the sum and plus for the product, and the window becomes a dilation: what is bright
grows by a learned shape B. The erosion is its mirror image: what is dark grows by a shape E. Between the two stands the
outline of whatever is in the picture. Three equations say it; the gradient, which sends each error to the one pixel and the one
entry of the shape that won the maximum, is derived, not written. Outside the image a maximum sees minus infinity.
"""

from typing import Any

import symbackprop as sbp
from symbackprop.data import digits, every_fifth


@sbp.layer(initial={"B": "glorot", "E": "glorot"})
def outline(x: Any, *, shapes: int, size: int = 3) -> Any:
    """Dilation minus erosion of the first channel, by ``shapes`` pairs of structuring elements."""
    n, _, h, w = x.axes
    k = sbp.indices("k", shapes)
    u, v = sbp.indices("u v", size)
    B, E = sbp.parameter("B", k, u, v), sbp.parameter("E", k, u, v)
    grown, shrunk, a = (sbp.tensor(name, n, k, h, w) for name in ("grown", "shrunk", "a"))
    row, column = h + u - size // 2, w + v - size // 2
    inside = sbp.InRange(row, h.extent) * sbp.InRange(column, w.extent)
    yield sbp.Equation(grown[n, k, h, w], sbp.Max(inside * (x[n, 0, row, column] + B[k, u, v]), u, v))
    yield sbp.Equation(shrunk[n, k, h, w], -sbp.Max(inside * (E[k, u, v] - x[n, 0, row, column]), u, v))
    yield sbp.Equation(a[n, k, h, w], grown[n, k, h, w] - shrunk[n, k, h, w])


net = sbp.Sequential(
    [sbp.Input((1, 8, 8)), outline(shapes=12), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(10)],
    loss="softmax_cross_entropy",
    name="own_morphology",
)
OPTIMIZER = sbp.Adam(0.01)
BATCH = 32
DTYPE = "float32"

if __name__ == "__main__":
    derivation = net.derive(per="sample")
    for name in ("grown", "shrunk", "a"):
        print(next(str(e) for e in derivation.equations if str(e).startswith(f"outline_1.{name}")))
    for name in ("outline_1.B", "outline_1.E"):
        print(derivation.gradients[name].text())
    x, y, x_test, y_test = every_fifth(*digits(DTYPE))
    program = net.compile(dtype=DTYPE, batch=BATCH)
    print("check passed" if program.check().ok else program.check())
    params = net.init(seed=0, dtype=DTYPE)
    program.fit(params, x.reshape(-1, 1, 8, 8), y, optimizer=OPTIMIZER, epochs=12, batch_size=BATCH, seed=0)
    print(f"test accuracy {program.evaluate(params, x_test.reshape(-1, 1, 8, 8), y_test)['accuracy']:.3f}")
