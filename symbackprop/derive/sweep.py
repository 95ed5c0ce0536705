"""The backward sweep over blocks: adjoints of templates, composed, each composition derived once.

What a tensor receives from its readers is added; fan-out and shared parameters need no rule. What reaches a value from
outside is written into the equation that needs it where that stays readable (so that the error term comes out as
(Wᵀ δ) ∘ f′), and becomes an equation of its own otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Expr

from symbackprop.algebra.bound import bound_indices, canonical, rename
from symbackprop.algebra.equation import Block, System, Template, _raw, in_full
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Reduction
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.adjoint import MARK, SEED, Cotangent, adjoint, cotangent, part_rule, renamed, seed
from symbackprop.derive.marks import settled, settled_name
from symbackprop.derive.normalize import Trace, normalize
from symbackprop.derive.positions import Position, compared, position, with_positions
from symbackprop.derive.records import Derivation, Step
from symbackprop.derive.stable import looks_through, stabilize
from symbackprop.derive.stored import stored_rules
from symbackprop.errors import DerivationError

#: An expression with more operations than this is not written into its readers.
MAX_INLINE = 60


@dataclass(frozen=True)
class _Flow:
    """A cotangent of some template together with what its slots and sizes stand for."""

    form: Cotangent
    names: Mapping[str, str]
    sizes: Mapping[sympy.Symbol, Expr]
    owner: str


def derive_system(
    system: System, of: str, wrt: tuple[str, ...], *, labels: Mapping[str, str] | None = None, prefix: str = "grad."
) -> Derivation:
    """Derive the cotangents of a scalar.

    Args:
        system: the forward equations.
        of: name of the scalar tensor that is differentiated.
        wrt: names of the tensors to differentiate with respect to.
        labels: names for cotangents that shall not be called ``prefix + tensor``.
        prefix: what a cotangent's name begins with.

    Raises:
        DerivationError: ``of`` is no scalar of the system, or ``wrt`` names nothing to differentiate with respect to.
    """
    tensors = dict(system.tensors)
    if of not in tensors or of not in system.defined:
        raise DerivationError(f"{of!r} is defined by no equation of this system; it defines {', '.join(system.defined) or 'nothing'}")
    if tensors[of].rank:
        raise DerivationError(f"{of} has shape {tensors[of].shape}: only a scalar has a gradient; sum it first, or ask for its jacobian")
    for name in wrt:
        if name not in tensors:
            raise DerivationError(f"{name!r} is no tensor of this system; it has {', '.join(tensors)}")
        if tensors[name].integer:
            raise DerivationError(f"{name} holds integers: there is no derivative with respect to it")
    return _Sweep(settled(system), of, wrt, dict(labels or {}), prefix).run()


class _Sweep:
    def __init__(self, system: System, of: str, wrt: tuple[str, ...], labels: dict[str, str], prefix: str) -> None:
        self.system, self.of, self.wrt, self.labels, self.prefix = system, of, wrt, labels, prefix
        self.tensors: dict[str, Tensor] = dict(system.tensors)
        self.flows: dict[str, list[_Flow]] = {}
        self.blocks: list[Block] = []
        self.stable: list[Block] = []
        self.traces: dict[str, tuple[Block, tuple[Step, ...]]] = {}
        self.cotangents: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.found: dict[str, Tensor] = {}

    def label(self, tensor: str) -> str:
        return self.labels.get(tensor, self.prefix + tensor)

    def run(self) -> Derivation:
        active = self.active()
        wanted_here = set(self.wrt)
        for block in reversed(self.system.blocks):
            template = block.template
            units = tuple(s for s in template.defined if block.names[s] == self.of)
            seeds = tuple(s for s in template.defined if self.flows.get(block.names[s]))
            wanted = tuple(s for s in template.free if block.names[s] in active)
            inner = tuple(s for s in template.defined if block.names[s] in wanted_here)
            if not (units or seeds) or not (wanted or inner):
                continue
            self.block(block, wanted, seeds, units, inner)
        for name in self.wrt:
            if name in self.cotangents:
                continue
            arriving = self.flows.pop(name, [])
            self.settle(name, arriving)
        return Derivation(
            forward_system=self.system,
            system=System(blocks=self.system.blocks + tuple(self.blocks), tensors=self.tensors),
            forward=stable_forward(self.system, self.places),
            backward=tuple(self.stable),
            cotangents=self.cotangents,
            traces=self.traces,
            loss=self.of,
            wrt=self.wrt,
            places=self.found,
        )

    def active(self) -> set[str]:
        found = set(self.wrt)
        for block in self.system.blocks:
            if any(block.names[s] in found for s in block.template.free):
                found.update(block.names[s] for s in block.template.defined)
            elif any(block.names[s] in found for s in block.template.defined):
                found.update(block.names[s] for s in block.template.defined)
        return found

    def block(self, block: Block, wanted: tuple[str, ...], seeds: tuple[str, ...], units: tuple[str, ...], inner: tuple[str, ...]) -> None:
        """Derive what one block sends to its inputs, and write down the cotangents that it keeps."""
        template = block.template
        if inner:
            template = replace(template, key=template.key + "|keep " + ",".join(inner), kept=tuple(dict.fromkeys((*template.kept, *inner))))
        made = adjoint(template, wanted, seeds, units, inner)
        names = dict(block.names)
        arriving: dict[str, tuple[_Flow, ...]] = {}
        for slot in seeds:
            flows = tuple(self.flows.pop(block.names[slot]))
            if self.inlines(made.kept + made.flows, slot, flows):
                arriving[slot] = tuple(map(_bare, flows))
            else:
                names[SEED + slot] = self.settle(block.names[slot], list(flows), outside=slot in {form.slot for form in made.kept})
        for form in made.kept:
            real = block.names[form.slot]
            names[MARK + form.slot] = self.label(real)
        circle = {slot: number for number, slots in enumerate(made.circles) for slot in slots}
        round_: list[tuple[_Flow, str, str]] = []
        for form in made.kept:
            flow = self.compose(_Flow(form, names, block.sizes, block.owner), arriving)
            if form.slot not in circle:
                self.write(flow, names[MARK + form.slot], block.names[form.slot])
                continue
            round_.append((flow, names[MARK + form.slot], block.names[form.slot]))
            if len(round_) == len(made.circles[circle[form.slot]]):
                self.write_together(round_)
                round_ = []
        for form in made.flows:
            flow = self.compose(_Flow(form, names, block.sizes, block.owner), arriving)
            self.flows.setdefault(block.names[form.slot], []).append(flow)

    def inlines(self, readers: tuple[Cotangent, ...], slot: str, flows: tuple[_Flow, ...]) -> bool:
        """Whether what arrives at a slot is written into its readers rather than stored.

        A sum is written out only where it is read once, at plain distinct indices: then every entry of it is wanted once. Behind
        a pool, say, many entries read the same one, and it would be computed again for each. What has no sum is written out
        unless that adds to the work inside a reader's sum: (p − y)/N does not, a slope of the layers above does.
        """
        read = [(reader, places) for reader in readers if (places := _reads(reader, SEED + slot))]
        if not all(f.form.elementwise and _size(f.form) <= MAX_INLINE for f in flows):
            return len(read) == 1 and len(read[0][1]) == 1 and read[0][1][0].once
        parts = ((slot, tuple(f.form for f in flows)),)
        summing = [reader for reader, places in read if any(place.summed for place in places)]
        return all(_summed_work(composition(reader, parts).form) <= _summed_work(reader) for reader in summing)

    def compose(self, flow: _Flow, arriving: Mapping[str, tuple[_Flow, ...]]) -> _Flow:
        """Write what arrives from outside into a cotangent, using the cached composition of their forms."""
        parts = tuple((slot, tuple(f.form for f in flows)) for slot, flows in arriving.items() if _reads(flow.form, SEED + slot))
        if not parts:
            return flow
        made = composition(flow.form, parts)
        sources = {(slot, k): f for slot, flows in arriving.items() for k, f in enumerate(flows)}
        names: dict[str, str] = {}
        for new, (source, old) in made.names.items():
            known = (flow if source is None else sources[source]).names
            if old in known:
                names[new] = known[old]
        sizes: dict[sympy.Symbol, Expr] = {}
        for symbol, (source, before) in made.sizes.items():
            sizes[symbol] = (flow if source is None else sources[source]).sizes.get(before, before)
        return _Flow(made.form, names, sizes, flow.owner)

    def settle(self, tensor: str, flows: list[_Flow], *, outside: bool = False) -> str:
        """Give the sum of what has arrived at a tensor an equation of its own; return its name.

        ``outside`` says that it is a part only: what the tensor's own block sends it is added in an equation of its own.
        """
        real = self.label(tensor)
        if outside:
            real = self.prefix + tensor + ("" if tensor in self.labels else ".outside")
        rank = self.tensors[tensor].rank
        form, axes = _identity(rank)
        sizes = dict(zip(axes, self.tensors[tensor].shape, strict=True))
        flow = _Flow(form, {MARK + "t": real, "t": tensor}, sizes, tensor)
        if flows:
            flow = self.compose(flow, {"t": tuple(flows)})
        else:
            zero = _zero(rank)
            flow = _Flow(zero, {MARK + "t": real, "t": tensor}, sizes, tensor)
        self.write(flow, real, tensor)
        if outside:
            del self.cotangents[tensor]
        return real

    def write_together(self, forms: list[tuple[_Flow, str, str]]) -> None:
        """Append one block for cotangents that read one another: it is computed step by step."""
        for _, real, tensor in forms:
            self.tensors.setdefault(real, Tensor(real, self.tensors[tensor].axes, "cotangent"))
        start = len(self.blocks)
        for flow, real, tensor in forms:
            self.write(flow, real, tensor)
        for blocks in (self.blocks, self.stable):
            equations = tuple(e for block in blocks[start:] for e in block.equations({**self.tensors, **self.found}))
            template = Template("recurrence:" + ";".join(map(in_full, equations)), equations)
            blocks[start:] = [Block(template, {name: name for name in template.tensors}, {}, forms[0][0].owner)]

    def write(self, flow: _Flow, real: str, tensor: str) -> None:
        """Append the block that computes a cotangent."""
        slots = (*flow.form.equation.reads, flow.form.equation.tensor)
        names = {t.name: (real if t.name == flow.form.equation.tensor.name else flow.names[t.name]) for t in slots}
        plain, stable, read = templates(flow.form)
        self.tensors.setdefault(real, Tensor(real, self.tensors[tensor].axes, "cotangent"))
        self.cotangents.setdefault(tensor, real)
        block = Block(plain, names, flow.sizes, flow.owner)
        self.blocks.append(block)
        own = flow.form.equation.tensor.name
        found = {place.tensor.name: self.place(flow.names[place.source], place.tensor, flow.sizes) for place in read}
        computed = {s: (real if s == own else found.get(s) or flow.names[s]) for s in stable.tensors}
        self.stable.append(Block(stable, computed, flow.sizes, flow.owner))
        shown = tuple(e for s in flow.form.steps for e in (s.before, s.after))
        full = Template("trace:" + flow.form.key, (flow.form.equation, *shown), flow.form.facts)
        self.traces[real] = (_TraceBlock(full, flow, real), flow.form.steps)

    def place(self, source: str, tensor: Tensor, sizes: Mapping[sympy.Symbol, Expr]) -> str:
        """Return the name of the tensor that holds where the maximum in a tensor's equation was found."""
        if source not in self.places:
            name = f"{source}_argmax"
            while name in self.tensors:
                name += "_"
            self.places[source] = name
            self.found[name] = Tensor(name, tuple(Index(a.name, a.extent.xreplace(dict(sizes))) for a in tensor.axes), tensor.role)
        return self.places[source]


