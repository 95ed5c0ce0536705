"""Kernels of the network xor for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 441f4c0babe57b925191306cf9b1c259c1353e468a39d393c0a8a684fc4dd46e
Schedule: single; training steps are done by one block of 256 threads with 59 numbers in shared memory.

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float64 as real
from numba import int32

try:
    from .kernels_cuda import cuda, device, give, jit, launch, number, opaque, repeat, room, sigmoid, softplus, take, zeros
except ImportError:
    from kernels_cuda import cuda, device, give, jit, launch, number, opaque, repeat, room, sigmoid, softplus, take, zeros

NAME = "xor"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (2, 2)),
    ("dense_1.b", 4, (2,)),
    ("dense_2.W", 6, (1, 2)),
    ("dense_2.b", 8, (1,)),
)
DTYPE = "float64"
#: The largest batch.
BATCH = 4
STATE_SIZE = 0
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.5),
)
SCHEDULE = "single"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 20 * n + 4


@jit
def dense_a(params, x, work, W, b, a, N):
    """Write a."""
    # a[n, i] = tanh(z[n, i])
    entry = int32(cuda.grid(1))
    if entry < N * int32(2):
        n = entry // int32(2)
        i = entry % int32(2)
        total = real(0.0)
        for j in range(int32(2)):
            total += params[W + i * 2 + j] * x[n * 2 + j]
        z = params[b + i] + total
        work[a + n * 2 + i] = math.tanh(z)


@jit
def dense_a_2(params, work, out, W, b, x, N):
    """Write a."""
    # a[n, i] = σ(z[n, i])
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        total = real(0.0)
        for j in range(int32(2)):
            total += params[W + i * 2 + j] * work[x + n * 2 + j]
        z = params[b + i] + total
        out[n + i] = sigmoid(z)


@jit
def dense_a_2_2(params, work, W, b, x, z, a, N):
    """Write z and a."""
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        total = real(0.0)
        for j in range(int32(2)):
            total += params[W + i * 2 + j] * work[x + n * 2 + j]
        work[z + n + i] = params[b + i] + total
        # a[n, i] = σ(z[n, i])
        work[a + n + i] = sigmoid(work[z + n + i])


@device
def loss_total(block, y, work, z, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z[n, i]) + y[n, i] softplus(−z[n, i])))/N
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    for n in range(N):
        for i in range(int32(1)):
            total += (real(1.0) - y[n + i]) * softplus(work[z + n + i]) + y[n + i] * softplus(-work[z + n + i])
    if thread == 0:
        work[loss_] = total / real(N)


@jit
def loss_total_alone(y, work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, y, work, int32(4 * N), int32(20 * N), N)


@jit
def dense_a_2_2_to_dense_delta(params, work, y, W, b, x, z, a, delta, N):
    """Write z, a and delta."""
    entry = int32(cuda.grid(1))
    if entry < N:
        n = entry
        i = int32(0)
        # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
        total = real(0.0)
        for j in range(int32(2)):
            total += params[W + i * 2 + j] * work[x + n * 2 + j]
        work[z + n + i] = params[b + i] + total
        # a[n, i] = σ(z[n, i])
        work[a + n + i] = sigmoid(work[z + n + i])
        # delta[n, i] = (a[n, i] − y[n, i])/N
        work[delta + n + i] = (work[a + n + i] - y[n + i]) / real(N)


@device
def dense_grad_W(block, work, grads, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(2):
        i = int32(0)
        j = entry
        total = real(0.0)
        for n in range(N):
            total += work[delta + n + i] * work[x + n * 2 + j]
        grads[grad_W + i * 2 + j] = total


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
def dense_delta_2(block, params, work, W_next, a, delta_next, delta, N):
    """Write delta."""
    # delta[n, i] = (1 − a[n, i]²) · Σ_j W_next[j, i] delta_next[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(2):
        n = entry // int32(2)
        i = entry % int32(2)
        total = real(0.0)
        for j in range(int32(1)):
            total += params[W_next + j * 2 + i] * work[delta_next + n + j]
        work[delta + n * 2 + i] = (real(1.0) - work[a + n * 2 + i] * work[a + n * 2 + i]) * total


@jit
def side_by_side(y, work, grads, params, N):
    """Do loss_total, dense_grad_W, dense_grad_b and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 1)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        loss_total(block, y, work, int32(4 * N), int32(20 * N), N)
    elif block < end_2:
        dense_grad_W(int32(block - end_1), work, grads, int32(12 * N), int32(0), int32(6), N)
    elif block < end_3:
        dense_grad_b(int32(block - end_2), work, grads, int32(12 * N), int32(8), N)
    else:
        dense_delta_2(int32(block - end_3), params, work, int32(6), int32(0), int32(12 * N), int32(16 * N), N)


