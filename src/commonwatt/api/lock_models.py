"""The shapes of locks and differences, for the OpenAPI document."""

from typing import Literal

from pydantic import BaseModel, Field

from commonwatt.api.documentation import Fragment


class LockStepRow(BaseModel):
    """A step of locking."""

    until: str = Field(description="Results before it are frozen, UTC.")
    content_hash: str = Field(
        description="SHA-256 of what the step froze and of the hash of the step before, in hex."
    )
    locked_at: str = Field(description="When it was locked, UTC.")
    by: str = Field(description="Account that locked it.")


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


_UNTIL: Fragment = {
    "type": "string",
    "description": "ISO 8601, on a quarter-hour; naive is UTC.",
}
LOCK_BODY: Fragment = {
    "type": "object",
    "properties": {"until": _UNTIL},
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
