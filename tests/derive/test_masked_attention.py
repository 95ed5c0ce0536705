"""Masked attention where numbers end: scores of ±700 and beyond, and queries that see no key.

The gradient is written here by hand, with the maximum of what is seen shifted out; a complex step of it is the product with the
Hessian to the last digit. Both targets, both routes and both precisions have to give it, with 0 for a query that sees nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from written import executed

import symbackprop as sbp
from symbackprop import pipeline

LETTERS = "qkvo"
#: A complex step: its square is below the smallest number.
STEP = 1e-30
#: What the keys of two samples look like; of the second none is there, and of the first a causal query at 0 sees none.
MASK = np.array([[0, 1, 1, 1], [0, 0, 0, 0]])


def gradient(weights, x, y, seen):
    """Return ∂L/∂W of the mean squared error of O W_oᵀ for weights that may be complex, the size of the terms in it, and the scores."""
    W_q, W_k, W_v, W_o = weights
    Q, K, V = (x @ W.T for W in (W_q, W_k, W_v))
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(x.shape[-1])
    top = np.where(seen, scores.real, -np.inf).max(axis=-1, keepdims=True)
    e = np.where(seen, np.exp(np.where(seen, scores - np.where(np.isfinite(top), top, 0), 0)), 0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total == 0, 1, total)
    O = P @ V  # noqa: E741
    da = 2 * (O @ W_o.T - y) / y.size
    dO = da @ W_o
    dP = dO @ V.transpose(0, 2, 1)
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True)) / np.sqrt(x.shape[-1])
    heads = (dS @ K, dS.transpose(0, 2, 1) @ Q, P.transpose(0, 2, 1) @ dO)
    parts = [np.einsum("nti,ntj->ij", d, x) for d in heads] + [np.einsum("nti,ntj->ij", da, O)]
    # Before P (dP − Σ P dP) cancels, because the sum of P is 1.
    whole = np.abs(P) * (np.abs(dP) + np.abs(P * dP).sum(axis=-1, keepdims=True)) / np.sqrt(x.shape[-1])
    sizes = [
        np.einsum("nti,ntj->ij", whole @ np.abs(K), np.abs(x)),
        np.einsum("nti,ntj->ij", whole.transpose(0, 2, 1) @ np.abs(Q), np.abs(x)),
    ]
    return parts, max(float(np.linalg.norm(p)) for p in (*parts, *sizes)), np.where(seen, scores, 0)


@lru_cache
def written(target, dtype, causal):
    """Return the gradient and the product on both routes, each a function of flat parameters, from the texts of a network."""
    x, m = sbp.Input((4, 2)), sbp.Input((4,), dtype="int64")
    net = sbp.Network(inputs=(x, m), outputs=sbp.Attention(1, causal)(x, m), loss="mse", name="masked")

    def function(entry, asked):
        form = pipeline.usual_form(net.spec)
        artifact, *_ = pipeline.write(net.spec, pipeline.Options(target, dtype, 2, form=form, product=asked))[2]
        space = executed(artifact.text)

        def call(*given):
            out = np.full(16, np.nan, dtype)
            with np.errstate(over="ignore", divide="ignore"):
                space[entry](*given, out, np.full(space["workspace"](2), np.nan, dtype))
            return dict(zip(LETTERS, out.reshape(4, 2, 2), strict=True))

        return call

    made = {route: function("hvp", pipeline.Asked("hvp", ("parameters",), route)) for route in ("reverse", "forward")}
    return function("value_and_grad", None), made


@pytest.mark.parametrize("size", [1.0, 700.0, 5000.0])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("target", "dtype"), [("numpy", "float64"), ("cpu", "float64"), ("numpy", "float32"), ("cpu", "float32")])
def test_masked_scores_that_overflow_have_exact_gradients_and_products(target, dtype, causal, size, seed):
    rng = np.random.default_rng([seed, int(size)])
    given, y = rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 4, 2))
    # Of keys of one sign the scores are ± size and differ by about 1: they share the query, and none is alone.
    root = np.sqrt(size * np.sqrt(2))
    given = np.stack([root * np.array([1, -1, 1, 1]) * np.ones((2, 1)), given[..., 1] / 2], axis=-1)
    weights = [np.eye(2) for _ in LETTERS[:2]] + [rng.standard_normal((2, 2)) for _ in LETTERS[2:]]
    along = [rng.standard_normal((2, 2)) / root for _ in LETTERS]
    # What float32 holds is what both precisions are asked about.
    given, y, weights, along = (np.asarray(a).astype(np.float32).astype(float) for a in (given, y, weights, along))
    seen = np.broadcast_to(MASK[:, None, :] > 0, (2, 4, 4)) & (np.tri(4, dtype=bool) if causal else True)
    stepped, size_of, scores = gradient([w + 1j * STEP * v for w, v in zip(weights, along, strict=True)], given, y, seen)
    params, v = (np.concatenate([a.ravel() for a in arrays]).astype(dtype) for arrays in (weights, along))
    arrays = (given.astype(dtype), MASK, y.astype(dtype))
    value_and_grad, products = written(target, dtype, causal)
    # A score of size s is known to s ε, and with it P and the sum of P; along v the terms move by as much as the scores do.
    tolerance = 8 * np.finfo(dtype).eps * max(1.0, size) * size_of
    moved = 1 + float(np.abs(scores.imag / STEP).max())

    def judge(found, parts, atol, what):
        for letter, part in zip(LETTERS, parts, strict=True):
            got = found[letter]
            assert np.isfinite(got).all(), f"{what}, W_{letter}, seed {seed}"
            assert np.linalg.norm(got - part) <= atol, f"{what}, W_{letter}, seed {seed}"

    judge(value_and_grad(params, *arrays), [g.real for g in stepped], tolerance, "gradient")
    for route, product in products.items():
        judge(product(params, *arrays, v), [g.imag / STEP for g in stepped], tolerance * moved, f"{route} route")


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_a_query_that_sees_no_key_gives_nothing_on(target):
    rng = np.random.default_rng(0)
    params, given, y = rng.standard_normal(16), 30 * rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 4, 2))
    arrays = given, np.zeros((2, 4), dtype=np.int64), y
    value_and_grad, products = written(target, "float64", False)
    # W_o alone is read, and O is 0: nothing moves.
    for found in (value_and_grad(params, *arrays), *(p(params, *arrays, params) for p in products.values())):
        assert not any(part.any() for part in found.values())
