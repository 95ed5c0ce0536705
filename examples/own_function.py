"""No network at all: the gradient of f = ||W x||^2 in index and in matrix form."""

import symbackprop as sbp

n, m = sbp.sizes("n m")
i, j = sbp.indices("i j", m, n)
W, x, q, f = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("q", i), sbp.tensor("f")
system = sbp.System([sbp.Equation(q[i], sbp.Sum(W[i, j] * x[j], j)), sbp.Equation(f[()], sbp.Sum(q[i] ** 2, i))])

if __name__ == "__main__":
    derivation = sbp.derive(system, of="f", wrt=["W", "x"])
    for name in ("W", "x"):
        gradient = derivation.gradients[name]
        print(gradient.text(form="index"), "|", gradient.text(form="matrix"))
        for step in gradient.steps:
            print("   ", step.rule)
