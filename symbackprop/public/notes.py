"""Lecture notes as files: a network, a derivation, a graph or a document of one's own becomes an article, slides or a page."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import symbackprop
from symbackprop.algebra.equation import Equation
from symbackprop.declare.model import Model
from symbackprop.derive.lecture import way_to
from symbackprop.derive.operators import operator_form
from symbackprop.derive.records import Derivation as Record
from symbackprop.derive.sweep import derive_system
from symbackprop.derive.times import whole_forms
from symbackprop.errors import DeclarationError
from symbackprop.execute.files import write_all
from symbackprop.present import notation as notations
from symbackprop.present.document.homework import blanked
from symbackprop.present.document.html import html
from symbackprop.present.document.markdown import markdown
from symbackprop.present.document.pdf import pdf
from symbackprop.present.document.records import (
    Block,
    Chart,
    Display,
    Document,
    Figure,
    Line,
    Math,
    Paragraph,
    Section,
)
from symbackprop.present.document.tex import check_kind, tex
from symbackprop.present.naming import network_naming
from symbackprop.present.notation import Notation
from symbackprop.present.notes import DEEP, Findings, Style, network_note, system_note
from symbackprop.present.scene.network import network_scene
from symbackprop.present.scene.records import Scene
from symbackprop.present.sheet import FORMS
from symbackprop.present.steps import DEPTHS
from symbackprop.present.symbol_table import symbol_table
from symbackprop.present.worked import Worked
from symbackprop.public.derivation import Derivation, Derived, DerivedEntry, Recursion
from symbackprop.public.elementary import DerivativeSteps
from symbackprop.public.graph import Graph, GraphRun
from symbackprop.public.network import Network
from symbackprop.public.worked import worked

SUFFIXES = (".tex", ".pdf", ".md", ".qmd", ".html")
#: Blocks that stand in a document as they are.
BLOCKS = get_args(Block)


@dataclass(frozen=True)
class Wish:
    """How notes are wanted.

    Attributes:
        style: letters, form, layout, depth.
        example: (params, x, y) or None.
        optimizer: whose update rule is printed, or None.
        title: plain text.
        author: plain text.
    """

    style: Style
    example: tuple[Any, ...] | None = None
    optimizer: Any = None
    title: str = ""
    author: str = ""


def notes(
    what: Any,
    path: str | os.PathLike[str],
    notation: str | Notation = "ufldl",
    kind: str = "article",
    example: tuple[Any, ...] | None = None,
    depth: str = "lecture",
    layout: str = "gradient",
    shapes: bool = False,
    form: str = "matrix",
    homework: bool = False,
    title: str | None = None,
    author: str = "",
    optimizer: Any = None,
    pages: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Write lecture notes and return the paths of the files.

    Args:
        what: a `Network`, a `Derivation` or a part of one, a run of a `Graph`, a worked example, or a `Document` of your own.
        path: its suffix decides what is written: ``.tex``, ``.pdf`` (the ``.tex`` is written too), ``.md``, ``.qmd``, ``.html``.
        notation: a preset's name or a record.
        kind: "article", "beamer" (one step a click) or "fragment" (to paste), for ``.tex`` and ``.pdf``.
        example: ``(params, x, y)``, of one sample: the numbers are worked out.
        depth: "result", "lecture" or "rewrite": how many steps are shown.
        layout: "gradient" (the parameter's shape), "numerator" or "denominator".
        shapes: write the shape under each factor.
        form: "matrix", "index" or "operator"; what has no matrix form is printed in operator form, else in index form.
        homework: leave blanks for the steps; the solutions go to a second file, ``notes-solutions.tex``.
        title: plain text; None takes one that says what it is.
        author: plain text.
        optimizer: whose update rule is printed, such as ``sbp.Momentum(0.1, 0.9)``.
        pages: further pages by name: "vanishing gradient", "negative gradient", and "code" (the NumPy module beside its equations).

    Raises:
        DeclarationError: a wrong suffix, kind, notation, depth, form or layout.
        TargetError: ``.pdf`` is asked for and there is no pdflatex; the ``.tex`` is written.
        OutputError: the files cannot be written; nothing is.
    """
    target = _target(path, kind)
    wish = wished(notation, depth, layout, shapes, form, example, optimizer, title, author)
    document = document_of(what, wish)
    if pages:
        document = replace(document, sections=(*document.sections, *_pages(pages, wish.style.notation, what)))
    made = {target.stem: document}
    if homework:
        made = {target.stem: blanked(document), f"{target.stem}-solutions": document}
    contents: dict[str, str | bytes] = {}
    for stem, one in made.items():
        contents |= _written(one, stem, target.suffix.lower(), kind)
    paths = write_all(target.parent, contents)
    if target.suffix.lower() != ".pdf":
        return paths
    sheets = {f"{stem}.pdf": pdf(str(contents[f"{stem}.tex"]), _job(stem)) for stem in made}
    return (*write_all(target.parent, sheets), *paths)


