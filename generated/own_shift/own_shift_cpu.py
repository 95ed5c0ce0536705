"""Kernels of the network own_shift for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 505f3f378e351bf0f6182350ab9cb47c9aeadd2b4ef02b9eebd32a1c78ca01c1

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, sum_of, sum_of_rows, view, whole_at
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, sum_of, sum_of_rows, view, whole_at
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products

NAME = "own_shift"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("dense_1.W", 0, (48, 64)),
    ("dense_1.b", 3072, (48,)),
    ("dense_2.W", 3120, (10, 48)),
    ("dense_2.b", 3600, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 3610
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.1),
    ("mu", 0.9),
)

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 196 * n + 1


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    outside = 0
    for k in range(values.size):
        outside |= (values[k] < least) | (values[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def activation_a(x, a):
    """Write a."""
    # a[n, t, i] = x[n, t, i]
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            for i in range(x.shape[2]):
                a[n, t, i] = x[n, t, i]


@njit(cache=True, error_model="numpy")
def turned_back_a(x_1, x_2, a):
    """Write a."""
    # a[n, t, i] = x_1[n, t, x_2[n, 0] + i − 8 floor(x_2[n, 0]/8 + i/8)]
    for n in range(x_1.shape[0]):
        for t in range(8):
            for i in range(8):
                a[n, t, i] = x_1[n, t, (x_2[n, 0] + i) % 8]


@njit(cache=True, error_model="numpy")
def flatten_a(x, a):
    """Write a."""
    # a[n, k] = x[n, floor(k/8), k mod 8]
    for n in range(x.shape[0]):
        for K in range(8):
            for i in range(8):
                a[n, 8 * K + i] = x[n, K, i]


@njit(cache=True, error_model="numpy")
def dense_a(W, b, x, a):
    """Write a."""
    # z[n, i] = b[i] + Σ_j W[i, j] x[n, j]
    # a[n, i] = z[n, i] [z[n, i] > 0]
    row_products(x, W, a)
    for n in range(x.shape[0]):
        for i in range(W.shape[0]):
            z = b[i] + a[n, i]
            a[n, i] = real(0.0) if z <= real(0.0) else z


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
def dense_delta_2(W_next, a, delta_next, delta):
    """Write delta."""
    # delta[n, i] = [a[n, i] > 0] Σ_j W_next[j, i] delta_next[j, n]
    product(delta_next.T, W_next, delta)
    for n in range(a.shape[0]):
        for i in range(W_next.shape[1]):
            a_ = a[n, i]
            delta_ = delta[n, i]
            delta[n, i] = real(0.0) if a_ <= real(0.0) else delta_


@njit(cache=True, error_model="numpy")
def dense_grad_W_2(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    product(delta.T, x, grad_W)


@njit(cache=True, error_model="numpy")
def dense_grad_b_2(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[n, i]
    sum_of_rows(delta, grad_b)


@njit(cache=True, error_model="numpy")
def flatten_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    product(delta, W, grad_a)


@njit(cache=True, error_model="numpy")
def turned_back_grad_a(grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[n, t, i] = grad_a_2[n, 8 t + i]
    for n in range(grad_a_2.shape[0]):
        for t in range(8):
            for i in range(8):
                grad_a[n, t, i] = grad_a_2[n, 8 * t + i]


@njit(cache=True, error_model="numpy")
def write_grad_image(grad_a, x_2, grad_image):
    """Write grad_image."""
    # grad_image[n, t, i] = Σ_j grad_a[n, t, j] [i = x_2[n, 0] + j − 8 floor(x_2[n, 0]/8 + j/8)]
    for n in range(grad_a.shape[0]):
        for t in range(8):
            for i in range(8):
                total = real(0.0)
                for j in range(8):
                    total += grad_a[n, t, j] if i == (x_2[n, 0] + j) % 8 else real(0.0)
                grad_image[n, t, i] = total


@njit(cache=True, error_model="numpy")
def check(image, shift, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 9):
        return 3
    return 0


@njit(cache=True, error_model="numpy")
def forward(params, image, shift, out, work):
    """Write the network's output for a batch into out."""
    n = image.shape[0]
    activation_1_a = view(work, 0, (n, 8, 8))
    turned_back_1_a = view(work, 64 * n, (n, 8, 8))
    flatten_1_a = view(work, 0, (n, 64))
    dense_1_W = view(params, 0, (48, 64))
    dense_1_b = params[3072:3120]
    dense_1_a = view(work, 64 * n, (n, 48))
    dense_2_W = view(params, 3120, (10, 48))
    dense_2_b = params[3600:3610]
    dense_2_z_samples_last = view(work, 112 * n, (10, n))
    # activation_1
    activation_a(image, activation_1_a)
    # turned_back_1
    turned_back_a(activation_1_a, shift, turned_back_1_a)
    # flatten_1
    flatten_a(turned_back_1_a, flatten_1_a)
    # dense_1
    dense_a(dense_1_W, dense_1_b, flatten_1_a, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z_samples_last)
    dense_z_2(dense_2_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def loss(params, image, shift, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    activation_1_a = view(work, 0, (n, 8, 8))
    turned_back_1_a = view(work, 64 * n, (n, 8, 8))
    flatten_1_a = view(work, 0, (n, 64))
    dense_1_W = view(params, 0, (48, 64))
    dense_1_b = params[3072:3120]
    dense_1_a = view(work, 64 * n, (n, 48))
    dense_2_W = view(params, 3120, (10, 48))
    dense_2_b = params[3600:3610]
    dense_2_z_samples_last = view(work, 112 * n, (10, n))
    loss_p = view(work, 132 * n, (10, n))
    loss_L = work[142 * n:143 * n]
    top = work[143 * n:144 * n]
    total = work[144 * n:145 * n]
    terms = view(work, 145 * n, (10, n))
    value_ = work[155 * n:156 * n]
    loss_ = work[196 * n:196 * n + 1]
    # activation_1
    activation_a(image, activation_1_a)
    # turned_back_1
    turned_back_a(activation_1_a, shift, turned_back_1_a)
    # flatten_1
    flatten_a(turned_back_1_a, flatten_1_a)
    # dense_1
    dense_a(dense_1_W, dense_1_b, flatten_1_a, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z_samples_last)
    # loss
    write_loss_L_and_p(dense_2_z_samples_last, y, loss_p, loss_L, top, total, terms, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, image, shift, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    value = loss(params, image, shift, y, work)
    loss_p = view(work, 132 * n, (10, n))
    delta_dense_2 = view(work, 112 * n, (10, n))
    dense_1_a = view(work, 64 * n, (n, 48))
    grad_dense_2_W = view(grads, 3120, (10, 48))
    grad_dense_2_b = grads[3600:3610]
    dense_2_W = view(params, 3120, (10, 48))
    delta_dense_1 = view(work, 132 * n, (n, 48))
    flatten_1_a = view(work, 0, (n, 64))
    grad_dense_1_W = view(grads, 0, (48, 64))
    grad_dense_1_b = grads[3072:3120]
    # dense_2
    dense_delta(loss_p, y, delta_dense_2)
    dense_grad_W(delta_dense_2, dense_1_a, grad_dense_2_W)
    dense_grad_b(delta_dense_2, grad_dense_2_b)
    # dense_1
    dense_delta_2(dense_2_W, dense_1_a, delta_dense_2, delta_dense_1)
    dense_grad_W_2(delta_dense_1, flatten_1_a, grad_dense_1_W)
    dense_grad_b_2(delta_dense_1, grad_dense_1_b)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, image, shift, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (3610,))
    image = array_at(real, whole_at(table, 2), (n, 8, 8))
    shift = array_at(np.int64, whole_at(table, 3), (n, 1))
    y = array_at(np.int64, whole_at(table, 4), (n,))
    grads = array_at(real, whole_at(table, 5), (3610,))
    work = array_at(real, whole_at(table, 6), (workspace(n),))
    return value_and_grad(params, image, shift, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, image, shift, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = image.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 3610:
        return False
    if grads.size != 3610:
        return False
    if image.shape != (n, 8, 8):
        return False
    if shift.shape != (n, 1):
        return False
    if y.shape != (n,):
        return False
    if not (apart(grads, params) and apart(grads, image) and apart(grads, shift) and apart(grads, y)):
        return False
    table[0] = n
    table[1] = params.ctypes.data
    table[2] = image.ctypes.data
    table[3] = shift.ctypes.data
    table[4] = y.ctypes.data
    table[5] = grads.ctypes.data
    return True


@njit(cache=True, error_model="numpy")
def input_gradients(params, image, shift, y, grads_image, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    value = loss(params, image, shift, y, work)
    loss_p = view(work, 132 * n, (10, n))
    delta_dense_2 = view(work, 112 * n, (10, n))
    dense_2_W = view(params, 3120, (10, 48))
    dense_1_a = view(work, 64 * n, (n, 48))
    delta_dense_1 = view(work, 132 * n, (n, 48))
    dense_1_W = view(params, 0, (48, 64))
    grad_flatten_1_a = view(work, 0, (n, 64))
    grad_turned_back_1_a = view(work, 132 * n, (n, 8, 8))
    # dense_2
    dense_delta(loss_p, y, delta_dense_2)
    # dense_1
    dense_delta_2(dense_2_W, dense_1_a, delta_dense_2, delta_dense_1)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # turned_back_1
    turned_back_grad_a(grad_flatten_1_a, grad_turned_back_1_a)
    # image
    write_grad_image(grad_turned_back_1_a, shift, grads_image)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, image, shift, y, grads_image and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (3610,))
    image = array_at(real, whole_at(table, 2), (n, 8, 8))
    shift = array_at(np.int64, whole_at(table, 3), (n, 1))
    y = array_at(np.int64, whole_at(table, 4), (n,))
    grads_image = array_at(real, whole_at(table, 5), (n, 8, 8))
    work = array_at(real, whole_at(table, 6), (workspace(n),))
    return input_gradients(params, image, shift, y, grads_image, work)


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # v_next[p] = mu v[p] + g[p]
    # w_next[p] = w[p] − lr v_next[p]
    P = params.size
    lr = hyper[0]
    mu = hyper[1]
    v = state[0:P]
    for p in range(P):
        v_next = v[p] * real(mu) + grads[p]
        w_next = params[p] - real(lr) * v_next
        v[p] = v_next
        params[p] = w_next


@njit(cache=True, error_model="numpy")
def train_step(params, image, shift, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, image, shift, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value


@njit(cache=True, error_model="numpy", nogil=True)
def epoch(params, image, shift, y, order, size, batch_image, batch_shift, batch_y, grads, state, hyper, work):
    """Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… hold what is chosen.

    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.
    """
    total = 0.0
    samples = image.shape[0]
    for low in range(0, samples, size):
        high = min(low + size, samples)
        part_image = image[low:high]
        part_shift = shift[low:high]
        part_y = y[low:high]
        if order.size > 0:
            part_image = chosen(image, order[low:high], batch_image)
            part_shift = chosen(shift, order[low:high], batch_shift)
            part_y = chosen(y, order[low:high], batch_y)
        value = train_step(params, part_image, part_shift, part_y, grads, state, hyper, work)
        if not np.isfinite(value):
            return value, low // size + 1
        total += value * (high - low)
    return total, 0
