"""The Python client and `commonwatt export`, on a site of their own."""

import tempfile
from pathlib import Path

from benchmarks.asked_site import asked_site
from benchmarks.client_export import exports
from benchmarks.client_year import meter_year
from benchmarks.plan import Plan
from benchmarks.report import Line


def client(plan: Plan, workers: int) -> list[Line]:
    """A meter's year to a frame, and a site's year to a file."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        asked_site(Path(name), plan, workers) as asked,
    ):
        return [*meter_year(asked), *exports(asked, Path(name))]
