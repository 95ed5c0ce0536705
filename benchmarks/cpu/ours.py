"""The networks of this package: a bound call on packed parameters, a checked call, and the plain schedule."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import symbackprop as sbp
from benchmarks.cpu.step import Made, MissingError
from benchmarks.cpu.workloads import TEN, VOCABULARY, Arrays, Workload, data, parameters


def network(workload: Workload) -> sbp.Network:
    """Return the declaration of a workload."""
    name = "".join(c if c.isalnum() else "_" for c in f"bench_{workload.family}_{workload.name}")
    return FAMILIES[workload.family](workload, {"loss": workload.loss, "name": name})


def _layers(workload: Workload, units: tuple[int, ...]) -> list[sbp.Layer]:
    kinds = [*[workload.activation] * (len(units) - 1), workload.last]
    return [sbp.Dense(n, activation=None if kind == "identity" else kind) for n, kind in zip(units, kinds, strict=True)]


def _dense(workload: Workload, named: dict[str, Any]) -> sbp.Network:
    return sbp.Sequential([sbp.Input(workload.sizes[0]), *_layers(workload, workload.sizes[1:])], **named)


def _elementwise(workload: Workload, named: dict[str, Any]) -> sbp.Network:
    return sbp.Sequential([sbp.Input(workload.sizes[0]), sbp.Activation("ten", TEN)], **named)


def _lenet(workload: Workload, named: dict[str, Any]) -> sbp.Network:
    first = [sbp.Conv2D(6, 5, padding=2, activation="relu"), sbp.MaxPool2D(2), sbp.Conv2D(16, 5, activation="relu"), sbp.MaxPool2D(2)]
    return sbp.Sequential([sbp.Input((1, 28, 28)), *first, sbp.Flatten(), *_layers(workload, (120, 84, 10))], **named)


def _gru(workload: Workload, named: dict[str, Any]) -> sbp.Network:
    steps, embedding, units = workload.sizes
    layers = [sbp.Embedding(VOCABULARY, embedding), sbp.GRU(units, return_sequences=True), sbp.Dense(VOCABULARY)]
    return sbp.Sequential([sbp.Input(steps, dtype="int64"), *layers], **named)


def _transformer(workload: Workload, named: dict[str, Any]) -> sbp.Network:
    steps, width, heads, hidden = workload.sizes
    tokens = sbp.Input(steps, dtype="int64")
    h = sbp.PositionalEncoding()(sbp.Embedding(VOCABULARY, width)(tokens))
    h = h + sbp.Attention(heads=heads, causal=True)(sbp.LayerNorm()(h))
    h = h + sbp.Dense(width)(sbp.Dense(hidden, activation="gelu")(sbp.LayerNorm()(h)))
    return sbp.Network(inputs=tokens, outputs=sbp.Dense(VOCABULARY)(sbp.LayerNorm()(h)), **named)


#: The declaration of each family.
FAMILIES = {"dense": _dense, "elementwise": _elementwise, "lenet": _lenet, "gru": _gru, "transformer": _transformer}


def build(workload: Workload, dtype: str, threads: int, schedule: str = "auto") -> Made:
    """Return a workload; variant "checked" tests its arguments at every call."""
    net = network(workload)
    x, y = data(workload, dtype)
    if workload.does == "step":
        if schedule != "auto":
            raise MissingError("a written module has one schedule")
        return _step(net, workload, x, y, dtype, threads)
    program = net.compile(dtype=dtype, batch=workload.batch, threads=threads, schedule=schedule)
    params = program.pack(net.parameters(parameters(workload, dtype)).astype(dtype))
    if workload.does == "epoch":
        return _epoch(program, params, workload, x, y)
    if workload.wrt == "inputs":
        out = {"x": np.empty_like(x)}

        def checked() -> Any:
            return program.value_and_grad(params, x, y, wrt="inputs", out=out)

        checked()
        try:
            step = program.bind(params, x, y, wrt="inputs")
        except sbp.DataError:
            return Made(checked, lambda: {"x": out["x"].copy()}, {"checked": checked})
        return Made(step, lambda: {name: np.array(a) for name, a in step.grads.items()}, {"checked": checked})
    step, grads = program.bind(params, x, y), program.value_and_grad(params, x, y)[1]
    checks = {"checked": lambda: program.value_and_grad(params, x, y, out=grads)}
    return Made(step, lambda: {name: np.array(a) for name, a in step.grads.items()}, checks)


def _rule(workload: Workload) -> Any:
    return sbp.Momentum(workload.lr, workload.mu) if workload.mu else sbp.GradientDescent(workload.lr)


def _step(net: sbp.Network, workload: Workload, x: Any, y: Any, dtype: str, threads: int) -> Made:
    """The training step of a written module, as one calls it from one's own program."""
    folder = Path(tempfile.mkdtemp(prefix="symbackprop-bench-"))
    rule = _rule(workload)
    paths = net.generate(folder, targets=("cpu",), dtype=dtype, batch=workload.batch, optimizer=rule)
    module = _imported(next(Path(path) for path in paths if Path(path).stem.endswith(f"{net.spec.name}_cpu")))
    params = net.parameters(parameters(workload, dtype)).astype(dtype)
    sizes = module.STATE_SIZE, module.workspace(workload.batch)
    state, work, grads = np.zeros(sizes[0], dtype), np.zeros(sizes[1], dtype), np.zeros_like(params.flat)
    hyper = np.array([rule.hyper[name] for name, _ in module.HYPER], np.float64)
    arguments = (params.flat, x, y, grads, state, hyper, work)
    _limit(threads)

    def result() -> Arrays:
        return {name: np.array(a) for name, a in params.items()}

    return Made(lambda: module.train_step(*arguments), result)


def _imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    runtime = sys.modules.pop("kernels_cpu", None)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        if runtime is not None:
            sys.modules["kernels_cpu"] = runtime
    return module


def _limit(threads: int) -> None:
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))


#: Epochs of one call of ``fit``.
EPOCHS = 10


def _epoch(program: Any, params: Any, workload: Workload, x: Any, y: Any) -> Made:
    """Epochs through ``fit``, without the accuracy after each of them: the peers do not measure it either."""

    def epochs(count: int, shuffle: bool) -> Any:
        rule = _rule(workload)
        return program.fit(params, x, y, rule, count, workload.batch, shuffle=shuffle, seed=0, progress=False, accuracy=False)

    def result() -> Arrays:
        return {name: np.array(a) for name, a in params.items()}

    return Made(lambda: epochs(EPOCHS, True), result, first=lambda: epochs(1, False), per=EPOCHS)


def first(workload: Workload, threads: int) -> None:
    """Compute one gradient, as a program does that needs one."""
    net = network(workload)
    program = net.compile(batch=workload.batch, threads=threads)
    program.value_and_grad(net.init(seed=0), *data(workload, "float32"))
