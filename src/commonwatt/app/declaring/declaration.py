"""What a declaration says of a site, its meters and its sensors.

A declaration creates or updates, and nothing changes by omission: a field that it does not name is
NOT_SAID, which is not None (``rule: null`` takes a rule away). Instants are Unix seconds.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal

from commonwatt.app.errors import CommonwattError
from commonwatt.domain.metering.catalogue import (
    BalanceMode,
    BatteryOrder,
    Device,
    Medium,
    Mode,
    Register,
    RegisterKind,
)


class NotSaid(Enum):
    """The type of NOT_SAID."""

    NOT_SAID = "not said"


NOT_SAID: Final[Literal[NotSaid.NOT_SAID]] = NotSaid.NOT_SAID
"""Stands where a declaration does not name a field: leave it as it is, or at its default."""


@dataclass(frozen=True, slots=True)
class DeclarationFault:
    """One thing wrong with a declaration: its line from 1, the key, and what would be right."""

    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: {self.reason}"


class InvalidDeclaration(CommonwattError):
    """A declaration that cannot be applied; ``faults`` are all that was found, by line."""

    def __init__(self, faults: Sequence[DeclarationFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDeclaration:
    """A meter as declared; known by id, else (medium, prim_ad), else name.

    line: where it stands in its file. interval_s: the length of its intervals in seconds.
    installed_index: of the main register, or by raw register [kWh, m3, up to 6 decimals].
    valid_from: from when the other facts hold. registers: for a register of the profile the raw one
    that is wired to it. share: a percentage, 0 to 100, that the allocation key reads. producers:
    those that a consumer names, as a rule does, each with a percentage or None. max_per_hour: the
    most that can flow in an hour [Wh, litre]. factor: multiplies the index.
    devices: all that were in the meter's place, in order. register_meter: whose register the sums
    of this interval meter are checked against, named as a rule names it. register_from: from when
    the meter has a register of the profile [Unix seconds]. expected_s: how far apart readings are
    expected to be [s]. register_kind: what a fall of the index
    of an index meter means.
    """

    line: int
    name: str
    medium: Medium
    mode: Mode
    id: str | NotSaid = NOT_SAID
    prim_ad: int | NotSaid = NOT_SAID
    interval_s: int | NotSaid | None = NOT_SAID
    installed_at: int | NotSaid | None = NOT_SAID
    installed_index: Decimal | Mapping[Register, Decimal] | NotSaid = NOT_SAID
    removed_at: int | NotSaid | None = NOT_SAID
    valid_from: int | NotSaid = NOT_SAID
    enabled: bool | NotSaid = NOT_SAID
    balance: bool | NotSaid = NOT_SAID
    isolated: bool | NotSaid = NOT_SAID
    priority: int | NotSaid = NOT_SAID
    factor: Decimal | NotSaid = NOT_SAID
    share: Decimal | NotSaid | None = NOT_SAID
    producers: Mapping[str, Decimal | None] | NotSaid = NOT_SAID
    max_per_hour: int | NotSaid | None = NOT_SAID
    rule: str | NotSaid | None = NOT_SAID
    registers: Mapping[Register, Register] | NotSaid = NOT_SAID
    devices: tuple[Device, ...] | NotSaid = NOT_SAID
    register_meter: str | NotSaid | None = NOT_SAID
    register_from: Mapping[Register, int] | NotSaid = NOT_SAID
    register_kind: RegisterKind | NotSaid = NOT_SAID
    expected_s: int | NotSaid | None = NOT_SAID


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorDeclaration:
    """A sensor as declared; known by id, else name."""

    line: int
    name: str
    id: str | NotSaid = NOT_SAID
    type: str | NotSaid = NOT_SAID
    unit: str | NotSaid = NOT_SAID
    model: str | NotSaid = NOT_SAID


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDeclaration:
    """A site as declared, with its meters and sensors; known by id, else site_ref.

    At least one of ``id`` and ``site_ref`` is said. creation_date: an ISO date. latitude and
    longitude: degrees. balance, key, battery, connection_w [W]: of its electricity; they and
    proxy_days hold from ``valid_from`` on.
    """

    line: int
    name: str
    timezone: str
    id: str | NotSaid = NOT_SAID
    site_ref: str | NotSaid = NOT_SAID
    street_name: str | NotSaid | None = NOT_SAID
    street_number: str | NotSaid | None = NOT_SAID
    city: str | NotSaid | None = NOT_SAID
    postal_code: str | NotSaid | None = NOT_SAID
    creation_date: str | NotSaid | None = NOT_SAID
    latitude: float | NotSaid | None = NOT_SAID
    longitude: float | NotSaid | None = NOT_SAID
    balance: BalanceMode | NotSaid = NOT_SAID
    key: str | NotSaid = NOT_SAID
    battery: BatteryOrder | NotSaid = NOT_SAID
    connection_w: int | NotSaid | None = NOT_SAID
    proxy_days: bool | NotSaid = NOT_SAID
    valid_from: int | NotSaid = NOT_SAID
    meters: tuple[MeterDeclaration, ...] = ()
    sensors: tuple[SensorDeclaration, ...] = ()


def new_id(now_at: int) -> str:
    """Return an id that nothing has, made at an instant [Unix seconds].

    >>> len(new_id(1_700_000_000)), new_id(1_700_000_000)[:8]
    (24, '6553f100')
    """
    return f"{now_at & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"
