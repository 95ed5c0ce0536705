"""The names of one function, and its statements as text: loops, choices and stores in Python that Numba compiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.emit import wrap
from symbackprop.emit.names import Names
from symbackprop.emit.page import Node
from symbackprop.emit.scalar import ScalarPrinter
from symbackprop.plan.records import (
    Add,
    Choose,
    Cube,
    Largest,
    Let,
    Local,
    Loop,
    Multiply,
    Operand,
    Raise,
    Slide,
    Statement,
    Store,
    Total,
    TotalOfRows,
    Update,
    When,
    Zero,
)
from symbackprop.plan.rewriting import expressions


class Frame:
    """The names of one function, and the printer that uses them."""

    def __init__(
        self,
        arguments: Sequence[Tensor],
        integers: Sequence[sympy.Symbol],
        reserved: Iterable[str],
        *,
        single: bool,
        vector: bool = False,
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        self.names = Names(reserved)
        self.fixed = dict(fixed or {})
        self.arguments = tuple(arguments)
        self.single = single
        self.printer = ScalarPrinter(self.symbol, self.access, single=single, vector=vector)
        self.extents: dict[Expr, str] = {}
        self.given: dict[Expr, str] = {}
        self.needed: dict[Expr, str] = {}
        self.cast: frozenset[Local] = frozenset()
        self.runtime: set[str] = set()
        self.reshaped: dict[tuple[Tensor, tuple[str, ...]], str] = {}
        for t in arguments:
            name = self.array(t)
            for axis, extent in enumerate(t.shape):
                if not extent.is_Integer:
                    self.extents.setdefault(extent, f"{name}.shape[{axis}]")
        for s in integers:
            self.given[s] = self.names.of(s, s.name)

    def double(self) -> Frame:
        """Return a frame with the same names that prints float64."""
        other = Frame(self.arguments, (), (), single=False, fixed=self.fixed)
        other.names, other.extents, other.given = self.names, self.extents, self.given
        return other

    def array(self, t: Tensor) -> str:
        if t.name in self.fixed:
            return self.fixed[t.name]
        return self.names.of(("tensor", t.name), t.name.replace(".", "_"))

    def index(self, i: Index) -> str:
        return self.names.of(("index", i.name), i.name)

    def local(self, s: Local) -> str:
        return self.names.of(("local", s.name), s.name)

    def symbol(self, e: Expr) -> str:
        if isinstance(e, Local):
            text = self.local(e)
            return f"real({text})" if self.single and e in self.cast else text
        if isinstance(e, Index):
            return self.index(e)
        if e in self.given:
            return self.given[e]
        self.needed[e] = self.extents[e]
        return self.names.of(("size", str(e)), str(e))

    def sizes(self) -> list[Node]:
        """Return the lines that read the sizes in use from the arrays."""
        ordered = sorted(self.needed.items(), key=lambda item: str(item[0]))
        return [Node(f"{self.names.of(('size', str(e)), str(e))} = {text}") for e, text in ordered]

    def access(self, a: Access, parts: tuple[str, ...]) -> str:
        return f"{self.array(a.tensor)}[{', '.join(parts) if parts else '0'}]"

    def bound(self, e: Expr) -> str:
        """Return the text of the end of a loop."""
        if e in self.extents:
            return self.extents[e]
        return self.printer.whole(e)

    def end(self, s: Loop) -> str:
        """Return the text of the end of a loop from 0 on.

        Around loops that are long enough for vectors a number is no use: a compiler would write the inner ones once for each place.
        """
        if s.stop.is_Integer and any(not e.is_Integer for e in _ends(s.body)):
            accesses = (a for e in expressions(s.body) for a in sorted(e.atoms(Access), key=sympy.default_sort_key))
            found = ((a, a.index.index(s.index)) for a in accesses if s.index in a.index and a.tensor in self.arguments)
            for a, axis in found:
                if a.tensor.shape[axis] == s.stop:
                    return f"{self.array(a.tensor)}.shape[{axis}]"
        return self.bound(s.stop)

    def matrices(self) -> list[Node]:
        """Return the lines that give arrays whose axes are merged a name."""
        made = []
        for (tensor, kinds), name in self.reshaped.items():
            counts: list[int] = []
            for k, kind in enumerate(kinds):
                if k and kind == kinds[k - 1] and kind != "fixed":
                    counts[-1] += 1
                else:
                    counts.append(1)
            self.runtime.add("merged")
            made.append(Node(f"{name} = merged({self.array(tensor)}, ({', '.join(map(str, counts))}{',' * (len(counts) == 1)}))"))
        return made

    def extent(self, e: Expr) -> str:
        if e in self.extents:
            return self.extents[e]
        return " * ".join(self.extents.get(f, self.printer.whole(f)) for f in sympy.Mul.make_args(e))

    def matrix(self, o: Operand, *, transposed: bool = False) -> str:
        """Return the text of a matrix in an array."""
        kinds = tuple(a if isinstance(a, str) else "fixed" for a in o.axes)
        name = self.array(o.tensor)
        merged = [k for k in range(len(kinds)) if not (k and kinds[k] == kinds[k - 1] and kinds[k] != "fixed")]
        if len(merged) < len(kinds):
            key = (o.tensor, kinds)
            if key not in self.reshaped:
                self.reshaped[key] = self.names.of(("matrix", *key), f"{name}_{'matrices' if 'fixed' in kinds else 'matrix'}")
            name = self.reshaped[key]
        parts = [":" if isinstance(o.axes[k], str) else self.printer.whole(o.axes[k]) for k in merged]
        while parts and parts[-1] == ":":
            del parts[-1]
        text = f"{name}[{', '.join(parts)}]" if parts else name
        return f"{text}.T" if transposed else text

    def cube(self, c: Cube) -> str:
        """Return the text of a tensor as an array of four axes."""
        text, fixed = self.array(c.tensor), dict(c.fixed)
        if fixed:
            parts = [self.printer.whole(fixed[k]) if k in fixed else ":" for k in range(len(c.tensor.axes))]
            while parts[-1] == ":":
                del parts[-1]
            text = f"{text}[{', '.join(parts)}]"
        left = [k for k in range(len(c.tensor.axes)) if k not in fixed]
        order = [left.index(k) for k in c.axes if k is not None]
        if order != sorted(order):
            self.runtime.add("transposed")
            text = f"transposed({text}, ({', '.join(map(str, order))}))"
        for place, axis in enumerate(c.axes):
            if axis is None:
                text = f"np.expand_dims({text}, {place})"
        return text

    def nodes(self, statements: Sequence[Statement], indent: int) -> list[Node]:
        made: list[Node] = []
        for s in statements:
            made += self.node(s, indent)
        return made

    def node(self, s: Statement, indent: int) -> list[Node]:
        printer = self.printer
        if isinstance(s, Loop):
            index = self.index(s.index)
            if s.descending:
                first, last = (self.printer.whole(e - 1) if e.is_Integer else f"{self.bound(e)} - 1" for e in (s.stop, s.start))
                return [Node(f"for {index} in range({first}, {last}, -1):", tuple(self.nodes(s.body, indent + 4)))]
            ends = self.end(s) if s.start == 0 else f"{self.bound(s.start)}, {self.bound(s.stop)}"
            return [Node(f"for {index} in range({ends}):", tuple(self.nodes(s.body, indent + 4)))]
        if isinstance(s, When):
            return [Node(f"if {printer.test(s.guards)}:", tuple(self.nodes(s.body, indent + 4)))]
        if isinstance(s, Let):
            value = printer.whole(s.value) if s.local.is_integer else printer.real(s.value)
            return [Node(wrap.statement(f"{self.local(s.local)} = {value}", indent))]
        if isinstance(s, Store):
            parts = tuple(printer.whole(part) for part in s.access.index)
            value = printer.whole(s.value) if s.access.tensor.integer else printer.real(s.value)
            return [Node(wrap.statement(f"{self.access(s.access, parts)} = {value}", indent))]
        if isinstance(s, Add):
            parts = tuple(printer.whole(part) for part in s.access.index)
            return [Node(wrap.statement(f"{self.access(s.access, parts)} += {printer.real(s.value)}", indent))]
        if isinstance(s, Total | Largest):
            name = "sum_of" if isinstance(s, Total) else "max_of"
            self.runtime.add(name)
            target = printer.real(s.target)
            there = f"[{', '.join(printer.whole(part) for part in s.places)}]" if s.places else ""
            return [Node(wrap.statement(f"{target} = {name}({self.array(s.tensor)}{there})", indent))]
        if isinstance(s, Raise):
            parts = tuple(printer.whole(part) for part in s.access.index)
            best, value = self.access(s.access, parts), self.names.of(("value", s.access.tensor.name), "candidate")
            chosen = f"{best} = {value} if ({value} > {best}) | ({value} != {value}) else {best}"
            return [Node(wrap.statement(f"{value} = {printer.real(s.value)}", indent)), Node(wrap.statement(chosen, indent))]
        if isinstance(s, TotalOfRows):
            self.runtime.add("sum_of_rows")
            return [Node(wrap.call("sum_of_rows", (self.matrix(s.matrix), self.matrix(s.result)), indent))]
        if isinstance(s, Zero):
            axes = s.operand.axes
            parts = tuple(":" if isinstance(a, str) else printer.whole(a) for a in axes[: max(1, _fixed(axes))])
            zero = "real(0.0)" if self.single else "0.0"
            return [Node(wrap.statement(f"{self.array(s.operand.tensor)}[{', '.join(parts)}] = {zero}", indent))]
        if isinstance(s, Multiply):
            name = ("long_row_products" if s.long else "row_products") if s.right.swapped else "product"
            name = f"add_{name}" if s.accumulate else f"{name}_parallel" if s.parallel else name
            self.runtime.add(name)
            arguments = (self.matrix(s.left, transposed=s.left.swapped), self.matrix(s.right), self.matrix(s.result))
            return [Node(wrap.call(name, arguments, indent))]
        if isinstance(s, Slide):
            self.runtime.add(s.function)
            given = (*map(self.cube, (s.left, s.right, s.result)), *map(str, s.moves))
            return [Node(wrap.call(s.function, given, indent))]
        if isinstance(s, Update) and s.operation == "sum":
            return [Node(wrap.statement(f"{self.local(s.local)} += {printer.real(s.value)}", indent))]
        if isinstance(s, Update):
            best, value = self.local(s.local), self.names.of(("value", s.local.name), "candidate")
            # A choice, where a jump would often be foreseen wrongly.
            chosen = f"{best} = {value} if ({value} > {best}) | ({value} != {value}) else {best}"
            return [Node(wrap.statement(f"{value} = {printer.real(s.value)}", indent)), Node(chosen)]
        assert isinstance(s, Choose)
        best, at, value = self.local(s.best), self.local(s.at), self.names.of(("value", s.best.name), "candidate")
        larger = self.names.of(("larger", s.best.name), "larger")
        return [
            Node(wrap.statement(f"{value} = {printer.real(s.value)}", indent)),
            # The first NaN wins, as in NumPy.
            Node(f"{larger} = ({value} > {best}) | (({value} != {value}) & ({best} == {best}))"),
            Node(f"{best} = {value} if {larger} else {best}"),
            Node(wrap.statement(f"{at} = {printer.whole(s.position)} if {larger} else {at}", indent)),
        ]


def _fixed(axes: Sequence[Expr | str]) -> int:
    """Return how many axes there are up to the last one that is fixed."""
    return max((k for k, a in enumerate(axes, 1) if not isinstance(a, str)), default=0)


def _ends(statements: Sequence[Statement]) -> Iterator[Expr]:
    """Yield the ends of all loops among statements."""
    for s in statements:
        if isinstance(s, Loop):
            yield s.stop
        if isinstance(s, Loop | When):
            yield from _ends(s.body)


__all__ = ["Frame"]
