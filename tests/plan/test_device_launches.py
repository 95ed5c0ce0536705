"""Fewer launches on a device: what is joined needs no order, what needs one keeps it, and something notices where that is not so.

Whether two launches need an order is told from places in memory by the planner, and here by the entries that they touch, one by one.
That joint launches have no order among their parts is what lock-step looks for whenever one runs: blocks that touch one entry without
a wait are a race.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sympy import S

import symbackprop as sbp
from symbackprop.algebra.index import Index
from symbackprop.algebra.tensor import Access, Tensor
from symbackprop.errors import CheckError
from symbackprop.execute.lockstep.errors import LockstepError
from symbackprop.plan.device import onward, order, together
from symbackprop.plan.device.records import DeviceKernel, Each, Every, Fold, Joint, Launch, Product, Range, Sweep, Team
from symbackprop.plan.records import Let, Local, Loop, Place, Store, Update
from symbackprop.plan.rewriting import expressions

sys.path.insert(0, str(Path(__file__).parents[1] / "emit"))
from device_measure import TOLERANCE, errors
from device_modules import Lock, computed, drawn, expected, network, text_of
from device_orders import Orders


def images():
    layers = [sbp.Conv2D(4, 3, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(6, activation="tanh"), sbp.Dense(4)]
    return sbp.Sequential([sbp.Input((1, 8, 8)), *layers], loss="softmax_cross_entropy", name="images")


def digits():
    layers = [sbp.Dense(128, activation="relu"), sbp.Dense(10, activation="softmax")]
    return sbp.Sequential([sbp.Input(784), *layers], loss="cross_entropy", name="digits")


def attending():
    layers = [sbp.Attention(heads=2), sbp.LayerNorm(), sbp.Flatten(), sbp.Dense(3)]
    return sbp.Sequential([sbp.Input((4, 6)), *layers], loss="softmax_cross_entropy", name="attending")


def normed():
    layers = [sbp.Dense(9), sbp.BatchNorm(), sbp.Activation("gelu"), sbp.Dense(5)]
    return sbp.Sequential([sbp.Input(7), *layers], loss="mse", name="normed")


def rows():
    return sbp.Sequential([sbp.Input(70), sbp.LayerNorm(), sbp.Dense(66)], loss="softmax_cross_entropy", name="rows")


def recurrent():
    return sbp.Sequential([sbp.Input((5, 4)), sbp.LSTM(6), sbp.Dense(3)], loss="softmax_cross_entropy", name="recurrent")


NETS = [images, digits, attending, normed, rows, recurrent]


def parts(one):
    return one.parts if isinstance(one, Joint) else (one,)


def entries(place, batch):
    """Return the places in its buffer that a tensor of a batch has, one by one."""
    start, shape = place.fixed + place.per_sample * batch, [batch if e == "N" else e for e in place.shape]
    return set(range(start, start + int(np.prod(shape))))


def memory(one, places, batch):
    """Return the entries (buffer, place) that a launch touches, and those that it writes."""
    touched, written = set(), set()
    for t, buffer, real in zip(one.kernel.tensors, one.kernel.buffers, one.names, strict=True):
        place = places.get(real)
        known = place is not None and place.buffer != "argument"
        mine = {(buffer, k) for k in entries(place, batch)} if known else {(buffer, "all of it")}
        touched |= mine
        written |= mine if t.name in one.kernel.written else set()
    return touched, written


def clash(one, other):
    return bool(one[1] & other[0] or other[1] & one[0])


def original(plan, entry):
    """Return the names of the tensors that each call of the plan writes, in the order in which calls are planned."""
    return [name for part in {"value_and_grad": ("loss", "backward")}[entry] for call in plan.entry(part).calls for name in call.written]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parts_of_a_launch_share_nothing_that_one_of_them_writes(net, dtype):
    plan = network(net()).plan(dtype, 12)
    for batch in (1, 5, 12):
        for entry, launches in plan.device.entries.items():
            source = {"value_and_grad": "backward", "training": "statistics"}.get(entry, entry)
            places = {**plan.entry(source).places, **plan.device.places}
            for one in launches:
                seen = [memory(part, places, batch) for part in parts(one)]
                assert not any(clash(a, b) for k, a in enumerate(seen) for b in seen[:k]), (entry, one)


@pytest.mark.parametrize("net", NETS)
def test_every_result_is_written_once_and_by_one_launch_with_as_many_threads_a_part(net):
    plan = network(net()).plan("float32", 12)
    done = [name for one in plan.device.entries["value_and_grad"] for part in parts(one) for name in written(part)]
    wanted = set(original(plan, "value_and_grad"))
    assert wanted <= set(done)
    assert all(done.count(name) == 1 for name in wanted), done
    for joint in plan.device.joints:
        for part in joint.parts:
            phase = part.kernel.phase
            threads = phase.tile.threads if isinstance(phase, Product) else phase.threads if isinstance(phase, Team) else joint.threads
            assert threads == joint.threads
    names = [k.name for k in plan.device.kernels] + [joint.name for joint in plan.device.joints]
    assert len(names) == len(set(names))


def written(one):
    return [real for t, real in zip(one.kernel.tensors, one.names, strict=True) if t.name in one.kernel.written]


def test_a_step_of_the_digits_is_six_launches_besides_those_of_the_batch_and_of_the_update():
    # The forward products with what follows each: a split one and its sum, one as it is; then softmax, loss and its delta; then the
    # gradients of the last layer beside the deltas of the first, and the gradients of the first.
    plan = network(digits(), "labels").plan("float32", 128, sbp.SGD(0.1))
    assert len(plan.device.entries["value_and_grad"]) == 6, str(plan.device)
    count = str(plan.device).splitlines()[-1]
    assert "value_and_grad 6" in count


def test_a_block_goes_on_with_what_is_made_of_its_row():
    plan = network(rows(), "labels").plan("float32", 12)
    teams = [k for k in plan.device.kernels if isinstance(k.phase, Team) and len(k.phase.axes) == 1 and str(k.phase.axes[0].extent) == "N"]
    # LayerNorm with all that it writes, and the softmax with its delta.
    assert any({"mu", "sigma", "a"} <= set(k.written) for k in teams), str(plan.device)
    assert any({"p", "delta"} <= set(k.written) for k in teams), str(plan.device)


@pytest.mark.parametrize("seed", range(8))
def test_straight_lines_tell_what_all_numbers_of_samples_do(seed):
    rng = np.random.default_rng(seed)
    batch, found = 9, 0
    for _ in range(300):
        places = []
        for _ in range(2):
            extents = [int(e) for e in rng.integers(1, 4, rng.integers(0, 3))]
            shape = ("N", *extents) if rng.random() < 0.7 else tuple(extents)
            places.append(Place("work", int(rng.integers(0, 6)), int(rng.integers(0, 12)), shape))
        one, other = (order.region("work", p) for p in places)
        meet = any(entries(places[0], n) & entries(places[1], n) for n in range(1, batch + 1))
        # It may see a meeting where there is none, for a line may cross another between two whole numbers; never the other way round.
        assert not meet or one.meets(other, batch), places
        found += meet and one.meets(other, batch)
    assert found > 30


# --- what is decided wrongly is noticed -------------------------------------------------------------------------------------


def judged(net, folder):
    """Run a network's gradients in lock-step beside the interpreter; raise for a race or for wrong numbers."""
    made = network(net())
    data = drawn(made, 5, np.random.default_rng(3))
    plan = made.plan("float64", 8)
    found = errors(computed(Lock(text_of(plan), folder, Orders()), plan, data, "float64"), expected(made, plan, data), "float64")
    wrong = {name: error for name, error in found.items() if not error <= TOLERANCE["float64"]}
    if wrong:
        raise CheckError(str(wrong))


