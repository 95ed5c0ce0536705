"""Guards of addresses become the bounds of loops: exactly the places that the guard allows are visited, and none is tested."""

from __future__ import annotations

import re

import pytest
import sympy

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import InRange
from symbackprop.plan.nests import _limits


@pytest.mark.parametrize("step", [-4, -3, -2, -1, 1, 2, 3, 4])
def test_bounds_are_exact(step):
    i, r = Index("i", 50), Index("r", 40)
    for size in (1, 2, 5, 8):
        guard = InRange(step * i + r - 20, sympy.Integer(size))
        found = _limits(guard, i, (i,))
        assert found is not None
        for rest in range(-20, 20):
            start, stop = (int(end.xreplace({r: sympy.Integer(rest + 20)})) for end in found)
            allowed = {k for k in range(-100, 100) if 0 <= step * k + rest < size}
            assert set(range(start, stop)) == allowed, (step, size, rest)


def test_an_index_inside_a_floor_bounds_nothing():
    from symbackprop.algebra.nodes import Floor

    i = Index("i", 9)
    assert _limits(InRange(Floor(i / 2) - 1, sympy.Integer(3)), i, (i,)) is None
    assert _limits(InRange(i + Floor(i / 2) - 1, sympy.Integer(3)), i, (i,)) is None


@pytest.mark.parametrize("layer", [sbp.Conv2D(3, 3, stride=2, padding=1), sbp.ConvTranspose2D(3, 3, stride=2, padding=1)], ids=type)
def test_strides_leave_no_test_in_an_inner_loop(layer):
    net = sbp.Sequential([sbp.Input((2, 9, 9)), layer], loss="mse", name="strided")
    options = pipeline.Options("cpu", "float64", 8, schedule="plain", form="rows")
    _, _, (module, *_) = pipeline.write(net.spec, options)
    kernels = module.text.partition("def forward(")[0]
    inner = [line for line in kernels.split("\n") if re.match(r" {24,}", line)]
    assert inner
    assert not [line for line in inner if re.search(r"\bif\b", line)]
