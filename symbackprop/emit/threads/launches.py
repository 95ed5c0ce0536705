"""The kernels of a plan as text, and the functions that start them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Poly

from symbackprop.algebra.index import Size
from symbackprop.algebra.text import heading
from symbackprop.declare.dimension import BATCH
from symbackprop.emit import wrap
from symbackprop.emit.page import Function, Node, affine, copies
from symbackprop.emit.threads.context import Context
from symbackprop.emit.threads.frame import FLAT, DeviceFrame
from symbackprop.emit.threads.kernel import BLOCK, KernelText, grid
from symbackprop.emit.threads.product import ProductText, registers
from symbackprop.emit.threads.product import page as page_of_product
from symbackprop.plan.device.records import DeviceKernel, External, Joint, Launch, Product
from symbackprop.plan.records import Place

#: What is done by one call, with the docstring of the function that starts it.
_DOCS = {
    "forward": "Start the forward pass of n samples.",
    "evaluation": "Start the loss of n samples in inference.",
    "loss": "Start the loss of n samples.",
    "value_and_grad": "Start the loss and the gradients of n samples.",
    "input_gradients": "Start the loss and the gradients of n samples with respect to the inputs.",
    "statistics": "Start the next running statistics; workspace is as the gradients of n samples left it.",
    "training": "Start the loss, the gradients and the next running statistics of n samples.",
}


class Launches:
    """Writes kernels and their launches.

    Args:
        context: of the module.
    """

    def __init__(self, context: Context) -> None:
        self.context, self.device = context, context.device
        #: Names of kernels that others call, instead of being launched.
        self.parts = {part.kernel.name for joint in self.device.joints for part in joint.parts}
        #: How many registers a thread of a kernel may have, by its name, where the plan counts on that.
        self.registers: dict[str, int] = {}

    def kernels(self) -> Iterator[Function | ProductText]:
        """Yield the kernels of all entries in the order of their first use, parts before the joint kernels that call them."""
        waiting = {joint.name: {part.kernel.name for part in joint.parts} for joint in self.device.joints}
        for k in self.device.kernels:
            if not isinstance(k.phase, External):
                yield self.kernel(k)
            for joint in self.device.joints:
                if joint.name in waiting:
                    waiting[joint.name].discard(k.name)
                    if not waiting[joint.name]:
                        del waiting[joint.name]
                        yield self.joint(joint)

    def kernel(self, k: DeviceKernel) -> Function | ProductText:
        """Return a kernel, or a part of others."""
        context, given = self.context, self.context.arguments()
        part = k.name in self.parts
        named = replace(k, name=context.names[k.name], buffers=tuple(given.get(b, b) for b in k.buffers))
        made: Function | ProductText
        if isinstance(k.phase, Product):
            made = page_of_product(named, context.reserved, single=context.single, part=part)
            if made.registers is not None and not part:
                self.registers[named.name] = made.registers
        else:
            made = KernelText(named, context.reserved, single=context.single, part=part).function(named.name)
        if not part:
            frame = self.frame(k)
            types = (*self.types(k), *("int32" for _ in frame.offset), "int32")
            context.note(named.name, types)
        return made

    def joint(self, joint: Joint) -> Function:
        """Return a kernel whose blocks do the work of several others."""
        context = self.context
        name = context.names[joint.name]
        types = {b: t for part in joint.parts for b, t in zip(self.buffers(part.kernel), self.types(part.kernel), strict=True)}
        body = [Node("block = int32(cuda.blockIdx.x)")]
        ends = [f"end_{k}" for k in range(1, len(joint.parts))]
        before = ""
        for end, part in zip(ends, joint.parts, strict=False):
            blocks = grid(part.kernel, "N", joint.threads)[0]
            body.append(Node(f"{end} = int32({before}{blocks})"))
            before = f"{end} + "
        first = ""
        for k, (part, places) in enumerate(zip(joint.parts, joint.places, strict=True)):
            frame = self.frame(part.kernel)
            offsets = []
            for tensor, place in zip(part.kernel.tensors, places, strict=True):
                if tensor.name in frame.offset:
                    assert place is not None
                    offsets.append(f"int32({affine(place.per_sample, 'N', place.fixed)})")
            block = f"int32(block - {first})" if first else "block"
            arguments = (block, *self.buffers(part.kernel), *offsets, "N")
            indent = 8 if ends else 4
            line = Node(wrap.call(context.names[part.kernel.name], arguments, indent))
            if not ends:
                body.append(line)
            elif k < len(ends):
                body.append(Node(f"{'elif' if k else 'if'} block < {ends[k]}:", (line,)))
                first = ends[k]
            else:
                body.append(Node("else:", (line,)))
        context.note(name, (*types.values(), "int32"))
        words = [context.names[part.kernel.name] for part in joint.parts]
        tiles = [part.kernel.phase.tile for part in joint.parts if isinstance(part.kernel.phase, Product)]
        limits = [registers(tile, single=context.single, joint=True) for tile in tiles]
        if known := [limit for limit in limits if limit is not None]:
            self.registers[name] = min(known)
        doc = f"Do {words[0]}." if len(words) == 1 else f"Do {', '.join(words[:-1])} and {words[-1]}, each by blocks of its own."
        if len(doc) > wrap.LIMIT - 10:
            doc = f"Do {len(words)} kernels, each by blocks of its own."
        return Function(name, (*types, "N"), (), tuple(body), doc)

    def frame(self, k: DeviceKernel) -> DeviceFrame:
        """Return the names of a kernel's arguments."""
        given = self.context.arguments()
        return DeviceFrame(k.tensors, tuple(given.get(b, b) for b in k.buffers), self.context.reserved, single=self.context.single)

    def buffers(self, k: DeviceKernel) -> tuple[str, ...]:
        """Return the names of the arrays that a kernel takes."""
        given = self.context.arguments()
        return tuple(dict.fromkeys(given.get(b, b) for b in k.buffers))

    def types(self, k: DeviceKernel) -> tuple[str, ...]:
        """Return the types of the arrays that a kernel takes."""
        whole = {b for t, b in zip(k.tensors, k.buffers, strict=True) if t.integer}
        given = self.context.arguments()
        kinds = {given.get(b, b): "int64[::1]" if b in whole else self.context.real for b in k.buffers}
        return tuple(kinds.values())

    # Launches

    def functions(self) -> Iterator[Function]:
        """Yield for each thing that is done by one call the function that starts it."""
        context, plan, given = self.context, self.context.plan, self.context.arguments()
        outs = tuple(given[o] for o in plan.outputs)
        inputs = tuple(given[x] for x in plan.inputs)
        target, data = ("y",) if plan.target else (), context.data()
        takes = {
            "forward": (*inputs, *outs),
            "evaluation": (*inputs, *target),
            "loss": data,
            "value_and_grad": (*data, "grads"),
            "input_gradients": (*data, *(given[g] for _, g in plan.input_gradients)),
            "statistics": data,
            "training": (*data, "grads"),
        }
        docs = dict(_DOCS)
        if plan.product is not None:
            takes[plan.product.name] = (*data, *(name for name, _ in (*plan.product.given, *plan.product.written)))
            docs[plan.product.name] = f"Start {plan.product.name} for n samples."
        for entry, launches in self.device.entries.items():
            body = [*self.started(entry, launches), *self.besides(entry)]
            arguments = ("params", *takes[entry], "work", "n")
            yield Function(f"launch_{entry}", arguments, (), tuple(body) or (Node("pass"),), docs[entry])

    def started(self, entry: str, launches: Sequence[Launch | Joint]) -> Iterator[Node]:
        """Yield the lines that start some launches."""
        plan, given = self.context.plan, self.context.arguments()
        source = {"value_and_grad": "backward", "training": "statistics"}.get(entry, entry)
        places = {**plan.entry(source).places, **self.device.places}
        owner = ""
        for one in launches:
            first = one.parts[0] if isinstance(one, Joint) else one
            if first.call.owner.split(".")[0] != owner:
                owner = first.call.owner.split(".")[0]
                yield Node(f"# {owner}")
            if isinstance(one, Joint):
                yield Node(self.joint_launch(one))
            elif isinstance(one.kernel.phase, External):
                yield from (Node(wrap.comment(heading(e), 4)) for e in one.kernel.equations)
                yield Node(self.external(one, one.kernel.phase, places, given))
            else:
                yield Node(self.launch(one, places))

    def besides(self, entry: str) -> Iterator[Node]:
        """Yield the lines that follow the launches of an entry."""
        plan = self.context.plan
        if entry in ("value_and_grad", "training"):
            yield from (Node(f"fill(grads[{start}:{stop}], 0)") for start, stop in self.context.frozen())
        if entry in ("statistics", "training"):
            yield from self.kept()
        if plan.product is not None:
            yield from (Node(f"fill({name}[{start}:{stop}], 0)") for name, start, stop in plan.product.zeroed)

    def launch(self, one: Launch, places: Mapping[str, Place]) -> str:
        """Return the line that starts a kernel."""
        k, frame = one.kernel, self.frame(one.kernel)
        blocks, threads = grid(k, "n")
        offsets = []
        for tensor, real in zip(k.tensors, one.names, strict=True):
            if tensor.name in frame.offset:
                place = places[real]
                offsets.append(affine(place.per_sample, "n", place.fixed))
        return wrap.call("launch", (self.context.names[k.name], blocks, threads, *self.buffers(k), *offsets, "n"), 4)

    def joint_launch(self, joint: Joint) -> str:
        """Return the line that starts a joint kernel."""
        blocks = " + ".join(grid(part.kernel, "n", joint.threads)[0] for part in joint.parts)
        buffers = dict.fromkeys(b for part in joint.parts for b in self.buffers(part.kernel))
        return wrap.call("launch", (self.context.names[joint.name], blocks, str(joint.threads), *buffers, "n"), 4)

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

    def kept(self) -> Iterator[Node]:
        """Yield the lines that write the next running statistics behind the parameters."""
        plan, loss = self.context.plan, self.context.loss_place()
        places = plan.entry("statistics").places
        for start, stop, tensor in copies(plan):
            place = places[tensor]
            there = affine(place.per_sample, "n", place.fixed)
            blocks = -(-(stop - start) // BLOCK)
            arguments = ("keep_statistics", str(blocks), str(BLOCK), "params", "work", str(start), there, str(stop - start), loss)
            yield Node(wrap.call("launch", arguments, 4))


def _polynomial(e: Expr, name: str) -> str:
    """Return a number that depends on the number of samples, as text for the host."""
    coefficients = [int(c) for c in Poly(e, Size(BATCH)).all_coeffs()]
    if len(coefficients) < 3:
        return affine(sum(coefficients[:-1]), name, coefficients[-1])
    *higher, least = coefficients
    inner = _polynomial(sum(c * Size(BATCH) ** k for k, c in enumerate(reversed(higher))), name)
    return affine(1, f"{name} * ({inner})", least)


__all__ = ["Launches"]
