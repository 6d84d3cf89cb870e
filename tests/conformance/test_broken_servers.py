"""Every broken server fails the check that it breaks, and no other."""

import pytest

from commonwatt.conformance.catalogue import CHECKS
from commonwatt.conformance.evidence import Scope
from commonwatt.conformance.run import chosen_checks, run_kit
from commonwatt.conformance.verdicts import Outcome
from tests.conformance.broken_servers import Broken, broken_servers, replays
from tests.conformance.building import FOREIGN
from tests.conformance.conftest import Server

BROKEN = list(broken_servers())
SERIES = ("site_data", "meter_data")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.check}: {broken.name}")
def test_a_broken_server_fails_exactly_the_check_that_it_breaks(
    server: Server, broken: Broken
) -> None:
    server.breakable.fault = broken.fault

    report = run_kit(server.target(), Scope(foreign_site=FOREIGN, fast=True))

    failed = {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert set(failed) == {broken.check}, failed


def test_no_check_is_without_a_server_that_fails_it() -> None:
    # Limits and the end of a token have tests of their own; the two series share their checks.
    broken = {one_of_two(each.check) for each in BROKEN}
    others = {one_of_two(each.id) for each in CHECKS} - broken

    assert {each.partition(".")[0] for each in others} == {"limit", "auth"}
    assert "auth.expiry" in others
    assert len([each for each in others if not each.startswith("limit.")]) == 1


def one_of_two(check: str) -> str:
    """The name of a check that both validated series have."""
    route, _, name = check.partition(".")
    return f"series.{name}" if route in SERIES and f"site_data.{name}" in _both() else check


def _both() -> set[str]:
    ids = {each.id for each in CHECKS}
    return {each for each in ids if each.replace("site_data", "meter_data") in ids}


def test_a_server_without_limits_is_found(server: Server) -> None:
    server.breakable.fault = replays("meter_info")

    report = run_kit(server.target("hasty"), Scope(), chosen_checks(["limit."]))

    failed = {each.id for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert failed == {"limit.meter_info"}
    assert report.count(Outcome.HELD) == len(report.verdicts) - 1
