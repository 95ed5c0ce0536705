"""Two proofs, two culprits: the derived equations against differentiation, the program against the interpreter.

*Maths*: every derived cotangent is held against complex-step differentiation of the interpreted forward equations, one step
of the chain rule at a time: an entry of a tensor is moved, the change is followed to the nearest tensors whose cotangents
are given, and weighed there. So the row that fails is the tensor whose equation is wrong, not everything below it, and
the cost grows with the depth, not with its square. By induction from the loss, all rows together prove the gradient; the
whole derivative along random directions is then measured once more by other means.

*Code*: the loss and every gradient that the program returns, against the interpreter on the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symbackprop.algebra.interpret import interpret
from symbackprop.errors import DerivationError
from symbackprop.validate import precise
from symbackprop.validate.complex_step import Forward, unit
from symbackprop.validate.dot_product import draw, pulled, pushed
from symbackprop.validate.report import Report, Row
from symbackprop.validate.sample import Sample, sample
from symbackprop.validate.steps import step_rows
from symbackprop.validate.tolerances import ENTRY_ALLOWANCE, NOISE_ALLOWANCE, tolerance

if TYPE_CHECKING:
    from symbackprop.declare.model import Model
    from symbackprop.derive.records import Derivation

Array = npt.NDArray[Any]

#: Takes parameters by name, inputs by name (random ones of layers too) and the target; gives the loss and gradients by name.
ValueAndGrad = Callable[[dict[str, Array], dict[str, Array], Any], tuple[float, Mapping[str, Array]]]

#: Tensors up to this size are checked entry by entry; larger ones at this many seeded entries and along random directions.
ENTRIES = 64
#: Entries that are checked in all; a network of a thousand layers gets fewer of them for each tensor.
BUDGET = 24_000
#: Random directions for each tensor, and for all parameters together.
DIRECTIONS = 2
#: Parameters up to which the whole gradient is also checked with 50 digits.
PRECISE_LIMIT = 6000
#: Samples that may be tried until no gradient is ill-conditioned beyond what the program's dtype can show.
_ATTEMPTS = 6
#: A float32 program can show a factor 1.0001 only where the rounding of every gradient stays below this.
_CONDITIONED = 3e-6
#: The declared forms are an oracle only where float32 keeps three of its seven digits in them: float64 then keeps twelve.
_ORACLE = 1e-4
#: The most by which a saturated oracle's tolerance grows.
_LENIENCE = 1e5
#: A cotangent this much smaller than the largest one is 0 by cancellation: it is judged on the scale of the largest.
_VANISHED = 1e-13


def check_network(
    model: Model,
    derivation: Derivation,
    value_and_grad: ValueAndGrad | None,
    *,
    dtype: Any = np.float64,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    batch: int = 4,
) -> Report:
    """Check a derivation, and a program made from it.

    Args:
        model: the declared network.
        derivation: its derivation.
        value_and_grad: the program, or None to check the mathematics only.
        dtype: the program's dtype; it is called with arrays of this dtype.
        seed: of the sample and the directions.
        params: parameters to check at; None draws them.
        batch: how many samples.
    """
    return prove_network(model, derivation, dtype=dtype, seed=seed, params=params, batch=batch).report(value_and_grad)


@dataclass(frozen=True)
class Proof:
    """The mathematics of a network, checked at a sample: programs are held against it, one or many.

    Attributes:
        model: the declared network.
        dtype: of the programs.
        seed: of the sample and the directions.
        batch: how many samples.
        rows: what the check of the mathematics found.
    """

    model: Model
    dtype: Any
    seed: int
    batch: int
    rows: tuple[Row, ...]
    _judged: _Judged

    def report(self, value_and_grad: ValueAndGrad | None) -> Report:
        """Return the report on the mathematics and, unless it is None, on a program."""
        judged, dtype = self._judged, self.dtype
        rows = (*self.rows, *(() if value_and_grad is None else _code(self.model, judged, value_and_grad, dtype)))
        what = "derivation" if value_and_grad is None else f"derivation and {dtype} program"
        notes: tuple[str, ...] = (
            f"seed {self.seed}, {self.batch} samples, "
            f"tensors over {ENTRIES} entries at {ENTRIES} of them and along {DIRECTIONS} random directions",
        )
        if judged.sample.near:
            notes = (*notes, f"{judged.sample.near} comparisons stay near a kink at every sample tried; central differences are left out")
        if dtype == np.float32 and judged.conditioning >= _CONDITIONED:
            notes = (*notes, f"ill-conditioned in float32: rounding is up to {judged.conditioning:.0e} of a gradient at every sample tried")
        if judged.oracle >= _ORACLE:
            lost = f"saturated: the declared forms lose digits (float32: {judged.oracle:.0e}) at every sample tried; more is allowed"
            notes = (*notes, lost)
        return Report(f"check of network {self.model.name}: {what}", rows, kinks_moved=judged.sample.moved, notes=notes)


def prove_network(
    model: Model,
    derivation: Derivation,
    *,
    dtype: Any = np.float64,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    batch: int = 4,
) -> Proof:
    """Check a derivation, with what programs made from it are held against; the arguments are those of `check_network`."""
    if model.loss is None:
        raise DerivationError(f"network {model.name} has no loss, so there is no gradient to check")
    judged = _judged(model, derivation, np.dtype(dtype), seed, params, batch)
    return Proof(model, np.dtype(dtype), seed, batch, _maths(model, derivation, judged, seed), judged)


@dataclass(frozen=True)
class _Judged:
    """The derived equations at a sample: all values, and how much rounding they amplify.

    Rounding is drawn three times, once by computing in float32 and twice by moving all given values by a float32 rounding:
    one draw alone may happen to cancel.
    """

    sample: Sample
    forward: Forward
    values: Mapping[str, Array]
    coarse: tuple[Mapping[str, Array], ...]
    written: Mapping[str, Array]
    written_coarse: Mapping[str, Array]
    cotangents: Mapping[str, str]

    def noise(self, name: str, dtype: Any) -> float:
        """Return the norm of the rounding error to expect of a tensor in a dtype, from the same equations in float32."""
        scale = float(np.finfo(dtype).eps) / float(np.finfo(np.float32).eps)
        errors = [_norm(np.asarray(found[name], dtype=np.float64) - self.values[name]) for found in self.coarse]
        return scale * max((e for e in errors if np.isfinite(e)), default=0.0) + self.vanishing(name, dtype)

    def vanishing(self, name: str, dtype: Any) -> float:
        """Return the rounding to expect of a tensor that is 0 by cancellation, as behind a softmax over one class; else 0."""
        if name not in self.values or _norm(self.values[name]) > _VANISHED * self.largest:
            return 0.0
        return 16 * float(np.finfo(dtype).eps) * self.largest

    @cached_property
    def largest(self) -> float:
        """Return the largest norm of all cotangents."""
        return max((_norm(self.values[c]) for c in self.cotangents.values()), default=0.0)

    def scale(self, size: float) -> float:
        """Return what errors of a tensor of a norm are relative to: that norm, or the largest of all for one that vanishes."""
        return _positive(size if size > _VANISHED * self.largest or np.isnan(size) else self.largest)

    @cached_property
    def oracle(self) -> float:
        """Return the largest rounding of the cotangents in the forms as first written, in float32: saturation shows in it.

        Differentiation of the declared forward equations loses the digits that these forms lose, where the stable ones do not.
        """
        worst = 0.0
        for name in self.cotangents.values():
            if name not in self.written:
                continue
            fine = self.written[name]
            size = _norm(fine)
            if size > 100 * self.noise(name, np.float64):
                lost = _norm(np.asarray(self.written_coarse[name], dtype=np.float64) - fine) / size
                worst = max(worst, lost if np.isfinite(lost) else np.inf)
        return worst

    @property
    def lost(self) -> float:
        """Return by how much the oracle's own rounding exceeds what its tolerance has room for; 0 at a fit sample.

        Never so much that a factor of 1.0001 could pass, and nothing where float32 overflows and so measures nothing.
        """
        return min(max(0.0, self.oracle / _ORACLE - 1), _LENIENCE) if np.isfinite(self.oracle) else 0.0

    @cached_property
    def conditioning(self) -> float:
        """Return the largest float32 rounding of a gradient, relative to it; gradients that are rounding only do not count."""
        worst = 0.0
        for cotangent in self.cotangents.values():
            size = _norm(self.values[cotangent])
            if size > 100 * self.noise(cotangent, np.float64):
                worst = max(worst, self.noise(cotangent, np.float32) / size)
        return worst

    def badness(self, dtype: Any) -> float:
        """Return how unfit the sample is to show an error: below 1 it is fit."""
        return max(self.oracle / _ORACLE, self.conditioning / _CONDITIONED if dtype == np.float32 else 0.0)


def _judged(model: Model, derivation: Derivation, dtype: Any, seed: int, params: Mapping[str, Any] | None, batch: int) -> _Judged:
    derived = derivation.stable
    cotangents = {name: c for name, c in derivation.cotangents.items() if name in model.system.tensors and c in set(derived.defined)}
    best: _Judged | None = None
    for attempt in range(_ATTEMPTS):
        drawn = sample(model, dtype=dtype, seed=seed + 1000 * attempt, batch=batch, params=params)
        want = (derivation.loss, *cotangents.values())
        written = [c for c in cotangents.values() if c in set(derivation.system.defined)]
        with np.errstate(all="ignore"):
            made = _Judged(
                sample=drawn,
                forward=Forward(model.system, drawn.values, str(model.loss)),
                values=interpret(derived, drawn.values, want=want),
                coarse=(
                    interpret(derived, drawn.values, want=want, dtype=np.float32),
                    *(interpret(derived, _jittered(drawn.values, k), want=want) for k in range(2)),
                ),
                written=interpret(derivation.system, drawn.values, want=written) if written else {},
                written_coarse=interpret(derivation.system, drawn.values, want=written, dtype=np.float32) if written else {},
                cotangents=cotangents,
            )
        if made.badness(dtype) < 1:
            return made
        if best is None or made.badness(dtype) < best.badness(dtype):
            best = made
    assert best is not None
    return best


def _jittered(values: Mapping[str, Array], draw_number: int) -> dict[str, Array]:
    """Move every real value by up to a rounding of float32."""
    rng = np.random.default_rng([draw_number, 79])
    step = float(np.finfo(np.float32).eps) / 2
    return {
        name: array if array.dtype.kind == "i" else array * (1 + step * rng.uniform(-1, 1, size=array.shape))
        for name, array in values.items()
    }


# --- maths ---------------------------------------------------------------------------------------------------------------


def _maths(model: Model, derivation: Derivation, judged: _Judged, seed: int) -> tuple[Row, ...]:
    rng = np.random.default_rng([seed, 78])
    rows = []
    stop = tuple(name for name in judged.cotangents if name != model.loss)
    weights = {name: judged.values[judged.cotangents[name]] for name in stop}
    for name in stop:
        if name in judged.forward.values:
            rows.append(_chain_row(judged, name, stop, weights, rng))
    rows += _form_rows(judged, stop)
    values = {**judged.forward.values, **judged.values}
    rows += step_rows(derivation, values, judged.forward.sizes, lambda name: judged.vanishing(name, np.float64))
    rows += _whole_rows(model, judged, weights, rng)
    return tuple(rows)


def _chain_row(judged: _Judged, name: str, stop: tuple[str, ...], weights: Mapping[str, Array], rng: np.random.Generator) -> Row:
    """One step of the chain rule at one tensor: entries, and random directions over all of it."""
    derived = weights[name]
    shape = derived.shape
    places = list(np.ndindex(shape))
    chosen = _entries(len(stop))
    if len(places) > chosen:
        places = [places[int(k)] for k in np.sort(rng.choice(len(places), chosen, replace=False))]
    rest = tuple(other for other in stop if other != name)
    got = np.array([derived[index] for index in places])
    expected = np.array([pushed(judged.forward, {name: unit(shape, index)}, weights, rest) for index in places])
    full = derived.size == len(places)
    share = float(np.sqrt(len(places) / max(derived.size, 1)))
    size = max(_norm(derived), _norm(expected) / share)
    scale = judged.scale(size)
    error = _norm(got - expected) / _positive(scale * share)
    if not full:
        for _ in range(DIRECTIONS):
            v = draw({name: shape}, rng)
            difference = abs(pulled(v, {name: derived}) - pushed(judged.forward, v, weights, rest))
            # Along a unit direction an error of norm e shows as e/√size on average.
            error = _largest(error, difference * float(np.sqrt(derived.size)) / scale)
    entry, worst = _worst_entry(got, expected, scale / float(np.sqrt(max(derived.size, 1))))
    # A slope that cancels to nothing is known to the rounding of what it is a difference of: the cotangents that it weighs.
    weighed = [weights[other] for other in judged.forward.tangents({name: np.ones(shape)}, rest) if other in weights]
    rounding = NOISE_ALLOWANCE * float(np.finfo(np.float64).eps) * sum(map(_norm, weighed))
    noise = NOISE_ALLOWANCE * judged.noise(judged.cotangents[name], np.float64) + rounding
    allowed = (tolerance(np.float64, "complex step") * (1 + judged.lost) * size + noise) / scale
    return Row(
        proof="maths",
        layer=_layer(name),
        tensor=judged.cotangents[name],
        method="complex step",
        error=error,
        tolerance=allowed,
        entry_error=entry,
        entry_tolerance=ENTRY_ALLOWANCE * allowed,
        index=tuple(int(k) for k in places[worst]) if places else None,
        got=float(got[worst]),
        expected=float(expected[worst]),
        entries=len(places),
        note="" if full else f"of {derived.size}",
    )


def _entries(tensors: int) -> int:
    return max(4, min(ENTRIES, BUDGET // max(tensors, 1)))


def _form_rows(judged: _Judged, names: tuple[str, ...]) -> tuple[Row, ...]:
    """The stable forms that are computed with against the derived equations as first written: failures, or else the worst."""
    rows = []
    for name in names:
        cotangent = judged.cotangents[name]
        if cotangent in judged.written:
            got, expected = judged.values[cotangent], judged.written[cotangent]
            rows.append(_compared("maths", name, cotangent, "rewritten form", got, expected, judged, np.float64))
    failed = tuple(row for row in rows if not row.ok)
    if failed or not rows:
        return failed
    worst = max(rows, key=lambda row: row.excess)
    return (replace(worst, entries=sum(row.entries for row in rows), note=f"worst of {len(rows)} tensors"),)


def _whole_rows(model: Model, judged: _Judged, weights: Mapping[str, Array], rng: np.random.Generator) -> list[Row]:
    """The derivative of the loss along random directions of all parameters together, by three methods."""
    names = [p.name for p in model.parameters if p.name in judged.cotangents and p.name in judged.forward.values]
    if not names:
        return []
    gradients = {name: weights[name] for name in names}
    shapes = {name: g.shape for name, g in gradients.items()}
    count = sum(g.size for g in gradients.values())
    size = float(np.sqrt(sum(_norm(g) ** 2 for g in gradients.values())))
    noise = float(np.sqrt(sum(judged.noise(judged.cotangents[name], np.float64) ** 2 for name in names)))
    measured: dict[str, list[tuple[float, float]]] = {"dot product": [], "central": [], "mpmath": []}
    step = float(np.finfo(np.float64).eps) ** (1 / 3)
    for _ in range(DIRECTIONS):
        v = draw(shapes, rng)
        derived = pulled(v, gradients)
        measured["dot product"].append((derived, pushed(judged.forward, v, weights)))
        if not judged.sample.near:
            ends = [judged.forward.shifted(v, sign * step) for sign in (1, -1)]
            measured["central"].append((derived, (ends[0] - ends[1]) / (2 * step)))
        if count <= PRECISE_LIMIT and not measured["mpmath"]:
            measured["mpmath"].append((derived, precise.slope(model.system, judged.sample.values, str(model.loss), v)))
    loss = abs(float(judged.forward.values[str(model.loss)]))
    rounding = {"central": 4 * float(np.finfo(np.float64).eps) * loss / step}
    rows = []
    for method, pairs in measured.items():
        if not pairs:
            continue
        errors = [abs(a - b) * float(np.sqrt(count)) / _positive(size) for a, b in pairs]
        lost = judged.lost if method == "dot product" else 0.0
        known = NOISE_ALLOWANCE * noise + rounding.get(method, 0.0) * float(np.sqrt(count))
        allowed = tolerance(np.float64, method) * (1 + lost) + known / _positive(size)
        worst = int(np.argmax(np.nan_to_num(errors, nan=np.inf)))
        got, expected = pairs[worst]
        rows.append(
            Row("maths", "", "all parameters", method, errors[worst], allowed, 0.0, 1.0, None, got, expected, len(pairs), "directions")
        )
    return rows


# --- code ----------------------------------------------------------------------------------------------------------------


def _code(model: Model, judged: _Judged, value_and_grad: ValueAndGrad, dtype: Any) -> list[Row]:
    values = judged.sample.values
    params = {record.name: values[record.name].astype(dtype) for record in model.parameters}
    inputs = {name: _given(values[name], dtype) for name in (*model.inputs, *model.masks)}
    target = None if model.target is None else _given(values[model.target], dtype)
    loss, gradients = value_and_grad(params, inputs, target)
    found = {name: np.array(g, dtype=np.float64) for name, g in gradients.items()}
    rows = [
        _compared(
            "code", "", str(model.loss), "interpreter", np.asarray(loss, dtype=np.float64), judged.values[str(model.loss)], judged, dtype
        )
    ]
    for name in (*(record.name for record in model.parameters), *model.inputs):
        if name not in found:
            if name in judged.cotangents and name not in model.inputs and model.parameter[name].trainable:
                rows.append(_failed(name, f"grad.{name}", "the program returns no gradient for it"))
            continue
        cotangent = judged.cotangents.get(name)
        if cotangent is None or (name in model.parameter and not model.parameter[name].trainable):
            rows.append(
                _compared("code", name, f"grad.{name}", "interpreter", found[name], np.zeros(found[name].shape), judged, dtype, "fixed")
            )
        else:
            rows.append(_compared("code", name, cotangent, "interpreter", found[name], judged.values[cotangent], judged, dtype))
    return rows


def _given(array: Array, dtype: Any) -> Array:
    return array if array.dtype.kind == "i" else array.astype(dtype)


def _compared(
    proof: str, name: str, tensor: str, method: str, got: Array, expected: Array, judged: _Judged, dtype: Any, note: str = ""
) -> Row:
    """Compare all entries of a tensor: norm over norm, and the worst entry."""
    if got.shape != expected.shape:
        return _failed(name, tensor, f"shape {got.shape}, expected {expected.shape}", proof, method)
    size = _norm(expected)
    scale = judged.scale(size)
    error = _norm(got - expected) / scale
    noise = judged.noise(tensor, dtype) if tensor in judged.values else 0.0
    loss = judged.lost if method == "rewritten form" else 0.0
    allowed = (tolerance(dtype, method) * (1 + loss) * size + NOISE_ALLOWANCE * noise) / scale
    entry, worst = _worst_entry(got.ravel(), expected.ravel(), scale / float(np.sqrt(max(expected.size, 1))))
    index = tuple(int(k) for k in np.unravel_index(worst, expected.shape)) if expected.ndim else ()
    return Row(
        proof=proof,
        layer=_layer(name),
        tensor=tensor,
        method=method,
        error=error,
        tolerance=allowed,
        entry_error=entry,
        entry_tolerance=ENTRY_ALLOWANCE * allowed,
        index=index,
        got=float(got[index]),
        expected=float(expected[index]),
        entries=int(expected.size),
        note=note,
    )


def _failed(name: str, tensor: str, note: str, proof: str = "code", method: str = "interpreter") -> Row:
    nan = float("nan")
    return Row(proof, _layer(name), tensor, method, nan, 0.0, nan, 0.0, None, nan, nan, 0, note)


def _worst_entry(got: Array, expected: Array, rms: float) -> tuple[float, int]:
    """Return the worst entry's error, relative to the larger of its value and the root mean square, and its position."""
    errors = np.abs(got - expected) / np.maximum(np.maximum(np.abs(expected), rms), np.finfo(np.float64).tiny)
    if np.isnan(errors).any():
        return float("nan"), int(np.argmax(np.isnan(errors)))
    worst = int(np.argmax(errors))
    return float(errors[worst]), worst


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _norm(array: Array) -> float:
    return float(np.sqrt(np.sum(np.square(array))))


def _positive(value: float) -> float:
    """A divisor: 0 becomes the smallest number, so that 0/0 is 0 and anything else over 0 is large; NaN stays NaN."""
    return value if value > 0 or np.isnan(value) else float(np.finfo(np.float64).tiny)


def _largest(first: float, second: float) -> float:
    return float("nan") if np.isnan(first) or np.isnan(second) else max(first, second)
