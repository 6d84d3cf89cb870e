"""Series one below the other, as the columns of one table."""

from collections.abc import Mapping, Sequence
from itertools import repeat

from commonwatt.client.series.frames import Table
from commonwatt.client.series.series import Series


class Rows:
    """The rows of several series, which all have the same columns.

    `texts`: names of the columns that say whose a row is. What a series has not is None.
    """

    def __init__(self, texts: Sequence[str], values: Sequence[str], *, readings: bool) -> None:
        self._instants: dict[str, list[int]] = {"at": []} if readings else {"start": [], "end": []}
        self._texts: dict[str, list[str | None]] = {name: [] for name in texts}
        self._values: dict[str, list[float | None]] = {name: [] for name in values}

    def add(
        self,
        series: Series,
        texts: Mapping[str, str | None],
        columns: Mapping[str, Sequence[float | None]],
    ) -> None:
        """Add rows of a series, with values of it and texts that are the same in all of them."""
        for column, instants in zip(
            self._instants.values(), (series.starts_at, series.ends_at), strict=False
        ):
            column.extend(instants)
        nothing = [None] * len(series)
        for name, values in self._values.items():
            values.extend(columns.get(name, nothing))
        for name, all_texts in self._texts.items():
            all_texts.extend(repeat(_one_line(texts[name]), len(series)))

    def table(self, timezone: str) -> Table:
        """Return all of them."""
        return Table(self._instants, timezone, self._values, self._texts)


def _one_line(text: str | None) -> str | None:
    r"""Return a name without line breaks, so that a row of CSV is a line.

    >>> _one_line("Anna\nand Bert")
    'Anna and Bert'
    """
    return None if text is None else " ".join(text.splitlines())
