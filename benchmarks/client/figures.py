"""The Python client and `commonwatt export`, on a site of their own."""

import tempfile
from pathlib import Path

from benchmarks.client.asked_site import asked_site
from benchmarks.client.export import exports
from benchmarks.client.year import meter_year
from benchmarks.report import Line
from benchmarks.site.plan import Plan


def client(plan: Plan, workers: int) -> list[Line]:
    """A meter's year to a frame, and a site's year to a file."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        asked_site(Path(name), plan, workers) as asked,
    ):
        return [*meter_year(asked), *exports(asked, Path(name))]
