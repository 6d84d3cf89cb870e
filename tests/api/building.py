"""A small building with known readings, and a neighbour that most accounts may not see.

Every meter counts evenly: so many Wh a quarter-hour over two days of March 2026, so that every
answer can be told by hand.
"""

import datetime as dt
from dataclasses import dataclass

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Sensor,
    Site,
    SiteFacts,
)

SITE = "61dfc9a0eba4e3564021f36a"
NEIGHBOUR = "61dfc9a0eba4e3564021f36b"
UNKNOWN_ID = "ffffffffffffffffffffffff"
ZONE = "Europe/Zurich"


def _id(number: int) -> str:
    return f"61dfcb4beba4e3563fdf{number:04x}"


GRID, PV, ANNA, BERT, COMMON, CHARGER, WATER, HEAT = (_id(number) for number in range(1, 9))
BATTERY = _id(9)
NEIGHBOUR_METER = _id(100)
SENSOR, NEIGHBOUR_SENSOR = _id(200), _id(300)


@dataclass(frozen=True)
class Declared:
    id: str
    name: str
    medium: Medium
    mode: Mode
    prim_ad: int
    rule: str | None = None


METERS = (
    Declared(GRID, "Grid", Medium.ELECTRICITY, Mode.INTRODUCTION, 10),
    Declared(ANNA, "Anna", Medium.ELECTRICITY, Mode.CONSUMPTION, 11),
    Declared(BERT, "Bert", Medium.ELECTRICITY, Mode.CONSUMPTION, 12),
    Declared(PV, "PV roof", Medium.ELECTRICITY, Mode.PRODUCTION, 101),
    Declared(COMMON, "Difference", Medium.COLD_WATER, Mode.CONSUMPTION, 32, "prim_ad:31"),
    Declared(CHARGER, "Charger", Medium.CHARGE_POINT, Mode.CONSUMPTION, 1),
    Declared(WATER, "Cold water", Medium.COLD_WATER, Mode.CONSUMPTION, 31),
    Declared(HEAT, "Heat", Medium.HEATING, Mode.CONSUMPTION, 41),
    Declared(BATTERY, "Battery", Medium.ELECTRICITY, Mode.BATTERY, 201),
)

# What each register rises by in a quarter-hour [Wh, litre]. The books close: consumers take
# 40 + 20 + 30, the battery charges 5 and gives 2; the grid gives 45 and takes 10.
RISES = {
    (GRID, "en_im"): 45,
    (GRID, "en_ex"): 10,
    (ANNA, "en_im"): 40,
    (BERT, "en_im"): 20,
    (CHARGER, "en_im"): 30,
    (PV, "en_ex"): 58,
    (BATTERY, "en_im"): 5,
    (BATTERY, "en_ex"): 2,
    (WATER, "vol_m3"): 7,
    (HEAT, "heat_energy_kwh"): 100,
}
FIRST_AT = int(dt.datetime(2026, 3, 21, tzinfo=dt.UTC).timestamp())
QUARTERS = 192
LAST_AT = FIRST_AT + QUARTERS * 900
SENSOR_VALUES = [(FIRST_AT + 3600 * hour, 20.0 + hour / 2) for hour in range(4)]


def declare(store: SqlStore) -> None:
    """Add the building and its neighbour to an empty store."""
    facts = (SiteFacts(valid_from=0, valid_to=None),)
    with store.new_site() as (change, number):
        site = Site(
            number=number,
            id=SITE,
            site_ref="CH-0012",
            name="Les Tilleuls 12",
            street_name="Rue des Tilleuls",
            street_number="12",
            city="Renens",
            postal_code="1020",
            latitude=46.53,
            longitude=6.59,
            timezone=ZONE,
        )
        change.catalogue.add_site(site, facts)
        for position, declared in enumerate(METERS, 1):
            change.catalogue.put_meter(number, _meter(position, declared))
        change.catalogue.put_sensor(number, _sensor(SENSOR))
    with store.new_site() as (change, number):
        site = Site(number=number, id=NEIGHBOUR, name="Next door", timezone="UTC")
        change.catalogue.add_site(site, facts)
        declared = Declared(NEIGHBOUR_METER, "Carl", Medium.ELECTRICITY, Mode.CONSUMPTION, 11)
        change.catalogue.put_meter(number, _meter(1, declared))
        change.catalogue.put_sensor(number, _sensor(NEIGHBOUR_SENSOR))


def _meter(number: int, declared: Declared) -> Meter:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=declared.mode, rule=declared.rule)
    return Meter(
        number=number,
        id=declared.id,
        name=declared.name,
        medium=declared.medium,
        prim_ad=declared.prim_ad,
        facts=(facts,),
    )


def _sensor(sensor_id: str) -> Sensor:
    return Sensor(
        number=1, id=sensor_id, name="Stairwell", type="temperature", unit="°C", model="LoRa T1"
    )


def readings() -> list[dict[str, object]]:
    """Rows of readings at every quarter-hour from FIRST_AT to LAST_AT, as a gateway sends them."""
    by_meter: dict[str, dict[str, int]] = {}
    for (meter, register), rise in RISES.items():
        by_meter.setdefault(meter, {})[register] = rise
    return [
        {"meter": meter, "timestamp": utc(FIRST_AT + 900 * count)}
        | {register: (1000 + rise * count) / 1000 for register, rise in rises.items()}
        for count in range(QUARTERS + 1)
        for meter, rises in by_meter.items()
    ]


def sensor_readings() -> list[dict[str, object]]:
    """Rows of sensor values."""
    return [{"sensor": SENSOR, "timestamp": utc(at), "value": value} for at, value in SENSOR_VALUES]


def utc(instant_at: int) -> str:
    """An instant as naive UTC text."""
    return dt.datetime.fromtimestamp(instant_at, dt.UTC).replace(tzinfo=None).isoformat()
