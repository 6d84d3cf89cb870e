"""Tables of instants and values as frames of whatever library there is, and as files.

Libraries are imported when somebody wants their frames.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TextIO
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from os import PathLike

    import narwhals as nw


_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def text_cell(text: str) -> str:
    """Return a text so that no spreadsheet computes it: with an apostrophe before a formula.

    >>> text_cell("Flat 1"), text_cell("=HYPERLINK(1)"), text_cell("-0.125")
    ('Flat 1', "'=HYPERLINK(1)", '-0.125')
    """
    if text.startswith(_BEGINS_A_FORMULA) and _NUMBER.fullmatch(text) is None:
        return f"'{text}"
    return text


Library = Literal["polars", "pandas", "pyarrow"]

_MICROSECONDS = 1_000_000
_LINES_AT_ONCE = 10_000


class MissingLibrary(ImportError):
    """A frame is asked of a library that is not installed; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of instants [Unix seconds], of values and of texts, such as whose they are.

    Frames have the instants in UTC, the first of them once more in the zone as `…_local`, then the
    texts, then the values.
    """

    instants: Mapping[str, Sequence[int]]
    timezone: str
    values: Mapping[str, Sequence[float | None]]
    texts: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """The name of the first instants."""
        return next(iter(self.instants))

    def frame(self, library: Library) -> nw.DataFrame[Any]:
        """Return a frame of a library. Raises MissingLibrary."""
        if find_spec(library) is None:
            raise MissingLibrary(
                f"this needs {library}, which is not installed: pip install {library}"
            )
        import narwhals as nw

        local = f"{self.first}_local"
        schema: dict[str, nw.dtypes.DType] = dict.fromkeys(self.instants, nw.Int64())
        schema |= dict.fromkeys(self.texts, nw.String())
        schema |= dict.fromkeys(self.values, nw.Float64())
        data = {**self.instants, **self.texts, **self.values}
        columns = nw.from_dict(data, schema, backend=library)
        microseconds = (nw.col(*self.instants) * _MICROSECONDS).cast(nw.Datetime("us"))
        in_utc = columns.with_columns(microseconds.dt.replace_time_zone("UTC"))
        in_zone = nw.col(self.first).dt.convert_time_zone(self.timezone).alias(local)
        names = (*self.instants, local, *self.texts, *self.values)
        return in_utc.with_columns(in_zone).select(*names)

    def write_parquet(self, path: str | PathLike[str]) -> None:
        """Write a Parquet file by polars, else pyarrow. Raises MissingLibrary without either."""
        self.frame("polars" if find_spec("polars") else "pyarrow").write_parquet(str(path))

    def csv_text(self) -> str:
        r"""Return CSV with a header; UTC ends in Z, local time in its offset; missing is empty.

        >>> Table({"at": [1_774_153_800]}, "Europe/Zurich", {"value": [21.5]}).csv_text()
        'at,at_local,value\n2026-03-22T04:30:00Z,2026-03-22T05:30:00+01:00,21.5\n'
        """
        out = io.StringIO()
        self.write_csv(out)
        return out.getvalue()

    def write_csv(self, out: TextIO) -> None:
        """Write what `csv_text` returns."""
        zone = ZoneInfo(self.timezone)
        firsts = self.instants[self.first]
        # Many rows may share an instant, such as those of all meters.
        in_zone = {at: datetime.fromtimestamp(at, zone).isoformat() for at in {*firsts}}
        in_utc = {at: _utc_text(at) for column in self.instants.values() for at in {*column}}
        columns: list[Iterable[str]] = [
            *(map(in_utc.__getitem__, column) for column in self.instants.values()),
            map(in_zone.__getitem__, firsts),
            *map(_quoted, self.texts.values()),
            *map(_numbers, self.values.values()),
        ]
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*self.instants, f"{self.first}_local", *self.texts, *self.values])
        # The writer takes thrice as long for rows that need no quotes.
        lines = map(",".join, zip(*columns, strict=True))
        while some := [*islice(lines, _LINES_AT_ONCE)]:
            out.write("\n".join(some) + "\n")


def _quoted(texts: Sequence[str | None]) -> Iterable[str]:
    """Return texts as CSV has them, quoted where they need it."""
    quoted = {text: _cell(text) for text in {*texts}}
    return map(quoted.__getitem__, texts)


def _cell(text: str | None) -> str:
    if not text:
        return ""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([text_cell(text)])
    return out.getvalue().removesuffix("\n")


def _numbers(values: Sequence[float | None]) -> Iterable[str]:
    if None in values:
        return ("" if value is None else repr(value) for value in values)
    return map(repr, values)


def _utc_text(instant_at: int) -> str:
    return datetime.fromtimestamp(instant_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
