r"""What symbols stand for: which spelling means which values, with or without indices.

A spelling is a letter with the marks that belong to its name; what else stands below or above is an index or an exponent. With
``W^{(1)}`` bound, ``W_{ij}^{(1)}`` is an entry of it; with ``h_2`` and ``h^{(2)}`` bound, so are ``h_2`` and ``h_i^{(2)}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError
from symbackprop.present.reader.parser import read
from symbackprop.present.reader.tree import Formula, Gradient, Mark, Node, Number, Partial, Product, Sum, Symbol
from symbackprop.present.reader.values import Array


@dataclass(frozen=True)
class Bound:
    r"""One spelling and what it means.

    Attributes:
        base: the letter or word, ``\delta``.
        below: the mark below that belongs to the name: the layer in ``h_2``; "" if what stands below is an index.
        above: the same above: "2" in ``a^{(2)}``.
        parenthesised: whether the mark above stands in parentheses.
        primes: of a function's derivative.
        name: of the quantity, which several spellings may share; derivatives go by it.
        entries: values that indices select from, or None if it has no entries.
        whole: the value without indices: a scalar, a vector or a matrix; None if an index is needed.
        first: the first value of each index, 1 by default and 0 where a bias is the column 0.
        sample: where the index of the first axis stands: "" below with the others, "above", or "parenthesised" above.
        style: the letter's, where it matters: "bold"; "" for any.
        each: values for each sample, for a name that is followed by the sample that it is of: L(θ; x_n, y_n).
        total: the value over all samples, for a name that is followed by no sample: L(θ).
        function: what it is if it is a function.
        vector: whether the function takes a whole vector, not one entry after the other.
        outside: what stands outside of it, where a place that is computed lies there; None for nothing at all.
        absent: whether only derivatives of it, or by it, are known; its entries then say how many there are, and no more.
    """

    base: str
    below: str = ""
    above: str = ""
    parenthesised: bool = True
    primes: int = 0
    name: str = ""
    entries: Array | None = None
    whole: Array | None = None
    first: tuple[int, ...] = ()
    sample: str = ""
    style: str = ""
    each: Array | None = None
    total: Array | None = None
    function: Callable[..., Any] | None = None
    vector: bool = False
    absent: bool = False
    outside: float | None = None

    @property
    def written(self) -> str:
        """The spelling in LaTeX."""
        above = f"({self.above})" if self.above and self.parenthesised else self.above
        return f"{self.base}{chr(39) * self.primes}{f'_{{{self.below}}}' if self.below else ''}{f'^{{{above}}}' if above else ''}"

    @property
    def key(self) -> tuple[str, ...]:
        """What distinguishes it from other spellings."""
        return self.base, self.below, self.above, str(self.parenthesised), str(self.primes), self.sample, self.style

    def starts(self, axis: int) -> int:
        """Return the first value of an index."""
        return self.first[axis] if axis < len(self.first) else 1


@dataclass(frozen=True)
class Derived:
    """A derivative.

    Attributes:
        entries: the axes of what is differentiated, then those of the variable.
        whole: as ∂L/∂W in matrix formulas: in the layout that these have.
        first: the first value of each index.
        gradient: as ∇_W L in matrix formulas: in the shape of W.
        turned: whether ``whole`` is transposed: numerator layout.
        stacked: whether there is one for each sample, along the first axis of all of these.
    """

    entries: Array
    whole: Array | None = None
    first: tuple[int, ...] = ()
    gradient: Array | None = None
    turned: bool = False
    stacked: bool = False


#: How derivatives are looked up: by the names of what is differentiated and of the variable.
Derivatives = Callable[[str, str], Derived | None]


def _no_derivatives(top: str, bottom: str) -> None:
    return None


@dataclass(frozen=True)
class Bindings:
    """The meaning of symbols.

    Attributes:
        bound: spellings.
        derivatives: values of derivatives that are not computed from the formula itself.
        definitions: formulas for symbols that have no value of their own, by spelling.
        after: values after an update, by name: what the left side of an arrow means.
        arguments: names of what may stand in parentheses behind a symbol only to say what it depends on: L(θ; x, y).
        said: what to say of the values, for messages: "at random values of a 3-4-2 network".
    """

    bound: tuple[Bound, ...] = ()
    derivatives: Derivatives = _no_derivatives
    definitions: Mapping[str, Formula] = field(default_factory=lambda: MappingProxyType({}))
    after: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    arguments: frozenset[str] = frozenset()
    said: str = ""

    def of(self, base: str) -> tuple[Bound, ...]:
        """Return the spellings that begin with a letter."""
        return self.letters.get(base, ())

    @cached_property
    def letters(self) -> Mapping[str, tuple[Bound, ...]]:
        known: dict[str, tuple[Bound, ...]] = {}
        for b in self.bound:
            known[b.base] = (*known.get(b.base, ()), b)
        return known

    def updated(self, *more: Bound) -> Bindings:
        """Return bindings with more spellings; a spelling that is there already gets the new meaning."""
        new = {b.key for b in more}
        return replace(self, bound=(*(b for b in self.bound if b.key not in new), *more))

    @property
    def words(self) -> tuple[str, ...]:
        """Names of more than one letter."""
        return tuple(sorted({b.base for b in self.bound if len(b.base) > 1 and b.base.isalnum()}))


def bindings(
    values: Mapping[str, Any], *, after: Mapping[str, Any] | None = None, first: Mapping[str, int | tuple[int, ...]] | None = None
) -> Bindings:
    r"""Return the meaning of symbols from values by their LaTeX.

    Args:
        values: ``{"W^{(1)}": array, "x": array, "\eta": 0.1, "g": np.tanh, r"\frac{\partial L}{\partial W}": array}``. Arrays with one
            axis are columns; what stands below and above in a key is part of the name, and indices come on top of it. A function
            works entry by entry; a string is a definition: ``{"f": "q z", "q": "x + y"}``, which is also differentiated.
            ``x^{(\cdot)}`` says that the index of the first axis stands above, in parentheses.
        after: values after an update, by the same keys, for claims with an arrow.
        first: the first value of each index of a symbol where that is not 1: ``{"w^{(1)}": (1, 0)}``.

    Raises:
        DeclarationError: a key is no symbol, or a value is nothing of the above.
    """
    found: list[Bound] = []
    definitions: dict[str, Formula] = {}
    derivatives: dict[tuple[str, str], Derived] = {}
    absent: list[Bound] = []
    starts = {spelled(key): value for key, value in (first or {}).items()}
    for key, value in values.items():
        node = _key(key)
        if isinstance(node, Partial | Gradient):
            top, bottom = (node.top, node.bottom) if isinstance(node, Partial) else (node.top, node.of)
            if bottom is None:
                found.append(_of_value(Bound(r"\nabla", name=key), value, key))
                continue
            names = spelling(top).written, spelling(bottom).written
            array = _array(value, key)
            derivatives[names] = Derived(array, array, gradient=array)
            absent.append(replace(spelling(top), name=names[0], whole=np.asarray(np.nan), absent=True))
            absent.append(replace(spelling(bottom), name=names[1], entries=np.full(array.shape, np.nan), whole=array, absent=True))
            continue
        bare = spelling(node)
        name = bare.written
        if isinstance(value, str):
            definitions[name] = read(value)
            found.append(replace(bare, name=name))
            continue
        axis = starts.get(name, ())
        found.append(replace(_of_value(replace(bare, name=name), value, key), first=axis if isinstance(axis, tuple) else (axis,) * 8))
    taken = {b.key for b in found}
    return Bindings(
        (*found, *{b.key: b for b in absent if b.key not in taken}.values()),
        lambda top, bottom: derivatives.get((top, bottom)),
        definitions,
        {spelled(key): _array(value, key) for key, value in (after or {}).items()},
        said=_said(values),
    )


def _said(values: Mapping[str, Any]) -> str:
    scalars = [f"{key} = {float(v):.4g}" for key, v in values.items() if not isinstance(v, str) and not callable(v) and np.ndim(v) == 0]
    return f"at {', '.join(scalars[:6])}" if scalars and len(scalars) <= 6 else ""


def spelled(key: str) -> str:
    """Return the canonical spelling of a key."""
    return spelling(_key(key)).written


def _key(key: str) -> Node:
    if not isinstance(key, str):
        raise DeclarationError(f"symbols are strings of LaTeX, got {type(key).__name__}")
    if key.isalnum() and not key.isdigit() and key.isascii():
        return Symbol(key)
    word = re.match(r"[A-Za-z]{2,}", key)
    formula = read(key, [word.group()] if word else ())
    node = formula.chains[0].sides[0]
    if len(formula.chains) > 1 or len(formula.chains[0].sides) > 1 or not isinstance(node, Symbol | Partial | Gradient):
        raise DeclarationError(
            f"{key[:60]!r} is no symbol; a letter with marks is one, such as W^{{(1)}}, and a derivative of one by another"
        )
    return node


def spelling(node: Node) -> Bound:
    """Return a symbol as a spelling without a meaning: all its marks belong to its name."""
    if isinstance(node, Product) and isinstance(node.factors[0], Symbol):
        node = node.factors[0]
    if not isinstance(node, Symbol):
        raise DeclarationError("a derivative is one of a symbol with respect to a symbol")
    marks = [m for m in node.above if not slot(m)]
    slots = [m for m in node.above if slot(m)]
    sample = "" if not slots else "parenthesised" if slots[0].parenthesised else "above"
    above = ",".join(plain(c) for m in marks for c in m.content)
    below = ",".join("".join(plain(part) for part in piece) for piece in node.below)
    parenthesised = all(m.parenthesised for m in marks)
    return Bound(node.base, below, above, parenthesised, node.primes, sample=sample)


def slot(mark: Mark) -> bool:
    """Whether a mark is the dot that stands for any index."""
    return len(mark.content) == 1 and mark.content[0] == Symbol(r"\cdot")


def plain(node: Node) -> str:
    """Return a mark as text: l+1, n_l, dense_1."""
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Symbol):
        below = ",".join("".join(plain(part) for part in piece) for piece in node.below)
        above = ",".join(plain(c) for m in node.above for c in m.content)
        return f"{node.base}{f'_{below}' if below else ''}{f'^{above}' if above else ''}{chr(39) * node.primes}"
    if isinstance(node, Sum):
        written = "".join(f"{sign}{plain(term)}" for sign, term in zip(node.signs, node.terms, strict=True))
        return written.removeprefix("+")
    if isinstance(node, Product) and not any(node.signs):
        return "".join(plain(f) for f in node.factors)
    return "?"


def _of_value(bare: Bound, value: Any, key: str) -> Bound:
    if callable(value):
        return replace(bare, function=value)
    array = _array(value, key)
    needs = bool(bare.sample)
    return replace(bare, entries=array, whole=None if needs or array.ndim > 2 else array)


def _array(value: Any, key: str) -> Array:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise DeclarationError(f"{key}: numbers, a function or a formula are wanted, got {type(value).__name__}") from None


def names(bound: Iterable[Bound]) -> str:
    """Return spellings for a message."""
    shown = list(dict.fromkeys(b.written for b in bound))
    return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "")


__all__ = ["Bindings", "Bound", "Derivatives", "Derived", "bindings", "names", "plain", "slot", "spelled", "spelling"]
