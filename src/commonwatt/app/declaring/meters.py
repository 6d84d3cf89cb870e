"""Which meters a declaration means, and what it makes of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from commonwatt.app.declaring.declaration import DeclarationFault, MeterDeclaration, NotSaid, new_id
from commonwatt.app.declaring.devices import device_fault, factor_fault
from commonwatt.app.declaring.facts import effective_from, facts_from, said_of, updated
from commonwatt.app.declaring.rules import meter_label
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    RegisterKind,
    SiteCatalogue,
)

FACTS = (
    *("mode", "enabled", "balance", "isolated", "priority"),
    *("factor", "share", "producers", "max_per_hour", "rule", "registers"),
)
"""Fields of a declaration that hold from an instant on."""
LIFE = ("installed_at", "removed_at")
_PHYSICAL = (
    *("interval_s", "installed_at", "installed_index", "removed_at", "factor", "registers"),
    *("devices", "register_meter", "max_per_hour", "register_from", "register_kind"),
    "expected_s",
)
_FIRST_FREE_PRIM_AD = 900
_MILLION = 1_000_000


class _Wrong(Exception):
    """A field of a meter that cannot be as it is declared."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A meter as it was (None: it is new) and as it is to be.

    ``line``: where it is declared; ``from_at`` [Unix seconds]: from when its facts are changed.
    """

    line: int
    before: Meter | None
    after: Meter
    from_at: int


def declared_meters(
    catalogue: SiteCatalogue,
    declared: Sequence[MeterDeclaration],
    with_readings: Collection[int],
    now_at: int,
) -> tuple[list[MeterChange], list[DeclarationFault]]:
    """Return the declared meters as they will be, and the faults of those that cannot be.

    ``with_readings`` are the numbers of the meters of which readings are stored.
    """
    changes: list[MeterChange] = []
    faults: list[DeclarationFault] = []
    lines: dict[int, int] = {}
    taken = {(meter.medium, meter.prim_ad) for meter in catalogue.meters}
    taken |= {(m.medium, m.prim_ad) for m in declared if not isinstance(m.prim_ad, NotSaid)}
    number = max((meter.number for meter in catalogue.meters), default=0)
    for each in declared:
        try:
            before = _known(catalogue, each)
            number += before is None
            start = before or _new_meter(each, number, _prim_ad(each, taken), now_at)
            _refuse_second(start, lines)
            from_at = 0 if before is None else effective_from(each.valid_from, now_at)
            after = _updated(start, each, from_at)
            _check(before, after, each, from_at, with_readings)
        except _Wrong as wrong:
            faults.append(DeclarationFault(each.line, wrong.key, str(wrong)))
        else:
            lines[after.number] = each.line
            changes.append(MeterChange(each.line, before, after, from_at))
    return changes, faults + _address_faults(catalogue, changes)


def _refuse_second(meter: Meter, lines: Mapping[int, int]) -> None:
    if meter.number in lines:
        first = lines[meter.number]
        raise _Wrong("meter", f"is {meter_label(meter)}, declared already on line {first}")


def _known(catalogue: SiteCatalogue, declared: MeterDeclaration) -> Meter | None:
    """Find the meter that is meant: by id, else by type and prim_ad, else by name."""
    if not isinstance(declared.id, NotSaid):
        meter = catalogue.meter_by_id.get(declared.id)
    elif not isinstance(declared.prim_ad, NotSaid):
        meter = catalogue.meter_by_address.get((declared.medium.value, declared.prim_ad))
    else:
        meter = _known_by_name(catalogue, declared)
    if meter is not None and meter.medium is not declared.medium:
        raise _Wrong(
            "type",
            f"{meter_label(meter)} has the type {meter.medium}, which never changes; "
            "a new meter of that name needs a prim_ad or an id",
        )
    return meter


def _known_by_name(catalogue: SiteCatalogue, declared: MeterDeclaration) -> Meter | None:
    named = [meter for meter in catalogue.meters if meter.name == declared.name]
    found = [meter for meter in named if meter.medium is declared.medium] or named
    if len(found) > 1:
        raise _Wrong("name", f"{len(found)} meters have this name; say which by id or prim_ad")
    return found[0] if found else None


def _prim_ad(declared: MeterDeclaration, taken: set[tuple[Medium, int]]) -> int:
    if not isinstance(declared.prim_ad, NotSaid):
        return declared.prim_ad
    prim_ad = _FIRST_FREE_PRIM_AD
    while (declared.medium, prim_ad) in taken:
        prim_ad += 1
    taken.add((declared.medium, prim_ad))
    return prim_ad


def _new_meter(declared: MeterDeclaration, number: int, prim_ad: int, now_at: int) -> Meter:
    return Meter(
        number=number,
        id=new_id(now_at) if isinstance(declared.id, NotSaid) else declared.id,
        name=declared.name,
        medium=declared.medium,
        prim_ad=prim_ad,
        facts=(MeterFacts(valid_from=0, valid_to=None, mode=declared.mode),),
        interval_s=None if isinstance(declared.interval_s, NotSaid) else declared.interval_s,
    )


def _updated(meter: Meter, declared: MeterDeclaration, from_at: int) -> Meter:
    facts = said_of(declared, FACTS)
    if isinstance(declared.registers, Mapping):
        facts["registers"] = {to: raw for to, raw in declared.registers.items() if to is not raw}
    names = ("name", "prim_ad", "interval_s", *LIFE, "devices")
    fields = said_of(
        declared, (*names, "register_meter", "register_from", "register_kind", "expected_s")
    )
    after = updated(
        updated(meter, fields),
        {"facts": facts_from(meter.facts, from_at, lambda each: updated(each, facts))},
    )
    if isinstance(declared.installed_index, NotSaid):
        return after
    return updated(after, {"installed_index": _raw_index(after, declared.installed_index)})


def _raw_index(meter: Meter, index: Decimal | Mapping[Register, Decimal]) -> dict[Register, int]:
    """Return the indexes at installation [mWh, ml] by raw register; a number is the main one's."""
    if isinstance(index, Decimal):
        facts = meter.facts_at(meter.installed_at or 0)
        registers = REGISTERS_OF[meter.medium]
        main = registers[-1] if facts.main_is_export else registers[0]
        index = {facts.raw_register(main): index}
    return {register: int(value * _MILLION) for register, value in index.items()}


