"""Edits of quarter-hours and readings in the store."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert, or_, select, update

from commonwatt.adapters.store.schema import edits
from commonwatt.domain.metering.catalogue import Register
from commonwatt.domain.metering.edits import Edit

_OF_THE_STORE = ("site", "generation")


class SqlEditTables:
    """`ports.EditTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def edits(
        self, site: int, start_at: int | None = None, end_at: int | None = None
    ) -> Sequence[Edit]:
        """The edits that touch [start, end), undone ones too, ascending by number."""
        wanted = (column for column in edits.c if column.name not in _OF_THE_STORE)
        statement = select(*wanted).where(edits.c.site == site).order_by(edits.c.number)
        if start_at is not None:
            # That of a reading is an instant.
            statement = statement.where(
                or_(edits.c.end_at > start_at, edits.c.start_at >= start_at)
            )
        if end_at is not None:
            statement = statement.where(edits.c.start_at < end_at)
        rows = self._connection.execute(statement).mappings()
        return [Edit(**(dict(row) | {"register": Register(row["register"])})) for row in rows]

    def add_edit(self, site: int, edit: Edit, generation: int) -> None:
        """Store an edit under its number, with the generation of the change that it is."""
        values = asdict(edit) | {"register": edit.register.value, "generation": generation}
        self._connection.execute(insert(edits).values(site=site, **values))

    def set_undone(self, site: int, number: int, at_us: int, account: str) -> None:
        """Let an edit count no more."""
        self._connection.execute(
            update(edits)
            .where(edits.c.site == site, edits.c.number == number)
            .values(undone_us=at_us, undone_by=account)
        )
