"""Which sums are matrix products: by the roles of their indices, and in which of the possible layouts each is cheapest.

In Σ_k A[…] B[…] over (outputs) an index is of the batch where both factors have it, of the rows or columns where one has it, and
inner where it is summed in both. Any indices side by side in memory count as one. A factor that lies otherwise, or is read at
computed places (the windows of a convolution), is copied into a matrix first: zero where a guard fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Guard, InRange, Reduction, Sum
from symbackprop.algebra.tensor import Access
from symbackprop.plan.fuse import terms
from symbackprop.plan.nests import leaves
from symbackprop.plan.records import Machine
from symbackprop.plan.windows import Windows, windows


@dataclass(frozen=True)
class Factor:
    """One factor of a product.

    Attributes:
        access: what is read.
        guards: where it is 0 instead.
    """

    access: Access
    guards: tuple[Expr, ...]

    @property
    def indices(self) -> frozenset[Index]:
        """Every index that decides what is read."""
        found = set()
        for e in (*self.access.index, *self.guards):
            found |= {s for s in e.free_symbols if isinstance(s, Index)}
        return frozenset(found)

    def renamed(self, swap: Mapping[Any, Any]) -> Factor:
        """Return the factor in other names."""
        return Factor(self.access.xreplace(swap), tuple(g.xreplace(swap) for g in self.guards))


@dataclass(frozen=True)
class Candidate:
    """A sum of products inside an equation.

    Attributes:
        node: the sum.
        scale: the number in it.
        factors: the two that depend on indices.
        always: guards on indices that do not run here; where one fails the sum is 0.
        out: the indices that run, in the order of the equation's left side.
        batch: those that both factors have.
        own: those that only the first, only the second has.
        inner: the summed ones.
        steps: indices of loops around it, in each step of which it is done once.
    """

    node: Expr
    scale: Expr
    factors: tuple[Factor, Factor]
    always: tuple[Expr, ...]
    out: tuple[Index, ...]
    batch: tuple[Index, ...]
    own: tuple[tuple[Index, ...], tuple[Index, ...]]
    inner: tuple[Index, ...]
    steps: tuple[Index, ...] = ()

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices that run, summed ones last."""
        return (*self.out, *self.inner)

    def renamed(self, swap: Mapping[Any, Any]) -> Candidate:
        """Return the product in other names."""
        first, second = self.factors
        return Candidate(
            self.node.xreplace(swap),
            self.scale,
            (first.renamed(swap), second.renamed(swap)),
            _renamed(self.always, swap),
            _renamed(self.out, swap),
            _renamed(self.batch, swap),
            (_renamed(self.own[0], swap), _renamed(self.own[1], swap)),
            _renamed(self.inner, swap),
            _renamed(self.steps, swap),
        )


@dataclass(frozen=True)
class Rows:
    """A sum whose terms lie side by side along the last index of the result, so that whole rows are added at once.

    Attributes:
        node: the sum.
        body: a term without its guards.
        guards: where it is 0 instead.
        out: the indices that run, in the order of the equation's left side.
        inner: the summed ones.
    """

    node: Expr
    body: Expr
    guards: tuple[Expr, ...]
    out: tuple[Index, ...]
    inner: tuple[Index, ...]

    def renamed(self, swap: Mapping[Any, Any]) -> Rows:
        """Return the sum in other names."""
        guards = _renamed(self.guards, swap)
        return Rows(self.node.xreplace(swap), self.body.xreplace(swap), guards, _renamed(self.out, swap), _renamed(self.inner, swap))


