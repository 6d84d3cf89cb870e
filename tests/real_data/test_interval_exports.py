"""Portal exports of intervals with estimates, empty intervals and a doubled hour, in and out."""

import csv
import datetime as dt
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import MeterName, Receipt
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.formats.readings.csv import readings_from_csv

QUARTER = dt.timedelta(minutes=15)
NOW = 1_800_000_000


@dataclass(frozen=True)
class Interval:
    """An interval of an export: its end on the wall clock, energy [kWh], the sender's word."""

    ends: dt.datetime
    energy: str
    word: str


def fluvius(file: Path, words: tuple[str, ...]) -> list[Interval]:
    """What a Flemish portal says was taken from the grid; an empty volume becomes 0."""
    date, time, register, volume, status = words
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    taken = [row for row in rows if row[register].startswith(("Offtake", "Afname"))]
    zone, seen, found = ZoneInfo("Europe/Brussels"), set[str](), []
    for row in taken:
        text = f"{row[date].replace('/', '-')} {row[time]}"
        starts = dt.datetime.strptime(text, "%d-%m-%Y %H:%M:%S").replace(
            tzinfo=zone, fold=text in seen
        )
        seen.add(text)
        ends = (starts.astimezone(dt.UTC) + QUARTER).astimezone(zone)
        found.append(Interval(ends, row[volume].replace(",", ".") or "0", row[status]))
    return found


