"""Pictures and charts that need numbers: convolutions, activations and their slopes, decision planes, ways downhill, training runs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, Sum
from symbackprop.algebra.tensor import Tensor, tensor
from symbackprop.declare.activations import ACTIVATIONS, ActivationSpec, activation_spec
from symbackprop.declare.expression import build, parse
from symbackprop.derive.sweep import derive_system
from symbackprop.errors import DataError, DeclarationError, ShapeError
from symbackprop.present.document.records import Chart, Curve, Field, Math
from symbackprop.present.latex import latex_equation, plain_equation
from symbackprop.present.letters import tex_word
from symbackprop.present.naming import Name, Naming
from symbackprop.present.notation import Notation
from symbackprop.present.scene.grid import convolution_grids
from symbackprop.present.scene.records import Label, Scene
from symbackprop.public.parameters import Parameters
from symbackprop.public.program import Program

Array = npt.NDArray[Any]

CONVOLUTIONS = ("convolution", "correlation")


# --- convolution --------------------------------------------------------------------------------------------------------


def convolution_system(shape: tuple[int, int], mask: tuple[int, int], kind: str = "convolution") -> System:
    """Return the equations of a two-dimensional convolution, zeros around the image.

    With h = (rows of the mask − 1)/2 and k likewise for columns:

    padded[i, j] = Σ_x Σ_y [x = i − 2h] [y = j − 2k] f[x, y]
    full[i, j] = Σ_s Σ_t w[s, t] padded[i + 2h − s, j + 2k − t]   (correlation: padded[i + s, j + t])
    result[i, j] = Σ_x Σ_y [x = i − h] [y = j − k] full[x, y]
    cropped[i, j] = full[i + h, j + k]

    Args:
        shape: rows and columns of the image ``f``.
        mask: rows and columns of the mask ``w``, both odd.
        kind: "convolution" flips the mask, "correlation" does not.

    Raises:
        DeclarationError: an unknown kind.
        ShapeError: a mask without a middle.
    """
    if kind not in CONVOLUTIONS:
        raise DeclarationError(f"kind must be one of {', '.join(CONVOLUTIONS)}, got {str(kind)[:40]!r}")
    if any(size < 1 or size % 2 == 0 for size in mask):
        raise ShapeError(f"a mask needs a middle, so odd numbers of rows and columns; got {mask[0]} x {mask[1]}")
    h, k = ((size - 1) // 2 for size in mask)
    x, y = Index("x", shape[0]), Index("y", shape[1])
    s, t = Index("s", mask[0]), Index("t", mask[1])

    def frame(around: int, i: str = "i", j: str = "j") -> tuple[Index, Index]:
        return Index(i, shape[0] + 2 * around * h), Index(j, shape[1] + 2 * around * k)

    def placed(name: str, inner: Tensor, around: int, x: Index, y: Index) -> Equation:
        i, j = frame(2)
        given = Indicator(sympy.Eq(x, i - around * h)) * Indicator(sympy.Eq(y, j - around * k)) * inner[x, y]
        return Equation(tensor(name, i, j)[i, j], Sum(given, x, y))

    f, w = tensor("f", x, y), tensor("w", s, t)
    first = placed("padded", f, 2, x, y)
    padded = first.tensor
    i, j = frame(1)
    full = tensor("full", i, j)
    at = (i + 2 * h - s, j + 2 * k - t) if kind == "convolution" else (i + s, j + t)
    made = Equation(full[i, j], Sum(w[s, t] * padded[at], s, t))
    last = placed("result", full, 1, *frame(1, "x", "y"))
    i, j = frame(0)
    cropped = tensor("cropped", i, j)
    return System([first, made, last, Equation(cropped[i, j], full[i + h, j + k])])


def convolve(image: Any, mask: Any, kind: str = "convolution") -> dict[str, Array]:
    """Return what a convolution makes of an image: ``padded``, ``full``, ``result`` (that in the padded frame) and ``cropped``.

    Args:
        image: a matrix.
        mask: a matrix with odd numbers of rows and columns.
        kind: "convolution" flips the mask, "correlation" does not.

    Raises:
        DataError: an entry is no finite number.
        ShapeError: one is no matrix, or the mask has no middle.
        DeclarationError: the kind is unknown.
    """
    f, w = _matrix(image, "image"), _matrix(mask, "mask")
    system = convolution_system((f.shape[0], f.shape[1]), (w.shape[0], w.shape[1]), kind)
    values = interpret(system, {"f": f, "w": w})
    return {name: values[name] for name in ("padded", "full", "result", "cropped")}


def convolution_scene(image: Any, mask: Any, kind: str = "convolution", notation: str | Notation = "ufldl") -> Scene:
    """Return the grids of a convolution: image and mask, padded, result, cropped, one frame each.

    Args:
        image: a matrix of numbers.
        mask: a matrix of numbers.
        kind: as in `convolve`.
        notation: a preset's name or a record; its letters are those of the formula.

    Raises:
        DataError: an entry is no finite number.
        ShapeError: one is no matrix, or the mask has no middle.
        DeclarationError: the kind is unknown.
    """
    f, w = _matrix(image, "image"), _matrix(mask, "mask")
    system = convolution_system((f.shape[0], f.shape[1]), (w.shape[0], w.shape[1]), kind)
    made = convolve(f, w, kind)
    equation = next(e for e in system.equations if e.tensor.name == "full")
    naming = Naming({"full": Name("word", word="g"), "padded": Name("word", word="p")})
    formula = Label(plain_equation(equation, naming, notation=notation), latex_equation(equation, naming, notation=notation))
    rows = {name: a.tolist() for name, a in made.items()}
    return convolution_grids(f.tolist(), w.tolist(), rows["padded"], rows["result"], rows["cropped"], kind=kind, formula=formula)


def _matrix(given: Any, name: str) -> Array:
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name}: expected a matrix of numbers") from None
    if array.ndim != 2 or not array.size:
        raise ShapeError(f"{name}: expected a matrix, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{name}: all entries must be finite")
    return array


# --- functions of numbers -----------------------------------------------------------------------------------------------


def _sampled(expression: Callable[..., Any], points: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Return the values and the derivatives of a function at points, both computed by the engine.

    s = Σ_i f(x_i, y_i, …), so that ∂s/∂x_i = ∂f/∂x at point i.
    """
    i = Index("i", len(next(iter(points.values()))))
    variables = {name: tensor(name, i) for name in points}
    f, s = tensor("f_", i), tensor("s_")
    system = System([Equation(f[i], expression(*(v[i] for v in variables.values()))), Equation(s.own, Sum(f[i], i))])
    derived = derive_system(system, "s_", tuple(points))
    values = interpret(derived.stable, dict(points))
    return np.asarray(values["f_"], float), {name: np.asarray(values[derived.cotangents[name]], float) for name in points}


