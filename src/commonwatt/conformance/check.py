"""A check: one clause of the published page and what judges it."""

from collections.abc import Callable
from dataclasses import dataclass

from commonwatt.conformance.asking.session import NoToken
from commonwatt.conformance.judging.verdicts import CannotCheck, Judgement, Outcome, Verdict
from commonwatt.conformance.samples.building import Building


@dataclass(frozen=True, slots=True)
class Check:
    """A clause with its id. ``clause`` is what the page says, ``expected`` what follows from it."""

    id: str
    clause: str
    expected: str
    judge: Callable[[Building], Judgement]

    def run(self, building: Building) -> Verdict:
        """Judge a server; what cannot be seen is not checked. Raises Unreachable, SignInRefused."""
        try:
            judgement = self.judge(building)
        except (CannotCheck, NoToken) as reason:
            judgement = Judgement(Outcome.NOT_CHECKED, str(reason))
        return Verdict(
            id=self.id,
            clause=self.clause,
            expected=self.expected,
            outcome=judgement.outcome,
            seen=judgement.seen,
            sent=tuple(each.sent for each in judgement.exchanges),
            came=tuple(each.came for each in judgement.exchanges),
            habit=judgement.habit,
        )
