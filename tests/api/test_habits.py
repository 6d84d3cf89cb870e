"""What public clients of the Climkit API are known to send and to count on, over real HTTP.

The requests are those of a Go client (2022) and of phone widgets in JavaScript (2026), as their
sources show them; the readings of the building here end now, as theirs do.
"""

import datetime as dt
import io
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import httpx2
import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.authorize import Habits, Role, SiteList
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.domain.metering.readings import MeterName
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.formats.readings.csv import readings_from_csv
from tests.api.conftest import PASSWORD, account, add, token
from tests.api.serving import application_of, client_of, served

SITE, GRID, FLAT, PV = "6" + "0" * 23, "6" + "1" * 23, "6" + "2" * 23, "6" + "3" * 23
NEVER_READ = "6" + "4" * 23
DECLARATION = f"""
site: {{id: "{SITE}", site_ref: CH-1, name: House, timezone: Europe/Zurich,
        creation_date: 2025-10-01,
        address: {{street_name: Main street, street_number: "1", city: Renens,
                   postal_code: "1020"}}}}
meters:
  - {{id: "{GRID}", name: Grid, type: electricity, mode: introduction, prim_ad: 10}}
  - {{id: "{FLAT}", name: Flat, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: "{PV}", name: PV, type: electricity, mode: production, prim_ad: 101}}
  - {{id: "{NEVER_READ}", name: Water, type: cold_water, mode: consumption, prim_ad: 31}}
"""
QUARTER = dt.timedelta(minutes=15)
DAYS = 400
# Rises of a quarter-hour [Wh]: the flat takes 40, the sun gives 58 of it and the rest goes out.
RISES = {GRID: ("en_im,en_ex", (5, 23)), FLAT: ("en_im", (40,)), PV: ("en_ex", (58,))}

Row = dict[str, object]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def last_at() -> dt.datetime:
    """Give the last full quarter-hour: until then there are readings."""
    at = now()
    return at - dt.timedelta(minutes=at.minute % 15, seconds=at.second)


def fill(store: SqlStore, last_at: dt.datetime) -> None:
    apply_declaration(store, declaration_from_yaml(DECLARATION.encode()), "test", int(time.time()))
    with store.snapshot() as snapshot:
        [site] = snapshot.catalogue.sites()
    quarters = DAYS * 96
    first_at = last_at - quarters * QUARTER
    for meter, (registers, rises) in RISES.items():
        lines = [f"timestamp,{registers}"]
        for count in range(quarters + 1):
            values = ",".join(f"{100 + rise * count / 1000:.3f}" for rise in rises)
            lines.append(f"{(first_at + count * QUARTER).isoformat()},{values}")
        stream = io.BytesIO("\n".join(lines).encode())
        [rows] = readings_from_csv(stream, meter=MeterName(id=meter))
        receipt = ingest_readings(store, site.number, rows, "test", "test", time.time_ns() // 1000)
        assert receipt.accepted == quarters + 1


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, last_at: dt.datetime) -> Iterator[str]:
    """Give the address of a server with 400 days of readings until now."""
    application = application_of(tmp_path_factory.mktemp("habits"))
    fill(application.store, last_at)
    add(application.store, account("widget", Role.DEVELOPER, SITE))
    add(application.store, account("ids", Role.DEVELOPER, SITE, site_list=SiteList.IDS))
    add(application.store, account("go", Role.DEVELOPER, SITE, habits=Habits.OF_2022))
    add(application.store, account("hasty", Role.DEVELOPER, SITE, rate_limited=True))
    with served(application) as url:
        yield url


@pytest.fixture(scope="module")
def widget(address: str) -> Iterator[httpx2.Client]:
    """Give a client signed in as the widgets are."""
    with client_of(address, token(address, "widget")) as client:
        yield client


@pytest.fixture(scope="module")
def go(address: str) -> Iterator[httpx2.Client]:
    """Give a client whose account has the habits of 2022, as the Go client reads answers."""
    with client_of(address, token(address, "go")) as client:
        yield client


def t(instant: dt.datetime) -> str:
    """As JavaScript's toISOString, cut to seconds: UTC with T and without a zone."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def blank(instant: dt.datetime) -> str:
    """As the Go client formats it: UTC with a blank and without a zone."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def rows(answer: httpx2.Response) -> list[Row]:
    assert answer.status_code == 200, answer.text
    found: list[Row] = answer.json()
    assert isinstance(found, list)
    return found


def site_data(client: httpx2.Client, body: object) -> list[Row]:
    return rows(client.post(f"/api/v1/site_data/{SITE}/electricity", json=body))


def stamp(row: Row) -> dt.datetime:
    """A stamp as the Go client reads it: it puts a T in the place of the blank."""
    return dt.datetime.fromisoformat(str(row["timestamp"]).replace(" ", "T", 1))


