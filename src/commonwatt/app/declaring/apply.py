"""Applying a declaration: create or update a site with its meters and sensors, delete nothing.

Applied twice it changes nothing the second time. What results depend on holds from the beginning of
time when it is declared first; a later change acts from ``valid_from``, else from now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from commonwatt.app.declaring.declaration import (
    DeclarationFault,
    InvalidDeclaration,
    NotSaid,
    SiteDeclaration,
    new_id,
)
from commonwatt.app.declaring.describe import meter_lines
from commonwatt.app.declaring.devices import device_fault
from commonwatt.app.declaring.meters import LIFE, MeterChange
from commonwatt.app.declaring.plan import SitePlan, plan_declaration
from commonwatt.app.declaring.recomputation import Recomputation, recomputation_line, recomputations
from commonwatt.app.declaring.rules import meter_label
from commonwatt.app.errors import INVALID_INPUT, CommonwattError, UnknownMeter
from commonwatt.app.ports import Change, Snapshot, Store
from commonwatt.app.settling.registers import correct_spans
from commonwatt.domain.metering.catalogue import Meter, Site, SiteCatalogue, SiteFacts

_ACTION = "apply declaration"
_NO_SITE = 0
"""A number that no site of a store has."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was changed of a site, or would be: a line for each thing, and what it computes anew."""

    site: Site
    lines: Sequence[str]
    recomputed: Sequence[Recomputation]

    @property
    def report(self) -> Sequence[str]:
        """All of it for people."""
        label = f"site {self.site.site_ref or self.site.id}"
        recomputed = (recomputation_line(each, self.site.timezone) for each in self.recomputed)
        return [*self.lines, *(f"{label}: {line}" for line in recomputed)]


def apply_declaration(
    store: Store, declaration: SiteDeclaration, account: str, now_at: int
) -> Applied:
    """Create or update what is declared; return what was changed, nothing if nothing was.

    ``account`` is who declares, ``now_at`` [Unix seconds] from when changes hold that do not say.
    Everything is one transaction, and results that depend on a change are marked to be settled.
    Raises `InvalidDeclaration` with every fault found, and the errors of a store.
    """
    while True:
        with store.snapshot() as snapshot:
            known = _known_site(snapshot, declaration)
        if known is not None:
            with store.change(known.number) as change:
                catalogue = change.catalogue.catalogue(known.number)
                plan = plan_declaration(change, catalogue, declaration, now_at, is_new=False)
                return store_plan(change, catalogue, plan, account, now_at, _ACTION)
        with store.new_site() as (change, number):
            # Another process may have added it since.
            if _known_site(change, declaration) is None:
                catalogue = _added_site(change, number, declaration, now_at)
                plan = plan_declaration(change, catalogue, declaration, now_at, is_new=True)
                return store_plan(change, catalogue, plan, account, now_at, _ACTION)


def try_declaration(store: Store, declaration: SiteDeclaration, now_at: int) -> Applied:
    """Return what applying a declaration would change, and change nothing.

    Raises `InvalidDeclaration` with every fault found, and the errors of a store.
    """
    with store.snapshot() as snapshot:
        known = _known_site(snapshot, declaration)
        if known is None:
            catalogue = _new_catalogue(_new_site(_NO_SITE, declaration, now_at))
        else:
            catalogue = snapshot.catalogue.catalogue(known.number)
        plan = plan_declaration(snapshot, catalogue, declaration, now_at, is_new=known is None)
        return Applied(plan.catalogue.site, plan.lines, recomputations(snapshot, catalogue, plan))


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
    added = _new_catalogue(_new_site(number, declaration, now_at))
    change.catalogue.add_site(added.site, added.facts)
    return change.catalogue.catalogue(number)


def _new_site(number: int, declaration: SiteDeclaration, now_at: int) -> Site:
    return Site(
        number=number,
        id=new_id(now_at) if isinstance(declaration.id, NotSaid) else declaration.id,
        name=declaration.name,
        timezone=declaration.timezone,
    )


