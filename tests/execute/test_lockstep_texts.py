"""What a kernel's text may hold besides: device functions, warps, votes, atomics, constants, other names, other types."""

from __future__ import annotations

import lockstep_texts as texts
import numba
import numpy as np
import pytest

from symbackprop.execute import lockstep

X = np.random.default_rng(7).standard_normal(64).astype(np.float32)


def out(n: int = 64, dtype: type = np.float32) -> np.ndarray:
    return np.full(n, -1, dtype)


def test_a_device_function_may_hold_barriers() -> None:
    found = out()
    lockstep.run(texts.maxima, 1, 64, X, found)
    assert np.array_equal(found, np.repeat(X.reshape(2, 32).max(axis=1), 32))


def test_a_warp_barrier_orders_a_warp_and_no_more() -> None:
    found = out()
    lockstep.run(texts.through_a_warp, 1, 64, X, found)
    assert np.array_equal(found, X.reshape(32, 2)[:, ::-1].ravel())
    for seed in range(3):
        with pytest.raises(lockstep.RaceError, match="across_warps"):
            lockstep.run(texts.across_warps, 1, 64, X, found, seed=seed)


def test_two_shared_arrays_on_a_line_are_two_and_noted() -> None:
    found = out(32)
    report = lockstep.run(texts.two_on_a_line, 1, 32, X, found)
    assert not found.any() and report.static_shared == 256
    (note,) = report.notes
    assert note.startswith("two_on_a_line, line ") and "2 shared arrays on one line" in note


def test_votes_count() -> None:
    found = np.zeros(34, np.int64)
    lockstep.run(texts.votes, 1, 32, X, found)
    assert (found[:32] == (X[:32] > 0).sum()).all()
    assert found[33] == sum(1 << i for i in range(32) if X[i] > 0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_atomics_beside_atomics_are_no_race(seed: int) -> None:
    values, counts = np.arange(128, dtype=np.int32) ** 2 % 5, np.zeros(5, np.int32)
    lockstep.run(texts.histogram, 2, 64, values, counts, seed=seed)
    assert np.array_equal(counts, np.bincount(values, minlength=5))


def test_constants_of_the_module_are_read() -> None:
    found = out(3)
    lockstep.run(texts.table, 1, 3, X, found)
    assert np.array_equal(found, texts.WEIGHTS * X[:3] + texts.WEIGHTS)


def test_vector_accesses_may_have_other_names() -> None:
    found = out()
    lockstep.run(lockstep.kernel(texts.renamed, loads=["load"], stores=["store"]), 1, 16, X, found)
    assert np.array_equal(found, X)


def test_dynamic_memory_may_change_its_type_behind_a_barrier() -> None:
    found = out(32)
    lockstep.run(texts.twice_used, 1, 32, X, found, dynamic_shared=256)
    assert np.array_equal(found, X[31::-1])


def test_what_the_text_makes_float64_is_float64() -> None:
    """A float literal or an integer beside a float32 is a product in float64, as a compiler makes it; exp of float64 is float64."""
    found = out(dtype=np.float64)
    lockstep.run(texts.mixed, 1, 64, X, found)
    wide = X.astype(np.float64)
    assert np.array_equal(found, np.array([np.exp(w * 0.5) + np.exp(w) + w * 3 for w in wide]))


def test_types_go_through_functions() -> None:
    found = out(16, np.float64)
    kernel = lockstep.kernel(texts.through_functions, loads=["load"])
    lockstep.run(kernel, 1, 16, X, found)
    a, b, c, d = X.reshape(16, 4).T
    wide = [np.float64(v) for v in a], [np.float64(v) for v in b], [np.tanh(v) for v in a], np.maximum(c, d).astype(np.float64)
    assert found.tolist() == [p / 2 + q * 2 + np.float64(e) * 3 + m * 5 for p, q, e, m in zip(*wide, strict=True)]
    with pytest.raises(lockstep.PrecisionError, match="through_functions"):
        lockstep.run(kernel, 1, 16, X, out(16))
    narrow = out(16)
    lockstep.run(lockstep.kernel(texts.narrow_functions, loads=["load"]), 1, 16, X, narrow)
    assert narrow.tolist() == [p + q for p, q in zip((np.tanh(v) for v in a), np.abs(b) * np.maximum(c, d), strict=True)]


def test_what_a_decorator_made_is_taken_too() -> None:
    found = out(3)
    lockstep.run(numba.njit(texts.table), 1, 3, X, found)
    assert np.array_equal(found, texts.WEIGHTS * X[:3] + texts.WEIGHTS)


def test_the_module_may_have_another_name() -> None:
    found = out(32)
    lockstep.run(texts.by_another_name, 1, 32, X, found)
    assert np.array_equal(found, X[31::-1])


def test_unsigned_integers_wrap_and_int64_is_wide() -> None:
    found = out(5, np.int64)
    lockstep.run(texts.hashed, 1, 5, found)
    assert found.tolist() == [(t * 0x9E3779B97F4A7C15 + 1) % 2**64 >> 32 for t in range(5)]
    lockstep.run(texts.wide, 1, 5, found)
    assert found.tolist() == [(t + 65536) * 65536 for t in range(5)]


def test_grids_have_three_axes_and_arrays_strides() -> None:
    whole = np.full((4, 6, 5), -1, np.int32)
    part = whole[:3, ::2, 1:]
    lockstep.run(texts.three_axes, (2, 1, 2), (2, 3, 2), part)
    x, y, z = np.indices(part.shape)
    assert np.array_equal(part, 100 * x + 10 * y + z)
    assert (whole[3] == -1).all() and (whole[:, 1::2] == -1).all() and (whole[..., 0] == -1).all()
