"""Segments of an index register: runs over which its index counts on.

A register begins anew where its device is exchanged or reset. Each segment is interpolated and
rounded by itself, with its own factor, and stands still before its start and after its end; so the
sum of any span of quarter-hours is the sum of the differences of the devices' registers.
"""

from dataclasses import dataclass
from decimal import Decimal

from commonwatt.domain.vee.boundary_index import AcceptedReadings


@dataclass(frozen=True, slots=True)
class Segment:
    """The accepted readings of one run of a register, from ``start_at`` to ``end_at``.

    Both [Unix seconds] are None where the register does not begin anew (it may be that of the
    meter's life, or out of sight). ``factor`` replaces that of the meter's facts, None: it does
    not. The quarter-hour of an edge belongs to both of its segments.
    """

    readings: AcceptedReadings
    start_at: int | None = None
    end_at: int | None = None
    factor: Decimal | None = None