class _TraceBlock(Block):
    """The block of a cotangent's steps: it binds every slot that a step mentions, known tensors or not."""

    def __init__(self, template: Template, flow: _Flow, real: str) -> None:
        super().__init__(template, {}, flow.sizes, flow.owner)
        object.__setattr__(self, "flow", flow)
        object.__setattr__(self, "real", real)

    def bind(self, tensors: Mapping[str, Tensor]) -> dict[sympy.Basic, sympy.Basic]:
        flow: _Flow = self.flow  # type: ignore[attr-defined]
        own = flow.form.equation.tensor.name
        names: dict[str, str] = {}
        known = dict(tensors)
        for slot, t in self.template.tensors.items():
            real = self.real if slot == own else flow.names.get(slot)  # type: ignore[attr-defined]
            if real is None:
                mark = slot[0] if slot[0] in (MARK, SEED) else ""
                base = flow.names.get(slot.removeprefix(mark))
                real = f"grad.{base}" if base else "grad." + slot.removeprefix(mark)
                # What reaches a value from outside is a part of its cotangent where the value's own block reads it too.
                real += ".outside" if mark == SEED and real == self.real else ""  # type: ignore[attr-defined]
            names[slot] = real
            if real not in known:
                swap = dict(flow.sizes)
                known[real] = Tensor(real, tuple(Index(a.name, a.extent.xreplace(swap)) for a in t.axes), t.role)
        return Block(self.template, names, flow.sizes).bind(known)


