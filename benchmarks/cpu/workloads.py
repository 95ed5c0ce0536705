"""What is measured: every workload once, as data that each peer reads; nothing but NumPy is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

#: The activation of workload h: ten transcendental operations as they are written.
TEN = "z*tanh(log(1 + exp(z))) + z/(1 + exp(-z)) + tanh(z)*exp(-z**2/2) + z*erf(z/sqrt(2))/2 + log(1 + exp(-z)) + tanh(z/2)"

#: Characters of the text that `examples/char_rnn.py` and `examples/transformer.py` read.
VOCABULARY = 62


@dataclass(frozen=True)
class Workload:
    """A network, the size of its batch, and what of it is computed.

    Attributes:
        name: as on the command line.
        title: as in tables.
        family: which formulation the peers take: dense, elementwise, lenet, gru, transformer.
        sizes: of the family: units of the layers; (features,); (); (steps, embedding, units); (steps, width, heads, hidden).
        batch: samples of a step.
        activation: of the hidden layers.
        last: of the output layer.
        loss: mse, half_squared_error, softmax_cross_entropy or multiclass_hinge.
        does: "gradient", "step" (one update of the parameters) or "epoch" (shuffled batches through all samples).
        lr: learning rate of a step.
        mu: its momentum; 0 is plain gradient descent.
        samples: of an epoch.
        kinks: whether the data keep away from them.
        least: the ratio best peer / ours that must be reached, None if none is stated.
        aim: the ratio aimed at.
    """

    name: str
    title: str
    family: str
    sizes: tuple[int, ...]
    batch: int
    activation: str = "relu"
    last: str = "identity"
    loss: str = "softmax_cross_entropy"
    does: str = "gradient"
    lr: float = 0.0
    mu: float = 0.0
    samples: int = 0
    kinks: bool = True
    least: float | None = None
    aim: float | None = None

    @property
    def rows(self) -> int:
        """How many samples the data have."""
        return self.samples or self.batch

    @property
    def wrt(self) -> str:
        """What the gradient is of: the parameters, or for an elementwise function its input."""
        return "inputs" if self.family == "elementwise" else "parameters"


def _dense(name: str, title: str, sizes: tuple[int, ...], batch: int, **options: Any) -> Workload:
    return Workload(name, title, "dense", sizes, batch, **options)


_XOR = _dense("a", "XOR 2-2-1, batch 4", (2, 2, 1), 4, activation="sigmoid", last="sigmoid", loss="mse", least=20, aim=40)
_DIGITS = _dense("d", "digits 64-64-10, batch 64", (64, 64, 10), 64, least=3, aim=4)
_MNIST = _dense("e64", "784-128-10, batch 64", (784, 128, 10), 64, least=2)
_LENET = Workload("i", "LeNet 28×28, batch 64", "lenet", (), 64, least=10, aim=20)
_GRU = Workload("rnn", "character RNN, 50 steps, batch 32", "gru", (50, 16, 48), 32, least=1.5, aim=3)
_BLOCK = Workload("block", "transformer block, batch 8 × 64 tokens", "transformer", (64, 32, 4, 128), 8, least=1.5, aim=3)


def _trained(workload: Workload, name: str, lr: float, mu: float = 0.0) -> Workload:
    rule = f"momentum {mu:g}" if mu else "gradient descent"
    return replace(workload, name=name, title=f"{workload.title}, step of {rule}", does="step", lr=lr, mu=mu, least=None, aim=None)


_ALL = (
    _XOR,
    _dense("b", "Mazur 2-2-2, batch 1", (2, 2, 2), 1, activation="sigmoid", last="sigmoid", loss="half_squared_error", least=20, aim=40),
    _dense("c32", "8-32-32-1 tanh, batch 32", (8, 32, 32, 1), 32, activation="tanh", loss="mse", least=6, aim=8),
    _dense("c1024", "8-32-32-1 tanh, batch 1024", (8, 32, 32, 1), 1024, activation="tanh", loss="mse", least=2.7, aim=4),
    _DIGITS,
    _MNIST,
    _dense("e512", "784-128-10, batch 512", (784, 128, 10), 512, least=1.5),
    _dense("f", "784-512-512-512-10, batch 256", (784, 512, 512, 512, 10), 256, least=1.2, aim=1.5),
    _dense("g", "1024-1024-1024-1024, batch 1024", (1024,) * 4, 1024, loss="mse", least=1.0, aim=1.25),
    Workload("h", "ten transcendental operations, 4 M elements", "elementwise", (1024,), 4096, loss="mse", least=15),
    _LENET,
    _dense("j", "hinge 3072-10, batch 256", (3072, 10), 256, loss="multiclass_hinge", least=2, aim=3),
    _dense("k", "10,000 classes 256-10000, batch 64", (256, 10000), 64, least=1.3, aim=2),
    replace(
        _DIGITS,
        name="l",
        title="one epoch of digits, batch 32, momentum",
        batch=32,
        does="epoch",
        lr=0.1,
        mu=0.9,
        samples=1797,
        least=2.4,
        aim=4,
    ),
    _GRU,
    _BLOCK,
    replace(_GRU, name="char_rnn", title="example char_rnn, 32 steps, batch 32", sizes=(32, 16, 48), least=None, aim=None),
    replace(
        _BLOCK,
        name="transformer",
        title="example transformer, batch 16 × 32 tokens",
        sizes=(32, 32, 4, 128),
        batch=16,
        least=None,
        aim=None,
    ),
    _trained(_XOR, "a-sgd", 0.5),
    _trained(_DIGITS, "d-sgd", 0.1),
    _trained(_DIGITS, "d-momentum", 0.1, 0.9),
    _trained(_MNIST, "e64-momentum", 0.1, 0.9),
    _trained(_LENET, "i-momentum", 0.1, 0.9),
)

#: The workloads by name, in the order of tables.
WORKLOADS = {workload.name: workload for workload in _ALL}


# --- parameters and data ------------------------------------------------------------------------------------------------


def shapes(workload: Workload) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by its name, in the order of the layers."""
    if workload.family == "dense":
        return _layers(workload.sizes)
    if workload.family == "lenet":
        convolutions = {"conv2d_1.W": (6, 1, 5, 5), "conv2d_1.b": (6,), "conv2d_2.W": (16, 6, 5, 5), "conv2d_2.b": (16,)}
        return convolutions | _layers((400, 120, 84, 10))
    if workload.family == "gru":
        _, embedding, units = workload.sizes
        gates = {"W_x": (3 * units, embedding), "W_h": (3 * units, units), "b_x": (3 * units,), "b_h": (3 * units,)}
        return {"embedding_1.E": (VOCABULARY, embedding)} | {f"gru_1.{k}": v for k, v in gates.items()} | _layers((units, VOCABULARY))
    if workload.family == "transformer":
        _, width, _, hidden = workload.sizes
        norms = [{f"layernorm_{k}.gamma": (width,), f"layernorm_{k}.beta": (width,)} for k in (1, 2, 3)]
        attention = {f"attention_1.W_{letter}": (width, width) for letter in "qkvo"}
        first, last = _layers((width, hidden, width)), {"dense_3.W": (VOCABULARY, width), "dense_3.b": (VOCABULARY,)}
        return {"embedding_1.E": (VOCABULARY, width)} | norms[0] | attention | norms[1] | first | norms[2] | last
    return {}


