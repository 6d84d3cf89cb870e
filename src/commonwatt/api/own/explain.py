"""Why a quarter-hour is what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from pydantic import Field

from commonwatt.api import example_ids
from commonwatt.api.endpoint.endpoint import (
    Endpoint,
    RequestContext,
    RequestData,
    always_costly,
    never_quick,
    respond,
)
from commonwatt.api.endpoint.fields import QualityWord, RequiredTime, kwh, quality_word
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.endpoint.models import Answer, Query, read_query, to_json
from commonwatt.api.endpoint.operation import LIMITED, OF_METER, READING, SITE_PATH, Operation
from commonwatt.api.endpoint.windows import quarters_within
from commonwatt.api.http.problems import InvalidInput
from commonwatt.api.own.explain_balance import (
    BalanceOfQuarter,
    KeyUsed,
    ShareOf,
    balance_of,
    fraction_text,
    key_of,
    share_of,
)
from commonwatt.app.accounts.scope import WHOLE, AccessScope
from commonwatt.app.findings.explain import Explanation, explain_quarter
from commonwatt.app.findings.quarter_versions import Version
from commonwatt.app.findings.used_readings import UsedReading
from commonwatt.domain.explanation.boundaries import Boundary
from commonwatt.domain.explanation.estimate import Estimate
from commonwatt.domain.explanation.rule_tree import OperandValue, RuleTree
from commonwatt.domain.metering.catalogue import Medium, Meter, SiteCatalogue
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.findings import Finding, finding_id
from commonwatt.domain.metering.quality import Method, Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S, quarter_of
from commonwatt.formats.stamps.instants import utc_text

_PATH = f"{SITE_PATH}/explain"
_RAW = 1_000_000
"""mWh per kWh, ml per m3."""


class ExplainQuery(Query):
    """Which quarter-hour."""

    meter: str = Field(description="Id of the meter.", examples=[example_ids.METER])
    at: RequiredTime = Field(
        description="An instant of the quarter-hour, ISO 8601; without a zone UTC."
    )


class ReadingUsed(Answer):
    """A reading that the value rests on."""

    register_: str = Field(serialization_alias="register", description="Register that carried it.")
    timestamp: str = Field(description="Its instant, UTC.")
    value: float = Field(description="Index, of an interval meter energy [kWh; water m3].")
    quality: str | None = Field(
        description="measured or estimated, as the sender says; edited: somebody set it here."
    )
    serial: str | None = Field(description="Serial number of the device, if it was sent.")
    delivery: int | None = Field(description="Number of the delivery that brought it.")
    account: str | None = Field(description="Account that delivered it.")
    source: str = Field(
        description="How it came; `declared` of an index nobody delivered, `edit N` of an edit."
    )
    recorded_at: str | None = Field(description="When it was recorded, UTC, to the microsecond.")


class BoundaryOf(Answer):
    """The index at an end of the quarter-hour."""

    register_: str = Field(serialization_alias="register", description="Register of the profile.")
    raw_register: str = Field(description="Register that feeds it.")
    at: str = Field(description="Start or end of the quarter-hour, UTC.")
    index: float | None = Field(description="Index there, before factor and rounding [kWh; m3].")
    exact: str | None = Field(description="The same as a fraction [kWh; m3].")
    factor: str = Field(description="Factor that applies, a decimal.")
    rounded: float | None = Field(description="Factor x index, rounded half up [kWh; m3].")
    quality: QualityWord | None = Field(description="Quality of the index there.")
    method: str | None = Field(description="How it was found: index, linear or shape.")
    readings: list[str] = Field(description="Instants of the readings that it rests on, UTC.")


class FindingTouching(Answer):
    """A finding that touches the quarter-hour."""

    id: str = Field(description="Id of the finding.")
    rule: str = Field(description="Id of the rule.")
    register_: str = Field(serialization_alias="register", description="Register that is meant.")
    start: str = Field(description="First instant concerned, UTC.")
    end: str = Field(description="Last instant concerned, UTC.")
    evidence: dict[str, int] = Field(description="Numbers in base units.")


class GapFilled(Answer):
    """The gap between two readings that the quarter-hour lies in; of a proxy it is open."""

    start: str = Field(description="Reading before it, UTC.")
    end: str | None = Field(description="Reading after it, UTC; null of a proxy.")
    rise: float | None = Field(
        description="What the register counted between them [kWh; m3]; null of a proxy."
    )


class ReferenceQuarter(Answer):
    """A measured quarter-hour that compares."""

    start: str = Field(description="Its first instant, UTC.")
    total: float = Field(description="Its energy or volume [kWh; m3].")


class EditMade(Answer):
    """The edit that counts."""

    number: int = Field(description="Its number.")
    start: str = Field(description="First edited instant, UTC.")
    end: str = Field(description="Its end, UTC.")
    energy: float | None = Field(description="Energy of the whole span [kWh; m3].")
    reason: str = Field(description="Why.")
    account: str = Field(description="Who made it.")
    made_at: str = Field(description="When, UTC.")


class MethodUsed(Answer):
    """How the total was found."""

    name: str | None = Field(
        description="index, interval, rule, linear, shape, proxy, edit or seam."
    )
    gap: GapFilled | None = Field(default=None, description="The gap that was filled.")
    weight: int | None = Field(default=None, description="Weight of this quarter-hour in the gap.")
    weights: int | None = Field(default=None, description="Sum of the weights of the gap.")
    donors: list[ReferenceQuarter] | None = Field(
        default=None, description="What the shape of the gap, or the proxy, was taken from."
    )
    edit: EditMade | None = Field(description="The edit that set it.")


class DeviceUsed(Answer):
    """The device in the meter's place."""

    serial: str | None = Field(description="Its serial number, as declared or as sent.")
    from_: str | None = Field(
        serialization_alias="from", description="Since when, UTC; null: the beginning."
    )
    factor: str = Field(description="Factor that applies, a decimal.")
    digits: int | None = Field(description="Digits before the decimal point.")


