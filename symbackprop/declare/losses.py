"""The table of losses. Elementwise ones are an expression in a and y, per-sample ones a few equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.expression import build, number, parse
from symbackprop.errors import DeclarationError

REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class SampleLoss:
    """The loss of one sample: equations of named intermediate tensors, its expression, and facts about the target.

    A loss of classes reads the last axis of the output; with more axes it is the loss of one position of a sample.
    """

    equations: tuple[Any, ...]
    value: Any
    facts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class LossEntry:
    """A named loss.

    Attributes:
        elementwise: expression in the output a, the target y and the options, averaged over samples and outputs; or None.
        rows: for a per-sample loss, its equations for targets given as rows.
        labels: the same for integer labels.
        options: default values, by name.
    """

    elementwise: str | None = None
    rows: Callable[[Any, Any], SampleLoss] | None = None
    labels: Callable[[Any, Any], SampleLoss] | None = None
    options: tuple[tuple[str, float], ...] = ()

    def forms(self) -> tuple[str, ...]:
        """The forms of target that it takes, the usual one first."""
        return (*(["rows"] if self.elementwise or self.rows else []), *(["labels"] if self.labels else []))


def _second(i: Any) -> Any:
    return alg.Index("j", i.extent)


def _half_squared(a: Any, y: Any) -> SampleLoss:
    return SampleLoss((), alg.Sum((a.own - y.own) ** 2, *a.axes[1:]) / 2)


def _cross_entropy_rows(a: Any, y: Any) -> SampleLoss:
    return SampleLoss((), -alg.Sum(y.own * alg.sympy.log(a.own), a.axes[-1]))


def _cross_entropy_labels(a: Any, y: Any) -> SampleLoss:
    return SampleLoss((), -alg.sympy.log(a[(*y.axes, y.own)]))


def _softmax(z: Any) -> tuple[Any, tuple[Any, ...]]:
    *n, i = z.axes
    j = _second(i)
    total, p = alg.Tensor("S", tuple(n), positive=True), alg.Tensor("p", z.axes, positive=True)
    return p, (
        alg.Equation(total.own, alg.Sum(alg.sympy.exp(z[(*n, j)]), j)),
        alg.Equation(p.own, alg.sympy.exp(z.own) / total.own),
    )


def _softmax_cross_entropy_rows(z: Any, y: Any) -> SampleLoss:
    i = z.axes[-1]
    p, equations = _softmax(z)
    fact = alg.Fact(alg.Sum(y.own, i), alg.sympy.S.One)
    return SampleLoss(equations, -alg.Sum(y.own * alg.sympy.log(p.own), i), (fact,))


def _softmax_cross_entropy_labels(z: Any, y: Any) -> SampleLoss:
    p, equations = _softmax(z)
    return SampleLoss(equations, -alg.sympy.log(p[(*y.axes, y.own)]))


def _kl_rows(p: Any, y: Any) -> SampleLoss:
    # The selection is the convention 0 log 0 = 0, so that a one-hot target is allowed.
    here, there = y.own, p.own
    return SampleLoss((), alg.Sum(alg.Indicator(here > 0) * here * alg.sympy.log(here / there), p.axes[-1]))


def _hinge(power: int) -> Callable[[Any, Any], SampleLoss]:
    def labels(z: Any, y: Any) -> SampleLoss:
        i = z.axes[-1]
        margin = alg.sympy.Max(0, z.own - z[(*y.axes, y.own)] + 1)
        return SampleLoss((), alg.Sum(alg.Indicator(alg.sympy.Ne(i, y.own)) * margin**power, i))

    return labels


def _hinge_rows(z: Any, y: Any) -> SampleLoss:
    # For a one-hot row, Σ y z is the score of the right class and 1 − y switches its own term off.
    *n, i = z.axes
    right = alg.Tensor("s", tuple(n))
    first = alg.Equation(right.own, alg.Sum(y.own * z.own, i))
    return SampleLoss((first,), alg.Sum((1 - y.own) * alg.sympy.Max(0, z.own - right.own + 1), i))


LOSSES: Mapping[str, LossEntry] = {
    "mse": LossEntry("(a - y)**2"),
    "mae": LossEntry("abs(a - y)"),
    "huber": LossEntry("select(delta - abs(a - y), (a - y)**2/2, delta*(abs(a - y) - delta/2))", options=(("delta", 1.0),)),
    "log_cosh": LossEntry("log(cosh(a - y))"),
    "binary_cross_entropy": LossEntry("-(y*log(a) + (1 - y)*log(1 - a))"),
    "bce_with_logits": LossEntry("log(1 + exp(a)) - y*a"),
    "poisson_nll": LossEntry("exp(a) - y*a"),
    "squared_hinge": LossEntry("max(0, 1 - y*a)**2", labels=_hinge(2)),
    "half_squared_error": LossEntry(rows=_half_squared),
    "cross_entropy": LossEntry(rows=_cross_entropy_rows, labels=_cross_entropy_labels),
    "softmax_cross_entropy": LossEntry(rows=_softmax_cross_entropy_rows, labels=_softmax_cross_entropy_labels),
    "kl_divergence": LossEntry(rows=_kl_rows, labels=_cross_entropy_labels),
    "multiclass_hinge": LossEntry(rows=_hinge_rows, labels=_hinge(1)),
}


@dataclass(frozen=True, init=False)
class Loss:
    """A loss by name.

    Args:
        name: a name of the table.
        reduction: "mean" or "sum". Elementwise losses average over samples and outputs, per-sample losses over the batch.
            Losses of classes read the last axis of the output; where it has more, such as (batch, time, classes), they average
            over all positions, and labels have the shape (batch, time).
        options: values of its options, for example ``delta=2.0`` for huber.
    """

    name: str
    reduction: str
    options: tuple[tuple[str, float], ...]

    def __init__(self, name: str, reduction: str = "mean", **options: float) -> None:
        if not isinstance(name, str) or name not in LOSSES:
            raise DeclarationError(f"unknown loss {str(name)[:60]!r}{suggestion(name, LOSSES)} (known: {', '.join(LOSSES)})")
        if reduction not in REDUCTIONS:
            raise DeclarationError(f"loss {name}: reduction must be 'mean' or 'sum', got {reduction!r}")
        known = dict(LOSSES[name].options)
        for key, value in options.items():
            if key not in known:
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                raise DeclarationError(f"loss {name} has no option {key!r}; {takes}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 < value < 1e30:
                raise DeclarationError(f"loss {name}: {key} must be a positive number, got {value!r}")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "reduction", reduction)
        object.__setattr__(self, "options", tuple(sorted(options.items())))

    @property
    def entry(self) -> LossEntry:
        return LOSSES[self.name]

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of target that it takes ("rows", "labels"), the usual one first."""
        return self.entry.forms()

    def form_of(self, target: int, output: int) -> str:
        """Return the form of a target with so many axes, for an output with so many: labels have no axis of classes."""
        if len(self.forms) == 1:
            return self.forms[0]
        return "labels" if 0 < target < output else "rows"

    def equations(self, a: Any, y: Any, form: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return (equations, facts) of the loss of output ``a`` and target ``y``; the last equation defines ``loss``.

        Classes lie along the last axis of the output. Further axes, such as time, are positions: each has a loss of its own.
        """
        loss = alg.Tensor("loss", (), "stored")
        n, *rest = a.axes
        entry = self.entry
        if form == "rows" and entry.elementwise is not None:
            values = {k: number(v) for k, v in {**dict(entry.options), **dict(self.options)}.items()}
            term = parse(entry.elementwise, ("a", "y", *values), f"loss {self.name}")
            value = build(term, {"a": a.own, "y": y.own, **values})
            count = n.extent * alg.sympy.Mul(*(i.extent for i in rest)) if self.reduction == "mean" else 1
            return (alg.Equation(loss[()], alg.Sum(value, *a.axes) / count),), ()
        make = entry.rows if form == "rows" else entry.labels
        if make is None:
            raise DeclarationError(f"loss {self.name} takes no targets as {form}")
        made = make(a, y)
        each = alg.Tensor("L", (n, *(axis for axis in rest if axis in made.value.free_symbols)))
        count = alg.sympy.Mul(*each.shape) if self.reduction == "mean" else 1
        last = alg.Equation(loss[()], alg.Sum(each.own, *each.axes) / count)
        return (*made.equations, alg.Equation(each.own, made.value), last), made.facts


def loss_of(given: object) -> Loss | None:
    """Return what ``loss=`` means: None, a name or a Loss."""
    if given is None or isinstance(given, Loss):
        return given
    if isinstance(given, str):
        return Loss(given)
    raise DeclarationError(f"loss must be a name or sbp.Loss(...), got {type(given).__name__}")


__all__ = ["LOSSES", "Loss", "LossEntry", "SampleLoss", "loss_of"]
