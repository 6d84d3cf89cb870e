"""What exported files hold is what the client answers, whole and in order."""

import datetime as dt
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from commonwatt.client import Climkit, NotFound, Series
from tests.api import building
from tests.api.conftest import PASSWORD
from tests.client.conftest import FAST
from tests.client.scripted import METERS, SITE, SITE_DATA, Asked, Reply
from tests.export.endless import ANNA, BERT, GRID, NAMES, SUN, ZONE, endless, of_meter, of_site
from tests.export.exporting import exported

YEAR = ("2025-03-10", "2025-11-10")
STORAGE = ["storage_charging_self", "storage_charging_total", "storage_discharging_total"]


def read(file: Path) -> pl.DataFrame:
    """What a file holds, with the types of Parquet."""
    if file.suffix == ".parquet":
        return pl.read_parquet(file)
    frame = pl.read_csv(file, infer_schema=False)
    instants = [name for name in ("start", "end", "at") if name in frame.columns]
    local = f"{'at' if 'at' in instants else 'start'}_local"
    texts = {*instants, local, "meter", "sensor", "name", "unit"}
    return frame.with_columns(
        pl.col(*instants).str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.col(local)
        .str.to_datetime(time_unit="us", time_zone="UTC")
        .dt.convert_time_zone(str(ZONE)),
        pl.col(*[name for name in frame.columns if name not in texts]).cast(pl.Float64),
    )


def with_texts(series: Series, columns: Sequence[str], **texts: str) -> pl.DataFrame:
    """A series as the rows of an export have it."""
    frame = series.to_polars()
    whose = [pl.lit(text, pl.String).alias(name) for name, text in texts.items()]
    values = [
        pl.col(name) if name in frame.columns else pl.lit(None, pl.Float64).alias(name)
        for name in columns
    ]
    first = 2 if series.sampling is None else 3
    return frame.select(*frame.columns[:first], *whose, *values)


def test_files_are_for_their_owner_alone(file: Path) -> None:
    old = os.umask(0o022)
    try:
        with (
            endless().running() as url,
            Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
        ):
            exported(climkit, file, *YEAR, sampling="M")
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("sampling", ["15T", "H", "D", "M"])
def test_a_site_is_what_the_client_answers(file: Path, sampling: str) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        done = exported(climkit, file, *YEAR, sampling=sampling)
        series = climkit.site_data(SITE, "electricity", *YEAR, sampling)

    frame = read(file)
    assert_frame_equal(frame, with_texts(series, [*series.columns, *STORAGE]))
    assert (done.rows, done.size_bytes, done.left_out) == (len(frame), file.stat().st_size, [])
    assert [*file.parent.iterdir()] == [file]


def test_days_on_which_the_clock_changes_are_whole(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *YEAR)

    frame = read(file)
    whole = dt.datetime(2025, 11, 10, tzinfo=ZONE) - dt.datetime(2025, 3, 10, tzinfo=ZONE)
    starts = frame["start"]
    assert (starts.n_unique(), starts.is_sorted()) == (len(frame), True)
    assert len(frame) == whole.days * 96
    of_day = frame.group_by(frame["start_local"].dt.date()).len()
    counts = dict(of_day.iter_rows())
    assert counts.pop(dt.date(2025, 3, 30)) == 92
    assert counts.pop(dt.date(2025, 10, 26)) == 100
    assert {*counts.values()} == {96}


def test_meters_come_with_the_site_where_it_has_them(file: Path) -> None:
    """The roof has no share: where the site lacks a row, its own series may have one."""
    gap_at = int(dt.datetime(2025, 5, 5, 12, tzinfo=ZONE).timestamp())

    def with_a_gap(asked: Asked) -> Reply:
        gap = str(dt.datetime.fromtimestamp(gap_at, ZONE))
        return Reply([row for row in of_site(asked) if row["timestamp"] != gap])

    server = endless({SITE_DATA: with_a_gap})
    window = ("2025-04-01", "2025-07-01")
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *window, of="meters")
        asked = {meter: server.count(f"/meter_data/{SITE}/{meter}") for meter in NAMES}
        single = {meter: climkit.meter_data(SITE, meter, *window) for meter in (GRID, SUN)}

    assert (server.count(SITE_DATA), asked) == (3, {GRID: 3, ANNA: 0, BERT: 0, SUN: 1})
    frame = read(file)
    assert frame.columns[3:] == ["meter", "name", "total", "self", "ext"]
    for meter, series in single.items():
        found = frame.filter(pl.col("meter") == meter)
        expected = with_texts(series, ("total", "self", "ext"), meter=meter, name=NAMES[meter])
        assert_frame_equal(found, expected)
    anna = frame.filter(pl.col("meter") == ANNA)
    assert len(anna) == len(frame.filter(pl.col("meter") == SUN)) - 1
    assert anna["self"].sum() == 0.0
    assert anna["ext"].equals(anna["total"])
    assert {*frame.filter(pl.col("meter") == BERT)["name"]} == {"Bert, above the shop"}


