"""Whole networks whose sums are tiled products, however small, in lock-step beside the interpreter of equations."""

from __future__ import annotations

import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from device_measure import TOLERANCE, errors
from device_modules import Lock, Network, computed, drawn, expected, network, text_of
from device_orders import Orders
from device_products import SMALL

import symbackprop as sbp
from symbackprop.plan.device import make, product

N = 3


def dense() -> Any:
    layers = [sbp.Input(6), sbp.Dense(8, activation="tanh"), sbp.Dense(12, activation="relu"), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", regularizer=sbp.L2(0.01), name="tiled_dense")


def windows() -> Any:
    layers = [
        sbp.Input((1, 5, 5)),
        sbp.Conv2D(3, 3, padding="same", activation="relu"),
        sbp.MaxPool2D(2),
        sbp.Conv2D(4, 2, activation="tanh"),
    ]
    return sbp.Sequential([*layers, sbp.Flatten(), sbp.Dense(3)], loss="softmax_cross_entropy", name="tiled_windows")


def attention() -> Any:
    x = sbp.Input((3, 4), name="x")
    h = sbp.LayerNorm()(x + sbp.Attention(heads=2, causal=True)(x))
    return sbp.Network(inputs=x, outputs=sbp.Dense(3)(sbp.Flatten()(h)), loss="softmax_cross_entropy", name="tiled_attention")


def recurrent() -> Any:
    return sbp.Sequential([sbp.Input((4, 3)), sbp.LSTM(5), sbp.Dense(3)], loss="softmax_cross_entropy", name="tiled_recurrent")


NETWORKS = {make_.__name__: make_ for make_ in (dense, windows, attention, recurrent)}
SHAPES = {"dense": (6,), "windows": (1, 5, 5), "attention": (3, 4), "recurrent": (4, 3)}


@lru_cache(maxsize=1)
def derived(name: str) -> Network:
    return network(NETWORKS[name](), "labels")


@pytest.fixture(params=[1, 4], ids=["whole", "parted"])
def everything_tiled(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Tile every sum of products, with sums in one part or, where there are four terms, in several."""
    if request.param > 1:
        monkeypatch.setattr(product, "LAUNCH", -(10**6))
        monkeypatch.setattr(product, "ENTRY", 0)
        monkeypatch.setattr(product, "LEAST_STEPS", 1)
        monkeypatch.setattr(product, "MOST_SPLITS", request.param)
    monkeypatch.setattr(make, "tiled", partial(product.tiled, tiles=(product.Speed(SMALL, 1.0, 1),), least=1))
    return int(request.param)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients(name: str, dtype: str, everything_tiled: int, seed: int, tmp_path: Path) -> None:
    made = derived(name)
    plan = made.plan(dtype, N, schedule="layered")
    text = text_of(plan)
    assert "in tiles of 16 x 16" in text and (everything_tiled == 1 or "the terms in" in text)
    data = drawn(made, N, np.random.default_rng([seed, 31]))
    found = computed(Lock(text, tmp_path, Orders()), plan, data, dtype)
    wrong = {key: error for key, error in errors(found, expected(made, plan, data), dtype).items() if not error <= TOLERANCE[dtype]}
    assert not wrong, wrong
