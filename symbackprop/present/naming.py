"""What a tensor is called on paper: its role, its layer, and what it is a derivative of."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import sympy
from sympy import Expr

from symbackprop.algebra.nodes import Sum, Unspecified
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.model import LayerRecord, Model
from symbackprop.present.notation import Notation
from symbackprop.present.ranges import Axis, counted_from_zero

#: Roles that have a letter of their own in a `Notation`.
ROLES = (
    "input",
    "target",
    "pre",
    "activation",
    "output",
    "probability",
    "normalizer",
    "weight",
    "bias",
    "error",
    "loss",
    "sample_loss",
    "one_loss",
)
#: Ends the name of a tensor that has an entry 0 in front: inputs with their 1, weights with the bias in column 0. No name of a user
#: has a space.
EXTENDED = " from 0"


@dataclass(frozen=True)
class Layer:
    """Which layer: a number, the general layer l, the last one, or a name.

    Attributes:
        base: an int counts from the input (0); "general" and "last" are symbols; another string is a layer's own name.
        offset: added to it: l + 1.
        own: what is added to the input's number, or to the symbol, where activations count as layers; None if it is the same.
    """

    base: int | str
    offset: int = 0
    own: int | None = None

    def moved(self, by: int) -> Layer:
        """Return the layer that lies ``by`` further from the input."""
        return self if self.named else Layer(self.base, self.offset + by, None if self.own is None else self.own + by)

    @property
    def named(self) -> bool:
        """Whether it goes by its own name, without a number."""
        return isinstance(self.base, str) and self.base not in ("general", "last")


@dataclass(frozen=True)
class Name:
    """The name of a tensor on paper.

    Attributes:
        role: one of `ROLES`, or "word" for a name of the user's, or "gradient", "direction", "tangent", "jacobian", "penalty".
        layer: the layer that it belongs to; a weight belongs to the layer that it leads to.
        word: the user's name, for role "word"; what is differentiated, for a gradient of something else than the loss; the part of the
            loss, for role "loss".
        of: what it is a derivative (or direction) with respect to.
        top: what is differentiated, for role "jacobian".
        extended: it has an entry 0 in front; where biases are folded, what could have one and has not gets a bar.
        column: of a weight matrix: "0" is the one that holds the biases.
        rank: for role "jacobian", the number of axes of what is differentiated; None if it is not known.
        parameter: it is a parameter with a name of its own; it carries the number that weights carry.
        time: at which moment: t, t−1 or a number, counted from 1.
        block: which block of its rows is meant.
    """

    role: str
    layer: Layer | None = None
    word: str = ""
    of: Name | None = None
    top: Name | None = None
    extended: bool = False
    column: str = ""
    rank: int | None = None
    parameter: bool = False
    time: str = ""
    block: str = ""

    def rows(self, tensor: Tensor) -> int:
        """Return how many axes of a Jacobian belong to what is differentiated; the indices of the variable may have a prime."""
        if self.rank is not None:
            return self.rank
        return next((k for k, axis in enumerate(tensor.axes) if axis.name.endswith("'")), tensor.rank)


@dataclass(frozen=True)
class Affine:
    """A product with weights to which a bias is added: where it is folded, the three become one product.

    Attributes:
        weight: the name of the weights.
        bias: of the bias.
        input: of what is multiplied.
    """

    weight: Name
    bias: Name
    input: Name


@dataclass(frozen=True)
class Naming:
    """The names of a derivation's tensors, sizes and unspecified functions.

    Attributes:
        names: tensor name -> name on paper; a tensor that is not here goes by its own name.
        widths: a symbolic size -> the layer whose width it is.
        functions: the label of an unspecified function -> "function" or "output_function"; other labels stay as they are.
        batch: the size of the batch axis.
        loss: what is differentiated.
        affine: the affine maps, for notations that fold biases into weights.
        ranks: tensor name -> how many axes it has.
        model: the network whose tensors these are.
    """

    names: Mapping[str, Name] = field(default_factory=lambda: MappingProxyType({}))
    widths: Mapping[Expr, Layer] = field(default_factory=lambda: MappingProxyType({}))
    functions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"f": "function"}))
    batch: Expr | None = None
    loss: Name = field(default_factory=lambda: Name("loss"))
    affine: tuple[Affine, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    model: Model | None = field(default=None, repr=False, compare=False)

    def of(self, tensor: str) -> Name:
        """Return the name of a tensor: the given one, else one read from the tensor's own name."""
        if tensor in self.names:
            return self.names[tensor]
        if tensor.endswith(EXTENDED):
            return _extended(self.of(tensor.removesuffix(EXTENDED)))
        head, dot, rest = tensor.partition(".")
        if dot and head == "grad":
            return Name("gradient", of=self.of(rest))
        if dot and head == "delta":
            return Name("error", Layer(rest))
        if dot and head in ("hvp", "vjp"):
            # The Hessian-vector product is the gradient of s = Σ v ∂L, the vector-Jacobian product that of s = Σ u a.
            return Name("gradient", word="s", of=self.of(rest))
        if dot and head == "tangent":
            return Name("tangent", of=self.of(rest))
        if tensor.startswith("v_") or (tensor.startswith("u_") and tensor[2:] in self.names):
            return Name("direction", word=tensor[0], of=self.of(tensor[2:]))
        if tensor.startswith("d ") and "/d " in tensor:
            top, _, bottom = tensor.removeprefix("d ").partition("/d ")
            return Name("jacobian", top=self.of(top), of=self.of(bottom), rank=self.ranks.get(top))
        if dot:
            return Name("word", Layer(head), word=rest)
        return Name("word", word=tensor)

    @cached_property
    def from_zero(self) -> frozenset[Axis]:
        """The axes whose places are counted from 0, because some equation reckons with them; those of derivatives included."""
        if self.model is None:
            return frozenset()
        found = counted_from_zero(self.model.system.equations)
        slopes = {(f"grad.{name}", k) for name, k in found}
        pre = {r.pre: called(r) for r in self.model.layers if r.pre is not None}
        return found | slopes | {(f"delta.{pre[name]}", k) for name, k in found if name in pre}

    @cached_property
    def columns(self) -> Mapping[Name, Name]:
        """Where biases are folded: the bias -> column 0 of its weights."""
        return {a.bias: replace(a.weight, column="0") for a in self.affine}

    @cached_property
    def barred(self) -> Mapping[Name, None]:
        """Where biases are folded: what has an entry 0 in front when it is written without a bar."""
        return {name: None for a in self.affine for name in (a.weight, a.input)}


