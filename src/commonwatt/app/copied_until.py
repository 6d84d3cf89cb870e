"""How far series have been copied from another platform."""

from collections.abc import Mapping

from commonwatt.app.ports import Store


def copied_until(store: Store, site: int) -> Mapping[str, int]:
    """Return up to which instant [Unix seconds] series are copied, by the id of meter or sensor.

    What was never copied is not in it. Raises the errors of `store_errors`.
    """
    with store.snapshot() as snapshot:
        return snapshot.reference.copied_until(site)
