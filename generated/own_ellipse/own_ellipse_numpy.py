"""The network own_ellipse in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: b12b1fc78676aa6b8e7074d4593593175d79b51646e3c3d10edd84147321bdc5

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

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
    if not in_range(y, 0, 9):
        return 2
    return 0


def forward(params, x, out, work=None):
    """Write the network's output for a batch into out."""
    ellipse_1_c = params[0:3840].reshape(60, 64)
    ellipse_1_s = params[3840:7680].reshape(60, 64)
    dense_1_W = params[7680:8280].reshape(10, 60)
    dense_1_b = params[8280:8290]
    # ellipse_1
    # ellipse_1_d[n, i] = Σ_j (x[n, j] − ellipse_1_c[i, j])² exp(ellipse_1_s[i, j])
    ellipse_1_d = np.sum((x[:, None, :] - ellipse_1_c)**2 * np.exp(ellipse_1_s), axis=-1)
    # ellipse_1_a[n, i] = exp(−ellipse_1_d[n, i]/64)
    ellipse_1_a = np.exp(-ellipse_1_d / 64.0)
    # dense_1
    # out[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] ellipse_1_a[n, j]
    out[...] = dense_1_b + ellipse_1_a @ dense_1_W.T


def loss(params, x, y, work=None):
    """Return the loss of a batch."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    ellipse_1_c = params[0:3840].reshape(60, 64)
    ellipse_1_s = params[3840:7680].reshape(60, 64)
    dense_1_W = params[7680:8280].reshape(10, 60)
    dense_1_b = params[8280:8290]
    # ellipse_1
    # ellipse_1_d[n, i] = Σ_j (x[n, j] − ellipse_1_c[i, j])² exp(ellipse_1_s[i, j])
    ellipse_1_d = np.sum((x[:, None, :] - ellipse_1_c)**2 * np.exp(ellipse_1_s), axis=-1)
    # ellipse_1_a[n, i] = exp(−ellipse_1_d[n, i]/64)
    ellipse_1_a = np.exp(-ellipse_1_d / 64.0)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] ellipse_1_a[n, j]
    dense_1_z = dense_1_b + ellipse_1_a @ dense_1_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, x, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    ellipse_1_c = params[0:3840].reshape(60, 64)
    ellipse_1_s = params[3840:7680].reshape(60, 64)
    dense_1_W = params[7680:8280].reshape(10, 60)
    dense_1_b = params[8280:8290]
    grad_dense_1_W = grads[7680:8280].reshape(10, 60)
    grad_dense_1_b = grads[8280:8290]
    grad_ellipse_1_c = grads[0:3840].reshape(60, 64)
    grad_ellipse_1_s = grads[3840:7680].reshape(60, 64)
    # ellipse_1
    # ellipse_1_d[n, i] = Σ_j (x[n, j] − ellipse_1_c[i, j])² exp(ellipse_1_s[i, j])
    ellipse_1_d = np.sum((x[:, None, :] - ellipse_1_c)**2 * np.exp(ellipse_1_s), axis=-1)
    # ellipse_1_a[n, i] = exp(−ellipse_1_d[n, i]/64)
    ellipse_1_a = np.exp(-ellipse_1_d / 64.0)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] ellipse_1_a[n, j]
    dense_1_z = dense_1_b + ellipse_1_a @ dense_1_W.T
    # loss
    # loss_p[n, i] = exp(dense_1_z[n, i] − log Σ_j exp(dense_1_z[n, j]))
    loss_p = np.exp(dense_1_z - logsumexp(dense_1_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_1
    # delta_dense_1[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_1 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] ellipse_1_a[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ ellipse_1_a
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    # ellipse_1
    # grad_ellipse_1_d[n, i] = −ellipse_1_a[n, i] · (Σ_j dense_1_W[j, i] delta_dense_1[n, j])/64
    grad_ellipse_1_d = -(delta_dense_1 @ dense_1_W) * ellipse_1_a / 64.0
    # grad_ellipse_1_c[i, j] = exp(ellipse_1_s[i, j]) · Σ_n (2 ellipse_1_c[i, j] − 2 x[n, j]) · grad_ellipse_1_d[n, i]
    grad_ellipse_1_c[...] = np.sum((2.0 * ellipse_1_c - (2.0 * x)[:, None, :]) * grad_ellipse_1_d[:, :, None], axis=0) * np.exp(ellipse_1_s)
    # grad_ellipse_1_s[i, j] = exp(ellipse_1_s[i, j]) · Σ_n (x[n, j] − ellipse_1_c[i, j])² grad_ellipse_1_d[n, i]
    grad_ellipse_1_s[...] = np.sum((x[:, None, :] - ellipse_1_c)**2 * grad_ellipse_1_d[:, :, None], axis=0) * np.exp(ellipse_1_s)
    return float(loss_)


def input_gradients(params, x, y, grads_x, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(x, y) != 0:
        return np.nan
    n = x.shape[0]
    ellipse_1_c = params[0:3840].reshape(60, 64)
    ellipse_1_s = params[3840:7680].reshape(60, 64)
    dense_1_W = params[7680:8280].reshape(10, 60)
    dense_1_b = params[8280:8290]
    # ellipse_1
    # ellipse_1_d[n, i] = Σ_j (x[n, j] − ellipse_1_c[i, j])² exp(ellipse_1_s[i, j])
    ellipse_1_d = np.sum((x[:, None, :] - ellipse_1_c)**2 * np.exp(ellipse_1_s), axis=-1)
    # ellipse_1_a[n, i] = exp(−ellipse_1_d[n, i]/64)
    ellipse_1_a = np.exp(-ellipse_1_d / 64.0)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] ellipse_1_a[n, j]
    dense_1_z = dense_1_b + ellipse_1_a @ dense_1_W.T
    # loss
    # loss_p[n, i] = exp(dense_1_z[n, i] − log Σ_j exp(dense_1_z[n, j]))
    loss_p = np.exp(dense_1_z - logsumexp(dense_1_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_1_z[n, i]) − dense_1_z[n, y[n]]
    loss_L = logsumexp(dense_1_z, axis=-1) - dense_1_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_1
    # delta_dense_1[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_1 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # ellipse_1
    # grad_ellipse_1_d[n, i] = −ellipse_1_a[n, i] · (Σ_j dense_1_W[j, i] delta_dense_1[n, j])/64
    grad_ellipse_1_d = -(delta_dense_1 @ dense_1_W) * ellipse_1_a / 64.0
    # x
    # grads_x[n, j] = 2 Σ_i (x[n, j] − ellipse_1_c[i, j]) · grad_ellipse_1_d[n, i] exp(ellipse_1_s[i, j])
    grads_x[...] = 2.0 * np.sum((x[:, :, None] - ellipse_1_c.T) * np.exp(ellipse_1_s.T) * grad_ellipse_1_d[:, None, :], axis=-1)
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
