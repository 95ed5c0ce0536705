"""Random systems of equations, small and valid, the same for the same seed: what the engine and the planner are tried on.

Reads are affine (several indices, negative coefficients, digits of a mixed radix, quotients and remainders), indirect,
repeated or constant; what leaves its axis is guarded. Around them stand nested sums and maxima, nonlinearities with and without
kinks, equations that fan out, and recurrences that run up or down, alone or coupled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Divides, Floor, Indicator, InRange, LogSumExp, Sum
from symbackprop.algebra.tensor import Tensor

N = Size("N")
#: The batch index of every equation that has one.
n = Index("n", N)
#: Names are few, so that bound indices of one name meet in one expression.
NAMES = "ijuvk"
#: Systems of more operations are not drawn: what they would show, two smaller ones show in less time.
LARGEST = 90
#: Functions without a kink, bounded or nearly so that values stay of size 1.
SMOOTH: dict[str, Callable[[Expr], Expr]] = {
    "tanh": sympy.tanh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "square": lambda e: e**2,
    "exp": lambda e: sympy.exp(e / 2),
    "log": lambda e: sympy.log(1 + e**2),
    "root": lambda e: sympy.sqrt(1 + e**2),
    "quotient": lambda e: 1 / (1 + e**2),
    "sigmoid": nodes.Sigmoid,
    "softplus": nodes.Softplus,
    "erf": sympy.erf,
    "atan": sympy.atan,
    "cube": lambda e: (e / 2) ** 3,
}
#: Functions with kinks.
KINKED: dict[str, Callable[[Expr], Expr]] = {
    "relu": lambda e: sympy.Max(0, e),
    "relu6": lambda e: sympy.Min(1, sympy.Max(0, e)),
    "abs": sympy.Abs,
    "sign": lambda e: e * sympy.sign(e),
    "floor": lambda e: e * sympy.floor(e),
    "softsign": lambda e: e / (1 + sympy.Abs(e)),
    "elu": lambda e: sympy.Piecewise((e, e > 0), (sympy.exp(e) - 1, True)),
    "huber": lambda e: sympy.Piecewise((e**2 / 2, sympy.Abs(e) < 1), (sympy.Abs(e) - sympy.Rational(1, 2), True)),
}


@dataclass(frozen=True)
class Case:
    """A system with values for what it reads.

    Attributes:
        seed: what it was made from.
        system: defines the scalar ``f``.
        values: one array for each free tensor.
        real: names of the free tensors that have a derivative.
        features: what occurs in it.
    """

    seed: int
    system: System
    values: dict[str, np.ndarray]
    real: tuple[str, ...]
    features: frozenset[str]

    def __str__(self) -> str:
        shapes = ", ".join(f"{name}{value.shape}" for name, value in self.values.items())
        return f"seed {self.seed}, {shapes}\n{self.system}"

    def drawn(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return other real values of the same kind."""
        tensors = self.system.tensors
        return {k: sample(rng, v.shape, tensors[k].positive) if k in self.real else v for k, v in self.values.items()}


def sample(rng: np.random.Generator, shape: tuple[int, ...], positive: bool = False) -> np.ndarray:
    return rng.uniform(0.5, 2.0, size=shape) if positive else rng.standard_normal(shape)


