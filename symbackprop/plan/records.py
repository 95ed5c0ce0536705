"""What a plan is made of: statements, kernels, calls, entries and places in memory. Records only.

Scalars stay SymPy expressions over tensor accesses and `Local` names; around them stand a handful of statements. A target
prints both; it decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Function, S, Symbol

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor


class Local(Symbol):
    """A scalar that a kernel keeps to itself."""

    __slots__ = ()

    def __new__(cls, name: str, *, integer: bool = False) -> Local:
        obj: Local = Symbol.__xnew__(cls, name, integer=True) if integer else Symbol.__xnew__(cls, name, real=True)
        return obj

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, bool]]:
        return ((self.name,), {"integer": bool(self.is_integer)})


class Series(Expr):
    """A sum whose terms are added in the order in which they stand."""

    is_commutative = True
    is_real = True
    is_number = False
    is_comparable = False

    def __new__(cls, *terms: Any) -> Expr:
        if len(terms) < 2:
            return terms[0] if terms else S.Zero
        return Expr.__new__(cls, *terms)


class Pick(Expr):
    """One of some values: the first for place 0, the next for place 1, and so on. ``args`` is (place, *values)."""

    is_commutative = True
    is_real = True
    is_number = False
    is_comparable = False

    def __new__(cls, place: Any, *values: Any) -> Expr:
        return values[0] if len(values) == 1 else Expr.__new__(cls, place, *values)


class HalfTanh(Function):
    """tanh(u/2), which is a function of exp(−|u|) as sigmoid, softplus and tanh of u are."""

    is_real = True
    is_commutative = True
    nargs = 1


class Finite(Function):
    """1 where u is finite, 0 where it is infinite or NaN."""

    is_real = True
    is_commutative = True
    nargs = 1


@dataclass(frozen=True)
class Machine:
    """What the planner knows of a machine: a committed table, never read from the host.

    Attributes:
        name: for printing.
        tile: multiply-adds of one contraction from which on it is tiled; below, a call and its compilation cost more.
        plain: cost of one multiply-add in a plain sum, in units of one in the tiled product.
        copy: cost of copying one entry where neighbours do not lie side by side, in the same units.
        start: columns whose cost equals that of starting one row of a tile.
        parallel: multiply-adds of one contraction from which on its rows are shared among threads.
        call: cost of calling the tiled product once.
        lanes: columns that are computed at once; fewer cost as much.
        turn: cost of turning an entry of a right factor whose rows are multiplied.
        long: terms from which on rows are multiplied with rows in lanes.
        scratch: entries of a copied factor that stay in the cache; a larger copy must not be larger than what it is of.
        near: entries of workspace that stay in the nearest cache, beside what is read and written.
        row: cost of starting to copy a row, or to add it to another.
        entry: cost of one entry of it.
        vector: entries of workspace from which on functions for vectors pay for their compilation.
        share: operations of an entry from which on threads share it.
        grain: operations that are worth a thread of its own.
        regions: how often threads may wait for each other in one entry.
        alone: at most one in so many operations may be left to one thread.
        parts: how many parts a batch is done in where each thread needs a gradient of its own.
        samples: in each part, at least.
        weight: operations for each parameter from which on that is done, for the gradients of the parts have to be added.
        last: samples from which on a network of convolutions is computed with the samples side by side.
        straight: operations for one sample up to which a gradient is written out in scalars.
        unit: what values in workspace begin at multiples of.
        own: entries of a value of a batch, up to which its memory is not used again: what shares memory needs an order.
    """

    name: str
    tile: int
    plain: int
    copy: int
    start: int
    parallel: int
    call: int
    lanes: int
    turn: int
    long: int
    scratch: int
    near: int
    row: int
    entry: int
    vector: int
    share: int
    grain: int
    regions: int
    alone: int
    parts: int
    samples: int
    weight: int
    last: int
    straight: int
    unit: int = 1
    own: int = 0


#: No more shards than this have scratch memory of their own.
MOST_SHARDS = 64

#: Measured on two cores with 512-bit vectors; one unit is 0.009 ns. A parallel region costs about 1 µs on an idle
#: machine, milliseconds on a busy one, and its compilation two seconds: below some million operations that is not won back.
CPU = Machine(
    name="cpu",
    tile=1_000,
    plain=110,
    copy=220,
    start=2,
    parallel=20_000_000,
    call=4_000,
    lanes=16,
    turn=12,
    long=2_048,
    scratch=2**17,
    near=2**12,
    row=330,
    entry=18,
    vector=256,
    share=4_000_000,
    grain=500_000,
    regions=4,
    alone=16,
    parts=4,
    samples=8,
    weight=1_000,
    last=16,
    straight=600,
)


#: NumPy's own functions take images as they lie.
NUMPY = replace(CPU, name="numpy", last=2**62)

#: A graphics processor: its kernels are planned from the equations by `plan.device`.
CUDA = replace(CPU, name="cuda", last=2**62, share=2**62, straight=0, unit=4, own=2**20)

#: By the name of the target.
MACHINES = {"cpu": CPU, "numpy": NUMPY, "cuda": CUDA}


@dataclass(frozen=True)
class Let:
    """``local = value``; also the start of an accumulation."""

    local: Local
    value: Expr


@dataclass(frozen=True)
class Update:
    """``local = local ∘ value`` for ``operation`` "sum" or "max" (the first of equal values stays; NaN wins)."""

    local: Local
    operation: str
    value: Expr


@dataclass(frozen=True)
class Choose:
    """Keep ``value`` in ``best`` and ``position`` in ``at`` where it is larger than every value before."""

    best: Local
    at: Local
    value: Expr
    position: Expr


@dataclass(frozen=True)
class Store:
    """``access = value``."""

    access: Access
    value: Expr


@dataclass(frozen=True)
class When:
    """Run the body where every guard holds; nothing in it is read otherwise."""

    guards: tuple[Expr, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Loop:
    """Run the body for start <= index < stop, from the start up or from the end down."""

    index: Index
    start: Expr
    stop: Expr
    body: tuple[Statement, ...]
    descending: bool = False


@dataclass(frozen=True)
class Add:
    """``access += value``."""

    access: Access
    value: Expr


@dataclass(frozen=True)
class Total:
    """``target = `` the sum of a part of a tensor whose entries lie side by side, by a function of the runtime file.

    Attributes:
        target: what is written.
        tensor: what is added up.
        places: at which its first axes are fixed; the others run.
    """

    target: Access | Local
    tensor: Tensor
    places: tuple[Expr, ...]


@dataclass(frozen=True)
class Largest:
    """``target = `` the largest entry of a part of a tensor, and NaN wins; the attributes are those of `Total`."""

    target: Access | Local
    tensor: Tensor
    places: tuple[Expr, ...]


@dataclass(frozen=True)
class Raise:
    """``access = max(access, value)``; NaN wins."""

    access: Access
    value: Expr


@dataclass(frozen=True)
class Operand:
    """A matrix in a tensor: some axes fixed, the others merged into rows and columns.

    Attributes:
        tensor: that it lies in.
        axes: for each axis the expression that it is fixed at, or "row" or "column"; axes of one kind stand side by side.
    """

    tensor: Tensor
    axes: tuple[Expr | str, ...]

    @property
    def swapped(self) -> bool:
        """Whether its columns come before its rows."""
        kinds = [a for a in self.axes if isinstance(a, str)]
        return kinds[:1] == ["column"]


@dataclass(frozen=True)
class Zero:
    """Every entry of a matrix becomes 0."""

    operand: Operand


@dataclass(frozen=True)
class TotalOfRows:
    """``result[k] = Σ_n matrix[n, k]``, the terms added in order, by a function of the runtime file.

    Attributes:
        result: what is written, columns only.
        matrix: whose rows are added; its columns come last.
    """

    result: Operand
    matrix: Operand


@dataclass(frozen=True)
class Multiply:
    """``result[m, n] = Σ_k left[m, k] right[k, n]``, by the tiled product of the runtime file.

    Attributes:
        result: its columns lie side by side.
        left: read entry by entry.
        right: read row by row; where ``right.swapped``, by dot products of rows.
        accumulate: add to the result instead.
        parallel: threads share the rows.
        long: the rows are so long that their products are added in lanes.
    """

    result: Operand
    left: Operand
    right: Operand
    accumulate: bool = False
    parallel: bool = False
    long: bool = False


@dataclass(frozen=True)
class Cube:
    """A tensor as an array of four axes: some of its own are fixed, the others stand in a given order.

    Attributes:
        tensor: what it lies in.
        fixed: (number of an axis, expression that it is fixed at).
        axes: the number of the tensor's axis for each of the four, None for one of length 1 that the tensor has not.
    """

    tensor: Tensor
    fixed: tuple[tuple[int, Expr], ...]
    axes: tuple[int | None, ...]


@dataclass(frozen=True)
class Slide:
    """A sum over windows, by a function of the runtime file.

    Attributes:
        function: "correlate", "correlate_rows" or "spread".
        left: the first factor.
        right: the second.
        result: what is written.
        moves: of the rows and the columns of a window: stride, step inside, start.
    """

    function: str
    left: Cube
    right: Cube
    result: Cube
    moves: tuple[tuple[int, int, int], tuple[int, int, int]]


Statement = Let | Update | Choose | Store | When | Loop | Add | Zero | Multiply | Slide | Raise | Total | TotalOfRows | Largest


@dataclass(frozen=True)
class Nest:
    """The statements that compute some equations: loops over a common domain, matrix products, or both."""

    equations: tuple[Equation, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Kernel:
    """A function over arrays, shared by every call that has its structure.

    Attributes:
        name: unique in the plan.
        arguments: the tensors that it takes: read first, then written, then scratch.
        written: names of the arguments that it writes.
        scratch: names of the arguments that are workspace.
        integers: symbolic sizes that are no extent of an argument; they are passed as numbers after the arrays.
        body: what it does.
        reason: why it is done this way.
    """

    name: str
    arguments: tuple[Tensor, ...]
    written: tuple[str, ...]
    scratch: tuple[str, ...]
    integers: tuple[Symbol, ...]
    body: Nest
    reason: str


@dataclass(frozen=True)
class Call:
    """One use of a kernel: the real tensor (or scratch place) for each argument, and who needs it.

    ``flops`` are the operations that it does, ``entries`` those of the arrays that it reads and writes, each counted once.
    """

    kernel: Kernel
    names: tuple[str, ...]
    integers: tuple[int | str, ...]
    owner: str
    slots: Mapping[str, str]
    flops: int
    entries: int = 0

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the real tensors that it writes."""
        inside = set(self.kernel.written)
        return tuple(name for name, t in zip(self.names, self.kernel.arguments, strict=True) if t.name in inside)


