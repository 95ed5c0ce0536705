"""The network own_shift in NumPy, as its equations read; it needs NumPy only.

Written from the template numpy/module.py.jinja; an edit is lost when it is written again.
SHA-256 of the equations: c2cb4f40ece8f8a02febb50014656c891efcd3309fbf548f880e628ce75e0e02

params, grads and state are contiguous 1-D arrays of type float32; x has one sample a row; work is not used.
y has one number for each sample, integers from 0 to 9.
"""

import numpy as np

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


def check(image, shift, y):
    """Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."""
    if not in_range(y, 0, 9):
        return 3
    return 0


def forward(params, image, shift, out, work=None):
    """Write the network's output for a batch into out."""
    n = image.shape[0]
    dense_1_W = params[0:3072].reshape(48, 64)
    dense_1_b = params[3072:3120]
    dense_2_W = params[3120:3600].reshape(10, 48)
    dense_2_b = params[3600:3610]
    # activation_1
    # activation_1_a[n, t, i] = image[n, t, i]
    activation_1_a = image
    # turned_back_1
    # turned_back_1_a[n, t, i] = activation_1_a[n, t, shift[n, 0] + i − 8 floor(shift[n, 0]/8 + i/8)]
    turned_back_1_a = (
        activation_1_a[np.arange(n)[:, None, None], np.arange(8)[:, None], ((shift[np.arange(n), np.clip(0, 0, 1 - 1)][:, None]
        + np.arange(8)) % 8)[:, None, :]]
    )
    # flatten_1
    # flatten_1_a[n, k] = turned_back_1_a[n, floor(k/8), k mod 8]
    flatten_1_a = turned_back_1_a.reshape(n, 64)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # out[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    out[...] = dense_2_b + dense_1_a @ dense_2_W.T


