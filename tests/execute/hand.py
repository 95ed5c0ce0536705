"""A module as the emitter would write it, by hand: softmax regression in float64, without a compiler."""

from __future__ import annotations

import numpy as np

NAME = "hand"
PARAMETERS = (("dense_1.W", 0, (3, 4)), ("dense_1.b", 12, (3,)))
DTYPE = "float64"
BATCH = 64
STATE_SIZE = 15
HYPER = (("lr", 0.1), ("mu", 0.9))


def workspace(n):
    return 6 * n


def _scores(params, x):
    return x @ params[:12].reshape(3, 4).T + params[12:]


def _probabilities(params, x):
    z = _scores(params, x)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _rows(y):
    return np.eye(3)[y] if y.ndim == 1 else y


def forward(params, x, out, work):
    out[:] = _scores(params, x)


def loss(params, x, y, work):
    work[: x.shape[0]] = 1
    return -np.mean(np.sum(_rows(y) * np.log(_probabilities(params, x)), axis=1))


def value_and_grad(params, x, y, grads, work):
    delta = (_probabilities(params, x) - _rows(y)) / len(x)
    grads[:12] = (delta.T @ x).ravel()
    grads[12:] = delta.sum(axis=0)
    return loss(params, x, y, work)


def input_gradients(params, x, y, grads_x, work):
    grads_x[:] = (_probabilities(params, x) - _rows(y)) / len(x) @ params[:12].reshape(3, 4)
    return loss(params, x, y, work)


def update(params, grads, state, hyper):
    state[:] = hyper[1] * state + grads
    params -= hyper[0] * state


def train_step(params, x, y, grads, state, hyper, work):
    value = value_and_grad(params, x, y, grads, work)
    if np.isfinite(value):
        update(params, grads, state, hyper)
    return value
