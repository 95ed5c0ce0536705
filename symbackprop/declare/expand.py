"""A system written out as a scalar circuit: one node for each entry of each tensor, sums as chains of additions.

Equal operations on equal nodes are one gate, so that a softmax has one exponential for each score.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sympy
from sympy import Expr, S

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import System
from symbackprop.algebra.index import Index
from symbackprop.algebra.order import ordered_terms, signed_factors
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.circuit import Builder, DeclaredCircuit
from symbackprop.declare.expression import FUNCTIONS, Term
from symbackprop.errors import DeclarationError

#: More gates than this are no picture and no lesson.
MAX_EXPANDED: Final = 600

#: Names a node for an entry of a tensor, given its indices from 1.
Naming = Callable[[str, tuple[int, ...]], str]


def expand(
    system: System,
    output: str,
    name: str,
    called: Naming,
    integers: Mapping[str, Any] | None = None,
    fused: Sequence[str] = (),
) -> DeclaredCircuit:
    """Write a system out.

    Args:
        system: equations with numeric extents.
        output: the scalar tensor whose gradients are asked for.
        name: of the circuit.
        called: names the nodes.
        integers: the values of integer tensors (labels): they say which entry is read, so they must be known.
        fused: functions that become one gate where the equations spell them out.

    Raises:
        DeclarationError: a size is a symbol, an operation has no gate, or there are too many gates.
    """
    made = _Expansion(system, name, called, dict(integers or {}), tuple(fused))
    return made.run(output)


class _Expansion:
    def __init__(self, system: System, name: str, called: Naming, integers: dict[str, Any], fused: tuple[str, ...]) -> None:
        self.system, self.name, self.called, self.integers = system, name, called, integers
        self.builder = Builder(name, fused, whole=False, shared=True)
        self.known: dict[tuple[str, tuple[int, ...]], Term] = {}
        #: A label is a number once it is given: comparisons with it are decided.
        self.labels = {
            system.tensors[n][()]: sympy.Integer(int(v)) for n, v in integers.items() if n in system.tensors and not system.tensors[n].rank
        }

    def run(self, output: str) -> DeclaredCircuit:
        needed = self.needed(output)
        size = sum(math.prod(self.shape(e.tensor)) for e in needed)
        if size > MAX_EXPANDED:
            raise self.too_large(size)
        for e in needed:
            for place in itertools.product(*(range(n) for n in self.shape(e.tensor))):
                at = {i: sympy.Integer(k) for i, k in zip(e.lhs.index, place, strict=True)}
                term = self.term(e.rhs.xreplace({**self.labels, **at}))
                wanted = self.called(e.tensor.name, tuple(k + 1 for k in place))
                last = e.tensor.name == output
                self.known[e.tensor.name, place] = self.builder.define(wanted, term, last)
                if len(self.builder.gates) > MAX_EXPANDED:
                    raise self.too_large(len(self.builder.gates))
        final = self.known[output, ()]
        if final.kind != "name" or final.value in self.builder.inputs:
            raise DeclarationError(f"graph {self.name}: {output} depends on nothing by any operation")
        return self.pruned(final.value)

    def pruned(self, output: str) -> DeclaredCircuit:
        """Leave out what does not lead to the output: the probabilities of other classes, with a label."""
        wanted, gates = {output}, []
        for g in reversed(self.builder.gates):
            if g.name in wanted:
                gates.append(g)
                wanted |= set(g.inputs)
        inputs, named = (tuple(n for n in names if n in wanted) for names in (self.builder.inputs, self.builder.named))
        return DeclaredCircuit(self.name, output, inputs, tuple(gates[::-1]), named)

    def needed(self, output: str) -> list[Any]:
        """The equations that the output depends on."""
        wanted, found = {output}, []
        for e in reversed(self.system.equations):
            if e.tensor.name in wanted:
                found.append(e)
                wanted |= {t.name for t in e.reads}
        return found[::-1]

    def too_large(self, size: int) -> DeclarationError:
        return DeclarationError(
            f"graph {self.name}: written out it has {size} gates or more, the limit is {MAX_EXPANDED}; take a smaller network to look at"
        )

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        for extent in tensor.shape:
            if not extent.is_Integer:
                raise DeclarationError(f"graph {self.name}: {tensor.name} has the size {extent}; give it a number to write it out")
        return tuple(int(n) for n in tensor.shape)

    def length(self, index: Index) -> int:
        if not index.extent.is_Integer:
            raise DeclarationError(f"graph {self.name}: {index} ranges over {index.extent}; give that size a number to write it out")
        return int(index.extent)

    # --- terms ---

    def term(self, e: Expr) -> Term:
        if isinstance(e, Access):
            return self.entry(e)
        if e.is_Number or isinstance(e, sympy.NumberSymbol):
            return _number(e)
        if isinstance(e, nodes.Sum):
            return self.chain([self.term(part) for part in self.bodies(e)])
        if isinstance(e, nodes.Max):
            return Term("call", "max", tuple(self.term(part) for part in self.bodies(e)))
        if isinstance(e, nodes.LogSumExp):
            return Term("call", "log", (self.chain([Term("call", "exp", (self.term(part),)) for part in self.bodies(e)]),))
        if isinstance(e, sympy.Add):
            return self.chain([self.term(t) for t in ordered_terms(e)])
        if isinstance(e, sympy.Mul):
            return self.product(e)
        if isinstance(e, sympy.Pow):
            return self.power(e)
        if isinstance(e, nodes.Guard):
            raise DeclarationError(f"graph {self.name}: the comparison {e} is no gate")
        called = type(e).__name__.lower()
        if isinstance(e, sympy.Function) and called in FUNCTIONS and len(e.args) == 1:
            return Term("call", called, (self.term(e.args[0]),))
        raise DeclarationError(f"graph {self.name}: {type(e).__name__} is no operation of a circuit, so {e} cannot be written out")

    def bodies(self, e: nodes.Reduction) -> list[Expr]:
        ranges = [range(self.length(b)) for b in e.bound]
        if math.prod(len(r) for r in ranges) > MAX_EXPANDED:
            raise self.too_large(math.prod(len(r) for r in ranges))
        found = [
            e.body.xreplace({b: sympy.Integer(k) for b, k in zip(e.bound, place, strict=True)}) for place in itertools.product(*ranges)
        ]
        return [part for part in found if part != 0] or [S.Zero]

    def entry(self, e: Access) -> Term:
        place = tuple(self.position(part) for part in e.index)
        key = e.tensor.name, place
        if key not in self.known:
            if e.tensor.name in self.system.defined:
                raise DeclarationError(f"graph {self.name}: {e} is read before it is defined")
            self.known[key] = Term("name", self.called(e.tensor.name, tuple(k + 1 for k in place)))
        return self.known[key]

    def position(self, part: Expr) -> int:
        """Return an index as a number; entries of integer tensors are looked up."""
        swap = {}
        for a in sorted(part.atoms(Access), key=str):
            if a.tensor.name not in self.integers:
                raise DeclarationError(f"graph {self.name}: {a.tensor.name} says which entry is read; give example= so that it has a value")
            value: Any = self.integers[a.tensor.name]
            for k in a.index:
                value = value[int(k)]
            swap[a] = sympy.Integer(int(value))
        return int(part.xreplace(swap))

    def chain(self, terms: list[Term]) -> Term:
        """Add terms from left to right; one that is negative is taken away."""
        terms = [t for t in terms if not (t.kind == "number" and float(t.value) == 0)] or [Term("number", "0")]
        total = terms[0]
        for t in terms[1:]:
            total = Term("-", "", (total, t.args[0])) if t.kind == "neg" else Term("+", "", (total, t))
        return total

    def product(self, e: sympy.Mul) -> Term:
        number, factors = signed_factors(e)
        factors = tuple(factors)
        for guard in factors:
            # u [u > 0] is the maximum of 0 and u.
            if isinstance(guard, nodes.Indicator) and isinstance(guard.condition, sympy.StrictGreaterThan):
                u, bound = guard.condition.args
                if bound == 0 and u in factors:
                    rest = tuple(f for f in factors if f not in (guard, u))
                    largest = Term("call", "max", (Term("number", "0"), self.term(u)))
                    return self.multiplied(number, [*(self.term(f) for f in rest), largest], [])
        above = [f for f in factors if not (isinstance(f, sympy.Pow) and f.exp.is_negative)]
        below = [f.base**-f.exp for f in factors if isinstance(f, sympy.Pow) and f.exp.is_negative]
        return self.multiplied(number, [self.term(f) for f in above], [self.term(f) for f in below])

    def multiplied(self, number: Expr, above: list[Term], below: list[Term]) -> Term:
        size = abs(number)
        if size.is_Rational and size.q != 1:
            below = [*below, Term("number", str(size.q))]
            size = sympy.Integer(size.p)
        if size != 1 or not above:
            above = [_number(size), *above]
        total = above[0]
        for t in above[1:]:
            total = Term("*", "", (total, t))
        for t in below:
            total = Term("/", "", (total, t))
        return Term("neg", "", (total,)) if number.is_negative else total

    def power(self, e: sympy.Pow) -> Term:
        if e.exp.is_negative:
            return Term("/", "", (Term("number", "1"), self.term(e.base**-e.exp)))
        if e.exp == sympy.Rational(1, 2):
            return Term("call", "sqrt", (self.term(e.base),))
        return Term("**", "", (self.term(e.base), self.term(e.exp)))


def _number(e: Expr) -> Term:
    if e is S.Pi:
        return Term("name", "pi")
    if e is S.Exp1:
        return Term("call", "exp", (Term("number", "1"),))
    if e.is_negative:
        return Term("neg", "", (_number(-e),))
    if e.is_Rational and not e.is_Integer:
        return Term("/", "", (Term("number", str(e.p)), Term("number", str(e.q))))
    return Term("number", str(e) if e.is_Integer else repr(float(e)))


__all__ = ["MAX_EXPANDED", "Naming", "expand"]