class RuleOperand(Answer):
    """An operand of a rule with its value."""

    sign: Literal["+", "-"] = Field(description="How it counts.")
    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Name of the meter.")
    register_: str | None = Field(
        serialization_alias="register", description="Register that the rule names."
    )
    value: float | None = Field(description="Its energy or volume [kWh; m3].")
    quality: QualityWord | None = Field(description="Its quality.")
    rule: "RuleUsed | None" = Field(description="Its own rule, if it has one.")


class RuleUsed(Answer):
    """The rule of a rule meter."""

    text: str = Field(description="The rule as declared.")
    operands: list[RuleOperand] = Field(description="Its operands.")


class VersionKnown(Answer):
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


class ExplanationOf(Answer):
    """What a quarter-hour rests on; what does not apply is null."""

    meter: str = Field(description="Id of the meter.")
    start: str = Field(description="First instant of the quarter-hour, UTC.")
    total: float | None = Field(description="Energy or volume [kWh; water m3], as in series.")
    self_: float | None = Field(
        serialization_alias="self",
        description="Share of the site's own energy [kWh], as in series.",
    )
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
    balance: BalanceOfQuarter | None = Field(description="The site's balance; electricity alone.")
    key: KeyUsed | None = Field(description="The key; null of what is no consumer.")
    share: ShareOf | None = Field(description="How the share was cut.")
    versions: list[VersionKnown] = Field(description="Values known over time, the last is today's.")


def explanation_answer(
    explained: Explanation, catalogue: SiteCatalogue, scope: AccessScope = WHOLE
) -> ExplanationOf:
    """Write an explanation.

    Of meters that are out of sight nothing is told but their names in a rule, and of times that
    are no reading, reference day or date of a device. Totals of the site are told where sight tells
    them; how they were shared out, step by step, would tell of closed meters one by one.
    """
    answered, balance = explained.answered, explained.balance
    hidden_before_at = scope.history_from or 0
    medium = Medium(explained.meter.medium.group.value)
    all_open = not scope.closed_consumers(catalogue, medium)
    known = bool(exists(answered.quality_total)[0])
    quality_self = answered.quality_self
    has_share = quality_self is not None and bool(exists(quality_self)[0])
    own, ext = answered.self_energy, answered.ext
    is_physical = explained.facts.rule is None
    return ExplanationOf(
        meter=explained.meter.id,
        start=utc_text(explained.quarter * QUARTER_S),
        total=kwh(int(answered.total[0])) if known else None,
        self_=kwh(int(own[0])) if has_share and own is not None else None,
        ext=kwh(int(ext[0])) if has_share and ext is not None else None,
        quality_total=quality_word(Quality(int(answered.quality_total[0]))),
        quality_self=None if quality_self is None else quality_word(Quality(int(quality_self[0]))),
        readings=_readings(explained.readings, hidden_before_at) if is_physical else None,
        boundaries=[_boundary(each, hidden_before_at) for each in explained.boundaries] or None,
        findings=[_finding(catalogue, each) for each in explained.findings],
        method=_method(explained, hidden_before_at) if known else None,
        accepted=None if explained.accepted is None else _edit(explained.accepted),
        device=_device(explained, scope) if is_physical else None,
        rule=_rule(explained.rule, explained.facts.main_is_export, scope),
        balance=balance_of(explained, balance, catalogue, scope, all_open)
        if balance is not None and scope.tells_totals(catalogue, medium)
        else None,
        key=key_of(explained, balance),
        share=None
        if balance is None or balance.share is None
        else share_of(balance.share, all_open),
        versions=[_version(each, explained, scope) for each in explained.versions],
    )


