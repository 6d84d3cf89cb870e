"""Whatever changes a site, settled in between or all at the end, leaves the same bytes.

Devices, resolutions, declarations, deliveries and their withdrawals, edits of quarter-hours and of
readings, in any order.
"""

import random

import pytest
from hypothesis import given, note

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.readings.deliveries import withdraw_delivery
from commonwatt.app.settling.marks import days_with_data
from commonwatt.domain.metering.catalogue import Group
from tests.contracts.site_changes import ChangedSite, Changes, is_done, site_of
from tests.contracts.stored_results import (
    add_building,
    deliver,
    known_results,
    settle_everything,
    settle_from_scratch,
)
from tests.depth import by_depth, examples
from tests.oracle import facts as oracle
from tests.oracle.buildings import Plan, first_day, plans

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000


def mark_everything(site: ChangedSite) -> None:
    """Mark every day of which there can be results, whatever was marked."""
    meters = site.catalogue()
    with site.store.change(site.number) as change:
        generation = change.catalogue.next_generation(site.number)
        for group in Group:
            whole = days_with_data(change, meters.meters_of(group), site.number)
            if whole is not None:
                change.results.mark_dirty(site.number, group, [whole], generation)


def assert_changes_equal_from_scratch(store: SqlStore, plan: Plan) -> None:
    note(str(plan))
    chance = random.Random(plan.seed)
    changes = Changes(plan, chance)
    stepwise, at_once = site_of(store, plan), site_of(store, plan)
    now_us = (first_day(plan) + plan.days + 400) * DAY_US
    for _ in range(len(changes.sent) * 2 + 8):
        now_us += MINUTE_US
        action = changes.next()
        took = [is_done(action, site, now_us) for site in (stepwise, at_once)]
        assert took[0] == took[1]
        if chance.random() < 0.3:
            settle_everything(store, stepwise.number)
    mark_everything(at_once)
    for site in (stepwise, at_once):
        settle_everything(store, site.number)
    left, right = (known_results(store, site.number) for site in (stepwise, at_once))
    assert left == right


@examples(few=2, many=25)
@given(plan=plans(days=by_depth(1, 2)))
def test_changes_step_by_step_equal_from_scratch(store: SqlStore, plan: Plan) -> None:
    assert_changes_equal_from_scratch(store, plan)


@pytest.mark.both_engines
@pytest.mark.parametrize("interval_s", [1800, 3600])
def test_finer_intervals_from_midnight_on_change_the_one_before(
    store: SqlStore, interval_s: int
) -> None:
    """The first stamp is of the evening before; the rows after it tell whether it is finer."""
    site = add_building(store, oracle.Building((oracle.Meter("a" * 24, interval_s=interval_s),)))
    midnight_at, now_us = 20_500 * 86_400, 20_600 * DAY_US
    last = None
    for number in range(interval_s // 900 + 1):
        row = oracle.Row(midnight_at + 900 * number, {"en_im": 60_000})
        last = deliver(store, site.site.number, site.meters[0], (row,), now_us + number).delivery
    settle_everything(store, site.site.number)
    assert last is not None
    withdraw_delivery(store, site.site.number, last, "wrong", "operator", now_us + MINUTE_US)
    settle_everything(store, site.site.number)
    stepwise = known_results(store, site.site.number)["meter_days"]
    settle_from_scratch(store, site.site.number)
    assert stepwise == known_results(store, site.site.number)["meter_days"]
    assert [row[1] for row in stepwise][:1] == [20_499]
