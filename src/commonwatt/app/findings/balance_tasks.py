"""What is to do about the balance of a site: where there is none, energy that has no place."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.findings.lacking_registers import LackingRegister, lacking_registers
from commonwatt.app.findings.task import ApplyDeclaration, ImportReadings, Task, quarters_text
from commonwatt.app.ports import Snapshot
from commonwatt.app.series.read import SiteSeries
from commonwatt.domain.metering.catalogue import Group, Meter, Mode, SiteCatalogue
from commonwatt.domain.metering.load_profile import Energy, SiteBalance
from commonwatt.domain.metering.quality import Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S

UNBALANCED_LIMIT = 0.05
"""Share of the consumption that may be unmetered, or stay unallocated."""
NO_BALANCE = "unbalanced"
"""The kind of task that concerns the whole site, even where one meter is the cause."""
_NAMED = 3
_CAUSES = (
    "a meter may send kW as kWh (four times too much in quarter-hours), not be declared, or be "
    "wired in reverse"
)


def balance_tasks(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    series: SiteSeries,
    scope: AccessScope,
) -> Iterator[Task]:
    """What keeps the balance of a group from being computed, or from adding up.

    Of a meter that is out of sight it is not told that it is the cause.
    """
    balance, first = series.balance, series.first_quarter
    missing = balance.quality == Quality.MISSING
    if missing.any() and scope.open_meters is None:
        yield from _without_balance(snapshot, catalogue, group, series, missing)
    elif missing.any():
        seen = [(meter, of_meter) for meter, of_meter in series.meters if scope.opens(meter)]
        yield _open(replace(series, meters=seen), missing, ())
    known = exists(balance.quality)
    conso = int(np.abs(balance.conso_total[known]).sum())
    for kind, amount in _beyond(catalogue, balance, first):
        part = int(np.abs(amount[known]).sum())
        if part > UNBALANCED_LIMIT * conso:
            share = f"{part / conso:.1%}" if conso else "all"
            yield Task(
                kind=kind,
                meter=None,
                start_at=first * QUARTER_S,
                end_at=(first + len(missing)) * QUARTER_S,
                text=f"{share} of the consumption is {kind} (limit {UNBALANCED_LIMIT:.1%}): "
                + _CAUSES,
                action=ApplyDeclaration(),
            )
    if scope.open_meters is None:
        yield from _never_produced(series, conso)


def _never_produced(series: SiteSeries, conso: int) -> Iterator[Task]:
    """More production in the balance than the producers' meters counted: that cannot be.

    The other way round something is used that no meter counts. Over all quarter-hours in which the
    producers are known; by as much as is estimated the sums may be wrong without any fault.
    """
    balance, first = series.balance, series.first_quarter
    produced = np.zeros(len(balance.quality), np.int64)
    estimated = np.zeros(len(produced), np.int64)
    alive, known = np.zeros(len(produced), np.bool_), exists(balance.quality)
    for meter, of_meter in series.meters:
        facts = meter.current
        estimate = of_meter.quality_total == Quality.ESTIMATED
        estimated += np.where(estimate, np.abs(of_meter.total), 0)
        if facts.mode is not Mode.PRODUCTION or not facts.enabled or not facts.balance:
            continue
        if facts.isolated:
            continue
        there = exists(of_meter.quality_total)
        produced += np.where(there, of_meter.total, 0)
        alive |= there
        known &= of_meter.quality_total != Quality.MISSING
    known &= alive
    booked = int((balance.prod_total - balance.unmetered)[known].sum())
    counted = int(produced[known].sum())
    if booked - counted - int(estimated[known].sum()) > UNBALANCED_LIMIT * conso:
        yield Task(
            kind="unproduced",
            meter=None,
            start_at=first * QUARTER_S,
            end_at=(first + len(produced)) * QUARTER_S,
            text=f"what was used and sent out needs {booked / 1_000:.3f} kWh of production, and "
            f"{counted / 1_000:.3f} kWh were counted: {_CAUSES}",
            action=ApplyDeclaration(),
        )


def _beyond(
    catalogue: SiteCatalogue, balance: SiteBalance, first: int
) -> Iterator[tuple[str, Energy]]:
    yield "unmetered", balance.unmetered
    # What a fixed percentage cannot use is left over on purpose.
    if catalogue.site_facts_at(first * QUARTER_S).key != "fixed":
        yield "unallocated", balance.self_energy - balance.allocated


def _without_balance(
    snapshot: Snapshot,
    catalogue: SiteCatalogue,
    group: Group,
    series: SiteSeries,
    missing: NDArray[np.bool_],
) -> Iterator[Task]:
    """Registers that begin late, by themselves; then the other quarter-hours without a balance."""
    first = series.first_quarter
    no_total = np.zeros(len(missing), np.bool_)
    for _, of_meter in series.meters:
        no_total |= of_meter.quality_total == Quality.MISSING
    # Results keep the quality of main registers: what else is missing is worked out again.
    unexplained = np.flatnonzero(missing & ~no_total)
    lacking: Sequence[LackingRegister] = ()
    open_ = missing.copy()
    if len(unexplained):
        quarter = first + int(unexplained[0])
        lacking = lacking_registers(snapshot, catalogue, group, quarter)
        late = [each for each in lacking if each.begins_at is not None]
        for each in late:
            yield _late_register(each, quarter, catalogue.site.timezone, first + len(missing))
        if late:
            until = max(each.begins_at or 0 for each in late) // QUARTER_S - first
            open_[unexplained[unexplained < until]] = False
            left = unexplained[unexplained >= until]
            lacking = (
                lacking_registers(snapshot, catalogue, group, first + int(left[0]))
                if len(left)
                else ()
            )
    if open_.any():
        yield _open(series, open_, lacking)


def _late_register(lacking: LackingRegister, quarter: int, zone: str, end: int) -> Task:
    declared = lacking.declared_from(quarter, zone)
    begins_at = lacking.begins_at or 0
    return Task(
        kind="missing-register",
        meter=lacking.meter,
        start_at=quarter * QUARTER_S,
        end_at=min(begins_at, end * QUARTER_S),
        text=f"no balance, because {lacking.meter.name} has no {lacking.register} yet, which is "
        f"read only later; if it did not count before, declare {declared}",
        action=ApplyDeclaration(),
    )


def _open(
    series: SiteSeries, missing: NDArray[np.bool_], lacking: Sequence[LackingRegister]
) -> Task:
    """The quarter-hours without a balance, and the members that are missing most in them."""
    counts = [
        (int((of_meter.quality_total[missing] == Quality.MISSING).sum()), meter)
        for meter, of_meter in series.meters
        if not meter.is_rule_meter
    ]
    ordered = sorted(counts, key=lambda each: -each[0])
    named: list[tuple[Meter, str]] = [(meter, meter.name) for count, meter in ordered if count]
    known = {meter.number for meter, _ in named}
    named += [
        (each.meter, f"{each.register} of {each.meter.name}")
        for each in lacking
        if each.meter.number not in known
    ]
    positions = np.flatnonzero(missing)
    names = ", ".join(name for _, name in named[:_NAMED]) or "a member"
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return Task(
        kind=NO_BALANCE,
        meter=named[0][0] if len(named) == 1 else None,
        start_at=(series.first_quarter + int(positions[0])) * QUARTER_S,
        end_at=(series.first_quarter + int(positions[-1]) + 1) * QUARTER_S,
        text=f"no balance in {quarters_text(len(positions))}, because of {names}{more}",
        action=ImportReadings(named[0][0].id if named else None),
    )
