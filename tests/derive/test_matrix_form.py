"""Matrix forms mean what the index forms mean, on sizes that are all different."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

from symbackprop.algebra import Abs, Equation, Index, Indicator, Sum, Tensor, indices, sizes, unspecified
from symbackprop.algebra.interpret import evaluate_equation
from symbackprop.derive.matrix import matrix_form

N, M, K, H = sizes("N m k h")
n, i, j, h = indices("n i j h", N, M, K, H)
r, s, t = Index("@0", M), Index("@0", K), Index("@0", N)
i2 = Index("i2", M)
SIZES = {N: 4, M: 3, K: 5, H: 2}


def tensor(name, *axes, role="stored", integer=False):
    return Tensor(name, axes, role, integer=integer)


W = tensor("W", i, j, role="parameter")
U = tensor("U", h, i, role="parameter")
b = tensor("b", i, role="parameter")
x, X = tensor("x", j, role="input"), tensor("x", n, j, role="input")
y, Y = tensor("y", i, role="input"), tensor("y", n, i, role="input")
z, Z, v = tensor("z", i), tensor("z", n, i), tensor("v", j)
q, a, o, A, O = tensor("q", i), tensor("a", j), tensor("a", i), tensor("a", n, j), tensor("a", n, i)  # noqa: E741
p, P = tensor("p", i), tensor("p", n, i)
d, D, c = tensor("d", i, role="cotangent"), tensor("d", n, i, role="cotangent"), tensor("c", h, role="cotangent")
G = tensor("g", n, i, role="cotangent")
L, S_ = tensor("L", n), tensor("S", n)
label, labels = tensor("y", integer=True), tensor("y", n, integer=True)
f = tensor("f")
dx, dx_rows = tensor("dx", j, role="cotangent"), tensor("dX", n, j, role="cotangent")
grad, db = tensor("dW", i, j, role="cotangent"), tensor("db", i, role="cotangent")
J = tensor("J", i, i2)

CASES = [
    (Equation(q[i], Sum(W[i, s] * x[s], s)), "q = W x", "q = W x"),
    (Equation(f[()], Sum(q[r] ** 2, r)), "f = ‖q‖²", "f = ‖q‖²"),
    (Equation(grad[i, j], 2 * q[i] * x[j]), "dW = 2 q xᵀ", "dW = 2 q xᵀ"),
    (Equation(dx[j], Sum(2 * W[r, j] * q[r], r)), "dx = 2 Wᵀ q", "dx = 2 Wᵀ q"),
    (Equation(z[i], Sum(W[i, s] * x[s], s) + b[i]), "z = W x + b", "z = W x + b"),
    (Equation(Z[n, i], Sum(W[i, s] * X[n, s], s) + b[i]), "z = x Wᵀ + 𝟏 bᵀ", "z⟨n⟩ = W x⟨n⟩ + b"),
    (Equation(grad[i, j], d[i] * a[j]), "dW = d aᵀ", "dW = d aᵀ"),
    (Equation(grad[i, j], Sum(D[t, i] * A[t, j], t)), "dW = dᵀ a", "dW = Σ_n d⟨n⟩ a⟨n⟩ᵀ"),
    (Equation(grad[i, j], Sum(D[t, i] * A[t, j], t) + W[i, j] / 10), "dW = dᵀ a + (1/10) W", "dW = Σ_n d⟨n⟩ a⟨n⟩ᵀ + (1/10) W"),
    (Equation(dx_rows[n, j], Sum(W[r, j] * D[n, r], r)), "dX = d W", "dX⟨n⟩ = Wᵀ d⟨n⟩"),
    (Equation(db[i], Sum(D[t, i], t)), "db = dᵀ 𝟏", "db = Σ_n d⟨n⟩"),
    (Equation(dx[j], Sum(W[r, j] * d[r], r) * a[j] * (1 - a[j])), "dx = (Wᵀ d) ∘ a ∘ (1 - a)", None),
    (Equation(dx[j], -Sum(W[r, j] * d[r], r) * a[j] * (a[j] - 1)), "dx = (Wᵀ d) ∘ a ∘ (1 - a)", None),
    (Equation(dx[j], Sum(W[r, j] * d[r], r) * (1 - a[j] ** 2)), "dx = (Wᵀ d) ∘ (1 - a ∘ a)", None),
    (Equation(d[i], p[i] - y[i]), "d = p - y", "d = p - y"),
    (Equation(d[i], -(y[i] - p[i])), "d = p - y", "d = p - y"),
    (Equation(D[n, i], (P[n, i] - Y[n, i]) / N), "d = (1/N) (p - y)", "d⟨n⟩ = (1/N) (p⟨n⟩ - y⟨n⟩)"),
    (Equation(D[n, i], (P[n, i] - Indicator(sympy.Eq(i, labels[n]))) / N), "d = (1/N) (p - e_{y})", None),
    (Equation(d[i], p[i] - Indicator(sympy.Eq(i, label[()]))), "d = p - e_{y}", None),
    (Equation(d[i], p[i] * Indicator(sympy.Ne(i, label[()]))), None, None),
    (Equation(L[n], -sympy.log(P[n, labels[n]])), None, "L⟨n⟩ = -log(p⟨n⟩ᵀ e_{y⟨n⟩})"),
    (Equation(L[n], -Sum(Y[n, r] * sympy.log(P[n, r]), r)), "L = -(y ∘ log(p)) 𝟏", "L⟨n⟩ = -y⟨n⟩ᵀ log(p⟨n⟩)"),
    (Equation(f[()], Sum(L[t], t) / N), "f = (1/N) 𝟏ᵀ L", "f = (1/N) (Σ_n L⟨n⟩)"),
    (Equation(S_[n], Sum(sympy.exp(Z[n, r]), r)), "S = exp(z) 𝟏", "S⟨n⟩ = 𝟏ᵀ exp(z⟨n⟩)"),
    (Equation(P[n, i], sympy.exp(Z[n, i]) / S_[n]), None, None),
    (Equation(D[n, i], (G[n, i] - Sum(G[n, r] * P[n, r], r)) * P[n, i]), None, "d⟨n⟩ = (g⟨n⟩ - g⟨n⟩ᵀ p⟨n⟩) ∘ p⟨n⟩"),
    (Equation(J[i, i2], Indicator(sympy.Eq(i, i2)) * p[i] - p[i] * p[i2]), "J = diag(p) - p pᵀ", None),
    (Equation(J[i, i2], Indicator(sympy.Eq(i, i2)) * Indicator(z[i2] > 0)), "J = diag([z > 0])", None),
    (Equation(J[i, i2], Indicator(sympy.Eq(i, i2))), "J = I", None),
    (Equation(J[i, i2], Sum(W[i, s] * v[s] * W[i2, s], s)), "J = W diag(v) Wᵀ", None),
    (Equation(D[n, i], (O[n, i] - Y[n, i]) * Indicator(Z[n, i] > 0) / N), "d = (1/N) ((a - y) ∘ [z > 0])", None),
    (Equation(o[i], z[i] * Indicator(z[i] > 0)), "a = z ∘ [z > 0]", None),
    (Equation(f[()], Sum((O[t, r] - Y[t, r]) ** 2, t, r) / (2 * N)), "f = (1/(2 N)) ‖a - y‖²", None),
    (Equation(D[n, i], -Y[n, i] / P[n, i] / N), "d = -(1/N) (y ⊘ p)", None),
    (Equation(f[()], Sum(Abs(W[r, s]), r, s)), "f = 𝟏ᵀ abs(W) 𝟏", None),
    (Equation(f[()], Sum(q[r], r) * Sum(x[s], s)), None, None),
    (Equation(c[h], Sum(U[h, r] * W[r, s] * x[s], r, s)), "c = U W x", None),
    (Equation(grad[i, j], W[i, j] * q[i] * x[j]), None, None),
    (Equation(grad[i, j], W[i, j] + q[i] - x[j]), None, None),
    (Equation(grad[i, j], W[i, j] * Sum(q[r] * q[r], r) / Sum(x[s], s)), None, None),
    (Equation(f[()], Sum(Indicator(sympy.Ne(r, label[()])) * Indicator(z[r] - z[label[()]] + 1 > 0) * z[r], r)), None, None),
]


def values_of(equation, seed):
    rng = np.random.default_rng(seed)
    made = {}
    for each in equation.reads:
        shape = tuple(SIZES[e] for e in each.shape)
        made[each.name] = rng.integers(0, 3, shape) if each.integer else rng.normal(size=shape) + (3 if each.name in "pS" else 0)
    return made


def agree(equation, form, seed=0):
    values = values_of(equation, seed)
    sizes_ = {size: sympy.Integer(value) for size, value in SIZES.items()}
    want = evaluate_equation(equation, {k: np.asarray(v) for k, v in values.items()}, sizes_)
    got = form.evaluate(values)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


# A size that no array on the right shows cannot be evaluated: such forms are checked by their text.
def evaluable(equation):
    shown = {e for each in equation.reads for e in each.shape}
    needed = {e for e in equation.tensor.shape} | {e for e in equation.rhs.free_symbols if e in SIZES}
    return needed <= shown


@pytest.mark.parametrize(("equation", "rows", "samples"), CASES, ids=[str(case[0]) for case in CASES])
def test_matrix_form_equals_index_form(equation, rows, samples):
    for sample, text in ((None, rows), (n, samples)):
        form = matrix_form(equation, sample=sample)
        assert form is not None
        if text is not None:
            assert str(form) == text
        if evaluable(equation):
            agree(equation, form)


def test_every_case_but_the_few_without_sizes_is_evaluated():
    assert sum(evaluable(e) for e, *_ in CASES) >= len(CASES) - 3


def test_an_unspecified_function_stays():
    e = Equation(dx[j], Sum(W[r, j] * d[r], r) * unspecified("f", v[j], 1))
    assert str(matrix_form(e)) == "dx = (Wᵀ d) ∘ f'(v)"


def test_what_has_no_matrix_form_gives_none():
    image = tensor("A", n, i, j)
    assert matrix_form(Equation(image[n, i, j], tensor("B", j, n, i)[j, n, i])) is None
    shifted = tensor("w", Index("i", M + 1))
    assert matrix_form(Equation(q[i], shifted[i + 1])) is None
    assert matrix_form(Equation(q[i], z[i] * i)) is None


def operand(rng, one, two):
    """A random factor over the two axes, by the names of the cases above."""
    m_, k_ = (one, two)
    choices = [
        tensor("A1", Index("i", M), Index("j", K))[m_, k_],
        tensor("A2", Index("j", K), Index("i", M))[k_, m_],
        tensor("u", Index("i", M))[m_],
        tensor("w", Index("j", K))[k_],
        sympy.exp(tensor("u2", Index("i", M))[m_]),
        tensor("A1", Index("i", M), Index("j", K))[m_, k_] - tensor("u", Index("i", M))[m_],
        1 / tensor("p", Index("j", K))[k_],
        tensor("g1"),
    ]
    pick = choices[rng.integers(len(choices))]
    return pick[()] if isinstance(pick, Tensor) else pick


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_agree(seed):
    rng = np.random.default_rng(seed)
    kinds = [(tensor("out", i, j), ()), (tensor("out", i), (s,)), (tensor("out", j), (r,)), (tensor("out"), (r, s))]
    out, bound = kinds[seed % 4]
    lhs = out.own
    one = r if r in bound else i
    two = s if s in bound else j
    terms = []
    for _ in range(rng.integers(1, 4)):
        body = sympy.Integer(int(rng.integers(-3, 4)) or 1)
        for _ in range(rng.integers(1, 4)):
            body = body * operand(rng, one, two)
        terms.append(Sum(body, *bound) if bound else body)
    equation = Equation(lhs, sympy.Add(*terms) + tensor("A1", i, j)[0, 0] * tensor("A2", j, i)[1, 2])
    form = matrix_form(equation)
    assert form is not None, str(equation)
    if evaluable(equation):
        agree(equation, form, seed)


@pytest.mark.parametrize("order", list(itertools.permutations("UWx")))
def test_the_order_of_factors_does_not_matter(order):
    factors = {"U": U[h, r], "W": W[r, s], "x": x[s]}
    product = sympy.Mul(*(factors[k] for k in order), evaluate=False)
    assert str(matrix_form(Equation(c[h], Sum(product, s, r)))) == "c = U W x"
