"""Optimizers and learning-rate schedules, each as equations over one flat index p of all parameters.

``system()`` reads the parameters w[p], their gradients g[p], the state (v[p], t, ...) and the hyper-parameters (lr, mu, ...),
and defines ``w_next`` and the ``..._next`` of every state. Schedules count updates: t is 0 at the first one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from symbackprop import algebra as alg
from symbackprop.errors import DeclarationError


@dataclass(frozen=True)
class StepDecay:
    """lr · factor^⌊t/every⌋: the rate falls by ``factor`` after every ``every`` updates."""

    lr: float
    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        _positive("StepDecay", lr=self.lr, every=self.every, factor=self.factor)

    def rate(self, t: Any, lr: Any, every: Any, factor: Any) -> Any:
        return lr * factor ** alg.Floor(t / every)


@dataclass(frozen=True)
class ExponentialDecay:
    """lr · factor^t."""

    lr: float
    factor: float

    def __post_init__(self) -> None:
        _positive("ExponentialDecay", lr=self.lr, factor=self.factor)

    def rate(self, t: Any, lr: Any, factor: Any) -> Any:
        return lr * factor**t


@dataclass(frozen=True)
class CosineDecay:
    """minimum + (lr − minimum) (1 + cos(π min(t, updates)/updates)) / 2."""

    lr: float
    updates: float
    minimum: float = 0.0

    def __post_init__(self) -> None:
        _positive("CosineDecay", lr=self.lr, updates=self.updates)
        _within("CosineDecay", 0, math.inf, minimum=self.minimum)

    def rate(self, t: Any, lr: Any, updates: Any, minimum: Any) -> Any:
        progress = alg.sympy.Min(1, t / updates)
        return minimum + (lr - minimum) * (1 + alg.sympy.cos(alg.sympy.pi * progress)) / 2


Schedule = StepDecay | ExponentialDecay | CosineDecay


def _positive(owner: str, **values: Any) -> None:
    for name, value in values.items():
        if not _number(value) or value <= 0:
            raise DeclarationError(f"{owner}: {name} must be a positive number, got {value!r}")


def _within(owner: str, low: float, high: float, **values: Any) -> None:
    for name, value in values.items():
        if not _number(value) or not low <= value < high:
            bounds = "not negative" if high == math.inf else f"at least {low:g} and below {high:g}"
            raise DeclarationError(f"{owner}: {name} must be a number {bounds}, got {value!r}")


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


#: Options that every optimizer has.
_OPTIONS = ("weight_decay", "decoupled", "clip_norm")


class Optimizer:
    """What all optimizers share: clipping, weight decay and the schedule, around the rule of the subclass."""

    #: State in order: (name, "parameter" for an array like the parameters or "scalar").
    rule_state: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: Hyper-parameters that are positive, and those in [0, 1).
    positive: ClassVar[tuple[str, ...]] = ("eps",)

    lr: float | Schedule
    weight_decay: float
    decoupled: bool
    clip_norm: float | None

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not isinstance(self.lr, Schedule):
            _positive(name, lr=self.lr)
        for key, value in self._own.items():
            if key in self.positive:
                _positive(name, **{key: value})
            else:
                _within(name, 0, 1, **{key: value})
        _within(name, 0, math.inf, weight_decay=self.weight_decay)
        if not isinstance(self.decoupled, bool):
            raise DeclarationError(f"{name}: decoupled must be True or False, got {self.decoupled!r}")
        if self.clip_norm is not None:
            _positive(name, clip_norm=self.clip_norm)

    @property
    def _own(self) -> dict[str, float]:
        """The rule's own hyper-parameters."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("lr", *_OPTIONS)}  # type: ignore[arg-type]

    @property
    def _schedule(self) -> dict[str, float]:
        if not isinstance(self.lr, Schedule):
            return {}
        return {f.name: getattr(self.lr, f.name) for f in fields(self.lr) if f.name != "lr"}

    @property
    def hyper(self) -> Mapping[str, float]:
        """Name and value of every hyper-parameter of the equations, ``lr`` first."""
        values = {"lr": self.lr.lr if isinstance(self.lr, Schedule) else self.lr}
        values |= self._own | self._schedule
        if self.weight_decay:
            values["weight_decay"] = self.weight_decay
        if self.clip_norm is not None:
            values["clip_norm"] = self.clip_norm
        return {name: float(value) for name, value in values.items()}

    @property
    def state(self) -> tuple[tuple[str, str], ...]:
        """The state as (name, "parameter" or "scalar"), in order; all of it starts at zero."""
        counted = any(name == "t" for name, _ in self.rule_state)
        return self.rule_state + ((("t", "scalar"),) if isinstance(self.lr, Schedule) and not counted else ())

    @property
    def key(self) -> str:
        """What the equations depend on, as text: equal keys mean equal systems, whatever the numbers."""
        schedule = type(self.lr).__name__ if isinstance(self.lr, Schedule) else "constant"
        decay = ("decoupled" if self.decoupled else "coupled") if self.weight_decay else "none"
        return f"{type(self).__name__}(schedule={schedule},decay={decay},clip={self.clip_norm is not None})"

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        """Return the equations of the next state, and the expression of the next parameters."""
        raise NotImplementedError

    def system(self) -> Any:
        """Return the update as a `System` over p with symbolic extent P."""
        p = alg.Index("p", alg.Size("P"))
        w, g = alg.Tensor("w", (p,), "parameter"), alg.Tensor("g", (p,), "input")
        state = {name: alg.Tensor(name, (p,) if kind == "parameter" else (), "state") for name, kind in self.state}
        hyper = {name: alg.Tensor(name, (), "input", positive=name == "clip_norm")[()] for name in self.hyper}
        equations: list[Any] = []

        slope = g[p]
        if self.clip_norm is not None:
            norm, scale, clipped = alg.Tensor("norm"), alg.Tensor("scale"), alg.Tensor("clipped", (p,))
            q = alg.Index("q", p.extent)
            equations.append(alg.Equation(norm[()], alg.sympy.sqrt(alg.Sum(g[q] ** 2, q))))
            equations.append(alg.Equation(scale[()], alg.sympy.Min(1, hyper["clip_norm"] / (norm[()] + alg.sympy.Rational(1, 10**6)))))
            equations.append(alg.Equation(clipped[p], scale[()] * g[p]))
            slope = clipped[p]
        if "t" in state:
            count = alg.Tensor("t_next", (), "output")
            equations.append(alg.Equation(count[()], state["t"][()] + 1))
        rate = hyper["lr"]
        if isinstance(self.lr, Schedule):
            current = alg.Tensor("rate")
            arguments = {name: hyper[name] for name in self._schedule}
            equations.append(alg.Equation(current[()], self.lr.rate(state["t"][()], rate, **arguments)))
            rate = current[()]
        start = w[p]
        if self.weight_decay and self.decoupled:
            start = w[p] - rate * hyper["weight_decay"] * w[p]
        elif self.weight_decay:
            decayed = alg.Tensor("decayed", (p,))
            equations.append(alg.Equation(decayed[p], slope + hyper["weight_decay"] * w[p]))
            slope = decayed[p]
        made, result = self.rule(slope, start, rate, {name: t.own for name, t in state.items()}, hyper)
        w_next = alg.Tensor("w_next", (p,), "output")
        return alg.System((*equations, *made, alg.Equation(w_next[p], result)))


