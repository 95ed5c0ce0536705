"""The decks' computational graphs: circuits as written, gradients edge by edge and path by path, and their pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
import sympy

import symbackprop as sbp
from symbackprop.present.rounding import Rounding
from symbackprop.present.scene import boxes
from symbackprop.present.scene.circuit import circuit_scene
from symbackprop.present.scene.gate import gate_scene, system_scene
from symbackprop.present.scene.records import Scene
from symbackprop.present.scene.svg import svg
from symbackprop.public.graph import GraphRun, derivative_table

NEURON = "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
TWO = Rounding(decimals=2)


def neuron(row: dict[str, Any], **options: Any) -> GraphRun:
    w, x = row["w"], row["x"]
    return sbp.Graph("f", NEURON, **options).backward(w0=w[0], w1=w[1], w2=w[2], x0=x[0], x1=x[1])


def sum_of_branches() -> GraphRun:
    return sbp.Graph("e", "c = a + b; d = b + 1; e = c*d").backward(a=2, b=1)


def clear(scene: Scene) -> bool:
    """No two labels or nodes touch, no edge runs through one, and the SVG is well-formed."""
    assert boxes.overlaps(scene) == ()
    assert boxes.crossings(scene) == ()
    ET.fromstring(svg(scene))
    return True


def printed(scene: Scene, role: str) -> list[str]:
    return [m.label.plain for e in scene.edges for m in e.marks if m.role == role]


@pytest.mark.deck("D2.6", "D4.7", "P1")
def test_sum_times_z(numbers):
    row = numbers["D2.6"]
    g = sbp.Graph("f", "(x + y) * z")
    r = g.backward(x=row["x"], y=row["y"], z=row["z"])
    assert (r.values["q1"], r.values["f"]) == (row["q"], row["f"])
    assert {n: r.gradients[n] for n in "xyz"} == {n: row["grad"][n] for n in "xyz"}
    assert r.gradients["q1"] == row["grad"]["q"]
    assert [str(g.local("q1", n)) for n in "xy"] == ["∂q1/∂x = 1", "∂q1/∂y = 1"]
    assert [str(g.local("f", n)) for n in ("q1", "z")] == ["∂f/∂q1 = z", "∂f/∂z = q1"]
    scene = r.scene()
    assert clear(scene)
    # Values above the edges, gradients below.
    sides = {(m.role, m.side) for e in scene.edges for m in e.marks}
    assert sides == {("value", "above"), ("gradient", "below")}
    assert sorted(printed(scene, "value")) == sorted(["-2", "5", "-4", "3", "-12"])
    assert sorted(printed(scene, "gradient")) == sorted(["-4", "-4", "3", "-4", "1"])


@pytest.mark.deck("D2.7", "P3")
def test_gate_in_general():
    scene = gate_scene(("x", "y"), "z", "f", "L")
    assert clear(scene)
    assert [w.label.plain for w in scene.words] == ["∂z/∂x", "∂z/∂y"]
    assert printed(scene, "gradient") == ["∂L/∂x = ∂L/∂z · ∂z/∂x", "∂L/∂y = ∂L/∂z · ∂z/∂y", "∂L/∂z"]
    # Forward first, then the upstream gradient, then what is sent on.
    assert scene.last_step == 2
    assert printed(scene.frame(0), "gradient") == [] and printed(scene.frame(1), "gradient") == ["∂L/∂z"]


@pytest.mark.deck("D2.8", "D4.8", "P1")
def test_sigmoid_neuron_gate_by_gate(numbers, same):
    row = numbers["D2.8"]
    r = neuron(row)
    gates = [g.name for g in r.graph.circuit.gates]
    # The lecture's circuit has eight gates, in its order; q1 and q2 are the products.
    same([r.values[n] for n in gates], list(row["forward"].values()))
    assert [round(r.values[n], 4) for n in gates] == [-2, 6, 4, 1, -1, 0.3679, 1.3679, 0.7311]
    names = dict(zip(row["forward"], gates, strict=True))
    same([r.gradients[names[n]] for n in row["backward"]], list(row["backward"].values()))
    same([r.gradients[n] for n in row["grad"]], list(row["grad"].values()))
    scene = r.scene(rounding=TWO)
    assert clear(scene)
    expected = row["printed_2_decimals"]
    assert {TWO.text(v) for v in expected["forward"]} <= set(printed(scene, "value"))
    assert {TWO.text(v) for v in expected["backward"] + expected["grad_w0_x0_w1_x1_w2"]} <= set(printed(scene, "gradient"))


def cells(table: Any) -> list[list[str]]:
    return [["".join(part if isinstance(part, str) else part.latex for part in cell) for cell in row] for row in table.rows]


@pytest.mark.deck("D2.9")
def test_table_of_gates_with_a_constant():
    assert cells(derivative_table(["c + x", "exp(x)", "a*x", "1/x"], wrt="x")) == [
        ["c + x", r"\frac{\partial f}{\partial x} = 1"],
        ["e^{x}", r"\frac{\partial f}{\partial x} = e^{x}"],
        ["a x", r"\frac{\partial f}{\partial x} = a"],
        [r"\frac{1}{x}", r"\frac{\partial f}{\partial x} = -\frac{1}{x^2}"],
    ]


@pytest.mark.deck("D3.13", "E27")
def test_table_of_gates_with_two_inputs():
    table = cells(derivative_table(["x1 + x2", "x1*x2", "tanh(x)", "exp(x)", "log(x)", "x1/x2"]))
    one, two, only = (rf"\frac{{\partial f}}{{\partial {x}}}" for x in ("x_1", "x_2", "x"))
    assert [row[1] for row in table] == [
        f"{one} = 1, {two} = 1",  # the deck prints a single 1
        f"{one} = x_2, {two} = x_1",
        rf"{only} = 1 - \tanh(x)^2",
        f"{only} = e^{{x}}",
        rf"{only} = \frac{{1}}{{x}}",
        rf"{one} = \frac{{1}}{{x_2}}, {two} = -\frac{{x_1}}{{x_2^2}}",
    ]


@pytest.mark.deck("D2.10", "D4.9", "E19")
def test_products_are_of_exact_numbers_never_of_printed_ones(numbers, same):
    r = neuron(numbers["D2.8"])
    step = next(s for s in r.steps if s.consumer == "f")
    same(step.product, numbers["D2.10"]["exact"])
    # From the rounded 1.37 it would be another number, which only happens to print the same.
    same(-1 / 1.37**2, numbers["D2.10"]["from_rounded_1_37"])
    chain = next(s for s in r.steps if s.node == "q5")
    same(chain.product, numbers["D4.9"]["exact"])
    assert TWO.text(chain.product) == "-0.20"
    assert TWO.text(numbers["D4.9"]["from_rounded_minus_0_53"]) == "-0.19"


@pytest.mark.deck("D2.11", "E15", "E16")
def test_fused_sigmoid_is_one_gate(numbers, same):
    row = numbers["D2.11"]
    written = sbp.Graph("f", "sigmoid(x)")
    found = sbp.Graph("f", "1/(1 + exp(-x))", fuse="sigmoid")
    for g in (written, found):
        assert len(g.circuit.gates) == 1
        assert str(g.gradients["x"]) == "∂f/∂x = f (1 - f)"
        r = g.backward(x=row["x"])
        same(r.values["f"], row["sigma"])
        same(r.gradients["x"], row["dsigma"])
    # What the deck prints: e^x for e^-x in the denominator, and a quotient for the product.
    wrong = sbp.Graph("f", "exp(-x)/(1 + exp(x))**2").forward(x=row["x"])["f"]
    same(wrong, row["E15_printed"])
    assert abs(wrong - row["dsigma"]) > 0.1
    same(sbp.Graph("f", "a/(1 - a)").forward(a=0.73)["f"], row["E16_printed_quotient"])
    same(sbp.Graph("f", "a*(1 - a)").forward(a=0.73)["f"], row["E16_right_product"])


@pytest.mark.deck("D2.12", "E28", "P4")
def test_patterns_of_gates_are_read_off_their_local_gradients():
    g = sbp.Graph("f", "(x*y + max(z, x)) * 2")
    assert g.patterns == {"q1": "switches", "q2": "routes", "q3": "distributes", "f": "scales"}
    r = g.backward(x=3, y=-4, z=2)
    assert {n: r.gradients[n] for n in "xyz"} == {"x": -8 + 2, "y": 6, "z": 0}
    scene = r.scene(patterns=True)
    assert clear(scene)
    words = [w.label.plain for w in scene.words]
    assert {"switches", "routes", "distributes", "scales", "branches add", "(-8) + 2 = -6"} == set(words)
    # Not by name: what is written otherwise but acts alike has the same pattern, and a quotient has none of them.
    same_actions = sbp.Graph("f", "p = a - b; q = -p; r = a/b; f = q*r")
    assert same_actions.patterns == {"p": "", "q": "scales", "r": "", "f": "switches"}
    assert sbp.Graph("f", "a + b + c", fuse="statements").patterns == {"f": "distributes"}
    assert sbp.Graph("f", "a*b*c", fuse="statements").patterns == {"f": "switches"}
    assert sbp.Graph("f", "max(min(a, b), 0)").patterns == {"q1": "routes", "f": "routes"}


@pytest.mark.deck("E28")
def test_a_tie_goes_to_the_first_and_a_constant_keeps_it():
    for text, got in (("max(x, y)", (1, 0)), ("max(y, x)", (0, 1)), ("min(x, y)", (1, 0))):
        r = sbp.Graph("f", text).backward(x=3, y=3)
        assert (r.gradients["x"], r.gradients["y"]) == got, text
    assert sbp.Graph("f", "max(a, b, c)").backward(a=1, b=1, c=1).gradients == {"a": 1, "b": 0, "c": 0, "f": 1}
    assert sbp.Graph("f", "max(0, x)").backward(x=0).gradients["x"] == 0
    assert str(sbp.Graph("f", "max(x, y)").local("f", "x")) == "∂f/∂x = [x ≥ y]"


@pytest.mark.deck("D2.5", "P8")
def test_loss_as_a_graph_of_boxes():
    n, m = sbp.sizes("n m")
    i, j, k = sbp.indices("i j k", m, n, m)
    w, x, s, hinge, r, loss = (
        sbp.tensor("W", i, j),
        sbp.tensor("x", j),
        sbp.tensor("s", i),
        sbp.tensor("hinge"),
        sbp.tensor("R"),
        sbp.tensor("L"),
    )
    y = sbp.tensor("y", integer=True)
    system = sbp.System(
        [
            sbp.Equation(s[i], sbp.Sum(w[i, j] * x[j], j)),
            sbp.Equation(hinge[()], sbp.Sum(sympy.Max(0, s[k] - s[y[()]] + 1), k) - 1),
            sbp.Equation(r[()], sbp.Sum(w[i, j] ** 2, i, j)),
            sbp.Equation(loss[()], hinge[()] + r[()]),
        ]
    )
    scene = system_scene(system)
    assert clear(scene)
    label = {node.id: node.label.plain for node in scene.nodes}
    assert sorted(label.values()) == sorted(["W", "x", "y", "×", "hinge", "R", "+", "L"])
    read = {(label[e.source], label[e.target]) for e in scene.edges}
    assert read == {("W", "×"), ("x", "×"), ("×", "hinge"), ("y", "hinge"), ("W", "R"), ("hinge", "+"), ("R", "+"), ("+", "L")}


@pytest.mark.deck("D2.17", "D3.16")
def test_backward_multiplies_upstream_by_local_when_all_consumers_are_done(numbers):
    r = neuron(numbers["D2.8"])
    g = r.graph
    received = {n: len(g.node(n).consumers) for n in g.nodes}
    arrived = dict.fromkeys(g.nodes, 0)
    total = dict.fromkeys(g.nodes, 0.0) | {"f": 1.0}
    for s in r.steps:
        assert arrived[s.consumer] == received[s.consumer], "a gate sends before all of its consumers have"
        assert s.upstream == r.gradients[s.consumer]
        assert s.product == s.local * s.upstream
        total[s.node] += s.product
        assert s.sum == total[s.node]
        arrived[s.node] += 1
    assert total == r.gradients


@pytest.mark.deck("E18")
def test_words_of_the_interface_are_inputs_and_consumers():
    g = sum_of_branches().graph
    assert g.node("c").inputs == ("a", "b") and g.node("c").consumers == ("e",)
    assert g.node("b").inputs == () and g.node("b").consumers == ("c", "d")
    assert not {"parents", "children"} & set(dir(g.node("c")))


@pytest.mark.deck("D3.1")
def test_a_graph_is_acyclic_and_layered():
    with pytest.raises(sbp.DeclarationError, match="no cycles"):
        sbp.Graph("f", "a = b*x; b = a + 1; f = a*b")
    with pytest.raises(sbp.DeclarationError, match="no cycles"):
        sbp.Graph("f", "h = h + x; f = h*2")
    scene = sum_of_branches().scene()
    place = {n.id: n.x for n in scene.nodes}
    assert all(place[e.source] < place[e.target] for e in scene.edges)


@pytest.mark.deck("D3.2", "D3.8")
def test_a_shared_part_receives_the_sum():
    """w = f(g1(h1(x), h2(x)), g2(h2(x), h3(x))): h2 is read twice; each term is the chain rule F′(x) = f′(g(x)) g′(x)."""
    text = "h1 = x**2; h2 = exp(x); h3 = x + 1; g1 = h1*h2; g2 = h2*h3; w = g1 + g2"
    g = sbp.Graph("w", text)
    r = g.backward(x=0.5)
    x = sympy.Symbol("x")
    slope = sympy.diff(x**2 * sympy.exp(x) + sympy.exp(x) * (x + 1), x).subs(x, sympy.Rational(1, 2))
    assert r.gradients["x"] == pytest.approx(float(slope), rel=1e-14)
    assert g.node("h2").consumers == ("g1", "g2")
    assert r.gradients["h2"] == r.values["h1"] + r.values["h3"]
    assert len(r.paths("x")) == 4


@pytest.mark.deck("D3.9", "D3.10", "D3.11", "P2")
def test_paths_and_their_sum(numbers):
    r = sum_of_branches()
    assert dict(r.values) == numbers["D3.9"]
    for name, slope in numbers["D3.10"].items():
        top, bottom = name.split("_")
        assert next(s.local for s in r.steps if (s.consumer, s.node) == (top, bottom)) == slope
    for of in ("a", "b"):
        row = numbers["D3.11"]
        assert r.gradients[of] == row[f"e_{of}"]
        assert [("-".join(names), product) for names, product in r.paths(of)] == [
            (p["path"], p["product"]) for p in row["paths"][f"e_{of}"]
        ]
    assert str(r.graph.gradients["c"]) == "∂e/∂c = d" and str(r.graph.gradients["d"]) == "∂e/∂d = c"
    assert r.graph.gradients["b"].latex() == r"\frac{\partial e}{\partial b} = c + d"
    assert clear(r.scene())
    local = r.scene(local=True)
    assert clear(local)
    assert set(printed(local, "local")) == {"∂c/∂a = 1", "∂c/∂b = 1", "∂d/∂b = 1", "∂e/∂c = 2", "∂e/∂d = 3"}
    lines = [line.latex for line in r.lines("b")]
    assert lines[1:] == [r"= 1 \cdot 2 + 1 \cdot 3", "= 5"]
    assert r.path_lines("b")[-1].latex == r"\frac{\partial e}{\partial b} = 2 + 3 = 5"


@pytest.mark.deck("D3.14", "P7")
def test_linear_classifier_with_softmax_and_cross_entropy(numbers, same):
    row = numbers["D3.14"]
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="softmax_cross_entropy", name="classifier")
    g = sbp.Graph.of(net, example=({"dense_1.W": row["W"], "dense_1.b": row["b"]}, row["x"], row["class_index"]))
    r = g.backward()
    same([r.values["z_1"], r.values["z_2"]], row["w"])
    same([r.values["p_1"], r.values["p_2"]], row["p"])
    same(r.values["L"], row["H"])
    same([[r.gradients[f"W_{i}{j}"] for j in (1, 2)] for i in (1, 2)], row["dW"])
    same([r.gradients["b_1"], r.gradients["b_2"]], row["db"])
    same([r.gradients["x_1"], r.gradients["x_2"]], row["dx"])
    # One exponential for each score: it branches into the sum and the quotient.
    assert sum(gate.operation == "exp" for gate in g.circuit.gates) == 2
    assert clear(r.scene())
    # The lecture's first picture is the classifier alone.
    i, j = sbp.indices("i j", 2, 2)
    w, x, b, z, s = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("b", i), sbp.tensor("w", i), sbp.tensor("s")
    alone = sbp.System([sbp.Equation(z[i], sbp.Sum(w[i, j] * x[j], j) + b[i]), sbp.Equation(s[()], sbp.Sum(z[i], i))])
    assert clear(sbp.Graph.of(alone).scene())


def dense_layers(width: int, layers: int) -> sbp.Graph:
    """Every node of a layer reads every node of the one below; the last layer is added up."""
    statements = [f"h{k}_{i} = {' + '.join(f'h{k - 1}_{j}' for j in range(width))}" for k in range(1, layers + 1) for i in range(width)]
    return sbp.Graph("f", "; ".join([*statements, f"f = {' + '.join(f'h{layers}_{j}' for j in range(width))}"]), fuse="statements")


@pytest.mark.deck("D3.15")
def test_paths_are_exponential_edges_are_not(numbers):
    for row in numbers["D3.15"]:
        n, k = row["width"], row["layers"]
        g = dense_layers(n, k)
        r = g.backward({name: 1.0 for name in g.inputs})
        # The last n edges only add the outputs up.
        assert g.edges - n == row["edges"]
        assert g.count_paths("h0_0") == row["paths"]
        assert r.gradients["h0_0"] == row["paths"], "each path has the product 1"
        assert r.edges_touched == len(r.steps) == g.edges
        assert len({(s.consumer, s.position) for s in r.steps}) == g.edges, "an edge was used twice"
        if row["paths"] <= 1000:
            assert len(r.paths("h0_0")) == row["paths"]
        else:
            with pytest.raises(sbp.DerivationError, match=f"{row['paths']:,} paths"):
                r.paths("h0_0")
            first, second = (path for _, path in zip(range(2), g.walk_paths("h0_0"), strict=False))
            assert first != second


@pytest.mark.deck("D3.18", "D4.8", "P15")
def test_one_frame_for_each_step_of_the_backward_pass(numbers, tmp_path):
    for r in (sum_of_branches(), neuron(numbers["D2.8"]), neuron(numbers["D2.8"], fuse="sigmoid")):
        scene = r.scene(rounding=TWO)
        assert clear(scene)
        shown = [len(printed(scene.frame(k), "gradient")) for k in range(scene.last_step + 1)]
        # Frame 0 is the forward pass, frame 1 the gradient 1 of the output, then one edge more on each.
        assert shown == list(range(len(r.steps) + 2))
        assert all(len(printed(scene.frame(k), "value")) == len(r.steps) + 1 for k in range(scene.last_step + 1))
    files = sum_of_branches().draw(tmp_path / "frame.svg", frames=True)
    sizes = {re.search(r'viewBox="([^"]*)"', f.read_text(encoding="utf-8"))[1] for f in files}
    assert len(files) == 7 and len(sizes) == 1


@pytest.mark.deck("D4.8")
def test_the_forward_pass_is_one_gate_after_another(numbers):
    """Fifteen slides of the deck build the picture up: its parts come in the order in which they are computed."""
    r = neuron(numbers["D2.8"])
    order = {n: k for k, n in enumerate(r.graph.nodes)}
    assert all(order[a] < order[g.name] for g in r.graph.circuit.gates for a in g.inputs)
    assert [g.operation for g in r.graph.circuit.gates] == ["*", "*", "+", "+", "neg", "exp", "+", "/"]
    assert circuit_scene(r.graph.circuit).last_step == 0
    scene = r.scene(bare=True)
    assert printed(scene.frame(0), "value") == [] and len(printed(scene.frame(1), "value")) == 13
    # The bare circuit, the values, the gradient 1 of the output, and twelve edges.
    assert scene.last_step + 1 == 15


def test_a_step_adds_one_label_and_takes_none_away(numbers):
    scene = neuron(numbers["D2.8"]).scene()
    for k, after in pairwise(range(scene.last_step + 1)):
        early, late = boxes.label_boxes(scene.frame(k)), boxes.label_boxes(scene.frame(after))
        assert set(early) < set(late)


@pytest.mark.deck("D3.11", "P2")
def test_paths_are_listed_below_the_picture():
    r = sum_of_branches()
    scene = r.scene(local=True, paths="b")
    assert clear(scene)
    assert [w.label.plain for w in scene.words][-3:] == ["b → c → e:  1 · 2 = 2", "b → d → e:  1 · 3 = 3", "∂e/∂b = 2 + 3 = 5"]
    # They come one by one.
    assert scene.last_step == 3
