"""Scalar circuits as they are written: text becomes gates one operation at a time, and nothing is rearranged.

``(x + y) * z`` is an addition and a multiplication; ``1/(1 + exp(-u))`` is four gates, of which three hold a number. The text
is read by the parser of `declare.expression`, so none of it is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from symbackprop import algebra as alg
from symbackprop.algebra.names import check_name
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.expression import FUNCTIONS, Term, build, parse
from symbackprop.errors import DeclarationError

#: Letters are variables in a circuit: only this name is a number.
CONSTANTS: Final[Mapping[str, float]] = {"pi": 3.141592653589793}
MAX_TEXT: Final = 40_000
MAX_GATES: Final = 2_000
#: Makes every statement of a text one gate.
STATEMENTS: Final = "statements"


@dataclass(frozen=True)
class DeclaredGate:
    """One operation.

    Attributes:
        name: of the node that holds its result.
        term: what it computes, over the slots ``u001``, ``u002``, …: one for each input.
        inputs: the nodes that it reads, one for each slot; ``x * x`` reads x twice.
    """

    name: str
    term: Term
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class DeclaredCircuit:
    """Gates in the order in which they are written; each reads inputs and earlier gates.

    Attributes:
        name: of the whole.
        output: the node whose gradients are asked for.
        inputs: names of the variables, in the order in which they occur.
        gates: in the order of computing.
        named: the nodes that the text gives a name to.
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    gates: tuple[DeclaredGate, ...]
    named: tuple[str, ...]


def slot(position: int) -> str:
    """Return the name of a gate's slot; the order of the names is the order of the slots."""
    return f"u{position + 1:03d}"


def circuit(name: object, given: object, fuse: object = ()) -> DeclaredCircuit:
    """Read a circuit.

    Args:
        name: of the circuit and of its output; where the text names its values and none of them so, the last is the output.
        given: text such as ``"(x + y) * z"`` or ``"c = a + b; d = b + 1; e = c*d"``, or a SymPy expression.
        fuse: functions that become one gate where the text spells them out (``"sigmoid"``), one or several;
            ``"statements"`` makes each statement one gate.

    Raises:
        DeclarationError: for anything outside the language; the message names it.
    """
    name = check_name(name, "graph")
    if name in FUNCTIONS or name in CONSTANTS:
        raise DeclarationError(f"graph name {name!r} is that of a {'function' if name in FUNCTIONS else 'number'}; choose another name")
    fused = (fuse,) if isinstance(fuse, str) else tuple(fuse) if isinstance(fuse, Iterable) else (fuse,)
    for item in fused:
        if item != STATEMENTS and item not in FUNCTIONS:
            known = (STATEMENTS, *FUNCTIONS)
            near = suggestion(item, known)
            raise DeclarationError(f"graph {name}: fuse={str(item)[:40]!r} is no known function{near} (known: {', '.join(known)})")
    if isinstance(given, str):
        statements = _statements(given, name)
    else:
        statements = [("", _from_sympy(given, name))]
    return Builder(name, tuple(f for f in fused if f != STATEMENTS), STATEMENTS in fused).build(statements)


def _statements(text: str, name: str) -> list[tuple[str, Term]]:
    if len(text) > MAX_TEXT:
        raise DeclarationError(f"graph {name}: the text is {len(text)} characters long; the limit is {MAX_TEXT}")
    found = []
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        target, equals, body = part.partition("=")
        if equals and not body.startswith("=") and not re.search(r"[<>!=]$", target):
            given = check_name(target.strip(), f"graph {name}: node")
            if given in FUNCTIONS or given in CONSTANTS:
                kind = "function" if given in FUNCTIONS else "number"
                raise DeclarationError(f"graph {name}: {given!r} is a {kind}; choose another name")
        else:
            given, body = "", part
        found.append((given, parse(body, None, f"graph {name}: expression", CONSTANTS)))
    if not found:
        raise DeclarationError(f'graph {name}: the text is empty; write an expression such as "(x + y) * z"')
    for k, (given, _) in enumerate(found[:-1]):
        if not given:
            raise DeclarationError(f"graph {name}: statement {k + 1} has no name, so nothing can read it; write it as name = expression")
    return found


