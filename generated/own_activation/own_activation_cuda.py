"""Kernels of the network own_activation for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 9b127097f9497c2d587890f3d5fd2fff97f7fe414757bdf08e315904c69e1cd4
Schedule: single; training steps are done by one block of 256 threads with 1,087 numbers in shared memory.

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float64, int32
from numba import float64 as real

try:
    from .kernels_cuda import cuda, device, give, jit, launch, number, opaque, repeat, room, sign, take, zeros
except ImportError:
    from kernels_cuda import cuda, device, give, jit, launch, number, opaque, repeat, room, sign, take, zeros

NAME = "own_activation"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (8, 3)),
    ("dense_1.b", 24, (8,)),
    ("dense_2.W", 32, (1, 8)),
    ("dense_2.b", 40, (1,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 32
STATE_SIZE = 41
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("rho", 0.99),
    ("eps", 1e-08),
)
SCHEDULE = "single"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 32 * n + 16


@jit
def dense_a(params, x, work, W, b, a, N):
    """Write a."""
    # a[n, i] = √(1 + z[n, i]²)/2 + z[n, i] − 1/2
    entry = int32(cuda.grid(1))
    if entry < N * int32(8):
        n = entry // int32(8)
        i = entry % int32(8)
        total = real(0.0)
        for j in range(int32(3)):
            total += params[W + i * 3 + j] * x[n * 3 + j]
        z = params[b + i] + total
        work[a + n * 8 + i] = math.sqrt(real(1.0) + z * z) / real(2.0) + z - real(0.5)


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        total = real(0.0)
        for j in range(int32(8)):
            total += params[W + i * 8 + j] * work[x + n * 8 + j]
        out[n + i] = params[b + i] + total


@device
def dense_a_2(block, params, x, work, W, b, z, a, N):
    """Write z and a."""
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(8):
        n = entry // int32(8)
        i = entry % int32(8)
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        total = real(0.0)
        for j in range(int32(3)):
            total += params[W + i * 3 + j] * x[n * 3 + j]
        work[z + n * 8 + i] = params[b + i] + total
        # a[n, i] = √(1 + z[n, i]²)/2 + z[n, i] − 1/2
        work[a + n * 8 + i] = math.sqrt(real(1.0) + work[z + n * 8 + i] * work[z + n * 8 + i]) / real(2.0) + work[z + n * 8 + i] - real(0.5)


@device
def loss_penalty(block, params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 0.0005 Σ_{i, j} W[i, j]² + 0.0001 Σ_{i, j} |W[i, j]|
    parts = cuda.shared.array(4, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, int32(24), int32(128)):
        i = entry // int32(3)
        j = entry % int32(3)
        part += params[W + i * 3 + j] * params[W + i * 3 + j]
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(4)):
        total += parts[warp]
    total_2 = real(0.0)
    cuda.syncthreads()
    part_ = real(0.0)
    for entry in range(thread, int32(24), int32(128)):
        i = entry // int32(3)
        j = entry % int32(3)
        part_ += abs(params[W + i * 3 + j])
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part_ += cuda.shfl_xor_sync(0xFFFFFFFF, part_, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part_
    cuda.syncthreads()
    for warp in range(int32(4)):
        total_2 += parts[warp]
    if thread == 0:
        work[penalty] = real(0.0005) * total + real(0.0001) * total_2


@device
def loss_penalty_2(block, params, work, W, penalty, N):
    """Write penalty."""
    # penalty = 0.0005 Σ_{i, j} W[i, j]² + 0.0001 Σ_{i, j} |W[i, j]|
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    for i in range(int32(1)):
        for j in range(int32(8)):
            total += params[W + i * 8 + j] * params[W + i * 8 + j]
    total_2 = real(0.0)
    for i in range(int32(1)):
        for j in range(int32(8)):
            total_2 += abs(params[W + i * 8 + j])
    if thread == 0:
        work[penalty] = real(0.0005) * total + real(0.0001) * total_2


@jit
def side_by_side(params, x, work, N):
    """Do dense_a_2, loss_penalty and loss_penalty_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 8 + 127) // 128)
    end_2 = int32(end_1 + 1)
    if block < end_1:
        dense_a_2(block, params, x, work, int32(0), int32(24), int32(0), int32(8 * N), N)
    elif block < end_2:
        loss_penalty(int32(block - end_1), params, work, int32(0), int32(32 * N + 4), N)
    else:
        loss_penalty_2(int32(block - end_2), params, work, int32(32), int32(32 * N + 8), N)


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        total = real(0.0)
        for j in range(int32(8)):
            total += params[W + i * 8 + j] * work[x + n * 8 + j]
        work[z + n + i] = params[b + i] + total


