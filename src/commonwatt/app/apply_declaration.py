"""Applying a declaration: create or update a site with its meters and sensors, delete nothing.

Applied twice it changes nothing the second time. What results depend on holds from the beginning of
time when it is declared first; a later change acts from ``valid_from``, else from now.
"""

from collections.abc import Sequence
from dataclasses import replace

from commonwatt.app.declaration import (
    DeclarationFault,
    InvalidDeclaration,
    NotSaid,
    SiteDeclaration,
)
from commonwatt.app.declared_meters import LIFE, MeterChange
from commonwatt.app.mark_changes import EVERYTHING, days_with_data
from commonwatt.app.meter_history import MeterHistory
from commonwatt.app.new_ids import new_id
from commonwatt.app.plan_declaration import SitePlan, plan_declaration
from commonwatt.app.ports import Change, RegisterSpan, Snapshot, Store
from commonwatt.domain.catalogue import (
    Group,
    Register,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.quarter_hours import day_of


def apply_declaration(
    store: Store, declaration: SiteDeclaration, account: str, now_at: int
) -> list[str]:
    """Create or update what is declared; return a line for each thing changed, none if none was.

    ``account`` is who declares, ``now_at`` [Unix seconds] from when changes hold that do not say.
    Everything is one transaction, and results that depend on a change are marked to be settled.
    Raises `InvalidDeclaration` with every fault found, and the errors of `store_errors`.
    """
    while True:
        with store.snapshot() as snapshot:
            known = _known_site(snapshot, declaration)
        if known is not None:
            with store.change(known.number) as change:
                catalogue = change.catalogue.catalogue(known.number)
                return _apply(change, catalogue, declaration, account, now_at)
        with store.new_site() as (change, number):
            # Another process may have added it since.
            if _known_site(change, declaration) is None:
                catalogue = _added_site(change, number, declaration, now_at)
                return _apply(change, catalogue, declaration, account, now_at, is_new=True)


def _known_site(snapshot: Snapshot, declaration: SiteDeclaration) -> Site | None:
    """Find the site that is meant: by its id, else by its reference."""
    by_id: Site | None = None
    by_ref: Site | None = None
    for site in snapshot.catalogue.sites():
        by_id = site if site.id == declaration.id else by_id
        by_ref = site if site.site_ref == declaration.site_ref else by_ref
    if isinstance(declaration.id, NotSaid):
        return by_ref
    if by_ref is not None and by_ref.id != declaration.id:
        reason = f"{by_ref.site_ref} is that of the site {by_ref.id}, {by_ref.name}"
        raise InvalidDeclaration([DeclarationFault(declaration.line, "site_ref", reason)])
    return by_id


def _added_site(
    change: Change, number: int, declaration: SiteDeclaration, now_at: int
) -> SiteCatalogue:
    site = Site(
        number=number,
        id=new_id(now_at) if isinstance(declaration.id, NotSaid) else declaration.id,
        name=declaration.name,
        timezone=declaration.timezone,
    )
    change.catalogue.add_site(site, [SiteFacts(valid_from=0, valid_to=None)])
    return change.catalogue.catalogue(number)


def _apply(
    change: Change,
    before: SiteCatalogue,
    declaration: SiteDeclaration,
    account: str,
    now_at: int,
    is_new: bool = False,
) -> list[str]:
    plan = plan_declaration(change, before, declaration, now_at, is_new)
    if not plan.lines:
        return []
    after, site = plan.catalogue, before.site.number
    generation = change.catalogue.next_generation(site, catalogue_changed=True)
    change.catalogue.put_site(after.site, after.facts)
    _put_meters(change, before, plan.meters)
    for sensor in plan.sensors:
        change.catalogue.put_sensor(site, sensor)
    _correct_spans(change, site, plan.meters)
    for group, first_day in _touched(before, plan).items():
        _mark(change, before, after, group, first_day, generation)
    change.audit(now_at, account, site, "apply declaration", after.site.id, "; ".join(plan.lines))
    return list(plan.lines)


def _put_meters(change: Change, before: SiteCatalogue, meters: Sequence[MeterChange]) -> None:
    site = before.site.number
    moved = [each for each in meters if each.before and each.before.prim_ad != each.after.prim_ad]
    # Two meters may have swapped their prim_ads, which no two may have at once.
    for each in moved:
        change.catalogue.put_meter(site, replace(each.after, prim_ad=-each.after.number))
    for each in meters:
        change.catalogue.put_meter(site, each.after)


def _correct_spans(change: Change, site: int, meters: Sequence[MeterChange]) -> None:
    """Look again for the first index above 0 of meters whose life is another than it was."""
    changed = [each.after for each in meters if each.before and _life_changed(each)]
    spans = change.readings.register_spans(site, [meter.number for meter in changed])
    withdrawn = change.readings.withdrawn(site)
    corrected: dict[tuple[int, str], RegisterSpan] = {}
    for meter in changed:
        of_meter = spans.get(meter.number, {})
        history = MeterHistory(change.readings, site, meter, of_meter, None, 0, 0)
        for name, span in of_meter.items():
            first_at = history.first_positive_at(Register(name), None, withdrawn)
            corrected[meter.number, name] = replace(span, first_positive_at=first_at)
    change.readings.put_register_spans(site, corrected)


def _life_changed(change: MeterChange) -> bool:
    before, after = change.before, change.after
    return before is not None and any(
        getattr(before, name) != getattr(after, name) for name in LIFE
    )


def _touched(before: SiteCatalogue, plan: SitePlan) -> dict[Group, int]:
    """Return from which day on the results of which groups depend on what changes."""
    touched: dict[Group, int] = {}
    if plan.catalogue.facts != before.facts:
        touched[Group.ELECTRICITY] = day_of(plan.site_facts_from_at)
    for change in plan.meters:
        first_day = _first_day_touched(change)
        if first_day is not None:
            group = change.after.medium.group
            touched[group] = min(first_day, touched.get(group, first_day))
    return touched


def _first_day_touched(change: MeterChange) -> int | None:
    before, after = change.before, change.after
    everything, _ = EVERYTHING
    if before is None:
        counts = after.installed_at is not None or after.is_rule_meter
        return everything if counts else None
    # A prim_ad is how rules name the meter, whenever they hold.
    if (
        _life_changed(change)
        or before.installed_index != after.installed_index
        or before.prim_ad != after.prim_ad
    ):
        return everything
    return day_of(change.from_at) if before.facts != after.facts else None


def _mark(
    change: Change,
    before: SiteCatalogue,
    after: SiteCatalogue,
    group: Group,
    first_day: int,
    generation: int,
) -> None:
    """Mark the days of a group from ``first_day`` on that have results, or had."""
    site = after.site.number
    spans = [days_with_data(change, each.meters_of(group), site) for each in (before, after)]
    known = [span for span in spans if span is not None]
    if known:
        first = max(first_day, min(span[0] for span in known))
        end = max(span[1] for span in known)
        if first < end:
            change.results.mark_dirty(site, group, [(first, end)], generation)
