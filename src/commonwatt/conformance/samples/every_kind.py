"""Judging a clause on every kind of meter that a site has: every type and mode, rule meters too."""

from collections.abc import Callable

from commonwatt.conformance.judging.verdicts import CannotCheck, Judgement, Outcome
from commonwatt.conformance.samples.building import Building

Judge = Callable[[Building], Judgement]
_WORST = (Outcome.FAILED, Outcome.HABIT, Outcome.HELD)


def on_every_kind(judge: Judge) -> Judge:
    """Judge once for each kind of meter; the worst counts, and it says of which kinds it was seen.

    Not checked where no kind can show it.
    """

    def judged(building: Building) -> Judgement:
        found: dict[str, Judgement] = {}
        reasons: list[CannotCheck] = []
        for each in building.kinds:
            try:
                found[each.kind] = judge(each)
            except CannotCheck as reason:
                reasons.append(reason)
        if not found:
            raise reasons[0]
        outcome = next(o for o in _WORST if any(each.outcome is o for each in found.values()))
        kinds = [kind for kind, each in found.items() if each.outcome is outcome]
        worst = found[kinds[0]]
        left_out = building.kinds_left_out
        more = f"; {left_out} kinds of meters were left out" if left_out else ""
        seen = f"{worst.seen} ({'; '.join(kinds)}{more})"
        return Judgement(outcome, seen, worst.exchanges, worst.habit)

    return judged


def of_route(route: str, judge: Judge) -> Judge:
    """The judge of an endpoint: of those of meters on every kind."""
    return on_every_kind(judge) if route.startswith("meter_data") else judge
