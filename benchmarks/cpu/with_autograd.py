"""HIPS autograd: the formulas of the families in its NumPy."""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.cpu import formulas
from benchmarks.cpu.step import Made, MissingError, orders
from benchmarks.cpu.workloads import Array, Arrays, Workload, data, parameters

try:
    import autograd
    import autograd.numpy as np
    from autograd.scipy.special import erf, expit, logsumexp
except ImportError as error:
    raise MissingError(f"autograd: {error}") from None


def _scan(step: Any, first: Any, sequence: Any) -> Any:
    states = []
    for t in range(len(sequence)):
        first = step(first, sequence[t])
        states.append(first)
    return np.stack(states)


def _softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def _picked(z: Any, y: Any) -> Any:
    flat = z.reshape((-1, z.shape[-1]))
    return flat[numpy.arange(y.size), y.ravel()].reshape(y.shape)


LANGUAGE = formulas.Language(np, lambda z: logsumexp(z, axis=-1), erf, expit, _softmax, _scan, _picked)


def build(workload: Workload, dtype: str, threads: int) -> Made:
    """Return a workload."""
    if workload.family == "lenet":
        raise MissingError("autograd has no convolution of its own that is fast enough to be compared")
    x, y = data(workload, dtype)
    p, v, held = parameters(workload, dtype), {}, {}
    if workload.wrt == "inputs":
        of_inputs = autograd.value_and_grad(lambda x: formulas.loss(LANGUAGE, workload, p, x, y))
        return Made(lambda: held.update(x=of_inputs(x)[1]), lambda: {"x": held["x"]})
    gradient = autograd.value_and_grad(lambda p, x, y: formulas.loss(LANGUAGE, workload, p, x, y))
    if workload.does == "gradient":
        return Made(lambda: held.update(gradient(p, x, y)[1]), lambda: dict(held))

    def step(x: Array, y: Array) -> None:
        for name, g in gradient(p, x, y)[1].items():
            if workload.mu:
                v[name] = workload.mu * v[name] + g if name in v else g
                g = v[name]
            p[name] -= workload.lr * g

    def result() -> Arrays:
        return {name: a.copy() for name, a in p.items()}

    if workload.does == "step":
        return Made(lambda: step(x, y), result)
    order, size = orders(len(x)), workload.batch

    def epoch() -> None:
        chosen = order()
        for low in range(0, len(x), size):
            step(x[chosen[low : low + size]], y[chosen[low : low + size]])

    return Made(epoch, result)
