"""Pictures of networks: what is drawn is the network, and nothing lies on anything else."""

from __future__ import annotations

import dataclasses
import itertools
import xml.etree.ElementTree as ET

import pytest
import zoo

import symbackprop as sbp
from symbackprop.errors import DeclarationError
from symbackprop.present.notation import notations
from symbackprop.present.scene.anatomy import neuron_scene
from symbackprop.present.scene.boxes import crossings, overlaps
from symbackprop.present.scene.network import network_scene
from symbackprop.present.scene.svg import svg


def chain(*units, activation="sigmoid", loss="half_squared_error", inputs=3):
    return sbp.Sequential([sbp.Input(inputs), *(sbp.Dense(n, activation=activation) for n in units)], loss=loss).model(per="sample")


def residual():
    x = sbp.Input(6)
    h = sbp.Dense(6, activation="tanh")(x)
    side = sbp.Dense(3, activation="relu")(x)
    both = sbp.Concat()(sbp.Add()(x, h), side)
    return sbp.Network(inputs=x, outputs=sbp.Dense(4)(both), loss="softmax_cross_entropy").model(per="sample")


def joined(scene, role=None):
    return {(e.source, e.target) for e in scene.edges if role is None or e.role == role}


@pytest.mark.deck("D0.2", "P5")
@pytest.mark.parametrize("notation", notations())
def test_a_layered_network_joins_every_unit_with_every_unit_of_the_next_layer(notation):
    scene = network_scene(chain(4, 2), notation)
    drawn = joined(scene)
    for k, (before, after) in enumerate(itertools.pairwise((3, 4, 2))):
        units = [f"c{k}-{i}" for i in range(1, before + 1)]
        for source, i in itertools.product([*units, f"c{k}-bias"], range(1, after + 1)):
            assert (source, f"c{k + 1}-{i}") in drawn
    # (3 + 1)·4 + (4 + 1)·2 weights and biases, and an arrow out of each output.
    assert len(scene.edges) == 16 + 10 + 2
    assert overlaps(scene) == ()
    assert crossings(scene) == ()


@pytest.mark.deck("D0.2")
def test_labels_are_those_of_the_ufldl_picture():
    scene = network_scene(chain(3, 1))
    said = {n.id: n.label.plain for n in scene.nodes}
    assert [said[f"c0-{i}"] for i in (1, 2, 3)] == ["x_1", "x_2", "x_3"]
    assert said["c0-bias"] == said["c1-bias"] == "+1"
    assert [said[f"c1-{i}"] for i in (1, 2, 3)] == ["a_1^(2)", "a_2^(2)", "a_3^(2)"]
    assert said["out-c2-1"] == "h_{W,b}(x)"
    assert "c2-bias" not in said


def test_a_folded_bias_is_unit_zero_on_top():
    scene = network_scene(chain(3, 1), "ng")
    bias = {n.id: n for n in scene.nodes}
    assert [bias[i].label.plain for i in ("c0-bias", "c1-bias")] == ["x_0", "a_0^(2)"]
    assert bias["c0-bias"].y > bias["c0-1"].y


def test_a_layer_without_bias_has_no_bias_unit():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2, bias=False), sbp.Dense(1)])
    ids = {n.id for n in network_scene(net.model(per="sample")).nodes}
    assert "c0-bias" not in ids
    assert "c1-bias" in ids


def test_wide_layers_and_deep_networks_are_abbreviated():
    scene = network_scene(chain(*[100] * 9, "n_2", inputs=784))
    said = {n.id: n.label.plain for n in scene.nodes}
    assert [said[i] for i in ("c0-1", "c0-2", "c0-3", "c0-784")] == ["x_1", "x_2", "x_3", "x_784"]
    assert said["c0-dots3"] == "⋮"
    assert said["c10-last"] == "a_{n_2}^(11)"
    assert {i.split("-")[0] for i in said if i.startswith("c")} == {"c0", "c1", "c2", "c9", "c10", "columns"}
    assert overlaps(scene) == ()


def test_a_long_chain_of_boxes_is_abbreviated():
    scene = network_scene(chain(*[3] * 50), kind="boxes", loss=True)
    said = [n.label.plain for n in scene.nodes]
    assert said.count("linear → sigmoid") == 5
    assert said.count("⋯") == 1
    assert [w.label.plain for w in scene.words if w.label.plain.startswith("layer")] == [f"layer {k}" for k in (2, 3, 4, 50, 51)]
    assert {a for a, b in joined(scene) if b == "dots"} == {"box2"}
    assert overlaps(scene) == crossings(scene) == ()


def test_activations_as_layers_of_their_own_read_what_they_read():
    """An elementwise function reads one unit, softmax reads all."""
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="tanh"), sbp.Dense(2, activation="softmax")])
    drawn = joined(network_scene(net.model(per="sample"), "tuwien", activation_layer="own"))
    assert {e for e in drawn if e[1].startswith("c2")} == {(f"c1-{i}", f"c2-{i}") for i in (1, 2, 3)}
    assert {e for e in drawn if e[1].startswith("c4")} == {(f"c3-{i}", f"c4-{j}") for i in (1, 2) for j in (1, 2)}


