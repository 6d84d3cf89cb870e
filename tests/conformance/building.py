"""A building whose every quarter-hour differs, over clock changes, whole months and a whole year.

Readings come each quarter-hour around the clock change of autumn 2025 and in the last days of March
2026, and once a day in between.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SITE = "61dfc9a0eba4e3564021f36a"
FOREIGN = "61dfc9a0eba4e3564021f36b"
SENSOR = "61dfcb4beba4e3563fdf0201"
ZONE = "Europe/Zurich"


def meter_id(prim_ad: int) -> str:
    """The id of the meter with an address."""
    return f"61dfcb4beba4e3563fdf{prim_ad:04d}"


ANNA, PV, WATER = meter_id(11), meter_id(101), meter_id(31)
DECLARATION = f"""
site:
  id: {SITE}
  site_ref: CH-0012
  name: Les Tilleuls 12
  address: {{street_name: Rue des Tilleuls, street_number: "12", city: Renens, postal_code: 1020}}
  creation_date: 2025-01-01
  latitude: 46.53
  longitude: 6.59
  timezone: {ZONE}
meters:
  - {{id: {meter_id(10)}, name: Grid, type: electricity, mode: introduction, prim_ad: 10}}
  - {{id: {ANNA}, name: Anna, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: {meter_id(12)}, name: Bert, type: electricity, mode: consumption, prim_ad: 12}}
  - {{id: {PV}, name: PV, type: electricity, mode: production, prim_ad: 101}}
  - {{id: {WATER}, name: Water, type: cold_water, mode: consumption, prim_ad: 31}}
  - {{id: {meter_id(32)}, name: Half, type: cold_water, mode: consumption, prim_ad: 32,
     rule: "prim_ad:31 - prim_ad:31"}}
sensors:
  - {{id: {SENSOR}, name: Stairwell, type: temperature, unit: "°C", model: LoRa T1}}
"""
FOREIGN_DECLARATION = f"site: {{id: {FOREIGN}, site_ref: CH-0013, name: Next, timezone: UTC}}"


def _at(year: int, month: int, day: int) -> int:
    """The first instant of a UTC day."""
    return int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp())


FIRST_AT, LAST_AT = _at(2024, 12, 31), _at(2026, 4, 3)
Period = tuple[int, int]
_EVERY_QUARTER: tuple[Period, ...] = (
    (_at(2025, 10, 23), _at(2025, 10, 29)),
    (_at(2026, 3, 20), LAST_AT),
)
_QUARTERS = (LAST_AT - FIRST_AT) // 900

Energies = NDArray[np.int64]


def readings(every_quarter: Sequence[Period] = _EVERY_QUARTER) -> list[dict[str, object]]:
    """Rows of readings as a gateway sends them; the books close in every quarter-hour.

    They come each quarter-hour in some periods, once a day else.
    """
    rng = np.random.default_rng(5)
    anna, bert, water = (rng.integers(20, 400, _QUARTERS) for _ in range(3))
    sun = rng.integers(0, 600, _QUARTERS)
    both = rng.integers(0, 5, _QUARTERS)
    net = anna + bert - sun
    drawn, fed = np.maximum(net, 0) + both, np.maximum(-net, 0) + both
    registers: list[tuple[str, dict[str, Energies]]] = [
        (meter_id(10), {"en_im": drawn, "en_ex": fed}),
        (ANNA, {"en_im": anna}),
        (meter_id(12), {"en_im": bert}),
        (PV, {"en_ex": sun}),
        (WATER, {"vol_m3": water}),
    ]
    return [row for meter, rises in registers for row in _rows(meter, rises, every_quarter)]


def _rows(
    meter: str, rises: dict[str, Energies], every_quarter: Sequence[Period]
) -> list[dict[str, object]]:
    indexes = {name: np.concatenate([[0], np.cumsum(rise)]) for name, rise in rises.items()}
    return [
        {"meter": meter, "timestamp": utc(FIRST_AT + 900 * q)}
        | {name: int(index[q]) / 1000 for name, index in indexes.items()}
        for q in range(_QUARTERS + 1)
        if q % 96 == 0 or any(a <= FIRST_AT + 900 * q < b for a, b in every_quarter)
    ]


def sensor_readings() -> list[dict[str, object]]:
    """Rows of sensor values, one an hour."""
    stamps = range(LAST_AT - 86_400, LAST_AT, 3600)
    return [
        {"sensor": SENSOR, "timestamp": utc(at), "value": 20 + count / 8}
        for count, at in enumerate(stamps)
    ]


def utc(instant_at: int) -> str:
    """An instant as naive UTC text."""
    return dt.datetime.fromtimestamp(instant_at, dt.UTC).replace(tzinfo=None).isoformat()
