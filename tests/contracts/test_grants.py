"""What grants open and close of a site, changed step by step, on a real store of each kind."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.adapters.store.tables.account_access import read_granted_sites
from commonwatt.app.accounts.accounts import (
    AccountProblem,
    AllMetersOpen,
    NoSuchMeter,
    OpenAndClosed,
    SeveralMeters,
)
from commonwatt.app.accounts.administer import (
    AccountSettings,
    NewAccount,
    add_account,
    list_accounts,
    set_account,
)
from commonwatt.app.accounts.authorize import Habits, Role
from commonwatt.app.accounts.grants import NO_CHANGE, GrantChange, grant_sites
from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.serving import QUICK

pytestmark = pytest.mark.both_engines

NOW, BY, SITE = 1_790_000_000, "the operator", "HOUSE-1"
ID = "61dfcb4beba4e3563fdf%04d"
GRID, FLAT_1, FLAT_2, SUPPLY, PUMP, COMMON = (ID % number for number in range(1, 7))
HOUSE = f"""
site: {{site_ref: {SITE}, name: House, timezone: Europe/Zurich}}
meters:
  - {{id: "{GRID}", name: Grid, type: electricity, mode: introduction, prim_ad: 10}}
  - {{id: "{FLAT_1}", name: Flat 1, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: "{FLAT_2}", name: Flat 2, type: electricity, mode: consumption, prim_ad: 12}}
  - {{id: "{SUPPLY}", name: Supply, type: electricity, mode: consumption, prim_ad: 15,
     balance: false}}
  - {{id: "{PUMP}", name: Heat pump, type: electricity, mode: consumption, prim_ad: 16}}
  - {{id: "{COMMON}", name: Common parts, type: electricity, mode: consumption, prim_ad: 17,
     rule: "prim_ad:15 - prim_ad:16"}}
"""
ALL = {GRID, FLAT_1, FLAT_2, SUPPLY, PUMP, COMMON}


@pytest.fixture
def accounts(store: SqlStore) -> SqlAccountStore:
    """Give the accounts of a store with a house and a developer without grants."""
    apply(store, HOUSE)
    accounts = SqlAccountStore(store.database)
    add_account(accounts, QUICK, NewAccount(name="anna"), at=NOW, by=BY)
    return accounts


def apply(store: SqlStore, text: str) -> None:
    apply_declaration(store, declaration_from_yaml(text.encode()), "test", NOW)


def grant(accounts: SqlAccountStore, wanted: GrantChange = NO_CHANGE) -> set[str]:
    """Change anna's grant; the meters that it opens then, of those that there are."""
    [listing] = grant_sites(accounts, "anna", [SITE], wanted, at=NOW, by=BY)
    [listed] = list_accounts(accounts)
    assert listed.grants == [listing], "what is told is what is stored"
    assert {each.id for each in (*listing.open_meters, *listing.closed_meters)} >= ALL
    return {each.id for each in listing.open_meters}


def seen(store: SqlStore) -> AccessScope:
    """What requests of anna are judged by."""
    with store.database.read() as connection:
        [site] = read_granted_sites(connection, "anna")
    return site.scope


def opens(store: SqlStore, meter_id: str) -> bool:
    open_meters = seen(store).open_meters
    return open_meters is None or meter_id in open_meters


