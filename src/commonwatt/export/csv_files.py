"""Parts and files of CSV; no library is needed."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from commonwatt.client.series.frames import Table

_CHUNK_BYTES = 1 << 20


class CsvFiles:
    """Files with a header, of which each row is a line."""

    suffix = ".csv"

    def write(self, table: Table, out: BinaryIO) -> None:
        """Write a part."""
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        try:
            table.write_csv(text)
        finally:
            text.detach()

    def join(self, parts: Sequence[Path], out: BinaryIO) -> int:
        """Write parts one after the other; return how many rows they have."""
        rows = 0
        for position, path in enumerate(parts):
            with path.open("rb") as part:
                header = part.readline()
                if position == 0:
                    out.write(header)
                while chunk := part.read(_CHUNK_BYTES):
                    rows += chunk.count(b"\n")
                    out.write(chunk)
        return rows