@dataclass
class _Draw:
    """One system in the making.

    Attributes:
        rng: where every choice comes from.
        tensors: what can be read, by name.
        values: arrays of the free ones.
        features: what was drawn.
        said: expressions drawn before with the indices that they are open in, so that a later equation may repeat them.
        budget: how many more reads there may be.
    """

    rng: np.random.Generator
    kinks: bool
    tensors: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    features: set[str] = field(default_factory=set)
    said: list[tuple[Expr, tuple[Index, ...]]] = field(default_factory=list)
    budget: int = 0
    batch: int = 2

    def note(self, *features: str) -> None:
        self.features.update(features)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def pick(self, options: Any) -> Any:
        options = list(options)
        return options[int(self.rng.integers(len(options)))]

    def index(self, scope: tuple[Index, ...], low: int = 1, high: int = 4) -> Index:
        """Return an index that is not in scope; rarely one whose name is."""
        taken = {i.name for i in scope}
        names = [name for name in NAMES if name not in taken] or [name for name in "wl" if name not in taken][:1]
        return Index(self.pick(names), 1 if self.chance(0.06) else self.between(max(low, 2), high))

    def new(self, axes: tuple[Index, ...], *, batched: bool = False, integer: bool = False, top: int = 1) -> Tensor:
        """Declare a free tensor and draw its values."""
        positive = not integer and self.chance(0.12)
        kind = "lab" if integer else "x" if batched else "P" if positive else "A"
        name = f"{kind}{sum(t.startswith(kind) for t in self.tensors)}"
        axes = (Index("n", N), *axes) if batched else axes
        made = Tensor(name, axes, "input" if batched else "parameter", integer=integer, positive=positive)
        shape = tuple(self.batch if a.extent == N else int(a.extent) for a in axes)
        self.values[name] = self.rng.integers(0, top, size=shape) if integer else sample(self.rng, shape, positive)
        self.tensors[name] = made
        if positive:
            self.note("positive tensor")
        return made

    # Positions

    def position(self, scope: tuple[Index, ...]) -> tuple[Expr, int, int, Expr]:
        """Return an integer expression over indices, its least and greatest value, and a guard that must hold."""
        here = [i for i in scope if i.extent != N]
        which = self.pick("plain plain plain affine affine radix floor mod constant indirect divides".split())
        if not here or which == "constant":
            if n in scope and self.chance(0.4):
                which = "indirect"
            else:
                self.note("constant")
                c = self.between(0, 2)
                return sympy.Integer(c), c, c, S.One
        if which == "indirect":
            if n not in scope:
                which = "plain"
            else:
                return self.indirect(scope)
        i = self.pick(here)
        extent = int(i.extent)
        if which == "plain":
            self.note("plain")
            return i, 0, extent - 1, S.One
        if which == "affine":
            return self.affine(here)
        if which == "radix":
            others = [j for j in here if j != i]
            if not others:
                return self.affine(here)
            r = self.pick(others)
            step = int(r.extent) + self.between(0, 1)
            self.note("mixed radix")
            return step * i + r, 0, step * (extent - 1) + int(r.extent) - 1, S.One
        if which == "divides":
            e, low, high, _ = self.affine(here)
            step = self.between(2, 3)
            self.note("divides")
            return Floor(e / step), low // step, high // step, Divides(step, e)
        e, low, high, _ = self.affine(here) if self.chance(0.5) else (i, 0, extent - 1, S.One)
        step = self.between(2, 3)
        if which == "floor":
            self.note("floor index")
            return Floor(e / step), low // step, high // step, S.One
        self.note("mod index")
        return e - step * Floor(e / step), 0, step - 1, S.One

    def affine(self, here: list[Index]) -> tuple[Expr, int, int, Expr]:
        count = min(len(here), self.pick([1, 2, 2, 3]))
        chosen = [here[k] for k in sorted(self.rng.permutation(len(here))[:count])]
        coefficients = [self.pick([1, 1, 1, 2, 3, -1, -1, -2]) for _ in chosen]
        low = sum(min(0, c * (int(i.extent) - 1)) for c, i in zip(coefficients, chosen, strict=True))
        high = sum(max(0, c * (int(i.extent) - 1)) for c, i in zip(coefficients, chosen, strict=True))
        shift = self.between(-1, 2) if self.chance(0.5) else -low
        self.note("affine", *("negative" for c in coefficients if c < 0), *("stride" for c in coefficients if abs(c) > 1))
        if all(abs(c) > 1 for c in coefficients):
            self.note("strides only")
        return sympy.Add(*(c * i for c, i in zip(coefficients, chosen, strict=True))) + shift, low + shift, high + shift, S.One

    def indirect(self, scope: tuple[Index, ...]) -> tuple[Expr, int, int, Expr]:
        labels = [t for t in self.tensors.values() if t.integer]
        here = [i for i in scope if i.extent != N]
        if not labels or self.chance(0.3):
            top = self.between(2, 4)
            axes = tuple(Index(NAMES[k], self.between(2, 4)) for k in range(self.between(0, min(1, len(here)))))
            labels = [self.new(axes, batched=True, integer=True, top=top)]
        label = self.pick(labels)
        index: list[Expr] = [n]
        guard: Expr = S.One
        for axis in label.axes[1:]:
            e, low, high, g = self.affine(here) if here else (sympy.Integer(0), 0, 0, S.One)
            guard = guard * g
            index.append(e)
            if low < 0 or high >= int(axis.extent):
                guard = guard * InRange(e, axis.extent)
            self.note("label at a position")
        self.note("indirect")
        return label[tuple(index)], 0, int(self.values[label.name].max()), guard

    # Reads

    def read(self, scope: tuple[Index, ...]) -> Expr:
        """Return an access, times the guards that it needs."""
        self.budget -= 1
        stored = [t for t in self.tensors.values() if t.role == "stored" and not t.integer and (n in scope or N not in t.shape)]
        known = [t for t in self.tensors.values() if not t.integer and (n in scope or N not in t.shape)]
        if stored and self.chance(0.35):
            return self.reading(self.pick(stored), scope)
        if known and self.chance(0.35):
            return self.reading(self.pick(known), scope)
        batched = n in scope and self.chance(0.45)
        where = [self.position(scope) for _ in range(self.pick([1, 1, 2, 2, 3]))]
        axes = []
        for k, (_, _, high, _) in enumerate(where):
            extent = max(1, high + 1 + self.pick([0, 0, 0, 1, -1, -2]))
            axes.append(Index(self.pick(NAMES) if self.chance(0.3) else "pqr"[k], extent))
        if len({a.name for a in axes}) < len(axes):
            axes = [Index("pqr"[k], a.extent) for k, a in enumerate(axes)]
        return self.guarded(self.new(tuple(axes), batched=batched), where)

    def reading(self, tensor: Tensor, scope: tuple[Index, ...]) -> Expr:
        """Return a read of a tensor that is there: where it fits at plain indices, otherwise anywhere, guarded."""
        axes = tensor.axes[1:] if N in tensor.shape else tensor.axes
        plain = []
        left = [i for i in scope if i.extent != N]
        for axis in axes:
            fitting = [i for i in left if i.extent == axis.extent]
            if fitting and self.chance(0.75):
                chosen = self.pick(fitting)
                if not self.chance(0.15):
                    left.remove(chosen)
                plain.append((chosen, 0, int(axis.extent) - 1, S.One))
                if chosen in [p[0] for p in plain[:-1]]:
                    self.note("repeated")
            else:
                plain.append(self.position(scope))
        self.note("shared")
        return self.guarded(tensor, plain)

    def guarded(self, tensor: Tensor, where: list[tuple[Expr, int, int, Expr]]) -> Expr:
        axes = tensor.axes[1:] if N in tensor.shape else tensor.axes
        guard: Expr = S.One
        for axis, (e, low, high, needed) in zip(axes, where, strict=True):
            guard = guard * needed
            if low < 0 or high >= int(axis.extent):
                guard = guard * InRange(e, axis.extent)
                self.note("guard")
        index = tuple(e for e, *_ in where)
        if len(set(index)) < len(index) and not all(e.is_Number for e in index):
            self.note("repeated")
        return guard * tensor[(n, *index) if N in tensor.shape else index]

    # Expressions

    def expression(self, scope: tuple[Index, ...], depth: int) -> Expr:
        """Return a random expression over the indices in scope."""
        made = self._expression(scope, depth)
        if made.has(nodes.Sum, nodes.Max, sympy.exp) and sympy.count_ops(made) < 20:
            self.said.append((made, tuple(s for s in sorted(made.free_symbols, key=str) if isinstance(s, Index))))
        return made

    def _expression(self, scope: tuple[Index, ...], depth: int) -> Expr:
        if depth <= 0 or self.budget <= 0:
            return self.read(scope)
        if self.said and self.chance(0.2):
            repeated = self.repeated(scope)
            if repeated is not None:
                return repeated
        kinds = ["read", "product", "product", "add", "function", "sum", "sum", "sum", "guarded", "lse", "softmax"]
        kind = self.pick(kinds + ["max", "kink", "branch", "compare", "argmax"] * self.kinks)
        inner = [self.index(scope)] if kind in ("sum", "max", "lse", "softmax", "argmax") else []
        if kind == "sum" and self.chance(0.4):
            inner.append(self.index((*scope, *inner)))
        if kind in ("sum", "max") and n in scope and self.chance(0.06):
            # Across the samples of a batch, as a normalisation reads them.
            m = Index("m", N)
            if m not in scope:
                body = self.expression((*(i for i in scope if i != n), n), depth - 1)
                self.note("across the batch")
                return (Sum(body.xreplace({n: m}), m) / N) if kind == "sum" else nodes.Max(body.xreplace({n: m}), m)
        around = (*scope, *inner)
        self.note(kind)
        if kind == "read":
            return self.read(scope)
        if kind == "product":
            return self.expression(scope, depth - 1) * self.expression(scope, depth - 2)
        if kind == "add":
            return self.expression(scope, depth - 1) + self.pick([1, -1, 2]) * self.expression(scope, depth - 1) / self.pick([1, 2])
        if kind == "function":
            name = self.pick(SMOOTH)
            self.note(name)
            return SMOOTH[name](self.expression(scope, depth - 1))
        if kind == "kink":
            name = self.pick(KINKED)
            self.note(name)
            return KINKED[name](self.expression(scope, depth - 1))
        if kind == "branch":
            first, second = self.expression(scope, depth - 2), self.expression(scope, depth - 2)
            return self.pick([sympy.Max, sympy.Min])(first, second)
        if kind == "compare":
            return Indicator(self.expression(scope, 0) > 0) * self.expression(scope, depth - 1)
        if kind == "guarded":
            return self.condition(scope) * self.expression(scope, depth - 1)
        if kind == "argmax":
            # The row that wins, as a weight and as a position that is compared.
            body = self.varying(around, inner[0], depth - 2)
            there = Index("w", inner[0].extent)
            where = nodes.ArgMax(body.xreplace({inner[0]: there}), there, there)
            return Sum(Indicator(sympy.Eq(inner[0], where)) * self.read(around), inner[0])
        if kind == "max":
            return nodes.Max(self.varying(around, inner[0], depth - 1), *inner)
        body = self.expression(around, depth - 1)
        if kind == "lse":
            body = body / 2
            return LogSumExp(body, *inner) if self.chance(0.5) else sympy.log(Sum(sympy.exp(body), *inner))
        if kind == "softmax":
            return Sum(sympy.exp(body / 2) * self.read(around), *inner) / Sum(sympy.exp(body / 2), *inner)
        return Sum(body, *inner) / self.pick([1, 2, 3])

    def varying(self, scope: tuple[Index, ...], index: Index, depth: int) -> Expr:
        """Return an expression whose values along an index all differ: no tie by construction."""
        axes = tuple(Index(name, i.extent) for name, i in zip("pqrst", (i for i in scope if i.extent != N), strict=False))
        batched = n in scope and self.chance(0.5)
        weights = self.new(axes, batched=batched)
        own = weights[tuple(i for i in scope if i.extent != N)] if not batched else weights[(n, *(i for i in scope if i.extent != N))]
        guard = InRange(index - 1, int(index.extent)) if self.chance(0.3) and int(index.extent) > 1 else S.One
        if guard != 1:
            self.note("guarded maximum")
        return guard * (own + self.expression(scope, depth) / 4)

    def condition(self, scope: tuple[Index, ...]) -> Expr:
        """Return a guard that compares indices."""
        here = [i for i in scope if i.extent != N]
        if not here:
            return S.One
        e, low, high, _ = self.affine(here)
        which = self.pick(["range", "divides", "equal", "unequal", "causal"])
        self.note(f"guard {which}")
        if which == "range":
            return InRange(e, max(1, high - self.between(0, 1)))
        if which == "divides":
            return Divides(self.between(2, 3), e)
        if which == "causal":
            return Indicator(sympy.Ge(self.pick(here), e - 1))
        return Indicator((sympy.Eq if which == "equal" else sympy.Ne)(e, self.pick([self.between(low, high), self.pick(here)])))

    def repeated(self, scope: tuple[Index, ...]) -> Expr | None:
        """Return an expression that was said before, over indices that are in scope now; None where they do not fit."""
        expr, own = self.pick(self.said)
        swap = {}
        for index in own:
            fitting = [i for i in scope if i.extent == index.extent and i not in swap.values()]
            if not fitting:
                return None
            swap[index] = self.pick(fitting) if index.extent != N else index
        if any(i.extent == N and i not in scope for i in own):
            return None
        bound = {b for node in sympy.preorder_traversal(expr) if isinstance(node, nodes.Reduction | nodes.ArgMax) for b in node.bound}
        if bound & {*scope, *swap.values()}:
            return None
        self.note("said before")
        return expr.xreplace(swap)

    # Equations

    def equation(self, name: str) -> list[Equation]:
        """Return one equation for a new tensor, or the equations of a recurrence."""
        batched = self.chance(0.75)
        axes: tuple[Index, ...] = ()
        for _ in range(self.pick([0, 1, 1, 2])):
            axes = (*axes, self.index(axes))
        scope = (n, *axes) if batched else axes
        self.budget = 6
        if axes and self.chance(0.22):
            return self.recurrence(name, scope)
        made = self.tensor(name, scope)
        rhs = self.expression(scope, self.between(1, 3))
        self.tensors[name] = made
        return [Equation(made[scope], rhs)]

    def tensor(self, name: str, scope: tuple[Index, ...]) -> Tensor:
        return Tensor(name, scope, "stored")

    def recurrence(self, name: str, scope: tuple[Index, ...]) -> list[Equation]:
        """Return tensors that read themselves or each other one step before (or after) along a time axis."""
        t = Index("t", self.between(1, 4))
        scope = (*scope[:1], t, *scope[1:]) if scope[0] == n else (t, *scope)
        up = self.chance(0.6)
        places = [i for i in scope if i != t and i.extent != N]
        names = [name] if self.chance(0.6) else [name, f"{name}c"]
        made = {each: self.tensor(each, scope) for each in names}
        shift = self.pick([1, 1, 1, 2])
        before = t - shift if up else t + shift
        self.note("recurrence up" if up else "recurrence down", *(["coupled"] if len(names) > 1 else []), *(["far"] if shift > 1 else []))

        def past(each: str) -> Expr:
            """Return what a tensor was a step before, mixed along its other axes."""
            if not places or self.chance(0.3):
                return InRange(before, t.extent) * made[each][tuple(before if i == t else i for i in scope)]
            i = self.pick(places)
            if self.chance(0.25):
                u = Index("u", 3) if i.name != "u" else Index("v", 3)
                index = tuple(before if k == t else i + u - 1 if k == i else k for k in scope)
                weight = self.new((Index("q", 3),))
                self.note("neighbours")
                return InRange(before, t.extent) * Sum(InRange(i + u - 1, i.extent) * weight[u] * made[each][index], u)
            j = Index("j" if i.name != "j" else "k", i.extent)
            if any(k.name == j.name for k in scope):
                j = Index("w", i.extent)
            weight = self.new((Index("p", i.extent), Index("q", i.extent)))
            index = tuple(before if k == t else j if k == i else k for k in scope)
            return InRange(before, t.extent) * Sum(weight[i, j] * made[each][index], j) / 2

        equations = []
        for number, each in enumerate(names):
            drive = self.expression(scope, self.between(0, 1))
            other = names[number - 1]
            rhs = sympy.tanh(past(other) + drive) if self.chance(0.7) else past(other) * nodes.Sigmoid(drive) + self.read(scope)
            if number and self.chance(0.7):
                # The other tensor at this very step, as a cell and its state.
                rhs = rhs * sympy.tanh(made[other][scope])
            if self.chance(0.3):
                start = self.new((), batched=scope[0] == n)
                edge = Indicator(sympy.Eq(t, 0 if up else int(t.extent) - 1))
                rhs = rhs + edge * (start[n] if scope[0] == n else start[()])
                self.note("initial state")
            equations.append(Equation(made[each][scope], rhs))
        self.tensors.update(made)
        return equations


