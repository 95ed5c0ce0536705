"""Worked numbers of a network or of your own system: every value exact, rounded only where it is printed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import symbackprop
from symbackprop.derive.matrix import matrix_form
from symbackprop.derive.network import derive_model
from symbackprop.derive.records import Derivation as Record
from symbackprop.errors import DataError, DeclarationError
from symbackprop.present import worked as numbers
from symbackprop.present.rounding import Rounding
from symbackprop.public.derivation import Derivation
from symbackprop.public.network import Network


def worked(
    what: Network | Derivation,
    params: Mapping[str, Any],
    x: Any = None,
    y: Any = None,
    *,
    optimizer: Any = None,
    rounds: int = 1,
    digits: int = 4,
    decimals: int | None = None,
    wrt: Iterable[str] = (),
    keep: Collection[int] | None = None,
) -> numbers.Worked:
    """Return a worked example: forward pass, backward pass and updates with numbers plugged in.

    Everything is computed with 50 digits from the values as they are given: write ``"0.35"`` or ``"7/20"`` to be exact; a
    float counts as the decimal that it prints as. Numbers are rounded once, for print.

    Args:
        what: a network, or the derivation of your own system.
        params: values of the parameters by name; of a plain system, of everything that is not computed.
        x: one sample, shape (features,) or (1, features), gives the single-sample formulas of a lecture; more rows give a batch.
            Several inputs: a tuple in their order, or a mapping.
        y: the target: a row of outputs, or a label.
        optimizer: for example ``sbp.GradientDescent(0.5)``; without one nothing is updated.
        rounds: how many updates.
        digits: significant digits in print.
        decimals: print so many digits after the point instead.
        wrt: further tensors whose gradients are shown: "x", or an activation "dense_1.a".
        keep: numbers of updates after which all values are kept, in a run of more than 100.

    Returns:
        A record: ``values["dense_1.z"]`` is exact, ``updated`` holds the values after the last round, ``lines()``, ``table()``,
        ``history()`` and ``blocks()`` print them in any notation.

    Raises:
        DataError: a value is missing or no number.
        ShapeError: a value has another shape.
    """
    rounding = Rounding(digits, decimals)
    if isinstance(what, Network):
        record, values = _of_network(what, params, x, y, tuple(wrt))
        trained: Iterable[str] | None = None
    elif isinstance(what, Derivation):
        if x is not None or y is not None:
            raise DeclarationError("a derivation of your own system takes all its values by name, in one mapping")
        record, values, trained = what.record, dict(params), None
    else:
        raise DeclarationError(f"numbers are worked out for a Network or a Derivation, not for {type(what).__name__}")
    return numbers.worked(record, values, optimizer, rounds, trained=trained, keep=keep, rounding=rounding, matrix_form=matrix_form)


def _of_network(net: Network, params: Mapping[str, Any], x: Any, y: Any, wrt: tuple[str, ...]) -> tuple[Record, dict[str, Any]]:
    spec = net.spec
    if x is None or (y is None and spec.loss is not None):
        raise DataError(f"network {net.name} needs an input and a target: worked(net, params, x, y)")
    names = [i.name for i in spec.inputs]
    given = x if isinstance(x, Mapping) else dict(zip(names, x if isinstance(x, tuple) and len(names) > 1 else (x,), strict=False))
    missing = [n for n in names if n not in given]
    if missing:
        raise DataError(f"no value is given for {', '.join(missing)}")
    ranks = {i.name: len(i.shape) for i in spec.inputs}
    batched = all(np.ndim(given[n]) == ranks[n] + 1 for n in names)
    # The regularizer belongs to the loss over a batch, even of one sample.
    single = spec.regularizer is None and (not batched or all(len(given[n]) == 1 for n in names))
    if single and batched:
        given, y = {n: _first(given[n]) for n in names}, _first(y)
    elif not single and not batched:
        given, y = {n: [given[n]] for n in names}, [y]
    axes = np.ndim(y) + 1 if single else np.ndim(y)
    form = None if spec.loss is None else spec.loss.form_of(axes, 1 + len(spec.shapes[spec.outputs[0]]))
    model = symbackprop.pipeline.lower(spec, target=form, per="sample" if single else "batch")
    trained = tuple(p.name for p in model.parameters if p.trainable)
    record = derive_model(model, tuple(dict.fromkeys((*trained, *wrt))))
    return record, {**{n: params[n] for n in params}, **given, "y": y}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, Sequence | np.ndarray) else np.asarray(value)[0]


__all__ = ["worked"]
