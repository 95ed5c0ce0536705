"""Polynomials for the functions of the runtime file, each the best of its degree, from a stated bound of its error.

``python -m symbackprop.emit.minimax`` writes the table ``templates/numba_cpu/coefficients.jinja``, from which the runtime
file takes its coefficients. The degree is the least one that keeps the bound; the coefficients are found by exchange
(Remez): the largest error is reached degree + 2 times with alternating sign. Everything is computed with sixty digits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import mpmath
from mpmath import mp, mpf

#: Where the table lies.
TABLE = "numba_cpu/coefficients.jinja"
DIGITS = 60
#: Points for each lobe of the error; it is largest between two of them by less than 1 %.
DENSITY = 16

Real = Callable[[Any], Any]


@dataclass(frozen=True)
class Series:
    """What a polynomial approximates.

    Attributes:
        name: of its coefficients in the runtime file, without the number of bits.
        meaning: the formula that it stands in, for readers.
        value: the function that the polynomial is close to.
        weight: what its error is multiplied by, so that the product is relative to the result of the formula.
        ends: of the interval, for 32 and for 64 bits.
        bound: the largest weighted error is below 2^-bound, for 32 and for 64 bits; None where there is no such polynomial.
    """

    name: str
    meaning: str
    value: Real
    weight: Real
    ends: tuple[tuple[Any, Any], tuple[Any, Any]]
    bound: tuple[int | None, int | None]


def _erfcx(x: Any) -> Any:
    return mpmath.exp(x * x) * mpmath.erfc(x)


def table() -> tuple[Series, ...]:
    """Return what is approximated; called under sixty digits."""
    half = mpmath.log(2) / 2 * mpf("1.0001")
    root = mpmath.sqrt(2)
    low, high = 1 / root - 1, root - 1
    most = (high / (2 + high)) ** 2 * mpf("1.0001")
    eighth = (mpmath.pi / 4 * mpf("1.0001")) ** 2

    def rooted(g: Real) -> Real:
        return lambda z: g(mpmath.sqrt(z))

    def place(k: int) -> Real:
        return lambda t: k * (1 + t) / (1 - t)

    far = place(3)
    return (
        Series(
            "EXP",
            "exp(r) = 1 + r + r² p(r) for |r| ≤ log(2)/2",
            lambda r: (mpmath.expm1(r) - r) / r**2,
            lambda r: r**2 / mpmath.expm1(r),
            ((-half, half), (-half, half)),
            (28, 57),
        ),
        Series(
            "LOG",
            "log(1 + f) = f − f²/2 + f³ p(f) for √½ ≤ 1 + f ≤ √2",
            lambda f: (mpmath.log1p(f) - f + f**2 / 2) / f**3,
            lambda f: f**3 / mpmath.log1p(f),
            ((low, high), (low, high)),
            (28, None),
        ),
        Series(
            "LOG",
            "log(1 + f) = 2s + s z p(z) with s = f/(2 + f) and z = s², for √½ ≤ 1 + f ≤ √2",
            rooted(lambda s: (2 * mpmath.atanh(s) / s - 2) / s**2),
            lambda z: z / 2,
            ((0, most), (0, most)),
            (None, 58),
        ),
        Series(
            "LOG_DECAY",
            "log(1 + w) = w + w² p(w) for 0 ≤ w ≤ 1",
            lambda w: (mpmath.log1p(w) - w) / w**2,
            lambda w: w**2 / mpmath.log1p(w),
            ((0, 1), (0, 1)),
            (27, None),
        ),
        Series(
            "POWER",
            "log(1 + f) = 2s + 2s z (1/3 + z p(z)) with s = f/(2 + f) and z = s², for √½ ≤ 1 + f ≤ √2",
            rooted(lambda s: ((mpmath.atanh(s) / s - 1) / s**2 - mpf(1) / 3) / s**2),
            lambda z: z**2,
            ((0, most), (0, most)),
            (None, 70),
        ),
        Series(
            "ERF_NEAR",
            "erf(x) = x + x p(x²) for |x| ≤ 1",
            rooted(lambda x: mpmath.erf(x) / x - 1),
            rooted(lambda x: x / mpmath.erf(x)),
            ((0, 1), (0, 1)),
            (27, 56),
        ),
        Series(
            "ERF_FAR",
            "erf(x) = 1 − exp(−p(x)) for x ≥ 1",
            lambda x: -mpmath.log(mpmath.erfc(x)),
            lambda x: mpmath.erfc(x) / mpmath.erf(x),
            ((1, 4), (1, 6)),
            (28, 57),
        ),
        Series(
            "ERFC",
            "erfc(x) = exp(−x²) (5/4 + p(t))/(1 + 2x) with t = (x − 3)/(x + 3) for x ≥ 0",
            lambda t: (1 + 2 * far(t)) * _erfcx(far(t)) - mpf(5) / 4,
            lambda t: 1 / ((1 + 2 * far(t)) * _erfcx(far(t))),
            ((-1, mpf(8) / 14), (-1, mpf(25) / 31)),
            (27, 56),
        ),
        Series(
            "ATAN",
            "atan(x) = x + x z p(z) with z = x² for |x| ≤ 1",
            rooted(lambda x: (mpmath.atan(x) / x - 1) / x**2),
            rooted(lambda x: x**3 / mpmath.atan(x)),
            ((0, 1), (0, 1)),
            (27, 56),
        ),
        Series(
            "SIN",
            "sin(r) = r + r z p(z) with z = r² for |r| ≤ π/4",
            rooted(lambda r: (mpmath.sin(r) / r - 1) / r**2),
            rooted(lambda r: r**3 / mpmath.sin(r)),
            ((0, eighth), (0, eighth)),
            (28, 57),
        ),
        Series(
            "COS",
            "cos(r) = 1 − z/2 + z² p(z) with z = r² for |r| ≤ π/4",
            rooted(lambda r: (mpmath.cos(r) - 1 + r**2 / 2) / r**4),
            rooted(lambda r: r**4 / mpmath.cos(r)),
            ((0, eighth), (0, eighth)),
            (28, 57),
        ),
    )


@dataclass(frozen=True)
class Fit:
    """A polynomial: its coefficients from the constant on, as the type rounds them, and the largest weighted error then."""

    coefficients: tuple[float, ...]
    error: float


def fit(series: Series, bits: int) -> Fit:
    """Return the polynomial of least degree that keeps the bound of a series in exact arithmetic."""
    with mp.workdps(DIGITS):
        which = bits == 64
        bound = series.bound[which]
        assert bound is not None
        for degree in count(2):
            points = _points(*series.ends[which], DENSITY * (degree + 2))
            samples = [(t, series.value(t), series.weight(t)) for t in points]
            exact, error = _exchange(samples, degree)
            if error <= mpf(2) ** -bound:
                rounded = tuple(_rounded(c, bits) for c in exact)
                return Fit(rounded, float(max(abs(w * (_at(rounded, t) - v)) for t, v, w in samples)))
    raise AssertionError


def _points(a: Any, b: Any, number: int) -> list[Any]:
    """Return points that lie as close as the lobes of the error do, without the middle and the ends themselves."""
    middle, half = (mpf(a) + b) / 2, (mpf(b) - a) / 2
    return [middle + half * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * number)) for k in range(number - 1, -1, -1)]


def _at(coefficients: Any, t: Any) -> Any:
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def _exchange(samples: list[tuple[Any, Any, Any]], degree: int) -> tuple[list[Any], Any]:
    """Return the coefficients with the least largest error at some points, and that error."""
    wanted = degree + 2
    chosen = [round((k + 0.5) * len(samples) / wanted - 0.5) for k in range(wanted)]
    for _ in range(60):
        rows = mpmath.matrix(wanted, wanted)
        right = mpmath.matrix(wanted, 1)
        for k, place in enumerate(chosen):
            t, v, w = samples[place]
            power = mpf(1)
            for j in range(degree + 1):
                rows[k, j] = power
                power *= t
            rows[k, degree + 1] = (-1) ** k / w
            right[k] = v
        solved = list(mpmath.lu_solve(rows, right))
        coefficients, level = solved[:-1], abs(solved[-1])
        errors = [w * (_at(coefficients, t) - v) for t, v, w in samples]
        chosen = _alternating(errors, wanted)
        largest = max(map(abs, errors))
        if largest <= level * mpf("1.0001"):
            break
    return coefficients, largest


def _alternating(errors: list[Any], wanted: int) -> list[int]:
    """Return the places of the largest errors with alternating signs."""
    best: list[int] = []
    for k, e in enumerate(errors):
        if best and (errors[best[-1]] > 0) == (e > 0):
            if abs(e) > abs(errors[best[-1]]):
                best[-1] = k
        else:
            best.append(k)
    while len(best) > wanted:
        # An end goes alone, an inner one with its smaller neighbour, so that the signs still alternate.
        if len(best) == wanted + 1:
            del best[0 if abs(errors[best[0]]) < abs(errors[best[-1]]) else -1]
        else:
            k = min(range(len(best) - 1), key=lambda k: abs(errors[best[k]]) + abs(errors[best[k + 1]]))
            del best[k : k + 2]
    assert len(best) == wanted, "the error has too few lobes"
    return best


def _rounded(c: Any, bits: int) -> float:
    if bits == 64:
        return float(c)
    number: float = struct.unpack("f", struct.pack("f", float(c)))[0]
    return number


def parts(value: Any, bits: int, number: int) -> tuple[float, ...]:
    """Return numbers of a type whose sum is a value, each the rounded rest after those before it."""
    made: list[float] = []
    for _ in range(number):
        made.append(_rounded(value, bits))
        value = value - mpf(made[-1])
    return tuple(made)


@dataclass(frozen=True)
class Number:
    """A number in parts: their sum, and what is multiplied by it in one rounding, is right to far more digits than one part has.

    Attributes:
        name: in the runtime file, without the number of bits.
        meaning: for readers.
        value: the number.
        parts: how many, for 32 and for 64 bits.
    """

    name: str
    meaning: str
    value: Any
    parts: tuple[int, int]


def numbers() -> tuple[Number, ...]:
    """Return the numbers that are subtracted in parts."""
    return (
        Number("LOG_2", "log(2)", mpmath.log(2), (2, 2)),
        Number("HALF_PI", "π/2", mpmath.pi / 2, (2, 2)),
    )


#: Powers of two between one row of the table of turns and the next one.
BLOCK = 24
#: Rows: in the first one nothing is left out, the last one is for the largest numbers of 64 bits.
ROWS = 41


def turns() -> tuple[tuple[float, ...], ...]:
    """Return, for each row k, 2^(24k) · 2/π without the multiples of four in it, in four parts of 64 bits."""
    with mp.workprec(BLOCK * ROWS + 320):
        values = [2 / mpmath.pi * mpf(2) ** (BLOCK * k) for k in range(ROWS)]
        return tuple(parts(value - 4 * mpmath.floor(value / 4), 64, 4) for value in values)


def text() -> str:
    """Return the table as the template that the runtime file is written from."""
    lines = [
        "{# Written by `python -m symbackprop.emit.minimax`: coefficients from the constant on, and the largest error that they leave. #}",
        "{% set SERIES = [",
    ]
    with mp.workdps(DIGITS):
        for series in table():
            for which, bits in enumerate((32, 64)):
                if series.bound[which] is not None:
                    made = fit(series, bits)
                    name = f"{series.name}_{bits}"
                    lines.append(f'    ("{name}", {bits}, "{series.meaning}", "{made.error:.1e}", [')
                    lines += [f"        {c!r}," for c in made.coefficients]
                    lines.append("    ]),")
        lines += ["] %}", "{% set NUMBERS = ["]
        for number in numbers():
            for count_, bits in zip(number.parts, (32, 64), strict=True):
                lines.append(f'    ("{number.name}_{bits}", {bits}, "{number.meaning}", [')
                lines += [f"        {c!r}," for c in parts(number.value, bits, count_)]
                lines.append("    ]),")
        lines += ["] %}", "{% set TURNS = ["]
        lines += [f"    ({', '.join(map(repr, row))})," for row in turns()]
        lines.append("] %}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    from symbackprop.resources import folder

    Path(folder("templates"), TABLE).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()

__all__ = ["Fit", "Series", "fit", "parts", "table", "text"]
