"""A site of 100 meters with a year of quarter-hours, served; what clients are measured on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.servers.side_commonwatt import Commonwatt, prepare, serve
from benchmarks.site.building import Building, make_building
from benchmarks.site.declared_site import DeclaredSite
from benchmarks.site.incoming import METERS, ROWS_A_BATCH
from benchmarks.site.plan import DAY_S, Plan

ASKED = DeclaredSite("b30000000000000000000001", "Asked", METERS - 2)


@dataclass(frozen=True, slots=True)
class AskedSite:
    """The site, its server, and what its meters have counted."""

    commonwatt: Commonwatt
    building: Building
    plan: Plan

    @property
    def port(self) -> int:
        """Where the server listens."""
        return self.commonwatt.server.port

    @property
    def window(self) -> tuple[str, str]:
        """The year that is asked for: [start, end) as instants with their offset."""
        start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in self.plan.year)
        return start, end

    @property
    def span(self) -> slice:
        """The positions of that year among the building's quarter-hours."""
        return self.building.span(*self.plan.year)


@contextmanager
def asked_site(folder: Path, plan: Plan, workers: int) -> Iterator[AskedSite]:
    """Fill and serve the site; its readings begin and end a day or two beside the year."""
    start, end = plan.year
    first_day = start // DAY_S - 1
    building = make_building(5, ASKED.consumers, first_day, end // DAY_S + 2 - first_day)
    data = folder / "asked-data"
    prepare(data, [ASKED])
    server = serve(folder, data, workers, "asked")
    try:
        commonwatt = Commonwatt(server, folder, data, plan, building, readings=0)
        commonwatt.put(ASKED, list(ASKED.batches(building, ROWS_A_BATCH)))
        server.wait_until_quiet(120)
        yield AskedSite(commonwatt, building, plan)
    finally:
        server.stop()
