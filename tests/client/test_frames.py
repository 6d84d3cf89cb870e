"""Series as frames of three libraries, and as files, on days with 23 and 25 hours."""

import csv
import datetime as dt
import importlib.util
import io
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.client import Series
from commonwatt.client.series.frames import _LINES_AT_ONCE, MissingLibrary, Table
from commonwatt.climkit_v1.words import SamplingFrequency

ZURICH = ZoneInfo("Europe/Zurich")
HOURS = {dt.date(2025, 10, 26): 25, dt.date(2026, 3, 29): 23, dt.date(2026, 7, 1): 24}
DAYS = pytest.mark.parametrize("day", HOURS, ids=str)


def midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), ZURICH).timestamp())


def series_of(day: dt.date) -> Series:
    """A local day of quarter-hours; the first value is missing."""
    asked = midnight(day), midnight(day + dt.timedelta(days=1))
    starts_at = list(range(*asked, 900))
    return Series(
        starts_at=starts_at,
        ends_at=[start_at + 900 for start_at in starts_at],
        columns={"total": [None, *(position / 1000 for position in range(1, len(starts_at)))]},
        unit="kWh",
        timezone="Europe/Zurich",
        sampling=SamplingFrequency.QUARTER_HOUR,
        asked=asked,
    )


def readings() -> Series:
    at = [midnight(dt.date(2026, 7, 1))]
    return Series(at, at, {"en_im": [1.5]}, "kWh", "Europe/Zurich", None, (at[0], at[0] + 1))


@DAYS
def test_a_polars_frame_bears_instants_of_both_zones(day: dt.date) -> None:
    series = series_of(day)

    frame = series.to_polars()

    assert frame.schema == {
        "start": pl.Datetime("us", "UTC"),
        "end": pl.Datetime("us", "UTC"),
        "start_local": pl.Datetime("us", "Europe/Zurich"),
        "total": pl.Float64,
    }
    assert frame.height == 4 * HOURS[day]
    assert frame["start"].dt.epoch("s").to_list() == series.starts_at
    assert frame["end"].dt.epoch("s").to_list() == series.ends_at
    assert frame["total"].to_list() == series["total"]
    assert set(frame["start_local"].dt.date()) == {day}
    assert [row.start.isoformat() for row in series] == [
        start.isoformat() for start in frame["start_local"]
    ]


