"""PyTorch: eager, and compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.cpu.step import Made, MissingError, orders
from benchmarks.cpu.workloads import Workload, data, parameters, positions

try:
    import torch
    from torch.nn import functional as F  # noqa: N812
except ImportError as error:
    raise MissingError(f"PyTorch: {error}") from None

_Parameters = Mapping[str, torch.Tensor]


def _layers(workload: Workload, p: _Parameters, a: torch.Tensor, count: int) -> torch.Tensor:
    acts = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda z: z}
    for k in range(1, count + 1):
        a = acts[workload.activation if k < count else workload.last](F.linear(a, p[f"dense_{k}.W"], p[f"dense_{k}.b"]))
    return a


def _dense(workload: Workload, p: _Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    a = _layers(workload, p, x, len(workload.sizes) - 1)
    if workload.loss == "softmax_cross_entropy":
        return F.cross_entropy(a, y)
    if workload.loss == "multiclass_hinge":
        # PyTorch divides by the number of classes; its function is the fast way nevertheless.
        return F.multi_margin_loss(a, y) * workload.sizes[-1]
    return F.mse_loss(a, y) if workload.loss == "mse" else F.mse_loss(a, y, reduction="sum") / (2 * len(x))


def _elementwise(workload: Workload, p: _Parameters, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    a = z * torch.tanh(torch.log(1 + torch.exp(z))) + z / (1 + torch.exp(-z)) + torch.tanh(z) * torch.exp(-(z**2) / 2)
    a = a + z * torch.erf(z / 2**0.5) / 2 + torch.log(1 + torch.exp(-z)) + torch.tanh(z / 2)
    return F.mse_loss(a, y)


def _lenet(workload: Workload, p: _Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    for k, padding in ((1, 2), (2, 0)):
        x = F.max_pool2d(torch.relu(F.conv2d(x, p[f"conv2d_{k}.W"], p[f"conv2d_{k}.b"], padding=padding)), 2)
    return F.cross_entropy(_layers(workload, p, x.flatten(1), 3), y)


def _gru(workload: Workload, p: _Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    e = F.embedding(x, p["embedding_1.E"])
    weights = [p[f"gru_1.{name}"] for name in ("W_x", "W_h", "b_x", "b_h")]
    start = torch.zeros(1, len(x), workload.sizes[2], dtype=e.dtype)
    states, _ = torch.gru(e, start, weights, True, 1, 0.0, True, False, True)
    scores = F.linear(states, p["dense_1.W"], p["dense_1.b"])
    return F.cross_entropy(scores.flatten(0, 1), y.flatten())


def _transformer(workload: Workload, p: _Parameters, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    width, heads = workload.sizes[1:3]

    def norm(k: int, h: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(h, (width,), p[f"layernorm_{k}.gamma"], p[f"layernorm_{k}.beta"])

    def split(a: torch.Tensor) -> torch.Tensor:
        return a.unflatten(2, (heads, width // heads)).transpose(1, 2)

    h = F.embedding(x, p["embedding_1.E"]) + p["positions"]
    inner = norm(1, h)
    q, k, v = (split(F.linear(inner, p[f"attention_1.W_{letter}"])) for letter in "qkv")
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    h = h + F.linear(mixed.transpose(1, 2).flatten(2), p["attention_1.W_o"])
    wide = F.gelu(F.linear(norm(2, h), p["dense_1.W"], p["dense_1.b"]))
    h = h + F.linear(wide, p["dense_2.W"], p["dense_2.b"])
    scores = F.linear(norm(3, h), p["dense_3.W"], p["dense_3.b"])
    return F.cross_entropy(scores.flatten(0, 1), y.flatten())


LOSSES: dict[str, Callable[[Workload, _Parameters, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "dense": _dense,
    "elementwise": _elementwise,
    "lenet": _lenet,
    "gru": _gru,
    "transformer": _transformer,
}


def build(workload: Workload, dtype: str, threads: int, compiled: bool = False) -> Made:
    """Return a workload in eager mode, or with its loss (and so the backward pass) compiled."""
    if compiled and workload.family == "gru":
        raise MissingError("torch.compile runs recurrent layers as eager PyTorch does, unless one has it unroll the steps")
    torch.set_num_threads(threads)
    x, y = (torch.from_numpy(a) for a in data(workload, dtype))
    p = {name: torch.from_numpy(a).requires_grad_() for name, a in parameters(workload, dtype).items()}
    given: dict[str, torch.Tensor] = dict(p)
    if workload.family == "transformer":
        given["positions"] = torch.from_numpy(positions(*workload.sizes[:2]).astype(dtype))
    of = {"x": x.requires_grad_()} if workload.wrt == "inputs" else p

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return LOSSES[workload.family](workload, given, x, y)

    if compiled:
        torch._dynamo.reset()
        loss = torch.compile(loss, dynamic=False)

    def gradient(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for a in of.values():
            a.grad = None
        value = loss(x, y)
        value.backward()
        return value

    if workload.does == "gradient":
        return Made(lambda: gradient(x, y), lambda: {name: a.grad.numpy().copy() for name, a in of.items()})
    rule = torch.optim.SGD(p.values(), lr=workload.lr, momentum=workload.mu, foreach=True)

    def step(x: torch.Tensor, y: torch.Tensor) -> None:
        gradient(x, y)
        rule.step()

    def result() -> dict[str, np.ndarray]:
        return {name: a.detach().numpy().copy() for name, a in p.items()}

    if workload.does == "step":
        return Made(lambda: step(x, y), result)
    order, size = orders(len(x)), workload.batch

    def epoch() -> None:
        for part in torch.from_numpy(order()).split(size):
            step(x[part], y[part])

    return Made(epoch, result)
