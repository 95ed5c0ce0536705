"""Errors in equations: the first line tells it by itself, the marks stand under the culprit, the last line is the way out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import sympy

import symbackprop as sbp

i, j, k, u = sbp.indices("i j k u", 5, 5, 3, 3)
n = sbp.indices("n", "N")
i_7 = sbp.indices("i", 7)
m, t, s = sbp.indices("m", 7), sbp.indices("t", 4), sbp.indices("s", "n_1")
W, b, x, z, a = sbp.tensor("W", i, k), sbp.tensor("b", i), sbp.tensor("x", n, j), sbp.tensor("z", n, i), sbp.tensor("a", n, i)
wide, h, lab = sbp.tensor("wide", n, m), sbp.tensor("h", n, t), sbp.tensor("lab", n, integer=True)
E = sbp.Equation

#: What is written, the class of the error, its first line, what is marked (of each printed line), and a word of the way out.
FAULTS: dict[str, tuple[Callable[[], Any], type[Exception], str, list[str], str]] = {
    "a loose index": (
        lambda: E(z[n, i], sbp.Sum(W[i, k] * x[n, j], j)),
        sbp.DeclarationError,
        "z[n, i]: index k of W[i, k] is neither on the left nor summed over",
        ["k"],
        "sbp.Sum(…, k)",
    ),
    "a loose index for another": (
        lambda: E(z[n, i], sbp.Sum(x[n, m + 0 * j], sbp.indices("q", 7))),
        sbp.DeclarationError,
        "z[n, i]: index m of x[n, m] is neither on the left nor summed over",
        ["m"],
        "did you mean q",
    ),
    "an index with two extents": (
        lambda: E(z[n, i], x[n, i] + sbp.tensor("c", i_7)[i_7]),
        sbp.DeclarationError,
        "z[n, i]: two indices are called i: that of c[i′] ranges over 0..6, the other one over 0..4",
        ["i′"],
        "one index i for both",
    ),
    "an index twice on the left": (
        lambda: E(sbp.tensor("q", i, i)[i, i], b[i]),
        sbp.DeclarationError,
        "q[i, i]: index i stands twice on the left, which would define the diagonal only",
        ["i", "i"],
        "sbp.Indicator",
    ),
    "no plain index on the left": (
        lambda: E(z[n, i + 1], b[i]),
        sbp.DeclarationError,
        "z[n, i + 1]: the left side is indexed by i + 1; there stands one plain index for each axis",
        ["1 + i"],
        "shift the index",
    ),
    "the wrong extent on the left": (
        lambda: E(sbp.tensor("q", 5)[i_7], b[i]),
        sbp.ShapeError,
        "q[i]: index i ranges over 0..6, but axis 0 of q has extent 5",
        ["i"],
        "declare q with its indices",
    ),
    "an axis that is too short": (
        lambda: E(z[n, i], sbp.Sum(wide[n, m] + b[m], m)),
        sbp.ShapeError,
        "z[n, i]: b[m] reads position 6 at m = 6, but axis 0 of b has 0..4",
        ["b[m]"],
        "sbp.InRange(m, 5) * b[m]",
    ),
    "an axis of unknown length": (
        lambda: E(z[n, i], sbp.Sum(b[s], s)),
        sbp.ShapeError,
        "z[n, i]: index s of b[s] ranges over 0..n_1 - 1, but axis 0 of b has 0..4",
        ["b[s]"],
        "sbp.InRange(s, 5) * b[s]",
    ),
    "a window that begins before the axis": (
        lambda: E(z[n, i], sbp.Sum(wide[n, i + u - 1], u)),
        sbp.ShapeError,
        "z[n, i]: wide[n, i + u - 1] reads position -1 at i = 0, u = 0, but axis 1 of wide has 0..6",
        ["i + u − 1"],
        "sbp.InRange(i + u - 1, 7) * wide[n, i + u - 1]",
    ),
    "a stride that runs out": (
        lambda: E(z[n, i], sbp.Sum(wide[n, 2 * i], u)),
        sbp.ShapeError,
        "z[n, i]: wide[n, 2*i] reads position 8 at i = 4, but axis 1 of wide has 0..6",
        ["2 i"],
        "guard",
    ),
    "a guard of another place": (
        lambda: E(z[n, i], sbp.Sum(sbp.InRange(i + u - 2, 7) * wide[n, i + u + 2], u)),
        sbp.ShapeError,
        "z[n, i]: wide[n, i + u + 2] reads position 7 at i = 3, u = 2, but axis 1 of wide has 0..6",
        ["2 + i + u"],
        "guard",
    ),
    "a guard that adds instead of multiplying": (
        lambda: E(z[n, i], sbp.Sum(sbp.InRange(i + u - 1, 7) + wide[n, i + u - 1], u)),
        sbp.ShapeError,
        "z[n, i]: wide[n, i + u - 1] reads position -1 at i = 0, u = 0, but axis 1 of wide has 0..6",
        ["wide[n, i + u − 1]"],
        "guard",
    ),
    "a square of an index": (
        lambda: E(z[n, i], x[n, i**2]),
        sbp.ShapeError,
        "z[n, i]: x[n, i**2] reads position 9 at i = 3, but axis 1 of x has 0..4",
        ["i²"],
        "guard",
    ),
    "half an index": (
        lambda: E(z[n, i], x[n, i / 2]),
        sbp.DeclarationError,
        "z[n, i]: index i/2 is not an integer",
        ["i/2"],
        "sympy.floor",
    ),
    "a recurrence without its guard": (
        lambda: E(h[n, t], h[n, t - 1] + 1),
        sbp.ShapeError,
        "h[n, t]: h[n, t - 1] reads position -1 at t = 0, but axis 1 of h has 0..3",
        ["t − 1"],
        "sbp.InRange(t - 1, 4) * h[n, t - 1]",
    ),
    "an unknown function": (
        lambda: E(z[n, i], 2 * sympy.gamma(x[n, i])),
        sbp.DeclarationError,
        "z[n, i]: the function gamma is not in the language: no derivative of it is known",
        ["gamma(x[n, i])"],
        "exp, log, sin",
    ),
    "a misspelt function": (
        lambda: E(z[n, i], sympy.Function("tanH")(x[n, i])),
        sbp.DeclarationError,
        "z[n, i]: the function tanH is not in the language: no derivative of it is known",
        ["tanH(x[n, i])"],
        "did you mean 'tanh'?",
    ),
    "a bare symbol": (
        lambda: E(z[n, i], sympy.Symbol("alpha") * b[i]),
        sbp.DeclarationError,
        "z[n, i]: alpha is neither a tensor's entry nor a size",
        ["alpha"],
        "sbp.tensor('alpha', …)",
    ),
    "ArgMax of a foreign index": (
        lambda: E(z[n, i], sbp.ArgMax(wide[n, m], u, m)),
        sbp.DeclarationError,
        "z[n, i]: ArgMax gives the value of u, which is not among the indices that it ranges over (m)",
        ["(u at max_m wide[n, m])"],
        "",
    ),
    "Piecewise without an end": (
        lambda: E(z[n, i], sympy.Piecewise((x[n, i], x[n, i] > 0))),
        sbp.DeclarationError,
        "z[n, i]: a Piecewise has no value where none of its conditions holds",
        ["Piecewise(ExprCondPair(x[n, i], x[n, i] > 0))"],
        "(expression, True)",
    ),
    "SymPy's sum": (
        lambda: E(z[n, i], sympy.Sum(b[i] * u, (u, 0, 2))),
        sbp.DeclarationError,
        "z[n, i]: Sum is not in the language of equations",
        ["Sum(b[i] u, Tuple(u, 0, 2))"],
        "sbp.Sum",
    ),
    "too many indices": (
        lambda: x[n, i, k],
        sbp.ShapeError,
        "x has 2 axes (n, j) but is read with 3 indices: x[n, i, k]",
        ["k"],
        "x[n, j]",
    ),
    "too few indices": (lambda: x[n], sbp.ShapeError, "x has 2 axes (n, j) but is read with 1 index: x[n]", ["]"], "x[n, j]"),
    "a scalar with an index": (
        lambda: sbp.tensor("f")[i],
        sbp.ShapeError,
        "f has 0 axes but is read with 1 index: f[i]",
        ["i"],
        "f[()]",
    ),
    "a name used twice": (
        lambda: sbp.System([E(z[n, i], x[n, i]), E(z[n, i], 2 * x[n, i])]),
        sbp.DeclarationError,
        "z[n, i]: z is defined twice",
        ["z[n, i]", "z[n, i]"],
        "a name of its own",
    ),
    "two shapes of one name": (
        lambda: sbp.System([E(z[n, i], a[n, i]), E(sbp.tensor("q", n)[n], sbp.Sum(sbp.tensor("a", n, 7)[n, m], m))]),
        sbp.ShapeError,
        "q[n]: a has shape (N, 7) here, but (N, 5) in the equation of z",
        ["a[n, m]"],
        "declare it once",
    ),
    "read before it is defined": (
        lambda: sbp.System([E(z[n, i], b[i] * a[n, i]), E(a[n, i], x[n, i])]),
        sbp.DeclarationError,
        "z[n, i]: a is read before it is defined",
        ["a[n, i]"],
        "put the equation of a first; only a recurrence reads ahead",
    ),
    "defined by itself": (
        lambda: sbp.System([E(z[n, i], z[n, i] + 1)]),
        sbp.DeclarationError,
        "z[n, i]: z is defined by itself, and no axis runs from one step to the next",
        ["z[n, i]", "z[n, i]"],
        "sbp.InRange(t - 1, T)",
    ),
    "defined by each other": (
        lambda: sbp.System([E(z[n, i], 2 * a[n, i]), E(a[n, i], z[n, i] + 1)]),
        sbp.DeclarationError,
        "z[n, i]: z, a are defined by each other, and no axis runs from one step to the next",
        ["a[n, i]", "z[n, i]"],
        "a step before",
    ),
}


def marked(text: str) -> list[str]:
    """What stands above the marks of a message, in order."""
    lines = text.split("\n")
    found = []
    for above, below in pairwise(lines):
        if below.strip() and set(below.strip()) <= {"^", " "}:
            starts = [p for p, c in enumerate(below) if c == "^" and below[p - 1] != "^"]
            found += [above[p : p + len(below[p:]) - len(below[p:].lstrip("^"))] for p in starts]
    return found


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_in_one_line_and_marked(case: str) -> None:
    write, error, first, culprits, way = FAULTS[case]
    with pytest.raises(sbp.SymbackpropError) as caught:
        write()
    text = str(caught.value)
    assert type(caught.value) is error
    assert text.split("\n")[0] == first
    assert marked(text) == culprits, text
    assert way in text.split("\n")[-1], text


GOOD: dict[str, Callable[[], Any]] = {
    "a guard": lambda: sbp.Sum(sbp.InRange(i + u - 1, 7) * wide[n, i + u - 1], u),
    "a guard inside a power": lambda: sbp.Sum((sbp.InRange(i + u - 1, 7) * wide[n, i + u - 1]) ** 2, u),
    "a guard around a sum": lambda: sbp.InRange(i - 1, 5) * sbp.Sum(x[n, i - 1] * W[i, k], k),
    "comparisons as a guard": lambda: sbp.Indicator(sympy.And(i >= 1, i <= 5)) * x[n, i - 1],
    "a guard with room": lambda: sbp.Sum(sbp.InRange(i + u, 6) * wide[n, i + u + 1], u),
    "two guards together": lambda: sbp.Sum(sbp.Indicator(i >= k) * sbp.InRange(i - k, 5) * x[n, i - k], k),
    "a triangle": lambda: sbp.Sum(sbp.Indicator(i >= u) * x[n, i - u], u),
    "a remainder": lambda: sbp.Sum(x[n, i + u - 5 * sympy.floor((i + u) / 5)], u),
    "a quotient": lambda: x[n, sympy.floor(i / 2)],
    "another one's sum": lambda: sbp.Sum(wide[n, i_7], i_7),
    "a label": lambda: x[n, lab[n]],
}


@pytest.mark.parametrize("case", GOOD)
def test_what_stays_in_range_is_taken(case: str) -> None:
    assert E(z[n, i], GOOD[case]()).tensor == z


def test_a_whole_tensor_in_arithmetic_is_told_how_to_be_read() -> None:
    for write in (lambda: W * 2, lambda: x[n, j] * W, lambda: 1 - W, lambda: W / 2, lambda: W**2):
        with pytest.raises(sbp.DeclarationError, match=r"W is a whole tensor; equations read its entries: W\[i, k\]"):
            write()


def test_long_equations_are_shown_around_the_culprit() -> None:
    terms = sum(sbp.tensor(f"weight_{c}", i)[i] for c in range(20, 60))
    with pytest.raises(sbp.DeclarationError) as caught:
        E(z[n, i], terms + sbp.tensor("weight_70", i, k)[i, k])
    lines = str(caught.value).split("\n")
    assert marked(str(caught.value)) == ["k"] and max(map(len, lines)) <= 140 and lines[1].strip().startswith("…")
    assert lines[1].endswith("weight_70[i, k]")


def test_integers_have_no_derivative() -> None:
    f = sbp.System([E(sbp.tensor("f")[()], sbp.Sum(x[n, lab[n]], n))])
    with pytest.raises(sbp.DerivationError, match="lab holds integers: there is no derivative with respect to it"):
        sbp.derive(f, of="f", wrt=["lab"])
