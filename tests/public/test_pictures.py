"""Pictures that need numbers: what is drawn equals what is known by other means."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from scipy import signal

import symbackprop as sbp
from symbackprop.declare.activations import ACTIVATIONS
from symbackprop.errors import DataError, DeclarationError, ShapeError
from symbackprop.present.scene.boxes import crossings, overlaps
from symbackprop.present.scene.plot import pgfplots
from symbackprop.present.scene.svg import svg
from symbackprop.public.pictures import (
    activation_chart,
    activation_charts,
    convolution_scene,
    convolve,
    decision_chart,
    descent,
    descent_chart,
    landscape_chart,
    loss_landscape_chart,
    training_charts,
)

IMPULSE = np.zeros((5, 5))
IMPULSE[2, 2] = 1
MASK = np.arange(1.0, 10.0).reshape(3, 3)
PREWITT = np.array([[1, 0, -1]] * 3)

# --- convolution ----------------------------------------------------------------------------------------------------------


@pytest.mark.deck("D2.21", "P14")
@pytest.mark.parametrize("shape", [((5, 5), (3, 3)), ((4, 7), (3, 5)), ((3, 2), (1, 3)), ((1, 1), (5, 5))])
@pytest.mark.parametrize("kind", ["convolution", "correlation"])
def test_convolutions_equal_those_of_scipy(shape, kind, seed):
    rng = np.random.default_rng(seed)
    image, mask = (rng.normal(size=s) for s in shape)
    other = {"convolution": signal.convolve2d, "correlation": signal.correlate2d}[kind]
    made = convolve(image, mask, kind)
    # Sums of at most 25 products in another order: a few roundings.
    np.testing.assert_allclose(made["full"], other(image, mask, "full"), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(made["cropped"], other(image, mask, "same"), rtol=1e-13, atol=1e-13)
    h, k = ((n - 1) // 2 for n in mask.shape)
    np.testing.assert_array_equal(made["padded"], np.pad(image, ((2 * h,) * 2, (2 * k,) * 2)))
    np.testing.assert_array_equal(made["result"], np.pad(made["full"], ((h,) * 2, (k,) * 2)))


@pytest.mark.deck("D2.21", "E17")
def test_an_impulse_gives_the_mask_or_its_mirror_image():
    """The 1 stands at (5, 5) of a 9 × 9 frame, and the result in rows 4 to 6."""
    true, cross = convolve(IMPULSE, MASK), convolve(IMPULSE, MASK, "correlation")
    assert true["padded"].shape == true["result"].shape == (9, 9)
    assert np.argwhere(true["padded"]).tolist() == [[4, 4]]
    assert sorted(set(np.argwhere(true["result"])[:, 0] + 1)) == [4, 5, 6]
    assert true["full"].shape == (7, 7)
    assert true["cropped"][1:4, 1:4].tolist() == MASK.tolist()
    assert cross["cropped"][1:4, 1:4].tolist() == MASK[::-1, ::-1].tolist()


@pytest.mark.deck("D2.22")
def test_for_an_antisymmetric_mask_convolution_and_correlation_differ_in_sign_only(seed):
    image = np.random.default_rng(seed).normal(size=(6, 6))
    # The same nine products in another order.
    np.testing.assert_allclose(convolve(image, PREWITT)["full"], -convolve(image, PREWITT, "correlation")["full"], rtol=1e-13, atol=1e-14)


@pytest.mark.deck("P14")
@pytest.mark.parametrize("kind", ["convolution", "correlation"])
def test_the_grids_show_the_engines_numbers(kind, seed):
    image = np.round(np.random.default_rng(seed).normal(size=(4, 4)), 2)
    scene = convolution_scene(image, PREWITT, kind)
    made = {"image": image, "mask": PREWITT, **convolve(image, PREWITT, kind)}
    for name in ("image", "mask", "padded", "result", "cropped"):
        cells = {n.id: n for n in scene.nodes if n.id.startswith(f"{name}-")}
        assert len(cells) == made[name].size
        for (r, c), value in np.ndenumerate(made[name]):
            # Three digits are printed, in both ways of writing.
            label = cells[f"{name}-{r}-{c}"].label
            assert float(label.latex) == float(label.plain.replace("−", "-")) == pytest.approx(value, rel=5.1e-3, abs=1e-12)
    assert scene.last_step == 3
    assert overlaps(scene) == ()
    assert ET.fromstring(svg(scene)).tag.endswith("svg")


@pytest.mark.parametrize(
    ("image", "mask", "kind", "error"),
    [
        (IMPULSE, MASK, "blur", DeclarationError),
        (IMPULSE, [[1, 2]], "convolution", ShapeError),
        ([1, 2], MASK, "convolution", ShapeError),
        (IMPULSE, [[math.inf]], "convolution", DataError),
        (IMPULSE, [["a"]], "convolution", DataError),
    ],
)
def test_what_is_no_convolution_is_refused(image, mask, kind, error):
    with pytest.raises(error):
        convolve(image, mask, kind)


# --- activations ----------------------------------------------------------------------------------------------------------


@pytest.mark.deck("D2.20", "D4.6", "P11")
@pytest.mark.parametrize("name", [n for n, entry in ACTIVATIONS.items() if entry.expression is not None])
def test_the_drawn_slope_is_that_of_the_drawn_curve(name):
    """Central differences of the curve between neighbouring points, away from its kinks, against the derived slope there."""
    chart = activation_chart(name, points=1601)
    z, f, slope = (np.array(v) for v in (chart.curves[0].x, chart.curves[0].y, chart.curves[1].y))
    step = 8 / 1600
    for k in range(1, len(z) - 1):
        even = math.isclose(z[k + 1] - z[k], step, rel_tol=1e-3) and math.isclose(z[k] - z[k - 1], step, rel_tol=1e-3)
        # At 0 the second derivative of celu and softsign jumps, and differences are of first order only.
        if even and not any(abs(z[k] - kink) < 2 * step for kink in (0, *ACTIVATIONS[name].kinks)):
            # h²/6 · |f'''|, and f''' is at most exp(4) ≈ 55 here.
            assert (f[k + 1] - f[k - 1]) / (z[k + 1] - z[k - 1]) == pytest.approx(slope[k], abs=3e-4)


@pytest.mark.deck("D2.20", "P11")
def test_kinks_are_shown_as_jumps_with_the_value_that_is_used():
    chart = activation_chart("relu")
    value, slope, dot = chart.curves
    at = slope.x.index(0.0)
    assert math.isnan(slope.y[at])
    assert (slope.y[at - 1], slope.y[at + 1]) == (0.0, 1.0)
    assert (dot.kind, dot.x, dot.y) == ("points", (0.0,), (0.0,))
    assert not any(map(math.isnan, value.y))
    assert len(activation_chart("sigmoid").curves) == 2
    assert [len(c.x) for c in activation_chart("hard_sigmoid").curves[2:]] == [2]


def test_every_activation_of_one_number_has_a_chart():
    assert set(activation_charts()) == set(ACTIVATIONS) - {"softmax", "log_softmax"}
    with pytest.raises(DeclarationError, match="no function of one number"):
        activation_chart("softmax")
    with pytest.raises(DeclarationError, match="did you mean"):
        activation_chart("sigmod")
    with pytest.raises(DeclarationError, match="no option"):
        activation_chart("relu", slope=1.0)
    assert activation_chart("leaky_relu", slope=0.5).curves[1].y[0] == 0.5


# --- downhill -------------------------------------------------------------------------------------------------------------


@pytest.mark.deck("D0.5", "P13")
def test_gradient_descent_on_a_parabola_shrinks_by_a_constant_factor():
    """x ← (1 − 2η) x, closed form (1 − 2η)ᵏ x₀."""
    way = [w["x"] for w in descent("x**2", {"x": 3.0}, 0.1, 3)]
    np.testing.assert_allclose(way, [3, 2.4, 1.92, 1.536], rtol=1e-15)
    grows = [abs(w["x"]) for w in descent("x**2", {"x": 3.0}, 1.05, 5)]
    assert grows == sorted(grows)
    chart = descent_chart(steps=3)
    dots = next(c for c in chart.curves if c.kind == "points")
    np.testing.assert_allclose(dots.x, way, rtol=1e-15)
    np.testing.assert_allclose(dots.y, np.square(way), rtol=1e-14)
    # The tangent at 3 is 9 + 6 (x − 3).
    tangent = next(c for c in chart.curves if c.role == "gradient")
    np.testing.assert_allclose(tangent.y, 9 + 6 * (np.array(tangent.x) - 3), rtol=1e-14)
    assert tangent.label[0].latex == "f'(3) = 6"


@pytest.mark.deck("P13")
def test_a_landscape_shows_the_function_and_the_way_on_it():
    way = descent("x**2 + 3*y**2", {"x": -1.8, "y": 1.5}, 0.1, 4)
    chart = landscape_chart("x**2 + 3*y**2", {"x": (-2, 2), "y": (-2, 1)}, way=way, points=9)
    x, y = np.meshgrid(chart.field.x, chart.field.y)
    np.testing.assert_allclose(chart.field.values, x**2 + 3 * y**2, rtol=1e-14)
    np.testing.assert_allclose(chart.curves[1].x, [-1.8 * 0.8**k for k in range(5)], rtol=1e-13)
    np.testing.assert_allclose(chart.curves[1].y, [1.5 * 0.4**k for k in range(5)], rtol=1e-13)
    assert 3 <= len(chart.field.levels) <= 8
    with pytest.raises(DeclarationError, match="two variables"):
        landscape_chart("x**2", {"x": (-1, 1)})


# --- networks -------------------------------------------------------------------------------------------------------------

TABLE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {
    "and": ({"dense_1.W": [[20, 20]], "dense_1.b": [-30]}, [0, 0, 0, 1]),
    "or": ({"dense_1.W": [[20, 20]], "dense_1.b": [-10]}, [0, 1, 1, 1]),
    "xnor": ({"dense_1.W": [[20, 20], [-20, -20]], "dense_1.b": [-30, 10], "dense_2.W": [[20, 20]], "dense_2.b": [-10]}, [1, 0, 0, 1]),
}


def gate(name):
    given, classes = GATES[name]
    units = [2, 1] if len(given) > 2 else [1]
    net = sbp.Sequential(
        [sbp.Input(2), *(sbp.Dense(n, activation="sigmoid") for n in units)], loss="binary_cross_entropy", name=f"{name}_gate"
    )
    return net, net.parameters({k: np.array(v, float) for k, v in given.items()}), classes


@pytest.mark.deck("D4.2", "D4.3", "D4.4", "P12")
@pytest.mark.parametrize("name", GATES)
def test_the_plane_is_parted_as_the_truth_table_says(name):
    """The field at the table's corners, by the decks' formulas in plain Python."""
    net, params, classes = gate(name)
    chart = decision_chart(net.compile(target="numpy", dtype="float64"), params, TABLE, classes, title=name, points=41)

    def sigmoid(v):
        return 1 / (1 + math.exp(-v))

    def known(a, b):
        if name == "xnor":
            return sigmoid(-10 + 20 * sigmoid(-30 + 20 * a + 20 * b) + 20 * sigmoid(10 - 20 * a - 20 * b))
        return sigmoid((-30 if name == "and" else -10) + 20 * a + 20 * b)

    found = np.array(chart.field.values)
    for r, b in enumerate(chart.field.y):
        for c, a in enumerate(chart.field.x):
            assert found[r, c] == pytest.approx(known(a, b), rel=1e-10, abs=1e-14)
    dots = {curve.label[0]: set(zip(curve.x, curve.y, strict=True)) for curve in chart.curves}
    for value in (0, 1):
        assert dots[f"class {value}"] == {tuple(p) for p, c in zip(TABLE, classes, strict=True) if c == value}
        assert all((known(*p) > 0.5) == bool(value) for p in dots[f"class {value}"])


def xor(units=2):
    net = sbp.Sequential(
        [sbp.Input(2), sbp.Dense(units, activation="tanh"), sbp.Dense(1, activation="sigmoid")], loss="binary_cross_entropy", name="xor"
    )
    return net, net.compile(target="numpy", dtype="float64")


@pytest.mark.deck("D2.23")
def test_frames_of_a_training_run_lie_on_one_way():
    net, program = xor()
    start, y = net.init(seed=2, dtype="float64"), np.array([[0.0], [1.0], [1.0], [0.0]])
    before = start.flat.copy()
    frames = training_charts(program, start, TABLE, y, sbp.Momentum(0.2), (0, 5, 300), points=11)
    assert frames == training_charts(program, start, TABLE, y, sbp.Momentum(0.2), (0, 5, 300), points=11)
    np.testing.assert_array_equal(start.flat, before)
    curves = [loss.curves[0].y if loss.curves else () for _, loss in frames]
    assert [len(c) for c in curves] == [0, 5, 300]
    assert curves[2][:5] == curves[1]
    params = start.copy()
    program.fit(params, TABLE, y, optimizer=sbp.Momentum(0.2), epochs=300, batch_size=None)
    last = frames[-1][0].field
    grid = np.stack([a.ravel() for a in np.meshgrid(last.x, last.y)], axis=1)
    np.testing.assert_array_equal(np.array(last.values).ravel(), program.predict(params, grid)[:, 0])
    assert curves[2][-1] < 0.05 < curves[2][0]
    with pytest.raises(DataError, match="must rise"):
        training_charts(program, start, TABLE, y, sbp.Momentum(0.2), (5, 5))


@pytest.mark.deck("D4.17")
def test_more_hidden_units_part_the_plane_in_more_ways():
    """One unit draws one line, so XOR stays wrong somewhere; with four it is right everywhere."""
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    right = {}
    for units in (1, 4):
        net, program = xor(units)
        params = net.init(seed=1, dtype="float64")
        program.fit(params, TABLE, y, optimizer=sbp.Adam(0.05), epochs=600, batch_size=None)
        chart = decision_chart(program, params, TABLE, y, points=21)
        field = np.array(chart.field.values)
        assert field.shape == (21, 21)
        right[units] = int((np.round(program.predict(params, TABLE)) == y).sum())
    assert right[1] < 4
    assert right[4] == 4


@pytest.mark.deck("P13")
def test_a_loss_landscape_is_the_loss_with_two_entries_moved():
    net, program = xor()
    params, y = net.init(seed=0, dtype="float64"), np.array([[0.0], [1.0], [1.0], [0.0]])
    chart = loss_landscape_chart(program, params, TABLE, y, ("dense_1.W[2,1]", "dense_2.b[1]"), span=1.0, points=5, way=[params])
    for r, second in enumerate(chart.field.y):
        for c, first in enumerate(chart.field.x):
            moved = params.copy()
            moved["dense_1.W"][1, 0], moved["dense_2.b"][0] = first, second
            assert chart.field.values[r][c] == program.loss(moved, TABLE, y)
    assert chart.curves[1].x == (float(params["dense_1.W"][1, 0]),)
    for entry, error in (("dense_1.W", DeclarationError), ("dense_1.W[3,1]", ShapeError), ("dense_9.W[1,1]", DeclarationError)):
        with pytest.raises(error):
            loss_landscape_chart(program, params, TABLE, y, (entry, "dense_2.b[1]"))


def test_planes_need_two_inputs_and_matching_classes():
    net, program = xor()
    params = net.init(0, dtype="float64")
    with pytest.raises(ShapeError, match="two numbers"):
        decision_chart(program, params, np.zeros((4, 3)), [0] * 4)
    with pytest.raises(ShapeError, match="4 classes"):
        decision_chart(program, params, TABLE, [0, 1])


# --- files ----------------------------------------------------------------------------------------------------------------


def test_a_network_draws_itself_into_files(tmp_path):
    net, _ = xor()
    for ending, begins in ((".svg", "<svg"), (".tex", r"\begin{tikzpicture}"), (".dot", "digraph"), (".txt", "xor")):
        (path,) = net.draw(tmp_path / f"net{ending}")
        assert path.read_text(encoding="utf-8").startswith(begins)
    frames = net.draw(tmp_path / "way.svg", highlight="dense_1.W[2,1]", frames=True)
    assert [p.name for p in frames] == [f"way-{k:02d}.svg" for k in range(4)]
    (slides,) = net.draw(tmp_path / "way.tex", highlight="dense_1.W[2,1]", frames=True)
    assert r"\onslide<4->" in slides.read_text(encoding="utf-8")
    with pytest.raises(DeclarationError, match="the ending must be one of"):
        net.draw(tmp_path / "net.gif")
    assert not (tmp_path / "net.gif").exists()


def test_charts_and_scenes_become_files(require_tool, tmp_path):
    chart = activation_chart("tanh", points=11)
    (tex,) = sbp.draw(chart, tmp_path / "tanh.tex")
    assert tex.read_text(encoding="utf-8") == pgfplots(chart)
    (path,) = sbp.draw(convolution_scene(IMPULSE, MASK), tmp_path / "grids.svg", step=1)
    assert path.read_text(encoding="utf-8").startswith("<svg")
    assert len(sbp.draw(sbp.Figure(convolution_scene(IMPULSE, MASK)), tmp_path / "grids.svg", frames=True)) == 4
    for given, name in ((chart, "tanh.dot"), ("tanh", "tanh.svg")):
        with pytest.raises(DeclarationError, match=r"^draw"):
            sbp.draw(given, tmp_path / name)
    require_tool("matplotlib")
    assert sbp.draw(chart, tmp_path / "tanh.png")[0].read_bytes().startswith(b"\x89PNG")
    assert ET.fromstring(sbp.draw(chart, tmp_path / "tanh.svg")[0].read_text(encoding="utf-8")).tag.endswith("svg")


def test_a_network_shows_its_picture_in_a_notebook():
    net, _ = xor()
    shown = net._repr_mimebundle_()
    assert shown["text/plain"] == repr(net)
    assert ET.fromstring(shown["image/svg+xml"]).tag.endswith("svg")
    assert shown["text/html"].startswith("<svg")
    assert "<table>" in shown["text/html"]
    assert crossings(net.scene()) == ()
