"""Accounts, grants, keys and sign-in on a real store of each kind."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator

import anyio
import anyio.lowlevel
import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select

from commonwatt.adapters.passwords import Argon2Passwords
from commonwatt.adapters.rate_counters import MemoryCounters
from commonwatt.adapters.rate_limits import SignInLimits
from commonwatt.adapters.store import schema
from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.engine.database import Database
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.tables.account_access import (
    read_access,
    read_access_by_key,
)
from commonwatt.adapters.tokens import JwtTokens
from commonwatt.app.accounts.accounts import (
    AccountExists,
    InvalidAccountName,
    LooksAlike,
    NoSuchKey,
    NoSuchSite,
    NotGranted,
    UnknownAccount,
    UnusablePassword,
)
from commonwatt.app.accounts.administer import (
    AccountSettings,
    NewAccount,
    add_account,
    list_accounts,
    make_key,
    revoke_key,
    set_account,
    set_disabled,
    set_password,
)
from commonwatt.app.accounts.authorize import (
    AccountAccess,
    NotSignedIn,
    Role,
    SiteList,
    hash_key,
    read_bearer,
)
from commonwatt.app.accounts.grants import GrantChange, grant_sites, revoke_sites
from commonwatt.app.accounts.sign_in import SignIn, TooManySignIns, WrongSignIn

pytestmark = pytest.mark.both_engines

NOW = 1_790_000_000
BY = "the operator"
ZURICH = "61dfc9a0eba4e3564021f36a"
CAIRO = "61dfc9a0eba4e3564021f36b"
FOREIGN = "61dfc9a0eba4e3564021f36c"
HOME = "192.0.2.1"
RIGHT, WRONG, NEW, OTHER = (
    f"the {word} pass phrase" for word in ["right", "wrong", "new", "other"]
)


class CountingHasher(PasswordHasher):
    """A real, quick hasher that counts what it verifies, and how much of it at once."""

    __slots__ = ("_lock", "at_once", "most_at_once", "verified")

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=1024, parallelism=1)
        self._lock = threading.Lock()
        self.verified = self.at_once = self.most_at_once = 0

    def verify(self, *args: str | bytes) -> bool:  # type: ignore[override]
        with self._lock:
            self.verified += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return super().verify(*args)
        finally:
            with self._lock:
                self.at_once -= 1


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """Give a store with three sites."""
    database = open_database(store_url)
    with database.write() as connection:
        for number, (site_id, zone) in enumerate(
            [(ZURICH, "Europe/Zurich"), (CAIRO, "Africa/Cairo"), (FOREIGN, "UTC")], start=1
        ):
            connection.execute(
                insert(schema.sites),
                {
                    "no": number,
                    "id": site_id,
                    "site_ref": f"CH-{number}",
                    "name": zone,
                    "timezone": zone,
                    "generation": 10 + number,
                    "catalogue_generation": number,
                },
            )
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SqlAccountStore:
    return SqlAccountStore(database)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def passwords(hasher: CountingHasher) -> Argon2Passwords:
    return Argon2Passwords(hasher)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_in(store: SqlAccountStore, passwords: Argon2Passwords, clock: Clock) -> SignIn:
    throttle = SignInLimits(MemoryCounters(clock), clock)
    return SignIn(store, passwords, throttle, JwtTokens(store.signing_key()))


@pytest.fixture
def anna(store: SqlAccountStore, passwords: Argon2Passwords) -> str:
    """Give the name of a developer of the site in Zurich, whose password is RIGHT."""
    new = NewAccount(name="anna", sites=[ZURICH], password=RIGHT)
    add_account(store, passwords, new, at=NOW, by=BY)
    return "anna"


class Reader:
    """The port of `read_bearer`, each question in a snapshot of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def access(self, account: str, site_id: str | None) -> AccountAccess | None:
        with self._database.read() as connection:
            return read_access(connection, account, site_id)

    def access_by_key(self, key_hash: str, site_id: str | None) -> AccountAccess | None:
        with self._database.read() as connection:
            return read_access_by_key(connection, key_hash, site_id)


def bearer_access(database: Database, sign_in: SignIn, bearer: str | None) -> AccountAccess:
    return read_bearer(bearer, ZURICH, tokens=sign_in.tokens, accounts=Reader(database), now=NOW)


# --- sign-in --------------------------------------------------------------------------------------


