"""The series of a meter and the balance of a site on our own surface, as tables of periods.

Every quarter-hour of a life is told with its quality: none is hidden because another meter is
missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.endpoint.long_answers import known_part
from commonwatt.api.endpoint.meters import QUICK_VALUES, is_settled, open_meter
from commonwatt.api.endpoint.windows import QuarterWindow, quarters_within
from commonwatt.api.http.media_types import OF_TABLES, accepted_type
from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.http.table_answers import TableAnswer
from commonwatt.api.own_requests import (
    instant,
    instant_us,
    medium,
    ordered,
    parameters,
    register,
    sampling,
)
from commonwatt.api.series_tables import balance_table, meter_table
from commonwatt.app.accounts.authorize import require_totals
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries, read_meter_series, read_site_series
from commonwatt.app.series.register import other_stretches, with_register
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import Group, Medium, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S
from commonwatt.domain.metering.resample import Sampling
from commonwatt.formats.tables.tables import Table

_BYTES_A_QUARTER = 150
_MOST_QUARTERS = 500_000
"""More than 14 years are not made a table of at once."""
_VALUES_A_ROW = 12
"""A row of these costs as much as some dozen values of Climkit's."""
MOST_DAYS = 400
"""So many days are worked out anew from readings for one answer; stored ones are not counted."""
_NO_SERIES = MeterSeries(
    0, np.zeros(0, np.int64), None, np.zeros(0, np.uint8), None, np.zeros(0, np.uint8)
)
_NO_BALANCE = SiteBalance(
    quality=np.zeros(0, np.uint8),
    **{
        field.name: np.zeros(0, np.int64)
        for field in fields(SiteBalance)
        if field.name != "quality"
    },
)


@dataclass(frozen=True, slots=True)
class Periods:
    """Which periods of what time are asked for, as known when, and as which media type.

    ``as_of_us`` [Unix microseconds] is None for what is known now.
    """

    window: QuarterWindow
    sampling: Sampling
    media_type: str
    as_of_us: int | None

    def answer(self, table: Table) -> TableAnswer:
        """The answer that carries a table."""
        return TableAnswer(table, self.media_type)


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """A meter's periods over a window, of a register; None: the main one of each quarter-hour."""

    meter: Meter
    register: Register | None
    periods: Periods


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """The periods of a medium of the site over a window."""

    medium: Medium
    periods: Periods


def parse_series(context: RequestContext, sent: RequestData) -> SeriesQuery:
    """Read a request; without start the 24 hours before the end, which is now by default."""
    periods = _periods(context, sent, "register")
    meter = open_meter(context, sent.path["meter_id"])
    periods = _answerable(context, periods, meter.medium.group)
    return SeriesQuery(meter, register(dict(sent.query), meter.medium), periods)


def _answerable(context: RequestContext, periods: Periods, group: Group) -> Periods:
    """The periods, of a long time only where anything can be known. Raises InvalidInput."""
    if periods.window.length * _VALUES_A_ROW <= QUICK_VALUES:
        return periods
    window = known_part(context, group, periods.window)
    if window.length > _MOST_QUARTERS:
        raise InvalidInput(
            "start",
            f"the period has {window.length} quarter-hours, an answer is of at most "
            f"{_MOST_QUARTERS}; ask for a shorter period",
        )
    return replace(periods, window=window)


def parse_balance(context: RequestContext, sent: RequestData) -> BalanceQuery:
    """Read a request for the balance of one type, electricity by default."""
    periods = _periods(context, sent, "type")
    of = medium(dict(sent.query))
    require_totals(context.site, context.catalogue, of)
    return BalanceQuery(of, _answerable(context, periods, of.group))


def _periods(context: RequestContext, sent: RequestData, *more: str) -> Periods:
    query = parameters(sent.query, ("start", "end", "sampling", "as_of", *more))
    start_at, end_at = instant(query, "start"), instant(query, "end")
    ordered(start_at, end_at)
    end_at = int(context.now) if end_at is None else end_at
    start_at = end_at - DAY_S if start_at is None else start_at
    window = quarters_within(start_at, end_at, context.site, context.now)
    media_type = accepted_type(sent.accept, OF_TABLES)
    as_of_us = instant_us(query, "as_of")
    if as_of_us is not None and as_of_us > int(context.now * 1_000_000):
        raise InvalidInput("as_of", "as_of lies in the future: what will be known nobody can tell")
    return Periods(window, sampling(query), media_type, as_of_us)


