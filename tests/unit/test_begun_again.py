"""Whose counters seem to begin again, so that it is proposed to declare them so."""

from dataclasses import replace

from commonwatt.app.findings.worklist import begins_again_tasks
from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    RegisterKind,
)
from commonwatt.domain.metering.findings import Finding, FindingRule

FACTS = (MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION),)
METER = Meter(number=1, id="a" * 24, name="Flat", medium=Medium.ELECTRICITY, prim_ad=1, facts=FACTS)


def fall(day: int, before: int, after: int, register: Register = Register.EN_IM) -> Finding:
    at, evidence = day * 86_400, {"index_before": before, "index_after": after}
    return Finding(FindingRule.INDEX_BREAK, 1, register, at, at + 900, evidence)


def test_three_falls_to_nearly_nothing_propose_a_declaration() -> None:
    falls = [fall(day, 10_000, 1_000) for day in (3, 1, 2)]
    [task] = begins_again_tasks(METER, falls)
    assert (task.kind, task.start_at, task.end_at) == ("register-kind", 86_400, 3 * 86_400 + 900)
    assert "register_kind: resets" in task.text


def test_fewer_falls_or_such_to_more_or_of_two_registers_propose_nothing() -> None:
    nothing = [fall(day, 10_000, 0) for day in (1, 2)]
    for falls in (
        nothing,
        [*nothing, fall(3, 10_000, 1_001)],
        [*nothing, fall(3, 10_000, 0, Register.EN_EX)],
    ):
        assert not list(begins_again_tasks(METER, falls))


def test_what_is_declared_is_not_proposed() -> None:
    declared = replace(METER, register_kind=RegisterKind.RESETS)
    assert not list(begins_again_tasks(declared, [fall(day, 10_000, 0) for day in (1, 2, 3)]))
