"""Products of matrices and sums over windows of the runtime file, beside their definitions in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest
import written

from symbackprop.emit.environment import environment

#: (extents of m, k, u, v, y, x, n; extents of the image; first and second): the windows of LeNet, and one of each kind.
WINDOWS = {
    "padded": ((3, 2, 5, 5, 7, 9, 16), (7, 9), (1, 1, -2), (1, 1, -2)),
    "whole": ((5, 3, 5, 5, 6, 7, 19), (10, 11), (1, 1, 0), (1, 1, 0)),
    "back": ((3, 5, 5, 5, 10, 11, 32), (6, 7), (1, -1, 0), (1, -1, 0)),
    "strided": ((4, 2, 3, 3, 4, 5, 33), (8, 9), (2, 1, -1), (2, 1, -1)),
    "dilated": ((2, 3, 3, 3, 9, 8, 7), (9, 8), (1, 2, -2), (1, 2, -2)),
    "line": ((9, 4, 1, 3, 1, 21, 1), (1, 21), (1, 1, 0), (1, 1, -1)),
    "beside": ((2, 1, 2, 3, 4, 4, 5), (3, 3), (1, 1, 4), (1, 1, -2)),
    "tall": ((9, 7, 6, 2, 11, 9, 50), (16, 10), (1, 1, 0), (1, 1, 0)),
    "narrow": ((7, 1, 7, 3, 14, 17, 40), (14, 17), (1, 1, -3), (1, 1, -1)),
    "halved": ((6, 3, 5, 4, 9, 6, 16), (18, 11), (2, 1, -2), (2, 1, -1)),
}


#: (rows, terms, columns) around the heights and widths of tiles and the depth of a panel; nothing at all is among them.
SIZES = [
    *((m, k, n) for m in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 23) for k in (1, 7, 33) for n in (1, 10, 16, 17, 32, 47)),
    *((0, 3, 4), (3, 0, 4), (3, 4, 0), (13, 300, 40), (70, 513, 130), (130, 70, 512), (33, 300, 530), (10, 3072, 33), (27, 2055, 14)),
    *((70, 30, 1024), (600, 20, 130)),
]
#: Products; those of long rows are right for short ones too.
KINDS = ("product", "row_products", "long_row_products")
#: What can be given as a: entries of a matrix by rows or by columns, every other one, with rows that meet in the cache.
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda a: a,
    "columns": lambda a: np.asfortranarray(a),
    "parts": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "meeting": lambda a: padded(a, 1024),
    "meeting columns": lambda a: padded(a.T, 1024).T,
}
#: Vectors of 32 and of 16 bytes: what Numba is told of the processor.
NARROW = {"32": "+avx,+avx2,+fma,+sse4.2", "16": ""}


def padded(a: Any, width: int) -> Any:
    """Return a matrix whose rows are parts of longer ones."""
    whole = np.zeros((a.shape[0], width), a.dtype)
    whole[:, : a.shape[1]] = a
    return whole[:, : a.shape[1]]


@cache
def made() -> ModuleType:
    module = ModuleType("runtime")
    module.__dict__.update(written.executed(environment().get_template(written.RUNTIME).render(), compiled=True))
    return module


@cache
def jitted(name: str) -> Any:
    """Return a product or a sum over windows as a function that Python can call."""
    function = getattr(made(), name)
    if "correlate" in name or "spread" in name:
        return numba.njit(lambda a, b, c, first, second: function(a, b, c, first, second))
    return numba.njit(lambda a, b, c: function(a, b, c))


def multiplied(name: str, a: Any, b: Any, c: Any) -> Any:
    """Return c after a product into it; b is given as the product wants it."""
    jitted(name)(a, np.ascontiguousarray(b.T) if "row" in name else b, c)
    return c


def wrong_products(dtype: str, sizes: Any = SIZES) -> list[Any]:
    """Return the sizes for which a product is not within the bound of its roundings."""
    rng = np.random.default_rng(11)
    found = []
    for m, k, n in sizes:
        a, b, c = (rng.normal(size=s).astype(dtype) for s in ((m, k), (k, n), (m, n)))
        exact = a.astype(float) @ b.astype(float)
        # Each of k additions rounds once; a chain of k of them is off by k units at most, of the sum of magnitudes.
        limit = (k + 2) * np.finfo(dtype).eps * (abs(a).astype(float) @ abs(b).astype(float) + abs(c))
        for name in KINDS:
            for layout in LAYOUTS if m * k * n < 10**4 or m >= 70 else ("rows",):
                given = LAYOUTS[layout](a)
                first = multiplied(name, given, b, np.full((m, n), np.nan, dtype))
                second = multiplied(f"add_{name}", given, b, c.copy())
                if not (np.all(abs(first - exact) <= limit) and np.all(abs(second - c - exact) <= 2 * limit)):
                    found.append((name, layout, m, k, n))
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_are_those_of_their_definition(dtype: str) -> None:
    assert wrong_products(dtype) == []


@pytest.mark.parametrize("width", sorted(NARROW))
def test_products_and_windows_are_right_for_narrow_vectors(width: str) -> None:
    here = Path(__file__).resolve()
    script = (
        f"import test_tiles as t; assert t.made().WIDTH == {width}; sizes = t.SIZES[::7] + t.SIZES[-11:]\n"
        "assert [t.wrong_products(d, sizes) for d in ('float32', 'float64')] == [[], []]\n"
        "[t.check_window(name, 'float32') for name in t.WINDOWS]"
    )
    paths = os.pathsep.join([str(here.parent), str(here.parents[1]), str(here.parents[2])])
    told = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": NARROW[width], "PYTHONPATH": paths}
    if os.uname().machine not in ("x86_64", "AMD64"):
        pytest.skip("the names of features are those of x86")
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **told}, cwd=here.parents[2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KINDS)
def test_an_entry_has_the_same_bits_whatever_is_computed_with_it(name: str, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for m, k, n in ((37, 29, 51), (70, 700, 150)):
        a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
        whole = multiplied(name, a, b, np.empty((m, n), dtype))
        for _ in range(12):
            top, left = rng.integers(m), rng.integers(n)
            part = np.s_[top : rng.integers(top, m) + 1], np.s_[left : rng.integers(left, n) + 1]
            again = multiplied(name, a[part[0]], np.ascontiguousarray(b[:, part[1]]), np.empty_like(whole[part]))
            assert again.tobytes() == np.ascontiguousarray(whole[part]).tobytes()
            if "long" not in name:
                assert multiplied(name, LAYOUTS["columns"](a), b, np.empty((m, n), dtype)).tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_a_number_goes_where_it_belongs(name: str) -> None:
    rng = np.random.default_rng(3)
    for where, value in (((3, 5), np.nan), ((0, 0), np.inf), ((20, 18), -np.inf)):
        a, b = rng.normal(size=(21, 19)), rng.normal(size=(19, 35))
        a[where] = value
        b[where[1], 7] = 0.0  # Inf · 0
        c = multiplied(name, a, b, np.zeros((21, 35)))
        with np.errstate(invalid="ignore"):
            wanted = np.array([[sum(a[m, k] * b[k, n] for k in range(19)) for n in range(35)] for m in range(21)])
        assert np.array_equal(np.isnan(c), np.isnan(wanted)) and np.array_equal(np.isinf(c), np.isinf(wanted))


@pytest.mark.parametrize("name", KINDS)
def test_products_in_float32_are_as_exact_as_plain_loops(name: str) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(40, 900)).astype("float32"), rng.normal(size=(900, 48)).astype("float32")
    exact = a.astype(float) @ b.astype(float)
    fast = abs(multiplied(name, a, b, np.empty((40, 48), "float32")) - exact)
    plain = abs(multiplied(f"plain_{name.removeprefix('long_')}", a, b, np.empty((40, 48), "float32")) - exact)
    assert fast.max() <= 4 * plain.max() and fast.mean() <= 4 * plain.mean()


def inside(extent: int, window: int, image: int, rule: tuple[int, int, int]) -> np.ndarray:
    """One where y and u meet at i, else zero."""
    y, u, i = np.ogrid[:extent, :window, :image]
    return (rule[0] * y + rule[1] * u + rule[2] == i).astype(float)


def check_window(name: str, dtype: str, prefix: str = "") -> None:
    """Compare the three sums over windows with sums over all pairs of places, of which a few belong together."""
    (m, k, u, v, y, x, n), (high, wide), first, second = WINDOWS[name]
    rng = np.random.default_rng(5)
    kernel, image, result = (rng.normal(size=s).astype(dtype) for s in ((m, k, u, v), (k, high, wide, n), (m, y, x, n)))
    rows, columns = inside(y, u, high, first), inside(x, v, wide, second)
    wanted = {
        "correlate": np.einsum("mkuv,kijn,yui,xvj->myxn", kernel, image, rows, columns, optimize=True),
        "correlate_rows": np.einsum("myxn,kijn,yui,xvj->mkuv", result, image, rows, columns, optimize=True),
        "spread": np.einsum("mkuv,myxn,yui,xvj->kijn", kernel, result, rows, columns, optimize=True),
    }
    turned = np.ascontiguousarray(kernel.transpose(1, 0, 3, 2)).transpose(1, 0, 3, 2)
    given = {"correlate": (turned, image), "correlate_rows": (result, image), "spread": (turned, result)}
    limit = {"float32": 2e-5, "float64": 1e-13}[dtype]
    for function, (a, b) in given.items():
        c = np.full(wanted[function].shape, np.nan, dtype)
        largest = np.abs(wanted[function]).max(initial=1)
        jitted(prefix + function)(a, b, c, first, second)
        np.testing.assert_allclose(c, wanted[function], rtol=limit, atol=limit * largest)
        if function != "spread":
            jitted(f"{prefix}add_{function}")(a, b, c, first, second)
            np.testing.assert_allclose(c, 2 * wanted[function], rtol=limit, atol=2 * limit * largest)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_sums_over_windows_are_those_of_their_definition(name: str, dtype: str) -> None:
    check_window(name, dtype)


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_the_plain_loops_over_windows_are_their_definition(name: str) -> None:
    check_window(name, "float64", "plain_")


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_rows_of_a_sum_over_windows_can_be_computed_apart(name: str) -> None:
    (m, k, u, v, y, x, n), (high, wide), first, second = WINDOWS[name]
    rng = np.random.default_rng(6)
    kernel, image, result = (rng.normal(size=s).astype("float32") for s in ((m, k, u, v), (k, high, wide, n), (m, y, x, n)))
    for function, a in (("correlate", kernel), ("correlate_rows", result)):
        whole = np.empty((result if a is kernel else kernel).shape, "float32")
        jitted(function)(a, image, whole, first, second)
        parts = np.empty_like(whole)
        for row in range(m):
            jitted(function)(a[row : row + 1], image, parts[row : row + 1], first, second)
        assert parts.tobytes() == whole.tobytes()


def test_what_is_not_a_number_stays_within_its_windows() -> None:
    kernel, image = np.ones((2, 1, 3, 3)), np.ones((1, 6, 6, 20))
    image[0, 2, 3, 17] = np.nan
    c = np.empty((2, 6, 6, 20))
    jitted("correlate")(kernel, image, c, (1, 1, -1), (1, 1, -1))
    wanted = np.zeros((6, 6, 20), bool)
    wanted[1:4, 2:5, 17] = True
    assert np.array_equal(np.isnan(c), np.stack([wanted, wanted]))
    # Terms outside are left out, not multiplied by zero.
    kernel[:, 0, 0, 0] = np.inf
    image[0, 2, 3, 17] = 1
    jitted("correlate")(kernel, image, c, (1, 1, -1), (1, 1, -1))
    assert np.isfinite(c[:, 0]).all() and np.isinf(c[:, 1:, 1:]).all()
