"""The explanation of a quarter-hour as an object of JSON: what does not apply is null."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from commonwatt.app.accounts.sight import WHOLE, Sight
from commonwatt.app.findings.explain import Explanation
from commonwatt.app.findings.quarter_versions import Version
from commonwatt.app.findings.used_readings import UsedReading
from commonwatt.domain.allocation import KEYS, ShareMeaning
from commonwatt.domain.explanation.books import Cut, QuarterBooks, SharedOut
from commonwatt.domain.explanation.boundaries import Boundary
from commonwatt.domain.explanation.estimate import Estimate
from commonwatt.domain.explanation.rule_tree import OperandValue, RegisterValue, RuleTree
from commonwatt.domain.metering.catalogue import Medium, SiteCatalogue
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.findings import Finding, finding_id
from commonwatt.domain.metering.quality import Method, Quality, exists
from commonwatt.domain.metering.quarter_hours import QUARTER_S
from commonwatt.formats.stamps.instants import utc_text

# What JSON holds.
Json = dict[str, Any]
_RAW = 1_000_000
_CLOSED = (
    *("conso_total", "prod_total", "from_ext", "self", "to_ext", "storage_charging_self"),
    *("storage_charging_total", "storage_discharging_total", "unmetered", "pool", "allocated"),
    "unallocated",
)
"""Amounts that only closed books have."""
_FLOWS = ("consumed", "grid_import", "grid_export", "produced")
_DITHER = 1 << 32


def explanation_object(
    explained: Explanation, catalogue: SiteCatalogue, sight: Sight = WHOLE
) -> Json:
    """Write an explanation.

    Of meters that are out of sight nothing is told but their names in a rule, and of times that
    are no reading, donor or date of a device. Totals of the site are told where sight tells them;
    how they were shared out, step by step, would tell of closed meters one by one.
    """
    answered, books = explained.answered, explained.books
    hidden_before_at = sight.history_from or 0
    medium = Medium(explained.meter.medium.group.value)
    tells_totals = sight.tells_totals(catalogue, medium)
    all_open = not sight.closed_consumers(catalogue, medium)
    known = bool(exists(answered.quality_total)[0])
    quality_self = answered.quality_self
    has_share = quality_self is not None and bool(exists(quality_self)[0])
    own, ext = answered.self_energy, answered.ext
    is_physical = explained.facts.rule is None
    return {
        "meter": explained.meter.id,
        "start": utc_text(explained.quarter * QUARTER_S),
        "total": _kwh(int(answered.total[0])) if known else None,
        "self": _kwh(int(own[0])) if has_share and own is not None else None,
        "ext": _kwh(int(ext[0])) if has_share and ext is not None else None,
        "quality_total": _word(Quality(int(answered.quality_total[0]))),
        "quality_self": None if quality_self is None else _word(Quality(int(quality_self[0]))),
        "readings": [_reading(each) for each in explained.readings if each.at >= hidden_before_at]
        if is_physical
        else None,
        "boundaries": [_boundary(each, hidden_before_at) for each in explained.boundaries] or None,
        "findings": [_finding(catalogue, each) for each in explained.findings],
        "method": _method(explained, hidden_before_at) if known else None,
        "accepted": None if explained.accepted is None else _edit(explained.accepted),
        "device": _device(explained, sight) if is_physical else None,
        "rule": _rule(explained.rule, explained.facts.main_is_export, sight),
        "balance": _balance(explained, books, catalogue, sight, all_open)
        if books is not None and tells_totals
        else None,
        "key": _key(explained, books),
        "share": None if books is None or books.share is None else _share(books.share, all_open),
        "versions": [_version(each, explained, sight) for each in explained.versions],
    }


def _kwh(energy: int) -> float:
    return energy / 1000


def _known_at(instant_us: int) -> str:
    instant = datetime.fromtimestamp(instant_us // 1_000_000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_us % 1_000_000:06}Z"


def _word(code: Quality) -> str | None:
    return None if code is Quality.ABSENT else code.name.lower()


def _reading(used: UsedReading) -> Json:
    delivery = used.delivery
    return {
        "register": used.register.value,
        "timestamp": utc_text(used.at),
        "value": used.value / _RAW,
        "quality": None if used.quality is None else used.quality.name.lower(),
        "serial": used.serial,
        "delivery": None if delivery is None else delivery.number,
        "account": None if delivery is None else delivery.account,
        "source": "declared" if delivery is None else delivery.source,
        "recorded_at": None if delivery is None else _known_at(delivery.recorded_us),
    }


def _boundary(boundary: Boundary, hidden_before_at: int) -> Json:
    index, rounded = boundary.index, boundary.rounded
    return {
        "register": boundary.register.value,
        "raw_register": boundary.raw_register.value,
        "at": utc_text(boundary.at),
        "index": None if index is None else float(index / _RAW),
        "exact": None if index is None else _fraction(index / _RAW),
        "factor": str(boundary.factor),
        "rounded": None if rounded is None else _kwh(rounded),
        "quality": _word(boundary.quality),
        "method": boundary.method.name.lower() if boundary.method else None,
        "readings": [
            utc_text(support.at) for support in boundary.around if support.at >= hidden_before_at
        ],
    }


def _fraction(exact: Fraction) -> str:
    """Write a fraction as people do: ``21 1/3``.

    >>> _fraction(Fraction(64, 3)), _fraction(Fraction(0)), _fraction(Fraction(-1, 4))
    ('21 1/3', '0', '-1/4')
    """
    if exact < 0:
        return f"-{_fraction(-exact)}"
    whole, rest = divmod(exact, 1)
    if not rest:
        return str(whole)
    return f"{whole} {rest}" if whole else str(rest)


def _finding(catalogue: SiteCatalogue, finding: Finding) -> Json:
    meter = next(each for each in catalogue.meters if each.number == finding.meter)
    return {
        "id": finding_id(catalogue.site.id, meter.id, finding),
        "rule": finding.rule.value,
        "register": finding.register,
        "start": utc_text(finding.start_at),
        "end": utc_text(finding.end_at),
        "evidence": dict(finding.evidence),
    }


def _method(explained: Explanation, hidden_before_at: int) -> Json:
    method = explained.answered.method
    code = Method(0 if method is None else int(method[0]))
    edits = [each for each in explained.edits if each.undone_us is None]
    return {
        "name": code.name.lower() if code else None,
        **_estimate(explained.estimate, hidden_before_at),
        "edit": _edit(edits[-1]) if edits and code is Method.EDIT else None,
    }


def _estimate(estimate: Estimate | None, hidden_before_at: int) -> Json:
    if estimate is None:
        return {"gap": None, "weight": None, "weights": None, "donors": None}
    donors, end_at, rise = estimate.donors, estimate.end_at, estimate.rise
    # The weights are those of the donors: of hidden ones they would tell.
    hides_donors = donors is not None and bool(
        (donors.quarters * QUARTER_S < hidden_before_at).any()
    )
    return {
        # What was counted before the history is not told within a gap either.
        "gap": None
        if estimate.start_at < hidden_before_at
        else {
            "start": utc_text(estimate.start_at),
            "end": None if end_at is None else utc_text(end_at),
            "rise": None if rise is None else rise / _RAW,
        },
        "weight": None if hides_donors else estimate.weight,
        "weights": None if hides_donors else estimate.weights,
        "donors": None
        if donors is None
        else [
            {"start": utc_text(quarter * QUARTER_S), "total": _kwh(energy)}
            for quarter, energy in zip(
                donors.quarters.tolist(), donors.energy.tolist(), strict=True
            )
            if quarter * QUARTER_S >= hidden_before_at
        ],
    }


def _edit(edit: Edit) -> Json:
    return {
        "number": edit.number,
        "start": utc_text(edit.start_at),
        "end": utc_text(edit.end_at),
        "energy": None if edit.energy is None else _kwh(edit.energy),
        "reason": edit.reason,
        "account": edit.account,
        "made_at": _known_at(edit.made_us),
    }


def _device(explained: Explanation, sight: Sight) -> Json:
    device = explained.device
    serials = [each.serial for each in explained.readings if each.serial]
    factor = explained.facts.factor
    if device is None:
        serial = serials[-1] if serials else None
        return {"serial": serial, "from": None, "factor": str(factor), "digits": None}
    return {
        "serial": device.serial,
        "from": None
        if device.from_at is None or not sight.since(device.from_at)
        else utc_text(device.from_at),
        "factor": str(factor if device.factor is None else device.factor),
        "digits": device.digits,
    }


def _rule(rule: RuleTree | None, main_is_export: bool, sight: Sight) -> Json | None:
    if rule is None:
        return None
    operands = [_operand(each, main_is_export, sight) for each in rule.operands]
    return {"text": rule.text, "operands": operands}


def _operand(operand: OperandValue, main_is_export: bool, sight: Sight) -> Json:
    is_export = main_is_export if operand.register is None else operand.register.value == "en_ex"
    value = operand.ex if is_export else operand.im
    is_told = sight.opens(operand.meter) and operand.contributes
    return {
        "sign": "+" if operand.sign > 0 else "-",
        "meter": operand.meter.id,
        "name": operand.meter.name,
        "register": None if operand.register is None else operand.register.value,
        **_register_value(value if is_told else None),
        "rule": _rule(operand.rule, is_export, sight) if is_told else None,
    }


def _register_value(value: RegisterValue | None) -> Json:
    if value is None:
        return {"value": None, "quality": None}
    energy = None if value.energy is None else _kwh(value.energy)
    return {"value": energy, "quality": _word(value.quality)}


def _balance(
    explained: Explanation,
    books: QuarterBooks,
    catalogue: SiteCatalogue,
    sight: Sight,
    all_open: bool,
) -> Json:
    flows, balance, closed_books = books.flows, books.balance, books.books
    lacking = [each for each in explained.lacking if sight.opens(each.meter)]
    amounts: dict[str, int | None] = dict.fromkeys((*_FLOWS, *_CLOSED))
    # Of books that lack a member the flows are those of the others alone: no totals.
    if all_open or balance is not None:
        columns = flows.consumed, flows.grid_im, flows.grid_ex, flows.produced
        amounts |= {name: int(each[0]) for name, each in zip(_FLOWS, columns, strict=True)}
    if balance is not None and closed_books is not None:
        closed_columns = (
            *(balance.conso_total, balance.prod_total, balance.from_ext, balance.self_energy),
            *(balance.to_ext, balance.storage_charging_self, balance.storage_charging),
            *(balance.storage_discharging, balance.unmetered, closed_books.pool),
            *(balance.allocated, balance.self_energy - balance.allocated),
        )
        amounts |= {name: int(each[0]) for name, each in zip(_CLOSED, closed_columns, strict=True)}
    return {
        "form": "with grid meter" if flows.has_grid[0] else "without grid meter",
        "mode": books.facts.balance.value,
        "battery": books.facts.battery.value,
        "quality": _word(books.quality),
        "missing": list(dict.fromkeys(each.meter.id for each in lacking)),
        "lacking": [
            {
                "meter": each.meter.id,
                "name": each.meter.name,
                "register": each.register.value,
                "declare": each.declared_from(explained.quarter, catalogue.site.timezone),
            }
            for each in lacking
        ],
        **{name: None if each is None else _kwh(each) for name, each in amounts.items()},
    }


def _key(explained: Explanation, books: QuarterBooks | None) -> Json | None:
    if books is None or not books.is_consumer:
        return None
    name, facts = books.facts.key, explained.facts
    takes_share = KEYS[name].meaning is not ShareMeaning.NONE
    producers = {
        each: None if part is None else str(part) for each, part in facts.producers.items()
    }
    parameters = {
        "share": str(facts.share) if takes_share and facts.share is not None else None,
        "priority": facts.priority,
        "producers": producers,
    }
    return {"name": name, "parameters": parameters}


def _share(share: SharedOut, all_open: bool) -> Json:
    """The share with its last cut; a key that cuts more than once tells all of them.

    A cut sums up those that come before: with closed consumers among them none is told.
    """
    cuts = [_cut(cut) for cut in share.cuts] if all_open else []
    last = cuts[-1] if cuts else dict.fromkeys(("quota", "before", "after", "dither", "rounding"))
    return {
        "self": _kwh(share.share),
        "used": _kwh(share.used),
        "pool": _kwh(share.pool) if all_open else None,
        **{name: last[name] for name in ("quota", "before", "after", "dither", "rounding")},
        "cuts": cuts,
    }


def _cut(cut: Cut) -> Json:
    before, after, dither = _fraction(cut.before), _fraction(cut.after), cut.dither / _DITHER
    return {
        "quota": _fraction(cut.quota),
        "before": before,
        "after": after,
        "dither": dither,
        "rounding": f"floor({after} + {dither:.4f}) - floor({before} + {dither:.4f}) = {cut.given}",
        "given": cut.given,
        "weight": cut.weight,
        "numerator": cut.numerator,
        "denominator": cut.denominator,
    }


def _version(version: Version, explained: Explanation, sight: Sight) -> Json:
    is_last = version is explained.versions[-1]
    until_at = explained.locked_until_at
    is_locked = until_at is not None and explained.quarter * QUARTER_S < until_at
    return {
        "known_at": _known_at(version.known_us),
        "cause": version.cause,
        "total": None if version.total is None else _kwh(version.total),
        "quality": _word(version.quality),
        "earlier_writes": version.earlier_writes,
        "generation": explained.generation if is_last and sight.is_whole else None,
        "locked_until": utc_text(until_at) if is_last and is_locked and until_at else None,
        "locked_despite": explained.locked_despite if is_last and sight.is_whole else None,
    }
