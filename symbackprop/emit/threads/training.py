"""Training as text: the kernels of an optimizer's step, a training step, and an epoch without a look at the host between two steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.text import heading
from symbackprop.declare.dimension import BATCH
from symbackprop.emit import wrap
from symbackprop.emit.names import Names
from symbackprop.emit.page import Function, Node, count
from symbackprop.emit.threads.context import Context, call, samples
from symbackprop.emit.threads.frame import DeviceFrame
from symbackprop.emit.threads.kernel import BLOCK, Lines, walk
from symbackprop.plan.device.lower import team
from symbackprop.plan.device.records import Fold, Resident, Team
from symbackprop.plan.device.shared import SHARED, handed
from symbackprop.plan.records import Local, OptimizerStep, Store
from symbackprop.plan.rewriting import needed

#: What an epoch returns, from the losses of its steps.
_LOSSES = (
    Node("losses = np.empty(count, DTYPE)"),
    Node("give(history, losses)"),
    Node(
        "if not np.isfinite(losses).all():",
        (Node("first = int(np.argmin(np.isfinite(losses)))"), Node("return float(losses[first]), first + 1")),
    ),
    Node("sizes = np.minimum(size, samples - size * np.arange(count))"),
    Node("return float((losses * sizes).sum(dtype=np.float64)), 0"),
)
#: What the kernels and launches of an optimizer's step take, on the device.
_UPDATE = ("params", "grads", "state", "hyper", "table", "losses")


class Training:
    """Writes what a module trains by.

    Args:
        context: of the module.
        step: of the optimizer.
    """

    def __init__(self, context: Context, step: OptimizerStep) -> None:
        self.context, self.plan, self.step = context, context.plan, step
        self.resident = context.device.resident
        self.arrays = [name for name, kind in step.state if kind == "parameter"]
        self.scalars = [name for name, kind in step.state if kind == "scalar"]
        #: What the optimizer computes once a step: locals that every entry reads, and the next scalar state. A row of the table has them.
        self.handed, self.kept = handed(step)
        self.width = max(1, len(self.handed) + len(self.kept))
        everything = team(tuple(step.scalars), {step.index.extent: context.size})
        #: What is summed up over all gradients first, by a block in every step; None where the table can be filled ahead.
        self.summed: Team | None = everything if any(isinstance(s, Fold) for s in walk(everything.steps)) else None

    # Kernels

    def kernels(self) -> Iterator[Function]:
        """Yield the kernels of a training step besides those of the gradients."""
        yield self.sums_kernel(self.summed) if self.summed is not None else self.table_kernel()
        yield self.entries_kernel()
        if self.resident is not None:
            yield self.resident_kernel(self.resident)
        elif self.epochs:
            yield self.gather_kernel()

    @property
    def epochs(self) -> bool:
        """Whether there is an epoch in one call."""
        return self.plan.loss is not None and not self.plan.masks

    def table_kernel(self) -> Function:
        """Return the kernel that computes, ahead of some steps, what the optimizer has once for all entries in each of them."""
        context, step = self.context, self.step
        frame = DeviceFrame((), (), context.reserved, single=False, offsets={}, type_name="float64")
        body = self.given(frame)
        row = frame.names.of(("own", "row"), "row")
        last = dict(step.last)
        nexts = [(frame.local(Local(name)), frame.printer.real(last[name])) for name in self.kept]
        follow = [Node(f"{', '.join(name for name, _ in nexts)} = {', '.join(value for _, value in nexts)}")] if nexts else []
        if nexts:
            # Every row has a thread, which goes through the scalar state of the steps before; that is little beside all the rest.
            wanted = needed(step.scalars, [last[name] for name in self.kept])
            body.append(Node(f"for _ in range({row}):", (*frame.nodes(wanted, 12), *follow)))
        body += [*frame.nodes(step.scalars, 8), *self.row(frame, row)]
        body = [Node(f"{row} = int32(cuda.grid(1))"), Node(f"if {row} < count:", tuple(body))]
        context.note("fill_table", (context.real, "float64[::1]", context.real, "int32"))
        context.doubles.append("fill_table")
        doc = "Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."
        return Function("fill_table", ("state", "hyper", "table", "count"), (), tuple(body), doc)

    def sums_kernel(self, everything: Team) -> Function:
        """Return the kernel that computes for one step what is one number for all entries; in float64, since powers of rates need it."""
        context, step = self.context, self.step
        flat = (Tensor("params", (step.index,)), Tensor("grads", (step.index,)))
        frame = DeviceFrame(flat, ("params", "grads"), context.reserved, single=False, offsets={}, type_name="float64")
        frame.given[step.index.extent] = str(context.size)
        lines = Lines(frame)
        body = [*self.given(frame), *lines.team(everything, 4)]
        body.append(Node(f"if {lines.name('thread')} == 0:", (Node("row = step[0]"), *self.row(frame, "row"))))
        real = context.real
        context.note("update_scalars", (real, real, real, "float64[::1]", real, "int32[::1]"))
        context.doubles.append("update_scalars")
        doc = "Compute what a step of the optimizer has once for all entries."
        return Function("update_scalars", ("params", "grads", "state", "hyper", "table", "step"), self.headings(), tuple(body), doc)

    def given(self, frame: DeviceFrame) -> list[Node]:
        """Return the lines that read hyper-parameters and scalar state."""
        base = len(self.arrays) * self.context.size
        made = [Node(f"{frame.local(Local(name))} = hyper[{k}]") for k, (name, _) in enumerate(self.step.hyper)]
        return made + [Node(f"{frame.local(Local(name))} = float64(state[{base + k}])") for k, name in enumerate(self.scalars)]

    def row(self, frame: DeviceFrame, row: str) -> list[Node]:
        """Return the lines that write a row of the table."""
        last = dict(self.step.last)
        values = [*(frame.local(local) for local in self.handed), *(frame.printer.real(last[name]) for name in self.kept)]
        return [Node(f"table[{self.place(row, k)}] = real({value})") for k, value in enumerate(values)]

    def place(self, row: str, k: int) -> str:
        """Return the text of where a number of a row of the table stands."""
        return row if self.width == 1 else f"{row} * {self.width} + {k}" if k else f"{row} * {self.width}"

    def headings(self) -> tuple[str, ...]:
        return tuple(wrap.comment(heading(e), 4) for e in self.step.equations)

    def entries_kernel(self) -> Function:
        """Return the kernel that updates the entries of a range, and then what there is once."""
        context, step = self.context, self.step
        stored = {s.access.tensor.name: s.access.tensor for s in step.elements if isinstance(s, Store)}
        kept = tuple(stored[name] for name in self.arrays if name in stored)
        flat = (Tensor("params", (step.index,)), Tensor("grads", (step.index,)), *kept)
        offsets = {t.name: str(self.arrays.index(t.name) * context.size) for t in kept if self.arrays.index(t.name)}
        own = {"row", "value"}
        frame = DeviceFrame(
            flat, ("params", "grads", *("state" for _ in kept)), context.reserved | own, single=context.single, offsets=offsets
        )
        index = frame.index(step.index)
        inner = [Node(f"{frame.local(local)} = table[{self.place('row', k)}]") for k, local in enumerate(self.handed)]
        inner += frame.nodes(step.elements, 8)
        base, width = len(self.arrays) * context.size, len(self.handed)
        once = [Node("history[row] = value"), Node("step[1] = row + int32(1)")]
        moved = tuple(
            Node(f"state[{base + self.scalars.index(name)}] = table[{self.place('row', k)}]") for k, name in enumerate(self.kept, width)
        )
        once += [Node("if math.isfinite(value):", moved)] if moved else []
        body = (
            Node("row, value = step[0], losses[place]"),
            Node(f"{index} = first + int32(cuda.grid(1))"),
            Node(f"if {index} < last and math.isfinite(value):", tuple(inner)),
            Node(f"if {index} == first:", tuple(once)),
        )
        real = context.real
        types = (real, real, real, real, real, "int32", real, "int32[::1]", "int32", "int32")
        context.note("update_entries", types)
        arguments = ("params", "grads", "state", "table", "losses", "place", "history", "step", "first", "last")
        doc = "Update the entries first .. last - 1 with the numbers of this step; a loss that is not finite changes nothing."
        return Function("update_entries", arguments, self.headings(), body, doc)

    def gather_kernel(self) -> Function:
        """Return the kernel that writes the rows of the next batch."""
        context = self.context
        data = context.data()
        body = [Node("k = int32(cuda.grid(1))"), Node("number = step[1]"), Node("if k == 0:", (Node("step[0] = number"),))]
        for name in data:
            width = self.entries(name)
            row = "number * size + k" if width == 1 else f"number * size + k // int32({width})"
            source = "row" if width == 1 else f"row * {width} + k % int32({width})"
            lines = (
                Node(f"row = int32({row})"),
                Node("row = int32(order[row]) if shuffled > 0 else row"),
                Node(f"{name}[k] = all_{name}[{source}]"),
            )
            body.append(Node("if k < n:" if width == 1 else f"if k < n * int32({width}):", lines))
        whole = context.whole()
        types = ["int64[::1]" if name in whole else context.real for name in data]
        context.note("gather", (*types, "int64[::1]", "int32[::1]", *types, "int32", "int32", "int32"))
        arguments = (*(f"all_{name}" for name in data), "order", "step", *data, "shuffled", "size", "n")
        doc = "Write the n rows of batch number step[1], the next one: those that order names, or as they lie."
        return Function("gather", arguments, (), tuple(body), doc)

    def entries(self, argument: str) -> int:
        """Return the entries of a row of an array of a batch."""
        tensors = {text: real for real, text in self.context.arguments().items()}
        return count(tuple(int(e) for e in self.plan.tensors[tensors[argument]].shape[1:]))

    def resident_kernel(self, one: Resident) -> Function:
        """Return the kernel of training steps, parameters in shared memory from one to the next."""
        context, plan = self.context, self.plan
        given = context.arguments()
        names = {f"all.{name}": text for name, text in given.items()}
        memory, labels = dict(one.offsets), {name: _slot(name) for name, _ in one.whole}
        buffers = tuple(labels.get(b) or names.get(b, b) for _, b in one.tensors)
        tensors = tuple(t for t, _ in one.tensors)
        counts = ("samples", "size", "first", "count", "shuffled")
        many = context.device.schedule == "grid"
        kept = ("order", "table", "history", *(("partial",) if many else ()))
        taken = context.reserved | {"memory", *kept, *counts, *labels.values(), *given.values()}
        # Scalars of the kernel's own have other names than these.
        own = Names(taken)
        slots = {t.name: own.of(("slot", t.name), _slot(t.name)) for t, b in one.tensors if b == "memory"}
        offsets = {t.name: slots.get(t.name) or str(memory.get(t.name, 0) or "") for t, _ in one.tensors}
        frame = DeviceFrame(tensors, buffers, frozenset(own.taken) - set(buffers), single=context.single, offsets=offsets)
        for name in counts:
            frame.names.given["local", name] = name
        frame.names.given["local", BATCH] = frame.samples
        body = [Node(f"memory = cuda.shared.array({0 if self.dynamic(one) else one.size}, real)")]
        body += [Node(f"{_slot(name)} = cuda.shared.array({elements}, int32)") for name, elements in one.whole]
        body += [Node(f"{name} = int32({memory[tensor]})") for tensor, name in slots.items()]
        lines = Lines(frame, one.blocks, long=True, headings={e.tensor.name: heading(e) for e in one.equations})
        if many:
            body += [Node(f"{frame.local(Local('block'))} = int32(cuda.blockIdx.x)"), Node(f"{lines.name('grid')} = cuda.cg.this_grid()")]
        body += lines.team(one.team, 4)
        data = context.data()
        arguments = ("params", "grads", "state", *data, *kept, *counts)
        real = context.real
        whole = {text for x, text in given.items() if plan.tensors[x].integer}
        given_types = ["int64[::1]" if a in whole else real for a in data]
        types = (real, real, real, *given_types, "int64[::1]", *(real for _ in kept[1:]), *("int32" for _ in counts))
        context.note("train_steps", types)
        doc = "Do steps first .. first + count - 1 of training, each with the next size samples that order names."
        return Function("train_steps", arguments, (), tuple(body), doc)

    def dynamic(self, one: Resident) -> int:
        """Return the bytes of shared memory that a launch asks for: none where what every block has is enough."""
        item = 4 if self.context.single else 8
        held = one.size * item + sum(4 * elements for _, elements in one.whole) + one.team.threads * item
        return one.size * item if held > SHARED else 0

    # Launches

    def functions(self) -> Iterator[Function]:
        """Yield the functions that start the kernels of a step."""
        yield self.launch_update()
        if self.resident is not None:
            return
        data = self.context.data()
        arguments = (*data, *_UPDATE[:-1], "work", "history", "step")
        step = self.launched(data)
        table = [Node(self.fill("state", "hyper", "table", "1"))] if self.summed is None else []
        doc = "Start one training step of n samples."
        yield Function("launch_train_step", (*arguments, "n"), (), (*table, *step), doc)
        if self.epochs:
            entries = max((self.entries(name) for name in data), default=1)
            total = f"(n * {entries} + {BLOCK - 1}) // {BLOCK}" if entries > 1 else f"(n + {BLOCK - 1}) // {BLOCK}"
            every = tuple(f"all_{name}" for name in data)
            given = (*every, "order", "step", *data, "shuffled", "size", "n")
            gather = Node(wrap.call("launch", ("gather", total, str(BLOCK), *given), 4))
            doc = "Start the next training step of an epoch, with n samples."
            yield Function("launch_step", (*every, "order", *arguments, "shuffled", "size", "n"), (), (gather, *step), doc)

    def launched(self, data: Sequence[str]) -> list[Node]:
        """Return the lines that start the gradients of a batch and the update with them."""
        what = "training" if self.plan.statistics else "value_and_grad"
        passed = (*_UPDATE[:-1], "work", self.context.loss_place(), "history", "step")
        return [
            Node(wrap.call(f"launch_{what}", ("params", *data, "grads", "work", "n"), 4)),
            Node(wrap.call("launch_update", passed, 4)),
        ]

    def launch_update(self) -> Function:
        body = []
        if self.summed is not None:
            passed = ("params", "grads", "state", "hyper", "table", "step")
            body.append(Node(wrap.call("launch", ("update_scalars", "1", str(self.summed.threads), *passed), 4)))
        for start, stop in self.step.ranges:
            blocks = -(-(stop - start) // BLOCK)
            arrays = ("params", "grads", "state", "table", "losses", "place", "history", "step")
            body.append(Node(wrap.call("launch", ("update_entries", str(blocks), str(BLOCK), *arrays, str(start), str(stop)), 4)))
        doc = "Start the update of all parameters, if the loss at a place is finite; the table has the numbers of this step."
        return Function("launch_update", (*_UPDATE, "place", "history", "step"), (), tuple(body) or (Node("pass"),), doc)

    def fill(self, state: str, hyper: str, table: str, rows: str) -> str:
        """Return the line that fills so many rows of the table."""
        blocks = "1" if rows == "1" else f"({rows} + {BLOCK - 1}) // {BLOCK}"
        return f"launch(fill_table, {blocks}, {BLOCK}, {state}, {hyper}, {table}, {rows})"

    # Entries

    def entries_functions(self) -> Iterator[Function]:
        """Yield a step of the optimizer, a training step and an epoch."""
        context = self.context
        state = [
            Node("d_state = take(state, DTYPE)" if context.state_size else "d_state = d_params"),
            Node('d_hyper = take(hyper, "float64")'),
        ]
        back = [Node("give(d_params, params)"), *([Node("give(d_state, state)")] if context.state_size else [])]
        one_row = self.rooms("1")
        body = [
            *context.taken(("params",)),
            Node("d_grads = take(grads, DTYPE)"),
            *state,
            *one_row,
            *([Node(self.fill("d_state", "d_hyper", "d_table", "1"))] if self.summed is None else []),
            # Given gradients are used whatever their loss was.
            Node("d_losses = zeros(1, DTYPE)"),
            call("launch_update", _UPDATE, "0", "history", "step"),
            *back,
        ]
        doc = "Do one step of the optimizer with given gradients."
        yield Function("update", ("params", "grads", "state", "hyper"), (), tuple(body), doc)
        if self.plan.loss is None:
            return
        if self.resident is not None:
            yield from self.resident_training(self.resident, state, back)
            return
        data = context.data()
        passed = (*data, *_UPDATE[:-1], "work")
        body = [
            *context.tests(context.checked(), "return math.nan"),
            samples(data),
            *context.taken(("params", *data)),
            context.gradients(),
            *state,
            *one_row,
            context.workspace(),
            call("repeat", (), "1", "launch_train_step", *(f"d_{name}" for name in passed), "history", "step", "n"),
            Node("give(d_grads, grads)"),
            *back,
            Node(f"return number(d_work, {context.loss_place()})"),
        ]
        yield Function("train_step", ("params", *data, "grads", "state", "hyper", "work=None"), (), tuple(body), _STEP)
        if self.epochs:
            yield self.epoch(data, state, back)

    def rooms(self, rows: str) -> list[Node]:
        """Return the lines that take what steps of the optimizer need besides."""
        table = str(self.width) if rows == "1" else rows if self.width == 1 else f"{rows} * {self.width}"
        return [
            Node(f"d_table, history = room(None, {table}, DTYPE), room(None, {rows}, DTYPE)"),
            Node('step = zeros(2, "int32")'),
        ]

    def epoch(self, data: Sequence[str], state: list[Node], back: list[Node]) -> Function:
        """Return the entry that trains on all samples once."""
        context = self.context
        tensors = {text: real for real, text in context.arguments().items()}
        given = (*(f"all_{a}" for a in data), *(f"d_{a}" for a in ("order", *data, *_UPDATE[:-1], "work")), "history", "step")
        given = (*given, "shuffled", "size")
        body = [
            *context.tests(context.checked(), "return math.nan, 1"),
            Node(f"samples = {data[0]}.shape[0]"),
            Node("count = -(-samples // size)"),
            *context.taken(("params",)),
            *(Node(f"all_{a} = take({a}, {context.type_of(a)})") for a in data),
            Node('d_order = take(order, "int64") if order.size else zeros(1, "int64")'),
            Node("shuffled = 1 if order.size else 0"),
            *(Node(f"d_{a} = room(None, {context.total(tensors[a], 'size')}, {context.type_of(a)})") for a in data),
            context.gradients(),
            *state,
            *self.rooms("count"),
            *([Node(self.fill("d_state", "d_hyper", "d_table", "count"))] if self.summed is None else []),
            Node("d_work = room(work, workspace(size), DTYPE)"),
            Node(wrap.call("repeat", ("samples // size", "launch_step", *given, "size"), 4)),
            Node("if samples % size:", (Node(wrap.call("launch_step", (*given, "samples % size"), 8)),)),
            *back,
            *_LOSSES,
        ]
        return self.epoch_function(data, body)

    def resident_training(self, one: Resident, state: list[Node], back: list[Node]) -> Iterator[Function]:
        """Yield a training step and an epoch that are each one launch."""
        context, data = self.context, self.context.data()
        taken = [*context.taken(("params", *data)), context.gradients(), *state]
        many = context.device.schedule == "grid"

        def run(order: str, counts: tuple[str, ...], steps: str) -> list[Node]:
            width = str(self.width) if steps == "1" else f"{steps} * {self.width}"
            buffers = ("d_params", "d_grads", "d_state", *(f"d_{a}" for a in data), order, "d_table", "history")
            asked = self.dynamic(one)
            options = (*((f"shared={asked}",) if asked else ()), *(("cooperative=True",) if many else ()))
            size = ("train_steps", str(one.blocks), str(one.team.threads))
            arguments = (*size, *buffers, *(("partial",) if many else ()), *counts, *options)
            return [
                Node(f"d_table = room(None, {width}, DTYPE)"),
                *([Node(f"partial = room(None, {one.partial}, DTYPE)")] if many else []),
                *(Node(f"fill(d_grads[{start}:{stop}], 0)") for start, stop in (context.frozen() if many else ())),
                Node(self.fill("d_state", "d_hyper", "d_table", steps)),
                Node(wrap.call("launch", arguments, 4)),
            ]

        said = 'raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")'
        most = Node("if n > BATCH:", (Node(said),))
        body = [
            *context.tests(context.checked(), "return math.nan"),
            Node(f"n = {data[0]}.shape[0]"),
            most,
            *taken,
            Node('order, history = zeros(1, "int64"), room(None, 1, DTYPE)'),
            *run("order", ("n", "n", "0", "1", "0"), "1"),
            Node("give(d_grads, grads)"),
            *back,
            Node("return number(history)"),
        ]
        yield Function("train_step", ("params", *data, "grads", "state", "hyper", "work=None"), (), tuple(body), _STEP)
        body = [
            *context.tests(context.checked(), "return math.nan, 1"),
            Node(f"samples = {data[0]}.shape[0]"),
            Node("n = min(size, samples)"),
            most,
            Node("count = -(-samples // n)"),
            *taken,
            Node('d_order = take(order, "int64") if order.size else zeros(1, "int64")'),
            Node("history = room(None, count, DTYPE)"),
            *run("d_order", ("samples", "n", "0", "count", "1 if order.size else 0"), "count"),
            Node("give(d_grads, grads)"),
            *back,
            *_LOSSES,
        ]
        yield self.epoch_function(data, body)

    def epoch_function(self, data: Sequence[str], body: list[Node]) -> Function:
        doc = (
            "Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.\n"
            "\n    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.\n"
        )
        arguments = ("params", *data, "order", "size", *(f"batch_{a}" for a in data), "grads", "state", "hyper", "work=None")
        return Function("epoch", arguments, (), tuple(body), f"{doc}    ")


_STEP = "Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."


def _slot(name: str) -> str:
    """Return the name of where a tensor begins in shared memory."""
    return f"{name.replace('.', '_').replace('@', '_')}_"


__all__ = ["Training"]
