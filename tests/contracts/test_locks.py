"""Locked answers stay, whatever comes; what is locked and what differs add up to what is true."""

import random
import struct
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, note

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.differences import read_differences
from commonwatt.app.billing.lock import CannotLock, lock_group, read_locks, unlock_group
from commonwatt.app.billing.lock_hash import content_hash_of
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import (
    InvalidDeclaration,
    MeterDeclaration,
    SiteDeclaration,
)
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Mode, SiteCatalogue
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from tests.contracts.answers import Answers, Window, answers_of
from tests.contracts.site_changes import Changes, is_done, site_of
from tests.contracts.stored_results import (
    add_building,
    deliver,
    settle_everything,
    stored_results,
)
from tests.depth import by_depth, examples
from tests.oracle import facts as oracle
from tests.oracle.buildings import Plan, first_day, plans

DAY_S = 86_400
FIRST_DAY = 19_076
NOW_US = 20_600 * DAY_S * 1_000_000
POWER = Group.ELECTRICITY


def answers(store: SqlStore, site: int, window: Window) -> Answers:
    with store.snapshot() as snapshot:
        return answers_of(snapshot, snapshot.catalogue.catalogue(site), window)


def with_differences(store: SqlStore, site: int, window: Window) -> Answers:
    """Total, self and ext as answered, with the open differences added."""
    found = answers(store, site, window)
    base, end = window.quarters
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        for group in Group:
            for each in read_differences(
                snapshot, catalogue, group, base * QUARTER_S, end * QUARTER_S
            ):
                column = found[each.meter.id][each.column]
                for quarter, more in zip(each.quarters, each.difference, strict=True):
                    column[quarter - base] += int(more)
    return found


def amounts(found: Answers) -> list[list[int]]:
    """Total, self and ext of every meter, in the order of ids."""
    return [
        columns[name]
        for _, columns in sorted(found.items())
        if "total" in columns
        for name in ("total", "self", "ext")
    ]


def before(found: Answers, quarters: int, group_ids: frozenset[str]) -> Answers:
    """The first quarter-hours of some series."""
    return {
        name: {key: column[:quarters] for key, column in columns.items()}
        for name, columns in found.items()
        if name in group_ids
    }


def assert_locks_hold(store: SqlStore, plan: Plan) -> None:
    note(str(plan))
    chance = random.Random(plan.seed)
    changes, locked, free = Changes(plan, chance), site_of(store, plan), site_of(store, plan)
    window = Window(first_day(plan) - 2, first_day(plan) + plan.days + 3)
    frozen: Answers = {}
    until = 0
    ids = ids_of(store, locked.number)
    for step in range(20):
        now_us = NOW_US + step * 60_000_000
        action = changes.next()
        # What cannot be done because of the lock is done to neither.
        if is_done(action, locked, now_us):
            assert is_done(action, free, now_us)
        if chance.random() < 0.3:
            until = min(until + chance.randrange(1, 120), 96 * (plan.days + 3))
            until_at = window.first_day * DAY_S + until * 900
            lock_group(store, locked.number, POWER, until_at, "me", now_us, "a test")
            frozen = before(answers(store, locked.number, window), until, ids)
        if chance.random() < 0.4:
            settle_everything(store, locked.number)
        if until:
            assert before(answers(store, locked.number, window), until, ids) == frozen
            assert_hashes_hold(store, locked.number)
    settle_everything(store, free.number)
    true = amounts(answers(store, free.number, window))
    assert amounts(with_differences(store, locked.number, window)) == true
    settle_everything(store, locked.number)
    assert amounts(with_differences(store, locked.number, window)) == true
    while until and read_lock(store, locked.number):
        (lock,) = read_lock(store, locked.number)
        unlock_group(store, locked.number, POWER, lock, "a test", "me", NOW_US)
        assert amounts(with_differences(store, locked.number, window)) == true
    assert stored_results(store, locked.number) == stored_results(store, free.number)


def assert_hashes_hold(store: SqlStore, site: int) -> None:
    """The hash of each step is that of what is answered now."""
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        for step in snapshot.locks.steps(site):
            found = content_hash_of(snapshot, catalogue, step.group, step.until_at)
            assert found == step.content_hash


