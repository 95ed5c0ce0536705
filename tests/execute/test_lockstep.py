"""Kernels of every pattern that the CUDA target uses, run in lock-step at odd sizes against float64, under three orders of threads."""

from __future__ import annotations

from typing import Any

import lockstep_kernels as kernels
import numpy as np
import pytest

from symbackprop.execute import lockstep

SEEDS = [0, 1, 2]
#: float32 sums of up to 200 terms in another order than the reference: 2e-6 of the sum of magnitudes is 17 units in the last place.
FLOAT32 = 2e-6


def draw(*shape: int, dtype: type = np.float32, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def poison(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.full(shape, np.nan, dtype)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 31, 64, 77])
def test_sums_of_vectors(n: int, seed: int) -> None:
    x, y, out = draw(n), draw(n, seed=4), poison(n)
    lockstep.run(kernels.add, -(-n // 32), 32, x, y, out, n, seed=seed)
    assert np.array_equal(out, x + y)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 63, 64, 77, 129])
@pytest.mark.parametrize("kernel", [kernels.tree_sum, kernels.tree_sum_dynamic])
def test_trees_in_static_and_dynamic_shared_memory(kernel: Any, n: int, seed: int) -> None:
    blocks = -(-n // 64)
    x, out = draw(n), poison(blocks)
    lockstep.run(kernel, blocks, 64, x, out, n, dynamic_shared=512, seed=seed)
    for b in range(blocks):
        part = x[64 * b : 64 * b + 64].astype(np.float64)
        assert abs(out[b] - part.sum()) <= FLOAT32 * np.abs(part).sum()


def product(tile: tuple[int, ...], m: int, n: int, k: int, seed: int, race: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bm, bn, bk, tm, tn = tile
    wide, deep = -(-n // 4) * 4, -(-k // bk) * bk
    a, b, c = np.zeros((m, deep), np.float32), np.zeros((deep, wide), np.float32), poison(m, wide)
    a[:, :k], b[:k, :n] = draw(m, k), draw(k, n, seed=4)
    grid, block = (-(-n // bn), -(-m // bm)), bm // tm * (bn // tn)
    lockstep.run(kernels.gemm(*tile), grid, block, a, b, c, m, wide, deep, seed=seed, race=race)
    return a, b, c


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("tile", "m", "n", "k"),
    [((16, 16, 4, 4, 4), 33, 29, 9), ((32, 32, 4, 4, 8), 5, 70, 8), ((32, 32, 8, 4, 4), 32, 32, 24)],
)
def test_a_tiled_product_with_vector_loads_and_two_buffers(tile: tuple[int, ...], m: int, n: int, k: int, seed: int) -> None:
    a, b, c = product(tile, m, n, k, seed)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    assert np.all(np.abs(c - wide_a @ wide_b) <= FLOAT32 * (np.abs(wide_a) @ np.abs(wide_b)))


def test_the_log_of_races_changes_no_bit() -> None:
    with_log, without = (product((16, 16, 4, 4, 4), 17, 12, 9, 0, race)[2] for race in (True, False))
    assert with_log.tobytes() == without.tobytes()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 40, 95, 160])
def test_running_sums_by_shuffles(n: int, seed: int) -> None:
    x, out = draw(n), poison(n)
    lockstep.run(kernels.scan, 1, 160, x, out, n, seed=seed)
    assert np.all(np.abs(out - np.cumsum(x, dtype=np.float64)) <= FLOAT32 * np.cumsum(np.abs(x), dtype=np.float64))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 47, 101])
def test_a_sum_in_two_phases_of_a_cooperative_grid(n: int, seed: int) -> None:
    x, partial, out = draw(n, dtype=np.float64), poison(3, dtype=np.float64), poison(1, dtype=np.float64)
    report = lockstep.run(kernels.grid_sum, 3, 16, x, partial, out, n, seed=seed)
    assert abs(out[0] - x.sum()) <= 1e-13 * np.abs(x).sum()
    assert report.passed == {"syncthreads": 3, "sync": 1}


