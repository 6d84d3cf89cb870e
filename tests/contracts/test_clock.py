"""Clocks that are wrong: readings wait until their time has come, and nothing wins for years."""

import logging
from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import select, text

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.opening import REVISION, migrate, open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.clock_jumps import clock_lines, read_clock_jumps
from commonwatt.app.readings.waiting import end_waiting
from commonwatt.app.series.read import read_meter_series
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.readings import Receipt
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import (
    deliver,
    settle_everything,
    settle_from_scratch,
    stored_results,
)
from tests.oracle import facts as oracle

DAY = 20_500
DAY_S = 86_400
START = DAY * DAY_S
FIRST, END = DAY * 96, (DAY + 2) * 96
SITE = """
site: {site_ref: A, name: House, timezone: UTC}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10}
"""


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with a house of one meter, and nothing read."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    yield store
    database.close()


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter(store: SqlStore) -> Meter:
    return catalogue(store).meter_by_address["electricity", 10]


def row(quarter: int, wh: int | None = None, **more: object) -> oracle.Row:
    index = 1000 + 40 * quarter if wh is None else wh
    return oracle.Row(START + 900 * quarter, {"en_im": index * 1000}, **more)  # type: ignore[arg-type]


def send(store: SqlStore, now_at: int, *rows: oracle.Row) -> Receipt:
    return deliver(store, 1, meter(store), rows, now_at * 1_000_000)


def totals(store: SqlStore, at_us: int | None = None) -> list[int]:
    """The quarter-hours of two days, -1 for none."""
    with store.snapshot() as snapshot:
        of = catalogue(store)
        view = snapshot if at_us is None else view_as_of(snapshot, of, at_us)[0]
        series = read_meter_series(view, of, meter(store), FIRST, END)
    return [
        int(value) if quality >= 3 else -1
        for value, quality in zip(series.total, series.quality_total, strict=True)
    ]


def rules(store: SqlStore) -> list[str]:
    with store.snapshot() as snapshot:
        return [each.rule.value for each in read_findings(snapshot, catalogue(store))]


DAY_ROWS = tuple(row(quarter) for quarter in range(97))
KNOWN = [40] * 96 + [-1] * 96


@pytest.mark.both_engines
def test_what_was_sent_while_the_clock_was_behind_counts_when_its_time_has_come(
    store: SqlStore,
) -> None:
    behind_at = START - 5 * DAY_S
    send(store, behind_at, *DAY_ROWS)
    settle_everything(store, 1)
    assert totals(store) == [-1] * 192
    assert rules(store) == ["stamp-ahead"] * 97
    assert end_waiting(store, behind_at * 1_000_000) == 0

    noon_at = START + DAY_S // 2
    assert end_waiting(store, noon_at * 1_000_000) == 1
    # Half a day counts: up to 15 minutes ahead of noon.
    assert totals(store) == [40] * 49 + [-1] * 143
    settle_everything(store, 1)
    assert totals(store) == [40] * 49 + [-1] * 143
    assert rules(store) == ["stamp-ahead"] * 47

    assert end_waiting(store, (START + DAY_S) * 1_000_000) == 2
    settle_everything(store, 1)
    assert totals(store) == KNOWN
    assert rules(store) == []
    assert end_waiting(store, (START + 9 * DAY_S) * 1_000_000) == 0
    before = stored_results(store, 1)
    settle_from_scratch(store, 1)
    assert stored_results(store, 1) == before


def test_sent_again_it_counts_at_once_and_once_more_says_nothing(store: SqlStore) -> None:
    send(store, START - 5 * DAY_S, *DAY_ROWS)
    settle_everything(store, 1)
    receipt = send(store, START + DAY_S, *DAY_ROWS)
    assert (receipt.accepted, receipt.unchanged) == (97, 0)
    assert totals(store) == KNOWN
    receipt = send(store, START + DAY_S + 60, *DAY_ROWS)
    assert (receipt.accepted, receipt.unchanged) == (0, 97)
    settle_everything(store, 1)
    assert rules(store) == []


def test_a_reading_ahead_takes_no_place_of_one_that_was_there(store: SqlStore) -> None:
    send(store, START + DAY_S, *DAY_ROWS)
    send(store, START - DAY_S, row(5, 1230))
    assert totals(store) == KNOWN
    end_waiting(store, (START + DAY_S) * 1_000_000)
    assert totals(store) == [*([40] * 4), 70, 10, *([40] * 90), *([-1] * 96)]


