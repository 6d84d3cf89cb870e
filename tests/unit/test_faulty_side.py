"""Which readings are set aside where somebody says that those around a break are faulty."""

import numpy as np

from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.vee.boundary_index import AcceptedReadings
from commonwatt.domain.vee.faulty_side import faulty_side


def accepted(values: list[int], breaks_at: list[int]) -> AcceptedReadings:
    """Readings at 0, 1, 2 ... with breaks before those positions."""
    breaks = np.zeros(len(values), np.int64)
    breaks[breaks_at] = 1
    at_best = np.full(len(values), Quality.MEASURED, np.uint8)
    return AcceptedReadings(np.arange(len(values)), np.array(values), at_best, np.cumsum(breaks))


def test_of_a_fall_the_fewer_readings_that_contradict_the_other_side() -> None:
    few_new = accepted([10, 11, 12, 13, 4, 5], [4])
    assert faulty_side(few_new, 3, 4, True, True) == (4, 5)
    few_old = accepted([10, 11, 4, 5, 6], [2])
    assert faulty_side(few_old, 1, 2, True, True) == (0, 1)


def test_at_both_ends_of_a_strange_run_that_run() -> None:
    for strange in ([4, 5], [40, 50]):
        readings = accepted([10, 11, 12, *strange, 13, 14, 15, 16], [3, 5])
        assert faulty_side(readings, 2, 3, True, True) == (3, 4), strange
        assert faulty_side(readings, 4, 5, True, True) == (3, 4), strange


def test_more_has_to_be_in_sight_where_the_lesser_run_reaches_out_of_it() -> None:
    readings = accepted([4, 5, 13, 14, 15], [2])
    assert faulty_side(readings, 1, 2, from_start=False, to_end=True) is None
    assert faulty_side(readings, 1, 2, from_start=True, to_end=False) == (0, 1)
