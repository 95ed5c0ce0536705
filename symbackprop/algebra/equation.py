"""Equations, systems of equations, and the templates that let one system stand for a thousand layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy
from sympy import Expr

from symbackprop.algebra.address import addresses, inside, stray
from symbackprop.algebra.bound import bound_indices, canonical, shadows
from symbackprop.algebra.entry import enter
from symbackprop.algebra.fault import Fault, PartError
from symbackprop.algebra.index import Index, operand
from symbackprop.algebra.nodes import Guard
from symbackprop.algebra.recurrence import Recurrence, strands
from symbackprop.algebra.suggest import suggestion
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.text import marked
from symbackprop.errors import DeclarationError, ShapeError


@dataclass(frozen=True)
class Equation:
    """``lhs = rhs``: every entry of a tensor as a scalar expression over other tensors.

    True from birth: the left side is an access with distinct plain indices; every index on the right is on the left or
    bound; plain indices have the extent of the axis that they read, unless a guard says otherwise.
    """

    lhs: Access
    rhs: Expr

    def __post_init__(self) -> None:
        if isinstance(self.lhs, Tensor) and self.lhs.rank == 0:
            object.__setattr__(self, "lhs", self.lhs[()])
        if not isinstance(self.lhs, Access):
            meant = f"; write {self.lhs.example}" if isinstance(self.lhs, Tensor) else ""
            raise DeclarationError(f"the left side of an equation is an access such as q[i], got {str(self.lhs)[:60]}{meant}")
        try:
            object.__setattr__(self, "rhs", enter(self.rhs))
        except PartError as error:
            line = marked(self.lhs, operand(self.rhs), (error.node,))
            raise DeclarationError(str(Fault(f"{self.lhs}: {error.says}", (line,), error.way))) from None
        _check(self)
        if shadows(self.rhs, self.lhs.index):
            object.__setattr__(self, "rhs", canonical(self.rhs))

    @property
    def tensor(self) -> Tensor:
        """The tensor that this equation defines."""
        return self.lhs.tensor

    @cached_property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors on the right, in order of name."""
        return reads(self.rhs)

    def xreplace(self, mapping: Mapping[sympy.Basic, sympy.Basic]) -> Equation:
        """Return the equation with tensors, indices or sizes replaced."""
        return _raw(self.lhs.xreplace(mapping), self.rhs.xreplace(mapping))

    def __str__(self) -> str:
        return f"{self.lhs} = {self.rhs}"


def _raw(lhs: Access, rhs: Expr) -> Equation:
    """Build an equation from parts that were checked before."""
    made = object.__new__(Equation)
    object.__setattr__(made, "lhs", lhs)
    object.__setattr__(made, "rhs", rhs)
    return made


def reads(expr: Expr) -> tuple[Tensor, ...]:
    """Return the tensors that an expression reads, in order of name."""
    return tuple(sorted({a.tensor for a in expr.atoms(Access)}, key=lambda t: t.name))


def apart(e: Equation) -> Equation:
    """Return an equation in which no two indices have one name, for messages: the later one gets a prime."""
    seen: dict[str, Index] = {}
    swap: dict[sympy.Basic, sympy.Basic] = {}
    free = sorted((s for s in e.rhs.free_symbols if isinstance(s, Index)), key=lambda s: s.sort_key())
    for index in (*e.lhs.index, *bound_indices(e.rhs), *free):
        if isinstance(index, Index) and seen.setdefault(index.name, index) != index:
            swap[index] = Index(f"{index.name}{_PRIME}", index.extent)
    return e.xreplace(swap) if swap else e


#: Marks the second of two indices of one name in a message.
_PRIME = "′"


def _check(e: Equation) -> None:
    """Refuse an equation that means nothing; where two indices share a name, it is told with names apart."""
    try:
        _check_parts(e)
        return
    except (DeclarationError, ShapeError) as error:
        wrong = error
    _check_parts(apart(e))
    raise wrong


def _check_parts(e: Equation) -> None:
    _check_left(e)
    _check_symbols(e)
    _check_addresses(e)


def _fault(e: Equation, says: str, way: str, parts: Iterable[Expr] = (), binders: Iterable[Index] = ()) -> str:
    """Return the text of an error in an equation, with some of its parts marked."""
    return str(Fault(f"{e.lhs}: {says}", (marked(e.lhs, e.rhs, parts, binders),), way))


def _left_fault(e: Equation, says: str, way: str, part: Expr) -> str:
    """Return the text of an error on the left side, which alone is marked."""
    line = marked(e.lhs, e.rhs, (part,))
    left = len(marked(None, e.lhs).text)
    return str(Fault(f"{e.lhs}: {says}", (replace(line, places=tuple(p for p in line.places if p[1] <= left)),), way))


