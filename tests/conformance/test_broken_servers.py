"""Every broken server fails the check that it breaks, and no other."""

import pytest

from commonwatt.conformance.evidence import Scope
from commonwatt.conformance.run import run_kit
from commonwatt.conformance.verdicts import Outcome
from tests.conformance.broken_servers import Broken, broken_servers
from tests.conformance.building import FOREIGN
from tests.conformance.conftest import Server

BROKEN = list(broken_servers())


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.check}: {broken.name}")
def test_a_broken_server_fails_exactly_the_check_that_it_breaks(
    server: Server, broken: Broken
) -> None:
    server.breakable.fault = broken.fault

    report = run_kit(server.target(), Scope(foreign_site=FOREIGN, fast=True))

    failed = {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert set(failed) == {broken.check}, failed
