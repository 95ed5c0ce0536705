"""Networks with random values, and what their symbols mean in a notation, for tests that read printed formulas back."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np

import symbackprop as sbp
from symbackprop.derive.matrix import matrix_form
from symbackprop.present.latex import latex_equation
from symbackprop.present.notation import Notation
from symbackprop.present.reader import Bindings, network_bindings

SAMPLES = 5
CHOSEN = 2
#: Sizes are such that no weight matrix is square, with or without a column for the bias: a wrong orientation is an error.
DECLARED: dict[str, Any] = {
    "squared": ([3, (4, "tanh"), (2, "sigmoid")], "half_squared_error"),
    "softmax": ([3, (4, "tanh"), (2, None)], "softmax_cross_entropy"),
    "deep": ([5, (3, "sigmoid"), (6, "tanh"), (4, "softplus"), (2, "sigmoid")], "half_squared_error"),
    "labels": ([3, (4, "sigmoid"), (2, None)], "softmax_cross_entropy"),
    "plain": ([3, (4, "tanh"), (2, None)], "mse"),
}


class Network:
    """A network, derived for a batch and for one sample, with random values of both.

    Attributes:
        batch: the derivation for a batch.
        one: the same for one sample.
    """

    def __init__(self, kind: str) -> None:
        (inputs, *layers), loss = DECLARED[kind]
        dense = [sbp.Dense(n, activation=f) if f else sbp.Dense(n) for n, f in layers]
        self.declared = sbp.Sequential([sbp.Input(inputs), *dense], loss=loss)
        random = np.random.default_rng(7)
        self.batch = self.declared.derive()
        classes = layers[-1][0]
        if kind == "labels":
            target: Any = random.integers(0, classes, size=SAMPLES)
            self.batch = self.batch._fitting({"y": target})
        else:
            rows = random.uniform(0.1, 1.0, size=(SAMPLES, classes))
            target = rows / rows.sum(axis=1, keepdims=True)
        self.one = self.batch._per_sample
        tensors = self.batch.record.tensors
        shapes = {p.name: [int(a.extent) for a in tensors[p.name].axes] for p in self.batch.record.model.parameters}
        weights = {name: random.normal(size=shape) for name, shape in shapes.items()}
        x = random.normal(size=(SAMPLES, inputs))
        self.given = {"batch": {**weights, "x": x, "y": target}, "one": {**weights, "x": x[CHOSEN], "y": target[CHOSEN]}}

    def derivation(self, per: str) -> sbp.Derivation:
        return self.batch if per == "batch" else self.one

    @cached_property
    def values(self) -> dict[str, dict[str, Any]]:
        return {per: self.derivation(per).evaluate(self.given[per]) for per in ("batch", "one")}

    @cached_property
    def each(self) -> list[dict[str, Any]]:
        """The values of one sample after the other."""
        given = self.given["batch"]
        return [self.one.evaluate({**given, "x": given["x"][k], "y": given["y"][k]}) for k in range(SAMPLES)]

    @cache  # noqa: B019 (a handful of networks, kept for the whole run)
    def jacobian(self, per: str, of: str, wrt: str) -> Any:
        return self.derivation(per).jacobian(of, wrt).evaluate(self.given[per])

    def bindings(self, per: str, notation: str | Notation, layout: str = "gradient", **more: Any) -> Bindings:
        return network_bindings(
            self.derivation(per).record.model,
            self.values[per],
            notation,
            layout=layout,
            samples=self.values["batch"] if per == "one" else None,
            jacobian=lambda of, wrt: self.jacobian(per, of, wrt),
            each=(lambda: self.each) if per == "one" else None,
            **more,
        )

    @cached_property
    def forms(self) -> dict[tuple[str, str], list[Any]]:
        """Every equation, forward and backward, in index form and in matrix form."""
        found: dict[tuple[str, str], list[Any]] = {}
        for per in ("batch", "one"):
            equations = self.derivation(per).record.system.equations
            found[per, "index"] = list(equations)
            found[per, "matrix"] = [m for m in map(matrix_form, equations) if m is not None]
        return found

    def printed(self, per: str, notation: str | Notation, form: str, layout: str = "gradient", shapes: bool = False) -> list[str]:
        naming = self.derivation(per).naming
        equations = self.forms[per, form]
        return [latex_equation(e, naming, notation=notation, layout=layout, shapes=shapes and form == "matrix") for e in equations]


@cache
def network(kind: str) -> Network:
    return Network(kind)