def _function(expression: str, variables: Sequence[str]) -> Callable[..., Any]:
    """Return the function that an expression in named variables means."""
    term = parse(expression, tuple(variables), "expression")
    return lambda *values: build(term, dict(zip(variables, values, strict=True)))


def activation_chart(name: str, *, lower: float = -4.0, upper: float = 4.0, points: int = 161, **options: float) -> Chart:
    """Return the curves of an activation f and its derivative f'.

    The derivative is derived, not tabled. Where it jumps, the curve is broken and a dot shows the value that is used there.

    Args:
        name: of the table of activations.
        lower: where the axis begins.
        upper: where it ends.
        points: of the curves.
        **options: of the activation, for example ``slope=0.01``.

    Raises:
        DeclarationError: an unknown activation, or one that is no function of one number (softmax).
    """
    spec = activation_spec(name)
    if spec is None:
        raise DeclarationError("activation_chart: give the name of an activation")
    spec = ActivationSpec(spec.name, tuple(sorted(options.items())))
    if spec.over_axis:
        raise DeclarationError(f"activation {spec.name} is no function of one number, so it has no curve")
    kinks = tuple(float(k) for k in spec.kinks if lower < k < upper)
    # Beside a kink the curves come as near to it as can be seen, and not nearer than sums like z + 3 can tell.
    hair = 1e-7 * (upper - lower)
    near = [v for k in kinks for v in (k - hair, k + hair)]
    z = np.unique(np.concatenate([np.linspace(lower, upper, points), near, kinks]))
    value, slopes = _sampled(spec.apply, {"z": z})
    at = np.isin(z, kinks)
    broken = np.where(at, np.nan, slopes["z"])
    curves = [
        Curve(_numbers(z), _numbers(value), (Math("f(z)"),), role="value"),
        Curve(_numbers(z), _numbers(broken), (Math("f'(z)"),), role="gradient", dashed=True),
    ]
    if kinks:
        curves.append(Curve(_numbers(z[at]), _numbers(slopes["z"][at]), (Math("f'"), " where it jumps"), "points", "gradient"))
    return Chart(spec.name.replace("_", " "), tuple(curves), x_label=(Math("z"),))


