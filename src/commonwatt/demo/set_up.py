"""Setting the demo up in an empty store: its building, its accounts, its history."""

from commonwatt.app.accounts.accounts import AccountExists
from commonwatt.app.accounts.administer import (
    NewAccount,
    PasswordHasher,
    add_account,
    make_key,
    set_password,
)
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.accounts.store import AccountStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.ports import Store
from commonwatt.demo.seeding import GATEWAY, Progress, seed
from commonwatt.demo.simulated.building import DECLARATION_FILE, SITE_ID
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.demo.simulated.simulation import FIRST_QUARTER
from commonwatt.demo.state import CannotRunDemo, DemoState
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats.declaration.yaml import declaration_from_yaml

READER = "demo"
"""The account whose password the demo shows."""


def site_number(store: Store) -> int | None:
    """Return the number of the demo's site, None where the store is empty.

    Raises CannotRunDemo where the store has other sites: it is not the demo's to fill.
    """
    with store.snapshot() as snapshot:
        sites = snapshot.catalogue.sites()
    others = [site.name for site in sites if site.id != SITE_ID]
    if others:
        raise CannotRunDemo(
            f"this store has a site that is not the demo's ({others[0]}); "
            "give the demo a folder of its own with --data"
        )
    return sites[0].number if sites else None


def set_up(
    store: Store,
    accounts: AccountStore,
    passwords: PasswordHasher,
    now_at: int,
    progress: Progress,
) -> DemoState:
    """Fill a store with the demo's building and 13 months of readings that end now.

    Safe to repeat after it was cut off. Raises CannotRunDemo and the errors of a store.
    """
    reading_log = ReadingLog(now_at)
    if reading_log.history_from_at < FIRST_QUARTER * QUARTER_S:
        raise CannotRunDemo("the demo's readings begin in 2024: this machine's clock is too early")
    building = declaration_from_yaml(DECLARATION_FILE.read_bytes())
    apply_declaration(store, building, READER, now_at)
    number = site_number(store)
    assert number is not None, "the demo's building was just declared"
    password = _account(accounts, passwords, READER, Role.DEVELOPER, now_at)
    _account(accounts, passwords, GATEWAY, Role.GATEWAY, now_at)
    key = make_key(accounts, GATEWAY, label="demo", at=now_at, by=READER)
    seed(store, number, reading_log, now_at, progress)
    return DemoState(
        set_up_at=now_at,
        delivered_until_at=now_at,
        account=READER,
        password=password,
        gateway_key=key,
    )


def _account(
    accounts: AccountStore, passwords: PasswordHasher, name: str, role: Role, now_at: int
) -> str:
    """Make an account of the demo's site, or give it a new password; return the password."""
    # A gateway sends several bodies at once when it has been away.
    new = NewAccount(name=name, role=role, sites=(SITE_ID,), rate_limited=role is not Role.GATEWAY)
    try:
        return add_account(accounts, passwords, new, at=now_at, by=READER)
    except AccountExists:
        return set_password(accounts, passwords, name, None, at=now_at, by=READER)
