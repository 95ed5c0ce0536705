"""From a declared network to its system of equations.

A layer type is written out once, in slot names and with symbolic sizes; every layer of the network is a `Block` that says
which tensors and sizes stand in the slots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sympy import Expr, Integer

from symbackprop.algebra.bound import bound_indices
from symbackprop.algebra.equation import Block, Equation, Fact, System, Template
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Reduction
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.activations import ActivationSpec
from symbackprop.declare.dimension import BATCH, Dimension, Shape, extent
from symbackprop.declare.layers import LAYERS
from symbackprop.declare.layers.wiring import Layer, axis_names, output_names
from symbackprop.declare.losses import Loss
from symbackprop.declare.model import LayerRecord, Model, Statistic
from symbackprop.declare.own import input_tensors, read_layer
from symbackprop.declare.regularizers import applies
from symbackprop.declare.spec import CallSpec, LayerSpec, NetworkSpec
from symbackprop.errors import DeclarationError, DerivationError

#: The batch size.
N = Size(BATCH)

#: What the name of a running statistic's next value ends in.
NEXT = "_next"

#: Above this many penalties, partial sums are named, so that no equation grows with the depth of the network.
MAX_TERMS = 16


@dataclass(frozen=True)
class LayerTemplate:
    """A layer type in slot names.

    Attributes:
        template: its equations.
        inputs: slots of the inputs, in order.
        sizes: for each input the symbols of its axes without the batch; empty where the template has the sizes of one use.
        options: symbol of each size option.
        parameters: slots of the parameters, in order.
        output: slot of the output; of the first one, if the layer names several.
        pre: slot of the error term, or None.
        unread: parameters that no equation reads at these sizes, as the layer declares them.
        masks: slots of random inputs.
        state: slots of running statistics that are read.
        updates: the equations of their next values, or None.
    """

    template: Template
    inputs: tuple[str, ...]
    sizes: tuple[tuple[Expr, ...], ...]
    options: tuple[tuple[str, Size], ...]
    parameters: tuple[str, ...]
    output: str
    pre: str | None
    unread: tuple[Tensor, ...] = ()
    masks: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    updates: Template | None = None


def lower(spec: NetworkSpec, target: str | None = None, per: str = "batch", loss: bool = True, mode: str = "training") -> Model:
    """Return a network's system of equations.

    Args:
        spec: the network.
        target: "labels" or "rows"; None takes the usual form for the loss.
        per: "batch", or "sample" for the equations of one sample, without batch axis, 1/N and regularizer.
        loss: False leaves the loss out.
        mode: "training", or "inference" for the equations that predict.

    Raises:
        DeclarationError: the loss does not take targets of that form.
        DerivationError: a layer mixes the samples of a batch, and ``per`` is "sample".
    """
    if mode not in ("training", "inference"):
        raise DeclarationError(f"mode must be 'training' or 'inference', got {mode!r}")
    if per not in ("batch", "sample"):
        raise DeclarationError(f"per must be 'batch' or 'sample', got {per!r}")
    build = _Build(spec, per == "sample", mode)
    for call in spec.calls:
        build.call(call)
    outputs = tuple(build.value[name] for name in spec.outputs)
    total = build.loss(spec.loss, outputs[0], target) if loss and spec.loss is not None else None
    return Model(
        name=spec.name,
        system=System(blocks=tuple(build.blocks), tensors=build.tensors),
        inputs=tuple(i.name for i in spec.inputs),
        target="y" if total is not None else None,
        outputs=outputs,
        loss=total,
        parameters=spec.parameters,
        layers=tuple(build.layers),
        batch=N,
        per=per,
        spec=spec,
        form=(target or spec.loss.forms[0]) if total is not None and spec.loss is not None else None,
        mode=mode,
        statistics=tuple(Statistic(name, last) for name, last in build.latest.items()),
        updates=System(blocks=tuple(build.updates), tensors=build.updated),
        masks=tuple(build.masks),
    )


def usual_per(spec: NetworkSpec) -> str:
    """Return the form in which a network is printed: "sample", or "batch" where a layer mixes the samples of a batch."""
    build = _Build(spec, False, "training")
    for call in spec.calls:
        build.call(call)
    return "batch" if any(mixes(block.template) for block in build.blocks) else "sample"


def sample_model(model: Model) -> Model:
    """Return the single-sample form of a model."""
    if model.per == "sample" or model.spec is None:
        return model
    return lower(model.spec, model.form, "sample", loss=model.loss is not None, mode=model.mode)


class _Build:
    """The blocks and tensors made so far; lives for one call of `lower`."""

    def __init__(self, spec: NetworkSpec, single: bool, mode: str) -> None:
        self.spec, self.single, self.mode = spec, single, mode
        self.tensors: dict[str, Tensor] = {}
        self.blocks: list[Block] = []
        self.layers: list[LayerRecord] = []
        self.masks: list[str] = []
        self.updates: list[Block] = []
        self.updated: dict[str, Tensor] = {}
        self.latest: dict[str, str] = {}
        self.value: dict[str, str] = {}
        self.axis: dict[tuple[str, Expr], Index] = {}
        self.extents: dict[Dimension, Expr] = {}
        self.integer = {i.name: i.integer for i in spec.inputs}
        self.known: dict[str, LayerTemplate] = {}
        for i in spec.inputs:
            self.add(i.name, Tensor(i.name, self.axes((*self.batch, *axis_names(len(i.shape))), i.shape), "input", integer=i.integer))
            self.value[i.name] = i.name

    @property
    def batch(self) -> tuple[str, ...]:
        return () if self.single else ("n",)

    def axes(self, names: tuple[str, ...], shape: Shape) -> tuple[Index, ...]:
        sizes = tuple(self.extent(s) for s in shape)
        if not self.single:
            sizes = (N, *sizes)
        return tuple(self.index(name, size) for name, size in zip(names, sizes, strict=True))

    def extent(self, size: Dimension) -> Expr:
        if size not in self.extents:
            self.extents[size] = extent(size)
        return self.extents[size]

    def index(self, name: str, size: Expr) -> Index:
        if (name, size) not in self.axis:
            self.axis[name, size] = Index(name, size)
        return self.axis[name, size]

    def add(self, name: str, tensor: Tensor) -> None:
        if name in self.tensors:
            raise DeclarationError(f"network {self.spec.name}: two tensors are named {name}; rename a layer or a parameter")
        self.tensors[name] = tensor

    def call(self, call: CallSpec) -> None:
        layer = self.spec.layer[call.layer]
        shapes = tuple(self.spec.shapes[x] for x in call.inputs)
        made = self.template(layer, call, shapes)
        if self.single and mixes(made.template):
            raise DerivationError(
                f"layer {call.layer} ({layer.kind}) mixes the samples of a batch, so there is no form for one sample; use per='batch'"
            )
        template = single(made.template) if self.single else made.template
        sizes: dict[Any, Expr] = {}
        for symbols, shape in zip(made.sizes, shapes, strict=False):
            sizes.update((symbol, self.extent(size)) for symbol, size in zip(symbols, shape, strict=True))
        options = dict(layer.options)
        sizes.update((symbol, self.extent(options[key])) for key, symbol in made.options)
        suffix = "" if call.use == 1 else f"_{call.use}"
        names = {slot: self.value[x] for slot, x in zip(made.inputs, call.inputs, strict=True)}
        names.update((slot, f"{call.layer}.{slot}") for slot in made.parameters)
        names.update((slot, f"{call.layer}.{slot}") for slot in made.state)
        names.update((slot, f"{call.layer}.{slot}{suffix}") for slot in (*made.masks, *template.defined))
        fresh = tuple(slot for slot in made.state if names[slot] not in self.tensors)
        present = [*(made.parameters if call.use == 1 else ()), *fresh, *made.masks, *template.defined]
        self.masks += [names[slot] for slot in made.masks]
        slots = template.tensors
        for slot in present:
            # A parameter that no equation reads still has its place; its tensor comes from the layer's own declaration.
            tensor = slots.get(slot) or next((t for t in made.unread if t.name == slot), None)
            self.stand_in(tensor, names[slot], sizes, call.layer, slot)
        self.blocks.append(Block(template, names, sizes, call.layer))
        if made.updates is not None and not self.single:
            self.update(made.updates, names, sizes, call)
        self.value[call.output] = names[made.output]
        self.value.update((f"{call.output}.{name}", names[name]) for name, _ in call.named)
        function = options.get("activation", options.get("function"))
        self.layers.append(
            LayerRecord(
                name=call.layer,
                kind=layer.kind,
                inputs=tuple(self.value[x] for x in call.inputs),
                output=names[made.output],
                pre=None if made.pre is None else names[made.pre],
                parameters=tuple(names[slot] for slot in made.parameters),
                activation=function.name if isinstance(function, ActivationSpec) else None,
                use=call.use,
                others=tuple(names[name] for name, _ in call.named[1:]),
            )
        )

    def update(self, template: Template, names: Mapping[str, str], sizes: Mapping[Any, Expr], call: CallSpec) -> None:
        """Add the equations of the next running statistics; a second use of a layer goes on from those of the first."""
        here = dict(names)
        for slot in template.defined:
            name = f"{call.layer}.{slot.removesuffix(NEXT)}"
            here[slot.removesuffix(NEXT)] = self.latest.get(name, name)
            here[slot] = f"{name}{NEXT}" if call.use == 1 else f"{name}{NEXT}_{call.use}"
            self.latest[name] = here[slot]
        for slot, tensor in template.tensors.items():
            if here[slot] not in self.updated:
                self.updated[here[slot]] = self.tensors.get(here[slot]) or self.bound(tensor, here[slot], sizes)
        self.updates.append(Block(template, {slot: here[slot] for slot in template.tensors}, sizes, call.layer))

    def stand_in(self, slot: Tensor | None, name: str, sizes: Mapping[Any, Expr], owner: str, word: str) -> None:
        if slot is None:
            raise DeclarationError(f"layer {owner}: parameter {word} is read by no equation; leave it out of parameters()")
        self.add(name, self.bound(slot, name, sizes))

    def bound(self, slot: Tensor, name: str, sizes: Mapping[Any, Expr]) -> Tensor:
        """Return the real tensor of a slot."""
        axes = tuple(self.index(a.name, sizes[a.extent] if a.extent in sizes else a.extent.xreplace(dict(sizes))) for a in slot.axes)
        return Tensor(name, axes, slot.role, integer=slot.integer, positive=slot.positive)

    def template(self, layer: LayerSpec, call: CallSpec, shapes: tuple[Shape, ...]) -> LayerTemplate:
        integer = tuple(self.integer.get(x, False) for x in call.inputs)
        if layer.own is not None:
            return own_template(layer.own, shapes, integer)
        if not LAYERS[layer.kind].symbolic:
            return sized_template(layer.kind, layer.options, shapes, integer)
        mode = self.mode if LAYERS[layer.kind].has_modes() else "training"
        return layer_template(layer.kind, _static(layer), tuple(map(len, shapes)), mode)

    def loss(self, loss: Loss, output: str, target: str | None) -> str:
        form = target or loss.forms[0]
        if form not in loss.forms:
            raise DeclarationError(f"loss {loss.name} takes targets as {' or '.join(loss.forms)}, not as {form!r}")
        shape = self.spec.shapes[self.spec.outputs[0]]
        template = loss_template(loss, len(shape), form)
        template = single(template) if self.single else template
        a, y = template.tensors["a"], template.tensors["y"]
        free = [axis.extent for axis in a.axes if axis.extent != N]
        sizes = dict(zip(free, (self.extent(size) for size in shape), strict=True))
        penalised = () if self.single or self.spec.regularizer is None else tuple(p for p in self.spec.parameters if applies(p.name))
        names = {"a": output, "y": "y"} | {slot: f"loss.{slot}" for slot in template.defined}
        names["loss"] = "loss.data" if penalised else "loss"
        self.add("y", Tensor("y", tuple(self.index(x.name, sizes.get(x.extent, x.extent)) for x in y.axes), "input", integer=y.integer))
        for slot in template.defined:
            self.stand_in(template.tensors[slot], names[slot], sizes, "loss", slot)
        self.blocks.append(Block(template, names, sizes, "loss"))
        if penalised:
            self.penalties([p.name for p in penalised])
        return "loss"

    def penalties(self, parameters: list[str]) -> None:
        terms = ["loss.data"]
        for count, parameter in enumerate(parameters, 1):
            tensor = self.tensors[parameter]
            template = penalty_template(self.spec.regularizer, tensor.rank)
            name = f"loss.penalty_{count}"
            self.add(name, Tensor(name))
            sizes = dict(zip(template.tensors["W"].shape, tensor.shape, strict=True)) if "W" in template.tensors else {}
            names = {"penalty": name} | ({"W": parameter} if "W" in template.tensors else {})
            self.blocks.append(Block(template, names, sizes, "loss"))
            terms.append(name)
        partial = 0
        while len(terms) > 1:
            groups = [terms[k : k + MAX_TERMS] for k in range(0, len(terms), MAX_TERMS)]
            terms = []
            for group in groups:
                partial += 1
                name = "loss" if len(groups) == 1 else f"loss.part_{partial}"
                self.add(name, Tensor(name))
                template = sum_template(len(group))
                self.blocks.append(Block(template, {"total": name} | {f"t_{k}": term for k, term in enumerate(group, 1)}, {}, "loss"))
                terms.append(name)


Static = tuple[tuple[str, Any], ...]


def _static(layer: LayerSpec) -> Static:
    """Return the options of a built-in layer that are no sizes: what its template depends on."""
    sizes = LAYERS[layer.kind].size_options
    return tuple((key, value) for key, value in layer.options if key not in sizes)


@lru_cache(maxsize=512)
def layer_template(kind: str, options: Static, ranks: tuple[int, ...], mode: str = "training") -> LayerTemplate:
    """Return a built-in layer in slot names, with symbolic sizes n_i, n_j, ..."""
    symbols = LAYERS[kind].size_options
    spec = LayerSpec("layer", kind, (*((key, f"n_{index}") for key, index in symbols.items()), *options))
    layer = spec.layer()
    shapes = tuple(tuple(f"n_{name}" for name in names) for names in layer.axes(ranks))
    inputs = input_tensors(layer, shapes, (LAYERS[kind].integers,) * len(ranks))
    parameters = tuple(layer.parameters(*inputs))
    training = mode == "training"
    equations = tuple(layer.equations(*inputs) if training else layer.inference(*inputs))
    updates = tuple(layer.statistics(*inputs)) if training else ()
    written = ",".join(f"{k}={v.written if isinstance(v, ActivationSpec) else v!r}" for k, v in options)
    key = f"{kind}({written}) of rank {','.join(map(str, ranks))}"
    template = Template(
        key=key if training else f"{key} in inference",
        equations=equations,
        kept=(layer.pre,) if layer.pre is not None else (),
    )
    return LayerTemplate(
        template=template,
        inputs=tuple(t.name for t in inputs),
        sizes=tuple(t.shape[1:] for t in inputs),
        options=tuple((name, Size(f"n_{index}")) for name, index in symbols.items()),
        parameters=tuple(t.name for t in parameters),
        output=equations[-1].tensor.name,
        pre=layer.pre,
        masks=tuple(m.name for m in spec.shapes(shapes, (LAYERS[kind].integers,) * len(ranks)).masks) if training else (),
        state=tuple(name for name, t in template.tensors.items() if t.role == "state"),
        updates=Template(key=f"statistics of {key}", equations=updates) if updates else None,
    )


@lru_cache(maxsize=512)
def own_template(layer: Layer, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> LayerTemplate:
    """Return an own layer in slot names; its sizes are those of this use."""
    read = read_layer(layer, shapes, integer)
    kept = getattr(layer, "pre", None)
    defined = tuple(e.tensor.name for e in read.equations)
    pre = kept if kept in defined else "z" if "z" in defined else None
    system = System(read.equations)
    key = ";".join([f"own:{system.blocks[0].template.key}", *(f"{f.lhs} = {f.rhs}" for f in read.facts)])
    return LayerTemplate(
        template=Template(key=key, equations=read.equations, facts=read.facts, kept=(pre,) if pre else ()),
        inputs=tuple(t.name for t in read.inputs),
        sizes=(),
        options=(),
        parameters=tuple(t.name for t in read.parameters),
        output=(*output_names(layer), defined[-1])[0],
        pre=pre,
    )


@lru_cache(maxsize=512)
def sized_template(kind: str, options: Static, shapes: tuple[Shape, ...], integer: tuple[bool, ...]) -> LayerTemplate:
    """Return a built-in layer with the sizes of one use."""
    layer = LayerSpec("layer", kind, options).layer()
    made = own_template(layer, shapes, integer)
    # A recurrence over one step does not read its weights, but has them.
    unread = tuple(t for t in read_layer(layer, shapes, integer).parameters if t.name not in made.template.tensors)
    return replace(made, unread=unread)


@lru_cache(maxsize=128)
def loss_template(loss: Loss, rank: int, form: str) -> Template:
    """Return a loss in slot names: output ``a``, target ``y``, result ``loss``."""
    names = axis_names(rank)
    n = Index("n", N)
    axes = (n, *(Index(name, Size(f"n_{name}")) for name in names))
    a = Tensor("a", axes, "input")
    y = Tensor("y", axes[:-1], "input", integer=True) if form == "labels" else Tensor("y", axes, "input")
    equations, facts = loss.equations(a, y, form)
    options = ",".join(f"{k}={v!r}" for k, v in loss.options)
    return Template(key=f"loss:{loss.name}({options}),{loss.reduction},{form} of rank {rank}", equations=equations, facts=facts)


@lru_cache(maxsize=128)
def penalty_template(regularizer: Any, rank: int) -> Template:
    """Return the penalty of one weight tensor."""
    names = ("i", "j") if rank == 2 else axis_names(rank)
    W = Tensor("W", tuple(Index(name, Size(f"n_{name}")) for name in names), "parameter")
    equation = Equation(Tensor("penalty")[()], regularizer.penalty(W))
    return Template(key=f"penalty:{regularizer!r} of rank {rank}", equations=(equation,))


@lru_cache(maxsize=64)
def sum_template(count: int) -> Template:
    """Return the sum of some scalars: total = t_1 + t_2 + ..."""
    total: Expr = Integer(0)
    for k in range(1, count + 1):
        total = total + Tensor(f"t_{k}")[()]
    return Template(key=f"sum of {count}", equations=(Equation(Tensor("total")[()], total),))


@lru_cache(maxsize=512)
def mixes(template: Template) -> bool:
    """Whether a layer's equations mix the samples of a batch: they sum over it, or read another sample than they write."""
    for e in template.equations:
        own = e.lhs.index[:1]
        if any(b.extent == N for b in bound_indices(e.rhs)):
            return True
        if any(a.tensor.axes[:1] and a.tensor.axes[0].extent == N and a.index[:1] != own for a in e.rhs.atoms(Access)):
            return True
    return False