@pytest.mark.deck("D3.4", "P6")
def test_boxes_in_both_views():
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="mse")
    model = net.model(per="sample")
    same, own = (network_scene(model, "tuwien", "boxes", activation_layer=v) for v in ("same", "own"))
    boxes = [[n.label.plain for n in s.nodes if n.shape == "rounded" and n.role == "hidden"] for s in (same, own)]
    assert boxes == [["linear → tanh", "linear"], ["linear", "tanh", "linear"]]
    said = [[w.label.plain for w in s.words if w.label.plain.startswith("layer")] for s in (same, own)]
    # The number of layers is what the two views differ in.
    assert said == [["layer 1", "layer 2"], ["layer 1", "layer 2", "layer 3"]]
    assert overlaps(same) == overlaps(own) == ()


@pytest.mark.parametrize("notation", notations())
@pytest.mark.parametrize("loss", [False, True])
def test_any_wiring_is_drawn_as_boxes(notation, loss):
    scene = network_scene(residual(), notation, loss=loss)
    drawn = joined(scene)
    ids = {n.label.plain: n.id for n in scene.nodes}
    assert {a for a, b in drawn if b == ids["+"]} == {"in0", ids["linear → tanh"]}
    assert {a for a, b in drawn if b == ids["concat"]} == {ids["+"], ids["linear → relu"]}
    assert ("loss" in {n.id for n in scene.nodes}) == loss
    assert overlaps(scene) == ()
    assert crossings(scene) == ()


@pytest.mark.deck("D4.14", "D4.15", "P9")
def test_all_ways_from_a_weight_to_the_loss_stand_out():
    """w_13 leads from unit 3 of its layer to unit 1 of the next; from there every way counts, and no other edge."""
    scene = network_scene(chain(3, 3, 2), "ng", highlight="dense_2.W[1,3]")
    loud = joined(scene, "highlight")
    assert loud == {("c1-3", "c2-1"), ("c2-1", "c3-1"), ("c2-1", "c3-2"), ("c3-1", "loss"), ("c3-2", "loss")}
    errors = [w.label.plain for w in scene.words if w.role == "gradient"]
    assert errors == ["δ_1^(3)", "δ_1^(4)", "δ_2^(4)"]
    weight = [m.label.plain for e in scene.edges for m in e.marks]
    assert weight == ["w_13^(2)"]
    assert {e.role for e in scene.edges} == {"highlight", "muted"}
    assert overlaps(scene) == ()


@pytest.mark.deck("E1", "P9")
def test_indices_count_as_they_are_printed():
    """Where i is the source in W_ij, W_13 leads from unit 1 to unit 3; where biases are column 0, w_20 comes from unit 0."""
    turned = dataclasses.replace(sbp.notation("ufldl"), weight_index="source first")
    scene = network_scene(chain(3, 3, 1), turned, highlight="dense_2.W[1,3]")
    assert {(e.source, e.target): [m.label.plain for m in e.marks] for e in scene.edges if e.marks} == {("c1-1", "c2-3"): ["W_13^(2)"]}
    scene = network_scene(chain(3, 3, 1), "ng", highlight="dense_2.W[2,0]")
    assert {(e.source, e.target): [m.label.plain for m in e.marks] for e in scene.edges if e.marks} == {("c1-bias", "c2-2"): ["w_20^(2)"]}
    with pytest.raises(DeclarationError, match="counts from 1"):
        network_scene(chain(3, 3, 1), "ufldl", highlight="dense_2.W[2,0]")


@pytest.mark.deck("D4.15", "P9")
def test_the_chain_rule_of_the_weight_stands_below():
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(3, activation="sigmoid"), sbp.Dense(1)], loss="half_squared_error")
    scene = net.scene("ng", highlight="dense_1.W[3,2]", frames=True)
    (note,) = [w for w in scene.words if "=" in w.label.plain]
    assert note.label.plain.startswith("∂E/∂w_32^(1) = ")
    assert note.label.plain.endswith("= δ_3^(2) x_2")
    assert note.step == scene.last_step
    assert overlaps(scene) == ()
    assert not [w for w in net.scene("ng", highlight="dense_1.z[3]").words if "=" in w.label.plain]


@pytest.mark.parametrize("seed", [2, 5, 11, 20, 24, 31, 36])
def test_random_wirings_keep_apart(seed):
    """Sums of one value with itself, branches that meet late, several inputs: no label on a label, no edge through a box."""
    model = zoo.case(seed).net.model(per="sample")
    for loss, view in itertools.product((False, True), ("same", "own")):
        scene = network_scene(model, kind="boxes", loss=loss, activation_layer=view)
        assert overlaps(scene) == ()
        assert crossings(scene) == ()


