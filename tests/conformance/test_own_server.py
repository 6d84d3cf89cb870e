"""Our own server holds every clause."""

from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.conformance.building import FOREIGN
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server

# Of what is not asked for here: limits have a test of their own, and the end of a token takes long.
LEFT_OUT = ("limit.", "auth.expiry")


def test_our_own_server_holds_every_clause(server: Server) -> None:
    report = run_kit(server.target(), Scope(foreign_site=FOREIGN, fast=True), clock=CLOCK)

    others = {
        each.id: f"{each.outcome}: {each.seen}"
        for each in report.verdicts
        if each.outcome is not Outcome.HELD and not each.id.startswith(LEFT_OUT)
    }
    assert others == {}