class Builder:
    """Turns terms into gates.

    Args:
        name: of the circuit.
        fused: functions that become one gate.
        whole: each statement becomes one gate.
        shared: equal operations on equal nodes become one gate.
    """

    def __init__(self, name: str, fused: tuple[str, ...], whole: bool, shared: bool = False) -> None:
        self.name, self.fused, self.whole, self.shared = name, fused, whole, shared
        self.made: dict[tuple[Term, tuple[str, ...]], str] = {}
        self.named: dict[str, None] = {}
        self.gates: list[DeclaredGate] = []
        self.inputs: dict[str, None] = {}
        self.defined: dict[str, None] = {}
        self.taken: set[str] = set()
        self.count = 0

    def build(self, statements: list[tuple[str, Term]]) -> DeclaredCircuit:
        names = [given or self.name for given, _ in statements]
        self.taken = {*names, *(n for _, term in statements for n in names_in(term))}
        for target, (_, term) in zip(names, statements, strict=True):
            self.statement(target, term)
        output = self.name if self.name in names else names[-1]
        return DeclaredCircuit(self.name, output, tuple(self.inputs), tuple(self.gates), tuple(g for g, _ in statements if g))

    def statement(self, target: str, term: Term) -> None:
        where = f"graph {self.name}: {target}"
        if target in self.defined:
            raise DeclarationError(f"{where} is defined twice; each node has one name")
        if target in self.inputs or target in names_in(term):
            raise DeclarationError(f"{where} is read before it is defined; a circuit has no cycles: put its statement first")
        if not any(True for _ in names_in(term)):
            raise DeclarationError(f"{where} has no variable in it; write the number where it is used, or give {target} as an input")
        if term.kind == "name":
            raise DeclarationError(f"{where} = {term.value} is no operation; read {term.value} itself")
        for item in self.fused:
            term = fuse(term, item)
        if self.whole and not _simple(term):
            names = tuple(dict.fromkeys(names_in(term)))
            for n in names:
                self.read(n)
            self.add(target, _renamed(term, {n: slot(k) for k, n in enumerate(names)}), names)
        else:
            self.operation(term, target)
        self.defined[target] = None

    def define(self, wanted: str, term: Term, last: bool = False) -> Term:
        """Add the gates of an entry and return what stands for it: its node, or a number or node that it merely equals.

        The name is taken if the gate is new; an output gets its name in any case.
        """
        for item in self.fused:
            term = fuse(term, item)
        if term.kind == "name" or not any(True for _ in names_in(term)):
            if last and term.kind == "name" and term.value in self.named:
                self.rename(term.value, wanted)
                return Term("name", wanted)
            return term
        node = self.operation(term, wanted)
        self.defined[node] = None
        if node == wanted:
            self.named[wanted] = None
        return Term("name", node)

    def rename(self, old: str, new: str) -> None:
        """Give a node another name, wherever it is read."""
        self.gates = [
            DeclaredGate(new if g.name == old else g.name, g.term, tuple(new if n == old else n for n in g.inputs)) for g in self.gates
        ]
        self.named = dict.fromkeys(new if n == old else n for n in self.named)
        self.defined = dict.fromkeys(new if n == old else n for n in self.defined)

    def read(self, name: str) -> str:
        if name not in self.defined:
            self.inputs[name] = None
        return name

    def operation(self, term: Term, target: str = "") -> str:
        """Add the gates of a term, operands first and from left to right, and return the node that holds its value."""
        if term.kind == "name":
            return self.read(term.value)
        inputs: list[str] = []
        operands: list[Term] = []
        for operand in term.args:
            if any(True for _ in names_in(operand)):
                inputs.append(self.operation(operand))
                operands.append(Term("name", slot(len(inputs) - 1)))
            else:
                operands.append(operand)
        form = Term(term.kind, term.value, tuple(operands))
        if self.shared and (form, tuple(inputs)) in self.made:
            return self.made[form, tuple(inputs)]
        if not target:
            self.count += 1
            while f"q{self.count}" in self.taken:
                self.count += 1
            target = f"q{self.count}"
        self.add(target, form, tuple(inputs))
        self.made[form, tuple(inputs)] = target
        if self.shared:
            self.defined[target] = None
        return target

    def add(self, name: str, term: Term, inputs: tuple[str, ...]) -> None:
        if len(self.gates) >= MAX_GATES:
            raise DeclarationError(f"graph {self.name} has more than {MAX_GATES} gates")
        self.gates.append(DeclaredGate(name, term, inputs))


def _simple(term: Term) -> bool:
    """Whether a term is one operation on variables and numbers."""
    return all(a.kind == "name" or not any(True for _ in names_in(a)) for a in term.args)


def names_in(term: Term) -> Iterator[str]:
    """Yield the variables of a term, from left to right."""
    if term.kind == "name" and term.value not in CONSTANTS:
        yield term.value
    for a in term.args:
        yield from names_in(a)


def _renamed(term: Term, names: Mapping[str, str]) -> Term:
    if term.kind == "name":
        return Term("name", names.get(term.value, term.value))
    return Term(term.kind, term.value, tuple(_renamed(a, names) for a in term.args))