def test_a_meter_has_no_rows_before_it_was_there(file: Path) -> None:
    """The site has its columns in part of a month alone."""
    path, first = f"/meter_data/{SITE}/{BERT}", "2025-05-05 12:00:00+02:00"

    def site(asked: Asked) -> Reply:
        rows = of_site(asked)
        later = [row for row in rows if str(row["timestamp"]) >= first]
        earlier = [{"conso_total": 0.1, "timestamp": row["timestamp"]} for row in rows]
        return Reply(earlier[: len(rows) - len(later)] + later)

    def bert(asked: Asked) -> Reply:
        return Reply([row for row in of_meter(BERT, asked) if str(row["timestamp"]) >= first])

    server = endless({SITE_DATA: site, path: bert})
    window = ("2025-05-01", "2025-07-01")
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *window, of="meters")
        asked = server.count(path)
        series = climkit.meter_data(SITE, BERT, *window)

    assert asked == 1
    found = read(file).filter(pl.col("meter") == BERT)
    texts = {"meter": BERT, "name": "Bert, above the shop"}
    assert_frame_equal(found, with_texts(series, ("total", "self", "ext"), **texts))


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_rule_meter_that_is_not_listed_as_one_is_left_out(file: Path, status: int) -> None:
    refused = f"/meter_data_raw/{SITE}/{BERT}"
    meters = [{"id": meter, "type": "electricity"} for meter in (BERT, ANNA)]
    readings = [{"en_im": 7.125, "timestamp": f"2025-0{month}-05T10:00:00Z"} for month in (5, 6)]
    server = endless(
        {
            METERS: Reply(meters),
            refused: Reply({"detail": "no readings"}, status),
            f"/meter_data_raw/{SITE}/{ANNA}": Reply(readings),
        }
    )
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        done = exported(climkit, file, "2025-05-01", "2025-07-01", of="readings")

    assert done.left_out == [f"{BERT}: POST {refused}: no readings"]
    assert server.count(refused) == 1
    frame = read(file)
    assert [*frame["meter"]] == [ANNA, ANNA]
    assert [*frame["en_im"]] == [7.125, 7.125]
    assert [*frame["en_ex"]] == [None, None]


def test_where_all_are_refused_there_is_no_file(file: Path) -> None:
    meters = [{"id": meter, "type": "electricity"} for meter in (BERT, ANNA)]
    with (
        endless({METERS: Reply(meters)}).running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
        pytest.raises(NotFound, match=f"meter_data_raw/{SITE}/{ANNA}"),
    ):
        exported(climkit, file, "2025-05-01", "2025-07-01", of="readings")

    assert [*file.parent.iterdir()] == []


@pytest.mark.parametrize("status", [403, 404, 422])
def test_where_the_site_is_refused_each_meter_is_asked(file: Path, status: int) -> None:
    server = endless({SITE_DATA: Reply({"detail": "no"}, status)})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        done = exported(climkit, file, "2025-05-01", "2025-07-01", of="meters")

    assert (done.rows, done.left_out) == (4 * 61 * 96, [])


def test_a_month_without_columns_tells_nothing_of_the_next(file: Path) -> None:
    """In May the site has those of a meter that is gone."""

    def in_june(asked: Asked) -> Reply:
        rows = of_site(asked)
        if asked.fields["t_e"] > "2025-06-03":
            return Reply(rows)
        return Reply(
            [{"conso_total": 0.1, "total_gone": 0.1, "timestamp": row["timestamp"]} for row in rows]
        )

    server = endless({SITE_DATA: in_june})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, "2025-05-01", "2025-07-01", of="meters")

    asked = {meter: server.count(f"/meter_data/{SITE}/{meter}") for meter in NAMES}
    assert asked == {GRID: 2, ANNA: 1, BERT: 1, SUN: 1}
    counts = dict(read(file).group_by("meter").len().iter_rows())
    assert counts == dict.fromkeys(NAMES, 61 * 96)


