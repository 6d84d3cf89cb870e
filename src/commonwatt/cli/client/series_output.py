"""Series on the terminal: as a table, as JSON, as CSV or drawn."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.output import heading, show_table

if TYPE_CHECKING:
    from commonwatt.client import Row, Series

Plot = Annotated[bool, typer.Option("--plot", help="Draw sparklines and bars on the terminal.")]

_GAPS_SHOWN = 5


def show_series(series: "Series", *, as_json: bool, as_csv: bool, plot: bool, quiet: bool) -> None:
    """Print a series; on stderr what is missing of it, if not quiet."""
    if as_json:
        typer.echo(json.dumps(_document(series), indent=2, ensure_ascii=False))
    elif as_csv:
        typer.echo(series.to_csv(), nl=False)
    elif plot:
        from commonwatt.cli.client.charts import chart

        for line in chart(series, shutil.get_terminal_size().columns):
            typer.echo(line)
    else:
        _show_table(series)
    if not quiet:
        _tell_missing(series)


def row_object(row: "Row", *, is_reading: bool) -> dict[str, object]:
    """Return a row with the keys that frames and CSV have: instants in UTC, the first local too.

    >>> from zoneinfo import ZoneInfo
    >>> from commonwatt.client import Row
    >>> noon = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Zurich"))
    >>> row_object(Row(noon, noon, {"value": 21.5}), is_reading=True)
    {'at': '2026-07-01T10:00:00Z', 'at_local': '2026-07-01T12:00:00+02:00', 'value': 21.5}
    """
    start = _utc(row.start)
    if is_reading:
        return {"at": start, "at_local": row.start.isoformat(), **row.values}
    local = row.start.isoformat()
    return {"start": start, "end": _utc(row.end), "start_local": local, **row.values}


def cells(values: Mapping[str, float | None]) -> list[str]:
    """Return values as the server sent them, a dash for what is missing."""
    return ["-" if value is None else str(value) for value in values.values()]


def local_minute(instant: datetime) -> str:
    """Show an instant with its offset, which tells the two hours of a switch day apart."""
    return instant.isoformat(" ", "minutes")


def _document(series: "Series") -> dict[str, object]:
    is_reading = series.sampling is None
    start_at, end_at = series.asked
    return {
        "unit": series.unit,
        "timezone": series.timezone,
        "sampling": series.sampling,
        "start": _utc(datetime.fromtimestamp(start_at, UTC)),
        "end": _utc(datetime.fromtimestamp(end_at, UTC)),
        "rows": [row_object(row, is_reading=is_reading) for row in series],
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _show_table(series: "Series") -> None:
    names = [heading(name, series.unit) for name in series.columns]
    rows = [cells(row.values) for row in series]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    instants = [row.start for row in series]
    if series.sampling is None:
        shown = [instant.isoformat(" ") for instant in instants]
    else:
        shown = [local_minute(instant) for instant in instants]
    table = [
        (instant, *(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
        for instant, row in zip(shown, rows, strict=True)
    ]
    first = "at" if series.sampling is None else "start"
    heads = [name.rjust(width) for name, width in zip(names, widths, strict=True)]
    show_table((first, *heads), table)


def _tell_missing(series: "Series") -> None:
    if not len(series):
        typer.echo("nothing is there", err=True)
        return
    gaps = series.gaps()
    for gap in gaps[:_GAPS_SHOWN]:
        typer.echo(f"missing: {local_minute(gap.start)} to {local_minute(gap.end)}", err=True)
    if len(gaps) > _GAPS_SHOWN:
        typer.echo(f"and {len(gaps) - _GAPS_SHOWN} more gaps", err=True)
