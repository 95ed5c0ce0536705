"""Tiled products in machine code: no spills, no float64, loads of four numbers, and an inner loop that is arithmetic above all."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sympy

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from device_products import TAKEN, Written, plan, write
from modules import Options
from test_device_products import convolution, n

import symbackprop as sbp
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import indices
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import tensor
from symbackprop.declare.lower import lower
from symbackprop.derive.network import derive_model
from symbackprop.emit.environment import environment
from symbackprop.emit.render import render
from symbackprop.emit.threads.product import page
from symbackprop.errors import CheckError
from symbackprop.plan import make as planner
from symbackprop.plan.device.product import SINGLE
from symbackprop.plan.device.records import Tile
from symbackprop.plan.records import MACHINES
from symbackprop.validate import machine_code
from symbackprop.validate.machine_code import ARCHITECTURES, MachineCode

GOLDEN = Path(__file__).parents[1] / "golden" / "machine_code.json"
RUNTIME = "from kernels_cuda import cuda, device, jit, launch, ld4, multiply_add, opaque, register_tile, sigmoid, st4, store_row"
LARGE, MIDDLE = Tile(128, 128, 8, 8, 8), Tile(64, 64, 16, 4, 4)


@dataclass(frozen=True)
class Case:
    """A kernel to look at: its equations, tile and dtype, how much of its inner loop must be multiply-adds, and for what it is compiled."""

    equations: tuple[Equation, ...]
    tile: Tile
    dtype: str
    share: float
    architectures: tuple[str, ...] = ("sm_90",)


def layer(turned: tuple[bool, bool] = (False, False)) -> tuple[Equation, ...]:
    """a = sigmoid(W x + b), a thousand wide."""
    i, j = indices("i j", 1024, 1024)
    w = tensor("W", j, i) if turned[0] else tensor("W", i, j)
    x = tensor("x", j, n) if turned[1] else tensor("x", n, j)
    a, b = tensor("a", n, i), tensor("b", i)
    product = (w[j, i] if turned[0] else w[i, j]) * (x[j, n] if turned[1] else x[n, j])
    return (Equation(a[n, i], 1 / (1 + sympy.exp(-Sum(product, j) - b[i]))),)


def weights() -> tuple[Equation, ...]:
    i, j = indices("i j", 1024, 1024)
    d, x, g = tensor("d", n, i), tensor("x", n, j), tensor("g", i, j)
    return (Equation(g[i, j], Sum(d[n, i] * x[n, j], n)),)


CASES = {
    "layer": Case(layer(), LARGE, "float32", 0.86, ARCHITECTURES),
    "layer_turned": Case(layer((True, False)), LARGE, "float32", 0.86),
    "weights": Case(weights(), LARGE, "float32", 0.86),
    **{f"layer_{s.tile.rows}_{s.tile.columns}": Case(layer(), s.tile, "float32", 0.68) for s in SINGLE[1:]},
    "layer_double": Case(layer(), MIDDLE, "float64", 0.6),
    "convolution": Case(tuple(convolution("forward")), MIDDLE, "float32", 0.4, ARCHITECTURES),
    "convolution_data": Case(tuple(convolution("data")), MIDDLE, "float32", 0.4),
    "convolution_weights": Case(tuple(convolution("weights")), MIDDLE, "float32", 0.4),
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModuleType]:
    """The kernel of each case as a module of its own, beside the runtime file."""
    folder = tmp_path_factory.mktemp("products")
    (folder / "kernels_cuda.py").write_text(environment().get_template("numba_cuda/kernels_cuda.py.jinja").render())
    sys.path.insert(0, str(folder))
    try:
        return {name: module_of(name, case, folder) for name, case in CASES.items()}
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("kernels_cuda", None)


def module_of(name: str, case: Case, folder: Path) -> ModuleType:
    written: Written = write(plan(case.equations, samples=4096, tile=case.tile, dtype=case.dtype), folder, case.dtype, RUNTIME)
    kernel = written.kernels[0]
    assert kernel is not None
    arguments = page(kernel, frozenset(TAKEN), single=case.dtype == "float32").arguments
    buffers = [f"{case.dtype}[::1]" for _ in dict.fromkeys(kernel.buffers)]
    module = written.module
    setattr(module, name, getattr(module, kernel.name))
    module.SIGNATURES = {name: (*buffers, *("int32" for _ in arguments[len(buffers) :]))}
    module.DTYPE, module.FLOAT64 = case.dtype, ()
    return module  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def codes(require_cuda: None, modules: dict[str, ModuleType]) -> dict[str, tuple[MachineCode, ...]]:
    return {name: machine_code.inspected(module, CASES[name].architectures) for name, module in modules.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_product_keeps_to_the_limits(name, codes, modules):
    machine_code.check(modules[name], codes[name])
    for code in codes[name]:
        assert code.share >= CASES[name].share, machine_code.table(codes[name])
        assert code.lds_128 and not code.hmma
        if not name.startswith("convolution"):
            assert code.ldg_128, machine_code.table(codes[name])


def test_no_kernel_became_worse(codes, update):
    made = [code for name in CASES for code in codes[name]]
    if update:
        GOLDEN.write_text(machine_code.to_json(made))
    machine_code.compare(made, machine_code.from_json(GOLDEN.read_text()))


def perceptron(schedule: str) -> Any:
    """A network with every kind of kernel: products, sweeps, sums by a block, an optimizer; in launches, or as one block."""
    sizes = (64, 96, 10) if schedule == "layered" else (2, 16, 2)
    layers = [sbp.Input(sizes[0]), sbp.Dense(sizes[1], activation="tanh"), sbp.Dense(sizes[2])]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", regularizer=sbp.L2(0.01), name=f"perceptron_{schedule}")


def images(schedule: str) -> Any:
    layers = [sbp.Input((2, 12, 12)), sbp.Conv2D(16, 3, padding="same", activation="relu"), sbp.BatchNorm(), sbp.MaxPool2D(2)]
    return sbp.Sequential([*layers, sbp.Flatten(), sbp.Dense(10)], loss="softmax_cross_entropy", name=f"images_{schedule}")


def recurrent(schedule: str) -> Any:
    """One kernel does most of it: a block goes on with what is made of its row."""
    layers = [sbp.Input((4, 5)), sbp.LSTM(9), sbp.LayerNorm(), sbp.Dense(70)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name=f"recurrent_{schedule}")


@pytest.mark.parametrize(
    ("net", "schedule"),
    [(perceptron, "layered"), (perceptron, "single"), (perceptron, "grid"), (images, "layered"), (recurrent, "layered")],
)
def test_whole_modules_keep_to_the_limits(net, schedule, require_cuda, tmp_path):
    model = lower(net(schedule).spec)
    made = planner.make(model, derive_model(model), Options("float32", 256, schedule, sbp.Adam(0.01)), machine=MACHINES["cuda"])
    for artifact in render(made, "cuda"):
        path = tmp_path / Path(artifact.path).name
        path.write_text(artifact.text)
    found = loaded(f"{net.__name__}_{schedule}_cuda", tmp_path)
    codes = machine_code.inspected(found, ("sm_90",))
    machine_code.check(found, codes)
    assert len(codes) == len(found.SIGNATURES) > 2
    if schedule == "layered":
        assert any(code.lds_128 for code in codes) and any(not code.lds_128 for code in codes), machine_code.table(codes)


def loaded(name: str, folder: Path) -> ModuleType:
    sys.modules.pop("kernels_cuda", None)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("kernels_cuda", None)
        sys.modules.pop(name, None)


SAID = """ptxas info    : Compiling entry function 'k' for 'sm_90'
    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 512 bytes smem
