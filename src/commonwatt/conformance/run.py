"""Running the kit against a server."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from commonwatt.conformance.asking.session import (
    NoToken,
    Session,
    SignInRefused,
    open_client,
)
from commonwatt.conformance.check import Check
from commonwatt.conformance.checks import (
    access,
    devices,
    readings,
    series_periods,
    series_rows,
    series_values,
    series_windows,
    signing_in,
    sites,
    switch_days,
)
from commonwatt.conformance.judging.verdicts import CannotCheck, Outcome, Verdict
from commonwatt.conformance.samples.building import Building
from commonwatt.conformance.samples.evidence import Scope

_PER_SECOND = 1.0

CHECKS: tuple[Check, ...] = (
    *signing_in.CHECKS,
    *sites.CHECKS,
    *devices.CHECKS,
    *series_rows.CHECKS,
    *series_values.CHECKS,
    *series_periods.CHECKS,
    *switch_days.CHECKS,
    *series_windows.CHECKS,
    *readings.CHECKS,
    *access.CHECKS,
    *signing_in.LAST_CHECKS,
)
"""All checks, in the order of the published page."""


@dataclass(frozen=True, slots=True)
class Target:
    """The base address of a server, such as http://127.0.0.1:8000/api/v1, and an account."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found."""

    url: str
    site: str | None
    verdicts: tuple[Verdict, ...]

    @property
    def all_held(self) -> bool:
        """Whether no check failed."""
        return self.count(Outcome.FAILED) == 0

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(each.outcome is outcome for each in self.verdicts)


def chosen_checks(beginnings: Sequence[str]) -> list[Check]:
    """The checks whose ids begin with one of some words; all without any.

    >>> [check.id for check in chosen_checks(["auth.v", "sensors_list.u"])]
    ['auth.valid_until', 'sensors_list.unique']
    """
    return [check for check in CHECKS if not beginnings or check.id.startswith(tuple(beginnings))]


def run_kit(
    target: Target,
    scope: Scope,
    checks: Sequence[Check] = CHECKS,
    *,
    accept_habits: bool = False,
    done: Callable[[Verdict], None] = lambda _verdict: None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Run checks one after the other; ``done`` is called after each.

    A habit of the live service fails its check, unless habits are accepted. Raises Unreachable and
    SignInRefused: neither says anything of the API. The latter too where no token comes and no
    check of the sign-in is among those that would fail by it.
    """
    with open_client(target.url) as client:
        session = Session(
            client,
            target.username,
            target.password,
            requests_per_second=None if scope.fast else _PER_SECOND,
            clock=clock,
            sleep=sleep,
        )
        _require_sign_in(session, checks)
        building = Building(session, scope)
        verdicts = []
        for check in checks:
            verdict = check.run(building)
            if verdict.outcome is Outcome.HABIT and not accept_habits:
                verdict = replace(verdict, outcome=Outcome.FAILED)
            verdicts.append(verdict)
            done(verdict)
        return Report(target.url, _site(building), tuple(verdicts))


def _site(building: Building) -> str | None:
    try:
        return building.site
    except (CannotCheck, NoToken):
        return None


def _require_sign_in(session: Session, checks: Sequence[Check]) -> None:
    exchange = session.sign_in()
    if exchange.is_refused:
        raise SignInRefused(exchange.came)
    if not any(check.id == "auth.answer" for check in checks):
        try:
            session.token()
        except NoToken as reason:
            raise SignInRefused(str(reason)) from reason
