"""The frozen demo: two weeks of the demo's building that are the same everywhere, on any day.

For test suites of those who write clients. Ids, readings, instants, account and password never
change, so what a test expects can be written down. The password is known to everybody; so the
account is made in a store of this module's own making alone, in a folder that is new and is removed
at the end, and answers on loopback only. Nothing outside can name another store.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.administer import NewAccount, add_account
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.bootstrap import run_server
from commonwatt.demo.frozen.facts import FROM, KNOWN_HASH, PASSWORD, UNTIL, USERNAME
from commonwatt.demo.seeding import GATEWAY, seed
from commonwatt.demo.set_up import site_number
from commonwatt.demo.simulated.building import DECLARATION_FILE, SITE_ID, TIMEZONE
from commonwatt.demo.simulated.reading_log import PROMPT_S, ReadingLog
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.settings import Settings
from commonwatt.stores import open_store_of

_BY = "frozen demo"


class FrozenSettings(Settings):
    """Settings that the environment has no say in."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the names are the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the program gives, and nothing else."""
        return (init_settings,)


def serve_frozen(port: int, announce: Callable[[str], None]) -> None:
    """Serve the frozen demo on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one.

    ``announce`` is called with the address, such as http://127.0.0.1:8000, once it answers.
    """
    with _frozen_folder() as folder:
        run_server(FrozenSettings(data=folder, host="127.0.0.1", port=port), announce)


class _KnownHash:
    """Hashes the one password that there is."""

    def hash(self, password: str) -> str:
        """Return the hash of PASSWORD."""
        assert password == PASSWORD
        return KNOWN_HASH


@contextlib.contextmanager
def _frozen_folder() -> Iterator[Path]:
    """Give a folder with the store of the frozen demo, which is gone afterwards."""
    with TemporaryDirectory(prefix="commonwatt-frozen-") as name:
        folder = Path(name)
        store = open_store_of(FrozenSettings(data=folder))
        try:
            _fill(store)
        finally:
            store.database.close()
        yield folder


def _fill(store: SqlStore) -> None:
    """Declare the building, store and settle its two weeks, and make the account."""
    # The readings of the last midnight come in a few seconds after it.
    now_at = int(UNTIL.timestamp()) + PROMPT_S
    apply_declaration(store, declaration_from_yaml(DECLARATION_FILE.read_bytes()), _BY, now_at)
    number = site_number(store)
    assert number is not None, "the building was just declared"
    # A meter counts from its first whole quarter-hour: that one begins the window.
    reading_log = ReadingLog(now_at, history_from_at=int(FROM.timestamp()) - QUARTER_S)
    # Some are read seconds before midnight; this reading ends the last quarter-hour of all.
    last = reading_log.now(int(UNTIL.timestamp()))
    ingest_readings(store, number, last, GATEWAY, "demo history", now_at * 1_000_000)
    seed(store, number, reading_log, now_at, lambda _done, _total: None)
    account = NewAccount(
        name=USERNAME,
        role=Role.DEVELOPER,
        sites=(SITE_ID,),
        rate_limited=False,
        password=PASSWORD,
    )
    add_account(SqlAccountStore(store.database), _KnownHash(), account, at=now_at, by=_BY)


def frozen_banner(address: str) -> str:
    """Return the text of a frozen demo that answers at an address."""
    return f"""
commonwatt demo, frozen: the same building, times and values on every machine and every day.

  address   {address}
  docs      {address}/docs
  account   {USERNAME}
  password  {PASSWORD}
  site      {SITE_ID}
  readings  {FROM.isoformat()} to {UNTIL.isoformat()}, {TIMEZONE}

Ask with times: a question without them means the last 24 hours, which are empty. The account may
ask as often as it likes. The password is known to everybody, so this answers on loopback only,
from a temporary folder of its own that is removed at the end.

Ctrl-C ends it.
"""
