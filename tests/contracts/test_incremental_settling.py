"""Settling step by step leaves the same bytes as settling everything at the end."""

import random

import pytest
from hypothesis import HealthCheck, given, settings

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.withdraw_delivery import reinstate_delivery, withdraw_delivery
from tests.contracts.stored_results import (
    add_building,
    deliver,
    settle_everything,
    stored_results,
)
from tests.oracle.buildings import Plan, building_of, plans


@pytest.fixture
def store(store_url: str) -> SqlStore:
    return SqlStore(open_database(store_url))


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans())
def test_step_by_step_equals_from_scratch(store: SqlStore, plan: Plan) -> None:
    building = building_of(plan)
    stepwise = add_building(store, building)
    at_once = add_building(store, building)
    chance = random.Random(plan.seed)
    steps = [
        (position, delivery)
        for position, meter in enumerate(building.meters)
        for delivery in meter.deliveries
        if not meter.facts[-1].rule
    ]
    chance.shuffle(steps)
    for position, delivery in steps:
        for catalogue in (stepwise, at_once):
            meter = next(m for m in catalogue.meters if m.number == position + 1)
            receipt = deliver(
                store, catalogue.site.number, meter, delivery.rows, delivery.recorded_at_us
            )
            if receipt.delivery is not None and delivery.withdrawn:
                number = receipt.delivery
                site = catalogue.site.number
                withdraw_delivery(store, site, number, "wrong", "me", delivery.recorded_at_us)
                if number % 3 == 0:
                    reinstate_delivery(store, site, number, "me", delivery.recorded_at_us)
        if chance.random() < 0.7:
            settle_everything(store, stepwise.site.number)
    settle_everything(store, stepwise.site.number)
    settle_everything(store, at_once.site.number)
    assert stored_results(store, stepwise.site.number) == stored_results(
        store, at_once.site.number
    )
