"""What all parts of a CUDA module share: names of kernels and arrays, places of results, lines that stand in many functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symbackprop.declare.dimension import BATCH
from symbackprop.emit import wrap
from symbackprop.emit.names import RESERVED, Names
from symbackprop.emit.page import Node, affine, count, signed, state_size
from symbackprop.plan.device.records import DevicePlan
from symbackprop.plan.records import Plan

#: Names that a CUDA module uses for itself; its kernels take buffers under their own names.
_TAKEN = (RESERVED - {"params", "grads", "work", "state", "hyper", "out"}) | {
    *("cuda", "device", "jit", "launch", "ld4", "st4", "take", "room", "give", "number", "fill", "zeros", "repeat", "matmul"),
    *("math", "int32", "float32", "float64", "sign", "gather", "keep_statistics", "fill_table", "update_scalars", "update_entries"),
    *("launch_forward", "launch_loss", "launch_value_and_grad", "launch_input_gradients", "launch_statistics", "launch_training"),
    *("launch_evaluation", "launch_step", "launch_train_step", "launch_table", "launch_update", "train_steps"),
    *("SIGNATURES", "FLOAT64", "SCHEDULE", "MATH", "real", "uint32", "opaque"),
    *("register_tile", "multiply_add", "store_row"),
}
#: Names that functions of the module have for what they take besides the arrays of a batch.
_ARGUMENTS = frozenset(
    {"y", "value", "n", "k", "row", "number", "order", "size", "shuffled", "samples", "count"}
    | {"table", "losses", "place", "history", "step"}
)


class Context:
    """The plan of a module, and what its kernels are called and take.

    Attributes:
        names: of kernels in the module, by their names in the plan.
        reserved: names that nothing in a kernel may have.
        signatures: types of the arguments of each kernel.
        doubles: names of kernels that compute in float64 whatever the type of the module is.
        size: number of parameters.
        state_size: numbers of the optimizer's state.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.single = plan, plan.dtype == "float32"
        device = plan.device
        assert isinstance(device, DevicePlan)
        self.device = device
        names = Names(_TAKEN | signed(plan))
        kernels = (*(k.name for k in device.kernels), *(joint.name for joint in device.joints))
        self.names = {name: names.of(name, name) for name in kernels}
        self.reserved = frozenset(names.taken)
        self.signatures: dict[str, tuple[str, ...]] = {}
        self.doubles: list[str] = []
        self.size = sum(count(p.shape) for p in plan.parameters)
        self.state_size = state_size(plan)

    @property
    def real(self) -> str:
        """The type of arrays of real numbers, as compilers have it."""
        return f"{self.plan.dtype}[::1]"

    def note(self, name: str, types: Sequence[str]) -> None:
        """Remember what a kernel takes, for tools that compile it without a call."""
        self.signatures[name] = tuple(f'"{t}"' for t in types)

    def arguments(self) -> dict[str, str]:
        """Return what the arrays of entries are called, by tensor."""
        plan = self.plan
        names = Names(self.reserved | _ARGUMENTS)
        made = {x: names.of(x, x) for x in (*plan.inputs, *(m.name for m in plan.masks))}
        made |= {plan.target: "y"} if plan.target else {}
        outs = tuple(f"out_{k}" if len(plan.outputs) > 1 else "out" for k in range(1, len(plan.outputs) + 1))
        made |= dict(zip(plan.outputs, outs, strict=True))
        if plan.product is not None:
            made |= {tensor: array for array, tensor in (*plan.product.given, *plan.product.written) if tensor is not None}
        return made | {g: f"grads_{made[x]}" for x, g in plan.input_gradients}

    def data(self) -> tuple[str, ...]:
        """Return the names of the arrays of a batch."""
        given, plan = self.arguments(), self.plan
        return (*(given[x] for x in (*plan.inputs, *(m.name for m in plan.masks))), *(("y",) if plan.target else ()))

    def whole(self) -> set[str]:
        """Return the names of arrays of integers."""
        return {text for real, text in self.arguments().items() if self.plan.tensors[real].integer}

    def type_of(self, name: str) -> str:
        """Return the type of an array, as text for the host."""
        return '"int64"' if name in self.whole() else "DTYPE"

    def loss_place(self, entry: str = "loss") -> str:
        """Return where the loss lies in the workspace."""
        plan = self.plan
        assert plan.loss is not None
        place = plan.entry(entry).places[plan.loss]
        return affine(place.per_sample, "n", place.fixed)

    def frozen(self) -> tuple[tuple[int, int], ...]:
        """Return where the gradients of parameters lie that are not trained."""
        derived = {p for p, _ in self.plan.gradients}
        return tuple((p.offset, p.offset + count(p.shape)) for p in self.plan.parameters if p.name not in derived)

    def total(self, real: str, samples: str = "n") -> str:
        """Return how many entries a tensor of a batch has."""
        shape = self.plan.tensors[real].shape
        fixed = count(tuple(int(e) for e in shape if e.is_Integer))
        batched = any(str(e) == BATCH for e in shape)
        return affine(fixed, samples, 0) if batched else str(fixed)

    # Lines

    def taken(self, names: Iterable[str]) -> Iterator[Node]:
        """Yield the lines that bring arrays to the device."""
        for name in names:
            yield Node(f"d_{name} = take({name}, {self.type_of(name)})")

    def workspace(self) -> Node:
        """Return the line that takes workspace."""
        return Node("d_work = room(work, workspace(n), DTYPE)")

    def gradients(self) -> Node:
        """Return the line that takes the array of gradients."""
        return Node(f"d_grads = room(grads, {self.size}, DTYPE)")

    def checked(self) -> tuple[str, ...]:
        """Return the tensors that are looked at before a call."""
        return (*self.plan.inputs, *((self.plan.target,) if self.plan.target else ()))

    def ranged(self, tensors: Sequence[str]) -> bool:
        """Whether one of some tensors holds labels or tokens."""
        return any(name in tensors for name, _, _ in self.plan.ranges)

    def tests(self, tensors: Sequence[str], result: str) -> Iterator[Node]:
        """Yield the lines that end a call whose labels or tokens are out of range, for these are addresses."""
        given = self.arguments()
        ends = {name: (least, most) for name, least, most in self.plan.ranges}
        for number, x in enumerate(tensors, 1):
            if x in ends:
                yield Node(f"if not in_range({given[x]}, {ends[x][0]}, {ends[x][1]}):", (Node(result.format(number)),))


def call(function: str, names: Sequence[str], *others: str) -> Node:
    """Return the line that calls a function with arrays on the device, and with what else it takes."""
    return Node(wrap.call(function, (*(f"d_{name}" for name in names), *others), 4))


def samples(data: Sequence[str]) -> Node:
    """Return the line that tells the size of a batch, from the first array of data; equations that read none have no batch."""
    return Node(f"n = {data[0]}.shape[0]" if data else "n = 1")


__all__ = ["Context", "call", "samples"]
