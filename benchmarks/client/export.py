"""`commonwatt export` of a site-year with 100 meters, against the bare transfer of its bytes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.client.asked_site import ASKED, AskedSite
from benchmarks.expected import WrongAnswer
from benchmarks.report import PER_BARE, Bound, Line, Target
from benchmarks.servers.raw_http import Request
from benchmarks.servers.recorder import bare_transfer, recorder
from benchmarks.servers.side_commonwatt import ACCOUNT, PASSWORD, command
from benchmarks.servers.turns import clocked, in_turns, turns_line
from benchmarks.site.incoming import METERS

GOALS: dict[str, Target] = {
    ".parquet": (Bound(PER_BARE, at_most=5),),
    ".csv": (Bound(PER_BARE, at_most=8),),
}


def exports(asked: AskedSite, folder: Path) -> list[Line]:
    """The command from its start to its end, a row a meter and quarter-hour, in both forms."""
    requests = _requests(asked, folder / "recorded.parquet")
    return [_line(asked, requests, folder / f"asked{suffix}") for suffix in GOALS]


def _line(asked: AskedSite, requests: Sequence[Request], file: Path) -> Line:
    def made() -> None:
        _export(asked.port, asked.window, file)

    made()
    _check(asked, file)
    subjects = {
        "commonwatt": clocked(made),
        "bare": lambda: bare_transfer(asked.port, requests, asked.commonwatt.signed_in()),
    }
    figure = f"export of a year of {METERS} meters, {file.suffix[1:]}"
    results = in_turns(figure, subjects, asked.plan.rounds)
    return turns_line(results, figure, "s", GOALS[file.suffix])


def _export(port: int, window: Sequence[str], file: Path) -> None:
    start, end = window
    asked = ["--start", start, "--end", end, "--of", "meters", "--fast", "--quiet"]
    who = {
        "CLIMKIT_URL": f"http://127.0.0.1:{port}",
        "CLIMKIT_USERNAME": ACCOUNT,
        "CLIMKIT_PASSWORD": PASSWORD,
    }
    subprocess.run(
        command("export", ASKED.id, str(file), *asked), check=True, env={**os.environ, **who}
    )


def _requests(asked: AskedSite, file: Path) -> list[Request]:
    """Everything that the command asks for, signing in included."""
    with recorder(asked.port) as recorded:
        _export(recorded.port, asked.window, file)
        return recorded.requests


def _check(asked: AskedSite, file: Path) -> None:
    """The file has every quarter-hour of every meter, and of each the energy of its register."""
    scanned = pl.scan_parquet(file) if file.suffix == ".parquet" else pl.scan_csv(file)
    by_meter = scanned.group_by("meter").agg(pl.len(), pl.col("total").sum())
    building, span = asked.building, asked.span
    wanted = [*building.totals[:, span], building.sun[span]]
    found = {meter: (rows, kwh) for meter, rows, kwh in by_meter.collect().rows()}
    for position, energy_wh in enumerate(wanted):
        rows, kwh = found[ASKED.meter_id(position)]
        if rows != energy_wh.size or abs(round(kwh * 1000) - int(np.sum(energy_wh))) > 1:
            raise WrongAnswer(f"{file.name}, meter {position}: {rows} rows, {kwh} kWh")
