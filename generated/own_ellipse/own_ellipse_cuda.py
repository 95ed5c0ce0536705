"""Kernels of the network own_ellipse for CUDA, compiled by Numba; they need NumPy, Numba and a GPU.

Written from the template numba_cuda/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: b12b1fc78676aa6b8e7074d4593593175d79b51646e3c3d10edd84147321bdc5
Schedule: layered; kernels are launched one after the other: a step needs 161,316 bytes of shared memory, a block has 49,152.

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
Arrays are NumPy's, which are copied in and out, or lie on the device (__cuda_array_interface__), where they are used as they are.
In a kernel a tensor's entry is buffer[offset + place]: W in params is params[W + i * columns + j].
"""

import math

import numpy as np
from numba import float32 as real
from numba import float64, int32

try:
    from .kernels_cuda import cuda, device, give, in_range, jit, launch, number, repeat, room, take, zeros
except ImportError:
    from kernels_cuda import cuda, device, give, in_range, jit, launch, number, repeat, room, take, zeros

NAME = "own_ellipse"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("ellipse_1.c", 0, (60, 64)),
    ("ellipse_1.s", 3840, (60, 64)),
    ("dense_1.W", 7680, (10, 60)),
    ("dense_1.b", 8280, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 16581
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)
SCHEDULE = "layered"


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 160 * n + 4


