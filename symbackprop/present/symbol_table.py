"""What each symbol stands for, with its shape, and how shapes fit in each product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sympy import Expr, exp

from symbackprop.algebra import matrix as m
from symbackprop.algebra.equation import Equation
from symbackprop.algebra.index import Index, Size
from symbackprop.algebra.nodes import Guard, Sum, Unspecified, unspecified
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.times import Slice
from symbackprop.derive.records import Derivation
from symbackprop.present import notation as notations
from symbackprop.present.convention import arranged
from symbackprop.present.document.records import Line, Math, Table, Text
from symbackprop.present.index import reserved
from symbackprop.present.matrix import MatrixPrinter, laid_out
from symbackprop.present.naming import EXTENDED, Affine, Name, Naming, general_naming
from symbackprop.present.notation import Notation
from symbackprop.present.operators import operator_signs
from symbackprop.present.symbols import Symbols, readable
from symbackprop.present.times import TIME, named
from symbackprop.present.writer import PRODUCT, Latex, Piece

#: With more layers than this, one row stands for all of them.
LAYERS = 3
HEAD: tuple[Text, ...] = (("symbol",), ("shape",), ("meaning",))
_ORDER = (
    "input",
    "target",
    "weight",
    "bias",
    "pre",
    "activation",
    "output",
    "normalizer",
    "probability",
    "sample_loss",
    "one_loss",
    "loss",
    "word",
    "error",
    "gradient",
    "direction",
    "tangent",
    "jacobian",
)
_NUMBERED = ("weight", "bias", "pre", "activation", "error", "gradient")


def symbol_table(
    derivation: Derivation,
    naming: Naming,
    notation: str | Notation = "ufldl",
    *,
    layout: str = "gradient",
    operators: Sequence[OperatorEquation] = (),
    times: Mapping[str, int] | None = None,
) -> Table:
    """Return a table of the symbols of a derivation: each tensor, size, index and sign with its shape and meaning.

    A network with more than three layers gets one row for a general layer instead of a row for each.

    Args:
        derivation: for one sample or for a batch.
        naming: what its tensors are called.
        notation: a preset's name or a record.
        layout: in which derivatives are shown.
        operators: the equations in operator form, whose signs are explained.
        times: which axis of a tensor is time, by the tensor's name; it is shown at one moment.

    Raises:
        DeclarationError: there is no such notation or layout.
    """
    record, order = notations.notation(notation), notations.layout(layout)
    if order != "gradient" and record.gradient == "nabla":
        record = replace(record, gradient="partial")
    depth = 0 if derivation.model is None else sum(r.pre is not None for r in derivation.model.layers)
    batch = naming.batch if derivation.model is not None and derivation.model.per == "batch" else None
    numbered = any(n.layer is not None and isinstance(n.layer.base, int) for n in naming.names.values())
    rows = _Rows(Symbols(record, naming, _InText()), order, times or {})
    found = tuple(rows.tensors(derivation.system.equations))
    general = numbered and depth > LAYERS
    if general:
        found = tuple(row for row in found if not rows.repeated(row[0]))
    placed = [(rows.place(t), row) for t, row in found]
    if general:
        for equations, names in _general(record, batch, biases=bool(naming.affine)):
            inner = _Rows(Symbols(record, names, _InText()), order)
            letter = inner.symbols.writer.letter(record.layer)
            placed += [(inner.place(t), row) for t, row in inner.tensors(equations) if inner.layer_of(t) == letter]
    table = list({row[0]: row for _, row in sorted(placed, key=lambda pair: pair[0])}.values())
    if numbered:
        table.append(rows.layers(depth, general))
    if general:
        table.append(rows.widths())
    table += rows.sizes(found)
    table += rows.signs(derivation.system.equations, batch is not None)
    table += operator_signs(operators, rows.symbols)
    if times:
        table.append(((Math(TIME),), ("",), ("a moment",)))
        if any(e.rhs.has(exp) for e in derivation.forward_system.equations):
            table.append(((Math(r"\sigma"),), ("",), ("logistic function, ", Math(r"\sigma(u) = 1 / (1 + e^{-u})"))))
    return Table(HEAD, tuple(table), caption=("Symbols",), align="lll")


class _InText(Latex):
    """Derivatives on one line, as in running text."""

    def partial(self, of: str, loss: str) -> Piece:
        return Piece(rf"\partial {loss} / \partial {of}", PRODUCT)


@dataclass(frozen=True)
class _Rows:
    symbols: Symbols
    layout: str
    times: Mapping[str, int] = field(default_factory=dict)

    # --- tensors ---

    def tensors(self, equations: Sequence[Equation]) -> Iterator[tuple[Tensor, tuple[Text, ...]]]:
        """Yield a row for each tensor that the equations hold once they are in the conventions of the notation."""
        seen: dict[Tensor, None] = {}
        for e in equations:
            shown = arranged(e, self.symbols.naming, self.symbols.notation)
            assert isinstance(shown, Equation)
            # A penalty leaves the biases alone: in matrix form its gradient is that of the rest of the matrix.
            partly = e.tensor.name != shown.tensor.name and len(e.rhs.atoms(Guard)) < len(shown.rhs.atoms(Guard))
            for t in (*shown.reads, shown.tensor, *((e.tensor, *e.reads) if partly else ())):
                seen.setdefault(Tensor(t.name, t.axes, t.role, integer=t.integer))
        printed: dict[str, None] = {}
        for t in sorted(seen, key=self.place):
            name = self.symbols.naming.of(t.name)
            if name.role == "jacobian":
                continue
            if t.name in self.times:
                symbols, moment = self.at_moment(t)
                symbol = symbols.tensor(moment).text
                if symbol not in printed:
                    printed.setdefault(symbol)
                    inner = replace(self, symbols=symbols, times={})
                    words = inner.meaning(moment, symbols.conventional(symbols.naming.of(moment.name)))
                    yield t, ((Math(symbol),), (Math(self.shape(moment)),), words)
                continue
            symbol = self.symbols.tensor(t).text
            if symbol in printed:
                continue
            printed.setdefault(symbol)
            yield t, ((Math(symbol),), (Math(self.shape(t)),), self.meaning(t, self.symbols.conventional(name)))

    def at_moment(self, t: Tensor) -> tuple[Symbols, Tensor]:
        """Return a tensor at the moment t, and the symbols that know it."""
        axis = self.times[t.name]
        made = Tensor(f"{t.name} now", (*t.axes[:axis], *t.axes[axis + 1 :]), t.role, integer=t.integer)
        naming = named(self.symbols.naming, {made.name: Slice(t, axis)})
        return replace(self.symbols, naming=naming), made

    def place(self, t: Tensor) -> tuple[int, int, bool]:
        name = self.symbols.naming.of(t.name)
        layer = name.layer.base if name.layer is not None and isinstance(name.layer.base, int) else 0
        return (_ORDER.index(name.role) if name.role in _ORDER else len(_ORDER), layer, not t.name.endswith(EXTENDED))

    def repeated(self, t: Tensor) -> bool:
        """Whether a row for a general layer stands for this tensor."""
        name = self.symbols.naming.of(t.name)
        inner = name.of if name.of is not None else name
        # A general layer is a vector, and its weights are a matrix: images and kernels have rows of their own.
        batch = any(axis.extent == self.symbols.naming.batch for axis in t.axes)
        return inner.role in _NUMBERED and inner.layer is not None and t.rank - batch <= 1 + (inner.role == "weight")

    def layer_of(self, t: Tensor) -> str:
        """Write the number that a tensor's layer has in print."""
        name = self.symbols.naming.of(t.name)
        name = self.symbols.conventional(name.of if name.role == "gradient" and name.of is not None else name)
        name = name.of if name.of is not None else name
        return "" if name.layer is None else self.symbols.layer(name)

    def shape(self, t: Tensor) -> str:
        if t.rank > 2:
            return r" \times ".join(map(self.size, t.shape))
        shape: tuple[Expr | None, ...] = (*t.shape, None, None)[:2]
        if self.layout == "numerator" and t.role == "cotangent" and t.rank:
            shape = shape[::-1]
        rows, columns = ("1" if e is None else self.size(e) for e in shape)
        return rf"{rows} \times {columns}" if t.rank else "1"

    def size(self, extent: Expr) -> str:
        written = self.symbols.size(extent)
        return f"({written})" if extent.is_Add else written

    def meaning(self, t: Tensor, name: Name) -> Text:
        """Say what a tensor is."""
        many = "; one sample a " + ("column" if self.symbols.notation.batch_samples == "columns" else "row")
        batch = t.rank == 2 and any(axis.extent == self.symbols.naming.batch for axis in t.axes)
        words = self.words(t, name)
        return (*words, many) if batch and name.role in ("input", "target", "pre", "activation", "output") else words

    def words(self, t: Tensor, name: Name) -> Text:
        folded = self.symbols.notation.folded and replace(name, extended=False) in self.symbols.naming.barred
        if name.role == "weight":
            return self.weights(t, name, folded)
        if name.role == "gradient" and name.of is not None:
            of = self.symbols.conventional(name.of)
            many = t.rank == 2 and any(axis.extent == self.symbols.naming.batch for axis in t.axes)
            written = Math(self.symbols.name(of, many=many).text)
            if of.role == "pre" and self.symbols.notation.error_term == "derivative":
                return ("error term", *self.of_layer(of), ": gradient of the loss with respect to ", written)
            return ("gradient of the loss with respect to ", written)
        if name.role == "error" and name.layer is not None:
            batch = t.rank == 2 and any(axis.extent == self.symbols.naming.batch for axis in t.axes)
            pre = self.symbols.derivative(Name("pre", name.layer, time=name.time), many=batch).text
            return ("error term", *self.of_layer(name), ", ", Math(pre))
        plain: Mapping[str, str] = MappingProxyType(
            {
                "input": "input",
                "target": "right class, a number" if t.integer else "target",
                "pre": "pre-activation",
                "activation": "activation",
                "output": "output of the network",
                "bias": "bias",
                "normalizer": "sum of the exponentials of the scores",
                "probability": "class probabilities",
                "sample_loss": "losses of the samples" if t.rank else "loss of one sample",
                "one_loss": "loss of one sample",
                "loss": "loss",
                "direction": "direction of a derivative",
                "tangent": "change along the direction",
            }
        )
        if name.role == "loss" and name.word:
            return ("loss without penalties",)
        if name.role == "word" and name.layer is not None and name.layer.named and name.word == "a":
            return ("output of layer ", Math(self.symbols.layer(name)))
        words: Text = (plain.get(name.role, "parameter" if t.role == "parameter" else "intermediate value"),)
        if self.symbols.naming.model is not None and t.name in self.symbols.naming.model.masks:
            words = ("random mask: each entry is 1 (kept) or 0 (dropped)",)
        if name.role in ("pre", "activation", "bias"):
            words = (*words, *self.of_layer(name))
        if folded:
            words = (*words, ", with a 1 in front as component 0" if t.name.endswith(EXTENDED) else ", without component 0")
        return words

    def of_layer(self, name: Name) -> Text:
        return () if name.layer is None else (" of layer ", Math(self.symbols.layer(name)))

    def weights(self, t: Tensor, name: Name, folded: bool) -> Text:
        symbols, notation = self.symbols, self.symbols.notation
        line = "column" if notation.weight_index == "destination first" else "row"
        if name.layer is None:
            words: Text = ("weights",)
        elif name.layer.named:
            words = ("weights of layer ", Math(symbols.layer(name)))
        else:
            words = ("weights from layer ", Math(symbols.number(name.layer.moved(-1))), " to layer ", Math(symbols.number(name.layer)))
        if t.rank != 2:
            # The weights of a kernel lead from many units to many.
            return words
        whole = t.name.endswith(EXTENDED)
        if folded and not whole:
            return (Math(symbols.name(replace(name, extended=True)).text), f" without {line} 0, the biases")
        first, second = notation.indices[0], notation.indices[1]
        source, target = (second, first) if notation.weight_index == "destination first" else (first, second)
        entry = Math(symbols.name(name, (first, second), whole=False).text)
        words = (*words, "; ", entry, " leads from unit ", Math(source), " to unit ", Math(target))
        return (*words, f"; {line} 0 holds the biases") if folded else words

    # --- layers, sizes, signs ---

    def layers(self, depth: int, general: bool) -> tuple[Text, ...]:
        """A row for the number of a layer."""
        symbols, notation = self.symbols, self.symbols.notation
        numbers = [n.layer for n in symbols.naming.names.values() if n.layer is not None and isinstance(n.layer.base, int)]
        last = max((int(symbols.number(layer)) for layer in numbers), default=depth + notation.first)
        letter = symbols.writer.letter(notation.layer)
        words: Text = ("number of a layer: ", Math(str(notation.first)), " is the input, ", Math(str(last)), " the output")
        if general:
            words = (*words, ", also written ", Math(symbols.writer.letter(notation.last)))
        if notation.activation_layer == "own":
            words = (*words, "; activations count as layers")
        return ((Math(letter),), ("",), words)

    def widths(self) -> tuple[Text, ...]:
        """A row for the width of a general layer."""
        symbols = self.symbols
        written = symbols.writer.marked(symbols.writer.letter(symbols.notation.width), symbols.writer.letter(symbols.notation.layer), "")
        words: Text = ("number of units of layer ", Math(symbols.writer.letter(symbols.notation.layer)))
        return ((Math(written),), ("",), (*words, ", without the unit 0" if symbols.notation.folded else ""))

    def sizes(self, found: Sequence[tuple[Tensor, tuple[Text, ...]]]) -> list[tuple[Text, ...]]:
        """Rows for the symbolic sizes."""
        symbols: dict[str, Expr] = {}
        for t, _ in found:
            for extent in t.shape:
                for s in sorted(extent.free_symbols, key=str):
                    symbols.setdefault(str(s), s)
        rows: list[tuple[Text, ...]] = []
        for s in symbols.values():
            words = "number of samples" if s == self.symbols.naming.batch else "a size"
            rows.append(((Math(self.symbols.size(s)),), ("",), (words,)))
        return rows

    def signs(self, equations: Sequence[Equation], batch: bool) -> list[tuple[Text, ...]]:
        """Rows for functions and signs."""
        symbols, notation = self.symbols, self.symbols.notation
        writer = symbols.writer
        rows: list[tuple[Text, ...]] = []
        letters = symbols.letters
        unit, other = (writer.letter(letters.get(k, k)) for k in "ij")
        if symbols.naming.names:
            rows.append(((Math(rf"{unit},\ {other}"),), ("",), ("a unit of a layer, and one of the layer below",)))
        if batch:
            sample = readable(Index("n", 1), (), reserved(symbols), writer.word, letters)
            rows.append(((Math(sample),), ("",), ("a sample",)))
        labels = sorted({f.label for e in equations for f in e.rhs.atoms(Unspecified)})
        for label in labels:
            f = symbols.function(label, 0)
            rows.append(((Math(rf"{f},\ {f}'"),), ("",), ("activation function and its derivative, entry by entry",)))
        rows.append(((Math(notation.hadamard),), ("",), ("product entry by entry",)))
        if batch:
            rows.append(((Math(writer.ones()),), ("",), ("column of ones",)))
        return rows


