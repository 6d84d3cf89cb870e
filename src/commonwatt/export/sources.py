"""What of a site is exported: which requests give the rows of a part, and their columns."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from commonwatt.client import Climkit, Meter, Sensor, Series, Site
from commonwatt.client.series.local_periods import Window
from commonwatt.client.series.series_calls import ELECTRICITY
from commonwatt.client.series.words import MeterType, SamplingFrequency
from commonwatt.export.errors import CannotExport
from commonwatt.export.one_by_one import OneByOne, Tell
from commonwatt.export.rows import Rows

_STORAGE = ("storage_charging_self", "storage_charging_total", "storage_discharging_total")
_ENERGY = ("en_im", "en_ex")
_REGISTERS: Mapping[MeterType, tuple[str, ...]] = {
    MeterType.ELECTRICITY: _ENERGY,
    MeterType.CHARGE_POINT: _ENERGY,
    MeterType.HEATING: ("heat_energy_kwh",),
    MeterType.COOLING: ("heat_energy_kwh",),
    MeterType.COLD_WATER: ("vol_m3",),
    MeterType.HOT_WATER: ("vol_m3",),
}


class Source(Protocol):
    """Rows of a site, part by part."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of texts and values, which are the same in every part."""

    @property
    def left_out(self) -> Sequence[str]:
        """Who is not among the rows so far, and why."""

    def rows(self, window: Window, tell: Tell) -> Rows:
        """Ask for the rows that begin in [start, end) and return them."""


class OfSite:
    """The site: a row a period."""

    left_out: Sequence[str] = ()

    def __init__(
        self, climkit: Climkit, site: Site, meter_type: MeterType, sampling: SamplingFrequency
    ) -> None:
        self._climkit, self._site = climkit, site
        self._type, self._sampling = meter_type, sampling
        is_electricity = meter_type is MeterType.ELECTRICITY
        self.columns = (*ELECTRICITY, *_STORAGE) if is_electricity else ELECTRICITY[:1]

    def rows(self, window: Window, tell: Tell) -> Rows:
        """Ask for the rows of the site."""
        tell(0.0)
        start, end = instants(window)
        series = self._climkit.site_data(self._site, self._type, start, end, self._sampling)
        rows = Rows((), self.columns, readings=False)
        rows.add(series, {}, series.columns)
        return rows


class OfReadings:
    """The readings of all meters of a type: a row a reading, meter by meter."""

    def __init__(self, climkit: Climkit, site: Site, meter_type: MeterType) -> None:
        self._climkit, self._site = climkit, site
        listed = meters_of(climkit, site, meter_type)
        self._meters = OneByOne([meter for meter in listed if not meter.is_rule_meter])
        self._rules = [meter for meter in listed if meter.is_rule_meter]
        self._registers = _REGISTERS[meter_type]

    @property
    def columns(self) -> tuple[str, ...]:
        """Whose reading, and its registers."""
        return ("meter", "name", *self._registers)

    @property
    def left_out(self) -> Sequence[str]:
        """Who was refused, and the rule meters."""
        rules = [f"{meter.name or meter.id}: a rule meter has no readings" for meter in self._rules]
        return [*self._meters.left_out, *rules]

    def rows(self, window: Window, tell: Tell) -> Rows:
        """Ask for the readings of each meter."""
        rows = Rows(("meter", "name"), self._registers, readings=True)
        for meter, series in self._meters.series(partial(self._ask, window), tell):
            rows.add(series, {"meter": meter.id, "name": meter.name}, series.columns)
        return rows

    def _ask(self, window: Window, meter: Meter) -> Series:
        return self._climkit.meter_data_raw(self._site, meter, *instants(window))


class OfSensors:
    """The values of all sensors: a row a value, sensor by sensor."""

    columns = ("sensor", "name", "unit", "value")

    def __init__(self, climkit: Climkit, site: Site) -> None:
        self._climkit, self._site = climkit, site
        self._sensors = OneByOne(climkit.sensors(site))
        if not self._sensors.items:
            raise CannotExport("the site has no sensors")

    @property
    def left_out(self) -> Sequence[str]:
        """Who was refused."""
        return self._sensors.left_out

    def rows(self, window: Window, tell: Tell) -> Rows:
        """Ask for the values of each sensor."""
        rows = Rows(("sensor", "name", "unit"), ("value",), readings=True)
        for sensor, series in self._sensors.series(partial(self._ask, window), tell):
            texts = {"sensor": sensor.id, "name": sensor.name, "unit": sensor.unit}
            rows.add(series, texts, series.columns)
        return rows

    def _ask(self, window: Window, sensor: Sensor) -> Series:
        return self._climkit.sensor_data(self._site, sensor, *instants(window))


def meters_of(climkit: Climkit, site: Site, meter_type: MeterType) -> list[Meter]:
    """Return the meters of a type. Raises CannotExport if the site has none."""
    listed = climkit.meters(site)
    found = [meter for meter in listed if meter.type == meter_type]
    if not found:
        types = ", ".join(sorted({meter.type for meter in listed if meter.type})) or "none"
        raise CannotExport(f"the site has no meters of type {meter_type}; there are {types}")
    return found


def instants(window: Window) -> tuple[datetime, datetime]:
    """Return a window as the client takes it."""
    start_at, end_at = window
    return datetime.fromtimestamp(start_at, UTC), datetime.fromtimestamp(end_at, UTC)
