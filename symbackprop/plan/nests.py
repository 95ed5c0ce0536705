"""From equations over one domain to loops: where each sum is done, what is shared, which guards become loop bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from typing import Any

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import (
    Abs,
    ArgMax,
    Divides,
    Floor,
    Guard,
    Indicator,
    InRange,
    LogSumExp,
    Max,
    Reduction,
    Sigmoid,
    Softplus,
    Sum,
    interval,
)
from symbackprop.algebra.tensor import Access, Tensor, depth
from symbackprop.errors import EmissionError
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.records import Add, Choose, HalfTanh, Let, Local, Loop, Operand, Statement, Store, Update, When, Zero

_LETTERS = "ijklmpqrstuvwhdefgabc"


def loops(equations: Sequence[Equation], stored: frozenset[str], given: tuple[Index, ...] = ()) -> tuple[Statement, ...]:
    """Return the nest that computes equations over one domain, each after those that it reads.

    Args:
        equations: their left sides have the same indices; none reads another one's tensor at another place.
        stored: names of the tensors that are written to memory; the others stay local scalars.
        given: indices of loops around the nest.
    """
    pieces = _pieces(equations, given)
    if len(pieces) > 1:
        return tuple(s for start, stop, piece in pieces for s in _nest(piece, stored, given, {piece[0].lhs.index[-1]: (start, stop)}))
    return _nest(equations, stored, given, {})


def added_rows(equations: Sequence[Equation], stored: frozenset[str]) -> tuple[Statement, ...]:
    """Return loops that add whole rows, or none where an equation is no sum of rows that lie side by side.

    Σ_n d[n, i] read along n takes one entry of every row, and one addition waits for the other. Row after row, the entries of a
    row are independent; each of them is still added in the order of n, so that the bits are the same.
    """
    e = equations[0]
    index = e.lhs.index
    if len(equations) > 1 or not index or not isinstance(e.rhs, Sum) or e.tensor.name not in stored or not e.lhs.plain:
        return ()
    body, bound, last = e.rhs.body, e.rhs.bound, index[-1]
    accesses = sorted(body.atoms(Access), key=sympy.default_sort_key)
    along = [a for a in accesses if a.tensor.rank and a.index[-1] == last and last not in a.index[:-1]]
    if not along or body.has(Reduction, ArgMax, Guard) or not all(a.plain for a in accesses):
        return ()
    if any(last in a.free_symbols or a.index[-1] in bound for a in accesses if a.tensor.rank and a not in along):
        return ()
    # What is the same for a row is read once.
    fixed = {a: Local(a.tensor.name) for a in accesses if a not in along and not a.tensor.integer}
    if len(set(fixed.values())) < len(fixed) or last in bound:
        return ()
    inner: tuple[Statement, ...] = (Loop(last, S.Zero, last.extent, (Add(e.lhs, body.xreplace(fixed)),)),)
    inner = (*(Let(local, a) for a, local in fixed.items()), *inner)
    for b in reversed(bound):
        inner = (Loop(b, S.Zero, b.extent, inner),)
    inner = (Loop(last, S.Zero, last.extent, (Store(e.lhs, S.Zero),)), *inner)
    for outer in reversed(index[:-1]):
        inner = (Loop(outer, S.Zero, outer.extent, inner),)
    return inner


def scattered(equations: Sequence[Equation], stored: frozenset[str]) -> tuple[Statement, ...]:
    """Return loops that add every term where it belongs, or none where the equation does not say where that is.

    In Σ_n d[n, i] [v = x[n]] every v looks at all n; but x[n] is the only v that n is added to. Each entry is still added in the
    order of n, and what was 0 is left out, so that the bits are the same.
    """
    e = equations[0]
    if len(equations) > 1 or not isinstance(e.rhs, Sum) or e.tensor.name not in stored or not e.lhs.plain:
        return ()
    index, bound = e.lhs.index, e.rhs.bound
    factors = sympy.Mul.make_args(e.rhs.body)
    guards = [f for f in factors if isinstance(f, Guard)]
    term = sympy.Mul(*(f for f in factors if f not in guards))
    place: dict[Expr, Expr] = {}
    for guard in guards:
        sides = guard.condition.args if isinstance(guard, Indicator) and isinstance(guard.condition, sympy.Eq) else ()
        for own, other in (sides, sides[::-1]) if sides else ():
            reads = other.atoms(Access)
            told = bool(reads) and all(a.tensor.integer and a.plain for a in reads) and not other.free_symbols & {*index}
            if own in index and own not in place and told:
                place[own] = other
                break
        else:
            return ()
    if not place or term.free_symbols & place.keys() or term.has(Reduction, ArgMax, Guard) or leaves(term):
        return ()
    left = tuple(i for i in index if i not in place)
    body: tuple[Statement, ...] = (Add(e.lhs.xreplace(place), term),)
    for i in reversed(left):
        body = (Loop(i, S.Zero, i.extent, body),)
    body = (When(tuple(InRange(other, own.extent) for own, other in place.items()), body),)
    for b in reversed(bound):
        body = (Loop(b, S.Zero, b.extent, body),)
    return (Zero(Operand(e.tensor, tuple("row" for _ in index))), *body)


def _nest(
    equations: Sequence[Equation], stored: frozenset[str], given: tuple[Index, ...], ends: Mapping[Index, tuple[Expr, Expr]]
) -> tuple[Statement, ...]:
    halves = _halves(equations, given) if not ends else {}
    domain = [halves[i][0] if i in halves else i for i in equations[0].lhs.index if i not in given]
    # Blocks outside, so that what is the same for a block is read once; but an axis that lies side by side stays innermost.
    within = tuple(r for _, r in halves.values())
    last = () if not domain or equations[0].lhs.index[-1] in halves else tuple(domain[-1:])
    return _Nest((*domain[: len(domain) - len(last)], *within, *last), {}, ends).run(equations, stored, halves)


#: More pieces than this are no longer read as one.
MOST_PIECES = 8


def _pieces(equations: Sequence[Equation], given: tuple[Index, ...]) -> list[tuple[Expr, Expr, tuple[Equation, ...]]]:
    """Return the equations for each part of the last index in which its guards [0 ≤ r + c < n] are all decided.

    What is stacked along an axis, as the gates of a recurrent layer, is so written part by part.
    """
    last = equations[0].lhs.index[-1] if equations[0].lhs.index else None
    if last is None or last in given or not last.extent.is_Integer or any(e.lhs.index[-1] != last for e in equations):
        return []
    guards: dict[Expr, tuple[int, int]] = {}
    if any(node.has(InRange) for e in equations for node in e.rhs.atoms(Max, ArgMax, LogSumExp)):
        # There a guard takes a value out; it does not make it 0.
        return []
    for e in equations:
        for guard in e.rhs.atoms(InRange):
            shift = guard.args[0] - last
            if shift.is_Integer and guard.args[1].is_Integer:
                guards[guard] = max(0, int(-shift)), min(int(last.extent), int(guard.args[1] - shift))
    cuts = sorted({0, int(last.extent), *(min(end, int(last.extent)) for ends in guards.values() for end in ends)})
    if len(guards) < 2 or len(cuts) - 1 > MOST_PIECES:
        return []
    found = []
    for start, stop in pairwise(cuts):
        swap = {g: S.One if low <= start and stop <= high else S.Zero for g, (low, high) in guards.items()}
        piece = tuple(with_right_side(e, e.rhs.xreplace(swap)) for e in equations)
        found.append((sympy.Integer(start), sympy.Integer(stop), piece))
    return found


#: For an index i: the index I of blocks of b places, and the index r inside a block, with i = b I + r.
_Halves = Mapping[Index, tuple[Index, Index]]


def _halves(equations: Sequence[Equation], given: tuple[Index, ...]) -> _Halves:
    """Return the indices that are better run through in blocks: those of which the right sides want the whole part of i/b."""
    domain = equations[0].lhs.index
    wanted: dict[Index, set[Expr]] = {}
    for e in equations:
        own = dict(zip(e.lhs.index, domain, strict=True))
        for floor in e.rhs.atoms(Floor):
            (u,) = floor.args
            used = [s for s in u.free_symbols if s in own]
            if len(used) == 1 and u.free_symbols == set(used):
                wanted.setdefault(own[used[0]], set()).add(used[0] / u)
    taken = {i.name for e in equations for i in (*e.lhs.index, *bound_indices(e.rhs))}
    found: dict[Index, tuple[Index, Index]] = {}
    for i in domain:
        (size, *others) = wanted.get(i, {S.Zero})
        if i not in wanted or others or i in given or not (size.is_Integer and size > 1 and i.extent.is_Integer and i.extent % size == 0):
            continue
        names: list[str] = []
        for name in (i.name.upper(), *_LETTERS):
            if name not in taken and len(names) < 2:
                names.append(name)
                taken.add(name)
        found[i] = Index(names[0], i.extent / size), Index(names[1], size)
    return found


def ranged(domain: tuple[Index, ...], guards: Sequence[Expr], statement: Statement) -> tuple[Statement, ...]:
    """Return loops over a domain with one statement, guards as bounds of the loops where they can be."""
    left = list(guards)
    opened = _bounded(domain, left)
    body: tuple[Statement, ...] = (When(tuple(left), (statement,)),) if left else (statement,)
    for level in reversed(opened):
        assert level.index is not None
        body = (Loop(level.index, level.start, level.stop, body),)
    return body


def _bounded(bound: Sequence[Index], guards: list[Expr]) -> list[_Level]:
    """Return levels over some indices, and take from the guards those that have become bounds of loops."""
    opened: list[_Level] = []
    for index in bound:
        start, stop, before = S.Zero, index.extent, len(guards)
        for guard in list(guards):
            limits = _limits(guard, index, bound)
            if limits is not None:
                guards.remove(guard)
                start, stop = _larger(start, limits[0]), _smaller(stop, limits[1])
        opened.append(_Level(index, start, stop, len(guards) < before))
    return opened


def scalars(
    equations: Sequence[Equation], index: Index, known: Mapping[Tensor, Expr]
) -> tuple[tuple[Statement, ...], tuple[Statement, ...], dict[Tensor, Expr]]:
    """Return statements for rank-0 and rank-1 equations over one flat index, every result kept in a local.

    The first statements come before the loop over ``index``, the second inside it. ``known`` has the expressions of what is
    given.
    """
    nest = _Nest((index,), dict(known))
    nest.given(tuple(known.values()))
    results = nest.locals(equations, index)
    return tuple(nest.levels[0].body), tuple(nest.levels[1].body), results


def accumulation(
    bound: Sequence[Index], axes: tuple[Index, ...], body: Expr, statement: Callable[[Expr], Statement], *, kind: str = "sum"
) -> tuple[Statement, ...]:
    """Return loops over bound indices, inside them loops over axes, with one statement for each value of ``body``; see `_Nest.inside`."""
    nest = _Nest((), {})
    nest.given((body,))
    nest.inside((*bound, *axes), body, nest.levels, statement, kind=kind)
    return nest.closed(nest.levels)


@dataclass(eq=False)
class _Level:
    """A loop while it is being filled; the first level is the function itself.

    ``guarded`` says that its bounds stand for guards: they hold in the loop, and not before it.
    """

    index: Index | None
    start: Expr = S.Zero
    stop: Expr = S.Zero
    guarded: bool = False
    body: list[Statement] = field(default_factory=list)
    memo: dict[Any, Expr] = field(default_factory=dict)


class _Nest:
    def __init__(self, domain: tuple[Index, ...], known: dict[Tensor, Expr], ends: Mapping[Index, tuple[Expr, Expr]] | None = None) -> None:
        self.known = known
        self.levels = [_Level(None), *(_Level(i, *(ends or {}).get(i, (S.Zero, i.extent))) for i in domain)]
        self.names: dict[str, int] = {}
        self.depth: dict[Local, int] = {}
        self.held = False

    def run(self, equations: Sequence[Equation], stored: frozenset[str], halves: _Halves) -> tuple[Statement, ...]:
        indices: tuple[Index, ...] = equations[0].lhs.index
        whole = {Floor(i / r.extent): block for i, (block, r) in halves.items()}
        parts = {i: r.extent * block + r for i, (block, r) in halves.items()}
        domain = tuple(i.xreplace(parts) for i in indices)
        inner: dict[str, Expr] = {}
        values: list[Expr] = []
        targets: list[Access | Local] = []
        written = {e.tensor.name for e in equations if e.tensor.name in stored}
        self.given([e.rhs for e in equations])
        for e in equations:
            rhs = e.rhs.xreplace(dict(zip(e.lhs.index, indices, strict=True))) if e.lhs.index != indices else e.rhs
            if halves:
                rhs = rhs.xreplace(whole).xreplace(parts)
            if any(a.tensor.name in inner for node in rhs.atoms(Reduction, ArgMax) for a in node.atoms(Access)):
                # A sum is done before what follows it, so what it reads must be assigned by then.
                self.assign(targets, values, self.levels)
                targets, values = [], []
            rhs = rhs.xreplace({a: inner[a.tensor.name] for a in rhs.atoms(Access) if a.tensor.name in inner and a.index == domain})
            target: Access | Local = e.tensor[domain] if e.tensor.name in stored else self.local(e.tensor.name, len(self.levels) - 1)
            inner[e.tensor.name] = target
            elsewhere = written - {e.tensor.name} if target in rhs.atoms(Access) else written
            values.append(self.read_before(self.reduced(rhs, self.levels), {part: i.extent for i, part in parts.items()}, elsewhere))
            targets.append(target)
        self.assign(targets, values, self.levels)
        return self.closed(self.levels)

    def read_before(self, value: Expr, extents: Mapping[Expr, Expr], written: set[str]) -> Expr:
        """Read what a value chooses among into locals, so that a compiler may choose without jumping.

        That is done with what lies in range whatever is chosen, and is not written by this nest. ``extents`` has those of places
        that are no indices.
        """
        if not value.has(Indicator):
            return value
        swap: dict[Expr, Expr] = {}
        for a in sorted(value.atoms(Access), key=sympy.default_sort_key):
            within = all(_within(part, axis, extents) for part, axis in zip(a.index, a.tensor.axes, strict=True))
            if a.tensor.integer or a.tensor.name in written or not within:
                continue
            depth = self.level(a, self.levels)
            known = self.levels[depth].memo
            if a not in known:
                known[a] = self.local(a.tensor.name, depth)
                self.levels[depth].body.append(Let(known[a], a))
            swap[a] = known[a]
        return value.xreplace(swap)

    def locals(self, equations: Sequence[Equation], index: Index) -> dict[Tensor, Expr]:
        results: dict[Tensor, Expr] = {}
        for e in equations:
            swap = dict(zip(e.lhs.index, (index,), strict=False))
            rhs = self.inlined(e.rhs.xreplace(swap), equations, index)
            rhs = rhs.xreplace({a: results.get(a.tensor, self.known.get(a.tensor, a)) for a in rhs.atoms(Access)})
            target = self.local(e.tensor.name, min(e.tensor.rank, 1))
            value = self.reduced(rhs, self.levels)
            if e.tensor.rank:
                value = self.hoisted(value)
            self.assign([target], [value], self.levels)
            results[e.tensor] = target
        return results

    def hoisted(self, e: Expr) -> Expr:
        """Name what does not change from entry to entry before the loop, so that it is computed once and exactly."""
        if not e.args or isinstance(e, Access):
            return e
        if isinstance(e, sympy.Add | sympy.Mul):
            fixed = [a for a in e.args if self.constant(a)]
            if len(fixed) == len(e.args) or sum(not a.is_Number for a in fixed) > 1:
                moving = [self.hoisted(a) for a in e.args if a not in fixed]
                return e.func(self.before(e.func(*fixed)), *moving)
        elif self.constant(e) and not isinstance(e, Guard | Local):
            return self.before(e)
        return rebuilt(e, tuple(self.hoisted(a) for a in e.args))

    def constant(self, e: Any) -> bool:
        return not e.has(Access) and (e.is_Number or all(isinstance(s, Local) and not self.depth.get(s, 0) for s in e.free_symbols))

    def before(self, e: Expr) -> Expr:
        if e.is_Number:
            return e
        if e not in self.levels[0].memo:
            local = self.local("factor", 0)
            self.levels[0].body.append(Let(local, e))
            self.levels[0].memo[e] = local
        return self.levels[0].memo[e]

    def inlined(self, rhs: Expr, equations: Sequence[Equation], index: Index) -> Expr:
        """Inside a sum over all entries a tensor that is only known entry by entry is replaced by its definition."""
        defined = {e.tensor: e for e in equations if e.tensor.rank}
        while True:
            swap: dict[Expr, Expr] = {}
            for node in rhs.atoms(Reduction):
                for a in node.atoms(Access):
                    if a.tensor in defined and a.index != (index,):
                        e = defined[a.tensor]
                        swap[a] = e.rhs.xreplace(dict(zip(e.lhs.index, a.index, strict=True)))
            if not swap:
                return rhs
            rhs = rhs.xreplace(swap)

    # Places

    def local(self, name: str, depth: int, *, integer: bool = False) -> Local:
        count = self.names[name] = self.names.get(name, 0) + 1
        made = Local(name if count == 1 else f"{name}_{count}", integer=integer)
        while made in self.depth:
            count = self.names[name] = count + 1
            made = Local(f"{name}_{count}", integer=integer)
        self.depth[made] = depth
        return made

    def given(self, values: Sequence[Expr]) -> None:
        """Leave the names alone that some values already have for what is outside of this nest."""
        self.depth.update((s, 0) for value in values for s in value.free_symbols if isinstance(s, Local) and s not in self.depth)

    def level(self, expr: Expr, levels: Sequence[_Level]) -> int:
        """The shallowest loop in which all indices and locals of an expression have values, and what it reads is there."""
        symbols = expr.free_symbols
        deepest = 0
        for k, level in enumerate(levels):
            if level.index is not None and level.index in symbols:
                deepest = k
        if any(level.guarded for level in levels[deepest + 1 :]) and leaves(expr):
            deepest = max(k for k, level in enumerate(levels) if level.guarded)
        return max([deepest, *(self.depth[s] for s in symbols if isinstance(s, Local) and s in self.depth)])

    def home(self, part: Expr, levels: Sequence[_Level]) -> int:
        """The loop in which a named part is computed: under guards, not before what they keep from being read."""
        return len(levels) - 1 if self.held and leaves(part) else self.level(part, levels)

    def closed(self, levels: Sequence[_Level]) -> tuple[Statement, ...]:
        body: tuple[Statement, ...] = ()
        for level in reversed(levels):
            body = (*level.body, *body)
            if level.index is not None:
                body = (Loop(level.index, level.start, level.stop, body),)
        return body

    # Reductions

    def reduced(self, e: Expr, levels: list[_Level], guards: tuple[Expr, ...] = ()) -> Expr:
        """Return ``e`` with its reductions done beforehand, each at the shallowest loop whose indices it uses.

        Args:
            e: an expression.
            levels: the loops around it.
            guards: what holds where ``e`` is read; a reduction that might read out of range elsewhere is done under them only.
        """
        if isinstance(e, Reduction | ArgMax):
            needed = guards if guards and leaves(e) else ()
            where = levels[self.level(sympy.Tuple(e, *needed), levels)]
            if (e, needed) not in where.memo:
                where.memo[e, needed] = self.reduction(e, levels[: levels.index(where) + 1], needed)
            return where.memo[e, needed]
        if not e.args or isinstance(e, Tensor) or not e.has(Reduction, ArgMax):
            return e
        if not isinstance(e, sympy.Mul):
            return rebuilt(e, tuple(self.reduced(a, levels, guards) for a in e.args))
        own = [f for f in e.args if _places(f) and f not in guards]
        made = []
        for f in e.args:
            # Of two guards that read, neither stands in front of the other.
            before = tuple(g for g in own if g != f and not (_places(f) and g.has(Access)))
            made.append(self.reduced(f, levels, guards + before))
        rest = [f for f in made if not isinstance(f, Guard)]
        if own and len(own) + 1 == len(made) and len(rest) == 1 and any(isinstance(f, Sum) and leaves(f) for f in e.args):
            # A sum that is done under the guards is 0 elsewhere.
            return rest[0]
        return rebuilt(e, tuple(made))

    def reduction(self, e: Expr, levels: list[_Level], guards: tuple[Expr, ...]) -> Expr:
        # A guard that is tested further in brings names along that may be taken there.
        e = _apart(e, {level.index.name for level in levels if level.index is not None})
        depth = len(levels) - 1
        here = levels[-1].body
        if isinstance(e, ArgMax):
            name = f"best_{e.wanted.name}" if isinstance(e.wanted, Index) else "place"
            best, at = self.local("best", depth), self.local(name, depth, integer=True)
            here += [Let(best, -sympy.oo), Let(at, S.Zero)]
            with self.under(guards, levels):
                self.inside(e.bound, e.body, levels, lambda value: Choose(best, at, value, e.wanted), guards, kind="largest")
            levels[-1].memo[Max(e.body, *e.bound), guards] = best
            return at
        if isinstance(e, LogSumExp):
            top = self.local("top", depth)
            here.append(Let(top, -sympy.oo))
            with self.under(guards, levels):
                term, seen = masked(e.body)
                kind = "largest" if seen else "all"
                self.inside(e.bound, sympy.Mul(term, *seen), levels, lambda value: Update(top, "max", value), guards, kind=kind)
            shift, total = self.local("shift", depth), self.local("total", depth)
            # Where the largest value is infinite there is nothing to shift; otherwise inf − inf would be NaN.
            here += [Let(shift, top * finite(top)), Let(total, S.Zero)]
            with self.under(guards, levels):
                self.inside(e.bound, sympy.Mul(sympy.exp(term - shift), *seen), levels, lambda value: Update(total, "sum", value), guards)
            return shift + sympy.log(total)
        if isinstance(e, Max):
            done = (node for node, under in levels[-1].memo if isinstance(node, ArgMax) and under == guards and same_window(node, e))
            if (search := next(done, None)) is not None:
                # One search gives the place and the largest value.
                return levels[-1].memo[Max(search.body, *search.bound), guards]
            top = self.local("top", depth)
            here.append(Let(top, -sympy.oo))
            with self.under(guards, levels):
                self.inside(e.bound, e.body, levels, lambda value: Update(top, "max", value), guards, kind="largest")
            return top
        if isinstance(e, Sum):
            total = self.local("total", depth)
            here.append(Let(total, S.Zero))
            with self.under(guards, levels):
                self.inside(e.bound, e.body, levels, lambda value: Update(total, "sum", value), guards)
            return total
        raise EmissionError(f"the planner has no loop for {type(e).__name__}")

    @contextmanager
    def under(self, guards: tuple[Expr, ...], levels: list[_Level], around: tuple[Expr, ...] = ()) -> Iterator[None]:
        """Put what is appended to the last level meanwhile under guards, and forget what is known there only."""
        if not guards:
            yield
            return
        # A guard may compare what a reduction finds.
        tests = tuple(self.reduced(g, levels, around + _far_guards(guards[:k])) for k, g in enumerate(guards))
        last = levels[-1]
        body, memo, held = last.body, dict(last.memo), self.held
        last.body, self.held = [], True
        yield
        inside, last.body, last.memo, self.held = tuple(last.body), body, memo, held
        last.body.append(When(tests, inside))

    def inside(self, bound, body, levels, statement, around=(), *, kind="sum") -> None:  # type: ignore[no-untyped-def]
        """Append loops over ``bound`` to the last level, with one statement for the value of ``body``.

        Where a guard of the body does not hold, a "sum" has nothing to add, and among values of which the "largest" is looked
        for there is none; "all" counts them as the 0 that they are.
        """
        factors = sympy.Mul.make_args(body)
        guards = [f for f in factors if isinstance(f, Guard)] if kind != "all" else []
        opened = _bounded(bound, guards)
        inner = levels + opened
        first = len(levels)
        if kind == "largest" and guards:
            rest = sympy.Mul(*(f for f in factors if not isinstance(f, Guard)))
            with self.under(in_order(guards), inner, around):
                value = self.reduced(rest, inner, around + _far_guards(guards))
                inner[-1].body.append(statement(self.named([value], inner)[0]))
        else:
            rest = body if kind == "all" else sympy.Mul(*(f for f in factors if not isinstance(f, Guard)), *guards)
            value = self.reduced(rest, inner, around)
            inner[-1].body.append(statement(self.named([value], inner)[0]))
        levels[-1].body.extend(self.closed(inner[first:]))

    # Sharing

    def assign(self, targets: Sequence[Access | Local], values: Sequence[Expr], levels: list[_Level]) -> None:
        """Append one assignment after the other; what several of them share is named before its first use."""
        lets, shared = _shared(values, self)
        pending = dict(lets)
        for target, value in zip(targets, shared, strict=True):
            self.place(value, pending, levels)
            value = self.powers(value, levels)
            where = levels[-1] if isinstance(target, Access) else levels[self.depth[target]]
            where.body.append(Store(target, value) if isinstance(target, Access) else Let(target, value))

    def named(self, values: Sequence[Expr], levels: list[_Level]) -> list[Expr]:
        lets, shared = _shared(values, self)
        pending = dict(lets)
        for value in shared:
            self.place(value, pending, levels)
        return [self.powers(value, levels) for value in shared]

    def place(self, value: Expr, pending: dict[Local, Expr], levels: list[_Level]) -> None:
        """Append the named parts that ``value`` needs, innermost first."""
        for local in sorted((s for s in value.free_symbols if s in pending), key=lambda s: s.name):
            if local not in pending:
                continue
            part = pending.pop(local)
            self.place(part, pending, levels)
            part = self.powers(part, levels)
            depth = self.depth[local] = self.home(part, levels)
            levels[depth].body.append(Let(local, part))

    def powers(self, value: Expr, levels: list[_Level]) -> Expr:
        """Name the bases of whole powers, innermost first, so that a target can print b * b."""
        while True:
            found = sorted(filter(_nameable, _open_powers(value)), key=sympy.default_sort_key)
            inner = [power for power in found if not any(map(_nameable, power.base.atoms(sympy.Pow)))]
            if not inner:
                return value
            base = inner[0].base
            depth = self.home(base, levels)
            local = self.local("base", depth)
            levels[depth].body.append(Let(local, base))
            value = value.xreplace({p: sympy.Pow(local, p.exp) for p in found if p.base == base})


def _apart(e: Expr, taken: set[str]) -> Expr:
    """Return a reduction whose own indices have none of some names."""
    if not any(b.name in taken for b in e.bound):
        return e
    names = {*taken, *(s.name for s in e.body.free_symbols if isinstance(s, Index)), *(b.name for b in bound_indices(e))}
    swap: dict[Any, Any] = {}
    for b in e.bound:
        if b.name in taken:
            name = next(name for name in (*_LETTERS, *(f"i_{count}" for count in range(1, len(names) + 2))) if name not in names)
            names.add(name)
            swap[b] = Index(name, b.extent)
    bound = tuple(swap.get(b, b) for b in e.bound)
    return e.func(e.body.xreplace(swap), *((e.wanted.xreplace(swap),) if isinstance(e, ArgMax) else ()), *bound)


def same_window(search: ArgMax, largest: Max) -> bool:
    """Whether an argmax looks at the entries of a maximum, under whatever names."""
    orders = permutations(largest.bound) if len(largest.bound) == len(search.bound) <= 4 else ()
    return any(largest.body.xreplace(dict(zip(order, search.bound, strict=True))) == search.body for order in orders)


def _open_powers(e: Expr) -> set[Expr]:
    """Return the powers of an expression but for those that a guard keeps from being read."""
    if not e.args or isinstance(e, Access | Guard):
        return set()
    if isinstance(e, sympy.Mul) and any(isinstance(f, InRange | Divides) or (isinstance(f, Guard) and _far(e)) for f in e.args):
        return set()
    inner = set().union(*(_open_powers(a) for a in e.args))
    return inner | {e} if isinstance(e, sympy.Pow) else inner


def _nameable(e: sympy.Pow) -> bool:
    """Whether a power is whole and its base worth a name; what a guard keeps from being read is left where it is."""
    base = e.base
    simple = isinstance(base, Access | sympy.Symbol) or base.is_Number or base.has(InRange, Divides)
    return bool(e.exp.is_Integer and abs(e.exp) > 1 and not simple)


def _within(part: Expr, axis: Index, extents: Mapping[Expr, Expr]) -> bool:
    """Whether a place lies in an axis wherever its indices run."""
    extent = part.extent if isinstance(part, Index) else extents.get(part)
    return bool((axis.extent - extent).is_nonnegative) if extent is not None else not _may_leave(part, axis.extent)


def rebuilt(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """Return a node with other arguments; guards keep their comparison."""
    if isinstance(e, sympy.core.relational.Relational):
        return e.func(*args, evaluate=False)
    return e.func(*args)


def finite(local: Expr) -> Expr:
    """Return [|u| ≠ ∞]."""
    # Built past Indicator's own normalisation, which would move the infinity to the other side.
    return Expr.__new__(Indicator, sympy.Ne(Abs(local), sympy.oo, evaluate=False))


def masked(e: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """Return u and the guards of u + log [guard]: what they exclude is −∞, and is not read."""
    logs = [a for a in sympy.Add.make_args(e) if isinstance(a, sympy.log)]
    logs = [a for a in logs if all(isinstance(f, Guard) for f in sympy.Mul.make_args(a.args[0]))]
    if len(logs) != 1:
        return e, ()
    seen = sympy.Mul.make_args(logs[0].args[0])
    return sympy.Mul(*(f for f in sympy.Mul.make_args(e - logs[0]) if f not in seen)), seen


def _places(g: Expr) -> bool:
    """Whether a guard compares positions, so that addresses may be valid only where it holds: P = s y + u makes P no position of y."""
    if isinstance(g, Indicator):
        return isinstance(g.condition, sympy.Eq) and all(side.is_integer for side in g.condition.args)
    return isinstance(g, InRange | Divides)


def _far_guards(guards: Sequence[Expr]) -> tuple[Expr, ...]:
    """Return those of some guards that say where an address is valid."""
    return tuple(g for g in guards if _places(g))


def in_order(guards: Sequence[Expr]) -> tuple[Expr, ...]:
    """Return guards in an order in which they can be tested: an address is tested before it is read."""
    return tuple(sorted(guards, key=lambda g: (not _places(g), depth(g))))


def leaves(e: Expr, valid: frozenset[Expr] = frozenset()) -> bool:
    """Whether an expression might read out of range where nothing but its own guards, and those of ``valid``, holds it back."""
    if isinstance(e, Access):
        return any(_may_leave(p, a.extent) and p not in valid for p, a in zip(e.index, e.tensor.axes, strict=True)) or any(
            leaves(p, valid) for p in e.index
        )
    if not e.args or not e.has(Access):
        return False
    if isinstance(e, sympy.Mul):
        valid = valid | {g.args[0] for g in e.args if isinstance(g, InRange)}
    return any(leaves(a, valid) for a in e.args)


def _may_leave(part: Expr, extent: Expr) -> bool:
    if isinstance(part, Index) and part.extent == extent:
        return False
    low, high = interval(part)
    return low is None or high is None or not (low.is_nonnegative and (extent - 1 - high).is_nonnegative)


def _limits(guard: Expr, index: Index, bound: Sequence[Index]) -> tuple[Expr, Expr] | None:
    """Return start and stop of a loop over ``index`` that a guard [0 <= c·index + r < size] allows, c a whole number of either sign."""
    if not isinstance(guard, InRange):
        return None
    e, size = guard.args
    if guard.has(Access):
        return None
    later = bound[list(bound).index(index) + 1 :]
    if any(other in e.free_symbols for other in later):
        return None
    step = sympy.expand(e).coeff(index, 1)
    rest = sympy.expand(e - step * index)
    if index in rest.free_symbols or not step.is_Integer or step == 0:
        return None
    if step > 0:
        # From ⌈−r/c⌉ up to but not ⌈(size − r)/c⌉, a ceiling being the floor of what is c − 1 larger.
        return Floor((step - 1 - rest) / step), Floor((size - rest + step - 1) / step)
    return Floor((rest - size) / -step) + 1, Floor(rest / -step) + 1


def _larger(a: Expr, b: Expr) -> Expr:
    if (b - a).is_nonpositive:
        return a
    return b if (b - a).is_nonnegative else sympy.Max(a, b, evaluate=False)


def _smaller(a: Expr, b: Expr) -> Expr:
    if (b - a).is_nonnegative:
        return a
    return b if (b - a).is_nonpositive else sympy.Min(a, b, evaluate=False)


def _shared(values: Sequence[Expr], nest: _Nest) -> tuple[list[tuple[Local, Expr]], list[Expr]]:
    """Name what occurs twice. Accesses and guards are taken as atoms; what a guard keeps from being read is left alone."""
    values = _halved(values)
    back: dict[Expr, Expr] = {}
    atoms: dict[Expr, Expr] = {}

    def atom(e: Expr) -> Expr:
        if e not in atoms:
            atoms[e] = sympy.Symbol(f"@{len(atoms)}", real=True)
            back[atoms[e]] = e
        return atoms[e]

    def hide(e: Expr) -> Expr:
        if isinstance(e, Access | Guard) or not e.args:
            return atom(e) if e.args else e
        if isinstance(e, sympy.Mul) and any(isinstance(f, InRange | Divides) or (isinstance(f, Guard) and _far(e)) for f in e.args):
            return atom(e)
        return rebuilt(e, tuple(hide(a) for a in e.args))

    hidden = [hide(v) for v in values]
    if sum(sympy.count_ops(h) for h in hidden) < 3:
        return [], list(values)
    lets, rest = sympy.cse(hidden, symbols=(sympy.Symbol(f"#{k}", real=True) for k in range(10**6)), order="canonical")
    named: list[tuple[Local, Expr]] = []
    names: dict[Expr, Expr] = {}
    meaning: dict[Expr, Expr] = {}
    whole: dict[Expr, Expr] = {}
    for symbol, part in lets:
        local = nest.local("t", 0)
        meaning[symbol] = part.xreplace(meaning)
        names[symbol] = local
        named.append((local, part.xreplace(names).xreplace(back)))
        whole[meaning[symbol].xreplace(back)] = local
    # What has a name is called by it in comparisons too; longer parts first.
    longest = dict(sorted(whole.items(), key=lambda item: -sympy.count_ops(item[0])))

    def tests(e: Expr) -> Expr:
        guards = {g: _tested(g, longest) for g in e.atoms(Indicator)}
        return e.xreplace({g: new for g, new in guards.items() if new != g})

    return named, [tests(r.xreplace(names).xreplace(back)) for r in rest]


def _halved(values: Sequence[Expr]) -> list[Expr]:
    """Write tanh(u/2) as a function of u where other functions of exp(−|u|) are wanted too: they share that."""
    kinds = (Sigmoid, Softplus, sympy.tanh)
    beside = {sign * f.args[0] for v in values for f in v.atoms(*kinds) for sign in (1, -1)}
    swap = {f: HalfTanh(2 * f.args[0]) for v in values for f in v.atoms(sympy.tanh) if 2 * f.args[0] in beside}
    return [v.xreplace(swap) for v in values]


def _tested(guard: Indicator, names: Mapping[Expr, Expr]) -> Expr:
    """Return a comparison with the parts that have names called by them, in the form in which it stands."""
    condition = guard.condition
    sides = tuple(side.xreplace(dict(names)) for side in condition.args)
    if sides == condition.args:
        return guard
    return Expr.__new__(Indicator, condition.func(*sides, evaluate=False))


def _far(e: Expr) -> bool:
    """Whether a product reads at a computed place, or along an axis of another extent."""
    return any(not a.plain or any(p.extent != i.extent for p, i in zip(a.index, a.tensor.axes, strict=True)) for a in e.atoms(Access))


__all__ = [
    "accumulation",
    "added_rows",
    "finite",
    "in_order",
    "leaves",
    "loops",
    "masked",
    "ranged",
    "rebuilt",
    "same_window",
    "scalars",
    "scattered",
]
