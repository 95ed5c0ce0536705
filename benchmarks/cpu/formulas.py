"""The loss of every family in the language that JAX, autograd and PyTensor share with NumPy; what differs is an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cpu.workloads import Workload, positions


@dataclass(frozen=True)
class Language:
    """How a peer writes what NumPy lacks, or what it has a better word for.

    Attributes:
        np: its NumPy.
        logsumexp: over the last axis.
        erf: the error function.
        sigmoid: 1/(1 + exp(−z)).
        softmax: over the last axis.
        scan: (step, first state, sequence with time first) -> the states of all steps, time first.
        convolve: images (n, c, h, w), kernels (k, c, u, v), padding -> (n, k, p, q); None if it has no convolution.
        pool: the largest of each 2 × 2 window.
        picked: (scores, labels) -> the score of each label.
    """

    np: Any
    logsumexp: Callable[[Any], Any]
    erf: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    softmax: Callable[[Any], Any]
    scan: Callable[[Callable[[Any, Any], Any], Any, Any], Any]
    picked: Callable[[Any, Any], Any]
    convolve: Callable[[Any, Any, int], Any] | None = None
    pool: Callable[[Any], Any] | None = None


def loss(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """Return the loss of a workload."""
    return FORWARD[workload.family](language, workload, p, x, y)


def _activated(language: Language, name: str, z: Any) -> Any:
    if name == "relu":
        return language.np.maximum(z, 0)
    if name == "tanh":
        return language.np.tanh(z)
    return language.sigmoid(z) if name == "sigmoid" else z


def _entropy(language: Language, z: Any, y: Any) -> Any:
    """Cross-entropy of labels, the mean over all predictions."""
    return (language.logsumexp(z) - language.picked(z, y)).mean()


def _loss_of(language: Language, workload: Workload, a: Any, y: Any) -> Any:
    if workload.loss == "softmax_cross_entropy":
        return _entropy(language, a, y)
    if workload.loss == "multiclass_hinge":
        margins = language.np.maximum(1 + a - language.picked(a, y)[:, None], 0)
        return margins.sum(axis=1).mean() - 1
    squares = (a - y) ** 2
    return squares.mean() if workload.loss == "mse" else squares.sum(axis=1).mean() / 2


def _layers(language: Language, workload: Workload, p: Mapping[str, Any], a: Any, count: int) -> Any:
    for k in range(1, count + 1):
        a = a @ p[f"dense_{k}.W"].T + p[f"dense_{k}.b"]
        a = _activated(language, workload.activation if k < count else workload.last, a)
    return a


def dense(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """Dense layers."""
    return _loss_of(language, workload, _layers(language, workload, p, x, len(workload.sizes) - 1), y)


def ten(language: Language, z: Any) -> Any:
    """The activation of ten transcendental operations, as it is written in `workloads.TEN`."""
    np, erf = language.np, language.erf
    first = z * np.tanh(np.log(1 + np.exp(z))) + z / (1 + np.exp(-z)) + np.tanh(z) * np.exp(-(z**2) / 2)
    return first + z * erf(z / 2**0.5) / 2 + np.log(1 + np.exp(-z)) + np.tanh(z / 2)


def elementwise(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """The activation alone."""
    return ((ten(language, x) - y) ** 2).mean()


def lenet(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """Two convolutions, two pools, three dense layers."""
    np, convolve, pool = language.np, language.convolve, language.pool
    assert convolve is not None and pool is not None
    for k, padding in ((1, 2), (2, 0)):
        x = pool(np.maximum(convolve(x, p[f"conv2d_{k}.W"], padding) + p[f"conv2d_{k}.b"][:, None, None], 0))
    return _entropy(language, _layers(language, workload, p, x.reshape((workload.batch, -1)), 3), y)


def gru(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """An embedding, a GRU, a score for every character at every step."""
    np, units = language.np, workload.sizes[2]
    given = p["embedding_1.E"][x.T] @ p["gru_1.W_x"].T + p["gru_1.b_x"]

    def step(h: Any, g: Any) -> Any:
        q = h @ p["gru_1.W_h"].T + p["gru_1.b_h"]
        r, u = language.sigmoid(g[:, :units] + q[:, :units]), language.sigmoid(g[:, units : 2 * units] + q[:, units : 2 * units])
        new = np.tanh(g[:, 2 * units :] + r * q[:, 2 * units :])
        return new + u * (h - new)

    states = language.scan(step, np.zeros((workload.batch, units), p["gru_1.W_h"].dtype), given)
    return _entropy(language, states @ p["dense_1.W"].T + p["dense_1.b"], y.T)


def transformer(language: Language, workload: Workload, p: Mapping[str, Any], x: Any, y: Any) -> Any:
    """Causal attention and a wide hidden layer, both behind a normalisation and beside the identity."""
    np = language.np
    steps, width, heads, _ = workload.sizes
    size = width // heads

    def normed(k: int, h: Any) -> Any:
        centred = h - h.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return centred / scale * p[f"layernorm_{k}.gamma"] + p[f"layernorm_{k}.beta"]

    def split(a: Any) -> Any:
        return a.reshape((workload.batch, steps, heads, size)).transpose((0, 2, 1, 3))

    dtype = p["embedding_1.E"].dtype
    h = p["embedding_1.E"][x] + positions(steps, width).astype(dtype)
    inner = normed(1, h)
    q, k, v = (split(inner @ p[f"attention_1.W_{letter}"].T) for letter in "qkv")
    later = np.triu(np.ones((steps, steps)), 1)
    scores = np.where(later > 0, -1e30, q @ k.transpose((0, 1, 3, 2)) / size**0.5).astype(dtype)
    mixed = (language.softmax(scores) @ v).transpose((0, 2, 1, 3)).reshape((workload.batch, steps, width))
    h = h + mixed @ p["attention_1.W_o"].T
    wide = normed(2, h) @ p["dense_1.W"].T + p["dense_1.b"]
    h = h + (wide * (1 + language.erf(wide / 2**0.5)) / 2) @ p["dense_2.W"].T + p["dense_2.b"]
    return _entropy(language, normed(3, h) @ p["dense_3.W"].T + p["dense_3.b"], y)


#: The loss of each family.
FORWARD = {"dense": dense, "elementwise": elementwise, "lenet": lenet, "gru": gru, "transformer": transformer}
