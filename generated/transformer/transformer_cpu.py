"""Kernels of the network transformer for the CPU, compiled by Numba; they need NumPy and Numba only.

Written from the template numba_cpu/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 79775c58b73520368fe08427219629d8a009d844711b10dc24ba8857d3933ebf

params, grads, state and work are contiguous 1-D arrays of type float32; x has one sample a row.
x holds integers from 0 to 61. y has 32 numbers for each sample, integers from 0 to 61.
"""

import numpy as np
from numba import prange

try:
    from .kernels_cpu import apart, array_at, chosen, max_of, merged, njit, share, sum_of, sum_of_rows, threads, view, whole_at
    from .kernels_cpu import erf_32 as erf
    from .kernels_cpu import exp_32 as exp
    from .kernels_cpu import log_32 as log
    from .kernels_cpu import power_32 as power
    from .kernels_cpu import product_32 as product
    from .kernels_cpu import row_products_32 as row_products
    from .kernels_cpu import sin_32 as sin
except ImportError:
    from kernels_cpu import apart, array_at, chosen, max_of, merged, njit, share, sum_of, sum_of_rows, threads, view, whole_at
    from kernels_cpu import erf_32 as erf
    from kernels_cpu import exp_32 as exp
    from kernels_cpu import log_32 as log
    from kernels_cpu import power_32 as power
    from kernels_cpu import product_32 as product
    from kernels_cpu import row_products_32 as row_products
    from kernels_cpu import sin_32 as sin

NAME = "transformer"
#: Name, offset and shape of each parameter in the flat buffers.
PARAMETERS = (
    ("embedding_1.E", 0, (62, 32)),
    ("layernorm_1.gamma", 1984, (32,)),
    ("layernorm_1.beta", 2016, (32,)),
    ("attention_1.W_q", 2048, (32, 32)),
    ("attention_1.W_k", 3072, (32, 32)),
    ("attention_1.W_v", 4096, (32, 32)),
    ("attention_1.W_o", 5120, (32, 32)),
    ("layernorm_2.gamma", 6144, (32,)),
    ("layernorm_2.beta", 6176, (32,)),
    ("dense_1.W", 6208, (128, 32)),
    ("dense_1.b", 10304, (128,)),
    ("dense_2.W", 10432, (32, 128)),
    ("dense_2.b", 14528, (32,)),
    ("layernorm_3.gamma", 14560, (32,)),
    ("layernorm_3.beta", 14592, (32,)),
    ("dense_3.W", 14624, (62, 32)),
    ("dense_3.b", 16608, (62,)),
)
DTYPE = "float32"
#: The largest batch.
BATCH = 16
STATE_SIZE = 33341
#: The optimizer's numbers with their defaults, in the order of the array hyper.
HYPER = (
    ("lr", 0.005),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("eps", 1e-08),
    ("updates", 1100.0),
    ("minimum", 0.0),
)

real = np.float32


@njit(cache=True, error_model="numpy")
def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 48096 * n + 132097


@njit(cache=True, error_model="numpy")
def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    flat = values.reshape(values.size)
    outside = 0
    for k in range(flat.size):
        outside |= (flat[k] < least) | (flat[k] > most)
    return outside == 0


@njit(cache=True, error_model="numpy")
def embedding_a(E, x, a):
    """Write a."""
    # a[n, t, i] = E[x[n, t], i]
    for n in range(x.shape[0]):
        for t in range(32):
            for i in range(32):
                a[n, t, i] = E[x[n, t], i]


@njit(cache=True, error_model="numpy")
def positionalencoding_a(x, a, table):
    """Write a."""
    # a[n, t, j] = x[n, t, j] + sin(10000^(−floor(j/2)/16) · t + π · (j mod 2)/2)
    for t in range(32):
        for J in range(16):
            for i in range(2):
                table[t, 2 * J + i] = (
                    sin(power(real(10000.0), -real(J) / real(16.0)) * real(t) + real(3.141592653589793) * real(i) / real(2.0))
                )
    for n in range(x.shape[0]):
        for t in range(32):
            for j in range(32):
                a[n, t, j] = table[t, j] + x[n, t, j]


@njit(cache=True, error_model="numpy")
def layernorm_sigma(x, mu, sigma, total, terms, total_2):
    """Write mu and sigma."""
    # mu[n, t] = (Σ_i x[n, t, i])/n_2
    # v[n, t] = (Σ_i (x[n, t, i] − mu[n, t])²)/n_2
    # sigma[n, t] = √(1e−05 + v[n, t])
    n_2 = x.shape[2]
    factor = real(1.0) / real(n_2)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            total[t] = sum_of(x[n, t])
        for t in range(x.shape[1]):
            mu[n, t] = total[t] * factor
        for t in range(x.shape[1]):
            mu_ = mu[n, t]
            for i in range(x.shape[2]):
                base = x[n, t, i] - mu_
                terms[i] = base * base
            total_2[t] = sum_of(terms)
        for t in range(x.shape[1]):
            v = total_2[t] * factor
            sigma[n, t] = np.sqrt(real(1e-05) + v)


@njit(cache=True, error_model="numpy")
def layernorm_a(mu, sigma, x, beta, gamma, x_hat, a):
    """Write x_hat and a."""
    # x_hat[n, t, i] = (x[n, t, i] − mu[n, t])/sigma[n, t]
    # a[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
    for n in range(mu.shape[0]):
        for t in range(mu.shape[1]):
            factor = real(1.0) / sigma[n, t]
            for i in range(x.shape[2]):
                x_hat[n, t, i] = (x[n, t, i] - mu[n, t]) * factor
                a[n, t, i] = gamma[i] * x_hat[n, t, i] + beta[i]


@njit(cache=True, error_model="numpy")
def attention_Q(W_q, x, Q, W_q_windows, products):
    """Write Q."""
    # Q[n, h, t, d] = Σ_j W_q[8 h + d, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    W_q_windows_matrix = merged(W_q_windows, (2, 1))
    products_matrix = merged(products, (2, 2))
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_q_windows[h, d, j] = W_q[8 * h + d, j]
    row_products(x_matrix, W_q_windows_matrix, products_matrix)
    for n in range(x.shape[0]):
        for h in range(4):
            for t in range(32):
                for d in range(8):
                    Q[n, h, t, d] = products[n, t, h, d]


@njit(cache=True, error_model="numpy")
def attention_K(W_k, x, K, W_k_windows, products):
    """Write K."""
    # K[n, h, t, d] = Σ_j W_k[8 h + d, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    W_k_windows_matrix = merged(W_k_windows, (2, 1))
    products_matrix = merged(products, (2, 2))
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_k_windows[h, d, j] = W_k[8 * h + d, j]
    row_products(x_matrix, W_k_windows_matrix, products_matrix)
    for n in range(x.shape[0]):
        for h in range(4):
            for t in range(32):
                for d in range(8):
                    K[n, h, t, d] = products[n, t, h, d]


@njit(cache=True, error_model="numpy")
def attention_V(W_v, x, V, W_v_windows, products):
    """Write V."""
    # V[n, h, t, d] = Σ_j W_v[8 h + d, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    W_v_windows_matrix = merged(W_v_windows, (2, 1))
    products_matrix = merged(products, (2, 2))
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_v_windows[h, d, j] = W_v[8 * h + d, j]
    row_products(x_matrix, W_v_windows_matrix, products_matrix)
    for n in range(x.shape[0]):
        for h in range(4):
            for t in range(32):
                for d in range(8):
                    V[n, h, t, d] = products[n, t, h, d]


@njit(cache=True, error_model="numpy")
def attention_S(K, Q, S):
    """Write S."""
    # S[n, h, t, s] = √2 · (Σ_d K[n, h, s, d] Q[n, h, t, d])/4
    for n in range(K.shape[0]):
        for h in range(4):
            row_products(Q[n, h], K[n, h], S[n, h])
            for t in range(32):
                for s in range(32):
                    S[n, h, t, s] = np.sqrt(real(2.0)) * S[n, h, t, s] / real(4.0)


