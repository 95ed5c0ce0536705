"""How a thread reads its part of a tile: where it stands, what it reads there, and where in shared memory that goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product as grid

import sympy
from sympy import Expr, S

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, InRange
from symbackprop.algebra.tensor import Access
from symbackprop.emit import wrap
from symbackprop.emit.page import Function, Node
from symbackprop.emit.threads.frame import DeviceFrame, DevicePrinter
from symbackprop.plan.device.product import alignment
from symbackprop.plan.device.records import PAD, DeviceKernel, Product, Range
from symbackprop.plan.device.strides import merged, strides


@dataclass(frozen=True)
class Side:
    """One factor of a product.

    Attributes:
        word: "left" or "right".
        factor: what is read.
        ranges: its rows, or its columns.
        name: of a place among them.
        base: the text of where the tile begins.
        extent: how many of them a tile has.
        start: of the tile in shared memory.
    """

    word: str
    factor: Expr
    ranges: tuple[Range, ...]
    name: str
    base: str
    extent: int
    start: int

    @property
    def stride(self) -> int:
        """Entries from a term of the tile to the next."""
        return self.extent + PAD


@dataclass
class Reading:
    """Lines of a kernel that read the tiles of both factors.

    Attributes:
        functions: of the device, one for each factor that is more than a place in memory.
        before: what stands before the loop over the tiles.
        reads: what reads a thread's part of the next tiles.
        puts: what puts it into shared memory.
    """

    functions: list[Function] = field(default_factory=list)
    before: list[Node] = field(default_factory=list)
    reads: list[Node] = field(default_factory=list)
    puts: list[Node] = field(default_factory=list)


class ProductFrame(DeviceFrame):
    """The names of a product; places in buffers have no sign, for Numba would count negative ones from the end."""

    def __init__(self, kernel: DeviceKernel, reserved: frozenset[str], *, single: bool) -> None:
        super().__init__(kernel.tensors, kernel.buffers, reserved, single=single)
        self.printer = _Printer(self.symbol, self.access, single=single)

    def access(self, a: Access, parts: tuple[str, ...]) -> str:
        return f"{self.buffer[a.tensor.name]}[uint32({self.place(a.tensor, parts)})]"

    def total(self, ranges: Sequence[Range]) -> str:
        """Return the number of places of some indices together as text."""
        return count(ranges, self.samples)[0]

    def apart(self, whole: str, ranges: Sequence[Range]) -> list[Node]:
        """Return the lines that take a place, without a sign, apart into indices, the last one running fastest."""
        made, itself = [], single(ranges)
        for k, r in enumerate(ranges):
            if r.index == itself:
                continue
            value, behind, extent = whole, self.total(ranges[k + 1 :]), self.total((r,))
            if extent == "1":
                value = "0"
            elif behind != "1":
                value = f"{value} // uint32({behind})"
            if extent != "1" and any(self.total((other,)) != "1" for other in ranges[:k]):
                value = f"{value} % uint32({extent})"
            if r.start != 0:
                start = self.extent_text(r.start)
                value = start if value == "0" else f"{value} + {start}"
            made.append(Node(f"{self.index(r.index)} = int32({value})"))
        return made


class _Printer(DevicePrinter):
    """Compares places without signs, so that one comparison of 32 bits says whether one is inside."""

    def _guard(self, g: Expr, *, opposite: bool = False) -> str:
        if isinstance(g, InRange) and not g.has(Access):
            return f"uint32({self.whole(g.args[0])}) < uint32({self.whole(g.args[1])})"
        return super()._guard(g, opposite=opposite)


class Reader:
    """Writes the lines that read factors.

    Args:
        kernel: whose phase is a product.
        frame: the names of the kernel.
        own: gives the name of something that the kernel has for itself.
        reserved: names that are taken in the module.
        single: whether real numbers are float32.
        stop: the text of where the terms of a block end.
    """

    def __init__(
        self, kernel: DeviceKernel, frame: ProductFrame, own: Callable[[str], str], reserved: frozenset[str], *, single: bool, stop: str
    ) -> None:
        assert isinstance(kernel.phase, Product)
        self.kernel, self.phase, self.frame, self.own = kernel, kernel.phase, frame, own
        self.reserved, self.single, self.stop = reserved, single, stop
        self.made = Reading()
        #: The names of places among the terms, by their text.
        self.terms: dict[str, str] = {}

    def side(self, s: Side) -> None:
        """Add the lines for a factor."""
        tile, made = self.phase.tile, self.made
        thread, first, here = self.own("thread"), self.own("first"), self.own("here")
        vector, along = alignment(s.factor, self.phase, s.ranges)
        width = 4 if vector else 1
        assert s.extent * tile.depth % (width * tile.threads) == 0, f"{tile.threads} threads for {s.extent} x {tile.depth} entries"
        # Where the first read of a thread stands among the terms and the rows or columns, and how far the others are away.
        if along:
            across = tile.depth // width
            inner, outer = low(thread, across, width), high(thread, across)
            deep, far = [0], [k * (tile.threads // across) for k in range(s.extent * across // tile.threads)]
        else:
            across = s.extent // width
            if tile.threads >= across:
                inner, outer = high(thread, across), low(thread, across, width)
                deep, far = [k * (tile.threads // across) for k in range(tile.depth * across // tile.threads)], [0]
            else:
                inner, outer = "0", _times(thread, width)
                deep, far = list(range(tile.depth)), [k * tile.threads * width for k in range(across // tile.threads)]
        outers = []
        for k, shift in enumerate(far):
            name = self.frame.names.of((s.word, k), f"{self.word(s.ranges, s.name)}_{k}")
            made.before.append(Node(f"{name} = {self.type(s.ranges)}({total(s.base, outer, shift)})"))
            outers.append(name)
        direct = self.place(s) is not None
        if direct:
            inners = [self.term(total(first, inner, shift)) for shift in deep]
        else:
            start = self.term(total(first, inner))
            inners = [f"{self.type(self.phase.inner)}({start} + {shift})" if shift else start for shift in deep]
        put, to = self.own(f"{s.word}_put"), self.own(f"{s.word}_to")
        made.before.append(Node(f"{put} = int32({total(s.start, _times(inner, s.stride), outer)})"))
        read = self.read(s, vector=vector)
        names = []
        for k, (at, term) in enumerate(grid(outers, inners)):
            name = self.own(f"{s.word}_{k}")
            made.reads.append(Node(wrap.statement(f"{name} = {read(at, term)}", 8)))
            names.append(name)
        if vector:
            step = s.stride if along else 1
            for name, (aside, down) in zip(names, grid(far, deep), strict=True):
                made.puts.append(Node(f"st4({self.own('tiles')}, int32({total(here, put, aside + down * s.stride)}), {name}, {step})"))
            return
        made.puts.append(Node(f"{to} = uint32({here} + {put})"))
        for name, (aside, down) in zip(names, grid(far, deep), strict=True):
            shift = aside + down * s.stride
            made.puts.append(Node(f"{self.own('tiles')}[{to + f' + uint32({shift})' if shift else to}] = {name}"))

    def word(self, ranges: Sequence[Range], several: str) -> str:
        """Return what a place among some indices is called: as its index, if only one has several places."""
        one = single(ranges)
        return one.name if one is not None else several

    def type(self, ranges: Sequence[Range]) -> str:
        """Return the type of a place among some indices: without a sign where it is to be taken apart."""
        return "int32" if single(ranges) is not None else "uint32"

    def term(self, text: str) -> str:
        """Return the name of a place among the terms; the same place has one name for both factors."""
        if text not in self.terms:
            name = self.frame.names.of(("term", text), f"{self.word(self.phase.inner, 'term')}_{len(self.terms)}")
            self.made.reads.append(Node(f"{name} = {self.type(self.phase.inner)}({text})"))
            self.terms[text] = name
        return self.terms[text]

    # What is read

    def read(self, s: Side, *, vector: bool) -> Callable[[str, str], str]:
        """Return what gives the text of a read at a place among rows or columns and one among the terms."""
        frame, extent = self.frame, self.frame.total(s.ranges)
        place = self.place(s)
        if place is None:
            name, arguments = self.function(s, vector=vector)
            return lambda at, term: f"{name}({', '.join((*arguments, at, term, *self.ends))})"
        offset, by_place, by_term, rest = place
        assert isinstance(s.factor, Access)
        buffer, zero = frame.buffer[s.factor.tensor.name], "real(0.0)"

        def text(at: str, term: str) -> str:
            where = " + ".join([*offset, *_multiple(at, by_place), *_multiple(term, by_term), *rest]) or "0"
            inside = f"({at} < {extent}) & ({term} < {self.stop})"
            return f"ld4({buffer}, int32({where}), {inside})" if vector else f"{buffer}[uint32({where})] if {inside} else {zero}"

        return text

    @property
    def ends(self) -> tuple[str, ...]:
        """What a function is told about the end of the terms: nothing where a block has all of them."""
        return (self.stop,) if self.phase.splits > 1 else ()

    def place(self, s: Side) -> tuple[list[str], str, str, list[str]] | None:
        """Return where an entry lies, if that is a sum of multiples: what is the same for all, by place and by term; None otherwise."""
        if not isinstance(s.factor, Access) or (steps := strides(s.factor)) is None:
            return None
        if any(step.could_extract_minus_sign() for step in steps.values()):
            return None
        by_place, by_term = merged(s.ranges, (steps,)), merged(self.phase.inner, (steps,))
        if by_place is None or by_term is None:
            return None
        frame, t = self.frame, s.factor.tensor
        together = {r.index for r in (*s.ranges, *self.phase.inner)}
        offset = [frame.offset[t.name]] if t.name in frame.offset else []
        for i, step in steps.items():
            if isinstance(i, Index) and i not in together:
                offset += _multiple(frame.index(i), self.stride(step))
        rest = [] if steps[S.One] == 0 else [self.stride(steps[S.One])]
        return offset, self.stride(by_place[0]), self.stride(by_term[0]), rest

    def stride(self, e: Expr | None) -> str:
        """Return a number of entries as text."""
        if e is None:
            return "0"
        number, symbols = e.as_coeff_Mul()
        if symbols == 1 or e.is_Add:
            return self.frame.extent_text(e) if not e.is_Add else f"({self.frame.extent_text(e)})"
        return " * ".join([self.frame.extent_text(symbols), *([str(number)] if number != 1 else [])])

    def function(self, s: Side, *, vector: bool) -> tuple[str, tuple[str, ...]]:
        """Add the function that reads a factor, and return its name and the arguments that are the same for all reads."""
        kernel, phase = self.kernel, self.phase
        name = self.frame.names.of(("function", s.word), f"{kernel.name}_{s.word}")
        frame = ProductFrame(kernel, self.reserved, single=self.single)
        for r in phase.batch:
            frame.index(r.index)
        if phase.split is not None:
            frame.index(phase.split)
        at, term, stop = (
            frame.index(one) if (one := single(ranges)) is not None else frame.names.of(("own", word), word)
            for ranges, word in ((s.ranges, s.name), (phase.inner, "term"), ((), "stop"))
        )
        body = [*frame.apart(at, s.ranges), *frame.apart(term, phase.inner)]
        end = stop if self.ends else frame.total(phase.inner)
        words = [f"({at} < {frame.total(s.ranges)})", f"({term} < {end})"]
        inside = frame.names.of(("own", "inside"), "inside")
        if vector:
            assert isinstance(s.factor, Access)
            where = frame.place(s.factor.tensor, [frame.printer.whole(part) for part in s.factor.index])
            value = f"ld4({frame.buffer[s.factor.tensor.name]}, int32({where}), {inside})"
            last = [Node(f"return {value}")]
        else:
            # What compares places alone is asked at once: one test, and no jump around a read.
            factors = sympy.Mul.make_args(s.factor)
            tests = [f for f in factors if isinstance(f, Guard) and not f.has(Access)]
            words += [f"({frame.printer.test((f,))})" for f in tests]
            entry = frame.names.of(("own", "entry"), "entry")
            value = frame.printer.real(sympy.Mul(*(f for f in factors if f not in tests)))
            last = [
                Node(f"{entry} = real(0.0)"),
                Node(f"if {inside}:", (Node(wrap.statement(f"{entry} = {value}", 8)),)),
                Node(f"return {entry}"),
            ]
        body += [Node(wrap.statement(f"{inside} = {' & '.join(words)}", 4)), *last]
        used = set(re.findall(r"\w+", " ".join(_texts(body))))
        given = (*frame.signature, *(frame.index(r.index) for r in phase.batch), *((frame.index(phase.split),) if phase.split else ()))
        arguments = tuple(a for a in given if a in used)
        what = "four neighbours of the" if vector else "an entry of the"
        doc = f"Return {what} {s.word} factor, 0 outside of it."
        self.made.functions.append(Function(name, (*arguments, at, term, *((stop,) if self.ends else ())), (), tuple(body), doc))
        return name, arguments


def single(ranges: Sequence[Range]) -> Index | None:
    """Return the index that a place among some indices is itself, or None if it has to be taken apart."""
    several = [r for r in ranges if r.extent != 1]
    return several[0].index if len(several) == 1 and several[0].start == 0 else None


def count(ranges: Sequence[Range], samples: str) -> tuple[str, int | None]:
    """Return how many places some indices have together, as text and as a number where it is one."""
    fixed, words = 1, []
    for r in ranges:
        if r.extent.is_Integer:
            fixed *= int(r.extent)
        else:
            words.append(_extent(r.extent, samples))
    if not words:
        return str(fixed), fixed
    return " * ".join([*words, *([str(fixed)] if fixed != 1 else [])]), None


def _extent(e: Expr, samples: str) -> str:
    """Return an extent that depends on the number of samples."""
    text = str(e).replace(str(next(iter(e.free_symbols))), samples)
    return text if text.isidentifier() else f"({text})"


def _texts(nodes: Sequence[Node]) -> list[str]:
    """Return the texts of lines and of those within them."""
    return [text for node in nodes for text in (node.text, *_texts(node.body))]


def _multiple(name: str, step: str) -> list[str]:
    return [] if step == "0" else [name] if step == "1" else [f"{name} * {step}"]


def total(*terms: str | int) -> str:
    """Return the text of a sum; what is 0 is left out."""
    words = [str(t) for t in terms if str(t) != "0"] or ["0"]
    alone = len(words) == 1 and words[0].startswith("(") and words[0].endswith(")")
    return words[0][1:-1] if alone else " + ".join(words)


def low(thread: str, among: int, width: int = 1) -> str:
    """Return which of some places, each ``width`` wide, a thread has."""
    return "0" if among == 1 else _times(f"({thread} & {among - 1})", width)


def high(thread: str, among: int, width: int = 1) -> str:
    """Return the number of a thread among those that have the same of some places, each ``width`` wide."""
    power = among.bit_length() - 1
    assert among == 1 << power, f"{among} is no power of two"
    return _times(thread if among == 1 else f"({thread} >> {power})", width)


def _times(text: str, factor: int) -> str:
    if text.isdigit():
        return str(int(text) * factor)
    head, star, number = text.rpartition(" * ")
    if star:
        return f"{head} * {int(number) * factor}"
    return text if factor == 1 else f"{text} * {factor}"


__all__ = ["ProductFrame", "Reader", "Reading", "Side", "count", "high", "low", "single", "total"]
