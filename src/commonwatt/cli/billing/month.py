"""``commonwatt month``."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.billing.lock import SiteName
from commonwatt.cli.instants import option_month
from commonwatt.cli.output import local_time, show_table, unit_of
from commonwatt.cli.records import AsCsv, AsJson, require_one_of, show_records
from commonwatt.cli.stores import Data, DatabaseUrl, named_sites, opened_store

if TYPE_CHECKING:
    from commonwatt.app.billing.month import MeterSums, SiteSums
    from commonwatt.domain.metering.catalogue import Site

_KEYS = (
    *("site", "month_start", "month_end", "type", "prim_ad", "id", "name", "unit"),
    *("total", "self", "ext", "feed_in", "missing_quarters", "unshared_quarters"),
    *("estimated", "quality", "difference_total", "difference_self", "difference_ext"),
)
_COLUMNS = ("total", "self", "ext", "feed-in", "estimated", "missing", "quality", "since the lock")


def month(
    site: SiteName,
    wanted: Annotated[
        str | None,
        typer.Argument(metavar="YYYY-MM", help="A local month.", show_default="the last whole one"),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print what each meter counted in a month: total, self, ext, feed-in, quality, differences.

    In kWh, of water in m3. Differences are what corrections since the lock would add. Meters are
    sorted by type and address.

    Example: commonwatt month CH-0012 2026-03
    """
    from commonwatt.app.billing.month import read_month
    from commonwatt.domain.metering.catalogue import Group

    require_one_of(json=as_json, csv=as_csv)
    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        (where,) = named_sites(snapshot, site)
        now_at = int(time.time())
        period = option_month(wanted, "YYYY-MM", where.timezone, now_at)
        catalogue = snapshot.catalogue.catalogue(where.number)
        read = (read_month(snapshot, catalogue, group, *period, now_at) for group in Group)
        groups = [sums for sums in read if sums is not None]
    if as_json or as_csv:
        records = [_record(where, period, each) for sums in groups for each in sums.meters]
        show_records(_KEYS, records, as_json=as_json, as_csv=as_csv)
        return
    for position, sums in enumerate(groups):
        if position:
            typer.echo()
        _show(where, period, sums)
    if not groups:
        typer.echo("the site has no meters yet")


def _show(site: "Site", period: tuple[int, int], sums: "SiteSums") -> None:
    start, end = (local_time(at, site.timezone) for at in period)
    until = local_time(sums.locked_until_at, site.timezone)
    state = "not locked" if sums.locked_until_at is None else f"locked until {until}"
    from commonwatt.app.findings.task import quarters_text
    from commonwatt.domain.metering.catalogue import Medium

    unit = unit_of(Medium(sums.group.value))
    typer.echo(f"{site.name}, {sums.group.value} [{unit}], {start} to {end}, {state}\n")
    rows = [
        (
            each.meter.medium.value,
            str(each.meter.prim_ad),
            each.meter.name,
            *(_shown(value) for value in (each.total, each.self_energy, each.ext, each.feed_in)),
            _shown(each.estimated) if each.estimated else "-",
            quarters_text(each.missing) if each.missing else "-",
            each.quality.name.lower(),
            _differences(each),
        )
        for each in sums.meters
    ]
    show_table(("type", "prim_ad", "meter", *_COLUMNS), rows)
    typer.echo(f"\nconsumption {_shown(sums.conso_total)}{_of_roof(sums)}")
    if sums.missing:
        month = start[: len("2026-03")]
        worklist = f"`commonwatt worklist --site {site.id} --month {month}`"
        have = "has" if sums.missing == 1 else "have"
        text = f"{quarters_text(sums.missing)} {have} no balance"
        typer.echo(f"{text}: {worklist} says why")


def _of_roof(sums: "SiteSums") -> str:
    if not (sums.prod_total or sums.from_ext or sums.to_ext):
        return ""
    return (
        f", of it own {_shown(sums.self_energy)} and from the grid {_shown(sums.from_ext)}; "
        f"production {_shown(sums.prod_total)}, to the grid {_shown(sums.to_ext)}"
    )


def _record(site: "Site", period: tuple[int, int], each: "MeterSums") -> dict[str, object]:
    start, end = (local_time(at, site.timezone) for at in period)
    return {
        "site": site.site_ref or site.id,
        "month_start": start,
        "month_end": end,
        "type": each.meter.medium.value,
        "prim_ad": each.meter.prim_ad,
        "id": each.meter.id,
        "name": each.meter.name,
        "unit": unit_of(each.meter.medium),
        "total": _units(each.total),
        "self": _units(each.self_energy),
        "ext": _units(each.ext),
        "feed_in": _units(each.feed_in),
        "missing_quarters": each.missing,
        "unshared_quarters": each.unshared,
        "estimated": _units(each.estimated),
        "quality": each.quality.name.lower(),
        **{
            f"difference_{column}": _units(each.differences.get(column, 0))
            for column in ("total", "self", "ext")
        },
    }


def _differences(each: "MeterSums") -> str:
    text = (f"{name} {energy / 1000:+.3f}" for name, energy in each.differences.items() if energy)
    return ", ".join(text) or "-"


def _units(value: int | None) -> float | None:
    """Wh or litres as kWh or m3."""
    return None if value is None else value / 1000


def _shown(value: int | None) -> str:
    return "-" if value is None else f"{value / 1000:.3f}"
