"""The lines that a lecturer writes between "∂L/∂z" and the result: chain rule, local derivatives, collapsed sum, matrix form.

They are read from the graph of the equations. What a result depends on is cut at the tensors whose derivatives it reads; the
tensors that every path to the cut passes give the factors of the chain, each the derivative of one group of equations. Where paths
part, their contributions are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy
from sympy import Expr, S

from symbackprop.algebra.bound import canonical, fresh
from symbackprop.algebra.equation import Equation, Fact, System, _raw, reads
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.nodes import Indicator, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.adjoint import local_slope
from symbackprop.derive.jacobian import jacobian_equation
from symbackprop.derive.matrix import matrix_form
from symbackprop.derive.network import Rung, _chain, _roles, called, error_labels, recursion
from symbackprop.derive.normalize import Trace, cancel, collect, normalize
from symbackprop.derive.operators import operator_form
from symbackprop.derive.records import Derivation, Factor, Passage, Step, Way
from symbackprop.derive.stored import stored_rules
from symbackprop.derive.sweep import derive_system
from symbackprop.errors import DerivationError

#: An expression with more operations than this is no line that anyone would write.
MAX_LINE = 80

#: How the gradient of a value of a recurrence comes about that reads itself.
RETURNS = "chain rule, add what the next value sends back"

#: What the rules of rewriting are called in a lecture.
_WORDS = {
    "contract labels": "the sum collapses: equal indices remain",
    "pull constants out of the sum": "what does not depend on the index stands before the sum",
    "use stored values": "use the values of the forward pass",
    "cancel": "cancel",
    "use the declared fact": "use what is known of the target",
    "split sums that vanish or are known": "split the sum and use what is known of its parts",
    "factor": "factor",
}


@dataclass(frozen=True)
class Local:
    """The derivative ∂top/∂bottom of a group of forward equations.

    Attributes:
        top: the tensor that is differentiated.
        bottom: the tensor that it is differentiated with respect to.
        equation: ``d top/d bottom[rows, columns] = ...``.
        rank: number of rows.
        pairs: row -> column that it must equal in every entry that is not zero.
        forward: the equations between the two.
    """

    top: str
    bottom: str
    equation: Equation
    rank: int
    pairs: Mapping[int, int]
    forward: tuple[Equation, ...]

    @property
    def rows(self) -> tuple[Index, ...]:
        return self.equation.lhs.index[: self.rank]

    @property
    def columns(self) -> tuple[Index, ...]:
        return self.equation.lhs.index[self.rank :]

    @property
    def elementwise(self) -> bool:
        """Whether only entries with equal row and column can be nonzero."""
        return len(self.pairs) == self.rank == len(self.columns)

    def entry(self, rows: tuple[Expr, ...], columns: tuple[Expr, ...], solved: Iterable[int]) -> Expr:
        """Return the derivative at these indices; ``solved`` are the rows whose equality is already met."""
        met = {_same(self.rows[r], self.columns[self.pairs[r]]): S.One for r in solved}
        body = self.equation.rhs.xreplace({g: met[_key(g)] for g in self.equation.rhs.atoms(Indicator) if _key(g) in met})
        return cancel(body.xreplace(dict(zip((*self.rows, *self.columns), (*rows, *columns), strict=True))))


def _key(guard: Indicator) -> frozenset[Expr]:
    return frozenset(guard.condition.args) if isinstance(guard.condition, sympy.Eq) else frozenset()


def _same(row: Expr, column: Expr) -> frozenset[Expr]:
    return frozenset((row, column))


@dataclass(frozen=True)
class Graph:
    """What lies between a tensor and the cut: every path from the one to the other.

    Attributes:
        source: the tensor that the derivative is taken with respect to.
        sinks: the cut, in the order of computing.
        common: the tensors that every path passes, in order, without the source and the cut.
        branches: for each sink the tensors that every path to it passes after the last common one.
    """

    source: str
    sinks: tuple[str, ...]
    common: tuple[str, ...]
    branches: tuple[tuple[str, ...], ...]


class _Paths:
    """The graph of the forward equations from a source to sinks, cut at the sinks."""

    def __init__(self, equations: Iterable[Equation], source: str, ends: set[str]) -> None:
        self.source = source
        reached = {source}
        self.equations: list[Equation] = []
        for e in equations:
            if any(t.name in reached and (t.name not in ends or t.name == source) for t in e.reads):
                reached.add(e.tensor.name)
                self.equations.append(e)
        self.ends = ends & reached - {source}
        self.sinks = tuple(e.tensor.name for e in self.equations if e.tensor.name in self.ends)
        self.inputs = {
            e.tensor.name: tuple(t.name for t in e.reads if t.name in reached and (t.name not in self.ends)) for e in self.equations
        }

    def passed(self, start: str, sinks: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tensors that every path from ``start`` to ``sinks`` passes, in order, without both ends."""
        down = {start: 1}
        for e in self.equations:
            down[e.tensor.name] = down.get(e.tensor.name, 0) + sum(down.get(x, 0) for x in self.inputs[e.tensor.name])
        up = dict.fromkeys(sinks, 1)
        for e in reversed(self.equations):
            for x in self.inputs[e.tensor.name]:
                up[x] = up.get(x, 0) + up.get(e.tensor.name, 0)
        total = up.get(start, 0)
        names = [e.tensor.name for e in self.equations]
        return tuple(v for v in names if v not in sinks and v != start and down[v] * up.get(v, 0) == total > 0)

    def between(self, bottom: str, top: str) -> tuple[Equation, ...]:
        """Return the equations on the paths from one tensor to another."""
        below = {bottom}
        kept = []
        for e in self.equations:
            if e.tensor.name != bottom and any(x in below for x in self.inputs[e.tensor.name]):
                below.add(e.tensor.name)
                kept.append(e)
        needed = {top}
        out = []
        for e in reversed(kept):
            if e.tensor.name in needed:
                out.append(e)
                needed.update(self.inputs[e.tensor.name])
        return tuple(reversed(out))

    def graph(self) -> Graph:
        common = self.passed(self.source, self.sinks) if self.sinks else ()
        last = common[-1] if common else self.source
        return Graph(self.source, self.sinks, common, tuple(self.passed(last, (u,)) for u in self.sinks))


