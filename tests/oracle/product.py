"""The product's settlement of a generated building, in the product's own types."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from commonwatt.domain.energy.interval_energy import JudgedIntervals, judge_intervals
from commonwatt.domain.energy.physical_meter import JudgedMeter
from commonwatt.domain.metering.catalogue import (
    BalanceMode,
    BatteryOrder,
    Device,
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    RegisterKind,
    Resolution,
    ResolutionKind,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    ReadingQuality,
    RegisterReadings,
    StoredReadings,
    effective_readings,
)
from commonwatt.domain.settlement import Settlement, settle
from commonwatt.domain.vee.declared_segments import installed_index, later_devices
from commonwatt.domain.vee.history import (
    RegisterHistory,
    declared_faulty,
    first_positive,
    usable,
)
from commonwatt.domain.vee.interval_totals import IntervalTotals, interval_totals
from commonwatt.domain.vee.pipeline import JudgedRegister, judge_index_register
from tests.oracle import facts as oracle
from tests.oracle.verdicts import DAY_S, believed_from_day
from tests.oracle.versions import AHEAD_US


def catalogue_of(building: oracle.Building) -> SiteCatalogue:
    """Declare the building; meters are numbered from 1 in the order of their ids."""
    told_of_site = (building.balance, building.key, building.battery, building.proxy_days)
    changes = {at for told in told_of_site for at, _ in told}
    ordered = sorted(changes)
    return SiteCatalogue(
        site=Site(number=1, id=f"{1:024x}", name="Generated", timezone="Europe/Zurich"),
        facts=tuple(
            SiteFacts(
                valid_from=at,
                valid_to=until,
                balance=BalanceMode(building.balance_at(at)),
                key=building.key_at(at),
                battery=BatteryOrder(building.battery_at(at)),
                proxy_days=building.proxy_days_at(at),
            )
            for at, until in zip(ordered, [*ordered[1:], None], strict=True)
        ),
        meters=tuple(_meter(number, m) for number, m in enumerate(building.meters, start=1)),
        sensors=(),
        generation=1,
    )


def _meter(number: int, meter: oracle.Meter) -> Meter:
    ends = [facts.valid_from for facts in meter.facts[1:]]
    return Meter(
        number=number,
        id=meter.id,
        name=f"Meter {number}",
        medium=Medium(meter.medium),
        prim_ad=number,
        facts=tuple(_facts(f, end) for f, end in zip(meter.facts, [*ends, None], strict=True)),
        interval_s=meter.interval_s,
        installed_at=meter.installed_at,
        installed_index={Register(name): mwh for name, mwh in meter.installed_index.items()},
        removed_at=meter.removed_at,
        devices=tuple(map(_device, meter.devices)),
        resolutions=tuple(map(_resolution, meter.resolutions)),
        register_kind=RegisterKind.RESETS if meter.begins_again else RegisterKind.COUNTS,
    )


def _device(device: oracle.Device) -> Device:
    return Device(
        from_at=device.from_at,
        serial=device.serial or None,
        digits=device.digits,
        factor=None if device.factor is None else _decimal(device.factor),
        start_index={Register(name): mwh for name, mwh in device.start_index.items()},
        end_index={Register(name): mwh for name, mwh in device.end_index.items()},
    )


def _resolution(declared: oracle.Resolution) -> Resolution:
    return Resolution(
        register=Register(declared.register),
        kind=ResolutionKind(declared.kind),
        start_at=declared.start_at,
        end_at=declared.end_at,
        digits=declared.digits,
    )


def _facts(facts: oracle.Facts, valid_to: int | None) -> MeterFacts:
    return MeterFacts(
        valid_from=facts.valid_from,
        valid_to=valid_to,
        mode=Mode(facts.mode),
        enabled=facts.enabled,
        balance=facts.balance,
        isolated=facts.isolated,
        rule=None if facts.rule is None else rule_text(facts.rule),
        factor=_decimal(facts.factor),
        max_per_hour=facts.max_per_hour,
        registers={Register(to): Register(wired) for to, wired in facts.registers.items()},
        share=None if facts.share is None else _decimal(facts.share),
        priority=facts.priority,
        producers={
            name: None if part is None else _decimal(part) for name, part in facts.producers.items()
        },
    )


def _decimal(factor: Fraction) -> Decimal:
    return Decimal(factor.numerator) / Decimal(factor.denominator)


def rule_text(rule: tuple[oracle.Operand, ...]) -> str:
    """Write a rule as a declaration does."""
    return " ".join(
        f"{'+' if operand.sign > 0 else '-'} {operand.meter_id}"
        + (f".{operand.register}" if operand.register else "")
        for operand in rule
    )


def stored_readings(meter: oracle.Meter) -> StoredReadings:
    """Everything that was said of the meter, in columns."""
    rows = [(delivery, row) for delivery in meter.deliveries for row in delivery.rows]
    recorded_us = [delivery.recorded_at_us for delivery, _ in rows]
    issued_us = [row.issued_at_us for _, row in rows]
    chosen = [r if i is None else i for r, i in zip(recorded_us, issued_us, strict=True)]
    stamps = np.array([row.stamp for _, row in rows], np.int64)
    registers = sorted({Register(name) for _, row in rows for name in row.values})
    return StoredReadings(
        stamps=stamps,
        values={
            register: np.array([row.values.get(register, NO_VALUE) for _, row in rows], np.int64)
            for register in registers
        },
        qualities=np.array([ReadingQuality[row.quality.upper()] for _, row in rows], np.uint8),
        issued_at=np.array(chosen, np.int64),
        issued=np.array([issued is not None for issued in issued_us], np.bool_),
        ahead=stamps * 1_000_000 > np.array(recorded_us, np.int64) + AHEAD_US,
        deliveries=np.array([delivery.number for delivery, _ in rows], np.int64),
        serials=np.array([row.serial for _, row in rows], np.str_),
        replaces=np.array([row.replaces for _, row in rows], np.bool_),
    )


def judged_meter(declared: Meter, meter: oracle.Meter) -> JudgedMeter:
    """Judge the whole history of a meter at once."""
    stored = stored_readings(meter)
    withdrawn = {delivery.number for delivery in meter.deliveries if delivery.withdrawn}
    intervals: dict[Register, JudgedIntervals] = {}
    indexes: dict[Register, JudgedRegister] = {}
    believed_from = believed_from_day(meter) if meter.installed_at is None else 0
    for register in stored.values:
        readings = effective_readings(stored, register, withdrawn)
        used = readings.take(np.flatnonzero(readings.stamps >= believed_from * DAY_S))
        history = RegisterHistory(
            meter=declared.number,
            register=register.value,
            readings=readings,
            from_start=True,
            to_end=True,
            first_positive_at=_first_positive_at(used, declared, register),
            implausible_before=believed_from,
            first_positive_of={
                at: first_positive(used.take(np.flatnonzero(used.stamps > at)), declared, register)
                for at in later_devices(declared, register)
            },
            totals=IntervalTotals()
            if meter.interval_s is None
            else interval_totals(stored, register, readings, withdrawn, meter.interval_s),
        )
        if meter.interval_s is None:
            indexes[register] = judge_index_register(history, declared)
        else:
            intervals[register] = judge_intervals(history, declared)
    return JudgedMeter(declared, indexes if meter.interval_s is None else intervals)


def _first_positive_at(
    readings: RegisterReadings, declared: Meter, register: Register
) -> int | None:
    first_at = first_positive(readings, declared, register)
    installed_at = declared.installed_at
    if installed_at is None or not installed_index(declared, register):
        return first_at
    standing = readings.take(np.flatnonzero(readings.stamps == installed_at))
    usable_there = usable(standing) & ~declared_faulty(standing.stamps, declared, register)
    return first_at if usable_there.any() else installed_at


def settled_by_product(
    building: oracle.Building, quarters: range
) -> tuple[SiteCatalogue, Mapping[Group, Settlement]]:
    """Settle every group of the building over the quarters."""
    catalogue = catalogue_of(building)
    judged = [
        judged_meter(declared, meter)
        for declared, meter in zip(catalogue.meters, building.meters, strict=True)
        if meter.deliveries or meter.installed_at is not None
        if not declared.is_rule_meter
    ]
    return catalogue, {
        group: settle(
            catalogue,
            group,
            [meter for meter in judged if meter.meter.medium.group is group],
            quarters.start,
            quarters.stop,
        )
        for group in Group
    }
