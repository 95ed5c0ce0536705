"""The measure of errors lets no wrong kernel through where a gradient is a difference of large numbers.

The equations of such gradients, of what they read and of what that reads are spoiled in one place after the other: a term is left out or
its sign turned, a number that is a factor is lost, a sum begins late. Kernels are made of that as of any derivation and run in lock-step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from device_measure import CANCELS, TOLERANCE, Expected, errors, greatest, terms
from device_modules import Lock, computed, drawn, expected, network, text_of
from sympy import Expr, S

import symbackprop as sbp
from symbackprop.algebra.equation import Block, Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Abs, Guard, Indicator, Sum
from symbackprop.algebra.tensor import Access, tensor
from symbackprop.execute.lockstep import Lockstep

sys.path.insert(0, str(Path(__file__).parent))
from test_device_modules import of_the_table, of_the_zoo, sequence


def centred():
    """A bias before a batch normalization."""
    layers = (sbp.Conv2D(2, 2), sbp.BatchNorm(), sbp.Activation("tanh"), sbp.Flatten(), sbp.Dense(2))
    made = network(sequence(sbp.Input((1, 3, 3)), *layers, name="centred"))
    return made, drawn(made, 3, np.random.default_rng(3))


def attending():
    """The bias of the keys of an attention adds the same to all scores of a query."""
    layers = (sbp.Attention(heads=1, bias=True), sbp.Flatten(), sbp.Dense(2))
    made = network(sequence(sbp.Input((3, 2)), *layers, name="attending"))
    return made, drawn(made, 3, np.random.default_rng(3))


def grouped():
    """Two features, normalized: whatever they are, they become 1 and -1, but for the little that keeps from a division by 0."""
    return of_the_table("GroupNorm", 0)[1:]


def deep():
    """A gradient that does not cancel itself, behind one that does."""
    return of_the_zoo(33)[1:]


# --- spoiled derivations -----------------------------------------------------------------------------------------------------


def parts(e: Expr) -> Iterator[Expr]:
    """Yield an expression and what it is made of, but for places and conditions."""
    yield e
    if not isinstance(e, Access | Guard):
        for arg in e.args:
            yield from parts(arg)


def constant(e: Expr) -> bool:
    return e not in (S.One, S.NegativeOne) and not e.has(Access, Index, Guard)


def spoiled(rhs: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield what was done to the right side of an equation, and what has become of it."""
    for part in dict.fromkeys(parts(rhs)):
        changed: list[tuple[str, Expr]] = []
        if isinstance(part, sympy.Add):
            changed += [(f"without {a}", part - a) for a in part.args]
            changed += [(f"sign of {a}", part - 2 * a) for a in part.args]
        if isinstance(part, sympy.Mul):
            changed += [(f"lost {f}", part / f) for f in part.args if constant(f)]
        if isinstance(part, Sum):
            first = part.bound[0]
            changed += [(f"from 1: {part}", Sum(part.body * Indicator(sympy.Ne(first, 0)), *part.bound))]
        yield from ((what, rhs.xreplace({part: other})) for what, other in changed)


