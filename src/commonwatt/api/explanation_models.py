"""The shapes of explanations and worklists, for the OpenAPI document."""

from typing import Literal

from pydantic import BaseModel, Field

from commonwatt.api.own_models import QualityWord


class ReadingUsed(BaseModel):
    """A reading that the value rests on."""

    register_: str = Field(alias="register", description="Register that carried it.")
    timestamp: str = Field(description="Its instant, UTC.")
    value: float = Field(description="Index, of an interval meter energy [kWh; water m3].")
    quality: Literal["measured", "estimated", "edited"] | None = Field(
        description="As the sender says; edited: somebody set it here."
    )
    serial: str | None = Field(description="Serial number of the device, if it was sent.")
    delivery: int | None = Field(description="Number of the delivery that brought it.")
    account: str | None = Field(description="Account that delivered it.")
    source: str = Field(
        description="How it came; `declared` of an index nobody delivered, `edit N` of an edit."
    )
    recorded_at: str | None = Field(description="When it was recorded, UTC, to the microsecond.")


class BoundaryOf(BaseModel):
    """The index at an end of the quarter-hour."""

    register_: str = Field(alias="register", description="Register of the profile.")
    raw_register: str = Field(description="Register that feeds it.")
    at: str = Field(description="Start or end of the quarter-hour, UTC.")
    index: float | None = Field(description="Index there, before factor and rounding [kWh; m3].")
    exact: str | None = Field(description="The same as a fraction [kWh; m3].")
    factor: str = Field(description="Factor that applies, a decimal.")
    rounded: float | None = Field(description="Factor x index, rounded half up [kWh; m3].")
    quality: QualityWord | None = Field(description="Quality of the index there.")
    method: str | None = Field(description="How it was found: index, linear or shape.")
    readings: list[str] = Field(description="Instants of the readings that it rests on, UTC.")


class FindingTouching(BaseModel):
    """A finding that touches the quarter-hour."""

    id: str = Field(description="Id of the finding.")
    rule: str = Field(description="Id of the rule.")
    register_: str = Field(alias="register", description="Register that is meant.")
    start: str = Field(description="First instant concerned, UTC.")
    end: str = Field(description="Last instant concerned, UTC.")
    evidence: dict[str, int] = Field(description="Numbers in base units.")


class GapFilled(BaseModel):
    """The gap between two readings that the quarter-hour lies in; of a proxy it is open."""

    start: str = Field(description="Reading before it, UTC.")
    end: str | None = Field(description="Reading after it, UTC; null of a proxy.")
    rise: float | None = Field(
        description="What the register counted between them [kWh; m3]; null of a proxy."
    )


class Donor(BaseModel):
    """A measured quarter-hour that compares."""

    start: str = Field(description="Its first instant, UTC.")
    total: float = Field(description="Its energy or volume [kWh; m3].")


class EditMade(BaseModel):
    """The edit that counts."""

    number: int = Field(description="Its number.")
    start: str = Field(description="First edited instant, UTC.")
    end: str = Field(description="Its end, UTC.")
    energy: float | None = Field(description="Energy of the whole span [kWh; m3].")
    reason: str = Field(description="Why.")
    account: str = Field(description="Who made it.")
    made_at: str = Field(description="When, UTC.")


class MethodUsed(BaseModel):
    """How the total was found."""

    name: str | None = Field(
        description="index, interval, rule, linear, shape, proxy, edit or seam."
    )
    gap: GapFilled | None = Field(description="The gap that was filled.")
    weight: int | None = Field(description="Weight of this quarter-hour in the gap.")
    weights: int | None = Field(description="Sum of the weights of the gap.")
    donors: list[Donor] | None = Field(
        description="What the shape of the gap, or the proxy, was taken from."
    )
    edit: EditMade | None = Field(description="The edit that set it.")


class DeviceUsed(BaseModel):
    """The device in the meter's place."""

    serial: str | None = Field(description="Its serial number, as declared or as sent.")
    from_: str | None = Field(alias="from", description="Since when, UTC; null: the beginning.")
    factor: str = Field(description="Factor that applies, a decimal.")
    digits: int | None = Field(description="Digits before the decimal point.")


class RuleOperand(BaseModel):
    """An operand of a rule with its value."""

    sign: Literal["+", "-"] = Field(description="How it counts.")
    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Name of the meter.")
    register_: str | None = Field(alias="register", description="Register that the rule names.")
    value: float | None = Field(description="Its energy or volume [kWh; m3].")
    quality: QualityWord | None = Field(description="Its quality.")
    rule: "RuleUsed | None" = Field(description="Its own rule, if it has one.")


class RuleUsed(BaseModel):
    """The rule of a rule meter."""

    text: str = Field(description="The rule as declared.")
    operands: list[RuleOperand] = Field(description="Its operands.")


def _amount(description: str) -> float | None:
    amount: float | None = Field(description=f"{description} [kWh].")
    return amount


class LackingOf(BaseModel):
    """A register that the books need and that nothing is known of."""

    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Its name.")
    register_: str = Field(alias="register", description="en_im or en_ex.")
    declare: str | None = Field(
        description="What to declare of the meter if it has the register only later; null where "
        "it was read before, or never."
    )


