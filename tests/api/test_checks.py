"""Who may ask what: the order of checks, rights, and errors of one shape."""

from typing import Any, ClassVar

import httpx2
import pytest

from tests.api import building
from tests.api.building import ANNA, BERT, COMMON, NEIGHBOUR, NEIGHBOUR_METER, SITE, UNKNOWN_ID
from tests.api.conftest import Clients
from tests.api.serving import client_of

OWN = f"/commonwatt/v1/sites/{SITE}"


def problem(answer: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    """Hold an answer to the one shape of errors."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (
        {"type", "title", "status", "detail"}
        <= set(body)
        <= {
            "type",
            "title",
            "status",
            "detail",
            "field",
        }
    )
    assert body["type"] == f"urn:commonwatt:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


class TestWithoutAToken:
    @pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer x.y.z"])
    def test_is_401_with_a_challenge(self, address: str, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header}
        answer = httpx2.get(f"{address}/api/v1/meter_info/{SITE}", headers=headers)

        problem(answer, 401, "not-signed-in")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/v1/all_installations"),
            ("GET", f"/api/v1/installation_infos/{UNKNOWN_ID}"),
            ("POST", f"/api/v1/site_data/{UNKNOWN_ID}/nonsense"),
            ("POST", f"/api/v1/meter_data/{UNKNOWN_ID}/{UNKNOWN_ID}"),
            ("POST", f"/api/v1/meter_data_raw/{UNKNOWN_ID}/{UNKNOWN_ID}"),
            ("GET", f"/api/v1/{UNKNOWN_ID}/sensors_list"),
            ("GET", f"/api/v1/{UNKNOWN_ID}/sensor_data/{UNKNOWN_ID}"),
            ("PUT", f"/commonwatt/v1/sites/{UNKNOWN_ID}/readings?nonsense=1"),
            ("PUT", f"/commonwatt/v1/sites/{UNKNOWN_ID}/sensor_readings"),
            ("GET", f"/commonwatt/v1/sites/{UNKNOWN_ID}/status"),
            ("GET", f"/commonwatt/v1/sites/{UNKNOWN_ID}/findings"),
            ("GET", f"/commonwatt/v1/sites/{UNKNOWN_ID}/meters/{UNKNOWN_ID}/series"),
        ],
    )
    def test_nothing_else_is_told(self, address: str, method: str, path: str) -> None:
        problem(httpx2.request(method, address + path), 401, "not-signed-in")


class TestOrder:
    def test_an_unknown_site_comes_before_wrong_input(self, reader: httpx2.Client) -> None:
        answer = reader.post(f"/api/v1/site_data/{UNKNOWN_ID}/nonsense", content=b"{")
        problem(answer, 404, "unknown-site")

    def test_wrong_input_comes_before_an_unknown_meter(self, reader: httpx2.Client) -> None:
        answer = reader.post(f"/api/v1/meter_data/{SITE}/{UNKNOWN_ID}", json={"t_s": "x"})
        assert problem(answer, 422, "invalid-input")["field"] == "t_s"
        answer = reader.post(f"/api/v1/meter_data/{SITE}/{UNKNOWN_ID}", json={})
        problem(answer, 404, "unknown-meter")

    def test_closed_comes_before_the_rule_meter(self, client: Clients) -> None:
        narrow = client("narrow")
        problem(narrow.post(f"/api/v1/meter_data_raw/{SITE}/{BERT}"), 403, "closed-meter")
        problem(narrow.post(f"/api/v1/meter_data_raw/{SITE}/{COMMON}"), 409, "rule-meter")

    def test_the_rate_comes_before_the_site(self, address: str, client: Clients) -> None:
        hasty = client("hasty")
        problem(hasty.get(f"/api/v1/meter_info/{UNKNOWN_ID}"), 404, "unknown-site")
        refused = hasty.get(f"/api/v1/meter_info/{SITE}")

        problem(refused, 429, "too-many-requests")
        assert refused.headers["retry-after"] == "1"
        # Counted by route template: other routes and sensors_list are not held back.
        assert hasty.get(f"/api/v1/installation_infos/{SITE}").status_code == 200
        assert all(hasty.get(f"/api/v1/{SITE}/sensors_list").status_code == 200 for _ in range(3))


class TestSites:
    @pytest.mark.parametrize("kind", ["installation_infos", "meter_info"])
    def test_a_foreign_site_looks_like_none(self, reader: httpx2.Client, kind: str) -> None:
        foreign = problem(reader.get(f"/api/v1/{kind}/{NEIGHBOUR}"), 404, "unknown-site")
        unknown = problem(reader.get(f"/api/v1/{kind}/{UNKNOWN_ID}"), 404, "unknown-site")

        assert {
            key: str(value).replace(UNKNOWN_ID, NEIGHBOUR) for key, value in unknown.items()
        } == {key: str(value) for key, value in foreign.items()}

    @pytest.mark.parametrize("site", ["%00", "x", "é", "61DFC9A0EBA4E3564021F36A", "'--"])
    def test_no_id_at_all_is_an_unknown_site(self, reader: httpx2.Client, site: str) -> None:
        problem(reader.get(f"/api/v1/meter_info/{site}"), 404, "unknown-site")

    def test_an_account_without_grants_has_no_sites(self, client: Clients) -> None:
        nobody = client("nobody")
        assert nobody.get("/api/v1/all_installations").json() == []
        problem(nobody.get(f"/api/v1/meter_info/{SITE}"), 404, "unknown-site")


READS = [
    ("GET", f"/api/v1/installation_infos/{SITE}"),
    ("GET", f"/api/v1/meter_info/{SITE}"),
    ("POST", f"/api/v1/site_data/{SITE}/electricity"),
    ("POST", f"/api/v1/meter_data/{SITE}/{ANNA}"),
    ("POST", f"/api/v1/meter_data_raw/{SITE}/{ANNA}"),
    ("GET", f"/api/v1/{SITE}/sensors_list"),
    ("GET", f"/api/v1/{SITE}/sensor_data/{building.SENSOR}"),
    ("GET", f"{OWN}/status"),
    ("GET", f"{OWN}/findings"),
    ("GET", f"{OWN}/meters/{ANNA}/series"),
]
WRITES = [("PUT", f"{OWN}/readings"), ("PUT", f"{OWN}/sensor_readings")]


class TestRoles:
    @pytest.mark.parametrize(("method", "path"), READS)
    @pytest.mark.parametrize(
        ("name", "status"),
        [("reader", 200), ("operator", 200), ("gateway", 403), ("nobody", 404)],
    )
    def test_reading(self, client: Clients, method: str, path: str, name: str, status: int) -> None:
        answer = client(name).request(method, path)
        assert answer.status_code == status, answer.text
        if status == 403:
            problem(answer, 403, "role-forbids")

    @pytest.mark.parametrize(("method", "path"), WRITES)
    @pytest.mark.parametrize(
        ("name", "status"),
        [("reader", 403), ("operator", 200), ("gateway", 200), ("nobody", 404)],
    )
    def test_writing(self, client: Clients, method: str, path: str, name: str, status: int) -> None:
        answer = client(name).request(method, path, json=[])
        assert answer.status_code == status, answer.text

    @pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
    def test_a_foreign_site_is_404_for_every_role(
        self, client: Clients, method: str, path: str
    ) -> None:
        for name in ("reader", "operator", "gateway"):
            answer = client(name).request(method, path.replace(SITE, NEIGHBOUR))
            problem(answer, 404, "unknown-site")

    def test_a_gateway_lists_no_sites(self, client: Clients) -> None:
        problem(client("gateway").get("/api/v1/all_installations"), 403, "role-forbids")

    def test_a_foreign_meter_or_sensor_is_unknown(self, client: Clients) -> None:
        # Even for who may see both sites: an id belongs to its own.
        for name in ("reader", "landlord"):
            asking = client(name)
            for path in (
                f"/api/v1/meter_data/{SITE}/{NEIGHBOUR_METER}",
                f"/api/v1/meter_data_raw/{SITE}/{NEIGHBOUR_METER}",
            ):
                problem(asking.post(path), 404, "unknown-meter")
            series = asking.get(f"{OWN}/meters/{NEIGHBOUR_METER}/series")
            problem(series, 404, "unknown-meter")
            sensor = asking.get(f"/api/v1/{SITE}/sensor_data/{building.NEIGHBOUR_SENSOR}")
            problem(sensor, 404, "unknown-sensor")

    def test_a_foreign_meter_takes_no_readings(self, client: Clients) -> None:
        row = {"meter": NEIGHBOUR_METER, "timestamp": "2026-03-21", "en_im": 1}
        receipt = client("landlord").put(f"{OWN}/readings", json=[row]).json()
        assert (receipt["accepted"], len(receipt["rejected"])) == (0, 1)


class TestClosedMeters:
    def test_are_listed(self, client: Clients) -> None:
        listed = client("narrow").get(f"/api/v1/meter_info/{SITE}").json()
        assert BERT in {meter["id"] for meter in listed}

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", f"/api/v1/meter_data/{SITE}/{BERT}"),
            ("POST", f"/api/v1/meter_data_raw/{SITE}/{BERT}"),
            ("GET", f"{OWN}/meters/{BERT}/series"),
        ],
    )
    def test_are_403_when_asked_for(self, client: Clients, method: str, path: str) -> None:
        problem(client("narrow").request(method, path), 403, "closed-meter")

    def test_have_no_columns(self, client: Clients) -> None:
        asked = {"t_s": "2026-03-21", "t_e": "2026-03-22", "meters": True}
        rows = client("narrow").post(f"/api/v1/site_data/{SITE}/electricity", json=asked).json()

        assert rows
        assert not any(BERT in key for row in rows for key in row)
        assert all(f"total_{ANNA}" in row for row in rows)


class TestHistory:
    """The account `late` sees from 2026-03-22 00:00 local, that is 2026-03-21 23:00 UTC, on."""

    ALL: ClassVar = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-23T00:00:00"}

    def test_moves_the_start_up(self, client: Clients) -> None:
        late = client("late")
        rows = late.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=self.ALL).json()
        assert rows[0]["timestamp"] == "2026-03-22 00:15:00+01:00"
        rows = late.post(f"/api/v1/site_data/{SITE}/electricity", json=self.ALL).json()
        assert rows[0]["timestamp"] == "2026-03-22 00:15:00+01:00"
        rows = late.post(f"/api/v1/meter_data_raw/{SITE}/{ANNA}", json=self.ALL).json()
        assert rows[0]["timestamp"] == "2026-03-22 00:00:00+01:00"
        rows = late.get(
            f"{OWN}/meters/{ANNA}/series", params={"start": "2026-03-21", "end": "2026-03-23"}
        ).json()
        assert rows[0]["start"] == "2026-03-21T23:00:00Z"

    def test_hides_what_lies_wholly_before(self, client: Clients) -> None:
        late = client("late")
        before = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-21T12:00:00"}
        for path in (
            f"/api/v1/meter_data/{SITE}/{ANNA}",
            f"/api/v1/site_data/{SITE}/electricity",
            f"/api/v1/meter_data_raw/{SITE}/{ANNA}",
        ):
            answer = late.post(path, json=before)
            assert (answer.status_code, answer.json()) == (200, [])
        sensor = f"/api/v1/{SITE}/sensor_data/{building.SENSOR}"
        assert late.get(sensor).json() == []
        assert late.get(sensor, params=before).json() == []


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b"{", "body"),
            (b"[]", "body"),
            (b"\xff", "body"),
            (b'{"t_s": 5}', "t_s"),
            (b'{"t_s": "yesterday"}', "t_s"),
            (b'{"t_e": "2026-02-30"}', "t_e"),
            (b'{"t_s": "2026-03-22", "t_e": "2026-03-21"}', "t_s"),
            (b'{"sampling_frequency": "5T"}', "sampling_frequency"),
            (b'{"sampling_frequency": ["H"]}', "sampling_frequency"),
        ],
    )
    def test_names_the_field(self, reader: httpx2.Client, body: bytes, field: str) -> None:
        for path in (f"meter_data/{SITE}/{ANNA}", f"site_data/{SITE}/electricity"):
            answer = reader.post(f"/api/v1/{path}", content=body)
            assert problem(answer, 422, "invalid-input")["field"] == field

    def test_an_unknown_type_of_meter_data(self, reader: httpx2.Client) -> None:
        answer = reader.post(f"/api/v1/site_data/{SITE}/electricty")
        assert problem(answer, 422, "invalid-input")["field"] == "meter_type"

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"username": 1}', b'{"username": "a"}'])
    def test_sign_in(self, address: str, body: bytes) -> None:
        answer = httpx2.post(f"{address}/api/v1/auth", content=body)
        assert problem(answer, 422, "invalid-input")["field"] in ("body", "username", "password")

    def test_our_own_surface_refuses_what_it_does_not_know(self, client: Clients) -> None:
        operator = client("operator")
        for method, path, params in (
            ("GET", f"{OWN}/status", {"x": "1"}),
            ("GET", f"{OWN}/findings", {"from": "2026-03-21"}),
            ("GET", f"{OWN}/meters/{ANNA}/series", {"t_s": "2026-03-21"}),
            ("GET", f"{OWN}/meters/{ANNA}/series", {"sampling": "W"}),
            ("GET", f"{OWN}/meters/{ANNA}/series", {"start": ["2026-03-21", "2026-03-22"]}),
            ("GET", f"{OWN}/meters/{ANNA}/series", {"start": "2026-03-22", "end": "2026-03-21"}),
            ("PUT", f"{OWN}/readings", {"dry": "1"}),
        ):
            answer = operator.request(method, path, params=params)
            assert problem(answer, 422, "invalid-input")["field"] in {*params, "start"}


class TestPaths:
    @pytest.mark.parametrize(
        "path", ["/nothing", "/api/v1", "/api/v1/meter_info", "/api/v1/all_installations/"]
    )
    def test_unknown(self, address: str, path: str) -> None:
        problem(httpx2.get(address + path), 404, "no-such-path")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/api/v1/auth", "POST"),
            ("POST", "/api/v1/all_installations", "GET"),
            ("GET", f"/api/v1/meter_data/{SITE}/{ANNA}", "POST"),
            ("DELETE", f"{OWN}/readings", "PUT"),
        ],
    )
    def test_wrong_method(self, address: str, method: str, path: str, allowed: str) -> None:
        answer = httpx2.request(method, address + path)
        problem(answer, 405, "wrong-method")
        assert answer.headers["allow"] == allowed


class TestSignIn:
    def test_a_wrong_password_and_an_unknown_user_look_alike(self, address: str) -> None:
        wrong = {"username": "operator", "password": "wrong"}
        unknown = {"username": "somebody", "password": "wrong"}
        answers = [httpx2.post(f"{address}/api/v1/auth", json=each) for each in (wrong, unknown)]

        bodies = [problem(answer, 401, "wrong-sign-in") for answer in answers]
        assert bodies[0] == bodies[1]

    def test_guessing_is_held_back(self, address: str) -> None:
        wrong = {"username": "landlord", "password": "wrong"}
        answers = [httpx2.post(f"{address}/api/v1/auth", json=wrong) for _ in range(6)]

        assert [answer.status_code for answer in answers[:5]] == [401] * 5
        problem(answers[5], 429, "too-many-sign-ins")
        assert int(answers[5].headers["retry-after"]) > 0


def test_health_and_readiness_need_no_sign_in(address: str) -> None:
    with client_of(address) as anybody:
        assert anybody.get("/health").json() == {"status": "ok"}
        assert anybody.get("/ready").json() == {
            "status": "ok",
            "writing": "ok",
            "connections": "ok",
        }
