"""A derivation as a lecture note: the network, forward pass, loss, error terms, gradients, the recursion, algorithms, numbers.

Everything that is said is read from the derivation. Layers that repeat one pattern are shown once, for a general layer, where a
network is deep; the recursion and the algorithms always are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy
from sympy import Expr

from symbackprop.algebra import nodes
from symbackprop.algebra.equation import Block as Use
from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.operators import OperatorEquation
from symbackprop.algebra.padding import padded_tensors
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.algebra.times import TimeForm
from symbackprop.declare.model import LayerRecord, Model
from symbackprop.derive.records import Derivation, Way
from symbackprop.present.document.breaking import tokens
from symbackprop.present.document.records import (
    Algorithm,
    Block,
    Cite,
    Display,
    Document,
    Enumeration,
    Figure,
    Inline,
    Line,
    Math,
    Paragraph,
    Section,
    Source,
    Strong,
    Table,
    Text,
)
from symbackprop.present.latex import Form, latex_lines, latex_mean
from symbackprop.present.letters import tex_letter
from symbackprop.present.naming import Layer, Name, Naming, general_naming, network_naming
from symbackprop.present.notation import Notation
from symbackprop.present.scene.records import Scene
from symbackprop.present.sheet import says
from symbackprop.present.steps import step_lines
from symbackprop.present.symbol_table import conformability
from symbackprop.present.symbols import Symbols
from symbackprop.present.times import TIME, block_words, outside_words
from symbackprop.present.writer import Latex

#: How an equation gets its form with whole arrays: matrices or operators; finding it is the work of another stage.
MatrixForm = Callable[[Equation], MatrixEquation | OperatorEquation | TimeForm | None]

#: A network with more layers is shown by the layers that repeat, not one by one.
DEEP = 6

#: What lectures on backpropagation send their readers to.
SOURCES: tuple[Source, ...] = (
    Source(
        "goodfellow",
        "I. Goodfellow, Y. Bengio, A. Courville",
        "Deep Learning, chapters 4 and 6",
        "MIT Press",
        "2016",
        "https://www.deeplearningbook.org",
    ),
    Source(
        "ufldl",
        "A. Ng and others",
        "UFLDL tutorial: Multi-Layer Neural Network",
        "Stanford University",
        "",
        "https://ufldl.stanford.edu/tutorial/supervised/MultiLayerNeuralNetworks/",
    ),
    Source(
        "cs231n",
        "A. Karpathy and others",
        "CS231n: Backpropagation, Intuitions",
        "Stanford University",
        "",
        "https://cs231n.github.io/optimization-2/",
    ),
    Source(
        "ruder",
        "S. Ruder",
        "An overview of gradient descent optimization algorithms",
        "arXiv 1609.04747",
        "2016",
        "https://www.ruder.io/optimizing-gradient-descent/",
    ),
)


#: Letters of hyper-parameters whose names are words.
_HYPER = {"eps": "epsilon", "weight_decay": "lambda", "clip_norm": "c", "beta1": "beta_1", "beta2": "beta_2"}


@dataclass(frozen=True)
class Style:
    """How a note is written.

    Attributes:
        notation: letters, numbering and signs.
        form: "matrix", "index" or "operator".
        layout: "gradient", "numerator" or "denominator".
        depth: "result", "lecture" or "rewrite".
        shapes: write the shape under each factor.
    """

    notation: Notation
    form: str = "matrix"
    layout: str = "gradient"
    depth: str = "lecture"
    shapes: bool = False

    def latex(self, equation: Form, naming: Naming) -> tuple[str, ...]:
        """Return an equation in LaTeX: in one line, or in one for each case."""
        return latex_lines(equation, naming, notation=self.notation, layout=self.layout, shapes=self.shapes)


@dataclass(frozen=True)
class Findings:
    """What other stages have found out about a derivation.

    Attributes:
        matrix_form: gives the matrix form of an equation.
        way: how an error term or a gradient is derived, by its name; None shows results only.
        mean: whether the loss is the mean over the samples, or their sum.
        penalties: penalties on the parameters, and the gradient of each.
        penalty_naming: what they are called.
        update: the equations of an optimizer over all parameters.
        symbols: the table of symbols.
        picture: of the network.
        example: worked numbers.
        statistics: the updates of running statistics.
        inference: the equations of layers that do something else when the network predicts.
        inference_naming: what is called how in them.
    """

    matrix_form: MatrixForm
    way: Callable[[str], Way] | None = None
    mean: bool = True
    penalties: tuple[tuple[Equation, Equation], ...] = ()
    penalty_naming: Naming = field(default_factory=Naming)
    update: System | None = None
    symbols: Table | None = None
    picture: Scene | None = None
    example: tuple[Block, ...] = ()
    statistics: tuple[Equation, ...] = ()
    inference: tuple[Equation, ...] = ()
    inference_naming: Naming = field(default_factory=Naming)


@dataclass(frozen=True)
class Run:
    """Equations that consecutive layers share.

    Attributes:
        uses: of one template, or of templates that say the same of a general layer.
        layers: numbers of the layers in the order in which they are computed, counted from the input (0); empty for what belongs to
            no layer.
    """

    uses: tuple[Use, ...]
    layers: tuple[int, ...]

    @property
    def use(self) -> Use:
        """The first use."""
        return self.uses[0]

    @property
    def name(self) -> str:
        """The first tensor that is defined."""
        return self.use.names[self.use.template.defined[0]]

    @property
    def members(self) -> tuple[str, ...]:
        """Everything that is defined."""
        return tuple(use.names[slot] for use in self.uses for slot in use.template.defined)


def network_note(derivation: Derivation, style: Style, findings: Findings, *, title: str = "", author: str = "") -> Document:
    """Return the note on a network.

    Args:
        derivation: for one sample.
        style: how it is written.
        findings: what else there is to say.
        title: plain text; without one the network's name is in it.
        author: plain text.
    """
    assert derivation.model is not None
    return _Note(derivation, derivation.model, style, findings).document(title, author)


def system_note(
    derivation: Derivation, style: Style, findings: Findings, *, naming: Naming | None = None, title: str = "", author: str = ""
) -> Document:
    """Return the note on a system of equations of the user's own; the arguments are those of `network_note`."""
    names = naming or Naming(loss=Naming().of(derivation.loss))
    forward = tuple(f for e in derivation.forward_system.equations for f in _shown(e, style, findings, names))
    wanted = {derivation.cotangents[w]: w for w in derivation.wrt}
    lines = tuple(Line(f, step=k) for k, f in enumerate(filter(says, forward)))
    sections = [
        Section("The function", (Paragraph(("It is computed step by step:",)), Display(lines))),
        Section("Its gradients", tuple(b for name in wanted for b in _derived(name, derivation, style, findings, names))),
    ]
    if findings.example:
        sections.append(Section("With numbers", findings.example))
    return Document(title or f"The gradients of {derivation.loss}", tuple(sections), author)


