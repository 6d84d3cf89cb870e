"""Every length of period on switch days, in zones that switch in every way, over real HTTP.

The expectations are written by hand: which rows there are, how each is stamped, where in UTC it
begins and how many quarter-hours it sums.
"""

import datetime as dt
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx2
import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.domain.metering.readings import MeterName
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.formats.readings.csv import readings_from_csv
from tests.api.conftest import account, add, token
from tests.api.serving import application_of, client_of, served

QUARTER = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Period:
    """A row that is expected: its stamp, where it begins in UTC, its quarter-hours."""

    stamp: str
    begins: str
    quarters: int


@dataclass(frozen=True)
class Switch:
    """A local day: its bounds in UTC, its periods, and the stamps around its switch."""

    zone: str
    start: str
    end: str
    hours: Sequence[Period]
    quarter_stamps: Sequence[str]
    day: str
    month: str
    year: str


def hours(date: str, locals_: Sequence[int], offset: str, first_utc: str) -> list[Period]:
    """Whole hours in a row, at one offset."""
    begins = utc(first_utc)
    return [
        Period(f"{date} {hour:02}:00:00{offset}", text(begins + dt.timedelta(hours=count)), 4)
        for count, hour in enumerate(locals_)
    ]


def utc(instant: str) -> dt.datetime:
    return dt.datetime.fromisoformat(instant).replace(tzinfo=dt.UTC)


def text(instant: dt.datetime) -> str:
    return instant.replace(tzinfo=None).isoformat()


