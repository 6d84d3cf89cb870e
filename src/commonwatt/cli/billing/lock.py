"""``commonwatt lock``, ``locks`` and ``unlock``."""

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import local_time, show_table, unit_of
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    named_sites,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.app.billing.frozen_sums import Frozen
    from commonwatt.app.billing.lock import GroupLock, OpenTasks
    from commonwatt.domain.metering.catalogue import Group

SiteName = Annotated[str, typer.Argument(metavar="SITE", help="The site, by id or site_ref.")]
GroupName = Annotated[
    str,
    typer.Argument(metavar="GROUP", help="electricity, heating, cooling, cold_water or hot_water."),
]
Until = Annotated[str, typer.Option(metavar="T", help=f"Until when: {WHEN}.")]


def lock(
    site: SiteName,
    group: GroupName,
    until: Until,
    despite: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Lock although something is to do, and keep why.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Freeze the results of a group before an instant, and show the sums: they were billed.

    Refused as long as the worklist of the period has something to do. Later corrections are kept
    and shown by `commonwatt differences`.

    Example: commonwatt lock CH-0012 electricity --until 2026-04-01
    """
    from commonwatt.app.billing.frozen_sums import frozen_by
    from commonwatt.app.billing.lock import OpenTasks, lock_group
    from commonwatt.app.readings.waiting import end_waiting

    named = named_group(group)
    if despite is not None and not despite.strip():
        raise typer.BadParameter("say why", param_hint="--despite")
    why = None if despite is None else despite.strip()
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            (where,) = named_sites(snapshot, site)
        until_at = option_instant(until, "--until", where.timezone)
        now_us = time.time_ns() // 1000
        # What was ahead of its delivery and is not any more is frozen with the rest.
        retry_while_busy(partial(end_waiting, store, now_us))
        asked = (store, where.number, named, until_at, BY_COMMAND_LINE, now_us, why)
        try:
            locked = retry_while_busy(partial(lock_group, *asked))
        except OpenTasks as error:
            _list_tasks(error, where.timezone)
            raise Failed(
                f"{error.count_told} to do before it can be locked; say --despite REASON to lock "
                "with it all the same"
            ) from error
        typer.echo(_told(locked, where.timezone))
        with store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(where.number)
            frozen = frozen_by(snapshot, catalogue, named, locked.steps)
        if frozen is not None:
            _show_frozen(frozen, where.timezone)


def locks(site: OneSite = None, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """List until when groups are locked, step by step: who did it, and despite what.

    Example: commonwatt locks --site CH-0012
    """
    from commonwatt.app.billing.lock import read_locks

    rows: list[tuple[str, ...]] = []
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        for each in named_sites(snapshot, site):
            rows += [
                (
                    each.site_ref or each.id,
                    step.group.value,
                    local_time(step.until_at, each.timezone),
                    local_time(step.locked_us // 1_000_000, each.timezone),
                    step.account,
                    step.despite or "-",
                    step.content_hash,
                )
                for of_group in read_locks(snapshot, each.number)
                for step in of_group.steps
            ]
    show_table(("site", "group", "until", "locked at", "by", "despite", "content"), rows)


def unlock(
    site: SiteName,
    group: GroupName,
    until: Until,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the audit trail.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take a lock back to an instant; to the lock's own, its last step is undone.

    Example: commonwatt unlock CH-0012 electricity --until 2026-03-01 --reason "wrong tariff month"
    """
    from commonwatt.app.billing.lock import unlock_group

    named = named_group(group)
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            (where,) = named_sites(snapshot, site)
        until_at = option_instant(until, "--until", where.timezone)
        now_us = time.time_ns() // 1000
        asked = (store, where.number, named, until_at, reason.strip(), BY_COMMAND_LINE, now_us)
        left = retry_while_busy(partial(unlock_group, *asked))
        text = f"{named} is not locked" if left is None else _told(left, where.timezone)
        typer.echo(text)


def named_group(word: str) -> "Group":
    """Return the group of that name. Raises typer.BadParameter."""
    from commonwatt.domain.metering.catalogue import Group

    try:
        return Group(word)
    except ValueError as error:
        raise typer.BadParameter(f"is one of {', '.join(Group)}", param_hint="GROUP") from error


def _list_tasks(error: "OpenTasks", timezone: str) -> None:
    from commonwatt.formats.commands import command, task_text

    for task in error.tasks:
        span = f"{local_time(task.start_at, timezone)} to {local_time(task.end_at, timezone)}"
        typer.echo(f"{task.kind}: {task_text(task)}\n  {span}\n  {command(task.action)}", err=True)


def _show_frozen(frozen: "Frozen", timezone: str) -> None:
    """Show the sums that a step froze, [kWh] or [m3]."""
    span = " to ".join(local_time(at, timezone) for at in (frozen.start_at, frozen.end_at))
    typer.echo(f"frozen: {span}\n")
    show_table(
        ("meter", "type", "prim_ad", "total", "self", "ext", "unit", "missing quarter-hours"),
        [
            (
                each.meter.name,
                each.meter.medium.value,
                str(each.meter.prim_ad),
                f"{each.total / 1000:.3f}",
                *(
                    ("-", "-")
                    if each.own is None
                    else (f"{each.own / 1000:.3f}", f"{(each.total - each.own) / 1000:.3f}")
                ),
                unit_of(each.meter.medium),
                str(each.missing),
            )
            for each in frozen.sums
        ],
    )
    if frozen.unclosed:
        typer.echo(f"\n{frozen.unclosed} quarter-hours have no balance: nothing was shared in them")


def _told(lock: "GroupLock", timezone: str) -> str:
    until = local_time(lock.last.until_at, timezone)
    return f"{lock.group} is locked until {until}, content {lock.last.content_hash}"
