"""Devices, resolutions and edits over HTTP: who may, what is answered, what is refused."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.api import building
from tests.api.building import ANNA, BERT, SITE
from tests.api.conftest import populate, token
from tests.api.serving import application_of, client_of, served

OWN = f"/commonwatt/v1/sites/{SITE}"
DEVICES = f"{OWN}/meters/{ANNA}/devices"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}
EXCHANGE: list[dict[str, object]] = [
    {"serial": "A", "end_index": {"en_im": 1.4}},
    {"from": "2026-03-21T02:30:00Z", "serial": "B", "factor": 2, "start_index": {"en_im": 0.5}},
]


@pytest.fixture
def address(data: Path) -> Iterator[str]:
    """Give the address of a server of the test's own, with the building declared."""
    application = application_of(data)
    populate(application.store)
    with served(application) as url:
        yield url


@pytest.fixture
def operator(address: str) -> Iterator[httpx2.Client]:
    """Give an operator of that server."""
    with client_of(address, token(address, "operator")) as client:
        yield client


def deliver(operator: httpx2.Client, rows: list[dict[str, object]]) -> None:
    assert operator.put(f"{OWN}/readings", json=rows).json()["rejected"] == []


def anna_rows(fall_at: int | None = None) -> list[dict[str, object]]:
    """The readings of Anna's meter, 40 Wh a quarter-hour; the index starts anew at a position."""
    return [
        {
            "meter": ANNA,
            "timestamp": building.utc(building.FIRST_AT + 900 * count),
            "en_im": (
                1000 + 40 * count
                if fall_at is None or count < fall_at
                else 40 * (count - fall_at + 1)
            )
            / 1000,
        }
        for count in range(97)
    ]


def total(operator: httpx2.Client, meter: str = ANNA) -> list[float | None]:
    rows = operator.get(f"{OWN}/meters/{meter}/series", params=DAY).json()
    return [row["total"] for row in rows]


class TestDevices:
    def test_are_read_as_they_were_put(self, operator: httpx2.Client) -> None:
        assert operator.get(DEVICES).json() == []
        answer = operator.put(DEVICES, json=EXCHANGE).json()

        unsaid: dict[str, object] = {
            "from": None,
            "digits": None,
            "factor": None,
            "start_index": {},
            "end_index": {},
        }
        assert answer["devices"] == [unsaid | each for each in EXCHANGE]
        assert answer["changed"][1] == (
            "meter Anna (electricity 11): device from 2026-03-21 03:30:00+01:00 added, serial B, "
            "factor 2, start_index {en_im: 0.500000}"
        )
        assert operator.get(DEVICES).json() == answer["devices"]
        again = operator.put(DEVICES, json=EXCHANGE).json()
        assert (again["changed"], again["recomputed"]) == ([], [])

    def test_tell_what_is_computed_anew(self, operator: httpx2.Client) -> None:
        deliver(operator, anna_rows())
        answer = operator.put(DEVICES, json=EXCHANGE).json()

        (recomputed,) = answer["recomputed"]
        assert recomputed["group"] == "electricity"
        assert recomputed["start"] <= "2026-03-21T00:00:00Z" < recomputed["end"]
        assert recomputed["locked_days"] == 0

    def test_that_cannot_be_are_refused(self, operator: httpx2.Client) -> None:
        for devices, field, said in (
            ({}, "body", "must be a list"),
            ([{"fram": 1}], "devices[0].fram", "did you mean from?"),
            ([{"from": "soon"}], "devices[0].from", "write it as"),
            ([{"digits": 1}], "devices[0].digits", "must be at least 3"),
            ([{"start_index": {"en_im": -1}}], "devices[0].start_index.en_im", "from 0 to"),
            ([{"start_index": {"gas": 1}}], "devices[0].start_index.gas", "must be 'en_im'"),
            ([{}, {}], "devices", "device 2 needs from"),
            ([{"start_index": {"vol_m3": 1}}], "devices", "the meter has en_im, en_ex"),
        ):
            answer = operator.put(DEVICES, json=devices)
            assert answer.status_code == 422
            assert answer.json()["field"] == field
            assert said in answer.json()["detail"]
        assert operator.get(DEVICES).json() == []

    def test_are_changed_by_operators_only(self, address: str) -> None:
        for name, status in (("reader", 403), ("gateway", 403), ("nobody", 404)):
            with client_of(address, token(address, name)) as client:
                assert client.put(DEVICES, json=EXCHANGE).status_code == status

    def test_of_no_meter_and_of_a_rule_meter(self, operator: httpx2.Client) -> None:
        unknown = operator.put(f"{OWN}/meters/{'f' * 24}/devices", json=[])
        assert unknown.json()["type"] == "urn:commonwatt:problem:unknown-meter"
        rule = operator.put(f"{OWN}/meters/{building.COMMON}/devices", json=[])
        assert (rule.status_code, rule.json()["field"]) == (422, "meter")
        assert operator.put(DEVICES, content=b"[").status_code == 400
        half = operator.put(DEVICES, content=b'[{"\\ud800": 1}]')
        assert (half.status_code, half.json()["field"]) == (422, "devices[0].?")


