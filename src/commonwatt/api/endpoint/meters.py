"""What all requests for series find out first: which meter, and may it be answered at once."""

from commonwatt.api.endpoint.endpoint import RequestContext
from commonwatt.api.endpoint.windows import QuarterWindow
from commonwatt.app.accounts.authorize import require_open_meter
from commonwatt.app.errors import UnknownMeter
from commonwatt.domain.metering.catalogue import Group, Meter

QUICK_VALUES = 40_000
"""A meter's year takes a few milliseconds, less than the way to a thread and back may; what is more
leaves the event loop."""


def open_meter(context: RequestContext, meter_id: str) -> Meter:
    """The meter of that id. Raises UnknownMeter and ClosedMeter."""
    meter = context.catalogue.meter_by_id.get(meter_id)
    if meter is None:
        raise UnknownMeter(meter_id)
    require_open_meter(context.site, meter_id)
    return meter


def is_settled(context: RequestContext, group: Group, window: QuarterWindow) -> bool:
    """Whether nothing of the window is to be computed first."""
    return context.settled.covers(context.snapshot, context.site, group, window.days)
