"""Kernels of the network own_morphology for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 7f5569d5d8e60fb9c36ea6fea53e976451ae4a1fc813c28c1db4c6fd54eae04f

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np
from numba import prange

try:
    from .kernels_cpu import apart, array_at, chosen, njit, share, sum_of, threads, view, whole_at
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
except ImportError:
    from kernels_cpu import apart, array_at, chosen, njit, share, sum_of, threads, view, whole_at
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products

NAME = "own_morphology"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("outline_1.B", 0, (12, 3, 3)),
    ("outline_1.E", 108, (12, 3, 3)),
    ("dense_1.W", 216, (10, 192)),
    ("dense_1.b", 2136, (10,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 32
STATE_SIZE = 4293
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
    return 4043 * n + 49153


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    outside = 0
    for k in range(values.size):
        outside |= (values[k] < least) | (values[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def outline_grown(B, x, grown_argmax, grown):
    """Write grown_argmax and grown."""
    # grown_argmax[n, k, h, w] = (3 u + v at max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8])
    # grown[n, k, h, w] = max_{u, v} (B[k, u, v] + x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8]
    for n in range(x.shape[0]):
        for k in range(B.shape[0]):
            for h in range(grown_argmax.shape[2]):
                for w in range(grown_argmax.shape[3]):
                    best = real(-np.inf)
                    place = 0
                    for u in range(max(0, 1 - h), min(3, 9 - h)):
                        for v in range(max(0, 1 - w), min(3, 9 - w)):
                            candidate = B[k, u, v] + x[n, 0, h + u - 1, v + w - 1]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 3 * u + v if larger else place
                    grown_argmax[n, k, h, w] = real(place)
                    grown[n, k, h, w] = best


@njit(cache=True, error_model="numpy")
def outline_a(E, x, grown, shrunk_argmax, a):
    """Write shrunk_argmax and a."""
    # shrunk_argmax[n, k, h, w] = (3 u + v at max_{u, v} (E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w
    #     − 1 < 8])
    # shrunk[n, k, h, w] = −max_{u, v} (E[k, u, v] − x[n, 0, h + u − 1, v + w − 1]) · [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8]
    # a[n, k, h, w] = grown[n, k, h, w] − shrunk[n, k, h, w]
    for n in range(x.shape[0]):
        for k in range(E.shape[0]):
            for h in range(shrunk_argmax.shape[2]):
                for w in range(shrunk_argmax.shape[3]):
                    best = real(-np.inf)
                    place = 0
                    for u in range(max(0, 1 - h), min(3, 9 - h)):
                        for v in range(max(0, 1 - w), min(3, 9 - w)):
                            candidate = E[k, u, v] - x[n, 0, h + u - 1, v + w - 1]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 3 * u + v if larger else place
                    shrunk_argmax[n, k, h, w] = real(place)
                    shrunk = -best
                    a[n, k, h, w] = grown[n, k, h, w] - shrunk


@njit(cache=True, error_model="numpy")
def maxpool2d_a(x, a_argmax, a):
    """Write a_argmax and a."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    for n in range(x.shape[0]):
        for c in range(12):
            for p in range(4):
                for q in range(4):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[n, c, 2 * p + i, 2 * q + j]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 2 * i + j if larger else place
                    a_argmax[n, c, p, q] = real(place)
                    a[n, c, p, q] = best


