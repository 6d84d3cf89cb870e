"""Comparing with another platform against sums and counts of single quarter-hours."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.reference.comparison import TOLERANCE, compare_series
from commonwatt.domain.reference.reference import NO_VALUE, VALUE_MAX

near = st.integers(-3 * TOLERANCE, 3 * TOLERANCE)
edges = st.sampled_from([0, 1, -1, TOLERANCE, TOLERANCE + 1, -TOLERANCE, -TOLERANCE - 1])
theirs_of_one = st.one_of(st.none(), near, edges, st.sampled_from([VALUE_MAX, -VALUE_MAX]))
ours_of_one = st.one_of(st.none(), st.integers(-3, 3).map(lambda wh: wh * 1000), edges)
quarter_hours = st.tuples(ours_of_one, theirs_of_one, st.sampled_from(Quality))


@given(st.lists(quarter_hours, max_size=60))
def test_sums_and_counts_are_those_of_single_quarter_hours(
    said: list[tuple[int | None, int | None, Quality]],
) -> None:
    ours = {n: one for n, (one, _, _) in enumerate(said) if one is not None}
    theirs = {n: one for n, (_, one, _) in enumerate(said) if one is not None}

    found = compare_series(
        np.array([ours.get(n, NO_VALUE) for n in range(len(said))], np.int64),
        np.array([theirs.get(n, NO_VALUE) for n in range(len(said))], np.int64),
        np.array([quality for _, _, quality in said], np.uint8),
    )

    both = ours.keys() & theirs.keys()
    differing = [n for n in both if abs(ours[n] - theirs[n]) > 1000]
    assert found.ours == sum(ours.values())
    assert found.theirs == sum(theirs.values())
    assert found.difference == sum(ours[n] - theirs[n] for n in both)
    assert (found.both, found.differing) == (len(both), len(differing))
    assert found.only_ours == len(ours.keys() - theirs.keys())
    assert found.only_theirs == len(theirs.keys() - ours.keys())
    counts = Counter(said[n][2] for n in differing)
    del counts[Quality.MEASURED]
    assert found.differing_qualities == counts
    assert found.is_equal == (ours.keys() == theirs.keys() and not differing)
