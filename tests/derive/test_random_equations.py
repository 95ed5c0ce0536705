"""Random systems in index notation: every derived gradient and tangent against complex steps, and against differences.

The systems (see `systems`) have affine, indirect, repeated and guarded indices, digits of a mixed radix, nested sums and maxima,
nonlinearities with and without kinks, and recurrences, so that the delta solver, the range guards, the renaming of bound
indices, and the sweeps in both directions all have to be right; the mutants at the end show that each of them is needed.

The first 150 by default; 1,000 with ``SYMBACKPROP_TEST_EQUATIONS=1000 pytest tests/derive/test_random_equations.py``.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import sympy
import systems

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret, solve_sizes
from symbackprop.algebra.nodes import Divides, InRange, Sum
from symbackprop.algebra.tensor import tensor
from symbackprop.derive import adjoint as adjoints
from symbackprop.derive import differentiate as rule
from symbackprop.derive import sweep
from symbackprop.derive.second import derive_tangents
from symbackprop.derive.sweep import derive_system
from symbackprop.derive.tangent import DIRECTION
from symbackprop.validate.complex_step import STEP
from symbackprop.validate.kinks import kinks, nearness

COUNT = int(os.environ.get("SYMBACKPROP_TEST_EQUATIONS", "150"))
SEEDS = range(COUNT)
CHUNK = 20
#: Sums of some dozen terms; relative to the terms and not to what is left of them.
ROUNDING = 1e-12
#: Steps of differences, and how far a sample stays from every kink.
DIFFERENCE, MARGIN = 1e-5, 1e-3


def slope(case, values, direction):
    """Return the derivative of f along a direction, exact to rounding: branches follow the real part."""
    moved = {name: values[name] + 1j * STEP * v for name, v in direction.items()}
    return float(interpret(case.system, {**values, **moved}, want=["f"])["f"].imag / STEP)


def directions(case):
    rng = np.random.default_rng([case.seed, 1])
    return {name: rng.standard_normal(case.values[name].shape) for name in case.real}


def differs(found, expected, *terms):
    """Values are of size 1: where a slope is a small difference of such, its rounding is theirs."""
    return not abs(found - expected) <= ROUNDING * max(1.0, *(float(np.abs(t).sum()) for t in terms))


def wrong_gradients(case):
    """Return the names of the tensors with a wrong gradient, each tried along a random direction."""
    derivation = derive_system(case.system, "f", case.real)
    found = interpret(derivation.system, case.values)
    wrong = []
    for name, v in directions(case).items():
        terms = found[derivation.cotangents[name]] * v
        if differs(float(terms.sum()), slope(case, case.values, {name: v}), terms):
            wrong.append(name)
    return wrong


def wrong_tangents(case):
    """Return the names of the tensors of which the tangent is wrong when everything that is given moves."""
    made = derive_tangents(case.system, ("f",), case.real)
    along = directions(case)
    found = interpret(made.system, {**case.values, **{DIRECTION + name: v for name, v in along.items()}})
    moved = interpret(case.system, {**case.values, **{name: case.values[name] + 1j * STEP * v for name, v in along.items()}})
    wrong = []
    for name in case.system.defined:
        expected = moved[name].imag / STEP
        # A tangent that is written into its readers has no name; what does not move has none either.
        tangent = found[made.names[name]] if name in made.names else expected if name != "f" else 0.0
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)), float(np.abs(moved[name]).max(initial=0.0)))
        if not np.abs(tangent - expected).max(initial=0.0) <= ROUNDING * scale:
            wrong.append(name)
    return wrong


def smooth_sample(case):
    """Return values away from every kink, or None where the system has none: two equal branches meet wherever one looks."""
    rng = np.random.default_rng([case.seed, 2])
    found = kinks(case.system.equations)
    for attempt in range(30):
        values = case.values if not attempt else case.drawn(rng)
        moved = {name: values[name] + 1j * STEP * v for name, v in directions(case).items()}
        there = interpret(case.system, values)
        tensors = {name: case.system.tensors[name] for name in values}
        sizes = solve_sizes(tensors, {name: there[name] for name in values})
        near = nearness(found, there, sizes, MARGIN, None, interpret(case.system, {**values, **moved}))
        if not near.count and all(np.isfinite(v).all() for v in there.values()):
            return values
    return None


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_derived_gradients_equal_complex_steps(first):
    failed = [(case, wrong) for case in map(systems.case, SEEDS[first : first + CHUNK]) if (wrong := wrong_gradients(case))]
    assert not failed, "\n\n".join(f"{', '.join(wrong)} of {case}" for case, wrong in failed)


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_derived_tangents_equal_complex_steps(first):
    seeds = SEEDS[first : first + CHUNK] if COUNT >= 1000 else SEEDS[first : first + CHUNK : 3]
    failed = [(case, wrong) for case in map(systems.case, seeds) if (wrong := wrong_tangents(case))]
    assert not failed, "\n\n".join(f"{', '.join(wrong)} of {case}" for case, wrong in failed)


def test_complex_steps_agree_with_differences_away_from_kinks():
    """The judge is judged: what it says of a branch is what the values say on both sides of the sample."""
    judged = 0
    seeds = [seed for seed in SEEDS if seed % 2][:40]
    for seed in seeds:
        case = systems.case(seed)
        values = smooth_sample(case)
        if values is None:
            continue
        judged += 1
        along = directions(case)
        f = [
            float(interpret(case.system, {**values, **{name: values[name] + side * DIFFERENCE * v for name, v in along.items()}})["f"])
            for side in (1, -1)
        ]
        exact = slope(case, values, along)
        # Half a step cubed of a third derivative near 100, and the rounding of f over a step.
        assert abs((f[0] - f[1]) / (2 * DIFFERENCE) - exact) <= 1e-6 * max(1.0, abs(exact)), str(case)
    print(f"{judged} of {len(seeds)} systems have a sample away from their kinks")
    assert judged >= 0.8 * len(seeds)


def test_the_systems_cover_the_language():
    """What the generator is there for occurs, and more than once."""
    counts: dict[str, int] = {}
    for seed in range(200):
        for feature in systems.case(seed).features:
            counts[feature] = counts.get(feature, 0) + 1
    wanted = {
        *("affine", "stride", "negative", "mixed radix", "floor index", "mod index", "divides", "constant", "indirect", "repeated"),
        *("label at a position", "guard", "guard causal", "guard divides", "guard equal", "guard range", "shared", "said before"),
        *("sum", "max", "argmax", "lse", "softmax", "branch", "compare", "kink", "function", "across the batch", "fan-out"),
        *("recurrence up", "recurrence down", "coupled", "far", "neighbours", "initial state", "positive tensor"),
    }
    assert {feature for feature in wanted if counts.get(feature, 0) < 2} == set(), counts


# Mutants


@pytest.fixture
def forgetful():
    """Derivations are cached by their equations: a changed engine must start, and leave, with empty caches."""
    caches = [f for module in (adjoints, sweep) for f in vars(module).values() if hasattr(f, "cache_clear")]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def caught(seeds):
    """Return how many systems a changed engine gets wrong, or cannot derive."""
    count = 0
    for seed in seeds:
        try:
            count += bool(wrong_gradients(systems.case(seed)))
        except Exception:
            # Without its guard a read leaves the array, and a name that is taken twice is refused.
            count += 1
    return count


def with_feature(number, *features):
    found = [seed for seed in range(400) if systems.case(seed).features.issuperset(features)][:number]
    assert len(found) == number
    return found


def without_ranges(monkeypatch):
    monkeypatch.setattr(rule, "InRange", lambda e, size: sympy.S.One)


def without_divisibility(monkeypatch):
    monkeypatch.setattr(rule, "Divides", lambda step, e: sympy.S.One)


def without_renaming(monkeypatch):
    for module in (rule, adjoints):
        monkeypatch.setattr(module, "rename", lambda expr, taken: expr)


def with_digits_exchanged(monkeypatch):
    right = rule._solve

    def exchanged(part, p, remaining, taken):
        found = right(part, p, remaining, taken)
        if found is None or not found.left:
            return found
        ((rest, remainder),) = found.left
        return replace(found, value=remainder, guard=InRange(remainder, found.index.extent), left=((rest, found.value),))

    monkeypatch.setattr(rule, "_solve", exchanged)


@pytest.mark.parametrize(
    ("mutant", "features", "least"),
    [
        (without_ranges, ("affine",), 4),
        (without_divisibility, ("strides only",), 2),
        (without_renaming, ("sum",), 4),
        (with_digits_exchanged, ("mixed radix",), 6),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_an_engine_with_a_fault_is_caught(mutant, features, least, monkeypatch, forgetful):
    seeds = with_feature(24, *features)
    mutant(monkeypatch)
    found = caught(seeds)
    print(f"{mutant.__name__}: {found} of {len(seeds)} systems come out wrong")
    assert found >= least


def test_guards_are_exact_for_strides():
    i, p = Index("i", 3), Index("p", 7)
    a, f = tensor("A", p), tensor("f")
    system = System([Equation(f[()], Sum(a[2 * i + 1] ** 2, i))])
    derivation = derive_system(system, "f", ("A",))
    rhs = derivation.equation("grad.A").rhs
    assert rhs.has(Divides)
    values = np.arange(7.0)
    np.testing.assert_allclose(interpret(derivation.system, {"A": values})["grad.A"], [0, 2, 0, 6, 0, 10, 0])
