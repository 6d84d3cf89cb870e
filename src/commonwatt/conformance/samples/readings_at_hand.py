"""Rows that are not quarter-hours: raw readings of a meter, values of a sensor."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from commonwatt.conformance.asking.exchanges import Exchange, Request
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.local_periods import DAY_S, MARGIN_S, naive_utc
from commonwatt.conformance.judging.published import TIMESTAMP
from commonwatt.conformance.judging.rows import Row, list_fault, objects, read_stamp, rows_of
from commonwatt.conformance.judging.verdicts import CannotCheck
from commonwatt.conformance.samples.evidence import Evidence, MeterSeen
from commonwatt.conformance.samples.series import Source

_TRIED = 4
_ENOUGH = 4
_DAYS_BACK = (2, 40)


@dataclass(frozen=True, slots=True)
class Readings:
    """A source of readings and a wide answer with some in it."""

    source: Source
    exchange: Exchange
    zone: ZoneInfo

    @property
    def entries(self) -> list[dict[str, object]]:
        """The rows as they came."""
        return objects(self.exchange)

    @property
    def count(self) -> int:
        """How many rows came, 0 where the answer is no list."""
        return 0 if list_fault(self.exchange) else len(self.entries)

    @property
    def rows(self) -> list[Row]:
        """The rows. Raises CannotCheck where their stamps cannot be read."""
        return rows_of(self.exchange, self.zone)


def period_request(source: Source, start_at: int, end_at: int) -> Request:
    """A request for readings: in the query of a GET for sensors, else in a body."""
    if source.route == "sensor_data":
        params = (("t_s", naive_utc(start_at)), ("t_e", naive_utc(end_at)))
        return Request(source.route, "GET", source.path, None, params)
    return source.request(start_at, end_at, None)


def find_sensor_values(evidence: Evidence) -> Readings:
    """The values of a sensor that has some. Raises CannotCheck where there is none."""
    if not evidence.sensors:
        raise CannotCheck("the site has no sensors")
    found = []
    for sensor in evidence.sensors[:_TRIED]:
        source = Source("sensor_data", f"/{evidence.site}/sensor_data/{sensor}", ("value",))
        latest = Readings(source, evidence.ask(source.plain_request), evidence.zone)
        if latest.count:
            found.append(_around_latest(evidence, latest))
    return _fullest(found, "sensor_data")


def _around_latest(evidence: Evidence, latest: Readings) -> Readings:
    stamps = (read_stamp(entry.get(TIMESTAMP), latest.zone) for entry in latest.entries)
    known = [stamp.at for stamp in stamps if stamp is not None]
    if not known:
        return latest
    return _around(evidence, latest.source, max(known))


def find_raw_readings(evidence: Evidence, around_at: int) -> Readings:
    """The readings of a physical meter before an instant. Raises CannotCheck without any."""
    physical = [meter for meter in evidence.meters if not meter.is_rule_meter]
    ranked = sorted(physical, key=lambda each: not each.shares_sun)
    sources = [raw_source(evidence.site, meter) for meter in ranked]
    found = (_around(evidence, source, around_at) for source in sources[:_TRIED])
    return _fullest(found, "meter_data_raw")


def _around(evidence: Evidence, source: Source, last_at: int) -> Readings:
    """The readings of two days, of forty where these are few."""
    readings = []
    for days in _DAYS_BACK:
        start_at, end_at = last_at - days * DAY_S - MARGIN_S, last_at + MARGIN_S
        exchange = evidence.ask(period_request(source, start_at, end_at))
        readings.append(Readings(source, exchange, evidence.zone))
        if readings[-1].count >= _ENOUGH:
            break
    return readings[-1]


def _fullest(found: Iterable[Readings], route: str) -> Readings:
    """The first with enough rows, else the one with most; what is refused has none."""
    best: Readings | None = None
    for each in found:
        if each.count > (best.count if best else 0):
            best = each
        if each.count >= _ENOUGH:
            break
    if best is None:
        raise CannotCheck(f"no rows of /{route} where there could be some")
    return best


def raw_source(site: str, meter: MeterSeen) -> Source:
    """The readings of a meter, under the registers of its type."""
    keys = published.REGISTERS.get(meter.type, ())
    return Source("meter_data_raw", f"/meter_data_raw/{site}/{meter.id}", keys)
