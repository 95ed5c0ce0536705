r"""How much room a formula takes, and where it may be broken.

A formula is laid out roughly, as TeX would do it, with rounded widths of Computer Modern; the unit is the em. Lines are broken in
front of relations, then of sums, then of products, always outside of braces, of ``\left … \right`` and, if possible, of parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)

_ARROWS = frozenset(r"\to \mapsto \leftarrow \rightarrow \Rightarrow \Leftrightarrow".split())
RELATIONS: Final = frozenset(r"= < > : \ge \le \ne \in \notin \approx \equiv \sim \mid \subset".split()) | _ARROWS
_SUMS = frozenset(r"+ - \pm \mp \lor".split())
_PRODUCTS = frozenset(r"\circ \bullet \odot \cdot \times \otimes \star \ast \oslash \land \cup \cap".split())
#: A condition such as 1[k = 2] among the factors of a product begins with this.
_CONDITION = (r"\mathbf", "{", "1", "}", "[")
_FACTORS = frozenset({r"\mathbf"})
_SPACES: Mapping[str, float] = {r"\quad": 1.0, r"\qquad": 2.0, r"\,": 0.17, r"\:": 0.22, r"\;": 0.28, r"\ ": 0.33, r"\!": -0.17}
_LIMITS = frozenset(r"\sum \prod \max \min \lim \arg \operatorname* \underbrace \overbrace".split())
#: Widths in em, for what differs from its kind.
_WIDTHS: Mapping[str, float] = {
    **dict.fromkeys("ijlt", 0.36),
    **dict.fromkeys("mwMW", 0.9),
    **dict.fromkeys("()", 0.39),
    **dict.fromkeys("[].,;:!|'", 0.28),
    **dict.fromkeys((r"\nabla", r"\Delta", r"\Theta"), 0.83),
    **dict.fromkeys((r"\lVert", r"\rVert"), 0.5),
    **dict.fromkeys((r"\lvert", r"\rvert"), 0.28),
    **dict.fromkeys((r"\langle", r"\rangle", r"\{", r"\}"), 0.45),
    **dict.fromkeys((r"\dots", r"\ldots", r"\cdots"), 1.2),
    **dict.fromkeys((r"\infty", r"\Rightarrow", r"\Leftrightarrow", r"\leftarrow", r"\rightarrow", r"\mapsto", r"\to"), 1.0),
    r"\sum": 1.44,
    r"\prod": 1.3,
    r"\ell": 0.42,
}
_WORDS = frozenset(r"\log \exp \sin \cos \tan \sinh \cosh \tanh \arcsin \arccos \arctan \max \min \lim \arg".split())
_SCALES = (1.0, 1.0, 0.7, 0.5)


@dataclass(frozen=True)
class Box:
    """The room of a formula, in em.

    Attributes:
        width: of all of it.
        height: above the baseline.
        depth: below it.
    """

    width: float = 0.0
    height: float = 0.0
    depth: float = 0.0

    @property
    def total(self) -> float:
        """Height and depth."""
        return self.height + self.depth

    def beside(self, other: Box) -> Box:
        """Return the room of both side by side."""
        return Box(self.width + other.width, max(self.height, other.height), max(self.depth, other.depth))


def tokens(latex: str) -> tuple[str, ...]:
    """Return the tokens of a formula; blanks are one token each run."""
    return tuple(_TOKEN.findall(latex))


def measure(latex: str) -> Box:
    """Return about how much room a displayed formula takes."""
    return _Layout([t for t in tokens(latex) if not t.isspace()]).row(0)


class _Layout:
    """Reads tokens one after another and adds up their boxes."""

    def __init__(self, given: Sequence[str]) -> None:
        self.tokens = list(given)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def group(self, style: int) -> Box:
        """Read an argument: what is in braces, or one token."""
        if self.peek() != "{":
            return self.atom(style)
        self.at += 1
        box = self.row(style, "}")
        self.at += 1
        return box

    def raw(self) -> str:
        """Read an argument as text."""
        if self.peek() != "{":
            return self.next()
        depth, out = 0, []
        while self.at < len(self.tokens):
            token = self.next()
            depth += (token == "{") - (token == "}")
            out.append(token)
            if not depth:
                break
        return "".join(out[1:-1])

    def row(self, style: int, *stops: str) -> Box:
        """Read up to a stop token, which stays unread."""
        box, operand = Box(), False
        while self.at < len(self.tokens) and self.peek() not in stops:
            token = self.peek()
            made = self.atom(style)
            if style < 2 and (token in RELATIONS or (operand and (token in _SUMS or token in _PRODUCTS))):
                made = Box(made.width + (0.56 if token in RELATIONS else 0.44), made.height, made.depth)
            elif token == "," and style < 2:
                made = Box(made.width + 0.17, made.height, made.depth)
            operand = token not in RELATIONS and token not in _SUMS and token not in _PRODUCTS and token not in ("(", "[", "{", ",", "&")
            box = box.beside(made)
        return box

    def atom(self, style: int) -> Box:
        """Read one symbol or construction, with its scripts."""
        token = self.next()
        box = self.bare(token, style)
        limits = (token in _LIMITS and style == 0) or token in (r"\underbrace", r"\overbrace")
        below = above = Box()
        while self.peek() in ("_", "^") or self.peek() == "'":
            mark = self.next()
            if mark == "'":
                box = box.beside(Box(0.25 * _SCALES[style]))
                continue
            script = self.group(min(3, max(style, 1) + 1))
            below, above = (script, above) if mark == "_" else (below, script)
        if not (below.width or above.width):
            return box
        if limits:
            return Box(
                max(box.width, below.width, above.width),
                box.height + (above.total + 0.2 if above.width else 0),
                box.depth + (below.total + 0.2 if below.width else 0),
            )
        return Box(
            box.width + max(below.width, above.width) + 0.05,
            max(box.height, box.height - 0.3 + above.total if above.width else 0),
            max(box.depth, box.depth + below.total - 0.25 if below.width else 0),
        )

    def bare(self, token: str, style: int) -> Box:
        scale = _SCALES[style]
        if token == "{":
            box = self.row(style, "}")
            self.at += 1
            return box
        if token in (r"\frac", r"\dfrac", r"\tfrac"):
            inner = 2 if token == r"\tfrac" or (style and token != r"\dfrac") else 1
            inner = max(inner, style + 1 if style > 1 else inner)
            top, bottom = self.group(min(inner, 3)), self.group(min(inner, 3))
            return Box(max(top.width, bottom.width) + 0.24, top.total + 0.42 * scale, bottom.total + 0.1 * scale)
        if token == r"\sqrt":
            inside = self.group(style)
            return Box(inside.width + 0.85 * scale, inside.height + 0.15, inside.depth)
        if token in (r"\underset", r"\overset"):
            script, body = self.group(min(3, max(style, 1) + 1)), self.group(style)
            grown = script.total + 0.2
            wide = max(script.width, body.width)
            return Box(wide, body.height, body.depth + grown) if token == r"\underset" else Box(wide, body.height + grown, body.depth)
        if token in (r"\underbrace", r"\overbrace"):
            body = self.group(style)
            return (
                Box(body.width, body.height, body.depth + 0.5)
                if token == r"\underbrace"
                else Box(body.width, body.height + 0.5, body.depth)
            )
        if token == r"\substack":
            return self.matrix("substack", style, ("}",), opened=False)
        if token == r"\begin":
            return self.matrix(self.raw(), style, (r"\end",))
        if token in (r"\left", r"\right", r"\Big", r"\big", r"\bigl", r"\bigr", r"\biggl", r"\biggr"):
            self.next()
            return Box(0.5 * scale, 0.75 * scale, 0.25 * scale)
        if token in (r"\mathrm", r"\operatorname", r"\operatorname*", r"\text", r"\mathsf"):
            words = self.raw()
            if token == r"\text":
                return Box(prose_width(re.sub(r"\\[A-Za-z]+|[{}$]", "", words)) * scale, 0.7 * scale, 0.2 * scale)
            return Box((0.53 * len(words.replace("\\", "")) + (0.17 if "operator" in token else 0)) * scale, 0.7 * scale, 0.2 * scale)
        if token in (r"\mathbf", r"\mathbb", r"\boldsymbol", r"\bar", r"\tilde", r"\hat", r"\vec", r"\overline", r"\underline"):
            body = self.group(style)
            return Box(body.width * 1.1, body.height + 0.1, body.depth)
        if token == r"\boxed":
            body = self.group(style)
            return Box(body.width + 0.7, body.height + 0.4, body.depth + 0.4)
        if token == r"\phantom":
            return self.group(style)
        if token == r"\color":
            self.raw()
            return Box()
        if token in _SPACES:
            return Box(_SPACES[token] * (scale if style > 1 else 1))
        if token in (r"\displaystyle", r"\textstyle", "&", r"\\", r"\limits"):
            return Box()
        if token in _WORDS:
            return Box((0.5 * (len(token) - 1) + 0.17) * scale, 0.7 * scale, 0.2 * scale)
        if token in (r"\sum", r"\prod"):
            wide = _WIDTHS[token] if style == 0 else 1.06 * scale
            return Box(wide + 0.17, 0.95 if style == 0 else 0.75 * scale, 0.45 if style == 0 else 0.25 * scale)
        return Box(self.width(token) * scale, 0.7 * scale, 0.22 * scale)

    def width(self, token: str) -> float:
        if token in _WIDTHS:
            return _WIDTHS[token]
        if token in RELATIONS or token in _SUMS:
            return 0.78
        if token in _PRODUCTS:
            return 0.5
        if len(token) == 1:
            return 0.5 if token.isdigit() else 0.78 if token.isupper() else 0.53
        return 0.58

    def matrix(self, name: str, style: int, stops: tuple[str, ...], opened: bool = True) -> Box:
        """Read the rows of an environment."""
        if name == "array":
            self.raw()
        if not opened:
            self.next()
        columns: list[float] = []
        height, row, column = 0.0, Box(), 0
        while self.at < len(self.tokens):
            cell = self.row(0 if name == "aligned" else max(style, 1), "&", r"\\", *stops)
            row = row.beside(cell)
            if column == len(columns):
                columns.append(0.0)
            columns[column] = max(columns[column], cell.width)
            token = self.next()
            column = column + 1 if token == "&" else 0
            if token != "&":
                height += max(row.total, 0.9) + (0.5 if name == "aligned" else 0.3)
                row = Box()
            if token in stops:
                if opened:
                    self.raw()
                break
        gaps = 0.0 if name in ("aligned", "substack") else 1.0 * (len(columns) - 1)
        fences = {"bmatrix": 1.0, "pmatrix": 1.0, "cases": 0.9}.get(name, 0.3)
        return Box(sum(columns) + gaps + fences, height / 2 + 0.25, height / 2 - 0.25)


def prose_width(text: str) -> float:
    """Return about how wide plain words are in the body font."""
    return sum(0.28 if c in " .,;:'ijlft()|!" else 0.8 if c in "mwMW" else 0.7 if c.isupper() else 0.5 for c in text)


def _levels(given: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield for each token how deep it lies in braces and fences, and how deep in plain parentheses."""
    fences = round_ = 0
    for k, token in enumerate(given):
        closing = token in ("}", r"\right", r"\end")
        fences -= closing
        fenced = k > 0 and given[k - 1] in (r"\left", r"\right")
        if token in (")", "]") and not fenced:
            round_ -= 1
        yield fences, round_
        fences += token in ("{", r"\left", r"\begin")
        if token in ("(", "[") and not fenced:
            round_ += 1


