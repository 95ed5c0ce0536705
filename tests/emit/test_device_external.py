"""Schedule "external": products that a library does, in lock-step beside the interpreter and target "cpu"."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

sys.path.insert(0, str(Path(__file__).parent))
import device_modules as modules
from device_measure import TOLERANCE, errors
from device_orders import Orders
from test_device_networks import NETWORKS, SHAPES

import symbackprop as sbp
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Tensor
from symbackprop.execute.lockstep import Lockstep
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device import external, make
from symbackprop.plan.device.make import planned
from symbackprop.plan.device.product import tiled
from symbackprop.plan.device.records import External, Product, Sweep

N = Size("N")
n, i, j, k = Index("n", N), Index("i", 5), Index("j", 3), Index("k", 4)


def pointwise() -> Any:
    """Kernels of one pixel: products of which each sample is one."""
    layers = [sbp.Input((3, 3, 2)), sbp.Conv2D(4, 1, activation="tanh"), sbp.Flatten(), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="external_pointwise")


@lru_cache(maxsize=1)
def derived(name: str) -> modules.Network:
    return modules.network(pointwise() if name == "pointwise" else NETWORKS[name](), "labels")


def outside(name: str, dtype: str, large: float = 1, optimizer: Any = None) -> tuple[Any, Any]:
    """Return a network, and its plan with a cross-over of its own."""
    made = derived(name)
    plan = made.plan(dtype, optimizer=optimizer, schedule="layered")
    return made, replace(plan, device=planned(plan, N, "external", large))


def calls(plan: Any) -> list[External]:
    return [kernel.phase for kernel in plan.device.kernels if isinstance(kernel.phase, External)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*NETWORKS, "pointwise"])
def test_networks_with_every_product_left_to_a_library(name: str, dtype: str, tmp_path: Path, seed: int) -> None:
    made, plan = outside(name, dtype)
    assert plan.device.schedule == "external" and calls(plan)
    lock = modules.Lock(modules.text_of(plan), tmp_path, Orders())
    data = modules.drawn(made, 3, np.random.default_rng([seed, 7]))
    wrong = errors(modules.computed(lock, plan, data, dtype), modules.expected(made, plan, data), dtype)
    assert max(wrong.values()) <= TOLERANCE[dtype], wrong
    assert lock.device.launches["matmul"] >= len(calls(plan))


def test_the_forms_in_which_factors_lie(tmp_path: Path) -> None:
    """Every network has those of its layers: both factors as they are or transposed, and batches of products."""
    found = {(p.left.turned, p.right.turned) for name in ("dense", "attention") for p in calls(outside(name, "float32")[1])}
    assert found == {(False, False), (False, True), (True, False)}
    batched = [p for p in calls(outside("attention", "float32")[1]) if p.batch != 1]
    assert {str(p.batch) for p in batched} == {"2*N"} and all(p.result.step == p.rows * p.columns for p in batched)


A = {"rows": Tensor("A", (n, k)), "turned": Tensor("A", (k, n))}
B = {"rows": Tensor("B", (k, i)), "turned": Tensor("B", (i, k))}


@pytest.mark.parametrize("second", B)
@pytest.mark.parametrize("first", A)
def test_all_four_transpositions(first: str, second: str) -> None:
    left, right = A[first], B[second]
    out = Tensor("C", (n, i))
    body = left[tuple(a for a in left.axes)] * right[tuple(a for a in right.axes)]
    found = tiled([Equation(out[n, i], Sum(body, k))], frozenset({"C"}), {N: 7}, frozenset(), Scratch("ABC"), least=1, large=1)
    assert found is not None and not found.rest
    (part,) = found.parts
    phase = part.phase
    assert isinstance(phase, External)
    assert (phase.left.turned, phase.right.turned) == (first == "turned", second == "turned")
    assert (phase.left.lead, phase.right.lead) == (N if first == "turned" else 4, 4 if second == "turned" else 5)
    assert (phase.rows, phase.columns, phase.terms, phase.batch) == (N, 5, 4, 1)


def test_what_follows_a_product_is_a_kernel_of_its_own() -> None:
    left, right, out = A["rows"], B["rows"], Tensor("C", (n, i))
    equation = Equation(out[n, i], sympy.tanh(2 * Sum(left[n, k] * right[k, i], k)))
    found = tiled([equation], frozenset({"C"}), {N: 7}, frozenset(), Scratch("ABC"), least=1, large=1)
    assert found is not None and [type(p.phase) for p in found.parts] == [External]
    (rest,) = found.rest
    assert rest.tensor.name == "C" and not rest.rhs.has(Sum)


def test_sums_of_few_terms_stay_tiles_of_ours() -> None:
    left, right, out = A["rows"], B["rows"], Tensor("C", (n, i))
    equation = Equation(out[n, i], Sum(left[n, k] * right[k, i], k))
    mean = (7 * 5 * 4) ** (1 / 3)
    for large, outside_ in ((mean - 0.01, True), (mean + 0.01, False)):
        found = tiled([equation], frozenset({"C"}), {N: 7}, frozenset(), Scratch("ABC"), least=1, large=large)
        assert found is not None and isinstance(found.parts[0].phase, External) == outside_


def test_factors_that_are_no_matrices_are_copied_if_a_copy_is_no_larger() -> None:
    window, right = Tensor("A", (n, Index("t", 9))), Tensor("B", (k, j))
    overlapping = Equation(Tensor("C", (n, i, j))[n, i, j], Sum(window[n, i + k] * right[k, j], k))
    apart = Equation(Tensor("C", (n, j))[n, j], Sum(window[n, 2 * k] * right[k, j], k))
    for e, kinds in ((overlapping, [Product]), (apart, [Sweep, External])):
        found = tiled([e], frozenset({"C"}), {N: 7}, frozenset(), Scratch("ABC"), least=1, large=1)
        assert found is not None and [type(part.phase) for part in found.parts] == kinds, e
    # Heads side by side are another order of what attention has: the projections behind it read a copy.
    plan = outside("attention", "float32")[1]
    copied = [kernel for kernel in plan.device.kernels if kernel.reason.startswith("copies a factor")]
    assert copied and not any(isinstance(kernel.phase, Product) for kernel in plan.device.kernels)


def test_no_product_is_large_enough() -> None:
    net = NETWORKS["dense"]()
    program = net.compile(target="cuda", device="lockstep", batch=4, schedule="external")
    plan = str(program.plan)
    assert "schedule layered" in plan and "geometric mean of 2,048 or more" in plan
    assert "matmul" not in program.source


def test_the_shipped_number_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int) -> None:
    assert external.cross_over() == 2048
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(make, "cross_over", lambda: 1)
    net = NETWORKS["dense"]()
    there = net.compile(target="cuda", dtype="float64", device="lockstep", batch=3, schedule="external")
    plan = str(there.plan)
    assert "schedule external: 10 products are calls of cuBLAS" in plan and "a product by cuBLAS" in plan
    assert 'SCHEDULE = "external"' in there.source and "# sums[n, i] = Σ_j W[i, j] x[n, j]" in there.source
    here = net.compile(target="cpu", dtype="float64")
    params = net.init(seed=1, dtype="float64")
    rng = np.random.default_rng([seed, 8])
    x, y = rng.normal(size=(3, *SHAPES["dense"])), rng.integers(0, 3, 3)
    (value, grads), (wanted, slopes) = there.value_and_grad(params, x, y), here.value_and_grad(params, x, y)
    assert value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(grads.flat, slopes.flat, rtol=1e-10, atol=1e-13)


def test_training_goes_on_in_one_call(tmp_path: Path, seed: int) -> None:
    results = []
    for large in (1, 10**9):
        made, plan = outside("dense", "float64", large, sbp.Adam(0.01))
        space = modules.Lock(modules.text_of(plan), tmp_path / str(large), Lockstep(race=False)).space
        assert space["SCHEDULE"] == ("external" if large == 1 else "layered")
        data = modules.drawn(made, 7, np.random.default_rng([seed, 10]))
        params, state = data.params.copy(), np.zeros(space["STATE_SIZE"])
        hyper = np.array([value for _, value in space["HYPER"]])
        (x,), y = data.arrays, data.y
        order = np.array([3, 1, 4, 0, 6, 5, 2])
        given = (params, x, y, order, 3, np.zeros_like(x[:3]), np.zeros_like(y[:3]), np.zeros_like(params), state, hyper)
        results.append((space["epoch"](*given), params))
    (first, one), (second, other) = results
    assert first[0] == pytest.approx(second[0], rel=1e-12) and np.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_matrices_that_lie_outside_are_an_error() -> None:
    device = Lockstep()
    a = device.memory(12, np.dtype("float32"))
    with pytest.raises(sbp.SymbackpropError, match="matmul"):
        device.matmul((a, a, a), (3, 4, 2, 1), [(0, 2, False, 0), (0, 4, False, 0), (1, 4, False, 0)], "strict")


@pytest.mark.parametrize("math", ["strict", "tf32", "fast"])
def test_less_exact_arithmetic_only_where_it_is_asked_for(math: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(make, "cross_over", lambda: 1)
    program = NETWORKS["dense"]().compile(target="cuda", device="lockstep", batch=2, schedule="external", math=math)
    params = NETWORKS["dense"]().init(seed=1)
    asked: list[str] = []
    there = Lockstep.matmul

    def seen(self: Lockstep, *given: Any) -> None:
        asked.append(given[-1])
        there(self, *given)

    monkeypatch.setattr(Lockstep, "matmul", seen)
    program.value_and_grad(params, np.ones((2, 6), "float32"), np.array([0, 2]))
    source = program.source
    assert set(asked) == {math}
    assert ("@jit(fastmath=True)\ndef dense" in source) == (math == "fast")
    assert (f'MATH = "{math}"' in source) == (math != "strict") and ("MATH" in source) == (math != "strict")
    assert (f"math {math}: cuBLAS rounds" in str(program.plan)) == (math != "strict")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": "cuda", "math": "loose"}, "unknown math"),
        ({"target": "cpu", "math": "fast"}, "is for target 'cuda' in float32"),
        ({"target": "cuda", "dtype": "float64", "math": "tf32"}, "is for target 'cuda' in float32"),
    ],
)
def test_less_exact_arithmetic_is_for_float32_on_a_device(given: dict[str, str], said: str) -> None:
    with pytest.raises(sbp.DeclarationError, match=said):
        NETWORKS["dense"]().compile(**given)
