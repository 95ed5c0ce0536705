"""One judgement of a network by everything there is: the derivation, the numpy target and the cpu text run as plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import callable_of, executed

from symbackprop import pipeline
from symbackprop.validate.check import check_network
from symbackprop.validate.report import Report


def text(net: Any, kind: str, form: str | None, dtype: str = "float64", batch: int = 8) -> str:
    """Return the text of a network's module."""
    _, _, artifacts = pipeline.write(net.spec, pipeline.Options(kind, dtype, batch, form=form))
    return str(artifacts[0].text)


def agreement(net: Any, form: str | None, *, seed: int = 0, batch: int = 3, params: Any = None) -> Report:
    """Check derivation, numpy text and cpu text at one sample; both texts must agree with the interpreter."""
    derivation = pipeline.derive_network(net.spec, target=form)
    model = derivation.model
    programs = [callable_of(executed(text(net, kind, form)), model.inputs) for kind in ("numpy", "cpu")]

    def both(params: dict[str, Any], inputs: dict[str, Any], target: Any) -> tuple[float, dict[str, Any]]:
        (first, slow), (second, fast) = (program(params, inputs, target) for program in programs)
        assert abs(first - second) <= 1e-12 * max(1.0, abs(first)), (first, second)
        worst = max((float(np.max(np.abs(slow[name] - fast[name]), initial=0.0)), name) for name in slow)
        largest = max(float(np.max(np.abs(g), initial=0.0)) for g in slow.values())
        assert worst[0] <= 1e-12 * max(1.0, largest), worst
        return second, fast

    return check_network(model, derivation, both, seed=seed, batch=batch, params=params)
