"""What a store can fail with. Grouped by what the caller can do."""


class StoreError(Exception):
    """The store could not do what it was asked for; nothing was half-written."""


class StoreBusy(StoreError):
    """Others hold the store's write lock; try again in a moment."""


class StoreFull(StoreError):
    """There is no space left for writing; reading goes on."""


class StoreUnreachable(StoreError):
    """The store cannot be opened or reached; the message says which and why."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of commonwatt."""
