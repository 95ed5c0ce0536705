"""One kernel of the device as text: what is shared among threads, sums by all of them, and where they wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from symbackprop.algebra.text import heading
from symbackprop.emit import wrap
from symbackprop.emit.page import Function, Node
from symbackprop.emit.threads.frame import DeviceFrame
from symbackprop.emit.threads.product import blocks
from symbackprop.plan.device.records import (
    WARP,
    Alone,
    Barrier,
    DeviceKernel,
    Each,
    Every,
    External,
    Fold,
    Product,
    Provided,
    Range,
    Repeat,
    Step,
    Sweep,
    Team,
)
from symbackprop.plan.records import Let, Local, Loop, Statement, Store, Update, When
from symbackprop.plan.rewriting import inside

#: Threads of a block where every entry has one of its own.
BLOCK = 128
#: Shared loops and sums of a row, from which on a compiler must not look from one to the next.
LONG = 12
#: A mask of all threads that hand values to each other.
ALL = "0xFFFFFFFF"


class KernelText:
    """A kernel of one phase: `function` and how many blocks of how many threads it takes.

    Args:
        kernel: what is printed.
        reserved: names that are taken.
        single: whether real numbers are float32.
        part: whether a joint kernel calls it, and tells it the number of its block.
    """

    def __init__(self, kernel: DeviceKernel, reserved: Iterable[str], *, single: bool, part: bool = False) -> None:
        self.kernel, self.part = kernel, part
        self.frame = DeviceFrame(kernel.tensors, kernel.buffers, reserved, single=single)
        self.headings = {e.tensor.name: heading(e) for e in kernel.equations}
        # One equation stands above all, several each above what computes it.
        shared = sum(isinstance(step, Each | Fold) for step in walk(kernel.phase.steps)) if isinstance(kernel.phase, Team) else 0
        self.lines = Lines(self.frame, long=shared > LONG, part=part, headings=self.headings if len(self.headings) > 1 else {})

    def function(self, name: str) -> Function:
        """Return the text of the kernel."""
        phase = self.kernel.phase
        if isinstance(phase, Sweep):
            body = self.lines.sweep(phase, 4)
        elif isinstance(phase, Team):
            body = self.lines.team(phase, 4)
        else:
            raise NotImplementedError
        headings = tuple(wrap.comment(text, 4) for text in self.headings.values() if text not in self.lines.said)
        arguments = (self.lines.name("block"), *self.frame.signature) if self.part else self.frame.signature
        doc = f"Write {wrap.listed(self.kernel.written)}."
        if len(doc) > wrap.LIMIT - 10:
            doc = f"Write {len(self.kernel.written)} tensors; the equation of each stands above what computes it."
        return Function(name, arguments, headings, tuple(body), doc)


def grid(kernel: DeviceKernel, samples: str, threads: int = BLOCK) -> tuple[str, str]:
    """Return how many blocks of how many threads a kernel takes, as text; entries that have a thread each take ``threads``."""
    phase = kernel.phase
    if isinstance(phase, Product):
        return blocks(phase, samples), str(phase.tile.threads)
    assert not isinstance(phase, External)
    entries = count(phase.axes, samples)
    if isinstance(phase, Team):
        return entries, str(phase.threads)
    if entries.isdigit():
        return str(-(-int(entries) // threads)), str(threads)
    return f"({entries} + {threads - 1}) // {threads}", str(threads)


def count(axes: Sequence[Range], samples: str) -> str:
    """Return the number of entries of a domain as text."""
    total = sympy.Mul(*(r.extent for r in axes))
    number, rest = total.as_coeff_Mul()
    if rest == 1:
        return str(number)
    return samples if number == 1 else f"{samples} * {number}"


class Lines:
    """What threads do, as lines.

    Args:
        frame: names.
        blocks: that share what is done by all blocks.
        long: whether there is so much that a compiler would keep more first entries of loops than it has registers.
        part: whether the number of the block is an argument.
        headings: equations as text, by the tensor that they compute; each stands above the first lines that lead to it.
    """

    def __init__(
        self, frame: DeviceFrame, blocks: int = 1, *, long: bool = False, part: bool = False, headings: Mapping[str, str] | None = None
    ) -> None:
        self.frame, self.blocks, self.long, self.part = frame, blocks, long, part
        self.headings = dict(headings or {})
        #: Those that stand somewhere.
        self.said: set[str] = set()
        self.folds = 0

    def sweep(self, phase: Sweep, indent: int) -> list[Node]:
        """Return the lines of a kernel in which every entry has a thread."""
        entry = self.name("entry")
        inner = self.unpacked(phase.axes, entry, indent + 4)
        for k, s in enumerate(phase.body):
            inner += [*self.announced(phase.body[k:], indent + 4), *self.frame.nodes((s,), indent + 4)]
        if len(phase.axes) == 1 and phase.axes[0].start == 0:
            entry = self.frame.index(phase.axes[0].index)
        place = f"{self.name('block')} * int32(cuda.blockDim.x) + int32(cuda.threadIdx.x)" if self.part else "cuda.grid(1)"
        return [
            Node(f"{entry} = int32({place})"),
            Node(f"if {entry} < {self.total(phase.axes)}:", tuple(inner)),
        ]

    def team(self, phase: Team, indent: int) -> list[Node]:
        """Return the lines of a kernel in which every row has a block."""
        made: list[Node] = []
        if any(isinstance(s, Fold) for s in walk(phase.steps)):
            made.append(Node(f"{self.name('parts')} = cuda.shared.array({phase.threads // WARP}, {self.frame.type_name})"))
        made.append(Node(f"{self.name('thread')} = int32(cuda.threadIdx.x)"))
        if phase.axes:
            row = self.name("row")
            single = len(phase.axes) == 1 and phase.axes[0].start == 0
            block = self.name("block") if self.part else "int32(cuda.blockIdx.x)"
            made.append(Node(f"{self.frame.index(phase.axes[0].index) if single else row} = {block}"))
            made += self.unpacked(phase.axes, row, indent)
        return [*made, *self.steps(phase.steps, phase.threads, indent)]

    def name(self, wanted: str) -> str:
        return self.frame.names.of(("own", wanted), wanted)

    def ends(self, axes: Sequence[Range], indent: int) -> tuple[tuple[Range, ...], list[Node]]:
        """Return a domain whose ends are names where they have to be computed, and the lines that compute them."""
        made: list[Range] = []
        lines: list[Node] = []
        for r in axes:
            plain = r.start.is_Integer and (r.extent.is_Integer or r.extent.is_Symbol)
            if plain:
                made.append(r)
                continue
            first, length = (Local(f"{word}_{r.index.name}", integer=True) for word in ("first", "count"))
            for local, value in ((first, r.start), (length, r.extent)):
                lines += self.frame.nodes((Let(local, value),), indent)
            made.append(Range(r.index, first, first + length))
        return tuple(made), lines

    def total(self, axes: Sequence[Range]) -> str:
        """Return the number of entries of a domain, in int32."""
        number, symbols = sympy.Mul(*(r.extent for r in axes)).as_coeff_Mul()
        words = [self.frame.printer.whole(f) for f in sympy.Mul.make_args(symbols) if f != 1]
        return " * ".join([*words, f"int32({number})"] if number != 1 or not words else words)

    def unpacked(self, axes: Sequence[Range], entry: str, indent: int) -> list[Node]:
        """Return the lines that give the indices of an entry their values, the last axis fastest."""
        if len(axes) == 1 and axes[0].start == 0:
            return []
        made: list[Node] = []
        for k, r in enumerate(axes):
            behind = self.total(axes[k + 1 :])
            value = entry if behind == "int32(1)" else f"{entry} // {behind}" if " " not in behind else f"{entry} // ({behind})"
            if r.extent == 1:
                value = "int32(0)"
            elif any(other.extent != 1 for other in axes[:k]):
                extent = self.total((r,))
                value = f"{value} % {extent if ' ' not in extent else f'({extent})'}"
            if r.start != 0:
                value = f"{self.frame.bound(r.start)} + {value}"
            made.append(Node(wrap.statement(f"{self.frame.index(r.index)} = {value}", indent)))
        return made

    def shared_loop(self, axes: Sequence[Range], threads: int, body: Sequence[Statement], indent: int, *, grid: bool = False) -> list[Node]:
        """Return the loop over the entries that a thread has of a domain, among those of its block or of all blocks."""
        thread = self.name("thread")
        if grid:
            thread = f"{self.frame.local(Local('block'))} * int32({threads}) + {thread}"
        threads *= self.blocks if grid else 1
        axes, lines = self.ends(axes, indent)
        if len(axes) == 1 and axes[0].start == 0:
            head = f"for {self.frame.index(axes[0].index)} in range({thread}, {self.frame.bound(axes[0].stop)}, int32({threads})):"
        else:
            head = f"for {self.name('entry')} in range({thread}, {self.total(axes)}, int32({threads})):"
        inner = [*self.unpacked(axes, self.name("entry"), indent + 4), *self.frame.nodes(body, indent + 4)]
        return [*lines, Node(head, tuple(inner))]

    def steps(self, steps: Sequence[Step], threads: int, indent: int) -> list[Node]:
        """Return the lines of what a team does."""
        made: list[Node] = []
        for k, step in enumerate(steps):
            if not isinstance(step, Barrier):
                made += self.announced(steps[k:], indent)
            made += self.step(step, threads, indent)
        return made

    def announced(self, coming: Sequence[Step | Statement], indent: int) -> list[Node]:
        """Return the equations of the tensors that the next step or statement that stores any stores, if they stand nowhere yet."""
        for one in coming:
            if isinstance(one, Repeat | Provided):
                break
            stored = dict.fromkeys(s.access.tensor.name for s in inside(_statements(one)) if isinstance(s, Store))
            if stored:
                texts = [self.headings[name] for name in stored if self.headings.get(name, "") not in {"", *self.said}]
                self.said.update(texts)
                return [Node(wrap.comment(text, indent)) for text in texts]
        return []

    def step(self, step: Step, threads: int, indent: int) -> list[Node]:
        frame = self.frame
        if isinstance(step, Barrier):
            wait = Node(f"{self.name('grid')}.sync()" if step.grid else "cuda.syncthreads()")
            return [wait, Node(f"{self.name('thread')} = opaque({self.name('thread')})")] if self.long else [wait]
        if isinstance(step, Every):
            return frame.nodes(step.body, indent)
        if isinstance(step, Alone):
            return [Node(f"if {self.name('thread')} == 0:", tuple(frame.nodes(step.body, indent + 4)))]
        if isinstance(step, Each) and step.lanes > 1:
            return self.laned(step, threads, indent)
        if isinstance(step, Each):
            return self.shared_loop(step.axes, threads, step.body, indent, grid=step.grid)
        if isinstance(step, Fold):
            return self.fold(step, threads, indent)
        if isinstance(step, Provided):
            head = f"if {frame.printer.test(step.guards)}:"
            return [Node(head, tuple(self.steps(step.steps, threads, indent + 4)))]
        r = step.range
        index, first, last = frame.index(r.index), frame.bound(r.start), frame.bound(r.stop)
        if step.descending:
            head = f"for {index} in range({last} - int32(1), {first} - int32(1), int32(-1)):"
        else:
            head = f"for {index} in range({last}):" if r.start == 0 else f"for {index} in range({first}, {last}):"
        return [Node(head, tuple(self.steps(step.steps, threads, indent + 4)))]

    def laned(self, step: Each, threads: int, indent: int) -> list[Node]:
        """Return the lines of entries whose sums are shared by some neighbouring threads each; the first of them writes."""
        frame, thread = self.frame, self.name("thread")
        lane, start, entry, there = (self.name(word) for word in ("lane", "start", "entry", "there"))
        axes, lines = self.ends(step.axes, indent)
        total, lanes = self.total(axes), f"int32({step.lanes})"
        inner: list[Node] = [
            Node(f"{entry} = ({start} + {thread}) // {lanes}"),
            Node(f"{there} = {entry} < {total} and {lane} == 0"),
            # Where there is no entry the last one is done once more, and not written.
            Node(f"{entry} = {entry} if {entry} < {total} else {total} - int32(1)"),
        ]
        if len(axes) == 1 and axes[0].start == 0:
            inner.append(Node(f"{frame.index(axes[0].index)} = {entry}"))
        inner += self.unpacked(axes, entry, indent + 4)
        for s in step.body:
            if isinstance(s, Loop):
                inner += self.partial(s, step.lanes, lane, indent + 4)
            elif isinstance(s, Store):
                inner.append(Node(f"if {there}:", tuple(frame.nodes((s,), indent + 8))))
            else:
                inner += frame.nodes((s,), indent + 4)
        product = total if " " not in total else f"({total})"
        head = f"for {start} in range(int32(0), {product} * {lanes}, int32({threads})):"
        shared = f"# {step.lanes} neighbouring threads share the terms of an entry; the first of them writes."
        return [*lines, Node(shared), Node(f"{lane} = {thread} % {lanes}"), Node(head, tuple(inner))]

    def partial(self, s: Loop, lanes: int, lane: str, indent: int) -> list[Node]:
        """Return the lines of a sum whose terms some lanes share."""
        (changed,) = [u for u in inside((s,)) if isinstance(u, Update)]
        part = Local(f"part of {changed.local.name}")
        self.frame.names.of(("local", part.name), "part")
        mine, fold = self.frame.local(part), replace(changed, local=part)
        least: Expr = sympy.S.Zero if changed.operation == "sum" else -sympy.oo
        body = tuple(_replaced(b, changed, fold) for b in s.body)
        first = lane if s.start == 0 else f"{self.frame.bound(s.start)} + {lane}"
        head = f"for {self.frame.index(s.index)} in range({first}, {self.frame.bound(s.stop)}, int32({lanes})):"
        made = [*self.frame.nodes((Let(part, least),), indent), Node(head, tuple(self.frame.nodes(body, indent + 4)))]
        while lanes > 1:
            lanes //= 2
            made += self.combined(changed, mine, f"cuda.shfl_xor_sync({ALL}, {mine}, int32({lanes}))")
        return [*made, *self.combined(changed, self.frame.local(changed.local), mine)]

    def fold(self, fold: Fold, threads: int, indent: int) -> list[Node]:
        """Return the lines of a sum by all threads: each adds its own terms, a warp those of its threads, and all those of the warps."""
        frame, parts, thread = self.frame, self.name("parts"), self.name("thread")
        lanes, warp = self.name("lanes"), self.name("warp")
        part = Local(f"part of {fold.local.name}")
        frame.names.of(("local", part.name), "part")
        mine = frame.local(part)
        least: Expr = sympy.S.Zero if fold.operation == "sum" else -sympy.oo
        one: tuple[Statement, ...] = (Update(part, fold.operation, fold.value),)
        if fold.guards:
            one = (When(fold.guards, (*fold.before, *one)),)
        else:
            one = (*fold.before, *one)
        return [
            *frame.nodes((Let(part, least),), indent),
            *self.shared_loop(fold.axes, threads, one, indent),
            Node("# The parts of a warp's threads, then those of all warps, in one order always."),
            Node(f"{lanes} = int32({WARP // 2})"),
            Node(
                f"while {lanes} > 0:",
                (*self.combined(fold, mine, f"cuda.shfl_xor_sync({ALL}, {mine}, {lanes})"), Node(f"{lanes} = {lanes} // int32(2)")),
            ),
            Node(f"if {thread} % int32({WARP}) == 0:", (Node(f"{parts}[{thread} // int32({WARP})] = {mine}"),)),
            Node("cuda.syncthreads()"),
            Node(
                f"for {warp} in range(int32({threads // WARP})):",
                tuple(self.combined(fold, frame.local(fold.local), f"{parts}[{warp}]")),
            ),
        ]

    def combined(self, fold: Fold | Update, mine: str, other: str) -> list[Node]:
        if fold.operation == "sum":
            return [Node(f"{mine} += {other}")]
        value = self.name("candidate")
        return [Node(f"{value} = {other}"), Node(f"{mine} = {value} if ({value} > {mine}) | ({value} != {value}) else {mine}")]


def _statements(one: Step | Statement) -> tuple[Statement, ...]:
    """Return the statements of a step, or a statement alone."""
    if isinstance(one, Each | Every | Alone):
        return one.body
    return () if isinstance(one, Fold | Barrier | Repeat | Provided) else (one,)


def _replaced(s: Statement, one: Update, other: Update) -> Statement:
    """Return a statement with another one in place of one inside of it."""
    if s is one:
        return other
    return replace(s, body=tuple(_replaced(b, one, other) for b in s.body)) if isinstance(s, Loop | When) else s


def walk(steps: Sequence[Step]) -> Iterable[Step]:
    """Yield steps and those inside them."""
    for step in steps:
        yield step
        if isinstance(step, Repeat | Provided):
            yield from walk(step.steps)


__all__ = ["BLOCK", "KernelText", "Lines", "count", "grid", "walk"]
