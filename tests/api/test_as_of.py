"""What was known at an instant, over HTTP: which instants are understood, and what is too much."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from commonwatt.api.endpoint.endpoint import RequestData
from commonwatt.api.own.explain import EXPLAIN
from commonwatt.api.own.series import BALANCE as BALANCE_ENDPOINT
from commonwatt.api.own.series import SERIES as SERIES_ENDPOINT
from commonwatt.api.own.worklist import WORKLIST
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.bootstrap import Application
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api import building
from tests.api.building import ANNA, GRID, SITE
from tests.api.conftest import populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
SERIES = f"{OWN}/meters/{ANNA}/series"
BALANCE = f"{OWN}/balance"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}
INSTALLED = f"""
site: {{id: {SITE}, name: Les Tilleuls 12, timezone: Europe/Zurich}}
meters:
  - {{id: {ANNA}, name: Anna, type: electricity, mode: consumption, installed_at: 2026-03-21}}
""".encode()


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


def asked(client: httpx2.Client, path: str, **more: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={**DAY, **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def known_at(client: httpx2.Client) -> str:
    """When the last value of a quarter-hour of Anna's became known."""
    at = {"meter": ANNA, "at": "2026-03-21T10:15:00Z"}
    return str(client.get(f"{OWN}/explain", params=at).json()["versions"][-1]["known_at"])


def test_an_instant_is_utc_without_a_zone_and_meant_to_the_microsecond(
    operator: httpx2.Client,
) -> None:
    operator.put(f"{OWN}/readings", json=building.readings())
    first, books = asked(operator, SERIES), asked(operator, BALANCE)
    known = dt.datetime.fromisoformat(known_at(operator))
    late = {"meter": ANNA, "timestamp": "2026-03-21T10:30:00", "en_im": 2.67}
    operator.put(f"{OWN}/readings", json=[late])
    assert asked(operator, SERIES) != first
    assert asked(operator, BALANCE) != books

    naive = known.replace(tzinfo=None).isoformat()
    far = known.astimezone(dt.timezone(dt.timedelta(hours=-9, minutes=-30))).isoformat()
    for as_of in (naive, naive.replace("T", " "), naive.replace(".", ","), f"{naive}Z", far):
        assert asked(operator, SERIES, as_of=as_of) == first
        assert asked(operator, BALANCE, as_of=as_of) == books
    before = (known - dt.timedelta(microseconds=1)).isoformat()
    assert asked(operator, SERIES, as_of=before) == []
    assert asked(operator, SERIES, as_of=known_at(operator)) == asked(operator, SERIES)


@pytest.mark.parametrize("path", [SERIES, BALANCE])
def test_what_is_no_instant_of_the_past_is_refused(operator: httpx2.Client, path: str) -> None:
    soon = dt.datetime.fromtimestamp(time.time() + 3600, dt.UTC).isoformat()
    for as_of, said in (
        (soon, "future"),
        ("9999-12-31", "future"),
        ("yesterday", "must be a time such as"),
        ("", "must be a time such as"),
        ("2026-02-30", "day is out of range"),
        ("1774092600", "must be a time such as"),
    ):
        problem = operator.get(path, params=DAY | {"as_of": as_of})
        assert (problem.status_code, problem.json()["field"]) == (422, "as_of"), as_of
        assert said in problem.json()["detail"]


@pytest.mark.parametrize("as_of", ["0001-01-01", "1969-12-31T23:59:59", "2020-01-01"])
def test_before_the_first_delivery_nothing_was_known(operator: httpx2.Client, as_of: str) -> None:
    operator.put(f"{OWN}/readings", json=building.readings())

    assert asked(operator, SERIES, as_of=as_of) == []
    assert asked(operator, BALANCE, as_of=as_of) == []
    assert asked(operator, f"{OWN}/meters/{GRID}/series", register="en_ex", as_of=as_of) == []


def test_before_its_first_delivery_an_installed_meter_was_missing(
    own_application: Application, operator: httpx2.Client
) -> None:
    declaration = declaration_from_yaml(INSTALLED)
    apply_declaration(own_application.store, declaration, "tests", int(time.time()))
    rows = building.readings()
    operator.put(f"{OWN}/readings", json=[row for row in rows if row["meter"] != ANNA])
    answered = asked(operator, SERIES)
    others = dt.datetime.now(dt.UTC).isoformat()
    operator.put(f"{OWN}/readings", json=[row for row in rows if row["meter"] == ANNA])
    found = asked(operator, SERIES, as_of=others)

    assert found == answered
    assert len(found) == 96
    assert {(row["total"], row["quality_total"], row["coverage"]) for row in found} == {
        (None, "missing", 0.0)
    }
    assert {row["quality_total"] for row in asked(operator, SERIES)} == {"measured"}
    # Of a site that nobody had told anything of, there is nothing to tell.
    assert asked(operator, SERIES, as_of="2025-11-01") == []


@pytest.mark.parametrize(
    ("query", "is_costly"),
    [
        ([], False),
        ([("start", "2026-03-21"), ("sampling", "Y")], False),
        ([("as_of", "2026-03-21")], True),
        ([("register", "en_ex")], True),
    ],
)
def test_what_may_be_worked_out_anew_waits_apart_from_other_reads(
    query: list[tuple[str, str]], is_costly: bool
) -> None:
    asked_for = RequestData({}, query, "", None, b"")

    assert SERIES_ENDPOINT.is_costly(asked_for) is is_costly
    assert BALANCE_ENDPOINT.is_costly(asked_for) is is_costly
    assert EXPLAIN.is_costly(asked_for)
    assert WORKLIST.is_costly(asked_for)


def test_no_more_is_worked_out_at_once_than_400_days(operator: httpx2.Client) -> None:
    first = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    days = [first + dt.timedelta(days=count) for count in range(420)]
    known = ""
    for hour, rise in ((0, 24), (12, 24.1)):
        rows = [
            {
                "meter": ANNA,
                "timestamp": (day + dt.timedelta(hours=hour)).isoformat(),
                "en_im": rise * count + hour,
            }
            for count, day in enumerate(days)
        ]
        assert operator.put(f"{OWN}/readings", json=rows).json()["accepted"] == 420
        if hour == 0:
            known = dt.datetime.now(dt.UTC).isoformat()
    whole = {"start": "2024-06-01", "end": "2025-07-25", "sampling": "M"}
    for path in (SERIES, BALANCE):
        problem = operator.get(path, params=whole | {"as_of": known})
        assert (problem.status_code, problem.json()["field"]) == (422, "as_of")
        assert "419 days of the period have to be worked out" in problem.json()["detail"]
        a_year = whole | {"end": "2025-06-01", "as_of": known}
        assert len(operator.get(path, params=a_year).json()) == 13
    # What was written of nothing since is read as it is stored, however long.
    now = whole | {"as_of": dt.datetime.now(dt.UTC).isoformat()}
    assert operator.get(SERIES, params=now).json() == operator.get(SERIES, params=whole).json()
    other = operator.get(SERIES, params=whole | {"register": "en_ex"})
    assert other.json()["field"] == "register"
    worklist = operator.get(f"{OWN}/worklist", params={"start": "2024-06-01", "end": "2025-07-25"})
    assert worklist.json()["field"] == "start"
