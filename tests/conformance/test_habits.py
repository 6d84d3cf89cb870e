"""A server with the known habits of the live service, all at once."""

from commonwatt.conformance.judging.verdicts import Habit, Outcome
from commonwatt.conformance.run import run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.conformance.breakable import Answered, Ask, Asked, Fault
from tests.conformance.building import FOREIGN
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server
from tests.conformance.faults import each, one_ulp_off, read_as_local, without_last_edge


def live_service() -> Fault:
    """Bare ids, old meters and addresses, local times, open edges, noise, texts for stamps."""
    edge = without_last_edge("meter_data")

    async def fault(asked: Asked, ask: Ask) -> Answered:
        understood = read_as_local(asked) if asked.route.endswith(("data", "raw")) else asked
        answered = await ask(understood)
        if asked.route == "meter_data":
            answered = await edge(understood, ask)
        if answered.status != 200 or not answered.rows:
            return answered
        rows = answered.rows
        if asked.route == "all_installations":
            return answered.saying([row["id"] for row in rows])
        if asked.route == "meter_info":
            return answered.saying([old_meter(row) for row in rows])
        return answered.saying(each(one_ulp_off)(rows))

    return fault


def old_meter(row: dict[str, object]) -> dict[str, object]:
    """A meter as listed in 2022."""
    kept = {key: row[key] for key in ("id", "type")}
    return {**kept, "prim_ad": str(row["prim_ad"]), "virtual": row["is_rule_meter"]}


def test_known_habits_are_named_and_accepted_where_they_may(server: Server) -> None:
    server.breakable.fault = live_service()
    scope = Scope(foreign_site=FOREIGN, fast=True)

    report = run_kit(server.target(), scope, accept_habits=True, clock=CLOCK)

    assert [each for each in report.verdicts if each.outcome is Outcome.FAILED] == []
    assert {each.habit for each in report.verdicts if each.outcome is Outcome.HABIT} == {
        Habit.BARE_IDS,
        Habit.OLD_METERS,
        Habit.PRIM_AD_TEXT,
        Habit.LOCAL_TIMES,
        Habit.OPEN_EDGES,
        Habit.UNROUNDED,
    }
    assert report.count(Outcome.HELD) > 80


def test_a_habit_that_is_not_accepted_fails(server: Server) -> None:
    server.breakable.fault = live_service()

    report = run_kit(server.target(), Scope(fast=True), clock=CLOCK)

    failed = {each.id for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert {"site_data.naive_utc", "meter_info.keys", "all_installations.list"} <= failed
    assert report.count(Outcome.HABIT) == 0
