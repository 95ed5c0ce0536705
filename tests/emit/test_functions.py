"""Functions of the runtime file: how far from the mathematics they are, over their whole range, and how they are compiled."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import mpmath
import numba
import numpy as np
import pytest
import written
from mpmath import mp, mpf

from symbackprop.emit import minimax
from symbackprop.emit.environment import environment
from symbackprop.emit.scalar import VECTOR
from symbackprop.resources import folder

#: What the functions mean, and where each is defined.
MEANING = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "half_tanh": lambda u: mpmath.tanh(u / 2),
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log1p(mpmath.exp(u)),
    "tanh_softplus": lambda u: mpmath.tanh(mpmath.log1p(mpmath.exp(u))),
    "erf": mpmath.erf,
    "erfc": lambda u: mpmath.erfc(u) if u < 1000 else mpf(0),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
}
DEFINED = {
    "log": lambda x: x > 0,
    "log1p": lambda x: x > -1,
    "asin": lambda x: abs(x) <= 1,
    "acos": lambda x: abs(x) <= 1,
    "acosh": lambda x: x >= 1,
    "atanh": lambda x: abs(x) < 1,
}
#: The functions of NumPy with the same values at the ends; sigmoid, softplus and the error functions have theirs below.
NUMPY = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, name.replace("a", "arc", 1)) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
}
BITS = (32, 64)


@pytest.fixture(scope="module")
def plain():
    return written.executed(environment().get_template(written.RUNTIME).render())


@pytest.fixture(scope="module")
def runtime():
    return written.executed(environment().get_template(written.RUNTIME).render(), compiled=True)


@pytest.fixture(scope="module")
def over(runtime):
    """Return a function over whole arrays, compiled."""
    made = {}

    def whole(name, bits):
        if (name, bits) not in made:
            function = runtime[f"{name}_{bits}"]
            if name == "power":

                @numba.njit(error_model="numpy")
                def loop(x, y, out):
                    for k in range(out.size):
                        out[k] = function(x[k], y[k])

            else:

                @numba.njit(error_model="numpy")
                def loop(x, out):
                    for k in range(out.size):
                        out[k] = function(x[k])

            made[name, bits] = loop
        return made[name, bits]

    return whole


def type_of(bits):
    return np.float32 if bits == 32 else np.float64


def places(real, name):
    """Return numbers over the whole range of a type: dense where something happens, and at both ends of every reduction."""
    rng = np.random.default_rng(sorted(VECTOR.values()).index(name))
    ends = np.concatenate([np.arange(-60, 60) * np.log(2) / 2, np.arange(-30, 30) * np.pi / 4, [0.5, 1, 2, 0.41421356]])
    near = [ends, rng.uniform(-1, 1, 400), rng.uniform(-12, 12, 400), rng.uniform(-120, 120, 300), rng.uniform(-800, 800, 150)]
    top = 38.5 if real == np.float32 else 308.2
    wide = rng.choice([-1, 1], 400) * 10.0 ** rng.uniform(-top, top, 400)
    least = rng.integers(1, 2**20, 20) * float(np.finfo(real).smallest_subnormal)
    made = np.concatenate([*near, wide, least, -least]).astype(real)
    return np.concatenate([made, np.nextafter(ends.astype(real), real(np.inf)), np.nextafter(ends.astype(real), real(-np.inf))])


def distance(got, want, real):
    """Return the distance of a number from a value, in units of the last place that the type has there."""
    with np.errstate(over="ignore"):
        nearest = real(float(want))
    if not np.isfinite(nearest) or not np.isfinite(got):
        return 0.0 if got == nearest else np.inf
    return float(abs(mpf(float(got)) - want) / mpf(float(np.spacing(abs(nearest)))))


def stated(runtime, name, bits):
    """Return the error that a function states."""
    (found,) = re.findall(r"\(([\d.]+) ulp\)", runtime[f"{name}_{bits}"].__doc__)
    return float(found)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", sorted(MEANING))
def test_a_function_keeps_the_error_that_it_states(runtime, over, name, bits):
    real = type_of(bits)
    x = places(real, name)
    x = x[[bool(DEFINED.get(name, lambda u: True)(u)) for u in x]]
    got = np.empty_like(x)
    over(name, bits)(x, got)
    worst = (0.0, None)
    with mp.workdps(400 if name in ("sin", "cos", "tan") and bits == 64 else 100):
        for u, v in zip(x, got, strict=True):
            error = distance(v, MEANING[name](mpf(float(u))), real)
            worst = max(worst, (error, float(u)), key=lambda pair: pair[0])
    assert worst[0] <= stated(runtime, name, bits), worst


@pytest.mark.parametrize("bits", BITS)
def test_a_power_keeps_the_error_that_it_states(runtime, over, bits):
    real = type_of(bits)
    rng = np.random.default_rng(5)
    top = np.log(float(np.finfo(real).max))
    base = np.concatenate([rng.uniform(0.5, 2, 300), np.exp(rng.uniform(-top, top, 500)), 1 + rng.uniform(-1e-6, 1e-6, 100)])
    base = base.astype(real)
    far = np.maximum(np.abs(np.log(base.astype(np.float64))), 1e-3)
    exponent = np.where(rng.random(base.size) < 0.3, rng.uniform(-5, 5, base.size), rng.uniform(-top, top, base.size) / far).astype(real)
    got = np.empty_like(base)
    over("power", bits)(base, exponent, got)
    worst = (0.0, None)
    with mp.workdps(60):
        for x, y, v in zip(base, exponent, got, strict=True):
            error = distance(v, mpmath.power(mpf(float(x)), mpf(float(y))), real)
            worst = max(worst, (error, (float(x), float(y))), key=lambda pair: pair[0])
    assert worst[0] <= stated(runtime, "power", bits), worst


def same(a, b):
    """Whether two arrays have the same values, NaN where NaN is, and zeros of one sign."""
    return np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))


def awkward(real):
    info = np.finfo(real)
    values = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, -info.max, info.smallest_subnormal, -info.smallest_subnormal]
    return np.array(values, real)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", sorted(NUMPY))
def test_the_ends_are_those_of_c(over, name, bits):
    real = type_of(bits)
    x = awkward(real)
    got = np.empty_like(x)
    over(name, bits)(x, got)
    with np.errstate(all="ignore"):
        want = NUMPY[name](x)
    # sin of the largest number and acos of 0 are rounded, by NumPy and here.
    rounded = np.isfinite(want) & (want != 0) & (abs(want) != 1)
    assert same(got[~rounded], want[~rounded]), (got, want)
    assert np.allclose(got[rounded], want[rounded], rtol=4 * np.finfo(real).eps, atol=0), (got, want)


@pytest.mark.parametrize("bits", BITS)
def test_the_ends_of_functions_that_numpy_has_not(over, bits):
    real = type_of(bits)
    x = awkward(real)
    tiny = np.finfo(real).smallest_subnormal
    # The sign of erf(−0) is that of x; 2/√π times the smallest number is that number again, and half of it is 0 or it.
    expected = {
        "half_tanh": [0, -0.0, 1, -1, np.nan, 1, -1, 0, -0.0],
        "sigmoid": [0.5, 0.5, 1, 0, np.nan, 1, 0, 0.5, 0.5],
        "softplus": [np.log(2), np.log(2), np.inf, 0, np.nan, np.finfo(real).max, 0, np.log(2), np.log(2)],
        "tanh_softplus": [0.6, 0.6, 1, 0, np.nan, 1, 0, 0.6, 0.6],
        "erf": [0, -0.0, 1, -1, np.nan, 1, -1, tiny, -tiny],
        "erfc": [1, 1, 0, 2, np.nan, 0, 2, 1, 1],
    }
    for name, values in expected.items():
        got = np.empty_like(x)
        over(name, bits)(x, got)
        assert same(got, np.array(values, real)), (name, got)


@pytest.mark.parametrize("bits", BITS)
def test_special_powers_are_those_of_c(over, bits):
    real = type_of(bits)
    info = np.finfo(real)
    some = [0.0, -0.0, 1, -1, 2, -2, 0.25, -0.25, np.inf, -np.inf, np.nan, info.max, info.smallest_subnormal, 3, -3]
    base, exponent = (a.ravel() for a in np.meshgrid(np.array(some, real), np.array(some, real)))
    got = np.empty_like(base)
    over("power", bits)(base, exponent, got)

    def power(x, y):
        """Return xʸ as C's standard has it, where Python's own power raises errors."""
        x, y = float(x), float(y)
        if y == 0 or x == 1:
            return 1.0
        if x != x or y != y:
            return np.nan
        odd = y == int(y) and int(y) % 2 == 1 if np.isfinite(y) else False
        sign = np.copysign(1.0, x) if odd else 1.0
        if x == 0 or np.isinf(x) or np.isinf(y):
            if abs(x) == 1:
                return 1.0
            return sign * (np.inf if (abs(x) > 1) == (y > 0) else 0.0)
        if x < 0 and y != int(y):
            return np.nan
        with np.errstate(over="ignore", under="ignore"):
            return sign * float(np.float64(abs(x)) ** np.float64(y))

    with np.errstate(over="ignore", under="ignore"):
        want = np.array([power(x, y) for x, y in zip(base, exponent, strict=True)]).astype(real)
    for x, y, v, w in zip(base, exponent, got, want, strict=True):
        close = np.isfinite(w) and w != 0 and abs(v - w) <= 2 * np.finfo(real).eps * abs(w)
        assert close or same(np.array([v]), np.array([w])), (x, y, v, w)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", sorted(VECTOR.values()))
def test_compiled_or_not_the_bits_are_the_same(plain, over, name, bits):
    real = type_of(bits)
    x = np.concatenate([places(real, name)[::19], awkward(real)])
    more = (np.roll(x, 7),) if name == "power" else ()
    got = np.empty_like(x)
    over(name, bits)(x, *more, got)
    with np.errstate(all="ignore"):
        want = np.array([plain[f"{name}_{bits}"](*each) for each in zip(x, *more, strict=True)])
    assert want.dtype == real
    assert same(got, want), [each for each in zip(x, *more, got, want, strict=True) if each[-1] != each[-2]]


def test_tests_of_whole_modules_fuse_as_the_text_does(plain):
    """Modules that run as plain Python in other tests take the C library's fma in place of the text's, which goes through fractions."""
    rng = np.random.default_rng(5)
    ends = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        np.inf,
        -np.inf,
        np.nan,
        5e-324,
        -5e-324,
        2.0**-1022,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        2.0**-537,
    ]
    numbers = np.concatenate([ends, rng.standard_normal(300), rng.choice([-1, 1], 300) * 10.0 ** rng.uniform(-308, 308, 300)])
    triples = [*itertools.product(ends, repeat=3), *rng.choice(numbers, (3000, 3))]
    # Where the product cancels, what is left is its rounding.
    triples += [(a, b, -(a * b)) for a, b in rng.uniform(-2, 2, (500, 2))]
    with np.errstate(all="ignore"):
        for triple in triples:
            a, b, c = map(np.float64, triple)
            got, want = written.fused(plain["fma"], a, b, c), plain["fma"](a, b, c)
            assert type(got) is type(want) is np.float64
            assert (np.isnan(got) and np.isnan(want)) or got.tobytes() == want.tobytes(), (a, b, c, got, want)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("name", sorted(VECTOR.values()))
def test_a_loop_becomes_one_over_vectors_and_calls_nothing(over, name, bits):
    real = type_of(bits)
    loop = over(name, bits)
    x = np.ones(3, real)
    loop(*([x, x] if name == "power" else [x]), np.empty_like(x))
    kind = numba.from_dtype(np.dtype(real))[::1]
    code = loop.inspect_llvm(next(s for s in loop.signatures if s[0] == kind))
    body = code[code.index("define ") : code.index("\n}", code.index("define "))]
    assert re.search(r"call <\d+ x (float|double)> @llvm\.fma\.v", body)
    called = {c for c in re.findall(r"call .*?@([\w.]+)\(", body) if not c.startswith("llvm.")}
    assert not {c for c in called if "NRT" not in c}, called


@pytest.mark.parametrize("bits", BITS)
def test_functions_of_one_exponential_compute_it_once(runtime, bits):
    names = ("tanh", "half_tanh", "sigmoid", "softplus", "tanh_softplus")
    tanh, half_tanh, sigmoid, softplus, tanh_softplus = (runtime[f"{name}_{bits}"] for name in names)

    @numba.njit(error_model="numpy")
    def loop(x, out):
        for k in range(out.size):
            u = x[k]
            out[k] = (tanh(u) + half_tanh(u)) * (sigmoid(u) - sigmoid(-u)) + (softplus(-u) + softplus(u)) * tanh_softplus(u)

    x = np.ones(3, type_of(bits))
    loop(x, np.empty_like(x))
    (code,) = loop.inspect_llvm().values()
    blocks = [block for block in re.split(r"\n\n", code) if re.search(r"= fdiv <\d+ x ", block)]
    assert blocks
    # The loop over vectors, and perhaps one over what is left. Each has one power of two, and a division for each denominator:
    # 1 + w, 1 + w² and the one of tanh(softplus(u)), and for 64 bits the one of the logarithm.
    for block in blocks:
        assert len(re.findall(r"= shl <\d+ x ", block)) == 1, block
        assert len(re.findall(r"= fdiv <\d+ x ", block)) == (3 if bits == 32 else 4), block


def test_the_table_of_coefficients_is_what_its_bounds_give():
    path = Path(folder("templates"), minimax.TABLE)
    assert path.read_text(encoding="utf-8") == minimax.text()


def test_coefficients_keep_their_bounds_between_the_points_that_made_them(runtime):
    rng = np.random.default_rng(1)
    with mp.workdps(minimax.DIGITS):
        for series in minimax.table():
            for which, bits in enumerate(BITS):
                if (bound := series.bound[which]) is None:
                    continue
                coefficients = runtime[f"{series.name}_{bits}"]
                low, high = series.ends[which]
                # What the type rounds coefficients by is their part of the error.
                rounded = mpf(2) ** (-24 if bits == 32 else -53)
                for u in rng.uniform(0, 1, 40):
                    t = low + (high - low) * mpf(float(u))
                    total = mpf(0)
                    for c in reversed(coefficients):
                        total = total * t + mpf(float(c))
                    weight = abs(series.weight(t))
                    terms = sum(abs(mpf(float(c)) * t**k) for k, c in enumerate(coefficients))
                    allowed = mpf(2) ** -bound * mpf("1.05") + rounded * weight * terms
                    assert weight * abs(total - series.value(t)) <= allowed, (series.name, bits, float(t))


def test_the_readme_shows_the_errors_that_the_functions_state(runtime):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+ \| [\d.]+) \|$", text, re.MULTILINE))
    assert rows == {name: " | ".join(str(stated(runtime, name, bits)) for bits in BITS) for name in VECTOR.values()}