@njit(cache=True, error_model="numpy")
def attention_P(S, P, terms, top, shift, total):
    """Write P."""
    # P[n, h, t, s] = [t ≥ s] exp(S[n, h, t, s] − log Σ_i exp(S[n, h, t, i] [t ≥ i] + log([t ≥ i])))
    for n in range(S.shape[0]):
        for h in range(4):
            for t in range(32):
                for i in range(32):
                    value = S[n, h, t, i]
                    terms[t, i] = value if t >= i else real(-np.inf)
                top[t] = max_of(terms[t])
            for t in range(32):
                shift_ = top[t] if abs(top[t]) != real(np.inf) else real(0.0)
                for i in range(32):
                    terms[t, i] = exp(terms[t, i] - shift_)
                shift[t] = shift_
                total[t] = sum_of(terms[t])
            for t in range(32):
                total_ = total[t]
                factor = real(1.0) / total_
                for s in range(32):
                    terms_ = terms[t, s]
                    P[n, h, t, s] = factor * terms_ if t >= s else real(0.0)


@njit(cache=True, error_model="numpy")
def attention_O(P, V, O):
    """Write O."""
    # O[n, h, t, d] = Σ_s P[n, h, t, s] V[n, h, s, d]
    for n in range(P.shape[0]):
        for h in range(4):
            product(P[n, h], V[n, h], O[n, h])


