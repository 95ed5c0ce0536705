"""From trees to values: what a formula is worth where its symbols have values.

Juxtaposition is read as a reader does: a function applies to what follows in parentheses, a scalar multiplies, a matrix product is
taken where the shapes allow one. The sign · is whatever the shapes allow; where they allow two things, that is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.present.reader.bound import Bindings, Bound, names, plain
from symbackprop.present.reader.entries import merge
from symbackprop.present.reader.functions import KNOWN, LETTERS, softmax
from symbackprop.present.reader.names import Seen, is_slot
from symbackprop.present.reader.parser import index_name
from symbackprop.present.reader.slopes import Slopes, slope_of
from symbackprop.present.reader.tree import (
    Bars,
    Braced,
    Bracket,
    Call,
    Chain,
    Entry,
    Formula,
    Fraction,
    Gradient,
    Group,
    Hadamard,
    Matrix,
    Node,
    Number,
    Partial,
    Power,
    Product,
    Range,
    Reduction,
    Root,
    Shaped,
    Sum,
    Symbol,
    Transpose,
)
from symbackprop.present.reader.values import (
    LARGEST,
    Array,
    MisfitError,
    Value,
    add,
    aligned,
    conform,
    elementwise,
    entries,
    identity,
    matrix_product,
    number,
    ones,
    scaled,
    selected,
    turned,
)

_REDUCE: Mapping[str, Callable[..., Any]] = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}
_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "=": np.equal,
    r"\ne": np.not_equal,
    "<": np.less,
    ">": np.greater,
    r"\le": np.less_equal,
    r"\ge": np.greater_equal,
    r"\mid": lambda a, b: np.mod(b, a) == 0,
}


class Meaning(Slopes):
    """The values of the symbols of one formula, and what becomes of them."""

    def value(self, node: Node) -> Value:
        """Return the value of a node.

        Raises:
            ShapeError: shapes do not fit.
            DeclarationError: a symbol has no value.
        """
        work = _WORK.get(type(node))
        if work is None:
            raise DeclarationError(f"{self.column(node)}: {self.text(node)[:60]} has no value of its own")
        return self.fitting(node, lambda: work(self, node))

    def number_of(self, node: Number) -> Value:
        return number(float(node.text))

    def group(self, node: Group) -> Value:
        if len(node.args) != 1:
            raise DeclarationError(f"{self.column(node)}: {self.text(node)[:60]} stands behind no function")
        return self.value(node.args[0])

    def sum(self, node: Sum) -> Value:
        values = [self.value(t) for t in node.terms]
        try:
            return add(values, node.signs)
        except MisfitError:
            pass
        # Name the first two terms that do not fit.
        for k in range(1, len(values)):
            try:
                add(values[: k + 1], node.signs[: k + 1])
            except MisfitError:
                bad = next((v for v in values[:k] if v.shaped), values[0])
                raise ShapeError(
                    f"{self.text(node)[:200]}: {bad.shape} {'plus' if node.signs[k] == '+' else 'minus'} {values[k].shape}"
                ) from None
        raise ShapeError(f"{self.text(node)[:200]}: shapes do not fit")

    def product(self, node: Product) -> Value:
        """Multiply from left to right."""
        values: list[tuple[str, Node, Node, Value]] = []
        k = 0
        while k < len(node.factors):
            sign = node.signs[k - 1] if k else ""
            used, value = self.applied(node, k)
            values.append((sign, node.factors[k], node.factors[used - 1], value))
            k = used
        result = values[0][3]
        for at, (sign, first, last, value) in enumerate(values[1:], 1):
            left = self.source[values[0][1].at : values[at - 1][2].end].strip()
            result = self.times(result, value, sign, left, self.source[first.at : last.end].strip(), first)
            follows = at + 1 < len(values) and values[at + 1][0] == ""
            if sign == "/" and follows:
                self.note(f"/ in {self.text(node)} divides by {self.text(first)} alone; write parentheses or a fraction")
        return selected([v for _, _, _, v in values], result)

    def times(self, a: Value, b: Value, sign: str, left: str, right: str, where: Node) -> Value:
        both = f"{left} {sign} {right}".replace("  ", " ")
        if sign == "/":
            try:
                return elementwise(np.divide, a, b.scalar() if b.single else b, fills=b.single)
            except MisfitError:
                raise ShapeError(f"{both}: {a.shape} divided by {b.shape}") from None
        if not a.shaped or not b.shaped:
            return scaled(a, b)
        product = conform(a, b)
        same = a.array.shape[-2:] == b.array.shape[-2:] and not any((*a.loose, *b.loose))
        if sign == r"\cdot" and same and not (a.single and b.single):
            if product:
                self.note(rf"\cdot in {both} may be the matrix product or the elementwise one: both are {a.shape}")
            if not product or self.dot == "elementwise":
                self.note(rf"\cdot is read as the elementwise product in {both}")
                return elementwise(np.multiply, a, b)
        if product:
            if sign == r"\cdot":
                self.note(rf"\cdot is read as the matrix product in {both}")
            return matrix_product(a, b)
        if a.single or b.single:
            return scaled(a, b)
        hint = ""
        if same and not sign:
            hint = "; an elementwise product needs a sign"
        elif a.columns == 1 and b.columns == 1 and not any((*a.loose, *b.loose)):
            hint = "; an outer product needs a transpose"
        raise ShapeError(f"{both}: {a.shape} times {b.shape}{hint}")

    def hadamard(self, node: Hadamard) -> Value:
        values = [self.value(f) for f in node.factors]
        result = values[0]
        for k, (sign, value) in enumerate(zip(node.signs, values[1:], strict=True)):
            left, right = self.source[node.at : node.factors[k].end].strip(), self.text(node.factors[k + 1])
            try:
                if sign == r"\otimes":
                    result = matrix_product(result, turned(value))
                else:
                    result = elementwise(np.divide if sign == r"\oslash" else np.multiply, result, value)
            except MisfitError:
                columns = result.columns == value.columns == 1 if result.shaped and value.shaped else False
                hint = "; an outer product needs a transpose" if columns else ""
                raise ShapeError(f"{left} {sign} {right}: {result.shape} elementwise times {value.shape}{hint}") from None
        return selected(values, result)

    def applied(self, node: Product, k: int) -> tuple[int, Value]:
        """Return the value of a factor, with the parenthesis behind it if it is a function's; and the position behind both."""
        head = node.factors[k]
        follows = node.factors[k + 1] if k + 1 < len(node.factors) and node.signs[k] == "" else None
        group, outer = _inner_group(follows)
        if group is None or not isinstance(head, Symbol) or follows is None:
            return k + 1, self.value(head)
        seen = self.seen(head)
        value: Value | None = None
        if (seen is not None and seen.bound.function is not None) or (seen is None and head.base in LETTERS):
            value = self.called(head, seen, group)
        elif seen is not None and not outer and self.depends(head, seen, group):
            value = self.said_of(head, seen, group)
        if value is None:
            return k + 1, self.value(head)
        result = value
        for wrapper in reversed(outer):
            result = self.wrapped(wrapper, result)
        return k + 2, result

    def wrapped(self, wrapper: Node, value: Value) -> Value:
        if isinstance(wrapper, Transpose):
            return turned(value)
        assert isinstance(wrapper, Power)
        return self.raised(value, self.value(wrapper.exponent), wrapper)

    def called(self, head: Symbol, seen: Seen | None, group: Group) -> Value:
        """Return a function of what stands in parentheses; after a semicolon stand parameters."""
        args = [self.value(a) for a in group.args[: group.variables] if not self.only_said(a)]
        if not args:
            raise DeclarationError(f"{self.column(group)}: {self.text(head)} needs an argument")
        return self.function_value(head, seen, args, group)

    def only_said(self, node: Node) -> bool:
        """Whether an argument only says what something depends on: θ, which has no value."""
        if not isinstance(node, Symbol):
            return False
        seen = self.seen(node)
        return (seen is None and node.base == r"\theta") or (
            seen is not None and seen.bound.name in self.bindings.arguments and seen.bound.whole is None
        )

    def function_value(self, head: Symbol, seen: Seen | None, args: Sequence[Value], where: Node) -> Value:
        bound = seen.bound if seen is not None else Bound(head.base, function=LETTERS[head.base])
        if seen is None and (head.below or head.above):
            raise DeclarationError(f"{self.column(head)}: {self.text(head)} has no value")
        order = head.primes - bound.primes
        assert bound.function is not None
        work = bound.function
        for _ in range(order):
            work = slope_of(work, bound.vector)
        if bound.vector:
            result = self.of_vectors(work, args, head)
        else:
            result = self.fitting(where, lambda: elementwise(partial(_by_entries, work, self.text(head)), *args, fills=True))
        if seen is not None and seen.exponent is not None:
            result = self.raised(result, self.value(seen.exponent), head)
        return result

    def of_vectors(self, work: Callable[..., Any], args: Sequence[Value], head: Node) -> Value:
        """Return a function of whole vectors, for each value of the indices."""
        arrays, labels = aligned(*args)
        lead = np.broadcast_shapes(*(a.shape[: len(labels)] for a in arrays))
        full = [np.broadcast_to(a, (*lead, *a.shape[len(labels) :])) for a in arrays]
        made = []
        for place in np.ndindex(*lead):
            given = [a[place] for a in full]
            bare = [g if not v.shaped else g[..., 0] if g.shape[-1] == 1 else g for g, v in zip(given, args, strict=True)]
            made.append(np.asarray(work(*bare), dtype=np.float64))
        stacked = np.reshape(np.stack(made), (*lead, *made[0].shape))
        return self.fitting(head, lambda: entries(stacked, labels))

    def depends(self, head: Symbol, seen: Seen, group: Group) -> bool:
        """Whether a parenthesis only says what something depends on: L(W, b; x, y)."""
        if not all(self.is_argument(a) for a in group.args):
            return False
        if len(group.args) > 1:
            return True
        (arg,) = group.args
        inner = self.seen(arg) if isinstance(arg, Symbol) else None
        if seen.bound.name in self.bindings.arguments and (inner is None or inner.bound.name != seen.bound.name):
            return False
        if inner is None:
            return isinstance(arg, Symbol) and index_name(arg) not in self.scope
        if inner.bound.name in self.bindings.arguments or inner.bound.whole is None:
            return True
        value, other = self.value(head), self.value(arg)
        return value.shaped and other.shaped and not conform(value, other)

    def is_argument(self, node: Node) -> bool:
        if isinstance(node, Symbol):
            return True
        return (
            isinstance(node, Product)
            and len(node.factors) == 2
            and isinstance(node.factors[0], Symbol)
            and isinstance(node.factors[1], Group)
        )

    def said_of(self, head: Symbol, seen: Seen, group: Group) -> Value:
        """Return the value of something that is followed by what it depends on: for the sample that is named there, if one is."""
        if seen.bound.each is not None:
            for index in self.sample_of(group):
                return self.gathered(replace(seen.bound, entries=seen.bound.each), [index], [self.value(index)], head)
        if seen.bound.total is not None and not any(self.names_sample(a) for a in group.args):
            return Value(seen.bound.total)
        return self.value(head)

    def symbol(self, node: Symbol) -> Value:
        name = index_name(node)
        if name is not None and name in self.scope:
            low, high = self.scope[name]
            return Value(np.arange(low, high + 1, dtype=np.float64), (name,))
        base, power = (replace(node, above=()), node.above) if name is None else (node, ())
        bare = index_name(base) if power else None
        if bare is not None and (bare in self.scope or bare in self.numbers) and len(power) == 1 and self.seen(node) is None:
            return self.raised(self.symbol(base), self.value(power[0].content[0]), node)
        if name is not None and name in self.numbers:
            return Value(np.asarray(float(self.numbers[name])))
        seen = self.seen(node)
        if seen is None:
            return self.unbound(node)
        result = self.seen_value(node, seen)
        return result if seen.exponent is None else self.raised(result, self.value(seen.exponent), node)

    def seen_value(self, node: Symbol, seen: Seen) -> Value:
        bound = seen.bound
        if bound.absent:
            raise DeclarationError(f"{self.column(node)}: {self.text(node)} has no value, only derivatives")
        if bound.function is not None:
            raise DeclarationError(
                f"{self.column(node)}: {self.text(node)} is a function; a parenthesis with its argument is expected behind it"
            )
        if bound.entries is None and bound.whole is None and bound.name in self.bindings.definitions:
            return self.defined(node, bound, seen.indices)
        if any(is_slot(i) for i in seen.indices):
            return self.line(bound, seen.indices, node)
        if seen.indices:
            return self.gathered(bound, seen.indices, [self.value(i) for i in seen.indices], node)
        if bound.whole is None:
            raise DeclarationError(f"{self.column(node)}: {self.text(node)} needs an index: it has one value for each sample")
        whole = bound.whole
        return self.fitting(node, lambda: entries(whole, ()))

    def unbound(self, node: Symbol) -> Value:
        """Return the value of a symbol that nothing is bound to, if everybody knows it."""
        bare = not node.below and not node.primes
        value: Value | None = None
        if node.base == "e" and bare:
            value = number(np.e)
        elif node.base == r"\pi" and bare:
            value = number(np.pi)
        elif node.base == "1" and node.style in ("bold", "double") and bare:
            value = ones()
        elif node.base == "I" and bare:
            value = identity()
        elif node.base == r"\infty" and bare:
            value = number(np.inf)
        if value is None:
            known = self.bindings.of(node.base)
            hint = f" (known: {names(known)})" if known else f" (known: {names(self.bindings.bound)})" if self.bindings.bound else ""
            raise DeclarationError(f"{self.column(node)}: {self.text(node) or plain(node)} has no value{hint}")
        if not node.above:
            return value
        if len(node.above) > 1 or len(node.above[0].content) != 1:
            raise DeclarationError(f"{self.column(node)}: {self.text(node)} has no value")
        return self.raised(value, self.value(node.above[0].content[0]), node)

    def fraction(self, node: Fraction) -> Value:
        top, bottom = self.value(node.top), self.value(node.bottom)
        if bottom.single:
            bottom = bottom.scalar()
        elif top.single and not top.literal:
            raise ShapeError(f"{self.text(node)}: {top.shape} divided by {bottom.shape}")
        try:
            return selected([top], elementwise(np.divide, top, bottom, fills=not bottom.shaped))
        except MisfitError:
            raise ShapeError(f"{self.text(node)}: {top.shape} divided by {bottom.shape}") from None

    def root(self, node: Root) -> Value:
        return elementwise(np.sqrt, self.value(node.arg))

    def power(self, node: Power) -> Value:
        return self.raised(self.value(node.base), self.value(node.exponent), node)

    def raised(self, base: Value, exponent: Value, node: Node) -> Value:
        if exponent.shaped:
            exponent = self.fitting(node, exponent.scalar)
        if base.single:
            base = base.scalar()
        elif base.literal is False and base.shaped and not getattr(node, "elementwise", False):
            square = base.rows == base.columns and base.rows > 1
            self.note(f"the power in {self.text(node)} is taken entry by entry" + (", not of the matrix" if square else ""))
        return elementwise(np.power, base, exponent, fills=True)

    def transpose(self, node: Transpose) -> Value:
        return turned(self.value(node.arg))

    def entry(self, node: Entry) -> Value:
        value = self.value(node.arg)
        if not value.shaped:
            raise ShapeError(f"{self.text(node)}: a scalar has no entries")
        array = value.array
        vector = value.columns == 1
        rank = 1 if vector else 2
        indices = self.split(node.below, rank)
        if indices is None or len(indices) != rank:
            raise ShapeError(f"{self.text(node)}: {value.shape} has {rank} indices")
        at = [self.value(i) for i in indices]
        if not value.labels:
            bare = array[:, 0] if vector else array
            return self.gathered(Bound(self.text(node.arg), entries=bare), indices, at, node)
        raise DeclarationError(f"{self.column(node)}: an entry of something that depends on an index cannot be read")

    def call(self, node: Call) -> Value:
        args = [self.value(a) for a in node.args]
        name = node.function
        if name == "diag":
            return self.diagonal(node, args)
        if name == "softmax" and not node.primes:
            return self.of_vectors(softmax, args, node)
        work = KNOWN.get(name)
        if work is None:
            symbol = Symbol(name, "upright", (), (), node.primes, at=node.at, end=node.end)
            seen = self.seen(symbol)
            if seen is None or seen.bound.function is None:
                raise DeclarationError(f"{self.column(node)}: the function {name} is unknown")
            return self.function_value(symbol, seen, args, node)
        for _ in range(node.primes):
            work = slope_of(work, False)
        if name not in ("max", "min") and len(args) != 1:
            raise DeclarationError(f"{self.column(node)}: {name} has one argument")
        taken = work
        return self.fitting(node, lambda: elementwise(taken, *args))

    def diagonal(self, node: Node, args: Sequence[Value]) -> Value:
        if len(args) != 1 or not args[0].shaped or args[0].columns != 1:
            raise ShapeError(f"{self.text(node)}: diag is of one vector, got {', '.join(a.shape for a in args)}")
        column = args[0].array
        return Value(column * np.eye(column.shape[-2]), args[0].labels, True)

    def bars(self, node: Bars) -> Value:
        value = self.value(node.arg)
        if node.kind == "norm":
            if not value.shaped:
                return elementwise(np.abs, value)
            if any(value.loose):
                raise ShapeError(f"{self.text(node)}: the length of {self.text(node.arg)} is unknown")
            size = np.abs(value.array)
            if node.order in ("1", r"\infty"):
                total = np.sum(size, axis=(-2, -1)) if node.order == "1" else np.max(size, axis=(-2, -1))
            else:
                total = np.sqrt(np.sum(size**2, axis=(-2, -1)))
            return Value(np.asarray(total), value.labels)
        if node.kind == "abs" and value.shaped and not value.single:
            self.note(f"{self.text(node)} is read as the absolute value of each entry")
        return elementwise({"abs": np.abs, "floor": np.floor, "ceil": np.ceil}[node.kind], value)

    def bracket(self, node: Bracket) -> Value:
        if not isinstance(node.condition, Chain):
            raise DeclarationError(f"{self.column(node)}: a condition is expected in {self.text(node)}")
        return replace(self.condition(node.condition), selects=True)

    def condition(self, chain: Chain) -> Value:
        sides = [self.value(s) for s in chain.sides]
        holds: Value | None = None
        for k, sign in enumerate(chain.signs):
            if sign not in _COMPARISONS:
                raise DeclarationError(f"{self.column(chain)}: {sign} is no condition")
            work = _COMPARISONS[sign]
            pair = sides[k : k + 2]
            made = self.fitting(chain, partial(elementwise, partial(_as_number, work), *pair))
            holds = made if holds is None else elementwise(np.multiply, holds, made)
        assert holds is not None
        return holds

    def braced(self, node: Braced) -> Value:
        value = self.value(node.arg)
        if node.label is not None:
            label = self.value(node.label)
            (a, b), _ = aligned(value, label)
            if a.shape[-2:] != b.shape[-2:] or not np.allclose(a, b, rtol=1e-7, atol=1e-9):
                raise ShapeError(f"{self.text(node.arg)} is not the {self.text(node.label)} that its brace says")
        return value

    def shaped(self, node: Shaped) -> Value:
        value = self.value(node.arg)
        rows, columns = (int(self.value(part).scalar().array) for part in (node.rows, node.columns))
        loose = value.loose
        if value.shaped and not any(loose) and (value.rows, value.columns) != (rows, columns):
            raise ShapeError(f"{self.text(node.arg)}: {value.shape}, but {rows}×{columns} stands below it")
        return value

    def matrix(self, node: Matrix) -> Value:
        cells = [[self.fitting(c, self.value(c).scalar) for c in row] for row in node.rows]
        arrays, labels = aligned(*(c for row in cells for c in row))
        lead = np.broadcast_shapes(*(a.shape for a in arrays))
        flat = np.stack([np.broadcast_to(a, lead) for a in arrays], axis=-1)
        return Value(np.reshape(flat, (*lead, len(cells), len(cells[0]))), labels, True)

    def reduction(self, node: Reduction) -> Value:
        inner = self
        conditions: list[Node] = []
        for r in node.ranges:
            inner = replace(inner, scope={**inner.scope, r.index: inner.range(r, node)})
            if r.condition is not None:
                conditions.append(r.condition)
        body = inner.value(node.body)
        kept = [inner.condition(c) for c in conditions if isinstance(c, Chain)]
        names_ = [r.index for r in node.ranges]
        sizes = {i: inner.scope[i][1] - inner.scope[i][0] + 1 for i in names_}
        for i in names_:
            if i not in body.labels:
                self.note(f"the {node.kind} over {i} has no {i} in {self.text(node.body)}")
        full = [Value(np.ones(sizes[i]), (i,)) for i in names_]
        arrays, labels = aligned(body, *full, *kept)
        keep: Any = True
        for k in arrays[1 + len(full) :]:
            keep = keep & (k != 0)
        neutral = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "argmax": -np.inf, "min": np.inf, "argmin": np.inf}[node.kind]
        array = np.where(keep, arrays[0] * np.ones_like(arrays[1]), neutral) if not full[1:] else arrays[0]
        for f in arrays[1 : 1 + len(full)]:
            array = array * np.ones_like(f)
        if kept:
            array = np.where(keep, array, neutral)
        axes = tuple(labels.index(i) for i in names_)
        rest = tuple(label for label in labels if label not in names_)
        if node.kind.startswith("arg"):
            if len(axes) != 1 or body.shaped:
                raise DeclarationError(f"{self.column(node)}: {node.kind} is over one index of a scalar")
            where = np.argmax(array, axis=axes[0]) if node.kind == "argmax" else np.argmin(array, axis=axes[0])
            return Value(where + float(inner.scope[names_[0]][0]), rest)
        work: Callable[..., Any] = _REDUCE[node.kind]
        return Value(np.asarray(work(array, axis=axes)), rest, body.shaped, body.loose)

    def range(self, r: Range, node: Reduction) -> tuple[int, int]:
        """Return the first and the last value of an index of a reduction: as they stand there, or as the entries have them."""
        found: tuple[int, int] | None = None
        if r.low is None or r.high is None:
            looking = replace(self, scope={**self.scope, r.index: (1, 1)})
            extents = looking.extents(node.body)
            if r.condition is not None:
                extents = {**looking.extents(r.condition), **extents}
            found = extents[r.index][:2] if r.index in extents else None
            if found is None:
                raise DeclarationError(f"{self.column(r)}: nothing says over which values {r.index} runs")
        low = self.whole(r.low) if r.low is not None else found[0] if found else 1
        high = self.whole(r.high) if r.high is not None else found[1] if found else low
        if high - low + 1 > LARGEST:
            raise DeclarationError(f"{self.column(r)}: {r.index} runs over too many values")
        if high < low:
            raise DeclarationError(f"{self.column(r)}: {r.index} runs from {low} to {high}, over nothing")
        return low, high

    def whole(self, node: Node) -> int:
        value = self.fitting(node, self.value(node).scalar)
        if value.labels or not np.isfinite(value.array) or value.array != np.round(value.array):
            raise DeclarationError(f"{self.column(node)}: {self.text(node)} is no whole number")
        return int(value.array)


