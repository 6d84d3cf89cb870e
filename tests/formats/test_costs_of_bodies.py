"""What bodies of nothing but faults cost: so many rows are named, the others counted."""

import pytest

from commonwatt.domain.metering.readings import NAMED_ROWS_MAX, ReadingRows, SensorRows
from commonwatt.formats.errors import Faults
from commonwatt.formats.readings.bodies import readings_from_body, sensor_values_from_body

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
ROWS = 3_000


def lines_of(row: bytes, head: bytes = b"") -> bytes:
    return head + b"\n".join(row.replace(b"#", b"%d" % number) for number in range(ROWS))


def array_of(row: bytes) -> bytes:
    rows = (row.replace(b"#", b"%d" % number) for number in range(ROWS))
    return b"[" + b",".join(rows) + b"]"


BODIES = [
    (array_of(b'{"timestamp#": 1}'), JSON),
    (array_of(b'{"meter": "m#", "timestamp": "t#", "en_im": "v#", "quality": "q#"}'), JSON),
    (array_of(b'{"meter": [#], "timestamp": "2026-13-#", "en_im": -#}'), JSON),
    (array_of(b"#"), JSON),
    (lines_of(b"{"), NDJSON),
    (lines_of(b"{NaN#"), NDJSON),
    (lines_of(b'{"timestamp#": 1}'), NDJSON),
    (lines_of(b"m#,t#,v#", b"meter,timestamp,en_im\n"), CSV),
    (lines_of(b'm#,"t', b"meter,timestamp,en_im\n"), CSV),
]


@pytest.mark.parametrize(("body", "content_type"), BODIES)
def test_of_many_faulty_rows_the_first_are_named(body: bytes, content_type: str) -> None:
    parsed: list[ReadingRows | SensorRows] = [readings_from_body(body, content_type)]
    if content_type != CSV:
        parsed.append(sensor_values_from_body(body, content_type))
    for rows in parsed:
        assert (rows.total, len(rows.rows), len(rows.rejected)) == (ROWS, 0, NAMED_ROWS_MAX)


def test_what_an_unknown_key_could_mean_is_looked_up_for_the_first_keys() -> None:
    rows = readings_from_body(array_of(b'{"timestamp#": 1}'), JSON)
    looked_up = [each.row for each in rows.rejected if "did you mean timestamp?" in each.reason]
    assert looked_up == list(range(1, 21))
    assert rows.rejected[20].reason == "unknown key 'timestamp20'"


def test_a_key_that_all_rows_have_is_looked_up_once_and_told_of_each() -> None:
    rows = readings_from_body(array_of(b'{"en_imp": #}'), JSON)
    reasons = {each.reason for each in rows.rejected}
    assert reasons == {"unknown key 'en_imp'; did you mean en_im?"}


def test_broken_lines_among_good_ones_are_told_from_them_however_many_there_are() -> None:
    good = b'{"type": "electricity", "prim_ad": 1, "timestamp": "2026-01-05", "en_im": 1}'
    rows = readings_from_body(lines_of(b"{") + b"\n" + good + b"\nNaN\n{", NDJSON)
    assert rows.rows.tolist() == [ROWS + 1]
    assert rows.total == ROWS + 3


def test_faults_of_a_column_are_kept_in_words_for_the_first() -> None:
    faults = Faults()
    for position in range(NAMED_ROWS_MAX + 5):
        faults.note(position, f"fault {position}")
    assert len(faults) == NAMED_ROWS_MAX + 5
    assert len(set(faults.values())) == NAMED_ROWS_MAX + 1
