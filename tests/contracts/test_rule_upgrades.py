"""An upgrade of the rules marks all days; what it changes of locked ones is told apart."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from sqlalchemy import func, select, text

from commonwatt.adapters.store import rules_upgrade, schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.differences import Cause, read_differences
from commonwatt.app.billing.lock import lock_group, unlock_group
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.errors import StoreTooNew
from commonwatt.app.series.read import read_meter_series
from commonwatt.app.settling import settle_site as settling
from commonwatt.app.settling.settle_site import settle_days, settle_site
from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.catalogue import Group, Meter, SiteCatalogue
from commonwatt.domain.metering.load_profile import LoadProfile
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

DAY = 20_500
START = DAY * 86_400
FIRST, END = DAY * 96, (DAY + 3) * 96
NOW_US = (START + 10 * 86_400) * 1_000_000
POWER = Group.ELECTRICITY
UNTIL = START + 2 * 86_400 + 6 * 3_600
SITE = """
site: {site_ref: A, name: House, timezone: UTC}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10}
  - {name: Flat, type: electricity, mode: consumption, prim_ad: 11}
"""


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with a house of three days, settled and locked until 6 h of the third."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    for prim_ad, rise in ((10, 100), (11, 40)):
        rows = tuple(
            oracle.Row(START + 900 * count, {"en_im": (1000 + rise * count) * 1000})
            for count in range(96 * 3 + 1)
        )
        deliver(store, 1, meter(store, prim_ad), rows, NOW_US)
    settle_everything(store, 1)
    lock_group(store, 1, POWER, UNTIL, "anna", NOW_US, despite="a test")
    yield store
    database.close()


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter(store: SqlStore, prim_ad: int) -> Meter:
    return catalogue(store).meter_by_address["electricity", prim_ad]


def totals(store: SqlStore) -> list[int]:
    with store.snapshot() as snapshot:
        of = catalogue(store)
        series = read_meter_series(snapshot, of, meter(store, 11), FIRST, END)
    return [int(value) for value in series.total]


def told(store: SqlStore) -> dict[str, dict[int, int]]:
    """The differences of the flat's total by cause and quarter-hour of the three days."""
    found: dict[str, dict[int, int]] = {"rules": {}, "correction": {}}
    with store.snapshot() as snapshot:
        for each in read_differences(snapshot, catalogue(store), POWER):
            if each.meter.prim_ad == 11 and each.column == "total":
                for quarter, by in zip(each.quarters, each.difference, strict=True):
                    found[each.cause][int(quarter) - FIRST] = int(by)
    return found


def version_of(store: SqlStore) -> int:
    with store.database.read() as connection:
        found = connection.execute(select(func.max(schema.rule_versions.c.version)))
        return int(found.scalar_one())


def upgrade(store: SqlStore, monkeypatch: pytest.MonkeyPatch, moved: int, at: int) -> None:
    """Open the store by a version whose rules move energy of the flat between quarter-hours.

    From the quarter-hour ``at`` of each day to the next one: a rule that is there for the test.
    """
    monkeypatch.setattr(rules_upgrade, "RULES_VERSION", version_of(store) + 1)
    before = settle_days if settling.settle_days is settle_days else settling.settle_days

    def by_new_rules(*args: object, **options: object) -> object:
        settlement = before(*args, **options)  # type: ignore[arg-type]
        for profile in settlement.profiles:
            if profile.meter == 2 and profile.im is not None:
                days = profile.im.reshape(-1, 96)
                known = days.sum(axis=1) > 0
                days[known, at] -= moved
                days[known, at + 1] += moved
        return settlement

    monkeypatch.setattr(settling, "settle_days", by_new_rules)
    monkeypatch.setattr("commonwatt.app.series.read.settle_days", by_new_rules)
    with store.database.write() as connection:
        rules_upgrade.mark_where_rules_changed(connection)


def marked(store: SqlStore) -> set[int]:
    with store.snapshot() as snapshot:
        return set(snapshot.results.dirty_days(1, POWER))


def test_a_new_store_is_by_the_rules_of_its_version(store: SqlStore, store_url: str) -> None:
    assert not marked(store)
    again = open_database(store_url)
    assert not marked(SqlStore(again))
    again.close()


def test_an_old_store_is_marked_once_under_one_generation(store: SqlStore, store_url: str) -> None:
    before = stored_results(store, 1)
    with store.snapshot() as snapshot:
        generation = snapshot.catalogue.generation(1)
        days = set(snapshot.results.settled_days(1, POWER, -(2**31), 2**31 - 1))
    with store.database.write() as connection:
        connection.execute(text("DELETE FROM rule_versions"))
    for _ in range(2):
        open_database(store_url).close()
        assert marked(store) == days
        with store.snapshot() as snapshot:
            assert snapshot.catalogue.generation(1) == generation + 1
        with store.database.read() as connection:
            marks = connection.execute(select(schema.dirty_marks.c.generation)).scalars()
            assert set(marks) == {generation + 1}
    settle_everything(store, 1)
    assert stored_results(store, 1) == before
    assert told(store) == {"rules": {}, "correction": {}}
    with store.database.read() as connection:
        assert not connection.execute(select(schema.rule_changes)).all()


