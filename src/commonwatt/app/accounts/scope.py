"""What of a site an account may see: the one rule that every answer passes.

What it may not see is not in an answer, not in its sums, and does not show in what is absent. Only
totals of the site hold what closed meters used; they are told unless too few consumers are closed.
"""

from dataclasses import dataclass

from commonwatt.domain.metering.catalogue import Medium, Meter, Mode, SiteCatalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessScope:
    """What a grant shows of a site.

    ``history_from`` is the first Unix second of which anything is told (None: all), ``open_meters``
    are the ids of the meters that are (None: all, also those to come). Totals of the site are told
    where no consumer is closed, or at least ``least_closed`` are.
    """

    history_from: int | None = None
    open_meters: frozenset[str] | None = None
    least_closed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all meters and all times are seen."""
        return self.history_from is None and self.open_meters is None

    def opens(self, meter: Meter) -> bool:
        """Whether a meter's data is told."""
        return self.open_meters is None or meter.id in self.open_meters

    def since(self, instant_at: int | None) -> bool:
        """Whether what begins at an instant [Unix seconds] is told; None: from the beginning."""
        if self.history_from is None:
            return True
        return instant_at is not None and instant_at >= self.history_from

    def shows(self, meter: Meter, start_at: int | None) -> bool:
        """Whether what is of a meter and begins at an instant is told."""
        return self.opens(meter) and self.since(start_at)

    def closed_consumers(self, catalogue: SiteCatalogue, medium: Medium) -> int:
        """How many meters are closed that are or were consumers in the totals of a medium.

        Those of electricity hold the charge points, which have totals of their own besides.
        """
        if self.open_meters is None:
            return 0
        return sum(
            not self.opens(meter)
            and any(each.mode is Mode.CONSUMPTION and each.is_member for each in meter.facts)
            for meter in catalogue.meters
            if medium is meter.medium or medium.value == meter.medium.group.value
        )

    def tells_totals(self, catalogue: SiteCatalogue, medium: Medium) -> bool:
        """Whether the totals of a medium are told."""
        closed = self.closed_consumers(catalogue, medium)
        return not closed or closed >= self.least_closed


WHOLE = AccessScope()
"""Everything, as whoever has the store sees it."""
