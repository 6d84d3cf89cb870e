"""Copying a site in the test's own process."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.client import Climkit
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.mirror.copied import Copied
from commonwatt.mirror.copy_site import copy_site
from commonwatt.mirror.target import Target
from tests.api import building
from tests.api.conftest import PASSWORD
from tests.client.conftest import FAST

T = TypeVar("T")


def at_once(work: Callable[[], T]) -> T:
    """Do work on a store that nobody keeps busy."""
    return work()


def copy(
    address: str,
    store: SqlStore,
    site: str = building.SITE,
    *,
    since: date | None = None,
    account: str = "reader",
) -> Copied:
    """Copy a site of a server into a store."""
    copied = Copied()
    target = Target(store, "tests", "source.example", at_once)
    with Climkit(address, account, PASSWORD, requests_per_second=FAST) as climkit:
        copy_site(climkit, target, climkit.site(site), since, lambda _done, _total: None, copied)
    return copied


def catalogue(store: SqlStore, site: str = building.SITE) -> SiteCatalogue:
    """What is declared of a site."""
    with store.snapshot() as snapshot:
        numbers = {each.id: each.number for each in snapshot.catalogue.sites()}
        return snapshot.catalogue.catalogue(numbers[site])


def notes(copied: Copied) -> list[str]:
    """What was said of a run."""
    return [str(note) for note in copied.notes]
