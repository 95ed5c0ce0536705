"""Kernels of the network xor for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 441f4c0babe57b925191306cf9b1c259c1353e468a39d393c0a8a684fc4dd46e

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has 1 numbers for each sample.
"""

import numpy as np

try:
    from .kernels_cpu import array_at, njit, view, whole_at
except ImportError:
    from kernels_cpu import array_at, njit, view, whole_at

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

real = np.float64


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 6 * n + 1


@njit(cache=True, error_model="numpy")
def sigmoid(u):
    """Return 1 / (1 + exp(-u)) without overflow."""
    if u <= 0.0:
        small = np.exp(u)
        return small / (1.0 + small)
    return 1.0 / (1.0 + np.exp(-u))


@njit(cache=True, error_model="numpy")
def softplus(u):
    """Return log(1 + exp(u)) without overflow."""
    if u <= 0.0:
        return np.log1p(np.exp(u))
    return u + np.log1p(np.exp(-u))


@njit(cache=True, error_model="numpy")
def dense_a(W, b, x, a):
    """Write a."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    # a[n, i] = tanh(z[n, i])
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z = b[i] + total
            a[n, i] = np.tanh(z)


@njit(cache=True, error_model="numpy")
def dense_a_2(W, b, x, z, a):
    """Write z and a."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    # a[n, i] = σ(z[n, i])
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z[n, i] = b[i] + total
            a[n, i] = sigmoid(z[n, i])


@njit(cache=True, error_model="numpy")
def loss_total(y, z, loss_):
    """Write loss."""
    # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z[n, i]) + y[n, i] softplus(−z[n, i])))/(N n_1)
    N = y.shape[0]
    n_1 = y.shape[1]
    total = 0.0
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            total += (1.0 - y[n, i]) * softplus(z[n, i]) + y[n, i] * softplus(-z[n, i])
    loss_[0] = total / N / n_1


@njit(cache=True, error_model="numpy")
def dense_delta(a, y, delta):
    """Write delta."""
    # delta[n, i] = (a[n, i] − y[n, i])/(N n_1)
    N = a.shape[0]
    n_1 = a.shape[1]
    for n in range(a.shape[0]):
        for i in range(a.shape[1]):
            delta[n, i] = (a[n, i] - y[n, i]) / N / n_1


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    for i in range(delta.shape[1]):
        for j in range(x.shape[1]):
            total = 0.0
            for n in range(delta.shape[0]):
                total += delta[n, i] * x[n, j]
            grad_W[i, j] = total


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
def dense_delta_2(W_next, a, delta_next, delta):
    """Write delta."""
    # delta[n, i] = (1 − a[n, i]²) · Σ_j W_next[j, i] delta_next[n, j]
    for n in range(a.shape[0]):
        for i in range(W_next.shape[1]):
            total = 0.0
            for j in range(W_next.shape[0]):
                total += W_next[j, i] * delta_next[n, j]
            delta[n, i] = (1.0 - a[n, i] * a[n, i]) * total


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
    dense_1_W = view(params, 0, (2, 2))
    dense_1_b = params[4:6]
    dense_1_a = view(work, 0, (n, 2))
    dense_2_W = view(params, 6, (1, 2))
    dense_2_b = params[8:9]
    dense_2_z = view(work, 2 * n, (n, 1))
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_a)
    # dense_2
    dense_a_2(dense_2_W, dense_2_b, dense_1_a, dense_2_z, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    n = x.shape[0]
    dense_1_W = view(params, 0, (2, 2))
    dense_1_b = params[4:6]
    dense_1_a = view(work, 0, (n, 2))
    dense_2_W = view(params, 6, (1, 2))
    dense_2_b = params[8:9]
    dense_2_z = view(work, 2 * n, (n, 1))
    dense_2_a = view(work, 3 * n, (n, 1))
    loss_ = work[6 * n:6 * n + 1]
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_a)
    # dense_2
    dense_a_2(dense_2_W, dense_2_b, dense_1_a, dense_2_z, dense_2_a)
    # loss
    loss_total(y, dense_2_z, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    n = x.shape[0]
    value = loss(params, x, y, work)
    dense_2_a = view(work, 3 * n, (n, 1))
    delta_dense_2 = view(work, 2 * n, (n, 1))
    dense_1_a = view(work, 0, (n, 2))
    grad_dense_2_W = view(grads, 6, (1, 2))
    grad_dense_2_b = grads[8:9]
    dense_2_W = view(params, 6, (1, 2))
    delta_dense_1 = view(work, 4 * n, (n, 2))
    grad_dense_1_W = view(grads, 0, (2, 2))
    grad_dense_1_b = grads[4:6]
    # dense_2
    dense_delta(dense_2_a, y, delta_dense_2)
    dense_grad_W(delta_dense_2, dense_1_a, grad_dense_2_W)
    dense_grad_b(delta_dense_2, grad_dense_2_b)
    # dense_1
    dense_delta_2(dense_2_W, dense_1_a, delta_dense_2, delta_dense_1)
    dense_grad_W(delta_dense_1, x, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (9,))
    x = array_at(real, whole_at(table, 2), (n, 2))
    y = array_at(real, whole_at(table, 3), (n, 1))
    grads = array_at(real, whole_at(table, 4), (9,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def input_gradients(params, x, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    n = x.shape[0]
    value = loss(params, x, y, work)
    dense_2_a = view(work, 3 * n, (n, 1))
    delta_dense_2 = view(work, 2 * n, (n, 1))
    dense_2_W = view(params, 6, (1, 2))
    dense_1_a = view(work, 0, (n, 2))
    delta_dense_1 = view(work, 4 * n, (n, 2))
    dense_1_W = view(params, 0, (2, 2))
    # dense_2
    dense_delta(dense_2_a, y, delta_dense_2)
    # dense_1
    dense_delta_2(dense_2_W, dense_1_a, delta_dense_2, delta_dense_1)
    # x
    write_grad_x(dense_1_W, delta_dense_1, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (9,))
    x = array_at(real, whole_at(table, 2), (n, 2))
    y = array_at(real, whole_at(table, 3), (n, 1))
    grads_x = array_at(real, whole_at(table, 4), (n, 2))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return input_gradients(params, x, y, grads_x, work)


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # w_next[p] = w[p] − lr g[p]
    P = params.size
    lr = hyper[0]
    for p in range(P):
        w_next = params[p] - grads[p] * lr
        params[p] = w_next


@njit(cache=True, error_model="numpy")
def train_step(params, x, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