def _general(notation: Notation, batch: Expr | None, *, biases: bool) -> Iterator[tuple[tuple[Equation, ...], Naming]]:
    """Yield the equations of a general layer, once with its values and error terms, once with what belongs to its weights."""
    above, here, below = Size("n above"), Size("n here"), Size("n below")
    n = () if batch is None else (Index("n", batch),)
    i, j, k = Index("i", here), Index("j", below), Index("k", above)
    weight, bias = Tensor("W", (i, j), "parameter"), Tensor("b", (i,), "parameter")
    z, a, low = Tensor("z", (*n, i)), Tensor("a", (*n, i)), Tensor("a_below", (*n, j))
    weight_above, delta_above = Tensor("W_above", (k, i), "parameter"), Tensor("delta_above", (*n, k), "cotangent")
    delta = Tensor("delta", (*n, i), "cotangent")
    grad_w, grad_b = Tensor("grad_W", (i, j), "cotangent"), Tensor("grad_b", (i,), "cotangent")
    affine = Sum(weight[i, j] * low[(*n, j)], j) + (bias[i] if biases else 0)
    forward = Equation(z[(*n, i)], affine)
    slope = unspecified("f", z[(*n, i)], 1) * a[(*n, i)]
    hidden = Equation(delta[(*n, i)], Sum(weight_above[k, i] * delta_above[(*n, k)], k) * slope)
    weights = Equation(grad_w[i, j], Sum(delta[(*n, i)] * low[(*n, j)], *n) if n else delta[i] * low[j])
    bias_gradient = Equation(grad_b[i], Sum(delta[(*n, i)], *n) if n else delta[i])
    slots = {
        "W": ("weight", 0),
        "b": ("bias", 0),
        "z": ("pre", 0),
        "a": ("activation", 0),
        "a_below": ("activation", -1),
        "W_above": ("weight", 1),
        "delta": ("error", 0),
        "delta_above": ("error", 1),
        "grad_W": ("gradient weight", 0),
        "grad_b": ("gradient bias", 0),
    }
    equations = (forward, hidden, weights, *((bias_gradient,) if biases else ()))
    # Seen from the layer above and from the one below, each symbol has the number l once.
    for by in (0, 1, -1):
        placed = {slot: f"{role}:{offset + by}" for slot, (role, offset) in slots.items()}
        widths = {above: 1 + by, here: by, below: by - 1}
        names = general_naming(notation, placed, widths=widths, batch=batch)
        affine = tuple(Affine(*(names.of(t) for t in ts)) for ts in (("W", "b", "a_below"), ("W_above", "b_above", "a"))) if biases else ()
        yield equations, replace(names, loss=Name("one_loss" if batch is None else "loss"), affine=affine)


