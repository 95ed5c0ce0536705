"""Rows: their reductions and what follows while they are at hand, terms added where they belong, and calls that only one thread can do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest
import sympy
import written

import symbackprop as sbp
from symbackprop.emit.environment import environment
from symbackprop.plan.records import Add, Let, Loop, Store, Update, When

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from modules import LINES, SHARED, Options, differences, module_of, plan_of

RUNTIME = written.executed(environment().get_template(written.RUNTIME).render(), compiled=True, name="kernels_cpu")


def attention(name):
    x, seen = sbp.Input((5, 4), name="x"), sbp.Input(5, name="seen")
    h = sbp.LayerNorm()(sbp.Attention(heads=2, causal=True)(x, seen))
    return sbp.Network(inputs=(x, seen), outputs=sbp.Dense(3)(h), loss="softmax_cross_entropy", name=name)


def values(statements):
    for s in statements:
        if isinstance(s, Loop | When):
            yield from values(s.body)
        elif isinstance(s, Store | Let | Add | Update):
            yield s.value


def test_a_masked_softmax_takes_each_exponential_once(tmp_path, monkeypatch):
    net = attention("rows_at_hand")
    plan = plan_of(net, "labels", Options(batch=4), machine=LINES, monkeypatch=monkeypatch)
    (softmax,) = (k for k in plan.kernels if k.written == ("P",))
    assert sum(len(value.atoms(sympy.exp)) for value in values(softmax.body.statements)) == 1
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(11)
    given = {name: rng.standard_normal(shape) for name, _, shape in module.PARAMETERS}
    seen = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]], float)
    given |= {"x": rng.standard_normal((4, 5, 4)), "seen": seen, "y": rng.integers(0, 3, (4, 5))}
    found = differences(net, "labels", given, plan, module)
    # Rows of five, a query without a key among them; some hundred roundings.
    assert max(found.values()) < 1e-12, (found, 11)


@pytest.mark.parametrize("near", [True, False])
def test_rows_done_together_or_alone_are_those_of_the_interpreter(near, tmp_path, monkeypatch):
    machine = replace(LINES, near=2**12 if near else 0)
    net = attention(f"rows_near_{near:d}".lower())
    plan = plan_of(net, "labels", Options(batch=4), machine=machine, monkeypatch=monkeypatch)
    (softmax,) = (k for k in plan.kernels if k.written == ("P",))
    # Its largest entries, its exponentials and what is made of them: three loops over the rows of a head, or one.
    (over,) = softmax.body.statements
    inner = over.body[0].body
    assert len([s for s in inner if isinstance(s, Loop)]) == (3 if near else 1)
    module = module_of(plan, "cpu", tmp_path)
    rng = np.random.default_rng(16)
    given = {name: rng.standard_normal(shape) for name, _, shape in module.PARAMETERS}
    given |= {"x": rng.standard_normal((4, 5, 4)), "seen": rng.integers(0, 2, (4, 5)).astype(float), "y": rng.integers(0, 3, (4, 5))}
    found = differences(net, "labels", given, plan, module)
    assert max(found.values()) < 1e-12, (found, 16)


def embedded(schedule, folder):
    layers = [sbp.Input(6, dtype="int64"), sbp.Embedding(7, 3), sbp.Flatten(), sbp.Dense(2)]
    net = sbp.Sequential(layers, loss="mse", name="scattered")
    plan = plan_of(net, None, Options("float32", 5, schedule))
    return plan, module_of(plan, "cpu", folder / schedule)


def test_terms_are_added_where_they_belong_in_the_order_of_plain_loops(tmp_path):
    """Places that are none of the table's included: to those nothing is added."""
    rng = np.random.default_rng(12)
    terms, x = rng.standard_normal((5, 6, 3)).astype("float32"), rng.integers(-3, 10, (5, 6))
    inside = (x >= 0) & (x < 7)
    assert inside.any() and not inside.all()
    found = {}
    for schedule in ("auto", "plain"):
        plan, module = embedded(schedule, tmp_path)
        (kernel,) = (k for k in plan.kernels if k.written == ("grad_E",))
        given = {"grad_a": terms, "x": x, "grad_E": np.full((7, 3), np.nan, "float32")}
        getattr(module, kernel.name)(*(given[t.name] for t in kernel.arguments))
        found[schedule] = given["grad_E"]
    expected = np.zeros((7, 3), "float32")
    np.add.at(expected, x[inside], terms[inside])
    assert found["auto"].tobytes() == found["plain"].tobytes() == expected.tobytes(), "seed 12"