class BooksOfQuarter(BaseModel):
    """The terms of the balance; the closed ones are null while a member is missing."""

    form: Literal["with grid meter", "without grid meter"] = Field(description="Which form holds.")
    mode: Literal["plain", "clamped"] = Field(description="How the books are closed.")
    battery: Literal["last", "first"] = Field(description="Whom the site's own energy serves.")
    quality: QualityWord | None = Field(description="The worst quality of the members.")
    missing: list[str] = Field(description="Ids of the members that are missing.")
    lacking: list[LackingOf] = Field(description="Their registers that nothing is known of.")
    consumed: float | None = _amount("Sum of the consumers")
    grid_import: float | None = _amount("Import of the grid meters")
    grid_export: float | None = _amount("Export of the grid meters")
    produced: float | None = _amount("Sum of the producers")
    conso_total: float | None = _amount("Consumption of the books")
    prod_total: float | None = _amount("Production of the books")
    from_ext: float | None = _amount("Taken from the grid")
    self: float | None = _amount("Consumption from the site's own energy")
    to_ext: float | None = _amount("Fed into the grid")
    storage_charging_self: float | None = _amount("Charged from the site's own energy")
    storage_charging_total: float | None = _amount("Charged, as measured")
    storage_discharging_total: float | None = _amount("Discharged, as measured")
    unmetered: float | None = _amount("Consumption that no meter measured")
    pool: float | None = _amount("What could be shared")
    allocated: float | None = _amount("What was shared")
    unallocated: float | None = _amount("self less what was shared")


class KeyParameters(BaseModel):
    """What is declared of the consumer for the key."""

    share: str | None = Field(description="Its percentage, where the key takes one.")
    priority: int = Field(description="Its priority.")
    producers: dict[str, str | None] = Field(description="Producers it names, with percentages.")


class KeyUsed(BaseModel):
    """The allocation key that held."""

    name: str = Field(description="Name of the key.")
    parameters: KeyParameters = Field(description="What is declared of the consumer.")


class CutOf(BaseModel):
    """A rounding of the key, in Wh."""

    quota: str | None = Field(description="The exact part, a fraction [Wh].")
    before: str | None = Field(description="Quotas of the consumers before it, F_(i-1) [Wh].")
    after: str | None = Field(description="The same with its own, F_i [Wh].")
    dither: float | None = Field(description="u, where the rounding of this quarter-hour starts.")
    rounding: str | None = Field(description="How it was rounded [Wh].")


class CutDetail(CutOf):
    """A rounding of the key with what it was given."""

    given: int = Field(description="What it gave [Wh].")
    weight: int = Field(description="The consumer's weight.")
    numerator: int = Field(description="What was shared.")
    denominator: int = Field(description="Sum of the weights, or what a weight is a part of.")


class ShareOf(CutOf):
    """The consumer's share; quota to rounding are those of the last cut."""

    self: float = Field(description="The share [kWh].")
    used: float = Field(description="What the consumer used [kWh].")
    pool: float | None = Field(
        description="What could be shared among all [kWh]; null where consumers are closed."
    )
    cuts: list[CutDetail] = Field(description="All cuts of the key that concern it, in order.")


class VersionKnown(BaseModel):
    """A value that was answered from an instant on."""

    known_at: str = Field(description="Since when, UTC, to the microsecond: an `as_of`.")
    cause: str = Field(description="What was written then.")
    total: float | None = Field(description="Total that was known [kWh; m3].")
    quality: QualityWord | None = Field(description="Its quality.")
    earlier_writes: int = Field(
        description="Of the first one: how many writes before it were not looked at; else 0."
    )
    generation: int | None = Field(description="The site's change number now, with the last one.")
    locked_until: str | None = Field(description="Until when the group is locked, if it is, UTC.")
    locked_despite: str | None = Field(
        description="Why it was locked although something was to do, if so."
    )


class ExplanationOf(BaseModel):
    """What a quarter-hour rests on; what does not apply is null."""

    meter: str = Field(description="Id of the meter.")
    start: str = Field(description="First instant of the quarter-hour, UTC.")
    total: float | None = Field(description="Energy or volume [kWh; water m3], as in series.")
    self: float | None = Field(description="Share of the site's own energy [kWh], as in series.")
    ext: float | None = Field(description="total less self [kWh].")
    quality_total: QualityWord | None = Field(description="Quality of total.")
    quality_self: QualityWord | None = Field(description="Quality of self and ext.")
    readings: list[ReadingUsed] | None = Field(description="Readings used; null of a rule meter.")
    boundaries: list[BoundaryOf] | None = Field(description="Index at both ends, per register.")
    findings: list[FindingTouching] = Field(description="Findings of the meter that touch it.")
    method: MethodUsed | None = Field(description="How the total was found.")
    accepted: EditMade | None = Field(
        description="Who took it as it is, and why, so that the worklist asks no more."
    )
    device: DeviceUsed | None = Field(description="Device in use; null of a rule meter.")
    rule: RuleUsed | None = Field(description="The rule with its values.")
    balance: BooksOfQuarter | None = Field(description="The site's books; electricity alone.")
    key: KeyUsed | None = Field(description="The key; null of what is no consumer.")
    share: ShareOf | None = Field(description="How the share was cut.")
    versions: list[VersionKnown] = Field(description="Values known over time, the last is today's.")


class TaskRow(BaseModel):
    """Something to do before the period can be locked."""

    kind: str = Field(
        description="missing-meter, missing, missing-register, register-kind, unbalanced, "
        "unmetered, unallocated, unproduced, estimated, or the rule of a finding."
    )
    meter: str | None = Field(description="Id of the meter; null where it concerns the site.")
    start: str = Field(description="First instant concerned, UTC.")
    end: str = Field(description="Last instant concerned, UTC.")
    text: str = Field(description="What is the matter.")
    command: str = Field(description="What resolves it; words in capitals are to be filled in.")
    state: Literal["open", "locked", "accepted"] = Field(
        description="open keeps the period from being locked; the others inform: it was locked so, "
        "or somebody accepted it."
    )