@njit(cache=True, error_model="numpy")
def flatten_a(x, a):
    """Write a."""
    # a[n, k] = x[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    for n in range(x.shape[0]):
        for k in range(192):
            a[n, k] = x[n, k // 16, k // 4 % 4, k % 4]


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
def loss_total(L, loss_, N):
    """Write loss."""
    # loss = (Σ_n L[n])/N
    loss_[0] = sum_of(L)
    loss_[0] = loss_[0] / real(N)


@njit(cache=True, error_model="numpy")
def flatten_a_by_rows(x, a_argmax, a_2, a):
    """Write a_argmax and a_2."""
    # a_argmax[n, c, p, q] = (2 i + j at max_{i, j} x[n, c, 2 p + i, 2 q + j])
    # a[n, c, p, q] = max_{i, j} x[n, c, 2 p + i, 2 q + j]
    # a_2[n, k] = a[n, floor(k/16), floor(k/4) mod 4, k mod 4]
    for n in range(x.shape[0]):
        for c in range(12):
            for p in range(4):
                for q in range(4):
                    best = real(-np.inf)
                    place = 0
                    for i in range(2):
                        for j in range(2):
                            candidate = x[n, c, 2 * p + i, 2 * q + j]
                            larger = (candidate > best) | ((candidate != candidate) & (best == best))
                            best = candidate if larger else best
                            place = 2 * i + j if larger else place
                    a_argmax[n, c, p, q] = real(place)
                    a[c, p, q] = best
        for k in range(192):
            a_2[n, k] = a[k // 16, k // 4 % 4, k % 4]


@njit(cache=True, error_model="numpy")
def dense_delta(p, y, delta, N):
    """Write delta."""
    # delta[n, i] = (p[i, n] − [i = y[n]])/N
    factor = real(1.0) / real(N)
    for n in range(p.shape[1]):
        for i in range(p.shape[0]):
            p_ = p[i, n]
            delta[n, i] = (p_ - (real(1.0) if i == y[n] else real(0.0))) * factor


@njit(cache=True, error_model="numpy")
def flatten_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[n, j] = Σ_i W[i, j] delta[n, i]
    product(delta, W, grad_a)


@njit(cache=True, error_model="numpy")
def outline_grad_a(a_argmax, grad_a_2, grad_a):
    """Write grad_a."""
    # grad_a[n, c, h, w] = grad_a_2[n, 4 floor(h/2) + 16 c + floor(w/2)] [2 · (h mod 2) + (w mod 2) = a_argmax[n, c, floor(h/2),
    #     floor(w/2)]]
    for n in range(a_argmax.shape[0]):
        for c in range(12):
            for H in range(4):
                for W in range(4):
                    grad_a_2_ = grad_a_2[n, 4 * H + 16 * c + W]
                    a_argmax_ = a_argmax[n, c, H, W]
                    for i in range(2):
                        for j in range(2):
                            grad_a[n, c, 2 * H + i, 2 * W + j] = grad_a_2_ if 2 * i + j == a_argmax_ else real(0.0)


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_n delta[n, i] x[n, j]
    product(delta.T, x, grad_W)


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
def outline_grad_B(grad_a, grown_argmax, grad_B):
    """Write grad_B."""
    # grad_B[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [0 ≤ v < 3] [3 u + v = grown_argmax[n, k,
    #     h, w]]
    for k in range(grad_B.shape[0]):
        for u in range(grad_B.shape[1]):
            for v in range(grad_B.shape[2]):
                total = real(0.0)
                for n in range(grad_a.shape[0]):
                    for h in range(max(0, 1 - u), min(8, 9 - u)):
                        for w in range(max(0, 1 - v), min(8, 9 - v)):
                            total += grad_a[n, k, h, w] if 0 <= v < 3 and 3 * u + v == grown_argmax[n, k, h, w] else real(0.0)
                grad_B[k, u, v] = total


@njit(cache=True, error_model="numpy")
def outline_grad_E(grad_a, shrunk_argmax, grad_E):
    """Write grad_E."""
    # grad_E[k, u, v] = Σ_{n, h, w} grad_a[n, k, h, w] [0 ≤ h + u − 1 < 8] [0 ≤ v + w − 1 < 8] [0 ≤ v < 3] [3 u + v = shrunk_argmax[n,
    #     k, h, w]]
    for k in range(grad_E.shape[0]):
        for u in range(grad_E.shape[1]):
            for v in range(grad_E.shape[2]):
                total = real(0.0)
                for n in range(grad_a.shape[0]):
                    for h in range(max(0, 1 - u), min(8, 9 - u)):
                        for w in range(max(0, 1 - v), min(8, 9 - v)):
                            total += grad_a[n, k, h, w] if 0 <= v < 3 and 3 * u + v == shrunk_argmax[n, k, h, w] else real(0.0)
                grad_E[k, u, v] = total


@njit(cache=True, error_model="numpy")
def write_grad_x_by_rows(a_argmax, grad_a_2, grown_argmax, shrunk_argmax, grad_x, grad_a):
    """Write grad_x."""
    # grad_a[n, c, h, w] = grad_a_2[n, 4 floor(h/2) + 16 c + floor(w/2)] [2 · (h mod 2) + (w mod 2) = a_argmax[n, c, floor(h/2),
    #     floor(w/2)]]
    # grad_x[n, c_2, h, w] = (Σ_{c, i, j} grad_a[n, c, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i < 8] [0 ≤ 1 + w − j < 8] [3 i + j
    #     = grown_argmax[n, c, 1 + h − i, 1 + w − j]] − Σ_{c, i, j} grad_a[n, c, 1 + h − i, 1 + w − j] [0 ≤ 1 + h − i < 8] [0 ≤ 1 + w − j
    #     < 8] [3 i + j = shrunk_argmax[n, c, 1 + h − i, 1 + w − j]]) · [c_2 = 0]
    for n in range(a_argmax.shape[0]):
        for c in range(12):
            for H in range(4):
                for W in range(4):
                    grad_a_2_ = grad_a_2[n, 4 * H + 16 * c + W]
                    a_argmax_ = a_argmax[n, c, H, W]
                    for i in range(2):
                        for j in range(2):
                            grad_a[c, 2 * H + i, 2 * W + j] = grad_a_2_ if 2 * i + j == a_argmax_ else real(0.0)
        for c_2 in range(grad_x.shape[1]):
            for h in range(grad_x.shape[2]):
                for w in range(grad_x.shape[3]):
                    total = real(0.0)
                    for c in range(grad_a.shape[0]):
                        for i in range(max(0, h - 6), min(3, h + 2)):
                            for j in range(max(0, w - 6), min(3, w + 2)):
                                total += (
                                    grad_a[c, h + 1 - i, w + 1 - j] if 3 * i + j == shrunk_argmax[n, c, h + 1 - i, w + 1 - j] else real(0.0)
                                )
                    total_2 = real(0.0)
                    for c in range(grad_a.shape[0]):
                        for i in range(max(0, h - 6), min(3, h + 2)):
                            for j in range(max(0, w - 6), min(3, w + 2)):
                                total_2 += (
                                    grad_a[c, h + 1 - i, w + 1 - j] if 3 * i + j == grown_argmax[n, c, h + 1 - i, w + 1 - j] else real(0.0)
                                )
                    grad_x[n, c_2, h, w] = total_2 - total if c_2 == 0 else real(0.0)


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
    outline_1_B = view(params, 0, (12, 3, 3))
    outline_1_grown_argmax = view(work, 0, (n, 12, 8, 8))
    outline_1_grown = view(work, 768 * n, (n, 12, 8, 8))
    outline_1_E = view(params, 108, (12, 3, 3))
    outline_1_shrunk_argmax = view(work, 1536 * n, (n, 12, 8, 8))
    outline_1_a = view(work, 2304 * n, (n, 12, 8, 8))
    maxpool2d_1_a_argmax = view(work, 768 * n, (n, 12, 4, 4))
    maxpool2d_1_a = view(work, 960 * n, (n, 12, 4, 4))
    flatten_1_a = view(work, 1152 * n, (n, 192))
    dense_1_W = view(params, 216, (10, 192))
    dense_1_b = params[2136:2146]
    dense_1_z_samples_last = view(work, 960 * n, (10, n))
    # outline_1
    outline_grown(outline_1_B, x, outline_1_grown_argmax, outline_1_grown)
    outline_a(outline_1_E, x, outline_1_grown, outline_1_shrunk_argmax, outline_1_a)
    # maxpool2d_1
    maxpool2d_a(outline_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # flatten_1
    flatten_a(maxpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    dense_z_2(dense_1_z_samples_last, out)


@njit(cache=True, error_model="numpy")
def loss_samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[2507 * n + 1536 * low : 2507 * n + 1536 * high]
    outline_1_B = view(params, 0, (12, 3, 3))
    outline_1_grown_argmax = view(work, 768 * low, (m, 12, 8, 8))
    outline_1_grown = view(own, 0, (m, 12, 8, 8))
    outline_1_E = view(params, 108, (12, 3, 3))
    outline_1_shrunk_argmax = view(work, 768 * n + 768 * low, (m, 12, 8, 8))
    outline_1_a = view(own, 768 * m, (m, 12, 8, 8))
    maxpool2d_1_a_argmax = view(own, 0, (m, 12, 4, 4))
    maxpool2d_1_a = view(own, 192 * m, (m, 12, 4, 4))
    flatten_1_a = view(work, 1536 * n + 192 * low, (m, 192))
    dense_1_W = view(params, 216, (10, 192))
    dense_1_b = params[2136:2146]
    dense_1_z_samples_last = view(own, 192 * m, (10, m))
    loss_p = view(own, 202 * m, (10, m))
    loss_L = work[1728 * n + low : 1728 * n + high]
    top = own[212 * m : 212 * m + m]
    total = own[213 * m : 213 * m + m]
    terms = view(own, 214 * m, (10, m))
    value = own[224 * m : 224 * m + m]
    # outline_1
    outline_grown(outline_1_B, x[low:high], outline_1_grown_argmax, outline_1_grown)
    outline_a(outline_1_E, x[low:high], outline_1_grown, outline_1_shrunk_argmax, outline_1_a)
    # maxpool2d_1
    maxpool2d_a(outline_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # flatten_1
    flatten_a(maxpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y[low:high], loss_p, loss_L, top, total, terms, value)


@njit(cache=True, error_model="numpy")
def loss_scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = work[1728 * n:1729 * n]
    loss_ = work[4043 * n:4043 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy", parallel=True)
def loss(params, x, y, work):
    """Return the loss of a batch; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n // 4)
    for part in prange(parts):
        loss_samples(params, x, y, work, part, parts)
    loss_scalars(params, x, y, work)
    return float(work[4043 * n])


@njit(cache=True, error_model="numpy")
def samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[2507 * n + 1536 * low : 2507 * n + 1536 * high]
    scratch = work[4043 * n + 768 * part + 1 : 4043 * n + 768 * part + 193]
    outline_1_B = view(params, 0, (12, 3, 3))
    outline_1_grown_argmax = view(work, 768 * low, (m, 12, 8, 8))
    outline_1_grown = view(own, 0, (m, 12, 8, 8))
    outline_1_E = view(params, 108, (12, 3, 3))
    outline_1_shrunk_argmax = view(work, 768 * n + 768 * low, (m, 12, 8, 8))
    outline_1_a = view(own, 768 * m, (m, 12, 8, 8))
    maxpool2d_1_a_argmax = view(own, 0, (m, 12, 4, 4))
    flatten_1_a = view(work, 1536 * n + 192 * low, (m, 192))
    a = view(scratch, 0, (12, 4, 4))
    dense_1_W = view(params, 216, (10, 192))
    dense_1_b = params[2136:2146]
    dense_1_z_samples_last = view(own, 192 * m, (10, m))
    loss_p = view(own, 202 * m, (10, m))
    loss_L = work[1728 * n + low : 1728 * n + high]
    top = own[212 * m : 212 * m + m]
    total = own[213 * m : 213 * m + m]
    terms = view(own, 214 * m, (10, m))
    value = own[224 * m : 224 * m + m]
    delta_dense_1 = view(work, 1729 * n + 10 * low, (m, 10))
    grad_flatten_1_a = view(own, 192 * m, (m, 192))
    grad_outline_1_a = view(work, 1739 * n + 768 * low, (m, 12, 8, 8))
    # outline_1
    outline_grown(outline_1_B, x[low:high], outline_1_grown_argmax, outline_1_grown)
    outline_a(outline_1_E, x[low:high], outline_1_grown, outline_1_shrunk_argmax, outline_1_a)
    # flatten_1
    flatten_a_by_rows(outline_1_a, maxpool2d_1_a_argmax, flatten_1_a, a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y[low:high], loss_p, loss_L, top, total, terms, value)
    # dense_1
    dense_delta(loss_p, y[low:high], delta_dense_1, n)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # outline_1
    outline_grad_a(maxpool2d_1_a_argmax, grad_flatten_1_a, grad_outline_1_a)


@njit(cache=True, error_model="numpy")
def scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = work[1728 * n:1729 * n]
    loss_ = work[4043 * n:4043 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy")
def rows(params, x, y, grads, work, part, parts):
    """Write a part of what is summed over the samples."""
    n = x.shape[0]
    delta_dense_1 = view(work, 1729 * n, (n, 10))
    flatten_1_a = view(work, 1536 * n, (n, 192))
    grad_dense_1_W = view(grads, 216, (10, 192))
    grad_dense_1_b = grads[2136:2146]
    grad_outline_1_a = view(work, 1739 * n, (n, 12, 8, 8))
    outline_1_grown_argmax = view(work, 0, (n, 12, 8, 8))
    grad_outline_1_B = view(grads, 0, (12, 3, 3))
    outline_1_shrunk_argmax = view(work, 768 * n, (n, 12, 8, 8))
    grad_outline_1_E = view(grads, 108, (12, 3, 3))
    # dense_1
    low, high = share(192, part, parts)
    dense_grad_W(delta_dense_1, flatten_1_a[:, low:high], grad_dense_1_W[:, low:high])
    low, high = share(10, part, parts)
    dense_grad_b(delta_dense_1[:, low:high], grad_dense_1_b[low:high])
    # outline_1
    if part == 0:
        outline_grad_B(grad_outline_1_a, outline_1_grown_argmax, grad_outline_1_B)
    if part == 1 % parts:
        outline_grad_E(grad_outline_1_a, outline_1_shrunk_argmax, grad_outline_1_E)


@njit(cache=True, error_model="numpy", parallel=True)
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n // 4, 64)
    for part in prange(parts):
        samples(params, x, y, work, part, parts)
    scalars(params, x, y, work)
    for part in prange(parts):
        rows(params, x, y, grads, work, part, parts)
    return float(work[4043 * n])


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (2146,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads = array_at(real, whole_at(table, 4), (2146,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 2146:
        return False
    if grads.size != 2146:
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
def input_samples(params, x, y, grads_x, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[n + 3072 * low : n + 3072 * high]
    scratch = work[4043 * n + 768 * part + 1 : 4043 * n + 768 * part + 769]
    outline_1_B = view(params, 0, (12, 3, 3))
    outline_1_grown_argmax = view(own, 0, (m, 12, 8, 8))
    outline_1_grown = view(own, 768 * m, (m, 12, 8, 8))
    outline_1_E = view(params, 108, (12, 3, 3))
    outline_1_shrunk_argmax = view(own, 1536 * m, (m, 12, 8, 8))
    outline_1_a = view(own, 2304 * m, (m, 12, 8, 8))
    maxpool2d_1_a_argmax = view(own, 768 * m, (m, 12, 4, 4))
    maxpool2d_1_a = view(own, 960 * m, (m, 12, 4, 4))
    flatten_1_a = view(own, 1152 * m, (m, 192))
    dense_1_W = view(params, 216, (10, 192))
    dense_1_b = params[2136:2146]
    dense_1_z_samples_last = view(own, 960 * m, (10, m))
    loss_p = view(own, 970 * m, (10, m))
    loss_L = work[low : high]
    top = own[980 * m : 980 * m + m]
    total = own[981 * m : 981 * m + m]
    terms = view(own, 982 * m, (10, m))
    value = own[992 * m : 992 * m + m]
    delta_dense_1 = view(own, 960 * m, (m, 10))
    grad_flatten_1_a = view(own, 970 * m, (m, 192))
    grad_a = view(scratch, 0, (12, 8, 8))
    # outline_1
    outline_grown(outline_1_B, x[low:high], outline_1_grown_argmax, outline_1_grown)
    outline_a(outline_1_E, x[low:high], outline_1_grown, outline_1_shrunk_argmax, outline_1_a)
    # maxpool2d_1
    maxpool2d_a(outline_1_a, maxpool2d_1_a_argmax, maxpool2d_1_a)
    # flatten_1
    flatten_a(maxpool2d_1_a, flatten_1_a)
    # dense_1
    dense_z(dense_1_W, dense_1_b, flatten_1_a, dense_1_z_samples_last)
    # loss
    write_loss_L_and_p(dense_1_z_samples_last, y[low:high], loss_p, loss_L, top, total, terms, value)
    # dense_1
    dense_delta(loss_p, y[low:high], delta_dense_1, n)
    # flatten_1
    flatten_grad_a(dense_1_W, delta_dense_1, grad_flatten_1_a)
    # x
    write_grad_x_by_rows(maxpool2d_1_a_argmax, grad_flatten_1_a, outline_1_grown_argmax, outline_1_shrunk_argmax, grads_x[low:high], grad_a)


@njit(cache=True, error_model="numpy")
def input_scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = work[0:n]
    loss_ = work[3073 * n:3073 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy", parallel=True)
def input_gradients(params, x, y, grads_x, work):
    """Return the loss of a batch and write its gradient with respect to the inputs; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n // 4, 64)
    for part in prange(parts):
        input_samples(params, x, y, grads_x, work, part, parts)
    input_scalars(params, x, y, work)
    return float(work[3073 * n])


@njit(cache=True, error_model="numpy")
def input_gradients_at(table):
    """Do input_gradients; from the address table on lie n and the addresses of params, x, y, grads_x and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (2146,))
    x = array_at(real, whole_at(table, 2), (n, 1, 8, 8))
    y = array_at(np.int64, whole_at(table, 3), (n,))
    grads_x = array_at(real, whole_at(table, 4), (n, 1, 8, 8))
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
