"""A regression that nobody shipped: your own activation, a loss that forgives outliers, an elastic net on the weights."""

import numpy as np

import symbackprop as sbp

bent = sbp.Activation("bent", "z + (sqrt(z**2 + 1) - 1) / 2")

net = sbp.Sequential(
    [sbp.Input(3), sbp.Dense(8, activation=bent), sbp.Dense(1)],
    loss=sbp.Loss("huber", delta=0.5),
    regularizer=sbp.ElasticNet(1e-4, 1e-3),
    name="own_activation",
)
OPTIMIZER = sbp.RMSProp(0.01)
BATCH = 32
DTYPE = "float64"


def data() -> tuple[np.ndarray, np.ndarray]:
    """A smooth function of three variables; every tenth target is far off."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (320, 3))
    y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:]
    y[::10] += 5
    return x, y


if __name__ == "__main__":
    x, y = data()
    print(net.derive(per="sample").error_terms["dense_1"].index)
    params = net.init(seed=0, dtype=DTYPE)
    history = net.compile(dtype=DTYPE, batch=BATCH).fit(params, x, y, optimizer=OPTIMIZER, epochs=100, batch_size=BATCH, seed=0)
    print(history)
