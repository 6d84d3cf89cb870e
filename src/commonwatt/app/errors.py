"""What a store can fail with. Grouped by what the caller can do."""

from collections.abc import Collection

from commonwatt.domain.metering.catalogue import Group


class StoreError(Exception):
    """The store could not do what it was asked for; nothing was half-written."""


class StoreBusy(StoreError):
    """Others hold the store's write lock; try again in a moment."""


class StoreFull(StoreError):
    """There is no space left for writing; reading goes on."""


class StoreReadOnly(StoreError):
    """The store can be looked at and not written: its disk is full or read-only."""


class StoreUnreachable(StoreError):
    """The store cannot be opened or reached; the message says which and why."""


class StoreStopping(StoreError):
    """The process is ending: nothing more is read or written, what was begun is rolled back."""

    def __init__(self) -> None:
        super().__init__("the server is ending; try again in a moment")


class StoreTooNew(StoreError):
    """The store was written by a newer version of commonwatt."""


class SiteRemoved(StoreError):
    """The site that a change is of was removed in the meantime."""


class DamagedDay(StoreError):
    """Stored numbers of a day are not what was stored; the message names site, meter and day.

    They are never answered. Only a backup has them.
    """


class DamagedResults(DamagedDay):
    """Stored results of some UTC days are damaged, and can be settled again from the readings."""

    def __init__(self, message: str, site: int, group: Group, days: Collection[int]) -> None:
        super().__init__(message)
        self.site = site
        self.group = group
        self.days = days