"""
LISTING = """
        /*0000*/                   LDC R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/                   LDS.128 R4, [R2] ;
        /*0020*/              @!P0 LDG.E.128 R8, [R2.64] ;
        /*0030*/                   FFMA R9, R4, R5, R6 ;
        /*0040*/                   FFMA R9, R4, R5, R6 ;
        /*0050*/               @P1 BRA `(.L_x_1) ;
.L_x_2:
        /*0060*/                   F2F.F64.F32 R2, R3 ;
        /*0070*/                   DADD R2, R2, R4 ;
        /*0080*/                   STL [R1], R2 ;
        /*0090*/                   BRA `(.L_x_2) ;
"""


def test_reports_are_read():
    code = machine_code.read("k", "sm_90", SAID, LISTING)
    assert (code.registers, code.shared, code.stack, code.spills) == (40, 512, 16, 12)
    assert (code.ffma, code.lds, code.lds_128, code.ldg_128, code.local, code.float64, code.total) == (2, 1, 1, 1, 1, 2, 10)
    assert (code.loop, code.loop_fma) == (5, 2)
    assert machine_code.from_json(machine_code.to_json([code])) == (code,)
    assert "sm_90" in machine_code.table([code])


def test_a_limit_names_the_kernel(modules):
    module, name = modules["layer"], "layer"
    clean = replace(machine_code.read(name, "sm_90", SAID, LISTING), stack=0, spills=0, local=0, float64=0)
    machine_code.check(module, [clean])
    for field, words in (
        ("spills", "spills"),
        ("stack", "stack"),
        ("local", "local memory"),
        ("float64", "float64"),
        ("shared", "shared memory"),
        ("extremes", "drop NaN"),
        ("arrays", "shared arrays"),
    ):
        with pytest.raises(CheckError, match=f"layer on sm_90.*{words}"):
            machine_code.check(module, [replace(clean, **{field: 10**6})])
    with pytest.raises(CheckError, match="four numbers"):
        machine_code.check(module, [replace(clean, lds_128=0)])
    with pytest.raises(CheckError, match="registers"):
        machine_code.compare([replace(clean, registers=50)], [clean])
    with pytest.raises(CheckError, match="not among"):
        machine_code.compare([clean], [])
