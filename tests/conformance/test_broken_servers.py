"""Every broken server fails the check that it breaks, and no other."""

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import CHECKS, chosen_checks, run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.conformance.broken_servers import Broken, broken_servers
from tests.conformance.building import FOREIGN
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server
from tests.conformance.faults import replays
from tests.depth import by_depth

BROKEN = list(broken_servers())
SERIES = ("site_data", "meter_data")
IDS = {check.id for check in CHECKS}


def one_of_two(check: str) -> str:
    """The name of a check, the same for both validated series where both have it."""
    route, _, name = check.partition(".")
    both = {f"{each}.{name}" for each in SERIES}
    return f"series.{name}" if route in SERIES and both <= IDS else check


def parameters() -> Iterator[ParameterSet]:
    """Each broken server; slow is what breaks a check again, or at the other of the two series."""
    seen: set[str] = set()
    for broken in BROKEN:
        check = one_of_two(broken.check)
        again = [pytest.mark.slow] if check in seen else []
        yield pytest.param(broken, id=f"{broken.check}: {broken.name}", marks=again)
        seen.add(check)


@pytest.mark.parametrize("broken", list(parameters()))
def test_a_broken_server_fails_exactly_the_check_that_it_breaks(
    server: Server, broken: Broken
) -> None:
    server.breakable.fault = broken.fault
    # All others are held to only in a run that looks far: they take four fifths of the time.
    checks = by_depth(chosen_checks([broken.check.partition(".")[0] + "."]), list(CHECKS))

    report = run_kit(server.target(), Scope(foreign_site=FOREIGN, fast=True), checks, clock=CLOCK)

    failed = {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert set(failed) == {broken.check}, failed


def test_no_check_is_without_a_server_that_fails_it() -> None:
    # Limits and the end of a token have tests of their own.
    broken = {one_of_two(each.check) for each in BROKEN}
    others = {check for check in IDS if one_of_two(check) not in broken}

    assert {check for check in others if not check.startswith("limit.")} == {"auth.expiry"}
    assert len(BROKEN) > 100


def test_a_server_without_limits_is_found(server: Server) -> None:
    server.breakable.fault = replays("meter_info")

    report = run_kit(server.target("hasty"), Scope(), chosen_checks(["limit."]), clock=CLOCK)

    failed = {each.id for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert failed == {"limit.meter_info"}
    assert report.count(Outcome.HELD) == len(report.verdicts) - 1
