"""A plan as the page of a module with loops: every expression, range and name as text, ready to be laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symbackprop.algebra.index import Size
from symbackprop.algebra.text import heading
from symbackprop.declare.dimension import BATCH
from symbackprop.emit import prologue, wrap
from symbackprop.emit.frame import Frame
from symbackprop.emit.names import ENTRIES, RESERVED, STAGES, Names
from symbackprop.emit.page import Function, Node, Page, affine, copies, count, head, signed, uses
from symbackprop.emit.scalar import VECTOR
from symbackprop.emit.straight import BETTER, Written
from symbackprop.plan.factors import factored
from symbackprop.plan.records import (
    Entry,
    Kernel,
    Let,
    Local,
    OptimizerStep,
    Place,
    Plan,
    Signature,
    Stage,
    Statement,
    Store,
)

#: What the runtime file offers for sums, to be imported with the bits of its numbers.
SUMS = (
    *("add_product", "add_row_products", "product", "product_parallel", "row_products"),
    *("add_long_row_products", "long_row_products"),
    *("add_correlate", "add_correlate_rows", "correlate", "correlate_rows", "spread"),
)
#: What it offers besides: for threads.
RUNTIME = (*SUMS, "max_of", "sum_of", "sum_of_rows", "mean_of_parts", "part_of", "scale", "share", "threads")
#: What it offers to get at memory.
PLACES = ("apart", "array_at", "chosen", "merged", "transposed", "view", "whole_at")


def page(plan: Plan, template: str) -> Page:
    """Return a plan as text in pieces."""
    single = plan.dtype == "float32"
    bits = 32 if single else 64
    writer = _Writer(plan, single)
    kernels = () if writer.straight else tuple(writer.kernel(k) for k in plan.kernels)
    entries = tuple(writer.entries())
    used = writer.used
    return Page(
        **head(plan, template),
        checked=bool(plan.ranges),
        workspace=writer.workspace(),
        runtime=_imports({"njit"} | used & {*RUNTIME, *PLACES}, used & writer.offered, bits),
        mathematics=tuple(sorted(used & {"erf", "erfc"} - writer.offered)),
        scalars=tuple(sorted(used & {"sigmoid", "softplus"} - writer.offered)),
        kernels=kernels,
        entries=entries,
        flat=all(len(plan.tensors[name].shape) == 1 for name, _, _ in plan.ranges),
        one="real(1.0)" if single else "1.0",
        zero="real(0.0)" if single else "0.0",
    )


def _imports(runtime: set[str], functions: set[str], bits: int) -> tuple[str, ...]:
    """Return what is imported from the runtime file, a line each, in the order in which imports are sorted."""
    plain = ", ".join(sorted(runtime.difference(SUMS)))
    named = [f"{name}_{bits} as {name}" for name in functions | runtime.intersection(SUMS)]
    return tuple(sorted([*named, *([plain] if plain else [])]))


#: What the functions of stages are called: by the entry, and by the kind.
_PREFIXES = dict(zip(("backward", "loss", "input_gradients", "forward", "evaluation"), ENTRIES, strict=True))
_STAGES = dict(zip(("samples", "rows", "once"), STAGES, strict=True))


class _Writer:
    def __init__(self, plan: Plan, single: bool) -> None:
        self.plan, self.single = plan, single
        self.straight = plan.straight.entries if plan.straight is not None else {}
        self.vector = plan.vector and not self.straight
        #: Functions that the runtime file computes here.
        self.offered = frozenset(VECTOR.values()) if self.vector else BETTER if self.straight else frozenset()
        self.used: set[str] = set()
        self.reserved = RESERVED
        names = Names(RESERVED | signed(plan))
        self.functions = {} if self.straight else {k.name: names.of(k.name, k.name) for k in plan.kernels}
        self.reserved = frozenset(names.taken)
        #: Whether images have their samples last: kernels are short loops around long ones.
        self.images = any(t.rank > 2 and t.shape[-1] == Size(BATCH) for k in plan.kernels for t in k.arguments)

    # Kernels

    def kernel(self, k: Kernel) -> Function:
        frame = Frame(k.arguments, k.integers, self.reserved, single=self.single, vector=self.vector)
        arguments = [frame.array(t) for t in k.arguments] + [frame.names.of(s, s.name) for s in k.integers]
        statements = k.body.statements if self.plan.schedule == "plain" else factored(k.body.statements)
        body = frame.nodes(statements, 4)
        body = [*frame.sizes(), *frame.matrices(), *body]
        self.used |= frame.printer.used | frame.runtime
        headings = tuple(wrap.comment(heading(e), 4) for e in k.body.equations)
        once = self.images and any(t.rank > 1 and t.shape[-1] == Size(BATCH) for t in k.arguments)
        return Function(self.functions[k.name], tuple(arguments), headings, tuple(body), f"Write {' and '.join(k.written)}.", once=once)

    # Entries

    def entries(self) -> Iterable[Function]:
        plan = self.plan
        if plan.product is not None:
            yield self.signature(plan.product)
            return
        inputs = _Driver(self, plan.entry("forward"))
        outs = tuple(f"out_{k}" if len(plan.outputs) > 1 else "out" for k in range(1, len(plan.outputs) + 1))
        names = self.data_names()
        given = {**names, **dict(zip(plan.outputs, outs, strict=True))}
        arguments = ("params", *self.given(plan.inputs), *outs, "work")
        yield from prologue.check(plan, names)
        tests = prologue.opening_forward(plan, names)
        doc = f"Write the network's output for a batch into out{prologue.STATUS if tests else ''}."
        closing = (Node("return 0"),) if tests else ()
        if plan.entry("forward").stages:
            yield from self.staged("forward", "forward", arguments, given, doc, opening=tests, closing=closing)
        else:
            yield inputs.function("forward", arguments, given, doc, opening=tests, closing=closing)
        if plan.loss is None:
            return
        target = ("y",) if plan.target else ()
        opening = prologue.opening(plan, names)
        if plan.has_entry("evaluation"):
            arguments, doc = ("params", *self.given(plan.inputs), *target, "work"), "Return the loss of a batch in inference."
            if plan.entry("evaluation").stages:
                yield from self.staged("evaluation", "evaluation", arguments, names, doc, opening=opening, result=plan.loss)
            else:
                driver = _Driver(self, plan.entry("evaluation"))
                yield driver.function("evaluation", arguments, names, doc, result=plan.loss, opening=opening)
        data = (*self.given((*plan.inputs, *(m.name for m in plan.masks))), *target)
        if plan.entry("loss").stages:
            yield from self.gradients(data, names, opening)
            yield from self.training(data)
            return
        # With a part of the samples for each thread these are done part by part.
        of = "" if plan.parts == 1 else "_of_part"
        first = f"loss{of}({', '.join(('params', *data, 'work'))})"
        yield _Driver(self, plan.entry("loss")).function(
            f"loss{of}",
            ("params", *data, "work"),
            names,
            "Return the loss of a batch; work keeps what the gradients read.",
            result=plan.loss,
            opening=opening,
        )
        if of:
            yield self.in_parts("loss", data, (), opening)
        yield _Driver(self, plan.entry("backward")).function(
            f"value_and_grad{of}",
            ("params", *data, "grads", "work"),
            names,
            "Return the loss of a batch and write its gradients into grads.",
            first=first,
            zeroed=self.frozen(),
            opening=opening,
        )
        if of:
            yield self.in_parts("value_and_grad", data, ("grads",), opening)
        yield self.by_address("value_and_grad", data, ("grads",))
        yield from self.addressed(data)
        if plan.input_gradients:
            targets = tuple(f"grads_{names[x]}" for x, _ in plan.input_gradients)
            names = {**names, **{g: t for (_, g), t in zip(plan.input_gradients, targets, strict=True)}}
            yield _Driver(self, plan.entry("input_gradients")).function(
                f"input_gradients{of}",
                ("params", *data, *targets, "work"),
                names,
                "Return the loss of a batch and write its gradient with respect to the inputs.",
                first=first,
                opening=opening,
            )
            if of:
                yield self.in_parts("input_gradients", data, targets, opening)
            yield self.by_address("input_gradients", data, targets)
        if plan.statistics:
            yield _Driver(self, plan.entry("statistics")).function(
                "update_statistics",
                ("params", *data, "work"),
                names,
                "Write the next running statistics into params; work is as value_and_grad of the same batch left it.",
                copied=copies(plan),
            )
        yield from self.training(data)

    def gradients(self, data: tuple[str, ...], names: dict[str, str], opening: tuple[Node, ...]) -> Iterable[Function]:
        """Yield the loss and its gradients, of which threads share the stages."""
        plan = self.plan
        given = ("params", *data)
        doc = "Return the loss of a batch{}; threads share the work."
        yield from self.staged("loss", "loss", (*given, "work"), names, doc.format(""), opening=opening, result=plan.loss)
        text = doc.format(" and write its gradients into grads")
        yield from self.staged(
            "backward", "value_and_grad", (*given, "grads", "work"), names, text, opening=opening, result=plan.loss, zeroed=self.frozen()
        )
        yield self.by_address("value_and_grad", data, ("grads",))
        yield from self.addressed(data)
        if plan.input_gradients:
            targets = tuple(f"grads_{names[x]}" for x, _ in plan.input_gradients)
            names = {**names, **{g: t for (_, g), t in zip(plan.input_gradients, targets, strict=True)}}
            text = doc.format(" and write its gradient with respect to the inputs")
            yield from self.staged(
                "input_gradients", "input_gradients", (*given, *targets, "work"), names, text, opening=opening, result=plan.loss
            )
            yield self.by_address("input_gradients", data, targets)

    def staged(
        self,
        entry: str,
        name: str,
        arguments: tuple[str, ...],
        given: Mapping[str, str],
        doc: str,
        *,
        opening: tuple[Node, ...] = (),
        closing: tuple[Node, ...] = (),
        result: str | None = None,
        zeroed: tuple[tuple[str, int, int], ...] = (),
    ) -> Iterable[Function]:
        """Yield the stages of an entry, and the entry that has threads do them."""
        plan = self.plan
        here = plan.entry(entry)
        first = {s.number: s for s in plan.entry("loss").stages} if entry in ("backward", "input_gradients") else {}
        base = tuple(a for a in arguments if a not in ("grads", "work") and a not in _results(here, given))
        counts: dict[str, int] = {}
        calls: list[Node] = []
        for stage in here.stages:
            counts[stage.kind] = counts.get(stage.kind, 0) + 1
            word = _STAGES[stage.kind] + (f"_{counts[stage.kind]}" if counts[stage.kind] > 1 else "")
            part = () if stage.kind == "once" else ("part", "parts")
            called, values = f"{_PREFIXES[entry]}{word}", (*base, *_results(here, given, stage), "work", *part)
            before = first.get(stage.number)
            if before is not None and not _alike(plan.entry("loss"), here, before):
                before = None
            if before == stage:
                called, values = f"loss_{word}", (*base, "work", *part)
            elif before is not None and before.shares == stage.shares[: len(before.shares)]:
                begun = wrap.call(f"loss_{word}", (*base, "work", *part), 4)
                rest = replace(stage, shares=stage.shares[len(before.shares) :])
                yield _Driver(self, here).stage(called, values, given, rest, begun)
            else:
                yield _Driver(self, here).stage(called, values, given, stage)
            if part:
                calls.append(Node("for part in prange(parts):", (Node(wrap.call(called, values, 8)),)))
            else:
                calls.append(Node(wrap.call(called, values, 4)))
        samples = "n" if plan.grain == 1 else f"n // {plan.grain}"
        limits = ("threads()", f"1 + {samples}", *((str(plan.shards),) if here.arena.scratch else ()))
        body = [*opening, Node(f"n = {given[plan.inputs[0]]}.shape[0]"), Node(f"parts = min({', '.join(limits)})")]
        body += [Node(f"{flat}[{start}:{stop}] = 0") for flat, start, stop in zeroed]
        body += calls
        self.used.add("threads")
        if result is not None:
            place = here.places[result]
            body.append(Node(f"return float(work[{affine(place.per_sample, 'n', place.fixed)}])"))
        yield Function(name, arguments, (), (*body, *closing), doc, parallel=True)

    def training(self, data: tuple[str, ...]) -> Iterable[Function]:
        """Yield the optimizer's step, and a step of training."""
        plan = self.plan
        if plan.update is not None:
            yield self.update(plan.update)
            passed = ", ".join(("params", *data, "grads", "work"))
            follow = (Node(f"update_statistics({', '.join(('params', *data, 'work'))})"),) if plan.statistics else ()
            yield Function(
                "train_step",
                ("params", *data, "grads", "state", "hyper", "work"),
                (),
                (
                    Node(f"value = value_and_grad({passed})"),
                    Node("if np.isfinite(value):", (*follow, Node("update(params, grads, state, hyper)"))),
                    Node("return value"),
                ),
                "Return the loss and do one step of the optimizer; a loss that is not finite changes nothing.",
            )
            if not plan.masks:
                yield self.epoch(data)

    def epoch(self, data: tuple[str, ...]) -> Function:
        """Return the entry that trains on all samples once."""
        parts = {argument: f"part_{argument}" for argument in data}
        step = wrap.call("train_step", ("params", *parts.values(), "grads", "state", "hyper", "work"), 16)
        chosen = tuple(Node(f"{part} = chosen({argument}, order[low:high], batch_{argument})") for argument, part in parts.items())
        body = (
            Node("total = 0.0"),
            Node(f"samples = {data[0]}.shape[0]"),
            Node(
                "for low in range(0, samples, size):",
                (
                    Node("high = min(low + size, samples)"),
                    *(Node(f"{part} = {argument}[low:high]") for argument, part in parts.items()),
                    Node("if order.size > 0:", chosen),
                    Node(f"value = {step}"),
                    Node("if not np.isfinite(value):", (Node("return value, low // size + 1"),)),
                    Node("total += value * (high - low)"),
                ),
            ),
            Node("return total, 0"),
        )
        self.used.add("chosen")
        doc = (
            "Do train_step once for every batch of size samples, in order or as they lie if order is empty; batch_… hold what is chosen.\n"
            "\n    Return the sum of the losses of all samples and 0, or a loss that is not finite and the number of its step.\n"
        )
        batches = tuple(f"batch_{argument}" for argument in data)
        arguments = ("params", *data, "order", "size", *batches, "grads", "state", "hyper", "work")
        return Function("epoch", arguments, (), body, f"{doc}    ", alone=True)

    def by_address(self, name: str, data: tuple[str, ...], written: tuple[str, ...]) -> Function:
        """Return the entry that does another one with the arrays whose addresses lie in a table."""
        plan = self.plan
        tensors = {text: plan.tensors[real] for real, text in self.data_names().items()}
        buffer = plan.size + sum(count(s.shape) for s in plan.statistics)
        shapes = {"params": f"{buffer},", "grads": f"{plan.size},", "work": "workspace(n),"}
        arguments = ("params", *data, *written, "work")
        body = [Node("n = whole_at(table, 0)")]
        for k, argument in enumerate(arguments, 1):
            tensor = tensors.get(argument.removeprefix("grads_"))
            behind = "" if tensor is None else ", ".join(map(str, tensor.shape[1:]))
            shape = shapes.get(argument, f"n, {behind}".rstrip())
            kind = "np.int64" if tensor is not None and tensor.integer else "real"
            body.append(Node(wrap.statement(f"{argument} = array_at({kind}, whole_at(table, {k}), ({shape}))", 4)))
        body.append(Node(wrap.statement(f"return {name}({', '.join(arguments)})", 4)))
        self.used |= {"whole_at", "array_at"}
        doc = f"Do {name}; from the address table on lie n and the addresses of {', '.join(arguments[:-1])} and work."
        return Function(f"{name}_at", ("table",), (), tuple(body), doc)

    def addressed(self, data: tuple[str, ...]) -> Iterable[Function]:
        """Yield the entry that tests the arrays of a call and writes their addresses; nothing where the caller draws masks."""
        plan = self.plan
        if plan.masks or not data:
            return
        names = {text: real for real, text in self.data_names().items()}
        buffer = plan.size + sum(count(s.shape) for s in plan.statistics)
        tests = [f"params.size != {buffer}", f"grads.size != {plan.size}"]
        for argument in data:
            tensor = plan.tensors[names[argument]]
            behind = "".join(f"{extent}, " for extent in tensor.shape[1:])
            tests.append(f"{argument}.shape != (n, {behind.rstrip(', ')})".replace(", )", ",)"))
        shared = [f"apart(grads, {argument})" for argument in ("params", *data)]
        if len(together := f"({' and '.join(shared)})") < wrap.LIMIT - 20:
            shared = [together]
        body = (
            Node(f"n = {data[0]}.shape[0]"),
            Node("if n < 1 or n > most:", (Node("return False"),)),
            *(Node(f"if {test}:", (Node("return False"),)) for test in tests),
            *(Node(f"if not {test}:", (Node("return False"),)) for test in shared),
            Node("table[0] = n"),
            *(Node(f"table[{k}] = {argument}.ctypes.data") for k, argument in enumerate(("params", *data, "grads"), 1)),
            Node("return True"),
        )
        self.used.add("apart")
        doc = "Write what value_and_grad_at reads of a call, all but work, into table, and return True if sizes fit and n is at most most."
        yield Function("addressed", ("params", *data, "grads", "table", "most"), (), body, doc)

    def workspace(self) -> str:
        """Return the text of how many elements of workspace a batch of n samples needs."""
        plan = self.plan
        if self.straight:
            return "0"
        if plan.parts == 1:
            return affine(plan.per_sample, "n", plan.fixed + plan.shards * plan.scratch)
        parts = f"{plan.parts} * ({affine(plan.per_sample, f'(-(-n // {plan.parts}))', plan.fixed)} + {plan.size + 1})"
        return _sum((1, parts), (plan.shards * plan.scratch, ""))

    def in_parts(self, name: str, data: tuple[str, ...], targets: tuple[str, ...], opening: tuple[Node, ...]) -> Function:
        """Return an entry that does a batch in parts, each in a workspace of its own and with a gradient of its own."""
        plan = self.plan
        parts, grads = plan.parts, targets == ("grads",)
        written = ("sums[part]",) if grads else tuple(f"{name}[low:high]" for name in targets)
        own = ("params", *(f"{name}[low:high]" for name in data), *written, "work[start : start + size]")
        body = [
            *opening,
            Node(f"n = {data[0]}.shape[0]"),
            # One call in the text for every number of samples: what is called is compiled with its caller, once for each call.
            Node(f"parts = {parts} if n >= {parts} else 1"),
            Node(f"size = {affine(plan.per_sample, '(-(-n // parts))', plan.fixed)}"),
            Node(f"values = work[parts * (size + {plan.size}) : parts * (size + {plan.size + 1})]"),
        ]
        inner = [
            Node("low, high, start = part * n // parts, (part + 1) * n // parts, part * size"),
            Node(wrap.statement(f"values[part] = {name}_of_part({', '.join(own)})", 8)),
        ]
        self.used.add("part_of")
        if grads:
            self.used |= {"mean_of_parts", "share", "threads", "view"}
            body.append(Node(f"sums = view(work, parts * size, (parts, {plan.size}))"))
        elif targets:
            self.used.add("scale")
            inner += [Node(f"scale({array}, part_of(n, part, parts))") for array in written]
        body.append(Node("for part in prange(parts):", tuple(inner)))
        if grads:
            shares = (
                Node("low, high = share(grads.size, part, ranges)"),
                Node("mean_of_parts(sums[:, low:high], n, grads[low:high])"),
            )
            body += [Node("ranges = threads()"), Node("for part in prange(ranges):", shares)]
        body += [
            Node("# A mean over the samples is the mean over the parts, each with the share of its samples."),
            Node("value = 0.0"),
            Node("for part in range(parts):", (Node("value += part_of(n, part, parts) * values[part]"),)),
            Node("return value"),
        ]
        doc = {
            "loss": "Return the loss of a batch; threads share the samples.",
            "value_and_grad": "Return the loss of a batch and write its gradients into grads; threads share the samples.",
            "input_gradients": "Return the loss of a batch and write its gradient with respect to the inputs; threads share the samples.",
        }[name]
        return Function(name, ("params", *data, *targets, "work"), (), tuple(body), doc, parallel=True)

    def signature(self, s: Signature) -> Function:
        names = self.data_names()
        arrays, tests = (*s.given, *s.written), prologue.opening_product(self.plan, names)
        return _Driver(self, self.plan.entry(s.name)).function(
            s.name,
            ("params", *names.values(), *(text for text, _ in arrays), "work"),
            {**names, **{tensor: text for text, tensor in arrays if tensor is not None}},
            f"{s.doc}{prologue.STATUS if tests else ''}.",
            zeroed=s.zeroed,
            opening=tests,
            closing=(Node("return 0"),) if tests else (),
        )

    def given(self, inputs: Sequence[str]) -> tuple[str, ...]:
        names = self.data_names()
        return tuple(names[x] for x in inputs)

    def data_names(self) -> dict[str, str]:
        names = Names(self.reserved | {"y", "value"})
        made = {x: names.of(x, x) for x in (*self.plan.inputs, *(m.name for m in self.plan.masks))}
        return made | ({self.plan.target: "y"} if self.plan.target else {})

    def frozen(self) -> tuple[tuple[str, int, int], ...]:
        derived = {p for p, _ in self.plan.gradients}
        return tuple(("grads", p.offset, p.offset + count(p.shape)) for p in self.plan.parameters if p.name not in derived)

    def update(self, step: OptimizerStep) -> Function:
        arrays = [name for name, kind in step.state if kind == "parameter"]
        scalars = [name for name, kind in step.state if kind == "scalar"]
        tensors = [s.access.tensor for s in step.elements if isinstance(s, Store)]
        given = {"params": "params", "grads": "grads"}
        kept = tuple(t for t in tensors if t.name in arrays)
        frame = Frame(kept, (), self.reserved | {"part", "value"}, single=self.single, fixed=given)
        size = frame.names.of("P", "P")
        frame.extents[step.index.extent] = size
        frame.given[step.index.extent] = size
        # Behind the parameters lie the running statistics, which no optimizer changes.
        body = [Node(f"{size} = grads.size" if self.plan.statistics else f"{size} = params.size")]
        for k, (name, _) in enumerate(step.hyper):
            body.append(Node(f"{frame.local(Local(name))} = hyper[{k}]"))
        for k, name in enumerate(arrays):
            start = f"{k} * {size}" if k > 1 else (size if k else "0")
            stop = size if k == 0 else f"{k + 1} * {size}"
            array = next((t for t in tensors if t.name == name), None)
            text = frame.array(array) if array is not None else name
            body.append(Node(f"{text} = state[{start}:{stop}]"))
        places = {name: f"{affine(len(arrays), size, k)}" for k, name in enumerate(scalars)}
        for name in scalars:
            body.append(Node(f"{frame.local(Local(name))} = float(state[{places[name]}])"))
        # What is the same for every entry is computed in float64, and cast once it meets an array.
        outer = frame.double()
        body += outer.nodes(step.scalars, 4)
        frame.cast = frozenset((*_defined(step.scalars), *(Local(n) for n, _ in step.hyper), *map(Local, scalars)))
        index = frame.index(step.index)
        inner = tuple(frame.nodes(step.elements, 12 if len(step.ranges) != 1 else 8))
        # Some eight operations for each entry, with what is read and written.
        plan = self.plan
        parallel = (plan.parts > 1 or bool(plan.entry("loss").stages)) and 8 * plan.size >= plan.machine.grain
        run = "prange" if parallel else "range"
        whole = step.ranges == ((0, sum(count(p.shape) for p in self.plan.parameters)),)
        if whole:
            body.append(Node(f"for {index} in {run}({size}):", inner))
        elif len(step.ranges) == 1:
            body.append(Node(f"for {index} in {run}({step.ranges[0][0]}, {step.ranges[0][1]}):", inner))
        elif step.ranges:
            loop = Node(f"for {index} in {run}(TRAINABLE[part][0], TRAINABLE[part][1]):", inner)
            body.append(Node("for part in range(len(TRAINABLE)):", (loop,)))
        for name, value in step.last:
            body.append(Node(f"state[{places[name]}] = {outer.printer.real(value)}"))
        self.used |= frame.printer.used | outer.printer.used
        headings = tuple(wrap.comment(heading(e), 4) for e in step.equations)
        if not any(_reads(node, size) for node in body[1:]):
            del body[0]
        arguments = ("params", "grads", "state", "hyper")
        doc = "Do one step of the optimizer with given gradients."
        return Function("update", arguments, headings, tuple(body), doc, parallel=parallel)


