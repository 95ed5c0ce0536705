"""From index form to operator form: sums over windows are correlations and convolutions.

A sum over r of A[a] B[b], in which a and b are affine in r and in an output o, ranges over the pairs of places with
α a + β b = γ o + c. That relation is all that is asked of a sum, so the forward pass of a convolution (o is the output),
its weight gradient (o is the place in the kernel) and its input gradient (o is the input) are found by one rule, whatever
the sum runs over. With γ > 0 a difference b − a is a correlation, a sum a + b a convolution.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.nodes import ArgMax, Divides, Floor, Guard, InRange, Reduction, Sum
from symbackprop.algebra.operators import WINDOW, Image, OperatorEquation, Sliding, Window
from symbackprop.algebra.order import signed_factors
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.matrix import matrix_form

#: Sizes on which a relation between places is tried out where extents are symbols: more than one, with and without a common divisor.
TRIED = (7, 10, 13)
Numbers = npt.NDArray[np.int64]


@lru_cache(maxsize=512)
def operator_form(equation: Equation) -> OperatorEquation | None:
    """Return an equation in operator form, or None where it has none.

    z[k, p, q] = Σ_{c,u,v} W[k, c, u, v] x[c, p + u, q + v] becomes z_k = Σ_c W_kc ⋆ x_c, its input gradient Σ_k W_kc ∗ δ_k, and
    what surrounds the sums stays: bias, slopes, sums over channels.

    Args:
        equation: in index form.
    """
    free = tuple(i for i in equation.lhs.index if isinstance(i, Index))
    if len(free) < equation.tensor.rank:
        return None
    finder = _Finder(free, [])
    try:
        rhs = finder.visit(canonical(equation.rhs))
        out = finder.places
        if not finder.windows:
            # What is done to every entry alike is said of the whole array, of which matrix forms know none of so many axes.
            out = free if len(free) > 2 and rhs.atoms(Access) else ()
        if not out or not all(_beside(a, out) for a in rhs.atoms(Access)):
            return None
        loose = [p for p in rhs.atoms(Guard, sympy.Pow, Reduction) if not _entrywise(p, out)]
    except _NoOperatorError:
        return None
    return None if loose else OperatorEquation(equation.lhs, rhs, tuple(finder.windows), out)


class _NoOperatorError(Exception):
    """There is no operator form; the reason is of no interest to anyone."""


def _beside(access: Access, out: Sequence[Index]) -> bool:
    """Whether an entry reads either no place of the result, or the whole place and nothing reckoned from it."""
    touched = [part for part in access.index if part.free_symbols & set(out)]
    return not touched or touched == list(out)


def _entrywise(part: Expr, out: Sequence[Index]) -> bool:
    """Whether what is done to an entry can be said of a whole image."""
    if not part.free_symbols & set(out):
        return True
    if isinstance(part, sympy.Pow):
        return not part.exp.is_negative and not part.exp.free_symbols & set(out)
    inside = {s for a in part.atoms(Access) for s in a.free_symbols}
    if isinstance(part, Guard):
        return not isinstance(part, InRange | Divides) and not any(isinstance(side, Index) for side in part.args[0].args)
    return isinstance(part, Sum) and set(out) & part.free_symbols <= inside


@dataclass(frozen=True)
class _Slot:
    """A reckoned place of an axis: ``divisor·place = factor·r + rest``."""

    part: Expr
    extent: Expr
    divisor: int
    factor: int
    rest: Expr


@dataclass(frozen=True)
class _Finder:
    free: tuple[Index, ...]
    windows: list[Window]

    @property
    def places(self) -> tuple[Index, ...]:
        """The places of the result; the same for every window."""
        found = {w.out for w in self.windows}
        if len(found) > 1:
            raise _NoOperatorError
        return found.pop() if found else ()

    def visit(self, e: Expr) -> Expr:
        """Return an expression with its sums over windows replaced."""
        if not e.args or isinstance(e, Access | Guard | ArgMax):
            return e
        if isinstance(e, sympy.Mul):
            guards = [f for f in e.args if isinstance(f, InRange | Divides)]
            sums = [f for f in e.args if isinstance(f, Sum)]
            if guards and len(sums) == 1:
                # What says where the terms of a sum are 0 may stand before it.
                inner = Sum(sympy.Mul(*guards, sums[0].body), *sums[0].bound)
                made = self.window(inner)
                if made is not None:
                    return sympy.Mul(made, *(self.visit(f) for f in e.args if f not in guards and f not in sums))
        if isinstance(e, Sum | sympy.Mul):
            made = self.window(e)
            if made is not None:
                return made
        return e.func(*(self.visit(a) if isinstance(a, Expr) and not isinstance(a, Index) else a for a in e.args))

    def window(self, e: Expr) -> Expr | None:
        """Return a sum, or a product where windows never overlap and a sum has one term, with an operator in its place."""
        body, bound = (e.body, e.bound) if isinstance(e, Sum) else (e, ())
        number, factors = signed_factors(body)
        parts = [part for f in factors if not isinstance(f, Reduction) for a in f.atoms(Access) for part in a.index]
        runners: list[Expr] = [r for r in bound if any(_reckoned(part, r) for part in parts)]
        floors = sorted({f for part in parts for f in part.atoms(Floor)}, key=sympy.default_sort_key)
        # ⌊h/3⌋ is the window that h lies in, h − 3⌊h/3⌋ the place in it.
        runners += [f for f in floors if len({part for part in parts if part.has(f)}) == 2]
        # A channel of a group is reckoned as well, but slides over nothing.
        chosen = (some for count in range(len(runners), 0, -1) for some in itertools.combinations(runners, count))
        return next((made for some in chosen if (made := self.slid(number, factors, bound, some)) is not None), None)

    def slid(self, number: Expr, factors: Sequence[Expr], bound: Sequence[Index], sliding: Sequence[Expr]) -> Expr | None:
        """Return a sum with some of its indices as places in a window, or None where they are no such thing."""
        guards = [f for f in factors if isinstance(f, InRange | Divides)]
        others = [f for f in factors if f not in guards]
        touched = [f for f in others if f.has(*sliding)]
        pair = self.pair(touched, sliding)
        if pair is None:
            return None
        found = [self.axis(r, *pair, guards) for r in sliding]
        if any(f is None for f in found):
            return None
        axes = sorted((f for f in found if f is not None), key=lambda f: self.free.index(f.out))
        used = {r for a in axes for r in (a.bound, a.out)}
        if len({a.out for a in axes}) < len(axes):
            return None
        if any({s for s in g.free_symbols if isinstance(s, Index)} - used for g in guards):
            return None
        left = [f for f in touched if _reads(f, [a.first.part for a in axes])]
        right = [f for f in touched if f not in left]
        images = (_image(left, [a.first for a in axes]), _image(right, [a.second for a in axes]))
        made = _operator(images, axes)
        if made is None or set(made.family) & set(made.out):
            return None
        if made not in self.windows:
            self.windows.append(made)
        out = made.out
        standing = Tensor(f"{WINDOW}{self.windows.index(made)}", (*made.family, *out))
        rest = [b for b in bound if b not in sliding]
        return number * Sum(sympy.Mul(*(f for f in others if f not in touched), standing.own), *rest)

    def pair(self, factors: Sequence[Expr], sliding: Sequence[Expr]) -> tuple[Access, Access] | None:
        """Return an entry of each of the two images that are read at places reckoned from the sliding indices."""
        kinds: dict[tuple[Expr, ...], Access] = {}
        for f in factors:
            for access in sorted(f.atoms(Access), key=str):
                parts = tuple(part for part in access.index if part.has(*sliding))
                if parts:
                    kinds.setdefault(parts, access)
        if len(kinds) != 2:
            return None
        one, two = kinds.values()
        return one, two

    def axis(self, r: Expr, one: Access, two: Access, guards: Sequence[Expr]) -> _Axis | None:
        """Return the relation between the places of one axis."""
        first, second = self.slot(r, one, guards), self.slot(r, two, guards)
        if first is None or second is None:
            return None
        rest = sympy.expand(second.factor * first.rest - first.factor * second.rest)
        outs = [s for s in rest.free_symbols if isinstance(s, Index)]
        if len(outs) != 1 or outs[0] not in self.free or rest.atoms(Floor):
            return None
        (out,) = outs
        gamma, shift = rest.coeff(out, 1), rest.coeff(out, 0)
        numbers = (second.factor * first.divisor, -first.factor * second.divisor)
        if not gamma.is_Integer or not all(n for n in (*numbers, int(gamma))) or sympy.expand(rest - gamma * out - shift) != 0:
            return None
        common = math.gcd(*numbers, int(gamma)) * (1 if gamma > 0 else -1)
        alpha, beta = (n // common for n in numbers)
        made = _Axis(r, out, first, second, alpha, beta, int(gamma) // common, shift / common)
        return made if made.holds([g for g in guards if g.free_symbols & {r, out}]) else None

    def slot(self, r: Expr, access: Access, guards: Sequence[Expr]) -> _Slot | None:
        """Return where an entry is read along the axis whose place r is part of."""
        at = [(axis.extent, part) for axis, part in zip(access.tensor.axes, access.index, strict=True) if part.has(r)]
        if len(at) != 1:
            return None
        extent, part = at[0]
        divisor, affine = 1, sympy.expand(part)
        for floor in sorted(affine.atoms(Floor), key=sympy.default_sort_key):
            # ⌊(h + 1)/2⌋ − u is (h + 1 − 2u)/2 where a guard says that 2 divides it.
            whole = sympy.expand(affine.xreplace({floor: floor.args[0]}))
            step = sympy.denom(sympy.together(whole))
            if floor != r and step.is_Integer and any(isinstance(g, Divides) and g.args[0] == step and g.has(r) for g in guards):
                divisor, affine = int(step), sympy.expand(step * whole)
        factor = affine.coeff(r, 1)
        rest = sympy.expand(affine - factor * r)
        if not factor.is_Integer or factor == 0 or rest.has(r):
            return None
        return _Slot(part, extent, divisor, int(factor), rest)


@dataclass(frozen=True)
class _Axis:
    """α a + β b = γ o + c along one axis, for places a and b and the output o.

    ``bound`` is what runs: an index of a sum, or ⌊o/s⌋ where there is one place at most.
    """

    bound: Expr
    out: Index
    first: _Slot
    second: _Slot
    alpha: int
    beta: int
    gamma: int
    shift: Expr

    @property
    def count(self) -> Expr:
        """How many terms the sum has."""
        return self.bound.extent if isinstance(self.bound, Index) else S.One

    def holds(self, guards: Sequence[Expr]) -> bool:
        """Whether the sum ranges over all pairs of places with this relation, each once, and over no others.

        This is tried out, place by place, and for sizes that are symbols on a few values of them.
        """
        if not (self.shift.is_Integer or self.shift.free_symbols):
            return False
        extents = (self.count, self.out.extent, self.first.extent, self.second.extent, self.shift)
        symbols = sorted({s for e in extents for s in e.free_symbols}, key=str)
        return all(self._holds(guards, dict.fromkeys(symbols, sympy.Integer(n))) for n in (TRIED if symbols else TRIED[:1]))

    def _holds(self, guards: Sequence[Expr], sizes: Mapping[Expr, Expr]) -> bool:
        extents = (self.count, self.out.extent, self.first.extent, self.second.extent)
        count, outs, rows, columns = (int(e.xreplace(dict(sizes))) for e in extents)
        if min(count, outs, rows, columns) < 1:
            return True
        grid: dict[Expr, Numbers] = {self.out: np.arange(outs)[None, :]}
        if isinstance(self.bound, Index):
            grid[self.bound] = np.arange(count)[:, None]
        kept = np.ones((count, outs), dtype=bool)
        for guard in guards:
            if not {s for s in guard.free_symbols if isinstance(s, Index)} <= set(grid):
                return False
            left, right = (_numbers(a.xreplace(dict(sizes)), grid) for a in guard.args)
            kept &= (left >= 0) & (left < right) if isinstance(guard, InRange) else right % left == 0
        a, b = (np.broadcast_to(_numbers(s.part.xreplace(dict(sizes)), grid), kept.shape) for s in (self.first, self.second))
        o = np.broadcast_to(grid[self.out], kept.shape)
        a, b, o = a[kept], b[kept], o[kept]
        if a.size and not (a.min() >= 0 and a.max() < rows and b.min() >= 0 and b.max() < columns):
            return False
        found = np.sort((o * rows + a) * columns + b)
        every_a, every_o = np.arange(rows)[:, None], np.arange(outs)[None, :]
        scaled = self.gamma * every_o + int(self.shift.xreplace(dict(sizes))) - self.alpha * every_a
        fits = (scaled % self.beta == 0) & (scaled // self.beta >= 0) & (scaled // self.beta < columns)
        wanted = np.sort((((every_o * rows + every_a) * columns) + scaled // self.beta)[fits])
        return bool(np.array_equal(found, wanted))


def _numbers(e: Expr, grid: Mapping[Expr, Numbers]) -> Numbers:
    """Return an affine expression with floors at every place of a grid, in whole numbers."""
    if e in grid:
        return grid[e]
    if e.is_Integer:
        return np.asarray(int(e))
    if isinstance(e, sympy.Add):
        return np.asarray(sum(_numbers(a, grid) for a in e.args))
    if isinstance(e, sympy.Mul) and all(a.is_Integer or not a.is_Number for a in e.args):
        return np.asarray(math.prod(_numbers(a, grid) for a in e.args))
    if isinstance(e, Floor):
        below = sympy.denom(sympy.together(e.args[0]))
        if below.is_Integer:
            return _numbers(sympy.expand(below * e.args[0]), grid) // int(below)
    raise _NoOperatorError


def _operator(images: tuple[Image | None, Image | None], axes: Sequence[_Axis]) -> Window | None:
    """Return the operator that relations between places make of two images."""
    first, second = images
    if first is None or second is None:
        return None
    signs = {(a.alpha > 0, a.beta > 0) for a in axes}
    if len(signs) != 1 or signs == {(False, False)}:
        return None
    (sign,) = signs
    out = tuple(a.out for a in axes)
    if sign == (True, True):
        # o = a + b: either may be the kernel; it is the parameter, or the smaller one.
        swap = _kernel_rank(first) > _kernel_rank(second)
        kind = "convolution"
    else:
        swap = sign == (True, False)
        kind = "correlation"
    made = []
    for a in axes:
        kernel = a.second if swap else a.first
        dilation, spread = (a.beta, a.alpha) if swap else (a.alpha, a.beta)
        # spread·b = γ o + c ∓ dilation·a
        reach = abs(dilation) * (kernel.extent - 1) if kind == "convolution" else S.Zero
        made.append(Sliding(kernel.extent, a.gamma, sympy.expand(reach - a.shift), abs(dilation), abs(spread)))
    kernel_image, other = (second, first) if swap else (first, second)
    return Window(kind, kernel_image, other, tuple(made), out)


def _kernel_rank(image: Image) -> tuple[bool, bool, int]:
    parameters = all(a.tensor.role == "parameter" for a in image.entry.atoms(Access))
    sizes = [p.extent for p in image.places]
    return (not parameters, not all(s.is_Integer for s in sizes), math.prod(int(s) for s in sizes if s.is_Integer))


def _image(factors: Sequence[Expr], slots: Sequence[_Slot]) -> Image | None:
    """Return the product of factors as an image: the places that they are read at become indices of their own."""
    places = tuple(Index(f"@at{k}", slot.extent) for k, slot in enumerate(slots))
    swap: dict[sympy.Basic, sympy.Basic] = {}
    parts = {slot.part: place for slot, place in zip(slots, places, strict=True)}
    product = sympy.Mul(*factors)
    for access in product.atoms(Access):
        if any(part in parts and parts[part].extent != axis.extent for axis, part in zip(access.tensor.axes, access.index, strict=True)):
            return None
        swap[access] = Access(access.tensor, *(parts.get(part, part) for part in access.index))
    entry = product.xreplace(swap)
    moved = {s for slot in slots for s in slot.part.free_symbols}
    # A place that is reckoned with outside of entries, as in a guard of its own, belongs to no image.
    return None if entry.free_symbols & moved or not all(p in entry.free_symbols for p in places) else Image(entry, places)


def _reads(factor: Expr, parts: Sequence[Expr]) -> bool:
    return any(all(part in access.index for part in parts) for access in factor.atoms(Access))


def _reckoned(part: Expr, index: Index) -> bool:
    return part != index and index in part.free_symbols and not isinstance(part, Access)


def whole_form(equation: Equation) -> MatrixEquation | OperatorEquation | None:
    """Return an equation with whole arrays: in matrix form, else in operator form, or None where it has neither."""
    return matrix_form(equation) or operator_form(equation)


__all__ = ["operator_form", "whole_form"]
