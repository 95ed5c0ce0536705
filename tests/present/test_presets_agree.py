"""One network in all notations is the same mathematics: every printed formula is read back and evaluated.

What the symbols mean is put together from the notation's record by the reader, apart from the printer; the values are the engine's.
So a formula holds only if its two sides agree with each other and with what the engine computes.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from reading import DECLARED, network

from symbackprop.present.notation import LAYOUTS, notation, notations
from symbackprop.present.reader import check_claim

FORMS = ("matrix", "index")
PER = ("one", "batch")
#: Own notations: combinations that no preset has.
OWN = {
    "source first": replace(notation("ufldl"), name="source first", weight_index="source first"),
    "columns": replace(notation("nielsen"), name="columns", batch_samples="columns"),
    "folded, source first": replace(notation("ng"), name="folded, source first", weight_index="source first", batch_samples="columns"),
    "activations as layers": replace(notation("ufldl"), name="activations as layers", activation_layer="own"),
    "activations as layers, from 0": replace(notation("tuwien"), name="from 0", activation_layer="own", error_term="letter"),
}


def told(formula: str, bindings) -> str:
    """Return what is wrong with a formula, or nothing."""
    claim = check_claim(formula, bindings)
    return "" if claim.holds else f"{formula}\n    {claim}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in notations() for kind in DECLARED] + [(name, kind) for name in OWN for kind in ("squared", "deep", "labels")],
)
def test_every_printed_formula_holds(name, kind):
    preset = OWN.get(name, name)
    net = network(kind)
    wrong = []
    count = 0
    for per in PER:
        for layout in LAYOUTS:
            bindings = net.bindings(per, preset, layout)
            # A layout is one of matrix formulas.
            for form in FORMS if layout == "gradient" else ("matrix",):
                formulas = net.printed(per, preset, form, layout)
                count += len(formulas)
                wrong += [t for t in (told(f, bindings) for f in formulas) if t]
    assert not wrong, "\n".join(wrong)
    assert count >= 8 * 11


@pytest.mark.parametrize("name", notations())
@pytest.mark.parametrize("kind", ["squared", "softmax", "deep"])
def test_shapes_under_the_factors_are_right(kind, name):
    net = network(kind)
    for layout in LAYOUTS:
        for per in PER:
            bindings = net.bindings(per, name, layout)
            formulas = net.printed(per, name, "matrix", layout, shapes=True)
            assert any(r"\underset" in f for f in formulas)
            wrong = [t for t in (told(f, bindings) for f in formulas) if t]
            assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", notations())
@pytest.mark.parametrize("kind", ["squared", "softmax", "deep"])
@pytest.mark.parametrize("form", FORMS)
def test_the_whole_sheet_holds_down_to_the_mean_over_all_samples(kind, name, form):
    net = network(kind)
    lines = net.batch.latex(notation=name, form=form).splitlines()
    bindings = net.bindings("one", name)
    wrong = [t for t in (told(line, bindings) for line in lines) if t]
    assert not wrong, "\n".join(wrong)
    assert len(lines) > 10


@pytest.mark.parametrize("name", notations())
@pytest.mark.parametrize("kind", ["deep", "softmax"])
@pytest.mark.parametrize("form", FORMS)
def test_the_recursion_holds_in_every_layer_that_it_is_for(kind, name, form):
    net = network(kind)
    record = notation(name)
    bindings = net.bindings("one", name)
    depth = len(net.one.record.model.layers)
    recursion = net.batch.recursion
    held: dict[str, int] = {}
    for rung, line in zip(recursion, [recursion_line(net, rung, name, form) for rung in recursion], strict=True):
        source = int(rung.kind in ("weight", "bias") and record.weight_of == "source")
        for layer in range(rung.first, rung.last + 1):
            claim = check_claim(line, bindings, **{record.layer: layer + record.first - source})
            held[line] = held.get(line, 0) + 1
            assert claim.holds, f"{line} for layer {layer}: {claim}"
    assert sum(held.values()) >= 3 * depth - 2


def recursion_line(net, rung, name, form):
    from symbackprop.public.derivation import Recursion

    (line,) = Recursion((rung,)).latex(notation=name, form=form)
    return line


@pytest.mark.parametrize("name", notations())
@pytest.mark.parametrize("depth", ["lecture", "rewrite"])
def test_every_line_of_every_step_holds(name, depth):
    net = network("squared")
    wrong = []
    for per in PER:
        derivation = net.derivation(per)
        for layout in LAYOUTS:
            bindings = net.bindings(per, name, layout)
            for derived in (*derivation.error_terms.values(), *derivation.gradients.values()):
                for form in FORMS if layout == "gradient" else ("matrix",):
                    lines = derived.lines(depth=depth, notation=name, form=form, layout=layout)
                    wrong += [t for t in [told(r" \\ ".join(line.latex for line in lines), bindings)] if t]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", notations())
def test_every_line_of_the_steps_through_softmax_holds(name):
    net = network("softmax")
    wrong = []
    for per in PER:
        derivation = net.derivation(per)
        bindings = net.bindings(per, name)
        for derived in derivation.error_terms.values():
            for depth in ("lecture", "rewrite"):
                lines = [line.latex for line in derived.lines(depth=depth, notation=name, form="index")]
                # The parts of a sum of two paths have names of their own: (δ)_1 is defined by its line.
                lines = [re.sub(r"^\{.*?\}_\d = ", "", line) if line.startswith("{") else line for line in lines]
                claims = r" \\ ".join(lines)
                wrong += [t for t in [told(claims, bindings)] if t]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", notations())
def test_single_weights_hold(name):
    net = network("squared")
    bindings = net.bindings("one", name)
    for weight, place in (("dense_1.W", (1, 3)), ("dense_2.W", (2, 4)), ("dense_1.b", (4,))):
        lines = net.one.weight(weight, *place, notation=name).lines()
        claim = check_claim(r" \\ ".join(line.latex for line in lines), bindings)
        assert claim.holds, claim


# --- the tests above can fail ---------------------------------------------------------------------------------------


PLANTED = {
    "orientation of the weights": ("ufldl", {"weight_index": "source first"}),
    "which layer a weight belongs to": ("ufldl", {"weight_of": "destination"}),
    "number of the input layer": ("larochelle", {"first": 0}),
    "pre-activation and activation exchanged": ("ufldl", {"pre": "a", "activation": "z"}),
    "samples in columns": ("nielsen", {"batch_samples": "columns"}),
    "bias folded into the weights": ("ng", {"bias_form": "separate"}),
    "whose letter the probability has": ("bishop", {"probability": "t", "target": "y", "output": ""}),
}


#: Entries of a batch have both indices below whether samples are rows or columns: in index form there is nothing to find.
ALIKE = ("samples in columns", "index")


@pytest.mark.parametrize(("planted", "form"), [case for case in itertools.product(PLANTED, FORMS) if case != ALIKE])
def test_a_formula_printed_in_another_convention_is_found(planted, form):
    name, change = PLANTED[planted]
    other = replace(notation(name), **change)
    kind = "softmax" if planted.startswith("whose") else "deep"
    net = network(kind)
    found = 0
    for per in PER:
        bindings = net.bindings(per, name)
        for formula in net.printed(per, other, form):
            try:
                found += not check_claim(formula, bindings).holds
            except ValueError:
                found += 1
    assert found >= 2


@pytest.mark.parametrize("layout", ["gradient", "numerator"])
def test_a_layout_read_as_another_is_found(layout):
    net = network("deep")
    other = "numerator" if layout == "gradient" else "gradient"
    bindings = net.bindings("one", "larochelle", other)
    assert any(not check_claim(f, bindings).holds for f in net.printed("one", "larochelle", "matrix", layout))


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        (r"\delta^{(2)} x^{\top}", r"x (\delta^{(2)})^{\top}", "shape error"),
        (r"\delta^{(2)} x^{\top}", r"\delta^{(2)} \circ x", "shape error"),
        (r"\delta^{(2)} x^{\top}", r"2 \delta^{(2)} x^{\top}", "difference"),
        (r"\delta^{(2)} x^{\top}", r"-\delta^{(2)} x^{\top}", "difference"),
        (r"\delta^{(2)} x^{\top}", r"\delta^{(3)} x^{\top}", "shape error"),
    ],
)
def test_a_wrong_gradient_is_found(right, wrong, kind):
    bindings = network("squared").bindings("one", "ufldl")
    assert check_claim(rf"\nabla_{{W^{{(1)}}}} L = {right}", bindings).holds
    claim = check_claim(rf"\nabla_{{W^{{(1)}}}} L = {wrong}", bindings)
    assert not claim.holds and claim.kind == kind


def test_a_shape_error_names_the_factors_and_both_shapes():
    bindings = network("squared").bindings("one", "ufldl")
    claim = check_claim(r"\delta^{(1)} = W^{(1)} \delta^{(2)}".replace(r"\delta^{(1)}", r"\delta^{(2)}"), bindings)
    assert claim.message == r"W^{(1)} \delta^{(2)}: 4×3 times 4"
