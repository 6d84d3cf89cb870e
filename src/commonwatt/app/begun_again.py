"""Meters whose index falls to nearly nothing again and again: counters that begin again."""

from collections.abc import Iterator, Sequence

from commonwatt.app.worklist_task import Task
from commonwatt.domain.catalogue import Meter, RegisterKind
from commonwatt.domain.findings import Finding, FindingRule

LEAST_FALLS = 3
"""So often hardly any device is exchanged within a period."""
_NEARLY_NOTHING = 10
"""A fall to at most this fraction of the index is one to nearly nothing."""
BEGINS_AGAIN = "register-kind"
"""The kind of task that proposes `register_kind: resets`."""


def begins_again_tasks(meter: Meter, findings: Sequence[Finding]) -> Iterator[Task]:
    """Propose to declare what a meter is whose ``findings`` [its open ones] tell so.

    At least `LEAST_FALLS` breaks of one register at which the index falls to nearly nothing. It
    changes nothing until somebody declares it.
    """
    breaks = [each for each in findings if each.rule is FindingRule.INDEX_BREAK]
    if meter.register_kind is RegisterKind.RESETS:
        return
    for register in sorted({each.register for each in breaks}):
        falls = [each for each in breaks if each.register == register and _to_nothing(each)]
        if len(falls) >= LEAST_FALLS:
            yield Task(
                kind=BEGINS_AGAIN,
                meter=meter,
                start_at=min(each.start_at for each in falls),
                end_at=max(each.end_at for each in falls),
                text=f"{meter.name}: {register} fell to nearly nothing {len(falls)} times; if its "
                "counter begins again each day or session, declare register_kind: resets, which "
                "settles all of these breaks",
                command="commonwatt apply FILE.yaml",
            )


def _to_nothing(finding: Finding) -> bool:
    before, after = finding.evidence["index_before"], finding.evidence["index_after"]
    return _NEARLY_NOTHING * after <= before
