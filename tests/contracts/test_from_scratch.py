"""Whatever happened to a site, what is stored is what settling all of it from scratch stores.

Bit by bit: results, what is beside locked ones, findings with their evidence, and the locks.
"""

from random import Random

import pytest
from hypothesis import given, note

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.lock import lock_group, unlock_group
from commonwatt.domain.metering.catalogue import Group
from tests.contracts.site_changes import Changes, is_done, site_of
from tests.contracts.stored_results import (
    all_stored,
    settle_everything,
    settle_from_scratch,
    with_something,
)
from tests.depth import by_depth, examples
from tests.oracle.buildings import Plan, first_day, plans

DAY_S = 86_400
PROFILES = ("meter_days", "site_days", "open_meter_days", "open_site_days")


def assert_as_from_scratch(store: SqlStore, plan: Plan) -> None:
    note(str(plan))
    chance = Random(plan.seed)
    changes, site = Changes(plan, chance), site_of(store, plan)
    start_at = first_day(plan) * DAY_S
    now_us = (start_at + 500 * DAY_S) * 1_000_000
    until_at = start_at
    for _ in range(25):
        now_us += 60_000_000
        is_done(changes.next(), site, now_us)
        if chance.random() < 0.4:
            settle_everything(store, site.number)
        if chance.random() < 0.15:
            until_at += 900 * chance.randrange(1, 100)
            lock_group(store, site.number, Group.ELECTRICITY, until_at, "me", now_us, "a test")
        elif until_at > start_at and chance.random() < 0.1:
            until_at -= 900 * chance.randrange((until_at - start_at) // 900)
            left = unlock_group(
                store, site.number, Group.ELECTRICITY, until_at, "wrong", "me", now_us
            )
            until_at = start_at if left is None else left.last.until_at
    settle_everything(store, site.number)
    stepwise = all_stored(store, site.number)
    settle_from_scratch(store, site.number)
    afresh = all_stored(store, site.number)
    for table, rows in stepwise.items():
        if table in PROFILES:
            assert with_something(rows) == with_something(afresh[table]), table
        else:
            assert rows == afresh[table], table


@pytest.mark.both_engines
@examples(few=2, many=25)
@given(plan=plans(days=by_depth(1, 2)))
def test_any_history_is_stored_as_from_scratch(store: SqlStore, plan: Plan) -> None:
    assert_as_from_scratch(store, plan)
