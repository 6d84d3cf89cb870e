"""Which days are estimated from others, so that a change of those marks them too."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.hot_query import HotQuery
from commonwatt.adapters.store.engine.upsert import replacing
from commonwatt.domain.energy.register_gaps import NEAR_DAYS, EstimatedSpan
from commonwatt.domain.metering.catalogue import Group

_TABLE = schema.estimated_spans
# Asked by every write.
_MEETING = HotQuery(
    select(_TABLE.c.meter, _TABLE.c.first_day, _TABLE.c.end_day).where(
        _TABLE.c.site == bindparam("site"),
        _TABLE.c.end_day > bindparam("first_day"),
        _TABLE.c.first_day < bindparam("end_day"),
    )
)


class EstimatedSpans:
    """The estimated spans of a group of a site, and what is known of the days around them."""

    def __init__(self, connection: Connection, site: int, group: Group) -> None:
        self._connection = connection
        self._site = site
        self._group = group

    def overtaken(self, spans: Iterable[EstimatedSpan], generation: int) -> set[int]:
        """Return the days of the spans whose reference days may have changed since a generation.

        They did if a day in reach was marked or settled since: a settlement that began before must
        not store its estimate, for nothing marks what it is about to store.
        """
        days = {(span.first_day, span.end_day) for span in spans}
        reaches = {span: (span[0] - NEAR_DAYS, span[1] + NEAR_DAYS) for span in days}
        newer = self._newer_days(reaches.values(), generation)
        return {day for span in days if _meets(newer, *reaches[span]) for day in range(*span)}

    def put(
        self,
        meters: Collection[int],
        first_day: int,
        end_day: int,
        spans: Sequence[EstimatedSpan],
        generation: int,
    ) -> None:
        """Replace the spans of the meters that meet the days [first, end).

        One that a newer generation found stays: only what it knows of is sure to be gone.
        """
        wanted: dict[tuple[int, int], int] = {}
        for span in spans:
            key = span.meter, span.first_day
            wanted[key] = max(span.end_day, wanted.get(key, span.end_day))
        stored = meeting_spans(self._connection, self._site, first_day, end_day)
        newer = self._newer_days([(known.first_day, known.end_day) for known in stored], generation)
        for known in stored:
            key = known.meter, known.first_day
            if known.meter not in meters or wanted.get(key) == known.end_day:
                wanted.pop(key, None)
            elif _meets(newer, known.first_day, known.end_day):
                wanted[key] = max(known.end_day, wanted.get(key, known.end_day))
            else:
                self._delete(known)
        rows = [
            {"site": self._site, "meter": meter, "first_day": first, "end_day": end}
            for (meter, first), end in wanted.items()
        ]
        if rows:
            self._connection.execute(replacing(self._connection, _TABLE), rows)

    def _delete(self, span: EstimatedSpan) -> None:
        self._connection.execute(
            delete(_TABLE).where(
                _TABLE.c.site == self._site,
                _TABLE.c.meter == span.meter,
                _TABLE.c.first_day == span.first_day,
            )
        )

    def _newer_days(self, spans: Collection[tuple[int, int]], generation: int) -> list[int]:
        """Return the days marked or settled after a generation, ascending.

        Of all from the first day of the spans [first, end) to the last end among them.
        """
        if not spans:
            return []
        first_day, end_day = min(span[0] for span in spans), max(span[1] for span in spans)
        days: set[int] = set()
        for table in (schema.dirty_marks, schema.settled_days):
            days.update(
                self._connection.scalars(
                    select(table.c.day).where(
                        table.c.site == self._site,
                        table.c.group == self._group.value,
                        table.c.day >= first_day,
                        table.c.day < end_day,
                        table.c.generation > generation,
                    )
                )
            )
        return sorted(days)


def _meets(days: Sequence[int], first_day: int, end_day: int) -> bool:
    """Whether one of some days, ascending, lies in [first, end)."""
    return bisect_left(days, first_day) < bisect_left(days, end_day)


def meeting_spans(
    connection: Connection, site: int, first_day: int, end_day: int
) -> list[EstimatedSpan]:
    """Return the spans of a site, of any group, that meet the days [first, end)."""
    query = {"site": site, "first_day": first_day, "end_day": end_day}
    return [EstimatedSpan(*row) for row in _MEETING.rows(connection, query)]