@DAYS
def test_a_pandas_frame_is_the_same(day: dt.date) -> None:
    series = series_of(day)

    frame = series.to_pandas()

    assert list(frame.columns) == ["start", "end", "start_local", "total"]
    assert [str(kind) for kind in frame.dtypes] == [
        "datetime64[us, UTC]",
        "datetime64[us, UTC]",
        "datetime64[us, Europe/Zurich]",
        "float64",
    ]
    assert (frame["start"].astype("int64") // 10**6).tolist() == series.starts_at
    assert pd.isna(frame["total"][0])
    assert set(frame["start_local"].dt.date) == {day}


@DAYS
def test_an_arrow_table_is_the_same(day: dt.date) -> None:
    table = series_of(day).to_arrow()

    assert table.schema.types == [
        pa.timestamp("us", "UTC"),
        pa.timestamp("us", "UTC"),
        pa.timestamp("us", "Europe/Zurich"),
        pa.float64(),
    ]
    assert pl.DataFrame(pl.from_arrow(table)).equals(series_of(day).to_polars())


@DAYS
def test_a_parquet_file_is_the_same(tmp_path: Path, day: dt.date) -> None:
    series_of(day).to_parquet(tmp_path / "day.parquet")

    assert pl.read_parquet(tmp_path / "day.parquet").equals(series_of(day).to_polars())


@DAYS
def test_csv_is_the_same(tmp_path: Path, day: dt.date) -> None:
    series = series_of(day)
    series.to_csv(tmp_path / "day.csv")

    frame = pl.read_csv(tmp_path / "day.csv")

    assert series.to_csv() == (tmp_path / "day.csv").read_text()
    assert frame.columns == ["start", "end", "start_local", "total"]
    instants = [dt.datetime.fromisoformat(text).timestamp() for text in frame["start"]]
    walls = [dt.datetime.fromisoformat(text).timestamp() for text in frame["start_local"]]
    assert instants == walls == series.starts_at
    assert frame["total"].to_list() == series["total"]


texts = st.none() | st.sampled_from(["", "Flat 1", 'the "old" one', "a,b", "two\nlines", " x", "é"])
numbers = st.none() | st.integers(0, 9) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(texts, numbers, numbers), max_size=30))
def test_csv_is_written_as_pythons_writer_would(
    rows: list[tuple[str | None, float | None, float | None]],
) -> None:
    at = [900 * position for position in range(len(rows))]
    values = {"a": [row[1] for row in rows], "b": [row[2] for row in rows]}
    written = Table({"at": at}, "Etc/GMT-1", values, {"name": [row[0] for row in rows]}).csv_text()

    expected = io.StringIO()
    writer = csv.writer(expected, lineterminator="\n")
    writer.writerow(["at", "at_local", "name", "a", "b"])
    for instant, row in zip(at, rows, strict=True):
        in_utc = dt.datetime.fromtimestamp(instant, dt.UTC)
        local = in_utc.astimezone(ZoneInfo("Etc/GMT-1"))
        writer.writerow([f"{in_utc:%Y-%m-%dT%H:%M:%SZ}", local.isoformat(), *row])
    assert written == expected.getvalue()


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ('=HYPERLINK("http://evil.example";"Flat 1")', "'=HYPERLINK"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("Flat 1", "Flat 1"),
        ("-7.5", "-7.5"),
    ],
)
def test_a_name_is_no_formula_in_a_spreadsheet(name: str, cell: str) -> None:
    written = Table({"at": [0]}, "UTC", {"value": [-0.5]}, {"name": [name]}).csv_text()

    [_, row] = csv.reader(io.StringIO(written))
    assert row[2].startswith(cell)
    assert row[2].endswith(name)
    assert row[3] == "-0.5", "a number is one"


def test_csv_of_many_rows_has_all_of_them() -> None:
    count = 2 * _LINES_AT_ONCE + 1
    table = Table({"at": range(count)}, "UTC", {"value": [0.5] * count})

    assert table.csv_text().count("\n") == count + 1


def test_readings_are_instants() -> None:
    series = readings()

    assert series.to_polars().columns == ["at", "at_local", "en_im"]
    assert series.to_csv() == (
        "at,at_local,en_im\n2026-06-30T22:00:00Z,2026-07-01T00:00:00+02:00,1.5\n"
    )
    assert "1 readings" in repr(series)
    assert series.gaps() == []


@pytest.mark.parametrize("day", HOURS, ids=str)
def test_a_series_without_rows_has_its_columns_all_the_same(day: dt.date) -> None:
    whole = series_of(day)
    empty = Series([], [], {"total": []}, "kWh", whole.timezone, whole.sampling, whole.asked)

    assert empty.to_polars().schema == whole.to_polars().schema
    [gap] = empty.gaps()
    assert (gap.start.timestamp(), gap.end.timestamp()) == whole.asked


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_what_is_not_installed_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "commonwatt.client.series.frames.find_spec",
        lambda name: None if name == library else find(name),
    )
    ask = {"polars": Series.to_polars, "pandas": Series.to_pandas, "pyarrow": Series.to_arrow}

    with pytest.raises(MissingLibrary, match=f"pip install {library}"):
        ask[library](readings())


def test_parquet_needs_one_of_two_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"polars"}
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "commonwatt.client.series.frames.find_spec",
        lambda name: None if name in absent else find(name),
    )
    readings().to_parquet(tmp_path / "by_arrow.parquet")
    assert pl.read_parquet(tmp_path / "by_arrow.parquet")["en_im"].to_list() == [1.5]

    absent.add("pyarrow")
    with pytest.raises(MissingLibrary, match="pip install"):
        readings().to_parquet(tmp_path / "never.parquet")
