"""``commonwatt explain``."""

from typing import Annotated

import typer

from commonwatt.cli.findings.explanation_lines import explanation_lines
from commonwatt.cli.instants import WHEN, option_instant
from commonwatt.cli.meters import MeterName, named_meter
from commonwatt.cli.output import show_json
from commonwatt.cli.stores import Data, DatabaseUrl, OneSite, opened_store


def explain(
    meter: MeterName,
    at: Annotated[str, typer.Option(metavar="T", help=f"Within the quarter-hour: {WHEN}.")],
    site: OneSite = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, as the API answers it.")
    ] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Show why a quarter-hour of a meter has its value.

    Readings, the index at both ends, method, findings, device, rule, the site's balance, key, share
    and what was known when. Times are the site's own.

    Example: commonwatt explain prim_ad:11 --at 2026-03-22T04:20Z
    """
    from commonwatt.api.own.explain import explanation_answer
    from commonwatt.app.findings.explain import explain_quarter
    from commonwatt.domain.metering.quarter_hours import quarter_of

    with opened_store(data, database_url) as store, store.snapshot() as snapshot:
        catalogue, found = named_meter(snapshot, meter, site)
        zone = catalogue.site.timezone
        quarter = quarter_of(option_instant(at, "--at", zone))
        explained = explain_quarter(snapshot, catalogue, found, quarter)
        explanation = explanation_answer(explained, catalogue)
    if as_json:
        show_json(explanation)
        return
    for line in explanation_lines(explanation, found.name, zone):
        typer.echo(line)