def _pages(names: Sequence[str], notation: Notation, what: Any) -> tuple[Section, ...]:
    # Only who wants a page waits for the trial networks that it needs.
    from symbackprop.public.pages import page

    wanted = (names,) if isinstance(names, str) else names
    return tuple(page(name, notation, **({"network": what} if name == "code" else {})) for name in wanted)


def document_of(what: Any, wish: Wish) -> Document:
    """Return the document that something becomes.

    Raises:
        DeclarationError: it is nothing that notes can be made of.
    """
    if isinstance(what, Document):
        sections = tuple(replace(s, blocks=tuple(b for item in s.blocks for b in blocks_of(item, wish))) for s in what.sections)
        return replace(what, sections=sections, title=wish.title or what.title, author=wish.author or what.author)
    if isinstance(what, Network):
        return _of_network(what.derive(per=symbackprop.pipeline.usual_per(what.spec)), wish, what)
    if isinstance(what, Derivation) and what.record.model is not None:
        return _of_network(what._per_sample, wish, None)
    if isinstance(what, Derivation):
        numbers = worked(what, *wish.example).blocks(wish.style.notation) if wish.example is not None else ()
        return system_note(what.record, wish.style, _findings(what.record, True, numbers), title=wish.title, author=wish.author)
    return Document(wish.title or "Notes", (Section("", tuple(blocks_of(what, wish))),), wish.author)


def blocks_of(item: Any, wish: Wish) -> tuple[Block, ...]:
    """Return what a document shows of something: words, formulas, derivations, graphs, pictures, worked numbers.

    Raises:
        DeclarationError: there is no way to show it.
    """
    if isinstance(item, BLOCKS):
        return (item,)
    if isinstance(item, str):
        return (Paragraph((item,)),)
    if isinstance(item, Math):
        return (Display((Line(item.latex),)),)
    if isinstance(item, Scene):
        return (Figure(item),)
    if isinstance(item, Section):
        return tuple(b for inner in item.blocks for b in blocks_of(inner, wish))
    if isinstance(item, Derived):
        return (Display(_restarted(item.lines(**_how(wish)))),)
    if isinstance(item, DerivedEntry):
        return (Display(_restarted(item.lines(wish.style.notation))),)
    if isinstance(item, DerivativeSteps):
        return (Display(_restarted(item.lines(wish.style.depth))),)
    if isinstance(item, Recursion):
        return tuple(Display(_restarted(lines)) for lines in item.lines(wish.style.depth, wish.style.notation, wish.style.form))
    if isinstance(item, list | tuple) and item and all(isinstance(inner, Line) for inner in item):
        return (Display(_restarted(tuple(item))),)
    if isinstance(item, Network | Derivation):
        return tuple(b for s in document_of(item, replace(wish, title="")).sections for b in s.blocks)
    if isinstance(item, list | tuple):
        return tuple(b for inner in item for b in blocks_of(inner, wish))
    if isinstance(item, Worked):
        return item.blocks(wish.style.notation)
    if isinstance(item, GraphRun):
        return item.blocks()
    if isinstance(item, Graph):
        return (Figure(item.scene()),)
    raise DeclarationError(
        f"notes cannot show a {type(item).__name__}; give a Network, a Derivation, a Graph's run, a Document, or words, Math and blocks"
    )


def _how(wish: Wish) -> dict[str, Any]:
    s = wish.style
    return {"depth": s.depth, "notation": s.notation, "form": s.form, "layout": s.layout, "shapes": s.shapes}