class TestWidgets:
    """JavaScript: naive UTC with T, `t_e` null or left out, sums without a sampling frequency."""

    def test_the_end_of_a_token_is_in_milliseconds(self, address: str) -> None:
        credentials = {"username": "widget", "password": PASSWORD}
        session = httpx2.post(f"{address}/api/v1/auth", json=credentials).json()

        ends = dt.datetime.fromtimestamp(session["valid_until"]["$date"] / 1000, dt.UTC)
        # It renews a minute before the end.
        left = ends - dt.timedelta(minutes=1) - now()
        assert dt.timedelta(minutes=13) < left <= dt.timedelta(minutes=14)

    def test_the_last_two_hours_of_a_meter(
        self, widget: httpx2.Client, last_at: dt.datetime
    ) -> None:
        body = {
            "t_s": t(last_at - dt.timedelta(hours=2)),
            "t_e": None,
            "sampling_frequency": "15T",
        }

        found = rows(widget.post(f"/api/v1/meter_data/{SITE}/{FLAT}", json=body))

        assert len(found) == 8
        assert {tuple(row) for row in found} == {("total", "self", "ext", "timestamp")}
        assert stamp(found[-1]) == last_at
        assert all(
            row["total"] == 0.04 and row["self"] == 0.035 and row["ext"] == 0.005 for row in found
        )

    def test_a_producer_has_no_shares_rather_than_null(self, widget: httpx2.Client) -> None:
        body = {"t_s": t(now() - dt.timedelta(hours=2)), "t_e": None, "sampling_frequency": "15T"}

        found = rows(widget.post(f"/api/v1/meter_data/{SITE}/{PV}", json=body))

        assert {tuple(row) for row in found} == {("total", "timestamp")}

    def test_a_day_of_the_site_without_end_and_frequency(
        self, widget: httpx2.Client, last_at: dt.datetime
    ) -> None:
        found = site_data(widget, {"t_s": t(last_at - dt.timedelta(hours=22))})

        assert len(found) == 88
        for name in ("prod_total", "conso_total", "from_ext", "self", "to_ext"):
            assert all(isinstance(row[name], float) for row in found), name
        assert round(sum(float(str(row["conso_total"])) for row in found), 3) == 3.52

    def test_nothing_yet_is_an_empty_array(self, widget: httpx2.Client) -> None:
        path = f"/api/v1/meter_data/{SITE}/{NEVER_READ}"

        assert rows(widget.post(path, json={"t_s": t(now()), "t_e": None})) == []

    def test_waiting_as_told_is_enough(self, address: str) -> None:
        with client_of(address, token(address, "hasty")) as hasty:
            path = f"/api/v1/installation_infos/{SITE}"
            answers = (hasty.get(path) for _ in range(100))
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert not isinstance(refused.json(), list), "it takes what is no array for an error"
            time.sleep(float(refused.headers["retry-after"]))
            assert hasty.get(path).status_code == 200