@dataclass(frozen=True)
class _Place:
    """Where a cotangent reads a tensor.

    Attributes:
        summed: whether it does so under a reduction.
        once: whether each entry is read by one entry of the cotangent and no other: under no reduction, at distinct plain indices
            of its left side, all of them.
    """

    summed: bool
    once: bool


@lru_cache(maxsize=65536)
def _reads(form: Cotangent, name: str) -> tuple[_Place, ...]:
    """Return where a cotangent reads a tensor, place by place."""
    places: list[_Place] = []
    own = form.equation.lhs.index

    def walk(e: sympy.Basic, inside: bool) -> None:
        if isinstance(e, Access):
            if e.tensor.name == name:
                every = len(e.index) == len(own) and set(e.index) == set(own)
                places.append(_Place(inside, every and not inside))
            return
        for a in e.args:
            walk(a, inside or isinstance(e, Reduction))

    walk(form.equation.rhs, False)
    return tuple(places)


@lru_cache(maxsize=65536)
def _size(form: Cotangent) -> int:
    return int(sympy.count_ops(form.equation.rhs))


@lru_cache(maxsize=65536)
def _summed_work(form: Cotangent) -> int:
    """Return how many operations stand under reductions, those of computed indices included."""

    def walk(e: sympy.Basic, inside: bool) -> int:
        if isinstance(e, Access):
            return sum(walk(part, inside) for part in e.index)
        inside = inside or isinstance(e, Reduction)
        own = len(e.args) - 1 if isinstance(e, sympy.Add | sympy.Mul) else 1 if e.args and not isinstance(e, Reduction) else 0
        return own * inside + sum(walk(a, inside) for a in e.args)

    return walk(form.equation.rhs, False)


