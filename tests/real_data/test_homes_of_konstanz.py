"""Six homes of Konstanz with hourly indexes over years (OPSD, CoSSMic), in and out again.

OPSD names an hour by its start and gives the last index in it, so the index at T is a reading of
T + 1 h. Every span between two readings has to equal the difference of its register, to the Wh.
"""

import csv
import datetime as dt
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.command import CommandLine
from tests.real_data.real_building import (
    SET_ASIDE,
    Reader,
    climkit_csv,
    declare,
    import_csv,
    served,
    units,
)

pytestmark = pytest.mark.slow
HOUR = dt.timedelta(hours=1)
SITE = "5f0000000000000000000000"
HOMES = range(1, 7)
GRID, FEED_IN = f"{10:024x}", f"{11:024x}"
IMPORT, EXPORT, PV = "grid_import", "grid_export", "pv"


@dataclass(frozen=True)
class Home:
    """The columns of a home: stamps of the readings and texts of their indexes [kWh]."""

    number: int
    stamps: Sequence[dt.datetime]
    columns: dict[str, Sequence[str]]

    @property
    def others(self) -> list[str]:
        """Its columns but those of the grid."""
        return [name for name in self.columns if name not in (IMPORT, EXPORT)]

    def meter(self, column: str) -> str:
        """The id of the meter whose series is that column."""
        grid = {IMPORT: GRID, EXPORT: FEED_IN}
        return grid.get(column) or f"{20 + self.others.index(column):024x}"

    def readings(self, column: str) -> list[tuple[dt.datetime, int]]:
        """Stamps and indexes [Wh]; they have three decimals, so nothing is rounded."""
        cells = zip(self.stamps, self.columns[column], strict=True)
        found = [(at, Decimal(text) * 1000) for at, text in cells if text]
        assert all(index == int(index) for _, index in found)
        return [(at, int(index)) for at, index in found]

    def declaration(self) -> str:
        meters = [f"{{id: '{GRID}', name: Grid, type: electricity, mode: introduction}}"]
        if EXPORT in self.columns:
            meters[0] = meters[0].replace("}", ", prim_ad: 10}")
            meters.append(
                f"{{id: '{FEED_IN}', name: Feed-in, type: electricity, mode: consumption, "
                "balance: false, rule: 'prim_ad:10.en_ex'}"
            )
        for name in self.others:
            mode = "production" if name == PV else "consumption"
            meters.append(
                f"{{id: '{self.meter(name)}', name: {name}, type: electricity, mode: {mode}}}"
            )
        lines = "".join(f"  - {meter}\n" for meter in meters)
        site = f"site: {{id: '{SITE}', name: Home {self.number}, timezone: Europe/Berlin}}\n"
        return f"{site}meters:\n{lines}"

    def csv_of(self, columns: dict[str, str]) -> str:
        """A Climkit CSV of registers; hours without any index are left out."""
        cells = zip(*(self.columns[name] for name in columns.values()), strict=True)
        by_stamp = zip(self.stamps, cells, strict=True)
        return climkit_csv(columns, {at.isoformat(): row for at, row in by_stamp if any(row)})


def read_home(folder: Path, number: int) -> Home:
    file = folder / "opsd_cossmic_60min" / f"residential{number}_60min_index.csv.gz"
    with gzip.open(file, "rt", newline="") as lines:
        header, *rows = csv.reader(lines)
    stamps, *columns = zip(*rows, strict=True)
    return Home(
        number,
        [dt.datetime.fromisoformat(stamp) + HOUR for stamp in stamps],
        dict(zip(header[1:], columns, strict=True)),
    )


def fill(command: CommandLine, home: Home) -> None:
    declare(command, home.declaration())
    grid = {"en_im": IMPORT} | ({"en_ex": EXPORT} if EXPORT in home.columns else {})
    import_csv(command, "grid.csv", "--meter", GRID, home.csv_of(grid))
    for name in home.others:
        register = "en_ex" if name == PV else "en_im"
        text = home.csv_of({register: name})
        import_csv(command, f"{name}.csv", "--meter", home.meter(name), text)


@pytest.fixture(scope="module", params=HOMES, ids=lambda number: f"home {number}")
def served_home(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, Reader]]:
    """Give a home, imported and served."""
    home = read_home(shared_data, request.param)
    folder = tmp_path_factory.mktemp(f"home_{home.number}")
    command = CommandLine(folder, ("--data", str(folder / "data")))
    fill(command, home)
    with served(command, SITE) as reader:
        yield home, reader