@dataclass(frozen=True)
class Split:
    """A sum over channels and places, in two: Σ_q [guards] T[a(q), b(q)] with T[a, b] = Σ_k A[k, a] B[k, b], a matrix product.

    This is the way back through windows: no factor is copied, and what is read at computed places is T.

    Attributes:
        node: the sum.
        kept: indices of loops around both sums.
        product: T, over the axes of both factors.
        places: where T is read, in the order of ``product.out``.
        guards: where nothing is read.
        out: the indices that run, in the order of the equation's left side.
        inner: the summed ones that are left.
        beside: whether the terms of the second sum lie side by side along the last index of the result.
        fresh: axes of T that no tensor has by that name.
    """

    node: Expr
    kept: tuple[Index, ...]
    product: Candidate
    places: tuple[Expr, ...]
    guards: tuple[Expr, ...]
    out: tuple[Index, ...]
    inner: tuple[Index, ...]
    beside: bool
    fresh: tuple[Index, ...]

    def renamed(self, swap: Mapping[Any, Any]) -> Split:
        """Return the sum in other names."""
        swap = {**swap, **{i: Index(i.name, i.extent.xreplace(dict(swap))) for i in self.fresh}}
        return Split(
            self.node.xreplace(swap),
            _renamed(self.kept, swap),
            self.product.renamed(swap),
            _renamed(self.places, swap),
            _renamed(self.guards, swap),
            _renamed(self.out, swap),
            _renamed(self.inner, swap),
            self.beside,
            _renamed(self.fresh, swap),
        )


@dataclass(frozen=True)
class Whole:
    """The sum of all entries of a tensor along its last axes, which lie side by side.

    Attributes:
        node: the sum.
        access: what is added up.
        out: the indices that run, in the order of the equation's left side.
        inner: the summed ones.
    """

    node: Expr
    access: Access
    out: tuple[Index, ...]
    inner: tuple[Index, ...]

    @property
    def places(self) -> tuple[Expr, ...]:
        """At which the first axes are fixed."""
        return self.access.index[: len(self.access.index) - len(self.inner)]

    def renamed(self, swap: Mapping[Any, Any]) -> Whole:
        """Return the sum in other names."""
        return Whole(self.node.xreplace(swap), self.access.xreplace(swap), _renamed(self.out, swap), _renamed(self.inner, swap))


