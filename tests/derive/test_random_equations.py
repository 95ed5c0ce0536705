"""Random equations in index notation: every derived gradient against complex-step or central differences.

The equations have affine, indirect, repeated and guarded indices, nested sums and nonlinearities, so that the delta solver,
the range guards and the renaming of bound indices all have to be right.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Divides, Indicator, InRange, Sum
from symbackprop.algebra.tensor import tensor
from symbackprop.derive import differentiate as rule
from symbackprop.derive.adjoint import adjoint
from symbackprop.derive.sweep import composition, derive_system, templates

SEEDS = range(200)


def random_system(seed: int) -> tuple[System, dict[str, np.ndarray]]:
    """Return a random scalar function of A, B, and c, and values for them."""
    rng = np.random.default_rng(seed)
    n, m, k = (int(v) for v in rng.permutation([2, 3, 4]))
    i, j, u = Index("i", n), Index("j", m), Index("u", k)
    a = tensor("A", Index("p", n + k - 1), Index("q", m))
    b = tensor("B", Index("p", m), Index("q", k))
    c = tensor("c", Index("p", n))
    lab = tensor("lab", Index("p", n), integer=True)
    pick = rng.integers

    def read_a() -> sympy.Expr:
        which = pick(5)
        if which == 0:
            return a[i + u, j]
        if which == 1:
            return a[i, j]
        if which == 2:
            return a[lab[i], j]
        if which == 3:
            return InRange(2 * i - u, n + k - 1) * a[2 * i - u, j]
        return InRange(i - u + 1, n + k - 1) * a[i - u + 1, j]

    def factor() -> sympy.Expr:
        return (b[j, u], c[i], b[j, u] ** 2, sympy.sin(c[i]), Indicator(sympy.Ne(u, 0)) * b[j, u])[pick(5)]

    inner = Sum(read_a() * factor(), u) if pick(2) else read_a() * Sum(factor() * b[j, u], u)
    if u in inner.free_symbols:
        inner = Sum(inner, u)
    shape = [sympy.tanh, sympy.exp, lambda e: e**2, lambda e: sympy.Max(0, e), lambda e: e][pick(5)]
    middle = shape(inner / 2)
    if j in middle.free_symbols:
        middle = Sum(middle * (b[j, 0] if pick(2) else 1), j)
    if i not in middle.free_symbols:
        middle = middle * c[i]
    z, f = tensor("z", i), tensor("f")
    last = [lambda: z[i] ** 2, lambda: z[i] * c[i], lambda: sympy.log(1 + z[i] ** 2), lambda: sympy.cos(z[i])][pick(4)]()
    system = System([Equation(z[i], middle), Equation(f[()], Sum(last, i))])
    values = {
        "A": rng.normal(size=(n + k - 1, m)),
        "B": rng.normal(size=(m, k)),
        "c": rng.normal(size=n),
        "lab": rng.integers(0, n + k - 1, size=n),
    }
    return system, values


def gradients(system: System, values: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (derived, measured by complex steps) for every real tensor that the function reads."""
    wrt = tuple(name for name in ("A", "B", "c") if name in system.tensors)
    derivation = derive_system(system, "f", wrt)
    env = interpret(derivation.system, values)
    out = {}
    for name in wrt:
        measured = np.zeros_like(values[name])
        for place in np.ndindex(measured.shape):
            moved = {**values, name: values[name].astype(complex)}
            moved[name][place] += 1e-30j
            measured[place] = interpret(system, moved)["f"].imag / 1e-30
        out[name] = (env[f"grad.{name}"], measured)
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_derived_gradient_equals_the_complex_step(seed):
    for name, (derived, measured) in gradients(*random_system(seed)).items():
        # Complex steps are exact to rounding; sums of a few dozen terms leave 1e-12.
        scale = max(1.0, float(np.abs(measured).max()))
        assert np.abs(derived - measured).max() <= 1e-11 * scale, f"seed {seed}, gradient of {name}"


@pytest.fixture
def forgetful():
    """Derivations are cached by their equations: a changed engine must start, and leave, with empty caches."""
    caches = (adjoint, composition, templates)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_without_range_guards_gradients_come_out_wrong(monkeypatch, forgetful):
    """The sweep above can fail: an engine that forgets that a solved index must lie in its range is caught."""
    monkeypatch.setattr(rule, "InRange", lambda e, size: sympy.S.One)
    monkeypatch.setattr(rule, "Divides", lambda step, e: sympy.S.One)
    wrong = 0
    for seed in SEEDS[:80]:
        try:
            pairs = gradients(*random_system(seed))
        except Exception:
            # Without its guard a read leaves the array: the interpreter refuses it.
            wrong += 1
            continue
        wrong += any(np.abs(a - b).max() > 1e-6 for a, b in pairs.values())
    assert wrong >= 10, wrong


def test_guards_are_exact_for_strides():
    i, p = Index("i", 3), Index("p", 7)
    a, f = tensor("A", p), tensor("f")
    system = System([Equation(f[()], Sum(a[2 * i + 1] ** 2, i))])
    derivation = derive_system(system, "f", ("A",))
    rhs = derivation.equation("grad.A").rhs
    assert rhs.has(Divides)
    values = np.arange(7.0)
    np.testing.assert_allclose(interpret(derivation.system, {"A": values})["grad.A"], [0, 2, 0, 6, 0, 10, 0])
