"""What a notation changes beyond letters: the orientation of weights and batches, and biases folded into weights.

Each is a rewrite of the equation's record before it is printed, so that index form, matrix form, shapes and layouts follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from symbackprop.algebra import matrix as m
from symbackprop.algebra.equation import Equation, _raw
from symbackprop.algebra.index import Index
from symbackprop.algebra.nodes import Guard, Indicator, Sum
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.present.index import FromZero
from symbackprop.present.naming import EXTENDED, Name, Naming
from symbackprop.present.notation import Notation


def arranged(equation: Equation | m.MatrixEquation, naming: Naming, notation: Notation) -> Equation | m.MatrixEquation:
    """Return an equation in the conventions of a notation.

    Biases become column 0 of the weights (with an input 0 that is 1), weights W_ij lead from i to j, batches have a column for each
    sample: as far as the notation says so. The result means the same of arrays that are laid out in this way.
    """
    convention = _Convention(naming, notation)
    if isinstance(equation, Equation):
        if notation.folded:
            equation = convention.fold(equation)
        return convention.turn(equation)
    if notation.folded:
        equation = convention.fold_matrix(equation)
    return convention.turn_matrix(equation)


def extended(tensor: Tensor, axis: int) -> Tensor:
    """Return the tensor with an entry 0 in front along an axis."""
    axes = list(tensor.axes)
    axes[axis] = FromZero(axes[axis].name, axes[axis].extent + 1)
    return Tensor(tensor.name + EXTENDED, tuple(axes), tensor.role, integer=tensor.integer)


def turns(tensor: Tensor, naming: Naming, notation: Notation) -> bool:
    """Return whether an array is laid out the other way round than in the engine: W_ij from i to j, a column for each sample."""
    return _Convention(naming, notation).turns(tensor)


class _Convention:
    def __init__(self, naming: Naming, notation: Notation) -> None:
        self.naming = naming
        self.notation = notation
        self.inputs: dict[Name, list[Name]] = {}
        self.biases: dict[Name, list[Name]] = {}
        for a in naming.affine:
            self.inputs.setdefault(a.weight, []).append(a.input)
            self.biases.setdefault(a.weight, []).append(a.bias)

    def called(self, tensor: Tensor) -> Name:
        return self.naming.of(tensor.name)

    # --- biases in column 0 ---

    def product(self, weight: Tensor, value: Tensor, bias: Tensor | None = None) -> bool:
        """Whether a weight with a bias meets its input (and its bias)."""
        name = self.called(weight)
        if self.called(value) not in self.inputs.get(name, ()):
            return False
        return bias is None or self.called(bias) in self.biases[name]

    def gradient_of(self, tensor: Tensor) -> Name | None:
        """Return the weight with a bias of which a tensor is the gradient."""
        name = self.called(tensor)
        return name.of if name.role == "gradient" and not name.word and name.of in self.inputs else None

    def fold(self, equation: Equation) -> Equation:
        """Write Σ_{j=1} W_ij x_j + b_i as Σ_{j=0} W_ij x_j, and let the gradient of W hold for j = 0 as well."""
        weight = self.gradient_of(equation.tensor)
        if weight is None:
            return _raw(equation.lhs, self.folded(equation.rhs))
        j = equation.lhs.index[1]
        terms = [self.widened(term, j, weight) for term in sympy.Add.make_args(equation.rhs)]
        if any(t is None for t in terms):
            return equation
        made = extended(equation.tensor, 1)
        return _raw(Access(made, equation.lhs.index[0], _wide(j)), sympy.Add(*terms))

    def widened(self, term: Expr, j: Expr, weight: Name) -> Expr | None:
        """Return a term of a weight's gradient so that it holds for j = 0 too, or None if there is no such writing.

        Where j stands on the input, its 1 does it: δ_i x_j. A penalty does not touch the biases: λ w_ij [j ≥ 1].
        """
        # Before deltas are contracted, what equals j counts as j: Σ_k δ_i x_k [k = j].
        same = _equal_to(j, term)
        touching = [a for a in term.atoms(Access) if any(part.free_symbols & same for part in a.index)]
        others = [g for g in term.atoms(Guard) if g.free_symbols & same and not _equality(g)]
        if others or not touching or any(a.index[-1] not in same or any(p.free_symbols & same for p in a.index[:-1]) for a in touching):
            return None
        names = {self.called(a.tensor) for a in touching}
        swap: dict[sympy.Basic, sympy.Basic] = {k: _wide(k) for k in same}
        swap |= {a: Access(extended(a.tensor, -1), *a.index[:-1], _wide(a.index[-1])) for a in touching}
        if len(touching) == 1 and names <= set(self.inputs[weight]) and _linear(term, touching[0]):
            return term.xreplace(swap)
        if names == {weight} and same == {j}:
            return term.xreplace(swap) * Indicator(sympy.Ge(_wide(j), 1, evaluate=False))
        return None

    def folded(self, e: Expr) -> Expr:
        if not e.args or isinstance(e, Access) or not e.has(Sum):
            return e
        if isinstance(e, sympy.Add):
            for product in e.args:
                done = self.joined(product, [t for t in e.args if t != product])
                if done is not None:
                    return done
        args = [self.folded(a) if isinstance(a, Expr) else a for a in e.args]
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)

    def joined(self, product: Expr, rest: Sequence[Expr]) -> Expr | None:
        """Return Σ_j W_ij x_j and the bias among the rest as one sum from j = 0."""
        if not isinstance(product, Sum) or len(product.bound) != 1 or not isinstance(product.body, sympy.Mul):
            return None
        factors, bound = product.body.args, product.bound[0]
        if len(factors) != 2 or not all(isinstance(f, Access) and f.index[-1:] == (bound,) for f in factors):
            return None
        for weight, value in (factors, factors[::-1]):
            for bias in rest:
                if isinstance(bias, Access) and bias.index == weight.index[:-1] and self.product(weight.tensor, value.tensor, bias.tensor):
                    wide = FromZero(bound.name, bound.extent + 1)
                    body = Access(extended(weight.tensor, -1), *weight.index[:-1], wide) * Access(
                        extended(value.tensor, -1), *value.index[:-1], wide
                    )
                    return sympy.Add(Sum(body, wide), *(t for t in rest if t != bias))
        return None

    def fold_matrix(self, equation: m.MatrixEquation) -> m.MatrixEquation:
        """The same for matrix forms: W x + b is w x, X Wᵀ + 𝟏 bᵀ is X wᵀ, δ x̄ᵀ is δ xᵀ."""
        weight = self.gradient_of(equation.tensor)
        if weight is None:
            return m.MatrixEquation(equation.lhs, mapped(equation.rhs, lambda f: f, self.joined_forms))
        terms = equation.rhs.args if isinstance(equation.rhs, m.Plus) else (equation.rhs,)
        made = [self.gradient_term(t, weight) for t in terms]
        if any(t is None for t in made):
            return equation
        return m.MatrixEquation(m.Entry(extended(equation.tensor, 1)), m.plus(*(t for t in made if t is not None)))

    def joined_forms(self, form: m.Form) -> m.Form:
        if not isinstance(form, m.Plus):
            return form
        for product in form.args:
            pair = product.entries if isinstance(product, m.Times) and len(product.args) == 2 else ()
            if len(pair) != 2:
                continue
            for weight, value in (pair, pair[::-1]):
                for bias in form.args:
                    if len(bias.entries) == 1 and self.product(weight.tensor, value.tensor, bias.entries[0].tensor):
                        swap = {e: m.Entry(extended(e.tensor, -1), e.at) for e in (weight, value) if e.at[-1] is None}
                        if len(swap) == 2:
                            rest = [t for t in form.args if t not in (product, bias)]
                            return m.plus(mapped(product, lambda f, swap=swap: swap.get(f, f)), *rest)  # type: ignore[misc]
        return form

    def gradient_term(self, term: m.Form, weight: Name) -> m.Form | None:
        """Return a term δ x̄ᵀ or Δᵀ X̄ of a weight's gradient with the input that has a 1 in front, if it is one."""
        if isinstance(term, m.Scale):
            inner = self.gradient_term(term.arg, weight)
            return None if inner is None else m.Scale(term.factors, inner)
        if isinstance(term, m.Total):
            inner = self.gradient_term(term.arg, weight)
            return None if inner is None else m.Total(term.index, inner)
        if not isinstance(term, m.Times):
            return None
        last = term.args[-1]
        entry = last.arg if isinstance(last, m.Transpose) else last
        if not isinstance(entry, m.Entry) or entry.at[-1] is not None or self.called(entry.tensor) not in self.inputs[weight]:
            return None
        wide: m.Form = m.Entry(extended(entry.tensor, -1), entry.at)
        return m.Times((*term.args[:-1], m.Transpose(wide) if isinstance(last, m.Transpose) else wide))

    # --- orientation ---

    def turns(self, tensor: Tensor) -> bool:
        """Whether a matrix is stored the other way round than in the engine."""
        if tensor.rank != 2:
            return False
        name = self.called(tensor)
        if self.notation.weight_index == "source first" and self.weight(name):
            return True
        return self.notation.batch_samples == "columns" and tensor.role != "parameter" and tensor.axes[0].extent == self.naming.batch

    def weight(self, name: Name) -> bool:
        if name.role in ("gradient", "direction") and name.of is not None:
            return self.weight(name.of)
        return name.role == "weight"

    def turn(self, equation: Equation) -> Equation:
        """Swap the axes of what is stored the other way round, everywhere in an equation in index form."""
        reads = (equation.tensor, *equation.reads)
        swap: dict[sympy.Basic, sympy.Basic] = {}
        for access in (equation.lhs, *sorted(equation.rhs.atoms(Access), key=str)):
            if self.turns(access.tensor):
                swap[access] = Access(_turned(access.tensor), *access.index[::-1])
            elif self.called(access.tensor).role == "jacobian":
                swap[access] = self.turned_jacobian(access)
        if all(a == b for a, b in swap.items()):
            return equation
        made = _raw(equation.lhs.xreplace(swap), equation.rhs.xreplace(swap))
        if self.turns(reads[0]) and self.weight(self.called(reads[0])):
            # The left side keeps its reading order: ∂L/∂W_ij, whichever of the two the engine calls i.
            first, second = made.lhs.index
            names = {first: type(first)(second.name, first.extent), second: type(second)(first.name, second.extent)}
            made = _raw(made.lhs.xreplace(names), made.rhs.xreplace(names))
        return made

    def turned_jacobian(self, access: Access) -> Access:
        """Swap the pairs of indices that belong to a weight: ∂z_i/∂W_jk."""
        name, tensor = self.called(access.tensor), access.tensor
        outer = name.rows(tensor)
        order = list(range(tensor.rank))
        for part, low, high in ((name.top, 0, outer), (name.of, outer, tensor.rank)):
            if part is not None and high - low == 2 and self.notation.weight_index == "source first" and self.weight(part):
                order[low:high] = order[low:high][::-1]
        made = Tensor(tensor.name, tuple(tensor.axes[k] for k in order), tensor.role)
        return Access(made, *(access.index[k] for k in order))

    def turn_matrix(self, equation: m.MatrixEquation) -> m.MatrixEquation:
        """Transpose what is stored the other way round, in matrix form."""
        rhs = mapped(equation.rhs, self.leaf, simpler)
        lhs = equation.lhs
        if self.turns(lhs.tensor):
            turned = mapped(m.transpose(rhs), lambda f: f, simpler) if lhs.rank == 2 else rhs
            return m.MatrixEquation(_turned_entry(lhs), turned)
        return m.MatrixEquation(lhs, rhs)

    def leaf(self, form: m.Form) -> m.Form:
        if isinstance(form, m.Entry) and self.turns(form.tensor):
            made = _turned_entry(form)
            return m.transpose(made) if made.rank == 2 else made
        return form