def way_to(derivation: Derivation, name: str, *, entry: bool = False) -> Way:
    """Return how a cotangent is derived.

    Args:
        derivation: the record.
        name: the cotangent's own name, for example ``delta.dense_1`` or ``grad.dense_1.W``.
        entry: for a single entry: each sum keeps only the paths that lead to it, ∂L/∂w_ij = ∂L/∂z_i ∂z_i/∂w_ij.
    """
    result = derivation.equation(name)
    of = next(tensor for tensor, cotangent in derivation.cotangents.items() if cotangent == name)
    matrix = matrix_form(result, stepped=derivation.stepped)
    local: dict[str, tuple[Equation, tuple[Equation, ...]]] = {}
    made = _Lecture(derivation, name, of, result, everywhere=entry)
    passages = made.passages()
    for piece in made.locals.values():
        local[piece.equation.tensor.name] = (piece.equation, piece.forward)
    return Way(name, of, result, matrix, passages, derivation.steps_of(name), local, operator_form(result))


class _Lecture:
    def __init__(self, derivation: Derivation, name: str, of: str, result: Equation, *, everywhere: bool = False) -> None:
        self.derivation, self.name, self.of, self.result = derivation, name, of, result
        self.everywhere = everywhere
        # Derivatives of a second order have a prefix of their own: the first order's are forward values there.
        prefixes = (c.removesuffix(u) for u, c in derivation.cotangents.items() if c.endswith(f".{u}"))
        self.prefix = next(prefixes, "grad.")
        self.lhs: Access = result.lhs
        self.taken = {i.name for i in self.lhs.index}
        self.locals: dict[tuple[str, str], Local] = {}
        self.equations = derivation.forward_system.equations
        self.defined = {e.tensor.name: e for e in self.equations}
        self.loss = derivation.loss
        while isinstance(self.defined[self.loss].rhs, Access) and self.defined[self.loss].rhs.tensor.rank == 0:
            self.loss = self.defined[self.loss].rhs.tensor.name
        self.batch = derivation.model.batch if derivation.model is not None else None
        read = {t.name for t in result.reads}
        ends = {u for u, c in derivation.cotangents.items() if c in read and u != of} | {self.loss}
        self.whole = self.paths = _Paths(self.equations, of, ends)
        self.graph = self.paths.graph()
        for k, sink in enumerate(self.graph.sinks):
            last = (of, *self.graph.common)[-1]
            readers = {e.tensor.name for e in self.paths.equations if last in self.paths.inputs[e.tensor.name]}
            if sink == self.loss and not self.graph.branches[k] and len(readers) > 1:
                # The loss reads it directly and through others: the others are what the chain rule goes through.
                self.paths = _Paths(self.equations, of, ends | readers)
                self.graph = self.paths.graph()
                break

    # --- pieces ---

    def local(self, top: str, bottom: str) -> Local:
        if (top, bottom) not in self.locals:
            self.locals[top, bottom] = self._local(top, bottom, self.paths)
        return self.locals[top, bottom]

    def _local(self, top: str, bottom: str, paths: _Paths) -> Local:
        forward = paths.between(bottom, top)
        names = {t.name for e in forward for t in (e.tensor, *e.reads)}
        facts = tuple(f for f in self.derivation.forward_system.facts if _names(f) <= names)
        system = System(forward, facts)
        equation, _ = jacobian_equation(system, top, bottom)
        rank = self.derivation.tensors[top].rank
        given = equation.lhs.index
        # A prime tells the columns from the rows, in print too; with ~ the name is no suggestion for a summed index.
        axes = (*given[:rank], *(Index(f"{i.name.rstrip(chr(39))}~'", i.extent) for i in given[rank:]))
        lhs, rhs = Access(Tensor(equation.tensor.name, axes), *axes), equation.rhs.xreplace(dict(zip(given, axes, strict=True)))
        slope = local_slope(forward[0]) if len(forward) == 1 else None
        if slope is not None and isinstance(z := slope.inner, Access) and z.plain and rank == len(lhs.index) - rank:
            rows, columns = lhs.index[:rank], lhs.index[rank:]
            at = {row: index for row, index in zip(forward[0].lhs.index, rows, strict=True)}
            place = [z.index.index(i) for i in forward[0].lhs.index]
            equal = (Indicator(sympy.Eq(columns[place[k]], row, evaluate=False)) for k, row in enumerate(rows))
            rhs = sympy.Mul(slope.through.xreplace(at), *equal)
        pairs = _pairs(rhs, lhs.index[:rank], lhs.index[rank:])
        return Local(top, bottom, _raw(lhs, rhs), rank, pairs, forward)

    def arriving(self, tensor: str, index: tuple[Expr, ...]) -> Access:
        """∂L/∂tensor, by that name."""
        t = self.derivation.tensors[tensor]
        known = self.derivation.cotangents.get(tensor)
        name = self.prefix + tensor
        return Access(Tensor(name, t.axes, "cotangent"), *index) if known != name else Access(self.derivation.tensors[name], *index)

    def value(self, access: Access) -> Expr:
        """What is known of ∂L/∂tensor: the error term, or the derivative of the loss."""
        tensor = access.tensor.name.removeprefix(self.prefix)
        known = self.derivation.cotangents.get(tensor)
        if known is not None and tensor in self.graph.sinks:
            return Access(self.derivation.tensors[known], *access.index)
        slope = self._local(self.loss, tensor, _Paths(self.equations, tensor, {self.loss}))
        return slope.entry((), tuple(access.index), ())

    # --- terms ---

    def climb(
        self, chain: tuple[str, ...], index: tuple[Expr, ...], collapse: bool
    ) -> tuple[tuple[Expr, ...], list[Expr], list[Expr], list[Index]]:
        """Follow a chain of tensors upward; return (indices at its top, symbols, explicit factors, summed indices)."""
        symbols: list[Expr] = []
        explicit: list[Expr] = []
        bound: list[Index] = []
        for bottom, top in pairwise(chain):
            piece = self.local(top, bottom)
            rows: list[Expr] = []
            solved = []
            for r, row in enumerate(piece.rows):
                if collapse and r in piece.pairs and (piece.elementwise or self.everywhere or row.extent == self.batch):
                    rows.append(index[piece.pairs[r]])
                    solved.append(r)
                else:
                    new = fresh(row, self.taken)
                    self.taken.add(new.name)
                    rows.append(new)
                    bound.append(new)
            symbols.append(Access(piece.equation.tensor, *rows, *index))
            explicit.append(piece.entry(tuple(rows), index, solved))
            index = tuple(rows)
        return index, symbols, explicit, bound

    def total(self, collapse: bool, known: bool, inserted: bool) -> Expr:
        """Return the chain rule's sum: with derivatives by name or inserted, with what arrives by name or inserted."""
        graph = self.graph
        common = (graph.source, *graph.common)
        branches = []
        one = len(graph.sinks) == 1
        spine = common if not one else (*common, *self.branch(0))
        index, symbols, explicit, bound = self.climb(spine, tuple(self.lhs.index), collapse)
        for k in range(len(graph.sinks)):
            here: tuple[Expr, ...] = index
            named: list[Expr] = []
            plain: list[Expr] = []
            over: list[Index] = []
            if not one:
                here, named, plain, over = self.climb((common[-1], *self.branch(k)), index, collapse)
            end = (common[-1], *self.branch(k))[-1]
            arrived: Expr = self.arriving(end, here)
            if not one and end == common[-1]:
                # What the loss itself reads: the derivative of its own equation, the other paths aside.
                arrived = self.local(self.loss, end).entry((), here, ())
            elif known:
                arrived = self.value(arrived)
            branches.append(Sum(sympy.Mul(arrived, *(plain if inserted else named)), *over))
        return canonical(Sum(sympy.Mul(sympy.Add(*branches), *(explicit if inserted else symbols)), *bound))

    def branch(self, k: int) -> tuple[str, ...]:
        """The tensors of a branch above the last common one; the derivative of the loss itself is what arrives, no factor."""
        sink = self.graph.sinks[k]
        return self.graph.branches[k] if sink == self.loss else (*self.graph.branches[k], sink)

    @property
    def recurs(self) -> bool:
        """Whether a value reads itself, one step earlier: a path to the cut then never leaves it, and the chain rule has no end."""
        return any(t.name == self.name for t in self.result.reads)

    # --- lines ---

    def passages(self) -> tuple[Passage, ...]:
        out: list[Passage] = []
        own = self.arriving(self.of, tuple(self.lhs.index))
        if own.tensor.name != self.name:
            out.append(self.passage("definition of the error term", own))
        try:
            out += self.way()
        except DerivationError:
            pass
        if not out or out[-1].index.rhs != self.result.rhs:
            rule = RETURNS if self.recurs else "differentiate the loss" if len(out) < 2 else "simplify"
            out.append(self.passage(rule, self.result.rhs))
        out[-1] = replace(out[-1], factors=self.factors())
        return tuple(out)

    def way(self) -> list[Passage]:
        graph = self.graph
        if self.recurs:
            return []
        if not graph.sinks or (not graph.common and all(not self.branch(k) for k in range(len(graph.sinks)))):
            return []
        out: list[Passage] = []
        named = self.total(collapse=True, known=False, inserted=False)
        whole = self.total(collapse=False, known=False, inserted=False)
        parts = len(graph.sinks) > 1
        rule = "chain rule, add the parts" if parts else "chain rule"
        order = self.order()
        out.append(Passage(rule, _raw(self.lhs, named), _matrix(_raw(self.lhs, whole), self.derivation), order=order))
        by_name = self.total(collapse=True, known=False, inserted=True)
        if by_name.count_ops() > MAX_LINE:
            return out
        if any(_key(g) for g in by_name.atoms(Indicator) if all(isinstance(i, Index) for i in _key(g))):
            raw = self.total(collapse=True, known=True, inserted=True)
            if raw.count_ops() > MAX_LINE:
                return out
            out.append(replace(self.passage("insert the derivatives", raw), order=self.provenance()))
            out += self.simplified(raw)
            return out
        trace = Trace(self.lhs)
        kept = self.normalized(by_name, trace)
        out.append(self.passage("insert the local derivatives", kept))
        final = self.named(kept)
        if final != kept:
            sinks = [u for u in graph.sinks if u != self.loss]
            rule = "insert what arrives from above" if len(sinks) != len(graph.sinks) else "use the error term"
            out.append(self.passage(rule, final))
        out += self.simplified(final)
        return out

    def simplified(self, start: Expr) -> list[Passage]:
        """Return the lines from an expression to the result."""
        if start == self.result.rhs:
            return []
        trace = Trace(self.lhs)
        self.normalized(start, trace)
        return [self.passage(_WORDS.get(s.rule, s.rule), s.after.rhs) for s in _told(trace.steps) if s.after.rhs.count_ops() <= MAX_LINE]

    def normalized(self, e: Expr, trace: Trace) -> Expr:
        rules = stored_rules(tuple(self.paths.equations))
        return normalize(e, trace, rules, self.derivation.forward_system.facts)

    def named(self, e: Expr) -> Expr:
        """Write what is known of the derivatives that arrive for their names."""
        swap = {a: self.value(a) for a in sorted(e.atoms(Access), key=str) if self.is_arriving(a)}
        return _primitive(collect(canonical(e.xreplace(swap)))) if swap else e

    def is_arriving(self, access: Access) -> bool:
        name = access.tensor.name
        return name.startswith(self.prefix) and access.tensor.role == "cotangent" and name not in self.derivation.tensors

    def order(self) -> tuple[str, ...]:
        """Names of the chain's derivatives, from the loss down to the variable."""
        graph = self.graph
        common = (graph.source, *graph.common)
        names: list[str] = []
        for k in range(len(graph.sinks)):
            spine = (common[-1], *self.branch(k))
            if len(graph.sinks) > 1 and len(spine) == 1:
                continue
            names.append(self.arriving(spine[-1], (S.Zero,) * self.derivation.tensors[spine[-1]].rank).tensor.name)
            names += [f"d {top}/d {bottom}" for bottom, top in reversed(list(pairwise(spine)))]
        names += [f"d {top}/d {bottom}" for bottom, top in reversed(list(pairwise(common)))]
        return tuple(dict.fromkeys(names))

    def provenance(self) -> tuple[str, ...]:
        """Names of the tensors that come with what arrives, then of those that come with the local derivatives."""
        graph = self.graph
        common = (graph.source, *graph.common)
        arrived: list[str] = []
        local: list[str] = []
        for k in range(len(graph.sinks)):
            spine = (common[-1], *self.branch(k))
            rank = self.derivation.tensors[spine[-1]].rank
            if len(graph.sinks) == 1 or len(spine) > 1:
                value = self.value(self.arriving(spine[-1], tuple(Index(f"r~{r}", S.One) for r in range(rank))))
                arrived += [t.name for t in reads(value)]
            for bottom, top in (*pairwise(spine), *pairwise(common)):
                local += [t.name for t in reads(self.local(top, bottom).equation.rhs)]
        return tuple(dict.fromkeys((*arrived, *local)))

    def passage(self, rule: str, rhs: Expr) -> Passage:
        equation = _raw(self.lhs, rhs)
        return Passage(rule, equation, _matrix(equation, self.derivation))

    def factors(self) -> tuple[Factor, ...]:
        """Tell apart, in the result, what arrived and the derivative of the layer's own function."""
        graph = self.graph
        spine = (graph.source, *graph.common, *(self.branch(0) if len(graph.sinks) == 1 else ()))
        if self.name == self.prefix + self.of or len(spine) < 2:
            return ()
        piece = self.local(spine[1], spine[0])
        if not piece.elementwise:
            return ()
        index = tuple(self.lhs.index)
        slope = piece.entry(tuple(index[piece.pairs[r]] for r in range(piece.rank)), index, range(piece.rank))
        if slope.is_number:
            return ()
        above = _over(self.result.rhs, slope)
        if above is None:
            return ()
        label = "loss gradient" if graph.sinks == (self.loss,) else "upstream gradient"
        forms = [_matrix(_raw(self.lhs, part), self.derivation) for part in (above, slope)]
        return tuple(
            Factor(word, part, form.rhs if form is not None else None)
            for word, part, form in zip((label, "local gradient"), (above, slope), forms, strict=True)
        )


