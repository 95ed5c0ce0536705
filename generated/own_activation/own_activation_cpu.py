"""Kernels of the network own_activation for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: d2e8b49828531775019b40f10fd739e5d557c27ee8d9f0f79ab068848f2ec51f

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, view, whole_at
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, view, whole_at

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

real = np.float64


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 20 * n + 4


@njit(cache=True, error_model="numpy")
def dense_a(W, b, x, z, a):
    """Write z and a."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    # a[n, i] = √(1 + z[n, i]²)/2 + z[n, i] − 1/2
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z[n, i] = b[i] + total
            a[n, i] = np.sqrt(1.0 + z[n, i] * z[n, i]) / 2.0 + z[n, i] - 0.5


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[i, n] = b[i] + Σ_j W[i, j] x[n, j]
    for i in range(W.shape[0]):
        for n in range(x.shape[0]):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z[i, n] = b[i] + total


@njit(cache=True, error_model="numpy")
def dense_z_2(samples_last, z):
    """Write z."""
    # z[n, i] = samples_last[i, n]
    for n in range(samples_last.shape[1]):
        for i in range(1):
            z[n, i] = samples_last[i, n]


@njit(cache=True, error_model="numpy")
def write_y_samples_last(y, samples_last):
    """Write samples_last."""
    # samples_last[i, n] = y[n, i]
    for i in range(samples_last.shape[0]):
        for n in range(y.shape[0]):
            samples_last[i, n] = y[n, i]


@njit(cache=True, error_model="numpy")
def write_loss_data(a, y, loss_):
    """Write loss."""
    # loss = (Σ_{i, n} ((|a[i, n] − y[i, n]|/2 − 1/8) · [|a[i, n] − y[i, n]| ≥ 1/2] + (a[i, n] − y[i, n])² [1/2 > |a[i, n] − y[i,
    #     n]|]/2))/(N n_1)
    N = a.shape[1]
    n_1 = a.shape[0]
    total = 0.0
    for i in range(a.shape[0]):
        for n in range(a.shape[1]):
            t = a[i, n] - y[i, n]
            total += abs(t) / 2.0 - 0.125 if abs(t) >= 0.5 else t * t / 2.0
    loss_[0] = total / N / n_1


@njit(cache=True, error_model="numpy")
def loss_penalty(W, penalty):
    """Write penalty."""
    # penalty = 0.0005 Σ_{i, j} W[i, j]² + 0.0001 Σ_{i, j} |W[i, j]|
    total = 0.0
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            total += W[i, j] * W[i, j]
    total_2 = 0.0
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            total_2 += abs(W[i, j])
    penalty[0] = 0.0005 * total + 0.0001 * total_2


@njit(cache=True, error_model="numpy")
def loss_total(t_1, t_2, t_3, total):
    """Write total."""
    # total = t_1 + t_2 + t_3
    total[0] = t_1[0] + t_2[0] + t_3[0]


@njit(cache=True, error_model="numpy")
def dense_delta(y_next, z, delta):
    """Write delta."""
    # delta[n, i] = (sign(z[i, n] − y_next[i, n]) · [|z[i, n] − y_next[i, n]| ≥ 1/2] + 2 · (z[i, n] − y_next[i, n]) · [1/2 > |z[i, n]
    #     − y_next[i, n]|])/(2 N n_1)
    N = y_next.shape[1]
    n_1 = y_next.shape[0]
    factor = np.float64(1.0) / 2.0 / N / n_1
    for n in range(y_next.shape[1]):
        for i in range(y_next.shape[0]):
            y_next_ = y_next[i, n]
            z_ = z[i, n]
            t = z_ - y_next_
            delta[n, i] = (np.sign(t) if abs(t) >= 0.5 else 2.0 * t) * factor


