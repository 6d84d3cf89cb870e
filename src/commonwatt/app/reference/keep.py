"""Keeping what another platform says of a meter's quarter-hours, and how far it was copied."""

from collections.abc import Mapping

from commonwatt.app.errors import UnknownMeter
from commonwatt.app.ports import Store
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S, day_of
from commonwatt.domain.reference.reference import ReferenceQuarters


def keep_reference(
    store: Store,
    site: int,
    meter: str,
    span: tuple[int, int],
    quarters: ReferenceQuarters,
    *,
    copied_until_at: int | None = None,
) -> None:
    """Replace what is kept of a meter, by its id, over the span [start, end) [Unix seconds].

    The span lies on quarter-hours and may cut UTC days; what is kept outside it stays. A
    quarter-hour of it that is not among ``quarters`` is none afterwards. The mark up to which the
    meter is copied, and compared, rises to ``copied_until_at``, None: to the end of the span; it
    never falls. All of it is durable, or nothing is changed. Nothing that is settled or answered
    rests on it.

    Raises ValueError for a span or quarter-hours that are not so, `UnknownMeter`, and the
    errors of a store.
    """
    _check(span, quarters)
    start_at, end_at = span
    with store.change(site) as change:
        found = change.catalogue.catalogue(site).meter_by_id.get(meter)
        if found is None:
            raise UnknownMeter(meter)
        first_day, end_day = day_of(start_at), day_of(end_at - 1) + 1
        kept = change.reference.reference(site, found.number, first_day, end_day)
        parts = (
            kept.between(first_day * DAY_S, start_at),
            quarters,
            kept.between(end_at, end_day * DAY_S),
        )
        joined = ReferenceQuarters.joined(parts)
        change.reference.put_reference(site, found.number, first_day, end_day, joined)
        mark_at = end_at if copied_until_at is None else copied_until_at
        change.reference.raise_copied_until(site, meter, mark_at)


def _check(span: tuple[int, int], quarters: ReferenceQuarters) -> None:
    start_at, end_at = span
    if start_at % QUARTER_S or end_at % QUARTER_S or start_at > end_at:
        raise ValueError(f"the span [{start_at}, {end_at}) must lie on quarter-hours, and forward")
    if len(quarters.between(start_at, end_at).starts_at) < len(quarters.starts_at):
        first_at, last_at = quarters.starts_at[0], quarters.starts_at[-1]
        raise ValueError(
            f"starts_at from {first_at} to {last_at} must lie within [{start_at}, {end_at})"
        )


def keep_copied(store: Store, site: int, item: str, until_at: int) -> None:
    """Let the series of a meter or sensor, by its id, be copied up to an instant [Unix seconds].

    The mark never falls. Raises the errors of a store.
    """
    with store.change(site) as change:
        change.reference.raise_copied_until(site, item, until_at)


def copied_until(store: Store, site: int) -> Mapping[str, int]:
    """Return up to which instant [Unix seconds] series are copied, by the id of meter or sensor.

    What was never copied is not in it. Raises the errors of a store.
    """
    with store.snapshot() as snapshot:
        return snapshot.reference.copied_until(site)
