"""Who may do what on our own surface: every operation of the document, every role, every site."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from sqlalchemy import select

from commonwatt.adapters.store import schema
from commonwatt.bootstrap import Application
from tests.api import building
from tests.api.building import ANNA, BERT, NEIGHBOUR, NEIGHBOUR_METER, SITE, UNKNOWN_ID
from tests.api.conftest import deliver, populate, token
from tests.api.serving import application_of, client_of, served

PREFIX = "/commonwatt/v1/sites/{site_id}"
OWN = f"/commonwatt/v1/sites/{SITE}"
WORDS = {"meter_id": ANNA, "group": "electricity", "finding_id": "0" * 12, "number": "1"}
NO_SITES = [NEIGHBOUR, UNKNOWN_ID, "x", "0", "' OR '1'='1", "%00", "%2e%2e", "ü" * 12, "A" * 3000]


class Operation(NamedTuple):
    method: str
    path: str

    def address(self, site: str, **words: str) -> str:
        """The path with a site and what else it names."""
        return re.sub(r"{(\w+)}", lambda m: ({"site_id": site} | WORDS | words)[m[1]], self.path)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Give an application with the building declared."""
    application = application_of(tmp_path_factory.mktemp("authority"))
    populate(application.store)
    return application


@pytest.fixture(scope="module")
def address(application: Application) -> Iterator[str]:
    """Serve it with all readings."""
    with served(application) as url:
        deliver(url)
        yield url


@pytest.fixture(scope="module")
def operations(application: Application) -> list[Operation]:
    """Give the operations of our own surface, as the document lists them."""
    found = [
        Operation(method.upper(), path)
        for path, methods in application.app.openapi()["paths"].items()
        for method in methods
        if path.startswith(PREFIX)
    ]
    assert len(found) > 18
    return found


@pytest.fixture(scope="module")
def clients(address: str) -> Iterator[Mapping[str, httpx2.Client]]:
    """Give signed-in clients by account name."""
    names = (
        *("reader", "gateway", "operator", "nobody", "narrow", "landlord"),
        *("narrow-operator", "late-operator"),
    )
    opened = {name: client_of(address, token(address, name)) for name in names}
    yield opened
    for each in opened.values():
        each.close()


