"""What is timed: the networks of the goals, their data in a ring of batches that is larger than the cache, and tiny ones for a dry run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchmarks.cpu.workloads import Workload, operations, shapes

#: Bytes of a ring of batches: twice the second-level cache of the largest card at hand, and some.
RING = 128 * 10**6

#: Steps of one CUDA graph of PyTorch; a ring holds a multiple of it, or fewer.
STEPS = 32

#: Steps of one scan of JAX and of one call of our epoch, where the ring has so many.
SCANNED = 1024


@dataclass(frozen=True)
class Goal:
    """What is aimed at.

    Attributes:
        peer: over ours, as a ratio of times; "" for a time.
        value: the least ratio, or the most seconds of a step.
    """

    peer: str
    value: float


@dataclass(frozen=True)
class Network:
    """A network of the goals.

    Attributes:
        workload: its training step, gradient descent with momentum.
        goals: those stated before anything was measured.
        compiled: whether `torch.compile` is timed too; it takes long to compile.
    """

    workload: Workload
    goals: tuple[Goal, ...]
    compiled: bool = True


def _network(name: str, sizes: tuple[int, ...], batch: int, goals: Iterable[Goal], compiled: bool = True, **options: str) -> Network:
    title = f"{'-'.join(map(str, sizes))}, batch {batch}"
    workload = Workload(name, title, "dense", sizes, batch, does="step", lr=1e-3, mu=0.9, kinks=False, **options)  # type: ignore[arg-type]
    return Network(replace(workload, samples=batch * batches(workload)), tuple(goals), compiled)


def batches(workload: Workload) -> int:
    """Return how many batches the ring of a workload holds."""
    labels = workload.loss == "softmax_cross_entropy"
    numbers = workload.sizes[0] + (1 if labels else workload.sizes[-1])
    least = max(2, math.ceil(RING / (4 * numbers * workload.batch)))
    whole = 1 if least <= STEPS else STEPS if least < 4 * SCANNED else SCANNED
    return math.ceil(least / whole) * whole


_ALL = (
    _network(
        "a",
        (2, 16, 1),
        64,
        (Goal("", 4e-6), Goal("torch-eager", 50), Goal("jax-jit", 20), Goal("torch-graph", 5), Goal("jax-scan", 4)),
        activation="tanh",
        loss="mse",
    ),
    _network(
        "b",
        (16, 64, 64, 1),
        256,
        (Goal("", 12e-6), Goal("torch-eager", 20), Goal("torch-graph", 2.5)),
        activation="tanh",
        loss="mse",
    ),
    _network("c", (64, 64, 64, 64, 64, 64, 16), 16384, (Goal("torch-graph", 2),), False, loss="mse"),
    _network("d", (784, 128, 10), 128, (Goal("", 20e-6), Goal("torch-eager", 10), Goal("torch-graph", 1.5))),
    _network("e", (1024,) * 4, 4096, (Goal("torch-best", 0.9),), loss="mse"),
    _network("f", (4096,) * 4, 8192, (Goal("torch-best", 0.95),), False, loss="mse"),
)

#: The networks of the goals by name.
NETWORKS = {network.workload.name: network for network in _ALL}


def tiny(workload: Workload) -> Workload:
    """Return a workload that an emulator of a GPU can do: few units, odd sizes, two batches of eight.

    A batch is a multiple of four samples, since an array on the device starts at a multiple of 16 bytes.
    """
    sizes = tuple(min(size, 7 - 2 * (k % 2)) for k, size in enumerate(workload.sizes))
    return replace(workload, sizes=sizes, batch=8, samples=16, title=f"{workload.title} (tiny: {'-'.join(map(str, sizes))}, batch 8)")


def chosen(name: str, dry: bool) -> Workload:
    """Return the workload of a name; a tiny one for a dry run."""
    workload = NETWORKS[name].workload
    return tiny(workload) if dry else workload


def flops(workload: Workload) -> int:
    """Return the multiplications and additions of one training step's products."""
    return operations(replace(workload, samples=0))


def moved(workload: Workload) -> int:
    """Return the bytes that one training step moves at least: its batch read, and parameters and momentum read and written."""
    labels = workload.loss == "softmax_cross_entropy"
    return 4 * (workload.batch * (workload.sizes[0] + (1 if labels else workload.sizes[-1])) + 4 * weights(workload))


def weights(workload: Workload) -> int:
    """Return how many parameters a workload has."""
    return sum(math.prod(shape) for shape in shapes(workload).values())