def _extended(name: Name) -> Name:
    return replace(name, of=_extended(name.of)) if name.of is not None else replace(name, extended=True)


def network_naming(model: Model) -> Naming:
    """Return the names of a network's tensors.

    In a chain of layers each is known by its number, counted from the input; in any other wiring, by its name.
    """
    names: dict[str, Name] = {}
    single = len(model.inputs) == 1
    for x in model.inputs:
        names[x] = Name("input") if single else Name("word", word=x)
    if model.target:
        names[model.target] = Name("target")
    chained = _is_chain(model)
    position = depth = 0
    weights = mixing(model)
    places: dict[str, Layer] = {}
    for record in model.layers:
        counts = record.pre is not None or not weights.isdisjoint(record.parameters)
        position += int(counts)
        depth += int(counts)
        here = there = Layer(position, own=depth) if chained else Layer(called(record))
        if record.pre is not None:
            names[record.pre] = Name("pre", here)
            names[f"delta.{called(record)}"] = Name("error", here)
        if record.output not in names:
            depth += int(record.pre is not None or record.kind == "Activation")
            there = Layer(position, own=depth) if chained else here
            names[record.output] = _output(record, there, names, chained, counts)
        for parameter in record.parameters:
            own = parameter.rpartition(".")[2]
            role = {"W": "weight", "b": "bias"}.get(own)
            names.setdefault(parameter, Name(role, here) if role else Name("word", here, word=own, parameter=True))
        places[called(record)] = here
    for tensor in model.system.tensors:
        layer, dot, word = tensor.partition(".")
        if dot and tensor not in names and layer in places:
            names[tensor] = Name("word", places[layer], word=word)
    for tensor in model.updates.tensors:
        layer, _, word = tensor.partition(".")
        if tensor not in names and layer in places:
            names[tensor] = Name("word", places[layer], word=word)
    for statistic in model.statistics:
        # Its next value has its own name: the update is an assignment.
        names[statistic.next] = names[statistic.name]
    last = names.get(model.outputs[0]) if chained and len(model.outputs) == 1 else None
    if last is not None and last.role == "activation":
        names[model.outputs[0]] = replace(last, role="output")
    whole = Name("one_loss" if model.per == "sample" else "loss")
    if model.loss is not None:
        names |= {model.loss: whole, "loss.p": Name("probability"), "loss.S": Name("normalizer"), "loss.data": Name("loss", word="data")}
        each = model.system.tensors.get("loss.L")
        names["loss.L"] = Name("one_loss" if model.per == "sample" and (each is None or not each.rank) else "sample_loss")
        for tensor in model.system.tensors:
            if tensor.startswith("loss.") and tensor not in names:
                names[tensor] = Name("word", word=tensor.partition(".")[2].replace("penalty_", "R_").replace("part_", "T_"))
    return Naming(
        names=names,
        functions=_functions(model),
        batch=model.batch,
        loss=whole,
        affine=_affine(model, names),
        ranks={name: tensor.rank for name, tensor in model.system.tensors.items()},
        model=model,
    )


