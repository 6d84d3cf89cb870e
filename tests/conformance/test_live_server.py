"""A server that receives readings all the time: answers of different instants differ rightly."""

import datetime as dt
from collections.abc import Iterator

import anyio.to_thread
import httpx2
import pytest

from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import chosen_checks, run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.api.conftest import token
from tests.api.serving import client_of
from tests.conformance import building
from tests.conformance.breakable import Answered, Ask, Asked, Fault
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server, deliver, serving

# The last evening of a month: its days are all there, and those of today go on growing.
LAST_EVENING = dt.datetime(2026, 3, 31, 20, tzinfo=dt.UTC)
START, LIVE_FROM = "2026-02-27T00:00:00", "2026-03-31T17:00:00"
FIRST_AT, LIVE_FROM_AT = (
    int(dt.datetime.fromisoformat(f"{each}Z").timestamp()) for each in (START, LIVE_FROM)
)
REGISTERS = {
    building.meter_id(10): ("en_im", "en_ex"),
    building.ANNA: ("en_im",),
    building.meter_id(12): ("en_im",),
    building.PV: ("en_ex",),
    building.WATER: ("vol_m3",),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, httpx2.Client]]:
    """Serve the building on the last evening of a month, and a client that delivers to it."""
    folder = tmp_path_factory.mktemp("live")
    with CLOCK.at(LAST_EVENING), serving(folder, CLOCK) as server:
        every_quarter = building.readings([(FIRST_AT, LIVE_FROM_AT)])
        before = [row for row in every_quarter if START <= str(row["timestamp"]) < LIVE_FROM]
        deliver(server.address, before)
        with client_of(server.address, token(server.address, "landlord")) as client:
            yield server, client


def growing(client: httpx2.Client) -> Fault:
    """Before each question a meter reading, a sensor value and a late sensor value come in."""
    base = f"/commonwatt/v1/sites/{building.SITE}"
    late = iter(range(building.LAST_AT - 80_000, building.LAST_AT))

    def put(count: int) -> None:
        at = building.utc(LIVE_FROM_AT + 60 * count)
        rows = [
            {"meter": meter, "timestamp": at, **dict.fromkeys(names, 5e4 + count)}
            for meter, names in REGISTERS.items()
        ]
        receipt = client.put(f"{base}/readings", json=rows).raise_for_status().json()
        assert receipt["accepted"] == len(rows), receipt
        values = [{"timestamp": each, "value": 20} for each in (at, building.utc(next(late)))]
        said = [{"sensor": building.SENSOR, **value} for value in values]
        client.put(f"{base}/sensor_readings", json=said).raise_for_status()

    asked_before = iter(range(7000))

    async def fault(asked: Asked, ask: Ask) -> Answered:
        await anyio.to_thread.run_sync(put, next(asked_before))
        return await ask(asked)

    return fault


@pytest.mark.slow
def test_what_comes_in_meanwhile_fails_nothing(gateway: tuple[Server, httpx2.Client]) -> None:
    server, client = gateway
    server.breakable.fault = growing(client)
    checks = chosen_checks(["site_data", "meter_data", "sensor_data"])

    report = run_kit(server.target(), Scope(fast=True), checks, clock=CLOCK)

    failed = {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert failed == {}
