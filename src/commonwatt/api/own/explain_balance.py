"""The balance, the key and the share behind a quarter-hour."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from commonwatt.api.endpoint.fields import QualityWord, kwh, quality_word
from commonwatt.api.endpoint.models import Answer
from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.findings.explain import Explanation
from commonwatt.domain.allocation import KEYS, ShareMeaning
from commonwatt.domain.explanation import balance as domain
from commonwatt.domain.explanation.balance import QuarterBalance
from commonwatt.domain.metering.catalogue import SiteCatalogue

_DITHER = 1 << 32


def _amount(description: str) -> Any:  # what pydantic declares a field by
    return Field(None, description=f"{description} [kWh].")


class LackingOf(Answer):
    """A register that the balance needs and that nothing is known of."""

    meter: str = Field(description="Id of the meter.")
    name: str = Field(description="Its name.")
    register_: str = Field(serialization_alias="register", description="en_im or en_ex.")
    declare: str | None = Field(
        description="What to declare of the meter if it has the register only later; null where "
        "it was read before, or never."
    )


class BalanceOfQuarter(Answer):
    """The terms of the balance; the closed ones are null while a member is missing."""

    form: Literal["with grid meter", "without grid meter"] = Field(description="Which form holds.")
    mode: Literal["plain", "clamped"] = Field(description="How the balance is computed.")
    battery: Literal["last", "first"] = Field(description="Whom the site's own energy serves.")
    quality: QualityWord | None = Field(description="The worst quality of the members.")
    missing: list[str] = Field(description="Ids of the members that are missing.")
    lacking: list[LackingOf] = Field(description="Their registers that nothing is known of.")
    consumed: float | None = _amount("Sum of the consumers")
    grid_import: float | None = _amount("Import of the grid meters")
    grid_export: float | None = _amount("Export of the grid meters")
    produced: float | None = _amount("Sum of the producers")
    conso_total: float | None = _amount("Consumption of the balance")
    prod_total: float | None = _amount("Production of the balance")
    from_ext: float | None = _amount("Taken from the grid")
    self_: float | None = Field(
        None,
        serialization_alias="self",
        description="Consumption from the site's own energy [kWh].",
    )
    to_ext: float | None = _amount("Fed into the grid")
    storage_charging_self: float | None = _amount("Charged from the site's own energy")
    storage_charging_total: float | None = _amount("Charged, as measured")
    storage_discharging_total: float | None = _amount("Discharged, as measured")
    unmetered: float | None = _amount("Consumption that no meter measured")
    pool: float | None = _amount("What could be shared")
    allocated: float | None = _amount("What was shared")
    unallocated: float | None = _amount("self less what was shared")


class KeyParameters(Answer):
    """What is declared of the consumer for the key."""

    share: str | None = Field(description="Its percentage, where the key takes one.")
    priority: int = Field(description="Its priority.")
    producers: dict[str, str | None] = Field(description="Producers it names, with percentages.")


class KeyUsed(Answer):
    """The allocation key that held."""

    name: str = Field(description="Name of the key.")
    parameters: KeyParameters = Field(description="What is declared of the consumer.")


class Cut(Answer):
    """A rounding of the key, in Wh, with what it was given."""

    quota: str = Field(description="The exact part, a fraction [Wh].")
    before: str = Field(description="Quotas of the consumers before it, F_(i-1) [Wh].")
    after: str = Field(description="The same with its own, F_i [Wh].")
    dither: float = Field(description="u, where the rounding of this quarter-hour starts.")
    rounding: str = Field(description="How it was rounded [Wh].")
    given: int = Field(description="What it gave [Wh].")
    weight: int = Field(description="The consumer's weight.")
    numerator: int = Field(description="What was shared.")
    denominator: int = Field(description="Sum of the weights, or what a weight is a part of.")


class ShareOf(Answer):
    """The consumer's share; quota to rounding are those of the last cut."""

    self_: float = Field(serialization_alias="self", description="The share [kWh].")
    used: float = Field(description="What the consumer used [kWh].")
    pool: float | None = Field(
        description="What could be shared among all [kWh]; null where consumers are closed."
    )
    quota: str | None = Field(description="The exact part, a fraction [Wh].")
    before: str | None = Field(description="Quotas of the consumers before it, F_(i-1) [Wh].")
    after: str | None = Field(description="The same with its own, F_i [Wh].")
    dither: float | None = Field(description="u, where the rounding of this quarter-hour starts.")
    rounding: str | None = Field(description="How it was rounded [Wh].")
    cuts: list[Cut] = Field(description="All cuts of the key that concern it, in order.")


