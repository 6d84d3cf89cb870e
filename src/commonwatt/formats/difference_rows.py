"""Open differences as rows for people and programs."""

from collections.abc import Iterable

from commonwatt.app.billing.differences import Differences
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats.stamps.instants import utc_text

_PER_UNIT = 1000


def difference_rows(found: Iterable[Differences]) -> list[dict[str, str | float | None]]:
    """Return rows ascending by meter and start: kWh or m3, None for what is unknown."""
    rows: list[dict[str, str | float | None]] = []
    for each in found:
        columns = (
            each.quarters.tolist(),
            each.locked.tolist(),
            each.current.tolist(),
            each.difference.tolist(),
            each.locked_known.tolist(),
            each.current_known.tolist(),
        )
        for quarter, locked, current, difference, was_known, is_known in zip(*columns, strict=True):
            rows.append(
                {
                    "meter": each.meter.id,
                    "start": utc_text(quarter * QUARTER_S),
                    "column": each.column,
                    "locked": locked / _PER_UNIT if was_known else None,
                    "current": current / _PER_UNIT if is_known else None,
                    "difference": difference / _PER_UNIT,
                    "cause": each.cause.value,
                }
            )
    return sorted(rows, key=lambda row: (row["meter"], row["start"]))