@pytest.mark.parametrize("compiled", [True, False])
def test_merged_axes_are_those_of_numpy_without_a_copy(compiled):
    runtime = RUNTIME if compiled else written.executed(environment().get_template(written.RUNTIME).render(), name="kernels_cpu_plain")
    a = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    merged = runtime["merged"]

    def both(a, b):
        first, second = merged(a, (2, 1, 1)), merged(b, (1, 3))
        second[:] += 1
        return first[4], second

    do = numba.njit(both) if compiled else both
    for cut in (a.copy(), a.copy()[:, :, :, 1:4]):
        b = a.copy()[1:]
        first, second = do(cut, b)
        assert np.array_equal(first, cut.reshape(6, 4, -1)[4])
        assert np.array_equal(second, (a[1:] + 1).reshape(1, -1)) and np.array_equal(b, a[1:] + 1)


def test_calls_that_cannot_be_cut_are_done_whole_by_one_thread_each(tmp_path, monkeypatch):
    x = sbp.Input((33, 32))
    h = x + sbp.Attention(heads=4, causal=True)(sbp.LayerNorm()(x))
    net = sbp.Network(inputs=x, outputs=sbp.Dense(2)(h), loss="mse", name="whole_calls")
    plan = plan_of(net, None, Options("float32", 4), machine=SHARED, monkeypatch=monkeypatch)
    shares = [share for stage in plan.entry("backward").stages if stage.kind == "rows" for share in stage.shares]
    whole = [share.call.kernel.written for share in shares if not share.extent]
    assert len(whole) > 1 and len(whole) < len(shares), whole
    module = module_of(plan, "cpu", tmp_path, compiled=True)
    rng = np.random.default_rng(15)
    params = (rng.standard_normal(sum(int(np.prod(s)) for _, _, s in module.PARAMETERS)) / 6).astype("float32")
    x, y = rng.standard_normal((4, 33, 32)).astype("float32"), rng.standard_normal((4, 33, 2)).astype("float32")
    found = set()
    for parts in (1, 2, 3, 5):
        work, grads = np.full(module.workspace(4), np.nan, "float32"), np.full_like(params, np.nan)
        for kind, written_ in ((module.samples, ()), (module.rows, (grads,))):
            for part in reversed(range(parts)):
                kind(params, x, y, *written_, work, part, parts)
        found.add(grads.tobytes())
        assert np.isfinite(grads).all()
    assert len(found) == 1, "seed 15"


def test_functions_of_places_are_computed_before_the_samples(tmp_path):
    net = sbp.Sequential([sbp.Input((5, 6)), sbp.PositionalEncoding(), sbp.Dense(2)], loss="mse", name="tabled")
    plan = plan_of(net, None, Options(batch=3))
    (kernel,) = (c.kernel for c in plan.entry("forward").calls if c.owner.startswith("positional"))
    table, samples = kernel.body.statements
    assert any(value.has(sympy.sin) for value in values((table,)))
    assert not any(value.has(sympy.sin) for value in values((samples,)))
    rng = np.random.default_rng(17)
    module = module_of(plan, "cpu", tmp_path)
    given = {name: rng.standard_normal(shape) for name, _, shape in module.PARAMETERS}
    given |= {"x": rng.standard_normal((3, 5, 6)), "y": rng.standard_normal((3, 5, 2))}
    found = differences(net, None, given, plan, module)
    assert max(found.values()) < 1e-13, (found, 17)
