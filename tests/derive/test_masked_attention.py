"""Masked attention where numbers end: scores of ±700 and beyond, and queries that see no key.

The gradient is written here by hand, with the maximum of what is seen shifted out; a complex step of it is the product with the
Hessian to the last digit. Both targets, both routes and both precisions have to give it, with 0 for a query that sees nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp

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


@pytest.mark.parametrize("size", [1.0, 700.0, 5000.0])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("target", "dtype"), [("numpy", "float64"), ("cpu", "float64"), ("numpy", "float32"), ("cpu", "float32")])
def test_masked_scores_that_overflow_have_exact_gradients_and_products(target, dtype, causal, size, seed):
    x, m = sbp.Input((4, 2)), sbp.Input((4,), dtype="int64")
    net = sbp.Network(inputs=(x, m), outputs=sbp.Attention(1, causal)(x, m), loss="mse", name="masked")
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
    program, params = net.compile(target=target, dtype=dtype), net.init(0, dtype)
    v = params.copy()
    for letter, w, d in zip(LETTERS, weights, along, strict=True):
        params[f"attention_1.W_{letter}"][...], v[f"attention_1.W_{letter}"][...] = w, d
    arrays = (given.astype(dtype), MASK), y.astype(dtype)
    # A score of size s is known to s ε, and with it P and the sum of P; along v the terms move by as much as the scores do.
    tolerance = 8 * np.finfo(dtype).eps * max(1.0, size) * size_of
    moved = 1 + float(np.abs(scores.imag / STEP).max())

    def judge(found, parts, atol, what):
        for letter, part in zip(LETTERS, parts, strict=True):
            got = found[f"attention_1.W_{letter}"]
            assert np.isfinite(got).all(), f"{what}, W_{letter}, seed {seed}"
            assert np.linalg.norm(got - part) <= atol, f"{what}, W_{letter}, seed {seed}"

    judge(program.value_and_grad(params, *arrays)[1], [g.real for g in stepped], tolerance, "gradient")
    for route in ("reverse", "forward"):
        found = program.hvp(params, *arrays, v, route=route)
        judge(found, [g.imag / STEP for g in stepped], tolerance * moved, f"{route} route")


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_a_query_that_sees_no_key_gives_nothing_on(target):
    x, m = sbp.Input((4, 2)), sbp.Input((4,), dtype="int64")
    net = sbp.Network(inputs=(x, m), outputs=sbp.Attention()(x, m), loss="mse", name="blind")
    program, params = net.compile(target=target, dtype="float64"), net.init(0, "float64")
    rng = np.random.default_rng(0)
    given, y = 30 * rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 4, 2))
    arrays = (given, np.zeros((2, 4), dtype=np.int64)), y
    assert not program.predict(params, arrays[0]).any()
    assert not program.value_and_grad(params, *arrays)[1].flat.any()
    for route in ("reverse", "forward"):
        # W_o alone is read, and O is 0: nothing moves.
        assert not program.hvp(params, *arrays, params.copy(), route=route).flat.any()