def test_signing_in_gives_a_token_of_the_account(
    database: Database, sign_in: SignIn, anna: str
) -> None:
    issued = sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    assert issued.valid_until_at == NOW + 900
    access = bearer_access(database, sign_in, issued.token)
    assert (access.account, access.role) == (anna, Role.DEVELOPER)
    assert access.site is not None
    assert (access.site.id, access.site.generation) == (ZURICH, 11)


@pytest.mark.parametrize("username", ["anna", "nobody", "off", "keys-only", "two words", "x" * 999])
def test_whoever_fails_costs_one_verification(
    store: SqlAccountStore,
    passwords: Argon2Passwords,
    hasher: CountingHasher,
    sign_in: SignIn,
    anna: str,
    username: str,
) -> None:
    add_account(store, passwords, NewAccount(name="off", password=WRONG), at=NOW, by=BY)
    set_disabled(store, "off", disabled=True, at=NOW, by=BY)
    add_account(store, passwords, NewAccount(name="keys-only"), at=NOW, by=BY)
    with store._database.write() as connection:
        mine = schema.accounts.c.name == "keys-only"
        connection.execute(schema.accounts.update().where(mine).values(password_hash=None))
    with pytest.raises(WrongSignIn):
        sign_in.at_once(username, WRONG, HOME, now=NOW)
    assert hasher.verified == 1


@pytest.mark.parametrize("password", ["", "x" * 1025, "é" * 513, "\ud800"])
def test_a_password_that_cannot_be_one_is_not_hashed_but_counts(
    hasher: CountingHasher, sign_in: SignIn, anna: str, password: str
) -> None:
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            sign_in.at_once(anna, password, HOME, now=NOW)
    with pytest.raises(TooManySignIns):
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    assert hasher.verified == 0


def test_after_five_failures_nothing_is_hashed_for_a_minute(
    hasher: CountingHasher, sign_in: SignIn, anna: str, clock: Clock
) -> None:
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            sign_in.at_once(anna, WRONG, HOME, now=NOW)
    with pytest.raises(TooManySignIns) as refused:
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    assert refused.value.retry_after_s == 60
    assert hasher.verified == 5
    sign_in.at_once(anna, RIGHT, "192.0.2.2", now=NOW)
    clock.now += 60
    sign_in.at_once(anna, RIGHT, HOME, now=NOW)


def test_success_is_no_failure(sign_in: SignIn, anna: str) -> None:
    for _ in range(60):
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)


def test_right_sign_ins_are_limited_before_anything_is_hashed(
    hasher: CountingHasher, sign_in: SignIn, anna: str, clock: Clock
) -> None:
    for _ in range(60):
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    with pytest.raises(TooManySignIns) as refused:
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    assert (refused.value.retry_after_s, hasher.verified) == (60, 60)
    sign_in.at_once(anna, RIGHT, "192.0.2.2", now=NOW)
    clock.now += 60
    sign_in.at_once(anna, RIGHT, HOME, now=NOW)


def test_guesses_sent_all_at_once_are_held_back_too(
    hasher: CountingHasher, sign_in: SignIn, anna: str
) -> None:
    answers: Counter[type[Exception]] = Counter()

    async def guess() -> None:
        try:
            await sign_in.off_loop(anna, WRONG, HOME, now=NOW)
        except (WrongSignIn, TooManySignIns) as answer:
            answers[type(answer)] += 1

    async def guess_all() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(guess)

    anyio.run(guess_all)
    # Four of an account are under way at once; the others are refused without a wait.
    assert answers == {WrongSignIn: 4, TooManySignIns: 26}
    assert hasher.most_at_once <= sign_in.slots.total_tokens
    assert hasher.verified == 4


def test_who_signs_in_a_hundred_times_at_once_holds_up_nobody_else(
    store: SqlAccountStore, passwords: Argon2Passwords, sign_in: SignIn, anna: str
) -> None:
    """Of the hundred, all right, a few are answered; the other account is not behind them all."""
    add_account(store, passwords, NewAccount(name="berta", password=OTHER), at=NOW, by=BY)
    done: list[str] = []

    async def enter(name: str, password: str, address: str) -> None:
        try:
            await sign_in.off_loop(name, password, address, now=NOW)
        except TooManySignIns:
            return
        done.append(name)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(enter, anna, RIGHT, HOME)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(enter, "berta", OTHER, "192.0.2.9")

    anyio.run(all_at_once)
    assert Counter(done) == {"anna": 4, "berta": 1}
    done.clear()
    anyio.run(enter, anna, RIGHT, HOME)
    assert done == ["anna"], "turns are given back"