def _attempt(seed: int, attempt: int, kinks: bool) -> Case | None:
    draw = _Draw(np.random.default_rng([seed, attempt]), kinks)
    draw.batch = draw.between(1, 3)
    equations: list[Equation] = []
    for k in range(draw.pick([1, 1, 2, 2, 3])):
        equations += draw.equation(f"z{k}")
    read = {t.name for e in equations for t in e.reads if t.name != e.tensor.name}
    total: Expr = S.Zero
    for e in equations:
        if e.tensor.name in read and draw.chance(0.6):
            continue
        axes = e.lhs.index
        name = draw.pick(["square", "tanh", "sin", "log", "none"])
        value = SMOOTH.get(name, lambda z: z)(e.lhs)
        if draw.chance(0.3):
            # A weight for each entry, so that what arrives is not the same everywhere.
            weights = draw.new(tuple(Index("pqrs"[k], i.extent) for k, i in enumerate(i for i in axes if i.extent != N)))
            value = value * weights[tuple(i for i in axes if i.extent != N)]
        part = Sum(value, *axes) if axes else value
        total = total + (part / N if n in axes and draw.chance(0.5) else part)
    if total == 0 or sympy.count_ops(total) + sum(sympy.count_ops(e.rhs) for e in equations) > LARGEST:
        return None
    draw.note(f"{len(equations)} equations")
    if len(equations) > 1 and len(read) < sum(len(e.reads) for e in equations):
        draw.note("fan-out")
    f = Tensor("f", (), "stored")
    system = System([*equations, Equation(f[()], total)])
    values = {name: value for name, value in draw.values.items() if name in system.tensors}
    if not any(system.tensors[name].role == "input" and not system.tensors[name].integer for name in values):
        # Kernels tell the size of a batch from an input.
        if n in {i for e in system.equations for i in e.lhs.index} or N in sympy.Add(*(e.rhs for e in equations)).free_symbols:
            return None
    found = interpret(system, values)
    if not all(np.isfinite(v).all() and np.abs(v).max(initial=0) < 100 for v in found.values()):
        return None
    real = tuple(name for name in values if not system.tensors[name].integer)
    return Case(seed, system, values, real, frozenset(draw.features)) if real else None


@lru_cache(maxsize=2048)
def case(seed: int, *, kinks: bool | None = None) -> Case:
    """Return the system of a seed: the first one drawn whose values are finite and of moderate size."""
    kinks = seed % 2 == 1 if kinks is None else kinks
    for attempt in range(100):
        made = _attempt(seed, attempt, kinks)
        if made is not None:
            return made
    raise AssertionError(f"no system for seed {seed}")
