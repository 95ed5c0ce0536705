"""CUDA kernels for the lock-step emulator, in the manner in which the target writes them. Only their text counts."""

from __future__ import annotations

import math
from typing import Any

from numba import float32, float64, int32

cuda: Any = None  # the emulator puts itself in this place: no CUDA package is needed
ld4: Any = None
st4: Any = None

WIDTH = 64


def add(x, y, out, n):
    i = cuda.grid(1)
    if i < n:
        out[i] = x[i] + y[i]


def tree_sum(x, out, n):
    part = cuda.shared.array(WIDTH, float32)
    t = int32(cuda.threadIdx.x)
    i = cuda.grid(1)
    part[t] = x[i] if i < n else float32(0.0)
    cuda.syncthreads()
    width = int32(WIDTH // 2)
    while width > 0:
        if t < width:
            part[t] += part[t + width]
        cuda.syncthreads()
        width //= 2
    if t == 0:
        out[cuda.blockIdx.x] = part[0]


def tree_sum_dynamic(x, out, n):
    everything = cuda.shared.array(0, float32)
    count = int32(cuda.blockDim.x)
    part = everything[:count]
    tag = everything[count : 2 * count].view(int32)
    t = int32(cuda.threadIdx.x)
    i = cuda.grid(1)
    part[t] = x[i] if i < n else float32(0.0)
    tag[t] = t
    cuda.syncthreads()
    width = count // 2
    while width > 0:
        if t < width:
            part[t] += part[tag[t + width]]
        cuda.syncthreads()
        width //= 2
    if t == 0:
        out[cuda.blockIdx.x] = part[0]


def gemm(bm: int, bn: int, bk: int, tm: int, tn: int) -> Any:
    """C = A B by tiles bm x bn, tm x tn a thread, two buffers along k; every thread loads four of A and four of B a tile.

    So bm bk / 4 = bn bk / 4 = (bm / tm) (bn / tn), the threads of a block.
    """
    across, a_row, b_row = bn // tn, bk // 4, bn // 4
    shape_a, shape_b, shape_c = (2, bk, bm), (2, bk, bn), (tm, tn)

    def product(a, b, c, m, n, k):
        tile_a = cuda.shared.array(shape_a, float32)
        tile_b = cuda.shared.array(shape_b, float32)
        acc = cuda.local.array(shape_c, float32)
        left = cuda.local.array(tm, float32)
        right = cuda.local.array(tn, float32)
        t = int32(cuda.threadIdx.x)
        row, column = int32(cuda.blockIdx.y) * bm, int32(cuda.blockIdx.x) * bn
        ty, tx = t // across, t % across
        ar, ac = t // a_row, t % a_row * 4
        br, bc = t // b_row, t % b_row * 4
        for i in range(tm):
            for j in range(tn):
                acc[i, j] = float32(0.0)
        a0, a1, a2, a3 = float32(0.0), float32(0.0), float32(0.0), float32(0.0)
        b0, b1, b2, b3 = float32(0.0), float32(0.0), float32(0.0), float32(0.0)
        if row + ar < m:
            a0, a1, a2, a3 = ld4(a, (row + ar, ac))
        if column + bc < n:
            b0, b1, b2, b3 = ld4(b, (br, column + bc))
        tile_a[0, ac, ar] = a0
        tile_a[0, ac + 1, ar] = a1
        tile_a[0, ac + 2, ar] = a2
        tile_a[0, ac + 3, ar] = a3
        st4(tile_b, (0, br, bc), (b0, b1, b2, b3))
        cuda.syncthreads()
        here = int32(0)
        for k0 in range(0, k, bk):
            more = k0 + bk < k
            if more:
                if row + ar < m:
                    a0, a1, a2, a3 = ld4(a, (row + ar, k0 + bk + ac))
                if column + bc < n:
                    b0, b1, b2, b3 = ld4(b, (k0 + bk + br, column + bc))
            for kk in range(bk):
                for i in range(0, tm, 4):
                    left[i], left[i + 1], left[i + 2], left[i + 3] = ld4(tile_a, (here, kk, ty * tm + i))
                for j in range(0, tn, 4):
                    right[j], right[j + 1], right[j + 2], right[j + 3] = ld4(tile_b, (here, kk, tx * tn + j))
                for i in range(tm):
                    for j in range(tn):
                        acc[i, j] += left[i] * right[j]
            if more:
                tile_a[1 - here, ac, ar] = a0
                tile_a[1 - here, ac + 1, ar] = a1
                tile_a[1 - here, ac + 2, ar] = a2
                tile_a[1 - here, ac + 3, ar] = a3
                st4(tile_b, (1 - here, br, bc), (b0, b1, b2, b3))
                cuda.syncthreads()
                here = 1 - here
        for i in range(tm):
            if row + ty * tm + i < m:
                for j in range(0, tn, 4):
                    if column + tx * tn + j < n:
                        at = (row + ty * tm + i, column + tx * tn + j)
                        st4(c, at, (acc[i, j], acc[i, j + 1], acc[i, j + 2], acc[i, j + 3]))

    return product


def scan(x, out, n):
    """Inclusive sums within a block of at most 1024: within warps by shuffles, then over warps."""
    totals = cuda.shared.array(32, float32)
    i = cuda.grid(1)
    t = int32(cuda.threadIdx.x)
    lane, warp = t % 32, t // 32
    value = x[i] if i < n else float32(0.0)
    shift = int32(1)
    while shift < 32:
        other = cuda.shfl_up_sync(0xFFFFFFFF, value, shift)
        if lane >= shift:
            value += other
        shift *= 2
    if lane == 31:
        totals[warp] = value
    cuda.syncthreads()
    for w in range(warp):
        value += totals[w]
    if i < n:
        out[i] = value


def grid_sum(x, partial, out, n):
    """Two phases: a partial sum a block in strides of the grid, then all of them by the first thread."""
    part = cuda.shared.array(WIDTH, float64)
    whole = cuda.cg.this_grid()
    t = cuda.threadIdx.x
    total = float64(0.0)
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        total += x[i]
    part[t] = total
    cuda.syncthreads()
    if t == 0:
        total = float64(0.0)
        for j in range(cuda.blockDim.x):
            total += part[j]
        partial[cuda.blockIdx.x] = total
    whole.sync()
    if cuda.grid(1) == 0:
        total = float64(0.0)
        for b in range(cuda.gridDim.x):
            total += partial[b]
        out[0] = total


def training(real: Any, inputs: int, hidden: int, batch: int) -> Any:
    """Steps of gradient descent on inputs-hidden-1 with tanh and the mean of half squared errors, in one launch of one block."""
    w2, b1, b2, count = inputs * hidden, (inputs + 1) * hidden, (inputs + 2) * hidden, (inputs + 2) * hidden + 1
    shape_a = (batch, hidden)

    def steps(params, x, y, losses, rate, number):
        p = cuda.shared.array(count, real)
        a = cuda.shared.array(shape_a, real)
        d = cuda.shared.array(shape_a, real)
        e = cuda.shared.array(batch, real)
        t = int32(cuda.threadIdx.x)
        threads = int32(cuda.blockDim.x)
        for q in range(t, count, threads):
            p[q] = params[q]
        cuda.syncthreads()
        for step in range(number):
            for q in range(t, batch * hidden, threads):
                n, j = q // hidden, q % hidden
                z = p[b1 + j]
                for i in range(inputs):
                    z += p[j * inputs + i] * x[n, i]
                a[n, j] = math.tanh(z)
            cuda.syncthreads()
            for n in range(t, batch, threads):
                z = p[b2]
                for j in range(hidden):
                    z += p[w2 + j] * a[n, j]
                e[n] = z - y[n]
            cuda.syncthreads()
            for q in range(t, batch * hidden, threads):
                n, j = q // hidden, q % hidden
                d[n, j] = e[n] * p[w2 + j] * (real(1.0) - a[n, j] * a[n, j])
            if t == 0:
                total = real(0.0)
                for n in range(batch):
                    total += e[n] * e[n]
                losses[step] = total / real(2 * batch)
            cuda.syncthreads()
            for q in range(t, count, threads):
                total = real(0.0)
                for n in range(batch):
                    if q < w2:
                        total += d[n, q // inputs] * x[n, q % inputs]
                    elif q < b1:
                        total += e[n] * a[n, q - w2]
                    elif q < b2:
                        total += d[n, q - b1]
                    else:
                        total += e[n]
                p[q] -= rate * total / real(batch)
            cuda.syncthreads()
        for q in range(t, count, threads):
            params[q] = p[q]

    return steps
