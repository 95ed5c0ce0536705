"""A tiled matrix product as the parts of a kernel's text: who reads what, where it lies in a tile, what is done with a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product as grid

import sympy
from sympy import Expr

from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, InRange
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.text import heading
from symbackprop.emit import wrap
from symbackprop.emit.page import Node
from symbackprop.emit.threads.frame import DeviceFrame, DevicePrinter
from symbackprop.plan.device.product import alignment
from symbackprop.plan.device.records import PAD, DeviceKernel, Product, Range


@dataclass(frozen=True)
class Load:
    """What a thread reads at once of a factor.

    Attributes:
        names: of one entry or of four that lie side by side.
        guard: where they are inside the matrix.
        value: what they are there.
        puts: where they go in a tile; one place for four that lie side by side there too.
    """

    names: tuple[str, ...]
    guard: str
    value: str
    puts: tuple[str, ...]


@dataclass(frozen=True)
class ProductText:
    """All that the template of a product lays out.

    Attributes:
        name: of the kernel.
        arguments: of the kernel, in order.
        doc: one line for its docstring.
        headings: the equations that it computes, as comments.
        before: what a thread does first.
        step: what it does for each tile before it reads.
        left: what it reads of a tile of the left factor.
        right: of the right one.
        sums: the names of its results, row by row.
        rows: of its entries of a column of the left tile.
        columns: of its entries of a row of the right tile.
        across: what it does before it writes results.
        after: how it writes some.
        depth: terms of a tile.
        size: entries of a tile of both factors.
        left_size: of the left one.
        left_stride: between terms of the left tile.
        right_stride: between terms of the right tile.
        left_step: between fours of a thread's rows.
        right_step: between fours of a thread's columns.
    """

    name: str
    arguments: tuple[str, ...]
    doc: str
    headings: tuple[str, ...]
    before: tuple[Node, ...]
    step: tuple[Node, ...]
    left: tuple[Load, ...]
    right: tuple[Load, ...]
    sums: tuple[tuple[str, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    across: tuple[Node, ...]
    after: tuple[Node, ...]
    depth: int
    size: int
    left_size: int
    left_stride: int
    right_stride: int
    left_step: int
    right_step: int
    left_put: str
    right_put: str
    left_to: str
    right_to: str
    tiles: str
    here: str
    term: str
    stop: str
    high: str
    wide: str
    upper: str
    lower: str
    part: str
    put: str

    @property
    def signature(self) -> str:
        """Name and arguments, over several lines where they are long."""
        return wrap.call(self.name, self.arguments, 5)


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


def blocks(phase: Product, samples: str) -> str:
    """Return the number of blocks of a product, as text for the host."""
    words = []
    for ranges, side in ((phase.rows, phase.tile.rows), (phase.columns, phase.tile.columns)):
        text, number = count(ranges, samples)
        words.append(str(-(-number // side)) if number is not None else f"(({text} + {side - 1}) // {side})")
    batch, _ = count(phase.batch, samples)
    words += [batch, str(phase.splits)]
    return " * ".join(w for w in words if w != "1") or "1"


def page(kernel: DeviceKernel, reserved: frozenset[str], *, single: bool, part: bool = False) -> ProductText:
    """Return the text of a product in pieces.

    Args:
        kernel: whose phase is a `Product`.
        reserved: names that are taken.
        single: whether real numbers are float32.
        part: whether a joint kernel calls it, and tells it the number of its block.
    """
    assert isinstance(kernel.phase, Product)
    return _Writer(kernel, kernel.phase, _Frame(kernel.tensors, kernel.buffers, reserved, single=single), part=part).text()


class _Printer(DevicePrinter):
    """Compares places without signs, so that one comparison of 32 bits says whether one is inside."""

    def _guard(self, g: Expr, *, opposite: bool = False) -> str:
        if isinstance(g, InRange) and not g.has(Access):
            return f"uint32({self.whole(g.args[0])}) < uint32({self.whole(g.args[1])})"
        return super()._guard(g, opposite=opposite)


class _Frame(DeviceFrame):
    """The names of a product; places in buffers have no sign, for Numba would count negative ones from the end."""

    def __init__(self, tensors: Sequence[Tensor], buffers: Sequence[str], reserved: frozenset[str], *, single: bool) -> None:
        super().__init__(tensors, buffers, reserved, single=single)
        self.printer = _Printer(self.symbol, self.access, single=single)

    def access(self, a: Access, parts: tuple[str, ...]) -> str:
        return f"{self.buffer[a.tensor.name]}[uint32({self.place(a.tensor, parts)})]"


class _Writer:
    def __init__(self, kernel: DeviceKernel, phase: Product, frame: DeviceFrame, *, part: bool) -> None:
        self.kernel, self.phase, self.frame, self.part = kernel, phase, frame, part
        self.signature = (self.own("block"), *frame.signature) if part else frame.signature
        self.samples = frame.samples
        for r in (*phase.batch, *phase.rows, *phase.columns, *phase.inner):
            frame.index(r.index)

    def own(self, name: str) -> str:
        """Return the name of something that the text of a product has for itself."""
        return self.frame.names.of(("product", name), name)

    def text(self) -> ProductText:
        phase, tile = self.phase, self.phase.tile
        thread, row, column = self.own("t"), self.own("row"), self.own("column")
        before = [Node(f"{thread} = int32(cuda.threadIdx.x)"), *self.place()]
        left_stride, right_stride = tile.rows + PAD, tile.columns + PAD
        left_size, right_size = left_stride * tile.depth, right_stride * tile.depth
        step: list[Node] = []
        left = self.side("l", phase.left, phase.rows, row, tile.rows, 0, left_stride, before, step)
        right = self.side("r", phase.right, phase.columns, column, tile.columns, left_size, right_stride, before, step)
        across = tile.columns // tile.own_columns
        high, wide = self.own("high"), self.own("wide")
        before += [
            Node(f"{high} = int32(({thread} >> {_log(across)}) * 4)"),
            Node(f"{wide} = int32(({thread} & {across - 1}) * 4)"),
            Node(f"{self.own('here')} = int32(0)"),
        ]
        sums = tuple(tuple(self.own(f"s{i}_{j}") for j in range(tile.own_columns)) for i in range(tile.own_rows))
        first, after = self.results(left_size + right_size)
        return ProductText(
            name=self.kernel.name,
            arguments=self.signature,
            doc=self.doc(),
            headings=tuple(wrap.comment(heading(e), 4) for e in self.kernel.equations),
            before=tuple(before),
            step=tuple(step),
            left=left,
            right=right,
            left_put=self.own("l_put"),
            right_put=self.own("r_put"),
            left_to=self.own("l_to"),
            right_to=self.own("r_to"),
            sums=sums,
            rows=tuple(self.own(f"u{i}") for i in range(tile.own_rows)),
            columns=tuple(self.own(f"v{j}") for j in range(tile.own_columns)),
            across=first,
            after=after,
            depth=tile.depth,
            size=left_size + right_size,
            left_size=left_size,
            left_stride=left_stride,
            right_stride=right_stride,
            left_step=tile.rows * 4 // tile.own_rows,
            right_step=tile.columns * 4 // tile.own_columns,
            tiles=self.own("tiles"),
            here=self.own("here"),
            term=self.own("term"),
            stop=self.own("stop"),
            high=high,
            wide=wide,
            upper=self.own("upper"),
            lower=self.own("lower"),
            part=self.own("part"),
            put=self.own("put"),
        )

    def doc(self) -> str:
        phase, tile = self.phase, self.phase.tile
        words = [f"Tiles of {tile.rows} x {tile.columns} results, {tile.depth} terms at once, {tile.threads} threads"]
        if phase.splits > 1:
            words.append(f"the terms in {phase.splits} parts")
        return "; ".join(words) + "."

    # Whole numbers: 32 bits all the way, and divisions without signs

    def total(self, ranges: Sequence[Range]) -> str:
        """Return the number of places of some indices together as text."""
        return count(ranges, self.samples)[0]

    def apart(self, whole: str, ranges: Sequence[Range], swap: Mapping[Index, Index]) -> list[Node]:
        """Return the lines that take a place apart into indices, the last one running fastest."""
        made = []
        for k, r in reversed(list(enumerate(ranges))):
            name = self.frame.index(swap.get(r.index, r.index))
            extent = count((r,), self.samples)[0]
            value = f"{whole}" if k == 0 else f"int32(uint32({whole}) % uint32({extent}))"
            if r.start != 0:
                value = f"int32({value} + {self.frame.extent_text(r.start)})"
            if extent == "1" and r.start == 0:
                value = "int32(0)"
            made.append(Node(f"{name} = {value}"))
            if k:
                # A name for what is left over; nothing if all that is left has one place only.
                rest = self.own(f"rest_{name}")
                made.append(Node(f"{rest} = int32(uint32({whole}) // uint32({extent}))"))
                whole = rest
        return made

    def place(self) -> list[Node]:
        """Return the lines that say which tile a block has, and which terms."""
        phase, tile = self.phase, self.phase.tile
        left = self.own("block")
        made = [] if self.part else [Node(f"{left} = int32(cuda.blockIdx.x)")]

        def digit(name: str, extent: str, last: bool) -> None:
            if last:
                made.append(Node(f"{name} = {left}"))
            elif extent == "1":
                made.append(Node(f"{name} = int32(0)"))
            else:
                made.append(Node(f"{name} = int32(uint32({left}) % uint32({extent}))"))
                made.append(Node(f"{left} = int32(uint32({left}) // uint32({extent}))"))

        sides = ((self.own("column"), phase.columns, tile.columns), (self.own("row"), phase.rows, tile.rows))
        more = bool(phase.batch) or phase.splits > 1
        for k, (name, ranges, side) in enumerate(sides):
            text, number = count(ranges, self.samples)
            extent = str(-(-number // side)) if number is not None else f"(({text} + {side - 1}) // {side})"
            digit(name, extent, last=k == 1 and not more)
            made.append(Node(f"{name} = int32({name} * {side})"))
        split = self.frame.index(phase.split) if phase.split is not None else ""
        if split:
            digit(split, str(phase.splits), last=not phase.batch)
        made += self.apart(left, phase.batch, {})
        term, stop, terms = self.own("term"), self.own("stop"), self.total(phase.inner)
        if not split:
            return [*made, Node(f"{term} = int32(0)"), Node(f"{stop} = int32({terms})")]
        per = phase.splits * tile.depth
        made.append(Node(f"{stop} = int32(({terms} + {per - 1}) // {per} * {tile.depth})"))
        made.append(Node(f"{term} = int32({split} * {stop})"))
        made.append(Node(f"{stop} = int32({term} + {stop})"))
        made.append(Node(f"{stop} = int32({terms}) if {stop} > {terms} else {stop}"))
        return made

    # Factors

    def side(
        self,
        letter: str,
        factor: Expr,
        ranges: tuple[Range, ...],
        base: str,
        extent: int,
        start: int,
        stride: int,
        before: list[Node],
        step: list[Node],
    ) -> tuple[Load, ...]:
        """Return what a thread reads of a factor; the lines for it go before everything, or before each step.

        Args:
            letter: that its names begin with.
            factor: what is read.
            ranges: its rows, or columns.
            base: where the tile begins.
            extent: how many of them a tile has.
            start: of the tile in shared memory.
            stride: between its terms.
            before: lines that are done once.
            step: lines that are done for each tile.
        """
        phase, tile = self.phase, self.phase.tile
        thread = self.own("t")
        vector, along = alignment(factor, phase, ranges)
        width = 4 if vector else 1
        threads = tile.threads
        assert extent * tile.depth % (width * threads) == 0, f"{threads} threads for {extent} x {tile.depth} entries"
        # Places of outer and inner indices that the loads of a thread stand at: those of the first, and how far the others are away.
        if along:
            across = tile.depth // width
            inner, outer = _low(thread, across, width), _high(thread, across)
            inner_shifts, outer_shifts = [0], [s * (threads // across) for s in range(extent * across // threads)]
        else:
            across = extent // width
            if threads >= across:
                inner, outer = _high(thread, across), _low(thread, across, width)
                inner_shifts, outer_shifts = [s * (threads // across) for s in range(tile.depth * across // threads)], [0]
            else:
                inner, outer = "0", _times(thread, width)
                inner_shifts, outer_shifts = list(range(tile.depth)), [s * threads * width for s in range(across // threads)]
        total, stop, term = self.total(ranges), self.own("stop"), self.own("term")
        outer_swaps, inner_swaps = [], []
        for s, shift in enumerate(outer_shifts):
            name = self.own(f"{letter}_at{s}")
            before.append(Node(f"{name} = int32({_sum(base, outer, shift)})"))
            swap = {r.index: Index(f"{r.index.name}_{letter}{s}", r.index.extent) for r in ranges}
            before += self.apart(name, ranges, swap)
            outer_swaps.append((name, swap))
        for s, shift in enumerate(inner_shifts):
            name = self.own(f"{letter}_term{s}")
            step.append(Node(f"{name} = int32({_sum(term, inner, shift)})"))
            swap = {r.index: Index(f"{r.index.name}_{letter}_{s}", r.index.extent) for r in phase.inner}
            step += self.apart(name, phase.inner, swap)
            inner_swaps.append((name, swap))
        loads: list[Load] = []
        before.append(Node(f"{self.own(f'{letter}_put')} = int32({_sum(start, _times(inner, stride), outer)})"))
        to = self.own(f"{letter}_to")
        for (a, place), (b, deep) in grid(enumerate(outer_shifts), enumerate(inner_shifts)):
            (outer_name, outer_swap), (inner_name, inner_swap) = outer_swaps[a], inner_swaps[b]
            number = len(loads)
            at = deep * stride + place
            whole = factor.xreplace({**outer_swap, **inner_swap})
            names = tuple(self.own(f"{letter}{number}_{i}") for i in range(width)) if width > 1 else (self.own(f"{letter}{number}"),)
            apart = [at + i * stride for i in range(width)] if along else [at]
            puts = tuple(f"{to} + uint64({far})" if far else to for far in apart)
            if width > 1:
                assert isinstance(whole, Access)
                parts = [self.frame.printer.whole(part) for part in whole.index]
                value = f"ld4({self.frame.buffer[whole.tensor.name]}, int32({self.frame.place(whole.tensor, parts)}))"
                guard = self.inside((), outer_name, total, inner_name, stop)
            else:
                # What compares places alone is asked at once: one test, and no jump around a read.
                tests = [f for f in sympy.Mul.make_args(whole) if isinstance(f, Guard) and not f.has(Access)]
                value = self.frame.printer.real(sympy.Mul(*(f for f in sympy.Mul.make_args(whole) if f not in tests)))
                value = wrap.statement(f"{names[0]} = {value}", 12).removeprefix(f"{names[0]} = ")
                guard = self.inside(tests, outer_name, total, inner_name, stop)
            loads.append(Load(names, guard, value, puts))
        return tuple(loads)

    def inside(self, tests: Sequence[Expr], outer: str, total: str, inner: str, stop: str) -> str:
        """Return the condition that an entry is inside of its matrix, and where no guard makes it 0."""
        words = [f"({outer} < {total})", f"({inner} < {stop})", *(f"({self.frame.printer.test((g,))})" for g in tests)]
        return " & ".join(words)

    # Results

    def results(self, size: int) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """Return the lines before results are written, and those that write some rows of them.

        Thread rows (and columns) come in fours; in pass ``p`` every thread hands over its row p, and the block writes what it got.
        """
        phase, tile, frame = self.phase, self.phase.tile, self.frame
        thread, part, put = self.own("t"), self.own("part"), self.own("put")
        high, wide = self.own("high"), self.own("wide")
        down = tile.rows // tile.own_rows
        assert tile.threads % tile.columns == 0 and down * tile.columns <= 2 * size
        column, mine = self.own("column"), self.own("mine")
        first = [
            Node(f"{put} = int32({high} * {tile.columns // 4} + {wide})"),
            Node(f"{mine} = int32({thread} & {tile.columns - 1})"),
            Node(f"{column} = int32({column} + {mine})"),
            *self.apart(column, phase.columns, {}),
        ]
        row, line, at = self.own("row"), self.own("line"), self.own("r_row")
        fours = f" + ({part} >> 2) * {down * 4}" if tile.own_rows > 4 else ""
        inside = [
            *self.apart(at, phase.rows, {}),
            Node(f"{frame.local(phase.result)} = {self.own('tiles')}[uint32({line} * {tile.columns} + {mine})]"),
            *frame.nodes(phase.epilogue, 16),
        ]
        guard = f"{at} < {self.total(phase.rows)} and {column} < {self.total(phase.columns)}"
        body = [
            Node(f"{at} = int32({row}{fours} + {line} * 4 + ({part} & 3))"),
            Node(f"if {guard}:", tuple(inside)),
        ]
        span = f"range(int32({thread} >> {_log(tile.columns)}), int32({down}), int32({tile.threads // tile.columns}))"
        return tuple(first), (Node(f"for {line} in {span}:", tuple(body)),)


def _log(n: int) -> int:
    power = n.bit_length() - 1
    assert n == 1 << power, f"{n} is no power of two"
    return power


def _sum(*terms: str | int) -> str:
    """Return the text of a sum; what is 0 is left out."""
    words = [_grouped(str(t)) for t in terms if str(t) != "0"]
    return " + ".join(words) or "0"


def _low(thread: str, count: int, width: int) -> str:
    """Return which of ``count`` places, each ``width`` wide, a thread has."""
    return "0" if count == 1 else _times(f"{thread} & {count - 1}", width)


def _high(thread: str, count: int) -> str:
    """Return the number of a thread among those that have the same place of ``count``."""
    return thread if count == 1 else f"{thread} >> {_log(count)}"


def _grouped(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _times(text: str, factor: int) -> str:
    if text.isdigit():
        return str(int(text) * factor)
    return text if factor == 1 else f"{_grouped(text)} * {factor}"


__all__ = ["PAD", "Load", "ProductText", "blocks", "count", "page"]
