"""As of an instant a store answers what it answered at that instant, bit for bit."""

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, note

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.edit_quarters import WantedEdit, edit_quarters
from commonwatt.app.billing.lock import lock_group
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import SiteDeclaration
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from tests.contracts.answers import Answers, Window, answers_of
from tests.contracts.site_changes import ChangedSite, Changes, is_done
from tests.contracts.stored_results import add_building, deliver, settle_everything
from tests.depth import by_depth, examples
from tests.oracle import facts as oracle
from tests.oracle.buildings import Plan, building_of, first_day, plans

DAY_S = 86_400


@dataclass
class Told:
    """A site whose answers are written down after each change."""

    store: SqlStore
    site: int
    window: Window
    now_at: int
    written: list[tuple[int, Answers]]

    def catalogue(self) -> SiteCatalogue:
        with self.store.snapshot() as snapshot:
            return snapshot.catalogue.catalogue(self.site)

    def tick(self) -> int:
        """Let a minute pass; the instant now [Unix microseconds]."""
        self.now_at += 60
        return self.now_at * 1_000_000

    def write_down(self) -> None:
        with self.store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(self.site)
            answers = answers_of(snapshot, catalogue, self.window)
        self.written.append((self.now_at * 1_000_000 + 999_999, answers))

    def assert_still_told(self) -> None:
        for at_us, answers in self.written:
            with self.store.snapshot() as snapshot:
                today = snapshot.catalogue.catalogue(self.site)
                view, catalogue = view_as_of(snapshot, today, at_us)
                assert answers_of(view, catalogue, self.window) == answers


def told_of(store: SqlStore, plan: Plan) -> Told:
    site = add_building(store, building_of(plan)).site.number
    window = Window(first_day(plan) - 2, first_day(plan) + plan.days + 3)
    return Told(store, site, window, (window.end_day + 400) * DAY_S, [])


def assert_history_is_told(store: SqlStore, plan: Plan) -> None:
    note(str(plan))
    told, chance = told_of(store, plan), random.Random(plan.seed)
    changes, site = Changes(plan, chance), ChangedSite(store, told.site)
    until_at = first_day(plan) * DAY_S
    told.write_down()
    for _ in range(20):
        is_done(changes.next(), site, told.tick())
        if chance.random() < 0.1:
            until_at += 900 * chance.randrange(1, 60)
            lock_group(store, told.site, Group.ELECTRICITY, until_at, "me", told.tick(), "a test")
        if chance.random() < 0.5:
            settle_everything(store, told.site)
        if chance.random() < 0.5:
            told.write_down()
    told.assert_still_told()
    settle_everything(store, told.site)
    told.assert_still_told()


@examples(few=2, many=12)
@given(plan=plans(days=by_depth(1, 2)))
def test_any_history_is_told_again(store: SqlStore, plan: Plan) -> None:
    assert_history_is_told(store, plan)


def a_lone_meter(store: SqlStore) -> Told:
    meter = oracle.Meter("a" * 24, facts=(oracle.Facts(mode="consumption"),))
    site = add_building(store, oracle.Building((meter,))).site.number
    return Told(store, site, Window(19_075, 19_090), 19_500 * DAY_S, [])


def rows(*readings: tuple[int, int]) -> tuple[oracle.Row, ...]:
    """Readings (quarter-hours since the first day, index)."""
    return tuple(
        oracle.Row(19_076 * DAY_S + 900 * quarter, {"en_im": value}) for quarter, value in readings
    )


def test_before_the_first_delivery_nothing_is_known(store: SqlStore) -> None:
    told = a_lone_meter(store)
    told.write_down()
    meter = told.catalogue().meters[0]
    deliver(store, told.site, meter, rows((0, 1_000), (96, 97_000)), told.tick())
    told.write_down()

    told.assert_still_told()
    (_, before), (_, after) = told.written
    assert not any(map(any, before[meter.id].values()))
    assert sum(after[meter.id]["total"]) == 96


def test_a_day_that_nothing_concerned_yet_is_not_there(store: SqlStore) -> None:
    told = a_lone_meter(store)
    meter = told.catalogue().meters[0]
    deliver(store, told.site, meter, rows((0, 1_000), (4, 5_000)), told.tick())
    told.write_down()
    deliver(store, told.site, meter, rows((400, 401_000)), told.tick())
    settle_everything(store, told.site)

    told.assert_still_told()


def test_a_day_that_is_edited_later_is_not_there(store: SqlStore) -> None:
    meter = oracle.Meter("a" * 24, installed_at=19_076 * DAY_S)
    site = add_building(store, oracle.Building((meter,))).site.number
    told = Told(store, site, Window(19_075, 19_090), 19_500 * DAY_S, [])
    told.write_down()
    start_at = 19_080 * DAY_S
    edit = WantedEdit(
        meter_id=told.catalogue().meters[0].id,
        start_at=start_at,
        end_at=start_at + 900,
        energy=5,
        reason="read off",
    )
    edit_quarters(store, site, edit, "me", told.tick())
    told.write_down()
    deliver(store, site, told.catalogue().meters[0], rows((0, 1_000), (4, 5_000)), told.tick())

    told.assert_still_told()


@pytest.mark.both_engines
def test_the_first_positive_index_is_that_of_then(store: SqlStore) -> None:
    told = a_lone_meter(store)
    meter = told.catalogue().meters[0]
    zeros = rows(*((quarter, 0) for quarter in range(4, 12)))
    deliver(store, told.site, meter, zeros, told.tick())
    told.write_down()
    deliver(store, told.site, meter, rows((0, 7_000)), told.tick())
    told.write_down()
    deliver(store, told.site, meter, rows((0, 0)), told.tick())
    told.write_down()
    settle_everything(store, told.site)

    told.assert_still_told()
    assert len({str(answers) for _, answers in told.written}) > 1


def test_a_clock_that_went_back_knows_by_the_recorded_instant(store: SqlStore) -> None:
    told = a_lone_meter(store)
    meter = told.catalogue().meters[0]
    first_us, later_us = told.tick(), told.tick()
    deliver(store, told.site, meter, rows((0, 1_000), (8, 9_000)), later_us)
    deliver(store, told.site, meter, rows((20, 40_000), (24, 44_000)), first_us)
    settle_everything(store, told.site)

    with store.snapshot() as snapshot:
        view, catalogue = view_as_of(snapshot, told.catalogue(), first_us)
        total = answers_of(view, catalogue, told.window)[meter.id]["total"]
    assert sum(total) == 4


def test_what_was_declared_round_trips(store: SqlStore) -> None:
    plan = Plan(seed=7, consumers=2, grids=1, lives=True)
    told = told_of(store, plan)
    before = told.catalogue()
    at_us = told.tick()
    renamed = SiteDeclaration(
        line=1, id=before.site.id, name="Renamed", timezone=before.site.timezone
    )
    deliver(store, told.site, before.meters[0], rows((0, 1)), at_us)
    told.tick()
    apply_declaration(store, renamed, "tester", told.now_at)

    with store.snapshot() as snapshot:
        then = snapshot.history.catalogue_at(told.site, at_us)
        assert then == before
        assert then is not None
        assert [type(m.facts) for m in then.meters] == [tuple] * len(then.meters)
        assert snapshot.history.catalogue_at(told.site, told.now_at * 1_000_000) is None
    assert replace(before.site, name="Renamed") == told.catalogue().site
