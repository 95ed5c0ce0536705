"""The network residual_concat in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: 2bf7dc51141ada500da85cb1b706f9a065984bdbb58bd294592c5bd1b1cf50a6

params, grads and state are contiguous 1-D arrays of type float64; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 3.
"""

import numpy as np

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


def workspace(n):
    """Return how many elements of workspace a batch of n samples needs."""
    return 0


def in_range(values, least, most):
    """Whether every value lies in least .. most."""
    return values.size == 0 or (values.min() >= least and values.max() <= most)


def logsumexp(u, axis=None):
    """Return log Σ exp(u) over some axes without overflow."""
    top = np.max(u, axis=axis, keepdims=True)
    top = np.where(np.isinf(top), 0.0, top)
    return np.log(np.sum(np.exp(u - top), axis=axis)) + top.reshape(np.sum(u, axis=axis).shape)


def check(x, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 3):
        return 2
    return 0


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    dense_1_W = params[0:36].reshape(6, 6)
    dense_1_b = params[36:42]
    dense_2_W = params[42:60].reshape(3, 6)
    dense_2_b = params[60:63]
    dense_3_W = params[63:99].reshape(4, 9)
    dense_3_b = params[99:103]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # add_1
    # add_1_a[n, i] = x[n, i] + dense_1_a[n, i]
    add_1_a = x + dense_1_a
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] x[n, j]
    dense_2_z = dense_2_b + x @ dense_2_W.T
    # dense_2_a[n, i] = dense_2_z[n, i] [dense_2_z[n, i] > 0]
    dense_2_a = np.where(dense_2_z <= 0.0, 0.0, dense_2_z)
    # concat_1
    # concat_1_a[n, k] = add_1_a[n, k] [0 ≤ k < 6] + dense_2_a[n, k − 6] [0 ≤ k − 6 < 3]
    concat_1_a = np.concatenate([add_1_a, dense_2_a], axis=1)
    # dense_3
    # out[n, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] concat_1_a[n, j]
    out[...] = dense_3_b + concat_1_a @ dense_3_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:36].reshape(6, 6)
    dense_1_b = params[36:42]
    dense_2_W = params[42:60].reshape(3, 6)
    dense_2_b = params[60:63]
    dense_3_W = params[63:99].reshape(4, 9)
    dense_3_b = params[99:103]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # add_1
    # add_1_a[n, i] = x[n, i] + dense_1_a[n, i]
    add_1_a = x + dense_1_a
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] x[n, j]
    dense_2_z = dense_2_b + x @ dense_2_W.T
    # dense_2_a[n, i] = dense_2_z[n, i] [dense_2_z[n, i] > 0]
    dense_2_a = np.where(dense_2_z <= 0.0, 0.0, dense_2_z)
    # concat_1
    # concat_1_a[n, k] = add_1_a[n, k] [0 ≤ k < 6] + dense_2_a[n, k − 6] [0 ≤ k − 6 < 3]
    concat_1_a = np.concatenate([add_1_a, dense_2_a], axis=1)
    # dense_3
    # dense_3_z[n, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] concat_1_a[n, j]
    dense_3_z = dense_3_b + concat_1_a @ dense_3_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_3_z[n, i]) − dense_3_z[n, y[n]]
    loss_L = logsumexp(dense_3_z, axis=-1) - dense_3_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:36].reshape(6, 6)
    dense_1_b = params[36:42]
    dense_2_W = params[42:60].reshape(3, 6)
    dense_2_b = params[60:63]
    dense_3_W = params[63:99].reshape(4, 9)
    dense_3_b = params[99:103]
    grad_dense_3_W = grads[63:99].reshape(4, 9)
    grad_dense_3_b = grads[99:103]
    grad_dense_2_W = grads[42:60].reshape(3, 6)
    grad_dense_2_b = grads[60:63]
    grad_dense_1_W = grads[0:36].reshape(6, 6)
    grad_dense_1_b = grads[36:42]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # add_1
    # add_1_a[n, i] = x[n, i] + dense_1_a[n, i]
    add_1_a = x + dense_1_a
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] x[n, j]
    dense_2_z = dense_2_b + x @ dense_2_W.T
    # dense_2_a[n, i] = dense_2_z[n, i] [dense_2_z[n, i] > 0]
    dense_2_a = np.where(dense_2_z <= 0.0, 0.0, dense_2_z)
    # concat_1
    # concat_1_a[n, k] = add_1_a[n, k] [0 ≤ k < 6] + dense_2_a[n, k − 6] [0 ≤ k − 6 < 3]
    concat_1_a = np.concatenate([add_1_a, dense_2_a], axis=1)
    # dense_3
    # dense_3_z[n, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] concat_1_a[n, j]
    dense_3_z = dense_3_b + concat_1_a @ dense_3_W.T
    # loss
    # loss_p[n, i] = exp(dense_3_z[n, i] − log Σ_j exp(dense_3_z[n, j]))
    loss_p = np.exp(dense_3_z - logsumexp(dense_3_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_3_z[n, i]) − dense_3_z[n, y[n]]
    loss_L = logsumexp(dense_3_z, axis=-1) - dense_3_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_3
    # delta_dense_3[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_3 = (loss_p - np.where(np.arange(4) == y[:, None], 1.0, 0.0)) / n
    # grad_dense_3_W[i, j] = Σ_n delta_dense_3[n, i] concat_1_a[n, j]
    grad_dense_3_W[...] = delta_dense_3.T @ concat_1_a
    # grad_dense_3_b[i] = Σ_n delta_dense_3[n, i]
    grad_dense_3_b[...] = np.sum(delta_dense_3, axis=0)
    # concat_1
    # grad_concat_1_a[n, j] = Σ_i dense_3_W[i, j] delta_dense_3[n, i]
    grad_concat_1_a = delta_dense_3 @ dense_3_W
    # dense_2
    # delta_dense_2[n, i] = grad_concat_1_a[n, 6 + i] [dense_2_a[n, i] > 0]
    delta_dense_2 = np.where(dense_2_a <= 0.0, 0.0, grad_concat_1_a[:, 6:9])
    # grad_dense_2_W[i, j] = Σ_n delta_dense_2[n, i] x[n, j]
    grad_dense_2_W[...] = delta_dense_2.T @ x
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]²) · grad_concat_1_a[n, i]
    delta_dense_1 = (1.0 - dense_1_a**2) * grad_concat_1_a[:, :6]
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] x[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ x
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    dense_1_W = params[0:36].reshape(6, 6)
    dense_1_b = params[36:42]
    dense_2_W = params[42:60].reshape(3, 6)
    dense_2_b = params[60:63]
    dense_3_W = params[63:99].reshape(4, 9)
    dense_3_b = params[99:103]
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] x[n, j]
    dense_1_z = dense_1_b + x @ dense_1_W.T
    # dense_1_a[n, i] = tanh(dense_1_z[n, i])
    dense_1_a = np.tanh(dense_1_z)
    # add_1
    # add_1_a[n, i] = x[n, i] + dense_1_a[n, i]
    add_1_a = x + dense_1_a
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] x[n, j]
    dense_2_z = dense_2_b + x @ dense_2_W.T
    # dense_2_a[n, i] = dense_2_z[n, i] [dense_2_z[n, i] > 0]
    dense_2_a = np.where(dense_2_z <= 0.0, 0.0, dense_2_z)
    # concat_1
    # concat_1_a[n, k] = add_1_a[n, k] [0 ≤ k < 6] + dense_2_a[n, k − 6] [0 ≤ k − 6 < 3]
    concat_1_a = np.concatenate([add_1_a, dense_2_a], axis=1)
    # dense_3
    # dense_3_z[n, i] = dense_3_b[i] + Σ_j dense_3_W[i, j] concat_1_a[n, j]
    dense_3_z = dense_3_b + concat_1_a @ dense_3_W.T
    # loss
    # loss_p[n, i] = exp(dense_3_z[n, i] − log Σ_j exp(dense_3_z[n, j]))
    loss_p = np.exp(dense_3_z - logsumexp(dense_3_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_3_z[n, i]) − dense_3_z[n, y[n]]
    loss_L = logsumexp(dense_3_z, axis=-1) - dense_3_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_3
    # delta_dense_3[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_3 = (loss_p - np.where(np.arange(4) == y[:, None], 1.0, 0.0)) / n
    # concat_1
    # grad_concat_1_a[n, j] = Σ_i dense_3_W[i, j] delta_dense_3[n, i]
    grad_concat_1_a = delta_dense_3 @ dense_3_W
    # dense_2
    # delta_dense_2[n, i] = grad_concat_1_a[n, 6 + i] [dense_2_a[n, i] > 0]
    delta_dense_2 = np.where(dense_2_a <= 0.0, 0.0, grad_concat_1_a[:, 6:9])
    # dense_1
    # delta_dense_1[n, i] = (1 − dense_1_a[n, i]²) · grad_concat_1_a[n, i]
    delta_dense_1 = (1.0 - dense_1_a**2) * grad_concat_1_a[:, :6]
    # x
    # grads_x[n, j] = grad_concat_1_a[n, j] + Σ_i dense_2_W[i, j] delta_dense_2[n, i] + Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grads_x[...] = grad_concat_1_a[:, :6] + delta_dense_2 @ dense_2_W + delta_dense_1 @ dense_1_W
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    beta1 = float(hyper[1])
    beta2 = float(hyper[2])
    eps = float(hyper[3])
    m = state[0:P]
    v = state[P:2 * P]
    t = float(state[2 * P])
    # t_next = 1 + t
    t_next = t + 1.0
    # m_next[p] = (1 − beta1) · g[p] + beta1 m[p]
    m_next = (1.0 - beta1) * grads + beta1 * m
    # v_next[p] = g[p]² · (1 − beta2) + beta2 v[p]
    v_next = (1.0 - beta2) * grads**2 + beta2 * v
    # c_1 = 1 − beta1^t_next
    c_1 = 1.0 - beta1**t_next
    # c_2 = 1 − beta2^t_next
    c_2 = 1.0 - beta2**t_next
    # w_next[p] = w[p] − lr m_next[p]/((√(v_next[p]/c_2) + eps) · c_1)
    w_next = params - lr * m_next / ((np.sqrt(v_next / c_2) + eps) * c_1)
    params[...] = w_next
    m[...] = m_next
    v[...] = v_next
    state[2 * P] = t_next


def train_step(params, x, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
