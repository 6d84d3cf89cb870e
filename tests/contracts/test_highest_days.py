"""What is ordinary for a register: known exactly, whatever came first or was taken back."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.readings.deliveries import reinstate_delivery, withdraw_delivery
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.settling.highest_days import learn_ordinary
from commonwatt.domain.metering.catalogue import Register, SiteCatalogue
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.readings import effective_readings
from commonwatt.domain.vee.ordinary import HighestDays, highest_powers
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything
from tests.depth import examples
from tests.oracle import facts as oracle

FIRST_DAY, DAYS = 19_076, 14
START_AT = FIRST_DAY * 86_400
NOW_US = (FIRST_DAY + 40) * 86_400_000_000
HOME = "a" * 24


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def take(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[Said]) -> int | None:
    site = catalogue.site.number
    return ingest_readings(store, site, body(catalogue, rows), "gateway", "test", NOW_US).delivery


def assert_known(store: SqlStore, catalogue: SiteCatalogue) -> None:
    """What is kept is what all readings together give."""
    site, [meter] = catalogue.site.number, catalogue.meters
    with store.snapshot() as snapshot:
        spans = snapshot.readings.register_spans(site, [1])[1]
        withdrawn = snapshot.readings.withdrawn(site)
        said = snapshot.readings.readings(site, [1], 0, 10**6)[1]
    kept = spans[Register.EN_IM].highest
    assert kept is not None
    readings = effective_readings(said, Register.EN_IM, withdrawn)
    afresh = HighestDays().with_days(highest_powers(readings, meter.interval_s))
    assert afresh is not None
    assert (kept.ordinary, kept.days[:3]) == (afresh.ordinary, afresh.days[:3])


ROWS = st.lists(
    st.tuples(st.integers(0, DAYS * 96 - 1), st.integers(0, 899), st.integers(0, 40)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[:2],
)


@examples(few=5, many=25)
@given(st.lists(st.tuples(ROWS, st.integers(0, 9)), min_size=1, max_size=6), st.booleans())
def test_what_is_ordinary_is_known_whatever_came_first(
    store: SqlStore, deliveries: list[tuple[list[tuple[int, int, int]], int]], intervals: bool
) -> None:
    home = oracle.Meter(HOME, interval_s=900 if intervals else None)
    catalogue = add_building(store, oracle.Building((home,)))
    site, numbers = catalogue.site.number, list[int]()
    for rows, turn in deliveries:
        said = [Said(START_AT + 900 * q + s, en_im=10**7 * q + 2**e) for q, s, e in rows]
        number = take(store, catalogue, said)
        if number is not None:
            numbers.append(number)
        if turn < len(numbers):
            withdraw_delivery(store, site, numbers[turn], "wrong", "me", NOW_US)
            assert_known(store, catalogue)
            if turn % 2:
                reinstate_delivery(store, site, numbers[turn], "me", NOW_US)
            else:
                numbers.pop(turn)
        assert_known(store, catalogue)


def plug(first: int, count: int, watts: int, lifted: int = 0) -> list[Said]:
    """Quarter-hourly indexes of a plug from a quarter-hour of the period on."""
    return [
        Said(START_AT + 900 * q, en_im=10**9 + lifted + 250 * watts * q)
        for q in range(first, first + count)
    ]


def found(store: SqlStore, catalogue: SiteCatalogue) -> list[tuple[int, int]]:
    """Unusual steps: quarter-hour of the period at which one begins, and its energy [Wh]."""
    settle_everything(store, catalogue.site.number)
    with store.snapshot() as snapshot:
        return [
            ((each.start_at - START_AT) // 900, each.evidence["energy"])
            for each in read_findings(snapshot, catalogue)
            if each.rule is FindingRule.UNUSUAL_STEP
        ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_step_of_hundreds_of_times_is_asked_for_until_it_is_ordinary(
    store: SqlStore, order: int
) -> None:
    """45 W and once 5.8 kWh in a quarter-hour; on a third day with such steps it is ordinary."""
    catalogue = add_building(store, oracle.Building((oracle.Meter(HOME),)))
    steps = [40, 40 + 96, 40 + 2 * 96]
    parts = [plug(0, 41, 45)]
    for number, at in enumerate(steps, start=1):
        parts.append(plug(at + 1, 96, 45, number * 5_800_000))
    told = []
    for part in parts[::order]:
        take(store, catalogue, part)
        told.append(found(store, catalogue))
    assert told[-1] == []
    if order == 1:
        assert told[:3] == [[], [(40, 5_811)], [(40, 5_811), (136, 5_811)]]
    again = add_building(store, oracle.Building((oracle.Meter(HOME),)))
    take(store, again, [row for part in parts for row in part])
    assert found(store, again) == []


@pytest.mark.both_engines
def test_a_store_of_before_learns_what_is_ordinary(store: SqlStore) -> None:
    """Three days with a step of 5.8 kWh, of which the store did not keep the powers."""
    catalogue = add_building(store, oracle.Building((oracle.Meter(HOME),)))
    take(store, catalogue, plug(0, 41, 45))
    for number, at in enumerate((40, 136, 232), start=1):
        take(store, catalogue, plug(at + 1, 96, 45, number * 5_800_000))
    with store.database.write() as connection:
        connection.execute(schema.meter_registers.update().values(highest=None))
    # A reading meanwhile neither learns nor forgets.
    take(store, catalogue, plug(400, 1, 45, 3 * 5_800_000))
    with store.snapshot() as snapshot:
        assert snapshot.readings.unlearned() == [(catalogue.site.number, 1)]
        generation = snapshot.catalogue.generation(catalogue.site.number)
    assert not learn_ordinary(store, lambda: False)
    assert learn_ordinary(store)
    assert_known(store, catalogue)
    assert found(store, catalogue) == []
    with store.snapshot() as snapshot:
        assert snapshot.readings.unlearned() == []
        assert snapshot.catalogue.generation(catalogue.site.number) == generation + 1


@pytest.mark.parametrize(
    "meter",
    [
        oracle.Meter(HOME, facts=(oracle.Facts(max_per_hour=25_000),)),
        oracle.Meter(HOME, medium="charge_point"),
    ],
)
def test_what_is_declared_or_bursts_by_nature_is_not_asked_for(
    store: SqlStore, meter: oracle.Meter
) -> None:
    catalogue = add_building(store, oracle.Building((meter,)))
    take(store, catalogue, [*plug(0, 41, 45), *plug(41, 60, 45, 5_800_000)])
    assert found(store, catalogue) == []


def test_hours_of_use_are_no_step(store: SqlStore) -> None:
    """A heat pump that idles at 10 W and runs at 8 kW for an hour, on its first day."""
    catalogue = add_building(store, oracle.Building((oracle.Meter(HOME),)))
    energy = np.full(96, 2_500)
    energy[40:44] = 2_000_000
    rows = [
        Said(START_AT + 900 * q, en_im=int(index))
        for q, index in enumerate(np.concatenate(([0], np.cumsum(energy))))
    ]
    take(store, catalogue, rows)
    assert found(store, catalogue) == []
