"""A plan as the page of a CUDA module: its kernels, and for each entry the launches that do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from symbackprop.emit.page import Function, Head, Node, affine, head
from symbackprop.emit.threads import header
from symbackprop.emit.threads.context import Context
from symbackprop.emit.threads.entries import Entries
from symbackprop.emit.threads.launches import Launches
from symbackprop.emit.threads.product import ProductText
from symbackprop.emit.threads.training import Training
from symbackprop.plan.records import Plan


@dataclass(frozen=True)
class DevicePage(Head):
    """All that the template of a CUDA module lays out."""

    workspace: str
    schedule: str
    schedule_words: str
    kernels: tuple[Function | ProductText, ...]
    launches: tuple[Function, ...]
    entries: tuple[Function, ...]
    signatures: tuple[str, ...]
    doubles: tuple[str, ...]
    #: Names of kernels that others call, instead of being launched.
    parts: frozenset[str]
    #: How many registers a thread of a kernel may have, where the plan counts on that.
    registers: Mapping[str, int]
    #: How exact float32 is.
    accuracy: str
    #: Whether a runtime file belongs beside it.
    runtime: bool = True
    #: Gives the statements that import what a text uses.
    imports: Callable[[str, str], str] = header.imports


def page(plan: Plan, template: str) -> DevicePage:
    """Return a plan as text in pieces."""
    context = Context(plan)
    launches = Launches(context)
    training = Training(context, plan.update) if plan.update is not None else None
    texts = (*launches.kernels(), *_statistics(context), *(training.kernels() if training else ()))
    functions = (*launches.functions(), *(training.functions() if training else ()))
    entries = (*Entries(context).functions(), *(training.entries_functions() if training else ()))
    return DevicePage(
        **head(plan, template),
        workspace=affine(context.device.per_sample, "n", context.device.fixed),
        schedule=context.device.schedule,
        schedule_words=header.prose(f"Schedule: {context.device.schedule}; {context.device.reason}."),
        kernels=texts,
        launches=functions,
        entries=entries,
        signatures=header.signatures(context.signatures),
        doubles=tuple(f'"{name}"' for name in context.doubles),
        parts=frozenset(context.names[name] for name in launches.parts),
        registers=launches.registers,
        accuracy=context.device.accuracy,
    )


def _statistics(context: Context) -> Iterator[Function]:
    """Yield the kernel that keeps running statistics, where there are any."""
    if not context.plan.statistics:
        return
    body = (
        Node("k = int32(cuda.grid(1))"),
        Node("if k < count and math.isfinite(work[loss]):", (Node("params[start + k] = work[place + k]"),)),
    )
    doc = "Write next running statistics where the statistics lie, if the loss is finite."
    real = context.real
    context.note("keep_statistics", (real, real, "int32", "int32", "int32", "int32"))
    yield Function("keep_statistics", ("params", "work", "start", "place", "count", "loss"), (), body, doc)


__all__ = ["DevicePage", "page"]
