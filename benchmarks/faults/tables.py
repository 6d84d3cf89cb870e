"""What the benchmark with injected faults found, as tables of the documentation."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks.faults.detection import Detection, detect
from benchmarks.faults.estimation import LENGTHS, Errors, Outcome, estimate
from benchmarks.faults.imputation import METHODS
from benchmarks.report import markdown
from benchmarks.site.plan import Plan

_FILLING = ("commonwatt", *METHODS)


def faults(plan: Plan) -> tuple[list[str], Mapping[str, object]]:
    """Run both parts; return their tables, and the same as data."""
    detection = detect(plan.faults_a_meter)
    outcome = estimate(plan.gap_lengths)
    tables = [
        _detection_table(detection),
        _detection_words(detection),
        _errors_table("error of the quarter-hours", outcome, plan, lambda e: e.shape),
        _errors_table("largest quarter-hour", outcome, plan, lambda e: e.peak),
        _energy_words(outcome),
    ]
    return tables, {"detection": _as_data(detection), "estimation": _errors_as_data(outcome)}


def _detection_table(detection: Detection) -> str:
    rows = [
        (
            each.kind,
            each.rules,
            str(each.injected),
            f"{each.recall:.3f}",
            "" if each.precision is None else f"{each.precision:.3f}",
        )
        for each in detection.kinds
    ]
    return markdown(
        ("injected", "to be found by", "number", "recall", "precision"), rows, (2, 3, 4)
    )


def _detection_words(detection: Detection) -> str:
    elsewhere = ", ".join(f"{n} {rule}" for rule, n in sorted(detection.elsewhere.items()))
    return (
        f"Findings where nothing was injected: {elsewhere or 'none'}. Of {detection.untouched:,} "
        f"quarter-hours an hour or more from any fault {detection.wrong:,} differ from the truth. "
        f"Of {detection.repeated:,} readings sent twice {detection.unchanged:,} were recognised."
    )


def _errors_table(
    heading: str, outcome: Outcome, plan: Plan, measure: Callable[[Errors], float]
) -> str:
    kinds = dict.fromkeys(kind for kind, _, _ in outcome)
    lengths = [length for length in LENGTHS if length in plan.gap_lengths]
    rows = [
        (kind, method, *(f"{measure(outcome[kind, length, method]):.2f}" for length in lengths))
        for kind in kinds
        for method in _FILLING
    ]
    return markdown((heading, "filled by", *lengths), rows, range(2, 2 + len(lengths)))


def _energy_words(outcome: Outcome) -> str:
    worst = {
        method: max(errors.energy for (_, _, name), errors in outcome.items() if name == method)
        for method in _FILLING
    }
    told = ", ".join(f"{method} {100 * error:.3f} %" for method, error in worst.items())
    return f"Largest error of the energy of the gaps of one kind and length: {told}."


def _as_data(detection: Detection) -> Mapping[str, object]:
    kinds = [
        {
            "kind": each.kind,
            "rules": each.rules,
            "injected": each.injected,
            "recall": each.recall,
            "precision": each.precision,
        }
        for each in detection.kinds
    ]
    return {"kinds": kinds, "untouched": detection.untouched, "wrong": detection.wrong}


def _errors_as_data(outcome: Outcome) -> Sequence[Mapping[str, object]]:
    return [
        {
            "kind": kind,
            "gap": length,
            "method": method,
            "energy": errors.energy,
            "shape": errors.shape,
            "peak": errors.peak,
        }
        for (kind, length, method), errors in outcome.items()
    ]