def _next(access: Any, value: Any) -> Any:
    tensor = access.tensor
    return alg.Equation(alg.Tensor(f"{tensor.name}_next", tensor.axes, "output").own, value)


@dataclass(frozen=True)
class SGD(Optimizer):
    """w ← w − lr g."""

    lr: float | Schedule = 1e-3
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        return (), w - rate * g


@dataclass(frozen=True)
class GradientDescent(SGD):
    """w ← w − lr g, the name that lectures use with the whole data set as one batch."""


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← mu v + g;  w ← w − lr v."""

    lr: float | Schedule = 1e-3
    mu: float = 0.9
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    rule_state: ClassVar[tuple[tuple[str, str], ...]] = (("v", "parameter"),)

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        v = _next(state["v"], hyper["mu"] * state["v"] + g)
        return (v,), w - rate * v.lhs


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """v ← mu v + g;  w ← w − lr (g + mu v)."""

    lr: float | Schedule = 1e-3
    mu: float = 0.9
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    rule_state: ClassVar[tuple[tuple[str, str], ...]] = (("v", "parameter"),)

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        v = _next(state["v"], hyper["mu"] * state["v"] + g)
        return (v,), w - rate * (g + hyper["mu"] * v.lhs)


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """s ← s + g²;  w ← w − lr g / (√s + eps)."""

    lr: float | Schedule = 1e-2
    eps: float = 1e-10
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    rule_state: ClassVar[tuple[tuple[str, str], ...]] = (("s", "parameter"),)

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        s = _next(state["s"], state["s"] + g**2)
        return (s,), w - rate * g / (alg.sympy.sqrt(s.lhs) + hyper["eps"])


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """s ← rho s + (1 − rho) g²;  w ← w − lr g / (√s + eps)."""

    lr: float | Schedule = 1e-2
    rho: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    rule_state: ClassVar[tuple[tuple[str, str], ...]] = (("s", "parameter"),)

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        s = _next(state["s"], hyper["rho"] * state["s"] + (1 - hyper["rho"]) * g**2)
        return (s,), w - rate * g / (alg.sympy.sqrt(s.lhs) + hyper["eps"])


@dataclass(frozen=True)
class Adam(Optimizer):
    """t ← t + 1;  m ← beta1 m + (1 − beta1) g;  v ← beta2 v + (1 − beta2) g²;  w ← w − lr m̂ / (√v̂ + eps).

    The hats divide by 1 − beta1^t and 1 − beta2^t.
    """

    lr: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False
    clip_norm: float | None = None

    rule_state: ClassVar[tuple[tuple[str, str], ...]] = (("m", "parameter"), ("v", "parameter"), ("t", "scalar"))

    def rule(self, g: Any, w: Any, rate: Any, state: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        t = alg.Tensor("t_next", (), "output")[()]
        beta1, beta2 = hyper["beta1"], hyper["beta2"]
        m = _next(state["m"], beta1 * state["m"] + (1 - beta1) * g)
        v = _next(state["v"], beta2 * state["v"] + (1 - beta2) * g**2)
        c_1 = alg.Equation(alg.Tensor("c_1")[()], 1 - beta1**t)
        c_2 = alg.Equation(alg.Tensor("c_2")[()], 1 - beta2**t)
        step = (m.lhs / c_1.lhs) / (alg.sympy.sqrt(v.lhs / c_2.lhs) + hyper["eps"])
        return (m, v, c_1, c_2), w - rate * step


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w − lr weight_decay w first."""

    weight_decay: float = 1e-2
    decoupled: bool = True


OPTIMIZERS: dict[str, type[Optimizer]] = {
    cls.__name__: cls for cls in (GradientDescent, SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW)
}

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "CosineDecay",
    "ExponentialDecay",
    "GradientDescent",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "StepDecay",
]
