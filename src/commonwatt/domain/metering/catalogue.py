"""Sites, meters, sensors, and the facts about them that results depend on.

Facts hold over [valid_from, valid_to) in Unix seconds on quarter-hour boundaries; ``valid_from`` 0
is the beginning of time (no reading before 2000 is used), ``valid_to`` None is open. The facts of
one meter follow each other without a hole.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from commonwatt.domain.metering.quarter_hours import DAY_S

_SWITCH_S = 3_600


class Group(StrEnum):
    """What influences each other settles together."""

    ELECTRICITY = "electricity"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"


class Medium(StrEnum):
    """What a meter measures: its type in the catalogue."""

    ELECTRICITY = "electricity"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    CHARGE_POINT = "charge_point"

    @property
    def group(self) -> Group:
        """The group that settles this medium; charge points are part of electricity."""
        return Group.ELECTRICITY if self is Medium.CHARGE_POINT else Group(self.value)

    @property
    def unit(self) -> str:
        """The unit in which people read it: 1,000 Wh, or 1,000 litres."""
        return "m3" if self in (Medium.COLD_WATER, Medium.HOT_WATER) else "kWh"


class Mode(StrEnum):
    """The part a meter plays in its site."""

    CONSUMPTION = "consumption"
    INTRODUCTION = "introduction"
    PRODUCTION = "production"
    BATTERY = "battery"


class RegisterKind(StrEnum):
    """What a fall of an index means: a fault or another device, or a counter that begins again."""

    COUNTS = "counts"
    RESETS = "resets"


class Register(StrEnum):
    """Registers that readings carry: kWh imported, kWh exported, kWh of heat or cold, m3."""

    EN_IM = "en_im"
    EN_EX = "en_ex"
    HEAT_ENERGY_KWH = "heat_energy_kwh"
    VOL_M3 = "vol_m3"


REGISTERS_OF: Mapping[Medium, tuple[Register, ...]] = {
    Medium.ELECTRICITY: (Register.EN_IM, Register.EN_EX),
    Medium.CHARGE_POINT: (Register.EN_IM, Register.EN_EX),
    Medium.HEATING: (Register.HEAT_ENERGY_KWH,),
    Medium.COOLING: (Register.HEAT_ENERGY_KWH,),
    Medium.COLD_WATER: (Register.VOL_M3,),
    Medium.HOT_WATER: (Register.VOL_M3,),
}
"""Registers of a medium, the imported one first."""


class BalanceMode(StrEnum):
    """How the balance of a site is computed: as measured, or so that nothing is negative."""

    PLAIN = "plain"
    CLAMPED = "clamped"


class BatteryOrder(StrEnum):
    """Whether the site's own energy serves its consumers before it charges batteries."""

    LAST = "last"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A physical device in a meter's place, from ``from_at`` [Unix seconds] to the next one.

    The first device may have ``from_at`` None: from the beginning. ``start_index`` and
    ``end_index`` are the raw register indexes [mWh, ml] when it was put in and taken out; a
    register that one of both sides does not name has a break there. ``digits`` before the decimal
    point [kWh, m3] tell where the register rolls over. ``factor`` replaces that of the meter.
    """

    from_at: int | None = None
    serial: str | None = None
    digits: int | None = None
    factor: Decimal | None = None
    start_index: Mapping[Register, int] = field(default_factory=dict)
    end_index: Mapping[Register, int] = field(default_factory=dict)


class ResolutionKind(StrEnum):
    """What a break of a register was, as somebody declared it."""

    RESET = "reset"
    ROLLOVER = "rollover"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A declared cause of what validation found on a register over [start, end] [Unix seconds].

    RESET and ROLLOVER: between the last reading at or before ``start_at`` and the first at or after
    ``end_at`` the register began again at 0, or ran over its ``digits``. FAULTY: the readings of
    [start, end], both inclusive, are wrong. ``finding`` is the id of the finding that it answers.
    """

    register: Register
    kind: ResolutionKind
    start_at: int
    end_at: int
    digits: int | None = None
    finding: str | None = None