ZURICH_SPRING = Switch(
    "Europe/Zurich",
    start="2026-03-28T23:00:00",
    end="2026-03-29T22:00:00",
    hours=[
        *hours("2026-03-29", range(2), "+01:00", "2026-03-28T23:00:00"),
        *hours("2026-03-29", range(3, 24), "+02:00", "2026-03-29T01:00:00"),
    ],
    quarter_stamps=[
        "2026-03-29 01:45:00+01:00",
        "2026-03-29 03:00:00+02:00",
        "2026-03-29 03:15:00+02:00",
    ],
    day="2026-03-29 00:00:00+01:00",
    month="2026-03-01 00:00:00+01:00",
    year="2026-01-01 00:00:00+01:00",
)
ZURICH_AUTUMN = Switch(
    "Europe/Zurich",
    start="2026-10-24T22:00:00",
    end="2026-10-25T23:00:00",
    hours=[
        *hours("2026-10-25", range(3), "+02:00", "2026-10-24T22:00:00"),
        *hours("2026-10-25", range(2, 24), "+01:00", "2026-10-25T01:00:00"),
    ],
    quarter_stamps=[
        "2026-10-25 02:45:00+02:00",
        "2026-10-25 02:00:00+01:00",
        "2026-10-25 02:15:00+01:00",
    ],
    day="2026-10-25 00:00:00+02:00",
    month="2026-10-01 00:00:00+02:00",
    year="2026-01-01 00:00:00+01:00",
)
# Half an hour beside UTC, without a switch: local hours and days begin at half past.
KOLKATA = Switch(
    "Asia/Kolkata",
    start="2026-03-28T18:30:00",
    end="2026-03-29T18:30:00",
    hours=hours("2026-03-29", range(24), "+05:30", "2026-03-28T18:30:00"),
    quarter_stamps=[
        "2026-03-29 00:15:00+05:30",
        "2026-03-29 00:30:00+05:30",
        "2026-03-29 00:45:00+05:30",
    ],
    day="2026-03-29 00:00:00+05:30",
    month="2026-03-01 00:00:00+05:30",
    year="2026-01-01 00:00:00+05:30",
)
# Switches by half an hour: 02:00 becomes 02:30.
LORD_HOWE_SPRING = Switch(
    "Australia/Lord_Howe",
    start="2026-10-03T13:30:00",
    end="2026-10-04T13:00:00",
    hours=[
        *hours("2026-10-04", range(2), "+10:30", "2026-10-03T13:30:00"),
        Period("2026-10-04 02:30:00+11:00", "2026-10-03T15:30:00", 2),
        *hours("2026-10-04", range(3, 24), "+11:00", "2026-10-03T16:00:00"),
    ],
    quarter_stamps=[
        "2026-10-04 01:45:00+10:30",
        "2026-10-04 02:30:00+11:00",
        "2026-10-04 02:45:00+11:00",
        "2026-10-04 03:00:00+11:00",
    ],
    day="2026-10-04 00:00:00+10:30",
    month="2026-10-01 00:00:00+10:30",
    year="2026-01-01 00:00:00+11:00",
)
# 02:00 becomes 01:30 again: the second half of the hour from 01:00 happens twice.
LORD_HOWE_AUTUMN = Switch(
    "Australia/Lord_Howe",
    start="2026-04-04T13:00:00",
    end="2026-04-05T13:30:00",
    hours=[
        *hours("2026-04-05", range(2), "+11:00", "2026-04-04T13:00:00"),
        Period("2026-04-05 01:30:00+10:30", "2026-04-04T15:00:00", 2),
        *hours("2026-04-05", range(2, 24), "+10:30", "2026-04-04T15:30:00"),
    ],
    quarter_stamps=[
        "2026-04-05 01:45:00+11:00",
        "2026-04-05 01:30:00+10:30",
        "2026-04-05 01:45:00+10:30",
        "2026-04-05 02:00:00+10:30",
    ],
    day="2026-04-05 00:00:00+11:00",
    month="2026-04-01 00:00:00+11:00",
    year="2026-01-01 00:00:00+11:00",
)
# Midnight becomes 01:00: the day has no midnight.
CAIRO_SPRING = Switch(
    "Africa/Cairo",
    start="2026-04-23T22:00:00",
    end="2026-04-24T21:00:00",
    hours=hours("2026-04-24", range(1, 24), "+03:00", "2026-04-23T22:00:00"),
    quarter_stamps=[
        "2026-04-24 01:15:00+03:00",
        "2026-04-24 01:30:00+03:00",
    ],
    day="2026-04-24 01:00:00+03:00",
    month="2026-04-01 00:00:00+02:00",
    year="2026-01-01 00:00:00+02:00",
)
# The day's end becomes 23:00 again.
CAIRO_AUTUMN = Switch(
    "Africa/Cairo",
    start="2026-10-28T21:00:00",
    end="2026-10-29T22:00:00",
    hours=[
        *hours("2026-10-29", range(24), "+03:00", "2026-10-28T21:00:00"),
        *hours("2026-10-29", [23], "+02:00", "2026-10-29T21:00:00"),
    ],
    quarter_stamps=[
        "2026-10-29 23:45:00+03:00",
        "2026-10-29 23:00:00+02:00",
        "2026-10-29 23:15:00+02:00",
        "2026-10-29 23:30:00+02:00",
        "2026-10-29 23:45:00+02:00",
        "2026-10-30 00:00:00+02:00",
    ],
    day="2026-10-29 00:00:00+03:00",
    month="2026-10-01 00:00:00+03:00",
    year="2026-01-01 00:00:00+02:00",
)
# Switches by two hours: 01:00 becomes 03:00.
TROLL_SPRING = Switch(
    "Antarctica/Troll",
    start="2026-03-29T00:00:00",
    end="2026-03-29T22:00:00",
    hours=[
        *hours("2026-03-29", [0], "+00:00", "2026-03-29T00:00:00"),
        *hours("2026-03-29", range(3, 24), "+02:00", "2026-03-29T01:00:00"),
    ],
    quarter_stamps=[
        "2026-03-29 00:45:00+00:00",
        "2026-03-29 03:00:00+02:00",
        "2026-03-29 03:15:00+02:00",
    ],
    day="2026-03-29 00:00:00+00:00",
    month="2026-03-01 00:00:00+00:00",
    year="2026-01-01 00:00:00+00:00",
)
TROLL_AUTUMN = Switch(
    "Antarctica/Troll",
    start="2026-10-24T22:00:00",
    end="2026-10-26T00:00:00",
    hours=[
        *hours("2026-10-25", range(3), "+02:00", "2026-10-24T22:00:00"),
        *hours("2026-10-25", range(1, 24), "+00:00", "2026-10-25T01:00:00"),
    ],
    quarter_stamps=[
        "2026-10-25 02:45:00+02:00",
        "2026-10-25 01:00:00+00:00",
        "2026-10-25 01:15:00+00:00",
    ],
    day="2026-10-25 00:00:00+02:00",
    month="2026-10-01 00:00:00+02:00",
    year="2026-01-01 00:00:00+00:00",
)