@lru_cache(maxsize=16)
def _identity(rank: int) -> tuple[Cotangent, tuple[Size, ...]]:
    """Return ``~t = ^t`` for a tensor of symbolic shape, and the symbols of its sizes."""
    axes = tuple(Size(f"s_{k}") for k in range(rank))
    t = Tensor("t", tuple(Index("nijklm"[k] if k < 6 else f"i_{k}", s) for k, s in enumerate(axes)))
    equation = _raw(cotangent(t)[t.axes], seed(t)[t.axes])
    return Cotangent(f"identity:{rank}", equation, (), (), ()), axes


@lru_cache(maxsize=256)
def _number(value: Expr) -> Cotangent:
    """Return ``~t = value`` for a scalar."""
    form, _ = _identity(0)
    return Cotangent(f"number:{value}", _raw(form.equation.lhs, value), (), (), ())


def _bare(flow: _Flow) -> _Flow:
    """Forget how a plain number came about, so that a sum over the penalties of a thousand layers composes like one."""
    lhs, rhs = flow.form.equation.lhs, flow.form.equation.rhs
    return _Flow(_number(rhs), {}, {}, flow.owner) if rhs.is_Number and not lhs.tensor.axes else flow


@lru_cache(maxsize=16)
def _zero(rank: int) -> Cotangent:
    form, _ = _identity(rank)
    return Cotangent(f"zero:{rank}", _raw(form.equation.lhs, sympy.S.Zero), (), (), ())


@dataclass(frozen=True)
class _Composition:
    """A composed form, and where its slots and sizes come from: (source, old name), source None being the reader itself."""

    form: Cotangent
    names: Mapping[str, tuple[tuple[str, int] | None, str]]
    sizes: Mapping[sympy.Symbol, tuple[tuple[str, int] | None, sympy.Symbol]]


