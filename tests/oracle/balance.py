"""The books of one quarter-hour: the balance of electricity, its shares, the sums of the rest."""

from dataclasses import dataclass, field

from tests.oracle.allocation import Consumer, Key, Quarter, shares
from tests.oracle.facts import (
    ABSENT,
    MISSING,
    QUARTER_S,
    BalanceMode,
    BatteryOrder,
    Facts,
    Medium,
    Meter,
    MeterQuarter,
    RegisterQuarter,
)


@dataclass(frozen=True)
class Member:
    """A meter that takes part in the books of a quarter-hour."""

    meter: Meter
    facts: Facts
    quarter: MeterQuarter

    @property
    def main(self) -> RegisterQuarter:
        main = self.quarter.side(self.facts.main_side)
        assert main is not None
        return main

    def needed(self) -> list[RegisterQuarter]:
        """The registers without which the books do not close."""
        two_sided = self.facts.mode in ("introduction", "battery")
        if two_sided and self.quarter.ex is not None:
            return [self.main, self.quarter.ex]
        return [self.main]

    def energy_wh(self) -> int:
        """What the main register counted; not to be asked where it is missing."""
        assert self.main.energy_wh is not None
        return self.main.energy_wh

    def export_wh(self) -> int:
        """What a grid meter or battery gave; 0 where en_ex is not part of it."""
        if self.quarter.ex is None:
            return 0
        assert self.quarter.ex.energy_wh is not None
        return self.quarter.ex.energy_wh


@dataclass(frozen=True)
class Columns:
    """A closed balance, in Wh."""

    conso_total: int
    prod_total: int
    from_ext: int
    to_ext: int
    self_wh: int
    storage_charging_total: int
    storage_discharging_total: int
    storage_charging_self: int
    unmetered: int


@dataclass(frozen=True)
class SiteQuarter:
    """The balance of a quarter-hour; without columns where a member is missing or none alive.

    `self_of` has every member consumer's share of the building's own solar energy,
    `charge_point` the sum of the charge points, None where the site has none.
    """

    quality: int
    columns: Columns | None = None
    self_of: dict[str, int] = field(default_factory=dict)
    charge_point: int | None = None


@dataclass(frozen=True)
class TotalQuarter:
    """The sum of a group that has totals only (heat, cooling, water)."""

    quality: int
    conso_total: int | None = None


@dataclass(frozen=True)
class Measured:
    """What the members of a quarter-hour measured, in Wh, summed by role.

    Charging and discharging are netted over the site: one of them is 0.
    """

    has_grid: bool
    has_batteries: bool
    consumers: int
    production: int
    from_grid: int
    to_grid: int
    charging: int
    discharging: int


def members(
    meters: list[tuple[Meter, MeterQuarter]], start: int, media: tuple[Medium, ...]
) -> list[Member]:
    """The members of the books of these media, by ascending meter id."""
    found = []
    for meter, quarter in sorted(meters, key=lambda pair: pair[0].id):
        facts = meter.facts_at(start)
        if meter.medium in media and quarter.alive and facts.balance and not facts.isolated:
            found.append(Member(meter, facts, quarter))
    return found


def needed_for_the_books(found: list[Member]) -> list[Member]:
    """Without the producers where a grid meter tells what the building had of its own."""
    if any(member.facts.mode == "introduction" for member in found):
        return [member for member in found if member.facts.mode != "production"]
    return found


def quality_of(found: list[Member]) -> int:
    """The worst of all that is needed; ABSENT without members."""
    return min((part.quality for member in found for part in member.needed()), default=ABSENT)


