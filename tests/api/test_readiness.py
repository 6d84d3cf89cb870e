"""/ready reads on the way that answers take, and tells when writing fails."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from commonwatt.adapters.store.tables import account_access
from commonwatt.app.operation.check import TRIED_EVERY_S, Writing, WritingCheck, read_as_answers_do
from commonwatt.bootstrap import Application
from commonwatt.stores import open_store
from tests.api.conftest import populate
from tests.api.serving import application_of, client_of, served
from tests.api.test_checks import problem

NOW = 1_774_000_000.0


@pytest.fixture
def application(data: Path) -> Application:
    """Give an application with the building and its accounts."""
    opened = application_of(data)
    populate(opened.store)
    return opened


@pytest.fixture
def anybody(application: Application) -> Iterator[httpx2.Client]:
    """Give a client that is not signed in."""
    with served(application) as address, client_of(address) as client:
        yield client


def test_a_query_that_fails_for_every_answer_is_not_ready(
    anybody: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert anybody.get("/ready").status_code == 200
    # As a fault of ours would leave it: every question of every account meets it.
    monkeypatch.setattr(account_access._READ_BY_NAME, "rows", lambda *_: 1 / 0)

    problem(anybody.get("/ready"), 500, "internal")
    assert anybody.get("/health").status_code == 200


def test_a_store_that_lost_its_tables_is_not_ready(
    application: Application, anybody: httpx2.Client
) -> None:
    with application.store.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE site_days")

    problem(anybody.get("/ready"), 503, "store-busy")


def test_writing_that_fails_is_told_and_reading_goes_on(
    application: Application, anybody: httpx2.Client
) -> None:
    with application.store.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE rate_limits")

    told = anybody.get("/ready")

    assert (told.status_code, told.json()["status"]) == (200, "limited")
    assert told.json()["writing"] == "failing"


def test_that_writing_fails_is_logged_once_and_that_it_works_again(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    store = application.store
    check = WritingCheck(store)

    def rename(old: str, new: str) -> None:
        with store.database.write() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename("rate_limits", "elsewhere")
    assert [check.try_now(NOW + seconds) for seconds in (0, 5)] == [Writing.FAILING] * 2
    rename("elsewhere", "rate_limits")
    assert check.try_now(NOW + 10) is Writing.OK

    told = [each.message for each in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("writing fails, reading goes on: ")
    assert told[1] == "writing works again"
    store.database.close()


def test_it_is_tried_every_few_seconds_and_after_the_clock_was_set_back(
    application: Application,
) -> None:
    check = WritingCheck(application.store)
    assert check.is_due(NOW)
    check.try_now(NOW)
    assert not check.is_due(NOW + TRIED_EVERY_S / 2)
    assert check.is_due(NOW + TRIED_EVERY_S)
    assert check.is_due(NOW - 1)
    application.store.database.close()


def test_an_empty_store_is_ready(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'empty.sqlite'}")

    read_as_answers_do(store, NOW)

    store.database.close()