def _turned(tensor: Tensor) -> Tensor:
    return Tensor(tensor.name, tensor.axes[::-1], tensor.role, integer=tensor.integer, positive=tensor.positive)


def _turned_entry(entry: m.Entry) -> m.Entry:
    return m.Entry(_turned(entry.tensor), entry.at[::-1])


def _wide(index: Expr) -> FromZero:
    assert isinstance(index, Index)
    return FromZero(index.name, index.extent + 1)


def _equality(guard: Expr) -> bool:
    return isinstance(guard, Indicator) and isinstance(guard.condition, sympy.Eq)


def _equal_to(j: Expr, term: Expr) -> set[Expr]:
    """Return j and the bound indices that an indicator sets equal to it."""
    same = {j}
    pairs = [set(g.condition.args) for g in term.atoms(Indicator) if _equality(g) and all(isinstance(a, Index) for a in g.condition.args)]
    for _ in pairs:
        for pair in pairs:
            same |= pair if pair & same else set()
    return same


def _linear(term: Expr, access: Access) -> bool:
    """Whether an entry stands in a term once, as a factor."""
    if term == access:
        return True
    if isinstance(term, Sum):
        return _linear(term.body, access)
    holding = [f for f in sympy.Mul.make_args(term) if f.has(access)] if isinstance(term, sympy.Mul) else []
    return len(holding) == 1 and _linear(holding[0], access)