def activation_charts() -> dict[str, Chart]:
    """Return a chart of f and f' for each activation that is a function of one number."""
    return {name: activation_chart(name) for name, entry in ACTIVATIONS.items() if entry.expression is not None}


# --- downhill -----------------------------------------------------------------------------------------------------------


def descent(expression: str, start: Mapping[str, float], rate: float, steps: int) -> tuple[dict[str, float], ...]:
    """Return the way of gradient descent, θ ← θ − η ∂f/∂θ, from the start on.

    Args:
        expression: f, for example ``"x**2"``.
        start: the first value of each variable.
        rate: η.
        steps: how many.
    """
    function = _function(expression, tuple(start))
    way = [dict(start)]
    for _ in range(steps):
        _, slopes = _sampled(function, {name: np.array([v], float) for name, v in way[-1].items()})
        way.append({name: v - rate * float(slopes[name][0]) for name, v in way[-1].items()})
    return tuple(way)


def descent_chart(
    expression: str = "x**2",
    *,
    variable: str = "x",
    start: float = 3.0,
    rate: float = 0.1,
    steps: int = 3,
    lower: float | None = None,
    upper: float | None = None,
) -> Chart:
    """Return the curve of f, its slope at the start, and the points of gradient descent on it.

    Args:
        expression: f.
        variable: its variable.
        start: where the way begins.
        rate: η.
        steps: how many.
        lower: where the axis begins; None leaves room around the way.
        upper: where it ends.
    """
    way = np.array([w[variable] for w in descent(expression, {variable: start}, rate, steps)])
    reach = 1.3 * max(1e-3, float(np.max(np.abs(way))))
    x = np.linspace(-reach if lower is None else lower, reach if upper is None else upper, 121)
    function = _function(expression, (variable,))
    value, _ = _sampled(function, {variable: x})
    on, slopes = _sampled(function, {variable: way})
    slope = float(slopes[variable][0])
    beside = start + np.array([-0.4, 0.2]) * reach
    curves = (
        Curve(_numbers(x), _numbers(value), (Math(rf"f({tex_word(variable)})"),), role="plain"),
        Curve(
            _numbers(beside),
            _numbers(on[0] + slope * (beside - start)),
            (Math(rf"f'({start:g}) = {slope:.4g}"),),
            role="gradient",
            dashed=True,
        ),
        Curve(_numbers(way), _numbers(on), (f"{steps} steps, ", Math(rf"\eta = {rate:g}")), "points", "highlight"),
    )
    return Chart("gradient descent", curves, x_label=(Math(tex_word(variable)),))


def landscape_chart(
    expression: str,
    ranges: Mapping[str, tuple[float, float]],
    *,
    way: Sequence[Mapping[str, float]] = (),
    points: int = 41,
    levels: Sequence[float] | None = None,
) -> Chart:
    """Return a function of two variables as contours, with a way on it.

    Args:
        expression: f, for example ``"x**2 + 3*y**2"``.
        ranges: both variables, each with the ends of its axis.
        way: points of it, for example what `descent` returned.
        points: of the grid, in each direction.
        levels: at which lines are drawn; None chooses eight.

    Raises:
        DeclarationError: there are not two variables, or the expression has others.
    """
    if len(ranges) != 2:
        raise DeclarationError(f"landscape_chart: give the ranges of two variables, got {len(ranges)}")
    (first, (a, b)), (second, (c, d)) = ranges.items()
    x, y = np.linspace(a, b, points), np.linspace(c, d, points)
    grid_x, grid_y = np.meshgrid(x, y)
    value, _ = _sampled(_function(expression, (first, second)), {first: grid_x.ravel(), second: grid_y.ravel()})
    curves = _way([(w[first], w[second]) for w in way])
    return Chart(
        "loss landscape", curves, _field(x, y, value.reshape(points, points), levels), (Math(tex_word(first)),), (Math(tex_word(second)),)
    )


