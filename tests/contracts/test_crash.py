"""What was acknowledged survives kill -9, and results do not depend on it."""

import random
import time

import pytest
from sqlalchemy import text

from commonwatt.adapters.store.sql_store import SqlStore
from tests.contracts.processes import (
    BUILDING,
    all_told,
    assert_read_right,
    begin,
    keep_settling,
    keep_writing,
    opened,
    write_body,
)
from tests.contracts.stored_results import add_building, settle_everything, stored_results

pytestmark = pytest.mark.both_engines

KILLS = 20


def acknowledged_until_killed(url: str, site: int, first: int, chance: random.Random) -> list[int]:
    """Write and settle in two processes; kill both at some moment amid it."""
    writer, acknowledged = begin(keep_writing, url, site, range(first, 10_000))
    settler, settling = begin(keep_settling, url, site)
    told = [acknowledged.recv() for _ in range(chance.randint(1, 8))]
    if chance.random() < 0.5:
        settling.recv()
    time.sleep(chance.random() * 0.02)
    for process in chance.sample((writer, settler), 2):
        process.kill()
        process.join()
    told += all_told(acknowledged)
    acknowledged.close()
    settling.close()
    return told


def assert_sound(store: SqlStore) -> None:
    if store.database.is_sqlite:
        with store.database.read() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]


@pytest.mark.slow
def test_killed_while_writing_and_settling_nothing_acknowledged_is_lost(store_url: str) -> None:
    with opened(store_url) as store:
        killed, undisturbed = add_building(store, BUILDING), add_building(store, BUILDING)
    chance = random.Random(20_260_101)
    site, first = killed.site.number, 0
    for _ in range(KILLS):
        told = acknowledged_until_killed(store_url, site, first, chance)
        assert told == list(range(first, first + len(told)))
        with opened(store_url) as store:
            assert_sound(store)
            assert_read_right(store, killed, told[-1])
            # What a sender was told need never be sent again: it is all there.
            for number in (told[0], told[-1]):
                assert write_body(store, killed, number).accepted == 0
        first = told[-1] + 1
    with opened(store_url) as store:
        for number in range(first + 1):
            write_body(store, killed, number)
            write_body(store, undisturbed, number)
        settle_everything(store, site)
        settle_everything(store, undisturbed.site.number)
        left, right = (stored_results(store, each) for each in (site, undisturbed.site.number))
    assert left == right
    assert len(left["meter_days"]) >= 2