def text(instant: dt.datetime) -> str:
    return instant.isoformat()


def test_every_hour_is_the_difference_of_its_register(served_home: tuple[Home, Reader]) -> None:
    home, reader = served_home
    for column in home.columns:
        readings = home.readings(column)
        first_at, last_at = readings[0][0], readings[-1][0]

        found = reader.series(home.meter(column), text(first_at), text(last_at), "H")

        rises = [(at, index - before) for (at, before), (_, index) in pairwise(readings)]
        assert len(found) == len(rises), column
        for row, (at, rise_wh) in zip(found, rises, strict=True):
            assert dt.datetime.fromisoformat(str(row["start"])) == at, column
            assert units(row["total"]) == rise_wh >= 0, (column, at)
            assert row["quality_total"] == "interpolated", (column, at)


def test_quarter_hours_of_the_grid_telescope(served_home: tuple[Home, Reader]) -> None:
    home, reader = served_home
    readings = home.readings(IMPORT)
    first_at, last_at = readings[0][0], readings[-1][0]

    found = reader.series(GRID, text(first_at), text(last_at))

    quarters_wh = [units(row["total"]) for row in found]
    assert len(quarters_wh) == 4 * (len(readings) - 1)
    for position, ((_, before), (_, after)) in enumerate(pairwise(readings)):
        quarters = quarters_wh[4 * position : 4 * position + 4]
        assert sum(quarters) == after - before
        assert max(quarters) - min(quarters) <= 1, "an hour is spread evenly, to the Wh"
        assert min(quarters) >= 0


def test_after_the_last_reading_everything_is_missing(served_home: tuple[Home, Reader]) -> None:
    home, reader = served_home
    last_at = home.readings(IMPORT)[-1][0]

    found = reader.series(GRID, text(last_at), text(last_at + HOUR))

    assert [(row["total"], row["quality_total"]) for row in found] == [(None, "missing")] * 4


@pytest.mark.parametrize("sampling", ["D", "M", "Y"])
def test_longer_periods_are_sums_of_hours(served_home: tuple[Home, Reader], sampling: str) -> None:
    """In the local calendar: a period begins where the next one does, and loses nothing."""
    home, reader = served_home
    readings = home.readings(IMPORT)
    index_at = dict(readings)
    first_at, last_at = readings[0][0], readings[-1][0]

    found = reader.series(GRID, text(first_at), text(last_at), sampling)

    starts = [dt.datetime.fromisoformat(str(row["start"])) for row in found]
    bounds = [first_at, *starts[1:], last_at]
    for row, (start, end) in zip(found, pairwise(bounds), strict=True):
        assert units(row["total"]) == index_at[end] - index_at[start], start


def test_nothing_is_set_aside(served_home: tuple[Home, Reader]) -> None:
    """The data has artefacts, but none that an index cannot do."""
    _, reader = served_home

    assert [each for each in reader.findings() if each["rule"] in SET_ASIDE] == []


def test_totals_and_largest_hours_are_those_published(
    served_home: tuple[Home, Reader], shared_data: Path
) -> None:
    home, reader = served_home
    with (shared_data / "opsd_cossmic_60min" / "columns.csv").open(newline="") as lines:
        published = [row for row in csv.DictReader(lines) if row["house"] == str(home.number)]
    assert {row["column"] for row in published} == set(home.columns)

    for row in published:
        readings = home.readings(row["column"])
        bounds = text(readings[0][0]), text(readings[-1][0])
        hours = [
            units(hour["total"]) for hour in reader.series(home.meter(row["column"]), *bounds, "H")
        ]
        assert sum(hours) == pytest.approx(float(row["total_kwh"]) * 1000, abs=51)
        assert max(hours) == pytest.approx(float(row["max_step"]) * 1000, abs=6)
        assert sum(hour < 0 for hour in hours) == int(row["neg_steps"]) == 0
        assert sum(hour > 12_000 for hour in hours) == int(row["steps_over_12kwh"])


@pytest.mark.parametrize("served_home", [3], indirect=True, ids=["home 3"])
def test_a_catch_up_stays_in_its_hour(served_home: tuple[Home, Reader]) -> None:
    """The grid meter of home 3 stood still and makes up for 804 kWh in its last hour."""
    _, reader = served_home

    found = reader.series(GRID, "2017-07-08T15:00:00Z", "2017-07-08T18:00:00Z")

    amounts = [row["total"] for row in found]
    assert amounts == [0.046, 0.047, 0.046, 0.046, *[200.985] * 4, *[None] * 4]
