"""What goes wrong on our side: told without internals, logged with its trace."""

import logging
import queue
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import event, text

from commonwatt.bootstrap import Application
from tests.api import building
from tests.api.building import ANNA, SITE
from tests.api.conftest import deliver, populate, token
from tests.api.serving import application_of, client_of, served
from tests.api.test_checks import problem

READINGS = f"/commonwatt/v1/sites/{SITE}/readings"
DAY = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-22T00:00:00"}


@dataclass(frozen=True)
class Served:
    application: Application
    operator: httpx2.Client


@pytest.fixture
def here(data: Path) -> Iterator[Served]:
    """Give a server of the test's own with all readings, and an operator of it."""
    application = application_of(data)
    populate(application.store)
    with served(application) as address:
        deliver(address)
        with client_of(address, token(address, "operator")) as operator:
            yield Served(application, operator)


class Traces(logging.Handler):
    """Keeps the records that carry a trace."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.kept: queue.Queue[logging.LogRecord] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.kept.put(record)


def test_an_unexpected_fault_is_500_and_a_trace_in_the_log(
    here: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"t_s": "2026-03-21", "t_e": "2026-03-22"}
    path = f"/api/v1/meter_data/{SITE}/{ANNA}"
    while not _is_settled(here.application):
        assert here.operator.post(path, json=asked).status_code == 200
    with here.application.store.database.write(1) as connection:
        connection.execute(text("UPDATE meter_days SET quality_total = x'00', checksum = NULL"))
    traces = Traces()
    log = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(log, "handlers", [traces])
    monkeypatch.setattr(log, "propagate", False)
    log.setLevel(logging.ERROR)
    answer = here.operator.post(path, json=asked)

    body = problem(answer, 500, "internal")
    assert not any(word in str(body) for word in ("Error", "Traceback", "numpy", "buffer"))
    assert traces.kept.get(timeout=30).exc_info
    assert here.operator.get(f"/api/v1/meter_info/{SITE}").status_code == 200


@pytest.mark.parametrize("how", ["blob", "text"])
def test_damaged_readings_are_a_problem_that_says_which(here: Served, how: str) -> None:
    with here.application.store.database.write(1) as connection:
        # Cast: else it is a text, as one flipped bit of a row's heading makes it.
        damaged = "CAST(readings || x'00' AS BLOB)" if how == "blob" else "readings || x'00'"
        connection.execute(text(f"UPDATE raw_readings SET readings = {damaged}"))
    answer = here.operator.post(f"/api/v1/meter_data_raw/{SITE}/{ANNA}", json=DAY)
    body = problem(answer, 500, "damaged-day")
    for word in (SITE, ANNA, "2026-03-2", "backup") if how == "blob" else ("backup",):
        assert word in str(body["detail"])
    row = {"meter": ANNA, "timestamp": building.utc(building.LAST_AT + 60), "en_im": 9}
    problem(here.operator.put(READINGS, json=[row]), 500, "damaged-day")


def _is_settled(application: Application) -> bool:
    with application.store.snapshot() as snapshot:
        return not snapshot.results.dirty_groups()


def test_a_full_disk_refuses_writes_and_keeps_answering(here: Served) -> None:
    engine = here.application.store.database.engine

    def fill(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    rows = [
        {"meter": ANNA, "timestamp": building.utc(building.LAST_AT + count), "en_im": 9 + count}
        for count in range(40_000)
    ]
    event.listen(engine, "checkout", fill)
    refused = here.operator.put(READINGS, json=rows)
    found = here.operator.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=DAY)
    event.remove(engine, "checkout", fill)

    problem(refused, 507, "store-full")
    assert len(found.json()) == 96
    found = here.operator.post(f"/api/v1/meter_data_raw/{SITE}/{ANNA}")
    assert found.json()[0]["timestamp"] == "2026-03-23 01:00:00+01:00"


def test_a_busy_store_is_503_with_retry_after(here: Served) -> None:
    with here.application.store.change(1):
        row = {"meter": ANNA, "timestamp": "2026-03-24", "en_im": 99}
        refused = here.operator.put(READINGS, json=[row])
        found = here.operator.post(f"/api/v1/meter_data/{SITE}/{ANNA}", json=DAY)

    problem(refused, 503, "store-busy")
    assert int(refused.headers["retry-after"]) > 0
    assert len(found.json()) == 96
