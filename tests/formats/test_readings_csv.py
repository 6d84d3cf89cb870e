"""CSV files and bodies: Climkit's own form, broken rows, quotes, gzip, zones."""

import gzip
import io
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.readings import NOT_ISSUED, MeterName, ReadingQuality, ReadingRows
from commonwatt.formats.errors import UnreadableBody
from commonwatt.formats.readings.bodies import readings_from_body, sensor_values_from_body
from commonwatt.formats.readings.csv import readings_from_csv, sensor_values_from_csv

METER = "61dfcb4beba4e3563fdf3d9f"
OWN = MeterName(id=METER)


def read(text: str | bytes, zone: str | None = None) -> ReadingRows:
    data = text.encode() if isinstance(text, str) else text
    [rows] = readings_from_csv(io.BytesIO(data), meter=OWN, zone=zone)
    return rows


def test_dates_and_stamps_in_any_column_order() -> None:
    rows = read("en_ex,timestamp,en_im\n0.5,2026-01-05,1234.567\n,2026-01-05 10:15:03+01:00,7\n")
    assert rows.stamps.tolist() == [1_767_571_200, 1_767_604_503]
    assert rows.values[Register.EN_IM].tolist() == [1_234_567_000, 7_000_000]
    assert rows.values[Register.EN_EX].tolist() == [500_000, -1]
    assert rows.meters == [OWN]
    assert rows.meter_codes.tolist() == [0, 0]
    assert rows.rows.tolist() == [1, 2]


@pytest.mark.parametrize("register", [Register.HEAT_ENERGY_KWH, Register.VOL_M3])
def test_heat_and_water(register: Register) -> None:
    assert read(f"timestamp,{register}\n2026-01-05,1.5").values[register].tolist() == [1_500_000]


def test_optional_columns() -> None:
    text = "timestamp,en_im,quality,issued_at,serial\n2026-01-05,1,estimated,2026-01-06,A1\n"
    rows = read(text + "2026-01-06,1,,,\n")
    assert rows.qualities.tolist() == [ReadingQuality.ESTIMATED, ReadingQuality.MEASURED]
    assert rows.issued_at.tolist() == [1_767_657_600_000_000, NOT_ISSUED]
    assert rows.serials == ["A1"]
    assert rows.serial_codes is not None
    assert rows.serial_codes.tolist() == [0, -1]


def test_rows_say_that_they_replace_or_the_file_does() -> None:
    text = "timestamp,en_im,replaces\n2026-01-05,1,TRUE\n2026-01-06,1,false\n2026-01-07,1,\n"
    rows = read(text + "2026-01-08,1,yes\n")
    assert rows.replaces is not None
    assert rows.replaces.tolist() == [True, False, False]
    assert [each.reason for each in rows.rejected] == ["replaces: 'yes' is not true or false"]
    [rows] = readings_from_csv(io.BytesIO(text.encode()), meter=OWN, replaces=True)
    assert rows.replaces is not None
    assert rows.replaces.tolist() == [True, False, True]
    assert read("timestamp,en_im\n2026-01-05,1\n").replaces is None


def test_each_broken_row_is_named_and_the_others_stay() -> None:
    lines = [
        "timestamp,en_im,en_ex",
        "2026-01-05,1,2",
        "2026-01-06,1",
        "",
        "2026-01-07,1,2,3",
        '"2026-01-08,1,2',
        '2026-01-09,"1"x,2',
        "2026-02-30,1,2",
        "2026-01-10,,",
        "2026-01-11,1.2.3,",
        ",1,2",
        '"2026-01-12","3","4"',
    ]
    rows = read("\r\n".join(lines))
    assert rows.rows.tolist() == [1, 10]
    assert [(bad.row, bad.reason.partition(";")[0]) for bad in rows.rejected] == [
        (2, "has 2 cells where the header has 3"),
        (3, "has 4 cells where the header has 3"),
        (4, "'\"2026-01-08,1,2' has a quote that does not end"),
        (5, "'2026-01-09,\"1\"x,2' has a quote that does not end"),
        (6, "timestamp: '2026-02-30' does not exist (day is out of range for month)"),
        (7, "has no value"),
        (8, "en_im: '1.2.3' is not a number"),
        (9, "timestamp: is missing"),
    ]
    assert rows.total == 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty; the first line must name columns: timestamp, en_im"),
        ("\n \n", "empty"),
        ("timestamp;en_im\n", "columns are separated by commas"),
        ("timestamp,en_imp\n", "unknown key 'en_imp'; did you mean en_im?"),
        ("timestamp,en_im,en_im\n", "names en_im twice"),
        ("en_im\n", "has no timestamp"),
        ("timestamp,quality\n", "has no column of values: en_im, en_ex"),
        ("meter,timestamp,en_im\n", "unknown key 'meter'"),
        ("2026-01-05,1.5\n", "the header has an unknown key '2026-01-05'"),
    ],
)
def test_a_header_that_cannot_be_says_why(text: str, says: str) -> None:
    with pytest.raises(UnreadableBody) as raised:
        read(text.encode("latin-1"))
    assert says in str(raised.value)
    assert raised.value.line == 1


