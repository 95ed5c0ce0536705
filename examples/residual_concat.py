"""Any directed acyclic wiring: x goes three ways, a residual sum and a concatenation bring the branches together."""

import symbackprop as sbp

x = sbp.Input(6)
h = sbp.Dense(6, activation="tanh")(x)
residual = sbp.Add()(x, h)
side = sbp.Dense(3, activation="relu")(x)
scores = sbp.Dense(4)(sbp.Concat()(residual, side))

net = sbp.Network(inputs=x, outputs=scores, loss="softmax_cross_entropy", name="residual_concat")
OPTIMIZER = sbp.Adam(0.01)
BATCH = 16
DTYPE = "float64"

if __name__ == "__main__":
    derivation = net.derive(per="sample")
    print(derivation.gradients["x"].index)  # three branches, one sum
    print(net.compile(dtype=DTYPE, batch=BATCH).check())
