"""Entries that indices select, and the values over which indices run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.present.reader.bound import Bound
from symbackprop.present.reader.names import Names, is_slot
from symbackprop.present.reader.parser import index_name
from symbackprop.present.reader.tree import (
    Entry,
    Group,
    Node,
    Number,
    Partial,
    Product,
    Reduction,
    Symbol,
    parts,
)
from symbackprop.present.reader.values import (
    Array,
    Value,
    aligned,
    entries,
    turned,
)


class Entries(Names):
    """Entries of arrays, rows and columns, and the ranges of indices."""

    def gathered(self, bound: Bound, indices: Sequence[Node], at: Sequence[Value], node: Node) -> Value:
        """Return the entries that indices select."""
        array = bound.entries
        assert array is not None
        if len(at) > array.ndim:
            raise ShapeError(f"{self.text(node)}: {len(at)} indices for {array.ndim} axes")
        for value in at:
            if value.shaped:
                raise ShapeError(f"{self.text(node)}: an index is a whole number, not {value.shape}")
        places, labels = aligned(*at)
        outside: Any = False
        positions = []
        for axis, (place, index) in enumerate(zip(places, indices, strict=True)):
            if not np.all(place == np.round(place)):
                raise DeclarationError(f"{self.column(index)}: the index {self.text(index)} is no whole number")
            position = place.astype(np.int64) - bound.starts(axis)
            wrong = (position < 0) | (position >= array.shape[axis])
            if np.any(wrong):
                plain_index = isinstance(index, Number) or (isinstance(index, Symbol) and index_name(index) in self.scope)
                if plain_index or np.all(wrong):
                    self.beyond(bound, axis, index, node)
                outside = outside | wrong
            positions.append(np.clip(position, 0, array.shape[axis] - 1))
        made = array[tuple(np.broadcast_arrays(*positions))] if positions else array
        if np.any(outside):
            mask = np.broadcast_to(outside, np.broadcast_shapes(*(p.shape for p in positions)))
            nothing = np.nan if bound.outside is None else bound.outside
            made = np.where(np.reshape(mask, (*mask.shape, *(1,) * (array.ndim - len(at)))), nothing, made)
        return self.fitting(node, lambda: entries(made, labels))

    def line(self, bound: Bound, indices: Sequence[Node], node: Node) -> Value:
        """Return a whole column or row: W_{·0}, W_{i·}."""
        array = bound.entries
        if array is None or array.ndim != 2 or len(indices) != 2 or all(is_slot(i) for i in indices):
            raise ShapeError(f"{self.text(node)}: one row or column of a matrix is meant by a dot among two indices")
        axis = 0 if is_slot(indices[0]) else 1
        index = indices[1 - axis]
        turned_ = replace(bound, entries=array if axis else array.T, first=(bound.starts(1 - axis), bound.starts(axis)))
        made = self.gathered(turned_, [index], [self.value(index)], node)
        return made if axis == 0 else turned(made)

    def beyond(self, bound: Bound, axis: int, index: Node, node: Node) -> None:
        array = bound.entries
        assert array is not None
        low, high = bound.starts(axis), bound.starts(axis) + array.shape[axis] - 1
        shape = "×".join(map(str, array.shape))
        name = index_name(index) if isinstance(index, Symbol) else None
        runs = (
            f"{name} runs from {self.scope[name][0]} to {self.scope[name][1]}"
            if name in self.scope and name
            else f"the index is {self.text(index)}"
        )
        raise ShapeError(
            f"{self.text(node)}: {runs}, but the {_ordinal(axis)} index of {bound.written} ({shape}) goes from {low} to {high}"
        )

    def defined(self, node: Symbol, bound: Bound, indices: Sequence[Node] = ()) -> Value:
        """Return the value of a definition."""
        if bound.name in self.inside:
            raise DeclarationError(f"{bound.name} is defined by itself: {' -> '.join((*self.inside, bound.name))}")
        formula = self.bindings.definitions[bound.name]
        inner = replace(self, source=formula.source, scope={}, inside=(*self.inside, bound.name))
        value = inner.value(formula.chains[0].sides[-1])
        if not indices:
            return value
        array = value.array[..., 0] if value.shaped and value.columns == 1 else value.array
        return self.gathered(replace(bound, entries=array), indices, [self.value(i) for i in indices], node)

    def lazily(self, bound: Bound) -> Array | None:
        """Return the entries of a definition."""
        if bound.name not in self.bindings.definitions:
            return None
        value = self.defined(Symbol(bound.base), replace(bound))
        return value.array[..., 0] if value.shaped and value.columns == 1 else value.array

    def extents(self, node: Node) -> dict[str, tuple[int, int, str]]:
        """Return which values the indices in a node take, by the entries that they select; and where that was seen.

        Raises:
            ShapeError: one index selects from axes of different lengths.
        """
        found: dict[str, tuple[int, int, str]] = {}
        if isinstance(node, Reduction):
            hidden = [r.index for r in node.ranges]
            for part in parts(node):
                merge(found, {k: v for k, v in self.extents(part).items() if k not in hidden})
            return found
        if isinstance(node, Symbol):
            seen = self.seen(node)
            if seen is not None and seen.bound.function is None:
                array = seen.bound.entries if seen.bound.entries is not None else self.lazily(seen.bound)
                merge(found, self.index_extents(replace(seen.bound, entries=array), seen.indices, node))
                if seen.exponent is not None:
                    merge(found, self.extents(seen.exponent))
                return found
        if isinstance(node, Entry):
            return self.entry_extents(node)
        if isinstance(node, Product):
            return self.product_extents(node)
        if isinstance(node, Partial) and isinstance(node.bottom, Symbol):
            known = self.known(node.top, node.bottom)
            if known is not None:
                bound, indices = known
                return self.index_extents(bound, indices, node)
        for part in parts(node):
            merge(found, self.extents(part))
        return found

    def product_extents(self, node: Product) -> dict[str, tuple[int, int, str]]:
        found: dict[str, tuple[int, int, str]] = {}
        skipped = -1
        for k, factor in enumerate(node.factors):
            if k == skipped:
                continue
            merge(found, self.extents(factor))
            follows = node.factors[k + 1] if k + 1 < len(node.factors) and not node.signs[k] else None
            seen = self.seen(factor) if isinstance(factor, Symbol) and isinstance(follows, Group) else None
            if seen is not None and seen.bound.each is not None and isinstance(follows, Group):
                # L(θ; x_n, y_n): n counts samples here, whatever else may stand below x.
                skipped = k + 1
                for index in self.sample_of(follows):
                    name = index_name(index) if isinstance(index, Symbol) else None
                    if name is not None and not self.is_bound(index):
                        merge(found, {name: (1, len(seen.bound.each), self.text(factor) + self.text(follows))})
        return found

    def sample_of(self, group: Group) -> tuple[Node, ...]:
        """Return the index of the sample that a parenthesis names, if it names one."""
        for arg in group.args:
            inner = self.seen(arg) if isinstance(arg, Symbol) else None
            if inner is not None and inner.indices:
                return inner.indices[:1]
        return ()

    def index_extents(self, bound: Bound, indices: Sequence[Node], node: Node) -> dict[str, tuple[int, int, str]]:
        found: dict[str, tuple[int, int, str]] = {}
        shape = () if bound.entries is None else bound.entries.shape
        for axis, index in enumerate(indices):
            name = index_name(index) if isinstance(index, Symbol) and not is_slot(index) else None
            if name is not None and name not in self.numbers and not self.is_bound(index) and axis < len(shape):
                first = bound.starts(axis)
                merge(found, {name: (first, first + shape[axis] - 1, self.text(node))})
            else:
                merge(found, self.extents(index))
        return found

    def known(self, top: Node, bottom: Symbol) -> tuple[Bound, tuple[Node, ...]] | None:
        """Return a derivative that is given, as something that has entries, with its indices."""
        head, _ = head_of(top)
        of, variable = self.seen(head) if isinstance(head, Symbol) else None, self.seen(bottom)
        if of is None or variable is None:
            return None
        known = self.bindings.derivatives(of.bound.name, variable.bound.name)
        # What stands behind L only says which loss is meant; all of them have the entries of the variable.
        return None if known is None else (Bound("", entries=known.entries, first=known.first), (*of.indices, *variable.indices))

    def entry_extents(self, node: Entry) -> dict[str, tuple[int, int, str]]:
        found = self.extents(node.arg)
        value = self.value(node.arg)
        sizes = value.array.shape[-2:] if value.shaped and value.columns > 1 else value.array.shape[-2:-1]
        for size, index in zip(sizes, self.split(node.below, len(sizes)) or (), strict=False):
            name = index_name(index) if isinstance(index, Symbol) else None
            if name is not None and not self.is_bound(index):
                merge(found, {name: (1, size, self.text(node))})
        return found


def head_of(node: Node) -> tuple[Node, Group | None]:
    """Return a symbol with the parenthesis behind it."""
    if isinstance(node, Product) and len(node.factors) == 2 and isinstance(node.factors[1], Group) and not node.signs[0]:
        return node.factors[0], node.factors[1]
    return node, None


def _ordinal(axis: int) -> str:
    return ("first", "second", "third", "fourth")[axis] if axis < 4 else f"{axis + 1}th"


def merge(found: dict[str, tuple[int, int, str]], more: Mapping[str, tuple[int, int, str]]) -> None:
    """Add ranges of indices to others.

    Raises:
        ShapeError: one index has two ranges.
    """
    for name, (low, high, text) in more.items():
        if name in found and found[name][:2] != (low, high):
            was = found[name]
            if was[1] == high and {was[0], low} == {0, 1}:
                # The constant unit 0 is not meant where others that share the index have none.
                found[name] = (1, high, text if low == 1 else was[2])
                continue
            raise ShapeError(f"the index {name} runs from {was[0]} to {was[1]} in {was[2]}, but from {low} to {high} in {text}")
        found.setdefault(name, (low, high, text))


__all__ = ["Entries", "head_of", "merge"]