# --- products --------------------------------------------------------------------------------------------------------


def conformability(
    equation: m.MatrixEquation, naming: Naming | None = None, notation: str | Notation = "ufldl", *, layout: str = "gradient"
) -> tuple[Line, ...]:
    r"""Return a line for each product of a matrix form that shows how the shapes fit.

    (W^{(2)})^T \delta^{(3)} &: (4 \times 2)(2 \times 1) \to 4 \times 1

    Args:
        equation: in matrix form, as the engine has it.
        naming: what its tensors are called.
        notation: a preset's name or a record.
        layout: in which derivatives are shown.
        operators: the equations in operator form, whose signs are explained.
        times: which axis of a tensor is time, by the tensor's name; it is shown at one moment.
    """
    record, order = notations.notation(notation), notations.layout(layout)
    if order != "gradient" and record.gradient == "nabla":
        record = replace(record, gradient="partial")
    names = naming or Naming()
    shown = arranged(equation, names, record)
    assert isinstance(shown, m.MatrixEquation)
    shown = laid_out(shown, order, names)
    printer = MatrixPrinter(Symbols(record, names, Latex()))
    lines: dict[str, Line] = {}
    for form in m.walk(shown.rhs):
        if isinstance(form, m.Times | m.Hadamard) and not (isinstance(form, m.Hadamard) and form.scalar):
            between = "" if isinstance(form, m.Times) else f" {record.hadamard} "
            shapes = between.join(f"({_shape(part, printer)})" for part in form.args)
            latex = rf"{printer.write(form).text} &: {shapes} \to {_shape(form, printer)}"
            lines.setdefault(latex, Line(latex, rule="matrix product" if isinstance(form, m.Times) else "product entry by entry"))
    return tuple(lines.values())


def _shape(form: m.Form, printer: MatrixPrinter) -> str:
    if form.scalar:
        return "1"
    rows, columns = ("1" if extent is None else printer.extent(extent) for extent in form.shape)
    return rf"{rows} \times {columns}"


__all__ = ["LAYERS", "conformability", "symbol_table"]
