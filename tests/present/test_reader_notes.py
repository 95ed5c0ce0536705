"""Every formula of the notes is read, and every one whose symbols have values holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from reading import network

from symbackprop.errors import DeclarationError
from symbackprop.present.document.records import Line, Math
from symbackprop.present.notation import notation, notations
from symbackprop.present.reader import check_claim, read
from symbackprop.public.notes import document_of, wished

#: A formula and the layers that it is for: \delta^{(l)} = ... \qquad l = 4, 3, 2.
GENERAL = re.compile(r"(?P<formula>.*\S)\s*\\qquad (?P<letter>[a-z]) = (?P<layers>[0-9, ]+|[0-9, ]+\\dots, [0-9]+)$", re.DOTALL)


def lines(part: Any) -> Iterator[str]:
    """Yield the formulas of a document; lines that go on from one another are one."""
    if isinstance(part, Math | Line):
        yield part.latex
    elif isinstance(part, tuple):
        run: list[str] = []
        for item in part:
            if isinstance(item, Line) and item.latex.startswith("= ") and run:
                run.append(item.latex)
                continue
            if run:
                yield r" \\ ".join(run)
                run = []
            if isinstance(item, Line):
                run = [item.latex]
            else:
                yield from lines(item)
        if run:
            yield r" \\ ".join(run)
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from lines(getattr(part, field.name))


def layers(text: str) -> list[int]:
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    if r"\dots" in text:
        return list(range(numbers[-1], numbers[0] + 1))
    return numbers


@pytest.mark.parametrize("name", notations())
@pytest.mark.parametrize(
    ("kind", "depth", "layout"),
    [
        *((kind, "lecture", "gradient") for kind in ("squared", "softmax", "deep")),
        # One network shows every depth and layout.
        ("squared", "rewrite", "gradient"),
        ("squared", "lecture", "numerator"),
    ],
)
def test_formulas_of_notes(kind, name, depth, layout):
    net = network(kind)
    bindings = net.bindings("one", name, layout)
    shown = wished(name, depth, layout, False, "matrix", None, None, None, "")
    held = 0
    for formula in lines(document_of(net.declared, shown)):
        if formula == notation(name).hadamard:
            continue
        read(formula)
        if r", \dots, " in formula and formula.count("=") == 1 and not GENERAL.match(formula):
            # Over what a loop runs: i = 1, ..., M.
            continue
        general = GENERAL.match(formula)
        # The parts of a sum of two paths have names of their own: (δ)_1 is defined by its line.
        formula = re.sub(r"^\{\\left\(.*?\}_\d = ", "", general["formula"] if general else formula)
        settings = [{general["letter"]: number} for number in layers(general["layers"])] if general else [{}]
        for numbers in settings:
            try:
                claim = check_claim(formula, bindings, **numbers)
            except DeclarationError as e:
                assert not general, f"{formula}: {e}"
                assert "has no value" in str(e) or "nothing is claimed" in str(e), f"{formula}: {e}"
                continue
            assert claim.holds, f"{formula} {numbers}: {claim}"
            held += 1
    assert held >= 20