def called(record: LayerRecord) -> str:
    """Return what a use of a layer is called: its name, and from the second use on the number."""
    return record.name if record.use == 1 else f"{record.name}_{record.use}"


def mixing(model: Model) -> frozenset[str]:
    """Return the parameters that mix units: some equation sums over one of their axes, or looks an entry up.

    A scale and a shift do not: they belong to the layer whose values they move.
    """
    known: dict[str, tuple[str, ...]] = {}
    found: set[str] = set()
    for block in model.system.blocks:
        key = block.template.key
        if key not in known:
            known[key] = tuple(
                a.tensor.name
                for e in block.template.equations
                for a in e.rhs.atoms(Access)
                if any(i.has(Access) or i.free_symbols - e.lhs.free_symbols for i in a.index)
            )
        found.update(block.names[slot] for slot in known[key])
    return frozenset(p.name for p in model.parameters) & found


def _affine(model: Model, names: Mapping[str, Name]) -> tuple[Affine, ...]:
    """Return the affine maps among a network's equations."""
    biases = {name for name, paper in names.items() if paper.role == "bias"}
    found = (affine_map(e.rhs, biases) for e in model.system.equations if any(t.name in biases for t in e.reads))
    # The weights of a recurrent layer are several, and its bias is no column of one of them; weights of three axes have no columns.
    kept = (f for f in found if f is not None and names[f[0].tensor.name].role == "weight" and f[0].tensor.rank == 2)
    return tuple(Affine(names[f[0].tensor.name], names[f[1].tensor.name], names[f[2].tensor.name]) for f in kept)


def affine_map(total: Expr, biases: Container[str]) -> tuple[Access, Access, Access] | None:
    """Return (W[i, j], b[i], x[.., j]) of Σ_j W[i, j] x[.., j] + b[i], or None for anything else."""
    if not isinstance(total, sympy.Add) or len(total.args) != 2:
        return None
    for bias, product in (total.args, total.args[::-1]):
        if not (isinstance(bias, Access) and bias.tensor.name in biases and isinstance(product, Sum) and len(product.bound) == 1):
            continue
        factors = [f for f in sympy.Mul.make_args(product.body) if isinstance(f, Access)]
        if len(factors) != 2 or len(sympy.Mul.make_args(product.body)) != 2:
            continue
        bound = product.bound[0]
        for weight, value in (factors, factors[::-1]):
            if weight.tensor.role == "parameter" and weight.index == (*bias.index, bound) and value.index[-1:] == (bound,):
                return weight, bias, value
    return None


