"""What a tensor is called on paper: its role, its layer, and what it is a derivative of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sympy import Expr

from symbackprop.algebra.nodes import Unspecified
from symbackprop.declare.model import LayerRecord, Model
from symbackprop.present.notation import Notation

#: Roles that have a letter of their own in a `Notation`.
ROLES = (
    "input",
    "target",
    "pre",
    "activation",
    "probability",
    "weight",
    "bias",
    "error",
    "loss",
    "sample_loss",
)


@dataclass(frozen=True)
class Layer:
    """Which layer: a number, the general layer l, the last one, or a name.

    Attributes:
        base: an int counts from the input (0); "general" and "last" are symbols; another string is a layer's own name.
        offset: added to it: l + 1.
    """

    base: int | str
    offset: int = 0

    def moved(self, by: int) -> Layer:
        """Return the layer that lies ``by`` further from the input."""
        return self if self.named else Layer(self.base, self.offset + by)

    @property
    def named(self) -> bool:
        """Whether it goes by its own name, without a number."""
        return isinstance(self.base, str) and self.base not in ("general", "last")


@dataclass(frozen=True)
class Name:
    """The name of a tensor on paper.

    Attributes:
        role: one of `ROLES`, or "word" for a name of the user's, or "gradient", "direction", "jacobian".
        layer: the layer that it belongs to; a weight belongs to the layer that it leads to.
        word: the user's name, for role "word"; what is differentiated, for a gradient of something else than the loss.
        of: what it is a derivative (or direction) with respect to.
        top: what is differentiated, for role "jacobian".
    """

    role: str
    layer: Layer | None = None
    word: str = ""
    of: Name | None = None
    top: Name | None = None


@dataclass(frozen=True)
class Naming:
    """The names of a derivation's tensors, sizes and unspecified functions.

    Attributes:
        names: tensor name -> name on paper; a tensor that is not here goes by its own name.
        widths: a symbolic size -> the layer whose width it is.
        functions: the label of an unspecified function -> "function" or "output_function"; other labels stay as they are.
        batch: the size of the batch axis.
        loss: what is differentiated.
    """

    names: Mapping[str, Name] = field(default_factory=lambda: MappingProxyType({}))
    widths: Mapping[Expr, Layer] = field(default_factory=lambda: MappingProxyType({}))
    functions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"f": "function"}))
    batch: Expr | None = None
    loss: Name = field(default_factory=lambda: Name("loss"))

    def of(self, tensor: str) -> Name:
        """Return the name of a tensor: the given one, else one read from the tensor's own name."""
        if tensor in self.names:
            return self.names[tensor]
        head, dot, rest = tensor.partition(".")
        if dot and head == "grad":
            return Name("gradient", of=self.of(rest))
        if dot and head == "delta":
            return Name("error", Layer(rest))
        if dot and head == "hvp":
            # The Hessian-vector product is the gradient of s = Σ v ∂L.
            return Name("gradient", word="s", of=self.of(rest))
        if tensor.startswith("v_"):
            return Name("direction", of=self.of(tensor.removeprefix("v_")))
        if tensor.startswith("d ") and "/d " in tensor:
            top, _, bottom = tensor.removeprefix("d ").partition("/d ")
            return Name("jacobian", top=self.of(top), of=self.of(bottom))
        if dot:
            return Name("word", Layer(head), word=rest)
        return Name("word", word=tensor)


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
    position = 0
    places: dict[str, Layer] = {}
    for record in model.layers:
        position += int(record.pre is not None)
        called = record.name if record.use == 1 else f"{record.name}_{record.use}"
        here = Layer(position) if chained else Layer(called)
        if record.pre is not None:
            names[record.pre] = Name("pre", here)
            names[f"delta.{called}"] = Name("error", here)
        if record.output not in names:
            names[record.output] = _output(record, here, names, chained)
        for parameter in record.parameters:
            own = parameter.rpartition(".")[2]
            role = {"W": "weight", "b": "bias"}.get(own)
            names.setdefault(parameter, Name(role, here) if role else Name("word", here, word=own))
        places[called] = here
    for tensor in model.system.tensors:
        layer, dot, word = tensor.partition(".")
        if dot and tensor not in names and layer in places:
            names[tensor] = Name("word", places[layer], word=word)
    if model.loss is not None:
        names |= {model.loss: Name("loss"), "loss.p": Name("probability"), "loss.data": Name("word", word="L_data")}
        names["loss.L"] = Name("loss" if model.per == "sample" else "sample_loss")
        for tensor in model.system.tensors:
            if tensor.startswith("loss.") and tensor not in names:
                names[tensor] = Name("word", word=tensor.partition(".")[2].replace("penalty_", "R_").replace("part_", "T_"))
    return Naming(names=names, functions=_functions(model), batch=model.batch)


def _is_chain(model: Model) -> bool:
    if len(model.inputs) != 1 or any(record.use > 1 for record in model.layers):
        return False
    value = model.inputs[0]
    for record in model.layers:
        if record.inputs != (value,):
            return False
        value = record.output
    return True


def _output(record: LayerRecord, here: Layer, names: Mapping[str, Name], chained: bool) -> Name:
    if record.pre is not None:
        return Name("activation", here)
    taken = Name("activation", here) in names.values()
    if chained and record.kind == "Activation" and not taken and here.base != 0:
        return Name("activation", here)
    return Name("word", Layer(record.name), word=record.output.rpartition(".")[2])


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
    """
    shift = 1 if gradient and notation.weight_of == "source" else 0
    base = "last" if output else "general"

    def layer(offset: int) -> Layer:
        return Layer(base, offset + shift)

    def name(written: str) -> Name:
        if written.startswith("gradient "):
            return Name("gradient", of=name(written.removeprefix("gradient ")))
        role, colon, offset = written.partition(":")
        where = layer(int(offset)) if colon else None
        return Name(role, where) if role in ROLES else Name("word", where, word=role)

    return Naming(
        names={tensor: name(written) for tensor, written in slots.items()},
        widths={size: layer(offset) for size, offset in (widths or {}).items()},
        batch=batch,
    )


__all__ = ["ROLES", "Layer", "Name", "Naming", "general_naming", "network_naming"]