@pytest.mark.parametrize("net", [images, normed])
def test_launches_without_an_order_are_noticed(net, tmp_path, monkeypatch):
    judged(net, tmp_path / "right")
    monkeypatch.setattr(order.Memory, "behind", lambda *given: -1)
    with pytest.raises((LockstepError, CheckError)):
        judged(net, tmp_path / "wrong")


def test_a_sweep_that_goes_on_with_results_of_other_threads_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(together, "_told", lambda *given: True)
    monkeypatch.setattr(together, "SHORT", 10**6)
    appended = 0
    for net in NETS:
        if net is digits:
            continue
        plan = network(net()).plan("float64", 8)
        joined = [k for k in plan.device.kernels if isinstance(k.phase, Sweep) and "_to_" in k.name]
        if not joined:
            continue
        try:
            judged(net, tmp_path / net.__name__)
        except (LockstepError, CheckError):
            appended += 1
    assert appended


def test_one_place_of_a_batch_is_as_good_as_another():
    whole = Place("work", 4, 0, ("N", 4))
    assert order.region("work", whole).meets(order.region("work", whole), 3)
    assert not order.region("work", whole).meets(order.region("work", Place("work", 8, 0, ("N", 2))), 3)
    assert not order.region("work", whole).meets(order.region("grads", whole), 3)
    assert order.region("x", None).meets(order.region("x", None), 3)


