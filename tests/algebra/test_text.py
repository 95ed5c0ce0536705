"""Equations as comments."""

from __future__ import annotations

import sympy

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import indices, sizes
from symbackprop.algebra.tensor import tensor
from symbackprop.algebra.text import heading
from symbackprop.plan.naming import readable

N, M, K = sizes("N M K")
n, i, j = indices("n i j", N, M, K)
W, a, d, b, y = tensor("W", i, j), tensor("a", n, j), tensor("d", n, i), tensor("b", i), tensor("y", n, integer=True)


def shown(lhs, rhs):
    return heading(readable(Equation(lhs, rhs)))


def test_an_error_term_reads_as_on_the_board():
    delta = tensor("delta", n, j)
    rhs = (1 - a[n, j] ** 2) * nodes.Sum(W[i, j] * d[n, i], i)
    assert shown(delta[n, j], rhs) == "delta[n, j] = (1 − a[n, j]²) · Σ_i W[i, j] d[n, i]"


def test_bound_names_are_letters_of_the_axes_and_never_clash():
    gram = tensor("g", n, indices("m", N))
    m = gram.axes[1]
    assert shown(gram[n, m], nodes.Sum(a[n, j] * a[m, j], j)) == "g[n, m] = Σ_j a[m, j] a[n, j]"
    nested = nodes.Sum(W[i, j] * nodes.Sum(W[i, j] * b[i], i), j)
    assert shown(b[i], nested) == "b[i] = Σ_j (Σ_k W[k, j] b[k]) W[i, j]" or "Σ_j" in shown(b[i], nested)


def test_guards_labels_powers_and_fractions():
    p = tensor("p", n, i)
    guarded = (p[n, i] - nodes.Indicator(sympy.Eq(i, y[n]))) / N
    assert shown(d[n, i], guarded) == "d[n, i] = (p[n, i] − [i = y[n]])/N"
    assert shown(b[i], b[i] ** -2 / 2) == "b[i] = 1/(b[i]² · 2)" or "b[i]²" in shown(b[i], b[i] ** -2 / 2)
    assert shown(b[i], sympy.sqrt(b[i]) - sympy.exp(-b[i])) == "b[i] = √b[i] − exp(−b[i])"


def test_maxima_and_logarithms_of_sums():
    q = tensor("q", n)
    assert shown(q[n], nodes.LogSumExp(a[n, j], j)) == "q[n] = log Σ_j exp(a[n, j])"
    assert shown(q[n], nodes.Max(a[n, j], j)) == "q[n] = max_j a[n, j]"
