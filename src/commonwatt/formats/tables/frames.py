"""Tables as Arrow and Parquet.

Instants are timestamps in microseconds, in UTC or in the site's zone; amounts are decimals with
three places, so that their sums are exact; shares are doubles, words texts.
"""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commonwatt.formats.tables.tables import Amounts, Column, Instants, LocalInstants, Shares, Table

if TYPE_CHECKING:
    import polars as pl

_PRECISION = 18
_MICROSECONDS = 1_000_000


def arrow_stream(table: Table) -> bytes:
    """Return an Arrow IPC stream, in types that readers of any age know."""
    import polars as pl

    out = BytesIO()
    _frame(table).write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def parquet(table: Table) -> bytes:
    """Return a Parquet file, compressed by Zstandard."""
    out = BytesIO()
    _frame(table).write_parquet(out, compression="zstd")
    return out.getvalue()


def _frame(table: Table) -> "pl.DataFrame":
    # Slow to import, and only some answers need it.
    import polars as pl

    return pl.DataFrame([_series(column) for column in table.columns])


def _series(column: Column) -> "pl.Series":
    import polars as pl

    if isinstance(column, Instants):
        return pl.Series(column.name, column.at * _MICROSECONDS).cast(pl.Datetime("us", "UTC"))
    if isinstance(column, LocalInstants):
        return _series(Instants(column.name, column.at)).dt.convert_time_zone(column.zone)
    if isinstance(column, Amounts):
        # As wide as can be while it is divided: the thousandths are whole numbers at first.
        whole = pl.Series(column.name, column.thousandths).cast(pl.Decimal(38, 3))
        amounts = (whole / 1000).cast(pl.Decimal(_PRECISION, 3))
        return _known(amounts, column.known)
    if isinstance(column, Shares):
        return _known(pl.Series(column.name, column.millionths / 1_000_000), column.known)
    return pl.Series(column.name, column.words(), dtype=pl.String)


def _known(series: "pl.Series", known: NDArray[np.bool_]) -> "pl.Series":
    import polars as pl

    if known.all():
        return series
    return series.zip_with(pl.Series(known), pl.Series([None], dtype=series.dtype))
