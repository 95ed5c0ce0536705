"""What a gradient reads stays in range: a place that is known from one tensor's axis may lie beyond the end of another's."""

from __future__ import annotations

import numpy as np

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, Sum
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
