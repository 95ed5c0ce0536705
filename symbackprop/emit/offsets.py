"""An index equation with computed places as loops over the offsets of a window, each step on whole slices.

``z[n, k, p] = Σ_{c, u} W[k, c, u] x[n, c, p + u − 1] [0 ≤ p + u − 1 < 8]`` becomes a loop over u; its guard becomes the
bounds of the slice, ``p0, p1 = max(0, 1 - u), min(8, 9 - u)``, so that nothing is read that the equation does not read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.emit.page import Node
from symbackprop.emit.vectorized import SUM, printer

#: Windows with more places than this are read at once.
LONGEST = 256


@dataclass(frozen=True)
class Loops:
    """The text of one equation.

    Attributes:
        start: code of the array before the loops, or of all of it where there are none.
        body: the loops.
        used: names of the functions that the module's head must define.
        fill: the number that the array holds before the loops; empty where there are none.
    """

    start: str
    body: tuple[Node, ...]
    used: tuple[str, ...]
    fill: str = ""


@dataclass
class _Window:
    """What is known of an equation: its places in terms of sliding indices and loop variables.

    Attributes:
        left: the place on the left, one expression for each axis.
        body: what is computed at each offset.
        bound: the indices reduced over.
        bounds: (place, size): 0 <= place < size holds where a step reads.
        loops: the loop variables, the outermost first.
        within: the indices that an index of the equation was split into, which say where in a window it lies.
    """

    left: tuple[Expr, ...]
    body: Expr
    bound: tuple[Index, ...]
    bounds: list[tuple[Expr, int]] = field(default_factory=list)
    loops: tuple[Index, ...] = ()
    within: tuple[Index, ...] = ()


def by_offsets(e: Equation, name: Callable[[str], str], size: Callable[[Expr], str], local: Callable[[str], str]) -> Loops | None:
    """Return an equation as loops over offsets; None where its places are not those of a window.

    Args:
        e: in index form; its right side is a sum, a maximum, the place of a maximum, or without any of them.
        name: Python name of a tensor.
        size: Python code of a size.
        local: Python name of a variable of the loops.
    """
    rhs = e.rhs
    if isinstance(rhs, Access) and _reshape(e.lhs.index, rhs):
        return Loops(f"{name(rhs.tensor.name)}.reshape({', '.join(size(a.extent) for a in e.lhs.index) or '()'})", (), ())
    whole = isinstance(rhs, nodes.Sum | nodes.Max | nodes.ArgMax)
    body, bound = (rhs.body, rhs.bound) if whole else (rhs, ())
    if body.atoms(nodes.Reduction, nodes.ArgMax):
        return None
    w = _Window(tuple(e.lhs.index), body, bound)
    if not (_phases(w) and _guards(w) and _choose(w)):
        return None
    return _Text(e, w, name, size, local).loops()


def _reshape(left: tuple[Expr, ...], a: Access) -> bool:
    """Whether an array is read in reading order, under other axes."""
    own, shape = list(left), list(zip(a.index, a.tensor.shape, strict=True))
    while own and shape and own[0] == shape[0][0] and own[0].extent == shape[0][1]:
        del own[0], shape[0]
    if not shape or not all(i.extent.is_Integer for i in own) or not all(n.is_Integer for _, n in shape):
        return False
    places = []
    for pairs in (shape, [(i, i.extent) for i in own]):
        place: Expr = sympy.S.Zero
        for p, extent in pairs:
            place = place * extent + p
        places.append(place)
    return bool(sympy.expand(places[0] - places[1]) == 0 and prod(i.extent for i in own) == prod(n for _, n in shape))


def _phases(w: _Window) -> bool:
    """Write an index of which ⌊(h + b)/m⌋ is read as m t − b, if m divides h + b there, or else as m t + i with a loop over i."""
    names = {i.name for i in (*w.body.atoms(Index), *w.left)}
    fresh = (c for c in "ijuvrs" if c not in names)
    while floors := sorted(w.body.atoms(nodes.Floor), key=sympy.default_sort_key):
        floor = floors[0]
        top, bottom = sympy.fraction(sympy.together(floor.args[0]))
        terms = _affine(sympy.expand(top))
        if terms is None or not bottom.is_Integer or bottom < 2:
            return False
        divides = next((g for g in sympy.Mul.make_args(w.body) if isinstance(g, nodes.Divides) and _same(g, bottom, top)), None)
        candidates = [a for a in w.left if terms.get(a) == 1]
        if len(candidates) != 1 or not candidates[0].extent.is_Integer:
            return False
        (a,), extent = candidates, int(candidates[0].extent)
        if divides is not None:
            lengths = {t for access in w.body.atoms(Access) for p, t in zip(access.index, access.tensor.shape, strict=True) if p == floor}
            if len(lengths) != 1 or not (length := lengths.pop()).is_Integer:
                return False
            t: Expr = Index(a.name, length)
            place = sympy.expand(bottom * t - (top - a))
        else:
            if terms != {a: 1} or (letter := next(fresh, None)) is None:
                return False
            t = Index(a.name, sympy.Integer(-(-extent // int(bottom))))
            within = Index(letter, bottom)
            place = bottom * t + within
            w.within += (within,)
        if t == a:
            return False
        if divides is not None or extent % int(bottom):
            w.bounds.append((place, extent))
        kept = sympy.Mul(*(f for f in sympy.Mul.make_args(w.body) if f is not divides))
        w.body = _simple(kept.xreplace({floor: t}).xreplace({a: place}))
        w.left = tuple(place if p == a else p for p in w.left)
        w.bounds = [(sympy.expand(p.xreplace({a: place})), n) for p, n in w.bounds]
        if a in w.body.free_symbols:
            return False
    return not w.body.atoms(nodes.Divides)


def _same(g: nodes.Divides, step: Expr, e: Expr) -> bool:
    return bool(g.args[0] == step and (sympy.expand(g.args[1] - e) == 0 or sympy.expand(g.args[1] + e) == 0))


def _simple(e: Expr) -> Expr:
    """Expand the places of an expression."""
    swap: dict[Any, Any] = {a: a.tensor[tuple(map(sympy.expand, a.index))] for a in e.atoms(Access) if a.index}
    for g in e.atoms(nodes.InRange):
        swap[g] = nodes.InRange(sympy.expand(g.args[0]), g.args[1])
    for g in e.atoms(nodes.Indicator):
        sides = [sympy.expand(side) if side.is_integer and not side.atoms(Access) else side for side in g.condition.args]
        swap[g] = nodes.Indicator(g.condition.func(*(side.xreplace(swap) for side in sides), evaluate=False))
    return e.xreplace(swap)


def _affine(e: Expr) -> dict[Any, int] | None:
    """Return the factor of each index of a place, and that of 1; None where it is not affine."""
    found: dict[Any, int] = {}
    for term in sympy.Add.make_args(e):
        factor, rest = term.as_coeff_Mul()
        if not factor.is_Integer or not (rest == 1 or isinstance(rest, Index)):
            return None
        if factor:
            found[rest] = int(factor)
    return found


def _guards(w: _Window) -> bool:
    """Take the guards that compare a place with its range out of the body."""
    kept = []
    for f in sympy.Mul.make_args(w.body):
        if isinstance(f, nodes.InRange):
            if not f.args[1].is_Integer or _affine(f.args[0]) is None:
                return False
            w.bounds.append((f.args[0], int(f.args[1])))
        else:
            kept.append(f)
    w.body = sympy.Mul(*kept)
    return not w.body.atoms(nodes.InRange)


def _choose(w: _Window) -> bool:
    """Choose the loop variables: of every computed place all indices but one, and the fewest steps that do."""
    places = [p for a in sorted(w.body.atoms(Access), key=sympy.default_sort_key) for p in a.index]
    found = [_affine(p) for p in (*places, *w.left, *(p for p, _ in w.bounds))]
    if any(terms is None for terms in found):
        return False
    indices = [tuple(i for i in terms if i != 1) for terms in found if terms is not None]
    order = dict.fromkeys((*(i for p in w.left for i in sorted(p.free_symbols, key=str)), *w.bound))
    open_ = [i for i in order if i.extent.is_Integer and any(i in many and len(many) > 1 for many in indices)]
    # Row-major places of whole axes are a reshape.
    dense = [tuple(i for i in terms if i != 1) for terms in found if terms is not None and _dense(terms)]
    dense = [many for many in dense if not set(many) & {*w.bound, *w.within}]
    window = {*w.bound, *w.within}
    best: tuple[tuple[int, int], tuple[Index, ...]] | None = None
    for count in range(1, len(open_) + 1):
        for chosen in itertools.combinations(open_, count):
            steps = prod(int(i.extent) for i in chosen)
            rests = ((many, [i for i in many if i not in chosen]) for many in indices)
            covered = all(len(rest) < 2 or (many in dense and len(rest) == len(many)) for many, rest in rests)
            rank = steps, len(set(chosen) - window)
            if covered and steps <= LONGEST and (best is None or rank < best[0]):
                best = rank, chosen
    if best is None:
        return False
    w.loops = best[1]
    return True


def _dense(terms: Mapping[Any, int]) -> bool:
    """Whether a place is the row-major place of several indices."""
    step = 1
    if terms.get(1) or len(terms) < 2:
        return False
    for index, factor in sorted(terms.items(), key=lambda item: item[1]):
        if factor != step or not index.extent.is_Integer:
            return False
        step *= int(index.extent)
    return True


class _MisfitError(Exception):
    """An equation whose steps are not slices."""


class _Text:
    def __init__(
        self, e: Equation, w: _Window, name: Callable[[str], str], size: Callable[[Expr], str], local: Callable[[str], str]
    ) -> None:
        self.e, self.w, self.name, self.size, self.local = e, w, name, size, local
        #: Loop variables as symbols that print as such.
        self.variables: dict[Any, Any] = {i: sympy.Symbol(f"{i.name} ", integer=True) for i in w.loops}
        self.code: dict[Any, str] = {s: local(i.name) for i, s in self.variables.items()}
        #: The first and the last place but one of a sliding index, where the guards narrow it.
        self.ends: dict[Index, tuple[Any, Any]] = {}
        #: The same as numbers, for each step of the loops that they depend on.
        self.limits: dict[Index, list[tuple[dict[Any, int], int, int]]] = {}
        self.lines: dict[Index, tuple[tuple[Any, ...], str]] = {}
        self.sliding: dict[Index, Index] = {}

    def loops(self) -> Loops | None:
        try:
            return self.written()
        except _MisfitError:
            return None

    def written(self) -> Loops:
        e, w = self.e, self.w
        sliding = dict.fromkeys(i for p in (*w.left, *w.bound) for i in sorted(p.free_symbols, key=str) if i not in w.loops)
        if any(len([i for i in p.free_symbols if i in sliding]) != 1 or p.free_symbols - {*sliding, *w.loops} for p, _ in w.bounds):
            raise _MisfitError
        for index in sliding:
            self.narrow(index)
        names = [*(i.name for i in (*w.loops, *sliding)), *(f"{i.name}{k}" for i in self.ends for k in range(2))]
        if len(set(names)) < len(names):
            raise _MisfitError
        sliced: dict[str, str] = {}
        swap: dict[Any, Any] = {}
        for number, a in enumerate(sorted(w.body.atoms(Access), key=sympy.default_sort_key)):
            text, axes = self.part(self.name(a.tensor.name), a.index, a.tensor.shape)
            t = Tensor(f"part {number}", axes, integer=a.tensor.integer, positive=a.tensor.positive)
            sliced[t.name], swap[a] = text, t[axes]
        body = w.body.xreplace(swap)
        if any(i not in w.loops for i in _outside(body)):
            raise _MisfitError
        body = body.xreplace(self.variables)
        target, axes = self.part(self.name(e.tensor.name), w.left, tuple(a.extent for a in e.tensor.axes), left=True)
        # A bound index that slides on the left says where a term belongs: its terms are not added to each other.
        moving = {b for p in w.left for b in w.bound if b in p.free_symbols}
        rest = tuple(self.sliding[b] for b in w.bound if b not in w.loops and b not in moving)
        p = printer(lambda t: sliced[t], lambda extent: self.code[extent] if extent in self.code else self.size(extent))
        kind = type(e.rhs) if w.bound else None
        if kind in (nodes.Max, nodes.ArgMax) and any(isinstance(f, nodes.Guard) for f in sympy.Mul.make_args(body)):
            raise _MisfitError
        if kind is nodes.ArgMax:
            if rest or w.loops != w.bound:
                raise _MisfitError
            made = p.visit(body, axes, guarded=False)
        else:
            made = p.visit(kind(body, *rest) if kind and rest else body, axes, guarded=False)
        value, used = p.aligned(made, axes, SUM), tuple(sorted(p.used))
        shape = f"({', '.join(self.size(a.extent) for a in e.lhs.index)}{',' if len(e.lhs.index) == 1 else ''})"
        steps = "".join(f" for {self.code[s]} in range({i.extent})" for i, s in self.variables.items())
        apart = not self.lines and all(p == a for p, a in zip(w.left, e.lhs.index, strict=True)) and w.loops == w.bound
        if (
            apart
            and made.axes == axes
            and kind in (nodes.Max, nodes.ArgMax)
            and (kind is nodes.Max or e.rhs.wanted == nodes.row_major(w.bound, w.bound))
        ):
            call = "max" if kind is nodes.Max else "argmax"
            return Loops(f"np.{call}([{value}{steps}], axis=0)", (), used)
        if kind is nodes.Max:
            return Loops(
                f"np.full({shape}, -np.inf, params.dtype)",
                self.nest((Node(f"{target} = np.maximum({target}, {value})"),)),
                used,
                "-np.inf",
            )
        if kind is nodes.ArgMax:
            largest, step, better = self.local("largest"), self.local("candidate"), self.local("better")
            top, _ = self.part(largest, w.left, tuple(a.extent for a in e.tensor.axes), left=True)
            wanted = p.integer(e.rhs.wanted.xreplace(self.variables), ())
            body_lines = (
                Node(f"{step} = {value}"),
                # The first of equals stays, and the first NaN.
                Node(f"{better} = ~({step} <= {top}) & ({top} == {top})"),
                Node(f"{target} = np.where({better}, {wanted.code}, {target})"),
                Node(f"{top} = np.where({better}, {step}, {top})"),
            )
            return Loops(
                f"np.zeros({shape}, int)", (Node(f"{largest} = np.full({shape}, -np.inf, params.dtype)"), *self.nest(body_lines)), used, "0"
            )
        once = not any(b in w.loops or b in moving for b in w.bound)
        return Loops(f"np.zeros({shape}, params.dtype)", self.nest((Node(f"{target} {'=' if once else '+='} {value}"),)), used, "0.0")

    def narrow(self, index: Index) -> None:
        """Find where a sliding index lies by the guards, for each step."""
        lows, highs, needed = [], [], set()
        for place, size in self.w.bounds:
            terms = _affine(place)
            if terms is None or index not in terms:
                continue
            if terms[index] < 1 or not index.extent.is_Integer:
                raise _MisfitError
            factor, off = terms[index], sympy.expand(place - terms[index] * index)
            inside = tuple(i for i in self.w.loops if i in off.free_symbols)
            values = [int(off.xreplace(dict(zip(inside, at, strict=True)))) for at in self.steps(inside)]
            if any(-(v // factor) > 0 for v in values):
                lows.append((off, factor))
                needed |= set(inside)
            if any((size - 1 - v) // factor + 1 < index.extent for v in values):
                highs.append((sympy.expand(size - 1 - off), factor))
                needed |= set(inside)
        if not lows and not highs:
            self.sliding[index] = index
            return
        inside = tuple(i for i in self.w.loops if i in needed)
        for at in self.steps(inside):
            values_at = dict(zip(inside, at, strict=True))
            low = max([0, *(-(int(off.xreplace(values_at)) // factor) for off, factor in lows)])
            high = min([int(index.extent), *(int(top.xreplace(values_at)) // factor + 1 for top, factor in highs)])
            if low >= high:
                raise _MisfitError
            self.limits.setdefault(index, []).append((values_at, low, high))
        first, stop = (sympy.Symbol(f"{index.name}{k} ", integer=True) for k in range(2))
        length = sympy.Symbol(f"{index.name} length", integer=True, positive=True)
        self.code |= {first: self.local(f"{index.name}0"), stop: self.local(f"{index.name}1")}
        self.code[length] = f"{self.code[stop]} - {self.code[first]}"
        start_text = ["0", *dict.fromkeys(self.affine(-off) if f == 1 else f"-(({self.affine(off)}) // {f})" for off, f in lows)]
        stop_text = [
            str(index.extent),
            *dict.fromkeys(self.affine(top + 1) if f == 1 else f"({self.affine(top)}) // {f} + 1" for top, f in highs),
        ]
        texts = [t[0] if len(t) == 1 else f"{call}({', '.join(t)})" for call, t in (("max", start_text), ("min", stop_text))]
        self.ends[index] = first, stop
        self.lines[index] = inside, f"{self.code[first]}, {self.code[stop]} = {', '.join(texts)}"
        self.sliding[index] = Index(index.name, length)

    def steps(self, inside: Iterable[Index]) -> Iterable[tuple[int, ...]]:
        return itertools.product(*(range(int(i.extent)) for i in inside))

    def part(self, array: str, places: tuple[Expr, ...], shape: tuple[Expr, ...], left: bool = False) -> tuple[str, tuple[Index, ...]]:
        """Return a slice of an array, and its axes."""
        marks, axes, sizes = [], [], []
        for place, extent in zip(places, shape, strict=True):
            terms = _affine(place)
            assert terms is not None
            free = [i for i in terms if i != 1 and i not in self.w.loops]
            if len(free) > 1:
                order = sorted(free, key=lambda i: -terms[i])
                if left or any(i in self.ends for i in order) or prod(int(i.extent) for i in order) != extent:
                    raise _MisfitError
                axes += [self.sliding[i] for i in order]
                marks += [":"] * len(order)
                sizes += [str(i.extent) for i in order]
                continue
            sizes.append(self.size(extent))
            if not free:
                marks.append(self.affine(place))
                continue
            (index,) = free
            marks.append(self.slice(index, terms[index], sympy.expand(place - terms[index] * index), extent))
            axes.append(self.sliding[index])
        if len(set(axes)) != len(axes):
            raise _MisfitError
        if len(sizes) > len(places):
            array = f"{array}.reshape({', '.join(sizes)})"
        if set(marks) == {":"}:
            return f"{array}[...]" if left else array, tuple(axes)
        return f"{array}[{', '.join(marks)}]" if marks else array, tuple(axes)

    def slice(self, index: Index, factor: int, off: Expr, extent: Expr) -> str:
        if factor < 1:
            raise _MisfitError
        by = f":{factor}" if factor > 1 else ""
        if index in self.ends:
            first, stop = self.ends[index]
            for at, low, high in self.limits[index]:
                others = tuple(i for i in self.w.loops if i in off.free_symbols and i not in at)
                for more in self.steps(others):
                    shift = int(off.xreplace({**at, **dict(zip(others, more, strict=True))}))
                    if factor * low + shift < 0 or not (extent - factor * (high - 1) - shift).is_positive:
                        raise _MisfitError
            return f"{self.affine(factor * first + off)}:{self.affine(factor * stop + off)}{by}"
        if off == 0 and index.extent == extent and factor == 1:
            return ":"
        if not (index.extent.is_Integer and extent.is_Integer):
            raise _MisfitError
        inside = tuple(i for i in self.w.loops if i in off.free_symbols)
        values = [int(off.xreplace(dict(zip(inside, at, strict=True)))) for at in self.steps(inside)]
        if min(values) < 0 or max(values) + factor * (int(index.extent) - 1) >= extent:
            raise _MisfitError
        end = "" if all(v + factor * int(index.extent) >= extent for v in values) else self.affine(off + factor * index.extent)
        return f"{'' if off == 0 else self.affine(off)}:{end}{by}"

    def affine(self, e: Expr) -> str:
        """Print a number of the loop variables and ends; what is added comes first."""
        terms = [term.as_coeff_Mul()[::-1] for term in sympy.Add.make_args(sympy.expand(e.xreplace(self.variables)))]
        ranks = {symbol: k for k, symbol in enumerate((*(s for pair in self.ends.values() for s in pair), *self.variables.values()))}
        terms.sort(key=lambda t: (int(t[1]) < 0, ranks.get(t[0], len(ranks))))
        out = ""
        for symbol, factor in terms:
            amount = abs(int(factor))
            code = str(amount) if symbol == 1 else (self.code[symbol] if amount == 1 else f"{amount} * {self.code[symbol]}")
            out += (f" {'-' if factor < 0 else '+'} " if out else ("-" if factor < 0 else "")) + code
        return out

    def nest(self, body: tuple[Node, ...]) -> tuple[Node, ...]:
        """Open the loops around some lines, the ends of each slice as far out as they are known."""
        for depth in range(len(self.w.loops), -1, -1):
            known = set(self.w.loops[:depth])
            here = [
                text for inside, text in self.lines.values() if set(inside) <= known and (depth == 0 or self.w.loops[depth - 1] in inside)
            ]
            body = (*(Node(text) for text in here), *body)
            if depth:
                index = self.w.loops[depth - 1]
                body = (Node(f"for {self.code[self.variables[index]]} in range({index.extent}):", body),)
        return body


def _outside(e: Expr) -> set[Any]:
    """Return the indices of an expression that stand outside its accesses."""
    return {s for s in e.xreplace({a: sympy.Dummy() for a in e.atoms(Access)}).free_symbols if isinstance(s, Index)}


__all__ = ["LONGEST", "Loops", "by_offsets"]
