"""What is declared of locked time and not stored with it, and so must stay as it was declared."""

from collections.abc import Iterable, Iterator

from commonwatt.app.declaration import DeclarationFault
from commonwatt.app.declared_meters import MeterChange
from commonwatt.app.local_stamp import local_stamp
from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import Medium, MeterFacts, Site, epochs
from commonwatt.domain.members import counts_unshared


def locked_mode_faults(
    snapshot: Snapshot, site: Site, changes: Iterable[MeterChange]
) -> list[DeclarationFault]:
    """Return the changes that would answer locked quarter-hours otherwise.

    Which register is a meter's total, and whether a meter without a share is in the books at all.
    """
    faults: list[DeclarationFault] = []
    for each in changes:
        group = each.after.medium.group
        until_at = snapshot.locks.locked_until(site.number, group)
        if each.before is None or until_at is None:
            continue
        before, after = each.before, each.after
        starts = (start for start, _ in epochs(0, until_at, (*before.facts, *after.facts)))
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
    """Return the fault of another timezone, by which days and months of locked time would end."""
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
