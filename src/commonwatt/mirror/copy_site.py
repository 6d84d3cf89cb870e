"""Copying a site: its catalogue, then its series, local month by local month.

Of each meter a month is asked for, its readings are stored, then what the server says of its
quarter-hours is kept with the mark up to which the meter is copied. Each of the two is one
transaction, in this order; so whatever ends a run, the next one goes on from the marks, asks for a
few days before them again, and finds what is stored already unchanged.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from commonwatt.client import BadRequest, Climkit, NotFound, Sensor, Series, Site, SurprisingAnswer
from commonwatt.client.local_periods import DAY_S, Window, parts
from commonwatt.client.stamps import instant_of
from commonwatt.domain.catalogue import REGISTERS_OF
from commonwatt.domain.quarter_hours import QUARTER_S
from commonwatt.domain.readings import ReadingRows
from commonwatt.mirror.columns import (
    readings_of,
    readings_of_totals,
    reference_of,
    sensor_rows_of,
)
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.meter_feeds import Feed
from commonwatt.mirror.site_catalogue import REFUSED, DeclaredSite, FedMeter, SiteCatalogueCopy
from commonwatt.mirror.target import Target

Progress = Callable[[int, int], None]
"""Told how many parts are copied, and how many there are."""

_AGAIN_S = 3 * DAY_S
"""So far before its mark a series is asked for again: data come late and are corrected."""
_WITHOUT_A_START_S = 366 * DAY_S


@dataclass(frozen=True, slots=True)
class _Part:
    """A local month of a meter or a sensor, or what of it is to be copied."""

    item: FedMeter | Sensor
    window: Window

    @property
    def id(self) -> str:
        return self.item.id if isinstance(self.item, Sensor) else self.item.own.id


def copy_site(
    climkit: Climkit,
    target: Target,
    site: Site,
    since: date | None,
    progress: Progress,
    copied: Copied,
) -> DeclaredSite:
    """Copy what is new of a site, and count it in ``copied`` as it goes.

    ``since``: from which local day to ask again; without it from a few days before the marks, and
    of what was never copied from the site's creation. Raises `CannotMirror`, what the client
    raises, and the errors of `store_errors`.
    """
    catalogue = SiteCatalogueCopy(climkit, target, site, copied)
    declared = catalogue.declare()
    until_at = int(time.time()) // QUARTER_S * QUARTER_S
    marks = target.copied_until(declared.number)
    first_at = _first_at(catalogue, declared, marks, since, until_at)
    waiting = list(_parts(declared, marks if since is None else {}, first_at, until_at))
    series = _SeriesCopy(climkit, target, declared, until_at, copied)
    refused: set[str] = set()
    for done, part in enumerate(waiting):
        progress(done, len(waiting))
        if part.id not in refused and not series.copy(part):
            refused.add(part.id)
    progress(len(waiting), len(waiting))
    return declared


def _first_at(
    catalogue: SiteCatalogueCopy,
    declared: DeclaredSite,
    marks: Mapping[str, int],
    since: date | None,
    until_at: int,
) -> int:
    """Return from when to ask for what was never copied, on a quarter-hour."""
    first = since or declared.site.creation_date
    if first is not None:
        return instant_of(first, ZoneInfo(declared.timezone)) // QUARTER_S * QUARTER_S
    unmarked = [each for each in declared.meters if each.own.id not in marks]
    found_at = catalogue.first_data_at(unmarked)
    first_at = until_at - _WITHOUT_A_START_S if found_at is None else found_at
    return first_at // QUARTER_S * QUARTER_S


def _parts(
    declared: DeclaredSite, marks: Mapping[str, int], first_at: int, until_at: int
) -> Iterator[_Part]:
    """Yield what is to be copied, the oldest month of all first."""
    items: dict[str, FedMeter | Sensor] = {each.own.id: each for each in declared.meters}
    items |= {each.id: each for each in declared.sensors}
    from_at = {id_: first_at if id_ not in marks else marks[id_] - _AGAIN_S for id_ in items}
    earliest_at = min(from_at.values(), default=until_at)
    for start_at, end_at in parts((earliest_at, until_at), ZoneInfo(declared.timezone), None):
        for id_, item in items.items():
            if from_at[id_] < end_at:
                yield _Part(item, (max(start_at, from_at[id_]), end_at))


class _SeriesCopy:
    """Copies parts of series; a meter or sensor that cannot be read is said and left."""

    def __init__(
        self,
        climkit: Climkit,
        target: Target,
        declared: DeclaredSite,
        until_at: int,
        copied: Copied,
    ) -> None:
        self._climkit = climkit
        self._target = target
        self._site, self._number = declared.site, declared.number
        self._zone = ZoneInfo(declared.timezone)
        self._until_at = until_at
        self._copied = copied

    def copy(self, part: _Part) -> bool:
        """Copy a part; return whether the next one of the same meter or sensor can be copied."""
        item = part.item
        name = (item.name or item.id) if isinstance(item, Sensor) else item.own.name
        try:
            if isinstance(item, Sensor):
                self._sensor(item, part.window)
            else:
                self._meter(item, part.window)
        except NotFound:
            self._copied.say(name, REFUSED)
        except (BadRequest, SurprisingAnswer) as error:
            self._copied.failed = True
            self._copied.say(name, f"not copied from {self._month(part.window)} on: {error}")
        else:
            return True
        return False

    def _meter(self, fed: FedMeter, window: Window) -> None:
        raw, validated = self._asked(fed, window)
        quarters = reference_of(validated)
        rows: ReadingRows | None = None
        if raw is not None:
            rows = readings_of(raw, fed.own.id, fed.own.medium)
            if not rows.total:
                count = len(quarters.starts_at)
                self._copied.say_lone(fed.own.name, self._month(window), count)
        elif fed.feed is Feed.TOTALS:
            registers = REGISTERS_OF[fed.own.medium]
            main = registers[-1] if fed.own.current.main_is_export else registers[0]
            rows = readings_of_totals(quarters, fed.own.id, main)
        if rows is not None and rows.total:
            self._add_readings(fed, rows)
        self._target.keep_reference(self._number, fed.own.id, window, quarters)
        self._copied.quarters += len(quarters.starts_at)

    def _asked(self, fed: FedMeter, window: Window) -> tuple[Series | None, Series]:
        """Ask for readings, where they are wanted, and quarter-hours of a meter side by side."""
        start, end = (datetime.fromtimestamp(at, UTC) for at in window)
        if fed.feed is not Feed.READINGS:
            return None, self._climkit.meter_data(self._site, fed.meter, start, end)
        # The newest reading may be younger than the newest full quarter-hour.
        raw_end = None if window[1] == self._until_at else end
        with ThreadPoolExecutor(1) as beside:
            raw = beside.submit(self._climkit.meter_data_raw, self._site, fed.meter, start, raw_end)
            validated = self._climkit.meter_data(self._site, fed.meter, start, end)
            return raw.result(), validated

    def _add_readings(self, fed: FedMeter, rows: ReadingRows) -> None:
        of_totals = fed.feed is Feed.TOTALS
        receipt = self._target.add_readings(self._number, rows, of_totals=of_totals)
        self._copied.readings += receipt.accepted
        if receipt.rejected:
            first = receipt.rejected[0]
            self._copied.say(
                fed.own.name, f"{len(receipt.rejected)} readings rejected: {first.reason}"
            )

    def _sensor(self, sensor: Sensor, window: Window) -> None:
        start, end = (datetime.fromtimestamp(at, UTC) for at in window)
        series = self._climkit.sensor_data(self._site, sensor, start, end)
        if len(series):
            rows = sensor_rows_of(series, sensor.id)
            self._copied.sensor_values += self._target.add_sensor_values(
                self._number, rows
            ).accepted
        self._target.keep_copied(self._number, sensor.id, window[1])

    def _month(self, window: Window) -> str:
        return f"{datetime.fromtimestamp(window[0], self._zone):%Y-%m}"