def test_gzip_is_known_by_its_first_bytes_and_bom_is_dropped() -> None:
    text = "\ufefftimestamp,en_im\n2026-01-05,1\n".encode()
    assert read(gzip.compress(text)).total == 1
    with pytest.raises(UnreadableBody, match="broken or cut short"):
        read(gzip.compress(text)[:-5])


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(UnreadableBody, match="line 2: longer than 65536 bytes"):
        list(readings_from_csv(io.BytesIO(b"timestamp,en_im\n" + b"1" * 70_000), meter=OWN))


def test_wall_times_of_a_zone() -> None:
    text = "timestamp,en_im\n2026-07-01 12:00,1\n2026-10-25 02:30,2\n2026-03-29 02:30,3\n"
    text += "2026-10-25 02:30+02:00,4\n2026-10-25,5\n"
    rows = read(text, "Europe/Zurich")
    assert rows.rows.tolist() == [1, 4, 5]
    assert rows.stamps.tolist() == [1_782_900_000, 1_792_888_200, 1_792_879_200]
    assert [bad.reason[:54] for bad in rows.rejected] == [
        "timestamp: 2026-10-25 02:30:00 happens twice in Europe",
        "timestamp: 2026-03-29 02:30:00 does not happen in Euro",
    ]


@given(st.integers(1, 7), st.integers(0, 30), st.booleans())
def test_chunks_say_the_same_as_the_whole(chunk_rows: int, count: int, packed: bool) -> None:
    lines = ["timestamp,en_im"]
    first = datetime(2026, 1, 5, tzinfo=UTC)
    for number in range(count):
        stamp = first + timedelta(minutes=15 * number)
        lines.append(f"{stamp:%Y-%m-%dT%H:%M:%SZ},{'x' if number % 5 == 4 else number}")
    data = "\n".join(lines).encode()
    stream = io.BytesIO(gzip.compress(data) if packed else data)
    chunks = list(readings_from_csv(stream, meter=OWN, chunk_rows=chunk_rows))
    assert all(chunk.total <= chunk_rows for chunk in chunks)
    rows = [number for chunk in chunks for number in chunk.rows.tolist()]
    assert rows == [number + 1 for number in range(count) if number % 5 != 4]
    values = [value for chunk in chunks for value in chunk.values[Register.EN_IM].tolist()]
    assert values == [1_000_000 * (row - 1) for row in rows]
    rejected = [bad.row for chunk in chunks for bad in chunk.rejected]
    assert rejected == [number + 1 for number in range(count) if number % 5 == 4]
    assert sum(chunk.total for chunk in chunks) == count


@pytest.mark.parametrize("chunk_rows", [12, 13, 14, 15, 16, 17, 18, 30])
def test_no_chunk_ends_within_an_hour_of_a_clock_change(chunk_rows: int) -> None:
    first = datetime(2024, 10, 26, 22, tzinfo=UTC)
    stamps = [first + timedelta(minutes=15 * number) for number in range(60)]
    shown = [each.astimezone(ZoneInfo("Europe/Zurich")).replace(tzinfo=None) for each in stamps]
    lines = ["timestamp,en_im", *(f"{each.isoformat()},1" for each in shown)]
    data = io.BytesIO("\n".join(lines).encode())
    chunks = [*readings_from_csv(data, meter=OWN, zone="Europe/Zurich", chunk_rows=chunk_rows)]
    assert all(chunk.total <= chunk_rows for chunk in chunks)
    found = [at for chunk in chunks for at in chunk.stamps.tolist()]
    assert found == [int(each.timestamp()) for each in stamps]


def test_pieces_of_a_file_keep_their_meters_serials_and_registers() -> None:
    """A file of some megabytes is read in pieces, which are joined to one delivery."""
    padding = "x" * 40_000
    lines = [f"timestamp,en_im,en_ex,serial,replaces,{'meter'}"]
    for number in range(60):
        serial = f"Z{number // 20}" if number % 2 else ""
        stamp = f"2026-01-05 00:{number:02}:00{'.5' if number > 50 else ''}"
        cells = (stamp, number if number % 3 else "", 7, serial, "true" if number == 59 else "")
        lines.append(",".join(map(str, (*cells, f"{number // 30:024x}"))))
        lines.append(f"{padding},1,1,,,{0:024x}")
    [rows] = readings_from_csv(io.BytesIO("\n".join(lines).encode()))
    assert (rows.total, len(rows.rows), len(rows.rejected)) == (120, 60, 60)
    assert rows.rows.tolist() == list(range(1, 121, 2))
    assert rows.values[Register.EN_IM].tolist() == [
        number * 1_000_000 if number % 3 else -1 for number in range(60)
    ]
    assert [rows.meters[code].id for code in rows.meter_codes.tolist()] == [
        f"{number // 30:024x}" for number in range(60)
    ]
    assert rows.serial_codes is not None
    assert rows.fractions_us is not None
    assert rows.replaces is not None
    assert [rows.serials[code] if code >= 0 else "" for code in rows.serial_codes.tolist()] == [
        f"Z{number // 20}" if number % 2 else "" for number in range(60)
    ]
    assert rows.fractions_us.tolist() == [0] * 51 + [500_000] * 9
    assert rows.replaces.tolist() == [False] * 59 + [True]