class TestResolutions:
    def test_a_break_is_resolved_and_taken_back(self, operator: httpx2.Client) -> None:
        deliver(operator, anna_rows(fall_at=48))
        (finding,) = operator.get(f"{OWN}/findings").json()
        assert finding["rule"] == "index-break"
        assert total(operator)[47] is None

        path = f"{OWN}/findings/{finding['id']}/resolve"
        answer = operator.post(path, json={"as": "reset", "reason": "new module"}).json()
        assert answer["resolution"]["finding"] == finding["id"]
        assert answer["resolution"]["as"] == "reset"
        assert operator.get(f"{OWN}/resolutions").json() == [answer["resolution"]]
        assert operator.get(f"{OWN}/findings").json() == []
        # From the last index of the old run on, the new one counts from 0: nothing is lost.
        assert total(operator) == [0.04] * 96

        taken = operator.delete(path).json()
        assert taken["resolution"] is None
        assert operator.get(f"{OWN}/findings").json() == [finding]
        assert total(operator)[47] is None
        assert operator.delete(path).status_code == 404

    def test_what_it_cannot_have_been_is_refused(self, operator: httpx2.Client) -> None:
        rows = anna_rows()
        rows[10]["en_im"] = 900
        deliver(operator, rows)
        finding = operator.get(f"{OWN}/findings").json()[0]
        assert finding["rule"] == "index-out-of-order"
        path = f"{OWN}/findings/{finding['id']}/resolve"
        for body, field in (({"as": "reset"}, "as"), ({"as": "x"}, "as"), ({}, "as"), ([], "body")):
            answer = operator.post(path, json=body)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        unknown = operator.post(f"{OWN}/findings/{'0' * 12}/resolve", json={"as": "reset"})
        assert unknown.json()["type"] == "urn:commonwatt:problem:unknown-finding"


