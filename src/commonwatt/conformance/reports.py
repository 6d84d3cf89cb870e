"""What a run found: as text for people, as JSON, as JUnit for build servers."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from commonwatt import __version__
from commonwatt.conformance.judging.verdicts import Outcome, Verdict
from commonwatt.conformance.run import Report

_ID_WIDTH = 33
# What XML 1.0 cannot hold.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def line_of(verdict: Verdict) -> str:
    """A check in one line, and below a failed one what shows it."""
    outcome = verdict.outcome.value.upper() if _is_failed(verdict) else verdict.outcome.value
    lines = [f"{outcome:12} {verdict.id:{_ID_WIDTH}} {verdict.seen}"]
    if verdict.outcome in {Outcome.FAILED, Outcome.HABIT}:
        lines += [f"    {name:9} {text}" for name, text in _details(verdict)]
    return "\n".join(lines)


def summary_of(report: Report) -> str:
    """The last line: how many checks ended how."""
    counts = ", ".join(f"{report.count(each)} {_counted(report, each)}" for each in Outcome)
    site = f", site {report.site}" if report.site else ""
    return f"{counts}: {report.url}{site}"


def _counted(report: Report, outcome: Outcome) -> str:
    if outcome is Outcome.HABIT:
        return "known habit" if report.count(outcome) == 1 else "known habits"
    return outcome.value


def as_json(report: Report) -> str:
    """The whole report; `outcome` is held, failed, habit or not checked."""
    content = {
        "tool": f"commonwatt {__version__}",
        "url": report.url,
        "site": report.site,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "checks": [
            {
                "id": each.id,
                "clause": each.clause,
                "expected": each.expected,
                "outcome": each.outcome.value,
                "habit": each.habit.name.lower() if each.habit else None,
                "seen": each.seen,
                "sent": list(each.sent),
                "came": list(each.came),
            }
            for each in report.verdicts
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def as_junit(report: Report) -> str:
    """The report as one test suite; a habit and what was not checked are skipped tests."""
    skipped = report.count(Outcome.HABIT) + report.count(Outcome.NOT_CHECKED)
    suite = ET.Element(
        "testsuite",
        name="Climkit Developer API v1",
        tests=str(len(report.verdicts)),
        failures=str(report.count(Outcome.FAILED)),
        errors="0",
        skipped=str(skipped),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("url", report.url), ("site", report.site or "")):
        ET.SubElement(properties, "property", name=name, value=_in_xml(value))
    for verdict in report.verdicts:
        _add_case(suite, verdict)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, "unicode") + "\n"


def _add_case(suite: ET.Element, verdict: Verdict) -> None:
    part, _, name = verdict.id.partition(".")
    case = ET.SubElement(suite, "testcase", classname=part, name=name)
    seen = _in_xml(verdict.seen)
    if verdict.outcome is Outcome.FAILED:
        failure = ET.SubElement(case, "failure", message=seen)
        failure.text = _in_xml("\n".join(f"{name}: {text}" for name, text in _details(verdict)))
    elif verdict.outcome is not Outcome.HELD:
        ET.SubElement(case, "skipped", message=f"{verdict.outcome.value}: {seen}")


def _details(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "clause", verdict.clause
    yield "expected", verdict.expected
    if verdict.habit is not None:
        yield "habit", f"of the live service: {verdict.habit.value}"
    for sent, came in zip(verdict.sent, verdict.came, strict=True):
        yield "sent", sent
        yield "came", came


def _is_failed(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.FAILED


def _in_xml(text: str) -> str:
    return _NO_XML.sub("�", text)
