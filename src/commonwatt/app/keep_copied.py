"""Remembering how far a series has been copied from another platform."""

from commonwatt.app.ports import Store


def keep_copied(store: Store, site: int, item: str, until_at: int) -> None:
    """Let the series of a meter or sensor, by its id, be copied up to an instant [Unix seconds].

    The mark never falls. Raises the errors of `store_errors`.
    """
    with store.change(site) as change:
        change.reference.raise_copied_until(site, item, until_at)