def test_what_earlier_rules_did_not_keep_of_meters_is_found_out(
    store: SqlStore, store_url: str
) -> None:
    registers = schema.meter_registers
    kept = select(registers).where(registers.c.site == 1).order_by(registers.c.meter)
    with store.database.write() as connection:
        before = [dict(row) for row in connection.execute(kept).mappings()]
        connection.execute(
            text("UPDATE meter_registers SET believed_from = NULL, believed_to = NULL")
        )
        connection.execute(text("UPDATE meter_registers SET first_positive_at = 5"))
        connection.execute(text("DELETE FROM rule_versions"))
    open_database(store_url).close()
    with store.database.read() as connection:
        after = [dict(row) for row in connection.execute(kept).mappings()]
        generation = connection.execute(select(schema.sites.c.generation)).scalar_one()
    assert [row["believed_from"] for row in after] == [DAY, DAY]
    assert after == [row | {"generation": generation} for row in before]


def test_a_store_settled_by_later_rules_is_refused(store: SqlStore, store_url: str) -> None:
    with store.database.write() as connection:
        connection.execute(text("UPDATE rule_versions SET version = 99"))
    with pytest.raises(StoreTooNew, match="version 99 of the rules"):
        open_database(store_url)


@pytest.mark.parametrize("settled", [True, False])
def test_what_rules_alone_change_of_locked_days_is_no_correction(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    upgrade(store, monkeypatch, moved=3, at=20)
    if settled:
        settle_everything(store, 1)
        assert not marked(store)
    locked = {96 * day + at: by for day in range(3) for at, by in ((20, -3), (21, 3))}
    assert told(store) == {"rules": locked, "correction": {}}
    answered = totals(store)
    assert answered == [40] * 96 * 3
    # What is not locked follows the new rules.
    upgrade(store, monkeypatch, moved=7, at=60)
    if settled:
        settle_everything(store, 1)
    expected = [40] * 96 * 3
    expected[2 * 96 + 60] -= 7
    expected[2 * 96 + 61] += 7
    assert totals(store) == expected
    more = {96 * day + at: by for day in range(2) for at, by in ((60, -7), (61, 7))}
    assert told(store) == {"rules": locked | more, "correction": {}}


@pytest.mark.parametrize("order", ["upgrade first", "corrected before", "before settling"])
def test_a_correction_has_its_own_part(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    row = oracle.Row(START + 900 * 21, {"en_im": (1000 + 40 * 21 + 10) * 1000})

    def correct() -> None:
        deliver(store, 1, meter(store, 11), (row,), NOW_US + 1)

    if order == "corrected before":
        correct()
        settle_everything(store, 1)
    upgrade(store, monkeypatch, moved=3, at=20)
    if order == "upgrade first":
        settle_everything(store, 1)
    if order != "corrected before":
        correct()
    rules = {96 * day + at: by for day in range(3) for at, by in ((20, -3), (21, 3))}
    for _ in range(2):
        assert told(store) == {"rules": rules, "correction": {20: 10, 21: -10}}
        assert totals(store) == [40] * 96 * 3
        settle_everything(store, 1)
        assert not marked(store)


def test_unlocking_forgets_what_rules_changed_and_a_new_lock_has_none(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(store, monkeypatch, moved=3, at=20)
    settle_everything(store, 1)
    unlock_group(store, 1, POWER, START + 86_400, "wrong", "anna", NOW_US + 2)
    assert told(store)["rules"] == {20: -3, 21: 3}
    lock_group(store, 1, POWER, UNTIL, "anna", NOW_US + 3, despite="a test")
    assert told(store) == {"rules": {20: -3, 21: 3}, "correction": {}}
    expected = [40] * 96 * 3
    for day in (1, 2):
        expected[96 * day + 20], expected[96 * day + 21] = 37, 43
    assert totals(store) == expected


def test_locked_differences_and_open_add_up_to_the_register(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(5)
    for step in range(6):
        if step % 2:
            upgrade(store, monkeypatch, moved=chance.randrange(1, 5), at=chance.randrange(80))
        else:
            at = chance.randrange(1, 96 * 3)
            row = oracle.Row(
                START + 900 * at, {"en_im": (1000 + 40 * at + chance.randrange(9)) * 1000}
            )
            deliver(store, 1, meter(store, 11), (row,), NOW_US + step)
        if chance.random() < 0.5:
            settle_site(store, 1, POWER)
        by_cause = told(store)
        differing = sum(sum(each.values()) for each in by_cause.values())
        assert sum(totals(store)) + differing == 40 * 96 * 3
        assert sum(by_cause["rules"].values()) in (0, *range(-5 * 3, 5 * 3))


def test_a_change_of_rules_is_put_together_and_cut() -> None:
    def profile(im: list[int], quality: int) -> LoadProfile:
        return LoadProfile(
            meter=1,
            im=np.array(im, np.int64),
            ex=None,
            self_energy=None,
            quality_total=np.full(len(im), quality, np.uint8),
            quality_self=None,
            method=None,
        )

    first = RuleChange.between(profile([5, 6, 7], 3), profile([5, 9, 7], 3))
    assert first.changed.tolist() == [False, True, False]
    both = first.then(RuleChange.between(profile([5, 9, 7], 3), profile([4, 9, 7], 3)))
    moved = both.of(profile([5, 6, 7], 3))
    assert moved.im is not None
    assert moved.im.tolist() == [4, 9, 7]
    assert both.until(1).of(profile([5, 6, 7], 3)).im.tolist() == [4, 6, 7]  # type: ignore[union-attr]
    worse = RuleChange.between(profile([5], 3), profile([5], 2)).of(profile([5], 3))
    assert worse.quality_total.tolist() == [2]
    assert Cause("rules") is Cause.RULES
