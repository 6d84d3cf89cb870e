"""The OpenAPI document says all there is, and the interactive page needs no internet."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.demo.simulated.building import DECLARATION_FILE
from commonwatt.demo.simulated.building import SITE_ID as DEMO_SITE
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.building import ANNA, SENSOR, SITE
from tests.api.conftest import Clients, account, add, token
from tests.api.serving import application_of, client_of, served

Fragment = dict[str, Any]


@pytest.fixture(scope="module")
def document(address: str) -> Fragment:
    """Give the OpenAPI document as it is served."""
    found: Fragment = httpx2.get(f"{address}/openapi.json").json()
    return found


def operations(document: Fragment) -> list[tuple[str, str, Fragment]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_endpoint_is_there(document: Fragment) -> None:
    own = "/commonwatt/v1/sites/{site_id}"
    assert {(method, path) for path, method, _ in operations(document)} == {
        ("post", "/api/v1/auth"),
        ("get", "/api/v1/all_installations"),
        ("get", "/api/v1/installation_infos/{site_id}"),
        ("get", "/api/v1/meter_info/{site_id}"),
        ("post", "/api/v1/site_data/{site_id}/{meter_type}"),
        ("post", "/api/v1/meter_data/{site_id}/{meter_id}"),
        ("post", "/api/v1/meter_data_raw/{site_id}/{meter_id}"),
        ("get", "/api/v1/{site_id}/sensors_list"),
        ("get", "/api/v1/{site_id}/sensor_data/{sensor_id}"),
        ("put", f"{own}/readings"),
        ("put", f"{own}/sensor_readings"),
        ("get", f"{own}/meters/{{meter_id}}/series"),
        ("get", f"{own}/balance"),
        ("get", f"{own}/status"),
        ("get", f"{own}/findings"),
        ("get", f"{own}/meters/{{meter_id}}/devices"),
        ("put", f"{own}/meters/{{meter_id}}/devices"),
        ("get", f"{own}/resolutions"),
        ("post", f"{own}/findings/{{finding_id}}/resolve"),
        ("delete", f"{own}/findings/{{finding_id}}/resolve"),
        ("get", f"{own}/edits"),
        ("post", f"{own}/edits"),
        ("delete", f"{own}/edits/{{number}}"),
        ("get", f"{own}/locks"),
        ("put", f"{own}/locks/{{group}}"),
        ("post", f"{own}/locks/{{group}}/unlock"),
        ("get", f"{own}/differences"),
        ("get", f"{own}/explain"),
        ("get", f"{own}/worklist"),
        ("get", "/health"),
        ("get", "/ready"),
    }


def test_every_path_parameter_is_described(document: Fragment) -> None:
    for path, method, operation in operations(document):
        described = {
            parameter["name"]
            for parameter in operation.get("parameters", [])
            if parameter["in"] == "path" and parameter["required"]
        }
        assert described == set(re.findall(r"{(\w+)}", path)), (method, path)


def test_everything_is_described(document: Fragment) -> None:
    for path, _, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter)
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), (name, field)


def test_no_default_is_documented_that_a_client_could_send_by_mistake(document: Fragment) -> None:
    rows = document["components"]["schemas"]["ReadingRow"]["properties"]
    assert [name for name, schema in rows.items() if "default" in schema] == []
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if (default := schema.get("default")) is not None:
                assert isinstance(default, str | bool), (path, parameter)
                assert default in schema.get("enum", [default]), (path, parameter)


def test_energies_and_volumes_have_units(document: Fragment) -> None:
    for name in ("SiteDataRow", "MeterDataRow", "RawRow", "SeriesRow", "BalanceRow"):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            if schema.get("type") == "number":
                assert re.search(r"kWh|m3|\[0 to 1\]", schema["description"]), (name, field)


def test_every_error_is_a_problem(document: Fragment) -> None:
    for path, method, operation in operations(document):
        statuses = set(operation["responses"])
        assert {"200", "500"} <= statuses, path
        needs_token = operation["security"] != []
        assert needs_token == ("403" in statuses), path
        for status, response in operation["responses"].items():
            if status != "200":
                content = response["content"]["application/problem+json"]
                reference = {"$ref": "#/components/schemas/Problem"}
                assert content["schema"] == reference, (method, path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("method", "path", "schema"),
    [
        ("GET", f"/api/v1/installation_infos/{SITE}", "InstallationInfos"),
        ("GET", "/api/v1/all_installations", "Installation"),
        ("GET", f"/api/v1/meter_info/{SITE}", "MeterInfo"),
        ("POST", f"/api/v1/site_data/{SITE}/electricity", "SiteDataRow"),
        ("POST", f"/api/v1/meter_data/{SITE}/{ANNA}", "MeterDataRow"),
        ("GET", f"/api/v1/{SITE}/sensors_list", "SensorInfo"),
        ("GET", f"/api/v1/{SITE}/sensor_data/{SENSOR}", "SensorValue"),
        ("GET", f"/commonwatt/v1/sites/{SITE}/meters/{ANNA}/series", "SeriesRow"),
        ("GET", f"/commonwatt/v1/sites/{SITE}/status", "SiteState"),
        ("PUT", f"/commonwatt/v1/sites/{SITE}/readings", "Receipt"),
    ],
)
def test_answers_have_the_fields_described(
    client: Clients, document: Fragment, method: str, path: str, schema: str
) -> None:
    params = {"start": "2026-03-21", "end": "2026-03-22"} if "series" in path else None
    period: object = {"t_s": "2026-03-21", "t_e": "2026-03-22"} if method == "POST" else None
    body = [] if method == "PUT" else period
    answer = client("operator").request(method, path, json=body, params=params).json()
    first = answer[0] if isinstance(answer, list) else answer

    described = document["components"]["schemas"][schema]
    assert set(first) <= set(described["properties"])
    assert set(described["required"]) <= set(first)


def test_the_interactive_page_loads_from_here_alone(address: str) -> None:
    page = httpx2.get(f"{address}/docs")

    assert page.status_code == 200
    links = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert len(links) >= 3
    for link in links:
        assert link.startswith("/"), link
        answer = httpx2.get(address + link)
        assert answer.status_code == 200, link
        assert answer.content


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of the demo's building without readings, signed in as its operator."""
    application = application_of(tmp_path_factory.mktemp("demo"))
    declared = declaration_from_yaml(DECLARATION_FILE.read_bytes())
    apply_declaration(application.store, declared, "tests", 0)
    add(application.store, account("operator", Role.OPERATOR, DEMO_SITE))
    with served(application) as url, client_of(url, token(url, "operator")) as client:
        yield client