def fuse(term: Term, function: str) -> Term:
    """Write ``function(u)`` wherever a term spells it out: whatever SymPy holds to be the same expression of u.

    The largest such part is found first; a part u counts if nothing else of the function's text depends on a variable.
    """
    u = alg.sympy.Symbol("u", real=True)
    wanted = FUNCTIONS[function].build(u) if FUNCTIONS[function].arity == (1, 1) else None
    if wanted is None:
        raise DeclarationError(f"fuse={function!r}: only functions of one argument can be found in a text")

    def walk(t: Term) -> Term:
        if t.kind not in ("name", "number") and not (t.kind == "call" and t.value == function):
            for part in _parts(t):
                opened = _replaced(t, part, Term("name", "@"))
                if set(names_in(opened)) == {"@"} and build(opened, {"@": u}) == wanted:
                    return Term("call", function, (walk(part),))
        return Term(t.kind, t.value, tuple(walk(a) for a in t.args))

    return walk(term)


def _parts(term: Term) -> Iterator[Term]:
    for a in term.args:
        if any(True for _ in names_in(a)):
            yield a
            yield from _parts(a)


def _replaced(term: Term, part: Term, by: Term) -> Term:
    return by if term == part else Term(term.kind, term.value, tuple(_replaced(a, part, by) for a in term.args))


def written(term: Term) -> str:
    """Return a term without variables as text."""
    if term.kind in ("number", "name"):
        return term.value
    if term.kind == "call":
        return f"{term.value}({', '.join(map(written, term.args))})"
    if term.kind == "neg":
        return f"-{written(term.args[0])}"
    return f"({written(term.args[0])}{term.kind}{written(term.args[1])})"


def _from_sympy(given: Any, name: str) -> Term:
    """Return the syntax tree of a SymPy expression, in SymPy's own order of terms; its text is not read."""
    sympy = alg.sympy
    if not isinstance(given, sympy.Expr):
        raise DeclarationError(f"graph {name}: give text or a SymPy expression, got {type(given).__name__}")

    def walk(e: Any) -> Term:
        if isinstance(e, sympy.Symbol):
            check_name(e.name, f"graph {name}: variable")
            if e.name in FUNCTIONS or e.name in CONSTANTS:
                raise DeclarationError(f"graph {name}: variable {e.name!r} has the name of a function or number; choose another name")
            return Term("name", e.name)
        if e is sympy.pi:
            return Term("name", "pi")
        if e is sympy.E:
            return Term("call", "exp", (Term("number", "1"),))
        if e.is_Integer or e.is_Float:
            return Term("number", str(e)) if e >= 0 else Term("neg", "", (Term("number", str(-e)),))
        if e.is_Rational:
            top, bottom = walk(sympy.Integer(e.p)), Term("number", str(e.q))
            return Term("/", "", (top, bottom))
        if e.is_Add:
            return _chain([(t.as_coeff_Mul()[0].is_negative is True, t) for t in e.as_ordered_terms()], walk)
        if e.is_Mul:
            if e.as_coeff_Mul()[0].is_negative:
                return Term("neg", "", (walk(-e),))
            above, below = sympy.fraction(e)
            if below != 1:
                return Term("/", "", (walk(above), walk(below)))
            factors = [walk(f) for f in e.as_ordered_factors()]
            product = factors[0]
            for f in factors[1:]:
                product = Term("*", "", (product, f))
            return product
        if e.is_Pow:
            if e.exp.is_negative:
                return Term("/", "", (Term("number", "1"), walk(e.base ** (-e.exp))))
            if e.exp == sympy.Rational(1, 2):
                return Term("call", "sqrt", (walk(e.base),))
            return Term("**", "", (walk(e.base), walk(e.exp)))
        called = type(e).__name__.lower()
        if e.is_Function and called in FUNCTIONS:
            low, high = FUNCTIONS[called].arity
            arguments = sorted(e.args, key=lambda a: a.sort_key()) if called in ("max", "min") else e.args
            if low <= len(arguments) <= high:
                return Term("call", called, tuple(walk(a) for a in arguments))
        known = ", ".join(FUNCTIONS)
        raise DeclarationError(f"graph {name}: {type(e).__name__} in {str(e)[:60]} is no operation of a circuit (known: {known})")

    return walk(given)


def _chain(terms: list[tuple[bool, Any]], walk: Callable[[Any], Term]) -> Term:
    total = walk(terms[0][1])
    for negative, term in terms[1:]:
        total = Term("-", "", (total, walk(-term))) if negative else Term("+", "", (total, walk(term)))
    return total


__all__ = ["CONSTANTS", "STATEMENTS", "Builder", "DeclaredCircuit", "DeclaredGate", "circuit", "fuse", "names_in", "slot", "written"]
