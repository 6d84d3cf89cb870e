"""A series of the server: where it has data, and its rows at every frequency around some days."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from commonwatt.conformance.asking.exchanges import Exchange, Request
from commonwatt.conformance.judging.fits import (
    PUBLISHED,
    QUARTER_S,
    Fit,
    Reading,
    fit,
    neighbours,
    period_pieces,
    quarter_pieces,
    readings,
    span_of,
)
from commonwatt.conformance.judging.local_periods import (
    DAY_S,
    MARGIN_S,
    calendar_period,
    day_start,
    is_switch_day,
    local_date,
    naive_utc,
)
from commonwatt.conformance.judging.rows import Row, rows_of
from commonwatt.conformance.judging.verdicts import CannotCheck
from commonwatt.conformance.samples.evidence import Evidence

_CORE_DAYS = 2
_SETTLING_DAYS = 2


@dataclass(frozen=True, slots=True)
class Source:
    """An endpoint with its path, and the documented keys of its values."""

    route: str
    path: str
    keys: tuple[str, ...]

    @property
    def plain_request(self) -> Request:
        """A request without a period."""
        if self.route == "sensor_data":
            return Request(self.route, "GET", self.path)
        return Request(self.route, "POST", self.path, "{}")

    def request(
        self, start_at: int | None, end_at: int | None, frequency: str | None = "15T"
    ) -> Request:
        """A request for a period; None leaves the parameter out."""
        body = {
            "t_s": None if start_at is None else naive_utc(start_at),
            "t_e": None if end_at is None else naive_utc(end_at),
            "sampling_frequency": frequency,
        }
        asked = {key: value for key, value in body.items() if value is not None}
        return Request(self.route, "POST", self.path, json.dumps(asked))


@dataclass(frozen=True, slots=True)
class FoundFit:
    """The reading of the stamps under which longer rows are sums, None for none."""

    reading: Reading | None
    fit: Fit
    ambiguous: frozenset[str]
    """Names of Reading's fields that the values do not tell: both ways fit."""


