"""Windows in NumPy: loops over offsets and slices, as one would write them on the board, and the same numbers as the equations."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp

WINDOWS = {
    "padded": lambda x: sbp.Conv2D(3, 3, padding=1)(x),
    "strided": lambda x: sbp.Conv2D(2, 3, stride=2, padding=1)(x),
    "maximum": lambda x: sbp.MaxPool2D(2)(x),
    "overlapping": lambda x: sbp.MaxPool2D(3, stride=2, padding=1)(x),
    "mean": lambda x: sbp.AvgPool2D(2)(x),
}


def network(name):
    x = sbp.Input((2, 6, 6))
    return sbp.Network(inputs=x, outputs=WINDOWS[name](sbp.Conv2D(2, 1)(x)), loss="mse", name=f"window_{name}")


# What an overlapping maximum sends back compares places by number, which no slice does; it stays an expression over all places.
@pytest.mark.parametrize("name", sorted(set(WINDOWS) - {"overlapping"}))
def test_a_window_is_a_loop_over_offsets(name):
    text = network(name).compile(target="numpy", dtype="float64").source
    text = text.partition("def value_and_grad")[2].partition("\ndef ")[0]
    code = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert any("for " in line and "in range(" in line for line in code)
    assert "np.clip" not in text and "np.arange" not in text
    assert max(map(len, code)) <= 140


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_a_window_of_slices_gives_what_its_equations_give(name):
    net, rng = network(name), np.random.default_rng(3)
    program, params = net.compile(target="numpy", dtype="float64"), net.init(seed=0, dtype="float64")
    x = rng.standard_normal((3, 2, 6, 6))
    y = rng.standard_normal(program.predict(params, x).shape)
    values = net.derive().evaluate({**{k: np.asarray(v) for k, v in params.items()}, "x": x, "y": y})
    value, grads = program.value_and_grad(params, x, y)
    # Sums in another order: a few roundings of numbers near 1.
    np.testing.assert_allclose(value, values[net.derive().record.model.loss], rtol=1e-12)
    for parameter in params:
        np.testing.assert_allclose(grads[parameter], values[f"grad.{parameter}"], rtol=1e-11, atol=1e-13)


def test_padding_is_not_read():
    # 0 · ∞ at the rim would be NaN: an infinite weight shows that a guard keeps its product from being formed.
    net = network("padded")
    program, params = net.compile(target="numpy", dtype="float64"), net.init(seed=0, dtype="float64")
    params["conv2d_2.W"][:, :, 0, 0] = np.inf
    params["conv2d_1.W"][...] = 1.0
    z = program.predict(params, np.ones((1, 2, 6, 6)))
    assert np.all(np.isfinite(z[:, :, 0, :])) and np.all(np.isfinite(z[:, :, :, 0]))
    assert np.all(np.isposinf(z[:, :, 1:, 1:]))
