"""What is known of the registers of meters, found out again from all that is stored."""

from collections.abc import Iterable
from dataclasses import replace

from commonwatt.app.errors import DamagedDay
from commonwatt.app.ports import Change, RegisterSpan
from commonwatt.app.settling.load import MeterHistory
from commonwatt.app.settling.plausible_days import DaysOfMeter, with_plausible_days
from commonwatt.domain.metering.catalogue import Meter, Register


def correct_spans(change: Change, site: int, meters: Iterable[Meter], generation: int) -> None:
    """Look again which days of meters are plausible, and for their first index above 0.

    Stored under a generation. Raises `DamagedDay`.
    """
    meters = list(meters)
    spans = change.readings.register_spans(site, [meter.number for meter in meters])
    withdrawn = change.readings.withdrawn(site)
    corrected: dict[tuple[int, str], RegisterSpan] = {}
    for meter in meters:
        of_meter = spans.get(meter.number, {})
        days = DaysOfMeter(change.readings, site, meter, withdrawn)
        of_meter = with_plausible_days(of_meter, days.believed_afresh(of_meter))
        history = MeterHistory(change.readings, site, meter, of_meter, None, 0, 0)
        for name, span in of_meter.items():
            first_at = history.first_positive_at(Register(name), None, withdrawn)
            corrected[meter.number, name] = replace(span, first_positive_at=first_at)
    change.readings.put_register_spans(site, corrected, generation)


def learn_at_upgrade(change: Change, site: int, generation: int) -> None:
    """Find out by today's rules what earlier ones did not keep of the meters of a site.

    Of a meter whose readings are damaged it stays as it was known.
    """
    for meter in change.catalogue.catalogue(site).meters:
        try:
            correct_spans(change, site, [meter], generation)
        except DamagedDay:
            continue