class _Note:
    def __init__(self, derivation: Derivation, model: Model, style: Style, findings: Findings) -> None:
        self.derivation, self.model, self.style, self.findings = derivation, model, style, findings
        self.naming = network_naming(model)
        self.symbols = Symbols(style.notation, self.naming, Latex())
        self.weighted = tuple(r for r in model.layers if r.pre is not None)
        count = len(derivation.forward_system.blocks)
        losses = {model.loss}
        self.forward_uses = tuple(b for b in derivation.forward_system.blocks if not _of_loss(b))
        self.loss_uses = tuple(b for b in derivation.forward_system.blocks if _of_loss(b) or losses & set(b.names.values()))
        self.backward_uses = derivation.system.blocks[count:]
        self.results = {derivation.cotangents[name]: name for name in derivation.wrt}
        self.deep = len(self.weighted) > DEEP and self.numbered
        self.steps = 0

    @property
    def numbered(self) -> bool:
        """Whether layers go by numbers, as they do in a chain."""
        names = (self.naming.of(r.pre).layer for r in self.weighted if r.pre is not None)
        return all(layer is not None and isinstance(layer.base, int) for layer in names)

    # --- the document ---

    def document(self, title: str, author: str) -> Document:
        made = [
            self.network(),
            self.forward(),
            self.loss(),
            self.errors(),
            self.gradients(),
            self.products(),
            self.recursion(),
            self.samples(),
            self.inference(),
            self.algorithms(),
            self.update(),
            self.example(),
            self.kinks(),
        ]
        sections = tuple(s for s in made if s is not None and s.blocks)
        cited = {p.key for s in sections for b in s.blocks if isinstance(b, Paragraph) for p in b.parts if isinstance(p, Cite)}
        return Document(
            title or f"Backpropagation in the network {self.model.name}",
            sections,
            author,
            subtitle="" if not self.style.notation.source else f"Notation: {self.style.notation.source}",
            sources=tuple(s for s in SOURCES if s.key in cited),
        )

    def network(self) -> Section:
        """Say what the network is: its layers, its picture, its symbols."""
        depth = len([r for r in self.model.layers if any(_is_weight(p) for p in r.parameters)])
        count = sum(p.size for p in self.model.parameters if p.size is not None)
        parts: list[Inline] = [f"The network {self.model.name} has {_counted(depth, 'layer')} with weights"]
        last = self.naming.of(self.model.outputs[0]).layer
        if self.numbered and last is not None and depth == len(self.weighted):
            number = self.symbols.number(last)
            parts += [" (its depth, in which the input is not counted; the last layer has the number ", Math(number), ")"]
        parts.append(f" and {_counted(count, 'parameter')}." if count else ".")
        if self.numbered and len(self.weighted) <= 2 * DEEP and self.widths:
            parts += [
                " From the input to the output its layers have ",
                *_listed([Math(self.symbols.size(w)) for w in self.widths]),
                " units.",
            ]
        blocks: list[Block] = [Paragraph((*parts, " For more see ", Cite("goodfellow"), ", ", Cite("ufldl"), ", ", Cite("cs231n"), "."))]
        if self.findings.picture is not None:
            blocks.append(Figure(self.findings.picture))
        if self.findings.symbols is not None and self.findings.symbols.rows:
            blocks.append(self.findings.symbols)
        return Section("The network", tuple(blocks))

    @property
    def widths(self) -> list[Expr]:
        """The numbers of units, where every layer is a vector."""
        tensors = self.model.system.tensors
        layers = [tensors[name] for name in (*self.model.inputs[:1], *(str(r.pre) for r in self.weighted))]
        return [t.axes[-1].extent for t in layers] if all(t.rank == 1 for t in layers) else []

    # --- forward ---

    def forward(self) -> Section:
        lines: list[str] = []
        if self.deep:
            runs = self.runs(self.forward_uses)
            if any(len(run.layers) > 1 for run in runs) and runs[0].layers and runs[0].layers[0] == 1:
                lines.append(self.opening())
            for run in runs:
                lines += self.general(run, forward=True) if len(run.layers) > 1 else self.real(run.use)
        else:
            lines = [f for use in self.forward_uses for f in self.real(use)]
        made = tuple(Line(f, step=k) for k, f in enumerate(filter(says, lines)))
        whose = "For a batch of samples" if self.mixed else "For one sample"
        words = f"{whose} the network computes, from the input to the output," + (" layer by layer," if self.deep else "")
        blocks: list[Block] = [Paragraph((words,)), Display(made)] if made else []
        if self.mixed and made:
            sums = "A layer of it mixes the samples of a batch, so none of them can be followed alone; "
            blocks.insert(0, Paragraph((sums + "all equations are those of a batch, with sums over its samples.",)))
        if any(_reckons(e) for e in self.by_entry):
            counted = "Where places are computed, entries are counted from 0 along the whole axis; every sum shows where its index begins."
            blocks.append(Paragraph((counted,)))
        blocks += [*self.outside(), *self.moments()]
        return Section("Forward pass", tuple(blocks))

    def outside(self) -> list[Block]:
        """Say what stands outside of an image, which no formula repeats."""
        zero, left_out = padded_tensors(self.by_entry)
        words: list[Inline] = []
        for names, said in ((zero, "counts as 0."), (left_out, "takes no part in the maximum.")):
            written = dict.fromkeys(self.symbols.tensor(self.derivation.tensors[name]).text for name in names)
            if written:
                words += [" " if words else "", "What lies outside of ", *_listed([Math(w) for w in written]), f" {said}"]
        return [Paragraph(tuple(words))] if words else []

    @cached_property
    def whole(self) -> dict[str, TimeForm | None]:
        """The equations by name, with their form moment by moment where they have one."""
        found: dict[str, TimeForm | None] = {}
        for e in self.derivation.system.equations:
            form = self.findings.matrix_form(e) if self.style.form == "matrix" else None
            found[e.tensor.name] = form if isinstance(form, TimeForm) else None
        return found

    @cached_property
    def by_entry(self) -> tuple[Equation, ...]:
        """The equations that are not shown moment by moment."""
        trained = any(of in self.model.parameter for of in self.results.values())
        left_out = {name for name, of in self.results.items() if trained and of not in self.model.parameter}
        return tuple(e for e in self.derivation.system.equations if self.whole[e.tensor.name] is None and e.tensor.name not in left_out)

    def moments(self) -> list[Block]:
        """Say over what time runs, what is 0 before and after, and what blocks there are."""
        forms = [form for form in self.whole.values() if form is not None]
        extents = dict.fromkeys(form.tensor.axes[form.axis].extent for form in forms if form.axis is not None)
        if not extents:
            return []
        (last, *_) = extents
        words: list[Inline] = ["Time runs over ", Math(rf"{TIME} = 1, \dots, {self.symbols.size(last)}")]
        ends = outside_words(forms, self.naming, self.symbols)
        words += ["; before and after there is nothing: ", *_listed([Math(e) for e in ends])] if ends else []
        words.append(".")
        for whole, parts in block_words(forms, self.naming, self.symbols):
            words += [" ", Math(whole), " is made of the blocks ", *_listed([Math(p) for p in parts]), ", in this order."]
        return [Paragraph(tuple(words))]

    def loss(self) -> Section | None:
        lines = tuple(f for use in self.loss_uses for f in self.real(use) if says(f))
        if not lines:
            return None
        words = "The loss of a batch is" if self.mixed else "The loss of one sample is"
        return Section("Loss", (Paragraph((words,)), Display(tuple(Line(f, step=k) for k, f in enumerate(lines)))))

    def opening(self) -> str:
        """Return a^(1) = x: what the recursion calls the input."""
        here = Naming(names={"a": Name("activation", Layer(0)), "x": self.naming.of(self.model.inputs[0])})
        symbols = Symbols(self.style.notation, here, Latex())
        return f"{symbols.name(here.of('a')).text} = {symbols.name(here.of('x')).text}"

    # --- backward ---

    def errors(self) -> Section | None:
        # Gradients of other values on the way, such as a sum's or a gate's, stand where the error terms need them.
        shown = [n for n in self.produced if n not in self.results]
        if not shown:
            return None
        deltas = {f"delta.{_called(r)}" for r in self.weighted}
        error, loss = tex_letter(self.style.notation.error), self.symbols.name(Name("one_loss")).text
        pre = tex_letter(self.style.notation.pre)
        letter = f"{error} = " if self.style.notation.error_term == "letter" else ""
        words: Text = (
            "The error term of a layer is the derivative of the loss with respect to its pre-activation, ",
            Math(rf"{letter}\partial {loss} / \partial {pre}"),
            ". It is computed from the last layer back to the first.",
            *([" Gradients with respect to other values stand where they are needed."] if set(shown) - deltas else []),
        )
        blocks = [Paragraph(words)]
        return Section("Error terms", (*blocks, *self.derivations(shown)))

    def gradients(self) -> Section | None:
        trained = [name for name, of in self.results.items() if of in self.model.parameter]
        shown = [name for name in trained or self.results if name in self.produced]
        words = Paragraph(("With the error terms the gradients follow: each needs only the error above it and the value below it.",))
        return Section("Gradients", (words, *self.derivations(shown))) if shown else None

    def derivations(self, names: Sequence[str]) -> list[Block]:
        """Return how results are derived; where layers repeat a pattern in a deep network, the general one."""
        blocks: list[Block] = []
        runs = self.runs(self.backward_uses)
        # A run says for each of its layers what its template defines: the same place in the template is the same formula.
        pattern = {
            use.names[slot]: (k, at) for k, run in enumerate(runs) for use in run.uses for at, slot in enumerate(use.template.defined)
        }
        done: set[tuple[int, int]] = set()
        results: list[str] = []
        for name in names:
            k, at = pattern.get(name, (-1, 0))
            general_already = at > 0 and self.deep and len(runs[k].layers) > 1
            repeats = (k, at) in done or general_already
            done.add((k, at))
            if repeats and self.deep:
                continue
            if repeats and self.style.depth == "lecture":
                results += _shown(self.derivation.equation(name), self.style, self.findings, self.naming)
                continue
            general = self.general(runs[k]) if self.deep and k >= 0 and len(runs[k].layers) > 1 else []
            if not general or self.style.depth != "result":
                blocks += _derived(name, self.derivation, self.style, self.findings, self.naming)
            if general:
                words = [Paragraph(("and so for every layer of this kind:",))] if self.style.depth != "result" else []
                blocks += [*words, Display(tuple(Line(f, step=n) for n, f in enumerate(general)))]
        if results:
            blocks += [Paragraph(("In the same way,",)), Display(tuple(Line(f, step=k) for k, f in enumerate(results)))]
        return _joined(blocks, told=self.style.depth == "result")

    def products(self) -> Section | None:
        """Show that the shapes in every product fit, where shapes are wanted."""
        if not self.style.shapes or self.deep:
            return None
        lines: list[str] = []
        for use in (*self.forward_uses, *self.backward_uses):
            for e in use.equations(self.derivation.tensors):
                matrix = self.findings.matrix_form(e)
                if isinstance(matrix, MatrixEquation):
                    found = conformability(matrix, self.naming, self.style.notation, layout=self.style.layout)
                    lines += [line.latex for line in found]
        made = tuple(Line(f) for f in dict.fromkeys(lines))
        words = "In each product the inner sizes agree, and the outer ones are those of the result:"
        return Section("Shapes", (Paragraph((words,)), Display(made))) if made else None

    def recursion(self) -> Section | None:
        """Return the formulas for a general layer, with the layers for which they hold."""
        if not self.numbered or len(self.weighted) < 2:
            return None
        runs = self.runs(self.backward_uses)
        # Where nothing repeats, or where a rule needs values that go by no number, there is no rule for every layer.
        if not any(len(run.layers) > 1 for run in runs) or not all(map(self.general_alone, runs)):
            return None
        errors: list[Line] = []
        gradients: list[Line] = []
        last = max(self.layer_of(f"delta.{_called(r)}") for r in self.weighted)
        for run in runs:
            kind = self.naming.of(run.name)
            if kind.role not in ("error", "gradient") or not run.layers or (kind.of is not None and kind.of.role == "input"):
                continue
            output = kind.role == "error" and run.layers[0] == last
            lines = [Line(f) for f in self.general(run, output=output)]
            (errors if kind.role == "error" else gradients).extend(lines)
        made = tuple(replace(line, step=k) for k, line in enumerate((*errors, *gradients)))
        if not made:
            return None
        words: Text = ("One rule holds for every layer ", Math(tex_letter(self.style.notation.layer)), ":")
        return Section("The recursion", (Paragraph(words), Display(made)))

    def general_alone(self, run: Run) -> bool:
        """Whether a rule for a general layer needs values of numbered layers only."""
        own = [r.output for r in self.model.layers]
        needs = {n.removeprefix("grad.") for use in run.uses for n in use.names.values()}
        return all(self.layer_of(n) >= 0 for n in own if n in needs)

    def samples(self) -> Section | None:
        if self.model.loss is None or self.mixed:
            return None
        whole = latex_mean(self.style.notation, mean=self.findings.mean)
        lines = [whole]
        trained = [n for n in self.derivation.wrt if n in self.model.parameter]
        if trained:
            name = self.naming.of(trained[0])
            lines.append(latex_mean(self.style.notation, mean=self.findings.mean, of=name))
        words = "the mean over the samples" if self.findings.mean else "the sum over the samples"
        text = f"All of this is for one sample. The loss of a whole data set is {words}, and so is every gradient:"
        blocks: list[Block] = [Paragraph((text,)), Display(tuple(Line(f, step=k) for k, f in enumerate(lines)))]
        if self.findings.penalties:
            blocks.append(Paragraph(("Penalties on the weights are added once, not for every sample, and so are their gradients:",)))
            made = [f for pair in self.findings.penalties for f in self.penalty(*pair)]
            blocks.append(Display(tuple(Line(f, step=k) for k, f in enumerate(made))))
        return Section("All samples", tuple(blocks))

    def penalty(self, penalty: Equation, gradient: Equation) -> list[str]:
        """Return a penalty and its gradient."""
        names = self.findings.penalty_naming
        naming = replace(names, loss=names.of(penalty.tensor.name))
        return [f for e in (penalty, gradient) for f in _shown(e, self.style, self.findings, naming)]

    def inference(self) -> Section | None:
        """Say what layers do that know two modes, and how their running statistics follow."""
        found = self.findings
        if not found.inference:
            return None
        blocks: list[Block] = []
        if found.statistics:
            blocks.append(Paragraph(("In training, running statistics follow what the batches show, once for each step:",)))
            lines = [f.replace(" = ", " := ", 1) for e in found.statistics for f in _shown(e, self.style, found, self.naming)]
            blocks.append(Display(tuple(Line(f, step=k) for k, f in enumerate(lines))))
        whose = "these layers compute, of a batch of samples," if self.mixed else "these layers compute"
        blocks.append(Paragraph((f"All of this is training. When the network predicts, {whose}",)))
        shown = [f for e in found.inference for f in _shown(e, self.style, found, found.inference_naming)]
        blocks.append(Display(tuple(Line(f, step=k) for k, f in enumerate(shown))))
        return Section("Inference", tuple(blocks))

    # --- algorithms ---

    def algorithms(self) -> Section:
        back = self.backpropagation()
        return Section("The algorithms", (back, self.descent())) if back.lines else Section("The algorithms", ())

    def backpropagation(self) -> Algorithm:
        """Return the algorithm for the gradients of one sample, with loops over the layers that share a pattern."""
        lines: list[tuple[int, Text]] = []
        forward, backward = self.runs(self.forward_uses), self.runs(self.backward_uses)
        looped = self.numbered and any(len(r.layers) > 1 for r in forward)
        if looped and forward[0].layers[:1] == (1,) and len(forward[0].layers) > 1:
            lines.append((0, ("set ", Math(self.opening()))))
        for run in forward:
            lines += self.pseudocode(run, forward=True)
        lines += [(0, ("compute ", Math(f))) for use in self.loss_uses for f in self.real(use, shapes=False) if says(f)]
        gradients = tuple(r for r in backward if self.results.get(r.name) in self.model.parameter)
        for run in (r for r in backward if r.name not in self.results):
            lines += self.pseudocode(run)
        for group in _same_layers(gradients):
            lines += self.pseudocode(*group)
        return Algorithm(f"Backpropagation: the gradients of {'a batch' if self.mixed else 'one sample'}", tuple(lines))

    def pseudocode(self, *runs: Run, forward: bool = False) -> list[tuple[int, Text]]:
        """Return the lines of runs over the same layers: a loop, or the equations of a single layer."""
        if len(runs[0].layers) < 2:
            return [(0, (Math(f),)) for run in runs for f in self.real(run.use, shapes=False) if says(f)]
        head: Text = (Strong("for "), Math(f"{tex_letter(self.style.notation.layer)} = {self.range(runs[0])}"), Strong(" do"))
        body = [(1, (Math(f),)) for run in runs for f in self.general(run, forward=forward, ranges=False)]
        return [(0, head), *body]

    def descent(self) -> Algorithm:
        """Return gradient descent: gradients are summed over the samples, then every parameter takes one step."""
        if self.mixed:
            return self.descent_by_batches()
        n = self.style.notation
        loss, samples, rate = tex_letter(n.loss), tex_letter(n.samples), tex_letter(n.rate)
        mean = rf"\frac{{1}}{{{samples}}} \Delta\theta" if self.findings.mean else r"\Delta\theta"
        names = [self.findings.penalty_naming.of(p.tensor.name) for p, _ in self.findings.penalties]
        gradient = mean + "".join(rf" + \nabla_\theta {self.symbols.name(name).text}" for name in names)
        sample = self.one_loss
        letter = tex_letter(n.sample)
        # Where a sample goes by the letter of its input, as in the sum of C_x over x, it is no number.
        each: Text = (Strong("for each "), "sample ", Math(letter), Strong(" do"))
        counted: Text = (Strong("for "), Math(rf"{letter} = 1, \dots, {samples}"), Strong(" do"))
        lines: list[tuple[int, Text]] = [
            (0, (Strong("repeat"),)),
            (1, (Math(r"\Delta\theta := 0"), " for every parameter ", Math(r"\theta"))),
            (1, each if n.sample == n.input else counted),
            (2, ("compute ", Math(rf"\nabla_\theta {sample}"), " by backpropagation")),
            (2, (Math(rf"\Delta\theta := \Delta\theta + \nabla_\theta {sample}"),)),
        ]
        if self.findings.update is None:
            step = rf"\left[ {gradient} \right]"
            lines.append((1, (Math(rf"\theta := \theta - {rate} {step}"), " for every parameter ", Math(r"\theta"))))
        else:
            lines.append((1, (Math(rf"\nabla_\theta {loss} := {gradient}"), " for every parameter ", Math(r"\theta"))))
            lines += [(1, (Math(f),)) for f in self.update_lines()]
        lines.append((0, (Strong("until "), "the norm of the gradient is below a tolerance")))
        return Algorithm("Gradient descent with backpropagation", tuple(lines))

    def descent_by_batches(self) -> Algorithm:
        """Return gradient descent where the samples of a batch cannot be told apart."""
        theta, gradient = r"\theta", rf"\nabla_\theta {tex_letter(self.style.notation.loss)}"
        lines: list[tuple[int, Text]] = [
            (0, (Strong("repeat"),)),
            (1, (Strong("for each "), "batch of samples ", Strong("do"))),
            (2, ("compute ", Math(gradient), " by backpropagation")),
        ]
        if self.findings.update is None:
            step = rf"{theta} := {theta} - {tex_letter(self.style.notation.rate)} \, {gradient}"
            lines.append((2, (Math(step), " for every parameter ", Math(theta))))
        else:
            lines += [(2, (Math(f),)) for f in self.update_lines()]
        lines.append((0, (Strong("until "), "the norm of the gradient is below a tolerance")))
        return Algorithm("Gradient descent with backpropagation", tuple(lines))

    @property
    def mixed(self) -> bool:
        """Whether a layer mixes the samples of a batch: then there is no form for one sample."""
        return self.model.per == "batch"

    @property
    def one_loss(self) -> str:
        """The loss of one sample, with its index."""
        n, symbols = self.style.notation, self.symbols
        one = symbols.name(Name("one_loss")).text
        if n.one_loss == "indexed":
            return one
        x, y = (symbols.name(Name(role), sample=n.sample).text for role in ("input", "target"))
        return rf"{one}(\theta; {x}, {y})"

    def update(self) -> Section | None:
        lines = self.update_lines()
        if not lines:
            return None
        words = Paragraph(("With the gradients of the whole data set every parameter is updated, in this order:",))
        shown = Display(tuple(Line(f, step=k) for k, f in enumerate(lines)))
        return Section("The update", (words, shown, Paragraph(("More rules of this kind: ", Cite("ruder"), "."))))

    def update_lines(self) -> list[str]:
        """Return the optimizer's equations as assignments."""
        system = self.findings.update
        if system is None:
            return []
        theta = Name("word", word="theta")
        names = {"w": theta, "g": Name("gradient", of=theta)}
        names["lr"] = Name("word", word=self.style.notation.rate.removeprefix("\\"))
        for tensor in system.tensors:
            now = tensor.removesuffix("_next")
            names[tensor] = names.setdefault(now, Name("word", word=_HYPER.get(now, now)))
        naming = Naming(names=names)
        style = replace(self.style, shapes=False, form="matrix")
        made: list[str] = []
        for e in system.equations:
            written = _shown(e, style, self.findings, naming)
            apart = {style.notation.hadamard, r"\oslash"} & set(tokens(" ".join(written)))
            # What is done entry by entry is said of one parameter.
            made += _shown(_of_one(e), replace(style, form="index"), self.findings, naming) if apart else written
        return [f.replace(" = ", r" \leftarrow ", 1) for f in made]

    # --- the rest ---

    def example(self) -> Section | None:
        return Section("With numbers", self.findings.example) if self.findings.example else None

    def kinks(self) -> Section | None:
        """Say which value the derivative has where a function has none."""
        told: dict[str, Text] = {}
        for e in self.derivation.forward_system.equations:
            for text in _kinks(e.rhs):
                told.setdefault(str(text), text)
        if not told:
            return None
        words = Paragraph(("Where a function has no derivative, one is chosen, and the same one everywhere:",))
        return Section("At the kinks", (words, Enumeration(tuple(told.values()))))

    # --- patterns ---

    @cached_property
    def separate(self) -> set[int]:
        """Numbers of the layers whose bias is no column of their weights, whatever the notation does with others."""
        folded = {affine.bias for affine in self.naming.affine}
        return {self.layer_of(t) for t, name in self.naming.names.items() if name.role == "bias" and name not in folded}

    @cached_property
    def produced(self) -> dict[str, Use]:
        return {use.names[slot]: use for use in self.backward_uses for slot in use.template.defined}

    def layer_of(self, tensor: str) -> int:
        """Return the number of the layer that a tensor belongs to, 0 for the input, −1 for none."""
        name = self.naming.of(tensor)
        name = name.of if name.role == "gradient" and name.of is not None else name
        if name.role == "input":
            return 0
        return name.layer.base if name.layer is not None and isinstance(name.layer.base, int) else -1

    def number(self, use: Use) -> int:
        """Return the number of the layer whose equations these are."""
        return self.layer_of(use.names[use.template.defined[0]])

    def runs(self, uses: Sequence[Use]) -> tuple[Run, ...]:
        """Group uses that say the same of layers that follow each other; uses that belong to no layer stand alone."""
        runs: list[Run] = []
        said: list[str] = []
        for use in uses:
            layer = self.number(use)
            run = Run((use,), (layer,) if layer > 0 else ())
            text = (
                "\n".join((self.kind(run.name), *self.general(run, ranges=False)))
                if self.numbered and run.layers and not self.mixed
                else ""
            )
            before = next((k for k in reversed(range(len(runs))) if text and said[k] == text), None)
            if before is not None and abs(runs[before].layers[-1] - layer) == 1:
                runs[before] = Run((*runs[before].uses, use), (*runs[before].layers, layer))
            else:
                runs.append(run)
                said.append(text)
        return tuple(runs)

    def kind(self, tensor: str) -> str:
        name = self.naming.of(tensor)
        return f"{name.role} {name.of.role} {name.of.word}" if name.of is not None else f"{name.role} {name.word}"

    def general(self, run: Run, *, forward: bool = False, output: bool = False, ranges: bool = True) -> list[str]:
        """Return the equations of a run for a general layer, with the layers for which they hold."""
        gradient = self.naming.of(run.name).role == "gradient" or forward
        slots, widths = self.slots(run)
        biases = any(r.parameters[1:] for r in self.weighted) and self.number(run.use) not in self.separate
        naming = general_naming(
            self.style.notation, slots, gradient=gradient, output=output, widths=widths, batch=self.model.batch, biases=biases
        )
        naming = replace(naming, functions=self.naming.functions)
        # In pseudocode shapes would hide the steps.
        style = self.style if ranges else replace(self.style, shapes=False)
        made = [f for e in run.use.template.equations for f in _shown(e, style, self.findings, naming)]
        if ranges and not output and made:
            made[-1] += rf" \qquad {tex_letter(self.style.notation.layer)} = {self.range(run)}"
        return made

    def slots(self, run: Run) -> tuple[dict[str, str], dict[Expr, int]]:
        """Return for each slot of a template its role and layer, counted from the run's own layer, and whose width each size is."""
        here = self.number(run.use)
        slots: dict[str, str] = {}
        widths: dict[Expr, int] = {}
        for slot, tensor in run.use.template.tensors.items():
            name = self.naming.of(run.use.names[slot])
            inner = name.of if name.role == "gradient" and name.of is not None else name
            layer = self.layer_of(run.use.names[slot])
            role = "activation" if inner.role in ("input", "output") else inner.word if inner.role == "word" else inner.role
            written = f"{role}:{layer - here}" if layer >= 0 else role
            slots[slot] = f"gradient {written}" if name.role == "gradient" else written
            if layer < 0:
                continue
            at = {"weight": (layer - here, layer - here - 1)}.get(role, (layer - here,))
            symbols = [a.extent for a in tensor.axes if a.extent.is_Symbol and a.extent != self.model.batch]
            for extent, where in zip(symbols, at, strict=False):
                widths.setdefault(extent, where)
        return slots, widths

    def range(self, run: Run) -> str:
        """Return the layers of a run in the numbers of the notation, in the order of computing: 1, 2 or 9, ..., 2."""
        numbers = [self.printed(run, k) for k in run.layers]
        return ", ".join(numbers) if len(numbers) < 4 else rf"{numbers[0]}, {numbers[1]}, \dots, {numbers[-1]}"

    def printed(self, run: Run, layer: int) -> str:
        """Return what l is for one layer of a run: the number that its weight carries in forward and gradient formulas, else its own."""
        place = self.places[layer]
        return self.symbols.number(place if self.naming.of(run.name).role == "error" else place.moved(self.style.notation.weight_layer()))

    @cached_property
    def places(self) -> dict[int, Layer]:
        """The layers by number."""
        found = (self.naming.of(r.pre).layer for r in self.weighted if r.pre is not None)
        return {place.base: place for place in found if place is not None and isinstance(place.base, int)}

    def real(self, use: Use, shapes: bool = True) -> list[str]:
        """Return the equations of a use, for the layers that they are about."""
        style = self.style if shapes else replace(self.style, shapes=False)
        return [f for e in use.equations(self.derivation.tensors) for f in _shown(e, style, self.findings, self.naming)]