@jit
def ellipse_a(params, x, work, c, s, a, N):
    """Write a."""
    # a[n, i] = exp(−d[n, i]/64)
    parts = cuda.shared.array(2, real)
    thread = int32(cuda.threadIdx.x)
    row = int32(cuda.blockIdx.x)
    n = row // int32(60)
    i = row % int32(60)
    total = real(0.0)
    part = real(0.0)
    for j in range(thread, int32(64), int32(64)):
        base = x[n * 64 + j] - params[c + i * 64 + j]
        part += base * base * math.exp(params[s + i * 64 + j])
    # The parts of a warp's threads, then those of all warps, in one order always.
    lanes = int32(16)
    while lanes > 0:
        part += cuda.shfl_xor_sync(0xFFFFFFFF, part, lanes)
        lanes = lanes // int32(2)
    if thread % int32(32) == 0:
        parts[thread // int32(32)] = part
    cuda.syncthreads()
    for warp in range(int32(2)):
        total += parts[warp]
    d = total
    if thread == 0:
        work[a + n * 60 + i] = math.exp(-d / real(64.0))


@jit
def dense_z(params, work, out, W, b, x, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        total = real(0.0)
        for j in range(int32(60)):
            total += params[W + i * 60 + j] * work[x + n * 60 + j]
        out[n * 10 + i] = params[b + i] + total


@jit
def dense_z_2(params, work, W, b, x, z, N):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    entry = int32(cuda.grid(1))
    if entry < N * int32(10):
        n = entry // int32(10)
        i = entry % int32(10)
        total = real(0.0)
        for j in range(int32(60)):
            total += params[W + i * 60 + j] * work[x + n * 60 + j]
        work[z + n * 10 + i] = params[b + i] + total


@jit
def write_loss_p_to_write_loss_L(work, y, a, p, L, N):
    """Write p and L."""
    n = int32(cuda.grid(1))
    if n < N:
        # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
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
        # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]


@device
def loss_total(block, work, L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    parts = cuda.shared.array(4, real)
    thread = int32(cuda.threadIdx.x)
    total = real(0.0)
    part = real(0.0)
    for n in range(thread, N, int32(128)):
        part += work[L + n]
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
def loss_total_alone(work, N):
    """Do loss_total."""
    block = int32(cuda.blockIdx.x)
    loss_total(block, work, int32(84 * N), int32(160 * N), N)


@jit
def write_loss_p_to_dense_delta(work, y, a, p, L, delta, N):
    """Write p, L and delta."""
    n = int32(cuda.grid(1))
    if n < N:
        # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
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
        # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
        work[L + n] = shift + math.log(total) - work[a + n * 10 + int32(y[n])]
        # delta[n, i] = (p[n, i] − [i = y[n]])/N
        for i in range(int32(10)):
            p_ = work[p + n * 10 + i]
            work[delta + n * 10 + i] = (p_ - (real(1.0) if i == int32(y[n]) else real(0.0))) / real(N)


@device
def dense_grad_W(block, work, grads, delta, x, grad_W, N):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < int32(600):
        i = entry // int32(60)
        j = entry % int32(60)
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i] * work[x + n * 60 + j]
        grads[grad_W + i * 60 + j] = total


@device
def dense_grad_b(block, work, grads, delta, grad_b, N):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    i = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if i < int32(10):
        total = real(0.0)
        for n in range(N):
            total += work[delta + n * 10 + i]
        grads[grad_b + i] = total


@device
def ellipse_grad_d(block, params, work, W_next, a, delta_next, grad_d, N):
    """Write grad_d."""
    # grad_d[n, i] = −a[n, i] · (Σ_j W_next[j, i] delta_next[n, j])/64
    entry = int32(block * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x))
    if entry < N * int32(60):
        n = entry // int32(60)
        i = entry % int32(60)
        total = real(0.0)
        for j in range(int32(10)):
            total += params[W_next + j * 60 + i] * work[delta_next + n * 10 + j]
        work[grad_d + n * 60 + i] = -work[a + n * 60 + i] * total / real(64.0)


@jit
def side_by_side(work, grads, params, N):
    """Do loss_total, dense_grad_W, dense_grad_b and ellipse_grad_d, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    end_2 = int32(end_1 + 5)
    end_3 = int32(end_2 + 1)
    if block < end_1:
        loss_total(block, work, int32(84 * N), int32(160 * N), N)
    elif block < end_2:
        dense_grad_W(int32(block - end_1), work, grads, int32(88 * N), int32(0), int32(7680), N)
    elif block < end_3:
        dense_grad_b(int32(block - end_2), work, grads, int32(88 * N), int32(8280), N)
    else:
        ellipse_grad_d(int32(block - end_3), params, work, int32(7680), int32(0), int32(88 * N), int32(100 * N), N)


@jit
def side_by_side_2(work, params, N):
    """Do loss_total and ellipse_grad_d, each by blocks of its own."""
    block = int32(cuda.blockIdx.x)
    end_1 = int32(1)
    if block < end_1:
        loss_total(block, work, int32(84 * N), int32(160 * N), N)
    else:
        ellipse_grad_d(int32(block - end_1), params, work, int32(7680), int32(0), int32(88 * N), int32(100 * N), N)


@jit
def ellipse_grad_c_to_ellipse_grad_s(params, work, x, grads, c, grad_d, s, grad_c, grad_s, N):
    """Write grad_c and grad_s."""
    entry = int32(cuda.grid(1))
    if entry < int32(3840):
        i = entry // int32(64)
        j = entry % int32(64)
        # grad_c[i, j] = exp(s[i, j]) · Σ_n (2 c[i, j] − 2 x[n, j]) · grad_d[n, i]
        total = real(0.0)
        for n in range(N):
            total += (real(2.0) * params[c + i * 64 + j] - real(2.0) * x[n * 64 + j]) * work[grad_d + n * 60 + i]
        grads[grad_c + i * 64 + j] = total * math.exp(params[s + i * 64 + j])
        # grad_s[i, j] = exp(s[i, j]) · Σ_n (x[n, j] − c[i, j])² grad_d[n, i]
        total = real(0.0)
        for n in range(N):
            base = x[n * 64 + j] - params[c + i * 64 + j]
            total += base * base * work[grad_d + n * 60 + i]
        grads[grad_s + i * 64 + j] = total * math.exp(params[s + i * 64 + j])


@jit
def write_grad_x(params, work, x, grads_x, c, grad_d, s, N):
    """Write grad_x."""
    # grad_x[n, j] = 2 Σ_i (x[n, j] − c[i, j]) · grad_d[n, i] exp(s[i, j])
    entry = int32(cuda.grid(1))
    if entry < N * int32(64):
        n = entry // int32(64)
        j = entry % int32(64)
        total = real(0.0)
        for i in range(int32(60)):
            total += (x[n * 64 + j] - params[c + i * 64 + j]) * work[grad_d + n * 60 + i] * math.exp(params[s + i * 64 + j])
        grads_x[n * 64 + j] = real(2.0) * total


@jit
def fill_table(state, hyper, table, count):
    """Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."""
    row = int32(cuda.grid(1))
    if row < count:
        lr = hyper[0]
        beta1 = hyper[1]
        beta2 = hyper[2]
        eps = hyper[3]
        t = float64(state[16580])
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
        v_next = grads[p] * grads[p] * factor_2 + state[8290 + p] * beta2
        w_next = factor_4 * m_next / (math.sqrt(factor_3 * v_next) + eps) + params[p]
        state[p] = m_next
        state[8290 + p] = v_next
        params[p] = w_next
    if p == first:
        history[row] = value
        step[1] = row + int32(1)
        if math.isfinite(value):
            state[16580] = table[row * 8 + 7]


@jit
def gather(all_x, all_y, order, step, x, y, shuffled, size, n):
    """Write the n rows of batch number step[1], the next one: those that order names, or as they lie."""
    k = int32(cuda.grid(1))
    number = step[1]
    if k == 0:
        step[0] = number
    if k < n * int32(64):
        row = int32(number * size + k // int32(64))
        row = int32(order[row]) if shuffled > 0 else row
        x[k] = all_x[row * 64 + k % int32(64)]
    if k < n:
        row = int32(number * size + k)
        row = int32(order[row]) if shuffled > 0 else row
        y[k] = all_y[row]


def launch_forward(params, x, out, work, n):
    """Start the forward pass of n samples."""
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z, (n * 10 + 127) // 128, 128, params, work, out, 7680, 8280, 0, n)


def launch_loss(params, x, y, work, n):
    """Start the loss of n samples."""
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, work, 7680, 8280, 0, 60 * n, n)
    # loss
    launch(write_loss_p_to_write_loss_L, (n + 127) // 128, 128, work, y, 60 * n, 72 * n, 84 * n, n)
    launch(loss_total_alone, 1, 128, work, n)


def launch_value_and_grad(params, x, y, grads, work, n):
    """Start the loss and the gradients of n samples."""
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, work, 7680, 8280, 0, 60 * n, n)
    launch(write_loss_p_to_dense_delta, (n + 127) // 128, 128, work, y, 60 * n, 72 * n, 84 * n, 88 * n, n)
    # loss
    launch(side_by_side, 1 + 5 + 1 + (n * 60 + 127) // 128, 128, work, grads, params, n)
    # ellipse_1
    launch(ellipse_grad_c_to_ellipse_grad_s, 30, 128, params, work, x, grads, 0, 100 * n, 3840, 0, 3840, n)


def launch_input_gradients(params, x, y, grads_x, work, n):
    """Start the loss and the gradients of n samples with respect to the inputs."""
    # ellipse_1
    launch(ellipse_a, n * 60, 64, params, x, work, 0, 3840, 0, n)
    # dense_1
    launch(dense_z_2, (n * 10 + 127) // 128, 128, params, work, 7680, 8280, 0, 60 * n, n)
    launch(write_loss_p_to_dense_delta, (n + 127) // 128, 128, work, y, 60 * n, 72 * n, 84 * n, 88 * n, n)
    # loss
    launch(side_by_side_2, 1 + (n * 60 + 127) // 128, 128, work, params, n)
    # x
    launch(write_grad_x, (n * 64 + 127) // 128, 128, params, work, x, grads_x, 0, 100 * n, 3840, n)


def launch_update(params, grads, state, hyper, table, losses, place, history, step):
    """Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."""
    launch(update_entries, 65, 128, params, grads, state, table, losses, place, history, step, 0, 8290)


def launch_train_step(x, y, params, grads, state, hyper, table, work, history, step, n):
    """Start one training step of n samples."""
    launch(fill_table, 1, 128, state, hyper, table, 1)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 160 * n, history, step)


def launch_step(all_x, all_y, order, x, y, params, grads, state, hyper, table, work, history, step, shuffled, size, n):
    """Start the next training step of an epoch, with n samples."""
    launch(gather, (n * 64 + 127) // 128, 128, all_x, all_y, order, step, x, y, shuffled, size, n)
    launch_value_and_grad(params, x, y, grads, work, n)
    launch_update(params, grads, state, hyper, table, work, 160 * n, history, step)


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_out = room(out, 10 * n, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_forward, d_params, d_x, d_out, d_work, n)
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
    repeat(1, launch_loss, d_params, d_x, d_y, d_work, n)
    return number(d_work, 160 * n)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 8290, DTYPE)
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_value_and_grad, d_params, d_x, d_y, d_grads, d_work, n)
    give(d_grads, grads)
    return number(d_work, 160 * n)


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
    repeat(1, launch_input_gradients, d_params, d_x, d_y, d_grads_x, d_work, n)
    give(d_grads_x, grads_x)
    return number(d_work, 160 * n)


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
    if not in_range(y, 0, 9):
        return math.nan
    n = x.shape[0]
    d_params = take(params, DTYPE)
    d_x = take(x, DTYPE)
    d_y = take(y, "int64")
    d_grads = room(grads, 8290, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, 8, DTYPE), room(None, 1, DTYPE)
    step = zeros(2, "int32")
    d_work = room(work, workspace(n), DTYPE)
    repeat(1, launch_train_step, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, n)
    give(d_grads, grads)
    give(d_params, params)
    give(d_state, state)
    return number(d_work, 160 * n)


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
    d_grads = room(grads, 8290, DTYPE)
    d_state = take(state, DTYPE)
    d_hyper = take(hyper, "float64")
    d_table, history = room(None, count * 8, DTYPE), room(None, count, DTYPE)
    step = zeros(2, "int32")
    launch(fill_table, (count + 127) // 128, 128, d_state, d_hyper, d_table, count)
    d_work = room(work, workspace(size), DTYPE)
    repeat(
        samples // size, launch_step, all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step,
        shuffled, size, size,
    )
    if samples % size:
        launch_step(
            all_x, all_y, d_order, d_x, d_y, d_params, d_grads, d_state, d_hyper, d_table, d_work, history, step, shuffled, size,
            samples % size,
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


#: The types of each kernel's arguments, for compilers that have no call to look at.
SIGNATURES = {
    "ellipse_a": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z": ("float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "dense_z_2": ("float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32"),
    "write_loss_p_to_write_loss_L": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32"),
    "loss_total_alone": ("float32[::1]", "int32"),
    "write_loss_p_to_dense_delta": ("float32[::1]", "int64[::1]", "int32", "int32", "int32", "int32", "int32"),
    "side_by_side": ("float32[::1]", "float32[::1]", "float32[::1]", "int32"),
    "side_by_side_2": ("float32[::1]", "float32[::1]", "int32"),
    "ellipse_grad_c_to_ellipse_grad_s": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32", "int32", "int32",
    ),
    "write_grad_x": ("float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "int32", "int32", "int32"),
    "fill_table": ("float32[::1]", "float64[::1]", "float32[::1]", "int32"),
    "update_entries": (
        "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "float32[::1]", "int32", "float32[::1]", "int32[::1]", "int32",
        "int32",
    ),
    "gather": ("float32[::1]", "int64[::1]", "int64[::1]", "int32[::1]", "float32[::1]", "int64[::1]", "int32", "int32", "int32"),
}
#: Kernels that compute in float64 whatever DTYPE is.
FLOAT64 = ("fill_table",)
