"""From index form to matrix form: which axis touches which decides products and transposes.

A sum over one index is a matrix product, equal indices are an elementwise product, different ones an outer product, a missing
index is a repetition with 𝟏. Where arrays have more than two axes, some indices are read one value at a time and the equation is
a family of matrix equations, one for each sample, head or step; a sum over such an index is a sum of matrices. Parts of an axis
of equal length (the heads in the rows of a weight, the gates of a recurrence) are blocks. What is left has no matrix form.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from dataclasses import field as dataclass_field
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import bound_indices, canonical, fresh
from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import (
    Apply,
    Block,
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
    Stack,
    Times,
    Total,
    Transpose,
    Triangle,
    hadamard,
    plus,
    scale,
    times,
    transpose,
    walk,
)
from symbackprop.algebra.nodes import ArgMax, Floor, Guard, Indicator, InRange, LogSumExp, Max, Sum, Unspecified
from symbackprop.algebra.order import ordered_terms, signed_factors
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Access, Tensor

#: Axes, by tensor and place, along which a recurrence runs.
Stepped = frozenset[tuple[str, int]]


def matrix_form(equation: Equation, *, sample: Index | None = None, stepped: Stepped = frozenset()) -> MatrixEquation | None:
    """Return an equation in matrix form, or None where it has none.

    dW[i, j] = Σ_n δ[n, i] a[n, j] becomes dW = δᵀ a; with ``sample=n`` it becomes dW = Σ_n δ⟨n⟩ a⟨n⟩ᵀ.

    Args:
        equation: in index form.
        sample: an index that is read one value at a time instead of being an axis of matrices (the lecture's form of a batch);
            a sum over an index of its extent becomes a sum over samples.
        stepped: axes that are read one step at a time where that is possible, see `stepped_axes`.
    """
    read = {equation.tensor.name, *(t.name for t in equation.reads)}
    return _found(equation, sample, frozenset(axis for axis in stepped if axis[0] in read))


@lru_cache(maxsize=1024)
def _found(equation: Equation, sample: Index | None, stepped: Stepped) -> MatrixEquation | None:
    whole = None if sample is not None or stepped else _entry_by_entry(equation)
    if whole is not None:
        return whole
    equation = _cut(equation)
    free = [i for i in dict.fromkeys(i for part in equation.lhs.index for i in _indices(part)) if i != sample]
    for steps in dict.fromkeys((stepped, frozenset())):
        for count in range(min(len(free), MOST_RUNNING) + 1):
            for running in itertools.combinations(free, count):
                found = _built(equation, sample, frozenset((*running, *([sample] if sample is not None else []))), steps)
                if found is not None and (count < len(free) or not count or _worthwhile(found)):
                    return found
    return None


#: A family of equations has at most so many indices.
MOST_RUNNING = 3


def _built(equation: Equation, sample: Index | None, running: frozenset[Index], stepped: Stepped) -> MatrixEquation | None:
    builder = _Builder(tuple(equation.lhs.index), sample, running, stepped, bool(stepped), _pairs(equation.rhs))
    try:
        lhs = builder.access(equation.lhs)
        rhs = builder.visit(canonical(equation.rhs))
        return MatrixEquation(lhs.form, builder.oriented(rhs, lhs.axes))  # type: ignore[arg-type]
    except _NoFormError:
        return None


def _worthwhile(form: MatrixEquation) -> bool:
    """Whether a family of scalar equations says more than the index form: x_1ᵀ W_i x_2 does, an average over windows does not."""
    entries = form.rhs.entries
    return any(e.rank for e in entries) and not any(e.cuts for e in entries)


def stepped_axes(equations: Iterable[Equation]) -> Stepped:
    """Return the axes along which a recurrence runs, of every tensor that is computed in it, enters it or is computed from it.

    Where h[t] reads h[t − 1], the axis t of h is one; so is that of what the same equation reads at t, and that of what is
    computed from h[t] step by step.
    """
    given = tuple(equations)
    found: set[tuple[str, int]] = set()
    for strand in strands(given):
        if not isinstance(strand, Recurrence):
            continue
        for number, e in enumerate(strand.equations):
            step = strand.index(number)
            for a in (e.lhs, *e.rhs.atoms(Access)):
                found |= {(a.tensor.name, k) for k, part in enumerate(a.index) if (part - step).is_Integer}
    while found:
        more = {
            (e.tensor.name, e.lhs.index.index(part))
            for e in given
            for a in e.rhs.atoms(Access)
            for k, part in enumerate(a.index)
            if (a.tensor.name, k) in found and part in e.lhs.index
        }
        if more <= found:
            break
        found |= more
    return frozenset(found)


def _indices(e: Expr) -> list[Index]:
    return sorted((i for i in e.free_symbols if isinstance(i, Index)), key=lambda i: i.name)


def _entry_by_entry(equation: Equation) -> MatrixEquation | None:
    """Return what is done to every entry of arrays of more than two axes, whatever their shape: a = max(0, z)."""
    index = equation.lhs.index
    reads = equation.rhs.atoms(Access)
    alike = all(not a.index or (a.index == index and a.tensor.shape == equation.tensor.shape) for a in reads) and any(
        a.index for a in reads
    )
    if equation.tensor.rank < 3 or not alike or equation.rhs.has(Sum, Max) or not equation.lhs.plain:
        return None
    length = Index("~entry", sympy.Mul(*equation.tensor.shape))
    swap: dict[sympy.Basic, sympy.Basic] = {a: Tensor(a.tensor.name, (length,))[length] for a in (equation.lhs, *reads) if a.index}
    if equation.rhs.xreplace(swap).free_symbols & set(index):
        return None
    flat = Equation(equation.lhs.xreplace(swap), equation.rhs.xreplace(swap))
    found = _built(flat, None, frozenset(), frozenset())
    if found is None:
        return None
    whole = {a.tensor.name: Entry(a.tensor) for a in (equation.lhs, *reads) if a.index}
    return MatrixEquation(Entry(equation.tensor), _with_entries(found.rhs, whole))


def _with_entries(form: Form, swap: Mapping[str, Entry]) -> Form:
    if isinstance(form, Entry):
        return swap.get(form.tensor.name, form)
    changes: dict[str, Any] = {}
    for field in fields(form):
        value = getattr(form, field.name)
        if isinstance(value, Form):
            changes[field.name] = _with_entries(value, swap)
        elif isinstance(value, tuple) and any(isinstance(v, Form) for v in value):
            changes[field.name] = tuple(_with_entries(v, swap) for v in value)
    return replace(form, **changes) if changes else form


def _cut(equation: Equation) -> Equation:
    """Write an index that is read as ⌊i/c⌋ and i − c⌊i/c⌋ as c h + d: the entries of the axis in blocks."""
    taken = {i.name for i in equation.rhs.free_symbols if isinstance(i, Index)} | {i.name for i in bound_indices(equation.rhs)}
    lhs, rhs = equation.lhs, equation.rhs
    for i in equation.lhs.index:
        if i.is_Symbol and i.extent == 1 and any(i in g.free_symbols for g in rhs.atoms(Indicator)):
            # The only entry needs no index: α_0.
            one: dict[sympy.Basic, sympy.Basic] = {i: S.Zero}
            lhs, rhs = lhs.xreplace(one), rhs.xreplace(one)
            continue
        parts = _parts(i, rhs, taken) if isinstance(i, Index) else None
        if parts is not None:
            swap: dict[sympy.Basic, sympy.Basic] = {i: parts[1]}
            lhs, rhs = lhs.xreplace(swap), _in_parts(rhs, i, *parts[:2])
    return _raw(lhs, _cut_sums(rhs, taken))


def _parts(i: Index, e: Expr, taken: set[str]) -> tuple[Index, Expr, Index] | None:
    """Return (h, c h + d, d) for an index i that is read in blocks of one length c."""
    floors = [f for f in e.atoms(Floor) if i in f.free_symbols]
    sizes_ = {i / f.args[0] for f in floors}
    if len(sizes_) != 1:
        return None
    (size,) = sizes_
    count = i.extent / size
    if size.atoms(Index) or not (size.is_integer or size.is_Symbol) or count.is_integer is False or (count.is_Rational and count.q != 1):
        return None
    made = []
    for whole, extent in ((floors[0], count), (i - size * floors[0], size)):
        names = sorted({a.tensor.axes[k].name for a in e.atoms(Access) for k, part in enumerate(a.index) if part == whole})
        index = Index(next((n for n in names if n not in taken), i.name), extent)
        made.append(index if index.name not in taken else fresh(index, taken))
        taken.add(made[-1].name)
    h, d = made
    return h, size * h + d, d


def _in_parts(e: Expr, i: Index, h: Index, whole: Expr) -> Expr:
    floors: dict[sympy.Basic, sympy.Basic] = {f: h for f in e.atoms(Floor) if i in f.free_symbols}
    done: Expr = e.xreplace(floors).xreplace({i: whole})
    return done


def _cut_sums(e: Expr, taken: set[str]) -> Expr:
    if not e.args or isinstance(e, Access | Index) or not e.has(Sum):
        return e
    if isinstance(e, Sum) and e.has(Floor):
        body, bound = e.body, list(e.bound)
        for i in e.bound:
            parts = _parts(i, body, taken)
            if parts is not None:
                h, whole, d = parts
                body = _in_parts(body, i, h, whole)
                bound[bound.index(i) : bound.index(i) + 1] = [h, d]
        return Sum(_cut_sums(body, taken), *bound)
    return e.func(*(_cut_sums(a, taken) if isinstance(a, Expr) else a for a in e.args))


def _pairs(e: Expr) -> Counter[frozenset[str]]:
    """Count which tensors are multiplied entry by entry, and how often: γ ∘ g is one vector where it occurs again and again."""
    found: Counter[frozenset[str]] = Counter()
    for product in sympy.preorder_traversal(e):
        if isinstance(product, sympy.Mul):
            reads = [a for a in product.args if isinstance(a, Access)]
            found.update(
                frozenset((a.tensor.name, b.tensor.name)) for a, b in itertools.combinations(reads, 2) if a.index[-1:] == b.index[-1:] != ()
            )
    return found


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
    #: Indices that are read one value at a time.
    running: frozenset[Index] = frozenset()
    stepped: Stepped = frozenset()
    #: Whether the equation is one of the steps of a recurrence.
    steps: bool = False
    pairs: Mapping[frozenset[str], int] = dataclass_field(default_factory=dict)

    # --- expressions, from the leaves up ---

    def visit(self, e: Expr) -> _Labelled:
        if isinstance(e, Access):
            return self.access(e)
        if not e.has(Access) and not e.atoms(Index) - self.running and not isinstance(e, Index):
            return _Labelled(Number(_begun(e)), ())
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
        at: list[Expr | Block | None] = []
        axes: list[Index] = []
        kept: list[int] = []
        for k, (axis, part) in enumerate(zip(e.tensor.axes, e.index, strict=True)):
            if not part.atoms(Index) - self.running:
                at.append(part)
                continue
            index, block = self.stays(axis, part)
            # A row that is picked by its number has no sign of its own among matrices, only the step of a recurrence has.
            if index in axes or (e.tensor.name, k) in self.stepped:
                raise _NoFormError
            at.append(block)
            axes.append(index)
            kept.append(k)
        if axes and any(isinstance(p, Expr) and p.is_Integer and (e.tensor.name, k) not in self.stepped for k, p in enumerate(at)):
            raise _NoFormError
        if e.tensor.name.startswith("d ") and len(axes) < e.tensor.rank:
            # A local derivative is a matrix as a whole or not at all.
            raise _NoFormError
        # What stays are the last axes; a batch may stand before the step that is read.
        last = list(range(e.tensor.rank - len(kept), e.tensor.rank))
        batch = e.tensor.rank == 3 and kept == [0, 2] and self.steps
        if len(axes) > 2 or (kept != last and not batch and self.sample is None):
            raise _NoFormError
        return _Labelled(Entry(e.tensor, tuple(at)), tuple(axes))

    def stays(self, axis: Index, part: Expr) -> tuple[Index, Block | None]:
        """Return the index of an axis that stays, and which block of it is read where it is not read whole."""
        for index in _indices(part):
            if index in self.running:
                continue
            if part == index and index.extent == axis.extent:
                return index, None
            number = sympy.expand((part - index) / index.extent)
            whole = number.is_integer and not number.atoms(Index) - self.running
            if whole and (axis.extent / index.extent).is_integer is not False:
                return index, Block(number, index.extent)
        raise _NoFormError

    def add(self, e: Expr) -> _Labelled:
        stacked = self.stacked(e)
        if stacked is not None:
            return stacked
        terms = [self.visit(t) for t in ordered_terms(e)]
        axes = self.union(terms)
        return _Labelled(_summed([self.oriented(t, axes) for t in terms]), axes)

    def stacked(self, e: Expr) -> _Labelled | None:
        """Return terms that each fill a block of an axis of their own as blocks one above the other."""
        ranges = [[f for f in sympy.Mul.make_args(t) if isinstance(f, InRange)] for t in e.args]
        if not all(ranges):
            return None
        for index in [i for i in self.free if isinstance(i, Index) and i not in self.running]:
            found: list[tuple[Expr, Expr, Expr]] = []
            for term, guards in zip(e.args, ranges, strict=True):
                own = [(g, sympy.expand(index - g.args[0])) for g in guards if index in g.free_symbols]
                if len(own) == 1 and not own[0][1].atoms(Index):
                    found.append((own[0][1], own[0][0].args[1], term))
            found.sort(key=lambda part: sympy.default_sort_key(part[0]))
            merged: dict[tuple[Expr, Expr], Expr] = {}
            for start, length, term in found:
                merged[start, length] = merged.get((start, length), S.Zero) + term
            ends = list(itertools.accumulate((length for _, length in merged), initial=S.Zero))
            if len(found) < len(e.args) or [start for start, _ in merged] != ends[:-1] or ends[-1] != index.extent:
                continue
            parts = []
            for (start, length), term in merged.items():
                row = Index(f"{index.name}~", length)
                inner = replace(self, free=tuple(row if i == index else i for i in self.free))
                parts.append((inner.visit(canonical(term.xreplace({index: start + row}))), row, inner))
            others = {a for made, row, _ in parts for a in made.axes if a != row}
            if len(others) > 1:
                raise _NoFormError
            forms = tuple(inner.oriented(made, (row, *others)) for made, row, inner in parts)
            return _Labelled(Stack(forms), (index, *others))
        return None

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
        kinds = {sympy.Ge: (True, False), sympy.Gt: (True, True), sympy.Le: (False, False), sympy.Lt: (False, True)}
        if type(e.condition) in kinds and isinstance(left, Index) and isinstance(right, Index) and not {left, right} & self.running:
            return _Labelled(Triangle(left.extent, right.extent, *kinds[type(e.condition)]), (left, right))
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
        if not isinstance(left, Index) or left in self.running:
            raise _NoFormError
        if isinstance(right, Index) and right not in self.running and right.extent == left.extent:
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
            if isinstance(f, sympy.Add) and any(_identified(g, self.running) for g in f.atoms(Indicator)):
                rest = sympy.Mul(number, *factors[:k], *factors[k + 1 :])
                return self.add(sympy.Add(*(rest * term for term in f.args)))
        number, factors = _shared(number, factors)
        made = self.together(self.factors(factors))
        return _Labelled(scale(Number(number), made.form), made.axes)

    def factors(self, factors: Sequence[Expr]) -> list[_Labelled]:
        """Return the factors' forms; [i = j] takes all that depends on i or j with it, as a diagonal."""
        for k, f in enumerate(factors):
            same = _identified(f, self.running)
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
        below = [self.visit(1 / f) for f in factors if _below(f)]
        guards = [f for f in factors if isinstance(f, Guard)] if below else []
        if guards and len(guards) + len(below) < len(factors):
            # What a guard switches off is not divided: 0/0 would stay.
            return [*self.factors([f for f in factors if f not in guards]), *(self.visit(g) for g in guards)]
        above = [self.visit(f) for f in factors if not _below(f)]
        if below and above:
            bottom = self.together(below)
            group = [a for a in above if set(a.axes) <= set(bottom.axes) or not bottom.axes]
            if not group and set(bottom.axes) <= set(self.union(above)):
                top = self.together(above)
                return [_Labelled(_quotient(top.form, self.oriented(bottom, top.axes)), top.axes)]
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
        try:
            return self.contracted(e)
        except _NoFormError:
            return self.summed(e)

    def summed(self, e: Sum) -> _Labelled:
        """Return Σ over some of the indices of a sum as a sum of matrices, over as few of them as will do."""
        reads = sorted(e.body.atoms(Access), key=lambda a: (-a.tensor.rank, a.tensor.name))
        order = list(dict.fromkeys(b for a in reads for part in a.index for b in e.bound if b in part.free_symbols))
        for count in (1, 2):
            for chosen in itertools.combinations(order, count):
                body, names = e.body, list[Index]()
                for b in chosen:
                    named = self.named(b, reads, [i.name for i in names])
                    names.append(named)
                    body = body.xreplace({b: named})
                inner = replace(self, running=self.running | set(names))
                try:
                    made = inner.contracted(Sum(body, *(b for b in e.bound if b not in chosen)))
                except _NoFormError:
                    continue
                form = made.form
                for index in reversed(names):
                    form = Total(index, form)
                return _Labelled(form, made.axes)
        raise _NoFormError

    def named(self, bound: Index, reads: Sequence[Access], others: Sequence[str]) -> Index:
        """Return an index of a sum of matrices by the name of an axis that it runs over."""
        axes = (axis.name for a in reads for axis, part in zip(a.tensor.axes, a.index, strict=True) if bound in part.free_symbols)
        name = next((n for n in axes if not set("@~") & set(n)), "r")
        taken = {i.name for part in self.free for i in _indices(part)} | {i.name for i in self.running} | set(others)
        while name in taken:
            name += "'"
        return Index(name, bound.extent)

    def contracted(self, e: Expr) -> _Labelled:
        """Return a sum as products of matrices."""
        if not isinstance(e, Sum):
            return self.visit(e)
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
        return _Labelled(scale(Number(number), _fewest(made.form)), made.axes)

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
            *first, last = alone = self.grouped(alone)
            return _Labelled(times(_row(hadamard(*first) if first else Ones(index.extent)), last), ())
        rows = [self.oriented(f, (kept[0], index)) for f in factors if kept[0] in f.axes]
        left = hadamard(*rows)
        if len(kept) == 1:
            return _Labelled(times(left, hadamard(*alone) if alone else Ones(index.extent)), kept)
        right = hadamard(*(self.oriented(f, (index, kept[1])) for f in factors if kept[1] in f.axes))
        middle = [Diag(hadamard(*alone))] if alone else []
        return _Labelled(times(left, *middle, right), kept)

    def grouped(self, columns: list[Form]) -> list[Form]:
        """Order the factors of an inner product so that what is a product elsewhere stays together: h ᵀ(γ ∘ g)."""
        names = [c.tensor.name if isinstance(c, Entry) else "" for c in columns]
        places = list(itertools.combinations(range(len(columns)), 2))
        best = max(places, key=lambda p: self.pairs.get(frozenset((names[p[0]], names[p[1]])), 0), default=None)
        if best is None or self.pairs.get(frozenset((names[best[0]], names[best[1]])), 0) < 2:
            return columns
        rest = [c for k, c in enumerate(columns) if k not in best]
        pair = hadamard(columns[best[0]], columns[best[1]])
        return [*rest, pair] if rest else [pair]

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


def _begun(e: Expr) -> Expr:
    """Write a guard of the step before as [t ≥ 1], one of the step after as [t < T − 1]."""
    swap: dict[sympy.Basic, sympy.Basic] = {}
    for guard in e.atoms(InRange):
        steps = [i for i in _indices(guard.args[0]) if i.extent == guard.args[1] and (guard.args[0] - i).is_Integer]
        if steps:
            (step,) = steps
            shift = guard.args[0] - step
            swap[guard] = Indicator(sympy.Ge(step, -shift) if shift < 0 else sympy.Lt(step, step.extent - shift))
    done: Expr = e.xreplace(swap)
    return done


def _fewest(form: Form) -> Form:
    """Write a number as the product with the fewest transposes: x_1ᵀ W x_2 rather than x_2ᵀ Wᵀ x_1."""
    if not isinstance(form, Times) or not form.scalar:
        return form
    other = times(*(transpose(a) for a in reversed(form.args)))
    return min(form, other, key=lambda f: sum(isinstance(part, Transpose) for part in walk(f)))


def _summed(terms: Sequence[Form]) -> Form:
    """Return a sum of forms; sums over the same samples or heads become one."""
    out: list[Form] = []
    for term in terms:
        k = next((k for k, t in enumerate(out) if isinstance(term, Total) and isinstance(t, Total) and t.index == term.index), None)
        if k is None:
            out.append(term)
        else:
            out[k] = Total(term.index, _summed([out[k].parts[0], *term.parts]))  # type: ignore[attr-defined]
    return plus(*out)


def _shared(number: Expr, factors: tuple[Expr, ...]) -> tuple[Expr, tuple[Expr, ...]]:
    """Write (J a − b)/J as a − b/J: a mean is a mean where it stands."""
    sizes_ = [f for f in factors if not f.has(Access) and not f.atoms(Index)]
    common = sympy.Mul(number, *sizes_)
    if not (1 / common).is_integer or abs(common) == 1:
        return number, factors
    for chosen in (f for f in factors if isinstance(f, sympy.Add)):
        terms = [sympy.Mul(common, t) for t in chosen.args]
        if any(_coefficient(t) in (1, -1) for t in terms):
            return S.One, tuple(sympy.Add(*terms) if f is chosen else f for f in factors if f not in sizes_)
    return number, factors


def _coefficient(term: Expr) -> Expr:
    return sympy.Mul(*(f for f in sympy.Mul.make_args(term) if not f.has(Access) and not f.atoms(Index)))


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


def _identified(factor: Expr, running: frozenset[Index]) -> tuple[Index, Index] | None:
    if isinstance(factor, Indicator) and isinstance(factor.condition, sympy.Eq):
        left, right = factor.condition.args
        if isinstance(left, Index) and isinstance(right, Index) and not running & {left, right} and left.extent == right.extent:
            return (left, right)
    return None


def _picked(e: Access, chosen: Access) -> Expr:
    """Write A[n, y[n]] as Σ_k A[n, k] [k = y[n]]."""
    place = e.index.index(chosen)
    index = Index(f"~pick{place}", e.tensor.axes[place].extent)
    parts = (*e.index[:place], index, *e.index[place + 1 :])
    return Sum(Access(e.tensor, *parts) * Indicator(sympy.Eq(index, chosen)), index)


__all__ = ["Stepped", "matrix_form", "stepped_axes"]
