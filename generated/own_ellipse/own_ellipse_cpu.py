"""Kernels of the network own_ellipse for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: b12b1fc78676aa6b8e7074d4593593175d79b51646e3c3d10edd84147321bdc5

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, njit, view, whole_at
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
except ImportError:
    from kernels_cpu import apart, array_at, njit, view, whole_at
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log

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

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 150 * n + 1


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    flat = values.reshape(values.size)
    outside = 0
    for k in range(flat.size):
        outside |= (flat[k] < least) | (flat[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def ellipse_a(c, s, x, a):
    """Write a."""
    # d[n, i] = Σ_j (x[n, j] − c[i, j])² exp(s[i, j])
    # a[n, i] = exp(−d[n, i]/64)
    for n in range(x.shape[0]):
        for i in range(60):
            total = real(0.0)
            for j in range(64):
                base = x[n, j] - c[i, j]
                total += base * base * exp(s[i, j])
            d = total
            a[n, i] = exp(-d / real(64.0))


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            total = real(0.0)
            for j in range(W.shape[1]):
                total += W[i, j] * x[n, j]
            z[n, i] = b[i] + total


@njit(cache=True, error_model="numpy")
def write_loss_p(a, p):
    """Write p."""
    # p[n, i] = exp(a[n, i] − log Σ_j exp(a[n, j]))
    for n in range(a.shape[0]):
        top = real(-np.inf)
        for j in range(a.shape[1]):
            candidate = a[n, j]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(np.inf) else real(0.0)
        total = real(0.0)
        for j in range(a.shape[1]):
            total += exp(a[n, j] - shift)
        for i in range(a.shape[1]):
            p[n, i] = exp(a[n, i] - shift) / total


@njit(cache=True, error_model="numpy")
def write_loss_L(a, y, L):
    """Write L."""
    # L[n] = log Σ_i exp(a[n, i]) − a[n, y[n]]
    for n in range(a.shape[0]):
        top = real(-np.inf)
        for i in range(10):
            candidate = a[n, i]
            top = candidate if (candidate > top) | (candidate != candidate) else top
        shift = top if abs(top) != real(np.inf) else real(0.0)
        total = real(0.0)
        for i in range(10):
            total += exp(a[n, i] - shift)
        L[n] = shift + log(total) - a[n, y[n]]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    N = L.shape[0]
    total = real(0.0)
    for n in range(L.shape[0]):
        total += L[n]
    loss_[0] = total / real(N)


@njit(cache=True, error_model="numpy")
def dense_delta(p, y, delta):
    """Write delta."""
    # delta[n, i] = (p[n, i] − [i = y[n]])/N
    N = p.shape[0]
    for n in range(p.shape[0]):
        for i in range(p.shape[1]):
            p_ = p[n, i]
            delta[n, i] = (p_ - (real(1.0) if i == y[n] else real(0.0))) / real(N)


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    for i in range(delta.shape[1]):
        for j in range(x.shape[1]):
            total = real(0.0)
            for n in range(delta.shape[0]):
                total += delta[n, i] * x[n, j]
            grad_W[i, j] = total


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    for i in range(delta.shape[1]):
        total = real(0.0)
        for n in range(delta.shape[0]):
            total += delta[n, i]
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def ellipse_grad_d(W_next, a, delta_next, grad_d):
    """Write grad_d."""
    # grad_d[n, i] = −a[n, i] · (Σ_j W_next[j, i] delta_next[n, j])/64
    for n in range(a.shape[0]):
        for i in range(60):
            total = real(0.0)
            for j in range(W_next.shape[0]):
                total += W_next[j, i] * delta_next[n, j]
            grad_d[n, i] = -a[n, i] * total / real(64.0)


@njit(cache=True, error_model="numpy")
def ellipse_grad_c(c, grad_d, s, x, grad_c):
    """Write grad_c."""
    # grad_c[i, j] = exp(s[i, j]) · Σ_n (2 c[i, j] − 2 x[n, j]) · grad_d[n, i]
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = real(0.0)
            for n in range(grad_d.shape[0]):
                total += (real(2.0) * c[i, j] - real(2.0) * x[n, j]) * grad_d[n, i]
            grad_c[i, j] = total * exp(s[i, j])


@njit(cache=True, error_model="numpy")
def ellipse_grad_s(c, grad_d, s, x, grad_s):
    """Write grad_s."""
    # grad_s[i, j] = exp(s[i, j]) · Σ_n (x[n, j] − c[i, j])² grad_d[n, i]
    for i in range(s.shape[0]):
        for j in range(s.shape[1]):
            total = real(0.0)
            for n in range(grad_d.shape[0]):
                base = x[n, j] - c[i, j]
                total += base * base * grad_d[n, i]
            grad_s[i, j] = total * exp(s[i, j])


@njit(cache=True, error_model="numpy")
def write_grad_x(c, grad_d, s, x, grad_x):
    """Write grad_x."""
    # grad_x[n, j] = 2 Σ_i (x[n, j] − c[i, j]) · grad_d[n, i] exp(s[i, j])
    for n in range(grad_d.shape[0]):
        for j in range(x.shape[1]):
            total = real(0.0)
            for i in range(60):
                total += (x[n, j] - c[i, j]) * grad_d[n, i] * exp(s[i, j])
            grad_x[n, j] = real(2.0) * total


@njit(cache=True, error_model="numpy")
def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 9):
        return 2
    return 0


@njit(cache=True, error_model="numpy")
def forward(params, x, out, work):
    """Write the network's output for a batch into out."""
    n = x.shape[0]
    ellipse_1_c = view(params, 0, (60, 64))
    ellipse_1_s = view(params, 3840, (60, 64))
    ellipse_1_a = view(work, 0, (n, 60))
    dense_1_W = view(params, 7680, (10, 60))
    dense_1_b = params[8280:8290]
    # ellipse_1
    ellipse_a(ellipse_1_c, ellipse_1_s, x, ellipse_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, ellipse_1_a, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    ellipse_1_c = view(params, 0, (60, 64))
    ellipse_1_s = view(params, 3840, (60, 64))
    ellipse_1_a = view(work, 0, (n, 60))
    dense_1_W = view(params, 7680, (10, 60))
    dense_1_b = params[8280:8290]
    dense_1_z = view(work, 60 * n, (n, 10))
    loss_p = view(work, 70 * n, (n, 10))
    loss_L = work[80 * n:81 * n]
    loss_ = work[150 * n:150 * n + 1]
    # ellipse_1
    ellipse_a(ellipse_1_c, ellipse_1_s, x, ellipse_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, ellipse_1_a, dense_1_z)
    # loss
    write_loss_p(dense_1_z, loss_p)
    write_loss_L(dense_1_z, y, loss_L)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view(work, 70 * n, (n, 10))
    delta_dense_1 = view(work, 80 * n, (n, 10))
    ellipse_1_a = view(work, 0, (n, 60))
    grad_dense_1_W = view(grads, 7680, (10, 60))
    grad_dense_1_b = grads[8280:8290]
    dense_1_W = view(params, 7680, (10, 60))
    grad_ellipse_1_d = view(work, 90 * n, (n, 60))
    ellipse_1_c = view(params, 0, (60, 64))
    ellipse_1_s = view(params, 3840, (60, 64))
    grad_ellipse_1_c = view(grads, 0, (60, 64))
    grad_ellipse_1_s = view(grads, 3840, (60, 64))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    dense_grad_W(delta_dense_1, ellipse_1_a, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    # ellipse_1
    ellipse_grad_d(dense_1_W, ellipse_1_a, delta_dense_1, grad_ellipse_1_d)
    ellipse_grad_c(ellipse_1_c, grad_ellipse_1_d, ellipse_1_s, x, grad_ellipse_1_c)
    ellipse_grad_s(ellipse_1_c, grad_ellipse_1_d, ellipse_1_s, x, grad_ellipse_1_s)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (8290,))
    x = array_at(real, whole_at(table, 2), (n, 64))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads = array_at(real, whole_at(table, 4), (8290,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 8290:
        return False
    if grads.size != 8290:
        return False
    if x.shape != (n, 64):
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
    loss_p = view(work, 70 * n, (n, 10))
    delta_dense_1 = view(work, 80 * n, (n, 10))
    dense_1_W = view(params, 7680, (10, 60))
    ellipse_1_a = view(work, 0, (n, 60))
    grad_ellipse_1_d = view(work, 90 * n, (n, 60))
    ellipse_1_c = view(params, 0, (60, 64))
    ellipse_1_s = view(params, 3840, (60, 64))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    # ellipse_1
    ellipse_grad_d(dense_1_W, ellipse_1_a, delta_dense_1, grad_ellipse_1_d)
    # x
    write_grad_x(ellipse_1_c, grad_ellipse_1_d, ellipse_1_s, x, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (8290,))
    x = array_at(real, whole_at(table, 2), (n, 64))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads_x = array_at(real, whole_at(table, 4), (n, 64))
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
    factor_3 = 1.0 / c_2
    factor_4 = -lr / c_1
    for p in range(P):
        m_next = grads[p] * real(factor) + m[p] * real(beta1)
        v_next = grads[p] * grads[p] * real(factor_2) + v[p] * real(beta2)
        w_next = real(factor_4) * m_next / (np.sqrt(real(factor_3) * v_next) + real(eps)) + params[p]
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
