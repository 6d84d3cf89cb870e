"""Lists of things, as a table, as JSON or as CSV."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from commonwatt.cli.output import show_table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]

Record = Mapping[str, object]


def require_one_of(**wanted: bool) -> None:
    """Raise typer.BadParameter if more than one of some options is given."""
    given = [f"--{name}" for name, is_given in wanted.items() if is_given]
    if len(given) > 1:
        raise typer.BadParameter(f"give one of {' and '.join(given)}")


def show_records(
    keys: Sequence[str], records: Sequence[Record], *, as_json: bool, as_csv: bool
) -> None:
    """Print records, all with all keys; in CSV None is empty, in a table a dash."""
    if as_json:
        typer.echo(json.dumps([dict(record) for record in records], indent=2, ensure_ascii=False))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(keys)
        writer.writerows([_csv_cell(record[key]) for key in keys] for record in records)
    else:
        show_table(keys, [[_cell(record[key]) for key in keys] for record in records])


def _csv_cell(value: object) -> object:
    # Imported here: the client brings its HTTP library, which most commands do not need.
    from commonwatt.client.series.frames import text_cell

    return text_cell(value) if isinstance(value, str) else value


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