def _layers(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for k, (inputs, units) in enumerate(pairwise(sizes), 1):
        found |= {f"dense_{k}.W": (units, inputs), f"dense_{k}.b": (units,)}
    return found


def parameters(workload: Workload, dtype: str) -> Arrays:
    """Return parameters: the same float32 numbers in either type."""
    rng = np.random.default_rng(1)
    made: Arrays = {}
    for name, shape in shapes(workload).items():
        kind = name.rpartition(".")[2]
        if kind == "gamma":
            value = 1 + 0.1 * rng.standard_normal(shape)
        elif kind.startswith(("b", "E")):
            value = (1.0 if kind == "E" else 0.1) * rng.standard_normal(shape)
        else:
            value = rng.standard_normal(shape) * np.sqrt((2 if workload.activation == "relu" else 1) / np.prod(shape[1:]))
        made[name] = value.astype(np.float32).astype(dtype)
    return made


def data(workload: Workload, dtype: str) -> tuple[Array, Array]:
    """Return inputs and targets, the same numbers in either type, no sample nearer than `MARGIN` to a kink.

    Near a kink the gradient jumps, and two right programs may stand on either side of it.
    """
    rng = np.random.default_rng(2)
    x, y = _drawn(workload, rng, workload.rows)
    kinks = KINKS.get(workload.family)
    if kinks is not None and workload.kinks and (workload.activation == "relu" or workload.loss == "multiclass_hinge"):
        params = parameters(workload, "float64")
        for _ in range(100):
            near = np.flatnonzero(kinks(workload, params, x.astype("float64"), y) < MARGIN)
            if not near.size:
                break
            x[near], y[near] = _drawn(workload, rng, near.size)
        else:
            raise AssertionError(f"workload {workload.name}: no data away from the kinks found")
    return (x, y) if x.dtype.kind == "i" else (x.astype(dtype), y.astype(dtype) if y.dtype.kind == "f" else y)


def _drawn(workload: Workload, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    if workload.family in ("gru", "transformer"):
        tokens = rng.integers(0, VOCABULARY, (count, workload.sizes[0] + 1))
        return np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:])
    shape = (1, 28, 28) if workload.family == "lenet" else workload.sizes[:1]
    x = rng.standard_normal((count, *shape)).astype(np.float32)
    if workload.loss in ("mse", "half_squared_error"):
        return x, rng.standard_normal((count, workload.sizes[-1])).astype(np.float32)
    return x, rng.integers(0, 10 if workload.family == "lenet" else workload.sizes[-1], count)