def halves(latex: str) -> tuple[str, str]:
    """Return a formula split in front of its first relation sign outside of all brackets; the left half is empty if there is none."""
    given = tokens(latex)
    for k, ((fences, round_), token) in enumerate(zip(_levels(given), given, strict=True)):
        if token in RELATIONS and fences == 0 and round_ == 0:
            start = k - 1 if token == "=" and k and given[k - 1] == ":" else k
            return "".join(given[:start]).strip(), "".join(given[start:]).strip()
    return "", latex.strip()


def pieces(latex: str, kinds: frozenset[str], *, inside: bool = False) -> tuple[str, ...]:
    """Return a formula cut in front of signs outside of braces and fences.

    Args:
        latex: the formula.
        kinds: the signs.
        inside: also inside plain parentheses.
    """
    given = tokens(latex)
    cuts, operand = [0], False
    for k, ((fences, round_), token) in enumerate(zip(_levels(given), given, strict=True)):
        if token.isspace():
            continue
        sign = token in RELATIONS or token in _SUMS or token in _PRODUCTS
        if token in _FACTORS and given[k : k + 5] != _CONDITION:
            operand = True
            continue
        if token in kinds and fences == 0 and (inside or round_ == 0) and (operand or token in RELATIONS or token in _SPACES):
            cuts.append(k)
        operand = not sign and token not in ("(", "[", ",")
    cut = [c for c in cuts if not (c and "".join(given[:c]).strip() == "")]
    return tuple(text for a, b in zip(cut, [*cut[1:], len(given)], strict=True) if (text := "".join(given[a:b]).strip()))


