"""From what a meter is fed here: its readings, or, where the server tells none, its totals.

The API does not tell the rule of a rule meter, nor whether the readings of a physical one are
indexes or the energy of intervals. What it sends shows it.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np

from commonwatt.client import BadRequest, Climkit, Meter, Series, Site
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Medium, Mode
from commonwatt.domain.metering.catalogue import Meter as OwnMeter
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.mirror.columns import Values, known_registers

_LOOKED_AT = timedelta(days=31)
_JITTER_S = 60
_INTERVALS_S = (900, 1800, 3600)
_FEWEST_FALLS = 3
_FALLS_A_STEP = 0.02
_FALLS_A_RISE = 0.5
"""An index falls when its device is exchanged or fails, interval energy all day long."""
_LEAST_FALL = 0.01
"""Smaller falls may be the last digit of an index that trembles."""
_LIKELY_TIMES = 10
"""An index, summed as if it were energy, is hundreds of times what flowed."""


class Feed(StrEnum):
    """Where the readings of a meter come from."""

    READINGS = "readings"
    TOTALS = "totals"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Look:
    """What a server has of a meter: readings or none, and the intervals of which they are [s].

    ``since_at`` [Unix seconds] is from when they were looked at, ``energy`` their sum [kWh, m3].
    """

    has_readings: bool
    interval_s: int | None = None
    since_at: int = 0
    energy: float = 0.0

    def checked(self, validated: Series) -> "Look":
        """Take the readings for indexes where, as energy, they are far more than what flowed.

        Where nothing of that time is validated, nothing is known of it.
        """
        flowed = sum(
            total
            for end_at, total in zip(validated.ends_at, _values(validated, "total"), strict=True)
            if end_at > self.since_at and total is not None
        )
        if 0 < flowed * _LIKELY_TIMES < self.energy:
            return replace(self, interval_s=None)
        return self


def look_at(climkit: Climkit, site: Site, meter: Meter, medium: Medium) -> Look:
    """Return what readings a server has of a meter, by its latest month of them.

    Raises what the client raises; a server that refuses readings of this meter has none.
    """
    if meter.is_rule_meter:
        return Look(has_readings=False)
    try:
        latest = climkit.meter_data_raw(site, meter)
    except BadRequest:
        return Look(has_readings=False)
    if not known_registers(latest, medium):
        return Look(has_readings=False)
    last = datetime.fromtimestamp(latest.starts_at[-1], UTC)
    month = climkit.meter_data_raw(site, meter, last - _LOOKED_AT, last + timedelta(seconds=1))
    main = REGISTERS_OF[medium][-1 if meter.mode == Mode.PRODUCTION else 0]
    return Look(
        has_readings=True,
        interval_s=interval_of(month, medium),
        since_at=month.asked[0],
        energy=sum(value or 0.0 for value in _values(month, main.value)),
    )


def interval_of(raw: Series, medium: Medium) -> int | None:
    """Return the length of the intervals whose energy a series tells; None: it tells indexes.

    Energy of intervals stands at quarter-hours and falls again and again; an index rises.
    """
    stamps = np.array(raw.starts_at, np.int64)
    off = (stamps + QUARTER_S // 2) % QUARTER_S - QUARTER_S // 2
    if len(stamps) < 2 or bool((np.abs(off) > _JITTER_S).any()):
        return None
    steps = np.diff((stamps - off) // QUARTER_S) * QUARTER_S
    usual_s = int(Counter(steps.tolist()).most_common(1)[0][0])
    registers = known_registers(raw, medium)
    falls_again = any(_falls_again(raw.columns[each.value], len(steps)) for each in registers)
    return usual_s if usual_s in _INTERVALS_S and falls_again else None


def _falls_again(values: Values, steps: int) -> bool:
    """Whether values fall too often, and by too much, to be an index.

    Zeros are left out: a device that fails may tell one instead of its index.
    """
    pairs = [*pairwise(value for value in values if value)]
    falls = sum(later < earlier * (1 - _LEAST_FALL) for earlier, later in pairs)
    rises = sum(later > earlier for earlier, later in pairs)
    return falls >= max(_FEWEST_FALLS, _FALLS_A_STEP * steps, _FALLS_A_RISE * rises)


def _values(series: Series, name: str) -> Values:
    return series.columns.get(name, [None] * len(series))


def feed_of(meter: Meter, own: OwnMeter, look: Look | None) -> tuple[Feed, str | None]:
    """Return from what a declared meter is fed, and what is to be said of it.

    ``look``: what the server has of a physical meter that is an interval meter here; of an index
    meter nobody has to look.
    """
    if own.is_rule_meter:
        return Feed.NOTHING, "computed here by a rule; what the server says is kept as reference"
    if own.interval_s is None:
        if not meter.is_rule_meter:
            return Feed.READINGS, None
        return Feed.NOTHING, "an index meter here, a rule meter there: kept as reference only"
    if look is not None and look.has_readings and look.interval_s == own.interval_s:
        return Feed.READINGS, None
    if own.interval_s != QUARTER_S:
        return Feed.NOTHING, "its intervals here are not quarter-hours: kept as reference only"
    return Feed.TOTALS, _why_totals(meter, look)


def _why_totals(meter: Meter, look: Look | None) -> str:
    if meter.is_rule_meter:
        return "fed from validated totals: a rule meter, and the API does not tell its rule"
    if look is not None and look.has_readings:
        return "fed from validated totals as before, though it has readings of another kind now"
    return "fed from validated totals: the server has no readings of it"