@lru_cache(maxsize=4096)
def composition(reader: Cotangent, parts: tuple[tuple[str, tuple[Cotangent, ...]], ...]) -> _Composition:
    """Write the forms that arrive at a reader's slots into it and bring the result into textbook form."""
    names: dict[str, tuple[tuple[str, int] | None, str]] = {}
    sizes: dict[sympy.Symbol, tuple[tuple[str, int] | None, sympy.Symbol]] = {}
    own: dict[str, Tensor] = {}
    for e in (reader.equation, *reader.forward, *(e for s in reader.steps for e in (s.before, s.after))):
        for t in (e.tensor, *e.reads):
            own[t.name] = t
    for name in own:
        names[name] = (None, name)
    for symbol in _symbols(reader):
        sizes[symbol] = (None, symbol)
    forward, facts = list(reader.forward), list(reader.facts)
    earlier: list[Step] = []
    rhs = reader.equation.rhs
    identity = reader.key.startswith("identity:")
    lhs = reader.equation.lhs
    keys = []
    for slot, forms in parts:
        target = own[SEED + slot]
        arriving: list[Expr] = []
        axes = target.axes
        if identity:
            axes = tuple(Index(f.name, t.extent) for f, t in zip(forms[0].equation.lhs.index, target.axes, strict=True))
            renamed_target = Tensor(lhs.tensor.name, axes, "cotangent")
            lhs = Access(renamed_target, *axes)
            rhs = Access(Tensor(target.name, axes, "cotangent"), *axes)
            target = Tensor(target.name, axes, "cotangent")
            own["t"] = Tensor("t", axes)
        for k, form in enumerate(forms):
            mapping: dict[sympy.Symbol, Expr] = {}
            for old, new in zip(form.equation.lhs.tensor.shape, target.shape, strict=True):
                if old.is_Symbol:
                    mapping[old] = new
            for symbol in _symbols(form):
                if symbol not in mapping:
                    made = Size(f"{slot}.{k}.{symbol.name}")
                    mapping[symbol] = made
                    sizes[made] = ((slot, k), symbol)
            shared = own.get(slot) or Tensor(slot, axes)
            copy, back = renamed(form, f"{settled_name(slot)}.{k}.", mapping, {form.slot: shared, MARK + form.slot: cotangent(shared)})
            names.update((new, ((slot, k), old)) for new, old in back.items())
            names.setdefault(slot, ((slot, k), form.slot))
            forward += copy.forward
            facts += copy.facts
            earlier += copy.steps if len(forms) == 1 else [replace(s, rule=part_rule(k + 1, len(forms), s.rule)) for s in copy.steps]
            taken = {i.name for i in axes}
            arriving.append(rename(copy.equation.rhs, taken).xreplace(dict(zip(copy.equation.lhs.index, axes, strict=True))))
            keys.append(f"{slot}.{k}={form.key}")
        total = sympy.Add(*arriving)
        for access in sorted((a for a in rhs.atoms(Access) if a.tensor.name == SEED + slot), key=str):
            inside = rename(total, {s.name for s in rhs.free_symbols | set(bound_indices(rhs)) if isinstance(s, Index)})
            rhs = rhs.xreplace({access: inside.xreplace(dict(zip(axes, access.index, strict=True)))})
    trace = Trace(lhs, [*earlier, *reader.steps])
    if identity and len(parts[0][1]) > 1:
        trace.steps.append(Step("add the parts", _raw(lhs, canonical(arriving[0])), _raw(lhs, canonical(rhs)), rewrites=False))
    if not identity:
        trace.rewrite("insert what arrives from the layers above", reader.equation.rhs, canonical(rhs))
    simplest = normalize(rhs, trace, stored_rules(tuple(forward)), tuple(dict.fromkeys(facts)))
    key = f"({reader.key})[{';'.join(keys)}]"
    # A composition of a composition inserts in two moves what reads as one.
    told = [(s.rule, s.after) for s in trace.steps] + [None]
    kept_steps = tuple(s for k, s in enumerate(trace.steps) if told[k] != told[k + 1])
    form = Cotangent(key, _raw(lhs, simplest), kept_steps, tuple(dict.fromkeys(forward)), tuple(dict.fromkeys(facts)))
    return _Composition(form, names, sizes)


@lru_cache(maxsize=65536)
def _symbols(form: Cotangent) -> tuple[sympy.Symbol, ...]:
    found: set[sympy.Symbol] = set()
    expressions = [form.equation, *form.forward, *(e for s in form.steps for e in (s.before, s.after))]
    for e in expressions:
        for t in (e.tensor, *e.reads):
            for extent in t.shape:
                found |= extent.free_symbols
        for node in sympy.preorder_traversal(e.rhs):
            if isinstance(node, Index):
                found |= node.extent.free_symbols
            elif isinstance(node, sympy.Symbol):
                found.add(node)
    for f in form.facts:
        for node in sympy.preorder_traversal(f.lhs):
            if isinstance(node, Index):
                found |= node.extent.free_symbols
    return tuple(sorted((s for s in found if not isinstance(s, Index)), key=lambda s: s.name))