def _check_left(e: Equation) -> None:
    index, tensor = e.lhs.index, e.lhs.tensor
    for part in index:
        if not isinstance(part, Index):
            says = f"the left side is indexed by {part}; there stands one plain index for each axis"
            raise DeclarationError(_left_fault(e, says, "shift the index where the right side reads instead", part))
    for place, part in enumerate(index):
        if part in index[:place]:
            says = f"index {part} stands twice on the left, which would define the diagonal only"
            way = f"use two indices, and sbp.Indicator(sympy.Eq({part}, …)) on the right if the rest is 0"
            raise DeclarationError(_left_fault(e, says, way, part))
    for place, (axis, part) in enumerate(zip(tensor.axes, index, strict=True)):
        if axis.extent != part.extent:
            says = f"index {part} ranges over {_range(part.extent)}, but axis {place} of {tensor.name} has extent {axis.extent}"
            way = f"declare {tensor.name} with its indices: tensor({tensor.name!r}, …, {part}, …)"
            raise ShapeError(_left_fault(e, says, way, part))


def _check_symbols(e: Equation) -> None:
    """Refuse loose indices, and symbols that are nothing."""
    free = sorted((s for s in e.rhs.free_symbols if isinstance(s, sympy.Symbol)), key=lambda s: s.sort_key())
    for s in free:
        if isinstance(s, Index) and s not in e.lhs.index:
            around = [*e.lhs.index, *bound_indices(e.rhs)]
            reader = next((a for a in sorted(e.rhs.atoms(Access), key=str) if s in a.free_symbols), None)
            where = f" of {reader}" if reader is not None else ""
            alike = next((i for i in around if i.name == s.name.removesuffix(_PRIME)), None)
            if alike is not None:
                ranges = f"that{where} ranges over {_range(s.extent)}, the other one over {_range(alike.extent)}"
                says = f"two indices are called {alike}: {ranges}"
                raise DeclarationError(_fault(e, says, f"use one index {alike} for both, or give one of them another name", (s,), (alike,)))
            used = () if reader is None else reader.free_symbols
            meant = next((i for i in around if i.extent == s.extent and i not in used), None)
            hint = "" if meant is None else f"did you mean {meant}, which has the same extent? Else "
            way = f"{hint}sum over it, sbp.Sum(…, {s}), or give {e.tensor.name} an axis for it"
            raise DeclarationError(_fault(e, f"index {s}{where} is neither on the left nor summed over", way, (s,)))
        if not isinstance(s, Index) and not s.is_integer:
            known = [t.name for t in reads(e.rhs)]
            way = f"declare it with sbp.tensor({s.name!r}, …) and read it with indices{suggestion(s.name, known)}"
            raise DeclarationError(_fault(e, f"{s} is neither a tensor's entry nor a size", way, (s,)))


def _check_addresses(e: Equation) -> None:
    """Refuse an access that leaves the axes of its tensor where no guard keeps it inside."""
    for address in addresses(e.rhs):
        part, extent, access = address.part, address.extent, address.access
        if isinstance(part, Index) and part.extent == extent:
            continue
        found = stray(address)
        if found is None and (not isinstance(part, Index) or inside(address)):
            continue
        place = access.index.index(part)
        elsewhere = {arg for guard in e.rhs.atoms(Guard) for arg in guard.args}
        culprit = access if part in elsewhere or part in bound_indices(e.rhs) else part
        guard = f"sbp.InRange({part}, {extent}) * {access}"
        if found is not None:
            at = f" at {', '.join(f'{name} = {value}' for name, value in found.at)}" if found.at else ""
            says = f"{access} reads position {found.value}{at}, but axis {place} of {access.tensor.name} has {_range(extent)}"
            way = f"give the index the extent of that axis, or guard what lies outside: {guard}"
            raise ShapeError(_fault(e, says, way, (culprit,)))
        axis = f"axis {place} of {access.tensor.name}"
        says = f"index {part} of {access} ranges over {_range(part.extent)}, but {axis} has {_range(extent)}"
        raise ShapeError(_fault(e, says, f"give them one extent, or guard the access: {guard}", (culprit,)))


def _range(extent: Expr) -> str:
    return f"0..{extent - 1}"


@dataclass(frozen=True)
class Fact:
    """A declared truth about tensors, ``lhs == rhs`` for every value of the free indices: Σ_c y[n, c] = 1."""

    lhs: Expr
    rhs: Expr

    def xreplace(self, mapping: Mapping[sympy.Basic, sympy.Basic]) -> Fact:
        return Fact(self.lhs.xreplace(mapping), self.rhs.xreplace(mapping))

    def __str__(self) -> str:
        return f"{self.lhs} = {self.rhs}"