def ids_of(store: SqlStore, site: int) -> frozenset[str]:
    """The meters of electricity, and its balances."""
    with store.snapshot() as snapshot:
        meters = snapshot.catalogue.catalogue(site).meters_of(POWER)
    return frozenset({meter.id for meter in meters} | {"electricity", "charge_point"})


def read_lock(store: SqlStore, site: int) -> list[int]:
    with store.snapshot() as snapshot:
        return [lock.last.until_at for lock in read_locks(snapshot, site)]


@examples(few=2, many=12)
@given(plan=plans(days=by_depth(1, 2)))
def test_locked_and_differing_add_up(store: SqlStore, plan: Plan) -> None:
    assert_locks_hold(store, plan)


def a_meter(store: SqlStore, medium: oracle.Medium = "electricity") -> SiteCatalogue:
    meter = oracle.Meter("a" * 24, medium=medium, facts=(oracle.Facts(mode="consumption"),))
    return add_building(store, oracle.Building((meter,)))


def tell(store: SqlStore, catalogue: SiteCatalogue, indexes: Mapping[int, int]) -> None:
    """Deliver indexes [mWh] by quarter-hour since the first day."""
    register = REGISTERS_OF[catalogue.meters[0].medium][0].value
    rows = tuple(
        oracle.Row(FIRST_DAY * DAY_S + 900 * quarter, {register: index})
        for quarter, index in indexes.items()
    )
    deliver(store, catalogue.site.number, catalogue.meters[0], rows, NOW_US)


def at(quarter: int) -> int:
    return FIRST_DAY * DAY_S + 900 * quarter


@pytest.mark.both_engines
def test_a_late_reading_is_a_difference(store: SqlStore) -> None:
    catalogue = a_meter(store)
    site = catalogue.site.number
    tell(store, catalogue, {0: 0, 4: 8_000, 8: 16_000})
    lock_group(store, site, POWER, at(6), "me", NOW_US, "a test")
    tell(store, catalogue, {2: 1_000, 7: 15_000})

    with store.snapshot() as snapshot:
        found = read_differences(snapshot, snapshot.catalogue.catalogue(site), POWER)
        total = next(each for each in found if each.column == "total")
        series = answers_of(snapshot, catalogue, Window(FIRST_DAY, FIRST_DAY + 1))
    # Indexes of then: 0, 1/2, 1, 4 1/2, 8, 10 1/3, 12 2/3 Wh, rounded half up.
    assert series[catalogue.meters[0].id]["total"][:8] == [2, 2, 2, 2, 2, 2, 2, 1]
    assert (total.quarters - FIRST_DAY * 96).tolist() == [0, 1, 2, 3, 5]
    assert total.locked.tolist() == [2, 2, 2, 2, 2]
    assert total.current.tolist() == [1, 0, 4, 3, 3]
    assert total.difference.tolist() == [-1, -2, 2, 1, 1]


@pytest.mark.parametrize(
    ("until", "words"),
    [(at(6) + 1, "within a quarter-hour"), (at(960_000), "in the future"), (at(3), "unlock")],
)
def test_a_lock_that_cannot_be_says_why(store: SqlStore, until: int, words: str) -> None:
    catalogue = a_meter(store)
    lock_group(store, catalogue.site.number, POWER, at(4), "me", NOW_US, "a test")

    with pytest.raises(CannotLock, match=words):
        lock_group(store, catalogue.site.number, POWER, until, "me", NOW_US, "a test")


