"""The series of a meter and the balance of a site on our own surface, as tables of periods.

Every quarter-hour of a life is told with its quality: none is hidden because another meter is
missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field, WithJsonSchema

from commonwatt.api.endpoint.endpoint import Endpoint, RequestContext, RequestData, respond
from commonwatt.api.endpoint.fields import Period, TimeUs
from commonwatt.api.endpoint.long_answers import known_part
from commonwatt.api.endpoint.meters import QUICK_VALUES, is_settled, open_meter
from commonwatt.api.endpoint.models import read_query
from commonwatt.api.endpoint.operation import LIMITED, OF_METER, READING, SITE_PATH, Operation
from commonwatt.api.endpoint.windows import QuarterWindow, quarters_within
from commonwatt.api.http import problems
from commonwatt.api.http.documentation import Fragment
from commonwatt.api.http.media_types import ARROW, CSV, OF_TABLES, PARQUET, accepted_type
from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.http.table_answers import TableAnswer
from commonwatt.api.own.series_tables import BalanceRow, SeriesRow, balance_table, meter_table
from commonwatt.app.accounts.authorize import require_totals
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import MeterSeries, read_meter_series, read_site_series
from commonwatt.app.series.register import other_register_spans, with_register
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Group,
    Medium,
    Meter,
    Register,
    SiteCatalogue,
)
from commonwatt.domain.metering.load_profile import SiteBalance
from commonwatt.domain.metering.quarter_hours import DAY_QUARTERS, DAY_S
from commonwatt.domain.metering.resample import Sampling
from commonwatt.formats.tables.tables import Table

_SERIES = f"{SITE_PATH}/meters/{{meter_id}}/series"
_BALANCE = f"{SITE_PATH}/balance"
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


class PeriodsQuery(Period):
    """Which periods, as they were known when."""

    sampling: Sampling = Field(
        Sampling.QUARTER_HOUR,
        description="Length of the periods: quarter-hours (default), or hours, days, months, years "
        "of the site's calendar.",
    )
    as_of: TimeUs = Field(
        None,
        description="Answer what was known at this instant, ISO 8601 with up to microseconds; "
        "without a zone UTC. Default: now. Such as `2026-04-02T08:00:00Z`.",
    )


_REGISTERS = {"type": "string", "enum": [each.value for each in Register]}


class SeriesQuery(PeriodsQuery):
    """Which periods of a meter."""

    register_: Annotated[str | None, WithJsonSchema(_REGISTERS)] = Field(
        None,
        alias="register",
        description="Tell this register of the meter instead of its main one: en_im or en_ex of "
        "electricity and charge points, heat_energy_kwh, or vol_m3 of water. Where it is not the "
        "main one, self and ext are null, and so is the method.",
    )


class BalanceQuery(PeriodsQuery):
    """Which periods of the site."""

    type: Medium = Field(
        Medium.ELECTRICITY,
        description="Which balance: electricity (default), heating, cooling, cold_water, "
        "hot_water, charge_point.",
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
class WantedSeries:
    """A meter's periods over a window, of a register; None: the main one of each quarter-hour."""

    meter: Meter
    register: Register | None
    periods: Periods


@dataclass(frozen=True, slots=True)
class WantedBalance:
    """The periods of a medium of the site over a window."""

    medium: Medium
    periods: Periods


def parse_series(context: RequestContext, sent: RequestData) -> WantedSeries:
    """Read a request; without start the 24 hours before the end, which is now by default."""
    query = read_query(SeriesQuery, sent.query)
    periods = _periods(context, sent, query)
    meter = open_meter(context, sent.path["meter_id"])
    periods = _answerable(context, periods, meter.medium.group)
    there_are = REGISTERS_OF[meter.medium]
    if query.register_ not in (None, *there_are):
        raise InvalidInput(
            "register",
            f"register of a meter of {meter.medium.value} is one of {', '.join(there_are)}",
        )
    register = None if query.register_ is None else Register(query.register_)
    return WantedSeries(meter, register, periods)


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


def parse_balance(context: RequestContext, sent: RequestData) -> WantedBalance:
    """Read a request for the balance of one type, electricity by default."""
    query = read_query(BalanceQuery, sent.query)
    periods = _periods(context, sent, query)
    require_totals(context.site, context.catalogue, query.type)
    return WantedBalance(query.type, _answerable(context, periods, query.type.group))


def _periods(context: RequestContext, sent: RequestData, query: PeriodsQuery) -> Periods:
    end_at = int(context.now) if query.end is None else query.end
    start_at = end_at - DAY_S if query.start is None else query.start
    window = quarters_within(start_at, end_at, context.site, context.now)
    media_type = accepted_type(sent.accept, OF_TABLES)
    if query.as_of is not None and query.as_of > int(context.now * 1_000_000):
        raise InvalidInput("as_of", "as_of lies in the future: what will be known nobody can tell")
    return Periods(window, query.sampling, media_type, query.as_of)


def is_costly_series(sent: RequestData) -> bool:
    """Whether what is asked for may have to be worked out anew from readings."""
    return any(name in ("as_of", "register") for name, _ in sent.query)