def test_what_is_not_said_stays(store: SqlStore, accounts: SqlAccountStore) -> None:
    day, later = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
    midnight = int(dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Zurich")).timestamp())
    assert grant(accounts, GrantChange(history_from=day, least_closed=3)) == ALL
    assert grant(accounts, GrantChange(closed_meters=["Flat 1"])) == ALL - {FLAT_1}
    assert (seen(store).history_from, seen(store).least_closed) == (midnight, 3)
    assert grant(accounts, GrantChange(closed_meters=["electricity:12"])) == ALL - {FLAT_1, FLAT_2}
    assert grant(accounts, GrantChange(history_from=later)) == ALL - {FLAT_1, FLAT_2}
    assert grant(accounts) == ALL - {FLAT_1, FLAT_2}, "said again, nothing changes"
    assert grant(accounts, GrantChange(meters=["prim_ad:11"])) == ALL - {FLAT_2}
    assert seen(store).history_from is not None
    assert grant(accounts, GrantChange(all_history=True)) == ALL - {FLAT_2}
    assert seen(store).history_from is None
    assert grant(accounts, GrantChange(all_meters=True, least_closed=0)) == ALL
    assert (seen(store).open_meters, seen(store).least_closed) == (None, 0)


def test_of_a_new_grant_the_meters_named_are_the_only_ones(
    store: SqlStore, accounts: SqlAccountStore
) -> None:
    assert grant(accounts, GrantChange(meters=["Flat 1"])) == {FLAT_1}
    assert grant(accounts, GrantChange(meters=[FLAT_2])) == {FLAT_1, FLAT_2}
    assert opens(store, FLAT_2)
    assert not opens(store, GRID)
    assert grant(accounts, GrantChange(closed_meters=["Flat 1"])) == {FLAT_2}


@pytest.mark.parametrize(
    "first",
    [GrantChange(closed_meters=["Flat 1"]), GrantChange(meters=["Flat 2"])],
    ids=["with a closed meter", "of some meters"],
)
def test_a_new_meter_is_closed_where_others_are(
    store: SqlStore, accounts: SqlAccountStore, first: GrantChange
) -> None:
    before = grant(accounts, first)
    new = ID % 9
    apply(
        store,
        f'{HOUSE}  - {{id: "{new}", name: New, type: electricity, mode: consumption, prim_ad: 19}}',
    )
    assert not opens(store, new)
    assert grant(accounts) == before
    assert grant(accounts, GrantChange(meters=["New"])) == before | {new}


def test_all_meters_can_be_closed(store: SqlStore, accounts: SqlAccountStore) -> None:
    """What is left are the totals of the site, as for a screen in the hall."""
    assert grant(accounts, GrantChange(closed_meters=sorted(ALL))) == set()
    assert not any(opens(store, meter) for meter in ALL)


def test_a_new_meter_is_open_where_all_are(store: SqlStore, accounts: SqlAccountStore) -> None:
    grant(accounts)
    assert opens(store, ID % 9)


def test_a_meter_that_is_computed_from_a_closed_one_is_closed_with_it(
    accounts: SqlAccountStore,
) -> None:
    """Their supply is open, so the common parts would tell what the heat pump used."""
    assert grant(accounts, GrantChange(closed_meters=["Heat pump"])) == ALL - {PUMP, COMMON}
    assert grant(accounts, GrantChange(meters=["Common parts"])) == ALL - {PUMP}
    again = GrantChange(closed_meters=["Heat pump", "Supply"], meters=["Common parts"])
    assert grant(accounts, again) == ALL - {PUMP, SUPPLY}


@pytest.mark.parametrize(
    ("wanted", "problem", "told"),
    [
        (GrantChange(closed_meters=["Flat 7"]), NoSuchMeter, "no meter Flat 7"),
        (GrantChange(closed_meters=["Twin"]), SeveralMeters, f"{ID % 7}, {ID % 8}"),
        (
            GrantChange(closed_meters=["Flat 1"], meters=[FLAT_1]),
            OpenAndClosed,
            "Flat 1 is to be opened and closed",
        ),
        (GrantChange(meters=["Flat 1"]), AllMetersOpen, "--closed-meter"),
    ],
    ids=["unknown", "two of a name", "both", "all are open"],
)
def test_what_cannot_be_done_changes_nothing(
    store: SqlStore,
    accounts: SqlAccountStore,
    wanted: GrantChange,
    problem: type[AccountProblem],
    told: str,
) -> None:
    twin = '  - {id: "%s", name: Twin, type: electricity, mode: consumption, prim_ad: %d}\n'
    apply(store, HOUSE + twin % (ID % 7, 21) + twin % (ID % 8, 22))
    before = grant(accounts)
    with pytest.raises(problem, match=told):
        grant_sites(accounts, "anna", [SITE], wanted, at=NOW, by=BY)
    assert grant(accounts) == before


def test_an_account_is_changed_by_what_is_said(store: SqlStore, accounts: SqlAccountStore) -> None:
    grant(accounts, GrantChange(closed_meters=["Flat 1"]))
    changed = AccountSettings(role=Role.OPERATOR, history_from=dt.date(2026, 1, 1))
    set_account(accounts, "anna", changed, at=NOW, by=BY)
    after = set_account(
        accounts, "anna", AccountSettings(habits=Habits.OF_2022, rate_limited=False), at=NOW, by=BY
    )
    account = after.account
    assert (account.role, account.habits, account.rate_limited) == ("operator", "2022", False)
    assert list_accounts(accounts) == [after], "what is told is what is stored"
    assert seen(store).history_from is not None
    assert not opens(store, FLAT_1), "the history is changed alone"
    set_account(accounts, "anna", AccountSettings(all_history=True), at=NOW, by=BY)
    assert seen(store).history_from is None
