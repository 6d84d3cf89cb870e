"""Why a quarter-hour is what it is, and what keeps a month from closing, over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from commonwatt.bootstrap import Application
from commonwatt.domain.metering.catalogue import SiteFacts
from tests.api import building
from tests.api.building import ANNA, BERT, COMMON, PV, SITE, WATER
from tests.api.conftest import Clients, populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
EXPLAIN = f"{OWN}/explain"
WORKLIST = f"{OWN}/worklist"
PERIOD = {"start": "2026-03-21", "end": "2026-03-22"}
KEYS = [
    *("meter", "start", "total", "self", "ext", "quality_total", "quality_self", "readings"),
    *(
        "boundaries",
        "findings",
        "method",
        "accepted",
        "device",
        "rule",
        "balance",
        "key",
        "share",
        "versions",
    ),
]


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


def explained(client: httpx2.Client, meter: str, at: str) -> dict[str, Any]:
    answer = client.get(EXPLAIN, params={"meter": meter, "at": at})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestExplain:
    def test_a_consumer(self, client: Clients) -> None:
        found = explained(client("reader"), ANNA, "2026-03-21T10:20:00Z")

        assert list(found) == KEYS
        assert found["start"] == "2026-03-21T10:15:00Z"
        assert (found["total"], round(found["self"] + found["ext"], 3)) == (0.04, 0.04)
        # From 1 kWh on 40 Wh a quarter-hour: 41 of them until 10:15.
        assert [each["rounded"] for each in found["boundaries"]] == [2.64, 2.68]
        assert [each["value"] for each in found["readings"]] == [2.64, 2.68]
        assert {each["account"] for each in found["readings"]} == {"gateway"}
        assert found["method"]["name"] == "index"
        assert found["rule"] is None
        assert found["balance"]["form"] == "with grid meter"
        assert found["balance"]["self"] == 0.048
        assert found["key"]["name"] == "pro_rata"
        share = found["share"]
        # 48 Wh among 40, 20 and 30 of 90: 21 1/3 are Anna's, the first by id.
        assert (share["quota"], share["before"], share["after"]) == ("21 1/3", "0", "21 1/3")
        assert share["self"] == found["self"]
        assert share["rounding"].endswith(f"= {round(1000 * found['self'])}")
        assert found["versions"][-1]["total"] == found["total"]

    def test_what_does_not_apply_is_null(self, client: Clients) -> None:
        water = explained(client("reader"), WATER, "2026-03-21T10:20:00Z")
        assert (water["balance"], water["key"], water["share"], water["self"]) == (None,) * 4
        pv = explained(client("reader"), PV, "2026-03-21T10:20:00Z")
        assert (pv["key"], pv["share"], pv["self"]) == (None, None, None)
        rule = explained(client("reader"), COMMON, "2026-03-21T10:20:00Z")
        assert (rule["readings"], rule["boundaries"], rule["device"]) == (None, None, None)
        assert rule["method"]["name"] == "rule"
        (operand,) = rule["rule"]["operands"]
        assert (operand["sign"], operand["meter"], operand["value"]) == ("+", WATER, 0.007)

    def test_a_proxy_names_the_last_reading_and_its_reference_days(
        self, own_application: Application, operator: httpx2.Client
    ) -> None:
        with own_application.store.change(1) as change:
            site = change.catalogue.catalogue(1).site
            change.catalogue.next_generation(1, catalogue_changed_us=1)
            facts = SiteFacts(valid_from=0, valid_to=None, proxy_days=True)
            change.catalogue.put_site(site, (facts,))
        silent = [
            row
            for row in building.readings()
            if row["meter"] != ANNA or str(row["timestamp"]) <= "2026-03-22T00:00:00"
        ]
        operator.put(f"{OWN}/readings", json=silent)
        found = explained(operator, ANNA, "2026-03-22T10:20:00Z")

        assert (found["total"], found["quality_total"]) == (0.04, "estimated")
        assert found["method"] == {
            "name": "proxy",
            "gap": {"start": "2026-03-22T00:00:00Z", "end": None, "rise": None},
            "weight": None,
            "weights": None,
            "donors": [{"start": "2026-03-21T10:15:00Z", "total": 0.04}],
            "edit": None,
        }

    def test_versions_say_how_many_writes_were_not_looked_at(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        operator.put(f"{OWN}/readings", json=rows)
        late = {"meter": ANNA, "timestamp": "2026-03-21T10:30:00"}
        for count in range(15):
            operator.put(f"{OWN}/readings", json=[late | {"en_im": 2.67 - count / 1000}])
        versions = explained(operator, ANNA, "2026-03-21T10:15:00Z")["versions"]
        assert [each["earlier_writes"] for each in versions] == [0] * 16
        assert versions[0]["total"] == 0.04

        operator.put(f"{OWN}/readings", json=[late | {"en_im": 2.69}])
        versions = explained(operator, ANNA, "2026-03-21T10:15:00Z")["versions"]
        assert [each["earlier_writes"] for each in versions] == [1] + [0] * 15
        assert (versions[0]["total"], versions[-1]["total"]) == (0.03, 0.05)

    def test_a_declared_device_makes_a_version(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        operator.put(f"{OWN}/readings", json=rows)
        operator.put(f"{OWN}/meters/{ANNA}/devices", json=[{"factor": 2}])
        versions = explained(operator, ANNA, "2026-03-21T10:15:00Z")["versions"]

        assert [(each["cause"], each["total"]) for each in versions] == [
            ("delivery 1", 0.04),
            ("declaration changed", 0.08),
        ]

    def test_nothing_of_before_the_history_is_told_of_a_gap(
        self, own_application: Application, operator: httpx2.Client
    ) -> None:
        rows = [
            row
            for row in building.readings()
            if row["meter"] == ANNA
            and not "2026-03-21T20:00:00" < str(row["timestamp"]) < "2026-03-22T04:00:00"
        ]
        operator.put(f"{OWN}/readings", json=rows)
        known = explained(operator, ANNA, "2026-03-22T01:00:00Z")
        address = str(operator.base_url)
        with client_of(address, token(address, "late")) as late:
            found = explained(late, ANNA, "2026-03-22T01:00:00Z")

        assert known["method"]["gap"]["start"] == "2026-03-21T20:00:00Z"
        assert known["boundaries"][0]["readings"] == [
            "2026-03-21T20:00:00Z",
            "2026-03-22T04:00:00Z",
        ]
        # Its history begins at midnight, 23:00 UTC.
        assert found["method"]["gap"] is None
        assert found["total"] == known["total"]
        assert {each for side in found["boundaries"] for each in side["readings"]} == {
            "2026-03-22T04:00:00Z"
        }
        assert [each["timestamp"] for each in found["readings"]] == ["2026-03-22T04:00:00Z"]

    def test_a_correction_makes_a_version(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        operator.put(f"{OWN}/readings", json=rows)
        late = {"meter": ANNA, "timestamp": "2026-03-21T10:30:00", "en_im": 2.67}
        assert operator.put(f"{OWN}/readings", json=[late]).json()["superseding"] == 1
        found = explained(operator, ANNA, "2026-03-21T10:15:00Z")

        assert found["total"] == 0.03
        assert [each["total"] for each in found["versions"]] == [0.04, 0.03]
        assert [each["cause"] for each in found["versions"]] == ["delivery 1", "delivery 2"]
        asked = {"start": "2026-03-21T10:15Z", "end": "2026-03-21T10:30Z"}
        asked["as_of"] = found["versions"][0]["known_at"]
        (row,) = operator.get(f"{OWN}/meters/{ANNA}/series", params=asked).json()
        assert row["total"] == 0.04

    def test_an_edited_reading_is_told_and_makes_a_version(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] == ANNA]
        operator.put(f"{OWN}/readings", json=rows)
        wanted = {"meter": ANNA, "at": "2026-03-21T10:30:00", "index": 2.67, "reason": "misread"}
        assert operator.post(f"{OWN}/edits", json=wanted).status_code == 200
        found = explained(operator, ANNA, "2026-03-21T10:15:00Z")

        told = [(each["quality"], each["source"]) for each in found["readings"]]
        assert told == [("measured", "http"), ("edited", "edit 1")]
        assert (found["total"], found["quality_total"]) == (0.03, "edited")
        operator.post(
            f"{OWN}/edits",
            json={"meter": ANNA, "at": wanted["at"], "clear": True, "reason": "x"},
        )
        operator.delete(f"{OWN}/edits/2")
        found = explained(operator, ANNA, "2026-03-21T10:15:00Z")
        assert [(each["cause"], each["total"]) for each in found["versions"]] == [
            ("delivery 1", 0.04),
            ("edit 1", 0.03),
            ("edit 2", 0.04),
            ("edit 2 undone", 0.03),
        ]

    def test_a_missing_member_is_named(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] != BERT]
        rows += [{"meter": BERT, "timestamp": "2026-03-21T00:00:00", "en_im": 1}]
        operator.put(f"{OWN}/readings", json=rows)
        found = explained(operator, ANNA, "2026-03-21T10:15:00Z")

        assert (found["total"], found["self"], found["share"]) == (0.04, None, None)
        assert found["balance"]["missing"] == [BERT]
        assert found["balance"]["conso_total"] is None
        assert found["key"]["name"] == "pro_rata"

    def test_who_may_ask_for_what(self, client: Clients) -> None:
        asked = {"meter": BERT, "at": "2026-03-21T10:15Z"}
        assert client("narrow").get(EXPLAIN, params=asked).status_code == 403
        assert client("gateway").get(EXPLAIN, params=asked).status_code == 403
        assert client("late").get(EXPLAIN, params=asked).status_code == 422
        assert client("reader").get(EXPLAIN, params={"meter": BERT}).status_code == 422
        unknown = asked | {"meter": "f" * 24}
        assert client("reader").get(EXPLAIN, params=unknown).status_code == 404


class TestWorklist:
    def test_a_complete_period_has_nothing_to_do(self, client: Clients) -> None:
        assert client("reader").get(WORKLIST, params=PERIOD).json() == []

    def test_each_thing_has_its_command(self, operator: httpx2.Client) -> None:
        rows = [row for row in building.readings() if row["meter"] not in (BERT, WATER)]
        for row in rows:
            if row["meter"] == ANNA and str(row["timestamp"]) >= "2026-03-21T12:00:00":
                row["en_im"] = float(str(row["en_im"])) - 2
        operator.put(f"{OWN}/readings", json=rows)
        found = operator.get(WORKLIST, params=PERIOD).json()

        by_kind = {row["kind"]: row for row in found}
        missing = by_kind["missing-meter"]
        assert list(missing) == ["kind", "meter", "start", "end", "text", "command", "state"]
        assert (missing["meter"], missing["command"]) == (
            BERT,
            f"commonwatt import FILE --meter {BERT}",
        )
        fallen = by_kind["index-break"]
        assert fallen["start"] == "2026-03-21T11:45:00Z"
        (finding,) = [
            each
            for each in operator.get(f"{OWN}/findings", params=PERIOD).json()
            if each["rule"] == "index-break"
        ]
        assert fallen["command"] == f"commonwatt resolve {finding['id']} --as KIND"
        # The break explains why Anna is missing in a quarter-hour: once is enough.
        assert [row for row in found if row["kind"] == "missing" and row["meter"] == ANNA] == []
        assert by_kind["unbalanced"]["text"].startswith("no balance in 1 quarter-hour")
        water = operator.get(WORKLIST, params=PERIOD | {"group": "cold_water"}).json()
        assert [row["kind"] for row in water] == ["missing-meter"]

    def test_too_much_that_is_estimated(self, operator: httpx2.Client) -> None:
        rows = [
            row
            for row in building.readings()
            if row["meter"] != ANNA
            or not "2026-03-21T06:00:00" < str(row["timestamp"]) < "2026-03-21T12:00:00"
        ]
        operator.put(f"{OWN}/readings", json=rows)
        (row,) = operator.get(WORKLIST, params=PERIOD).json()

        assert (row["kind"], row["meter"]) == ("estimated", ANNA)
        assert row["text"].startswith("Anna: 25.0% of its energy is estimated (limit 5.0%)")
        assert (row["start"], row["end"]) == ("2026-03-21T06:00:00Z", "2026-03-21T12:00:00Z")
        for limit, kinds in (("24.99", ["estimated"]), ("25", []), ("0", ["estimated"])):
            asked = PERIOD | {"estimated_limit": limit}
            assert [row["kind"] for row in operator.get(WORKLIST, params=asked).json()] == kinds
        for limit in ("-1", "101", "5 %", "nan", "", "1_0"):
            problem = operator.get(WORKLIST, params=PERIOD | {"estimated_limit": limit})
            assert (problem.status_code, problem.json()["field"]) == (422, "estimated_limit")

    def test_nothing_of_closed_meters(self, client: Clients) -> None:
        asked = {"start": "2026-03-22", "end": "2026-03-24"}
        whole = client("reader").get(WORKLIST, params=asked).json()
        narrow = client("narrow").get(WORKLIST, params=asked).json()
        assert BERT in {row["meter"] for row in whole}
        assert BERT not in {row["meter"] for row in narrow}
        assert client("reader").get(WORKLIST, params={"group": "gas"}).status_code == 422
