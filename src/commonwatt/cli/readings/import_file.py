"""``commonwatt import``: files of readings or sensor values into the store."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from commonwatt.cli.faults import Failed, fault_lines
from commonwatt.cli.meters import named_meter
from commonwatt.cli.output import progress_bar
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    OneSite,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.app.ports import Store
    from commonwatt.domain.metering.readings import (
        HeldRows,
        ReadingQuality,
        ReadingRows,
        Receipt,
        SensorRows,
    )

_ROWS_A_DELIVERY = 500_000
_REASONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Default:
    """What holds for the rows that do not say it: quality, zone, and the order of doubled hours."""

    quality: "ReadingQuality"
    replaces: bool
    zone: str | None
    by_order: bool


@dataclass(slots=True)
class _Progress:
    """What of a file is stored so far."""

    file: Path
    accepted: int = 0
    unchanged: int = 0
    superseding: int = 0
    rejected: int = 0
    not_counting: int = 0
    refused: bool = False
    deliveries: list[str] = field(default_factory=list)

    def add(self, receipt: "Receipt") -> None:
        """Count a receipt, and show why rows were rejected or do not count."""
        self.accepted += receipt.accepted
        self.unchanged += receipt.unchanged
        self.superseding += receipt.superseding
        if receipt.delivery is not None:
            self.deliveries.append(str(receipt.delivery))
        for each in receipt.rejected[: max(0, _REASONS_SHOWN - self.rejected)]:
            typer.echo(f"{self.file}: row {each.row}: {each.reason}", err=True)
        self.rejected += receipt.rejected_rows
        for unused in receipt.not_counting[: max(0, _REASONS_SHOWN - self.not_counting)]:
            reason = f"stored, does not count: {unused.reason}"
            typer.echo(f"{self.file}: row {unused.row}: {reason}", err=True)
        self.not_counting += receipt.not_counting_rows

    def refuse(self, held: "Sequence[HeldRows]") -> None:
        """Say why the rest of the file is not stored."""
        self.refused = True
        for each in held:
            typer.echo(f"{self.file}: refused for meter {each.meter_name}: {each.reason}", err=True)
        stored = f"delivery {', '.join(self.deliveries)}" if self.deliveries else "nothing"
        typer.echo(f"{self.file}: {stored} of it is stored; --accept takes it as it is", err=True)

    def show(self) -> None:
        """Print the receipt."""
        hidden = self.rejected - _REASONS_SHOWN
        if hidden > 0:
            typer.echo(f"{self.file}: and {hidden} more rows rejected", err=True)
        hidden = self.not_counting - _REASONS_SHOWN
        if hidden > 0:
            typer.echo(f"{self.file}: and {hidden} more rows do not count", err=True)
        number = f"delivery {', '.join(self.deliveries)}" if self.deliveries else "no delivery"
        unused = f", {self.not_counting} not counting" if self.not_counting else ""
        typer.echo(
            f"{self.file}: {number}: {self.accepted} accepted, {self.unchanged} unchanged, "
            f"{self.superseding} superseding, {self.rejected} rejected{unused}"
        )

    def cut_off(self, later: list[Path]) -> None:
        """Say what of a file that was cut off is stored, and which files were not begun."""
        if self.deliveries or self.unchanged:
            typer.echo("what was stored of it stays, the rest is not stored:")
            self.show()
        else:
            typer.echo(f"{self.file}: nothing of it is stored")
        for file in later:
            typer.echo(f"{file}: not begun")


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
    repeated_hour: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="With --timezone, the hour that happens twice: certain (only where its rows tell "
            "which is which) or by-order (the file's order does).",
        ),
    ] = "certain",
    quality: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="Of readings that do not say: measured, estimated or placeholder.",
            show_default="measured",
        ),
    ] = None,
    replaces: Annotated[
        bool,
        typer.Option(
            "--replaces",
            help="Readings that do not say it count before all that was sent earlier of their "
            "instants, whatever the quality.",
        ),
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Take readings as they are that look like something else than the meter is "
            "declared as.",
        ),
    ] = False,
    site: OneSite = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Store the readings of CSV files; works beside a running server.

    The header names the columns: timestamp and en_im, en_ex, heat_energy_kwh or vol_m3 (of a
    sensor: value), optionally quality, issued_at, serial and replaces. Stamps are dates or finer,
    UTC unless they have an offset or --timezone says otherwise; of an interval meter they end the
    interval.

    A file is one delivery, of 500,000 rows at most: a longer one becomes several. Good rows are
    stored, bad ones are told with their row, and the exit status is 1 if there were any. What is
    stored already is unchanged, so an import that was cut off can be repeated.

    A file whose readings as a whole cannot be what the meter is declared as (indexes for an
    interval meter, Wh for kWh) is refused: nothing of it is stored, the message says what it looks
    like, and the exit status is 1. Declare the meter otherwise, or --accept it as it is.

    Example: commonwatt import jan.csv feb.csv.gz --meter prim_ad:11 --timezone Europe/Zurich
    """
    if (meter is None) == (sensor is None):
        raise typer.BadParameter("give either --meter METER or --sensor ID")
    zone = None if timezone is None else _known_zone(timezone)
    if repeated_hour not in ("certain", "by-order"):
        raise typer.BadParameter("is certain or by-order", param_hint="--repeated-hour")
    default = _Default(
        _known_quality(quality or "measured"), replaces, zone, repeated_hour == "by-order"
    )
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Failed(*(f"{file}: no such file" for file in missing))
    rejected, refused = 0, False
    with opened_store(data, database_url) as store:
        number, known = _meant(store, meter, sensor, site)
        meter, sensor = (known, None) if sensor is None else (None, known)
        for position, file in enumerate(files):
            with _named(file, files[position + 1 :]) as so_far:
                _import(store, number, so_far, meter, sensor, default, accept)
            rejected += so_far.rejected
            refused |= so_far.refused
    if rejected or refused:
        raise typer.Exit(1)