def slug(answer: httpx2.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_nobody_does_anything_without_signing_in(address: str, operations: list[Operation]) -> None:
    with client_of(address) as stranger:
        for each in operations:
            answers = [
                stranger.request(each.method, each.address(site)) for site in (SITE, UNKNOWN_ID)
            ]
            assert [slug(answer) for answer in answers] == ["not-signed-in"] * 2, each
            assert answers[0].content == answers[1].content


@pytest.mark.parametrize("name", ["reader", "gateway", "operator", "nobody"])
def test_a_foreign_site_and_no_site_are_the_same(
    clients: Mapping[str, httpx2.Client], operations: list[Operation], name: str
) -> None:
    for each in operations:
        told = set()
        for site in NO_SITES:
            for body in (b"", b"{}", b"["):
                path = each.address(site, meter_id=NEIGHBOUR_METER)
                answer = clients[name].request(each.method, path, content=body)
                assert answer.status_code == 404, (each, site)
                told.add(answer.text.replace(NEIGHBOUR, UNKNOWN_ID))
        assert len([text for text in told if UNKNOWN_ID in text]) == 1, each


def test_each_role_does_what_it_may_and_no_more(
    clients: Mapping[str, httpx2.Client], operations: list[Operation]
) -> None:
    for each in operations:
        is_reading, is_delivering = each.method == "GET", each.path.endswith("readings")
        allowed = {
            "reader": is_reading,
            "gateway": is_delivering,
            "operator": True,
        }
        for name, may in allowed.items():
            # A body that cannot be read: who may gets to hear of it, nobody changes anything.
            answer = clients[name].request(each.method, each.address(SITE), content=b"[")
            assert (answer.status_code == 403) is not may, (each, name)
            assert may or slug(answer) == "role-forbids"


def test_meters_findings_and_edits_of_another_site_are_unknown(
    clients: Mapping[str, httpx2.Client], operations: list[Operation]
) -> None:
    for each in operations:
        if "{meter_id}" in each.path:
            for meter in (NEIGHBOUR_METER, UNKNOWN_ID, "%00", "' OR 1=1 --"):
                path = each.address(SITE, meter_id=meter)
                answer = clients["operator"].request(each.method, path, content=b"[]")
                assert slug(answer) == "unknown-meter", each
    made = {
        "meter": NEIGHBOUR_METER,
        "start": "2026-03-21T00:00Z",
        "end": "2026-03-21T01:00Z",
        "energy": 1,
        "reason": "x",
    }
    landlord, operator = clients["landlord"], clients["operator"]
    edits = f"/commonwatt/v1/sites/{NEIGHBOUR}/edits"
    number = landlord.post(edits, json=made).json()["number"]
    assert slug(operator.post(f"{OWN}/edits", json=made)) == "unknown-meter"
    assert slug(operator.delete(f"{OWN}/edits/{number}")) == "unknown-edit"
    at = {"meter": NEIGHBOUR_METER, "at": "2026-03-21"}
    assert slug(operator.get(f"{OWN}/explain", params=at)) == "unknown-meter"
    row = {"meter": NEIGHBOUR_METER, "timestamp": "2026-03-21", "en_im": 1}
    assert operator.put(f"{OWN}/readings", json=[row]).json()["accepted"] == 0
    assert landlord.get(edits).json()[0]["undone_at"] is None


def test_texts_that_could_trick_a_terminal_or_a_database_are_refused(
    clients: Mapping[str, httpx2.Client],
) -> None:
    operator = clients["operator"]
    span = {"meter": ANNA, "start": "2026-03-21T00:00Z", "end": "2026-03-21T01:00Z", "energy": 1}
    for reason in ("\x1b[2J", "a\x00b", "line\nfeed", "\u202e", "\ud800", " ", "x" * 201):
        for path, body in (
            ("edits", {**span, "reason": reason}),
            ("locks/electricity/unlock", {"until": "2026-03-21", "reason": reason}),
        ):
            content = json.dumps(body).encode()
            answer = operator.post(f"{OWN}/{path}", content=content)
            assert (answer.status_code, answer.json()["field"]) == (422, "reason"), repr(reason)
        answer = operator.put(
            f"{OWN}/meters/{ANNA}/devices",
            content=json.dumps([{"serial": reason}]).encode(),
        )
        assert (answer.status_code, answer.json()["field"]) == (422, "devices[0].serial")
    quoted = {**span, "reason": "Robert'); DROP TABLE edits;--"}
    edit = operator.post(f"{OWN}/edits", json=quoted).json()
    assert edit["reason"] == quoted["reason"]
    assert operator.delete(f"{OWN}/edits/{edit['number']}").json()["undone_by"] == "operator"


def test_a_change_may_be_packed_as_readings_are(clients: Mapping[str, httpx2.Client]) -> None:
    operator = clients["operator"]
    span = {"meter": ANNA, "start": "2026-03-21T00:00Z", "end": "2026-03-21T01:00Z", "energy": 1}
    packed = gzip.compress(json.dumps({**span, "reason": "packed"}).encode())
    path = f"{OWN}/edits"
    edit = operator.post(path, content=packed, headers={"Content-Encoding": "gzip"}).json()
    assert edit["reason"] == "packed"
    assert operator.delete(f"{path}/{edit['number']}").status_code == 200
    for encoding, content, slug_ in (
        ("br", packed, "wrong-content-type"),
        ("gzip", b"[]", "broken-request"),
        ("gzip", gzip.compress(b" " * 10**6), "too-large"),
    ):
        answer = operator.post(path, content=content, headers={"Content-Encoding": encoding})
        assert slug(answer) == slug_


def test_every_change_is_audited_with_its_account(data: Path) -> None:
    application = application_of(data)
    populate(application.store)
    with served(application) as address:
        deliver(address)
        with client_of(address, token(address, "operator")) as operator:
            make_every_change(operator)
        with client_of(address, token(address, "reader")) as reader:
            assert reader.put(f"{OWN}/locks/electricity", json={"until": "x"}).status_code == 403
        with application.store.database.engine.connect() as connection:
            rows = connection.execute(
                select(schema.audit.c.account, schema.audit.c.action, schema.audit.c.reason)
                .where(schema.audit.c.site == 1, schema.audit.c.account != "test")
                .order_by(schema.audit.c.id)
            ).all()
    made = [(re.sub(" [0-9a-f]{12}$", "", row.action), row.reason) for row in rows]
    assert {row.account for row in rows} == {"operator"}
    assert [action for action, _ in made] == [
        *("edit quarters", "undo edit", "declare devices"),
        *("resolve finding", "reopen finding", "lock", "unlock"),
    ]
    assert dict(made)["edit quarters"] == "by eye"
    assert dict(made)["resolve finding"].startswith("test; meter Bert")
    assert dict(made)["unlock"] == "wrong month"


def make_every_change(operator: httpx2.Client) -> None:
    span = {"meter": ANNA, "start": "2026-03-21T00:00Z", "end": "2026-03-21T01:00Z"}
    noon = {"until": "2026-03-21T12:00:00Z"}
    zero = {"meter": BERT, "timestamp": "2026-03-21T06:00:01", "en_im": 0.5}
    assert operator.put(f"{OWN}/readings", json=[zero]).json()["accepted"] == 1
    wanted = {"rule": "index-out-of-order", "meter": BERT}
    finding = next(
        each["id"]
        for each in operator.get(f"{OWN}/findings").json()
        if wanted.items() <= each.items()
    )
    resolve, lock = f"{OWN}/findings/{finding}/resolve", f"{OWN}/locks/electricity"
    made: list[tuple[str, str, Any]] = [
        ("POST", f"{OWN}/edits", {**span, "energy": 1, "reason": "by eye"}),
        ("DELETE", f"{OWN}/edits/1", None),
        ("PUT", f"{OWN}/meters/{ANNA}/devices", [{"serial": "A"}]),
        ("POST", resolve, {"as": "faulty", "reason": "test"}),
        ("DELETE", resolve, None),
        ("PUT", lock, noon),
        ("POST", f"{lock}/unlock", {**noon, "reason": "wrong month"}),
    ]
    for method, path, body in made:
        answer = operator.request(method, path, json=body)
        assert answer.status_code == 200, answer.text


def test_a_worklist_without_closed_meters_still_says_that_books_are_open(
    clients: Mapping[str, httpx2.Client],
) -> None:
    late = {"start": "2026-03-22T22:00", "end": "2026-03-23T00:15"}
    rows = [
        {"meter": each["meter"], "timestamp": "2026-03-23T00:15", **registers}
        for each in building.readings()[:9]
        if each["meter"] != BERT
        and (registers := {k: 30.0 for k in each if k not in ("meter", "timestamp")})
    ]
    assert clients["gateway"].put(f"{OWN}/readings", json=rows).json()["rejected"] == []
    found = clients["narrow"].get(f"{OWN}/worklist", params=late).json()
    (books,) = [row for row in found if row["kind"] == "unbalanced"]
    assert books["meter"] is None
    assert BERT not in {row["meter"] for row in found}


def test_an_operator_of_a_part_changes_nothing_of_the_rest(
    clients: Mapping[str, httpx2.Client],
) -> None:
    """The history of one begins on 22 March in Zurich; Bert is closed to the other."""
    before = {"start": "2026-03-21T12:00Z", "end": "2026-03-21T13:00Z"}
    edit = {"meter": ANNA, "energy": 1, "reason": "x", **before}
    reading = {"meter": ANNA, "index": 1, "reason": "x", "at": "2026-03-21T12:00Z"}
    until = {"until": "2026-03-22T12:00Z"}
    unlock = {**until, "reason": "x"}
    edits = f"{OWN}/edits"
    made = clients["operator"].post(edits, json=edit).json()["number"]
    closed = clients["operator"].post(edits, json={**edit, "meter": BERT}).json()["number"]
    asked: list[tuple[str, str, str, Any, str]] = [
        ("late", "POST", "edits", edit, "closed-history"),
        ("late", "POST", "edits", reading, "closed-history"),
        ("late", "DELETE", f"edits/{made}", None, "unknown-edit"),
        ("late", "PUT", f"meters/{ANNA}/devices", [], "closed-history"),
        ("late", "PUT", "locks/electricity", until, "part-of-site"),
        ("late", "POST", "locks/electricity/unlock", unlock, "part-of-site"),
        ("narrow", "POST", "edits", {**edit, "meter": BERT}, "closed-meter"),
        ("narrow", "DELETE", f"edits/{closed}", None, "unknown-edit"),
        ("narrow", "PUT", f"meters/{BERT}/devices", [], "closed-meter"),
        ("narrow", "PUT", "locks/electricity", until, "part-of-site"),
        ("narrow", "POST", "locks/electricity/unlock", unlock, "part-of-site"),
    ]
    for name, method, path, body, expected in asked:
        answer = clients[f"{name}-operator"].request(method, f"{OWN}/{path}", json=body)
        assert slug(answer) == expected, (name, method, path)
    for number in (made, closed):
        undone = clients["operator"].delete(f"{edits}/{number}")
        assert undone.status_code == 200, "nobody else undid it"
