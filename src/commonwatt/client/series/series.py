"""A series as a client has it: instants, values, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from commonwatt.client.series.local_periods import Window, period_end, period_starts
from commonwatt.climkit_v1.words import SamplingFrequency

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from commonwatt.client.series.frames import Table

_SHOWN_COLUMNS = 5


class Row(NamedTuple):
    """What was measured in [start, end), both in the site's zone; of a reading they are one.

    `values`: by key; None where the server sent none.
    """

    start: datetime
    end: datetime
    values: Mapping[str, float | None]


class Gap(NamedTuple):
    """A span [start, end), in the site's zone, of which the server has no row."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Series:
    """Rows of a site, meter or sensor, ascending, none twice.

    `starts_at`, `ends_at` [Unix seconds]: the period [start, end) of each row, whatever the
    server's stamp stands for; of a reading (`sampling` None) both are its instant, which of an
    interval meter is the end of the interval. `columns`: one list of values a key, None where a
    row has no value; missing is never zero. `unit`: of all values, kWh (of a period: energy, no
    power), m3 or the sensor's own; None where nobody says. `timezone`: the site's. `sampling`:
    15T, H, D, M, Y. `asked` [Unix seconds]: the window, of which later instants than the question
    are left out.
    """

    starts_at: Sequence[int]
    ends_at: Sequence[int]
    columns: Mapping[str, Sequence[float | None]]
    unit: str | None
    timezone: str
    sampling: SamplingFrequency | None
    asked: Window

    @property
    def stamps(self) -> Literal["start", "instant"]:
        """What the instants of the rows are: the start of a period, or that of a reading."""
        return "instant" if self.sampling is None else "start"

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone."""
        return ZoneInfo(self.timezone)

    def __repr__(self) -> str:
        rows = "readings" if self.sampling is None else f"x {self.sampling}"
        start, end = (datetime.fromtimestamp(at, self.zone).isoformat(" ") for at in self.asked)
        names = [*self.columns][:_SHOWN_COLUMNS] + ["…"] * (len(self.columns) > _SHOWN_COLUMNS)
        return (
            f"<Series of {len(self)} {rows} in [{start}, {end}), {self.unit}: {', '.join(names)}>"
        )

    def __len__(self) -> int:
        return len(self.starts_at)

    def __getitem__(self, name: str) -> Sequence[float | None]:
        """Return the values of a key; KeyError where no row has it."""
        return self.columns[name]

    def __iter__(self) -> Iterator[Row]:
        zone = self.zone
        for position, (start_at, end_at) in enumerate(
            zip(self.starts_at, self.ends_at, strict=True)
        ):
            yield Row(
                datetime.fromtimestamp(start_at, zone),
                datetime.fromtimestamp(end_at, zone),
                {name: values[position] for name, values in self.columns.items()},
            )

    def gaps(self) -> list[Gap]:
        """Return the spans of the asked window that have no row, neighbours as one.

        Only periods that had ended when the question was asked count. Readings have no rhythm, and
        so no gaps.
        """
        if self.sampling is None:
            return []
        zone, known = self.zone, set(self.starts_at)
        found: list[Window] = []
        for start_at in period_starts(self.asked, zone, self.sampling):
            end_at = period_end(start_at, zone, self.sampling)
            if start_at in known or end_at > self.asked[1]:
                continue
            if found and found[-1][1] == start_at:
                start_at = found.pop()[0]  # noqa: PLW2901  # the gap goes on
            found.append((start_at, end_at))
        return [
            Gap(datetime.fromtimestamp(start_at, zone), datetime.fromtimestamp(end_at, zone))
            for start_at, end_at in found
        ]

    def to_polars(self) -> pl.DataFrame:
        """Return a polars frame: start, end (UTC), start_local, then the values.

        Of readings the instants are `at` and `at_local`. Raises MissingLibrary without polars.
        """
        return cast("pl.DataFrame", self._table().frame("polars").to_native())

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with the columns of `to_polars`."""
        return cast("pd.DataFrame", self._table().frame("pandas").to_native())

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table with the columns of `to_polars`."""
        return cast("pa.Table", self._table().frame("pyarrow").to_native())

    def to_parquet(self, path: str | PathLike[str]) -> None:
        """Write a Parquet file with the columns of `to_polars`; polars or pyarrow is needed."""
        self._table().write_parquet(path)

    def to_csv(self, path: str | PathLike[str] | None = None) -> str | None:
        """Write CSV with the columns of `to_polars`, or return it; no other library is needed.

        UTC instants end in Z, local ones in their offset; a missing value is empty.
        """
        text = self._table().csv_text()
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8")
        return None

    def _table(self) -> Table:
        from commonwatt.client.series.frames import Table

        if self.sampling is None:
            return Table({"at": self.starts_at}, self.timezone, self.columns)
        instants = {"start": self.starts_at, "end": self.ends_at}
        return Table(instants, self.timezone, self.columns)
