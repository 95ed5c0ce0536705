"""Every activation with every loss that fits, each reduction and penalty: one sweep over the tables, found by itself.

Each network is derived, its gradient held against complex-step differentiation, and the `numpy` target and the `cpu` text,
run without compilation, against the interpreter.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from judge import agreement
from zoo import ON_PROBABILITIES, REGULARIZERS

import symbackprop as sbp
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.declare.losses import LOSSES, REDUCTIONS

PENALTIES = REGULARIZERS[:3]


def networks(activation: str):
    """Yield every network of an activation, with the form of target: a hidden layer and an output layer of it."""
    for loss, reduction, penalty in itertools.product(LOSSES, REDUCTIONS, PENALTIES):
        if activation not in ON_PROBABILITIES.get(loss, (activation,)):
            continue
        for form in sbp.Loss(loss).forms:
            yield (
                form,
                sbp.Sequential(
                    [sbp.Input(3), sbp.Dense(5, activation=activation), sbp.Dense(4, activation=activation)],
                    loss=sbp.Loss(loss, reduction=reduction),
                    regularizer=None if penalty is None else penalty(),
                    name=f"{activation}_{loss}_{reduction}",
                ),
            )


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_loss_reduction_and_penalty_on(activation):
    failed = []
    count = 0
    for form, net in networks(activation):
        report = agreement(net, form, seed=count)
        count += 1
        if not report.ok:
            failed.append(f"{net.name} with {form}, penalty {net.spec.regularizer}: {report.worst}")
    assert not failed, "\n".join(failed)
    assert count >= 60


def test_the_sweep_reaches_every_loss_and_both_forms_of_targets():
    seen = {(net.spec.loss.name, form) for activation in ("softmax",) for form, net in networks(activation)}
    assert seen == {(name, form) for name, entry in LOSSES.items() for form in entry.forms()}
    assert np.all([name in LOSSES for name in ON_PROBABILITIES])
