"""Kernels of the network digits for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 01df299a04654bdbf9f5b457c92b11faa8dc8194b7da4d0701d742c149d84a51
Schedule: layered; each kernel is a launch of its own: a step needs 87,432 bytes of shared memory, a block has 49,152

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import float64, int32, uint32, uint64

try:
    from .kernels_cuda import cuda, fill, give, jit, launch, ld4, number, repeat, room, st4, take, zeros
except ImportError:
    from kernels_cuda import cuda, fill, give, jit, launch, ld4, number, repeat, room, st4, take, zeros

NAME = "digits"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (64, 64)),
    ("dense_1.b", 4096, (64,)),
    ("dense_2.W", 4160, (10, 64)),
    ("dense_2.b", 4800, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 4810
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.1),
    ("mu", 0.9),
)
SCHEDULE = "layered"
#: The types of each kernel's arguments, and the threads of its blocks, for compilers that have no call to look at.
SIGNATURES = {
    "dense_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p": ("float32[::1]", "int32", "int32", "int32"),
    "write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "write_loss_data": ("float32[::1]", "int32", "int32", "int32"),
    "loss_penalty": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "loss_penalty_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "loss_total": ("float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32"),
    "dense_grad_W": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_grad_b": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "dense_delta_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "dense_grad_W_2": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_grad_b_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "write_grad_x": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32"),
    "update_scalars": ("float32[::1]", "float32[::1]", "float32[::1]", "float64[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32"),
    "update_entries": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32"),
}
THREADS = {
    "dense_a": 64,
    "dense_z": 64,
    "dense_z_2": 64,
    "write_loss_p": 128,
    "write_loss_L": 128,
    "write_loss_data": 32,
    "loss_penalty": 256,
    "loss_penalty_2": 256,
    "loss_total": 32,
    "dense_delta": 128,
    "dense_grad_W": 128,
    "dense_grad_b": 128,
    "dense_delta_2": 128,
    "dense_grad_W_2": 64,
    "dense_grad_b_2": 128,
    "write_grad_x": 64,
    "update_scalars": 1,
    "update_entries": 128,
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("update_scalars",)


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 164 * n + 16


@jit
def count_outside(values, least, most, found):
    """Count the values that do not lie in least .. most."""
    k = int32(cuda.grid(1))
    if k < values.size and (values[k] < least or values[k] > most):
        cuda.atomic.add(found, 0, 1)


def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    if isinstance(values, np.ndarray):
        return bool(values.size == 0 or (values.min() >= least and values.max() <= most))
    found, there = zeros(1, "int32"), take(values, "int64")
    launch(count_outside, (there.size + 127) // 128, 128, there, least, most, found)
    return number(found) == 0


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(10)
    i = row % int32(10)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        part += params[W + i * 64 + j] * work[x + n * 64 + j]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        out[n * 10 + i] = params[b + i] + total


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(10)
    i = row % int32(10)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        part += params[W + i * 64 + j] * work[x + n * 64 + j]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    if thread == 0:
        work[z + n * 10 + i] = params[b + i] + total


@jit
def write_loss_p(work, a, p, N):
    """Write p."""
    # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
    n = int32(cuda.grid(1))
    if n < N:
        top = real(-math.inf)
        for j in range(int32(10)):
            candidate = work[a + n * 10 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(10)):
            total += math.exp(work[a + n * 10 + j] - shift)
        for i in range(int32(10)):
            work[p + n * 10 + i] = math.exp(work[a + n * 10 + i] - shift) / total


@jit
def write_loss_L(work, y, a, L, N):
    """Write L."""
    # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
    n = int32(cuda.grid(1))
    if n < N:
        top = real(-math.inf)
        for i in range(int32(10)):
            candidate = work[a + n * 10 + i]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for i in range(int32(10)):
            total += math.exp(work[a + n * 10 + i] - shift)
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]


@jit
def write_loss_data(work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    parts = cuda.shared.array(1, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for n in range(thread, N, int32(32)):
        part += work[L + n]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(1)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def loss_penalty(params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 5e−05 Σ_{i, j} W[i, j]²
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, int32(4096), int32(256)):
        i = entry // int32(64)
        j = entry % int32(64)
        part += params[W + i * 64 + j] * params[W + i * 64 + j]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(8)):
        total += parts[warp]
    if thread == 0:
        work[penalty] = real(5e-05) * total


@jit
def loss_penalty_2(params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 5e−05 Σ_{i, j} W[i, j]²
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, int32(640), int32(256)):
        i = entry // int32(64)
        j = entry % int32(64)
        part += params[W + i * 64 + j] * params[W + i * 64 + j]
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(8)):
        total += parts[warp]
    if thread == 0:
        work[penalty] = real(5e-05) * total


@jit
def loss_total(work, t_1, t_2, t_3, total, N):
    """Write total."""
    # total = t_1 + t_2 + t_3
    thread = int32(cuda.threadIdx.x)
    if thread == 0:
        work[total] = work[t_1] + work[t_2] + work[t_3]


@jit
def dense_delta(work, y, p, delta, N):
    """Write delta."""
    # delta[n, i] = (p[n, i] − [i = y[n]])/N
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        p_ = work[p + n * 10 + i]
        work[delta + n * 10 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)


@jit
def dense_grad_W(params, work, grads, W, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = 0.0001 W[i, j] + Σ_n delta[n, i] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < int32(640):
        i = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i] * work[x + n * 64 + j]
        grads[grad_W + i * 64 + j] = real(0.0001) * params[W + i * 64 + j] + total


@jit
def dense_grad_b(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(cuda.grid(1))
    if i < int32(10):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i]
        grads[grad_b + i] = total


@jit
def dense_delta_2(params, work, W_next, a, delta_next, delta, N):
    """Write delta."""
    # delta[n, i] = [a[n, i] > 0] Σ_j W_next[j, i] delta_next[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(64):
        n = entry // int32(64)
        i = entry % int32(64)
        total = real(0.0)
        for j in range(int32(10)):
            total += params[W_next + j * 64 + i] * work[delta_next + n * 10 + j]
        a_ = work[a + n * 64 + i]
        work[delta + n * 64 + i] = real(0.0) if a_ <= real(0.0) else total


@jit
def dense_grad_b_2(work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(cuda.grid(1))
    if i < int32(64):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 64 + i]
        grads[grad_b + i] = total


@jit
def update_scalars(params, grads, state, hyper, scalars, losses, place, history, step, count):
    """Compute what a step of the optimizer has once for all entries; nothing is done where the loss is not finite."""
    # v_next[p] = mu v[p] + g[p]
    # w_next[p] = w[p] − lr v_next[p]
    value = losses[place]
    good = math.isfinite(value)
    lr = hyper[0]
    mu = hyper[1]
    thread = int32(cuda.threadIdx.x)
    if thread == 0:
        scalars[0] = real(1.0) if good else real(0.0)
        scalars[1] = real(lr)
        scalars[2] = real(mu)
        if count > 0:
            history[step[0]] = value
            step[0] += int32(1)


@jit
def update_entries(params, grads, state, scalars, first, last):
    """Update the entries first .. last - 1 with the scalars of this step."""
    # v_next[p] = mu v[p] + g[p]
    # w_next[p] = w[p] − lr v_next[p]
    p = first + int32(cuda.grid(1))
    if p < last and scalars[0] > real(0.0):
        lr = scalars[1]
        mu = scalars[2]
        v_next = state[p] * mu + grads[p]
        w_next = params[p] - lr * v_next
        state[p] = v_next
        params[p] = w_next


@jit
def dense_a(params, x, work, W, b, a, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # a[n, i] = z[n, i] [z[n, i] > 0]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(64)
    l_at0 = int32(row + (t >> 2))
    n_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    n_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + (t >> 2))
    i_r0 = r_at0
    r_at1 = int32(column + (t >> 2) + 16)
    i_r1 = r_at1
    r_put = int32(576 + (((t & 3) * 4) * 36) + (t >> 2))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    j_l_0 = l_term0
    r_term0 = int32(term + ((t & 3) * 4))
    j_r_0 = r_term0
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(x, int32(n_l0 * 64 + j_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(x, int32(n_l1 * 64 + j_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 64) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 64 + j_r_0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at1 < 64) & (r_term0 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 64 + j_r_0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        tiles[r_to] = r0_0
        tiles[r_to + uint64(36)] = r0_1
        tiles[r_to + uint64(72)] = r0_2
        tiles[r_to + uint64(108)] = r0_3
        tiles[r_to + uint64(16)] = r1_0
        tiles[r_to + uint64(52)] = r1_1
        tiles[r_to + uint64(88)] = r1_2
        tiles[r_to + uint64(124)] = r1_3
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        j_l_0 = l_term0
        r_term0 = int32(term + ((t & 3) * 4))
        j_r_0 = r_term0
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(x, int32(n_l0 * 64 + j_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(x, int32(n_l1 * 64 + j_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 64) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r0 * 64 + j_r_0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at1 < 64) & (r_term0 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r1 * 64 + j_r_0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    i = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N and column < 64:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                z = params[uint32(b + i)] + dot
                work[uint32(a + n * 64 + i)] = real(0.0) if z <= real(0.0) else z
        cuda.syncthreads()


@jit
def dense_grad_W_2(params, work, x, grads, W, delta, grad_W, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_W[i, j] = 0.0001 W[i, j] + Σ_n delta[n, i] x[n, j]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(N)
    l_at0 = int32(row + ((t & 7) * 4))
    i_l0 = l_at0
    l_put = int32(((t >> 3) * 36) + ((t & 7) * 4))
    r_at0 = int32(column + ((t & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t >> 3) * 36) + ((t & 7) * 4))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + (t >> 3))
    n_l_0 = l_term0
    l_term1 = int32(term + (t >> 3) + 8)
    n_l_1 = l_term1
    r_term0 = int32(term + (t >> 3))
    n_r_0 = r_term0
    r_term1 = int32(term + (t >> 3) + 8)
    n_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < 64) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 64 + i_l0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at0 < 64) & (l_term1 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 64 + i_l0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 64) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(x, int32(n_r_0 * 64 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 64) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(x, int32(n_r_1 * 64 + j_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        st4(tiles, l_to, l0_0, l0_1, l0_2, l0_3)
        st4(tiles, l_to + uint64(288), l1_0, l1_1, l1_2, l1_3)
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + (t >> 3))
        n_l_0 = l_term0
        l_term1 = int32(term + (t >> 3) + 8)
        n_l_1 = l_term1
        r_term0 = int32(term + (t >> 3))
        n_r_0 = r_term0
        r_term1 = int32(term + (t >> 3) + 8)
        n_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < 64) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l_0 * 64 + i_l0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at0 < 64) & (l_term1 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l_1 * 64 + i_l0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 64) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(x, int32(n_r_0 * 64 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 64) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(x, int32(n_r_1 * 64 + j_r0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    j = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < 64 and column < 64:
                i = r_row
                dot = tiles[uint32(line * 32 + mine)]
                grads[uint32(grad_W + i * 64 + j)] = real(0.0001) * params[uint32(W + i * 64 + j)] + dot
        cuda.syncthreads()


@jit
def write_grad_x(params, work, grads_x, W, delta, N):
    """Tiles of 32 x 32 results, 16 terms at once, 64 threads."""
    # grad_x[n, j] = Σ_i W[i, j] delta[n, i]
    zero = real(0.0)
    # Two tiles of each factor: while one is multiplied the next one is read.
    tiles = cuda.shared.array(2304, real)
    t = int32(cuda.threadIdx.x)
    block = int32(cuda.blockIdx.x)
    column = int32(uint32(block) % uint32(2))
    block = int32(uint32(block) // uint32(2))
    column = int32(column * 32)
    row = block
    row = int32(row * 32)
    term = int32(0)
    stop = int32(64)
    l_at0 = int32(row + (t >> 2))
    n_l0 = l_at0
    l_at1 = int32(row + (t >> 2) + 16)
    n_l1 = l_at1
    l_put = int32((((t & 3) * 4) * 36) + (t >> 2))
    r_at0 = int32(column + ((t & 7) * 4))
    j_r0 = r_at0
    r_put = int32(576 + ((t >> 3) * 36) + ((t & 7) * 4))
    high = int32((t >> 3) * 4)
    wide = int32((t & 7) * 4)
    here = int32(0)
    s0_0 = s0_1 = s0_2 = s0_3 = zero
    s1_0 = s1_1 = s1_2 = s1_3 = zero
    s2_0 = s2_1 = s2_2 = s2_3 = zero
    s3_0 = s3_1 = s3_2 = s3_3 = zero
    l_term0 = int32(term + ((t & 3) * 4))
    i_l_0 = l_term0
    r_term0 = int32(term + (t >> 3))
    i_r_0 = r_term0
    r_term1 = int32(term + (t >> 3) + 8)
    i_r_1 = r_term1
    l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
    if (l_at0 < N) & (l_term0 < stop):
        l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l0 * 64 + i_l_0))
    l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
    if (l_at1 < N) & (l_term0 < stop):
        l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l1 * 64 + i_l_0))
    r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
    if (r_at0 < 64) & (r_term0 < stop):
        r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 64 + j_r0))
    r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
    if (r_at0 < 64) & (r_term1 < stop):
        r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 64 + j_r0))
    while term < stop:
        l_to = uint64(here + l_put)
        tiles[l_to] = l0_0
        tiles[l_to + uint64(36)] = l0_1
        tiles[l_to + uint64(72)] = l0_2
        tiles[l_to + uint64(108)] = l0_3
        tiles[l_to + uint64(16)] = l1_0
        tiles[l_to + uint64(52)] = l1_1
        tiles[l_to + uint64(88)] = l1_2
        tiles[l_to + uint64(124)] = l1_3
        r_to = uint64(here + r_put)
        st4(tiles, r_to, r0_0, r0_1, r0_2, r0_3)
        st4(tiles, r_to + uint64(288), r1_0, r1_1, r1_2, r1_3)
        cuda.syncthreads()
        term = int32(term + 16)
        l_term0 = int32(term + ((t & 3) * 4))
        i_l_0 = l_term0
        r_term0 = int32(term + (t >> 3))
        i_r_0 = r_term0
        r_term1 = int32(term + (t >> 3) + 8)
        i_r_1 = r_term1
        l0_0, l0_1, l0_2, l0_3 = zero, zero, zero, zero
        if (l_at0 < N) & (l_term0 < stop):
            l0_0, l0_1, l0_2, l0_3 = ld4(work, int32(delta + n_l0 * 64 + i_l_0))
        l1_0, l1_1, l1_2, l1_3 = zero, zero, zero, zero
        if (l_at1 < N) & (l_term0 < stop):
            l1_0, l1_1, l1_2, l1_3 = ld4(work, int32(delta + n_l1 * 64 + i_l_0))
        r0_0, r0_1, r0_2, r0_3 = zero, zero, zero, zero
        if (r_at0 < 64) & (r_term0 < stop):
            r0_0, r0_1, r0_2, r0_3 = ld4(params, int32(W + i_r_0 * 64 + j_r0))
        r1_0, r1_1, r1_2, r1_3 = zero, zero, zero, zero
        if (r_at0 < 64) & (r_term1 < stop):
            r1_0, r1_1, r1_2, r1_3 = ld4(params, int32(W + i_r_1 * 64 + j_r0))
        upper = int32(here + high)
        lower = int32(here + wide)
        u0, u1, u2, u3 = ld4(tiles, upper + 0)
        v0, v1, v2, v3 = ld4(tiles, lower + 576)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 36)
        v0, v1, v2, v3 = ld4(tiles, lower + 612)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 72)
        v0, v1, v2, v3 = ld4(tiles, lower + 648)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 108)
        v0, v1, v2, v3 = ld4(tiles, lower + 684)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 144)
        v0, v1, v2, v3 = ld4(tiles, lower + 720)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 180)
        v0, v1, v2, v3 = ld4(tiles, lower + 756)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 216)
        v0, v1, v2, v3 = ld4(tiles, lower + 792)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 252)
        v0, v1, v2, v3 = ld4(tiles, lower + 828)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 288)
        v0, v1, v2, v3 = ld4(tiles, lower + 864)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 324)
        v0, v1, v2, v3 = ld4(tiles, lower + 900)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 360)
        v0, v1, v2, v3 = ld4(tiles, lower + 936)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 396)
        v0, v1, v2, v3 = ld4(tiles, lower + 972)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 432)
        v0, v1, v2, v3 = ld4(tiles, lower + 1008)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 468)
        v0, v1, v2, v3 = ld4(tiles, lower + 1044)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 504)
        v0, v1, v2, v3 = ld4(tiles, lower + 1080)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        u0, u1, u2, u3 = ld4(tiles, upper + 540)
        v0, v1, v2, v3 = ld4(tiles, lower + 1116)
        s0_0 += u0 * v0
        s0_1 += u0 * v1
        s0_2 += u0 * v2
        s0_3 += u0 * v3
        s1_0 += u1 * v0
        s1_1 += u1 * v1
        s1_2 += u1 * v2
        s1_3 += u1 * v3
        s2_0 += u2 * v0
        s2_1 += u2 * v1
        s2_2 += u2 * v2
        s2_3 += u2 * v3
        s3_0 += u3 * v0
        s3_1 += u3 * v1
        s3_2 += u3 * v2
        s3_3 += u3 * v3
        here = int32(1152 - here)
    # The results go through shared memory, some rows at a time, so that neighbours are written by neighbours.
    cuda.syncthreads()
    put = int32(high * 8 + wide)
    mine = int32(t & 31)
    column = int32(column + mine)
    j = column
    for part in range(4):
        if part == 0:
            st4(tiles, put + 0, s0_0, s0_1, s0_2, s0_3)
        elif part == 1:
            st4(tiles, put + 0, s1_0, s1_1, s1_2, s1_3)
        elif part == 2:
            st4(tiles, put + 0, s2_0, s2_1, s2_2, s2_3)
        elif part == 3:
            st4(tiles, put + 0, s3_0, s3_1, s3_2, s3_3)
        cuda.syncthreads()
        for line in range(int32(t >> 5), int32(8), int32(2)):
            r_row = int32(row + line * 4 + (part & 3))
            if r_row < N and column < 64:
                n = r_row
                dot = tiles[uint32(line * 32 + mine)]
                grads_x[uint32(n * 64 + j)] = dot
        cuda.syncthreads()


@jit
def gather(rows, order, step, size, width, out, count, shuffled):
    """Write the rows of batch number step[0]: those that order names, or as they lie."""
    k = int32(cuda.grid(1))
    if k < count:
        row = step[0] * size + k // width
        if shuffled > 0:
            row = int32(order[row])
        out[k] = rows[row * width + k % width]


def launch_forward(params, x, out, work, n):
    # dense_1
    launch(dense_a, ((n + 31) // 32) * 2, 64, params, x, work, 0, 4096, 0, n)
    # dense_2
    launch(dense_z, n * 10, 64, params, work, out, 4160, 4800, 0, n)


def launch_loss(params, x, y, work, n):
    # dense_1
    launch(dense_a, ((n + 31) // 32) * 2, 64, params, x, work, 0, 4096, 0, n)
    # dense_2
    launch(dense_z_2, n * 10, 64, params, work, 4160, 4800, 0, 64 * n, n)
    # loss
    launch(write_loss_p, (n + 127) // 128, 128, work, 64 * n, 76 * n, n)
    launch(write_loss_L, (n + 127) // 128, 128, work, y, 64 * n, 88 * n, n)
    launch(write_loss_data, 1, 32, work, 88 * n, 164 * n, n)
    launch(loss_penalty, 1, 256, params, work, 0, 164 * n + 4, n)
    launch(loss_penalty_2, 1, 256, params, work, 4160, 164 * n + 8, n)
    launch(loss_total, 1, 32, work, 164 * n, 164 * n + 4, 164 * n + 8, 164 * n + 12, n)


def launch_gradients(params, x, y, grads, work, n):
    # dense_2
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 76 * n, 88 * n, n)
    launch(dense_grad_W, 5, 128, params, work, grads, 4160, 88 * n, 0, 4160, n)
    launch(dense_grad_b, 1, 128, work, grads, 88 * n, 4800, n)
    # dense_1
    launch(dense_delta_2, (n * 64 + 127) // 128, 128, params, work, 4160, 0, 88 * n, 100 * n, n)
    launch(dense_grad_W_2, 2 * 2, 64, params, work, x, grads, 0, 100 * n, 0, n)
    launch(dense_grad_b_2, 1, 128, work, grads, 100 * n, 4096, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    # dense_2
    launch(dense_delta, (n * 10 + 127) // 128, 128, work, y, 76 * n, 88 * n, n)
    # dense_1
    launch(dense_delta_2, (n * 64 + 127) // 128, 128, params, work, 4160, 0, 88 * n, 100 * n, n)
    # x
    launch(write_grad_x, ((n + 31) // 32) * 2, 64, params, work, grads_x, 0, 100 * n, n)


def launch_update(params, grads, state, hyper, scalars, losses, place, history, step, count):
    launch(update_scalars, 1, 1, params, grads, state, hyper, scalars, losses, place, history, step, count)
    launch(update_entries, 38, 128, params, grads, state, scalars, 0, 4810)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_forward(d_params, d_x, d_out, d_work, n)
    give(d_out, out)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    launch_loss(d_params, d_x, d_y, d_work, n)
    return number(d_work, 164 * n + 12)


def launch_value_and_grad(d_params, d_x, d_y, d_grads, d_work, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 164 * n + 12)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads_x = room(grads_x, 64 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_input_gradients(d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 164 * n + 12)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE) if 4810 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 3, DTYPE), zeros(1, "int32")
    losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, losses, 0, losses, step, 0)
    give(d_params, params)
    give(d_state, state)


def launch_train_step(d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n):
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 164 * n + 12, d_work, step, 0)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_state = take(state, DTYPE) if 4810 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 3, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 164 * n + 12)


def launch_step(all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, n):
    launch(gather, (n * 64 + 127) // 128, 128, all_x, d_order, step, size, 64, d_x, n * 64, shuffled)
    launch(gather, (n + 127) // 128, 128, all_y, d_order, step, size, 1, d_y, n, shuffled)
    launch_loss(d_params, d_x, d_y, d_work, n)
    launch_gradients(d_params, d_x, d_y, d_grads, d_work, n)
    launch_update(d_params, d_grads, d_state, d_hyper, scalars, d_work, 164 * n + 12, history, step, 1)


def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work=None):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    if not in_range(y, 0, 9):
        return math.nan, 1
    samples = x.shape[0]
    count = -(-samples // size)
    d_params = take(params, DTYPE)
    all_x = take(x, DTYPE)
    all_y = take(y, "int64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    shuffled = 1 if order.size else 0
    d_x = room(None, 64 * size, DTYPE)
    d_y = room(None, size, "int64")
    d_grads = room(grads, 4810, DTYPE)
    d_state = take(state, DTYPE) if 4810 else d_params
    d_hyper = take(hyper, "float64")
    scalars, step = room(None, 3, DTYPE), zeros(1, "int32")
    d_work = room(work, workspace(size), DTYPE)
    history = zeros(count, DTYPE)
    repeat(
        samples // size, launch_step, all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step,
        shuffled, size, size,
    )
    if samples % size:
        launch_step(
            all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, scalars, d_work, history, step, shuffled, size, samples
            % size,
        )
    give(d_params, params)
    give(d_state, state)
    losses = np.empty(count, DTYPE)
    give(history, losses)
    if not np.isfinite(losses).all():
        first = int(np.argmin(np.isfinite(losses)))
        return float(losses[first]), first + 1
    sizes = np.minimum(size, samples - size * np.arange(count))
    return float((losses * sizes).sum(dtype=np.float64)), 0