@pytest.mark.deck("P9")
@pytest.mark.parametrize("notation", notations())
def test_error_terms_of_every_notation_have_room(notation):
    scene = network_scene(chain(3, 3, 2), notation, highlight="dense_1.z[2]", frames=True)
    assert len([w for w in scene.words if w.role == "gradient"]) == 1 + 3 + 2
    assert overlaps(scene) == ()


@pytest.mark.deck("P9")
@pytest.mark.parametrize("what", ["dense_1.z[2]", "delta.dense_1[2]", "dense_1.a[2]"])
def test_all_ways_from_an_error_term_stand_out(what):
    scene = network_scene(chain(3, 2), highlight=what)
    assert joined(scene, "highlight") == {("c1-2", "c2-1"), ("c1-2", "c2-2"), ("c2-1", "loss"), ("c2-2", "loss")}


def test_frames_go_from_the_output_back():
    scene = network_scene(chain(3, 3, 1), highlight="dense_1.W[2,1]", frames=True)
    assert scene.last_step == 4
    first = {(e.source, e.target): e.step for e in scene.edges if e.role == "highlight"}
    assert first["c3-1", "loss"] == 1
    assert first["c2-1", "c3-1"] == 2
    assert first["c0-1", "c1-2"] == scene.last_step
    # The quiet network is there from the start.
    assert joined(scene.frame(0)) == joined(scene)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "circles"}, "kind must be one of"),
        ({"activation_layer": "none"}, "activation_layer must be one of"),
        ({"highlight": "dense_1.W"}, "must read like"),
        ({"highlight": "dense_9.W[1,1]"}, "did you mean"),
        ({"highlight": "dense_1.W[4,1]"}, "the layer has 3 units"),
        ({"highlight": "dense_1.W[0,1]"}, "counts from 1"),
        ({"highlight": "dense_1.b[1,1]"}, "takes one index"),
        ({"highlight": "dense_1.W[1,1]", "kind": "boxes"}, "are for kind='neurons'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, said):
    with pytest.raises(DeclarationError, match=said.replace("(", r"\(")):
        network_scene(chain(3, 1), **options)


def test_neurons_of_a_wiring_that_is_no_chain_are_refused():
    with pytest.raises(DeclarationError, match="draw kind='boxes'"):
        network_scene(residual(), kind="neurons")


@pytest.mark.deck("D4.2", "D4.4")
def test_numbers_on_the_edges_are_those_given():
    """XNOR with the weights of the deck; each number lies on its own edge and on no other."""
    values = {"dense_1.W": [[20, 20], [-20, -20]], "dense_1.b": [-30, 10], "dense_2.W": [[20, 20]], "dense_2.b": [-10]}
    scene = network_scene(chain(2, 1, inputs=2, loss=None), values=values)
    said = {(e.source, e.target): float(m.label.latex) for e in scene.edges for m in e.marks}
    for k in (1, 2):
        for i, row in enumerate(values[f"dense_{k}.W"], 1):
            assert said[f"c{k - 1}-bias", f"c{k}-{i}"] == values[f"dense_{k}.b"][i - 1]
            assert [said[f"c{k - 1}-{j}", f"c{k}-{i}"] for j in (1, 2)] == row
    assert overlaps(scene) == ()
    assert crossings(scene) == ()


@pytest.mark.deck("D2.19", "D4.1", "P10")
@pytest.mark.parametrize("notation", notations())
@pytest.mark.parametrize("style", ["units", "cell"])
def test_the_anatomy_of_a_neuron(notation, style):
    scene = neuron_scene(chain(1), notation, style=style)
    weights = [m.label.plain for e in scene.edges if e.target == "sum" for m in e.marks]
    letters = ["w_0", "w_1", "w_2", "w_3"] if sbp.notation(notation).folded else ["w_1", "w_2", "w_3", "b"]
    # Vectors may be bold in a notation, entries are not told apart here.
    assert [w[-1] for w in weights] == [w[-1] for w in letters]
    assert len([e for e in scene.edges if e.target == "sum"]) == 4
    assert next(n for n in scene.nodes if n.id == "activation").label.plain == "σ"
    assert overlaps(scene) == ()


def test_only_a_single_neuron_has_an_anatomy():
    with pytest.raises(DeclarationError, match="one Dense layer with one unit"):
        neuron_scene(chain(2))
    with pytest.raises(DeclarationError, match="style must be one of"):
        neuron_scene(chain(1), style="brain")


def test_every_picture_is_an_svg_that_parses():
    for scene in (network_scene(chain(4, 2)), network_scene(residual(), loss=True), neuron_scene(chain(1))):
        root = ET.fromstring(svg(scene))
        assert root.tag.endswith("svg")
        assert root.get("role") == "img"


def test_same_network_same_picture():
    assert network_scene(residual()) == network_scene(residual())
