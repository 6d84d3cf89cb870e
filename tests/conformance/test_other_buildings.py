"""Buildings of our own that show little or lie in other zones: nothing fails, reasons are told."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from commonwatt.app.accounts.authorize import Habits, Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import Report, Target, run_kit
from commonwatt.conformance.samples.evidence import Scope
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api.building import SITE
from tests.api.conftest import PASSWORD, account, add, deliver, populate, token
from tests.api.serving import application_of, client_of, served
from tests.conformance import building
from tests.conformance.clock import CLOCK

EMPTY = "61dfc9a0eba4e3564021f3aa"
FAST = Scope(fast=True)
NO_SWITCH = {"recent": "no rows of /site_data at D"}


@pytest.fixture(scope="module")
def even_building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve two days of a building in which every quarter-hour is like the one before."""
    application = application_of(tmp_path_factory.mktemp("even"), clock=CLOCK)
    populate(application.store)
    empty = f"site: {{id: {EMPTY}, site_ref: E, name: Empty, timezone: UTC}}"
    wanted = declaration_from_yaml(empty.encode())
    apply_declaration(application.store, wanted, "tests", int(CLOCK()))
    add(application.store, account("empty", Role.DEVELOPER, EMPTY))
    add(application.store, account("none", Role.DEVELOPER))
    add(application.store, account("of_2022", Role.DEVELOPER, SITE, habits=Habits.OF_2022))
    with served(application) as address:
        deliver(address)
        yield f"{address}/api/v1"


def kit(url: str, username: str, scope: Scope = FAST) -> Report:
    """Run the kit; nothing may fail."""
    report = run_kit(Target(url, username, PASSWORD), scope, clock=CLOCK)
    assert {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.FAILED} == {}
    return report


def reasons(report: Report) -> dict[str, str]:
    """Why checks were not made."""
    return {each.id: each.seen for each in report.verdicts if each.outcome is Outcome.NOT_CHECKED}


@pytest.mark.parametrize("username", ["reader", "late", "recent", "narrow", "old", "of_2022"])
def test_two_even_days_fail_nothing(even_building: str, username: str) -> None:
    scope = Scope(site=SITE, fast=True)
    if username in {"old", "of_2022"}:
        report = run_kit(
            Target(even_building, username, PASSWORD), scope, accept_habits=True, clock=CLOCK
        )
        assert report.all_held
        assert report.count(Outcome.HABIT) == 1
        return

    why = reasons(kit(even_building, username, scope))

    assert why["site_data.switch_day"].startswith(NO_SWITCH.get(username, "no switch day within 5"))
    if username == "recent":
        assert "no rows" in why["site_data.keys"]


def test_a_site_without_meters_is_told_not_held(even_building: str) -> None:
    why = reasons(kit(even_building, "empty"))

    assert why["meter_info.keys"] == "the site has no meters"
    assert why["sensors_list.keys"] == "the site has no sensors"
    assert why["site_data.keys"] == "the site has no meters"
    assert why["meter_data_raw.rule_meter"] == "the site has no rule meters"


def test_an_account_without_sites_is_told_not_held(even_building: str) -> None:
    why = reasons(kit(even_building, "none"))

    assert why["installation_infos.keys"] == "no site is listed; --site names one"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
def test_every_clause_holds_in_other_zones(tmp_path: Path, zone: str) -> None:
    held = held_of(tmp_path, building.DECLARATION.replace(building.ZONE, zone))

    assert {"meter_data.15T_end", "meter_data.D_sum", "meter_data.D_start"} <= held
    assert ("meter_data.local_days" in held) == (zone != "UTC")
    assert ("meter_data.naive_utc" in held) == (zone != "UTC")


def test_a_consumer_without_a_share_is_not_the_one_to_look_at(tmp_path: Path) -> None:
    anna = "mode: consumption, prim_ad: 11"
    assert anna in building.DECLARATION
    declared = building.DECLARATION.replace(anna, f"{anna}, balance: false")

    assert {"meter_data.keys", "meter_data.total"} <= held_of(tmp_path, declared)


def held_of(tmp_path: Path, declared: str) -> set[str]:
    """Serve a building with the readings of some weeks; what holds, where nothing may fail."""
    application = application_of(tmp_path / "data", clock=CLOCK)
    wanted = declaration_from_yaml(declared.encode())
    apply_declaration(application.store, wanted, "tests", int(CLOCK()))
    add(application.store, account("operator", Role.OPERATOR, building.SITE))
    rows = [row for row in building.readings() if str(row["timestamp"]) > "2026-02-20"]
    with served(application) as address:
        with client_of(address, token(address, "operator")) as client:
            path = f"/commonwatt/v1/sites/{building.SITE}/readings"
            assert client.put(path, json=rows, timeout=60).status_code == httpx2.codes.OK
        report = kit(f"{address}/api/v1", "operator")
    return {each.id for each in report.verdicts if each.outcome is Outcome.HELD}