def _is_chain(model: Model) -> bool:
    if len(model.inputs) != 1 or any(record.use > 1 for record in model.layers):
        return False
    value = model.inputs[0]
    for record in model.layers:
        if record.inputs != (value,) or record.others:
            return False
        value = record.output
    return True


def _output(record: LayerRecord, here: Layer, names: Mapping[str, Name], chained: bool, weighted: bool) -> Name:
    if record.pre is not None:
        return Name("activation", here)
    taken = Name("activation", here) in names.values()
    if chained and (record.kind == "Activation" or weighted) and not taken and here.base != 0:
        return Name("activation", here)
    own = record.output.rpartition(".")[2]
    return Name("activation", Layer(record.name)) if own == "a" and not chained else Name("word", Layer(record.name), word=own)


def _functions(model: Model) -> Mapping[str, str]:
    """One letter for the unspecified function of all layers, and one for the output layer if it has its own."""
    known: dict[str, tuple[str, ...]] = {}
    labels: list[str] = []
    for block in model.system.blocks:
        key = block.template.key
        if key not in known:
            known[key] = tuple(sorted({f.label for e in block.template.equations for f in e.rhs.atoms(Unspecified)}))
        labels.extend(known[key])
    distinct = list(dict.fromkeys(labels))
    if len(distinct) == 1:
        return {distinct[0]: "function"}
    if len(distinct) == 2 and labels.count(distinct[1]) == 1 and labels[-1] == distinct[1]:
        return {distinct[0]: "function", distinct[1]: "output_function"}
    return {}


def general_naming(
    notation: Notation,
    slots: Mapping[str, str],
    *,
    gradient: bool = False,
    output: bool = False,
    widths: Mapping[Expr, int] | None = None,
    batch: Expr | None = None,
    biases: bool = True,
) -> Naming:
    """Return names for an equation of the recursion over layers, in which a layer has the symbol l.

    Args:
        notation: decides which layer of the equation is called l: in a gradient it is the one that the weight carries.
        slots: tensor name -> role, with the layer after a colon, counted from the layer that the equation is about:
            ``{"delta": "error:0", "W": "weight:1", "delta_next": "error:1", "z": "pre:0"}``. A gradient is ``gradient weight:0``.
            What is no role is a name of its own.
        gradient: whether the equation gives a parameter's gradient.
        output: whether the equation is about the last layer, n_l.
        widths: a symbolic size -> the layer whose width it is, counted in the same way.
        batch: the size of the batch axis.
        biases: whether the layers have biases.
    """
    shift = -notation.weight_layer() if gradient else 0
    base = "last" if output else "general"

    def layer(offset: int, role: str = "") -> Layer:
        # Where activations count as layers, the layers with weights are two apart, and an activation comes right after.
        return Layer(base, offset + shift, 2 * offset + shift + int(role == "activation"))

    def name(written: str) -> Name:
        if written.startswith("gradient "):
            return Name("gradient", of=name(written.removeprefix("gradient ")))
        role, colon, offset = written.partition(":")
        where = layer(int(offset), role) if colon else None
        if role == "activation" and output and where is not None and int(offset) == 0:
            role = "output"
        return Name(role, where) if role in ROLES else Name("word", where, word=role)

    def affine(offset: int) -> Affine:
        below = f"pre:{offset - 1}" if offset == 0 and f"pre:{offset - 1}" in slots.values() else f"activation:{offset - 1}"
        return Affine(name(f"weight:{offset}"), name(f"bias:{offset}"), name(below))

    return Naming(
        names={tensor: name(written) for tensor, written in slots.items()},
        widths={size: layer(offset) for size, offset in (widths or {}).items()},
        batch=batch,
        loss=Name("one_loss"),
        affine=tuple(affine(offset) for offset in ((0,) if output else (0, 1))) if biases else (),
    )


__all__ = ["EXTENDED", "ROLES", "Affine", "Layer", "Name", "Naming", "affine_map", "called", "general_naming", "mixing", "network_naming"]
