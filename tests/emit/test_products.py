"""Products of matrices and sums over windows of the runtime file, beside their definitions in float64."""

from __future__ import annotations

from types import ModuleType

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
}


@pytest.fixture(scope="module")
def runtime() -> ModuleType:
    made = ModuleType("runtime")
    made.__dict__.update(written.executed(environment().get_template(written.RUNTIME).render(), compiled=True))
    return made


def inside(extent: int, window: int, image: int, rule: tuple[int, int, int]) -> np.ndarray:
    """One where y and u meet at i, else zero."""
    y, u, i = np.ogrid[:extent, :window, :image]
    return (rule[0] * y + rule[1] * u + rule[2] == i).astype(float)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_sums_over_windows_are_those_of_their_definition(runtime: ModuleType, name: str, dtype: str) -> None:
    (m, k, u, v, y, x, n), (high, wide), first, second = WINDOWS[name]
    rng = np.random.default_rng(5)
    kernel, image, result = (rng.normal(size=s).astype(dtype) for s in ((m, k, u, v), (k, high, wide, n), (m, y, x, n)))
    rows, columns = inside(y, u, high, first), inside(x, v, wide, second)
    wanted = {
        "correlate": np.einsum("mkuv,kijn,yui,xvj->myxn", kernel, image, rows, columns, optimize=True),
        "correlate_rows": np.einsum("myxn,kijn,yui,xvj->mkuv", result, image, rows, columns, optimize=True),
        "spread": np.einsum("mkuv,myxn,yui,xvj->kijn", kernel, result, rows, columns, optimize=True),
    }
    given = {"correlate": (kernel, image), "correlate_rows": (result, image), "spread": (kernel, result)}
    limit = {"float32": 2e-5, "float64": 1e-13}[dtype]
    for function, (a, b) in given.items():
        c = np.full(wanted[function].shape, np.nan, dtype)
        getattr(runtime, function)(a, b, c, first, second)
        np.testing.assert_allclose(c, wanted[function], rtol=limit, atol=limit * np.abs(wanted[function]).max(initial=1))
        if function != "spread":
            getattr(runtime, f"add_{function}")(a, b, c, first, second)
            np.testing.assert_allclose(c, 2 * wanted[function], rtol=limit, atol=2 * limit * np.abs(wanted[function]).max(initial=1))
