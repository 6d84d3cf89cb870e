"""Real meters of other kinds, in and out again: Dutch electricity, Canadian water, Danish heat.

All readings stand on quarter-hours, so any span of quarter-hours has to equal the difference of the
two indexes around it, each rounded half up.
"""

import csv
import datetime as dt
import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

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
SITE, METER = f"{1:024x}", f"{2:024x}"
QUARTER = dt.timedelta(minutes=15)
Indexes = Mapping[dt.datetime, Decimal]


@dataclass(frozen=True)
class Known:
    """What is known of a meter's readings from their publication, or by counting them."""

    quarters: int
    total: int
    zeros: int
    largest: int
    quarters_of_day: Mapping[str, int]
    amounts: Mapping[str, int]


@dataclass(frozen=True)
class Source:
    """A meter's readings in a file, in kWh or m3 by instant, and how the meter is declared."""

    folder: str
    file: str
    delimiter: str
    type: str
    register: str
    timezone: str
    quality: str
    known: "Known"

    def readings(self, shared_data: Path) -> Indexes:
        with gzip.open(shared_data / self.folder / self.file, "rt", newline="") as lines:
            filled = (line for line in lines if line.strip())
            rows = list(csv.DictReader(filled, delimiter=self.delimiter))
        found = (self._reading(row) for row in rows)
        return dict(each for each in found if each is not None)

    def _reading(self, row: Mapping[str, str]) -> tuple[dt.datetime, Decimal] | None:
        match self.register:
            case "en_im":
                if row["code"] != "ellm":
                    return None
                return of_unix(row["moment"]), Decimal(row["value"]) / 1000
            case "vol_m3":
                return of_unix(row["unix_ts"]), Decimal(row["water_whw_counter_L"]) / 1000
            case _:
                at = dt.datetime.fromisoformat(row["time_rounded"])
                return at, Decimal(row["energy_heat_kwh"])


def of_unix(text: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(text), dt.UTC)


ELECTRICITY = Source(
    folder="energiemanager_nl_15min",
    file="elec_2025_15min_index.csv.gz",
    delimiter=";",
    type="electricity",
    register="en_im",
    timezone="Europe/Amsterdam",
    quality="measured",
    known=Known(
        quarters=34_943,
        total=7_523_900,
        zeros=6_215,
        largest=3_662,
        quarters_of_day={"2025-03-30": 92, "2025-10-26": 100, "2025-10-27": 96},
        # The reading in the middle of these two is missing: 519 Wh are halved.
        amounts={"2025-01-16T08:00:00+00:00": 260, "2025-01-16T08:15:00+00:00": 259},
    ),
)
WATER = Source(
    folder="ampds2_ca_water_gas_15min",
    file="ampds2_water_gas_15min_index_2012-04_2014-03.csv.gz",
    delimiter=",",
    type="cold_water",
    register="vol_m3",
    timezone="America/Vancouver",
    quality="measured",
    known=Known(
        quarters=70_079,
        total=548_882,
        zeros=39_480,
        largest=419,
        quarters_of_day={"2012-11-04": 100, "2013-03-10": 92, "2013-03-11": 96},
        # From 45287.526 to 45295.096 litres: two pulses, less what rounding moves to neighbours.
        amounts={"2012-04-01T07:00:00+00:00": 7},
    ),
)
HEAT = Source(
    folder="heat_dk_hourly",
    file="danish_heat_meter_660_2018_2020_hourly_index.csv.gz",
    delimiter=",",
    type="heating",
    register="heat_energy_kwh",
    timezone="Europe/Copenhagen",
    quality="interpolated",
    known=Known(
        quarters=105_020,
        total=51_627_243,
        zeros=10_092,
        largest=2_264,
        quarters_of_day={"2018-10-28": 100, "2019-03-31": 92, "2019-04-01": 96},
        # From 5347.61445783133 to 5350.73684210526 kWh in an hour.
        amounts={
            "2018-01-02T23:00:00+00:00": 781,
            "2018-01-02T23:15:00+00:00": 781,
            "2018-01-02T23:30:00+00:00": 780,
            "2018-01-02T23:45:00+00:00": 781,
        },
    ),
)