#: The least distance of a value from a kink, about a hundred times what float32 gets wrong there.
MARGIN = 2e-5


def _dense_kinks(workload: Workload, p: Arrays, x: Array, y: Array) -> Array:
    nearest, last = np.full(len(x), np.inf), len(workload.sizes) - 1
    for k in range(1, last + 1):
        x = x @ p[f"dense_{k}.W"].T + p[f"dense_{k}.b"]
        if k < last:
            nearest = np.minimum(nearest, np.abs(x).min(axis=1))
            x = np.maximum(x, 0)
    if workload.loss == "multiclass_hinge":
        gap = np.abs(1 + x - np.take_along_axis(x, y[:, None], 1))
        np.put_along_axis(gap, y[:, None], np.inf, 1)
        nearest = np.minimum(nearest, gap.min(axis=1))
    return nearest


def _lenet_kinks(workload: Workload, p: Arrays, x: Array, y: Array) -> Array:
    nearest = np.full(len(x), np.inf)
    for k, padding in ((1, 2), (2, 0)):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (2, 3))
        z = np.einsum("nchwuv,kcuv->nkhw", windows, p[f"conv2d_{k}.W"], optimize=True) + p[f"conv2d_{k}.b"][:, None, None]
        n, c, h, w = z.shape
        sorted_ = np.sort(np.maximum(z, 0).reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4).reshape(n, c, -1, 4), axis=-1)
        # In a window of zeros no gradient passes, whichever of them is the largest.
        tie = np.where(sorted_[..., 3] > 0, sorted_[..., 3] - sorted_[..., 2], np.inf)
        nearest = np.minimum(nearest, np.minimum(np.abs(z).min(axis=(1, 2, 3)), tie.min(axis=(1, 2))))
        x = sorted_[..., 3].reshape(n, c, h // 2, w // 2)
    return np.minimum(nearest, _dense_kinks(replace(workload, sizes=(400, 120, 84, 10)), p, x.reshape(len(x), -1), y))


#: How near each sample comes to a kink of its family.
KINKS: dict[str, Callable[[Workload, Arrays, Array, Array], Array]] = {"dense": _dense_kinks, "lenet": _lenet_kinks}


def positions(steps: int, width: int) -> Array:
    """Return the sines and cosines that a transformer adds to its embeddings: (steps, width)."""
    angle = np.arange(steps)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(steps, width)


# --- floors -------------------------------------------------------------------------------------------------------------


def operations(workload: Workload) -> int:
    """Return the multiplications and additions of the products of matrices: forward, and the gradients that are asked for."""
    n = workload.rows
    if workload.family == "dense":
        return n * _products(workload.sizes)
    if workload.family == "lenet":
        first, second = 6 * 25 * 28 * 28, 16 * 6 * 25 * 10 * 10
        return n * (2 * 2 * first + 3 * 2 * second + _products((400, 120, 84, 10)) + 2 * 400 * 120)
    if workload.family == "gru":
        steps, embedding, units = workload.sizes
        return 6 * n * steps * (3 * units * (embedding + units) + units * VOCABULARY)
    if workload.family == "transformer":
        steps, width, _, hidden = workload.sizes
        # Of the scores of causal attention half is needed.
        return 6 * n * steps * (4 * width * width + 2 * width * hidden + width * VOCABULARY + 2 * width * (steps + 1) // 2)
    return 0


def _products(sizes: tuple[int, ...]) -> int:
    pairs = list(pairwise(sizes))
    return sum((3 if k else 2) * 2 * inputs * units for k, (inputs, units) in enumerate(pairs))


def moved(workload: Workload) -> int:
    """Return the bytes that must be read or written at least once in float32: data, parameters, gradients or state."""
    weights = sum(int(np.prod(shape)) for shape in shapes(workload).values())
    if workload.family == "elementwise":
        return 4 * 3 * workload.batch * workload.sizes[0]
    # Tokens and their targets are whole numbers of eight bytes.
    inputs = {"dense": workload.sizes[:1], "lenet": (784,)}.get(workload.family, (4 * workload.sizes[0],) if workload.sizes else ())[0]
    kept = {"gradient": 2, "step": 2 + 2 * bool(workload.mu), "epoch": 0}[workload.does]
    return 4 * (workload.rows * inputs + kept * weights)


def chosen(names: Iterable[str]) -> tuple[Workload, ...]:
    """Return workloads by their names; no name is all of them.

    Raises:
        SystemExit: there is no such workload.
    """
    names = tuple(names)
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        raise SystemExit(f"unknown workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    return tuple(WORKLOADS[name] for name in names or WORKLOADS)
