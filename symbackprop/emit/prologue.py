"""What an entry does before anything else: labels and tokens are addresses, so a value out of range ends the call."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.emit.page import Function, Node
from symbackprop.plan.records import Plan

#: Added to the docstring of `forward` where it has something to test.
STATUS = ", or nothing if an input is out of range: then return its number, else 0"


def check(plan: Plan, names: Mapping[str, str]) -> tuple[Function, ...]:
    """Return the function ``check(x, …, y)``; nothing for a plan without integers.

    Args:
        plan: whose inputs and target are tested.
        names: of the arguments, by tensor.
    """
    if not plan.ranges:
        return ()
    data = (*plan.inputs, *((plan.target,) if plan.target else ()))
    doc = "Return 0, or the number of the first argument with a value out of range; nothing may be computed with it."
    return (Function("check", tuple(names[x] for x in data), (), (*_tests(plan, data, names), Node("return 0")), doc),)


def opening(plan: Plan, names: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the first lines of an entry that takes inputs and target: NaN instead of a loss, and nothing written."""
    if not plan.ranges:
        return ()
    passed = ", ".join(names[x] for x in (*plan.inputs, *((plan.target,) if plan.target else ())))
    return (Node(f"if check({passed}) != 0:", (Node("return np.nan"),)),)


def opening_forward(plan: Plan, names: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the first lines of an entry that takes the inputs only: their status, and nothing written."""
    return _tests(plan, plan.inputs, names)


def opening_product(plan: Plan, names: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the first lines of a product: the status of inputs and target, and nothing written."""
    return _tests(plan, (*plan.inputs, *((plan.target,) if plan.target else ())), names)


def _tests(plan: Plan, tensors: tuple[str, ...], names: Mapping[str, str]) -> tuple[Node, ...]:
    ends = {name: (least, most) for name, least, most in plan.ranges}
    return tuple(
        Node(f"if not in_range({names[x]}, {ends[x][0]}, {ends[x][1]}):", (Node(f"return {number}"),))
        for number, x in enumerate(tensors, 1)
        if x in ends
    )


__all__ = ["STATUS", "check", "opening", "opening_forward", "opening_product"]
