"""Kernels of the network residual_concat for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 2bf7dc51141ada500da85cb1b706f9a065984bdbb58bd294592c5bd1b1cf50a6
Schedule: single; training steps are done by one block of 256 threads with 1,389 numbers in shared memory.

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample, integers from 0 to 3.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float64, int32
from numba import float64 as real

try:
    from .kernels_cuda import cuda, device, give, in_range, jit, launch, number, opaque, repeat, room, take, zeros
except ImportError:
    from kernels_cuda import cuda, device, give, in_range, jit, launch, number, opaque, repeat, room, take, zeros

NAME = "residual_concat"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (6, 6)),
    ("dense_1.b", 36, (6,)),
    ("dense_2.W", 42, (3, 6)),
    ("dense_2.b", 60, (3,)),
    ("dense_3.W", 63, (4, 9)),
    ("dense_3.b", 99, (4,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 16
STATE_SIZE = 207
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)
SCHEDULE = "single"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 72 * n + 4


@device
def dense_a_to_concat_a(block, params, x, work, W, b, a, a_, a__, N):
    """Write a, a_ and a__."""
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(6):
        n = entry // int32(6)
        i = entry % int32(6)
        # a[n, i] = tanh(z[n, i])
        total = real(0.0)
        for j in range(int32(6)):
            total += params[W + i * 6 + j] * x[n * 6 + j]
        z = params[b + i] + total
        work[a + n * 6 + i] = math.tanh(z)
        # a_[n, i] = a[n, i] + x[n, i]
        work[a_ + n * 6 + i] = work[a + n * 6 + i] + x[n * 6 + i]
        # a__[n, k] = a_[n, k] [0 ≤ k < 6] + x_2[n, k − 6] [0 ≤ k − 6 < 3]
        work[a__ + n * 9 + i] = work[a_ + n * 6 + i]


@device
def dense_a_2(block, params, x, work, W, b, a, N):
    """Write a."""
    # a[n, i] = z[n, i] [z[n, i] > 0]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(3):
        n = entry // int32(3)
        i = entry % int32(3)
        total = real(0.0)
        for j in range(int32(6)):
            total += params[W + i * 6 + j] * x[n * 6 + j]
        z = params[b + i] + total
        work[a + n * 3 + i] = real(0.0) if z <= real(0.0) else z


@jit
def side_by_side(params, x, work, N):
    """Do dense_a_to_concat_a and dense_a_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32((N * 6 + 127) // 128)
    if block < end_1:
        dense_a_to_concat_a(block, params, x, work, int32(0), int32(36), int32(0), int32(8 * N), int32(20 * N), N)
    else:
        dense_a_2(int32(block - end_1), params, x, work, int32(42), int32(60), int32(16 * N), N)


@jit
def concat_a_2(work, x_2, a, N):
    """Write a."""
    # a[n, k] = x_1[n, k] [0 ≤ k < 6] + x_2[n, k − 6] [0 ≤ k − 6 < 3]
    entry = int32(cuda.grid(1))
    if entry < N * int32(3):
        n = entry // int32(3)
        k = int32(6) + entry % int32(3)
        work[a + n * 9 + k] = work[x_2 + n * 3 + k - 6]


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(4):
        n = entry // int32(4)
        i = entry % int32(4)
        total = real(0.0)
        for j in range(int32(9)):
            total += params[W + i * 9 + j] * work[x + n * 9 + j]
        out[n * 4 + i] = params[b + i] + total


@jit
def dense_z_2_to_write_loss_L(params, work, y, W, b, x, z, p, L, N):
    """Write z, p and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        for i in range(int32(4)):
            total = real(0.0)
            for j in range(int32(9)):
                total += params[W + i * 9 + j] * work[x + n * 9 + j]
            work[z + n * 4 + i] = params[b + i] + total
        # p[n, i] = exp(z[n, i] − log Σ_j exp(z[n, j]))
        top = real(-math.inf)
        for j in range(int32(4)):
            candidate = work[z + n * 4 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(4)):
            total += math.exp(work[z + n * 4 + j] - shift)
        for i in range(int32(4)):
            work[p + n * 4 + i] = math.exp(work[z + n * 4 + i] - shift) / total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        work[L + n] = shift + math.log(total) - work[z + n * 4 + int32(y[n])]


@device
def loss_total(block, work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    for n in range(N):
        total += work[L + n]
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(40 * N), int32(72 * N), N)


@jit
def dense_z_2_to_dense_delta_3(params, work, y, W, b, x, z, p, L, delta, grad_a, a, delta_, a_, delta__, N):
    """Write z, p, L, delta, grad_a, delta_ and delta__."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        for i in range(int32(4)):
            total = real(0.0)
            for j in range(int32(9)):
                total += params[W + i * 9 + j] * work[x + n * 9 + j]
            work[z + n * 4 + i] = params[b + i] + total
        # p[n, i] = exp(z[n, i] − log Σ_j exp(z[n, j]))
        top = real(-math.inf)
        for j in range(int32(4)):
            candidate = work[z + n * 4 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(4)):
            total += math.exp(work[z + n * 4 + j] - shift)
        for i in range(int32(4)):
            work[p + n * 4 + i] = math.exp(work[z + n * 4 + i] - shift) / total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        work[L + n] = shift + math.log(total) - work[z + n * 4 + int32(y[n])]
        # delta[n, i] = (p[n, i] − [i = y[n]])/N
        for i in range(int32(4)):
            p_ = work[p + n * 4 + i]
            work[delta + n * 4 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)
        # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
        for j in range(int32(9)):
            total = real(0.0)
            for i in range(int32(4)):
                total += params[W + i * 9 + j] * work[delta + n * 4 + i]
            work[grad_a + n * 9 + j] = total
        # delta_[n, i] = grad_a[n, 6 + i] [a[n, i] > 0]
        for i in range(int32(3)):
            a__ = work[a + n * 3 + i]
            grad_a_ = work[grad_a + n * 9 + i + 6]
            work[delta_ + n * 3 + i] = real(0.0) if a__ <= real(0.0) else grad_a_
        # delta__[n, i] = (1 − a_[n, i]²) · grad_a[n, i]
        for i in range(int32(6)):
            work[delta__ + n * 6 + i] = (real(1.0) - work[a_ + n * 6 + i] * work[a_ + n * 6 + i]) * work[grad_a + n * 9 + i]


@device
def dense_grad_W(block, work, grads, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(36):
        i = entry // int32(9)
        j = entry % int32(9)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 4 + i] * work[x + n * 9 + j]
        grads[grad_W + i * 9 + j] = total


@device
def dense_grad_b(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(4):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 4 + i]
        grads[grad_b + i] = total


@device
def dense_grad_W_2(block, work, x, grads, delta, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(18):
        i = entry // int32(6)
        j = entry % int32(6)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 3 + i] * x[n * 6 + j]
        grads[grad_W + i * 6 + j] = total


@device
def dense_grad_b_2(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(3):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 3 + i]
        grads[grad_b + i] = total


@device
def dense_grad_W_3(block, work, x, grads, delta, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(36):
        i = entry // int32(6)
        j = entry % int32(6)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 6 + i] * x[n * 6 + j]
        grads[grad_W + i * 6 + j] = total


@device
def dense_grad_b_3(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(6):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 6 + i]
        grads[grad_b + i] = total


@jit
def side_by_side_2(work, grads, x, N):
    """Do 7 kernels, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 1)
    end_3 = int32(end_2 + 1)
    end_4 = int32(end_3 + 1)
    end_5 = int32(end_4 + 1)
    end_6 = int32(end_5 + 1)
    if block < end_1:
        loss_total(block, work, int32(40 * N), int32(72 * N), N)
    elif block < end_2:
        dense_grad_W(int32(block - end_1), work, grads, int32(44 * N), int32(20 * N), int32(63), N)
    elif block < end_3:
        dense_grad_b(int32(block - end_2), work, grads, int32(44 * N), int32(99), N)
    elif block < end_4:
        dense_grad_W_2(int32(block - end_3), work, x, grads, int32(60 * N), int32(42), N)
    elif block < end_5:
        dense_grad_b_2(int32(block - end_4), work, grads, int32(60 * N), int32(60), N)
    elif block < end_6:
        dense_grad_W_3(int32(block - end_5), work, x, grads, int32(64 * N), int32(0), N)
    else:
        dense_grad_b_3(int32(block - end_6), work, grads, int32(64 * N), int32(36), N)


@jit
def dense_z_2_to_write_grad_x(params, work, y, grads_x, W, b, x, z, p, L, delta, grad_a, a, delta_, a_, delta__, W_, W_2, N):
    """Write z, p, L, delta, grad_a, delta_, delta__ and grad_x."""
    n = int32(cuda.grid(1))
    if n < N:
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        for i in range(int32(4)):
            total = real(0.0)
            for j in range(int32(9)):
                total += params[W + i * 9 + j] * work[x + n * 9 + j]
            work[z + n * 4 + i] = params[b + i] + total
        # p[n, i] = exp(z[n, i] − log Σ_j exp(z[n, j]))
        top = real(-math.inf)
        for j in range(int32(4)):
            candidate = work[z + n * 4 + j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(math.inf) else real(0.0)
        total = real(0.0)
        for j in range(int32(4)):
            total += math.exp(work[z + n * 4 + j] - shift)
        for i in range(int32(4)):
            work[p + n * 4 + i] = math.exp(work[z + n * 4 + i] - shift) / total
        # L[n] = log Σ_i exp(z[n, i]) − z[n, y[n]]
        work[L + n] = shift + math.log(total) - work[z + n * 4 + int32(y[n])]
        # delta[n, i] = (p[n, i] − [i = y[n]])/N
        for i in range(int32(4)):
            p_ = work[p + n * 4 + i]
            work[delta + n * 4 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)
        # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
        for j in range(int32(9)):
            total = real(0.0)
            for i in range(int32(4)):
                total += params[W + i * 9 + j] * work[delta + n * 4 + i]
            work[grad_a + n * 9 + j] = total
        # delta_[n, i] = grad_a[n, 6 + i] [a[n, i] > 0]
        for i in range(int32(3)):
            a__ = work[a + n * 3 + i]
            grad_a_ = work[grad_a + n * 9 + i + 6]
            work[delta_ + n * 3 + i] = real(0.0) if a__ <= real(0.0) else grad_a_
        # delta__[n, i] = (1 − a_[n, i]²) · grad_a[n, i]
        for i in range(int32(6)):
            work[delta__ + n * 6 + i] = (real(1.0) - work[a_ + n * 6 + i] * work[a_ + n * 6 + i]) * work[grad_a + n * 9 + i]
        # grad_x[n, j] = grad_a[n, j] + Σ_i W_[i, j] delta_[n, i] + Σ_i W_2[i, j] delta__[n, i]
        for j in range(int32(6)):
            total = real(0.0)
            for i in range(int32(3)):
                total += params[W_ + i * 6 + j] * work[delta_ + n * 3 + i]
            total_2 = real(0.0)
            for i in range(int32(6)):
                total_2 += params[W_2 + i * 6 + j] * work[delta__ + n * 6 + i]
            grads_x[n * 6 + j] = work[grad_a + n * 9 + j] + total + total_2


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        beta1 = hyper[1]
        beta2 = hyper[2]
        eps = hyper[3]
        t = float64(state[206])
        for _ in range(row):
            t_next = float64(1.0) + t
            t = t_next
        t_next = float64(1.0) + t
        factor = float64(1.0) - beta1
        factor_2 = float64(1.0) - beta2
        c_1 = float64(1.0) - beta1 ** t_next
        c_2 = float64(1.0) - beta2 ** t_next
        factor_3 = float64(1.0) / c_2
        factor_4 = -lr / c_1
        table[row * 8] = real(beta1)
        table[row * 8 + 1] = real(beta2)
        table[row * 8 + 2] = real(eps)
        table[row * 8 + 3] = real(factor)
        table[row * 8 + 4] = real(factor_2)
        table[row * 8 + 5] = real(factor_3)
        table[row * 8 + 6] = real(factor_4)
        table[row * 8 + 7] = real(t_next)


@jit
def update_entries(params, grads, state, table, losses, place, history, step, first, last):
    """Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    row, value = step[0], losses[place]
    p = first + int32(cuda.grid(1))
    if p < last and math.isfinite(value):
        beta1 = table[row * 8]
        beta2 = table[row * 8 + 1]
        eps = table[row * 8 + 2]
        factor = table[row * 8 + 3]
        factor_2 = table[row * 8 + 4]
        factor_3 = table[row * 8 + 5]
        factor_4 = table[row * 8 + 6]
        m_next = grads[p] * factor + state[p] * beta1
        v_next = grads[p] * grads[p] * factor_2 + state[103 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[103 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[206] = table[row * 8 + 7]


@jit
def train_steps(params, grads, state, x, y, order, table, history, samples, size, first, count, shuffled):
    """Do steps first .. first + count - 1 of training, each with the next size samples that order names."""
    memory = cuda.shared.array(1389, real)
    y_ = cuda.shared.array(16, int32)
    params_ = int32(0)
    grads_ = int32(103)
    m_ = int32(206)
    v_ = int32(309)
    dense_1_W_ = int32(0)
    dense_1_b_ = int32(36)
    x_ = int32(412)
    dense_1_a_ = int32(508)
    add_1_a_ = int32(604)
    dense_2_W_ = int32(42)
    dense_2_b_ = int32(60)
    dense_2_a_ = int32(700)
    concat_1_a_ = int32(748)
    dense_3_z_ = int32(892)
    dense_3_W_ = int32(63)
    dense_3_b_ = int32(99)
    loss_p_ = int32(956)
    loss_L_ = int32(1020)
    loss_ = int32(1036)
    delta_dense_3_ = int32(1037)
    grad_dense_3_W_ = int32(166)
    grad_dense_3_b_ = int32(202)
    grad_concat_1_a_ = int32(1101)
    delta_dense_2_ = int32(1245)
    grad_dense_2_W_ = int32(145)
    grad_dense_2_b_ = int32(163)
    delta_dense_1_ = int32(1293)
    grad_dense_1_W_ = int32(103)
    grad_dense_1_b_ = int32(139)
    thread = int32(cuda.threadIdx.x)
    for p in range(thread, int32(103), int32(256)):
        memory[params_ + p] = params[p]
    for p in range(thread, int32(103), int32(256)):
        memory[m_ + p] = state[p]
    for p in range(thread, int32(103), int32(256)):
        memory[v_ + p] = state[103 + p]
    for step in range(first, count + first):
        N = (size if size < samples - step * size else samples - step * size)
        for entry in range(thread, N * int32(6), int32(256)):
            n = entry // int32(6)
            j = entry % int32(6)
            memory[x_ + n * 6 + j] = x[((1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled) * 6 + j]
        for n in range(thread, N, int32(256)):
            y_[n] = int32(y[(1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled])
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_1.a[n, i] = tanh(z[n, i])
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), (N * int32(6)) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < N * int32(6) and lane == 0
            entry = entry if entry < N * int32(6) else N * int32(6) - int32(1)
            n = entry // int32(6)
            i = entry % int32(6)
            total = real(0.0)
            part = real(0.0)
            for j in range(lane, int32(6), int32(2)):
                part += memory[dense_1_W_ + i * 6 + j] * memory[x_ + n * 6 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            z = memory[dense_1_b_ + i] + total
            if there:
                memory[dense_1_a_ + n * 6 + i] = math.tanh(z)
        cuda.syncthreads()
        thread = opaque(thread)
        # add_1.a[n, i] = dense_1.a[n, i] + x[n, i]
        for entry in range(thread, N * int32(6), int32(256)):
            n = entry // int32(6)
            i = entry % int32(6)
            memory[add_1_a_ + n * 6 + i] = memory[dense_1_a_ + n * 6 + i] + memory[x_ + n * 6 + i]
        # dense_2.a[n, i] = z[n, i] [z[n, i] > 0]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), (N * int32(3)) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < N * int32(3) and lane == 0
            entry = entry if entry < N * int32(3) else N * int32(3) - int32(1)
            n = entry // int32(3)
            i = entry % int32(3)
            total = real(0.0)
            part = real(0.0)
            for j in range(lane, int32(6), int32(2)):
                part += memory[dense_2_W_ + i * 6 + j] * memory[x_ + n * 6 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            z = memory[dense_2_b_ + i] + total
            if there:
                memory[dense_2_a_ + n * 3 + i] = real(0.0) if z <= real(0.0) else z
        # concat_1.a[n, k] = add_1.a[n, k] [0 ≤ k < 6] + dense_2.a[n, k − 6] [0 ≤ k − 6 < 3]
        for entry in range(thread, N * int32(6), int32(256)):
            n = entry // int32(6)
            k = entry % int32(6)
            memory[concat_1_a_ + n * 9 + k] = memory[add_1_a_ + n * 6 + k]
        cuda.syncthreads()
        thread = opaque(thread)
        for entry in range(thread, N * int32(3), int32(256)):
            n = entry // int32(3)
            k = int32(6) + entry % int32(3)
            memory[concat_1_a_ + n * 9 + k] = memory[dense_2_a_ + n * 3 + k - 6]
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_3.z[n, i] = dense_3.b[i] + Σ_j concat_1.a[n, j] dense_3.W[i, j]
        # 4 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(4)
        for start in range(int32(0), (N * int32(4)) * int32(4), int32(256)):
            entry = (start + thread) // int32(4)
            there = entry < N * int32(4) and lane == 0
            entry = entry if entry < N * int32(4) else N * int32(4) - int32(1)
            n = entry // int32(4)
            i = entry % int32(4)
            total = real(0.0)
            part = real(0.0)
            for j in range(lane, int32(9), int32(4)):
                part += memory[concat_1_a_ + n * 9 + j] * memory[dense_3_W_ + i * 9 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[dense_3_z_ + n * 4 + i] = memory[dense_3_b_ + i] + total
        cuda.syncthreads()
        thread = opaque(thread)
        # loss.p[n, i] = exp(dense_3.z[n, i] − log Σ_j exp(dense_3.z[n, j]))
        for n in range(thread, N, int32(256)):
            top = real(-math.inf)
            for j in range(int32(4)):
                candidate = memory[dense_3_z_ + n * 4 + j]
                top = candidate if (candidate > top) | (candidate != candidate) else top
            shift = top if abs(top) != real(math.inf) else real(0.0)
            total = real(0.0)
            for j in range(int32(4)):
                total += math.exp(memory[dense_3_z_ + n * 4 + j] - shift)
            for i in range(int32(4)):
                memory[loss_p_ + n * 4 + i] = math.exp(memory[dense_3_z_ + n * 4 + i] - shift) / total
        # loss.L[n] = log Σ_i exp(dense_3.z[n, i]) − dense_3.z[n, y[n]]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), N * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < N and lane == 0
            entry = entry if entry < N else N - int32(1)
            n = entry
            top = real(-math.inf)
            part_ = real(-math.inf)
            for i in range(lane, int32(4), int32(2)):
                candidate_ = memory[dense_3_z_ + n * 4 + i]
                part_ = candidate_ if (candidate_ > part_) | (candidate_ != candidate_) else part_
            candidate__ = cuda.shfl_xor_sync(0xFFFFFFFF, part_, int32(1))
            part_ = candidate__ if (candidate__ > part_) | (candidate__ != candidate__) else part_
            candidate__ = part_
            top = candidate__ if (candidate__ > top) | (candidate__ != candidate__) else top
            shift = top if abs(top) != real(math.inf) else real(0.0)
            total = real(0.0)
            part = real(0.0)
            for i in range(lane, int32(4), int32(2)):
                part += math.exp(memory[dense_3_z_ + n * 4 + i] - shift)
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[loss_L_ + n] = shift + math.log(total) - memory[dense_3_z_ + n * 4 + int32(y_[n])]
        cuda.syncthreads()
        thread = opaque(thread)
        # loss = (Σ_n loss.L[n])/N
        total = real(0.0)
        for n in range(N):
            total += memory[loss_L_ + n]
        if thread == 0:
            memory[loss_] = total / real(N)
        # delta.dense_3[n, i] = (loss.p[n, i] − [i = y[n]])/N
        for entry in range(thread, N * int32(4), int32(256)):
            n = entry // int32(4)
            i = entry % int32(4)
            loss_p = memory[loss_p_ + n * 4 + i]
            memory[delta_dense_3_ + n * 4 + i] = (loss_p - (real(1.0) if i == int32(y_[n]) else real(0.0))) / real(N)
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_3.W[i, j] = Σ_n concat_1.a[n, j] delta.dense_3[n, i]
        # 4 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(4)
        for start in range(int32(0), int32(36) * int32(4), int32(256)):
            entry = (start + thread) // int32(4)
            there = entry < int32(36) and lane == 0
            entry = entry if entry < int32(36) else int32(36) - int32(1)
            i = entry // int32(9)
            j = entry % int32(9)
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(4)):
                part += memory[concat_1_a_ + n * 9 + j] * memory[delta_dense_3_ + n * 4 + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_3_W_ + i * 9 + j] = total
        # grad.dense_3.b[i] = Σ_n delta.dense_3[n, i]
        # 8 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(8)
        for start in range(int32(0), int32(4) * int32(8), int32(256)):
            entry = (start + thread) // int32(8)
            there = entry < int32(4) and lane == 0
            entry = entry if entry < int32(4) else int32(4) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(8)):
                part += memory[delta_dense_3_ + n * 4 + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_3_b_ + i] = total
        # grad.concat_1.a[n, j] = Σ_i delta.dense_3[n, i] dense_3.W[i, j]
        for entry in range(thread, N * int32(9), int32(256)):
            n = entry // int32(9)
            j = entry % int32(9)
            total = real(0.0)
            for i in range(int32(4)):
                total += memory[delta_dense_3_ + n * 4 + i] * memory[dense_3_W_ + i * 9 + j]
            memory[grad_concat_1_a_ + n * 9 + j] = total
        cuda.syncthreads()
        thread = opaque(thread)
        # delta.dense_2[n, i] = grad.concat_1.a[n, 6 + i] [dense_2.a[n, i] > 0]
        for entry in range(thread, N * int32(3), int32(256)):
            n = entry // int32(3)
            i = entry % int32(3)
            dense_2_a = memory[dense_2_a_ + n * 3 + i]
            grad_concat_1_a = memory[grad_concat_1_a_ + n * 9 + i + 6]
            memory[delta_dense_2_ + n * 3 + i] = real(0.0) if dense_2_a <= real(0.0) else grad_concat_1_a
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_2.W[i, j] = Σ_n delta.dense_2[n, i] x[n, j]
        # 8 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(8)
        for start in range(int32(0), int32(18) * int32(8), int32(256)):
            entry = (start + thread) // int32(8)
            there = entry < int32(18) and lane == 0
            entry = entry if entry < int32(18) else int32(18) - int32(1)
            i = entry // int32(6)
            j = entry % int32(6)
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(8)):
                part += memory[delta_dense_2_ + n * 3 + i] * memory[x_ + n * 6 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_W_ + i * 6 + j] = total
        # grad.dense_2.b[i] = Σ_n delta.dense_2[n, i]
        # 8 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(8)
        for start in range(int32(0), int32(3) * int32(8), int32(256)):
            entry = (start + thread) // int32(8)
            there = entry < int32(3) and lane == 0
            entry = entry if entry < int32(3) else int32(3) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(8)):
                part += memory[delta_dense_2_ + n * 3 + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(4))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_b_ + i] = total
        # delta.dense_1[n, i] = (1 − dense_1.a[n, i]²) · grad.concat_1.a[n, i]
        for entry in range(thread, N * int32(6), int32(256)):
            n = entry // int32(6)
            i = entry % int32(6)
            memory[delta_dense_1_ + n * 6 + i] = (
                (real(1.0) - memory[dense_1_a_ + n * 6 + i] * memory[dense_1_a_ + n * 6 + i]) * memory[grad_concat_1_a_ + n * 9 + i]
            )
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_1.W[i, j] = Σ_n delta.dense_1[n, i] x[n, j]
        # 4 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(4)
        for start in range(int32(0), int32(36) * int32(4), int32(256)):
            entry = (start + thread) // int32(4)
            there = entry < int32(36) and lane == 0
            entry = entry if entry < int32(36) else int32(36) - int32(1)
            i = entry // int32(6)
            j = entry % int32(6)
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(4)):
                part += memory[delta_dense_1_ + n * 6 + i] * memory[x_ + n * 6 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(2))
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_1_W_ + i * 6 + j] = total
        # grad.dense_1.b[i] = Σ_n delta.dense_1[n, i]
        # 8 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(8)
        for start in range(int32(0), int32(6) * int32(8), int32(256)):
            entry = (start + thread) // int32(8)
            there = entry < int32(6) and lane == 0
            entry = entry if entry < int32(6) else int32(6) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(8)):
                part += memory[delta_dense_1_ + n * 6 + i]
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
            for p in range(thread, int32(103), int32(256)):
                beta1 = table[step * 8]
                beta2 = table[step * 8 + 1]
                eps = table[step * 8 + 2]
                factor = table[step * 8 + 3]
                factor_2 = table[step * 8 + 4]
                factor_3 = table[step * 8 + 5]
                factor_4 = table[step * 8 + 6]
                m_next = memory[grads_ + p] * factor + memory[m_ + p] * beta1
                v_next = memory[grads_ + p] * memory[grads_ + p] * factor_2 + memory[v_ + p] * beta2
                w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + memory[params_ + p]
                memory[m_ + p] = m_next
                memory[v_ + p] = v_next
                memory[params_ + p] = w_next
            if thread == 0:
                state[206] = table[step * 8 + 7]
    for p in range(thread, int32(103), int32(256)):
        params[p] = memory[params_ + p]
    for p in range(thread, int32(103), int32(256)):
        grads[p] = memory[grads_ + p]
    for p in range(thread, int32(103), int32(256)):
        state[p] = memory[m_ + p]
    for p in range(thread, int32(103), int32(256)):
        state[103 + p] = memory[v_ + p]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # concat_1
    launch(side_by_side, (n * 6 + 127) // 128 + (n * 3 + 127) // 128, 128, params, x, work, n)
    launch(concat_a_2, (n * 3 + 127) // 128, 128, work, 16 * n, 20 * n, n)
    # dense_3
    launch(dense_z, (n * 4 + 127) // 128, 128, params, work, out, 63, 99, 20 * n, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # concat_1
    launch(side_by_side, (n * 6 + 127) // 128 + (n * 3 + 127) // 128, 128, params, x, work, n)
    launch(concat_a_2, (n * 3 + 127) // 128, 128, work, 16 * n, 20 * n, n)
    # loss
    launch(dense_z_2_to_write_loss_L, (n + 127) // 128, 128, params, work, y, 63, 99, 20 * n, 32 * n, 36 * n, 40 * n, n)
    launch(loss_total_alone, 1, 128, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # concat_1
    launch(side_by_side, (n * 6 + 127) // 128 + (n * 3 + 127) // 128, 128, params, x, work, n)
    launch(concat_a_2, (n * 3 + 127) // 128, 128, work, 16 * n, 20 * n, n)
    # dense_1
    launch(
        dense_z_2_to_dense_delta_3, (n + 127) // 128, 128, params, work, y, 63, 99, 20 * n, 32 * n, 36 * n, 40 * n, 44 * n, 48 * n, 16 * n,
        60 * n, 0, 64 * n, n,
    )
    # loss
    launch(side_by_side_2, 1 + 1 + 1 + 1 + 1 + 1 + 1, 128, work, grads, x, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # concat_1
    launch(side_by_side, (n * 6 + 127) // 128 + (n * 3 + 127) // 128, 128, params, x, work, n)
    launch(concat_a_2, (n * 3 + 127) // 128, 128, work, 16 * n, 20 * n, n)
    # x
    launch(
        dense_z_2_to_write_grad_x, (n + 127) // 128, 128, params, work, y, grads_x, 63, 99, 20 * n, 32 * n, 36 * n, 40 * n, 44 * n, 48 * n,
        16 * n, 60 * n, 0, 64 * n, 42, 0, n,
    )
    # loss
    launch(loss_total_alone, 1, 128, work, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 1, 128, params, grads, state, table, losses, place, history, step, 0, 103)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 4 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
    give(d_out, out)


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if not in_range(y, 0, 3):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_loss, d_params, d_x, d_y, d_work, n)
    return number(d_work, 72 * n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 3):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 103, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 72 * n)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if not in_range(y, 0, 3):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads_x = room(grads_x, 6 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_input_gradients, d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 72 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    d_losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, d_table, d_losses, 0, history, step)
    give(d_params, params)
    give(d_state, state)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    if not in_range(y, 0, 3):
        return math.nan
    n = x.shape[0]
    if n > BATCH:
        raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 103, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    order, history = zeros(1, "int64"), room(None, 1, DTYPE)
    d_table = room(None, 8, DTYPE)
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
    if not in_range(y, 0, 3):
        return math.nan, 1
    samples = x.shape[0]
    n = min(size, samples)
    if n > BATCH:
        raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")
    count = -(-samples // n)
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 103, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    history = room(None, count, DTYPE)
    d_table = room(None, count * 8, DTYPE)
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
    "side_by_side": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "concat_a_2": ("float64[::1]", "int32", "int32", "int32"),
    "dense_z": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2_to_write_loss_L": (
        "float64[::1]", "float64[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "loss_total_alone": ("float64[::1]", "int32"),
    "dense_z_2_to_dense_delta_3": (
        "float64[::1]", "float64[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
        "int32", "int32", "int32", "int32",
    ),
    "side_by_side_2": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "dense_z_2_to_write_grad_x": (
        "float64[::1]", "float64[::1]", "int64[::1]", "float64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
        "int32", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "fill_table": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "update_entries": (
        "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int32", "float64[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "train_steps": (
        "float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int64[::1]", "int64[::1]", "float64[::1]", "float64[::1]", "int32",
        "int32", "int32", "int32", "int32",
    ),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
