"""What travels: packed answers and bodies, limits, streams that end early."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api import building
from tests.api.building import ANNA, SITE
from tests.api.conftest import Clients, populate, token
from tests.api.serving import application_of, client_of, served
from tests.api.test_checks import problem

READINGS = f"/commonwatt/v1/sites/{SITE}/readings"
SERIES = f"/api/v1/meter_data/{SITE}/{ANNA}"
DAY = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-22T00:00:00"}


class TestPackedAnswers:
    def test_carry_the_same_bytes(self, reader: httpx2.Client) -> None:
        plain = reader.post(SERIES, json=DAY, headers={"Accept-Encoding": "identity"})
        packed = reader.post(SERIES, json=DAY, headers={"Accept-Encoding": "gzip"})

        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
        assert packed.content == plain.content
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"

    def test_large_ones_too(self, reader: httpx2.Client) -> None:
        asked = {"t_s": "2026-03-21", "t_e": "2026-03-23", "meters": True}
        path = f"/api/v1/site_data/{SITE}/electricity"
        plain = reader.post(path, json=asked, headers={"Accept-Encoding": "identity"})
        packed = reader.post(path, json=asked, headers={"Accept-Encoding": "gzip"})

        assert len(plain.content) > 100 * 1024
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content

    @pytest.mark.parametrize("accepted", ["br", "gzip;q=0", "identity, gzip;q=0.5", "", "*;q=0"])
    def test_are_not_forced_on_anybody(self, reader: httpx2.Client, accepted: str) -> None:
        answer = reader.post(SERIES, json=DAY, headers={"Accept-Encoding": accepted})
        assert "content-encoding" not in answer.headers

    def test_short_answers_are_not_packed(self, reader: httpx2.Client) -> None:
        answer = reader.get(f"/api/v1/{SITE}/sensors_list", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers


class TestBodies:
    def test_may_be_gzip(self, client: Clients) -> None:
        rows = json.dumps(building.readings()[:10]).encode()
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = client("operator").put(READINGS, content=gzip.compress(rows), headers=headers)

        assert answer.json()["unchanged"] == 10

    @pytest.mark.parametrize(
        "broken",
        [
            b"no gzip",
            # The time of packing, which gzip notes, would make another test of each run.
            gzip.compress(b"[]", mtime=0)[:-4],
            gzip.compress(b"[]", mtime=0) + b"x",
        ],
    )
    def test_broken_gzip_is_400(self, client: Clients, broken: bytes) -> None:
        headers = {"Content-Encoding": "gzip"}
        answer = client("gateway").put(READINGS, content=broken, headers=headers)
        problem(answer, 400, "broken-request")

    @pytest.mark.parametrize("broken", [b"{}", b"[{", b"\x00", b""])
    def test_broken_json_is_400(self, client: Clients, broken: bytes) -> None:
        problem(client("gateway").put(READINGS, content=broken), 400, "broken-request")

    def test_of_other_types_are_415(self, client: Clients) -> None:
        for headers in ({"Content-Type": "text/html"}, {"Content-Encoding": "br"}):
            answer = client("gateway").put(READINGS, content=b"[]", headers=headers)
            problem(answer, 415, "wrong-content-type")

    def test_a_question_has_a_short_one(self, reader: httpx2.Client, address: str) -> None:
        long = b'{"t_s": "' + b"x" * 100_000 + b'"}'
        problem(reader.post(SERIES, content=long), 413, "too-large")
        problem(httpx2.post(address + SERIES, content=long), 401, "not-signed-in")


class TestLimits:
    @pytest.fixture
    def gateway(self, data: Path) -> Iterator[httpx2.Client]:
        """Give a gateway of a server that takes 1 MB."""
        application = application_of(data, body_limit_mb=1)
        populate(application.store)
        with (
            served(application) as address,
            client_of(address, token(address, "gateway")) as gateway,
        ):
            yield gateway

    def test_hold_for_what_is_announced_streamed_and_unpacked(self, gateway: httpx2.Client) -> None:
        fitting = b"[" + b" " * 999_998 + b"]"
        assert gateway.put(READINGS, content=fitting).status_code == 200
        problem(gateway.put(READINGS, content=fitting + b" "), 413, "too-large")
        problem(gateway.put(READINGS, content=iter([fitting, b" "])), 413, "too-large")

        headers = {"Content-Encoding": "gzip"}
        packed = gateway.put(READINGS, content=gzip.compress(fitting), headers=headers)
        assert packed.status_code == 200
        bomb = zlib.compressobj(wbits=31)
        bombs = b"".join(bomb.compress(b" " * 1_000_000) for _ in range(300)) + bomb.flush()
        assert len(bombs) < 1_000_000
        problem(gateway.put(READINGS, content=bombs, headers=headers), 413, "too-large")


def test_a_sender_that_hangs_up_leaves_nothing_behind(address: str, client: Clients) -> None:
    client("gateway")
    host = urlsplit(address)
    signed_in = token(address, "gateway")
    with socket.create_connection((host.hostname, host.port)) as connection:
        connection.sendall(
            f"PUT {READINGS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {signed_in}\r\n"
            "Content-Length: 1000\r\n\r\n[".encode()
        )
    assert client("gateway").put(READINGS, json=[]).json()["accepted"] == 0
