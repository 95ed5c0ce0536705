"""Tiled products of a device, run thread by thread: any shape of factors and edges, the numbers of the equations, the same bits always."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

sys.path.insert(0, str(Path(__file__).parent))
from device_orders import in_three_orders
from device_products import EMULATED, SMALL, N, arguments, check, draw, plan, run, shape, write

from symbackprop.algebra.equation import Equation, System
from symbackprop.algebra.index import Index, indices
from symbackprop.algebra.interpret import interpret
from symbackprop.algebra.nodes import Indicator, InRange, LogSumExp, Sum
from symbackprop.algebra.tensor import tensor
from symbackprop.execute import lockstep
from symbackprop.plan.contractions import Scratch
from symbackprop.plan.device.product import DOUBLE, SINGLE, Speed, alignment, tiled
from symbackprop.plan.device.records import Product, Sweep, Tile

n = Index("n", N)
SEEDS = (0, 1, 2)


def dense(rows: int, terms: int, *, turned: tuple[bool, bool] = (False, False), samples_first: bool = True) -> list[Equation]:
    """z = W x + b and tanh z, each factor as it is or turned."""
    i, j = indices("i j", rows, terms)
    w = tensor("W", j, i) if turned[0] else tensor("W", i, j)
    x = tensor("x", j, n) if turned[1] else tensor("x", n, j)
    out = (n, i) if samples_first else (i, n)
    z, a, b = tensor("z", *out), tensor("a", *out), tensor("b", i)
    product = (w[j, i] if turned[0] else w[i, j]) * (x[j, n] if turned[1] else x[n, j])
    return [Equation(z[out], Sum(product, j) + b[i]), Equation(a[out], sympy.tanh(z[out]))]


def convolution(kind: str, padded: int = 1, stride: int = 1) -> list[Equation]:
    o, c, u, v = indices("o c u v", 6, 3, 3, 3)
    y, x = indices("y x", 5, 6)
    high, wide = stride * 5 + 2 - 2 * padded, stride * 6 + 2 - 2 * padded
    image, w, z = tensor("image", n, c, Index("y", high), Index("x", wide)), tensor("w", o, c, u, v), tensor("z", n, o, y, x)
    bias, d = tensor("bias", o), tensor("d", n, o, y, x)
    rows, columns = stride * y + u - padded, stride * x + v - padded
    inside = InRange(rows, high) * InRange(columns, wide)
    if kind == "forward":
        return [Equation(z[n, o, y, x], Sum(w[o, c, u, v] * image[n, c, rows, columns] * inside, c, u, v) + bias[o])]
    if kind == "weights":
        return [Equation(tensor("dw", o, c, u, v)[o, c, u, v], Sum(d[n, o, y, x] * image[n, c, rows, columns] * inside, n, y, x))]
    assert stride == 1
    p, q = indices("p q", high, wide)
    back = InRange(p - u + padded, 5) * InRange(q - v + padded, 6)
    body = w[o, c, u, v] * d[n, o, p - u + padded, q - v + padded] * back
    return [Equation(tensor("dimage", n, c, p, q)[n, c, p, q], Sum(body, o, u, v))]


def phase_of(written) -> Product:
    phase = written.tiled.parts[0].phase
    assert isinstance(phase, Product)
    return phase


def vectors(phase: Product) -> tuple[bool, bool]:
    return alignment(phase.left, phase, phase.rows)[0], alignment(phase.right, phase, phase.columns)[0]


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)], ids=["wx", "w'x", "wx'", "w'x'"])
@pytest.mark.parametrize("samples_first", [True, False])
@pytest.mark.parametrize(("rows", "terms", "samples"), [(20, 24, 18), (17, 9, 5), (3, 1, 1), (16, 4, 33)])
def test_a_layer_with_its_activation(rows, terms, samples, turned, samples_first, tmp_path):
    check(dense(rows, terms, turned=turned, samples_first=samples_first), tmp_path, samples=samples)


def test_fours_are_read_at_once_where_they_lie_side_by_side(tmp_path):
    assert vectors(phase_of(check(dense(20, 24), tmp_path, samples=6))) == (True, True)
    # Rows of x have 24 entries, but how many samples there are nobody knows.
    assert vectors(phase_of(check(dense(20, 24, turned=(True, True)), tmp_path, samples=6))) == (False, True)
    assert vectors(phase_of(check(dense(20, 22), tmp_path, samples=6))) == (False, False)
    assert vectors(phase_of(check(dense(20, 24), tmp_path, samples=6, aligned=False))) == (False, False)


def test_heads_that_share_an_axis_are_read_four_at_once_too(tmp_path):
    h, d, j = indices("h d j", 3, 8, 12)
    w, turned, x, q = tensor("w", 24, j), tensor("turned", j, 24), tensor("x", n, j), tensor("q", n, h, d)
    for read in (w[8 * h + d, j], turned[j, 8 * h + d]):
        written = check([Equation(q[n, h, d], Sum(read * x[n, j], j))], tmp_path, samples=3)
        assert vectors(phase_of(written)) == (True, True)
    k = Index("k", 10)
    r = tensor("r", n, h, k)
    written = check([Equation(r[n, h, k], Sum(turned[j, 8 * h + 1] * x[n, j] * tensor("u", k, j)[k, j], j))], tmp_path, samples=3)
    assert vectors(phase_of(written)) == (False, True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_under_every_order_of_threads(dtype, tmp_path):
    check(dense(18, 12), tmp_path, samples=19, dtype=dtype, seeds=SEEDS)


def test_the_same_bits_under_every_order_of_threads(tmp_path):
    equations = dense(18, 20)
    written = check(equations, tmp_path, samples=19)
    (kernel,) = written.kernels
    taken, _ = arguments(kernel, draw(equations, 19, 3, "float32"), 19, "float32", 4)
    lockstep.same_bits(getattr(written.module, kernel.name), 4, 16, *taken)


def test_every_barrier_is_needed(tmp_path):
    equations = dense(18, 12)
    written = check(equations, tmp_path, samples=19)
    (kernel,) = written.kernels
    given = draw(equations, 19, 3, "float32")

    def right(text, seed):
        taken, _ = arguments(kernel, given, 19, "float32", 4)
        lockstep.run(text, 4, 16, *taken, seed=seed)

    deletions = lockstep.delete_barriers(getattr(written.module, kernel.name), right)
    assert len(deletions) == 4 and all(d.caught for d in deletions), [str(d) for d in deletions]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["forward", "data", "weights"])
@pytest.mark.parametrize("padded", [0, 1])
def test_a_convolution_and_its_gradients(kind, padded, dtype, tmp_path):
    check(convolution(kind, padded), tmp_path, samples=3, dtype=dtype)


@pytest.mark.parametrize("kind", ["forward", "weights"])
def test_a_convolution_in_steps_of_two(kind, tmp_path):
    check(convolution(kind, stride=2), tmp_path, samples=2)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_product_for_each_sample(samples, tmp_path):
    h, i, j, k = indices("h i j k", 2, 9, 8, 5)
    q, r, s = tensor("q", n, i, h, k), tensor("r", n, j, h, k), tensor("s", n, h, i, j)
    later = Indicator(sympy.Ge(i, j))
    written = check([Equation(s[n, h, i, j], later * Sum(q[n, i, h, k] * r[n, j, h, k], k) / 3)], tmp_path, samples=samples)
    assert [r.index for r in phase_of(written).batch] == [n, h]


def test_factors_are_any_expressions(tmp_path):
    i, j = indices("i j", 17, 10)
    d, z, w, out = tensor("d", n, j), tensor("z", n, j), tensor("w", j, i), tensor("out", n, i)
    slope = Indicator(sympy.Gt(z[n, j], 0)) + (1 - Indicator(sympy.Gt(z[n, j], 0))) * sympy.exp(z[n, j])
    # Σ_j d f'(z) w, the derivative as a part of the left factor.
    check([Equation(out[n, i], Sum(d[n, j] * slope * w[j, i] * w[j, i], j))], tmp_path, samples=6)


def test_what_an_equation_makes_of_a_sum_follows_it(tmp_path):
    i, j = indices("i j", 9, 12)
    w, x, z, b = tensor("w", i, j), tensor("x", n, j), tensor("z", n, i), tensor("b", i)
    up, down, gated = tensor("up", n, i), tensor("down", n, i), tensor("gated", n, i)
    sum_of = Sum(w[i, j] * x[n, j], j)
    equations = [
        Equation(up[n, i], 1 / (1 + sympy.exp(-(sum_of + b[i])))),
        Equation(down[n, i], Indicator(sympy.Gt(z[n, i], 0)) * sum_of),
        Equation(gated[n, i], up[n, i] * down[n, i] + sum_of**2),
    ]
    written = check(equations, tmp_path, samples=4)
    assert len(written.tiled.parts) == 1


def test_several_sums_are_products_of_their_own(tmp_path):
    i, j, k = indices("i j k", 12, 10, 7)
    w, x, v, h = tensor("w", i, j), tensor("x", n, j), tensor("v", i, k), tensor("h", n, k)
    z = tensor("z", n, i)
    equations = [Equation(z[n, i], sympy.tanh(Sum(w[i, j] * x[n, j], j) + Sum(v[i, k] * h[n, k], k)))]
    written = check(equations, tmp_path, samples=5)
    assert [type(part.phase) for part in written.tiled.parts] == [Product, Product]


def test_sums_inside_other_sums_come_first(tmp_path):
    i, j, k = indices("i j k", 9, 40, 6)
    q, r, s = tensor("q", n, i, k), tensor("r", n, j, k), tensor("s", n, i)
    equations = [Equation(s[n, i], LogSumExp(Sum(q[n, i, k] * r[n, j, k], k), j))]
    written = check(equations, tmp_path, samples=2)
    assert [type(part.phase) for part in written.tiled.parts] == [Product] and len(written.tiled.rest) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sums_are_cut_into_parts_that_are_added_in_order(dtype, tmp_path):
    i, j = indices("i j", 18, 12)
    d, x, g, w = tensor("d", n, i), tensor("x", n, j), tensor("g", i, j), tensor("w", i, j)
    equations = [Equation(g[i, j], Sum(d[n, i] * x[n, j], n) / 16 + w[i, j] / 8)]
    found = tiled(
        equations,
        frozenset({"g"}),
        {N: 500_000},
        frozenset("dxw"),
        Scratch("dxgw"),
        single=dtype == "float32",
        tiles=(Speed(SMALL, 1.0, 1),),
    )
    assert found is not None and [type(part.phase) for part in found.parts] == [Product, Sweep]
    phase = found.parts[0].phase
    assert isinstance(phase, Product) and phase.splits > 8
    for samples in (1, 70, 261):
        check(equations, tmp_path, samples=samples, dtype=dtype, found=found)


def test_labels_choose_rows(tmp_path):
    i, j, v = indices("i j v", 8, 9, 5)
    word, table, w, z = tensor("word", n, integer=True), tensor("table", v, j), tensor("w", i, j), tensor("z", n, i)
    check([Equation(z[n, i], Sum(table[word[n], j] * w[i, j], j))], tmp_path, samples=7)


def test_a_read_beyond_an_axis_is_held_back_by_a_guard_around_the_sum(tmp_path):
    r, i, j = indices("r i j", 16, 8, 6)
    u, x, z = tensor("u", i, j), tensor("x", n, j), tensor("z", n, r)
    equations = [Equation(z[n, r], InRange(r - 8, 8) * Sum(u[r - 8, j] * x[n, j], j))]
    check(equations, tmp_path, samples=5)


def test_nothing_is_tiled_that_is_no_product_or_small():
    i, j = indices("i j", 200, 200)
    x, z, w, t = tensor("x", n, j), tensor("z", n, i), tensor("w", i, j), tensor("t", n)

    def found(*equations, samples=200):
        return tiled(equations, frozenset("zt"), {N: samples}, frozenset(), Scratch(()))

    assert found(Equation(z[n, i], Sum(w[i, j] * x[n, j], j))) is not None
    assert found(Equation(z[n, i], Sum(w[i, j] * x[n, j], j)), samples=2) is None
    assert found(Equation(z[n, i], Sum(sympy.exp(w[i, j] * x[n, j]), j))) is None
    assert found(Equation(t[n], Sum(x[n, j], j))) is None
    assert found(Equation(z[n, i], w[i, 0] + t[n])) is None


def test_tiles_are_chosen_by_the_sizes():
    def tile(rows, terms, samples):
        made = tiled(dense(rows, terms), frozenset("za"), {N: samples}, frozenset(), Scratch(()))
        assert made is not None
        phase = made.parts[0].phase
        assert isinstance(phase, Product)
        return (phase.tile.rows, phase.tile.columns), phase.splits

    assert tile(4096, 4096, 4096) == ((128, 128), 1)
    (rows, columns), splits = tile(1024, 1024, 1024)
    assert 1024 // rows * (1024 // columns) * splits >= 128
    assert tile(10, 128, 65536)[0][1] <= 32
    assert tile(128, 4096, 128)[1] > 1


@pytest.mark.parametrize("speed", SINGLE, ids=lambda s: f"{s.tile.rows}x{s.tile.columns}")
def test_every_tile_of_the_table(speed, tmp_path):
    """One block and its edges; without the log of races, which takes minutes, for the large ones."""
    tile = speed.tile
    equations = dense(tile.columns + 1 if tile.columns < 64 else tile.columns - 1, 2 * tile.depth + 4)
    samples = tile.rows - 1
    written = write(plan(equations, samples=samples, tile=tile), tmp_path, runtime=EMULATED)
    (kernel,) = written.kernels
    given = draw(equations, samples, 1, "float32")
    taken, places = arguments(kernel, given, samples, "float32", 4)
    grid = -(-(equations[0].tensor.shape[1]) // tile.columns)
    in_three_orders(getattr(written.module, kernel.name), int(grid), tile.threads, *taken, race=tile.rows * tile.columns < 2048)
    wanted = interpret(System(equations), {k: v.astype(np.float64) for k, v in given.items()})
    for name in "za":
        extent = shape(wanted_tensor(equations, name), samples)
        got = taken[0][places[name] :][: int(np.prod(extent))].reshape(extent)
        assert np.max(np.abs(got - wanted[name])) <= 2e-6 * np.max(np.abs(wanted[name]))


@pytest.mark.parametrize("speed", DOUBLE, ids=lambda s: f"{s.tile.rows}x{s.tile.columns}")
def test_tiles_of_numbers_of_64_bits_fit_into_shared_memory(speed, tmp_path):
    written = write(plan(dense(20, 24), tile=speed.tile, dtype="float64"), tmp_path, "float64")
    assert 0 < lockstep.kernel(written.module.product_0).static_shared <= 49_152


def wanted_tensor(equations, name):
    return next(e.tensor for e in equations if e.tensor.name == name)


def random_equation(rng: random.Random) -> tuple[list[Equation], int, Tile]:
    """A sum of a product of two factors with rows, columns, inner and batch indices of any number, order and address."""
    letters = list("abcdefgh")
    pools: dict[str, list[Index]] = {}
    for kind, most in (("batch", 1), ("rows", 2), ("columns", 2), ("inner", 2)):
        number = rng.randint(0 if kind == "batch" else 1, most)
        pools[kind] = [Index(letters.pop(0), rng.randint(1, 7)) for _ in range(number)]
    if rng.random() < 0.5:
        kind = rng.choice(["batch", "rows", "columns", "inner"])
        pools[kind] = [n, *pools[kind][1:]]
    out = [i for kind in ("batch", "rows", "columns") for i in pools[kind]]
    rng.shuffle(out)
    factors = []
    for name, kind in (("left", "rows"), ("right", "columns")):
        own = [*pools["batch"], *pools[kind], *pools["inner"]]
        rng.shuffle(own)
        axes, places, guards = [], [], []
        for i in own:
            if i is not n and rng.random() < 0.25:
                # Read at a shifted place, or at every second one; what lies outside is 0.
                step, shift = rng.choice([1, 2]), rng.choice([-1, 0, 1])
                extent = max(1, int(i.extent) - 1) if step == 1 else 2 * int(i.extent)
                place = step * i + shift
                axes.append(Index(i.name, extent))
                places.append(place)
                guards.append(InRange(place, extent))
            else:
                axes.append(i)
                places.append(i)
        t = tensor(name, *axes)
        factors.append(sympy.Mul(t[tuple(places)], *guards))
    body = sympy.Mul(*factors)
    value = Sum(body, *pools["inner"])
    if rng.random() < 0.5:
        bias = tensor("bias", out[-1])
        value = rng.choice([value + bias[out[-1]], sympy.tanh(value + bias[out[-1]]), 2 * value - bias[out[-1]]])
    z = tensor("z", *out)
    return [Equation(z[tuple(out)], value)], rng.randint(1, 9), SMALL


@pytest.mark.parametrize("number", range(40))
def test_random_products(number, seed, tmp_path):
    rng = random.Random(1000 * seed + number)
    equations, samples, tile = random_equation(rng)
    while not equations[0].rhs.has(Sum):
        # Every place was outside.
        equations, samples, tile = random_equation(rng)
    dtype = ("float32", "float64")[number % 2]
    check(equations, tmp_path, samples=samples, tile=tile, dtype=dtype, aligned=number % 3 > 0)


def test_edges_that_are_not_a_number_stay_where_they_are(tmp_path):
    """NaN in a row of x spoils the results of that sample alone, whatever lies in the tile beside it."""
    equations = dense(18, 12)
    written = check(equations, tmp_path, samples=19)
    given = draw(equations, 19, 5, "float32")
    given["x"][7, 3] = np.nan
    got = run(written, given, 19)["z"]
    assert np.isnan(got[7]).all() and not np.isnan(np.delete(got, 7, axis=0)).any()