def site_quarter(
    everybody: list[Member], start: int, mode: BalanceMode, key: Key, battery: BatteryOrder
) -> SiteQuarter:
    """The electricity balance of [start, start + 15 min) over its members."""
    found = needed_for_the_books(everybody)
    quality = quality_of(found)
    if quality <= MISSING:
        return SiteQuarter(quality)
    consumers = [m.energy_wh() for m in found if m.facts.mode == "consumption"]
    grid = [m for m in found if m.facts.mode == "introduction"]
    batteries = [m for m in found if m.facts.mode == "battery"]
    charged = sum(m.energy_wh() for m in batteries)
    discharged = sum(m.export_wh() for m in batteries)
    measured = Measured(
        has_grid=bool(grid),
        has_batteries=bool(batteries),
        consumers=sum(consumers),
        production=sum(m.energy_wh() for m in found if m.facts.mode == "production"),
        from_grid=sum(m.energy_wh() for m in grid),
        to_grid=sum(m.export_wh() for m in grid),
        charging=max(0, charged - discharged),
        discharging=max(0, discharged - charged),
    )
    close = _with_grid if measured.has_grid else _without_grid
    columns = close(measured, _unmetered(measured, mode), battery, charged, discharged)
    charge_points = [m.energy_wh() for m in found if m.meter.medium == "charge_point"]
    return SiteQuarter(
        quality,
        columns,
        shares(key, what_is_shared(everybody, columns, start // QUARTER_S)),
        sum(charge_points) if charge_points else None,
    )


def _unmetered(m: Measured, mode: BalanceMode) -> int:
    """The consumption that no meter saw, which clamped books need to have nothing negative."""
    if mode == "plain":
        return 0
    if not m.has_grid:
        return max(0, -m.consumers)
    c, d = m.charging, m.discharging
    return max(
        0,
        -m.consumers,
        m.from_grid - m.consumers - c,
        m.from_grid + d - m.consumers - c - m.to_grid,
    )


def _with_grid(
    m: Measured, unmetered: int, battery: BatteryOrder, charged: int, discharged: int
) -> Columns:
    """What the grid did not bring is the building's own, for consumers and batteries in turn."""
    conso = m.consumers + unmetered
    own = conso + m.charging - m.from_grid
    if not m.has_batteries:
        charging_self = 0
    elif battery == "first":
        charging_self = min(m.charging, own - min(own, conso, 0))
    else:
        charging_self = max(0, own - conso)
    self_wh = own - charging_self
    return Columns(
        conso_total=conso,
        prod_total=conso + m.charging - m.discharging - m.from_grid + m.to_grid,
        from_ext=m.from_grid,
        to_ext=m.to_grid,
        self_wh=self_wh,
        storage_charging_total=charged,
        storage_discharging_total=discharged,
        storage_charging_self=charging_self,
        unmetered=unmetered,
    )


def _without_grid(
    m: Measured, unmetered: int, battery: BatteryOrder, charged: int, discharged: int
) -> Columns:
    """Consumers and batteries take of the supply in turn; the rest leaves."""
    conso = m.consumers + unmetered
    supply = m.production + m.discharging
    if battery == "first":
        charging_self = min(m.charging, supply - min(supply, conso, 0))
        self_wh = min(conso, supply - charging_self)
    else:
        self_wh = min(conso, supply)
        charging_self = min(m.charging, supply - self_wh)
    return Columns(
        conso_total=conso,
        prod_total=m.production,
        from_ext=conso + m.charging - self_wh - charging_self,
        to_ext=supply - self_wh - charging_self,
        self_wh=self_wh,
        storage_charging_total=charged,
        storage_discharging_total=discharged,
        storage_charging_self=charging_self,
        unmetered=unmetered,
    )


def what_is_shared(everybody: list[Member], columns: Columns, number: int) -> Quarter:
    """What a key is asked: the pool, who used what, who delivered what."""
    consumers = {
        m.meter.id: Consumer(
            max(0, m.energy_wh()), m.facts.share, m.facts.priority, m.facts.producers
        )
        for m in everybody
        if m.facts.mode == "consumption"
    }
    producers = {
        m.meter.id: max(0, m.main.energy_wh or 0) for m in everybody if m.facts.mode == "production"
    }
    metered = columns.conso_total - columns.unmetered
    return Quarter(
        number=number,
        pool=max(0, min(columns.self_wh, metered)),
        available=max(0, columns.self_wh + columns.to_ext),
        consumers=consumers,
        producers=producers,
    )


def total_quarter(found: list[Member]) -> TotalQuarter:
    """The sum of the consumption meters of a group without a balance."""
    consumers = [member for member in found if member.facts.mode == "consumption"]
    quality = quality_of(consumers)
    if quality <= MISSING:
        return TotalQuarter(quality)
    return TotalQuarter(quality, sum(member.energy_wh() for member in consumers))
