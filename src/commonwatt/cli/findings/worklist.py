"""``commonwatt worklist``."""

import time
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.instants import WHEN, option_instant, option_month
from commonwatt.cli.output import local_time, show_json
from commonwatt.cli.stores import Data, DatabaseUrl, OneSite, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.findings.task import Task
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.metering.catalogue import Group, Site, SiteCatalogue


def worklist(
    site: OneSite = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="GROUP", help="A group, as electricity.", show_default="all"),
    ] = None,
    month: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="A local month.", show_default="the last whole one"),
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="T", help=f"From when: {WHEN}.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help=f"Until when: {WHEN}.")] = None,
    estimated_limit: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", min=0, max=100, help="Share of energy that may be estimated."
        ),
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with instants in UTC.")] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List what keeps a month from being locked, each with the command that resolves it.

    Missing meters, open findings, quarter-hours without a balance, too much that is estimated.
    Words in capitals of a command are for you to fill in.

    Example: commonwatt worklist --site CH-0012 --month 2026-03
    """
    if month is not None and (start is not None or end is not None):
        raise typer.BadParameter("give either --month or --start and --end")
    if (start is None) != (end is None):
        raise typer.BadParameter("--start and --end belong together")
    listed: list[Task] = []
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        for each in named_sites(snapshot, site):
            period = _period(each, month, start, end)
            catalogue = snapshot.catalogue.catalogue(each.number)
            for found in _groups(catalogue, group):
                tasks = _tasks(snapshot, catalogue, found, period, estimated_limit)
                listed += tasks
                if not as_json:
                    _show(each, found, period, tasks)
    if as_json:
        from commonwatt.api.own.worklist import task_rows

        show_json(task_rows(listed))


def _period(site: "Site", month: str | None, start: str | None, end: str | None) -> tuple[int, int]:
    if start is not None and end is not None:
        start_at = option_instant(start, "--start", site.timezone)
        end_at = option_instant(end, "--end", site.timezone)
        if end_at < start_at:
            raise typer.BadParameter("lies before --start", param_hint="--end")
        return start_at, end_at
    return option_month(month, "--month", site.timezone, int(time.time()))


def _groups(catalogue: "SiteCatalogue", wanted: str | None) -> "list[Group]":
    from commonwatt.domain.metering.catalogue import Group

    there = [group for group in Group if catalogue.meters_of(group)]
    if wanted is None:
        return there
    if wanted not in list(Group):
        raise Failed(f"no group {wanted}; there are {', '.join(Group)}")
    return [group for group in there if group.value == wanted]


def _tasks(
    snapshot: "Snapshot",
    catalogue: "SiteCatalogue",
    group: "Group",
    period: tuple[int, int],
    estimated_limit: float,
) -> "list[Task]":
    from commonwatt.app.findings.worklist import read_worklist

    return read_worklist(snapshot, catalogue, group, *period, estimated_limit / 100)


def _show(site: "Site", group: "Group", period: tuple[int, int], tasks: "list[Task]") -> None:
    from commonwatt.app.findings.task import TaskState
    from commonwatt.formats.commands import command, task_text

    zone, name = site.timezone, site.site_ref or site.id
    start, end = (local_time(at, zone) for at in period)
    counts = {state: sum(task.state is state for task in tasks) for state in TaskState}
    others = (TaskState.LOCKED, TaskState.ACCEPTED)
    informing = "".join(f", {counts[state]} {state.value}" for state in others if counts[state])
    count = counts[TaskState.OPEN]
    typer.echo(f"site {name}, {group.value}, {start} to {end}: {count} to do{informing}")
    for task in tasks:
        note = f" ({task.state.value})" if task.state is TaskState.LOCKED else ""
        typer.echo(f"\n{task.kind}{note}: {task_text(task)}")
        typer.echo(f"  {local_time(task.start_at, zone)} to {local_time(task.end_at, zone)}")
        typer.echo(f"  {command(task.action)}")
    if not count and not counts[TaskState.LOCKED]:
        until = local_time(period[1], zone).replace(" ", "T")
        typer.echo(
            "  nothing to do; to lock it: "
            f"commonwatt lock {quote(name)} {group.value} --until {until}"
        )
