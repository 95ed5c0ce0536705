"""Which sums are tiled matrix products on a device, how they are cut, and what is done with their results.

In Σ_k L R over (outputs) an index is a row where L alone has it, a column where R alone has it, and of the batch where both have it or
none. The factors may be any scalar expressions, guards among them, so that windows are products without a copy: what a guard excludes
is 0 in a tile. What an equation makes of the sum follows where the sum is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product as every

import sympy
from sympy import Expr, S

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import ArgMax, Divides, Guard, InRange, Reduction, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.external import copies, external, mean, order, orders
from symbackprop.plan.device.records import Phase, Product, Range, Sweep, Tile
from symbackprop.plan.device.strides import strides
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.nests import leaves, loops
from symbackprop.plan.records import Local, Store


@dataclass(frozen=True)
class Speed:
    """A tile, and how fast it is.

    Attributes:
        tile: the cut.
        share: of the multiply-adds that a processor could do meanwhile, with enough threads.
        resident: blocks that a processor holds at once.
    """

    tile: Tile
    share: float
    resident: int


#: Shares of FFMA in the machine code of the inner loop, less what small tiles lose to memory. Not measured on a device yet.
SINGLE = (
    Speed(Tile(128, 128, 8, 8, 8), 0.84, 2),
    Speed(Tile(128, 64, 8, 8, 8), 0.75, 3),
    Speed(Tile(64, 128, 8, 8, 8), 0.75, 3),
    Speed(Tile(64, 64, 16, 4, 4), 0.60, 4),
    Speed(Tile(128, 32, 16, 8, 4), 0.60, 6),
    Speed(Tile(32, 128, 16, 4, 8), 0.60, 6),
    Speed(Tile(64, 16, 16, 4, 4), 0.40, 8),
    Speed(Tile(16, 64, 16, 4, 4), 0.40, 8),
    Speed(Tile(32, 32, 16, 4, 4), 0.45, 8),
)
#: Numbers of 64 bits take twice the room.
DOUBLE = SINGLE[3:]

#: Processors of the device that is planned for.
PROCESSORS = 132
#: Multiply-adds of a processor in the time in which one entry is written and read again, and in that of one more launch.
ENTRY, LAUNCH = 24, 600_000
#: Fewer multiply-adds, rows, columns or terms than these are not tiled.
LEAST_WORK, LEAST_SIDE, LEAST_TERMS = 2**15, 8, 8
#: A part of a split sum has so many tiles of terms at least, and there are at most so many parts.
LEAST_STEPS, MOST_SPLITS = 4, 64
#: Factors with indices of their own in one sum, at most.
MOST_FACTORS = 6
#: Why there is no kernel of ours for a product.
LIBRARY = "a product by cuBLAS"
#: Sums of at most so many terms may be left to the thread that has an entry.
SHORT = 32


@dataclass(frozen=True)
class Part:
    """A phase, and what it computes.

    Attributes:
        equations: that it computes, with scratch tensors among their left sides.
        phase: how.
        reason: why so.
    """

    equations: tuple[Equation, ...]
    phase: Phase
    reason: str


@dataclass(frozen=True)
class Tiled:
    """Equations whose large sums are tiled products.

    Attributes:
        parts: the phases, in order.
        rest: equations that are still to be computed, each after those that it reads; they read the sums from scratch tensors.
    """

    parts: tuple[Part, ...]
    rest: tuple[Equation, ...]


@dataclass(frozen=True)
class _Site:
    """A sum as a product of two factors.

    Attributes:
        node: the sum.
        domain: the indices of its result.
        scale: what is the same for all terms.
        product: without epilogue.
        work: multiply-adds.
        external: whether a library does it.
        copied: which factors are copied for that.
    """

    node: Sum
    domain: tuple[Index, ...]
    scale: Expr
    product: Product
    work: int
    external: bool = False
    copied: tuple[bool, bool] = (False, False)


def tiled(
    equations: Sequence[Equation],
    stored: frozenset[str],
    numbers: Mapping[Expr, int],
    aligned: frozenset[str],
    scratch: Scratch,
    *,
    single: bool = True,
    tiles: tuple[Speed, ...] = (),
    least: int = LEAST_WORK,
    large: float = math.inf,
) -> Tiled | None:
    """Return how the large sums of some equations are tiled, or None where there are none.

    Args:
        equations: over one domain, each after those that it reads.
        stored: names of the tensors that are written to memory.
        numbers: what symbolic sizes are in the planned batch.
        aligned: names of the tensors that begin at a multiple of four entries.
        scratch: makes places for sums that are not used where they are known; all of them are aligned.
        single: whether real numbers have 32 bits.
        tiles: to choose from; those of the table without it.
        least: multiply-adds from which on a sum is tiled.
        large: geometric mean of rows, columns and terms from which on a library does a product, if its factors lie so that it can.
    """
    out = equations[0].lhs.index
    own = frozenset(e.tensor.name for e in equations)
    finder = _Finder(out, own, numbers, aligned, tiles or (SINGLE if single else DOUBLE), least, large)
    sites: dict[Expr, _Site] = {}
    for e in equations:
        for site in finder.sites(e.rhs):
            sites.setdefault(site.node, site)
    if not sites:
        return None
    inline = [s for s in sites.values() if s.domain == out and not s.external]
    main = max(inline, key=lambda s: s.work) if inline else None
    swap: dict[Expr, Expr] = {}
    parts: list[Part] = []
    done: set[str] = set()
    for found in sites.values():
        site = found
        if site.external and any(site.copied):
            made, site = _copied(site, scratch)
            parts += made
        if site.external and (direct := _direct(site, equations, stored)) is not None:
            parts.append(direct)
            swap[site.node] = direct.equations[0].lhs
            done.add(direct.equations[0].tensor.name)
        elif site is not main:
            made, swap[site.node] = _stored(site, scratch)
            parts += made
    left = [with_right_side(e, e.rhs.xreplace(swap)) for e in equations if e.tensor.name not in done]
    if main is None or any(_long(e.rhs.xreplace({main.node: S.Zero}), numbers) for e in left):
        # What follows is work for more than one thread an entry.
        if main is not None:
            made, value = _stored(main, scratch)
            parts += made
            left = [with_right_side(e, e.rhs.xreplace({main.node: value})) for e in left]
        return Tiled(tuple(parts), tuple(left))
    if main.product.splits > 1:
        made, value = _parted(main, scratch)
        rest = tuple(with_right_side(e, e.rhs.xreplace({main.node: value})) for e in left)
        body = loops(rest, stored, given=out)
        parts += [*made, Part(rest, Sweep(_ranges(out), body), "adds the parts of a sum in order")]
        return Tiled(tuple(parts), ())
    rest = tuple(with_right_side(e, e.rhs.xreplace({main.node: main.scale * main.product.result})) for e in left)
    phase = replace(main.product, epilogue=loops(rest, stored, given=out))
    return Tiled((*parts, Part(tuple(left), phase, _reason(phase))), ())


def _copied(site: _Site, scratch: Scratch) -> tuple[list[Part], _Site]:
    """Return the phases that copy factors which a library cannot take as they lie, and the sum with the copies."""
    made: list[Part] = []
    factors = [site.product.left, site.product.right]
    for side, (copied, index) in enumerate(zip(site.copied, orders(site.product), strict=True)):
        if copied:
            at = scratch.place("factor", index)[index]
            equation = with_right_side(Equation(at, S.Zero), factors[side])
            body = loops((equation,), frozenset({at.tensor.name}), given=index)
            made.append(Part((equation,), Sweep(_ranges(index), body), "copies a factor into the order that cuBLAS takes"))
            factors[side] = at
    return made, replace(site, product=replace(site.product, left=factors[0], right=factors[1]))


def _direct(site: _Site, equations: Sequence[Equation], stored: frozenset[str]) -> Part | None:
    """Return the phase in which a library writes a sum where an equation stores it, if nothing else is made of it there."""
    for e in equations:
        if e.rhs == site.node and e.lhs.index == site.domain and e.tensor.name in stored and site.scale == 1:
            phase = external(site.product, e.lhs)
            if phase is not None:
                return Part((e,), phase, LIBRARY)
    return None


def _stored(site: _Site, scratch: Scratch) -> tuple[list[Part], Expr]:
    """Return the phases that compute a sum into a scratch tensor, and the sum as an entry of it."""
    if site.external:
        indices = order(site.product)
        at = scratch.place("sums", indices)[indices]
        called = external(site.product, at)
        assert called is not None
        factors = site.product.left * site.product.right
        shown = with_right_side(Equation(at, S.Zero), Sum(factors, *(r.index for r in site.product.inner)))
        return [Part((shown,), called, LIBRARY)], site.scale * at
    target = scratch.place("sums", site.domain)
    equation = with_right_side(Equation(target[site.domain], S.Zero), site.node)
    if site.product.splits > 1:
        made, value = _parted(site, scratch)
        rest = with_right_side(equation, value)
        body = loops((rest,), frozenset({target.name}), given=site.domain)
        return [*made, Part((rest,), Sweep(_ranges(site.domain), body), "adds the parts of a sum in order")], target[site.domain]
    phase = replace(site.product, epilogue=(Store(target[site.domain], site.scale * site.product.result),))
    return [Part((equation,), phase, _reason(phase))], target[site.domain]


def _parted(site: _Site, scratch: Scratch) -> tuple[list[Part], Expr]:
    """Return the phase that computes the parts of a sum into a scratch tensor, and the sum of the parts."""
    split = Index(_fresh("part", {i.name for i in (*site.domain, *site.node.bound)}), site.product.splits)
    target = scratch.place("parts", (split, *site.domain))
    at = target[(split, *site.domain)]
    phase = replace(site.product, split=split, epilogue=(Store(at, site.product.result),))
    shown = with_right_side(Equation(target[(split, *site.domain)], S.Zero), site.node)
    return [Part((shown,), phase, _reason(phase))], site.scale * Sum(at, split)


def _reason(phase: Product) -> str:
    tile = phase.tile
    words = f"a product in tiles of {tile.rows} x {tile.columns}"
    return f"{words}, {phase.splits} parts" if phase.splits > 1 else words


def _ranges(indices: Sequence[Index]) -> tuple[Range, ...]:
    return tuple(Range(i, S.Zero, i.extent) for i in indices)


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _long(e: Expr, numbers: Mapping[Expr, int]) -> bool:
    """Whether an expression has a reduction over many terms."""
    return any(math.prod(_number(b.extent, numbers) for b in node.bound) > SHORT for node in e.atoms(Reduction, ArgMax))


def _number(e: Expr, numbers: Mapping[Expr, int]) -> int:
    return int(e.xreplace({s: sympy.Integer(v) for s, v in numbers.items()}))


@dataclass(frozen=True)
class _Finder:
    """Finds the sums of one domain that are worth a tile."""

    out: tuple[Index, ...]
    own: frozenset[str]
    numbers: Mapping[Expr, int]
    aligned: frozenset[str]
    tiles: tuple[Speed, ...]
    least: int
    large: float = math.inf

    def sites(self, e: Expr, around: tuple[Index, ...] = (), guards: tuple[Expr, ...] = ()) -> Iterator[_Site]:
        """Yield the sums of an expression, outermost ones, in reading order.

        Args:
            e: the expression.
            around: bound indices of the reductions around it.
            guards: what holds where it is read.
        """
        if isinstance(e, Sum):
            site = self.site(e, around, guards)
            if site is not None:
                yield site
                return
        if isinstance(e, Access | Tensor) or not e.args:
            return
        if isinstance(e, Reduction | ArgMax):
            yield from self.sites(e.args[0], (*around, *e.bound), ())
            return
        held = tuple(f for f in e.args if isinstance(f, Guard)) if isinstance(e, sympy.Mul) else ()
        for part in e.args:
            yield from self.sites(part, around, (*guards, *held))

    def site(self, node: Sum, around: tuple[Index, ...], guards: tuple[Expr, ...]) -> _Site | None:
        """Return a sum as a product, where it is one and worth it."""
        used = node.free_symbols
        domain = tuple(i for i in (*self.out, *around) if i in used)
        if any(isinstance(s, Local) for s in used) or node.body.has(Reduction, ArgMax):
            return None
        if any(a.tensor.name in self.own for a in node.body.atoms(Access)):
            return None
        names = {i.name for i in domain}
        if len(names) < len(domain):
            return None
        rename = {b: Index(_fresh(b.name, names), b.extent) for b in node.bound}
        factors = [f.xreplace(rename) for f in sympy.Mul.make_args(node.body)]
        bound = tuple(rename[b] for b in node.bound)
        if len({b.name for b in bound}) < len(bound):
            return None
        held = any(_leaves(f) for f in factors if not isinstance(f, Guard))
        if held:
            # What compares real values says nothing about places.
            places = (g for g in guards if g not in factors and all(a.tensor.integer for a in g.atoms(Access)))
            factors += sorted(places, key=sympy.default_sort_key)
        scale = [f for f in factors if not f.free_symbols & set(bound) and not (held and _places(f)) and not _leaves(f)]
        tests = [f for f in factors if isinstance(f, Guard) and f not in scale]
        terms = [f for f in factors if f not in scale and f not in tests]
        best: _Site | None = None
        cost = math.inf
        # The factor that has the last index of the result is the right one: its columns lie side by side there.
        together: dict[frozenset[Expr], list[Expr]] = {}
        for f in terms:
            # Factors with the same indices stay together.
            together.setdefault(frozenset(f.free_symbols & {*domain, *bound}), []).append(f)
        groups = [sympy.Mul(*same) for same in together.values()]
        if len(groups) > MOST_FACTORS:
            return None
        for sides in every((False, True), repeat=len(groups)):
            parts = [sympy.Mul(*(f for f, right in zip(groups, sides, strict=True) if right == side)) for side in (False, True)]
            found = self.product(node, domain, bound, parts[0], parts[1], tests)
            if found is not None and found[1] < cost:
                work = math.prod(self.size(i) for i in (*domain, *bound))
                best, cost = _Site(node, domain, sympy.Mul(*scale), found[0], work), found[1]
        if best is not None and mean(best.product, self.numbers) >= self.large:
            copied = copies(best.product, self.numbers)
            if copied is not None:
                return replace(best, external=True, copied=copied)
        return best

    def size(self, i: Index) -> int:
        return _number(i.extent, self.numbers)

    def product(
        self, node: Sum, domain: tuple[Index, ...], bound: tuple[Index, ...], left: Expr, right: Expr, tests: Sequence[Expr]
    ) -> tuple[Product, float] | None:
        """Return a product with its cost, if the sum is one with these factors."""
        first, second = ({i for i in domain if i in f.free_symbols} for f in (left, right))
        rows = tuple(i for i in domain if i in first - second)
        columns = tuple(i for i in domain if i in second - first)
        batch = tuple(i for i in domain if i not in rows and i not in columns)
        if not rows or not columns or domain[-1] in rows:
            return None
        for guard in tests:
            asked = guard.free_symbols & set(domain)
            sides = [not asked & set(columns), not asked & set(rows)]
            if not any(sides):
                return None
            # It stands wherever it holds back what is read; where it holds back nothing, on the left.
            needed = [side and _held_by(f, guard) for side, f in zip(sides, (left, right), strict=True)]
            here = needed if any(needed) else [sides[0], not sides[0]]
            left, right = left * guard if here[0] else left, right * guard if here[1] else right
        if _leaves(left) or _leaves(right):
            return None
        sizes = [math.prod(map(self.size, part)) for part in (batch, rows, columns, bound)]
        if math.prod(sizes) < self.least or (self.least > 1 and (min(sizes[1:3]) < LEAST_SIDE or sizes[3] < LEAST_TERMS)):
            return None
        speed, splits, cost = min((self.costs(s, n, sizes) for s in self.tiles for n in self.parts(s, sizes)), key=lambda found: found[2])
        made = Product(
            _ranges(batch), _ranges(rows), _ranges(columns), (), left, right, Local("dot"), (), speed.tile, splits, aligned=self.aligned
        )
        # The order of the terms in which more is read four at once.
        orders = [bound, *(order for f in (left, right) for a in _reads(f) if len(order := _in_memory(a, bound)) == len(bound))]
        choices = [replace(made, inner=_ranges(order)) for order in orders]
        return max(choices, key=lambda p: alignment(left, p, p.rows)[0] + alignment(right, p, p.columns)[0]), cost

    def parts(self, s: Speed, sizes: Sequence[int]) -> Iterator[int]:
        """Yield into how many parts the terms may be cut."""
        n = 1
        while n == 1 or (n <= MOST_SPLITS and sizes[3] >= n * s.tile.depth * LEAST_STEPS):
            yield n
            n *= 2

    def costs(self, s: Speed, splits: int, sizes: Sequence[int]) -> tuple[Speed, int, float]:
        """Return the time of a product with a tile, in multiply-adds of one processor."""
        batch, rows, columns, terms = sizes
        tile = s.tile
        blocks = batch * splits * -(-rows // tile.rows) * -(-columns // tile.columns)
        rounds = -(-blocks // PROCESSORS)
        warps = min(rounds, s.resident) * tile.threads / 32
        # Four schedulers have a warp each at least; with two, one goes on while the other waits.
        busy = min(0.175 * warps, 0.4 + 0.075 * warps, 1.0)
        steps = -(-terms // (splits * tile.depth)) * tile.depth
        time = rounds * tile.rows * tile.columns * steps / (s.share * busy)
        if splits > 1:
            time += LAUNCH + splits * batch * rows * columns * ENTRY / PROCESSORS
        return s, splits, time


def _in_memory(a: Access, bound: Sequence[Index]) -> tuple[Index, ...]:
    """Return the bound indices in the order in which an access has them."""
    found = [i for part in a.index for i in sorted(part.free_symbols & {*bound}, key=lambda i: i.name)]
    return tuple(dict.fromkeys(found))


def _places(f: Expr) -> bool:
    """Whether a factor is a guard that compares places alone."""
    return isinstance(f, InRange | Divides) and not f.has(Access)


def _held_by(f: Expr, guard: Expr) -> bool:
    """Whether a factor reads at a place that a guard compares."""
    place = guard.args[0] if isinstance(guard, InRange) else None
    return any(place in a.index for a in f.atoms(Access))


def _leaves(f: Expr) -> bool:
    """Whether a factor might read out of range where its own guards do not hold it back; labels were checked before."""
    named: dict[Expr, Expr] = {}
    for a in f.atoms(Access):
        for part, axis in zip(a.index, a.tensor.axes, strict=True):
            if part.has(Access):
                named[part] = Index(f"@{len(named)}", axis.extent)
    return leaves(f.xreplace(named))


def _reads(f: Expr) -> list[Access]:
    return sorted(f.atoms(Access), key=sympy.default_sort_key)


def alignment(factor: Expr, phase: Product, ranges: tuple[Range, ...]) -> tuple[bool, bool]:
    """Return whether four entries of a factor can be read at once, and whether neighbours in memory are terms of the sum.

    Args:
        factor: the left or the right one.
        phase: the product.
        ranges: its rows or its columns.
    """
    inner = {r.index for r in phase.inner}
    outer = {r.index for r in ranges}
    if isinstance(factor, Access) and (steps := strides(factor)) is not None:
        for along, run in ((True, phase.inner), (False, ranges)):
            if run and steps.get(run[-1].index) == 1:
                fit = factor.tensor.name in phase.aligned and not factor.tensor.integer
                return fit and _by_fours(steps, run), along
    reads = sorted(factor.atoms(Access), key=lambda a: (-len(a.free_symbols & (inner | outer)), str(a)))
    for a in reads:
        if a.tensor.rank:
            symbols = a.index[-1].free_symbols
            return False, bool(symbols & inner) and not symbols & outer
    return False, False


def _by_fours(steps: Mapping[Expr, Expr], run: Sequence[Range]) -> bool:
    """Whether a run of indices stands at fours of entries side by side: what lies side by side has a length of fours, as all else."""
    together: set[Expr] = set()
    length: Expr = S.One
    for r in reversed(run):
        if steps.get(r.index) != length or r.start != 0:
            break
        together.add(r.index)
        length = sympy.expand(length * r.extent)
    return _fours(length) and all(_fours(step) for part, step in steps.items() if part not in together)


def _fours(e: Expr) -> bool:
    """Whether a number is a multiple of four whatever the sizes are."""
    return all(bool(term.as_coeff_Mul()[0] % 4 == 0) for term in sympy.Add.make_args(e))


__all__ = ["DOUBLE", "SINGLE", "Part", "Speed", "Tiled", "alignment", "tiled"]
