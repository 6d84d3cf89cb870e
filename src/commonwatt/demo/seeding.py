"""Filling an empty store with the history of the demo's building."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from commonwatt.app.ports import Store
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.readings.sensors import ingest_sensor_values
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.demo.simulated.sensor_log import sensor_rows_due
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quarter_hours import DAY_S

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many steps are done, and of how many."""
GATEWAY = "demo-gateway"
"""The account that readings are sent by."""
_AT_ONCE_S = 32 * DAY_S
_SETTLING_STEPS = 6


def seed(
    store: Store, site: int, reading_log: ReadingLog, until_at: int, progress: Progress
) -> None:
    """Store what the gateway would have sent until an instant [Unix seconds], and settle it.

    Late readings are deliveries of their own. Safe to repeat: what is stored is unchanged. Raises
    the errors of a store.
    """
    now_us = until_at * 1_000_000
    spans = list(_spans(reading_log.history_from_at, until_at))
    for position, (after_at, end_at) in enumerate(spans):
        progress(position, len(spans) + _SETTLING_STEPS)
        for rows in reading_log.due(after_at, end_at):
            ingest_readings(store, site, rows, GATEWAY, "demo history", now_us)
        values = sensor_rows_due(after_at, end_at)
        ingest_sensor_values(store, site, values, GATEWAY, "demo history", now_us)
    progress(len(spans), len(spans) + _SETTLING_STEPS)
    # Groups settle apart from each other; two at a time keep two cores busy.
    with ThreadPoolExecutor(max_workers=2) as workers:
        for settled in [workers.submit(settle_site, store, site, group) for group in Group]:
            settled.result()


def _spans(start_at: int, end_at: int) -> Iterator[tuple[int, int]]:
    """Yield spans (after, until] that join up from before ``start_at`` to ``end_at``."""
    after_at = start_at - 1
    while after_at < end_at:
        until_at = min(after_at + _AT_ONCE_S, end_at)
        yield after_at, until_at
        after_at = until_at
