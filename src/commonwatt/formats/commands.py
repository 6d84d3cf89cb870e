"""An action as it is typed on the command line; words in capitals are to be filled in."""

from commonwatt.app.findings.task import (
    AcceptDelivery,
    AcceptQuarters,
    Action,
    ApplyDeclaration,
    DeclareExchange,
    EditQuarters,
    ImportReadings,
    ResolveFinding,
    Task,
    UndoEdit,
)
from commonwatt.formats.stamps.instants import utc_text

_REASON = ("--reason", "TEXT")


def task_text(task: Task) -> str:
    """What is the matter, with the command of the other way to resolve it where there is one."""
    return task.text if task.otherwise is None else f"{task.text}: {command(task.otherwise)}"


def command(action: Action) -> str:
    """Return the command that does it.

    >>> command(ResolveFinding("d0555ae54556"))
    'commonwatt resolve d0555ae54556 --as KIND'
    """
    words: tuple[str, ...]
    match action:
        case ApplyDeclaration():
            words = ("apply", "FILE.yaml")
        case ImportReadings(meter_id):
            words = ("import", "FILE", "--meter", meter_id or "ID")
        case ResolveFinding(finding, kind):
            words = ("resolve", finding, "--as", "KIND" if kind is None else kind.value)
        case DeclareExchange(meter_id, at, register, before, after):
            end, start = f"{register}={before:f}", f"{register}={after:f}"
            indexes = ("--end-index", end, "--start-index", start)
            words = ("exchange", meter_id, "--at", utc_text(at), *indexes)
        case EditQuarters(meter_id, start_at, end_at, energy):
            amount = "KWH" if energy is None else f"{energy:f}"
            words = ("edit", meter_id, *_span(start_at, end_at), "--energy", amount, *_REASON)
        case AcceptQuarters(meter_id, start_at, end_at):
            words = ("accept", meter_id, *_span(start_at, end_at), *_REASON)
        case AcceptDelivery(number, meter_id, site_id):
            named = "N" if number is None else str(number)
            where = ("--meter", meter_id, "--site", site_id)
            words = ("delivery", "accept", named, *where, *_REASON)
        case UndoEdit(number, site_id):
            words = ("edit", "undo", str(number), "--site", site_id)
    return " ".join(("commonwatt", *words))


def _span(start_at: int, end_at: int) -> tuple[str, ...]:
    return ("--start", utc_text(start_at), "--end", utc_text(end_at))
