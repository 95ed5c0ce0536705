"""A plan as the page of a CUDA module: its kernels, and for each entry the launches that do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Poly

from symbackprop.algebra.index import Size
from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.text import heading
from symbackprop.declare.dimension import BATCH
from symbackprop.emit import wrap
from symbackprop.emit.names import RESERVED, Names
from symbackprop.emit.page import Function, Node, affine, copies, count, data_words, mask_rows, parameter_rows, signed, statistic_rows
from symbackprop.emit.threads.frame import FLAT, DeviceFrame
from symbackprop.emit.threads.kernel import BLOCK, KernelText, Lines, grid, walk
from symbackprop.emit.threads.product import ProductText
from symbackprop.emit.threads.product import page as page_of_product
from symbackprop.plan.device.lower import team
from symbackprop.plan.device.records import DevicePlan, External, Fold, Launch, Product, Resident
from symbackprop.plan.device.shared import SHARED
from symbackprop.plan.records import Let, Local, OptimizerStep, Place, Plan, Signature, Store
from symbackprop.plan.rewriting import expressions, needed

#: Names that a CUDA module uses for itself; its kernels take buffers under their own names.
_TAKEN = (RESERVED - {"params", "grads", "work", "state", "hyper", "out"}) | {
    *("cuda", "device", "jit", "launch", "ld4", "st4", "take", "room", "give", "number", "fill", "zeros", "repeat", "matmul"),
    *("math", "int32", "float32", "float64", "sign", "gather", "keep_statistics", "update_scalars", "update_entries"),
    *("launch_forward", "launch_loss", "launch_gradients", "launch_input_gradients", "launch_statistics", "launch_update"),
    *("launch_evaluation", "launch_step", "launch_train_step", "launch_value_and_grad"),
    *("SIGNATURES", "THREADS", "FLOAT64", "SCHEDULE", "MATH", "real", "uint32", "uint64", "zero", "opaque"),
}
#: What the runtime file offers to kernels.
_FUNCTIONS = ("opaque", "sigmoid", "sign", "softplus")
#: Names of the functions that do the launches of an entry.
_LAUNCHES = {
    "forward": "launch_forward",
    "loss": "launch_loss",
    "backward": "launch_gradients",
    "input_gradients": "launch_input_gradients",
    "statistics": "launch_statistics",
    "evaluation": "launch_evaluation",
}


@dataclass(frozen=True)
class DevicePage:
    """All that the template of a CUDA module lays out."""

    network: str
    template: str
    digest: str
    data: str
    dtype: str
    batch: int
    parameters: tuple[str, ...]
    statistics: tuple[str, ...]
    masks: tuple[str, ...]
    state_size: str
    hyper: tuple[str, ...]
    trainable: tuple[str, ...]
    workspace: str
    schedule: str
    reason: str
    functions: tuple[str, ...]
    kernels: tuple[Function, ...]
    products: tuple[ProductText, ...]
    launches: tuple[Function, ...]
    entries: tuple[Function, ...]
    signatures: tuple[str, ...]
    threads: tuple[str, ...]
    doubles: tuple[str, ...]
    checked: bool
    #: Whether products are left to cuBLAS.
    external: bool
    #: How exact float32 is.
    accuracy: str
    #: Whether a runtime file belongs beside it.
    runtime: bool = True


def page(plan: Plan, template: str) -> DevicePage:
    """Return a plan as text in pieces."""
    writer = _Writer(plan)
    texts = (*writer.kernels(), *writer.update_kernels())
    kernels = tuple(text for text in texts if isinstance(text, Function))
    products = tuple(text for text in texts if isinstance(text, ProductText))
    launches = tuple(writer.launches())
    entries = tuple(writer.entries())
    return DevicePage(
        network=plan.name,
        template=template,
        digest=plan.digest,
        data=data_words(plan),
        dtype=plan.dtype,
        batch=plan.batch,
        parameters=parameter_rows(plan),
        statistics=statistic_rows(plan),
        masks=mask_rows(plan),
        state_size=str(writer.state_size),
        hyper=tuple(f'("{name}", {value!r})' for name, value in (plan.update.hyper if plan.update else ())),
        trainable=tuple(f"({a}, {b})" for a, b in (plan.update.ranges if plan.update else ())),
        workspace=affine(writer.device.per_sample, "n", writer.device.fixed),
        schedule=writer.device.schedule,
        reason=writer.device.reason,
        functions=tuple(sorted(writer.used & set(_FUNCTIONS))),
        kernels=kernels,
        products=products,
        launches=launches,
        entries=entries,
        signatures=tuple(f'"{name}": ({", ".join(types)})' for name, types in writer.signatures.items()),
        threads=tuple(f'"{name}": {threads}' for name, threads in writer.threads.items()),
        doubles=tuple(f'"{name}"' for name in writer.doubles),
        checked=bool(plan.ranges),
        external=any(isinstance(k.phase, External) for k in writer.device.kernels),
        accuracy=writer.device.accuracy,
    )


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


def _slot(name: str) -> str:
    """Return the name of where a tensor begins in shared memory."""
    return f"{name.replace('.', '_').replace('@', '_')}_"


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.single = plan, plan.dtype == "float32"
        device = plan.device
        assert isinstance(device, DevicePlan)
        self.device = device
        names = Names(_TAKEN | signed(plan))
        self.names = {k.name: names.of(k.name, k.name) for k in device.kernels}
        self.reserved = frozenset(names.taken)
        self.used: set[str] = set()
        self.signatures: dict[str, tuple[str, ...]] = {}
        self.threads: dict[str, str] = {}
        self.doubles: list[str] = []
        arrays = sum(kind == "parameter" for _, kind in (plan.update.state if plan.update else ()))
        scalars = sum(kind == "scalar" for _, kind in (plan.update.state if plan.update else ()))
        self.size = sum(count(p.shape) for p in plan.parameters)
        self.state_size = arrays * self.size + scalars
        #: The scalars that a step of the optimizer hands to its entries.
        self.handed: tuple[Local, ...] = ()

    # Kernels

    def kernels(self) -> Iterator[Function | ProductText]:
        """Yield the kernels of all entries."""
        given = self.arguments()
        for k in self.device.kernels:
            if isinstance(k.phase, External):
                continue
            named = replace(k, name=self.names[k.name], buffers=tuple(given.get(b, b) for b in k.buffers))
            frame = DeviceFrame(named.tensors, named.buffers, self.reserved, single=self.single)
            if isinstance(k.phase, Product):
                product = page_of_product(named, self.reserved, single=self.single)
                self.used |= {name for name in _FUNCTIONS if f"{name}(" in repr(product)}
                yield product
            else:
                text = KernelText(named, self.reserved, single=self.single)
                yield text.function(named.name)
                self.used |= text.used
            whole = {b for t, b in zip(named.tensors, named.buffers, strict=True) if t.integer}
            types = ["int64[::1]" if b in whole else f"{self.plan.dtype}[::1]" for b in dict.fromkeys(named.buffers)]
            self.note(named.name, (*types, *("int32" for _ in frame.offset), "int32"), grid(k, "n")[1])

    def note(self, name: str, types: Sequence[str], threads: str) -> None:
        """Remember what a kernel takes, for tools that compile it without a call."""
        self.signatures[name] = tuple(f'"{t}"' for t in types)
        self.threads[name] = threads

    def arguments(self) -> dict[str, str]:
        """Return what the arrays of entries are called, by tensor."""
        plan = self.plan
        names = Names(self.reserved | {"y", "value", "n"})
        made = {x: names.of(x, x) for x in (*plan.inputs, *(m.name for m in plan.masks))}
        made |= {plan.target: "y"} if plan.target else {}
        outs = tuple(f"out_{k}" if len(plan.outputs) > 1 else "out" for k in range(1, len(plan.outputs) + 1))
        made |= dict(zip(plan.outputs, outs, strict=True))
        if plan.product is not None:
            made |= {tensor: array for array, tensor in (*plan.product.given, *plan.product.written) if tensor is not None}
        return made | {g: f"grads_{made[x]}" for x, g in plan.input_gradients}

    # Launches

    def launches(self) -> Iterator[Function]:
        """Yield for each entry the function that does its launches."""
        plan, given = self.plan, self.arguments()
        data = self.data()
        outs = tuple(given[o] for o in plan.outputs)
        inputs = tuple(given[x] for x in plan.inputs)
        target = ("y",) if plan.target else ()
        takes = {
            "forward": ("params", *inputs, *outs, "work", "n"),
            "evaluation": ("params", *inputs, *target, "work", "n"),
            "loss": ("params", *data, "work", "n"),
            "backward": ("params", *data, "grads", "work", "n"),
            "input_gradients": ("params", *data, *(given[g] for _, g in plan.input_gradients), "work", "n"),
            "statistics": ("params", *data, "work", "n"),
        }
        if plan.product is not None:
            arrays = tuple(name for name, _ in (*plan.product.given, *plan.product.written))
            takes[plan.product.name] = ("params", *data, *arrays, "work", "n")
        for entry in plan.entries:
            body: list[Node] = []
            owner = ""
            places = {**entry.places, **self.device.places}
            for one in self.device.entries[entry.name]:
                if one.call.owner.split(".")[0] != owner:
                    owner = one.call.owner.split(".")[0]
                    body.append(Node(f"# {owner}"))
                if isinstance(one.kernel.phase, External):
                    body += [Node(wrap.comment(heading(e), 4)) for e in one.kernel.equations]
                    body.append(Node(self.external(one, one.kernel.phase, places, given)))
                    continue
                body.append(Node(self.launch(one, places, given)))
            if entry.name == "statistics":
                body += self.kept(entry.places)
            if entry.name == "backward":
                body += [Node(f"fill(grads[{start}:{stop}], 0)") for start, stop in self.frozen()]
            if plan.product is not None:
                body += [Node(f"fill({name}[{start}:{stop}], 0)") for name, start, stop in plan.product.zeroed]
            name = _LAUNCHES.get(entry.name, f"launch_{entry.name}")
            yield Function(name, takes[entry.name], (), tuple(body) or (Node("pass"),))
        if plan.update is not None:
            yield self.launch_update(plan.update)

    def launch(self, one: Launch, places: Mapping[str, Place], given: Mapping[str, str]) -> str:
        """Return the line that starts a kernel."""
        k = one.kernel
        frame = DeviceFrame(k.tensors, tuple(given.get(b, b) for b in k.buffers), self.reserved, single=self.single)
        blocks, threads = grid(k, "n")
        buffers = dict.fromkeys(given.get(b, b) for b in k.buffers)
        offsets = []
        for tensor, real in zip(k.tensors, one.names, strict=True):
            if tensor.name in frame.offset:
                place = places[real]
                offsets.append(affine(place.per_sample, "n", place.fixed))
        return wrap.call("launch", (self.names[k.name], blocks, threads, *buffers, *offsets, "n"), 4)

    def external(self, one: Launch, phase: External, places: Mapping[str, Place], given: Mapping[str, str]) -> str:
        """Return the line that has a product done by a library."""
        real = dict(zip((t.name for t in one.kernel.tensors), one.names, strict=True))
        buffer = dict(zip((t.name for t in one.kernel.tensors), one.kernel.buffers, strict=True))
        many, exact = phase.batch != 1, () if self.device.accuracy == "strict" else ("MATH",)
        arrays, matrices = [], []
        for m in (phase.left, phase.right, phase.result):
            name = m.first.tensor.name
            arrays.append(given.get(buffer[name], buffer[name]))
            place = places[real[name]] if buffer[name] in FLAT else Place("", 0, 0, ())
            offset = _polynomial(m.offset + place.fixed + place.per_sample * Size(BATCH), "n")
            words = [offset, _polynomial(m.lead, "n"), str(m.turned), *([_polynomial(m.step, "n")] if many else [])]
            matrices.append(f"({', '.join(words)})")
        sizes = (phase.rows, phase.columns, phase.terms, *((phase.batch,) if many else ()))
        return wrap.call("matmul", (*arrays, f"({', '.join(_polynomial(e, 'n') for e in sizes)})", *matrices, *exact), 4)

    def kept(self, places: Mapping[str, Place]) -> Iterator[Node]:
        """Yield the lines that write the next running statistics behind the parameters."""
        loss = self.loss_place(places)
        for start, stop, tensor in copies(self.plan):
            place = places[tensor]
            there = affine(place.per_sample, "n", place.fixed)
            blocks = -(-(stop - start) // BLOCK)
            arguments = ("keep_statistics", str(blocks), str(BLOCK), "params", "work", str(start), there, str(stop - start), loss)
            yield Node(wrap.call("launch", arguments, 4))

    def loss_place(self, places: Mapping[str, Place] | None = None) -> str:
        """Return where the loss lies in the workspace."""
        plan = self.plan
        assert plan.loss is not None
        place = (places or plan.entry("loss").places)[plan.loss]
        return affine(place.per_sample, "n", place.fixed)

    def frozen(self) -> tuple[tuple[int, int], ...]:
        derived = {p for p, _ in self.plan.gradients}
        return tuple((p.offset, p.offset + count(p.shape)) for p in self.plan.parameters if p.name not in derived)

    def data(self) -> tuple[str, ...]:
        given, plan = self.arguments(), self.plan
        return (*(given[x] for x in (*plan.inputs, *(m.name for m in plan.masks))), *(("y",) if plan.target else ()))

    # The optimizer

    def update_kernels(self) -> Iterator[Function]:
        """Yield the kernels of a training step besides those of the gradients."""
        plan = self.plan
        if plan.statistics:
            body = (
                Node("k = int32(cuda.grid(1))"),
                Node("if k < count and math.isfinite(work[loss]):", (Node("params[start + k] = work[place + k]"),)),
            )
            doc = "Write next running statistics where the statistics lie, if the loss is finite."
            yield Function("keep_statistics", ("params", "work", "start", "place", "count", "loss"), (), body, doc)
            real = f"{plan.dtype}[::1]"
            self.note("keep_statistics", (real, real, "int32", "int32", "int32", "int32"), str(BLOCK))
        if plan.update is not None:
            yield self.scalars_kernel(plan.update)
            yield self.entries_kernel(plan.update)
            if self.device.resident is not None:
                yield self.table_kernel(plan.update, self.device.resident)
                yield self.resident_kernel(self.device.resident)

    def resident_kernel(self, one: Resident) -> Function:
        """Return the kernel of training steps, parameters in shared memory from one to the next."""
        given = self.arguments()
        names = {f"all.{name}": text for name, text in given.items()}
        memory, labels = dict(one.offsets), {name: _slot(name) for name, _ in one.whole}
        buffers = tuple(labels.get(b) or names.get(b, b) for _, b in one.tensors)
        tensors = tuple(t for t, _ in one.tensors)
        counts = ("samples", "size", "first", "count", "shuffled")
        many = self.device.schedule == "grid"
        kept = ("order", "table", "history", *(("partial",) if many else ()))
        taken = self.reserved | {"memory", *kept, *counts, *labels.values(), *given.values()}
        # Scalars of the kernel's own have other names than these.
        own = Names(taken)
        slots = {t.name: own.of(("slot", t.name), _slot(t.name)) for t, b in one.tensors if b == "memory"}
        offsets = {t.name: slots.get(t.name) or str(memory.get(t.name, 0) or "") for t, _ in one.tensors}
        frame = DeviceFrame(tensors, buffers, frozenset(own.taken) - set(buffers), single=self.single, offsets=offsets)
        for name in counts:
            frame.names.given["local", name] = name
        frame.names.given["local", BATCH] = frame.samples
        body = [Node(f"memory = cuda.shared.array({0 if self.dynamic(one) else one.size}, real)")]
        body += [Node(f"{_slot(name)} = cuda.shared.array({elements}, int32)") for name, elements in one.whole]
        body += [Node(f"{name} = int32({memory[tensor]})") for tensor, name in slots.items()]
        lines = Lines(frame, one.blocks, long=True)
        self.used.add("opaque")
        if many:
            body += [Node(f"{frame.local(Local('block'))} = int32(cuda.blockIdx.x)"), Node(f"{lines.name('grid')} = cuda.cg.this_grid()")]
        body += lines.team(one.team, 4)
        self.used |= frame.printer.used
        data = self.data()
        arguments = ("params", "grads", "state", *data, *kept, *counts)
        real = f"{self.plan.dtype}[::1]"
        whole = {text for x, text in given.items() if self.plan.tensors[x].integer}
        given_types = ["int64[::1]" if a in whole else real for a in data]
        types = (real, real, real, *given_types, "int64[::1]", *(real for _ in kept[1:]), *("int32" for _ in counts))
        self.note("train_steps", types, str(one.team.threads))
        doc = "Do steps first .. first + count - 1 of training, each with the next size samples that order names."
        return Function("train_steps", arguments, (), tuple(body), doc)

    def dynamic(self, one: Resident) -> int:
        """Return the bytes of shared memory that a launch asks for: none where what every block has is enough."""
        item = 4 if self.single else 8
        held = one.size * item + sum(4 * elements for _, elements in one.whole) + one.team.threads * item
        return one.size * item if held > SHARED else 0

    def table_kernel(self, step: OptimizerStep, one: Resident) -> Function:
        """Return the kernel that computes, ahead of some steps, what the optimizer has once for all entries in each of them."""
        scalars = [name for name, kind in step.state if kind == "scalar"]
        arrays = sum(kind == "parameter" for _, kind in step.state)
        frame = DeviceFrame((), (), self.reserved, single=False, offsets={}, type_name="float64")
        body: list[Node] = [Node(f"{frame.local(Local(name))} = hyper[{k}]") for k, (name, _) in enumerate(step.hyper)]
        base = arrays * self.size
        body += [Node(f"{frame.local(Local(name))} = float64(state[{base + k}])") for k, name in enumerate(scalars)]
        row, before = (frame.names.of(("own", word), word) for word in ("row", "before"))
        last = dict(step.last)
        nexts = [(frame.local(Local(name)), frame.printer.real(last[name])) for name in one.scalars]
        follow = [Node(f"{', '.join(name for name, _ in nexts)} = {', '.join(value for _, value in nexts)}")] if nexts else []
        if nexts:
            # Every row has a thread, which goes through the scalar state of the steps before; that is little beside all the rest.
            wanted = needed(step.scalars, [last[name] for name in one.scalars])
            body.append(Node(f"for {before} in range({row}):", (*frame.nodes(wanted, 12), *follow)))
        body += [*frame.nodes(step.scalars, 8)]
        body += [Node(f"table[{row} * {one.width} + {k}] = real({frame.local(local)})") for k, local in enumerate(one.handed)]
        body += follow
        body += [Node(f"table[{row} * {one.width} + {k}] = real({name})") for k, (name, _) in enumerate(nexts, len(one.handed))]
        body = [Node(f"{row} = int32(cuda.grid(1))"), Node(f"if {row} < count:", tuple(body))]
        self.used |= frame.printer.used
        real = f"{self.plan.dtype}[::1]"
        self.note("fill_table", (real, "float64[::1]", real, "int32"), str(BLOCK))
        self.doubles.append("fill_table")
        doc = "Compute for each of some steps what the optimizer has once for all entries, in float64, since powers of rates need it."
        return Function("fill_table", ("state", "hyper", "table", "count"), (), tuple(body), doc)

    def scalars_kernel(self, step: OptimizerStep) -> Function:
        """Return the kernel of what is one number for all entries; it computes in float64, since powers of rates need it."""
        arrays = [name for name, kind in step.state if kind == "parameter"]
        scalars = [name for name, kind in step.state if kind == "scalar"]
        flat = (Tensor("params", (step.index,)), Tensor("grads", (step.index,)))
        frame = DeviceFrame(flat, ("params", "grads"), self.reserved, single=False, offsets={}, type_name="float64")
        frame.given[step.index.extent] = str(self.size)
        mine = Lines(frame)
        thread = team(tuple(step.scalars), {step.index.extent: self.size})
        if not any(isinstance(s, Fold) for s in walk(thread.steps)):
            # There is nothing to share.
            thread = replace(thread, threads=1)
        hyper = {name: Local(name) for name, _ in step.hyper}
        state = {name: Local(name) for name in scalars}
        made = {s.local for s in step.scalars if isinstance(s, Let)} | set(hyper.values()) | set(state.values())
        read = {e for part in expressions(step.elements) for e in part.free_symbols}
        self.handed = tuple(sorted((local for local in made if local in read), key=lambda local: local.name))
        body = [Node("value = losses[place]"), Node("good = math.isfinite(value)")]
        for k, local in enumerate(hyper.values()):
            body.append(Node(f"{frame.local(local)} = hyper[{k}]"))
        base = len(arrays) * self.size
        for k, local in enumerate(state.values()):
            body.append(Node(f"{frame.local(local)} = float64(state[{base + k}])"))
        body += mine.team(thread, 4)
        inner = [Node("scalars[0] = real(1.0) if good else real(0.0)")]
        inner += [Node(f"scalars[{k}] = real({frame.local(local)})") for k, local in enumerate(self.handed, 1)]
        kept = [Node(f"state[{base + scalars.index(name)}] = real({frame.printer.real(value)})") for name, value in step.last]
        inner += [Node("if good:", tuple(kept))] if kept else []
        inner.append(Node("if count > 0:", (Node("history[step[0]] = value"), Node("step[0] += int32(1)"))))
        # All threads read the state that one of them writes.
        body += [Node("cuda.syncthreads()")] if kept else []
        body.append(Node(f"if {mine.name('thread')} == 0:", tuple(inner)))
        self.used |= frame.printer.used
        arguments = ("params", "grads", "state", "hyper", "scalars", "losses", "place", "history", "step", "count")
        real = f"{self.plan.dtype}[::1]"
        types = (real, real, real, "float64[::1]", real, real, "int32", real, "int32[::1]", "int32")
        self.note("update_scalars", types, str(thread.threads))
        self.scalar_threads = thread.threads
        self.doubles.append("update_scalars")
        headings = tuple(wrap.comment(heading(e), 4) for e in step.equations)
        doc = "Compute what a step of the optimizer has once for all entries; nothing is done where the loss is not finite."
        return Function("update_scalars", arguments, headings, tuple(body), doc)

    def entries_kernel(self, step: OptimizerStep) -> Function:
        """Return the kernel that updates the entries of a range."""
        arrays = [name for name, kind in step.state if kind == "parameter"]
        stored = {s.access.tensor.name: s.access.tensor for s in step.elements if isinstance(s, Store)}
        kept = tuple(stored[name] for name in arrays if name in stored)
        flat = (Tensor("params", (step.index,)), Tensor("grads", (step.index,)), *kept)
        offsets = {t.name: str(arrays.index(t.name) * self.size) for t in kept if arrays.index(t.name)}
        frame = DeviceFrame(flat, ("params", "grads", *("state" for _ in kept)), self.reserved, single=self.single, offsets=offsets)
        index = frame.index(step.index)
        inner = [Node(f"{frame.local(local)} = scalars[{k}]") for k, local in enumerate(self.handed, 1)]
        inner += frame.nodes(step.elements, 8)
        body = (Node(f"{index} = first + int32(cuda.grid(1))"), Node(f"if {index} < last and scalars[0] > real(0.0):", tuple(inner)))
        self.used |= frame.printer.used
        headings = tuple(wrap.comment(heading(e), 4) for e in step.equations)
        real = f"{self.plan.dtype}[::1]"
        self.note("update_entries", (real, real, real, real, "int32", "int32"), str(BLOCK))
        doc = "Update the entries first .. last - 1 with the scalars of this step."
        return Function("update_entries", ("params", "grads", "state", "scalars", "first", "last"), headings, body, doc)

    def launch_update(self, step: OptimizerStep) -> Function:
        scalars = ("update_scalars", "1", str(self.scalar_threads))
        passed = ("params", "grads", "state", "hyper", "scalars", "losses", "place", "history", "step", "count")
        body = [Node(wrap.call("launch", (*scalars, *passed), 4))]
        for start, stop in step.ranges:
            blocks = -(-(stop - start) // BLOCK)
            arguments = ("update_entries", str(blocks), str(BLOCK), "params", "grads", "state", "scalars", str(start), str(stop))
            body.append(Node(wrap.call("launch", arguments, 4)))
        return Function("launch_update", passed, (), tuple(body))

    # Entries

    def entries(self) -> Iterator[Function]:
        """Yield the functions that take arrays."""
        plan, given = self.plan, self.arguments()
        if plan.product is not None:
            yield self.product(plan.product)
            return
        inputs, outs = tuple(given[x] for x in plan.inputs), tuple(given[o] for o in plan.outputs)
        target = ("y",) if plan.target else ()
        doc = "Write the network's output for a batch into out"
        status = ", or nothing if an input is out of range: then return its number, else 0" if self.ranged(plan.inputs) else ""
        body = [
            *self.tests(plan.inputs, "return {}"),
            Node(samples(inputs)),
            *self.taken(("params", *inputs)),
            *(Node(f"d_{o} = room({o}, {self.total(real)}, DTYPE)") for o, real in zip(outs, plan.outputs, strict=True)),
            self.workspace(),
            self.call("forward", (*("params", *inputs, *outs, "work"),)),
            *(Node(f"give(d_{o}, {o})") for o in outs),
            *([Node("return 0")] if status else []),
        ]
        yield Function("forward", ("params", *inputs, *outs, "work=None"), (), tuple(body), f"{doc}{status}.")
        if plan.loss is None:
            return
        if plan.has_entry("evaluation"):
            yield self.valued("evaluation", (*inputs, *target), "Return the loss of a batch in inference.")
        data = self.data()
        yield self.valued("loss", data, "Return the loss of a batch.")
        yield from self.gradients(data)
        if plan.statistics:
            names = ("params", *data, "work")
            body = [
                Node(samples(data)),
                *self.taken(("params", *data)),
                self.workspace(),
                self.call("statistics", names),
                Node("give(d_params, params)"),
            ]
            doc = "Write the next running statistics into params; work, on the device, is as value_and_grad of the same batch left it."
            yield Function("update_statistics", names, (), tuple(body), doc)
        if plan.update is not None:
            yield from self.training(data)

    def product(self, one: Signature) -> Function:
        """Return the one function of a module of products with derivatives."""
        data = self.data()
        outs = tuple(name for name, _ in one.written)
        arguments = ("params", *data, *(name for name, _ in one.given))
        totals = [str(self.size) if tensor is None else self.total(tensor) for _, tensor in one.written]
        names = (*arguments, *outs, "work")
        body = [
            *self.tests(self.checked(), "return {}"),
            Node(samples(data)),
            *self.taken(arguments),
            *(Node(f"d_{name} = room({name}, {total}, DTYPE)") for name, total in zip(outs, totals, strict=True)),
            self.workspace(),
            Node(wrap.call("repeat", ("1", f"launch_{one.name}", *(f"d_{name}" for name in names), "n"), 4)),
            *(Node(f"give(d_{name}, {name})") for name in outs),
            Node("return 0"),
        ]
        doc = f"{one.doc}; return 0, or the number of an argument that is out of range."
        return Function(one.name, (*arguments, *outs, "work=None"), (), tuple(body), doc)

    def valued(self, entry: str, data: tuple[str, ...], doc: str) -> Function:
        """Return an entry that gives a loss."""
        body = [
            *self.tests(self.checked(), "return math.nan"),
            Node(samples(data)),
            *self.taken(("params", *data)),
            self.workspace(),
            self.call(entry, ("params", *data, "work")),
            Node(f"return number(d_work, {self.loss_place(self.plan.entry(entry).places)})"),
        ]
        return Function(entry, ("params", *data, "work=None"), (), tuple(body), doc)

    def gradients(self, data: tuple[str, ...]) -> Iterator[Function]:
        plan, given = self.plan, self.arguments()
        first = self.call("loss", ("params", *data, "work"))
        top = [*self.tests(self.checked(), "return math.nan"), Node(samples(data)), *self.taken(("params", *data))]
        last = Node(f"return number(d_work, {self.loss_place()})")
        passed = tuple(f"d_{name}" for name in ("params", *data, "grads", "work"))
        body = [
            *top,
            Node(f"d_grads = room(grads, {self.size}, DTYPE)"),
            self.workspace(),
            Node(wrap.call("repeat", ("1", "launch_value_and_grad", *passed, "n"), 4)),
            Node("give(d_grads, grads)"),
            last,
        ]
        # A function of its own, so that its launches can be recorded and replayed.
        backward = self.call("backward", ("params", *data, "grads", "work"))
        yield Function("launch_value_and_grad", (*passed, "n"), (), (first, backward))
        doc = "Return the loss of a batch and write its gradients into grads."
        yield Function("value_and_grad", ("params", *data, "grads", "work=None"), (), tuple(body), doc)
        if plan.input_gradients:
            targets = tuple(given[g] for _, g in plan.input_gradients)
            body = [
                *top,
                *(Node(f"d_{t} = room({t}, {self.total(g)}, DTYPE)") for t, (_, g) in zip(targets, plan.input_gradients, strict=True)),
                self.workspace(),
                first,
                self.call("input_gradients", ("params", *data, *targets, "work")),
                *(Node(f"give(d_{t}, {t})") for t in targets),
                last,
            ]
            doc = "Return the loss of a batch and write its gradient with respect to the inputs."
            yield Function("input_gradients", ("params", *data, *targets, "work=None"), (), tuple(body), doc)

    def training(self, data: tuple[str, ...]) -> Iterator[Function]:
        """Yield a step of the optimizer, a training step and an epoch."""
        plan = self.plan
        handed = len(self.handed) + 1
        passed = ("d_params", "d_grads", "d_state", "d_hyper", "scalars")
        state = [
            Node(f"d_state = take(state, DTYPE) if {self.state_size} else d_params"),
            Node('d_hyper = take(hyper, "float64")'),
            Node(f'scalars, step = room(None, {handed}, DTYPE), zeros(1, "int32")'),
        ]
        back = [Node("give(d_params, params)"), *([Node("give(d_state, state)")] if self.state_size else [])]
        body = [
            *self.taken(("params",)),
            Node("d_grads = take(grads, DTYPE)"),
            *state,
            Node("losses = zeros(1, DTYPE)"),
            Node(wrap.call("launch_update", (*passed, "losses", "0", "losses", "step", "0"), 4)),
            *back,
        ]
        yield Function(
            "update", ("params", "grads", "state", "hyper"), (), tuple(body), "Do one step of the optimizer with given gradients."
        )
        if self.device.resident is not None:
            yield from self.resident_training(data, self.device.resident, state[:2], back)
            return
        statistics = [self.call("statistics", ("params", *data, "work"))] if plan.statistics else []
        step = [
            self.call("loss", ("params", *data, "work")),
            self.call("backward", ("params", *data, "grads", "work")),
            *statistics,
        ]
        place = self.loss_place()
        given = (*(f"d_{a}" for a in data), *passed, "d_work", "step")
        update = Node(wrap.call("launch_update", (*passed, "d_work", place, "d_work", "step", "0"), 4))
        yield Function("launch_train_step", (*given, "n"), (), (*step, update))
        body = [
            *self.tests(self.checked(), "return math.nan"),
            Node(samples(data)),
            *self.taken(("params", *data)),
            Node(f"d_grads = room(grads, {self.size}, DTYPE)"),
            *state,
            self.workspace(),
            Node(wrap.call("repeat", ("1", "launch_train_step", *given, "n"), 4)),
            Node("give(d_grads, grads)"),
            *back,
            Node(f"return number(d_work, {place})"),
        ]
        doc = "Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."
        yield Function("train_step", ("params", *data, "grads", "state", "hyper", "work=None"), (), tuple(body), doc)
        if not plan.masks:
            yield from self.epoch(data, state, step, back, place)

    def resident_training(self, data: tuple[str, ...], one: Resident, state: list[Node], back: list[Node]) -> Iterator[Function]:
        """Yield a training step and an epoch that are each one launch."""
        d_data = tuple(f"d_{a}" for a in data)
        taken = [*self.taken(("params", *data)), Node(f"d_grads = room(grads, {self.size}, DTYPE)"), *state]

        def run(order: str, history: str, counts: tuple[str, ...], steps: str) -> list[Node]:
            room = f"{steps} * {one.width}" if steps != "1" else str(max(1, one.width))
            table = Node(f"table = room(None, {room}, DTYPE)")
            many = self.device.schedule == "grid"
            buffers = ("d_params", "d_grads", "d_state", *d_data, order, "table", history, *(("partial",) if many else ()))
            size = ("train_steps", str(one.blocks), str(one.team.threads))
            asked = self.dynamic(one)
            options = (*((f"shared={asked}",) if asked else ()), *(("cooperative=True",) if many else ()))
            arguments = (*size, *buffers, *counts, *options)
            rows = "1" if steps == "1" else f"({steps} + {BLOCK - 1}) // {BLOCK}"
            fill = f"launch(fill_table, {rows}, {BLOCK}, d_state, d_hyper, table, {steps})"
            frozen = [Node(f"fill(d_grads[{start}:{stop}], 0)") for start, stop in (self.frozen() if many else ())]
            partial = [Node(f"partial = room(None, {one.partial}, DTYPE)")] if many else []
            return [table, *partial, *frozen, Node(fill), Node(wrap.call("launch", arguments, 4))]

        said = 'raise ValueError(f"{n} samples are more than the {BATCH} that shared memory was planned for")'
        most = Node("if n > BATCH:", (Node(said),))
        body = [
            *self.tests(self.checked(), "return math.nan"),
            Node(f"n = {data[0]}.shape[0]"),
            most,
            *taken,
            Node('order, history = zeros(1, "int64"), room(None, 1, DTYPE)'),
            *run("order", "history", ("n", "n", "0", "1", "0"), "1"),
            Node("give(d_grads, grads)"),
            *back,
            Node("return number(history)"),
        ]
        doc = "Return the loss and do one step of the optimizer; a loss that is not finite changes nothing."
        yield Function("train_step", ("params", *data, "grads", "state", "hyper", "work=None"), (), tuple(body), doc)
        body = [
            *self.tests(self.checked(), "return math.nan, 1"),
            Node(f"samples = {data[0]}.shape[0]"),
            Node("n = min(size, samples)"),
            most,
            Node("count = -(-samples // n)"),
            *taken,
            Node('d_order = take(order, "int64") if order.size else zeros(1, "int64")'),
            Node("history = room(None, count, DTYPE)"),
            *run("d_order", "history", ("samples", "n", "0", "count", "1 if order.size else 0"), "count"),
            Node("give(d_grads, grads)"),
            *back,
            *_LOSSES,
        ]
        yield self.epoch_function(data, body)

    def epoch_function(self, data: tuple[str, ...], body: list[Node]) -> Function:
        doc = (
            "Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… are not used.\n"
            "\n    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.\n"
        )
        arguments = ("params", *data, "order", "size", *(f"batch_{a}" for a in data), "grads", "state", "hyper", "work=None")
        return Function("epoch", arguments, (), tuple(body), f"{doc}    ")

    def epoch(self, data: tuple[str, ...], state: list[Node], step: list[Node], back: list[Node], place: str) -> Iterator[Function]:
        """Yield the entry that trains on all samples once, without a look at the host between two steps, and the launches of a step."""
        passed = ("d_params", "d_grads", "d_state", "d_hyper", "scalars")
        tensors = {text: real for real, text in self.arguments().items()}
        gathered = []
        for argument in data:
            width = count(tuple(int(e) for e in self.plan.tensors[tensors[argument]].shape[1:]))
            entries = f"n * {width}" if width > 1 else "n"
            values = (f"all_{argument}", "d_order", "step", "size", str(width), f"d_{argument}", entries, "shuffled")
            gathered.append(Node(wrap.call("launch", ("gather", f"({entries} + {BLOCK - 1}) // {BLOCK}", str(BLOCK), *values), 4)))
        given = (*(f"all_{a}" for a in data), "d_order", *(f"d_{a}" for a in data), *passed, "d_work")
        given = (*given, "history", "step", "shuffled", "size")
        update = Node(wrap.call("launch_update", (*passed, "d_work", place, "history", "step", "1"), 4))
        yield Function("launch_step", (*given, "n"), (), (*gathered, *step, update))
        body = [
            *self.tests(self.checked(), "return math.nan, 1"),
            Node(f"samples = {data[0]}.shape[0]"),
            Node("count = -(-samples // size)"),
            *self.taken(("params",)),
            *(Node(f"all_{a} = take({a}, {self.type_of(a)})") for a in data),
            Node('d_order = take(order, "int64") if order.size else zeros(1, "int64")'),
            Node("shuffled = 1 if order.size else 0"),
            *(Node(f"d_{a} = room(None, {self.total(tensors[a], 'size')}, {self.type_of(a)})") for a in data),
            Node(f"d_grads = room(grads, {self.size}, DTYPE)"),
            *state,
            Node("d_work = room(work, workspace(size), DTYPE)"),
            Node("history = zeros(count, DTYPE)"),
            Node(wrap.call("repeat", ("samples // size", "launch_step", *given, "size"), 4)),
            Node("if samples % size:", (Node(wrap.call("launch_step", (*given, "samples % size"), 8)),)),
            *back,
            *_LOSSES,
        ]
        yield self.epoch_function(data, body)

    # Lines of entries

    def taken(self, names: Iterable[str]) -> Iterator[Node]:
        for name in names:
            yield Node(f"d_{name} = take({name}, {self.type_of(name)})")

    def type_of(self, name: str) -> str:
        whole = {text for real, text in self.arguments().items() if self.plan.tensors[real].integer}
        return '"int64"' if name in whole else "DTYPE"

    def workspace(self) -> Node:
        return Node("d_work = room(work, workspace(n), DTYPE)")

    def call(self, entry: str, names: tuple[str, ...]) -> Node:
        return Node(wrap.call(_LAUNCHES[entry], (*(f"d_{name}" for name in names), "n"), 4))

    def total(self, real: str, samples: str = "n") -> str:
        """Return how many entries a tensor of a batch has."""
        shape = self.plan.tensors[real].shape
        fixed = count(tuple(int(e) for e in shape if e.is_Integer))
        batched = any(str(e) == BATCH for e in shape)
        return affine(fixed, samples, 0) if batched else str(fixed)

    def checked(self) -> tuple[str, ...]:
        return (*self.plan.inputs, *((self.plan.target,) if self.plan.target else ()))

    def ranged(self, tensors: Sequence[str]) -> bool:
        return any(name in tensors for name, _, _ in self.plan.ranges)

    def tests(self, tensors: Sequence[str], result: str) -> Iterator[Node]:
        """Yield the lines that end a call whose labels or tokens are out of range, for these are addresses."""
        given = self.arguments()
        ends = {name: (least, most) for name, least, most in self.plan.ranges}
        for number, x in enumerate(tensors, 1):
            if x in ends:
                yield Node(f"if not in_range({given[x]}, {ends[x][0]}, {ends[x][1]}):", (Node(result.format(number)),))


def _polynomial(e: Expr, name: str) -> str:
    """Return a number that depends on the number of samples, as text for the host."""
    coefficients = [int(c) for c in Poly(e, Size(BATCH)).all_coeffs()]
    if len(coefficients) < 3:
        return affine(sum(coefficients[:-1]), name, coefficients[-1])
    *higher, least = coefficients
    inner = _polynomial(sum(c * Size(BATCH) ** k for k, c in enumerate(reversed(higher))), name)
    return affine(1, f"{name} * ({inner})", least)


def samples(data: Sequence[str]) -> str:
    """Return the line that tells the size of a batch, from the first array of data; equations that read none have no batch."""
    return f"n = {data[0]}.shape[0]" if data else "n = 1"


__all__ = ["DevicePage", "page"]
