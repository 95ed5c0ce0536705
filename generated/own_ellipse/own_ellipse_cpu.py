"""Kernels of the network own_ellipse for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 363aeb1ef82642c60f8269c8a7cc294294a62dc4543015bbcc24fd32c127690f

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, sum_of, view, whole_at
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, sum_of, view, whole_at
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products

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
    return 140 * n + 124


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    outside = 0
    for k in range(values.size):
        outside |= (values[k] < least) | (values[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def ellipse_a(c, s, x, a, terms, total):
    """Write a."""
    # d[n, i] = Σ_j (x[n, j] − c[i, j])² exp(s[i, j])
    # a[n, i] = exp(−d[n, i]/64)
    for n in range(x.shape[0]):
        for i in range(60):
            for j in range(64):
                base = x[n, j] - c[i, j]
                terms[j] = base * base * exp(s[i, j])
            total[i] = sum_of(terms)
        for i in range(60):
            d = total[i]
            a[n, i] = exp(-d / real(64.0))


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[i, n] = b[i] + Σ_j W[i, j] x[n, j]
    row_products(W, x, z)
    for i in range(W.shape[0]):
        for n in range(x.shape[0]):
            z[i, n] = b[i] + z[i, n]


@njit(cache=True, error_model="numpy")
def dense_z_2(samples_last, z):
    """Write z."""
    # z[n, i] = samples_last[i, n]
    for n in range(samples_last.shape[1]):
        for i in range(10):
            z[n, i] = samples_last[i, n]


@njit(cache=True, error_model="numpy")
def write_loss_L_and_p(a, y, p, L, top, total, terms, value):
    """Write p and L."""
    # p[i, n] = exp(a[i, n] − log Σ_j exp(a[j, n]))
    # L[n] = log Σ_i exp(a[i, n]) − a[y[n], n]
    for n in range(a.shape[1]):
        top[n] = real(-np.inf)
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            candidate = a[j, n]
            top[n] = candidate if (candidate > top[n]) | (candidate != candidate) else top[n]
    for n in range(a.shape[1]):
        total[n] = real(0.0)
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            terms[j, n] = exp(a[j, n] - (top[n] if abs(top[n]) != real(np.inf) else real(0.0)))
    for j in range(a.shape[0]):
        for n in range(a.shape[1]):
            total[n] += terms[j, n]
    for i in range(a.shape[0]):
        for n in range(a.shape[1]):
            p[i, n] = terms[i, n] / total[n]
    for n in range(a.shape[1]):
        value[n] = (top[n] if abs(top[n]) != real(np.inf) else real(0.0)) + log(total[n])
    for n in range(a.shape[1]):
        L[n] = value[n] - a[y[n], n]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    N = L.shape[0]
    loss_[0] = sum_of(L)
    loss_[0] = loss_[0] / real(N)


@njit(cache=True, error_model="numpy")
def dense_delta(p, y, delta):
    """Write delta."""
    # delta[i, n] = (p[i, n] − [i = y[n]])/N
    N = p.shape[1]
    factor = real(1.0) / real(N)
    for i in range(p.shape[0]):
        for n in range(p.shape[1]):
            p_ = p[i, n]
            delta[i, n] = (p_ - (real(1.0) if i == y[n] else real(0.0))) * factor


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[i, n] x[n, j]
    product(delta, x, grad_W)


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[i, n]
    for i in range(delta.shape[0]):
        total = sum_of(delta[i])
        grad_b[i] = total


@njit(cache=True, error_model="numpy")
def ellipse_grad_d(W_next, a, delta_next, grad_d):
    """Write grad_d."""
    # grad_d[n, i] = −a[n, i] · (Σ_j W_next[j, i] delta_next[j, n])/64
    product(delta_next.T, W_next, grad_d)
    for n in range(a.shape[0]):
        for i in range(60):
            grad_d[n, i] = -a[n, i] * grad_d[n, i] / real(64.0)


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
    terms = work[140 * n:140 * n + 64]
    total = work[140 * n + 64:140 * n + 124]
    dense_1_W = view(params, 7680, (10, 60))
    dense_1_b = params[8280:8290]
    dense_1_z_samples_last = view(work, 60 * n, (10, n))
    # ellipse_1
    ellipse_a(ellipse_1_c, ellipse_1_s, x, ellipse_1_a, terms, total)
    # dense_1
    dense_z(dense_1_W, dense_1_b, ellipse_1_a, dense_1_z_samples_last)
    dense_z_2(dense_1_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    ellipse_1_c = view(params, 0, (60, 64))
    ellipse_1_s = view(params, 3840, (60, 64))
    ellipse_1_a = view(work, 0, (n, 60))
    terms = work[140 * n:140 * n + 64]
    total = work[140 * n + 64:140 * n + 124]
    dense_1_W = view(params, 7680, (10, 60))
    dense_1_b = params[8280:8290]
    dense_1_z_samples_last = view(work, 60 * n, (10, n))
    loss_p = view(work, 80 * n, (10, n))
    loss_L = work[90 * n:91 * n]
    top = work[91 * n:92 * n]
    total_ = work[92 * n:93 * n]
    terms_ = view(work, 93 * n, (10, n))
    value_ = work[103 * n:104 * n]
    loss_ = work[140 * n:140 * n + 1]
    # ellipse_1
    ellipse_a(ellipse_1_c, ellipse_1_s, x, ellipse_1_a, terms, total)
    # dense_1
    dense_z(dense_1_W, dense_1_b, ellipse_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y, loss_p, loss_L, top, total_, terms_, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view(work, 80 * n, (10, n))
    delta_dense_1 = view(work, 60 * n, (10, n))
    ellipse_1_a = view(work, 0, (n, 60))
    grad_dense_1_W = view(grads, 7680, (10, 60))
    grad_dense_1_b = grads[8280:8290]
    dense_1_W = view(params, 7680, (10, 60))
    grad_ellipse_1_d = view(work, 80 * n, (n, 60))
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
    loss_p = view(work, 80 * n, (10, n))
    delta_dense_1 = view(work, 60 * n, (10, n))
    dense_1_W = view(params, 7680, (10, 60))
    ellipse_1_a = view(work, 0, (n, 60))
    grad_ellipse_1_d = view(work, 80 * n, (n, 60))
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
    factor_3 = np.float64(1.0) / c_2
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
