"""Which series of a site have data, and on which days."""

from collections.abc import Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from commonwatt.conformance.asking.exchanges import Exchange
from commonwatt.conformance.judging import published
from commonwatt.conformance.judging.local_periods import local_date
from commonwatt.conformance.judging.rows import read_stamp
from commonwatt.conformance.judging.verdicts import CannotCheck
from commonwatt.conformance.samples.evidence import Evidence, MeterSeen
from commonwatt.conformance.samples.series import Series, Source, days_asked

_LOOK_BACK_DAYS = 400
_LONG_AGO_DAYS = 366 * 15
_SURELY_ALLOWED_DAYS = 30
_TRIED = 4


def find_series(evidence: Evidence, candidates: Sequence[Source]) -> Series:
    """The first of some series that has data. Raises CannotCheck where none has.

    Of those with the same documented keys one that answers them all goes before: a consumer that
    takes no part in the balance has no share in the sun.
    """
    spare: tuple[Source, list[date], int] | None = None
    for source in candidates[:_TRIED]:
        if spare is not None and source.keys != spare[0].keys:
            break
        for exchange, looked_back in answers_of_days(evidence, source):
            days = _days(exchange, evidence.zone)
            if days and _has_all(exchange, source.keys):
                return Series(evidence, source, days, looked_back)
            spare = spare or ((source, days, looked_back) if days else None)
    if spare is None:
        raise CannotCheck(f"no rows of /{candidates[0].route} at D anywhere")
    return Series(evidence, *spare)


def _has_all(exchange: Exchange, keys: Sequence[str]) -> bool:
    entries = exchange.content if isinstance(exchange.content, list) else []
    return any(isinstance(each, dict) and each.keys() >= set(keys) for each in entries)


def answers_of_days(evidence: Evidence, source: Source) -> Iterator[tuple[Exchange, int]]:
    """Lists of a source's days: of the last 400, of years if there are none; and of how many.

    How long a period may be is not published: where 400 days are refused the last 30 are asked for.
    """
    looked_back = _LOOK_BACK_DAYS
    exchange = days_asked(evidence, source, looked_back)
    if exchange.is_refused:
        looked_back = _SURELY_ALLOWED_DAYS
        exchange = days_asked(evidence, source, looked_back)
    if exchange.is_answered and isinstance(exchange.content, list):
        yield exchange, looked_back
        if exchange.content:
            return
    exchange = days_asked(evidence, source, _LONG_AGO_DAYS)
    if exchange.is_answered and isinstance(exchange.content, list):
        yield exchange, _LONG_AGO_DAYS


def _days(exchange: Exchange, zone: ZoneInfo) -> list[date]:
    assert isinstance(exchange.content, list)
    entries = (each for each in exchange.content if isinstance(each, dict))
    stamps = (read_stamp(each.get(published.TIMESTAMP), zone) for each in entries)
    return sorted({local_date(stamp.at, zone) for stamp in stamps if stamp is not None})


def site_sources(evidence: Evidence) -> list[Source]:
    """The series of the site, electricity first."""
    return [site_source(evidence.site, medium) for medium in evidence.media]


def site_source(site: str, medium: str) -> Source:
    """The series of a site for one type of meters."""
    electricity = medium == "electricity"
    keys = published.ELECTRICITY_KEYS if electricity else published.OTHER_MEDIUM_KEYS
    return Source("site_data", f"/site_data/{site}/{medium}", keys)


def meter_sources(evidence: Evidence) -> list[Source]:
    """The series of meters: consumers of electricity first, rule meters last."""
    return [meter_source(evidence.site, meter) for meter in ranked_meters(evidence)]


def ranked_meters(evidence: Evidence) -> list[MeterSeen]:
    """The meters: consumers of electricity first, rule meters last. Raises CannotCheck without."""
    if not evidence.meters:
        raise CannotCheck("the site has no meters")
    return sorted(evidence.meters, key=_rank)


def _rank(meter: MeterSeen) -> tuple[bool, bool, bool]:
    return not meter.shares_sun, meter.type != "electricity", meter.is_rule_meter


def meter_source(site: str, meter: MeterSeen) -> Source:
    """The series of a meter."""
    keys = published.CONSUMER_KEYS if meter.shares_sun else published.OTHER_METER_KEYS
    return Source("meter_data", f"/meter_data/{site}/{meter.id}", keys)
