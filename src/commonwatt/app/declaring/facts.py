"""What a declaration says of fields, and facts that hold from an instant on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from commonwatt.app.declaring.declaration import NotSaid
from commonwatt.domain.metering.catalogue import MeterFacts, SiteFacts
from commonwatt.domain.metering.quarter_hours import QUARTER_S, quarter_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
F = TypeVar("F", MeterFacts, SiteFacts)


def said_of(declared: object, names: Iterable[str]) -> dict[str, object]:
    """Return the named fields of a declaration that it says."""
    values = {name: getattr(declared, name) for name in names}
    return {name: value for name, value in values.items() if not isinstance(value, NotSaid)}


def updated(value: T, fields: Mapping[str, object]) -> T:
    """Return a value with other contents of some fields."""
    return replace(value, **fields)


def effective_from(declared_at: int | NotSaid, now_at: int) -> int:
    """Return from when a change holds: as declared, else now; rounded down to a quarter-hour.

    >>> effective_from(1_000, now_at=5_000)
    900
    """
    instant_at = now_at if isinstance(declared_at, NotSaid) else declared_at
    return max(quarter_of(instant_at) * QUARTER_S, 0)


def facts_from(facts: Sequence[F], from_at: int, change: Callable[[F], F]) -> tuple[F, ...]:
    """Return the facts with a change made to all of them from ``from_at`` on.

    The facts that hold at that instant are split there; neighbours that say the same become one, so
    that the same change made twice is made once.

    >>> first = SiteFacts(valid_from=0, valid_to=None)
    >>> later = facts_from([first], 900, lambda facts: replace(facts, key="equal"))
    >>> [(facts.valid_from, facts.valid_to, facts.key) for facts in later]
    [(0, 900, 'pro_rata'), (900, None, 'equal')]
    """
    rows: list[F] = []
    for each in facts:
        if each.valid_to is not None and each.valid_to <= from_at:
            rows.append(each)
        elif each.valid_from >= from_at:
            rows.append(change(each))
        else:
            rows += [replace(each, valid_to=from_at), change(replace(each, valid_from=from_at))]
    joined = rows[:1]
    for row in rows[1:]:
        last = joined[-1]
        if replace(row, valid_from=last.valid_from, valid_to=last.valid_to) == last:
            joined[-1] = replace(last, valid_to=row.valid_to)
        else:
            joined.append(row)
    return tuple(joined)
