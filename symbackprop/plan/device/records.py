"""What a plan for a machine of many threads in blocks is made of. Records only.

A kernel is one phase: a `Sweep`, where every entry has a thread; a `Team`, where the threads of a block share the entries and the
sums of a row; or a `Product`, tiled. What one thread does is the statements of any plan. An `External` product is left to a library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.plan.records import Call, Local, Place, Statement

#: Threads that hand values to each other without memory.
WARP = 32
#: Entries between the rows of a tile, so that threads that write one column of it use different banks.
PAD = 4


@dataclass(frozen=True)
class Range:
    """start <= index < stop."""

    index: Index
    start: Expr
    stop: Expr

    @property
    def extent(self) -> Expr:
        """How many there are."""
        return self.stop - self.start


@dataclass(frozen=True)
class Each:
    """The threads of a team share the entries of a domain; none needs another's result.

    Attributes:
        axes: the domain.
        body: what is done at an entry.
        grid: whether the threads of all blocks share them.
        lanes: neighbouring threads that share the terms of an entry's sums; the first of them writes.
    """

    axes: tuple[Range, ...]
    body: tuple[Statement, ...]
    grid: bool = False
    lanes: int = 1


@dataclass(frozen=True)
class Fold:
    """``local = local ∘ value ∘ value ∘ …`` over a domain, by all threads of a team, in one fixed order.

    Attributes:
        local: every thread has the result; its first value is there before.
        operation: "sum" or "max" (NaN wins).
        axes: the domain.
        before: what is computed at an entry first.
        guards: entries where one fails are left out.
        value: at an entry.
    """

    local: Local
    operation: str
    axes: tuple[Range, ...]
    before: tuple[Statement, ...]
    guards: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True)
class Every:
    """Every thread of a team does the same for itself; nothing is written but locals."""

    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Alone:
    """The first thread of a team does it."""

    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Barrier:
    """No thread of a team goes on before all are here, and what was written is seen by all.

    Attributes:
        grid: whether the threads of all blocks wait.
    """

    grid: bool = False


@dataclass(frozen=True)
class Repeat:
    """The team does some steps for start <= index < stop, one after the other."""

    range: Range
    steps: tuple[Step, ...]
    descending: bool = False


@dataclass(frozen=True)
class Provided:
    """The team does some steps if guards hold that are the same for all its threads."""

    guards: tuple[Expr, ...]
    steps: tuple[Step, ...]


Step = Each | Fold | Every | Alone | Barrier | Repeat | Provided


@dataclass(frozen=True)
class Sweep:
    """Every entry of a domain by a thread of its own."""

    axes: tuple[Range, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Team:
    """Every row of a domain by the threads of a block.

    Attributes:
        axes: the rows; none for one block that does all.
        threads: of a block.
        steps: what they do.
    """

    axes: tuple[Range, ...]
    threads: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Tile:
    """How a matrix product is cut: ``rows`` x ``columns`` a block, ``own_rows`` x ``own_columns`` a thread, ``depth`` terms at once."""

    rows: int
    columns: int
    depth: int
    own_rows: int
    own_columns: int

    @property
    def threads(self) -> int:
        """Of a block."""
        return (self.rows // self.own_rows) * (self.columns // self.own_columns)

    @property
    def shared(self) -> int:
        """Entries of shared memory: two tiles of each factor, for while one is multiplied the next one is read."""
        return 2 * self.depth * (self.rows + self.columns + 2 * PAD)


@dataclass(frozen=True)
class Product:
    """``result = Σ_inner left · right`` for every (batch, row, column), and what is made of it at that entry.

    Attributes:
        batch: indices in both factors, or in none.
        rows: indices of the left factor alone.
        columns: indices of the right factor alone.
        inner: what is summed over.
        left: a scalar expression in batch, rows and inner; guards are factors of it.
        right: one in batch, inner and columns.
        result: the sum at an entry.
        epilogue: statements at an entry.
        tile: how it is cut.
        splits: into so many parts the inner range is cut, each by blocks of its own; the epilogue then stands at (split, entry).
        split: the index of the part, None without splits.
        aligned: names of the tensors that begin at a multiple of four entries, so that four can be read at once.
    """

    batch: tuple[Range, ...]
    rows: tuple[Range, ...]
    columns: tuple[Range, ...]
    inner: tuple[Range, ...]
    left: Expr
    right: Expr
    result: Local
    epilogue: tuple[Statement, ...]
    tile: Tile
    splits: int = 1
    split: Index | None = None
    aligned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Matrix:
    """A matrix in memory, or one for each product of a batch.

    Attributes:
        first: its first entry.
        offset: where that lies in its tensor.
        lead: entries from one row in memory to the next.
        turned: whether memory holds the transpose.
        step: entries from one matrix of the batch to the next.
    """

    first: Access
    offset: Expr
    lead: Expr
    turned: bool
    step: Expr


@dataclass(frozen=True)
class External:
    """``result = left · right`` by a library, for each product of a batch.

    Attributes:
        rows: of the result.
        columns: of the result.
        terms: of a sum.
        batch: number of products.
        left: rows times terms.
        right: terms times columns.
        result: its rows lie in memory one after another.
    """

    rows: Expr
    columns: Expr
    terms: Expr
    batch: Expr
    left: Matrix
    right: Matrix
    result: Matrix


Phase = Sweep | Team | Product | External


@dataclass(frozen=True)
class DeviceKernel:
    """A kernel of the device.

    Attributes:
        name: unique in the plan.
        equations: that it computes, or takes part in computing.
        tensors: its arguments.
        buffers: the buffer that each lies in: "params", "grads", "work", or the name of an argument of the entry.
        written: names of the tensors that it writes.
        phase: what it does.
        reason: why so.
    """

    name: str
    equations: tuple[Equation, ...]
    tensors: tuple[Tensor, ...]
    buffers: tuple[str, ...]
    written: tuple[str, ...]
    phase: Phase
    reason: str


@dataclass(frozen=True)
class Launch:
    """One use of a kernel: the real tensor for each argument, and the call of the plan that it belongs to."""

    kernel: DeviceKernel
    names: tuple[str, ...]
    call: Call


@dataclass(frozen=True)
class Joint:
    """Launches in one, for none of them needs another: each has blocks of its own.

    Attributes:
        name: of the kernel, unique in the plan.
        parts: their kernels have as many threads a block, and are functions that the joint kernel calls.
        places: of the tensors of each part, None for what is an argument.
        threads: of a block.
    """

    name: str
    parts: tuple[Launch, ...]
    places: tuple[tuple[Place | None, ...], ...]
    threads: int


@dataclass(frozen=True)
class Resident:
    """Training steps in one launch, parameters in shared memory from one step to the next.

    Attributes:
        team: what the threads of a block do, loading and storing included.
        blocks: that do it; more than one wait for each other.
        tensors: of the kernel, with the buffer of each: "memory" is shared, "partial" holds what the blocks hand to each other.
        offsets: where tensors begin in their buffers.
        whole: integer tensors in shared memory of their own, with their elements.
        size: elements of ``memory``.
        partial: elements of ``partial``.
        handed: locals that the optimizer computes once a step; a row of the table has them, and then the next scalar state.
        scalars: the scalar state.
        equations: that a step computes, in the names of the network's tensors.
    """

    team: Team
    blocks: int
    tensors: tuple[tuple[Tensor, str], ...]
    offsets: tuple[tuple[str, int], ...]
    whole: tuple[tuple[str, int], ...]
    size: int
    partial: int
    handed: tuple[Local, ...]
    scalars: tuple[str, ...]
    equations: tuple[Equation, ...]

    @property
    def width(self) -> int:
        """Numbers in a row of the table."""
        return len(self.handed) + len(self.scalars)


@dataclass(frozen=True)
class DevicePlan:
    """How the entries of a plan are done on a device.

    Attributes:
        schedule: "single", "grid", "layered" or "external".
        reason: why.
        entries: launches in order, by what they do: "forward", "evaluation", "loss", "value_and_grad", "input_gradients" (after the
            loss), "statistics" (after the gradients), "training" (gradients and statistics), or the name of a product.
        places: of workspace that the plan does not know.
        per_sample: elements of all workspace for each sample.
        fixed: elements besides.
        resident: training steps in one launch, where they are done so.
        accuracy: of float32: "strict"; "tf32" for products of a library with factors of 10 bits; "fast" for approximate functions too.
    """

    schedule: str
    reason: str
    entries: Mapping[str, tuple[Launch | Joint, ...]]
    places: Mapping[str, Place]
    per_sample: int
    fixed: int
    resident: Resident | None = None
    accuracy: str = "strict"

    @property
    def joints(self) -> tuple[Joint, ...]:
        """The joint launches of all entries, each once."""
        found = {one.name: one for launches in self.entries.values() for one in launches if isinstance(one, Joint)}
        return tuple(found.values())

    @property
    def kernels(self) -> tuple[DeviceKernel, ...]:
        """The kernels of all entries in the order of their first use, each once."""
        launches = (part for found in self.entries.values() for one in found for part in _parts(one))
        return tuple({part.kernel.name: part.kernel for part in launches}.values())

    def __str__(self) -> str:
        uses: dict[str, list[str]] = {}
        beside = {}
        for entry, launches in self.entries.items():
            for one in launches:
                for part in _parts(one):
                    uses.setdefault(part.kernel.name, []).append(entry)
                if isinstance(one, Joint) and len(one.parts) > 1:
                    beside[one.name] = one
        width = max((len(name) for name in (*uses, *beside)), default=6)
        lines = [f"schedule {self.schedule}: {self.reason}"]
        if self.accuracy != "strict":
            besides = "; functions and quotients are approximate" if self.accuracy == "fast" else ""
            lines.append(f"math {self.accuracy}: cuBLAS rounds the factors of its products to 10 bits{besides}")
        if self.resident is not None:
            lines.append("what is not a training step is done by kernels that are launched one after the other:")
        lines.append(f"{'kernel':{width}}  decision")
        for k in self.kernels:
            lines.append(f"{k.name:{width}}  {k.reason} ({', '.join(dict.fromkeys(uses[k.name]))})")
        for name, joint in beside.items():
            lines.append(f"{name:{width}}  one launch of {', '.join(part.kernel.name for part in joint.parts)}")
        counts = ", ".join(f"{entry} {len(launches)}" for entry, launches in self.entries.items())
        return "\n".join([*lines, f"launches: {counts}"])


def _parts(one: Launch | Joint) -> tuple[Launch, ...]:
    return one.parts if isinstance(one, Joint) else (one,)


__all__ = [
    "PAD",
    "WARP",
    "Alone",
    "Barrier",
    "DeviceKernel",
    "DevicePlan",
    "Each",
    "Every",
    "External",
    "Fold",
    "Joint",
    "Launch",
    "Matrix",
    "Phase",
    "Product",
    "Provided",
    "Range",
    "Repeat",
    "Resident",
    "Step",
    "Sweep",
    "Team",
    "Tile",
]
