"""What a template lays out: functions, lines and constants as text. Records, and the text of small things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbackprop.emit import wrap
from symbackprop.plan.records import Plan


@dataclass(frozen=True)
class Node:
    """A line, or a line that opens a block."""

    text: str
    body: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function of the module.

    Attributes:
        name: of it.
        arguments: in order.
        headings: the equations that it computes, as comments.
        body: its lines.
        doc: one line for its docstring, or empty.
        parallel: whether threads share a loop of it.
        alone: whether Python's other threads may run meanwhile.
        once: whether it stays a function of its own in compiled callers.
    """

    name: str
    arguments: tuple[str, ...]
    headings: tuple[str, ...]
    body: tuple[Node, ...]
    doc: str = ""
    parallel: bool = False
    alone: bool = False
    once: bool = False

    @property
    def signature(self) -> str:
        """Name and arguments, over several lines where they are long."""
        return wrap.call(self.name, self.arguments, 5)


@dataclass(frozen=True)
class Head:
    """What templates of all modules lay out: who the network is, and its constants."""

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


@dataclass(frozen=True)
class Page(Head):
    """All that the template of a module for a processor lays out."""

    workspace: str
    runtime: tuple[str, ...]
    mathematics: tuple[str, ...]
    scalars: tuple[str, ...]
    kernels: tuple[Function, ...]
    entries: tuple[Function, ...]
    one: str
    zero: str
    checked: bool
    #: Whether all that is checked has one axis.
    flat: bool = False


def head(plan: Plan, template: str) -> dict[str, Any]:
    """Return the fields of a `Head`, for the page that is one."""
    step = plan.update
    return {
        "network": plan.name,
        "template": template,
        "digest": plan.digest,
        "data": _data_words(plan),
        "dtype": plan.dtype,
        "batch": plan.batch,
        "parameters": tuple(f'("{p.name}", {p.offset}, {_shape(p.shape)})' for p in plan.parameters),
        "statistics": tuple(f'("{s.name}", {s.offset}, {_shape(s.shape)}, {s.initial!r})' for s in plan.statistics),
        "masks": tuple(f'("{m.name}", {_shape(m.shape)}, {m.keep!r})' for m in plan.masks),
        "state_size": str(state_size(plan)),
        "hyper": tuple(f'("{name}", {value!r})' for name, value in (step.hyper if step else ())),
        "trainable": tuple(f"({start}, {stop})" for start, stop in (step.ranges if step else ())),
    }


def state_size(plan: Plan) -> int:
    """Return how many numbers the state of a plan's optimizer has."""
    kinds = [kind for _, kind in (plan.update.state if plan.update else ())]
    return kinds.count("parameter") * sum(count(p.shape) for p in plan.parameters) + kinds.count("scalar")


def signed(plan: Plan) -> frozenset[str]:
    """Return the names that the function of a module of products has for itself."""
    if plan.product is None:
        return frozenset()
    return frozenset((plan.product.name, *(name for name, _ in (*plan.product.given, *plan.product.written))))


def _data_words(plan: Plan) -> str:
    """Return what the arrays of a batch hold, as sentences."""
    ends = {name: f"integers from {least} to {most}" for name, least, most in plan.ranges}
    words = [f"{name} holds {ends[name]}." for name in plan.inputs if name in ends]
    if plan.target is not None:
        y = plan.tensors[plan.target]
        shape = ", ".join(map(str, y.shape[1:]))
        each = f"an array of shape ({shape}) for" if y.rank > 2 else f"{shape} numbers for" if shape not in ("", "1") else "one number for"
        words.append(f"y has {each} each sample{', ' + ends[plan.target] if plan.target in ends else ''}.")
    return " ".join(words)


def affine(factor: int, name: str, fixed: int) -> str:
    """Return the text of ``factor * name + fixed``."""
    words = []
    if factor:
        words.append(name if factor == 1 else f"{factor} * {name}")
    if fixed or not words:
        words.append(str(fixed))
    return " + ".join(words)


def count(shape: tuple[int, ...]) -> int:
    """Return the number of entries of an array."""
    total = 1
    for extent in shape:
        total *= extent
    return total


def uses(text: str, name: str) -> bool:
    """Whether a name occurs in code as a word of its own; comments do not count."""
    code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return name in "".join(c if c.isalnum() or c == "_" else " " for c in code).split()


def copies(plan: Plan) -> tuple[tuple[int, int, str], ...]:
    """Return where each running statistic lies in ``params``, start and stop, and the tensor of its next value."""
    return tuple((s.offset, s.offset + count(s.shape), s.next) for s in plan.statistics)


def _shape(shape: tuple[int, ...]) -> str:
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


__all__ = ["Function", "Head", "Node", "Page", "affine", "copies", "count", "head", "signed", "state_size", "uses"]
