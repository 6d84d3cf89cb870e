"""Who lives in the demo's building and how it is fitted; `building.yaml` declares its meters."""

from dataclasses import dataclass
from pathlib import Path

DECLARATION_FILE = Path(__file__).parent / "data" / "building.yaml"
SITE_ID = "65920080c0a1e7d4b8f30000"
TIMEZONE = "Europe/Zurich"

SENSOR_IDS = {
    "temperature": "65920080c0a1e7d4b8f30401",
    "humidity": "65920080c0a1e7d4b8f30402",
    "co2": "65920080c0a1e7d4b8f30403",
}


@dataclass(frozen=True, slots=True)
class Address:
    """How a meter is read: its type and its prim_ad."""

    type: str
    prim_ad: int


@dataclass(frozen=True, slots=True)
class Household:
    """An apartment: its electricity profile and rated power [W], and a like home's other weeks."""

    address: Address
    profile: str
    rated_w: int
    weeks_later: int


def _household(number: int, profile: str, rated_w: int, weeks_later: int) -> Household:
    return Household(Address("electricity", 10 + number), profile, rated_w, weeks_later)


# Rated power makes 1,500 to 4,100 kWh a year: full load hours are 1,222 of H0-A, 776 of H0-B,
# 1,031 of H0-C, 611 of H0-G and 496 of H0-L.
HOUSEHOLDS = (
    _household(1, "H0-A", 1700, 0),
    _household(2, "H0-B", 3400, 0),
    _household(3, "H0-C", 2700, 0),
    _household(4, "H0-G", 4900, 0),
    _household(5, "H0-L", 3600, 0),
    _household(6, "H0-B", 4600, 1),
    _household(7, "H0-C", 3500, -1),
    _household(8, "H0-G", 3300, 2),
    _household(9, "H0-L", 5200, -2),
    _household(10, "H0-A", 2100, -1),
    _household(11, "H0-B", 2600, -2),
    _household(12, "H0-C", 4000, 2),
)

GRID = Address("electricity", 10)
HOUSE_SUPPLY = Address("electricity", 30)
HEAT_PUMP = Address("electricity", 31)
CHARGE_POINT = Address("charge_point", 33)
PV_SOUTH = Address("electricity", 101)
PV_WEST = Address("electricity", 102)
BATTERY = Address("electricity", 201)
HEATING = (Address("heating", 1), Address("heating", 2))
COOLING = Address("cooling", 1)
COLD_WATER = (Address("cold_water", 1), Address("cold_water", 2))
HOT_WATER = (Address("hot_water", 1), Address("hot_water", 2))

COMMON_PARTS_W = 1_800
HEAT_PUMP_W = 14_000
CHARGE_POINT_W = 11_000
PV_SOUTH_W = 45_000
PV_WEST_W = 20_000
COOLING_W = 9_000

BATTERY_CAPACITY_WH = 30_000
BATTERY_W = 12_000