def _restarted(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    first = min((line.step for line in lines), default=0)
    return tuple(replace(line, step=line.step - first) for line in lines)


def wished(
    notation: str | Notation,
    depth: str,
    layout: str,
    shapes: bool,
    form: str,
    example: tuple[Any, ...] | None,
    optimizer: Any,
    title: str | None,
    author: str,
) -> Wish:
    """Return what is wanted, checked.

    Raises:
        DeclarationError: an unknown word, or a value of another kind.
    """
    for choice, allowed, what in ((depth, DEPTHS, "depth"), (form, FORMS, "form")):
        if choice not in allowed:
            raise DeclarationError(f"unknown {what} {str(choice)[:40]!r} of notes (known: {', '.join(allowed)})")
    for value, what in ((title, "title"), (author, "author")):
        if value is not None and not isinstance(value, str):
            raise DeclarationError(f"the {what} of notes must be text, got {type(value).__name__}")
    if example is not None and (not isinstance(example, tuple) or not 1 <= len(example) <= 3):
        raise DeclarationError("example must be a tuple (params, x, y) of parameters, one input and its target")
    record = notations.notation(notation)
    return Wish(Style(record, form, notations.layout(layout), depth, bool(shapes)), example, optimizer, title or "", author)


def _target(path: str | os.PathLike[str], kind: str) -> Path:
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES or not target.stem:
        raise DeclarationError(f"notes path {os.fspath(path)!r} must end in one of {', '.join(SUFFIXES)}")
    check_kind(kind)
    if kind != "article" and suffix not in (".tex", ".pdf"):
        raise DeclarationError(f"kind {kind!r} is for .tex and .pdf; {target.name} takes kind 'article' only")
    if kind == "fragment" and suffix == ".pdf":
        raise DeclarationError(f"a fragment is no document to print; write {target.stem}.tex, or choose kind 'article' or 'beamer'")
    return target


def _written(document: Document, stem: str, suffix: str, kind: str) -> dict[str, str | bytes]:
    if suffix == ".html":
        return {f"{stem}.html": html(document, chart_writer())}
    if suffix in (".md", ".qmd"):
        text, pictures = markdown(document, stem, plot=chart_writer(), head=suffix == ".qmd")
        return {f"{stem}{suffix}": text, **pictures}
    return {f"{stem}.tex": tex(document, kind)}


def chart_writer() -> Callable[[Chart], str] | None:
    """Return what draws charts outside of TeX, if it is installed; without it their data stand in tables."""
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from symbackprop.present.scene.plot_matplotlib import chart_svg

    return chart_svg


def _job(stem: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in stem)


def _of_network(derivation: Derivation, wish: Wish, net: Network | None) -> Document:
    record = derivation.record
    spec = derivation._spec
    mean = spec is None or spec.loss is None or spec.loss.reduction == "mean"
    numbers: tuple[Block, ...] = ()
    if wish.example is not None and spec is not None:
        numbers = worked(net or Network.of_spec(spec), *wish.example, optimizer=wish.optimizer).blocks(wish.style.notation)
    found = _findings(record, mean, numbers)
    found = replace(found, picture=_picture(record, wish))
    if spec is not None and spec.regularizer is not None and record.model is not None and record.model.per == "sample":
        whole = symbackprop.pipeline.lower(spec, target=None if record.model is None else record.model.form)
        found = replace(found, penalties=_penalties(whole), penalty_naming=network_naming(whole))
    if spec is not None and spec.has_modes and record.model is not None:
        other = symbackprop.pipeline.lower(spec, target=record.model.form, per=record.model.per, mode="inference")
        modal = {layer.name for layer in spec.layers if layer.layer().has_modes()}
        equations = tuple(e for b in other.system.blocks if b.owner in modal for e in b.equations(other.system.tensors))
        followed = record.model.updates.equations
        found = replace(found, statistics=followed, inference=equations, inference_naming=network_naming(other))
    if record.model is not None and len(record.model.layers) <= 2 * DEEP:
        found_operators = tuple(f for e in record.system.equations if (f := operator_form(e)) is not None)
        operators = found_operators if wish.style.form != "index" else ()
        times = {t.name: axis for t, axis in whole_forms(record).axes.items()} if wish.style.form == "matrix" else {}
        symbols = symbol_table(record, derivation.naming, wish.style.notation, layout=wish.style.layout, operators=operators, times=times)
        found = replace(found, symbols=symbols)
    if wish.optimizer is not None:
        found = replace(found, update=wish.optimizer.system())
    return network_note(record, wish.style, found, title=wish.title, author=wish.author)


def _findings(record: Record, mean: bool, numbers: tuple[Block, ...]) -> Findings:
    return Findings(whole_forms(record), partial(way_to, record), mean, example=numbers)


def _penalties(whole: Model) -> tuple[tuple[Equation, Equation], ...]:
    """Return the penalties on the parameters with their gradients; they stand in the loss of a batch only."""
    made = []
    for equation in whole.system.equations:
        if not equation.tensor.name.startswith("loss.penalty"):
            continue
        for tensor in equation.reads:
            one = derive_system(whole.system, equation.tensor.name, (tensor.name,))
            made.append((equation, one.equation(one.cotangents[tensor.name])))
    return tuple(made)


def _picture(record: Record, wish: Wish) -> Scene | None:
    model = record.model
    if model is None or len(model.layers) > 2 * DEEP:
        return None
    for kind in ("neurons", "boxes"):
        try:
            return network_scene(model, wish.style.notation, kind)
        except DeclarationError:
            continue
    return None


__all__ = ["SUFFIXES", "Wish", "blocks_of", "chart_writer", "document_of", "notes"]
