"""From index form to matrix form: which axis touches which decides products and transposes.

A sum over one index is a matrix product, equal indices are an elementwise product, different ones an outer product, a missing
index is a repetition with 𝟏. What has more than two axes at once, or an affine index, has no matrix form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import (
    Apply,
    Diag,
    Entry,
    Fill,
    Form,
    Hadamard,
    MatrixEquation,
    Number,
    OneHot,
    Ones,
    Plus,
    Power,
    Quotient,
    Scale,
    SquaredNorm,
    Total,
    Transpose,
    hadamard,
    plus,
    scale,
    times,
    transpose,
)
from symbackprop.algebra.nodes import ArgMax, Guard, Indicator, LogSumExp, Max, Sum, Unspecified
from symbackprop.algebra.order import ordered_terms, signed_factors
from symbackprop.algebra.tensor import Access


def matrix_form(equation: Equation, *, sample: Index | None = None) -> MatrixEquation | None:
    """Return an equation in matrix form, or None where it has none.

    dW[i, j] = Σ_n δ[n, i] a[n, j] becomes dW = δᵀ a; with ``sample=n`` it becomes dW = Σ_n δ⟨n⟩ a⟨n⟩ᵀ.

    Args:
        equation: in index form.
        sample: an index that is read one value at a time instead of being an axis of matrices (the lecture's form of a batch);
            a sum over an index of its extent becomes a sum over samples.
    """
    builder = _Builder(tuple(equation.lhs.index), sample)
    try:
        lhs = builder.access(equation.lhs)
        if len(lhs.axes) > 2:
            return None
        rhs = builder.visit(canonical(equation.rhs))
        return MatrixEquation(lhs.form, builder.oriented(rhs, lhs.axes))  # type: ignore[arg-type]
    except _NoFormError:
        return None


class _NoFormError(Exception):
    """There is no matrix form; the reason is of no interest to anyone."""


@dataclass(frozen=True)
class _Labelled:
    """A form together with the indices that its rows and columns stand for."""

    form: Form
    axes: tuple[Index, ...]


@dataclass(frozen=True)
class _Builder:
    free: tuple[Expr, ...]
    sample: Index | None

    # --- expressions, from the leaves up ---

    def visit(self, e: Expr) -> _Labelled:
        if isinstance(e, Access):
            return self.access(e)
        if not e.has(Access) and not e.atoms(Index):
            return _Labelled(Number(e), ())
        if isinstance(e, Sum):
            return self.total(e)
        if isinstance(e, sympy.Add):
            return self.add(e)
        if isinstance(e, sympy.Mul):
            return self.product(e)
        if isinstance(e, sympy.Pow):
            return self.power(e)
        if isinstance(e, LogSumExp):
            return self.visit(sympy.log(Sum(sympy.exp(e.body), *e.bound)))
        if isinstance(e, Guard):
            return self.guard(e)
        if isinstance(e, Unspecified):
            return self.apply(e, (e.args[2],), lambda u: Unspecified(e.args[0], e.args[1], u))
        if isinstance(e, Max | ArgMax | Index):
            raise _NoFormError
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return self.apply(e, e.args, e.func)
        raise _NoFormError

    def access(self, e: Access) -> _Labelled:
        indirect = [part for part in e.index if isinstance(part, Access)]
        if indirect:
            return self.visit(_picked(e, indirect[0]))
        at: list[Expr | None] = []
        axes: list[Index] = []
        for axis, part in zip(e.tensor.axes, e.index, strict=True):
            if part == self.sample or part.is_Integer:
                at.append(part)
            elif isinstance(part, Index) and part.extent == axis.extent and part not in axes:
                at.append(None)
                axes.append(part)
            else:
                raise _NoFormError
        # A row that is picked by its number, such as the last state h[T - 1, :], has no sign of its own among matrices.
        if len(axes) > 2 or (axes and any(part is not None and part.is_Integer for part in at)):
            raise _NoFormError
        return _Labelled(Entry(e.tensor, tuple(at)), tuple(axes))

    def add(self, e: Expr) -> _Labelled:
        terms = [self.visit(t) for t in ordered_terms(e)]
        axes = self.union(terms)
        return _Labelled(plus(*(self.oriented(t, axes) for t in terms)), axes)

    def power(self, e: sympy.Pow) -> _Labelled:
        exponent = e.exp
        if exponent.atoms(Access, Index):
            if e.base.has(Access) or e.base.atoms(Index):
                raise _NoFormError
            base = e.base
            return self.apply(e, (exponent,), lambda u: base**u)
        if exponent.is_negative:
            below = self.visit(e.base**-exponent)
            return _Labelled(_quotient(_constant(S.One, below.form), below.form), below.axes)
        base = self.visit(e.base)
        return _Labelled(Power(base.form, exponent), base.axes)

    def apply(self, e: Expr, args: Sequence[Expr], function: Callable[..., Expr]) -> _Labelled:
        made = [self.visit(a) for a in args]
        axes = self.union(made)
        slots = tuple(sympy.Symbol(f"u_{k}" if len(args) > 1 else "u", real=True) for k in range(len(args)))
        forms = tuple(_constant(m.form.value, self.blank(axes)) if isinstance(m.form, Number) else self.oriented(m, axes) for m in made)
        return _Labelled(Apply(function(*slots), slots, forms), axes)

    def guard(self, e: Guard) -> _Labelled:
        if not isinstance(e, Indicator):
            raise _NoFormError
        left, right = e.condition.args
        if isinstance(e.condition, sympy.Eq | sympy.Ne) and (left.is_integer or right.is_integer):
            made = self.match(left, right)
            if isinstance(e.condition, sympy.Eq):
                return made
            return _Labelled(plus(_constant(S.One, made.form), scale(Number(S.NegativeOne), made.form)), made.axes)
        kind = type(e.condition)
        return self.apply(e, (left, right), lambda u, v: Indicator(kind(u, v, evaluate=False)))

    def match(self, left: Expr, right: Expr) -> _Labelled:
        """[i = j] is the identity, [k = y] a unit vector."""
        if isinstance(left, Access):
            left, right = right, left
        if not isinstance(left, Index) or left == self.sample:
            raise _NoFormError
        if isinstance(right, Index) and right != self.sample and right.extent == left.extent:
            return _Labelled(Diag(Ones(left.extent)), (left, right))
        if isinstance(right, Access):
            label = self.access(right)
            if len(label.axes) < 2 and isinstance(label.form, Entry) and left not in label.axes:
                return _Labelled(OneHot(label.form, left.extent), (*label.axes, left))
        raise _NoFormError

    # --- products ---

    def product(self, e: Expr) -> _Labelled:
        number, factors = signed_factors(e, self.free)
        for k, f in enumerate(factors):
            # An identity in a difference takes its factors along: p (I − 1 pᵀ) is diag(p) − p pᵀ.
            if isinstance(f, sympy.Add) and any(_identified(g, self.sample) for g in f.atoms(Indicator)):
                rest = sympy.Mul(number, *factors[:k], *factors[k + 1 :])
                return self.add(sympy.Add(*(rest * term for term in f.args)))
        made = self.together(self.factors(factors))
        return _Labelled(scale(Number(number), made.form), made.axes)

    def factors(self, factors: Sequence[Expr]) -> list[_Labelled]:
        """Return the factors' forms; [i = j] takes all that depends on i or j with it, as a diagonal."""
        for k, f in enumerate(factors):
            same = _identified(f, self.sample)
            if same is None:
                continue
            i, j = same
            rest = [g.xreplace({j: i}) for g in (*factors[:k], *factors[k + 1 :])]
            touching = self.factors([g for g in rest if i in g.free_symbols])
            others = self.factors([g for g in rest if i not in g.free_symbols])
            if any(t.axes != (i,) for t in touching):
                raise _NoFormError
            column = hadamard(*(t.form for t in touching)) if touching else Ones(i.extent)
            return [*others, _Labelled(Diag(column), (i, j))]
        above = [self.visit(f) for f in factors if not _below(f)]
        below = [self.visit(1 / f) for f in factors if _below(f)]
        if below and above:
            bottom = self.together(below)
            group = [a for a in above if set(a.axes) <= set(bottom.axes) or not bottom.axes]
            top = self.together(group) if group else _Labelled(Number(S.One), ())
            if set(top.axes) <= set(bottom.axes):
                fraction = _quotient(_spread(self.oriented(top, bottom.axes), bottom.form), bottom.form)
                return [*(a for a in above if a not in group), _Labelled(fraction, bottom.axes)]
        return above + [_Labelled(_quotient(_constant(S.One, b.form), b.form), b.axes) for b in below]

    def together(self, factors: Sequence[_Labelled]) -> _Labelled:
        """Multiply entry by entry over the union of the axes."""
        scalars = [f for f in factors if not f.axes]
        others = [f for f in factors if f.axes]
        axes = self.union(others)
        if not others:
            form: Form = Number(S.One)
        elif len(axes) == 2 and all(len(f.axes) == 1 for f in others):
            column = hadamard(*(f.form for f in others if f.axes == axes[:1]))
            row = hadamard(*(f.form for f in others if f.axes == axes[1:]))
            form = times(column, transpose(row))
        else:
            form = hadamard(*(self.oriented(f, axes) for f in others))
        for f in reversed(scalars):
            form = scale(f.form, form)
        return _Labelled(form, axes)

    # --- sums ---

    def total(self, e: Sum) -> _Labelled:
        if isinstance(e.body, sympy.Add):
            return self.visit(sympy.Add(*(Sum(term, *e.bound) for term in e.body.args)))
        over = [b for b in e.bound if self.sample is not None and self.sample not in self.free and b.extent == self.sample.extent]
        if over:
            one = e.body.xreplace({over[0]: self.sample})
            inner = self.visit(Sum(one, *(b for b in e.bound if b != over[0])))
            return _Labelled(Total(self.sample, inner.form), inner.axes)  # type: ignore[arg-type]
        squared = self.norm(e)
        if squared is not None:
            return squared
        number, factors = signed_factors(e.body, self.free)
        factors = tuple(part for f in factors for part in _unrolled(f))
        left = self.factors(factors)
        bound = list(e.bound)
        while bound:
            index = self.cheapest(bound, left)
            bound.remove(index)
            touching = [f for f in left if index in f.axes]
            done = self.contract(index, touching)
            place = left.index(touching[0]) if touching else 0
            left = [f for f in left if f not in touching]
            left.insert(place, done)
        made = self.together(left)
        return _Labelled(scale(Number(number), made.form), made.axes)

    def norm(self, e: Sum) -> _Labelled | None:
        """Σ of all squares of one thing is ‖·‖²."""
        number, rest = e.body.as_coeff_Mul()
        if not (isinstance(rest, sympy.Pow) and rest.exp == 2):
            return None
        base = self.visit(rest.base)
        if set(base.axes) != set(e.bound):
            return None
        return _Labelled(scale(Number(number), SquaredNorm(base.form)), ())

    def cheapest(self, bound: Sequence[Index], factors: Sequence[_Labelled]) -> Index:
        """The index whose sum leaves the smallest result: A (B x) rather than (A B) x."""

        def cost(index: Index) -> int:
            return len({a for f in factors if index in f.axes for a in f.axes} - {index})

        best = min(reversed(bound), key=cost)
        if cost(best) > 2:
            raise _NoFormError
        return best

    def contract(self, index: Index, factors: Sequence[_Labelled]) -> _Labelled:
        """Return Σ over one index of a product of factors that all have it."""
        if not factors:
            return _Labelled(Number(index.extent), ())
        kept = self.ordered({a for f in factors for a in f.axes} - {index})
        alone = [f.form for f in factors if f.axes == (index,)]
        if not kept:
            *first, last = alone
            return _Labelled(times(_row(hadamard(*first) if first else Ones(index.extent)), last), ())
        rows = [self.oriented(f, (kept[0], index)) for f in factors if kept[0] in f.axes]
        left = hadamard(*rows)
        if len(kept) == 1:
            return _Labelled(times(left, hadamard(*alone) if alone else Ones(index.extent)), kept)
        right = hadamard(*(self.oriented(f, (index, kept[1])) for f in factors if kept[1] in f.axes))
        middle = [Diag(hadamard(*alone))] if alone else []
        return _Labelled(times(left, *middle, right), kept)

    # --- axes ---

    def ordered(self, axes: set[Index]) -> tuple[Index, ...]:
        """Sort axes: those of the left side first, in its order."""
        place = {index: k for k, index in enumerate(self.free)}
        return tuple(sorted(axes, key=lambda a: (place.get(a, len(place)), a.name, str(a.extent))))

    def union(self, made: Sequence[_Labelled]) -> tuple[Index, ...]:
        axes = {a for m in made for a in m.axes}
        if len(axes) > 2:
            raise _NoFormError
        same = {m.axes for m in made if len(m.axes) == len(axes)}
        return same.pop() if len(same) == 1 and not (axes & set(self.free)) else self.ordered(axes)

    def blank(self, axes: tuple[Index, ...]) -> Form:
        """A form of the shape that these axes have."""
        return Fill(S.One, *(*(a.extent for a in axes), None, None)[:2]) if axes else Number(S.One)

    def oriented(self, made: _Labelled, axes: tuple[Index, ...]) -> Form:
        """Return the form with these axes as rows and columns, repeated along those that it lacks."""
        form = made.form
        if made.axes == axes:
            return form
        if set(made.axes) == set(axes):
            return transpose(form)
        if not set(made.axes) <= set(axes):
            raise _NoFormError
        if not made.axes:
            return _spread(form, self.blank(axes))
        ones = transpose(Ones(axes[1].extent)) if made.axes == axes[:1] else Ones(axes[0].extent)
        return times(form, ones) if made.axes == axes[:1] else times(ones, transpose(form))


def _constant(value: Expr, like: Form) -> Form:
    return Number(value) if like.scalar else Fill(value, *like.shape)


def _row(column: Form) -> Form:
    """Return a column's transpose, (u ∘ v)ᵀ rather than uᵀ ∘ vᵀ."""
    if isinstance(column, Scale):
        return Scale(column.factors, _row(column.arg))
    return Transpose(column) if isinstance(column, Hadamard | Plus | Quotient | Power) else transpose(column)


def _spread(form: Form, like: Form) -> Form:
    """Repeat a scalar in every entry of a shape."""
    if not form.scalar or like.scalar:
        return form
    return scale(form, Fill(S.One, *like.shape))


def _quotient(top: Form, bottom: Form) -> Form:
    if isinstance(bottom, Number):
        return scale(Number(1 / bottom.value), top)
    if isinstance(bottom, Scale) and isinstance(bottom.factors[0], Number):
        rest = bottom.arg if len(bottom.factors) == 1 else Scale(bottom.factors[1:], bottom.arg)
        return scale(Number(1 / bottom.number), _quotient(top, rest))
    if isinstance(top, Scale) and not isinstance(top.arg, Fill):
        made: Form = _quotient(top.arg, bottom)
        for factor in reversed(top.factors):
            made = scale(factor, made)
        return made
    return Quotient(top, bottom)


def _below(factor: Expr) -> bool:
    return isinstance(factor, sympy.Pow) and bool(factor.exp.is_negative) and factor.has(Access)


def _unrolled(factor: Expr) -> tuple[Expr, ...]:
    """A nested sum is a factor of its own; a small power of an access that is summed over is a repeated factor."""
    if isinstance(factor, sympy.Pow) and isinstance(factor.base, Access) and factor.exp == 2:
        return (factor.base, factor.base)
    return (factor,)


def _identified(factor: Expr, sample: Index | None) -> tuple[Index, Index] | None:
    if isinstance(factor, Indicator) and isinstance(factor.condition, sympy.Eq):
        left, right = factor.condition.args
        if isinstance(left, Index) and isinstance(right, Index) and sample not in (left, right) and left.extent == right.extent:
            return (left, right)
    return None


def _picked(e: Access, chosen: Access) -> Expr:
    """Write A[n, y[n]] as Σ_k A[n, k] [k = y[n]]."""
    place = e.index.index(chosen)
    index = Index(f"~pick{place}", e.tensor.axes[place].extent)
    parts = (*e.index[:place], index, *e.index[place + 1 :])
    return Sum(Access(e.tensor, *parts) * Indicator(sympy.Eq(index, chosen)), index)


__all__ = ["matrix_form"]
