"""What the demo's gateway reads: cadence, jitter, holes, and what comes late."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from commonwatt.demo.simulated import building
from commonwatt.demo.simulated.building import HOUSEHOLDS, Address
from commonwatt.demo.simulated.reading_log import LATE_MOST_S, METERS, ReadingLog
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.readings import NO_VALUE, ReadingRows

SET_UP_AT = 1_795_252_512  # 2026-11-21 10:35:12 in Zurich
LOG = ReadingLog(SET_UP_AT)


@pytest.fixture(scope="module")
def history() -> tuple[ReadingRows, ReadingRows]:
    return LOG.due(0, SET_UP_AT)


def stamps_of(rows: ReadingRows, address: Address) -> NDArray[np.int64]:
    stamps: NDArray[np.int64] = np.sort(rows.stamps[rows.meter_codes == METERS.index(address)])
    return stamps


def both(history: tuple[ReadingRows, ReadingRows], address: Address) -> NDArray[np.int64]:
    return np.sort(np.concatenate([stamps_of(rows, address) for rows in history]))


def instants(rows: ReadingRows) -> Counter[tuple[int, int]]:
    return Counter(zip(rows.meter_codes.tolist(), rows.stamps.tolist(), strict=True))


def test_thirteen_months_that_end_now(history: tuple[ReadingRows, ReadingRows]) -> None:
    for address in METERS:
        stamps = both(history, address)
        assert stamps[0] - LOG.history_from_at < QUARTER_S + 10
        assert SET_UP_AT - QUARTER_S - LATE_MOST_S - 10 < stamps[-1] <= SET_UP_AT
    assert both(history, building.GRID)[-1] > SET_UP_AT - QUARTER_S - 10
    assert 395 * DAY_S < SET_UP_AT - LOG.history_from_at < 400 * DAY_S


def test_readings_are_a_few_seconds_off_the_quarter(
    history: tuple[ReadingRows, ReadingRows],
) -> None:
    off = (history[0].stamps + QUARTER_S // 2) % QUARTER_S - QUARTER_S // 2

    assert sorted(set(off.tolist())) == list(range(-2, 7))


def test_each_meter_is_read_once_a_quarter_outside_the_holes(
    history: tuple[ReadingRows, ReadingRows],
) -> None:
    for address in METERS:
        stamps = both(history, address)
        holes = np.diff(stamps)[np.diff(stamps) > QUARTER_S + 10]
        assert int(np.diff(stamps).min()) > QUARTER_S - 10
        # The hours that all meters lack, and what a meter lacks of its own. A reading that is still
        # on its way at the end of the history leaves a hole there for now.
        assert any(abs(int(hole) - 25 * 3600) < 3 * QUARTER_S for hole in holes), address
        assert len(holes) <= 7, address


def test_single_meters_have_holes_of_their_own(history: tuple[ReadingRows, ReadingRows]) -> None:
    grid = both(history, building.GRID)
    home = both(history, HOUSEHOLDS[3].address)
    riser = both(history, building.HEATING[1])

    assert len(grid) - len(home) == pytest.approx((5 + 3) * 4, abs=2)
    assert int(np.diff(riser).max()) > 29 * 3600


def test_some_hours_come_late_and_not_for_long(history: tuple[ReadingRows, ReadingRows]) -> None:
    _, late = history

    assert 1_000 < late.total < 20_000
    assert set(late.meter_codes.tolist()) == set(range(len(METERS)))


@given(cuts=st.lists(st.integers(0, 3 * DAY_S), min_size=1, max_size=6))
def test_every_reading_is_sent_once_however_often_one_asks(cuts: list[int]) -> None:
    start_at = SET_UP_AT - 20 * DAY_S
    end_at = start_at + 3 * DAY_S
    edges = [start_at, *sorted(start_at + cut for cut in cuts), end_at]

    at_once = LOG.due(start_at, end_at)
    in_parts = [LOG.due(a, b) for a, b in pairwise(edges)]

    for kind in (0, 1):
        sent: Counter[tuple[int, int]] = Counter()
        for part in in_parts:
            sent += instants(part[kind])
        assert sent == instants(at_once[kind])
        assert set(sent.values()) <= {1}


def test_nothing_is_sent_before_it_is_read() -> None:
    for rows in LOG.due(SET_UP_AT, SET_UP_AT + DAY_S):
        assert int(rows.stamps.max()) <= SET_UP_AT + DAY_S


def test_after_setting_up_no_reading_is_lost() -> None:
    week = LOG.due(SET_UP_AT, SET_UP_AT + 7 * DAY_S + LATE_MOST_S)

    for address in METERS:
        stamps = both(week, address)
        inside = stamps[(stamps >= SET_UP_AT + 3600) & (stamps < SET_UP_AT + 7 * DAY_S)]
        assert int(np.diff(inside).max()) < QUARTER_S + 10


def test_a_row_has_the_registers_of_its_meter_alone() -> None:
    rows, _ = LOG.due(SET_UP_AT - 3600, SET_UP_AT)

    for position, code in enumerate(rows.meter_codes.tolist()):
        said = {r for r, column in rows.values.items() if column[position] != NO_VALUE}
        electric = {Register.EN_IM, Register.EN_EX}
        expected = {
            "electricity": electric,
            "charge_point": electric,
            "heating": {Register.HEAT_ENERGY_KWH},
            "cooling": {Register.HEAT_ENERGY_KWH},
            "cold_water": {Register.VOL_M3},
            "hot_water": {Register.VOL_M3},
        }
        assert said == expected[METERS[code].type]
    assert rows.rows.tolist() == list(range(1, rows.total + 1))


def test_now_every_electricity_meter_shows_its_index() -> None:
    rows = LOG.now(SET_UP_AT + 77)

    assert rows.total == 19
    assert set(rows.stamps.tolist()) == {SET_UP_AT + 77}
    assert int(rows.values[Register.EN_IM].min()) >= 0


def test_a_second_start_tells_the_same() -> None:
    again = ReadingLog(SET_UP_AT)

    for before, after in zip(
        LOG.due(SET_UP_AT, SET_UP_AT + DAY_S), again.due(SET_UP_AT, SET_UP_AT + DAY_S), strict=True
    ):
        np.testing.assert_array_equal(before.stamps, after.stamps)
        for register in Register:
            np.testing.assert_array_equal(before.values[register], after.values[register])


def test_all_meters_count_from_the_same_quarter(
    history: tuple[ReadingRows, ReadingRows],
) -> None:
    first = {int(both(history, address)[0]) for address in METERS}

    assert LOG.history_from_at < min(first)
    assert max(first) < LOG.history_from_at + QUARTER_S


def test_meters_that_fail_together_lack_the_same_quarters(
    history: tuple[ReadingRows, ReadingRows],
) -> None:
    lacking = []
    for address in (building.GRID, building.BATTERY, *(home.address for home in HOUSEHOLDS)):
        stamps = both(history, address)
        last = int(np.flatnonzero(np.diff(stamps) > DAY_S)[0])
        lacking.append((round(stamps[last] / QUARTER_S), round(stamps[last + 1] / QUARTER_S)))

    assert len(set(lacking)) == 1


def test_what_gets_through_at_the_very_instant_is_sent_once() -> None:
    start_at = SET_UP_AT - DAY_S
    prompt, _ = LOG.due(start_at, start_at + 3600)
    # Between reading and sending lie 4 seconds.
    instants_at = sorted({int(stamp) + 4 for stamp in prompt.stamps.tolist()})

    sent = sum((LOG.due(at - 1, at)[0].total for at in instants_at), 0)
    until = sum((LOG.due(start_at, at)[0].total for at in instants_at[-1:]), 0)

    assert sent == until == prompt.total