@dataclass(frozen=True)
class Template:
    """A system in slot names with symbolic sizes, derived and planned once, and stood in for by many `Block`s.

    Attributes:
        key: identifies the template's content; equal keys mean equal systems.
        equations: in order; each tensor defined once and before use.
        facts: declared truths about its tensors.
        kept: names of tensors whose cotangents are results of their own (the pre-activations).
    """

    key: str
    equations: tuple[Equation, ...]
    facts: tuple[Fact, ...] = ()
    kept: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.key == other.key

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name: first what is read only, by name, then what is defined, in order."""
        defined = {e.tensor.name: e.tensor for e in self.equations}
        read = {t.name: t for e in self.equations for t in e.reads if t.name not in defined}
        return {name: read[name] for name in sorted(read)} | defined

    @cached_property
    def defined(self) -> tuple[str, ...]:
        return tuple(e.tensor.name for e in self.equations)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names of the tensors that are read but not defined."""
        return tuple(name for name in self.tensors if name not in set(self.defined))

    @cached_property
    def sizes(self) -> tuple[sympy.Symbol, ...]:
        """The symbolic sizes, by name."""
        found: set[sympy.Symbol] = set()
        for t in self.tensors.values():
            for extent in t.shape:
                found |= extent.free_symbols
        for e in self.equations:
            found |= {s for s in e.rhs.free_symbols if not isinstance(s, Index)}
            for b in bound_indices(e.rhs):
                found |= b.extent.free_symbols
        return tuple(sorted(found, key=lambda s: s.name))


@dataclass(frozen=True)
class Block:
    """One use of a template: which real tensor stands in each slot, and which value each symbolic size has.

    Attributes:
        template: what is used.
        names: slot name -> name of the real tensor.
        sizes: symbolic size of the template -> its value here.
        owner: the layer that it belongs to, for messages.
    """

    template: Template
    names: Mapping[str, str]
    sizes: Mapping[sympy.Symbol, Expr]
    owner: str = ""

    def bind(self, tensors: Mapping[str, Tensor]) -> dict[sympy.Basic, sympy.Basic]:
        """Return the replacement that turns the template's expressions into those of the real tensors."""
        swap: dict[sympy.Basic, sympy.Basic] = dict(self.sizes)
        for slot, tensor in self.template.tensors.items():
            swap[tensor] = tensors[self.names[slot]]
        indices: set[Index] = set()
        for tensor in self.template.tensors.values():
            indices.update(tensor.axes)
        for e in self.template.equations:
            indices.update(e.lhs.index)
            indices.update(bound_indices(e.rhs))
        for fact in self.template.facts:
            indices.update(s for s in fact.lhs.free_symbols if isinstance(s, Index))
            indices.update(bound_indices(fact.lhs))
        if self.sizes:
            for index in indices:
                swap[index] = Index(index.name, index.extent.xreplace(dict(self.sizes)))
        return swap

    def equations(self, tensors: Mapping[str, Tensor]) -> tuple[Equation, ...]:
        """Return the template's equations, written for the real tensors."""
        swap = self.bind(tensors)
        return tuple(e.xreplace(swap) for e in self.template.equations)

    def facts(self, tensors: Mapping[str, Tensor]) -> tuple[Fact, ...]:
        swap = self.bind(tensors)
        return tuple(f.xreplace(swap) for f in self.template.facts)


