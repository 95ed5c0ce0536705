"""PyTorch: steps in a CUDA graph captured by hand, eager, and compiled; TF32 off, one kernel for the whole update."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.cpu.with_torch import LOSSES
from benchmarks.cpu.workloads import Workload, data, parameters
from benchmarks.cuda import clock
from benchmarks.cuda.networks import STEPS, chosen
from benchmarks.cuda.worker import READY


def strict(torch: Any) -> None:
    """Let products of float32 be products of float32."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")


def events(torch: Any, device: str, run: Callable[[], Any]) -> clock.Span:
    """Return the span between two events of the device; without a device, by the clock of the host."""
    if device == "cpu":
        return clock.wall(run, lambda: None)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def span(runs: int) -> float:
        start.record()
        for _ in range(runs):
            run()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3

    return span


@dataclass
class Stepper:
    """A way to do training steps.

    Attributes:
        run: does ``per`` steps and returns their losses, still on the device.
        per: how many.
    """

    run: Callable[[], list[torch.Tensor]]
    per: int = 1


class Trained:
    """A network with its data on the device; every way starts from the same parameters."""

    def __init__(self, workload: Workload, device: str) -> None:
        self.workload, self.device = workload, device
        self.x, self.y = (torch.from_numpy(a).to(device) for a in data(workload, "float32"))
        self.count = len(self.x) // workload.batch
        self.at = 0
        self.begin()

    def begin(self) -> None:
        """Draw the parameters anew."""
        made = parameters(self.workload, "float32")
        self.p = {name: torch.from_numpy(a).to(self.device).requires_grad_() for name, a in made.items()}
        self.rule = torch.optim.SGD(self.p.values(), lr=self.workload.lr, momentum=self.workload.mu, fused=True)
        self.at = 0

    def batch(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        rows = slice(k * self.workload.batch, (k + 1) * self.workload.batch)
        return self.x[rows], self.y[rows]

    def following(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the next batch of the ring."""
        k, self.at = self.at, (self.at + 1) % self.count
        return self.batch(k)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return LOSSES[self.workload.family](self.workload, self.p, x, y)

    def step(self, x: torch.Tensor, y: torch.Tensor, loss: Callable[..., torch.Tensor]) -> torch.Tensor:
        self.rule.zero_grad(set_to_none=True)
        value = loss(x, y)
        value.backward()
        self.rule.step()
        return value.detach()

    # --- the ways -------------------------------------------------------------------------------------------------------

    def eager(self) -> Stepper:
        """A step as it is usually written."""
        return Stepper(lambda: [self.step(*self.following(), self.loss)])

    def compiled(self) -> Stepper:
        """The loss and its backward pass compiled, with as little overhead as there can be."""
        torch._dynamo.reset()
        loss = torch.compile(self.loss, mode="reduce-overhead", dynamic=False)

        def run() -> list[torch.Tensor]:
            torch.compiler.cudagraph_mark_step_begin()
            return [self.step(*self.following(), loss)]

        return Stepper(run)

    def graph(self) -> Stepper:
        """Many steps in one CUDA graph; where the ring is longer, the next batches are copied to where the graph reads them."""
        per, size = min(STEPS, self.count), self.workload.batch
        x, y = self.x[: per * size].clone(), self.y[: per * size].clone()

        def steps() -> list[torch.Tensor]:
            parts = zip(x.split(size), y.split(size), strict=True)
            return [self.step(*part, self.loss) for part in parts]

        def feed() -> None:
            if self.count > per:
                rows = slice(self.at * size, (self.at + per) * size)
                x.copy_(self.x[rows])
                y.copy_(self.y[rows])
                self.at = (self.at + per) % self.count

        if self.device == "cpu":

            def emulated() -> list[torch.Tensor]:
                feed()
                return steps()

            return Stepper(emulated, per)
        first = {name: a.detach().clone() for name, a in self.p.items()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step(x[:size], y[:size], self.loss)
        torch.cuda.current_stream().wait_stream(side)
        self.rule.zero_grad(set_to_none=True)
        made = torch.cuda.CUDAGraph()
        with torch.cuda.graph(made):
            losses = steps()
        with torch.no_grad():
            for name, a in self.p.items():
                a.copy_(first[name])
                self.rule.state[a]["momentum_buffer"].zero_()

        def replay() -> list[torch.Tensor]:
            feed()
            made.replay()
            return losses

        return Stepper(replay, per)


#: The ways by their names in tables.
WAYS: dict[str, Callable[[Trained], Stepper]] = {
    "torch-graph": Trained.graph,
    "torch-eager": Trained.eager,
    "torch-compile": Trained.compiled,
}


def timed(name: str, way: str, effort: dict[str, Any], device: str = "cuda", dry: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the first losses of a way and, when it is its turn, its times."""
    strict(torch)
    trained = Trained(chosen(name, dry), device)
    began = time.perf_counter()
    stepper = WAYS[way](trained)
    losses = [float(a) for a in stepper.run()]
    first = time.perf_counter() - began
    while len(losses) < 3:
        losses += [float(a) for a in stepper.run()]
    yield way, {"losses": losses[:3], "first": first}
    yield READY, None
    for _ in range(2):
        stepper.run()
    times = clock.measured(events(torch, device, stepper.run), clock.Effort(**effort), stepper.per)
    yield way, {"times": times, "memory": torch.cuda.max_memory_allocated() if device != "cpu" else None}
