"""Locks and differences over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.own.locks import MOST_ROWS, DifferenceRow, refuse_too_many
from commonwatt.app.billing.differences import Differences
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.domain.metering.catalogue import Medium, Meter, MeterFacts, Mode
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api import building
from tests.api.building import ANNA, SITE
from tests.api.conftest import deliver, populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
LOCK = f"{OWN}/locks/electricity"
NOON = "2026-03-21T12:00:00Z"
MORNING = {"start": "2026-03-21T00:00:00Z", "end": NOON}


@pytest.fixture
def address(data: Path) -> Iterator[str]:
    """Give the address of a server of the test's own."""
    application = application_of(data)
    populate(application.store)
    with served(application) as url:
        deliver(url)
        yield url


def test_what_is_locked_stays_and_differs(address: str) -> None:
    with client_of(address, token(address, "operator")) as operator:
        lock = operator.put(LOCK, json={"until": NOON}).json()
        assert list(lock) == [
            "group",
            "until",
            "content_hash",
            "locked_at",
            "by",
            "despite",
            "steps",
        ]
        assert (lock["until"], lock["by"]) == (NOON, "operator")
        assert operator.get(f"{OWN}/locks").json() == [lock]
        path = f"{OWN}/meters/{ANNA}/series"
        before = operator.get(path, params=MORNING).json()
        # Forty Wh a quarter-hour: one more reading takes 10 Wh from one quarter to the next.
        row = {"meter": ANNA, "timestamp": "2026-03-21T06:00:00Z", "en_im": 1.95}
        assert operator.put(f"{OWN}/readings", json=[row]).json()["superseding"] == 1

        assert operator.get(path, params=MORNING).json() == before
        found = operator.get(f"{OWN}/differences", params={"group": "electricity"}).json()
        total = [each for each in found if each["meter"] == ANNA and each["column"] == "total"]
        assert [(each["start"], each["locked"], each["current"]) for each in total] == [
            ("2026-03-21T05:45:00Z", 0.04, 0.03),
            ("2026-03-21T06:00:00Z", 0.04, 0.05),
        ]
        assert [each["difference"] for each in total] == [-0.01, 0.01]
        assert [DifferenceRow(**each).model_dump() for each in found] == found

        again = operator.post(f"{LOCK}/unlock", json={"until": NOON, "reason": "wrong month"})
        assert again.json() is None
        assert operator.get(f"{OWN}/differences").json() == []
        assert operator.get(path, params=MORNING).json() != before


@pytest.mark.parametrize("mode", ["introduction", "production", "battery"])
def test_the_columns_of_locked_time_stay_whatever_a_meter_becomes(data: Path, mode: str) -> None:
    application = application_of(data)
    populate(application.store)
    asked = {"t_s": "2026-03-21 00:00:00", "t_e": "2026-03-21 12:00:00", "meters": True}
    path = f"/api/v1/site_data/{SITE}/electricity"
    with served(application) as url:
        deliver(url)
        with client_of(url, token(url, "operator")) as operator:
            operator.put(LOCK, json={"until": NOON})
            before = operator.post(path, json=asked).content
            assert f"self_{ANNA}".encode() in before
            becomes = f"""
site: {{id: {SITE}, name: House, timezone: {building.ZONE}}}
meters: [{{id: {ANNA}, name: Anna, type: electricity, mode: {mode}, valid_from: {NOON}}}]
"""
            declaration = declaration_from_yaml(becomes.encode())
            apply_declaration(application.store, declaration, "operator", int(time.time()))
            assert operator.post(path, json=asked).content == before


@pytest.mark.parametrize(
    "until", ["2026-03-21T12:07:00Z", "2099-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "soon"]
)
def test_a_wrong_instant_is_told(address: str, until: str) -> None:
    with client_of(address, token(address, "operator")) as operator:
        answer = operator.put(LOCK, json={"until": until})
    assert answer.status_code == 422
    assert answer.json()["field"] == "until"


def test_only_operators_lock(address: str) -> None:
    with client_of(address, token(address, "reader")) as reader:
        assert reader.put(LOCK, json={"until": NOON}).status_code == 403
        assert reader.get(f"{OWN}/locks").json() == []


def test_differences_of_closed_meters_are_hidden(address: str) -> None:
    with client_of(address, token(address, "operator")) as operator:
        operator.put(LOCK, json={"until": NOON})
        row = {"meter": building.BERT, "timestamp": "2026-03-21T06:00:00Z", "en_im": 1.47}
        operator.put(f"{OWN}/readings", json=[row])
        told = operator.get(f"{OWN}/differences").json()
    with client_of(address, token(address, "narrow")) as narrow:
        seen = narrow.get(f"{OWN}/differences").json()
    assert building.BERT in {each["meter"] for each in told}
    assert {each["meter"] for each in seen} == {each["meter"] for each in told} - {building.BERT}


def test_more_differences_than_can_be_told_at_once_are_refused() -> None:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
    meter = Meter(
        number=1, id=ANNA, name="Anna", medium=Medium.ELECTRICITY, prim_ad=11, facts=(facts,)
    )
    half = np.zeros(MOST_ROWS // 2, np.int64)
    known = np.ones(len(half), np.bool_)
    found = Differences(meter, "total", half, half, half + 1, known, known)
    refuse_too_many([found, found])
    one = Differences(meter, "ext", half[:1], half[:1], half[:1] + 1, known[:1], known[:1])
    with pytest.raises(InvalidInput, match=r"^300001 values differ.* shorter period$") as refused:
        refuse_too_many([found, found, one])
    assert refused.value.field == "start"