@contextmanager
def _named(file: Path, later: list[Path]) -> "Iterator[_Progress]":
    """Name the file in whatever goes wrong with it, and say what of it is stored all the same.

    ``later`` are the files that come after it. Raises Failed.
    """
    from commonwatt.app.errors import StoreError
    from commonwatt.formats.errors import UnreadableBody

    so_far = _Progress(file)
    try:
        yield so_far
    except (KeyboardInterrupt, OSError, StoreError, UnreadableBody) as error:
        so_far.cut_off(later)
        if isinstance(error, KeyboardInterrupt):
            raise
        name = f"{file}: "
        lines = [line.removeprefix(name) for line in fault_lines(error)]
        raise Failed(*(f"{name}{line}" for line in lines)) from error


def _known_zone(name: str) -> str:
    from commonwatt.domain.metering.zones import UnknownTimezone, parse_timezone

    try:
        return parse_timezone(name)
    except UnknownTimezone as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from error


def _known_quality(word: str) -> "ReadingQuality":
    from commonwatt.formats.readings.quality_words import QUALITY_WORDS, quality_of

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
    so_far: _Progress,
    meter: str | None,
    sensor: str | None,
    default: _Default,
    accept: bool,
) -> None:
    """Store a file, and show its receipt."""
    from commonwatt.app.readings.ingest import Implausible, ImplausibleReadings, ingest_readings
    from commonwatt.app.readings.sensors import ingest_sensor_values
    from commonwatt.domain.metering.readings import ReadingRows

    file = so_far.file
    source = f"import {file.name}"
    implausible = Implausible.ACCEPTED if accept else Implausible.REFUSED
    try:
        with file.open("rb") as raw, progress_bar() as progress:
            stream = progress.wrap_file(raw, file.stat().st_size, description=file.name)
            for rows in _rows(stream, meter, sensor, default):
                now_us = time.time_ns() // 1000
                if isinstance(rows, ReadingRows):
                    work = partial(
                        ingest_readings,
                        *(store, site, rows, BY_COMMAND_LINE, source, now_us),
                        implausible=implausible,
                    )
                else:
                    work = partial(
                        ingest_sensor_values, store, site, rows, BY_COMMAND_LINE, source, now_us
                    )
                so_far.add(retry_while_busy(work))
    except ImplausibleReadings as refused:
        so_far.refuse(refused.held)
        return
    so_far.show()


def _rows(
    stream: BinaryIO,
    meter: str | None,
    sensor: str | None,
    default: _Default,
) -> "Iterator[ReadingRows | SensorRows]":
    from commonwatt.domain.metering.readings import MeterName
    from commonwatt.formats.readings.csv import readings_from_csv, sensor_values_from_csv

    size = _ROWS_A_DELIVERY
    if meter is not None:
        name = MeterName(id=meter)
        yield from readings_from_csv(
            stream,
            meter=name,
            zone=default.zone,
            by_order=default.by_order,
            quality=default.quality,
            replaces=default.replaces,
            chunk_rows=size,
        )
    else:
        yield from sensor_values_from_csv(
            stream,
            sensor=sensor,
            zone=default.zone,
            by_order=default.by_order,
            chunk_rows=size,
        )