def loss(params, image, shift, y, work=None):
    """Return the loss of a batch."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    dense_1_W = params[0:3072].reshape(48, 64)
    dense_1_b = params[3072:3120]
    dense_2_W = params[3120:3600].reshape(10, 48)
    dense_2_b = params[3600:3610]
    # activation_1
    # activation_1_a[n, t, i] = image[n, t, i]
    activation_1_a = image
    # turned_back_1
    # turned_back_1_a[n, t, i] = activation_1_a[n, t, shift[n, 0] + i − 8 floor(shift[n, 0]/8 + i/8)]
    turned_back_1_a = (
        activation_1_a[np.arange(n)[:, None, None], np.arange(8)[:, None], ((shift[np.arange(n), np.clip(0, 0, 1 - 1)][:, None]
        + np.arange(8)) % 8)[:, None, :]]
    )
    # flatten_1
    # flatten_1_a[n, k] = turned_back_1_a[n, floor(k/8), k mod 8]
    flatten_1_a = turned_back_1_a.reshape(n, 64)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    return float(loss_)


def value_and_grad(params, image, shift, y, grads, work=None):
    """Return the loss of a batch and write its gradients into grads."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    dense_1_W = params[0:3072].reshape(48, 64)
    dense_1_b = params[3072:3120]
    dense_2_W = params[3120:3600].reshape(10, 48)
    dense_2_b = params[3600:3610]
    grad_dense_2_W = grads[3120:3600].reshape(10, 48)
    grad_dense_2_b = grads[3600:3610]
    grad_dense_1_W = grads[0:3072].reshape(48, 64)
    grad_dense_1_b = grads[3072:3120]
    # activation_1
    # activation_1_a[n, t, i] = image[n, t, i]
    activation_1_a = image
    # turned_back_1
    # turned_back_1_a[n, t, i] = activation_1_a[n, t, shift[n, 0] + i − 8 floor(shift[n, 0]/8 + i/8)]
    turned_back_1_a = (
        activation_1_a[np.arange(n)[:, None, None], np.arange(8)[:, None], ((shift[np.arange(n), np.clip(0, 0, 1 - 1)][:, None]
        + np.arange(8)) % 8)[:, None, :]]
    )
    # flatten_1
    # flatten_1_a[n, k] = turned_back_1_a[n, floor(k/8), k mod 8]
    flatten_1_a = turned_back_1_a.reshape(n, 64)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_p[n, i] = exp(dense_2_z[n, i] − log Σ_j exp(dense_2_z[n, j]))
    loss_p = np.exp(dense_2_z - logsumexp(dense_2_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_2
    # delta_dense_2[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_2 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # grad_dense_2_W[i, j] = Σ_n delta_dense_2[n, i] dense_1_a[n, j]
    grad_dense_2_W[...] = delta_dense_2.T @ dense_1_a
    # grad_dense_2_b[i] = Σ_n delta_dense_2[n, i]
    grad_dense_2_b[...] = np.sum(delta_dense_2, axis=0)
    # dense_1
    # delta_dense_1[n, i] = [dense_1_a[n, i] > 0] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = np.where(dense_1_a <= 0.0, 0.0, delta_dense_2 @ dense_2_W)
    # grad_dense_1_W[i, j] = Σ_n delta_dense_1[n, i] flatten_1_a[n, j]
    grad_dense_1_W[...] = delta_dense_1.T @ flatten_1_a
    # grad_dense_1_b[i] = Σ_n delta_dense_1[n, i]
    grad_dense_1_b[...] = np.sum(delta_dense_1, axis=0)
    return float(loss_)


def input_gradients(params, image, shift, y, grads_image, work=None):
    """Return the loss of a batch and write its gradient with respect to the inputs."""
    if check(image, shift, y) != 0:
        return np.nan
    n = image.shape[0]
    dense_1_W = params[0:3072].reshape(48, 64)
    dense_1_b = params[3072:3120]
    dense_2_W = params[3120:3600].reshape(10, 48)
    dense_2_b = params[3600:3610]
    # activation_1
    # activation_1_a[n, t, i] = image[n, t, i]
    activation_1_a = image
    # turned_back_1
    # turned_back_1_a[n, t, i] = activation_1_a[n, t, shift[n, 0] + i − 8 floor(shift[n, 0]/8 + i/8)]
    turned_back_1_a = (
        activation_1_a[np.arange(n)[:, None, None], np.arange(8)[:, None], ((shift[np.arange(n), np.clip(0, 0, 1 - 1)][:, None]
        + np.arange(8)) % 8)[:, None, :]]
    )
    # flatten_1
    # flatten_1_a[n, k] = turned_back_1_a[n, floor(k/8), k mod 8]
    flatten_1_a = turned_back_1_a.reshape(n, 64)
    # dense_1
    # dense_1_z[n, i] = dense_1_b[i] + Σ_j dense_1_W[i, j] flatten_1_a[n, j]
    dense_1_z = dense_1_b + flatten_1_a @ dense_1_W.T
    # dense_1_a[n, i] = dense_1_z[n, i] [dense_1_z[n, i] > 0]
    dense_1_a = np.where(dense_1_z <= 0.0, 0.0, dense_1_z)
    # dense_2
    # dense_2_z[n, i] = dense_2_b[i] + Σ_j dense_2_W[i, j] dense_1_a[n, j]
    dense_2_z = dense_2_b + dense_1_a @ dense_2_W.T
    # loss
    # loss_p[n, i] = exp(dense_2_z[n, i] − log Σ_j exp(dense_2_z[n, j]))
    loss_p = np.exp(dense_2_z - logsumexp(dense_2_z, axis=-1)[:, None])
    # loss_L[n] = log Σ_i exp(dense_2_z[n, i]) − dense_2_z[n, y[n]]
    loss_L = logsumexp(dense_2_z, axis=-1) - dense_2_z[np.arange(n), y]
    # loss_ = (Σ_n loss_L[n])/N
    loss_ = np.sum(loss_L) / n
    # dense_2
    # delta_dense_2[n, i] = (loss_p[n, i] − [i = y[n]])/N
    delta_dense_2 = (loss_p - np.where(np.arange(10) == y[:, None], 1.0, 0.0)) / n
    # dense_1
    # delta_dense_1[n, i] = [dense_1_a[n, i] > 0] Σ_j dense_2_W[j, i] delta_dense_2[n, j]
    delta_dense_1 = np.where(dense_1_a <= 0.0, 0.0, delta_dense_2 @ dense_2_W)
    # flatten_1
    # grad_flatten_1_a[n, j] = Σ_i dense_1_W[i, j] delta_dense_1[n, i]
    grad_flatten_1_a = delta_dense_1 @ dense_1_W
    # turned_back_1
    # grad_turned_back_1_a[n, t, i] = grad_flatten_1_a[n, 8 t + i]
    grad_turned_back_1_a = grad_flatten_1_a.reshape(n, 8, 8)
    # image
    # grads_image[n, t, i] = Σ_j grad_turned_back_1_a[n, t, j] [i = shift[n, 0] + j − 8 floor(shift[n, 0]/8 + j/8)]
    grads_image[...] = (
        np.sum(np.where(np.arange(8)[:, None] == ((shift[np.arange(n), np.clip(0, 0, 1 - 1)][:, None] + np.arange(8)) % 8)[:, None, None,
        :], (grad_turned_back_1_a)[:, :, None, :], 0.0), axis=-1)
    )
    return float(loss_)


def update(params, grads, state, hyper):
    """Do one step of the optimizer with given gradients."""
    P = params.size
    lr = float(hyper[0])
    mu = float(hyper[1])
    v = state[0:P]
    # v_next[p] = mu v[p] + g[p]
    v_next = mu * v + grads
    # w_next[p] = w[p] − lr v_next[p]
    w_next = params - lr * v_next
    params[...] = w_next
    v[...] = v_next


def train_step(params, image, shift, y, grads, state, hyper, work=None):
    """Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."""
    value = value_and_grad(params, image, shift, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