def test_as_of_before_its_time_it_does_not_count(store: SqlStore) -> None:
    send(store, START + DAY_S // 4, *DAY_ROWS)
    settle_everything(store, 1)
    end_waiting(store, (START + DAY_S) * 1_000_000)
    settle_everything(store, 1)
    # Something must have come since, else the view is of today.
    send(store, START + 2 * DAY_S, row(97))
    assert totals(store, (START + DAY_S // 4) * 1_000_000) == [40] * 25 + [-1] * 167
    assert totals(store, (START + DAY_S // 2) * 1_000_000) == [40] * 49 + [-1] * 143
    assert totals(store, (START + DAY_S) * 1_000_000) == KNOWN


def test_a_correction_of_a_clock_ahead_does_not_win_for_years(store: SqlStore) -> None:
    now_at = START + DAY_S
    send(store, now_at, *DAY_ROWS)
    years_ahead_at = now_at + 4 * 365 * DAY_S
    send(store, years_ahead_at, row(5, 1230))
    assert totals(store)[4] == 70
    receipt = send(store, now_at + 60, row(5, 1210))
    assert receipt.superseding == 1
    assert totals(store)[4] == 50
    # One that says when it was issued wins over it too, and over what came before that.
    said_us = (now_at + 100) * 1_000_000
    send(store, now_at + 120, row(5, 1220, issued_at_us=said_us))
    assert totals(store)[4] == 60
    assert send(store, now_at + 130, row(5, 1220, issued_at_us=said_us)).unchanged == 1


def test_a_correction_of_a_clock_behind_counts_as_the_later_delivery(store: SqlStore) -> None:
    now_at = START + DAY_S
    send(store, now_at, *DAY_ROWS)
    send(store, now_at - 3600, row(5, 1230))
    assert totals(store)[4] == 70


def test_of_two_issued_versions_the_later_issue_still_counts(store: SqlStore) -> None:
    now_at = START + DAY_S
    late_us, early_us = (now_at - 10) * 1_000_000, (now_at - 20) * 1_000_000
    send(store, now_at, *DAY_ROWS[:5], row(5, 1230, issued_at_us=late_us), *DAY_ROWS[6:])
    send(store, now_at + 60, row(5, 1210, issued_at_us=early_us))
    assert totals(store)[4] == 70


@pytest.mark.parametrize("ahead_s", [901, 400 * 365 * DAY_S])
def test_an_issue_ahead_of_now_is_refused_by_its_row(store: SqlStore, ahead_s: int) -> None:
    now_at = START + DAY_S
    bad = row(2, issued_at_us=(now_at + ahead_s) * 1_000_000)
    good = row(3, issued_at_us=(now_at + 900) * 1_000_000)
    receipt = send(store, now_at, row(1), bad, good)
    assert receipt.accepted == 2
    (refused,) = receipt.rejected
    assert refused.row == 2
    assert "issued_at" in refused.reason
    assert "15 minutes" in refused.reason


def test_jumps_of_the_clock_are_logged_once_and_kept(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    now_at = START + DAY_S
    for at in (now_at, now_at - 60, now_at + 100 * DAY_S):  # none of them is a jump
        send(store, at, row((at - START) % 90 + 100))
    assert not caplog.records
    behind_at = START - 300 * DAY_S
    for number, at in enumerate((behind_at, behind_at + 60, now_at + 200 * DAY_S)):
        send(store, at, row(number))
    assert ["went back" in r.message or "went ahead" in r.message for r in caplog.records] == [
        True
    ] * 2
    with store.snapshot() as snapshot:
        jumps = read_clock_jumps(snapshot, 1)
        told = clock_lines(snapshot, catalogue(store), (now_at + 200 * DAY_S) * 1_000_000)
        assert told == [record.message for record in caplog.records]
        *_, behind = clock_lines(snapshot, catalogue(store), now_at * 1_000_000)
    assert "now it is 2026-02-17" in behind
    assert "2026-09-05" in behind
    assert [jump.at_us // 1_000_000 for jump in jumps] == [behind_at, now_at + 200 * DAY_S]


@pytest.mark.parametrize("seed", range(3))
def test_bit_by_bit_equals_from_scratch_whatever_the_clock(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    clock_at = START
    for _ in range(12):
        clock_at += chance.choice((-3 * DAY_S, -3600, 900, 3600, DAY_S // 2, DAY_S))
        quarters = sorted(chance.sample(range(192), chance.choice((1, 5, 60))))
        rows = [row(quarter, 1000 + 40 * quarter + chance.randrange(30)) for quarter in quarters]
        send(store, clock_at, *rows)
        if chance.random() < 0.5:
            end_waiting(store, clock_at * 1_000_000)
        if chance.random() < 0.6:
            settle_everything(store, 1)
    end_waiting(store, (START + 3 * DAY_S) * 1_000_000)
    settle_everything(store, 1)
    before = stored_results(store, 1)
    settle_from_scratch(store, 1)
    assert stored_results(store, 1) == before
    assert "stamp-ahead" not in rules(store)


@pytest.mark.both_engines
def test_an_upgrade_lets_wait_what_was_set_aside_for_ever(empty_store_url: str) -> None:
    database = Database(empty_store_url)
    with database.write() as connection:
        migrate(connection, "0011")
        connection.execute(
            text(
                "INSERT INTO findings "
                "(site, meter, day, position, rule, register, start_at, end_at, evidence) VALUES "
                "(1, 2, 20500, 0, 'stamp-ahead', 'en_im', 1771200900, 1771200900, '{}'), "
                "(1, 2, 20500, 1, 'stamp-ahead', 'en_im', 1771200000, 1771200000, '{}'), "
                "(1, 2, 20500, 2, 'decreasing', 'en_im', 1771200000, 1771200000, '{}')"
            )
        )
        migrate(connection, REVISION)
        rows = connection.execute(select(schema.waiting_readings)).all()
    database.close()
    assert [tuple(each) for each in rows] == [(1, 2, 20_500, 1_771_200_000)]