@device
def write_loss_data(block, work, y, a, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, i} ((|a[n, i] − y[n, i]|/2 − 1/8) · [|a[n, i] − y[n, i]| ≥ 1/2] + (a[n, i] − y[n, i])² [1/2 > |a[n, i] − y[n,
    #     i]|]/2))/N
    parts = cuda.shared.array(4, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for entry in range(thread, N, int32(128)):
        n = entry
        i = int32(0)
        t = work[a + n + i] - y[n + i]
        part += abs(t) / real(2.0) - real(0.125) if abs(t) >= real(0.5) else t * t / real(2.0)
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(4)):
        total += parts[warp]
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def write_loss_data_alone(work, y, N):
    """Do write_loss_data."""
    block = int32(cuda.blockIdx.x)
    write_loss_data(block, work, y, int32(16 * N), int32(32 * N), N)


@device
def loss_total(block, work, t_1, t_2, t_3, total, N):
    """Write total."""
    # total = t_1 + t_2 + t_3
    thread = int32(cuda.threadIdx.x)
    if thread == 0:
        work[total] = work[t_1] + work[t_2] + work[t_3]


@jit
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(32 * N), int32(32 * N + 4), int32(32 * N + 8), int32(32 * N + 12), N)


@jit
def dense_z_2_to_dense_delta(params, work, y, W, b, x, z, delta, N):
    """Write z and delta."""
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        total = real(0.0)
        for j in range(int32(8)):
            total += params[W + i * 8 + j] * work[x + n * 8 + j]
        work[z + n + i] = params[b + i] + total
        # delta[n, i] = (sign(z[n, i] − y[n, i]) · [|z[n, i] − y[n, i]| ≥ 1/2] + 2 · (z[n, i] − y[n, i]) · [1/2 > |z[n, i] − y[n,
        #     i]|])/(2 N)
        y_ = y[n + i]
        z_ = work[z + n + i]
        t = z_ - y_
        work[delta + n + i] = (sign(t) if abs(t) >= real(0.5) else real(2.0) * t) / real(2.0) / real(N)


@device
def dense_grad_W(block, params, work, grads, W, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = 0.001 W[i, j] + 0.0001 sign(W[i, j]) + Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(8):
        i = int32(0)
        j = entry
        total = real(0.0)
        for n in range(N):
            total += work[delta + n + i] * work[x + n * 8 + j]
        grads[grad_W + i * 8 + j] = real(0.001) * params[W + i * 8 + j] + real(0.0001) * sign(params[W + i * 8 + j]) + total


@device
def dense_grad_b(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(1):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n + i]
        grads[grad_b + i] = total


@device
def dense_delta_2(block, params, work, W_next, delta_next, z, delta, N):
    """Write delta."""
    # delta[n, i] = (1 + z[n, i]/(2 √(1 + z[n, i]²))) · Σ_j W_next[j, i] delta_next[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(8):
        n = entry // int32(8)
        i = entry % int32(8)
        total = real(0.0)
        for j in range(int32(1)):
            total += params[W_next + j * 8 + i] * work[delta_next + n + j]
        work[delta + n * 8 + i] = (
            (real(1.0) + work[z + n * 8 + i] / real(2.0) / math.sqrt(real(1.0) + work[z + n * 8 + i] * work[z + n * 8 + i])) * total
        )


@jit
def side_by_side_2(work, y, params, grads, N):
    """Do write_loss_data, dense_grad_W, dense_grad_b and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 1)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        write_loss_data(block, work, y, int32(16 * N), int32(32 * N), N)
    elif block < end_2:
        dense_grad_W(int32(block - end_1), params, work, grads, int32(32), int32(20 * N), int32(8 * N), int32(32), N)
    elif block < end_3:
        dense_grad_b(int32(block - end_2), work, grads, int32(20 * N), int32(40), N)
    else:
        dense_delta_2(int32(block - end_3), params, work, int32(32), int32(20 * N), int32(0), int32(24 * N), N)


@jit
def side_by_side_4(work, y, params, N):
    """Do write_loss_data and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        write_loss_data(block, work, y, int32(16 * N), int32(32 * N), N)
    else:
        dense_delta_2(int32(block - end_1), params, work, int32(32), int32(20 * N), int32(0), int32(24 * N), N)


@device
def dense_grad_W_2(block, params, work, x, grads, W, delta, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = 0.001 W[i, j] + 0.0001 sign(W[i, j]) + Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(24):
        i = entry // int32(3)
        j = entry % int32(3)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 8 + i] * x[n * 3 + j]
        grads[grad_W + i * 3 + j] = real(0.001) * params[W + i * 3 + j] + real(0.0001) * sign(params[W + i * 3 + j]) + total


@device
def dense_grad_b_2(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(8):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 8 + i]
        grads[grad_b + i] = total


@jit
def side_by_side_3(work, params, x, grads, N):
    """Do loss_total, dense_grad_W_2 and dense_grad_b_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 1)
    if block < end_1:
        loss_total(block, work, int32(32 * N), int32(32 * N + 4), int32(32 * N + 8), int32(32 * N + 12), N)
    elif block < end_2:
        dense_grad_W_2(int32(block - end_1), params, work, x, grads, int32(0), int32(24 * N), int32(0), N)
    else:
        dense_grad_b_2(int32(block - end_2), work, grads, int32(24 * N), int32(24), N)


@device
def write_grad_x(block, params, work, grads_x, W, delta, N):
    """Write grad_x."""
    # grad_x[n, j] = Σ_i W[i, j] delta[n, i]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(3):
        n = entry // int32(3)
        j = entry % int32(3)
        total = real(0.0)
        for i in range(int32(8)):
            total += params[W + i * 3 + j] * work[delta + n * 8 + i]
        grads_x[n * 3 + j] = total


@jit
def side_by_side_5(work, params, grads_x, N):
    """Do loss_total and write_grad_x, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        loss_total(block, work, int32(32 * N), int32(32 * N + 4), int32(32 * N + 8), int32(32 * N + 12), N)
    else:
        write_grad_x(int32(block - end_1), params, work, grads_x, int32(0), int32(24 * N), N)


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        rho = hyper[1]
        eps = hyper[2]
        factor = float64(1.0) - rho
        table[row * 4] = real(eps)
        table[row * 4 + 1] = real(factor)
        table[row * 4 + 2] = real(lr)
        table[row * 4 + 3] = real(rho)


@jit
def update_entries(params, grads, state, table, losses, place, history, step, first, last):
    """Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."""
    # s_next[p] = g[p]² · (1 − rho) + rho s[p]
    # w_next[p] = w[p] − lr g[p]/(√s_next[p] + eps)
    row, value = step[0], losses[place]
    p = first + int32(cuda.grid(1))
    if p < last and math.isfinite(value):
        eps = table[row * 4]
        factor = table[row * 4 + 1]
        lr = table[row * 4 + 2]
        rho = table[row * 4 + 3]
        s_next = grads[p] * grads[p] * factor + state[p] * rho
        w_next = params[p] - grads[p] * lr / (math.sqrt(s_next) + eps)
        state[p] = s_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)


@jit
def train_steps(params, grads, state, x, y, order, table, history, samples, size, first, count, shuffled):
    """Do steps first .. first + count - 1 of training, each with the next size samples that order names."""
    memory = cuda.shared.array(1087, real)
    params_ = int32(0)
    grads_ = int32(41)
    s_ = int32(82)
    dense_1_z_ = int32(123)
    dense_1_W_ = int32(0)
    dense_1_b_ = int32(24)
    x_ = int32(379)
    dense_1_a_ = int32(475)
    dense_2_z_ = int32(731)
    dense_2_W_ = int32(32)
    dense_2_b_ = int32(40)
    loss_data_ = int32(763)
    y_ = int32(764)
    loss_penalty_1_ = int32(796)
    loss_penalty_2_ = int32(797)
    loss_ = int32(798)
    delta_dense_2_ = int32(799)
    grad_dense_2_W_ = int32(73)
    grad_dense_2_b_ = int32(81)
    delta_dense_1_ = int32(831)
    grad_dense_1_W_ = int32(41)
    grad_dense_1_b_ = int32(65)
    parts = cuda.shared.array(8, real)
    thread = int32(cuda.threadIdx.x)
    for p in range(thread, int32(41), int32(256)):
        memory[params_ + p] = params[p]
    for p in range(thread, int32(41), int32(256)):
        memory[s_ + p] = state[p]
    for step in range(first, count + first):
        N = (size if size < samples - step * size else samples - step * size)
        for entry in range(thread, N * int32(3), int32(256)):
            n = entry // int32(3)
            j = entry % int32(3)
            memory[x_ + n * 3 + j] = x[((1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled) * 3 + j]
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            memory[y_ + n + i] = y[(1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled + i]
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_1.z[n, i] = dense_1.b[i] + Σ_j dense_1.W[i, j] x[n, j]
        # dense_1.a[n, i] = √(1 + dense_1.z[n, i]²)/2 + dense_1.z[n, i] − 1/2
        for entry in range(thread, N * int32(8), int32(256)):
            n = entry // int32(8)
            i = entry % int32(8)
            total = real(0.0)
            for j in range(int32(3)):
                total += memory[dense_1_W_ + i * 3 + j] * memory[x_ + n * 3 + j]
            memory[dense_1_z_ + n * 8 + i] = memory[dense_1_b_ + i] + total
            memory[dense_1_a_ + n * 8 + i] = (
                math.sqrt(real(1.0) + memory[dense_1_z_ + n * 8 + i] * memory[dense_1_z_ + n * 8 + i]) / real(2.0) + memory[dense_1_z_ + n
                * 8 + i] - real(0.5)
            )
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_2.z[n, i] = dense_2.b[i] + Σ_j dense_1.a[n, j] dense_2.W[i, j]
        # 4 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(4)
        for start in range(int32(0), N * int32(4), int32(256)):
            entry = (start + thread) // int32(4)
            there = entry < N and lane == 0
            entry = entry if entry < N else N - int32(1)
            n = entry
            i = int32(0)
            total = real(0.0)
            part = real(0.0)
            for j in range(lane, int32(8), int32(4)):
                part += memory[dense_1_a_ + n * 8 + j] * memory[dense_2_W_ + i * 8 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[dense_2_z_ + n + i] = memory[dense_2_b_ + i] + total
        # loss.data = (Σ_{n, i} ((|dense_2.z[n, i] − y[n, i]|/2 − 1/8) · [|dense_2.z[n, i] − y[n, i]| ≥ 1/2] + (dense_2.z[n, i] − y[n,
        #     i])² [1/2 > |dense_2.z[n, i] − y[n, i]|]/2))/N
        total = real(0.0)
        cuda.syncthreads()
        thread = opaque(thread)
        part = real(0.0)
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            t = memory[dense_2_z_ + n + i] - memory[y_ + n + i]
            part += abs(t) / real(2.0) - real(0.125) if abs(t) >= real(0.5) else t * t / real(2.0)
        # The parts of a warp's threads, then those of all warps, in one order always.
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
            memory[loss_data_] = total / real(N)
        # loss.penalty_1 = 0.0005 Σ_{i, j} dense_1.W[i, j]² + 0.0001 Σ_{i, j} |dense_1.W[i, j]|
        total = real(0.0)
        cuda.syncthreads()
        thread = opaque(thread)
        part = real(0.0)
        for entry in range(thread, int32(24), int32(256)):
            i = entry // int32(3)
            j = entry % int32(3)
            part += memory[dense_1_W_ + i * 3 + j] * memory[dense_1_W_ + i * 3 + j]
        # The parts of a warp's threads, then those of all warps, in one order always.
        lanes = int32(16)
        while lanes > 0:
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
            lanes = lanes // int32(2)
        if thread % int32(32) == 0:
            parts[thread // int32(32)] = part
        cuda.syncthreads()
        for warp in range(int32(8)):
            total += parts[warp]
        total_2 = real(0.0)
        cuda.syncthreads()
        thread = opaque(thread)
        part_ = real(0.0)
        for entry in range(thread, int32(24), int32(256)):
            i = entry // int32(3)
            j = entry % int32(3)
            part_ += abs(memory[dense_1_W_ + i * 3 + j])
        # The parts of a warp's threads, then those of all warps, in one order always.
        lanes = int32(16)
        while lanes > 0:
            part_ += cuda.shfl_xor_sync(0xFFFFFFFF, part_, lanes)
            lanes = lanes // int32(2)
        if thread % int32(32) == 0:
            parts[thread // int32(32)] = part_
        cuda.syncthreads()
        for warp in range(int32(8)):
            total_2 += parts[warp]
        if thread == 0:
            memory[loss_penalty_1_] = real(0.0005) * total + real(0.0001) * total_2
        # loss.penalty_2 = 0.0005 Σ_{i, j} dense_2.W[i, j]² + 0.0001 Σ_{i, j} |dense_2.W[i, j]|
        total = real(0.0)
        for i in range(int32(1)):
            for j in range(int32(8)):
                total += memory[dense_2_W_ + i * 8 + j] * memory[dense_2_W_ + i * 8 + j]
        total_2 = real(0.0)
        for i in range(int32(1)):
            for j in range(int32(8)):
                total_2 += abs(memory[dense_2_W_ + i * 8 + j])
        if thread == 0:
            memory[loss_penalty_2_] = real(0.0005) * total + real(0.0001) * total_2
        # loss = loss.data + loss.penalty_1 + loss.penalty_2
        if thread == 0:
            memory[loss_] = memory[loss_data_] + memory[loss_penalty_1_] + memory[loss_penalty_2_]
        # delta.dense_2[n, i] = (sign(dense_2.z[n, i] − y[n, i]) · [|dense_2.z[n, i] − y[n, i]| ≥ 1/2] + 2 · (dense_2.z[n, i] − y[n, i])
        #     · [1/2 > |dense_2.z[n, i] − y[n, i]|])/(2 N)
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            dense_2_z = memory[dense_2_z_ + n + i]
            y__ = memory[y_ + n + i]
            t = dense_2_z - y__
            memory[delta_dense_2_ + n + i] = (sign(t) if abs(t) >= real(0.5) else real(2.0) * t) / real(2.0) / real(N)
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_2.W[i, j] = 0.001 dense_2.W[i, j] + 0.0001 sign(dense_2.W[i, j]) + Σ_n delta.dense_2[n, i] dense_1.a[n, j]
        # 16 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(16)
        for start in range(int32(0), int32(8) * int32(16), int32(256)):
            entry = (start + thread) // int32(16)
            there = entry < int32(8) and lane == 0
            entry = entry if entry < int32(8) else int32(8) - int32(1)
            i = int32(0)
            j = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(16)):
                part += memory[delta_dense_2_ + n + i] * memory[dense_1_a_ + n * 8 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(8))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_W_ + i * 8 + j] = (
                    real(0.001) * memory[dense_2_W_ + i * 8 + j] + real(0.0001) * sign(memory[dense_2_W_ + i * 8 + j]) + total
                )
        # grad.dense_2.b[i] = Σ_n delta.dense_2[n, i]
        # 16 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(16)
        for start in range(int32(0), int32(1) * int32(16), int32(256)):
            entry = (start + thread) // int32(16)
            there = entry < int32(1) and lane == 0
            entry = entry if entry < int32(1) else int32(1) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(16)):
                part += memory[delta_dense_2_ + n + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(8))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_b_ + i] = total
        # delta.dense_1[n, i] = (1 + dense_1.z[n, i]/(2 √(1 + dense_1.z[n, i]²))) · Σ_j delta.dense_2[n, j] dense_2.W[j, i]
        for entry in range(thread, N * int32(8), int32(256)):
            n = entry // int32(8)
            i = entry % int32(8)
            total = real(0.0)
            for j in range(int32(1)):
                total += memory[delta_dense_2_ + n + j] * memory[dense_2_W_ + j * 8 + i]
            memory[delta_dense_1_ + n * 8 + i] = (
                (real(1.0) + memory[dense_1_z_ + n * 8 + i] / real(2.0) / math.sqrt(real(1.0) + memory[dense_1_z_ + n * 8 + i]
                * memory[dense_1_z_ + n * 8 + i])) * total
            )
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_1.W[i, j] = 0.001 dense_1.W[i, j] + 0.0001 sign(dense_1.W[i, j]) + Σ_n delta.dense_1[n, i] x[n, j]
        # 8 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(8)
        for start in range(int32(0), int32(24) * int32(8), int32(256)):
            entry = (start + thread) // int32(8)
            there = entry < int32(24) and lane == 0
            entry = entry if entry < int32(24) else int32(24) - int32(1)
            i = entry // int32(3)
            j = entry % int32(3)
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(8)):
                part += memory[delta_dense_1_ + n * 8 + i] * memory[x_ + n * 3 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_1_W_ + i * 3 + j] = (
                    real(0.001) * memory[dense_1_W_ + i * 3 + j] + real(0.0001) * sign(memory[dense_1_W_ + i * 3 + j]) + total
                )
        # grad.dense_1.b[i] = Σ_n delta.dense_1[n, i]
        # 16 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(16)
        for start in range(int32(0), int32(8) * int32(16), int32(256)):
            entry = (start + thread) // int32(16)
            there = entry < int32(8) and lane == 0
            entry = entry if entry < int32(8) else int32(8) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(16)):
                part += memory[delta_dense_1_ + n * 8 + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(8))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_1_b_ + i] = total
        value = memory[loss_]
        good = real(1.0) if math.isfinite(value) else real(0.0)
        if thread == 0:
            history[step] = value
        cuda.syncthreads()
        thread = opaque(thread)
        if not good <= real(0.0):
            for p in range(thread, int32(41), int32(256)):
                eps = table[step * 4]
                factor = table[step * 4 + 1]
                lr = table[step * 4 + 2]
                rho = table[step * 4 + 3]
                s_next = memory[grads_ + p] * memory[grads_ + p] * factor + memory[s_ + p] * rho
                w_next = memory[params_ + p] - memory[grads_ + p] * lr / (math.sqrt(s_next) + eps)
                memory[s_ + p] = s_next
                memory[params_ + p] = w_next
    for p in range(thread, int32(41), int32(256)):
        params[p] = memory[params_ + p]
    for p in range(thread, int32(41), int32(256)):
        grads[p] = memory[grads_ + p]
    for p in range(thread, int32(41), int32(256)):
        state[p] = memory[s_ + p]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # dense_1
    launch(dense_a, (n * 8 + 127) // 128, 128, params, x, work, 0, 24, 8 * n, n)
    # dense_2
    launch(dense_z, (n + 127) // 128, 128, params, work, out, 32, 40, 8 * n, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # dense_1
    launch(side_by_side, (n * 8 + 127) // 128 + 1 + 1, 128, params, x, work, n)
    # dense_2
    launch(dense_z_2, (n + 127) // 128, 128, params, work, 32, 40, 8 * n, 16 * n, n)
    # loss
    launch(write_loss_data_alone, 1, 128, work, y, n)
    launch(loss_total_alone, 1, 128, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # dense_1
    launch(side_by_side, (n * 8 + 127) // 128 + 1 + 1, 128, params, x, work, n)
    # dense_2
    launch(dense_z_2_to_dense_delta, (n + 127) // 128, 128, params, work, y, 32, 40, 8 * n, 16 * n, 20 * n, n)
    # loss
    launch(side_by_side_2, 1 + 1 + 1 + (n * 8 + 127) // 128, 128, work, y, params, grads, n)
    launch(side_by_side_3, 1 + 1 + 1, 128, work, params, x, grads, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # dense_1
    launch(side_by_side, (n * 8 + 127) // 128 + 1 + 1, 128, params, x, work, n)
    # dense_2
    launch(dense_z_2_to_dense_delta, (n + 127) // 128, 128, params, work, y, 32, 40, 8 * n, 16 * n, 20 * n, n)
    # loss
    launch(side_by_side_4, 1 + (n * 8 + 127) // 128, 128, work, y, params, n)
    launch(side_by_side_5, 1 + (n * 3 + 127) // 128, 128, work, params, grads_x, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 1, 128, params, grads, state, table, losses, place, history, step, 0, 41)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
    give(d_out, out)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_loss, d_params, d_x, d_y, d_work, n)
    return number(d_work, 32 * n + 12)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads = room(grads, 41, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 32 * n + 12)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads_x = room(grads_x, 3 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_input_gradients, d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 32 * n + 12)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 4, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    d_losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, d_table, d_losses, 0, history, step)
    give(d_params, params)
    give(d_state, state)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    n = x.shape[0]
    if n > BATCH:
        raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads = room(grads, 41, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    order, history = zeros(1, "int64"), room(None, 1, DTYPE)
    d_table = room(None, 4, DTYPE)
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    launch(train_steps, 1, 256, d_params, d_grads, d_state, d_x, d_y, order, d_table, history, n, n, 0, 1, 0)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(history)


def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work=None):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    samples = x.shape[0]
    n = min(size, samples)
    if n > BATCH:
        raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")
    count = -(-samples // n)
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads = room(grads, 41, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    history = room(None, count, DTYPE)
    d_table = room(None, count * 4, DTYPE)
    launch(fill_table, (count + 127) // 128, 128, d_state, d_hyper, d_table, count)
    launch(
        train_steps, 1, 256, d_params, d_grads, d_state, d_x, d_y, d_order, d_table, history, samples, n, 0, count, 1 if order.size else 0,
    )
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    losses = np.empty(count, DTYPE)
    give(history, losses)
    if not np.isfinite(losses).all():
        first = int(np.argmin(np.isfinite(losses)))
        return float(losses[first]), first + 1
    sizes = np.minimum(size, samples - size * np.arange(count))
    return float((losses * sizes).sum(dtype=np.float64)), 0


#: The types of each kernel's arguments, for compilers that have no call to look at.
SIGNATURES = {
    "dense_a": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32"),
    "dense_z": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32"),
    "side_by_side": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "dense_z_2": ("float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_data_alone": ("float64[::1]", "float64[::1]", "int32"),
    "loss_total_alone": ("float64[::1]", "int32"),
    "dense_z_2_to_dense_delta": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "side_by_side_2": ("float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "side_by_side_4": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "side_by_side_3": ("float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "side_by_side_5": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "fill_table": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "update_entries": (
        "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int32", "float64[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "train_steps": (
        "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int64[::1]", "float64[::1]", "float64[::1]",
        "int32", "int32", "int32", "int32", "int32",
    ),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
