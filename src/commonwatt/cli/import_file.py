"""``commonwatt import``: files of readings or sensor values into the store."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.meters import named_meter
from commonwatt.cli.output import progress_bar
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    opened_store,
    patiently,
)

if TYPE_CHECKING:
    from commonwatt.app.ports import Store
    from commonwatt.domain.readings import ReadingQuality, ReadingRows, Receipt, SensorRows

_ROWS_A_DELIVERY = 500_000
_REASONS_SHOWN = 20


@dataclass(slots=True)
class _Progress:
    """What of a file is stored so far."""

    file: Path
    accepted: int = 0
    unchanged: int = 0
    superseding: int = 0
    rejected: int = 0
    deliveries: list[str] = field(default_factory=list)

    def add(self, receipt: "Receipt") -> None:
        """Count a receipt, and show why its rows were rejected."""
        self.accepted += receipt.accepted
        self.unchanged += receipt.unchanged
        self.superseding += receipt.superseding
        if receipt.delivery is not None:
            self.deliveries.append(str(receipt.delivery))
        for each in receipt.rejected:
            self.rejected += 1
            if self.rejected <= _REASONS_SHOWN:
                typer.echo(f"{self.file}: row {each.row}: {each.reason}", err=True)

    def show(self) -> None:
        """Print the receipt."""
        hidden = self.rejected - _REASONS_SHOWN
        if hidden > 0:
            typer.echo(f"{self.file}: and {hidden} more rows rejected", err=True)
        number = f"delivery {', '.join(self.deliveries)}" if self.deliveries else "no delivery"
        typer.echo(
            f"{self.file}: {number}: {self.accepted} accepted, {self.unchanged} unchanged, "
            f"{self.superseding} superseding, {self.rejected} rejected"
        )


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV, plain or gzipped.")],
    meter: Annotated[
        str | None,
        typer.Option(
            metavar="METER",
            help="The meter whose readings they are: its id, prim_ad:N, its type and prim_ad "
            "(as 'electricity 11'), or its name.",
        ),
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(metavar="ID", help="The sensor whose values they are.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Zone of stamps without an offset.", show_default="UTC"),
    ] = None,
    quality: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="Of readings that do not say: measured, estimated or placeholder.",
            show_default="measured",
        ),
    ] = None,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Store the readings of CSV files; works beside a running server.

    The header names the columns: timestamp and en_im, en_ex, heat_energy_kwh or vol_m3 (of a
    sensor: value), optionally quality, issued_at and serial. Stamps are dates or finer, UTC unless
    they have an offset or --timezone says otherwise; of an interval meter they end the interval.

    A file is one delivery, of 500,000 rows at most: a longer one becomes several. Good rows are
    stored, bad ones are told with their row, and the exit status is 1 if there were any. What is
    stored already is unchanged, so an import that was cut off can be repeated.

    Example: commonwatt import jan.csv feb.csv.gz --meter prim_ad:11 --timezone Europe/Zurich
    """
    if (meter is None) == (sensor is None):
        raise typer.BadParameter("give either --meter METER or --sensor ID")
    zone = None if timezone is None else _known_zone(timezone)
    default = _known_quality(quality or "measured")
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Failed(*(f"{file}: no such file" for file in missing))
    rejected = 0
    with opened_store(data, database_url) as store:
        number, known = _meant(store, meter, sensor, site)
        meter, sensor = (known, None) if sensor is None else (None, known)
        for file in files:
            rejected += _import(store, number, file, meter, sensor, zone, default).rejected
    if rejected:
        raise typer.Exit(1)


def _known_zone(name: str) -> str:
    from commonwatt.domain.zones import UnknownTimezone, parse_timezone

    try:
        return parse_timezone(name)
    except UnknownTimezone as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from error


def _known_quality(word: str) -> "ReadingQuality":
    from commonwatt.formats.quality_words import QUALITY_WORDS, quality_of

    quality = quality_of(word)
    if quality is None:
        known = ", ".join(each.word for each in QUALITY_WORDS)
        raise typer.BadParameter(f"{word!r} is none of {known}", param_hint="--quality")
    return quality


def _meant(
    store: "Store", meter: str | None, sensor: str | None, site: str | None
) -> tuple[int, str]:
    """Return the number of the site of a meter or a sensor, and its id. Raises Failed."""
    with store.snapshot() as snapshot:
        if meter is not None:
            catalogue, found = named_meter(snapshot, meter, site)
            if found.is_rule_meter:
                raise Failed(
                    f"meter {found.name} is a rule meter, computed from others; it has no readings"
                )
            return catalogue.site.number, found.id
        assert sensor is not None, "one of the two is given"
        number = snapshot.catalogue.site_having(sensor)
        if number is None or sensor not in snapshot.catalogue.catalogue(number).sensor_by_id:
            raise Failed(f"there is no sensor {sensor}")
        return number, sensor


def _import(
    store: "Store",
    site: int,
    file: Path,
    meter: str | None,
    sensor: str | None,
    zone: str | None,
    quality: "ReadingQuality",
) -> _Progress:
    """Store a file, and show its receipt; after Ctrl-C what is stored of it."""
    from commonwatt.app.ingest_readings import ingest_readings
    from commonwatt.app.ingest_sensor_values import ingest_sensor_values
    from commonwatt.domain.readings import ReadingRows

    so_far = _Progress(file)
    source = f"import {file.name}"
    try:
        with file.open("rb") as raw, progress_bar() as progress:
            stream = progress.wrap_file(raw, file.stat().st_size, description=file.name)
            for rows in _rows(stream, meter, sensor, zone, quality):
                now_us = time.time_ns() // 1000
                if isinstance(rows, ReadingRows):
                    work = partial(
                        ingest_readings, store, site, rows, BY_COMMAND_LINE, source, now_us
                    )
                else:
                    work = partial(
                        ingest_sensor_values, store, site, rows, BY_COMMAND_LINE, source, now_us
                    )
                so_far.add(patiently(work))
    except KeyboardInterrupt:
        typer.echo("what was stored before the interruption stays; the rest is not stored:")
        so_far.show()
        raise
    so_far.show()
    return so_far


def _rows(
    stream: BinaryIO,
    meter: str | None,
    sensor: str | None,
    zone: str | None,
    quality: "ReadingQuality",
) -> "Iterator[ReadingRows | SensorRows]":
    from commonwatt.domain.readings import MeterName
    from commonwatt.formats.readings_csv import readings_from_csv, sensor_values_from_csv

    size = _ROWS_A_DELIVERY
    if meter is not None:
        name = MeterName(id=meter)
        yield from readings_from_csv(
            stream, meter=name, zone=zone, quality=quality, chunk_rows=size
        )
    else:
        yield from sensor_values_from_csv(stream, sensor=sensor, zone=zone, chunk_rows=size)
