"""Changing what is declared of one meter, as a declaration of it would."""

from collections.abc import Callable
from dataclasses import replace

from commonwatt.app.apply_declaration import Applied, store_plan
from commonwatt.app.declared_devices import device_fault
from commonwatt.app.declared_meters import MeterChange
from commonwatt.app.declared_rules import meter_label
from commonwatt.app.describe_changes import meter_lines
from commonwatt.app.plan_declaration import SitePlan
from commonwatt.app.ports import Store
from commonwatt.domain.catalogue import Meter, SiteCatalogue


class CannotChange(ValueError):
    """What is asked for a meter cannot be; ``field`` names what is wrong, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NoSuchMeter(ValueError):
    """The site has no meter of that id."""

    def __init__(self, meter_id: str) -> None:
        super().__init__(f"the site has no meter {meter_id}; meter_info lists its meters")


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
    """Make another meter of a meter, and mark what depends on it; return what was changed.

    ``action`` and ``reason`` are for the audit trail. Raises `CannotChange`, `NoSuchMeter`, what
    ``changed`` raises, and the errors of `store_errors`.
    """
    with store.change(site) as change:
        before = change.catalogue.catalogue(site)
        if meter_id not in before.meter_by_id:
            raise NoSuchMeter(meter_id)
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
