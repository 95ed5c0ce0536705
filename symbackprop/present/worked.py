r"""Worked numbers: a derivation with values plugged in, forward, backward and update, as tables and as lines.

Values are computed with the interpreter in `rounding.WORKING` digits from exact inputs. What is printed is rounded from these,
once; nothing is ever computed from a printed number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import mpmath
import numpy as np
from sympy import Expr, Integer

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.interpret import as_array, interpret, solve_sizes
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.derive.records import Derivation
from symbackprop.errors import DataError, DeclarationError
from symbackprop.present import notation as notations
from symbackprop.present.convention import turns
from symbackprop.present.document.breaking import measure
from symbackprop.present.document.records import Block, Display, Line, Math, Table, Text
from symbackprop.present.naming import Name, Naming, network_naming
from symbackprop.present.notation import Notation
from symbackprop.present.plugged import Chain, EntryPrinter, arrangement, chain, matrix_latex, matrix_line, row_latex
from symbackprop.present.rounding import WORKING, Array, Rounding, exact
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import Latex, Piece

#: How an equation gets its matrix form; finding it is the work of another stage.
MatrixForm = Callable[[Equation], MatrixEquation | None]

#: Vectors and matrices with more entries are printed whole, in tables and lines.
MAX_VECTOR, MAX_MATRIX = 6, 4
#: Letters of hyper-parameters whose names are words.
_HYPER = {"eps": r"\epsilon", "weight_decay": r"\lambda", "beta1": r"\beta_1", "beta2": r"\beta_2", "clip_norm": "c"}
#: A chain that is no wider, in em, is a single line.
SHORT = 26.0
#: A row of a table whose entries take more room, in em, shows the whole matrix.
WIDE = 33.0
STAGES = ("forward", "backward", "update")


class Update(Protocol):
    """What an optimizer has: equations over one flat index, hyper-parameters, and the state that it keeps."""

    @property
    def hyper(self) -> Mapping[str, float]: ...
    @property
    def state(self) -> tuple[tuple[str, str], ...]: ...
    def system(self) -> System: ...


@dataclass(frozen=True)
class State:
    """Everything that is known after a number of updates.

    Attributes:
        number: how many updates were made.
        values: exact, by name: parameters, forward values, error terms, gradients.
        optimizer: exact values of the optimizer's own tensors in the update that follows, over the flat index; empty at the end.
    """

    number: int
    values: Mapping[str, Array]
    optimizer: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Worked:
    """A derivation with numbers.

    Attributes:
        derivation: the equations.
        naming: what their tensors are called.
        states: before the first update, after it, and so on; of a long run only those that were asked for, and the last.
        rounding: how numbers are printed.
        trained: names of what is updated, in order; none without an optimizer.
        update: the optimizer's equations, or None.
        matrix_form: gives the matrix form of an equation, or None; without it everything is written entry by entry.
    """

    derivation: Derivation
    naming: Naming
    states: tuple[State, ...]
    rounding: Rounding = field(default_factory=Rounding)
    trained: tuple[str, ...] = ()
    update: System | None = None
    matrix_form: MatrixForm | None = None

    @property
    def values(self) -> Mapping[str, Array]:
        """Exact values before any update, by name: "dense_1.z", "loss", "delta.dense_1", "grad.dense_1.W"."""
        return self.states[0].values

    @property
    def updated(self) -> Mapping[str, Array]:
        """Exact values after the last update, in the same way."""
        return self.states[-1].values

    def state(self, number: int) -> State:
        """Return what is known after a number of updates.

        Raises:
            DeclarationError: that state was not kept.
        """
        for s in self.states:
            if s.number == number:
                return s
        kept = ", ".join(str(s.number) for s in self.states[:8]) + (", ..." if len(self.states) > 8 else "")
        raise DeclarationError(f"the values after {number} updates were not kept (kept: {kept}); name them in keep=")

    @cached_property
    def sizes(self) -> Mapping[Expr, Expr]:
        """The values of symbolic sizes, the batch among them."""
        known = {n: t for n, t in self.derivation.tensors.items() if n in self.values}
        return solve_sizes(known, {n: self.values[n] for n in known})

    # --- which equations ---

    @property
    def forward(self) -> tuple[Equation, ...]:
        """The forward equations that say more than that two things are equal."""
        return tuple(e for e in self.derivation.forward_system.equations if not isinstance(e.rhs, Access))

    @property
    def backward(self) -> tuple[Equation, ...]:
        """The equations of error terms and gradients, in the order of the backward pass."""
        count = len(self.derivation.forward_system.equations)
        return tuple(e for e in self.derivation.system.equations[count:] if e.rhs != 1)

    def equation(self, name: str) -> Equation:
        """Return the equation that gives a tensor.

        Raises:
            DataError: none does.
        """
        for e in self.derivation.system.equations:
            if e.tensor.name == name:
                return e
        raise DataError(f"no equation gives {name!r}; there are {', '.join(self.derivation.system.defined)}")

    # --- lines ---

    def chain(
        self, name: str, place: Sequence[int] = (), *, notation: str | Notation = "ufldl", parts: str = "auto", after: int = 0
    ) -> Chain:
        """Return one entry of a tensor with numbers plugged in.

        Args:
            name: of the tensor.
            place: the entry, counted from 0.
            notation: a preset's name or a record.
            parts: whether the parts of the right side are evaluated in a line of their own: "auto", "always", "never".
            after: how many updates.
        """
        values = self.state(after).values
        with mpmath.workdps(WORKING):
            return chain(self.equation(name), place, values, self.sizes, self.symbols(notation), self.rounding, parts)

    def lines(
        self,
        names: Iterable[str] | None = None,
        *,
        notation: str | Notation = "ufldl",
        letters: bool = True,
        parts: str = "auto",
        after: int = 0,
    ) -> tuple[Line, ...]:
        r"""Return equations with numbers plugged in, entry by entry: ``z_1 = w_{11} x_1 + b_1``, ``= 0.15 \cdot 0.05 + 0.35 = 0.3575``.

        Args:
            names: of tensors; None takes all, forward and backward.
            notation: a preset's name or a record.
            letters: show each right side with letters first.
            parts: whether the parts of a right side are evaluated in a line of their own: "auto", "always", "never".
            after: how many updates.
        """
        wanted = [e.tensor.name for e in (*self.forward, *self.backward)] if names is None else list(names)
        made: list[Line] = []
        for name in wanted:
            for place in np.ndindex(self.state(after).values[name].shape):
                made += chain_lines(self.chain(name, place, notation=notation, parts=parts, after=after), letters)
        return tuple(made)

    def update_lines(self, names: Iterable[str] | None = None, *, notation: str | Notation = "ufldl", after: int = 0) -> tuple[Line, ...]:
        """Return the update of parameters with numbers plugged in, entry by entry.

        Raises:
            DeclarationError: there is no optimizer.
        """
        if self.update is None:
            raise DeclarationError("no optimizer was given, so nothing is updated; give one with optimizer=")
        state = self.state(after)
        made: list[Line] = []
        with mpmath.workdps(WORKING):
            for name in self.trained if names is None else names:
                start = self.offset(name)
                for k, place in enumerate(np.ndindex(state.values[name].shape)):
                    for e in self.update.equations:
                        if e.tensor.rank or k == 0:
                            made.append(self._update_line(e, name, place, start + k, notations.notation(notation), state))
        return tuple(made)

    def offset(self, name: str) -> int:
        """Return where a parameter begins in the optimizer's flat index."""
        before = self.trained[: self.trained.index(name)]
        return sum(int(self.values[n].size) for n in before)

    def _update_line(self, e: Equation, name: str, place: tuple[int, ...], flat: int, record: Notation, state: State) -> Line:
        own = self.naming.of(name)
        entry = tuple(str(k + 1) for k in (place[::-1] if turns(self.derivation.tensors[name], self.naming, record) else place))
        symbols = _UpdateSymbols(record, self._update_naming(own), Latex(), entry=entry)
        index: tuple[Any, ...] = e.lhs.index
        at = dict.fromkeys(index, flat)
        sizes = {size: Integer(self._flat_size()) for size in self.update.sizes} if self.update is not None else {}
        letters = UpdatePrinter(symbols, {}, index, at=at, known=state.optimizer, sizes=sizes, rounding=self.rounding)
        numbers = replace(letters, values=state.optimizer)
        value = state.optimizer[e.tensor.name][tuple(flat for _ in index)]
        left, right, plugged = letters.write(e.lhs).text, letters.write(e.rhs).text, numbers.write(e.rhs).text
        return Line(rf"{left} &\leftarrow {right} = {plugged} {self.rounding.sign(value)} {self.rounding.latex(value)}")

    def _flat_size(self) -> int:
        return sum(int(self.values[n].size) for n in self.trained)

    def _update_naming(self, own: Name) -> Naming:
        names = {"w": own, "w_next": own, "g": Name("gradient", of=own), "clipped": Name("gradient", of=own)}
        return Naming(names=names, loss=self.naming.loss, affine=self.naming.affine)

    # --- tables ---

    def symbols(self, notation: str | Notation) -> Symbols:
        """Return how names are written."""
        return Symbols(notations.notation(notation), self.naming, Latex())

    def symbol(self, name: str, place: Sequence[int] | None = None, *, notation: str | Notation = "ufldl") -> str:
        """Return the symbol of a tensor, or of one entry of it (counted from 0), in LaTeX."""
        tensor, symbols = self.derivation.tensors[name], self.symbols(notation)
        indices = [str(k + 1) for k in place or ()]
        if turns(tensor, self.naming, symbols.notation):
            indices.reverse()
        return symbols.tensor(tensor, indices, whole=not indices).text

    def printed(self, name: str, place: Sequence[int] = (), after: int = 0) -> str:
        """Return one entry as it is printed; labels count from 1, as indices do in print."""
        value = self.state(after).values[name][tuple(place)]
        return self.rounding.latex(value + 1 if self.derivation.tensors[name].integer else value)

    def table(
        self,
        names: Iterable[str],
        *,
        notation: str | Notation = "ufldl",
        caption: Text = (),
        after: int = 0,
        head: tuple[str, str] = ("quantity", "value"),
    ) -> Table:
        """Return a table with a row for each tensor: its entries' symbols and their values.

        Args:
            names: of tensors.
            notation: a preset's name or a record.
            caption: above it.
            after: how many updates.
            head: titles of the columns.
        """
        rows = []
        values = self.state(after).values
        for name in names:
            array = values[name]
            if entrywise(array):
                places = list(np.ndindex(array.shape))
                left = ", ".join(self.symbol(name, place, notation=notation) for place in places)
                right = r",\; ".join(self.printed(name, place, after) for place in places)
                if measure(left).width + measure(right).width <= WIDE:
                    rows.append(((Math(left),), (Math(right),)))
                    continue
            shown = arrangement(self.derivation.tensors[name], values, self.naming, notations.notation(notation))
            written = matrix_latex(shown, self.rounding) if shown.ndim > 1 else row_latex(shown, self.rounding)
            rows.append(((Math(self.symbol(name, notation=notation)),), (Math(written),)))
        return Table(head=((head[0],), (head[1],)), rows=tuple(rows), caption=caption)

    def history(
        self,
        names: Iterable[str],
        rounds: Iterable[int] | None = None,
        *,
        notation: str | Notation = "ufldl",
        caption: Text = (),
        title: str = "round",
    ) -> Table:
        """Return a table with a row for each round: values after that many updates, entry by entry.

        Args:
            names: of tensors.
            rounds: numbers of updates; None takes all that were kept, a gap marked by dots.
            notation: a preset's name or a record.
            caption: above it.
            title: of the first column.
        """
        wanted = tuple(names)
        numbers = [s.number for s in self.states] if rounds is None else list(rounds)
        columns = [(name, place) for name in wanted for place in np.ndindex(self.values[name].shape)]
        head: list[Text] = [(title,)]
        head += [(Math(self.symbol(name, place, notation=notation)),) for name, place in columns]
        rows: list[tuple[Text, ...]] = []
        for k, number in enumerate(numbers):
            if k and number > numbers[k - 1] + 1:
                rows.append(tuple((Math(r"\vdots"),) for _ in head))
            rows.append(((Math(str(number)),), *((Math(self.printed(name, place, number)),) for name, place in columns)))
        return Table(head=tuple(head), rows=tuple(rows), caption=caption, align="r" * len(head))

    # --- all of it ---

    def blocks(
        self,
        notation: str | Notation = "ufldl",
        *,
        stages: Collection[str] = STAGES,
        lines: bool = True,
        tables: bool = True,
        letters: bool = True,
        parts: str = "auto",
    ) -> tuple[Block, ...]:
        """Return the worked example: what is given, then each stage as lines and as a table.

        Args:
            notation: a preset's name or a record.
            stages: of "forward", "backward", "update".
            lines: show equations with numbers plugged in; of tensors with many entries only matrices are shown.
            tables: show tables of values.
            letters: show each right side with letters first.
            parts: as in `lines`.
        """
        unknown = [s for s in stages if s not in STAGES]
        if unknown:
            raise DeclarationError(f"unknown stage {unknown[0]!r} (known: {', '.join(STAGES)})")
        made: list[Block] = []
        given = [n for n in self.derivation.forward_system.free if n in self.values]
        if tables:
            made.append(self.table(given, notation=notation, caption=("Given",)))
        for stage, equations in (("forward", self.forward), ("backward", self.backward)):
            if stage not in stages:
                continue
            if lines:
                made += self._displays([e.tensor.name for e in equations], notation, letters, parts)
            if tables:
                caption = "Forward pass" if stage == "forward" else "Backward pass"
                made.append(self.table([e.tensor.name for e in equations], notation=notation, caption=(caption,)))
        if "update" in stages and self.update is not None:
            made += self._update_blocks(notation, lines, tables)
        return tuple(made)

    def _displays(self, names: Sequence[str], notation: str | Notation, letters: bool, parts: str) -> list[Block]:
        made: list[Block] = []
        for name in names:
            if entrywise(self.values[name]):
                made.append(Display(self.lines([name], notation=notation, letters=letters, parts=parts)))
            else:
                made.append(Display(self.matrix_lines(name, notation=notation)))
        return made

    def matrix_lines(self, name: str, *, notation: str | Notation = "ufldl", after: int = 0) -> tuple[Line, ...]:
        """Return an equation in matrix form with matrices of numbers plugged in; long axes are abbreviated.

        Args:
            name: of the tensor that the equation gives.
            notation: a preset's name or a record.
            after: how many updates.
        """
        values, symbols = self.state(after).values, self.symbols(notation)
        shown = arrangement(self.derivation.tensors[name], values, self.naming, symbols.notation)
        value = matrix_latex(shown, self.rounding)
        sign = "=" if all(self.rounding.is_exact(v) for v in shown.flat) else r"\approx"
        found = None if self.matrix_form is None else self.matrix_form(self.equation(name))
        # One equation of a family has no numbers of its own: they would be those of one sample, head or step.
        if found is None or any(e.running or e.cuts or e.long for e in (found.lhs, *found.rhs.entries)):
            return (Line(f"{self.symbol(name, notation=notation)} {sign} {value}"),)
        left, letters, numbers = matrix_line(found, values, symbols, self.rounding)
        # Where a page cannot hold all matrices beside each other, nobody would read them either.
        plugged = (Line(f"= {numbers}"),) if numbers != value and measure(numbers).width <= WIDE else ()
        return Line(f"{left} = {letters}"), *plugged, Line(f"{sign} {value}")

    def _update_blocks(self, notation: str | Notation, lines: bool, tables: bool) -> list[Block]:
        made: list[Block] = []
        if lines:
            small = [n for n in self.trained if entrywise(self.values[n])]
            made += [Display(self.update_lines([n], notation=notation)) for n in small]
        if tables:
            last = self.states[-1].number
            title = f"After {_updates(last)}"
            loss = [self.derivation.loss]
            made.append(self.table([*self.trained, *loss], notation=notation, caption=(title,), after=last))
        return made

    def _repr_html_(self) -> str:
        rows = []
        for block in self.blocks(lines=False):
            if isinstance(block, Table):
                for left, right in block.rows:
                    rows.append(f"<tr><td>${_math(left)}$</td><td>${_math(right)}$</td></tr>")
        return f"<table><tbody>{''.join(rows)}</tbody></table>"

    def __repr__(self) -> str:
        loss = self.rounding.text(self.values[self.derivation.loss][()])
        more = f", {_updates(self.states[-1].number)}" if self.update is not None else ""
        return f"Worked({self.derivation.loss} = {loss}{more})"


