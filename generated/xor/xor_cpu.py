"""Kernels of the network xor for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 441f4c0babe57b925191306cf9b1c259c1353e468a39d393c0a8a684fc4dd46e

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, whole_at
    from .kernels_cpu import tanh_64 as tanh
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, whole_at
    from kernels_cpu import tanh_64 as tanh

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
    return 0


@njit(cache=True, error_model="numpy")
def sigmoid(u):
    """Return 1 / (1 + exp(-u)) without overflow."""
    small = np.exp(-abs(u))
    return (small if u < 0.0 else 1.0) / (1.0 + small)


@njit(cache=True, error_model="numpy")
def softplus(u):
    """Return log(1 + exp(u)) without overflow."""
    return np.log1p(np.exp(-abs(u))) + (u if u > 0.0 else 0.0)


@njit(cache=True, error_model="numpy")
def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    N = x.shape[0]
    W_1_0_0, W_1_0_1, W_1_1_0, W_1_1_1 = params[0], params[1], params[2], params[3]
    b_1_0, b_1_1 = params[4], params[5]
    W_2_0_0, W_2_0_1 = params[6], params[7]
    b_2_0 = params[8]
    for n in range(N):
        x_0, x_1 = x[n, 0], x[n, 1]
        # dense_1
        # z_1[n, i] = b_1[i] + Σ_j W_1[i, j] x[n, j]
        z_1_0 = W_1_0_0 * x_0 + W_1_0_1 * x_1 + b_1_0
        z_1_1 = W_1_1_0 * x_0 + W_1_1_1 * x_1 + b_1_1
        # a_1[n, i] = tanh(z_1[n, i])
        a_1_0 = tanh(z_1_0)
        a_1_1 = tanh(z_1_1)
        # dense_2
        # z_2[n, i] = b_2[i] + Σ_j W_2[i, j] a_1[n, j]
        z_2_0 = W_2_0_0 * a_1_0 + W_2_0_1 * a_1_1 + b_2_0
        # a_2[n, i] = σ(z_2[n, i])
        a_2_0 = sigmoid(z_2_0)
        out[n, 0] = a_2_0


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    N = x.shape[0]
    W_1_0_0, W_1_0_1, W_1_1_0, W_1_1_1 = params[0], params[1], params[2], params[3]
    b_1_0, b_1_1 = params[4], params[5]
    W_2_0_0, W_2_0_1 = params[6], params[7]
    b_2_0 = params[8]
    value_sum = 0.0
    for n in range(N):
        x_0, x_1 = x[n, 0], x[n, 1]
        y_0 = y[n, 0]
        # dense_1
        # z_1[n, i] = b_1[i] + Σ_j W_1[i, j] x[n, j]
        z_1_0 = W_1_0_0 * x_0 + W_1_0_1 * x_1 + b_1_0
        z_1_1 = W_1_1_0 * x_0 + W_1_1_1 * x_1 + b_1_1
        # a_1[n, i] = tanh(z_1[n, i])
        a_1_0 = tanh(z_1_0)
        a_1_1 = tanh(z_1_1)
        # dense_2
        # z_2[n, i] = b_2[i] + Σ_j W_2[i, j] a_1[n, j]
        z_2_0 = W_2_0_0 * a_1_0 + W_2_0_1 * a_1_1 + b_2_0
        # loss
        # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
        value_sum += (1.0 - y_0) * softplus(z_2_0) + y_0 * softplus(-z_2_0)
    # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
    value = value_sum / N
    return float(value)


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    N = x.shape[0]
    W_1_0_0, W_1_0_1, W_1_1_0, W_1_1_1 = params[0], params[1], params[2], params[3]
    b_1_0, b_1_1 = params[4], params[5]
    W_2_0_0, W_2_0_1 = params[6], params[7]
    b_2_0 = params[8]
    value_sum = grad_W_2_0_0 = grad_W_2_0_1 = grad_b_2_0 = grad_W_1_0_0 = grad_W_1_0_1 = grad_W_1_1_0 = grad_W_1_1_1 = grad_b_1_0 = 0.0
    grad_b_1_1 = 0.0
    for n in range(N):
        x_0, x_1 = x[n, 0], x[n, 1]
        y_0 = y[n, 0]
        # dense_1
        # z_1[n, i] = b_1[i] + Σ_j W_1[i, j] x[n, j]
        z_1_0 = W_1_0_0 * x_0 + W_1_0_1 * x_1 + b_1_0
        z_1_1 = W_1_1_0 * x_0 + W_1_1_1 * x_1 + b_1_1
        # a_1[n, i] = tanh(z_1[n, i])
        a_1_0 = tanh(z_1_0)
        a_1_1 = tanh(z_1_1)
        # dense_2
        # z_2[n, i] = b_2[i] + Σ_j W_2[i, j] a_1[n, j]
        z_2_0 = W_2_0_0 * a_1_0 + W_2_0_1 * a_1_1 + b_2_0
        # a_2[n, i] = σ(z_2[n, i])
        a_2_0 = sigmoid(z_2_0)
        # loss
        # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
        value_sum += (1.0 - y_0) * softplus(z_2_0) + y_0 * softplus(-z_2_0)
        # dense_2
        # delta_2[n, i] = (a_2[n, i] − y[n, i])/N
        delta_2_0 = (a_2_0 - y_0) / N
        # grad_W_2[i, j] = Σ_n a_1[n, j] delta_2[n, i]
        grad_W_2_0_0 += a_1_0 * delta_2_0
        grad_W_2_0_1 += a_1_1 * delta_2_0
        # grad_b_2[i] = Σ_n delta_2[n, i]
        grad_b_2_0 += delta_2_0
        # dense_1
        # delta_1[n, i] = (1 − a_1[n, i]²) · Σ_j W_2[j, i] delta_2[n, j]
        delta_1_0 = (1.0 - a_1_0 * a_1_0) * W_2_0_0 * delta_2_0
        delta_1_1 = (1.0 - a_1_1 * a_1_1) * W_2_0_1 * delta_2_0
        # grad_W_1[i, j] = Σ_n delta_1[n, i] x[n, j]
        grad_W_1_0_0 += delta_1_0 * x_0
        grad_W_1_0_1 += delta_1_0 * x_1
        grad_W_1_1_0 += delta_1_1 * x_0
        grad_W_1_1_1 += delta_1_1 * x_1
        # grad_b_1[i] = Σ_n delta_1[n, i]
        grad_b_1_0 += delta_1_0
        grad_b_1_1 += delta_1_1
    grads[0], grads[1], grads[2], grads[3] = grad_W_1_0_0, grad_W_1_0_1, grad_W_1_1_0, grad_W_1_1_1
    grads[4], grads[5] = grad_b_1_0, grad_b_1_1
    grads[6], grads[7] = grad_W_2_0_0, grad_W_2_0_1
    grads[8] = grad_b_2_0
    # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
    value = value_sum / N
    return float(value)


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
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 9:
        return False
    if grads.size != 9:
        return False
    if x.shape != (n, 2):
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
    N = x.shape[0]
    W_1_0_0, W_1_0_1, W_1_1_0, W_1_1_1 = params[0], params[1], params[2], params[3]
    b_1_0, b_1_1 = params[4], params[5]
    W_2_0_0, W_2_0_1 = params[6], params[7]
    b_2_0 = params[8]
    value_sum = 0.0
    for n in range(N):
        x_0, x_1 = x[n, 0], x[n, 1]
        y_0 = y[n, 0]
        # dense_1
        # z_1[n, i] = b_1[i] + Σ_j W_1[i, j] x[n, j]
        z_1_0 = W_1_0_0 * x_0 + W_1_0_1 * x_1 + b_1_0
        z_1_1 = W_1_1_0 * x_0 + W_1_1_1 * x_1 + b_1_1
        # a_1[n, i] = tanh(z_1[n, i])
        a_1_0 = tanh(z_1_0)
        a_1_1 = tanh(z_1_1)
        # dense_2
        # z_2[n, i] = b_2[i] + Σ_j W_2[i, j] a_1[n, j]
        z_2_0 = W_2_0_0 * a_1_0 + W_2_0_1 * a_1_1 + b_2_0
        # a_2[n, i] = σ(z_2[n, i])
        a_2_0 = sigmoid(z_2_0)
        # loss
        # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
        value_sum += (1.0 - y_0) * softplus(z_2_0) + y_0 * softplus(-z_2_0)
        # dense_2
        # delta_2[n, i] = (a_2[n, i] − y[n, i])/N
        delta_2_0 = (a_2_0 - y_0) / N
        # dense_1
        # delta_1[n, i] = (1 − a_1[n, i]²) · Σ_j W_2[j, i] delta_2[n, j]
        delta_1_0 = (1.0 - a_1_0 * a_1_0) * W_2_0_0 * delta_2_0
        delta_1_1 = (1.0 - a_1_1 * a_1_1) * W_2_0_1 * delta_2_0
        # x
        # grad_x[n, j] = Σ_i W_1[i, j] delta_1[n, i]
        grad_x_0 = W_1_0_0 * delta_1_0 + W_1_1_0 * delta_1_1
        grad_x_1 = W_1_0_1 * delta_1_0 + W_1_1_1 * delta_1_1
        grads_x[n, 0], grads_x[n, 1] = grad_x_0, grad_x_1
    # loss = (Σ_{n, i} ((1 − y[n, i]) · softplus(z_2[n, i]) + y[n, i] softplus(−z_2[n, i])))/N
    value = value_sum / N
    return float(value)


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