def loss_of(p: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    w, v, b, c = p[:8].reshape(4, 2), p[8:12], p[12:16], p[16]
    return float(np.mean((np.tanh(x @ w.T + b) @ v + c - y) ** 2) / 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_persistent_training_loop_agrees_with_numerical_differentiation(seed: int) -> None:
    """Central differences at h = 1e-5 err by about h²f‴/6 + 1e-16/h, below 1e-10; three steps of 0.1 keep that size."""
    x, y, start = draw(5, 2, dtype=np.float64), draw(5, dtype=np.float64, seed=4), draw(17, dtype=np.float64, seed=5)
    want, losses_wanted = start.copy(), []
    for _ in range(3):
        losses_wanted.append(loss_of(want, x, y))
        slopes = [(loss_of(want + h, x, y) - loss_of(want - h, x, y)) / 2e-5 for h in 1e-5 * np.eye(17)]
        want = want - 0.1 * np.array(slopes)
    params, losses = start.copy(), poison(3, dtype=np.float64)
    lockstep.run(kernels.training(kernels.float64, 2, 4, 5), 1, 7, params, x, y, losses, 0.1, 3, seed=seed)
    assert np.max(np.abs(params - want)) <= 1e-10
    assert np.max(np.abs(losses - losses_wanted)) <= 1e-10
    single = start.astype(np.float32)
    lockstep.run(
        kernels.training(kernels.float32, 2, 4, 5),
        1,
        32,
        single,
        *(v.astype(np.float32) for v in (x, y, losses)),
        np.float32(0.1),
        3,
        seed=seed,
    )
    assert np.max(np.abs(single - want)) <= 2e-6 * np.max(np.abs(want))


def test_the_same_bits_whatever_the_order() -> None:
    x = draw(101, dtype=np.float64)
    given = poison(3, dtype=np.float64), poison(1, dtype=np.float64)
    partial, out = lockstep.same_bits(kernels.grid_sum, 3, 16, x, *given, 101, seeds=range(5))[1:]
    assert np.isnan(given[1]).all() and out[0] == partial.sum()


def test_an_infinity_is_a_value() -> None:
    x, y, out = np.array([3e38, np.inf, np.nan], np.float32), np.array([3e38, -np.inf, 1], np.float32), poison(3)
    lockstep.run(kernels.add, 1, 32, x, y, out, 3)
    assert out[0] == np.inf and np.isnan(out[1:]).all()


def test_views_of_one_buffer_are_one_memory() -> None:
    arena = np.arange(8, dtype=np.float32)
    lockstep.run(kernels.add, 1, 4, arena[:4], arena[:4], arena[4:], 4)
    assert np.array_equal(arena[4:], 2 * np.arange(4))
    with pytest.raises(lockstep.RaceError, match="global array"):
        lockstep.run(kernels.add, 1, 4, arena[:4], arena[:4], arena[1:5], 4)


def test_a_kernel_is_walked_barrier_by_barrier() -> None:
    x, out = np.arange(5, dtype=np.float32), poison(1)
    found = list(lockstep.walk(kernels.tree_sum, 1, 64, x, out, 5))
    assert len(found) == 8 and found[-1].barrier is None and out[0] == 10
    assert found[0].barrier is not None and found[0].barrier.call == "syncthreads" and found[0].block == (0, 0, 0)
    assert np.array_equal(found[0].shared["part"][:6], [0, 1, 2, 3, 4, 0])
    assert found[5].shared["part"][0] == 6 and found[6].shared["part"][0] == 10
    assert np.isnan(found[6].arguments["out"][0]) and found[7].arguments["out"][0] == 10


def test_a_walk_leaves_the_treatment_of_infinities_alone() -> None:
    before = np.geterr()
    for _ in lockstep.walk(kernels.tree_sum, 1, 64, draw(5), poison(1), 5):
        assert np.geterr() == before


def test_what_was_never_written_is_masked() -> None:
    first = next(lockstep.walk(kernels.scan, 1, 64, draw(64), poison(64), 64))
    assert first.shared["totals"].mask.all()
