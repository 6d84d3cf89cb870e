"""Series and balance on our own surface: every column, every form, every sampling."""

import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import polars as pl
import pytest

from tests.api import building
from tests.api.building import ANNA, BERT, SITE, WATER
from tests.api.conftest import Clients, populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
SERIES = f"{OWN}/meters/{ANNA}/series"
BALANCE = f"{OWN}/balance"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def operator(data: Path) -> Iterator[httpx2.Client]:
    """Give an operator of a server with the building declared and nothing delivered."""
    application = application_of(data)
    populate(application.store)
    with (
        served(application) as address,
        client_of(address, token(address, "operator")) as operator,
    ):
        yield operator


class TestForms:
    """The same numbers in each form, to the watt-hour."""

    @pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html, */*;q=0.1"])
    def test_json_is_the_usual_one(self, client: Clients, accept: str | None) -> None:
        headers = {} if accept is None else {"Accept": accept}
        found = client("reader").get(SERIES, params=DAY, headers=headers)

        assert found.headers["content-type"] == "application/json"
        assert "Accept" in found.headers["vary"]
        assert len(found.json()) == 96

    def test_csv(self, client: Clients) -> None:
        found = client("reader").get(SERIES, params=DAY, headers={"Accept": "text/csv"})

        assert found.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(found.text, newline="")))
        as_json = client("reader").get(SERIES, params=DAY).json()
        assert [row["start"] for row in rows] == [row["start"] for row in as_json]
        assert rows[0] == {
            "start": "2026-03-21T00:00:00Z",
            "end": "2026-03-21T00:15:00Z",
            "start_local": "2026-03-21T01:00:00+01:00",
            "total": "0.040",
            "self": f"{as_json[0]['self']:.3f}",
            "ext": f"{as_json[0]['ext']:.3f}",
            "quality_total": "measured",
            "quality_self": "measured",
            "coverage": "1.000000",
            "estimated": "0.000000",
            "method": "index",
        }

    @pytest.mark.parametrize("accept", [ARROW, PARQUET])
    @pytest.mark.parametrize("path", [SERIES, BALANCE])
    def test_arrow_and_parquet(self, client: Clients, path: str, accept: str) -> None:
        found = client("reader").get(path, params=DAY, headers={"Accept": accept})

        assert found.headers["content-type"] == accept
        read = pl.read_ipc_stream if accept == ARROW else pl.read_parquet
        frame = read(io.BytesIO(found.content))
        assert frame.schema["start"] == pl.Datetime("us", "UTC")
        assert frame.schema["start_local"] == pl.Datetime("us", building.ZONE)
        amount = "total" if path == SERIES else "conso_total"
        assert frame.schema[amount] == pl.Decimal(18, 3)
        as_json = client("reader").get(path, params=DAY).json()
        assert list(frame.columns) == list(as_json[0])
        assert [text_of(row) for row in frame.iter_rows(named=True)] == as_json

    def test_what_is_not_there_is_refused_after_who_asks(self, client: Clients) -> None:
        wanted = {"Accept": "application/xml, text/csv;q=0"}
        problem = client("reader").get(SERIES, params=DAY, headers=wanted)
        assert problem.status_code == 406
        assert problem.json()["type"] == "urn:commonwatt:problem:not-acceptable"
        assert ARROW in problem.json()["detail"]
        assert client("nobody").get(SERIES, headers=wanted).status_code == 404

    @pytest.mark.parametrize(
        ("accept", "is_packed"),
        [("application/json", True), ("text/csv", True), (ARROW, True), (PARQUET, False)],
    )
    def test_packed_where_it_helps(self, client: Clients, accept: str, is_packed: bool) -> None:
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        with client("reader").stream("GET", SERIES, params=DAY, headers=headers) as packed:
            assert (packed.headers.get("content-encoding") == "gzip") is is_packed
            raw = b"".join(packed.iter_raw())
        headers["Accept-Encoding"] = "identity"
        plain = client("reader").get(SERIES, params=DAY, headers=headers).content
        assert (gzip.decompress(raw) if is_packed else raw) == plain

    @pytest.mark.parametrize("packing", ["gzip", "identity"])
    @pytest.mark.parametrize("accept", ["application/json", "text/csv"])
    def test_long_answers_come_in_parts(
        self, operator: httpx2.Client, accept: str, packing: str
    ) -> None:
        first = {"meter": ANNA, "timestamp": "2025-01-01", "en_im": 0}
        last = {"meter": ANNA, "timestamp": "2025-12-27", "en_im": 345.6}
        assert operator.put(f"{OWN}/readings", json=[first, last]).json()["accepted"] == 2
        headers = {"Accept": accept, "Accept-Encoding": packing}
        year = {"start": "2025-01-01", "end": "2025-12-27"}
        found = operator.get(SERIES, params=year, headers=headers)

        assert found.headers.get("transfer-encoding") == "chunked"
        if accept == "text/csv":
            texts = [row["total"] for row in csv.DictReader(io.StringIO(found.text, newline=""))]
        else:
            texts = [f"{row['total']:.3f}" for row in found.json()]
        assert len(texts) == 360 * 96
        assert sum(map(Decimal, texts)) == Decimal("345.600")


def text_of(row: dict[str, object]) -> dict[str, object]:
    """A row of a data frame as JSON has it."""
    shown: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dt.datetime):
            shown[name] = value.isoformat().replace("+00:00", "Z")
        else:
            shown[name] = float(value) if isinstance(value, Decimal) else value
    return shown


class TestCompleteness:
    """Coverage, the estimated share and the methods, told by hand."""

    def test_a_day_with_a_gap_an_estimate_and_a_missing_end(self, operator: httpx2.Client) -> None:
        # 6 hours quarter by quarter, 3 kWh over 3 hours without readings, then nothing more.
        rows = [
            {"meter": ANNA, "timestamp": f"2026-03-21T{hour:02}:{minute:02}", "en_im": hour * 4}
            for hour in range(7)
            for minute in (0, 15, 30, 45)
            if (hour, minute) <= (6, 0)
        ]
        rows.append({"meter": ANNA, "timestamp": "2026-03-21T09:00", "en_im": 27})
        operator.put(f"{OWN}/readings", json=rows)
        asked = {"start": "2026-03-20T23:00Z", "end": "2026-03-21T23:00Z", "sampling": "D"}
        (day,) = operator.get(SERIES, params=asked).json()

        assert day["start_local"] == "2026-03-21T00:00:00+01:00"
        assert day["end"] == "2026-03-21T23:00:00Z"
        assert day["total"] == 27.0
        # Alive from 00:00 UTC on: 92 quarter-hours until local midnight, 36 of them known.
        assert day["coverage"] == 0.391304
        # 3 of 27 kWh, rounded up.
        assert day["estimated"] == 0.111112
        assert day["quality_total"] == "missing"
        assert day["method"] == "index+linear"

    def test_without_energy_the_estimated_quarters_count(self, operator: httpx2.Client) -> None:
        rows = [
            {"meter": ANNA, "timestamp": f"2026-03-21T{time}", "en_im": 5}
            for time in ("00:00", "00:30", "01:00", "04:00")
        ]
        operator.put(f"{OWN}/readings", json=rows)
        asked = {"start": "2026-03-21T00:00Z", "end": "2026-03-21T04:00Z", "sampling": "D"}
        (day,) = operator.get(SERIES, params=asked).json()

        assert (day["total"], day["coverage"], day["estimated"]) == (0.0, 1.0, 0.75)

    @pytest.mark.parametrize(
        ("sampling", "ends"),
        [
            ("H", ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]),
            ("D", ["2026-03-29T22:00:00Z"]),
            ("M", ["2026-03-31T22:00:00Z"]),
            ("Y", ["2026-12-31T23:00:00Z"]),
        ],
    )
    def test_periods_end_where_the_next_begins(
        self, operator: httpx2.Client, sampling: str, ends: list[str]
    ) -> None:
        rows = [
            {"meter": ANNA, "timestamp": "2026-03-29T00:00", "en_im": 0},
            {"meter": ANNA, "timestamp": "2026-03-29T02:00", "en_im": 2},
        ]
        operator.put(f"{OWN}/readings", json=rows)
        asked = {"start": "2026-03-29T00:00Z", "end": "2026-03-29T02:00Z", "sampling": sampling}
        found = operator.get(SERIES, params=asked).json()

        assert [row["end"] for row in found] == ends


class TestBalance:
    def test_the_books_close(self, client: Clients) -> None:
        rows = client("reader").get(BALANCE, params=DAY).json()

        assert len(rows) == 96
        assert rows[0] == {
            "start": "2026-03-21T00:00:00Z",
            "end": "2026-03-21T00:15:00Z",
            "start_local": "2026-03-21T01:00:00+01:00",
            "conso_total": 0.09,
            "prod_total": 0.058,
            "from_ext": 0.045,
            "self": 0.048,
            "to_ext": 0.01,
            "storage_charging_self": 0.0,
            "storage_charging_total": 0.005,
            "storage_discharging_total": 0.002,
            "unallocated": 0.0,
            "unmetered": 0.0,
            "coverage": 1.0,
            "estimated": 0.0,
            "quality": "measured",
        }

    def test_it_is_what_the_published_surface_answers(self, client: Clients) -> None:
        reader = client("reader")
        asked = {"t_s": "2026-03-21", "t_e": "2026-03-22"}
        published = reader.post(f"/api/v1/site_data/{SITE}/electricity", json=asked).json()
        found = reader.get(BALANCE, params=DAY).json()

        names = [name for name in published[0] if name != "timestamp"]
        assert [{name: row[name] for name in names} for row in found] == [
            {name: row[name] for name in names} for row in published
        ]

    def test_other_types_have_a_consumption_alone(self, client: Clients) -> None:
        asked = DAY | {"type": "cold_water", "sampling": "D"}
        rows = client("reader").get(BALANCE, params=asked).json()

        # The difference of the building is the water once more.
        assert rows[0]["conso_total"] == 0.007 * 2 * 92
        assert {rows[0][name] for name in ("self", "prod_total", "unallocated")} == {None}
        assert client("reader").get(BALANCE, params=DAY | {"type": "hot_water"}).json() == []
        assert client("reader").get(BALANCE, params=DAY | {"type": "steam"}).status_code == 422

    def test_a_quarter_without_a_member_is_null_and_says_missing(
        self, operator: httpx2.Client
    ) -> None:
        rows = [
            row
            for row in building.readings()
            if row["meter"] != BERT or str(row["timestamp"]) <= "2026-03-21T12:00:00"
        ]
        operator.put(f"{OWN}/readings", json=rows)
        found = operator.get(BALANCE, params=DAY).json()

        assert found[47]["quality"] == "measured"
        assert found[48]["quality"] == "missing"
        assert (found[48]["conso_total"], found[48]["unmetered"]) == (None, None)
        assert (found[48]["coverage"], found[48]["estimated"]) == (0.0, None)
        month = operator.get(BALANCE, params=DAY | {"sampling": "M"}).json()
        assert month[0]["coverage"] == 0.5

    def test_history_and_closed_meters_hold(self, client: Clients) -> None:
        late = client("late").get(BALANCE, params=DAY | {"end": "2026-03-23"}).json()
        assert late[0]["start"] == "2026-03-21T23:00:00Z"
        assert client("recent").get(BALANCE, params=DAY).json() == []
        closed = f"{OWN}/meters/{BERT}/series"
        assert client("narrow").get(closed, params=DAY).status_code == 403
        assert client("gateway").get(BALANCE, params=DAY).status_code == 403
        assert client("reader").get(f"{OWN}/meters/{WATER}/series", params=DAY).status_code == 200


class TestSwitchDays:
    """Instants in UTC and in the site's zone, in every form, where the clock leaps and repeats."""

    @pytest.mark.parametrize(
        ("day", "quarters", "locals_"),
        [
            ("2025-03-30", 92, ["01:45:00+01:00", "03:00:00+02:00"]),
            ("2025-10-26", 100, ["02:45:00+02:00", "02:00:00+01:00"]),
        ],
        ids=["spring", "autumn"],
    )
    @pytest.mark.parametrize("path", [SERIES, BALANCE])
    def test_each_form_tells_the_same(
        self,
        operator: httpx2.Client,
        path: str,
        day: str,
        quarters: int,
        locals_: list[str],
    ) -> None:
        midnight = dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(building.ZONE))
        start = midnight.astimezone(dt.UTC)
        rows = [
            {
                "meter": ANNA,
                "timestamp": (start + dt.timedelta(minutes=15 * count)).isoformat(),
                "en_im": count / 100,
            }
            for count in range(quarters + 1)
        ]
        operator.put(f"{OWN}/readings", json=rows)
        end = start + dt.timedelta(minutes=15 * quarters)
        asked = {"start": start.isoformat(), "end": end.isoformat()}
        found = operator.get(path, params=asked).json()

        assert len(found) == quarters
        stamps = [row["start_local"] for row in found]
        # The clock is changed at 01:00 UTC, the 8th or 12th quarter-hour of the local day.
        at = stamps.index(f"{day}T{locals_[0]}")
        assert stamps[at + 1] == f"{day}T{locals_[1]}"
        assert found[at]["end"] == found[at + 1]["start"] == f"{day}T01:00:00Z"
        for sampling in ("15T", "H", "D", "M"):
            sampled = asked | {"sampling": sampling}
            in_json = operator.get(path, params=sampled).json()
            texts = operator.get(path, params=sampled, headers={"Accept": "text/csv"}).text
            in_csv = list(csv.DictReader(io.StringIO(texts, newline="")))
            for name in ("start", "end", "start_local"):
                assert [row[name] for row in in_csv] == [row[name] for row in in_json]
            for accept, read in ((ARROW, pl.read_ipc_stream), (PARQUET, pl.read_parquet)):
                answer = operator.get(path, params=sampled, headers={"Accept": accept})
                frame = read(io.BytesIO(answer.content))
                assert [text_of(row) for row in frame.iter_rows(named=True)] == in_json
        (whole,) = operator.get(path, params=asked | {"sampling": "D"}).json()
        amount = "total" if path == SERIES else "conso_total"
        assert (whole[amount], whole["coverage"]) == (quarters / 100, 1.0)
        assert whole["end"] == end.isoformat().replace("+00:00", "Z")
        hours = operator.get(path, params=asked | {"sampling": "H"}).json()
        assert len(hours) == quarters // 4
