"""Functions of the runtime file: how far from the mathematics they are, over their whole range."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import written

from symbackprop.emit.environment import environment

#: Largest error in units of the last place of the result, subnormal results by the spacing that they have. The series and the two
#: parts of log(2) are good for one; the scaling, the sum and the quotient after them round once more each.
ULPS = {"exp": 2.0, "tanh": 3.0, "sigmoid": 3.0}

MEANING = {"exp": mpmath.exp, "tanh": mpmath.tanh, "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u))}


@pytest.fixture(scope="module")
def runtime():
    return written.executed(environment().get_template(written.RUNTIME).render())


def places(real):
    """Return numbers over the whole range of a type: dense where something happens, and at both ends of every reduction."""
    rng = np.random.default_rng(0)
    ends = np.arange(-200, 200) * np.log(2) / 2
    near = [*ends, *np.nextafter(ends, np.inf), *rng.uniform(-1, 1, 300), *rng.uniform(-120, 120, 300), *rng.uniform(-800, 800, 200)]
    small = rng.choice([-1, 1], 200) * 10.0 ** rng.uniform(-40, 0, 200)
    return np.concatenate([near, small]).astype(real)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", sorted(MEANING))
def test_a_function_is_right_to_a_few_units_of_the_last_place(runtime, name, bits):
    real = np.float32 if bits == 32 else np.float64
    worst = 0.0
    with np.errstate(all="ignore"), mpmath.workdps(40):
        for x in places(real):
            got = runtime[f"{name}_{bits}"](x)
            want = MEANING[name](mpmath.mpf(float(x)))
            assert real(got) == got, (name, x)
            nearest = real(float(want)) if bits == 64 or abs(want) < 1e300 else real(np.inf)
            if not np.isfinite(nearest):
                assert got == nearest, (name, x)
                continue
            worst = max(worst, float(abs(mpmath.mpf(float(got)) - want) / mpmath.mpf(float(np.spacing(abs(nearest))))))
    assert worst <= ULPS[name], worst


@pytest.mark.parametrize("bits", [32, 64])
def test_the_ends_are_what_they_should_be(runtime, bits):
    real = np.float32 if bits == 32 else np.float64
    inf, zero = real(np.inf), real(0)
    expected = {"exp": (inf, zero, real(1)), "tanh": (real(1), real(-1), zero), "sigmoid": (real(1), zero, real(0.5))}
    with np.errstate(all="ignore"):
        for name, values in expected.items():
            function = runtime[f"{name}_{bits}"]
            assert np.isnan(function(real(np.nan))), name
            assert tuple(function(x) for x in (inf, -inf, zero)) == values, name
            assert np.array([function(x) for x in (np.finfo(real).max, -np.finfo(real).max)]).tolist() == list(values[:2]), name
        assert np.signbit(runtime[f"tanh_{bits}"](real(-0.0)))