@njit(cache=True, error_model="numpy")
def dense_grad_W(W, delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = 0.001 W[i, j] + 0.0001 sign(W[i, j]) + Σ_n delta[n, i] x[n, j]
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            total = 0.0
            for n in range(delta.shape[0]):
                total += delta[n, i] * x[n, j]
            grad_W[i, j] = 0.001 * W[i, j] + 0.0001 * np.sign(W[i, j]) + total


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    for i in range(delta.shape[1]):
        total = 0.0
        for n in range(delta.shape[0]):
            total += delta[n, i]
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def dense_delta_2(W_next, delta_next, z, delta):
    """Write delta."""
    # delta[n, i] = (1 + z[n, i]/(2 √(1 + z[n, i]²))) · Σ_j W_next[j, i] delta_next[n, j]
    for n in range(delta_next.shape[0]):
        for i in range(W_next.shape[1]):
            total = 0.0
            for j in range(W_next.shape[0]):
                total += W_next[j, i] * delta_next[n, j]
            delta[n, i] = (1.0 + z[n, i] / 2.0 / np.sqrt(1.0 + z[n, i] * z[n, i])) * total


@njit(cache=True, error_model="numpy")
def write_grad_x(W, delta, grad_x):
    """Write grad_x."""
    # grad_x[n, j] = Σ_i W[i, j] delta[n, i]
    for n in range(delta.shape[0]):
        for j in range(W.shape[1]):
            total = 0.0
            for i in range(W.shape[0]):
                total += W[i, j] * delta[n, i]
            grad_x[n, j] = total


@njit(cache=True, error_model="numpy")
def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    dense_1_W = view(params, 0, (8, 3))
    dense_1_b = params[24:32]
    dense_1_z = view(work, n, (n, 8))
    dense_1_a = view(work, 9 * n, (n, 8))
    dense_2_W = view(params, 32, (1, 8))
    dense_2_b = params[40:41]
    dense_2_z_samples_last = view(work, 17 * n, (1, n))
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_z, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z_samples_last)
    dense_z_2(dense_2_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    n = x.shape[0]
    y_samples_last = view(work, 0, (1, n))
    dense_1_W = view(params, 0, (8, 3))
    dense_1_b = params[24:32]
    dense_1_z = view(work, n, (n, 8))
    dense_1_a = view(work, 9 * n, (n, 8))
    dense_2_W = view(params, 32, (1, 8))
    dense_2_b = params[40:41]
    dense_2_z_samples_last = view(work, 17 * n, (1, n))
    loss_data = work[20 * n:20 * n + 1]
    loss_penalty_1 = work[20 * n + 1:20 * n + 2]
    loss_penalty_2 = work[20 * n + 2:20 * n + 3]
    loss_ = work[20 * n + 3:20 * n + 4]
    # y
    write_y_samples_last(y, y_samples_last)
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_z, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z_samples_last)
    # loss
    write_loss_data(dense_2_z_samples_last, y_samples_last, loss_data)
    loss_penalty(dense_1_W, loss_penalty_1)
    loss_penalty(dense_2_W, loss_penalty_2)
    loss_total(loss_data, loss_penalty_1, loss_penalty_2, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    value = loss(params, x, y, work)
    y_samples_last = view(work, 0, (1, n))
    dense_2_z_samples_last = view(work, 17 * n, (1, n))
    delta_dense_2 = view(work, 19 * n, (n, 1))
    dense_2_W = view(params, 32, (1, 8))
    dense_1_a = view(work, 9 * n, (n, 8))
    grad_dense_2_W = view(grads, 32, (1, 8))
    grad_dense_2_b = grads[40:41]
    dense_1_z = view(work, n, (n, 8))
    delta_dense_1 = view(work, 9 * n, (n, 8))
    dense_1_W = view(params, 0, (8, 3))
    grad_dense_1_W = view(grads, 0, (8, 3))
    grad_dense_1_b = grads[24:32]
    # dense_2
    dense_delta(y_samples_last, dense_2_z_samples_last, delta_dense_2)
    dense_grad_W(dense_2_W, delta_dense_2, dense_1_a, grad_dense_2_W)
    dense_grad_b(delta_dense_2, grad_dense_2_b)
    # dense_1
    dense_delta_2(dense_2_W, delta_dense_2, dense_1_z, delta_dense_1)
    dense_grad_W(dense_1_W, delta_dense_1, x, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (41,))
    x = array_at(real, whole_at(table, 2), (n, 3))
    y = array_at(real, whole_at(table, 3), (n, 1))
    grads = array_at(real, whole_at(table, 4), (41,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 41:
        return False
    if grads.size != 41:
        return False
    if x.shape != (n, 3):
        return False
    if y.shape != (n, 1):
        return False
    if not (apart(grads, params) and apart(grads, x) and apart(grads, y)):
        return False
    table[0] = n
    table[1] = params.ctypes.data
    table[2] = x.ctypes.data
    table[3] = y.ctypes.data
    table[4] = grads.ctypes.data
    return True


@njit(cache=True, error_model="numpy")
def input_gradients(params, x, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    value = loss(params, x, y, work)
    y_samples_last = view(work, 0, (1, n))
    dense_2_z_samples_last = view(work, 17 * n, (1, n))
    delta_dense_2 = view(work, 19 * n, (n, 1))
    dense_2_W = view(params, 32, (1, 8))
    dense_1_z = view(work, n, (n, 8))
    delta_dense_1 = view(work, 9 * n, (n, 8))
    dense_1_W = view(params, 0, (8, 3))
    # dense_2
    dense_delta(y_samples_last, dense_2_z_samples_last, delta_dense_2)
    # dense_1
    dense_delta_2(dense_2_W, delta_dense_2, dense_1_z, delta_dense_1)
    # x
    write_grad_x(dense_1_W, delta_dense_1, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (41,))
    x = array_at(real, whole_at(table, 2), (n, 3))
    y = array_at(real, whole_at(table, 3), (n, 1))
    grads_x = array_at(real, whole_at(table, 4), (n, 3))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return input_gradients(params, x, y, grads_x, work)


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # s_next[p] = g[p]² · (1 − rho) + rho s[p]
    # w_next[p] = w[p] − lr g[p]/(√s_next[p] + eps)
    P = params.size
    lr = hyper[0]
    rho = hyper[1]
    eps = hyper[2]
    s = state[0:P]
    factor = 1.0 - rho
    for p in range(P):
        s_next = grads[p] * grads[p] * factor + s[p] * rho
        w_next = params[p] - grads[p] * lr / (np.sqrt(s_next) + eps)
        s[p] = s_next
        params[p] = w_next


@njit(cache=True, error_model="numpy")
def train_step(params, x, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value


@njit(cache=True, error_model="numpy", nogil=True)
def epoch(params, x, y, order, size, batch_x, batch_y, grads, state, hyper, work):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… hold what is chosen.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    total = 0.0
    samples = x.shape[0]
    for low in range(0, samples, size):
        high = min(low + size, samples)
        part_x = x[low:high]
        part_y = y[low:high]
        if order.size > 0:
            part_x = chosen(x, order[low:high], batch_x)
            part_y = chosen(y, order[low:high], batch_y)
        value = train_step(params, part_x, part_y, grads, state, hyper, work)
        if not np.isfinite(value):
            return value, low // size + 1
        total += value * (high - low)
    return total, 0
