"""Random networks, small and valid, the same for the same seed: what the sweeps over all stages are run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import symbackprop as sbp

#: Activations for hidden layers; the exponential at most once in a network, since a chain of them overflows.
ACTIVATIONS = (
    "identity sigmoid tanh relu leaky_relu elu selu celu softplus softsign silu mish gelu gelu_tanh "
    "hard_sigmoid hard_tanh relu6 log_sigmoid softmax log_softmax exponential"
).split()

#: Loss -> (activation that brings the output into its domain, the targets that it takes).
LOSSES = {
    "mse": (None, "real"),
    "mae": (None, "real"),
    "huber": (None, "real"),
    "log_cosh": (None, "real"),
    "binary_cross_entropy": ("sigmoid", "binary"),
    "bce_with_logits": (None, "binary"),
    "poisson_nll": (None, "count"),
    "half_squared_error": (None, "real"),
    "cross_entropy": ("softmax", "class"),
    "softmax_cross_entropy": (None, "class"),
    "kl_divergence": ("softmax", "distribution"),
    "multiclass_hinge": (None, "label"),
    "squared_hinge": (None, "hinge"),
}

#: Activations whose values lie in (0, 1), and those that are positive: what losses on probabilities can be put on.
IN_UNIT = ("sigmoid", "softmax", "hard_sigmoid")
POSITIVE = (*IN_UNIT, "softplus", "exponential")
ON_PROBABILITIES = {"binary_cross_entropy": IN_UNIT, "cross_entropy": POSITIVE, "kl_divergence": POSITIVE}

REGULARIZERS = (None, lambda: sbp.L1(0.01), lambda: sbp.L2(0.02), lambda: sbp.ElasticNet(0.01, 0.02))


@dataclass(frozen=True)
class Case:
    """A network with a sample.

    Attributes:
        seed: what it was made from.
        net: the network.
        params: values of its parameters, by name.
        inputs: values of its inputs, by name.
        target: the targets.
        made_of: what was drawn, for messages.
        parts: the entries of the tables that it contains.
    """

    seed: int
    net: Any
    params: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    target: np.ndarray
    made_of: str
    parts: frozenset[str]

    @property
    def form(self) -> str:
        return "labels" if self.target.ndim == 1 else "rows"

    @property
    def values(self) -> dict[str, np.ndarray]:
        return {**self.params, **self.inputs, "y": self.target}

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.made_of}"


def draw_target(kind: str, batch: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return targets of a kind: real numbers, probabilities, counts, labels, ±1."""
    if kind == "label" or (kind == "class" and rng.integers(2)):
        return rng.integers(0, width, size=batch)
    if kind == "hinge":
        return rng.choice([-1.0, 1.0], size=(batch, width)) if rng.integers(2) else rng.integers(0, width, size=batch)
    if kind == "binary":
        return rng.uniform(0.05, 0.95, size=(batch, width))
    if kind == "count":
        return rng.integers(0, 5, size=(batch, width)).astype(float)
    if kind in ("distribution", "class"):
        rows = rng.uniform(0.1, 1, size=(batch, width))
        return rows / rows.sum(axis=1, keepdims=True)
    return rng.standard_normal((batch, width))


