"""A site on a store of its own: readings go in by the use cases, quarter-hours come out."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.read import MeterSeries, read_meter_series
from commonwatt.app.settling.settle_site import settle_site
from commonwatt.domain.metering.catalogue import (
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Site,
    SiteFacts,
)
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.readings import NOT_ISSUED, MeterName, ReadingRows, Receipt

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Readings of one meter: ``stamps`` [Unix seconds], ``values`` [mWh], and who read them.

    ``serials`` counts the devices, one after the other; None: nobody says.
    """

    stamps: Column
    values: Column
    serials: NDArray[np.int16] | None = None


class SettledSite(AbstractContextManager["SettledSite"]):
    """Electricity meters of the modes given, numbered by their position.

    ``interval_s``: the length of their intervals in seconds, None: they are index meters.
    """

    def __init__(
        self,
        folder: Path,
        modes: Sequence[Mode],
        zone: str,
        *,
        balance: bool,
        interval_s: int | None = None,
    ) -> None:
        self._database = open_database(f"sqlite:///{folder / 'store.sqlite'}")
        self.store = SqlStore(self._database)
        site = Site(number=1, id=f"{1:024x}", name="Benchmark", timezone=zone)
        with self.store.new_site() as (change, self.number):
            change.catalogue.add_site(site, [SiteFacts(valid_from=0, valid_to=None)])
            for position, mode in enumerate(modes):
                meter = _meter(position, mode, balance, interval_s)
                change.catalogue.put_meter(self.number, meter)
        with self.store.snapshot() as snapshot:
            self.catalogue = snapshot.catalogue.catalogue(self.number)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        """Give the site; its store is open already."""
        return self

    def send(self, position: int, sent: Sent) -> Receipt:
        """Deliver readings of a meter, recorded soon after the last of them."""
        meter = self.catalogue.meters[position]
        exported = meter.current.main_is_export
        count = len(sent.stamps)
        serials = [] if sent.serials is None else [f"S{n}" for n in range(sent.serials.max() + 1)]
        rows = ReadingRows(
            rows=np.arange(1, count + 1),
            meter_codes=np.zeros(count, np.int32),
            meters=[MeterName(id=meter.id)],
            stamps=sent.stamps,
            values={Register.EN_EX if exported else Register.EN_IM: sent.values},
            qualities=np.zeros(count, np.uint8),
            issued_at=np.full(count, NOT_ISSUED),
            serials=serials,
            serial_codes=sent.serials,
            total=count,
        )
        now_us = int(sent.stamps.max()) * 1_000_000 + 60_000_000
        return ingest_readings(self.store, self.number, rows, "benchmark", "made up", now_us)

    def settle(self) -> int:
        """Settle what is dirty; return the days."""
        return settle_site(self.store, self.number, Group.ELECTRICITY)

    def series(self, position: int, first_quarter: int, end_quarter: int) -> MeterSeries:
        """The quarter-hours [first, end) of a meter."""
        with self.store.snapshot() as snapshot:
            meter = self.catalogue.meters[position]
            return read_meter_series(snapshot, self.catalogue, meter, first_quarter, end_quarter)

    def findings(self) -> list[Finding]:
        """All findings; their meters are numbered from 1."""
        with self.store.snapshot() as snapshot:
            return read_findings(snapshot, self.catalogue)


def _meter(position: int, mode: Mode, balance: bool, interval_s: int | None) -> Meter:
    return Meter(
        number=position + 1,
        id=f"{position + 1:024x}",
        name=f"Meter {position + 1}",
        medium=Medium.ELECTRICITY,
        prim_ad=position + 1,
        facts=(MeterFacts(valid_from=0, valid_to=None, mode=mode, balance=balance),),
        interval_s=interval_s,
    )
