"""Every formula that the package prints: several networks, every preset, every form, layout and depth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import symbackprop as sbp
from symbackprop.errors import SymbackpropError


@lru_cache(maxsize=1)
def printed() -> tuple[str, ...]:
    """Return the formulas, each once, without the ends of rows."""
    derived = [(network.derive(per="sample"), network.derive()) for network in networks().values()]
    found = [f for preset in sbp.notations() for one, batch in derived for f in formulas_of(one, batch, preset) if f.strip("\\ ")]
    return tuple(dict.fromkeys(f.removesuffix(r" \\") for f in found))


def networks() -> dict[str, sbp.Network]:
    """Networks that together print every construct: each activation kind, losses with max and indicator, branches, symbolic sizes."""
    x = sbp.Input(3)
    h = sbp.Dense(3, activation="tanh")(x)
    f = sbp.Activation("f")
    return {
        "sigmoid": sbp.Sequential([sbp.Input(3), sbp.Dense(4, "tanh"), sbp.Dense(2, "sigmoid")], loss="half_squared_error"),
        "softmax": sbp.Sequential(
            [sbp.Input(4), sbp.Dense(5, "relu"), sbp.Dense(3)], loss="softmax_cross_entropy", regularizer=sbp.ElasticNet(0.1, 0.2)
        ),
        "residual": sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.Concat()(x + h, x * h)), loss="multiclass_hinge"),
        "general": sbp.Sequential(
            [sbp.Input("n_1"), sbp.Dense("n_2", f), sbp.Dense("n_3", f), sbp.Dense("n_4", f)], loss="half_squared_error"
        ),
        "own": sbp.Sequential(
            [sbp.Input(2), sbp.Dense(3, sbp.Activation("bent", "z + (sqrt(z**2 + 1) - 1) / 2")), sbp.Dense(1, "gelu_tanh")], loss="log_cosh"
        ),
    }


def formulas_of(derivation: sbp.Derivation, batch: sbp.Derivation, preset: str) -> Iterator[str]:
    """Everything that a derivation can be asked to print in a notation."""
    for steps in (False, True):
        for form in ("matrix", "index"):
            yield from derivation.latex(notation=preset, form=form, steps=steps).split("\n")
    for derived in (*derivation.error_terms.values(), *derivation.gradients.values()):
        for layout, shapes in (("gradient", True), ("numerator", True), ("denominator", False)):
            yield derived.latex(notation=preset, layout=layout, shapes=shapes)
    for derived in (*batch.error_terms.values(), *batch.gradients.values()):
        yield derived.latex(notation=preset)
    for form in ("matrix", "index"):
        try:
            yield from derivation.recursion.latex(notation=preset, form=form)
        except SymbackpropError:
            assert "n_1" not in str(derivation.system.sizes)


__all__ = ["formulas_of", "networks", "printed"]
