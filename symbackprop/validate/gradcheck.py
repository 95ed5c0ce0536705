"""A gradient check for any function that returns its value and its gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import DataError, ShapeError
from symbackprop.validate.differences import central, ridders
from symbackprop.validate.report import Report, Row
from symbackprop.validate.tolerances import tolerance

Array = npt.NDArray[Any]
Function = Callable[[dict[str, Array]], tuple[float, Mapping[str, Any]]]

#: Differences that are less certain than this, relative to the tensor's gradients, do not decide.
_CERTAIN = 2e-5
#: First steps of Ridders' scheme: large ones for smooth functions, small ones next to a kink.
_STARTS = (0.1, 3e-3, 1e-4, 3e-6)
#: How well one-sided slopes are known at a kink.
_ONE_SIDED = 1e-5


def gradcheck(f: Function, values: Mapping[str, Any], *, rtol: float | None = None, entries: int = 200, seed: int = 0) -> Report:
    """Compare the gradients that a function returns with differences of its values.

    ``f(values) -> (loss, {name: gradient})``. Central differences decide every entry on which they agree; the others are
    decided by Ridders' extrapolation, which estimates its own error. An entry on a kink passes if the gradient lies between
    the one-sided slopes; the report counts these as skipped.

    Args:
        f: the function; it must not change its argument.
        values: arrays by name. Integer arrays are passed through and not differentiated. float32 arrays are judged by
            differences in float64, since differences in float32 show only three digits.
        rtol: largest relative error; None takes the table's: 1e-6, for gradients computed in float32 1e-5.
        entries: how many entries of each tensor are judged, chosen by the seed where there are more.
        seed: for that choice.

    Raises:
        DataError: the function computes in float32 even when given float64, or gives no gradient for anything.
        ShapeError: a gradient does not have its value's shape.
    """
    given = {name: np.asarray(value) for name, value in values.items()}
    exact = {name: np.array(a, dtype=np.float64) if a.dtype.kind in "fc" else a for name, a in given.items()}
    for name, a in given.items():
        if a.dtype.kind not in "fiub":
            raise DataError(f"gradcheck: {name} has dtype {a.dtype}; give real numbers")
    judged_in = np.float32 if any(a.dtype == np.float32 for a in given.values()) else np.float64
    loss, gradients = f(dict(given))
    base, in_float64 = f(dict(exact)) if judged_in is np.float32 else (loss, gradients)
    names = [name for name in given if name in gradients and given[name].dtype.kind == "f"]
    if not names:
        raise DataError(
            f"gradcheck: the function returned gradients for {', '.join(gradients) or 'nothing'}, "
            f"none of which is among the given float arrays {', '.join(given)}"
        )
    if unknown := [name for name in gradients if name not in given]:
        raise DataError(f"gradcheck: the function returned a gradient for {', '.join(unknown)}, which is not among the values")
    if any(np.asarray(part).dtype in (np.float32, np.float16) for part in (base, *(in_float64[name] for name in names))):
        raise DataError(
            "gradcheck: the function computes in float32; differences in float32 cannot judge a gradient (three digits at best). "
            "Give it in float64, or use program.check(), which compares with the interpreter"
        )
    allowed = tolerance(judged_in, "gradcheck") if rtol is None else rtol
    rng = np.random.default_rng(seed)
    rows, skipped = [], 0
    for name in names:
        gradient = np.asarray(gradients[name], dtype=np.float64)
        if gradient.shape != given[name].shape:
            raise ShapeError(f"gradcheck: the gradient of {name} has shape {gradient.shape}, its value {given[name].shape}")
        row, kinks = _tensor(f, exact, name, gradient, allowed, entries, rng, abs(float(base)))
        rows.append(row)
        skipped += kinks
    return Report("gradient check by differences", tuple(rows), kinks_skipped=skipped)


@dataclass(frozen=True)
class _Judgement:
    """One entry: by how much it is off, of how much it may be, and by which slope that was judged."""

    error: float
    slope: float
    method: str
    kink: bool = False


def _tensor(
    f: Function, values: dict[str, Array], name: str, gradient: Array, allowed: float, entries: int, rng: np.random.Generator, loss: float
) -> tuple[Row, int]:
    places = list(np.ndindex(gradient.shape))
    if len(places) > entries:
        places = [places[int(k)] for k in np.sort(rng.choice(len(places), entries, replace=False))]
    along = [_along(f, values, name, index) for index in places]
    quick = [central(g, float(values[name][index])).value for g, index in zip(along, places, strict=True)]
    # An entry is judged relative to itself, or to what is usual in its tensor if it is smaller than that.
    usual = _usual(np.array(quick), gradient)
    found = [
        _entry(g, float(values[name][index]), float(gradient[index]), slope, usual, allowed, loss)
        for g, index, slope in zip(along, places, quick, strict=True)
    ]
    errors = np.array([j.error for j in found])
    worst = int(np.argmax(np.isnan(errors))) if np.isnan(errors).any() else int(np.argmax(errors)) if len(errors) else 0
    norm = float(np.sqrt(np.mean(np.square(errors)))) if len(errors) else 0.0
    methods = sorted({j.method for j in found}) or ["central"]
    row = Row(
        proof="gradient",
        layer=name.rpartition(".")[0],
        tensor=name,
        method=" + ".join(methods),
        error=norm,
        tolerance=allowed,
        entry_error=float(errors[worst]) if len(errors) else 0.0,
        entry_tolerance=allowed,
        index=places[worst] if places else None,
        got=float(gradient[places[worst]]) if places else math.nan,
        expected=found[worst].slope if places else math.nan,
        entries=len(places),
        note="" if len(places) == gradient.size else f"of {gradient.size}",
    )
    return row, sum(j.kink for j in found)


def _along(f: Function, values: dict[str, Array], name: str, index: tuple[int, ...]) -> Callable[[float], float]:
    def g(entry: float) -> float:
        moved = values[name].copy()
        moved[index] = entry
        return float(f({**values, name: moved})[0])

    return g


def _usual(quick: Array, gradient: Array) -> float:
    finite = quick[np.isfinite(quick)]
    measured = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
    stated = float(np.sqrt(np.mean(np.square(gradient)))) if gradient.size and np.isfinite(gradient).all() else measured
    # The smaller of the two: a wrong gradient must not widen its own tolerance.
    return min(measured, stated)


def _entry(g: Callable[[float], float], x: float, stated: float, quick: float, usual: float, allowed: float, loss: float) -> _Judgement:
    if not math.isfinite(stated):
        return _Judgement(math.nan, quick, "central")
    tiny = float(np.finfo(np.float64).tiny)
    error = abs(stated - quick) / max(abs(quick), usual, tiny)
    if error <= allowed:
        return _Judgement(error, quick, "central")
    unit = max(abs(x), 1.0)
    best = min((ridders(g, x, start * unit) for start in _STARTS), key=lambda d: d.error if math.isfinite(d.value) else math.inf)
    scale = max(abs(best.value), usual, tiny)
    # What no difference can resolve: the rounding of the loss over the largest usable step.
    unseen = 100 * float(np.finfo(np.float64).eps) * loss / unit
    certain = math.isfinite(best.value) and best.error <= max(_CERTAIN * scale, unseen)
    if certain:
        error = max(abs(stated - best.value) - 4 * best.error - unseen, 0.0) / scale
        if error <= allowed:
            return _Judgement(error, best.value, "ridders")
    # Central differences at a kink agree with each other on the mean of the two slopes: look at each side before judging.
    slopes = _one_sided(g, x, loss)
    if slopes is not None:
        low, high = slopes
        outside = max(low - stated, stated - high, 0.0) / max(abs(low), abs(high), usual, tiny)
        return _Judgement(max(outside - _ONE_SIDED, 0.0), (low + high) / 2, "one-sided", kink=True)
    return _Judgement(error, best.value, "ridders") if certain else _Judgement(math.nan, best.value, "undecided")


def _one_sided(g: Callable[[float], float], x: float, loss: float) -> tuple[float, float] | None:
    """Return the slopes to the left and right in order of size if they differ, or None where the function is smooth."""
    h = 3e-6 * max(abs(x), 1.0)
    base = g(x)
    slopes = []
    for sign in (-1, 1):
        near = (g(x + sign * h) - base) / (sign * h)
        far = (g(x + 2 * sign * h) - base) / (2 * sign * h)
        slopes.append(2 * near - far)
    low, high = min(slopes), max(slopes)
    noise = 50 * float(np.finfo(np.float64).eps) * max(loss, abs(base)) / h
    return (low, high) if high - low > max(1e-3 * max(abs(low), abs(high)), noise) else None
