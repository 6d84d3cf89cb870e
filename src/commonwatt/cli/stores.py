"""Which store a command works on, and waiting for a store that is busy."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from commonwatt.cli.faults import Failed

if TYPE_CHECKING:
    from commonwatt.adapters.store.sql_store import SqlStore
    from commonwatt.app.ports import Snapshot
    from commonwatt.domain.metering.catalogue import Site
    from commonwatt.settings import Settings

BY_COMMAND_LINE = "command line"
"""Who makes a change, as deliveries and audit trail say it: no account, but who has the store."""

_LONGEST_BUSY_S = 120.0
"""How long a busy store is asked again; each time it is waited for 5 s by itself."""

T = TypeVar("T")

# What the retry library says of its waits is not for a terminal.
logging.getLogger("stamina").addHandler(logging.NullHandler())

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the embedded store.",
        show_default="./commonwatt-data",
        rich_help_panel="Store",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="Database instead of the folder's own, as postgresql://USER@HOST/NAME. "
        "COMMONWATT_DATABASE_URL does the same.",
        rich_help_panel="Store",
    ),
]
OneSite = Annotated[
    str | None, typer.Option("--site", metavar="ID", help="A site, by id or site_ref.")
]


def store_settings(data: Path | None, database_url: str | None, **others: object) -> "Settings":
    """Return the settings of a command: what it was given, else the environment's.

    A folder that is given wins over a database that only the environment names. What cannot be a
    setting is wrong usage.
    """
    from pydantic import ValidationError

    from commonwatt.settings import Settings

    given: dict[str, object] = {"data": data, "database_url": database_url, **others}
    said = {name: value for name, value in given.items() if value is not None}
    try:
        settings = Settings.model_validate(Settings().model_dump() | said)
    except ValidationError as error:
        wrong = (f"{_called(e['loc'], said)}{e['msg']}" for e in error.errors())
        raise typer.BadParameter("; ".join(wrong)) from error
    if data is not None and database_url is None:
        return settings.model_copy(update={"database_url": None})
    return settings


def _called(loc: tuple[int | str, ...], said: Mapping[str, object]) -> str:
    """How whoever set a setting calls it: as an option, else as a variable of the environment."""
    from commonwatt.settings import PREFIX

    if not loc:
        return ""
    name = str(loc[0])
    return f"--{name.replace('_', '-')}: " if name in said else f"{PREFIX}{name.upper()}: "


@contextmanager
def looked_at_store(data: Path | None, database_url: str | None) -> Iterator["SqlStore"]:
    """Open the store of a command that changes nothing; an empty one where there is none yet."""
    from commonwatt.stores import STORE_FILE

    settings = store_settings(data, database_url)
    if settings.database_url is not None or (settings.data / STORE_FILE).exists():
        with opened_store(data, database_url) as store:
            yield store
        return
    with TemporaryDirectory() as folder, opened_store(Path(folder), None, create=True) as store:
        yield store


@contextmanager
def opened_store(
    data: Path | None, database_url: str | None, *, create: bool = False
) -> Iterator["SqlStore"]:
    """Open the store of a command and close it afterwards.

    An embedded one that is not there is made with ``create``, else Failed is raised: a folder that
    is misspelt should not become an empty store.
    """
    from commonwatt.stores import STORE_FILE, open_store_of

    settings = store_settings(data, database_url)
    if not create and settings.database_url is None and not (settings.data / STORE_FILE).exists():
        raise Failed(
            f"there is no store in {settings.data}; name its folder with --data, "
            "or begin one with `commonwatt apply`"
        )
    store = retry_while_busy(lambda: open_store_of(settings, also_read_only=True))
    try:
        yield store
    finally:
        store.database.close()


def retry_while_busy(work: Callable[[], T]) -> T:
    """Do work on a store that others, such as a running server, may keep too busy for it.

    Raises StoreBusy when it stays so.
    """
    import stamina

    from commonwatt.app.errors import StoreBusy

    again = stamina.RetryingCaller(
        attempts=None, timeout=_LONGEST_BUSY_S, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
    )
    return again.on(StoreBusy)(work)


def named_sites(snapshot: "Snapshot", wanted: str | None) -> list["Site"]:
    """Return the site that is wanted, by id or site_ref, or all of them. Raises Failed."""
    sites = snapshot.catalogue.sites()
    if wanted is None:
        return list(sites)
    found = [site for site in sites if site.id == wanted]
    found = found or [site for site in sites if site.site_ref == wanted]
    if not found:
        known = ", ".join(site.site_ref or site.id for site in sites[:10]) or "none yet"
        raise Failed(f"no site {wanted}; there are {known}")
    return found
