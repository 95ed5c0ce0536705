"""Value and gradient of some networks beside PyTorch eager, interleaved in one run.

    python -m benchmarks.peers            # LeNet, recurrent networks of 50 steps
    python -m benchmarks.peers lenet rnn

Both start from the same parameters; losses and gradients are compared first. Each network's line has the 10 % quantile and the
median of both, in milliseconds of wall time, and the ratio PyTorch / ours of each: above 1, ours is faster. PyTorch keeps its
inputs and parameters as tensors, ours is a bound step on arrays; both use as many threads as they take by default.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import symbackprop as sbp

ROUNDS = 80


def lenet() -> tuple[sbp.Network, int, Callable[[Any], Any]]:
    """LeNet on 28 × 28 images, batch 64."""
    layers = [sbp.Input((1, 28, 28)), sbp.Conv2D(6, 5, padding=2, activation="relu"), sbp.MaxPool2D(2)]
    layers += [sbp.Conv2D(16, 5, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten()]
    layers += [sbp.Dense(120, activation="relu"), sbp.Dense(84, activation="relu"), sbp.Dense(10)]

    def peer(nn: Any) -> Any:
        first = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        return nn.Sequential(*first, nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))

    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="lenet"), 64, peer


def recurrent(layer: Callable[[int], Any], kind: str) -> tuple[sbp.Network, int, Callable[[Any], Any]]:
    """A recurrent layer of 128 units over 50 steps of 64 features, batch 32, and a dense layer on its last state."""
    net = sbp.Sequential([sbp.Input((50, 64)), layer(128), sbp.Dense(10)], loss="softmax_cross_entropy", name=kind.lower())

    def peer(nn: Any) -> Any:
        class Last(nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.states, self.scores = getattr(nn, kind)(64, 128, batch_first=True), nn.Linear(128, 10)

            def forward(self, x: Any) -> Any:
                return self.scores(self.states(x)[0][:, -1])

        return Last()

    return net, 32, peer


NETWORKS = {
    "lenet": lenet,
    "rnn": lambda: recurrent(sbp.SimpleRNN, "RNN"),
    "lstm": lambda: recurrent(sbp.LSTM, "LSTM"),
    "gru": lambda: recurrent(sbp.GRU, "GRU"),
}


def same(model: Any, torch: Any, params: Any) -> None:
    """Copy parameters into PyTorch's module; where it has a second bias and ours has none, that is 0."""
    given = {name.rsplit(".", 1)[0] + "." + name.rsplit(".", 1)[1]: np.asarray(value) for name, value in params.items()}
    values = list(given.items())
    with torch.no_grad():
        for name, p in model.named_parameters():
            fits = next((k for k, (ours, v) in enumerate(values) if v.shape == tuple(p.shape)), None)
            if name.endswith("bias_hh_l0") and not any(ours.endswith(".b_h") for ours, _ in values):
                p.zero_()
                continue
            assert fits is not None, name
            p.copy_(torch.from_numpy(np.array(values.pop(fits)[1])))


def measure(name: str) -> str:
    """Return the line of a network."""
    import torch
    from torch import nn

    net, batch, peer = NETWORKS[name]()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *net.spec.inputs[0].shape)).astype("float32")
    y = rng.integers(0, 10, batch)
    params = net.init(seed=0, dtype="float32")
    step = net.compile(dtype="float32", batch=batch).bind(params, x, y)
    model = peer(nn)
    same(model, torch, params)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)

    def theirs() -> float:
        for p in model.parameters():
            p.grad = None
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        return float(loss.detach())

    ours_loss, their_loss = step(), theirs()
    assert abs(ours_loss - their_loss) < 1e-5 * abs(their_loss), (ours_loss, their_loss)
    first = next(iter(model.parameters())).grad.numpy()
    mine = next(np.asarray(g) for g in step.grads.values() if np.asarray(g).shape == first.shape)
    assert np.abs(first - mine).max() < 1e-4 * np.abs(first).max()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        for who, call in (("ours", step), ("theirs", theirs)):
            began = time.perf_counter()
            call()
            times[who].append(1e3 * (time.perf_counter() - began))
    quick, usual = ({who: float(np.quantile(v, q)) for who, v in times.items()} for q in (0.1, 0.5))
    cells = [f"{v['ours']:9.2f} {v['theirs']:9.2f} {v['theirs'] / v['ours']:7.2f}" for v in (quick, usual)]
    return f"{name:8}" + "   ".join(cells)


def main() -> None:
    """Print the table."""
    names = sys.argv[1:] or list(NETWORKS)
    print(f"{'':8}{'10 %: ours':>9} {'PyTorch':>9} {'ratio':>7}   {'median':>8} {'PyTorch':>9} {'ratio':>7}")
    for name in names:
        print(measure(name), flush=True)


if __name__ == "__main__":
    main()
