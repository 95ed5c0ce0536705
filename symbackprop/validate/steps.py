"""Every rewriting step of a derivation holds at a sample: both of its sides have the same value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.interpret import evaluate_equation
from symbackprop.validate.report import Row
from symbackprop.validate.tolerances import ENTRY_ALLOWANCE, tolerance

if TYPE_CHECKING:
    from symbackprop.derive.records import Derivation

Array = npt.NDArray[Any]

#: Before its deltas are contracted, an equation ranges over the indices of both sides: a step with more points than this
#: is judged on smaller networks only.
_GRID = 400_000


def step_rows(
    derivation: Derivation, values: Mapping[str, Array], sizes: Mapping[Any, Any], rounding: Callable[[str], float]
) -> tuple[Row, ...]:
    """Return one row for each rewriting step that changes a value, or else one for the worst of all steps.

    A step is left out where its sums range over too many points to be written out. Steps are those of a template: of the
    layers of one type the first is judged, since the others have the same steps.

    Args:
        derivation: whose steps.
        values: every forward value and cotangent at the sample.
        sizes: the value of each symbolic size.
        rounding: the rounding to expect of a cotangent that cancels to nothing, by name.
    """
    rows: list[Row] = []
    owner = {cotangent: name.rpartition(".")[0] for name, cotangent in derivation.cotangents.items()}
    seen: set[tuple[str, str]] = set()
    for cotangent, (block, _) in derivation.traces.items():
        slot = next((slot for slot, name in block.names.items() if name == cotangent), cotangent)
        if (block.template.key, slot) in seen:
            continue
        seen.add((block.template.key, slot))
        known: dict[str, Array] = {}
        for number, step in enumerate(derivation.steps_of(cotangent), 1):
            sides = (step.before, step.after) if step.rewrites else (step.after,)
            read = {t.name for side in sides for t in side.reads}
            own = [{t.name for t in side.reads} - values.keys() for side in sides]
            if not read <= values.keys() | known.keys() or own[0] != own[-1] or max(_grid(side, sizes) for side in sides) > _GRID:
                continue
            given = {name: known[name] if name in known else values[name] for name in read}
            computed = [evaluate_equation(side, given, sizes) for side in sides]
            name = step.after.tensor.name
            if name not in values:
                # A cotangent that is inserted into its reader has no value of its own. One term of it serves where both sides
                # read it; a step that inserts it is left to the complex step, which judges the result.
                known[name] = computed[-1]
            if step.rewrites:
                # A step may rewrite one term of a sum: it is judged by the size of the whole.
                whole = float(np.sqrt(np.sum(np.square(values[cotangent])))) if cotangent in values else 0.0
                rows.append(
                    _row(owner.get(cotangent, ""), cotangent, number, step.rule, computed[0], computed[1], whole, rounding(cotangent))
                )
    failed = tuple(row for row in rows if not row.ok)
    return failed or tuple(sorted(rows, key=lambda row: -row.excess)[:1])


def _grid(equation: Equation, sizes: Mapping[Any, Any]) -> int:
    """Return how many points all indices of an equation range over together, sums inside sums included."""
    indices = {*equation.lhs.index, *bound_indices(equation.rhs)}
    return math.prod(int(index.extent.xreplace(dict(sizes))) for index in indices)


def _row(layer: str, cotangent: str, number: int, rule: str, before: Array, after: Array, whole: float, rounding: float) -> Row:
    size = max(float(np.sqrt(np.sum(np.square(before)))), whole)
    scale = size if size > 0 or np.isnan(size) else 1.0
    errors = np.abs(after - before)
    worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
    index = tuple(int(k) for k in np.unravel_index(worst, before.shape)) if before.ndim else ()
    usual = max(abs(float(before[index])), scale / float(np.sqrt(max(before.size, 1))))
    allowed = tolerance(np.float64, "rewriting step") + rounding / scale
    return Row(
        proof="maths",
        layer=layer,
        tensor=cotangent,
        method="rewriting step",
        error=float(np.sqrt(np.sum(np.square(errors)))) / scale,
        tolerance=allowed,
        entry_error=float(errors[index]) / usual,
        entry_tolerance=ENTRY_ALLOWANCE * allowed,
        index=index,
        got=float(after[index]),
        expected=float(before[index]),
        entries=int(before.size),
        note=f"step {number}: {rule}",
    )