def _way(points: Sequence[tuple[float, float]]) -> tuple[Curve, ...]:
    if not points:
        return ()
    x, y = zip(*points, strict=True)
    line = Curve(_numbers(x), _numbers(y), (), role="highlight", dashed=True)
    return (line, Curve(_numbers(x), _numbers(y), ("steps downhill",), "points", "highlight"))


def _field(x: Array, y: Array, values: Array, levels: Sequence[float] | None) -> Field:
    chosen = tuple(float(v) for v in levels) if levels is not None else _levels(values)
    return Field(_numbers(x), _numbers(y), tuple(_numbers(row) for row in values), chosen)


def _levels(values: Array, count: int = 8) -> tuple[float, ...]:
    """Levels that part a field into bands of like area, at round numbers."""
    parts = np.quantile(values, np.linspace(0, 1, count + 2)[1:-1])
    low, high = float(values.min()), float(values.max())
    return tuple(sorted({r for r in map(_round, parts) if low < r < high}))


def _round(value: float) -> float:
    """The nearest number of the series 1, 1.5, 2, 3, 5, 7, 10 and so on."""
    if value == 0:
        return 0.0
    decade = math.floor(math.log10(abs(value)))
    series = (float(f"{digit}e{decade}") for digit in ("1", "1.5", "2", "3", "5", "7", "10"))
    return math.copysign(min(series, key=lambda s: abs(math.log(s / abs(value)))), value)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


# --- networks -----------------------------------------------------------------------------------------------------------


def decision_chart(
    program: Program,
    params: Parameters,
    x: Any,
    y: Any,
    *,
    title: str = "decision boundary",
    levels: Sequence[float] = (0.5,),
    margin: float = 0.5,
    points: int = 61,
) -> Chart:
    """Return what a network with two inputs decides in the plane, with its samples.

    Args:
        program: of a network with two inputs and one output, or with two outputs, of which the second is shown.
        params: its parameters.
        x: samples, two numbers each.
        y: their classes, 0 or 1, or rows of one or two numbers.
        title: of the chart.
        levels: at which lines are drawn.
        margin: room around the samples, as a part of their range.
        points: of the grid, in each direction.

    Raises:
        ShapeError: samples, classes or a network of another size.
    """
    samples = np.asarray(x, float)
    if samples.ndim != 2 or samples.shape[1] != 2:
        raise ShapeError(f"decision_chart: expected samples of two numbers, got shape {samples.shape}")
    given = np.asarray(y, float)
    classes = given[:, -1] if given.ndim == 2 else given
    if classes.shape != (len(samples),):
        raise ShapeError(f"decision_chart: expected {len(samples)} classes, got shape {given.shape}")
    low, high = samples.min(axis=0), samples.max(axis=0)
    room = margin * np.maximum(high - low, 1e-3)
    across, up = (np.linspace(low[k] - room[k], high[k] + room[k], points) for k in (0, 1))
    grid = np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1).astype(program.dtype)
    found = program.predict(params, np.ascontiguousarray(grid))
    if found.ndim != 2 or found.shape[1] > 2:
        raise ShapeError(
            f"decision_chart: network {program.spec.name} gives {found.shape[1:]} for a sample; one or two numbers can be shown"
        )
    field = _field(across, up, found[:, -1].astype(float).reshape(points, points), levels)
    curves = tuple(
        Curve(_numbers(samples[classes == c, 0]), _numbers(samples[classes == c, 1]), (f"class {c:g}",), "points", role)
        for c, role in zip(np.unique(classes), ("input", "loss", "value", "output"), strict=False)
    )
    return Chart(title, curves, field, (Math("x_1"),), (Math("x_2"),))


