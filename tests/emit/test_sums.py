"""The sum of what lies side by side, beside the exact one."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
import written

from symbackprop.emit.environment import environment

RUNTIME = written.executed(environment().get_template(written.RUNTIME).render(), compiled=True, name="kernels_cpu")
SUM = RUNTIME["sum_of"]
LENGTHS = (0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 100, 127, 128, 1000, 4099)


@numba.njit
def summed(a):
    return SUM(a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_are_at_least_as_exact_as_one_after_the_other(dtype):
    rng = np.random.default_rng(5)
    for length in LENGTHS:
        a = rng.standard_normal(length).astype(dtype)
        exact = math.fsum(map(float, a))
        # Each of `length` additions rounds a partial sum of at most Σ|a| once.
        bound = np.finfo(dtype).eps / 2 * max(1, length) * math.fsum(map(abs, map(float, a)))
        assert abs(float(summed(a)) - exact) <= bound, (length, 5)
        assert abs(float(RUNTIME["plain_sum_of"](a)) - exact) <= bound, (length, 5)


def test_sums_do_not_depend_on_where_the_entries_lie_or_on_axes():
    rng = np.random.default_rng(6)
    a = rng.standard_normal(5 * 7 * 11 + 3).astype("float32")
    found = {start: summed(np.concatenate([np.zeros(start, "float32"), a])[start:]) for start in range(4)}
    assert len(set(found.values())) == 1
    cube = a[3:].reshape(5, 7, 11)
    assert summed(cube) == summed(a[3:])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_through(value):
    for length in LENGTHS[1:]:
        for place in {0, length // 2, length - 1}:
            a = np.ones(length)
            a[place] = value
            assert np.array_equal(summed(a), value, equal_nan=True)


LARGEST = RUNTIME["max_of"]


@numba.njit
def largest(a):
    return LARGEST(a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_entry_wherever_it_lies_and_nan_before_all(dtype):
    rng = np.random.default_rng(7)
    assert largest(np.zeros(0, dtype)) == -np.inf
    for length in LENGTHS[1:]:
        a = rng.standard_normal(length).astype(dtype) - 9
        for place in {0, length // 2, length - 1}:
            for value in (3.0, np.inf, np.nan):
                b = a.copy()
                b[place] = value
                assert np.array_equal(largest(b), value, equal_nan=True), (length, place, value, 7)
        assert largest(a) == a.max() and largest(np.full(length, -np.inf, dtype)) == -np.inf


ROWS = RUNTIME["sum_of_rows"]


@numba.njit
def added(a, b):
    ROWS(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_added_in_order_wherever_the_columns_lie(dtype):
    rng = np.random.default_rng(8)
    for rows in (0, 1, 9, 130):
        for columns in (1, 3, 8, 15, 16, 17, 31, 48, 64, 97, 130):
            wide = rng.standard_normal((rows, columns + 5)).astype(dtype)
            for a in (np.ascontiguousarray(wide[:, 5:]), wide[:, 2 : columns + 2]):
                expected, found = np.full(columns, np.nan, dtype), np.full(columns + 2, 7, dtype)
                RUNTIME["plain_sum_of_rows"](a, expected)
                added(a, found[1:-1])
                # One addition after the other in both, so that the bits agree; nothing beside the columns is written.
                assert found[1:-1].tobytes() == expected.tobytes(), (rows, columns, 8)
                assert found[0] == found[-1] == 7
    wide = np.ones((3, 20), dtype)
    wide[1, 4], wide[2, 18] = np.nan, -np.inf
    found = np.empty(20, dtype)
    added(wide, found)
    assert np.isnan(found[4]) and found[18] == -np.inf and np.isfinite(np.delete(found, [4, 18])).all()
