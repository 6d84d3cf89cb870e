"""A standstill that is made up for: found whatever the order, resolved without losing energy."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import CannotChange, apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.resolve import Verdict, resolve_finding, take_resolution_back
from commonwatt.app.findings.task import task_of_finding
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import ResolutionKind, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule, finding_id
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.formats.commands import command
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import (
    add_building,
    deliver,
    settle_everything,
    stored_results,
)
from tests.depth import examples
from tests.oracle import facts as oracle

DAY = 20_500
START = DAY * 86_400
FIRST = DAY * 96
NOW = START + 40 * 86_400
SITE = (
    "site: {site_ref: A, name: House, timezone: UTC}\n"
    "meters:\n"
    "  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10, max_per_hour: 30}\n"
)
BUILDING = oracle.Building((oracle.Meter("a" * 24),))
RISES_WH = [500] * 96 + [0] * 300 + [150_500] + [500] * 96
"""A day, three days and three hours of standstill, the quarter-hour that makes up, another day."""
STEP = 96 + 300


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def declare(store: SqlStore, declaration: str = SITE) -> None:
    apply_declaration(store, declaration_from_yaml(declaration.encode()), "tester", NOW)


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def say(store: SqlStore, values_wh: dict[int, int]) -> None:
    """Deliver values [Wh] by quarter-hour from the start."""
    rows = tuple(
        oracle.Row(START + 900 * count, {"en_im": value * 1_000})
        for count, value in values_wh.items()
    )
    deliver(store, 1, catalogue(store).meters[0], rows, NOW * 1_000_000)


def findings(store: SqlStore) -> list[Finding]:
    with store.snapshot() as snapshot:
        return list(read_findings(snapshot, catalogue(store)))


def rules(store: SqlStore) -> dict[str, int]:
    """How often each rule found something."""
    found = [each.rule.value for each in findings(store)]
    return {rule: found.count(rule) for rule in dict.fromkeys(found)}


def catch_up(store: SqlStore) -> tuple[Finding, str]:
    site = catalogue(store)
    (found,) = [each for each in findings(store) if each.rule is FindingRule.CATCH_UP]
    return found, finding_id(site.site.id, site.meters[0].id, found)


@pytest.mark.both_engines
def test_readings_that_hung_are_set_aside_and_their_energy_is_spread(store: SqlStore) -> None:
    declare(store)
    say(store, dict(enumerate(np.cumsum([1_000, *RISES_WH]).tolist())))
    # Whole days of the standstill are frozen too, and nothing else is said of it.
    assert rules(store) == {"frozen-register": 3, "catch-up": 1}
    found, wanted = catch_up(store)
    task = task_of_finding(catalogue(store), found)
    assert command(task.action) == f"commonwatt resolve {wanted} --as faulty"

    resolve_finding(store, 1, wanted, Verdict(kind=ResolutionKind.FAULTY), "tester", NOW)

    assert rules(store) == {"declared-faulty": 300, "gap": 1}
    with store.snapshot() as snapshot:
        site = catalogue(store)
        series = read_meter_series(snapshot, site, site.meters[0], FIRST, FIRST + len(RISES_WH))
    assert series.total.tolist() == [500] * len(RISES_WH)
    hung = slice(96, STEP + 1)
    assert set(series.quality_total[hung].tolist()) == {Quality.ESTIMATED}
    assert (np.delete(series.quality_total, np.r_[hung]) == Quality.MEASURED).all()
    settle_everything(store, 1)
    with store.snapshot() as snapshot:
        methods = snapshot.results.methods(1, 1, DAY + 1, DAY + 4)
    assert set(methods.tolist()) == {Method.SHAPE}

    take_resolution_back(store, 1, wanted, "tester", NOW)
    assert rules(store) == {"frozen-register": 3, "catch-up": 1}


def test_what_an_interval_meter_missed_is_spread_by_an_edit(store: SqlStore) -> None:
    declare(store, SITE.replace("max_per_hour: 30", "max_per_hour: 30, interval: PT15M"))
    sent = dict(enumerate(RISES_WH, 1))
    say(store, {count: value for count, value in sent.items() if value})
    found, wanted = catch_up(store)

    task = task_of_finding(catalogue(store), found)

    meter = catalogue(store).meters[0].id
    assert command(task.action) == (
        f"commonwatt edit {meter} --start 2026-02-17T00:00:00Z --end 2026-02-20T03:15:00Z "
        "--energy 150.5 --reason TEXT"
    )
    with pytest.raises(CannotChange, match="commonwatt edit"):
        resolve_finding(store, 1, wanted, Verdict(kind=ResolutionKind.FAULTY), "tester", NOW)


@examples(few=5, many=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    stills=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    parts=st.integers(2, 6),
)
def test_in_whatever_order_readings_come_the_same_is_found(
    store: SqlStore, seed: int, stills: list[int], parts: int
) -> None:
    random = Random(seed)
    rises = [random.randint(200, 600) for _ in range(30)]
    for still in stills:
        rises += [0] * still + [400 * (still + 1)]
        rises += [random.randint(200, 600) for _ in range(random.choice((3, 30)))]
    rows = [
        oracle.Row(START + 900 * count, {"en_im": index * 1_000})
        for count, index in enumerate(np.cumsum([1_000, *rises]).tolist())
    ]
    stepwise, at_once = (add_building(store, BUILDING) for _ in range(2))
    deliver(store, at_once.site.number, at_once.meters[0], tuple(rows), NOW * 1_000_000)
    settle_everything(store, at_once.site.number)
    random.shuffle(rows)
    for part in range(parts):
        some = tuple(rows[part::parts])
        deliver(store, stepwise.site.number, stepwise.meters[0], some, NOW * 1_000_000)
        settle_everything(store, stepwise.site.number)

    left, right = (stored_results(store, each.site.number) for each in (stepwise, at_once))
    assert left == right
