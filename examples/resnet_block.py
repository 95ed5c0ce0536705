"""Handwritten digits by a residual block: two convolutions whose result is added to what they read."""

import symbackprop as sbp
from symbackprop.data import digits, every_fifth

image = sbp.Input((1, 8, 8))
x = sbp.Activation("relu")(sbp.BatchNorm()(sbp.Conv2D(16, 3, padding=1, bias=False)(image)))
h = sbp.Activation("relu")(sbp.BatchNorm()(sbp.Conv2D(16, 3, padding=1, bias=False)(x)))
h = sbp.BatchNorm()(sbp.Conv2D(16, 3, padding=1, bias=False)(h))
block = sbp.Activation("relu")(x + h)
scores = sbp.Dense(10)(sbp.Flatten()(sbp.AvgPool2D(2)(block)))
net = sbp.Network(inputs=image, outputs=scores, loss="softmax_cross_entropy", name="resnet_block")
OPTIMIZER = sbp.Adam(0.005)
BATCH = 32
DTYPE = "float32"


def data() -> tuple:
    """The training images and their labels; every fifth image is held out."""
    x, y, _, _ = every_fifth(*digits(DTYPE))
    return x.reshape(-1, 1, 8, 8), y


if __name__ == "__main__":
    params = net.init(seed=0, dtype=DTYPE)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    print(program.fit(params, *data(), optimizer=OPTIMIZER, epochs=8, batch_size=BATCH, seed=0))
    _, _, x_test, y_test = every_fifth(*digits(DTYPE))
    print(f"test accuracy {program.evaluate(params, x_test.reshape(-1, 1, 8, 8), y_test)['accuracy']:.3f}")
