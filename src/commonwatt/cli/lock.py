"""``commonwatt lock`` and ``commonwatt unlock``."""

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.output import local_time
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    named_sites,
    opened_store,
    patiently,
)

if TYPE_CHECKING:
    from commonwatt.app.lock_group import GroupLock
    from commonwatt.domain.catalogue import Group

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
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Freeze the results of a group before an instant: they were billed.

    Later corrections are kept and shown by `commonwatt differences`.

    Example: commonwatt lock CH-0012 electricity --until 2026-04-01
    """
    from commonwatt.app.lock_group import lock_group

    named = named_group(group)
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            (where,) = named_sites(snapshot, site)
        until_at = option_instant(until, "--until", where.timezone)
        now_us = time.time_ns() // 1000
        work = partial(lock_group, store, where.number, named, until_at, BY_COMMAND_LINE, now_us)
        typer.echo(_told(patiently(work), where.timezone))


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
    from commonwatt.app.lock_group import unlock_group

    named = named_group(group)
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with opened_store(data, database_url) as store:
        with store.snapshot() as snapshot:
            (where,) = named_sites(snapshot, site)
        until_at = option_instant(until, "--until", where.timezone)
        now_us = time.time_ns() // 1000
        asked = (store, where.number, named, until_at, reason.strip(), BY_COMMAND_LINE, now_us)
        left = patiently(partial(unlock_group, *asked))
        told = f"{named} is not locked" if left is None else _told(left, where.timezone)
        typer.echo(told)


def named_group(word: str) -> "Group":
    """Return the group of that name. Raises typer.BadParameter."""
    from commonwatt.domain.catalogue import Group

    try:
        return Group(word)
    except ValueError as error:
        raise typer.BadParameter(f"is one of {', '.join(Group)}", param_hint="GROUP") from error


def _told(lock: "GroupLock", timezone: str) -> str:
    until = local_time(lock.last.until_at, timezone)
    return f"{lock.group} is locked until {until}, content {lock.last.content_hash}"