def _inner_group(node: Node | None) -> tuple[Group | None, list[Node]]:
    """Return the parenthesis with which a factor begins, and the powers and transposes around it."""
    outer: list[Node] = []
    while isinstance(node, Power | Transpose):
        outer.append(node)
        node = node.base if isinstance(node, Power) else node.arg
    return (node, outer) if isinstance(node, Group) and node.kind in "([" else (None, outer)


def _by_entries(work: Callable[..., Any], name: str, *arrays: Array) -> Array:
    """Return a given function of arrays, checked to work entry by entry."""
    if isinstance(work, np.ufunc) and work.nin != len(arrays):
        raise DeclarationError(f"the function {name} has {work.nin} arguments, got {len(arrays)}")
    try:
        made = np.asarray(work(*arrays))
    except (TypeError, ValueError) as e:
        raise DeclarationError(f"the function {name} fails: {str(e).splitlines()[0][:200] if str(e) else type(e).__name__}") from e
    if made.dtype.kind not in "biuf" or made.shape not in ((), np.broadcast_shapes(*(a.shape for a in arrays))):
        raise DeclarationError(f"the function {name} gives an array of shape {made.shape} for arrays of shape {arrays[0].shape}")
    return np.broadcast_to(made.astype(np.float64), np.broadcast_shapes(*(a.shape for a in arrays)))


