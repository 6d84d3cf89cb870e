"""What all questions about series ask first: which meter, and may it be answered at once."""

from commonwatt.api.endpoint.endpoint import Visit
from commonwatt.api.endpoint.windows import QuarterWindow
from commonwatt.api.http.problems import UnknownMeter
from commonwatt.app.accounts.authorize import require_open_meter
from commonwatt.domain.metering.catalogue import Group, Meter

QUICK_VALUES = 40_000
"""A meter's year takes a few milliseconds, less than the way to a thread and back may; what is more
leaves the event loop."""


def open_meter(visit: Visit, meter_id: str) -> Meter:
    """The meter of that id. Raises UnknownMeter and ClosedMeter."""
    meter = visit.catalogue.meter_by_id.get(meter_id)
    if meter is None:
        raise UnknownMeter(meter_id)
    require_open_meter(visit.site, meter_id)
    return meter


def is_settled(visit: Visit, group: Group, window: QuarterWindow) -> bool:
    """Whether nothing of the window is to be computed first."""
    return visit.settled.covers(visit.snapshot, visit.site, group, window.days)
