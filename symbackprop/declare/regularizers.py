"""Penalties on the weights, added once to the loss and not divided by the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from symbackprop import algebra as alg
from symbackprop.declare.expression import number
from symbackprop.errors import DeclarationError


def _check(record: Any) -> None:
    for f in fields(record):
        value = getattr(record, f.name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value < 1e30:
            raise DeclarationError(f"{type(record).__name__}: {f.name} must be a finite number, not negative, got {value!r}")


@dataclass(frozen=True)
class L1:
    """λ Σ |W|."""

    lam: float

    def __post_init__(self) -> None:
        _check(self)

    def penalty(self, W: Any) -> Any:
        return number(self.lam) * alg.Sum(alg.Abs(W.own), *W.axes)


@dataclass(frozen=True)
class L2:
    """λ/2 Σ W²."""

    lam: float

    def __post_init__(self) -> None:
        _check(self)

    def penalty(self, W: Any) -> Any:
        return number(self.lam) / 2 * alg.Sum(W.own**2, *W.axes)


@dataclass(frozen=True)
class ElasticNet:
    """l1 Σ |W| + l2/2 Σ W²."""

    l1: float
    l2: float

    def __post_init__(self) -> None:
        _check(self)

    def penalty(self, W: Any) -> Any:
        return L1(self.l1).penalty(W) + L2(self.l2).penalty(W)


REGULARIZERS = {cls.__name__: cls for cls in (L1, L2, ElasticNet)}


def regularizer_of(given: object) -> L1 | L2 | ElasticNet | None:
    """Return what ``regularizer=`` means: None or one of the records."""
    if given is None or isinstance(given, L1 | L2 | ElasticNet):
        return given
    raise DeclarationError(f"regularizer must be one of {', '.join(f'sbp.{k}(...)' for k in REGULARIZERS)}, got {type(given).__name__}")


def applies(parameter: str) -> bool:
    """Whether a parameter is penalised: its own name starts with W."""
    return parameter.rsplit(".", 1)[-1].startswith("W")


__all__ = ["L1", "L2", "REGULARIZERS", "ElasticNet", "applies", "regularizer_of"]
