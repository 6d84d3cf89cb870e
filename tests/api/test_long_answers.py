"""Long answers: the same in steps as at once, and no more of them than there is room for."""

import contextlib
import json
import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.api.climkit import series as climkit_questions
from commonwatt.api.climkit.columns import meter_rows
from commonwatt.api.climkit.joined_rows import joined_rows, render
from commonwatt.api.endpoint import long_answers
from commonwatt.api.http.pending_answers import PendingAnswers
from commonwatt.api.http.problems import Overloaded, TooMuchPending
from commonwatt.app.series.read import MeterSeries
from commonwatt.climkit_v1.words import SamplingFrequency
from commonwatt.domain.metering.quality import Quality
from tests.api import building
from tests.api.building import ANNA, FIRST_AT, GRID, SENSOR, SITE
from tests.api.conftest import deliver, populate, token
from tests.api.serving import application_of, client_of, served
from tests.api.test_checks import problem
from tests.cli.command import eventually

BOTH_DAYS = {"t_s": "2026-03-20T00:00:00", "t_e": "2026-03-24T00:00:00"}
FREQUENCIES = list(SamplingFrequency)


@pytest.fixture
def in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be short, and each step be of one day."""
    monkeypatch.setattr(climkit_questions, "QUICK_VALUES", 1)
    monkeypatch.setattr(long_answers, "_STEP_VALUES", 1)
    monkeypatch.setattr(long_answers, "READING_DAYS", 1)


def answers(reader: httpx2.Client) -> list[object]:
    """Return what a client is told of both days, on every route that may answer at length."""
    series = [
        reader.post(path, json={**BOTH_DAYS, **more, "sampling_frequency": frequency.value})
        for frequency in FREQUENCIES
        for path, more in (
            (f"/api/v1/meter_data/{SITE}/{ANNA}", {}),
            (f"/api/v1/meter_data/{SITE}/{GRID}", {}),
            (f"/api/v1/site_data/{SITE}/electricity", {}),
            (f"/api/v1/site_data/{SITE}/electricity", {"meters": True}),
            (f"/api/v1/site_data/{SITE}/cooling", {}),
        )
    ]
    others = [
        reader.post(f"/api/v1/meter_data_raw/{SITE}/{GRID}", json=BOTH_DAYS),
        reader.get(f"/api/v1/{SITE}/sensor_data/{SENSOR}", params=BOTH_DAYS),
    ]
    for answer in (*series, *others):
        assert answer.status_code == 200, answer.text
    return [answer.json() for answer in (*series, *others)]


@pytest.mark.usefixtures("address")
def test_steps_say_the_same(reader: httpx2.Client, request: pytest.FixtureRequest) -> None:
    at_once = answers(reader)
    request.getfixturevalue("in_steps")
    step_by_step = answers(reader)

    assert step_by_step == at_once
    assert any(len(str(answer)) > 10_000 for answer in at_once)


@pytest.mark.postgres
def test_steps_say_the_same_on_postgresql(
    tmp_path: Path, postgres_url: str, request: pytest.FixtureRequest
) -> None:
    application = application_of(tmp_path, postgres_url)
    populate(application.store)
    with served(application) as address:
        deliver(address)
        with client_of(address, token(address, "reader")) as reader:
            at_once = answers(reader)
            request.getfixturevalue("in_steps")
            assert answers(reader) == at_once


@given(
    first=st.integers(0, 40_000),
    known=st.lists(st.sampled_from([(3, 2), (5, None), (None, None), (-2, 0)]), max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=5),
    zone=st.sampled_from(["Europe/Zurich", "America/St_Johns", "UTC", "Australia/Lord_Howe"]),
    frequency=st.sampled_from(FREQUENCIES),
)
def test_rows_of_parts_joined_are_those_of_the_whole(
    first: int,
    known: list[tuple[int | None, int | None]],
    cuts: list[int],
    zone: str,
    frequency: SamplingFrequency,
) -> None:
    first += 1_950_000  # some time in 2025

    def part(start: int, end: int) -> MeterSeries:
        here = known[start:end]
        qualities = [
            np.array(
                [Quality.MISSING if v[at] is None else Quality.MEASURED for v in here], np.uint8
            )
            for at in (0, 1)
        ]
        total, own = (np.array([v[at] or 0 for v in here], np.int64) for at in (0, 1))
        return MeterSeries(first + start, total, own, qualities[0], qualities[1])

    edges = sorted({0, len(known), *(cut for cut in cuts if cut < len(known))})
    runs = (meter_rows(part(a, b), zone, frequency) for a, b in pairwise(edges))

    joined = json.loads(b"".join(joined_rows(runs, zone, frequency)))

    assert joined == json.loads(
        render(meter_rows(part(0, len(known)), zone, frequency), zone, frequency)
    )


def test_a_period_of_too_many_values_is_refused_and_years_without_data_count_none(
    reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/site_data/{SITE}/electricity"
    ever = {"t_s": "1970-01-01", "t_e": "2200-01-01", "meters": True}
    assert len(reader.post(path, json=ever).json()) == building.QUARTERS
    own = f"/commonwatt/v1/sites/{SITE}"
    longest, week = (
        reader.get(f"{own}/balance", params={"start": start, "end": end}).json()
        for start, end in (("1970-01-01", "2200-01-01"), ("2026-03-10", "2026-04-10"))
    )
    assert longest == week

    monkeypatch.setattr(long_answers, "MOST_VALUES", 1000)
    refused = reader.post(path, json=ever)
    problem(refused, 422, "invalid-input")
    assert refused.json()["field"] == "t_s"
    assert "ask for a shorter period" in refused.json()["detail"]


DAYS = 30
QUESTION = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-05-01T00:00:00", "meters": True}
IN_STEPS = QUESTION | {"t_s": "2016-03-21T00:00:00"}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a server with a month of readings, and room for few of their answers an account."""
    application = application_of(tmp_path_factory.mktemp("narrow"), answers_mb=24)
    populate(application.store)
    with served(application) as url:
        with client_of(url, token(url, "gateway")) as gateway:
            for meter, register, rise in (
                (meter, register, rise)
                for (meter, register), rise in building.RISES.items()
                if meter not in (building.WATER, building.HEAT)
            ):
                rows = [
                    {
                        "meter": meter,
                        "timestamp": building.utc(FIRST_AT + 900 * count),
                        register: (1000 + rise * count) / 1000,
                    }
                    for count in range(96 * DAYS + 1)
                ]
                path = f"/commonwatt/v1/sites/{SITE}/readings"
                assert gateway.put(path, json=rows).json()["rejected"] == []
        with client_of(url, token(url, "reader")) as reader:
            size = len(reader.post(f"/api/v1/site_data/{SITE}/electricity", json=QUESTION).content)
            assert 1_000_000 < size < 2_600_000
        yield url


