"""What the kit says of a building's data is the same on whatever day it is asked."""

import datetime as dt

import pytest

from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import chosen_checks, run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.conformance.building import FOREIGN
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server
from tests.conformance.faults import on_rows, second_time_dropped

# Around both switches, New Year, 29 February, the middle of winter and of summer; in the first
# autumn and winter the building's days of a clock change pass out of the 400 days looked back.
DAYS = [
    *("2026-07-15T12:00", "2026-10-24T22:30", "2026-10-25T00:30", "2026-10-26T09:00"),
    *("2026-11-30T12:00", "2026-12-31T23:30", "2027-01-01T00:10", "2027-01-15T12:00"),
    *("2027-03-27T23:30", "2027-03-28T01:30", "2028-02-29T12:00", "2031-06-21T12:00"),
]


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS)
def test_every_clause_holds_on_any_day(server: Server, day: str) -> None:
    with CLOCK.at(dt.datetime.fromisoformat(f"{day}Z")):
        report = run_kit(server.target(), Scope(foreign_site=FOREIGN, fast=True), clock=CLOCK)

    others = {
        each.id: f"{each.outcome}: {each.seen}"
        for each in report.verdicts
        if each.outcome is not Outcome.HELD and not each.id.startswith(("limit.", "auth.expiry"))
    }
    assert others == {}


@pytest.mark.parametrize("day", DAYS)
def test_a_repeated_hour_that_is_missing_is_found_on_any_day(server: Server, day: str) -> None:
    server.breakable.fault = on_rows("meter_data", second_time_dropped, "15T")
    checks = chosen_checks(["meter_data.switch_day"])

    with CLOCK.at(dt.datetime.fromisoformat(f"{day}Z")):
        report = run_kit(server.target(), Scope(fast=True), checks, clock=CLOCK)

    (verdict,) = report.verdicts
    assert verdict.outcome is Outcome.FAILED
    assert "2025-10-26 02:00:00+01:00" in verdict.seen
