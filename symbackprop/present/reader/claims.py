"""Whether a formula holds: both sides at the given values, and if they differ, how and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.present.reader.bound import Bindings
from symbackprop.present.reader.meaning import Meaning, meaning, side_values, with_indices
from symbackprop.present.reader.parser import read
from symbackprop.present.reader.tree import Chain, Formula, Node, Number, Range, Sum, walk
from symbackprop.present.reader.values import MisfitError, Value, elementwise

#: Largest difference between two sides that are equal, relative to their size: rounding, and slopes by differences.
TOLERANCE = 1e-7
_EQUAL = ("=", ":=", r"\equiv", r"\leftarrow")
_ORDER = {"<": np.less, ">": np.greater, r"\le": np.less_equal, r"\ge": np.greater_equal, r"\ne": np.not_equal}


@dataclass(frozen=True)
class Claim:
    """What became of a formula.

    Attributes:
        holds: whether it is right, at the values it was tested with.
        kind: "equal", "shape error", "difference", or "ambiguous" if it holds in one reading only.
        message: one line: what was compared, and where it fails.
        worst: the largest difference of two sides; infinite where shapes do not fit.
        notes: what a reader has to guess, and what looks like a slip.
    """

    holds: bool
    kind: str
    message: str
    worst: float
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        head = "holds" if self.holds else f"does not hold ({self.kind})"
        return "; ".join((f"{head}: {self.message}", *self.notes))


def check_claim(latex: str | Formula, bindings: Bindings, *, tolerance: float = TOLERANCE, **numbers: float) -> Claim:
    r"""Return whether a formula holds at the values of its symbols.

    Every sign = is tested. A side that is a decimal number, such as 0.20, is meant to be rounded to its last place.

    Args:
        latex: a formula with at least one relation, or several formulas.
        bindings: what its symbols mean.
        tolerance: largest relative difference of equal sides.
        numbers: values of letters, for example the general layer ``l=2``.

    Returns:
        A `Claim`; wrong shapes and wrong values are answers, not errors.

    Raises:
        DeclarationError: it cannot be read, or a symbol has no value.

    Example:
        >>> from symbackprop.present.reader import bindings, check_claim
        >>> check_claim(r"\sigma'(x) = \sigma(x) (1 - \sigma(x))", bindings({"x": 0.3})).holds
        True
    """
    formula = read(latex, bindings.words) if isinstance(latex, str) else latex
    if all(len(chain.sides) < 2 for chain in formula.chains):
        raise DeclarationError(f"formula {formula.source[:60]!r}: nothing is claimed; a relation such as = is expected")
    first = _reading(formula, bindings, numbers, tolerance, "matrix")
    if "matrix product or the elementwise" not in " ".join(first.notes):
        return first
    second = _reading(formula, bindings, numbers, tolerance, "elementwise")
    if first.holds == second.holds:
        return first
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))
    how = "elementwise" if second.holds else "matrix"
    return Claim(False, "ambiguous", f"it holds only where \\cdot is the {how} product", (first if second.holds else second).worst, notes)


def _reading(formula: Formula, bindings: Bindings, numbers: Mapping[str, float], tolerance: float, dot: str) -> Claim:
    worst, compared = 0.0, 0
    notes: list[str] = []
    for chain in formula.chains:
        given = replace(meaning(formula, bindings, numbers), dot=dot)
        try:
            if len(chain.sides) < 2:
                continue
            made = with_indices(given, chain)
            values = side_values(made, chain)
            for k, sign in enumerate(chain.signs):
                failed, difference = _compare(made, chain, k, sign, values, tolerance)
                compared += 1
                worst = max(worst, difference)
                if failed:
                    at = f" {bindings.said}" if bindings.said else ""
                    return Claim(False, "difference", failed + at, difference, _notes(notes, made))
            notes += made.notes
        except ShapeError as e:
            return Claim(False, "shape error", str(e), float("inf"), _notes(notes, given))
    at = f" {bindings.said}" if bindings.said else ""
    return Claim(
        True,
        "equal",
        f"both sides agree to {worst:.1e}{at}" if compared == 1 else f"all {compared + 1} sides agree to {worst:.1e}{at}",
        worst,
        _dots(notes),
    )


def _notes(before: list[str], given: Meaning) -> tuple[str, ...]:
    return _dots([*before, *given.notes])


def _dots(notes: list[str]) -> tuple[str, ...]:
    """Return notes; which product · is, is worth saying only where it is two different ones."""
    unique = list(dict.fromkeys(notes))
    kinds = {word for n in unique for word in ("matrix product in", "elementwise product in") if word in n}
    if len(kinds) == 2:
        return tuple(unique)
    return tuple(n for n in unique if not n.startswith(r"\cdot is read"))


def _compare(given: Meaning, chain: Chain, k: int, sign: str, values: tuple[Value, ...], tolerance: float) -> tuple[str, float]:
    """Return what is wrong with one relation ("" for nothing), and the largest difference."""
    left, right = values[k], values[k + 1]
    texts = given.text(chain.sides[k]), given.text(chain.sides[k + 1])
    for text, value, other in ((texts[1], right, values[0]), (texts[0], left, values[0])):
        extra = [label for label in value.labels if label not in other.labels]
        if extra:
            raise ShapeError(_stray(given, chain, extra, text))
    try:
        a, b = _paired(left, right)
    except MisfitError:
        raise ShapeError(f"{' = '.join(texts)}: {left.shape} on the left, {right.shape} on the right") from None
    if sign in _ORDER:
        holds = np.all(_ORDER[sign](a.array, b.array))
        return ("" if holds else f"{texts[0]} {sign} {texts[1]} fails: {_shown(a)} and {_shown(b)}"), 0.0
    if sign not in (*_EQUAL, r"\approx"):
        raise DeclarationError(f"formula: whether {texts[0]} {sign} {texts[1]} holds cannot be computed")
    difference = np.abs(a.array - b.array)
    size = np.maximum(np.abs(a.array), np.abs(b.array))
    allowed = tolerance * np.maximum(size, 1e-3)
    rounded = [_place(side) for side in chain.sides[k : k + 2]]
    places = [r for r in rounded if r is not None]
    if sign == r"\approx" and not places:
        allowed = 0.01 * size
    if places:
        allowed = np.maximum(allowed, max(places) / 2 * (1 + 1e-9))
    with np.errstate(all="ignore"):
        wrong = ~(difference <= allowed) & ~(a.array == b.array)
    worst = float(np.max(difference, initial=0.0)) if not np.any(np.isnan(difference)) else float("nan")
    if not np.any(wrong):
        return "", worst if not places else 0.0
    if np.any(np.isnan(a.array)) or np.any(np.isnan(b.array)):
        side = texts[0] if np.any(np.isnan(a.array)) else texts[1]
        return f"{side} is not defined", float("inf")
    place = tuple(int(p) for p in np.unravel_index(int(np.argmax(np.where(wrong, difference, -1.0))), difference.shape))
    where = _where(given, a, place)
    return f"{texts[0]} is {a.array[place]:.6g}, but {texts[1]} is {b.array[place]:.6g}{where}", worst


def _paired(left: Value, right: Value) -> tuple[Value, Value]:
    """Return two sides as arrays of one shape, axis by axis."""
    if left.shaped != right.shaped:
        if left.shaped and left.single:
            left = left.scalar()
        elif right.shaped and right.single:
            right = right.scalar()
    a = elementwise(lambda x, y: np.broadcast_arrays(x, y)[0], left, right)
    b = elementwise(lambda x, y: np.broadcast_arrays(x, y)[1], left, right)
    return a, b


def _stray(given: Meaning, chain: Chain, extra: list[str], text: str) -> str:
    """Say that an index stands free in one side only, and which sum may have been meant to run over it."""
    message = f"the index {extra[0]} stands free in {text[:120]}, but not on the left"
    ranges = [n.index for side in chain.sides for n in walk(side) if isinstance(n, Range)]
    unused = [i for i in ranges if any(f"over {i} has no {i}" in note for note in given.notes)]
    taken = [i for i in ranges if i in given.scope]
    if unused or taken:
        why = f"has no {unused[0]}" if unused else "runs over an index that stands free on the left"
        message += f"; the sum over {(unused or taken)[0]} {why}: did you mean a sum over {extra[0]}?"
    return message


def _place(node: Node) -> float | None:
    """Return the last place of a decimal number that is written out, 0.01 for 0.20, or None."""
    if isinstance(node, Sum) and len(node.terms) == 1:
        node = node.terms[0]
    if not isinstance(node, Number) or "." not in node.text:
        return None
    return float(10.0 ** -len(node.text.partition(".")[2]))


def _shown(value: Value) -> str:
    return f"{value.array:.6g}" if value.array.ndim == 0 else f"an array of {'×'.join(map(str, value.array.shape))}"


def _where(given: Meaning, value: Value, place: tuple[int, ...]) -> str:
    """Return which entry it is, as it is counted in the formula."""
    named = [f"{label} = {given.scope.get(label, (1, 0))[0] + p}" for label, p in zip(value.labels, place, strict=False)]
    rest = place[len(value.labels) :]
    if value.shaped and rest:
        rows, columns = rest[-2], rest[-1]
        named.append(f"entry {rows + 1}" if value.columns == 1 else f"entry ({rows + 1}, {columns + 1})")
    return f" ({', '.join(named)})" if named else ""


__all__ = ["TOLERANCE", "Claim", "check_claim"]