def _shown(equation: Equation, style: Style, findings: Findings, naming: Naming) -> tuple[str, ...]:
    whole = None if style.form == "index" else findings.matrix_form(equation)
    wanted = whole is not None and (style.form == "matrix" or isinstance(whole, OperatorEquation))
    return tuple(f for f in style.latex(whole if wanted and whole is not None else equation, naming) if says(f))


def _of_one(equation: Equation) -> Equation:
    """Return an update over all parameters as that of one of them, where it treats each on its own."""
    entries = [a for a in (equation.lhs, *equation.rhs.atoms(Access)) if a.tensor.rank == 1]
    if equation.rhs.atoms(nodes.Sum) or any(a.index != equation.lhs.index for a in entries):
        return equation
    swap = {a: Tensor(a.tensor.name, (), a.tensor.role).own for a in entries}
    return Equation(equation.lhs.xreplace(swap), equation.rhs.xreplace(swap))


def _derived(name: str, derivation: Derivation, style: Style, findings: Findings, naming: Naming) -> list[Block]:
    """Return the lines that lead to a result."""
    equation = derivation.equation(name)
    in_time = style.form == "matrix" and isinstance(findings.matrix_form(equation), TimeForm)
    if findings.way is None or style.depth == "result" or (in_time and style.depth == "lecture"):
        # What is true of one moment is read off the equations of that moment.
        formulas = _shown(equation, style, findings, naming)
        return [Display(tuple(Line(f, step=k) for k, f in enumerate(formulas)))] if formulas else []
    lines = step_lines(
        findings.way(name), naming, notation=style.notation, form=style.form, layout=style.layout, depth=style.depth, shapes=style.shapes
    )
    first = min((line.step for line in lines), default=0)
    return [Display(tuple(replace(line, step=line.step - first) for line in lines))] if lines else []