# How many quarter-hours and hours each day has.
SWITCHES = [
    pytest.param(ZURICH_SPRING, 92, 23, id="Zurich spring"),
    pytest.param(ZURICH_AUTUMN, 100, 25, id="Zurich autumn"),
    pytest.param(KOLKATA, 96, 24, id="Kolkata"),
    pytest.param(LORD_HOWE_SPRING, 94, 24, id="Lord Howe spring"),
    pytest.param(LORD_HOWE_AUTUMN, 98, 25, id="Lord Howe autumn"),
    pytest.param(CAIRO_SPRING, 92, 23, id="Cairo spring"),
    pytest.param(CAIRO_AUTUMN, 100, 25, id="Cairo autumn"),
    pytest.param(TROLL_SPRING, 88, 22, id="Troll spring"),
    pytest.param(TROLL_AUTUMN, 104, 26, id="Troll autumn"),
]
ZONES = [
    "Europe/Zurich",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Antarctica/Troll",
]
# The readings of every meter: at each quarter-hour of two days around every switch.
FILLED = [
    (utc("2026-03-27T00:00:00"), utc("2026-04-07T00:00:00")),
    (utc("2026-04-22T00:00:00"), utc("2026-04-26T00:00:00")),
    (utc("2026-10-02T00:00:00"), utc("2026-10-06T00:00:00")),
    (utc("2026-10-23T00:00:00"), utc("2026-10-31T00:00:00")),
]


def energy_wh(begins: dt.datetime) -> int:
    """What every meter takes in the quarter-hour that begins then; no two neighbours alike."""
    return int(begins.timestamp()) // 900 % 89 + 1


def sum_wh(begins: dt.datetime, quarters: int) -> int:
    return sum(energy_wh(begins + count * QUARTER) for count in range(quarters))


def readings() -> bytes:
    """A Climkit CSV with the index of every meter."""
    lines, index_wh = ["timestamp,en_im"], 0
    for start, end in FILLED:
        at = start
        while at <= end:
            lines.append(f"{text(at)},{index_wh / 1000:.3f}")
            index_wh += energy_wh(at)
            at += QUARTER
    return "\n".join(lines).encode()


def site_id(zone: str) -> str:
    return f"{ZONES.index(zone):024x}"


def meter_id(zone: str) -> str:
    return f"{ZONES.index(zone) + 256:024x}"


