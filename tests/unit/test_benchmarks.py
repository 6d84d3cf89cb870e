"""The benchmark's own parts: it compares with what is right, and notices a wrong answer."""

import json

import numpy as np
import pytest

from benchmarks.expected import METER, Checker, WrongAnswer
from benchmarks.report import PER_F, X_B, Bound, Line
from benchmarks.servers.raw_http import Answer
from benchmarks.site.building import APARTMENTS, Building, make_building
from benchmarks.site.declared_site import DeclaredSite
from benchmarks.site.plan import QUICK
from commonwatt.domain.allocation import KEYS, SharingTerms, share_out


@pytest.fixture(scope="module")
def building() -> Building:
    return make_building(0, APARTMENTS, QUICK.first_day, QUICK.days)


def answer_for_the_day(building: Building, added_wh: int) -> Answer:
    span = building.span(*QUICK.day)
    total = building.totals[METER, span].copy()
    total[40] += added_wh
    own = building.shares[METER, span]
    rows = [
        {"total": wh / 1000, "self": share / 1000, "ext": (wh - share) / 1000}
        for wh, share in zip(total.tolist(), own.tolist(), strict=True)
    ]
    return Answer(200, {}, json.dumps(rows).encode(), 0.0)


def test_the_shares_that_answers_are_compared_with_are_those_of_the_documented_key(
    building: Building,
) -> None:
    pool = building.totals.sum(axis=0) - building.grid_import

    terms = SharingTerms.alike(pool, building.totals, building.first_quarter)
    shares = share_out(KEYS["pro_rata"], terms)

    assert np.array_equal(shares, building.shares)
    assert (building.grid_export > 0).any()


def test_readings_add_up_to_the_energy_between_them(building: Building) -> None:
    site = DeclaredSite("b00000000000000000000001", "Read", APARTMENTS)

    rows = [row for body in site.batches(building, 9_600) for row in json.loads(body)]

    first_meter = [row["en_im"] for row in rows if row["meter"] == site.meter_id(0)]
    assert len(first_meter) == building.quarters + 1
    energy = np.diff(np.rint(np.array(first_meter) * 1000).astype(np.int64))
    assert np.array_equal(energy, building.totals[0])


def test_a_right_answer_passes_and_one_of_2_wh_more_stops_the_run(building: Building) -> None:
    check = Checker(building, QUICK)

    check("commonwatt", "day", answer_for_the_day(building, 0))

    with pytest.raises(WrongAnswer, match="row 40"):
        check("commonwatt", "day", answer_for_the_day(building, 2))


@pytest.mark.parametrize(
    ("ratios", "met"),
    [
        pytest.param({X_B: 60.0, PER_F: 12.0}, True, id="both at their bounds"),
        pytest.param({X_B: 59.9, PER_F: 12.0}, False, id="too slow against B"),
        pytest.param({X_B: 60.0, PER_F: 12.1}, False, id="too slow against F"),
        pytest.param({X_B: 60.0}, None, id="F was not measured"),
    ],
)
def test_a_target_is_met_when_all_its_bounds_hold(
    ratios: dict[str, float], met: bool | None
) -> None:
    target = (Bound(X_B, at_least=60), Bound(PER_F, at_most=12))

    line = Line(figure="year", unit="ms", values={"commonwatt": 3.0}, ratios=ratios)

    assert line.met(target) is met
