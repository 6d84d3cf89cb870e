"""The shapes of locks and differences, for the OpenAPI document."""

from typing import Literal

from pydantic import BaseModel, Field

from commonwatt.api.http.documentation import Fragment


class LockStepRow(BaseModel):
    """A step of locking."""

    until: str = Field(description="Results before it are frozen, UTC.")
    content_hash: str | None = Field(
        description="SHA-256 of what the step froze and of the hash of the step before, in hex; "
        "null for who sees a part of the site."
    )
    locked_at: str = Field(description="When it was locked, UTC.")
    by: str = Field(description="Account that locked it.")
    despite: str | None = Field(
        description="Why it was locked although something was to do; null where nothing was, and "
        "for who sees a part of the site."
    )


class LockRow(LockStepRow):
    """The lock of a group: its last step, and all of them."""

    group: str = Field(description="Meters that settle together.")
    steps: list[LockStepRow] = Field(description="All steps, the first one first.")


class DifferenceRow(BaseModel):
    """What a correction would change of a locked quarter-hour [kWh; water m3]."""

    meter: str = Field(description="Id of the meter.")
    start: str = Field(description="Start of the quarter-hour, UTC.")
    column: Literal["total", "self", "ext"] = Field(description="Which value differs.")
    locked: float | None = Field(description="What is answered; null where nothing was known.")
    current: float | None = Field(description="What would be answered without the lock.")
    difference: float = Field(description="current less locked; what is unknown counts as 0.")
    cause: Literal["correction", "rules"] = Field(
        description="A correction, or an upgrade's rules alone, which is no reason to bill."
    )


_UNTIL: Fragment = {
    "type": "string",
    "description": "ISO 8601, on a quarter-hour; naive is UTC.",
}
LOCK_BODY: Fragment = {
    "type": "object",
    "properties": {
        "until": _UNTIL,
        "despite": {
            "type": "string",
            "description": "Why it is locked although something is to do; kept with the lock.",
        },
    },
    "required": ["until"],
}
UNLOCK_BODY: Fragment = {
    "type": "object",
    "properties": {
        "until": _UNTIL,
        "reason": {"type": "string", "description": "Why; kept in the audit trail."},
    },
    "required": ["until", "reason"],
}