def fill(store: SqlStore, zone: str) -> None:
    declared = f"""
site: {{id: "{site_id(zone)}", name: "{zone}", timezone: {zone}}}
meters:
  - {{id: "{meter_id(zone)}", name: House, type: electricity, mode: consumption, prim_ad: 11}}
"""
    now_at = int(time.time())
    apply_declaration(store, declaration_from_yaml(declared.encode()), "test", now_at)
    with store.snapshot() as snapshot:
        [site] = [each for each in snapshot.catalogue.sites() if each.id == site_id(zone)]
    name = MeterName(id=meter_id(zone))
    [rows] = readings_from_csv(io.BytesIO(readings()), meter=name)
    receipt = ingest_readings(store, site.number, rows, "test", "test", now_at * 1_000_000)
    assert (receipt.accepted, receipt.rejected_rows) == (rows.total, 0)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Give a client that may read a site in each zone."""
    application = application_of(tmp_path_factory.mktemp("zones"))
    for zone in ZONES:
        fill(application.store, zone)
    sites = [site_id(zone) for zone in ZONES]
    add(application.store, account("reader", Role.DEVELOPER, *sites))
    with served(application) as address, client_of(address, token(address, "reader")) as client:
        yield client


Rows = list[tuple[str, float]]


def asked(reader: httpx2.Client, switch: Switch, frequency: str) -> Rows:
    """Stamps and totals, of the meter and of the site: they are the same."""
    body = {"t_s": switch.start, "t_e": switch.end, "sampling_frequency": frequency}
    site, meter = site_id(switch.zone), meter_id(switch.zone)
    of_meter = reader.post(f"/api/v1/meter_data/{site}/{meter}", json=body)
    of_site = reader.post(f"/api/v1/site_data/{site}/electricity", json=body)
    assert (of_meter.status_code, of_site.status_code) == (200, 200), of_meter.text
    found = [(row["timestamp"], row["total"]) for row in of_meter.json()]
    assert [(row["timestamp"], row["conso_total"]) for row in of_site.json()] == found
    return found


def kwh(begins: str, quarters: int) -> float:
    return sum_wh(utc(begins), quarters) / 1000


@pytest.mark.parametrize(("switch", "quarters", "_hours"), SWITCHES)
def test_quarter_hours_are_stamped_at_their_end(
    reader: httpx2.Client, switch: Switch, quarters: int, _hours: int
) -> None:
    found = asked(reader, switch, "15T")

    stamps = [stamp for stamp, _ in found]
    assert len(found) == len(set(stamps)) == quarters
    first = stamps.index(switch.quarter_stamps[0])
    assert stamps[first : first + len(switch.quarter_stamps)] == list(switch.quarter_stamps)
    ends = [dt.datetime.fromisoformat(stamp).astimezone(dt.UTC) for stamp in stamps]
    assert ends == [utc(switch.start) + (count + 1) * QUARTER for count in range(quarters)]
    assert [total for _, total in found] == [energy_wh(end - QUARTER) / 1000 for end in ends]


@pytest.mark.parametrize(("switch", "quarters", "count"), SWITCHES)
def test_hours_break_at_local_full_hours_and_at_the_switch(
    reader: httpx2.Client, switch: Switch, quarters: int, count: int
) -> None:
    found = asked(reader, switch, "H")

    assert len(found) == count
    assert sum(hour.quarters for hour in switch.hours) == quarters
    assert found == [(hour.stamp, kwh(hour.begins, hour.quarters)) for hour in switch.hours]


@pytest.mark.parametrize("frequency", ["D", "M", "Y"])
@pytest.mark.parametrize(("switch", "quarters", "_hours"), SWITCHES)
def test_days_months_and_years_sum_the_selected(
    reader: httpx2.Client, switch: Switch, quarters: int, _hours: int, frequency: str
) -> None:
    stamp = {"D": switch.day, "M": switch.month, "Y": switch.year}[frequency]

    assert asked(reader, switch, frequency) == [(stamp, kwh(switch.start, quarters))]


@pytest.mark.parametrize(("switch", "quarters", "_hours"), SWITCHES)
def test_neighbouring_days_take_nothing_of_the_switch_day(
    reader: httpx2.Client, switch: Switch, quarters: int, _hours: int
) -> None:
    before = text(utc(switch.start) - 8 * QUARTER)
    after = text(utc(switch.end) + 8 * QUARTER)
    wider = Switch(switch.zone, before, after, (), (), "", "", "")

    found = asked(reader, wider, "D")

    assert [total for _, total in found] == [
        kwh(before, 8),
        kwh(switch.start, quarters),
        kwh(switch.end, 8),
    ]
    assert found[1][0] == switch.day
