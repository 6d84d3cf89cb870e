"""What a check can find: held, failed, a known habit, or not checked."""

from dataclasses import dataclass
from enum import StrEnum

from commonwatt.conformance.asking.exchanges import Exchange


class Outcome(StrEnum):
    """How a check ended. A habit that is not accepted is told as failed."""

    HELD = "held"
    FAILED = "failed"
    HABIT = "habit"
    NOT_CHECKED = "not checked"


class Habit(StrEnum):
    """Departures from the published page that the live service is known or believed to have."""

    NO_VALID_UNTIL = "the token comes without its end, as in 2019"
    BARE_IDS = "sites are listed as bare ids, as in 2022"
    OLD_ADDRESS = "the address has city_name and city_ref, as in 2022"
    OLD_METERS = "meters come without name or mode, or with virtual, as in 2022"
    PRIM_AD_TEXT = "prim_ad is a text, as in 2022"
    NAIVE_STAMPS = "stamps have no offset; they are read as the site's local time"
    TEXT_STAMPS = "stamps of sensors are texts"
    LOCAL_TIMES = "times asked for without a zone are read as the site's local time"
    OPEN_EDGES = "which rows on the edges of a period are answered; the page does not say it"
    UNROUNDED = "values are not rounded, as in 2022"
    ROUNDED_APART = "each value is rounded for itself, so sums differ in the last decimal"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check saw; ``exchanges`` are the requests and answers that show it best."""

    outcome: Outcome
    seen: str
    exchanges: tuple[Exchange, ...] = ()
    habit: Habit | None = None


class CannotCheck(Exception):
    """The data at hand cannot show whether the clause holds; the message says why."""


def held(seen: str, *exchanges: Exchange) -> Judgement:
    """The clause held in what was seen."""
    return Judgement(Outcome.HELD, seen, exchanges)


def failed(seen: str, *exchanges: Exchange) -> Judgement:
    """The clause is broken by what was seen."""
    return Judgement(Outcome.FAILED, seen, exchanges)


def departs(habit: Habit, seen: str, *exchanges: Exchange) -> Judgement:
    """What was seen departs from the page in a way that is known of the live service."""
    return Judgement(Outcome.HABIT, seen, exchanges, habit)


def judged(fault: str | None, seen: str, *exchanges: Exchange) -> Judgement:
    """Failed where there is a fault, else held."""
    return held(seen, *exchanges) if fault is None else failed(fault, *exchanges)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check with its outcome, as reports tell it."""

    id: str
    clause: str
    expected: str
    outcome: Outcome
    seen: str
    sent: tuple[str, ...]
    came: tuple[str, ...]
    habit: Habit | None
