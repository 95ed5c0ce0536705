"""The functions of a CUDA module that take arrays: forward, loss, gradients, statistics, and those of products with derivatives."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.emit.page import Function, Node
from symbackprop.emit.threads.context import Context, call, samples
from symbackprop.plan.records import Signature


class Entries:
    """Writes entries.

    Args:
        context: of the module.
    """

    def __init__(self, context: Context) -> None:
        self.context, self.plan = context, context.plan

    def functions(self) -> Iterator[Function]:
        """Yield the functions that take arrays."""
        plan, context = self.plan, self.context
        if plan.product is not None:
            yield self.product(plan.product)
            return
        given = context.arguments()
        inputs, outs = tuple(given[x] for x in plan.inputs), tuple(given[o] for o in plan.outputs)
        doc = "Write the network's output for a batch into out"
        status = ", or nothing if an input is out of range: then return its number, else 0" if context.ranged(plan.inputs) else ""
        body = [
            *context.tests(plan.inputs, "return {}"),
            samples(inputs),
            *context.taken(("params", *inputs)),
            *(Node(f"d_{o} = room({o}, {context.total(real)}, DTYPE)") for o, real in zip(outs, plan.outputs, strict=True)),
            context.workspace(),
            started("forward", "params", *inputs, *outs, "work"),
            *(Node(f"give(d_{o}, {o})") for o in outs),
            *([Node("return 0")] if status else []),
        ]
        yield Function("forward", ("params", *inputs, *outs, "work=None"), (), tuple(body), f"{doc}{status}.")
        if plan.loss is None:
            return
        data, target = context.data(), ("y",) if plan.target else ()
        if plan.has_entry("evaluation"):
            yield self.valued("evaluation", (*inputs, *target), "Return the loss of a batch in inference.")
        yield self.valued("loss", data, "Return the loss of a batch.")
        yield self.gradients(data)
        if plan.input_gradients:
            yield self.input_gradients(data)
        if plan.statistics:
            yield self.statistics(data)

    def product(self, one: Signature) -> Function:
        """Return the one function of a module of products with derivatives."""
        context, data = self.context, self.context.data()
        outs = tuple(name for name, _ in one.written)
        arguments = ("params", *data, *(name for name, _ in one.given))
        totals = [str(context.size) if tensor is None else context.total(tensor) for _, tensor in one.written]
        names = (*arguments, *outs, "work")
        body = [
            *context.tests(context.checked(), "return {}"),
            samples(data),
            *context.taken(arguments),
            *(Node(f"d_{name} = room({name}, {total}, DTYPE)") for name, total in zip(outs, totals, strict=True)),
            context.workspace(),
            started(one.name, *names),
            *(Node(f"give(d_{name}, {name})") for name in outs),
            Node("return 0"),
        ]
        doc = f"{one.doc}; return 0, or the number of an argument that is out of range."
        return Function(one.name, (*arguments, *outs, "work=None"), (), tuple(body), doc)

    def top(self, data: tuple[str, ...]) -> list[Node]:
        """Return the first lines of what gives a loss."""
        context = self.context
        return [*context.tests(context.checked(), "return math.nan"), samples(data), *context.taken(("params", *data))]

    def valued(self, entry: str, data: tuple[str, ...], doc: str) -> Function:
        """Return an entry that gives a loss."""
        body = [
            *self.top(data),
            self.context.workspace(),
            started(entry, "params", *data, "work"),
            Node(f"return number(d_work, {self.context.loss_place(entry)})"),
        ]
        return Function(entry, ("params", *data, "work=None"), (), tuple(body), doc)

    def gradients(self, data: tuple[str, ...]) -> Function:
        context = self.context
        body = [
            *self.top(data),
            context.gradients(),
            context.workspace(),
            started("value_and_grad", "params", *data, "grads", "work"),
            Node("give(d_grads, grads)"),
            Node(f"return number(d_work, {context.loss_place()})"),
        ]
        doc = "Return the loss of a batch and write its gradients into grads."
        return Function("value_and_grad", ("params", *data, "grads", "work=None"), (), tuple(body), doc)

    def input_gradients(self, data: tuple[str, ...]) -> Function:
        plan, context = self.plan, self.context
        given = context.arguments()
        targets = tuple(given[g] for _, g in plan.input_gradients)
        body = [
            *self.top(data),
            *(Node(f"d_{t} = room({t}, {context.total(g)}, DTYPE)") for t, (_, g) in zip(targets, plan.input_gradients, strict=True)),
            context.workspace(),
            started("input_gradients", "params", *data, *targets, "work"),
            *(Node(f"give(d_{t}, {t})") for t in targets),
            Node(f"return number(d_work, {context.loss_place()})"),
        ]
        doc = "Return the loss of a batch and write its gradient with respect to the inputs."
        return Function("input_gradients", ("params", *data, *targets, "work=None"), (), tuple(body), doc)

    def statistics(self, data: tuple[str, ...]) -> Function:
        names = ("params", *data, "work")
        body = [
            samples(data),
            *self.context.taken(("params", *data)),
            self.context.workspace(),
            started("statistics", *names),
            Node("give(d_params, params)"),
        ]
        doc = "Write the next running statistics into params; work, on the device, is as value_and_grad of the same batch left it."
        return Function("update_statistics", names, (), tuple(body), doc)


def started(what: str, *names: str) -> Node:
    """Return the line that starts some launches, recorded where that is possible, with arrays on the device."""
    return call("repeat", (), "1", f"launch_{what}", *(f"d_{name}" for name in names), "n")


__all__ = ["Entries"]