def loss_landscape_chart(
    program: Program,
    params: Parameters,
    x: Any,
    y: Any,
    entries: tuple[str, str],
    *,
    span: float = 3.0,
    points: int = 31,
    levels: Sequence[float] | None = None,
    way: Sequence[Parameters] = (),
) -> Chart:
    """Return the loss over two entries of the parameters, all others fixed.

    Args:
        program: of the network.
        params: where the others stay, and the middle of the picture.
        x: samples.
        y: targets.
        entries: two of them as printed, ``("dense_1.W[1,1]", "dense_1.W[1,2]")``.
        span: how far the axes reach to both sides.
        points: of the grid, in each direction.
        levels: at which lines are drawn; None chooses eight.
        way: parameters on a way, for example during training.
    """
    places = [_place(entry, params) for entry in entries]
    middle = [float(params[name][at]) for name, at in places]
    across, up = (np.linspace(m - span, m + span, points) for m in middle)
    moved = params.copy()
    values = np.empty((points, points))
    data = np.ascontiguousarray(x, program.dtype), np.ascontiguousarray(y)
    for r, second in enumerate(up):
        for c, first in enumerate(across):
            for (name, at), value in zip(places, (first, second), strict=True):
                moved[name][at] = value
            values[r, c] = program.loss(moved, *data)
    points_on = [tuple(float(p[name][at]) for name, at in places) for p in way]
    labels = [(entry,) for entry in entries]
    return Chart("loss landscape", _way([(a, b) for a, b in points_on]), _field(across, up, values, levels), labels[0], labels[1])


def _place(entry: str, params: Parameters) -> tuple[str, tuple[int, ...]]:
    """Read an entry as printed: counted from 1."""
    match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]\s*", str(entry))
    if match is None or match[1] not in params:
        raise DeclarationError(f"entry {str(entry)[:40]!r} must read like 'dense_1.W[1,3]' (parameters: {', '.join(params)})")
    at = tuple(int(i) - 1 for i in match[2].split(","))
    shape = params[match[1]].shape
    if len(at) != len(shape) or any(not 0 <= i < n for i, n in zip(at, shape, strict=False)):
        raise ShapeError(f"entry {entry}: {match[1]} has shape {shape}, counted from 1")
    return match[1], at


def training_charts(
    program: Program,
    params: Parameters,
    x: Any,
    y: Any,
    optimizer: Any,
    epochs: Sequence[int],
    *,
    batch_size: int | None = None,
    seed: int = 0,
    points: int = 61,
    levels: Sequence[float] = (0.5,),
) -> tuple[tuple[Chart, Chart], ...]:
    """Return frames of a training run: after each given number of epochs the decision boundary and the loss so far.

    Every frame is trained from the start, so that all of them lie on one and the same way.

    Args:
        program: of a network with two inputs.
        params: where training begins; they are not changed.
        x: samples.
        y: targets.
        optimizer: ``sbp.SGD(0.1)`` and its like.
        epochs: when to look, rising; 0 is before training.
        batch_size: samples of one update; None takes all of them.
        seed: of the order of the samples.
        points: of the grid of the decision boundary.
        levels: of the decision boundary.

    Raises:
        DataError: the epochs do not rise.
        ShapeError: the samples are no pairs of numbers.
    """
    whole = [int(e) for e in epochs]
    if not whole or whole[0] < 0 or any(not a < b for a, b in pairwise(whole)):
        raise DataError(f"training_charts: epochs must rise from 0 or later, got {list(epochs)}")
    frames = []
    for count in whole:
        now = params.copy()
        losses: tuple[float, ...] = ()
        if count:
            losses = program.fit(now, x, y, optimizer=optimizer, epochs=count, batch_size=batch_size, seed=seed, progress=False).loss
        plane = decision_chart(program, now, x, y, title=f"after {count} epochs", points=points, levels=levels)
        shown = _numbers(range(1, count + 1))
        line = Curve(shown, losses, ("loss",), role="loss")
        frames.append((plane, Chart(f"loss after {count} epochs", (line,) if count else (), x_label=("epoch",), y_label=("loss",))))
    return tuple(frames)


__all__ = [
    "CONVOLUTIONS",
    "activation_chart",
    "activation_charts",
    "convolution_scene",
    "convolution_system",
    "convolve",
    "decision_chart",
    "descent",
    "descent_chart",
    "landscape_chart",
    "loss_landscape_chart",
    "training_charts",
]