def rows(latex: str, width: float) -> tuple[str, ...]:
    """Return the right side of a formula, which begins with its relation sign, broken into rows no wider than ``width`` em.

    A row that begins with a relation stands below the first; any other is a continuation. What cannot be broken stays as it is.
    """
    if measure(latex).width <= width:
        return (latex,)
    main, *conditions = pieces(latex, _GAPS) or (latex,)
    out = [row for part in pieces(main, RELATIONS) for row in _filled(part, width)]
    for condition in conditions:
        # What follows a gap says where the formula holds: it stays whole.
        if measure(f"{out[-1]} {condition}").width <= width - 2:
            out[-1] = f"{out[-1]} {condition}"
        else:
            out.append(condition)
    return tuple(out)


_GAPS = frozenset({r"\qquad", r"\quad"})
_ORDER: tuple[tuple[frozenset[str], bool], ...] = (
    (_SUMS, False),
    (_PRODUCTS, False),
    (_FACTORS, False),
    (_FACTORS, True),
    (_SUMS, True),
    (_PRODUCTS, True),
)


def _filled(text: str, width: float, order: tuple[tuple[frozenset[str], bool], ...] = _ORDER) -> list[str]:
    """Break a text at the first kind of sign that helps, and what is still too wide at the next kind."""
    if measure(text).width <= width:
        return [text]
    if not order:
        opened = _opened(_unbraced(text, width))
        return [text] if opened == text else _filled(opened, width, _ORDER)
    (kinds, inside), rest = order[0], order[1:]
    lines: list[str] = []
    for part in pieces(text, kinds, inside=inside):
        room = width - (2 if lines else 0)
        if lines and measure(f"{lines[-1]} {part}").width <= width - (2 if len(lines) > 1 else 0):
            lines[-1] = f"{lines[-1]} {part}"
        else:
            lines += _filled(part, room, rest)
    return lines