def asked(address: str, bearer: str, question: dict[str, object]) -> socket.socket:
    """Ask a long question, and read nothing."""
    parts = urlsplit(address)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(30)
    raw.connect((parts.hostname, parts.port))
    body = json.dumps(question).encode()
    head = (
        f"POST /api/v1/site_data/{SITE}/electricity HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {bearer}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    raw.sendall(head.encode() + body)
    return raw


@pytest.mark.parametrize("question", [QUESTION, IN_STEPS], ids=["at once", "in steps"])
def test_unread_answers_of_one_account_are_few_and_others_are_served(
    narrow: str, question: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonwatt.api.http.pending_answers.WAIT_S", 0.2)
    bearer = token(narrow, "reader")
    with contextlib.ExitStack() as opened, client_of(narrow, bearer) as reader:
        unread = [opened.enter_context(asked(narrow, bearer, question)) for _ in range(30)]
        statuses = [raw.recv(12)[-3:] for raw in unread]
        assert set(statuses) == {b"200", b"429"}
        # Some 2 MB each, and a third of 24 MB for one account.
        assert statuses.count(b"200") <= 5

        refused = reader.post(
            f"/api/v1/site_data/{SITE}/electricity",
            json=question,
            headers={"Accept-Encoding": "identity"},
        )
        problem(refused, 429, "too-much-pending")
        assert int(refused.headers["retry-after"]) > 0
        # What is short needs no room.
        day = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-22T00:00:00"}
        assert reader.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=day).status_code == 200
        with client_of(narrow, token(narrow, "landlord")) as landlord:
            answer = landlord.post(f"/api/v1/site_data/{SITE}/electricity", json=question)
            assert len(answer.json()) == 96 * DAYS
    # Who hung up holds nothing more.
    with client_of(narrow, bearer) as reader:
        for _ in eventually():
            answer = reader.post(f"/api/v1/site_data/{SITE}/electricity", json=question)
            if answer.status_code == 200:
                break
        assert len(answer.json()) == 96 * DAYS


def test_who_is_not_signed_in_learns_it_before_the_body_is_sent(narrow: str) -> None:
    head = (
        f"POST /api/v1/site_data/{SITE}/electricity HTTP/1.1\r\nHost: x\r\n"
        "Authorization: Bearer forged\r\nContent-Length: 100\r\n\r\n"
    )
    parts = urlsplit(narrow)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as raw:
        raw.sendall(head.encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_a_body_that_comes_after_its_head_is_answered_and_counted_once(narrow: str) -> None:
    bearer = token(narrow, "hasty")
    body = json.dumps({"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-21T01:00:00"}).encode()
    head = (
        f"POST /api/v1/site_data/{SITE}/electricity HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {bearer}\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    parts = urlsplit(narrow)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as raw:
        raw.sendall(head.encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 100 ")
        raw.sendall(body)
        assert raw.recv(65536).startswith(b"HTTP/1.1 200 ")


class TestPendingAnswers:
    def test_one_account_has_a_third_and_all_have_all(self) -> None:
        async def hold() -> None:
            pending = PendingAnswers(90)
            pending.hold("anna", 30)
            with pytest.raises(TooMuchPending):
                pending.hold("anna", 1)
            pending.hold("bert", 30)
            pending.hold("carl", 29)
            with pytest.raises(Overloaded):
                pending.hold("dora", 2)
            pending.hold("dora", 1)
            pending.give_back("bert", 30)
            pending.hold("dora", 20)
            assert pending.held == 80

        anyio.run(hold)

    def test_one_answer_there_may_be_however_large(self) -> None:
        async def hold() -> None:
            pending = PendingAnswers(90)
            async with pending.place("anna", 1000):
                assert pending.held == 1000
            assert pending.held == 0

        anyio.run(hold)

    def test_who_waits_gets_the_place_that_is_given_back(self) -> None:
        async def wait() -> list[str]:
            pending, order = PendingAnswers(90), ["held"]
            pending.hold("anna", 30)

            async def second() -> None:
                async with pending.place("anna", 30):
                    order.append("second")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(second)
                while not pending.waiting:
                    await anyio.lowlevel.checkpoint()
                order.append("given back")
                pending.give_back("anna", 30)
            assert (pending.held, pending.waiting) == (0, 0)
            return order

        assert anyio.run(wait) == ["held", "given back", "second"]

    def test_who_hung_up_waits_no_more(self) -> None:
        async def hang_up() -> None:
            pending = PendingAnswers(90)
            pending.hold("anna", 30)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.take, pending)
                while not pending.waiting:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            assert (pending.held, pending.waiting) == (30, 0)

        anyio.run(hang_up)

    def test_not_many_wait(self) -> None:
        async def wait() -> None:
            pending = PendingAnswers(90)
            pending.hold("anna", 30)
            async with anyio.create_task_group() as tasks:
                for _ in range(16):
                    tasks.start_soon(self.take, pending)
                while pending.waiting < 16:
                    await anyio.lowlevel.checkpoint()
                with pytest.raises(TooMuchPending):
                    await self.take(pending)
                tasks.cancel_scope.cancel()

        anyio.run(wait)

    async def take(self, pending: PendingAnswers) -> None:
        async with pending.place("anna", 30):
            pass
