"""One judgement of a network by everything there is: the derivation, the numpy target and the cpu text run as plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import callable_of, executed

from symbackprop import pipeline
from symbackprop.emit.render import render
from symbackprop.plan.make import make
from symbackprop.validate.check import check_network
from symbackprop.validate.report import Report


def texts(derivation: Any, kinds: tuple[str, ...] = ("numpy", "cpu"), dtype: str = "float64", batch: int = 8) -> tuple[str, ...]:
    """Return the text of a network's module for each target, from one plan."""
    model = derivation.model
    plan = make(model, derivation, pipeline.Options(kinds[0], dtype, batch, form=model.form), pipeline.inference(model.spec, model.form))
    return tuple(str(render(plan, kind)[0].text) for kind in kinds)


def agreement(net: Any, form: str | None, *, seed: int = 0, batch: int = 3, params: Any = None) -> Report:
    """Check derivation, numpy text and cpu text at one sample; both texts must agree with the interpreter."""
    derivation = pipeline.derive_network(net.spec, target=form)
    model = derivation.model
    programs = [callable_of(executed(text), model.inputs) for text in texts(derivation)]

    def both(params: dict[str, Any], inputs: dict[str, Any], target: Any) -> tuple[float, dict[str, Any]]:
        (first, slow), (second, fast) = (program(params, inputs, target) for program in programs)
        assert abs(first - second) <= 1e-12 * max(1.0, abs(first)), (first, second)
        worst = max((float(np.max(np.abs(slow[name] - fast[name]), initial=0.0)), name) for name in slow)
        largest = max(float(np.max(np.abs(g), initial=0.0)) for g in slow.values())
        assert worst[0] <= 1e-12 * max(1.0, largest), worst
        return second, fast

    return check_network(model, derivation, both, seed=seed, batch=batch, params=params)
