"""Edits of quarter-hours in the store."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert, select, update

from commonwatt.adapters.store.schema import edits
from commonwatt.domain.catalogue import Register
from commonwatt.domain.edits import Edit


class SqlEditTables:
    """`ports.EditTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def edits(
        self, site: int, start_at: int | None = None, end_at: int | None = None
    ) -> Sequence[Edit]:
        """The edits that touch [start, end), undone ones too, ascending by number."""
        statement = select(edits).where(edits.c.site == site).order_by(edits.c.number)
        if start_at is not None:
            statement = statement.where(edits.c.end_at > start_at)
        if end_at is not None:
            statement = statement.where(edits.c.start_at < end_at)
        return [
            Edit(
                number=row.number,
                meter=row.meter,
                register=Register(row.register),
                start_at=row.start_at,
                end_at=row.end_at,
                energy=row.energy,
                reason=row.reason,
                account=row.account,
                made_us=row.made_us,
                undone_us=row.undone_us,
                undone_by=row.undone_by,
            )
            for row in self._connection.execute(statement)
        ]

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