# --- what was computed before is not computed again -------------------------------------------------------------------------

i, j = Index("i", 4), Index("j", 4)
Z, OUT = Tensor("z", (i,)), Tensor("out", (i,))
total, shift = Local("total"), Local("shift")


def summed(local, index, value):
    return (Let(local, S.Zero), Loop(index, S.Zero, index.extent, (Update(local, "sum", value),)))


def stored(value, index=i):
    return Loop(index, S.Zero, index.extent, (Store(OUT[index,], value),))


def changed(index=i):
    return Loop(index, S.Zero, index.extent, (Store(Z[index,], S.One),))


def test_the_same_sum_is_computed_once_whatever_its_index_is_called():
    # What was written before both of them is the same for both.
    before = (changed(), *summed(total, i, Z[i,]), stored(total))
    behind = (*summed(total, j, Z[j,]), stored(total + 1, j))
    assert onward.left(before, behind) == behind[2:]


def both(local, other, index, value):
    body = (Update(local, "sum", Z[index,]), Update(other, "sum", value))
    return (Let(local, S.Zero), Let(other, S.Zero), Loop(index, S.Zero, index.extent, body))


@pytest.mark.parametrize(
    ("before", "behind", "sharing"),
    [
        # What is read was written in between, before the first sum was over or after it, or is written until then.
        ((*summed(total, i, Z[i,]), stored(total), changed()), (*summed(total, j, Z[j,]), stored(total, j)), {}),
        ((*summed(total, i, Z[i,]), stored(total)), (changed(), *summed(total, j, Z[j,]), stored(total, j)), {}),
        # It shares memory with what was written.
        ((*summed(total, i, Z[i,]), stored(total)), (*summed(total, j, Z[j,]), stored(total, j)), {"z": frozenset(["out"])}),
        # Another sum has the name.
        ((*summed(total, i, Z[i,]), stored(total)), (*summed(total, j, 2 * Z[j,]), stored(total, j)), {}),
        # It has another value by then.
        ((*summed(total, i, Z[i,]), stored(total), *summed(total, i, 2 * Z[i,])), (*summed(total, j, Z[j,]), stored(total, j)), {}),
        # It is read on the way, too.
        ((*summed(total, i, Z[i,]), stored(total)), (Let(total, S.Zero), stored(total), *summed(total, j, Z[j,])[1:]), {}),
        # It follows from what is another value now.
        (
            (Let(shift, Z[0,]), *summed(total, i, Z[i,] - shift), stored(total)),
            (Let(shift, Z[1,]), *summed(total, j, Z[j,] - shift), stored(total, j)),
            {},
        ),
        # One loop adds up two sums, and one of them is another.
        ((*both(total, shift, i, Z[i,] ** 2), stored(total)), (*both(total, shift, j, Z[j,] ** 3), stored(total, j)), {}),
    ],
)
def test_another_sum_is_computed_for_itself(before, behind, sharing):
    assert onward.left(before, behind, sharing) == behind


