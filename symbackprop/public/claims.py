"""Whether a formula that somebody wrote is right: read, evaluated on values, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError
from symbackprop.present.notation import Notation
from symbackprop.present.notation import notation as named_notation
from symbackprop.present.reader import Bindings, Claim, also, bindings, network_bindings, read
from symbackprop.present.reader import check_claim as check
from symbackprop.present.reader.tree import Formula, Mark, Node, Sum, Symbol, walk
from symbackprop.public.derivation import Derivation
from symbackprop.public.network import Network

#: Sizes that a symbolic size gets, one after the other: different ones, so that a wrong orientation cannot pass.
_SIZES = (3, 4, 2, 5, 6, 7)
#: How many samples a batch has where no values are given.
_SAMPLES = 5


def check_claim(
    latex: str,
    of: Network | Derivation | Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    symbols: Mapping[str, Any] | None = None,
    **numbers: float,
) -> Claim:
    r"""Return whether a formula holds; a wrong shape or a wrong value is an answer, not an error.

    The formula may be about one sample or about a batch. One about a general layer l is tested in every layer in which its symbols
    have values, and so are only formulas that hold for all of these: fix ``l=2`` for one layer.

    Args:
        latex: a formula with at least one relation, in the LaTeX that lecturers write.
        of: the network or the derivation whose symbols the formula has; or values of symbols of your own, by their LaTeX: numbers,
            arrays, functions, and definitions as strings.
        values: of the network's parameters, inputs and target by the engine's names (``dense_1.W``, ``x``, ``y``); None takes random ones.
        notation: a preset's name or a record: what the network's symbols are called.
        layout: of derivatives in matrix formulas: "gradient", "numerator" or "denominator".
        symbols: what else the formula has besides the network's symbols: ``{"f": np.tanh, "h_1": x}``.
        numbers: values of letters, for example the general layer ``l=2``.

    Returns:
        A `Claim`: ``holds``, ``kind`` ("equal", "shape error", "difference" or "ambiguous"), ``message``, ``worst``, ``notes``.

    Raises:
        DeclarationError: it cannot be read, or a symbol has no value.

    Example:
        >>> import symbackprop as sbp
        >>> sbp.check_claim(r"\sigma'(x) = \sigma(x) (1 - \sigma(x))", {"x": 0.3}).holds
        True
        >>> net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="half_squared_error")
        >>> sbp.check_claim(r"\nabla_{W^{(1)}} L = \delta^{(2)} x^T", net).holds
        True
        >>> print(sbp.check_claim(r"\nabla_{W^{(1)}} L = x \delta^{(2)}", net))
        does not hold (shape error): x \delta^{(2)}: 3 times 4; an outer product needs a transpose
    """
    if isinstance(of, Mapping):
        own = bindings({**of, **(symbols or {})})
        return check(latex, own, **numbers)
    if not isinstance(of, Network | Derivation) or (isinstance(of, Derivation) and of.record.model is None):
        raise DeclarationError("a formula is checked on a Network, on its Derivation, or on values of symbols of your own")
    record = named_notation(notation)
    formula = read(latex)
    answers: list[Claim] = []
    unknown: DeclarationError | None = None
    for known in _meanings(of, values, record, layout):
        meaning = also(known, bindings(symbols)) if symbols else known
        try:
            answers.append(_in_every_layer(formula, meaning, record, numbers))
        except DeclarationError as e:
            unknown = unknown or e
            continue
        if answers[-1].holds:
            break
    if not answers:
        assert unknown is not None
        raise unknown
    return answers[-1] if answers[-1].holds else answers[0]


def _meanings(of: Network | Derivation, values: Mapping[str, Any] | None, notation: Notation, layout: str) -> Iterator[Bindings]:
    """Yield what the symbols mean for one sample, then for a batch."""
    whole = of.derive() if isinstance(of, Network) else of
    one = whole._per_sample
    given = _random(whole) if values is None else dict(values)
    model = one.record.model
    assert model is not None
    place = model.inputs[0]
    if place not in given:
        raise DeclarationError(f"the input {place} has no value")
    data = [name for name in (*model.inputs, model.target) if name is not None and name in given]
    if np.ndim(given[place]) > one.record.tensors[place].rank:
        batch, sample = given, {**given, **{name: np.asarray(given[name])[0] for name in data}}
    else:
        batch, sample = {**given, **{name: np.asarray(given[name])[np.newaxis] for name in data}}, given
    if whole is one:
        batch = {}
    found = one._fitting(sample).evaluate(sample)
    everything = whole._fitting(batch).evaluate(batch) if batch else None
    said = "at random values" if values is None else "at the given values"
    for derivation, inputs, known, samples in ((one, sample, found, everything), (whole, batch, everything, None)):
        if known is None:
            return
        fitting = derivation._fitting(inputs)
        record = fitting.record.model
        assert record is not None

        @cache
        def jacobian(top: str, bottom: str, fitting: Derivation = fitting, inputs: Mapping[str, Any] = inputs) -> Any:
            return fitting.jacobian(top, bottom).evaluate(inputs)

        @cache
        def each() -> list[Mapping[str, Any]]:
            count = len(np.asarray(batch[place]))
            singles = ({**batch, **{name: np.asarray(batch[name])[k] for name in data}} for k in range(count))
            return [one._fitting(single).evaluate(single) for single in singles]

        meaning = network_bindings(record, known, notation, layout=layout, samples=samples, jacobian=jacobian, each=each)
        yield replace(meaning, said=said)


def _random(derivation: Derivation) -> dict[str, Any]:
    """Return random parameters, inputs and targets; symbolic sizes become different numbers."""
    random = np.random.default_rng(12345)
    model = derivation.record.model
    assert model is not None
    sizes: dict[Any, int] = {model.batch: _SAMPLES}
    made: dict[str, Any] = {}
    for name in (*(p.name for p in model.parameters), *model.inputs, *((model.target,) if model.target else ())):
        tensor = derivation.record.tensors[name]
        shape = []
        for extent in (axis.extent for axis in tensor.axes):
            if extent.is_Integer:
                shape.append(int(extent))
            else:
                shape.append(sizes.setdefault(extent, _SIZES[(len(sizes) - 1) % len(_SIZES)]))
        if name != model.target:
            made[name] = random.normal(size=shape)
        elif tensor.integer:
            outputs = derivation.record.tensors[model.outputs[0]]
            last = outputs.axes[-1].extent
            made[name] = random.integers(0, int(last) if last.is_Integer else sizes.get(last, 2), size=shape)
        else:
            rows = random.uniform(0.1, 0.9, size=shape)
            made[name] = rows / rows.sum(axis=-1, keepdims=True) if rows.ndim else rows
    return made


def _in_every_layer(formula: Formula, known: Bindings, notation: Notation, numbers: Mapping[str, float]) -> Claim:
    """Return what becomes of a formula; one about a general layer has to hold wherever its symbols have values."""
    if notation.layer in numbers or not _is_general(formula, notation.layer):
        return check(formula, known, **numbers)
    held: list[int] = []
    worst = 0.0
    notes: tuple[str, ...] = ()
    unknown: DeclarationError | None = None
    for layer in range(notation.first, notation.first + 64):
        try:
            claim = check(formula, known, **{**numbers, notation.layer: layer})
        except DeclarationError as e:
            unknown = unknown or e
            if held:
                break
            continue
        if not claim.holds:
            return replace(claim, message=f"{claim.message}, for {notation.layer} = {layer}")
        held.append(layer)
        worst, notes = max(worst, claim.worst), claim.notes
    if not held:
        assert unknown is not None
        raise unknown
    return Claim(True, "equal", f"it holds for {notation.layer} = {', '.join(map(str, held))}, {known.said}", worst, notes)


def _is_general(formula: Formula, letter: str) -> bool:
    """Whether the letter of a general layer stands in the place of a layer: above, or alone below."""
    for chain in formula.chains:
        for node in walk(chain):
            if isinstance(node, Mark) and any(_counts(content, letter) for content in node.content):
                return True
            if isinstance(node, Symbol) and len(node.below) == 1 and len(node.below[0]) == 1 and letter not in ("i", "j"):
                if node.base != "n" and _counts(node.below[0][0], letter):
                    return True
    return False


def _counts(node: Node, letter: str) -> bool:
    """Whether a mark is a layer reckoned from a letter: l, l+1."""
    if isinstance(node, Sum):
        return any(_counts(term, letter) for term in node.terms)
    return node == Symbol(letter)


__all__ = ["check_claim"]
