"""The product's settlement and the oracle's agree in every quarter-hour, to the Wh."""

from dataclasses import replace

from hypothesis import given, note

from tests.depth import examples
from tests.oracle.agreement import assert_agree
from tests.oracle.buildings import Plan, building_of, first_day, plans
from tests.oracle.facts import Building, Delivery, Facts, Meter, Operand, Row
from tests.oracle.pipeline import settle
from tests.oracle.product import settled_by_product

DAY_AT = 19_076 * 86_400
MEASURED = "a" * 24
OTHER = "b" * 24
RULE = "c" * 24


def assert_settled_alike(building: Building, quarters: range) -> None:
    assert_agree(building, settle(building, quarters), *settled_by_product(building, quarters))


def a_home(name: str, *indexes_mwh: int) -> Meter:
    """Make a consumer that was read every quarter-hour from midnight on."""
    stamped = zip(range(DAY_AT, DAY_AT + 86_400, 900), indexes_mwh, strict=False)
    rows = tuple(Row(at, {"en_im": mwh}) for at, mwh in stamped)
    return Meter(name, deliveries=(Delivery(1, (DAY_AT + 86_400) * 1_000_000, rows),))


@examples(few=15, many=100)
@given(plan=plans())
def test_product_and_oracle_settle_generated_buildings_alike(plan: Plan) -> None:
    note(str(plan))
    first = 96 * (first_day(plan) - 1)
    assert_settled_alike(building_of(plan), range(first, first + 96 * (plan.days + 2)))


def test_an_installed_operand_without_readings_makes_the_rule_missing() -> None:
    silent = Meter(OTHER, installed_at=DAY_AT)
    difference = (Operand(1, MEASURED), Operand(-1, OTHER))
    rule = Meter(RULE, facts=(Facts(rule=difference),))
    building = Building((a_home(MEASURED, 0, 5000, 9000), silent, rule))
    assert_settled_alike(building, range(DAY_AT // 900, DAY_AT // 900 + 3))


def test_an_installed_index_that_a_real_reading_replaces_makes_no_zero_suspect() -> None:
    home = a_home(MEASURED, 0, 0, 0, 5000)
    declared = replace(home, installed_at=DAY_AT, installed_index={"en_im": 10_000_000})
    assert_settled_alike(Building((declared,)), range(DAY_AT // 900, DAY_AT // 900 + 4))


def test_the_largest_factor_on_the_largest_energy_over_400_days_does_not_overflow() -> None:
    end_at, span_s = DAY_AT + 86_400, 400 * 86_400
    rows = (Row(end_at - span_s, {"en_im": 7}), Row(end_at, {"en_im": 10_000_000_000_000_007}))
    meter = Meter(
        MEASURED,
        facts=(Facts(), Facts(valid_from=DAY_AT + 43_200, factor=Facts().factor * 4000)),
        deliveries=(Delivery(1, end_at * 1_000_000, rows),),
    )
    assert_settled_alike(Building((meter,)), range(DAY_AT // 900, DAY_AT // 900 + 96))


def test_a_sum_beyond_int32_of_parts_within_is_missing_and_found() -> None:
    homes = [replace(a_home(MEASURED, 0, 2 * 10**12, 3 * 10**12), id=name) for name in "ab"]
    homes = [replace(home, id=home.id * 24) for home in homes]
    rule = Meter(RULE, facts=(Facts(rule=(Operand(1, MEASURED), Operand(1, OTHER))),))
    assert_settled_alike(Building((*homes, rule)), range(DAY_AT // 900, DAY_AT // 900 + 3))