def _as_number(work: Callable[..., Any], a: Array, b: Array) -> Array:
    return np.asarray(work(a, b), dtype=np.float64)


_WORK: Mapping[type[Node], Callable[[Meaning, Any], Value]] = {
    Number: Meaning.number_of,
    Symbol: Meaning.symbol,
    Group: Meaning.group,
    Product: Meaning.product,
    Hadamard: Meaning.hadamard,
    Sum: Meaning.sum,
    Fraction: Meaning.fraction,
    Root: Meaning.root,
    Power: Meaning.power,
    Transpose: Meaning.transpose,
    Entry: Meaning.entry,
    Call: Meaning.call,
    Reduction: Meaning.reduction,
    Bracket: Meaning.bracket,
    Bars: Meaning.bars,
    Gradient: Meaning.gradient,
    Partial: Meaning.partial,
    Braced: Meaning.braced,
    Shaped: Meaning.shaped,
    Matrix: Meaning.matrix,
}


def meaning(formula: Formula, bindings: Bindings, numbers: Mapping[str, float] | None = None) -> Meaning:
    """Return the values of a formula's symbols."""
    return Meaning(formula.source, bindings, dict(numbers or {}))


def with_indices(given: Meaning, chain: Chain) -> Meaning:
    """Return the same with the values over which the free indices of a chain run.

    Raises:
        ShapeError: an index has different ranges in different places.
    """
    found: dict[str, tuple[int, int, str]] = {}
    for side in chain.sides:
        merge(found, given.extents(side))
    return replace(given, scope={name: (low, high) for name, (low, high, _) in found.items()})


