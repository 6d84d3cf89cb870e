"""Quarter-hours set and cleared by hand, undone, and what rests on them."""

from collections.abc import Iterator

import numpy as np
import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.edit_quarters import UnknownEdit, WantedEdit, edit_quarters, undo_edit
from commonwatt.app.declaring.apply import CannotChange, apply_declaration
from commonwatt.app.readings.deliveries import NothingToChange
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.domain.metering.catalogue import Medium, Meter, Register, SiteCatalogue
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

DAY = 20_500
START = DAY * 86_400
FIRST = DAY * 96
NOW_US = (START + 10 * 86_400) * 1_000_000
SITE = """
site: {site_ref: A, name: House, timezone: UTC}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10}
  - {name: Flat, type: electricity, mode: consumption, prim_ad: 11}
  - {name: Rest, type: electricity, mode: consumption, prim_ad: 12, rule: "prim_ad:10 - prim_ad:11"}
  - {name: Copy, type: electricity, mode: consumption, prim_ad: 13, balance: false,
     rule: "prim_ad:12"}
"""


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with a house whose meters counted evenly for a day."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply_declaration(store, declaration_from_yaml(SITE.encode()), "tester", START)
    for prim_ad, rise in ((10, 100), (11, 40)):
        rows = tuple(
            oracle.Row(START + 900 * count, {"en_im": (1000 + rise * count) * 1000})
            for count in range(97)
        )
        deliver(store, 1, meter(store, prim_ad), rows, NOW_US)
    yield store
    database.close()


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter(store: SqlStore, prim_ad: int) -> Meter:
    return catalogue(store).meter_by_address["electricity", prim_ad]


def edit(
    store: SqlStore,
    prim_ad: int,
    first: int,
    end: int,
    energy: int | None,
    register: Register | None = None,
) -> int:
    """Edit the quarter-hours [first, end) of the day; return the number of the edit."""
    wanted = WantedEdit(
        meter_id=meter(store, prim_ad).id,
        start_at=START + 900 * first,
        end_at=START + 900 * end,
        energy=energy,
        reason="read off by hand",
        register=register,
    )
    return edit_quarters(store, 1, wanted, "anna", NOW_US).number


Row = tuple[int, str, str]


def totals(store: SqlStore, prim_ad: int, first: int, end: int) -> list[Row]:
    """Total, quality and method of quarter-hours of the day, read and stored alike."""
    rows = read_totals(store, prim_ad, first, end)
    settle_everything(store, 1)
    assert read_totals(store, prim_ad, first, end) == rows
    return rows


def read_totals(store: SqlStore, prim_ad: int, first: int, end: int) -> list[Row]:
    with store.snapshot() as snapshot:
        series = read_meter_series(
            snapshot,
            catalogue(store),
            meter(store, prim_ad),
            FIRST + first,
            FIRST + end,
            with_method=True,
        )
    assert series.method is not None
    return [
        (total, Quality(quality).name, Method(method).name)
        for total, quality, method in zip(
            series.total.tolist(),
            series.quality_total.tolist(),
            series.method.tolist(),
            strict=True,
        )
    ]


MEASURED = (40, "MEASURED", "INDEX")


def test_what_is_set_is_spread_to_the_watt_hour_and_flagged(store: SqlStore) -> None:
    settle_everything(store, 1)
    edit(store, 11, 4, 7, 100)
    assert totals(store, 11, 3, 8) == [
        MEASURED,
        (33, "EDITED", "EDIT"),
        (34, "EDITED", "EDIT"),
        (33, "EDITED", "EDIT"),
        MEASURED,
    ]


def test_what_is_cleared_is_missing_and_closes_no_books(store: SqlStore) -> None:
    edit(store, 11, 4, 5, None)
    assert totals(store, 11, 3, 6) == [MEASURED, (0, "MISSING", "NONE"), MEASURED]
    with store.snapshot() as snapshot:
        site = read_site_series(snapshot, catalogue(store), Medium.ELECTRICITY, FIRST, FIRST + 8)
    assert site is not None
    missing = np.flatnonzero(site.balance.quality == Quality.MISSING)
    assert missing.tolist() == [4]


def test_rules_and_books_rest_on_what_was_set(store: SqlStore) -> None:
    edit(store, 11, 4, 5, 70)
    assert totals(store, 12, 3, 6) == [
        (60, "MEASURED", "RULE"),
        (30, "EDITED", "RULE"),
        (60, "MEASURED", "RULE"),
    ]


