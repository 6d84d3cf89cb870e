"""What is touched of meters that simply go on is what judging each of them tells."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.ports import RegisterSpan
from commonwatt.app.readings import incoming as incoming_readings
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything
from tests.depth import examples
from tests.oracle import facts as oracle

FIRST_DAY, DAYS = 19_076, 16
START_AT = FIRST_DAY * 86_400
NOW_US = (FIRST_DAY + DAYS) * 86_400_000_000
HOME, SHOP = "a" * 24, "b" * 24
Known = tuple[dict[int, dict[str, RegisterSpan]], Sequence[int]]


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def take(store: SqlStore, catalogue: SiteCatalogue, rows: Sequence[Said]) -> Known:
    """Deliver rows; return the spans of the registers and the days that it marks."""
    site = catalogue.site.number
    settle_everything(store, site)
    ingest_readings(store, site, body(catalogue, rows), "gateway", "test", NOW_US)
    with store.snapshot() as snapshot:
        spans = snapshot.readings.register_spans(site, [1, 2])
        return spans, snapshot.results.dirty_days(site, Group.ELECTRICITY)


def counted(meter: str, first: int, count: int, lifted: int = 0, **more: object) -> list[Said]:
    """Quarter-hourly indexes from a quarter-hour of the period on, 100 Wh each."""
    return [
        Said(START_AT + 900 * q, en_im=10**8 + lifted + 10**5 * q, meter=meter, **more)  # type: ignore[arg-type]
        for q in range(first, first + count)
    ]


FAULTS = st.sampled_from(
    (
        {},
        {},
        {},
        {"lifted": -(10**7)},
        {"lifted": 3 * 10**8},
        {"lifted": 10**10},
        {"lifted": -(10**8) - 10**5 * 3 * 96},
        {"en_ex": 5},
        {"serial": "M1"},
        {"quality": "placeholder"},
        {"quality": "cleared"},
    )
)
ROWS = st.tuples(
    st.sampled_from((HOME, SHOP)),
    st.sampled_from((0, 0, 0, 0, 5, 100, -3, -70)),
    st.integers(1, 60),
    FAULTS,
    st.integers(0, 59),
)
HOMES = st.sampled_from(
    (
        oracle.Meter(HOME),
        oracle.Meter(HOME, installed_at=START_AT + 900),
        oracle.Meter(HOME, installed_at=START_AT - 86_400 * 40),
        oracle.Meter(HOME, removed_at=START_AT + 86_400 * 4 + 900),
        oracle.Meter(HOME, devices=(oracle.Device(START_AT + 86_400 * 4 + 900),)),
    )
)


@examples(few=6, many=60)
@given(HOMES, st.integers(0, 95), st.lists(ROWS, min_size=1, max_size=5))
def test_what_goes_on_is_told_as_if_it_was_judged(
    store: SqlStore,
    home: oracle.Meter,
    quarter: int,
    deliveries: list[tuple[str, int, int, dict[str, object], int]],
) -> None:
    building = oracle.Building((home, oracle.Meter(SHOP)))
    judged, told = add_building(store, building), add_building(store, building)
    until = dict.fromkeys((HOME, SHOP), 3 * 96 + quarter)
    before = [row for meter, end in until.items() for row in counted(meter, 0, end)]
    assert take(store, told, before) == take(store, judged, before)
    for meter, gap, count, fault, faulty in deliveries:
        first = until[meter] + gap
        until[meter] = first + count
        rows = counted(meter, first, count)
        rows[faulty : faulty + 1] = counted(meter, first + faulty, len(rows[faulty:][:1]), **fault)  # type: ignore[arg-type]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(incoming_readings, "days_of_going_on", lambda *_: {})
            by_judging = take(store, judged, rows)
        assert take(store, told, rows) == by_judging


def test_rows_of_another_meter_far_off_are_not_beside_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 33rd reading back lies on a day in sight only because of the shop's row."""
    building = oracle.Building((oracle.Meter(HOME), oracle.Meter(SHOP)))
    judged, told = add_building(store, building), add_building(store, building)
    hours = 8 * 24
    before = [row for h in range(hours) for row in counted(HOME, 4 * h, 1)]
    for catalogue in (judged, told):
        take(store, catalogue, [*before, *counted(SHOP, 8, 2)])
    rows = [*counted(HOME, 4 * hours, 1), *counted(SHOP, 10, 1)]
    marked = take(store, told, rows)
    monkeypatch.setattr(incoming_readings, "days_of_going_on", lambda *_: {})
    assert marked == take(store, judged, rows)


@pytest.mark.both_engines
def test_a_meter_that_goes_on_is_told_without_judging_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Touched are 33 readings before the new ones: 8 hours and a quarter before noon."""
    catalogue = add_building(store, oracle.Building((oracle.Meter(HOME), oracle.Meter(SHOP))))
    noon = 3 * 96 + 48
    take(store, catalogue, [*counted(HOME, 0, noon), *counted(SHOP, 0, noon)])
    monkeypatch.setattr(incoming_readings, "touched_days", None)
    spans, days = take(store, catalogue, counted(HOME, noon, 60))
    assert days == [FIRST_DAY + 3, FIRST_DAY + 4]
    assert spans[1]["en_im"].last_day == FIRST_DAY + 4
    _, days = take(store, catalogue, counted(SHOP, noon, 20))
    assert days == [FIRST_DAY + 3]
    with pytest.raises(TypeError):
        take(store, catalogue, counted(SHOP, noon + 20, 20, lifted=-(10**7)))