@lru_cache(maxsize=512)
def single(template: Template) -> Template:
    """Return a template for one sample: no batch axis, no sum over the batch, N = 1.

    Raises:
        DerivationError: the template mixes the samples of a batch.
    """
    equations = []
    for e in template.equations:
        if e.tensor.axes[:1] and any(a.extent == N for a in e.tensor.axes[1:]):
            raise DerivationError(f"{e}: the batch axis is not the first one, so there is no single-sample form")
        equations.append(Equation(_one(e.lhs), _one(e.rhs)))
    facts = tuple(Fact(_one(f.lhs), _one(f.rhs)) for f in template.facts)
    return Template(key=f"one sample of {template.key}", equations=tuple(equations), facts=facts, kept=template.kept)


def _one(e: Any) -> Any:
    if isinstance(e, Access):
        tensor, index = e.tensor, tuple(_one(part) for part in e.index)
        if not tensor.axes or tensor.axes[0].extent != N:
            return Access(tensor, *index)
        if e.index[0].extent != N if isinstance(e.index[0], Index) else True:
            raise DerivationError(f"{e}: reads another sample of the batch, so there is no single-sample form")
        return Access(Tensor(tensor.name, tensor.axes[1:], tensor.role, integer=tensor.integer, positive=tensor.positive), *index[1:])
    if isinstance(e, Index):
        return e
    if e == N:
        return Integer(1)
    if not e.args:
        return e
    if isinstance(e, Reduction):
        return e.func(_one(e.body), *(b for b in e.bound if b.extent != N))
    return e.func(*(_one(a) for a in e.args))


__all__ = [
    "LayerTemplate",
    "layer_template",
    "loss_template",
    "lower",
    "mixes",
    "own_template",
    "penalty_template",
    "sample_model",
    "single",
    "sum_template",
]
