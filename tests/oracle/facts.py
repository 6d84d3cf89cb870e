"""What a building is and what was delivered about it: the input of the oracle.

Instants are whole Unix seconds, except `recorded_at_us` and `issued_at_us` (microseconds).
Raw values are mWh (electricity, heat, cooling) or ml (water).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from tests.oracle.allocation import Key

QUARTER_S = 900

ABSENT, MISSING, ESTIMATED, INTERPOLATED, EDITED, MEASURED = range(6)

Mode = Literal["consumption", "introduction", "production", "battery"]
Medium = Literal["electricity", "charge_point", "heating", "cooling", "cold_water", "hot_water"]
BalanceMode = Literal["plain", "clamped"]
BatteryOrder = Literal["last", "first"]
ReadingQuality = Literal["measured", "estimated", "placeholder"]
Side = Literal["im", "ex"]
"""The two registers of a load profile: import (also heat and volume) and export."""

ELECTRICITY: tuple[Medium, ...] = ("electricity", "charge_point")
RAW_REGISTERS: dict[Medium, dict[Side, str]] = {
    "electricity": {"im": "en_im", "ex": "en_ex"},
    "charge_point": {"im": "en_im", "ex": "en_ex"},
    "heating": {"im": "heat_energy_kwh"},
    "cooling": {"im": "heat_energy_kwh"},
    "cold_water": {"im": "vol_m3"},
    "hot_water": {"im": "vol_m3"},
}


@dataclass(frozen=True)
class Operand:
    """One term of a rule: `sign` x the meter, or x the one register that is named."""

    sign: Literal[1, -1]
    meter_id: str
    register: str | None = None


@dataclass(frozen=True)
class Facts:
    """What holds of a meter from `valid_from` until the next facts."""

    valid_from: int = 0
    mode: Mode = "consumption"
    enabled: bool = True
    balance: bool = True
    isolated: bool = False
    factor: Fraction = Fraction(1)
    registers: Mapping[str, str] = field(default_factory=dict)
    rule: tuple[Operand, ...] | None = None
    share: Fraction | None = None
    priority: int = 0
    producers: Mapping[str, Fraction | None] = field(default_factory=dict)
    max_per_hour: int | None = None

    @property
    def main_side(self) -> Side:
        return "ex" if self.mode == "production" else "im"


@dataclass(frozen=True)
class Row:
    """One delivered row: the registers that it carries, at one instant."""

    stamp: int
    values: Mapping[str, int]
    quality: ReadingQuality = "measured"
    issued_at_us: int | None = None
    serial: str = ""
    replaces: bool = False


@dataclass(frozen=True)
class Delivery:
    """What one delivery says of one meter."""

    number: int
    recorded_at_us: int
    rows: tuple[Row, ...]
    withdrawn: bool = False


@dataclass(frozen=True)
class Device:
    """A device in a meter's place from `from_at` on (None: from the beginning)."""

    from_at: int | None = None
    serial: str = ""
    digits: int | None = None
    factor: Fraction | None = None
    start_index: Mapping[str, int] = field(default_factory=dict)
    end_index: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Resolution:
    """What somebody declared a break of a register to have been."""

    register: str
    kind: Literal["reset", "rollover", "faulty"]
    start_at: int
    end_at: int
    digits: int | None = None


@dataclass(frozen=True)
class Meter:
    """A meter, its facts over time (ascending; the first from 0) and its deliveries."""

    id: str
    medium: Medium = "electricity"
    facts: tuple[Facts, ...] = (Facts(),)
    interval_s: int | None = None
    installed_at: int | None = None
    installed_index: Mapping[str, int] = field(default_factory=dict)
    removed_at: int | None = None
    devices: tuple[Device, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    begins_again: bool = False
    deliveries: tuple[Delivery, ...] = ()

    def facts_at(self, instant: int) -> Facts:
        return [facts for facts in self.facts if facts.valid_from <= instant][-1]


@dataclass(frozen=True)
class Building:
    """A site: its meters, and over time, as (valid_from, word), how its books are made."""

    meters: tuple[Meter, ...]
    balance: tuple[tuple[int, BalanceMode], ...] = ((0, "plain"),)
    key: tuple[tuple[int, Key], ...] = ((0, "pro_rata"),)
    battery: tuple[tuple[int, BatteryOrder], ...] = ((0, "last"),)
    proxy_days: tuple[tuple[int, bool], ...] = ((0, False),)

    def balance_at(self, instant: int) -> BalanceMode:
        return [mode for valid_from, mode in self.balance if valid_from <= instant][-1]

    def key_at(self, instant: int) -> Key:
        return [key for valid_from, key in self.key if valid_from <= instant][-1]

    def battery_at(self, instant: int) -> BatteryOrder:
        return [order for valid_from, order in self.battery if valid_from <= instant][-1]

    def proxy_days_at(self, instant: int) -> bool:
        return [told for valid_from, told in self.proxy_days if valid_from <= instant][-1]

    def meter(self, meter_id: str) -> Meter:
        return next(meter for meter in self.meters if meter.id == meter_id)


Rule = Literal[
    "stamp-too-old",
    "stamp-ahead",
    "outside-life",
    "stamp-far-before",
    "zero-after-positive",
    "index-out-of-order",
    "index-break",
    "stamp-off-interval",
    "interval-overlap",
    "interval-incomplete",
    "quarter-too-large",
    "serial-changed",
    "rollover",
    "declared-faulty",
    "readings-unused",
]
"""Rules that decide what is settled; the oracle judges no others."""


@dataclass(frozen=True, order=True)
class Finding:
    """Something that was set aside or doubted: of which meter and register, when, by which rule.

    `at` is the reading's stamp, the later one of a break, the start of a quarter-hour too large.
    """

    meter_id: str
    register: str
    at: int
    rule: Rule


@dataclass(frozen=True)
class RegisterQuarter:
    """A register in a quarter-hour: Wh (or litres) and quality; no value where missing."""

    energy_wh: int | None
    quality: int


@dataclass(frozen=True)
class MeterQuarter:
    """A meter in a quarter-hour. A side that is None is not part of the meter."""

    alive: bool
    im: RegisterQuarter | None = None
    ex: RegisterQuarter | None = None

    def side(self, side: Side) -> RegisterQuarter | None:
        return self.im if side == "im" else self.ex


MISSING_QUARTER = RegisterQuarter(None, MISSING)
NOT_ALIVE = MeterQuarter(alive=False)


def round_half_up(x: Fraction) -> int:
    """floor(x + 1/2), exactly."""
    return (x + Fraction(1, 2)).__floor__()


def floor_quarter(instant: int) -> int:
    return instant - instant % QUARTER_S


def ceil_quarter(instant: int) -> int:
    return -floor_quarter(-instant)
