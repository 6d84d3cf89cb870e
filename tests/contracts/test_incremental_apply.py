"""Changes of a declaration, settled one by one, leave the same bytes as settling from scratch."""

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import (
    InvalidDeclaration,
    MeterDeclaration,
    NotSaid,
    SiteDeclaration,
)
from commonwatt.domain.metering.catalogue import (
    BalanceMode,
    Meter,
    Mode,
    Register,
    RegisterKind,
    SiteCatalogue,
)
from tests.contracts.stored_results import (
    add_building,
    deliver,
    known_results,
    settle_everything,
)
from tests.depth import examples
from tests.oracle.buildings import Plan, building_of, first_day, plans

FACTORS = tuple(map(Decimal, ("1", "2.5", "0.001", "40")))
SWAPPED = {Register.EN_IM: Register.EN_EX, Register.EN_EX: Register.EN_IM}


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


@examples(few=5, many=25)
@given(plan=plans())
def test_changes_one_by_one_equal_from_scratch(store: SqlStore, plan: Plan) -> None:
    assert_one_by_one_equals_from_scratch(store, plan)


def assert_one_by_one_equals_from_scratch(store: SqlStore, plan: Plan) -> None:
    building = building_of(plan)
    site = add_building(store, building)
    number = site.site.number
    chance = random.Random(plan.seed)
    steps: list[int | None] = [None] * 4
    positions = [p for p, meter in enumerate(building.meters) if not meter.facts[-1].rule]
    steps += positions
    chance.shuffle(steps)
    for step in steps:
        if step is None:
            changed(store, number, chance, plan)
        else:
            delivered(store, site, step, plan)
        if chance.random() < 0.6:
            settle_everything(store, number)
    settle_everything(store, number)
    scratch = from_scratch(store, number)
    for position in positions:
        delivered(store, scratch, position, plan)
    settle_everything(store, scratch.site.number)
    stepwise, afresh = (known_results(store, each) for each in (number, scratch.site.number))
    assert stepwise == afresh


def delivered(store: SqlStore, site: SiteCatalogue, position: int, plan: Plan) -> None:
    """Deliver what a meter of the plan's building sent."""
    declared = next(meter for meter in site.meters if meter.number == position + 1)
    for delivery in building_of(plan).meters[position].deliveries:
        deliver(store, site.site.number, declared, delivery.rows, delivery.recorded_at_us)


def changed(store: SqlStore, number: int, chance: random.Random, plan: Plan) -> None:
    """Declare a change of some meters, or of the site's books; one that is refused is none."""
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(number)
    site = catalogue.site
    start_at = first_day(plan) * 86_400
    from_at = start_at + 900 * chance.randrange(-8, 96 * plan.days + 8)
    many = min(2, len(catalogue.meters))
    declaration = SiteDeclaration(
        line=1,
        id=site.id,
        name=site.name,
        timezone=site.timezone,
        valid_from=from_at,
        balance=chance.choice([*BalanceMode]),
        meters=tuple(
            a_change(meter, chance, from_at, start_at)
            for meter in chance.sample(catalogue.meters, many)
        ),
    )
    try:
        apply_declaration(store, declaration, "tester", start_at)
    except InvalidDeclaration:
        # An operand that would be isolated, for instance.
        with store.snapshot() as snapshot:
            assert snapshot.catalogue.catalogue(number) == catalogue
    else:
        assert apply_declaration(store, declaration, "tester", start_at).lines == ()


def a_change(meter: Meter, chance: random.Random, from_at: int, start_at: int) -> MeterDeclaration:
    """Change one or the other of a meter."""
    same = MeterDeclaration(
        line=2,
        id=meter.id,
        name=meter.name,
        medium=meter.medium,
        mode=meter.facts_at(from_at).mode,
        valid_from=from_at,
    )
    lived_at = start_at + chance.randrange(-3_600, 2 * 86_400)
    possible = [
        replace(same, enabled=chance.random() < 0.5),
        replace(same, balance=chance.random() < 0.5),
        replace(same, isolated=chance.random() < 0.5),
    ]
    if not meter.is_rule_meter:
        possible += [
            replace(same, factor=chance.choice(FACTORS)),
            replace(same, installed_at=chance.choice([None, lived_at])),
            replace(same, removed_at=chance.choice([None, lived_at])),
            replace(same, installed_at=start_at - 86_400 * 3 + 77, installed_index=Decimal("0.5")),
        ]
    if not meter.is_rule_meter and meter.interval_s is None:
        possible.append(replace(same, register_kind=chance.choice([*RegisterKind])))
    if meter.medium.value == "electricity":
        possible += [
            replace(same, mode=chance.choice([*Mode])),
            replace(same, registers=chance.choice([SWAPPED, {}])),
            replace(same, register_from=chance.choice([{Register.EN_EX: lived_at}, {}])),
        ]
    change = chance.choice(possible)
    said = (change.registers, change.register_from)
    if meter.is_rule_meter and not all(isinstance(each, NotSaid) for each in said):
        return same
    return change


def from_scratch(store: SqlStore, number: int) -> SiteCatalogue:
    """Declare a site as another one is declared at last; ids keep their order."""
    with store.snapshot() as snapshot:
        declared = snapshot.catalogue.catalogue(number)
    with store.new_site() as (change, fresh):
        site = replace(declared.site, number=fresh, id=f"{fresh:024x}")
        change.catalogue.add_site(site, declared.facts)
        for meter in declared.meters:
            facts = tuple(
                replace(
                    each,
                    rule=each.rule and each.rule.replace(f"{number:08x}", f"{fresh:08x}"),
                    producers={
                        f"{fresh:08x}{producer[8:]}": percent
                        for producer, percent in each.producers.items()
                    },
                )
                for each in meter.facts
            )
            renamed = replace(meter, id=f"{fresh:08x}{meter.id[8:]}", facts=facts)
            change.catalogue.put_meter(fresh, renamed)
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(fresh)
