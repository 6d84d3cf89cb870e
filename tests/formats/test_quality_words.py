"""Senders' own words for the quality of a reading."""

import csv
import gzip
import io
import re
from collections import Counter
from pathlib import Path

import pytest

from commonwatt.domain.metering.readings import MeterName, ReadingQuality
from commonwatt.formats.readings.csv import readings_from_csv
from commonwatt.formats.readings.quality_words import QUALITY_WORDS, quality_of

MEASURED, ESTIMATED, PLACEHOLDER = (
    ReadingQuality.MEASURED,
    ReadingQuality.ESTIMATED,
    ReadingQuality.PLACEHOLDER,
)
METER = MeterName(type="electricity", prim_ad=11)


def test_no_word_says_two_things() -> None:
    words = [each.word.casefold() for each in QUALITY_WORDS]

    assert len(words) == len(set(words))


def test_rows_keep_their_word_and_the_others_have_that_of_the_delivery() -> None:
    text = "timestamp,en_im,quality\n2026-01-05,1,GESCHAT\n2026-01-06,0,\n2026-01-07,3,Real\n"

    [rows] = readings_from_csv(io.BytesIO(text.encode()), meter=METER, quality=PLACEHOLDER)

    assert rows.qualities.tolist() == [ESTIMATED, PLACEHOLDER, MEASURED]


def test_without_a_column_all_rows_have_that_of_the_delivery() -> None:
    file = io.BytesIO(b"timestamp,en_im\n2026-01-05,1\n2026-01-06,2\n")

    [rows] = readings_from_csv(file, meter=METER, quality=ESTIMATED)

    assert rows.qualities.tolist() == [ESTIMATED, ESTIMATED]


def test_an_unknown_word_rejects_its_row_and_names_the_known() -> None:
    file = io.BytesIO(b"timestamp,en_im,quality\n2026-01-05,1,perhaps\n2026-01-06,2,Real\n")

    [rows] = readings_from_csv(file, meter=METER)

    assert [each.row for each in rows.rejected] == [1]
    assert "quality: 'perhaps' is none of measured, estimated" in rows.rejected[0].reason
    assert "Geschat" in rows.rejected[0].reason
    assert rows.rows.tolist() == [2]


@pytest.mark.parametrize(
    ("file", "delimiter", "column", "counts"),
    [
        (
            "fluvius_be_15min/fluvius_2021-10-12_2021-10-31_15min.csv.gz",
            ";",
            "Validatiestatus",
            {PLACEHOLDER: 2_566, MEASURED: 928, ESTIMATED: 354},
        ),
        (
            "fluvius_be_15min/fluvius_2023-10-22_2023-12-31_15min.csv.gz",
            ";",
            "Validation status",
            {MEASURED: 13_638, PLACEHOLDER: 2},
        ),
        (
            "eredes_pt_15min/eredes_2024-09_2025-09_15min_kw.csv.gz",
            ",",
            "estado",
            {MEASURED: 34_763, ESTIMATED: 277},
        ),
    ],
)
def test_every_word_of_real_senders_is_known(
    shared_data: Path, file: str, delimiter: str, column: str, counts: dict[ReadingQuality, int]
) -> None:
    with gzip.open(shared_data / file, "rt", encoding="utf-8-sig", newline="") as lines:
        found = Counter(quality_of(r[column]) for r in csv.DictReader(lines, delimiter=delimiter))

    assert found == counts


@pytest.mark.parametrize(
    ("file", "word", "counts"),
    [
        (
            "energinet_json/MyEnergyDataMarketDocumentResponseListApiResponse.json",
            r'quality": "(\w+)"',
            {MEASURED: 96},
        ),
        (
            "fluvius_api_json/electricity_data_headpoints_measurement_quarter_hourly.json",
            r'validationState": "(\w+)"',
            {ESTIMATED: 2, MEASURED: 1},
        ),
        (
            "datadis_json/consumptionKWh.json",
            r'obtainMethod": "(\w+)"',
            {ESTIMATED: 1, MEASURED: 1},
        ),
        (
            "eda_at_xml/xsd/consumptionrecord/_01p41/consumptionrecord_quater-hourly.xml",
            r"<ns0:MM>(\w+)<",
            {MEASURED: 96},
        ),
        ("mscons/MSCONS_TL_SAMPLE01.txt.gz", r"QTY\+(\d+):", {MEASURED: 2_976}),
        # V, in the two lines that are left out: the flags of each interval follow.
        (
            "nem12/real_5min_redacted_2023-10_2024-02.csv.gz",
            r"(?m)^300,.*,([A-Z])(?<!V)(?:,[^,]*){4}$",
            {MEASURED: 210},
        ),
    ],
)
def test_every_word_in_a_message_of_a_sender_is_known(
    shared_data: Path, file: str, word: str, counts: dict[ReadingQuality, int]
) -> None:
    path = shared_data / "formats" / file
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    found = Counter(quality_of(each) for each in re.findall(word, raw.decode().replace("\r", "")))

    assert found == counts


@pytest.mark.parametrize("word", ["V", "0", "1", "10", "questionable", "mixed"])
def test_what_says_nothing_of_a_reading_or_different_things_is_not_known(word: str) -> None:
    assert quality_of(word) is None