def _check(
    before: Meter | None,
    after: Meter,
    declared: MeterDeclaration,
    from_at: int,
    with_readings: Collection[int],
) -> None:
    """Raise `_Wrong` for what does not go together."""
    said = said_of(declared, ("interval_s", "installed_index"))
    if (
        before is not None
        and said.get("interval_s", before.interval_s) != before.interval_s
        and not _nothing_counts(before, with_readings)
    ):
        was = f"{before.interval_s} s" if before.interval_s else "none: it is an index meter"
        raise _Wrong(
            "interval",
            f"never changes once readings count, and that of {meter_label(before)} is {was}",
        )
    if "installed_index" in said and after.installed_at is None:
        raise _Wrong("installed_index", "needs installed_at, the moment of that index")
    if None not in (after.installed_at, after.removed_at):
        life = cast("tuple[int, int]", (after.installed_at, after.removed_at))
        if life[1] < life[0]:
            raise _Wrong("removed_at", "lies before installed_at")
    exports = len(REGISTERS_OF[after.medium]) > 1
    if declared.mode in (Mode.PRODUCTION, Mode.BATTERY) and not exports:
        raise _Wrong("mode", f"{declared.mode} is a mode of electricity, not of {after.medium}")
    if not isinstance(declared.factor, NotSaid) and (reason := factor_fault(declared.factor)):
        raise _Wrong("factor", reason)
    if reason := device_fault(after):
        raise _Wrong("devices", reason)
    _check_registers(after)
    if after.facts_at(from_at).rule is not None:
        _check_rule_meter(after, declared, with_readings)


def _check_registers(after: Meter) -> None:
    if after.register_meter is not None and after.interval_s is None:
        raise _Wrong("register_meter", "is for an interval meter, whose sums it checks")
    if after.register_kind is RegisterKind.RESETS and after.interval_s is not None:
        raise _Wrong("register_kind", "resets is of an index meter; intervals have no index")
    if after.expected_s is not None and after.interval_s is not None:
        raise _Wrong("expected", "is of an index meter; intervals that lack are missing")
    main = REGISTERS_OF[after.medium][-1 if after.current.main_is_export else 0]
    if main in after.register_from:
        reason = f"{main} is what {meter_label(after)} is read for; say installed_at, not from"
        raise _Wrong("registers", reason)


def _nothing_counts(meter: Meter, with_readings: Collection[int]) -> bool:
    """Whether a meter has no readings, or all of them are held back."""
    all_held = any(span.from_at is None and span.until_at is None for span in meter.held)
    return all_held or meter.number not in with_readings


def _check_rule_meter(
    after: Meter, declared: MeterDeclaration, with_readings: Collection[int]
) -> None:
    if after.number in with_readings:
        raise _Wrong(
            "rule",
            f"{meter_label(after)} has readings of its own and cannot be computed from others; "
            "declare the rule meter as another meter",
        )
    for key, value in said_of(declared, _PHYSICAL).items():
        if value not in (None, {}, (), Decimal(1), RegisterKind.COUNTS):
            name = {
                "interval_s": "interval",
                "register_from": "registers",
                "expected_s": "expected",
            }.get(key, key)
            raise _Wrong(name, "means nothing for a rule meter: it is what its operands are")


def _address_faults(
    catalogue: SiteCatalogue, changes: Sequence[MeterChange]
) -> list[DeclarationFault]:
    """Find prim_ads that two meters of a type would have."""
    after = {meter.number: meter for meter in catalogue.meters}
    after |= {change.after.number: change.after for change in changes}
    having: dict[tuple[Medium, int], list[Meter]] = {}
    for meter in after.values():
        having.setdefault((meter.medium, meter.prim_ad), []).append(meter)
    return [
        DeclarationFault(
            change.line, "prim_ad", f"{other.prim_ad} is that of {meter_label(other)}, {other.id}"
        )
        for change in changes
        for other in having[change.after.medium, change.after.prim_ad]
        if other.number != change.after.number
    ]
