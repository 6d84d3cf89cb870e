"""What ``commonwatt mirror --report`` prints: ours beside what the copied server says."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.output import show_table, unit_of

if TYPE_CHECKING:
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.metering.catalogue import Site
    from commonwatt.domain.reference.comparison import MonthComparison, SeriesComparison

_HEADERS = (
    *("meter", "month", "series", "unit", "ours", "theirs", "difference"),
    *("differing", "only ours", "only theirs", "known of it"),
)
_MILLION = 1_000_000
_WORDS = {"no_readings": "no readings", "from_totals": "fed from totals"}


def show_report(store: "SqlStore", sites: Sequence[str], *, as_json: bool, whole: bool) -> None:
    """Print how the sites that were copied compare; ``whole``: the equal months too.

    Raises Failed for a site that is not here or was never copied.
    """
    with store.snapshot() as snapshot:
        wanted = _copied_sites(snapshot, sites)
    found = [(site, compared(store, site.number)) for site in wanted]
    if as_json:
        records = [_record(site, month) for site, months in found for month in months]
        typer.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    for site, months in found:
        shown = [month for month in months if whole or not month.is_equal]
        rows = [row for month in shown for row in _rows(month, whole=whole)]
        typer.echo(f"site {site.site_ref or site.id}")
        if rows:
            show_table(_HEADERS, rows)
        typer.echo(equal_line(months))


def compared(store: "SqlStore", site: int) -> "Sequence[MonthComparison]":
    """Compare all that is kept of a site."""
    from commonwatt.app.reference.compare import compare_reference

    return compare_reference(store, site)


def equal_line(months: "Sequence[MonthComparison]") -> str:
    """Return how many months of meters are equal, how their sums differ, and which prove nothing.

    Each quarter-hour may be rounded otherwise, so what is equal may add up to something.
    """
    from commonwatt.domain.reference.comparison import Reason

    if not months:
        return "nothing to compare yet"
    equal = [month for month in months if month.is_equal]
    line = f"{len(equal)} of {len(months)} meter-months equal within 1 Wh a quarter-hour"
    if equal:
        largest = max(abs(each.difference) for month in equal for each in month.series.values())
        units = " or ".join(sorted({unit_of(month.meter.medium) for month in equal}))
        line += f", their sums within {_amount(largest)} {units}"
    fed = sum(Reason.FROM_TOTALS in month.reasons for month in equal)
    return f"{line}; {fed} of them fed from the server's totals" if fed else line


def _copied_sites(snapshot: "Snapshot", wanted: Sequence[str]) -> "list[Site]":
    copied = [
        site for site in snapshot.catalogue.sites() if snapshot.reference.copied_until(site.number)
    ]
    if not wanted:
        if not copied:
            raise Failed("no site of this store was copied yet; `commonwatt mirror` does that")
        return copied
    found: list[Site] = []
    for name in wanted:
        named = [site for site in copied if name in {site.id, site.site_ref, site.name}]
        if len(named) != 1:
            known = ", ".join(site.site_ref or site.id for site in copied[:10]) or "none"
            what = f"{len(named)} copied sites are called" if named else "no copied site"
            raise Failed(f"{what} {name}; there are {known}")
        found += named
    return found


def _rows(month: "MonthComparison", *, whole: bool) -> list[list[str]]:
    return [
        [
            month.meter.name,
            month.month,
            name,
            unit_of(month.meter.medium),
            _amount(each.ours),
            _amount(each.theirs),
            _amount(each.difference),
            f"{each.differing} of {each.both}",
            str(each.only_ours),
            str(each.only_theirs),
            _known(month, each),
        ]
        for name, each in month.series.items()
        if whole or not each.is_equal
    ]


def _known(month: "MonthComparison", series: "SeriesComparison") -> str:
    reasons = [_WORDS[reason] for reason in sorted(month.reasons)]
    qualities = [
        f"{count} {quality.name.lower()}" for quality, count in series.differing_qualities.items()
    ]
    return ", ".join([*reasons, *qualities])


def _record(site: "Site", month: "MonthComparison") -> dict[str, object]:
    return {
        "site": site.id,
        "meter": month.meter.id,
        "name": month.meter.name,
        "month": month.month,
        "unit": unit_of(month.meter.medium),
        "equal": month.is_equal,
        "reasons": sorted(month.reasons),
        "series": {name: _series_record(each) for name, each in month.series.items()},
    }


def _series_record(series: "SeriesComparison") -> dict[str, object]:
    return {
        "ours": series.ours / _MILLION,
        "theirs": series.theirs / _MILLION,
        "difference": series.difference / _MILLION,
        "both": series.both,
        "differing": series.differing,
        "only_ours": series.only_ours,
        "only_theirs": series.only_theirs,
        "differing_by_our_quality": {
            quality.name.lower(): count for quality, count in series.differing_qualities.items()
        },
    }


def _amount(raw: int) -> str:
    """Show an amount [mWh, ml] in kWh or m3 with three decimals."""
    return f"{raw / _MILLION:.3f}"
