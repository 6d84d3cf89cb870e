"""What is closed to an account makes no difference to any answer that it gets.

Two stores that differ only in what is closed are asked everything, reading and changing, and have
to answer alike: status, headers, and body, byte by byte.
"""

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.app.accounts.administer import make_key
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.accounts.grants import GrantChange, grant_sites
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.bootstrap import Application, build_application
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.conftest import account, add
from tests.api.serving import QUICK, client_of, served, settings_of

SITE = "61dfc9a0eba4e3564021f36a"
ID = "61dfcb4beba4e3563fdf%04d"
GRID, PV, BERT, ANNA, BERTA, SUM, PROBE = (ID % number for number in range(1, 8))
"""Anna stands between her neighbours, where sums in the order of the meters pass by."""
WATER, WATER_BERT, WATER_BERTA = (ID % number for number in range(11, 14))
SENSOR = ID % 20
HOUSE = f"""
site: {{id: "{SITE}", site_ref: HOUSE-1, name: House, timezone: Europe/Zurich,
        electricity: {{key: %s}}}}
meters:
  - {{id: "{GRID}", name: Grid, type: electricity, mode: introduction, prim_ad: 10}}
  - {{id: "{PV}", name: PV, type: electricity, mode: production, prim_ad: 101}}
  - {{id: "{ANNA}", name: Anna, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: "{BERT}", name: Bert, type: electricity, mode: consumption, prim_ad: 12, priority: 2}}
  - {{id: "{BERTA}", name: Berta, type: electricity, mode: consumption, prim_ad: 13, priority: 1}}
  - {{id: "{SUM}", name: Both, type: electricity, mode: consumption, prim_ad: 14, balance: false,
     rule: "prim_ad:12 + prim_ad:13"}}
  - {{id: "{PROBE}", name: Probe, type: electricity, mode: consumption, prim_ad: 15,
     balance: false, interval: PT15M, register_meter: "prim_ad:12"}}
  - {{id: "{WATER}", name: Water, type: cold_water, mode: consumption, prim_ad: 31}}
  - {{id: "{WATER_BERT}", name: Water Bert, type: cold_water, mode: consumption, prim_ad: 32}}
  - {{id: "{WATER_BERTA}", name: Water Berta, type: cold_water, mode: consumption, prim_ad: 33}}
sensors:
  - {{id: "{SENSOR}", name: Stairwell, type: temperature, unit: "C", model: T1}}
"""
OPEN = (GRID, PV, ANNA, SUM, PROBE, WATER)
CLOSED = (BERT, BERTA, WATER_BERT, WATER_BERTA)
FIRST_AT = int(dt.datetime(2026, 3, 1, 23, tzinfo=dt.UTC).timestamp())
HISTORY_AT = FIRST_AT + 86_400
"""Midnight in Zurich of 3 March: the limited accounts see what is from here on."""
LAST_AT = FIRST_AT + 2 * 86_400
NOW = LAST_AT + 3_600
# Rises of a quarter-hour [Wh, litre]: the books close on 45 from the grid and 13 into it. Half of
# what is used is the site's own, so that no share is rounded by those before it.
RISES = {
    (GRID, "en_im"): 45,
    (GRID, "en_ex"): 13,
    (PV, "en_ex"): 58,
    (ANNA, "en_im"): 40,
    (BERT, "en_im"): 20,
    (BERTA, "en_im"): 30,
    (WATER, "vol_m3"): 7,
    (WATER_BERT, "vol_m3"): 5,
    (WATER_BERTA, "vol_m3"): 6,
}
OWN = f"/commonwatt/v1/sites/{SITE}"
QUIET = ("date", "server")
V1, AT = "/api/v1", "/commonwatt/v1/sites/{site_id}"
BEFORE, AFTER = HISTORY_AT - 7_200, HISTORY_AT + 21_600

Rows = list[dict[str, object]]


