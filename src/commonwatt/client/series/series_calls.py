"""Series of sites, meters and sensors: asked for in parts, a little wider, and joined."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from zoneinfo import ZoneInfo

from commonwatt.client.catalogue import Catalogue, path_of
from commonwatt.client.models import Meter, Sensor, Site, unit_of
from commonwatt.client.series.joining import Part, ends_of, joined, part_of
from commonwatt.client.series.local_periods import DAY_S, Window, parts
from commonwatt.client.series.requests import bounds, shown_reading, widened
from commonwatt.client.series.series import Series
from commonwatt.client.series.words import MeterType, SamplingFrequency, word_of
from commonwatt.client.stamps import NaiveTime, When, instant_of, received_instants
from commonwatt.client.wire.session import Session
from commonwatt.client.wire.wire import Request
from commonwatt.client.wire_habits import rows_of

OnPart = Callable[[int, int], None]
"""Told how many parts of a window have come, of how many: before the first, and after each."""

ELECTRICITY = ("conso_total", "prod_total", "from_ext", "self", "to_ext")


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """What a series is asked of.

    `body` holds what goes with the times; None: these are a query. `columns` are there even when
    no row is.
    """

    route: str
    path: str
    zone: ZoneInfo
    sampling: SamplingFrequency | None
    body: Mapping[str, object] | None
    columns: tuple[str, ...] = ()

    @property
    def has_short_rows(self) -> bool:
        """Whether the stamp of a row lies where its measurement does."""
        return self.sampling in {None, SamplingFrequency.QUARTER_HOUR}

    def request(self, times: Mapping[str, str]) -> Request:
        """Return the question for a window."""
        if self.body is None:
            return Request("GET", self.path, self.route, query=times)
        return Request("POST", self.path, self.route, body={**times, **self.body})

    def joined(self, found: Sequence[Part], window: Window, unit: str | None) -> Series:
        """Return the series that the parts of a window make."""
        starts_at, columns = joined(found, self.columns)
        return Series(
            starts_at=starts_at,
            ends_at=ends_of(starts_at, self.zone, self.sampling),
            columns=columns,
            unit=unit,
            timezone=self.zone.key,
            sampling=self.sampling,
            asked=window,
        )


class SeriesCalls:
    """The series of a server: of sites, meters and sensors."""

    def __init__(
        self,
        session: Session,
        catalogue: Catalogue,
        naive_time: NaiveTime,
        on_part: OnPart | None,
    ) -> None:
        if naive_time not in get_args(NaiveTime):
            words = ", ".join(get_args(NaiveTime))
            raise ValueError(f"naive_time {naive_time!r} must be one of {words}")
        self._session = session
        self._catalogue = catalogue
        self._on_part = on_part
        self._told = naive_time
        self._shown: dict[str, NaiveTime] = {}

    @property
    def naive_time(self) -> NaiveTime:
        """How the server reads naive times: as told, or as all routes so far have shown."""
        shown = {self._told} if self._told != "auto" else set(self._shown.values())
        return shown.pop() if len(shown) == 1 else "auto"

    async def site_data(
        self,
        site: str | Site,
        meter_type: str,
        start: When | None,
        end: When | None,
        sampling: str,
        *,
        meters: bool,
    ) -> Series:
        """Return a site's series of a type of meters."""
        wanted = word_of(MeterType, meter_type, "type")
        frequency = word_of(SamplingFrequency, sampling, "sampling")
        zone = await self._catalogue.zone(site)
        body: dict[str, object] = {"sampling_frequency": str(frequency)}
        if meters:
            body["meters"] = True
        path = path_of("site_data", site, wanted)
        columns = ELECTRICITY if wanted is MeterType.ELECTRICITY else ELECTRICITY[:1]
        asked = SeriesRequest("site_data", path, zone, frequency, body, columns)
        return await self._series(asked, _window(start, end, zone), unit_of(wanted))

    async def meter_data(
        self,
        site: str | Site,
        meter: str | Meter,
        start: When | None,
        end: When | None,
        sampling: str,
    ) -> Series:
        """Return a meter's series."""
        frequency = word_of(SamplingFrequency, sampling, "sampling")
        zone = await self._catalogue.zone(site)
        unit = await self._catalogue.unit(site, meter)
        body = {"sampling_frequency": str(frequency)}
        path = path_of("meter_data", site, meter)
        asked = SeriesRequest("meter_data", path, zone, frequency, body, ("total",))
        return await self._series(asked, _window(start, end, zone), unit)

    async def meter_data_raw(
        self, site: str | Site, meter: str | Meter, start: When | None, end: When | None
    ) -> Series:
        """Return a meter's readings."""
        zone = await self._catalogue.zone(site)
        unit = await self._catalogue.unit(site, meter)
        asked = SeriesRequest(
            "meter_data_raw", path_of("meter_data_raw", site, meter), zone, None, {}
        )
        return await self._readings(asked, start, end, unit)

    async def sensor_data(
        self, site: str | Site, sensor: str | Sensor, start: When | None, end: When | None
    ) -> Series:
        """Return a sensor's values."""
        zone = await self._catalogue.zone(site)
        path = path_of(site, "sensor_data", sensor)
        asked = SeriesRequest("sensor_data", path, zone, None, None, ("value",))
        unit = sensor.unit if isinstance(sensor, Sensor) else None
        return await self._readings(asked, start, end, unit)

    async def _readings(
        self, asked: SeriesRequest, start: When | None, end: When | None, unit: str | None
    ) -> Series:
        if start is not None or end is not None:
            return await self._series(asked, _window(start, end, asked.zone), unit)
        latest = await self._part(asked, None)
        found = latest.starts_at
        window = (found[0], found[-1] + 1) if found else (0, 0)
        return asked.joined([latest], window, unit)

    async def _series(self, asked: SeriesRequest, window: Window, unit: str | None) -> Series:
        windows = parts(window, asked.zone, asked.sampling)
        found: list[Part] = []
        self._tell(0, windows)
        for part in windows:
            found.append(await self._part(asked, part))
            self._tell(len(found), windows)
        return asked.joined(found, _until_now(window), unit)

    async def _part(self, asked: SeriesRequest, window: Window | None) -> Part:
        """Return the rows of a window; None: the latest, whichever the server answers."""
        # What one route does proves nothing of another.
        naive_time = self._shown.get(asked.route, self._told)
        naive_zone = asked.zone if naive_time == "local" else ZoneInfo("UTC")
        wider: Window | None = None
        if window is not None:
            wider = widened(window, asked.zone, asked.sampling, naive_time)
        times = {} if wider is None else bounds(wider, asked.zone, naive_time)

        def read(content: object) -> Part:
            rows = rows_of(content)
            instants = received_instants([row["timestamp"] for row in rows], naive_zone)
            if wider is not None and naive_time == "auto" and asked.has_short_rows:
                self._learn(asked.route, shown_reading(wider, instants, asked.zone))
            return part_of(rows, instants, window, asked.sampling)

        return await self._session.ask(asked.request(times), read)

    def _tell(self, done: int, windows: Sequence[Window]) -> None:
        if self._on_part is not None:
            self._on_part(done, len(windows))

    def _learn(self, route: str, shown: NaiveTime) -> None:
        # What shows nothing does not undo what another answer has shown meanwhile.
        if shown != "auto":
            self._shown[route] = shown


def _window(start: When | None, end: When | None, zone: ZoneInfo) -> Window:
    """Return [start, end); without an end until now, without a start from a day before the end.

    The future is not asked for, save a day of it: clocks differ. Raises ValueError if the window
    would end before it starts, or starts before 1970.
    """
    now_at = int(time.time())
    end_at = now_at if end is None else instant_of(end, zone)
    start_at = end_at - DAY_S if start is None else instant_of(start, zone)
    if start_at < 0:
        raise ValueError(f"start {start or end} must not be before 1970")
    if start_at > end_at:
        raise ValueError(f"start {start} must not be after end {end or 'now'}")
    return start_at, max(start_at, min(end_at, now_at + DAY_S))


def _until_now(window: Window) -> Window:
    start_at, end_at = window
    return start_at, max(start_at, min(end_at, int(time.time())))