@dataclass(frozen=True)
class Place:
    """Where a tensor lies.

    Attributes:
        buffer: "params", "grads", "work", or "argument" for an array that the caller gives; in a stage of which threads share the
            samples also "own", memory of a shard with so many elements for each of its samples, and "scratch", the same for every shard.
        per_sample: elements before it for each sample of the batch.
        fixed: elements before it besides.
        shape: numbers, or "N" for the batch axis.
    """

    buffer: str
    per_sample: int
    fixed: int
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Share:
    """A call of which a thread does a range: what is cut, and which axis of each argument that is (None: it is passed whole).

    Where nothing is cut one thread does all of the call.
    """

    call: Call
    extent: int | str
    axes: tuple[int | None, ...]


@dataclass(frozen=True)
class Stage:
    """Calls during which no thread waits for another.

    Attributes:
        number: its place among the stages of all entries.
        kind: "samples", a thread does all calls for a range of samples; "rows", it does a range of what each call writes, over the
            whole batch, or all of some calls; "once", one thread does them.
        shares: the calls in order.
    """

    number: int
    kind: str
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Arena:
    """Workspace in elements: for each sample of the batch, besides; of these ``own`` for each sample of a shard; and for each shard."""

    per_sample: int = 0
    fixed: int = 0
    own: int = 0
    scratch: int = 0


