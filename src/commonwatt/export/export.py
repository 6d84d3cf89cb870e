"""An export: its parts asked for one by one, kept, and joined when all are there."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from commonwatt.client import Climkit, Site
from commonwatt.client.series.frames import Table
from commonwatt.client.series.local_periods import Window
from commonwatt.export.csv_files import CsvFiles
from commonwatt.export.errors import CannotExport
from commonwatt.export.meters import OfMeters
from commonwatt.export.one_by_one import Tell
from commonwatt.export.parquet_files import parquet_files
from commonwatt.export.part_folder import PartFolder, part_folder
from commonwatt.export.request import ExportRequest, Wish
from commonwatt.export.sources import OfReadings, OfSensors, OfSite, Source

OnPart = Callable[[float, int], None]
"""Told how many parts are there, of how many; a part that is being asked counts by fractions."""


class Files(Protocol):
    """A form of files."""

    suffix: str

    def write(self, table: Table, out: BinaryIO) -> None:
        """Write a part."""

    def join(self, parts: Sequence[Path], out: BinaryIO) -> int:
        """Write parts one after the other; return how many rows they have."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that is there; `left_out`: whose rows are not in it, and why."""

    rows: int
    size_bytes: int
    left_out: Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for, who gives it, and what it becomes."""

    request: ExportRequest
    source: Source
    files: Files
    file: Path


class Export:
    """An export under way: no other process makes the same file."""

    def __init__(self, plan: Plan, folder: PartFolder) -> None:
        self._plan, self._folder = plan, folder
        self.folder = folder.path
        self.parts = folder.request.parts()

    @property
    def kept(self) -> int:
        """How many parts are there."""
        return sum(self._folder.path_of(part) is not None for part in self.parts)

    def finish(self, on_part: OnPart) -> Exported:
        """Ask for the parts that are not there, and make the file of all.

        An older file stays whole until then. Whatever stops this, the parts that are there stay.
        Raises ClimkitError and OSError.
        """
        plan, total = self._plan, len(self.parts)
        paths: list[Path] = []
        for position, part in enumerate(self.parts):
            on_part(position, total)
            tell = partial(_within, on_part, position, total)
            paths.append(self._folder.path_of(part) or self._asked(part, tell))
        on_part(total, total)
        rows = self._folder.finish(plan.file, partial(plan.files.join, paths))
        return Exported(rows, plan.file.stat().st_size, self._folder.left_out)

    def _asked(self, part: Window, tell: Tell) -> Path:
        """Ask for a part; return where it is kept."""
        rows = self._plan.source.rows(part, tell)
        table = rows.table(self._folder.request.timezone)
        self._folder.leave_out(self._plan.source.left_out)
        return self._folder.keep(part, partial(self._plan.files.write, table))


def _within(on_part: OnPart, position: int, total: int, asked: float) -> None:
    on_part(position + asked, total)


def files_of(file: Path) -> Files:
    """Return the form that a file's name ends in.

    Raises ValueError for other endings, MissingLibrary where nothing writes it.
    """
    if file.suffix == CsvFiles.suffix:
        return CsvFiles()
    if file.suffix == ".parquet":
        return parquet_files()
    raise ValueError(f"{file.name!r} must end in .parquet or .csv")


def planned(climkit: Climkit, site: Site, wish: Wish, file: Path, now_at: int) -> Plan:
    """Ask for the catalogue, and return how a wish is fulfilled.

    Raises ValueError for times and file names that are none, CannotExport where nothing can be
    there, MissingLibrary, and ClimkitError.
    """
    files = files_of(file)
    if site.timezone is None:
        raise CannotExport(f"the server does not say the time zone of site {site.id}")
    start_at, asked_end_at, end_at = wish.window(site.timezone, now_at)
    source = source_of(climkit, site, wish)
    request = ExportRequest(
        server=climkit.url,
        account=climkit.username,
        site=site.id,
        timezone=site.timezone,
        of=wish.of,
        meter_type=wish.meter_type,
        sampling=wish.sampling,
        start_at=start_at,
        asked_end_at=asked_end_at,
        end_at=end_at,
        form=files.suffix,
        columns=source.columns,
    )
    return Plan(request, source, files, Path(os.path.realpath(file)))  # a link stays one


@contextmanager
def begun(plan: Plan) -> Iterator[Export]:
    """Begin an export, or take up the one that was cut off.

    Raises CannotExport if another process makes the file, or parts of another request are there.
    """
    with part_folder(plan.file, plan.request) as folder:
        yield Export(plan, folder)


def source_of(climkit: Climkit, site: Site, wish: Wish) -> Source:
    """Return what gives the rows that are wished. Raises CannotExport where there can be none."""
    if wish.meter_type is None:
        return OfSensors(climkit, site)
    if wish.sampling is None:
        return OfReadings(climkit, site, wish.meter_type)
    if wish.of == "meters":
        return OfMeters(climkit, site, wish.meter_type, wish.sampling)
    return OfSite(climkit, site, wish.meter_type, wish.sampling)
