"""Readings set and cleared by hand, undone, and what rests on them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.edit_quarters import undo_edit
from commonwatt.app.billing.edit_reading import WantedReading, edit_reading
from commonwatt.app.billing.lock import lock_group
from commonwatt.app.declaring.apply import CannotChange, apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.ports import Snapshot
from commonwatt.app.readings.deliveries import (
    NothingToChange,
    reinstate_delivery,
    withdraw_delivery,
)
from commonwatt.app.series.raw import read_raw
from commonwatt.app.series.read import read_meter_series
from commonwatt.app.settling.as_of import view_as_of
from commonwatt.domain.metering.catalogue import Group, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.quality import Quality
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything
from tests.oracle import facts as oracle

DAY = 20_500
START = DAY * 86_400
NOW_US = (START + 10 * 86_400) * 1_000_000
SITE = """
site: {site_ref: A, name: House, timezone: UTC}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10}
  - {name: Flat, type: electricity, mode: consumption, prim_ad: 11}
  - {name: Rest, type: electricity, mode: consumption, prim_ad: 12, rule: "prim_ad:10 - prim_ad:11"}
  - {name: Hall, type: electricity, mode: consumption, prim_ad: 13, interval: PT15M, balance: false}
  - {name: Roof, type: electricity, mode: production, prim_ad: 14}
"""
WH = 1000
"""[mWh]"""
ROWS = tuple(oracle.Row(START + 900 * n, {"en_im": (1000 + 40 * n) * WH}) for n in range(97))
"""40 Wh a quarter-hour."""
MEASURED, EDITED = (40, "MEASURED"), (40, "EDITED")


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with a house in which a flat counted evenly for a day."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    deliver(store, 1, meter(store, 11), ROWS, NOW_US)
    yield store
    database.close()


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter(store: SqlStore, prim_ad: int) -> Meter:
    return catalogue(store).meter_by_address["electricity", prim_ad]


def edit(
    store: SqlStore,
    position: int,
    index_wh: int | None,
    prim_ad: int = 11,
    register: Register | None = None,
    at_us: int = NOW_US,
    off_s: int = 0,
) -> int:
    """Edit the reading at the start of a quarter-hour of the day; return the edit's number."""
    wanted = WantedReading(
        meter_id=meter(store, prim_ad).id,
        at=START + 900 * position + off_s,
        index=None if index_wh is None else index_wh * WH,
        reason="read off by hand",
        register=register,
    )
    return edit_reading(store, 1, wanted, "anna", at_us).number


Row = tuple[int, str]


def totals(store: SqlStore, first: int, end: int, prim_ad: int = 11) -> list[Row]:
    """Total and quality of quarter-hours of the day, read from what is dirty and stored alike."""
    with store.snapshot() as snapshot:
        fresh = totals_in(snapshot, catalogue(store), first, end, prim_ad)
    settle_everything(store, 1)
    with store.snapshot() as snapshot:
        assert totals_in(snapshot, catalogue(store), first, end, prim_ad) == fresh
    return fresh


def totals_in(
    snapshot: Snapshot, site: SiteCatalogue, first: int, end: int, prim_ad: int = 11
) -> list[Row]:
    quarters = DAY * 96 + first, DAY * 96 + end
    wanted = site.meter_by_address["electricity", prim_ad]
    series = read_meter_series(snapshot, site, wanted, *quarters)
    names = [Quality(code).name for code in series.quality_total.tolist()]
    return list(zip(series.total.tolist(), names, strict=True))