@dataclass(frozen=True)
class Site:
    """A sum inside an equation, as a matrix product, as a sum of rows and in two sums, where it is one."""

    node: Expr
    product: Candidate | None
    rows: Rows | None
    split: Split | None
    windows: Windows | None = None
    whole: Whole | None = None

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices that run."""
        found = self.product or self.rows or self.split or self.windows or self.whole
        assert found is not None
        more = self.split.product.inner if found is self.split and self.split is not None else ()
        return (*found.out, *found.inner, *more)

    @property
    def extents(self) -> frozenset[Expr]:
        """Every extent that a choice may ask for."""
        found: set[Expr] = {i.extent for i in self.indices}
        for c in (self.product, self.split.product if self.split else None):
            if c is not None:
                found |= {i.extent for i in (*c.indices, *c.steps, *(a for f in c.factors for a in f.access.tensor.axes))}
        if self.windows is not None:
            found |= {extent for pair in self.windows.pairs for extent in pair}
        return frozenset(found)

    def work(self, size: Mapping[Expr, int]) -> int:
        """Return how many terms are added in all, what guards exclude left out."""
        outputs = math.prod(size[i.extent] for i in self.indices if i not in self.node.bound)
        reached = terms(self.node.bound, sympy.Mul.make_args(self.node.body))
        return outputs * math.prod(int(count.xreplace({e: sympy.Integer(v) for e, v in size.items()})) for count in reached)

    def renamed(self, swap: Mapping[Any, Any]) -> Site:
        """Return the sum in other names; that its factors may then stand in another order changes nothing."""
        return Site(
            self.node.xreplace(swap),
            None if self.product is None else self.product.renamed(swap),
            None if self.rows is None else self.rows.renamed(swap),
            None if self.split is None else self.split.renamed(swap),
            None if self.windows is None else self.windows.renamed(swap),
            None if self.whole is None else self.whole.renamed(swap),
        )


def _renamed(items: tuple[Any, ...], swap: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(item.xreplace(swap) for item in items)


def sites(equation: Equation, fixed: tuple[Index, ...] = ()) -> tuple[Site, ...]:
    """Return the sums of an equation for which there is more than plain loops, outermost sums only, in reading order.

    ``fixed`` indices do not run.
    """
    found: dict[Expr, tuple[Site | None, frozenset[Expr]]] = {}
    out = tuple(i for i in equation.lhs.index if i not in fixed)
    stack: list[tuple[Expr, frozenset[Expr]]] = [(equation.rhs, frozenset())]
    while stack:
        node, around = stack.pop()
        if isinstance(node, Sum):
            if node in found and found[node][1] != around:
                # Wanted under several guards, it is a sum that may read nothing where one of them fails.
                found[node] = None, around
            elif node not in found:
                found[node] = _site(node, out, around, fixed), around
        elif not isinstance(node, Reduction | ArgMax | Access):
            guards = frozenset(f for f in node.args if isinstance(f, Guard)) if isinstance(node, sympy.Mul) else frozenset()
            stack.extend((part, around | guards) for part in reversed(node.args))
    return tuple(site for site, _ in found.values() if site is not None)


def _site(node: Sum, out: tuple[Index, ...], around: frozenset[Expr], fixed: tuple[Index, ...]) -> Site | None:
    """Return a sum that stands beside some guards; it reads nothing where one of them fails."""
    factors = list(sympy.Mul.make_args(node.body))
    if any(isinstance(f, Access) and (not f.plain or leaves(f)) for f in factors):
        # What compares real values says nothing about places.
        places = (g for g in around if g not in factors and all(a.tensor.integer for a in g.atoms(Access)))
        factors += sorted(places, key=sympy.default_sort_key)
    product, rows, split = _candidate(node, factors, out, fixed), _rows(node, factors, out), _split(node, factors, out)
    slid, whole = windows(node, factors, out), _whole(node, factors, out)
    return Site(node, product, rows, split, slid, whole) if product or rows or split or slid or whole else None


def _whole(node: Sum, factors: Sequence[Expr], out: tuple[Index, ...]) -> Whole | None:
    (access, *others) = factors
    if others or not isinstance(access, Access) or access.tensor.integer:
        return None
    fixed = len(access.index) - len(node.bound)
    places, last = access.index[:fixed], access.index[fixed:]
    if fixed < 0 or set(last) != set(node.bound) or not all(isinstance(part, Index) and part in out for part in places):
        return None
    if any(i.extent != axis.extent for i, axis in zip(last, access.tensor.axes[fixed:], strict=True)):
        return None
    return Whole(node, access, out, tuple(node.bound)) if set(places) == set(out) else None


def _split(node: Sum, terms: Sequence[Expr], out: tuple[Index, ...]) -> Split | None:
    reads = [f for f in terms if isinstance(f, Access)]
    guards = tuple(f for f in terms if isinstance(f, Guard))
    if len(reads) != 2 or len(reads) + len(guards) != len(terms) or any(g.has(Access) for g in guards):
        return None
    if any(a.tensor.integer or any(part.has(Access) for part in a.index) for a in reads):
        return None
    first, second = reads
    channels = tuple(b for b in node.bound if _own_axis(first, b) and _own_axis(second, b) and not any(b in g.free_symbols for g in guards))
    rest = tuple(b for b in node.bound if b not in channels)
    if not channels or not rest or all(a.plain for a in reads):
        return None
    # The batch runs around both sums; what else the result has is where their terms are read.
    owners = [[a for a in reads if i in a.free_symbols] for i in out[:1]]
    kept = tuple(i for i, found in zip(out, owners, strict=False) if found and all(_own_axis(a, i) for a in found))
    kept = tuple(i for i in kept if not any(i in g.free_symbols for g in guards))
    fixed = {*channels, *kept}
    axes: list[tuple[Index, Expr]] = []
    factors = []
    fresh: list[Index] = []
    taken = {i.name for i in fixed}
    for a in reads:
        index = []
        for axis, part in zip(a.tensor.axes, a.index, strict=True):
            if part in fixed:
                index.append(part)
                continue
            name, count = axis.name, 1
            while name in taken:
                name, count = f"{axis.name}_{count}", count + 1
            taken.add(name)
            own = axis if name == axis.name else Index(name, axis.extent)
            fresh += [own] if own is not axis else []
            axes.append((own, part))
            index.append(own)
        factors.append(Factor(Access(a.tensor, *index), ()))
    names = [axis for axis, _ in axes]
    own_axes = tuple(tuple(i for i in names if i in f.indices) for f in factors)
    if not all(own_axes):
        return None
    whole = Sum(sympy.Mul(*(f.access for f in factors)), *channels)
    product = Candidate(whole, S.One, (factors[0], factors[1]), (), tuple(names), (), (own_axes[0], own_axes[1]), channels)
    left = tuple(i for i in out if i not in kept)
    last = left[-1] if left else None
    if last is None:
        return None
    beside = _unit(axes[-1][1], last) and all(last not in part.free_symbols for _, part in axes[:-1])
    beside = beside and all(last not in g.free_symbols or (isinstance(g, InRange) and _unit(g.args[0], last)) for g in guards)
    return Split(node, kept, product, tuple(part for _, part in axes), guards, out, rest, beside, tuple(fresh))


def _own_axis(a: Access, index: Index) -> bool:
    """Whether an index stands for exactly one axis of a tensor and in no other."""
    return sum(part == index for part in a.index) == 1 and sum(index in part.free_symbols for part in a.index) == 1


def _candidate(node: Sum, terms: Sequence[Expr], out: tuple[Index, ...], steps: tuple[Index, ...]) -> Candidate | None:
    reads: list[Access] = []
    guards: list[Expr] = []
    numbers: list[Expr] = []
    for f in terms:
        if isinstance(f, Access):
            reads.append(f)
        elif isinstance(f, Guard):
            guards.append(f)
        elif f.is_Number:
            numbers.append(f)
        else:
            return None
    if len(reads) != 2 or any(a.tensor.integer or any(part.has(Access) for part in a.index) for a in reads):
        return None
    running = {*out, *node.bound}
    sets = [{s for part in a.index for s in part.free_symbols} & running for a in reads]
    kept: tuple[list[Expr], list[Expr]] = ([], [])
    always = []
    for g in guards:
        if g.has(Access):
            return None
        used = g.free_symbols & running
        owners = [k for k in (0, 1) if used <= sets[k]]
        if not used:
            always.append(g)
        elif not owners:
            return None
        else:
            # Each factor that is read at computed places needs it for itself: there may be nothing to read where it fails.
            computed = [k for k in owners if any(used & part.free_symbols for part in reads[k].index if not part.is_Symbol)]
            for k in computed or owners[:1]:
                kept[k].append(g)
    first, second = sets
    if any(k not in first or k not in second for k in node.bound):
        return None
    batch = tuple(i for i in out if i in first and i in second)
    own = tuple(i for i in out if i in first and i not in second), tuple(i for i in out if i in second and i not in first)
    if not all(own) or len(batch) + len(own[0]) + len(own[1]) != len(out):
        return None
    factors = Factor(reads[0], tuple(kept[0])), Factor(reads[1], tuple(kept[1]))
    return Candidate(node, sympy.Mul(*numbers), factors, tuple(always), out, batch, own, tuple(node.bound), steps)


def _rows(node: Sum, factors: Sequence[Expr], out: tuple[Index, ...]) -> Rows | None:
    guards = tuple(f for f in factors if isinstance(f, Guard))
    rest = [f for f in factors if not isinstance(f, Guard)]
    if not out or any(not isinstance(f, Access) and not f.is_Number for f in rest):
        return None
    last = out[-1]
    beside = False
    for a in (f for f in rest if isinstance(f, Access)):
        if a.tensor.integer or any(part.has(Access) for part in a.index):
            return None
        if any(last in part.free_symbols for part in a.index[:-1]):
            return None
        if a.index and last in a.index[-1].free_symbols:
            if not _unit(a.index[-1], last):
                return None
            beside = True
    for g in guards:
        if g.has(Access) or (last in g.free_symbols and not (isinstance(g, InRange) and _unit(g.args[0], last))):
            return None
    return Rows(node, sympy.Mul(*rest), guards, out, tuple(node.bound)) if beside else None


def _unit(e: Expr, index: Index) -> bool:
    """Whether an expression is an index and something without it."""
    return index not in sympy.expand(e - index).free_symbols


@dataclass(frozen=True)
class Layout:
    """How a product is laid out; indices by their number in `Candidate.indices`.

    Attributes:
        outer: loops around the products, batch and what could not be merged.
        rows: merged into the rows of the result.
        columns: merged into its columns.
        around: summed indices of loops around the products.
        inner: merged into the summed axis.
        right: which factor has the columns.
        pack_left: copy the other factor first, as [rows, inner].
        pack_right: copy this one first.
        dots: the right factor lies as [columns, inner], and rows are multiplied with rows.
        place: the result lies in the equation's own tensor, else in a scratch tensor as [rows, columns].
        parallel: threads share the rows.
        long: rows that are multiplied with rows are long.
    """

    outer: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    around: tuple[int, ...]
    inner: tuple[int, ...]
    right: int
    pack_left: bool
    pack_right: bool
    dots: bool
    place: bool
    parallel: bool = False
    long: bool = False


@dataclass(frozen=True)
class Choice:
    """How one sum is computed: as a matrix product in a layout, row by row, or by plain loops.

    Attributes:
        layout: of the matrix product, or None.
        rows: whether whole rows are added.
        reason: in words.
        split: whether the layout is that of the first of two sums; the second is done row by row or by plain loops.
        windows: whether it is computed as a sum over windows of samples that lie side by side.
        whole: whether everything that lies side by side is added up at once.
    """

    layout: Layout | None
    rows: bool
    reason: str
    split: bool = False
    windows: bool = False
    whole: bool = False

    @property
    def plain(self) -> bool:
        """Whether there is nothing but loops."""
        return self.layout is None and not (self.rows or self.windows or self.whole)


def choose(site: Site, size: Mapping[Expr, int], machine: Machine) -> Choice:
    """Return the cheapest way for given extents; costs are in units of one multiply-add of the tiled product."""
    extents = [size[i.extent] for i in site.indices]
    work = site.work(size)
    if site.whole is not None and math.prod(size[i.extent] for i in site.whole.inner) >= 2 * machine.lanes:
        return Choice(None, False, f"{work:,} terms: what lies side by side is added in lanes", whole=True)
    if work < machine.tile:
        return Choice(None, False, f"{work:,} multiply-adds: plain loops")
    best, least, rows = None, float(work * machine.plain), False
    if site.rows is not None:
        length = size[site.rows.out[-1].extent]
        cost = work / length * machine.row + work * machine.entry
        if cost < least:
            least, rows = cost, True
    c = site.product
    if c is not None:
        for layout in layouts(c, size):
            cost = _cost(c, layout, extents, size, machine)
            if cost < least:
                best, least = layout, cost
    alone = None
    slid = site.windows
    if slid is not None and all(size[a] == size[b] for a, b in slid.pairs):
        samples = size[slid.samples.extent]
        cost = work * (-samples % machine.lanes + samples) / samples + machine.call * math.prod(size[i.extent] for i in slid.kept)
        if cost <= least:
            least, reason = cost, f"{work:,} multiply-adds: windows of {samples} samples side by side"
            alone = Choice(None, False, reason, windows=True)
    if site.split is not None:
        found = _two_sums(site.split, size, machine)
        if found is not None and found[0] < least:
            return found[1]
    if alone is not None:
        return alone
    if best is None or c is None:
        return Choice(None, rows, f"{work:,} terms: {'rows of the result added at once' if rows else 'plain loops'}")
    terms = math.prod(extents[k] for k in best.inner)
    best = replace(best, parallel=not best.outer and not best.around and not best.dots and work >= machine.parallel)
    best = replace(best, long=best.dots and terms >= machine.long)
    return Choice(best, False, _words(c, best, extents, work))


def _two_sums(split: Split, size: Mapping[Expr, int], machine: Machine) -> tuple[float, Choice] | None:
    """Return the cost of doing a sum in two, and how."""
    times = math.prod(size[i.extent] for i in split.kept)
    c = split.product
    extents = [size[i.extent] for i in c.indices]
    entries = math.prod(size[i.extent] for i in c.out)
    if entries > machine.scratch:
        return None
    best, least = None, math.inf
    for layout in layouts(c, size):
        cost = _cost(c, layout, extents, size, machine)
        if cost < least:
            best, least = layout, cost
    if best is None:
        return None
    numbers = {e: sympy.Integer(v) for e, v in size.items()}
    reached = math.prod(int(count.xreplace(numbers)) for count in terms(split.inner, split.guards))
    reads = math.prod(size[i.extent] for i in split.out) * reached / times
    length = size[split.out[-1].extent]
    second = reads / length * machine.row + reads * machine.entry if split.beside else reads * machine.plain
    words = _words(c, best, extents, math.prod(extents))
    loops = "rows of the result added at once" if split.beside else "plain loops"
    return times * (least + second), Choice(best, split.beside, f"in two sums, {times} × {words}; then {int(reads):,} terms: {loops}", True)


def quoted(slot: str) -> str:
    """Return the name of a slot so that it can be found in a reason, and replaced by the name that a kernel has for it."""
    return f"⟦{slot}⟧"


def _words(candidate: Candidate, layout: Layout, extents: Sequence[int], work: int) -> str:
    def total(positions: tuple[int, ...]) -> int:
        return math.prod(extents[k] for k in positions)

    m, n, k = total(layout.rows), total(layout.columns), total(layout.inner)
    times = total((*layout.outer, *layout.around))
    affine = [any(not part.is_Symbol for part in f.access.index) for f in candidate.factors]
    packed = (layout.pack_left, layout.pack_right)[:: 1 if layout.right else -1]
    windows = any(a and p for a, p in zip(affine, packed, strict=True))
    kind = "implicit matrix product over windows" if windows else "batched matrix product" if candidate.batch else "matrix product"
    words = [f"{work:,} multiply-adds: {kind}, {f'{times:,} × ' if times > 1 else ''}{m}×{k} · {k}×{n}"]
    for flag, number in ((layout.pack_left, 1 - layout.right), (layout.pack_right, layout.right)):
        if flag:
            words.append(f"{quoted(candidate.factors[number].access.tensor.name)} copied into a matrix")
    words += ["rows by rows"] * layout.dots + ["terms added in lanes"] * layout.long
    words += ["summed in place"] * bool(layout.around) + ["rows shared among threads"] * layout.parallel
    return ", ".join(words)


def layouts(c: Candidate, size: Mapping[Expr, int]) -> Iterator[Layout]:
    """Return every layout in which a product of given extents can be computed."""
    number = {i: k for k, i in enumerate(c.indices)}

    def numbers(indices: Sequence[Index]) -> tuple[int, ...]:
        return tuple(number[i] for i in indices)

    seen = set()
    for rows, columns, right in _tiles(c):
        outer = tuple(i for i in c.out if i not in rows and i not in columns)
        for inner in _runs(c):
            around = tuple(i for i in c.inner if i not in inner)
            place = matrix(c.out, rows, columns, c.out, size) is not None and c.out[-1] in columns
            a, b = c.factors[1 - right], c.factors[right]
            left = None if a.guards else matrix(a.access.index, rows, inner, _axes(a), size)
            down = None if b.guards else matrix(b.access.index, inner, columns, _axes(b), size)
            forms: list[tuple[bool, bool]] = []
            if down is not None and down[-1] == "column":
                forms.append((False, False))
            elif down is not None and down[-1] == "row":
                forms.append((False, True))
            forms += [(True, False), (True, True)]
            for pack_right, dots in forms:
                # Rows are multiplied with rows only where both lie side by side.
                pack_left = left is None or (dots and left[-1] != "column")
                made = Layout(
                    outer=numbers(outer),
                    rows=numbers(rows),
                    columns=numbers(columns),
                    around=numbers(around),
                    inner=numbers(inner),
                    right=right,
                    pack_left=pack_left,
                    pack_right=pack_right,
                    dots=dots,
                    place=place,
                )
                if made not in seen:
                    seen.add(made)
                    yield made


def _tiles(c: Candidate) -> Iterator[tuple[tuple[Index, ...], tuple[Index, ...], int]]:
    """Return rows, columns and the number of the factor with the columns: as the result lies, then all of them merged."""
    last = c.out[-1]
    if last not in c.batch:
        right = 0 if last in c.own[0] else 1
        position = len(c.out)
        while position and c.out[position - 1] in c.own[right]:
            position -= 1
        columns = c.out[position:]
        while position and c.out[position - 1] in c.batch:
            position -= 1
        stop = position
        while position and c.out[position - 1] in c.own[1 - right]:
            position -= 1
        if rows := c.out[position:stop]:
            yield rows, columns, right
    for right in (1, 0):
        yield c.own[1 - right], c.own[right], right


def _runs(c: Candidate) -> Iterator[tuple[Index, ...]]:
    """Return the summed indices that can be merged into one axis, longest first."""
    orders = [c.inner]
    for f in c.factors:
        order = tuple(part for part in f.access.index if part in c.inner)
        if len(set(order)) == len(order) and order not in orders:
            orders.append(order)
    seen = set()
    for length in range(len(c.inner), 0, -1):
        for order in orders:
            for start in range(len(order) - length + 1):
                run = order[start : start + length]
                if run not in seen:
                    seen.add(run)
                    yield run


def _axes(f: Factor) -> tuple[Index, ...]:
    return tuple(f.access.tensor.axes)


def matrix(
    index: Sequence[Expr],
    rows: tuple[Index, ...],
    columns: tuple[Index, ...],
    axes: Sequence[Index],
    size: Mapping[Expr, int] | None = None,
) -> tuple[Expr | str, ...] | None:
    """Return the axes of a tensor that is read at ``index`` as those of a matrix (`Operand.axes`); None if it is none as it lies.

    With ``size`` the extents are compared as numbers; without, they are taken to agree.
    """
    kinds: list[Expr | str] = []
    places: dict[str, list[int]] = {"row": [], "column": []}
    both = {*rows, *columns}
    for place, (part, axis) in enumerate(zip(index, axes, strict=True)):
        if part in both:
            if size is not None and size[part.extent] != size[axis.extent]:
                return None
            kind = "row" if part in rows else "column"
            wanted = (rows if kind == "row" else columns)[len(places[kind]) : len(places[kind]) + 1]
            if wanted != (part,) or (places[kind] and places[kind][-1] != place - 1):
                return None
            places[kind].append(place)
            kinds.append(kind)
        elif part.free_symbols & both:
            return None
        else:
            kinds.append(part)
    if len(places["row"]) != len(rows) or len(places["column"]) != len(columns):
        return None
    return tuple(kinds)


def _cost(c: Candidate, layout: Layout, extents: Sequence[int], size: Mapping[Expr, int], machine: Machine) -> float:
    def total(positions: Sequence[int]) -> int:
        return math.prod(extents[k] for k in positions)

    m, n, k = total(layout.rows), total(layout.columns), total(layout.inner)
    times = total((*layout.outer, *layout.around))
    cost: float
    columns = -(-n // machine.lanes) * machine.lanes
    cost = times * (m * k * (columns + machine.start) + machine.call)
    if layout.dots:
        cost += times * k * columns * machine.turn
    if not layout.place:
        # What follows reads the result where it lies.
        beside = c.indices[layout.columns[-1]] == c.out[-1]
        cost += times * m * n * (2 * machine.entry if beside else machine.copy)
    for packed, number, first, second in (
        (layout.pack_left, 1 - layout.right, layout.rows, layout.inner),
        (layout.pack_right, layout.right, layout.inner, layout.columns),
    ):
        if not packed:
            continue
        factor = c.factors[number]
        whole = (*first, *second)
        used = {k for k, i in enumerate(c.indices) if i in factor.indices}
        loops = [k for k in (*layout.outer, *layout.around) if k in used]
        entries, repeated = total(whole), float(total(loops))
        own = math.prod(size[axis.extent] for axis in factor.access.tensor.axes)
        if entries > max(machine.scratch, 2 * own):
            return math.inf
        order = (*second, *first) if layout.dots and number == layout.right else whole
        last = factor.access.index[-1]
        inner = c.indices[order[-1]]
        beside = inner in last.free_symbols and last.is_Add | last.is_Symbol and not sympy.diff(last - inner, inner)
        length = extents[order[-1]]
        # What is the same in every step is copied before the first.
        repeated /= math.prod(size[i.extent] for i in c.steps if i not in factor.indices)
        cost += entries * repeated * (machine.row / length + machine.entry if beside else machine.copy)
    return cost


__all__ = ["Candidate", "Choice", "Factor", "Layout", "Rows", "Site", "Split", "choose", "layouts", "matrix", "quoted", "sites"]
