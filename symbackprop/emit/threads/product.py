"""A tiled matrix product as the parts of a kernel's text: who reads what, where it lies in a tile, what is done with a result."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symbackprop.algebra.nodes import Sum
from symbackprop.algebra.tensor import Access
from symbackprop.algebra.text import heading, marked
from symbackprop.emit import wrap
from symbackprop.emit.page import Function, Node
from symbackprop.emit.threads.factor import ProductFrame, Reader, Side, count, high, low, single, total
from symbackprop.plan.device.product import SINGLE
from symbackprop.plan.device.records import DeviceKernel, Product, Range, Tile
from symbackprop.plan.records import Let, Local, Statement
from symbackprop.plan.rewriting import called, expressions, named, rewritten


@dataclass(frozen=True)
class ProductText:
    """All that the template of a product lays out.

    Attributes:
        name: of the kernel.
        arguments: of the kernel, in order.
        doc: one line for its docstring.
        headings: the equations that it computes, as comments.
        functions: that read factors.
        place: which tile and which terms a block has.
        before: what a thread knows before it reads.
        reads: what reads its part of the next tiles.
        puts: what puts it into shared memory.
        across: what it does before it writes results.
        after: how it writes some.
        shape: rows and columns of a tile, and its terms.
        own: rows and columns of a thread.
        size: entries of a tile of both factors.
        left: where a thread's rows begin in a left tile.
        right: where its columns begin behind that.
        stage: where it puts its results.
        registers: of a thread, at most, so that a processor holds as many blocks as the plan counts on; None for no limit.
        sum: what the results in registers are, as a comment.
        stop: behind the last term of a block, as text.
        names: of what the text has for itself.
    """

    name: str
    arguments: tuple[str, ...]
    doc: str
    headings: tuple[str, ...]
    functions: tuple[Function, ...]
    place: tuple[Node, ...]
    before: tuple[Node, ...]
    reads: tuple[Node, ...]
    puts: tuple[Node, ...]
    across: tuple[Node, ...]
    after: tuple[Node, ...]
    shape: tuple[int, int, int]
    own: tuple[int, int]
    size: int
    left: str
    right: str
    stage: str
    registers: int | None
    sum: str
    stop: str
    names: dict[str, str]

    @property
    def signature(self) -> str:
        """Name and arguments, over several lines where they are long."""
        return wrap.call(self.name, self.arguments, 5)


#: Registers of a processor, the most of a thread, and how many threads are given at once.
REGISTERS, MOST, EIGHT = 65_536, 255, 8
_RESIDENT = {s.tile: s.resident for s in SINGLE}
#: Names that the text of a product has for itself.
_OWN = ("tiles", "thread", "block", "column", "row", "first", "stop", "here", "left", "right", "sums", "stage", "turn", "lap", "line")


def blocks(phase: Product, samples: str) -> str:
    """Return the number of blocks of a product, as text for the host."""
    number, words = phase.splits, []
    for ranges, side in ((phase.rows, phase.tile.rows), (phase.columns, phase.tile.columns)):
        text, fixed = count(ranges, samples)
        if fixed is None:
            words.append(f"({text} + {side - 1}) // {side}")
        number *= -(-fixed // side) if fixed is not None else 1
    text, fixed = count(phase.batch, samples)
    number *= fixed if fixed is not None else 1
    rest = [*([text] if fixed is None else []), *([str(number)] if number != 1 or not (words or fixed is None) else [])]
    return " * ".join([*(f"({word})" for word in words), *rest]) if len(words) + len(rest) > 1 else (*words, *rest)[0]


def registers(tile: Tile, *, single: bool, joint: bool = False) -> int | None:
    """Return how many registers a thread may have so that a processor holds as many blocks as the plan counts on.

    Args:
        tile: of the product.
        single: whether real numbers are float32; nothing is promised for others.
        joint: whether one kernel does the work of several and has more to keep; half as many blocks are held then, two at least.
    """
    blocks = _RESIDENT.get(tile) if single else None
    if blocks is None:
        return None
    return min(MOST, REGISTERS // (tile.threads * (max(2, blocks // 2) if joint else blocks))) // EIGHT * EIGHT


def page(kernel: DeviceKernel, reserved: frozenset[str], *, single: bool, part: bool = False) -> ProductText:
    """Return the text of a product in pieces.

    Args:
        kernel: whose phase is a `Product`.
        reserved: names that are taken.
        single: whether real numbers are float32.
        part: whether a joint kernel calls it, and tells it the number of its block.
    """
    assert isinstance(kernel.phase, Product)
    frame = ProductFrame(kernel, reserved, single=single)
    return _Writer(kernel, kernel.phase, reserved, frame, single=single, part=part).text()


class _Writer:
    def __init__(
        self, kernel: DeviceKernel, phase: Product, reserved: frozenset[str], frame: ProductFrame, *, single: bool, part: bool
    ) -> None:
        self.kernel, self.phase, self.frame = kernel, phase, frame
        self.reserved, self.single, self.part = reserved, single, part
        self.signature = (self.own("block"), *frame.signature) if part else frame.signature
        for r in (*phase.batch, *phase.rows, *phase.columns, *phase.inner):
            frame.index(r.index)

    def own(self, name: str) -> str:
        """Return the name of something that the text of a product has for itself."""
        return self.frame.names.of(("product", name), name)

    def text(self) -> ProductText:
        phase, tile = self.phase, self.phase.tile
        names = {word: self.own(word) for word in _OWN}
        thread = names["thread"]
        place, (column, row), stop = self.place()
        left = Side("left", phase.left, phase.rows, names["row"], row, tile.rows, 0)
        right = Side("right", phase.right, phase.columns, names["column"], column, tile.columns, left.stride * tile.depth)
        size = right.start + right.stride * tile.depth
        reader = Reader(self.kernel, self.frame, self.own, self.reserved, single=self.single, stop=stop)
        reader.side(left)
        reader.side(right)
        across = tile.columns // tile.own_columns
        first, after = self.results(size, row, column)
        product = Sum(phase.left * phase.right, *(r.index for r in phase.inner))
        return ProductText(
            name=self.kernel.name,
            arguments=self.signature,
            doc=self.doc(),
            headings=tuple(wrap.comment(heading(e), 4) for e in self.kernel.equations),
            functions=tuple(reader.made.functions),
            place=tuple(place),
            before=tuple(reader.made.before),
            reads=tuple(reader.made.reads),
            puts=tuple(reader.made.puts),
            across=first,
            after=after,
            shape=(tile.rows, tile.columns, tile.depth),
            own=(tile.own_rows, tile.own_columns),
            size=size,
            left=total(high(thread, across, 4)),
            right=total(right.start, low(thread, across, 4)),
            stage=total(high(thread, across, tile.columns), low(thread, across, 4)),
            registers=registers(tile, single=self.single),
            sum=wrap.comment(f"{self.frame.local(phase.result)} = {marked(None, product).text}", 4),
            stop=stop,
            names=names,
        )

    def doc(self) -> str:
        phase, tile = self.phase, self.phase.tile
        words = f"Write {wrap.listed(self.kernel.written)} in tiles of {tile.rows} x {tile.columns}, {tile.depth} terms at a time"
        words += f", by {tile.threads} threads with {tile.own_rows} x {tile.own_columns} results each"
        return f"{words}; the terms in {phase.splits} parts." if phase.splits > 1 else f"{words}."

    # Whole numbers: 32 bits all the way, and divisions without signs

    def place(self) -> tuple[list[Node], list[str], str]:
        """Return the lines that say which tile a block has, where its columns and rows begin, and where its terms end."""
        phase, tile, frame = self.phase, self.phase.tile, self.frame
        left, first = self.own("block"), self.own("first")
        digits = []
        for word, ranges, side in (("column", phase.columns, tile.columns), ("row", phase.rows, tile.rows)):
            text, number = count(ranges, frame.samples)
            digits.append((self.own(word), str(-(-number // side)) if number is not None else f"({text} + {side - 1}) // {side}", side))
        bases = [name if extent != "1" else "0" for name, extent, _ in digits]
        if phase.split is not None:
            digits.append((frame.index(phase.split), str(phase.splits), 1))
        digits += [(frame.index(r.index), frame.total((r,)), 1) for r in reversed(phase.batch)]
        several = [digit for digit in digits if digit[1] != "1"]
        whole = left if self.part else "cuda.blockIdx.x"
        made = [Node(f"{left} = uint32({whole})")] if several else []
        for name, extent, times in several:
            last = name == several[-1][0]
            value = left if last else f"{left} % uint32({extent})"
            made.append(Node(f"{name} = int32({value}{f' * {times}' if times != 1 else ''})"))
            if not last:
                made.append(Node(f"{left} = uint32({left} // uint32({extent}))"))
        for r in phase.batch:
            alone, start = frame.total((r,)) == "1", frame.extent_text(r.start)
            if alone or r.start != 0:
                made.append(Node(f"{frame.index(r.index)} = int32({start if alone else f'{frame.index(r.index)} + {start}'})"))
        terms = frame.total(phase.inner)
        if phase.split is None:
            return [*made, Node(f"{first} = int32(0)")], bases, terms
        stop, per = self.own("stop"), phase.splits * tile.depth
        made += [
            Node(f"{stop} = int32(({terms} + {per - 1}) // {per} * {tile.depth})"),
            Node(f"{first} = int32({frame.index(phase.split)} * {stop})"),
            Node(f"{stop} = int32({first} + {stop} if {first} + {stop} < {terms} else {terms})"),
        ]
        return made, bases, stop

    # Results

    def results(self, size: int, row: str, column: str) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """Return the lines before results are written, and those that write some rows of them.

        Thread rows (and columns) come in fours; in turn t every thread hands over its row t, and the block writes what it got.
        """
        phase, tile, frame = self.phase, self.phase.tile, self.frame
        thread, turn, line, lap = self.own("thread"), self.own("turn"), self.own("line"), self.own("lap")
        down, apart = tile.rows // tile.own_rows, tile.threads // tile.columns
        assert tile.threads % tile.columns == 0 and down * tile.columns <= 2 * size and down % apart == 0
        mine = low(thread, tile.columns)
        across, first = self.at(phase.columns, "column", (column, mine))
        held, epilogue = self.held(across)
        fours = (f"({turn} >> 2) * {down * 4}", f"{line} * 4", f"({turn} & 3)") if tile.own_rows > 4 else (f"{line} * 4", turn)
        at, inside = self.at(phase.rows, "row", (row, *fours))
        within = [
            *inside[1:],
            Node(f"{frame.local(phase.result)} = {self.own('tiles')}[uint32({line} * {tile.columns} + {mine})]"),
            *frame.nodes(epilogue, 16),
        ]
        body = [inside[0], Node(f"if {at} < {frame.total(phase.rows)} and {across} < {frame.total(phase.columns)}:", tuple(within))]
        if apart == 1:
            return (*first, *held), (Node(f"for {line} in range(int32({down})):", tuple(body)),)
        body.insert(0, Node(f"{line} = int32({total(f'{lap} * {apart}', high(thread, tile.columns))})"))
        return (*first, *held), (Node(f"for {lap} in range(int32({down // apart})):", tuple(body)),)

    def held(self, across: str) -> tuple[list[Node], tuple[Statement, ...]]:
        """Return the lines that read what is the same for all rows of a column, and what is done with a result after that."""
        phase, frame = self.phase, self.frame
        known = {r.index for r in (*phase.batch, *phase.columns)}
        reads = (a for e in expressions(phase.epilogue) for a in sorted(e.atoms(Access), key=str))
        names: dict[Expr, Expr] = {}
        taken = {s.name for s in named(phase.epilogue)} | {phase.result.name}
        for a in reads:
            if a in names or a.tensor.integer or a.tensor.name in self.kernel.written or not {*a.index} <= known:
                continue
            name = f"{a.tensor.name}_"
            while name in taken:
                name += "_"
            taken.add(name)
            names[a] = Local(name)
        if not names:
            return [], phase.epilogue
        lines = frame.nodes([Let(local, a) for a, local in names.items() if isinstance(local, Local)], 4)
        if (extent := count(phase.columns, "")[1]) is None or extent % phase.tile.columns:
            none = [Node(f"{frame.local(local)} = real(0.0)") for local in names.values() if isinstance(local, Local)]
            lines = [*none, Node(f"if {across} < {frame.total(phase.columns)}:", tuple(lines))]
        return lines, rewritten(phase.epilogue, lambda e: called(e, names))

    def at(self, ranges: tuple[Range, ...], word: str, terms: tuple[str, ...]) -> tuple[str, list[Node]]:
        """Return the name of the row or column of a result, and the lines that give it and its indices their values."""
        one = single(ranges)
        name = self.frame.index(one) if one is not None else self.frame.names.of(("result", word), f"result_{word}")
        line = Node(f"{name} = {'uint32' if one is None else 'int32'}({total(*terms)})")
        return name, [line, *self.frame.apart(name, ranges)]


__all__ = ["ProductText", "blocks", "page"]