class TestEdits:
    def test_are_made_listed_and_undone(self, operator: httpx2.Client) -> None:
        deliver(operator, anna_rows())
        wanted = {
            "meter": ANNA,
            "start": "2026-03-21T01:00:00+01:00",
            "end": "2026-03-21T00:30:00",
            "energy": 0.101,
            "reason": "read off by hand",
        }
        edit = operator.post(f"{OWN}/edits", json=wanted).json()

        assert edit["number"] == 1
        assert (edit["start"], edit["end"]) == ("2026-03-21T00:00:00Z", "2026-03-21T00:30:00Z")
        assert (edit["register"], edit["energy"], edit["by"]) == ("en_im", 0.101, "operator")
        assert total(operator)[:3] == [0.051, 0.05, 0.04]
        cleared = {**wanted, "clear": True, "energy": None, "start": "2026-03-21T00:15:00Z"}
        assert operator.post(f"{OWN}/edits", json=cleared).json()["energy"] is None
        assert total(operator)[:3] == [0.051, None, 0.04]
        undone = operator.delete(f"{OWN}/edits/2").json()
        assert undone["undone_by"] == "operator"
        assert operator.get(f"{OWN}/edits").json() == [edit, undone]
        assert total(operator)[:3] == [0.051, 0.05, 0.04]
        assert operator.delete(f"{OWN}/edits/2").status_code == 409
        for number, status in (("9", 404), ("x", 422)):
            assert operator.delete(f"{OWN}/edits/{number}").status_code == status

    def test_that_cannot_be_are_refused(self, operator: httpx2.Client) -> None:
        wanted = {
            "meter": ANNA,
            "start": "2026-03-21T00:00:00Z",
            "end": "2026-03-21T00:30:00Z",
            "energy": 1,
            "reason": "x",
        }
        refused: tuple[tuple[dict[str, object], str], ...] = (
            ({"start": "2026-03-21T00:01:00Z"}, "start"),
            ({"energy": None}, "energy"),
            ({"clear": True}, "energy"),
            ({"energy": -1}, "energy"),
            ({"energy": 0.0001}, "energy"),
            ({"reason": ""}, "reason"),
            ({"register": "vol_m3"}, "register"),
            ({"end": None}, "end"),
            ({"unit": "kWh"}, "unit"),
        )
        for changed, field in refused:
            answer = operator.post(f"{OWN}/edits", json=wanted | changed)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert operator.get(f"{OWN}/edits").json() == []

    def test_readings_are_set_cleared_and_undone(self, operator: httpx2.Client) -> None:
        deliver(operator, anna_rows())
        wanted = {"meter": ANNA, "at": "2026-03-21T00:30:00", "reason": "misread"}
        edit = operator.post(f"{OWN}/edits", json=wanted | {"index": 1.0905}).json()

        assert (edit["at"], edit["index"]) == ("2026-03-21T00:30:00Z", 1.0905)
        assert (edit["start"], edit["end"], edit["energy"]) == (None, None, None)
        assert total(operator)[:4] == [0.04, 0.051, 0.029, 0.04]
        cleared = wanted | {"at": "2026-03-21T00:15:00Z", "clear": True, "register": "en_im"}
        assert operator.post(f"{OWN}/edits", json=cleared).json()["index"] is None
        assert [each["rule"] for each in operator.get(f"{OWN}/findings").json()] == [
            "cleared-by-edit"
        ]
        assert [each["number"] for each in operator.get(f"{OWN}/edits").json()] == [1, 2]
        for number in (1, 2):
            assert operator.delete(f"{OWN}/edits/{number}").json()["undone_by"] == "operator"
        assert total(operator)[:4] == [0.04] * 4

    def test_readings_that_cannot_be_are_refused(self, operator: httpx2.Client) -> None:
        deliver(operator, anna_rows())
        wanted = {"meter": ANNA, "at": "2026-03-21T00:30:00Z", "index": 1.09, "reason": "x"}
        refused: tuple[tuple[dict[str, object], str], ...] = (
            ({"end": "2026-03-21T00:45:00Z"}, "end"),
            ({"energy": 1}, "energy"),
            ({"at": None}, "index"),
            ({"at": "2026-03-21T00:30:01Z", "index": None, "clear": True}, "at"),
            ({"at": "2099-01-01"}, "at"),
            ({"meter": building.COMMON}, "at"),
            ({"index": None}, "index"),
            ({"index": -1}, "index"),
            ({"index": 0.0000001}, "index"),
            ({"clear": True}, "index"),
            ({"register": "vol_m3"}, "register"),
        )
        for changed, field in refused:
            answer = operator.post(f"{OWN}/edits", json=wanted | changed)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert operator.get(f"{OWN}/edits").json() == []

    def test_are_not_told_of_closed_meters(self, operator: httpx2.Client, address: str) -> None:
        for meter in (ANNA, BERT):
            span = {"start": "2026-03-21T00:00Z", "end": "2026-03-21T01:00Z"}
            wanted = {"meter": meter, "energy": 1, "reason": "x", **span}
            assert operator.post(f"{OWN}/edits", json=wanted).status_code == 200
        with client_of(address, token(address, "narrow")) as narrow:
            assert [each["meter"] for each in narrow.get(f"{OWN}/edits").json()] == [ANNA]