@lru_cache(maxsize=65536)
def templates(form: Cotangent) -> tuple[Template, Template, tuple[Position, ...]]:
    """Return the template of a cotangent as printed, as computed, and the places of maxima that the latter reads."""
    plain = Template(form.key, (form.equation,), ())
    definitions = {e.tensor.name: e for e in form.forward}
    rhs, places = compared(form.equation.rhs, form.forward)
    stable = _raw(form.equation.lhs, stabilize(rhs, definitions))
    return plain, Template("stable:" + form.key, (stable,), ()), places


def stable_forward(system: System, places: Mapping[str, str] | None = None) -> tuple[Block, ...]:
    """Return the forward blocks in the form in which they are computed.

    Args:
        system: the equations.
        places: name of a tensor whose equation has a maximum -> name of the tensor that shall hold where it was found.
    """
    places = places or {}
    producer: dict[str, Block] = {}
    out = []
    for block in system.blocks:
        needed = tuple(s for s in _logarithms(block.template) if s in block.template.free and block.names[s] in producer)
        above = tuple((s, producer[block.names[s]].template, _slot_of(producer[block.names[s]], block.names[s])) for s in needed)
        template, origin = _stable_template(block.template, above)
        names = dict(block.names)
        sizes = dict(block.sizes)
        for new, (slot, old) in origin.items():
            source = producer[block.names[slot]]
            if new in template.tensors:
                names[new] = source.names[old]
        for slot, source_template, _ in above:
            source = producer[block.names[slot]]
            for symbol in source_template.sizes:
                sizes.setdefault(Size(f"{slot}.{symbol.name}"), source.sizes.get(symbol, symbol))
        marked = frozenset(s for s in block.template.defined if block.names[s] in places)
        if marked:
            template = _placed_template(block.template, template, marked)
            for e in block.template.equations:
                if e.tensor.name in marked and (found := position(e)) is not None:
                    names[found[1].name] = places[block.names[e.tensor.name]]
        out.append(Block(template, {s: names[s] for s in template.tensors}, sizes, block.owner))
        for slot in block.template.defined:
            producer[block.names[slot]] = block
    return tuple(out)


def stable_system(system: System) -> System:
    """Return a system in the form in which it is computed."""
    return System(blocks=stable_forward(system), tensors=system.tensors)


_placed_template = lru_cache(maxsize=4096)(with_positions)


def _slot_of(block: Block, name: str) -> str:
    return next(s for s in block.template.defined if block.names[s] == name)


@lru_cache(maxsize=4096)
def _logarithms(template: Template) -> tuple[str, ...]:
    return tuple(sorted({name for e in template.equations for name in looks_through(e.rhs)}))


@lru_cache(maxsize=4096)
def _stable_template(template: Template, above: tuple[tuple[str, Template, str], ...]) -> tuple[Template, dict[str, tuple[str, str]]]:
    """Stabilise a template's equations, looking through its own definitions and those of the templates above it."""
    definitions = {e.tensor.name: e for e in template.equations}
    origin: dict[str, tuple[str, str]] = {}
    for slot, source, produced in above:
        form = Cotangent(source.key, source.equations[0], (), source.equations, ())
        mapping: dict[sympy.Symbol, Expr] = {s: Size(f"{slot}.{s.name}") for s in _symbols(form)}
        for old, new in zip(source.tensors[produced].shape, template.tensors[slot].shape, strict=True):
            if old.is_Symbol:
                mapping[old] = new
        copy, back = renamed(form, f"{settled_name(slot)}.", mapping, {produced: template.tensors[slot]})
        definitions.update((e.tensor.name, e) for e in copy.forward)
        origin.update((new, (slot, old)) for new, old in back.items())
    equations = tuple(_raw(e.lhs, stabilize(e.rhs, definitions)) for e in template.equations)
    key = "stable:" + template.key + "".join(f"|{slot}:{source.key}:{produced}" for slot, source, produced in above)
    return Template(key, equations, template.facts, template.kept), origin