def _unbraced(text: str, width: float) -> str:
    """Return a text in which parentheses stand for each brace below that is too wide for a line: no line can end inside of a brace."""
    given, out, k = tokens(text), [], 0
    while k < len(given):
        if given[k] != r"\underbrace":
            out.append(given[k])
            k += 1
            continue
        body, after = _group(given, k + 1)
        label = after
        while label < len(given) and (given[label].isspace() or given[label] == "_"):
            label += 1
        end = _group(given, label)[1] if "_" in given[after:label] else after
        wide = measure("".join(body)).width > width
        out += [r"\left", "(", *body, r"\right", ")"] if wide else given[k:end]
        k = end
    return "".join(out)


def _group(given: Sequence[str], start: int) -> tuple[Sequence[str], int]:
    """Return the tokens in the braces that open at a place, and the place behind them."""
    depth = 0
    for k in range(start, len(given)):
        depth += (given[k] == "{") - (given[k] == "}")
        if not depth:
            return given[start + 1 : k], k + 1
    return given[start + 1 :], len(given)


def _opened(text: str) -> str:
    """Return a text whose outermost growing parentheses are of a fixed size, so that a line may end between them."""
    given, depth, out = tokens(text), 0, []
    for k, token in enumerate(given):
        if token == r"\right":
            depth -= 1
        outer = depth == 0 and given[k + 1 : k + 2] in (("(",), (")",), ("[",), ("]",))
        out.append({r"\left": r"\biggl", r"\right": r"\biggr"}.get(token, token) if outer else token)
        if token == r"\left":
            depth += 1
    return "".join(out)


__all__ = ["RELATIONS", "Box", "halves", "measure", "pieces", "prose_width", "rows", "tokens"]
