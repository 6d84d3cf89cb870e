"""Another register of a meter than its main one, over HTTP: with its own quality, and locks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api import building
from tests.api.building import ANNA, BATTERY, COMMON, GRID, PV, SITE, WATER
from tests.api.conftest import Clients, deliver, populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}


@pytest.fixture
def operator(data: Path) -> Iterator[httpx2.Client]:
    """Give an operator of a server of the test's own, with all readings."""
    application = application_of(data)
    populate(application.store)
    with served(application) as address:
        deliver(address)
        with client_of(address, token(address, "operator")) as operator:
            yield operator


def rows(client: httpx2.Client, meter: str, **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"{OWN}/meters/{meter}/series", params={**DAY, **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize(
    ("meter", "register", "energy"),
    [(GRID, "en_ex", 0.01), (BATTERY, "en_ex", 0.002), (PV, "en_ex", 0.058)],
)
def test_the_other_register(client: Clients, meter: str, register: str, energy: float) -> None:
    found = rows(client("reader"), meter, register=register)

    assert [row["total"] for row in found] == [energy] * 96
    assert {row["quality_total"] for row in found} == {"measured"}
    assert {(row["self"], row["ext"], row["quality_self"]) for row in found} == {(None, None, None)}
    (day, _) = rows(client("reader"), meter, register=register, sampling="D")
    assert (day["total"], day["coverage"], day["estimated"]) == (round(92 * energy, 3), 1, 0)


@pytest.mark.parametrize("meter", [GRID, ANNA, BATTERY])
def test_the_main_one_is_the_series_as_it_is(client: Clients, meter: str) -> None:
    assert rows(client("reader"), meter, register="en_im") == rows(client("reader"), meter)


def test_one_that_was_never_sent_has_no_rows(client: Clients) -> None:
    assert rows(client("reader"), ANNA, register="en_ex") == []
    assert rows(client("reader"), PV, register="en_im") == []


@pytest.mark.parametrize(
    ("meter", "register", "right"),
    [
        (ANNA, "vol_m3", "en_im, en_ex"),
        (WATER, "en_im", "vol_m3"),
        (COMMON, "", "vol_m3"),
        (ANNA, "EN_IM", "en_im, en_ex"),
    ],
)
def test_one_that_its_type_has_not_is_refused(
    client: Clients, meter: str, register: str, right: str
) -> None:
    path = f"{OWN}/meters/{meter}/series"
    problem = client("reader").get(path, params=DAY | {"register": register})
    assert (problem.status_code, problem.json()["field"]) == (422, "register")
    assert problem.json()["detail"].endswith(f"is one of {right}")
    asked = {"register": "en_im"}
    assert client("reader").get(f"{OWN}/balance", params=asked).json()["field"] == "register"


def test_its_quality_is_its_own(operator: httpx2.Client) -> None:
    # The export falls at noon, which is a break; the import goes on.
    fallen = [
        {"meter": GRID, "timestamp": row["timestamp"], "en_ex": float(str(row["en_ex"])) - 1}
        for row in building.readings()
        if row["meter"] == GRID and str(row["timestamp"]) >= "2026-03-21T12:00:00"
    ]
    operator.put(f"{OWN}/readings", json=fallen)
    found = rows(operator, GRID, register="en_ex")

    assert (found[47]["total"], found[47]["quality_total"]) == (None, "missing")
    assert [row["total"] for row in found[:47] + found[48:]] == [0.01] * 95
    assert {row["total"] for row in rows(operator, GRID)} == {0.045}


def test_locked_quarters_stay_as_they_were_and_as_of_tells_what_was_known(
    operator: httpx2.Client,
) -> None:
    before = rows(operator, GRID, register="en_ex")
    operator.put(f"{OWN}/locks/electricity", json={"until": "2026-03-21T12:00:00Z"})
    late = [
        {"meter": GRID, "timestamp": f"2026-03-21T{hour}:00:00", "en_ex": value}
        for hour, value in (("06", 1.241), ("18", 1.721))
    ]
    assert operator.put(f"{OWN}/readings", json=late).json()["superseding"] == 2
    after = rows(operator, GRID, register="en_ex")

    assert after[:48] == before[:48]
    assert [row["total"] for row in after[71:73]] == [0.011, 0.009]
    recorded = operator.get(
        f"{OWN}/explain", params={"meter": GRID, "at": "2026-03-21T18:00:00Z"}
    ).json()["versions"]
    assert rows(operator, GRID, register="en_ex", as_of=recorded[0]["known_at"]) == before