def draw_parameters(net: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return random values for all parameters, biases included."""
    shapes = {name: array.shape for name, array in net.init(seed=0, dtype="float64").items()}
    return {name: rng.standard_normal(shape) * (0.4 if len(shape) < 2 else 1 / np.sqrt(shape[-1])) for name, shape in shapes.items()}


def case(seed: int) -> Case:
    """Return the random network of a seed: depth 1-6, widths 1-9, one or two inputs, fan-out, sums, products, concatenations."""
    rng = np.random.default_rng([seed, 2024])
    depth, batch = int(rng.integers(1, 7)), int(rng.integers(1, 8))
    words: list[str] = []

    def width() -> int:
        return int(rng.integers(1, 10))

    def activation_name() -> str:
        name = str(rng.choice(ACTIVATIONS))
        return "tanh" if name == "exponential" and any("exponential" in word for word in words) else name

    nodes = [(sbp.Input(w), w) for w in (width() for _ in range(1 + int(rng.random() < 0.25)))]
    inputs = [node for node, _ in nodes]
    unused = list(range(len(nodes)))
    shared: list[tuple[Any, int, int]] = []
    for level in range(depth):
        # The newest node leads on most of the time, so that depth is reached; older ones give skips and fan-out.
        source = len(nodes) - 1 if rng.random() < 0.7 else int(rng.integers(len(nodes)))
        x, w = nodes[source]
        kind = rng.choice(["dense", "add", "multiply", "concat", "activation", "shared"], p=[0.45, 0.15, 0.12, 0.1, 0.1, 0.08])
        again = [entry for entry in shared if entry[1] == w]
        if level == 0 or (kind == "shared" and not again):
            kind = "dense"
        partners = [source]
        if kind == "dense":
            out = width()
            activation = activation_name()
            layer = sbp.Dense(out, activation=activation, bias=bool(rng.random() < 0.8), trainable=bool(rng.random() < 0.9))
            made, words = layer(x), [*words, f"dense {out} {activation}"]
            shared.append((layer, w, out))
        elif kind == "shared":
            layer, _, out = again[int(rng.integers(len(again)))]
            made, words = layer(x), [*words, f"shared {out}"]
        elif kind == "activation":
            out, activation = w, activation_name()
            made, words = sbp.Activation(activation)(x), [*words, activation]
        elif kind == "concat":
            other = int(rng.integers(len(nodes)))
            out, partners = w + nodes[other][1], [source, other]
            made, words = sbp.Concat()(x, nodes[other][0]), [*words, f"concat {out}"]
        else:
            same = [k for k, (_, v) in enumerate(nodes) if v == w]
            other = same[int(rng.integers(len(same)))]
            out, partners = w, [source, other]
            made = x + nodes[other][0] if kind == "add" else x * nodes[other][0]
            words.append(str(kind))
        unused = [k for k in unused if k not in partners] + [len(nodes)]
        nodes.append((made, out))
    loss = str(rng.choice(sorted(LOSSES)))
    wanted, target_kind = LOSSES[loss]
    ends = [nodes[k] for k in unused]
    joined = ends[0][0] if len(ends) == 1 else sbp.Concat()(*(node for node, _ in ends))
    out = max(2, width()) if target_kind in ("class", "label", "distribution", "hinge") else width()
    reduction = str(rng.choice(["mean", "sum"]))
    regularizer = REGULARIZERS[int(rng.integers(len(REGULARIZERS)))]
    net = sbp.Network(
        inputs=inputs[0] if len(inputs) == 1 else inputs,
        outputs=sbp.Dense(out, activation=wanted)(joined),
        loss=sbp.Loss(loss, reduction=reduction),
        regularizer=None if regularizer is None else regularizer(),
        name=f"random_{seed}",
    )
    names = ["x"] if len(inputs) == 1 else [f"x_{k}" for k in range(1, len(inputs) + 1)]
    data = {name: rng.standard_normal((batch, nodes[k][1])) for k, name in enumerate(names)}
    target = draw_target(target_kind, batch, out, rng)
    penalty = type(net.spec.regularizer).__name__
    parts = {word.split()[-1] for word in words} & set(ACTIVATIONS) | {f"{loss} {reduction}", f"penalty {penalty}"}
    words += [f"{loss} {reduction} of {out}", f"penalty {penalty}", f"batch {batch}"]
    return Case(seed, net, draw_parameters(net, rng), data, target, ", ".join(words), frozenset(parts))


def covering(count: int, among: range) -> tuple[int, ...]:
    """Return seeds whose networks contain, together, as much of the tables as they can; the rest are the first others."""
    parts = {seed: case(seed).parts for seed in among}
    chosen: list[int] = []
    open_parts = frozenset().union(*parts.values())
    while len(chosen) < count:
        best = max((seed for seed in among if seed not in chosen), key=lambda seed: (len(parts[seed] & open_parts), -seed))
        chosen.append(best)
        open_parts -= parts[best]
    return tuple(chosen)
