"""What resolves a task: a use case and its arguments.

An argument that is None is for the operator to fill in.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from commonwatt.domain.metering.catalogue import ResolutionKind


@dataclass(frozen=True, slots=True)
class ApplyDeclaration:
    """Declare the site anew."""


@dataclass(frozen=True, slots=True)
class ImportReadings:
    """Import readings of a meter."""

    meter_id: str | None


@dataclass(frozen=True, slots=True)
class ResolveFinding:
    """Say what a finding was."""

    finding: str
    kind: ResolutionKind | None = None


@dataclass(frozen=True, slots=True)
class DeclareExchange:
    """Declare that the device was exchanged, with the index [kWh, m3] before and after it."""

    meter_id: str
    at: int
    register: str
    index_before: Decimal
    index_after: Decimal


@dataclass(frozen=True, slots=True)
class EditQuarters:
    """Set the energy [kWh, m3] of the quarter-hours of [start, end) [Unix seconds]."""

    meter_id: str
    start_at: int
    end_at: int
    energy: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AcceptQuarters:
    """Take the quarter-hours of [start, end) [Unix seconds] as they are."""

    meter_id: str
    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True)
class AcceptDelivery:
    """Use the rows of a delivery that are held back."""

    number: int | None
    meter_id: str
    site_id: str


@dataclass(frozen=True, slots=True)
class UndoEdit:
    """Let an edit count no more."""

    number: int
    site_id: str


Action: TypeAlias = (
    ApplyDeclaration
    | ImportReadings
    | ResolveFinding
    | DeclareExchange
    | EditQuarters
    | AcceptQuarters
    | AcceptDelivery
    | UndoEdit
)