class Series:
    """A series with data around ``core``, some whole local days. Raises CannotCheck without."""

    def __init__(
        self, evidence: Evidence, source: Source, days: Sequence[date], days_looked_back: int
    ) -> None:
        self.evidence = evidence
        self.source = source
        self.zone = evidence.zone
        self.days_with_data = days
        self.days_looked_back = days_looked_back
        first, last = _core(days, self.zone, evidence.session.clock())
        self.first_day = first
        self.core = (day_start(first, self.zone), day_start(last + timedelta(days=1), self.zone))
        self._fits: dict[str, FoundFit] = {}
        self._rows: dict[Request, list[Row]] = {}

    def asked(self, start_at: int, end_at: int, frequency: str | None = "15T") -> Exchange:
        """Ask for a period."""
        return self.evidence.ask(self.source.request(start_at, end_at, frequency))

    def days_asked(self, back_days: int) -> Exchange:
        """Ask for the days from so many days ago until tomorrow."""
        return days_asked(self.evidence, self.source, back_days)

    def rows(self, exchange: Exchange) -> list[Row]:
        """The rows of an answer."""
        if exchange.request not in self._rows:
            self._rows[exchange.request] = rows_of(exchange, self.zone)
        return self._rows[exchange.request]

    @property
    def wide(self) -> tuple[int, int]:
        """The core and 15 hours on both sides, so that it is answered however times are read."""
        return self.core[0] - MARGIN_S, self.core[1] + MARGIN_S

    @property
    def quarters_asked(self) -> Exchange:
        """The quarter-hours of the core and around it."""
        return self.asked(*self.wide)

    def periods_asked(self, frequency: str) -> Exchange:
        """The longer rows of the core and around it: hours, days, the month, two years."""
        first_at, end_at = neighbours(frequency, *self.core, self.zone)
        return self.asked(first_at - MARGIN_S, end_at + MARGIN_S, frequency)

    @cached_property
    def quarters_start(self) -> bool:
        """Whether 15T stamps are starts, against the page."""
        try:
            reading = self.found_fit("H").reading
        except CannotCheck:
            return False
        return reading is not None and reading.quarters_start

    @property
    def may_start_or_end(self) -> bool:
        """Whether the values are so alike that 15T stamps could be starts as well as ends."""
        try:
            return "quarters_start" in self.found_fit("H").ambiguous
        except CannotCheck:
            return False

    def quarter_ends(self, exchange: Exchange) -> list[int]:
        """The ends of an answer's quarter-hours, whatever its stamps mean."""
        forward_s = QUARTER_S if self.quarters_start else 0
        return [row.at + forward_s for row in self.rows(exchange)]

    def found_fit(self, frequency: str) -> FoundFit:
        """The reading under which rows are sums of shorter ones.

        Hours and days are sums of quarter-hours, months of days, years of months.
        """
        if frequency not in self._fits:
            self._fits[frequency] = self._find(frequency)
        return self._fits[frequency]

    def _find(self, frequency: str) -> FoundFit:
        rows = self._compared(frequency)
        fits = {reading: self._fit(frequency, rows, reading) for reading in readings(frequency)}
        exact = [reading for reading, each in fits.items() if each.is_exact]
        near = [reading for reading, each in fits.items() if each.is_near]
        fitting = exact or near
        if not fitting:
            return FoundFit(None, fits[PUBLISHED], frozenset())
        chosen = fitting[0]
        names = ("quarters_start", "ends", "in_utc")
        others = {name for name in names for each in fitting[1:] if _differ(chosen, each, name)}
        return FoundFit(chosen, fits[chosen], frozenset(others))

    def _compared(self, frequency: str) -> list[Row]:
        """The hours and days of the core; its month or year and the one before."""
        rows = self.rows(self.periods_asked(frequency))
        if frequency in "HD":
            first_at, end_at = self.core
        else:
            first, following = calendar_period(self.first_day, frequency)
            before = calendar_period(first - timedelta(days=1), frequency)[0]
            first_at, end_at = day_start(before, self.zone), day_start(following, self.zone)
        return [row for row in rows if first_at <= row.at <= end_at]

    def _fit(self, frequency: str, rows: Sequence[Row], reading: Reading) -> Fit:
        keys = self.source.keys
        if frequency in "HD":
            pieces = quarter_pieces(self.rows(self.quarters_asked), keys, reading)
        else:
            finer = "D" if frequency == "M" else "M"
            found = self.found_fit(finer)
            if found.reading is None or not found.fit.is_exact:
                raise CannotCheck(f"{frequency} rests on {finer}, whose sums are not exact")
            if found.reading.in_utc:
                raise CannotCheck(f"{frequency} rests on days, which are cut in UTC")
            asked = self._parts_asked(frequency, finer)
            ends = found.reading.ends
            pieces = period_pieces(self.rows(asked), keys, finer, self.zone, ends=ends)
        settled_at = self.evidence.session.clock() - _SETTLING_DAYS * DAY_S
        return fit(rows, pieces, lambda row: self._span(row, frequency, reading), settled_at)

    def _parts_asked(self, frequency: str, finer: str) -> Exchange:
        start_at, end_at = neighbours(frequency, *self.core, self.zone)
        return self.asked(start_at - MARGIN_S, end_at + MARGIN_S, finer)

    def _span(self, row: Row, frequency: str, reading: Reading) -> tuple[int, int] | None:
        span = span_of(row, frequency, self.zone, reading)
        if span is None or frequency not in "HD":
            return span
        return span if self.wide[0] <= span[0] and span[1] <= self.wide[1] else None


def days_asked(evidence: Evidence, source: Source, back_days: int) -> Exchange:
    """Ask a source for its days from so many days ago until tomorrow."""
    now = int(evidence.session.clock())
    return evidence.ask(source.request(now - back_days * DAY_S, now + DAY_S, "D"))


def _differ(one: Reading, other: Reading, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _core(days: Sequence[date], zone: ZoneInfo, now: float) -> tuple[date, date]:
    """Two days one after the other that are ordinary, settled, and have data around them."""
    there = set(days)
    settled = local_date(int(now) - _SETTLING_DAYS * DAY_S, zone)
    for around in (1, 0):
        for last in sorted(there, reverse=True):
            first = last - timedelta(days=_CORE_DAYS - 1)
            run = [first + timedelta(days=n) for n in range(-around, _CORE_DAYS + around)]
            plain = not any(is_switch_day(day, zone) for day in run)
            if plain and there.issuperset(run) and last < settled:
                return first, last
    raise CannotCheck("there are no two days with data that follow each other")
