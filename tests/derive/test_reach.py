"""What a gradient reads stays in range: a place that is known from one tensor's axis may lie beyond the end of another's."""

from __future__ import annotations

import numpy as np
import sympy

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, InRange, Sum
from symbackprop.algebra.tensor import tensor
from symbackprop.derive.sweep import derive_system


def test_a_shorter_tensor_at_the_same_label_is_not_read_beyond_its_end():
    n, k = Index("n", 3), Index("k", 5)
    lab, P, z = tensor("lab", n, integer=True), tensor("P", k), tensor("z", Index("v", 2))
    f = tensor("f")
    system = System([Equation(f[()], Sum(P[lab[n]] ** 2 * z[lab[n]] * Indicator(z[lab[n]] > 0), n))])
    values = {"lab": np.array([0, 1, 0]), "P": np.arange(1.0, 6.0), "z": np.array([0.5, -1.0])}
    d = derive_system(system, "f", ("P", "z"))
    found = interpret(d.system, values)
    np.testing.assert_allclose(found[d.cotangents["P"]], [2 * 2 * 1.0 * 0.5, 0, 0, 0, 0])
    np.testing.assert_allclose(found[d.cotangents["z"]], [2 * 1.0, 0])


def test_a_label_that_need_not_be_in_range_is_not_taken_to_be_where_a_sum_over_its_axis_is_done():
    """[P = label] [0 ≤ P < 2] holds for labels in range only, which a sum over P would forget."""
    n, i, j = Index("n", 3), Index("i", 3), Index("j", 2)
    lab, x, z, f = tensor("lab", n, integer=True), tensor("x", n, Index("p", 5)), tensor("z", n, j), tensor("f")
    read = z[n, lab[n]] * InRange(lab[n], 2)
    system = System([Equation(z[n, j], Sum(x[n, i + 2 * j] ** 2 / 8, i)), Equation(f[()], Sum(sympy.sin(read), n))])
    values = {"lab": np.array([0, 2, 1]), "x": np.broadcast_to(np.arange(1.0, 6.0), (3, 5))}
    d = derive_system(system, "f", ("x",))
    found = interpret(d.system, values)
    first, last = np.cos((1 + 4 + 9) / 8) / 4, np.cos((9 + 16 + 25) / 8) / 4
    slopes = [[first, 2 * first, 3 * first, 0, 0], [0] * 5, [0, 0, 3 * last, 4 * last, 5 * last]]
    np.testing.assert_allclose(found[d.cotangents["x"]], slopes)