def is_quick_series(context: RequestContext, query: WantedSeries) -> bool:
    """Whether the window is short and settled, and no other register is to be worked out."""
    if query.register is not None:
        return False
    return _is_quick(context, query.periods, query.meter.medium.group)


def is_quick_balance(context: RequestContext, query: WantedBalance) -> bool:
    """Whether the window is short and settled."""
    return _is_quick(context, query.periods, query.medium.group)


def _is_quick(context: RequestContext, periods: Periods, group: Group) -> bool:
    is_short = periods.window.length * _VALUES_A_ROW <= QUICK_VALUES
    return periods.as_of_us is None and is_short and is_settled(context, group, periods.window)


def weight_of_series(_context: RequestContext, query: WantedSeries | WantedBalance) -> int:
    """What the table of an answer takes of memory [bytes]."""
    return query.periods.window.length * _BYTES_A_QUARTER


def answer_series(context: RequestContext, query: WantedSeries) -> TableAnswer:
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
        _require_bounded("register", _days(other_register_spans(meter, query.register, *run)))
        series = with_register(
            series, context.snapshot, context.catalogue, meter, query.register, periods.as_of_us
        )
    return periods.answer(meter_table(series, zone, periods.sampling))


def answer_balance(context: RequestContext, query: WantedBalance) -> TableAnswer:
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
        _require_bounded("as_of", days if context.site.scope.is_whole else end_day - first_day)
    return view, then


def _days(spans: Sequence[tuple[int, int]]) -> int:
    return sum(-(-(end - first) // DAY_QUARTERS) for first, end in spans)


def _require_bounded(name: str, days: int) -> None:
    """Raise InvalidInput where too many days would have to be worked out at once."""
    if days > MOST_DAYS:
        raise InvalidInput(
            name,
            f"{days} days of the period have to be worked out anew for {name}, at most {MOST_DAYS} "
            "are at once; ask for a shorter period",
        )


_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PERIOD = {
    "start": "2026-03-22T04:15:00Z",
    "end": "2026-03-22T04:30:00Z",
    "start_local": "2026-03-22T05:15:00+01:00",
}
_SERIES_ROW: Fragment = {
    **_PERIOD,
    "total": 0.029,
    "self": None,
    "ext": None,
    "quality_total": "measured",
    "quality_self": "missing",
    "coverage": 1.0,
    "estimated": 0.0,
    "method": "index",
}
_BALANCE_ROW: Fragment = {
    **_PERIOD,
    "conso_total": 0.105,
    "prod_total": 0.15,
    "from_ext": 0.0,
    "self": 0.105,
    "to_ext": 0.045,
    "storage_charging_self": 0.0,
    "storage_charging_total": 0.0,
    "storage_discharging_total": 0.0,
    "unallocated": 0.0,
    "unmetered": 0.0,
    "coverage": 1.0,
    "estimated": 0.0,
    "quality": "measured",
}


def _other_forms(row: Fragment) -> Fragment:
    """The forms of a table besides JSON, by an example of a row."""
    cells = ["" if value is None else str(value) for value in row.values()]
    csv = f"{','.join(row)}\r\n{','.join(cells)}\r\n"
    return {
        CSV: {"schema": {"type": "string"}, "example": csv},
        ARROW: _BYTES,
        PARQUET: _BYTES,
    }


SERIES = Endpoint(
    route=_SERIES,
    parse=parse_series,
    answer=answer_series,
    is_quick=is_quick_series,
    is_costly=is_costly_series,
    weight=weight_of_series,
)
BALANCE = Endpoint(
    route=_BALANCE,
    parse=parse_balance,
    answer=answer_balance,
    is_quick=is_quick_balance,
    is_costly=is_costly_series,
    weight=weight_of_series,
)
OPERATIONS = (
    Operation(
        name="series",
        method="GET",
        path=_SERIES,
        respond=partial(respond, endpoint=SERIES),
        summary="A meter's series, with qualities",
        description="Periods that lie in [start, end): no quarter-hour is hidden because another "
        "meter is missing. Default: the last 24 hours. As JSON, CSV, Arrow or Parquet, by "
        "`Accept`; in the latter two, instants are timestamps and amounts decimals." + LIMITED,
        query=SeriesQuery,
        answer=list[SeriesRow],
        answered="The rows, ascending in time; none where the meter is not alive.",
        example=[_SERIES_ROW],
        answer_forms=_other_forms(_SERIES_ROW),
        problems=(*READING, *OF_METER, problems.NOT_ACCEPTABLE),
    ),
    Operation(
        name="balance",
        method="GET",
        path=_BALANCE,
        respond=partial(respond, endpoint=BALANCE),
        summary="The balance of the site, with its quality",
        description="Periods that lie in [start, end), those of which a member is missing too. "
        "Forms as of a meter's series. Default: the last 24 hours." + LIMITED,
        query=BalanceQuery,
        answer=list[BalanceRow],
        answered="The rows, ascending in time; none where no meter of the type is alive.",
        example=[_BALANCE_ROW],
        answer_forms=_other_forms(_BALANCE_ROW),
        problems=(*READING, problems.NOT_ACCEPTABLE, problems.CLOSED_TOTALS),
    ),
)