def entrywise(array: Array) -> bool:
    """Whether an array is so small that it is printed entry by entry."""
    return array.size <= (MAX_VECTOR if array.ndim < 2 else MAX_MATRIX)


def _updates(count: int) -> str:
    return "1 update" if count == 1 else f"{count} updates"


def _math(text: Text) -> str:
    return "".join(part.latex.replace("<", r"\lt ") for part in text if isinstance(part, Math))


@dataclass(frozen=True)
class UpdatePrinter(EntryPrinter):
    """Writes the rule of an optimizer: hyper-parameters stand before what they are multiplied with."""

    def multiply(self, number: Expr, factors: Sequence[Expr]) -> Piece:
        return super().multiply(number, sorted(factors, key=lambda f: any(a.tensor.rank for a in f.atoms(Access))))


@dataclass(frozen=True)
class _UpdateSymbols(Symbols):
    """The symbols of an update: its flat index stands for one entry of a parameter."""

    entry: tuple[str, ...] = ()

    def tensor(self, tensor: Tensor, indices: Sequence[str] = (), *, whole: bool = True) -> Any:
        name = tensor.name.removesuffix("_next")
        if name in ("w", "g", "clipped"):
            return self.name(self.naming.of(name), self.entry, whole=not self.entry)
        if name == "lr":
            return super().name(Name("rate"))
        if name in _HYPER:
            letter = _HYPER[name]
            # Where ε is the rate, δ keeps a denominator from zero, as in the book that has it so.
            return Piece(self.writer.letter(r"\delta" if letter == self.notation.rate else letter))
        return super().tensor(Tensor(name, tensor.axes), self.entry if tensor.rank else (), whole=not (tensor.rank and self.entry))