@pytest.mark.both_engines
def test_the_hash_can_be_recomputed_from_the_answers(store: SqlStore) -> None:
    catalogue = a_meter(store)
    site = catalogue.site
    tell(store, catalogue, {0: 0, 4: 8_000, 8: 16_000})
    lock = lock_group(store, site.number, POWER, at(3), "me", NOW_US, "a test")
    meter = catalogue.meters[0].id
    content = f"commonwatt-lock-1 {site.id} electricity - {at(3)} -\nmeter {meter}\n".encode()
    for quarter in range(3):
        content += struct.pack("<qqqqBBB", at(quarter), 2, 0, 2, 3, 3, 1)
    content += b"balance electricity\n"
    for quarter in range(3):
        content += struct.pack("<11qB", at(quarter), 2, 0, 2, *(0,) * 7, 3)
    first = sha256(content).hexdigest()
    assert lock.last.content_hash == first

    further = lock_group(store, site.number, POWER, at(4), "me", NOW_US, "a test")
    content = f"commonwatt-lock-1 {site.id} electricity {at(3)} {at(4)} {first}\n".encode()
    content += f"meter {meter}\n".encode() + struct.pack("<qqqqBBB", at(3), 2, 0, 2, 3, 3, 1)
    content += b"balance electricity\n"
    content += struct.pack("<11qB", at(3), 2, 0, 2, *(0,) * 7, 3)
    assert further.last.content_hash == sha256(content).hexdigest()
    assert further.steps[0] == lock.last

    left = unlock_group(store, site.number, POWER, at(4), "a test", "me", NOW_US)
    assert left is not None
    assert left.steps == (lock.last,)
    assert unlock_group(store, site.number, POWER, at(3), "a test", "me", NOW_US) is None
    with store.snapshot() as snapshot:
        trail = snapshot.audit_trail(0, NOW_US // 1_000_000 + 1)
    assert [line.subject for line in trail if line.action == "unlock"] == [
        f"electricity, from {local_stamp(at(3), site.timezone)} on",
        "electricity, all of it",
    ]


def declared(catalogue: SiteCatalogue, **fields: object) -> SiteDeclaration:
    """Declare something of the meter, or with ``timezone`` of its site."""
    site, meter = catalogue.site, catalogue.meters[0]
    timezone = str(fields.pop("timezone", site.timezone))
    facts = meter.facts[0]
    said = MeterDeclaration(
        line=2, id=meter.id, name=meter.name, medium=meter.medium, mode=facts.mode
    )
    said = replace(said, **fields)  # type: ignore[arg-type]
    return SiteDeclaration(line=1, id=site.id, name=site.name, timezone=timezone, meters=(said,))


@pytest.mark.parametrize(
    ("medium", "fields", "key"),
    [
        ("electricity", {"mode": Mode.PRODUCTION}, "mode"),
        ("electricity", {"timezone": "Asia/Kathmandu"}, "timezone"),
        ("heating", {"balance": False}, "balance"),
        ("heating", {"isolated": True}, "isolated"),
    ],
)
def test_what_locked_answers_rest_on_cannot_be_declared_otherwise(
    store: SqlStore, medium: oracle.Medium, fields: dict[str, object], key: str
) -> None:
    catalogue = a_meter(store, medium)
    site, meter = catalogue.site, catalogue.meters[0]
    tell(store, catalogue, {0: 0, 4: 8_000, 8: 16_000})
    lock_group(store, site.number, meter.medium.group, at(4), "me", NOW_US, "a test")

    wanted = declared(catalogue, valid_from=at(3), **fields)
    with pytest.raises(InvalidDeclaration, match="of what is locked cannot change") as raised:
        apply_declaration(store, wanted, "me", NOW_US // 1_000_000)
    assert [fault.key for fault in raised.value.faults] == [key]
    if key != "timezone":
        wanted = declared(catalogue, valid_from=at(4), **fields)
        apply_declaration(store, wanted, "me", NOW_US // 1_000_000)
    unlock_group(store, site.number, meter.medium.group, at(4), "wrong", "me", NOW_US)
    wanted = declared(catalogue, valid_from=at(3), **fields)
    apply_declaration(store, wanted, "me", NOW_US // 1_000_000)


def test_a_consumer_of_locked_time_may_leave_the_books(store: SqlStore) -> None:
    catalogue = a_meter(store)
    site, meter = catalogue.site, catalogue.meters[0]
    tell(store, catalogue, {0: 0, 4: 8_000, 8: 16_000})
    lock_group(store, site.number, POWER, at(4), "me", NOW_US, "a test")
    window = Window(FIRST_DAY, FIRST_DAY + 1)
    before = answers(store, site.number, window)[meter.id]
    wanted = declared(catalogue, valid_from=at(0), balance=False)
    apply_declaration(store, wanted, "me", NOW_US // 1_000_000)
    after = answers(store, site.number, window)[meter.id]
    assert [column[:4] for column in after.values()] == [column[:4] for column in before.values()]
