"""What the card can do: copy, products of matrices by cuBLAS, and what a launch, a graph and a meeting of all blocks cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.cuda import clock, ladder
from benchmarks.cuda.networks import RING
from benchmarks.cuda.worker import attempt

#: Sides of the square matrices of each kind of number.
SIDES = {"float32": (256, 512, 1024, 2048, 4096, 8192), "tf32": (1024, 2048, 4096, 8192), "bf16": (1024, 2048, 4096, 8192)}

#: Blocks that meet, 128 threads each.
MEETING = (8, 32, 132)


def products(effort: dict[str, Any], device: str = "cuda", sides: dict[str, list[int]] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the bytes a second of a copy, and the operations a second of products of matrices, through PyTorch."""
    import torch

    from benchmarks.cuda.with_torch import events, strict

    strict(torch)
    taken = clock.Effort(**effort)

    def copy(numbers: int) -> dict[str, Any]:
        one = torch.randn(numbers, device=device)
        other = torch.empty_like(one)
        times = clock.measured(events(torch, device, lambda: other.copy_(one)), taken)
        return {**times, "rate": 2 * 4 * numbers / times["median"]}

    def product(kind: str, side: int) -> dict[str, Any]:
        number = torch.bfloat16 if kind == "bf16" else torch.float32
        pairs = max(2, math.ceil(RING / (2 * side * side * number.itemsize))) if device != "cpu" else 2
        sets = [tuple(torch.randn(side, side, device=device, dtype=number) for _ in range(2)) for _ in range(min(pairs, 128))]
        out = torch.empty(side, side, device=device, dtype=number)

        def run() -> None:
            for pair in sets:
                torch.mm(*pair, out=out)

        torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
        run()
        made = run
        if device != "cpu":
            # In a graph, so that small products are not those of the host.
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                run()
            made = graph.replay
            made()
        times = clock.measured(events(torch, device, made), taken, len(sets))
        torch.backends.cuda.matmul.allow_tf32 = False
        return {**times, "rate": 2 * side**3 / times["median"]}

    yield attempt("copy", lambda: copy(2**28 if device != "cpu" else 2**16))
    for kind, those in (sides or SIDES).items():
        for side in those:
            yield attempt(f"{kind} {side}", lambda kind=kind, side=side: product(kind, side))  # type: ignore[misc]


def graphs(effort: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the seconds of replaying a CUDA graph of so many tiny kernels, through PyTorch."""
    import torch

    from benchmarks.cuda.with_torch import events

    taken = clock.Effort(**effort)
    one = torch.randn(1024, device="cuda")

    def graph(kernels: int) -> dict[str, Any]:
        one.add_(1e-6)
        torch.cuda.synchronize()
        made = torch.cuda.CUDAGraph()
        with torch.cuda.graph(made):
            for _ in range(kernels):
                one.add_(1e-6)
        made.replay()
        return clock.measured(events(torch, "cuda", made.replay), taken)

    for kernels in (1, 32, 320):
        yield attempt(f"graph of {kernels}", lambda kernels=kernels: graph(kernels))  # type: ignore[misc]


def launches(effort: dict[str, Any], rung: str) -> Iterator[tuple[str, Any]]:
    """Yield the seconds of an empty launch with some arrays and with a pointer, and of a meeting of all blocks."""
    cuda = ladder.climb(rung)
    taken = clock.Effort(**effort)
    arrays = [cuda.to_device(np.random.default_rng(k).standard_normal(64).astype(np.float32)) for k in range(8)]
    bodies = {
        0: lambda: None,
        1: lambda a: None,
        4: lambda a, b, c, d: None,
        8: lambda a, b, c, d, e, f, g, h: None,
    }

    def span(run: Callable[[], Any]) -> clock.Span:
        start, end = (cuda.event(timing=True) for _ in range(2))

        def of(runs: int) -> float:
            start.record()
            for _ in range(runs):
                run()
            end.record()
            end.synchronize()
            return float(cuda.event_elapsed_time(start, end)) / 1e3

        return of

    def launch(count: int) -> dict[str, Any]:
        kernel = cuda.jit(bodies[count])
        there, ready = arrays[:count], None
        kernel[1, 32](*there)
        cuda.synchronize()
        ready = kernel[1, 32]
        return clock.measured(span(lambda: ready(*there)), taken)

    for count in bodies:
        yield attempt(f"launch, {count} arrays", lambda count=count: launch(count))  # type: ignore[misc]

    def meeting(blocks: int) -> dict[str, Any]:
        @cuda.jit("void(int32)")  # type: ignore[untyped-decorator]
        def meet(times: Any) -> None:
            grid = cuda.cg.this_grid()
            for _ in range(times):
                grid.sync()

        few, many = np.int32(100), np.int32(1100)
        for times in (few, many):
            meet[blocks, 128](times)
        cuda.synchronize()
        less, more = (clock.measured(span(lambda times=times: meet[blocks, 128](times)), taken) for times in (few, many))  # type: ignore[misc]
        return {name: (more[name] - less[name]) / (many - few) for name in ("median", "p10", "p90")}

    for blocks in MEETING:
        yield attempt(f"grid sync, {blocks} blocks", lambda blocks=blocks: meeting(blocks))  # type: ignore[misc]

    def pointer() -> dict[str, Any]:
        from numba import types

        kernel = cuda.jit((types.CPointer(types.float32),))(lambda p: None)
        address = np.uint64(arrays[0].__cuda_array_interface__["data"][0])
        kernel[1, 32](address)
        cuda.synchronize()
        return clock.measured(span(lambda: kernel[1, 32](address)), taken)

    # The last, since nobody has tried it: it may take the context with it.
    yield attempt("launch, a pointer", pointer)