class Looks(StrEnum):
    """What readings of a meter look like that cannot be what they are declared as."""

    INDEX = "index"
    """Indexes, of an interval meter."""
    INTERVALS = "intervals"
    """Energies of intervals, of an index meter."""
    COARSER = "coarser-intervals"
    """Intervals longer than the meter's."""
    UNIT = "unit"
    """Values in a smaller unit, as Wh for kWh: far more than can flow."""
    SEVERAL = "several-series"
    """Several series under one meter, as one a phase: deliveries that contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSpan:
    """Readings of a meter that are not used, since they look like something else.

    Those that lie in [from_at, until_at) [Unix seconds], None is open: indexes by their stamp,
    intervals by what they are of. ``seen_at`` begins the first
    UTC day whose readings show it.
    """

    looks: Looks
    from_at: int | None
    until_at: int | None
    seen_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedSpan:
    """Readings that somebody accepted though they look like something else.

    Those that lie in [from_at, until_at) [Unix seconds], None is open; ``delivery`` is the one that
    was accepted.
    """

    looks: Looks
    from_at: int | None
    until_at: int | None
    delivery: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What holds of a meter over [valid_from, valid_to).

    ``registers`` names for a register of the profile the raw register that is wired to it (reversed
    wiring: {en_im: en_ex, en_ex: en_im}); ``factor`` multiplies the index; ``rule`` makes it a rule
    meter. ``producers`` names the producers whose energy a consumer has a part in, as a rule does,
    with the percentage of each where the key asks for one. ``max_per_hour`` [Wh, litre] is the most
    that can flow in an hour.
    """

    valid_from: int
    valid_to: int | None
    mode: Mode
    enabled: bool = True
    balance: bool = True
    isolated: bool = False
    priority: int = 0
    share: Decimal | None = None
    rule: str | None = None
    factor: Decimal = Decimal(1)
    registers: Mapping[Register, Register] = field(default_factory=dict)
    producers: Mapping[str, Decimal | None] = field(default_factory=dict)
    max_per_hour: int | None = None

    def raw_register(self, register: Register) -> Register:
        """The raw register that feeds a register of the profile."""
        return self.registers.get(register, register)

    @property
    def is_member(self) -> bool:
        """Whether the meter is a member of the balance."""
        return self.enabled and self.balance and not self.isolated

    @property
    def main_is_export(self) -> bool:
        """Whether the meter's total is its exported energy (production) instead of the imported."""
        return self.mode is Mode.PRODUCTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter of a site.

    ``number`` is its number within the site, ``interval_s`` the length of its intervals in seconds
    (None: an index meter), ``installed_index`` the raw register indexes at installation [mWh, ml].
    ``installed_at`` and ``removed_at`` are Unix seconds. ``devices`` ascend by ``from_at``; without
    any the meter is one device. ``register_meter`` names, as a rule does, the index meter whose
    register the sums of this interval meter are checked against. ``register_from`` [Unix seconds],
    by register of the profile: before it, and before its first reading, the meter does not have it.
    ``expected_s``: readings up to this far apart [s] are as expected, None: nothing is said.
    ``register_kind`` is that of an index meter's registers.
    ``held`` are the readings that are not used until somebody accepts them or declares the meter
    otherwise, as `judge_character` finds them; ``accepted`` those that somebody accepted.
    """

    number: int
    id: str
    name: str
    medium: Medium
    prim_ad: int
    facts: tuple[MeterFacts, ...]
    interval_s: int | None = None
    installed_at: int | None = None
    installed_index: Mapping[Register, int] = field(default_factory=dict)
    removed_at: int | None = None
    devices: tuple[Device, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    register_meter: str | None = None
    register_from: Mapping[Register, int] = field(default_factory=dict)
    expected_s: int | None = None
    register_kind: RegisterKind = RegisterKind.COUNTS
    held: tuple[HeldSpan, ...] = ()
    accepted: tuple[AcceptedSpan, ...] = ()

    @property
    def current(self) -> MeterFacts:
        """The facts that hold last."""
        return self.facts[-1]

    @property
    def is_rule_meter(self) -> bool:
        """Whether the meter is computed from others."""
        return self.current.rule is not None

    @property
    def longest_expected_s(self) -> int:
        """The farthest apart that readings are as expected [s], 0 if nothing is said.

        Whole days are those of a clock: the day on which it is put back has an hour more.
        """
        if self.expected_s is None:
            return 0
        return self.expected_s + (_SWITCH_S if self.expected_s % DAY_S == 0 else 0)

    def facts_at(self, instant_at: int) -> MeterFacts:
        """The facts that hold at an instant [Unix seconds]."""
        if len(self.facts) == 1:
            return self.facts[0]
        position = bisect_right(self.facts, instant_at, key=lambda facts: facts.valid_from) - 1
        return self.facts[max(position, 0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor of a site; its values are not energy and are served as they came."""

    number: int
    id: str
    name: str
    type: str
    unit: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What holds of a site over [valid_from, valid_to).

    ``balance``, ``key``, ``battery`` and ``connection_w`` (the most that its grid connection can
    carry [W]) concern its electricity. ``proxy_days`` allows that what a meter missed after its
    last reading is estimated from comparable days until the reading comes.
    """

    valid_from: int
    valid_to: int | None
    balance: BalanceMode = BalanceMode.PLAIN
    key: str = "pro_rata"
    battery: BatteryOrder = BatteryOrder.LAST
    connection_w: int | None = None
    proxy_days: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A building or community at one grid connection."""

    number: int
    id: str
    name: str
    timezone: str
    site_ref: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    city: str | None = None
    postal_code: str | None = None
    creation_date: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, kw_only=True)
