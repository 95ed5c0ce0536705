"""Kernels of the network residual_concat for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 7043bfcbb6ab84b1b50a75652ab29bc09b424e8fc6bb8ee06caef38d907c2cdc

params, grads, state and work are contiguous 1-D arrays of type float64; x has one sample a row.
y has one number for each sample, integers from 0 to 3.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, view, whole_at
    from .kernels_cpu import exp_64 as exp
    from .kernels_cpu import log_64 as log
    from .kernels_cpu import tanh_64 as tanh
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, view, whole_at
    from kernels_cpu import exp_64 as exp
    from kernels_cpu import log_64 as log
    from kernels_cpu import tanh_64 as tanh

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

real = np.float64


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 38 * n + 1


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    outside = 0
    for k in range(values.size):
        outside |= (values[k] < least) | (values[k] > most)
    return outside == 0


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
            a[n, i] = tanh(z)


@njit(cache=True, error_model="numpy")
def add_a(x_1, x_2, a):
    """Write a."""
    # a[n, i] = x_1[n, i] + x_2[n, i]
    for n in range(x_1.shape[0]):
        for i in range(x_1.shape[1]):
            a[n, i] = x_1[n, i] + x_2[n, i]


@njit(cache=True, error_model="numpy")
def dense_a_2(W, b, x, a):
    """Write a."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    # a[n, i] = z[n, i] [z[n, i] > 0]
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z = b[i] + total
            a[n, i] = 0.0 if z <= 0.0 else z


@njit(cache=True, error_model="numpy")
def concat_a(x_1, x_2, a):
    """Write a."""
    # a[n, k] = x_1[n, k] [0 ≤ k < 6] + x_2[n, k − 6] [0 ≤ k − 6 < 3]
    for n in range(x_1.shape[0]):
        for k in range(6):
            a[n, k] = x_1[n, k]
    for n in range(x_1.shape[0]):
        for k in range(6, 9):
            a[n, k] = x_2[n, k - 6]


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
        for i in range(4):
            z[n, i] = samples_last[i, n]


@njit(cache=True, error_model="numpy")
def write_loss_L_and_p(a, y, p, L, top, total, terms, value):
    """Write p and L."""
    # p[i, n] = exp(a[i, n] − log Σ_j exp(a[j, n]))
    # L[n] = log Σ_i exp(a[i, n]) − a[y[n], n]
    for n in range(a.shape[1]):
        top[n] = -np.inf
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            candidate = a[j, n]
            top[n] = candidate if (candidate > top[n]) | (candidate != candidate) else top[n]
    for n in range(a.shape[1]):
        total[n] = 0.0
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            terms[j, n] = exp(a[j, n] - (top[n] if abs(top[n]) != np.inf else 0.0))
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            total[n] += terms[j, n]
    for i in range(a.shape[0]):
        for n in range(a.shape[1]):
            p[i, n] = terms[i, n] / total[n]
    for n in range(a.shape[1]):
        value[n] = (top[n] if abs(top[n]) != np.inf else 0.0) + log(total[n])
    for n in range(a.shape[1]):
        L[n] = value[n] - a[y[n], n]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    N = L.shape[0]
    total = 0.0
    for n in range(L.shape[0]):
        total += L[n]
    loss_[0] = total / N


@njit(cache=True, error_model="numpy")
def dense_delta(p, y, delta):
    """Write delta."""
    # delta[i, n] = (p[i, n] − [i = y[n]])/N
    N = p.shape[1]
    factor = np.float64(1.0) / N
    for i in range(p.shape[0]):
        for n in range(p.shape[1]):
            p_ = p[i, n]
            delta[i, n] = (p_ - (1.0 if i == y[n] else 0.0)) * factor


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[i, n] x[n, j]
    for i in range(delta.shape[0]):
        for j in range(x.shape[1]):
            total = 0.0
            for n in range(delta.shape[1]):
                total += delta[i, n] * x[n, j]
            grad_W[i, j] = total


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[i, n]
    for i in range(delta.shape[0]):
        total = 0.0
        for n in range(delta.shape[1]):
            total += delta[i, n]
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def concat_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[n, j] = Σ_i W[i, j] delta[i, n]
    for n in range(delta.shape[1]):
        for j in range(W.shape[1]):
            total = 0.0
            for i in range(W.shape[0]):
                total += W[i, j] * delta[i, n]
            grad_a[n, j] = total


