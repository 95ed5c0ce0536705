"""JAX: one jitted function, its inputs on the device, parameters donated where they change."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.cpu import formulas
from benchmarks.cpu.step import Made, MissingError, orders
from benchmarks.cpu.workloads import Workload, data, parameters

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise MissingError(f"JAX: {error}") from None


def _scan(step: Any, first: Any, sequence: Any) -> Any:
    def both(h: Any, g: Any) -> Any:
        h = step(h, g)
        return h, h

    return jax.lax.scan(both, first, sequence)[1]


def _convolve(x: Any, W: Any, padding: int) -> Any:
    return jax.lax.conv_general_dilated(x, W, (1, 1), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))


def _pool(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


LANGUAGE = formulas.Language(
    np=jnp,
    logsumexp=lambda z: jax.nn.logsumexp(z, axis=-1),
    erf=jax.scipy.special.erf,
    sigmoid=jax.nn.sigmoid,
    softmax=jax.nn.softmax,
    scan=_scan,
    picked=lambda z, y: jnp.take_along_axis(z, y[..., None], -1)[..., 0],
    convolve=_convolve,
    pool=_pool,
)


def build(workload: Workload, dtype: str, threads: int) -> Made:
    """Return a workload; XLA has as many threads as the process has processors."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    x, y = (jnp.asarray(a if a.dtype.kind == "f" else a.astype(np.int32)) for a in data(workload, dtype))
    p = {name: jnp.asarray(a) for name, a in parameters(workload, dtype).items()}
    held: dict[str, Any] = {}

    def loss(p: Any, x: Any, y: Any) -> Any:
        return formulas.loss(LANGUAGE, workload, p, x, y)

    if workload.does == "gradient":
        gradient = jax.jit(jax.value_and_grad(loss, argnums=1 if workload.wrt == "inputs" else 0))

        def run() -> None:
            held["grads"] = jax.block_until_ready(gradient(p, x, y))[1]

        def result() -> dict[str, np.ndarray]:
            grads = held["grads"]
            return {name: np.asarray(a) for name, a in (grads if isinstance(grads, dict) else {"x": grads}).items()}

        return Made(run, result)
    held["state"] = (p, jax.tree.map(jnp.zeros_like, p))

    def step(state: Any, batch: Any) -> Any:
        p, v = state
        value, grads = jax.value_and_grad(loss)(p, *batch)
        v = jax.tree.map(lambda v, g: workload.mu * v + g, v, grads) if workload.mu else grads
        return (jax.tree.map(lambda p, v: p - workload.lr * v, p, v), v), value

    def parameters_() -> dict[str, np.ndarray]:
        return {name: np.asarray(a) for name, a in held["state"][0].items()}

    if workload.does == "step":
        once = jax.jit(step, donate_argnums=0)

        def run_step() -> None:
            held["state"], value = once(held["state"], (x, y))
            jax.block_until_ready((held["state"], value))

        return Made(run_step, parameters_)
    order, size = orders(len(x)), workload.batch
    whole = len(x) // size * size

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, order: Any) -> Any:
        chosen = order[:whole].reshape(-1, size)
        state, values = jax.lax.scan(lambda state, rows: step(state, (x[rows], y[rows])), state, chosen)
        rest = order[whole:]
        return step(state, (x[rest], y[rest]))[0] if len(x) > whole else state, values

    def run_epoch() -> None:
        held["state"], values = epoch(held["state"], jnp.asarray(order()))
        jax.block_until_ready((held["state"], values))

    return Made(run_epoch, parameters_)