def test_a_quarter_hour_that_a_window_cuts_is_one_that_the_site_may_lack(file: Path) -> None:
    """It begins in the window, and so belongs to it."""
    cut = "2025-05-01 12:30:00+02:00"

    def without(asked: Asked) -> Reply:
        return Reply([row for row in of_site(asked) if row["timestamp"] != cut])

    window = ("2025-05-01T10:07:00+02:00", "2025-05-01T12:20:00+02:00")
    server = endless({SITE_DATA: without})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *window, of="meters")
        series = climkit.meter_data(SITE, SUN, *window)

    frame = read(file).filter(pl.col("meter") == SUN)
    texts = {"meter": SUN, "name": "Roof"}
    assert_frame_equal(frame, with_texts(series, ("total", "self", "ext"), **texts))
    assert len(frame) == 9


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  two  blanks ", "  two  blanks "),
        ("no\u00a0break", "no\u00a0break"),
        ("three\r\nlines\u2028long", "three lines long"),
        ('a "quoted", =1+2', 'a "quoted", =1+2'),
    ],
)
def test_names_stay_as_the_server_has_them_but_on_one_line(
    file: Path, name: str, kept: str
) -> None:
    meters = [{"id": ANNA, "type": "electricity", "mode": "consumption", "name": name}]
    server = endless({METERS: Reply(meters)})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, "2025-05-01", "2025-05-02", of="meters")

    assert {*read(file)["name"]} == {kept}


def test_of_servers_without_columns_each_meter_is_asked(file: Path) -> None:
    def without(asked: Asked) -> Reply:
        return Reply(
            [{"conso_total": 0.1, "timestamp": row["timestamp"]} for row in of_site(asked)]
        )

    server = endless({SITE_DATA: without})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, "2025-04-01", "2025-07-01", of="meters")

    assert [server.count(f"/meter_data/{SITE}/{meter}") for meter in NAMES] == [3, 3, 3, 3]
    counts = dict(read(file).group_by("meter").len().iter_rows())
    assert counts == dict.fromkeys(NAMES, 91 * 96)


@pytest.mark.parametrize("sampling", ["15T", "D"])
@pytest.mark.parametrize("meter_type", ["electricity", "charge_point", "heating", "cold_water"])
def test_meters_are_what_each_of_them_answers(
    climkit: Climkit, file: Path, meter_type: str, sampling: str
) -> None:
    window = ("2026-03-20", "2026-03-25")
    exported(
        climkit,
        file,
        *window,
        of="meters",
        site=building.SITE,
        meter_type=meter_type,
        sampling=sampling,
    )

    expected = [
        with_texts(
            climkit.meter_data(building.SITE, meter, *window, sampling),
            ("total", "self", "ext"),
            meter=meter.id,
            name=str(meter.name),
        )
        for meter in climkit.meters(building.SITE)
        if meter.type == meter_type
    ]
    assert_frame_equal(read(file), pl.concat(expected))
    assert sum(map(len, expected)) > 0


@pytest.mark.parametrize(
    ("meter_type", "registers"),
    [
        ("electricity", ["en_im", "en_ex"]),
        ("heating", ["heat_energy_kwh"]),
        ("cold_water", ["vol_m3"]),
    ],
)
def test_readings_are_those_of_each_meter(
    climkit: Climkit, file: Path, meter_type: str, registers: list[str]
) -> None:
    window = ("2026-03-20", "2026-04-02")
    done = exported(
        climkit, file, *window, of="readings", site=building.SITE, meter_type=meter_type
    )

    expected = [
        with_texts(
            climkit.meter_data_raw(building.SITE, meter, *window),
            registers,
            meter=meter.id,
            name=str(meter.name),
        )
        for meter in climkit.meters(building.SITE)
        if meter.type == meter_type and not meter.is_rule_meter
    ]
    assert_frame_equal(read(file), pl.concat(expected))
    assert done.rows == len(expected) * (building.QUARTERS + 1)
    rules = ["Difference: a rule meter has no readings"] if meter_type == "cold_water" else []
    assert done.left_out == rules


def test_sensors(climkit: Climkit, file: Path) -> None:
    window = ("2026-03-20", "2026-04-02")
    exported(climkit, file, *window, of="sensors", site=building.SITE)

    [sensor] = climkit.sensors(building.SITE)
    series = climkit.sensor_data(building.SITE, sensor, *window)
    whose = {"sensor": sensor.id, "name": "Stairwell", "unit": "°C"}
    assert len(series) == len(building.SENSOR_VALUES)
    assert_frame_equal(read(file), with_texts(series, ["value"], **whose))


def test_who_may_not_be_read_is_left_out_and_said(address: str, file: Path) -> None:
    with Climkit(address, "narrow", PASSWORD, requests_per_second=FAST) as climkit:
        done = exported(climkit, file, "2026-03-20", "2026-04-02", of="meters", site=building.SITE)

    assert [line.split(":")[0] for line in done.left_out] == ["Bert"]
    found = {*read(file)["name"]}
    assert found == {"Grid", "Anna", "PV roof", "Battery"}