# --- rebuilding matrix forms -----------------------------------------------------------------------------------------


def mapped(form: m.Form, leaf: Callable[[m.Form], m.Form], after: Callable[[m.Form], m.Form] = lambda f: f) -> m.Form:
    """Return a form with its leaves replaced, put together again in the simplest writing.

    Args:
        form: what is rebuilt.
        leaf: replaces tensors, fills, ones and unit vectors.
        after: applied to each part that is put together.
    """
    if not form.parts or isinstance(form, m.OneHot):
        return leaf(form)
    parts = [mapped(p, leaf, after) for p in form.parts]
    if all(a is b for a, b in zip(parts, form.parts, strict=True)):
        return after(form)
    return after(_rebuilt(form, parts))


def _rebuilt(form: m.Form, parts: list[m.Form]) -> m.Form:
    if isinstance(form, m.Times):
        return m.times(*parts)
    if isinstance(form, m.Hadamard):
        return m.hadamard(*parts)
    if isinstance(form, m.Plus):
        return m.plus(*parts)
    if isinstance(form, m.Transpose):
        return m.transpose(parts[0])
    if isinstance(form, m.Quotient):
        return m.Quotient(parts[0], parts[1])
    if isinstance(form, m.Scale):
        made = parts[-1]
        for factor in reversed(parts[:-1]):
            made = m.scale(factor, made)
        return made
    if isinstance(form, m.Apply | m.Stack):
        return replace(form, args=tuple(parts))
    if isinstance(form, m.Power | m.Diag | m.SquaredNorm | m.Total):
        return replace(form, arg=parts[0])
    raise TypeError(f"{type(form).__name__} cannot be rebuilt")


def simpler(form: m.Form) -> m.Form:
    """Return the writing of a form that has the fewest transposes."""
    if form.scalar:
        if isinstance(form, m.SquaredNorm):
            return _fewest(form, replace(form, arg=m.transpose(form.arg)))
        if isinstance(form, m.Times):
            return _fewest(form, m.times(*(m.transpose(a) for a in reversed(form.args))))
        return form
    if isinstance(form, m.Apply) and _transposes(form):
        # Outside, a transpose can meet another one and vanish.
        return _fewest(m.Transpose(replace(form, args=tuple(map(m.transpose, form.args)))), form)
    if isinstance(form, m.Quotient) and _transposes(form):
        return _fewest(m.Transpose(m.transpose(form)), form)
    if isinstance(form, m.Hadamard | m.Plus | m.Power):
        return _fewest(form, m.Transpose(m.transpose(form)))
    return form


def _fewest(first: m.Form, second: m.Form) -> m.Form:
    return second if _transposes(second) < _transposes(first) else first


def _transposes(form: m.Form) -> int:
    return sum(isinstance(f, m.Transpose) for f in m.walk(form))


__all__ = ["arranged", "extended", "mapped", "simpler", "turns"]