def chain_lines(found: Chain, letters: bool = True) -> tuple[Line, ...]:
    """Return a chain as lines, a short one as a single line; a right side that says nothing new is left out."""
    rights = [found.letters] if letters or found.numbers == found.shown else []
    rights += [text for text in (found.numbers, found.shown_parts) if text and text != found.shown and text not in rights]
    tail = f"{found.sign} {found.shown}"
    if rights == [found.shown]:
        return (Line(f"{found.left} {tail}"),)
    whole = " ".join((found.left, *(f"= {text}" for text in rights), tail))
    if len(rights) < 2 or measure(whole).width <= SHORT:
        return (Line(whole),)
    return (Line(f"{found.left} = {rights[0]}"), *(Line(f"= {text}") for text in rights[1:-1]), Line(f"= {rights[-1]} {tail}"))


def worked(
    derivation: Derivation,
    values: Mapping[str, Any],
    optimizer: Update | None = None,
    rounds: int = 1,
    *,
    trained: Iterable[str] | None = None,
    keep: Collection[int] | None = None,
    naming: Naming | None = None,
    rounding: Rounding | None = None,
    matrix_form: MatrixForm | None = None,
) -> Worked:
    """Return a derivation with numbers plugged in.

    Args:
        derivation: of one sample or of a batch.
        values: of parameters, inputs and target, by name; decimals and fractions as strings are taken exactly.
        optimizer: updates what is trained, or None.
        rounds: how many updates.
        trained: names of what is updated; None takes all that is differentiated and is a parameter (or free, in a plain system).
        keep: numbers of updates after which all values are kept; None keeps all of a short run.
        naming: what tensors are called; None reads it from the derivation.
        rounding: how numbers are printed.
        matrix_form: gives the matrix form of an equation.

    Raises:
        DataError: a value is missing or no number.
        ShapeError: a value has another shape.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 0:
        raise DeclarationError(f"rounds must be a whole number from 0 on, got {rounds!r}")
    model = derivation.model
    if naming is None:
        naming = network_naming(model) if model is not None else Naming(loss=Naming().of(derivation.loss))
    free = derivation.forward_system.free
    with mpmath.workdps(WORKING):
        given: dict[str, Array] = {}
        for name in free:
            if name not in values:
                raise DataError(f"no value is given for {name}; needed are {', '.join(free)}")
            tensor = derivation.tensors[name]
            given[name] = as_array(tensor, values[name], np.float64) if tensor.integer else _fitting(tensor, exact(values[name], name))
        names = _trained(derivation, trained) if optimizer is not None else ()
        states = tuple(_run(derivation, given, optimizer, names, rounds if optimizer is not None else 0, keep))
    return Worked(
        derivation=derivation,
        naming=naming,
        states=states,
        rounding=rounding or Rounding(),
        trained=names,
        update=None if optimizer is None else optimizer.system(),
        matrix_form=matrix_form,
    )


def _fitting(tensor: Tensor, array: Array) -> Array:
    made: Array = as_array(tensor, array, object)
    return made


def _trained(derivation: Derivation, wanted: Iterable[str] | None) -> tuple[str, ...]:
    free = set(derivation.forward_system.free)
    if wanted is None:
        parameters = None if derivation.model is None else set(derivation.model.parameter)
        return tuple(n for n in derivation.wrt if n in free and (parameters is None or n in parameters))
    names = tuple(wanted)
    for name in names:
        if name not in free or name not in derivation.cotangents:
            raise DeclarationError(f"{name!r} cannot be trained: it is not given, or there is no gradient for it")
    return names


def _run(
    derivation: Derivation,
    given: Mapping[str, Array],
    optimizer: Update | None,
    trained: Sequence[str],
    rounds: int,
    keep: Collection[int] | None,
) -> Iterable[State]:
    values = dict(given)
    memory: dict[str, Array] = {}
    hyper: dict[str, Array] = {}
    system: System | None = None
    if optimizer is not None:
        system = optimizer.system()
        hyper = {name: exact(value, name) for name, value in optimizer.hyper.items()}
        total = sum(int(values[n].size) for n in trained)
        memory = {name: exact(np.zeros(total if kind == "parameter" else ()), name) for name, kind in optimizer.state}
    wanted = set(range(rounds + 1)) if keep is None and rounds <= 100 else {0, 1, rounds, *(keep or ())}
    needed = [derivation.cotangents[n] for n in trained]
    for number in range(rounds + 1):
        kept = number in wanted
        env = interpret(derivation.system, values, want=None if kept else needed, dtype=object)
        if number == rounds or system is None:
            yield State(number, env)
            return
        flat = {
            "w": np.concatenate([values[n].reshape(-1) for n in trained]) if trained else np.zeros(0, dtype=object),
            "g": np.concatenate([env[name].reshape(-1) for name in needed]) if trained else np.zeros(0, dtype=object),
        }
        made = interpret(system, {**hyper, **memory, **flat}, dtype=object)
        if kept:
            yield State(number, env, made)
        memory = {name: made[f"{name}_next"] for name in memory}
        start = 0
        for name in trained:
            size = int(values[name].size)
            values[name] = made["w_next"][start : start + size].reshape(values[name].shape)
            start += size


__all__ = ["MAX_MATRIX", "MAX_VECTOR", "STAGES", "MatrixForm", "State", "Update", "Worked", "chain_lines", "worked"]
