"""The anatomy of a neuron: inputs, weights, their sum, the activation, the output."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.model import Model
from symbackprop.errors import DeclarationError
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.letters import upright_word
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.notation import notation as named_notation
from symbackprop.present.scene.boxes import extent
from symbackprop.present.scene.network import Labels, settled
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words
from symbackprop.present.writer import Latex, Unicode

STYLES = ("units", "cell")
_MOST = 5
_PITCH = 1.15


def neuron_scene(model: Model, notation: str | Notation = "ufldl", *, style: str = "units") -> Scene:
    """Return the picture of a single neuron.

    Args:
        model: a network of one dense layer with one unit, for one sample.
        notation: a preset's name or a record.
        style: "units" draws a circle with Σ and a box with the activation; "cell" writes the whole sum into the body of the cell.

    Raises:
        DeclarationError: an unknown style, or a network that is no single neuron.
    """
    if style not in STYLES:
        raise DeclarationError(f"picture of a neuron: style must be one of {', '.join(STYLES)}, got {str(style)[:40]!r}")
    layer = model.layers[0] if len(model.layers) == 1 else None
    if layer is None or layer.kind != "Dense" or layer.pre is None or model.system.tensors[layer.pre].axes[-1].extent != 1:
        raise DeclarationError(f"picture of a neuron: network {model.name} must be one Dense layer with one unit")
    if model.per != "sample":
        raise DeclarationError(f"picture of a neuron: give network {model.name} for one sample, model(per='sample')")
    record = named_notation(notation)
    # A neuron's weights are a vector: its letter is small.
    small = replace(record, weight=record.weight.lower() if len(record.weight) == 1 else record.weight, weight_matrix="")
    weight, bias = layer.parameters[0], layer.parameters[1] if len(layer.parameters) > 1 else None
    names = {model.inputs[0]: Name("input"), weight: Name("weight"), layer.output: Name("activation"), layer.pre: Name("pre")}
    labels = Labels(small, Naming(names | ({bias: Name("bias")} if bias else {})))
    folded = small.folded and bias is not None

    extents = model.system.tensors[model.inputs[0]].axes[-1].extent
    size = labels.size(extents)
    count = int(extents) if extents.is_Integer else 0
    last = (str(count), str(count)) if count else (size.plain, size.latex)
    plain = [(str(i), str(i)) for i in range(1, count + 1)] if 0 < count <= _MOST else [*((i, i) for i in "123"), ("", ""), last]
    rows = ([("0", "0")] if folded else []) + plain + ([("bias", "bias")] if bias and not folded else [])

    def entry(role: str, index: tuple[str, str]) -> Label:
        return Label(labels.name(Name(role), (index[0],)).plain, labels.name(Name(role), (index[1],)).latex)

    top = _PITCH * (len(rows) - 1) / 2
    # The rows of inputs, then the sum, then what comes of it, from left to right.
    body = Label("Σ", r"\Sigma") if style == "units" else _sum(model, layer.pre, labels)
    wide = 1.1 if style == "units" else extent(body)[0] + 0.7
    middle = 2.6 + wide / 2
    nodes = [
        Node(
            "sum",
            body,
            middle,
            0.0,
            "circle" if style == "units" else "rounded",
            wide,
            1.1 if style == "units" else 1.3,
            "hidden",
            title="weighted sum",
        )
    ]
    edges = []
    for r, index in enumerate(rows):
        y = top - r * _PITCH
        if not index[0]:
            nodes.append(Node("dots", Label("⋮", r"\vdots"), 0.0, y, "none", title="further inputs"))
            continue
        steady = index[0] in ("bias", "0")
        label = Label("+1", "+1") if index[0] == "bias" else entry("input", index)
        name = f"x{r}"
        title = "always 1" if steady else ""
        nodes.append(Node(name, label, 0.0, y, width=0.9, height=0.9, role="bias" if steady else "input", title=title))
        factor = labels.name(Name("bias")) if index[0] == "bias" else entry("weight", index)
        edges.append(Edge(name, "sum", (Mark(factor, "on", 0.4, "parameter"),)))
    right = middle + wide / 2
    if layer.activation is not None and layer.pre != layer.output:
        latex = Latex().function(layer.activation)
        # A picture needs no package but tikz, and so no \operatorname.
        function = Label(Unicode().function(layer.activation), upright_word(layer.activation) if "operatorname" in latex else latex)
        long = max(1.0, extent(function)[0] + 0.5)
        nodes.append(Node("activation", function, right + 1.2 + long / 2, 0.0, "rounded", long, 1.0, "gate", title="activation"))
        edges.append(Edge("sum", "activation", (Mark(labels.name(Name("pre")), "above"),)))
        right += 1.2 + long
    out = labels.name(names[layer.output])
    nodes.append(Node("output", out, right + 1.4, 0.0, width=0.9, height=0.9, role="output"))
    edges.append(Edge(nodes[-2].id if nodes[-2].id == "activation" else "sum", "output"))
    low = -top - 0.8
    words = [("inputs", 0.0), ("weights", 1.35), ("sum", middle), ("output", right + 1.4)]
    words += [("activation", n.x) for n in nodes if n.id == "activation"]
    captions = tuple(Words(Label(text), x, low, "north", "muted") for text, x in sorted(words, key=lambda w: w[1]))
    return settled(Scene(f"{model.name}: a neuron", tuple(nodes), tuple(edges), captions))


def _sum(model: Model, pre: str, labels: Labels) -> Label:
    """Write the weighted sum as the network's own equation has it, without the index of its single unit."""
    equation = next(e for e in model.system.equations if e.tensor.name == pre)

    def lean(access: Access) -> Access:
        kept = [k for k, axis in enumerate(access.tensor.axes) if axis.extent != 1 or axis.name == "j"]
        tensor = Tensor(access.tensor.name, tuple(access.tensor.axes[k] for k in kept), access.tensor.role)
        return Access(tensor, *(access.index[k] for k in kept))

    slim = Equation(lean(equation.lhs), equation.rhs.xreplace({a: lean(a) for a in equation.rhs.atoms(Access)}))
    plain, latex = (write(slim, labels.naming, notation=labels.notation) for write in (plain_equation, latex_equation))
    return Label(plain.partition(" = ")[2], latex.partition(" = ")[2])


__all__ = ["STYLES", "neuron_scene"]
