"""How our quarter-hours of a meter differ from those of another platform, month by month.

Amounts are in mWh (water: ml), as the other platform's are kept; ours are whole Wh and litres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.catalogue import Meter
from commonwatt.domain.metering.load_profile import Qualities
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.reference.reference import NO_VALUE

RAW_UNITS = 1000
"""mWh in a Wh, ml in a litre."""
TOLERANCE = RAW_UNITS
"""What both may differ by in a quarter-hour and still be equal: each rounds in its own way."""
_LOW = np.int64(2**32 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesComparison:
    """One series of a meter over a month, ours beside theirs [mWh, ml].

    ``ours`` and ``theirs`` are sums of what each has; ``difference`` is ours less theirs over the
    ``both`` quarter-hours that both have, ``differing`` of them differ by more than TOLERANCE.
    ``only_ours`` and ``only_theirs`` count the quarter-hours that one alone has.
    ``differing_qualities`` counts the differing ones by our quality, without those that are
    MEASURED.
    """

    ours: int
    theirs: int
    difference: int
    both: int
    differing: int
    only_ours: int
    only_theirs: int
    differing_qualities: Mapping[Quality, int]

    @property
    def is_equal(self) -> bool:
        """Whether both have the same quarter-hours and none of them differs."""
        return not (self.differing or self.only_ours or self.only_theirs)


class Reason(StrEnum):
    """What is known of why ours is as it is.

    NO_READINGS: no reading of the meter counts within the month. FROM_TOTALS: ours was made of
    theirs, so that the two being equal proves nothing.
    """

    NO_READINGS = "no_readings"
    FROM_TOTALS = "from_totals"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthComparison:
    """A meter over a month of its site's calendar.

    ``month`` is written as 2026-03 and is [start, end) [Unix seconds], as far as it was copied.
    ``series`` has ``total``, and ``self`` and ``ext`` where one of both has them.
    """

    meter: Meter
    month: str
    start_at: int
    end_at: int
    series: Mapping[str, SeriesComparison]
    reasons: frozenset[Reason]

    @property
    def is_equal(self) -> bool:
        """Whether all series are equal."""
        return all(each.is_equal for each in self.series.values())


def compare_series(
    ours: NDArray[np.int64], theirs: NDArray[np.int64], qualities: Qualities
) -> SeriesComparison:
    """Compare columns of the same quarter-hours [mWh, ml], NO_VALUE where one has none.

    ``qualities`` are codes of `Quality`, those of ours.

    >>> found = compare_series(
    ...     np.array([5_000, 7_000, NO_VALUE]),
    ...     np.array([5_900, 9_000, 9_000]),
    ...     np.full(3, Quality.MEASURED, np.uint8),
    ... )
    >>> found.ours, found.theirs, found.difference, found.differing, found.only_theirs
    (12000, 23900, -2900, 1, 1)
    """
    has_ours, has_theirs = ours != NO_VALUE, theirs != NO_VALUE
    both = has_ours & has_theirs
    differences = ours[both] - theirs[both]
    differs = np.abs(differences) > TOLERANCE
    counts = np.bincount(qualities[both][differs], minlength=len(Quality)).tolist()
    return SeriesComparison(
        ours=_exact_sum(ours[has_ours]),
        theirs=_exact_sum(theirs[has_theirs]),
        difference=_exact_sum(differences),
        both=int(both.sum()),
        differing=int(differs.sum()),
        only_ours=int((has_ours & ~has_theirs).sum()),
        only_theirs=int((has_theirs & ~has_ours).sum()),
        differing_qualities={
            quality: counts[quality]
            for quality in Quality
            if quality is not Quality.MEASURED and counts[quality]
        },
    )


def _exact_sum(values: NDArray[np.int64]) -> int:
    """The sum of values that may each be as large as int64 holds."""
    return (int((values >> 32).sum()) << 32) + int((values & _LOW).sum())
