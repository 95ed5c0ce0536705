"""What a derivation looks like to its user: equations by name, in index and matrix form, printed, evaluated, taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

import symbackprop
from symbackprop.algebra.equation import Equation, System, reads
from symbackprop.algebra.interpret import evaluate_equation, interpret, solve_sizes
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.suggest import suggestion
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.declare.spec import NetworkSpec
from symbackprop.derive.jacobian import diagonal, jacobian_equation
from symbackprop.derive.lecture import general_ways, way_to
from symbackprop.derive.matrix import matrix_form
from symbackprop.derive.network import Rung, called, recursion
from symbackprop.derive.operators import operator_form
from symbackprop.derive.records import Derivation as Record
from symbackprop.derive.records import Passage, Step, Way
from symbackprop.derive.second import derive_motion, derive_products, derive_pullback
from symbackprop.derive.sweep import derive_system
from symbackprop.derive.times import WholeForms, whole_forms
from symbackprop.errors import DataError, DerivationError
from symbackprop.present.display import displayed, displayed_lines, formula_table
from symbackprop.present.document.align import ruled
from symbackprop.present.document.records import Line
from symbackprop.present.expanded import expanded
from symbackprop.present.latex import Form, latex_equation, plain_equation
from symbackprop.present.naming import Name, Naming, general_naming, network_naming
from symbackprop.present.network import sample_sheet
from symbackprop.present.notation import Notation
from symbackprop.present.notation import notation as named_notation
from symbackprop.present.sheet import FORMS, Entry, Sheet, says
from symbackprop.present.steps import entry_lines, entry_text, printed_shape, step_lines, step_text

Array = npt.NDArray[Any]


class Derived:
    """One derived equation: an error term, a gradient or a Jacobian.

    Attributes:
        name: of the tensor that it gives, for example ``grad.dense_1.W``.
    """

    def __init__(self, name: str, index: Equation, steps: tuple[Step, ...], owner: Derivation) -> None:
        self.name = name
        self.index = index
        self.steps = steps
        self._owner = owner

    @cached_property
    def matrix(self) -> MatrixEquation | None:
        """The matrix form, or None where there is none (more than two axes, affine indices)."""
        return matrix_form(self.index, stepped=self._owner.record.stepped)

    @cached_property
    def operator(self) -> OperatorEquation | None:
        """The operator form, with correlations and convolutions of whole images, or None where there is none."""
        return operator_form(self.index)

    def latex(self, form: str = "matrix", notation: str | Notation = "ufldl", layout: str = "gradient", shapes: bool = False) -> str:
        """Return the equation as LaTeX without delimiters.

        Args:
            form: "matrix", "index" or "operator"; an equation without a matrix form is printed in operator form, and one without
                that in index form.
            notation: a preset's name or a `Notation`.
            layout: "gradient" (the parameter's shape), "numerator" or "denominator".
            shapes: write the shape under each factor.
        """
        equation = self._form(form)
        return latex_equation(equation, self._owner.naming, notation=notation, layout=layout, shapes=shapes)

    def text(self, form: str = "matrix", notation: str | Notation = "ufldl") -> str:
        """Return the equation as one line of Unicode text."""
        return plain_equation(self._form(form), self._owner.naming, notation=notation)

    @cached_property
    def way(self) -> Way:
        """How it is derived, as a record: the lines of a lecture and every rewrite."""
        return way_to(self._owner.record, self.name)

    def lines(
        self,
        depth: str = "lecture",
        notation: str | Notation = "ufldl",
        form: str = "matrix",
        layout: str = "gradient",
        shapes: bool = False,
        braces: bool = True,
    ) -> tuple[Line, ...]:
        """Return the derivation line by line, each with the rule that gave it.

        Args:
            depth: "result" (the formula), "lecture" (chain rule, local derivatives, collapsed sum, matrix form) or "rewrite"
                (every recorded rewrite).
            notation: a preset's name or a `Notation`.
            form: "matrix" or "index".
            layout: "gradient", "numerator" or "denominator".
            shapes: write the shape under each factor.
            braces: mark the loss gradient and the local gradient of an error term.
        """
        return step_lines(
            self.way, self._owner.naming, notation=notation, form=form, layout=layout, depth=depth, shapes=shapes, braces=braces
        )

    def steps_text(self, depth: str = "lecture", notation: str | Notation = "ufldl", form: str = "matrix") -> tuple[str, ...]:
        """Return the same as lines of Unicode text, with the rules beside them."""
        return step_text(self.way, self._owner.naming, notation=notation, form=form, depth=depth)

    def evaluate(self, values: Mapping[str, Any], form: str = "index") -> Array:
        """Return the value in float64, from values of the parameters, inputs and target.

        Args:
            values: by name; forward values are computed, not asked for.
            form: which form is evaluated: "index", "matrix" or "operator".

        Raises:
            DerivationError: there is no such form.
            DataError: a value is missing.
        """
        owner = self._owner._fitting(values)
        if owner is not self._owner and self.name in owner.record.cotangents.values():
            return owner._derived(self.name).evaluate(values, form)
        env = owner._values(values, [t.name for t in self.index.reads])
        if _checked(form) != "index":
            wanted = self.matrix if form == "matrix" else self.operator
            if wanted is None:
                raise DerivationError(f"{self.name} has no {form} form; evaluate form='index'")
            return np.asarray(wanted.evaluate(env))
        known = {n: owner.record.tensors[n] for n in env if n in owner.record.tensors}
        return evaluate_equation(self.index, env, solve_sizes(known, {n: env[n] for n in known}))

    def _form(self, form: str) -> Form:
        matrix = self._owner.whole_form.moments(self.index) or self.matrix if _checked(form) == "matrix" else None
        return matrix or (self.operator if form != "index" else None) or self.index

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Derived({self.index})"

    def _repr_latex_(self) -> str:
        return displayed(self.latex())


class _Named(dict[str, Derived]):
    """Derived equations by name; another name is told what there is."""

    def __init__(self, what: str, given: Mapping[str, Derived]) -> None:
        super().__init__(given)
        self.what = what

    def __missing__(self, name: object) -> Derived:
        raise KeyError(f"there is no {self.what} {str(name)[:60]!r}{suggestion(str(name), self)} (known: {', '.join(self)})")


class JacobianDerived(Derived):
    """A Jacobian in index form: ``index.lhs`` has the indices of the output, then those of the input.

    Attributes:
        rank: number of output indices.
    """

    def __init__(self, name: str, index: Equation, steps: tuple[Step, ...], owner: Derivation, rank: int) -> None:
        super().__init__(name, index, steps, owner)
        self.rank = rank

    @cached_property
    def way(self) -> Way:
        """How it is derived: in one line, from the rule of one equation."""
        line = Passage("differentiate, with the output index held fixed", self.index, self.matrix)
        return Way(self.name, self.name, self.index, self.matrix, (line,))

    @property
    def shape(self) -> tuple[Any, ...]:
        """The extents of all indices; the Jacobian itself is never built unless it is evaluated."""
        return tuple(int(e) if e.is_Integer else e for e in self.index.tensor.shape)

    @property
    def entries(self) -> Any:
        """How many entries it has."""
        total: Any = 1
        for e in self.shape:
            total = total * e
        return total

    @property
    def is_diagonal(self) -> bool:
        """Whether only entries with equal output and input indices can be nonzero."""
        return diagonal(self.index, self.rank)

    @property
    def max_nonzero(self) -> Any:
        """How many entries can be nonzero: all, or one per output where the Jacobian is diagonal."""
        if not self.is_diagonal:
            return self.entries
        total: Any = 1
        for e in self.shape[: self.rank]:
            total = total * e
        return total

    def diagonal(self, values: Mapping[str, Any]) -> Array:
        """Return the diagonal of a diagonal Jacobian, without building the rest."""
        if not self.is_diagonal:
            raise DerivationError(f"{self.name} is not diagonal")
        rows, columns = self.index.lhs.index[: self.rank], self.index.lhs.index[self.rank :]
        rhs = self.index.rhs.xreplace(dict(zip(columns, rows, strict=True)))
        tensor = Tensor(self.name, self.index.tensor.axes[: self.rank])
        only = Derived(self.name, Equation(tensor[tuple(rows)], rhs), (), self._owner)
        return only.evaluate(values)


class DerivedEntry:
    """The derivation of a single weight, bias or error term, with its indices counted as they are printed.

    Attributes:
        name: of the whole, for example ``dense_1.W`` or ``delta.dense_1``.
        indices: of the entry.
    """

    def __init__(self, name: str, indices: tuple[int, ...], derived: Derived, owner: Derivation, notation: str | Notation) -> None:
        self.name = name
        self.indices = indices
        self._whole = derived
        self._owner = owner
        self._notation = notation
        self._place(notation)

    @cached_property
    def way(self) -> Way:
        """How the whole is derived, with each sum cut down to the paths that lead to one entry."""
        return way_to(self._owner.record, self._whole.name, entry=True)

    def _place(self, notation: str | Notation) -> tuple[tuple[int, ...], Derived]:
        """Return the entry's place in an array, counted from 0, and of which array."""
        if any(isinstance(k, bool) or not isinstance(k, int) for k in self.indices):
            raise DerivationError(f"{self.name}: indices are whole numbers, counted from 1 as they are printed, got {self.indices}")
        stored = self._whole.index.tensor.shape
        if len(self.indices) != len(stored):
            raise DerivationError(f"{self.name} has {len(stored)} {'index' if len(stored) == 1 else 'indices'}, got {len(self.indices)}")
        shape, turned = printed_shape(self._whole.way, self._owner.naming, notation=notation)
        places = [(axis, k) for axis, k in enumerate(self.indices)][:: -1 if turned else 1]
        at = []
        for extent, printed, (axis, k) in zip(stored, shape[:: -1 if turned else 1], places, strict=True):
            # Where biases stand in column 0 of their weights, there is one more column than the engine has.
            lowest = 0 if printed != extent else 1
            if k < lowest or (extent.is_Integer and k > extent):
                hint = "; the bias is a parameter of its own in this notation" if k == 0 and len(stored) == 2 else ""
                raise DerivationError(f"{self.name}: index {axis + 1} is {lowest} to {extent}, got {k}{hint}")
            at.append(k - 1)
        if len(at) == 2 and at[1] < 0:
            return (at[0],), self._owner.gradients[self.name.rpartition(".")[0] + ".b"]
        return tuple(at), self._whole

    def lines(self, notation: str | Notation | None = None, boxed: bool = True) -> tuple[Line, ...]:
        """Return the derivation line by line; the last lines say, boxed, what the local derivatives of the chain are."""
        notation = notation or self._notation
        place, derived = self._place(notation)
        closing = derived.way if len(place) < len(self.indices) else None
        return entry_lines(self.way, self.indices, self._owner.naming, notation=notation, boxed=boxed, closing=closing)

    def latex(self, notation: str | Notation | None = None, boxed: bool = True) -> str:
        """Return the lines as LaTeX, one a row."""
        return "\n".join(line.latex for line in self.lines(notation, boxed))

    def text(self, notation: str | Notation | None = None) -> str:
        """Return the lines as Unicode text, with the rules beside them."""
        notation = notation or self._notation
        place, derived = self._place(notation)
        closing = derived.way if len(place) < len(self.indices) else None
        return "\n".join(entry_text(self.way, self.indices, self._owner.naming, notation=notation, closing=closing))

    def evaluate(self, values: Mapping[str, Any]) -> float:
        """Return the value of this entry in float64, from values of the parameters, inputs and target."""
        place, derived = self._place(self._notation)
        return float(derived.evaluate(values)[place])

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"DerivedEntry({self.name}, {', '.join(map(str, self.indices))})"

    def _repr_latex_(self) -> str:
        return displayed_lines(tuple(line.latex for line in self.lines()))


class Recursion(tuple[Rung, ...]):
    """The recursion over layers: δ at the output, δ in hidden layers, ∇W and ∇b for a general layer l, with their ranges."""

    #: The derivation that it was read from.
    record: Record | None = None

    def latex(self, notation: str | Notation = "ufldl", form: str = "matrix") -> tuple[str, ...]:
        """Return one formula a line, without delimiters and ranges."""
        lines = (latex_equation(self._form(r, form), _rung_naming(r, notation), notation=notation) for r in self)
        return tuple(dict.fromkeys(lines))

    def text(self, notation: str | Notation = "ufldl", form: str = "matrix") -> tuple[str, ...]:
        """Return one line of Unicode text for each rung, with the layers for which it holds."""
        shown: dict[str, list[Rung]] = {}
        for r in self:
            shown.setdefault(plain_equation(self._form(r, form), _rung_naming(r, notation), notation=notation), []).append(r)
        return tuple(f"{line}    ({rungs[0].kind}; {_range(rungs, notation)})" for line, rungs in shown.items())

    def lines(
        self,
        depth: str = "lecture",
        notation: str | Notation = "ufldl",
        form: str = "matrix",
        layout: str = "gradient",
        braces: bool = False,
    ) -> tuple[tuple[Line, ...], ...]:
        """Return how each formula is derived for a general layer, line by line; the arguments are those of `Derived.lines`."""
        assert self.record is not None
        made = (
            step_lines(way, _rung_naming(rung, notation), notation=notation, form=form, layout=layout, depth=depth, braces=braces)
            for rung, way in general_ways(self.record)
        )
        return tuple(dict.fromkeys(made))

    @property
    def matrix(self) -> tuple[MatrixEquation | None, ...]:
        """The matrix form of each rung, or None where it has none."""
        return tuple(matrix_form(r.equation) for r in self)

    def _form(self, rung: Rung, form: str) -> Equation | MatrixEquation:
        return (matrix_form(rung.equation) or rung.equation) if _checked(form) == "matrix" else rung.equation

    def __str__(self) -> str:
        return "\n".join(self.text())

    def _repr_latex_(self) -> str:
        return displayed_lines(self.latex())


def _rung_naming(rung: Rung, notation: str | Notation) -> Naming:
    record, about_weights = named_notation(notation), rung.kind in ("weight", "bias")
    return general_naming(record, rung.slots, gradient=about_weights, output=rung.kind == "output", widths=rung.widths, biases=rung.biases)


def _range(rungs: list[Rung], given: str | Notation) -> str:
    """Return the layers for which a formula holds, from the last down to the first, in the numbers of the notation."""
    record = named_notation(given)
    below = record.weight_layer() if rungs[0].kind in ("weight", "bias") else 0
    own = record.activation_layer == "own"
    numbers = (2 * k - 1 if own else k for r in rungs for k in range(r.first, r.last + 1))
    layers = sorted({number + record.first + below for number in numbers}, reverse=True)
    if len(layers) > 2 and layers[0] - layers[-1] == (len(layers) - 1) * (1 + own):
        start = f"{layers[0]}, {layers[1]}" if own else f"{layers[0]}"
        return f"{record.layer} = {start}, ..., {layers[-1]}"
    return f"{record.layer} = {', '.join(map(str, layers))}"


def _checked(form: str) -> str:
    if form not in FORMS:
        raise DerivationError(f"form must be 'index', 'matrix' or 'operator', got {form!r}")
    return form


class Derivation:
    """The derivation of a scalar's gradients, by the names that the user gave.

    Attributes:
        record: the plain data.
    """

    def __init__(self, record: Record, spec: NetworkSpec | None = None, naming: Naming | None = None) -> None:
        self.record = record
        self._spec = spec
        self._naming = naming
        #: What was asked for once keeps how it is derived, which every notation and form prints from.
        self._made: dict[str, Derived] = {}

    @property
    def system(self) -> System:
        """Forward and cotangent equations together: a `System` again."""
        return self.record.system

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The forward equations, in order."""
        return self.record.forward_system.equations

    @property
    def tape(self) -> tuple[str, ...]:
        """Names of the forward values that the backward pass reads."""
        stored = set(self.record.forward_system.defined)
        return tuple(name for name in self.record.tape if name in stored)

    @cached_property
    def whole_form(self) -> WholeForms:
        """Gives equations their form with whole arrays: moment by moment where something recurs, else as matrices or operators."""
        return whole_forms(self.record)

    @cached_property
    def naming(self) -> Naming:
        """How the tensors are called in print."""
        if self._naming is not None:
            return self._naming
        if self.record.model is not None:
            return network_naming(self.record.model)
        ranks = {name: tensor.rank for name, tensor in self.record.tensors.items()}
        return Naming(loss=Name("word", word=self.record.loss), ranks=ranks)

    @cached_property
    def error_terms(self) -> Mapping[str, Derived]:
        """∂L/∂z by layer."""
        if self.record.model is None:
            return {}
        out = {}
        for r in self.record.model.layers:
            if r.pre is not None and r.pre in self.record.cotangents:
                out[called(r)] = self._derived(self.record.cotangents[r.pre])
        return _Named("error term of", out)

    @cached_property
    def gradients(self) -> Mapping[str, Derived]:
        """∂L/∂parameter by name, and the gradients of the inputs ("x")."""
        return _Named("gradient of", {name: self._derived(self.record.cotangents[name]) for name in self.record.wrt})

    @cached_property
    def recursion(self) -> Recursion:
        """δ^(l), ∇W^(l), ∇b^(l) for a general layer, where layers repeat one pattern."""
        if self.record.model is None:
            raise DerivationError("a recursion over layers needs a network; this is a derivation of a plain system")
        made = Recursion(recursion(self._per_sample.record))
        made.record = self._per_sample.record
        return made

    @cached_property
    def _per_sample(self) -> Derivation:
        """The single-sample form of the same network; where a layer mixes the samples of a batch, the form for a batch."""
        model = self.record.model
        if model is None or model.per == "sample" or self._spec is None or symbackprop.pipeline.usual_per(self._spec) == "batch":
            return self
        form = None if model.target is None else ("labels" if model.system.tensors[model.target].integer else "rows")
        return Derivation(symbackprop.pipeline.derive_network(self._spec, target=form, per="sample"), self._spec)

    def _fitting(self, values: Mapping[str, Any]) -> Derivation:
        """Return the derivation for targets as they are given: labels have one axis less than rows."""
        model = self.record.model
        if model is None or model.target is None or model.spec is None or model.spec.loss is None or model.target not in values:
            return self
        form = {-1: "labels", 1: "rows"}.get(np.ndim(values[model.target]) - self.record.tensors[model.target].rank)
        return self._other_form if form is not None and form != model.form and form in model.spec.loss.forms else self

    @cached_property
    def _other_form(self) -> Derivation:
        """The derivation of the same network for the other form of targets."""
        model = self.record.model
        assert model is not None and model.spec is not None
        form = "rows" if model.form == "labels" else "labels"
        return Derivation(symbackprop.pipeline.derive_network(model.spec, target=form, per=model.per), self._spec)

    def _derived(self, name: str) -> Derived:
        if name not in self._made:
            self._made[name] = Derived(name, self.record.equation(name), self.record.steps_of(name), self)
        return self._made[name]

    def weight(self, name: str, *indices: int, notation: str | Notation = "ufldl") -> DerivedEntry:
        """Return the derivation of a single weight or bias: ∂E/∂w_13 = ∂E/∂z_1 ∂z_1/∂w_13 = δ_1 a_3.

        Args:
            name: of a parameter or input, for example ``dense_1.W``.
            indices: row and column, counted from 1 as they are printed in the notation. Where biases are column 0 of their
                weights, column 0 is the bias.
            notation: a preset's name or a `Notation`.

        Raises:
            DerivationError: there is no such parameter, or an index is out of range.
        """
        one = self._per_sample
        if name not in one.gradients:
            raise DerivationError(f"there is no gradient of {name!r}; there are {', '.join(one.gradients)}")
        return DerivedEntry(name, indices, one.gradients[name], one, notation)

    def entry(self, name: str, *indices: int, notation: str | Notation = "ufldl") -> DerivedEntry:
        """Return the derivation of a single entry of an error term or of a gradient, by the name of its tensor.

        Args:
            name: for example ``delta.dense_2`` or ``grad.dense_1.W``.
            indices: counted from 1, as they are printed.
            notation: a preset's name or a `Notation`.

        Raises:
            DerivationError: there is no such error term or gradient, or an index is out of range.
        """
        one = self._per_sample
        known = {d.name: d for d in (*one.error_terms.values(), *one.gradients.values())}
        if name not in known:
            raise DerivationError(f"there is no error term or gradient {name!r}; there are {', '.join(known)}")
        return DerivedEntry(name.removeprefix("grad."), indices, known[name], one, notation)

    def jacobian(self, of: str, wrt: str) -> JacobianDerived:
        """Return ∂of/∂wrt in index form: the same rule with the output index held fixed."""
        of, wrt = self._real(of), self._real(wrt)
        equation, steps = jacobian_equation(self.record.forward_system, of, wrt)
        return JacobianDerived(equation.tensor.name, equation, steps, self, self.record.tensors[of].rank)

    def jvp(self) -> Tangents:
        """Return the derivation of Jacobian-vector products: how every value changes as the tensors of ``wrt`` move.

        For every tensor w of ``wrt`` there is a direction ``v_w``; ``tangents[a]`` of the result is Σ ∂a/∂w v_w, for any value a of
        the forward pass. It is printed as a with a dot.
        """
        return Tangents(derive_motion(self.record), naming=self.naming)

    def vjp(self, *of: str) -> Derivation:
        """Return the derivation of vector-Jacobian products: the gradients of Σ u · a.

        Args:
            of: names of the values a; none stands for the network's outputs. The weights of ``a`` are an input named ``u_a``.

        Raises:
            DerivationError: there is no such value, or none is named and this is no network.
        """
        model = self.record.model
        names = tuple(map(self._real, of)) or (() if model is None else model.outputs)
        known = self.record.forward_system.defined
        if not names or any(name not in known for name in names):
            raise DerivationError(f"vjp takes names of values that equations define: {', '.join(known)}; got {', '.join(of) or 'none'}")
        return Derivation(derive_pullback(self.record.forward_system, names, self.record.wrt), naming=self.naming)

    def hvp(self, route: str = "reverse") -> Derivation:
        """Return the derivation of Hessian-vector products: the engine applied to its own result.

        For every tensor w of ``wrt`` there is a vector ``v_w``; ``gradients[w]`` of the result is Σ ∂²L/∂w∂w' v_w'.

        Args:
            route: "reverse" differentiates Σ v · ∂L/∂w once more; "forward" lets the gradient move along v. Both give one vector.

        Raises:
            DerivationError: there is no such route.
        """
        return Derivation(derive_products(self.record, route), naming=self.naming)

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Array]:
        """Return all values by name in float64: forward values, "loss", "delta.dense_1", "grad.dense_1.W", "grad.x".

        Args:
            values: parameters, inputs and target by name.
        """
        fitting = self._fitting(values)
        if fitting is not self:
            return fitting.evaluate(values)
        env = self._values(values, None)
        for r in self.record.model.layers if self.record.model is not None else ():
            if r.pre is not None and r.output == r.pre and r.pre.endswith("z"):
                env.setdefault(r.pre[:-1] + "a", env[r.pre])
        return env

    def _values(self, values: Mapping[str, Any], want: Iterable[str] | None) -> dict[str, Array]:
        flat = {name: values[name] for name in values if name in self.record.tensors}
        _check_facts(self.record, flat)
        wanted = None if want is None else [n for n in want if n in self.record.tensors]
        return interpret(self.record.stable, flat, want=wanted)

    def _real(self, name: str) -> str:
        """Return the tensor that a name stands for: "dense_1.a" is "dense_1.z" where the layer has no activation."""
        if name not in self.record.tensors and name.endswith(".a") and name[:-1] + "z" in self.record.tensors:
            return name[:-1] + "z"
        return name

    def formulas(self, *names: str, notation: str | Notation = "ufldl", form: str = "matrix") -> tuple[Line, ...]:
        """Return the equations that give tensors: "dense_1.z", "loss", "delta.dense_1"; without names the forward pass of one sample."""
        one = self._per_sample
        wanted = [one.record.equation(n) for n in names] or [e for e in one.equations if not isinstance(e.rhs, Access)]
        shown = [Entry(e, self.whole_form(e)).shown(_checked(form)) for e in wanted]
        return tuple(Line(latex_equation(e, one.naming, notation=notation)) for e in shown)

    def expanded(self, name: str, *, notation: str | Notation = "ufldl", inside: Iterable[str] = (), **options: Any) -> tuple[Line, ...]:
        """Return an equation entry by entry with its sums written out; values named in ``inside`` stand in place, under a brace."""
        one = self._per_sample
        within = [one.record.equation(n) for n in inside]
        return expanded(one.record.equation(name), one.naming, notation=notation, inside=within, **options)

    def latex(self, notation: str | Notation = "ufldl", form: str = "matrix", steps: bool | str = False) -> str:
        """Return the whole derivation in LaTeX, one formula a line: the per-sample form, closed by the mean over the batch.

        Where a layer mixes the samples of a batch, as BatchNorm does, there is no such form: then it is that of a batch.

        Args:
            notation: a preset's name or a `Notation`.
            form: "matrix" or "index".
            steps: show how each result was derived, with the names of the rules, as rows of an alignment: True or "lecture" for
                the lines of a lecture, "rewrite" for every rewrite.
        """
        if not steps:
            return "\n".join(self._sheet.formulas(notation=notation, form=_checked(form)))
        depth = "lecture" if steps is True else steps
        one = self._per_sample
        rows: list[str] = []
        for _, entries in self._sheet.groups:
            for e in entries:
                name = e.index.tensor.name
                if name in one.record.cotangents.values():
                    rows += ruled(one._derived(name).lines(depth, notation, form))
                elif says(formula := latex_equation(e.shown(form), one.naming, notation=notation)):
                    rows += ruled((Line(formula),))
        rows += ruled(Line(mean) for mean in self._sheet.averages(notation=notation))
        return "\n".join(rows)

    def text(self, notation: str | Notation = "ufldl", form: str | None = "matrix") -> str:
        """Return the same as plain Unicode text; ``form`` None gives both forms."""
        return "\n".join(self._sheet.text(notation=notation, form=form if form is None else _checked(form)))

    @cached_property
    def _sheet(self) -> Sheet:
        one = self._per_sample
        mean = self._spec is None or self._spec.loss is None or self._spec.loss.reduction == "mean"
        sheet = sample_sheet(one.record, one.whole_form, mean=mean)
        return sheet if self._spec is not None else replace(sheet, closing=())

    def __repr__(self) -> str:
        more = ", ..." if len(self.record.wrt) > 6 else ""
        return f"Derivation of {self.record.loss} with respect to {', '.join(self.record.wrt[:6])}{more}"

    def _repr_latex_(self) -> str:
        return displayed_lines(self._sheet.formulas())

    def _repr_html_(self) -> str:
        rows = [(name, d.latex()) for group in (self.error_terms, self.gradients) for name, d in group.items()]
        return formula_table(rows, caption=repr(self))


class Tangents(Derivation):
    """How the values of a forward pass change as given tensors move along directions."""

    @cached_property
    def tangents(self) -> Mapping[str, Derived]:
        """The tangent of every value that an equation defines; those of the given tensors are the directions."""
        return {name: self._derived(self.record.cotangents[name]) for name in self.record.forward_system.defined}

    @property
    def gradients(self) -> Mapping[str, Derived]:
        """Nothing: a tangent goes forward; see ``tangents``."""
        return {}

    def latex(self, notation: str | Notation = "ufldl", form: str = "matrix", steps: bool | str = False) -> str:
        """Return the tangents in LaTeX, one a line, in the order of the forward pass; ``steps`` is for gradients."""
        return "\n".join(t.latex(form, notation) for t in self.tangents.values())

    def text(self, notation: str | Notation = "ufldl", form: str | None = "matrix") -> str:
        """Return the same as plain Unicode text."""
        return "\n".join(t.text(form or "matrix", notation) for t in self.tangents.values())

    def _repr_latex_(self) -> str:
        return displayed_lines(tuple(self.latex().split("\n")))

    def _repr_html_(self) -> str:
        return formula_table([(name, t.latex()) for name, t in self.tangents.items()], caption=repr(self))

    def __repr__(self) -> str:
        return f"Tangents of {self.record.loss} and what leads there, along {', '.join(self.record.wrt)}"


def _check_facts(record: Record, values: Mapping[str, Any]) -> None:
    """Test the declared facts that speak of given values only.

    Raises:
        DataError: one does not hold.
    """
    for fact in record.forward_system.facts:
        names = [t.name for t in reads(fact.lhs) + reads(fact.rhs)]
        if not names or any(n not in values for n in names):
            continue
        free = tuple(sorted((s for s in fact.lhs.free_symbols if hasattr(s, "extent")), key=lambda s: s.name))
        arrays = {n: np.asarray(values[n], dtype=np.float64) for n in names}
        sizes = solve_sizes({n: record.tensors[n] for n in names}, arrays)
        left = evaluate_equation(Equation(Tensor("left", free)[free], fact.lhs), arrays, sizes)
        right = evaluate_equation(Equation(Tensor("right", free)[free], fact.rhs), arrays, sizes)
        worst = np.max(np.abs(left - right), initial=0.0)
        if not worst <= 1e-6:
            raise DataError(f"{', '.join(dict.fromkeys(names))}: the declared fact {fact} does not hold (off by {worst:.3g})")


def derive(system: System, of: str, wrt: Iterable[str]) -> Derivation:
    """Derive the gradients of a scalar of your own system.

    Args:
        system: equations in index notation.
        of: name of the scalar tensor.
        wrt: names of the tensors to differentiate with respect to.

    Raises:
        DerivationError: a name is unknown, or ``of`` is no scalar.
    """
    if isinstance(wrt, str):
        wrt = [wrt]
    return Derivation(derive_system(system, str(getattr(of, "name", of)), tuple(str(getattr(w, "name", w)) for w in wrt)))