@jit
def side_by_side_3(y, work, params, N):
    """Do loss_total and dense_delta_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        loss_total(block, y, work, int32(4 * N), int32(20 * N), N)
    else:
        dense_delta_2(int32(block - end_1), params, work, int32(6), int32(0), int32(12 * N), int32(16 * N), N)


@device
def dense_grad_W_2(block, work, x, grads, delta, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(4):
        i = entry // int32(2)
        j = entry % int32(2)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 2 + i] * x[n * 2 + j]
        grads[grad_W + i * 2 + j] = total


@device
def dense_grad_b_2(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(2):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 2 + i]
        grads[grad_b + i] = total


@jit
def side_by_side_2(work, x, grads, N):
    """Do dense_grad_W_2 and dense_grad_b_2, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        dense_grad_W_2(block, work, x, grads, int32(16 * N), int32(0), N)
    else:
        dense_grad_b_2(int32(block - end_1), work, grads, int32(16 * N), int32(4), N)


@jit
def write_grad_x(params, work, grads_x, W, delta, N):
    """Write grad_x."""
    # grad_x[n, j] = Σ_i W[i, j] delta[n, i]
    entry = int32(cuda.grid(1))
    if entry < N * int32(2):
        n = entry // int32(2)
        j = entry % int32(2)
        total = real(0.0)
        for i in range(int32(2)):
            total += params[W + i * 2 + j] * work[delta + n * 2 + i]
        grads_x[n * 2 + j] = total


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        table[row] = real(lr)


@jit
def update_entries(params, grads, state, table, losses, place, history, step, first, last):
    """Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."""
    # w_next[p] = w[p] − lr g[p]
    row, value = step[0], losses[place]
    p = first + int32(cuda.grid(1))
    if p < last and math.isfinite(value):
        lr = table[row]
        w_next = params[p] - grads[p] * lr
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)