def _known_at(instant_us: int) -> str:
    instant = datetime.fromtimestamp(instant_us // 1_000_000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_us % 1_000_000:06}Z"


def _readings(readings: Sequence[UsedReading], hidden_before_at: int) -> list[ReadingUsed]:
    return [_reading(each) for each in readings if each.at >= hidden_before_at]


def _reading(used: UsedReading) -> ReadingUsed:
    delivery = used.delivery
    return ReadingUsed(
        register_=used.register.value,
        timestamp=utc_text(used.at),
        value=used.value / _RAW,
        quality=None if used.quality is None else used.quality.name.lower(),
        serial=used.serial,
        delivery=None if delivery is None else delivery.number,
        account=None if delivery is None else delivery.account,
        source="declared" if delivery is None else delivery.source,
        recorded_at=None if delivery is None else _known_at(delivery.recorded_us),
    )


def _boundary(boundary: Boundary, hidden_before_at: int) -> BoundaryOf:
    index, rounded = boundary.index, boundary.rounded
    return BoundaryOf(
        register_=boundary.register.value,
        raw_register=boundary.raw_register.value,
        at=utc_text(boundary.at),
        index=None if index is None else float(index / _RAW),
        exact=None if index is None else fraction_text(index / _RAW),
        factor=str(boundary.factor),
        rounded=None if rounded is None else kwh(rounded),
        quality=quality_word(boundary.quality),
        method=boundary.method.name.lower() if boundary.method else None,
        readings=[
            utc_text(support.at) for support in boundary.around if support.at >= hidden_before_at
        ],
    )


def _finding(catalogue: SiteCatalogue, finding: Finding) -> FindingTouching:
    meter = next(each for each in catalogue.meters if each.number == finding.meter)
    return FindingTouching(
        id=finding_id(catalogue.site.id, meter.id, finding),
        rule=finding.rule.value,
        register_=finding.register,
        start=utc_text(finding.start_at),
        end=utc_text(finding.end_at),
        evidence=dict(finding.evidence),
    )


def _method(explained: Explanation, hidden_before_at: int) -> MethodUsed:
    method, estimate = explained.answered.method, explained.estimate
    code = Method(0 if method is None else int(method[0]))
    edits = [each for each in explained.edits if each.undone_us is None]
    used = MethodUsed(
        name=code.name.lower() if code else None,
        edit=_edit(edits[-1]) if edits and code is Method.EDIT else None,
    )
    return used if estimate is None else _with_estimate(used, estimate, hidden_before_at)


def _with_estimate(used: MethodUsed, estimate: Estimate, hidden_before_at: int) -> MethodUsed:
    reference = estimate.reference_days
    # The weights are those of the reference days: of hidden ones they would tell.
    hides_reference = reference is not None and bool(
        (reference.quarters * QUARTER_S < hidden_before_at).any()
    )
    return used.model_copy(
        update={
            "gap": _gap(estimate, hidden_before_at),
            "weight": None if hides_reference else estimate.weight,
            "weights": None if hides_reference else estimate.weights,
            "donors": None
            if reference is None
            else [
                ReferenceQuarter(start=utc_text(quarter * QUARTER_S), total=kwh(energy))
                for quarter, energy in zip(
                    reference.quarters.tolist(), reference.energy.tolist(), strict=True
                )
                if quarter * QUARTER_S >= hidden_before_at
            ],
        }
    )


def _gap(estimate: Estimate, hidden_before_at: int) -> GapFilled | None:
    """The gap; what was counted before the history is not told within a gap either."""
    if estimate.start_at < hidden_before_at:
        return None
    end_at, rise = estimate.end_at, estimate.rise
    return GapFilled(
        start=utc_text(estimate.start_at),
        end=None if end_at is None else utc_text(end_at),
        rise=None if rise is None else rise / _RAW,
    )


def _edit(edit: Edit) -> EditMade:
    return EditMade(
        number=edit.number,
        start=utc_text(edit.start_at),
        end=utc_text(edit.end_at),
        energy=None if edit.energy is None else kwh(edit.energy),
        reason=edit.reason,
        account=edit.account,
        made_at=_known_at(edit.made_us),
    )


def _device(explained: Explanation, scope: AccessScope) -> DeviceUsed:
    device = explained.device
    serials = [each.serial for each in explained.readings if each.serial]
    factor = explained.facts.factor
    if device is None:
        serial = serials[-1] if serials else None
        return DeviceUsed(serial=serial, from_=None, factor=str(factor), digits=None)
    is_told = device.from_at is not None and scope.since(device.from_at)
    return DeviceUsed(
        serial=device.serial,
        from_=utc_text(device.from_at) if is_told and device.from_at is not None else None,
        factor=str(factor if device.factor is None else device.factor),
        digits=device.digits,
    )


def _rule(rule: RuleTree | None, main_is_export: bool, scope: AccessScope) -> RuleUsed | None:
    if rule is None:
        return None
    operands = [_operand(each, main_is_export, scope) for each in rule.operands]
    return RuleUsed(text=rule.text, operands=operands)


def _operand(operand: OperandValue, main_is_export: bool, scope: AccessScope) -> RuleOperand:
    is_export = main_is_export if operand.register is None else operand.register.value == "en_ex"
    is_told = scope.opens(operand.meter) and operand.contributes
    value = (operand.ex if is_export else operand.im) if is_told else None
    energy = None if value is None else value.energy
    return RuleOperand(
        sign="+" if operand.sign > 0 else "-",
        meter=operand.meter.id,
        name=operand.meter.name,
        register_=None if operand.register is None else operand.register.value,
        value=None if energy is None else kwh(energy),
        quality=None if value is None else quality_word(value.quality),
        rule=_rule(operand.rule, is_export, scope) if is_told else None,
    )


def _version(version: Version, explained: Explanation, scope: AccessScope) -> VersionKnown:
    is_last = version is explained.versions[-1]
    until_at = explained.locked_until_at
    is_locked = until_at is not None and explained.quarter * QUARTER_S < until_at
    return VersionKnown(
        known_at=_known_at(version.known_us),
        cause=version.cause,
        total=None if version.total is None else kwh(version.total),
        quality=quality_word(version.quality),
        earlier_writes=version.earlier_writes,
        generation=explained.generation if is_last and scope.is_whole else None,
        locked_until=utc_text(until_at) if is_last and is_locked and until_at else None,
        locked_despite=explained.locked_despite if is_last and scope.is_whole else None,
    )


@dataclass(frozen=True, slots=True)
class WantedQuarter:
    """A quarter-hour of a meter."""

    meter: Meter
    quarter: int


def parse_explain(context: RequestContext, sent: RequestData) -> WantedQuarter:
    """Read a request for an explanation: which meter, and an instant of the quarter-hour."""
    query = read_query(ExplainQuery, sent.query)
    quarter = quarter_of(query.at)
    window = quarters_within(
        quarter * QUARTER_S, (quarter + 1) * QUARTER_S, context.site, context.now
    )
    if not window.length:
        raise InvalidInput("at", "the account sees no quarter-hour at that instant")
    return WantedQuarter(open_meter(context, query.meter), quarter)


def answer_explain(context: RequestContext, wanted: WantedQuarter) -> bytes:
    """Answer the explanation; nothing of closed meters, nor of before the account's history."""
    scope = context.site.scope
    explained = explain_quarter(
        context.snapshot, context.catalogue, wanted.meter, wanted.quarter, scope
    )
    return to_json(explanation_answer(explained, context.catalogue, scope))


EXPLAIN = Endpoint(
    route=_PATH,
    parse=parse_explain,
    answer=answer_explain,
    is_quick=never_quick,
    is_costly=always_costly,
)
OPERATIONS = (
    Operation(
        name="explain",
        method="GET",
        path=_PATH,
        respond=partial(respond, endpoint=EXPLAIN),
        summary="Why a quarter-hour is what it is",
        description="The readings, boundary indexes, findings, method, device, rule, balance, key "
        "and share behind one quarter-hour of a meter, and its versions." + LIMITED,
        query=ExplainQuery,
        answer=ExplanationOf,
        answered="The explanation.",
        example={
            "meter": example_ids.METER,
            "start": "2026-03-22T04:15:00Z",
            "total": 0.029,
            "self": 0.01,
            "ext": 0.019,
            "quality_total": "measured",
            "quality_self": "measured",
            "readings": [],
            "boundaries": None,
            "findings": [],
            "method": None,
            "accepted": None,
            "device": None,
            "rule": None,
            "balance": None,
            "key": None,
            "share": None,
            "versions": [],
        },
        problems=(*READING, *OF_METER),
    ),
)
