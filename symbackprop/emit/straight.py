"""Entries that are written out in scalars, as text: a loop over the samples, and a line for every scalar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy
from sympy import Expr

from symbackprop.algebra.tensor import Access
from symbackprop.algebra.text import heading
from symbackprop.emit import wrap
from symbackprop.emit.names import Names
from symbackprop.emit.page import Function, Node
from symbackprop.emit.scalar import _ADD, _ATOM, _MUL, _TEST, ScalarPrinter
from symbackprop.plan.records import Choose, Let, Lines, Local, Pick, Series, Statement, Store, Straight, Update, When

#: Functions of the runtime file that take less time than the C library's for one number too.
BETTER = frozenset({"tanh"})


class _Printer(ScalarPrinter):
    """Prints sums whose terms stand in their order, and choices by a place."""

    def _real(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Series):
            return self._terms(e.args), _ADD
        if isinstance(e, Pick):
            return self._picked(e, lambda value: self._at(value, _ADD)), _TEST
        if isinstance(e, sympy.tanh):
            self.used.update(BETTER)
            return f"tanh({self._at(e.args[0], _TEST)})", _ATOM
        return super()._real(e)

    def _whole(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Pick):
            return self._picked(e, lambda value: self._whole_at(value, _ADD)), _TEST
        return super()._whole(e)

    def _add(self, e: sympy.Add) -> tuple[str, int]:
        first = next((a for a in e.args if isinstance(a, Series)), None)
        if first is None:
            return super()._add(e)
        # Added last, the bias of Σ w x + b needs no parentheses.
        return self._terms((*first.args, *(a for a in e.args if a is not first))), _ADD

    def _terms(self, terms: Sequence[Expr]) -> str:
        words: list[str] = []
        for term in terms:
            minus = isinstance(term, sympy.Mul) and bool(term.args[0].is_Number and term.args[0] < 0)
            shown = self._at(-term if minus else term, _MUL)
            words.append(f"-{shown}" if minus and not words else f"- {shown}" if minus else f"+ {shown}" if words else shown)
        return " ".join(words)

    def _picked(self, e: Pick, shown) -> str:  # type: ignore[no-untyped-def]
        place, *values = e.args
        words = [f"{shown(value)} if {self.whole(place)} == {k} else " for k, value in enumerate(values[:-1])]
        return "".join((*words, shown(values[-1])))


class Written:
    """Writes one entry."""

    def __init__(self, entry: Straight, reserved: frozenset[str], *, single: bool) -> None:
        self.entry, self.reserved, self.single = entry, reserved, single
        self.names = Names(reserved)
        self.printer = _Printer(self.symbol, self.access, single=single)
        self.texts: Mapping[str, str] = {}

    def function(
        self,
        name: str,
        arguments: tuple[str, ...],
        given: Mapping[str, str],
        doc: str,
        opening: tuple[Node, ...],
        closing: tuple[Node, ...],
    ) -> Function:
        """Return the function of an entry.

        Args:
            name: of it.
            arguments: in order.
            given: tensor -> the argument that it is.
            doc: its docstring.
            opening: first lines.
            closing: last lines.
        """
        entry = self.entry
        self.texts = given
        self.names = Names(self.reserved | set(arguments))
        index, count = self.names.of(entry.sample, "n"), self.names.of(entry.sample.extent, "N")
        tensor, axis = entry.count
        body = [Node(f"{count} = {given[tensor]}.shape[{axis}]")]
        for _, lets in entry.loads:
            body += self.loaded(lets, 4)
        body += self.groups(entry.before, 4)
        body += self.zeros(entry.sums)
        inside: list[Node] = []
        for _, lets in entry.given:
            inside += self.loaded(lets, 8)
        inside += self.groups(entry.inside, 8)
        for _, stores in entry.written:
            inside += self.stored(stores)
        if inside:
            body.append(Node(f"for {index} in range({count}):", tuple(inside)))
        after, result = list(entry.after), entry.result
        last = after[-1].statements[-1] if after else None
        if isinstance(last, Let) and last.local == result and len(after[-1].statements) == 1:
            # Nothing else reads it.
            del after[-1]
            body += self.groups(after, 4)
            result = last.value
            ending = [*self.titles(entry.after[-1], 4), Node(wrap.statement(f"value = {self.printer.real(result)}", 4))]
        else:
            body += self.groups(after, 4)
            ending = []
        for _, stores in entry.stores:
            body += self.stored(stores)
        body += ending
        if entry.result is not None:
            body.append(Node(f"return float({'value' if ending else self.printer.real(entry.result)})"))
        return Function(name, arguments, (), (*opening, *body, *closing) or (Node("pass"),), doc)

    # Names

    def symbol(self, e: Expr) -> str:
        if isinstance(e, Local):
            return self.names.of(("local", e.name), e.name)
        return self.names.of(e, str(e))

    def access(self, a: Access, parts: tuple[str, ...]) -> str:
        text = self.texts.get(a.tensor.name, a.tensor.name)
        return f"{text}[{', '.join(parts)}]"

    def at(self, a: Access) -> str:
        return self.access(a, tuple(self.printer.whole(part) for part in a.index))

    # Lines

    def loaded(self, lets: Sequence[Let], indent: int) -> Iterator[Node]:
        pairs = [(self.symbol(let.local), self.at(let.value)) for let in lets]
        yield from self.pairs(pairs, indent)

    def stored(self, stores: Sequence[Store]) -> Iterator[Node]:
        yield from self.pairs([(self.at(s.access), self.printer.real(s.value)) for s in stores], 8)

    @staticmethod
    def pairs(pairs: Sequence[tuple[str, str]], indent: int) -> Iterator[Node]:
        """Yield assignments, as many on a line as there is room for."""
        row: list[tuple[str, str]] = []

        def line() -> str:
            return " = ".join(", ".join(side) for side in zip(*row, strict=True))

        for pair in pairs:
            row.append(pair)
            if indent + len(line()) > wrap.LIMIT and len(row) > 1:
                row.pop()
                yield Node(line())
                row = [pair]
        if row:
            yield Node(line())

    def zeros(self, sums: Sequence[Local]) -> Iterator[Node]:
        zero = self.printer.literal(0.0)
        row: list[str] = []
        for total in sums:
            name = self.symbol(total)
            if row and 4 + len(" = ".join((*row, name, zero))) > wrap.LIMIT:
                yield Node(" = ".join((*row, zero)))
                row = []
            row.append(name)
        if row:
            yield Node(" = ".join((*row, zero)))

    def groups(self, lines: Sequence[Lines], indent: int) -> Iterator[Node]:
        owner = ""
        for group in lines:
            if group.owner != owner:
                owner = group.owner
                yield Node(f"# {owner}")
            yield from self.titles(group, indent)
            for s in group.statements:
                yield from self.statement(s, indent)

    def titles(self, group: Lines, indent: int) -> Iterator[Node]:
        text = heading(group.heading) + (f"   ({group.note})" if group.note else "")
        yield Node(wrap.comment(text, indent))

    def statement(self, s: Statement, indent: int) -> Iterator[Node]:
        printer = self.printer
        if isinstance(s, Let):
            value = printer.whole(s.value) if s.local.is_integer else printer.real(s.value)
            yield Node(wrap.statement(f"{self.symbol(s.local)} = {value}", indent))
        elif isinstance(s, Update) and s.operation == "sum":
            yield Node(wrap.statement(f"{self.symbol(s.local)} += {printer.real(s.value)}", indent))
        elif isinstance(s, When):
            body = tuple(node for inner in s.body for node in self.statement(inner, indent + 4))
            yield Node(f"if {printer.test(s.guards)}:", body)
        elif isinstance(s, Update):
            best, value = self.symbol(s.local), self.names.of("candidate", "candidate")
            yield Node(wrap.statement(f"{value} = {printer.real(s.value)}", indent))
            # The first NaN stays.
            yield Node(f"{best} = {value} if ({value} > {best}) | ({value} != {value}) else {best}")
        else:
            assert isinstance(s, Choose)
            best, at = self.symbol(s.best), self.symbol(s.at)
            value, larger = self.names.of("candidate", "candidate"), self.names.of("larger", "larger")
            yield Node(wrap.statement(f"{value} = {printer.real(s.value)}", indent))
            yield Node(f"{larger} = ({value} > {best}) | (({value} != {value}) & ({best} == {best}))")
            yield Node(f"{best} = {value} if {larger} else {best}")
            yield Node(wrap.statement(f"{at} = {printer.whole(s.position)} if {larger} else {at}", indent))


__all__ = ["BETTER", "Written"]
