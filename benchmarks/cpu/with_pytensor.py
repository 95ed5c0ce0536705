"""PyTensor in its Numba mode; parameters are shared variables, inputs are kept by the function."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cpu import formulas
from benchmarks.cpu.step import Made, MissingError, orders
from benchmarks.cpu.workloads import Arrays, Workload, data, parameters

try:
    import pytensor
    import pytensor.tensor as pt
except ImportError as error:
    raise MissingError(f"PyTensor: {error}") from None


def _scan(step: Any, first: Any, sequence: Any) -> Any:
    found = pytensor.scan(lambda g, h: step(h, g), sequences=[sequence], outputs_info=[pt.as_tensor(first)], return_updates=False)
    return found


def _picked(z: Any, y: Any) -> Any:
    flat = z.reshape((-1, z.shape[-1]))
    return flat[pt.arange(flat.shape[0]), y.flatten()].reshape(y.shape)


LANGUAGE = formulas.Language(
    pt, lambda z: pt.logsumexp(z, axis=-1), pt.erf, pt.sigmoid, lambda z: pt.special.softmax(z, axis=-1), _scan, _picked
)


def build(workload: Workload, dtype: str, threads: int) -> Made:
    """Return a workload."""
    if workload.family == "lenet":
        raise MissingError("PyTensor's Numba mode compiles no convolution")
    if workload.family == "gru":
        raise MissingError("PyTensor's Numba mode takes minutes to compile the gradient of a recurrence")
    pytensor.config.floatX = dtype
    given = data(workload, dtype)
    x, y = (pt.tensor(name, dtype=a.dtype.name, shape=a.shape) for name, a in zip("xy", given, strict=True))
    batch = x, y
    if workload.does == "epoch":
        batch = tuple(pt.tensor(f"{name}_", dtype=a.dtype.name, shape=(None, *a.shape[1:])) for name, a in zip("xy", given, strict=True))
    p = {name: pytensor.shared(a, name, shape=a.shape) for name, a in parameters(workload, dtype).items()}
    loss = formulas.loss(LANGUAGE, workload, p, *batch)
    of = {"x": x} if workload.wrt == "inputs" else p
    grads = dict(zip(of, pt.grad(loss, list(of.values())), strict=True))
    held: dict[str, Any] = {}
    if workload.does == "gradient":
        # The function keeps its inputs, and its outputs are its own buffers: nothing is copied at a call.
        inputs = [pytensor.In(v, borrow=True) for v in batch]
        f = pytensor.function(inputs, [pytensor.Out(v, borrow=True) for v in (loss, *grads.values())], mode="NUMBA")
        f.trust_input = True

        def run() -> None:
            held["found"] = f(*given)

        return Made(run, lambda: dict(zip(grads, (np.array(a) for a in held["found"][1:]), strict=True)))
    updates: list[tuple[Any, Any]] = []
    for name, g in grads.items():
        if workload.mu:
            v = pytensor.shared(np.zeros(p[name].get_value(borrow=True).shape, dtype), f"v_{name}")
            updates.append((v, g := np.asarray(workload.mu, dtype) * v + g))
        updates.append((p[name], p[name] - np.asarray(workload.lr, dtype) * g))
    step = pytensor.function([pytensor.In(v, borrow=True) for v in batch], loss, updates=updates, mode="NUMBA")
    step.trust_input = True

    def result() -> Arrays:
        return {name: a.get_value() for name, a in p.items()}

    if workload.does == "step":
        return Made(lambda: step(*given), result)
    order, size = orders(len(given[0])), workload.batch

    def epoch() -> None:
        chosen = order()
        for low in range(0, len(chosen), size):
            step(*(a[chosen[low : low + size]] for a in given))

    return Made(epoch, result)