def general_ways(derivation: Derivation) -> tuple[tuple[Rung, Way], ...]:
    """Return how each rung of the recursion over layers is derived, for a general layer.

    A rung holds for a run of layers that share one template; the last of them is derived, with a symbol for the width of each
    layer. The slots of the returned rungs are the tensors of that layer and its neighbours.

    Raises:
        DerivationError: the network is no chain of layers with weights.
    """
    rungs = recursion(derivation)
    made = symbolic(derivation)
    model = made.model
    assert model is not None
    chain = _chain(model)
    roles = _roles(model, chain)
    out = []
    for rung in rungs:
        k = rung.last
        layer = chain[k - 1]
        if rung.kind in ("weight", "bias"):
            name = made.cotangents[layer.parameters[("weight", "bias").index(rung.kind)]]
        else:
            name = f"delta.{called(layer)}"
        slots = {tensor: word if at is None else f"{word}:{at - k}" for tensor, (word, at) in roles.items()}
        widths: dict[Expr, int] = {}
        for number, r in enumerate(chain, start=1):
            assert r.pre is not None
            widths.setdefault(made.tensors[r.pre].axes[-1].extent, number - k)
        first = made.tensors[model.inputs[0]].axes
        if first:
            widths.setdefault(first[-1].extent, -k)
        out.append((replace(rung, slots=slots, widths=widths), way_to(made, name)))
    return tuple(out)


