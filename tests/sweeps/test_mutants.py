"""Mutants: every fault planted in an emitted module must be caught by the check; the score is printed."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
import pytest
from judge import texts
from written import callable_of, executed

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.validate.check import prove_network

NETWORKS = {
    "relu, softmax cross-entropy, L2": lambda: sbp.Sequential(
        [sbp.Input(3), sbp.Dense(4, activation="relu"), sbp.Dense(2)], loss="softmax_cross_entropy", regularizer=sbp.L2(0.1), name="m"
    ),
    "tanh, huber, elastic net": lambda: sbp.Sequential(
        [sbp.Input(2), sbp.Dense(3, activation="tanh"), sbp.Dense(4, activation="softplus")],
        loss="huber",
        regularizer=sbp.ElasticNet(0.05, 0.1),
        name="m",
    ),
}


def kernels(tree: ast.Module) -> list[ast.FunctionDef]:
    """Return the functions that compute equations: those with loops."""
    return [f for f in tree.body if isinstance(f, ast.FunctionDef) and any(isinstance(n, ast.For) for n in ast.walk(f))]


def mutants(source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield (what was changed, function) for every place where one of the usual slips fits."""
    for function in kernels(ast.parse(source)):
        # A copy by way of bytes: copy.deepcopy takes ten times as long.
        kept = pickle.dumps(function)
        for position, node in enumerate(ast.walk(function)):
            for slip, kind in SLIPS.items():
                if not isinstance(node, kind) or not slip(copy.deepcopy(node)):
                    continue
                changed = pickle.loads(kept)
                place = list(ast.walk(changed))[position]
                before = ast.unparse(place)
                slip(place)
                yield f"{function.name}: {slip.__name__}: {before!r} -> {ast.unparse(place)!r}", ast.fix_missing_locations(changed)


@contextmanager
def in_place(space: dict[str, Any], function: ast.FunctionDef) -> Iterator[None]:
    """Put a changed function into a module's namespace, where the others look it up, and the right one back."""
    right, before = space[function.name], numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = True
    try:
        exec(compile(ast.Module([function], []), "<mutant>", "exec"), space)
        assert space[function.name] is not right
        yield
    finally:
        space[function.name] = right
        numba.config.DISABLE_JIT = before


def scaled(node: Any) -> bool:
    """A factor 1.0001 on what is written into an array."""
    if not isinstance(node.targets[0], ast.Subscript):
        return False
    node.value = ast.BinOp(node.value, ast.Mult(), ast.Constant(1.0001))
    return True


def swapped_operation(node: Any) -> bool:
    """Plus for minus, times for over."""
    swaps = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if type(node.op) not in swaps:
        return False
    node.op = swaps[type(node.op)]()
    return True


def transposed(node: Any) -> bool:
    """The two indices of a read exchanged."""
    if not (isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Tuple)):
        return False
    node.slice.elts.reverse()
    return ast.unparse(node.slice.elts[0]) != ast.unparse(node.slice.elts[-1])


def kept_last(node: Any) -> bool:
    """A sum that keeps its last term only: the gradient of one sample instead of all."""
    if not (len(node.body) == 1 and isinstance(node.body[0], ast.AugAssign)):
        return False
    term = node.body[0]
    node.body[0] = ast.Assign([term.target], term.value)
    return True


def compared_otherwise(node: Any) -> bool:
    """A branch taken on the other side."""
    swaps = {ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.Lt: ast.GtE, ast.GtE: ast.Lt}
    if not isinstance(node.test, ast.Compare) or type(node.test.ops[0]) not in swaps:
        return False
    node.test.ops = [swaps[type(node.test.ops[0])]()]
    return True


def signed(node: Any) -> bool:
    """A sign lost."""
    if not isinstance(node.op, ast.USub) or isinstance(node.operand, ast.Constant):
        return False
    node.op = ast.UAdd()
    return True


#: The slips, with the kind of node that each may fit.
SLIPS = {
    scaled: ast.Assign,
    swapped_operation: ast.BinOp,
    transposed: ast.Subscript,
    kept_last: ast.For,
    compared_otherwise: ast.IfExp,
    signed: ast.UnaryOp,
}


#: Changes that compute the same numbers: the shift of a log-sum-exp may be anything that does not overflow.
def equivalent(change: str) -> bool:
    return "np.inf" in change


def entries(space, net, samples=40):
    """Return what each entry of a module computes for some samples far apart, so that every branch of a loss is taken."""
    rng = np.random.default_rng(11)
    (units,) = net.spec.shapes[net.spec.outputs[0]]
    (width,) = net.spec.inputs[0].shape
    params = rng.standard_normal(sum(int(np.prod(shape)) for _, _, shape in space["PARAMETERS"]))
    x, y = 3 * rng.standard_normal((samples, width)), 3 * rng.standard_normal((samples, units))
    work, out, grads_x, grads = (np.zeros(size) for size in (space["workspace"](samples), (samples, units), x.shape, params.shape))
    space["forward"](params, x, out, work)
    values = [space["loss"](params, x, y, work), space["value_and_grad"](params, x, y, grads, work)]
    values.append(space["input_gradients"](params, x, y, grads_x, work))
    return np.concatenate([out.ravel(), grads_x.ravel(), grads, values])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_fault_in_a_kernel_is_caught(name):
    net = NETWORKS[name]()
    derivation = pipeline.derive_network(net.spec, target="rows")
    model = derivation.model
    (source,) = texts(derivation, ("cpu",))
    proof, space = prove_network(model, derivation, batch=3), executed(source)
    assert proof.report(callable_of(space, model.inputs)).ok
    caught, missed = 0, []
    with np.errstate(all="ignore"):
        right = entries(space, net)
        for change, faulty in mutants(source):
            try:
                with in_place(space, faulty):
                    # The check looks at gradients of a few samples; the other entries, and branches that those do not reach, at many.
                    same = np.allclose(entries(space, net), right, rtol=1e-9, atol=0, equal_nan=True)
                    report = proof.report(callable_of(space, model.inputs))
            except (IndexError, ZeroDivisionError, ValueError, AssertionError):
                caught += 1
                continue
            if report.ok and same and not equivalent(change):
                missed.append(change)
            else:
                caught += 1
                assert report.ok or {row.proof for row in report.failures} == {"code"}
        assert np.array_equal(entries(space, net), right)
    print(f"{name}: {caught} of {caught + len(missed)} mutants caught")
    assert caught > 60
    assert not missed, "\n".join(missed)
