"""A plan as the page of a module of whole arrays: one line of NumPy for each equation, under real names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.text import heading
from symbackprop.emit import prologue, wrap
from symbackprop.emit.names import RESERVED, Names
from symbackprop.emit.offsets import by_offsets
from symbackprop.emit.page import Function, Node, Page, affine, copies, count, head, signed, uses
from symbackprop.emit.vectorized import STEP, vectorized
from symbackprop.errors import ShapeError
from symbackprop.plan.naming import with_right_side
from symbackprop.plan.records import Call, Entry, OptimizerStep, Place, Plan, Signature

#: Stands around the name of a slot until the real tensor's name is put in.
_MARK = "\0"
#: Begins the name of a variable that no tensor has.
_OWN = "?"


def page(plan: Plan, template: str) -> Page:
    """Return a plan as text in pieces."""
    writer = _Writer(plan)
    entries = tuple(writer.entries())
    return Page(
        **head(plan, template),
        checked=bool(plan.ranges),
        workspace="0",
        runtime=(),
        mathematics=tuple(sorted(writer.used & {"erf", "erfc"})),
        scalars=tuple(sorted(writer.used & {"sigmoid", "softplus", "logsumexp"})),
        kernels=(),
        entries=entries,
        one="1.0",
        zero="0.0",
    )


@dataclass(frozen=True)
class _Line:
    """One equation as text; names of slots stand between marks.

    Attributes:
        title: its heading.
        slot: what it gives.
        code: its right side.
        reads: the slots that it reads.
        at: in a recurrence, which part of the array one step gives: ``[:, step]``.
        loop: in a recurrence, the line that opens the loop over the steps; lines of one loop follow each other.
        shape: in a recurrence, the shape of the whole array.
        before: the lines that give what the right side reads besides.
        after: the loops that fill what the right side begins.
        fill: the number that they begin with.
    """

    title: str
    slot: str
    code: str
    reads: tuple[str, ...]
    at: str = ""
    loop: str = ""
    shape: str = ""
    before: tuple[Node, ...] = ()
    after: tuple[Node, ...] = ()
    fill: str = ""


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.used: set[str] = set()
        self.lines: dict[Any, tuple[_Line, ...]] = {}

    def entries(self) -> Iterable[Function]:
        plan = self.plan
        names = Names(RESERVED | signed(plan) | {"y", "value", "n"})
        data = {x: names.of(x, x) for x in plan.inputs}
        if plan.product is not None:
            data |= {m.name: names.of(m.name, m.name) for m in plan.masks} | ({plan.target: "y"} if plan.target else {})
            yield self.signature(plan.product, data)
            return
        outs = tuple(f"out_{k}" if len(plan.outputs) > 1 else "out" for k in range(1, len(plan.outputs) + 1))
        inputs = tuple(data[x] for x in plan.inputs)
        target = {plan.target: "y"} if plan.target else {}
        yield from prologue.check(plan, data | target)
        tests, opening = prologue.opening_forward(plan, data), prologue.opening(plan, data | target)
        yield self.function(
            "forward",
            ("params", *inputs, *outs, "work=None"),
            plan.entry("forward"),
            {**data},
            dict(zip(plan.outputs, outs, strict=True)),
            f"Write the network's output for a batch into out{prologue.STATUS if tests else ''}.",
            opening=tests,
            closing=(Node("return 0"),) if tests else (),
        )
        if plan.loss is None:
            return
        if plan.has_entry("evaluation"):
            yield self.function(
                "evaluation",
                ("params", *data.values(), *target.values(), "work=None"),
                plan.entry("evaluation"),
                data | target,
                {},
                "Return the loss of a batch in inference.",
                result=plan.loss,
                opening=opening,
            )
        data |= {m.name: names.of(m.name, m.name) for m in plan.masks}
        data |= target
        given = tuple(data.values())
        yield self.function(
            "loss",
            ("params", *given, "work=None"),
            plan.entry("loss"),
            data,
            {},
            "Return the loss of a batch.",
            result=plan.loss,
            opening=opening,
        )
        gradients = {g: None for _, g in plan.gradients}
        derived = {p for p, _ in plan.gradients}
        zeroed = tuple(("grads", p.offset, p.offset + count(p.shape)) for p in plan.parameters if p.name not in derived)
        yield self.function(
            "value_and_grad",
            ("params", *given, "grads", "work=None"),
            self.both("backward"),
            data,
            gradients,
            "Return the loss of a batch and write its gradients into grads.",
            result=plan.loss,
            zeroed=zeroed,
            opening=opening,
        )
        if plan.input_gradients:
            targets = {g: f"grads_{data[x]}" for x, g in plan.input_gradients}
            yield self.function(
                "input_gradients",
                ("params", *given, *targets.values(), "work=None"),
                self.both("input_gradients"),
                data,
                targets,
                "Return the loss of a batch and write its gradient with respect to the inputs.",
                result=plan.loss,
                opening=opening,
            )
        if plan.statistics:
            yield self.function(
                "update_statistics",
                ("params", *given, "work=None"),
                self.both("statistics"),
                data,
                {},
                "Write the next running statistics into params: those of before, and those of this batch.",
                copied=copies(plan),
            )
        if plan.update is not None:
            yield self.update(plan.update)
            passed = ", ".join(("params", *given, "grads", "work"))
            follow = (Node(f"update_statistics({', '.join(('params', *given, 'work'))})"),) if plan.statistics else ()
            yield Function(
                "train_step",
                ("params", *given, "grads", "state", "hyper", "work=None"),
                (),
                (
                    Node(f"value = value_and_grad({passed})"),
                    Node("if np.isfinite(value):", (*follow, Node("update(params, grads, state, hyper)"))),
                    Node("return value"),
                ),
                "Return the loss and do one step of the optimizer; a loss that is not finite changes nothing.",
            )

    def signature(self, s: Signature, data: Mapping[str, str]) -> Function:
        arrays, tests = (*s.given, *s.written), prologue.opening_product(self.plan, data)
        flat = {text for text, tensor in s.written if tensor is None}
        entry = self.plan.entry(s.name)
        written: dict[str, str | None] = {name: None for name, place in entry.places.items() if place.buffer in flat}
        return self.function(
            s.name,
            ("params", *data.values(), *(text for text, _ in arrays), "work=None"),
            entry,
            {**data, **{tensor: text for text, tensor in s.given if tensor is not None}},
            {**written, **{tensor: text for text, tensor in s.written if tensor is not None}},
            f"{s.doc}{prologue.STATUS if tests else ''}.",
            zeroed=s.zeroed,
            opening=tests,
            closing=(Node("return 0"),) if tests else (),
        )

    def both(self, name: str) -> Entry:
        """Return the calls of the loss and of what comes after it."""
        entry = self.plan.entry(name)
        return Entry(name, (*self.plan.entry("loss").calls, *entry.calls), entry.places)

    def function(
        self,
        name: str,
        arguments: tuple[str, ...],
        entry: Entry,
        data: Mapping[str, str],
        written: Mapping[str, str | None],
        doc: str,
        *,
        result: str | None = None,
        zeroed: Sequence[tuple[str, int, int]] = (),
        opening: tuple[Node, ...] = (),
        closing: tuple[Node, ...] = (),
        copied: Sequence[tuple[int, int, str]] = (),
    ) -> Function:
        names = Names(RESERVED | {"y", "value", "n", STEP} | {a.removesuffix("=None") for a in arguments})
        for real, text in (*data.items(), *written.items()):
            if text is not None:
                names.given[real] = text
        places = entry.places
        s = self.plan.product
        flats = ("grads",) if s is None else tuple(text for text, tensor in (*s.given, *s.written) if tensor is None)
        lines = self.live(entry, (*written, *((result,) if result else ()), *(tensor for _, _, tensor in copied)))
        read = dict.fromkeys(call.slots[slot] for call, line in lines for slot in (*line.reads, line.slot))
        seen = [real for buffer in ("params", *flats) for real in read if real in places and places[real].buffer == buffer]
        views = [Node(self.view(names.of(real, real), places[real])) for real in seen]
        body: list[Node] = []
        owner = ""
        batch = False
        inside: Call | None = None
        for call, line in lines:
            if call.owner.split(".")[0] != owner:
                owner = call.owner.split(".")[0]
                body.append(Node(f"# {owner}"))
            real = call.slots[line.slot]
            text = _filled(line.code, call, names)
            before, after = (_lines(part, call, names, 4) for part in (line.before, line.after))
            batch = batch or any(uses(piece, "n") for piece in (text + line.shape, *_texts((*before, *after))))
            title = Node(wrap.comment(_filled(line.title, call, names), 8 if line.loop else 4))
            if line.loop:
                if real not in written:
                    body.insert(len(body) - int(inside is call), Node(f"{names.of(real, real)} = np.empty({line.shape}, params.dtype)"))
                step = (title, Node(wrap.statement(f"{names.of(real, real)}{line.at} = {text}", 8)))
                if body and body[-1].text == line.loop and inside is call:
                    body[-1] = Node(line.loop, (*body[-1].body, *step))
                else:
                    body.append(Node(line.loop, step))
                inside = call
                continue
            body += (title, *before)
            left = f"{names.of(real, real)}[...]" if real in written else names.of(real, real)
            body += (Node(wrap.statement(f"{left} = {line.fill if line.fill and real in written else text}", 4)), *after)
        if batch:
            views.insert(0, Node(f"n = {data[self.plan.inputs[0]]}.shape[0]"))
        views += [Node(f"{flat}[{start}:{stop}] = 0") for flat, start, stop in zeroed]
        for start, stop, tensor in copied:
            flat = names.of(tensor, tensor) + ("" if len(places[tensor].shape) < 2 else ".ravel()")
            body.append(Node(f"params[{start}:{stop}] = {flat}"))
        if result is not None:
            body.append(Node(f"return float({names.of(result, result)})"))
        return Function(name, arguments, (), (*opening, *views, *body, *closing), doc)

    def live(self, entry: Entry, wanted: Sequence[str]) -> list[tuple[Call, _Line]]:
        """Return the lines that some tensors need, in order: what the loops fuse is a line of its own here."""
        open_names = set(wanted)
        kept: list[tuple[Call, _Line]] = []
        for call in reversed(entry.calls):
            lines = self.translated(call, entry.places)
            # Of a loop over steps all lines are needed, or none.
            units = [lines] if any(line.loop for line in lines) else [(line,) for line in reversed(lines)]
            for unit in units:
                if any(call.slots[line.slot] in open_names for line in unit):
                    kept += [(call, line) for line in reversed(unit)]
                    open_names.update(call.slots[slot] for line in unit for slot in line.reads)
        return kept[::-1]

    def translated(self, call: Call, places: Mapping[str, Place]) -> tuple[_Line, ...]:
        """Return a line for each equation of a call."""
        values: dict[Expr, Expr] = {}
        for real, t in zip(call.names, call.kernel.arguments, strict=True):
            if "@" in real:
                continue
            for extent, value in zip(t.shape, places[real].shape, strict=True):
                if extent.is_Symbol and isinstance(value, int):
                    values[extent] = sympy.Integer(value)
        for symbol, value in zip(call.kernel.integers, call.integers, strict=True):
            if isinstance(value, int):
                values[symbol] = sympy.Integer(value)
        key = (call.kernel.name, tuple(sorted((str(k), str(v)) for k, v in values.items())))
        if key not in self.lines:
            made = []
            for strand in strands(tuple(_sized(e, values) for e in call.kernel.body.equations)):
                if isinstance(strand, Recurrence):
                    made += [self.step(strand, number) for number in range(len(strand.equations))]
                    continue
                made.append(self.line(strand))
            self.lines[key] = tuple(made)
        return self.lines[key]

    def line(self, e: Equation) -> _Line:
        """Return an equation as one line, its windows as loops over their offsets."""
        title, reads = heading(_marked(e)), tuple(t.name for t in e.reads)
        loops = by_offsets(e, _slot, _size, _local)
        if loops is not None:
            self.used |= set(loops.used)
            return _Line(title, e.tensor.name, loops.start, reads, after=loops.body, fill=loops.fill)
        before: list[Node] = []
        rhs = e.rhs
        if not isinstance(rhs, nodes.Reduction | nodes.ArgMax):
            for number, inner in enumerate(_outermost(rhs), 1):
                axes = tuple(a for a in e.lhs.index if a in inner.free_symbols)
                t = Tensor(f"{_OWN}window_{number}", axes)
                try:
                    loops = by_offsets(Equation(t[axes or ()], inner), _slot, _size, _local)
                except ShapeError:
                    # It reads in range only under the guard that stands before it.
                    continue
                if loops is not None:
                    self.used |= set(loops.used)
                    before += (Node(f"{_slot(t.name)} = {loops.start}"), *loops.body)
                    rhs = rhs.xreplace({inner: t[axes or ()]})
        code, used = vectorized(with_right_side(e, rhs), _slot, _size)
        self.used |= set(used)
        return _Line(title, e.tensor.name, code, reads, before=tuple(before))

    def step(self, recurrence: Recurrence[Equation], number: int) -> _Line:
        """Return the line that does one step of an equation of a recurrence."""
        e, place = recurrence.equations[number], recurrence.places[number]
        code, used = vectorized(e, _slot, _size, recurrence.index(number))
        self.used |= set(used)
        end = _size(recurrence.extent)
        return _Line(
            heading(_marked(e)),
            e.tensor.name,
            code,
            tuple(t.name for t in e.reads),
            at=f"[{':, ' * place}{STEP}]",
            loop=f"for {STEP} in {f'reversed(range({end}))' if recurrence.descending else f'range({end})'}:",
            shape=f"({', '.join(_size(i.extent) for i in e.lhs.index)},)",
        )

    def view(self, name: str, place: Place) -> str:
        stop = place.fixed + count(tuple(int(s) for s in place.shape))
        text = f"{name} = {place.buffer}[{place.fixed}:{stop}]"
        return text if len(place.shape) == 1 else f"{text}.reshape({', '.join(map(str, place.shape)) or '()'})"

    def update(self, step: OptimizerStep) -> Function:
        names = Names(RESERVED | {"start", "stop"})
        arrays = [name for name, kind in step.state if kind == "parameter"]
        scalars = [name for name, kind in step.state if kind == "scalar"]
        behind = bool(self.plan.statistics)
        names.given |= {"w": names.of("weights", "weights") if behind else "params", "g": "grads"}
        size = names.of("P", "P")
        body = [Node(f"{size} = grads.size" if behind else f"{size} = params.size")]
        body += [Node(f"{names.of(name, name)} = float(hyper[{k}])") for k, (name, _) in enumerate(step.hyper)]
        for k, name in enumerate(arrays):
            body.append(Node(f"{names.of(name, name)} = state[{affine(k, size, 0)}:{affine(k + 1, size, 0)}]"))
        for k, name in enumerate(scalars):
            body.append(Node(f"{names.of(name, name)} = float(state[{affine(len(arrays), size, k)}])"))
        if behind:
            body.append(Node(f"{names.of('w', 'w')} = params[:{size}]"))
        for e in step.equations:
            code, used = vectorized(e, lambda slot: names.of(slot, slot), lambda extent: size)
            self.used |= set(used)
            body.append(Node(wrap.comment(heading(e), 4)))
            body.append(Node(wrap.statement(f"{names.of(e.tensor.name, e.tensor.name)} = {code}", 4)))
        stored = [name for name in ("w", *arrays) if any(e.tensor.name == f"{name}_next" for e in step.equations)]
        total = sum(count(p.shape) for p in self.plan.parameters)
        if step.ranges == ((0, total),):
            body += [Node(f"{names.of(name, name)}[...] = {names.of(f'{name}_next', name)}") for name in stored]
        else:
            part = "{}:{}".format(*step.ranges[0]) if len(step.ranges) == 1 else "start:stop"
            lines = tuple(Node(f"{names.of(name, name)}[{part}] = {names.of(f'{name}_next', name)}[{part}]") for name in stored)
            body += lines if len(step.ranges) == 1 else [Node("for start, stop in TRAINABLE:", lines)]
        for k, name in enumerate(scalars):
            body.append(Node(f"state[{affine(len(arrays), size, k)}] = {names.of(f'{name}_next', name)}"))
        if not any(uses(node.text, size) for node in body[1:]):
            del body[0]
        arguments = ("params", "grads", "state", "hyper")
        return Function("update", arguments, (), tuple(body), "Do one step of the optimizer with given gradients.")


def _marked(e: Equation) -> Equation:
    """Return an equation with marks around the names of its tensors."""
    tensors = (e.tensor, *e.reads)
    return e.xreplace({t: Tensor(f"{_MARK}{t.name}{_MARK}", t.axes, t.role, integer=t.integer, positive=t.positive) for t in tensors})


def _filled(text: str, call: Call, names: Names) -> str:
    """Return a text with the real names in place of the marked slots."""

    def real(slot: str) -> str:
        if slot.startswith(_OWN):
            return names.of(slot, slot.removeprefix(_OWN))
        return names.of(call.slots[slot], call.slots[slot])

    return "".join(real(part) if k % 2 else part for k, part in enumerate(text.split(_MARK)))


def _lines(nodes_: Iterable[Node], call: Call, names: Names, indent: int) -> tuple[Node, ...]:
    """Return lines with the real names, each broken where it is long."""
    return tuple(
        Node(wrap.statement(_filled(line.text, call, names), indent), _lines(line.body, call, names, indent + 4)) for line in nodes_
    )


def _texts(lines: Iterable[Node]) -> Iterable[str]:
    for line in lines:
        yield line.text
        yield from _texts(line.body)


def _outermost(e: Expr) -> list[Expr]:
    """Return the reductions of an expression that lie in no other, in order."""
    if isinstance(e, nodes.Reduction | nodes.ArgMax):
        return [e]
    return list(dict.fromkeys(inner for a in sorted(e.args, key=sympy.default_sort_key) if isinstance(a, Expr) for inner in _outermost(a)))


def _sized(e: Equation, values: Mapping[Expr, Expr]) -> Equation:
    """Return an equation with numbers for its sizes, the batch apart."""
    if not values:
        return e
    swap: dict[Any, Any] = dict(values)
    indices: set[Index] = {*e.lhs.index, *bound_indices(e.rhs)}
    for t in (e.tensor, *e.reads):
        indices |= set(t.axes)
    swap.update({i: Index(i.name, i.extent.xreplace(dict(values))) for i in indices})
    for t in (e.tensor, *e.reads):
        swap[t] = Tensor(t.name, tuple(swap[a] for a in t.axes), t.role, integer=t.integer, positive=t.positive)
    return e.xreplace(swap)


def _slot(name: str) -> str:
    return f"{_MARK}{name}{_MARK}"


def _local(name: str) -> str:
    return _slot(f"{_OWN}{name}")


def _size(extent: Expr) -> str:
    return str(extent) if extent.is_Integer else "n"


__all__ = ["page"]