def balance_of(
    explained: Explanation,
    quarter: QuarterBalance,
    catalogue: SiteCatalogue,
    scope: AccessScope,
    all_open: bool,
) -> BalanceOfQuarter:
    """Write the balance, without the meters that are out of sight."""
    lacking = [each for each in explained.lacking if scope.opens(each.meter)]
    return BalanceOfQuarter(
        form="with grid meter" if quarter.flows.has_grid[0] else "without grid meter",
        mode=quarter.facts.balance.value,
        battery=quarter.facts.battery.value,
        quality=quality_word(quarter.quality),
        missing=list(dict.fromkeys(each.meter.id for each in lacking)),
        lacking=[
            LackingOf(
                meter=each.meter.id,
                name=each.meter.name,
                register_=each.register.value,
                declare=each.declared_from(explained.quarter, catalogue.site.timezone),
            )
            for each in lacking
        ],
        # Of a balance that lacks a member the flows are those of the others alone: no totals.
        **(_flows(quarter) if all_open or quarter.balance is not None else {}),
        **_terms(quarter),
    )


def _flows(quarter: QuarterBalance) -> Mapping[str, float]:
    flows = quarter.flows
    return {
        "consumed": _first_kwh(flows.consumed),
        "grid_import": _first_kwh(flows.grid_im),
        "grid_export": _first_kwh(flows.grid_ex),
        "produced": _first_kwh(flows.produced),
    }


def _terms(quarter: QuarterBalance) -> Mapping[str, float]:
    """The terms of a balance of which no member is missing."""
    balance, computed = quarter.balance, quarter.computed
    if balance is None or computed is None:
        return {}
    return {
        "conso_total": _first_kwh(balance.conso_total),
        "prod_total": _first_kwh(balance.prod_total),
        "from_ext": _first_kwh(balance.from_ext),
        "self_": _first_kwh(balance.self_energy),
        "to_ext": _first_kwh(balance.to_ext),
        "storage_charging_self": _first_kwh(balance.storage_charging_self),
        "storage_charging_total": _first_kwh(balance.storage_charging),
        "storage_discharging_total": _first_kwh(balance.storage_discharging),
        "unmetered": _first_kwh(balance.unmetered),
        "pool": _first_kwh(computed.pool),
        "allocated": _first_kwh(balance.allocated),
        "unallocated": _first_kwh(balance.self_energy - balance.allocated),
    }


def _first_kwh(energy: NDArray[np.int64]) -> float:
    return kwh(int(energy[0]))


def key_of(explained: Explanation, quarter: QuarterBalance | None) -> KeyUsed | None:
    """Write the key that held for a consumer."""
    if quarter is None or not quarter.is_consumer:
        return None
    name, facts = quarter.facts.key, explained.facts
    takes_share = KEYS[name].meaning is not ShareMeaning.NONE
    parameters = KeyParameters(
        share=str(facts.share) if takes_share and facts.share is not None else None,
        priority=facts.priority,
        producers={
            each: None if part is None else str(part) for each, part in facts.producers.items()
        },
    )
    return KeyUsed(name=name, parameters=parameters)


def share_of(share: domain.SharedOut, all_open: bool) -> ShareOf:
    """Write the share with its last cut; of a key that cuts more than once all of them.

    A cut sums up those that come before: with closed consumers among them none is told.
    """
    cuts = [_cut(cut) for cut in share.cuts] if all_open else []
    last = cuts[-1] if cuts else None
    return ShareOf(
        self_=kwh(share.share),
        used=kwh(share.used),
        pool=kwh(share.pool) if all_open else None,
        quota=None if last is None else last.quota,
        before=None if last is None else last.before,
        after=None if last is None else last.after,
        dither=None if last is None else last.dither,
        rounding=None if last is None else last.rounding,
        cuts=cuts,
    )


def _cut(cut: domain.Cut) -> Cut:
    before, after, dither = (
        fraction_text(cut.before),
        fraction_text(cut.after),
        cut.dither / _DITHER,
    )
    return Cut(
        quota=fraction_text(cut.quota),
        before=before,
        after=after,
        dither=dither,
        rounding=f"floor({after} + {dither:.4f}) - floor({before} + {dither:.4f}) = {cut.given}",
        given=cut.given,
        weight=cut.weight,
        numerator=cut.numerator,
        denominator=cut.denominator,
    )


def fraction_text(exact: Fraction) -> str:
    """Write a fraction as people do: ``21 1/3``.

    >>> fraction_text(Fraction(64, 3)), fraction_text(Fraction(0)), fraction_text(Fraction(-1, 4))
    ('21 1/3', '0', '-1/4')
    """
    if exact < 0:
        return f"-{fraction_text(-exact)}"
    whole, rest = divmod(exact, 1)
    if not rest:
        return str(whole)
    return f"{whole} {rest}" if whole else str(rest)