@jit
def train_steps(params, grads, state, x, y, order, table, history, samples, size, first, count, shuffled):
    """Do steps first .. first + count - 1 of training, each with the next size samples that order names."""
    memory = cuda.shared.array(59, real)
    params_ = int32(0)
    grads_ = int32(9)
    dense_1_W_ = int32(0)
    dense_1_b_ = int32(4)
    x_ = int32(18)
    dense_1_a_ = int32(26)
    dense_2_z_ = int32(34)
    dense_2_W_ = int32(6)
    dense_2_b_ = int32(8)
    dense_2_a_ = int32(38)
    loss_ = int32(42)
    y_ = int32(43)
    delta_dense_2_ = int32(47)
    grad_dense_2_W_ = int32(15)
    grad_dense_2_b_ = int32(17)
    delta_dense_1_ = int32(51)
    grad_dense_1_W_ = int32(9)
    grad_dense_1_b_ = int32(13)
    thread = int32(cuda.threadIdx.x)
    for p in range(thread, int32(9), int32(256)):
        memory[params_ + p] = params[p]
    for step in range(first, count + first):
        N = (size if size < samples - step * size else samples - step * size)
        for entry in range(thread, N * int32(2), int32(256)):
            n = entry // int32(2)
            j = entry % int32(2)
            memory[x_ + n * 2 + j] = x[((1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled) * 2 + j]
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            memory[y_ + n + i] = y[(1 - shuffled) * (step * size + n) + int32(order[(step * size + n) * shuffled]) * shuffled + i]
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_1.a[n, i] = tanh(z[n, i])
        for entry in range(thread, N * int32(2), int32(256)):
            n = entry // int32(2)
            i = entry % int32(2)
            total = real(0.0)
            for j in range(int32(2)):
                total += memory[dense_1_W_ + i * 2 + j] * memory[x_ + n * 2 + j]
            z = memory[dense_1_b_ + i] + total
            memory[dense_1_a_ + n * 2 + i] = math.tanh(z)
        cuda.syncthreads()
        thread = opaque(thread)
        # dense_2.z[n, i] = dense_2.b[i] + Σ_j dense_1.a[n, j] dense_2.W[i, j]
        # dense_2.a[n, i] = σ(dense_2.z[n, i])
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            total = real(0.0)
            for j in range(int32(2)):
                total += memory[dense_1_a_ + n * 2 + j] * memory[dense_2_W_ + i * 2 + j]
            memory[dense_2_z_ + n + i] = memory[dense_2_b_ + i] + total
            memory[dense_2_a_ + n + i] = sigmoid(memory[dense_2_z_ + n + i])
        cuda.syncthreads()
        thread = opaque(thread)
        # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(dense_2.z[n, i]) + y[n, i] softplus(−dense_2.z[n, i])))/N
        total = real(0.0)
        for n in range(N):
            for i in range(int32(1)):
                total += (
                    (real(1.0) - memory[y_ + n + i]) * softplus(memory[dense_2_z_ + n + i]) + memory[y_ + n + i]
                    * softplus(-memory[dense_2_z_ + n + i])
                )
        if thread == 0:
            memory[loss_] = total / real(N)
        # delta.dense_2[n, i] = (dense_2.a[n, i] − y[n, i])/N
        for entry in range(thread, N, int32(256)):
            n = entry
            i = int32(0)
            memory[delta_dense_2_ + n + i] = (memory[dense_2_a_ + n + i] - memory[y_ + n + i]) / real(N)
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_2.W[i, j] = Σ_n delta.dense_2[n, i] dense_1.a[n, j]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), int32(2) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < int32(2) and lane == 0
            entry = entry if entry < int32(2) else int32(2) - int32(1)
            i = int32(0)
            j = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(2)):
                part += memory[delta_dense_2_ + n + i] * memory[dense_1_a_ + n * 2 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_W_ + i * 2 + j] = total
        # grad.dense_2.b[i] = Σ_n delta.dense_2[n, i]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), int32(1) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < int32(1) and lane == 0
            entry = entry if entry < int32(1) else int32(1) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(2)):
                part += memory[delta_dense_2_ + n + i]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_2_b_ + i] = total
        # delta.dense_1[n, i] = (1 − dense_1.a[n, i]²) · Σ_j delta.dense_2[n, j] dense_2.W[j, i]
        for entry in range(thread, N * int32(2), int32(256)):
            n = entry // int32(2)
            i = entry % int32(2)
            total = real(0.0)
            for j in range(int32(1)):
                total += memory[delta_dense_2_ + n + j] * memory[dense_2_W_ + j * 2 + i]
            memory[delta_dense_1_ + n * 2 + i] = (real(1.0) - memory[dense_1_a_ + n * 2 + i] * memory[dense_1_a_ + n * 2 + i]) * total
        cuda.syncthreads()
        thread = opaque(thread)
        # grad.dense_1.W[i, j] = Σ_n delta.dense_1[n, i] x[n, j]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), int32(4) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < int32(4) and lane == 0
            entry = entry if entry < int32(4) else int32(4) - int32(1)
            i = entry // int32(2)
            j = entry % int32(2)
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(2)):
                part += memory[delta_dense_1_ + n * 2 + i] * memory[x_ + n * 2 + j]
            part += cuda.shfl_xor_sync(0xFFFFFFFF, part, int32(1))
            total += part
            if there:
                memory[grad_dense_1_W_ + i * 2 + j] = total
        # grad.dense_1.b[i] = Σ_n delta.dense_1[n, i]
        # 2 neighbouring threads share the terms of an entry; the first of them writes.
        lane = thread % int32(2)
        for start in range(int32(0), int32(2) * int32(2), int32(256)):
            entry = (start + thread) // int32(2)
            there = entry < int32(2) and lane == 0
            entry = entry if entry < int32(2) else int32(2) - int32(1)
            i = entry
            total = real(0.0)
            part = real(0.0)
            for n in range(lane, N, int32(2)):
                part += memory[delta_dense_1_ + n * 2 + i]
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
            for p in range(thread, int32(9), int32(256)):
                lr = table[step]
                w_next = memory[params_ + p] - memory[grads_ + p] * lr
                memory[params_ + p] = w_next
    for p in range(thread, int32(9), int32(256)):
        params[p] = memory[params_ + p]
    for p in range(thread, int32(9), int32(256)):
        grads[p] = memory[grads_ + p]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # dense_1
    launch(dense_a, (n * 2 + 127) // 128, 128, params, x, work, 0, 4, 0, n)
    # dense_2
    launch(dense_a_2, (n + 127) // 128, 128, params, work, out, 6, 8, 0, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # dense_1
    launch(dense_a, (n * 2 + 127) // 128, 128, params, x, work, 0, 4, 0, n)
    # dense_2
    launch(dense_a_2_2, (n + 127) // 128, 128, params, work, 6, 8, 0, 4 * n, 8 * n, n)
    # loss
    launch(loss_total_alone, 1, 128, y, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # dense_1
    launch(dense_a, (n * 2 + 127) // 128, 128, params, x, work, 0, 4, 0, n)
    # dense_2
    launch(dense_a_2_2_to_dense_delta, (n + 127) // 128, 128, params, work, y, 6, 8, 0, 4 * n, 8 * n, 12 * n, n)
    # loss
    launch(side_by_side, 1 + 1 + 1 + (n * 2 + 127) // 128, 128, y, work, grads, params, n)
    # dense_1
    launch(side_by_side_2, 1 + 1, 128, work, x, grads, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # dense_1
    launch(dense_a, (n * 2 + 127) // 128, 128, params, x, work, 0, 4, 0, n)
    # dense_2
    launch(dense_a_2_2_to_dense_delta, (n + 127) // 128, 128, params, work, y, 6, 8, 0, 4 * n, 8 * n, 12 * n, n)
    # loss
    launch(side_by_side_3, 1 + (n * 2 + 127) // 128, 128, y, work, params, n)
    # x
    launch(write_grad_x, (n * 2 + 127) // 128, 128, params, work, grads_x, 0, 16 * n, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 1, 128, params, grads, state, table, losses, place, history, step, 0, 9)


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
    return number(d_work, 20 * n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads = room(grads, 9, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 20 * n)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads_x = room(grads_x, 2 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_input_gradients, d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 20 * n)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    d_params = take(params, DTYPE)
    d_grads = take(grads, DTYPE)
    d_state = d_params
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 1, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    d_losses = zeros(1, DTYPE)
    launch_update(d_params, d_grads, d_state, d_hyper, d_table, d_losses, 0, history, step)
    give(d_params, params)


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    n = x.shape[0]
    if n > BATCH:
        raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, DTYPE)
    d_grads = room(grads, 9, DTYPE)
    d_state = d_params
    d_hyper = take(hyper, "float64")
    order, history = zeros(1, "int64"), room(None, 1, DTYPE)
    d_table = room(None, 1, DTYPE)
    launch(fill_table, 1, 128, d_state, d_hyper, d_table, 1)
    launch(train_steps, 1, 256, d_params, d_grads, d_state, d_x, d_y, order, d_table, history, n, n, 0, 1, 0)
    give(d_grads, grads)
    give(d_params, params)
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
    d_grads = room(grads, 9, DTYPE)
    d_state = d_params
    d_hyper = take(hyper, "float64")
    d_order = take(order, "int64") if order.size else zeros(1, "int64")
    history = room(None, count, DTYPE)
    d_table = room(None, count * 1, DTYPE)
    launch(fill_table, (count + 127) // 128, 128, d_state, d_hyper, d_table, count)
    launch(
        train_steps, 1, 256, d_params, d_grads, d_state, d_x, d_y, d_order, d_table, history, samples, n, 0, count, 1 if order.size else 0,
    )
    give(d_grads, grads)
    give(d_params, params)
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
    "dense_a_2": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32"),
    "dense_a_2_2": ("float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32", "int32", "int32"),
    "loss_total_alone": ("float64[::1]", "float64[::1]", "int32"),
    "dense_a_2_2_to_dense_delta": (
        "float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "side_by_side": ("float64[::1]", "float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "side_by_side_3": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "side_by_side_2": ("float64[::1]", "float64[::1]", "float64[::1]", "int32"),
    "write_grad_x": ("float64[::1]", "float64[::1]", "float64[::1]", "int32", "int32", "int32"),
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