@njit(cache=True, error_model="numpy")
def attention_a(O, W_o, a, O_windows):
    """Write a."""
    # a[n, t, i] = Σ_j W_o[i, j] O[n, floor(j/8), t, j mod 8]
    O_windows_matrix = merged(O_windows, (2, 1))
    a_matrix = merged(a, (2, 1))
    for n in range(O.shape[0]):
        for t in range(32):
            for j in range(32):
                O_windows[n, t, j] = O[n, j // 8, t, j % 8]
    row_products(O_windows_matrix, W_o, a_matrix)


@njit(cache=True, error_model="numpy")
def add_a(x_1, x_2, a):
    """Write a."""
    # a[n, t, i] = x_1[n, t, i] + x_2[n, t, i]
    for n in range(x_1.shape[0]):
        for t in range(x_1.shape[1]):
            for i in range(x_1.shape[2]):
                a[n, t, i] = x_1[n, t, i] + x_2[n, t, i]


@njit(cache=True, error_model="numpy")
def dense_a(W, b, x, z, a):
    """Write z and a."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    # a[n, t, i] = (1 + erf(√2 z[n, t, i]/2)) · z[n, t, i]/2
    x_matrix = merged(x, (2, 1))
    z_matrix = merged(z, (2, 1))
    row_products(x_matrix, W, z_matrix)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            for i in range(W.shape[0]):
                z[n, t, i] = b[i] + z[n, t, i]
                t_ = z[n, t, i] / real(2.0)
                a[n, t, i] = (real(1.0) + erf(np.sqrt(real(2.0)) * t_)) * t_


@njit(cache=True, error_model="numpy")
def dense_z(W, b, x, z):
    """Write z."""
    # z[n, t, i] = b[i] + Σ_j W[i, j] x[n, t, j]
    x_matrix = merged(x, (2, 1))
    z_matrix = merged(z, (2, 1))
    row_products(x_matrix, W, z_matrix)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            for i in range(W.shape[0]):
                z[n, t, i] = b[i] + z[n, t, i]


@njit(cache=True, error_model="numpy")
def write_loss_p(a, p, terms, top, shift, total):
    """Write p."""
    # p[n, t, i] = exp(a[n, t, i] − log Σ_j exp(a[n, t, j]))
    for n in range(a.shape[0]):
        for t in range(a.shape[1]):
            top[t] = max_of(a[n, t])
        for t in range(a.shape[1]):
            shift_ = top[t] if abs(top[t]) != real(np.inf) else real(0.0)
            for j in range(a.shape[2]):
                terms[t, j] = exp(a[n, t, j] - shift_)
            shift[t] = shift_
            total[t] = sum_of(terms[t])
        for t in range(a.shape[1]):
            factor = real(1.0) / total[t]
            for i in range(a.shape[2]):
                p[n, t, i] = terms[t, i] * factor


@njit(cache=True, error_model="numpy")
def write_loss_L(a, y, L, terms, top, shift, total):
    """Write L."""
    # L[n, t] = log Σ_i exp(a[n, t, i]) − a[n, t, y[n, t]]
    for n in range(a.shape[0]):
        for t in range(32):
            top[t] = max_of(a[n, t])
        for t in range(32):
            shift_ = top[t] if abs(top[t]) != real(np.inf) else real(0.0)
            for i in range(62):
                terms[t, i] = exp(a[n, t, i] - shift_)
            shift[t] = shift_
            total[t] = sum_of(terms[t])
        for t in range(32):
            L[n, t] = shift[t] + log(total[t]) - a[n, t, y[n, t]]


@njit(cache=True, error_model="numpy")
def loss_total(L, loss_, N):
    """Write loss."""
    # loss = (Σ_{n, t} L[n, t])/(N n_1)
    n_1 = L.shape[1]
    loss_[0] = sum_of(L)
    loss_[0] = loss_[0] / real(N) / real(n_1)


@njit(cache=True, error_model="numpy")
def layernorm_a_by_rows(x, beta, gamma, sigma, x_hat, a, terms, mu):
    """Write sigma and x_hat and a."""
    # mu[n, t] = (Σ_i x[n, t, i])/32
    # v[n, t] = (Σ_i (x[n, t, i] − mu[n, t])²)/32
    # sigma[n, t] = √(1e−05 + v[n, t])
    # x_hat[n, t, i] = (x[n, t, i] − mu[n, t])/sigma[n, t]
    # a[n, t, i] = gamma[i] x_hat[n, t, i] + beta[i]
    for n in range(x.shape[0]):
        for t in range(32):
            total = sum_of(x[n, t])
            mu[t] = total / real(32.0)
            mu_ = mu[t]
            for i in range(32):
                base = x[n, t, i] - mu_
                terms[i] = base * base
            total_2 = sum_of(terms)
            v = total_2 / real(32.0)
            sigma[n, t] = np.sqrt(real(1e-05) + v)
            factor = real(1.0) / sigma[n, t]
            for i in range(32):
                x_hat[n, t, i] = (x[n, t, i] - mu[t]) * factor
                a[n, t, i] = gamma[i] * x_hat[n, t, i] + beta[i]


@njit(cache=True, error_model="numpy")
def dense_delta_by_rows(a, y, delta, terms_2, N):
    """Write delta."""
    # p[n, t, i] = exp(a[n, t, i] − log Σ_j exp(a[n, t, j]))
    # delta[n, t, i] = (p[n, t, i] − [i = y[n, t]])/(32 N)
    factor_2 = real(1.0) / real(32.0) / real(N)
    for n in range(a.shape[0]):
        for t in range(32):
            top = max_of(a[n, t])
            shift = top if abs(top) != real(np.inf) else real(0.0)
            for j in range(62):
                terms_2[j] = exp(a[n, t, j] - shift)
            total = sum_of(terms_2)
            factor = real(1.0) / total
            for i in range(62):
                p = terms_2[i] * factor
                delta[n, t, i] = (p - (real(1.0) if i == y[n, t] else real(0.0))) * factor_2


@njit(cache=True, error_model="numpy")
def layernorm_grad_a(W, delta, grad_a):
    """Write grad_a."""
    # grad_a[n, t, j] = Σ_i W[i, j] delta[n, t, i]
    delta_matrix = merged(delta, (2, 1))
    grad_a_matrix = merged(grad_a, (2, 1))
    product(delta_matrix, W, grad_a_matrix)


@njit(cache=True, error_model="numpy")
def dense_delta_2_by_rows(gamma, grad_a_2, sigma, x_hat, grad_a, delta, terms_3, terms_4):
    """Write grad_a and delta."""
    # grad_a[n, t, i] = (32 gamma[i] grad_a_2[n, t, i] − Σ_j gamma[j] grad_a_2[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_2[n, t, j]
    #     x_hat[n, t, j])/(32 sigma[n, t])
    # delta[n, t, i] = grad_a[n, t, i]
    for n in range(grad_a_2.shape[0]):
        for t in range(32):
            for j in range(32):
                terms_3[j] = gamma[j] * grad_a_2[n, t, j]
            total = sum_of(terms_3)
            for j in range(32):
                terms_4[j] = gamma[j] * grad_a_2[n, t, j] * x_hat[n, t, j]
            total_2 = sum_of(terms_4)
            factor = real(1.0) / real(32.0) / sigma[n, t]
            for i in range(32):
                grad_a[n, t, i] = (real(32.0) * gamma[i] * grad_a_2[n, t, i] - total - x_hat[n, t, i] * total_2) * factor
                delta[n, t, i] = grad_a[n, t, i]


@njit(cache=True, error_model="numpy")
def dense_delta_3(W_next, delta_next, z, delta):
    """Write delta."""
    # delta[n, t, i] = (1/2 + erf(√2 z[n, t, i]/2)/2 + √2 z[n, t, i] exp(−z[n, t, i]²/2)/(2 √π)) · Σ_j W_next[j, i] delta_next[n, t, j]
    delta_next_matrix = merged(delta_next, (2, 1))
    delta_matrix = merged(delta, (2, 1))
    product(delta_next_matrix, W_next, delta_matrix)
    factor = real(1.0) / np.sqrt(real(3.141592653589793))
    for n in range(delta_next.shape[0]):
        for t in range(delta_next.shape[1]):
            for i in range(W_next.shape[1]):
                t_ = np.sqrt(real(2.0)) * z[n, t, i] / real(2.0)
                delta[n, t, i] = (
                    (real(0.5) + erf(t_) / real(2.0) + factor * t_ * exp(-z[n, t, i] * z[n, t, i] / real(2.0))) * delta[n, t, i]
                )


@njit(cache=True, error_model="numpy")
def add_grad_a_2(gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a, terms, total, terms_2, total_2):
    """Write grad_a."""
    # grad_a[n, t, i] = (gamma[i] grad_a_3[n, t, i] n_2 − Σ_j gamma[j] grad_a_3[n, t, j] − x_hat[n, t, i] Σ_j gamma[j] grad_a_3[n, t, j]
    #     x_hat[n, t, j])/(sigma[n, t] n_2) + grad_a_2[n, t, i]
    n_2 = gamma.shape[0]
    for n in range(grad_a_2.shape[0]):
        for t in range(grad_a_2.shape[1]):
            for j in range(gamma.shape[0]):
                terms[j] = gamma[j] * grad_a_3[n, t, j]
            total[t] = sum_of(terms)
        for t in range(grad_a_2.shape[1]):
            for j in range(gamma.shape[0]):
                terms_2[j] = gamma[j] * grad_a_3[n, t, j] * x_hat[n, t, j]
            total_2[t] = sum_of(terms_2)
        for t in range(grad_a_2.shape[1]):
            factor = real(1.0) / sigma[n, t] / real(n_2)
            for i in range(gamma.shape[0]):
                grad_a[n, t, i] = (
                    (gamma[i] * grad_a_3[n, t, i] * real(n_2) - total[t] - total_2[t] * x_hat[n, t, i]) * factor + grad_a_2[n, t, i]
                )


@njit(cache=True, error_model="numpy")
def attention_grad_O(W_o, grad_a, grad_O, W_o_windows, products):
    """Write grad_O."""
    # grad_O[n, h, t, d] = Σ_i W_o[i, 8 h + d] grad_a[n, t, i]
    grad_a_matrix = merged(grad_a, (2, 1))
    W_o_windows_matrix = merged(W_o_windows, (1, 2))
    products_matrix = merged(products, (2, 2))
    for i in range(32):
        for h in range(4):
            for d in range(8):
                W_o_windows[i, h, d] = W_o[i, 8 * h + d]
    product(grad_a_matrix, W_o_windows_matrix, products_matrix)
    for n in range(grad_a.shape[0]):
        for h in range(4):
            for t in range(32):
                for d in range(8):
                    grad_O[n, h, t, d] = products[n, t, h, d]


@njit(cache=True, error_model="numpy")
def attention_grad_P(V, grad_O, grad_P):
    """Write grad_P."""
    # grad_P[n, h, t, s] = Σ_d V[n, h, s, d] grad_O[n, h, t, d]
    for n in range(V.shape[0]):
        for h in range(4):
            row_products(grad_O[n, h], V[n, h], grad_P[n, h])


@njit(cache=True, error_model="numpy")
def attention_grad_S(P, grad_P, grad_S, terms, total):
    """Write grad_S."""
    # grad_S[n, h, t, s] = (grad_P[n, h, t, s] − Σ_i P[n, h, t, i] grad_P[n, h, t, i]) · P[n, h, t, s]
    for n in range(P.shape[0]):
        for h in range(4):
            for t in range(32):
                for i in range(32):
                    terms[i] = P[n, h, t, i] * grad_P[n, h, t, i]
                total[t] = sum_of(terms)
            for t in range(32):
                for s in range(32):
                    grad_S[n, h, t, s] = (grad_P[n, h, t, s] - total[t]) * P[n, h, t, s]


@njit(cache=True, error_model="numpy")
def attention_grad_V(P, grad_O, grad_V):
    """Write grad_V."""
    # grad_V[n, h, t, d] = Σ_i P[n, h, i, t] grad_O[n, h, i, d]
    for n in range(P.shape[0]):
        for h in range(4):
            product(P[n, h].T, grad_O[n, h], grad_V[n, h])


@njit(cache=True, error_model="numpy")
def attention_grad_K(Q, grad_S, grad_K):
    """Write grad_K."""
    # grad_K[n, h, t, d] = √2 · (Σ_i Q[n, h, i, d] grad_S[n, h, i, t])/4
    for n in range(Q.shape[0]):
        for h in range(4):
            product(grad_S[n, h].T, Q[n, h], grad_K[n, h])
            for t in range(32):
                for d in range(8):
                    grad_K[n, h, t, d] = np.sqrt(real(2.0)) * grad_K[n, h, t, d] / real(4.0)


@njit(cache=True, error_model="numpy")
def attention_grad_Q(K, grad_S, grad_Q):
    """Write grad_Q."""
    # grad_Q[n, h, t, d] = √2 · (Σ_s K[n, h, s, d] grad_S[n, h, t, s])/4
    for n in range(K.shape[0]):
        for h in range(4):
            product(grad_S[n, h], K[n, h], grad_Q[n, h])
            for t in range(32):
                for d in range(8):
                    grad_Q[n, h, t, d] = np.sqrt(real(2.0)) * grad_Q[n, h, t, d] / real(4.0)


@njit(cache=True, error_model="numpy")
def layernorm_grad_a_2(
    W_k, W_q, W_v, grad_K, grad_Q, grad_V, grad_a, grad_K_copy, W_k_windows, grad_Q_copy, W_q_windows, products, grad_V_copy,
    W_v_windows, products_2,
):
    """Write grad_a."""
    # grad_a[n, t, j] = Σ_{h, d} W_k[8 h + d, j] grad_K[n, h, t, d] + Σ_{h, d} W_q[8 h + d, j] grad_Q[n, h, t, d] + Σ_{h, d} W_v[8 h
    #     + d, j] grad_V[n, h, t, d]
    grad_K_copy_matrix = merged(grad_K_copy, (2, 2))
    W_k_windows_matrix = merged(W_k_windows, (2, 1))
    grad_a_matrix = merged(grad_a, (2, 1))
    grad_Q_copy_matrix = merged(grad_Q_copy, (2, 2))
    W_q_windows_matrix = merged(W_q_windows, (2, 1))
    products_matrix = merged(products, (2, 1))
    grad_V_copy_matrix = merged(grad_V_copy, (2, 2))
    W_v_windows_matrix = merged(W_v_windows, (2, 1))
    products_2_matrix = merged(products_2, (2, 1))
    for n in range(grad_K.shape[0]):
        for t in range(32):
            for h in range(4):
                for d in range(8):
                    grad_K_copy[n, t, h, d] = grad_K[n, h, t, d]
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_k_windows[h, d, j] = W_k[8 * h + d, j]
    for n in range(grad_K.shape[0]):
        for t in range(32):
            for h in range(4):
                for d in range(8):
                    grad_Q_copy[n, t, h, d] = grad_Q[n, h, t, d]
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_q_windows[h, d, j] = W_q[8 * h + d, j]
    for n in range(grad_K.shape[0]):
        for t in range(32):
            for h in range(4):
                for d in range(8):
                    grad_V_copy[n, t, h, d] = grad_V[n, h, t, d]
    for h in range(4):
        for d in range(8):
            for j in range(32):
                W_v_windows[h, d, j] = W_v[8 * h + d, j]
    product(grad_K_copy_matrix, W_k_windows_matrix, grad_a_matrix)
    product(grad_Q_copy_matrix, W_q_windows_matrix, products_matrix)
    product(grad_V_copy_matrix, W_v_windows_matrix, products_2_matrix)
    for n in range(grad_K.shape[0]):
        for t in range(32):
            for j in range(32):
                grad_a[n, t, j] = grad_a[n, t, j] + products[n, t, j] + products_2[n, t, j]


@njit(cache=True, error_model="numpy")
def embedding_grad_a(gamma, grad_a_2, grad_a_3, sigma, x_hat, grad_a):
    """Write grad_a."""
    # grad_a[n, t, j] = (32 gamma[j] grad_a_3[n, t, j] − Σ_i gamma[i] grad_a_3[n, t, i] − x_hat[n, t, j] Σ_i gamma[i] grad_a_3[n, t, i]
    #     x_hat[n, t, i])/(32 sigma[n, t]) + grad_a_2[n, t, j]
    for n in range(grad_a_2.shape[0]):
        for t in range(grad_a.shape[1]):
            total = real(0.0)
            for i in range(32):
                total += gamma[i] * grad_a_3[n, t, i]
            total_2 = real(0.0)
            for i in range(32):
                total_2 += gamma[i] * grad_a_3[n, t, i] * x_hat[n, t, i]
            for j in range(grad_a.shape[2]):
                grad_a[n, t, j] = (
                    (real(32.0) * gamma[j] * grad_a_3[n, t, j] - total - x_hat[n, t, j] * total_2) / real(32.0) / sigma[n, t] + grad_a_2[n,
                    t, j]
                )


@njit(cache=True, error_model="numpy")
def dense_grad_W(delta, x, grad_W):
    """Write grad_W."""
    # grad_W[i, j] = Σ_{n, t} delta[n, t, i] x[n, t, j]
    delta_matrix = merged(delta, (2, 1))
    x_matrix = merged(x, (2, 1))
    product(delta_matrix.T, x_matrix, grad_W)


@njit(cache=True, error_model="numpy")
def dense_grad_b(delta, grad_b):
    """Write grad_b."""
    # grad_b[i] = Σ_{n, t} delta[n, t, i]
    delta_matrix = merged(delta, (2, 1))
    sum_of_rows(delta_matrix, grad_b)


@njit(cache=True, error_model="numpy")
def layernorm_grad_gamma(grad_a, x_hat, grad_gamma):
    """Write grad_gamma."""
    # grad_gamma[i] = Σ_{n, t} grad_a[n, t, i] x_hat[n, t, i]
    grad_gamma[:] = real(0.0)
    for n in range(grad_a.shape[0]):
        for t in range(grad_a.shape[1]):
            for i in range(grad_a.shape[2]):
                grad_gamma[i] += grad_a[n, t, i] * x_hat[n, t, i]


@njit(cache=True, error_model="numpy")
def layernorm_grad_beta(grad_a, grad_beta):
    """Write grad_beta."""
    # grad_beta[i] = Σ_{n, t} grad_a[n, t, i]
    grad_a_matrix = merged(grad_a, (2, 1))
    sum_of_rows(grad_a_matrix, grad_beta)


@njit(cache=True, error_model="numpy")
def attention_grad_W_o(O, grad_a, grad_W_o, O_windows):
    """Write grad_W_o."""
    # grad_W_o[i, j] = Σ_{n, t} grad_a[n, t, i] O[n, floor(j/8), t, j mod 8]
    grad_a_matrix = merged(grad_a, (2, 1))
    O_windows_matrix = merged(O_windows, (2, 1))
    for n in range(O.shape[0]):
        for t in range(32):
            for j in range(32):
                O_windows[n, t, j] = O[n, j // 8, t, j % 8]
    product(grad_a_matrix.T, O_windows_matrix, grad_W_o)


@njit(cache=True, error_model="numpy")
def attention_grad_W_v(grad_V, x, grad_W_v, grad_V_windows, products):
    """Write grad_W_v."""
    # grad_W_v[i, j] = Σ_{n, t} x[n, t, j] grad_V[n, floor(i/8), t, i mod 8]
    x_matrix = merged(x, (2, 1))
    grad_V_windows_matrix = merged(grad_V_windows, (2, 1))
    for n in range(grad_V.shape[0]):
        for t in range(32):
            for i in range(32):
                grad_V_windows[n, t, i] = grad_V[n, i // 8, t, i % 8]
    product(x_matrix.T, grad_V_windows_matrix, products)
    for i in range(32):
        for j in range(32):
            grad_W_v[i, j] = products[j, i]


@njit(cache=True, error_model="numpy")
def attention_grad_W_k(grad_K, x, grad_W_k, grad_K_windows, products):
    """Write grad_W_k."""
    # grad_W_k[i, j] = Σ_{n, t} x[n, t, j] grad_K[n, floor(i/8), t, i mod 8]
    x_matrix = merged(x, (2, 1))
    grad_K_windows_matrix = merged(grad_K_windows, (2, 1))
    for n in range(grad_K.shape[0]):
        for t in range(32):
            for i in range(32):
                grad_K_windows[n, t, i] = grad_K[n, i // 8, t, i % 8]
    product(x_matrix.T, grad_K_windows_matrix, products)
    for i in range(32):
        for j in range(32):
            grad_W_k[i, j] = products[j, i]


@njit(cache=True, error_model="numpy")
def attention_grad_W_q(grad_Q, x, grad_W_q, grad_Q_windows, products):
    """Write grad_W_q."""
    # grad_W_q[i, j] = Σ_{n, t} x[n, t, j] grad_Q[n, floor(i/8), t, i mod 8]
    x_matrix = merged(x, (2, 1))
    grad_Q_windows_matrix = merged(grad_Q_windows, (2, 1))
    for n in range(grad_Q.shape[0]):
        for t in range(32):
            for i in range(32):
                grad_Q_windows[n, t, i] = grad_Q[n, i // 8, t, i % 8]
    product(x_matrix.T, grad_Q_windows_matrix, products)
    for i in range(32):
        for j in range(32):
            grad_W_q[i, j] = products[j, i]


@njit(cache=True, error_model="numpy")
def embedding_grad_E(grad_a, x, grad_E):
    """Write grad_E."""
    # grad_E[v, i] = Σ_{n, t} grad_a[n, t, i] [v = x[n, t]]
    n_1 = grad_E.shape[0]
    grad_E[:] = real(0.0)
    for n in range(grad_a.shape[0]):
        for t in range(grad_a.shape[1]):
            if 0 <= x[n, t] < n_1:
                for i in range(grad_a.shape[2]):
                    grad_E[x[n, t], i] += grad_a[n, t, i]


@njit(cache=True, error_model="numpy")
def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(x, 0, 61):
        return 1
    if not in_range(y, 0, 61):
        return 2
    return 0


@njit(cache=True, error_model="numpy")
def forward_samples(params, x, out, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[13312 * low : 13312 * high]
    scratch = work[48096 * n + 3072 * part + 3073 : 48096 * n + 3072 * part + 4193]
    embedding_1_E = view(params, 0, (62, 32))
    embedding_1_a = view(own, 0, (m, 32, 32))
    positionalencoding_1_a = view(own, 1024 * m, (m, 32, 32))
    table = view(scratch, 0, (32, 32))
    layernorm_1_mu = view(own, 0, (m, 32))
    layernorm_1_sigma = view(own, 32 * m, (m, 32))
    total = scratch[0 : 0 + 32]
    terms = scratch[32 : 32 + 32]
    total_2 = scratch[64 : 64 + 32]
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    layernorm_1_x_hat = view(own, 2048 * m, (m, 32, 32))
    layernorm_1_a = view(own, 3072 * m, (m, 32, 32))
    attention_1_W_q = view(params, 2048, (32, 32))
    attention_1_Q = view(own, 0, (m, 4, 32, 8))
    W_q_windows = view(scratch, 0, (4, 8, 32))
    products = view(own, 2048 * m, (m, 32, 4, 8))
    attention_1_W_k = view(params, 3072, (32, 32))
    attention_1_K = view(own, 2048 * m, (m, 4, 32, 8))
    W_k_windows = view(scratch, 0, (4, 8, 32))
    products_ = view(own, 4096 * m, (m, 32, 4, 8))
    attention_1_W_v = view(params, 4096, (32, 32))
    attention_1_V = view(own, 4096 * m, (m, 4, 32, 8))
    W_v_windows = view(scratch, 0, (4, 8, 32))
    products__ = view(own, 5120 * m, (m, 32, 4, 8))
    attention_1_S = view(own, 5120 * m, (m, 4, 32, 32))
    attention_1_P = view(own, 9216 * m, (m, 4, 32, 32))
    terms_ = view(scratch, 0, (32, 32))
    top = scratch[1024 : 1024 + 32]
    shift = scratch[1056 : 1056 + 32]
    total_ = scratch[1088 : 1088 + 32]
    attention_1_O = view(own, 0, (m, 4, 32, 8))
    attention_1_W_o = view(params, 5120, (32, 32))
    attention_1_a = view(own, 2048 * m, (m, 32, 32))
    O_windows = view(own, 3072 * m, (m, 32, 32))
    add_1_a = view(own, 0, (m, 32, 32))
    layernorm_2_mu = view(own, 1024 * m, (m, 32))
    layernorm_2_sigma = view(own, 1056 * m, (m, 32))
    total__ = scratch[0 : 0 + 32]
    terms__ = scratch[32 : 32 + 32]
    total_2_ = scratch[64 : 64 + 32]
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    layernorm_2_x_hat = view(own, 1088 * m, (m, 32, 32))
    layernorm_2_a = view(own, 2112 * m, (m, 32, 32))
    dense_1_W = view(params, 6208, (128, 32))
    dense_1_b = params[10304:10432]
    dense_1_z = view(own, 3136 * m, (m, 32, 128))
    dense_1_a = view(own, 7232 * m, (m, 32, 128))
    dense_2_W = view(params, 10432, (32, 128))
    dense_2_b = params[14528:14560]
    dense_2_z = view(own, 1024 * m, (m, 32, 32))
    add_2_a = view(own, 2048 * m, (m, 32, 32))
    layernorm_3_mu = view(own, 0, (m, 32))
    layernorm_3_sigma = view(own, 32 * m, (m, 32))
    total___ = scratch[0 : 0 + 32]
    terms___ = scratch[32 : 32 + 32]
    total_2__ = scratch[64 : 64 + 32]
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    layernorm_3_x_hat = view(own, 64 * m, (m, 32, 32))
    layernorm_3_a = view(own, 3072 * m, (m, 32, 32))
    dense_3_W = view(params, 14624, (62, 32))
    dense_3_b = params[16608:16670]
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # positionalencoding_1
    positionalencoding_a(embedding_1_a, positionalencoding_1_a, table)
    # layernorm_1
    layernorm_sigma(positionalencoding_1_a, layernorm_1_mu, layernorm_1_sigma, total, terms, total_2)
    layernorm_a(
        layernorm_1_mu, layernorm_1_sigma, positionalencoding_1_a, layernorm_1_beta, layernorm_1_gamma, layernorm_1_x_hat, layernorm_1_a,
    )
    # attention_1
    attention_Q(attention_1_W_q, layernorm_1_a, attention_1_Q, W_q_windows, products)
    attention_K(attention_1_W_k, layernorm_1_a, attention_1_K, W_k_windows, products_)
    attention_V(attention_1_W_v, layernorm_1_a, attention_1_V, W_v_windows, products__)
    attention_S(attention_1_K, attention_1_Q, attention_1_S)
    attention_P(attention_1_S, attention_1_P, terms_, top, shift, total_)
    attention_O(attention_1_P, attention_1_V, attention_1_O)
    attention_a(attention_1_O, attention_1_W_o, attention_1_a, O_windows)
    # add_1
    add_a(positionalencoding_1_a, attention_1_a, add_1_a)
    # layernorm_2
    layernorm_sigma(add_1_a, layernorm_2_mu, layernorm_2_sigma, total__, terms__, total_2_)
    layernorm_a(layernorm_2_mu, layernorm_2_sigma, add_1_a, layernorm_2_beta, layernorm_2_gamma, layernorm_2_x_hat, layernorm_2_a)
    # dense_1
    dense_a(dense_1_W, dense_1_b, layernorm_2_a, dense_1_z, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z)
    # add_2
    add_a(add_1_a, dense_2_z, add_2_a)
    # layernorm_3
    layernorm_sigma(add_2_a, layernorm_3_mu, layernorm_3_sigma, total___, terms___, total_2__)
    layernorm_a(layernorm_3_mu, layernorm_3_sigma, add_2_a, layernorm_3_beta, layernorm_3_gamma, layernorm_3_x_hat, layernorm_3_a)
    # dense_3
    dense_z(dense_3_W, dense_3_b, layernorm_3_a, out[low:high])


@njit(cache=True, error_model="numpy", parallel=True)
def forward(params, x, out, work):
    """Write the network's output for a batch into out, or nothing if an input is out of range: then return its number, else 0."""
    if not in_range(x, 0, 61):
        return 1
    n = x.shape[0]
    parts = min(threads(), 1 + n, 42)
    for part in prange(parts):
        forward_samples(params, x, out, work, part, parts)
    return 0


@njit(cache=True, error_model="numpy")
def loss_samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[30688 * n + 17408 * low : 30688 * n + 17408 * high]
    scratch = work[48096 * n + 3072 * part + 3073 : 48096 * n + 3072 * part + 6145]
    embedding_1_E = view(params, 0, (62, 32))
    embedding_1_a = view(own, 0, (m, 32, 32))
    positionalencoding_1_a = view(own, 1024 * m, (m, 32, 32))
    table = view(scratch, 0, (32, 32))
    layernorm_1_mu = view(own, 0, (m, 32))
    layernorm_1_sigma = view(own, 32 * m, (m, 32))
    total = scratch[0 : 0 + 32]
    terms = scratch[32 : 32 + 32]
    total_2 = scratch[64 : 64 + 32]
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    layernorm_1_x_hat = view(work, 1024 * low, (m, 32, 32))
    layernorm_1_a = view(work, 1024 * n + 1024 * low, (m, 32, 32))
    attention_1_W_q = view(params, 2048, (32, 32))
    attention_1_Q = view(own, 2048 * m, (m, 4, 32, 8))
    W_q_windows = view(scratch, 0, (4, 8, 32))
    products = view(own, 3072 * m, (m, 32, 4, 8))
    attention_1_W_k = view(params, 3072, (32, 32))
    attention_1_K = view(own, 3072 * m, (m, 4, 32, 8))
    W_k_windows = view(scratch, 0, (4, 8, 32))
    products_ = view(own, 4096 * m, (m, 32, 4, 8))
    attention_1_W_v = view(params, 4096, (32, 32))
    attention_1_V = view(own, 4096 * m, (m, 4, 32, 8))
    W_v_windows = view(scratch, 0, (4, 8, 32))
    products__ = view(own, 5120 * m, (m, 32, 4, 8))
    attention_1_S = view(own, 5120 * m, (m, 4, 32, 32))
    attention_1_P = view(own, 9216 * m, (m, 4, 32, 32))
    terms_ = view(scratch, 0, (32, 32))
    top = scratch[1024 : 1024 + 32]
    shift = scratch[1056 : 1056 + 32]
    total_ = scratch[1088 : 1088 + 32]
    attention_1_O = view(work, 2048 * n + 1024 * low, (m, 4, 32, 8))
    attention_1_W_o = view(params, 5120, (32, 32))
    attention_1_a = view(own, 5120 * m, (m, 32, 32))
    O_windows = view(own, 6144 * m, (m, 32, 32))
    add_1_a = view(own, 6144 * m, (m, 32, 32))
    layernorm_2_mu = view(own, 0, (m, 32))
    layernorm_2_sigma = view(own, 64 * m, (m, 32))
    total__ = scratch[0 : 0 + 32]
    terms__ = scratch[32 : 32 + 32]
    total_2_ = scratch[64 : 64 + 32]
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    layernorm_2_x_hat = view(work, 3072 * n + 1024 * low, (m, 32, 32))
    layernorm_2_a = view(work, 4096 * n + 1024 * low, (m, 32, 32))
    dense_1_W = view(params, 6208, (128, 32))
    dense_1_b = params[10304:10432]
    dense_1_z = view(own, 13312 * m, (m, 32, 128))
    dense_1_a = view(work, 5120 * n + 4096 * low, (m, 32, 128))
    dense_2_W = view(params, 10432, (32, 128))
    dense_2_b = params[14528:14560]
    dense_2_z = view(own, 96 * m, (m, 32, 32))
    add_2_a = view(own, 5120 * m, (m, 32, 32))
    layernorm_3_mu = view(own, 0, (m, 32))
    layernorm_3_sigma = view(own, 96 * m, (m, 32))
    total___ = scratch[0 : 0 + 32]
    terms___ = scratch[32 : 32 + 32]
    total_2__ = scratch[64 : 64 + 32]
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    layernorm_3_x_hat = view(work, 9216 * n + 1024 * low, (m, 32, 32))
    layernorm_3_a = view(work, 10240 * n + 1024 * low, (m, 32, 32))
    dense_3_W = view(params, 14624, (62, 32))
    dense_3_b = params[16608:16670]
    dense_3_z = view(own, 5120 * m, (m, 32, 62))
    loss_p = view(own, 7104 * m, (m, 32, 62))
    terms____ = view(scratch, 0, (32, 62))
    top_ = scratch[1984 : 1984 + 32]
    shift_ = scratch[2016 : 2016 + 32]
    total____ = scratch[2048 : 2048 + 32]
    loss_L = view(work, 11264 * n + 32 * low, (m, 32))
    terms_____ = view(scratch, 0, (32, 62))
    top__ = scratch[1984 : 1984 + 32]
    shift__ = scratch[2016 : 2016 + 32]
    total_____ = scratch[2048 : 2048 + 32]
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # positionalencoding_1
    positionalencoding_a(embedding_1_a, positionalencoding_1_a, table)
    # layernorm_1
    layernorm_sigma(positionalencoding_1_a, layernorm_1_mu, layernorm_1_sigma, total, terms, total_2)
    layernorm_a(
        layernorm_1_mu, layernorm_1_sigma, positionalencoding_1_a, layernorm_1_beta, layernorm_1_gamma, layernorm_1_x_hat, layernorm_1_a,
    )
    # attention_1
    attention_Q(attention_1_W_q, layernorm_1_a, attention_1_Q, W_q_windows, products)
    attention_K(attention_1_W_k, layernorm_1_a, attention_1_K, W_k_windows, products_)
    attention_V(attention_1_W_v, layernorm_1_a, attention_1_V, W_v_windows, products__)
    attention_S(attention_1_K, attention_1_Q, attention_1_S)
    attention_P(attention_1_S, attention_1_P, terms_, top, shift, total_)
    attention_O(attention_1_P, attention_1_V, attention_1_O)
    attention_a(attention_1_O, attention_1_W_o, attention_1_a, O_windows)
    # add_1
    add_a(positionalencoding_1_a, attention_1_a, add_1_a)
    # layernorm_2
    layernorm_sigma(add_1_a, layernorm_2_mu, layernorm_2_sigma, total__, terms__, total_2_)
    layernorm_a(layernorm_2_mu, layernorm_2_sigma, add_1_a, layernorm_2_beta, layernorm_2_gamma, layernorm_2_x_hat, layernorm_2_a)
    # dense_1
    dense_a(dense_1_W, dense_1_b, layernorm_2_a, dense_1_z, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z)
    # add_2
    add_a(add_1_a, dense_2_z, add_2_a)
    # layernorm_3
    layernorm_sigma(add_2_a, layernorm_3_mu, layernorm_3_sigma, total___, terms___, total_2__)
    layernorm_a(layernorm_3_mu, layernorm_3_sigma, add_2_a, layernorm_3_beta, layernorm_3_gamma, layernorm_3_x_hat, layernorm_3_a)
    # dense_3
    dense_z(dense_3_W, dense_3_b, layernorm_3_a, dense_3_z)
    # loss
    write_loss_p(dense_3_z, loss_p, terms____, top_, shift_, total____)
    write_loss_L(dense_3_z, y[low:high], loss_L, terms_____, top__, shift__, total_____)


@njit(cache=True, error_model="numpy")
def loss_scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = view(work, 11264 * n, (n, 32))
    loss_ = work[48096 * n:48096 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy", parallel=True)
def loss(params, x, y, work):
    """Return the loss of a batch; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n, 42)
    for part in prange(parts):
        loss_samples(params, x, y, work, part, parts)
    loss_scalars(params, x, y, work)
    return float(work[48096 * n])


@njit(cache=True, error_model="numpy")
def samples(params, x, y, work, part, parts):
    """Do all that needs one sample only, for a part of the samples."""
    n = x.shape[0]
    low, high = share(n, part, parts)
    m = high - low
    own = work[30688 * n + 17408 * low : 30688 * n + 17408 * high]
    scratch = work[48096 * n + 3072 * part + 3073 : 48096 * n + 3072 * part + 6145]
    embedding_1_E = view(params, 0, (62, 32))
    embedding_1_a = view(own, 0, (m, 32, 32))
    positionalencoding_1_a = view(own, 1024 * m, (m, 32, 32))
    table = view(scratch, 0, (32, 32))
    layernorm_1_beta = params[2016:2048]
    layernorm_1_gamma = params[1984:2016]
    layernorm_1_sigma = view(own, 0, (m, 32))
    layernorm_1_x_hat = view(work, 1024 * low, (m, 32, 32))
    layernorm_1_a = view(work, 1024 * n + 1024 * low, (m, 32, 32))
    terms = scratch[0 : 0 + 32]
    mu = scratch[32 : 32 + 32]
    attention_1_W_q = view(params, 2048, (32, 32))
    attention_1_Q = view(own, 2048 * m, (m, 4, 32, 8))
    W_q_windows = view(scratch, 0, (4, 8, 32))
    products = view(own, 3072 * m, (m, 32, 4, 8))
    attention_1_W_k = view(params, 3072, (32, 32))
    attention_1_K = view(own, 3072 * m, (m, 4, 32, 8))
    W_k_windows = view(scratch, 0, (4, 8, 32))
    products_ = view(own, 4096 * m, (m, 32, 4, 8))
    attention_1_W_v = view(params, 4096, (32, 32))
    attention_1_V = view(own, 4096 * m, (m, 4, 32, 8))
    W_v_windows = view(scratch, 0, (4, 8, 32))
    products__ = view(own, 5120 * m, (m, 32, 4, 8))
    attention_1_S = view(own, 5120 * m, (m, 4, 32, 32))
    attention_1_P = view(own, 9216 * m, (m, 4, 32, 32))
    terms_ = view(scratch, 0, (32, 32))
    top = scratch[1024 : 1024 + 32]
    shift = scratch[1056 : 1056 + 32]
    total = scratch[1088 : 1088 + 32]
    attention_1_O = view(work, 2048 * n + 1024 * low, (m, 4, 32, 8))
    attention_1_W_o = view(params, 5120, (32, 32))
    attention_1_a = view(own, 5120 * m, (m, 32, 32))
    O_windows = view(own, 6144 * m, (m, 32, 32))
    add_1_a = view(own, 6144 * m, (m, 32, 32))
    layernorm_2_beta = params[6176:6208]
    layernorm_2_gamma = params[6144:6176]
    layernorm_2_sigma = view(own, 32 * m, (m, 32))
    layernorm_2_x_hat = view(work, 3072 * n + 1024 * low, (m, 32, 32))
    layernorm_2_a = view(work, 4096 * n + 1024 * low, (m, 32, 32))
    terms__ = scratch[0 : 0 + 32]
    mu_ = scratch[32 : 32 + 32]
    dense_1_W = view(params, 6208, (128, 32))
    dense_1_b = params[10304:10432]
    dense_1_z = view(own, 13312 * m, (m, 32, 128))
    dense_1_a = view(work, 5120 * n + 4096 * low, (m, 32, 128))
    dense_2_W = view(params, 10432, (32, 128))
    dense_2_b = params[14528:14560]
    dense_2_z = view(own, 64 * m, (m, 32, 32))
    add_2_a = view(own, 5120 * m, (m, 32, 32))
    layernorm_3_beta = params[14592:14624]
    layernorm_3_gamma = params[14560:14592]
    layernorm_3_sigma = view(own, 64 * m, (m, 32))
    layernorm_3_x_hat = view(work, 9216 * n + 1024 * low, (m, 32, 32))
    layernorm_3_a = view(work, 10240 * n + 1024 * low, (m, 32, 32))
    terms___ = scratch[0 : 0 + 32]
    mu__ = scratch[32 : 32 + 32]
    dense_3_W = view(params, 14624, (62, 32))
    dense_3_b = params[16608:16670]
    dense_3_z = view(own, 5120 * m, (m, 32, 62))
    delta_dense_3 = view(work, 11264 * n + 1984 * low, (m, 32, 62))
    terms_2 = scratch[0 : 0 + 62]
    loss_L = view(work, 13248 * n + 32 * low, (m, 32))
    terms____ = view(scratch, 0, (32, 62))
    top_ = scratch[1984 : 1984 + 32]
    shift_ = scratch[2016 : 2016 + 32]
    total_ = scratch[2048 : 2048 + 32]
    grad_layernorm_3_a = view(work, 13280 * n + 1024 * low, (m, 32, 32))
    grad_add_2_a = view(own, 96 * m, (m, 32, 32))
    delta_dense_2 = view(work, 14304 * n + 1024 * low, (m, 32, 32))
    terms_3 = scratch[0 : 0 + 32]
    terms_4 = scratch[32 : 32 + 32]
    delta_dense_1 = view(work, 15328 * n + 4096 * low, (m, 32, 128))
    grad_layernorm_2_a = view(work, 19424 * n + 1024 * low, (m, 32, 32))
    grad_add_1_a = view(work, 20448 * n + 1024 * low, (m, 32, 32))
    terms_____ = scratch[0 : 0 + 32]
    total__ = scratch[32 : 32 + 32]
    terms_2_ = scratch[64 : 64 + 32]
    total_2 = scratch[96 : 96 + 32]
    grad_attention_1_O = view(own, 32 * m, (m, 4, 32, 8))
    W_o_windows = view(scratch, 0, (32, 4, 8))
    products___ = view(own, 5120 * m, (m, 32, 4, 8))
    grad_attention_1_P = view(own, 5120 * m, (m, 4, 32, 32))
    grad_attention_1_S = view(own, 13312 * m, (m, 4, 32, 32))
    terms______ = scratch[0 : 0 + 32]
    total___ = scratch[32 : 32 + 32]
    grad_attention_1_V = view(work, 21472 * n + 1024 * low, (m, 4, 32, 8))
    grad_attention_1_K = view(work, 22496 * n + 1024 * low, (m, 4, 32, 8))
    grad_attention_1_Q = view(work, 23520 * n + 1024 * low, (m, 4, 32, 8))
    grad_layernorm_1_a = view(work, 24544 * n + 1024 * low, (m, 32, 32))
    grad_K_copy = view(own, 32 * m, (m, 32, 4, 8))
    W_k_windows_ = view(scratch, 0, (4, 8, 32))
    grad_Q_copy = view(own, 1056 * m, (m, 32, 4, 8))
    W_q_windows_ = view(scratch, 1024, (4, 8, 32))
    products____ = view(own, 2080 * m, (m, 32, 32))
    grad_V_copy = view(own, 3104 * m, (m, 32, 4, 8))
    W_v_windows_ = view(scratch, 2048, (4, 8, 32))
    products_2 = view(own, 4128 * m, (m, 32, 32))
    grad_embedding_1_a = view(work, 25568 * n + 1024 * low, (m, 32, 32))
    # embedding_1
    embedding_a(embedding_1_E, x[low:high], embedding_1_a)
    # positionalencoding_1
    positionalencoding_a(embedding_1_a, positionalencoding_1_a, table)
    # layernorm_1
    layernorm_a_by_rows(
        positionalencoding_1_a, layernorm_1_beta, layernorm_1_gamma, layernorm_1_sigma, layernorm_1_x_hat, layernorm_1_a, terms, mu,
    )
    # attention_1
    attention_Q(attention_1_W_q, layernorm_1_a, attention_1_Q, W_q_windows, products)
    attention_K(attention_1_W_k, layernorm_1_a, attention_1_K, W_k_windows, products_)
    attention_V(attention_1_W_v, layernorm_1_a, attention_1_V, W_v_windows, products__)
    attention_S(attention_1_K, attention_1_Q, attention_1_S)
    attention_P(attention_1_S, attention_1_P, terms_, top, shift, total)
    attention_O(attention_1_P, attention_1_V, attention_1_O)
    attention_a(attention_1_O, attention_1_W_o, attention_1_a, O_windows)
    # add_1
    add_a(positionalencoding_1_a, attention_1_a, add_1_a)
    # layernorm_2
    layernorm_a_by_rows(add_1_a, layernorm_2_beta, layernorm_2_gamma, layernorm_2_sigma, layernorm_2_x_hat, layernorm_2_a, terms__, mu_)
    # dense_1
    dense_a(dense_1_W, dense_1_b, layernorm_2_a, dense_1_z, dense_1_a)
    # dense_2
    dense_z(dense_2_W, dense_2_b, dense_1_a, dense_2_z)
    # add_2
    add_a(add_1_a, dense_2_z, add_2_a)
    # layernorm_3
    layernorm_a_by_rows(add_2_a, layernorm_3_beta, layernorm_3_gamma, layernorm_3_sigma, layernorm_3_x_hat, layernorm_3_a, terms___, mu__)
    # dense_3
    dense_z(dense_3_W, dense_3_b, layernorm_3_a, dense_3_z)
    dense_delta_by_rows(dense_3_z, y[low:high], delta_dense_3, terms_2, n)
    # loss
    write_loss_L(dense_3_z, y[low:high], loss_L, terms____, top_, shift_, total_)
    # layernorm_3
    layernorm_grad_a(dense_3_W, delta_dense_3, grad_layernorm_3_a)
    # dense_2
    dense_delta_2_by_rows(
        layernorm_3_gamma, grad_layernorm_3_a, layernorm_3_sigma, layernorm_3_x_hat, grad_add_2_a, delta_dense_2, terms_3, terms_4,
    )
    # dense_1
    dense_delta_3(dense_2_W, delta_dense_2, dense_1_z, delta_dense_1)
    # layernorm_2
    layernorm_grad_a(dense_1_W, delta_dense_1, grad_layernorm_2_a)
    # add_1
    add_grad_a_2(
        layernorm_2_gamma, grad_add_2_a, grad_layernorm_2_a, layernorm_2_sigma, layernorm_2_x_hat, grad_add_1_a, terms_____, total__,
        terms_2_, total_2,
    )
    # attention_1
    attention_grad_O(attention_1_W_o, grad_add_1_a, grad_attention_1_O, W_o_windows, products___)
    attention_grad_P(attention_1_V, grad_attention_1_O, grad_attention_1_P)
    attention_grad_S(attention_1_P, grad_attention_1_P, grad_attention_1_S, terms______, total___)
    attention_grad_V(attention_1_P, grad_attention_1_O, grad_attention_1_V)
    attention_grad_K(attention_1_Q, grad_attention_1_S, grad_attention_1_K)
    attention_grad_Q(attention_1_K, grad_attention_1_S, grad_attention_1_Q)
    # layernorm_1
    layernorm_grad_a_2(
        attention_1_W_k, attention_1_W_q, attention_1_W_v, grad_attention_1_K, grad_attention_1_Q, grad_attention_1_V, grad_layernorm_1_a,
        grad_K_copy, W_k_windows_, grad_Q_copy, W_q_windows_, products____, grad_V_copy, W_v_windows_, products_2,
    )
    # embedding_1
    embedding_grad_a(layernorm_1_gamma, grad_add_1_a, grad_layernorm_1_a, layernorm_1_sigma, layernorm_1_x_hat, grad_embedding_1_a)


@njit(cache=True, error_model="numpy")
def scalars(params, x, y, work):
    """Write what is one number for the whole batch."""
    n = x.shape[0]
    loss_L = view(work, 13248 * n, (n, 32))
    loss_ = work[48096 * n:48096 * n + 1]
    # loss
    loss_total(loss_L, loss_, n)


@njit(cache=True, error_model="numpy")
def rows(params, x, y, grads, work, part, parts):
    """Write a part of what is summed over the samples."""
    n = x.shape[0]
    delta_dense_3 = view(work, 11264 * n, (n, 32, 62))
    layernorm_3_a = view(work, 10240 * n, (n, 32, 32))
    grad_dense_3_W = view(grads, 14624, (62, 32))
    grad_dense_3_b = grads[16608:16670]
    grad_layernorm_3_a = view(work, 13280 * n, (n, 32, 32))
    layernorm_3_x_hat = view(work, 9216 * n, (n, 32, 32))
    grad_layernorm_3_gamma = grads[14560:14592]
    grad_layernorm_3_beta = grads[14592:14624]
    delta_dense_2 = view(work, 14304 * n, (n, 32, 32))
    dense_1_a = view(work, 5120 * n, (n, 32, 128))
    grad_dense_2_W = view(grads, 10432, (32, 128))
    grad_dense_2_b = grads[14528:14560]
    delta_dense_1 = view(work, 15328 * n, (n, 32, 128))
    layernorm_2_a = view(work, 4096 * n, (n, 32, 32))
    grad_dense_1_W = view(grads, 6208, (128, 32))
    grad_dense_1_b = grads[10304:10432]
    grad_layernorm_2_a = view(work, 19424 * n, (n, 32, 32))
    layernorm_2_x_hat = view(work, 3072 * n, (n, 32, 32))
    grad_layernorm_2_gamma = grads[6144:6176]
    grad_layernorm_2_beta = grads[6176:6208]
    attention_1_O = view(work, 2048 * n, (n, 4, 32, 8))
    grad_add_1_a = view(work, 20448 * n, (n, 32, 32))
    grad_attention_1_W_o = view(grads, 5120, (32, 32))
    O_windows = view(work, 26592 * n, (n, 32, 32))
    grad_attention_1_V = view(work, 21472 * n, (n, 4, 32, 8))
    layernorm_1_a = view(work, 1024 * n, (n, 32, 32))
    grad_attention_1_W_v = view(grads, 4096, (32, 32))
    grad_V_windows = view(work, 27616 * n, (n, 32, 32))
    products = view(work, 48096 * n + 1, (32, 32))
    grad_attention_1_K = view(work, 22496 * n, (n, 4, 32, 8))
    grad_attention_1_W_k = view(grads, 3072, (32, 32))
    grad_K_windows = view(work, 28640 * n, (n, 32, 32))
    products_ = view(work, 48096 * n + 1025, (32, 32))
    grad_attention_1_Q = view(work, 23520 * n, (n, 4, 32, 8))
    grad_attention_1_W_q = view(grads, 2048, (32, 32))
    grad_Q_windows = view(work, 29664 * n, (n, 32, 32))
    products__ = view(work, 48096 * n + 2049, (32, 32))
    grad_layernorm_1_a = view(work, 24544 * n, (n, 32, 32))
    layernorm_1_x_hat = view(work, 0, (n, 32, 32))
    grad_layernorm_1_gamma = grads[1984:2016]
    grad_layernorm_1_beta = grads[2016:2048]
    grad_embedding_1_a = view(work, 25568 * n, (n, 32, 32))
    grad_embedding_1_E = view(grads, 0, (62, 32))
    # dense_3
    low, high = share(62, part, parts)
    dense_grad_W(delta_dense_3[:, :, low:high], layernorm_3_a, grad_dense_3_W[low:high])
    dense_grad_b(delta_dense_3[:, :, low:high], grad_dense_3_b[low:high])
    # layernorm_3
    low, high = share(32, part, parts)
    layernorm_grad_gamma(grad_layernorm_3_a[:, :, low:high], layernorm_3_x_hat[:, :, low:high], grad_layernorm_3_gamma[low:high])
    layernorm_grad_beta(grad_layernorm_3_a[:, :, low:high], grad_layernorm_3_beta[low:high])
    # dense_2
    dense_grad_W(delta_dense_2[:, :, low:high], dense_1_a, grad_dense_2_W[low:high])
    dense_grad_b(delta_dense_2[:, :, low:high], grad_dense_2_b[low:high])
    # dense_1
    low, high = share(128, part, parts)
    dense_grad_W(delta_dense_1[:, :, low:high], layernorm_2_a, grad_dense_1_W[low:high])
    dense_grad_b(delta_dense_1[:, :, low:high], grad_dense_1_b[low:high])
    # layernorm_2
    low, high = share(32, part, parts)
    layernorm_grad_gamma(grad_layernorm_2_a[:, :, low:high], layernorm_2_x_hat[:, :, low:high], grad_layernorm_2_gamma[low:high])
    layernorm_grad_beta(grad_layernorm_2_a[:, :, low:high], grad_layernorm_2_beta[low:high])
    # attention_1
    if part == 0:
        attention_grad_W_o(attention_1_O, grad_add_1_a, grad_attention_1_W_o, O_windows)
    if part == 1 % parts:
        attention_grad_W_v(grad_attention_1_V, layernorm_1_a, grad_attention_1_W_v, grad_V_windows, products)
    if part == 2 % parts:
        attention_grad_W_k(grad_attention_1_K, layernorm_1_a, grad_attention_1_W_k, grad_K_windows, products_)
    if part == 3 % parts:
        attention_grad_W_q(grad_attention_1_Q, layernorm_1_a, grad_attention_1_W_q, grad_Q_windows, products__)
    # layernorm_1
    layernorm_grad_gamma(grad_layernorm_1_a[:, :, low:high], layernorm_1_x_hat[:, :, low:high], grad_layernorm_1_gamma[low:high])
    layernorm_grad_beta(grad_layernorm_1_a[:, :, low:high], grad_layernorm_1_beta[low:high])
    # embedding_1
    embedding_grad_E(grad_embedding_1_a[:, :, low:high], x, grad_embedding_1_E[:, low:high])


@njit(cache=True, error_model="numpy", parallel=True)
def value_and_grad(params, x, y, grads, work):
    """Return the loss of a batch and write its gradients into grads; threads share the work."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    parts = min(threads(), 1 + n, 42)
    for part in prange(parts):
        samples(params, x, y, work, part, parts)
    scalars(params, x, y, work)
    for part in prange(parts):
        rows(params, x, y, grads, work, part, parts)
    return float(work[48096 * n])


@njit(cache=True, error_model="numpy")
def value_and_grad_at(table):
    """Do value_and_grad; from the address table on lie n and the addresses of params, x, y, grads and work."""
    n = whole_at(table, 0)
    params = array_at(real, whole_at(table, 1), (16670,))
    x = array_at(np.int64, whole_at(table, 2), (n, 32))
    y = array_at(np.int64, whole_at(table, 3), (n, 32))
    grads = array_at(real, whole_at(table, 4), (16670,))
    work = array_at(real, whole_at(table, 5), (workspace(n),))
    return value_and_grad(params, x, y, grads, work)


@njit(cache=True, error_model="numpy")
def addressed(params, x, y, grads, table, most):
    """Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."""
    n = x.shape[0]
    if n < 1 or n > most:
        return False
    if params.size != 16670:
        return False
    if grads.size != 16670:
        return False
    if x.shape != (n, 32):
        return False
    if y.shape != (n, 32):
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
def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    # t_next = 1 + t
    # rate = (1 + cos(π · (t [1 > t/updates]/updates + [t/updates ≥ 1]))) · (lr − minimum)/2 + minimum
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    # c_1 = 1 − beta1^t_next
    # c_2 = 1 − beta2^t_next
    # w_next[p] = w[p] − rate m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    P = params.size
    lr = hyper[0]
    beta1 = hyper[1]
    beta2 = hyper[2]
    eps = hyper[3]
    updates = hyper[4]
    minimum = hyper[5]
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    t_next = 1.0 + t
    rate = (1.0 + np.cos(3.141592653589793 * (1.0 if 1.0 <= t / updates else t / updates))) * (lr - minimum) / 2.0 + minimum
    factor = 1.0 - beta1
    factor_2 = 1.0 - beta2
    c_1 = 1.0 - beta1 ** t_next
    c_2 = 1.0 - beta2 ** t_next
    factor_3 = np.float64(1.0) / c_2
    factor_4 = -rate / c_1
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
