"""Ours: training steps with a schedule, activations in the epilogue, and products by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

import symbackprop as sbp
from benchmarks.cpu.ours import network
from benchmarks.cpu.workloads import Workload, data, parameters
from benchmarks.cuda import clock, ladder, subjects
from benchmarks.cuda.networks import RING, SCANNED, STEPS, chosen
from benchmarks.cuda.worker import READY, attempt

#: Activations by the names of tables; the last is one's own.
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "gelu": "gelu", "mish": "mish", "own": "z*exp(-z**2/2) + sin(z)/2"}

#: Inputs, units and samples of the layers whose epilogue is measured, both bound by memory. The first one writes 64 times what it reads:
#: four bytes for each value of the activation, the hardest case there is. The second one reads 64 times what it writes.
EPILOGUES = {"": (16, 1024, 65536), ", mostly reading": (1024, 16, 65536)}

#: Sides of the products.
SIDES = (256, 512, 1024, 2048, 4096, 8192)


class Trained:
    """A network's module with its data on the device."""

    def __init__(self, workload: Workload, schedule: str, rung: str) -> None:
        self.workload = workload
        net, rule = network(workload), sbp.Momentum(workload.lr, workload.mu)
        self.made = subjects.opened(net, workload.batch, rung, "float32", schedule, rule)
        module, put = self.made.module, self.made.put
        x, y = data(workload, "float32")
        self.x, self.y = put(x), put(y)
        self.start = net.parameters(parameters(workload, "float32")).astype("float32").buffer
        self.hyper = put(np.array([rule.hyper[name] for name, _ in module.HYPER], np.float64))
        self.grads = put(np.zeros(sum(int(np.prod(shape)) for _, _, shape in module.PARAMETERS), np.float32))
        self.work = put(np.zeros(module.workspace(workload.batch), np.float32))
        self.count = len(y) // workload.batch
        self.parts: dict[int, list[tuple[Any, Any]]] = {}
        self.begin()

    def begin(self) -> None:
        """Draw the parameters anew."""
        self.params = self.made.put(self.start.copy())
        self.state = self.made.put(np.zeros(self.made.module.STATE_SIZE, np.float32))
        self.at = 0

    def following(self, steps: int) -> tuple[Any, Any]:
        """Return the samples of the next steps in the ring; those of several steps are cut once, since a cut takes the host a while."""
        if self.at % steps or self.at + steps > self.count:
            self.at = 0
        self.at += steps
        if steps == 1:
            return self.cut(self.at - 1, 1)
        if steps not in self.parts:
            self.parts[steps] = [self.cut(k * steps, steps) for k in range(self.count // steps)]
        return self.parts[steps][self.at // steps - 1]

    def cut(self, at: int, steps: int) -> tuple[Any, Any]:
        """Return the samples of some steps."""
        rows = slice(at * self.workload.batch, (at + steps) * self.workload.batch)
        return self.x[rows], self.y[rows]

    def step(self) -> float:
        """Do one step and return its loss."""
        x, y = self.following(1)
        return float(self.made.module.train_step(self.params, x, y, self.grads, self.state, self.hyper, self.work))

    def epoch(self, steps: int) -> None:
        """Do some steps in one call, as the samples lie."""
        x, y = self.following(steps)
        empty, size = np.empty(0, np.int64), self.workload.batch
        self.made.module.epoch(self.params, x, y, empty, size, x[:size], y[:size], self.grads, self.state, self.hyper, self.work)

    def graph(self, steps: int) -> Any:
        """Return the launches of some steps, captured in a graph, as a function; ``rung`` of it says how.

        Where the ring is longer, the next batches are copied to where the graph reads them, as for PyTorch's graph.
        """
        runtime, module, size = self.made.runtime, self.made.module, self.workload.batch
        assert runtime is not None
        x, y = (self.made.put(np.zeros((steps * size, *a.shape[1:]), a.dtype)) for a in (self.x, self.y))
        parts = [tuple(runtime.take(a[k * size : (k + 1) * size], a.dtype) for a in (x, y)) for k in range(steps)]
        hyper, table = self.hyper, runtime.zeros(64, "float32")
        history, counter = runtime.zeros(1, "float32"), runtime.zeros(2, "int32")
        params, grads, state, work = (runtime.take(a, "float32") for a in (self.params, self.grads, self.state, self.work))

        def launches() -> None:
            for part in parts:
                module.launch_train_step(*part, params, grads, state, hyper, table, work, history, counter, size)

        captured = runtime.captured(launches)

        def run() -> None:
            if self.count > steps or captured.calls == 0:
                for a, b in zip((x, y), self.following(steps), strict=True):
                    self.made.copy(b, a)
            captured()

        # The first call compiles, the second records.
        for _ in range(2):
            run()
        return run, captured

    def ways(self) -> Iterator[tuple[str, Callable[[], Any], int]]:
        """Yield the ways to do steps: a name, a function, and how many steps it does."""
        steps = min(STEPS, self.count)
        module = self.made.module
        if hasattr(module, "launch_train_step"):
            yield "graph", partial(self.graph, steps), steps
        # What was recorded is replayed for the same memory only, and the runtime keeps some dozens of records.
        steps = self.count // min(32, max(1, self.count // SCANNED))
        yield "epoch", lambda: (lambda: self.epoch(steps), None), steps
        yield "step", lambda: (self.step, None), 1


def timed(name: str, schedule: str, rung: str, effort: dict[str, Any], dry: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the first losses, the time until they were there, and when it is its turn the times of all ways."""
    began = time.perf_counter()
    trained = Trained(chosen(name, dry), schedule, rung)
    written = time.perf_counter() - began
    losses = [trained.step()]
    yield "first", time.perf_counter() - began
    yield "written", written
    yield "plan", trained.made.plan
    losses += [trained.step() for _ in range(2)]
    yield "losses", losses
    trained.begin()
    able: dict[str, tuple[Callable[[], Any], int]] = {}
    for way, make, per in trained.ways():
        key, value = attempt(way, partial(_begun, trained, make))
        if "error" not in value:
            able[way] = value.pop("run"), per
        yield key, value
    held = (trained.x, trained.y, trained.params, trained.grads, trained.state, trained.work)
    yield "memory", sum(int(np.prod(a.shape)) * a.dtype.itemsize for a in held)
    yield READY, None
    for way, (run, per) in able.items():
        yield attempt(way, lambda run=run, per=per: {"times": _times(trained.made, run, effort, per)})  # type: ignore[misc]


def _begun(trained: Trained, make: Callable[[], Any]) -> dict[str, Any]:
    """Return a way that has been run, and how its launches are captured where they are."""
    run, captured = make()
    run()
    trained.made.wait()
    return {"run": run} if captured is None else {"run": run, "captured": captured.rung}


def _times(made: subjects.Opened, run: Callable[[], Any], effort: dict[str, Any], per: int = 1) -> dict[str, Any]:
    run()
    made.wait()
    return clock.measured(subjects.span(made, run), clock.Effort(**effort), per)


def machine_code(name: str, architecture: str) -> Iterator[tuple[str, Any]]:
    """Yield for every kernel of a network how many registers it takes, and what its instructions are."""
    from symbackprop.validate.machine_code import inspected

    workload = chosen(name, dry=False)
    made = subjects.opened(network(workload), workload.batch, ladder.EMULATED, optimizer=sbp.Momentum(workload.lr, workload.mu))
    for kernel in made.module.SIGNATURES:
        for code in inspected(made.module, (architecture,), (kernel,)):
            yield kernel, asdict(code) | {"share": code.share}


def activations(rung: str, effort: dict[str, Any], dry: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the times of layers that are bound by memory, forward and with their gradients, with each activation in the epilogue."""
    rng = np.random.default_rng(5)
    prepared: list[tuple[str, str, subjects.Opened, Callable[[], Any]]] = []
    for kind, (inputs, units, samples) in ({"": (3, 4, 5)} if dry else EPILOGUES).items():
        x, y = (rng.standard_normal((samples, n), np.float32) for n in (inputs, units))
        for name, text in ACTIVATIONS.items():
            key, value = attempt(name, partial(_layer, name, text, rung, x, y, units))
            if isinstance(value, dict):
                yield f"forward{kind}", {key: value}
            else:
                prepared += [(f"{what}{kind}", name, value[0], run) for what, run in value[1].items()]
    yield READY, None
    for what, name, made, run in prepared:
        key, value = attempt(name, lambda made=made, run=run: {"times": _times(made, run, effort)})  # type: ignore[misc]
        yield what, {key: value}


def _layer(
    name: str, text: str, rung: str, x: subjects.Array, y: subjects.Array, units: int
) -> tuple[subjects.Opened, dict[str, Callable[[], Any]]]:
    layer = sbp.Dense(units, activation=sbp.Activation(name, text) if name == "own" else text)
    net = sbp.Sequential([sbp.Input(x.shape[1]), layer], loss="mse", name=f"bench_{name}")
    made = subjects.opened(net, len(x), rung)
    module, samples = made.module, len(x)
    assert made.runtime is not None
    params, there, wanted = (_flat(made, a) for a in (net.init(seed=0).astype("float32").buffer, x, y))
    out, grads = (_flat(made, np.full(size, np.nan, np.float32)) for size in (y.size, units * (x.shape[1] + 1)))
    work = _flat(made, np.zeros(module.workspace(samples), np.float32))

    def forward() -> None:
        module.launch_forward(params, there, out, work, samples)

    def gradient() -> None:
        module.launch_value_and_grad(params, there, wanted, grads, work, samples)

    return made, {"forward": _captured(made, forward), "value and gradient": _captured(made, gradient)}


def _flat(made: subjects.Opened, array: subjects.Array) -> Any:
    """Return an array on the device as kernels take it."""
    assert made.runtime is not None
    return made.runtime.take(made.put(array), array.dtype)


def _captured(made: subjects.Opened, launches: Callable[[], Any]) -> Callable[[], Any]:
    """Return launches in a graph, so that what is short is not a time of the host; the first call compiles, the second records."""
    assert made.runtime is not None
    run: Callable[[], Any] = made.runtime.captured(launches)
    for _ in range(2):
        run()
    return run


def products(rung: str, effort: dict[str, Any], dry: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the times of products of square matrices, as layers without bias and activation compute them."""
    prepared: dict[int, tuple[subjects.Opened, Callable[[], Any], int]] = {}
    for side in (8,) if dry else SIDES:
        key, value = attempt(str(side), partial(_product, side, rung, dry))
        if isinstance(value, dict):
            yield key, value
        else:
            prepared[side] = value
    yield READY, None
    for side, (made, run, per) in prepared.items():
        yield attempt(str(side), lambda made=made, run=run, per=per: {"times": _times(made, run, effort, per)})  # type: ignore[misc]


def _product(side: int, rung: str, dry: bool) -> tuple[subjects.Opened, Callable[[], Any], int]:
    """Return a function that computes products, all sets of factors once, and how many those are."""
    net = sbp.Sequential([sbp.Input(side), sbp.Dense(side, bias=False)], name=f"bench_product_{side}")
    made = subjects.opened(net, side, rung)
    rng = np.random.default_rng(6)
    count = 2 if dry else min(128, max(2, -(-RING // (8 * side * side))))
    sets = [[_flat(made, rng.standard_normal(side * side).astype(np.float32)) for _ in range(2)] for _ in range(count)]
    out, work = _flat(made, np.full(side * side, np.nan, np.float32)), _flat(made, np.zeros(made.module.workspace(side), np.float32))

    def launches() -> None:
        for pair in sets:
            made.module.launch_forward(*pair, out, work, side)

    return made, _captured(made, launches), count
