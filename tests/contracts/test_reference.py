"""What another platform says is kept as it was said last, in whatever spans it comes."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.errors import UnknownMeter
from commonwatt.app.reference.keep import copied_until, keep_copied, keep_reference
from commonwatt.app.series.local_month import local_month
from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.reference.reference import NO_VALUE, ReferenceQuarters
from tests.contracts.stored_results import Rows, add_building
from tests.depth import examples
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

BUILDING = oracle.Building((oracle.Meter("a" * 24), oracle.Meter("b" * 24)))
ZONE = "Europe/Zurich"
DAY_S = 86_400
# A week before and after the end of each month in which the clock changes.
MONTH_ENDS_AT = [local_month(ZONE, month)[1] for month in ("2026-03", "2026-10")]
Said = dict[int, tuple[int, int, int]]
"""Total, self and ext by start."""


def quarters_of(said: Said) -> ReferenceQuarters:
    table = np.array([said[at] for at in sorted(said)], np.int64).reshape(-1, 3)
    return ReferenceQuarters(
        np.array(sorted(said), np.int64), table[:, 0], table[:, 1], table[:, 2]
    )


def said_by_chance(chance: Random, start_at: int, end_at: int) -> Said:
    """Quarter-hours of [start, end) with holes, whole days without any, and large amounts."""
    silent_days = {
        day for day in range(start_at // DAY_S, end_at // DAY_S) if chance.random() < 0.3
    }
    large = chance.random() < 0.3
    said = {}
    for at in range(start_at, end_at, 900):
        if at // DAY_S not in silent_days and chance.random() < 0.9:
            total = chance.randrange(-50_000, 10**7) + (
                2**40 if large and chance.random() < 0.01 else 0
            )
            own = NO_VALUE if chance.random() < 0.1 else chance.randrange(total) if total > 0 else 0
            said[at] = (total, own, NO_VALUE if own == NO_VALUE else total - own)
    return said


def read(store: SqlStore, site: int, meter: int) -> Said:
    with store.snapshot() as snapshot:
        days = MONTH_ENDS_AT[0] // DAY_S - 400, MONTH_ENDS_AT[1] // DAY_S + 400
        kept = snapshot.reference.reference(site, meter, *days)
    columns = (kept.total.tolist(), kept.self_.tolist(), kept.ext.tolist())
    return dict(zip(kept.starts_at.tolist(), zip(*columns, strict=True), strict=True))


def rows(store: SqlStore, site: int, meter: int) -> Rows:
    table = schema.reference_days
    columns = [table.c[name] for name in ("day", "total", "self", "ext")]
    with store.database.read() as connection:
        found = connection.execute(
            select(*columns)
            .where(table.c.site == site, table.c.meter == meter)
            .order_by(table.c.day)
        )
        return [tuple(row) for row in found]


@examples(few=5, many=25)
@given(st.integers(0, 2**32))
def test_kept_in_any_spans_is_kept_at_once(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    catalogue = add_building(store, BUILDING)
    site, (cut, whole) = catalogue.site.number, catalogue.meters
    month_end_at = chance.choice(MONTH_ENDS_AT)
    start_at, end_at = month_end_at - 7 * DAY_S - 2700, month_end_at + 2 * DAY_S + 900
    said = said_by_chance(chance, start_at, end_at)
    inner = {chance.randrange(start_at, end_at, 900) for _ in range(chance.randrange(8))}
    edges = sorted({start_at, month_end_at, end_at, *inner})
    spans = list(pairwise(edges))
    chance.shuffle(spans)

    keep_reference(store, site, whole.id, (start_at, end_at), quarters_of(said))
    for first_at, last_at in [*spans, *spans[:2]]:
        part = {at: each for at, each in said.items() if first_at <= at < last_at}
        keep_reference(store, site, cut.id, (first_at, last_at), quarters_of(part))

    assert read(store, site, whole.number) == said
    assert rows(store, site, cut.number) == rows(store, site, whole.number)
    assert copied_until(store, site) == {cut.id: end_at, whole.id: end_at}


@examples(few=5, many=25)
@given(st.integers(0, 2**32))
def test_a_span_replaces_what_was_kept_of_it_and_nothing_else(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    catalogue = add_building(store, BUILDING)
    site, (meter, other) = catalogue.site.number, catalogue.meters
    base_at = chance.choice(MONTH_ENDS_AT) - 3 * DAY_S
    kept: Said = {}
    mark = 0
    for _ in range(6):
        start_at = base_at + 900 * chance.randrange(-96, 6 * 96)
        end_at = start_at + 900 * chance.choice((0, 1, 5, 96, 200))
        said = said_by_chance(chance, start_at, end_at)
        keep_reference(store, site, meter.id, (start_at, end_at), quarters_of(said))
        kept = {at: each for at, each in kept.items() if not start_at <= at < end_at} | said
        mark = max(mark, end_at)

        assert read(store, site, meter.number) == kept
        assert copied_until(store, site) == {meter.id: mark}
    assert read(store, site, other.number) == {}
    with store.snapshot() as snapshot:
        days = snapshot.reference.days_with_reference_series(site)
    expected = sorted({at // DAY_S for at in kept})
    assert days == ({meter.number: expected} if expected else {})


def test_marks_of_sensors_and_meters_rise_and_never_fall(store: SqlStore) -> None:
    first, second = (add_building(store, BUILDING).site.number for _ in range(2))
    assert copied_until(store, first) == {}

    keep_copied(store, first, "sensor", 1_000)
    keep_copied(store, first, "sensor", 900)
    keep_copied(store, first, "another", -5)

    assert copied_until(store, first) == {"another": -5, "sensor": 1_000}
    assert copied_until(store, second) == {}


def test_nothing_that_is_settled_is_touched(store: SqlStore) -> None:
    catalogue = add_building(store, BUILDING)
    site, meter = catalogue.site.number, catalogue.meters[0]
    at = MONTH_ENDS_AT[0]

    keep_reference(store, site, meter.id, (at, at + 900), quarters_of({at: (1, 2, 3)}))

    with store.snapshot() as snapshot:
        assert snapshot.catalogue.generation(site) == catalogue.generation
        assert snapshot.results.dirty_days(site, Group.ELECTRICITY) == []


@pytest.mark.parametrize(
    ("span_s", "starts_s", "words"),
    [
        ((0, 901), [0], "must lie on quarter-hours"),
        ((1, 900), [], "must lie on quarter-hours"),
        ((900, 0), [], "forward"),
        ((0, 900), [900], "must lie within"),
        ((900, 1800), [0, 900], "must lie within"),
        ((0, 0), [0], "must lie within"),
    ],
)
def test_what_lies_outside_its_span_is_refused(
    store: SqlStore, span_s: tuple[int, int], starts_s: list[int], words: str
) -> None:
    catalogue = add_building(store, BUILDING)
    at = MONTH_ENDS_AT[0]
    said = quarters_of({at + start_s: (1, 2, 3) for start_s in starts_s})

    span = at + span_s[0], at + span_s[1]
    with pytest.raises(ValueError, match=words):
        keep_reference(store, catalogue.site.number, catalogue.meters[0].id, span, said)
    assert read(store, catalogue.site.number, 1) == {}
    assert copied_until(store, catalogue.site.number) == {}


def test_an_unknown_meter_is_refused_and_leaves_no_mark(store: SqlStore) -> None:
    site = add_building(store, BUILDING).site.number
    with pytest.raises(UnknownMeter, match="dddd"):
        keep_reference(store, site, "d" * 24, (0, 900), quarters_of({0: (1, 2, 3)}))
    assert copied_until(store, site) == {}
