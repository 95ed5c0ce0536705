"""JAX: steps in one `lax.scan`, and one jitted step; products at the highest precision, parameters donated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cpu import formulas
from benchmarks.cpu.with_jax import LANGUAGE
from benchmarks.cpu.workloads import Workload, data, parameters
from benchmarks.cuda import clock
from benchmarks.cuda.networks import SCANNED, chosen
from benchmarks.cuda.worker import READY, attempt

#: The ways by their names in tables: how many steps of a scan are unrolled, or none for a step by itself.
WAYS = {"jax-scan": 1, "jax-scan-8": 8, "jax-jit": 0}


class Trained:
    """A network with its data on the device."""

    def __init__(self, workload: Workload) -> None:
        self.workload, size = workload, workload.batch
        x, y = data(workload, "float32")
        self.count = len(x) // size
        shaped = (a.reshape(self.count, size, *a.shape[1:]) for a in (x, y))
        self.x, self.y = (jnp.asarray(a if a.dtype.kind == "f" else a.astype(np.int32)) for a in shaped)

    def begin(self) -> Any:
        """Return the first state: parameters, momentum, the place in the ring."""
        p = {name: jnp.asarray(a) for name, a in parameters(self.workload, "float32").items()}
        return p, jax.tree.map(jnp.zeros_like, p), jnp.int32(0)

    def step(self, state: Any, batch: Any) -> Any:
        p, v = state
        value, grads = jax.value_and_grad(lambda p: formulas.loss(LANGUAGE, self.workload, p, *batch))(p)
        v = jax.tree.map(lambda v, g: self.workload.mu * v + g, v, grads)
        return (jax.tree.map(lambda p, v: p - self.workload.lr * v, p, v), v), value

    def way(self, unroll: int) -> tuple[Callable[..., Any], int]:
        """Return a function of state and ring that does some steps and returns their losses, and how many those are."""
        if not unroll:

            @partial(jax.jit, donate_argnums=0)
            def once(state: Any, x: Any, y: Any) -> Any:
                p, v, at = state
                (p, v), value = self.step((p, v), (x[at], y[at]))
                return (p, v, (at + 1) % self.count), value

            return once, 1
        per = min(SCANNED, self.count)
        while self.count % per:
            per -= 1

        @partial(jax.jit, donate_argnums=0)
        def many(state: Any, x: Any, y: Any) -> Any:
            p, v, at = state
            if per < self.count:
                x, y = (jax.lax.dynamic_slice_in_dim(a, at, per) for a in (x, y))
            (p, v), values = jax.lax.scan(self.step, (p, v), (x, y), unroll=min(unroll, per))
            return (p, v, (at + per) % self.count), values

        return many, per


def timed(name: str, ways: list[str], effort: dict[str, Any], device: str = "cuda", dry: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield for each way its first losses and, when it is its turn, its times."""
    jax.config.update("jax_default_matmul_precision", "highest")
    found = jax.devices()[0]
    if (found.platform == "cpu") != (device == "cpu"):
        raise RuntimeError(f"JAX computes on {found.platform}")
    trained = Trained(chosen(name, dry))
    made: dict[str, tuple[Callable[..., Any], int]] = {}
    held: dict[str, Any] = {}

    def run(way: str) -> Any:
        held[way], values = made[way][0](held[way], trained.x, trained.y)
        held["values"] = values
        return values

    def begin(way: str) -> dict[str, Any]:
        began = time.perf_counter()
        made[way], held[way] = trained.way(WAYS[way]), trained.begin()
        losses = np.atleast_1d(np.asarray(run(way))).tolist()
        first = time.perf_counter() - began
        while len(losses) < 3:
            losses += np.atleast_1d(np.asarray(run(way))).tolist()
        return {"losses": losses[:3], "first": first}

    for way in ways:
        yield attempt(way, partial(begin, way))
    for way in ways:
        yield READY, None
        if way not in held:
            continue
        for _ in range(2):
            run(way)
        span = clock.wall(partial(run, way), lambda: jax.block_until_ready(held))
        times = clock.measured(span, clock.Effort(**effort), made[way][1])
        memory = (found.memory_stats() or {}).get("peak_bytes_in_use")
        yield way, {"times": times, "memory": memory}
