"""Modes of locked time: which register is a meter's total is not stored with it, but declared."""

from collections.abc import Iterable

from commonwatt.app.declaration import DeclarationFault
from commonwatt.app.declared_meters import MeterChange
from commonwatt.app.local_stamp import local_stamp
from commonwatt.app.ports import Snapshot
from commonwatt.domain.catalogue import Site, epochs


def locked_mode_faults(
    snapshot: Snapshot, site: Site, changes: Iterable[MeterChange]
) -> list[DeclarationFault]:
    """Return the changes that would make another register the total of a locked quarter-hour."""
    faults: list[DeclarationFault] = []
    for each in changes:
        group = each.after.medium.group
        until_at = snapshot.locks.locked_until(site.number, group)
        if each.before is None or until_at is None:
            continue
        before, after = each.before, each.after
        starts = (start for start, _ in epochs(0, until_at, (*before.facts, *after.facts)))
        if any(
            before.facts_at(at).main_is_export != after.facts_at(at).main_is_export for at in starts
        ):
            until = local_stamp(until_at, site.timezone)
            reason = f"of what is locked cannot change: {group} is locked until {until}; "
            reason += "let it hold from then on (valid_from), or unlock first"
            faults.append(DeclarationFault(each.line, "mode", reason))
    return faults