class SiteCatalogue:
    """A site with all that is declared of it, as of one generation of the site."""

    site: Site
    facts: tuple[SiteFacts, ...]
    meters: tuple[Meter, ...]
    sensors: tuple[Sensor, ...]
    generation: int

    @cached_property
    def meter_by_id(self) -> Mapping[str, Meter]:
        """Meters by their public id."""
        return {meter.id: meter for meter in self.meters}

    @cached_property
    def sensor_by_id(self) -> Mapping[str, Sensor]:
        """Sensors by their public id."""
        return {sensor.id: sensor for sensor in self.sensors}

    @cached_property
    def meter_by_address(self) -> Mapping[tuple[str, int], Meter]:
        """Meters by (type, prim_ad)."""
        return {(meter.medium.value, meter.prim_ad): meter for meter in self.meters}

    def meters_of(self, group: Group) -> tuple[Meter, ...]:
        """The meters that settle together in a group, ascending by id."""
        return self._by_group.get(group, ())

    @cached_property
    def _by_group(self) -> Mapping[Group, tuple[Meter, ...]]:
        ordered = sorted(self.meters, key=lambda meter: meter.id)
        return {g: tuple(m for m in ordered if m.medium.group is g) for g in Group}

    def site_facts_at(self, instant_at: int) -> SiteFacts:
        """The site's facts that hold at an instant [Unix seconds]."""
        position = bisect_right(self.facts, instant_at, key=lambda facts: facts.valid_from) - 1
        return self.facts[max(position, 0)]


def valid_spans(
    start_at: int, end_at: int, validity: Iterable[MeterFacts | SiteFacts]
) -> list[tuple[int, int]]:
    """Cut [start_at, end_at) into the spans over which none of the facts change.

    >>> from_then_on = SiteFacts(valid_from=1800, valid_to=None)
    >>> valid_spans(0, 3600, [from_then_on])
    [(0, 1800), (1800, 3600)]
    """
    cuts = {f.valid_from for f in validity if start_at < f.valid_from < end_at}
    edges = [start_at, *sorted(cuts), end_at]
    return list(pairwise(edges))