def test_a_rule_meter_can_be_edited_and_rules_that_name_it_follow(store: SqlStore) -> None:
    edit(store, 12, 4, 5, -8)
    assert totals(store, 12, 4, 6) == [(-8, "EDITED", "EDIT"), (60, "MEASURED", "RULE")]
    assert totals(store, 13, 4, 6) == [(-8, "EDITED", "RULE"), (60, "MEASURED", "RULE")]


@pytest.mark.both_engines
def test_the_later_edit_counts_and_undone_ones_do_not(store: SqlStore) -> None:
    first = edit(store, 11, 4, 6, 100)
    second = edit(store, 11, 5, 7, None)
    assert [row[0] for row in totals(store, 11, 4, 7)] == [50, 0, 0]
    undo_edit(store, 1, second, "bert", NOW_US + 1)
    assert totals(store, 11, 4, 7) == [(50, "EDITED", "EDIT")] * 2 + [MEASURED]
    undo_edit(store, 1, first, "bert", NOW_US + 2)
    assert totals(store, 11, 4, 7) == [MEASURED] * 3
    with pytest.raises(NothingToChange):
        undo_edit(store, 1, first, "bert", NOW_US + 3)
    with pytest.raises(UnknownEdit):
        undo_edit(store, 1, 9, "bert", NOW_US + 3)
    with store.snapshot() as snapshot:
        kept = snapshot.edits.edits(1)
    assert [(each.number, each.account, each.undone_by) for each in kept] == [
        (1, "anna", "bert"),
        (2, "anna", "bert"),
    ]


def test_the_reading_that_comes_late_does_not_take_the_edit_away(store: SqlStore) -> None:
    edit(store, 11, 100, 104, 400)
    assert totals(store, 11, 95, 105) == [
        MEASURED,
        *[(0, "MISSING", "NONE")] * 4,
        *[(100, "EDITED", "EDIT")] * 4,
        (0, "MISSING", "NONE"),
    ]
    late = tuple(
        oracle.Row(START + 900 * count, {"en_im": (1000 + 40 * count) * 1000})
        for count in range(97, 106)
    )
    deliver(store, 1, meter(store, 11), late, NOW_US)
    expected = [*[MEASURED] * 5, *[(100, "EDITED", "EDIT")] * 4, MEASURED]
    assert totals(store, 11, 95, 105) == expected


def test_edits_settled_one_by_one_are_as_from_scratch(store: SqlStore) -> None:
    settle_everything(store, 1)
    for first, end, energy in ((90, 100, 77), (0, 3, None), (300, 301, 5), (95, 97, None)):
        edit(store, 11, first, end, energy)
        settle_everything(store, 1)
    undo_edit(store, 1, 2, "bert", NOW_US)
    settle_everything(store, 1)
    one_by_one = stored_results(store, 1)
    with store.change(1) as change:
        generation = change.catalogue.next_generation(1)
        for group in {each.medium.group for each in catalogue(store).meters}:
            change.results.mark_dirty(1, group, [(DAY - 1, DAY + 4)], generation)
    settle_everything(store, 1)
    assert stored_results(store, 1) == one_by_one


@pytest.mark.parametrize(
    ("first", "end", "energy", "register", "field"),
    [
        (4, 4, 1, None, "end"),
        (0, 401 * 96, 1, None, "end"),
        (2_000, 2_001, 1, None, "end"),
        (4, 5, -1, None, "energy"),
        (4, 5, 2**31, None, "energy"),
        (4, 5, 1, Register.VOL_M3, "register"),
    ],
)
def test_what_cannot_be_is_refused(
    store: SqlStore, first: int, end: int, energy: int, register: Register | None, field: str
) -> None:
    with pytest.raises(CannotChange) as raised:
        edit(store, 11, first, end, energy, register)
    assert raised.value.field == field
    with store.snapshot() as snapshot:
        assert snapshot.edits.edits(1) == []


def test_an_edit_begins_and_ends_on_quarter_hours(store: SqlStore) -> None:
    wanted = WantedEdit(
        meter_id=meter(store, 11).id, start_at=START + 1, end_at=START + 900, energy=1, reason="x"
    )
    with pytest.raises(CannotChange, match="start must lie on a quarter-hour"):
        edit_quarters(store, 1, wanted, "anna", NOW_US)