def _joined(blocks: Sequence[Block], *, told: bool) -> list[Block]:
    """Join displays that follow each other: all of them if ``told``, else those that show results without the way to them."""
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if isinstance(block, Display) and isinstance(before, Display):
            lines = (*before.lines, *(replace(line, step=len(before.lines) + k) for k, line in enumerate(block.lines)))
            if told or not any(line.rule for line in lines):
                out[-1] = Display(lines)
                continue
        out.append(block)
    return out


def _same_layers(runs: Iterable[Run]) -> list[list[Run]]:
    """Group runs over the same layers, so that they share one loop."""
    groups: dict[tuple[int, ...], list[Run]] = {}
    for run in runs:
        key = tuple(sorted(run.layers, reverse=True))
        groups.setdefault(key, []).append(replace(run, layers=key) if len(key) > 1 else run)
    return list(groups.values())


def _of_loss(use: Use) -> bool:
    return any(use.names[slot].startswith("loss") for slot in use.template.defined)


def _reckons(equation: Equation) -> bool:
    """Whether an equation computes the places of entries, as in x[p + u], or names one by its number."""
    return any(not isinstance(part, Index | Access) for access in equation.rhs.atoms(Access) for part in access.index)


def _is_weight(parameter: str) -> bool:
    return parameter.rpartition(".")[2].startswith(("W", "E"))


