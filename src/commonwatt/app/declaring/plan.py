"""What a declaration makes of a site: everything that is checked and nothing that is stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from commonwatt.app.declaring.declaration import (
    DeclarationFault,
    InvalidDeclaration,
    MeterDeclaration,
    NotSaid,
    SensorDeclaration,
    SiteDeclaration,
)
from commonwatt.app.declaring.describe import meter_lines, sensor_lines, site_lines
from commonwatt.app.declaring.facts import effective_from, facts_from, said_of, updated
from commonwatt.app.declaring.keys import key_faults
from commonwatt.app.declaring.meters import MeterChange, declared_meters
from commonwatt.app.declaring.rules import register_meter_faults, rule_faults
from commonwatt.app.declaring.sensors import declared_sensors
from commonwatt.app.ports import Snapshot
from commonwatt.app.settling.rejudge import rejudged
from commonwatt.domain.balance.members import counts_unshared
from commonwatt.domain.metering.catalogue import (
    Medium,
    MeterFacts,
    Sensor,
    Site,
    SiteCatalogue,
    valid_spans,
)
from commonwatt.domain.metering.local_time import local_stamp


def locked_mode_faults(
    snapshot: Snapshot, site: Site, changes: Iterable[MeterChange]
) -> list[DeclarationFault]:
    """Return the changes after which locked quarter-hours would have other answers.

    Which register is a meter's total, and whether a meter without a share is in the balance at all.
    """
    faults: list[DeclarationFault] = []
    for each in changes:
        group = each.after.medium.group
        until_at = snapshot.locks.locked_until(site.number, group)
        if each.before is None or until_at is None:
            continue
        before, after = each.before, each.after
        starts = (start for start, _ in valid_spans(0, until_at, (*before.facts, *after.facts)))
        facts = ((before.facts_at(at), after.facts_at(at)) for at in starts)
        key = next((key for pair in facts for key in _changed(after.medium, *pair)), None)
        if key is not None:
            until = local_stamp(until_at, site.timezone)
            reason = f"of what is locked cannot change: {group} is locked until {until}; "
            reason += "let it hold from then on (valid_from), or unlock first"
            faults.append(DeclarationFault(each.line, key, reason))
    return faults


def locked_zone_faults(
    snapshot: Snapshot, before: Site, after: Site, line: int
) -> list[DeclarationFault]:
    """Return a fault where another timezone would move days and months of locked time."""
    if before.timezone == after.timezone or not snapshot.locks.steps(before.number):
        return []
    reason = "of what is locked cannot change; unlock first"
    return [DeclarationFault(line, "timezone", reason)]


def _changed(medium: Medium, before: MeterFacts, after: MeterFacts) -> Iterator[str]:
    """The keys of what changes."""
    if before.main_is_export != after.main_is_export:
        yield "mode"
    elif counts_unshared(medium, before) != counts_unshared(medium, after):
        yield "isolated" if before.isolated != after.isolated else "balance"


_SITE_FIELDS = (
    *("site_ref", "name", "timezone", "street_name", "street_number", "city", "postal_code"),
    *("creation_date", "latitude", "longitude"),
)
_SITE_FACTS = ("balance", "key", "battery", "connection_w", "proxy_days")


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What a declaration makes of a site: the catalogue as it is to be, and what of it changes.

    ``site_facts_from_at`` [Unix seconds]: from when facts of the site change; ``lines`` tell all
    changes to people.
    """

    catalogue: SiteCatalogue
    meters: Sequence[MeterChange]
    sensors: Sequence[Sensor]
    site_facts_from_at: int
    lines: Sequence[str]


def plan_declaration(
    snapshot: Snapshot,
    before: SiteCatalogue,
    declaration: SiteDeclaration,
    now_at: int,
    is_new: bool,
) -> SitePlan:
    """Work out what a declaration changes of a site; ``before`` is the site as it stands.

    Raises `InvalidDeclaration` with every fault found.
    """
    site = updated(before.site, said_of(declaration, _SITE_FIELDS))
    from_at = 0 if is_new else effective_from(declaration.valid_from, now_at)
    said = said_of(declaration, _SITE_FACTS)
    facts = facts_from(before.facts, from_at, lambda each: updated(each, said))
    spans = snapshot.readings.register_spans(site.number, [meter.number for meter in before.meters])
    meters, faults = declared_meters(before, declaration.meters, spans.keys(), now_at)
    sensors, sensor_faults = declared_sensors(before, declaration.sensors, now_at)
    faults += sensor_faults + _faults_of_ids(snapshot, before, declaration)
    by_number = {meter.number: meter for meter in before.meters}
    by_number |= {each.after.number: each.after for each in meters}
    after = replace(before, site=site, facts=facts, meters=tuple(by_number.values()))
    meters = _rejudged(snapshot, before, after, meters, from_at)
    by_number |= {each.after.number: each.after for each in meters}
    after = replace(after, meters=tuple(by_number.values()))
    lines = {each.after.number: each.line for each in meters}
    faults += locked_mode_faults(snapshot, before.site, meters)
    faults += locked_zone_faults(snapshot, before.site, site, declaration.line)
    if not faults:
        faults = rule_faults(after, lines, declaration.line)
        faults += register_meter_faults(after, lines, declaration.line)
        faults += key_faults(after, lines, declaration.line)
    if faults:
        raise InvalidDeclaration(faults)
    lines_of_changes = [
        *site_lines(None if is_new else before, after, from_at),
        *(line for each in meters for line in meter_lines(each, site.timezone)),
        *(line for each in sensors for line in sensor_lines(each)),
    ]
    changed = [each for each in meters if each.after != each.before]
    changed_sensors = [each.after for each in sensors if each.after != each.before]
    return SitePlan(after, changed, changed_sensors, from_at, lines_of_changes)


def _rejudged(
    snapshot: Snapshot,
    before: SiteCatalogue,
    after: SiteCatalogue,
    meters: Sequence[MeterChange],
    from_at: int,
) -> list[MeterChange]:
    """Judge anew which readings are held back of meters that are declared otherwise.

    And of others that have some held back, if what the site declares has changed.
    """
    declared = {each.after.number for each in meters}
    others = [m for m in after.meters if m.held and m.number not in declared]
    if after.facts == before.facts:
        others = []
    changes = [*meters, *(MeterChange(0, meter, meter, from_at) for meter in others)]
    return [
        replace(each, after=rejudged(snapshot.readings, after, each.after))
        if each.before is not None and (each.before.held or _judged_otherwise(each))
        else each
        for each in changes
    ]


def _judged_otherwise(change: MeterChange) -> bool:
    """Whether what is declared of a meter tells its readings apart otherwise."""
    before, after = change.before, change.after
    assert before is not None, "a meter that was there"
    return before.interval_s != after.interval_s or [
        (each.valid_from, each.factor, each.max_per_hour) for each in before.facts
    ] != [(each.valid_from, each.factor, each.max_per_hour) for each in after.facts]


def _faults_of_ids(
    snapshot: Snapshot, before: SiteCatalogue, declaration: SiteDeclaration
) -> list[DeclarationFault]:
    """Find ids that meters or sensors of other sites have."""
    faults: list[DeclarationFault] = []
    own = {*before.meter_by_id, *before.sensor_by_id}
    parts: list[MeterDeclaration | SensorDeclaration] = [*declaration.meters, *declaration.sensors]
    for each in parts:
        if isinstance(each.id, NotSaid) or each.id in own:
            continue
        if snapshot.catalogue.site_having(each.id) is not None:
            reason = f"{each.id} is that of a meter or sensor of another site"
            faults.append(DeclarationFault(each.line, "id", reason))
    return faults