@dataclass(frozen=True)
class Served:
    """A source and a client of the site where its meter is."""

    source: Source
    readings: Indexes
    reader: Reader

    def index(self, at: dt.datetime) -> int:
        """The index of a reading, rounded half up to millionths as stored, then to Wh or litres."""
        stored = self.readings[at].quantize(Decimal("0.000001"), ROUND_HALF_UP)
        return int((stored * 1000).quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def bounds(self) -> tuple[str, str]:
        return min(self.readings).isoformat(), max(self.readings).isoformat()

    def amounts(self, sampling: str = "15T") -> dict[dt.datetime, int]:
        """Amounts [Wh, litre] by the start of their period, all of the quality expected."""
        rows = self.reader.series(METER, *self.bounds, sampling)
        assert {row["quality_total"] for row in rows} == {self.source.quality}
        return {dt.datetime.fromisoformat(str(row["start"])): units(row["total"]) for row in rows}

    def local(self, at: dt.datetime) -> dt.datetime:
        return at.astimezone(ZoneInfo(self.source.timezone))


@pytest.fixture(scope="module", params=[ELECTRICITY, WATER, HEAT], ids=lambda each: each.type)
def meter(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Give a meter, its readings imported and served."""
    source: Source = request.param
    readings = source.readings(shared_data)
    folder = tmp_path_factory.mktemp(source.type)
    command = CommandLine(folder, ("--data", str(folder / "data")))
    declare(
        command,
        f"site: {{id: '{SITE}', name: House, timezone: {source.timezone}}}\n"
        "meters:\n"
        f"  - {{id: '{METER}', name: Meter, type: {source.type}, mode: consumption}}\n",
    )
    rows = {at.isoformat(): (str(index),) for at, index in readings.items()}
    import_csv(command, "readings.csv", "--meter", METER, climkit_csv((source.register,), rows))
    with served(command, SITE) as reader:
        yield Served(source, readings, reader)


def test_every_span_between_readings_is_the_difference_of_the_register(meter: Served) -> None:
    amounts = meter.amounts()

    assert min(amounts.values()) >= 0
    spans = list(pairwise(sorted(meter.readings)))
    for start, end in spans:
        quarters = (end - start) // QUARTER
        span = [amounts[start + count * QUARTER] for count in range(quarters)]
        assert sum(span) == meter.index(end) - meter.index(start), start
        assert max(span) - min(span) <= 1, "spread evenly"
    assert len(amounts) == sum((end - start) // QUARTER for start, end in spans)


@pytest.mark.parametrize(
    ("sampling", "part"), [("D", "%Y-%m-%d"), ("M", "%Y-%m"), ("Y", "%Y")], ids="DMY"
)
def test_periods_are_sums_of_quarter_hours_in_the_local_calendar(
    meter: Served, sampling: str, part: str
) -> None:
    expected: dict[str, int] = {}
    for at, amount in meter.amounts().items():
        period = meter.local(at).strftime(part)
        expected[period] = expected.get(period, 0) + amount

    found = {meter.local(at).strftime(part): each for at, each in meter.amounts(sampling).items()}

    assert found == expected


def test_nothing_is_set_aside(meter: Served) -> None:
    assert [each for each in meter.reader.findings() if each["rule"] in SET_ASIDE] == []


def test_the_published_surface_answers_the_same(meter: Served) -> None:
    start, end = meter.bounds
    rows = meter.reader.climkit(f"meter_data/{SITE}/{METER}", {"t_s": start, "t_e": end})

    by_end = {dt.datetime.fromisoformat(str(row["timestamp"])): units(row["total"]) for row in rows}
    assert by_end == {at + QUARTER: amount for at, amount in meter.amounts().items()}


def test_what_is_known_of_it(meter: Served) -> None:
    known = meter.source.known
    amounts = meter.amounts()
    of_day = Counter(meter.local(at).date().isoformat() for at in amounts)

    assert len(amounts) == known.quarters
    assert sum(amounts.values()) == known.total
    assert sum(not amount for amount in amounts.values()) == known.zeros
    assert max(amounts.values()) == known.largest
    assert {day: of_day[day] for day in known.quarters_of_day} == known.quarters_of_day
    found = {start: amounts[dt.datetime.fromisoformat(start)] for start in known.amounts}
    assert found == known.amounts