@dataclass(frozen=True)
class System:
    """Equations in the order in which they can be computed: each tensor is defined once, and before it is read.

    ``System(equations, facts=[...])`` is what a user writes; a network is the same thing made of `Block`s.
    """

    given: tuple[Equation, ...] = ()
    declared: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = field(default=())
    known: Mapping[str, Tensor] = field(default_factory=dict)

    def __init__(
        self,
        equations: Iterable[Equation] = (),
        facts: Iterable[object] = (),
        *,
        blocks: tuple[Block, ...] = (),
        tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        given = tuple(equations)
        for e in given:
            if not isinstance(e, Equation):
                raise DeclarationError(f"a System is made of Equation(...), got {e!r}")
        declared = tuple(_fact(f) for f in facts)
        known: dict[str, Tensor] = dict(tensors or {})
        if given:
            _check_order(given)
            swap = _roles(given)
            given = tuple(e.xreplace(swap) for e in given)
            declared = tuple(f.xreplace(swap) for f in declared)
            template = Template(key="system:" + ";".join(map(in_full, given)), equations=given, facts=declared)
            blocks = (Block(template, {name: name for name in template.tensors}, {}), *blocks)
            known = {**template.tensors, **known}
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "declared", declared)
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "known", known)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor by name."""
        return self.known

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, written out."""
        return tuple(e for block in self.blocks for e in block.equations(self.known))

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """All declared truths, written out."""
        return tuple(f for block in self.blocks for f in block.facts(self.known))

    @cached_property
    def defined(self) -> tuple[str, ...]:
        """Names of the tensors that equations define, in order."""
        return tuple(block.names[slot] for block in self.blocks for slot in block.template.defined)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names of the tensors that must be given: inputs, parameters, targets."""
        defined = set(self.defined)
        return tuple(name for name in self.known if name not in defined)

    @cached_property
    def sizes(self) -> tuple[sympy.Symbol, ...]:
        """The symbolic sizes that occur in the shapes, by name."""
        found = {s for t in self.known.values() for extent in t.shape for s in extent.free_symbols}
        return tuple(sorted(found, key=lambda s: s.name))

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __str__(self) -> str:
        return "\n".join(map(str, self.equations))


def in_full(equation: Equation) -> str:
    """Return an equation with the shapes of its tensors and the ranges of its sums as text: equal texts are equal equations."""
    tensors = {equation.tensor, *equation.reads}
    shapes = ",".join(f"{t.name}:{t.shape}:{int(t.integer)}" for t in sorted(tensors, key=lambda t: t.name))
    ranges = ",".join(f"{i.name}:{i.extent}" for i in bound_indices(equation.rhs))
    return f"{sympy.srepr(equation.lhs.args[1:])}={equation.rhs}|{shapes}|{ranges}"


def _fact(given: object) -> Fact:
    if isinstance(given, Fact):
        return Fact(enter(given.lhs), enter(given.rhs))
    if isinstance(given, sympy.Eq):
        return Fact(enter(given.lhs), enter(given.rhs))
    if isinstance(given, Equation):
        return Fact(given.lhs, given.rhs)
    if isinstance(given, tuple) and len(given) == 2:
        return Fact(enter(given[0]), enter(given[1]))
    raise DeclarationError(f"a fact is a pair (left, right) or sympy.Eq(left, right), got {given!r}")


def _check_order(equations: tuple[Equation, ...]) -> None:
    shapes: dict[str, tuple[Expr, ...]] = {}
    first: dict[str, Equation] = {}
    defined: dict[str, Equation] = {}
    later = [e.tensor.name for e in equations]
    circular = False
    for e in equations:
        later.pop(0)
        for t in (*e.reads, e.tensor):
            if shapes.setdefault(t.name, t.shape) != t.shape:
                says = f"{t.name} has shape {t.shape} here, but {shapes[t.name]} in the equation of {first[t.name].tensor.name}"
                parts = tuple(a for a in (e.lhs, *e.rhs.atoms(Access)) if a.tensor.name == t.name)
                raise ShapeError(_fault(e, says, "declare it once, and read that one tensor everywhere", parts))
            first.setdefault(t.name, e)
        for t in e.reads:
            circular = circular or t.name == e.tensor.name or (t.name in later and t.name not in defined)
        if e.tensor.name in defined:
            both = tuple(marked(one.lhs, one.rhs, (one.lhs,)) for one in (defined[e.tensor.name], e))
            way = "give the second one a name of its own; what adds to a value is one equation with a sum on the right"
            raise DeclarationError(str(Fault(f"{e.lhs}: {e.tensor.name} is defined twice", both, way)))
        defined[e.tensor.name] = e
    if circular:
        _check_circles(equations)


#: How a recurrence reads the step before.
_PAST = "sbp.InRange(t - 1, T) * h[n, t - 1, i]"


def _check_circles(equations: tuple[Equation, ...]) -> None:
    """Refuse what reads ahead without being a recurrence."""
    together: dict[str, int] = {}
    for number, strand in enumerate(strands(equations)):
        for name in strand.defined if isinstance(strand, Recurrence) else (strand.tensor.name,):
            together[name] = number
    defined: set[str] = set()
    for e in equations:
        for t in e.reads:
            if t.name in together and t.name not in defined and together[t.name] != together[e.tensor.name]:
                says = f"{t.name} is read before it is defined"
                way = f"put the equation of {t.name} first; only a recurrence reads ahead, and only its own past: {_PAST}"
                raise DeclarationError(_fault(e, says, way, tuple(a for a in e.rhs.atoms(Access) if a.tensor == t)))
        defined.add(e.tensor.name)


def _roles(equations: tuple[Equation, ...]) -> dict[sympy.Basic, sympy.Basic]:
    """Mark what the equations define as stored, so that a role need not be written by hand."""
    return {
        e.tensor: Tensor(e.tensor.name, e.tensor.axes, "stored", positive=e.tensor.positive)
        for e in equations
        if e.tensor.role == "input"
    }


__all__ = ["Block", "Equation", "Fact", "System", "Template", "apart", "in_full", "reads"]
