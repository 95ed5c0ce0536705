"""Equations of one moment on paper: h_t or h^{(t)}, with the cases and the sums over all moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Expr

from symbackprop.algebra.equation import Equation
from symbackprop.algebra.matrix import MatrixEquation
from symbackprop.algebra.tensor import Tensor
from symbackprop.algebra.times import Moment, Slice, TimeForm
from symbackprop.present.naming import Name, Naming
from symbackprop.present.symbols import Symbols
from symbackprop.present.writer import REDUCTION, SUM, Piece, Writer

#: The letter of a moment.
TIME = "t"


def named(naming: Naming, slices: dict[str, Slice]) -> Naming:
    """Return a naming that knows tensors at a moment."""
    return replace(naming, names={**naming.names, **{name: at_moment(naming.of(s.tensor.name), s) for name, s in slices.items()}})


def at_moment(name: Name, s: Slice) -> Name:
    """Return the name of a tensor at a moment."""
    if name.role in ("gradient", "direction") and name.of is not None:
        return replace(name, of=at_moment(name.of, s))
    return replace(name, time=moment(s), block="" if s.block is None else s.block[3])


def moment(s: Slice) -> str:
    """Write the moment of a slice; moments are counted from 1."""
    if s.axis is None:
        return ""
    return str(s.at + 1) if s.at is not None else TIME if not s.shift else f"{TIME}{s.shift:+d}"


def time_lines(
    form: TimeForm, naming: Naming, written: Callable[[MatrixEquation | Equation, Naming], str], symbols: Callable[[Naming], Symbols]
) -> tuple[str, ...]:
    """Return the lines of an equation moment by moment.

    Args:
        form: the equation.
        naming: what its tensors are called.
        written: writes an equation whose tensors a naming knows.
        symbols: gives the symbols of a naming.
    """
    return tuple(_line(m, named(naming, dict(m.slices)), written, symbols) for m in form.moments)


def _line(
    m: Moment, naming: Naming, written: Callable[[MatrixEquation | Equation, Naming], str], symbols: Callable[[Naming], Symbols]
) -> str:
    line = written(m.equation, naming)
    writer = symbols(naming).writer
    if m.total is not None:
        left, _, right = line.partition(" = ")
        level = SUM if _loose(right) else REDUCTION
        body = writer.parenthesised(Piece(right, SUM, tall=True)).text if level == SUM else right
        size = symbols(naming).size(m.total)
        return f"{left} = {writer.reduction('sum', [(TIME, '1', size)], body)}"
    if m.but and m.lhs.axis is not None:
        return line + writer.aside(_range(m, symbols(naming), writer))
    return line


def _range(m: Moment, symbols: Symbols, writer: Writer) -> str:
    """Say for which moments an equation holds."""
    assert m.lhs.axis is not None
    extent: Expr = m.lhs.tensor.axes[m.lhs.axis].extent
    if len(m.but) == 1 and extent.is_Integer and m.but[0] + 1 == int(extent):
        return f"{TIME} < {symbols.size(extent)}"
    return ", ".join(f"{TIME} {writer.relation('!=')} {n + 1}" for n in m.but)


def _loose(text: str) -> bool:
    """Whether a written value is a sum at its top: it needs parentheses behind another sum."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "({[") - (c in ")}]")
        if depth == 0 and c in "+-" and text[k - 1 : k] == " " and text[k + 1 : k + 2] == " ":
            return True
    return text.startswith("-")


def outside_words(forms: Sequence[TimeForm], naming: Naming, symbols: Symbols) -> list[str]:
    """Return what is 0 before the first moment and after the last: h_0 = 0, δ_5 = 0."""
    found: dict[tuple[Tensor, int], None] = {}
    for form in forms:
        found |= dict.fromkeys(form.outside)
    made = []
    for tensor, side in found:
        axes = {s.axis for f in forms for m in f.moments for s in m.slices.values() if s.tensor == tensor and s.axis is not None}
        extent = tensor.axes[axes.pop()].extent
        number = 0 if side < 0 else extent + 1
        name = _numbered(naming.of(tensor.name), symbols.size(number) if number else "0")
        made.append(f"{symbols.name(name).text} = 0")
    return list(dict.fromkeys(made))


def block_words(forms: Sequence[TimeForm], naming: Naming, symbols: Symbols) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is cut into blocks, with its blocks in order."""
    found: dict[str, dict[int, Slice]] = {}
    for s in (s for form in forms for m in form.moments for s in m.slices.values()):
        if s.block is not None and naming.of(s.tensor.name).role != "gradient":
            found.setdefault(s.tensor.name, {}).setdefault(s.block[1], replace(s, shift=0, at=None))
    made = []
    for tensor, slices in found.items():
        ordered = [slices[start] for start in sorted(slices)]
        name = naming.of(tensor)
        parts = tuple(symbols.name(at_moment(name, s)).text for s in ordered)
        made.append((symbols.name(at_moment(name, replace(ordered[0], block=None))).text, parts))
    return made


def _numbered(name: Name, time: str) -> Name:
    inner = name.of
    return replace(name, of=_numbered(inner, time)) if name.role == "gradient" and inner is not None else replace(name, time=time)


__all__ = ["TIME", "block_words", "named", "outside_words", "time_lines"]