class TestGoClient:
    """Go: ids of sites, blank in times, an end a day ahead, windows of 30 days, kW from kWh x 4."""

    def test_sites_are_strings_that_name_paths(self, go: httpx2.Client) -> None:
        sites = go.get("/api/v1/all_installations").json()

        assert sites == [SITE]
        infos = go.get(f"/api/v1/installation_infos/{sites[0]}").json()
        assert infos["timezone"] == "Europe/Zurich"
        assert infos["creation_date"] == "2025-10-01T00:00:00"

    def test_an_address_has_the_keys_of_then(
        self, go: httpx2.Client, widget: httpx2.Client
    ) -> None:
        path = f"/api/v1/installation_infos/{SITE}"
        found = go.get(path).json()
        today = widget.get(path).json()

        assert found["address"]["city_name"] == "Renens"
        assert found["address"]["city_ref"] == 1020
        del found["address"]["city_name"], found["address"]["city_ref"]
        assert found == today, "what is answered today is not touched"

    def test_addresses_of_meters_are_numbers(
        self, go: httpx2.Client, widget: httpx2.Client
    ) -> None:
        path = f"/api/v1/meter_info/{SITE}"
        found = rows(go.get(path))

        assert sorted(str(row["prim_ad"]) for row in found) == ["10", "101", "11", "31"]
        assert all(isinstance(row["prim_ad"], int) for row in found)
        assert all(row.pop("virtual") is row["is_rule_meter"] for row in found)
        assert found == rows(widget.get(path))

    def test_every_meter_has_its_energy(
        self, go: httpx2.Client, widget: httpx2.Client, last_at: dt.datetime
    ) -> None:
        """It asks for the site alone, and reads `total_<id>` of every meter that it was told."""
        body = {"t_s": blank(last_at - dt.timedelta(hours=1)), "t_e": blank(last_at)}

        read = [
            {meter: row.get(f"total_{meter}", 0.0) for meter in (FLAT, PV, GRID)}
            for row in site_data(go, body)
        ]

        assert read == [{FLAT: 0.04, PV: 0.058, GRID: 0.0}] * 4
        [row, *_] = site_data(go, body)
        assert (row[f"self_{FLAT}"], row[f"ext_{FLAT}"]) == (0.035, 0.005)
        numbers = {key: value for key, value in row.items() if key != "timestamp"}
        assert all(isinstance(value, float) for value in numbers.values())
        assert list(row)[-1] == "timestamp"
        assert site_data(go, body) == site_data(widget, {**body, "meters": True})

    def test_bare_ids_alone_change_nothing_else(
        self, address: str, widget: httpx2.Client, last_at: dt.datetime
    ) -> None:
        body = {"t_s": blank(last_at - dt.timedelta(hours=1)), "t_e": blank(last_at)}
        with client_of(address, token(address, "ids")) as ids:
            assert ids.get("/api/v1/all_installations").json() == [SITE]
            assert site_data(ids, body) == site_data(widget, body)
            for path in (f"installation_infos/{SITE}", f"meter_info/{SITE}"):
                assert ids.get(f"/api/v1/{path}").json() == widget.get(f"/api/v1/{path}").json()

    def test_until_tomorrow(self, go: httpx2.Client, last_at: dt.datetime) -> None:
        body = {
            "t_s": blank(last_at - dt.timedelta(hours=1)),
            "t_e": blank(now() + dt.timedelta(hours=24)),
        }

        found = site_data(go, body)

        assert [stamp(row) for row in found] == [
            last_at - count * QUARTER for count in (3, 2, 1, 0)
        ]

    def test_the_whole_history_in_windows_of_30_days(
        self, go: httpx2.Client, last_at: dt.datetime
    ) -> None:
        start = last_at - dt.timedelta(days=DAYS)
        found: list[Row] = []
        while start < last_at:
            end = start + dt.timedelta(days=30)
            found += site_data(go, {"t_s": blank(start), "t_e": blank(end)})
            start = end

        stamps = [stamp(row) for row in found]
        assert len(found) == DAYS * 96
        assert {after - before for before, after in pairwise(stamps)} == {QUARTER}
        assert stamps[-1] == last_at
        assert round(sum(float(str(row["self"])) * 1000 for row in found)) == 35 * len(found)

    def test_a_year_in_one_call(self, go: httpx2.Client, last_at: dt.datetime) -> None:
        year = dt.timedelta(days=365)

        found = site_data(go, {"t_s": blank(last_at - year), "t_e": blank(last_at)})

        assert len(found) == 365 * 96
        assert all(None not in row.values() for row in found)


@pytest.mark.parametrize(
    "write",
    [
        t,
        blank,
        lambda at: t(at) + "Z",
        lambda at: (at + dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        lambda at: (at - dt.timedelta(hours=5)).strftime("%Y-%m-%d %H:%M:%S-0500"),
        lambda at: {"$date": int(at.timestamp() * 1000)},
    ],
    ids=["T", "blank", "Z", "offset", "blank and offset without colon", "$date"],
)
def test_the_same_window_however_it_is_written(
    widget: httpx2.Client, last_at: dt.datetime, write: Callable[[dt.datetime], object]
) -> None:
    start = last_at - dt.timedelta(hours=3)
    body = {"t_s": write(start), "t_e": write(last_at)}

    found = site_data(widget, body)

    assert [stamp(row) for row in found] == [start + (count + 1) * QUARTER for count in range(12)]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b'{"t_s": null, "t_e": null, "sampling_frequency": null}']
)
def test_nothing_asked_is_the_last_day(
    widget: httpx2.Client, last_at: dt.datetime, content: bytes
) -> None:
    day = dt.timedelta(days=1)
    earliest = now() - day

    answer = widget.post(f"/api/v1/site_data/{SITE}/electricity", content=content)

    found = [stamp(row) for row in rows(answer)]
    assert earliest < found[0] <= now() - day + QUARTER
    assert found[-1] == last_at


def test_an_end_alone_asks_for_the_day_before_it(
    widget: httpx2.Client, last_at: dt.datetime
) -> None:
    end = last_at - dt.timedelta(days=50)

    found = site_data(widget, {"t_e": t(end)})

    assert [stamp(found[0]), stamp(found[-1])] == [end - dt.timedelta(days=1) + QUARTER, end]


def test_the_start_after_the_end_is_told(widget: httpx2.Client, last_at: dt.datetime) -> None:
    body = {"t_s": t(last_at), "t_e": t(last_at - QUARTER)}
    for path in (f"site_data/{SITE}/electricity", f"meter_data/{SITE}/{FLAT}"):
        answer = widget.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 422
        assert answer.json()["field"] == "t_s"
        assert "t_e" in answer.json()["detail"]


def test_times_out_are_local_with_a_blank_and_an_offset(
    widget: httpx2.Client, last_at: dt.datetime
) -> None:
    [row] = site_data(widget, {"t_s": t(last_at - QUARTER), "t_e": t(last_at)})

    text = str(row["timestamp"])
    assert dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S%z") == last_at
    assert text[10] == " "
    assert text[-6:] in ("+01:00", "+02:00")
