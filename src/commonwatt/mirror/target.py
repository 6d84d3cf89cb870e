"""The store that is copied into, through the use cases that every other writer calls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from commonwatt.app.declaring.apply import Applied, apply_declaration
from commonwatt.app.declaring.declaration import InvalidDeclaration, SiteDeclaration
from commonwatt.app.errors import CommonwattError
from commonwatt.app.ports import Store
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.readings.sensors import ingest_sensor_values
from commonwatt.app.reference.compare import TOTALS_SOURCE
from commonwatt.app.reference.keep import copied_until, keep_copied, keep_reference
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.readings import ReadingRows, Receipt, SensorRows
from commonwatt.domain.reference.reference import ReferenceQuarters

T = TypeVar("T")
_SOURCE = "mirror "


class CannotMirror(CommonwattError):
    """A site cannot be declared here as the server has it; the message says why."""


class RetryWhileBusy(Protocol):
    """Does work on a store that others may keep busy, again until it succeeds or gives up."""

    def __call__(self, work: Callable[[], T]) -> T:
        """Return what the work returns."""


@dataclass(frozen=True, slots=True)
class Target:
    """A store, and who writes into it: the account, and the host that readings come from."""

    store: Store
    account: str
    host: str
    retry_while_busy: RetryWhileBusy

    def catalogue(self, site_id: str) -> SiteCatalogue | None:
        """What is declared here of a site; None if there is none of that id."""
        with self.store.snapshot() as snapshot:
            for site in snapshot.catalogue.sites():
                if site.id == site_id:
                    return snapshot.catalogue.catalogue(site.number)
        return None

    def declare(self, declaration: SiteDeclaration) -> Applied:
        """Apply a declaration now. Raises `CannotMirror` with every fault found."""
        work = partial(
            apply_declaration, self.store, declaration, self.account, time.time_ns() // 10**9
        )
        try:
            return self.retry_while_busy(work)
        except InvalidDeclaration as error:
            faults = "; ".join(f"{fault.key}: {fault.reason}" for fault in error.faults)
            raise CannotMirror(f"site {declaration.name} cannot be declared: {faults}") from error

    def copied_until(self, site: int) -> Mapping[str, int]:
        """How far meters and sensors are copied [Unix seconds], by id."""
        return copied_until(self.store, site)

    def last_days(self, site: int) -> Mapping[str, int]:
        """The last UTC days with readings of meters, by id."""
        with self.store.snapshot() as snapshot:
            meters = snapshot.catalogue.catalogue(site).meters
            spans = snapshot.readings.register_spans(site, [each.number for each in meters])
        return {
            each.id: max(span.last_day for span in spans[each.number].values())
            for each in meters
            if spans.get(each.number)
        }

    def add_readings(self, site: int, rows: ReadingRows, *, of_totals: bool = False) -> Receipt:
        """Store readings as one delivery; ``of_totals``: they were made of validated totals."""
        source = (TOTALS_SOURCE if of_totals else _SOURCE) + self.host
        now_us = time.time_ns() // 1000
        return self.retry_while_busy(
            partial(ingest_readings, self.store, site, rows, self.account, source, now_us)
        )

    def add_sensor_values(self, site: int, rows: SensorRows) -> Receipt:
        """Store values of sensors as one delivery."""
        source, now_us = _SOURCE + self.host, time.time_ns() // 1000
        return self.retry_while_busy(
            partial(ingest_sensor_values, self.store, site, rows, self.account, source, now_us)
        )

    def keep_reference(
        self,
        site: int,
        meter: str,
        span: tuple[int, int],
        quarters: ReferenceQuarters,
        copied_until_at: int,
    ) -> None:
        """Keep what the server says of a meter over a span, and up to when that is final."""
        keep = partial(keep_reference, copied_until_at=copied_until_at)
        self.retry_while_busy(partial(keep, self.store, site, meter, span, quarters))

    def keep_copied(self, site: int, item: str, until_at: int) -> None:
        """Remember that a series is copied up to an instant."""
        self.retry_while_busy(partial(keep_copied, self.store, site, item, until_at))