def questions(document: Fragment) -> Iterator[tuple[str, str, Fragment, object]]:
    """What the page offers to ask as it stands, of operations that change nothing."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "get" or (method == "post" and "_data" in path):
                given = [each for each in operation.get("parameters", ()) if "example" in each]
                filled = path.format_map({p["name"]: p["example"] for p in given})
                query = {p["name"]: p["example"] for p in given if p["in"] == "query"}
                media = operation.get("requestBody", {}).get("content", {}).get("application/json")
                body = None if media is None else next(iter(media["examples"].values()))["value"]
                yield method, filled, query, body


def test_every_question_that_the_page_offers_is_answered_by_the_demo(
    demo: httpx2.Client, document: Fragment
) -> None:
    asked = {
        path: demo.request(method, path, params=query, json=body)
        for method, path, query, body in questions(document)
    }

    assert {path: answer.text for path, answer in asked.items() if answer.status_code != 200} == {}
    assert len(asked) > 20


def test_only_what_is_required_is_filled_in(document: Fragment) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for each in operation.get("parameters", ()):
                assert ("example" in each) == each["required"], (path, each["name"])


def test_the_start_answers_where_things_are(address: str) -> None:
    places = httpx2.get(f"{address}/").json()
    page = httpx2.get(f"{address}/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert {places["climkit_api"], places["own_api"]} == {"/api/v1", "/commonwatt/v1"}
    links = re.findall(r'href="([^"]+)"', page.text)
    assert places["documentation"] in links
    assert [httpx2.get(address + link).status_code for link in links] == [200] * len(links)
