"""Readings in, and what explains the answers."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from commonwatt.bootstrap import Application
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id
from tests.api import building
from tests.api.building import ANNA, BERT, SITE
from tests.api.conftest import Clients, deliver, populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}
NDJSON = f"""\
{{"type": "electricity", "prim_ad": 11, "timestamp": "2026-03-21", "en_im": 1}}
{{"meter": "{BERT}", "timestamp": "2026-03-21T01:00:00+01:00", "en_im": 1}}
{{
"""


@pytest.fixture
def own_application(data: Path) -> Application:
    """Give an application with the building declared and nothing delivered."""
    application = application_of(data)
    populate(application.store)
    return application


@pytest.fixture
def operator(own_application: Application) -> Iterator[httpx2.Client]:
    """Give an operator of a server of the test's own."""
    with (
        served(own_application) as address,
        client_of(address, token(address, "operator")) as operator,
    ):
        yield operator


class TestSeries:
    def test_rows(self, client: Clients) -> None:
        rows = client("operator").get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()

        assert len(rows) == 96
        assert rows[0]["start"] == "2026-03-21T00:00:00Z"
        assert list(rows[0]) == [
            *("start", "end", "start_local", "total", "self", "ext"),
            *("quality_total", "quality_self", "coverage", "estimated", "method"),
        ]
        # 48 Wh among 40, 20 and 30: 21.33 of them are Anna's, to the Wh.
        assert {row["total"] for row in rows} == {0.04}
        assert {row["self"] for row in rows} == {0.021, 0.022}
        assert all(round(row["self"] + row["ext"], 3) == 0.04 for row in rows)
        assert {row["quality_total"] for row in rows} == {"measured"}
        assert {row["quality_self"] for row in rows} == {"measured"}

    def test_of_what_is_no_consumer(self, client: Clients) -> None:
        rows = client("operator").get(f"{OWN}/meters/{building.WATER}/series", params=DAY).json()

        assert rows[0] == {
            "start": "2026-03-21T00:00:00Z",
            "end": "2026-03-21T00:15:00Z",
            "start_local": "2026-03-21T01:00:00+01:00",
            "total": 0.007,
            "self": None,
            "ext": None,
            "quality_total": "measured",
            "quality_self": None,
            "coverage": 1.0,
            "estimated": 0.0,
            "method": "index",
        }

    @pytest.mark.parametrize(
        ("sampling", "starts", "total"),
        [
            ("D", ["2026-03-20T23:00:00Z", "2026-03-21T23:00:00Z"], 3.68),
            ("M", ["2026-02-28T23:00:00Z"], 3.84),
        ],
    )
    def test_local_periods_start_in_utc(
        self, client: Clients, sampling: str, starts: list[str], total: float
    ) -> None:
        path = f"{OWN}/meters/{ANNA}/series"
        rows = client("operator").get(path, params=DAY | {"sampling": sampling}).json()

        assert [row["start"] for row in rows] == starts
        assert rows[0]["total"] == total

    def test_hides_no_quarter_because_another_meter_is_missing(
        self, operator: httpx2.Client
    ) -> None:
        rows = [
            row
            for row in building.readings()
            if row["meter"] != BERT or str(row["timestamp"]) <= "2026-03-21T12:00:00"
        ]
        assert operator.put(f"{OWN}/readings", json=rows).json()["rejected"] == []
        found = operator.get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()
        asked = {"t_s": "2026-03-21", "t_e": "2026-03-22"}
        published = operator.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked).json()

        assert (len(found), len(published)) == (96, 48)
        assert found[48] == {
            "start": "2026-03-21T12:00:00Z",
            "end": "2026-03-21T12:15:00Z",
            "start_local": "2026-03-21T13:00:00+01:00",
            "total": 0.04,
            "self": None,
            "ext": None,
            "quality_total": "measured",
            "quality_self": "missing",
            "coverage": 1.0,
            "estimated": 0.0,
            "method": "index",
        }

    def test_a_gap_is_null_and_says_missing(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        rows = [row for row in rows if str(row["timestamp"]) < "2026-03-21T12:00:00"]
        operator.put(f"{OWN}/readings", json=rows)
        found = operator.get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()

        assert found[-1] == {
            "start": "2026-03-21T23:45:00Z",
            "end": "2026-03-22T00:00:00Z",
            "start_local": "2026-03-22T00:45:00+01:00",
            "total": None,
            "self": None,
            "ext": None,
            "quality_total": "missing",
            "quality_self": "missing",
            "coverage": 0.0,
            "estimated": None,
            "method": None,
        }


class TestDeliveries:
    def test_count_every_row_once(self, operator: httpx2.Client) -> None:
        row = {"meter": ANNA, "timestamp": "2026-03-21T00:00:00", "en_im": 1.0}
        rows = [row, {**row, "meter": "f" * 24}, {**row, "en_im": "NaN"}, {"en_im": 1}]
        receipt = operator.put(f"{OWN}/readings", json=rows).json()

        counted = ["delivery", "accepted", "unchanged", "superseding"]
        named = ["rejected", "rejected_rows", "not_counting", "not_counting_rows", "held"]
        assert list(receipt) == [*counted, *named]
        assert receipt["delivery"] is not None
        assert (receipt["accepted"], receipt["unchanged"], receipt["superseding"]) == (1, 0, 0)
        assert [rejected["row"] for rejected in receipt["rejected"]] == [2, 3, 4]
        assert all(rejected["reason"] for rejected in receipt["rejected"])
        again = operator.put(f"{OWN}/readings", json=rows).json()
        assert (again["delivery"], again["accepted"], again["unchanged"]) == (None, 0, 1)

    def test_refuse_rows_of_one_instant_that_contradict_each_other(
        self, operator: httpx2.Client
    ) -> None:
        row = {"meter": ANNA, "timestamp": "2026-03-21T00:04:00", "en_im": 1.0}
        receipt = operator.put(f"{OWN}/readings", json=[row, {**row, "en_im": 2.0}]).json()
        assert (receipt["accepted"], receipt["rejected_rows"]) == (0, 2)
        assert "row 2 of the same instant" in receipt["rejected"][0]["reason"]

    def test_take_small_bodies_while_large_ones_are_parsed(self, operator: httpx2.Client) -> None:
        """Who sends what takes long to parse keeps nobody else from writing."""
        row = {"meter": ANNA, "timestamp": "2026-03-21T00:03:00", "en_im": 1.0}
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        broken = gzip.compress(b"{\n" * 150_000)

        def put_broken() -> int:
            answer = operator.put(f"{OWN}/readings", content=broken, headers=headers)
            return int(answer.json()["rejected_rows"])

        with ThreadPoolExecutor() as pool:
            large = [pool.submit(put_broken) for _ in range(4)]
            small = operator.put(f"{OWN}/readings", json=[row]).json()
            assert not any(each.done() for each in large)
            assert small["accepted"] == 1
            assert [each.result() for each in large] == [150_000] * 4

    def test_name_the_rows_that_do_not_count(self, operator: httpx2.Client) -> None:
        row = {"meter": ANNA, "timestamp": "2026-03-21T00:05:00", "en_im": 1.0}
        final = {**row, "en_im": 0.5, "quality": "estimated"}
        operator.put(f"{OWN}/readings", json=[row])
        receipt = operator.put(f"{OWN}/readings", json=[final]).json()
        assert receipt["not_counting_rows"] == 1
        assert [each["row"] for each in receipt["not_counting"]] == [1]
        assert "replaces" in receipt["not_counting"][0]["reason"]

    @pytest.mark.parametrize("by_row", [True, False])
    def test_replace_what_came_before(self, operator: httpx2.Client, by_row: bool) -> None:
        row = {"meter": ANNA, "timestamp": f"2026-03-21T00:0{6 + by_row}:00", "en_im": 1.0}
        final: dict[str, object] = {**row, "en_im": 0.5, "quality": "estimated"}
        operator.put(f"{OWN}/readings", json=[row])
        if by_row:
            receipt = operator.put(f"{OWN}/readings", json=[{**final, "replaces": True}]).json()
        else:
            receipt = operator.put(f"{OWN}/readings?replaces=true", json=[final]).json()
        assert (receipt["superseding"], receipt["not_counting"]) == (1, [])

    def test_refuse_a_word_for_replaces(self, operator: httpx2.Client) -> None:
        row = {"meter": ANNA, "timestamp": "2026-03-21T00:08:00", "en_im": 1, "replaces": "yes"}
        [rejected] = operator.put(f"{OWN}/readings", json=[row]).json()["rejected"]
        assert rejected["reason"] == "replaces: 'yes' is not true or false"
        refused = operator.put(f"{OWN}/readings?replaces=yes", json=[])
        assert (refused.status_code, refused.json()["field"]) == (422, "replaces")

    def test_understand_ndjson_and_csv(self, operator: httpx2.Client) -> None:
        for content_type, body in (
            (
                "application/x-ndjson",
                NDJSON,
            ),
            (
                "text/csv; charset=utf-8",
                f"meter,timestamp,en_im\n{ANNA},2026-03-21 00:15,2\n{BERT},2026-03-21 00:15,2\nx\n",
            ),
        ):
            receipt = operator.put(
                f"{OWN}/readings", content=body.encode(), headers={"Content-Type": content_type}
            ).json()
            assert receipt["accepted"] == 2, receipt
            assert [rejected["row"] for rejected in receipt["rejected"]] == [3]

    @pytest.mark.parametrize(
        ("asked", "word", "expected"),
        [
            ({}, "Geschat", "estimated"),
            ({}, "l2", "estimated"),
            ({}, " GEVALIDEERD", "measured"),
            ({"quality": "Ersatzwert"}, None, "estimated"),
            ({"quality": "ersatzwert"}, "Messwert", "measured"),
            ({"quality": "Geen verbruik"}, None, "missing"),
        ],
    )
    def test_say_in_senders_words_what_they_are(
        self, operator: httpx2.Client, asked: dict[str, str], word: str | None, expected: str
    ) -> None:
        rows = [
            {"meter": ANNA, "timestamp": f"2026-03-21T00:{minute:02}", "en_im": 1, "quality": word}
            for minute in (0, 15, 30)
        ]
        receipt = operator.put(f"{OWN}/readings", params=asked, json=rows).json()
        assert receipt["accepted"] == 3
        found = operator.get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()

        # A meter of which placeholders alone are known does not count yet.
        assert [row["quality_total"] for row in found[:2]] == [
            expected for _ in range(2) if expected != "missing"
        ]

    @pytest.mark.parametrize("media", ["application/json", "application/x-ndjson", "text/csv"])
    def test_that_do_not_say_are_what_the_query_says(
        self, operator: httpx2.Client, media: str
    ) -> None:
        body = (
            f"meter,timestamp,en_im\n{ANNA},2026-03-21,1\n{ANNA},2026-03-21T00:15,2\n"
            if media == "text/csv"
            else "\n".join(
                f'{{"meter": "{ANNA}", "timestamp": "2026-03-21T00:{minute}", "en_im": {minute}}}'
                for minute in (10, 25)
            )
        )
        body = f"[{body.replace(chr(10), ',')}]" if media == "application/json" else body
        receipt = operator.put(
            f"{OWN}/readings?quality=L3", content=body, headers={"Content-Type": media}
        ).json()
        assert receipt["accepted"] == 2, receipt
        found = operator.get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()
        assert {row["quality_total"] for row in found} <= {"estimated", "missing"}

    def test_of_an_unknown_word_are_refused_and_told_the_known_ones(
        self, operator: httpx2.Client
    ) -> None:
        row = {"meter": ANNA, "timestamp": "2026-03-21", "en_im": 1}
        problem = operator.put(f"{OWN}/readings?quality=guess", json=[row])
        assert (problem.status_code, problem.json()["field"]) == (422, "quality")
        assert "measured, estimated, placeholder" in problem.json()["detail"]
        receipt = operator.put(f"{OWN}/readings", json=[{**row, "quality": "guess"}]).json()
        assert "quality: 'guess' is none of measured, " in receipt["rejected"][0]["reason"]
        sensors = operator.put(f"{OWN}/sensor_readings?quality=measured", json=[])
        assert (sensors.status_code, sensors.json()["field"]) == (422, "quality")

    def test_are_answered_at_once(self, operator: httpx2.Client) -> None:
        rows = building.readings()
        operator.put(f"{OWN}/readings", json=rows)
        asked = {"t_s": "2026-03-21", "t_e": "2026-03-23"}
        found = operator.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=asked).json()

        assert len(found) == building.QUARTERS


class TestState:
    def test_status(self, client: Clients) -> None:
        status = client("operator").get(f"{OWN}/status").json()

        assert list(status) == ["site", "meters", "groups"]
        anna = next(meter for meter in status["meters"] if meter["meter"] == ANNA)
        assert anna == {
            "meter": ANNA,
            "name": "Anna",
            "type": "electricity",
            "last_reading": "2026-03-23T00:00:00Z",
        }
        electricity = next(each for each in status["groups"] if each["group"] == "electricity")
        assert electricity["complete_until"] == "2026-03-23T00:00:00Z"
        assert electricity["held_back_by"] == []

    def test_status_tells_nothing_that_is_closed_or_before_the_history(
        self, client: Clients
    ) -> None:
        narrow = client("narrow").get(f"{OWN}/status").json()
        last = {each["meter"]: each["last_reading"] for each in narrow["meters"]}
        assert last[BERT] is None
        assert last[ANNA] == "2026-03-23T00:00:00Z"

        recent = client("recent").get(f"{OWN}/status").json()
        assert {each["last_reading"] for each in recent["meters"]} == {None}
        assert {each["complete_until"] for each in recent["groups"]} == {None}

    def test_status_does_not_say_which_closed_meter_is_late(self, operator: httpx2.Client) -> None:
        of_others = [row for row in building.readings() if row["meter"] != BERT]
        of_bert = [row for row in building.readings() if row["meter"] == BERT]
        operator.put(f"{OWN}/readings", json=of_others + of_bert[:100])
        address = str(operator.base_url)
        with client_of(address, token(address, "narrow")) as narrow:
            found = [
                {
                    each["group"]: each["held_back_by"]
                    for each in asking.get(f"{OWN}/status").json()["groups"]
                }
                for asking in (operator, narrow)
            ]
        assert [each["electricity"] for each in found] == [[BERT], []]

    def test_findings(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        rows[10]["en_im"] = 0
        operator.put(f"{OWN}/readings", json=rows)
        found = operator.get(f"{OWN}/findings").json()

        at = building.FIRST_AT + 10 * 900
        assert found == [
            {
                "id": finding_id(
                    SITE, ANNA, Finding(FindingRule.ZERO_AFTER_POSITIVE, 2, "en_im", at, at, {})
                ),
                "severity": "information",
                "rule": "zero-after-positive",
                "meter": ANNA,
                "name": "Anna",
                "register": "en_im",
                "start": "2026-03-21T02:30:00Z",
                "end": "2026-03-21T02:30:00Z",
                "evidence": {"index": 0},
            }
        ]
        later = {"start": "2026-03-21T02:30:01", "end": "2026-03-22"}
        assert operator.get(f"{OWN}/findings", params=later).json() == []

    def test_findings_are_joined_and_can_be_narrowed(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        for position in (10, 14, 18, 22):
            rows[position]["en_im"] = 0
        operator.put(f"{OWN}/readings", json=rows)

        def found(**asked: str) -> list[tuple[str, object]]:
            answer = operator.get(f"{OWN}/findings", params=asked)
            assert answer.status_code == 200, answer.text
            return [(row["rule"], row["evidence"].get("findings")) for row in answer.json()]

        zeros, unused = ("zero-after-positive", 4), ("readings-unused", None)
        assert found() == [unused, zeros], "what needs a decision comes first"
        assert found(severity="information") == [zeros]
        assert found(rule="readings-unused") == [unused]
        assert found(meter=BERT) == []
        assert found(meter=ANNA, severity="information", each="true") == [(zeros[0], None)] * 4
        for wrong in ({"rule": "none"}, {"severity": "loud"}, {"each": "maybe"}):
            problem = operator.get(f"{OWN}/findings", params=wrong)
            assert (problem.status_code, problem.json()["field"]) == (422, next(iter(wrong)))
        assert operator.get(f"{OWN}/findings", params={"meter": "0" * 24}).status_code == 404


@pytest.mark.postgres
def test_the_same_building_on_postgresql(data: Path, postgres_url: str) -> None:
    application = application_of(data, postgres_url)
    populate(application.store)
    with served(application) as address:
        deliver(address)
        with client_of(address, token(address, "operator")) as operator:
            asked = {"t_s": "2026-03-21", "t_e": "2026-03-22", "meters": True}
            rows = operator.post(f"/api/v1/site_data/{SITE}/electricity", json=asked).json()
            assert len(rows) == 96
            assert rows[0]["prod_total"] == 0.058
            assert len(operator.get(f"{OWN}/meters/{ANNA}/series", params=DAY).json()) == 96
            assert operator.get("/api/v1/meter_info/%00").status_code == 404
            assert operator.get("/api/v1/all_installations").json()[0]["id"] == SITE
        with client_of(address, token(address, "hasty")) as hasty:
            statuses = [hasty.get(f"/api/v1/meter_info/{SITE}").status_code for _ in range(2)]
            assert statuses == [200, 429]
