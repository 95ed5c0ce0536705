"""Derivatives: given ones, and those of what is written, by differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.present.reader.bound import Bound, Derived
from symbackprop.present.reader.entries import Entries, head_of
from symbackprop.present.reader.functions import LETTERS, extrapolated, slope
from symbackprop.present.reader.names import Seen, is_slot
from symbackprop.present.reader.parser import index_name
from symbackprop.present.reader.tree import (
    Gradient,
    Group,
    Node,
    Partial,
    Symbol,
    walk,
)
from symbackprop.present.reader.values import (
    Array,
    Value,
    elementwise,
    entries,
    turned,
)


class Slopes(Entries):
    """Values of derivatives."""

    def gradient(self, node: Gradient) -> Value:
        if node.of is None:
            seen = self.seen(Symbol(r"\nabla"))
            if seen is None or seen.bound.whole is None:
                raise DeclarationError(f"{self.column(node)}: with respect to what? {self.text(node)} has nothing below its ∇")
            whole = seen.bound.whole
            return entries(whole, ())
        return self.derived(node.top, node.of, node, gradient=True)

    def partial(self, node: Partial) -> Value:
        return self.derived(node.top, node.bottom, node)

    def derived(self, top: Node, bottom: Node, node: Node, gradient: bool = False) -> Value:
        """Return a derivative: a given one, or one that is computed by differences of what is written above the line."""
        head, group = head_of(top)
        if not isinstance(bottom, Symbol):
            raise DeclarationError(f"{self.column(node)}: a derivative is with respect to a symbol, not {self.text(bottom)}")
        variable = self.seen(bottom)
        of = self.seen(head) if isinstance(head, Symbol) else None
        if variable is not None and of is not None and of.bound.function is None:
            named, selected = self.differentiated(of, group)
            known = self.bindings.derivatives(named, variable.bound.name)
            if known is not None:
                indices = (*selected, *variable.indices)
                text = replace(of.bound, base=self.text(node), above="", below="", primes=0)
                written = known.gradient if gradient else known.whole
                whole = known.entries if written is None else written
                if not indices:
                    return self.fitting(node, lambda: entries(whole, ()))
                stacked = known.stacked and not variable.indices
                bound = replace(text, entries=whole if stacked else known.entries, first=known.first)
                if any(is_slot(i) for i in indices):
                    return self.column_of(known, bound, selected, variable.indices, node)
                return self.gathered(bound, indices, [self.value(i) for i in indices], node)
        if variable is None and not (isinstance(bottom, Symbol) and index_name(bottom) in self.numbers):
            return self.value(bottom)
        assert variable is not None
        if variable.bound.name in self.bindings.definitions and variable.bound.entries is None:
            return self.by_differences(top, bottom, replace(variable, bound=self.valued(variable.bound)), node)
        if (
            isinstance(head, Symbol)
            and group is None
            and ((of is not None and of.bound.function is not None) or (of is None and head.base in LETTERS))
        ):
            work = of.bound.function if of is not None else LETTERS[head.base]
            assert work is not None
            return elementwise(slope_of(work, False), self.value(bottom))
        return self.by_differences(top, bottom, variable, node)

    def column_of(self, known: Derived, bound: Bound, above: Sequence[Node], below: Sequence[Node], node: Node) -> Value:
        """Return the derivative with respect to a whole row or column of a matrix: ∂L/∂W_{·0}, ∂z/∂W_{·0}."""
        if len(below) != 2 or all(is_slot(i) for i in below) or (above and not known.stacked):
            raise ShapeError(f"{self.text(node)}: one row or column of a matrix is meant by a dot among two indices")
        number_ = 0 if is_slot(below[1]) else 1
        array = np.moveaxis(known.entries, number_ - 2, 0)
        first = bound.starts(known.entries.ndim - 2 + number_)
        indices = (below[number_], *above)
        made = self.gathered(replace(bound, entries=array, first=(first, 1)), indices, [self.value(i) for i in indices], node)
        return turned(made) if known.turned else made

    def differentiated(self, of: Seen, group: Group | None) -> tuple[str, tuple[Node, ...]]:
        """Return the name of what is differentiated: L(θ; x_n, y_n) is that of one sample, L(θ) that of all."""
        if group is None or of.bound.each is None:
            return of.bound.name, of.indices
        sample = self.sample_of(group)
        if sample:
            return "loss of each", sample
        named = any(self.names_sample(a) for a in group.args)
        return (of.bound.name if named else "loss of all"), of.indices

    def names_sample(self, node: Node) -> bool:
        """Whether an argument is an input or a target, not a parameter."""
        seen = self.seen(node) if isinstance(node, Symbol) else None
        if seen is None and isinstance(node, Symbol) and not node.below and not node.above and self.only_indexed(node):
            raise DeclarationError(f"{self.column(node)}: {self.text(node)} needs an index: it has one value for each sample")
        return seen is not None and any(b.sample for b in self.bindings.of(seen.bound.base))

    def only_indexed(self, node: Symbol) -> bool:
        """Whether a letter has a value for each sample only."""
        return any(b.name in self.bindings.arguments and not b.above and not b.below for b in self.bindings.of(node.base))

    def valued(self, bound: Bound) -> Bound:
        """Return a definition as a value."""
        value = self.defined(Symbol(bound.base), bound)
        array = value.array[..., 0] if value.shaped and value.columns == 1 else value.array
        return replace(bound, entries=array, whole=array)

    def by_differences(self, top: Node, bottom: Symbol, variable: Seen, node: Node) -> Value:
        """Differentiate what is written: central differences in every entry of the variable, extrapolated."""
        array = variable.bound.entries if variable.bound.entries is not None else variable.bound.whole
        if array is None:
            raise DeclarationError(f"{self.column(bottom)}: {self.text(bottom)} has no value")
        used = {s.bound.name for s in (self.seen(n) for n in walk(top) if isinstance(n, Symbol)) if s is not None}
        if variable.bound.name not in used and not used & set(self.bindings.definitions):
            raise DeclarationError(f"{self.column(node)}: how {self.text(top)} depends on {self.text(bottom)} is not known")
        definitions = {k: v for k, v in self.bindings.definitions.items() if k != variable.bound.name}
        slopes: list[Value] = []
        for place in np.ndindex(*array.shape):
            h = 0.02 * max(abs(float(array[place])), 0.1)
            rows = []
            for k in range(5):
                ends = []
                for sign in (1, -1):
                    moved = array.astype(np.float64).copy()
                    moved[place] += sign * h / 2**k
                    changed = replace(variable.bound, entries=moved, whole=moved)
                    bindings = replace(self.bindings.updated(changed), definitions=definitions)
                    ends.append(replace(self, bindings=bindings).value(top))
                rows.append((ends[0].array - ends[1].array) / (2 * h / 2**k))
            slopes.append(replace(ends[0], array=extrapolated(rows), literal=False))
        like = slopes[0]
        if like.shaped and array.ndim and not variable.indices:
            if like.columns != 1 or array.ndim != 1:
                raise DeclarationError(f"{self.column(node)}: {self.text(node)} has more than two axes; write it with indices")
            # A Jacobian: rows are what is differentiated.
            return Value(np.concatenate([s.array for s in slopes], axis=-1), like.labels, True)
        stacked = np.stack([s.array for s in slopes])
        stacked = np.reshape(stacked, (*array.shape, *stacked.shape[1:]))
        if not variable.indices:
            if array.ndim == 0:
                return replace(like, array=stacked)
            lead = tuple(np.moveaxis(stacked, range(array.ndim), range(-array.ndim, 0)).shape)
            return self.fitting(
                node, lambda: entries(np.reshape(np.moveaxis(stacked, range(array.ndim), range(-array.ndim, 0)), lead), like.labels)
            )
        at = [self.value(i) for i in variable.indices]
        gathered = self.gathered(replace(variable.bound, entries=stacked), variable.indices, at, bottom) if not like.labels else None
        if gathered is not None:
            return gathered
        # Labels of what is differentiated come after the entry that was moved.
        tail = [Value(np.arange(self.scope[label][0], self.scope[label][1] + 1, dtype=np.float64), (label,)) for label in like.labels]
        first = (*(variable.bound.starts(k) for k in range(array.ndim)), *(self.scope[label][0] for label in like.labels))
        bound = replace(variable.bound, entries=stacked, first=first)
        labels = [Symbol(label) for label in like.labels]
        return self.gathered(bound, (*variable.indices, *labels), [*at, *tail], node)


def slope_of(work: Callable[..., Any], vector: bool) -> Callable[..., Any]:
    """Return the derivative of a function of one argument; of a function of a vector, ∂f_i/∂x_i."""
    if not vector:
        return lambda x: slope(work, x)

    def own(x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        made = np.empty_like(x)
        for k in np.ndindex(*x.shape):

            def entry(value: Array, k: tuple[int, ...] = k) -> Array:
                moved = x.copy()
                moved[k] = value
                return np.asarray(np.asarray(work(moved))[k])

            made[k] = slope(entry, x[k])
        return made

    return own


__all__ = ["Slopes", "slope_of"]
