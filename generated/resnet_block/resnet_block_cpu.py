"""Kernels of the network resnet_block for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 750f2c77cce4e00885eca19ca6fd3ecf67ee086562182ddfabbbc1279b694eec

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

try:
    from .kernels_cpu import apart, array_at, chosen, njit, sum_of, transposed, view, whole_at
    from .kernels_cpu import correlate_32 as correlate
    from .kernels_cpu import correlate_rows_32 as correlate_rows
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, sum_of, transposed, view, whole_at
    from kernels_cpu import correlate_32 as correlate
    from kernels_cpu import correlate_rows_32 as correlate_rows
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products

NAME = "resnet_block"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (16, 16, 3, 3)),
    ("batchnorm_2.gamma", 2480, (16,)),
    ("batchnorm_2.beta", 2496, (16,)),
    ("conv2d_3.W", 2512, (16, 16, 3, 3)),
    ("batchnorm_3.gamma", 4816, (16,)),
    ("batchnorm_3.beta", 4832, (16,)),
    ("dense_1.W", 4848, (10, 256)),
    ("dense_1.b", 7408, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 7418, (16,), 0.0),
    ("batchnorm_1.running_var", 7434, (16,), 1.0),
    ("batchnorm_2.running_mean", 7450, (16,), 0.0),
    ("batchnorm_2.running_var", 7466, (16,), 1.0),
    ("batchnorm_3.running_mean", 7482, (16,), 0.0),
    ("batchnorm_3.running_var", 7498, (16,), 1.0),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 14837
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
)

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 9280 * n + 145


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    outside = 0
    for k in range(values.size):
        outside |= (values[k] < least) | (values[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy", once=True)
def write_x_samples_last(x, samples_last):
    """Write samples_last."""
    # samples_last[c, h, w, n] = x[n, c, h, w]
    for c in range(samples_last.shape[0]):
        for h in range(samples_last.shape[1]):
            for w in range(samples_last.shape[2]):
                for n in range(x.shape[0]):
                    samples_last[c, h, w, n] = x[n, c, h, w]


@njit(cache=True, error_model="numpy", once=True)
def conv2d_z(W, x, z):
    """Write z."""
    # z[k, p, q, n] = Σ_{c, u, v} W[k, c, u, v] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    correlate(W, x, z, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy")
def batchnorm_sigma_2(running_var, sigma):
    """Write sigma."""
    # sigma[c] = √(1e−05 + running_var[c])
    for c in range(running_var.shape[0]):
        sigma[c] = np.sqrt(real(1e-05) + running_var[c])


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_a_2(running_mean, sigma, x, beta, gamma, a):
    """Write a."""
    # x_hat[c, h, w, n] = (x[c, h, w, n] − running_mean[c])/sigma[c]
    # a[c, h, w, n] = gamma[c] x_hat[c, h, w, n] + beta[c]
    for c in range(running_mean.shape[0]):
        factor = real(1.0) / sigma[c]
        for h in range(x.shape[1]):
            for w in range(x.shape[2]):
                for n in range(x.shape[3]):
                    x_hat = (x[c, h, w, n] - running_mean[c]) * factor
                    a[c, h, w, n] = gamma[c] * x_hat + beta[c]


@njit(cache=True, error_model="numpy", once=True)
def activation_a(x, a):
    """Write a."""
    # a[c, h, w, n] = x[c, h, w, n] [x[c, h, w, n] > 0]
    for c in range(x.shape[0]):
        for h in range(x.shape[1]):
            for w in range(x.shape[2]):
                for n in range(x.shape[3]):
                    x_ = x[c, h, w, n]
                    a[c, h, w, n] = real(0.0) if x_ <= real(0.0) else x_


@njit(cache=True, error_model="numpy", once=True)
def conv2d_z_2(W, x, z):
    """Write z."""
    # z[k, p, q, n] = Σ_{c, u, v} W[k, c, u, v] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    correlate(W, x, z, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy", once=True)
def add_a(x_1, x_2, a):
    """Write a."""
    # a[c, h, w, n] = x_1[c, h, w, n] + x_2[c, h, w, n]
    for c in range(x_1.shape[0]):
        for h in range(x_1.shape[1]):
            for w in range(x_1.shape[2]):
                for n in range(x_1.shape[3]):
                    a[c, h, w, n] = x_1[c, h, w, n] + x_2[c, h, w, n]


@njit(cache=True, error_model="numpy", once=True)
def avgpool2d_a(x, a):
    """Write a."""
    # a[c, p, q, n] = (Σ_{i, j} x[c, 2 p + i, 2 q + j, n])/4
    for c in range(a.shape[0]):
        for p in range(a.shape[1]):
            for q in range(a.shape[2]):
                a[c, p, q] = real(0.0)
                for i in range(2):
                    for j in range(2):
                        for n in range(x.shape[3]):
                            a[c, p, q, n] += x[c, 2 * p + i, 2 * q + j, n]
                for n in range(x.shape[3]):
                    a[c, p, q, n] = a[c, p, q, n] / real(4.0)


@njit(cache=True, error_model="numpy", once=True)
def flatten_a(x, a):
    """Write a."""
    # a[k, n] = x[floor(k/16), floor(k/4) mod 4, k mod 4, n]
    for k in range(a.shape[0]):
        for n in range(x.shape[3]):
            a[k, n] = x[k // 16, k // 4 % 4, k % 4, n]


@njit(cache=True, error_model="numpy", once=True)
def dense_z(W, b, x, z):
    """Write z."""
    # z[i, n] = b[i] + Σ_j W[i, j] x[j, n]
    product(W, x, z)
    for i in range(W.shape[0]):
        for n in range(x.shape[1]):
            z[i, n] = b[i] + z[i, n]


@njit(cache=True, error_model="numpy", once=True)
def dense_z_2(samples_last, z):
    """Write z."""
    # z[n, i] = samples_last[i, n]
    for n in range(samples_last.shape[1]):
        for i in range(10):
            z[n, i] = samples_last[i, n]


@njit(cache=True, error_model="numpy", once=True)
def write_loss_L(a, y, L, top, total, value):
    """Write L."""
    # L[n] = log Σ_i exp(a[i, n]) − a[y[n], n]
    for n in range(a.shape[1]):
        top[n] = real(-np.inf)
    for i in range(a.shape[0]):
        for n in range(a.shape[1]):
            candidate = a[i, n]
            top[n] = candidate if (candidate > top[n]) | (candidate != candidate) else top[n]
    for n in range(a.shape[1]):
        total[n] = real(0.0)
    for i in range(a.shape[0]):
        for n in range(a.shape[1]):
            total[n] += exp(a[i, n] - (top[n] if abs(top[n]) != real(np.inf) else real(0.0)))
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


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_sigma(x, mu, v, sigma):
    """Write mu and v and sigma."""
    # mu[c] = (Σ_{h, w, n} x[c, h, w, n])/(N n_2 n_3)
    # v[c] = (Σ_{h, w, n} (x[c, h, w, n] − mu[c])²)/(N n_2 n_3)
    # sigma[c] = √(1e−05 + v[c])
    N = x.shape[3]
    n_2 = x.shape[1]
    n_3 = x.shape[2]
    for c in range(x.shape[0]):
        mu[c] = sum_of(x[c])
        mu[c] = mu[c] / real(N) / real(n_2) / real(n_3)
        total = real(0.0)
        for h in range(x.shape[1]):
            for w in range(x.shape[2]):
                for n in range(x.shape[3]):
                    base = x[c, h, w, n] - mu[c]
                    total += base * base
        v[c] = total / real(N) / real(n_2) / real(n_3)
        sigma[c] = np.sqrt(real(1e-05) + v[c])


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_a(mu, sigma, x, beta, gamma, x_hat, a):
    """Write x_hat and a."""
    # x_hat[c, h, w, n] = (x[c, h, w, n] − mu[c])/sigma[c]
    # a[c, h, w, n] = gamma[c] x_hat[c, h, w, n] + beta[c]
    for c in range(mu.shape[0]):
        factor = real(1.0) / sigma[c]
        for h in range(x.shape[1]):
            for w in range(x.shape[2]):
                for n in range(x.shape[3]):
                    x_hat[c, h, w, n] = (x[c, h, w, n] - mu[c]) * factor
                    a[c, h, w, n] = gamma[c] * x_hat[c, h, w, n] + beta[c]


@njit(cache=True, error_model="numpy", once=True)
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


@njit(cache=True, error_model="numpy", once=True)
def dense_delta(p, y, delta):
    """Write delta."""
    # delta[i, n] = (p[i, n] − [i = y[n]])/N
    N = p.shape[1]
    factor = real(1.0) / real(N)
    for i in range(p.shape[0]):
        for n in range(p.shape[1]):
            p_ = p[i, n]
            delta[i, n] = (p_ - (real(1.0) if i == y[n] else real(0.0))) * factor


@njit(cache=True, error_model="numpy", once=True)
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[i, n] x[j, n]
    row_products(delta, x, grad_W)


@njit(cache=True, error_model="numpy", once=True)
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_n delta[i, n]
    for i in range(delta.shape[0]):
        total = sum_of(delta[i])
        grad_b[i] = total


@njit(cache=True, error_model="numpy", once=True)
def flatten_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[j, n] = Σ_i W[i, j] delta[i, n]
    product(W.T, delta, grad_a)


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_a(a, grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = grad_a_2[4 floor(h/2) + 16 c + floor(w/2), n] [a[c, h, w, n] > 0]/4
    for c in range(a.shape[0]):
        for H in range(4):
            for W in range(4):
                for i in range(2):
                    for j in range(2):
                        for n in range(a.shape[3]):
                            grad_a_2_ = grad_a_2[4 * H + 16 * c + W, n]
                            a_ = a[c, 2 * H + i, 2 * W + j, n]
                            grad_a[c, 2 * H + i, 2 * W + j, n] = real(0.0) if a_ <= real(0.0) else grad_a_2_ / real(4.0)


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_gamma(grad_a, x_hat, grad_gamma):
    """Write grad_gamma."""
    # grad_gamma[c] = Σ_{h, w, n} grad_a[c, h, w, n] x_hat[c, h, w, n]
    for c in range(grad_a.shape[0]):
        total = real(0.0)
        for h in range(grad_a.shape[1]):
            for w in range(grad_a.shape[2]):
                for n in range(grad_a.shape[3]):
                    total += grad_a[c, h, w, n] * x_hat[c, h, w, n]
        grad_gamma[c] = total


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_beta(grad_a, grad_beta):
    """Write grad_beta."""
    # grad_beta[c] = Σ_{h, w, n} grad_a[c, h, w, n]
    for c in range(grad_a.shape[0]):
        grad_beta[c] = sum_of(grad_a[c])


@njit(cache=True, error_model="numpy", once=True)
def conv2d_delta(gamma, grad_a, sigma, x_hat, delta):
    """Write delta."""
    # delta[k, p, q, n] = (64 grad_a[k, p, q, n] N − Σ_{h, w, i} grad_a[k, h, w, i] − x_hat[k, p, q, n] Σ_{h, w, i} grad_a[k, h, w, i]
    #     x_hat[k, h, w, i]) · gamma[k]/(64 sigma[k] N)
    N = grad_a.shape[3]
    for k in range(grad_a.shape[0]):
        total = real(0.0)
        for h in range(grad_a.shape[1]):
            for w in range(grad_a.shape[2]):
                for i in range(grad_a.shape[3]):
                    total += grad_a[k, h, w, i]
        total_2 = real(0.0)
        for h in range(grad_a.shape[1]):
            for w in range(grad_a.shape[2]):
                for i in range(grad_a.shape[3]):
                    total_2 += grad_a[k, h, w, i] * x_hat[k, h, w, i]
        factor = gamma[k] / real(64.0) / sigma[k] / real(N)
        for p in range(delta.shape[1]):
            for q in range(delta.shape[2]):
                for n in range(grad_a.shape[3]):
                    delta[k, p, q, n] = (real(64.0) * grad_a[k, p, q, n] * real(N) - total - x_hat[k, p, q, n] * total_2) * factor


@njit(cache=True, error_model="numpy", once=True)
def conv2d_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_{p, q, n} delta[k, p, q, n] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    correlate_rows(delta, x, grad_W, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_a_2(W, a, delta, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = [a[c, h, w, n] > 0] Σ_{k, u, v} W[k, c, u, v] delta[k, 1 + h − u, 1 + w − v, n] [0 ≤ 1 + h − u < 8] [0 ≤ 1
    #     + w − v < 8]
    correlate(transposed(W, (1, 0, 2, 3)), delta, grad_a, (1, -1, 1), (1, -1, 1))
    for c in range(a.shape[0]):
        for h in range(a.shape[1]):
            for w in range(a.shape[2]):
                for n in range(a.shape[3]):
                    a_ = a[c, h, w, n]
                    grad_a_ = grad_a[c, h, w, n]
                    grad_a[c, h, w, n] = real(0.0) if a_ <= real(0.0) else grad_a_


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_a_3(W, a, a_2, delta, grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = (grad_a_2[4 floor(h/2) + 16 c + floor(w/2), n] [a_2[c, h, w, n] > 0]/4 + Σ_{k, u, v} W[k, c, u, v] delta[k, 1
    #     + h − u, 1 + w − v, n] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v < 8]) · [a[c, h, w, n] > 0]
    correlate(transposed(W, (1, 0, 2, 3)), delta, grad_a, (1, -1, 1), (1, -1, 1))
    for c in range(a.shape[0]):
        for H in range(4):
            for W_ in range(4):
                for i in range(2):
                    for j in range(2):
                        for n in range(a.shape[3]):
                            grad_a_2_ = grad_a_2[4 * H + 16 * c + W_, n]
                            a_ = a[c, 2 * H + i, 2 * W_ + j, n]
                            a_2_ = a_2[c, 2 * H + i, 2 * W_ + j, n]
                            grad_a_ = grad_a[c, 2 * H + i, 2 * W_ + j, n]
                            grad_a[c, 2 * H + i, 2 * W_ + j, n] = (
                                real(0.0) if a_ <= real(0.0) else (real(0.0) if a_2_ <= real(0.0) else grad_a_2_ / real(4.0)) + grad_a_
                            )


@njit(cache=True, error_model="numpy", once=True)
def conv2d_grad_W_2(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_{p, q, n} delta[k, p, q, n] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 8] [0 ≤ q + v − 1 < 8]
    correlate_rows(delta, x, grad_W, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy", once=True)
def x_grad_samples_last(W, delta, grad_samples_last):
    """Write grad_samples_last."""
    # grad_samples_last[c, h, w, n] = Σ_{k, u, v} W[k, c, u, v] delta[k, 1 + h − u, 1 + w − v, n] [0 ≤ 1 + h − u < 8] [0 ≤ 1 + w − v
    #     < 8]
    correlate(transposed(W, (1, 0, 2, 3)), delta, grad_samples_last, (1, -1, 1), (1, -1, 1))


@njit(cache=True, error_model="numpy", once=True)
def grad_grad_x(grad_samples_last, grad_x):
    """Write grad_x."""
    # grad_x[n, c, h, w] = grad_samples_last[c, h, w, n]
    for n in range(grad_samples_last.shape[3]):
        for c in range(1):
            for h in range(8):
                for w in range(8):
                    grad_x[n, c, h, w] = grad_samples_last[c, h, w, n]


@njit(cache=True, error_model="numpy")
def batchnorm_running_mean_next(mu, running_mean, running_mean_next):
    """Write running_mean_next."""
    # running_mean_next[c] = mu[c]/10 + (9/10) · running_mean[c]
    factor = real(0.1)
    for c in range(mu.shape[0]):
        running_mean_next[c] = real(0.9) * running_mean[c] + mu[c] * factor


@njit(cache=True, error_model="numpy")
def batchnorm_running_var_next(running_var, v, running_var_next, N, n_2, n_3):
    """Write running_var_next."""
    # running_var_next[c] = (9/10) · running_var[c] + v[c] N n_2 n_3/(10 · (N n_2 n_3 − [N n_2 n_3 > 1]))
    t = real(N) * real(n_2) * real(n_3)
    factor = t / real(10.0) / (t - (real(0.0) if t <= real(1.0) else real(1.0)))
    for c in range(running_var.shape[0]):
        running_var_ = running_var[c]
        v_ = v[c]
        running_var_next[c] = real(0.9) * running_var_ + factor * v_


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
    x_samples_last = view(work, 0, (1, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    conv2d_1_z = view(work, 64 * n, (16, 8, 8, n))
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_1_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_a = view(work, 1088 * n, (16, 8, 8, n))
    activation_1_a = view(work, 0, (16, 8, 8, n))
    conv2d_2_W = view(params, 176, (16, 16, 3, 3))
    conv2d_2_z = view(work, 1024 * n, (16, 8, 8, n))
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_2_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    batchnorm_2_a = view(work, 2048 * n, (16, 8, 8, n))
    activation_2_a = view(work, 1024 * n, (16, 8, 8, n))
    conv2d_3_W = view(params, 2512, (16, 16, 3, 3))
    conv2d_3_z = view(work, 2048 * n, (16, 8, 8, n))
    batchnorm_3_running_var = params[7498:7514]
    batchnorm_3_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    batchnorm_3_a = view(work, 1024 * n, (16, 8, 8, n))
    add_1_a = view(work, 2048 * n, (16, 8, 8, n))
    activation_3_a = view(work, 0, (16, 8, 8, n))
    avgpool2d_1_a = view(work, 1024 * n, (16, 4, 4, n))
    flatten_1_a = view(work, 0, (256, n))
    dense_1_W = view(params, 4848, (10, 256))
    dense_1_b = params[7408:7418]
    dense_1_z_samples_last = view(work, 256 * n, (10, n))
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma_2(batchnorm_1_running_var, batchnorm_1_sigma)
    batchnorm_a_2(batchnorm_1_running_mean, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, activation_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma_2(batchnorm_2_running_var, batchnorm_2_sigma)
    batchnorm_a_2(batchnorm_2_running_mean, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # conv2d_3
    conv2d_z_2(conv2d_3_W, activation_2_a, conv2d_3_z)
    # batchnorm_3
    batchnorm_sigma_2(batchnorm_3_running_var, batchnorm_3_sigma)
    batchnorm_a_2(batchnorm_3_running_mean, batchnorm_3_sigma, conv2d_3_z, batchnorm_3_beta, batchnorm_3_gamma, batchnorm_3_a)
    # add_1
    add_a(activation_1_a, batchnorm_3_a, add_1_a)
    # activation_3
    activation_a(add_1_a, activation_3_a)
    # avgpool2d_1
    avgpool2d_a(activation_3_a, avgpool2d_1_a)
    # flatten_1
    flatten_a(avgpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    dense_z_2(dense_1_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def evaluation(params, x, y, work):
    """Return the loss of a batch in inference."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    x_samples_last = view(work, 0, (1, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    conv2d_1_z = view(work, 64 * n, (16, 8, 8, n))
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_1_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_a = view(work, 1088 * n, (16, 8, 8, n))
    activation_1_a = view(work, 0, (16, 8, 8, n))
    conv2d_2_W = view(params, 176, (16, 16, 3, 3))
    conv2d_2_z = view(work, 1024 * n, (16, 8, 8, n))
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_2_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    batchnorm_2_a = view(work, 2048 * n, (16, 8, 8, n))
    activation_2_a = view(work, 1024 * n, (16, 8, 8, n))
    conv2d_3_W = view(params, 2512, (16, 16, 3, 3))
    conv2d_3_z = view(work, 2048 * n, (16, 8, 8, n))
    batchnorm_3_running_var = params[7498:7514]
    batchnorm_3_sigma = work[3072 * n:3072 * n + 16]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    batchnorm_3_a = view(work, 1024 * n, (16, 8, 8, n))
    add_1_a = view(work, 2048 * n, (16, 8, 8, n))
    activation_3_a = view(work, 0, (16, 8, 8, n))
    avgpool2d_1_a = view(work, 1024 * n, (16, 4, 4, n))
    flatten_1_a = view(work, 0, (256, n))
    dense_1_W = view(params, 4848, (10, 256))
    dense_1_b = params[7408:7418]
    dense_1_z_samples_last = view(work, 256 * n, (10, n))
    loss_L = work[10 * n:11 * n]
    top = work[11 * n:12 * n]
    total = work[12 * n:13 * n]
    value_ = work[13 * n:14 * n]
    loss_ = work[3072 * n:3072 * n + 1]
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma_2(batchnorm_1_running_var, batchnorm_1_sigma)
    batchnorm_a_2(batchnorm_1_running_mean, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, activation_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma_2(batchnorm_2_running_var, batchnorm_2_sigma)
    batchnorm_a_2(batchnorm_2_running_mean, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # conv2d_3
    conv2d_z_2(conv2d_3_W, activation_2_a, conv2d_3_z)
    # batchnorm_3
    batchnorm_sigma_2(batchnorm_3_running_var, batchnorm_3_sigma)
    batchnorm_a_2(batchnorm_3_running_mean, batchnorm_3_sigma, conv2d_3_z, batchnorm_3_beta, batchnorm_3_gamma, batchnorm_3_a)
    # add_1
    add_a(activation_1_a, batchnorm_3_a, add_1_a)
    # activation_3
    activation_a(add_1_a, activation_3_a)
    # avgpool2d_1
    avgpool2d_a(activation_3_a, avgpool2d_1_a)
    # flatten_1
    flatten_a(avgpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L(dense_1_z_samples_last, y, loss_L, top, total, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def loss(params, x, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    x_samples_last = view(work, 0, (1, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    conv2d_1_z = view(work, 64 * n, (16, 8, 8, n))
    batchnorm_1_mu = work[9280 * n:9280 * n + 16]
    batchnorm_1_v = work[9280 * n + 16:9280 * n + 32]
    batchnorm_1_sigma = work[9280 * n + 32:9280 * n + 48]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    batchnorm_1_a = view(work, 2112 * n, (16, 8, 8, n))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    conv2d_2_W = view(params, 176, (16, 16, 3, 3))
    conv2d_2_z = view(work, 2112 * n, (16, 8, 8, n))
    batchnorm_2_mu = work[9280 * n + 48:9280 * n + 64]
    batchnorm_2_v = work[9280 * n + 64:9280 * n + 80]
    batchnorm_2_sigma = work[9280 * n + 80:9280 * n + 96]
    batchnorm_2_beta = params[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    batchnorm_2_x_hat = view(work, 3136 * n, (16, 8, 8, n))
    batchnorm_2_a = view(work, 4160 * n, (16, 8, 8, n))
    activation_2_a = view(work, 2112 * n, (16, 8, 8, n))
    conv2d_3_W = view(params, 2512, (16, 16, 3, 3))
    conv2d_3_z = view(work, 4160 * n, (16, 8, 8, n))
    batchnorm_3_mu = work[9280 * n + 96:9280 * n + 112]
    batchnorm_3_v = work[9280 * n + 112:9280 * n + 128]
    batchnorm_3_sigma = work[9280 * n + 128:9280 * n + 144]
    batchnorm_3_beta = params[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    batchnorm_3_x_hat = view(work, 5184 * n, (16, 8, 8, n))
    batchnorm_3_a = view(work, 6208 * n, (16, 8, 8, n))
    add_1_a = view(work, 4160 * n, (16, 8, 8, n))
    activation_3_a = view(work, 6208 * n, (16, 8, 8, n))
    avgpool2d_1_a = view(work, 4160 * n, (16, 4, 4, n))
    flatten_1_a = view(work, 4416 * n, (256, n))
    dense_1_W = view(params, 4848, (10, 256))
    dense_1_b = params[7408:7418]
    dense_1_z_samples_last = view(work, 4160 * n, (10, n))
    loss_p = view(work, 4170 * n, (10, n))
    loss_L = work[4180 * n:4181 * n]
    top = work[4181 * n:4182 * n]
    total = work[4182 * n:4183 * n]
    terms = view(work, 4183 * n, (10, n))
    value_ = work[4193 * n:4194 * n]
    loss_ = work[9280 * n + 144:9280 * n + 145]
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma(conv2d_1_z, batchnorm_1_mu, batchnorm_1_v, batchnorm_1_sigma)
    batchnorm_a(batchnorm_1_mu, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_x_hat, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, activation_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma(conv2d_2_z, batchnorm_2_mu, batchnorm_2_v, batchnorm_2_sigma)
    batchnorm_a(batchnorm_2_mu, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_x_hat, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # conv2d_3
    conv2d_z_2(conv2d_3_W, activation_2_a, conv2d_3_z)
    # batchnorm_3
    batchnorm_sigma(conv2d_3_z, batchnorm_3_mu, batchnorm_3_v, batchnorm_3_sigma)
    batchnorm_a(batchnorm_3_mu, batchnorm_3_sigma, conv2d_3_z, batchnorm_3_beta, batchnorm_3_gamma, batchnorm_3_x_hat, batchnorm_3_a)
    # add_1
    add_a(activation_1_a, batchnorm_3_a, add_1_a)
    # activation_3
    activation_a(add_1_a, activation_3_a)
    # avgpool2d_1
    avgpool2d_a(activation_3_a, avgpool2d_1_a)
    # flatten_1
    flatten_a(avgpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y, loss_p, loss_L, top, total, terms, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, y, work)
    loss_p = view(work, 4170 * n, (10, n))
    delta_dense_1 = view(work, 4160 * n, (10, n))
    flatten_1_a = view(work, 4416 * n, (256, n))
    grad_dense_1_W = view(grads, 4848, (10, 256))
    grad_dense_1_b = grads[7408:7418]
    dense_1_W = view(params, 4848, (10, 256))
    grad_flatten_1_a = view(work, 4170 * n, (256, n))
    activation_3_a = view(work, 6208 * n, (16, 8, 8, n))
    grad_batchnorm_3_a = view(work, 7232 * n, (16, 8, 8, n))
    batchnorm_3_x_hat = view(work, 5184 * n, (16, 8, 8, n))
    grad_batchnorm_3_gamma = grads[4816:4832]
    grad_batchnorm_3_beta = grads[4832:4848]
    batchnorm_3_gamma = params[4816:4832]
    batchnorm_3_sigma = work[9280 * n + 128:9280 * n + 144]
    delta_conv2d_3 = view(work, 8256 * n, (16, 8, 8, n))
    activation_2_a = view(work, 2112 * n, (16, 8, 8, n))
    grad_conv2d_3_W = view(grads, 2512, (16, 16, 3, 3))
    conv2d_3_W = view(params, 2512, (16, 16, 3, 3))
    grad_batchnorm_2_a = view(work, 4426 * n, (16, 8, 8, n))
    batchnorm_2_x_hat = view(work, 3136 * n, (16, 8, 8, n))
    grad_batchnorm_2_gamma = grads[2480:2496]
    grad_batchnorm_2_beta = grads[2496:2512]
    batchnorm_2_gamma = params[2480:2496]
    batchnorm_2_sigma = work[9280 * n + 80:9280 * n + 96]
    delta_conv2d_2 = view(work, 2112 * n, (16, 8, 8, n))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    grad_conv2d_2_W = view(grads, 176, (16, 16, 3, 3))
    conv2d_2_W = view(params, 176, (16, 16, 3, 3))
    grad_batchnorm_1_a = view(work, 3136 * n, (16, 8, 8, n))
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    grad_batchnorm_1_gamma = grads[144:160]
    grad_batchnorm_1_beta = grads[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_sigma = work[9280 * n + 32:9280 * n + 48]
    delta_conv2d_1 = view(work, 64 * n, (16, 8, 8, n))
    x_samples_last = view(work, 0, (1, 8, 8, n))
    grad_conv2d_1_W = view(grads, 0, (16, 1, 3, 3))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    dense_grad_W(delta_dense_1, flatten_1_a, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # batchnorm_3
    batchnorm_grad_a(activation_3_a, grad_flatten_1_a, grad_batchnorm_3_a)
    batchnorm_grad_gamma(grad_batchnorm_3_a, batchnorm_3_x_hat, grad_batchnorm_3_gamma)
    batchnorm_grad_beta(grad_batchnorm_3_a, grad_batchnorm_3_beta)
    # conv2d_3
    conv2d_delta(batchnorm_3_gamma, grad_batchnorm_3_a, batchnorm_3_sigma, batchnorm_3_x_hat, delta_conv2d_3)
    conv2d_grad_W(delta_conv2d_3, activation_2_a, grad_conv2d_3_W)
    # batchnorm_2
    batchnorm_grad_a_2(conv2d_3_W, activation_2_a, delta_conv2d_3, grad_batchnorm_2_a)
    batchnorm_grad_gamma(grad_batchnorm_2_a, batchnorm_2_x_hat, grad_batchnorm_2_gamma)
    batchnorm_grad_beta(grad_batchnorm_2_a, grad_batchnorm_2_beta)
    # conv2d_2
    conv2d_delta(batchnorm_2_gamma, grad_batchnorm_2_a, batchnorm_2_sigma, batchnorm_2_x_hat, delta_conv2d_2)
    conv2d_grad_W(delta_conv2d_2, activation_1_a, grad_conv2d_2_W)
    # batchnorm_1
    batchnorm_grad_a_3(conv2d_2_W, activation_1_a, activation_3_a, delta_conv2d_2, grad_flatten_1_a, grad_batchnorm_1_a)
    batchnorm_grad_gamma(grad_batchnorm_1_a, batchnorm_1_x_hat, grad_batchnorm_1_gamma)
    batchnorm_grad_beta(grad_batchnorm_1_a, grad_batchnorm_1_beta)
    # conv2d_1
    conv2d_delta(batchnorm_1_gamma, grad_batchnorm_1_a, batchnorm_1_sigma, batchnorm_1_x_hat, delta_conv2d_1)
    conv2d_grad_W_2(delta_conv2d_1, x_samples_last, grad_conv2d_1_W)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (7514,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads = array_at(real, whole_at(table, 4), (7418,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 7514:
        return False
    if grads.size != 7418:
        return False
    if x.shape != (n, 1, 8, 8):
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
    loss_p = view(work, 4170 * n, (10, n))
    delta_dense_1 = view(work, 4160 * n, (10, n))
    dense_1_W = view(params, 4848, (10, 256))
    grad_flatten_1_a = view(work, 4170 * n, (256, n))
    activation_3_a = view(work, 6208 * n, (16, 8, 8, n))
    grad_batchnorm_3_a = view(work, 7232 * n, (16, 8, 8, n))
    batchnorm_3_gamma = params[4816:4832]
    batchnorm_3_sigma = work[9280 * n + 128:9280 * n + 144]
    batchnorm_3_x_hat = view(work, 5184 * n, (16, 8, 8, n))
    delta_conv2d_3 = view(work, 8256 * n, (16, 8, 8, n))
    conv2d_3_W = view(params, 2512, (16, 16, 3, 3))
    activation_2_a = view(work, 2112 * n, (16, 8, 8, n))
    grad_batchnorm_2_a = view(work, 4426 * n, (16, 8, 8, n))
    batchnorm_2_gamma = params[2480:2496]
    batchnorm_2_sigma = work[9280 * n + 80:9280 * n + 96]
    batchnorm_2_x_hat = view(work, 3136 * n, (16, 8, 8, n))
    delta_conv2d_2 = view(work, 2112 * n, (16, 8, 8, n))
    conv2d_2_W = view(params, 176, (16, 16, 3, 3))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    grad_batchnorm_1_a = view(work, 3136 * n, (16, 8, 8, n))
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_sigma = work[9280 * n + 32:9280 * n + 48]
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    delta_conv2d_1 = view(work, 64 * n, (16, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    grad_x_samples_last = view(work, 0, (1, 8, 8, n))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # batchnorm_3
    batchnorm_grad_a(activation_3_a, grad_flatten_1_a, grad_batchnorm_3_a)
    # conv2d_3
    conv2d_delta(batchnorm_3_gamma, grad_batchnorm_3_a, batchnorm_3_sigma, batchnorm_3_x_hat, delta_conv2d_3)
    # batchnorm_2
    batchnorm_grad_a_2(conv2d_3_W, activation_2_a, delta_conv2d_3, grad_batchnorm_2_a)
    # conv2d_2
    conv2d_delta(batchnorm_2_gamma, grad_batchnorm_2_a, batchnorm_2_sigma, batchnorm_2_x_hat, delta_conv2d_2)
    # batchnorm_1
    batchnorm_grad_a_3(conv2d_2_W, activation_1_a, activation_3_a, delta_conv2d_2, grad_flatten_1_a, grad_batchnorm_1_a)
    # conv2d_1
    conv2d_delta(batchnorm_1_gamma, grad_batchnorm_1_a, batchnorm_1_sigma, batchnorm_1_x_hat, delta_conv2d_1)
    # x
    x_grad_samples_last(conv2d_1_W, delta_conv2d_1, grad_x_samples_last)
    # grad
    grad_grad_x(grad_x_samples_last, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (7514,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads_x = array_at(real, whole_at(table, 4), (n, 1, 8, 8))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return input_gradients(params, x, y, grads_x, work)


@njit(cache=True, error_model="numpy")
def update_statistics(params, x, y, work):
    """Write the next running statistics into params; work is as value_and_grad of the same batch left it."""
    n = x.shape[0]
    batchnorm_1_mu = work[9280 * n:9280 * n + 16]
    batchnorm_1_running_mean = params[7418:7434]
    batchnorm_1_running_mean_next = work[9280 * n + 32:9280 * n + 48]
    batchnorm_1_running_var = params[7434:7450]
    batchnorm_1_v = work[9280 * n + 16:9280 * n + 32]
    batchnorm_1_running_var_next = work[9280 * n:9280 * n + 16]
    batchnorm_2_mu = work[9280 * n + 48:9280 * n + 64]
    batchnorm_2_running_mean = params[7450:7466]
    batchnorm_2_running_mean_next = work[9280 * n + 16:9280 * n + 32]
    batchnorm_2_running_var = params[7466:7482]
    batchnorm_2_v = work[9280 * n + 64:9280 * n + 80]
    batchnorm_2_running_var_next = work[9280 * n + 48:9280 * n + 64]
    batchnorm_3_mu = work[9280 * n + 96:9280 * n + 112]
    batchnorm_3_running_mean = params[7482:7498]
    batchnorm_3_running_mean_next = work[9280 * n + 64:9280 * n + 80]
    batchnorm_3_running_var = params[7498:7514]
    batchnorm_3_v = work[9280 * n + 112:9280 * n + 128]
    batchnorm_3_running_var_next = work[9280 * n + 80:9280 * n + 96]
    # batchnorm_1
    batchnorm_running_mean_next(batchnorm_1_mu, batchnorm_1_running_mean, batchnorm_1_running_mean_next)
    batchnorm_running_var_next(batchnorm_1_running_var, batchnorm_1_v, batchnorm_1_running_var_next, n, 8, 8)
    # batchnorm_2
    batchnorm_running_mean_next(batchnorm_2_mu, batchnorm_2_running_mean, batchnorm_2_running_mean_next)
    batchnorm_running_var_next(batchnorm_2_running_var, batchnorm_2_v, batchnorm_2_running_var_next, n, 8, 8)
    # batchnorm_3
    batchnorm_running_mean_next(batchnorm_3_mu, batchnorm_3_running_mean, batchnorm_3_running_mean_next)
    batchnorm_running_var_next(batchnorm_3_running_var, batchnorm_3_v, batchnorm_3_running_var_next, n, 8, 8)
    params[7418:7434] = batchnorm_1_running_mean_next
    params[7434:7450] = batchnorm_1_running_var_next
    params[7450:7466] = batchnorm_2_running_mean_next
    params[7466:7482] = batchnorm_2_running_var_next
    params[7482:7498] = batchnorm_3_running_mean_next
    params[7498:7514] = batchnorm_3_running_var_next


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = grads.size
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
        update_statistics(params, x, y, work)
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
