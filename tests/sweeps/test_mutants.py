"""Mutants: every fault planted in an emitted module must be caught by the check; the score is printed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

import numpy as np
import pytest
from judge import texts
from written import callable_of, executed

import symbackprop as sbp
from symbackprop import pipeline
from symbackprop.validate.check import check_network

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


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, text) for every place where one of the usual slips fits."""
    tree = ast.parse(source)
    for number, function in enumerate(kernels(tree)):
        for position, node in enumerate(ast.walk(function)):
            for slip in (scaled, swapped_operation, transposed, kept_last, compared_otherwise, signed):
                if not slip(copy.deepcopy(node)):
                    continue
                changed = copy.deepcopy(tree)
                place = list(ast.walk(kernels(changed)[number]))[position]
                before = ast.unparse(place)
                slip(place)
                text = ast.unparse(ast.fix_missing_locations(changed))
                yield f"{function.name}: {slip.__name__}: {before!r} -> {ast.unparse(place)!r}", text


def scaled(node: ast.AST) -> bool:
    """A factor 1.0001 on what is written into an array."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)):
        return False
    node.value = ast.BinOp(node.value, ast.Mult(), ast.Constant(1.0001))
    return True


def swapped_operation(node: ast.AST) -> bool:
    """Plus for minus, times for over."""
    swaps = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if not isinstance(node, ast.BinOp) or type(node.op) not in swaps:
        return False
    node.op = swaps[type(node.op)]()
    return True


def transposed(node: ast.AST) -> bool:
    """The two indices of a read exchanged."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Tuple)):
        return False
    node.slice.elts.reverse()
    return ast.unparse(node.slice.elts[0]) != ast.unparse(node.slice.elts[-1])


def kept_last(node: ast.AST) -> bool:
    """A sum that keeps its last term only: the gradient of one sample instead of all."""
    if not (isinstance(node, ast.For) and len(node.body) == 1 and isinstance(node.body[0], ast.AugAssign)):
        return False
    term = node.body[0]
    node.body[0] = ast.Assign([term.target], term.value)
    return True


def compared_otherwise(node: ast.AST) -> bool:
    """A branch taken on the other side."""
    swaps = {ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.Lt: ast.GtE, ast.GtE: ast.Lt}
    if not isinstance(node, ast.IfExp) or not isinstance(node.test, ast.Compare) or type(node.test.ops[0]) not in swaps:
        return False
    node.test.ops = [swaps[type(node.test.ops[0])]()]
    return True


def signed(node: ast.AST) -> bool:
    """A sign lost."""
    if not (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant)):
        return False
    node.op = ast.UAdd()
    return True


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
    assert check_network(model, derivation, callable_of(executed(source), model.inputs), batch=3).ok
    caught, missed = 0, []
    with np.errstate(all="ignore"):
        right = entries(executed(source), net)
        for change, faulty in mutants(source):
            try:
                space = executed(faulty)
                # The check looks at gradients of a few samples; the other entries, and branches that those do not reach, at many.
                same = np.allclose(entries(space, net), right, rtol=1e-9, atol=0, equal_nan=True)
                report = check_network(model, derivation, callable_of(space, model.inputs), batch=3)
            except (IndexError, ZeroDivisionError, ValueError, AssertionError):
                caught += 1
                continue
            if report.ok and same and not equivalent(change):
                missed.append(change)
            else:
                caught += 1
                assert report.ok or {row.proof for row in report.failures} == {"code"}
    print(f"{name}: {caught} of {caught + len(missed)} mutants caught")
    assert caught > 60
    assert not missed, "\n".join(missed)
