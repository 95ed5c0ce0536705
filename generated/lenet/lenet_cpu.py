"""Kernels of the network lenet for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: dde349b37bf5e3f10f62eeb8cb8eef9bf549652dcbe8156c3f60afbddeb22195

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

try:
    from .kernels_cpu import array_at, njit, sum_of, transposed, view, whole_at
    from .kernels_cpu import correlate_32 as correlate
    from .kernels_cpu import correlate_rows_32 as correlate_rows
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
except ImportError:
    from kernels_cpu import array_at, njit, sum_of, transposed, view, whole_at
    from kernels_cpu import correlate_32 as correlate
    from kernels_cpu import correlate_rows_32 as correlate_rows
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products

NAME = "lenet"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("conv2d_1.W", 0, (16, 1, 3, 3)),
    ("batchnorm_1.gamma", 144, (16,)),
    ("batchnorm_1.beta", 160, (16,)),
    ("conv2d_2.W", 176, (32, 16, 3, 3)),
    ("batchnorm_2.gamma", 4784, (32,)),
    ("batchnorm_2.beta", 4816, (32,)),
    ("dense_1.W", 4848, (10, 128)),
    ("dense_1.b", 6128, (10,)),
)
#: Name, offset, shape and first value of each running statistic; in params they lie behind the parameters.
STATISTICS = (
    ("batchnorm_1.running_mean", 6138, (16,), 0.0),
    ("batchnorm_1.running_var", 6154, (16,), 1.0),
    ("batchnorm_2.running_mean", 6170, (32,), 0.0),
    ("batchnorm_2.running_var", 6202, (32,), 1.0),
)
#: Name, shape of a sample and probability of a 1 of each random input; the others of its entries are 0.
MASKS = (
    ("dropout_1.mask", (128,), 0.8),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 12277
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.01),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1125.0),
    ("minimum", 0.0),
    ("weight_decay", 1.0),
)

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 4416 * n + 145


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
def maxpool2d_a_3(x, a, top):
    """Write a."""
    # a[c, p, q, n] = max_{i, j} x[c, 2 p + i, 2 q + j, n]
    for c in range(top.shape[0]):
        for p in range(top.shape[1]):
            for q in range(top.shape[2]):
                for n in range(x.shape[3]):
                    top[c, p, q, n] = real(-np.inf)
    for i in range(2):
        for j in range(2):
            for c in range(top.shape[0]):
                for p in range(top.shape[1]):
                    for q in range(top.shape[2]):
                        for n in range(x.shape[3]):
                            candidate = x[c, 2 * p + i, 2 * q + j, n]
                            top[c, p, q, n] = candidate if (candidate > top[c, p, q, n]) | (candidate != candidate) else top[c, p, q, n]
    for c in range(a.shape[0]):
        for p in range(a.shape[1]):
            for q in range(a.shape[2]):
                for n in range(x.shape[3]):
                    a[c, p, q, n] = top[c, p, q, n]


@njit(cache=True, error_model="numpy", once=True)
def conv2d_z_2(W, x, z):
    """Write z."""
    # z[k, p, q, n] = Σ_{c, u, v} W[k, c, u, v] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    correlate(W, x, z, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy", once=True)
def maxpool2d_a_4(x, a, top):
    """Write a."""
    # a[c, p, q, n] = max_{i, j} x[c, 2 p + i, 2 q + j, n]
    for c in range(top.shape[0]):
        for p in range(top.shape[1]):
            for q in range(top.shape[2]):
                for n in range(x.shape[3]):
                    top[c, p, q, n] = real(-np.inf)
    for i in range(2):
        for j in range(2):
            for c in range(top.shape[0]):
                for p in range(top.shape[1]):
                    for q in range(top.shape[2]):
                        for n in range(x.shape[3]):
                            candidate = x[c, 2 * p + i, 2 * q + j, n]
                            top[c, p, q, n] = candidate if (candidate > top[c, p, q, n]) | (candidate != candidate) else top[c, p, q, n]
    for c in range(a.shape[0]):
        for p in range(a.shape[1]):
            for q in range(a.shape[2]):
                for n in range(x.shape[3]):
                    a[c, p, q, n] = top[c, p, q, n]


@njit(cache=True, error_model="numpy", once=True)
def flatten_a(x, a):
    """Write a."""
    # a[k, n] = x[floor(k/4), floor(k/2) mod 2, k mod 2, n]
    for k in range(a.shape[0]):
        for n in range(x.shape[3]):
            a[k, n] = x[k // 4, k // 2 % 2, k % 2, n]


@njit(cache=True, error_model="numpy", once=True)
def dropout_a_2(x, a):
    """Write a."""
    # a[i, n] = x[i, n]
    for i in range(x.shape[0]):
        for n in range(x.shape[1]):
            a[i, n] = x[i, n]


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
def maxpool2d_a(x, a_argmax, a):
    """Write a_argmax and a."""
    # a_argmax[c, p, q, n] = (2 i + j at max_{i, j} x[c, 2 p + i, 2 q + j, n])
    # a[c, p, q, n] = max_{i, j} x[c, 2 p + i, 2 q + j, n]
    for c in range(x.shape[0]):
        for p in range(a_argmax.shape[1]):
            for q in range(a_argmax.shape[2]):
                for n in range(x.shape[3]):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[c, 2 * p + i, 2 * q + j, n]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 2 * i + j if larger else place
                    a_argmax[c, p, q, n] = real(place)
                    a[c, p, q, n] = best


@njit(cache=True, error_model="numpy", once=True)
def maxpool2d_a_2(x, a_argmax, a):
    """Write a_argmax and a."""
    # a_argmax[c, p, q, n] = (2 i + j at max_{i, j} x[c, 2 p + i, 2 q + j, n])
    # a[c, p, q, n] = max_{i, j} x[c, 2 p + i, 2 q + j, n]
    for c in range(x.shape[0]):
        for p in range(a_argmax.shape[1]):
            for q in range(a_argmax.shape[2]):
                for n in range(x.shape[3]):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[c, 2 * p + i, 2 * q + j, n]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 2 * i + j if larger else place
                    a_argmax[c, p, q, n] = real(place)
                    a[c, p, q, n] = best


@njit(cache=True, error_model="numpy", once=True)
def dropout_a(mask, x, a):
    """Write a."""
    # a[i, n] = (5/4) · mask[n, i] x[i, n]
    for i in range(mask.shape[1]):
        for n in range(mask.shape[0]):
            a[i, n] = real(1.25) * mask[n, i] * x[i, n]


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
def flatten_grad_a(W, delta, mask, grad_a):
    """Write grad_a."""
    # grad_a[i, n] = (5/4) · mask[n, i] Σ_j W[j, i] delta[j, n]
    product(W.T, delta, grad_a)
    for i in range(W.shape[1]):
        for n in range(delta.shape[1]):
            grad_a[i, n] = real(1.25) * grad_a[i, n] * mask[n, i]


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_a(a, a_argmax, grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = grad_a_2[2 floor(h/2) + 4 c + floor(w/2), n] [2 · (h mod 2) + (w mod 2) = a_argmax[c, floor(h/2), floor(w/2),
    #     n]] [a[c, h, w, n] > 0]
    for c in range(a.shape[0]):
        for H in range(a_argmax.shape[1]):
            for W in range(a_argmax.shape[2]):
                for i in range(2):
                    for j in range(2):
                        for n in range(a.shape[3]):
                            grad_a_2_ = grad_a_2[2 * H + 4 * c + W, n]
                            a_ = a[c, 2 * H + i, 2 * W + j, n]
                            a_argmax_ = a_argmax[c, H, W, n]
                            grad_a[c, 2 * H + i, 2 * W + j, n] = grad_a_2_ if 2 * i + j == a_argmax_ and not a_ <= real(0.0) else real(0.0)


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
    # delta[k, p, q, n] = (16 grad_a[k, p, q, n] N − Σ_{h, w, i} grad_a[k, h, w, i] − x_hat[k, p, q, n] Σ_{h, w, i} grad_a[k, h, w, i]
    #     x_hat[k, h, w, i]) · gamma[k]/(16 sigma[k] N)
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
        factor = gamma[k] / real(16.0) / sigma[k] / real(N)
        for p in range(delta.shape[1]):
            for q in range(delta.shape[2]):
                for n in range(grad_a.shape[3]):
                    delta[k, p, q, n] = (real(16.0) * grad_a[k, p, q, n] * real(N) - total - x_hat[k, p, q, n] * total_2) * factor


@njit(cache=True, error_model="numpy", once=True)
def conv2d_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[k, c, u, v] = Σ_{p, q, n} delta[k, p, q, n] x[c, p + u − 1, q + v − 1, n] [0 ≤ p + u − 1 < 4] [0 ≤ q + v − 1 < 4]
    correlate_rows(delta, x, grad_W, (1, 1, -1), (1, 1, -1))


@njit(cache=True, error_model="numpy", once=True)
def maxpool2d_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = Σ_{k, u, v} W[k, c, u, v] delta[k, 1 + h − u, 1 + w − v, n] [0 ≤ 1 + h − u < 4] [0 ≤ 1 + w − v < 4]
    correlate(transposed(W, (1, 0, 2, 3)), delta, grad_a, (1, -1, 1), (1, -1, 1))


@njit(cache=True, error_model="numpy", once=True)
def batchnorm_grad_a_2(a, a_argmax, grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[c, h, w, n] = grad_a_2[c, floor(h/2), floor(w/2), n] [2 · (h mod 2) + (w mod 2) = a_argmax[c, floor(h/2), floor(w/2), n]]
    #     [a[c, h, w, n] > 0]
    for c in range(a.shape[0]):
        for H in range(a_argmax.shape[1]):
            for W in range(a_argmax.shape[2]):
                for i in range(2):
                    for j in range(2):
                        for n in range(a.shape[3]):
                            a_ = a[c, 2 * H + i, 2 * W + j, n]
                            a_argmax_ = a_argmax[c, H, W, n]
                            grad_a_2_ = grad_a_2[c, H, W, n]
                            grad_a[c, 2 * H + i, 2 * W + j, n] = grad_a_2_ if 2 * i + j == a_argmax_ and not a_ <= real(0.0) else real(0.0)


@njit(cache=True, error_model="numpy", once=True)
def conv2d_delta_2(gamma, grad_a, sigma, x_hat, delta):
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
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_1_sigma = work[2112 * n:2112 * n + 16]
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_a = view(work, 1088 * n, (16, 8, 8, n))
    activation_1_a = view(work, 0, (16, 8, 8, n))
    maxpool2d_1_a = view(work, 1024 * n, (16, 4, 4, n))
    top = view(work, 1280 * n, (16, 4, 4, n))
    conv2d_2_W = view(params, 176, (32, 16, 3, 3))
    conv2d_2_z = view(work, 0, (32, 4, 4, n))
    batchnorm_2_running_var = params[6202:6234]
    batchnorm_2_sigma = work[2112 * n:2112 * n + 32]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    batchnorm_2_a = view(work, 512 * n, (32, 4, 4, n))
    activation_2_a = view(work, 0, (32, 4, 4, n))
    maxpool2d_2_a = view(work, 512 * n, (32, 2, 2, n))
    top_ = view(work, 640 * n, (32, 2, 2, n))
    flatten_1_a = view(work, 0, (128, n))
    dropout_1_a = view(work, 128 * n, (128, n))
    dense_1_W = view(params, 4848, (10, 128))
    dense_1_b = params[6128:6138]
    dense_1_z_samples_last = view(work, 0, (10, n))
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma_2(batchnorm_1_running_var, batchnorm_1_sigma)
    batchnorm_a_2(batchnorm_1_running_mean, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # maxpool2d_1
    maxpool2d_a_3(activation_1_a, maxpool2d_1_a, top)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, maxpool2d_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma_2(batchnorm_2_running_var, batchnorm_2_sigma)
    batchnorm_a_2(batchnorm_2_running_mean, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # maxpool2d_2
    maxpool2d_a_4(activation_2_a, maxpool2d_2_a, top_)
    # flatten_1
    flatten_a(maxpool2d_2_a, flatten_1_a)
    # dropout_1
    dropout_a_2(flatten_1_a, dropout_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, dropout_1_a, dense_1_z_samples_last)
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
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_1_sigma = work[2112 * n:2112 * n + 16]
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_a = view(work, 1088 * n, (16, 8, 8, n))
    activation_1_a = view(work, 0, (16, 8, 8, n))
    maxpool2d_1_a = view(work, 1024 * n, (16, 4, 4, n))
    top = view(work, 1280 * n, (16, 4, 4, n))
    conv2d_2_W = view(params, 176, (32, 16, 3, 3))
    conv2d_2_z = view(work, 0, (32, 4, 4, n))
    batchnorm_2_running_var = params[6202:6234]
    batchnorm_2_sigma = work[2112 * n:2112 * n + 32]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    batchnorm_2_a = view(work, 512 * n, (32, 4, 4, n))
    activation_2_a = view(work, 0, (32, 4, 4, n))
    maxpool2d_2_a = view(work, 512 * n, (32, 2, 2, n))
    top_ = view(work, 640 * n, (32, 2, 2, n))
    flatten_1_a = view(work, 0, (128, n))
    dropout_1_a = view(work, 128 * n, (128, n))
    dense_1_W = view(params, 4848, (10, 128))
    dense_1_b = params[6128:6138]
    dense_1_z_samples_last = view(work, 0, (10, n))
    loss_L = work[20 * n:21 * n]
    top__ = work[21 * n:22 * n]
    total = work[22 * n:23 * n]
    value_ = work[23 * n:24 * n]
    loss_ = work[2112 * n:2112 * n + 1]
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma_2(batchnorm_1_running_var, batchnorm_1_sigma)
    batchnorm_a_2(batchnorm_1_running_mean, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # maxpool2d_1
    maxpool2d_a_3(activation_1_a, maxpool2d_1_a, top)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, maxpool2d_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma_2(batchnorm_2_running_var, batchnorm_2_sigma)
    batchnorm_a_2(batchnorm_2_running_mean, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # maxpool2d_2
    maxpool2d_a_4(activation_2_a, maxpool2d_2_a, top_)
    # flatten_1
    flatten_a(maxpool2d_2_a, flatten_1_a)
    # dropout_1
    dropout_a_2(flatten_1_a, dropout_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, dropout_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L(dense_1_z_samples_last, y, loss_L, top__, total, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def loss(params, x, dropout_1_mask, y, work):
    """Return the loss of a batch; work keeps what the gradients read."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    x_samples_last = view(work, 0, (1, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    conv2d_1_z = view(work, 64 * n, (16, 8, 8, n))
    batchnorm_1_mu = work[4416 * n:4416 * n + 16]
    batchnorm_1_v = work[4416 * n + 16:4416 * n + 32]
    batchnorm_1_sigma = work[4416 * n + 32:4416 * n + 48]
    batchnorm_1_beta = params[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    batchnorm_1_a = view(work, 2112 * n, (16, 8, 8, n))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    maxpool2d_1_a_argmax = view(work, 2112 * n, (16, 4, 4, n))
    maxpool2d_1_a = view(work, 2368 * n, (16, 4, 4, n))
    conv2d_2_W = view(params, 176, (32, 16, 3, 3))
    conv2d_2_z = view(work, 2624 * n, (32, 4, 4, n))
    batchnorm_2_mu = work[4416 * n + 48:4416 * n + 80]
    batchnorm_2_v = work[4416 * n + 80:4416 * n + 112]
    batchnorm_2_sigma = work[4416 * n + 112:4416 * n + 144]
    batchnorm_2_beta = params[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    batchnorm_2_x_hat = view(work, 3136 * n, (32, 4, 4, n))
    batchnorm_2_a = view(work, 3648 * n, (32, 4, 4, n))
    activation_2_a = view(work, 2624 * n, (32, 4, 4, n))
    maxpool2d_2_a_argmax = view(work, 3648 * n, (32, 2, 2, n))
    maxpool2d_2_a = view(work, 3776 * n, (32, 2, 2, n))
    flatten_1_a = view(work, 3904 * n, (128, n))
    dropout_1_a = view(work, 3776 * n, (128, n))
    dense_1_W = view(params, 4848, (10, 128))
    dense_1_b = params[6128:6138]
    dense_1_z_samples_last = view(work, 3904 * n, (10, n))
    loss_p = view(work, 3914 * n, (10, n))
    loss_L = work[3924 * n:3925 * n]
    top = work[3925 * n:3926 * n]
    total = work[3926 * n:3927 * n]
    terms = view(work, 3927 * n, (10, n))
    value_ = work[3937 * n:3938 * n]
    loss_ = work[4416 * n + 144:4416 * n + 145]
    # x
    write_x_samples_last(x, x_samples_last)
    # conv2d_1
    conv2d_z(conv2d_1_W, x_samples_last, conv2d_1_z)
    # batchnorm_1
    batchnorm_sigma(conv2d_1_z, batchnorm_1_mu, batchnorm_1_v, batchnorm_1_sigma)
    batchnorm_a(batchnorm_1_mu, batchnorm_1_sigma, conv2d_1_z, batchnorm_1_beta, batchnorm_1_gamma, batchnorm_1_x_hat, batchnorm_1_a)
    # activation_1
    activation_a(batchnorm_1_a, activation_1_a)
    # maxpool2d_1
    maxpool2d_a(activation_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # conv2d_2
    conv2d_z_2(conv2d_2_W, maxpool2d_1_a, conv2d_2_z)
    # batchnorm_2
    batchnorm_sigma(conv2d_2_z, batchnorm_2_mu, batchnorm_2_v, batchnorm_2_sigma)
    batchnorm_a(batchnorm_2_mu, batchnorm_2_sigma, conv2d_2_z, batchnorm_2_beta, batchnorm_2_gamma, batchnorm_2_x_hat, batchnorm_2_a)
    # activation_2
    activation_a(batchnorm_2_a, activation_2_a)
    # maxpool2d_2
    maxpool2d_a_2(activation_2_a, maxpool2d_2_a_argmax, maxpool2d_2_a)
    # flatten_1
    flatten_a(maxpool2d_2_a, flatten_1_a)
    # dropout_1
    dropout_a(dropout_1_mask, flatten_1_a, dropout_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, dropout_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y, loss_p, loss_L, top, total, terms, value_)
    loss_total(loss_L, loss_)
    return float(loss_[0])


@njit(cache=True, error_model="numpy")
def value_and_grad(params, x, dropout_1_mask, y, grads, work):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, dropout_1_mask, y, work)
    loss_p = view(work, 3914 * n, (10, n))
    delta_dense_1 = view(work, 3904 * n, (10, n))
    dropout_1_a = view(work, 3776 * n, (128, n))
    grad_dense_1_W = view(grads, 4848, (10, 128))
    grad_dense_1_b = grads[6128:6138]
    dense_1_W = view(params, 4848, (10, 128))
    grad_flatten_1_a = view(work, 3776 * n, (128, n))
    activation_2_a = view(work, 2624 * n, (32, 4, 4, n))
    maxpool2d_2_a_argmax = view(work, 3648 * n, (32, 2, 2, n))
    grad_batchnorm_2_a = view(work, 3904 * n, (32, 4, 4, n))
    batchnorm_2_x_hat = view(work, 3136 * n, (32, 4, 4, n))
    grad_batchnorm_2_gamma = grads[4784:4816]
    grad_batchnorm_2_beta = grads[4816:4848]
    batchnorm_2_gamma = params[4784:4816]
    batchnorm_2_sigma = work[4416 * n + 112:4416 * n + 144]
    delta_conv2d_2 = view(work, 2624 * n, (32, 4, 4, n))
    maxpool2d_1_a = view(work, 2368 * n, (16, 4, 4, n))
    grad_conv2d_2_W = view(grads, 176, (32, 16, 3, 3))
    conv2d_2_W = view(params, 176, (32, 16, 3, 3))
    grad_maxpool2d_1_a = view(work, 2368 * n, (16, 4, 4, n))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    maxpool2d_1_a_argmax = view(work, 2112 * n, (16, 4, 4, n))
    grad_batchnorm_1_a = view(work, 2624 * n, (16, 8, 8, n))
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    grad_batchnorm_1_gamma = grads[144:160]
    grad_batchnorm_1_beta = grads[160:176]
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_sigma = work[4416 * n + 32:4416 * n + 48]
    delta_conv2d_1 = view(work, 64 * n, (16, 8, 8, n))
    x_samples_last = view(work, 0, (1, 8, 8, n))
    grad_conv2d_1_W = view(grads, 0, (16, 1, 3, 3))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    dense_grad_W(delta_dense_1, dropout_1_a, grad_dense_1_W)
    dense_grad_b(delta_dense_1, grad_dense_1_b)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, dropout_1_mask, grad_flatten_1_a)
    # batchnorm_2
    batchnorm_grad_a(activation_2_a, maxpool2d_2_a_argmax, grad_flatten_1_a, grad_batchnorm_2_a)
    batchnorm_grad_gamma(grad_batchnorm_2_a, batchnorm_2_x_hat, grad_batchnorm_2_gamma)
    batchnorm_grad_beta(grad_batchnorm_2_a, grad_batchnorm_2_beta)
    # conv2d_2
    conv2d_delta(batchnorm_2_gamma, grad_batchnorm_2_a, batchnorm_2_sigma, batchnorm_2_x_hat, delta_conv2d_2)
    conv2d_grad_W(delta_conv2d_2, maxpool2d_1_a, grad_conv2d_2_W)
    # maxpool2d_1
    maxpool2d_grad_a(conv2d_2_W, delta_conv2d_2, grad_maxpool2d_1_a)
    # batchnorm_1
    batchnorm_grad_a_2(activation_1_a, maxpool2d_1_a_argmax, grad_maxpool2d_1_a, grad_batchnorm_1_a)
    batchnorm_grad_gamma(grad_batchnorm_1_a, batchnorm_1_x_hat, grad_batchnorm_1_gamma)
    batchnorm_grad_beta(grad_batchnorm_1_a, grad_batchnorm_1_beta)
    # conv2d_1
    conv2d_delta_2(batchnorm_1_gamma, grad_batchnorm_1_a, batchnorm_1_sigma, batchnorm_1_x_hat, delta_conv2d_1)
    conv2d_grad_W_2(delta_conv2d_1, x_samples_last, grad_conv2d_1_W)
    return value


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, dropout_1_mask, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (6234,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    dropout_1_mask = array_at(real, whole_at(table, 3), (n, 128))
    y = array_at(np.int64, whole_at(table, 4), (n,))
    grads = array_at(real, whole_at(table, 5), (6138,))
    work = array_at(real, whole_at(table, 6), (workspace(n),))
    return value_and_grad(params, x, dropout_1_mask, y, grads, work)


@njit(cache=True, error_model="numpy")
def input_gradients(params, x, dropout_1_mask, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    value = loss(params, x, dropout_1_mask, y, work)
    loss_p = view(work, 3914 * n, (10, n))
    delta_dense_1 = view(work, 3904 * n, (10, n))
    dense_1_W = view(params, 4848, (10, 128))
    grad_flatten_1_a = view(work, 3776 * n, (128, n))
    activation_2_a = view(work, 2624 * n, (32, 4, 4, n))
    maxpool2d_2_a_argmax = view(work, 3648 * n, (32, 2, 2, n))
    grad_batchnorm_2_a = view(work, 3904 * n, (32, 4, 4, n))
    batchnorm_2_gamma = params[4784:4816]
    batchnorm_2_sigma = work[4416 * n + 112:4416 * n + 144]
    batchnorm_2_x_hat = view(work, 3136 * n, (32, 4, 4, n))
    delta_conv2d_2 = view(work, 2624 * n, (32, 4, 4, n))
    conv2d_2_W = view(params, 176, (32, 16, 3, 3))
    grad_maxpool2d_1_a = view(work, 2368 * n, (16, 4, 4, n))
    activation_1_a = view(work, 64 * n, (16, 8, 8, n))
    maxpool2d_1_a_argmax = view(work, 2112 * n, (16, 4, 4, n))
    grad_batchnorm_1_a = view(work, 2624 * n, (16, 8, 8, n))
    batchnorm_1_gamma = params[144:160]
    batchnorm_1_sigma = work[4416 * n + 32:4416 * n + 48]
    batchnorm_1_x_hat = view(work, 1088 * n, (16, 8, 8, n))
    delta_conv2d_1 = view(work, 64 * n, (16, 8, 8, n))
    conv2d_1_W = view(params, 0, (16, 1, 3, 3))
    grad_x_samples_last = view(work, 0, (1, 8, 8, n))
    # dense_1
    dense_delta(loss_p, y, delta_dense_1)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, dropout_1_mask, grad_flatten_1_a)
    # batchnorm_2
    batchnorm_grad_a(activation_2_a, maxpool2d_2_a_argmax, grad_flatten_1_a, grad_batchnorm_2_a)
    # conv2d_2
    conv2d_delta(batchnorm_2_gamma, grad_batchnorm_2_a, batchnorm_2_sigma, batchnorm_2_x_hat, delta_conv2d_2)
    # maxpool2d_1
    maxpool2d_grad_a(conv2d_2_W, delta_conv2d_2, grad_maxpool2d_1_a)
    # batchnorm_1
    batchnorm_grad_a_2(activation_1_a, maxpool2d_1_a_argmax, grad_maxpool2d_1_a, grad_batchnorm_1_a)
    # conv2d_1
    conv2d_delta_2(batchnorm_1_gamma, grad_batchnorm_1_a, batchnorm_1_sigma, batchnorm_1_x_hat, delta_conv2d_1)
    # x
    x_grad_samples_last(conv2d_1_W, delta_conv2d_1, grad_x_samples_last)
    # grad
    grad_grad_x(grad_x_samples_last, grads_x)
    return value


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, dropout_1_mask, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (6234,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    dropout_1_mask = array_at(real, whole_at(table, 3), (n, 128))
    y = array_at(np.int64, whole_at(table, 4), (n,))
    grads_x = array_at(real, whole_at(table, 5), (n, 1, 8, 8))
    work = array_at(real, whole_at(table, 6), (workspace(n),))
    return input_gradients(params, x, dropout_1_mask, y, grads_x, work)


@njit(cache=True, error_model="numpy")
def update_statistics(params, x, dropout_1_mask, y, work):
    """Write the next running statistics into params; work is as value_and_grad of the same batch left it."""
    n = x.shape[0]
    batchnorm_1_mu = work[4416 * n:4416 * n + 16]
    batchnorm_1_running_mean = params[6138:6154]
    batchnorm_1_running_mean_next = work[4416 * n + 32:4416 * n + 48]
    batchnorm_1_running_var = params[6154:6170]
    batchnorm_1_v = work[4416 * n + 16:4416 * n + 32]
    batchnorm_1_running_var_next = work[4416 * n:4416 * n + 16]
    batchnorm_2_mu = work[4416 * n + 48:4416 * n + 80]
    batchnorm_2_running_mean = params[6170:6202]
    batchnorm_2_running_mean_next = work[4416 * n + 112:4416 * n + 144]
    batchnorm_2_running_var = params[6202:6234]
    batchnorm_2_v = work[4416 * n + 80:4416 * n + 112]
    batchnorm_2_running_var_next = work[4416 * n + 48:4416 * n + 80]
    # batchnorm_1
    batchnorm_running_mean_next(batchnorm_1_mu, batchnorm_1_running_mean, batchnorm_1_running_mean_next)
    batchnorm_running_var_next(batchnorm_1_running_var, batchnorm_1_v, batchnorm_1_running_var_next, n, 8, 8)
    # batchnorm_2
    batchnorm_running_mean_next(batchnorm_2_mu, batchnorm_2_running_mean, batchnorm_2_running_mean_next)
    batchnorm_running_var_next(batchnorm_2_running_var, batchnorm_2_v, batchnorm_2_running_var_next, n, 4, 4)
    params[6138:6154] = batchnorm_1_running_mean_next
    params[6154:6170] = batchnorm_1_running_var_next
    params[6170:6202] = batchnorm_2_running_mean_next
    params[6202:6234] = batchnorm_2_running_var_next


@njit(cache=True, error_model="numpy")
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate weight_decay w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = grads.size
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    updates = hyper[4]
    minimum = hyper[5]
    weight_decay = hyper[6]
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    t_next = 1.0 + t
    rate = (1.0 + np.cos(3.141592653589793 * (1.0 if 1.0 <= t / updates else t / updates))) * (lr - minimum) / 2.0 + minimum
    factor = 1.0 - beta1
    factor_2 = 1.0 - beta2
    c_1 = 1.0 - beta1 ** t_next
    c_2 = 1.0 - beta2 ** t_next
    factor_3 = -rate * weight_decay
    factor_4 = np.float64(1.0) / c_2
    factor_5 = -rate / c_1
    for p in range(P):
        m_next = grads[p] * real(factor) + m[p] * real(beta1)
        v_next = grads[p] * grads[p] * real(factor_2) + v[p] * real(beta2)
        w_next = params[p] * real(factor_3) + real(factor_5) * m_next / (np.sqrt(real(factor_4) * v_next) + real(eps)) + params[p]
        m[p] = m_next
        v[p] = v_next
        params[p] = w_next
    state[2 * P] = t_next


@njit(cache=True, error_model="numpy")
def train_step(params, x, dropout_1_mask, y, grads, state, hyper, work):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, dropout_1_mask, y, grads, work)
    if np.isfinite(value):
        update_statistics(params, x, dropout_1_mask, y, work)
        update(params, grads, state, hyper)
    return value