def is_costly_series(sent: RequestData) -> bool:
    """Whether what is asked for may have to be worked out anew from readings."""
    return any(name in ("as_of", "register") for name, _ in sent.query)


def is_quick_series(context: RequestContext, query: SeriesQuery) -> bool:
    """Whether the window is short and settled, and no other register is to be worked out."""
    if query.register is not None:
        return False
    return _is_quick(context, query.periods, query.meter.medium.group)


def is_quick_balance(context: RequestContext, query: BalanceQuery) -> bool:
    """Whether the window is short and settled."""
    return _is_quick(context, query.periods, query.medium.group)


def _is_quick(context: RequestContext, periods: Periods, group: Group) -> bool:
    is_short = periods.window.length * _VALUES_A_ROW <= QUICK_VALUES
    return periods.as_of_us is None and is_short and is_settled(context, group, periods.window)


def weight_of_series(_context: RequestContext, query: SeriesQuery | BalanceQuery) -> int:
    """What the table of an answer takes of memory [bytes]."""
    return query.periods.window.length * _BYTES_A_QUARTER


def answer_series(context: RequestContext, query: SeriesQuery) -> TableAnswer:
    """Answer the periods of a meter; where it is not alive there is no row."""
    periods, zone = query.periods, context.site.timezone
    window = periods.window
    snapshot, catalogue = _known_then(context, periods, query.meter.medium.group)
    meter = catalogue.meter_by_id.get(query.meter.id)
    if meter is None:
        # It was declared later: nothing was known of it.
        return periods.answer(meter_table(_NO_SERIES, zone, periods.sampling))
    is_now, run = periods.as_of_us is None, (window.first, window.first + window.length)
    series = read_meter_series(
        snapshot,
        catalogue,
        meter,
        *run,
        is_settled=is_now and is_settled(context, meter.medium.group, window),
        with_method=True,
    )
    if query.register is not None:
        _require_bounded("register", _days(other_stretches(meter, query.register, *run)))
        series = with_register(
            series, context.snapshot, context.catalogue, meter, query.register, periods.as_of_us
        )
    return periods.answer(meter_table(series, zone, periods.sampling))


def answer_balance(context: RequestContext, query: BalanceQuery) -> TableAnswer:
    """Answer the balance of a site; a type that it lacks has no rows."""
    periods = query.periods
    first, end = periods.window.first, periods.window.first + periods.window.length
    known = _known_then(context, periods, query.medium.group)
    series = read_site_series(*known, query.medium, first, end)
    balance = _NO_BALANCE if series is None else series.balance
    zone = context.site.timezone
    return periods.answer(balance_table(balance, first, query.medium, zone, periods.sampling))


def _known_then(
    context: RequestContext, periods: Periods, group: Group
) -> tuple[Snapshot, SiteCatalogue]:
    if periods.as_of_us is None:
        return context.snapshot, context.catalogue
    view, then = view_as_of(context.snapshot, context.catalogue, periods.as_of_us)
    if view is not context.snapshot:
        site, (first_day, end_day) = context.site.number, periods.window.days
        days = len(view.results.dirty_days(site, group, first_day, end_day))
        # How many days were written of is that of closed meters too.
        _require_bounded("as_of", days if context.site.sight.is_whole else end_day - first_day)
    return view, then


def _days(stretches: Sequence[tuple[int, int]]) -> int:
    return sum(-(-(end - first) // DAY_QUARTERS) for first, end in stretches)


def _require_bounded(name: str, days: int) -> None:
    """Raise InvalidInput where too many days would have to be worked out at once."""
    if days > MOST_DAYS:
        raise InvalidInput(
            name,
            f"{days} days of the period have to be worked out anew for {name}, at most {MOST_DAYS} "
            "are at once; ask for a shorter period",
        )
