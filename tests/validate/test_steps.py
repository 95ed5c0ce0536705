"""Rewriting steps are judged by value: one that changes it is named with its rule and the equation it belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.algebra.equation import Equation
from symbackprop.validate.check import check_network


def derivation():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="sigmoid"), sbp.Dense(2)], loss="softmax_cross_entropy", name="steps")
    return pipeline.derive_network(net.spec)


def test_the_steps_of_a_right_derivation_hold():
    record = derivation()
    report = check_network(record.model, record, None)
    assert report.ok
    (row,) = (row for row in report.rows if row.method == "rewriting step")
    assert row.note.startswith("step ")


@pytest.mark.parametrize("cotangent", ["delta.dense_1", "delta.dense_2"])
@pytest.mark.parametrize("fault", [lambda rhs: rhs * sympy.Float(1.0001), lambda rhs: -rhs, lambda rhs: rhs + 1])
def test_a_step_that_changes_a_value_is_named(cotangent, fault):
    record = derivation()
    block, steps = record.traces[cotangent]
    # The last step inserts what arrives from above, which has no value of its own: the one before it.
    number = max(k for k, step in enumerate(steps[:-1]) if step.rewrites)
    wrong = replace(steps[number], after=Equation(steps[number].after.lhs, fault(steps[number].after.rhs)))
    traces = {**record.traces, cotangent: (block, (*steps[:number], wrong, *steps[number + 1 :]))}
    report = check_network(record.model, replace(record, traces=traces), None)
    (row,) = report.failures
    assert (row.tensor, row.method) == (cotangent, "rewriting step")
    assert row.note == f"step {number + 1}: {steps[number].rule}"