@njit(cache=True, error_model="numpy")
def dense_delta_2(a, grad_a, delta):
    """Write delta."""
    # delta[n, i] = grad_a[n, 6 + i] [a[n, i] > 0]
    for n in range(a.shape[0]):
        for i in range(3):
            a_ = a[n, i]
            grad_a_ = grad_a[n, i + 6]
            delta[n, i] = 0.0 if a_ <= 0.0 else grad_a_


@njit(cache=True, error_model="numpy")
def dense_grad_W_2(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    for i in range(delta.shape[1]):
        for j in range(x.shape[1]):
            total = 0.0
            for n in range(delta.shape[0]):
                total += delta[n, i] * x[n, j]
            grad_W[i, j] = total


@njit(cache=True, error_model="numpy")
def dense_grad_b_2(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    for i in range(delta.shape[1]):
        total = 0.0
        for n in range(delta.shape[0]):
            total += delta[n, i]
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def dense_delta_3(a, grad_a, delta):
    """Write delta."""
    # delta[n, i] = (1 − a[n, i]²) · grad_a[n, i]
    for n in range(a.shape[0]):
        for i in range(a.shape[1]):
            delta[n, i] = (1.0 - a[n, i] * a[n, i]) * grad_a[n, i]


@njit(cache=True, error_model="numpy")
def write_grad_x(W, W_2, delta, delta_2, grad_a, grad_x):
    """Write grad_x."""
    # grad_x[n, j] = grad_a[n, j] + Σ_i W[i, j] delta[n, i] + Σ_i W_2[i, j] delta_2[n, i]
    for n in range(delta.shape[0]):
        for j in range(W.shape[1]):
            total = 0.0
            for i in range(W.shape[0]):
                total += W[i, j] * delta[n, i]
            total_2 = 0.0
            for i in range(W_2.shape[0]):
                total_2 += W_2[i, j] * delta_2[n, i]
            grad_x[n, j] = grad_a[n, j] + total + total_2


@njit(cache=True, error_model="numpy")
def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 3):
        return 2
    return 0


@njit(cache=True, error_model="numpy")
def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    dense_1_W = view(params, 0, (6, 6))
    dense_1_b = params[36:42]
    dense_1_a = view(work, 0, (n, 6))
    add_1_a = view(work, 6 * n, (n, 6))
    dense_2_W = view(params, 42, (3, 6))
    dense_2_b = params[60:63]
    dense_2_a = view(work, 12 * n, (n, 3))
    concat_1_a = view(work, 15 * n, (n, 9))
    dense_3_W = view(params, 63, (4, 9))
    dense_3_b = params[99:103]
    dense_3_z_samples_last = view(work, 6 * n, (4, n))
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_a)
    # add_1
    add_a(x, dense_1_a, add_1_a)
    # dense_2
    dense_a_2(dense_2_W, dense_2_b, x, dense_2_a)
    # concat_1
    concat_a(add_1_a, dense_2_a, concat_1_a)
    # dense_3
    dense_z(dense_3_W, dense_3_b, concat_1_a, dense_3_z_samples_last)
    dense_z_2(dense_3_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = view(params, 0, (6, 6))
    dense_1_b = params[36:42]
    dense_1_a = view(work, 0, (n, 6))
    add_1_a = view(work, 6 * n, (n, 6))
    dense_2_W = view(params, 42, (3, 6))
    dense_2_b = params[60:63]
    dense_2_a = view(work, 12 * n, (n, 3))
    concat_1_a = view(work, 15 * n, (n, 9))
    dense_3_W = view(params, 63, (4, 9))
    dense_3_b = params[99:103]
    dense_3_z_samples_last = view(work, 6 * n, (4, n))
    loss_p = view(work, 28 * n, (4, n))
    loss_L = work[10 * n:11 * n]
    top = work[11 * n:12 * n]
    total = work[32 * n:33 * n]
    terms = view(work, 33 * n, (4, n))
    value_ = work[37 * n:38 * n]
    loss_ = work[38 * n:38 * n + 1]
    # dense_1
    dense_a(dense_1_W, dense_1_b, x, dense_1_a)
    # add_1
    add_a(x, dense_1_a, add_1_a)
    # dense_2
    dense_a_2(dense_2_W, dense_2_b, x, dense_2_a)
    # concat_1
    concat_a(add_1_a, dense_2_a, concat_1_a)
    # dense_3
    dense_z(dense_3_W, dense_3_b, concat_1_a, dense_3_z_samples_last)
    # loss
    write_loss_L_and_p(dense_3_z_samples_last, y, loss_p, loss_L, top, total, terms, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view(work, 28 * n, (4, n))
    delta_dense_3 = view(work, 6 * n, (4, n))
    concat_1_a = view(work, 15 * n, (n, 9))
    grad_dense_3_W = view(grads, 63, (4, 9))
    grad_dense_3_b = grads[99:103]
    dense_3_W = view(params, 63, (4, 9))
    grad_concat_1_a = view(work, 15 * n, (n, 9))
    dense_2_a = view(work, 12 * n, (n, 3))
    delta_dense_2 = view(work, 6 * n, (n, 3))
    grad_dense_2_W = view(grads, 42, (3, 6))
    grad_dense_2_b = grads[60:63]
    dense_1_a = view(work, 0, (n, 6))
    delta_dense_1 = view(work, 9 * n, (n, 6))
    grad_dense_1_W = view(grads, 0, (6, 6))
    grad_dense_1_b = grads[36:42]
    # dense_3
    dense_delta(loss_p, y, delta_dense_3)
    dense_grad_W(delta_dense_3, concat_1_a, grad_dense_3_W)
    dense_grad_b(delta_dense_3, grad_dense_3_b)
    # concat_1
    concat_grad_a(dense_3_W, delta_dense_3, grad_concat_1_a)
    # dense_2
    dense_delta_2(dense_2_a, grad_concat_1_a, delta_dense_2)
    dense_grad_W_2(delta_dense_2, x, grad_dense_2_W)
    dense_grad_b_2(delta_dense_2, grad_dense_2_b)
    # dense_1
    dense_delta_3(dense_1_a, grad_concat_1_a, delta_dense_1)
    dense_grad_W_2(delta_dense_1, x, grad_dense_1_W)
    dense_grad_b_2(delta_dense_1, grad_dense_1_b)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (103,))
    x = array_at(real, whole_at(table, 2), (n, 6))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads = array_at(real, whole_at(table, 4), (103,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 103:
        return False
    if grads.size != 103:
        return False
    if x.shape != (n, 6):
        return False
    if y.shape != (n,):
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
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view(work, 28 * n, (4, n))
    delta_dense_3 = view(work, 6 * n, (4, n))
    dense_3_W = view(params, 63, (4, 9))
    grad_concat_1_a = view(work, 15 * n, (n, 9))
    dense_2_a = view(work, 12 * n, (n, 3))
    delta_dense_2 = view(work, 6 * n, (n, 3))
    dense_1_a = view(work, 0, (n, 6))
    delta_dense_1 = view(work, 9 * n, (n, 6))
    dense_2_W = view(params, 42, (3, 6))
    dense_1_W = view(params, 0, (6, 6))
    # dense_3
    dense_delta(loss_p, y, delta_dense_3)
    # concat_1
    concat_grad_a(dense_3_W, delta_dense_3, grad_concat_1_a)
    # dense_2
    dense_delta_2(dense_2_a, grad_concat_1_a, delta_dense_2)
    # dense_1
    dense_delta_3(dense_1_a, grad_concat_1_a, delta_dense_1)
    # x
    write_grad_x(dense_2_W, dense_1_W, delta_dense_2, delta_dense_1, grad_concat_1_a, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (103,))
    x = array_at(real, whole_at(table, 2), (n, 6))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads_x = array_at(real, whole_at(table, 4), (n, 6))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return input_gradients(params, x, y, grads_x, work)


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = params.size
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    t_next = 1.0 + t
    factor = 1.0 - beta1
    factor_2 = 1.0 - beta2
    c_1 = 1.0 - beta1 ** t_next
    c_2 = 1.0 - beta2 ** t_next
    factor_3 = np.float64(1.0) / c_2
    factor_4 = -lr / c_1
    for p in range(P):
        m_next = grads[p] * factor + m[p] * beta1
        v_next = grads[p] * grads[p] * factor_2 + v[p] * beta2
        w_next = factor_4 * m_next / (np.sqrt(factor_3 * v_next) + eps) + params[p]
        m[p] = m_next
        v[p] = v_next
        params[p] = w_next
    state[2 * P] = t_next


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