def evaluate(formula: Formula, bindings: Bindings, **numbers: float) -> tuple[Array, ...]:
    """Return the values of the sides of a formula's first chain, with one axis for each free index of its left side, in their order.

    Args:
        formula: what was read.
        bindings: what symbols mean.
        numbers: values of letters: the general layer ``l=2``, or an index to be fixed.

    Raises:
        ShapeError: shapes do not fit; the message names the factors and their shapes.
        DeclarationError: a symbol has no value.
    """
    chain = formula.chains[0]
    values = side_values(with_indices(meaning(formula, bindings, numbers), chain), chain)
    labels = values[0].labels
    return tuple(_ordered(v, labels) for v in values)


def side_values(given: Meaning, chain: Chain) -> tuple[Value, ...]:
    """Return the values of the sides of a chain; left of an arrow stands the value after the update."""
    values = []
    for k, side in enumerate(chain.sides):
        after = given.bindings.after
        if k == 0 and chain.signs[:1] == (r"\leftarrow",) and isinstance(side, Symbol) and after:
            seen = given.seen(side)
            if seen is not None and seen.bound.name in after:
                moved = replace(seen.bound, entries=after[seen.bound.name], whole=after[seen.bound.name])
                values.append(replace(given, bindings=given.bindings.updated(moved)).value(side))
                continue
        values.append(given.value(side))
    return tuple(values)


def _ordered(value: Value, labels: Sequence[str]) -> Array:
    """Return an array with an axis for each label."""
    extra = [label for label in value.labels if label not in labels]
    order = [*labels, *extra]
    (array,), have = aligned(value)
    place = tuple(slice(None) if label in have else np.newaxis for label in order)
    positions = [have.index(label) for label in order if label in have]
    array = np.transpose(array, (*positions, *range(len(have), array.ndim)))
    tail = (slice(None),) * (array.ndim - len(have))
    return np.asarray(array[(*place, *tail)])


__all__ = ["Meaning", "Seen", "evaluate", "meaning", "side_values", "with_indices"]
