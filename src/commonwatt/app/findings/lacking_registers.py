"""Registers that the balance needs and that nothing is known of, and whether they begin later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonwatt.app.ports import Snapshot
from commonwatt.app.settling.load import judge_meters
from commonwatt.app.settling.plausible_days import first_used_day
from commonwatt.domain.balance.members import members_of
from commonwatt.domain.metering.catalogue import Group, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import (
    DAY_QUARTERS,
    DAY_S,
    QUARTER_S,
    day_of,
    first_quarter_from,
)
from commonwatt.domain.settlement import group_energies


@dataclass(frozen=True, slots=True)
class LackingRegister:
    """A register of the profile of a meter that is missing in a quarter-hour of the balance.

    ``begins_at`` [Unix seconds] is the first whole quarter-hour with readings of it, None where it
    was read before, or never.
    """

    meter: Meter
    register: Register
    begins_at: int | None

    def declared_from(self, quarter: int, zone: str) -> str | None:
        """The declaration that says so, None where it does not begin later.

        The meter's wiring at the quarter-hour is part of it, for a declared map replaces the other.
        """
        if self.begins_at is None:
            return None
        wired = self.meter.facts_at(quarter * QUARTER_S).registers
        raw = wired.get(self.register)
        said = [f"{to}: {feeds}" for to, feeds in wired.items() if to is not self.register]
        start = _declared(self.begins_at, zone)
        own = f"from: {start}" if raw is None else f"raw: {raw}, from: {start}"
        return "registers: {" + ", ".join([*said, f"{self.register}: {{{own}}}"]) + "}"


def lacking_registers(
    snapshot: Snapshot, catalogue: SiteCatalogue, group: Group, quarter: int
) -> list[LackingRegister]:
    """Return what the members of the balance lack in a quarter-hour, as it is settled now."""
    day, position = quarter // DAY_QUARTERS, quarter % DAY_QUARTERS
    meters, site = catalogue.meters_of(group), catalogue.site.number
    judged = judge_meters(snapshot.readings, catalogue, meters, day, day + 1)
    edits = snapshot.edits.edits(site, day * DAY_S, (day + 1) * DAY_S)
    run = day * DAY_QUARTERS, (day + 1) * DAY_QUARTERS
    energies, _ = group_energies(catalogue, group, judged, *run, edits)
    section = slice(position, position + 1)
    members = members_of(meters, energies, quarter * QUARTER_S, section)
    missing = [(each.number, register) for each in members for register in each.lacks(0)]
    return with_beginnings(snapshot, catalogue, missing, quarter)


def with_beginnings(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    missing: Iterable[tuple[int, Register]],
    quarter: int,
) -> list[LackingRegister]:
    """Return registers that are missing in a quarter-hour, with when they begin."""
    by_number = {meter.number: meter for meter in catalogue.meters}
    found = []
    for number, register in missing:
        meter = by_number[number]
        raw = meter.facts_at(quarter * QUARTER_S).raw_register(register)
        first_at = first_accepted(snapshot, catalogue, meter).get(raw)
        begins_at = None if first_at is None else first_quarter_from(first_at) * QUARTER_S
        is_later = begins_at is not None and begins_at > quarter * QUARTER_S
        found.append(LackingRegister(meter, register, begins_at if is_later else None))
    return found


def first_accepted(
    snapshot: Snapshot, catalogue: SiteCatalogue, meter: Meter
) -> Mapping[Register, int]:
    """Return the first accepted reading of each raw register of a meter [Unix seconds].

    Of an interval meter the start of the first accepted interval.
    """
    spans = snapshot.readings.register_spans(catalogue.site.number, [meter.number])
    found: dict[Register, int] = {}
    for register, span in spans.get(meter.number, {}).items():
        day = max(first_used_day(meter, span), day_of(OLDEST_STAMP_AT))
        for judged in judge_meters(snapshot.readings, catalogue, [meter], day, day + 1):
            first_at = judged.registers[Register(register)].first_accepted_at
            if first_at is not None:
                found[Register(register)] = first_at
    return found


def declared_installation(first_at: int, zone: str) -> str:
    """Return the declaration that a meter joined with its first reading [Unix seconds]."""
    return f"installed_at: {_declared(first_at, zone)}"


def _declared(instant_at: int, zone: str) -> str:
    return local_stamp(instant_at, zone).replace(" ", "T")