def _new_catalogue(site: Site) -> SiteCatalogue:
    facts = (SiteFacts(valid_from=0, valid_to=None),)
    return SiteCatalogue(site=site, facts=facts, meters=(), sensors=(), generation=0)


def store_plan(
    change: Change,
    before: SiteCatalogue,
    plan: SitePlan,
    account: str,
    now_at: int,
    action: str,
    reason: str = "",
) -> Applied:
    """Store what is planned for a site, mark what depends on it, and record who did it.

    ``action`` and ``reason`` are for the audit trail, which tells the changes as well.
    """
    if not plan.lines:
        return Applied(before.site, (), ())
    after, site = plan.catalogue, before.site.number
    generation = change.catalogue.next_generation(site, catalogue_changed_us=now_at * 1_000_000)
    change.catalogue.put_site(after.site, after.facts)
    _put_meters(change, before, plan.meters)
    for sensor in plan.sensors:
        change.catalogue.put_sensor(site, sensor)
    changed = [each.after for each in plan.meters if each.before and _usable_changed(each)]
    correct_spans(change, site, changed, generation)
    recomputed = recomputations(change, before, plan)
    for each in recomputed:
        days = [(each.first_day, each.end_day), *each.settled]
        change.results.mark_dirty(site, each.group, days, generation)
    said = "; ".join([reason, *plan.lines] if reason else plan.lines)
    change.audit(now_at, account, site, action, after.site.id, said)
    return Applied(after.site, plan.lines, recomputed)


def _put_meters(change: Change, before: SiteCatalogue, meters: Sequence[MeterChange]) -> None:
    site = before.site.number
    moved = [each for each in meters if each.before and each.before.prim_ad != each.after.prim_ad]
    # Two meters may have swapped their prim_ads, which no two may have at once.
    for each in moved:
        change.catalogue.put_meter(site, replace(each.after, prim_ad=-each.after.number))
    for each in meters:
        change.catalogue.put_meter(site, each.after)


def _usable_changed(change: MeterChange) -> bool:
    before, after = change.before, change.after
    return before is not None and any(
        getattr(before, name) != getattr(after, name)
        for name in (*LIFE, "devices", "resolutions", "held")
    )


class CannotChange(CommonwattError):
    """What is asked for a meter cannot be; ``field`` names what is wrong, the message says why."""

    kind = INVALID_INPUT

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def change_meter(
    store: Store,
    site: int,
    meter_id: str,
    changed: Callable[[Meter], Meter],
    account: str,
    now_at: int,
    action: str,
    reason: str = "",
) -> Applied:
    """Change what is declared of a meter, mark what depends on it; return what was changed.

    ``action`` and ``reason`` are for the audit trail. Raises `CannotChange`, `UnknownMeter`, what
    ``changed`` raises, and the errors of a store.
    """
    with store.change(site) as change:
        before = change.catalogue.catalogue(site)
        if meter_id not in before.meter_by_id:
            raise UnknownMeter(meter_id)
        plan = planned_change(before, before.meter_by_id[meter_id], changed, now_at)
        return store_plan(change, before, plan, account, now_at, action, reason)


def planned_change(
    catalogue: SiteCatalogue, meter: Meter, changed: Callable[[Meter], Meter], now_at: int
) -> SitePlan:
    """Work out what a change of one meter makes of its site. Raises `CannotChange`."""
    if meter.is_rule_meter:
        raise CannotChange("meter", f"{meter_label(meter)} is computed from others; change those")
    after = changed(meter)
    reason = device_fault(after)
    if reason is not None:
        raise CannotChange("devices", reason)
    meters = tuple(after if each.number == meter.number else each for each in catalogue.meters)
    change = MeterChange(0, meter, after, now_at)
    return SitePlan(
        catalogue=replace(catalogue, meters=meters),
        meters=[change] if after != meter else [],
        sensors=[],
        site_facts_from_at=now_at,
        lines=list(meter_lines(change, catalogue.site.timezone)),
    )
