"""Parts and files of Parquet, by polars or else pyarrow."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from commonwatt.client.series.frames import MissingLibrary, Table

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_OS_ERROR = re.compile(r"\(os error (?P<number>\d+)\)")


class PolarsFiles:
    """Parquet by polars."""

    suffix = ".parquet"

    def write(self, table: Table, out: BinaryIO) -> None:
        """Write a part."""
        frame = cast("pl.DataFrame", table.frame("polars").to_native())
        with _told_by_the_system():
            frame.write_parquet(out)

    def join(self, parts: Sequence[Path], out: BinaryIO) -> int:
        """Write parts one after the other; return how many rows they have."""
        import polars as pl

        together = pl.scan_parquet([*parts], glob=False)
        with _told_by_the_system():
            together.sink_parquet(out)
        return int(together.select(pl.len()).collect().item())


class ArrowFiles:
    """Parquet by pyarrow: each part is a row group."""

    suffix = ".parquet"

    def write(self, table: Table, out: BinaryIO) -> None:
        """Write a part."""
        import pyarrow.parquet as pq

        part = cast("pa.Table", table.frame("pyarrow").to_native())
        pq.write_table(part, out, compression="zstd")

    def join(self, parts: Sequence[Path], out: BinaryIO) -> int:
        """Write parts one after the other; return how many rows they have."""
        import pyarrow.parquet as pq

        rows = 0
        schema = pq.read_schema(parts[0])
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for path in parts:
                part = pq.read_table(path).cast(schema)  # polars has other texts than pyarrow
                writer.write_table(part)
                rows += part.num_rows
        return rows


@contextmanager
def _told_by_the_system() -> Iterator[None]:
    """Raise as OSError what polars tells of the system, such as a full disk, as one of its own."""
    from polars.exceptions import ComputeError

    try:
        yield
    except ComputeError as error:
        if (match := _OS_ERROR.search(str(error))) is None:
            raise
        number = int(match["number"])
        raise OSError(number, os.strerror(number)) from error


def parquet_files() -> PolarsFiles | ArrowFiles:
    """Return what writes Parquet here. Raises MissingLibrary."""
    if find_spec("polars"):
        return PolarsFiles()
    if find_spec("pyarrow"):
        return ArrowFiles()
    raise MissingLibrary(
        "Parquet needs polars or pyarrow, and neither is installed: pip install polars"
    )