def _reads(node: Node, name: str) -> bool:
    return uses(node.text, name) or any(_reads(inner, name) for inner in node.body)


def _defined(statements: Sequence[Statement]) -> tuple[Local, ...]:
    return tuple(s.local for s in statements if isinstance(s, Let))


class _Driver:
    """Writes an entry: views of the flat buffers, then calls."""

    def __init__(self, writer: _Writer, entry: Entry) -> None:
        self.writer, self.entry = writer, entry

    def function(
        self,
        name: str,
        arguments: tuple[str, ...],
        given: Mapping[str, str],
        doc: str,
        *,
        result: str | None = None,
        first: str | None = None,
        zeroed: tuple[tuple[str, int, int], ...] = (),
        opening: tuple[Node, ...] = (),
        closing: tuple[Node, ...] = (),
        copied: tuple[tuple[int, int, str], ...] = (),
    ) -> Function:
        writer = self.writer
        if self.entry.name in writer.straight:
            written = Written(writer.straight[self.entry.name], writer.reserved, single=writer.single)
            found = written.function(name, arguments, given, doc, opening, closing)
            writer.used |= written.printer.used
            return found
        names = Names(writer.reserved | set(arguments) | {"value", "n"})
        for real, text in given.items():
            names.given[real] = text
        body: list[Node] = []
        views: list[Node] = []
        calls: list[Node] = []
        seen: set[str] = set(given)
        batch = False
        owner = ""
        for call in self.entry.calls:
            for real in call.names:
                if real not in seen:
                    seen.add(real)
                    place = self.entry.places[real]
                    batch = batch or place.per_sample > 0 or "N" in place.shape
                    views.append(Node(self.view(names.of(real, _plain(real)), place)))
            if call.owner.split(".")[0] != owner:
                owner = call.owner.split(".")[0]
                calls.append(Node(f"# {owner}"))
            batch = batch or "N" in call.integers
            passed = (*(names.of(real, real) for real in call.names), *("n" if i == "N" else str(i) for i in call.integers))
            calls.append(Node(wrap.call(writer.functions[call.kernel.name], passed, 4)))
        if batch:
            body.append(Node(f"n = {given[writer.plan.inputs[0]]}.shape[0]"))
        if first is not None:
            body.append(Node(f"value = {first}"))
        body += views
        body += [Node(f"{flat}[{start}:{stop}] = 0") for flat, start, stop in zeroed]
        body += calls
        for start, stop, tensor in copied:
            flat = names.of(tensor, tensor) + ("" if len(self.entry.places[tensor].shape) < 2 else ".ravel()")
            body.append(Node(f"params[{start}:{stop}] = {flat}"))
        if result is not None:
            body.append(Node(f"return float({names.of(result, result)}[0])"))
        elif first is not None:
            body.append(Node("return value"))
        return Function(name, arguments, (), (*opening, *body, *closing) or (Node("pass"),), doc)

    def stage(self, name: str, arguments: tuple[str, ...], given: Mapping[str, str], stage: Stage, begun: str | None = None) -> Function:
        """Return the function that does a part of a stage, after what ``begun`` says."""
        writer, entry = self.writer, self.entry
        names = Names(writer.reserved | set(arguments) | {"n", "m", "low", "high", "own", "scratch"})
        samples = stage.kind == "samples"
        for real, text in given.items():
            batched = real in entry.places and entry.places[real].shape[:1] == ("N",)
            names.given[real] = f"{text}[low:high]" if samples and batched else text
        views: list[Node] = []
        calls: list[Node] = []
        seen = set(given)
        owner, buffers = "", set()
        extent: int | str = 0
        alone = 0
        for share in stage.shares:
            call, passed = share.call, []
            for real, axis in zip(call.names, share.axes, strict=True):
                place = entry.places[real]
                buffers.add(place.buffer)
                if real not in seen:
                    seen.add(real)
                    views.append(Node((self.part if samples else self.view)(names.of(real, _plain(real)), place)))
                cut = ":, " * (axis or 0) + "low:high"
                passed.append(names.of(real, real) + (f"[{cut}]" if stage.kind == "rows" and axis is not None else ""))
            if call.owner.split(".")[0] != owner:
                owner = call.owner.split(".")[0]
                calls.append(Node(f"# {owner}"))
            if stage.kind == "rows" and share.extent and share.extent != extent:
                extent = share.extent
                calls.append(Node(f"low, high = share({extent}, part, parts)"))
            passed += ["n" if i == "N" else str(i) for i in call.integers]
            if stage.kind == "rows" and not share.extent:
                # One thread does all of it, another one the next.
                line = Node(wrap.call(writer.functions[call.kernel.name], tuple(passed), 8))
                calls.append(Node(f"if part == {f'{alone} % parts' if alone else 0}:", (line,)))
                alone += 1
                continue
            calls.append(Node(wrap.call(writer.functions[call.kernel.name], tuple(passed), 4)))
        body = [Node(begun)] if begun else []
        tops: list[Node] = []
        if any(share.extent for share in stage.shares):
            writer.used.add("share")
        if samples:
            body.append(Node("low, high = share(n, part, parts)"))
            if any(uses(node.text, "m") for node in views):
                tops.append(Node("m = high - low"))
            arena, plan = entry.arena, writer.plan
            if "own" in buffers:
                ends = (_sum((arena.per_sample - arena.own, "n"), (arena.own, end)) for end in ("low", "high"))
                tops.append(Node(f"own = work[{' : '.join(ends)}]"))
            if "scratch" in buffers:
                ends = (_sum((plan.per_sample, "n"), (plan.scratch, "part"), (plan.fixed + end, "")) for end in (0, arena.scratch))
                tops.append(Node(f"scratch = work[{' : '.join(ends)}]"))
        body = [*body, *tops, *views, *calls]
        if any(_reads(node, "n") for node in body):
            body.insert(0, Node(f"n = {given[writer.plan.inputs[0]]}.shape[0]"))
        doc = {
            "samples": "Do all that needs one sample only, for a part of the samples.",
            "rows": "Write a part of what is summed over the samples.",
            "once": "Write what is one number for the whole batch.",
        }[stage.kind]
        return Function(name, arguments, (), tuple(body), doc)

    def part(self, name: str, place: Place) -> str:
        """Return the line that gives the place of a shard's samples a name."""
        batched = "N" in place.shape
        entries = count(tuple(s for s in place.shape if isinstance(s, int)))
        if place.buffer not in ("own", "scratch") and not batched:
            return self.view(name, place)
        shape = tuple("m" if extent == "N" else str(extent) for extent in place.shape)
        if place.buffer == "own":
            start = affine(place.per_sample, "m", 0)
        else:
            start = _sum((place.per_sample, "n"), (entries if batched else 0, "low"), (place.fixed, ""))
        if len(shape) <= 1:
            stop = f"{start} + {(*shape, 1)[0]}"
            if place.buffer == "work":
                stop = _sum((place.per_sample, "n"), (int(batched), "high"), (place.fixed, ""))
            return f"{name} = {place.buffer}[{start} : {stop}]"
        self.writer.used.add("view")
        return f"{name} = view({place.buffer}, {start}, ({', '.join(shape)}))"

    def view(self, name: str, place: Place) -> str:
        buffer = place.buffer
        shape = tuple("n" if extent == "N" else str(extent) for extent in place.shape)
        start = affine(place.per_sample, "n", place.fixed)
        if len(shape) <= 1:
            batch = int(place.shape == ("N",))
            size = 0 if batch else int(place.shape[0] if place.shape else 1)
            return f"{name} = {buffer}[{start}:{affine(place.per_sample + batch, 'n', place.fixed + size)}]"
        self.writer.used.add("view")
        return f"{name} = view({buffer}, {start}, ({', '.join(shape)}))"


def _sum(*terms: tuple[int, str]) -> str:
    """Return the text of Σ factor · name; an empty name is 1."""
    words = [name if factor == 1 and name else f"{factor} * {name}" if name else str(factor) for factor, name in terms if factor]
    return " + ".join(words) or "0"


def _alike(one: Entry, other: Entry, stage: Stage) -> bool:
    """Whether what a stage uses lies at the same places in two entries."""
    names = {name for share in stage.shares for name in share.call.names}
    return one.arena == other.arena and all(one.places[name] == other.places.get(name) for name in names)


def _results(entry: Entry, given: Mapping[str, str], *stages: Stage) -> tuple[str, ...]:
    """Return the arguments of an entry that some of its stages write, or any of them."""
    found: dict[str, None] = {}
    for stage in stages or entry.stages:
        for call in (share.call for share in stage.shares):
            for real in call.written:
                buffer = entry.places[real].buffer
                if buffer == "grads":
                    found["grads"] = None
                elif buffer == "argument":
                    found[given[real]] = None
    return tuple(found)


def _plain(real: str) -> str:
    return real.split("@")[0].replace(".", "_")


__all__ = ["page"]
