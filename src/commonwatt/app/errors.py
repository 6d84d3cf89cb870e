"""What cannot be done, and is no fault of ours: one root, told by the API and by commands alike.

What a store can fail with is grouped by what the caller can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Collection

    from commonwatt.domain.metering.catalogue import Group


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A kind of error as the API tells it, with the status of the answer.

    ``slug``, the stable part of its ``type``, never changes its meaning.
    """

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URN that tells one kind of error from all others."""
        return f"urn:commonwatt:problem:{self.slug}"


INTERNAL = ErrorKind("internal", 500, "Our fault")
INVALID_INPUT = ErrorKind("invalid-input", 422, "Invalid input")
UNKNOWN_SITE = ErrorKind("unknown-site", 404, "Unknown site")
_BUSY = ErrorKind("store-busy", 503, "The store is busy")
_FULL = ErrorKind("store-full", 507, "The store is full")


class CommonwattError(Exception):
    """Something cannot be done; the message says why, and what would be right.

    ``kind`` is how the API tells it: `INTERNAL` where it can only come from a command.
    ``exit_code`` is that of a command that ends with it. ``public`` is told to clients instead of a
    message that names what is not theirs to know. ``field`` names the input that is meant, and
    after ``retry_after_s`` seconds it may be tried again.
    """

    kind: ClassVar[ErrorKind] = INTERNAL
    exit_code: ClassVar[int] = 1
    public: ClassVar[str | None] = None
    field: str | None = None
    retry_after_s: int | None = None


class UnknownMeter(CommonwattError):
    """The site has no meter of that id."""

    kind = ErrorKind("unknown-meter", 404, "Unknown meter")

    def __init__(self, meter_id: str) -> None:
        super().__init__(f"the site has no meter {meter_id}; meter_info lists its meters")


class StoreError(CommonwattError):
    """The store could not do what it was asked for; nothing was half-written."""


class StoreBusy(StoreError):
    """Others hold the store's write lock; try again in a moment."""

    kind = _BUSY
    public = "others are writing; try again in a moment"
    retry_after_s = 2


class StoreFull(StoreError):
    """There is no space left for writing; reading goes on."""

    kind = _FULL


class StoreReadOnly(StoreError):
    """The store can be looked at and not written: its disk is full or read-only."""

    kind = _FULL


class StoreUnreachable(StoreError):
    """The store cannot be opened or reached; the message says which and why."""

    kind = _BUSY
    public = "the store cannot be reached just now; try again in a moment"
    retry_after_s = 2


class StoreStopping(StoreError):
    """The process is ending: nothing more is read or written, what was begun is rolled back."""

    kind = ErrorKind("shutting-down", 503, "The server is ending")
    public = "the server is ending, and nothing of this was stored; try again in a moment"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("the server is ending; try again in a moment")


class StoreTooNew(StoreError):
    """The store was written by a newer version of commonwatt."""


class SiteRemoved(StoreError):
    """The site that a change is of was removed in the meantime."""

    kind = UNKNOWN_SITE


class DamagedDay(StoreError):
    """Stored numbers of a day are not what was stored; the message names site, meter and day.

    They are never answered. Only a backup has them.
    """

    kind = ErrorKind("damaged-day", 500, "Stored data are damaged")


class DamagedResults(DamagedDay):
    """Stored results of some UTC days are damaged, and can be settled again from the readings."""

    def __init__(self, message: str, site: int, group: Group, days: Collection[int]) -> None:
        super().__init__(message)
        self.site = site
        self.group = group
        self.days = days