def mutants(derivation: Any, names: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield (what was done, derivation) for every place of the equations of some tensors."""
    for number, block in enumerate(derivation.backward):
        for place, e in enumerate(block.template.equations):
            if block.names[e.tensor.name] not in names:
                continue
            for count, (what, rhs) in enumerate(spoiled(e.rhs)):
                equations = list(block.template.equations)
                equations[place] = e.xreplace({e.rhs: rhs})
                template = replace(block.template, key=f"{block.template.key} {place} {count}", equations=tuple(equations))
                backward: list[Block] = list(derivation.backward)
                backward[number] = replace(block, template=template)
                yield f"{block.names[e.tensor.name]}: {what}", replace(derivation, backward=tuple(backward))


@pytest.mark.parametrize("made_", [centred, grouped, attending, deep])
def test_a_wrong_kernel_is_seen_where_a_gradient_cancels(made_, tmp_path):
    made, data = made_()
    plan = made.plan()
    wanted = expected(made, plan, data)
    cancelled = wanted.cancelled["float32"]
    judged = {name: g for name, g in wanted.gradients.items() if g in cancelled}
    assert judged
    near = {e.tensor.name: {t.name for t in e.reads} for e in wanted.backward}
    names = set(cancelled)
    for _ in range(2):
        names = names.union(*(near[name] for name in names)) & set(near)
    seen, least = 0, np.inf
    for number, (what, derivation) in enumerate(mutants(made.derivation, names)):
        other = replace(made, derivation=derivation)
        # What an exact machine makes of it: where that is no other gradient, there is nothing to be seen.
        exact = expected(other, plan, data)
        moved = [name for name in judged if greatest(exact.results[name] - wanted.results[name]) > 1e-9 * wanted.scale(name, "float32")]
        if moved:
            lock = Lock(text_of(other.plan()), tmp_path / str(number), Lockstep(race=False))
            found = errors(computed(lock, plan, data, "float32"), wanted, "float32")
            for name in moved:
                assert found[name] > TOLERANCE["float32"], (what, name, found[name])
                seen, least = seen + 1, min(least, found[name])
    print(f"{seen} wrong gradients seen; the least error is {least:.1e}")
    assert seen >= 3 * len(judged)
    # Far more than rounding, even where the gradient is 1/7000 of its terms and twice as large as it should be.
    assert least > 10 * TOLERANCE["float32"]


# --- the measure -------------------------------------------------------------------------------------------------------------

i, j = Index("i", 3), Index("j", 2)
A, B, G = tensor("A", i, j), tensor("B", i), tensor("G", i)


def test_the_terms_of_an_expression():
    a, b = A[i, j], B[i]
    assert terms(a - b) == Abs(a) + Abs(b)
    assert terms(-3 * a * (b - 1)) == 3 * Abs(a) * (Abs(b) + 1)
    assert terms(Sum(a * b, j) - b**2) == Sum(Abs(a) * Abs(b), j) + Abs(b) ** 2
    guard = Indicator(sympy.Gt(a, 0))
    assert terms(-guard * sympy.exp(a - b)) == guard * Abs(sympy.exp(a - b))


def measured(values: Any, **others: Any) -> Expected:
    equation = Equation(G[i], Sum(A[i, j], j))
    return Expected({"gradient": np.asarray(values)}, {"gradient": "G"}, (equation,), {"G": np.asarray(values), **others})


def test_what_does_not_cancel_is_measured_by_its_largest_entry():
    entries = np.array([[1.0, -0.8], [2.0, -1.7], [0.5, 0.5]])
    wanted = measured(entries.sum(axis=1), A=entries)
    assert not wanted.cancelled["float32"] and wanted.scale("gradient", "float32") == 1.0
    assert errors({"gradient": entries.sum(axis=1) + np.array([0, 3e-6, 0])}, wanted, "float32") == {"gradient": pytest.approx(3e-6)}


def test_what_cancels_is_measured_by_its_terms():
    entries = np.array([[1.0, -1.0], [2.0, -2.0], [0.5, -0.5 + 1e-8]])
    wanted = measured(entries.sum(axis=1), A=entries)
    assert wanted.scale("gradient", "float32") == wanted.scale("gradient", "float64") == 4.0
    assert errors({"gradient": np.array([0, 4e-6, 0])}, wanted, "float32")["gradient"] == pytest.approx(1e-6, rel=0.01)


def test_a_type_of_more_digits_is_measured_by_its_largest_entry_for_longer():
    assert 16 < CANCELS["float32"] < 17 and 4e5 < CANCELS["float64"] < 5e5
    entries = np.array([[1.0, -0.99], [2.0, -2.0], [0.5, -0.5]])
    wanted = measured(entries.sum(axis=1), A=entries)
    assert wanted.scale("gradient", "float32") == 4.0 and wanted.scale("gradient", "float64") == pytest.approx(0.01)


def test_nan_and_infinity_are_errors_unless_they_are_meant():
    wanted = Expected({"loss": np.array([1.0, np.nan])})
    assert errors({"loss": np.array([1.0, np.nan])}, wanted, "float64") == {"loss": 0.0}
    for bad in ([np.nan, np.nan], [1.0, 1.0], [np.inf, np.nan]):
        assert errors({"loss": np.array(bad)}, wanted, "float64") == {"loss": np.inf}