def symbolic(derivation: Derivation) -> Derivation:
    """Return the same derivation with a symbol for each size that the templates leave open."""
    model = derivation.model
    assert model is not None
    system = derivation.forward_system
    leader: dict[object, object] = {}

    def find(node: object) -> object:
        while leader.setdefault(node, node) != node:
            node = leader[node]
        return node

    for number, block in enumerate(system.blocks):
        for slot, t in block.template.tensors.items():
            for axis, extent in enumerate(t.shape):
                other = (number, extent) if extent in block.sizes else ("as it is", extent)
                leader[find((block.names[slot], axis))] = find(other)
    fixed = {find(node): node[1] for node in list(leader) if isinstance(node, tuple) and node[0] == "as it is"}
    for name, t in system.tensors.items():
        for axis, extent in enumerate(t.shape):
            if not extent.is_Integer:
                fixed.setdefault(find((name, axis)), extent)
    named: dict[object, Expr] = {}

    def size(node: object) -> Expr:
        top = find(node)
        if top in fixed:
            return fixed[top]
        return named.setdefault(top, Size(f"n_{len(named) + 1}"))

    tensors = {
        name: Tensor(
            name,
            tuple(Index(a.name, size((name, k))) for k, a in enumerate(t.axes)),
            t.role,
            integer=t.integer,
            positive=t.positive,
        )
        for name, t in system.tensors.items()
    }
    blocks = tuple(replace(b, sizes={s: size((n, s)) for s in b.sizes}) for n, b in enumerate(system.blocks))
    open_system = System(blocks=blocks, tensors=tensors)
    made = derive_system(open_system, derivation.loss, derivation.wrt, labels=error_labels(model))
    return replace(made, model=replace(model, system=open_system))