def utc(instant_at: int) -> str:
    return dt.datetime.fromtimestamp(instant_at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ALL_TIMES = {"t_s": utc(FIRST_AT - 86_400), "t_e": utc(NOW)}
BODIES = (None, ALL_TIMES, {**ALL_TIMES, "sampling_frequency": "D", "meters": True})
PERIOD = {"start": utc(FIRST_AT - 86_400), "end": utc(NOW)}
PERIODS = (
    PERIOD,
    {**PERIOD, "as_of": utc(NOW)},
    {**PERIOD, "start": "2024-01-01", "as_of": utc(NOW)},
    {**PERIOD, "sampling": "M"},
)


class Request(NamedTuple):
    """A request of an operation: its method, the path's template and what is filled in."""

    method: str
    template: str
    words: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: object = None

    @property
    def path(self) -> str:
        words = {"site_id": SITE, **self.words}
        return re.sub(r"{(\w+)}", lambda found: words[found[1]], self.template)


class Clock:
    """The servers' clock, which the test moves."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class Store(NamedTuple):
    """A served store, with clients by account name."""

    application: Application
    clock: Clock
    clients: Mapping[str, httpx2.Client]

    def change(self, request: Request) -> Any:
        """Let the landlord, who sees all, change something."""
        self.clock.now += 1
        client = self.clients["landlord"]
        answer = client.request(request.method, request.path, json=request.body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def deliver(self, rows: Rows) -> None:
        receipt = self.change(Request("PUT", f"{OWN}/readings", body=rows))
        assert receipt["rejected"] == []

    def asked(self, name: str, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        """All that an account is answered."""
        body = None if request.body is None else json.dumps(request.body).encode()
        answer = self.clients[name].request(
            request.method, request.path, params=request.query, content=body
        )
        headers = [(k, v) for k, v in answer.headers.multi_items() if k not in QUIET]
        return answer.status_code, headers, answer.content


def readings(rises: Mapping[tuple[str, str], int], first_at: int, last_at: int) -> Rows:
    """Rows of all index meters, whose indexes at HISTORY_AT are round whatever they rise by."""
    rows: Rows = []
    for at in range(first_at, last_at + 1, 900):
        quarters = (at - HISTORY_AT) // 900
        for (meter, register), rise in rises.items():
            index = (1_000_000 + rise * quarters) / 1000
            rows.append({"meter": meter, "timestamp": utc(at), register: index})
        rows.append({"meter": PROBE, "timestamp": utc(at), "en_im": 0.02})
    return rows


@contextlib.contextmanager
def opened(data: Path, key: str = "pro_rata") -> Iterator[Store]:
    """Serve a store of the house with an account of every kind."""
    clock = Clock()
    application = build_application(settings_of(data), clock, QUICK)
    store = application.store
    apply_declaration(store, declaration_from_yaml((HOUSE % key).encode()), "test", FIRST_AT)
    names = []
    for role in Role:
        for kind in ("whole", "narrow", "late"):
            is_landlord = (role, kind) == (Role.OPERATOR, "whole")
            names.append("landlord" if is_landlord else f"{kind}-{role}")
            add(store, account(names[-1], role))
    accounts = SqlAccountStore(store.database)
    for name in names:
        wanted = GrantChange()
        if name.startswith("narrow"):
            wanted = GrantChange(closed_meters=CLOSED, meters=())
        if name.startswith("late"):
            wanted = GrantChange(history_from=dt.date(2026, 3, 3))
        grant_sites(accounts, name, [SITE], wanted, at=NOW, by="test")
        if name.startswith("narrow"):
            grant_sites(accounts, name, [SITE], GrantChange(meters=["Both"]), at=NOW, by="test")
    with served(application) as url, contextlib.ExitStack() as stack:
        clients = {
            name: stack.enter_context(client_of(url, make_key(accounts, name, at=NOW, by="test")))
            for name in names
        }
        yield Store(application, clock, clients)


def asked_of_meters(meters: Sequence[str]) -> Iterator[Request]:
    """What is asked of one meter on both surfaces, over all times and over none."""
    for meter in meters:
        words = {"meter_id": meter}
        for body in BODIES:
            for name in ("meter_data", "meter_data_raw"):
                yield Request("POST", f"{V1}/{name}/{{site_id}}/{{meter_id}}", words, body=body)
        for query in PERIODS:
            yield Request("GET", f"{AT}/meters/{{meter_id}}/series", words, query)
        yield Request("GET", f"{AT}/meters/{{meter_id}}/devices", words)
        for at in (FIRST_AT + 7_200, HISTORY_AT, HISTORY_AT + 43_200, LAST_AT):
            yield Request("GET", f"{AT}/explain", query={"meter": meter, "at": utc(at)})


def asked_of_the_site() -> Iterator[Request]:
    """What is asked of the site as a whole."""
    yield Request("GET", f"{V1}/all_installations")
    for name in ("installation_infos/{site_id}", "meter_info/{site_id}", "{site_id}/sensors_list"):
        yield Request("GET", f"{V1}/{name}")
    for body in BODIES:
        for medium in ("electricity", "cold_water", "heating"):
            words = {"meter_type": medium}
            yield Request("POST", f"{V1}/site_data/{{site_id}}/{{meter_type}}", words, body=body)
    for query in ({}, ALL_TIMES):
        words = {"sensor_id": SENSOR}
        yield Request("GET", f"{V1}/{{site_id}}/sensor_data/{{sensor_id}}", words, query)
    for name in ("status", "findings", "resolutions", "edits", "locks", "differences", "worklist"):
        yield Request("GET", f"{AT}/{name}")
    for name in ("findings", "differences", "worklist"):
        yield Request("GET", f"{AT}/{name}", query=PERIOD)
    for query in PERIODS:
        for medium in ("electricity", "cold_water"):
            yield Request("GET", f"{AT}/balance", query={**query, "type": medium})
    yield Request("GET", "/health")
    yield Request("GET", "/ready")


def reading_requests() -> list[Request]:
    """Every reading operation of both surfaces."""
    return [*asked_of_the_site(), *asked_of_meters((*OPEN, *CLOSED))]


def changing_requests(finding: str) -> list[Request]:
    """Every changing operation, aimed at what is open and at what is closed."""
    return [*changes_of_meters(), *changes_of_the_site(finding)]


def changes_of_meters() -> Iterator[Request]:
    for meter in (ANNA, BERT):
        for at in (BEFORE, AFTER):
            row = {"meter": meter, "timestamp": utc(at), "en_im": 1000.0}
            yield Request("PUT", f"{AT}/readings", body=[row])
            span = {"start": utc(at), "end": utc(at + 900), "energy": 0.04}
            yield Request("POST", f"{AT}/edits", body={"meter": meter, "reason": "x", **span})
            reading = {"at": utc(at), "index": 1000.0}
            yield Request("POST", f"{AT}/edits", body={"meter": meter, "reason": "x", **reading})
        words = {"meter_id": meter}
        yield Request("PUT", f"{AT}/meters/{{meter_id}}/devices", words, body=[{"serial": "A"}])


def changes_of_the_site(finding: str) -> Iterator[Request]:
    row = {"sensor": SENSOR, "timestamp": utc(BEFORE), "value": 20.0}
    yield Request("PUT", f"{AT}/sensor_readings", body=[row])
    for number in range(1, 5):
        yield Request("DELETE", f"{AT}/edits/{{number}}", {"number": str(number)})
    for each in (finding, "0" * 12):
        path, words = f"{AT}/findings/{{finding_id}}/resolve", {"finding_id": each}
        yield Request("POST", path, words, body={"as": "faulty", "reason": "x"})
        yield Request("DELETE", path, words)
    for until in (BEFORE, AFTER):
        words, body = {"group": "electricity"}, {"until": utc(until)}
        yield Request("PUT", f"{AT}/locks/{{group}}", words, body=body)
        unlock = {**body, "reason": "x"}
        yield Request("POST", f"{AT}/locks/{{group}}/unlock", words, body=unlock)


def differing(
    stores: Sequence[Store], names: Sequence[str], requests: Sequence[Request]
) -> list[str]:
    """The requests that two stores answer differently, to be read by people."""
    found: list[str] = []
    for name in names:
        for request in requests:
            for store in stores:
                store.clock.now = max(each.clock.now for each in stores)
            one, other = (store.asked(name, request) for store in stores)
            if one != other:
                found.append(
                    f"{name}: {request.method} {request.path} {request.query} "
                    f"{request.body}\n  {one}\n  {other}"
                )
    return found


def finding_of(store: Store, meter: str, rule: str) -> str:
    listed = store.clients["landlord"].get(f"{OWN}/findings").json()
    return next(str(row["id"]) for row in listed if (row["meter"], row["rule"]) == (meter, rule))


# --- closed meters --------------------------------------------------------------------------------


def fill_closed(store: Store, bert: str, berta: str, waters: tuple[str, str]) -> str:
    """Let one neighbour use what the other does elsewhere: what they use together is the same.

    Whatever can be said of a meter is said of one of them. Returns the id of a finding about it.
    """
    rises = {
        **RISES,
        (bert, "en_im"): 20,
        (berta, "en_im"): 30,
        (waters[0], "vol_m3"): 5,
        (waters[1], "vol_m3"): 6,
    }
    store.deliver(readings(rises, FIRST_AT, LAST_AT))
    store.deliver([{"meter": bert, "timestamp": utc(HISTORY_AT + 901), "en_im": 0.001}])
    noon = HISTORY_AT + 43_200
    for meter, energy in ((bert, 0.05), (berta, 0.01)):
        span = {"start": utc(noon), "end": utc(noon + 900), "energy": energy, "reason": "x"}
        store.change(Request("POST", f"{OWN}/edits", body={"meter": meter, **span}))
    devices = [{"serial": "A" if meter == bert else "B"} for meter in (BERT,)]
    store.change(Request("PUT", f"{OWN}/meters/{BERT}/devices", body=devices))
    store.change(
        Request(
            "PUT", f"{OWN}/locks/electricity", body={"until": utc(noon + 7_200), "despite": bert}
        )
    )
    for meter, step in ((bert, 0.003), (berta, -0.003)):
        rise = rises[meter, "en_im"] * 44 / 1000
        row = {"meter": meter, "timestamp": utc(HISTORY_AT + 44 * 900), "en_im": 1000 + rise + step}
        store.deliver([row])
    return finding_of(store, bert, "index-out-of-order")


@pytest.fixture(scope="module", params=["pro_rata", "priority"])
def closed_pair(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Sequence[Store], str]]:
    """Give two stores that differ in which of the neighbours used what, and a finding of one."""
    folder, key = tmp_path_factory.mktemp("closed"), request.param
    with opened(folder / "a", key) as one, opened(folder / "b", key) as two:
        finding = fill_closed(one, BERT, BERTA, (WATER_BERT, WATER_BERTA))
        fill_closed(two, BERTA, BERT, (WATER_BERTA, WATER_BERT))
        yield (one, two), finding


NARROW = ("narrow-developer", "narrow-operator", "narrow-gateway")


@pytest.mark.slow
def test_closed_meters_make_no_difference(closed_pair: tuple[Sequence[Store], str]) -> None:
    stores, finding = closed_pair
    reading, changing = reading_requests(), changing_requests(finding)
    assert differing(stores, NARROW, reading) == []
    assert differing(stores, ["narrow-operator"], changing) == []
    assert differing(stores, ["narrow-operator"], reading) == []
    assert len(differing(stores, ["landlord"], reading)) > 20, "there is something to hide"


# --- before the history ---------------------------------------------------------------------------


def fill_before(store: Store, factor: int) -> str:
    """Let all that was before the history be another: use, findings, edits, devices, locks."""
    before = {key: rise * factor for key, rise in RISES.items()}
    until_at = HISTORY_AT - 900 - 86_400 * (factor - 1)
    store.deliver(readings(before, FIRST_AT - 86_400 * factor, until_at))
    store.deliver(readings(RISES, HISTORY_AT, LAST_AT))
    store.deliver([{"meter": ANNA, "timestamp": utc(FIRST_AT + 901), "en_im": 0.001 * factor}])
    values = [(FIRST_AT + 3_600, 20.0 * factor)]
    rows = [{"sensor": SENSOR, "timestamp": utc(at), "value": value} for at, value in values]
    store.change(Request("PUT", f"{OWN}/sensor_readings", body=rows))
    finding = finding_of(store, ANNA, "index-out-of-order")
    if factor == 2:
        resolve = f"{OWN}/findings/{finding}/resolve"
        store.change(Request("POST", resolve, body={"as": "faulty", "reason": "x"}))
    exchange = [{"serial": "A"}, {"from": utc(FIRST_AT + 36_000 * factor), "serial": "B"}]
    store.change(Request("PUT", f"{OWN}/meters/{PV}/devices", body=exchange))
    span = {"start": utc(FIRST_AT + 7_200), "end": utc(FIRST_AT + 8_100), "reason": "x"}
    energy = {"meter": ANNA, "energy": 0.01 * factor}
    store.change(Request("POST", f"{OWN}/edits", body={**energy, **span}))
    until = {"until": utc(FIRST_AT + 14_400 * factor), "despite": "x" * factor}
    store.change(Request("PUT", f"{OWN}/locks/electricity", body=until))
    return finding


LATE = ("late-developer", "late-operator", "late-gateway")


@pytest.mark.slow
def test_what_was_before_the_history_makes_no_difference(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as two:
        finding = fill_before(one, 1)
        fill_before(two, 2)
        reading, changing = reading_requests(), changing_requests(finding)
        stores = one, two
        assert differing(stores, LATE, reading) == []
        assert differing(stores, ["late-operator"], changing) == []
        assert differing(stores, ["late-operator"], reading) == []
        assert len(differing(stores, ["landlord"], reading)) > 20, "there is something to hide"


# --- receipts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["whole-gateway", "narrow-gateway", "narrow-operator"])
def test_a_guess_is_answered_like_any_other(
    closed_pair: tuple[Sequence[Store], str], name: str
) -> None:
    stores, _ = closed_pair
    at = HISTORY_AT + 10 * 900
    right = {"meter": BERT, "timestamp": utc(at), "en_im": 1000.2}
    guess = Request("PUT", "/commonwatt/v1/sites/{site_id}/readings", body=[right])
    assert differing(stores, [name], [guess]) == []
    told = json.loads(stores[0].asked(name, guess)[2])
    assert told["accepted"] == 1
    assert told["delivery"] is None
    landlord = json.loads(stores[0].asked("landlord", guess)[2])
    assert (landlord["accepted"], landlord["unchanged"]) == (0, 1), "it was right"


# --- totals that are withheld ---------------------------------------------------------------------


def test_totals_are_told_unless_too_few_consumers_are_closed(
    closed_pair: tuple[Sequence[Store], str],
) -> None:
    (store, _), _ = closed_pair
    accounts = SqlAccountStore(store.application.store.database)
    asked: Sequence[Callable[[], httpx2.Response]] = (
        lambda: store.clients["narrow-developer"].post(f"/api/v1/site_data/{SITE}/electricity"),
        lambda: store.clients["narrow-developer"].get(f"{OWN}/balance"),
    )
    for least, status in ((2, 200), (3, 403), (0, 200)):
        wanted = GrantChange(least_closed=least)
        grant_sites(accounts, "narrow-developer", [SITE], wanted, at=NOW, by="test")
        for ask in asked:
            answer = ask()
            assert answer.status_code == status, least
            assert status == 200 or answer.json()["type"].endswith(":closed-totals")


def test_a_single_consumer_is_not_told_where_totals_are_withheld(tmp_path: Path) -> None:
    """Bert alone is closed, with the grid meter: the sun, and so all shares, are the same."""
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as two:
        for store, more in ((one, 0), (two, 5)):
            rises = {key: rise for key, rise in RISES.items() if key[0] not in (PV, WATER_BERTA)}
            rises |= {(BERT, "en_im"): 20 + more, (GRID, "en_im"): 90 + more, (GRID, "en_ex"): 0}
            store.deliver(readings(rises, FIRST_AT, LAST_AT))
            few = GrantChange(all_meters=True, closed_meters=["Bert", "Grid", "PV"], least_closed=3)
            accounts = SqlAccountStore(store.application.store.database)
            for name in NARROW:
                grant_sites(accounts, name, [SITE], few, at=NOW, by="test")
        requests = reading_requests()
        assert differing((one, two), NARROW, requests) == []
        assert len(differing((one, two), ["landlord"], requests)) > 10


def test_every_operation_is_asked(closed_pair: tuple[Sequence[Store], str]) -> None:
    (store, _), finding = closed_pair
    asked = {
        (request.method, request.template)
        for request in (*reading_requests(), *changing_requests(finding))
    }
    document = store.application.app.openapi()["paths"]
    known = {(method.upper(), path) for path, methods in document.items() for method in methods}
    assert known - asked == {("POST", "/api/v1/auth")}, "a new operation has to be asked here too"
