"""Every barrier of the sample kernels, deleted, is noticed; a redundant one is reported as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lockstep_kernels as kernels
import numpy as np
import pytest

from symbackprop.errors import CheckError
from symbackprop.execute import lockstep

X = np.random.default_rng(5).standard_normal(101)


def tree(kernel: Any, seed: int) -> bool:
    x, out = X[:64].astype(np.float32), np.full(1, np.nan, np.float32)
    lockstep.run(kernel, 1, 64, x, out, 64, dynamic_shared=512, seed=seed)
    return bool(abs(out[0] - X[:64].sum()) < 1e-5)


def gemm(kernel: Any, seed: int) -> bool:
    a, b = X[:48].reshape(2, 24).astype(np.float32), X[:96].reshape(24, 4).astype(np.float32)
    c = np.full((2, 4), np.nan, np.float32)
    lockstep.run(kernel, 1, 16, a, b, c, 2, 4, 24, seed=seed)
    return np.allclose(c, a.astype(np.float64) @ b, atol=1e-5)


def scan(kernel: Any, seed: int) -> bool:
    out = np.full(96, np.nan, np.float32)
    lockstep.run(kernel, 1, 96, X[:96].astype(np.float32), out, 96, seed=seed)
    return np.allclose(out, np.cumsum(X[:96]), atol=1e-4)


def grid(kernel: Any, seed: int) -> bool:
    partial, out = np.zeros(3), np.zeros(1)  # not poisoned: the race itself is to be seen
    lockstep.run(kernel, 3, 16, X, partial, out, 101, seed=seed)
    return abs(out[0] - X.sum()) < 1e-12


def training(kernel: Any, seed: int) -> bool:
    params, losses = X[:17].copy(), np.full(2, np.nan)
    lockstep.run(kernel, 1, 7, params, X[20:30].reshape(5, 2).copy(), X[30:35].copy(), losses, 0.1, 2, seed=seed)
    return losses[1] < losses[0]


@pytest.mark.parametrize(
    ("kernel", "check", "barriers"),
    [
        (kernels.tree_sum, tree, 2),
        (kernels.tree_sum_dynamic, tree, 2),
        (kernels.gemm(16, 16, 4, 4, 4), gemm, 2),
        (kernels.scan, scan, 1),
        (kernels.grid_sum, grid, 2),
        (kernels.training(kernels.float64, 2, 4, 5), training, 5),
    ],
)
def test_every_barrier_is_needed(kernel: Any, check: Callable[[Any, int], bool], barriers: int) -> None:
    found = lockstep.delete_barriers(kernel, check)
    assert len(found) == barriers
    assert [str(d) for d in found if d.caught is None] == []


def test_a_redundant_barrier_is_reported() -> None:
    """Of two in a row either can go."""
    found = lockstep.delete_barriers(with_one_too_many, spare)
    assert [d.caught for d in found] == [None, None]
    assert str(found[1]).endswith("NOT CAUGHT") and found[1].barrier.line == found[0].barrier.line + 1


cuda: Any = None


def with_one_too_many(x, out):
    s = cuda.shared.array(32, kernels.float32)
    s[cuda.threadIdx.x] = x[cuda.threadIdx.x]
    cuda.syncthreads()
    cuda.syncthreads()
    out[cuda.threadIdx.x] = s[31 - cuda.threadIdx.x]


def spare(kernel: Any, seed: int) -> None:
    x, out = X[:32].astype(np.float32), np.zeros(32, np.float32)
    lockstep.run(kernel, 1, 32, x, out, seed=seed)
    assert np.array_equal(out, x[::-1])


def test_a_check_that_fails_from_the_start_says_nothing() -> None:
    with pytest.raises(CheckError, match="scan fails its check with all its barriers"):
        lockstep.delete_barriers(kernels.scan, lambda kernel, seed: False)
