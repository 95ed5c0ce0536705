"""Random networks: derived gradients, numpy text and cpu text all right; forty of them compiled, covering the tables."""

from __future__ import annotations

import os

import numpy as np
import pytest
import zoo
from judge import agreement

FIRST = 1000 * int(os.environ.get("SYMBACKPROP_TEST_SEED", "0"))
SEEDS = range(FIRST, FIRST + 200)
COMPILED = zoo.covering(40, range(FIRST, FIRST + 400))


@pytest.mark.parametrize("seeds", [SEEDS[k : k + 10] for k in range(0, len(SEEDS), 10)], ids=lambda seeds: f"seeds {seeds[0]}-{seeds[-1]}")
def test_ten_random_networks_are_right_in_every_form(seeds):
    failed = []
    for seed in seeds:
        case = zoo.case(seed)
        print(case)
        report = agreement(case.net, case.form, seed=seed, batch=len(case.target), params=case.params)
        if not report.ok:
            failed.append(f"{case}\n{report}")
    assert not failed, "\n\n".join(failed)


def test_the_compiled_networks_cover_the_tables():
    from symbackprop.declare.activations import ACTIVATIONS
    from symbackprop.declare.losses import LOSSES, REDUCTIONS

    parts = frozenset().union(*(zoo.case(seed).parts for seed in COMPILED))
    wanted = {*ACTIVATIONS, *(f"{loss} {reduction}" for loss in LOSSES for reduction in REDUCTIONS)}
    assert set(zoo.ACTIVATIONS) == set(ACTIVATIONS) and set(zoo.LOSSES) == set(LOSSES)
    assert wanted <= parts, sorted(wanted - parts)
    assert {f"penalty {name}" for name in ("NoneType", "L1", "L2", "ElasticNet")} <= parts


@pytest.mark.parametrize("seed", COMPILED)
def test_a_compiled_random_network_agrees_with_the_interpreter(seed):
    case = zoo.case(seed)
    print(case)
    expected = case.net.derive().evaluate(case.values)
    program = case.net.compile(target="cpu", dtype="float64", batch=8)
    params = case.net.parameters(case.params)
    inputs = dict(case.inputs) if len(case.inputs) > 1 else case.inputs["x"]
    loss, grads = program.value_and_grad(params, inputs, case.target)
    assert loss == pytest.approx(float(expected["loss"]), rel=1e-12)
    largest = max((float(np.linalg.norm(expected[f"grad.{name}"])) for name in params if f"grad.{name}" in expected), default=0.0)
    for name in params:
        want = expected.get(f"grad.{name}", np.zeros_like(params[name]))
        frozen = f"grad.{name}" not in expected
        assert frozen or np.linalg.norm(grads[name] - want) <= 1e-12 * np.linalg.norm(want) + 1e-15 * largest, name
        assert not frozen or not grads[name].any(), name
    again, twice = program.value_and_grad(params, inputs, case.target)
    assert again == loss and np.array_equal(twice.flat, grads.flat)
