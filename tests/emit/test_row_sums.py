"""Sums over a leading axis, row after row: the bits of plain loops, entries of a row side by side."""

from __future__ import annotations

import modules
import numpy as np

import symbackprop as sbp
from symbackprop.plan.records import Add, Loop, Store


def gradients(net, schedule, folder):
    plan = modules.plan_of(net, None, modules.Options(dtype="float32", batch=9, schedule=schedule))
    module = modules.module_of(plan, "cpu", folder / schedule)
    rng = np.random.default_rng(3)
    size = sum(int(np.prod(shape)) for _, _, shape in module.PARAMETERS)
    params = rng.normal(size=size).astype(np.float32)
    x, y = rng.normal(size=(9, 7)).astype(np.float32), rng.normal(size=(9, 5)).astype(np.float32)
    grads = np.full(size, np.nan, np.float32)
    with np.errstate(all="ignore"):
        value = module.value_and_grad(params, x, y, grads, np.full(module.workspace(9), np.nan, np.float32))
    return plan, value, grads


def test_rows_are_added_in_the_order_of_plain_loops(tmp_path):
    layers = [sbp.Input(7), sbp.Dense(20, activation="relu"), sbp.Dense(5)]
    # A sum, for a mean is a quotient in one schedule and a product in the other.
    net = sbp.Sequential(layers, loss=sbp.Loss("half_squared_error", reduction="sum"), name="rows")
    plan, value, grads = gradients(net, "auto", tmp_path)
    _, expected, wanted = gradients(net, "plain", tmp_path)
    assert (value, grads.tobytes()) == (expected, wanted.tobytes())
    # The sum over the samples is outside: what stands innermost goes along a row. Five entries are no row worth it.
    narrow, wide = (c.kernel.body.statements for c in plan.entry("backward").calls if c.kernel.written == ("grad_b",))
    assert len(narrow) == 1
    clear, outer = wide
    assert isinstance(clear, Loop) and isinstance(clear.body[0], Store)
    assert isinstance(outer, Loop) and isinstance(outer.body[-1], Loop) and isinstance(outer.body[-1].body[0], Add)
    assert outer.body[-1].body[0].access.index == (outer.body[-1].index,)