def findings(store: SqlStore) -> list[tuple[str, int, int]]:
    with store.snapshot() as snapshot:
        found = read_findings(snapshot, catalogue(store))
    return [(f.rule.value, (f.start_at - START) // 900, f.evidence.get("index", 0)) for f in found]


def raw_indexes(store: SqlStore, position: int) -> list[int]:
    """What meter_data_raw answers of one instant [Wh]."""
    at = START + 900 * position
    with store.snapshot() as snapshot:
        raw = read_raw(snapshot, catalogue(store), meter(store, 11), at, at)
    return [value // WH for value in raw.values[Register.EN_IM].tolist()]


def test_what_is_set_counts_instead_of_what_was_sent_and_conserves_energy(store: SqlStore) -> None:
    settle_everything(store, 1)
    edit(store, 4, 1170)
    expected = [MEASURED, (50, "EDITED"), (30, "EDITED"), MEASURED]
    assert totals(store, 2, 6) == expected
    assert raw_indexes(store, 4) == [1160]


def test_what_is_set_where_nothing_was_sent_is_a_reading_more(store: SqlStore) -> None:
    settle_everything(store, 1)
    edit(store, 97, 4900)
    assert totals(store, 95, 98) == [MEASURED, (60, "EDITED"), (0, "MISSING")]
    assert raw_indexes(store, 97) == []


def test_what_is_cleared_is_found_and_its_energy_is_spread(store: SqlStore) -> None:
    deliver(store, 1, meter(store, 11), (oracle.Row(START + 3600, {"en_im": 1170 * WH}),), NOW_US)
    assert [rule for rule, _, _ in findings(store)] == ["duplicate-reading"]
    edit(store, 4, None)
    assert totals(store, 2, 6) == [MEASURED] * 4
    assert findings(store) == [("cleared-by-edit", 4, 1170 * WH)]
    assert raw_indexes(store, 4) == [1170]


def test_an_edit_is_validated_as_every_reading(store: SqlStore) -> None:
    edit(store, 4, 900_000)
    assert totals(store, 2, 6) == [MEASURED] * 4
    assert findings(store) == [("index-out-of-order", 4, 900_000 * WH)]


def test_what_is_sent_later_does_not_take_the_edit_away(store: SqlStore) -> None:
    edit(store, 4, 1170)
    edit(store, 8, None)
    # The latest that a sender may say: its clock may be a little ahead.
    late = tuple(replace(row, issued_at_us=NOW_US + 900_000_000) for row in ROWS)
    receipt = deliver(store, 1, meter(store, 11), late, NOW_US)
    assert (receipt.accepted, receipt.superseding) == (97, 95)
    assert [row[0] for row in totals(store, 3, 5)] == [50, 30]
    assert ("cleared-by-edit", 8, 1320 * WH) in findings(store)


@pytest.mark.both_engines
def test_the_later_edit_counts_whatever_the_clock_and_undone_ones_do_not(store: SqlStore) -> None:
    first = edit(store, 4, 1170)
    second = edit(store, 4, None, at_us=NOW_US - 5)
    third = edit(store, 4, 1160, at_us=NOW_US - 9)
    assert totals(store, 3, 5) == [EDITED, EDITED]
    undo_edit(store, 1, third, "bert", NOW_US)
    assert totals(store, 3, 5) == [MEASURED, MEASURED]
    assert [rule for rule, _, _ in findings(store)] == ["cleared-by-edit"]
    undo_edit(store, 1, second, "bert", NOW_US)
    assert [row[0] for row in totals(store, 3, 5)] == [50, 30]
    undo_edit(store, 1, first, "bert", NOW_US)
    assert totals(store, 3, 5) == [MEASURED, MEASURED]
    with pytest.raises(NothingToChange, match="edit 1 is undone already"):
        undo_edit(store, 1, first, "bert", NOW_US)
    assert findings(store) == []
    with store.snapshot() as snapshot:
        kept = snapshot.edits.edits(1)
    assert [(e.number, e.index, e.undone_by) for e in kept] == [
        (first, 1170 * WH, "bert"),
        (second, None, "bert"),
        (third, 1160 * WH, "bert"),
    ]


def test_the_delivery_of_an_edit_is_told_and_only_undoing_takes_it_back(store: SqlStore) -> None:
    edit(store, 4, 1170)
    with store.snapshot() as snapshot:
        delivery = snapshot.readings.deliveries(1)[-1]
    assert (delivery.source, delivery.account, delivery.accepted) == ("edit 1", "anna", 1)
    with pytest.raises(NothingToChange, match="is edit 1"):
        withdraw_delivery(store, 1, delivery.number, "wrong", "me", NOW_US)
    undo_edit(store, 1, 1, "bert", NOW_US)
    with pytest.raises(NothingToChange, match="is edit 1"):
        reinstate_delivery(store, 1, delivery.number, "me", NOW_US)


def test_what_was_known_before_an_edit_and_before_it_was_undone(store: SqlStore) -> None:
    edit(store, 4, 1170, at_us=NOW_US + 10)
    settle_everything(store, 1)
    undo_edit(store, 1, 1, "bert", NOW_US + 20)
    settle_everything(store, 1)
    for known_us, expected in (
        (NOW_US + 9, [MEASURED, MEASURED]),
        (NOW_US + 10, [(50, "EDITED"), (30, "EDITED")]),
        (NOW_US + 19, [(50, "EDITED"), (30, "EDITED")]),
        (NOW_US + 20, [MEASURED, MEASURED]),
    ):
        with store.snapshot() as snapshot:
            view, then = view_as_of(snapshot, catalogue(store), known_us)
            assert totals_in(view, then, 3, 5) == expected


def test_locked_quarter_hours_stay_as_they_were(store: SqlStore) -> None:
    lock_group(store, 1, Group.ELECTRICITY, START + 4 * 900, "anna", NOW_US, "a test")
    edit(store, 4, 1170)
    assert totals(store, 3, 5) == [MEASURED, (30, "EDITED")]


def test_interval_values_are_set_and_cleared_at_the_end_of_the_interval(store: SqlStore) -> None:
    rows = tuple(oracle.Row(START + 900 * n + 2, {"en_im": 25 * WH}) for n in range(1, 9))
    deliver(store, 1, meter(store, 13), rows, NOW_US)
    edit(store, 4, 60, 13, off_s=2)
    edit(store, 6, None, 13, off_s=2)
    edit(store, 9, 7, 13)
    assert totals(store, 2, 10, 13) == [
        (25, "MEASURED"),
        (60, "EDITED"),
        (25, "MEASURED"),
        (0, "MISSING"),
        (25, "MEASURED"),
        (25, "MEASURED"),
        (7, "EDITED"),
        (0, "MISSING"),
    ]


def test_the_main_register_is_edited_unless_another_is_said(store: SqlStore) -> None:
    edit(store, 4, 10, 14)
    edit(store, 4, 10, 14, Register.EN_IM)
    with store.snapshot() as snapshot:
        registers = [each.register for each in snapshot.edits.edits(1)]
    assert registers == [Register.EN_EX, Register.EN_IM]


def test_an_edit_keeps_the_serial_of_the_reading(store: SqlStore) -> None:
    rows = tuple(replace(row, serial="B" if n == 5 else "A") for n, row in enumerate(ROWS[:9]))
    deliver(store, 1, meter(store, 14), rows, NOW_US)
    assert [rule for rule, _, _ in findings(store)] == ["serial-changed"] * 2
    edit(store, 5, 1201, 14, Register.EN_IM)
    assert [rule for rule, _, _ in findings(store)] == ["serial-changed"] * 2
    edit(store, 9, 1360, 14, Register.EN_IM)
    with store.snapshot() as snapshot:
        number = meter(store, 14).number
        said = snapshot.readings.readings(1, [number], DAY, DAY + 1)[number]
    assert said.serials[said.stamps == START + 9 * 900].tolist() == [""]


@pytest.mark.parametrize(
    ("position", "index_wh", "prim_ad", "register", "field"),
    [
        (4, 1, 12, None, "at"),
        (4, 1, 11, Register.VOL_M3, "register"),
        (97, None, 11, None, "at"),
        (4, None, 11, Register.EN_EX, "at"),
        (960, 1, 11, None, "at"),
        (-2_000_000, 1, 11, None, "at"),
    ],
)
def test_what_cannot_be_is_refused(
    store: SqlStore,
    position: int,
    index_wh: int | None,
    prim_ad: int,
    register: Register | None,
    field: str,
) -> None:
    with pytest.raises(CannotChange) as raised:
        edit(store, position, index_wh, prim_ad, register, at_us=NOW_US - 1)
    assert raised.value.field == field
    with store.snapshot() as snapshot:
        assert (snapshot.edits.edits(1), len(snapshot.readings.deliveries(1))) == ([], 1)
