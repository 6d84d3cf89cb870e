"""An explanation on one screen, for people."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from commonwatt.api.own.explain import ExplanationOf, RuleUsed

_LABEL = 10
_DAYS_SHOWN = 3
_VERSIONS_TOLD = 4


def explanation_lines(shown: "ExplanationOf", name: str, zone: str) -> Iterator[str]:
    """Yield the lines of an explanation as the API answers it, with times of the zone."""
    yield f"{name} ({shown.meter})"
    method = "-" if shown.method is None else shown.method.name or "-"
    yield f"{_local(shown.start, zone)}, a quarter-hour"
    own = "" if shown.self_ is None else f", self {_kwh(shown.self_)}, ext {_kwh(shown.ext)}"
    yield f"total {_kwh(shown.total)} ({shown.quality_total or 'not alive'}, {method}){own}"
    for label, lines in (
        ("readings", _readings(shown, zone)),
        ("index", _boundaries(shown, zone)),
        ("method", _method(shown, zone)),
        ("accepted", _accepted(shown)),
        ("device", _device(shown, zone)),
        ("rule", _rule(shown.rule)),
        ("findings", _findings(shown, zone)),
        ("balance", _balance(shown)),
        ("share", _share(shown)),
        ("versions", _versions(shown, zone)),
    ):
        yield from _labelled(label, lines)


def _labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"{label:<{_LABEL}}{line}"
        label = ""


def _local(utc: str, zone: str) -> str:
    at = datetime.fromisoformat(utc).astimezone(ZoneInfo(zone))
    return at.replace(microsecond=0).isoformat(" ")


def _kwh(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:.3f}"


def _readings(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    for each in shown.readings or ():
        who = f"{each.source}"
        if each.delivery is not None:
            name = who if each.quality == "edited" else f"delivery {each.delivery}"
            who = f"{name}, {each.account}"
        guess = ", estimated" if each.quality == "estimated" else ""
        value = f"{each.value:.3f}"
        yield f"{_local(each.timestamp, zone)} {each.register_:<6}{value:>12} {who}{guess}"


def _boundaries(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    for each in shown.boundaries or ():
        start = f"{_local(each.at, zone)} {each.register_:<6}"
        if each.index is None:
            yield f"{start}{'unknown':>12}"
            continue
        yield f"{start}{each.index:>12.6f} x {each.factor} = {_kwh(each.rounded)}"


def _method(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    method = shown.method
    if method is None:
        return
    gap, edit, reference = method.gap, method.edit, method.donors
    if gap is not None and gap.end is None:
        yield f"nothing was read after {_local(gap.start, zone)} yet"
    elif gap is not None and gap.end is not None:
        span = f"{_local(gap.start, zone)} to {_local(gap.end, zone)}"
        yield f"gap {span}, {_kwh(gap.rise)}"
    if reference:
        days = ", ".join(
            f"{_local(each.start, zone)[5:16]} {_kwh(each.total)}"
            for each in reference[:_DAYS_SHOWN]
        )
        weight = f"weight {method.weight} of {method.weights}, "
        part = "" if method.weight is None else weight
        yield f"{part}as {len(reference)} others: {days}"
    if edit is not None:
        yield f"edit {edit.number} by {edit.account}: {edit.reason}"


def _accepted(shown: "ExplanationOf") -> Iterator[str]:
    edit = shown.accepted
    if edit is not None:
        yield f"edit {edit.number} by {edit.account}: {edit.reason}"


def _device(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    device = shown.device
    if device is not None and (device.serial or device.from_ or device.factor != "1"):
        since = "" if device.from_ is None else f", since {_local(device.from_, zone)}"
        yield f"serial {device.serial or '-'}, factor {device.factor}{since}"


def _rule(rule: "RuleUsed | None", depth: int = 0) -> Iterator[str]:
    if rule is None:
        return
    for each in rule.operands:
        register = f".{each.register_}" if each.register_ else ""
        quality = each.quality or "contributes nothing"
        value = _kwh(each.value)
        yield f"{'  ' * depth}{each.sign} {value:>8} {each.name}{register} ({quality})"
        yield from _rule(each.rule, depth + 1)


def _findings(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    for each in shown.findings:
        span = f"{_local(each.start, zone)} to {_local(each.end, zone)}"
        yield f"{each.id} {each.rule} {span}"


def _balance(shown: "ExplanationOf") -> Iterator[str]:
    balance = shown.balance
    if balance is None:
        return
    yield f"{balance.form}, {balance.mode}, {balance.quality or 'nobody alive'}"
    if balance.lacking:
        yield "cannot be closed: " + ", ".join(
            f"{each.name} lacks {each.register_}" for each in balance.lacking
        )
        for each in balance.lacking:
            if each.declare:
                yield f"{each.name} has it only later; if it did not count before, declare"
                yield f"  {each.declare}"
        return
    yield _amounts(
        consumed=balance.consumed,
        grid_import=balance.grid_import,
        grid_export=balance.grid_export,
        produced=balance.produced,
    )
    yield _amounts(
        conso_total=balance.conso_total,
        from_ext=balance.from_ext,
        self=balance.self_,
        unmetered=balance.unmetered,
    )
    yield _amounts(
        prod_total=balance.prod_total,
        to_ext=balance.to_ext,
        pool=balance.pool,
        allocated=balance.allocated,
    )


def _amounts(**amounts: float | None) -> str:
    return ", ".join(f"{name} {_kwh(amount)}" for name, amount in amounts.items())


def _share(shown: "ExplanationOf") -> Iterator[str]:
    key, share = shown.key, shown.share
    if key is None:
        return
    if share is None:
        yield f"key {key.name}; no share without a balance"
        return
    yield f"key {key.name}: used {_kwh(share.used)} of a pool of {_kwh(share.pool)}"
    if share.quota is not None:
        yield f"quota {share.quota} Wh"
        yield f"{share.rounding} Wh"


def _versions(shown: "ExplanationOf", zone: str) -> Iterator[str]:
    untold = max(0, len(shown.versions) - _VERSIONS_TOLD)
    unseen = sum(each.earlier_writes for each in shown.versions)
    if untold or unseen:
        yield f"{untold} earlier ones, {unseen} earlier writes not looked at"
    for each in shown.versions[untold:]:
        lock = each.locked_until
        locked = f", locked until {_local(lock, zone)}" if lock else ""
        despite = each.locked_despite
        yield f"{_local(each.known_at, zone)} {_kwh(each.total)} {each.cause}{locked}"
        if despite:
            yield f"  locked with things to do: {despite}"