def folded(local, index, value):
    return (Every((Let(local, S.Zero),)), Fold(local, "sum", (Range(index, S.Zero, index.extent),), (), (), value))


def test_a_sum_by_a_block_is_done_once():
    each = Each((Range(i, S.Zero, i.extent),), (Store(OUT[i,], total),))
    change = Each((Range(i, S.Zero, i.extent),), (Store(Z[i,], S.One),))
    # A local of each thread that has the name before is none any more.
    own = Each((Range(i, S.Zero, i.extent),), (Let(total, Z[i,]), Store(OUT[i,], total)))
    before, behind = (own, *folded(total, i, Z[i,]), each), (*folded(total, j, Z[j,]), each)
    assert onward.left(before, behind) == (each,)
    assert onward.left((*before, change), behind) == behind
    assert onward.left((*before, own), behind) == behind


def of_entries(name, axes, body, tensors, written):
    kernel = DeviceKernel(
        name, (), tensors, tuple("work" for _ in tensors), written, Sweep(tuple(Range(a, S.Zero, a.extent) for a in axes), body), ""
    )
    return Launch(kernel, tuple(t.name for t in tensors), None)


@pytest.mark.parametrize("inner", [j, Index("j", 3)])
def test_a_loop_does_not_catch_the_index_of_the_sweep_that_it_is_appended_to(inner):
    n, X, P, Q, W = Index("n", 3), *(Tensor(name, (Index("p", 4), Index("q", 4))) for name in "XPQW")
    first = of_entries("copy", (n, j), (Store(P[n, j], X[n, j]),), (X, P), ("P",))
    product = (*summed(total, inner, W[i, inner] * X[n, inner]), Store(Q[n, i], total))
    second = of_entries("product", (n, i), product, (W, X, Q), ("Q",))
    places = {t.name: Place("work", 0, 16 * k, (4, 4)) for k, t in enumerate((X, P, Q, W))}
    (both,) = together.Arranging(3, {}, 4, set()).merged([first, second], places)
    (read,) = {a for e in expressions(both.kernel.phase.body) for a in e.atoms(Access) if a.tensor.name == "W"}
    assert len({index.name for index in read.index}) == 2 and read.index[0] == j, read


def test_a_network_of_a_thousand_launches_is_arranged_in_seconds():
    # Each reads what the one before has written, at other entries, and a parameter of its own.
    n, count = Index("n", 3), 2000
    tensors = [Tensor(f"v{k}", (Index("p", 4),)) for k in range(count)]
    places = {t.name: Place("work", 4 * k, 0, ("N", 4)) for k, t in enumerate(tensors)}
    launches = [of_entries(f"k{k}", (n,), (Store(b[n,], a[3 - n,]),), (a, b), (b.name,)) for k, (a, b) in enumerate(pairwise(tensors))]
    meetings = sum(1 for _ in order.meeting({("work", name): order.region("work", p) for name, p in places.items()}, 64))
    assert meetings == 0
    levels = together.Arranging(64, {}, 4, set()).levels(launches, places)
    assert [len(level) for level in levels] == [1] * (count - 1)


@pytest.mark.parametrize("batch", [5, 512])
def test_what_is_kept_for_derivatives_alone_is_not_written_by_the_forward_pass(batch):
    # The derivative of gelu reads z; that of tanh is known from its value.
    layers = [sbp.Dense(80, activation="gelu"), sbp.Dense(70, activation="tanh"), sbp.Dense(66, activation="mish")]
    net = network(sbp.Sequential([sbp.Input(64), *layers], loss="mse", name="kept"), "rows")
    plan = net.plan("float32", batch)

    def writes(name):
        launches = [launch for one in plan.device.entries[name] for launch in parts(one)]
        return {real for one in launches for real, t in zip(one.names, one.kernel.tensors, strict=True) if t.name in one.kernel.written}

    written = {name: writes(name) for name in ("forward", "value_and_grad")}
    kept = {"dense_1.z", "dense_3.z"}
    assert kept <= written["value_and_grad"] and not kept & written["forward"]
    assert {"dense_1.a", "dense_2.a"} <= written["forward"]