@dataclass(frozen=True)
class Entry:
    """A function of the written module: calls in order, on places of its own; with stages, those that threads share."""

    name: str
    calls: tuple[Call, ...]
    places: Mapping[str, Place]
    stages: tuple[Stage, ...] = ()
    arena: Arena = Arena()

    @property
    def done(self) -> tuple[Call, ...]:
        """The calls of its stages, where it has some; else its own."""
        return tuple(share.call for stage in self.stages for share in stage.shares) or self.calls


def needed(calls: Sequence[Call], wanted: Iterable[str]) -> tuple[Call, ...]:
    """Return the calls that some tensors need, in order."""
    names = set(wanted)
    kept = []
    for call in reversed(calls):
        if any(name in names for name in call.written):
            kept.append(call)
            names.update(call.names)
    return tuple(reversed(kept))


@dataclass(frozen=True)
class OptimizerStep:
    """The optimizer's step as one kernel over the flat buffers.

    Attributes:
        equations: as declared.
        scalars: statements before the loops (hyper-parameters, scalar state, sums over all parameters).
        index: the flat index.
        elements: statements for each parameter entry.
        last: stores of the scalar state.
        state: name -> place in the state: ("parameter", k) for the k-th array, ("scalar", k).
        hyper: names with default values, in order.
        ranges: which entries may change.
    """

    equations: tuple[Equation, ...]
    scalars: tuple[Statement, ...]
    index: Index
    elements: tuple[Statement, ...]
    last: tuple[tuple[str, Expr], ...]
    state: tuple[tuple[str, str], ...]
    hyper: tuple[tuple[str, float], ...]
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Slot:
    """A parameter in the flat buffer."""

    name: str
    offset: int
    shape: tuple[int, ...]
    trainable: bool = True


