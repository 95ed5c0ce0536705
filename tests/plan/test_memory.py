"""The arena: values that live at the same time never overlap, and memory is used again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.plan.memory import Interval, first_fit

intervals = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 20), st.integers(0, 8)), max_size=30).map(
    lambda drawn: [Interval(f"t{k}", size, first, first + length) for k, (size, first, length) in enumerate(drawn)]
)


@given(intervals)
@settings(max_examples=200, deadline=None)
def test_values_that_live_at_the_same_time_never_overlap(values):
    offsets, size = first_fit(values)
    for k, a in enumerate(values):
        assert 0 <= offsets[a.name] and offsets[a.name] + a.size <= size
        for b in values[k + 1 :]:
            together = a.first <= b.last and b.first <= a.last
            apart = offsets[a.name] + a.size <= offsets[b.name] or offsets[b.name] + b.size <= offsets[a.name]
            assert apart or not together


def test_a_chain_needs_memory_for_two_values_only():
    _, size = first_fit([Interval(f"t{k}", 10, k, k + 1) for k in range(100)])
    assert size == 20


def test_a_thousand_values_on_a_tape_take_their_sum():
    values = [Interval(f"t{k}", 3, k, 2000 - k) for k in range(1000)]
    _, size = first_fit(values)
    assert size == 3000