def test_a_body_names_meters_by_id_or_by_type_and_address() -> None:
    text = "meter,type,prim_ad,timestamp,en_im,vol_m3\n"
    text += f"{METER},,,2026-01-05,1,\n,cold_water,31,2026-01-05,,2\n,cold_water,x,2026-01-05,,2\n"
    rows = readings_from_body(text.encode(), "text/csv; charset=utf-8")
    assert rows.meters == [OWN, MeterName(type="cold_water", prim_ad=31)]
    assert rows.meter_codes.tolist() == [0, 1]
    assert rows.rejected[0].reason == "prim_ad: 'x' is not a whole number"


def test_sensor_values() -> None:
    text = b"timestamp,value\n2026-01-05,-4.25\n2026-01-05,\n2026-01-05,1e999\n2026-01-05,2e1\n"
    [values] = sensor_values_from_csv(io.BytesIO(text), sensor=METER)
    assert values.sensors == [METER]
    assert values.values.tolist() == [-4.25, 20.0]
    assert [bad.row for bad in values.rejected] == [2, 3]
    body = f"sensor,timestamp,value\n{METER},2026-01-05,1\nx,2026-01-05,1\n".encode()
    assert sensor_values_from_body(body, "text/csv").rejected[0].row == 2


@given(st.binary(max_size=80) | st.text('",\n\r 1.x', max_size=60).map(str.encode))
def test_every_row_of_any_body_is_accounted_for(rest: bytes) -> None:
    with suppress(UnreadableBody):
        for start in (b"", b"timestamp,en_im\n"):
            for rows in readings_from_csv(
                io.BytesIO(start + rest), meter=OWN, zone="Europe/Zurich"
            ):
                numbers = [*rows.rows.tolist(), *(bad.row for bad in rows.rejected)]
                assert sorted(numbers) == list(range(1, rows.total + 1))


TEXT = "timestamp,en_im,serial\n2026-01-05,1,Zähler\n2026-01-06,2,\n"
XLSX = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (TEXT.encode("utf-16"), "the text is UTF-16, as Excel's 'Unicode Text' is; save it as"),
        (TEXT.encode("utf-16-be"), "the text is UTF-16"),
        (XLSX, r"a workbook \(.xlsx or .ods\), not CSV; save the sheet as CSV UTF-8"),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00jan.csv", "a zip archive, not CSV; unpack it"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504), r"an Excel workbook \(.xls\), not CSV"),
        (
            "timestamp,en_im,zähler\n".encode("cp1252"),
            r"the header: byte 0xe4 \(ä in Windows-1252\)",
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_csv_in_utf_8_is_named(data: bytes, says: str, packed: bool) -> None:
    with pytest.raises(UnreadableBody, match=says):
        read(gzip.compress(data) if packed else data)
    with pytest.raises(UnreadableBody, match=says):
        readings_from_body(data, "text/csv")


def test_rows_that_are_not_utf_8_are_named_and_the_others_stay() -> None:
    rows = read(TEXT.encode("cp1252"))
    assert rows.rows.tolist() == [2]
    assert rows.rejected[0].reason == (
        "byte 0xe4 (ä in Windows-1252) is not UTF-8; save the file as UTF-8, or convert it: "
        "iconv -f WINDOWS-1252 -t UTF-8"
    )
    assert read(TEXT).serials == ["Zähler"]


def test_a_file_is_read_in_pieces_that_need_no_room_of_its_length() -> None:
    """Half a million rows as text took 350 MiB: only their columns are kept."""
    lines = ["timestamp,en_im"]
    first = datetime(2014, 1, 1, tzinfo=UTC)
    for number in range(100_000):
        stamp = first + timedelta(minutes=15 * number)
        lines.append(f"{stamp:%Y-%m-%dT%H:%M:%SZ},{number}")
    data = "\n".join(lines).encode()
    tracemalloc.start()
    [rows] = readings_from_csv(io.BytesIO(data), meter=OWN, chunk_rows=500_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows.rows) == 100_000
    assert peak < 400 * len(rows.rows)
