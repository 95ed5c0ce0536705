"""Smaller things that a kernel's text may hold."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from numba import float32, float64, int32, int64, uint32, uint64

cuda: Any = None
WEIGHTS = np.array([1.0, 2.0, 4.0], np.float32)
device: Any = ModuleType("numba.cuda")
load: Any = None
store: Any = None


def warp_max(value):
    """A device function that holds a barrier."""
    for shift in (16, 8, 4, 2, 1):
        other = cuda.shfl_xor_sync(0xFFFFFFFF, value, shift)
        value = other if other > value else value
    return value


def maxima(x, out):
    out[cuda.grid(1)] = warp_max(x[cuda.grid(1)])


def through_a_warp(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncwarp()
    out[t] = s[t ^ 1]


def across_warps(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = float32(0.0)
    cuda.syncthreads()
    s[t] = x[t]
    cuda.syncwarp()
    out[t] = s[t ^ 32]


def two_on_a_line(x, out):
    a, b = cuda.shared.array(32, float32), cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    a[t], b[t] = x[t], -x[t]
    cuda.syncthreads()
    out[t] = a[31 - t] + b[31 - t]


def votes(x, out):
    t = cuda.threadIdx.x
    n = cuda.syncthreads_count(x[t] > float32(0.0))
    bits = cuda.ballot_sync(0xFFFFFFFF, x[t] > float32(0.0))
    out[t] = n
    if t == 0:
        out[1 + cuda.blockDim.x] = bits


def histogram(x, out):
    t = cuda.grid(1)
    cuda.atomic.add(out, x[t], 1)


def table(x, out):
    weights = cuda.const.array_like(WEIGHTS)
    t = cuda.threadIdx.x
    out[t] = weights[t] * x[t] + WEIGHTS[t]


def renamed(x, out):
    t = int32(cuda.threadIdx.x)
    store(out, t * 4, load(x, t * 4))


def twice_used(x, out):
    """Dynamic shared memory as int64 first, as float32 afterwards."""
    t = cuda.threadIdx.x
    longs = cuda.shared.array(0, int64)
    floats = cuda.shared.array(0, float32)
    longs[t] = t
    cuda.syncthreads()
    k = longs[31 - t]
    cuda.syncthreads()
    floats[t] = x[k]
    cuda.syncthreads()
    out[t] = floats[t]


def mixed(x, out):
    """float64 where the text makes it so."""
    t = cuda.threadIdx.x
    out[t] = math.exp(x[t] * 0.5) + math.exp(float64(x[t])) + x[t] * 3


def hashed(out):
    t = cuda.threadIdx.x
    h = uint64(t) * uint64(0x9E3779B97F4A7C15) + uint64(1)
    out[t] = int64(uint32(h >> 32))


def wide(out):
    t = int64(cuda.threadIdx.x)
    out[t] = (t + 65536) * 65536


def three_axes(out):
    x, y, z = cuda.grid(3)
    if x < out.shape[0] and y < out.shape[1] and z < out.shape[2]:
        out[x, y, z] = 100 * x + 10 * y + z


def half(value):
    """A device function whose kind of result depends on that of its argument."""
    return value / 2


def through_functions(x, out):
    """float64 in the end, by way of a device function, a vector load and a math function."""
    a, b, c, d = load(x, 4 * cuda.threadIdx.x)
    e = math.tanh(a)
    out[cuda.threadIdx.x] = half(a) + b * 2 + e * 3 + (c if c > d else d) * 5


def narrow_functions(x, out):
    a, b, c, d = load(x, 4 * cuda.threadIdx.x)
    out[cuda.threadIdx.x] = math.tanh(a) + abs(b) * max(c, d)


def global_program(program, barriers, memory):
    """What each thread does at each step is data: nothing, read, write or add atomically, and then a barrier or none."""
    whole = cuda.cg.this_grid()
    t = cuda.grid(1)
    for step in range(len(barriers)):
        what, where = program[step, t, 0], program[step, t, 1]
        if what == 1:
            memory[where] + 1
        elif what == 2:
            memory[where] = t
        elif what == 3:
            cuda.atomic.add(memory, where, 1)
        if barriers[step] == 1:
            cuda.syncwarp()
        elif barriers[step] == 2:
            cuda.syncthreads()
        elif barriers[step] == 3:
            whole.sync()


def shared_program(program, barriers, memory):
    """The same in shared memory."""
    inner = cuda.shared.array(2, int32)
    whole = cuda.cg.this_grid()
    t = cuda.grid(1)
    if cuda.threadIdx.x < 2:
        inner[cuda.threadIdx.x] = 0
    cuda.syncthreads()
    for step in range(len(barriers)):
        what, where = program[step, t, 0], program[step, t, 1]
        if what == 1:
            inner[where] + 1
        elif what == 2:
            inner[where] = t
        elif what == 3:
            cuda.atomic.add(inner, where, 1)
        if barriers[step] == 1:
            cuda.syncwarp()
        elif barriers[step] == 2:
            cuda.syncthreads()
        elif barriers[step] == 3:
            whole.sync()


def by_another_name(x, out):
    t = device.threadIdx.x
    s = device.shared.array(32, np.float32)
    s[t] = x[t]
    device.syncthreads()
    out[t] = s[31 - t]
