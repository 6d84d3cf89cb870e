"""What the demo's gateway reads off the meters, and when it gets through with it.

Every meter is read each quarter-hour, a few seconds before or after. The history has holes, and
single hours of readings arrive hours late, as over a bad radio link. What is read when, and when it
is sent, depends on the calendar and on the day the demo was set up alone, so nothing needs to be
kept to send it again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from commonwatt.demo.simulated import building
from commonwatt.demo.simulated.building import HOUSEHOLDS, TIMEZONE, Address
from commonwatt.demo.simulated.indexes import MeterIndexes
from commonwatt.demo.simulated.noise import uniform
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S
from commonwatt.domain.metering.readings import NO_VALUE, NOT_ISSUED, MeterName, ReadingRows
from commonwatt.domain.metering.zones import local_midnight

HISTORY_MONTHS = 13
LATE_MOST_S = 6 * 3600
"""No reading is sent later than this after it was taken."""
PROMPT_S = 60
"""What is sent within this time is not late."""

_SENDING_S = 4
_ELECTRIC = (
    building.GRID,
    *(home.address for home in HOUSEHOLDS),
    building.HOUSE_SUPPLY,
    building.HEAT_PUMP,
    building.CHARGE_POINT,
    building.PV_SOUTH,
    building.PV_WEST,
    building.BATTERY,
)
METERS = (
    *_ELECTRIC,
    *building.HEATING,
    building.COOLING,
    *building.COLD_WATER,
    *building.HOT_WATER,
)
"""The meters that are read, in the order in which the gateway asks them."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A span of the history without readings, counted back from the day of setting up.

    It begins some minutes after ``hour`` of that day; ``address`` None means all meters.
    """

    address: Address | None
    days_before: int
    hour: int
    minutes: int

    def span(self, set_up_midnight_at: int) -> tuple[int, int]:
        """Return its start and end [Unix seconds]."""
        start_at = set_up_midnight_at - self.days_before * DAY_S + self.hour * 3600
        # Between two readings, so that meters which fail together lack the same quarter-hours.
        start_at += QUARTER_S // 2
        return start_at, start_at + self.minutes * 60


# Single consumers fail at midday, when a straight line through the gap is nearest to the truth.
OUTAGES = (
    Outage(None, 100, 9, 25 * 60),
    Outage(None, 31, 2, 90),
    Outage(None, 250, 13, 5 * 60),
    Outage(HOUSEHOLDS[3].address, 45, 11, 5 * 60),
    Outage(HOUSEHOLDS[8].address, 8, 12, 90),
    Outage(HOUSEHOLDS[3].address, 180, 11, 3 * 60),
    Outage(building.PV_WEST, 17, 10, 7 * 60),
    Outage(building.HEATING[1], 12, 6, 30 * 60),
    Outage(building.COLD_WATER[0], 20, 4, 9 * 60),
)


class ReadingLog:
    """The readings of the demo's building, by default from 13 months before it was set up."""

    def __init__(self, set_up_at: int, history_from_at: int | None = None) -> None:
        """``set_up_at`` [Unix seconds] is when the demo was started for the first time.

        ``history_from_at``, a quarter-hour, is about when the first readings were taken.
        """
        if history_from_at is None:
            history_from_at = history_start(set_up_at)
        self.history_from_at = history_from_at
        self._indexes = MeterIndexes(set_up_at)
        self._set_up_midnight_at = _midnight_before(set_up_at)

    def due(self, after_at: int, until_at: int) -> tuple[ReadingRows, ReadingRows]:
        """Return the readings that get through in (after_at, until_at]: the prompt and the late."""
        first = max(after_at - LATE_MOST_S - QUARTER_S, self.history_from_at) // QUARTER_S
        quarters = np.arange(first, until_at // QUARTER_S + 2, dtype=np.int64)
        prompt, late = [], []
        for code, address in enumerate(METERS):
            stamps = quarters * QUARTER_S + self._jitter_s(code, quarters)
            delay_s = _delay_s(address, quarters)
            sent_at = stamps + delay_s
            taken = (sent_at > after_at) & (sent_at <= until_at) & (stamps >= self.history_from_at)
            taken &= ~self._fails(address, stamps)
            prompt.append((code, stamps[taken & (delay_s <= PROMPT_S)]))
            late.append((code, stamps[taken & (delay_s > PROMPT_S)]))
        return self._rows(prompt), self._rows(late)

    def now(self, instant_at: int) -> ReadingRows:
        """Return what the electricity meters show at an instant [Unix seconds]."""
        stamps = np.array([instant_at], np.int64)
        return self._rows([(code, stamps) for code in range(len(_ELECTRIC))])

    def _jitter_s(self, code: int, quarters: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many seconds off the quarter-hour a meter is read: -2 to 6."""
        chance = uniform(f"jitter {code}", quarters)
        jitter_s = code % 5 - 2 + (chance * 5.0).astype(np.int64)
        # A meter counts from its first whole quarter-hour; let that be the same one for all.
        is_first = quarters == self.history_from_at // QUARTER_S
        return np.where(is_first, np.maximum(jitter_s, 1), jitter_s)

    def _fails(self, address: Address, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
        fails = np.zeros(len(stamps), np.bool_)
        for outage in OUTAGES:
            if outage.address in {None, address}:
                start_at, end_at = outage.span(self._set_up_midnight_at)
                fails |= (stamps >= start_at) & (stamps < end_at)
        return fails

    def _rows(self, taken: list[tuple[int, NDArray[np.int64]]]) -> ReadingRows:
        """Return the readings of (position in METERS, stamps) as the columns of one body."""
        stamps = np.concatenate([at for _, at in taken])
        values = {register: np.full(len(stamps), NO_VALUE, np.int64) for register in Register}
        start = 0
        for code, at in taken:
            span = slice(start, start := start + len(at))
            for register, index in self._indexes.read(METERS[code], at).items():
                values[register][span] = index
        count = len(stamps)
        codes = np.array([code for code, _ in taken], np.int32)
        return ReadingRows(
            rows=np.arange(1, count + 1, dtype=np.int64),
            meter_codes=np.repeat(codes, [len(at) for _, at in taken]),
            meters=[MeterName(type=meter.type, prim_ad=meter.prim_ad) for meter in METERS],
            stamps=stamps,
            values=values,
            qualities=np.zeros(count, np.uint8),
            issued_at=np.full(count, NOT_ISSUED, np.int64),
            total=count,
        )


def history_start(set_up_at: int) -> int:
    """Return the local midnight 13 months before an instant [Unix seconds].

    >>> datetime.fromtimestamp(history_start(1_795_300_000), ZoneInfo(TIMEZONE)).isoformat()
    '2025-10-21T00:00:00+02:00'
    """
    today = datetime.fromtimestamp(set_up_at, ZoneInfo(TIMEZONE)).date()
    months = today.year * 12 + today.month - 1 - HISTORY_MONTHS
    # The 28th exists in each month; a day or three more of history does no harm.
    start = today.replace(year=months // 12, month=months % 12 + 1, day=min(today.day, 28))
    return local_midnight(TIMEZONE, start)


def _midnight_before(instant_at: int) -> int:
    return local_midnight(
        TIMEZONE, datetime.fromtimestamp(instant_at, UTC).astimezone(ZoneInfo(TIMEZONE)).date()
    )


def _delay_s(address: Address, quarters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return after how many seconds each reading gets through; the readings of an hour share it."""
    hours = quarters // 4
    name = f"{address.type} {address.prim_ad}"
    one_in = 500.0 if address in _ELECTRIC else 60.0
    is_late = uniform(f"late {name}", hours) * one_in < 1.0
    hours_late = 1 + (uniform(f"how late {name}", hours) * 5.0).astype(np.int64)
    return np.where(is_late, hours_late * 3600 - 1800, _SENDING_S)
