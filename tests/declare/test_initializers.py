"""First values: reproducible, of the right spread, and independent of other layers."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp


def test_adding_a_layer_changes_no_other_layers_values():
    small = sbp.Sequential([sbp.Input(5), sbp.Dense(4, name="first"), sbp.Dense(3, name="last")]).init(3)
    big = sbp.Sequential([sbp.Input(5), sbp.Dense(4, name="first"), sbp.Dense(4), sbp.Dense(3, name="last")]).init(3)
    assert np.array_equal(small["first.W"], big["first.W"]) and np.array_equal(small["last.W"], big["last.W"])


def test_the_seed_decides():
    net = sbp.Sequential([sbp.Input(5), sbp.Dense(4)])
    assert net.init(0) == net.init(0) != net.init(1)
    assert net.init(seed=np.int64(4)) == net.init(4)


def test_he_in_front_of_relu_and_glorot_elsewhere():
    net = sbp.Sequential([sbp.Input(400), sbp.Dense(300, activation="relu"), sbp.Dense(200, activation="tanh"), sbp.Dense(100)])
    params = net.init(0, "float64")
    assert params["dense_1.W"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)  # 120,000 draws: the spread is off by 0.2 %
    bound = np.sqrt(6 / 500)
    assert 0.99 * bound < np.abs(params["dense_2.W"]).max() <= bound
    assert not params["dense_1.b"].any()


def test_float32_is_the_rounded_float64():
    net = sbp.Sequential([sbp.Input(5), sbp.Dense(4)])
    assert np.array_equal(net.init(2, "float64").flat.astype(np.float32), net.init(2, "float32").flat)


@pytest.mark.parametrize("seed", ["0", 1.5, True, None])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(sbp.DeclarationError, match="seed"):
        sbp.Sequential([sbp.Input(2), sbp.Dense(2)]).init(seed)


def test_symbolic_sizes_are_refused_with_the_way_out():
    with pytest.raises(sbp.ShapeError, match="give it a number"):
        sbp.Sequential([sbp.Input("n"), sbp.Dense(2)]).init(0)