@dataclass(frozen=True)
class StatisticSlot:
    """A running statistic in the flat buffer, behind the parameters.

    Attributes:
        name: its own.
        offset: where it starts.
        shape: of it.
        initial: its first value, everywhere.
        next: the tensor of its next value.
    """

    name: str
    offset: int
    shape: tuple[int, ...]
    initial: float
    next: str


@dataclass(frozen=True)
class MaskSlot:
    """A random input of 0/1 entries: its shape without the batch, and the probability of a 1."""

    name: str
    shape: tuple[int, ...]
    keep: float


@dataclass(frozen=True)
class Signature:
    """The one function of a module of products.

    Attributes:
        name: of it.
        given: what it takes after the parameters, the inputs and the target: (name of the array, tensor); the tensor is None
            for a flat buffer in the layout of the parameters.
        written: what it writes, in the same form.
        zeroed: (flat buffer, start, stop) of what is written without a kernel, for it is always 0.
        doc: what it does, for its docstring.
    """

    name: str
    given: tuple[tuple[str, str | None], ...]
    written: tuple[tuple[str, str | None], ...]
    zeroed: tuple[tuple[str, int, int], ...]
    doc: str


@dataclass(frozen=True)
class Kept:
    """A value that the backward pass reads from the forward pass.

    Attributes:
        name: of the tensor.
        per_sample: its elements for each sample of the batch.
        fixed: its elements besides.
        again: whether it is not kept but computed again.
    """

    name: str
    per_sample: int
    fixed: int
    again: bool = False


@dataclass(frozen=True)
class Lines:
    """Statements under the equation that they compute.

    Attributes:
        owner: the layer that they belong to.
        heading: the equation, in the names of the scalars.
        statements: for its entries.
        note: which of its entries, where that has to be said.
    """

    owner: str
    heading: Equation
    statements: tuple[Statement, ...]
    note: str = ""


@dataclass(frozen=True)
class Straight:
    """An entry as straight-line code.

    Attributes:
        loads: what is read once, parameters above all; in groups that lie side by side.
        before: what does not depend on the samples.
        sums: what starts at 0 and is added to by each sample.
        sample: index of the loop over the samples.
        count: (tensor, axis) that tells how many there are.
        given: what is read for each sample.
        inside: what is done for each sample.
        written: what is stored for each sample.
        after: what follows from the sums.
        stores: what is written in the end.
        result: the value to return, or None.
    """

    loads: tuple[tuple[str, tuple[Let, ...]], ...]
    before: tuple[Lines, ...]
    sums: tuple[Local, ...]
    sample: Index
    count: tuple[str, int]
    given: tuple[tuple[str, tuple[Let, ...]], ...]
    inside: tuple[Lines, ...]
    written: tuple[tuple[str, tuple[Store, ...]], ...]
    after: tuple[Lines, ...]
    stores: tuple[tuple[str, tuple[Store, ...]], ...]
    result: Expr | None

    def __str__(self) -> str:
        counts = [sum(len(lines.statements) for lines in part) for part in (self.before, self.inside, self.after)]
        words = [f"{count} {where}" for count, where in zip(counts, ("before", "for each sample", "after"), strict=True) if count]
        return f"scalars: {', '.join(words) or 'none'}"


@dataclass(frozen=True)
class Schedule:
    """Whether a network is written out, and why.

    Attributes:
        entries: by name: "forward", "loss", "value_and_grad", "input_gradients", "evaluation"; empty where it is not.
        reason: in words.
    """

    entries: Mapping[str, Straight]
    reason: str


