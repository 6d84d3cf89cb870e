"""What was known of a site at instants of the past: catalogues, withdrawals, deliveries."""

from collections.abc import Sequence
from functools import lru_cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, case, exists, func, insert, or_, select

from commonwatt.adapters.store import schema
from commonwatt.app.ports import Known
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.life import AHEAD_S
from commonwatt.domain.metering.quarter_hours import day_of

_deliveries = schema.deliveries
_past = schema.past_catalogues
_withdrawals = schema.withdrawals


@lru_cache(maxsize=1)
def _catalogue_json() -> TypeAdapter[SiteCatalogue]:
    return TypeAdapter(SiteCatalogue)


def keep_catalogue(
    connection: Connection, catalogue: SiteCatalogue, until_generation: int, until_us: int
) -> None:
    """Keep what was declared of a site until a change of it, at a Unix microsecond.

    Clocks of declarations count seconds, those of deliveries microseconds: a change is told no
    earlier than what was there before it.
    """
    last_recorded_us = connection.execute(
        select(_deliveries.c.recorded_us)
        .where(_deliveries.c.site == catalogue.site.number)
        .order_by(_deliveries.c.number.desc())
        .limit(1)
    ).scalar()
    if last_recorded_us is not None:
        until_us = max(until_us, last_recorded_us + 1)
    connection.execute(
        insert(_past).values(
            site=catalogue.site.number,
            until_generation=until_generation,
            until_us=until_us,
            catalogue=_catalogue_json().dump_json(catalogue).decode(),
        )
    )


class SqlHistoryTables:
    """`ports.HistoryTables` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def catalogue_at(self, site: int, at_us: int) -> SiteCatalogue | None:
        """What was declared at an instant [Unix microseconds]; None for what still is."""
        kept = self._connection.execute(
            select(_past.c.catalogue)
            .where(_past.c.site == site, _past.c.until_us > at_us)
            .order_by(_past.c.until_generation)
            .limit(1)
        ).scalar()
        return None if kept is None else _catalogue_json().validate_json(kept)

    def declared_us(self, site: int) -> Sequence[int]:
        """When what is declared was changed [Unix microseconds], ascending."""
        rows = self._connection.execute(
            select(_past.c.until_us).where(_past.c.site == site).order_by(_past.c.until_us)
        )
        return rows.scalars().all()

    def known_at(self, site: int, at_us: int) -> Known | None:
        """What was recorded at or before an instant [Unix microseconds]; None for all there is.

        Of the deliveries it reads those that were recorded later, however many there are.
        """
        later_from, later_first_day = self._delivered_after(site, at_us)
        declared, declared_later = self._declared(site, at_us)
        turned = declared_later is not None or self._withdrawn_after(site, at_us)
        if later_from is None and not turned and not self._edited_after(site, at_us):
            return None
        drawn = self._connection.execute(
            select(schema.sites.c.generation).where(schema.sites.c.no == site)
        ).scalar_one()
        stragglers = frozenset() if later_from is None else self._known(site, later_from, at_us)
        delivered = self._last_delivery(site, stragglers, later_from)
        made_later = (later_from, declared_later, self._edited_first_after(site, at_us))
        untouched = min((each - 1 for each in made_later if each is not None), default=drawn)
        known = max((each for each in (delivered, declared) if each is not None), default=-1)
        return Known(
            later_from=drawn + 1 if later_from is None else later_from,
            stragglers=stragglers,
            withdrawn=self._withdrawn_at(site, at_us),
            # What a delivery says of later days than its own lies ahead, and is never used.
            last_day=None if delivered is None else day_of(at_us // 1_000_000 + AHEAD_S),
            later_first_day=later_first_day,
            turned=turned,
            generation=min(known, untouched),
            # Where a clock went back, some above the first that is later are known all the same.
            concerned_until=max(known, untouched),
        )

    def _delivered_after(self, site: int, at_us: int) -> tuple[int | None, int | None]:
        """The lowest number of the deliveries recorded after an instant, and their first day."""
        number, first_day = self._connection.execute(
            select(func.min(_deliveries.c.number), func.min(_deliveries.c.first_day)).where(
                _deliveries.c.site == site, _deliveries.c.recorded_us > at_us
            )
        ).one()
        return number, first_day

    def _last_delivery(
        self, site: int, stragglers: frozenset[int], later_from: int | None
    ) -> int | None:
        """The highest number of the deliveries that were known; all below ``later_from`` were."""
        if stragglers:
            return max(stragglers)
        number = _deliveries.c.number
        statement = select(func.max(number)).where(_deliveries.c.site == site)
        if later_from is not None:
            statement = statement.where(number < later_from)
        return self._connection.execute(statement).scalar()

    def _declared(self, site: int, at_us: int) -> tuple[int | None, int | None]:
        """The generations of the last change of the catalogue until then, and of the next one."""
        later = _past.c.until_us > at_us
        last, following = self._connection.execute(
            select(
                func.max(case((~later, _past.c.until_generation))),
                func.min(case((later, _past.c.until_generation))),
            ).where(_past.c.site == site)
        ).one()
        return last, following

    def _known(self, site: int, first: int, at_us: int) -> frozenset[int]:
        """The deliveries from a number on that were recorded before others of lower numbers."""
        number = _deliveries.c.number
        # Apart, and so each by its index: together they may be looked for among all the earlier.
        above, later = (
            frozenset(
                self._connection.execute(
                    select(number).where(_deliveries.c.site == site, condition)
                ).scalars()
            )
            for condition in (number > first, _deliveries.c.recorded_us > at_us)
        )
        return above - later

    def _withdrawn_at(self, site: int, at_us: int) -> frozenset[int]:
        rows = self._connection.execute(
            select(_withdrawals.c.delivery, _withdrawals.c.withdrawn)
            .where(_withdrawals.c.site == site, _withdrawals.c.at_us <= at_us)
            .order_by(_withdrawals.c.at_us)
        )
        last = dict(iter(rows))
        return frozenset(delivery for delivery, withdrawn in last.items() if withdrawn)

    def _withdrawn_after(self, site: int, at_us: int) -> bool:
        later = exists().where(_withdrawals.c.site == site, _withdrawals.c.at_us > at_us)
        return bool(self._connection.execute(select(later)).scalar_one())

    def _edited_first_after(self, site: int, at_us: int) -> int | None:
        """The generation of the first edit that was made after an instant."""
        edits = schema.edits
        statement = select(func.min(edits.c.generation)).where(
            edits.c.site == site, edits.c.made_us > at_us
        )
        return self._connection.execute(statement).scalar()

    def _edited_after(self, site: int, at_us: int) -> bool:
        edits = schema.edits
        later = exists().where(
            edits.c.site == site, or_(edits.c.made_us > at_us, edits.c.undone_us > at_us)
        )
        return bool(self._connection.execute(select(later)).scalar_one())
