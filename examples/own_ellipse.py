"""Your own layer in two equations: units that answer to what lies inside an ellipse, each with a metric of its own.

A dense unit asks on which side of a plane a point lies. This one asks how far the point is from a centre c, where far is
measured along each axis by a scale that the unit learns: it draws closed regions, and it knows nothing of what lies outside.
Nobody writes its gradient: the two equations are all there is.
"""

from typing import Any, ClassVar

import sympy

import symbackprop as sbp
from symbackprop.data import digits, every_fifth


class Ellipse(sbp.Layer):
    """d = Σ_j exp(s_ij) (x_j − c_ij)² and a = exp(−d / J): 1 at the centre, 0 far away; exp keeps every scale positive."""

    initial: ClassVar[dict[str, str]] = {"c": "normal"}

    def __init__(self, units: int, name: str | None = None) -> None:
        super().__init__(name)
        self.units = units

    def parameters(self, x: Any) -> Any:
        i, j = sbp.indices("i", self.units), x.axes[1]
        return sbp.tensor("c", i, j), sbp.tensor("s", i, j)

    def equations(self, x: Any) -> Any:
        c, s = self.parameters(x)
        (n, j), i = x.axes, c.axes[0]
        d, a = sbp.tensor("d", n, i), sbp.tensor("a", n, i)
        return (
            sbp.Equation(d[n, i], sbp.Sum(sympy.exp(s[i, j]) * (x[n, j] - c[i, j]) ** 2, j)),
            sbp.Equation(a[n, i], sympy.exp(-d[n, i] / j.extent)),
        )


net = sbp.Sequential([sbp.Input(64), Ellipse(60), sbp.Dense(10)], loss="softmax_cross_entropy", name="own_ellipse")
OPTIMIZER = sbp.Adam(0.01)
BATCH = 32
DTYPE = "float32"

if __name__ == "__main__":
    derivation = net.derive(per="sample")
    for name in ("ellipse_1.d", "ellipse_1.a"):
        print(next(str(e) for e in derivation.equations if str(e).startswith(name)))
    for name in ("ellipse_1.c", "ellipse_1.s"):
        print(derivation.gradients[name].text())
    x, y, x_test, y_test = every_fifth(*digits(DTYPE))
    program = net.compile(dtype=DTYPE, batch=BATCH)
    print("check passed" if program.check().ok else program.check())
    params = net.init(seed=0, dtype=DTYPE)
    program.fit(params, x, y, optimizer=OPTIMIZER, epochs=20, batch_size=BATCH, seed=0)
    print(f"test accuracy {program.evaluate(params, x_test, y_test)['accuracy']:.3f}")
