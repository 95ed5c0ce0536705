"""What the machine can do at most: multiplications and additions a second, bytes a second, and what a call costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: Independent sums: as many as hide the latency of one of them and fit the registers.
CHAINS = 14

#: Bytes of the three arrays of a triad together.
SIZES = tuple(2**k for k in range(14, 29, 2))


def lanes() -> int:
    """Return how many float32 numbers a vector register of this processor holds."""
    features = binding.get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx") else 4


def _fma_rounds(typing: Any, rounds: Any) -> Any:
    """Run ``rounds`` times one fused multiplication and addition on each of the sums, and return a number made of them."""
    width = lanes()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.FloatType(), width)
        declare: Any = cgutils.get_or_insert_function
        fma = declare(builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{width}f32")
        factor = ir.Constant(vector, [0.999] * width)
        before = builder.block
        loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        count = builder.phi(ir.IntType(64))
        count.add_incoming(ir.Constant(ir.IntType(64), 0), before)
        sums = [builder.phi(vector) for _ in range(CHAINS)]
        for k, s in enumerate(sums):
            s.add_incoming(ir.Constant(vector, [float(k)] * width), before)
            s.add_incoming(builder.call(fma, [s, factor, factor]), loop)
        more = builder.add(count, ir.Constant(ir.IntType(64), 1))
        count.add_incoming(more, loop)
        builder.cbranch(builder.icmp_signed("<", more, arguments[0]), loop, after)
        builder.position_at_end(after)
        total = sums[0]
        for s in sums[1:]:
            total = builder.fadd(total, s)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64), emit


_rounds: Any = intrinsic(_fma_rounds)


def _sums(rounds: int) -> Any:
    return _rounds(rounds)


def _scaled_sums(a: Any, b: Any, c: Any, times: int) -> None:
    for k in range(times):
        s = np.float32(0.5 + k)
        for i in range(a.size):
            a[i] = b[i] + s * c[i]


def _zero() -> int:
    return 0


_multiply_add: Any = njit(_sums, nogil=True)
_triad: Any = njit(_scaled_sums, nogil=True, error_model="numpy")
_nothing: Any = njit(_zero)


def _fastest(work: Callable[[int], Any], threads: int, tries: int) -> float:
    """Return the seconds that all threads take for their parts, in the best of several tries."""
    with ThreadPoolExecutor(threads) as pool:
        best = float("inf")
        for _ in range(tries):
            began = time.perf_counter()
            list(pool.map(work, range(threads)))
            best = min(best, time.perf_counter() - began)
    return best


@dataclass(frozen=True)
class Ceilings:
    """What a machine reaches with some threads.

    Attributes:
        threads: how many.
        peak: multiplications and additions in float32, a second.
        bandwidth: bytes a second that a triad a = b + s c reads and writes, by the bytes of its three arrays.
        call: seconds of a call from Python to an empty compiled function.
        lanes: float32 numbers in a vector register.
    """

    threads: int
    peak: float
    bandwidth: Mapping[int, float]
    call: float
    lanes: int

    def floor(self, flops: float, moved: int, item: int = 4) -> tuple[float, str]:
        """Return the seconds that a computation takes at least, and what takes them: "arithmetic", "memory" or "call".

        Bytes go as fast as a triad over so many bytes, or over the next smaller size that was measured: what fits a cache is not
        held against the memory behind it.

        Args:
            flops: operations.
            moved: bytes that are read or written.
            item: bytes of a number; a register holds half as many of twice the size.
        """
        size = max((s for s in self.bandwidth if s <= moved), default=min(self.bandwidth))
        parts = {"arithmetic": flops / self.peak * item / 4, "memory": moved / self.bandwidth[size], "call": self.call}
        bound = max(parts, key=lambda part: parts[part])
        return parts[bound], bound


def measure(threads: int, tries: int = 12) -> Ceilings:
    """Measure the ceilings; it takes about a second."""
    rounds = 2_000_000
    _multiply_add(1)
    peak = threads * rounds * CHAINS * 2 * lanes() / _fastest(lambda _: _multiply_add(rounds), threads, tries)
    bandwidth = {}
    for size in SIZES:
        count = size // 12 // threads
        parts = [tuple(np.ones(count, np.float32) for _ in range(3)) for _ in range(threads)]
        times = max(1, 2**25 // size)
        _triad(*parts[0], 1)

        def work(k: int, parts: Any = parts, times: int = times) -> None:
            _triad(*parts[k], times)

        bandwidth[size] = 12 * count * threads * times / _fastest(work, threads, tries)
    _nothing()
    calls = []
    for _ in range(200):
        began = time.perf_counter()
        for _ in repeat(None, 1000):
            _nothing()
        calls.append((time.perf_counter() - began) / 1000)
    return Ceilings(threads, peak, bandwidth, min(calls), lanes())