def eredes(file: Path) -> list[Interval]:
    """What a Portuguese portal says: the mean power [kW] up to each quarter-hour."""
    with gzip.open(file, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    zone, seen, found = ZoneInfo("Europe/Lisbon"), set[str](), []
    for row in rows:
        text = f"{row['data']} {row['hora']}"
        ends = dt.datetime.strptime(text, "%Y/%m/%d %H:%M").replace(tzinfo=zone, fold=text in seen)
        seen.add(text)
        found.append(Interval(ends, str(Decimal(row["consumo_ativa_kw"]) / 4), row["estado"]))
    return found


@dataclass(frozen=True)
class Home:
    """A home on a store of its own, with one interval meter."""

    store: SqlStore
    zone: str

    @property
    def catalogue(self) -> SiteCatalogue:
        with self.store.snapshot() as snapshot:
            return snapshot.catalogue.catalogue(1)

    def takes(
        self, intervals: Iterable[Interval], *, naive: bool = False, by_order: bool = False
    ) -> Receipt:
        """Import them as CSV, with offsets or, ``naive``, as the wall clock shows them."""
        stamped = [
            (each.ends.replace(tzinfo=None) if naive else each.ends, each) for each in intervals
        ]
        lines = [f"{ends.isoformat()},{each.energy},{each.word}" for ends, each in stamped]
        text = "\n".join(("timestamp,en_im,quality", *lines, ""))
        [rows] = readings_from_csv(
            io.BytesIO(text.encode()),
            meter=MeterName(type="electricity", prim_ad=10),
            zone=self.zone,
            by_order=by_order,
            chunk_rows=100_000,
        )
        return ingest_readings(self.store, 1, rows, "gateway", "test", NOW * 1_000_000)

    def quarters(self, start: dt.datetime, end: dt.datetime) -> tuple[int, Mapping[Quality, int]]:
        """The energy [Wh] of a span, and how many quarter-hours of each quality it has."""
        first, last = (int(at.timestamp()) // 900 for at in (start, end))
        catalogue = self.catalogue
        with self.store.snapshot() as snapshot:
            series = read_meter_series(snapshot, catalogue, catalogue.meters[0], first, last)
        there = series.quality_total > Quality.MISSING
        counts = Counter(Quality(code) for code in series.quality_total.tolist())
        return int(np.where(there, series.total, 0).sum()), counts

    def findings(self) -> list[Finding]:
        with self.store.snapshot() as snapshot:
            return list(read_findings(snapshot, self.catalogue))


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """Give an empty home in a zone."""
    database = open_database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    store = SqlStore(database)
    zone: str = request.param
    declaration = (
        f"site: {{site_ref: A, name: Home, timezone: {zone}}}\n"
        "meters:\n  - {name: Grid, type: electricity, mode: consumption, prim_ad: 10, "
        "interval: PT15M}\n"
    )
    apply_declaration(store, declaration_from_yaml(declaration.encode()), "tester", NOW)
    yield Home(store, zone)
    database.close()


FLUVIUS_2021 = "fluvius_be_15min/fluvius_2021-10-12_2021-10-31_15min.csv.gz"
FLUVIUS_2023 = "fluvius_be_15min/fluvius_2023-10-22_2023-12-31_15min.csv.gz"
EREDES = "eredes_pt_15min/eredes_2024-09_2025-09_15min_kw.csv.gz"
DUTCH = ("Van datum", "Van tijdstip", "Register", "Volume", "Validatiestatus")
ENGLISH = ("From (date)", "From (time)", "Register", "Volume", "Validation status")
IN_LISBON = pytest.mark.parametrize("home", ["Europe/Lisbon"], indirect=True)
IN_BRUSSELS = pytest.mark.parametrize("home", ["Europe/Brussels"], indirect=True)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def instants(findings: Iterable[Finding]) -> list[tuple[str, str, int]]:
    """Rule, start and seconds of each finding."""
    return [
        (
            each.rule.value,
            dt.datetime.fromtimestamp(each.start_at, dt.UTC).isoformat()[:16],
            each.evidence["seconds"],
        )
        for each in findings
    ]


@IN_LISBON
def test_a_portuguese_year_keeps_its_estimates_and_its_doubled_hour(
    home: Home, shared_data: Path
) -> None:
    year = eredes(shared_data / EREDES)

    receipt = home.takes(year)

    assert (receipt.accepted, receipt.rejected) == (35_040, ())
    whole = year[0].ends - QUARTER, year[-1].ends
    assert home.quarters(*whole) == (
        12_632_109,
        {Quality.MEASURED: 34_763, Quality.ESTIMATED: 277},
    )
    # 312, 280, 272, 300 W, and the same quarters of the clock again: 252, 304, 276, 272 W.
    doubled = home.quarters(utc("2024-10-26T23:45"), utc("2024-10-27T01:45"))
    assert doubled == (567, {Quality.MEASURED: 8})
    # The hour that does not happen in spring leaves no gap.
    assert home.findings() == []


@IN_LISBON
def test_a_doubled_hour_sorted_by_its_labels_is_rejected_unless_its_order_shall_tell(
    home: Home, shared_data: Path
) -> None:
    """The portal puts both rows of a label beside each other."""
    year = eredes(shared_data / EREDES)

    receipt = home.takes(year, naive=True)

    assert [each.row for each in receipt.rejected] == [*range(4228, 4237)]
    assert "2024-10-27 01:00:00 happens twice in Europe/Lisbon" in receipt.rejected[0].reason
    assert "2024-10-27 02:00:00 ends an hour" in receipt.rejected[-1].reason
    assert instants(home.findings()) == [("gap", "2024-10-26T23:45", 8_100)]

    assert home.takes(year, naive=True, by_order=True).accepted == 9
    doubled = home.quarters(utc("2024-10-26T23:45"), utc("2024-10-27T01:45"))
    assert doubled == (567, {Quality.MEASURED: 8})
    assert home.findings() == []


@IN_BRUSSELS
def test_a_belgian_autumn_has_a_hundred_quarters_on_its_longest_day(
    home: Home, shared_data: Path
) -> None:
    autumn = fluvius(shared_data / FLUVIUS_2023, ENGLISH)

    receipt = home.takes(autumn)

    assert (len(autumn), receipt.accepted) == (6_820, 6_820)
    whole = autumn[0].ends - QUARTER, autumn[-1].ends
    # The meter begins with its first value; nothing was consumed before, says the portal.
    assert home.quarters(*whole) == (1_462_321, {Quality.ABSENT: 1, Quality.MEASURED: 6_819})
    longest = home.quarters(utc("2023-10-28T22:00"), utc("2023-10-29T23:00"))
    assert longest[1] == {Quality.MEASURED: 100}
    doubled = home.quarters(utc("2023-10-29T00:00"), utc("2023-10-29T02:00"))
    assert doubled == (276 + 286 + 269 + 295 + 261 + 268 + 273 + 286, {Quality.MEASURED: 8})
    assert home.findings() == []


@IN_BRUSSELS
def test_zeros_that_stand_for_nothing_are_gaps_and_estimates_stay_estimates(
    home: Home, shared_data: Path
) -> None:
    """From dusk to morning the portal sends empty volumes, which were not measured as nothing."""
    autumn = fluvius(shared_data / FLUVIUS_2021, DUTCH)

    home.takes(autumn)

    whole = autumn[0].ends - QUARTER, autumn[-1].ends
    energy, counts = home.quarters(*whole)
    assert energy == 18_192 == sum(int(1000 * Decimal(each.energy)) for each in autumn)
    assert counts == {
        Quality.ABSENT: 30,
        Quality.MEASURED: 464,
        Quality.ESTIMATED: 354,
        Quality.MISSING: 1_076,
    }
    found = instants(home.findings())
    assert len(found) == 15
    assert found[:2] == [("gap", "2021-10-12T14:30", 52_200), ("gap", "2021-10-13T14:00", 28_800)]
    assert {rule for rule, _, _ in found} == {"gap"}


@IN_BRUSSELS
def test_what_was_measured_takes_the_place_of_empty_intervals_and_never_gives_it_back(
    home: Home, shared_data: Path
) -> None:
    autumn = fluvius(shared_data / FLUVIUS_2021, DUTCH)
    empty = [each for each in autumn if each.word == "Geen verbruik"]
    assert len(empty) == 1_106
    home.takes(autumn)

    sent_later = home.takes(Interval(each.ends, "0.25", "Gevalideerd") for each in empty)
    sent_again = home.takes(autumn)

    assert (sent_later.accepted, sent_again.accepted) == (1_106, 0)
    energy, counts = home.quarters(autumn[0].ends - QUARTER, autumn[-1].ends)
    assert energy == 18_192 + 1_106 * 250
    assert counts == {Quality.MEASURED: 464 + 1_106, Quality.ESTIMATED: 354}
    assert home.findings() == []