def _called(record: LayerRecord) -> str:
    return record.name if record.use == 1 else f"{record.name}_{record.use}"


def _counted(count: int | Expr, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(items: Sequence[Math]) -> Text:
    """Return items with commas and an "and"."""
    out: list[Inline] = []
    for k, item in enumerate(items):
        out += ["" if k == 0 else " and " if k == len(items) - 1 else ", ", item]
    return tuple(out)


def _kinks(e: Expr) -> list[Text]:
    """Return what is said about the kinks of an expression."""
    out: list[Text] = []
    for part in sympy.preorder_traversal(e):
        if isinstance(part, nodes.Abs):
            out.append(("the derivative of ", Math(r"\lvert u \rvert"), " is 0 at ", Math("u = 0")))
        elif isinstance(part, nodes.Max):
            out.append(("a tie of a maximum goes to the first of the largest",))
        elif isinstance(part, nodes.Indicator) and isinstance(part.condition, sympy.StrictGreaterThan):
            edge = ("at the edge of a condition ", Math("u > 0"), " the derivative is that of the side on which it does not hold: ")
            out.append((*edge, Math(r"\max(0, u)"), " has the derivative 0 at ", Math("u = 0")))
    return out


__all__ = ["DEEP", "SOURCES", "Findings", "MatrixForm", "Run", "Style", "network_note", "system_note"]