@dataclass(frozen=True)
class Plan:
    """All that a target needs to write a module.

    Attributes:
        name: of the network.
        dtype: "float32" or "float64".
        batch: the batch size that it was planned for, and the largest.
        schedule: "plain", "auto" or "unrolled".
        machine: the table that decided.
        parameters: in canonical order.
        inputs: names of the input tensors.
        target: name of the target tensor, or None.
        outputs: names of the output tensors.
        loss: name of the total loss, or None.
        tensors: by name, as the equations have them.
        entries: "forward", and with a loss "loss", "backward" and "input_gradients"; "statistics" where there are any; "evaluation",
            the loss in inference, where that is another one.
        per_sample: elements of workspace for each sample.
        fixed: elements of workspace besides.
        parts: in how many parts the samples of a batch are done, each with a gradient of its own, for threads to share.
        sharing: how threads share the work, or why one does it all.
        update: the optimizer's step, or None.
        digest: SHA-256 of the equations.
        ranges: (name, least, most) of the integer inputs and labels: outside, they would be addresses of nothing.
        statistics: running statistics, in canonical order.
        masks: random inputs of the training pass, in order.
        product: the function of a module of products; None for a network's own module.
        tape: what the backward pass reads from the forward pass, in the order of computing.
        straight: the entries written out in scalars, or why they are not; None where nobody asked.
        device: how a machine of many threads in blocks does the entries (`plan.device.records.DevicePlan`); None for other machines.
    """

    name: str
    dtype: str
    batch: int
    schedule: str
    machine: Machine
    parameters: tuple[Slot, ...]
    inputs: tuple[str, ...]
    target: str | None
    outputs: tuple[str, ...]
    loss: str | None
    gradients: tuple[tuple[str, str], ...]
    input_gradients: tuple[tuple[str, str], ...]
    tensors: Mapping[str, Tensor] = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    per_sample: int = 0
    fixed: int = 0
    parts: int = 1
    sharing: str = ""
    update: OptimizerStep | None = field(default=None, repr=False)
    digest: str = ""
    ranges: tuple[tuple[str, int, int], ...] = ()
    statistics: tuple[StatisticSlot, ...] = ()
    masks: tuple[MaskSlot, ...] = ()
    product: Signature | None = None
    tape: tuple[Kept, ...] = ()
    straight: Schedule | None = field(default=None, repr=False)
    device: Any = field(default=None, repr=False)

    @property
    def module(self) -> str:
        """Name of the module, without what names the target."""
        return self.name if self.product is None else f"{self.name}_{self.product.name}"

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Every kernel once, in the order of first use."""
        found: dict[str, Kernel] = {}
        for entry in self.entries:
            for call in entry.done:
                found.setdefault(call.kernel.name, call.kernel)
        return tuple(found.values())

    def has_entry(self, name: str) -> bool:
        """Whether there is an entry of that name."""
        return any(entry.name == name for entry in self.entries)

    def entry(self, name: str) -> Entry:
        """Return the entry of that name."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def workspace(self, n: int) -> int:
        """Return how many elements of workspace a batch of ``n`` needs."""
        scratch = self.shards * self.scratch
        if self.parts == 1:
            return self.per_sample * n + self.fixed + scratch
        return self.parts * (self.per_sample * -(-n // self.parts) + self.fixed + self.size + 1) + scratch

    @property
    def scratch(self) -> int:
        """Elements of workspace that every shard of a batch has to itself, whatever its size."""
        return max((entry.arena.scratch for entry in self.entries), default=0)

    @property
    def shards(self) -> int:
        """How many shards there are at most where each needs scratch memory, more of them where that is little; 0 where none does."""
        return max(self.machine.parts, min(MOST_SHARDS, self.machine.scratch // self.scratch)) if self.scratch else 0

    @property
    def grain(self) -> int:
        """How many samples are worth a thread of their own."""
        return max(1, -(-self.machine.grain * self.batch // max(1, self.flops or self.predicting)))

    @property
    def predicting(self) -> int:
        """Floating-point operations of one forward pass."""
        return sum(call.flops for entry in self.entries if entry.name == "forward" for call in entry.calls)

    @property
    def size(self) -> int:
        """How many entries the parameters have."""
        return sum(math.prod(p.shape) for p in self.parameters)

    @property
    def vector(self) -> bool:
        """Whether loops are long enough for functions that are computed for many entries at once."""
        return self.schedule != "plain" and self.workspace(self.batch) >= self.machine.vector

    @property
    def flops(self) -> int:
        """Floating-point operations of one gradient, as counted from the loops."""
        return sum(call.flops for entry in self.entries if entry.name in ("loss", "backward", "jvp", "vjp", "hvp") for call in entry.calls)

    def __str__(self) -> str:
        width = max((len(k.name) for k in self.kernels), default=6)
        uses: dict[str, list[Call]] = {}
        main = [e for e in self.entries if e.name in ("forward", "loss", "backward", "jvp", "vjp", "hvp")]
        if any(e.name == "backward" and e.stages for e in main):
            # Its stages begin with those of the loss.
            main = [e for e in main if e.name != "loss"]
        others = [e for e in self.entries if e not in main]
        for call in (call for entry in main for call in entry.done):
            uses.setdefault(call.kernel.name, []).append(call)
        # What only another entry needs is counted there.
        owners = {call.kernel.name: entry.name for entry in reversed(others) for call in entry.done if call.kernel.name not in uses}
        for entry in others:
            for call in entry.done:
                if owners.get(call.kernel.name) == entry.name:
                    uses.setdefault(call.kernel.name, []).append(call)
        item = 4 if self.dtype == "float32" else 8
        if self.device is not None:
            head = f"{self.name}: batch {self.batch}, {self.dtype}, schedule {self.schedule}"
            each, fixed = self.device.per_sample, self.device.fixed
            size = (each * self.batch + fixed) * item
            work = f"workspace {size:,} bytes ({each} per sample + {fixed}), gradient {self.flops:,} operations"
            return "\n".join((head, work, *self._tape_lines(item), str(self.device)))
        if self.straight is not None and self.straight.entries:
            return "\n".join(
                (
                    f"{self.name}: batch {self.batch}, {self.dtype}, schedule {self.schedule}",
                    f"written out in scalars, one sample after the other: {self.straight.reason}; no workspace",
                    *(f"{name:15}  {entry}" for name, entry in self.straight.entries.items()),
                )
            )
        lines = [
            f"{self.name}: batch {self.batch}, {self.dtype}, schedule {self.schedule}",
            *([f"not written out in scalars: {self.straight.reason}"] if self.straight is not None else []),
            f"workspace {self.workspace(self.batch) * item:,} bytes ({self.per_sample} per sample + {self.fixed}), "
            f"gradient {self.flops:,} operations",
            *self._tape_lines(item),
            *([self.sharing] if self.sharing else []),
            f"{'kernel':{width}}  calls  {'operations':>14}  {'bytes':>12}  decision",
        ]
        for k in self.kernels:
            found = uses.get(k.name, [])
            flops, moved = sum(call.flops for call in found), sum(call.entries for call in found) * item
            words = f"for {owners[k.name]}: {k.reason}" if k.name in owners else k.reason
            lines.append(f"{k.name:{width}}  {len(found):5}  {flops:14,}  {moved:12,}  {words}")
        return "\n".join(lines)

    def _tape_lines(self, item: int) -> list[str]:
        """Return what the backward pass reads, in bytes."""
        if self.loss is None or not self.tape:
            return []

        def size(values: Sequence[Kept]) -> str:
            sample, fixed = sum(v.per_sample for v in values) * item, sum(v.fixed for v in values) * item
            return f"{sample:,} bytes per sample, {sample * self.batch + fixed:,} in all"

        again = [v for v in self.tape if v.again]
        lines = [f"tape of {len(self.tape)} values: {size(self.tape)}"]
        if again:
            names = ", ".join(v.name for v in again[:6]) + (f" and {len(again) - 6} more" if len(again) > 6 else "")
            lines.append(f"of these kept {len(self.tape) - len(again)}: {size([v for v in self.tape if not v.again])}; again: {names}")
        return lines


__all__ = [
    "CPU",
    "CUDA",
    "MACHINES",
    "NUMPY",
    "Add",
    "Arena",
    "Call",
    "Choose",
    "Cube",
    "Entry",
    "Finite",
    "Kept",
    "Kernel",
    "Largest",
    "Let",
    "Lines",
    "Local",
    "Loop",
    "Machine",
    "MaskSlot",
    "Multiply",
    "Nest",
    "Operand",
    "OptimizerStep",
    "Pick",
    "Place",
    "Plan",
    "Raise",
    "Schedule",
    "Series",
    "Share",
    "Signature",
    "Slide",
    "Slot",
    "Stage",
    "Statement",
    "StatisticSlot",
    "Store",
    "Straight",
    "Total",
    "TotalOfRows",
    "Update",
    "When",
    "Zero",
    "needed",
]