def _over(product: Expr, factor: Expr) -> Expr | None:
    """Return what is left of a product without a factor of it, or None if it has no such factor."""
    number, rest = product.as_coeff_Mul()
    left = list(sympy.Mul.make_args(rest))
    for f in sympy.Mul.make_args(factor):
        if f in left:
            left.remove(f)
        elif isinstance(f, sympy.Add) and -f in [sympy.expand_mul(x) for x in left]:
            left = [x for x in left if sympy.expand_mul(x) != -f]
            number = -number
        elif f.is_number:
            number = number / f
        else:
            return None
    return sympy.Mul(number, *left)


def _primitive(e: Expr) -> Expr:
    """Return a product with the numbers in front: (a/2 − y/2) b becomes (a − y) b/2."""
    if not isinstance(e, sympy.Mul):
        return e
    parts = [a.primitive() if isinstance(a, sympy.Add) else (S.One, a) for a in e.args]
    return sympy.Mul(*(c for c, _ in parts), *(a for _, a in parts))


def _told(steps: list[Step]) -> list[Step]:
    """Leave out steps that a reader does not see: those that only move constants."""
    quiet = {"pull constants out of the sum", "cancel"}
    return [s for k, s in enumerate(steps) if s.rule not in quiet or k == len(steps) - 1]


def _matrix(equation: Equation, derivation: Derivation) -> MatrixEquation | None:
    return matrix_form(equation, stepped=derivation.stepped)


def _names(fact: Fact) -> set[str]:
    return {t.name for t in (*reads(fact.lhs), *reads(fact.rhs))}


def _pairs(rhs: Expr, rows: tuple[Index, ...], columns: tuple[Index, ...]) -> dict[int, int]:
    """Return row -> column for the equalities that every term has as a factor."""
    terms = [{_key(f) for f in sympy.Mul.make_args(t) if isinstance(f, Indicator)} for t in sympy.Add.make_args(rhs)]
    found: dict[int, int] = {}
    for r, row in enumerate(rows):
        for c, column in enumerate(columns):
            if c not in found.values() and all(_same(row, column) in t for t in terms):
                found[r] = c
                break
    return found


__all__ = ["Graph", "Local", "general_ways", "symbolic", "way_to"]
