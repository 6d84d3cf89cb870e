"""Copying parts of series: a local month of a meter or a sensor, or what of it is asked for."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Thread
from zoneinfo import ZoneInfo

from commonwatt.client import BadRequest, Climkit, NotFound, Sensor, Series, SurprisingAnswer
from commonwatt.client.series.local_periods import DAY_S, Window
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Medium, Mode
from commonwatt.domain.metering.readings import ReadingRows
from commonwatt.domain.reference.reference import ReferenceQuarters
from commonwatt.mirror.columns import (
    readings_of,
    readings_of_totals,
    reference_of,
    sensor_rows_of,
    with_one_before,
    with_register,
)
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.meter_feeds import Feed
from commonwatt.mirror.new_meters import REFUSED
from commonwatt.mirror.site_catalogue import DeclaredSite, FedMeter
from commonwatt.mirror.target import Target

_OTHER_WAY = {Mode.INTRODUCTION: "to_ext", Mode.BATTERY: "storage_discharging_total"}
"""What the balance of a site tells of the other direction of a meter, if it alone has its mode."""
_BEFORE = timedelta(days=1)
"""So far before the first instant of all the reading is looked for that comes before it."""
_LATE_S = DAY_S
"""For so long a server is waited for to validate a quarter-hour."""


@dataclass(frozen=True, slots=True)
class Part:
    """A window of a meter or a sensor that is to be copied."""

    item: FedMeter | Sensor
    window: Window

    @property
    def id(self) -> str:
        """The id of the meter or sensor."""
        return self.item.id if isinstance(self.item, Sensor) else self.item.own.id


class SeriesCopy:
    """Copies parts of series of a site, of the instants [start, end) at most [Unix seconds]."""

    def __init__(
        self,
        climkit: Climkit,
        target: Target,
        declared: DeclaredSite,
        span: Window,
        copied: Copied,
    ) -> None:
        self._climkit = climkit
        self._target = target
        self._declared = declared
        self._site, self._number = declared.site, declared.number
        self._zone = ZoneInfo(declared.timezone)
        self._first_at, self._until_at = span
        self._copied = copied

    def copy(self, part: Part) -> bool:
        """Copy a part; return whether the next one of the same meter or sensor can be copied.

        One that is refused, or whose answer is none, is said.
        """
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
        if raw is not None:
            rows = readings_of(raw, fed.own.id, fed.own.medium)
            self._add_readings(fed, rows)
            if not rows.total:
                count = len(quarters.starts_at)
                self._copied.say_lone(fed.own.name, self._month(window), count)
        elif fed.feed is Feed.TOTALS:
            self._add_readings(fed, self._totals(fed, quarters, window))
        # The newest quarter-hours may not be validated yet, or with less readings than came since.
        final_at = min(window[1], self._until_at - _LATE_S)
        self._target.keep_reference(self._number, fed.own.id, window, quarters, final_at)
        self._copied.quarters += len(quarters.starts_at)

    def _asked(self, fed: FedMeter, window: Window) -> tuple[Series | None, Series]:
        """Ask for readings, where they are wanted, and quarter-hours of a meter side by side."""
        start, end = _bounds(window)
        if fed.feed is not Feed.READINGS:
            return None, self._climkit.meter_data(self._site, fed.meter, start, end)
        # The newest reading may be younger than the newest full quarter-hour.
        raw_end = None if window[1] == self._until_at else end
        raw_start = start - _BEFORE if window[0] == self._first_at else start
        raw = _beside(
            partial(self._climkit.meter_data_raw, self._site, fed.meter, raw_start, raw_end)
        )
        validated = self._climkit.meter_data(self._site, fed.meter, start, end)
        return with_one_before(raw.result(), window[0]), validated

    def _totals(self, fed: FedMeter, quarters: ReferenceQuarters, window: Window) -> ReadingRows:
        """Return the totals of a meter as readings, with its other direction where that is told."""
        own = fed.own
        registers = REGISTERS_OF[own.medium]
        main = registers[-1] if own.current.main_is_export else registers[0]
        rows = readings_of_totals(quarters, own.id, main)
        column = _OTHER_WAY.get(own.current.mode)
        if column is None or not len(rows.rows) or len(registers) == 1:
            return rows
        if not self._has_mode_alone(own.current.mode):
            return rows
        site_rows = self._climkit.site_data(self._site, Group.ELECTRICITY, *_bounds(window))
        return with_register(rows, registers[-1], site_rows, column)

    def _has_mode_alone(self, mode: Mode) -> bool:
        """Whether the server lists one electricity meter of a mode, also of those left out here."""
        known = {each.own.id: each.own.current.mode for each in self._declared.meters}
        modes = [
            known.get(each.id, each.mode)
            for each in self._declared.listed
            if each.type in (None, Medium.ELECTRICITY)
        ]
        return sum(each in (None, mode) for each in modes) == 1

    def _add_readings(self, fed: FedMeter, rows: ReadingRows) -> None:
        if not rows.total:
            return
        of_totals = fed.feed is Feed.TOTALS
        receipt = self._target.add_readings(self._number, rows, of_totals=of_totals)
        self._copied.readings += receipt.accepted
        for held in receipt.held:
            self._copied.say(
                fed.own.name,
                f"stored and not used, as {held.rule}: {held.reason}; see the worklist",
            )
        if receipt.rejected:
            first = receipt.rejected[0]
            self._copied.say(
                fed.own.name, f"{receipt.rejected_rows} readings rejected: {first.reason}"
            )

    def _sensor(self, sensor: Sensor, window: Window) -> None:
        series = self._climkit.sensor_data(self._site, sensor, *_bounds(window))
        if len(series):
            rows = sensor_rows_of(series, sensor.id)
            receipt = self._target.add_sensor_values(self._number, rows)
            self._copied.sensor_values += receipt.accepted
        self._target.keep_copied(self._number, sensor.id, window[1])

    def _month(self, window: Window) -> str:
        return f"{datetime.fromtimestamp(window[0], self._zone):%Y-%m}"


def _beside(fetch: Callable[[], Series]) -> Future[Series]:
    """Fetch a series in a thread of its own, which an interrupted run does not wait for."""
    answer: Future[Series] = Future()

    def ask() -> None:
        try:
            answer.set_result(fetch())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the answer raises it
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    return answer


def _bounds(window: Window) -> tuple[datetime, datetime]:
    return datetime.fromtimestamp(window[0], UTC), datetime.fromtimestamp(window[1], UTC)
