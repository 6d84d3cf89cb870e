"""A worklist as rows of JSON."""

from collections.abc import Iterable

from commonwatt.app.findings.task import Task
from commonwatt.formats.stamps.instants import utc_text


def worklist_rows(tasks: Iterable[Task]) -> list[dict[str, str | None]]:
    """Write tasks as rows: kind, meter (null: the site), start, end (UTC), text, command, state."""
    return [
        {
            "kind": task.kind,
            "meter": None if task.meter is None else task.meter.id,
            "start": utc_text(task.start_at),
            "end": utc_text(task.end_at),
            "text": task.text,
            "command": task.command,
            "state": task.state.value,
        }
        for task in tasks
    ]
