"""What every answer carries for browsers and caches; requests that name no host, or two."""

import base64
import hashlib
import re
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.building import ANNA, SITE, UNKNOWN_ID
from tests.api.conftest import Clients
from tests.api.serving import client_of

OWN = f"/commonwatt/v1/sites/{SITE}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"/api/v1/meter_data/{SITE}/{ANNA}", 200),
        ("GET", f"/api/v1/meter_info/{SITE}", 200),
        ("GET", f"{OWN}/meters/{ANNA}/series", 200),
        ("GET", f"/api/v1/meter_info/{UNKNOWN_ID}", 404),
        ("GET", f"{OWN}/explain", 422),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", f"/api/v1/meter_info/{SITE}", 405),
    ],
)
def test_what_accounts_are_answered_is_stored_nowhere(
    client: Clients, method: str, path: str, status: int
) -> None:
    answer = client("reader").request(method, path)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_signed_in_is_answered_so_too(address: str) -> None:
    with client_of(address) as stranger:
        answer = stranger.get(f"{OWN}/status")
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs/files/swagger-ui.css"])
def test_no_type_is_guessed(address: str, path: str) -> None:
    with client_of(address) as stranger:
        answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_documentation_runs_its_own_script_and_no_other(address: str) -> None:
    with client_of(address) as stranger:
        page = stranger.get("/docs")
    policy = page.headers["content-security-policy"]
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_the_page_of_places_loads_nothing(address: str) -> None:
    with client_of(address) as stranger:
        page = stranger.get("/", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", ["a"], 200),
        ("1.1", [], 400),
        ("1.1", ["a", "b"], 400),
        ("1.1", ["a", "a"], 400),
        ("1.0", [], 200),
        ("1.0", ["a", "b"], 400),
    ],
)
def test_a_request_has_one_host(address: str, version: str, hosts: list[str], status: int) -> None:
    lines = [f"GET /health HTTP/{version}", *(f"Host: {host}" for host in hosts)]
    target = urlsplit(address)
    assert target.hostname is not None
    assert target.port is not None
    with socket.create_connection((target.hostname, target.port), timeout=30) as sending:
        sending.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = b""
        while part := sending.recv(4096):
            answer += part
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"broken-request" in answer) is (status == 400)


def test_a_problem_is_a_problem_in_any_answer(client: Clients) -> None:
    answer: httpx2.Response = client("reader").get(f"{OWN}/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert [k for k, _ in answer.headers.multi_items()].count("cache-control") == 1