def test_of_two_guesses_at_once_at_the_limit_one_is_answered(
    store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    class Meeting(CountingHasher):
        """Verifies when two are there to verify."""

        __slots__ = ()
        both = threading.Barrier(2, timeout=60)

        def verify(self, *args: str | bytes) -> bool:  # type: ignore[override]
            self.both.wait()
            return super().verify(*args)

    for _ in range(4):
        with pytest.raises(WrongSignIn):
            sign_in.at_once(anna, WRONG, HOME, now=NOW)
    meeting = SignIn(store, Argon2Passwords(Meeting()), sign_in.throttle, sign_in.tokens)
    answers: list[type[Exception]] = []

    def guess() -> None:
        try:
            meeting.at_once(anna, WRONG, HOME, now=NOW)
        except (WrongSignIn, TooManySignIns) as answer:
            answers.append(type(answer))

    threads = [threading.Thread(target=guess) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {WrongSignIn: 1, TooManySignIns: 1}


def test_a_hash_of_other_parameters_is_renewed(
    store: SqlAccountStore, sign_in: SignIn, anna: str, database: Database
) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(RIGHT)
    with store.change() as change:
        change.set_password_hash(anna, old)
    issued = sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    with store.view() as view:
        account = view.account(anna)
    assert account is not None
    assert account.password_hash is not None
    assert not sign_in.passwords.is_outdated(account.password_hash)
    assert sign_in.passwords.verify(RIGHT, account.password_hash)
    bearer_access(database, sign_in, issued.token)


def test_a_renewed_hash_does_not_undo_a_new_password(
    store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    class Late(CountingHasher):
        """Finds all hashes outdated, and the password changed before it has made a new one."""

        __slots__ = ()

        def check_needs_rehash(self, hash: str | bytes) -> bool:  # noqa: A002
            set_password(store, sign_in.passwords, anna, NEW, at=NOW, by=BY)
            return True

    late = SignIn(store, Argon2Passwords(Late()), sign_in.throttle, sign_in.tokens)
    late.at_once(anna, RIGHT, HOME, now=NOW)
    sign_in.at_once(anna, NEW, HOME, now=NOW)
    with pytest.raises(WrongSignIn):
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)


# --- bearers --------------------------------------------------------------------------------------


def test_tokens_stop_at_once_when_the_password_changes(
    database: Database, store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    token = sign_in.at_once(anna, RIGHT, HOME, now=NOW).token
    bearer_access(database, sign_in, token)
    made_up = set_password(store, sign_in.passwords, anna, None, at=NOW, by=BY)
    with pytest.raises(NotSignedIn, match="no longer valid"):
        bearer_access(database, sign_in, token)
    with pytest.raises(WrongSignIn):
        sign_in.at_once(anna, RIGHT, HOME, now=NOW)
    sign_in.at_once(anna, made_up, HOME, now=NOW)


def test_a_disabled_account_is_out_with_tokens_and_keys_until_enabled(
    database: Database, store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    token = sign_in.at_once(anna, RIGHT, HOME, now=NOW).token
    key = make_key(store, anna, at=NOW, by=BY)
    set_disabled(store, anna, disabled=True, at=NOW, by=BY)
    for bearer in (token, key):
        with pytest.raises(NotSignedIn):
            bearer_access(database, sign_in, bearer)
    set_disabled(store, anna, disabled=False, at=NOW, by=BY)
    assert bearer_access(database, sign_in, key).account == anna
    with pytest.raises(NotSignedIn):
        bearer_access(database, sign_in, token)


def test_a_token_with_the_right_version_does_not_help_a_disabled_account(
    database: Database, store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    set_disabled(store, anna, disabled=True, at=NOW, by=BY)
    with store.view() as view:
        account = view.account(anna)
    assert account is not None
    token = sign_in.tokens.issue(anna, account.token_version, NOW).token
    with pytest.raises(NotSignedIn):
        bearer_access(database, sign_in, token)


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [
        (None, "sign in"),
        ("", "sign in"),
        ("nonsense", "not one of ours"),
        ("cwk_nonsense", "key is unknown"),
    ],
)
def test_what_proves_nothing(
    database: Database, sign_in: SignIn, bearer: str | None, reason: str
) -> None:
    with pytest.raises(NotSignedIn, match=reason):
        bearer_access(database, sign_in, bearer)


def test_a_token_of_an_account_that_is_gone(database: Database, sign_in: SignIn) -> None:
    token = sign_in.tokens.issue("gone", 0, NOW).token
    with pytest.raises(NotSignedIn):
        bearer_access(database, sign_in, token)


def test_a_key_signs_in_until_it_is_revoked(
    database: Database, store: SqlAccountStore, sign_in: SignIn, anna: str
) -> None:
    key, other = (make_key(store, anna, label=label, at=NOW, by=BY) for label in ("a", "b"))
    assert key.startswith("cwk_")
    assert bearer_access(database, sign_in, key).account == anna
    [listing] = list_accounts(store)
    assert {each.label for each in listing.keys} == {"a", "b"}
    revoke_key(store, anna, hash_key(key)[:12], at=NOW, by=BY)
    with pytest.raises(NotSignedIn):
        bearer_access(database, sign_in, key)
    assert bearer_access(database, sign_in, other).account == anna
    with pytest.raises(NoSuchKey, match=hash_key(other)[:12]):
        revoke_key(store, anna, hash_key(key)[:12], at=NOW, by=BY)


def test_the_store_has_neither_password_nor_key(
    database: Database, store: SqlAccountStore, anna: str
) -> None:
    key = make_key(store, anna, at=NOW, by=BY)
    with database.read() as connection:
        for table in (schema.accounts, schema.account_keys, schema.audit):
            stored = repr(connection.execute(select(table)).all())
            assert key not in stored
            assert RIGHT not in stored


# --- what an account sees -------------------------------------------------------------------------


def test_access_has_the_site_only_where_it_is_granted(
    database: Database, store: SqlAccountStore, passwords: Argon2Passwords, anna: str
) -> None:
    others = NewAccount(name="berta", sites=[ZURICH, FOREIGN], history_from=dt.date(2020, 1, 1))
    add_account(store, passwords, others, at=NOW, by=BY)
    reader = Reader(database)
    granted = reader.access(anna, ZURICH)
    assert granted is not None
    assert granted.site is not None
    assert granted.site.timezone == "Europe/Zurich"
    assert granted.site.scope.history_from is None, "not berta's"
    for site_id in (FOREIGN, "0" * 24, None):
        access = reader.access(anna, site_id)
        assert access is not None
        assert access.site is None
    assert reader.access("nobody", ZURICH) is None
    revoke_sites(store, anna, ["CH-1"], at=NOW, by=BY)
    access = reader.access(anna, ZURICH)
    assert access is not None
    assert access.site is None


def test_history_begins_with_the_local_day_also_where_midnight_is_skipped(
    store: SqlAccountStore, anna: str
) -> None:
    # Cairo went from 24:00 of 2026-04-23 straight to 01:00 of the 24th, which is 22:00 UTC.
    skipped = GrantChange(history_from=dt.date(2026, 4, 24))
    grant_sites(store, anna, [CAIRO], skipped, at=NOW, by=BY)
    [listing] = list_accounts(store)
    jump = dt.datetime(2026, 4, 23, 22, tzinfo=dt.UTC)
    assert listing.grants[1].grant.history_from == jump.timestamp()


# --- administration -------------------------------------------------------------------------------


def test_an_account_is_what_was_asked_for(
    database: Database, store: SqlAccountStore, passwords: Argon2Passwords
) -> None:
    new = NewAccount(
        name="gate-1",
        role=Role.GATEWAY,
        sites=["CH-1", CAIRO],
        site_list=SiteList.IDS,
        rate_limited=False,
    )
    password = add_account(store, passwords, new, at=NOW, by=BY)
    assert len(password) >= 20
    [listing] = list_accounts(store)
    account = listing.account
    assert (account.role, account.site_list, account.rate_limited) == ("gateway", "ids", False)
    assert (account.disabled, account.token_version, account.created_at) == (False, 0, NOW)
    assert account.password_hash is not None
    assert passwords.verify(password, account.password_hash)
    assert [each.site.id for each in listing.grants] == [ZURICH, CAIRO]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "two words",
            "tab\t",
            "bell\a",
            "x" * 101,
            "\ud800",
            "a\u00a0b",
            "a\u200bb",
            "a\u3164b",
        ),
        *("h\u0435idi", "\u03bfskar", "\uff41nna", "he\u0131di", "ju\u0308rg"),
    ],
)
def test_a_name_that_cannot_be_one(
    store: SqlAccountStore, passwords: Argon2Passwords, name: str
) -> None:
    with pytest.raises(InvalidAccountName):
        add_account(store, passwords, NewAccount(name=name), at=NOW, by=BY)


def test_a_name_that_differs_in_capitals_alone(
    store: SqlAccountStore, passwords: Argon2Passwords, anna: str
) -> None:
    with pytest.raises(LooksAlike, match="Anna looks like anna"):
        add_account(store, passwords, NewAccount(name="Anna"), at=NOW, by=BY)
    add_account(store, passwords, NewAccount(name="j\u00fcrg@b\u0153uf.ch"), at=NOW, by=BY)
    assert [each.account.name for each in list_accounts(store)] == [
        "anna",
        "j\u00fcrg@b\u0153uf.ch",
    ]


def test_nothing_is_stored_of_an_account_with_an_unknown_site(
    database: Database, store: SqlAccountStore, passwords: Argon2Passwords
) -> None:
    new = NewAccount(name="anna", sites=[ZURICH, "CH-9"])
    with pytest.raises(NoSuchSite, match="no site CH-9; there are CH-1, CH-2, CH-3"):
        add_account(store, passwords, new, at=NOW, by=BY)
    assert list_accounts(store) == []
    with database.read() as connection:
        assert connection.execute(select(schema.audit)).all() == []


def test_requests_that_cannot_be_done(
    store: SqlAccountStore, passwords: Argon2Passwords, anna: str
) -> None:
    with pytest.raises(AccountExists, match="anna"):
        add_account(store, passwords, NewAccount(name=anna), at=NOW, by=BY)
    with pytest.raises(UnknownAccount, match="no account ana; there are anna"):
        grant_sites(store, "ana", [ZURICH], at=NOW, by=BY)
    with pytest.raises(UnknownAccount):
        revoke_sites(store, "ana", [ZURICH], at=NOW, by=BY)
    with pytest.raises(UnknownAccount):
        set_password(store, passwords, "ana", None, at=NOW, by=BY)
    with pytest.raises(UnknownAccount):
        set_disabled(store, "ana", disabled=True, at=NOW, by=BY)
    with pytest.raises(UnknownAccount):
        make_key(store, "ana", at=NOW, by=BY)
    with pytest.raises(UnusablePassword):
        set_password(store, passwords, anna, "x" * 1025, at=NOW, by=BY)
    with pytest.raises(NotGranted, match=CAIRO):
        revoke_sites(store, anna, [CAIRO], at=NOW, by=BY)
    with pytest.raises(UnknownAccount):
        set_account(store, "ana", AccountSettings(role=Role.OPERATOR), at=NOW, by=BY)


def test_everything_that_is_done_is_written_down(
    database: Database, store: SqlAccountStore, passwords: Argon2Passwords, anna: str
) -> None:
    grant_sites(store, anna, [CAIRO], at=NOW + 1, by=BY)
    revoke_sites(store, anna, [ZURICH], at=NOW + 2, by=BY)
    key_id = hash_key(make_key(store, anna, at=NOW + 3, by=BY))[:12]
    revoke_key(store, anna, key_id, at=NOW + 4, by=BY)
    set_password(store, passwords, anna, OTHER, at=NOW + 5, by=BY)
    set_disabled(store, anna, disabled=True, at=NOW + 6, by=BY)
    set_disabled(store, anna, disabled=False, at=NOW + 7, by=BY)
    log = schema.audit.c
    query = select(log.at, log.account, log.site, log.action, log.subject).order_by(log.id)
    with database.read() as connection:
        written = [tuple(row) for row in connection.execute(query)]
    assert written == [
        (NOW, BY, None, "add developer account", anna),
        (NOW, BY, 1, "grant", anna),
        (NOW + 1, BY, 2, "grant", anna),
        (NOW + 2, BY, 1, "revoke", anna),
        (NOW + 3, BY, None, "make key", anna),
        (NOW + 4, BY, None, f"revoke key {key_id}", anna),
        (NOW + 5, BY, None, "set password", anna),
        (NOW + 6, BY, None, "disable", anna),
        (NOW + 7, BY, None, "enable", anna),
    ]


# --- the signing key ------------------------------------------------------------------------------


def test_all_who_start_at_once_get_one_signing_key(database: Database, store_url: str) -> None:
    keys: list[bytes] = []
    together = threading.Barrier(20)

    def start() -> None:
        own = Database(store_url)
        together.wait()
        keys.append(SqlAccountStore(own).signing_key())
        own.close()

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 20
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert SqlAccountStore(database).signing_key() == keys[0]
